/* From counted pairs to basket_pairs: thresholds, order, names; see pairs.h. */
#include "sales/pairs.h"

#include "base/memory.h"

#include <string.h>

/* Orders that the shares of a pair are shares of, over all ranks. */
typedef struct PairTotals {
    int64_t orders;
    const int64_t *of_product; /* by code */
    const Names *products;
} PairTotals;

typedef struct PairShares {
    double support, confidence_ab, confidence_ba, lift;
} PairShares;

/* Agrawal, Imielinski, Swami 1993 (support, confidence); Brin, Motwani, Ullman, Tsur 1997 (lift,
 * which they call interest). a, b are places in the order of ids. */
static PairShares shares_of(const PairTotals *totals, int32_t a, int32_t b, int64_t orders)
{
    double both = (double)orders, all = (double)totals->orders;
    double of_a = (double)totals->of_product[totals->products->code[a]];
    double of_b = (double)totals->of_product[totals->products->code[b]];
    return (PairShares){.support = both / all,
                        .confidence_ab = both / of_a,
                        .confidence_ba = both / of_b,
                        .lift = both * all / (of_a * of_b)};
}

/* Drop the pairs below the thresholds. */
static Status filter_pairs(const PairTotals *totals, const PairOptions *options, Table *pairs,
                           Error *error)
{
    int32_t *a = table_column(pairs, "a")->data, *b = table_column(pairs, "b")->data;
    int64_t *orders = table_column(pairs, "orders")->data;
    int64_t n = 0;
    for (int64_t i = 0; i < pairs->rows; i++) {
        PairShares shares = shares_of(totals, a[i], b[i], orders[i]);
        double confidence = shares.confidence_ab > shares.confidence_ba ? shares.confidence_ab
                                                                        : shares.confidence_ba;
        if (confidence < options->min_confidence || shares.lift < options->min_lift)
            continue;
        a[n] = a[i];
        b[n] = b[i];
        orders[n++] = orders[i];
    }
    return table_set_rows(pairs, n, error);
}

/* Before the sort, drop this rank's pairs that cannot be among the first `limit`: those with fewer
 * orders than `limit` others here. */
static Status drop_hopeless(int64_t limit, Table *pairs, Error *error)
{
    Status status = STATUS_OK;
    int64_t *ascending = NULL, n = 0;
    if (limit == 0 || pairs->rows <= limit)
        return STATUS_OK;
    int32_t *a = table_column(pairs, "a")->data, *b = table_column(pairs, "b")->data;
    int64_t *orders = table_column(pairs, "orders")->data;
    TRY(mem_resize(&ascending, pairs->rows, sizeof *ascending, "orders of pairs", error));
    memcpy(ascending, orders, (size_t)pairs->rows * sizeof *ascending);
    TRY(sort_i64(ascending, pairs->rows, error));
    int64_t least = ascending[pairs->rows - limit];
    for (int64_t i = 0; i < pairs->rows; i++) {
        if (orders[i] < least)
            continue;
        a[n] = a[i];
        b[n] = b[i];
        orders[n++] = orders[i];
    }
    TRY(table_set_rows(pairs, n, error));
out:
    mem_free(&ascending);
    return status;
}

/* Keep what is among the first `limit` rows of all ranks. Collective. */
static Status cut_pairs(Comm *comm, int64_t limit, Table *pairs, Error *error)
{
    int64_t before = comm_prefix_i64(comm, pairs->rows);
    int64_t room = limit > before ? limit - before : 0;
    bool is_cut = limit > 0 && pairs->rows > room;
    return comm_agree(comm, is_cut ? table_set_rows(pairs, room, error) : STATUS_OK, error);
}

static Status name_pairs(const PairTotals *totals, const Table *pairs, Table *rows, Error *error)
{
    static const ColumnSpec columns[] = {
        {"product_a", COLUMN_TEXT, UNIT_NONE},    {"product_b", COLUMN_TEXT, UNIT_NONE},
        {"orders", COLUMN_I64, UNIT_COUNT},       {"support", COLUMN_F64, UNIT_NONE},
        {"confidence_ab", COLUMN_F64, UNIT_NONE}, {"confidence_ba", COLUMN_F64, UNIT_NONE},
        {"lift", COLUMN_F64, UNIT_NONE},
    };
    Status status = STATUS_OK;
    const Names *products = totals->products;
    const int32_t *a = table_column_const(pairs, "a")->data;
    const int32_t *b = table_column_const(pairs, "b")->data;
    const int64_t *orders = table_column_const(pairs, "orders")->data;
    table_init(rows, columns, sizeof columns / sizeof *columns);
    TRY(table_reserve(rows, pairs->rows, error));
    Column *to = rows->columns;
    for (int64_t i = 0; i < pairs->rows; i++) {
        PairShares shares = shares_of(totals, a[i], b[i], orders[i]);
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
    PairTotals totals = {
        .orders = baskets->orders, .of_product = baskets->product_orders, .products = products};
    TRY(pairs_count(comm, baskets, baskets->product_orders, products->code, products->count,
                    options, &pairs, error));
    TRY_ALL(comm, filter_pairs(&totals, options, &pairs, error), error);
    TRY_ALL(comm, drop_hopeless(options->limit, &pairs, error), error);
    TRY(comm_sort_table(comm, &pairs, by_orders, 3, error));
    TRY(cut_pairs(comm, options->limit, &pairs, error));
    TRY_ALL(comm, name_pairs(&totals, &pairs, rows, error), error);
out:
    table_free(&pairs);
    return status;
}
