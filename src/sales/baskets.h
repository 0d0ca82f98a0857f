/* Baskets: the different products of each order, as the pass finds them. Local. */
#ifndef VESPER_SALES_BASKETS_H
#define VESPER_SALES_BASKETS_H

#include "sales/order_lines.h"

/* Marks the first product of a basket. */
#define BASKET_FIRST ((uint32_t)1 << 31)

/* A basket of more different products gives no pairs: it would have half as many as its square. */
enum { BASKET_PRODUCTS_MAX = 10000 };

/* Of the orders with a kept sale: those with two to BASKET_PRODUCTS_MAX different products, one
 * basket after another. All zero is empty; baskets_init sets it up. */
typedef struct Baskets {
    uint32_t *items; /* [n] product codes */
    int64_t n;
    int64_t capacity;
    int64_t orders;          /* with a kept sale, whatever its basket */
    int64_t too_large;       /* baskets left out */
    int64_t *product_orders; /* [n_products] orders with a kept sale of the product */
    int32_t n_products;
    uint32_t *stamps; /* [n_products] order in which the product was seen last */
    uint32_t stamp;
} Baskets;

uint32_t baskets_needs(void);
Status baskets_init(Baskets *baskets, int32_t n_products, Error *error) VESPER_MUST_USE;
void baskets_free(Baskets *baskets);

/* Add one partition: its orders whose earliest kept sale is on first_day or later. */
Status baskets_add(Baskets *baskets, const OrderLines *lines, int32_t first_day,
                   Error *error) VESPER_MUST_USE;

/* Add what another thread of this rank has; empties *from. */
Status baskets_merge(Baskets *into, Baskets *from, Error *error) VESPER_MUST_USE;

#endif
