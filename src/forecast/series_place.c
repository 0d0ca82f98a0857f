/* Rows and series between ranks; see series_place.h. */
#include "forecast/series_place.h"

#include "base/fault.h"
#include "base/memory.h"
#include "store/store.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* ---- rows ---- */

Status series_keys_check(const SeriesKeys *keys, Error *error)
{
    int64_t all;
    if (__builtin_mul_overflow((int64_t)keys->n_units, keys->series_per_unit, &all) ||
        __builtin_mul_overflow(all, keys->n_periods, &all))
        return error_set(error, STATUS_INPUT, __FILE__, __LINE__,
                         "%" PRId32 " products or ids in %" PRId64 " groups over %" PRId64
                         " periods are too many; are all dates right?",
                         keys->n_units, keys->series_per_unit, keys->n_periods);
    return STATUS_OK;
}

Status series_sort_rows(Table *rows, Error *error)
{
    Status status = STATUS_OK;
    int64_t *order = NULL;
    const uint64_t *key = table_column(rows, "key")->data;
    TRY(mem_resize(&order, rows->rows, sizeof *order, "rows of series", error));
    TRY(sort_order_u64(key, rows->rows, order, error));
    TRY(table_gather(rows, order, rows->rows, error));
out:
    mem_free(&order);
    return status;
}

/* weights [n_units] := rows of each, and so many periods as there are from its first to the last.
 * Collective. */
static Status weigh_units(Comm *comm, const SeriesKeys *keys, const Table *rows, int64_t **weights,
                          Error *error)
{
    Status status;
    int64_t *first = NULL, n = keys->n_units, unit_keys = keys->series_per_unit * keys->n_periods;
    const int64_t *key = table_column_const(rows, "key")->data;
    Status own = mem_resize(weights, n, sizeof **weights, "rows of products", error);
    if (own == STATUS_OK)
        own = mem_resize(&first, n, sizeof *first, "rows of products", error);
    TRY_ALL(comm, own, error);
    vesper_assert(*weights != NULL && first != NULL);
    for (int64_t i = 0; i < n; i++) {
        (*weights)[i] = 0;
        first[i] = keys->n_periods;
    }
    for (int64_t i = 0; i < rows->rows; i++) {
        int64_t unit = key[i] / unit_keys, period = key[i] % keys->n_periods;
        (*weights)[unit]++;
        first[unit] = period < first[unit] ? period : first[unit];
    }
    comm_sum_i64(comm, *weights, n);
    comm_min_i64(comm, first, n);
    for (int64_t i = 0; i < n; i++)
        (*weights)[i] += keys->n_periods - first[i];
out:
    mem_free(&first);
    return status;
}

Status series_gather_rows(Comm *comm, const SeriesKeys *keys, Table *rows, Error *error)
{
    Status status;
    int64_t *weights = NULL, at = 0;
    int64_t *counts = mem_new(comm_size(comm), sizeof *counts);
    TRY_ALL(comm, fault_point("forecast.gather", error), error);
    TRY(weigh_units(comm, keys, rows, &weights, error));
    TRY_ALL(comm, series_sort_rows(rows, error), error);
    const int64_t *key = table_column_const(rows, "key")->data;
    for (int rank = 0; rank < comm_size(comm); rank++) {
        int32_t begin, end;
        store_balance(weights, keys->n_units, rank, comm_size(comm), &begin, &end);
        int64_t from = at, until = end * keys->series_per_unit * keys->n_periods;
        while (at < rows->rows && key[at] < until)
            at++;
        counts[rank] = at - from;
    }
    vesper_assert(at == rows->rows);
    TRY(comm_exchange_table(comm, rows, counts, NULL, error));
    TRY_ALL(comm, series_sort_rows(rows, error), error);
out:
    mem_free(&weights);
    mem_free(&counts);
    return status;
}

/* ---- series ---- */

static int64_t cost_of(const SeriesCost *cost, int32_t length)
{
    static const double most = 1e12; /* of one series: sums stay inside int64 */
    double n = length;
    double value =
        cost->terms[0] + n * (cost->terms[1] + n * (cost->terms[2] + n * cost->terms[3]));
    return value >= 1 ? llround(fmin(value, most)) : 1;
}

/* bounds [size + 1] := first series of each rank: whole blocks. Collective. */
static Status choose_bounds(Comm *comm, const SeriesSet *set, const SeriesCost *cost,
                            int64_t *bounds, Error *error)
{
    Status status;
    int64_t *weights = NULL;
    int64_t blocks = (set->total + SERIES_BLOCK - 1) / SERIES_BLOCK;
    vesper_assert(blocks <= INT32_MAX);
    TRY_ALL(comm, mem_resize(&weights, blocks, sizeof *weights, "costs of series", error), error);
    if (blocks > 0)
        memset(weights, 0, (size_t)blocks * sizeof *weights);
    for (int64_t i = 0; i < set->n; i++)
        weights[(set->first + i) / SERIES_BLOCK] += cost_of(cost, series_length(set, i));
    comm_sum_i64(comm, weights, blocks);
    for (int rank = 0; rank < comm_size(comm); rank++) {
        int32_t begin, end;
        store_balance(weights, (int32_t)blocks, rank, comm_size(comm), &begin, &end);
        int64_t until = (int64_t)end * SERIES_BLOCK;
        bounds[rank + 1] = until < set->total ? until : set->total;
    }
    vesper_assert(bounds[comm_size(comm)] == set->total);
out:
    mem_free(&weights);
    return status;
}

