/* Seasonality: test and indices against their definitions, adjusting and putting back. */
#include "kernel/seasonality.h"

#include "base/random.h"
#include "unit/series_shapes.h"
#include "unit/suites.h"

#include <math.h>

enum { LONGEST = 200, SEASON_MAX = 30 };

/* A level that wanders a little, times a pattern of the season. */
static void draw_series(uint64_t entity, double *y, int n, int season, double strength)
{
    Random random = random_stream(7, entity);
    double level = 50.0;
    double pattern[SEASON_MAX];
    for (int place = 0; place < season; place++)
        pattern[place] = 1.0 + strength * (random_unit(&random) - 0.5);
    for (int t = 0; t < n; t++) {
        level += random_normal(&random);
        y[t] = level * pattern[t % season] * exp(0.1 * random_normal(&random));
    }
}

/* ---- the definitions, term by term ---- */

static double autocorrelation(const double *y, int n, int lag)
{
    long double mean = 0.0L, product = 0.0L, square = 0.0L;
    for (int t = 0; t < n; t++)
        mean += y[t];
    mean /= n;
    for (int t = 0; t < n; t++)
        square += (y[t] - mean) * (y[t] - mean);
    for (int t = lag; t < n; t++)
        product += (y[t] - mean) * (y[t - lag] - mean);
    return (double)(product / square);
}

static bool is_significant(SeriesView series)
{
    double squares = 0.0;
    for (int lag = 1; lag < series.season; lag++)
        squares += pow(autocorrelation(series.y, series.n, lag), 2.0);
    double bound = 1.645 * sqrt((1.0 + 2.0 * squares) / series.n);
    return fabs(autocorrelation(series.y, series.n, series.season)) > bound;
}

/* The filter's weights written out, as R's decompose has them. */
static void indices_of(SeriesView series, SeasonKind kind, double *indices)
{
    int m = series.season;
    int n_weights = m % 2 == 0 ? m + 1 : m;
    double sum[SEASON_MAX] = {0.0};
    int count[SEASON_MAX] = {0};
    for (int t = n_weights / 2; t + n_weights / 2 < series.n; t++) {
        double average = 0.0;
        for (int i = 0; i < n_weights; i++) {
            bool is_half = m % 2 == 0 && (i == 0 || i == m);
            average += series.y[t - n_weights / 2 + i] * (is_half ? 0.5 : 1.0) / m;
        }
        sum[t % m] += kind == SEASON_ADDITIVE ? series.y[t] - average : series.y[t] / average;
        count[t % m]++;
    }
    double mean = 0.0;
    for (int place = 0; place < m; place++)
        mean += sum[place] / count[place] / m;
    for (int place = 0; place < m; place++)
        indices[place] = kind == SEASON_ADDITIVE ? sum[place] / count[place] - mean
                                                 : sum[place] / count[place] / mean;
}

static void test_definitions(void)
{
    static const int seasons[] = {2, 3, 4, 5, 7, 12, 24, 30};
    int found = 0, looked_at = 0;
    for (size_t s = 0; s < sizeof seasons / sizeof *seasons; s++)
        for (int n = 2 * seasons[s]; n <= LONGEST; n += 1 + n / 9)
            for (int strength = 0; strength < 3; strength++) {
                double y[LONGEST];
                SeriesView series = {y, n, seasons[s]};
                draw_series((uint64_t)(n * 100 + seasons[s]), y, n, seasons[s], 0.3 * strength);
                CU_ASSERT_EQUAL(season_is_significant(series), is_significant(series));
                found += season_is_significant(series);
                looked_at++;
                for (int kind = SEASON_ADDITIVE; kind <= SEASON_MULTIPLICATIVE; kind++) {
                    double got[SEASON_MAX], want[SEASON_MAX];
                    CU_ASSERT(season_indices(series, (SeasonKind)kind, got));
                    indices_of(series, (SeasonKind)kind, want);
                    for (int place = 0; place < seasons[s]; place++)
                        CU_ASSERT(fabs(got[place] - want[place]) < 1e-11);
                }
            }
    CU_ASSERT(found > looked_at / 4 && found < looked_at);
}

