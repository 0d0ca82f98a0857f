/* Popular: what most users have; the rival of every model, and what is shown to a new user. */
#ifndef VESPER_RECOMMEND_POPULAR_H
#define VESPER_RECOMMEND_POPULAR_H

#include "recommend/scorer.h"

typedef struct Popular {
    int32_t n_items;
    float *score; /* [n_items] number of users who have the item (docs/methods/popular.md) */
} Popular;

/* Collective. */
Status popular_learn(Comm *comm, const SparseSide *users, Popular *model,
                     Error *error) VESPER_MUST_USE;
void popular_free(Popular *model);
Scorer popular_scorer(const Popular *model);

#endif
