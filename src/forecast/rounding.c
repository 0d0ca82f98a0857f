/* See rounding.h. From the total down, tier by tier: each node shares its whole numbers out among
 * the nodes below it, the last among runs of series, which travel to a rank of their own for that.
 */
#include "forecast/rounding.h"

#include "base/fault.h"
#include "base/memory.h"
#include "kernel/apportion.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* With up to 2^50 units, and sums below 2^61, values keep at least 11 binary places, with up to
 * 2^21 units 40. */
enum { UNITS_BITS_MAX = 50, SUM_BITS = 61, SHIFT_MAX = 40 };

/* Nodes whose parents are the nodes of the tier above. */
typedef struct Tier {
    int32_t n;
    int32_t *parent; /* [n] */
    int64_t *values; /* [n x width] times 2^shift, then whole numbers */
} Tier;

typedef struct Rounding {
    const Hierarchy *hierarchy;
    int64_t width;
    int shift;
    int n_tiers; /* the chain's levels, cells, runs */
    Tier tiers[HIERARCHY_LEVELS_MAX + 2];
    int32_t *first_run;       /* [n_cells + 1] of each cell */
    int64_t *run_series;      /* [runs + 1] series in the runs before */
    int64_t *order;           /* [n] this rank's series by cell */
    int64_t *starts;          /* [n_cells + 1] of each cell in `order` */
    int64_t *rows;            /* [n x (1 + width)] run and values of this rank's series, in order */
    int64_t *sent;            /* [ranks] */
    int64_t *received_counts; /* [ranks] */
    int64_t *received;        /* the same rows of the series of this rank's runs */
    int64_t n_received;
} Rounding;

static void rounding_free(Rounding *r)
{
    for (int k = 0; k < r->n_tiers; k++) {
        mem_free(&r->tiers[k].parent);
        mem_free(&r->tiers[k].values);
    }
    mem_free(&r->first_run);
    mem_free(&r->run_series);
    mem_free(&r->order);
    mem_free(&r->starts);
    mem_free(&r->rows);
    mem_free(&r->sent);
    mem_free(&r->received_counts);
    mem_free(&r->received);
}

static Tier *runs_of(Rounding *r)
{
    return &r->tiers[r->n_tiers - 1];
}

/* ---- fixed point ---- */

/* Binary places that keep every sum below 2^SUM_BITS; -1 if there are too many units. The same on
 * every rank. Collective. */
static int choose_shift(Comm *comm, const double *bottom, int64_t n)
{
    int64_t most = (int64_t)1 << UNITS_BITS_MAX, units = 0;
    for (int64_t k = 0; k < n && units <= most; k++) {
        if (bottom[k] > 0)
            units += bottom[k] < (double)most ? (int64_t)ceil(bottom[k]) : most + 1;
    }
    int64_t greatest = units;
    comm_max_i64(comm, &greatest, 1);
    if (greatest > most)
        return -1;
    comm_sum_i64(comm, &units, 1);
    if (units > most)
        return -1;
    int bits = 0;
    while (((int64_t)1 << bits) < units)
        bits++;
    return SUM_BITS - bits < SHIFT_MAX ? SUM_BITS - bits : SHIFT_MAX;
}

/* ---- tiers ---- */

static Status tier_start(Tier *tier, int64_t n, int64_t width, Error *error)
{
    Status status;
    vesper_assert(n < INT32_MAX);
    tier->n = (int32_t)n;
    TRY(mem_resize(&tier->parent, n, sizeof *tier->parent, "rounding", error));
    TRY(mem_resize(&tier->values, n * width, sizeof *tier->values, "rounding", error));
    memset(tier->values, 0, (size_t)(n * width) * sizeof *tier->values);
out:
    return status;
}

/* Runs of each cell's series, in the order of series. */
static Status cut_runs(Rounding *r, Error *error)
{
    Status status;
    const Hierarchy *h = r->hierarchy;
    Tier *runs = runs_of(r);
    TRY(mem_resize(&r->first_run, (int64_t)h->n_cells + 1, sizeof *r->first_run, "rounding",
                   error));
    int64_t n = 0;
    for (int32_t c = 0; c < h->n_cells; c++) {
        r->first_run[c] = (int32_t)n;
        n += (h->cell_series[c] + ROUNDING_RUN - 1) / ROUNDING_RUN;
    }
    r->first_run[h->n_cells] = (int32_t)n;
    TRY(tier_start(runs, n, r->width, error));
    TRY(mem_resize(&r->run_series, n + 1, sizeof *r->run_series, "rounding", error));
    r->run_series[0] = 0;
    for (int32_t c = 0; c < h->n_cells; c++) {
        int64_t left = h->cell_series[c];
        for (int32_t run = r->first_run[c]; run < r->first_run[c + 1]; run++) {
            int64_t own = left < ROUNDING_RUN ? left : ROUNDING_RUN;
            runs->parent[run] = c;
            r->run_series[run + 1] = r->run_series[run] + own;
            left -= own;
        }
    }
out:
    return status;
}

