/* The story of recommend; see recommend.h. */
#include "recommend/recommend.h"

#include "base/log.h"
#include "base/memory.h"
#include "recommend/accuracy_rows.h"
#include "recommend/again_rows.h"
#include "recommend/ials_checkpoint.h"
#include "recommend/item_lists.h"
#include "recommend/list_rows.h"
#include "recommend/product_list.h"
#include "recommend/warm_start.h"

#include <string.h>

/* Customers who have both products of a pair, at least; and how much longer the popular lists are
 * than those that they fill, since customers have some of the popular products already. */
enum { COMPANIONS_LEAST = 2, POPULAR_SPARE = 5 };

typedef struct RecommendRun {
    Comm *comm;
    Store *store;
    const RecommendPlan *plan;
    ResultWriter *writer;
    RecommendSummary *summary;
    Checkpoints checkpoints;
    ModelOptions models; /* the plan's, with checkpoints */
    WarmStart start;
    Shop shop;
    Evaluation *evaluations;
    int n_evaluations;
    SparseSide users, items; /* of the whole history */
    bool *is_shown;          /* [n_items] */
    bool *is_excluded;       /* [n_items] */
    int32_t *category;       /* [n_items] of each item; NULL without a limit */
    PopularLists popular;
    double stage_started;
} RecommendRun;

static void run_free(RecommendRun *run)
{
    warm_start_free(&run->start);
    shop_free(&run->shop);
    mem_free(&run->evaluations);
    sparse_side_free(&run->users);
    sparse_side_free(&run->items);
    mem_free(&run->is_shown);
    mem_free(&run->is_excluded);
    mem_free(&run->category);
    popular_lists_free(&run->popular);
}

static void log_stage(RecommendRun *run, const char *stage)
{
    double now = clock_seconds();
    log_line(LOG_INFO, LOG_ROOT, stage, "seconds=%.3f", now - run->stage_started);
    run->stage_started = now;
}

/* ---- measuring ---- */

static const Evaluation *find_evaluation(const RecommendRun *run, ModelKind model,
                                         Protocol protocol)
{
    for (int i = 0; i < run->n_evaluations; i++) {
        if (run->evaluations[i].model == model && run->evaluations[i].protocol == protocol)
            return &run->evaluations[i];
    }
    return NULL;
}

static void summarise_measures(RecommendRun *run, const HeldOut *held)
{
    RecommendSummary *summary = run->summary;
    const Evaluation *mix = find_evaluation(run, MODEL_BLEND, PROTOCOL_DISCOVER);
    const Evaluation *rival = find_evaluation(run, MODEL_POPULAR, PROTOCOL_DISCOVER);
    const Evaluation *again = find_evaluation(run, MODEL_REPEAT, PROTOCOL_AGAIN);
    const Evaluation *again_rival = find_evaluation(run, MODEL_POPULAR, PROTOCOL_AGAIN);
    summary->is_measured = true;
    summary->test_users = held->test_users[PROTOCOL_DISCOVER];
    summary->mix_ndcg = mix->accuracy.ndcg[1];
    summary->rival_ndcg = rival->accuracy.ndcg[1];
    summary->again_recall = again->accuracy.recall[0];
    summary->again_rival = again_rival->accuracy.recall[0];
    summary->mix = mix->mix;
}

