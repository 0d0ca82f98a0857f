/* Ridge: least squares with a penalty, from the products of all rows.
 *
 * A row is  sqrt(w) (1, x_1 .. x_(p-1), y):  the square root of its weight, the features and the
 * target times that; `width` = p + 1 numbers. All that the fit needs of any number of rows is their
 * Gram matrix [width x width], which pieces of the rows are added to one after another, on any
 * thread. So that the order of the pieces does not show, sums over pieces are kept in fixed point:
 * integers add exactly (as Demmel, Nguyen 2015, "Parallel reproducible summation", section 1 weighs
 * against other ways). Matrices are row-major, only their lower triangle is looked at. Local. */
#ifndef VESPER_KERNEL_RIDGE_H
#define VESPER_KERNEL_RIDGE_H

#include <stdbool.h>
#include <stdint.h>

/* gram [width x width] += rows'rows; rows [n x width]. Cost O(n width^2) (DSYRK). Call
 * dense_one_thread once before, so that the last bits depend on the rows alone. */
void ridge_add_rows(const double *rows, int64_t n, int64_t width, double *gram);

/* Integers of a Gram matrix in fixed point. */
static inline int64_t ridge_packed(int64_t width)
{
    return width * (width + 1) / 2;
}
/* Bits after the point with which sums over `rows` rows, whose numbers are all at most `bound` in
 * magnitude, stay within 2^62. */
int ridge_bits(int64_t rows, double bound);
/* sums [ridge_packed(width)] += gram, each element rounded to a multiple of 2^-bits. */
void ridge_fix(const double *gram, int64_t width, int bits, int64_t *sums);
/* gram := sums. */
void ridge_unfix(const int64_t *sums, int64_t width, int bits, double *gram);

/* The coefficients b [width - 1] that minimise
 *   sum over rows of w (y - b_0 - sum over j > 0 of b_j x_j)^2 / W  +  lambda sum (s_j b_j)^2
 * with W the sum of weights and s_j the weighted standard deviation of x_j: the penalty sees
 * standardised features, and spares the constant (Hoerl, Kennard 1970; Hastie, Tibshirani, Friedman
 * 2009, section 3.4.1). A feature that does not vary gets 0. False, with b unset, if there is no
 * weight, or the matrix is not positive definite in double precision, which a lambda of at least
 * 1e-9 keeps it. Cost O(width^3) (DPOTRF). work [ridge_work(width)]. */
bool ridge_solve(const double *gram, int64_t width, double lambda, double *coefficients,
                 double *work);
int64_t ridge_work(int64_t width);

/* sum over the rows of w (y - b'x)^2, with any coefficients; at least 0. */
double ridge_loss(const double *gram, int64_t width, const double *coefficients);

#endif
