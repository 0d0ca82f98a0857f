/* The group-by engine on random shops, against sums, sets and lists made line by line. */
#include "sales/aggregate.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/random.h"
#include "rank/aggregate_model.h"
#include "rank/suites.h"
#include "sales/aggregate_internal.h"
#include "sales/line_runs.h"

#include <stdlib.h>
#include <string.h>

enum { PARTITIONS = 6, LINES_MOST = 700 };

/* ---- a shop and its lines ---- */

typedef struct Lines {
    OrderLines view;
    int32_t codes[LINES_MOST * 12]; /* columns one after another */
    int64_t money[LINES_MOST * 2];
    int8_t flags[LINES_MOST * 3];
} Lines;

typedef struct Shape {
    int32_t first_day, n_days;
    int32_t customers; /* of a partition; 0: all anonymous */
    double returns, cancelled;
    int32_t lines_most; /* of an order */
    bool lacks_columns; /* no channel, currency and discount in the store */
} Shape;

static Status make_shop(const Shape *shape, Shop *shop, Error *error)
{
    Status status = STATUS_OK;
    TRY(model_shop(shop, error));
    int32_t n = shop->product.count;
    shop->partitions = PARTITIONS;
    shop->money_decimals = 2;
    shop->first_day = shape->first_day;
    shop->last_day = shop->as_of = shape->first_day + shape->n_days - 1;
    for (int level = 0; level <= 1; level++) {
        shop->levels[level].of_category = mem_new(9, sizeof(int32_t));
        for (int32_t i = 0; i < 9; i++)
            shop->levels[level].of_category[i] = level == 0 ? i : i % 3;
    }
    shop->catalogue.category = mem_new(n, sizeof(int32_t));
    shop->catalogue.brand = mem_new(n, sizeof(int32_t));
    shop->catalogue.cost = mem_new(n, sizeof(int64_t));
    for (int32_t i = 0; i < n; i++) {
        shop->catalogue.category[i] = i % 10 - 1;
        shop->catalogue.brand[i] = i % 6 - 1;
        shop->catalogue.cost[i] = i % 4 == 0 ? MONEY_NONE : 3 * i;
    }
out:
    return status;
}

static int32_t code_below(Random *random, int32_t n)
{
    return (int32_t)random_below(random, n + 1) - 1;
}