/* Every model on the held-out days, if there are enough days on both sides. Collective. */
static Status measure(RecommendRun *run, Error *error)
{
    static const ModelKind all[] = {MODEL_POPULAR, MODEL_ITEMKNN, MODEL_EASE,
                                    MODEL_IALS,    MODEL_BLEND,   MODEL_REPEAT};
    Status status = STATUS_OK;
    const RecommendPlan *plan = run->plan;
    HeldOut held = {0};
    ModelKind kinds[MODEL_KINDS];
    int n = 0;
    int32_t cut_day = held_out_last_days(&run->shop, plan->held_out_days);
    if (run->shop.last_day == DAY_NONE || cut_day <= run->shop.first_day)
        return STATUS_OK;
    TRY(held_out_between(run->comm, run->store, &run->shop, &plan->interactions, cut_day,
                         run->shop.last_day + 1, &held, error));
    if (held.test_pairs[PROTOCOL_DISCOVER] == 0)
        goto out;
    for (size_t k = 0; k < sizeof all / sizeof all[0]; k++) {
        if (all[k] != MODEL_EASE || held.users.n_columns <= plan->models.ease_most_items)
            kinds[n++] = all[k];
    }
    TrainData data = {.users = &held.users,
                      .items = &held.items,
                      .store = run->store,
                      .shop = &run->shop,
                      .until_day = cut_day,
                      .interactions = &plan->interactions};
    TRY(evaluate_models(run->comm, &held, &data, kinds, n, &run->models, plan->threads,
                        &run->evaluations, &run->n_evaluations, error));
    summarise_measures(run, &held);
    log_stage(run, "recommend.measure");
out:
    held_out_free(&held);
    return status;
}

/* ---- the whole history ---- */

/* is_listed [n_items] := the products of a list; those that the store does not know are said. */
static Status take_list(const RecommendRun *run, const char *option, Bytes list, bool **is_listed,
                        Error *error)
{
    Status status;
    int32_t n = run->shop.product.count;
    TRY(mem_resize(is_listed, n, sizeof **is_listed, "products of a list", error));
    memset(*is_listed, 0, (size_t)n * sizeof **is_listed);
    ProductListCounts counts = product_list_mark(list, &run->shop, *is_listed);
    if (counts.unknown > 0)
        log_line(LOG_WARN, LOG_ROOT, "recommend",
                 "note=\"%lld of %lld products of --%s are not in the store, the first is %.*s\"",
                 (long long)counts.unknown, (long long)counts.ids, option,
                 (int)(counts.first_unknown.size < 80 ? counts.first_unknown.size : 80),
                 counts.first_unknown.data);
out:
    return status;
}

/* The shop's lists; excluded wins. */
static Status apply_lists(RecommendRun *run, Error *error)
{
    Status status = STATUS_OK;
    bool *is_allowed = NULL;
    TRY(take_list(run, "exclude", run->plan->exclude, &run->is_excluded, error));
    TRY(take_list(run, "allow", run->plan->allow, &is_allowed, error));
    for (int32_t i = 0; i < run->shop.product.count; i++)
        run->is_shown[i] &= !run->is_excluded[i] && (run->plan->allow.size == 0 || is_allowed[i]);
out:
    mem_free(&is_allowed);
    return status;
}

/* Products that may be listed: active, not known to be sold out, and as the shop's lists say. They
 * all teach. */
static Status set_rules(RecommendRun *run, Error *error)
{
    Status status;
    const Catalogue *catalogue = &run->shop.catalogue;
    int32_t n = run->shop.product.count;
    TRY(mem_resize(&run->is_shown, n, sizeof *run->is_shown, "products to show", error));
    for (int32_t i = 0; i < n; i++) {
        int32_t code = run->shop.product.code[i];
        bool is_inactive = catalogue->is_listed[code] && !catalogue->is_active[code];
        bool is_sold_out = catalogue->stock[code] != INT64_MIN && catalogue->stock[code] <= 0;
        run->is_shown[i] = !is_inactive && (run->plan->show_sold_out || !is_sold_out);
    }
    TRY(apply_lists(run, error));
    if (run->plan->most_per_category == 0)
        goto out;
    TRY(mem_resize(&run->category, n, sizeof *run->category, "categories of products", error));
    for (int32_t i = 0; i < n; i++)
        run->category[i] = catalogue->category[run->shop.product.code[i]];
out:
    return status;
}

