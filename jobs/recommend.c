/* vesper recommend: what to show to whom.
 *
 * Question: which products suit each customer, which go together, what will be bought again, and
 * how well would all that have foretold what customers took next? In:  the store's orders, carts,
 * views and reviews Out: results of this generation: rec_user, rec_item, buy_again, rec_popular,
 * rec_accuracy, rec_left_out (docs/tables.md).
 *
 * With --evaluate nothing is written; a table on stdout has a row a model and protocol. Models
 * learn from --train FILE and are measured by --test FILE, pairs as published benchmarks have them,
 * or on the store's held-out last days. Discover: products that the customer did not have yet. Buy
 * again: whatever the customer bought. Means over the users who took something; the list is the
 * best 10 or 20 of all products: recall, NDCG, MAP, hit rate   0 to 1 (docs/methods/accuracy.md)
 *   coverage      share of the products that stand in somebody's 20
 *   novelty       mean of -log2(share of users who have it) over the 20, in bits
 *   learn, rank   seconds */
#include "accuracy_table.h"
#include "as_of.h"
#include "options.h"
#include "part.h"
#include "predict.h"
#include "recommend/room.h"
#include "recommend_options.h"
#include "stage.h"
#include "summary.h"

#include <stdlib.h>

Status choose_models(Run *run, Error *error)
{
    Status status;
    TRY_ALL(run->comm, recommend_options_read(run->config, &run->recommend_options, error), error);
    TRY(recommend_options_read_lists(run->comm, run->config, &run->recommend_options, error));
out:
    return status;
}

static Status read_pairs(Run *run, Error *error)
{
    Status status;
    const RecommendOptions *options = &run->recommend_options;
    const char *folder = getenv("TMPDIR");
    TRY(held_out_from_files(run->comm, options->train, options->test,
                            folder != NULL ? folder : "/tmp", &run->held_out, error));
    stage_note(run, "pairs=%lld", (long long)run->held_out.train_pairs);
out:
    return status;
}

static Status read_history(Run *run, Error *error)
{
    Status status;
    const RecommendOptions *options = &run->recommend_options;
    TRY(shop_open(run->comm, run->store, &run->shop, error));
    run->cut_day = options->has_split_date
                       ? options->split_date
                       : held_out_last_days(&run->shop, options->plan.held_out_days);
    if (options->leave_last_basket)
        TRY(held_out_last_baskets(run->comm, run->store, &run->shop, &run->held_out, error));
    else
        TRY(held_out_from_day(run->comm, run->store, &run->shop, &options->plan.interactions,
                              run->cut_day, &run->held_out, error));
    stage_note(run, "pairs=%lld", (long long)run->held_out.train_pairs);
out:
    return status;
}

/* Ease has the room that --memory gives it, or what the machine can spare; with all models, and
 * more items than the mix would learn it from, none. */
static Status make_room(Run *run, ModelOptions *options, Error *error)
{
    Status status = STATUS_OK;
    *options = run->recommend_options.plan.models;
    options->ease_room = options->ease.memory;
    if (options->ease_room == 0)
        TRY(room_of_rank(run->comm, &options->ease_room, error));
    if (run->recommend_options.has_all_models &&
        run->held_out.users.n_columns > options->ease_most_items)
        options->ease_room = 1;
out:
    return status;
}

static Status evaluate(Run *run, Error *error)
{
    Status status;
    ModelOptions models;
    const RecommendOptions *options = &run->recommend_options;
    TrainData data = {.users = &run->held_out.users,
                      .items = &run->held_out.items,
                      .store = options->leave_last_basket ? NULL : run->store,
                      .shop = &run->shop,
                      .until_day = run->cut_day,
                      .interactions = &options->plan.interactions};
    TRY(make_room(run, &models, error));
    TRY(evaluate_models(run->comm, &run->held_out, &data, options->models, options->n_models,
                        &models, options->plan.threads, &run->evaluations, &run->n_evaluations,
                        error));
out:
    return status;
}

static Status job_evaluate(Run *run, Error *error)
{
    Status status;
    bool has_store = run->recommend_options.train == NULL;
    TRY(as_of_read(run, has_store, error));
    if (!has_store) {
        TRY(stage_run(run, "read", read_pairs, error));
    } else {
        TRY(stage_run(run, "open", open_to_read, error));
        TRY(as_of_look_back(run, error));
        TRY(stage_run(run, "read", read_history, error));
    }
    TRY(stage_run(run, "evaluate", evaluate, error));
    if (config_text(run->config, "run-record") != NULL)
        TRY(stage_run(run, "record", run_record_write_copy, error));
    accuracy_table_print(run);
    summary_done(run);
out:
    return status;
}

static Status write_lists(Run *run, ResultWriter *writer, Error *error)
{
    Status status;
    TRY(recommend_run(run->comm, run->store, &run->recommend_options.plan,
                      run->parts[PART_RECOMMEND].name, writer, &run->recommend, error));
    stage_note(run, "pairs=%lld", (long long)run->recommend.pairs);
out:
    return status;
}

Status make_lists(Run *run, Error *error)
{
    return part_make(run, PART_RECOMMEND, write_lists, error);
}

static Status refuse_files(const Run *run, Error *error)
{
    Status status = STATUS_OK;
    if (run->recommend_options.train != NULL)
        FAIL(error, STATUS_USAGE,
             "--train and --test are for measuring models: give --evaluate with them");
out:
    return status;
}

Status job_recommend(Run *run, Error *error)
{
    Status status;
    TRY(choose_models(run, error));
    if (config_switch(run->config, "evaluate"))
        return job_evaluate(run, error);
    TRY(comm_agree(run->comm, refuse_files(run, error), error));
    TRY(as_of_read(run, true, error));
    TRY(stage_run(run, "open", open_to_write, error));
    TRY(as_of_look_back(run, error));
    TRY(predict_check(run, (const PlanStage[]){PLAN_RECOMMEND}, 1, error));
    TRY(stage_run(run, "recommend", make_lists, error));
    TRY(stage_run(run, "record", run_record_write, error));
    summary_of_store(run);
    summary_of_recommend(run);
    summary_done(run);
out:
    return status;
}
