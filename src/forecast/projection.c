/* See projection.h. Everything of nodes is computed by every rank, from sums that all have. */
#include "forecast/projection.h"

#include "base/fault.h"
#include "base/memory.h"
#include "forecast/shrinkage.h"
#include "kernel/definite.h"
#include "kernel/dense.h"

#include <math.h>
#include <string.h>

/* A variance takes so many residuals. */
enum { LEAST_RESIDUALS = 2 };
/* No forecast is trusted more than this: least variance, as a share of the mean one of series. */
static const double least_variance = 1e-9;
/* With less of the diagonal the matrix of more series than residuals is singular. */
static const double least_lambda = 1e-4;

/* Series, or nodes that take part, and their residuals. */
typedef struct Side {
    int64_t n;
    const double *residuals; /* [n x T] */
    double *factor; /* [n] sqrt(T / residuals known), so that R R' / T has their mean squares; 0 if
                       there are too few */
    double *variance; /* [n] mean square of the residuals known; 0 if there are too few */
    double *diagonal; /* [n] g */
} Side;

typedef struct Projection {
    const Hierarchy *hierarchy;
    const ReconcileInput *input;
    int64_t horizon, periods;
    double lambda;
    int32_t n_active;
    int32_t *active; /* [n_active] nodes that take part */
    int32_t *place;  /* [n_nodes] where in `active`; -1 */
    Side series, nodes;
    double *residuals;   /* [n_active x T] of nodes */
    double *gap;         /* [n_active x T] E */
    double *matrix;      /* [n_active x n_active] */
    double *least;       /* [n_active] */
    double *multipliers; /* [horizon x n_active] C y, then (C W C')^-1 times it */
    double *shared;      /* [T x horizon] (1 - lambda) / T E' times the multipliers */
    double *pair;        /* [n x 2] variance and 1; NaN where not known */
    double *sums;        /* [n_nodes x max(T, horizon, 2)] */
} Projection;

static void side_free(Side *side)
{
    mem_free(&side->factor);
    mem_free(&side->variance);
    mem_free(&side->diagonal);
}

static void projection_free(Projection *p)
{
    mem_free(&p->active);
    mem_free(&p->place);
    side_free(&p->series);
    side_free(&p->nodes);
    mem_free(&p->residuals);
    mem_free(&p->gap);
    mem_free(&p->matrix);
    mem_free(&p->least);
    mem_free(&p->multipliers);
    mem_free(&p->shared);
    mem_free(&p->pair);
    mem_free(&p->sums);
}

/* ---- who takes part ---- */

static bool has_forecast(const ReconcileInput *input, int32_t node)
{
    for (int64_t h = 0; h < input->horizon; h++) {
        if (!isfinite(input->nodes[node * input->horizon + h]))
            return false;
    }
    return true;
}

static Status choose_nodes(Projection *p, Error *error)
{
    Status status;
    const Hierarchy *h = p->hierarchy;
    TRY(mem_resize(&p->active, h->n_nodes, sizeof *p->active, "nodes", error));
    TRY(mem_resize(&p->place, h->n_nodes, sizeof *p->place, "nodes", error));
    for (int32_t node = 0; node < h->n_nodes; node++) {
        bool takes_part = hierarchy_is_distinct(h, node) && has_forecast(p->input, node);
        p->place[node] = takes_part ? p->n_active : -1;
        if (takes_part)
            p->active[p->n_active++] = node;
    }
out:
    return status;
}

static Status side_start(Side *side, Error *error)
{
    Status status;
    TRY(mem_resize(&side->factor, side->n, sizeof *side->factor, "variances", error));
    TRY(mem_resize(&side->variance, side->n, sizeof *side->variance, "variances", error));
    TRY(mem_resize(&side->diagonal, side->n, sizeof *side->diagonal, "variances", error));
out:
    return status;
}

