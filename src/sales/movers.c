/* sales_movers: the products whose net changed most. Each rank finds the largest changes of its own
 * products, so that what is sorted over the ranks is small. */
#include "sales/product_periods_internal.h"

#include "base/memory.h"
#include "sales/compare.h"

/* A period: classes [0, middle), and the same number of days before: [middle, end). */
typedef struct Scope {
    const char *name;
    int middle;
    int end;
} Scope;

enum { SCOPES = 4, DIRECTIONS = 2 };

/* By name, as the rows are. */
static const Scope scopes[SCOPES] = {
    {"day", CLASS_DAY_BEFORE, CLASS_WEEK},
    {"four_weeks", CLASS_BLOCKS, CLASS_BLOCKS + 1},
    {"week", CLASS_WEEK_BEFORE, CLASS_FOUR_WEEKS},
    {"year", CLASS_BLOCKS + YEAR_BLOCKS - 1, CLASSES},
};

static const char *const directions[DIRECTIONS] = {"down", "up"};

/* One product in one scope: what is sorted. */
static const ColumnSpec change_columns[] = {
    {"scope", COLUMN_I8, UNIT_NONE},        {"direction", COLUMN_I8, UNIT_NONE},
    {"size", COLUMN_I64, UNIT_MONEY_MINOR}, {"product", COLUMN_I32, UNIT_CODE},
    {"net", COLUMN_I64, UNIT_MONEY_MINOR},  {"net_previous", COLUMN_I64, UNIT_MONEY_MINOR},
    {"units", COLUMN_I64, UNIT_COUNT},      {"units_previous", COLUMN_I64, UNIT_COUNT},
};

static const SortKey change_keys[] = {
    {"scope", false}, {"direction", false}, {"size", true}, {"product", false}};
enum { CHANGE_KEYS = sizeof change_keys / sizeof *change_keys };

static const ColumnSpec row_columns[] = {
    {"scope", COLUMN_TEXT, UNIT_NONE},
    {"direction", COLUMN_TEXT, UNIT_NONE},
    {"place", COLUMN_I64, UNIT_COUNT},
    {"product_id", COLUMN_TEXT, UNIT_NONE},
    {"net", COLUMN_I64, UNIT_MONEY_MINOR},
    {"net_previous", COLUMN_I64, UNIT_MONEY_MINOR},
    {"net_change", COLUMN_I64, UNIT_MONEY_MINOR},
    {"change", COLUMN_F64, UNIT_NONE},
    {"units", COLUMN_I64, UNIT_COUNT},
    {"units_previous", COLUMN_I64, UNIT_COUNT},
};

/* The changes of this rank's products in one scope. */
static Status scope_changes(const ProductPeriods *periods, int s, Table *changes, Error *error)
{
    Status status = STATUS_OK;
    const Scope *scope = &scopes[s];
    ProductSales sales;
    int64_t at = 0;
    table_init(changes, change_columns, sizeof change_columns / sizeof *change_columns);
    while (product_sales_next(periods, &at, &sales)) {
        int64_t net = sum_classes(sales.net, 0, scope->middle);
        int64_t previous = sum_classes(sales.net, scope->middle, scope->end);
        if (net == previous)
            continue;
        TRY(table_add_row(changes, error));
        int64_t row = changes->rows - 1;
        ((int8_t *)changes->columns[0].data)[row] = (int8_t)s;
        ((int8_t *)changes->columns[1].data)[row] = net > previous;
        ((int64_t *)changes->columns[2].data)[row] =
            net > previous ? net - previous : previous - net;
        ((int32_t *)changes->columns[3].data)[row] = sales.product;
        ((int64_t *)changes->columns[4].data)[row] = net;
        ((int64_t *)changes->columns[5].data)[row] = previous;
        ((int64_t *)changes->columns[6].data)[row] = net_units(&sales, 0, scope->middle);
        ((int64_t *)changes->columns[7].data)[row] = net_units(&sales, scope->middle, scope->end);
    }
out:
    return status;
}

