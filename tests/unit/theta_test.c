/* Theta: fits against the equations of the papers, step by step, and against all that a search
 * could have found instead. */
#include "kernel/theta.h"

#include "kernel/dynamic_theta.h"
#include "kernel/seasonality.h"
#include "unit/series_shapes.h"
#include "unit/suites.h"

#include <math.h>

enum { LONGEST = 160, HORIZON = 12 };

static void draw_series(uint64_t entity, double *y, int n, double slope)
{
    Random random = random_stream(16, entity);
    double level = 40.0;
    for (int t = 0; t < n; t++) {
        level += slope + 0.8 * random_normal(&random);
        y[t] = level + 2.0 * random_normal(&random);
    }
}

static void regress(const double *y, int n, double *intercept, double *slope)
{
    long double t1 = 0, t2 = 0, y1 = 0, ty = 0;
    for (int t = 1; t <= n; t++) {
        t1 += t;
        t2 += (long double)t * t;
        y1 += y[t - 1];
        ty += (long double)t * y[t - 1];
    }
    *slope = (double)((n * ty - t1 * y1) / (n * t2 - t1 * t1));
    *intercept = (double)((y1 - *slope * t1) / n);
}

static bool is_dynamic(ThetaVariant variant)
{
    return variant == THETA_DYNAMIC;
}

/* The models as the paper writes them, with the line found anew at each t; mean may be NULL. */
static double follow(const double *values, int n, ThetaVariant variant, double initial,
                     double alpha, double weight, double *level_out, double *mean)
{
    double y[LONGEST + HORIZON];
    double level = initial;
    double squares = 0.0;
    double all_intercept, all_slope;
    memcpy(y, values, (size_t)n * sizeof *y);
    regress(y, n, &all_intercept, &all_slope);
    for (int t = 1; t <= n + (mean ? HORIZON : 0); t++) {
        double intercept = all_intercept, slope = all_slope;
        if (is_dynamic(variant) && t > 2)
            regress(y, t - 1, &intercept, &slope);
        else if (is_dynamic(variant)) {
            intercept = t == 2 ? y[0] : 0.0;
            slope = 0.0;
        }
        double power = pow(1.0 - alpha, t - 1);
        double forecast =
            level + weight * (intercept * power + slope * (1.0 - power * (1.0 - alpha)) / alpha);
        if (t > n)
            y[t - 1] = mean[t - n - 1] = forecast;
        else if (!is_dynamic(variant) || t > 2)
            squares += pow(y[t - 1] - forecast, 2.0);
        level = alpha * y[t - 1] + (1.0 - alpha) * level;
        if (t == n)
            *level_out = level;
    }
    return squares;
}

/* Nothing near or far is better. */
static void check_best(const double *y, int n, ThetaVariant variant, const ThetaFit *fit)
{
    Random random = random_stream(17, (uint64_t)n);
    bool is_smoothing = variant == THETA_SMOOTHING;
    bool is_free = !is_smoothing;
    double least = is_smoothing ? 1e-4 : 0.1, most = is_smoothing ? 0.9999 : 0.99;
    double bound = fit->squared_errors * (1.0 - 1e-9);
    double level;
    for (int trial = 0; trial < 400; trial++) {
        double reach = pow(10.0, -4.0 * random_unit(&random));
        double alpha = fit->alpha + reach * (random_unit(&random) - 0.5);
        double weight = fit->weight + (is_free ? reach * (random_unit(&random) - 0.5) : 0.0);
        double initial = fit->initial + 50.0 * reach * random_normal(&random);
        alpha = fmin(fmax(alpha, least), most);
        weight = fmin(fmax(weight, 0.0), 1.0);
        CU_ASSERT(follow(y, n, variant, initial, alpha, weight, &level, NULL) >= bound);
    }
}

