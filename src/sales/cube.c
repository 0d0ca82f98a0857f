/* Cells by day, by month and country and by product, added over the ranks; see cube.h. */
#include "sales/cube.h"

#include "base/civil.h"
#include "base/memory.h"

#include <string.h>

static Status zeroed_cells(SalesCell **cells, int64_t n, const char *what, Error *error)
{
    Status status = mem_resize(cells, n, sizeof **cells, what, error);
    if (status == STATUS_OK)
        memset(*cells, 0, (size_t)n * sizeof **cells);
    return status;
}

Status sales_cube_init(SalesCube *cube, int64_t n_products, int64_t n_countries, Error *error)
{
    *cube = (SalesCube){.n_products = (int32_t)n_products, .n_places = (int32_t)n_countries + 1};
    return zeroed_cells(&cube->products, n_products, "sales by product", error);
}

void sales_cube_free(SalesCube *cube)
{
    key_slots_free(&cube->days);
    key_slots_free(&cube->months);
    mem_free(&cube->month_slots);
    mem_free(&cube->day_cells);
    mem_free(&cube->place_cells);
    mem_free(&cube->products);
    *cube = (SalesCube){0};
}

/* Zeroed cells for the newest month, if it has none yet. */
static Status cover_month(SalesCube *cube, Error *error)
{
    Status status = STATUS_OK;
    if (cube->months.count <= cube->month_capacity)
        goto out;
    int32_t capacity = cube->months.capacity;
    int64_t old = (int64_t)cube->month_capacity * cube->n_places;
    int64_t cells = (int64_t)capacity * cube->n_places;
    TRY(mem_resize(&cube->place_cells, cells, sizeof *cube->place_cells,
                   "sales by month and country", error));
    memset(cube->place_cells + old, 0, (size_t)(cells - old) * sizeof *cube->place_cells);
    cube->month_capacity = capacity;
out:
    return status;
}

static Status add_day(SalesCube *cube, int32_t day, Error *error)
{
    Status status = STATUS_OK;
    int32_t slot, month_slot;
    TRY(key_slots_add(&cube->days, day, &slot, error));
    if (cube->days.count > cube->day_capacity) {
        int32_t capacity = cube->days.capacity;
        TRY(mem_resize(&cube->month_slots, capacity, sizeof *cube->month_slots, "days", error));
        TRY(mem_resize(&cube->day_cells, capacity, sizeof *cube->day_cells, "sales by day", error));
        memset(cube->day_cells + cube->day_capacity, 0,
               (size_t)(capacity - cube->day_capacity) * sizeof *cube->day_cells);
        cube->day_capacity = capacity;
    }
    TRY(key_slots_add(&cube->months, civil_month(day), &month_slot, error));
    cube->month_slots[slot] = month_slot;
    TRY(cover_month(cube, error));
out:
    return status;
}

Status sales_cube_cover(SalesCube *cube, const int32_t *days, int64_t n, Error *error)
{
    Status status = STATUS_OK;
    if (n == 0)
        return STATUS_OK;
    int32_t low = INT32_MAX, high = INT32_MIN;
    for (int64_t i = 0; i < n; i++) {
        low = days[i] < low ? days[i] : low;
        high = days[i] > high ? days[i] : high;
    }
    TRY(key_slots_cover(&cube->days, low, high, error));
    TRY(key_slots_cover(&cube->months, civil_month(low), civil_month(high), error));
    for (int64_t i = 0; i < n; i++) {
        if (key_slots_find(&cube->days, days[i]) < 0)
            TRY(add_day(cube, days[i], error));
    }
out:
    return status;
}

/* *all [places x width] := rows of `cells` [n x width] at their places, stamps cleared. */
static Status spread_cells(const SalesCell *cells, int64_t n, int64_t width, const KeyUnion *keys,
                           SalesCell **all, Error *error)
{
    Status status = zeroed_cells(all, keys->count * width, "sales of all ranks", error);
    if (status != STATUS_OK)
        return status;
    for (int64_t s = 0; s < n; s++) {
        SalesCell *to = *all + keys->places[s] * width;
        memcpy(to, cells + s * width, (size_t)width * sizeof *to);
        for (int64_t i = 0; i < width; i++)
            to[i].order_stamp = to[i].customer_stamp = 0;
    }
    return STATUS_OK;
}

