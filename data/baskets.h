/* Baskets: what one order holds. An order is made from its own stream, so that a return can make
 * the order that it sends back again without any history. */
#ifndef VESPER_DATA_BASKETS_H
#define VESPER_DATA_BASKETS_H

#include "customers.h"
#include "options.h"

enum { BASKET_MAX = 60, BASKET_SIZES = 1 << 16 };

/* The whole model; nothing in it changes once it is made. */
typedef struct Shop {
    uint64_t seed;
    int64_t lines;
    int64_t dirty_per_mille;
    Calendar calendar;
    Catalogue catalogue;
    Customers customers;
    uint8_t sizes[BASKET_SIZES]; /* lines of a basket by 16 random bits; log-normal, mean 3 */
} Shop;

Status shop_init(Shop *shop, const Options *options, Error *error) VESPER_MUST_USE;
void shop_free(Shop *shop);

/* Cut n_lines into baskets: their sizes, in order (sizes has room for n_lines); returns how many.
 * The last one may be cut off. */
int32_t basket_sizes(const Shop *shop, Random *random, int32_t n_lines, uint8_t *sizes);

typedef enum OrderStatus { ORDER_COMPLETED, ORDER_RETURNED, ORDER_CANCELLED } OrderStatus;
typedef enum Channel { CHANNEL_WEB, CHANNEL_APP, CHANNEL_MARKETPLACE, CHANNEL_STORE } Channel;

typedef struct OrderLine {
    int32_t product;
    int32_t quantity;
    int64_t price_minor;    /* of one piece, before discount */
    int64_t discount_minor; /* of the line; below zero on a return, which pays out so much less */
} OrderLine;

typedef struct Order {
    bool is_known; /* has a customer */
    Customer customer;
    int country;
    Channel channel;
    OrderStatus status;
    int n_lines;
    OrderLine lines[BASKET_MAX];
} Order;

/* The order that begins with purchase line `ordinal` of the whole period. */
void basket_fill(const Shop *shop, int32_t day, int64_t ordinal, int n_lines, Order *order);

#endif