static void test_models(void)
{
    static const int lengths[] = {4, 5, 9, 30, LONGEST};
    for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++)
        for (int variant = 0; variant < THETA_VARIANTS; variant++)
            for (int kind = 0; kind < 3; kind++) {
                int n = lengths[l];
                double y[LONGEST], work[8 * LONGEST], mean[HORIZON], want[HORIZON];
                double level;
                draw_series((uint64_t)(10 * n + kind), y, n, 0.5 * (kind - 1));
                ThetaFit fit = theta_fit(y, n, (ThetaVariant)variant, work);
                double squares = follow(y, n, (ThetaVariant)variant, fit.initial, fit.alpha,
                                        fit.weight, &level, want);
                CU_ASSERT(fabs(fit.squared_errors - squares) < 1e-8 * squares + 1e-9);
                CU_ASSERT(fabs(fit.level - level) < 1e-9 * fabs(level));
                if (n > 5)
                    check_best(y, n, (ThetaVariant)variant, &fit);
                SeriesView series = {y, n, 1};
                CU_ASSERT_EQUAL(dynamic_theta_forecast(series, HORIZON, mean, work), FIT_OK);
                for (int step = 0; variant == THETA_DYNAMIC && step < HORIZON; step++)
                    CU_ASSERT(fabs(mean[step] - want[step]) < 1e-8 * fabs(want[step]));
            }
}

/* Parts of the method by themselves, put together by hand. */
static void test_two_lines(void)
{
    for (int n = 2; n <= LONGEST; n += 1 + n / 3) {
        double y[LONGEST], second[LONGEST], work[8 * LONGEST], mean[HORIZON];
        double intercept, slope;
        draw_series((uint64_t)n, y, n, 0.2);
        SeriesView series = {y, n, 1};
        regress(y, n, &intercept, &slope);
        for (int t = 0; t < n; t++)
            second[t] = 2.0 * y[t] - (intercept + slope * (t + 1));
        ThetaFit fit = theta_fit(second, n, THETA_SMOOTHING, work);
        CU_ASSERT_EQUAL(shape_forecast(theta_forecast, theta_work, series, HORIZON, mean), FIT_OK);
        for (int step = 0; step < HORIZON; step++) {
            double want = 0.5 * (intercept + slope * (n + step + 1)) + 0.5 * fit.level;
            CU_ASSERT(fabs(mean[step] - want) < 1e-10 * fabs(want));
        }
        fit = theta_fit(y, n, THETA_SMOOTHING, work);
        CU_ASSERT_EQUAL(
            shape_forecast(theta_drift_forecast, theta_drift_work, series, HORIZON, mean), FIT_OK);
        double lag = 0.0; /* (1 - (1 - alpha)^n) / alpha as a sum */
        for (int t = 0; t < n; t++)
            lag += pow(1.0 - fit.alpha, t);
        for (int step = 0; step < HORIZON; step++) {
            double want = fit.level + 0.5 * slope * (step + lag);
            CU_ASSERT(fabs(mean[step] - want) < 1e-10 * fabs(want));
        }
    }
}

/* The two forms are one where alpha is the same (Hyndman, Billah 2003): smoothing line 2 is twice
 * smoothing the series less smoothing the line, and a smoothed line lags by (1 - alpha) / alpha. */
static void test_forms_agree(void)
{
    enum { N = 150 };
    double y[N];
    double alpha = 0.3, intercept, slope;
    draw_series(5, y, N, 0.4);
    regress(y, N, &intercept, &slope);
    double level_series = y[0], level_second = 2.0 * y[0] - (intercept + slope);
    for (int t = 0; t < N; t++) {
        level_series += alpha * (y[t] - level_series);
        level_second += alpha * (2.0 * y[t] - (intercept + slope * (t + 1)) - level_second);
    }
    double lines = 0.5 * (intercept + slope * (N + 1)) + 0.5 * level_second;
    CU_ASSERT(fabs(lines - (level_series + 0.5 * slope / alpha)) < 1e-9);
}

