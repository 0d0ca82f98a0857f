/* Repeat: what a customer is likely to buy again, and when (docs/methods/repeat.md).
 *
 * Personal frequency with recency decay (P-TopFreq and GP-TopFreq of Li et al. 2023, "A Next Basket
 * Recommendation Reality Check"), mixed with the frequencies of customers with like baskets (the
 * neighbours of UP-CF, Faggioli et al. 2020, and TIFU-kNN, Hu et al. 2020); the interval between
 * purchases for the due day; a Poisson-gamma model for the probability. */
#ifndef VESPER_RECOMMEND_REPEAT_H
#define VESPER_RECOMMEND_REPEAT_H

#include "recommend/interactions.h"
#include "recommend/scorer.h"

typedef struct RepeatOptions {
    double decay;      /* weight of each order back in time beside the next: 1 is plain counting */
    bool fill_popular; /* GP-TopFreq: behind the own items come the popular ones */
    bool returns_take_away;  /* an item whose units all came back is none of the customer's */
    int64_t neighbours;      /* 0: none. Cost grows with the square of the number of customers */
    double neighbour_weight; /* share of the neighbours' frequencies in the score */
    int threads;
    int64_t memory; /* bytes for what comes from other ranks at a time; 0: as suits */
} RepeatOptions;

/* Decay 0.9, filled, returns take away, 100 neighbours of weight 0.4 (docs/methods/repeat.md has
 * the comparison), one thread. */
RepeatOptions repeat_default(void);

typedef struct Repeat Repeat;

/* Learn from kept sales before until_day. `users`: the sides' shape (rows, partitions). Collective.
 */
Status repeat_learn(Comm *comm, Store *store, const Shop *shop, const SparseSide *users,
                    int32_t until_day, const RepeatOptions *options, Repeat **model,
                    Error *error) VESPER_MUST_USE;
void repeat_free(Repeat **model);

/* Scores: own items and those of neighbours in (0, 1], the share of the last orders that held the
 * item; popular ones behind them at -1 (the most popular), -2, ...; the others SCORE_NONE. Equal
 * frequencies are set apart by popularity (customers who bought the item), then by number. */
Scorer repeat_scorer(Repeat *model);

/* When the user at own row `row` is due to buy item again (a day that has passed: overdue), and the
 * probability that it is bought within `days` from until_day on. due_day DAY_NONE if nobody bought
 * the item twice; an item that the user never bought: DAY_NONE and NAN. Local. */
void repeat_due(const Repeat *model, int32_t row, int32_t item, int64_t days, int32_t *due_day,
                double *probability);

#endif
