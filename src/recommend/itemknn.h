/* ItemKNN: items that the same users have (docs/methods/itemknn.md). */
#ifndef VESPER_RECOMMEND_ITEMKNN_H
#define VESPER_RECOMMEND_ITEMKNN_H

#include "recommend/item_weights.h"

typedef enum Similarity { SIMILARITY_COSINE, SIMILARITY_BM25 } Similarity;

typedef struct ItemknnOptions {
    Similarity similarity;
    int64_t neighbours; /* k of each item, above 0, and up to k more as similar as the last */
    double shrinkage;   /* added to the cosine's denominator; 0: none */
    double bm25_k1, bm25_b;
    int threads;
    int64_t memory; /* bytes; 0: no limit */
} ItemknnOptions;

/* w_ij is the similarity of i and j where i is one of j's neighbours: an item is scored by its own.
 * Collective. */
Status itemknn_learn(Comm *comm, const SparseSide *users, const SparseSide *items,
                     const ItemknnOptions *options, ItemWeights *weights,
                     Error *error) VESPER_MUST_USE;

#endif