static void test_line(void)
{
    enum { N = 50 };
    double y[N], second[N], work[8 * N], mean[HORIZON];
    for (int t = 0; t < N; t++)
        y[t] = second[t] = 7.0 + 3.0 * t;
    SeriesView series = {y, N, 1};
    ThetaFit fit = theta_fit(second, N, THETA_SMOOTHING, work);
    theta_forecast(series, HORIZON, mean, work);
    for (int step = 0; step < HORIZON; step++)
        CU_ASSERT(fabs(2.0 * mean[step] - fit.level - (7.0 + 3.0 * (N + step))) < 1e-9);
    dynamic_theta_forecast(series, HORIZON, mean, work);
    for (int step = 0; step < HORIZON; step++)
        CU_ASSERT(fabs(mean[step] - (7.0 + 3.0 * (N + step))) < 1e-6);
}

typedef struct Named {
    SeriesForecast *forecast;
    SeriesWork *work;
} Named;

static const Named named[] = {{theta_forecast, theta_work},
                              {theta_drift_forecast, theta_drift_work},
                              {dynamic_theta_forecast, dynamic_theta_work}};

static void test_season(void)
{
    enum { N = 70, SEASON = 7 };
    static const double factors[SEASON] = {0.5, 1.5, 1.0, 0.75, 1.25, 1.75, 0.25};
    double y[N], mean[HORIZON];
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        for (int t = 0; t < N; t++)
            y[t] = 20.0 * factors[t % SEASON];
        SeriesView series = {y, N, SEASON};
        CU_ASSERT_EQUAL(shape_forecast(named[i].forecast, named[i].work, series, HORIZON, mean),
                        FIT_OK);
        for (int step = 0; step < HORIZON; step++)
            CU_ASSERT(fabs(mean[step] - 20.0 * factors[(N + step) % SEASON]) < 1e-9);
    }
    /* Closed on one day: additive, exact all the same. */
    for (int t = 0; t < N; t++)
        y[t] = t % SEASON == 5 ? 0.0 : 3.0 + t % SEASON;
    dynamic_theta_forecast((SeriesView){y, N, SEASON}, HORIZON, mean, (double[5 * N]){0.0});
    for (int step = 0; step < HORIZON; step++)
        CU_ASSERT(fabs(mean[step] - y[(N + step) % SEASON]) < 1e-9);
}

/* Another unit, another forecast by the same factor; and what is added is in it, where no line is
 * drawn through a changing number of values. */
static void test_units(void)
{
    enum { N = 90 };
    double y[N], scaled[N], mean[HORIZON], other[HORIZON];
    draw_series(6, y, N, 0.3);
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        shape_forecast(named[i].forecast, named[i].work, (SeriesView){y, N, 1}, HORIZON, mean);
        for (int t = 0; t < N; t++)
            scaled[t] = 1e12 * y[t];
        shape_forecast(named[i].forecast, named[i].work, (SeriesView){scaled, N, 1}, HORIZON,
                       other);
        for (int step = 0; step < HORIZON; step++)
            CU_ASSERT(fabs(other[step] - 1e12 * mean[step]) < 1e-6 * fabs(other[step]));
        for (int t = 0; t < N; t++)
            scaled[t] = 1e6 + y[t];
        shape_forecast(named[i].forecast, named[i].work, (SeriesView){scaled, N, 1}, HORIZON,
                       other);
        for (int step = 0; step < HORIZON; step++)
            CU_ASSERT(fabs(other[step] - 1e6 - mean[step]) < 1e-4);
    }
}

static void test_shapes(void)
{
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        check_shapes(named[i].forecast, named[i].work, 1e-12);
        double mean[1], y[3] = {1.0, 2.0, 3.0};
        bool is_dynamic_one = named[i].forecast == dynamic_theta_forecast;
        for (int n = 0; n < 4; n++) {
            FitOutcome outcome =
                shape_forecast(named[i].forecast, named[i].work, (SeriesView){y, n, 1}, 1, mean);
            CU_ASSERT_EQUAL(outcome, n < 2 || is_dynamic_one ? FIT_TOO_SHORT : FIT_OK);
        }
    }
}

CU_TestInfo theta_tests[] = {
    {"models", test_models},           {"two lines", test_two_lines},
    {"forms agree", test_forms_agree}, {"line", test_line},
    {"season", test_season},           {"units", test_units},
    {"shapes", test_shapes},           CU_TEST_INFO_NULL,
};
