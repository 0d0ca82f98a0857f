/* StringMap: strings to dense codes 0, 1, 2, ... in order of first appearance. Local. */
#ifndef VESPER_TABLE_STRING_MAP_H
#define VESPER_TABLE_STRING_MAP_H

#include "base/hash.h"

/* All zero is an empty map. Open addressing on hash64, strings held once, side by side. A slot
 * keeps 32 bits of the hash beside the code, so that most probes that miss touch one cache line and
 * growing does not read the strings. */
typedef struct StringMap {
    int32_t count;
    int64_t *ends; /* [count] end of string i in bytes */
    char *bytes;
    uint64_t *slots; /* [n_slots] hash bits (high) and code + 1 (low); 0 is free */
    int64_t n_slots; /* a power of two */
    int64_t ends_capacity;
    int64_t bytes_capacity;
} StringMap;

void string_map_free(StringMap *map);

/* Code of `text`, added if new. LIMIT: 2^31 - 1 strings (STATUS_INPUT). */
Status string_map_add(StringMap *map, Bytes text, int32_t *code, Error *error) VESPER_MUST_USE;

/* Code of `text`, or -1. */
int32_t string_map_find(const StringMap *map, Bytes text);
Bytes string_map_text(const StringMap *map, int32_t code);

/* order[i] = code of the i-th string in bytewise order; [count]. */
Status string_map_sorted(const StringMap *map, int32_t **order, Error *error) VESPER_MUST_USE;

#endif
