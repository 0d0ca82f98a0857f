/* One pass over the order lines of a partition; see lines.h.
 *
 * A partition is checked and all room made first, so that the pass itself cannot fail. It goes by
 * customer, order and run: the lines of an order on one day from one country, whose sums reach the
 * day's and the country's cell at once. Only the product's cell is touched for each line. */
#include "sales/lines.h"

#include "base/memory.h"

#include <inttypes.h>

/* What the absolute values of all lines may add up to: no sum over some of them can then wrap. */
#define SUM_MAX ((uint64_t)INT64_MAX)

void sales_facts_free(SalesFacts *facts)
{
    sales_cube_free(&facts->cube);
    sales_customers_free(&facts->customers);
    order_values_free(&facts->values);
    baskets_free(&facts->baskets);
    *facts = (SalesFacts){0};
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

/* The lines' absolute values and quantities, added to what the rank has. */
static Status check_sums(const OrderLines *lines, SalesFacts *facts, Error *error)
{
    Status status = STATUS_OK;
    uint64_t minor = facts->absolute_minor, units = facts->absolute_units;
    bool wrapped = false;
    for (int64_t i = 0; i < lines->n; i++) {
        int64_t value;
        wrapped |= __builtin_mul_overflow((int64_t)lines->quantity[i], lines->price[i], &value);
        wrapped |= __builtin_add_overflow(minor, magnitude(value), &minor);
        units += magnitude(lines->quantity[i]);
    }
    if (wrapped || minor > SUM_MAX)
        FAIL(error, STATUS_INPUT,
             "the values of the order lines add up to more than %" PRId64
             " minor units (partition %" PRId32 "): look for wrong prices or quantities, or use "
             "fewer money decimals",
             INT64_MAX, lines->partition);
    if (units > SUM_MAX)
        FAIL(error, STATUS_INPUT,
             "the quantities of the order lines add up to more than %" PRId64 " (partition %" PRId32
             "): look for wrong quantities",
             INT64_MAX, lines->partition);
    facts->absolute_minor = minor;
    facts->absolute_units = units;
out:
    return status;
}

static Status damaged(const OrderLines *lines, const char *column, int64_t code, Error *error)
{
    return error_set(error, STATUS_IO, __FILE__, __LINE__,
                     "store is damaged: orders of partition %" PRId32 " hold %s code %" PRId64
                     ", which its dictionary does not have; run vesper verify",
                     lines->partition, column, code);
}

static Status check_codes(const OrderLines *lines, const SalesCube *cube, Error *error)
{
    int32_t low = 0, high = -1;
    for (int64_t i = 0; i < lines->n; i++) {
        low = lines->product[i] < low ? lines->product[i] : low;
        high = lines->product[i] > high ? lines->product[i] : high;
    }
    if (low < 0 || high >= cube->n_products)
        return damaged(lines, "product", low < 0 ? low : high, error);
    low = high = -1;
    for (int64_t i = 0; lines->country && i < lines->n; i++) {
        low = lines->country[i] < low ? lines->country[i] : low;
        high = lines->country[i] > high ? lines->country[i] : high;
    }
    if (low < -1 || high + 1 >= cube->n_places)
        return damaged(lines, "country", low < -1 ? low : high, error);
    return STATUS_OK;
}

static Status make_room(const OrderLines *lines, SalesFacts *facts, Error *error)
{
    Status status = STATUS_OK;
    if (lines->n > (int64_t)UINT32_MAX - facts->order_stamp)
        FAIL(error, STATUS_INPUT, "too many orders on one rank (2^32 at most): run on more ranks");
    TRY(sales_cube_cover(&facts->cube, lines->day, lines->n, error));
    TRY(sales_customers_cover(&facts->customers, lines->n, &facts->cube.months, error));
    TRY(order_values_reserve(&facts->values, lines->n, error));
    TRY(baskets_reserve(&facts->baskets, lines->n, error));
out:
    return status;
}

/* Lines whose product's cell is asked for in advance: the cells do not fit the near caches. */
enum { PREFETCH_AHEAD = 16 };

/* Sums of a run of lines. */
typedef struct Run {
    int64_t begin, end;
    int64_t gross, returned, units, units_returned;
    int64_t sold; /* gross of the lines that are not cancelled */
    bool is_sale; /* has such a line */
} Run;

/* Add the lines from `begin` on that have the same order, day and country. The customer's stamp is
 * 0 for anonymous lines. */
static inline Run add_run(const OrderLines *lines, SalesFacts *facts, int64_t begin,
                          uint32_t customer_stamp)
{
    Run run = {.begin = begin};
    const int32_t *order = lines->order, *day = lines->day, *quantity = lines->quantity;
    const int32_t *product = lines->product;
    const int16_t *country = lines->country;
    SalesCell *products = facts->cube.products;
    uint32_t *basket = facts->baskets.items + facts->baskets.n;
    uint32_t order_stamp = facts->order_stamp;
    int64_t i = begin, last = lines->n - 1;
    do {
        int64_t q = quantity[i];
        int64_t value = q * lines->price[i];
        SalesCell *cell = &products[product[i]];
        __builtin_prefetch(
            &products[product[i < last - PREFETCH_AHEAD ? i + PREFETCH_AHEAD : last]], 1);
        bool is_return = q <= 0 || lines->cancelled[i];
        cell->lines++;
        if (q > 0) {
            cell->gross += value;
            cell->units += q;
            run.gross += value;
            run.units += q;
        } else {
            value = -value;
            q = -q;
        }
        if (is_return) {
            cell->returned += value;
            cell->units_returned += q;
            run.returned += value;
            run.units_returned += q;
            continue;
        }
        run.sold += value;
        run.is_sale = true;
        if (cell->order_stamp == order_stamp)
            continue;
        cell->order_stamp = order_stamp;
        cell->orders++;
        *basket++ = (uint32_t)product[i];
        if (customer_stamp != 0 && cell->customer_stamp != customer_stamp) {
            cell->customer_stamp = customer_stamp;
            cell->customers++;
        }
    } while (++i < lines->n && order[i] == order[begin] && day[i] == day[begin] &&
             (!country || country[i] == country[begin]));
    run.end = i;
    facts->baskets.n = basket - facts->baskets.items;
    return run;
}

/* Add a run to the cell of its day, or of its month and country. */
static inline void add_to_cell(SalesCell *cell, const Run *run, uint32_t order_stamp,
                               uint32_t customer_stamp)
{
    cell->gross += run->gross;
    cell->returned += run->returned;
    cell->units += run->units;
    cell->units_returned += run->units_returned;
    cell->lines += run->end - run->begin;
    if (!run->is_sale || cell->order_stamp == order_stamp)
        return;
    cell->order_stamp = order_stamp;
    cell->orders++;
    if (customer_stamp != 0 && cell->customer_stamp != customer_stamp) {
        cell->customer_stamp = customer_stamp;
        cell->customers++;
    }
}

/* The customer at hand; `n_months` of customers.months are theirs. */
typedef struct CustomerState {
    uint32_t stamp; /* 0: anonymous */
    CustomerSales sales;
    int64_t n_months;
} CustomerState;

/* A sale on `day`: into the customer's days and months. */
static inline void add_customer_day(SalesCustomers *customers, CustomerState *state, int32_t day,
                                    int32_t month_slot)
{
    CustomerSales *sales = &state->sales;
    if (sales->first_day == DAY_NONE || day < sales->first_day)
        sales->first_day = day;
    if (sales->last_day == DAY_NONE || day > sales->last_day)
        sales->last_day = day;
    if (customers->month_stamps[month_slot] != state->stamp) {
        customers->month_stamps[month_slot] = state->stamp;
        customers->months[state->n_months++] = month_slot;
    }
}

/* Mark the basket that begins at `begin`, or drop it if it has no pair. */
static inline void close_basket(Baskets *baskets, int64_t begin)
{
    if (baskets->n - begin < 2)
        baskets->n = begin;
    else
        baskets->items[begin] |= BASKET_FIRST;
}

/* Add the order that begins at line `begin`; returns where the next begins. */
static int64_t add_order(const OrderLines *lines, SalesFacts *facts, int64_t begin,
                         CustomerState *customer)
{
    SalesCube *cube = &facts->cube;
    int64_t basket = facts->baskets.n, i = begin, value = 0;
    int32_t first_day = INT32_MAX, order = lines->order[begin];
    bool is_sale = false;
    facts->order_stamp++;
    do {
        Run run = add_run(lines, facts, i, customer->stamp);
        int32_t day = lines->day[i];
        int32_t day_slot = key_slots_find(&cube->days, day);
        int32_t month_slot = cube->month_slots[day_slot];
        int32_t place = lines->country ? lines->country[i] + 1 : 0;
        add_to_cell(&cube->day_cells[day_slot], &run, facts->order_stamp, customer->stamp);
        add_to_cell(&cube->place_cells[(int64_t)month_slot * cube->n_places + place], &run,
                    facts->order_stamp, customer->stamp);
        customer->sales.net += run.gross - run.returned;
        value += run.sold;
        if (run.is_sale) {
            is_sale = true;
            first_day = day < first_day ? day : first_day;
            if (customer->stamp != 0)
                add_customer_day(&facts->customers, customer, day, month_slot);
        }
        i = run.end;
    } while (i < lines->n && lines->order[i] == order);
    if (is_sale) {
        OrderValues *values = &facts->values;
        values->values[values->n] = value;
        values->months[values->n++] = cube->month_slots[key_slots_find(&cube->days, first_day)];
        close_basket(&facts->baskets, basket);
        customer->sales.orders++;
        facts->orders++;
    }
    return i;
}

/* Months in which the customer bought, by the month in which they first did. */
static inline void close_customer(SalesFacts *facts, const CustomerState *state)
{
    SalesCustomers *customers = &facts->customers;
    customers->current[customers->n_current++] = state->sales;
    if (state->sales.orders == 0)
        return;
    const int32_t *keys = facts->cube.months.keys;
    int32_t first = customers->months[0];
    for (int64_t i = 1; i < state->n_months; i++)
        first = keys[customers->months[i]] < keys[first] ? customers->months[i] : first;
    int64_t *cohort = customers->cohorts + (int64_t)first * customers->n_months_room;
    for (int64_t i = 0; i < state->n_months; i++)
        cohort[customers->months[i]]++;
    customers->buyers++;
}

Status sales_add_lines(const OrderLines *lines, SalesFacts *facts, Error *error)
{
    Status status = STATUS_OK;
    TRY(check_sums(lines, facts, error));
    TRY(check_codes(lines, &facts->cube, error));
    TRY(make_room(lines, facts, error));
    for (int64_t i = 0; i < lines->n;) {
        int32_t code = lines->customer[i];
        CustomerState customer = {
            .stamp = code >= 0 ? ++facts->customer_stamp : 0,
            .sales = {.code = code, .first_day = DAY_NONE, .last_day = DAY_NONE}};
        while (i < lines->n && lines->customer[i] == code)
            i = add_order(lines, facts, i, &customer);
        if (code >= 0)
            close_customer(facts, &customer);
    }
out:
    return status;
}
