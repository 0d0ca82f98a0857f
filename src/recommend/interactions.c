/* Who took what, over all ranks; see interactions.h. */
#include "recommend/interactions_read.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

InteractionOptions interactions_default(void)
{
    return (InteractionOptions){.weight_order = 1.0,
                                .weight_cart = 0.5,
                                .weight_view = 0.1,
                                .weight_review = 0.5,
                                .weight_pair = 1.0,
                                .least_rating = 300,
                                .returns_take_away = true};
}

/* This rank's partitions; `reader` is set up but for its history. Local. */
static Status read_own(InteractionsReader *reader, Store *store, const Shop *shop,
                       SparseSide *users, Error *error)
{
    Status status = STATUS_OK;
    TRY(fault_point("recommend.interactions", error));
    TRY(history_open(&reader->history, store, shop, error));
    for (int32_t p = users->first; p < users->end; p++)
        TRY(interactions_read_partition(reader, p, &users->own[p - users->first], error));
out:
    return status;
}

static Status read_users(Comm *comm, InteractionsReader *reader, Store *store, const Shop *shop,
                         SparseSide *users, Error *error)
{
    Status status = STATUS_OK;
    *users = (SparseSide){.n_columns = shop->product.count, .n_partitions = shop->partitions};
    store_owned(store, comm_rank(comm), comm_size(comm), &users->first, &users->end);
    users->own = mem_new(users->end - users->first, sizeof *users->own);
    TRY_ALL(comm, read_own(reader, store, shop, users, error), error);
    TRY(sparse_side_complete(comm, users, error));
out:
    interactions_reader_free(reader);
    if (status != STATUS_OK)
        sparse_side_free(users);
    return status;
}

void interactions_days(const Store *store, const Shop *shop, int32_t *from_day, int32_t *until_day)
{
    int64_t first = shop->first_day, last = shop->last_day;
    *from_day = *until_day = 0;
    if (last == DAY_NONE)
        store_column_range(store, "pairs", "day", &first, &last);
    if (first > last)
        return;
    *from_day = (int32_t)first; /* DAY_NONE, where pairs have no time, is before all days */
    *until_day = last == DAY_NONE ? 1 : (int32_t)last + 1;
}

/* ---- counts ---- */

static void add_counts(Comm *comm, InteractionCounts *counts)
{
    int64_t sums[] = {counts->orders,         counts->carts,       counts->views, counts->reviews,
                      counts->returned_pairs, counts->bulk_buyers, counts->bots,  counts->users,
                      counts->pairs,          counts->given};
    comm_sum_i64(comm, sums, sizeof sums / sizeof *sums);
    counts->orders = sums[0];
    counts->carts = sums[1];
    counts->views = sums[2];
    counts->reviews = sums[3];
    counts->returned_pairs = sums[4];
    counts->bulk_buyers = sums[5];
    counts->bots = sums[6];
    counts->users = sums[7];
    counts->pairs = sums[8];
    counts->given = sums[9];
}

static Status count_all(Comm *comm, const SparseSide *users, InteractionCounts *counts,
                        Error *error)
{
    Status status = STATUS_OK;
    int64_t *of_items = NULL;
    TRY_ALL(comm, mem_resize(&of_items, users->n_columns, sizeof *of_items, "counts", error),
            error);
    for (int32_t p = 0; p < users->end - users->first; p++) {
        const SparseRows *rows = &users->own[p];
        counts->pairs += sparse_entries(rows);
        for (int32_t r = 0; r < rows->n_rows; r++)
            counts->users += rows->starts[r + 1] > rows->starts[r];
    }
    add_counts(comm, counts);
    sparse_column_counts(comm, users, of_items);
    for (int32_t i = 0; i < users->n_columns; i++)
        counts->items += of_items[i] > 0;
out:
    mem_free(&of_items);
    return status;
}

/* ---- who was left out ---- */

/* One line, with the first customer as example: the first row of the first rank that has any. */
static Status log_left_out(Comm *comm, const Table *rows, const InteractionCounts *counts,
                           Error *error)
{
    Status status = STATUS_OK;
    char *all = NULL;
    int64_t bytes = 0;
    Buffer own = {0};
    if (rows->rows > 0) {
        Bytes customer = column_text(table_column_const(rows, "customer"), 0);
        buffer_printf(&own, "%.*s (", (int)customer.size, customer.data);
        buffer_append_bytes(&own, column_text(table_column_const(rows, "reason"), 0));
        buffer_printf(&own, ", %" PRId64 ")",
                      ((const int64_t *)table_column_const(rows, "count")->data)[0]);
        buffer_append(&own, "", 1);
    }
    TRY(comm_gather_all(comm, own.data, own.size, &all, &bytes, NULL, error));
    if (counts->bots + counts->bulk_buyers > 0)
        log_line(LOG_INFO, LOG_ROOT, "recommend.left_out",
                 "bots=%" PRId64 " bulk_buyers=%" PRId64 " first=\"%s\"", counts->bots,
                 counts->bulk_buyers, all);
out:
    buffer_free(&own);
    mem_free(&all);
    return status;
}

