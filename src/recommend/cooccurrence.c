/* See cooccurrence.h. A row is the sum of the rows of the users who have the item. Long rows are
 * summed densely and looked through afterwards; in short ones each item is listed when it first
 * comes. */
#include "recommend/cooccurrence.h"

#include "base/fault.h"
#include "base/memory.h"
#include "recommend/fetch_plan.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* A row is long if its users have more entries together than a share of all items. */
enum { LONG_SHARE = 8 };

/* What a thread sums in; all zero between rows. */
typedef struct RowSums {
    double *sums;     /* [n_items] */
    int32_t *counts;  /* [n_items] of 0 and 1: whole numbers are faster */
    int32_t *touched; /* [n_items + 1] */
} RowSums;

typedef struct Visit {
    int32_t n_items;
    bool values;
    CooccurrenceVisit *visit;
    void *context;
    RowSums *threads; /* [n_threads] */
    int n_threads;
} Visit;

static void visit_free(Visit *visit)
{
    for (int t = 0; visit->threads != NULL && t < visit->n_threads; t++) {
        mem_free(&visit->threads[t].sums);
        mem_free(&visit->threads[t].counts);
        mem_free(&visit->threads[t].touched);
    }
    mem_free(&visit->threads);
}

static Status make_sums(Visit *visit, Error *error)
{
    Status status = STATUS_OK;
    size_t n = (size_t)visit->n_items;
    visit->threads = mem_new(visit->n_threads, sizeof *visit->threads);
    TRY(fault_point("recommend.cooccurrence", error));
    for (int t = 0; t < visit->n_threads; t++) {
        RowSums *own = &visit->threads[t];
        TRY(mem_resize(&own->sums, visit->n_items, sizeof *own->sums, "sums of items", error));
        TRY(mem_resize(&own->counts, visit->n_items, sizeof *own->counts, "sums of items", error));
        TRY(mem_resize(&own->touched, (int64_t)visit->n_items + 1, sizeof *own->touched,
                       "sums of items", error));
        memset(own->sums, 0, n * sizeof *own->sums);
        memset(own->counts, 0, n * sizeof *own->counts);
    }
out:
    return status;
}

static int compare_items(const void *left, const void *right)
{
    int32_t a = *(const int32_t *)left, b = *(const int32_t *)right;
    return (a > b) - (a < b);
}

/* Entries of a fetched row: *columns and *values, returns how many. */
static int64_t row_of(const SparseRows *users, int32_t place, const int32_t **columns,
                      const float **values)
{
    int64_t begin = users->starts[place];
    *columns = users->columns + begin;
    *values = users->values + begin;
    return users->starts[place + 1] - begin;
}

/* The items of a dense row that are not 0, with their sums. */
static int64_t look_through(const Visit *visit, RowSums *own)
{
    int64_t n = 0;
    for (int32_t j = 0; j < visit->n_items; j++) {
        if (!visit->values) {
            own->sums[j] = own->counts[j];
            own->counts[j] = 0;
        }
        own->touched[n] = j;
        n += own->sums[j] != 0;
    }
    return n;
}

static int64_t sum_long(const Visit *visit, const AlsRow *row, const SparseRows *users,
                        RowSums *own)
{
    for (int64_t e = 0; e < row->n; e++) {
        const int32_t *columns;
        const float *values;
        int64_t n = row_of(users, row->places[e], &columns, &values);
        double x = (double)row->values[e];
        if (visit->values) {
            for (int64_t k = 0; k < n; k++)
                own->sums[columns[k]] += x * (double)values[k];
        } else {
            for (int64_t k = 0; k < n; k++)
                own->counts[columns[k]]++;
        }
    }
    return look_through(visit, own);
}

static int64_t sum_short(const Visit *visit, const AlsRow *row, const SparseRows *users,
                         RowSums *own)
{
    int64_t n_touched = 0;
    for (int64_t e = 0; e < row->n; e++) {
        const int32_t *columns;
        const float *values;
        int64_t n = row_of(users, row->places[e], &columns, &values);
        for (int64_t k = 0; k < n; k++) {
            int32_t j = columns[k];
            own->touched[n_touched] = j;
            n_touched += own->sums[j] == 0;
            own->sums[j] += visit->values ? (double)row->values[e] * (double)values[k] : 1;
        }
    }
    qsort(own->touched, (size_t)n_touched, sizeof *own->touched, compare_items);
    return n_touched;
}

static void visit_row(const Visit *visit, const AlsRow *row, int32_t item, const SparseRows *users)
{
    int thread = omp_get_thread_num();
    RowSums *own = &visit->threads[thread];
    int64_t entries = 0;
    for (int64_t e = 0; e < row->n; e++)
        entries += users->starts[row->places[e] + 1] - users->starts[row->places[e]];
    int64_t n = entries > visit->n_items / LONG_SHARE ? sum_long(visit, row, users, own)
                                                      : sum_short(visit, row, users, own);
    visit->visit(visit->context, thread, item, own->sums, own->touched, n);
    for (int64_t k = 0; k < n; k++)
        own->sums[own->touched[k]] = 0;
}

/* Bytes of a user's row, on average. Collective. */
static int64_t row_bytes(Comm *comm, const SparseSide *users)
{
    int64_t entries = 0;
    for (int32_t p = 0; p < users->end - users->first; p++)
        entries += sparse_entries(&users->own[p]);
    comm_sum_i64(comm, &entries, 1);
    int64_t each = (int64_t)(sizeof(int32_t) + sizeof(float));
    return (int64_t)sizeof(int64_t) + each * (users->n_rows > 0 ? entries / users->n_rows + 1 : 1);
}

Status cooccurrence_visit(Comm *comm, const SparseSide *users, const SparseSide *items, bool values,
                          int threads, int64_t memory, CooccurrenceVisit *visit, void *context,
                          Error *error)
{
    Status status;
    FetchPlan plan = {0};
    FetchedRows fetched = {0};
    Visit own = {.n_items = items->n_rows,
                 .values = values,
                 .visit = visit,
                 .context = context,
                 .n_threads = threads};
    TRY(fetch_plan_make(comm, items, row_bytes(comm, users), memory, &plan, error));
    TRY_ALL(comm, make_sums(&own, error), error);
    for (int64_t b = 0; b < plan.n_blocks; b++) {
        const FetchBlock *block = &plan.blocks[b];
        TRY(sparse_fetch(comm, users, block->numbers, block->n, &fetched, error));
#pragma omp parallel for schedule(dynamic, 4) num_threads(threads)
        for (int32_t r = block->first; r < block->end; r++)
            visit_row(&own, &plan.rows[r], sparse_own_first(items) + r, &fetched.rows);
        fetched_rows_free(&fetched);
    }
out:
    fetched_rows_free(&fetched);
    fetch_plan_free(&plan);
    visit_free(&own);
    return status;
}
