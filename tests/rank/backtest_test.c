/* Backtest, combination and accuracy over the ranks: no value after an origin is seen, the same
 * bits whoever holds which series, and figures as one loop over all series gives them. */
#include "forecast/forecast_accuracy.h"

#include "base/memory.h"
#include "base/random.h"
#include "suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WEEK = 7, FIRST_DAY = 19000, PERIODS = 140, HORIZON = 14, ORIGINS = 4, TOTAL = 330 };

/* Who holds the blocks of series. */
typedef enum Place { PLACE_EVEN, PLACE_FIRST, PLACE_LAST, PLACES } Place;

static const SeriesModels models =
    1U << SERIES_NAIVE | 1U << SERIES_SEASONAL_NAIVE | 1U << SERIES_NAIVE2 | 1U << SERIES_AVERAGE |
    1U << SERIES_SEASON_AVERAGE | 1U << SERIES_TSB | 1U << SERIES_POOLED;

/* Series before those of a rank. */
static int64_t first_of(Place place, int64_t total, int rank, int size)
{
    int64_t blocks = (total + SERIES_BLOCK - 1) / SERIES_BLOCK, first = blocks * rank / size;
    if (place == PLACE_FIRST)
        first = rank > 0 ? blocks : 0;
    if (place == PLACE_LAST)
        first = rank == size ? blocks : 0;
    return first * SERIES_BLOCK < total ? first * SERIES_BLOCK : total;
}

/* Values from `changed` periods before the end on are others; 0: none. Every eleventh series began
 * a week ago, and half of these sold on one day only. */
static void make_series(SeriesSet *set, int64_t i, int changed)
{
    int64_t number = set->first + i;
    Random random = random_stream(3, (uint64_t)number);
    double level = exp(4.0 * random_unit(&random) - 1.0);
    int32_t start = number % 11 == 5 ? PERIODS - WEEK - HORIZON * (int32_t)(number % 3)
                                     : (int32_t)random_below(&random, 40);
    set->start[i] = FIRST_DAY + start;
    set->begin[i + 1] = set->begin[i] + PERIODS - start;
    for (int32_t t = start; t < PERIODS; t++) {
        double season = t % WEEK == 2 ? 2.0 : 1.0;
        double value = (double)random_poisson(&random, level * season);
        if (number % 22 == 5)
            value = t == start ? 500.0 : 0.0;
        if (t % 37 == 8 && t > start)
            value = NAN;
        if (t >= PERIODS - changed)
            value = 1e4 + value;
        series_values(set, i)[t - start] = t % WEEK == 6 ? 0.0 : value;
    }
}

static SeriesSet make_set(Place place, int64_t total, int changed)
{
    const Comm *comm = rank_comm();
    SeriesSet set = {.total = total};
    set.first = first_of(place, total, comm_rank(comm), comm_size(comm));
    set.n = first_of(place, total, comm_rank(comm) + 1, comm_size(comm)) - set.first;
    set.calendar = (Calendar){.frequency = FREQUENCY_DAILY,
                              .first = FIRST_DAY,
                              .n = PERIODS,
                              .ahead = HORIZON,
                              .open_season = WEEK - 1};
    set.calendar.is_closed = mem_new(PERIODS + HORIZON, sizeof *set.calendar.is_closed);
    for (int32_t t = 0; t < PERIODS + HORIZON; t++)
        set.calendar.is_closed[t] = t % WEEK == 6;
    set.begin = mem_new(set.n + 1, sizeof *set.begin);
    set.start = mem_new(set.n, sizeof *set.start);
    set.records = mem_new(set.n * PERIODS, sizeof *set.records);
    for (int64_t i = 0; i < set.n; i++)
        make_series(&set, i, changed);
    return set;
}

static const char *scratch_folder(void)
{
    const char *folder = getenv("TMPDIR");
    return folder != NULL ? folder : "/tmp";
}

static void load(const Backtest *backtest, int64_t i)
{
    Error error = {0};
    CU_ASSERT_EQUAL_FATAL(backtest_load(backtest, i, &error), STATUS_OK);
}

static Backtest make_backtest(const SeriesSet *set, int threads)
{
    Error error = {0};
    Backtest backtest = {0};
    BacktestOptions options = {.models = models,
                               .horizon = HORIZON,
                               .n_origins = ORIGINS,
                               .season = WEEK,
                               .pooled = {.horizon = HORIZON, .threads = threads},
                               .place = {.folder = scratch_folder()},
                               .threads = threads};
    CU_ASSERT_EQUAL(backtest_run(rank_comm(), set, &options, &backtest, &error), STATUS_OK);
    return backtest;
}

