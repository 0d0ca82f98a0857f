/* The pooled model over the ranks: laws that it can tell come back, its bits do not depend on who
 * holds which series or on threads, and nothing after `until` has a say. */
#include "forecast/pooled.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/random.h"
#include "suites.h"

#include <math.h>
#include <string.h>

enum { WEEK = 7, FIRST_DAY = 19000, AHEAD = 28 };

typedef enum Law {
    LAW_WEEK,      /* a level times the same pattern of the week */
    LAW_PROMOTION, /* a level times 1 + 1.5 depth, with noise */
    LAW_RARE,      /* counts, with gaps that are not known */
    LAW_ORDERS,    /* one a day, and in every second series now and then a large order */
    LAW_CONSTANT,
    LAW_ZERO,
    LAW_UNKNOWN
} Law;

/* Who holds the blocks of series. */
typedef enum Place { PLACE_EVEN, PLACE_FIRST, PLACE_LAST, PLACE_ENDS, PLACES } Place;

typedef struct Sample {
    Law law;
    Frequency frequency;
    int64_t total;
    int32_t periods;
    Place place;
    bool has_columns; /* price, promotion, and a static */
    bool has_closed_days;
    int32_t changed; /* values from this period of the calendar on are others; 0: none */
} Sample;

static const Sample usual = {.law = LAW_RARE,
                             .frequency = FREQUENCY_DAILY,
                             .total = 300,
                             .periods = 200,
                             .has_columns = true,
                             .has_closed_days = true};

static const PooledOptions options_usual = {.horizon = AHEAD, .threads = 1};

/* Series before those of this rank. */
static int64_t first_of(const Sample *sample, int rank, int size)
{
    int64_t blocks = (sample->total + SERIES_BLOCK - 1) / SERIES_BLOCK, first = 0;
    switch (sample->place) {
    case PLACE_FIRST:
        first = rank > 0 ? blocks : 0;
        break;
    case PLACE_LAST:
        first = rank == size ? blocks : 0;
        break;
    case PLACE_ENDS:
        first = rank == 0 ? 0 : rank == size ? blocks : blocks / 2;
        break;
    default:
        first = blocks * rank / size;
    }
    return first * SERIES_BLOCK < sample->total ? first * SERIES_BLOCK : sample->total;
}

static double pattern(int32_t period)
{
    static const double week[WEEK] = {1, 2, .5, 1.5, .25, 1, .75};
    return week[period % WEEK];
}

static double draw(const Sample *sample, double level, int32_t t, double depth, Random *random)
{
    bool is_changed = sample->changed > 0 && t >= sample->changed;
    double noise = random_unit(random);
    int64_t count = random_poisson(random, .1 * level * pattern(t));
    switch (sample->law) {
    case LAW_WEEK:
        return level * pattern(FIRST_DAY + t);
    case LAW_PROMOTION:
        return level * (1 + 1.5 * depth) * (.9 + .2 * noise);
    case LAW_RARE:
        return noise < .05 ? NAN : is_changed ? 1000 * noise : (double)count;
    case LAW_ORDERS:
        return noise < .01 && (int64_t)level % 2 == 0 ? 8 : 1;
    case LAW_CONSTANT:
        return 5;
    case LAW_ZERO:
        return 0;
    default:
        return NAN;
    }
}

static void make_calendar(const Sample *sample, Calendar *calendar)
{
    calendar->frequency = sample->frequency;
    calendar->first = FIRST_DAY;
    calendar->n = sample->periods;
    calendar->ahead = AHEAD;
    calendar->is_closed = mem_new(calendar->n + AHEAD, sizeof *calendar->is_closed);
    calendar->holiday = mem_new(calendar->n + AHEAD, sizeof *calendar->holiday);
    calendar->n_holidays = 1;
    for (int32_t t = 0; t < calendar->n + AHEAD; t++) {
        calendar->is_closed[t] = sample->has_closed_days && t % WEEK == 3;
        calendar->holiday[t] = t % 50 == 20 ? 0 : -1;
    }
}

