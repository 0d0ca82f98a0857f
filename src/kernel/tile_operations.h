/* Tile operations: what a factorisation by tiles does to one tile, a BLAS or LAPACK call each.
 *
 * Tiles are column-major in single or double precision; the columns of every tile of a call are
 * `stride` elements apart. No count may be 0. Bits depend on counts and contents alone as long as
 * BLAS takes one thread (dense_one_thread, or inside a parallel loop). Local. */
#ifndef VESPER_KERNEL_TILE_OPERATIONS_H
#define VESPER_KERNEL_TILE_OPERATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum TilePrecision { TILE_SINGLE, TILE_DOUBLE } TilePrecision;

size_t tile_element_size(TilePrecision precision);
/* Distance from 1 to the next number. */
double tile_epsilon(TilePrecision precision);

/* Element (row, column), and set it. */
double tile_get(TilePrecision precision, const void *a, int64_t stride, int64_t row,
                int64_t column);
void tile_set(TilePrecision precision, void *a, int64_t stride, int64_t row, int64_t column,
              double value);

/* a [n x n] := L with a = L L', lower triangles; the upper one is neither read nor written. False
 * if it is not positive definite: a pivot L_jj^2 is not above least[j] (>= 0). */
bool tile_factor(TilePrecision precision, int64_t n, int64_t stride, const double *least, void *a);

/* a [m x n] := a L^-T; l [n x n] lower triangle. */
void tile_solve(TilePrecision precision, int64_t m, int64_t n, int64_t stride, const void *l,
                void *a);

/* to [m x n] := the transpose of from [n x m]. */
void tile_transpose(TilePrecision precision, int64_t m, int64_t n, int64_t stride, const void *from,
                    void *to);

/* c [m x n] := beta c + alpha a b'; a [m x k], b [n x k]. With beta = 0 c is not read. */
void tile_add_product(TilePrecision precision, int64_t m, int64_t n, int64_t k, int64_t stride,
                      double alpha, const void *a, const void *b, double beta, void *c);

/* c [n x n] := beta c + alpha a a', lower triangle; a [n x k]. */
void tile_add_gram(TilePrecision precision, int64_t n, int64_t k, int64_t stride, double alpha,
                   const void *a, double beta, void *c);

#endif