/* Collective. */
static Status read_history(RecommendRun *run, Error *error)
{
    Status status;
    Table left_out = {0};
    InteractionCounts counts;
    const Shop *shop = &run->shop;
    int32_t first, until;
    interactions_days(run->store, shop, &first, &until);
    TRY(interactions_read(run->comm, run->store, shop, &run->plan->interactions, first, until,
                          &run->users, &left_out, &counts, error));
    TRY(results_write(run->comm, run->writer, "rec_left_out", "customer", &left_out, error));
    TRY(sparse_transpose(run->comm, &run->users, &run->items, error));
    TRY_ALL(run->comm, set_rules(run, error), error);
    PopularOptions popular = {.half_life_days = run->plan->popular_half_life,
                              .length = POPULAR_SPARE * run->plan->list_length,
                              .is_shown = run->is_shown};
    TRY(popular_lists_learn(run->comm, run->store, shop, &popular, &run->popular, error));
    run->summary->users = counts.users;
    run->summary->items = counts.items;
    run->summary->pairs = counts.pairs;
    log_stage(run, "recommend.history");
out:
    table_free(&left_out);
    return status;
}

static TrainData whole_history(const RecommendRun *run)
{
    return (TrainData){.users = &run->users,
                       .items = &run->items,
                       .store = run->store,
                       .shop = &run->shop,
                       .until_day = run->shop.last_day == DAY_NONE ? 0 : run->shop.last_day + 1,
                       .interactions = &run->plan->interactions};
}

/* The mix that was measured; without measures itemknn, which needs the least data. */
static BlendMix mix_of(const RecommendRun *run)
{
    if (run->summary->mix.n > 0)
        return run->summary->mix;
    return (BlendMix){.n = 1, .kinds = {MODEL_ITEMKNN}, .weights = {1}, .scales = {1}};
}

/* ---- learning ---- */

static bool has_ials(const BlendMix *mix)
{
    for (int k = 0; k < mix->n; k++) {
        if (mix->kinds[k] == MODEL_IALS && mix->weights[k] > 0)
            return true;
    }
    return false;
}

/* What is measured never begins with factors that have seen the days held out; the lists may.
 * Collective. */
static Status begin_warm(RecommendRun *run, IalsOptions *options, Error *error)
{
    Status status;
    WarmStart *start = &run->start;
    TRY(warm_start_find(run->comm, run->store, &run->shop, run->checkpoints.run, &run->items,
                        options->factors, start, error));
    if (start->source[0] == '\0')
        goto out;
    options->start = start->items;
    options->start_name = start->source;
    options->iterations = run->plan->warm_iterations;
    log_line(LOG_INFO, LOG_ROOT, "recommend.ials", "note=\"begins with %s\"", start->source);
out:
    return status;
}

/* The mix, from the whole history. Collective. */
static Status learn_mix(RecommendRun *run, Model *model, Error *error)
{
    Status status = STATUS_OK;
    TrainData data = whole_history(run);
    ModelOptions options = run->models;
    options.mix = mix_of(run);
    bool is_warm = run->plan->warm_start && has_ials(&options.mix);
    if (is_warm)
        TRY(begin_warm(run, &options.ials, error));
    TRY(model_learn(run->comm, MODEL_BLEND, &data, &options, model, error));
    if (is_warm)
        TRY(warm_start_keep(run->comm, run->store, &run->shop, run->checkpoints.run,
                            run->start.source, model_ials(model), error));
    log_stage(run, "recommend.learn");
out:
    return status;
}

/* ---- tables ---- */

/* A model that has learned from the whole history, and the lists that it makes. */
typedef struct Made {
    Model model;
    Scorer scorer;
    TopLists lists;
    Table rows;
} Made;

static void made_free(Made *made)
{
    model_free(&made->model);
    top_lists_free(&made->lists);
    table_free(&made->rows);
}

/* Collective. */
static Status list_by(RecommendRun *run, const TopRules *rules, Made *made, Error *error)
{
    const RecommendPlan *plan = run->plan;
    made->scorer = model_scorer(&made->model);
    return top_lists_make(run->comm, &run->users, &made->scorer, rules, plan->list_length,
                          plan->threads, &made->lists, error);
}

