/* Orders: the order lines of a block, and all that follows from them: events, reviews, and the
 * list of dirty lines. */
#ifndef VESPER_DATA_ORDERS_H
#define VESPER_DATA_ORDERS_H

#include "returns.h"

typedef struct OrderCounts {
    int64_t orders, returned, cancelled, anonymous;
} OrderCounts;

/* Counts are this rank's. */
typedef struct OrderWork {
    const Shop *shop;
    bool wants[OUTPUT_COUNT];
    OrderCounts counts;
    uint8_t sizes[BLOCK_LINES_MAX];
    Return returns[BLOCK_LINES_MAX];
} OrderWork;

/* Stage that writes orders.csv, events.csv, reviews.csv and dirty.csv. */
Stage orders_stage(OrderWork *work);

#endif
