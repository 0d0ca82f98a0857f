/* Interactions: who took what, from orders, carts, views, reviews and plain pairs
 * (docs/methods/interactions.md).
 *
 * A pair's value is the evidence that the user wants the item: each order, cart, view or review of
 * it counts its kind's weight, a plain pair its value's part of it, halved for each half-life of
 * age, and the sum is capped at 1. A pair whose units all came back is taken away. Users are the
 * customers, by the store's partitions: row = code of the customer in the partition; items are
 * products in the order of their ids: item i is product shop->product.code[i]. */
#ifndef VESPER_RECOMMEND_INTERACTIONS_H
#define VESPER_RECOMMEND_INTERACTIONS_H

#include "recommend/sparse_side.h"
#include "shop/shop.h"

typedef struct InteractionOptions {
    double weight_order, weight_cart, weight_view, weight_review, weight_pair; /* from 0 on */
    double half_life_days;                                                     /* 0: none */
    int64_t most_items; /* customers who bought more distinct items are bulk buyers: left out; 0:
                           nobody is */
    int64_t most_events_a_day; /* customers with more events on one day are bots: left out; 0 */
    int32_t least_rating;      /* hundredths of a star: reviews with less do not count */
    bool returns_take_away;    /* false: returns are not looked at */
} InteractionOptions;

/* Orders 1, carts 0.5, reviews from 3 stars on 0.5, views 0.1, plain pairs 1; no half-life; nobody
 * is left out; returns take away. */
InteractionOptions interactions_default(void);

typedef struct InteractionCounts {
    int64_t orders, carts, views, reviews; /* that counted; an order once for each of its items */
    int64_t given;                         /* plain pairs */
    int64_t returned_pairs;                /* taken away */
    int64_t bulk_buyers, bots;             /* left out; who is both is a bot */
    int64_t users, items, pairs;           /* with at least one pair */
} InteractionCounts;

/* The days that a store's interactions are of: those of its orders, or without any those of its
 * plain pairs; none: both 0. Local. */
void interactions_days(const Store *store, const Shop *shop, int32_t *from_day, int32_t *until_day);

/* Of the days [from_day, until_day); ages count from until_day - 1. A pair without a
 * time is inside, and has no age. Every rank has its partitions
 * of the store (store_owned).
 *   left_out  out, may be NULL: rec_left_out by customer id, each rank the next run of rows:
 *             customer TEXT; reason TEXT, "bot" or "bulk_buyer"; count I64, the most events of a
 *             day, or the distinct items bought
 * Collective. */
Status interactions_read(Comm *comm, Store *store, const Shop *shop,
                         const InteractionOptions *options, int32_t from_day, int32_t until_day,
                         SparseSide *users, Table *left_out, InteractionCounts *counts,
                         Error *error) VESPER_MUST_USE;

/* What customers bought in [from_day, until_day): items of kept sales, value 1. `known` [n_items]
 * NULL: all; else items with known[i] false are left out. Collective. */
Status interactions_bought(Comm *comm, Store *store, const Shop *shop, int32_t from_day,
                           int32_t until_day, const bool *known, SparseSide *bought,
                           Error *error) VESPER_MUST_USE;

/* What is in `from` and not in `without`, row by row. Local partitions, complete sides. Collective.
 */
Status interactions_except(Comm *comm, const SparseSide *from, const SparseSide *without,
                           SparseSide *rest, Error *error) VESPER_MUST_USE;

/* The rows of `from` whose users have something in `users`; the other rows are empty. Collective.
 */
Status interactions_of_users(Comm *comm, const SparseSide *from, const SparseSide *users,
                             SparseSide *rest, Error *error) VESPER_MUST_USE;

#endif