/* Lines as the store has them: customers ascending, anonymous last, orders ascending. */
static void make_lines(const Shape *shape, const Shop *shop, int32_t partition, Lines *lines)
{
    Random random = random_stream(4711, (uint64_t)partition);
    int32_t *c = lines->codes;
    int32_t *customer = c, *order = c + LINES_MOST, *day = c + 2 * LINES_MOST,
            *product = c + 3 * LINES_MOST, *quantity = c + 4 * LINES_MOST,
            *country = c + 5 * LINES_MOST, *channel = c + 6 * LINES_MOST,
            *currency = c + 7 * LINES_MOST, *segment = c + 8 * LINES_MOST,
            *order_day = c + 9 * LINES_MOST, *cohort = c + 10 * LINES_MOST;
    int64_t n = 0, most = partition == 2 ? 0 : random_below(&random, LINES_MOST - 100);
    for (int32_t who = 0, orders = 0; n < most; orders++) {
        bool is_new = orders == 0 || random_unit(&random) < 0.3;
        who += is_new && orders > 0;
        int64_t size = 1 + random_below(&random, shape->lines_most);
        bool is_cancelled = random_unit(&random) < shape->cancelled;
        for (int64_t k = 0; k < size && n < LINES_MOST; k++, n++) {
            customer[n] = who < shape->customers ? who : -1;
            order[n] = orders;
            day[n] = shape->first_day + (int32_t)random_below(&random, shape->n_days);
            product[n] = (int32_t)random_below(&random, shop->product.count);
            quantity[n] = 1 + (int32_t)random_below(&random, 5);
            if (random_unit(&random) < shape->returns)
                quantity[n] = -quantity[n];
            country[n] =
                k > 0 && random_unit(&random) < 0.8 ? country[n - 1] : code_below(&random, 12);
            channel[n] = code_below(&random, 3);
            currency[n] = code_below(&random, 2);
            segment[n] = customer[n] < 0 ? -1 : customer[n] % 5 - 1;
            lines->money[n] = random_below(&random, 1000);
            lines->money[LINES_MOST + n] = random_below(&random, 50);
            lines->flags[n] = is_cancelled;
            lines->flags[LINES_MOST + n] = (int8_t)random_below(&random, 24);
            lines->flags[2 * LINES_MOST + n] = (int8_t)(customer[n] < 0 ? -1 : orders % 2);
        }
    }
    for (int64_t i = 0; i < n; i++) {
        order_day[i] = cohort[i] = DAY_NONE;
        for (int64_t k = 0; k < n; k++) {
            if (quantity[k] <= 0 || lines->flags[k])
                continue;
            if (order[k] == order[i] && (order_day[i] == DAY_NONE || day[k] < order_day[i]))
                order_day[i] = day[k];
            int32_t month = civil_month(day[k]);
            if (customer[i] >= 0 && customer[k] == customer[i] &&
                (cohort[i] == DAY_NONE || month < cohort[i]))
                cohort[i] = month;
        }
    }
    lines->view = (OrderLines){.partition = partition,
                               .n = n,
                               .customer = customer,
                               .order = order,
                               .day = day,
                               .product = product,
                               .quantity = quantity,
                               .price = lines->money,
                               .discount = shape->lacks_columns ? NULL : lines->money + LINES_MOST,
                               .cancelled = lines->flags,
                               .country = country,
                               .channel = shape->lacks_columns ? NULL : channel,
                               .currency = shape->lacks_columns ? NULL : currency,
                               .hour = lines->flags + LINES_MOST,
                               .segment = segment,
                               .returning = lines->flags + 2 * LINES_MOST,
                               .order_day = order_day,
                               .cohort = cohort};
}

/* ---- the naive answer ---- */

typedef struct Entry {
    uint64_t key;
    int64_t partition, order, customer, value; /* customer, partition unique only together */
    int64_t sums[SUM_COUNT];
    bool kept;
} Entry;

static int64_t place_of(const Names *names, int32_t code)
{
    return code < 0 ? -1 : names->place[code];
}

/* Value of a dimension of line i, worked out from the words of group_key.h; false: no group. */
static bool value_of(const AggregateSpec *spec, const Dimension *by, const Shop *shop,
                     const OrderLines *lines, int64_t i, int64_t *value)
{
    int year, month, of_month;
    int32_t day = lines->day[i], category = shop->catalogue.category[lines->product[i]];
    int64_t since_monday = (((int64_t)day + 3) % 7 + 7) % 7;
    civil_from_day(day, &year, &month, &of_month);
    switch (by->kind) {
    case DIMENSION_DAY:
        *value = day;
        break;
    case DIMENSION_WEEK:
        *value = (day - since_monday - 4) / 7;
        break;
    case DIMENSION_MONTH:
        *value = (year - 1970) * 12 + month - 1;
        break;
    case DIMENSION_QUARTER:
        *value = (year - 1970) * 4 + (month - 1) / 3;
        break;
    case DIMENSION_YEAR:
        *value = year;
        break;
    case DIMENSION_WEEKDAY:
        *value = since_monday + 1;
        break;
    case DIMENSION_HOUR:
        *value = lines->hour[i];
        break;
    case DIMENSION_PRODUCT:
        *value = place_of(&shop->product, lines->product[i]);
        break;
    case DIMENSION_CATEGORY:
        *value = category < 0 ? -1
                              : place_of(&shop->levels[by->level].names,
                                         shop->levels[by->level].of_category[category]);
        break;
    case DIMENSION_BRAND:
        *value = place_of(&shop->brand, shop->catalogue.brand[lines->product[i]]);
        break;
    case DIMENSION_COUNTRY:
        *value = place_of(&shop->country, lines->country[i]);
        break;
    case DIMENSION_CHANNEL:
        *value = lines->channel ? place_of(&shop->channel, lines->channel[i]) : -1;
        break;
    case DIMENSION_SEGMENT:
        *value = place_of(&shop->segment, lines->segment[i]);
        break;
    case DIMENSION_CURRENCY:
        *value = lines->currency ? place_of(&shop->currency, lines->currency[i]) : -1;
        break;
    case DIMENSION_NEW_OR_RETURNING:
        *value = lines->returning[i];
        break;
    case DIMENSION_COHORT:
        *value = lines->cohort[i] == DAY_NONE ? civil_month(shop->first_day) - 1 : lines->cohort[i];
        break;
    case DIMENSION_ORDER_MONTH:
        if (lines->order_day[i] == DAY_NONE)
            return false;
        *value = civil_month(lines->order_day[i]);
        break;
    default:
        *value = spec->day_classes.class_of[day - spec->day_classes.first_day];
        return *value >= 0;
    }
    return true;
}

