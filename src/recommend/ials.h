/* iALS: implicit alternating least squares (Hu, Koren, Volinsky 2008) with the loss and the
 * frequency-scaled regularisation of Rendle et al. 2021, "Revisiting the Performance of iALS on
 * Item Recommendation Benchmarks"; docs/methods/ials.md. */
#ifndef VESPER_RECOMMEND_IALS_H
#define VESPER_RECOMMEND_IALS_H

#include "recommend/scorer.h"

typedef struct Checkpoints Checkpoints; /* ials_checkpoint.h */

typedef struct IalsOptions {
    int factors;       /* d */
    int iterations;    /* of a user and an item half-step each */
    double unobserved; /* alpha0, weight of a pair that did not happen */
    double lambda, nu; /* regularisation lambda (n_u + alpha0 n_items)^nu */
    double deviation;  /* start: normal with this / sqrt(d) */
    int block;         /* factors solved at once (iALS++); 0: all up to 128, else 64 */
    uint64_t seed;
    const float *start; /* [own items x d] factors to begin with; a row of zeros is drawn. NULL: all
                           rows are */
    const char *start_name; /* where they come from */
    int threads;
    int64_t memory;                 /* bytes for what a half-step fetches; 0: no limit */
    const Checkpoints *checkpoints; /* where it goes on if it was interrupted; NULL: nowhere */
} IalsOptions;

typedef struct Ials {
    int d;
    const SparseSide *users, *items; /* borrowed */
    float *user_factors;             /* [own users x d] row-major */
    float *item_factors;             /* [own items x d] */
    double *losses;                  /* [iterations] after each */
    int iterations;
    int64_t unsolved; /* rows whose system was not positive definite and that stayed as they were */
    float *tile;      /* item factors of the tile that is asked for */
    float *gram;      /* [d] of the items, rotated, times the unobserved weight */
    double *lambdas;  /* [own users] */
    float *reasons;   /* [n x d] factors of the items that reasons are asked for */
} Ials;

/* Each iteration solves the users and then the items; a last user half-step follows. The loss never
 * rises. Asked to stop, it keeps what it has after an iteration and returns STATUS_RESUME.
 * Collective. */
Status ials_learn(Comm *comm, const SparseSide *users, const SparseSide *items,
                  const IalsOptions *options, Ials *model, Error *error) VESPER_MUST_USE;
void ials_free(Ials *model);
Scorer ials_scorer(Ials *model);

#endif
