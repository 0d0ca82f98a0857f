/* See list_rows.h. */
#include "recommend/list_rows.h"

#include "base/memory.h"
#include "recommend/list_reasons.h"

#include <inttypes.h>
#include <math.h>

static const ColumnSpec row_columns[] = {
    {"customer", COLUMN_TEXT, UNIT_NONE},     {"rank", COLUMN_I32, UNIT_COUNT},
    {"product_id", COLUMN_TEXT, UNIT_NONE},   {"score", COLUMN_F64, UNIT_NONE},
    {"model", COLUMN_TEXT, UNIT_NONE},        {"because_product", COLUMN_TEXT, UNIT_NONE},
    {"because_share", COLUMN_F64, UNIT_NONE},
};
enum { N_COLUMNS = sizeof row_columns / sizeof row_columns[0] };
enum { CUSTOMER, RANK, PRODUCT, SCORE, MODEL, BECAUSE, SHARE };

typedef struct Making {
    const ListRows *from;
    Reason *reasons;  /* [own users x list length] */
    Table ids;        /* of the partition's customers */
    Table orders;     /* their countries */
    int32_t *country; /* [n] of each customer of the partition; -1 unknown */
    int32_t *list;    /* [list length] items of the customer at hand, filled up */
    Table *rows;
} Making;

/* ---- rows ---- */

/* Countries of the partition's customers: that of their last order, or the one they gave. */
static Status read_countries(Making *making, int32_t partition, int32_t n, Error *error)
{
    static const char *const columns[] = {"customer", "country"};
    static const char *const tables[] = {"customers", "orders"};
    Status status;
    TRY(mem_resize(&making->country, n, sizeof *making->country, "countries of customers", error));
    for (int32_t i = 0; i < n; i++)
        making->country[i] = -1;
    for (int t = 0; t < 2; t++) {
        if (!store_has_column(making->from->store, tables[t], "country"))
            continue;
        TRY(store_read_partition(making->from->store, tables[t], partition, columns, 2,
                                 &making->orders, error));
        const Column *customer = table_column_const(&making->orders, "customer");
        const Column *country = table_column_const(&making->orders, "country");
        for (int64_t i = 0; i < making->orders.rows; i++) {
            int64_t code = column_integer(customer, i), where = column_integer(country, i);
            if (code >= n || where >= making->from->popular->n_countries)
                FAIL(error, STATUS_IO,
                     "store is damaged: %s of partition %" PRId32 " name customer %" PRId64
                     " of country %" PRId64 ", which there are not; run vesper verify",
                     tables[t], partition, code, where);
            if (code >= 0 && where >= 0)
                making->country[code] = (int32_t)where;
        }
        table_free(&making->orders);
    }
out:
    return status;
}

static Bytes product_id(const Making *making, int32_t item)
{
    const Names *products = &making->from->shop->product;
    return item < 0 ? bytes_of("") : names_text(products, products->code[item]);
}

static Status add_row(const Making *making, Bytes customer, int rank, int32_t item, double score,
                      const char *model, Reason reason, Error *error)
{
    Status status;
    Table *rows = making->rows;
    TRY(table_add_row(rows, error));
    int64_t at = rows->rows - 1;
    ((int32_t *)rows->columns[RANK].data)[at] = rank;
    ((double *)rows->columns[SCORE].data)[at] = score;
    ((double *)rows->columns[SHARE].data)[at] = reason.share;
    TRY(table_set_last_text(rows, &rows->columns[CUSTOMER], customer, error));
    TRY(table_set_last_text(rows, &rows->columns[PRODUCT], product_id(making, item), error));
    TRY(table_set_last_text(rows, &rows->columns[MODEL], bytes_of(model), error));
    TRY(table_set_last_text(rows, &rows->columns[BECAUSE], product_id(making, reason.item), error));
out:
    return status;
}

static bool holds(const int32_t *items, int64_t n, int32_t item)
{
    for (int64_t i = 0; i < n; i++)
        if (items[i] == item)
            return true;
    return false;
}

