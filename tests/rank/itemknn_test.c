/* ItemKNN against its definition on the dense matrix: weights by plain loops, the k most similar by
 * counting who stands before whom. */
#include "recommend/itemknn.h"

#include "base/hash.h"
#include "base/memory.h"
#include "sparse_model.h"
#include "suites.h"

#include <math.h>
#include <string.h>

/* ---- the definition ---- */

/* What is learned from: a dense matrix [users x items]. */
typedef struct Dense {
    float *values;
    int32_t users, items;
} Dense;

static double length_of(const Dense *dense, int64_t user)
{
    double sum = 0;
    for (int32_t i = 0; i < dense->items; i++)
        sum += (double)dense->values[user * dense->items + i];
    return sum;
}

/* Values by BM25 (docs/methods/itemknn.md): users are documents, items terms. */
static void weigh_bm25(Dense *dense, const ItemknnOptions *options)
{
    double *lengths = mem_new(dense->users, sizeof *lengths), total = 0, active = 0;
    for (int64_t u = 0; u < dense->users; u++) {
        lengths[u] = length_of(dense, u);
        total += lengths[u];
        active += lengths[u] > 0;
    }
    for (int32_t i = 0; i < dense->items; i++) {
        double having = 0;
        for (int64_t u = 0; u < dense->users; u++)
            having += dense->values[u * dense->items + i] > 0;
        for (int64_t u = 0; u < dense->users; u++) {
            float *x = &dense->values[u * dense->items + i];
            double norm = 1 - options->bm25_b + options->bm25_b * lengths[u] / (total / active);
            if (*x > 0)
                *x = (float)(log(active / having) * (double)*x * (options->bm25_k1 + 1) /
                             (options->bm25_k1 * norm + (double)*x));
        }
    }
    mem_free(&lengths);
}

static double product_of(const Dense *dense, int32_t i, int32_t j)
{
    double sum = 0;
    for (int64_t u = 0; u < dense->users; u++) {
        const float *line = dense->values + u * dense->items;
        sum += (double)line[i] * (double)line[j];
    }
    return sum;
}

/* similarities [items x items]: of item j to item i at [j * items + i]; 0 for j itself. */
static float *similarities_of(const Dense *dense, const ItemknnOptions *options)
{
    int64_t n = dense->items;
    float *all = mem_new(n * n, sizeof *all);
    for (int32_t j = 0; j < n; j++) {
        for (int32_t i = 0; i < n; i++) {
            double sum = product_of(dense, i, j);
            if (options->similarity == SIMILARITY_COSINE && sum > 0)
                sum /= sqrt(product_of(dense, i, i)) * sqrt(product_of(dense, j, j)) +
                       options->shrinkage;
            all[j * n + i] = i == j ? 0 : (float)sum;
        }
    }
    return all;
}

/* weights [items x items]: from item i to j at [i * items + j], 0 where i is not among the k items
 * most similar to j. */
static float *weights_of(const Dense *dense, const ItemknnOptions *options)
{
    int64_t n = dense->items;
    float *all = similarities_of(dense, options), *weights = mem_new(n * n, sizeof *weights);
    for (int64_t j = 0; j < n; j++) {
        const float *row = all + j * n;
        for (int64_t i = 0; i < n; i++) {
            int64_t before = 0;
            for (int64_t other = 0; other < n; other++)
                before += row[other] > row[i] || (row[other] == row[i] && other < i);
            weights[i * n + j] = before < options->neighbours ? row[i] : 0;
        }
    }
    mem_free(&all);
    return weights;
}

/* ---- comparing ---- */

static int64_t count_differences(const ItemWeights *got, const float *wanted)
{
    int64_t wrong = 0, n = got->n_items;
    for (int64_t i = 0; i < n; i++) {
        int64_t at = got->starts[i];
        for (int64_t j = 0; j < n; j++) {
            bool is_there = at < got->starts[i + 1] && got->columns[at] == j;
            float value = is_there ? got->values[at] : 0;
            wrong += is_there != (wanted[i * n + j] != 0);
            wrong += fabsf(value - wanted[i * n + j]) > 1e-6F * wanted[i * n + j];
            at += is_there;
        }
        wrong += at != got->starts[i + 1];
    }
    return wrong;
}

