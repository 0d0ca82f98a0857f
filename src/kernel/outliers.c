/* Robust bands around one series; see outliers.h. */
#include "kernel/outliers.h"

#include <math.h>
#include <string.h>

enum {
    NEAR_LEAST = 7,    /* neighbours on either side */
    SEASONS_LEAST = 3, /* to learn a season from */
    SIZES_LEAST = 8    /* demands to judge the sizes of others by */
};
static const double NORMAL_BY_MEDIAN = 1.4826022185056018; /* 1 / the normal quantile of 3/4 */
static const double NORMAL_BY_90 = .6079568319117692;      /* 1 / the normal quantile of 95/100 */
static const double RELATIVE_FLOOR = 1e-9;                 /* of the greatest value, for numbers */
static const double ANSCOMBE = .375;

/* ---- medians ---- */

/* Known values in ascending order. */
typedef struct Sorted {
    double *values;
    int n;
} Sorted;

/* Where the first value that is not less stands. */
static int place_of(const Sorted *sorted, double value)
{
    int low = 0, high = sorted->n;
    while (low < high) {
        int middle = (low + high) / 2;
        if (sorted->values[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void sorted_add(Sorted *sorted, double value)
{
    if (isnan(value))
        return;
    int at = place_of(sorted, value);
    memmove(sorted->values + at + 1, sorted->values + at,
            (size_t)(sorted->n - at) * sizeof *sorted->values);
    sorted->values[at] = value;
    sorted->n++;
}

static void sorted_remove(Sorted *sorted, double value)
{
    if (isnan(value))
        return;
    int at = place_of(sorted, value);
    sorted->n--;
    memmove(sorted->values + at, sorted->values + at + 1,
            (size_t)(sorted->n - at) * sizeof *sorted->values);
}

static double sorted_median(const Sorted *sorted)
{
    if (sorted->n == 0)
        return NAN;
    int half = sorted->n / 2;
    double upper = sorted->values[half];
    return sorted->n % 2 == 1 ? upper : upper + .5 * (sorted->values[half - 1] - upper);
}

/* medians [n] out: of the values up to `near` places away. room [2 near + 2] */
/* NOLINTNEXTLINE(readability-non-const-parameter): `room` is changed through the window */
static void running_median(const double *values, int n, int near, double *medians, double *room)
{
    Sorted window = {room, 0};
    for (int t = 0; t < near && t < n; t++)
        sorted_add(&window, values[t]);
    for (int t = 0; t < n; t++) {
        if (t + near < n)
            sorted_add(&window, values[t + near]);
        if (t > near)
            sorted_remove(&window, values[t - near - 1]);
        medians[t] = sorted_median(&window);
    }
}

/* Partition so that values[k] is the one that sorting would put there (Hoare 1961, "Find"). */
static double select_kth(double *values, int n, int k)
{
    int low = 0, high = n - 1;
    while (low < high) {
        double pivot = values[low + (high - low) / 2];
        int i = low, j = high;
        while (i <= j) {
            while (values[i] < pivot)
                i++;
            while (values[j] > pivot)
                j--;
            if (i <= j) {
                double value = values[i];
                values[i++] = values[j];
                values[j--] = value;
            }
        }
        if (k <= j)
            high = j;
        else if (k >= i)
            low = i;
        else
            break;
    }
    return values[k];
}

/* The usual size of deviations [n], as a normal distribution's: by the median or by the 90 %
 * quantile of their sizes, whichever is more. NAN if none is known. room [n] */
static double usual_deviation(const double *deviations, int n, double *room)
{
    int known = 0;
    for (int t = 0; t < n; t++) {
        if (!isnan(deviations[t]))
            room[known++] = fabs(deviations[t]);
    }
    if (known == 0)
        return NAN;
    double median = select_kth(room, known, known / 2);
    double outer = select_kth(room, known, (int)(.9 * known));
    return fmax(NORMAL_BY_MEDIAN * median, NORMAL_BY_90 * outer);
}

/* ---- scales on which values are compared ---- */

typedef enum Scale { SCALE_PLAIN, SCALE_ROOT, SCALE_LOG } Scale;

/* Twice the root, whose deviation is 1 for Poisson's counts (Anscombe 1948); below 0 the same
 * mirrored at 0. */
static double root_of(double y)
{
    double zero = 2 * sqrt(ANSCOMBE);
    return y >= 0 ? 2 * sqrt(y + ANSCOMBE) : 2 * zero - 2 * sqrt(ANSCOMBE - y);
}

static double square_of(double x)
{
    double zero = 2 * sqrt(ANSCOMBE);
    double mirrored = 2 * zero - x;
    return x >= zero ? .25 * x * x - ANSCOMBE : ANSCOMBE - .25 * mirrored * mirrored;
}

static double to_scale(Scale scale, double y)
{
    return scale == SCALE_ROOT ? root_of(y) : scale == SCALE_LOG ? log(y) : y;
}

static double from_scale(Scale scale, double x)
{
    return scale == SCALE_ROOT ? square_of(x) : scale == SCALE_LOG ? exp(x) : x;
}

/* How values are compared, and what none can be below, in units. */
typedef struct Measure {
    Scale scale;
    double least;
    double limit; /* usual deviations */
} Measure;

/* NaN stays. */
static double units_of(const Measure *measure, double x)
{
    double y = from_scale(measure->scale, x);
    return y < measure->least ? measure->least : y;
}

static void set_band(const OutlierBand *band, int t, const Measure *measure, double x,
                     double expected, double deviation)
{
    band->expected[t] = units_of(measure, expected);
    band->low[t] = units_of(measure, expected - measure->limit * deviation);
    band->high[t] = units_of(measure, expected + measure->limit * deviation);
    band->deviation[t] = (x - expected) / deviation;
}

static bool is_ever_negative(SeriesView series)
{
    for (int t = 0; t < series.n; t++) {
        if (series.y[t] < 0)
            return true;
    }
    return false;
}

/* ---- all values ---- */

/* effects [season] out: what each place of the season adds, by the median over the seasons. room
 * [n] */
static void learn_season(const double *x, const double *level, int n, int season, double *effects,
                         double *room)
{
    for (int place = 0; place < season; place++) {
        int known = 0;
        for (int t = place; t < n; t += season) {
            if (!isnan(x[t]))
                room[known++] = x[t] - level[t];
        }
        effects[place] = known >= SEASONS_LEAST ? select_kth(room, known, known / 2) : 0;
    }
}

static double floor_of(SeriesView series, bool is_count)
{
    if (is_count)
        return 1;
    double greatest = 0;
    for (int t = 0; t < series.n; t++)
        greatest = fmax(greatest, fabs(series.y[t])); /* passes over NaN */
    return fmax(RELATIVE_FLOOR * greatest, 1e-300);
}

/* work: x [n], level [n], room [n + 2 near + 2], effects [season] */
static void judge_values(SeriesView series, const OutlierRule *rule, const OutlierBand *band,
                         double *work)
{
    int n = series.n;
    int near = series.season > NEAR_LEAST ? series.season : NEAR_LEAST;
    double *x = work, *level = work + n, *room = level + n, *effects = room + n + 2 * near + 2;
    bool is_positive = rule->is_count && !is_ever_negative(series);
    Measure measure = {.scale = rule->is_count ? SCALE_ROOT : SCALE_PLAIN,
                       .least = is_positive ? 0 : -INFINITY,
                       .limit = rule->limit};
    bool has_season = series.season > 1 && n / SEASONS_LEAST >= series.season;
    int season = has_season ? series.season : 1;
    effects[0] = 0;
    for (int t = 0; t < n; t++)
        x[t] = to_scale(measure.scale, series.y[t]);
    running_median(x, n, near, level, room);
    if (has_season) {
        learn_season(x, level, n, season, effects, room);
        for (int t = 0; t < n; t++)
            x[t] -= effects[t % season];
        running_median(x, n, near, level, room);
    }
    for (int t = 0; t < n; t++)
        band->deviation[t] = x[t] - level[t];
    double deviation = usual_deviation(band->deviation, n, room);
    deviation = fmax(deviation, floor_of(series, rule->is_count));
    for (int t = 0; t < n; t++) {
        double effect = effects[t % season];
        set_band(band, t, &measure, x[t] + effect, level[t] + effect, deviation);
    }
}

/* ---- sizes of demand ---- */

/* work: sizes [n], level [n], room [n + 2 near + 2] */
static void judge_sizes(SeriesView series, const OutlierRule *rule, const OutlierBand *band,
                        double *work)
{
    int n = series.n, count = 0;
    double *sizes = work, *level = work + n, *room = level + n;
    Measure measure = {.scale = SCALE_LOG, .least = 0, .limit = rule->limit};
    for (int t = 0; t < n; t++) {
        band->expected[t] = band->low[t] = band->high[t] = band->deviation[t] = NAN;
        if (series.y[t] > 0)
            sizes[count++] = log(series.y[t]);
    }
    if (count < SIZES_LEAST)
        return;
    running_median(sizes, count, NEAR_LEAST, level, room);
    for (int k = 0; k < count; k++)
        band->deviation[k] = sizes[k] - level[k];
    double usual = usual_deviation(band->deviation, count, room);
    for (int t = 0; t < n; t++)
        band->deviation[t] = NAN;
    for (int t = 0, k = 0; t < n; t++) {
        if (!(series.y[t] > 0))
            continue;
        double deviation = rule->is_count ? fmax(usual, exp(-.5 * level[k])) : usual;
        deviation = fmax(deviation, RELATIVE_FLOOR);
        set_band(band, t, &measure, sizes[k], level[k], deviation);
        k++;
    }
}

/* ---- both ---- */

static bool is_mostly_zero(SeriesView series)
{
    int zeros = 0, known = 0;
    for (int t = 0; t < series.n; t++) {
        known += !isnan(series.y[t]);
        zeros += series.y[t] == 0;
    }
    return 2 * zeros > known && !is_ever_negative(series);
}

int outliers_find(SeriesView series, const OutlierRule *rule, const OutlierBand *band, double *work)
{
    if (is_mostly_zero(series))
        judge_sizes(series, rule, band, work);
    else
        judge_values(series, rule, band, work);
    int found = 0;
    for (int t = 0; t < series.n; t++)
        found += outliers_is_one(band, series.y, t);
    return found;
}

int64_t outliers_work(int n, int season)
{
    int near = season > NEAR_LEAST ? season : NEAR_LEAST;
    return 3 * (int64_t)n + 2 * (int64_t)near + 2 + season;
}

int outliers_replace(double *y, int n, const OutlierBand *band)
{
    int replaced = 0;
    for (int t = 0; t < n; t++) {
        if (!outliers_is_one(band, y, t))
            continue;
        y[t] = y[t] < band->low[t] ? band->low[t] : band->high[t];
        replaced++;
    }
    return replaced;
}
