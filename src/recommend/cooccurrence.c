/* See cooccurrence.h. A row is the sum of the rows of the users who have the item.
 *
 * Rows of 0 and 1 are counted for 32 items at once, each in a lane of its own: a user who has
 * several of the items is read once for all of them. Items with as many users as each other are
 * taken together, as heavy users have most of the popular ones. Other rows are summed one by one.
 */
#include "recommend/cooccurrence.h"

#include "base/fault.h"
#include "base/memory.h"
#include "recommend/fetch_plan.h"
#include "table/sort.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum {
    LANES = 32,
    LANE_ITEMS_MOST = 65536, /* of all: beyond, lanes leave the cache */
    LANE_USERS_MOST = UINT16_MAX,
    LONG_SHARE = 8, /* a row is long if its users have more entries than this share of items */
    AHEAD = 2       /* rows are asked for so many users before they are added */
};

/* One version for processors with AVX2, one for all. */
#define FOR_ALL_PROCESSORS __attribute__((target_clones("avx2", "default")))

/* What a thread sums in; all zero between rows, but for the lists. */
typedef struct RowSums {
    double *sums;     /* [n_items] */
    int32_t *touched; /* [n_items + 1] */
    uint64_t *bits;   /* [words of n_items] */
    uint16_t *lanes;  /* [n_items x LANES] */
    uint32_t *masks;  /* [most users of a block] the lanes of the items that a user has */
    int32_t *members; /* [most users of a block + 1] users with a mask */
} RowSums;

typedef struct Visit {
    int32_t n_items, first; /* of all; the first of this rank */
    bool values, use_lanes;
    CooccurrenceVisit *visit;
    void *context;
    int64_t users_most; /* of a block */
    RowSums *threads;   /* [n_threads] */
    int n_threads;
    const AlsRow *rows; /* of this rank's items */
    SparseRows *users;  /* of the block */
    int64_t n_users;
    int64_t *order; /* [items of the block] by falling number of users */
} Visit;

static void visit_free(Visit *visit)
{
    for (int t = 0; visit->threads != NULL && t < visit->n_threads; t++) {
        mem_free(&visit->threads[t].sums);
        mem_free(&visit->threads[t].touched);
        mem_free(&visit->threads[t].bits);
        mem_free(&visit->threads[t].lanes);
        mem_free(&visit->threads[t].masks);
        mem_free(&visit->threads[t].members);
    }
    mem_free(&visit->threads);
    mem_free(&visit->order);
}

/* *array (a `T **`) := `count` zeros. */
static Status make_zeros(void *array, int64_t count, size_t size, Error *error)
{
    Status status = mem_resize(array, count, size, "sums of items", error);
    if (status == STATUS_OK && count > 0)
        memset(*(void **)array, 0, (size_t)count * size);
    return status;
}

static int64_t words_of(const Visit *visit)
{
    return ((int64_t)visit->n_items + 63) / 64;
}

static Status make_sums(Visit *visit, Error *error)
{
    Status status = STATUS_OK;
    int64_t n = visit->n_items;
    visit->threads = mem_new(visit->n_threads, sizeof *visit->threads);
    TRY(fault_point("recommend.cooccurrence", error));
    for (int t = 0; t < visit->n_threads; t++) {
        RowSums *own = &visit->threads[t];
        TRY(make_zeros(&own->sums, n, sizeof *own->sums, error));
        TRY(make_zeros(&own->touched, n + 1, sizeof *own->touched, error));
        TRY(make_zeros(&own->bits, words_of(visit), sizeof *own->bits, error));
        if (!visit->use_lanes)
            continue;
        TRY(make_zeros(&own->lanes, n * LANES, sizeof *own->lanes, error));
        TRY(make_zeros(&own->masks, visit->users_most, sizeof *own->masks, error));
        TRY(make_zeros(&own->members, visit->users_most + 1, sizeof *own->members, error));
    }
out:
    return status;
}

