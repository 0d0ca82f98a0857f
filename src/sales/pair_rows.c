/* From counted pairs to basket_pairs: order, limit, names; see pairs.h. */
#include "sales/pair_sieve.h"

/* Keep what is among the first `limit` rows of all ranks. Collective. */
static Status cut_pairs(Comm *comm, int64_t limit, Table *pairs, Error *error)
{
    int64_t before = comm_prefix_i64(comm, pairs->rows);
    int64_t room = limit > before ? limit - before : 0;
    bool is_cut = limit > 0 && pairs->rows > room;
    return comm_agree(comm, is_cut ? table_set_rows(pairs, room, error) : STATUS_OK, error);
}

static Status name_pairs(const PairTotals *totals, const Names *products, const Table *pairs,
                         Table *rows, Error *error)
{
    static const ColumnSpec columns[] = {
        {"product_a", COLUMN_TEXT, UNIT_NONE},    {"product_b", COLUMN_TEXT, UNIT_NONE},
        {"orders", COLUMN_I64, UNIT_COUNT},       {"support", COLUMN_F64, UNIT_NONE},
        {"confidence_ab", COLUMN_F64, UNIT_NONE}, {"confidence_ba", COLUMN_F64, UNIT_NONE},
        {"lift", COLUMN_F64, UNIT_NONE},
    };
    Status status = STATUS_OK;
    const int32_t *a = table_column_const(pairs, "a")->data;
    const int32_t *b = table_column_const(pairs, "b")->data;
    const int64_t *orders = table_column_const(pairs, "orders")->data;
    table_init(rows, columns, sizeof columns / sizeof *columns);
    TRY(table_reserve(rows, pairs->rows, error));
    Column *to = rows->columns;
    for (int64_t i = 0; i < pairs->rows; i++) {
        PairShares shares = pair_shares(totals, a[i], b[i], orders[i]);
        TRY(table_add_row(rows, error));
        TRY(table_set_last_text(rows, &to[0], names_text(products, products->code[a[i]]), error));
        TRY(table_set_last_text(rows, &to[1], names_text(products, products->code[b[i]]), error));
        ((int64_t *)to[2].data)[i] = orders[i];
        ((double *)to[3].data)[i] = shares.support;
        ((double *)to[4].data)[i] = shares.confidence_ab;
        ((double *)to[5].data)[i] = shares.confidence_ba;
        ((double *)to[6].data)[i] = shares.lift;
    }
out:
    return status;
}

Status pairs_rows(Comm *comm, Baskets *baskets, const Names *products, const PairOptions *options,
                  Table *rows, Error *error)
{
    static const SortKey by_orders[] = {
        {.column = "orders", .descending = true}, {.column = "a"}, {.column = "b"}};
    Status status = STATUS_OK;
    Table pairs = {0};
    comm_sum_i64(comm, &baskets->orders, 1);
    comm_sum_i64(comm, baskets->product_orders, products->count);
    PairTotals totals = {.orders = baskets->orders,
                         .n_products = products->count,
                         .of_product = baskets->product_orders,
                         .sorted = products->code};
    TRY(pairs_count(comm, baskets, &totals, options, &pairs, error));
    TRY(comm_sort_table(comm, &pairs, by_orders, 3, error));
    TRY(cut_pairs(comm, options->limit, &pairs, error));
    TRY_ALL(comm, name_pairs(&totals, products, &pairs, rows, error), error);
out:
    table_free(&pairs);
    return status;
}
