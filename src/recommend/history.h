/* History: what the known customers of one partition bought, did and said, from the store, checked.
 * What interactions and repeat begin with. Local. */
#ifndef VESPER_RECOMMEND_HISTORY_H
#define VESPER_RECOMMEND_HISTORY_H

#include "shop/shop.h"

typedef enum EventKind { EVENT_VIEW, EVENT_CART_ADD, EVENT_CART_REMOVE, EVENT_CHECKOUT } EventKind;

/* Rows of one partition; columns belong to the reader. Order lines stand by customer, in it by
 * order time, the lines of an order together; the others in no order. */
typedef struct HistoryOrders {
    int64_t n;
    const int32_t *customer, *order, *day, *product, *quantity;
    const int8_t *cancelled;
} HistoryOrders;

typedef struct HistoryEvents {
    int64_t n;
    const int32_t *customer, *day;
    const int32_t *product; /* -1: none; NULL: all none */
    const int8_t *kind;     /* EventKind */
} HistoryEvents;

typedef struct HistoryReviews {
    int64_t n;
    const int32_t *customer; /* -1: anonymous */
    const int32_t *product, *day;
    const int32_t *rating; /* hundredths of a star */
} HistoryReviews;

typedef struct HistoryPairs {
    int64_t n;
    const int32_t *customer, *product;
    const int32_t *value; /* hundredths */
    const int32_t *day;   /* DAY_NONE: not known */
} HistoryPairs;

/* One thread uses a reader at a time. */
typedef struct HistoryReader {
    Store *store;
    const Shop *shop;
    int32_t partition;
    Table ids; /* column `text`: the partition's customers by code; ids.rows of them */
    Table orders, events, reviews, pairs;
} HistoryReader;

/* STATUS_IO if the store has product codes that the shop does not. */
Status history_open(HistoryReader *reader, Store *store, const Shop *shop,
                    Error *error) VESPER_MUST_USE;
void history_close(HistoryReader *reader);

/* Take a partition: its customers. The others are read from it. */
Status history_take(HistoryReader *reader, int32_t partition, Error *error) VESPER_MUST_USE;
/* STATUS_IO if there is a customer, or a kind of event, that there is not. Anonymous order lines
 * are left out. */
Status history_orders(HistoryReader *reader, HistoryOrders *orders, Error *error) VESPER_MUST_USE;
Status history_events(HistoryReader *reader, HistoryEvents *events, Error *error) VESPER_MUST_USE;
Status history_reviews(HistoryReader *reader, HistoryReviews *reviews,
                       Error *error) VESPER_MUST_USE;
Status history_pairs(HistoryReader *reader, HistoryPairs *pairs, Error *error) VESPER_MUST_USE;

/* Whether a line is a kept sale. */
static inline bool history_is_kept(const HistoryOrders *orders, int64_t line)
{
    return shop_is_kept_sale(orders->quantity[line], orders->cancelled[line]);
}

#endif