/* ---- a season without noise ---- */

static void test_recovery(void)
{
    enum { N = 45, SEASON = 7 };
    static const double factors[SEASON] = {0.5, 1.5, 1.0, 0.75, 1.25, 1.75, 0.25};
    double product[N], sum[N], indices[SEASON];
    for (int t = 0; t < N; t++) {
        product[t] = 20.0 * factors[t % SEASON];
        sum[t] = 3.0 + 0.25 * t + 8.0 * (factors[t % SEASON] - 1.0);
    }
    CU_ASSERT(season_indices((SeriesView){product, N, SEASON}, SEASON_MULTIPLICATIVE, indices));
    for (int place = 0; place < SEASON; place++)
        CU_ASSERT(fabs(indices[place] - factors[place]) < 1e-14);
    CU_ASSERT(season_indices((SeriesView){sum, N, SEASON}, SEASON_ADDITIVE, indices));
    for (int place = 0; place < SEASON; place++)
        CU_ASSERT(fabs(indices[place] - 8.0 * (factors[place] - 1.0)) < 1e-13);
}

/* Taken off and put back, the values themselves; ahead, the index of the place. */
static void check_adjustment(SeriesView series, SeasonRule rule, SeasonKind want)
{
    double work[LONGEST + SEASON_MAX];
    CU_ASSERT_EQUAL(season_adjust_work(series.n, series.season), series.n + series.season);
    SeasonAdjustment adjustment = season_adjust(series, rule, work);
    CU_ASSERT_EQUAL(adjustment.kind, want);
    CU_ASSERT_EQUAL(adjustment.series.n, series.n);
    CU_ASSERT_EQUAL(adjustment.series.season, 1);
    double ahead[2 * SEASON_MAX];
    for (int step = 0; step < 2 * SEASON_MAX; step++)
        ahead[step] = 3.0;
    CU_ASSERT_EQUAL(season_restore(&adjustment, 2 * SEASON_MAX, ahead), FIT_OK);
    for (int t = 0; t < series.n; t++) {
        double index = want == SEASON_NONE ? 0.0 : adjustment.indices[t % series.season];
        double back = want == SEASON_NONE       ? adjustment.series.y[t]
                      : want == SEASON_ADDITIVE ? adjustment.series.y[t] + index
                                                : adjustment.series.y[t] * index;
        CU_ASSERT(fabs(back - series.y[t]) <= 1e-14 * (fabs(back) + fabs(index)));
    }
    for (int step = 0; step < 2 * SEASON_MAX; step++) {
        int place = (series.n + step) % series.season;
        double index = want == SEASON_NONE ? 0.0 : adjustment.indices[place];
        CU_ASSERT_EQUAL(ahead[step], want == SEASON_NONE       ? 3.0
                                     : want == SEASON_ADDITIVE ? 3.0 + index
                                                               : 3.0 * index);
    }
    ahead[0] = INFINITY;
    CU_ASSERT_EQUAL(season_restore(&adjustment, 1, ahead), FIT_NOT_FINITE);
}