/* The tiers of the chain and the cells. */
static Status make_tiers(Rounding *r, Error *error)
{
    Status status = STATUS_OK;
    const Hierarchy *h = r->hierarchy;
    int above = 0;
    TRY(fault_point("forecast.rounding", error));
    for (int l = 0; l < h->n_levels; l++) {
        if (!h->is_chain[l])
            continue;
        Tier *tier = &r->tiers[r->n_tiers++];
        TRY(tier_start(tier, h->first_node[l + 1] - h->first_node[l], r->width, error));
        for (int32_t k = 0; k < tier->n && l > 0; k++)
            tier->parent[k] = h->parent[h->first_node[l] + k] - h->first_node[above];
        above = l;
    }
    Tier *cells = &r->tiers[r->n_tiers++];
    TRY(tier_start(cells, h->n_cells, r->width, error));
    for (int32_t c = 0; c < h->n_cells; c++)
        cells->parent[c] = h->cell_nodes[(int64_t)c * h->n_levels + above] - h->first_node[above];
    r->n_tiers++;
    TRY(cut_runs(r, error));
out:
    return status;
}

/* This rank's rows in the order of cells, with their runs. */
static Status make_rows(Rounding *r, const double *bottom, Error *error)
{
    Status status;
    const Hierarchy *h = r->hierarchy;
    int64_t width = r->width;
    double scale = ldexp(1, r->shift);
    TRY(mem_resize(&r->order, h->n, sizeof *r->order, "rounding", error));
    TRY(mem_resize(&r->starts, (int64_t)h->n_cells + 1, sizeof *r->starts, "rounding", error));
    TRY(mem_resize(&r->rows, h->n * (1 + width), sizeof *r->rows, "rounding", error));
    TRY(sort_order_by_group(h->cell, h->n, h->n_cells, r->order, r->starts, error));
    for (int64_t k = 0; k < h->n; k++) {
        int64_t i = r->order[k], *row = r->rows + k * (1 + width);
        int32_t cell = h->cell[i];
        int64_t place = h->cell_before[cell] + k - r->starts[cell];
        row[0] = r->first_run[cell] + place / ROUNDING_RUN;
        for (int64_t t = 0; t < width; t++) {
            double value = bottom[i * width + t];
            row[1 + t] = value > 0 ? llrint(value * scale) : 0;
        }
    }
out:
    return status;
}

static void add_row(int64_t *sum, const int64_t *row, int64_t width)
{
    for (int64_t t = 0; t < width; t++)
        sum[t] += row[t];
}

/* The sums of all tiers. Collective. */
static void add_up(Comm *comm, Rounding *r)
{
    int64_t width = r->width;
    Tier *runs = runs_of(r);
    for (int64_t k = 0; k < r->hierarchy->n; k++) {
        const int64_t *row = r->rows + k * (1 + width);
        add_row(runs->values + row[0] * width, row + 1, width);
    }
    comm_sum_i64(comm, runs->values, runs->n * width);
    for (int tier = r->n_tiers - 1; tier > 0; tier--) {
        const Tier *from = &r->tiers[tier];
        for (int32_t k = 0; k < from->n; k++)
            add_row(r->tiers[tier - 1].values + from->parent[k] * width, from->values + k * width,
                    width);
    }
}

/* ---- sharing out ---- */

/* The total's whole numbers: its running sum, rounded. */
static void round_total(Rounding *r)
{
    int64_t *values = r->tiers[0].values, sum = 0, given = 0;
    int64_t half = r->shift > 0 ? (int64_t)1 << (r->shift - 1) : 0;
    for (int64_t t = 0; t < r->width; t++) {
        sum += values[t];
        values[t] = ((sum + half) >> r->shift) - given;
        given += values[t];
    }
}

/* Rows in groups, and what each group has to share out. */
typedef struct Sharing {
    int64_t n, n_groups;
    int64_t *order;     /* [n] rows by group */
    int64_t *starts;    /* [n_groups + 1] */
    int64_t *places;    /* [n] */
    ApportionRow *rows; /* [n] */
} Sharing;

static Status sharing_start(Sharing *sharing, const int32_t *group, int64_t n, int64_t n_groups,
                            Error *error)
{
    Status status;
    *sharing = (Sharing){.n = n, .n_groups = n_groups};
    TRY(mem_resize(&sharing->order, n, sizeof *sharing->order, "rounding", error));
    TRY(mem_resize(&sharing->starts, n_groups + 1, sizeof *sharing->starts, "rounding", error));
    TRY(mem_resize(&sharing->places, n, sizeof *sharing->places, "rounding", error));
    TRY(mem_resize(&sharing->rows, n, sizeof *sharing->rows, "rounding", error));
    TRY(sort_order_by_group(group, n, n_groups, sharing->order, sharing->starts, error));
out:
    return status;
}

static void sharing_free(Sharing *sharing)
{
    mem_free(&sharing->order);
    mem_free(&sharing->starts);
    mem_free(&sharing->places);
    mem_free(&sharing->rows);
}