static bool is_same(double a, double b)
{
    return (isnan(a) && isnan(b)) || fabs(a - b) <= 1e-9 * (1.0 + fabs(b));
}

/* ---- no value after an origin is seen ---- */

static void test_nothing_after_origin(void)
{
    SeriesSet set = make_set(PLACE_EVEN, TOTAL, 0), other = make_set(PLACE_EVEN, TOTAL, HORIZON);
    Backtest backtest = make_backtest(&set, 1), changed = make_backtest(&other, 1);
    int64_t n_differ = 0, n_same = 0;
    for (int64_t i = 0; i < set.n; i++) {
        load(&backtest, i);
        load(&changed, i);
        for (int m = 0; m < SERIES_MODELS; m++) {
            for (int o = 0; o < ORIGINS; o++) {
                const float *a = backtest_forecast(&backtest, i, o, (SeriesModel)m);
                const float *b = backtest_forecast(&changed, i, o, (SeriesModel)m);
                bool is_equal = memcmp(a, b, HORIZON * sizeof *a) == 0;
                n_differ += o > 0 && !is_equal;
                n_same += o == 0 && is_equal && !isnan(a[0]);
            }
        }
    }
    CU_ASSERT_EQUAL(n_differ, 0);
    CU_ASSERT_EQUAL(n_same, 0); /* from the end the change is seen */
    backtest_free(&backtest);
    backtest_free(&changed);
    series_set_free(&set);
    series_set_free(&other);
}

/* Closed periods are forecast as 0, open ones by the models as the values say. */
static void test_forecasts_on_the_calendar(void)
{
    SeriesSet set = make_set(PLACE_EVEN, TOTAL, 0);
    Backtest backtest = make_backtest(&set, 1);
    for (int64_t i = 0; i < set.n; i++) {
        int32_t length = series_length(&set, i);
        load(&backtest, i);
        const float *naive = backtest_forecast(&backtest, i, 0, SERIES_NAIVE);
        double last = NAN;
        for (int32_t t = 0; t < length; t++) {
            int32_t day = set.start[i] + t - FIRST_DAY;
            double value = series_values(&set, i)[t];
            if (day % WEEK != 6 && !isnan(value))
                last = value;
        }
        for (int h = 0; h < HORIZON; h++)
            CU_ASSERT((double)naive[h] == ((PERIODS + h) % WEEK == 6 ? 0.0 : last));
    }
    backtest_free(&backtest);
    series_set_free(&set);
}

/* ---- the same bits ---- */

static void test_same_bits(void)
{
    Error error = {0};
    Combination first;
    ForecastAccuracies figures;
    for (int place = 0; place < PLACES; place++) {
        for (int threads = 1; threads <= 2; threads++) {
            Combination combination;
            ForecastAccuracies accuracies;
            memset(&combination, 0, sizeof combination);
            SeriesSet set = make_set((Place)place, TOTAL, 0);
            Backtest backtest = make_backtest(&set, threads);
            CU_ASSERT_EQUAL(combination_learn(rank_comm(), &set, &backtest, 1, ORIGINS - 1,
                                              &combination, &error),
                            STATUS_OK);
            CU_ASSERT_EQUAL(
                forecast_measure(rank_comm(), &set, &backtest,
                                 &(ForecastMeasures){.first = 1, .n_origins = 1, .n_before = 2},
                                 &accuracies, &error),
                STATUS_OK);
            for (int m = 0; m < SERIES_MEASURED; m++)
                accuracies.of[m].seconds = 0.0;
            if (place == 0 && threads == 1) {
                first = combination;
                figures = accuracies;
            }
            CU_ASSERT(memcmp(&first, &combination, sizeof first) == 0);
            for (int m = 0; m < SERIES_MEASURED; m++)
                CU_ASSERT(memcmp(&figures.of[m], &accuracies.of[m], sizeof figures.of[m]) == 0);
            backtest_free(&backtest);
            series_set_free(&set);
        }
    }
}

/* ---- figures ---- */

/* Of one model at one origin, by a loop over this rank's series. */
static void add_figures(const SeriesSet *set, const Backtest *backtest, SeriesModel model,
                        int origin, double *mase, double *rmsse, double *units)
{
    for (int64_t i = 0; i < set->n; i++) {
        load(backtest, i);
        const float *forecast = backtest_forecast(backtest, i, origin, model);
        double actual[HORIZON], absolute = 0.0, square = 0.0;
        Outlook outlook = backtest_outlook(backtest, set, i, origin, actual);
        int known = 0;
        for (int h = 0; h < HORIZON && !isnan(forecast[0]); h++) {
            if (isnan(actual[h]))
                continue;
            known++;
            absolute += fabs(actual[h] - (double)forecast[h]);
            square += (actual[h] - (double)forecast[h]) * (actual[h] - (double)forecast[h]);
            units[0] += actual[h];
            units[1] += (double)forecast[h];
        }
        if (known > 0 && outlook.absolute_scale > 0.0) {
            mase[0] += absolute / known / outlook.absolute_scale;
            mase[1] += 1.0;
        }
        if (known > 0 && outlook.squared_scale > 0.0) {
            rmsse[0] += sqrt(square / known / outlook.squared_scale);
            rmsse[1] += 1.0;
        }
    }
}

