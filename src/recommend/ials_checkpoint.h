/* Checkpoints of iALS: what has been learned after an iteration, from which the same learning goes
 * on, on any number of ranks, to the same factors. */
#ifndef VESPER_RECOMMEND_IALS_CHECKPOINT_H
#define VESPER_RECOMMEND_IALS_CHECKPOINT_H

#include "recommend/ials.h"
#include "store/results.h"

/* Where they are kept, and for what. */
struct Checkpoints {
    Store *store;    /* open for writing */
    const char *run; /* the results that they lead to */
    double seconds;  /* a learning has no two within so many; 0: one after each iteration */
};

/* What a checkpoint must have been made from to be this learning's: a hash of the data and of what
 * shapes the factors, the same at any number of ranks. Collective. */
uint64_t ials_checkpoint_key(Comm *comm, const SparseSide *users, const IalsOptions *options);

/* Keep factors, losses and iterations; `unsolved` is this rank's. Collective. */
Status ials_checkpoint_write(Comm *comm, uint64_t key, const IalsOptions *options,
                             const Ials *model, int64_t unsolved, Error *error) VESPER_MUST_USE;

/* If there is one of this key: factors, losses and iterations of `model`, which is made already,
 * and *unsolved. One that cannot be read is left alone with a line in the log. Collective. */
Status ials_checkpoint_read(Comm *comm, uint64_t key, const IalsOptions *options, Ials *model,
                            int64_t *unsolved, Error *error) VESPER_MUST_USE;

#endif