/* Add the first `limit` of each direction to `largest`: no other can be among those of all ranks.
 */
static Status keep_largest(Table *changes, int64_t limit, Table *largest, Error *error)
{
    Status status = STATUS_OK;
    int64_t begin = 0;
    TRY(table_sort(changes, change_keys, CHANGE_KEYS, error));
    const int8_t *direction = changes->columns[1].data;
    for (int d = 0; d < DIRECTIONS; d++) {
        int64_t end = begin;
        while (end < changes->rows && direction[end] == d)
            end++;
        int64_t stop = end - begin < limit ? end : begin + limit;
        TRY(table_append(largest, changes, begin, stop, error));
        begin = end;
    }
out:
    return status;
}

static Status local_largest(const ProductPeriods *periods, int64_t limit, Table *largest,
                            Error *error)
{
    Status status = STATUS_OK;
    Table changes = {0};
    table_init(largest, change_columns, sizeof change_columns / sizeof *change_columns);
    for (int s = 0; s < SCOPES; s++) {
        TRY(scope_changes(periods, s, &changes, error));
        TRY(keep_largest(&changes, limit, largest, error));
        table_free(&changes);
    }
out:
    table_free(&changes);
    return status;
}

/* Rows of the sorted changes whose place among those of all ranks is within the limit. `next`
 * [SCOPES * DIRECTIONS]: places that lower ranks have taken. */
static Status mover_rows(const Shop *shop, const Table *changes, int64_t limit, int64_t *next,
                         Table *rows, Error *error)
{
    Status status = STATUS_OK;
    const int8_t *scope = changes->columns[0].data, *direction = changes->columns[1].data;
    const int32_t *product = changes->columns[3].data;
    const int64_t *net = changes->columns[4].data, *previous = changes->columns[5].data;
    const int64_t *units = changes->columns[6].data, *units_previous = changes->columns[7].data;
    for (int64_t i = 0; i < changes->rows; i++) {
        int64_t place = ++next[scope[i] * DIRECTIONS + direction[i]];
        if (place > limit)
            continue;
        TRY(table_add_row(rows, error));
        int64_t at = rows->rows - 1;
        TRY(table_set_last_text(rows, &rows->columns[0], bytes_of(scopes[scope[i]].name), error));
        TRY(table_set_last_text(rows, &rows->columns[1], bytes_of(directions[direction[i]]),
                                error));
        TRY(table_set_last_text(rows, &rows->columns[3], product_id(shop, product[i]), error));
        ((int64_t *)rows->columns[2].data)[at] = place;
        ((int64_t *)rows->columns[4].data)[at] = net[i];
        ((int64_t *)rows->columns[5].data)[at] = previous[i];
        ((int64_t *)rows->columns[6].data)[at] = net[i] - previous[i];
        ((double *)rows->columns[7].data)[at] = relative_change(net[i], previous[i]);
        ((int64_t *)rows->columns[8].data)[at] = units[i];
        ((int64_t *)rows->columns[9].data)[at] = units_previous[i];
    }
out:
    return status;
}

Status movers_rows(Comm *comm, const Shop *shop, const ProductPeriods *periods, int64_t limit,
                   Table *rows, Error *error)
{
    Status status = STATUS_OK;
    Table changes = {0};
    int64_t next[SCOPES * DIRECTIONS] = {0};
    table_init(rows, row_columns, sizeof row_columns / sizeof *row_columns);
    TRY_ALL(comm, local_largest(periods, limit, &changes, error), error);
    TRY(comm_sort_table(comm, &changes, change_keys, CHANGE_KEYS, error));
    for (int64_t i = 0; i < changes.rows; i++)
        next[((const int8_t *)changes.columns[0].data)[i] * DIRECTIONS +
             ((const int8_t *)changes.columns[1].data)[i]]++;
    for (int k = 0; k < SCOPES * DIRECTIONS; k++)
        next[k] = comm_prefix_i64(comm, next[k]);
    TRY_ALL(comm, mover_rows(shop, &changes, limit, next, rows, error), error);
out:
    table_free(&changes);
    return status;
}