static int64_t entries_of(const SparseRows *users, int32_t place)
{
    return users->starts[place + 1] - users->starts[place];
}

/* Entries of the users of an item. */
static int64_t work_of(const AlsRow *row, const SparseRows *users)
{
    int64_t work = 0;
    for (int64_t e = 0; e < row->n; e++)
        work += entries_of(users, row->places[e]);
    return work;
}

/* ---- one row ---- */

static int compare_items(const void *left, const void *right)
{
    int32_t a = *(const int32_t *)left, b = *(const int32_t *)right;
    return (a > b) - (a < b);
}

/* Ask the memory for the row of a user who comes soon: rows lie far apart. */
static inline void prefetch_row(const SparseRows *users, int32_t place, bool values)
{
    enum { LINE = 16 };
    int64_t end = users->starts[place + 1];
    for (int64_t k = users->starts[place]; k < end; k += LINE) {
        __builtin_prefetch(users->columns + k);
        if (values)
            __builtin_prefetch(users->values + k);
    }
}

/* The items of a dense row that are not 0. */
static int64_t look_through(const double *sums, int32_t n_items, int32_t *touched)
{
    int64_t n = 0;
    for (int32_t j = 0; j < n_items; j++) {
        touched[n] = j;
        n += sums[j] != 0;
    }
    return n;
}

static int64_t sum_long(const Visit *visit, const AlsRow *row, RowSums *own)
{
    const SparseRows *users = visit->users;
    double *sums = own->sums;
    for (int64_t e = 0; e < row->n; e++) {
        int64_t begin = users->starts[row->places[e]], n = entries_of(users, row->places[e]);
        const int32_t *columns = users->columns + begin;
        const float *values = users->values + begin;
        double x = (double)row->values[e];
        if (e + AHEAD < row->n)
            prefetch_row(users, row->places[e + AHEAD], visit->values);
        if (visit->values) {
            for (int64_t k = 0; k < n; k++)
                sums[columns[k]] += x * (double)values[k];
        } else {
            for (int64_t k = 0; k < n; k++)
                sums[columns[k]] += 1;
        }
    }
    return look_through(sums, visit->n_items, own->touched);
}

/* Sort touched [n] by way of bits, unless there are so few that looking through those is more. */
static void sort_touched(const Visit *visit, RowSums *own, int64_t n)
{
    enum { FEW = 16 };
    int64_t words = words_of(visit), at = 0;
    if (n < words / FEW) {
        qsort(own->touched, (size_t)n, sizeof *own->touched, compare_items);
        return;
    }
    for (int64_t k = 0; k < n; k++)
        own->bits[own->touched[k] / 64] |= (uint64_t)1 << (own->touched[k] % 64);
    for (int64_t w = 0; w < words; w++) {
        for (uint64_t bits = own->bits[w]; bits != 0; bits &= bits - 1)
            own->touched[at++] = (int32_t)(w * 64 + __builtin_ctzll(bits));
        own->bits[w] = 0;
    }
}

static int64_t sum_short(const Visit *visit, const AlsRow *row, RowSums *own)
{
    const SparseRows *users = visit->users;
    int64_t n_touched = 0;
    for (int64_t e = 0; e < row->n; e++) {
        int32_t place = row->places[e];
        if (e + AHEAD < row->n)
            prefetch_row(users, row->places[e + AHEAD], visit->values);
        for (int64_t k = users->starts[place]; k < users->starts[place + 1]; k++) {
            int32_t j = users->columns[k];
            own->touched[n_touched] = j;
            n_touched += own->sums[j] == 0;
            own->sums[j] += visit->values ? (double)row->values[e] * (double)users->values[k] : 1;
        }
    }
    sort_touched(visit, own, n_touched);
    return n_touched;
}

