/* Maximum likelihood: known answers, recovery of the parameters that data were drawn with, and data
 * that tell nothing. */
#include "base/memory.h"
#include "base/random.h"
#include "kernel/bgnbd.h"
#include "kernel/gamma_gamma.h"
#include "kernel/maximum_likelihood.h"
#include "unit/suites.h"

#include <math.h>

static bool is_same(double got, double want, double share)
{
    return fabs(got - want) <= share * fabs(want);
}

/* ---- known answers ---- */

/* Events that came `count` times in `exposure`: Poisson; the maximum is count / exposure and its
 * standard error sqrt(count) / exposure. One parameter for each of n pairs. */
typedef struct Counted {
    int n;
    double count[LIKELIHOOD_PARAMETERS_MAX];
    double exposure[LIKELIHOOD_PARAMETERS_MAX];
} Counted;

static void poisson_likelihood(const double *parameters, double *sums, void *context)
{
    const Counted *counted = context;
    sums[0] = 0.0;
    for (int i = 0; i < counted->n; i++) {
        double expected = parameters[i] * counted->exposure[i];
        sums[0] += counted->count[i] * log(expected) - expected;
        sums[1 + i] = counted->count[i] - expected;
    }
}

static void test_known_answers(void)
{
    Counted counted = {.n = LIKELIHOOD_PARAMETERS_MAX,
                       .count = {1, 10, 100, 1000, 1e5, 1e7, 1e9, 3},
                       .exposure = {1, 2, 3e-3, 50, 10, 1e4, 2, 3000}};
    for (int n = 1; n <= counted.n; n++) {
        Counted some = counted;
        some.n = n;
        double parameters[LIKELIHOOD_PARAMETERS_MAX] = {1, 1, 1e4, 1, 1e3, 1, 1e7, 1};
        LikelihoodFit fit = maximise_likelihood(poisson_likelihood, &some, n, parameters);
        CU_ASSERT(fit.converged);
        CU_ASSERT(fit.evaluations < 250);
        for (int i = 0; i < n; i++) {
            double error = sqrt(some.count[i]) / some.exposure[i];
            CU_ASSERT(fabs(parameters[i] - some.count[i] / some.exposure[i]) < 1e-4 * error);
            CU_ASSERT(is_same(fit.standard_errors[i], error, 1e-4));
        }
    }
}

/* Gamma's shape and rate, which go together: the normal equation ln k - psi(k) = ln(mean) - mean of
 * the logarithms has the solution k = 2 for these sums (psi(2) = 1 - Euler's constant). */
static void gamma_likelihood(const double *parameters, double *sums, void *context)
{
    const double *n = context;
    double mean = 3.0;
    double log_mean = log(mean) - log(2.0) + 1.0 - 0.57721566490153286;
    double k = parameters[0];
    double rate = parameters[1];
    double step = 1e-5; /* psi by a difference is enough: 1e-10 */
    double digamma = (lgamma(k * (1 + step)) - lgamma(k * (1 - step))) / (2 * k * step);
    sums[0] = *n * (k * log(rate) - lgamma(k) + (k - 1.0) * log_mean - rate * mean);
    sums[1] = *n * k * (log(rate) - digamma + log_mean);
    sums[2] = *n * (k - rate * mean);
}

static void test_correlated(void)
{
    const double trigamma = M_PI * M_PI / 6.0 - 1.0; /* psi'(2) */
    for (double n = 100.0; n < 1e10; n *= 1e4) {
        double parameters[2] = {1.0, 1.0};
        LikelihoodFit fit = maximise_likelihood(gamma_likelihood, &n, 2, parameters);
        CU_ASSERT(fit.converged);
        CU_ASSERT(is_same(parameters[0], 2.0, 1e-6));
        CU_ASSERT(is_same(parameters[1], 2.0 / 3.0, 1e-6));
        /* The inverse of n {{psi', -1 / rate}, {-1 / rate, k / rate^2}}. */
        CU_ASSERT(is_same(fit.standard_errors[0], sqrt(2.0 / (n * (2.0 * trigamma - 1.0))), 1e-4));
        CU_ASSERT(is_same(fit.standard_errors[1],
                          2.0 / 3.0 * sqrt(trigamma / (n * (2.0 * trigamma - 1.0))), 1e-4));
    }
}

static void rising_likelihood(const double *parameters, double *sums, void *context)
{
    (void)context;
    sums[0] = log(parameters[0]);
    sums[1] = 1.0;
}

static void flat_likelihood(const double *parameters, double *sums, void *context)
{
    (void)parameters;
    (void)context;
    sums[0] = -7.0;
    sums[1] = sums[2] = 0.0;
}

