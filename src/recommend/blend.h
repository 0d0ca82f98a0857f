/* Blend: the scores of several models, each with a weight that held-out days chose
 * (docs/methods/blend.md). */
#ifndef VESPER_RECOMMEND_BLEND_H
#define VESPER_RECOMMEND_BLEND_H

#include "recommend/top_lists.h"

enum { BLEND_PARTS_MAX = 4, BLEND_STEPS = 4 };

typedef struct Blend {
    int n;
    Scorer parts[BLEND_PARTS_MAX];
    double weights[BLEND_PARTS_MAX]; /* multiples of 1 / BLEND_STEPS that add up to 1 */
    double
        scales[BLEND_PARTS_MAX]; /* of the part's scores; the blend adds score * weight / scale */
} Blend;

/* Set the weights and scales of blend (n and parts given) to those whose lists foretell `truth`
 * best by NDCG at 20, from what the parts learned without it: a scale is the mean of the best
 * scores of the users with a truth, the weights the best of all in steps of 1 / BLEND_STEPS
 * (equals: the first, with more weight on earlier parts). `users` and `truth` as for
 * accuracy_measure. *ndcg: what the best reached; NaN, and the first part alone, if there is no
 * truth. Collective. */
Status blend_choose(Comm *comm, const SparseSide *users, const SparseSide *truth, int threads,
                    Blend *blend, double *ndcg, Error *error) VESPER_MUST_USE;

/* The parts must have learned; parts of weight 0 are not asked. An item of which none has anything
 * to say gets SCORE_NONE. */
Scorer blend_scorer(Blend *blend);

#endif