static void visit_row(const Visit *visit, int64_t r)
{
    int thread = omp_get_thread_num();
    RowSums *own = &visit->threads[thread];
    const AlsRow *row = &visit->rows[r];
    bool is_long = work_of(row, visit->users) > visit->n_items / LONG_SHARE;
    int64_t n = is_long ? sum_long(visit, row, own) : sum_short(visit, row, own);
    visit->visit(visit->context, thread, visit->first + (int32_t)r, own->sums, own->touched, n);
    for (int64_t k = 0; k < n; k++)
        own->sums[own->touched[k]] = 0;
}

/* ---- many rows at once ---- */

/* Mark the users of each item with the item's lane. */
static void set_masks(const Visit *visit, const int64_t *items, int n_items, uint32_t *masks)
{
    for (int lane = 0; lane < n_items; lane++) {
        const AlsRow *row = &visit->rows[items[lane]];
        for (int64_t e = 0; e < row->n; e++)
            masks[row->places[e]] |= (uint32_t)1 << lane;
    }
}

/* The users with a mask; *work := their entries. */
static int64_t list_members(const Visit *visit, RowSums *own, int64_t *work)
{
    int64_t n = 0;
    *work = 0;
    for (int64_t u = 0; u < visit->n_users; u++) {
        own->members[n] = (int32_t)u;
        n += own->masks[u] != 0;
    }
    for (int64_t m = 0; m < n; m++)
        *work += entries_of(visit->users, own->members[m]);
    return n;
}

FOR_ALL_PROCESSORS
static void add_members(const SparseRows *users, const int32_t *members, int64_t n,
                        const uint32_t *masks, uint16_t *lanes)
{
    for (int64_t m = 0; m < n; m++) {
        uint16_t ones[LANES];
        for (int lane = 0; lane < LANES; lane++)
            ones[lane] = masks[members[m]] >> lane & 1;
        int64_t end = users->starts[members[m] + 1];
        if (m + AHEAD < n)
            prefetch_row(users, members[m + AHEAD], false);
        for (int64_t k = users->starts[members[m]]; k < end; k++) {
            uint16_t *counts = lanes + (int64_t)users->columns[k] * LANES;
#pragma omp simd
            for (int lane = 0; lane < LANES; lane++)
                counts[lane] = (uint16_t)(counts[lane] + ones[lane]);
        }
    }
}

static void visit_lane(const Visit *visit, int thread, int lane, int64_t r)
{
    RowSums *own = &visit->threads[thread];
    for (int64_t j = 0; j < visit->n_items; j++)
        own->sums[j] = own->lanes[j * LANES + lane];
    int64_t n = look_through(own->sums, visit->n_items, own->touched);
    visit->visit(visit->context, thread, visit->first + (int32_t)r, own->sums, own->touched, n);
}

/* Count up to LANES items at once, unless their users share too little: an addition to lanes costs
 * about a third more than one to a sum. False: not done. */
static bool visit_lanes(const Visit *visit, const int64_t *items, int n_items)
{
    int thread = omp_get_thread_num();
    RowSums *own = &visit->threads[thread];
    int64_t work = 0, shared_work = 0;
    for (int lane = 0; lane < n_items; lane++)
        work += work_of(&visit->rows[items[lane]], visit->users);
    if (work < visit->n_users || work < (int64_t)n_items * visit->n_items)
        return false;
    set_masks(visit, items, n_items, own->masks);
    int64_t n = list_members(visit, own, &shared_work);
    bool pays = 4 * shared_work < 3 * work;
    if (pays) {
        add_members(visit->users, own->members, n, own->masks, own->lanes);
        for (int lane = 0; lane < n_items; lane++)
            visit_lane(visit, thread, lane, items[lane]);
        memset(own->sums, 0, (size_t)visit->n_items * sizeof *own->sums);
        memset(own->lanes, 0, (size_t)visit->n_items * LANES * sizeof *own->lanes);
    }
    for (int64_t m = 0; m < n; m++)
        own->masks[own->members[m]] = 0;
    return pays;
}

