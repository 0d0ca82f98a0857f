/* EASE: the linear model of Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse Data",
 * eq. 8: P = (X'X + lambda I)^-1, B = I - P diag(1 / diag P), diagonal 0 (docs/methods/ease.md). */
#ifndef VESPER_RECOMMEND_EASE_H
#define VESPER_RECOMMEND_EASE_H

#include "recommend/item_weights.h"

/* Up to so many items the matrix is in double precision, and all weights are kept where nothing
 * else is asked for; with more it is in single precision, and of each item EASE_KEEP are kept. */
enum { EASE_SMALL = 8192, EASE_KEEP = 512 };

typedef struct EaseOptions {
    double lambda; /* above 0; 0 if no item's users are a combination of the others' */
    int64_t keep;  /* weights kept of each item, the greatest by absolute value; 0: all */
    int threads;
    int64_t memory; /* bytes that a rank may take; 0: no limit */
    bool single;    /* single precision for few items too */
    int32_t tile;   /* rows of a tile; 0: as measured best. Another one has other last bits */
    int32_t rows;   /* handed over at a time by a rank; 0: by the size of the matrix */
} EaseOptions;

/* EASE_KEEP or, for few items, 0. Local. */
int64_t ease_default_keep(int32_t n_items);

/* Bytes of the weights that were learned, on every rank; and those that a rank would take beside
 * the interactions while they are learned. Local. */
int64_t ease_weights_bytes(int32_t n_items, int64_t keep);
int64_t ease_memory(int32_t n_items, int64_t keep, int ranks);

/* STATUS_MEMORY, naming what it would take, if `memory` is too little. A matrix that is not
 * positive definite in the precision used is a numeric outcome: *singular, and no weights.
 * Collective. */
Status ease_learn(Comm *comm, const SparseSide *users, const SparseSide *items,
                  const EaseOptions *options, ItemWeights *weights, bool *singular,
                  Error *error) VESPER_MUST_USE;

#endif
