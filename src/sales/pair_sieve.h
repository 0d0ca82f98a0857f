/* PairSieve: which counted pairs go on: those that reach the thresholds and can still be among the
 * first `limit`. Local. */
#ifndef VESPER_SALES_PAIR_SIEVE_H
#define VESPER_SALES_PAIR_SIEVE_H

#include "sales/pairs.h"

typedef struct PairShares {
    double support, confidence_ab, confidence_ba, lift;
} PairShares;

/* Of a pair of places in the order of ids. */
PairShares pair_shares(const PairTotals *totals, int32_t a, int32_t b, int64_t orders);

typedef struct PairSieve {
    const PairOptions *options;
    const PairTotals *totals;
    int64_t least; /* orders that a pair needs: from min_orders on it rises to what the limit-th of
                      those so far has */
    int64_t *best; /* [n_best] the most orders so far, `limit` of them, as a heap: least in front */
    int64_t n_best, capacity;
} PairSieve;

/* Options and totals must outlive it. */
PairSieve pair_sieve_of(const PairOptions *options, const PairTotals *totals);
void pair_sieve_free(PairSieve *sieve);

/* Whether a pair goes on that at least `least` orders hold. Each is asked for once. */
Status pair_sieve_keeps(PairSieve *sieve, int32_t a, int32_t b, int64_t orders, bool *keeps,
                        Error *error) VESPER_MUST_USE;

#endif
