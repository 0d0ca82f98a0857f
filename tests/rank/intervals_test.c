/* Intervals: what they say is right of draws whose distribution is known, the same bits however
 * series are spread over the ranks, and odd backtests. */
#include "forecast/intervals.h"

#include "base/memory.h"
#include "base/random.h"
#include "forecast/inventory.h"
#include "rank/suites.h"

#include <math.h>
#include <string.h>

enum { HORIZON_MOST = 28 };
static const double probabilities[] = {.005, .025, .05, .1, .25, .5, .75, .9, .95, .975, .995};
enum { P = sizeof probabilities / sizeof *probabilities };

/* ---- series with a known distribution ---- */

typedef enum Kind { POISSON, LUMPY, NUMBER, MIXED } Kind;

typedef struct Sample {
    Kind kind;
    int64_t n; /* of all ranks */
    int n_origins, horizon, longest;
} Sample;

static double rate_of(int64_t i)
{
    return .05 * exp(.1 * (double)(i % 70));
}

static bool is_count(const Sample *sample, int64_t i)
{
    return sample->kind != NUMBER && (sample->kind != MIXED || i % 2 == 0);
}

/* What comes in one period: lumpy counts are negative binomial, with a variance of m + m^2; errors
 * of numbers grow with the square root of the horizon. */
static double draw(const Sample *sample, int64_t i, int h, Random *random)
{
    double mean = rate_of(i);
    if (!is_count(sample, i))
        return 1000 + mean * sqrt(h + 1) * random_normal(random);
    if (sample->kind == LUMPY)
        mean = random_gamma(random, 1, mean);
    return (double)random_poisson(random, mean);
}

static double forecast_of(const Sample *sample, int64_t i)
{
    return is_count(sample, i) ? rate_of(i) : 1000;
}

/* Quantiles [P] of series k of the model in period h, where `mean` is forecast for all periods. */
static void quantiles_at(const IntervalModel *model, int64_t k, int h, double mean,
                         double *quantiles)
{
    double means[HORIZON_MOST], all[HORIZON_MOST * P];
    for (int t = 0; t < model->horizon; t++)
        means[t] = mean;
    intervals_quantiles(model, k, means, probabilities, P, all);
    memcpy(quantiles, all + (size_t)h * P, P * sizeof *quantiles);
}

/* The same of the sum over `length` periods. */
static void sum_quantiles(const IntervalModel *model, int64_t k, int length, double mean,
                          double *quantiles)
{
    double means[HORIZON_MOST];
    for (int t = 0; t < model->horizon; t++)
        means[t] = mean;
    intervals_sum_quantiles(model, k, means, length, length * mean, probabilities, P, quantiles);
}

static double sum_above(const IntervalModel *model, int64_t k, int length, double mean,
                        double stock)
{
    double means[HORIZON_MOST];
    for (int t = 0; t < model->horizon; t++)
        means[t] = mean;
    return intervals_sum_above(model, k, means, length, length * mean, stock);
}

/* How the series lie on the ranks. */
typedef enum Layout { EVEN, ALL_ON_FIRST, ALL_ON_LAST, LAYOUTS } Layout;

static int64_t first_of(const Sample *sample, Layout layout, int rank)
{
    int size = comm_size(rank_comm());
    if (layout == ALL_ON_FIRST)
        return rank > 0 ? sample->n : 0;
    if (layout == ALL_ON_LAST)
        return rank < size ? 0 : sample->n;
    return sample->n * rank / size;
}

typedef struct Learned {
    int64_t first, n;
    double *forecast, *actual, *scale;
    bool *is_count;
    IntervalModel model;
} Learned;

/* Learn from series that come one at a time or all at once, and have them all at hand. */
typedef struct Given {
    IntervalBatch all;
    int64_t periods; /* origins x horizon */
    bool is_single;
} Given;

