/* See features.h. Each add_ function writes the features of one kind and returns where the next
 * begin. */
#include "forecast/features.h"

#include "base/civil.h"
#include "base/fault.h"
#include "base/memory.h"

#include <math.h>
#include <string.h>

static const double pi = 3.14159265358979323846;
static const double year_days = 365.25;

enum {
    N_FACTORS = 9,        /* features whose products are features */
    N_SEASON_FACTORS = 2, /* of those, of a season */
    N_WINDOWS = 5,        /* 1, 4, 8 and 13 windows, and all */
    LEVEL_WINDOWS = 8,    /* rolling windows of the level */
    STEP_WINDOWS = 13,    /* by which the usual step is drawn to what steps usually are */
    SEASONS_SEEN = 13,    /* that the share of a place in the season is taken from */
    STATIC_CODES = 12,    /* a static column of more codes has no features */
    MONTH_WAVES = 2,      /* sine and cosine of the month, its double */
    YEAR_WAVES_MAX = 3,   /* of the year */
    N_HOLIDAY = 4,        /* on the day, before, in the week before, after */
    DAYS_A_WEEK = 7,
    HOURS_A_DAY = 24
};

static const double step_usual = 2;  /* mean magnitudes */
static const double ratio_max = 16;  /* values count as at most so many times the level */
static const double product_max = 4; /* products of two as so much */
static const double growth_max = 4;  /* and ratios of means as so much */
static const double dynamic_max = 4; /* what is known of a period, in scale */
static const double place_prior = 2; /* seasons that count for no pattern */

static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

static int32_t positive_modulo(int32_t a, int32_t b)
{
    int32_t rest = a % b;
    return rest < 0 ? rest + b : rest;
}