static void broken_likelihood(const double *parameters, double *sums, void *context)
{
    (void)parameters;
    (void)context;
    sums[0] = sums[1] = sums[2] = NAN;
}

static void test_no_maximum(void)
{
    double parameters[2] = {2.0, 2.0};
    LikelihoodFit fit = maximise_likelihood(rising_likelihood, NULL, 1, parameters);
    CU_ASSERT(!fit.converged);
    CU_ASSERT(parameters[0] > 1e6 && parameters[0] < 2.0001e6);
    CU_ASSERT(isnan(fit.standard_errors[0]));
    parameters[0] = 2.0;
    fit = maximise_likelihood(flat_likelihood, NULL, 2, parameters);
    CU_ASSERT(!fit.converged);
    CU_ASSERT(is_same(parameters[0], 2.0, 1e-12) && is_same(parameters[1], 2.0, 1e-12));
    CU_ASSERT_EQUAL(fit.log_likelihood, -7.0);
    fit = maximise_likelihood(broken_likelihood, NULL, 2, parameters);
    CU_ASSERT(!fit.converged);
    CU_ASSERT(is_same(parameters[0], 2.0, 1e-12) && is_same(parameters[1], 2.0, 1e-12));
}

/* ---- customers drawn from the models ---- */

typedef struct Customers {
    int64_t n;
    int32_t *repeats, *recency_days, *age_days;
    int64_t n_repeaters;
    int32_t *purchases; /* of those who came back, with the mean value of those purchases */
    double *means;
} Customers;

static void customers_new(Customers *customers, int64_t n)
{
    *customers = (Customers){.n = n,
                             .repeats = mem_new(n, sizeof(int32_t)),
                             .recency_days = mem_new(n, sizeof(int32_t)),
                             .age_days = mem_new(n, sizeof(int32_t)),
                             .purchases = mem_new(n, sizeof(int32_t)),
                             .means = mem_new(n, sizeof(double))};
}

static void customers_free(Customers *customers)
{
    mem_free(&customers->repeats);
    mem_free(&customers->recency_days);
    mem_free(&customers->age_days);
    mem_free(&customers->purchases);
    mem_free(&customers->means);
}

static double random_beta(Random *random, double a, double b)
{
    double left = random_gamma(random, a, 1.0);
    double right = random_gamma(random, b, 1.0);
    return left / (left + right);
}

/* Customer i, in the shape of the CDNOW sample: 39 weeks, first purchases in the first 12. */
static void draw_customer(Customers *customers, int64_t i, const BgNbd *orders,
                          const GammaGamma *value)
{
    enum { DAYS = 39 * 7, ENTRY_DAYS = 12 * 7 };
    Random random = random_stream(2005, (uint64_t)i);
    int32_t age = DAYS - (int32_t)random_below(&random, ENTRY_DAYS);
    double rate = random_gamma(&random, orders->r, 1.0 / orders->alpha) / 7.0; /* a day */
    double leaves = random_beta(&random, orders->a, orders->b);
    int32_t repeats = 0;
    double last = 0.0;
    for (double at = random_exponential(&random, 1.0 / rate); at <= age;
         at += random_exponential(&random, 1.0 / rate)) {
        repeats++;
        last = at;
        if (random_unit(&random) < leaves)
            break;
    }
    customers->repeats[i] = repeats;
    customers->recency_days[i] = (int32_t)lround(last);
    customers->age_days[i] = age;
    if (repeats > 0) {
        double scale = 1.0 / random_gamma(&random, value->q, 1.0 / value->v);
        customers->purchases[customers->n_repeaters] = repeats;
        customers->means[customers->n_repeaters++] =
            random_gamma(&random, value->p * repeats, scale) / repeats;
    }
}

static void orders_likelihood(const double *parameters, double *sums, void *context)
{
    const Customers *customers = context;
    const BgNbd model = {parameters[0], parameters[1], parameters[2], parameters[3]};
    const RepeatHistories histories = {customers->n, customers->repeats, customers->recency_days,
                                       customers->age_days};
    bgnbd_log_likelihood(&model, &histories, sums);
}

static void value_likelihood(const double *parameters, double *sums, void *context)
{
    const Customers *customers = context;
    const GammaGamma model = {parameters[0], parameters[1], parameters[2]};
    gamma_gamma_log_likelihood(&model, customers->n_repeaters, customers->purchases,
                               customers->means, sums);
}