/* Scores of this rank's users: sums over the items that they have, NONE where no weight leads. */
static int64_t check_scores(ItemWeights *got, const SparseSide *users, const float *dense,
                            const float *weights)
{
    int64_t wrong = 0, n = got->n_items;
    Scorer scorer = item_weights_scorer("itemknn", got);
    float *scores = mem_new(n, sizeof *scores);
    for (int32_t p = 0; p < users->end - users->first; p++) {
        const SparseRows *rows = &users->own[p];
        for (int32_t r = 0; r < rows->n_rows; r++) {
            const float *line = dense + (int64_t)(rows->first_row + r) * n;
            ScoreTile tile = {.users = rows,
                              .partition = p,
                              .first_user = r,
                              .n_users = 1,
                              .n_items = got->n_items};
            scorer.score(scorer.model, &tile, scores);
            for (int64_t j = 0; j < n; j++) {
                double sum = 0;
                for (int64_t i = 0; i < n; i++)
                    sum += (double)line[i] * (double)weights[i * n + j];
                wrong += sum > 0 ? !(fabs((double)scores[j] - sum) <= 1e-5 * sum)
                                 : scores[j] != SCORE_NONE;
            }
        }
    }
    mem_free(&scores);
    return wrong;
}

static uint64_t hash_of(const ItemWeights *weights)
{
    int64_t n = weights->n_items, entries = weights->starts[n];
    return hash64(weights->starts, (n + 1) * (int64_t)sizeof(int64_t)) ^
           3 * hash64(weights->columns, entries * (int64_t)sizeof(int32_t)) ^
           5 * hash64(weights->values, entries * (int64_t)sizeof(float));
}

/* The same bytes with other threads, in little memory, and on every rank. */
static void check_same_bits(const SparseSide *users, const SparseSide *items,
                            const ItemknnOptions *options, const ItemWeights *weights)
{
    Comm *comm = rank_comm();
    Error error = {0};
    static const struct {
        int threads;
        int64_t memory;
    } ways[] = {{2, 0}, {1, 1}, {3, 2000}};
    uint64_t hash = hash_of(weights), root = hash;
    comm_broadcast(comm, 0, &root, sizeof root);
    CU_ASSERT_EQUAL(hash, root);
    for (size_t w = 0; w < sizeof ways / sizeof ways[0]; w++) {
        ItemWeights again = {0};
        ItemknnOptions other = *options;
        other.threads = ways[w].threads;
        other.memory = ways[w].memory;
        CU_ASSERT_EQUAL(itemknn_learn(comm, users, items, &other, &again, &error), STATUS_OK);
        if (again.starts != NULL)
            CU_ASSERT_EQUAL(hash_of(&again), hash);
        item_weights_free(&again);
    }
}

