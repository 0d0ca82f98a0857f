/* One pass of an exponential smoothing model over a series: how likely, and in what direction it
 * would be likelier. The inside of kernel/ets.h. Local. */
#ifndef VESPER_KERNEL_ETS_FILTER_H
#define VESPER_KERNEL_ETS_FILTER_H

#include "kernel/ets.h"

/* What a pass is about. */
typedef struct EtsPass {
    EtsModel model;
    const double *y;  /* [n] */
    int n;            /* >= 1 */
    int season;       /* 1 to ETS_SEASON_MAX; 1 without a season */
    double least_sum; /* > 0: squared errors that add up to less are rounding */
} EtsPass;

/* Minus twice the log-likelihood (without constants), INFINITY where it is not a number:
 *
 *     n ln sum(e_t^2)                                      additive error, e = y - f
 *     n ln sum(e_t^2) + 2 sum(ln |f_t|)                    multiplicative, e = (y - f) / f
 *
 * (Hyndman et al. 2008, eq. 5.3), f_t the forecast of y_t from all before. state in: before the
 * first value; out: after the last. sum_of_squares out, NULL allowed: sum(e_t^2). */
double ets_loss(const EtsPass *pass, const EtsParameters *parameters, EtsState *state,
                double *sum_of_squares);

/* Which variable has which column; -1: the model has no such variable. */
typedef struct EtsColumns {
    int alpha, beta, phi, gamma, level, slope;
    int season; /* the first of season - 1: the last start state of the season follows from the
                   others, as their sum is 0, or their mean 1 */
    int n;
} EtsColumns;

EtsColumns ets_columns(EtsModel model, int season);

enum { ETS_COLUMNS_MAX = 32 }; /* 4 + 2 + 23, and up to whole vectors */

/* By the variables in their columns, n of them. */
typedef struct EtsSlopes {
    double loss;
    double gradient[ETS_COLUMNS_MAX];
    /* What the loss is expected to be curved like if the model is right (Fisher's information,
     * twice, with the variance at its best): positive semidefinite. Symmetric. */
    double curvature[ETS_COLUMNS_MAX][ETS_COLUMNS_MAX];
} EtsSlopes;

/* The loss from `start`, and how it changes with the parameters and the start. Takes as long as
 * about two ets_loss plus one for each four variables. Uses 10 kB of stack. */
void ets_slopes(const EtsPass *pass, const EtsParameters *parameters, const EtsState *start,
                EtsSlopes *slopes);

/* A start from which a search begins: season by the decomposition around a moving average, level
 * and slope by a line through the first seasonally adjusted values (Hyndman et al. 2008, section
 * 2.6.1). Two seasons at least. */
void ets_start(const EtsPass *pass, EtsState *start);

#endif
