/* Complex exponential smoothing against the equations with all states written down. */
#include "kernel/ces.h"

#include "kernel/seasonality.h"
#include "unit/series_shapes.h"
#include "unit/suites.h"

#include <math.h>

enum { LONGEST = 130, SEASON_MAX = 12, HORIZON = 30 };

static void draw_series(uint64_t entity, double *y, int n, int season, double noise)
{
    Random random = random_stream(22, entity);
    double level = 30.0;
    for (int t = 0; t < n; t++) {
        level += 0.3 * random_normal(&random);
        y[t] = level + 6.0 * sin(2.0 * M_PI * t / season) + noise * random_normal(&random);
    }
}

/* Parameters in the box; of the seasonal part small ones too. */
static void draw_parameters(Random *random, double *parameters)
{
    for (int i = 0; i < CES_PARAMETERS_MAX; i++)
        parameters[i] = 2.0 * random_unit(random);
    if (random_unit(random) < 0.5)
        parameters[2] *= 0.1;
}

/* ---- the equations ---- */

/* States of all times, lag periods before the first value and behind the last included. */
typedef struct History {
    int n, lag;
    double x[LONGEST + 2 * SEASON_MAX][4]; /* level, potential, seasonal level and potential */
} History;

static double one_ahead(const History *history, CesSeason season, int row)
{
    switch (season) {
    case CES_NONE:
        return history->x[row - 1][0];
    case CES_SIMPLE:
        return history->x[row - history->lag][0];
    default:
        return history->x[row - 1][0] + history->x[row - history->lag][2];
    }
}

static void move(History *history, CesSeason season, const double *p, int row, double error)
{
    double *x = history->x[row];
    const double *last = history->x[season == CES_SIMPLE ? row - history->lag : row - 1];
    const double *round = history->x[row - history->lag];
    x[0] = last[0] - (1.0 - p[1]) * last[1] + (p[0] - p[1]) * error;
    x[1] = last[0] + (1.0 - p[0]) * last[1] + (p[0] + p[1]) * error;
    x[2] = x[3] = 0.0;
    if (season == CES_PARTIAL)
        x[2] = round[2] + p[2] * error;
    if (season == CES_FULL) {
        x[2] = round[2] - (1.0 - p[3]) * round[3] + (p[2] - p[3]) * error;
        x[3] = round[2] + (1.0 - p[2]) * round[3] + (p[2] + p[3]) * error;
    }
}

static double go_through(History *history, CesSeason season, const double *p, const double *y)
{
    double squares = 0.0;
    for (int t = 0; t < history->n + history->lag; t++) {
        int row = t + history->lag;
        double error = t < history->n ? y[t] - one_ahead(history, season, row) : 0.0;
        squares += error * error;
        move(history, season, p, row, error);
    }
    return squares;
}

static void reverse(History *history, double *y)
{
    int rows = history->n + 2 * history->lag;
    for (int i = 0, j = rows - 1; i < j; i++, j--)
        for (int k = 0; k < 4; k++) {
            double kept = history->x[i][k];
            history->x[i][k] = history->x[j][k];
            history->x[j][k] = kept;
        }
    for (int i = 0, j = history->n - 1; i < j; i++, j--) {
        double kept = y[i];
        y[i] = y[j];
        y[j] = kept;
    }
}

/* Forwards, backwards, forwards; mean [HORIZON] out. */
static double follow(SeriesView series, CesSeason season, const double *p, double *mean)
{
    History history = {.n = series.n, .lag = season == CES_NONE ? 1 : series.season};
    double y[LONGEST], indices[SEASON_MAX] = {0.0};
    int averaged = season == CES_NONE ? 10 : series.season;
    double average = 0.0;
    memcpy(y, series.y, (size_t)series.n * sizeof *y);
    for (int t = 0; t < averaged; t++)
        average += y[t] / averaged;
    if (season != CES_NONE)
        season_indices(series, SEASON_ADDITIVE, indices);
    for (int row = 0; row < history.lag; row++) {
        double *x = history.x[row];
        x[0] = season == CES_SIMPLE ? y[row] : average;
        x[1] = x[0] / 1.1;
        x[2] = indices[row];
        x[3] = x[2] / 1.1;
    }
    go_through(&history, season, p, y);
    reverse(&history, y);
    go_through(&history, season, p, y);
    reverse(&history, y);
    double squares = go_through(&history, season, p, y);
    History ahead = {.n = 0, .lag = history.lag};
    for (int row = 0; row < history.lag; row++)
        memcpy(ahead.x[row], history.x[series.n + row], sizeof ahead.x[row]);
    for (int step = 0; step < HORIZON; step++) {
        mean[step] = one_ahead(&ahead, season, history.lag + step);
        move(&ahead, season, p, history.lag + step, 0.0);
    }
    return squares;
}

