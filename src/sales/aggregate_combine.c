/* The groups of all ranks, each rank the next run of keys. */
#include "sales/aggregate_internal.h"

#include "base/memory.h"

#include <string.h>

void groups_free(Groups *groups)
{
    mem_free(&groups->keys);
    for (int s = 0; s < SUM_COUNT; s++)
        mem_free(&groups->sums[s]);
    keyed_values_free(&groups->order_values);
    *groups = (Groups){0};
}

/* Room for n groups; only the sums that are held. */
static Status make_room(const SumSet *set, int64_t n, Groups *groups, Error *error)
{
    Status status = STATUS_OK;
    TRY(mem_resize(&groups->keys, n, sizeof *groups->keys, "groups", error));
    for (int w = 0; w < set->n_added; w++)
        TRY(mem_resize(&groups->sums[set->added[w]], n, sizeof(int64_t), "groups", error));
    if (set->has_days) {
        TRY(mem_resize(&groups->sums[SUM_FIRST_DAY], n, sizeof(int64_t), "groups", error));
        TRY(mem_resize(&groups->sums[SUM_LAST_DAY], n, sizeof(int64_t), "groups", error));
    }
    groups->n = n;
out:
    return status;
}

static int lines_word(const SumSet *set)
{
    int w = 0;
    while (set->added[w] != SUM_LINES)
        w++;
    return w;
}

/* ---- cells ---- */

/* Cells [own_n x n_added] from key `begin` on are summed over the ranks; those with lines become
 * groups. */
static Status take_cells(const AggregateCells *cells, const int64_t *own, int64_t begin,
                         int64_t own_n, Groups *groups, Error *error)
{
    Status status = STATUS_OK;
    const SumSet *set = cells->set;
    int lines = lines_word(set);
    int64_t n = 0;
    for (int64_t i = 0; i < own_n; i++)
        n += own[i * set->n_added + lines] > 0;
    TRY(make_room(set, n, groups, error));
    n = 0;
    for (int64_t i = 0; i < own_n; i++) {
        const int64_t *cell = own + i * set->n_added;
        if (cell[lines] == 0)
            continue;
        groups->keys[n] = (uint64_t)(begin + i);
        for (int w = 0; w < set->n_added; w++)
            groups->sums[set->added[w]][n] = cell[w];
        if (set->has_days) {
            groups->sums[SUM_FIRST_DAY][n] = cells->first_day[begin + i];
            groups->sums[SUM_LAST_DAY][n] = cells->last_day[begin + i];
        }
        n++;
    }
out:
    return status;
}

Status aggregate_combine_cells(Comm *comm, const AggregateCells *cells, Groups *groups,
                               Error *error)
{
    Status status = STATUS_OK;
    int size = comm_size(comm), rank = comm_rank(comm), width = cells->set->n_added;
    int64_t space = cells->space, *own = NULL;
    int64_t *counts = mem_new(size, sizeof *counts);
    /* Runs of space / size keys, one more for the first few ranks: no product that could wrap. */
    int64_t begin = space / size * rank + (space % size < rank ? space % size : rank);
    for (int r = 0; r < size; r++)
        counts[r] = (space / size + (r < space % size)) * width;
    TRY_ALL(comm, mem_resize(&own, counts[rank], sizeof *own, "groups", error), error);
    comm_sum_scatter_i64(comm, cells->cells, counts, own);
    if (cells->set->has_days) {
        comm_min_i64(comm, cells->first_day, space);
        comm_max_i64(comm, cells->last_day, space);
    }
    TRY_ALL(comm, take_cells(cells, own, begin, counts[rank] / width, groups, error), error);
out:
    mem_free(&own);
    mem_free(&counts);
    return status;
}

/* ---- rows ---- */

/* ends [size] out: buckets of rank r end there; ranks get about as many rows. Collective. */
static void share_buckets(Comm *comm, const GroupBuckets *buckets, int64_t *ends)
{
    int size = comm_size(comm), rank = 0;
    int64_t total = 0, before = 0, *weights = mem_new(buckets->n, sizeof *weights);
    for (int64_t b = 0; b < buckets->n; b++)
        weights[b] = buckets->starts[b + 1] - buckets->starts[b];
    comm_sum_i64(comm, weights, buckets->n);
    for (int64_t b = 0; b < buckets->n; b++)
        total += weights[b];
    for (int64_t b = 0; b < buckets->n; b++) {
        before += weights[b];
        while (rank < size - 1 && (double)before >= (double)total * (rank + 1) / size)
            ends[rank++] = b + 1;
    }
    for (; rank < size; rank++)
        ends[rank] = buckets->n;
    mem_free(&weights);
}

/* Send each row to the rank of its bucket. Collective. */
static Status exchange_rows(Comm *comm, GroupRows *rows, Error *error)
{
    Status status = STATUS_OK;
    int size = comm_size(comm), width = group_rows_width(rows);
    GroupBuckets buckets = {0};
    int64_t *got = NULL, n_got = 0;
    int64_t *ends = mem_new(size, sizeof *ends);
    int64_t *counts = mem_new(size, sizeof *counts), *got_counts = mem_new(size, sizeof *counts);
    TRY_ALL(comm, group_buckets_make(rows, &buckets, error), error);
    share_buckets(comm, &buckets, ends);
    for (int r = 0; r < size; r++)
        counts[r] = buckets.starts[ends[r]] - buckets.starts[r > 0 ? ends[r - 1] : 0];
    TRY(comm_exchange(comm, buckets.rows, counts, (size_t)width * sizeof *buckets.rows, &got,
                      got_counts, error));
    group_buckets_free(&buckets);
    for (int r = 0; r < size; r++)
        n_got += got_counts[r];
    TRY_ALL(comm, group_rows_append(rows, got, n_got, error), error);
out:
    group_buckets_free(&buckets);
    mem_free(&got);
    mem_free(&ends);
    mem_free(&counts);
    mem_free(&got_counts);
    return status;
}

static Status take_rows(const SumSet *set, GroupRows *rows, Groups *groups, Error *error)
{
    Status status = STATUS_OK;
    int width = group_rows_width(rows), n_added = set->n_added;
    int64_t at = 0;
    TRY(make_room(set, rows->n, groups, error));
    for (int64_t c = 0; c < rows->n_chunks; c++) {
        int64_t n;
        const int64_t *row = group_rows_chunk(rows, c, &n);
        for (int64_t i = 0; i < n; i++, at++, row += width) {
            groups->keys[at] = (uint64_t)row[0];
            for (int w = 0; w < n_added; w++)
                groups->sums[set->added[w]][at] = row[1 + w];
            if (set->has_days) {
                groups->sums[SUM_FIRST_DAY][at] = row[1 + n_added];
                groups->sums[SUM_LAST_DAY][at] = row[2 + n_added];
            }
        }
        group_rows_drop_chunk(rows, c);
    }
    group_rows_free(rows);
out:
    return status;
}

Status aggregate_combine_rows(Comm *comm, const SumSet *set, GroupRows *rows, Groups *groups,
                              Error *error)
{
    Status status = STATUS_OK;
    if (comm_size(comm) > 1)
        TRY(exchange_rows(comm, rows, error));
    TRY_ALL(comm, group_rows_combine(rows, error), error);
    TRY_ALL(comm, take_rows(set, rows, groups, error), error);
out:
    return status;
}
