/* Quantiles: exact, of values that are spread over the ranks. Quantile p per cent of n values is
 * the one at place max(1, ceil(p * n / 100)), from 1, of the ascending values (quantile_disc in
 * SQL). */
#ifndef VESPER_SALES_QUANTILES_H
#define VESPER_SALES_QUANTILES_H

#include "comm/comm.h"

/* Values, each with the key of its group; all zero is empty. */
typedef struct KeyedValues {
    int64_t n;
    int64_t capacity;
    uint64_t *keys;  /* [n] below 2^63 */
    int64_t *values; /* [n] */
} KeyedValues;

void keyed_values_free(KeyedValues *values);
/* Room for `more` values. Local. */
Status keyed_values_reserve(KeyedValues *values, int64_t more, Error *error) VESPER_MUST_USE;

enum { QUANTILES_MAX = 8 };

/* Quantiles of each group.
 *   values      those that this rank has, of any group; emptied
 *   keys [n]    groups of this rank, ascending; ranks have runs in rank order, no key twice; every
 *               value's key is one of some rank's
 *   percents [n_percents]  0 (the least) to 100 (the greatest)
 *   quantiles [n_percents][n] out; MONEY_NONE for a group without values
 * Few groups are searched by bisection: no value moves, all ranks count how many of theirs are not
 * above the middle. Values of many groups are sorted over the ranks in even shares, so that no rank
 * gets more than that, however large one group is. The result is the same. Collective. */
Status quantiles_by_key(Comm *comm, KeyedValues *values, const uint64_t *keys, int64_t n,
                        const int *percents, int n_percents, int64_t *const *quantiles,
                        Error *error) VESPER_MUST_USE;

/* Quantiles [n_percents] of all values [n] of all ranks, the same on every rank; MONEY_NONE if
 * there are none. Sorts `values`. Collective. */
Status quantiles_of_all(Comm *comm, int64_t *values, int64_t n, const int *percents, int n_percents,
                        int64_t *quantiles, Error *error) VESPER_MUST_USE;

#endif
