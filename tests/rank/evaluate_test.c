/* Measuring: popular against plain counts on the dense matrix; every model against learning,
 * listing and measuring it alone; parts that are shared; what is left out. */
#include "recommend/evaluate.h"

#include "base/memory.h"
#include "rank/history_model.h"
#include "sparse_model.h"
#include "suites.h"

#include <math.h>
#include <string.h>

static const SparseModel shop = {.n_partitions = 8,
                                 .users_most = 14,
                                 .n_items = 40,
                                 .items_most = 30,
                                 .binary = true,
                                 .seed = 11};

static ModelOptions usual(void)
{
    return (ModelOptions){
        .itemknn = {.similarity = SIMILARITY_COSINE, .neighbours = 10, .threads = 1},
        .ease = {.lambda = 20, .threads = 1},
        .ials = {.factors = 6,
                 .iterations = 3,
                 .unobserved = .3,
                 .lambda = .05,
                 .nu = 1,
                 .deviation = .1,
                 .seed = 5,
                 .threads = 1},
        .repeat = repeat_default(),
        .ease_most_items = 1000,
        .validation_days = 10,
    };
}

/* Plain pairs, of which a fifth is held out. */
typedef struct Case {
    HeldOut held;
    TrainData data;
    float *train, *truth; /* [n_users x n_items] on every rank */
    int32_t n_users, n_items;
} Case;

static float *dense_of(const SparseSide *side)
{
    int64_t n = (int64_t)side->n_rows * side->n_columns;
    int64_t *has = mem_new(n, sizeof *has);
    float *dense = mem_new(n, sizeof *dense);
    for (int32_t p = 0; p < side->end - side->first; p++) {
        const SparseRows *rows = &side->own[p];
        for (int32_t r = 0; r < rows->n_rows; r++) {
            for (int64_t e = rows->starts[r]; e < rows->starts[r + 1]; e++)
                has[(int64_t)(rows->first_row + r) * side->n_columns + rows->columns[e]] = 1;
        }
    }
    comm_sum_i64(rank_comm(), has, n);
    for (int64_t i = 0; i < n; i++)
        dense[i] = (float)has[i];
    mem_free(&has);
    return dense;
}

static void case_open(const SparseModel *model, Case *the)
{
    Error error = {0};
    SparseSide users = {0};
    *the = (Case){.n_items = model->n_items};
    CU_ASSERT_EQUAL(sparse_model_users(rank_comm(), model, &users, &error), STATUS_OK);
    CU_ASSERT_EQUAL(held_out_share(rank_comm(), &users, .2, 7, &the->held, &error), STATUS_OK);
    the->data = (TrainData){.users = &the->held.users, .items = &the->held.items};
    the->n_users = the->held.users.n_rows;
    the->train = dense_of(&the->held.users);
    the->truth = dense_of(&the->held.truth[PROTOCOL_DISCOVER]);
    sparse_side_free(&users);
}

static void case_close(Case *the)
{
    held_out_free(&the->held);
    mem_free(&the->train);
    mem_free(&the->truth);
}

/* ---- popular, by hand ---- */

static int32_t owners_of(const Case *the, int32_t item)
{
    int32_t n = 0;
    for (int64_t u = 0; u < the->n_users; u++)
        n += the->train[u * the->n_items + item] > 0;
    return n;
}

/* The next item of the user's list: the most popular known one that is not owned or listed. */
static int32_t next_popular(const Case *the, int64_t user, const bool *is_listed)
{
    int32_t best = -1;
    for (int32_t i = 0; i < the->n_items; i++) {
        if (is_listed[i] || the->train[user * the->n_items + i] > 0 || owners_of(the, i) == 0)
            continue;
        if (best < 0 || owners_of(the, i) > owners_of(the, best))
            best = i;
    }
    return best;
}

/* Recall and hit rate at the cut. */
static void plain_popular(const Case *the, int cut, double *recall, double *hit_rate)
{
    double users = 0;
    *recall = *hit_rate = 0;
    for (int64_t u = 0; u < the->n_users; u++) {
        bool *is_listed = mem_new(the->n_items, sizeof *is_listed);
        double truths = 0, hits = 0;
        for (int32_t i = 0; i < the->n_items; i++)
            truths += (double)the->truth[u * the->n_items + i];
        for (int k = 0; k < cut && truths > 0; k++) {
            int32_t item = next_popular(the, u, is_listed);
            if (item < 0)
                break;
            is_listed[item] = true;
            hits += (double)the->truth[u * the->n_items + item];
        }
        users += truths > 0;
        *recall += truths > 0 ? hits / truths : 0;
        *hit_rate += hits > 0;
        mem_free(&is_listed);
    }
    *recall /= users;
    *hit_rate /= users;
}