static void test_equations(void)
{
    static const int seasons[] = {2, 3, 7, 12};
    Random random = random_stream(23, 0);
    for (size_t s = 0; s < sizeof seasons / sizeof *seasons; s++)
        for (int season = 0; season < CES_SEASONS; season++)
            for (int trial = 0; trial < 200; trial++) {
                double y[LONGEST], mean[HORIZON], p[CES_PARAMETERS_MAX];
                double work[2 * LONGEST + 20 * SEASON_MAX + 200];
                int n = 2 * seasons[s] + (int)random_below(&random, 100) + 6;
                CU_ASSERT_FATAL((int64_t)(sizeof work / sizeof *work) >=
                                ces_work(n, seasons[s], HORIZON));
                draw_series((uint64_t)trial, y, n, seasons[s], 1.0);
                draw_parameters(&random, p);
                SeriesView series = {y, n, seasons[s]};
                double want = follow(series, (CesSeason)season, p, mean);
                double got = ces_squared_errors(series, (CesSeason)season, p, work);
                if (want < 1e12) /* beyond, the states grow without end */
                    CU_ASSERT(fabs(got - want) < 1e-7 * want);
            }
}

/* ---- stability ---- */

/* Logarithm of how much a difference in the states grows over 4,000 periods without values. */
static double growth(CesSeason season, int lag, const double *p, Random *random)
{
    enum { PERIODS = 8000 };
    History history = {.lag = lag};
    double log_size = 0.0, at_half = 0.0;
    for (int row = 0; row < lag; row++)
        for (int k = 0; k < 4; k++)
            history.x[row][k] = random_normal(random);
    for (int t = 1; t <= PERIODS; t++) {
        move(&history, season, p, lag, -one_ahead(&history, season, lag));
        double size = 0.0;
        for (int row = 1; row <= lag; row++)
            for (int k = 0; k < 4; k++)
                size = fmax(size, fabs(history.x[row][k]));
        for (int row = 0; row < lag; row++)
            for (int k = 0; k < 4; k++)
                history.x[row][k] = history.x[row + 1][k] / size;
        log_size += log(size);
        if (t == PERIODS / 2)
            at_half = log_size;
    }
    return log_size - at_half;
}

static void test_stability(void)
{
    Random random = random_stream(24, 0);
    for (int season = 0; season < CES_SEASONS; season++) {
        int stable = 0, unstable = 0;
        for (int trial = 0; trial < 120; trial++) {
            double p[CES_PARAMETERS_MAX];
            double work[4 * SEASON_MAX + 6];
            int lag = season == CES_NONE ? 1 : 2 + trial % 6;
            draw_parameters(&random, p);
            if (trial % 2 == 0) { /* most of the box is not stable with a season */
                p[0] = 1.0 + 0.5 * random_unit(&random);
                p[1] = 0.9 + 0.1 * random_unit(&random);
                p[2] = (season == CES_FULL ? 1.0 : 0.0) + 0.5 * random_unit(&random);
                p[3] = 0.9 + 0.1 * random_unit(&random);
            }
            double grows = growth((CesSeason)season, lag, p, &random);
            if (fabs(grows) < 0.5)
                continue;
            bool got = ces_is_stable((CesSeason)season, lag, p, work);
            CU_ASSERT_EQUAL(got, grows < 0.0);
            stable += got;
            unstable += !got;
        }
        CU_ASSERT(stable > 5 && unstable > 5);
    }
}

/* The three circles of the paper. */
static void test_region(void)
{
    Random random = random_stream(25, 0);
    for (int trial = 0; trial < 2000; trial++) {
        double p[CES_PARAMETERS_MAX] = {3.0 * random_unit(&random), 2.0 * random_unit(&random)};
        bool want = pow(p[0] - 2.5, 2.0) + p[1] * p[1] > 1.25 &&
                    pow(p[0] - 0.5, 2.0) + pow(p[1] - 1.0, 2.0) > 0.25 &&
                    pow(p[0] - 1.5, 2.0) + pow(p[1] - 0.5, 2.0) < 1.5;
        CU_ASSERT_EQUAL(ces_is_stable(CES_NONE, 1, p, NULL), want);
        CU_ASSERT_EQUAL(ces_is_stable(CES_SIMPLE, 7, p, NULL), want);
    }
}

/* ---- fits ---- */

