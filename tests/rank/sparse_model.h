/* Random users x items for the tests of recommend: the same matrix whatever the number of ranks. */
#ifndef VESPER_TESTS_RANK_SPARSE_MODEL_H
#define VESPER_TESTS_RANK_SPARSE_MODEL_H

#include "recommend/sparse_side.h"

typedef struct SparseModel {
    int32_t n_partitions;
    int32_t users_most; /* of a partition: it has 0 to so many */
    int32_t n_items;
    int32_t items_most; /* of a user, drawn with repetition: few of high number, many of low */
    bool binary;        /* values all 1, else multiples of 1/8 up to 4 */
    uint64_t seed;
} SparseModel;

/* The model's users, spread evenly by partition; the middle rank of three or more has none.
 * Collective. */
Status sparse_model_users(Comm *comm, const SparseModel *model, SparseSide *users, Error *error);

/* The whole matrix, dense [users x n_items] row-major, and how many users; mem_free. Local. */
float *sparse_model_dense(const SparseModel *model, int32_t *n_users);

/* The users of a dense matrix [n_users x n_items], spread as a model's are: partition p has those
 * from n_users * p / n_partitions on. Collective. */
Status sparse_model_of_dense(Comm *comm, const float *dense, int32_t n_users, int32_t n_items,
                             int32_t n_partitions, SparseSide *users, Error *error);

#endif
