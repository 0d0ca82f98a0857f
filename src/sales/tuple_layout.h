/* Words of a tuple, in this order; for the group_tuples*.c files alone. */
#ifndef VESPER_SALES_TUPLE_LAYOUT_H
#define VESPER_SALES_TUPLE_LAYOUT_H

#include "sales/group_tuples.h"

/* Bits of word 0: place of the key in its bucket (unless it is wide), flags, quantity from 32 on.
 */
enum {
    TUPLE_KEY_BITS = 29,
    TUPLE_CANCELLED = 29,
    TUPLE_FIRST_OF_ORDER = 30,
    TUPLE_FIRST_OF_CUSTOMER = 31
};

/* What a tuple has beside the quantity: the first three are flags, the others words. */
typedef struct TupleWords {
    bool cancelled, orders, customers;
    bool wide, price, discount, margin, day;
} TupleWords;

static inline TupleWords tuple_words(const GroupTuples *tuples)
{
    return (TupleWords){.cancelled = true,
                        .orders = tuples->set->orders,
                        .customers = tuples->set->customers,
                        .wide = tuples->is_wide,
                        .price = tuples->has_price,
                        .discount = tuples->has_discount,
                        .margin = tuples->has_margin,
                        .day = tuples->set->has_days};
}

static inline uint64_t tuple_key(const uint64_t *tuple, bool is_wide)
{
    return is_wide ? tuple[1] : tuple[0] & (((uint64_t)1 << TUPLE_KEY_BITS) - 1);
}

#endif
