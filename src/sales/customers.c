/* customer_summary and cohort_month; see customers.h. */
#include "sales/customers.h"

#include "base/memory.h"

#include <inttypes.h>
#include <string.h>

void sales_customers_init(SalesCustomers *customers)
{
    static const ColumnSpec columns[] = {
        {"customer", COLUMN_TEXT, UNIT_NONE},  {"first_day", COLUMN_I32, UNIT_DAY},
        {"last_day", COLUMN_I32, UNIT_DAY},    {"orders", COLUMN_I64, UNIT_COUNT},
        {"net", COLUMN_I64, UNIT_MONEY_MINOR},
    };
    *customers = (SalesCustomers){0};
    table_init(&customers->summary, columns, sizeof columns / sizeof *columns);
}

void sales_customers_free(SalesCustomers *customers)
{
    table_free(&customers->summary);
    mem_free(&customers->current);
    mem_free(&customers->cohorts);
    mem_free(&customers->month_stamps);
    mem_free(&customers->months);
    *customers = (SalesCustomers){0};
}

static Status cover_months(SalesCustomers *customers, int32_t room, Error *error)
{
    Status status = STATUS_OK;
    int64_t *cohorts = NULL;
    int64_t old = customers->n_months_room;
    int64_t cells = (int64_t)room * room;
    TRY(mem_resize(&customers->months, room, sizeof *customers->months, "months", error));
    TRY(mem_resize(&customers->month_stamps, room, sizeof *customers->month_stamps, "months",
                   error));
    TRY(mem_resize(&cohorts, cells, sizeof *cohorts, "cohorts by month", error));
    memset(cohorts, 0, (size_t)cells * sizeof *cohorts);
    for (int64_t first = 0; first < old; first++)
        memcpy(cohorts + first * room, customers->cohorts + first * old,
               (size_t)old * sizeof *cohorts);
    memset(customers->month_stamps + old, 0,
           (size_t)(room - old) * sizeof *customers->month_stamps);
    mem_free(&customers->cohorts);
    customers->cohorts = cohorts;
    customers->n_months_room = room;
out:
    return status;
}

Status sales_customers_cover(SalesCustomers *customers, int64_t lines, const KeySlots *months,
                             Error *error)
{
    Status status = STATUS_OK;
    customers->n_current = 0;
    if (lines > customers->current_capacity) {
        TRY(mem_resize(&customers->current, lines, sizeof *customers->current,
                       "customers of a partition", error));
        customers->current_capacity = lines;
    }
    if (months->count > customers->n_months_room)
        TRY(cover_months(customers, months->capacity, error));
out:
    return status;
}

Status sales_customers_name(SalesCustomers *customers, const Column *ids, int64_t n_ids,
                            int32_t partition, Error *error)
{
    Status status = STATUS_OK;
    Table *rows = &customers->summary;
    Column *customer = table_column(rows, "customer");
    Column *first_day = table_column(rows, "first_day");
    Column *last_day = table_column(rows, "last_day");
    Column *orders = table_column(rows, "orders");
    Column *net = table_column(rows, "net");
    for (int64_t i = 0; i < customers->n_current; i++) {
        const CustomerSales *from = &customers->current[i];
        if (from->code >= n_ids)
            FAIL(error, STATUS_IO,
                 "store is damaged: partition %" PRId32 " has orders of customer %" PRId32
                 ", but only %" PRId64 " customer ids; run vesper verify",
                 partition, from->code, n_ids);
        TRY(table_add_row(rows, error));
        TRY(table_set_last_text(rows, customer, column_text(ids, from->code), error));
        int64_t row = rows->rows - 1;
        ((int32_t *)first_day->data)[row] = from->first_day;
        ((int32_t *)last_day->data)[row] = from->last_day;
        ((int64_t *)orders->data)[row] = from->orders;
        ((int64_t *)net->data)[row] = from->net;
    }
out:
    return status;
}

/* *all [months x months] := this rank's cohorts by the months of all ranks. */
static Status spread_cohorts(const SalesCustomers *customers, const KeySlots *months,
                             const KeyUnion *all_months, int64_t **all, Error *error)
{
    int64_t n = all_months->count;
    Status status = mem_resize(all, n * n, sizeof **all, "cohorts by month", error);
    if (status != STATUS_OK)
        return status;
    memset(*all, 0, (size_t)(n * n) * sizeof **all);
    for (int64_t first = 0; first < months->count; first++) {
        const int64_t *from = customers->cohorts + first * customers->n_months_room;
        int64_t *to = *all + all_months->places[first] * n;
        for (int64_t later = 0; later < months->count; later++)
            to[all_months->places[later]] = from[later];
    }
    return STATUS_OK;
}

static Status cohort_rows(const int64_t *cohorts, const KeyUnion *months, Table *rows, Error *error)
{
    Status status = STATUS_OK;
    Column *cohort = table_column(rows, "cohort");
    Column *months_since = table_column(rows, "months_since");
    Column *customers = table_column(rows, "customers");
    for (int64_t first = 0; first < months->count; first++) {
        for (int64_t later = first; later < months->count; later++) {
            int64_t count = cohorts[first * months->count + later];
            if (count == 0)
                continue;
            TRY(table_add_row(rows, error));
            ((int32_t *)cohort->data)[rows->rows - 1] = months->keys[first];
            ((int64_t *)months_since->data)[rows->rows - 1] =
                (int64_t)months->keys[later] - months->keys[first];
            ((int64_t *)customers->data)[rows->rows - 1] = count;
        }
    }
out:
    return status;
}

Status sales_customers_cohorts(Comm *comm, const SalesCustomers *customers, const KeySlots *months,
                               const KeyUnion *all_months, Table *rows, Error *error)
{
    static const ColumnSpec columns[] = {
        {"cohort", COLUMN_I32, UNIT_MONTH},
        {"months_since", COLUMN_I64, UNIT_COUNT},
        {"customers", COLUMN_I64, UNIT_COUNT},
    };
    Status status = STATUS_OK;
    int64_t *all = NULL;
    table_init(rows, columns, sizeof columns / sizeof *columns);
    TRY_ALL(comm, spread_cohorts(customers, months, all_months, &all, error), error);
    comm_sum_i64(comm, all, all_months->count * all_months->count);
    TRY_ALL(comm, comm_rank(comm) == 0 ? cohort_rows(all, all_months, rows, error) : STATUS_OK,
            error);
out:
    mem_free(&all);
    return status;
}
