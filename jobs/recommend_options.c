/* What to learn from, how, and what to hold out: the recommend options of a run. */
#include "recommend_options.h"

#include "base/hash.h"
#include "base/suggest.h"
#include "options.h"
#include "recommend/product_list.h"
#include "store/files.h"

#include <string.h>

/* BM25's parameters as Robertson and Zaragoza 2009 recommend, and the deviation of the first
 * factors of Rendle et al. 2021. */
static const double BM25_K1 = 1.2;
static const double BM25_B = 0.75;
static const double FACTOR_DEVIATION = 0.1;

static Status refuse_model(Bytes name, Error *error)
{
    const char *names[MODEL_KINDS];
    Buffer text = {0};
    char wrong[64] = {0};
    memcpy(wrong, name.data, (size_t)(name.size < 63 ? name.size : 63));
    for (int kind = 0; kind < MODEL_KINDS; kind++)
        names[kind] = model_name((ModelKind)kind);
    buffer_printf(&text, "--models (or models under [recommend]): there is no model '%s'", wrong);
    suggest_words(&text, wrong, names, MODEL_KINDS, "");
    Status status = error_set(error, STATUS_USAGE, __FILE__, __LINE__, "%s", buffer_string(&text));
    buffer_free(&text);
    return status;
}

/* Each model once, in the order given; "all": those that can learn from what there is. */
static Status read_models(const Config *config, RecommendOptions *options, Error *error)
{
    static const char separators[] = ", ";
    Status status = STATUS_OK;
    bool chosen[MODEL_KINDS] = {false};
    bool has_orders = options->train == NULL && !options->leave_last_basket;
    const char *at = config_text(config, "models");
    bool is_all = strcmp(at, "all") == 0;
    options->has_all_models = is_all;
    for (int kind = 0; is_all && kind < MODEL_KINDS; kind++) {
        if (kind != MODEL_REPEAT || has_orders)
            options->models[options->n_models++] = (ModelKind)kind;
    }
    for (at += strspn(at, separators); !is_all && *at != '\0'; at += strspn(at, separators)) {
        Bytes name = {.data = at, .size = (int64_t)strcspn(at, separators)};
        ModelKind kind = model_by_name(name);
        if (kind == MODEL_KINDS)
            TRY(refuse_model(name, error));
        if (kind == MODEL_REPEAT && !has_orders)
            FAIL(error, STATUS_USAGE,
                 "--models: %s learns from a store's orders up to a day; it takes neither --train "
                 "nor --leave-last-basket",
                 model_name(kind));
        if (!chosen[kind])
            options->models[options->n_models++] = kind;
        chosen[kind] = true;
        at += name.size;
    }
    if (options->n_models == 0)
        FAIL(error, STATUS_USAGE,
             "--models (or models under [recommend]) names no model; say 'all' for all of them");
out:
    return status;
}

/* Files or a store, and what is held out. */
static Status read_split(const Config *config, RecommendOptions *options, Error *error)
{
    Status status = STATUS_OK;
    const char *date = config_text(config, "split-date");
    options->train = config_text(config, "train");
    options->test = config_text(config, "test");
    options->has_split_date = date != NULL;
    options->leave_last_basket = config_switch(config, "leave-last-basket");
    if ((options->train == NULL) != (options->test == NULL))
        FAIL(error, STATUS_USAGE, "--%s needs --%s: pairs to learn from, and pairs to measure by",
             options->train != NULL ? "train" : "test", options->train != NULL ? "test" : "train");
    int ways = (options->train != NULL) + options->has_split_date + options->leave_last_basket;
    if (ways > 1)
        FAIL(error, STATUS_USAGE,
             "--test, --split-date and --leave-last-basket each say what is held out; give one");
    if (date != NULL)
        TRY(options_day("--split-date", date, &options->split_date, error));
out:
    return status;
}

static Status read_similarity(const Config *config, Similarity *similarity, Error *error)
{
    Status status = STATUS_OK;
    const char *text = config_text(config, "knn-similarity");
    *similarity = strcmp(text, "bm25") == 0 ? SIMILARITY_BM25 : SIMILARITY_COSINE;
    if (*similarity == SIMILARITY_COSINE && strcmp(text, "cosine") != 0)
        FAIL(error, STATUS_USAGE,
             "--knn-similarity (or knn_similarity under [recommend]) '%.40s' is neither cosine "
             "nor bm25",
             text);
out:
    return status;
}