/* Of a dense matrix [n_users x n_items]. */
static void check(const float *values, int32_t n_users, int32_t n_items, int32_t partitions,
                  const ItemknnOptions *options)
{
    Comm *comm = rank_comm();
    Error error = {0};
    SparseSide users = {0}, items = {0};
    ItemWeights weights = {0};
    int64_t n = (int64_t)n_users * n_items;
    Dense dense = {.values = mem_new(n, sizeof *values), .users = n_users, .items = n_items};
    memcpy(dense.values, values, (size_t)n * sizeof *values);
    if (options->similarity == SIMILARITY_BM25)
        weigh_bm25(&dense, options);
    float *wanted = weights_of(&dense, options);
    CU_ASSERT_EQUAL(
        sparse_model_of_dense(comm, values, n_users, n_items, partitions, &users, &error),
        STATUS_OK);
    CU_ASSERT_EQUAL(sparse_transpose(comm, &users, &items, &error), STATUS_OK);
    Status status = itemknn_learn(comm, &users, &items, options, &weights, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    if (status == STATUS_OK) {
        CU_ASSERT_EQUAL(weights.n_items, n_items);
        CU_ASSERT_EQUAL(count_differences(&weights, wanted), 0);
        CU_ASSERT_EQUAL(check_scores(&weights, &users, values, wanted), 0);
        check_same_bits(&users, &items, options, &weights);
    }
    item_weights_free(&weights);
    sparse_side_free(&users);
    sparse_side_free(&items);
    mem_free(&wanted);
    mem_free(&dense.values);
}

static const ItemknnOptions cosine = {
    .similarity = SIMILARITY_COSINE, .neighbours = 7, .threads = 1};
static const ItemknnOptions bm25 = {
    .similarity = SIMILARITY_BM25, .neighbours = 7, .bm25_k1 = 1.2, .bm25_b = .75, .threads = 1};

/* By both similarities, with few neighbours, one, and more than there are items. */
static void check_both(const float *values, int32_t n_users, int32_t n_items, int32_t partitions)
{
    ItemknnOptions options[] = {cosine, cosine, cosine, bm25, bm25, bm25};
    options[1].shrinkage = 2.5;
    options[1].neighbours = 1;
    options[2].neighbours = 1000;
    options[4].bm25_k1 = 100;
    options[4].bm25_b = 0;
    options[4].neighbours = 1;
    options[5].bm25_b = 1;
    options[5].neighbours = 1000;
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        check(values, n_users, n_items, partitions, &options[i]);
}

static void check_model(const SparseModel *model)
{
    int32_t n_users;
    float *values = sparse_model_dense(model, &n_users);
    check_both(values, n_users, model->n_items, model->n_partitions);
    mem_free(&values);
}

static void test_random(void)
{
    SparseModel model = {
        .n_partitions = 16, .users_most = 8, .n_items = 40, .items_most = 20, .seed = 11};
    check_model(&model);
    model.binary = true; /* many that are equal */
    check_model(&model);
    model.n_items = 90;
    model.items_most = 4;
    check_model(&model);
}

static void test_shapes(void)
{
    static const SparseModel shapes[] = {
        {.n_partitions = 4, .users_most = 0, .n_items = 5, .items_most = 2, .seed = 1},
        {.n_partitions = 4, .users_most = 3, .n_items = 5, .items_most = 0, .seed = 2},
        {.n_partitions = 4, .users_most = 3, .n_items = 0, .items_most = 0, .seed = 3},
        {.n_partitions = 4, .users_most = 9, .n_items = 1, .items_most = 1, .seed = 4},
        {.n_partitions = 2, .users_most = 2, .n_items = 60, .items_most = 40, .seed = 5},
        {.n_partitions = 8, .users_most = 20, .n_items = 2, .items_most = 3, .seed = 6},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        check_model(&shapes[i]);
    static const float one_user[] = {1, 0, .5F, 2, 0, 3};
    check_both(one_user, 1, 6, 3);
}

/* Everybody has the same: by cosine all items are alike and the first k are taken; by BM25 an item
 * that everybody has says nothing. */
static void test_all_the_same(void)
{
    Comm *comm = rank_comm();
    enum { USERS = 12, ITEMS = 10 };
    float values[USERS * ITEMS];
    Error error = {0};
    SparseSide users = {0}, items = {0};
    ItemWeights weights = {0};
    for (int i = 0; i < USERS * ITEMS; i++)
        values[i] = 1;
    check_both(values, USERS, ITEMS, 5);
    CU_ASSERT_EQUAL(sparse_model_of_dense(comm, values, USERS, ITEMS, 5, &users, &error),
                    STATUS_OK);
    CU_ASSERT_EQUAL(sparse_transpose(comm, &users, &items, &error), STATUS_OK);
    CU_ASSERT_EQUAL(itemknn_learn(comm, &users, &items, &cosine, &weights, &error), STATUS_OK);
    CU_ASSERT_DOUBLE_EQUAL(item_weights_of(&weights, 0, 9), 1, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(item_weights_of(&weights, 6, 9), 1, 1e-6);
    CU_ASSERT_EQUAL(item_weights_of(&weights, 7, 9), 0);
    CU_ASSERT_DOUBLE_EQUAL(item_weights_of(&weights, 7, 0), 1, 1e-6);
    item_weights_free(&weights);
    CU_ASSERT_EQUAL(itemknn_learn(comm, &users, &items, &bm25, &weights, &error), STATUS_OK);
    CU_ASSERT_EQUAL(weights.starts[ITEMS], 0);
    item_weights_free(&weights);
    sparse_side_free(&users);
    sparse_side_free(&items);
}

/* Items 0 (users 0, 1), 1 (user 0) and 2 (users 1, 2). */
static void test_by_hand(void)
{
    Comm *comm = rank_comm();
    static const float values[] = {1, 1, 0, 1, 0, 1, 0, 0, 1};
    for (int shrunk = 0; shrunk < 2; shrunk++) {
        Error error = {0};
        SparseSide users = {0}, items = {0};
        ItemWeights weights = {0};
        ItemknnOptions options = cosine;
        options.shrinkage = shrunk * 3.0;
        CU_ASSERT_EQUAL(sparse_model_of_dense(comm, values, 3, 3, 3, &users, &error), STATUS_OK);
        CU_ASSERT_EQUAL(sparse_transpose(comm, &users, &items, &error), STATUS_OK);
        CU_ASSERT_EQUAL(itemknn_learn(comm, &users, &items, &options, &weights, &error), STATUS_OK);
        CU_ASSERT_DOUBLE_EQUAL(item_weights_of(&weights, 0, 1), 1 / (sqrt(2) + 3 * shrunk), 1e-7);
        CU_ASSERT_DOUBLE_EQUAL(item_weights_of(&weights, 2, 0), 1 / (2 + 3.0 * shrunk), 1e-7);
        CU_ASSERT_EQUAL(item_weights_of(&weights, 1, 2), 0);
        CU_ASSERT_EQUAL(item_weights_of(&weights, 1, 1), 0);
        item_weights_free(&weights);
        sparse_side_free(&users);
        sparse_side_free(&items);
    }
}

CU_TestInfo itemknn_tests[] = {{"as defined", test_random},
                               {"edge shapes", test_shapes},
                               {"everybody has the same", test_all_the_same},
                               {"three items by hand", test_by_hand},
                               CU_TEST_INFO_NULL};
