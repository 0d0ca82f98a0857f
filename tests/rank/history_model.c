/* A shop with orders, events and reviews in a store; see history_model.h. */
#include "rank/history_model.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "rank/suites.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

static const int64_t DAY_US = INT64_C(86400000000);

/* ---- making ---- */

void history_model_make(const ShopShape *shape, int64_t events, int64_t reviews, uint64_t seed,
                        HistoryModel *model)
{
    Random random = random_stream(seed, UINT64_MAX);
    *model = (HistoryModel){.n_events = events, .n_reviews = reviews, .n_pairs = reviews};
    model_shop_make(shape, seed, &model->orders);
    model->events = mem_new(events, sizeof *model->events);
    model->reviews = mem_new(reviews, sizeof *model->reviews);
    model->pairs = mem_new(reviews, sizeof *model->pairs);
    for (int64_t i = 0; i < events; i++) {
        HistoryEvent *event = &model->events[i];
        event->customer = (int32_t)random_below(&random, shape->customers);
        if (random_below(&random, 10) == 0)
            event->customer = 0;
        event->day = shape->first_day + (int32_t)random_below(&random, shape->n_days);
        event->kind = (int8_t)random_below(&random, 4);
        event->product = (int32_t)random_below(&random, shape->products + 1) - 1;
    }
    for (int64_t i = 0; i < reviews; i++) {
        HistoryReview *review = &model->reviews[i];
        review->customer = (int32_t)random_below(&random, shape->customers + 1) - 1;
        review->day = shape->first_day + (int32_t)random_below(&random, shape->n_days);
        review->product = (int32_t)random_below(&random, shape->products);
        review->rating = 100 + 50 * (int32_t)random_below(&random, 9);
    }
    for (int64_t i = 0; i < model->n_pairs; i++) {
        HistoryPair *pair = &model->pairs[i];
        pair->customer = (int32_t)random_below(&random, shape->customers);
        pair->day = shape->first_day + (int32_t)random_below(&random, shape->n_days);
        if (random_below(&random, 4) == 0)
            pair->day = DAY_NONE;
        pair->product = (int32_t)random_below(&random, shape->products);
        pair->value = 25 * (int32_t)random_below(&random, 6);
    }
}

void history_model_free(HistoryModel *model)
{
    model_shop_free(&model->orders);
    mem_free(&model->events);
    mem_free(&model->reviews);
    mem_free(&model->pairs);
    *model = (HistoryModel){.n_events = 0};
}

void history_model_add(HistoryModel *model, int32_t order, int32_t customer, int32_t product,
                       int32_t day)
{
    ModelShop *orders = &model->orders;
    if ((orders->n & (orders->n - 1)) == 0) /* a full power of two: double it */
        mem_grow(&orders->lines, orders->n > 0 ? orders->n * 2 : 1, sizeof *orders->lines);
    orders->lines[orders->n++] = (ModelLine){.order = order,
                                             .customer = customer,
                                             .ts_us = day * DAY_US,
                                             .day = day,
                                             .product = product,
                                             .quantity = 1,
                                             .country = -1,
                                             .in_force = true};
}

/* ---- the store ---- */

static int32_t partition_of(int32_t customer)
{
    return customer >= 0 ? customer % MODEL_PARTITIONS : 0;
}

static int32_t code_of(int32_t customer)
{
    return customer >= 0 ? customer / MODEL_PARTITIONS : -1;
}

static Status add_events(const HistoryModel *model, int32_t partition, Table *rows, Error *error)
{
    Status status = STATUS_OK;
    for (int64_t i = 0; i < model->n_events; i++) {
        const HistoryEvent *event = &model->events[i];
        if (partition_of(event->customer) != partition)
            continue;
        TRY(table_add_row(rows, error));
        int64_t row = rows->rows - 1;
        ((int32_t *)table_column(rows, "customer")->data)[row] = code_of(event->customer);
        ((int64_t *)table_column(rows, "ts_us")->data)[row] = event->day * DAY_US;
        ((int32_t *)table_column(rows, "day")->data)[row] = event->day;
        ((int8_t *)table_column(rows, "kind")->data)[row] = event->kind;
        ((int32_t *)table_column(rows, "product")->data)[row] = event->product;
    }
out:
    return status;
}

static Status add_reviews(const HistoryModel *model, int32_t partition, Table *rows, Error *error)
{
    Status status = STATUS_OK;
    for (int64_t i = 0; i < model->n_reviews; i++) {
        const HistoryReview *review = &model->reviews[i];
        if (partition_of(review->customer) != partition)
            continue;
        TRY(table_add_row(rows, error));
        int64_t row = rows->rows - 1;
        ((int32_t *)table_column(rows, "customer")->data)[row] = code_of(review->customer);
        ((int64_t *)table_column(rows, "ts_us")->data)[row] = review->day * DAY_US;
        ((int32_t *)table_column(rows, "day")->data)[row] = review->day;
        ((int32_t *)table_column(rows, "rating")->data)[row] = review->rating;
        ((int32_t *)table_column(rows, "product")->data)[row] = review->product;
    }
out:
    return status;
}

