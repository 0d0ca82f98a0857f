/* See item_lists.h. */
#include "recommend/item_lists.h"

#include "base/memory.h"
#include "recommend/cooccurrence.h"

#include <math.h>

/* One place of a list. */
typedef struct Companion {
    int32_t item; /* -1: no more */
    int64_t customers;
    double score;
} Companion;

typedef struct Making {
    const ItemListOptions *options;
    int32_t first;         /* of this rank's items */
    int64_t *counts;       /* [n_items] customers who have the item */
    int64_t active;        /* customers who have any */
    Companion *companions; /* [own items x length] */
} Making;

static const ColumnSpec row_columns[] = {
    {"product_id", COLUMN_TEXT, UNIT_NONE},    {"rank", COLUMN_I32, UNIT_COUNT},
    {"other_product", COLUMN_TEXT, UNIT_NONE}, {"customers", COLUMN_I64, UNIT_COUNT},
    {"lift", COLUMN_F64, UNIT_NONE},           {"score", COLUMN_F64, UNIT_NONE},
};
enum { N_COLUMNS = sizeof row_columns / sizeof row_columns[0] };

/* Items come in ascending order, so that an equal one stays behind. */
static void insert(Companion *list, int length, Companion one)
{
    int at = length;
    while (at > 0 && (list[at - 1].item < 0 || list[at - 1].score < one.score)) {
        at--;
        if (at + 1 < length)
            list[at + 1] = list[at];
    }
    if (at < length)
        list[at] = one;
}

static void choose_companions(void *context, int thread, int32_t item, const double *sums,
                              const int32_t *touched, int64_t n)
{
    const Making *making = context;
    const ItemListOptions *options = making->options;
    Companion *list = making->companions + (int64_t)(item - making->first) * options->length;
    (void)thread;
    for (int64_t t = 0; t < n; t++) {
        int32_t other = touched[t];
        int64_t both = (int64_t)sums[other];
        if (other == item || both < options->least ||
            (options->is_shown != NULL && !options->is_shown[other]))
            continue;
        double score =
            sums[other] / sqrt((double)making->counts[item] * (double)making->counts[other]);
        insert(list, options->length, (Companion){other, both, score});
    }
}

static Status make_room(Making *making, const SparseSide *items, Error *error)
{
    Status status;
    int64_t places = (int64_t)sparse_own_rows(items) * making->options->length;
    TRY(mem_resize(&making->counts, items->n_rows, sizeof *making->counts, "counts of items",
                   error));
    TRY(mem_resize(&making->companions, places, sizeof *making->companions, "lists of items",
                   error));
    for (int64_t i = 0; i < places; i++)
        making->companions[i] = (Companion){.item = -1};
out:
    return status;
}

/* Collective. */
static int64_t count_active(Comm *comm, const SparseSide *users)
{
    int64_t n = 0;
    for (int32_t p = 0; p < users->end - users->first; p++) {
        for (int32_t r = 0; r < users->own[p].n_rows; r++)
            n += users->own[p].starts[r + 1] > users->own[p].starts[r];
    }
    comm_sum_i64(comm, &n, 1);
    return n;
}

static Bytes product_id(const Shop *shop, int32_t item)
{
    return names_text(&shop->product, shop->product.code[item]);
}

static Status add_rows(const Making *making, const Shop *shop, int32_t own_items, Table *rows,
                       Error *error)
{
    Status status = STATUS_OK;
    int length = making->options->length;
    table_free(rows);
    table_init(rows, row_columns, N_COLUMNS);
    for (int32_t i = 0; i < own_items; i++) {
        const Companion *list = making->companions + (int64_t)i * length;
        int32_t item = making->first + i;
        for (int k = 0; k < length && list[k].item >= 0; k++) {
            double chance = (double)making->counts[item] * (double)making->counts[list[k].item];
            TRY(table_add_row(rows, error));
            int64_t at = rows->rows - 1;
            TRY(table_set_last_text(rows, &rows->columns[0], product_id(shop, item), error));
            ((int32_t *)rows->columns[1].data)[at] = k + 1;
            TRY(table_set_last_text(rows, &rows->columns[2], product_id(shop, list[k].item),
                                    error));
            ((int64_t *)rows->columns[3].data)[at] = list[k].customers;
            ((double *)rows->columns[4].data)[at] =
                (double)list[k].customers * (double)making->active / chance;
            ((double *)rows->columns[5].data)[at] = list[k].score;
        }
    }
out:
    return status;
}

Status item_lists_rows(Comm *comm, const Shop *shop, const SparseSide *users,
                       const SparseSide *items, const ItemListOptions *options, Table *rows,
                       Error *error)
{
    Status status;
    Making making = {.options = options, .first = sparse_own_first(items)};
    TRY_ALL(comm, make_room(&making, items, error), error);
    sparse_column_counts(comm, users, making.counts);
    making.active = count_active(comm, users);
    TRY(cooccurrence_visit(comm, users, items, false, options->threads, options->memory,
                           choose_companions, &making, error));
    TRY_ALL(comm, add_rows(&making, shop, sparse_own_rows(items), rows, error), error);
out:
    mem_free(&making.counts);
    mem_free(&making.companions);
    return status;
}