/* Row i of a group begins at values + i * stride; totals [n_groups x width]. */
/* NOLINTBEGIN(readability-non-const-parameter): `values` are changed through the rows */
static void share(const Sharing *sharing, int64_t width, int shift, const int64_t *totals,
                  int64_t *values, int64_t stride)
{
    for (int64_t k = 0; k < sharing->n; k++)
        sharing->rows[k] = (ApportionRow){values + sharing->order[k] * stride, 0};
    for (int64_t g = 0; g < sharing->n_groups; g++) {
        int64_t first = sharing->starts[g], n = sharing->starts[g + 1] - first;
        if (n > 0)
            apportion(sharing->rows + first, n, width, shift, totals + g * width, sharing->places);
    }
}
/* NOLINTEND(readability-non-const-parameter) */

/* Every tier's whole numbers: on every rank alike. */
static Status share_tiers(Rounding *r, Error *error)
{
    Status status = STATUS_OK;
    Sharing sharing = {0};
    round_total(r);
    for (int k = 1; k < r->n_tiers; k++) {
        const Tier *above = &r->tiers[k - 1];
        Tier *tier = &r->tiers[k];
        TRY(sharing_start(&sharing, tier->parent, tier->n, above->n, error));
        share(&sharing, r->width, r->shift, above->values, tier->values, r->width);
        sharing_free(&sharing);
    }
out:
    sharing_free(&sharing);
    return status;
}

/* ---- runs ---- */

/* Runs go to the ranks in order, as many series to each as whole runs allow. */
static int owner_of(const Rounding *r, int64_t run, int size)
{
    return (int)(r->run_series[run] * size / r->hierarchy->total);
}

/* Each series to the rank of its run. Collective. */
static Status send_rows(Comm *comm, Rounding *r, Error *error)
{
    Status status;
    int size = comm_size(comm);
    int64_t width = 1 + r->width;
    r->sent = mem_new(size, sizeof *r->sent);
    r->received_counts = mem_new(size, sizeof *r->received_counts);
    for (int64_t k = 0; k < r->hierarchy->n; k++)
        r->sent[owner_of(r, r->rows[k * width], size)]++;
    TRY(comm_exchange(comm, r->rows, r->sent, (size_t)width * sizeof *r->rows, &r->received,
                      r->received_counts, error));
    for (int rank = 0; rank < size; rank++)
        r->n_received += r->received_counts[rank];
out:
    return status;
}

/* Whole numbers for the series of this rank's runs. Within a run they stand in the order of series,
 * because they came from the ranks in order. */
static Status share_runs(Comm *comm, Rounding *r, Error *error)
{
    Status status;
    int64_t width = r->width, first = 0, end;
    const Tier *runs = runs_of(r);
    int32_t *group = NULL;
    Sharing sharing = {0};
    while (first < runs->n && owner_of(r, first, comm_size(comm)) < comm_rank(comm))
        first++;
    for (end = first; end < runs->n && owner_of(r, end, comm_size(comm)) == comm_rank(comm);)
        end++;
    TRY(mem_resize(&group, r->n_received, sizeof *group, "rounding", error));
    for (int64_t k = 0; k < r->n_received; k++)
        group[k] = (int32_t)(r->received[k * (1 + width)] - first);
    TRY(sharing_start(&sharing, group, r->n_received, end - first, error));
    share(&sharing, width, r->shift, runs->values + first * width, r->received + 1, 1 + width);
out:
    mem_free(&group);
    sharing_free(&sharing);
    return status;
}

/* Whole numbers back to where the series came from. Collective. */
static Status return_rows(Comm *comm, Rounding *r, int64_t *units, Error *error)
{
    Status status;
    int64_t width = r->width, *counts = mem_new(comm_size(comm), sizeof *counts);
    mem_free(&r->rows);
    TRY(comm_exchange(comm, r->received, r->received_counts,
                      (size_t)(1 + width) * sizeof *r->received, &r->rows, counts, error));
    for (int64_t k = 0; k < r->hierarchy->n && width > 0; k++)
        memcpy(units + r->order[k] * width, r->rows + k * (1 + width) + 1,
               (size_t)width * sizeof *units);
out:
    mem_free(&counts);
    return status;
}

Status rounding_units(Comm *comm, const Hierarchy *hierarchy, const double *bottom, int64_t width,
                      int64_t *units, int64_t *node_units, Error *error)
{
    Status status = STATUS_OK;
    Rounding r = {.hierarchy = hierarchy, .width = width};
    r.shift = choose_shift(comm, bottom, hierarchy->n * width);
    if (r.shift < 0)
        FAIL(error, STATUS_INPUT,
             "forecasts add up to more than 2^%d units, too many to be rounded to whole ones: give "
             "them in a larger unit",
             UNITS_BITS_MAX);
    TRY_ALL(comm, make_tiers(&r, error), error);
    TRY_ALL(comm, make_rows(&r, bottom, error), error);
    add_up(comm, &r);
    TRY_ALL(comm, share_tiers(&r, error), error);
    TRY(send_rows(comm, &r, error));
    TRY_ALL(comm, share_runs(comm, &r, error), error);
    TRY(return_rows(comm, &r, units, error));
    hierarchy_sum_units(comm, hierarchy, units, width, node_units);
out:
    rounding_free(&r);
    return status;
}
