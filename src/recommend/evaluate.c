#include "recommend/evaluate.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/memory.h"
#include "recommend/blend_model.h"

bool evaluate_applies(ModelKind model, Protocol protocol, bool has_store)
{
    if (protocol == PROTOCOL_AGAIN)
        return has_store && (model == MODEL_REPEAT || model == MODEL_POPULAR);
    return model != MODEL_REPEAT;
}

/* Collective. */
static Status measure(Comm *comm, const HeldOut *held, Model *model, bool fill, int threads,
                      Evaluation *evaluation, Error *error)
{
    Status status;
    TopLists lists = {0};
    Scorer scorer = model_scorer(model);
    TopRules rules = {.leave_out_owned = evaluation->protocol == PROTOCOL_DISCOVER,
                      .is_shown = held->is_known,
                      .fill_unscored = fill};
    double began = clock_seconds();
    TRY(top_lists_make(comm, &held->users, &scorer, &rules, accuracy_cuts[ACCURACY_CUTS - 1],
                       threads, &lists, error));
    evaluation->rank_seconds = clock_seconds() - began;
    TRY(accuracy_measure(comm, &held->users, &held->truth[evaluation->protocol], &lists,
                         &evaluation->accuracy, error));
out:
    top_lists_free(&lists);
    return status;
}

/* Ease where its matrix has no room: said in one line, and not measured. */
static bool leave_out(Comm *comm, const HeldOut *held, ModelKind kind, const ModelOptions *options,
                      Evaluation *evaluations)
{
    int32_t n_items = held->users.n_columns;
    int64_t bytes = kind == MODEL_EASE ? model_ease_excess(options, n_items, comm_size(comm)) : 0;
    if (bytes == 0)
        return false;
    log_line(LOG_INFO, LOG_ROOT, "evaluated",
             "model=ease note=\"left out: with %d items it would take %.1f GiB a rank\"",
             (int)n_items, (double)bytes / (1 << 30));
    for (int p = 0; p < PROTOCOLS; p++)
        evaluations[p] =
            (Evaluation){.model = kind, .protocol = (Protocol)p, .left_out_bytes = bytes};
    return true;
}

/* `evaluations` [PROTOCOLS]: those of the model are set. Collective. */
static Status evaluate_one(Comm *comm, const HeldOut *held, const TrainData *data, ModelKind kind,
                           const ModelOptions *options, int threads, Evaluation *evaluations,
                           Error *error)
{
    Status status;
    Model own = {0}, *model = &own;
    double began = clock_seconds();
    /* P-TopFreq has nothing behind what the customer bought, not even products by number. */
    bool fill = kind != MODEL_REPEAT || options->repeat.fill_popular;
    if (leave_out(comm, held, kind, options, evaluations))
        return STATUS_OK;
    TRY_ALL(comm, fault_point("recommend.evaluate", error), error);
    if (data->shelf != NULL && blend_model_takes(kind))
        TRY(model_shelf_learn(comm, data->shelf, kind, data, options, &model, error));
    else
        TRY(model_learn(comm, kind, data, options, model, error));
    double seconds = clock_seconds() - began;
    for (int p = 0; p < PROTOCOLS; p++) {
        Evaluation *evaluation = &evaluations[p];
        *evaluation = (Evaluation){.model = kind,
                                   .protocol = (Protocol)p,
                                   .is_singular = model->is_singular,
                                   .mix = model_mix(model),
                                   .learn_seconds = seconds};
        if (evaluate_applies(kind, (Protocol)p, data->store != NULL) && !model->is_singular)
            TRY(measure(comm, held, model, fill, threads, evaluation, error));
    }
    log_line(LOG_INFO, LOG_ROOT, "evaluated", "model=%s learn=%.3f", model_name(kind), seconds);
out:
    model_free(&own);
    return status;
}

static bool has_blend(const ModelKind *models, int n_models)
{
    for (int m = 0; m < n_models; m++) {
        if (models[m] == MODEL_BLEND)
            return true;
    }
    return false;
}

Status evaluate_models(Comm *comm, const HeldOut *held, const TrainData *data,
                       const ModelKind *models, int n_models, const ModelOptions *options,
                       int threads, Evaluation **evaluations, int *n, Error *error)
{
    Status status = STATUS_OK;
    bool has_store = data->store != NULL;
    ModelShelf shelf = {0};
    TrainData with_shelf = *data;
    if (has_blend(models, n_models))
        with_shelf.shelf = &shelf;
    Evaluation *all = mem_new((int64_t)n_models * PROTOCOLS, sizeof *all);
    *evaluations = mem_new((int64_t)n_models * PROTOCOLS, sizeof **evaluations);
    *n = 0;
    for (int m = 0; m < n_models; m++)
        TRY(evaluate_one(comm, held, &with_shelf, models[m], options, threads, all + m * PROTOCOLS,
                         error));
    for (int p = 0; p < PROTOCOLS; p++) {
        for (int m = 0; m < n_models; m++) {
            if (evaluate_applies(models[m], (Protocol)p, has_store))
                (*evaluations)[(*n)++] = all[m * PROTOCOLS + p];
        }
    }
out:
    model_shelf_free(&shelf);
    mem_free(&all);
    if (status != STATUS_OK)
        mem_free(evaluations);
    return status;
}
