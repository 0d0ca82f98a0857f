/* Pooled: one ridge regression across all series, for each group of horizons, on what is known at
 * the origin and of the later period (features.h). What a series alone is too short or too sparse
 * to tell is learned from all of them: the pattern of the week, holidays, prices, how a sale dies
 * down. docs/methods/pooled.md. */
#ifndef VESPER_FORECAST_POOLED_H
#define VESPER_FORECAST_POOLED_H

#include "forecast/features.h"

enum { POOLED_GROUPS_MAX = 8, POOLED_ROWS = 1 << 22 };

typedef struct PooledOptions {
    int horizon;      /* periods ahead that it is learned for; above 0 */
    double lambda;    /* above 0; 0: the best of a grid on the last periods before `until` */
    int64_t rows;     /* learned from, about, over all ranks and groups; 0: POOLED_ROWS */
    double half_life; /* periods after which a row counts half; 0: all rows count the same */
    int threads;
} PooledOptions;

/* Horizons [first, last] of a group: up to one season, two, four, ... */
typedef struct PooledGroup {
    int first, last;
    int64_t rows;  /* learned from */
    double lambda; /* 0: nothing was learned, the naive is forecast */
    double error;  /* root of the mean squared error of the last periods when they were kept apart,
                      in mean steps of a series from one period to the next; NaN without them */
    double coefficients[FEATURES_MAX];
} PooledGroup;

/* The same on every rank. All zero is empty. */
typedef struct PooledModel {
    FeaturePlan plan;
    int n_groups;
    PooledGroup groups[POOLED_GROUPS_MAX];
} PooledModel;

/* Learn from the periods before `until`, which is none after the calendar's history. The same bits
 * with any number of ranks and threads. Memory of a rank does not grow with the series. Collective.
 */
Status pooled_learn(Comm *comm, const SeriesSet *set, int32_t until, const PooledOptions *options,
                    PooledModel *model, Error *error) VESPER_MUST_USE;
void pooled_free(PooledModel *model);

/* Doubles of `work` that pooled_forecast takes for any series of the set. */
int64_t pooled_work(const PooledModel *model, const SeriesSet *set);

/* Means of the periods [until, until + horizon), which the calendar must have, of series i, from
 * its values before `until`; dynamic columns of later periods are looked at. None is below 0; 0 in
 * a closed period, and for a series without a sale before. Horizons past the last group are
 * forecast by it. Local, safe in threads. mean [horizon]; work [pooled_work]. */
void pooled_forecast(const PooledModel *model, const SeriesSet *set, int64_t i, int32_t until,
                     int horizon, double *mean, double *work);

#endif