/* With all series on the first rank, which has the answer by itself. */
static void test_figures(void)
{
    Error error = {0};
    ForecastAccuracies accuracies;
    SeriesSet set = make_set(PLACE_FIRST, TOTAL, 0);
    Backtest backtest = make_backtest(&set, 1);
    CU_ASSERT_EQUAL(forecast_measure(rank_comm(), &set, &backtest,
                                     &(ForecastMeasures){.first = 1, .n_origins = 2, .n_before = 1},
                                     &accuracies, &error),
                    STATUS_OK);
    for (int m = 0; comm_rank(rank_comm()) == 0 && m < SERIES_MODELS; m++) {
        double mase[2] = {0}, rmsse[2] = {0}, units[2] = {0};
        if (!series_models_have(models, (SeriesModel)m))
            continue;
        for (int o = 1; o <= 2; o++)
            add_figures(&set, &backtest, (SeriesModel)m, o, mase, rmsse, units);
        CU_ASSERT(is_same(accuracies.of[m].mase, mase[0] / mase[1]));
        CU_ASSERT(is_same(accuracies.of[m].rmsse, rmsse[0] / rmsse[1]));
        CU_ASSERT(is_same(accuracies.of[m].bias, (units[1] - units[0]) / units[0]));
    }
    CU_ASSERT(is_same(accuracies.of[SERIES_NAIVE2].owa, 1.0));
    CU_ASSERT(accuracies.of[SERIES_COMBINED].series > 0);
    backtest_free(&backtest);
    series_set_free(&set);
}

/* ---- the mix ---- */

/* Weights are weights; where they were learned the mix errs no more than any model; a series that
 * sold once is forecast as new ones were. */
static void test_mix(void)
{
    Error error = {0};
    Combination mix;
    SeriesSet set = make_set(PLACE_EVEN, TOTAL, 0);
    Backtest backtest = make_backtest(&set, 1);
    CU_ASSERT_EQUAL(combination_learn(rank_comm(), &set, &backtest, 1, ORIGINS - 1, &mix, &error),
                    STATUS_OK);
    for (int c = 0; c < DEMAND_NEW; c++) {
        double sum = 0.0;
        for (int m = 0; m < SERIES_MODELS; m++) {
            CU_ASSERT(mix.weights[c][m] >= 0.0);
            CU_ASSERT(mix.weights[c][m] == 0.0 || series_models_have(models, (SeriesModel)m));
            sum += mix.weights[c][m];
        }
        CU_ASSERT_DOUBLE_EQUAL(sum, 1.0, 1e-9);
    }
    CU_ASSERT(mix.new_mean >= 0.0);
    for (int64_t i = 0; i < set.n; i++) {
        double mean[HORIZON];
        load(&backtest, i);
        ForecastSource source = combination_forecast(&mix, &set, &backtest, i, 0, mean);
        bool is_new = demand_class(&backtest, &set, i, 0) == DEMAND_NEW;
        CU_ASSERT_EQUAL(source, is_new ? FORECAST_NEW : FORECAST_MIX);
        for (int h = 0; h < HORIZON; h++) {
            bool is_closed = (PERIODS + h) % WEEK == 6;
            CU_ASSERT(mean[h] >= 0.0 && mean[h] < 500.0 && (!is_closed || mean[h] == 0.0));
        }
        if ((set.first + i) % 66 == 27)
            CU_ASSERT(is_new);
    }
    backtest_free(&backtest);
    series_set_free(&set);
}

/* Series of one class and two kinds: a walk, of which the last value tells most, and a week that
 * stays. */
static void make_two_kinds(SeriesSet *set)
{
    for (int64_t i = 0; i < set->n; i++) {
        Random random = random_stream(5, (uint64_t)(set->first + i));
        bool is_walk = (set->first + i) % 2 == 0;
        double level = 400.0;
        for (int32_t t = set->start[i] - FIRST_DAY; t < PERIODS; t++) {
            double noise = random_normal(&random);
            double value = level + 100.0 * cos(2.0 * M_PI * t / WEEK) + 2.0 * noise;
            if (is_walk)
                value = level = level + 8.0 * noise;
            series_values(set, i)[t - set->start[i] + FIRST_DAY] = t % WEEK == 6 ? 0.0 : value;
        }
    }
}

