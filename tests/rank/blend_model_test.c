/* The blend as a model: it does what learning its parts one by one, choosing, and learning again
 * does. */
#include "recommend/blend_model.h"

#include "base/memory.h"
#include "recommend/held_out.h"
#include "sparse_model.h"
#include "suites.h"

#include <math.h>
#include <string.h>

static const SparseModel shop = {
    .n_partitions = 16, .users_most = 14, .n_items = 40, .items_most = 30, .seed = 11};

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
        .ease_most_items = 1000,
    };
}

typedef struct Case {
    SparseSide users, items;
    TrainData data;
} Case;

static void case_open(const SparseModel *model, Case *the)
{
    Error error = {0};
    *the = (Case){0};
    CU_ASSERT_EQUAL(sparse_model_users(rank_comm(), model, &the->users, &error), STATUS_OK);
    CU_ASSERT_EQUAL(sparse_transpose(rank_comm(), &the->users, &the->items, &error), STATUS_OK);
    the->data = (TrainData){.users = &the->users, .items = &the->items};
}

static void case_close(Case *the)
{
    sparse_side_free(&the->users);
    sparse_side_free(&the->items);
}

/* Scores of all own users and items, [own rows x n_items]. Collective. */
static float *all_scores(const Scorer *scorer, const SparseSide *users)
{
    Error error = {0};
    int64_t row = 0, n = users->n_columns;
    float *scores = mem_new(sparse_own_rows(users) * n, sizeof *scores);
    if (scorer->prepare != NULL)
        CU_ASSERT_EQUAL(scorer->prepare(rank_comm(), scorer->model, 0, users->n_columns, &error),
                        STATUS_OK);
    for (int32_t p = 0; p < users->end - users->first; p++) {
        const SparseRows *rows = &users->own[p];
        float *spare = mem_new(rows->n_rows * n, sizeof *spare);
        ScoreTile tile = {.users = rows,
                          .partition = p,
                          .n_users = rows->n_rows,
                          .n_items = users->n_columns,
                          .spare = spare};
        if (rows->n_rows > 0)
            scorer->score(scorer->model, &tile, scores + row * n);
        row += rows->n_rows;
        mem_free(&spare);
    }
    return scores;
}

/* sum += the scores of a model of this kind, learned from all data, times the factor. */
static void add_part(const Case *the, const ModelOptions *options, ModelKind kind, float factor,
                     float *sum)
{
    Error error = {0};
    Model part;
    CU_ASSERT_EQUAL(model_learn(rank_comm(), kind, &the->data, options, &part, &error), STATUS_OK);
    Scorer scorer = model_scorer(&part);
    float *scores = all_scores(&scorer, &the->users);
    int64_t n = (int64_t)sparse_own_rows(&the->users) * the->users.n_columns;
    for (int64_t i = 0; i < n; i++) {
        if (scores[i] != SCORE_NONE)
            sum[i] = (sum[i] == SCORE_NONE ? 0 : sum[i]) + factor * scores[i];
    }
    mem_free(&scores);
    model_free(&part);
}

/* Weights and scales that a fifth of the pairs chooses for models of these kinds. */
static Blend choose_by_hand(const Case *the, const ModelOptions *options, const ModelKind *kinds,
                            int n)
{
    Comm *comm = rank_comm();
    Error error = {0};
    HeldOut held = {0};
    double ndcg;
    Model parts[BLEND_PARTS_MAX] = {0};
    Blend blend = {.n = n};
    CU_ASSERT_EQUAL(held_out_share(comm, the->data.users, .2, options->ials.seed, &held, &error),
                    STATUS_OK);
    TrainData data = {.users = &held.users, .items = &held.items};
    for (int k = 0; k < n; k++) {
        CU_ASSERT_EQUAL(model_learn(comm, kinds[k], &data, options, &parts[k], &error), STATUS_OK);
        blend.parts[k] = model_scorer(&parts[k]);
    }
    CU_ASSERT_EQUAL(
        blend_choose(comm, &held.users, &held.truth[PROTOCOL_DISCOVER], 1, &blend, &ndcg, &error),
        STATUS_OK);
    for (int k = 0; k < n; k++)
        model_free(&parts[k]);
    held_out_free(&held);
    return blend;
}

static void check_scores(const Case *the, const ModelOptions *options, const ModelKind *kinds,
                         const Blend *blend, const float *scores)
{
    int64_t wrong = 0, n = (int64_t)sparse_own_rows(&the->users) * the->users.n_columns;
    float *wanted = mem_new(n, sizeof *wanted);
    for (int64_t i = 0; i < n; i++)
        wanted[i] = SCORE_NONE;
    for (int k = 0; k < blend->n; k++) {
        if (blend->weights[k] > 0)
            add_part(the, options, kinds[k], (float)(blend->weights[k] / blend->scales[k]), wanted);
    }
    for (int64_t i = 0; i < n; i++)
        wrong += wanted[i] != scores[i];
    CU_ASSERT_EQUAL(wrong, 0);
    mem_free(&wanted);
}

