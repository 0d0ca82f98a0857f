/* Sampling: random streams of the generator, alias tables, permutations.
 *
 * Nothing here keeps a history: every entity (a product, a customer, an order) has its own stream,
 * so any rank can make any entity at any time and gets the same one. */
#ifndef VESPER_DATA_SAMPLING_H
#define VESPER_DATA_SAMPLING_H

#include "base/random.h"
#include "base/status.h"

typedef enum StreamKind {
    STREAM_CATEGORY,
    STREAM_PRODUCT,
    STREAM_INTERMITTENT,
    STREAM_STOCK_OUT,
    STREAM_PROMOTION,
    STREAM_DAY,
    STREAM_CUSTOMER,
    STREAM_FAVOURITE,
    STREAM_BLOCK,
    STREAM_SIZES,
    STREAM_ORDER,
    STREAM_RETURN,
    STREAM_SESSION,
    STREAM_REVIEW,
    STREAM_DIRTY
} StreamKind;

/* The stream of entity `number` (below 2^56) of a kind. */
Random sampling_stream(uint64_t seed, StreamKind kind, int64_t number);

/* An alias table (Walker 1977): one draw from n weights in constant time. */
typedef struct AliasCell {
    uint32_t threshold; /* the cell's own outcome below this, `other` from it on */
    int32_t other;
} AliasCell;

/* Fill cells [n] for weights [n] >= 0 with a positive sum; n = 0 does nothing. */
Status alias_fill(const double *weights, int32_t n, AliasCell *cells, Error *error) VESPER_MUST_USE;
int32_t alias_draw(const AliasCell *cells, int32_t n, Random *random);

/* Where 0 <= index < n goes in a permutation of 0..n-1 that depends on the key. Needs no memory:
 * a Feistel network on the next power of four, walked until it lands below n (Black and Rogaway
 * 2002, "Ciphers with arbitrary finite domains"). */
int64_t sampling_permute(int64_t index, int64_t n, uint64_t key);

/* Distribution function of the standard normal distribution. */
double sampling_normal_cdf(double x);

/* True with the given chance. */
static inline bool sampling_happens(Random *random, double chance)
{
    return random_unit(random) < chance;
}

#endif
