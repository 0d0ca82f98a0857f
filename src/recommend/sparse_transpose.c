/* From the rows of one side to those of the other: entries travel to the owners of their columns,
 * in row order, and are sorted by column there. */
#include "base/memory.h"
#include "recommend/sparse_side.h"
#include "store/store.h"

#include <string.h>

typedef struct Entry {
    int32_t row, column;
    float value;
} Entry;

void sparse_column_counts(Comm *comm, const SparseSide *side, int64_t *counts)
{
    memset(counts, 0, (size_t)side->n_columns * sizeof *counts);
    for (int32_t p = 0; p < side->end - side->first; p++) {
        const SparseRows *rows = &side->own[p];
        for (int64_t e = 0; e < sparse_entries(rows); e++)
            counts[rows->columns[e]]++;
    }
    comm_sum_i64(comm, counts, side->n_columns);
}

/* Cut [0, n) into `parts` <= n runs, none empty, with about equal sums of counts + 1:
 * bases [parts + 1]. */
static void cut_runs(const int64_t *counts, int32_t n, int32_t parts, int32_t *bases)
{
    int64_t total = n, sum = 0;
    for (int32_t i = 0; i < n; i++)
        total += counts[i];
    int32_t at = 0;
    bases[0] = 0;
    for (int32_t p = 1; p < parts; p++) {
        int64_t goal = total / parts * p;
        do
            sum += counts[at++] + 1;
        while (sum < goal && n - at > parts - p);
        bases[p] = at;
    }
    bases[parts] = n;
}

/* The partitions of `to` and their owners; its own rows are still to come. */
static Status lay_out(Comm *comm, const SparseSide *from, const int64_t *counts, SparseSide *to,
                      Error *error)
{
    Status status = STATUS_OK;
    int size = comm_size(comm);
    int64_t *weights = NULL;
    int32_t n = from->n_columns;
    to->n_rows = n;
    to->n_columns = from->n_rows;
    to->n_partitions = n < from->n_partitions ? n : from->n_partitions;
    to->bases = mem_new((int64_t)to->n_partitions + 1, sizeof *to->bases);
    to->owners = mem_new((int64_t)size + 1, sizeof *to->owners);
    weights = mem_new(to->n_partitions, sizeof *weights);
    if (to->n_partitions > 0)
        cut_runs(counts, n, to->n_partitions, to->bases);
    for (int32_t p = 0; p < to->n_partitions; p++) {
        for (int32_t row = to->bases[p]; row < to->bases[p + 1]; row++)
            weights[p] += counts[row] + 1;
    }
    for (int r = 0; r < size; r++) {
        int32_t end;
        store_balance(weights, to->n_partitions, r, size, &to->owners[r], &end);
    }
    to->owners[size] = to->n_partitions;
    to->first = to->owners[comm_rank(comm)];
    to->end = to->owners[comm_rank(comm) + 1];
    to->own = mem_new(to->end - to->first, sizeof *to->own);
    for (int32_t p = to->first; p < to->end; p++) {
        SparseRows *rows = &to->own[p - to->first];
        rows->first_row = to->bases[p];
        rows->n_rows = to->bases[p + 1] - to->bases[p];
        TRY(mem_resize(&rows->starts, (int64_t)rows->n_rows + 1, sizeof *rows->starts,
                       "rows of items", error));
        rows->starts[0] = 0;
        for (int32_t r = 0; r < rows->n_rows; r++)
            rows->starts[r + 1] = rows->starts[r] + counts[rows->first_row + r];
        TRY(mem_resize(&rows->columns, sparse_entries(rows), sizeof *rows->columns,
                       "users of items", error));
        TRY(mem_resize(&rows->values, sparse_entries(rows), sizeof *rows->values, "values of items",
                       error));
    }
out:
    mem_free(&weights);
    return status;
}

/* owner_of [n columns] the rank that owns each row of `to` */
static void find_owners(const SparseSide *to, int size, int32_t *owner_of)
{
    for (int r = 0; r < size; r++) {
        for (int32_t row = to->bases[to->owners[r]]; row < to->bases[to->owners[r + 1]]; row++)
            owner_of[row] = r;
    }
}

