/* OrderLines: the order lines of one partition, column by column, as every accumulator of the pass
 * sees them. Local.
 *
 * Lines of a customer stand together, anonymous ones last, and in them the lines of an order,
 * orders by time. A customer is in one partition alone, and so is an order: what is counted once
 * for each of them can be counted partition by partition.
 *
 *   sale     quantity > 0: value = quantity * price, in `gross`
 *   return   quantity < 0, or any line of a cancelled order: |value|, in `returned`
 *   A positive line of a cancelled order is both. Orders and customers are counted where they have
 *   a line that is a sale and not cancelled: a *kept* sale. */
#ifndef VESPER_SALES_ORDER_LINES_H
#define VESPER_SALES_ORDER_LINES_H

#include "shop/shop.h"

/* Columns that an accumulator needs, as bits. */
enum {
    LINES_CUSTOMER = 1 << 0,
    LINES_ORDER = 1 << 1,
    LINES_DAY = 1 << 2,
    LINES_PRODUCT = 1 << 3,
    LINES_QUANTITY = 1 << 4,
    LINES_PRICE = 1 << 5,
    LINES_DISCOUNT = 1 << 6,
    LINES_CANCELLED = 1 << 7,
    LINES_COUNTRY = 1 << 8,
    LINES_CHANNEL = 1 << 9,
    LINES_CURRENCY = 1 << 10,
    LINES_HOUR = 1 << 11,
    LINES_SEGMENT = 1 << 12,
    LINES_RETURNING = 1 << 13,
    LINES_ORDER_DAY = 1 << 14,
    LINES_COHORT = 1 << 15
};

/* Each column is there if some accumulator needs it, else NULL; do not write. Codes are in
 * their dictionaries, days in the shop's range, and no sum of absolute values, quantities or
 * discounts over all lines of all ranks leaves int64. */
typedef struct OrderLines {
    int32_t partition;
    int64_t n;
    const int32_t *customer; /* [n] code in the partition; -1: anonymous */
    const int32_t *order;    /* [n] code in the partition, ascending from 0 */
    const int32_t *day;      /* [n] */
    const int32_t *product;  /* [n] */
    const int32_t *quantity; /* [n] */
    const int64_t *price;    /* [n] minor units of one piece */
    const int64_t *discount; /* [n] minor units of the whole line */
    const int8_t *cancelled; /* [n] 0 or 1 */
    const int32_t *country;  /* [n] code; -1: unknown */
    const int32_t *channel;  /* the same */
    const int32_t *currency; /* the same */
    /* Derived. */
    const int8_t *hour;       /* [n] of the local time, 0 to 23 */
    const int32_t *segment;   /* [n] of the customer; -1: unknown or anonymous */
    const int8_t *returning;  /* [n] 0: the customer's first order with a kept sale, or one before
                                 it; 1: a later one; -1: anonymous */
    const int32_t *order_day; /* [n] earliest day of a kept sale of the order; DAY_NONE: none */
    const int32_t *cohort;    /* [n] month of the customer's first kept sale; DAY_NONE: none, or
                                 anonymous */
} OrderLines;

/* Whether a line is a kept sale; needs LINES_QUANTITY and LINES_CANCELLED. No branch: it stands in
 * the innermost loops. */
static inline bool order_line_is_kept(const OrderLines *lines, int64_t line)
{
    return shop_is_kept_sale(lines->quantity[line], lines->cancelled[line]);
}

/* *least := the day of a line if it is a kept sale and earlier; begin with INT32_MAX. No branch. */
static inline void order_line_day(const OrderLines *lines, int64_t line, int32_t *least)
{
    int32_t day = lines->day[line];
    bool is_earlier = order_line_is_kept(lines, line) & (day < *least);
    *least = is_earlier ? day : *least;
}

#endif
