/* Factors: a dense row for each row of a side, spread as the side is. Sums over all rows are made
 * by partition and added in partition order. */
#ifndef VESPER_RECOMMEND_FACTORS_H
#define VESPER_RECOMMEND_FACTORS_H

#include "recommend/sparse_side.h"

/* gram [d x d] := F'F, whole and symmetric, on every rank; own [own rows x d]. Collective. */
Status factors_gram(Comm *comm, const SparseSide *side, const float *own, int64_t d, int threads,
                    double *gram, Error *error) VESPER_MUST_USE;

/* A rotation that makes a Gram matrix diagonal. */
typedef struct Rotation {
    float *vectors; /* [d x d] eigenvectors as columns */
    double *values; /* [d] eigenvalues, ascending; not below 0 */
} Rotation;

/* Of gram [d x d], which is overwritten; the same bits on every rank. Collective. */
Status rotation_make(Comm *comm, double *gram, int64_t d, Rotation *rotation,
                     Error *error) VESPER_MUST_USE;
void rotation_free(Rotation *rotation);

/* own := own * vectors. Local. */
Status factors_rotate(const SparseSide *side, const Rotation *rotation, int64_t d, int threads,
                      float *own, Error *error) VESPER_MUST_USE;

/* own := normal random numbers of this deviation, by (seed, number of the row); rows without
 * entries become 0. Local. */
void factors_draw(const SparseSide *side, int64_t d, double deviation, uint64_t seed, float *own);

#endif
