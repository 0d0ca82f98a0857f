/* Shrinkage: how far a covariance matrix of more series than periods is to be drawn to its
 * diagonal.
 *
 * Schaefer, Strimmer 2005, "A shrinkage approach to large-scale covariance matrix estimation":
 *
 *     lambda = sum over pairs i != j of Var(r_ij) / sum over pairs of r_ij^2
 *
 * with r_ij = mean over t of x_it x_jt the correlations of standardised residuals, and
 * Var(r_ij) = (sum_t x_it^2 x_jt^2 - T r_ij^2) / (T (T - 1)). No pair is ever looked at: with
 * K [T x T], K_st = sum_i x_is x_it,
 *
 *     sum over all pairs of sum_t x_it^2 x_jt^2 = sum_t K_tt^2,
 *     sum over all pairs of (T r_ij)^2 = sum over s, t of K_st^2
 *
 * and pairs of a series with itself are taken off. */
#ifndef VESPER_FORECAST_SHRINKAGE_H
#define VESPER_FORECAST_SHRINKAGE_H

#include "comm/comm.h"

/* Rows [n x periods] of residuals; what is not finite counts as 0. factor [n] makes each one's mean
 * square over the periods 1; a row with a factor of 0 is left out. */
typedef struct ResidualRows {
    const double *values;
    const double *factor;
    int64_t n;
} ResidualRows;

/* own: this rank's rows, whole blocks of SERIES_BLOCK but for the last rank's; shared: the same
 * rows on every rank. `total`: own rows of all ranks. lambda is from 0 to 1; 1 with fewer than two
 * periods. O(rows periods^2) time, O(periods^2) memory. Collective. */
Status shrinkage_intensity(Comm *comm, const ResidualRows *own, const ResidualRows *shared,
                           int64_t total, int64_t periods, double *lambda,
                           Error *error) VESPER_MUST_USE;

#endif
