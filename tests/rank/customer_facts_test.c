/* What customers bought, learned from random lines, against plain loops over them. */
#include "rank/customer_model.h"

#include "base/memory.h"
#include "rank/suites.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct ListShape {
    int32_t customers;
    int32_t orders_max, lines_max; /* of a customer, of an order */
    int32_t first_day;
    int32_t spread;                             /* days that an order's lines are apart at most */
    int returned, cancelled, anonymous, unused; /* per cent of lines, orders, orders, customers */
} ListShape;

enum { DAYS = 2000 }; /* that lines are on, spread and all */

static bool chance(Random *random, int per_cent)
{
    return random_below(random, 100) < per_cent;
}

/* The orders of one customer, -1 for none, each not before the one before it. */
static void add_orders(const ListShape *shape, int32_t customer, int64_t n, int32_t *order,
                       Random *random, LineList *list)
{
    int32_t start = shape->first_day + shape->spread + (int32_t)random_below(random, 50),
            day = start;
    int64_t range = DAYS - 51 - 2 * shape->spread;
    for (int64_t k = 0; k < n; k++, (*order)++) {
        if (!chance(random, 30))
            day = start + (int32_t)(range * k / n);
        bool is_cancelled = chance(random, shape->cancelled);
        int64_t lines = 1 + random_below(random, shape->lines_max);
        for (int64_t l = 0; l < lines; l++) {
            int32_t apart = (int32_t)random_below(random, 2 * shape->spread + 1) - shape->spread;
            int32_t pieces = 1 + (int32_t)random_below(random, 5);
            line_list_add(
                list, (ListedLine){.customer = customer,
                                   .order = *order,
                                   .day = day + apart,
                                   .quantity = chance(random, shape->returned) ? -pieces : pieces,
                                   .price = random_below(random, 5000),
                                   .is_cancelled = is_cancelled});
        }
    }
}

static void draw_list(const ListShape *shape, uint64_t seed, LineList *list)
{
    Random random = random_stream(seed, 1);
    int32_t order = 0;
    for (int32_t customer = 0; customer < shape->customers; customer++)
        if (!chance(&random, shape->unused))
            add_orders(shape, customer, 1 + random_below(&random, shape->orders_max), &order,
                       &random, list);
    for (int32_t i = 0; i < shape->customers * shape->anonymous / 100; i++)
        add_orders(shape, -1, 1, &order, &random, list);
}

/* Row `row` of the facts against all lines; `seen` [DAYS] is scratch. */
static bool row_is_right(const CustomerFacts *facts, int64_t row, const LineList *list,
                         int32_t first_day, bool *seen)
{
    int32_t code = facts->code[row], order = -1;
    int32_t first = DAY_NONE, last = DAY_NONE, purchases = 0;
    int64_t orders = 0, sold = 0, returned = 0, kept = 0, first_value = 0;
    memset(seen, 0, DAYS * sizeof *seen);
    for (int64_t i = 0; i < list->n; i++) {
        if (list->customer[i] != code)
            continue;
        int64_t value = list->quantity[i] * list->price[i];
        sold += value > 0 ? value : 0;
        returned += value < 0 ? -value : list->cancelled[i] ? value : 0;
        if (list->quantity[i] <= 0 || list->cancelled[i])
            continue;
        kept += value;
        orders += list->order[i] != order;
        order = list->order[i];
        int32_t day = list->day[i];
        purchases += !seen[day - first_day];
        seen[day - first_day] = true;
        first = first == DAY_NONE || day < first ? day : first;
        last = day > last ? day : last;
    }
    for (int64_t i = 0; i < list->n; i++)
        if (list->customer[i] == code && list->quantity[i] > 0 && !list->cancelled[i] &&
            list->day[i] == first)
            first_value += list->quantity[i] * list->price[i];
    return facts->first_day[row] == first && facts->last_day[row] == last &&
           facts->purchases[row] == purchases && facts->orders[row] == orders &&
           facts->net[row] == sold - returned && facts->kept_value[row] == kept &&
           facts->first_value[row] == first_value;
}