/* This rank's entries, ordered by owner, then row: entries allocated; counts [size]. */
static Status pack_entries(const SparseSide *from, const int32_t *owner_of, int size,
                           int64_t *counts, Entry **entries, Error *error)
{
    Status status;
    int64_t *at = mem_new((int64_t)size + 1, sizeof *at);
    for (int32_t p = 0; p < from->end - from->first; p++) {
        const SparseRows *rows = &from->own[p];
        for (int64_t e = 0; e < sparse_entries(rows); e++)
            counts[owner_of[rows->columns[e]]]++;
    }
    for (int r = 0; r < size; r++)
        at[r + 1] = at[r] + counts[r];
    TRY(mem_resize(entries, at[size], sizeof **entries, "entries to exchange", error));
    for (int32_t p = 0; p < from->end - from->first; p++) {
        const SparseRows *rows = &from->own[p];
        for (int32_t r = 0; r < rows->n_rows; r++) {
            for (int64_t e = rows->starts[r]; e < rows->starts[r + 1]; e++) {
                int32_t column = rows->columns[e];
                (*entries)[at[owner_of[column]]++] =
                    (Entry){rows->first_row + r, column, rows->values[e]};
            }
        }
    }
out:
    mem_free(&at);
    return status;
}

/* Put the received entries, ascending by row of the old side, into the rows of the new one. */
static void place_entries(SparseSide *to, const Entry *entries, int64_t n)
{
    int32_t first = sparse_own_first(to);
    int32_t n_rows = sparse_own_rows(to);
    int32_t *partition_of = mem_new(n_rows, sizeof *partition_of);
    int64_t *filled = mem_new(n_rows, sizeof *filled);
    for (int32_t p = 0; p < to->end - to->first; p++) {
        for (int32_t r = 0; r < to->own[p].n_rows; r++)
            partition_of[to->own[p].first_row - first + r] = p;
    }
    for (int64_t e = 0; e < n; e++) {
        int32_t row = entries[e].column - first;
        SparseRows *rows = &to->own[partition_of[row]];
        int64_t place = rows->starts[first + row - rows->first_row] + filled[row]++;
        rows->columns[place] = entries[e].row;
        rows->values[place] = entries[e].value;
    }
    mem_free(&partition_of);
    mem_free(&filled);
}

Status sparse_transpose(Comm *comm, const SparseSide *from, SparseSide *to, Error *error)
{
    Status status;
    int size = comm_size(comm);
    Entry *sent = NULL, *received = NULL;
    int64_t *counts = NULL;
    int32_t *owner_of = NULL;
    int64_t *send_counts = mem_new(size, sizeof *send_counts);
    int64_t *receive_counts = mem_new(size, sizeof *receive_counts);
    sparse_side_free(to);
    TRY_ALL(comm, mem_resize(&counts, from->n_columns, sizeof *counts, "counts of items", error),
            error);
    sparse_column_counts(comm, from, counts);
    TRY_ALL(comm, lay_out(comm, from, counts, to, error), error);
    TRY_ALL(comm,
            mem_resize(&owner_of, from->n_columns, sizeof *owner_of, "owners of items", error),
            error);
    find_owners(to, size, owner_of);
    TRY_ALL(comm, pack_entries(from, owner_of, size, send_counts, &sent, error), error);
    mem_free(&owner_of);
    TRY(comm_exchange(comm, sent, send_counts, sizeof *sent, &received, receive_counts, error));
    mem_free(&sent);
    int64_t n = 0;
    for (int r = 0; r < size; r++)
        n += receive_counts[r];
    place_entries(to, received, n);
out:
    if (status != STATUS_OK)
        sparse_side_free(to);
    mem_free(&sent);
    mem_free(&received);
    mem_free(&counts);
    mem_free(&owner_of);
    mem_free(&send_counts);
    mem_free(&receive_counts);
    return status;
}