static Status daily_rows(const SalesCell *cells, const KeyUnion *days, Table *rows, Error *error)
{
    Status status = table_set_rows(rows, days->count, error);
    if (status != STATUS_OK)
        return status;
    int32_t *day = table_column(rows, "day")->data;
    int64_t *gross = table_column(rows, "gross")->data;
    int64_t *returned = table_column(rows, "returned")->data;
    int64_t *net = table_column(rows, "net")->data;
    int64_t *units = table_column(rows, "units")->data;
    int64_t *units_returned = table_column(rows, "units_returned")->data;
    int64_t *orders = table_column(rows, "orders")->data;
    int64_t *customers = table_column(rows, "customers")->data;
    int64_t *lines = table_column(rows, "lines")->data;
    for (int64_t i = 0; i < days->count; i++) {
        day[i] = days->keys[i];
        gross[i] = cells[i].gross;
        returned[i] = cells[i].returned;
        net[i] = cells[i].gross - cells[i].returned;
        units[i] = cells[i].units;
        units_returned[i] = cells[i].units_returned;
        orders[i] = cells[i].orders;
        customers[i] = cells[i].customers;
        lines[i] = cells[i].lines;
    }
    return STATUS_OK;
}

Status sales_cube_daily(Comm *comm, const SalesCube *cube, const KeyUnion *days, SalesCell *total,
                        Table *rows, Error *error)
{
    static const ColumnSpec columns[] = {
        {"day", COLUMN_I32, UNIT_DAY},
        {"gross", COLUMN_I64, UNIT_MONEY_MINOR},
        {"returned", COLUMN_I64, UNIT_MONEY_MINOR},
        {"net", COLUMN_I64, UNIT_MONEY_MINOR},
        {"units", COLUMN_I64, UNIT_COUNT},
        {"units_returned", COLUMN_I64, UNIT_COUNT},
        {"orders", COLUMN_I64, UNIT_COUNT},
        {"customers", COLUMN_I64, UNIT_COUNT},
        {"lines", COLUMN_I64, UNIT_COUNT},
    };
    Status status = STATUS_OK;
    SalesCell *all = NULL;
    table_init(rows, columns, sizeof columns / sizeof *columns);
    TRY_ALL(comm, spread_cells(cube->day_cells, cube->days.count, 1, days, &all, error), error);
    comm_sum_i64(comm, (int64_t *)all, days->count * CELL_WORDS);
    *total = (SalesCell){0};
    for (int64_t i = 0; i < days->count; i++) {
        total->gross += all[i].gross;
        total->returned += all[i].returned;
        total->units += all[i].units;
        total->units_returned += all[i].units_returned;
        total->lines += all[i].lines;
        total->orders += all[i].orders;
        total->customers += all[i].customers;
    }
    TRY_ALL(comm, comm_rank(comm) == 0 ? daily_rows(all, days, rows, error) : STATUS_OK, error);
out:
    mem_free(&all);
    return status;
}

/* The columns that sales_monthly_country and product_total share, in row `row`. */
static void set_totals(Table *rows, int64_t row, const SalesCell *cell)
{
    ((int64_t *)table_column(rows, "gross")->data)[row] = cell->gross;
    ((int64_t *)table_column(rows, "returned")->data)[row] = cell->returned;
    ((int64_t *)table_column(rows, "units")->data)[row] = cell->units;
    ((int64_t *)table_column(rows, "orders")->data)[row] = cell->orders;
    ((int64_t *)table_column(rows, "customers")->data)[row] = cell->customers;
}

static Status monthly_country_rows(const SalesCell *cells, const KeyUnion *months,
                                   const Column *countries, int32_t n_places, Table *rows,
                                   Error *error)
{
    Status status = STATUS_OK;
    int64_t *sorted = NULL;
    TRY(sales_sort_texts(countries, n_places - 1, &sorted, error));
    Column *month = table_column(rows, "month");
    Column *country = table_column(rows, "country");
    for (int64_t m = 0; m < months->count; m++) {
        /* The empty text of the unknown country sorts before all others. */
        for (int32_t i = -1; i < n_places - 1; i++) {
            int64_t code = i < 0 ? -1 : sorted[i];
            const SalesCell *cell = &cells[m * n_places + code + 1];
            if (cell->lines == 0)
                continue;
            TRY(table_add_row(rows, error));
            if (code >= 0)
                TRY(table_set_last_text(rows, country, column_text(countries, code), error));
            ((int32_t *)month->data)[rows->rows - 1] = months->keys[m];
            set_totals(rows, rows->rows - 1, cell);
        }
    }
out:
    mem_free(&sorted);
    return status;
}

