/* Models of intermittent demand: values worked out by hand from the published formulas, the same
 * formulas written out over lists, and odd series. */
#include "kernel/intermittent.h"

#include "base/memory.h"
#include "base/random.h"
#include "unit/suites.h"

#include <math.h>

typedef FitOutcome Forecast(SeriesView series, int horizon, double *mean, double *work);
typedef int64_t Work(int n, int season, int horizon);

typedef struct Model {
    Forecast *forecast;
    Work *work;
} Model;

enum { CROSTON, SBA, TSB, ADIDA, IMAPA, MODELS };
static const Model models[MODELS] = {
    {croston_forecast, croston_work}, {sba_forecast, sba_work},     {tsb_forecast, tsb_work},
    {adida_forecast, adida_work},     {imapa_forecast, imapa_work},
};
enum { LONGEST = 740, HORIZON = 3 };

/* The rate that a model forecasts; all periods must have the same. work has just the room that the
 * model asks for. */
static double rate_of(int model, const double *y, int n, FitOutcome *outcome)
{
    double mean[HORIZON] = {NAN, NAN, NAN};
    double *work = mem_new(models[model].work(n, 7, HORIZON), sizeof *work);
    SeriesView series = {.y = y, .n = n, .season = 7};
    *outcome = models[model].forecast(series, HORIZON, mean, work);
    mem_free(&work);
    if (*outcome == FIT_OK)
        CU_ASSERT(mean[0] == mean[1] && mean[1] == mean[2]);
    return mean[0];
}

static void check_rate(int model, const double *y, int n, double want)
{
    FitOutcome outcome;
    double got = rate_of(model, y, n, &outcome);
    CU_ASSERT_EQUAL(outcome, FIT_OK);
    CU_ASSERT_DOUBLE_EQUAL(got, want, 1e-12 * fabs(want));
}

/* Demands 3, 5, 4 after gaps of 3, 2, 3. */
static void test_by_hand(void)
{
    const double y[] = {0, 0, 3, 0, 5, 0, 0, 4};
    double size = 3 + .1 * 2 + .1 * (4 - 3.2); /* 3.28 */
    double gap = 3 - .1 * 1 + .1 * (3 - 2.9);  /* 2.91 */
    check_rate(CROSTON, y, 8, size / gap);
    check_rate(SBA, y, 8, .95 * size / gap);
    /* Shares 0, 0, .1, .09, .181, .1629, .14661, .231949. */
    check_rate(TSB, y, 8, .231949 * 3.28);
    /* Buckets of 3, as the mean gap is 8 / 3: 8 and 4, for which all alphas do alike. */
    check_rate(ADIDA, y, 8, 7.6 / 3);
}

/* ---- written out ---- */

static double smooth_list(const double *x, int n, double alpha, double *error)
{
    double level = x[0];
    *error = 0;
    for (int t = 1; t < n; t++) {
        *error += (x[t] - level) * (x[t] - level);
        level = alpha * x[t] + (1 - alpha) * level;
    }
    return level;
}

/* Over 20,001 alphas. */
static double smooth_grid(const double *x, int n)
{
    double least = INFINITY, best = NAN;
    for (int k = 0; k <= 20000; k++) {
        double error, next = smooth_list(x, n, .1 + .2 * k / 20000, &error);
        if (error < least) {
            least = error;
            best = next;
        }
    }
    return best;
}

static double bucket_list(const double *y, int n, int level)
{
    double sums[LONGEST] = {0};
    int count = n / level;
    for (int t = n - count * level, k = 0; t < n; t++, k++)
        sums[k / level] += y[t];
    return smooth_grid(sums, count) / level;
}

/* want [MODELS] out */
static void write_out(const double *y, int n, double *want)
{
    double sizes[LONGEST], gaps[LONGEST], has[LONGEST], error;
    int count = 0, last = -1;
    for (int t = 0; t < n; t++) {
        has[t] = y[t] > 0;
        if (y[t] > 0) {
            sizes[count] = y[t];
            gaps[count++] = t - last;
            last = t;
        }
    }
    double size = smooth_list(sizes, count, .1, &error);
    want[CROSTON] = size / smooth_list(gaps, count, .1, &error);
    want[SBA] = want[CROSTON] * .95;
    want[TSB] = size * smooth_list(has, n, .1, &error);
    int level = (int)lrint((last + 1.) / count);
    want[ADIDA] = bucket_list(y, n, level);
    want[IMAPA] = 0;
    for (int k = 1; k <= level; k++)
        want[IMAPA] += bucket_list(y, n, k) / level;
}

