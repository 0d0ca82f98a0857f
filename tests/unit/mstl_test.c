/* STL and MSTL: against local regressions worked out one by one, and on series whose parts are
 * known. */
#include "kernel/mstl.h"

#include "kernel/ets.h"
#include "unit/series_shapes.h"
#include "unit/suites.h"

#include <math.h>

enum { LONGEST = 260, PERIOD_MAX = 30, HORIZON = 40, EXTENDED = LONGEST + 2 * PERIOD_MAX };

static void draw_series(uint64_t entity, double *y, int n, int period)
{
    Random random = random_stream(31, entity);
    double level = 100.0;
    for (int t = 0; t < n; t++) {
        level += random_normal(&random);
        y[t] =
            level + (10.0 + 0.1 * t) * cos(2.0 * M_PI * t / period) + 3.0 * random_normal(&random);
    }
}

/* ---- STL by its description ---- */

/* Weighted least squares at `at` by the normal equations, over the `window` nearest of the n
 * values. */
static double regress_at(const double *y, int n, int window, int degree, int at)
{
    int near = window < n ? window : n;
    int left = at - near / 2;
    left = left < 0 ? 0 : left + near > n ? n - near : left;
    if (at < 0 || at >= n)
        left = at < 0 ? 0 : n - near;
    double reach = fmax(at - left, left + near - 1 - at);
    reach += window > n ? (window - n) / 2 : 0;
    long double w0 = 0, w1 = 0, w2 = 0, y0 = 0, y1 = 0;
    for (int j = left; j < left + near; j++) {
        double distance = fabs((double)(j - at));
        if (distance > 0.999 * reach)
            continue;
        double weight =
            distance <= 0.001 * reach ? 1.0 : pow(1.0 - pow(distance / reach, 3.0), 3.0);
        w0 += weight;
        w1 += weight * (j - at);
        w2 += weight * (j - at) * (j - at);
        y0 += weight * y[j];
        y1 += weight * (j - at) * y[j];
    }
    if (degree == 0)
        return (double)(y0 / w0);
    long double spread = w2 * w0 - w1 * w1;
    return (double)(spread > 0 ? (w2 * y0 - w1 * y1) / spread : y0 / w0);
}

static void smooth(const double *y, int n, int window, int degree, double *out)
{
    int jump = (window + 9) / 10;
    for (int at = 0; at < n; at++) {
        int low = at / jump * jump;
        int high = low + jump < n ? low + jump : n - 1;
        double from = regress_at(y, n, window, degree, low);
        double to = regress_at(y, n, window, degree, high);
        out[at] = low == high ? from : from + (to - from) * (at - low) / (high - low);
    }
}

static void average(const double *y, int n, int length, double *out)
{
    for (int t = 0; t + length <= n; t++) {
        out[t] = 0.0;
        for (int i = 0; i < length; i++)
            out[t] += y[t + i] / length;
    }
}

static void decompose(const double *y, int n, int period, int window, double *seasonal,
                      double *trend)
{
    static double rest[EXTENDED], cycles[EXTENDED], one[EXTENDED], two[EXTENDED], out[EXTENDED];
    int slow = (int)ceil(1.5 * period / (1.0 - 1.5 / window));
    slow += slow % 2 == 0;
    for (int t = 0; t < n; t++)
        trend[t] = 0.0;
    for (int round = 0; round < 2; round++) {
        for (int t = 0; t < n; t++)
            rest[t] = y[t] - trend[t];
        for (int place = 0; place < period; place++) {
            int count = 0;
            for (int t = place; t < n; t += period)
                one[count++] = rest[t];
            smooth(one, count, window, 0, out);
            cycles[place] = regress_at(one, count, window, 0, -1);
            cycles[place + (count + 1) * period] = regress_at(one, count, window, 0, count);
            for (int i = 0; i < count; i++)
                cycles[place + (i + 1) * period] = out[i];
        }
        average(cycles, n + 2 * period, period, one);
        average(one, n + period + 1, period, two);
        average(two, n + 2, 3, one);
        smooth(one, n, period + (period % 2 == 0), 1, two);
        for (int t = 0; t < n; t++)
            seasonal[t] = cycles[t + period] - two[t];
        for (int t = 0; t < n; t++)
            rest[t] = y[t] - seasonal[t];
        smooth(rest, n, slow, 1, trend);
    }
}

static void test_description(void)
{
    static const int periods[] = {2, 3, 4, 7, 12, 30};
    for (size_t p = 0; p < sizeof periods / sizeof *periods; p++)
        for (int n = 2 * periods[p] + 1; n <= LONGEST; n += 1 + n / 2)
            for (int window = 3; window <= 31; window += 8) {
                double y[LONGEST], seasonal[LONGEST], trend[LONGEST];
                double want_seasonal[LONGEST], want_trend[LONGEST];
                double *work = mem_new(stl_work(n, periods[p]), sizeof *work);
                draw_series((uint64_t)n, y, n, periods[p]);
                stl_decompose(y, n, periods[p], window, seasonal, trend, work);
                decompose(y, n, periods[p], window, want_seasonal, want_trend);
                for (int t = 0; t < n; t++) {
                    CU_ASSERT(fabs(seasonal[t] - want_seasonal[t]) < 1e-8);
                    CU_ASSERT(fabs(trend[t] - want_trend[t]) < 1e-8);
                }
                mem_free(&work);
            }
}

/* ---- parts that are known ---- */

