/* See blend_model.h. */
#include "recommend/blend_model.h"

#include "base/log.h"
#include "base/memory.h"
#include "recommend/held_out.h"

#include <inttypes.h>

static const double plain_share = .2; /* of plain pairs, held out */

static const ModelKind part_kinds[] = {MODEL_EASE, MODEL_IALS, MODEL_ITEMKNN};
enum { PART_KINDS = sizeof part_kinds / sizeof part_kinds[0] };

bool blend_model_takes(ModelKind kind)
{
    for (int k = 0; k < PART_KINDS; k++) {
        if (part_kinds[k] == kind)
            return true;
    }
    return false;
}

/* The parts that there can be, not yet learned. */
static void choose_parts(const TrainData *data, const ModelOptions *options, int ranks,
                         Model *model)
{
    int32_t n_items = data->users->n_columns;
    bool has_ease =
        n_items <= options->ease_most_items && model_ease_excess(options, n_items, ranks) == 0;
    for (int k = 0; k < PART_KINDS; k++) {
        if (part_kinds[k] != MODEL_EASE || has_ease)
            model->part_kinds[model->blend.n++] = part_kinds[k];
    }
}

/* Parts and weights as they were chosen before. */
static void take_mix(const BlendMix *mix, Model *model)
{
    model->blend.n = mix->n;
    for (int k = 0; k < mix->n; k++) {
        model->part_kinds[k] = mix->kinds[k];
        model->blend.weights[k] = mix->weights[k];
        model->blend.scales[k] = mix->scales[k];
    }
}

/* Learn each part that has a weight, on the data's shelf; one that cannot (a singular matrix) loses
 * it, and a blend of which nothing is left is singular itself. Collective. */
static Status learn_parts(Comm *comm, const TrainData *data, const ModelOptions *options,
                          Model *model, Error *error)
{
    Status status = STATUS_OK;
    Blend *blend = &model->blend;
    model->is_singular = true;
    for (int k = 0; k < blend->n; k++) {
        model->parts[k] = NULL;
        if (blend->weights[k] == 0)
            continue;
        TRY(model_shelf_learn(comm, data->shelf, model->part_kinds[k], data, options,
                              &model->parts[k], error));
        blend->parts[k] = model_scorer(model->parts[k]);
        if (model->parts[k]->is_singular)
            blend->weights[k] = 0;
        else
            model->is_singular = false;
    }
out:
    return status;
}

/* Parts that could not learn have no scores to choose by: they are left out. */
static void drop_singular(Model *model)
{
    Blend *blend = &model->blend;
    int n = 0;
    for (int k = 0; k < blend->n; k++) {
        if (model->parts[k] == NULL || model->parts[k]->is_singular)
            continue;
        model->part_kinds[n] = model->part_kinds[k];
        blend->parts[n++] = blend->parts[k];
    }
    blend->n = n;
}

/* Collective. */
static Status hold_out(Comm *comm, const TrainData *data, const ModelOptions *options,
                       HeldOut *held, Error *error)
{
    if (data->store == NULL)
        return held_out_share(comm, data->users, plain_share, options->ials.seed, held, error);
    int32_t cut_day = data->until_day - options->validation_days;
    return held_out_between(comm, data->store, data->shop, data->interactions, cut_day,
                            data->until_day, held, error);
}

static void log_weights(const Model *model, double ndcg)
{
    Buffer text = {0};
    for (int k = 0; k < model->blend.n; k++)
        buffer_printf(&text, " %s=%.2f", model_name(model->part_kinds[k]), model->blend.weights[k]);
    log_line(LOG_INFO, LOG_ROOT, "recommend.blend", "validation_ndcg=%.4f%s", ndcg,
             buffer_string(&text));
    buffer_free(&text);
}

/* The weights, by what the parts learned from a part of the data. Collective. */
static Status choose_weights(Comm *comm, const TrainData *data, const ModelOptions *options,
                             Model *model, Error *error)
{
    Status status;
    double ndcg;
    HeldOut held = {0};
    ModelShelf shelf = {0};
    TRY(hold_out(comm, data, options, &held, error));
    TrainData part = *data;
    part.users = &held.users;
    part.items = &held.items;
    part.shelf = &shelf;
    part.until_day = data->until_day - options->validation_days;
    for (int k = 0; k < model->blend.n; k++)
        model->blend.weights[k] = 1;
    TRY(learn_parts(comm, &part, options, model, error));
    drop_singular(model);
    TRY(blend_choose(comm, &held.users, &held.truth[PROTOCOL_DISCOVER], options->ials.threads,
                     &model->blend, &ndcg, error));
    log_weights(model, ndcg);
out:
    model_shelf_free(&shelf);
    held_out_free(&held);
    return status;
}

Status blend_model_learn(Comm *comm, const TrainData *data, const ModelOptions *options,
                         Model *model, Error *error)
{
    Status status = STATUS_OK;
    TrainData with_shelf = *data;
    if (data->shelf == NULL)
        with_shelf.shelf = &model->shelf;
    if (options->mix.n > 0) {
        take_mix(&options->mix, model);
    } else {
        choose_parts(data, options, comm_size(comm), model);
        TRY(choose_weights(comm, data, options, model, error));
    }
    TRY(learn_parts(comm, &with_shelf, options, model, error));
out:
    return status;
}