/* The conditions that specs are tried with, in words and as a function. */
static const char *const conditions[] = {NULL, "quantity > 2", "country = '' or weekday in (6, 7)",
                                         "not (cancelled = yes) and unit_price >= 3.5"};
enum { N_CONDITIONS = sizeof conditions / sizeof *conditions };

static bool holds(int condition, const OrderLines *lines, const Shop *shop, int64_t i)
{
    int64_t weekday = (((int64_t)lines->day[i] + 3) % 7 + 7) % 7 + 1;
    switch (condition) {
    case 1:
        return lines->quantity[i] > 2;
    case 2:
        return names_text(&shop->country, lines->country[i]).size == 0 || weekday >= 6;
    case 3:
        return !lines->cancelled[i] && lines->price[i] >= 350;
    default:
        return true;
    }
}

static void set_sums(const Shop *shop, const OrderLines *lines, int64_t i, Entry *entry)
{
    int64_t quantity = lines->quantity[i], value = quantity * lines->price[i];
    int64_t discount = lines->discount && !lines->cancelled[i] ? lines->discount[i] : 0;
    int64_t cost = shop->catalogue.cost[lines->product[i]];
    int64_t *sums = entry->sums;
    if (quantity > 0) {
        sums[SUM_GROSS] = value;
        sums[SUM_UNITS] = quantity;
    }
    if (quantity < 0 || lines->cancelled[i]) {
        sums[SUM_RETURNED] = llabs(value);
        sums[SUM_UNITS_RETURNED] = llabs(quantity);
    }
    entry->kept = quantity > 0 && !lines->cancelled[i];
    entry->value = entry->kept ? value : 0;
    sums[SUM_KEPT_VALUE] = entry->value;
    sums[SUM_KEPT_UNITS] = entry->kept ? quantity : 0;
    sums[SUM_DISCOUNT] = discount;
    sums[SUM_LINES] = 1;
    if (cost != MONEY_NONE)
        sums[SUM_MARGIN] = sums[SUM_GROSS] - sums[SUM_RETURNED] - discount -
                           (sums[SUM_UNITS] - sums[SUM_UNITS_RETURNED]) * cost;
    sums[SUM_FIRST_DAY] = entry->kept ? lines->day[i] : INT64_MAX;
    sums[SUM_LAST_DAY] = entry->kept ? lines->day[i] : INT64_MIN;
}

