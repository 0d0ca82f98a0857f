/* Strings to dense codes: linear probing over slots that hold hash bits and code together. */
#include "table/string_map.h"

#include "base/memory.h"
#include "table/sort.h"

#include <string.h>

enum { FIRST_SLOTS = 64, FIRST_STRINGS = 32, FIRST_BYTES = 512 };

/* Slots are at most 5/8 full. */
enum { FULL_NUMERATOR = 5, FULL_DENOMINATOR = 8 };

static inline uint32_t hash_bits(Bytes text)
{
    return (uint32_t)(hash64(text.data, text.size) >> 32);
}

static inline uint32_t slot_hash(uint64_t slot)
{
    return (uint32_t)(slot >> 32);
}

static inline int32_t slot_code(uint64_t slot)
{
    return (int32_t)((uint32_t)slot - 1);
}

static inline uint64_t make_slot(uint32_t hash, int32_t code)
{
    return (uint64_t)hash << 32 | ((uint32_t)code + 1);
}

void string_map_free(StringMap *map)
{
    mem_free(&map->ends);
    mem_free(&map->bytes);
    mem_free(&map->slots);
    memset(map, 0, sizeof *map);
}

Bytes string_map_text(const StringMap *map, int32_t code)
{
    int64_t start = code > 0 ? map->ends[code - 1] : 0;
    return (Bytes){.data = map->bytes + start, .size = map->ends[code] - start};
}

static inline bool has_text(const StringMap *map, int32_t code, Bytes text)
{
    int64_t start = code > 0 ? map->ends[code - 1] : 0;
    return map->ends[code] - start == text.size &&
           (text.size == 0 || memcmp(map->bytes + start, text.data, (size_t)text.size) == 0);
}

/* Index of the slot that holds `text`, or of the free one where it belongs. */
static inline uint64_t find_slot(const StringMap *map, uint32_t hash, Bytes text)
{
    uint64_t mask = (uint64_t)map->n_slots - 1;
    uint64_t at = hash & mask;
    while (map->slots[at] != 0) {
        uint64_t slot = map->slots[at];
        if (slot_hash(slot) == hash && has_text(map, slot_code(slot), text))
            break;
        at = (at + 1) & mask;
    }
    return at;
}

int32_t string_map_find(const StringMap *map, Bytes text)
{
    if (map->count == 0)
        return -1;
    return slot_code(map->slots[find_slot(map, hash_bits(text), text)]);
}

static Status grow_slots(StringMap *map, Error *error)
{
    int64_t n_slots = map->n_slots > 0 ? map->n_slots * 2 : FIRST_SLOTS;
    uint64_t mask = (uint64_t)n_slots - 1;
    uint64_t *slots = NULL;
    Status status = mem_resize(&slots, n_slots, sizeof *slots, "slots of a string map", error);
    if (status != STATUS_OK)
        return status;
    memset(slots, 0, (size_t)n_slots * sizeof *slots);
    for (int64_t i = 0; i < map->n_slots; i++) {
        if (map->slots[i] == 0)
            continue;
        uint64_t at = slot_hash(map->slots[i]) & mask;
        while (slots[at] != 0)
            at = (at + 1) & mask;
        slots[at] = map->slots[i];
    }
    mem_free(&map->slots);
    map->slots = slots;
    map->n_slots = n_slots;
    return STATUS_OK;
}

/* Room for one more string of `size` bytes. */
static Status make_room(StringMap *map, int64_t size, Error *error)
{
    Status status = STATUS_OK;
    int64_t start = map->count > 0 ? map->ends[map->count - 1] : 0;
    if (map->count == INT32_MAX)
        FAIL(error, STATUS_INPUT, "more than %d different strings in one dictionary", INT32_MAX);
    if (map->count == map->ends_capacity) {
        int64_t capacity = map->ends_capacity > 0 ? map->ends_capacity * 2 : FIRST_STRINGS;
        TRY(mem_resize(&map->ends, capacity, sizeof *map->ends, "ends of a string map", error));
        map->ends_capacity = capacity;
    }
    if (start + size > map->bytes_capacity || !map->bytes) {
        int64_t capacity = map->bytes_capacity > 0 ? map->bytes_capacity * 2 : FIRST_BYTES;
        if (capacity < start + size)
            capacity = start + size;
        TRY(mem_resize(&map->bytes, capacity, 1, "strings of a string map", error));
        map->bytes_capacity = capacity;
    }
out:
    return status;
}

Status string_map_add(StringMap *map, Bytes text, int32_t *code, Error *error)
{
    Status status = STATUS_OK;
    if ((map->count + 1) * (int64_t)FULL_DENOMINATOR > map->n_slots * FULL_NUMERATOR)
        TRY(grow_slots(map, error));
    uint32_t hash = hash_bits(text);
    uint64_t at = find_slot(map, hash, text);
    if (map->slots[at] != 0) {
        *code = slot_code(map->slots[at]);
        return STATUS_OK;
    }
    TRY(make_room(map, text.size, error));
    int64_t start = map->count > 0 ? map->ends[map->count - 1] : 0;
    if (text.size > 0)
        memcpy(map->bytes + start, text.data, (size_t)text.size);
    map->ends[map->count] = start + text.size;
    map->slots[at] = make_slot(hash, map->count);
    *code = map->count++;
out:
    return status;
}

Status string_map_sorted(const StringMap *map, int32_t **order, Error *error)
{
    Status status;
    int64_t *places = NULL;
    *order = NULL;
    TRY(mem_resize(&places, map->count, sizeof *places, "order of a string map", error));
    TRY(sort_order_text(map->bytes, map->ends, map->count, places, error));
    TRY(mem_resize(order, map->count, sizeof **order, "order of a string map", error));
    for (int64_t i = 0; i < map->count; i++)
        (*order)[i] = (int32_t)places[i];
out:
    mem_free(&places);
    return status;
}