/* ---- blocks ---- */

/* Items [begin, begin + n) of the block's order; no lane holds more than LANE_USERS_MOST. */
static void visit_group(const Visit *visit, int64_t begin, int n)
{
    const int64_t *items = visit->order + begin;
    if (visit->use_lanes && visit->rows[items[0]].n <= LANE_USERS_MOST &&
        visit_lanes(visit, items, n))
        return;
    for (int i = 0; i < n; i++)
        visit_row(visit, items[i]);
}

static Status set_order(Visit *visit, const FetchBlock *block, Error *error)
{
    Status status;
    int64_t n = block->end - block->first;
    uint64_t *keys = NULL;
    TRY(mem_resize(&visit->order, n, sizeof *visit->order, "order of items", error));
    TRY(mem_resize(&keys, n, sizeof *keys, "order of items", error));
    for (int64_t i = 0; i < n; i++)
        keys[i] = (uint64_t)INT64_MAX - (uint64_t)visit->rows[block->first + i].n;
    TRY(sort_order_u64(keys, n, visit->order, error));
    for (int64_t i = 0; i < n; i++)
        visit->order[i] += block->first;
out:
    mem_free(&keys);
    return status;
}

static void visit_block(Visit *visit, const FetchBlock *block, FetchedRows *fetched)
{
    int64_t n = block->end - block->first;
    visit->users = &fetched->rows;
    visit->n_users = fetched->n;
#pragma omp parallel for schedule(dynamic) num_threads(visit->n_threads)
    for (int64_t begin = 0; begin < n; begin += LANES)
        visit_group(visit, begin, n - begin < LANES ? (int)(n - begin) : LANES);
}

/* Bytes of the row of a user who has some item, on average over the entries: a block's users have
 * no more. Collective. */
static int64_t row_bytes(Comm *comm, const SparseSide *users)
{
    int64_t sums[2] = {0}; /* of entries, of their squares by user */
    for (int32_t p = 0; p < users->end - users->first; p++) {
        for (int32_t r = 0; r < users->own[p].n_rows; r++) {
            int64_t n = entries_of(&users->own[p], r);
            sums[0] += n;
            sums[1] += n * n;
        }
    }
    comm_sum_i64(comm, sums, 2);
    int64_t each = (int64_t)(sizeof(int32_t) + sizeof(float));
    return (int64_t)sizeof(int64_t) + each * (sums[0] > 0 ? sums[1] / sums[0] : 1);
}

Status cooccurrence_visit(Comm *comm, const SparseSide *users, const SparseSide *items, bool values,
                          int threads, int64_t memory, CooccurrenceVisit *visit, void *context,
                          Error *error)
{
    Status status;
    FetchPlan plan = {0};
    FetchedRows fetched = {0};
    Visit own = {.n_items = items->n_rows,
                 .first = sparse_own_first(items),
                 .values = values,
                 .use_lanes = !values && items->n_rows <= LANE_ITEMS_MOST,
                 .visit = visit,
                 .context = context,
                 .n_threads = threads};
    TRY(fetch_plan_make(comm, items, row_bytes(comm, users), memory, &plan, error));
    own.rows = plan.rows;
    for (int64_t b = 0; b < plan.n_blocks; b++)
        own.users_most = plan.blocks[b].n > own.users_most ? plan.blocks[b].n : own.users_most;
    TRY_ALL(comm, make_sums(&own, error), error);
    for (int64_t b = 0; b < plan.n_blocks; b++) {
        const FetchBlock *block = &plan.blocks[b];
        TRY(sparse_fetch(comm, users, block->numbers, block->n, &fetched, error));
        TRY_ALL(comm, set_order(&own, block, error), error);
        visit_block(&own, block, &fetched);
        fetched_rows_free(&fetched);
    }
out:
    fetched_rows_free(&fetched);
    fetch_plan_free(&plan);
    visit_free(&own);
    return status;
}
