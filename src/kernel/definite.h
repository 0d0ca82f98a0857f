/* Definite: equations with a symmetric positive definite matrix in double precision. Matrices are
 * row-major, and of the definite one the lower triangle counts. The bits depend on counts and
 * contents alone while BLAS takes one thread (dense_one_thread). Local. */
#ifndef VESPER_KERNEL_DEFINITE_H
#define VESPER_KERNEL_DEFINITE_H

#include <stdbool.h>
#include <stdint.h>

/* a [n x n] := a + alpha e e'; e [n x t]. */
void definite_add_gram(double alpha, const double *e, int64_t n, int64_t t, double *a);

/* Each row of x [m x n] := a^-1 times it, by Cholesky; a [n x n] is overwritten. False if a is not
 * positive definite to the precision: if what is left of a diagonal element, once the rows before
 * it are eliminated, is within the rounding error of sqrt(n) operations on it; x is lost then.
 * least [n]: workspace. */
bool definite_solve(double *a, int64_t n, int64_t m, double *x, double *least);

#endif
