/* Random numbers from a counter: the value depends on (seed, entity, counter) alone, so that the
 * same entity gets the same draws on any rank, in any order (Salmon et al. 2011, "Parallel random
 * numbers: as easy as 1, 2, 3": Philox4x32-10). */
#ifndef VESPER_BASE_RANDOM_H
#define VESPER_BASE_RANDOM_H

#include <stdint.h>

/* A stream of draws of one entity. */
typedef struct Random {
    uint64_t seed;
    uint64_t entity;
    uint64_t counter;  /* blocks drawn so far */
    uint32_t block[4]; /* words of the current block */
    int used;          /* words of `block` already given out */
} Random;

Random random_stream(uint64_t seed, uint64_t entity);
uint64_t random_u64(Random *random);
double random_unit(Random *random);                  /* uniform in [0, 1) */
int64_t random_below(Random *random, int64_t bound); /* uniform in [0, bound), unbiased */
double random_normal(Random *random);                /* mean 0, variance 1 */
double random_exponential(Random *random, double mean);
int64_t random_poisson(Random *random, double mean);
double random_gamma(Random *random, double shape, double scale);

#endif