static Status read_model_options(const Config *config, int threads, ModelOptions *options,
                                 Error *error)
{
    Status status;
    int64_t memory = 0;
    Similarity similarity = SIMILARITY_COSINE;
    bool fill = true;
    TRY(options_yes_no(config, "repeat-fill", &fill, error));
    TRY(options_memory(config, &memory, error));
    TRY(read_similarity(config, &similarity, error));
    options->itemknn = (ItemknnOptions){.similarity = similarity,
                                        .neighbours = config_int(config, "knn-neighbours"),
                                        .shrinkage = config_real(config, "knn-shrinkage"),
                                        .bm25_k1 = BM25_K1,
                                        .bm25_b = BM25_B,
                                        .threads = threads,
                                        .memory = memory};
    options->ease = (EaseOptions){.lambda = config_real(config, "ease-lambda"),
                                  .keep = config_int(config, "ease-keep"),
                                  .threads = threads,
                                  .memory = memory};
    options->ials = (IalsOptions){.factors = (int)config_int(config, "factors"),
                                  .iterations = (int)config_int(config, "iterations"),
                                  .unobserved = config_real(config, "unobserved"),
                                  .lambda = config_real(config, "ials-lambda"),
                                  .nu = config_real(config, "ials-nu"),
                                  .deviation = FACTOR_DEVIATION,
                                  .block = (int)config_int(config, "ials-block"),
                                  .seed = (uint64_t)config_int(config, "seed"),
                                  .threads = threads,
                                  .memory = memory};
    options->repeat =
        (RepeatOptions){.decay = config_real(config, "repeat-decay"),
                        .fill_popular = fill,
                        .returns_take_away = !config_switch(config, "keep-returned"),
                        .neighbours = config_int(config, "repeat-neighbours"),
                        .neighbour_weight = config_real(config, "repeat-neighbour-weight"),
                        .threads = threads,
                        .memory = memory};
    options->ease_most_items = (int32_t)config_int(config, "ease-most-items");
    options->validation_days = (int32_t)config_int(config, "split-days");
out:
    return status;
}

static InteractionOptions read_interactions(const Config *config)
{
    InteractionOptions options = interactions_default();
    options.weight_order = config_real(config, "weight-order");
    options.weight_cart = config_real(config, "weight-cart");
    options.weight_view = config_real(config, "weight-view");
    options.weight_review = config_real(config, "weight-review");
    options.weight_pair = config_real(config, "weight-pair");
    options.half_life_days = config_real(config, "half-life");
    options.most_items = config_int(config, "most-items");
    options.most_events_a_day = config_int(config, "most-events");
    options.returns_take_away = !config_switch(config, "keep-returned");
    return options;
}

Status recommend_options_read(const Config *config, RecommendOptions *options, Error *error)
{
    Status status;
    *options = (RecommendOptions){
        .plan = {.interactions = read_interactions(config),
                 .held_out_days = (int32_t)config_int(config, "split-days"),
                 .list_length = (int)config_int(config, "list-length"),
                 .most_per_category = (int)config_int(config, "most-per-category"),
                 .show_owned = config_switch(config, "show-owned"),
                 .show_sold_out = config_switch(config, "show-sold-out"),
                 .again_days = config_int(config, "again-days"),
                 .popular_half_life = config_real(config, "popular-half-life"),
                 .warm_iterations = (int)config_int(config, "warm-iterations"),
                 .checkpoint_seconds = config_real(config, "checkpoint-seconds"),
                 .threads = (int)config_int(config, "threads")}};
    TRY(options_yes_no(config, "warm-start", &options->plan.warm_start, error));
    TRY(read_split(config, options, error));
    TRY(read_models(config, options, error));
    TRY(read_model_options(config, options->plan.threads, &options->plan.models, error));
out:
    return status;
}

/* ---- product lists ---- */

enum { LIST_BYTES_MAX = 1 << 28 };

/* The file that `flag` names, if it names one. */
static Status read_list(const Config *config, const char *flag, Buffer *contents, Error *error)
{
    Status status = STATUS_OK;
    const char *path = config_text(config, flag);
    if (path == NULL)
        return STATUS_OK;
    if (files_read_small(path, LIST_BYTES_MAX, contents, error) != STATUS_OK) {
        Error cause = *error;
        FAIL(error, STATUS_USAGE, "--%s (or %s under [recommend]): %s", flag, flag, cause.message);
    }
    if (contents->size == 0) /* which is a list all the same */
        buffer_append(contents, "\n", 1);
    if (strcmp(flag, "allow") == 0 && product_list_is_empty(buffer_view(contents)))
        FAIL(error, STATUS_USAGE, "--allow: %s names no product, so that nothing would be shown",
             path);
out:
    return status;
}

static Status read_lists(const Config *config, RecommendOptions *options, Error *error)
{
    Status status;
    TRY(read_list(config, "exclude", &options->exclude, error));
    TRY(read_list(config, "allow", &options->allow, error));
out:
    return status;
}

Status recommend_options_read_lists(Comm *comm, const Config *config, RecommendOptions *options,
                                    Error *error)
{
    Status status;
    TRY_ALL(comm, comm_rank(comm) == 0 ? read_lists(config, options, error) : STATUS_OK, error);
    comm_broadcast_buffer(comm, 0, &options->exclude);
    comm_broadcast_buffer(comm, 0, &options->allow);
    options->plan.exclude = buffer_view(&options->exclude);
    options->plan.allow = buffer_view(&options->allow);
out:
    return status;
}

void recommend_options_name(const Config *config, const RecommendOptions *options,
                            int64_t generation, char name[STORE_NAME_SIZE])
{
    const Buffer *lists[] = {&options->exclude, &options->allow};
    Buffer contents = {0};
    for (int i = 0; i < 2; i++) {
        if (lists[i]->size > 0)
            buffer_printf(&contents, "list %d %016llx\n", i,
                          (unsigned long long)hash64(lists[i]->data, lists[i]->size));
    }
    options_results_name(config, PART_RECOMMEND, generation, buffer_view(&contents), name);
    buffer_free(&contents);
}

void recommend_options_free(RecommendOptions *options)
{
    buffer_free(&options->exclude);
    buffer_free(&options->allow);
}
