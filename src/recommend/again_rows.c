/* See again_rows.h. */
#include "recommend/again_rows.h"

#include "base/fault.h"

#include <inttypes.h>
#include <math.h>

static const ColumnSpec row_columns[] = {
    {"customer", COLUMN_TEXT, UNIT_NONE},   {"rank", COLUMN_I32, UNIT_COUNT},
    {"product_id", COLUMN_TEXT, UNIT_NONE}, {"due_day", COLUMN_I32, UNIT_DAY},
    {"probability", COLUMN_F64, UNIT_NONE}, {"score", COLUMN_F64, UNIT_NONE},
};
enum { N_COLUMNS = sizeof row_columns / sizeof row_columns[0] };

typedef struct Making {
    Store *store;
    const Shop *shop;
    const SparseSide *users;
    const TopLists *lists;
    const Repeat *model;
    int64_t days;
    Table *rows;
} Making;

static Status add_user(const Making *making, int64_t own, Bytes customer, Error *error)
{
    Status status = STATUS_OK;
    const TopLists *lists = making->lists;
    Table *rows = making->rows;
    const Names *products = &making->shop->product;
    int rank = 0;
    for (int k = 0; k < lists->n && lists->items[own * lists->n + k] >= 0; k++) {
        int32_t item = lists->items[own * lists->n + k], due;
        double probability;
        repeat_due(making->model, (int32_t)own, item, making->days, &due, &probability);
        if (isnan(probability))
            continue;
        TRY(table_add_row(rows, error));
        int64_t at = rows->rows - 1;
        TRY(table_set_last_text(rows, &rows->columns[0], customer, error));
        ((int32_t *)rows->columns[1].data)[at] = ++rank;
        TRY(table_set_last_text(rows, &rows->columns[2], names_text(products, products->code[item]),
                                error));
        ((int32_t *)rows->columns[3].data)[at] = due;
        ((double *)rows->columns[4].data)[at] = probability;
        ((double *)rows->columns[5].data)[at] = (double)lists->scores[own * lists->n + k];
    }
out:
    return status;
}

static Status add_rows(const Making *making, Error *error)
{
    static const char *const columns[] = {"text"};
    Status status = STATUS_OK;
    Table ids = {0};
    const SparseSide *users = making->users;
    table_free(making->rows);
    table_init(making->rows, row_columns, N_COLUMNS);
    TRY(fault_point("recommend.again", error));
    for (int32_t p = 0; p < users->end - users->first; p++) {
        const SparseRows *own = &users->own[p];
        TRY(store_read_partition(making->store, "customer_ids", users->first + p, columns, 1, &ids,
                                 error));
        if (ids.rows < own->n_rows)
            FAIL(error, STATUS_IO,
                 "store is damaged: partition %" PRId32 " has %" PRId64 " customer ids for %" PRId32
                 " customers; run vesper verify",
                 users->first + p, ids.rows, own->n_rows);
        for (int32_t r = 0; r < own->n_rows; r++)
            TRY(add_user(making, (int64_t)own->first_row + r - sparse_own_first(users),
                         column_text(table_column_const(&ids, "text"), r), error));
    }
out:
    table_free(&ids);
    return status;
}

Status again_rows_make(Comm *comm, Store *store, const Shop *shop, const SparseSide *users,
                       const TopLists *lists, const Repeat *model, int64_t days, Table *rows,
                       Error *error)
{
    static const SortKey keys[] = {{.column = "customer"}, {.column = "rank"}};
    Status status;
    Making making = {store, shop, users, lists, model, days, rows};
    TRY_ALL(comm, add_rows(&making, error), error);
    TRY(comm_sort_table(comm, rows, keys, 2, error));
out:
    return status;
}
