/* See reconcile.h. */
#include "forecast/reconcile.h"

#include "base/fault.h"
#include "base/memory.h"
#include "forecast/projection.h"

#include <math.h>
#include <string.h>

const char *reconcile_name(ReconcileMethod method)
{
    static const char *const names[RECONCILE_METHODS] = {
        [RECONCILE_BOTTOM_UP] = "bottom_up",
        [RECONCILE_TOP_DOWN_HISTORY] = "top_down_history",
        [RECONCILE_TOP_DOWN_FORECASTS] = "top_down_forecasts",
        [RECONCILE_WLS] = "wls",
        [RECONCILE_MINT] = "mint",
    };
    return names[method];
}

const char *reconcile_reason(ReconcileReason reason)
{
    static const char *const words[] = {[RECONCILE_AS_ASKED] = "as asked",
                                        [RECONCILE_TOO_MANY_NODES] =
                                            "there are too many groups of products",
                                        [RECONCILE_SINGULAR] = "its equations have no solution"};
    return words[reason];
}

static double not_below_0(double value)
{
    return value > 0 ? value : 0;
}

/* Where rows [n x width] are not above 0: 0. How many were below. */
static int64_t clear_negatives(double *rows, int64_t n)
{
    int64_t n_negative = 0;
    for (int64_t k = 0; k < n; k++) {
        n_negative += rows[k] < 0;
        rows[k] = not_below_0(rows[k]);
    }
    return n_negative;
}

/* ---- top-down ---- */

typedef struct TopDown {
    const Hierarchy *hierarchy;
    const ReconcileInput *input;
    double *weights; /* [n x width] by which a series gets its part: forecasts, or history */
    double *sums;    /* [n_nodes x width] of weights */
    double *below;   /* [n_nodes x horizon] sums of the series' forecasts */
    double *given;   /* [n_nodes x horizon] what a node has to share out */
    double *claims;  /* [n_nodes x horizon] sums of the weights of those that share it */
    int64_t width;
} TopDown;

static Status top_down_start(TopDown *d, Error *error)
{
    Status status;
    int64_t n_nodes = d->hierarchy->n_nodes, horizon = d->input->horizon;
    TRY(fault_point("forecast.top_down", error));
    TRY(mem_resize(&d->weights, d->hierarchy->n * d->width, sizeof(double), "forecasts", error));
    TRY(mem_resize(&d->sums, n_nodes * d->width, sizeof(double), "forecasts", error));
    TRY(mem_resize(&d->below, n_nodes * horizon, sizeof(double), "forecasts", error));
    TRY(mem_resize(&d->given, n_nodes * horizon, sizeof(double), "forecasts", error));
    TRY(mem_resize(&d->claims, n_nodes * horizon, sizeof(double), "forecasts", error));
out:
    return status;
}

static void top_down_free(TopDown *d)
{
    mem_free(&d->weights);
    mem_free(&d->sums);
    mem_free(&d->below);
    mem_free(&d->given);
    mem_free(&d->claims);
}

/* given := the nodes' own forecasts; of those without one, the sums of their series'. */
static void take_forecasts(TopDown *d)
{
    int64_t n = d->hierarchy->n_nodes * d->input->horizon;
    vesper_assert(n == 0 || (d->given != NULL && d->below != NULL));
    for (int64_t k = 0; k < n; k++) {
        double own = d->input->nodes[k];
        d->given[k] = not_below_0(isfinite(own) ? own : d->below[k]);
    }
}

/* given, level by level: from forecasts of their own to parts of their parents'. */
static void share_down(TopDown *d)
{
    const Hierarchy *h = d->hierarchy;
    int64_t horizon = d->input->horizon;
    int32_t *n_children = mem_new(h->n_nodes, sizeof *n_children);
    memset(d->claims, 0, (size_t)(h->n_nodes * horizon) * sizeof *d->claims);
    for (int32_t node = 1; node < h->n_nodes; node++) {
        if (!h->is_chain[hierarchy_level_of(h, node)])
            continue;
        n_children[h->parent[node]]++;
        for (int64_t t = 0; t < horizon; t++)
            d->claims[h->parent[node] * horizon + t] += d->given[node * horizon + t];
    }
    for (int32_t node = 1; node < h->n_nodes; node++) {
        if (!h->is_chain[hierarchy_level_of(h, node)])
            continue;
        int64_t parent = h->parent[node];
        for (int64_t t = 0; t < horizon; t++) {
            double claims = d->claims[parent * horizon + t];
            double *given = &d->given[node * horizon + t];
            double share = claims > 0 ? *given / claims : 1. / n_children[parent];
            *given = d->given[parent * horizon + t] * share;
        }
    }
    mem_free(&n_children);
}