/* What this rank sends to each. */
typedef struct Shares {
    int64_t *series;  /* [size] */
    int64_t *values;  /* [size] */
    int64_t *dynamic; /* [size] */
    int64_t *got;     /* [size] of the exchange at hand */
} Shares;

static void make_shares(const Comm *comm, const SeriesSet *set, const int64_t *bounds,
                        Shares *shares)
{
    for (int rank = 0; rank < comm_size(comm); rank++) {
        int64_t begin = bounds[rank] - set->first, end = bounds[rank + 1] - set->first;
        begin = begin < 0 ? 0 : begin > set->n ? set->n : begin;
        end = end < begin ? begin : end > set->n ? set->n : end;
        shares->series[rank] = end - begin;
        shares->values[rank] = set->begin[end] - set->begin[begin];
        shares->dynamic[rank] = series_dynamic_begin(set, end) - series_dynamic_begin(set, begin);
    }
}

/* *array (a T **) := what the ranks send here. Collective. */
static Status move_array(Comm *comm, void *array, const int64_t *counts, size_t width, int64_t *got,
                         Error *error)
{
    void *sent, *received = NULL;
    memcpy(&sent, array, sizeof sent);
    Status status = comm_exchange(comm, sent, counts, width, &received, got, error);
    if (status == STATUS_OK)
        memcpy(array, &received, sizeof received);
    else
        sent = received;
    mem_free(&sent);
    return status;
}

/* begin [n + 1] from lengths, which come as the differences. */
static Status move_begin(Comm *comm, SeriesSet *set, const Shares *shares, Error *error)
{
    Status status;
    for (int64_t i = 0; i < set->n; i++)
        set->begin[i] = set->begin[i + 1] - set->begin[i];
    TRY(move_array(comm, &set->begin, shares->series, sizeof *set->begin, shares->got, error));
    set->n = 0;
    for (int rank = 0; rank < comm_size(comm); rank++)
        set->n += shares->got[rank];
    TRY_ALL(comm, mem_resize(&set->begin, set->n + 1, sizeof *set->begin, "series", error), error);
    int64_t at = 0;
    for (int64_t i = 0; i <= set->n; i++) {
        int64_t length = i < set->n ? set->begin[i] : 0;
        set->begin[i] = at;
        at += length;
    }
out:
    return status;
}

/* Collective. */
static Status move_series(Comm *comm, SeriesSet *set, const Shares *shares, Error *error)
{
    Status status;
    const size_t wide = sizeof(double), narrow = sizeof(int32_t);
    TRY(comm_exchange_table(comm, &set->keys, shares->series, NULL, error));
    TRY(move_array(comm, &set->start, shares->series, narrow, shares->got, error));
    for (int k = 0; k < set->n_static; k++)
        TRY(move_array(comm, &set->statics[k], shares->series, narrow, shares->got, error));
    TRY(move_array(comm, &set->values, shares->values, wide, shares->got, error));
    if (set->returned != NULL)
        TRY(move_array(comm, &set->returned, shares->values, wide, shares->got, error));
    for (int k = 0; k < set->n_dynamic; k++)
        TRY(move_array(comm, &set->dynamic[k], shares->dynamic, wide, shares->got, error));
    TRY(move_begin(comm, set, shares, error));
out:
    return status;
}

Status series_place(Comm *comm, SeriesSet *set, const SeriesCost *cost, Error *error)
{
    Status status;
    int64_t size = comm_size(comm);
    int64_t *bounds = mem_new(5 * size + 1, sizeof *bounds);
    Shares shares = {.series = bounds + size + 1,
                     .values = bounds + 2 * size + 1,
                     .dynamic = bounds + 3 * size + 1,
                     .got = bounds + 4 * size + 1};
    TRY_ALL(comm, fault_point("forecast.place", error), error);
    series_set_number(comm, set);
    TRY(choose_bounds(comm, set, cost, bounds, error));
    make_shares(comm, set, bounds, &shares);
    int64_t leaving = set->n - shares.series[comm_rank(comm)];
    comm_sum_i64(comm, &leaving, 1);
    if (leaving > 0)
        TRY(move_series(comm, set, &shares, error));
    series_set_number(comm, set);
out:
    mem_free(&bounds);
    return status;
}
