#include "kernel/maximum_likelihood.h"

#include <math.h>
#include <nlopt.h>

typedef struct Climb {
    LogLikelihood *likelihood;
    void *context;
    int n;
    int evaluations;
} Climb;

static double objective(unsigned n, const double *logs, double *gradient, void *context)
{
    Climb *climb = context;
    double sums[1 + LIKELIHOOD_PARAMETERS_MAX];
    double parameters[LIKELIHOOD_PARAMETERS_MAX];
    for (unsigned i = 0; i < n; i++)
        parameters[i] = exp(logs[i]);
    climb->likelihood(parameters, sums, climb->context);
    climb->evaluations++;
    for (unsigned i = 0; gradient && i < n; i++)
        gradient[i] = sums[1 + i];
    return sums[0];
}

LikelihoodFit maximise_likelihood(LogLikelihood *likelihood, void *context, int n,
                                  double *parameters)
{
    Climb climb = {likelihood, context, n, 0};
    LikelihoodFit fit = {0};
    double logs[LIKELIHOOD_PARAMETERS_MAX];
    for (int i = 0; i < n; i++)
        logs[i] = log(parameters[i]);
    nlopt_opt opt = nlopt_create(NLOPT_LD_LBFGS, (unsigned)n);
    nlopt_set_max_objective(opt, objective, &climb);
    nlopt_set_lower_bounds1(opt, -13.8);
    nlopt_set_upper_bounds1(opt, 13.8);
    nlopt_set_ftol_rel(opt, 1e-12);
    nlopt_set_maxeval(opt, 500);
    nlopt_result result = nlopt_optimize(opt, logs, &fit.log_likelihood);
    nlopt_destroy(opt);
    fit.converged = result > 0 && result != NLOPT_MAXEVAL_REACHED;
    fit.evaluations = climb.evaluations;
    for (int i = 0; i < n; i++)
        parameters[i] = exp(logs[i]);
    return fit;
}
