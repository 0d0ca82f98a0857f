/* BG/NBD and Gamma-Gamma against high-precision values (kernel_values.h) and by their properties.
 */
#include "base/memory.h"
#include "kernel/special.h"
#include "unit/kernel_values.h"
#include "unit/sample.h"
#include "unit/suites.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const double DAYS_A_WEEK = 7.0;

/* Equal but for a share of the value, or of 1 where it is smaller: sums of terms of that size. */
static bool is_near(double got, double want, double share)
{
    return fabs(got - want) <= share * fmax(1.0, fabs(want));
}

/* Equal but for a share of the value, however small. */
static bool is_same(double got, double want, double share)
{
    return fabs(got - want) <= share * fabs(want);
}

static void test_special(void)
{
    for (size_t i = 0; i < COUNT(special_values); i++) {
        const SpecialValue *value = &special_values[i];
        CU_ASSERT(
            is_near(special_log_gamma_step(value->z, value->n), value->log_gamma_step, 1e-14));
        CU_ASSERT(is_near(special_digamma_step(value->z, value->n), value->digamma_step, 1e-14));
        CU_ASSERT(is_near(special_log_gamma(value->z), value->log_gamma, 1e-14));
        CU_ASSERT(is_near(special_digamma(value->z), value->digamma, 1e-14));
    }
}

/* ---- BG/NBD ---- */

static void test_bg_nbd_likelihood(void)
{
    for (size_t i = 0; i < COUNT(bg_nbd_values); i++) {
        const BgNbdValue *value = &bg_nbd_values[i];
        const RepeatHistories one = {.n = 1,
                                     .repeats = &value->repeats,
                                     .recency_days = &value->recency_days,
                                     .age_days = &value->age_days};
        double sums[1 + BGNBD_PARAMETERS];
        bgnbd_log_likelihood(&value->model, &one, sums);
        CU_ASSERT(is_near(sums[0], value->log_likelihood, 1e-11));
        for (int p = 0; p < BGNBD_PARAMETERS; p++)
            CU_ASSERT(is_near(sums[1 + p], value->slopes[p], 1e-11));
    }
}

/* All cases of a model at once, and many times over: the lookups give what single histories do. */
static void test_bg_nbd_sums(void)
{
    enum { COPIES = 700 };
    const BgNbd *cdnow = &bg_nbd_values[0].model;
    int64_t n = 0;
    int32_t *columns[3] = {mem_new(COUNT(bg_nbd_values) * COPIES, sizeof(int32_t)),
                           mem_new(COUNT(bg_nbd_values) * COPIES, sizeof(int32_t)),
                           mem_new(COUNT(bg_nbd_values) * COPIES, sizeof(int32_t))};
    double want[1 + BGNBD_PARAMETERS] = {0};
    for (int copy = 0; copy < COPIES; copy++)
        for (size_t i = 0; i < COUNT(bg_nbd_values); i++) {
            const BgNbdValue *value = &bg_nbd_values[i];
            if (value->model.b != cdnow->b)
                continue;
            columns[0][n] = value->repeats;
            columns[1][n] = value->recency_days;
            columns[2][n++] = value->age_days;
            want[0] += value->log_likelihood;
            for (int p = 0; p < BGNBD_PARAMETERS; p++)
                want[1 + p] += value->slopes[p];
        }
    CU_ASSERT(n > 9500); /* so that both lookups are full */
    double sums[1 + BGNBD_PARAMETERS];
    const RepeatHistories all = {n, columns[0], columns[1], columns[2]};
    bgnbd_log_likelihood(cdnow, &all, sums);
    for (int p = 0; p <= BGNBD_PARAMETERS; p++)
        CU_ASSERT(is_near(sums[p], want[p], 1e-11));
    for (int column = 0; column < 3; column++)
        mem_free(&columns[column]);
}

static double orders_of(const BgNbdValue *value, double horizon_days)
{
    return bgnbd_expected_orders(&value->model, value->repeats, value->recency_days / DAYS_A_WEEK,
                                 value->age_days / DAYS_A_WEEK, horizon_days / DAYS_A_WEEK);
}

static double alive_of(const BgNbdValue *value, double age_days)
{
    return bgnbd_p_alive(&value->model, value->repeats, value->recency_days / DAYS_A_WEEK,
                         age_days / DAYS_A_WEEK);
}

static void test_bg_nbd_forecast(void)
{
    for (size_t i = 0; i < COUNT(bg_nbd_values); i++) {
        const BgNbdValue *value = &bg_nbd_values[i];
        double exponent = (value->model.r + value->repeats) * 1e-15; /* of a power in both */
        CU_ASSERT(is_same(alive_of(value, value->age_days), value->alive, 1e-13 + exponent));
        CU_ASSERT(is_same(orders_of(value, value->horizon_days), value->orders, 1e-13 + exponent));
    }
}

