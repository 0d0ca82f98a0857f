/* Models: everything that learns tastes, by one name each, behind one door. */
#ifndef VESPER_RECOMMEND_MODELS_H
#define VESPER_RECOMMEND_MODELS_H

#include "recommend/blend.h"
#include "recommend/ease.h"
#include "recommend/ials.h"
#include "recommend/interactions.h"
#include "recommend/itemknn.h"
#include "recommend/popular.h"
#include "recommend/repeat.h"

typedef enum ModelKind {
    MODEL_POPULAR,
    MODEL_ITEMKNN,
    MODEL_EASE,
    MODEL_IALS,
    MODEL_BLEND,
    MODEL_REPEAT,
    MODEL_KINDS
} ModelKind;

/* Which parts a blend has, and what each counts. All zero: not chosen. */
typedef struct BlendMix {
    int n;
    ModelKind kinds[BLEND_PARTS_MAX];
    double weights[BLEND_PARTS_MAX], scales[BLEND_PARTS_MAX]; /* blend.h */
} BlendMix;

typedef struct ModelOptions {
    ItemknnOptions itemknn;
    EaseOptions ease;
    IalsOptions ials;
    RepeatOptions repeat;
    int32_t ease_most_items; /* MODEL_BLEND has no ease with more items than this, */
    int64_t ease_room;       /* or if it would take more bytes of a rank; 0: no limit */
    BlendMix mix;            /* of MODEL_BLEND; n 0: to be chosen */
    int32_t validation_days; /* of a store: MODEL_BLEND holds out so many last days of what it may
                              * learn from; of plain pairs a fifth, chosen by ials.seed */
} ModelOptions;

struct Model;
/* Models that have learned from the same data with the same options, each of them once. All zero is
 * empty. */
typedef struct ModelShelf {
    struct Model *models[MODEL_KINDS];
} ModelShelf;

/* What they learn from; borrowed. */
typedef struct TrainData {
    const SparseSide *users, *items;
    Store *store; /* NULL: there are pairs alone, and MODEL_REPEAT must not be asked for */
    const Shop *shop;
    int32_t until_day;                      /* of the store's history */
    const InteractionOptions *interactions; /* of the store's history */
    ModelShelf *shelf; /* MODEL_BLEND takes its parts there, and those it lacks are put there; NULL:
                        * it has its own */
} TrainData;

/* A model that has learned. All zero is none. */
typedef struct Model {
    ModelKind kind;
    bool is_singular; /* a numeric outcome of MODEL_EASE: nothing was learned */
    Popular popular;
    ItemWeights weights;
    Ials ials;
    Repeat *repeat;
    Blend blend;
    ModelKind part_kinds[BLEND_PARTS_MAX];
    struct Model *parts[BLEND_PARTS_MAX]; /* of those with a weight; on a shelf */
    ModelShelf shelf;                     /* the blend's own */
} Model;

/* Bytes that ease would take of a rank, if that is more than `options` give it room for; else 0.
 * Local. */
int64_t model_ease_excess(const ModelOptions *options, int32_t n_items, int ranks);

const char *model_name(ModelKind kind); /* "ials": as in tables and --models */
ModelKind model_by_name(Bytes name);    /* MODEL_KINDS if there is none */

/* Collective. */
Status model_learn(Comm *comm, ModelKind kind, const TrainData *data, const ModelOptions *options,
                   Model *model, Error *error) VESPER_MUST_USE;
/* *model := the shelf's of this kind, which learns if it is not there yet. Collective. */
Status model_shelf_learn(Comm *comm, ModelShelf *shelf, ModelKind kind, const TrainData *data,
                         const ModelOptions *options, Model **model, Error *error) VESPER_MUST_USE;
void model_shelf_free(ModelShelf *shelf);
/* What a blend that has learned is made of. Local. */
BlendMix model_mix(const Model *model);
Scorer model_scorer(Model *model);
/* The ials that the model is, or that its mix has; NULL: none. Local. */
const Ials *model_ials(const Model *model);
void model_free(Model *model);

#endif
