/* order_value_monthly; see order_value.h. */
#include "sales/order_value.h"

#include "base/memory.h"

#include <string.h>

enum { QUANTILES = 2 };

/* quantile_disc: the value at place ceil(share * n), from 1, of the ascending values. */
static const int64_t percents[QUANTILES] = {50, 95};

void order_values_free(OrderValues *orders)
{
    mem_free(&orders->values);
    mem_free(&orders->months);
    *orders = (OrderValues){0};
}

Status order_values_reserve(OrderValues *orders, int64_t more, Error *error)
{
    Status status = STATUS_OK;
    if (orders->n + more <= orders->capacity)
        return STATUS_OK;
    int64_t capacity =
        orders->n + more > orders->capacity * 2 ? orders->n + more : orders->capacity * 2;
    TRY(mem_resize(&orders->values, capacity, sizeof *orders->values, "order values", error));
    TRY(mem_resize(&orders->months, capacity, sizeof *orders->months, "order months", error));
    orders->capacity = capacity;
out:
    return status;
}

/* One quantile of one month: the answer is in [low, high]. */
typedef struct Search {
    int64_t low;
    int64_t high;
    int64_t place; /* from 1; 0 for a month without orders */
} Search;

/* This rank's values by month: ascending values[starts[m], starts[m + 1]). */
typedef struct MonthlyValues {
    int64_t *values;
    int64_t *starts; /* [months + 1] */
} MonthlyValues;

static Status group_values(const OrderValues *orders, const KeyUnion *months,
                           MonthlyValues *monthly, Error *error)
{
    Status status = STATUS_OK;
    int64_t *next = NULL;
    TRY(mem_resize(&monthly->values, orders->n, sizeof *monthly->values, "order values", error));
    TRY(mem_resize(&monthly->starts, months->count + 1, sizeof *next, "months", error));
    TRY(mem_resize(&next, months->count + 1, sizeof *next, "months", error));
    memset(next, 0, ((size_t)months->count + 1) * sizeof *next);
    for (int64_t i = 0; i < orders->n; i++)
        next[months->places[orders->months[i]] + 1]++;
    for (int64_t m = 0; m < months->count; m++)
        next[m + 1] += next[m];
    memcpy(monthly->starts, next, ((size_t)months->count + 1) * sizeof *next);
    for (int64_t i = 0; i < orders->n; i++)
        monthly->values[next[months->places[orders->months[i]]]++] = orders->values[i];
    for (int64_t m = 0; m < months->count; m++)
        TRY(sort_i64(monthly->values + monthly->starts[m],
                     monthly->starts[m + 1] - monthly->starts[m], error));
out:
    mem_free(&next);
    return status;
}

/* How many of values [n], ascending, are <= limit. */
static int64_t count_up_to(const int64_t *values, int64_t n, int64_t limit)
{
    int64_t low = 0, high = n;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (values[middle] <= limit)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int64_t middle_of(const Search *search)
{
    uint64_t width = (uint64_t)search->high - (uint64_t)search->low;
    return (int64_t)((uint64_t)search->low + width / 2);
}

/* Bounds and places from all ranks: counts [months] := orders of each month. Collective. */
static void begin_searches(Comm *comm, const MonthlyValues *monthly, int64_t n_months,
                           int64_t *counts, int64_t *bounds, Search *searches)
{
    for (int64_t m = 0; m < n_months; m++) {
        int64_t begin = monthly->starts[m], end = monthly->starts[m + 1];
        counts[m] = end - begin;
        bounds[m] = begin < end ? monthly->values[begin] : INT64_MAX;
        bounds[n_months + m] = begin < end ? monthly->values[end - 1] : INT64_MIN;
    }
    comm_sum_i64(comm, counts, n_months);
    comm_min_i64(comm, bounds, n_months);
    comm_max_i64(comm, bounds + n_months, n_months);
    for (int64_t m = 0; m < n_months; m++) {
        for (int q = 0; q < QUANTILES; q++) {
            Search *search = &searches[m * QUANTILES + q];
            search->place = (counts[m] * percents[q] + 99) / 100;
            search->low = counts[m] > 0 ? bounds[m] : 0;
            search->high = counts[m] > 0 ? bounds[n_months + m] : 0;
        }
    }
}

/* Halve all open intervals until none is left: at most 64 rounds. Collective. */
static void search_all(Comm *comm, const MonthlyValues *monthly, int64_t n_months, int64_t *below,
                       Search *searches)
{
    for (;;) {
        bool open = false;
        for (int64_t s = 0; s < n_months * QUANTILES; s++) {
            const Search *search = &searches[s];
            int64_t begin = monthly->starts[s / QUANTILES];
            int64_t n = monthly->starts[s / QUANTILES + 1] - begin;
            below[s] = 0;
            if (search->low == search->high)
                continue;
            open = true;
            below[s] = count_up_to(monthly->values + begin, n, middle_of(search));
        }
        if (!open)
            return;
        comm_sum_i64(comm, below, n_months * QUANTILES);
        for (int64_t s = 0; s < n_months * QUANTILES; s++) {
            Search *search = &searches[s];
            if (search->low == search->high)
                continue;
            int64_t middle = middle_of(search);
            if (below[s] >= search->place)
                search->high = middle;
            else
                search->low = middle + 1;
        }
    }
}

static Status value_rows(const KeyUnion *months, const int64_t *counts, const Search *searches,
                         Table *rows, Error *error)
{
    Status status = STATUS_OK;
    Column *month = table_column(rows, "month");
    Column *orders = table_column(rows, "orders");
    Column *median = table_column(rows, "median_low");
    Column *p95 = table_column(rows, "p95_low");
    for (int64_t m = 0; m < months->count; m++) {
        if (counts[m] == 0)
            continue;
        TRY(table_add_row(rows, error));
        ((int32_t *)month->data)[rows->rows - 1] = months->keys[m];
        ((int64_t *)orders->data)[rows->rows - 1] = counts[m];
        ((int64_t *)median->data)[rows->rows - 1] = searches[m * QUANTILES].low;
        ((int64_t *)p95->data)[rows->rows - 1] = searches[m * QUANTILES + 1].low;
    }
out:
    return status;
}

Status order_values_monthly(Comm *comm, OrderValues *orders, const KeyUnion *months, Table *rows,
                            Error *error)
{
    static const ColumnSpec columns[] = {
        {"month", COLUMN_I32, UNIT_MONTH},
        {"orders", COLUMN_I64, UNIT_COUNT},
        {"median_low", COLUMN_I64, UNIT_MONEY_MINOR},
        {"p95_low", COLUMN_I64, UNIT_MONEY_MINOR},
    };
    Status status = STATUS_OK;
    MonthlyValues monthly = {0};
    int64_t n = months->count;
    int64_t *counts = mem_new(n, sizeof *counts);
    int64_t *numbers = mem_new(n * QUANTILES, sizeof *numbers);
    Search *searches = mem_new(n * QUANTILES, sizeof *searches);
    table_init(rows, columns, sizeof columns / sizeof *columns);
    TRY_ALL(comm, group_values(orders, months, &monthly, error), error);
    order_values_free(orders);
    begin_searches(comm, &monthly, n, counts, numbers, searches);
    search_all(comm, &monthly, n, numbers, searches);
    TRY_ALL(comm,
            comm_rank(comm) == 0 ? value_rows(months, counts, searches, rows, error) : STATUS_OK,
            error);
out:
    mem_free(&monthly.values);
    mem_free(&monthly.starts);
    mem_free(&counts);
    mem_free(&numbers);
    mem_free(&searches);
    return status;
}
