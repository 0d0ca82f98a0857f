/* Repeat: what a customer is likely to buy again, and when (docs/methods/repeat.md).
 *
 * Personal frequency with recency decay (P-TopFreq and GP-TopFreq of Li et al. 2023, "A Next Basket
 * Recommendation Reality Check"; UP-CF of Faggioli et al. 2020), neighbours' frequencies (TIFU-kNN,
 * Hu et al. 2020), and the interval between purchases for the due day. */
#ifndef VESPER_RECOMMEND_REPEAT_H
#define VESPER_RECOMMEND_REPEAT_H

#include "recommend/interactions.h"
#include "recommend/scorer.h"

typedef struct RepeatOptions {
    double decay;       /* weight of each order back in time beside the next: 1 is plain counting */
    bool fill_popular;  /* GP-TopFreq: behind the own items come the popular ones */
    int64_t neighbours; /* 0: none */
    double neighbour_weight; /* share of the neighbours' frequencies in the score */
    int threads;
    int64_t memory;
} RepeatOptions;

typedef struct Repeat Repeat;

/* Learn from kept sales before until_day. `users`: the sides' shape (rows, partitions). Collective.
 */
Status repeat_learn(Comm *comm, Store *store, const Shop *shop, const SparseSide *users,
                    int32_t until_day, const RepeatOptions *options, Repeat **model,
                    Error *error) VESPER_MUST_USE;
void repeat_free(Repeat **model);
Scorer repeat_scorer(const Repeat *model);

/* When the user at own row `row` is due to buy item again, and the probability that it is bought
 * within `days` from until_day on. due_day DAY_NONE if bought once only and nobody's interval is
 * known. Local. */
void repeat_due(const Repeat *model, int32_t row, int32_t item, int64_t days, int32_t *due_day,
                double *probability);

#endif