Status sales_cube_monthly_country(Comm *comm, const SalesCube *cube, const KeyUnion *months,
                                  const Column *countries, Table *rows, Error *error)
{
    static const ColumnSpec columns[] = {
        {"month", COLUMN_I32, UNIT_MONTH},       {"country", COLUMN_TEXT, UNIT_NONE},
        {"gross", COLUMN_I64, UNIT_MONEY_MINOR}, {"returned", COLUMN_I64, UNIT_MONEY_MINOR},
        {"units", COLUMN_I64, UNIT_COUNT},       {"orders", COLUMN_I64, UNIT_COUNT},
        {"customers", COLUMN_I64, UNIT_COUNT},
    };
    Status status = STATUS_OK;
    SalesCell *all = NULL;
    table_init(rows, columns, sizeof columns / sizeof *columns);
    int32_t places = cube->n_places;
    TRY_ALL(comm, spread_cells(cube->place_cells, cube->months.count, places, months, &all, error),
            error);
    comm_sum_i64(comm, (int64_t *)all, months->count * places * CELL_WORDS);
    TRY_ALL(comm,
            comm_rank(comm) == 0 ? monthly_country_rows(all, months, countries, places, rows, error)
                                 : STATUS_OK,
            error);
out:
    mem_free(&all);
    return status;
}

/* *ordered [n_products] := the products' cells by id, stamps cleared. */
static Status order_products(const SalesCube *cube, const int64_t *sorted, SalesCell **ordered,
                             Error *error)
{
    Status status =
        mem_resize(ordered, cube->n_products, sizeof **ordered, "sales by product", error);
    if (status != STATUS_OK)
        return status;
    for (int32_t i = 0; i < cube->n_products; i++) {
        (*ordered)[i] = cube->products[sorted[i]];
        (*ordered)[i].order_stamp = (*ordered)[i].customer_stamp = 0;
    }
    return STATUS_OK;
}

static Status product_rows(const SalesCell *cells, const int64_t *codes, int64_t n,
                           const Column *ids, Table *rows, Error *error)
{
    Status status = STATUS_OK;
    Column *id = table_column(rows, "product_id");
    TRY(table_reserve(rows, n, error));
    for (int64_t i = 0; i < n; i++) {
        if (cells[i].lines == 0)
            continue;
        TRY(table_add_row(rows, error));
        TRY(table_set_last_text(rows, id, column_text(ids, codes[i]), error));
        set_totals(rows, rows->rows - 1, &cells[i]);
    }
out:
    return status;
}

Status sales_cube_product_total(Comm *comm, SalesCube *cube, const Column *ids,
                                const int64_t *sorted, Table *rows, Error *error)
{
    static const ColumnSpec columns[] = {
        {"product_id", COLUMN_TEXT, UNIT_NONE},     {"gross", COLUMN_I64, UNIT_MONEY_MINOR},
        {"returned", COLUMN_I64, UNIT_MONEY_MINOR}, {"units", COLUMN_I64, UNIT_COUNT},
        {"orders", COLUMN_I64, UNIT_COUNT},         {"customers", COLUMN_I64, UNIT_COUNT},
    };
    Status status = STATUS_OK;
    SalesCell *ordered = NULL, *own = NULL;
    int size = comm_size(comm), rank = comm_rank(comm);
    int64_t n = cube->n_products;
    int64_t *counts = mem_new(size, sizeof *counts);
    table_init(rows, columns, sizeof columns / sizeof *columns);
    for (int r = 0; r < size; r++)
        counts[r] = (n * (r + 1) / size - n * r / size) * CELL_WORDS;
    int64_t begin = n * rank / size, n_own = counts[rank] / CELL_WORDS;
    TRY_ALL(comm, order_products(cube, sorted, &ordered, error), error);
    TRY_ALL(comm, mem_resize(&own, n_own, sizeof *own, "sales by product", error), error);
    comm_sum_scatter_i64(comm, (const int64_t *)ordered, counts, (int64_t *)own);
    TRY_ALL(comm, product_rows(own, sorted + begin, n_own, ids, rows, error), error);
out:
    mem_free(&own);
    mem_free(&ordered);
    mem_free(&counts);
    return status;
}

void sales_cube_product_orders(Comm *comm, const SalesCube *cube, int64_t *orders)
{
    for (int32_t i = 0; i < cube->n_products; i++)
        orders[i] = cube->products[i].orders;
    comm_sum_i64(comm, orders, cube->n_products);
}

Status sales_sort_texts(const Column *texts, int64_t n, int64_t **sorted, Error *error)
{
    Status status = mem_resize(sorted, n, sizeof **sorted, "order of ids", error);
    if (status != STATUS_OK)
        return status;
    return sort_order_text(texts->bytes, texts->ends, n, *sorted, error);
}
