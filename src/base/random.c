/* Philox4x32-10 (Salmon et al. 2011) and the distributions drawn from it. The counter's low words
 * number the blocks of a stream, its high words are the entity, and the key is the seed. */
#include "base/random.h"

#include "base/status.h"

#include <math.h>

enum { WORDS = 4, ROUNDS = 10 };

static const uint32_t MULTIPLIER_0 = 0xD2511F53U;
static const uint32_t MULTIPLIER_1 = 0xCD9E8D57U;
static const uint32_t WEYL_0 = 0x9E3779B9U; /* golden ratio */
static const uint32_t WEYL_1 = 0xBB67AE85U; /* sqrt(3) - 1 */

static void next_block(Random *random)
{
    uint32_t c0 = (uint32_t)random->counter;
    uint32_t c1 = (uint32_t)(random->counter >> 32);
    uint32_t c2 = (uint32_t)random->entity;
    uint32_t c3 = (uint32_t)(random->entity >> 32);
    uint32_t k0 = (uint32_t)random->seed;
    uint32_t k1 = (uint32_t)(random->seed >> 32);
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t p0 = (uint64_t)MULTIPLIER_0 * c0;
        uint64_t p1 = (uint64_t)MULTIPLIER_1 * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += WEYL_0;
        k1 += WEYL_1;
    }
    random->block[0] = c0;
    random->block[1] = c1;
    random->block[2] = c2;
    random->block[3] = c3;
    random->counter++;
    random->used = 0;
}

Random random_stream(uint64_t seed, uint64_t entity)
{
    return (Random){.seed = seed, .entity = entity, .used = WORDS};
}

uint64_t random_u64(Random *random)
{
    if (random->used >= WORDS)
        next_block(random);
    uint64_t low = random->block[random->used];
    uint64_t high = random->block[random->used + 1];
    random->used += 2;
    return low | high << 32;
}

double random_unit(Random *random)
{
    return (double)(random_u64(random) >> 11) * 0x1p-53;
}

/* The same, in (0, 1]: the argument of a logarithm. */
static double positive_unit(Random *random)
{
    return (double)((random_u64(random) >> 11) + 1) * 0x1p-53;
}

int64_t random_below(Random *random, int64_t bound)
{
    vesper_assert(bound > 0);
    uint64_t range = (uint64_t)bound;
    /* Values below 2^64 mod range would make the low residues more frequent. */
    uint64_t skipped = -range % range;
    uint64_t value = random_u64(random);
    while (value < skipped)
        value = random_u64(random);
    return (int64_t)(value % range);
}

/* Box and Muller 1958. The second value of the pair is given up, so that a stream has no state
 * beside its counter. */
double random_normal(Random *random)
{
    double radius = sqrt(-2.0 * log(positive_unit(random)));
    return radius * cos(2.0 * M_PI * random_unit(random));
}

double random_exponential(Random *random, double mean)
{
    return -mean * log(positive_unit(random));
}

/* Sequential search from zero: the chance of k + 1 is the chance of k times mean / (k + 1). */
static int64_t poisson_small(Random *random, double mean)
{
    double unit = random_unit(random);
    double chance = exp(-mean);
    double cumulative = chance;
    int64_t count = 0;
    /* Rounding may leave the sum of all chances below `unit`. */
    while (unit >= cumulative && chance > 0) {
        count++;
        chance *= mean / (double)count;
        cumulative += chance;
    }
    return count;
}

/* Hoermann 1993, "The transformed rejection method for generating Poisson random variables",
 * algorithm PTRS, for means of at least 10. */
static int64_t poisson_large(Random *random, double mean)
{
    double b = 0.931 + 2.53 * sqrt(mean);
    double a = -0.059 + 0.02483 * b;
    double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    double squeeze = 0.9277 - 3.6224 / (b - 2.0);
    double log_mean = log(mean);
    for (;;) {
        double u = random_unit(random) - 0.5;
        double v = positive_unit(random);
        double us = 0.5 - fabs(u);
        double k = floor((2.0 * a / us + b) * u + mean + 0.43);
        if (us >= 0.07 && v <= squeeze)
            return (int64_t)k;
        if (k < 0.0 || (us < 0.013 && v > us))
            continue;
        double log_height = log(v * inverse_alpha / (a / (us * us) + b));
        if (log_height <= k * log_mean - mean - lgamma(k + 1.0))
            return (int64_t)k;
    }
}

int64_t random_poisson(Random *random, double mean)
{
    vesper_assert(mean >= 0.0 && mean < 1e15);
    return mean < 10.0 ? poisson_small(random, mean) : poisson_large(random, mean);
}

/* Marsaglia and Tsang 2000, "A simple method for generating gamma variables". */
double random_gamma(Random *random, double shape, double scale)
{
    vesper_assert(shape > 0.0 && scale > 0.0);
    if (shape < 1.0) {
        double boost = pow(positive_unit(random), 1.0 / shape);
        return random_gamma(random, shape + 1.0, scale) * boost;
    }
    double d = shape - 1.0 / 3.0;
    double c = 1.0 / sqrt(9.0 * d);
    for (;;) {
        double x = random_normal(random);
        double v = 1.0 + c * x;
        if (v <= 0.0)
            continue;
        v = v * v * v;
        if (log(positive_unit(random)) < 0.5 * x * x + d - d * v + d * log(v))
            return d * v * scale;
    }
}