static int compare_entries(const void *a, const void *b)
{
    const Entry *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    if (x->partition != y->partition)
        return x->partition < y->partition ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

/* Entries of all lines that count, by key, partition and order. */
static int64_t list_entries(const AggregateSpec *spec, int condition, const KeyLayout *layout,
                            const Shop *shop, const Lines *lines, Entry *entries)
{
    int64_t n = 0;
    for (int p = 0; p < PARTITIONS; p++) {
        const OrderLines *view = &lines[p].view;
        for (int64_t i = 0; i < view->n; i++) {
            Entry entry = {.partition = p, .order = view->order[i], .customer = view->customer[i]};
            bool counts = holds(condition, view, shop, i) &&
                          (!spec->known_customers_only || view->customer[i] >= 0);
            for (int b = 0; b < spec->n_by && counts; b++) {
                int64_t value = 0;
                counts = value_of(spec, &spec->by[b], shop, view, i, &value);
                entry.key += (uint64_t)(value - layout->parts[b].base) * layout->parts[b].stride;
            }
            if (!counts)
                continue;
            set_sums(shop, view, i, &entry);
            entries[n++] = entry;
        }
    }
    qsort(entries, (size_t)n, sizeof *entries, compare_entries);
    return n;
}

static uint64_t pair_hash(uint64_t key, int64_t value)
{
    uint64_t pair[2] = {key, (uint64_t)value};
    return hash64(pair, sizeof pair);
}

/* Entries become groups, in place; *values := a sum over all order values, in no order. */
static int64_t make_groups(Entry *entries, int64_t n, uint64_t *values)
{
    int64_t n_groups = 0;
    *values = 0;
    for (int64_t begin = 0, end; begin < n; begin = end) {
        Entry group = {.key = entries[begin].key};
        group.sums[SUM_FIRST_DAY] = INT64_MAX;
        group.sums[SUM_LAST_DAY] = INT64_MIN;
        int64_t value = 0;
        bool has_order = false;
        for (end = begin; end < n && entries[end].key == group.key; end++) {
            const Entry *entry = &entries[end];
            for (int s = 0; s <= SUM_LINES; s++)
                group.sums[s] += entry->sums[s];
            if (entry->sums[SUM_FIRST_DAY] < group.sums[SUM_FIRST_DAY])
                group.sums[SUM_FIRST_DAY] = entry->sums[SUM_FIRST_DAY];
            if (entry->sums[SUM_LAST_DAY] > group.sums[SUM_LAST_DAY])
                group.sums[SUM_LAST_DAY] = entry->sums[SUM_LAST_DAY];
            bool is_new_customer = entry->kept && entry->customer >= 0;
            for (int64_t k = begin; k < end; k++)
                is_new_customer &= !entries[k].kept || entries[k].partition != entry->partition ||
                                   entries[k].customer != entry->customer;
            group.sums[SUM_CUSTOMERS] += is_new_customer;
            value += entry->value;
            has_order |= entry->kept;
            bool is_last = end + 1 == n || entries[end + 1].key != group.key ||
                           entries[end + 1].partition != entry->partition ||
                           entries[end + 1].order != entry->order;
            if (is_last && has_order) {
                group.sums[SUM_ORDERS]++;
                *values += pair_hash(group.key, value);
            }
            if (is_last) {
                value = 0;
                has_order = false;
            }
        }
        entries[n_groups++] = group;
    }
    return n_groups;
}

/* ---- the engine's answer ---- */

/* Several accumulators a rank, as threads have them; each partition goes to one of them. */
enum { THREADS = 3 };

static Status run_engine(const AggregateSpec *spec, const Shop *shop, const Lines *lines, int deal,
                         Groups *groups, Error *error)
{
    Comm *comm = rank_comm();
    Status status = STATUS_OK;
    Aggregate *aggregates[THREADS] = {NULL};
    LineRuns runs = {.capacity = 0};
    for (int t = 0; t < THREADS; t++)
        TRY(aggregate_new(spec, shop, &aggregates[t], error));
    for (int k = 0; k < PARTITIONS; k++) {
        int p = deal % 2 == 0 ? k : PARTITIONS - 1 - k;
        if ((p + deal) % comm_size(comm) != comm_rank(comm))
            continue;
        TRY(line_runs_make(&lines[p].view, &runs, error));
        TRY(aggregate_add(aggregates[(p / 2 + deal) % THREADS], &lines[p].view, &runs, error));
    }
    for (int t = 1; t < THREADS; t++)
        TRY(aggregate_merge(aggregates[0], &aggregates[t], error));
    TRY(aggregate_combine(comm, &aggregates[0], groups, error));
out:
    for (int t = 0; t < THREADS; t++)
        aggregate_free(&aggregates[t]);
    line_runs_free(&runs);
    return status;
}

/* Groups of this rank that are not as expected. */
static int64_t count_wrong(const Groups *groups, const Entry *expected)
{
    int64_t wrong = 0;
    for (int64_t i = 0; i < groups->n; i++) {
        bool is_right = groups->keys[i] == expected[i].key;
        for (int s = 0; s < SUM_COUNT; s++)
            is_right &= !groups->sums[s] || groups->sums[s][i] == expected[i].sums[s];
        wrong += !is_right;
    }
    return wrong;
}

static void check_spec(const AggregateSpec *spec, int condition, const Shop *shop,
                       const Lines *lines, int deal)
{
    Comm *comm = rank_comm();
    Error error = {0};
    KeyLayout layout;
    Groups groups = {.n = 0};
    uint64_t expected_values;
    Entry *entries = mem_new((int64_t)PARTITIONS * LINES_MOST, sizeof *entries);
    CU_ASSERT_EQUAL(key_layout_make(spec, shop, &layout, &error), STATUS_OK);
    int64_t n = list_entries(spec, condition, &layout, shop, lines, entries);
    n = make_groups(entries, n, &expected_values);
    CU_ASSERT_EQUAL(run_engine(spec, shop, lines, deal, &groups, &error), STATUS_OK);
    SumSet set = sum_set_of(spec);
    for (int w = 0; w < set.n_added; w++)
        CU_ASSERT(groups.sums[set.added[w]] != NULL || set.added[w] == SUM_LINES);
    int64_t before = comm_prefix_i64(comm, groups.n), got = groups.n;
    comm_sum_i64(comm, &got, 1);
    CU_ASSERT_EQUAL(got, n);
    if (got == n)
        CU_ASSERT_EQUAL(count_wrong(&groups, entries + before), 0);
    uint64_t values = 0;
    for (int64_t i = 0; i < groups.order_values.n; i++)
        values += pair_hash(groups.order_values.keys[i], groups.order_values.values[i]);
    int64_t halves[2] = {(int64_t)(values >> 32), (int64_t)(values & UINT32_MAX)};
    comm_sum_i64(comm, halves, 2);
    bool has_values = false;
    for (int m = 0; m < spec->n_measures; m++)
        has_values |= spec->measures[m] == MEASURE_MEDIAN_ORDER_VALUE;
    if (has_values)
        CU_ASSERT_EQUAL(((uint64_t)halves[0] << 32) + (uint64_t)halves[1], expected_values);
    groups_free(&groups);
    mem_free(&entries);
}

/* ---- tests ---- */

static AggregateSpec spec_of(Random *random, const int16_t *classes, const Shape *shape)
{
    AggregateSpec spec = {.name = "random",
                          .n_by = (int)random_below(random, 5),
                          .known_customers_only = random_unit(random) < 0.2,
                          .day_classes = {.first_day = shape->first_day,
                                          .n_days = shape->n_days,
                                          .class_of = classes,
                                          .n_classes = 4}};
    for (int b = 0; b < spec.n_by; b++) {
        spec.by[b].kind = (DimensionKind)random_below(random, DIMENSION_KINDS);
        spec.by[b].level = spec.by[b].kind == DIMENSION_CATEGORY ? (int)random_below(random, 2) : 0;
    }
    for (int m = 0; m < MEASURE_COUNT; m++) {
        if (random_unit(random) < 0.4)
            spec.measures[spec.n_measures++] = (Measure)m;
    }
    return spec;
}

/* So small that random shops meet every way of adding up. */
static const TupleLimits narrow_limits = {.set_aside_bytes = 4000,
                                          .step_bytes = 2048,
                                          .hot_tuples = 64,
                                          .cell_bytes = 512,
                                          .sorted_tuples = 8};

static void check_shape(const Shape *shape, uint64_t seed, int rounds)
{
    Error error = {0};
    Shop shop = {0};
    Random random = random_stream(seed, 1);
    Lines *lines = mem_new(PARTITIONS, sizeof *lines);
    int16_t *classes = mem_new(shape->n_days, sizeof *classes);
    const int64_t dense_most = aggregate_dense_bytes_max;
    const TupleLimits limits = group_tuple_limits;
    CU_ASSERT_EQUAL(make_shop(shape, &shop, &error), STATUS_OK);
    for (int32_t i = 0; i < shape->n_days; i++)
        classes[i] = (int16_t)(i % 5 - 1);
    for (int32_t p = 0; p < PARTITIONS; p++)
        make_lines(shape, &shop, p, &lines[p]);
    for (int round = 0; round < rounds; round++) {
        AggregateSpec spec = spec_of(&random, classes, shape);
        int condition = (int)random_below(&random, N_CONDITIONS);
        if (conditions[condition])
            CU_ASSERT_EQUAL(where_parse(conditions[condition], "test", &spec.where, &error),
                            STATUS_OK);
        aggregate_dense_bytes_max =
            round % 2 == 0 ? dense_most : 0; /* cells, then lines set aside */
        if (round % 4 == 3)
            group_tuple_limits = narrow_limits;
        if (round % 8 == 7) /* never rows: always shared out as they are */
            group_tuple_limits.set_aside_bytes = group_tuple_limits.hot_tuples = INT64_MAX;
        check_spec(&spec, condition, &shop, lines, round);
        group_tuple_limits = limits;
        where_free(&spec.where);
    }
    aggregate_dense_bytes_max = dense_most;
    shop_free(&shop);
    mem_free(&classes);
    mem_free(&lines);
}

static const Shape plain = {.first_day = 19700,
                            .n_days = 80,
                            .customers = 20,
                            .returns = 0.2,
                            .cancelled = 0.1,
                            .lines_most = 9};

static void test_random_group_bys(void)
{
    check_shape(&plain, 11, 60);
}

static void test_before_1970(void)
{
    Shape shape = plain;
    shape.first_day = -800;
    shape.n_days = 900;
    check_shape(&shape, 12, 30);
}

/* 300 years: keys spread so far that rows are sorted, not put into arrays. */
static void test_one_odd_day_far_away(void)
{
    Shape shape = plain;
    shape.n_days = 110000;
    check_shape(&shape, 13, 20);
}

/* More than 2^50 possible keys: they do not fit beside a line's quantity. */
static void test_very_many_keys(void)
{
    Shape shape = plain;
    shape.n_days = 110000;
    Shop shop = {0};
    Error error = {0};
    AggregateSpec spec = {.name = "many",
                          .n_by = 4,
                          .by = {{.kind = DIMENSION_PRODUCT},
                                 {.kind = DIMENSION_DAY},
                                 {.kind = DIMENSION_DAY},
                                 {.kind = DIMENSION_DAY}},
                          .n_measures = 5,
                          .measures = {MEASURE_NET, MEASURE_ORDERS, MEASURE_CUSTOMERS,
                                       MEASURE_MARGIN, MEASURE_LAST_DAY}};
    const TupleLimits limits = group_tuple_limits;
    Lines *lines = mem_new(PARTITIONS, sizeof *lines);
    CU_ASSERT_EQUAL(make_shop(&shape, &shop, &error), STATUS_OK);
    for (int32_t p = 0; p < PARTITIONS; p++)
        make_lines(&shape, &shop, p, &lines[p]);
    check_spec(&spec, 0, &shop, lines, 0);
    group_tuple_limits = narrow_limits;
    check_spec(&spec, 0, &shop, lines, 1);
    group_tuple_limits = limits;
    shop_free(&shop);
    mem_free(&lines);
}

static void test_all_anonymous_all_returned(void)
{
    Shape shape = plain;
    shape.customers = 0;
    check_shape(&shape, 14, 12);
    shape = plain;
    shape.returns = 1;
    check_shape(&shape, 15, 12);
    shape = plain;
    shape.cancelled = 1;
    check_shape(&shape, 16, 12);
}

static void test_large_orders_and_missing_columns(void)
{
    Shape shape = plain;
    shape.lines_most = LINES_MOST;
    check_shape(&shape, 17, 20);
    shape = plain;
    shape.lacks_columns = true;
    check_shape(&shape, 18, 20);
}

static void test_empty_shop(void)
{
    Shop shop = {.partitions = PARTITIONS, .first_day = DAY_NONE, .last_day = DAY_NONE};
    AggregateSpec spec = {.name = "empty",
                          .n_by = 2,
                          .by = {{.kind = DIMENSION_MONTH}, {.kind = DIMENSION_COUNTRY}},
                          .n_measures = 1,
                          .measures = {MEASURE_NET}};
    Error error = {0};
    Groups groups = {.n = 0};
    Lines *none = mem_new(PARTITIONS, sizeof *none);
    CU_ASSERT_EQUAL(run_engine(&spec, &shop, none, 0, &groups, &error), STATUS_OK);
    CU_ASSERT_EQUAL(groups.n, 0);
    groups_free(&groups);
    mem_free(&none);
}

static void test_margins_that_do_not_fit_are_refused(void)
{
    Shop shop = {0};
    Error error = {0};
    AggregateSpec spec = {.name = "margin", .n_measures = 1, .measures = {MEASURE_MARGIN}};
    Aggregate *aggregate = NULL;
    Lines *lines = mem_new(1, sizeof *lines);
    CU_ASSERT_EQUAL(make_shop(&plain, &shop, &error), STATUS_OK);
    make_lines(&plain, &shop, 0, lines);
    CU_ASSERT_FALSE(aggregate_takes_runs(&spec));
    CU_ASSERT_EQUAL(aggregate_new(&spec, &shop, &aggregate, &error), STATUS_OK);
    CU_ASSERT_EQUAL(aggregate_add(aggregate, &lines->view, NULL, &error), STATUS_OK);
    for (int32_t i = 0; i < shop.product.count; i++)
        shop.catalogue.cost[i] = INT64_MAX / 2;
    CU_ASSERT_EQUAL(aggregate_add(aggregate, &lines->view, NULL, &error), STATUS_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "the margins of the order lines of partition 0"));
    aggregate_free(&aggregate);
    shop_free(&shop);
    mem_free(&lines);
}

static void test_too_many_keys_are_refused(void)
{
    Shop shop = {.first_day = -700000, .last_day = 2900000};
    AggregateSpec spec = {.name = "huge", .n_by = 3};
    KeyLayout layout;
    Error error = {0};
    for (int b = 0; b < 3; b++)
        spec.by[b].kind = DIMENSION_DAY;
    CU_ASSERT_EQUAL(key_layout_make(&spec, &shop, &layout, &error), STATUS_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "[aggregate.huge] by"));
}

CU_TestInfo aggregate_tests[] = {
    {"random group-bys", test_random_group_bys},
    {"before 1970", test_before_1970},
    {"one odd day far away", test_one_odd_day_far_away},
    {"very many keys", test_very_many_keys},
    {"all anonymous, all returned, all cancelled", test_all_anonymous_all_returned},
    {"large orders and missing columns", test_large_orders_and_missing_columns},
    {"an empty shop", test_empty_shop},
    {"margins that do not fit are refused", test_margins_that_do_not_fit_are_refused},
    {"too many keys are refused", test_too_many_keys_are_refused},
    CU_TEST_INFO_NULL,
};