/* One series; values and columns have room. */
static void make_series(const Sample *sample, int64_t i, SeriesSet *set)
{
    Random random = random_stream(7, (uint64_t)(set->first + i));
    double level = 1 + (double)random_below(&random, 100);
    int32_t start = (int32_t)random_below(&random, sample->periods / 3 + 1);
    set->start[i] = FIRST_DAY + start;
    set->begin[i + 1] = set->begin[i] + sample->periods - start;
    for (int32_t t = start; t < sample->periods + AHEAD; t++) {
        double depth = random_below(&random, 4) == 0 ? .2 * (double)random_below(&random, 4) : 0;
        double price = 3 + random_unit(&random);
        double value = draw(sample, level, t, depth, &random);
        if (t < sample->periods)
            series_values(set, i)[t - start] = value;
        if (!sample->has_columns)
            continue;
        series_dynamic(set, i, 0)[t - start] = price;
        series_dynamic(set, i, 1)[t - start] = depth;
    }
    if (sample->has_columns)
        set->statics[0][i] = (int32_t)((set->first + i) % 4) - 1;
}

static SeriesSet make_set(const Sample *sample)
{
    const Comm *comm = rank_comm();
    SeriesSet set = {.total = sample->total};
    int64_t end = first_of(sample, comm_rank(comm) + 1, comm_size(comm));
    set.first = first_of(sample, comm_rank(comm), comm_size(comm));
    set.n = end - set.first;
    make_calendar(sample, &set.calendar);
    set.begin = mem_new(set.n + 1, sizeof *set.begin);
    set.start = mem_new(set.n, sizeof *set.start);
    set.records = mem_new(set.n * 3 * (sample->periods + AHEAD), sizeof *set.records);
    if (sample->has_columns) {
        series_add_dynamic(&set, "price");
        series_add_dynamic(&set, "promotion");
        set.n_static = 1;
        set.static_counts[0] = 3;
        set.statics[0] = mem_new(set.n, sizeof(int32_t));
    }
    for (int64_t i = 0; i < set.n; i++)
        make_series(sample, i, &set);
    return set;
}

/* Collective. */
static PooledModel learn(const SeriesSet *set, int32_t periods, const PooledOptions *options)
{
    Error error = {0};
    PooledModel model = {0};
    CU_ASSERT_EQUAL(pooled_learn(rank_comm(), set, FIRST_DAY + periods, options, &model, &error),
                    STATUS_OK);
    return model;
}

static uint64_t hash_groups(const PooledModel *model)
{
    uint64_t hash = (uint64_t)model->n_groups;
    for (int g = 0; g < model->n_groups; g++) {
        const PooledGroup *group = &model->groups[g];
        hash = hash * 31 + hash64(group->coefficients, model->plan.n * (int64_t)sizeof(double));
        hash = hash * 31 + hash64(&group->lambda, sizeof group->lambda);
        hash = hash * 31 + (uint64_t)group->rows;
    }
    return hash;
}

/* The same on every rank? Collective. */
static bool is_same_everywhere(uint64_t hash)
{
    int64_t least = (int64_t)(hash >> 1), greatest = least;
    comm_min_i64(rank_comm(), &least, 1);
    comm_max_i64(rank_comm(), &greatest, 1);
    return least == greatest;
}

static uint64_t learn_hash(const Sample *sample, int32_t periods, const PooledOptions *options)
{
    SeriesSet set = make_set(sample);
    PooledModel model = learn(&set, periods, options);
    uint64_t hash = hash_groups(&model);
    CU_ASSERT(is_same_everywhere(hash));
    CU_ASSERT(model.n_groups > 0 && model.groups[0].rows > 0);
    pooled_free(&model);
    series_set_free(&set);
    return hash;
}

/* All series on one rank is what a single rank has: the others must have its bits. */
static void test_same_bits(void)
{
    Sample sample = usual;
    PooledOptions options = options_usual;
    for (int64_t rows = 0; rows <= 5000; rows += 5000) {
        options.rows = rows;
        sample.place = PLACE_FIRST;
        options.threads = 1;
        uint64_t want = learn_hash(&sample, sample.periods, &options);
        for (int place = 0; place < PLACES; place++) {
            sample.place = (Place)place;
            for (options.threads = 1; options.threads <= 3; options.threads += 2)
                CU_ASSERT_EQUAL(learn_hash(&sample, sample.periods, &options), want);
        }
    }
}

