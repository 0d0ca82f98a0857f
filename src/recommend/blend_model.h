/* The blend as a model: which parts it has, what it holds out to choose their weights, and what
 * they then learn from (docs/methods/blend.md). */
#ifndef VESPER_RECOMMEND_BLEND_MODEL_H
#define VESPER_RECOMMEND_BLEND_MODEL_H

#include "recommend/models.h"

/* Parts are ease (where its matrix fits the memory), ials and itemknn. They learn from a part of
 * the train data, the rest chooses the weights, and those with a weight learn again from all of it.
 * Nothing outside `data` is looked at. Collective. */
Status blend_model_learn(Comm *comm, const TrainData *data, const ModelOptions *options,
                         Model *model, Error *error) VESPER_MUST_USE;
/* Whether a blend may have such a part. Local. */
bool blend_model_takes(ModelKind kind);

#endif
