/* TiledMatrix: a dense symmetric matrix in square tiles, spread over the ranks, and its inverse.
 *
 * Each tile operation is one BLAS or LAPACK call of a shape that the tile alone decides, and the
 * operations on a tile come in one fixed order; so the inverse is the same bits at any number of
 * ranks, which a process grid (ScaLAPACK's) would not give. Tile (i, j), j <= i, belongs to one
 * rank by a fixed rule (docs/decisions/0006). */
#ifndef VESPER_RECOMMEND_TILED_CHOLESKY_H
#define VESPER_RECOMMEND_TILED_CHOLESKY_H

#include "comm/comm.h"

typedef struct TiledMatrix TiledMatrix;

/* n x n, lower triangle in tiles of `tile` rows, zero. Single precision. Collective. */
Status tiled_matrix_new(Comm *comm, int32_t n, int32_t tile, TiledMatrix **matrix,
                        Error *error) VESPER_MUST_USE;
void tiled_matrix_free(TiledMatrix **matrix);
int64_t tiled_matrix_bytes(int32_t n, int32_t tile, int ranks); /* of the fullest rank */

/* matrix := its inverse. *singular if it is not positive definite (the contents are lost then).
 * Collective. */
Status tiled_cholesky_invert(Comm *comm, TiledMatrix *matrix, int threads, bool *singular,
                             Error *error) VESPER_MUST_USE;

#endif
