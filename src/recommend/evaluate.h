/* Evaluate: models learn from train data, and the lists that they make are measured by what users
 * took afterwards. */
#ifndef VESPER_RECOMMEND_EVALUATE_H
#define VESPER_RECOMMEND_EVALUATE_H

#include "recommend/accuracy.h"
#include "recommend/held_out.h"
#include "recommend/models.h"

typedef struct Evaluation {
    ModelKind model;
    Protocol protocol;
    bool is_singular;       /* nothing was learned: no figures */
    int64_t left_out_bytes; /* nor if it would have taken so many of a rank; else 0 */
    Accuracy accuracy;
    BlendMix mix;                       /* of MODEL_BLEND */
    double learn_seconds, rank_seconds; /* of this rank; less what others had learned already */
} Evaluation;

/* Whether a model answers the protocol's question; without a store there is nothing that would tell
 * what is bought again. */
bool evaluate_applies(ModelKind model, Protocol protocol, bool has_store);

/* Lists hold items that occur in train. Each of models [n_models] learns once, also for a blend
 * that has it as a part, and is measured under each protocol that it answers; *evaluations [*n]
 * protocol by protocol, models in the given order (mem_free). `data`->users and items are those of
 * `held`. Collective. */
Status evaluate_models(Comm *comm, const HeldOut *held, const TrainData *data,
                       const ModelKind *models, int n_models, const ModelOptions *options,
                       int threads, Evaluation **evaluations, int *n, Error *error) VESPER_MUST_USE;

#endif
