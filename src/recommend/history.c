/* What customers bought, did and said; see history.h. */
#include "recommend/history.h"

#include <inttypes.h>

/* The range of a column is as well guarded as the segments' checksums: once for all partitions. */
static Status check_products(const HistoryReader *reader, const char *table, int64_t least,
                             Error *error)
{
    int64_t min, max;
    store_column_range(reader->store, table, "product", &min, &max);
    if (min > max || (min >= least && max < reader->shop->product.count))
        return STATUS_OK;
    return error_set(error, STATUS_IO, __FILE__, __LINE__,
                     "store is damaged: %s hold product code %" PRId64
                     ", which its dictionary does not have; run vesper verify",
                     table, min < least ? min : max);
}

Status history_open(HistoryReader *reader, Store *store, const Shop *shop, Error *error)
{
    Status status = STATUS_OK;
    *reader = (HistoryReader){.store = store, .shop = shop};
    TRY(check_products(reader, "orders", 0, error));
    TRY(check_products(reader, "events", -1, error));
    TRY(check_products(reader, "reviews", 0, error));
    TRY(check_products(reader, "pairs", 0, error));
out:
    return status;
}

void history_close(HistoryReader *reader)
{
    table_free(&reader->ids);
    table_free(&reader->orders);
    table_free(&reader->events);
    table_free(&reader->reviews);
    table_free(&reader->pairs);
    *reader = (HistoryReader){0};
}

Status history_take(HistoryReader *reader, int32_t partition, Error *error)
{
    static const char *const columns[] = {"text"};
    reader->partition = partition;
    return store_read_partition(reader->store, "customer_ids", partition, columns, 1, &reader->ids,
                                error);
}

/* Customers of rows [n] of a table: codes that there are, or -1. */
static Status check_customers(const HistoryReader *reader, const char *table,
                              const int32_t *customer, int64_t n, Error *error)
{
    for (int64_t i = 0; i < n; i++) {
        if (customer[i] < -1 || customer[i] >= reader->ids.rows)
            return error_set(error, STATUS_IO, __FILE__, __LINE__,
                             "store is damaged: partition %" PRId32 " has %s of customer %" PRId32
                             ", but only %" PRId64 " customer ids; run vesper verify",
                             reader->partition, table, customer[i], reader->ids.rows);
    }
    return STATUS_OK;
}

static const void *data_of(const Table *rows, const char *column)
{
    return table_column_const(rows, column)->data;
}

Status history_orders(HistoryReader *reader, HistoryOrders *orders, Error *error)
{
    static const char *const columns[] = {"customer", "order",    "day",
                                          "product",  "quantity", "cancelled"};
    Status status = STATUS_OK;
    Table *rows = &reader->orders;
    *orders = (HistoryOrders){.n = 0};
    if (!store_has_column(reader->store, "orders", "customer"))
        return STATUS_OK;
    TRY(store_read_partition(reader->store, "orders", reader->partition, columns,
                             sizeof columns / sizeof *columns, rows, error));
    *orders = (HistoryOrders){.n = rows->rows,
                              .customer = data_of(rows, "customer"),
                              .order = data_of(rows, "order"),
                              .day = data_of(rows, "day"),
                              .product = data_of(rows, "product"),
                              .quantity = data_of(rows, "quantity"),
                              .cancelled = data_of(rows, "cancelled")};
    TRY(check_customers(reader, "orders", orders->customer, orders->n, error));
    while (orders->n > 0 && orders->customer[orders->n - 1] < 0) /* they stand last */
        orders->n--;
out:
    return status;
}

Status history_events(HistoryReader *reader, HistoryEvents *events, Error *error)
{
    static const char *const columns[] = {"customer", "day", "kind", "product"};
    Status status = STATUS_OK;
    Table *rows = &reader->events;
    *events = (HistoryEvents){.n = 0};
    if (!store_has_column(reader->store, "events", "kind"))
        return STATUS_OK;
    int n = store_has_column(reader->store, "events", "product") ? 4 : 3;
    TRY(store_read_partition(reader->store, "events", reader->partition, columns, n, rows, error));
    *events = (HistoryEvents){.n = rows->rows,
                              .customer = data_of(rows, "customer"),
                              .day = data_of(rows, "day"),
                              .product = n == 4 ? data_of(rows, "product") : NULL,
                              .kind = data_of(rows, "kind")};
    TRY(check_customers(reader, "events", events->customer, events->n, error));
    for (int64_t i = 0; i < events->n; i++) {
        if (events->kind[i] < EVENT_VIEW || events->kind[i] > EVENT_CHECKOUT)
            FAIL(error, STATUS_IO,
                 "store is damaged: partition %" PRId32 " has an event of kind %d, which there is "
                 "not; run vesper verify",
                 reader->partition, events->kind[i]);
    }
out:
    return status;
}

Status history_reviews(HistoryReader *reader, HistoryReviews *reviews, Error *error)
{
    static const char *const columns[] = {"customer", "product", "day", "rating"};
    Status status = STATUS_OK;
    Table *rows = &reader->reviews;
    *reviews = (HistoryReviews){.n = 0};
    if (!store_has_column(reader->store, "reviews", "customer"))
        return STATUS_OK;
    TRY(store_read_partition(reader->store, "reviews", reader->partition, columns, 4, rows, error));
    *reviews = (HistoryReviews){.n = rows->rows,
                                .customer = data_of(rows, "customer"),
                                .product = data_of(rows, "product"),
                                .day = data_of(rows, "day"),
                                .rating = data_of(rows, "rating")};
    TRY(check_customers(reader, "reviews", reviews->customer, reviews->n, error));
out:
    return status;
}

Status history_pairs(HistoryReader *reader, HistoryPairs *pairs, Error *error)
{
    static const char *const columns[] = {"customer", "product", "value", "day"};
    Status status = STATUS_OK;
    Table *rows = &reader->pairs;
    *pairs = (HistoryPairs){.n = 0};
    if (!store_has_column(reader->store, "pairs", "customer"))
        return STATUS_OK;
    TRY(store_read_partition(reader->store, "pairs", reader->partition, columns, 4, rows, error));
    *pairs = (HistoryPairs){.n = rows->rows,
                            .customer = data_of(rows, "customer"),
                            .product = data_of(rows, "product"),
                            .value = data_of(rows, "value"),
                            .day = data_of(rows, "day")};
    TRY(check_customers(reader, "pairs", pairs->customer, pairs->n, error));
out:
    return status;
}
