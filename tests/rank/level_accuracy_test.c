/* WRMSSE over levels against a loop over all series that every rank makes by itself; the same bits
 * wherever the series lie. */
#include "forecast/level_accuracy.h"

#include "base/memory.h"
#include "base/random.h"
#include "rank/suites.h"

#include <math.h>
#include <string.h>

enum {
    PERIODS = 40,
    HORIZON = 5,
    ORIGIN = 2,
    TOTAL = 230,
    KINDS = 3,
    PLACES = 4,
    UNTIL = PERIODS - ORIGIN * HORIZON
};

/* Who holds the blocks of series. */
typedef enum Layout { EVEN, ON_FIRST, ON_LAST, LAYOUTS } Layout;

static int64_t first_of(Layout layout, int64_t total, int rank, int size)
{
    int64_t blocks = (total + SERIES_BLOCK - 1) / SERIES_BLOCK, first = blocks * rank / size;
    if (layout == ON_FIRST)
        first = rank > 0 ? blocks : 0;
    if (layout == ON_LAST)
        first = rank == size ? blocks : 0;
    return first * SERIES_BLOCK < total ? first * SERIES_BLOCK : total;
}

/* ---- what each series is, by its number ---- */

static int32_t start_of(int64_t number)
{
    return number % 9 == 4 ? PERIODS - 7 : (int32_t)(number % 5);
}

static double value_of(int64_t number, int32_t t)
{
    Random random = random_stream(8, (uint64_t)(number * PERIODS + t));
    if (number % 17 == 3)
        return 7.0; /* without a step there is nothing to measure by */
    if (number % 13 == 5 && t % 6 == 2)
        return NAN;
    return (double)random_poisson(&random, 3.0 + (double)(number % 20));
}

static double forecast_of(int64_t number, int h)
{
    return number % 11 == 6 ? (double)NAN : 3.0 + (double)(number % 20) + .25 * h;
}

static double weight_of(int64_t number, bool has_weights)
{
    return has_weights ? 1.0 + (double)(number % 4) : 1.0;
}

/* Of `kind` and `place`; -1: not known. */
static int32_t code_of(int64_t number, int column)
{
    int32_t code = (int32_t)(column == 0 ? number % KINDS : number / 3 % PLACES);
    return number % 19 == 7 ? -1 : code;
}

static SeriesSet make_set(Layout layout, int64_t total, bool has_weights)
{
    const Comm *comm = rank_comm();
    Error error = {0};
    SeriesSet set = {.total = total};
    set.first = first_of(layout, total, comm_rank(comm), comm_size(comm));
    set.n = first_of(layout, total, comm_rank(comm) + 1, comm_size(comm)) - set.first;
    set.calendar =
        (Calendar){.frequency = FREQUENCY_DAILY, .n = PERIODS, .ahead = HORIZON, .open_season = 7};
    set.begin = mem_new(set.n + 1, sizeof *set.begin);
    set.start = mem_new(set.n, sizeof *set.start);
    set.records = mem_new(set.n * 2 * (PERIODS + HORIZON), sizeof *set.records);
    if (has_weights)
        series_add_dynamic(&set, "weight");
    for (int64_t i = 0; i < set.n; i++) {
        set.start[i] = start_of(set.first + i);
        set.begin[i + 1] = set.begin[i] + PERIODS - set.start[i];
        for (int32_t t = set.start[i]; t < PERIODS; t++)
            series_values(&set, i)[t - set.start[i]] = value_of(set.first + i, t);
    }
    for (int column = 0; column < 2; column++) {
        int32_t *codes;
        CU_ASSERT_EQUAL(series_add_static(&set, column == 0 ? "kind" : "place",
                                          column == 0 ? KINDS : PLACES, &codes, &error),
                        STATUS_OK);
        for (int64_t i = 0; i < set.n; i++)
            codes[i] = code_of(set.first + i, column);
    }
    if (has_weights) {
        for (int64_t i = 0; i < set.n; i++) {
            int64_t length = series_length(&set, i);
            double *weights = series_dynamic(&set, i, 0);
            for (int64_t t = 0; t < length + HORIZON; t++)
                weights[t] = t < length ? 9.0 : (double)NAN;
            if (length > 0) /* the last known one counts */
                weights[length - 1] = weight_of(set.first + i, true);
        }
    }
    return set;
}

/* ---- a loop over all series ---- */

/* Sums over the series of a group, by their numbers. */
typedef struct Group {
    double history[PERIODS]; /* NaN: nothing is known */
    double forecast[HORIZON];
    double weight;
} Group;

static void add(double *sum, double value)
{
    if (!isnan(value))
        *sum = isnan(*sum) ? value : *sum + value;
}

static Group empty_group(void)
{
    Group group = {.weight = 0.0};
    for (int t = 0; t < PERIODS; t++)
        group.history[t] = NAN;
    for (int h = 0; h < HORIZON; h++)
        group.forecast[h] = NAN;
    return group;
}

/* What comes of a series that had not begun at the origin is left out. */
static void add_series(Group *group, int64_t number, bool has_weights)
{
    bool had_begun = start_of(number) < UNTIL;
    for (int32_t t = start_of(number); had_begun && t < PERIODS; t++)
        add(&group->history[t], value_of(number, t));
    for (int h = 0; h < HORIZON; h++)
        add(&group->forecast[h], forecast_of(number, h));
    group->weight += weight_of(number, has_weights);
}

