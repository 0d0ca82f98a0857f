/* Carts: what is in each customer's cart, and the carts that were left. Part of a Funnel.
 *
 * For one customer after another: events by time, then kept sales in any order, then close. Each
 * costs O(1), whatever the customer's history. */
#ifndef VESPER_SALES_CARTS_H
#define VESPER_SALES_CARTS_H

#include "sales/order_lines.h"

/* A product that was put into the cart at hand. */
typedef struct CartItem {
    int32_t product;
    int32_t day; /* of the latest cart_add */
    bool is_in;  /* and nothing took it out again */
} CartItem;

/* A cart with something in it. */
typedef struct LeftCart {
    int32_t partition;
    int32_t customer; /* code in the partition */
    int32_t last_day; /* of the last cart_add or cart_remove */
    int32_t n_products;
    int64_t begin; /* of its products in Carts.products */
} LeftCart;

typedef struct Carts {
    const Shop *shop;  /* borrowed */
    int64_t cart_days; /* older carts are dropped, where the night's day is known before */
    /* The customer at hand. */
    int32_t *place;  /* [products] in `items`, -1 */
    CartItem *items; /* [products] */
    int32_t n_items;
    int32_t last_day;
    /* Carts that were left, in no order; codes of their products one cart after another. */
    LeftCart *left;
    int64_t n_left, left_capacity;
    int32_t *products;
    int64_t n_products, products_capacity;
} Carts;

Status carts_init(Carts *carts, const Shop *shop, int64_t cart_days, Error *error) VESPER_MUST_USE;
void carts_free(Carts *carts);

/* Events of the customer at hand. */
void carts_add_product(Carts *carts, int32_t product, int32_t day);
void carts_remove_product(Carts *carts, int32_t product, int32_t day);
void carts_check_out(Carts *carts);

/* A kept sale of the customer at hand: takes the product out if it was put in on that day or
 * before. */
static inline void carts_sell(Carts *carts, int32_t product, int32_t day)
{
    int32_t place = carts->place[product];
    if (place >= 0 && carts->items[place].day <= day)
        carts->items[place].is_in = false;
}

/* The customer is done: keep what is left. */
Status carts_close(Carts *carts, int32_t partition, int32_t customer, Error *error) VESPER_MUST_USE;

/* Add the carts of *from and empty it. */
Status carts_merge(Carts *into, Carts *from, Error *error) VESPER_MUST_USE;

/* cart_abandoned on the night of `as_of`, by customer id, each rank the next run of rows.
 * Collective. */
Status carts_rows(Comm *comm, Store *store, const Carts *carts, int32_t as_of, Table *rows,
                  Error *error) VESPER_MUST_USE;

#endif
