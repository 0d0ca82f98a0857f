/* EASE over the ranks against the inverse of the whole matrix by elimination. (The same bits at any
 * number of ranks: tests/job/recommend.sh.) */
#include "recommend/ease.h"

#include "base/memory.h"
#include "sparse_model.h"
#include "suites.h"

#include <float.h>
#include <math.h>
#include <string.h>

static const SparseModel shop = {
    .n_partitions = 16, .users_most = 12, .n_items = 50, .items_most = 30, .seed = 3};

static const EaseOptions usual = {.lambda = 2.5, .threads = 2, .tile = 16};

/* B as eq. 8 says, [n x n] row-major, of dense X [users x n]. */
static double *plain_ease(const float *dense, int32_t n_users, int32_t n, double lambda)
{
    double *a = mem_new((int64_t)n * n, sizeof *a), *p = mem_new((int64_t)n * n, sizeof *p);
    for (int32_t i = 0; i < n; i++) {
        p[i * n + i] = 1;
        a[i * n + i] = lambda;
        for (int32_t j = 0; j < n; j++)
            for (int32_t u = 0; u < n_users; u++)
                a[i * n + j] += (double)dense[u * n + i] * (double)dense[u * n + j];
    }
    for (int32_t k = 0; k < n; k++)
        for (int32_t i = 0; i < n; i++) {
            double factor = i == k ? 1 - 1 / a[k * n + k] : a[i * n + k] / a[k * n + k];
            for (int32_t j = 0; j < n; j++) {
                a[i * n + j] -= factor * a[k * n + j];
                p[i * n + j] -= factor * p[k * n + j];
            }
        }
    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j < n; j++)
            a[i * n + j] = i == j ? 0 : -p[i * n + j] / p[j * n + j];
    mem_free(&p);
    return a;
}

/* Weights learned from the model's matrix. Collective. */
static ItemWeights learn(const SparseModel *model, const EaseOptions *options, bool *singular)
{
    Comm *comm = rank_comm();
    Error error = {0};
    SparseSide users = {0}, items = {0};
    ItemWeights weights = {0};
    CU_ASSERT_EQUAL(sparse_model_users(comm, model, &users, &error), STATUS_OK);
    CU_ASSERT_EQUAL(sparse_transpose(comm, &users, &items, &error), STATUS_OK);
    CU_ASSERT_EQUAL(ease_learn(comm, &users, &items, options, &weights, singular, &error),
                    STATUS_OK);
    sparse_side_free(&users);
    sparse_side_free(&items);
    return weights;
}

static double weight_of(const ItemWeights *weights, int32_t i, int32_t j)
{
    for (int64_t k = weights->starts[i]; k < weights->starts[i + 1]; k++)
        if (weights->columns[k] == j)
            return (double)weights->values[k];
    return 0;
}

/* The row has the greatest of B, and nothing else. */
static void check_row(const ItemWeights *weights, const double *b, int32_t i, int64_t keep,
                      double tolerance)
{
    int32_t n = weights->n_items;
    int64_t has = weights->starts[i + 1] - weights->starts[i];
    CU_ASSERT(has <= (keep > 0 ? keep : n)); /* all: an item leads to itself by 0 */
    double least = keep > 0 && has == keep ? (double)FLT_MAX : 0, worst = 0;
    for (int64_t k = weights->starts[i]; k < weights->starts[i + 1]; k++) {
        CU_ASSERT(k == weights->starts[i] || weights->columns[k - 1] < weights->columns[k]);
        worst = fmax(worst, fabs((double)weights->values[k] - b[i * n + weights->columns[k]]));
        least = fmin(least, fabs((double)weights->values[k]));
    }
    CU_ASSERT(worst <= tolerance);
    for (int32_t j = 0; j < n; j++)
        if (weight_of(weights, i, j) == 0)
            CU_ASSERT(fabs(b[i * n + j]) <= least + tolerance);
}

static void check_against_plain(const SparseModel *model, const EaseOptions *options,
                                double tolerance)
{
    int32_t n_users;
    bool singular = true;
    float *dense = sparse_model_dense(model, &n_users);
    double *b = plain_ease(dense, n_users, model->n_items, options->lambda);
    ItemWeights weights = learn(model, options, &singular);
    CU_ASSERT_FALSE(singular);
    CU_ASSERT_EQUAL(weights.n_items, model->n_items);
    for (int32_t i = 0; i < weights.n_items; i++)
        check_row(&weights, b, i, options->keep, tolerance);
    item_weights_free(&weights);
    mem_free(&dense);
    mem_free(&b);
}

