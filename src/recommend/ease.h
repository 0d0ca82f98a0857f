/* EASE: the linear model of Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse Data",
 * eq. 8: P = (X'X + lambda I)^-1, B = I - P diag(1 / diag P), diagonal 0 (docs/methods/ease.md). */
#ifndef VESPER_RECOMMEND_EASE_H
#define VESPER_RECOMMEND_EASE_H

#include "recommend/item_weights.h"

typedef struct EaseOptions {
    double lambda;
    int64_t keep; /* weights kept of each item; 0: all */
    int threads;
    int64_t memory; /* bytes that a rank may take; 0: no limit */
} EaseOptions;

/* Bytes that a rank would take. Local. */
int64_t ease_memory(int32_t n_items, int ranks);

/* STATUS_MEMORY, naming what it would take, if `memory` is too little. A matrix that is not
 * positive definite in the precision used is a numeric outcome: *singular, and no weights.
 * Collective. */
Status ease_learn(Comm *comm, const SparseSide *users, const SparseSide *items,
                  const EaseOptions *options, ItemWeights *weights, bool *singular,
                  Error *error) VESPER_MUST_USE;

#endif