static Status batch_from(void *context, int64_t first, IntervalBatch *batch, Error *error)
{
    const Given *given = context;
    (void)error;
    *batch = given->all;
    if (given->is_single)
        *batch = (IntervalBatch){first,
                                 1,
                                 given->all.forecast + first * given->periods,
                                 given->all.actual + first * given->periods,
                                 given->all.scale + first,
                                 given->all.is_count + first};
    return STATUS_OK;
}

static void learn_from(const IntervalBatch *all, int n_origins, int horizon, int longest,
                       bool is_single, IntervalModel *model)
{
    Error error = {0};
    Given given = {*all, (int64_t)n_origins * horizon, is_single};
    IntervalInput input = {all->n, n_origins, horizon, longest, batch_from, &given};
    CU_ASSERT_EQUAL(intervals_learn(rank_comm(), &input, model, &error), STATUS_OK);
    CU_ASSERT_EQUAL(intervals_take(model, all, &error), STATUS_OK);
}

static void learned_free(Learned *learned)
{
    mem_free(&learned->forecast);
    mem_free(&learned->actual);
    mem_free(&learned->scale);
    mem_free(&learned->is_count);
    interval_model_free(&learned->model);
}

static void make_backtest(const Sample *sample, Layout layout, Learned *learned)
{
    int rank = comm_rank(rank_comm());
    int64_t periods = (int64_t)sample->n_origins * sample->horizon;
    *learned = (Learned){.first = first_of(sample, layout, rank)};
    learned->n = first_of(sample, layout, rank + 1) - learned->first;
    learned->forecast = mem_new(learned->n * periods, sizeof(double));
    learned->actual = mem_new(learned->n * periods, sizeof(double));
    learned->scale = mem_new(learned->n, sizeof(double));
    learned->is_count = mem_new(learned->n, sizeof(bool));
    for (int64_t k = 0; k < learned->n; k++) {
        int64_t i = learned->first + k;
        Random random = random_stream(20, (uint64_t)i);
        learned->scale[k] = rate_of(i);
        learned->is_count[k] = is_count(sample, i);
        for (int64_t t = 0; t < periods; t++) {
            int h = (int)(t % sample->horizon);
            double y = draw(sample, i, h, &random);
            learned->forecast[k * periods + t] = forecast_of(sample, i);
            learned->actual[k * periods + t] = h % 7 == 5 ? NAN : y;
        }
    }
}

static void learn(const Sample *sample, Layout layout, Learned *learned)
{
    make_backtest(sample, layout, learned);
    IntervalBatch all = {
        0, learned->n, learned->forecast, learned->actual, learned->scale, learned->is_count};
    learn_from(&all, sample->n_origins, sample->horizon, sample->longest, layout == ALL_ON_LAST,
               &learned->model);
}

/* ---- right ---- */

/* Shares of new draws below and not above each quantile, over all series of all ranks. A length of
 * 0: single periods at h. */
static void check_calibrated(const Sample *sample, const Learned *learned, int h, int length,
                             double tolerance)
{
    int64_t counts[2 * P + 1] = {0};
    for (int64_t k = 0; k < learned->n; k++) {
        int64_t i = learned->first + k;
        Random random = random_stream(21, (uint64_t)(i * 100 + h));
        double quantiles[P], mean = forecast_of(sample, i);
        if (length == 0)
            quantiles_at(&learned->model, k, h, mean, quantiles);
        else
            sum_quantiles(&learned->model, k, length, mean, quantiles);
        for (int repeat = 0; repeat < 20; repeat++) {
            double y = 0;
            for (int s = 0; s < (length > 0 ? length : 1); s++)
                y += draw(sample, i, h + s, &random);
            counts[2 * P]++;
            for (int p = 0; p < P; p++) {
                counts[2 * p] += y < quantiles[p];
                counts[2 * p + 1] += y <= quantiles[p];
            }
        }
    }
    comm_sum_i64(rank_comm(), counts, 2 * P + 1);
    for (int p = 0; p < P; p++) {
        CU_ASSERT((double)counts[2 * p] / (double)counts[2 * P] <= probabilities[p] + tolerance);
        CU_ASSERT((double)counts[2 * p + 1] / (double)counts[2 * P] >=
                  probabilities[p] - tolerance);
    }
}