/* RMSSE of one group; NaN: there is none. Steps are those between neighbours that are known. */
static double rmsse_of(const Group *group)
{
    int steps = 0, known = 0;
    double scale = 0.0, square = 0.0;
    for (int t = 1; t < UNTIL; t++) {
        double step = group->history[t] - group->history[t - 1];
        steps += !isnan(step);
        scale += isnan(step) ? 0.0 : step * step;
    }
    for (int h = 0; h < HORIZON; h++) {
        double error = group->history[UNTIL + h] - group->forecast[h];
        known += !isnan(error);
        square += isnan(error) ? 0.0 : error * error;
    }
    if (known == 0 || steps == 0 || scale == 0.0)
        return NAN;
    return sqrt(square / known / (scale / steps));
}

/* The weighted mean of a level: series of one key are one group. */
static double level_of(int64_t total, bool has_weights, int64_t (*key_of)(int64_t number),
                       int64_t n_keys)
{
    double sum = 0.0, weights = 0.0;
    for (int64_t key = 0; key < n_keys; key++) {
        Group group = empty_group();
        bool any = false;
        for (int64_t number = 0; number < total; number++) {
            if (key_of(number) != key)
                continue;
            any = true;
            add_series(&group, number, has_weights);
        }
        double rmsse = any ? rmsse_of(&group) : (double)NAN;
        sum += isnan(rmsse) ? 0.0 : group.weight * rmsse;
        weights += isnan(rmsse) ? 0.0 : group.weight;
    }
    return weights > 0.0 ? sum / weights : (double)NAN;
}

static int64_t key_total(int64_t number)
{
    return 0 * number;
}

static int64_t key_kind(int64_t number)
{
    return code_of(number, 0) + 1;
}

static int64_t key_both(int64_t number)
{
    return (code_of(number, 0) + 1) * (PLACES + 1) + code_of(number, 1) + 1;
}

static int64_t key_series(int64_t number)
{
    return number;
}

typedef struct Case {
    const char *levels;
    bool has_total, has_kind, has_both;
    bool has_weights;
    int64_t total;
} Case;

static double expected_of(const Case *c)
{
    double parts[] = {
        c->has_total ? level_of(c->total, c->has_weights, key_total, 1) : (double)NAN,
        c->has_kind ? level_of(c->total, c->has_weights, key_kind, KINDS + 1) : (double)NAN,
        c->has_both ? level_of(c->total, c->has_weights, key_both, (KINDS + 1) * (PLACES + 1))
                    : (double)NAN,
        level_of(c->total, c->has_weights, key_series, c->total)};
    double sum = 0.0;
    int n = 0;
    for (int k = 0; k < 4; k++) {
        sum += isnan(parts[k]) ? 0.0 : parts[k];
        n += !isnan(parts[k]);
    }
    return n > 0 ? sum / n : (double)NAN;
}

/* ---- both ---- */

static double measured(const Case *c, Layout layout)
{
    Error error = {0};
    SeriesSet set = make_set(layout, c->total, c->has_weights);
    Backtest backtest = {.options = {.horizon = HORIZON, .n_origins = ORIGIN + 1, .season = 7}};
    AccuracyLevels levels = {0};
    double *forecast = mem_new(set.n * HORIZON, sizeof *forecast), wrmsse = NAN;
    for (int64_t k = 0; k < set.n * HORIZON; k++)
        forecast[k] = forecast_of(set.first + k / HORIZON, (int)(k % HORIZON));
    Status status = accuracy_levels_make(rank_comm(), &set, c->levels, &levels, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    if (status == STATUS_OK)
        CU_ASSERT_EQUAL(accuracy_levels_wrmsse(rank_comm(), &levels, &set, &backtest, ORIGIN,
                                               forecast, &wrmsse, &error),
                        STATUS_OK);
    accuracy_levels_free(&levels);
    mem_free(&forecast);
    series_set_free(&set);
    return wrmsse;
}

static void test_levels(void)
{
    static const Case cases[] = {
        {"total", true, false, false, false, TOTAL},
        {"kind", false, true, false, true, TOTAL},
        {"total,kind,kind*place", true, true, true, true, TOTAL},
        {"kind*place total", true, false, true, false, TOTAL},
        {"total,kind", true, true, false, true, 1},
        {"total,kind", true, true, false, false, 0},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        double expected = expected_of(&cases[k]), first = measured(&cases[k], EVEN);
        CU_ASSERT(isnan(expected) ? isnan(first)
                                  : fabs(first - expected) <= 1e-9 * (1.0 + expected));
        for (int layout = EVEN; layout < LAYOUTS; layout++) {
            double other = measured(&cases[k], (Layout)layout);
            CU_ASSERT(memcmp(&first, &other, sizeof first) == 0);
        }
    }
}

static void test_refused(void)
{
    static const char *const wrong[] = {"sort", "total,kind*", "kind*size"};
    for (int k = 0; k < 3; k++) {
        Error error = {0};
        AccuracyLevels levels = {0};
        SeriesSet set = make_set(EVEN, TOTAL, false);
        CU_ASSERT_EQUAL(accuracy_levels_make(rank_comm(), &set, wrong[k], &levels, &error),
                        STATUS_USAGE);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "--levels"));
        accuracy_levels_free(&levels);
        series_set_free(&set);
    }
}

CU_TestInfo level_accuracy_tests[] = {
    {"levels", test_levels}, {"refused", test_refused}, CU_TEST_INFO_NULL};
