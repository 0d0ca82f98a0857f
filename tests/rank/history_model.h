/* A shop with orders, events, reviews and plain pairs in a store, for what learns from customers'
 * histories. */
#ifndef VESPER_TESTS_RANK_HISTORY_MODEL_H
#define VESPER_TESTS_RANK_HISTORY_MODEL_H

#include "rank/sales_model.h"
#include "rank/sales_store.h"
#include "shop/shop.h"

typedef struct HistoryEvent {
    int32_t customer, day, product; /* product -1: none */
    int8_t kind;                    /* 0 view, 1 cart_add, 2 cart_remove, 3 checkout */
} HistoryEvent;

typedef struct HistoryReview {
    int32_t customer, day, product, rating; /* customer -1: anonymous; hundredths of a star */
} HistoryReview;

typedef struct HistoryPair {
    int32_t customer, product, day, value; /* day DAY_NONE: not known; hundredths */
} HistoryPair;

/* The same on every rank. */
typedef struct HistoryModel {
    ModelShop orders;
    HistoryEvent *events;
    HistoryReview *reviews;
    HistoryPair *pairs;
    int64_t n_events, n_reviews, n_pairs;
} HistoryModel;

/* Of the days of the shape; customer 0 makes a tenth of all events; as many plain pairs as reviews.
 */
void history_model_make(const ShopShape *shape, int64_t events, int64_t reviews, uint64_t seed,
                        HistoryModel *model);
void history_model_free(HistoryModel *model);

/* Add a kept sale of one piece to a model that is made by hand. */
void history_model_add(HistoryModel *model, int32_t order, int32_t customer, int32_t product,
                       int32_t day);

/* A store of it in a folder of its own, open. */
typedef struct HistoryStore {
    char folder[SHOP_PATH_SIZE];
    Store *store;
    Shop shop;
} HistoryStore;

/* Collective. */
Status history_store_make(Comm *comm, const HistoryModel *model, HistoryStore *store,
                          Error *error) VESPER_MUST_USE;
void history_store_remove(Comm *comm, HistoryStore *store);

/* The customer of a row of a partition. */
static inline int32_t history_customer(int32_t partition, int32_t row)
{
    return row * MODEL_PARTITIONS + partition;
}

/* Whether a line counts as a kept sale of [from, until). */
static inline bool history_counts(const ModelLine *line, int32_t from, int32_t until)
{
    return line->in_force && line->quantity > 0 && !line->cancelled && line->day >= from &&
           line->day < until;
}

#endif
