/* Dense: the BLAS and LAPACK calls that the models make, with checked counts. Matrices are
 * row-major unless said otherwise. Local. */
#ifndef VESPER_KERNEL_DENSE_H
#define VESPER_KERNEL_DENSE_H

#include <stdbool.h>
#include <stdint.h>

/* BLAS calls outside a parallel loop take one thread from here on: how many there are would show in
 * the last bits. Call it before the first of them. */
void dense_one_thread(void);

/* c [d x d] := beta c + a'a, lower triangle; a [n x d], its rows `stride` >= d apart. */
void dense_gram(const float *a, int64_t n, int64_t d, int64_t stride, float beta, float *c);
/* c [n x n] := a a', lower triangle; a [n x d]. */
void dense_outer_gram(const float *a, int64_t n, int64_t d, float *c);
/* y [n] := a x; a [n x d]. */
void dense_times(const float *a, int64_t n, int64_t d, const float *x, float *y);
/* x [d] := beta x + a'y; a [n x d], its rows `stride` >= d apart. */
void dense_transposed_times(const float *a, int64_t n, int64_t d, int64_t stride, const float *y,
                            float beta, float *x);
/* c [n x m] := a b; a [n x d], b [d x m]. */
void dense_product(const float *a, const float *b, int64_t n, int64_t d, int64_t m, float *c);
/* c [n x m] := a b'; a [n x d], b [m x d]. */
void dense_product_transposed(const float *a, const float *b, int64_t n, int64_t d, int64_t m,
                              float *c);

/* Each row of x [m x n] := a^-1 times it, by Cholesky; a [n x n] lower triangle, positive definite,
 * is overwritten. False if it is not positive definite; x is as it was then. */
bool dense_solve(float *a, int64_t n, int64_t m, float *x);

/* a [n x n] symmetric (lower triangle) := its eigenvectors as columns, values [n] ascending. The
 * sign of each vector is set so that its largest element is positive. False if it did not converge.
 * workspace: dense_eigen_workspace(n) doubles and as many int32. */
bool dense_eigen(double *a, int64_t n, double *values, double *workspace, int32_t *integers);
int64_t dense_eigen_workspace(int64_t n);

#endif
