/* Numbers that look random and are the same in every run (xorshift64*, Vigna 2016). */
#ifndef VESPER_TESTS_UNIT_SAMPLE_H
#define VESPER_TESTS_UNIT_SAMPLE_H

#include <stdint.h>

typedef struct Sample {
    uint64_t state; /* not 0 */
} Sample;

static inline uint64_t sample_u64(Sample *sample)
{
    uint64_t x = sample->state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    sample->state = x;
    return x * UINT64_C(0x2545F4914F6CDD1D);
}

/* Uniform enough in [low, high]. */
static inline int64_t sample_between(Sample *sample, int64_t low, int64_t high)
{
    return low + (int64_t)(sample_u64(sample) % ((uint64_t)(high - low) + 1));
}

#endif