static Status write_discover(RecommendRun *run, Error *error)
{
    Status status;
    const RecommendPlan *plan = run->plan;
    Made made = {0};
    TRY(learn_mix(run, &made.model, error));
    TopRules rules = {.leave_out_owned = !plan->show_owned,
                      .is_shown = run->is_shown,
                      .category = run->category,
                      .most_per_category = plan->most_per_category};
    TRY(list_by(run, &rules, &made, error));
    ListRows from = {.store = run->store,
                     .shop = &run->shop,
                     .users = &run->users,
                     .lists = &made.lists,
                     .scorer = &made.scorer,
                     .popular = &run->popular,
                     .is_unnamed = run->is_excluded,
                     .memory = run->models.ials.memory,
                     .leave_out_owned = !plan->show_owned,
                     .threads = plan->threads};
    TRY(list_rows_make(run->comm, &from, &made.rows, error));
    TRY(results_write(run->comm, run->writer, "rec_user", "customer,rank", &made.rows, error));
    log_stage(run, "recommend.lists");
out:
    made_free(&made);
    return status;
}

static Status write_again(RecommendRun *run, Error *error)
{
    Status status;
    Made made = {0};
    TrainData data = whole_history(run);
    ModelOptions options = run->models;
    TopRules rules = {.is_shown = run->is_shown};
    options.repeat.fill_popular = false;
    TRY(model_learn(run->comm, MODEL_REPEAT, &data, &options, &made.model, error));
    TRY(list_by(run, &rules, &made, error));
    TRY(again_rows_make(run->comm, run->store, &run->shop, &run->users, &made.lists,
                        made.model.repeat, run->plan->again_days, &made.rows, error));
    TRY(results_write(run->comm, run->writer, "buy_again", "customer,rank", &made.rows, error));
    log_stage(run, "recommend.again");
out:
    made_free(&made);
    return status;
}

static Status write_items(RecommendRun *run, Error *error)
{
    Status status;
    Table rows = {0};
    ItemListOptions options = {.length = run->plan->list_length,
                               .least = COMPANIONS_LEAST,
                               .is_shown = run->is_shown,
                               .threads = run->plan->threads,
                               .memory = run->plan->models.itemknn.memory};
    TRY(item_lists_rows(run->comm, &run->shop, &run->users, &run->items, &options, &rows, error));
    TRY(results_write(run->comm, run->writer, "rec_item", "product_id,rank", &rows, error));
    log_stage(run, "recommend.items");
out:
    table_free(&rows);
    return status;
}

static Status write_small(RecommendRun *run, Error *error)
{
    Status status = STATUS_OK;
    Table rows = {0};
    TRY_ALL(run->comm,
            popular_lists_rows(&run->popular, &run->shop, run->plan->list_length, &rows, error),
            error);
    TRY(results_write_root(run->comm, run->writer, "rec_popular", "scope,name,rank", &rows, error));
    BlendMix mix = mix_of(run);
    TRY_ALL(run->comm, accuracy_rows_make(run->evaluations, run->n_evaluations, &mix, &rows, error),
            error);
    TRY(results_write_root(run->comm, run->writer, "rec_accuracy", "list,model", &rows, error));
out:
    table_free(&rows);
    return status;
}

Status recommend_run(Comm *comm, Store *store, const RecommendPlan *plan, const char *name,
                     ResultWriter *writer, RecommendSummary *summary, Error *error)
{
    Status status;
    RecommendRun run = {.comm = comm,
                        .store = store,
                        .plan = plan,
                        .writer = writer,
                        .summary = summary,
                        .checkpoints = {store, name, plan->checkpoint_seconds},
                        .models = plan->models,
                        .stage_started = clock_seconds()};
    run.models.ials.checkpoints = &run.checkpoints;
    *summary = (RecommendSummary){0};
    TRY(shop_open(comm, store, &run.shop, error));
    TRY(measure(&run, error));
    TRY(read_history(&run, error));
    TRY(write_discover(&run, error));
    TRY(write_again(&run, error));
    TRY(write_items(&run, error));
    TRY(write_small(&run, error));
out:
    run_free(&run);
    return status;
}