/* bottom := each series' part of what its node on a level of the chain has: by weight, and in equal
 * parts where all weights are 0. */
static void share_out(const TopDown *d, int level, double *bottom)
{
    const Hierarchy *h = d->hierarchy;
    int64_t horizon = d->input->horizon;
    for (int64_t i = 0; i < h->n; i++) {
        int64_t node = h->cell_nodes[(int64_t)h->cell[i] * h->n_levels + level];
        for (int64_t t = 0; t < horizon; t++) {
            int64_t column = d->width == 1 ? 0 : t;
            double sum = d->sums[node * d->width + column];
            double share =
                sum > 0 ? d->weights[i * d->width + column] / sum : 1 / (double)h->n_series[node];
            bottom[i * horizon + t] = d->given[node * horizon + t] * share;
        }
    }
}

/* Collective. */
static Status top_down(Comm *comm, const Hierarchy *hierarchy, bool by_history,
                       const ReconcileInput *input, double *bottom, Error *error)
{
    Status status;
    TopDown d = {.hierarchy = hierarchy, .input = input, .width = by_history ? 1 : input->horizon};
    const double *weights = by_history ? input->history : input->bottom;
    TRY_ALL(comm, top_down_start(&d, error), error);
    vesper_assert(hierarchy->n == 0 || d.weights != NULL);
    for (int64_t k = 0; k < hierarchy->n * d.width; k++)
        d.weights[k] = not_below_0(weights[k]);
    TRY(hierarchy_sum(comm, hierarchy, d.weights, NULL, d.width, d.sums, error));
    TRY(hierarchy_sum(comm, hierarchy, input->bottom, NULL, input->horizon, d.below, error));
    take_forecasts(&d);
    if (!by_history)
        share_down(&d);
    share_out(&d, by_history ? 0 : hierarchy_finest(hierarchy), bottom);
out:
    top_down_free(&d);
    return status;
}

/* ---- all methods ---- */

/* `adjusted` [n x horizon]: what the method makes of the series, before negatives are cleared.
 * Collective. */
static Status adjust(Comm *comm, const Hierarchy *hierarchy, ReconcileMethod method,
                     const ReconcileInput *input, double *adjusted, ReconcileOutcome *outcome,
                     Error *error)
{
    Status status = STATUS_OK;
    if (method == RECONCILE_TOP_DOWN_HISTORY || method == RECONCILE_TOP_DOWN_FORECASTS)
        TRY(top_down(comm, hierarchy, method == RECONCILE_TOP_DOWN_HISTORY, input, adjusted,
                     error));
    if (method == RECONCILE_WLS || method == RECONCILE_MINT)
        TRY(projection_reconcile(comm, hierarchy, method == RECONCILE_MINT, input, adjusted,
                                 outcome, error));
    if (method != RECONCILE_BOTTOM_UP && outcome->reason == RECONCILE_AS_ASKED)
        goto out;
    outcome->used = RECONCILE_BOTTOM_UP;
    if (hierarchy->n > 0)
        memcpy(adjusted, input->bottom, (size_t)(hierarchy->n * input->horizon) * sizeof *adjusted);
out:
    return status;
}

Status reconcile(Comm *comm, const Hierarchy *hierarchy, ReconcileMethod method,
                 const ReconcileInput *input, double *bottom, double *nodes,
                 ReconcileOutcome *outcome, Error *error)
{
    Status status;
    int64_t n = hierarchy->n * input->horizon, n_sums = hierarchy->n_nodes * input->horizon;
    double *adjusted = NULL;
    *outcome = (ReconcileOutcome){.used = method, .lambda = 1};
    TRY_ALL(comm, mem_resize(&adjusted, n, sizeof *adjusted, "forecasts", error), error);
    TRY(adjust(comm, hierarchy, method, input, adjusted, outcome, error));
    outcome->n_negative = clear_negatives(adjusted, n);
    comm_sum_i64(comm, &outcome->n_negative, 1);
    if (n > 0)
        memcpy(bottom, adjusted, (size_t)n * sizeof *bottom);
    TRY(hierarchy_sum(comm, hierarchy, bottom, NULL, input->horizon, nodes, error));
    for (int64_t k = 0; k < n_sums; k++)
        nodes[k] = not_below_0(nodes[k]); /* the total of no series is not known: 0 */
out:
    mem_free(&adjusted);
    return status;
}
