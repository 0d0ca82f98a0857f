/* TopLists: for each user of this rank the best N of all items, within the shop's rules.
 *
 * Scores are made tile by tile and looked through at once; there is never a matrix users x items.
 */
#ifndef VESPER_RECOMMEND_TOP_LISTS_H
#define VESPER_RECOMMEND_TOP_LISTS_H

#include "recommend/scorer.h"

typedef struct TopRules {
    bool leave_out_owned;    /* items in the user's own row are not listed */
    const bool *is_shown;    /* [n_items] NULL: all items may be listed */
    const int32_t *category; /* [n_items] -1 unknown; NULL: no limit */
    int most_per_category;   /* with `category` */
    bool fill_unscored; /* items with SCORE_NONE follow the others by number, as measuring needs */
} TopRules;

/* Places of the user at row r of this rank's rows: [r * n, (r + 1) * n). */
typedef struct TopLists {
    int32_t n_users; /* this rank's rows */
    int n;
    int32_t *items; /* [n_users x n] best first, equal scores by number; -1: no more */
    float *scores;  /* [n_users x n] */
} TopLists;

/* The result depends on neither ranks nor threads. Collective. */
Status top_lists_make(Comm *comm, const SparseSide *users, const Scorer *scorer,
                      const TopRules *rules, int n, int threads, TopLists *lists,
                      Error *error) VESPER_MUST_USE;
void top_lists_free(TopLists *lists);

#endif
