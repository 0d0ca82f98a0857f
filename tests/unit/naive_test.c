/* Forecasts without a model, against the definition written out. */
#include "kernel/naive.h"

#include "base/memory.h"
#include "base/random.h"
#include "unit/suites.h"

#include <math.h>

enum { LONGEST = 70, HORIZON = 40, MODELS = 4 };

typedef FitOutcome Forecast(SeriesView series, int horizon, double *mean, double *work);

static Forecast *const FORECASTS[MODELS] = {naive_forecast, seasonal_naive_forecast,
                                            moving_average_forecast, seasonal_mean_forecast};

/* What the h-th (from 0) of model `model` should be; values are taken from a list made of all that
 * count. */
static double expected(int model, SeriesView series, int h)
{
    bool is_seasonal = model == 1 || model == 3;
    int wanted = model < 2 ? 1 : NAIVE_MEAN_SEASONS;
    if (model == 2) {
        wanted = series.season > 1 ? NAIVE_AVERAGE_SEASONS * series.season : NAIVE_AVERAGE_PERIODS;
        if (series.season > 1 && wanted > series.n && series.n >= series.season)
            wanted = series.n / series.season * series.season;
    }
    double sum = 0.0;
    int found = 0;
    for (int t = series.n - 1; t >= 0 && found < wanted; t--)
        if (!is_seasonal || t % series.season == (series.n + h) % series.season) {
            sum += series.y[t];
            found++;
        }
    return sum / found;
}

static void test_definition(void)
{
    Random random = random_stream(1, 1);
    double y[LONGEST];
    double mean[HORIZON];
    for (int i = 0; i < LONGEST; i++)
        y[i] = 100.0 * random_normal(&random);
    for (int n = 0; n <= LONGEST; n++)
        for (int season = 0; season <= 13; season++)
            for (int model = 0; model < MODELS; model++) {
                SeriesView series = {.y = y + LONGEST - n, .n = n, .season = season};
                FitOutcome want = FIT_OK;
                if ((model == 1 || model == 3) && season <= 1)
                    want = FIT_NO_SEASON;
                else if (n == 0 || ((model == 1 || model == 3) && n < season))
                    want = FIT_TOO_SHORT;
                CU_ASSERT_EQUAL(FORECASTS[model](series, HORIZON, mean, NULL), want);
                for (int h = 0; h < HORIZON && want == FIT_OK; h++)
                    CU_ASSERT_DOUBLE_EQUAL(mean[h], expected(model, series, h), 1e-9);
            }
}

static void test_edges(void)
{
    static const double constants[] = {0.0, 0.1, -3.3, 1e12, 1e-300};
    double y[LONGEST];
    double mean[HORIZON];
    for (int c = 0; c < 5; c++)
        for (int model = 0; model < MODELS; model++) {
            for (int i = 0; i < LONGEST; i++)
                y[i] = constants[c];
            SeriesView series = {.y = y, .n = LONGEST, .season = 7};
            CU_ASSERT_EQUAL(FORECASTS[model](series, HORIZON, mean, NULL), FIT_OK);
            for (int h = 0; h < HORIZON; h++)
                CU_ASSERT_EQUAL(mean[h], constants[c]);
            CU_ASSERT_EQUAL(FORECASTS[model](series, 0, NULL, NULL), FIT_OK);
            y[LONGEST - 2] = 1.7e308;
            y[LONGEST - 9] = y[LONGEST - 16] = -1.7e308;
            FitOutcome outcome = FORECASTS[model](series, HORIZON, mean, NULL);
            CU_ASSERT(outcome == FIT_OK || outcome == FIT_NOT_FINITE);
        }
    for (int model = 0; model < MODELS; model++) {
        SeriesView one = {.y = (const double[]){5.0}, .n = 1, .season = 1};
        bool is_seasonal = model == 1 || model == 3;
        CU_ASSERT_EQUAL(FORECASTS[model](one, 3, mean, NULL), is_seasonal ? FIT_NO_SEASON : FIT_OK);
        CU_ASSERT(is_seasonal || mean[2] == 5.0);
    }
    CU_ASSERT_EQUAL(naive_work(9, 7, 5) + seasonal_naive_work(9, 7, 5) +
                        moving_average_work(9, 7, 5) + seasonal_mean_work(9, 7, 5),
                    0);
}

CU_TestInfo naive_tests[] = {
    {"definition", test_definition}, {"edges", test_edges}, CU_TEST_INFO_NULL};