/* Eq. 10 solved for its 2F1, where it keeps its digits. */
static void test_bg_nbd_hypergeometric(void)
{
    int tested = 0;
    for (size_t i = 0; i < COUNT(bg_nbd_values); i++) {
        const BgNbdValue *value = &bg_nbd_values[i];
        const BgNbd *model = &value->model;
        double x = value->repeats;
        double c = model->a + model->b + x - 1.0;
        if (value->alive < 1e-200 || fabs(model->a - 1.0) < 0.01 || fabs(c) < 0.01)
            continue;
        double living = orders_of(value, value->horizon_days) / value->alive;
        double growth = 1.0 + value->horizon_days / DAYS_A_WEEK /
                                  (model->alpha + value->age_days / DAYS_A_WEEK);
        double taken = living * (model->a - 1.0) / c;
        double gauss = (1.0 - taken) * pow(growth, model->r + x);
        double lost = fmax(1.0, fabs(taken)) / fabs(1.0 - taken);
        if (!isfinite(value->gauss) || lost > 1e3)
            continue;
        tested++;
        CU_ASSERT(is_same(gauss, value->gauss, 1e-12 * lost));
    }
    CU_ASSERT(tested >= 20);
}

static double uniform(Sample *sample, double low, double high)
{
    return low + (high - low) * (double)sample_between(sample, 0, 1000000) / 1e6;
}

/* Any model and history that the contract allows; magnitudes are spread evenly. */
static BgNbdValue random_case(Sample *sample)
{
    BgNbdValue value = {
        .model = {pow(10.0, uniform(sample, -6.0, 6.0)), pow(10.0, uniform(sample, -6.0, 6.0)),
                  pow(10.0, uniform(sample, -6.0, 6.0)), pow(10.0, uniform(sample, -6.0, 6.0))}};
    if (sample_between(sample, 0, 3) == 0)
        value.model.a = uniform(sample, 0.999999, 1.000001);
    value.age_days = (int32_t)sample_between(sample, 0, sample_between(sample, 0, 1) ? 400 : 20000);
    if (value.age_days > 0 && sample_between(sample, 0, 2) > 0) {
        value.repeats = (int32_t)pow(10.0, uniform(sample, 0.0, 4.0));
        value.recency_days = (int32_t)sample_between(sample, 1, value.age_days);
    }
    return value;
}

static void test_bg_nbd_properties(void)
{
    Sample sample = {20};
    for (int i = 0; i < 3000; i++) {
        BgNbdValue value = random_case(&sample);
        double alive = alive_of(&value, value.age_days);
        CU_ASSERT(alive >= 0.0 && alive <= 1.0);
        CU_ASSERT(value.repeats > 0 || alive == 1.0);
        CU_ASSERT(alive_of(&value, value.age_days + 50.0) <= alive);
        CU_ASSERT_EQUAL(orders_of(&value, 0.0), 0.0);
        double before = 0.0;
        double before_days = 0.0;
        for (double days = 1e-3; days < 1e7; days *= 30.0) {
            double orders = orders_of(&value, days);
            CU_ASSERT(isfinite(orders));
            CU_ASSERT(orders >= before * (1.0 - 1e-10));
            /* The customer may leave: later days bring no more than earlier ones. */
            CU_ASSERT(orders * before_days <= before * days * (1.0 + 1e-10) || before_days == 0.0);
            before = orders;
            before_days = days;
        }
    }
}

static void add_slope_errors(const double *high, const double *low, const double *sums, int n,
                             int parameter, double step, double tolerance)
{
    double difference = (high[0] - low[0]) / (2.0 * step);
    CU_ASSERT(parameter < n);
    CU_ASSERT(is_near(sums[1 + parameter], difference, tolerance));
}

static void test_bg_nbd_slopes(void)
{
    enum { N = 500 };
    const double step = 1e-4;
    Sample sample = {21};
    int32_t repeats[N];
    int32_t recency[N];
    int32_t age[N];
    for (int i = 0; i < N; i++) {
        age[i] = (int32_t)sample_between(&sample, 1, 900);
        repeats[i] = (int32_t)sample_between(&sample, 0, 8);
        recency[i] = repeats[i] == 0 ? 0 : (int32_t)sample_between(&sample, 1, age[i]);
    }
    const RepeatHistories histories = {N, repeats, recency, age};
    const double at[BGNBD_PARAMETERS] = {0.7, 9.0, 0.6, 3.0};
    double sums[1 + BGNBD_PARAMETERS];
    bgnbd_log_likelihood(&(BgNbd){at[0], at[1], at[2], at[3]}, &histories, sums);
    for (int p = 0; p < BGNBD_PARAMETERS; p++) {
        double moved[2][1 + BGNBD_PARAMETERS];
        for (int side = 0; side < 2; side++) {
            double m[BGNBD_PARAMETERS] = {at[0], at[1], at[2], at[3]};
            m[p] *= exp(side == 0 ? -step : step);
            bgnbd_log_likelihood(&(BgNbd){m[0], m[1], m[2], m[3]}, &histories, moved[side]);
        }
        add_slope_errors(moved[1], moved[0], sums, BGNBD_PARAMETERS, p, step, 1e-5);
    }
}