/* All memory but that of who takes part. */
static Status projection_start(Projection *p, Error *error)
{
    Status status;
    int64_t q = p->n_active, width = p->periods > p->horizon ? p->periods : p->horizon;
    width = width > 2 ? width : 2;
    TRY(fault_point("forecast.projection", error));
    p->series.n = p->hierarchy->n;
    p->nodes.n = q;
    TRY(side_start(&p->series, error));
    TRY(side_start(&p->nodes, error));
    TRY(mem_resize(&p->residuals, q * p->periods, sizeof(double), "residuals", error));
    TRY(mem_resize(&p->gap, q * p->periods, sizeof(double), "residuals", error));
    TRY(mem_resize(&p->matrix, q * q, sizeof(double), "covariances of nodes", error));
    TRY(mem_resize(&p->least, q, sizeof(double), "covariances of nodes", error));
    TRY(mem_resize(&p->multipliers, p->horizon * q, sizeof(double), "forecasts", error));
    TRY(mem_resize(&p->shared, p->periods * p->horizon, sizeof(double), "forecasts", error));
    TRY(mem_resize(&p->pair, 2 * p->series.n, sizeof(double), "variances", error));
    TRY(mem_resize(&p->sums, p->hierarchy->n_nodes * width, sizeof(double), "forecasts", error));
    for (int64_t k = 0; k < q && p->periods > 0; k++)
        memcpy(p->residuals + k * p->periods, p->input->node_residuals + p->active[k] * p->periods,
               (size_t)p->periods * sizeof(double));
    p->series.residuals = p->input->bottom_residuals;
    p->nodes.residuals = p->residuals;
out:
    return status;
}

/* ---- W ---- */

static void measure(Side *side, int64_t periods)
{
    for (int64_t i = 0; i < side->n; i++) {
        int64_t known = 0;
        double squares = 0;
        for (int64_t t = 0; t < periods; t++) {
            double residual = side->residuals[i * periods + t];
            if (!isfinite(residual))
                continue;
            known++;
            squares += residual * residual;
        }
        bool is_known = known >= LEAST_RESIDUALS;
        side->factor[i] = is_known ? sqrt((double)periods / (double)known) : 0;
        side->variance[i] = is_known ? squares / (double)known : 0;
    }
}

/* to [n] := what makes mean squares 1; 0 where there are none above 0. */
static void standardise(const Side *side, double *to)
{
    for (int64_t i = 0; i < side->n; i++)
        to[i] = side->variance[i] > 0 ? side->factor[i] / sqrt(side->variance[i]) : 0;
}

/* lambda; the diagonals are not yet set, and hold the factors. Collective. */
static Status shrink(Comm *comm, Projection *p, Error *error)
{
    Status status;
    standardise(&p->series, p->series.diagonal);
    standardise(&p->nodes, p->nodes.diagonal);
    ResidualRows own = {p->series.residuals, p->series.diagonal, p->series.n};
    ResidualRows shared = {p->nodes.residuals, p->nodes.diagonal, p->nodes.n};
    TRY(shrinkage_intensity(comm, &own, &shared, p->hierarchy->total, p->periods, &p->lambda,
                            error));
    p->lambda = fmax(p->lambda, least_lambda);
out:
    return status;
}

/* The mean variance of series that have one; 1 if there is none above 0. Collective. */
static Status mean_variance(Comm *comm, Projection *p, double *mean, Error *error)
{
    Status status;
    for (int64_t i = 0; i < p->series.n; i++) {
        bool is_known = p->series.factor[i] > 0;
        p->pair[2 * i] = is_known ? p->series.variance[i] : (double)NAN;
        p->pair[2 * i + 1] = is_known ? 1 : (double)NAN;
    }
    TRY(hierarchy_sum(comm, p->hierarchy, p->pair, NULL, 2, p->sums, error));
    *mean = p->sums[0] / p->sums[1];
    if (!(*mean > 0)) /* NaN too */
        *mean = 1;
out:
    return status;
}

/* g: what makes the diagonal of W the variances. Where they are not known, the mean of series; for
 * a node the sum of its series'. Collective. */
