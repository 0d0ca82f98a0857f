/* Placement: which rank owns which partition while one batch is taken in. */
#include "ingest/route.h"

#include "base/memory.h"

void placement_init(Placement *placement, const int64_t *weights, int32_t partitions, int rank,
                    int size)
{
    placement->partitions = partitions;
    placement->owner = mem_new(partitions, sizeof *placement->owner);
    for (int r = 0; r < size; r++) {
        int32_t begin, end;
        store_balance(weights, partitions, r, size, &begin, &end);
        for (int32_t p = begin; p < end; p++)
            placement->owner[p] = r;
        if (r == rank) {
            placement->begin = begin;
            placement->end = end;
        }
    }
}

void placement_free(Placement *placement)
{
    mem_free(&placement->owner);
}
