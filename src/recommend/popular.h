/* Popular: what most users have; the rival of every model, and what is shown to a new user. */
#ifndef VESPER_RECOMMEND_POPULAR_H
#define VESPER_RECOMMEND_POPULAR_H

#include "recommend/scorer.h"

typedef struct Popular {
    int32_t n_items;
    float *score; /* [n_items] number of users who have the item (docs/methods/popular.md): exact up
                   * to 2^24, to 24 bits above, where near counts may become ties */
} Popular;

/* Collective. */
Status popular_learn(Comm *comm, const SparseSide *users, Popular *model,
                     Error *error) VESPER_MUST_USE;
void popular_free(Popular *model);
/* The same scores for every user; SCORE_NONE for an item that nobody has. */
Scorer popular_scorer(Popular *model);

#endif
