/* Order lines made by hand, and customers as the models draw them; see customer_model.h. */
#include "rank/customer_model.h"

#include "base/memory.h"
#include "rank/suites.h"

#include <math.h>

const BgNbd population_orders = {.r = 0.243, .alpha = 4.414, .a = 0.793, .b = 2.426};
const GammaGamma population_value = {.p = 6.25, .q = 3.74, .v = 15.44};

/* ---- lines ---- */

void line_list_free(LineList *list)
{
    mem_free(&list->customer);
    mem_free(&list->order);
    mem_free(&list->day);
    mem_free(&list->quantity);
    mem_free(&list->price);
    mem_free(&list->cancelled);
    *list = (LineList){0};
}

static void grow(LineList *list)
{
    list->capacity = list->capacity == 0 ? 1024 : 2 * list->capacity;
    mem_grow(&list->customer, list->capacity, sizeof *list->customer);
    mem_grow(&list->order, list->capacity, sizeof *list->order);
    mem_grow(&list->day, list->capacity, sizeof *list->day);
    mem_grow(&list->quantity, list->capacity, sizeof *list->quantity);
    mem_grow(&list->price, list->capacity, sizeof *list->price);
    mem_grow(&list->cancelled, list->capacity, sizeof *list->cancelled);
}

void line_list_add(LineList *list, ListedLine line)
{
    if (list->n == list->capacity)
        grow(list);
    int64_t i = list->n++;
    list->customer[i] = line.customer;
    list->order[i] = line.order;
    list->day[i] = line.day;
    list->quantity[i] = line.quantity;
    list->price[i] = line.price;
    list->cancelled[i] = line.is_cancelled;
}

OrderLines line_list_view(const LineList *list, int32_t partition)
{
    return (OrderLines){.partition = partition,
                        .n = list->n,
                        .customer = list->customer,
                        .order = list->order,
                        .day = list->day,
                        .quantity = list->quantity,
                        .price = list->price,
                        .cancelled = list->cancelled};
}

/* ---- customers ---- */

/* What a customer is like. */
typedef struct Nature {
    double rate;    /* purchases a week */
    double leaving; /* chance to leave after a purchase */
    double scale;   /* of the value of a purchase, minor units */
    bool pays_once; /* later purchases are free */
} Nature;

static Nature draw_nature(const Population *population, int32_t code, Random *random)
{
    const BgNbd *orders = &population_orders;
    const GammaGamma *value = &population_value;
    double rate = random_gamma(random, orders->r, 1.0 / orders->alpha);
    double a = random_gamma(random, orders->a, 1.0), b = random_gamma(random, orders->b, 1.0);
    double nu = random_gamma(random, value->q, 1.0 / value->v);
    return (Nature){.rate = rate,
                    .leaving = a / (a + b),
                    .scale = (double)population->minor / nu,
                    .pays_once = population->free_each > 0 && code % population->free_each == 0};
}

static int64_t draw_price(const Population *population, const Nature *nature, bool is_first,
                          Random *random)
{
    double value = random_gamma(random, population_value.p, nature->scale);
    if (nature->pays_once && !is_first)
        return 0;
    return population->price > 0 ? population->price : 1 + llround(value);
}

static void add_customer(const Population *population, int32_t code, Random *random, LineList *list)
{
    Nature nature = draw_nature(population, code, random);
    int32_t order = list->n == 0 ? 0 : list->order[list->n - 1] + 1;
    int32_t age = population->age_min +
                  (int32_t)random_below(random, population->age_max - population->age_min + 1);
    int32_t day = population->as_of - age;
    double time = 0.0;
    bool is_first = true;
    for (;;) {
        int64_t price = draw_price(population, &nature, is_first, random);
        line_list_add(list, (ListedLine){.customer = code,
                                         .order = order++,
                                         .day = day + (int32_t)lround(time),
                                         .quantity = 1,
                                         .price = price});
        if (population->buys_once || (!is_first && random_unit(random) < nature.leaving))
            return;
        is_first = false;
        time += 7.0 * random_exponential(random, 1.0 / nature.rate);
        if (!(time < (double)age))
            return;
    }
}

Status population_add(const Population *population, int32_t partition, CustomerFacts *facts,
                      Error *error)
{
    LineList list = {0};
    int32_t customers = partition % 5 == 3 ? 0 : population->customers;
    Random random = random_stream(population->seed, (uint64_t)partition);
    for (int32_t code = 0; code < customers; code++)
        add_customer(population, code, &random, &list);
    OrderLines lines = line_list_view(&list, partition);
    Status status = customer_facts_add(facts, &lines, error);
    line_list_free(&list);
    return status;
}

int population_owner(int deal, int32_t partition, int32_t partitions, int size)
{
    switch (deal) {
    case 1:
        return 0;
    case 2:
        return size - 1;
    case 3: {
        int others = size > 2 ? size - 1 : size;
        int rank = (int)((int64_t)partition * others / partitions);
        return size > 2 && rank >= size / 2 ? rank + 1 : rank;
    }
    default:
        return (int)((int64_t)partition * size / partitions);
    }
}

Status population_facts(const Population *population, int deal, CustomerFacts *facts, Error *error)
{
    Status status = STATUS_OK;
    int rank = comm_rank(rank_comm()), size = comm_size(rank_comm());
    for (int32_t p = population->partitions - 1; p >= 0; p--)
        if (population_owner(deal, p, population->partitions, size) == rank)
            TRY(population_add(population, p, facts, error));
    TRY(customer_facts_sort(facts, error));
out:
    return status;
}

Shop population_shop(const Population *population)
{
    Shop shop = {.partitions = population->partitions, .as_of = population->as_of};
    for (int64_t minor = population->minor; minor > 1; minor /= 10)
        shop.money_decimals++;
    return shop;
}