/* A blend of models of these kinds is learned, and scores as they do. */
static void check(const SparseModel *model, const ModelOptions *options, const ModelKind *kinds,
                  int n)
{
    Comm *comm = rank_comm();
    Error error = {0};
    Case the;
    Model blend;
    case_open(model, &the);
    Status status = model_learn(comm, MODEL_BLEND, &the.data, options, &blend, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    CU_ASSERT_FALSE(blend.is_singular);
    CU_ASSERT_EQUAL(blend.blend.n, n);
    if (status == STATUS_OK && blend.blend.n == n) {
        Blend wanted = choose_by_hand(&the, options, kinds, n);
        for (int k = 0; k < n; k++) {
            CU_ASSERT_EQUAL(blend.blend.weights[k], wanted.weights[k]);
            CU_ASSERT_EQUAL(blend.blend.scales[k], wanted.scales[k]);
            CU_ASSERT_EQUAL(blend.part_kinds[k], kinds[k]);
        }
        Scorer scorer = model_scorer(&blend);
        float *scores = all_scores(&scorer, &the.users);
        check_scores(&the, options, kinds, &wanted, scores);
        mem_free(&scores);
    }
    model_free(&blend);
    case_close(&the);
}

static const ModelKind all_kinds[] = {MODEL_EASE, MODEL_IALS, MODEL_ITEMKNN};

static void test_as_by_hand(void)
{
    ModelOptions options = usual();
    check(&shop, &options, all_kinds, 3);
    options.ials.seed = 6;
    options.ease.lambda = 1;
    options.ease.threads = options.ials.threads = options.itemknn.threads = 2;
    check(&shop, &options, all_kinds, 3);
}

/* With more items than it may have there is no ease. */
static void test_too_large_for_ease(void)
{
    ModelOptions options = usual();
    options.ease_most_items = shop.n_items;
    check(&shop, &options, all_kinds, 3);
    options.ease_most_items--;
    check(&shop, &options, all_kinds + 1, 2);
}

/* A mix that is given is taken as it is. */
static void test_mix(void)
{
    Comm *comm = rank_comm();
    Error error = {0};
    Case the;
    Model model;
    ModelOptions options = usual();
    static const ModelKind kinds[] = {MODEL_ITEMKNN, MODEL_POPULAR, MODEL_IALS};
    static const Blend blend = {.n = 3, .weights = {.25, 0, .75}, .scales = {2, 3, .5}};
    options.mix.n = 3;
    memcpy(options.mix.kinds, kinds, sizeof kinds);
    memcpy(options.mix.weights, blend.weights, sizeof blend.weights);
    memcpy(options.mix.scales, blend.scales, sizeof blend.scales);
    case_open(&shop, &the);
    Status status = model_learn(comm, MODEL_BLEND, &the.data, &options, &model, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    if (status == STATUS_OK) {
        BlendMix mix = model_mix(&model);
        CU_ASSERT_EQUAL(mix.n, 3);
        for (int k = 0; k < 3; k++) {
            CU_ASSERT_EQUAL(mix.kinds[k], kinds[k]);
            CU_ASSERT_EQUAL(mix.weights[k], blend.weights[k]);
            CU_ASSERT_EQUAL(mix.scales[k], blend.scales[k]);
        }
        Scorer scorer = model_scorer(&model);
        float *scores = all_scores(&scorer, &the.users);
        check_scores(&the, &options, kinds, &blend, scores);
        mem_free(&scores);
    }
    model_free(&model);
    case_close(&the);
}

/* More items than users and no lambda: ease has nothing to say, and the others are left. */
static void test_singular(void)
{
    SparseModel wide = shop;
    ModelOptions options = usual();
    wide.n_items = 300;
    options.ease.lambda = 0;
    check(&wide, &options, all_kinds + 1, 2);
}

static void test_shapes(void)
{
    static const SparseModel shapes[] = {
        {.n_partitions = 4, .users_most = 0, .n_items = 5, .items_most = 2, .seed = 1},
        {.n_partitions = 4, .users_most = 3, .n_items = 5, .items_most = 0, .seed = 2},
        {.n_partitions = 4, .users_most = 3, .n_items = 0, .items_most = 0, .seed = 3},
        {.n_partitions = 1, .users_most = 1, .n_items = 1, .items_most = 1, .seed = 4},
    };
    ModelOptions options = usual();
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        check(&shapes[i], &options, all_kinds, 3);
}

CU_TestInfo blend_model_tests[] = {
    {"as by hand", test_as_by_hand},   {"too large for ease", test_too_large_for_ease},
    {"a mix that is given", test_mix}, {"a singular part", test_singular},
    {"edge shapes", test_shapes},      CU_TEST_INFO_NULL};
