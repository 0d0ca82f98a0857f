/* KeySlots: the days (or months) that occur, as dense numbers 0, 1, 2, ...
 *
 * A table of slots spans the range of keys seen; accumulators are held by slot, so that one odd
 * date far away costs four bytes a day of the range and not an accumulator. */
#ifndef VESPER_SALES_SLOTS_H
#define VESPER_SALES_SLOTS_H

#include "comm/comm.h"

/* All zero is empty. */
typedef struct KeySlots {
    int32_t first;    /* key of slots[0] */
    int64_t range;    /* keys that `slots` spans */
    int32_t *slots;   /* [range] slot of key first + i, -1 if it did not occur */
    int32_t count;    /* keys that occur */
    int32_t capacity; /* of keys */
    int32_t *keys;    /* [count] key of each slot, in order of first appearance */
} KeySlots;

void key_slots_free(KeySlots *slots);

/* Make the table span `low` to `high`. Local. */
Status key_slots_cover(KeySlots *slots, int32_t low, int32_t high, Error *error) VESPER_MUST_USE;

/* Slot of a key inside the range, given one if it has none. Local. */
Status key_slots_add(KeySlots *slots, int32_t key, int32_t *slot, Error *error) VESPER_MUST_USE;

/* Slot of a key inside the range; -1 if it did not occur. */
static inline int32_t key_slots_find(const KeySlots *slots, int32_t key)
{
    return slots->slots[(int64_t)key - slots->first];
}

/* The keys of all ranks, ascending, and the place of each local slot among them. */
typedef struct KeyUnion {
    int64_t count;
    int32_t *keys;   /* [count] */
    int32_t *places; /* [slots->count] */
} KeyUnion;

void key_union_free(KeyUnion *all);
/* Collective. */
Status key_slots_unite(Comm *comm, const KeySlots *slots, KeyUnion *all,
                       Error *error) VESPER_MUST_USE;

#endif
