#include "recommend/last_basket.h"

#include "base/fault.h"
#include "base/memory.h"
#include "recommend/history.h"
#include "recommend/sparse_rows.h"

/* Items of the customers of one partition, one customer after another. */
typedef struct Lists {
    int64_t *starts; /* [customers + 1] */
    int32_t *items;
    int64_t n;
} Lists;

/* Make room for a partition. */
static Status lists_begin(Lists *lists, int64_t customers, int64_t lines, Error *error)
{
    Status status;
    lists->n = 0;
    TRY(mem_resize(&lists->starts, customers + 1, sizeof *lists->starts, "orders' items", error));
    TRY(mem_resize(&lists->items, lines, sizeof *lists->items, "orders' items", error));
out:
    return status;
}

static void lists_free(Lists *lists)
{
    mem_free(&lists->starts);
    mem_free(&lists->items);
}

/* One customer's lines [begin, end): those of the last order with a kept sale, and the others. */
static void split_lines(const HistoryOrders *orders, const Shop *shop, int64_t begin, int64_t end,
                        Lists *before, Lists *last)
{
    int64_t at = end;
    while (at > begin && !history_is_kept(orders, at - 1))
        at--;
    int32_t last_order = at > begin ? orders->order[at - 1] : -1;
    for (int64_t line = begin; line < at; line++) {
        if (!history_is_kept(orders, line))
            continue;
        Lists *lists = orders->order[line] == last_order ? last : before;
        lists->items[lists->n++] = shop->product.place[orders->product[line]];
    }
}

static Status read_partition(HistoryReader *reader, int32_t partition, Lists lists[2],
                             SparseRows *before, SparseRows *last, Error *error)
{
    Status status;
    HistoryOrders orders;
    TRY(history_take(reader, partition, error));
    TRY(history_orders(reader, &orders, error));
    int64_t customers = reader->ids.rows, line = 0;
    for (int i = 0; i < 2; i++)
        TRY(lists_begin(&lists[i], customers, orders.n, error));
    for (int64_t customer = 0; customer < customers; customer++) {
        int64_t begin = line;
        lists[0].starts[customer] = lists[0].n;
        lists[1].starts[customer] = lists[1].n;
        while (line < orders.n && orders.customer[line] == customer)
            line++;
        split_lines(&orders, reader->shop, begin, line, &lists[0], &lists[1]);
    }
    lists[0].starts[customers] = lists[0].n;
    lists[1].starts[customers] = lists[1].n;
    TRY(sparse_rows_fill(before, (int32_t)customers, lists[0].starts, lists[0].items, error));
    TRY(sparse_rows_fill(last, (int32_t)customers, lists[1].starts, lists[1].items, error));
out:
    return status;
}

static Status read_own(Store *store, const Shop *shop, SparseSide *before, SparseSide *last,
                       Error *error)
{
    Status status;
    HistoryReader reader = {0};
    Lists lists[2] = {{0}};
    TRY(fault_point("recommend.last_basket", error));
    TRY(history_open(&reader, store, shop, error));
    for (int32_t p = before->first; p < before->end; p++)
        TRY(read_partition(&reader, p, lists, &before->own[p - before->first],
                           &last->own[p - last->first], error));
out:
    lists_free(&lists[0]);
    lists_free(&lists[1]);
    history_close(&reader);
    return status;
}

Status last_basket_read(Comm *comm, Store *store, const Shop *shop, SparseSide *before,
                        SparseSide *last, Error *error)
{
    Status status;
    SparseSide *const sides[] = {before, last};
    for (int i = 0; i < 2; i++) {
        *sides[i] =
            (SparseSide){.n_columns = shop->product.count, .n_partitions = shop->partitions};
        store_owned(store, comm_rank(comm), comm_size(comm), &sides[i]->first, &sides[i]->end);
        sides[i]->own = mem_new(sides[i]->end - sides[i]->first, sizeof *sides[i]->own);
    }
    TRY_ALL(comm, read_own(store, shop, before, last, error), error);
    TRY(sparse_side_complete(comm, before, error));
    TRY(sparse_side_complete(comm, last, error));
out:
    if (status != STATUS_OK) {
        sparse_side_free(before);
        sparse_side_free(last);
    }
    return status;
}
