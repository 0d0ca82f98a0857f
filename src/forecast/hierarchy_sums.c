/* Sums over the series of nodes and cells; see hierarchy.h. */
#include "base/fault.h"
#include "base/memory.h"
#include "forecast/hierarchy.h"
#include "kernel/exact_sum.h"

#include <math.h>
#include <string.h>

/* Rows that are added up: dense ones, or the series of a set. */
typedef struct Rows {
    const double *values; /* [n x width]; NULL: the set's */
    const double *factor; /* [n] NULL: 1 */
    int64_t width;
    const SeriesSet *set; /* NULL: dense */
} Rows;

/* One of them: n values from column `at` on. */
typedef struct Row {
    const double *values;
    int64_t at, n;
} Row;

typedef struct Sums {
    const Hierarchy *hierarchy;
    bool is_cells;
    int64_t width, n_sums; /* n_sums: targets x width */
    ExactScale scale;
    int64_t *parts; /* [3 x n_sums] coarse, fine and how many are known */
    int64_t *split; /* [3 x width] the same of a row */
    double *scaled; /* [width] a row times its factor */
} Sums;

static int64_t targets_of(const Hierarchy *h, bool is_cells)
{
    return is_cells ? h->n_cells : h->n_nodes;
}

static Status sums_start(Sums *sums, Error *error)
{
    Status status;
    TRY(fault_point("forecast.sums", error));
    TRY(mem_resize(&sums->parts, 3 * sums->n_sums, sizeof *sums->parts, "sums of categories",
                   error));
    TRY(mem_resize(&sums->split, 3 * sums->width, sizeof *sums->split, "sums of categories",
                   error));
    TRY(mem_resize(&sums->scaled, sums->width, sizeof *sums->scaled, "sums of categories", error));
    memset(sums->parts, 0, (size_t)(3 * sums->n_sums) * sizeof *sums->parts);
out:
    return status;
}

static void sums_free(Sums *sums)
{
    mem_free(&sums->parts);
    mem_free(&sums->split);
    mem_free(&sums->scaled);
}

/* *row := row i times its factor; `scaled` holds it where there is one. */
static Status take_row(const Rows *rows, int64_t i, double *scaled, Row *row, Error *error)
{
    Status status = STATUS_OK;
    if (rows->set != NULL) {
        TRY(series_load(rows->set, i, error));
        *row = (Row){series_values(rows->set, i), rows->set->start[i] - rows->set->calendar.first,
                     series_length(rows->set, i)};
        vesper_assert(row->at >= 0 && row->at + row->n <= rows->width);
    } else {
        *row = (Row){rows->values + i * rows->width, 0, rows->width};
    }
    if (rows->factor == NULL)
        goto out;
    for (int64_t t = 0; t < row->n; t++)
        scaled[t] = rows->factor[i] * row->values[t];
    row->values = scaled;
out:
    return status;
}

static void add_to(Sums *sums, int64_t target, const Row *row)
{
    for (int part = 0; part < 3; part++) {
        int64_t *to = sums->parts + part * sums->n_sums + target * sums->width + row->at;
        const int64_t *from = sums->split + part * sums->width;
        for (int64_t t = 0; t < row->n; t++)
            to[t] += from[t];
    }
}

static Status add_row(Sums *sums, const Rows *rows, int64_t i, Error *error)
{
    Status status;
    const Hierarchy *h = sums->hierarchy;
    int64_t width = sums->width, cell = h->cell[i];
    Row row;
    TRY(take_row(rows, i, sums->scaled, &row, error));
    exact_sum_split(&sums->scale, row.values, row.n, sums->split, sums->split + width,
                    sums->split + 2 * width);
    if (sums->is_cells) {
        add_to(sums, cell, &row);
        goto out;
    }
    for (int l = 0; l < h->n_levels; l++)
        add_to(sums, h->cell_nodes[cell * h->n_levels + l], &row);
out:
    return status;
}

static Status add_rows(Sums *sums, const Rows *rows, Error *error)
{
    Status status = STATUS_OK;
    for (int64_t i = 0; i < sums->hierarchy->n; i++)
        TRY(add_row(sums, rows, i, error));
out:
    return status;
}

/* The greatest exponent of this rank's values. */
static Status find_exponent(const Sums *sums, const Rows *rows, int64_t *exponent, Error *error)
{
    Status status = STATUS_OK;
    for (int64_t i = 0; i < sums->hierarchy->n; i++) {
        Row row;
        TRY(take_row(rows, i, sums->scaled, &row, error));
        int own = exact_sum_exponent(row.values, row.n);
        *exponent = own > *exponent ? own : *exponent;
    }
out:
    return status;
}

/* Collective. */
static Status sum_rows(Comm *comm, const Hierarchy *hierarchy, const Rows *rows, bool is_cells,
                       double *totals, Error *error)
{
    Status status;
    Sums sums = {.hierarchy = hierarchy,
                 .is_cells = is_cells,
                 .width = rows->width,
                 .n_sums = targets_of(hierarchy, is_cells) * rows->width};
    int64_t exponent = EXACT_EXPONENT_LEAST; /* one scale for all values of all ranks */
    TRY_ALL(comm, sums_start(&sums, error), error);
    TRY_ALL(comm, find_exponent(&sums, rows, &exponent, error), error);
    comm_max_i64(comm, &exponent, 1);
    sums.scale = exact_sum_scale((int)exponent, hierarchy->total);
    TRY_ALL(comm, add_rows(&sums, rows, error), error);
    comm_sum_i64(comm, sums.parts, 3 * sums.n_sums);
    vesper_assert(sums.n_sums == 0 || sums.parts != NULL);
    for (int64_t k = 0; k < sums.n_sums; k++)
        totals[k] = sums.parts[2 * sums.n_sums + k] > 0
                        ? exact_sum_join(&sums.scale, sums.parts[k], sums.parts[sums.n_sums + k])
                        : (double)NAN;
out:
    sums_free(&sums);
    return status;
}

Status hierarchy_sum(Comm *comm, const Hierarchy *hierarchy, const double *values,
                     const double *factor, int64_t width, double *sums, Error *error)
{
    return sum_rows(comm, hierarchy, &(Rows){values, factor, width, NULL}, false, sums, error);
}

Status hierarchy_sum_cells(Comm *comm, const Hierarchy *hierarchy, const double *values,
                           const double *factor, int64_t width, double *sums, Error *error)
{
    return sum_rows(comm, hierarchy, &(Rows){values, factor, width, NULL}, true, sums, error);
}

Status hierarchy_sum_history(Comm *comm, const Hierarchy *hierarchy, const SeriesSet *set,
                             double *sums, Error *error)
{
    vesper_assert(set->n == hierarchy->n);
    return sum_rows(comm, hierarchy, &(Rows){NULL, NULL, set->calendar.n, set}, false, sums, error);
}

void hierarchy_sum_units(Comm *comm, const Hierarchy *hierarchy, const int64_t *values,
                         int64_t width, int64_t *sums)
{
    const Hierarchy *h = hierarchy;
    memset(sums, 0, (size_t)(h->n_nodes * width) * sizeof *sums);
    for (int64_t i = 0; i < h->n; i++) {
        const int32_t *nodes = h->cell_nodes + (int64_t)h->cell[i] * h->n_levels;
        for (int l = 0; l < h->n_levels; l++)
            for (int64_t t = 0; t < width; t++)
                sums[nodes[l] * width + t] += values[i * width + t];
    }
    comm_sum_i64(comm, sums, h->n_nodes * width);
}
