/* Least value of a function of a few variables inside a box, without its slopes. Local.
 *
 * Nelder, Mead 1965, "A simplex method for function minimization", The Computer Journal 7(4), with
 * the coefficients that depend on n of Gao, Han 2012, "Implementing the Nelder-Mead simplex
 * algorithm with adaptive parameters", Computational Optimization and Applications 51(1). Every
 * corner of the simplex is moved to the nearest point of the box before it is tried: a minimum on a
 * bound, where smoothing parameters often lie, is then reached and not only approached. */
#ifndef VESPER_KERNEL_NELDER_MEAD_H
#define VESPER_KERNEL_NELDER_MEAD_H

#include <stdint.h>

/* INFINITY or NaN: x is not allowed. */
typedef double NelderMeadObjective(const double *x, void *context);

/* Doubles of `work` for n variables. */
int64_t nelder_mead_work(int n);

/* Edges of the first simplex where nothing is known of the minimum. */
#define NELDER_MEAD_EDGE 0.1

/* x [n], the start, becomes the minimum; its value is returned, INFINITY if no allowed point was
 * met. lower, upper [n]: the box, lower <= upper, may be infinite. edge: of the first simplex, as a
 * share of the width of the box, or of x where that is infinite.
 *
 * A simplex is done when the values at its corners differ by no more than `tolerance` times the
 * size of the best; then a smaller one begins at the best corner, until one gains no more than
 * that. At most `most_evaluations` of the objective, but at least n + 1. The same steps and bits on
 * every call. n = 0 gives the value at x. */
double nelder_mead_minimise(NelderMeadObjective *objective, void *context, int n, double *x,
                            const double *lower, const double *upper, double edge, double tolerance,
                            int most_evaluations, double *work);

#endif