/* What was right for a series before counts for it, if that is right in general. */
static void test_own_past(void)
{
    Error error = {0};
    Combination mix;
    double missed[2] = {0.0};
    SeriesSet set = make_set(PLACE_FIRST, TOTAL, 0);
    make_two_kinds(&set);
    Backtest backtest = make_backtest(&set, 1);
    CU_ASSERT_EQUAL(combination_learn(rank_comm(), &set, &backtest, 2, ORIGINS - 2, &mix, &error),
                    STATUS_OK);
    CU_ASSERT(mix.power[DEMAND_SMOOTH] > 0.0 && mix.end == ORIGINS);
    for (int k = 0; k < 2; k++) {
        for (int64_t i = 0; i < set.n; i++) {
            double mean[HORIZON], actual[HORIZON], square = 0.0;
            load(&backtest, i);
            Outlook outlook = backtest_outlook(&backtest, &set, i, 1, actual);
            (void)combination_forecast(&mix, &set, &backtest, i, 1, mean);
            for (int h = 0; h < HORIZON; h++)
                square += isnan(actual[h]) ? 0.0 : pow(mean[h] - actual[h], 2.0);
            missed[k] += outlook.known > 0 ? sqrt(square / outlook.squared_scale) : 0.0;
        }
        memset(mix.power, 0, sizeof mix.power);
    }
    CU_ASSERT(set.n == 0 || missed[0] < 0.98 * missed[1]);
    /* One origin leaves nothing to learn it from. */
    CU_ASSERT_EQUAL(combination_learn(rank_comm(), &set, &backtest, 3, 1, &mix, &error), STATUS_OK);
    CU_ASSERT_EQUAL(mix.power[DEMAND_SMOOTH], 0.0);
    backtest_free(&backtest);
    series_set_free(&set);
}

/* What a backtest, and intervals of one model, hold does not grow with the series: those of a
 * batch.
 */
static void test_memory(void)
{
    int64_t held[2] = {0};
    for (int k = 0; k < 2; k++) {
        Error error = {0};
        ModelIntervals intervals = {0};
        SeriesSet set = make_set(PLACE_FIRST, k == 0 ? TOTAL : 5 * TOTAL, 0);
        int64_t before = mem_live_bytes();
        Backtest backtest = make_backtest(&set, 1);
        ModelForecasts from = {.set = &set, .backtest = &backtest, .model = SERIES_AVERAGE};
        CU_ASSERT_EQUAL(
            model_intervals_learn(rank_comm(), &from, 1, ORIGINS - 1, 1, &intervals, &error),
            STATUS_OK);
        for (int64_t i = 0; i < set.n; i += 100)
            CU_ASSERT_EQUAL(model_intervals_load(&intervals, i, &error), STATUS_OK);
        if (set.n > 0) /* a whole batch */
            CU_ASSERT_EQUAL(model_intervals_load(&intervals, 0, &error), STATUS_OK);
        held[k] = mem_live_bytes() - before;
        model_intervals_free(&intervals);
        backtest_free(&backtest);
        CU_ASSERT_EQUAL(mem_live_bytes(), before);
        series_set_free(&set);
    }
    CU_ASSERT_EQUAL(held[0], held[1]);
}

/* No series at all, and series too short for any origin in the past. */
static void test_edges(void)
{
    Error error = {0};
    Combination mix;
    ForecastAccuracies accuracies;
    for (int64_t total = 0; total <= 1; total++) {
        SeriesSet set = make_set(PLACE_EVEN, total, 0);
        Backtest backtest = make_backtest(&set, 1);
        CU_ASSERT_EQUAL(combination_learn(rank_comm(), &set, &backtest, 1, 0, &mix, &error),
                        STATUS_OK);
        CU_ASSERT_EQUAL(
            forecast_measure(rank_comm(), &set, &backtest,
                             &(ForecastMeasures){.first = 1, .n_origins = 1, .n_before = 1},
                             &accuracies, &error),
            STATUS_OK);
        CU_ASSERT_EQUAL(accuracies.of[SERIES_NAIVE].series, total);
        backtest_free(&backtest);
        series_set_free(&set);
    }
}

CU_TestInfo backtest_tests[] = {{"nothing_after_origin", test_nothing_after_origin},
                                {"forecasts_on_the_calendar", test_forecasts_on_the_calendar},
                                {"same_bits", test_same_bits},
                                {"figures", test_figures},
                                {"mix", test_mix},
                                {"own_past", test_own_past},
                                {"memory", test_memory},
                                {"edges", test_edges},
                                CU_TEST_INFO_NULL};
