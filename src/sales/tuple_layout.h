/* Words of a tuple, in this order; for the group_tuples*.c files alone. */
#ifndef VESPER_SALES_TUPLE_LAYOUT_H
#define VESPER_SALES_TUPLE_LAYOUT_H

#include "sales/group_tuples.h"

/* Bits of word 0, from below: the place of the key in its bucket (unless it is wide), three flags,
 * the price (if all prices fit there), the quantity. */
enum { TUPLE_KEY_BITS = 29 /* beside the flags and 32 of a quantity */ };
typedef enum TupleFlag {
    TUPLE_CANCELLED,
    TUPLE_FIRST_OF_ORDER,
    TUPLE_FIRST_OF_CUSTOMER,
    TUPLE_FLAGS
} TupleFlag;

/* What a tuple has beside the quantity: the first four are in word 0, the others words. */
typedef struct TupleWords {
    bool cancelled, orders, customers, price_inside;
    bool wide, price, discount, margin, day;
} TupleWords;

static inline TupleWords tuple_words(const GroupTuples *tuples)
{
    bool is_inside = tuples->price_bits > 0;
    return (TupleWords){.cancelled = true,
                        .orders = tuples->set->orders,
                        .customers = tuples->set->customers,
                        .price_inside = tuples->has_price && is_inside,
                        .wide = tuples->is_wide,
                        .price = tuples->has_price && !is_inside,
                        .discount = tuples->has_discount,
                        .margin = tuples->has_margin,
                        .day = tuples->set->has_days};
}

static inline uint64_t tuple_key(const GroupTuples *tuples, const uint64_t *tuple)
{
    return tuples->is_wide ? tuple[1] : tuple[0] & (((uint64_t)1 << tuples->flags_at) - 1);
}

static inline bool tuple_flag(const GroupTuples *tuples, uint64_t word, TupleFlag flag)
{
    return word >> (tuples->flags_at + (int)flag) & 1;
}

static inline int32_t tuple_quantity(const GroupTuples *tuples, uint64_t word)
{
    return (int32_t)((int64_t)word >> tuples->quantity_at);
}

/* If it is inside. */
static inline int64_t tuple_price(const GroupTuples *tuples, uint64_t word)
{
    return (int64_t)(word << (64 - tuples->quantity_at)) >> (64 - tuples->price_bits);
}

#endif