static void test_counts(void)
{
    for (Kind kind = POISSON; kind <= LUMPY; kind++) {
        Sample sample = {kind, 280, 4, 28, 14};
        Learned learned;
        learn(&sample, EVEN, &learned);
        check_calibrated(&sample, &learned, 0, 0, .02);
        check_calibrated(&sample, &learned, 20, 0, .02);
        check_calibrated(&sample, &learned, 0, 7, .03);
        check_calibrated(&sample, &learned, 0, 10, .03);
        learned_free(&learned);
    }
}

static void test_numbers(void)
{
    Sample sample = {NUMBER, 280, 4, 12, 1};
    Learned learned;
    learn(&sample, EVEN, &learned);
    for (int h = 0; h < 12; h += 3)
        check_calibrated(&sample, &learned, h, 0, .025);
    learned_free(&learned);
}

/* A forecast far from those of the backtest moves its quantiles with it. */
static void test_other_mean(void)
{
    Sample sample = {POISSON, 280, 4, 28, 1};
    Learned learned;
    learn(&sample, EVEN, &learned);
    for (int64_t k = 0; k < learned.n; k++) {
        double before = -1;
        for (double mean = .001; mean < 1e6; mean *= 3) {
            double quantiles[P];
            quantiles_at(&learned.model, k, 3, mean, quantiles);
            double median = quantiles[P / 2];
            CU_ASSERT(median >= before);
            CU_ASSERT(mean < 20 || (median > .1 * mean && median < 5 * mean));
            before = median;
        }
    }
    learned_free(&learned);
}

/* ---- the same everywhere ---- */

/* Quantiles of all series, as bits, on every rank. */
static int64_t *all_bits(const Sample *sample, const Learned *learned)
{
    int64_t *bits = mem_new(sample->n * 2 * P, sizeof *bits);
    for (int64_t k = 0; k < learned->n; k++) {
        int64_t i = learned->first + k;
        double quantiles[2 * P], mean = forecast_of(sample, i);
        quantiles_at(&learned->model, k, 2, mean, quantiles);
        sum_quantiles(&learned->model, k, 5, mean, quantiles + P);
        for (int p = 1; p < 2 * P; p++)
            CU_ASSERT(p == P || quantiles[p] >= quantiles[p - 1]);
        for (int p = 0; p < 2 * P && is_count(sample, i); p++)
            CU_ASSERT(quantiles[p] >= 0 && quantiles[p] == floor(quantiles[p]));
        memcpy(bits + i * 2 * P, quantiles, sizeof quantiles);
    }
    comm_sum_i64(rank_comm(), bits, sample->n * 2 * P);
    return bits;
}

static void test_same_bits(void)
{
    static const int64_t sizes[] = {1, 3, 130};
    for (int s = 0; s < 3; s++) {
        Sample sample = {MIXED, sizes[s], 3, 14, 7};
        int64_t *want = NULL;
        for (Layout layout = 0; layout < LAYOUTS; layout++) {
            Learned learned;
            learn(&sample, layout, &learned);
            int64_t *bits = all_bits(&sample, &learned);
            if (want)
                CU_ASSERT_EQUAL(memcmp(bits, want, (size_t)sample.n * 2 * P * sizeof *bits), 0);
            learned_free(&learned);
            if (want)
                mem_free(&bits);
            else
                want = bits;
        }
        mem_free(&want);
    }
}

/* ---- odd backtests ---- */

static void test_no_series(void)
{
    Sample sample = {POISSON, 0, 3, 7, 7};
    Learned learned;
    learn(&sample, EVEN, &learned);
    CU_ASSERT_EQUAL(learned.model.n_lengths, 4);
    learned_free(&learned);
}

