/* Outliers: bands against sorting every window, planted outliers, and odd series. */
#include "kernel/outliers.h"

#include "base/memory.h"
#include "base/random.h"
#include "unit/suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 760 };
static const OutlierRule of_counts = {OUTLIERS_LIMIT_99, true};
static const OutlierRule of_numbers = {OUTLIERS_LIMIT_99, false};

typedef struct Judged {
    double expected[LONGEST], low[LONGEST], high[LONGEST], deviation[LONGEST];
    OutlierBand band;
    int found;
} Judged;

static void judge(Judged *judged, const double *y, int n, int season, const OutlierRule *rule)
{
    double *work = mem_new(outliers_work(n, season), sizeof *work);
    judged->band = (OutlierBand){judged->expected, judged->low, judged->high, judged->deviation};
    SeriesView series = {.y = y, .n = n, .season = season};
    judged->found = outliers_find(series, rule, &judged->band, work);
    mem_free(&work);
    int outside = 0;
    for (int t = 0; t < n; t++) {
        bool is_one = outliers_is_one(&judged->band, y, t);
        outside += is_one;
        CU_ASSERT(!(judged->low[t] > judged->high[t]));
        CU_ASSERT(!is_one || (judged->deviation[t] > 0) == (y[t] > judged->expected[t]));
        CU_ASSERT(!is_one || fabs(judged->deviation[t]) > rule->limit * (1 - 1e-9) ||
                  judged->low[t] == 0);
    }
    CU_ASSERT_EQUAL(outside, judged->found);
}

/* ---- by sorting ---- */

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double sorted_median(const double *y, int from, int to)
{
    double values[LONGEST];
    int n = 0;
    for (int t = from; t <= to; t++) {
        if (!isnan(y[t]))
            values[n++] = y[t];
    }
    qsort(values, (size_t)n, sizeof *values, compare_doubles);
    return n == 0 ? NAN : n % 2 ? values[n / 2] : .5 * (values[n / 2 - 1] + values[n / 2]);
}

static double gap_between(double a, double b)
{
    return isnan(a) && isnan(b) ? 0 : fabs(a - b);
}

static void test_windows(void)
{
    static const int lengths[] = {1, 2, 7, 8, 15, 16, 200};
    for (uint64_t k = 0; k < 7; k++) {
        Random random = random_stream(9, k);
        double y[LONGEST];
        int n = lengths[k];
        for (int t = 0; t < n; t++)
            y[t] = random_below(&random, 5) == 0 ? NAN : (double)random_below(&random, 40) + 1;
        Judged judged;
        judge(&judged, y, n, 1, &of_numbers);
        for (int t = 0; t < n; t++) {
            double want = sorted_median(y, t > 7 ? t - 7 : 0, t + 7 < n ? t + 7 : n - 1);
            CU_ASSERT(gap_between(judged.expected[t], want) < 1e-9);
        }
    }
}

/* ---- planted ---- */

static void draw_counts(double *y, int n, double mean, uint64_t entity)
{
    Random random = random_stream(10, entity);
    for (int t = 0; t < n; t++)
        y[t] = (double)random_poisson(&random, mean);
}

static void test_planted(void)
{
    static const double means[] = {3, 20, 400};
    for (uint64_t k = 0; k < 3; k++) {
        double y[400];
        draw_counts(y, 400, means[k], k);
        Judged judged;
        judge(&judged, y, 400, 1, &of_counts);
        CU_ASSERT(judged.found <= 400 * 2 / 100);
        for (int t = 40; t < 400; t += 80)
            y[t] = ceil(means[k] + 8 * sqrt(means[k]) + 4);
        judge(&judged, y, 400, 1, &of_counts);
        for (int t = 40; t < 400; t += 80)
            CU_ASSERT(judged.deviation[t] > 3 && outliers_is_one(&judged.band, y, t));
        CU_ASSERT(judged.found <= 5 + 400 * 2 / 100);
    }
}

/* A Sunday in place of a Monday is one, Sundays are not. */
static void test_season(void)
{
    double y[140];
    draw_counts(y, 140, 30, 7);
    for (int t = 6; t < 140; t += 7)
        y[t] += 200;
    Judged judged;
    judge(&judged, y, 140, 7, &of_counts);
    CU_ASSERT(judged.found <= 4);
    y[71] = 200;
    judge(&judged, y, 140, 7, &of_counts);
    CU_ASSERT(outliers_is_one(&judged.band, y, 71));
    y[71] = 30;
    y[69] = 30; /* a Sunday like a Monday */
    judge(&judged, y, 140, 7, &of_counts);
    CU_ASSERT(outliers_is_one(&judged.band, y, 69) && judged.deviation[69] < 0);
}

/* A new level is no outlier, however far away. */
static void test_new_level(void)
{
    double y[200];
    for (int t = 0; t < 200; t++)
        y[t] = (t < 100 ? 100 : 5000) + t % 3;
    Judged judged;
    judge(&judged, y, 200, 1, &of_counts);
    CU_ASSERT_EQUAL(judged.found, 0);
}