/* A popular list's items, from place *rank on, that are neither listed nor owned. */
static Status fill(const Making *making, Bytes customer, const SparseRows *users, int32_t row,
                   const int32_t *popular, const double *scores, const char *model, int32_t *list,
                   int *rank, Error *error)
{
    Status status = STATUS_OK;
    const ListRows *from = making->from;
    int64_t begin = users->starts[row], n = users->starts[row + 1] - begin;
    for (int k = 0; k < from->popular->length && *rank < from->lists->n; k++) {
        if (popular[k] < 0 || holds(list, *rank, popular[k]) ||
            (from->leave_out_owned && holds(users->columns + begin, n, popular[k])))
            continue;
        list[(*rank)++] = popular[k];
        TRY(add_row(making, customer, *rank, popular[k], scores[k], model, (Reason){-1, NAN},
                    error));
    }
out:
    return status;
}

static Status add_user(const Making *making, const SparseRows *users, int32_t row, Bytes customer,
                       Error *error)
{
    Status status = STATUS_OK;
    const ListRows *from = making->from;
    const PopularLists *popular = from->popular;
    int64_t at = ((int64_t)users->first_row + row - sparse_own_first(from->users)) * from->lists->n;
    const int32_t *scored = from->lists->items + at;
    int32_t *list = making->list;
    int32_t country = making->country[row];
    int rank = 0;
    while (rank < from->lists->n && scored[rank] >= 0) {
        list[rank] = scored[rank];
        TRY(add_row(making, customer, rank + 1, list[rank], (double)from->lists->scores[at + rank],
                    from->scorer->name, making->reasons[at + rank], error));
        rank++;
    }
    if (country >= 0)
        TRY(fill(making, customer, users, row,
                 popular->by_country + (int64_t)country * popular->length,
                 popular->country_scores + (int64_t)country * popular->length, "popular_country",
                 list, &rank, error));
    TRY(fill(making, customer, users, row, popular->all, popular->all_scores, "popular", list,
             &rank, error));
out:
    return status;
}

static Status add_partition(Making *making, int32_t p, Error *error)
{
    static const char *const columns[] = {"text"};
    Status status;
    const ListRows *from = making->from;
    const SparseRows *users = &from->users->own[p];
    int32_t partition = from->users->first + p;
    TRY(store_read_partition(from->store, "customer_ids", partition, columns, 1, &making->ids,
                             error));
    if (making->ids.rows < users->n_rows)
        FAIL(error, STATUS_IO,
             "store is damaged: partition %" PRId32 " has %" PRId64 " customer ids for %" PRId32
             " customers; run vesper verify",
             partition, making->ids.rows, users->n_rows);
    TRY(read_countries(making, partition, users->n_rows, error));
    const Column *text = table_column_const(&making->ids, "text");
    for (int32_t row = 0; row < users->n_rows; row++)
        TRY(add_user(making, users, row, column_text(text, row), error));
out:
    return status;
}

static Status add_rows(Making *making, Error *error)
{
    Status status = STATUS_OK;
    const SparseSide *users = making->from->users;
    making->list = mem_new(making->from->lists->n, sizeof *making->list);
    table_free(making->rows);
    table_init(making->rows, row_columns, N_COLUMNS);
    for (int32_t p = 0; p < users->end - users->first; p++)
        TRY(add_partition(making, p, error));
out:
    return status;
}

Status list_rows_make(Comm *comm, const ListRows *from, Table *rows, Error *error)
{
    static const SortKey keys[] = {{.column = "customer"}, {.column = "rank"}};
    Status status;
    Making making = {.from = from, .rows = rows};
    ReasonOptions reasons = {.users = from->users,
                             .lists = from->lists,
                             .scorer = from->scorer,
                             .is_unnamed = from->is_unnamed,
                             .threads = from->threads,
                             .memory = from->memory};
    TRY(list_reasons_make(comm, &reasons, &making.reasons, error));
    TRY_ALL(comm, add_rows(&making, error), error);
    TRY(comm_sort_table(comm, rows, keys, 2, error));
out:
    mem_free(&making.reasons);
    mem_free(&making.country);
    mem_free(&making.list);
    table_free(&making.ids);
    table_free(&making.orders);
    return status;
}
