/* Measures of forecasts: by hand, with masked periods, and where they are not defined. */
#include "kernel/forecast_errors.h"

#include "base/random.h"
#include "unit/suites.h"

#include <math.h>
#include <stdbool.h>

static bool is_near(double got, double want)
{
    return fabs(got - want) <= 1e-12 * fabs(want);
}

/* Errors 1, -2, 0, 4 and a masked period. */
static const double actual[] = {3, 2, 0, 4, NAN, 100};
static const double forecast[] = {2, 4, 0, 0, 9, NAN};

static void test_by_hand(void)
{
    ForecastErrors errors = {0};
    forecast_errors_add(&errors, actual, forecast, 6);
    CU_ASSERT_EQUAL(errors.n, 4);
    CU_ASSERT(is_near(forecast_smape(&errors), 200 * (1. / 5 + 2. / 6 + 0 + 1) / 4));
    CU_ASSERT(is_near(forecast_bias(&errors), (6. - 9) / 9));
    CU_ASSERT(is_near(forecast_mase(&errors, .5), 7. / 2));
    CU_ASSERT(is_near(forecast_rmsse(&errors, 4), sqrt(21. / 16)));
}

static void test_scales(void)
{
    const double y[] = {1, 4, 2, NAN, 8, 7};
    CU_ASSERT(is_near(forecast_scale_absolute(y, 6, 1), (3. + 2 + 1) / 3));
    CU_ASSERT(is_near(forecast_scale_absolute(y, 6, 2), (1. + 6) / 2));
    CU_ASSERT(is_near(forecast_scale_absolute(y, 6, 4), (7. + 3) / 2));
    CU_ASSERT(isnan(forecast_scale_absolute(y, 6, 6)));
    CU_ASSERT(is_near(forecast_scale_squared(y, 6), (9. + 4 + 1) / 3));
    CU_ASSERT(isnan(forecast_scale_squared(y, 1)));
    CU_ASSERT(isnan(forecast_scale_squared(NULL, 0)));
}

static void test_undefined(void)
{
    const double constant[] = {5, 5, 5, 5};
    ForecastErrors errors = {0};
    CU_ASSERT(isnan(forecast_smape(&errors)) && isnan(forecast_bias(&errors)));
    forecast_errors_add(&errors, constant, constant, 4);
    CU_ASSERT_EQUAL(forecast_smape(&errors), 0);
    CU_ASSERT_EQUAL(forecast_scale_absolute(constant, 4, 1), 0);
    CU_ASSERT_EQUAL(forecast_scale_squared(constant, 4), 0);
    CU_ASSERT(isnan(forecast_mase(&errors, 0)) && isnan(forecast_rmsse(&errors, 0)));
    CU_ASSERT(isnan(forecast_mase(&errors, NAN)) && isnan(forecast_rmsse(&errors, NAN)));
    CU_ASSERT(isnan(forecast_owa(10, 1, 0, 1)));
}

/* Any split of the periods, put in one after the other, gives the same. */
static void test_split(void)
{
    enum { N = 64 };
    double y[N], f[N];
    Random random = random_stream(3, 1);
    for (int t = 0; t < N; t++) {
        y[t] = random_below(&random, 6) == 0 ? NAN : (double)random_below(&random, 50);
        f[t] = (double)random_below(&random, 50);
    }
    ForecastErrors whole = {0};
    QuantileErrors whole_quantile = {0};
    forecast_errors_add(&whole, y, f, N);
    forecast_quantile_add(&whole_quantile, .25, y, f, N);
    for (int cut = 0; cut <= N; cut += 16) {
        ForecastErrors errors = {0};
        QuantileErrors quantile = {0};
        forecast_errors_add(&errors, y, f, cut);
        forecast_errors_add(&errors, y + cut, f + cut, N - cut);
        forecast_quantile_add(&quantile, .25, y, f, cut);
        forecast_quantile_add(&quantile, .25, y + cut, f + cut, N - cut);
        CU_ASSERT_EQUAL(errors.n, whole.n);
        CU_ASSERT(is_near(forecast_mase(&errors, 2), forecast_mase(&whole, 2)));
        CU_ASSERT(is_near(forecast_rmsse(&errors, 2), forecast_rmsse(&whole, 2)));
        CU_ASSERT(is_near(forecast_smape(&errors), forecast_smape(&whole)));
        CU_ASSERT(is_near(forecast_bias(&errors), forecast_bias(&whole)));
        CU_ASSERT(is_near(forecast_pinball(&quantile), forecast_pinball(&whole_quantile)));
    }
}

/* Weekly series of M4, as published: Theta .971, Comb .926. */
static void test_owa(void)
{
    CU_ASSERT_DOUBLE_EQUAL(forecast_owa(9.093, 2.637, 9.161, 2.777), .971, .0005);
    CU_ASSERT_DOUBLE_EQUAL(forecast_owa(8.944, 2.432, 9.161, 2.777), .926, .0005);
}

static void test_quantiles(void)
{
    const double y[] = {0, 0, 3, 10, NAN}, q[] = {0, 1, 5, 4, 4};
    QuantileErrors errors = {0};
    forecast_quantile_add(&errors, .9, y, q, 5);
    CU_ASSERT_EQUAL(errors.n, 4);
    CU_ASSERT(is_near(forecast_pinball(&errors), (.1 * 1 + .1 * 2 + .9 * 6) / 4));
    QuantileErrors none = {0};
    CU_ASSERT(isnan(forecast_pinball(&none)));
}

/* The median is the constant with the least pinball loss at .5, and so on. */
static void test_least_pinball(void)
{
    const double y[] = {1, 2, 3, 5, 8, 13, 21, 34, 55, 89};
    for (int percent = 5; percent < 100; percent += 10) {
        double least = INFINITY, best = NAN;
        for (int k = 0; k < 10; k++) {
            double q[10];
            for (int t = 0; t < 10; t++)
                q[t] = y[k];
            QuantileErrors errors = {0};
            forecast_quantile_add(&errors, percent / 100., y, q, 10);
            if (forecast_pinball(&errors) < least) {
                least = forecast_pinball(&errors);
                best = y[k];
            }
        }
        CU_ASSERT_EQUAL(best, y[percent / 10]);
    }
}

CU_TestInfo forecast_errors_tests[] = {
    {"by hand", test_by_hand},
    {"scales", test_scales},
    {"undefined", test_undefined},
    {"split", test_split},
    {"owa", test_owa},
    {"quantiles", test_quantiles},
    {"least pinball", test_least_pinball},
    CU_TEST_INFO_NULL,
};