Status interactions_read(Comm *comm, Store *store, const Shop *shop,
                         const InteractionOptions *options, int32_t from_day, int32_t until_day,
                         SparseSide *users, Table *left_out, InteractionCounts *counts,
                         Error *error)
{
    static const ColumnSpec columns[] = {{"customer", COLUMN_TEXT, UNIT_NONE},
                                         {"reason", COLUMN_TEXT, UNIT_NONE},
                                         {"count", COLUMN_I64, UNIT_COUNT}};
    static const SortKey by_customer = {.column = "customer"};
    Status status = STATUS_OK;
    Table rows = {0};
    InteractionsReader reader = {.options = options,
                                 .from_day = from_day,
                                 .until_day = until_day,
                                 .counts = counts,
                                 .left_out = &rows};
    *counts = (InteractionCounts){0};
    table_init(&rows, columns, sizeof columns / sizeof *columns);
    TRY(read_users(comm, &reader, store, shop, users, error));
    TRY(count_all(comm, users, counts, error));
    TRY(comm_sort_table(comm, &rows, &by_customer, 1, error));
    TRY(log_left_out(comm, &rows, counts, error));
    if (left_out)
        table_move(left_out, &rows);
out:
    table_free(&rows);
    if (status != STATUS_OK)
        sparse_side_free(users);
    return status;
}

Status interactions_bought(Comm *comm, Store *store, const Shop *shop, int32_t from_day,
                           int32_t until_day, const bool *known, SparseSide *bought, Error *error)
{
    static const InteractionOptions orders_alone = {.weight_order = 1.0};
    InteractionCounts counts = {0};
    InteractionsReader reader = {.options = &orders_alone,
                                 .from_day = from_day,
                                 .until_day = until_day,
                                 .known = known,
                                 .counts = &counts};
    return read_users(comm, &reader, store, shop, bought, error);
}

/* ---- differences ---- */

typedef enum Choice { CHOOSE_OTHERS, CHOOSE_OF_USERS } Choice;

/* The entries of a row of `from` that are chosen beside the row of `by`, behind the n that `rest`
 * has; returns how many it has then. */
static int64_t choose(const SparseRows *from, const SparseRows *by, int32_t row, Choice choice,
                      SparseRows *rest, int64_t n)
{
    int64_t at = by->starts[row], end = by->starts[row + 1];
    bool takes_all = choice == CHOOSE_OF_USERS && end > at;
    for (int64_t e = from->starts[row]; e < from->starts[row + 1]; e++) {
        while (at < end && by->columns[at] < from->columns[e])
            at++;
        bool is_in_both = at < end && by->columns[at] == from->columns[e];
        if (choice == CHOOSE_OTHERS ? is_in_both : !takes_all)
            continue;
        rest->columns[n] = from->columns[e];
        rest->values[n++] = from->values[e];
    }
    return n;
}

static Status choose_rows(const SparseRows *from, const SparseRows *by, Choice choice,
                          SparseRows *rest, Error *error)
{
    static const char what[] = "pairs";
    Status status = STATUS_OK;
    int64_t n = 0, most = sparse_entries(from);
    vesper_assert(from->n_rows == by->n_rows);
    rest->n_rows = from->n_rows;
    TRY(mem_resize(&rest->starts, (int64_t)rest->n_rows + 1, sizeof *rest->starts, what, error));
    TRY(mem_resize(&rest->columns, most, sizeof *rest->columns, what, error));
    TRY(mem_resize(&rest->values, most, sizeof *rest->values, what, error));
    for (int32_t row = 0; row < from->n_rows; row++) {
        rest->starts[row] = n;
        n = choose(from, by, row, choice, rest, n);
    }
    rest->starts[rest->n_rows] = n;
    TRY(mem_resize(&rest->columns, n, sizeof *rest->columns, what, error));
    TRY(mem_resize(&rest->values, n, sizeof *rest->values, what, error));
out:
    return status;
}

static Status choose_own(const SparseSide *from, const SparseSide *by, Choice choice,
                         SparseSide *rest, Error *error)
{
    Status status = STATUS_OK;
    vesper_assert(from->first == by->first && from->end == by->end);
    TRY(fault_point("recommend.choose", error));
    for (int32_t p = 0; p < from->end - from->first; p++)
        TRY(choose_rows(&from->own[p], &by->own[p], choice, &rest->own[p], error));
out:
    return status;
}

static Status choose_all(Comm *comm, const SparseSide *from, const SparseSide *by, Choice choice,
                         SparseSide *rest, Error *error)
{
    Status status = STATUS_OK;
    *rest = (SparseSide){.n_columns = from->n_columns,
                         .n_partitions = from->n_partitions,
                         .first = from->first,
                         .end = from->end,
                         .own = mem_new(from->end - from->first, sizeof *rest->own)};
    TRY_ALL(comm, choose_own(from, by, choice, rest, error), error);
    TRY(sparse_side_complete(comm, rest, error));
out:
    if (status != STATUS_OK)
        sparse_side_free(rest);
    return status;
}

Status interactions_except(Comm *comm, const SparseSide *from, const SparseSide *without,
                           SparseSide *rest, Error *error)
{
    return choose_all(comm, from, without, CHOOSE_OTHERS, rest, error);
}

Status interactions_of_users(Comm *comm, const SparseSide *from, const SparseSide *users,
                             SparseSide *rest, Error *error)
{
    return choose_all(comm, from, users, CHOOSE_OF_USERS, rest, error);
}
