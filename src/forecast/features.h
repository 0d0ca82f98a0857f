/* Features: what is known at one period, the origin, about a later period of a series, in numbers
 * without a unit. Values are seen before the origin only, divided by the series' level there; the
 * calendar and dynamic columns are seen of the later period too. docs/methods/pooled.md lists them.
 *
 * Periods of a series count from its first value here. A value is known if it is finite and its
 * period is not closed. */
#ifndef VESPER_FORECAST_FEATURES_H
#define VESPER_FORECAST_FEATURES_H

#include "forecast/series.h"

#include <math.h>

enum { FEATURES_MAX = 160 };

/* Which features there are. All zero is empty. */
typedef struct FeaturePlan {
    int n;            /* the constant included, which is the first */
    int season;       /* periods; 1: none */
    int window;       /* periods that rolling windows have multiples of */
    int32_t year;     /* periods after which a longer pattern comes again; 0: none to be seen */
    int n_calendar;   /* features of a period alone */
    double *calendar; /* [(n + ahead) x n_calendar] for the periods of the calendar */
    bool is_relative[SERIES_DYNAMIC_MAX]; /* a price: by its ratio to what it was */
    double scales[SERIES_DYNAMIC_MAX];    /* of the others: makes them at most 1 */
    int n_static[SERIES_STATIC_MAX]; /* codes of a static column that have a feature; 0: none */
} FeaturePlan;

/* By what the set has, and how many periods are before `until`; the same on every rank. Collective.
 */
Status feature_plan_make(Comm *comm, const SeriesSet *set, int32_t until, FeaturePlan *plan,
                         Error *error) VESPER_MUST_USE;
void feature_plan_free(FeaturePlan *plan);

/* One series before a period, summed up so that a row of features takes no longer for a longer
 * history. */
typedef struct FeatureHistory {
    const SeriesSet *set;
    int64_t i;
    const double *values; /* of its record, at hand */
    int32_t n;            /* periods from its first value to `until` */
    int32_t offset;       /* of its first value in the calendar */
    /* Of the periods before t, [n + 1]: */
    double *known; /* how many are known */
    double *dynamic_sum[SERIES_DYNAMIC_MAX];
    double *dynamic_known[SERIES_DYNAMIC_MAX];
    /* Of the k known periods that come first, [n + 1]: */
    double *sum;       /* of values */
    double *magnitude; /* of absolute values */
    double *root;      /* of their roots */
    double *sold;      /* values other than 0 */
    double *gap;       /* periods after the last of those */
    double *steps;     /* squared, from one known period to the next */
} FeatureHistory;

/* Doubles of `work` for up to `length` periods from a series' first value to `until`. */
int64_t feature_history_work(const SeriesSet *set, int32_t length);
void feature_history_make(const FeaturePlan *plan, const SeriesSet *set, int64_t i, int32_t until,
                          FeatureHistory *history, double *work);

/* Mean magnitude of the last eight windows before the origin, drawn towards that of all periods
 * before it by one window, so that a rare sale keeps it above 0; 0 if nothing was sold. */
double feature_level(const FeaturePlan *plan, const FeatureHistory *history, int32_t origin);

/* Root of the mean squared step from one known period to the next before the origin, drawn towards
 * twice the mean magnitude by thirteen windows; above 0 where the level is. */
double feature_step(const FeaturePlan *plan, const FeatureHistory *history, int32_t origin);

/* x [plan->n] out, the target at or after the origin, the level above 0. */
void feature_row(const FeaturePlan *plan, const FeatureHistory *history, int32_t origin,
                 int32_t target, double level, double *x);

/* The last known value of the target's place in the season; else the last known one; else 0. */
double feature_naive(const FeaturePlan *plan, const FeatureHistory *history, int32_t origin,
                     int32_t target);

/* A period whose value can be learned from. */
static inline bool feature_is_known(const FeatureHistory *history, int32_t t)
{
    return history->known[t + 1] > history->known[t];
}

/* The t-th value; NaN after the last. */
static inline double feature_value(const FeatureHistory *history, int32_t t)
{
    return t < series_length(history->set, history->i) ? history->values[t] : NAN;
}

#endif
