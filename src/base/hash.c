/* Hashes: XXH3 (Collet), compiled in so that short keys cost no call into another library. */
#define XXH_INLINE_ALL
#include "base/hash.h"

#include <xxhash.h>

uint64_t hash64(const void *data, int64_t size)
{
    return XXH3_64bits(data, (size_t)size);
}

uint64_t hash64_seeded(const void *data, int64_t size, uint64_t seed)
{
    return XXH3_64bits_withSeed(data, (size_t)size, seed);
}

Hash128 hash128(Bytes text)
{
    XXH128_hash_t hash = XXH3_128bits(text.data, (size_t)text.size);
    return (Hash128){hash.high64, hash.low64};
}

Hash128 hash128_seeded(const void *data, int64_t size, uint64_t seed)
{
    XXH128_hash_t hash = XXH3_128bits_withSeed(data, (size_t)size, seed);
    return (Hash128){hash.high64, hash.low64};
}

bool hash128_equal(Hash128 a, Hash128 b)
{
    return a.high == b.high && a.low == b.low;
}

int hash128_compare(Hash128 a, Hash128 b)
{
    if (a.high != b.high)
        return a.high < b.high ? -1 : 1;
    return (a.low > b.low) - (a.low < b.low);
}

int32_t hash_partition(Hash128 id, int32_t partitions)
{
    vesper_assert(partitions > 0 && (partitions & (partitions - 1)) == 0);
    int bits = __builtin_ctz((unsigned)partitions);
    return (int32_t)(id.high >> 1 >> (63 - bits));
}
