#include "sampling.h"

#include "base/memory.h"

#include <math.h>

enum { KIND_SHIFT = 56, FEISTEL_ROUNDS = 4 };

Random sampling_stream(uint64_t seed, StreamKind kind, int64_t number)
{
    return random_stream(seed, (uint64_t)kind << KIND_SHIFT | (uint64_t)number);
}

/* Vose 1991: cells with less than an even share take the rest from one with more. `small` grows
 * from the front of the list of open cells, `large` from its back. */
Status alias_fill(const double *weights, int32_t n, AliasCell *cells, Error *error)
{
    Status status = STATUS_OK;
    double *share = NULL;
    int32_t *open = NULL;
    TRY(mem_resize(&share, n, sizeof *share, "an alias table", error));
    TRY(mem_resize(&open, n, sizeof *open, "an alias table", error));
    double sum = 0.0;
    for (int32_t i = 0; i < n; i++)
        sum += weights[i];
    vesper_assert(n == 0 || sum > 0.0);
    int32_t n_small = 0;
    int32_t first_large = n;
    for (int32_t i = 0; i < n; i++) {
        share[i] = weights[i] / sum * n;
        if (share[i] < 1.0)
            open[n_small++] = i;
        else
            open[--first_large] = i;
        cells[i] = (AliasCell){.threshold = UINT32_MAX, .other = i};
    }
    while (n_small > 0 && first_large < n) {
        int32_t poor = open[--n_small];
        int32_t rich = open[first_large];
        cells[poor].threshold = (uint32_t)(share[poor] * 0x1p32);
        cells[poor].other = rich;
        share[rich] -= 1.0 - share[poor];
        if (share[rich] < 1.0) {
            first_large++;
            open[n_small++] = rich;
        }
    }
out:
    mem_free(&share);
    mem_free(&open);
    return status;
}

int32_t alias_draw(const AliasCell *cells, int32_t n, Random *random)
{
    uint64_t word = random_u64(random);
    int32_t cell = (int32_t)((word >> 32) * (uint64_t)n >> 32);
    return (uint32_t)word < cells[cell].threshold ? cell : cells[cell].other;
}

/* A bijective mixer of 64 bits (Steele, Lea and Flood 2014, SplitMix64). */
static uint64_t mix(uint64_t value)
{
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9U;
    value = (value ^ value >> 27) * 0x94D049BB133111EBU;
    return value ^ value >> 31;
}

int64_t sampling_permute(int64_t index, int64_t n, uint64_t key)
{
    vesper_assert(index >= 0 && index < n);
    int half_bits = 1;
    while (INT64_C(1) << (2 * half_bits) < n)
        half_bits++;
    uint64_t mask = (UINT64_C(1) << half_bits) - 1;
    uint64_t value = (uint64_t)index;
    do {
        uint64_t left = value >> half_bits;
        uint64_t right = value & mask;
        for (uint64_t round = 0; round < FEISTEL_ROUNDS; round++) {
            uint64_t swapped = left ^ (mix(key + (round << 60) + right) & mask);
            left = right;
            right = swapped;
        }
        value = left << half_bits | right;
    } while (value >= (uint64_t)n);
    return (int64_t)value;
}

double sampling_normal_cdf(double x)
{
    return 0.5 * erfc(-x * M_SQRT1_2);
}