static double forecast(const PooledModel *model, const SeriesSet *set, int64_t i, int32_t periods,
                       int horizon, double *mean)
{
    double *work = mem_new(pooled_work(model, set), sizeof *work), sum = 0;
    pooled_forecast(model, set, i, FIRST_DAY + periods, horizon, mean, work);
    for (int h = 0; h < horizon; h++) {
        CU_ASSERT(isfinite(mean[h]) && mean[h] >= 0);
        sum += mean[h];
    }
    mem_free(&work);
    return sum;
}

/* Where the features of a daily set without columns are. */
enum { AT_MEANS = 1, AT_LAST = 10, AT_TREND = 12, AT_SEASON = 15, AT_AGE = 22, AT_WEEKDAY = 26 };

/* A series that counts its periods, seen at its 100th about nine periods on: by hand. */
static void check_counting(const FeaturePlan *plan, const SeriesSet *set, double *work)
{
    enum { ORIGIN = 100, TARGET = 108 };
    double x[FEATURES_MAX], level = (56 * 71.5 + 7 * 49.5) / 63;
    double *values = series_values(set, 0);
    FeatureHistory history;
    for (int32_t t = 0; t < series_length(set, 0); t++)
        values[t] = t;
    feature_history_make(plan, set, 0, set->start[0] + ORIGIN, &history, work);
    CU_ASSERT_EQUAL(history.n, ORIGIN);
    CU_ASSERT_DOUBLE_EQUAL(feature_step(plan, &history, ORIGIN),
                           sqrt((99 + 91 * 99. * 99) / (99 + 91)), 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(feature_level(plan, &history, ORIGIN), level, 1e-12);
    CU_ASSERT_EQUAL(feature_naive(plan, &history, ORIGIN, TARGET), 94);
    feature_row(plan, &history, ORIGIN, TARGET, level, x);
    CU_ASSERT_EQUAL(x[0], 1);
    CU_ASSERT_DOUBLE_EQUAL(x[AT_MEANS], 96 / level, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(x[AT_MEANS + 8], 49.5 / level, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(x[AT_LAST], 99 / level, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(x[AT_LAST + 1], 98 / level, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(x[AT_TREND], 85.5 / 54, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(x[AT_TREND + 2], 8. / 7, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(x[AT_SEASON], 94 / level, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(x[AT_SEASON + 2], (94 - 10.5) / level, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(x[AT_AGE], log1p(100. / 7), 1e-12);
    CU_ASSERT_EQUAL(x[AT_AGE + 2], 0);
    for (int32_t day = 0; day < WEEK; day++)
        CU_ASSERT_EQUAL(x[AT_WEEKDAY + day], day == (set->start[0] + TARGET) % WEEK);
    values[94] = NAN; /* the same place of the season is not known a season before */
    feature_history_make(plan, set, 0, set->start[0] + ORIGIN, &history, work);
    feature_row(plan, &history, ORIGIN, TARGET, level, x);
    CU_ASSERT_EQUAL(feature_naive(plan, &history, ORIGIN, TARGET), 87);
    CU_ASSERT_DOUBLE_EQUAL(x[AT_SEASON], x[AT_MEANS + 2], 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(x[AT_SEASON + 1], 87 / level, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(x[AT_MEANS], (7 * 96 - 94) / 6. / level, 1e-12);
}

static void test_features(void)
{
    Sample sample = {.law = LAW_WEEK, .frequency = FREQUENCY_DAILY, .total = 1, .periods = 200};
    Error error = {0};
    FeaturePlan plan = {0};
    SeriesSet set = make_set(&sample);
    CU_ASSERT_EQUAL(feature_plan_make(rank_comm(), &set, FIRST_DAY + 150, &plan, &error),
                    STATUS_OK);
    double *work = mem_new(feature_history_work(&set, sample.periods), sizeof *work);
    if (set.n == 1)
        check_counting(&plan, &set, work);
    mem_free(&work);
    feature_plan_free(&plan);
    series_set_free(&set);
}

/* Values from `until` on, and columns in learning, are not looked at. */
static void test_later_values(void)
{
    enum { UNTIL = 150 };
    Sample sample = usual, changed = usual;
    changed.changed = UNTIL;
    SeriesSet set = make_set(&sample), other = make_set(&changed);
    PooledModel model = learn(&set, UNTIL, &options_usual);
    for (int64_t i = 0; i < set.n; i++) {
        int64_t later = FIRST_DAY + UNTIL - other.start[i];
        for (int k = 0; k < 2; k++)
            for (int64_t t = later; t < series_length(&other, i) + AHEAD; t++)
                series_dynamic(&other, i, k)[t] = 1000;
    }
    PooledModel again = learn(&other, UNTIL, &options_usual);
    CU_ASSERT_EQUAL(hash_groups(&model), hash_groups(&again));
    for (int64_t i = 0; i < set.n; i++)
        memcpy(series_dynamic(&other, i, 0), series_dynamic(&set, i, 0),
               2 * ((size_t)series_length(&set, i) + AHEAD) * sizeof(double));
    for (int64_t i = 0; i < set.n; i += 13) {
        double one[AHEAD], two[AHEAD];
        forecast(&model, &set, i, UNTIL, AHEAD, one);
        forecast(&model, &other, i, UNTIL, AHEAD, two);
        CU_ASSERT(memcmp(one, two, sizeof one) == 0);
    }
    pooled_free(&model);
    pooled_free(&again);
    series_set_free(&set);
    series_set_free(&other);
}

static void test_week(void)
{
    Sample sample = usual;
    sample.law = LAW_WEEK;
    SeriesSet set = make_set(&sample);
    PooledModel model = learn(&set, sample.periods, &options_usual);
    CU_ASSERT_EQUAL(model.n_groups, 3);
    CU_ASSERT_EQUAL(model.groups[1].first, 8);
    CU_ASSERT_EQUAL(model.groups[2].last, AHEAD);
    for (int64_t i = 0; i < set.n; i++) {
        double mean[AHEAD];
        double level = 0;
        for (int32_t t = 0; t < series_length(&set, i); t++)
            level = fmax(level, series_values(&set, i)[t] / 2);
        forecast(&model, &set, i, sample.periods, AHEAD, mean);
        for (int h = 0; h < AHEAD; h++) {
            int32_t t = sample.periods + h;
            double want = set.calendar.is_closed[t] ? 0 : level * pattern(FIRST_DAY + t);
            CU_ASSERT_DOUBLE_EQUAL(mean[h], want, .03 * level);
        }
    }
    pooled_free(&model);
    series_set_free(&set);
}

/* What a promotion of depth .6 does is told, from depths of the periods ahead. */
static void test_promotion(void)
{
    Sample sample = usual;
    sample.law = LAW_PROMOTION;
    sample.has_closed_days = false;
    SeriesSet set = make_set(&sample);
    PooledModel model = learn(&set, sample.periods, &options_usual);
    for (int64_t i = 0; i < set.n; i++) {
        double *depth = series_dynamic(&set, i, 1) + series_length(&set, i);
        double mean[AHEAD], without, with;
        for (int h = 0; h < AHEAD; h++)
            depth[h] = 0;
        without = forecast(&model, &set, i, sample.periods, AHEAD, mean);
        for (int h = 0; h < AHEAD; h++)
            depth[h] = .6;
        with = forecast(&model, &set, i, sample.periods, AHEAD, mean);
        CU_ASSERT_DOUBLE_EQUAL(with / without, 1.9, .1);
    }
    pooled_free(&model);
    series_set_free(&set);
}

/* Large orders count in the mean: those to come must not take the say from the series that have
 * them. 1.035 pieces a day come. */
static void test_orders(void)
{
    Sample sample = usual;
    sample.law = LAW_ORDERS;
    sample.has_columns = sample.has_closed_days = false;
    SeriesSet set = make_set(&sample);
    PooledModel model = learn(&set, sample.periods, &options_usual);
    int64_t millionths = 0;
    for (int64_t i = 0; i < set.n; i++) {
        double mean[AHEAD];
        millionths += llround(1e6 * forecast(&model, &set, i, sample.periods, AHEAD, mean));
    }
    comm_sum_i64(rank_comm(), &millionths, 1);
    double a_day = (double)millionths / 1e6 / AHEAD / (double)sample.total;
    CU_ASSERT(a_day > 1.025 && a_day < 1.045);
    pooled_free(&model);
    series_set_free(&set);
}

/* A series of nothing but one number is forecast as it, whatever the number of series. */
static void test_plain_series(void)
{
    static const int64_t totals[] = {0, 1, 64, 65};
    static const Law laws[] = {LAW_CONSTANT, LAW_ZERO, LAW_UNKNOWN};
    for (size_t k = 0; k < sizeof totals / sizeof *totals; k++) {
        for (size_t l = 0; l < sizeof laws / sizeof *laws; l++) {
            Sample sample = usual;
            sample.total = totals[k];
            sample.law = laws[l];
            SeriesSet set = make_set(&sample);
            PooledModel model = learn(&set, sample.periods, &options_usual);
            bool has_law = sample.total > 0 && sample.law == LAW_CONSTANT;
            CU_ASSERT_EQUAL(model.groups[0].lambda > 0, has_law);
            for (int64_t i = 0; i < set.n; i++) {
                double mean[AHEAD], want = has_law ? 5 : 0;
                forecast(&model, &set, i, sample.periods, AHEAD, mean);
                for (int h = 0; h < AHEAD; h++)
                    CU_ASSERT_DOUBLE_EQUAL(
                        mean[h], set.calendar.is_closed[sample.periods + h] ? 0 : want, 1e-3);
            }
            pooled_free(&model);
            series_set_free(&set);
        }
    }
}

/* Too little history to learn from: the naive. */
static void test_naive(void)
{
    Sample sample = usual;
    sample.law = LAW_WEEK;
    sample.has_closed_days = false;
    for (int32_t until = 0; until <= 14; until += 7) {
        SeriesSet set = make_set(&sample);
        PooledModel model = learn(&set, until, &options_usual);
        CU_ASSERT_EQUAL(model.groups[0].rows, 0);
        CU_ASSERT_EQUAL(model.groups[0].lambda, 0);
        for (int64_t i = 0; i < set.n; i++) {
            double mean[AHEAD];
            bool is_new = set.start[i] >= FIRST_DAY + until;
            forecast(&model, &set, i, until, AHEAD, mean);
            for (int h = 0; h < AHEAD; h++) {
                int32_t t = FIRST_DAY + until + h - (h / WEEK + 1) * WEEK;
                if (is_new || t >= set.start[i])
                    CU_ASSERT_EQUAL(mean[h], is_new ? 0 : series_values(&set, i)[t - set.start[i]]);
            }
        }
        pooled_free(&model);
        series_set_free(&set);
    }
}

/* Every frequency, all horizons; a horizon that was not learned is that of the last group. */
static void test_frequencies(void)
{
    static const int horizons[] = {1, 3, AHEAD};
    for (int frequency = 0; frequency < FREQUENCY_COUNT; frequency++) {
        for (size_t k = 0; k < sizeof horizons / sizeof *horizons; k++) {
            Sample sample = usual;
            PooledOptions options = options_usual;
            sample.frequency = (Frequency)frequency;
            sample.periods = 900; /* more than two years of days */
            sample.total = 40;
            options.horizon = horizons[k];
            options.half_life = 300;
            SeriesSet set = make_set(&sample);
            PooledModel model = learn(&set, sample.periods, &options);
            CU_ASSERT(model.plan.n <= FEATURES_MAX);
            CU_ASSERT_EQUAL(model.groups[model.n_groups - 1].last, options.horizon);
            CU_ASSERT(model.groups[0].rows > 0 && model.groups[0].lambda > 0);
            for (int64_t i = 0; i < set.n; i++) {
                double mean[AHEAD];
                forecast(&model, &set, i, sample.periods, AHEAD, mean);
                forecast(&model, &set, i, sample.periods - 100, AHEAD, mean);
            }
            pooled_free(&model);
            series_set_free(&set);
        }
    }
}

CU_TestInfo pooled_tests[] = {
    {"features", test_features},         {"same bits", test_same_bits},
    {"later values", test_later_values}, {"week", test_week},
    {"promotion", test_promotion},       {"orders", test_orders},
    {"plain series", test_plain_series}, {"naive", test_naive},
    {"frequencies", test_frequencies},   CU_TEST_INFO_NULL,
};
