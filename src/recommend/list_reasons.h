/* ListReasons: of each place of customers' lists the past purchase that counts most. */
#ifndef VESPER_RECOMMEND_LIST_REASONS_H
#define VESPER_RECOMMEND_LIST_REASONS_H

#include "recommend/top_lists.h"

typedef struct ReasonOptions {
    const SparseSide *users;
    const TopLists *lists;  /* of `users` */
    const Scorer *scorer;   /* that made them */
    const bool *is_unnamed; /* [n_items] items that are not named; NULL: none */
    int threads;
    int64_t memory; /* bytes for what the scorer fetches of items at a time; 0: no limit */
} ReasonOptions;

/* The item of the user that adds most to the score, of those that may be named; -1: the model has
 * no reason. */
typedef struct Reason {
    int32_t item;
    double share; /* of all that items add; NAN without an item */
} Reason;

/* *reasons [own users x list length] (mem_free): the same bits with any memory. A user who needs
 * more is alone. Collective. */
Status list_reasons_make(Comm *comm, const ReasonOptions *options, Reason **reasons,
                         Error *error) VESPER_MUST_USE;

#endif