static Status add_pairs(const HistoryModel *model, int32_t partition, Table *rows, Error *error)
{
    Status status = STATUS_OK;
    for (int64_t i = 0; i < model->n_pairs; i++) {
        const HistoryPair *pair = &model->pairs[i];
        if (partition_of(pair->customer) != partition)
            continue;
        TRY(table_add_row(rows, error));
        int64_t row = rows->rows - 1;
        ((int32_t *)table_column(rows, "customer")->data)[row] = code_of(pair->customer);
        ((int64_t *)table_column(rows, "ts_us")->data)[row] =
            pair->day == DAY_NONE ? INT64_MIN : pair->day * DAY_US;
        ((int32_t *)table_column(rows, "day")->data)[row] = pair->day;
        ((int32_t *)table_column(rows, "value")->data)[row] = pair->value;
        ((int32_t *)table_column(rows, "product")->data)[row] = pair->product;
    }
out:
    return status;
}

typedef Status AddRows(const HistoryModel *model, int32_t partition, Table *rows, Error *error);

static Status write_rows(Comm *comm, const HistoryModel *model, StoreBatch *batch, const char *name,
                         ColumnSpec last, AddRows *add_rows, Error *error)
{
    Status status = STATUS_OK, own = STATUS_OK;
    Table rows = {0};
    const ColumnSpec columns[] = {{"customer", COLUMN_I32, UNIT_CODE},
                                  {"ts_us", COLUMN_I64, UNIT_TIME_US},
                                  {"day", COLUMN_I32, UNIT_DAY},
                                  {"product", COLUMN_I32, UNIT_CODE},
                                  last};
    int64_t counts[MODEL_PARTITIONS] = {0};
    int32_t begin = MODEL_PARTITIONS * comm_rank(comm) / comm_size(comm);
    int32_t end = MODEL_PARTITIONS * (comm_rank(comm) + 1) / comm_size(comm);
    table_init(&rows, columns, sizeof columns / sizeof *columns);
    for (int32_t p = begin; p < end && own == STATUS_OK; p++) {
        int64_t before = rows.rows;
        own = add_rows(model, p, &rows, error);
        counts[p - begin] = rows.rows - before;
    }
    TRY(comm_agree(comm, own, error));
    TRY(store_batch_write(comm, batch, name, TABLE_APPEND, &rows, begin, end - begin, counts,
                          error));
out:
    table_free(&rows);
    return status;
}

static Status write_visits(Comm *comm, const HistoryModel *model, Store *store, Error *error)
{
    static const ColumnSpec kind = {"kind", COLUMN_I8, UNIT_NONE};
    static const ColumnSpec rating = {"rating", COLUMN_I32, UNIT_NONE};
    static const ColumnSpec value = {"value", COLUMN_I32, UNIT_NONE};
    Status status = STATUS_OK;
    StoreBatch *batch = NULL;
    TRY(store_batch_begin(comm, store, &batch, error));
    if (model->n_events > 0)
        TRY(write_rows(comm, model, batch, "events", kind, add_events, error));
    if (model->n_reviews > 0)
        TRY(write_rows(comm, model, batch, "reviews", rating, add_reviews, error));
    if (model->n_pairs > 0)
        TRY(write_rows(comm, model, batch, "pairs", value, add_pairs, error));
    TRY(store_batch_commit(comm, store, &batch, error));
out:
    store_batch_discard(comm, &batch);
    return status;
}

Status history_store_make(Comm *comm, const HistoryModel *model, HistoryStore *store, Error *error)
{
    Status status = STATUS_OK;
    *store = (HistoryStore){.store = NULL};
    log_init(comm_rank(comm), LOG_ERROR);
    (void)snprintf(store->folder, sizeof store->folder, "%s/vesper-history.XXXXXX",
                   getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (comm_rank(comm) == 0)
        CU_ASSERT_PTR_NOT_NULL(mkdtemp(store->folder));
    comm_broadcast(comm, 0, store->folder, sizeof store->folder);
    TRY(model_shop_store(comm, store->folder, &model->orders, &store->store, error));
    if (model->n_events + model->n_reviews > 0)
        TRY(write_visits(comm, model, store->store, error));
    TRY(shop_open(comm, store->store, &store->shop, error));
out:
    return status;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info, (void)type, (void)where;
    return remove(path);
}

void history_store_remove(Comm *comm, HistoryStore *store)
{
    shop_free(&store->shop);
    store_close(comm, &store->store);
    comm_barrier(comm);
    if (comm_rank(comm) == 0)
        CU_ASSERT_EQUAL(nftw(store->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}
