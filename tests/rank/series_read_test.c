/* Series of a random shop (series_read.h) against plain loops over all of its lines, at any number
 * of ranks to the bit. */
#include "forecast/series_read.h"

#include "base/memory.h"
#include "forecast/calendar.h"
#include "forecast/series_rows.h"
#include "rank/history_model.h"
#include "rank/known_model.h"
#include "rank/model.h"
#include "rank/suites.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the naive answer ---- */

/* All that is known of one series, by period of the calendar. */
typedef struct Naive {
    const HistoryModel *model;
    const Shop *shop;
    const SeriesReadOptions *options;
    int32_t until;
    bool has_known; /* catalogue, promotions, stock-outs and holidays */
    Calendar calendar, daily;
} Naive;

static bool is_sale(const ModelLine *line)
{
    return line->quantity > 0 && !line->cancelled;
}

static bool is_seen(const Naive *naive, const ModelLine *line)
{
    return line->in_force && line->day <= naive->until;
}

/* group: code of a country; -2: all. */
static bool is_of(const ModelLine *line, int32_t product, int32_t group)
{
    return line->product == product && (group == -2 || line->country == group);
}

/* The country with the most lines of kept sales, the first by name. */
static int32_t naive_country(const Naive *naive)
{
    const Names *countries = &naive->shop->country;
    int64_t most = 0;
    int32_t best = -1;
    for (int32_t place = 0; place < countries->count; place++) {
        int64_t n = 0;
        for (int64_t i = 0; i < naive->model->orders.n; i++) {
            const ModelLine *line = &naive->model->orders.lines[i];
            n += is_seen(naive, line) && is_sale(line) && line->country == countries->code[place];
        }
        if (n > most) {
            most = n;
            best = countries->code[place];
        }
    }
    return best;
}

/* The name of a day's holiday, empty for none: of the home country, else of all, else of the first
 * country by name; the latest row. */
static void naive_holiday(const Naive *naive, int32_t home, int32_t wanted,
                          char name[KNOWN_NAME_SIZE])
{
    const ShopShape *shape = &naive->model->orders.shape;
    int32_t day, country, best = INT32_MAX;
    char found[KNOWN_NAME_SIZE];
    name[0] = 0;
    for (int k = 0; k < 2 * KNOWN_HOLIDAYS; k++) {
        known_holiday(shape, k, &day, &country, found);
        if (day != wanted || (home >= 0 && country >= 0 && country != home))
            continue;
        int32_t order = country == home ? -2
                        : country < 0   ? -1
                                        : naive->shop->country.place[country];
        if (order > best)
            continue;
        best = order;
        strcpy(name, found);
    }
}

static Status naive_calendar(Naive *naive, Error *error)
{
    static const ColumnSpec columns[] = {{"day", COLUMN_I32, UNIT_DAY},
                                         {"name", COLUMN_TEXT, UNIT_NONE}};
    Status status = STATUS_OK;
    const ModelShop *orders = &naive->model->orders;
    int32_t first = naive->shop->first_day, home = naive_country(naive);
    Table holidays = {0};
    char name[KNOWN_NAME_SIZE];
    CalendarDays days = {0};
    if (first != DAY_NONE && naive->until >= first)
        days = (CalendarDays){.first = first, .n = naive->until - first + 1};
    days.lines = mem_new(days.n, sizeof *days.lines);
    days.orders = mem_new(days.n, sizeof *days.orders);
    for (int64_t i = 0; i < orders->n; i++) {
        bool is_first = true; /* of its order */
        const ModelLine *line = &orders->lines[i];
        if (!is_seen(naive, line) || !is_sale(line))
            continue;
        for (int64_t k = 0; k < orders->n; k++) {
            const ModelLine *other = &orders->lines[k];
            if (other->order == line->order && is_seen(naive, other) && is_sale(other))
                is_first &= other->day > line->day || (other->day == line->day && k >= i);
        }
        days.lines[line->day - first]++;
        days.orders[line->day - first] += is_first;
    }
    table_init(&holidays, columns, 2);
    for (int32_t day = first == DAY_NONE ? 0 : first - 100;
         first != DAY_NONE && naive->has_known && day < naive->until + 400; day++) {
        naive_holiday(naive, home, day, name);
        if (name[0] == 0)
            continue;
        TRY(table_add_row(&holidays, error));
        ((int32_t *)holidays.columns[0].data)[holidays.rows - 1] = day;
        TRY(table_set_last_text(&holidays, &holidays.columns[1], bytes_of(name), error));
    }
    TRY(calendar_make(naive->options->frequency, &days, &holidays, naive->options->ahead,
                      &naive->calendar, error));
    TRY(calendar_make(FREQUENCY_DAILY, &days, &holidays, 0, &naive->daily, error));
out:
    table_free(&holidays);
    calendar_days_free(&days);
    return status;
}

