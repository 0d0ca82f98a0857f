/* Convex weights: how much each of several forecasts counts in their mix. Local.
 *
 * The mix sum of w_k f_k with w_k >= 0 and sum of w_k = 1 that has the least weighted squared error
 * (Bates, Granger 1969, with the constraint that keeps weights from chasing noise). */
#ifndef VESPER_KERNEL_CONVEX_WEIGHTS_H
#define VESPER_KERNEL_CONVEX_WEIGHTS_H

enum { CONVEX_WEIGHTS_MAX = 32 };

/* errors [n x n] row-major, symmetric: sum over observations of e_k e_l, where e_k is the error of
 * forecast k; the mix's squared error is then w' errors w. weights [n] out: the minimum, reached by
 * moving weight between the pair of forecasts that gains most (sequential minimal optimisation,
 * Platt 1998), to 1e-10 of the error. Forecasts that are alike share as they did at the start,
 * which is an equal mix. n from 1 to CONVEX_WEIGHTS_MAX. */
void convex_weights(const double *errors, int n, double *weights);

#endif
