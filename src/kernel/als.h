/* ALS: one row of a half-step of implicit alternating least squares.
 *
 * With the other side's factors y_i fixed, the row x of a user (or item) minimises
 *   sum over its entries i of c_i (y_i'x - 1)^2  +  alpha0 * sum over all i of (y_i'x)^2
 *     + lambda |x|^2
 * (Rendle et al. 2021, eq. 2 and 6). The other side comes rotated so that its Gram matrix is
 * diagonal: alpha0 Y'Y = diag(e). Then, with D = diag(e) + lambda I and Y, C of the row's n
 * entries, n >= d:  x = (D + Y'C Y)^-1 Y'C 1                          d x d n < d:   x = D^-1 Y'
 * (C^-1 + Y D^-1 Y')^-1 1               n x n (Woodbury), much less work are the same vector,
 * exactly. Blocks of factors (iALS++: Rendle et al. 2021, "iALS++: Speeding up Matrix Factorization
 * with Subspace Optimization", alg. 2) solve for some of x at a time and leave the rest: cheaper
 * for large d, and the loss still cannot rise. */
#ifndef VESPER_KERNEL_ALS_H
#define VESPER_KERNEL_ALS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct AlsProblem {
    int64_t d;
    const float *others; /* [any x d] row-major, rotated */
    const float *gram;   /* e [d] */
    double lambda;       /* above 0 */
    int64_t block;       /* factors at once where n >= d; d or more: all */
} AlsProblem;

/* The entries of the row: c_i = values[i] > 0, y_i = row places[i] of others. */
typedef struct AlsRow {
    int64_t n;
    const int32_t *places; /* [n] */
    const float *values;   /* [n] */
} AlsRow;

/* Floats that als_solve_row works in, 64-byte aligned. */
int64_t als_workspace(int64_t d);

/* x [d] in: the row as it was (only looked at with blocks), out: solved. *loss: what the row adds
 * to the loss as written above. A row without entries becomes 0. False if a system was not positive
 * definite in single precision: x is as it was. Cost O(n d min(n, d) + min(n, d)^3). Local. */
bool als_solve_row(const AlsProblem *problem, const AlsRow *row, float *x, float *workspace,
                   double *loss);

/* What each entry adds to the scores of some items: with x as solved exactly, the score of item y
 * is y'x = sum over entries i of c_i y_i'A^-1 y, A being the row's matrix (Hu, Koren, Volinsky
 * 2008, section 5). factors  [2 x n_listed x d] in: the items', rotated as the others are, in the
 * first half; both are overwritten shares   [n_listed x n] in and out: `weight` times what each
 * entry adds is added False if the system was not positive definite; shares are as they were then.
 * Local. */
bool als_explain_row(const AlsProblem *problem, const AlsRow *row, float *factors, int64_t n_listed,
                     float weight, float *shares, float *workspace);

#endif
