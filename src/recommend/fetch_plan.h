/* FetchPlan: which rows of the other side a half-step needs, in which order, within a memory
 * budget.
 *
 * This rank's rows are cut into blocks whose entries name rows of the other side that fit the
 * budget together. It is made once; every iteration goes through it. */
#ifndef VESPER_RECOMMEND_FETCH_PLAN_H
#define VESPER_RECOMMEND_FETCH_PLAN_H

#include "kernel/als.h"
#include "recommend/sparse_side.h"

typedef struct FetchBlock {
    int32_t first, end; /* this rank's rows, counted from its own first */
    int32_t *numbers;   /* [n] rows of the other side that they name, ascending */
    int64_t n;
} FetchBlock;

typedef struct FetchPlan {
    AlsRow *rows;       /* [own rows] whose places point into the block's numbers */
    int32_t *places;    /* [own entries] */
    FetchBlock *blocks; /* [n_blocks] every rank goes through as many, empty ones at the end */
    int64_t n_blocks;
} FetchPlan;

/* `row_bytes` of each row fetched, `memory` for all of a block (0: no limit; a row that needs more
 * is a block alone). Collective. */
Status fetch_plan_make(Comm *comm, const SparseSide *side, int64_t row_bytes, int64_t memory,
                       FetchPlan *plan, Error *error) VESPER_MUST_USE;
void fetch_plan_free(FetchPlan *plan);

#endif
