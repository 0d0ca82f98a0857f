/* GroupTuples: order lines of a group-by with too many possible keys for an array, set aside by
 * ranges of keys until all have come. Then each range is added up in the near caches.
 *
 * A line takes 8 bytes for most group-bys (16 where prices are large, 40 to 48 for a few), less
 * than the sums of a group would: where keys are many, few lines share one. */
#ifndef VESPER_SALES_GROUP_TUPLES_H
#define VESPER_SALES_GROUP_TUPLES_H

#include "sales/group_rows.h"
#include "sales/line_sums.h"

typedef struct TupleBucket TupleBucket;
typedef struct TupleZone TupleZone;

/* All zero, then group_tuples_init, is empty. */
typedef struct GroupTuples {
    const SumSet *set;
    bool has_price, has_discount, has_margin; /* words of a tuple, and has_day, if set->has_days */
    bool is_wide;                             /* the key takes a word of its own */
    int words;                                /* int64 a tuple */
    int flags_at, quantity_at, price_bits;    /* in its first word (tuple_layout.h); no price_bits:
                                                 prices are words of their own */
    int shift;                                /* key >> shift is the bucket */
    int64_t n_buckets;
    TupleBucket *buckets; /* [n_buckets], made with the first tuple */
    TupleZone *zones;     /* memory of runs of buckets */
    int64_t n;            /* tuples */
} GroupTuples;

/* Tuples of lines, column by column; those that the set does not need may be NULL. */
typedef struct TupleBlock {
    int64_t n;
    const uint64_t *keys;
    const int32_t *quantity;
    const int64_t *price;
    const int64_t *discount; /* 0 for a cancelled order */
    const int64_t *margin;
    const int32_t *day;
    const int8_t *cancelled;
    const int64_t *orders,
        *customers; /* 1: the first of its order, of its customer, in the group */
} TupleBlock;

/* Sizes at which the way of adding up changes, never the result; tests set them small. */
typedef struct TupleLimits {
    int64_t set_aside_bytes; /* then it is tried whether adding up saves memory */
    int64_t step_bytes;      /* that a rank sends at once */
    int64_t hot_tuples;      /* fewer are even however they lie */
    int64_t place_bytes;     /* numbers of all possible keys of a range that is not sorted */
    int64_t sorted_tuples;   /* more are split by their keys */
} TupleLimits;
extern TupleLimits group_tuple_limits;

void group_tuples_init(GroupTuples *tuples, const SumSet *set, const Shop *shop, uint64_t space);
void group_tuples_free(GroupTuples *tuples);
Status group_tuples_add(GroupTuples *tuples, const TupleBlock *block, Error *error) VESPER_MUST_USE;
/* Take the tuples of `from`, which is empty afterwards. No tuple moves. Local. */
void group_tuples_take(GroupTuples *tuples, GroupTuples *from);

int64_t group_tuples_bytes(const GroupTuples *tuples);
/* Whether adding them up would save most of their memory: some buckets are tried. Local. */
Status group_tuples_would_shrink(const GroupTuples *tuples, bool *would,
                                 Error *error) VESPER_MUST_USE;
/* Add them up to rows, each key once; none are left. Local. */
Status group_tuples_to_rows(GroupTuples *tuples, GroupRows *rows, Error *error) VESPER_MUST_USE;

/* Whether tuples of all ranks can be shared out by buckets evenly; the same everywhere. Collective.
 */
bool group_tuples_are_even(Comm *comm, const GroupTuples *tuples);
/* Keys and sums of `groups` from the tuples of all ranks; frees them on its way. SUM_LINES only if
 * asked for. Collective. */
Status group_tuples_combine(Comm *comm, GroupTuples *tuples, bool with_lines, Groups *groups,
                            Error *error) VESPER_MUST_USE;

#endif