/* A product whose demand comes in `of` periods out of 12 and drifts upwards. */
static int draw_series(uint64_t entity, double *y)
{
    Random random = random_stream(12, entity);
    int n = 1 + (int)random_below(&random, 120);
    int64_t of = 1 + random_below(&random, 11);
    for (int t = 0; t < n; t++) {
        double size = 1 + (double)random_poisson(&random, 2 + .05 * t);
        y[t] = random_below(&random, 12) < of ? size : 0;
    }
    y[(int)random_below(&random, n)] = 2;
    return n;
}

static void test_written_out(void)
{
    for (uint64_t entity = 0; entity < 12; entity++) {
        double y[LONGEST], want[MODELS];
        int n = draw_series(entity, y);
        write_out(y, n, want);
        check_rate(CROSTON, y, n, want[CROSTON]);
        check_rate(SBA, y, n, want[SBA]);
        check_rate(TSB, y, n, want[TSB]);
        for (int model = ADIDA; model <= IMAPA; model++) {
            FitOutcome outcome;
            double got = rate_of(model, y, n, &outcome);
            CU_ASSERT_DOUBLE_EQUAL(got, want[model], 1e-4 * want[model]);
        }
    }
}

/* ---- odd series ---- */

static void check_all(const double *y, int n, FitOutcome want)
{
    for (int model = 0; model < MODELS; model++) {
        FitOutcome outcome;
        double rate = rate_of(model, y, n, &outcome);
        CU_ASSERT_EQUAL(outcome, want);
        CU_ASSERT(outcome != FIT_OK || (rate >= 0 && isfinite(rate)));
    }
}

static void test_nothing(void)
{
    const double zeros[LONGEST] = {0}, negative[] = {0, -3, -1, 0};
    check_all(zeros, 0, FIT_TOO_SHORT);
    check_all(zeros, 1, FIT_NO_DEMAND);
    check_all(zeros, LONGEST, FIT_NO_DEMAND);
    check_all(negative, 4, FIT_NO_DEMAND);
}

static void test_constant(void)
{
    double y[60];
    for (int t = 0; t < 60; t++)
        y[t] = 7;
    for (int n = 1; n <= 60; n += 59) {
        for (int model = 0; model < MODELS; model++)
            check_rate(model, y, n, model == SBA ? .95 * 7 : 7);
    }
}

static void test_one_demand(void)
{
    double y[LONGEST] = {0};
    y[99] = 12;
    check_all(y, 100, FIT_OK);
    check_all(y, LONGEST, FIT_OK);
    check_rate(CROSTON, y, 200, .12);
    check_rate(TSB, y, 200, 12 * .1 * pow(.9, 100));
    check_rate(ADIDA, y, 100, .12);
}

static void test_jump(void)
{
    double y[LONGEST] = {0};
    for (int t = LONGEST - 10; t < LONGEST; t++)
        y[t] = 10;
    double gap = 1 + 730 * pow(.9, 9);
    check_all(y, LONGEST, FIT_OK);
    check_rate(CROSTON, y, LONGEST, 10 / gap);
    check_rate(TSB, y, LONGEST, 10 * (1 - pow(.9, 10)));
}

/* Below 0 is as 0. */
static void test_negative(void)
{
    for (uint64_t entity = 50; entity < 55; entity++) {
        double y[LONGEST], with[LONGEST];
        int n = draw_series(entity, y);
        for (int t = 0; t < n; t++)
            with[t] = y[t] == 0 && t % 2 == 0 ? -4 : y[t];
        for (int model = 0; model < MODELS; model++) {
            FitOutcome outcome;
            CU_ASSERT_EQUAL(rate_of(model, with, n, &outcome), rate_of(model, y, n, &outcome));
        }
    }
}

/* 2^40 times the demand, 2^40 times the forecast, to the bit. */
static void test_large(void)
{
    for (uint64_t entity = 60; entity < 65; entity++) {
        double y[LONGEST], large[LONGEST];
        int n = draw_series(entity, y);
        for (int t = 0; t < n; t++)
            large[t] = ldexp(y[t], 40);
        for (int model = 0; model < MODELS; model++) {
            FitOutcome outcome;
            double rate = rate_of(model, y, n, &outcome);
            CU_ASSERT_EQUAL(rate_of(model, large, n, &outcome), ldexp(rate, 40));
        }
    }
    const double too_large[] = {0, 1e308, 0, 1e308, 1e308, 0, 1e308, 0, 1e308, 1e308};
    FitOutcome outcome;
    (void)rate_of(ADIDA, too_large, 10, &outcome);
    CU_ASSERT_EQUAL(outcome, FIT_NOT_FINITE);
}

CU_TestInfo intermittent_tests[] = {
    {"by hand", test_by_hand},
    {"written out", test_written_out},

    {"nothing to learn from", test_nothing},
    {"constant", test_constant},
    {"one demand", test_one_demand},
    {"two years, then a jump", test_jump},
    {"negative values", test_negative},
    {"large values", test_large},
    CU_TEST_INFO_NULL,
};