/* Sums of one series in one period. */
typedef struct Sums {
    int64_t units, priced, paid, returned;
} Sums;

/* sums [n + 1]: the last one is what was returned before anything was sold. */
static void naive_sums(const Naive *naive, int32_t product, int32_t group, Sums *sums, Sums *late)
{
    const Calendar *calendar = &naive->calendar;
    memset(sums, 0, (size_t)(calendar->n + 1) * sizeof *sums);
    *late = (Sums){0};
    for (int64_t i = 0; i < naive->model->orders.n; i++) {
        const ModelLine *line = &naive->model->orders.lines[i];
        if (!is_seen(naive, line) || !is_of(line, product, group))
            continue;
        int32_t t = period_of_day(naive->options->frequency, line->day) - calendar->first;
        Sums *to = t < 0 ? &sums[calendar->n] : t >= calendar->n ? late : &sums[t];
        if (!is_sale(line)) {
            to->returned += abs(line->quantity);
            continue;
        }
        to->units += line->quantity;
        if (line->price > 0) {
            to->priced += line->quantity;
            to->paid += line->quantity * line->price;
        }
    }
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void naive_prices(const Sums *sums, int32_t length, int32_t ahead, double *prices)
{
    double *sorted = mem_new(length, sizeof *sorted);
    int32_t n = 0;
    for (int32_t t = 0; t < length; t++) {
        if (sums[t].priced > 0)
            sorted[n++] = (double)sums[t].paid / (double)sums[t].priced;
    }
    qsort(sorted, (size_t)n, sizeof *sorted, compare_doubles);
    for (int32_t t = 0; t < length + ahead; t++) {
        prices[t] = t > 0 ? prices[t - 1] : NAN;
        if (t < length && sums[t].priced > 0)
            prices[t] = (double)sums[t].paid / (double)sums[t].priced /
                        ((sorted[(n - 1) / 2] + sorted[n / 2]) / 2);
    }
    mem_free(&sorted);
}

static double naive_promotion(const Naive *naive, int32_t product, int32_t period)
{
    Frequency frequency = naive->options->frequency;
    int32_t begin = period_first_day(frequency, period);
    int32_t end = period_first_day(frequency, period + 1);
    int64_t sum = 0;
    for (int32_t day = begin; day < end; day++)
        sum += known_depth(&naive->model->orders.shape, product, day);
    return (double)sum / (1e4 * (end - begin));
}

/* Nobody could buy on any day of the period on which the shop was open. */
static bool naive_out_of_stock(const Naive *naive, int32_t product, int32_t period)
{
    Frequency frequency = naive->options->frequency;
    int n_open = 0;
    for (int32_t day = period_first_day(frequency, period);
         day < period_first_day(frequency, period + 1); day++) {
        if (calendar_is_closed(&naive->daily, day))
            continue;
        if (!naive->has_known || !known_out_of_stock(&naive->model->orders.shape, product, day))
            return false;
        n_open++;
    }
    return n_open > 0;
}

static bool is_same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static Status load_record(const SeriesSet *set, int64_t i)
{
    Error error;
    return series_load(set, i, &error);
}

/* Mistakes in series i of the set, which is of this product and group. */
static int64_t compare_series(const Naive *naive, const SeriesSet *set, int64_t i, int32_t product,
                              int32_t group, const Sums *sums, int64_t *out_of_stock)
{
    const Calendar *calendar = &naive->calendar;
    int64_t wrong = 0;
    int32_t start = 0;
    while (sums[start].units == 0)
        start++;
    int32_t length = calendar->n - start;
    wrong += ((int32_t *)set->keys.columns[0].data)[i] != product;
    wrong += group != -2 && ((int32_t *)set->keys.columns[1].data)[i] != group;
    wrong += set->start[i] != calendar->first + start || series_length(set, i) != length;
    if (wrong > 0 || load_record(set, i) != STATUS_OK)
        return 1;
    double *prices = mem_new(length + calendar->ahead, sizeof *prices);
    naive_prices(sums + start, length, calendar->ahead, prices);
    for (int32_t t = 0; t < length + calendar->ahead; t++) {
        if (t < length) {
            double units = (double)sums[start + t].units;
            if (units == 0 && naive_out_of_stock(naive, product, set->start[i] + t))
                units = NAN;
            *out_of_stock += isnan(units);
            wrong += !is_same(series_values(set, i)[t], units);
            wrong += series_returned(set, i)[t] != (double)sums[start + t].returned;
        }
        wrong += !is_same(series_dynamic(set, i, 0)[t], prices[t]);
        if (naive->has_known && i % 20 == 0)
            wrong +=
                series_dynamic(set, i, 1)[t] != naive_promotion(naive, product, set->start[i] + t);
    }
    mem_free(&prices);
    wrong += set->statics[0][i] != (naive->has_known ? known_top_category(product) : -1);
    wrong += set->statics[1][i] != (naive->has_known ? known_brand(product) : -1);
    return wrong;
}

static int64_t compare_calendars(const Calendar *a, const Calendar *b)
{
    int64_t wrong = a->frequency != b->frequency || a->first != b->first || a->n != b->n ||
                    a->ahead != b->ahead || a->open_season != b->open_season ||
                    a->n_holidays != b->n_holidays || (a->holiday == NULL) != (b->holiday == NULL);
    for (int32_t t = 0; t < b->n + b->ahead && wrong == 0; t++) {
        wrong += a->is_closed[t] != b->is_closed[t];
        wrong += a->holiday != NULL && a->holiday[t] != b->holiday[t];
    }
    return wrong;
}

/* Compare what this rank has with the naive answer. */
static void expect_set(const Naive *naive, const SeriesSet *set, const SeriesReadCounts *counts)
{
    const Shop *shop = naive->shop;
    bool by_country = naive->options->grouping == SERIES_BY_COUNTRY;
    int32_t groups = by_country ? shop->country.count + 1 : 1;
    int64_t n = 0, wrong = 0;
    SeriesReadCounts expected = {0};
    Sums *sums = mem_new((int64_t)naive->calendar.n + 1, sizeof *sums), late;
    for (int32_t place = 0; place < shop->product.count; place++) {
        for (int32_t g = 0; g < groups; g++) {
            int32_t group = !by_country ? -2 : g == 0 ? -1 : shop->country.code[g - 1];
            int32_t product = shop->product.code[place], periods = 0;
            int64_t units = 0;
            naive_sums(naive, product, group, sums, &late);
            for (int32_t t = 0; t <= naive->calendar.n; t++) {
                periods += sums[t].units > 0;
                units += sums[t].units;
                expected.returned += sums[t].returned;
            }
            expected.returned += late.returned;
            expected.kept += units + late.units;
            expected.unfinished += late.units;
            bool is_series = periods > 0 && periods >= naive->options->least_periods;
            if (!is_series) {
                expected.left_out += units;
                expected.short_series += periods > 0;
                continue;
            }
            if (n >= set->first && n < set->first + set->n)
                wrong += compare_series(naive, set, n - set->first, product, group, sums,
                                        &expected.out_of_stock);
            n++;
        }
    }
    mem_free(&sums);
    comm_sum_i64(rank_comm(), &expected.out_of_stock, 1);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(counts->out_of_stock, expected.out_of_stock);
    CU_ASSERT_EQUAL(set->total, n);
    CU_ASSERT_EQUAL(counts->kept, expected.kept);
    CU_ASSERT_EQUAL(counts->unfinished, expected.unfinished);
    CU_ASSERT_EQUAL(counts->left_out, expected.left_out);
    CU_ASSERT_EQUAL(counts->short_series, expected.short_series);
    CU_ASSERT_EQUAL(counts->returned, expected.returned);
}

/* Runs of whole blocks, of about the same cost. */
static void expect_placing(const SeriesSet *set, const SeriesCost *cost)
{
    Comm *comm = rank_comm();
    int64_t all = set->n, own = 0, most = 0, sum;
    CU_ASSERT(set->first % SERIES_BLOCK == 0 || set->n == 0);
    CU_ASSERT_EQUAL(comm_prefix_i64(comm, set->n), set->first);
    comm_sum_i64(comm, &all, 1);
    CU_ASSERT_EQUAL(all, set->total);
    for (int64_t i = 0; i < set->n; i += SERIES_BLOCK) {
        int64_t block = 0;
        for (int64_t k = i; k < set->n && k < i + SERIES_BLOCK; k++)
            block += 1 + (int64_t)(cost->terms[1] * series_length(set, k));
        own += block;
        most = block > most ? block : most;
    }
    sum = own;
    comm_sum_i64(comm, &sum, 1);
    comm_max_i64(comm, &most, 1);
    CU_ASSERT(own <= sum / comm_size(comm) + 2 * most);
}

/* ---- shapes ---- */

static void expect_read(const HistoryModel *model, HistoryStore *store,
                        const SeriesReadOptions *options, bool has_known)
{
    Comm *comm = rank_comm();
    Error error = {0};
    SeriesSet set = {.n = 0};
    SeriesReadCounts counts;
    Naive naive = {.model = model,
                   .shop = &store->shop,
                   .options = options,
                   .has_known = has_known,
                   .until = options->until == DAY_NONE ? store->shop.as_of : options->until};
    CHECK_OK(naive_calendar(&naive, &error));
    Status status = series_read(comm, store->store, &store->shop, options, &set, &counts, &error);
    CHECK_OK(status);
    if (status == STATUS_OK) {
        CU_ASSERT_EQUAL(compare_calendars(&set.calendar, &naive.calendar), 0);
        CU_ASSERT_EQUAL(set.n_dynamic, has_known ? 2 : 1);
        CU_ASSERT_EQUAL(set.n_static, 2);
        CU_ASSERT_STRING_EQUAL(set.dynamic_names[0], "price");
        expect_set(&naive, &set, &counts);
        expect_placing(&set, &options->cost);
    }
    series_set_free(&set);
    calendar_free(&naive.calendar);
    calendar_free(&naive.daily);
}

static void with_shape(const ShopShape *shape, bool with_known,
                       void (*look)(const HistoryModel *model, HistoryStore *store,
                                    bool with_known))
{
    Comm *comm = rank_comm();
    Error error = {0};
    HistoryModel model;
    HistoryStore store;
    Status status;
    history_model_make(shape, 0, 0, 99, &model);
    TRY(history_store_make(comm, &model, &store, &error));
    if (with_known) {
        TRY(known_write(comm, store.store, shape, 0, &error));
        TRY(known_write(comm, store.store, shape, 1, &error));
        shop_free(&store.shop);
        TRY(shop_open(comm, store.store, &store.shop, &error));
    }
    look(&model, &store, with_known);
out:
    CHECK_OK(status);
    history_store_remove(comm, &store);
    history_model_free(&model);
}

static const SeriesReadOptions plain = {.frequency = FREQUENCY_DAILY,
                                        .until = DAY_NONE,
                                        .ahead = 14,
                                        .least_periods = 1,
                                        .cost = {{1, 1}},
                                        .place = {.folder = "/tmp"}};

static void look_in_all_ways(const HistoryModel *model, HistoryStore *store, bool with_known)
{
    static const Frequency frequencies[] = {FREQUENCY_DAILY, FREQUENCY_WEEKLY, FREQUENCY_MONTHLY};
    for (int f = 0; f < 3; f++) {
        SeriesReadOptions options = plain;
        options.frequency = frequencies[f];
        expect_read(model, store, &options, with_known);
        options.grouping = SERIES_BY_COUNTRY;
        options.least_periods = 2;
        options.ahead = 3;
        expect_read(model, store, &options, with_known);
        options.until = model->orders.shape.first_day + model->orders.shape.n_days / 2;
        options.least_periods = 0;
        options.ahead = 0;
        expect_read(model, store, &options, with_known);
    }
}

static void look_once(const HistoryModel *model, HistoryStore *store, bool with_known)
{
    SeriesReadOptions options = plain;
    expect_read(model, store, &options, with_known);
    options.grouping = SERIES_BY_COUNTRY;
    expect_read(model, store, &options, with_known);
    options.frequency = FREQUENCY_WEEKLY;
    options.until = model->orders.shape.first_day - 10; /* before anything happened */
    expect_read(model, store, &options, with_known);
}

static const ShopShape typical = {.customers = 40,
                                  .orders = 500,
                                  .products = 60,
                                  .countries = 5,
                                  .lines_min = 1,
                                  .lines_max = 6,
                                  .first_day = 19700,
                                  .n_days = 120,
                                  .anonymous = .2,
                                  .returns = .1,
                                  .cancelled = .05,
                                  .replaced = .2,
                                  .batches = 2};

static void test_typical(void)
{
    with_shape(&typical, true, look_in_all_ways);
}

static void test_shapes(void)
{
    ShopShape shape = typical;
    shape.first_day = -60; /* over the beginning of 1970 */
    shape.orders = 200;
    with_shape(&shape, false, look_once);
    shape.first_day = civil_day(2020, 2, 20); /* a leap day, and a year of 53 weeks */
    shape.n_days = 400;
    shape.products = 9; /* fewer than ranks, most days without a sale */
    shape.orders = 40;
    with_shape(&shape, true, look_once);
    shape.returns = 1; /* only returns */
    with_shape(&shape, true, look_once);
    shape.orders = 1;
    shape.returns = 0;
    shape.batches = 1;
    with_shape(&shape, false, look_once);
    shape.orders = 0;
    shape.countries = 0;
    with_shape(&shape, true, look_once);
    shape = typical;
    shape.products = 300; /* many blocks */
    shape.orders = 1500;
    shape.countries = 0;
    with_shape(&shape, false, look_once);
}

/* With a few rows in memory. */
static void look_in_pieces(const HistoryModel *model, HistoryStore *store, bool with_known)
{
    series_rows_set_piece(100);
    look_once(model, store, with_known);
    series_rows_set_piece(SERIES_ROWS_PIECE);
}

static void test_small_pieces(void)
{
    with_shape(&typical, true, look_in_pieces);
}

/* Channels that the orders do not have are one group without a name. */
static void look_by_channel(const HistoryModel *model, HistoryStore *store, bool with_known)
{
    Comm *comm = rank_comm();
    Error error = {0};
    SeriesReadOptions options = plain;
    SeriesSet by_channel = {.n = 0}, of_all = {.n = 0};
    SeriesReadCounts counts;
    (void)model, (void)with_known;
    CHECK_OK(series_read(comm, store->store, &store->shop, &options, &of_all, &counts, &error));
    options.grouping = SERIES_BY_CHANNEL;
    CHECK_OK(series_read(comm, store->store, &store->shop, &options, &by_channel, &counts, &error));
    CU_ASSERT(by_channel.n == of_all.n && by_channel.n_dynamic == of_all.n_dynamic);
    const int32_t *channel = table_column_const(&by_channel.keys, "channel")->data;
    for (int64_t i = 0; i < by_channel.n; i++)
        CU_ASSERT_EQUAL(channel[i], -1);
    for (int64_t i = 0; by_channel.n == of_all.n && i < of_all.n; i++) {
        CU_ASSERT_EQUAL(load_record(&by_channel, i), STATUS_OK);
        CU_ASSERT_EQUAL(load_record(&of_all, i), STATUS_OK);
        for (int32_t t = 0; t < series_length(&of_all, i); t++)
            CU_ASSERT_EQUAL(series_values(&by_channel, i)[t], series_values(&of_all, i)[t]);
    }
    series_set_free(&by_channel);
    series_set_free(&of_all);
}

static void test_channels(void)
{
    with_shape(&typical, false, look_by_channel);
}

/* A country that is asked for, or is not there; faults end in one error on all ranks. */
static void look_at_failures(const HistoryModel *model, HistoryStore *store, bool with_known)
{
    static const char *const sites[] = {
        "forecast.read",  "forecast.gather",    "forecast.product_days", "forecast.series",
        "forecast.place", "store.scratch.open", "store.scratch.write",   "store.scratch.read"};
    Comm *comm = rank_comm();
    Error error = {0};
    SeriesReadOptions options = plain;
    SeriesSet set = {.n = 0};
    SeriesReadCounts counts;
    (void)model, (void)with_known;
    options.country = "Atlantis";
    CU_ASSERT_EQUAL(series_read(comm, store->store, &store->shop, &options, &set, &counts, &error),
                    STATUS_USAGE);
    CHECK_SAYS("Atlantis");
    char name[MODEL_TEXT_SIZE];
    country_text(1, name);
    options.country = name;
    CHECK_OK(series_read(comm, store->store, &store->shop, &options, &set, &counts, &error));
    for (size_t s = 0; s < sizeof sites / sizeof *sites; s++) {
        int rank = comm_size(comm) - 1;
        CU_ASSERT(model_arm(comm, sites[s], rank));
        Status status =
            series_read(comm, store->store, &store->shop, &options, &set, &counts, &error);
        CU_ASSERT_EQUAL(status, STATUS_IO);
        CU_ASSERT_EQUAL(error.rank, rank);
        CU_ASSERT(set.n == 0 && set.spool == NULL);
        CU_ASSERT(model_arm(comm, NULL, 0));
    }
}

static void test_failures(void)
{
    with_shape(&typical, true, look_at_failures);
}

CU_TestInfo series_read_tests[] = {
    {"typical", test_typical},           {"shapes", test_shapes},     {"channels", test_channels},
    {"small pieces", test_small_pieces}, {"failures", test_failures}, CU_TEST_INFO_NULL,
};