static void test_weights(void)
{
    EaseOptions options = usual;
    SparseModel model = shop;
    for (int binary = 0; binary < 2; binary++) {
        model.binary = binary;
        options.keep = 0;
        check_against_plain(&model, &options, 1e-6);
        options.keep = 7;
        check_against_plain(&model, &options, 1e-6);
        options.keep = 1000;
        check_against_plain(&model, &options, 1e-6);
    }
    options.keep = 0;
    options.single = true;
    check_against_plain(&model, &options, 1e-4);
    options = (EaseOptions){.lambda = 100, .threads = 1}; /* one tile, larger than the matrix */
    check_against_plain(&model, &options, 1e-6);
}

/* How much is handed over at a time, and by how many threads, does not show. */
static void test_rounds_and_threads(void)
{
    bool singular;
    EaseOptions options = usual;
    options.keep = 20;
    ItemWeights want = learn(&shop, &options, &singular);
    for (int32_t rows = 1; rows <= 9; rows += 4)
        for (int threads = 1; threads <= 3; threads += 2) {
            options.rows = rows;
            options.threads = threads;
            ItemWeights got = learn(&shop, &options, &singular);
            int64_t n = want.starts[want.n_items];
            bool same = got.starts[got.n_items] == n;
            CU_ASSERT(same);
            CU_ASSERT(same && memcmp(got.columns, want.columns, (size_t)n * sizeof(int32_t)) == 0);
            CU_ASSERT(same && memcmp(got.values, want.values, (size_t)n * sizeof(float)) == 0);
            item_weights_free(&got);
        }
    item_weights_free(&want);
}

/* More items than users can tell apart: without lambda the matrix has no inverse. */
static void test_singular(void)
{
    SparseModel model = shop;
    EaseOptions options = usual;
    bool singular = false;
    model.users_most = 2;
    options.lambda = 0;
    ItemWeights weights = learn(&model, &options, &singular);
    CU_ASSERT(singular);
    CU_ASSERT_PTR_NULL(weights.starts);
    item_weights_free(&weights);
    options.lambda = 1;
    check_against_plain(&model, &options, 1e-6);
}

static void test_few(void)
{
    SparseModel model = shop;
    bool singular = true;
    model.n_items = 1; /* nothing to say of it */
    check_against_plain(&model, &usual, 1e-6);
    model = shop;
    model.items_most = 1; /* no two items of one user, and items without any */
    ItemWeights weights = learn(&model, &usual, &singular);
    CU_ASSERT_FALSE(singular);
    CU_ASSERT_EQUAL(weights.starts[weights.n_items], 0);
    item_weights_free(&weights);
    model.users_most = 0;
    weights = learn(&model, &usual, &singular);
    CU_ASSERT_FALSE(singular);
    CU_ASSERT_EQUAL(weights.n_items, model.n_items);
    CU_ASSERT_EQUAL(weights.starts[weights.n_items], 0);
    item_weights_free(&weights);
}

/* Too little memory is said before any is taken; enough is enough. */
static void test_memory(void)
{
    Comm *comm = rank_comm();
    SparseSide users = {0}, items = {0};
    Error error = {0};
    EaseOptions options = usual;
    ItemWeights weights = {0};
    bool singular;
    CU_ASSERT_EQUAL(sparse_model_users(comm, &shop, &users, &error), STATUS_OK);
    CU_ASSERT_EQUAL(sparse_transpose(comm, &users, &items, &error), STATUS_OK);
    options.memory = ease_memory(items.n_rows, options.keep, comm_size(comm));
    CU_ASSERT_EQUAL(ease_learn(comm, &users, &items, &options, &weights, &singular, &error),
                    STATUS_OK);
    item_weights_free(&weights);
    options.memory--;
    CU_ASSERT_EQUAL(ease_learn(comm, &users, &items, &options, &weights, &singular, &error),
                    STATUS_MEMORY);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "ease with 50 items needs"));
    /* 20,000 items: 0.8 GB in tiles */
    CU_ASSERT(ease_memory(20000, EASE_KEEP, 1) > 800000000);
    CU_ASSERT(ease_memory(20000, EASE_KEEP, 1) < 1400000000);
    CU_ASSERT(ease_memory(20000, EASE_KEEP, 8) < 350000000);
    CU_ASSERT(ease_memory(20000, 0, 8) > 3200000000);
    CU_ASSERT_EQUAL(ease_default_keep(EASE_SMALL), 0);
    CU_ASSERT_EQUAL(ease_default_keep(EASE_SMALL + 1), EASE_KEEP);
    sparse_side_free(&users);
    sparse_side_free(&items);
}

CU_TestInfo ease_tests[] = {
    {"weights", test_weights},   {"rounds and threads", test_rounds_and_threads},
    {"singular", test_singular}, {"few", test_few},
    {"memory", test_memory},     CU_TEST_INFO_NULL,
};
