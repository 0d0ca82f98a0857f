/* Dense numbers for the days and months that occur; see slots.h. */
#include "sales/slots.h"

#include "base/memory.h"

#include <string.h>

void key_slots_free(KeySlots *slots)
{
    mem_free(&slots->slots);
    mem_free(&slots->keys);
    *slots = (KeySlots){0};
}

Status key_slots_cover(KeySlots *slots, int32_t low, int32_t high, Error *error)
{
    Status status = STATUS_OK;
    int32_t *wider = NULL;
    if (slots->range > 0) {
        int32_t last = (int32_t)(slots->first + slots->range - 1);
        if (low >= slots->first && high <= last)
            return STATUS_OK;
        low = low < slots->first ? low : slots->first;
        high = high > last ? high : last;
    }
    int64_t range = (int64_t)high - low + 1;
    TRY(mem_resize(&wider, range, sizeof *wider, "slots of days", error));
    memset(wider, 0xff, (size_t)range * sizeof *wider);
    if (slots->range > 0)
        memcpy(wider + ((int64_t)slots->first - low), slots->slots,
               (size_t)slots->range * sizeof *wider);
    mem_free(&slots->slots);
    slots->slots = wider;
    slots->first = low;
    slots->range = range;
out:
    return status;
}

Status key_slots_add(KeySlots *slots, int32_t key, int32_t *slot, Error *error)
{
    Status status = STATUS_OK;
    int32_t *place = &slots->slots[(int64_t)key - slots->first];
    if (*place < 0) {
        if (slots->count == slots->capacity) {
            int32_t capacity = slots->capacity == 0 ? 64 : slots->capacity * 2;
            TRY(mem_resize(&slots->keys, capacity, sizeof *slots->keys, "days", error));
            slots->capacity = capacity;
        }
        slots->keys[slots->count] = key;
        *place = slots->count++;
    }
    *slot = *place;
out:
    return status;
}

void key_union_free(KeyUnion *all)
{
    mem_free(&all->keys);
    mem_free(&all->places);
    *all = (KeyUnion){0};
}

/* present [range] := 1 for the local keys, from key `low` on. */
static Status mark_keys(const KeySlots *slots, int64_t low, int64_t range, int64_t **present,
                        Error *error)
{
    Status status = STATUS_OK;
    TRY(mem_resize(present, range, sizeof **present, "days of all ranks", error));
    memset(*present, 0, (size_t)range * sizeof **present);
    for (int32_t s = 0; s < slots->count; s++)
        (*present)[slots->keys[s] - low] = 1;
out:
    return status;
}

/* Number the keys that are present anywhere; present[i] becomes their place. */
static Status number_keys(const KeySlots *slots, int64_t low, int64_t range, int64_t *present,
                          KeyUnion *all, Error *error)
{
    Status status = STATUS_OK;
    int64_t count = 0;
    for (int64_t i = 0; i < range; i++)
        count += present[i];
    TRY(mem_resize(&all->keys, count, sizeof *all->keys, "days of all ranks", error));
    TRY(mem_resize(&all->places, slots->count, sizeof *all->places, "days of all ranks", error));
    for (int64_t i = 0; i < range; i++) {
        if (present[i] == 0)
            continue;
        all->keys[all->count] = (int32_t)(low + i);
        present[i] = all->count++;
    }
    for (int32_t s = 0; s < slots->count; s++)
        all->places[s] = (int32_t)present[slots->keys[s] - low];
out:
    return status;
}

Status key_slots_unite(Comm *comm, const KeySlots *slots, KeyUnion *all, Error *error)
{
    Status status = STATUS_OK;
    int64_t *present = NULL;
    key_union_free(all);
    /* One minimum gives both ends: of the keys, and of the keys negated. */
    int64_t ends[2] = {INT64_MAX, INT64_MAX};
    for (int32_t s = 0; s < slots->count; s++) {
        int64_t key = slots->keys[s];
        ends[0] = key < ends[0] ? key : ends[0];
        ends[1] = -key < ends[1] ? -key : ends[1];
    }
    comm_min_i64(comm, ends, 2);
    int64_t range = ends[0] == INT64_MAX ? 0 : -ends[1] - ends[0] + 1;
    TRY_ALL(comm, mark_keys(slots, ends[0], range, &present, error), error);
    comm_max_i64(comm, present, range);
    TRY_ALL(comm, number_keys(slots, ends[0], range, present, all, error), error);
out:
    mem_free(&present);
    return status;
}
