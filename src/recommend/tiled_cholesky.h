/* TiledMatrix: a dense symmetric matrix in square tiles, spread over the ranks, and its inverse.
 *
 * Each tile operation is one BLAS or LAPACK call of a shape that the tile alone decides, and the
 * operations on a tile come in one fixed order; so the inverse is the same bits at any number of
 * ranks and threads, which a process grid (ScaLAPACK's) would not give. The tiles (i, j), j <= i,
 * are numbered row by row and dealt out to the ranks in turn (docs/decisions/0006). */
#ifndef VESPER_RECOMMEND_TILED_CHOLESKY_H
#define VESPER_RECOMMEND_TILED_CHOLESKY_H

#include "comm/comm.h"
#include "kernel/tile_operations.h"

enum { TILE_ROWS = 384 }; /* of a tile, by measurement (docs/decisions/0006) */

typedef struct TiledMatrix TiledMatrix;

/* n x n, lower triangle in tiles of `tile` rows, zero. Collective. */
Status tiled_matrix_new(Comm *comm, int32_t n, int32_t tile, TilePrecision precision,
                        TiledMatrix **matrix, Error *error) VESPER_MUST_USE;
void tiled_matrix_free(TiledMatrix **matrix);

/* Of the fullest rank, with what inverting takes. Local. */
int64_t tiled_matrix_bytes(int32_t n, int32_t tile, TilePrecision precision, int ranks);

int32_t tiled_matrix_rows(const TiledMatrix *matrix);  /* n */
int32_t tiled_matrix_tile(const TiledMatrix *matrix);  /* rows of a tile, but the last */
int32_t tiled_matrix_tiles(const TiledMatrix *matrix); /* in a row of tiles: n / tile, up */
TilePrecision tiled_matrix_precision(const TiledMatrix *matrix);

/* The rank of tile (i, j), j <= i. */
int tiled_matrix_owner(const TiledMatrix *matrix, int32_t i, int32_t j);
/* Its elements, column-major with `tile` elements from column to column; of a tile (i, i) only the
 * lower triangle counts. NULL if it is another rank's. */
void *tiled_matrix_elements(const TiledMatrix *matrix, int32_t i, int32_t j);

/* matrix := its inverse. *singular if it is not positive definite to the precision: if what is left
 * of a diagonal element, once the rows before it are eliminated, is within the rounding error of
 * sqrt(n) operations on it. The contents are lost then. n^3 operations. Collective. */
Status tiled_cholesky_invert(Comm *comm, TiledMatrix *matrix, int threads, bool *singular,
                             Error *error) VESPER_MUST_USE;

#endif
