/* Accuracy: how well lists foretold what users took afterwards, over the full catalogue. */
#ifndef VESPER_RECOMMEND_ACCURACY_H
#define VESPER_RECOMMEND_ACCURACY_H

#include "recommend/top_lists.h"

enum { ACCURACY_CUTS = 2 };
extern const int accuracy_cuts[ACCURACY_CUTS]; /* list lengths: 10, 20 */

/* Means over the users with at least one item in the truth; only their lists are looked at.
 * docs/methods/accuracy.md. */
typedef struct Accuracy {
    int64_t users;
    /* NaN without users (coverage: without items); novelty also if all lists or the train data are
     * empty. */
    double recall[ACCURACY_CUTS]; /* hits / items of the truth */
    double ndcg[ACCURACY_CUTS];   /* binary gain, 1 / log2(1 + place); ideal over min(cut, truth) */
    double map[ACCURACY_CUTS];    /* sum of precisions at hits / min(cut, truth) */
    double hit_rate[ACCURACY_CUTS]; /* share of users with a hit */
    double coverage[ACCURACY_CUTS]; /* share of all items that are in some list */
    double novelty[ACCURACY_CUTS]; /* mean over listed items of -log2(share of users who have it) */
} Accuracy;

/* `truth`: rows as in `users` (the train data, of which the share of users is taken), the items
 * that each user took. `lists` for the same rows, at least 20 long. The same bits at any number of
 * ranks. Collective. */
Status accuracy_measure(Comm *comm, const SparseSide *users, const SparseSide *truth,
                        const TopLists *lists, Accuracy *accuracy, Error *error) VESPER_MUST_USE;

#endif