static void test_rules(void)
{
    enum { N = 100, SEASON = 7 };
    double y[N];
    SeriesView series = {y, N, SEASON};
    draw_series(1, y, N, SEASON, 1.5);
    check_adjustment(series, SEASON_RULE_M4, SEASON_MULTIPLICATIVE);
    check_adjustment(series, SEASON_RULE_THETA, SEASON_MULTIPLICATIVE);
    /* 3 seasons for the one rule, 2 for the other. */
    for (int n = 0; n <= 22; n++) {
        SeriesView some = {y, n, SEASON};
        bool is_seasonal = n > SEASON && is_significant(some);
        check_adjustment(some, SEASON_RULE_M4,
                         n >= 21 && is_seasonal ? SEASON_MULTIPLICATIVE : SEASON_NONE);
        check_adjustment(some, SEASON_RULE_THETA,
                         n >= 14 && is_seasonal ? SEASON_MULTIPLICATIVE : SEASON_NONE);
    }
    /* Closed on one day of the week: an index of 0. */
    for (int t = 3; t < N; t += SEASON)
        y[t] = 0.0;
    check_adjustment(series, SEASON_RULE_M4, SEASON_NONE);
    check_adjustment(series, SEASON_RULE_THETA, SEASON_ADDITIVE);
    for (int t = 3; t < N; t += SEASON)
        y[t] = 1e-3;
    check_adjustment(series, SEASON_RULE_M4, SEASON_MULTIPLICATIVE);
    check_adjustment(series, SEASON_RULE_THETA, SEASON_ADDITIVE);
    for (int t = 0; t < N; t++)
        y[t] -= 1000.0;
    check_adjustment(series, SEASON_RULE_M4, SEASON_NONE);
    check_adjustment(series, SEASON_RULE_THETA, SEASON_ADDITIVE);
    /* A season of 3 is none for the theta models. */
    draw_series(2, y, N, 3, 1.5);
    check_adjustment((SeriesView){y, N, 3}, SEASON_RULE_M4, SEASON_MULTIPLICATIVE);
    check_adjustment((SeriesView){y, N, 3}, SEASON_RULE_THETA, SEASON_NONE);
}

static void test_no_season(void)
{
    double y[LONGEST];
    double indices[SEASON_MAX];
    for (int shape = SHAPE_CONSTANT; shape <= SHAPE_ZERO; shape++) {
        shape_fill((SeriesShape)shape, y, LONGEST);
        for (int season = 1; season <= SEASON_MAX; season++) {
            check_adjustment((SeriesView){y, LONGEST, season}, SEASON_RULE_M4, SEASON_NONE);
            check_adjustment((SeriesView){y, LONGEST, season}, SEASON_RULE_THETA, SEASON_NONE);
        }
    }
    /* 0 / 0 */
    CU_ASSERT_FALSE(season_indices((SeriesView){y, LONGEST, 7}, SEASON_MULTIPLICATIVE, indices));
    CU_ASSERT(season_indices((SeriesView){y, 14, 7}, SEASON_ADDITIVE, indices));
    CU_ASSERT_FALSE(season_indices((SeriesView){y, 13, 7}, SEASON_ADDITIVE, indices));
    CU_ASSERT_FALSE(season_indices((SeriesView){y, 13, 1}, SEASON_ADDITIVE, indices));
    CU_ASSERT_FALSE(season_is_significant((SeriesView){y, 0, 7}));
}

static void test_naive2(void)
{
    enum { N = 60, SEASON = 7, HORIZON = 20 };
    double y[N], mean[HORIZON], indices[SEASON];
    SeriesView series = {y, N, SEASON};
    draw_series(3, y, N, SEASON, 1.5);
    CU_ASSERT_EQUAL(shape_forecast(naive2_forecast, naive2_work, series, HORIZON, mean), FIT_OK);
    indices_of(series, SEASON_MULTIPLICATIVE, indices);
    for (int step = 0; step < HORIZON; step++) {
        double want = y[N - 1] / indices[(N - 1) % SEASON] * indices[(N + step) % SEASON];
        CU_ASSERT(fabs(mean[step] - want) < 1e-11 * want);
    }
    CU_ASSERT_EQUAL(
        shape_forecast(naive2_forecast, naive2_work, (SeriesView){y, 0, SEASON}, HORIZON, mean),
        FIT_TOO_SHORT);
    CU_ASSERT_EQUAL(
        shape_forecast(naive2_forecast, naive2_work, (SeriesView){y, 1, SEASON}, 1, mean), FIT_OK);
    CU_ASSERT_EQUAL(mean[0], y[0]);
    check_shapes(naive2_forecast, naive2_work, 0.0);
}

CU_TestInfo seasonality_tests[] = {
    {"definitions", test_definitions}, {"recovery", test_recovery}, {"rules", test_rules},
    {"no season", test_no_season},     {"naive 2", test_naive2},    CU_TEST_INFO_NULL,
};