static void test_sizes(void)
{
    double y[300] = {0};
    Random random = random_stream(11, 1);
    for (int t = 0; t < 300; t += 3)
        y[t] = 12 * (1 + (double)random_below(&random, 3));
    y[150] = 5000;
    Judged judged;
    judge(&judged, y, 300, 7, &of_counts);
    CU_ASSERT(outliers_is_one(&judged.band, y, 150) && judged.found == 1);
    CU_ASSERT(isnan(judged.expected[151]));
    double replaced[300];
    memcpy(replaced, y, sizeof y);
    CU_ASSERT_EQUAL(outliers_replace(replaced, 300, &judged.band), 1);
    CU_ASSERT(replaced[150] > 36 && replaced[150] < 1000);
    CU_ASSERT(replaced[149] == y[149] && replaced[151] == y[151] && replaced[153] == y[153]);
}

/* ---- odd series ---- */

static void test_none(void)
{
    double y[LONGEST] = {0};
    Judged judged;
    judge(&judged, y, 0, 7, &of_counts);
    CU_ASSERT_EQUAL(judged.found, 0);
    judge(&judged, y, 1, 7, &of_counts);
    CU_ASSERT_EQUAL(judged.found, 0);
    judge(&judged, y, LONGEST, 7, &of_counts);
    CU_ASSERT_EQUAL(judged.found, 0);
    y[300] = 9; /* one demand is nothing to compare by */
    judge(&judged, y, LONGEST, 7, &of_counts);
    CU_ASSERT_EQUAL(judged.found, 0);
    for (int t = LONGEST - 30; t < LONGEST; t++)
        y[t] = 50 + t % 2; /* two years of nothing, then a jump */
    y[300] = 0;
    judge(&judged, y, LONGEST, 7, &of_counts);
    CU_ASSERT_EQUAL(judged.found, 0);
    for (int t = 0; t < LONGEST; t++)
        y[t] = NAN;
    judge(&judged, y, LONGEST, 7, &of_numbers);
    CU_ASSERT_EQUAL(judged.found, 0);
    CU_ASSERT(isnan(judged.expected[5]));
}

static void test_constant(void)
{
    static const double values[] = {1, 7, -3, 1e-3, 1e12};
    for (int k = 0; k < 5; k++) {
        double y[100];
        for (int t = 0; t < 100; t++)
            y[t] = values[k];
        Judged judged;
        for (int rule = 0; rule < 2; rule++) {
            judge(&judged, y, 100, 7, rule ? &of_counts : &of_numbers);
            CU_ASSERT_EQUAL(judged.found, rule && values[k] < 0 ? judged.found : 0);
        }
        y[50] = values[k] + fabs(values[k]);
        judge(&judged, y, 100, 7, &of_numbers);
        CU_ASSERT(judged.found == 1 && judged.deviation[50] > 100);
        CU_ASSERT_EQUAL(outliers_replace(y, 100, &judged.band), 1);
        CU_ASSERT_DOUBLE_EQUAL(y[50], values[k], 1e-7 * fabs(values[k]));
    }
}

static void test_negative(void)
{
    double y[100];
    draw_counts(y, 100, 5, 3);
    y[60] = -40;
    Judged judged;
    judge(&judged, y, 100, 1, &of_counts);
    CU_ASSERT(outliers_is_one(&judged.band, y, 60) && judged.deviation[60] < -3);
    CU_ASSERT_EQUAL(outliers_replace(y, 100, &judged.band), judged.found);
    CU_ASSERT(y[60] >= 0);
    for (int t = 0; t < 100; t++)
        y[t] = -1000 + t % 5;
    y[20] = -900;
    judge(&judged, y, 100, 1, &of_numbers);
    CU_ASSERT(judged.found == 1 && outliers_is_one(&judged.band, y, 20));
}

/* Nobody asks for fewer than no pieces: where the season takes the level below 0, and where
 * rounding does. */
static void test_none_below_zero(void)
{
    for (uint64_t entity = 0; entity < 40; entity++) {
        Random random = random_stream(12, entity);
        double y[210];
        for (int t = 0; t < 210; t++) {
            bool is_asked = t % 7 != 6 || random_below(&random, 20) == 0;
            y[t] = is_asked ? (double)random_poisson(&random, t < 105 ? 40 : 1) : 0;
        }
        Judged judged;
        judge(&judged, y, 210, 7, &of_counts);
        for (int t = 0; t < 210; t++) {
            CU_ASSERT(judged.expected[t] >= 0 && judged.low[t] >= 0);
            CU_ASSERT(judged.low[t] <= judged.expected[t] && judged.expected[t] <= judged.high[t]);
        }
    }
}

/* Numbers times 2^30: the same ones, and the band times 2^30. */
static void test_scale(void)
{
    double y[200], large[200];
    draw_counts(y, 200, 50, 4);
    y[33] = 500;
    for (int t = 0; t < 200; t++)
        large[t] = ldexp(y[t], 30);
    Judged judged, larger;
    judge(&judged, y, 200, 7, &of_numbers);
    judge(&larger, large, 200, 7, &of_numbers);
    CU_ASSERT(judged.found >= 1 && judged.found == larger.found);
    for (int t = 0; t < 200; t++)
        CU_ASSERT_EQUAL(larger.high[t], ldexp(judged.high[t], 30));
}

CU_TestInfo outliers_tests[] = {
    {"windows", test_windows},
    {"planted", test_planted},
    {"season", test_season},
    {"a new level", test_new_level},
    {"sizes of demand", test_sizes},
    {"none", test_none},
    {"constant", test_constant},
    {"negative", test_negative},
    {"none below 0", test_none_below_zero},
    {"any scale", test_scale},
    CU_TEST_INFO_NULL,
};
