/* sales_compare; see compare.h. The days, weeks, months of a shop are few: rank 0 gets them all,
 * finds for each the earlier ones, and divides. */
#include "sales/compare.h"

#include "base/fault.h"
#include "base/memory.h"
#include "sales/root_rows.h"

#include <stdio.h>

typedef struct Scope {
    const char *name;
    DimensionKind kind;
    int64_t year; /* how many periods back the same time a year before is */
} Scope;

/* In the order of compare_specs. 364 days and 52 weeks keep the weekday. */
static const Scope scopes[COMPARE_SCOPES] = {
    {"day", DIMENSION_DAY, 364},       {"week", DIMENSION_WEEK, 52}, {"month", DIMENSION_MONTH, 12},
    {"quarter", DIMENSION_QUARTER, 4}, {"year", DIMENSION_YEAR, 1},
};

/* Places in `scopes`, by name: the order of the rows. */
static const int scopes_by_name[COMPARE_SCOPES] = {0, 2, 3, 1, 4};

/* What is compared, as columns of the figures and of the rows. */
enum { FIGURE_NET, FIGURE_UNITS, FIGURE_ORDERS, FIGURE_CUSTOMERS, FIGURES };

/* The periods of one scope that have a line: `number` (as in group_key.h) ascending, figures. */
static const ColumnSpec period_columns[] = {
    {"number", COLUMN_I64, UNIT_NONE},     {"net", COLUMN_I64, UNIT_MONEY_MINOR},
    {"units", COLUMN_I64, UNIT_COUNT},     {"orders", COLUMN_I64, UNIT_COUNT},
    {"customers", COLUMN_I64, UNIT_COUNT},
};

/* Of a figure, from column ROW_FIGURES + figure * ROW_WIDTH: now, before, change, a year before,
 * change. */
enum { ROW_SCOPE, ROW_START, ROW_DAYS, ROW_FIGURES, ROW_WIDTH = 5 };

#define COUNT_COLUMNS(name)                                                                        \
    {name, COLUMN_I64, UNIT_COUNT}, {name "_previous", COLUMN_F64, UNIT_NONE},                     \
        {name "_change", COLUMN_F64, UNIT_NONE}, {name "_year_before", COLUMN_F64, UNIT_NONE},     \
    {                                                                                              \
        name "_year_change", COLUMN_F64, UNIT_NONE                                                 \
    }

static const ColumnSpec row_columns[] = {
    {"scope", COLUMN_TEXT, UNIT_NONE},
    {"start", COLUMN_I32, UNIT_DAY},
    {"days", COLUMN_I64, UNIT_COUNT},
    {"net", COLUMN_I64, UNIT_MONEY_MINOR},
    {"net_previous", COLUMN_I64, UNIT_MONEY_MINOR},
    {"net_change", COLUMN_F64, UNIT_NONE},
    {"net_year_before", COLUMN_I64, UNIT_MONEY_MINOR},
    {"net_year_change", COLUMN_F64, UNIT_NONE},
    COUNT_COLUMNS("units"),
    COUNT_COLUMNS("orders"),
    COUNT_COLUMNS("customers"),
};

void compare_specs(AggregateSpec specs[COMPARE_SCOPES])
{
    for (int s = 0; s < COMPARE_SCOPES; s++) {
        specs[s] = (AggregateSpec){
            .n_by = 1,
            .by = {{.kind = scopes[s].kind}},
            .n_measures = FIGURES,
            .measures = {MEASURE_NET, MEASURE_UNITS, MEASURE_ORDERS, MEASURE_CUSTOMERS},
        };
        (void)snprintf(specs[s].name, sizeof specs[s].name, "sales_compare_%s", scopes[s].name);
    }
}

/* ---- the calendar ---- */

/* First day of month `month` since 1970-01. */
static int32_t month_start(int64_t month)
{
    int64_t year = month / 12 - (month % 12 < 0);
    return civil_day((int)(1970 + year), (int)(month - year * 12) + 1, 1);
}

/* First day of a period; `number` as in group_key.h. */
static int32_t period_start(const Scope *scope, int64_t number)
{
    enum { MONDAY = 4 }; /* 1970-01-05, in week 0 */
    switch (scope->kind) {
    case DIMENSION_WEEK:
        return (int32_t)(number * 7 + MONDAY);
    case DIMENSION_MONTH:
        return month_start(number);
    case DIMENSION_QUARTER:
        return month_start(number * 3);
    case DIMENSION_YEAR:
        return civil_day((int)number, 1, 1);
    default:
        return (int32_t)number;
    }
}

/* Days of a period of which something can be known: within first_day to as_of. */
static int64_t known_days(const Shop *shop, const Scope *scope, int64_t number)
{
    int64_t begin = period_start(scope, number), end = period_start(scope, number + 1);
    begin = begin < shop->first_day ? shop->first_day : begin;
    end = end > shop->as_of ? (int64_t)shop->as_of + 1 : end;
    return end - begin;
}

