/* Reconcile: forecasts of series and of the nodes above them, each made by itself, become forecasts
 * that add up. docs/methods/reconciliation.md.
 *
 * What comes out is never below 0, and each node is the exact sum of its series. */
#ifndef VESPER_FORECAST_RECONCILE_H
#define VESPER_FORECAST_RECONCILE_H

#include "forecast/hierarchy.h"

typedef enum ReconcileMethod {
    RECONCILE_BOTTOM_UP,          /* series as they are, nodes are their sums */
    RECONCILE_TOP_DOWN_HISTORY,   /* the total, shared out as demand was */
    RECONCILE_TOP_DOWN_FORECASTS, /* down the chain, shared out as the forecasts are */
    RECONCILE_WLS,                /* least squares, weighted by variances of residuals */
    RECONCILE_MINT,               /* least trace, with a shrunk covariance of residuals */
    RECONCILE_METHODS
} ReconcileMethod;

typedef enum ReconcileReason {
    RECONCILE_AS_ASKED,
    RECONCILE_TOO_MANY_NODES, /* more than RECONCILE_NODES_MAX that take part */
    RECONCILE_SINGULAR        /* the equations have no solution to the precision */
} ReconcileReason;

enum { RECONCILE_NODES_MAX = 5000, RECONCILE_PERIODS_MAX = 2048 };

typedef struct ReconcileInput {
    int64_t horizon;
    const double *bottom; /* [n x horizon] of this rank's series, finite */
    const double *nodes;  /* [n_nodes x horizon] the same on every rank. A node with anything not
                             finite has no forecast and no say; one that is not distinct
                             (hierarchy_is_distinct) is asked by top-down by forecasts alone. */
    int64_t periods;      /* of residuals, up to RECONCILE_PERIODS_MAX; 0: there are none */
    const double *bottom_residuals; /* [n x periods] what was less what was forecast, in the same
                                       periods everywhere; NaN: not known */
    const double *node_residuals;   /* [n_nodes x periods] the same on every rank */
    const double *history; /* [n] mean demand of this rank's series, for top-down by history */
} ReconcileInput;

/* The same on every rank. */
typedef struct ReconcileOutcome {
    ReconcileMethod used; /* bottom-up where the method asked for fails */
    ReconcileReason reason;
    double lambda;      /* of MinT: share of the diagonal; 1 of WLS */
    int32_t n_nodes;    /* nodes that took part in WLS or MinT */
    int64_t n_negative; /* forecasts below 0 that became 0 */
} ReconcileOutcome;

const char *reconcile_name(ReconcileMethod method);
/* Why the method asked for was not used, for people: "its equations have no solution"; "as asked".
 */
const char *reconcile_reason(ReconcileReason reason);

/* bottom [n x horizon] and nodes [n_nodes x horizon] out: may be the input's own arrays.
 * Collective. */
Status reconcile(Comm *comm, const Hierarchy *hierarchy, ReconcileMethod method,
                 const ReconcileInput *input, double *bottom, double *nodes,
                 ReconcileOutcome *outcome, Error *error) VESPER_MUST_USE;

#endif