static int32_t most(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

/* ---- the calendar ---- */

static int32_t year_periods(Frequency frequency)
{
    switch (frequency) {
    case FREQUENCY_HOURLY:
        return HOURS_A_DAY * DAYS_A_WEEK;
    case FREQUENCY_DAILY:
        return 52 * DAYS_A_WEEK;
    case FREQUENCY_WEEKLY:
        return 52;
    default:
        return 0;
    }
}

/* Waves of the year, if enough of it has been seen to tell them from a trend. */
static int year_waves(const Calendar *calendar, int32_t until)
{
    double days = 0;
    if (calendar->frequency == FREQUENCY_DAILY)
        days = until - calendar->first;
    if (calendar->frequency == FREQUENCY_WEEKLY)
        days = (double)DAYS_A_WEEK * (until - calendar->first);
    return days >= 2 * year_days ? YEAR_WAVES_MAX : 0;
}

static double *add_place(double *x, int32_t place, int32_t n)
{
    for (int32_t k = 0; k < n; k++)
        *x++ = k == place;
    return x;
}

static double *add_waves(double *x, double turns, int n)
{
    for (int k = 1; k <= n; k++) {
        *x++ = sin(2 * pi * k * turns);
        *x++ = cos(2 * pi * k * turns);
    }
    return x;
}

static double *add_month(double *x, int32_t day)
{
    int year, month, day_of_month;
    civil_from_day(day, &year, &month, &day_of_month);
    int32_t first = civil_day(year, month, 1);
    int32_t next = month == 12 ? civil_day(year + 1, 1, 1) : civil_day(year, month + 1, 1);
    return add_waves(x, (double)(day - first) / (next - first), MONTH_WAVES);
}

static bool is_holiday(const Calendar *calendar, int32_t t)
{
    return t >= 0 && t < calendar->n + calendar->ahead && calendar->holiday[t] >= 0;
}

static double *add_holidays(double *x, const Calendar *calendar, int32_t t)
{
    bool is_week_before = false;
    for (int32_t k = 2; k <= DAYS_A_WEEK; k++)
        is_week_before = is_week_before || is_holiday(calendar, t + k);
    *x++ = is_holiday(calendar, t);
    *x++ = is_holiday(calendar, t + 1);
    *x++ = is_week_before;
    *x++ = is_holiday(calendar, t - 1);
    return x;
}

/* Features of the t-th period of the calendar. */
static double *add_calendar(double *x, const FeaturePlan *plan, const Calendar *calendar,
                            int32_t until, int32_t t)
{
    int32_t period = calendar->first + t;
    if (plan->season > 1)
        x = add_place(x, positive_modulo(period, plan->season), plan->season);
    if (calendar->frequency == FREQUENCY_HOURLY) {
        int32_t hour_of_week = positive_modulo(period, HOURS_A_DAY * DAYS_A_WEEK);
        x = add_place(x, hour_of_week / HOURS_A_DAY, DAYS_A_WEEK);
    }
    if (calendar->frequency == FREQUENCY_DAILY)
        x = add_month(x, period);
    int waves = year_waves(calendar, until);
    if (waves > 0)
        x = add_waves(x, period_first_day(calendar->frequency, period) / year_days, waves);
    if (calendar->holiday && calendar->frequency == FREQUENCY_DAILY)
        x = add_holidays(x, calendar, t);
    return x;
}

/* ---- the plan ---- */

/* Statics with few codes, while there is room. */
static int plan_statics(const SeriesSet *set, int n, FeaturePlan *plan)
{
    for (int k = 0; k < set->n_static; k++) {
        int32_t codes = set->static_counts[k];
        if (codes < 2 || codes > STATIC_CODES || n + codes > FEATURES_MAX)
            continue;
        plan->n_static[k] = (int)codes;
        n += (int)codes;
    }
    return n;
}

static int fixed_features(const FeaturePlan *plan)
{
    bool has_season = plan->season > 1;
    int factors = has_season ? N_FACTORS : N_FACTORS - N_SEASON_FACTORS;
    return 1 + 2 * N_WINDOWS - 1 + 2 + 3 + 4 + (has_season ? 7 : 0) + (plan->year > 0 ? 2 : 0) +
           factors * (factors + 1) / 2;
}

/* exponents [n_dynamic] := the greatest of the values before `until` of this rank's series. */
static Status find_exponents(const SeriesSet *set, int32_t until, int64_t *exponents, Error *error)
{
    Status status = STATUS_OK;
    for (int k = 0; k < set->n_dynamic; k++)
        exponents[k] = INT32_MIN;
    for (int64_t i = 0; set->n_dynamic > 0 && i < set->n; i++) {
        int32_t n = most(until - set->start[i], 0), length = series_length(set, i);
        TRY(series_load(set, i, error));
        for (int k = 0; k < set->n_dynamic; k++) {
            const double *values = series_dynamic(set, i, k);
            for (int32_t t = 0; t < n && t < length; t++) {
                int exponent;
                if (!isfinite(values[t]) || values[t] == 0)
                    continue;
                (void)frexp(values[t], &exponent);
                exponents[k] = exponent > exponents[k] ? exponent : exponents[k];
            }
        }
    }
out:
    return status;
}

/* The power of 2 that makes the values of each dynamic column before `until`, of all series, at
 * most 1: it does not depend on who holds which. Collective. */
static Status plan_scales(Comm *comm, const SeriesSet *set, int32_t until, FeaturePlan *plan,
                          Error *error)
{
    Status status;
    int64_t exponents[SERIES_DYNAMIC_MAX];
    TRY_ALL(comm, find_exponents(set, until, exponents, error), error);
    comm_max_i64(comm, exponents, set->n_dynamic);
    for (int k = 0; k < set->n_dynamic; k++) {
        plan->is_relative[k] = strcmp(set->dynamic_names[k], "price") == 0;
        plan->scales[k] = exponents[k] > INT32_MIN ? ldexp(1, -(int)exponents[k]) : 1;
    }
out:
    return status;
}

/* Local. */
static Status plan_calendar(const Calendar *calendar, int32_t until, FeaturePlan *plan,
                            Error *error)
{
    Status status;
    int32_t periods = calendar->n + calendar->ahead;
    TRY(fault_point("forecast.features", error));
    TRY(mem_resize(&plan->calendar, (int64_t)periods * plan->n_calendar, sizeof *plan->calendar,
                   "calendar", error));
    for (int32_t t = 0; t < periods; t++)
        add_calendar(plan->calendar + (int64_t)t * plan->n_calendar, plan, calendar, until, t);
out:
    return status;
}

Status feature_plan_make(Comm *comm, const SeriesSet *set, int32_t until, FeaturePlan *plan,
                         Error *error)
{
    Status status;
    const Calendar *calendar = &set->calendar;
    double row[FEATURES_MAX];
    *plan = (FeaturePlan){.season = frequency_season(calendar->frequency)};
    plan->window = plan->season > 1 ? plan->season : 4;
    plan->year = year_periods(calendar->frequency);
    if (until - calendar->first < plan->year + plan->year / 4)
        plan->year = 0;
    plan->n_calendar = (int)(add_calendar(row, plan, calendar, until, 0) - row);
    plan->n = fixed_features(plan) + plan->n_calendar + 2 * set->n_dynamic;
    plan->n = plan_statics(set, plan->n, plan);
    TRY(plan_scales(comm, set, until, plan, error));
    TRY_ALL(comm, plan_calendar(calendar, until, plan, error), error);
out:
    return status;
}

void feature_plan_free(FeaturePlan *plan)
{
    mem_free(&plan->calendar);
    *plan = (FeaturePlan){0};
}

/* ---- a series' history ---- */

/* A dynamic value as it is averaged: a price by its logarithm. NaN: not known. */
static double dynamic_value(const FeaturePlan *plan, const FeatureHistory *history, int k,
                            int32_t t)
{
    const SeriesSet *set = history->set;
    if (t >= series_length(set, history->i) + set->calendar.ahead)
        return NAN;
    double value = series_dynamic(set, history->i, k)[t];
    if (plan->is_relative[k])
        return value > 0 && isfinite(value) ? log(value) : NAN;
    return isfinite(value) ? clamp(value * plan->scales[k], -dynamic_max, dynamic_max) : NAN;
}

int64_t feature_history_work(const SeriesSet *set, int32_t length)
{
    return ((int64_t)length + 1) * (7 + 2 * set->n_dynamic);
}

static void lay_out(const SeriesSet *set, int32_t n, FeatureHistory *history, double *work)
{
    double **arrays[] = {&history->known, &history->sum, &history->magnitude, &history->root,
                         &history->sold,  &history->gap, &history->steps};
    for (size_t k = 0; k < sizeof arrays / sizeof arrays[0]; k++, work += n + 1) {
        *arrays[k] = work;
        work[0] = 0;
    }
    for (int k = 0; k < set->n_dynamic; k++, work += 2 * (n + 1)) {
        history->dynamic_sum[k] = work;
        history->dynamic_known[k] = work + n + 1;
        work[0] = work[n + 1] = 0;
    }
}

/* Period t of a dynamic column. */
static void add_dynamic(const FeaturePlan *plan, FeatureHistory *history, int k, int32_t t)
{
    double value = dynamic_value(plan, history, k, t);
    bool is_known = !isnan(value);
    history->dynamic_sum[k][t + 1] = history->dynamic_sum[k][t] + (is_known ? value : 0);
    history->dynamic_known[k][t + 1] = history->dynamic_known[k][t] + is_known;
}

void feature_history_make(const FeaturePlan *plan, const SeriesSet *set, int64_t i, int32_t until,
                          FeatureHistory *history, double *work)
{
    int32_t n = most(until - set->start[i], 0);
    *history = (FeatureHistory){.set = set,
                                .i = i,
                                .values = series_values(set, i),
                                .n = n,
                                .offset = set->start[i] - set->calendar.first};
    lay_out(set, n, history, work);
    const bool *is_closed = set->calendar.is_closed + history->offset;
    double last = 0;
    for (int32_t t = 0, k = 0; t < n; t++) {
        double value = feature_value(history, t);
        bool is_known = isfinite(value) && !is_closed[t];
        history->known[t + 1] = history->known[t] + is_known;
        for (int j = 0; j < set->n_dynamic; j++)
            add_dynamic(plan, history, j, t);
        if (!is_known)
            continue;
        double step = k > 0 ? value - last : 0;
        last = value;
        history->sum[k + 1] = history->sum[k] + value;
        history->magnitude[k + 1] = history->magnitude[k] + fabs(value);
        history->root[k + 1] = history->root[k] + sqrt(fabs(value));
        history->sold[k + 1] = history->sold[k] + (value != 0);
        history->gap[k + 1] = value != 0 ? 0 : history->gap[k] + 1;
        history->steps[k + 1] = history->steps[k] + step * step;
        k++;
    }
}

/* Known periods before t. */
static int32_t known_before(const FeatureHistory *history, int32_t t)
{
    return (int32_t)history->known[t];
}

/* Sum of `prefix` over the known periods in [from, to), and how many there are. */
static double sum_between(const FeatureHistory *history, const double *prefix, int32_t from,
                          int32_t to, double *n)
{
    int32_t low = known_before(history, most(from, 0)), high = known_before(history, most(to, 0));
    *n = high - low;
    return prefix[high] - prefix[low];
}

/* Mean of the known values in [from, to); `otherwise` if there are none. */
static double mean_between(const FeatureHistory *history, int32_t from, int32_t to,
                           double otherwise)
{
    double n, sum = sum_between(history, history->sum, from, to, &n);
    return n > 0 ? sum / n : otherwise;
}

double feature_level(const FeaturePlan *plan, const FeatureHistory *history, int32_t origin)
{
    double n, n_all, all = sum_between(history, history->magnitude, 0, origin, &n_all);
    if (!(all > 0))
        return 0;
    double recent =
        sum_between(history, history->magnitude, origin - LEVEL_WINDOWS * plan->window, origin, &n);
    return (recent + plan->window * all / n_all) / (n + plan->window);
}

double feature_step(const FeaturePlan *plan, const FeatureHistory *history, int32_t origin)
{
    int32_t n = known_before(history, origin);
    if (n == 0)
        return 0;
    double usual = step_usual * history->magnitude[n] / n;
    double prior = (double)STEP_WINDOWS * plan->window;
    return sqrt((history->steps[n] + prior * usual * usual) / (n - 1 + prior));
}

double feature_naive(const FeaturePlan *plan, const FeatureHistory *history, int32_t origin,
                     int32_t target)
{
    int32_t seasons = (target - origin) / plan->season + 1;
    for (int32_t t = target - seasons * plan->season; t >= 0 && plan->season > 1; t -= plan->season)
        if (feature_is_known(history, t))
            return feature_value(history, t);
    for (int32_t t = origin - 1; t >= 0; t--)
        if (feature_is_known(history, t))
            return feature_value(history, t);
    return 0;
}

/* ---- a row ---- */

/* What a row is made of. */
typedef struct Row {
    const FeaturePlan *plan;
    const FeatureHistory *history;
    int32_t origin, target;
    double level;
    double means[N_WINDOWS]; /* of rolling windows, over the level */
    double factors[N_FACTORS];
    int n_factors;
} Row;

/* A feature that products are made with. */
static double factor(Row *row, double value)
{
    row->factors[row->n_factors++] = value;
    return value;
}

static double ratio(double value, double level)
{
    return clamp(value / level, -ratio_max, ratio_max);
}

/* Rolling means, plain and of roots, which one large order moves less; the last values. */
static double *add_recent(double *x, Row *row)
{
    static const int32_t windows[N_WINDOWS] = {1, 4, 8, 13, 0};
    const FeatureHistory *history = row->history;
    for (int k = 0; k < N_WINDOWS; k++) {
        int32_t from = windows[k] > 0 ? row->origin - windows[k] * row->plan->window : 0;
        double seen, roots = sum_between(history, history->root, from, row->origin, &seen);
        row->means[k] = ratio(mean_between(history, from, row->origin, row->level), row->level);
        *x++ = row->means[k];
        if (windows[k] > 0)
            *x++ = factor(row, seen > 0 ? ratio(roots / seen * (roots / seen), row->level) : 1);
    }
    factor(row, row->means[1]);
    int32_t n = known_before(history, row->origin);
    for (int32_t k = 1; k <= 3; k += 2) {
        int32_t from = most(n - k, 0);
        *x++ = ratio((history->sum[n] - history->sum[from]) / (n - from), row->level);
    }
    return x;
}

/* Where it goes, and farther for a later target. */
static double *add_trend(double *x, const Row *row)
{
    double ahead = (double)(row->target - row->origin) / row->plan->window;
    double old = row->means[3] > 0 ? row->means[3] : 1;
    double growth = clamp(row->means[1] / old, 0, growth_max);
    *x++ = growth;
    *x++ = ahead * (row->means[1] - row->means[3]);
    *x++ = ahead;
    return x;
}

/* The same place of the season in the last 1, 2, 4 and 8 seasons before the origin; its share of a
 * longer past, by itself and times recent means. */
static double *add_season(double *x, Row *row)
{
    const FeatureHistory *history = row->history;
    int32_t season = row->plan->season, seen = 0;
    int32_t t = row->target - ((row->target - row->origin) / season + 1) * season;
    double n = 0, sum = 0;
    for (; seen < SEASONS_SEEN; seen++, t -= season) {
        if (seen == 1 || seen == 2 || seen == 4 || seen == 8)
            *x++ = n > 0 ? ratio(sum / n, row->level) : row->means[1];
        if (seen == 4)
            factor(row, x[-1]);
        if (t >= 0 && feature_is_known(history, t)) {
            sum += feature_value(history, t);
            n++;
        }
    }
    double mean =
        mean_between(history, row->origin - SEASONS_SEEN * season, row->origin, row->level);
    double place = (sum + place_prior * mean) / (n + place_prior);
    double share = mean > 0 ? clamp(place / mean, 0, growth_max) : 1;
    *x++ = factor(row, ratio(place, row->level));
    *x++ = share * row->means[1];
    *x++ = share * row->means[2];
    return x;
}

/* The same time of the last year: what was sold, and how much more than a little before. */
static double *add_year(double *x, const Row *row)
{
    int32_t back = ((row->target - row->origin) / row->plan->year + 1) * row->plan->year;
    int32_t half = row->plan->window / 2, then = row->target - back;
    int32_t to = then + half + 1 < row->origin ? then + half + 1 : row->origin;
    double at = mean_between(row->history, then - half, to, NAN);
    double before = mean_between(row->history, row->origin - back - 4 * row->plan->window,
                                 row->origin - back, NAN);
    bool is_known = then - half >= 0 && !isnan(at) && !isnan(before);
    double growth =
        is_known ? clamp((at + .1 * row->level) / (before + .1 * row->level), 0, growth_max) : 1;
    *x++ = is_known ? ratio(at, row->level) : row->means[1];
    *x++ = growth * row->means[1];
    return x;
}

/* How old it is, and how rare its sales are. */
static double *add_age(double *x, Row *row)
{
    const FeatureHistory *history = row->history;
    int32_t n = known_before(history, row->origin);
    double seen,
        sold = sum_between(history, history->sold, row->origin - SEASONS_SEEN * row->plan->window,
                           row->origin, &seen);
    double share = seen > 0 ? sold / seen : 0;
    *x++ = factor(row, log1p((double)n / row->plan->window));
    *x++ = row->plan->window / ((double)n + row->plan->window);
    *x++ = factor(row, 1 - share);
    *x++ = log1p(history->gap[n] * share);
    return x;
}

/* What one of them tells depends on the others: a mean on how old and how rare a product is. */
static double *add_products(double *x, const Row *row)
{
    for (int j = 0; j < row->n_factors; j++)
        for (int k = 0; k <= j; k++)
            *x++ = clamp(row->factors[j] * row->factors[k], -product_max, product_max);
    return x;
}

/* A dynamic column: its value at the target, and around the origin, both beside what it was. */
static double *add_dynamics(double *x, const Row *row)
{
    const FeatureHistory *history = row->history;
    for (int k = 0; k < history->set->n_dynamic; k++) {
        const double *sum = history->dynamic_sum[k], *known = history->dynamic_known[k];
        int32_t from = most(row->origin - row->plan->window, 0);
        double value = dynamic_value(row->plan, history, k, row->target);
        double n = known[row->origin], recent = n - known[from];
        double mean = n > 0 ? sum[row->origin] / n : 0;
        *x++ = n > 0 && !isnan(value) ? clamp(value - mean, -dynamic_max, dynamic_max) : 0;
        *x++ = recent > 0 ? (sum[row->origin] - sum[from]) / recent - mean : 0;
    }
    return x;
}

static double *add_statics(double *x, const Row *row)
{
    const SeriesSet *set = row->history->set;
    for (int k = 0; k < set->n_static; k++)
        if (row->plan->n_static[k] > 0)
            x = add_place(x, set->statics[k][row->history->i], row->plan->n_static[k]);
    return x;
}

void feature_row(const FeaturePlan *plan, const FeatureHistory *history, int32_t origin,
                 int32_t target, double level, double *x)
{
    Row row = {
        .plan = plan, .history = history, .origin = origin, .target = target, .level = level};
    const double *calendar =
        plan->calendar + (int64_t)(history->offset + target) * plan->n_calendar;
    double *at = x;
    *at++ = 1;
    at = add_recent(at, &row);
    at = add_trend(at, &row);
    if (plan->season > 1)
        at = add_season(at, &row);
    if (plan->year > 0)
        at = add_year(at, &row);
    at = add_age(at, &row);
    for (int k = 0; k < plan->n_calendar; k++)
        *at++ = calendar[k];
    at = add_dynamics(at, &row);
    at = add_statics(at, &row);
    at = add_products(at, &row);
    vesper_assert(at - x == plan->n);
}