/* ---- one model, step by step ---- */

static Accuracy measure_alone(const HeldOut *held, const TrainData *data, ModelKind kind,
                              Protocol protocol, const ModelOptions *options)
{
    Comm *comm = rank_comm();
    Error error = {0};
    Model model = {0};
    TopLists lists = {0};
    Accuracy accuracy = {0};
    TopRules rules = {.leave_out_owned = protocol == PROTOCOL_DISCOVER,
                      .is_shown = held->is_known,
                      .fill_unscored = kind != MODEL_REPEAT || options->repeat.fill_popular};
    Status status = model_learn(comm, kind, data, options, &model, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    if (status == STATUS_OK) {
        Scorer scorer = model_scorer(&model);
        CU_ASSERT_EQUAL(top_lists_make(comm, &held->users, &scorer, &rules, 20, 1, &lists, &error),
                        STATUS_OK);
        CU_ASSERT_EQUAL(
            accuracy_measure(comm, &held->users, &held->truth[protocol], &lists, &accuracy, &error),
            STATUS_OK);
    }
    top_lists_free(&lists);
    model_free(&model);
    return accuracy;
}

/* The measured ones, `models` at once, are those of each alone; evaluations stand protocol by
 * protocol. */
static void check_models(const HeldOut *held, const TrainData *data, const ModelKind *models, int n,
                         const ModelOptions *options)
{
    Error error = {0};
    Evaluation *evaluations = NULL;
    int n_evaluations = 0, at = 0;
    Status status = evaluate_models(rank_comm(), held, data, models, n, options, 1, &evaluations,
                                    &n_evaluations, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    for (int p = 0; status == STATUS_OK && p < PROTOCOLS; p++) {
        for (int m = 0; m < n; m++) {
            if (!evaluate_applies(models[m], (Protocol)p, data->store != NULL))
                continue;
            CU_ASSERT(at < n_evaluations);
            const Evaluation *found = &evaluations[at < n_evaluations ? at++ : 0];
            CU_ASSERT(found->model == models[m] && found->protocol == (Protocol)p);
            CU_ASSERT(!found->is_singular && found->left_out_bytes == 0);
            Accuracy alone = measure_alone(held, data, models[m], (Protocol)p, options);
            CU_ASSERT(memcmp(&found->accuracy, &alone, sizeof alone) == 0);
            CU_ASSERT_EQUAL(found->mix.n, models[m] == MODEL_BLEND ? 3 : 0);
        }
    }
    CU_ASSERT_EQUAL(at, n_evaluations);
    mem_free(&evaluations);
}

/* ---- tests ---- */

static const ModelKind plain_kinds[] = {MODEL_POPULAR, MODEL_ITEMKNN, MODEL_EASE, MODEL_IALS,
                                        MODEL_BLEND};

static void test_popular(void)
{
    Case the;
    Error error = {0};
    Evaluation *evaluations = NULL;
    int n = 0;
    ModelOptions options = usual();
    case_open(&shop, &the);
    CU_ASSERT_EQUAL(evaluate_models(rank_comm(), &the.held, &the.data, plain_kinds, 1, &options, 2,
                                    &evaluations, &n, &error),
                    STATUS_OK);
    CU_ASSERT_EQUAL(n, 1);
    for (int cut = 0; cut < ACCURACY_CUTS && n == 1; cut++) {
        double recall, hit_rate;
        plain_popular(&the, accuracy_cuts[cut], &recall, &hit_rate);
        CU_ASSERT_DOUBLE_EQUAL(evaluations[0].accuracy.recall[cut], recall, 1e-12);
        CU_ASSERT_DOUBLE_EQUAL(evaluations[0].accuracy.hit_rate[cut], hit_rate, 1e-12);
    }
    mem_free(&evaluations);
    case_close(&the);
}

/* In any order: a blend before its parts, and after them. */
static void test_pairs(void)
{
    static const ModelKind reversed[] = {MODEL_BLEND, MODEL_IALS, MODEL_EASE, MODEL_ITEMKNN,
                                         MODEL_POPULAR};
    Case the;
    ModelOptions options = usual();
    case_open(&shop, &the);
    check_models(&the.held, &the.data, plain_kinds, 5, &options);
    check_models(&the.held, &the.data, reversed, 5, &options);
    check_models(&the.held, &the.data, plain_kinds, 4, &options);
    case_close(&the);
}

static void test_store(void)
{
    static const ShopShape shape = {.name = "a store",
                                    .customers = 53,
                                    .orders = 300,
                                    .products = 31,
                                    .countries = 3,
                                    .lines_min = 1,
                                    .lines_max = 4,
                                    .first_day = -20,
                                    .n_days = 60,
                                    .anonymous = 0.1,
                                    .returns = 0.1,
                                    .cancelled = 0.1,
                                    .replaced = 0.2,
                                    .batches = 2};
    static const ModelKind kinds[] = {MODEL_POPULAR, MODEL_BLEND, MODEL_REPEAT, MODEL_ITEMKNN};
    Comm *comm = rank_comm();
    Error error = {0};
    HistoryModel model;
    HistoryStore store;
    HeldOut held = {0};
    ModelOptions options = usual();
    InteractionOptions interactions = interactions_default();
    history_model_make(&shape, 200, 60, 3, &model);
    Status status = history_store_make(comm, &model, &store, &error);
    int32_t cut_day = 25;
    if (status == STATUS_OK)
        status = held_out_from_day(comm, store.store, &store.shop, &interactions, cut_day, &held,
                                   &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    if (status == STATUS_OK) {
        TrainData data = {.users = &held.users,
                          .items = &held.items,
                          .store = store.store,
                          .shop = &store.shop,
                          .until_day = cut_day,
                          .interactions = &interactions};
        check_models(&held, &data, kinds, 4, &options);
        options.repeat.fill_popular = false;
        options.repeat.neighbours = 0;
        check_models(&held, &data, kinds + 2, 1, &options);
    }
    held_out_free(&held);
    history_store_remove(comm, &store);
    history_model_free(&model);
}

static void test_left_out(void)
{
    static const ModelKind kinds[] = {MODEL_EASE, MODEL_BLEND};
    Case the;
    Error error = {0};
    Evaluation *evaluations = NULL;
    int n = 0;
    ModelOptions options = usual();
    case_open(&shop, &the);
    options.ease_room = ease_memory(shop.n_items, 0, comm_size(rank_comm()));
    CU_ASSERT_EQUAL(model_ease_excess(&options, shop.n_items, comm_size(rank_comm())), 0);
    options.ease_room--;
    CU_ASSERT_EQUAL(evaluate_models(rank_comm(), &the.held, &the.data, kinds, 2, &options, 1,
                                    &evaluations, &n, &error),
                    STATUS_OK);
    CU_ASSERT_EQUAL(n, 2);
    if (n == 2) {
        CU_ASSERT_EQUAL(evaluations[0].left_out_bytes, options.ease_room + 1);
        CU_ASSERT_EQUAL(evaluations[1].left_out_bytes, 0);
        CU_ASSERT(evaluations[1].mix.n == 2 && evaluations[1].mix.kinds[0] == MODEL_IALS);
    }
    mem_free(&evaluations);
    case_close(&the);
}

static void test_shapes(void)
{
    static const SparseModel shapes[] = {
        {.n_partitions = 4, .users_most = 0, .n_items = 5, .items_most = 2, .seed = 1},
        {.n_partitions = 4, .users_most = 3, .n_items = 0, .items_most = 0, .seed = 3},
        {.n_partitions = 1, .users_most = 1, .n_items = 1, .items_most = 1, .seed = 4},
    };
    ModelOptions options = usual();
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        Case the;
        case_open(&shapes[i], &the);
        check_models(&the.held, &the.data, plain_kinds, 5, &options);
        case_close(&the);
    }
}

CU_TestInfo evaluate_tests[] = {
    {"popular by hand", test_popular}, {"models of plain pairs", test_pairs},
    {"models of a store", test_store}, {"ease without room", test_left_out},
    {"edge shapes", test_shapes},      CU_TEST_INFO_NULL};