static Status set_diagonals(Comm *comm, Projection *p, Error *error)
{
    Status status;
    double mean = 1;
    TRY(mean_variance(comm, p, &mean, error));
    for (int64_t i = 0; i < p->series.n; i++)
        p->series.diagonal[i] =
            p->series.factor[i] > 0 ? fmax(p->series.variance[i], least_variance * mean) : mean;
    TRY(hierarchy_sum(comm, p->hierarchy, p->series.diagonal, NULL, 1, p->sums, error));
    for (int64_t k = 0; k < p->nodes.n; k++)
        p->nodes.diagonal[k] = p->nodes.factor[k] > 0
                                   ? fmax(p->nodes.variance[k], least_variance * mean)
                                   : p->sums[p->active[k]];
    for (int64_t i = 0; i < p->series.n; i++)
        p->series.diagonal[i] -= (1 - p->lambda) * p->series.variance[i];
    for (int64_t k = 0; k < p->nodes.n; k++)
        p->nodes.diagonal[k] -= (1 - p->lambda) * p->nodes.variance[k];
out:
    return status;
}

/* ---- C W C' ---- */

static double scaled(const Side *side, int64_t i, int64_t t, int64_t periods)
{
    double residual = side->residuals[i * periods + t];
    return side->factor[i] > 0 && isfinite(residual) ? side->factor[i] * residual : 0;
}

/* E. Collective. */
static Status find_gaps(Comm *comm, Projection *p, Error *error)
{
    Status status;
    TRY(hierarchy_sum(comm, p->hierarchy, p->series.residuals, p->series.factor, p->periods,
                      p->sums, error));
    for (int64_t k = 0; k < p->nodes.n; k++)
        for (int64_t t = 0; t < p->periods; t++) {
            double below = p->sums[p->active[k] * p->periods + t];
            p->gap[k * p->periods + t] =
                scaled(&p->nodes, k, t, p->periods) - (isfinite(below) ? below : 0);
        }
out:
    return status;
}

/* Lower triangle; cells [n_cells] are the sums of their series' g. */
static void fill_matrix(Projection *p, const double *cells)
{
    const Hierarchy *h = p->hierarchy;
    int64_t q = p->n_active;
    memset(p->matrix, 0, (size_t)(q * q) * sizeof *p->matrix);
    for (int32_t c = 0; c < h->n_cells; c++) {
        const int32_t *nodes = h->cell_nodes + (int64_t)c * h->n_levels;
        for (int l = 0; l < h->n_levels; l++)
            for (int k = 0; k <= l; k++) { /* nodes are numbered level by level */
                int64_t row = p->place[nodes[l]], column = p->place[nodes[k]];
                if (row >= 0 && column >= 0)
                    p->matrix[row * q + column] += cells[c];
            }
    }
    for (int64_t k = 0; k < q; k++)
        p->matrix[k * q + k] += p->nodes.diagonal[k];
    if (p->lambda < 1)
        definite_add_gram((1 - p->lambda) / (double)p->periods, p->gap, q, p->periods, p->matrix);
}

/* Collective. */
static Status make_matrix(Comm *comm, Projection *p, Error *error)
{
    Status status;
    double *cells = NULL;
    TRY_ALL(comm,
            mem_resize(&cells, p->hierarchy->n_cells, sizeof *cells, "covariances of nodes", error),
            error);
    TRY(hierarchy_sum_cells(comm, p->hierarchy, p->series.diagonal, NULL, 1, cells, error));
    if (p->lambda < 1)
        TRY(find_gaps(comm, p, error));
    fill_matrix(p, cells);
out:
    mem_free(&cells);
    return status;
}

/* ---- the step ---- */

/* multipliers := C y. Collective. */
static Status find_incoherence(Comm *comm, Projection *p, Error *error)
{
    Status status;
    int64_t q = p->n_active, horizon = p->horizon;
    TRY(hierarchy_sum(comm, p->hierarchy, p->input->bottom, NULL, horizon, p->sums, error));
    for (int64_t k = 0; k < q; k++)
        for (int64_t h = 0; h < horizon; h++) {
            int64_t at = p->active[k] * horizon + h;
            p->multipliers[h * q + k] = p->input->nodes[at] - p->sums[at];
        }
out:
    return status;
}

