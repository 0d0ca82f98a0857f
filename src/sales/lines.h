/* The pass over the order lines, which feeds every accumulator of the sales tables. Local. */
#ifndef VESPER_SALES_LINES_H
#define VESPER_SALES_LINES_H

#include "sales/cube.h"
#include "sales/customers.h"
#include "sales/order_value.h"
#include "sales/pairs.h"

/* Everything that one rank learns from its lines. */
typedef struct SalesFacts {
    SalesCube cube;
    SalesCustomers customers;
    OrderValues values;
    Baskets baskets;
    int64_t orders;          /* with a sale */
    uint32_t order_stamp;    /* orders read so far */
    uint32_t customer_stamp; /* known customers read so far */
    /* Sums of the lines' absolute values and quantities. No other sum is larger. */
    uint64_t absolute_minor;
    uint64_t absolute_units;
} SalesFacts;

/* Order lines of one partition: lines of a customer together, in them lines of an order. */
typedef struct OrderLines {
    int32_t partition;
    int64_t n;
    const int32_t *customer; /* -1: anonymous */
    const int32_t *order;
    const int32_t *day;
    const int32_t *product;
    const int32_t *quantity;
    const int64_t *price;   /* minor units */
    const int16_t *country; /* -1: unknown; NULL: all unknown */
    const int8_t *cancelled;
} OrderLines;

void sales_facts_free(SalesFacts *facts);

/* Add one partition. STATUS_INPUT if a sum would leave int64, STATUS_IO if a code is outside its
 * dictionary. */
Status sales_add_lines(const OrderLines *lines, SalesFacts *facts, Error *error) VESPER_MUST_USE;

#endif
