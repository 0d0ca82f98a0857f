/* Hashes: XXH3 through one small door, so that the choice stands in one place.
 *
 * hash64 checks column blocks; hash128 identifies strings (customers, orders) and places them in
 * partitions. Identity by 128 bits: among 10^10 ids two collide with probability 1.5e-19. */
#ifndef VESPER_BASE_HASH_H
#define VESPER_BASE_HASH_H

#include "base/bytes.h"

#include <stdint.h>

typedef struct Hash128 {
    uint64_t high;
    uint64_t low;
} Hash128;

uint64_t hash64(const void *data, int64_t size);
uint64_t hash64_seeded(const void *data, int64_t size, uint64_t seed);
Hash128 hash128(Bytes text);
Hash128 hash128_seeded(const void *data, int64_t size, uint64_t seed);
bool hash128_equal(Hash128 a, Hash128 b);
int hash128_compare(Hash128 a, Hash128 b);

/* Partition of an id among `partitions` (a power of two): the top bits of `high`, so that ids
 * sorted by hash are sorted by partition too. */
int32_t hash_partition(Hash128 id, int32_t partitions);

#endif