static void check_recovery(LogLikelihood *likelihood, Customers *customers, int n,
                           const double *want)
{
    double parameters[LIKELIHOOD_PARAMETERS_MAX] = {1.0, 1.0, 1.0, 1.0};
    LikelihoodFit fit = maximise_likelihood(likelihood, customers, n, parameters);
    CU_ASSERT(fit.converged);
    CU_ASSERT(fit.evaluations <= 60);
    for (int i = 0; i < n; i++) {
        CU_ASSERT(fit.standard_errors[i] > 0.0 && fit.standard_errors[i] < 0.3 * want[i]);
        CU_ASSERT(fabs(parameters[i] - want[i]) < 3.0 * fit.standard_errors[i]);
    }
    double sums[1 + LIKELIHOOD_PARAMETERS_MAX];
    likelihood(want, sums, customers);
    CU_ASSERT(fit.log_likelihood > sums[0]);
    likelihood(parameters, sums, customers);
    CU_ASSERT(is_same(fit.log_likelihood, sums[0], 1e-12));
    /* From elsewhere to the same place. */
    double others[LIKELIHOOD_PARAMETERS_MAX];
    for (int i = 0; i < n; i++)
        others[i] = want[i] * (i % 2 == 0 ? 3.0 : 0.3);
    fit = maximise_likelihood(likelihood, customers, n, others);
    CU_ASSERT(fit.converged);
    for (int i = 0; i < n; i++)
        CU_ASSERT(fabs(others[i] - parameters[i]) < 1e-5 * fit.standard_errors[i]);
}

/* The published fit to the CDNOW sample (Fader, Hardie, Lee 2005; Fader, Hardie 2013). */
static void test_recovery(void)
{
    const BgNbd orders = {0.243, 4.414, 0.793, 2.426};
    const GammaGamma value = {6.25, 3.74, 15.44};
    Customers customers;
    customers_new(&customers, 10000);
    for (int64_t i = 0; i < customers.n; i++)
        draw_customer(&customers, i, &orders, &value);
    check_recovery(orders_likelihood, &customers, BGNBD_PARAMETERS,
                   (double[]){orders.r, orders.alpha, orders.a, orders.b});
    check_recovery(value_likelihood, &customers, GAMMA_GAMMA_PARAMETERS,
                   (double[]){value.p, value.q, value.v});
    customers_free(&customers);
}

/* ---- data that tell little or nothing ---- */

static void check_ends(LogLikelihood *likelihood, Customers *customers, int n)
{
    double parameters[LIKELIHOOD_PARAMETERS_MAX] = {1.0, 1.0, 1.0, 1.0};
    LikelihoodFit fit = maximise_likelihood(likelihood, customers, n, parameters);
    CU_ASSERT(fit.evaluations < 500);
    CU_ASSERT(isfinite(fit.log_likelihood));
    for (int i = 0; i < n; i++) {
        CU_ASSERT(parameters[i] > 0.99e-6 && parameters[i] < 1.01e6);
        CU_ASSERT(isfinite(fit.standard_errors[i]) == fit.converged);
    }
}

static void test_degenerate(void)
{
    enum { N = 200 };
    static const struct {
        int n, repeats, recency_days, age_days;
        double mean;
    } shapes[] = {
        {0, 0, 0, 0, 0.0},          {1, 0, 0, 0, 0.0},      {1, 3, 20, 100, 12.5},
        {N, 0, 0, 100, 0.0},        {N, 0, 0, 0, 0.0},      {N, 3, 20, 100, 12.5},
        {N, 1, 100, 100, 0.01},     {N, 99, 100, 100, 1e9}, {N, 1, 1, 3000, 1e-3},
        {N, 2000, 2000, 2000, 7.0}, {2, 1, 1, 1, 1.0},
    };
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        Customers customers;
        customers_new(&customers, N);
        customers.n = shapes[s].n;
        for (int i = 0; i < shapes[s].n; i++) {
            customers.repeats[i] = shapes[s].repeats;
            customers.recency_days[i] = shapes[s].recency_days;
            customers.age_days[i] = shapes[s].age_days;
            if (shapes[s].repeats > 0) {
                customers.purchases[customers.n_repeaters] = shapes[s].repeats;
                customers.means[customers.n_repeaters++] = shapes[s].mean;
            }
        }
        check_ends(orders_likelihood, &customers, BGNBD_PARAMETERS);
        check_ends(value_likelihood, &customers, GAMMA_GAMMA_PARAMETERS);
        customers_free(&customers);
    }
}

CU_TestInfo kernel_fit_tests[] = {
    {"known answers", test_known_answers}, {"correlated parameters", test_correlated},
    {"no maximum", test_no_maximum},       {"recovery", test_recovery},
    {"degenerate data", test_degenerate},  CU_TEST_INFO_NULL,
};