/* Every customer once, in order, and every row right. */
static void check_facts(const CustomerFacts *facts, const LineList *list, int32_t partition,
                        int32_t first_day)
{
    bool *seen = mem_new(DAYS, sizeof *seen);
    int64_t customers = 0, wrong = 0;
    for (int64_t i = 0; i < list->n; i++)
        customers +=
            list->customer[i] >= 0 && (i == 0 || list->customer[i] != list->customer[i - 1]);
    CU_ASSERT_EQUAL(facts->n, customers);
    for (int64_t row = 0; row < facts->n; row++) {
        wrong += facts->partition[row] != partition;
        wrong += row > 0 && facts->code[row] <= facts->code[row - 1];
        wrong += !row_is_right(facts, row, list, first_day, seen);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    mem_free(&seen);
}

static void check_shape(const ListShape *shape, uint64_t seed)
{
    Error error = {0};
    LineList list = {0};
    CustomerFacts facts = {0};
    draw_list(shape, seed, &list);
    OrderLines lines = line_list_view(&list, 5);
    CU_ASSERT_EQUAL(customer_facts_add(&facts, &lines, &error), STATUS_OK);
    check_facts(&facts, &list, 5, shape->first_day);
    customer_facts_free(&facts);
    line_list_free(&list);
}

static void any_shape(void)
{
    static const ListShape shapes[] = {
        {.customers = 0},
        {.customers = 1, .orders_max = 1, .lines_max = 1},
        {.customers = 40, .orders_max = 1, .lines_max = 1, .anonymous = 50},
        {.customers = 60, .orders_max = 8, .lines_max = 6, .returned = 10, .cancelled = 10},
        {.customers = 60, .orders_max = 8, .lines_max = 6, .returned = 100},
        {.customers = 60, .orders_max = 8, .lines_max = 6, .cancelled = 100},
        {.customers = 60,
         .orders_max = 12,
         .lines_max = 9,
         .first_day = -1500,
         .spread = 30,
         .returned = 10,
         .cancelled = 10,
         .anonymous = 20,
         .unused = 30},
        {.customers = 3, .orders_max = 300, .lines_max = 5, .spread = 3, .anonymous = 2000},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (uint64_t seed = 0; seed < 4; seed++)
            check_shape(&shapes[i], seed);
}

static void all_anonymous(void)
{
    Error error = {0};
    LineList list = {0};
    CustomerFacts facts = {0};
    for (int32_t i = 0; i < 100; i++)
        line_list_add(&list, (ListedLine){.customer = -1, .order = i, .quantity = 1, .price = 5});
    OrderLines lines = line_list_view(&list, 0);
    CU_ASSERT_EQUAL(customer_facts_add(&facts, &lines, &error), STATUS_OK);
    CU_ASSERT_EQUAL(facts.n, 0);
    CU_ASSERT_EQUAL(customer_facts_sort(&facts, &error), STATUS_OK);
    customer_facts_free(&facts);
    line_list_free(&list);
}

/* A million lines of one customer; with a spread the days are in no order. */
static void one_customer(void)
{
    for (int32_t spread = 0; spread <= 40; spread += 40) {
        LineList list = {0};
        CustomerFacts facts = {0};
        Error error = {0};
        ListShape shape = {.lines_max = 9, .spread = spread, .returned = 3, .cancelled = 3};
        Random random = random_stream(3, (uint64_t)spread);
        int32_t order = 0;
        add_orders(&shape, 7, 200000, &order, &random, &list);
        OrderLines lines = line_list_view(&list, 5);
        CU_ASSERT(list.n > 900000);
        CU_ASSERT_EQUAL(customer_facts_add(&facts, &lines, &error), STATUS_OK);
        check_facts(&facts, &list, 5, 0);
        customer_facts_free(&facts);
        line_list_free(&list);
    }
}

static bool facts_are_equal(const CustomerFacts *a, const CustomerFacts *b)
{
    if (a->n != b->n)
        return false;
    size_t narrow = (size_t)a->n * sizeof(int32_t), wide = (size_t)a->n * sizeof(int64_t);
    return memcmp(a->partition, b->partition, narrow) == 0 &&
           memcmp(a->code, b->code, narrow) == 0 &&
           memcmp(a->first_day, b->first_day, narrow) == 0 &&
           memcmp(a->last_day, b->last_day, narrow) == 0 &&
           memcmp(a->purchases, b->purchases, narrow) == 0 &&
           memcmp(a->orders, b->orders, wide) == 0 && memcmp(a->net, b->net, wide) == 0 &&
           memcmp(a->kept_value, b->kept_value, wide) == 0 &&
           memcmp(a->first_value, b->first_value, wide) == 0;
}

/* Partitions dealt over threads in any order, then merged and sorted: as if one had read all. */
static void merged(void)
{
    static const int32_t order[] = {9, 2, 0, 7, 8, 1, 5, 6, 4, 3};
    enum { N = sizeof order / sizeof *order };
    Error error = {0};
    Population population = {
        .partitions = N, .customers = 50, .as_of = 500, .age_max = 400, .minor = 100};
    for (int threads = 1; threads <= 4; threads++) {
        CustomerFacts one = {0}, own[4] = {{0}};
        for (int i = 0; i < N; i++) {
            CU_ASSERT_EQUAL(population_add(&population, i, &one, &error), STATUS_OK);
            CustomerFacts *facts = &own[i % threads == 1 ? 0 : i % threads]; /* 1 has none */
            CU_ASSERT_EQUAL(population_add(&population, order[i], facts, &error), STATUS_OK);
        }
        for (int i = 1; i < threads; i++) {
            CU_ASSERT_EQUAL(customer_facts_merge(&own[0], &own[i], &error), STATUS_OK);
            CU_ASSERT_EQUAL(own[i].n, 0);
        }
        CU_ASSERT_EQUAL(customer_facts_sort(&own[0], &error), STATUS_OK);
        CU_ASSERT_EQUAL(one.n, 400);
        CU_ASSERT(facts_are_equal(&own[0], &one));
        customer_facts_free(&one);
        customer_facts_free(&own[0]);
    }
}

CU_TestInfo customer_facts_tests[] = {
    {"lines of any shape", any_shape},
    {"all anonymous", all_anonymous},
    {"one customer with a million lines", one_customer},
    {"threads merged", merged},
    CU_TEST_INFO_NULL,
};
