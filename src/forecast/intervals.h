/* Intervals: quantiles of demand in each period ahead, and of its sum over the next periods, from
 * the errors of a backtest. Method, sources and limits: docs/methods/intervals.md.
 *
 * What lay around a series' own forecasts is mixed with what lay around those of series like it (a
 * tenth of all, by their level against their usual error), the more so the
 * less is known of its own. The pools are integer counts: the same on any number of ranks. */
#ifndef VESPER_FORECAST_INTERVALS_H
#define VESPER_FORECAST_INTERVALS_H

#include "comm/comm.h"
#include "kernel/spread.h"

enum { INTERVAL_GROUPS = 10, INTERVAL_KINDS = 2, INTERVAL_LENGTHS = 7 };

/* Series of a backtest, some at a time: what was forecast from several origins, and what came. */
typedef struct IntervalBatch {
    int64_t first, n;       /* series [first, first + n) of this rank */
    const double *forecast; /* [n x n_origins x horizon] units */
    const double *actual;   /* as forecast; a period where either is NaN is left out */
    const double *scale;    /* [n] units: what a number's errors are measured by, such as its mean
                               absolute error in sample; 0 or NaN: that of the backtest */
    const bool *is_count; /* [n] demand in whole pieces >= 0, whose spread goes with its level; else
                             a number, whose errors do not */
} IntervalBatch;

/* A backtest. */
typedef struct IntervalInput {
    int64_t n;              /* series of this rank */
    int n_origins, horizon; /* the same on every rank; horizon >= 1 */
    int longest; /* periods of the longest sum that will be asked for; 1: none. On every rank */
    /* The batch that begins with series `first`; what it points to is valid until the next. Local.
     */
    Status (*batch_from)(void *context, int64_t first, IntervalBatch *batch, Error *error);
    void *context;
} IntervalInput;

/* All zero is empty. */
typedef struct IntervalModel {
    int n_origins, horizon;
    int n_lengths;
    int lengths[INTERVAL_LENGTHS]; /* periods of the sums that were learned; 1 first */
    int8_t group_of_bin[INTERVAL_KINDS][SPREAD_BINS]; /* of a series' key */
    int64_t *histograms; /* [kinds x (groups + 1) x n_lengths x bins] running counts; the last of a
                            kind is all of it */
    double *growth;      /* [horizon] usual error of numbers so far ahead, in scales */
    double *errors;      /* [n_origins x horizon x SPREAD_PIECES] room for those of one series */
    /* Of the series at hand, [first, first + n) of this rank: */
    int64_t first, n;
    bool *is_count;    /* [n] */
    bool *is_negative; /* [n] numbers that were below 0: so may the quantiles be */
    int16_t *key;      /* [n] bin by which it is put into a group; -1: no errors, so no group */
    double *scale;     /* [n] */
    double *level;     /* [n] what was forecast a period in the backtest */
    float *own_weight; /* [n x n_lengths] */
    float *own;        /* [n x n_lengths x SPREAD_OWN] */
} IntervalModel;

void interval_model_free(IntervalModel *model);

/* Collective. */
Status intervals_learn(Comm *comm, const IntervalInput *input, IntervalModel *model,
                       Error *error) VESPER_MUST_USE;

/* Have the series of a batch of that backtest at hand. Local; one thread. */
Status intervals_take(IntervalModel *model, const IntervalBatch *batch,
                      Error *error) VESPER_MUST_USE;

/* Where a series of this rank stands among those at hand. */
static inline int64_t intervals_place(const IntervalModel *model, int64_t i)
{
    vesper_assert(i >= model->first && i < model->first + model->n);
    return i - model->first;
}

/* Quantiles of series i, which is at hand, in each of the next periods.
 *   mean [horizon]           forecast of each
 *   probabilities [n]        in (0, 1)
 *   quantiles [horizon x n]  out
 * They rise with the probability; those of counts are whole numbers and never below 0, nor are
 * those of numbers that never were. NaN where the mean is. Local, safe in threads. */
void intervals_quantiles(const IntervalModel *model, int64_t i, const double *mean,
                         const double *probabilities, int n, double *quantiles);
/* Of the sum over the next `length` >= 1 periods, for which `sum` is forecast: quantiles [n]. mean
 * as above: what is forecast beside that sum says how much of it is a change of level. */
void intervals_sum_quantiles(const IntervalModel *model, int64_t i, const double *mean, int length,
                             double sum, const double *probabilities, int n, double *quantiles);
/* Probability that this sum is above `stock`. */
double intervals_sum_above(const IntervalModel *model, int64_t i, const double *mean, int length,
                           double sum, double stock);

/* Whether values [n], NaN left out, are whole pieces that are never below 0. */
bool interval_is_count(const double *values, int64_t n);
/* What is forecast a period: the mean of means [n], without those that are 0 or not known (the shop
 * is closed); 0 if there is no other. */
double interval_rate(const double *mean, int64_t n);

#endif
