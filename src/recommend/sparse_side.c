/* The shape of a side over the ranks; see sparse_side.h. */
#include "recommend/sparse_side.h"

#include "base/memory.h"

void sparse_rows_free(SparseRows *rows)
{
    mem_free(&rows->starts);
    mem_free(&rows->columns);
    mem_free(&rows->values);
    *rows = (SparseRows){0};
}

void sparse_side_free(SparseSide *side)
{
    if (side->own != NULL) {
        for (int32_t p = 0; p < side->end - side->first; p++)
            sparse_rows_free(&side->own[p]);
    }
    mem_free(&side->own);
    mem_free(&side->bases);
    mem_free(&side->owners);
    *side = (SparseSide){0};
}

/* bases := sums of the numbers of rows [n_partitions] in sizes; STATUS_INPUT past the limit. */
static Status number_rows(SparseSide *side, const int64_t *sizes, Error *error)
{
    Status status = STATUS_OK;
    int64_t rows = 0;
    for (int32_t p = 0; p < side->n_partitions; p++) {
        side->bases[p] = (int32_t)rows;
        rows += sizes[p];
        if (rows > INT32_MAX)
            FAIL(error, STATUS_INPUT,
                 "more than %d users (or items): the recommendations count no further",
                 (int)INT32_MAX);
    }
    side->bases[side->n_partitions] = (int32_t)rows;
    side->n_rows = (int32_t)rows;
out:
    return status;
}

Status sparse_side_complete(Comm *comm, SparseSide *side, Error *error)
{
    Status status = STATUS_OK;
    int size = comm_size(comm);
    int64_t *sizes = mem_new(side->n_partitions, sizeof *sizes);
    int64_t *firsts = mem_new(size, sizeof *firsts);
    for (int32_t p = side->first; p < side->end; p++)
        sizes[p] = side->own[p - side->first].n_rows;
    comm_sum_i64(comm, sizes, side->n_partitions);
    firsts[comm_rank(comm)] = side->first;
    comm_sum_i64(comm, firsts, size);
    mem_free(&side->bases);
    mem_free(&side->owners);
    side->bases = mem_new((int64_t)side->n_partitions + 1, sizeof *side->bases);
    side->owners = mem_new((int64_t)size + 1, sizeof *side->owners);
    for (int r = 0; r < size; r++)
        side->owners[r] = (int32_t)firsts[r];
    side->owners[size] = side->n_partitions;
    TRY_ALL(comm, number_rows(side, sizes, error), error);
    for (int32_t p = side->first; p < side->end; p++)
        side->own[p - side->first].first_row = side->bases[p];
out:
    mem_free(&sizes);
    mem_free(&firsts);
    return status;
}