/* ---- Gamma-Gamma ---- */

static void test_gamma_gamma_values(void)
{
    for (size_t i = 0; i < COUNT(gamma_gamma_values); i++) {
        const GammaGammaValue *value = &gamma_gamma_values[i];
        double sums[1 + GAMMA_GAMMA_PARAMETERS];
        gamma_gamma_log_likelihood(&value->model, 1, &value->purchases, &value->mean, sums);
        CU_ASSERT(is_near(sums[0], value->log_likelihood, 1e-10));
        for (int p = 0; p < GAMMA_GAMMA_PARAMETERS; p++)
            CU_ASSERT(is_near(sums[1 + p], value->slopes[p], 1e-10));
        double expected = gamma_gamma_expected_value(&value->model, value->purchases, value->mean);
        CU_ASSERT(isnan(expected) == isnan(value->expected));
        CU_ASSERT(isnan(expected) || is_same(expected, value->expected, 1e-13));
    }
}

static void test_gamma_gamma_sums(void)
{
    int32_t purchases[COUNT(gamma_gamma_values)];
    double means[COUNT(gamma_gamma_values)];
    double want[1 + GAMMA_GAMMA_PARAMETERS] = {0};
    const GammaGamma *cdnow = &gamma_gamma_values[0].model;
    int64_t n = 0;
    for (size_t i = 0; i < COUNT(gamma_gamma_values); i++) {
        const GammaGammaValue *value = &gamma_gamma_values[i];
        if (value->model.v != cdnow->v)
            continue;
        purchases[n] = value->purchases;
        means[n++] = value->mean;
        want[0] += value->log_likelihood;
        for (int p = 0; p < GAMMA_GAMMA_PARAMETERS; p++)
            want[1 + p] += value->slopes[p];
    }
    double sums[1 + GAMMA_GAMMA_PARAMETERS];
    gamma_gamma_log_likelihood(cdnow, n, purchases, means, sums);
    CU_ASSERT(n >= 7);
    for (int p = 0; p <= GAMMA_GAMMA_PARAMETERS; p++)
        CU_ASSERT(is_near(sums[p], want[p], 1e-10));
}

static void test_gamma_gamma_slopes(void)
{
    enum { N = 200 };
    const double step = 1e-4;
    Sample sample = {22};
    int32_t purchases[N];
    double means[N];
    for (int i = 0; i < N; i++) {
        purchases[i] = (int32_t)sample_between(&sample, 1, 12);
        means[i] = uniform(&sample, 0.5, 90.0);
    }
    const double at[GAMMA_GAMMA_PARAMETERS] = {5.0, 3.0, 20.0};
    double sums[1 + GAMMA_GAMMA_PARAMETERS];
    gamma_gamma_log_likelihood(&(GammaGamma){at[0], at[1], at[2]}, N, purchases, means, sums);
    for (int p = 0; p < GAMMA_GAMMA_PARAMETERS; p++) {
        double moved[2][1 + GAMMA_GAMMA_PARAMETERS];
        for (int side = 0; side < 2; side++) {
            double m[GAMMA_GAMMA_PARAMETERS] = {at[0], at[1], at[2]};
            m[p] *= exp(side == 0 ? -step : step);
            gamma_gamma_log_likelihood(&(GammaGamma){m[0], m[1], m[2]}, N, purchases, means,
                                       moved[side]);
        }
        add_slope_errors(moved[1], moved[0], sums, GAMMA_GAMMA_PARAMETERS, p, step, 1e-5);
    }
}

/* Between the mean of all and the customer's own, nearer to that the more there is of it. */
static void test_gamma_gamma_shrinks(void)
{
    const GammaGamma *cdnow = &gamma_gamma_values[0].model;
    double all = gamma_gamma_expected_value(cdnow, 0, NAN);
    CU_ASSERT(is_same(all, cdnow->p * cdnow->v / (cdnow->q - 1.0), 1e-14));
    double before = all;
    for (int32_t x = 1; x < 1000; x *= 3) {
        double value = gamma_gamma_expected_value(cdnow, x, 100.0);
        CU_ASSERT(value > before && value < 100.0);
        before = value;
    }
    CU_ASSERT(before > 99.0);
}

CU_TestInfo kernel_models_tests[] = {
    {"special functions", test_special},
    {"BG/NBD likelihood", test_bg_nbd_likelihood},
    {"BG/NBD sums", test_bg_nbd_sums},
    {"BG/NBD forecast", test_bg_nbd_forecast},
    {"BG/NBD hypergeometric function", test_bg_nbd_hypergeometric},
    {"BG/NBD properties", test_bg_nbd_properties},
    {"BG/NBD slopes", test_bg_nbd_slopes},
    {"Gamma-Gamma values", test_gamma_gamma_values},
    {"Gamma-Gamma sums", test_gamma_gamma_sums},
    {"Gamma-Gamma slopes", test_gamma_gamma_slopes},
    {"Gamma-Gamma shrinks", test_gamma_gamma_shrinks},
    CU_TEST_INFO_NULL,
};
