/* SparseSide: one side of the matrix users x items, row by row, spread over the ranks.
 *
 * The rows of a side (its users, or its items) are numbered from 0 through partitions whose number
 * and borders do not depend on the number of ranks: users by the store's partitions, items by runs
 * of about equal numbers of entries. A rank owns a run of partitions, ranks in order. So whatever
 * is computed row by row, or summed by partition, is the same on any number of ranks. */
#ifndef VESPER_RECOMMEND_SPARSE_SIDE_H
#define VESPER_RECOMMEND_SPARSE_SIDE_H

#include "comm/comm.h"

/* The rows of one partition, compressed. All zero is empty. */
typedef struct SparseRows {
    int32_t first_row; /* number of its first row in the side */
    int32_t n_rows;
    int64_t *starts;  /* [n_rows + 1] */
    int32_t *columns; /* [starts[n_rows]] ascending in a row, each once: rows of the other side */
    float *values;    /* [starts[n_rows]] above 0 */
} SparseRows;

/* All zero is empty. LIMIT 2^31 - 1 rows a side. */
typedef struct SparseSide {
    int32_t n_rows;       /* of all ranks */
    int32_t n_columns;    /* rows of the other side */
    int32_t n_partitions; /* of all ranks */
    int32_t *bases;       /* [n_partitions + 1] number of each partition's first row */
    int32_t *owners;      /* [ranks + 1] first partition of each rank */
    int32_t first, end;   /* this rank's partitions: owners[rank], owners[rank + 1] */
    SparseRows *own;      /* [end - first] */
} SparseSide;

void sparse_rows_free(SparseRows *rows);
void sparse_side_free(SparseSide *side);

static inline int64_t sparse_entries(const SparseRows *rows)
{
    return rows->starts[rows->n_rows];
}
/* Rows of this rank, and the number of its first. */
static inline int32_t sparse_own_rows(const SparseSide *side)
{
    return side->bases[side->end] - side->bases[side->first];
}
static inline int32_t sparse_own_first(const SparseSide *side)
{
    return side->bases[side->first];
}

/* Complete a side of which each rank has its `own` partitions: `side` has n_columns, n_partitions,
 * first, end and own with n_rows, starts, columns and values; numbers, bases and owners are set
 * here. STATUS_INPUT if there are more rows than the LIMIT. Collective. */
Status sparse_side_complete(Comm *comm, SparseSide *side, Error *error) VESPER_MUST_USE;

/* The other side of `from`: rows are its columns. Its partitions are min(n_partitions of `from`,
 * n_columns) runs of rows with about equal numbers of entries (at least one). Collective. */
Status sparse_transpose(Comm *comm, const SparseSide *from, SparseSide *to,
                        Error *error) VESPER_MUST_USE;

/* Entries of each column of `side`, on every rank: counts [n_columns]. Collective. */
void sparse_column_counts(Comm *comm, const SparseSide *side, int64_t *counts);

/* Rows that this rank asked for, wherever they lived. */
typedef struct FetchedRows {
    int64_t n;
    int32_t *numbers; /* [n] ascending: rows of the side */
    SparseRows rows;  /* row i is number numbers[i] */
} FetchedRows;

/* Fetch whole rows of `side`: numbers [n] ascending, each once, of any rank. Collective. */
Status sparse_fetch(Comm *comm, const SparseSide *side, const int32_t *numbers, int64_t n,
                    FetchedRows *fetched, Error *error) VESPER_MUST_USE;
void fetched_rows_free(FetchedRows *fetched);

/* Fetch rows of a dense matrix that is spread as `side` is: own [own rows x width] row-major;
 * *fetched [n x width] in the order of numbers [n] (ascending, each once), allocated (mem_free).
 * Collective. */
Status sparse_fetch_dense(Comm *comm, const SparseSide *side, const float *own, int64_t width,
                          const int32_t *numbers, int64_t n, float **fetched,
                          Error *error) VESPER_MUST_USE;

#endif
