/* Maximum likelihood of a model with a few positive parameters, in their logarithms. Local; the
 * callback may be collective, as every rank that gives the same sums takes the same steps. */
#ifndef VESPER_KERNEL_MAXIMUM_LIKELIHOOD_H
#define VESPER_KERNEL_MAXIMUM_LIKELIHOOD_H

#include <stdbool.h>
#include <stdint.h>

enum { LIKELIHOOD_PARAMETERS_MAX = 8 };

/* sums [1 + n] out: log-likelihood at `parameters` [n] and its derivatives by their logarithms. */
typedef void LogLikelihood(const double *parameters, double *sums, void *context);

typedef struct LikelihoodFit {
    bool converged;
    int evaluations;
    double log_likelihood;
    double standard_errors[LIKELIHOOD_PARAMETERS_MAX]; /* of the parameters themselves, from the
                                                          curvature at the maximum; NaN if flat */
} LikelihoodFit;

/* Climb from `parameters` [n], all > 0, which become the maximum's (to 1e-6 standard errors); each
 * stays within a factor of 1e6 of where it began. Takes 30 to 60 evaluations, at most 400. A
 * likelihood without a maximum inside is a numeric outcome: converged is false, and `parameters` is
 * where the climb ended. */
LikelihoodFit maximise_likelihood(LogLikelihood *likelihood, void *context, int n,
                                  double *parameters);

#endif
