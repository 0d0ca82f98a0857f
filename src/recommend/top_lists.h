/* TopLists: for each user of this rank the best N of all items, within the shop's rules.
 *
 * Scores are made tile by tile and looked through at once; there is never a matrix users x items.
 */
#ifndef VESPER_RECOMMEND_TOP_LISTS_H
#define VESPER_RECOMMEND_TOP_LISTS_H

#include "recommend/scorer.h"

typedef struct TopRules {
    const bool *is_wanted;   /* [own users] NULL: lists for all, else for these, others empty */
    bool leave_out_owned;    /* items in the user's own row are not listed */
    const bool *is_shown;    /* [n_items] NULL: all items may be listed */
    const int32_t *category; /* [n_items] -1 unknown, without limit; NULL: no limit at all */
    int most_per_category;   /* above 0, with `category`: going down the ranking, an item whose
                              * category is listed that often already is passed over */
    bool fill_unscored;      /* items with SCORE_NONE (or NaN) follow the others by number under the
                              * same rules, as measuring needs; their score is SCORE_NONE */
} TopRules;

/* Places of the user at row r of this rank's rows: [r * n, (r + 1) * n). */
typedef struct TopLists {
    int32_t n_users; /* this rank's rows */
    int n;
    int32_t *items; /* [n_users x n] best first, equal scores by number; -1: no more */
    float *scores;  /* [n_users x n] SCORE_NONE where there is no item */
} TopLists;

/* n and threads above 0. The result depends on neither ranks nor threads. Memory beside the lists:
 * two tiles of scores (1 MiB, or the scores of one user) and 8 bytes a category for each thread.
 * Collective. */
Status top_lists_make(Comm *comm, const SparseSide *users, const Scorer *scorer,
                      const TopRules *rules, int n, int threads, TopLists *lists,
                      Error *error) VESPER_MUST_USE;
/* The same of each variant of the scorer: lists [n_variants]. Memory beside the lists: n_kept tiles
 * more for each thread. Collective. */
Status top_lists_make_all(Comm *comm, const SparseSide *users, const Scorer *scorer,
                          const TopRules *rules, int n, int threads, TopLists *lists,
                          Error *error) VESPER_MUST_USE;
void top_lists_free(TopLists *lists);

#endif