/* Without an origin counts are geometric and numbers Laplace's. */
static void test_no_origins(void)
{
    Sample sample = {MIXED, 20, 0, 7, 7};
    Learned learned;
    learn(&sample, EVEN, &learned);
    for (int64_t k = 0; k < learned.n; k++) {
        double quantiles[P];
        quantiles_at(&learned.model, k, 0, 9, quantiles);
        double ends[2] = {quantiles[3], quantiles[7]};
        if (learned.is_count[k]) {
            CU_ASSERT_EQUAL(ends[0], 1);  /* 1 - .9^2 = .19, and 1 - .9 is not above .1 */
            CU_ASSERT_EQUAL(ends[1], 21); /* 1 - .9^22 = .902 */
        } else {
            double reach = learned.scale[k] * log(5);
            CU_ASSERT_DOUBLE_EQUAL(ends[1], 9 + reach, 1e-9);
            CU_ASSERT_DOUBLE_EQUAL(ends[0], fmax(9 - reach, 0), 1e-9);
        }
    }
    learned_free(&learned);
}

typedef struct Shape {
    double forecast, actual, scale;
    bool is_count;
} Shape;

static void check_shape(const Shape *shape)
{
    enum { SERIES = 3, ORIGINS = 2, HORIZON = 5, PERIODS = ORIGINS * HORIZON };
    double forecast[SERIES * PERIODS], actual[SERIES * PERIODS], scale[SERIES];
    bool counts[SERIES];
    IntervalModel model;
    for (int t = 0; t < SERIES * PERIODS; t++) {
        forecast[t] = shape->forecast;
        actual[t] = shape->actual;
    }
    for (int i = 0; i < SERIES; i++) {
        scale[i] = shape->scale;
        counts[i] = shape->is_count;
    }
    IntervalBatch all = {0, SERIES, forecast, actual, scale, counts};
    learn_from(&all, ORIGINS, HORIZON, HORIZON, false, &model);
    static const double means[] = {0, -5, 1e-9, 3, 1e12};
    for (int m = 0; m < 5; m++) {
        double quantiles[2 * P];
        quantiles_at(&model, 1, 4, means[m], quantiles);
        sum_quantiles(&model, 1, 99, means[m], quantiles + P);
        for (int p = 0; p < 2 * P; p++) {
            CU_ASSERT(isfinite(quantiles[p]));
            CU_ASSERT(p % P == 0 || quantiles[p] >= quantiles[p - 1]);
            CU_ASSERT(!shape->is_count || quantiles[p] >= 0);
        }
        double above = sum_above(&model, 1, 3, means[m], quantiles[7]);
        CU_ASSERT(above >= 0 && above <= 1);
    }
    double quantiles[P];
    quantiles_at(&model, 0, 0, NAN, quantiles);
    CU_ASSERT(isnan(quantiles[0]));
    interval_model_free(&model);
}

static void test_shapes(void)
{
    static const Shape shapes[] = {
        {0, 0, 0, true},           {0, 0, 0, false},     {5, 5, 0, false},    {5, 5, 1, false},
        {5, NAN, 1, true},         {5, NAN, NAN, false}, {0, 7, NAN, true},   {0, 7, NAN, false},
        {1e12, 3, 1, true},        {3, 1e12, 1, true},   {3, 1e12, 1, false}, {-8, -9, 2, false},
        {NAN, 4, INFINITY, false},
    };
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        check_shape(&shapes[s]);
}

/* Numbers that never were below 0 have no quantile there; others may. */
static void test_below_zero(void)
{
    for (int sign = -1; sign <= 1; sign += 2) {
        double forecast[8], actual[8], quantiles[P], scale = 50;
        bool counts = false;
        IntervalModel model;
        for (int t = 0; t < 8; t++) {
            forecast[t] = 30;
            actual[t] = t % 2 ? 100 : t == 0 ? 20 * sign : 20;
        }
        IntervalBatch all = {0, 1, forecast, actual, &scale, &counts};
        learn_from(&all, 2, 4, 1, false, &model);
        quantiles_at(&model, 0, 0, 1, quantiles);
        CU_ASSERT(sign > 0 ? quantiles[0] == 0 : quantiles[0] < 0);
        interval_model_free(&model);
    }
}

