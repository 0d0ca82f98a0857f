/* cohort_month; see cohorts.h. Cohorts times months are few: rank 0 gets them all. */
#include "sales/cohorts.h"

#include "base/fault.h"
#include "base/memory.h"
#include "sales/root_rows.h"

#include <math.h>

/* One month of one cohort, by both. */
static const ColumnSpec month_columns[] = {
    {"cohort", COLUMN_I32, UNIT_MONTH},    {"month", COLUMN_I32, UNIT_MONTH},
    {"orders", COLUMN_I64, UNIT_COUNT},    {"customers", COLUMN_I64, UNIT_COUNT},
    {"net", COLUMN_I64, UNIT_MONEY_MINOR},
};

static const ColumnSpec row_columns[] = {
    {"cohort", COLUMN_I32, UNIT_MONTH},    {"months_since", COLUMN_I64, UNIT_COUNT},
    {"customers", COLUMN_I64, UNIT_COUNT}, {"orders", COLUMN_I64, UNIT_COUNT},
    {"net", COLUMN_I64, UNIT_MONEY_MINOR}, {"net_cumulative", COLUMN_I64, UNIT_MONEY_MINOR},
    {"retention", COLUMN_F64, UNIT_NONE},  {"value_per_customer", COLUMN_F64, UNIT_NONE},
};

void cohort_spec(AggregateSpec *spec)
{
    *spec = (AggregateSpec){
        .name = "cohort_month",
        .n_by = 2,
        .by = {{.kind = DIMENSION_COHORT}, {.kind = DIMENSION_MONTH}},
        .n_measures = 3,
        .measures = {MEASURE_NET, MEASURE_ORDERS, MEASURE_CUSTOMERS},
        .known_customers_only = true,
    };
}

/* Groups of customers who have a cohort. */
static Status take_months(const Groups *groups, Table *months, Error *error)
{
    Status status = STATUS_OK;
    const KeyPart *cohort = &groups->layout.parts[0], *month = &groups->layout.parts[1];
    table_init(months, month_columns, sizeof month_columns / sizeof *month_columns);
    TRY(fault_point("sales.cohorts", error));
    for (int64_t i = 0; i < groups->n; i++) {
        int64_t number = key_part_value(cohort, groups->keys[i]);
        if (number == cohort->base)
            continue;
        TRY(table_add_row(months, error));
        int64_t at = months->rows - 1;
        ((int32_t *)months->columns[0].data)[at] = (int32_t)number;
        ((int32_t *)months->columns[1].data)[at] = (int32_t)key_part_value(month, groups->keys[i]);
        ((int64_t *)months->columns[2].data)[at] = groups->sums[SUM_ORDERS][i];
        ((int64_t *)months->columns[3].data)[at] = groups->sums[SUM_CUSTOMERS][i];
        ((int64_t *)months->columns[4].data)[at] = groups->sums[SUM_NET][i];
    }
out:
    return status;
}

static Status rows_of_months(const Table *months, Table *rows, Error *error)
{
    Status status = STATUS_OK;
    const int32_t *cohorts = months->columns[0].data, *month = months->columns[1].data;
    const int64_t *orders = months->columns[2].data, *customers = months->columns[3].data;
    const int64_t *net = months->columns[4].data;
    int64_t cumulative = 0, at_start = 0;
    for (int64_t i = 0; i < months->rows; i++) {
        if (i == 0 || cohorts[i] != cohorts[i - 1])
            cumulative = at_start = 0;
        cumulative += net[i];
        if (month[i] == cohorts[i])
            at_start = customers[i];
        if (customers[i] == 0)
            continue;
        TRY(table_add_row(rows, error));
        int64_t at = rows->rows - 1;
        ((int32_t *)rows->columns[0].data)[at] = cohorts[i];
        ((int64_t *)rows->columns[1].data)[at] = (int64_t)month[i] - cohorts[i];
        ((int64_t *)rows->columns[2].data)[at] = customers[i];
        ((int64_t *)rows->columns[3].data)[at] = orders[i];
        ((int64_t *)rows->columns[4].data)[at] = net[i];
        ((int64_t *)rows->columns[5].data)[at] = cumulative;
        /* The customers of a cohort all have a kept sale in its first month. */
        ((double *)rows->columns[6].data)[at] = (double)customers[i] / (double)at_start;
        ((double *)rows->columns[7].data)[at] = (double)cumulative / (double)at_start;
    }
out:
    return status;
}

Status cohort_rows(Comm *comm, Groups *groups, Table *rows, Error *error)
{
    Status status = STATUS_OK;
    Table months = {0};
    table_init(rows, row_columns, sizeof row_columns / sizeof *row_columns);
    TRY_ALL(comm, take_months(groups, &months, error), error);
    TRY(root_rows(comm, &months, error));
    TRY_ALL(comm, rows_of_months(&months, rows, error), error);
out:
    table_free(&months);
    groups_free(groups);
    return status;
}