static void test_known_parts(void)
{
    enum { N = 240 };
    static const int periods[2] = {7, 30};
    double y[N], seasonals[2 * N], trend[N], adjusted[N];
    double *work = mem_new(stl_work(N, 30), sizeof *work);
    for (int t = 0; t < N; t++)
        y[t] = 50.0 + 0.3 * t + 8.0 * sin(2.0 * M_PI * t / 7.0);
    mstl_decompose(y, N, 1, periods, seasonals, trend, adjusted, work);
    for (int t = 0; t < N; t++) {
        CU_ASSERT(fabs(seasonals[t] - 8.0 * sin(2.0 * M_PI * t / 7.0)) < 0.05);
        CU_ASSERT(fabs(trend[t] - (50.0 + 0.3 * t)) < 0.05);
    }
    for (int t = 0; t < N; t++)
        y[t] += 5.0 * cos(2.0 * M_PI * t / 30.0);
    mstl_decompose(y, N, 2, periods, seasonals, trend, adjusted, work);
    for (int t = 0; t < N; t++) {
        CU_ASSERT(fabs(seasonals[t] - 8.0 * sin(2.0 * M_PI * t / 7.0)) < 0.1);
        CU_ASSERT(fabs(seasonals[N + t] - 5.0 * cos(2.0 * M_PI * t / 30.0)) < 0.4);
        CU_ASSERT(fabs(seasonals[t] + seasonals[N + t] + adjusted[t] - y[t]) < 1e-12 * y[t]);
    }
    mstl_decompose(y, N, 0, periods, seasonals, trend, adjusted, work);
    CU_ASSERT_EQUAL(memcmp(adjusted, y, sizeof y), 0);
    mem_free(&work);
}

/* With one period MSTL is STL over 11 seasons. */
static void test_one_period(void)
{
    enum { N = 100 };
    static const int period = 7;
    double y[N], seasonal[N], trend[N], want_seasonal[N], want_trend[N], adjusted[N];
    double *work = mem_new(stl_work(N, period), sizeof *work);
    draw_series(3, y, N, period);
    stl_decompose(y, N, period, 11, want_seasonal, want_trend, work);
    mstl_decompose(y, N, 1, &period, seasonal, trend, adjusted, work);
    CU_ASSERT_EQUAL(memcmp(seasonal, want_seasonal, sizeof seasonal), 0);
    CU_ASSERT_EQUAL(memcmp(trend, want_trend, sizeof trend), 0);
    mem_free(&work);
}

/* ---- forecast ---- */

static FitOutcome forecast_seasons(SeriesView series, int horizon, double *mean, double *work)
{
    return mstl_forecast(series, 2, (const int[]){7, 30}, horizon, mean, work);
}

static int64_t work_seasons(int n, int season, int horizon)
{
    (void)season;
    return mstl_work(n, 30, horizon);
}

/* What the parts say, put together by hand. */
static void test_forecast(void)
{
    enum { N = 200 };
    static const int periods[2] = {7, 30};
    double y[N], seasonals[2 * N], trend[N], adjusted[N], mean[HORIZON], want[HORIZON];
    double *work = mem_new(mstl_work(N, 30, HORIZON), sizeof *work);
    draw_series(4, y, N, 7);
    CU_ASSERT_EQUAL(
        shape_forecast(forecast_seasons, work_seasons, (SeriesView){y, N, 7}, HORIZON, mean),
        FIT_OK);
    mstl_decompose(y, N, 2, periods, seasonals, trend, adjusted, work);
    CU_ASSERT_EQUAL(damped_forecast((SeriesView){adjusted, N, 1}, HORIZON, want, work), FIT_OK);
    for (int step = 0; step < HORIZON; step++) {
        int week = N + step, month = N + step;
        for (; week >= N; week -= 7)
            ;
        for (; month >= N; month -= 30)
            ;
        want[step] += seasonals[week] + seasonals[N + month];
        CU_ASSERT(fabs(mean[step] - want[step]) < 1e-9);
    }
    mem_free(&work);
}

static void test_shapes(void)
{
    double y[SHAPE_LONGEST], mean[HORIZON];
    double *work = mem_new(mstl_work(SHAPE_LONGEST, 365, HORIZON), sizeof *work);
    for (int shape = 0; shape < SHAPES; shape++)
        for (int n = 0; n <= SHAPE_LONGEST; n += 1 + n / 8) {
            shape_fill((SeriesShape)shape, y, n);
            SeriesView series = {y, n, 7};
            FitOutcome outcome =
                shape_forecast(forecast_seasons, work_seasons, series, SHAPE_HORIZON, mean);
            CU_ASSERT_EQUAL(outcome, n > 14 ? FIT_OK : FIT_NO_SEASON);
            for (int step = 0; outcome == FIT_OK && step < SHAPE_HORIZON; step++) {
                CU_ASSERT(isfinite(mean[step]));
                if (shape == SHAPE_CONSTANT || shape == SHAPE_ZERO)
                    CU_ASSERT(fabs(mean[step] - y[0]) < 1e-9);
            }
        }
    /* Seasons that are none, or too long. */
    SeriesView series = {y, SHAPE_LONGEST, 7};
    CU_ASSERT_EQUAL(mstl_forecast(series, 3, (const int[]){0, 1, 365}, 1, mean, work),
                    FIT_NO_SEASON);
    CU_ASSERT_EQUAL(mstl_forecast(series, 0, NULL, 1, mean, work), FIT_NO_SEASON);
    mem_free(&work);
}

CU_TestInfo mstl_tests[] = {
    {"description", test_description}, {"known parts", test_known_parts},
    {"one period", test_one_period},   {"forecast", test_forecast},
    {"shapes", test_shapes},           CU_TEST_INFO_NULL,
};