/* ---- sums, and what to order ---- */

/* The probability of more than a quantile is at most what is left of one, and of more than one
 * piece less it is not. */
static void test_above(void)
{
    Sample sample = {LUMPY, 70, 4, 28, 28};
    Learned learned;
    learn(&sample, EVEN, &learned);
    for (int64_t k = 0; k < learned.n; k++) {
        static const int lengths[] = {1, 2, 14, 28, 90};
        for (int l = 0; l < 5; l++) {
            double quantiles[P], rate = rate_of(learned.first + k);
            const IntervalModel *model = &learned.model;
            sum_quantiles(model, k, lengths[l], rate, quantiles);
            for (int p = 0; p < P; p++) {
                double left = 1 - probabilities[p], stock = quantiles[p];
                CU_ASSERT(sum_above(model, k, lengths[l], rate, stock) <= left + 1e-6);
                CU_ASSERT(stock == 0 ||
                          sum_above(model, k, lengths[l], rate, stock - 1) >= left - 1e-6);
            }
        }
    }
    learned_free(&learned);
}

static void test_plan(void)
{
    Sample sample = {POISSON, 70, 4, 28, 14};
    Learned learned;
    learn(&sample, EVEN, &learned);
    for (int64_t k = 0; k < learned.n; k++) {
        double mean[28], rate = rate_of(learned.first + k), above;
        for (int h = 0; h < 28; h++)
            mean[h] = rate;
        InventoryTerms terms = {
            .on_hand = 20, .lead_days = 6, .review_days = 1, .service_level = .95};
        InventoryPlan plan;
        inventory_plan(&learned.model, k, mean, 1, &terms, &plan);
        CU_ASSERT_DOUBLE_EQUAL(plan.lead_demand, 6 * rate, 1e-9);
        CU_ASSERT_DOUBLE_EQUAL(plan.protected_demand, 7 * rate, 1e-9);
        CU_ASSERT_DOUBLE_EQUAL(plan.days_of_cover, 20 / rate, 1e-6);
        CU_ASSERT_EQUAL(plan.order_quantity, fmax(plan.reorder_point - 20, 0));
        intervals_sum_quantiles(&learned.model, k, mean, 7, 7 * rate, &terms.service_level, 1,
                                &above);
        CU_ASSERT_EQUAL(plan.reorder_point, above);
        CU_ASSERT(plan.stock_out >= 0 && plan.stock_out <= 1);
        CU_ASSERT(rate > 1 || plan.stock_out < .05);
        CU_ASSERT(rate < 6 || plan.stock_out > .8);
        /* What is on order need not be ordered. */
        terms.on_order = fmax(plan.reorder_point, 0);
        inventory_plan(&learned.model, k, mean, 1, &terms, &plan);
        CU_ASSERT_EQUAL(plan.order_quantity, 0);
        terms.on_hand = NAN;
        inventory_plan(&learned.model, k, mean, 1, &terms, &plan);
        CU_ASSERT(isnan(plan.stock_out) && isnan(plan.order_quantity) && isnan(plan.days_of_cover));
        CU_ASSERT(plan.reorder_point >= 0);
    }
    learned_free(&learned);
}

CU_TestInfo intervals_tests[] = {
    {"counts", test_counts},
    {"numbers", test_numbers},
    {"another mean", test_other_mean},
    {"same bits", test_same_bits},
    {"no series", test_no_series},
    {"no origins", test_no_origins},
    {"odd shapes", test_shapes},
    {"below zero", test_below_zero},
    {"more than the stock", test_above},
    {"plans", test_plan},
    CU_TEST_INFO_NULL,
};