static bool solve(Projection *p)
{
    int64_t n = p->horizon * p->n_active;
    if (!definite_solve(p->matrix, p->n_active, p->horizon, p->multipliers, p->least))
        return false;
    for (int64_t k = 0; k < n; k++) {
        if (!isfinite(p->multipliers[k]))
            return false;
    }
    return true;
}

static void share_multipliers(Projection *p)
{
    int64_t q = p->n_active, periods = p->periods, horizon = p->horizon;
    memset(p->shared, 0, (size_t)(periods * horizon) * sizeof *p->shared);
    for (int64_t k = 0; k < q; k++)
        for (int64_t t = 0; t < periods; t++) {
            double weight = (1 - p->lambda) / (double)periods * p->gap[k * periods + t];
            for (int64_t h = 0; h < horizon; h++)
                p->shared[t * horizon + h] += weight * p->multipliers[h * q + k];
        }
}

/* forecast [horizon] of series i less its part of W C' times the multipliers. */
static void move_series(const Projection *p, int64_t i, double *forecast)
{
    const Hierarchy *h = p->hierarchy;
    const int32_t *nodes = h->cell_nodes + (int64_t)h->cell[i] * h->n_levels;
    int64_t q = p->n_active, horizon = p->horizon;
    memcpy(forecast, p->input->bottom + i * horizon, (size_t)horizon * sizeof *forecast);
    for (int l = 0; l < h->n_levels; l++) {
        int64_t k = p->place[nodes[l]];
        for (int64_t t = 0; t < horizon && k >= 0; t++)
            forecast[t] += p->series.diagonal[i] * p->multipliers[t * q + k];
    }
    for (int64_t s = 0; s < p->periods && p->lambda < 1; s++) {
        double residual = scaled(&p->series, i, s, p->periods);
        const double *shared = p->shared + s * horizon;
        for (int64_t t = 0; t < horizon; t++)
            forecast[t] -= residual * shared[t];
    }
}

/* Collective. */
static Status project(Comm *comm, Projection *p, bool is_mint, double *bottom,
                      ReconcileOutcome *outcome, Error *error)
{
    Status status;
    measure(&p->series, p->periods);
    measure(&p->nodes, p->periods);
    if (is_mint)
        TRY(shrink(comm, p, error));
    TRY(set_diagonals(comm, p, error));
    TRY(make_matrix(comm, p, error));
    TRY(find_incoherence(comm, p, error));
    dense_one_thread();
    outcome->lambda = p->lambda;
    if (!solve(p)) {
        outcome->reason = RECONCILE_SINGULAR;
        goto out;
    }
    if (p->lambda < 1)
        share_multipliers(p);
    for (int64_t i = 0; i < p->series.n; i++)
        move_series(p, i, bottom + i * p->horizon);
out:
    return status;
}

Status projection_reconcile(Comm *comm, const Hierarchy *hierarchy, bool is_mint,
                            const ReconcileInput *input, double *bottom, ReconcileOutcome *outcome,
                            Error *error)
{
    Status status;
    Projection p = {.hierarchy = hierarchy,
                    .input = input,
                    .horizon = input->horizon,
                    .periods = input->periods,
                    .lambda = 1};
    vesper_assert(input->periods <= RECONCILE_PERIODS_MAX);
    TRY_ALL(comm, choose_nodes(&p, error), error);
    outcome->n_nodes = p.n_active;
    if (p.n_active > RECONCILE_NODES_MAX) {
        outcome->reason = RECONCILE_TOO_MANY_NODES;
        goto out;
    }
    TRY_ALL(comm, projection_start(&p, error), error);
    TRY(project(comm, &p, is_mint, bottom, outcome, error));
out:
    projection_free(&p);
    return status;
}