static void test_fit(void)
{
    enum { N = 120, SEASON = 7 };
    Random random = random_stream(26, 0);
    double y[N], mean[HORIZON], want[HORIZON];
    double work[2 * N + 600];
    SeriesView series = {y, N, SEASON};
    for (int trial = 0; trial < 5; trial++) {
        draw_series((uint64_t)trial, y, N, SEASON, 2.0);
        double least = INFINITY;
        for (int season = 0; season < CES_SEASONS; season++) {
            CesFit fit = ces_fit(series, (CesSeason)season, work);
            double k = ces_parameter_count(fit.season) + 1.0;
            double aicc =
                N * log(fit.squared_errors) + 2.0 * k + 2.0 * k * (k + 1.0) / (N - k - 1.0);
            CU_ASSERT(fabs(fit.aicc - aicc) < 1e-9);
            CU_ASSERT(ces_is_stable(fit.season, SEASON, fit.parameters, work));
            double squares = follow(series, fit.season, fit.parameters, want);
            CU_ASSERT(fabs(squares - fit.squared_errors) < 1e-9 * squares);
            for (int near = 0; near < 300; near++) {
                double p[CES_PARAMETERS_MAX];
                double reach = pow(10.0, -3.0 * random_unit(&random));
                for (int i = 0; i < CES_PARAMETERS_MAX; i++)
                    p[i] = fmin(fmax(fit.parameters[i] + reach * random_normal(&random), 0.0), 2.0);
                if (ces_is_stable(fit.season, SEASON, p, work) && reach < 0.1)
                    CU_ASSERT(ces_squared_errors(series, fit.season, p, work) >
                              squares * (1.0 - 1e-4));
            }
            CU_ASSERT_EQUAL(ces_season_forecast(series, fit.season, HORIZON, mean, work), FIT_OK);
            for (int step = 0; step < HORIZON; step++)
                CU_ASSERT(fabs(mean[step] - want[step]) < 1e-7 * (1.0 + fabs(want[step])));
            if (fit.aicc < least) {
                least = fit.aicc;
                CU_ASSERT_EQUAL(shape_forecast(ces_forecast, ces_work, series, HORIZON, want),
                                FIT_OK);
            }
        }
    }
}

/* Begun where the fits of the shorter series ended, forecasts are near those of the plain search:
 * neither is better. */
static void test_again(void)
{
    enum { N = 240, SEASON = 7, LATER = 28, TRIALS = 8 };
    double y[N], mean[HORIZON], want[HORIZON];
    double work[2 * N + 600];
    int n_off = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        CesBefore before = {0};
        draw_series((uint64_t)(50 + trial), y, N, SEASON, 2.0);
        for (int n = N - 3 * LATER; n <= N; n += LATER) {
            SeriesView series = {y, n, SEASON};
            CU_ASSERT_EQUAL(ces_forecast(series, HORIZON, want, work), FIT_OK);
            CU_ASSERT_EQUAL(ces_forecast_again(series, HORIZON, &before, mean, work), FIT_OK);
            CU_ASSERT(n > N - 3 * LATER || memcmp(mean, want, sizeof mean) == 0);
            for (int step = 0; step < HORIZON; step++)
                n_off += fabs(mean[step] - want[step]) > 0.03 * (1.0 + fabs(want[step]));
        }
    }
    CU_ASSERT(n_off <= TRIALS * 4 * HORIZON / 20);
}

/* Where the imaginary part is 1, a level without a season is smoothed by a0 - 1. */
static void test_smoothing(void)
{
    enum { N = 100 };
    double y[N], work[2 * N + 100], mean[HORIZON];
    double p[CES_PARAMETERS_MAX] = {1.25, 1.0};
    draw_series(9, y, N, 7, 1.0);
    double level = y[0];
    for (int t = 0; t < N; t++)
        level += 0.25 * (y[t] - level);
    follow((SeriesView){y, N, 1}, CES_NONE, p, mean);
    for (int step = 0; step < HORIZON; step++)
        CU_ASSERT(fabs(mean[step] - level) < 1e-9 * level);
    CU_ASSERT(ces_squared_errors((SeriesView){y, N, 1}, CES_NONE, p, work) > 0.0);
}

static void test_season(void)
{
    enum { N = 112, SEASON = 7 };
    static const double pattern[SEASON] = {10.0, 30.0, 20.0, 15.0, 25.0, 35.0, 5.0};
    double y[N], mean[HORIZON];
    SeriesView series = {y, N, SEASON};
    for (int t = 0; t < N; t++)
        y[t] = pattern[t % SEASON];
    CU_ASSERT_EQUAL(shape_forecast(ces_forecast, ces_work, series, HORIZON, mean), FIT_OK);
    for (int step = 0; step < HORIZON; step++)
        CU_ASSERT(fabs(mean[step] - pattern[(N + step) % SEASON]) < 0.5);
}

static void test_shapes(void)
{
    double y[20] = {1.0, 2.0, 3.0}, mean[1], work[400];
    check_shapes(ces_forecast, ces_work, 1e-3);
    for (int n = 0; n < 6; n++)
        CU_ASSERT_EQUAL(shape_forecast(ces_forecast, ces_work, (SeriesView){y, n, 1}, 1, mean),
                        FIT_TOO_SHORT);
    CU_ASSERT_EQUAL(ces_season_forecast((SeriesView){y, 20, 1}, CES_FULL, 1, mean, work),
                    FIT_NO_SEASON);
    CU_ASSERT_EQUAL(ces_season_forecast((SeriesView){y, 13, 7}, CES_FULL, 1, mean, work),
                    FIT_TOO_SHORT);
    CU_ASSERT(isinf(ces_fit((SeriesView){y, 13, 7}, CES_SIMPLE, work).aicc));
}

CU_TestInfo ces_tests[] = {
    {"equations", test_equations},
    {"stability", test_stability},
    {"region", test_region},
    {"fit", test_fit},
    {"smoothing", test_smoothing},
    {"season", test_season},
    {"from a shorter series", test_again},
    {"shapes", test_shapes},
    CU_TEST_INFO_NULL,
};