/* ---- rows ---- */

enum { ROW_NO_LINES = -1, ROW_UNKNOWN = -2 };

/* Row of a period in `periods`; ROW_NO_LINES if it has none, ROW_UNKNOWN if it is wholly before the
 * shop's first day. */
static int64_t find_period(const Shop *shop, const Scope *scope, const Table *periods,
                           int64_t number)
{
    const int64_t *numbers = periods->columns[0].data;
    int64_t low = 0, high = periods->rows;
    if (period_start(scope, number + 1) <= shop->first_day)
        return ROW_UNKNOWN;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (numbers[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < periods->rows && numbers[low] == number ? low : ROW_NO_LINES;
}

/* One figure of an earlier period, and how it changed to `now`, into the last row. */
static void set_earlier(Table *rows, int column, const int64_t *figures, int64_t earlier_row,
                        int64_t now)
{
    int64_t at = rows->rows - 1;
    bool is_known = earlier_row != ROW_UNKNOWN;
    int64_t earlier = earlier_row >= 0 ? figures[earlier_row] : 0;
    Column *value = &rows->columns[column], *change = &rows->columns[column + 1];
    if (value->type == COLUMN_I64)
        ((int64_t *)value->data)[at] = is_known ? earlier : MONEY_NONE;
    else
        ((double *)value->data)[at] = is_known ? (double)earlier : (double)NAN;
    ((double *)change->data)[at] = is_known ? relative_change(now, earlier) : (double)NAN;
}

static Status scope_rows(const Shop *shop, const Scope *scope, const Table *periods, Table *rows,
                         Error *error)
{
    Status status = STATUS_OK;
    const int64_t *numbers = periods->columns[0].data;
    TRY(table_reserve(rows, rows->rows + periods->rows, error));
    for (int64_t i = 0; i < periods->rows; i++) {
        TRY(table_add_row(rows, error));
        int64_t at = rows->rows - 1;
        TRY(table_set_last_text(rows, &rows->columns[ROW_SCOPE], bytes_of(scope->name), error));
        ((int32_t *)rows->columns[ROW_START].data)[at] = period_start(scope, numbers[i]);
        ((int64_t *)rows->columns[ROW_DAYS].data)[at] = known_days(shop, scope, numbers[i]);
        int64_t previous = find_period(shop, scope, periods, numbers[i] - 1);
        int64_t year_before = find_period(shop, scope, periods, numbers[i] - scope->year);
        for (int f = 0; f < FIGURES; f++) {
            const int64_t *figures = periods->columns[1 + f].data;
            int column = ROW_FIGURES + f * ROW_WIDTH;
            ((int64_t *)rows->columns[column].data)[at] = figures[i];
            set_earlier(rows, column + 1, figures, previous, figures[i]);
            set_earlier(rows, column + 3, figures, year_before, figures[i]);
        }
    }
out:
    return status;
}

static Status take_periods(const Groups *groups, Table *periods, Error *error)
{
    Status status = STATUS_OK;
    table_init(periods, period_columns, sizeof period_columns / sizeof *period_columns);
    TRY(fault_point("sales.compare", error));
    TRY(table_set_rows(periods, groups->n, error));
    int64_t *numbers = periods->columns[0].data;
    int64_t *net = periods->columns[1 + FIGURE_NET].data;
    int64_t *units = periods->columns[1 + FIGURE_UNITS].data;
    int64_t *orders = periods->columns[1 + FIGURE_ORDERS].data;
    int64_t *customers = periods->columns[1 + FIGURE_CUSTOMERS].data;
    for (int64_t i = 0; i < groups->n; i++) {
        numbers[i] = key_part_value(&groups->layout.parts[0], groups->keys[i]);
        net[i] = groups->sums[SUM_NET][i];
        units[i] = groups->sums[SUM_UNITS][i];
        orders[i] = groups->sums[SUM_ORDERS][i];
        customers[i] = groups->sums[SUM_CUSTOMERS][i];
    }
out:
    return status;
}

Status compare_rows(Comm *comm, const Shop *shop, Groups *groups, Table *rows, Error *error)
{
    Status status = STATUS_OK;
    Table periods = {0};
    table_init(rows, row_columns, sizeof row_columns / sizeof *row_columns);
    for (int i = 0; i < COMPARE_SCOPES; i++) {
        int s = scopes_by_name[i];
        TRY_ALL(comm, take_periods(&groups[s], &periods, error), error);
        TRY(root_rows(comm, &periods, error));
        TRY_ALL(comm, scope_rows(shop, &scopes[s], &periods, rows, error), error);
        table_free(&periods);
    }
out:
    table_free(&periods);
    for (int s = 0; s < COMPARE_SCOPES; s++)
        groups_free(&groups[s]);
    return status;
}
