/* The table of models. */
#include "recommend/models.h"

#include "base/memory.h"
#include "recommend/blend_model.h"

#include <stdio.h>

/* Looking for neighbours takes time with the square of the number of users: with more, none. */
enum { REPEAT_NEIGHBOURS_USERS = 20000 };

static Status learn_popular(Comm *comm, const TrainData *data, const ModelOptions *options,
                            Model *model, Error *error)
{
    (void)options;
    return popular_learn(comm, data->users, &model->popular, error);
}

static Status learn_itemknn(Comm *comm, const TrainData *data, const ModelOptions *options,
                            Model *model, Error *error)
{
    return itemknn_learn(comm, data->users, data->items, &options->itemknn, &model->weights, error);
}

/* With the weights to keep that suit so many items. */
static EaseOptions ease_options(const ModelOptions *options, int32_t n_items)
{
    EaseOptions ease = options->ease;
    if (ease.keep == 0)
        ease.keep = ease_default_keep(n_items);
    return ease;
}

int64_t model_ease_excess(const ModelOptions *options, int32_t n_items, int ranks)
{
    int64_t bytes = ease_memory(n_items, ease_options(options, n_items).keep, ranks);
    return options->ease_room > 0 && bytes > options->ease_room ? bytes : 0;
}

static Status learn_ease(Comm *comm, const TrainData *data, const ModelOptions *options,
                         Model *model, Error *error)
{
    EaseOptions ease = ease_options(options, data->users->n_columns);
    return ease_learn(comm, data->users, data->items, &ease, &model->weights, &model->is_singular,
                      error);
}

static Status learn_ials(Comm *comm, const TrainData *data, const ModelOptions *options,
                         Model *model, Error *error)
{
    return ials_learn(comm, data->users, data->items, &options->ials, &model->ials, error);
}

static Status learn_repeat(Comm *comm, const TrainData *data, const ModelOptions *options,
                           Model *model, Error *error)
{
    RepeatOptions repeat = options->repeat;
    vesper_assert(data->store != NULL);
    if (data->users->n_rows > REPEAT_NEIGHBOURS_USERS)
        repeat.neighbours = 0;
    return repeat_learn(comm, data->store, data->shop, data->users, data->until_day, &repeat,
                        &model->repeat, error);
}

static Scorer score_blend(Model *model)
{
    return blend_scorer(&model->blend);
}

static Scorer score_popular(Model *model)
{
    return popular_scorer(&model->popular);
}

static Scorer score_weights(Model *model)
{
    return item_weights_scorer(model_name(model->kind), &model->weights);
}

static Scorer score_ials(Model *model)
{
    return ials_scorer(&model->ials);
}

static Scorer score_repeat(Model *model)
{
    return repeat_scorer(model->repeat);
}

static const struct {
    const char *name;
    Status (*learn)(Comm *comm, const TrainData *data, const ModelOptions *options, Model *model,
                    Error *error);
    Scorer (*scorer)(Model *model);
} kinds[MODEL_KINDS] = {
    [MODEL_POPULAR] = {"popular", learn_popular, score_popular},
    [MODEL_ITEMKNN] = {"itemknn", learn_itemknn, score_weights},
    [MODEL_EASE] = {"ease", learn_ease, score_weights},
    [MODEL_IALS] = {"ials", learn_ials, score_ials},
    [MODEL_BLEND] = {"blend", blend_model_learn, score_blend},
    [MODEL_REPEAT] = {"repeat", learn_repeat, score_repeat},
};

const char *model_name(ModelKind kind)
{
    return kinds[kind].name;
}

ModelKind model_by_name(Bytes name)
{
    int kind = 0;
    while (kind < MODEL_KINDS && !bytes_equal(name, bytes_of(kinds[kind].name)))
        kind++;
    return (ModelKind)kind;
}

Status model_learn(Comm *comm, ModelKind kind, const TrainData *data, const ModelOptions *options,
                   Model *model, Error *error)
{
    char before[64];
    *model = (Model){.kind = kind};
    (void)snprintf(before, sizeof before, "before learning %s", kinds[kind].name);
    Status status = comm_safe_point(comm, before, error);
    if (status == STATUS_OK)
        status = kinds[kind].learn(comm, data, options, model, error);
    if (status != STATUS_OK)
        model_free(model);
    return status;
}

Status model_shelf_learn(Comm *comm, ModelShelf *shelf, ModelKind kind, const TrainData *data,
                         const ModelOptions *options, Model **model, Error *error)
{
    Status status = STATUS_OK;
    if (shelf->models[kind] == NULL) {
        Model *learned = mem_new(1, sizeof *learned);
        shelf->models[kind] = learned;
        TRY(model_learn(comm, kind, data, options, learned, error));
    }
out:
    if (status != STATUS_OK)
        mem_free(&shelf->models[kind]);
    *model = shelf->models[kind];
    return status;
}

void model_shelf_free(ModelShelf *shelf)
{
    for (int kind = 0; kind < MODEL_KINDS; kind++) {
        if (shelf->models[kind] != NULL)
            model_free(shelf->models[kind]);
        mem_free(&shelf->models[kind]);
    }
}

BlendMix model_mix(const Model *model)
{
    BlendMix mix = {.n = model->blend.n};
    for (int k = 0; k < mix.n; k++) {
        mix.kinds[k] = model->part_kinds[k];
        mix.weights[k] = model->blend.weights[k];
        mix.scales[k] = model->blend.scales[k];
    }
    return mix;
}

Scorer model_scorer(Model *model)
{
    return kinds[model->kind].scorer(model);
}

const Ials *model_ials(const Model *model)
{
    for (int k = 0; k < model->blend.n; k++) {
        if (model->part_kinds[k] == MODEL_IALS && model->parts[k] != NULL)
            return &model->parts[k]->ials;
    }
    return model->kind == MODEL_IALS ? &model->ials : NULL;
}

void model_free(Model *model)
{
    popular_free(&model->popular);
    item_weights_free(&model->weights);
    ials_free(&model->ials);
    repeat_free(&model->repeat);
    model_shelf_free(&model->shelf);
}
