/* Series between ranks; see series_place.h. */
#include "forecast/series_place.h"

#include "base/fault.h"
#include "base/memory.h"
#include "store/store.h"

#include <math.h>
#include <string.h>

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

enum { ROUND = 1 << 17 /* doubles that a rank has of other ranks, about, while series move */ };

/* What this rank sends to each. */
typedef struct Shares {
    const int64_t *bounds; /* [size + 1] */
    int64_t *series;       /* [size] */
    int64_t *got;          /* [size] of the exchange at hand */
    int64_t *sent;         /* [size] doubles of the round at hand */
    int64_t *at;           /* [size] where the next record from each goes */
} Shares;

static int64_t clamp(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

static void make_shares(const Comm *comm, const SeriesSet *set, const Shares *shares)
{
    for (int rank = 0; rank < comm_size(comm); rank++) {
        int64_t begin = clamp(shares->bounds[rank] - set->first, 0, set->n);
        int64_t end = clamp(shares->bounds[rank + 1] - set->first, begin, set->n);
        shares->series[rank] = end - begin;
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

/* ---- records ---- */

/* Records of series from `i` on that go in one round, ordered by rank; returns the series after
 * them. */
static int64_t count_round(const Comm *comm, const SeriesSet *set, const Shares *shares, int64_t i)
{
    int64_t most = ROUND / comm_size(comm), begin = series_record_begin(set, i);
    memset(shares->sent, 0, (size_t)comm_size(comm) * sizeof *shares->sent);
    for (int rank = 0; i < set->n; i++) {
        int64_t end = series_record_begin(set, i + 1);
        if (end - begin > most && end - begin > end - series_record_begin(set, i))
            break;
        while (set->first + i >= shares->bounds[rank + 1])
            rank++;
        shares->sent[rank] += end - series_record_begin(set, i);
    }
    return i;
}

/* What came from each rank is behind what came from it before. */
static Status keep_round(const Comm *comm, SeriesSpool *to, const double *received,
                         const Shares *shares, Error *error)
{
    Status status = STATUS_OK;
    int64_t width = sizeof *received;
    for (int rank = 0; rank < comm_size(comm); rank++) {
        TRY(scratch_write(to->file, shares->at[rank] * width, received, shares->got[rank] * width,
                          error));
        shares->at[rank] += shares->got[rank];
        received += shares->got[rank];
    }
out:
    return status;
}

/* All records of `from`, whose series are placed already in `to`, into its spool. Collective. */
static Status move_records(Comm *comm, const SeriesSet *from, SeriesSet *to, const Shares *shares,
                           Error *error)
{
    Status status = STATUS_OK;
    double *records = NULL, *received = NULL;
    int64_t i = 0, left, room = 0;
    do {
        Status own = STATUS_OK;
        int64_t end = count_round(comm, from, shares, i);
        int64_t at = series_record_begin(from, i), n = series_record_begin(from, end) - at;
        if (n > room)
            own = mem_resize(&records, room = n, sizeof *records, "series", error);
        if (own == STATUS_OK)
            own = scratch_read(from->spool->file, at * (int64_t)sizeof *records, records,
                               n * (int64_t)sizeof *records, error);
        TRY_ALL(comm, own, error);
        TRY(comm_exchange(comm, records, shares->sent, sizeof *records, &received, shares->got,
                          error));
        TRY_ALL(comm, keep_round(comm, to->spool, received, shares, error), error);
        mem_free(&received);
        i = end;
        left = from->n - i;
        comm_max_i64(comm, &left, 1);
    } while (left > 0);
out:
    mem_free(&records);
    mem_free(&received);
    return status;
}

/* Where the records of the first series from each rank go: *shares->at, in series, then in
 * doubles. Collective. */
static void find_places(Comm *comm, const SeriesSet *from, const SeriesSet *to,
                        const Shares *shares)
{
    int size = comm_size(comm), rank = comm_rank(comm);
    memset(shares->at, 0, (size_t)size * sizeof *shares->at);
    shares->at[rank] = from->first;
    comm_sum_i64(comm, shares->at, size);
    for (int r = 0; r < size; r++)
        shares->at[r] =
            series_record_begin(to, clamp(shares->at[r] - shares->bounds[rank], 0, to->n));
}

/* What there is of a series beside its record. Collective. */
static Status move_series(Comm *comm, SeriesSet *set, const Shares *shares, Error *error)
{
    Status status;
    const size_t narrow = sizeof(int32_t);
    TRY(comm_exchange_table(comm, &set->keys, shares->series, NULL, error));
    TRY(move_array(comm, &set->start, shares->series, narrow, shares->got, error));
    for (int k = 0; k < set->n_static; k++)
        TRY(move_array(comm, &set->statics[k], shares->series, narrow, shares->got, error));
    TRY(move_begin(comm, set, shares, error));
out:
    return status;
}

/* Collective. */
static Status move_all(Comm *comm, SeriesSet *set, const Shares *shares, Error *error)
{
    Status status;
    SeriesSet from = {.calendar = set->calendar,
                      .n = set->n,
                      .first = set->first,
                      .has_returned = set->has_returned,
                      .n_dynamic = set->n_dynamic};
    TRY_ALL(comm, mem_resize(&from.begin, set->n + 1, sizeof *from.begin, "series", error), error);
    memcpy(from.begin, set->begin, ((size_t)set->n + 1) * sizeof *from.begin);
    make_shares(comm, set, shares);
    TRY(move_series(comm, set, shares, error));
    from.spool = set->spool;
    set->spool = NULL;
    TRY(series_spool_open(comm, &from.spool->place, &set->spool, error));
    find_places(comm, &from, set, shares);
    TRY(move_records(comm, &from, set, shares, error));
out:
    from.calendar = (Calendar){.n = 0};
    series_set_free(&from);
    return status;
}

Status series_place(Comm *comm, SeriesSet *set, const SeriesCost *cost, Error *error)
{
    Status status;
    int64_t size = comm_size(comm), rank = comm_rank(comm);
    int64_t *bounds = mem_new(5 * size + 1, sizeof *bounds);
    Shares shares = {.bounds = bounds,
                     .series = bounds + size + 1,
                     .got = bounds + 2 * size + 1,
                     .sent = bounds + 3 * size + 1,
                     .at = bounds + 4 * size + 1};
    vesper_assert(set->spool != NULL);
    TRY_ALL(comm, fault_point("forecast.place", error), error);
    series_set_number(comm, set);
    TRY(choose_bounds(comm, set, cost, bounds, error));
    int64_t leaving = set->first != bounds[rank] || set->first + set->n != bounds[rank + 1];
    comm_sum_i64(comm, &leaving, 1);
    if (leaving > 0 && set->total > 0)
        TRY(move_all(comm, set, &shares, error));
    series_set_number(comm, set);
out:
    mem_free(&bounds);
    return status;
}
