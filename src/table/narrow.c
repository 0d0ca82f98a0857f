/* Narrow integers; see narrow.h. */
#include "table/narrow.h"

#include <string.h>

enum { BLOCK = 512 };

/* One version for processors with AVX2, one for all: widening is twice as fast with it. Only for
 * static functions: clang 14 names the others so that no other file finds them. */
#define FOR_ALL_PROCESSORS __attribute__((target_clones("avx2", "default")))

bool narrow_applies(ColumnType type)
{
    return type == COLUMN_I8 || type == COLUMN_I16 || type == COLUMN_I32 || type == COLUMN_I64;
}

static inline void widen(ColumnType type, const void *values, int64_t begin, int64_t n,
                         int64_t *wide)
{
    switch (type) {
    case COLUMN_I8:
        for (int64_t i = 0; i < n; i++)
            wide[i] = ((const int8_t *)values)[begin + i];
        break;
    case COLUMN_I16:
        for (int64_t i = 0; i < n; i++)
            wide[i] = ((const int16_t *)values)[begin + i];
        break;
    case COLUMN_I32:
        for (int64_t i = 0; i < n; i++)
            wide[i] = ((const int32_t *)values)[begin + i];
        break;
    default:
        memcpy(wide, (const int64_t *)values + begin, (size_t)n * sizeof *wide);
    }
}

FOR_ALL_PROCESSORS
static void find_range(ColumnType type, const void *values, int64_t n, int64_t *min, int64_t *max)
{
    int64_t wide[BLOCK], least = *min, most = *max;
    for (int64_t begin = 0; begin < n; begin += BLOCK) {
        int64_t count = n - begin < BLOCK ? n - begin : BLOCK;
        widen(type, values, begin, count, wide);
        for (int64_t i = 0; i < count; i++) {
            least = wide[i] < least ? wide[i] : least;
            most = wide[i] > most ? wide[i] : most;
        }
    }
    *min = least;
    *max = most;
}

ColumnType narrow_type(int64_t min, int64_t max)
{
    if (min > max || (min >= INT8_MIN && max <= INT8_MAX))
        return COLUMN_I8;
    if (min >= INT16_MIN && max <= INT16_MAX)
        return COLUMN_I16;
    if (min >= INT32_MIN && max <= INT32_MAX)
        return COLUMN_I32;
    return COLUMN_I64;
}

/* Sixteen loops, of which each is a few instructions: half the time of going through int64. */
FOR_ALL_PROCESSORS
static void convert(ColumnType from_type, const void *restrict from, ColumnType to_type,
                    void *restrict to, int64_t n)
{
#define LOOP(From, To)                                                                             \
    for (int64_t i = 0; i < n; i++)                                                                \
    ((To *)to)[i] = (To)((const From *)from)[i]
#define FROM(From)                                                                                 \
    switch (to_type) {                                                                             \
    case COLUMN_I8:                                                                                \
        LOOP(From, int8_t);                                                                        \
        break;                                                                                     \
    case COLUMN_I16:                                                                               \
        LOOP(From, int16_t);                                                                       \
        break;                                                                                     \
    case COLUMN_I32:                                                                               \
        LOOP(From, int32_t);                                                                       \
        break;                                                                                     \
    default:                                                                                       \
        LOOP(From, int64_t);                                                                       \
    }
    switch (from_type) {
    case COLUMN_I8:
        FROM(int8_t)
        break;
    case COLUMN_I16:
        FROM(int16_t)
        break;
    case COLUMN_I32:
        FROM(int32_t)
        break;
    default:
        FROM(int64_t)
    }
#undef FROM
#undef LOOP
}

void narrow_range(ColumnType type, const void *values, int64_t n, int64_t *min, int64_t *max)
{
    find_range(type, values, n, min, max);
}

void narrow_convert(ColumnType from_type, const void *from, ColumnType to_type, void *to, int64_t n)
{
    convert(from_type, from, to_type, to, n);
}
