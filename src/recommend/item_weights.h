/* ItemWeights: a sparse item-item matrix W on every rank, and scores by it: score(u, j) is the sum
 * over the items i that u has of x_ui * w_ij. What itemknn and ease learn. */
#ifndef VESPER_RECOMMEND_ITEM_WEIGHTS_H
#define VESPER_RECOMMEND_ITEM_WEIGHTS_H

#include "recommend/scorer.h"

typedef struct ItemWeights {
    int32_t n_items;
    int64_t *starts;  /* [n_items + 1] */
    int32_t *columns; /* [starts[n_items]] ascending in a row */
    float *values;
} ItemWeights;

/* One item's own weights, as they are made. */
typedef struct ItemWeight {
    int32_t column;
    float value;
} ItemWeight;

/* Put the `keep` greatest by absolute value, equals by column, at the front in column order;
 * returns how many there are. Local. */
int64_t item_weights_prune(ItemWeight *weights, int64_t n, int64_t keep);

/* Every rank's rows on every rank. `own` has the rows of this rank's items (SparseRows whose values
 * may be of any sign). Collective. */
Status item_weights_gather(Comm *comm, const SparseSide *items, const SparseRows *own,
                           ItemWeights *weights, Error *error) VESPER_MUST_USE;
void item_weights_free(ItemWeights *weights);

/* weights := their transpose: what leads to an item becomes what an item leads to. Local. */
Status item_weights_transpose(ItemWeights *weights, Error *error) VESPER_MUST_USE;

/* Give each row every column, -0 where it had none: what is scored stays the same bit by bit, and
 * is scored faster where few are missing. Local. */
Status item_weights_spread(ItemWeights *weights, Error *error) VESPER_MUST_USE;

/* A scorer by `weights`; items that no item of the user leads to get SCORE_NONE. */
Scorer item_weights_scorer(const char *name, ItemWeights *weights);

/* w_ij; 0 if it is not there. Local. */
float item_weights_of(const ItemWeights *weights, int32_t i, int32_t j);

#endif
