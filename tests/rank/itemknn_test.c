/* Item neighbours and scores by item weights, against the definitions on the dense matrix. */
#include "recommend/itemknn.h"

#include "base/memory.h"
#include "base/random.h"
#include "sparse_model.h"
#include "suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const SparseModel models[] = {
    {.n_partitions = 16, .users_most = 12, .n_items = 80, .items_most = 30, .seed = 1},
    {.n_partitions = 16, .users_most = 12, .n_items = 80, .items_most = 30, .binary = true},
    {.n_partitions = 4, .users_most = 2, .n_items = 60, .items_most = 40, .binary = true},
    {.n_partitions = 8, .users_most = 9, .n_items = 6, .items_most = 90, .binary = true},
    {.n_partitions = 2, .users_most = 1, .n_items = 300, .items_most = 200, .seed = 3},
    {.n_partitions = 4, .users_most = 5, .n_items = 1, .items_most = 1, .seed = 5},
    {.n_partitions = 4, .users_most = 5, .n_items = 0, .items_most = 0, .seed = 6},
    {.n_partitions = 4, .users_most = 0, .n_items = 7, .items_most = 3, .seed = 7},
};
enum { N_MODELS = sizeof models / sizeof models[0] };

static const ItemknnOptions choices[] = {
    {.similarity = SIMILARITY_COSINE, .neighbours = 3, .threads = 1},
    {.similarity = SIMILARITY_COSINE, .neighbours = 1, .threads = 2, .memory = 2000},
    {.similarity = SIMILARITY_COSINE, .neighbours = 20, .shrinkage = 2.5, .threads = 1},
    {.similarity = SIMILARITY_COSINE, .neighbours = 1000000, .threads = 2},
    {.similarity = SIMILARITY_BM25, .neighbours = 4, .bm25_k1 = 1.2, .bm25_b = .75, .threads = 1},
    {.similarity = SIMILARITY_BM25, .neighbours = 9, .bm25_k1 = 100, .bm25_b = .8, .threads = 2},
};
enum { N_CHOICES = sizeof choices / sizeof choices[0] };

/* ---- by definition ---- */

typedef struct Reference {
    int32_t n_users, n_items;
    float *dense;  /* [users x items] */
    float *weight; /* [items x items] w_ij, 0: none */
} Reference;

typedef struct Candidate {
    float value;
    int32_t item;
} Candidate;

static int compare_candidates(const void *left, const void *right)
{
    const Candidate *a = left, *b = right;
    if (a->value != b->value)
        return a->value > b->value ? -1 : 1;
    return (a->item > b->item) - (a->item < b->item);
}

/* Values by BM25: users are the documents, items their terms. */
static void weigh_bm25(const Reference *the, const ItemknnOptions *options, float *weighted)
{
    int32_t n = the->n_items;
    double active = 0, total = 0;
    double *lengths = mem_new(the->n_users, sizeof *lengths);
    for (int64_t u = 0; u < the->n_users; u++) {
        for (int32_t i = 0; i < n; i++)
            lengths[u] += (double)the->dense[u * n + i];
        total += lengths[u];
        active += lengths[u] > 0;
    }
    for (int32_t i = 0; i < n; i++) {
        double owners = 0;
        for (int64_t u = 0; u < the->n_users; u++)
            owners += the->dense[u * n + i] != 0;
        for (int64_t u = 0; u < the->n_users; u++) {
            double x = (double)the->dense[u * n + i];
            double norm = 1 - options->bm25_b + options->bm25_b * lengths[u] / (total / active);
            if (x > 0)
                weighted[u * n + i] = (float)(log(active / owners) * x * (options->bm25_k1 + 1) /
                                              (options->bm25_k1 * norm + x));
        }
    }
    mem_free(&lengths);
}

static double dot(const float *matrix, const Reference *the, int32_t i, int32_t j)
{
    double sum = 0;
    for (int64_t u = 0; u < the->n_users; u++)
        sum += (double)matrix[u * the->n_items + i] * (double)matrix[u * the->n_items + j];
    return sum;
}

/* Neighbours of item j: the k most similar, and up to k more that are as similar as the last. */
static void choose(Reference *the, const ItemknnOptions *options, int32_t j, Candidate *candidates,
                   int32_t n)
{
    int64_t k = options->neighbours;
    qsort(candidates, (size_t)n, sizeof *candidates, compare_candidates);
    for (int64_t c = 0; c < n && c < 2 * k; c++) {
        if (c < k || candidates[c].value == candidates[k - 1].value)
            the->weight[(int64_t)candidates[c].item * the->n_items + j] = candidates[c].value;
    }
}

static void reference_learn(Reference *the, const ItemknnOptions *options)
{
    int64_t n = the->n_items;
    bool is_cosine = options->similarity == SIMILARITY_COSINE;
    float *weighted = mem_new(the->n_users * n, sizeof *weighted);
    Candidate *candidates = mem_new(n, sizeof *candidates);
    the->weight = mem_new(n * n, sizeof *the->weight);
    if (!is_cosine)
        weigh_bm25(the, options, weighted);
    const float *matrix = is_cosine ? the->dense : weighted;
    for (int32_t j = 0; j < n; j++) {
        int32_t count = 0;
        for (int32_t i = 0; i < n; i++) {
            double sum = dot(matrix, the, i, j);
            if (sum > 0 && is_cosine)
                sum /= sqrt(dot(matrix, the, i, i)) * sqrt(dot(matrix, the, j, j)) +
                       options->shrinkage;
            if (i != j && sum > 0)
                candidates[count++] = (Candidate){(float)sum, i};
        }
        choose(the, options, j, candidates, count);
    }
    mem_free(&weighted);
    mem_free(&candidates);
}

/* ---- learning and scoring ---- */

static void expect_weights(const ItemWeights *weights, const Reference *the)
{
    int64_t wrong = weights->n_items != the->n_items, n = the->n_items, e = 0;
    for (int64_t i = 0; i < n && !wrong; i++) {
        wrong += weights->starts[i] != e;
        for (int32_t j = 0; j < n; j++) {
            float expected = the->weight[i * n + j];
            wrong += item_weights_of(weights, (int32_t)i, j) != expected;
            if (expected == 0)
                continue;
            wrong += e >= weights->starts[i + 1] || weights->columns[e] != j ||
                     weights->values[e] != expected;
            e++;
        }
    }
    wrong += weights->starts[n] != e;
    CU_ASSERT_EQUAL(wrong, 0);
}

/* Sums in the order of the user's items, in single precision. */
static float score_of(const Reference *the, int64_t user, int32_t j)
{
    int64_t n = the->n_items;
    float score = SCORE_NONE;
    for (int64_t i = 0; i < n; i++) {
        float x = the->dense[user * n + i], w = the->weight[i * n + j];
        if (x != 0 && w != 0)
            score = (score == SCORE_NONE ? 0 : score) + x * w;
    }
    return score;
}

static void expect_scores(const SparseSide *users, Scorer *scorer, const Reference *the)
{
    int32_t n = the->n_items;
    int64_t wrong = !scorer->tiled;
    for (int32_t p = 0; p < users->end - users->first; p++) {
        const SparseRows *rows = &users->own[p];
        ScoreTile tile = {.users = rows, .partition = p, .n_users = rows->n_rows, .n_items = n};
        float *scores = mem_new((int64_t)rows->n_rows * n, sizeof *scores);
        memset(scores, 0xFF, (size_t)rows->n_rows * (size_t)n * sizeof *scores);
        scorer->score(scorer->model, &tile, scores);
        for (int32_t row = 0; row < rows->n_rows; row++) {
            for (int32_t j = 0; j < n; j++)
                wrong += scores[(int64_t)row * n + j] != score_of(the, rows->first_row + row, j);
        }
        mem_free(&scores);
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

/* Every item's reasons are x_ui w_ij. */
static void expect_reasons(const SparseSide *users, Scorer *scorer, const Reference *the)
{
    int64_t wrong = 0, n = the->n_items;
    for (int32_t p = 0; p < users->end - users->first && n > 0; p++) {
        const SparseRows *rows = &users->own[p];
        for (int32_t row = 0; row < rows->n_rows; row++) {
            int64_t begin = rows->starts[row], count = rows->starts[row + 1] - begin;
            int32_t listed[2] = {(int32_t)(row % n), (int32_t)(n - 1)};
            float *reasons = mem_new(2 * count, sizeof *reasons);
            ReasonQuery query = {
                .users = rows, .partition = p, .row = row, .n_items = 2, .items = listed};
            scorer->add_reasons(scorer->model, &query, 1, NULL, reasons);
            for (int64_t r = 0; r < 2 * count; r++) {
                int64_t entry = begin + r % count;
                wrong +=
                    reasons[r] !=
                    rows->values[entry] * the->weight[rows->columns[entry] * n + listed[r / count]];
            }
            mem_free(&reasons);
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

static void check_learning(const SparseModel *model, const ItemknnOptions *options)
{
    Comm *comm = rank_comm();
    Error error = {0};
    SparseSide users = {0}, items = {0};
    ItemWeights weights = {0};
    Reference the = {.n_items = model->n_items};
    the.dense = sparse_model_dense(model, &the.n_users);
    reference_learn(&the, options);
    CU_ASSERT_EQUAL(sparse_model_users(comm, model, &users, &error), STATUS_OK);
    CU_ASSERT_EQUAL(sparse_transpose(comm, &users, &items, &error), STATUS_OK);
    Status status = itemknn_learn(comm, &users, &items, options, &weights, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    if (status == STATUS_OK) {
        Scorer scorer = item_weights_scorer("itemknn", &weights);
        expect_weights(&weights, &the);
        expect_scores(&users, &scorer, &the);
        expect_reasons(&users, &scorer, &the);
    }
    item_weights_free(&weights);
    sparse_side_free(&users);
    sparse_side_free(&items);
    mem_free(&the.dense);
    mem_free(&the.weight);
}

static void test_learning(void)
{
    for (int m = 0; m < N_MODELS; m++) {
        for (int c = 0; c < N_CHOICES; c++)
            check_learning(&models[m], &choices[c]);
    }
}

/* ---- whole matrices of any sign ---- */

/* Every item leads to every other, some with a weight below zero. */
static void test_whole_matrix(void)
{
    Comm *comm = rank_comm();
    Error error = {0};
    SparseSide users = {0}, items = {0};
    SparseRows own = {0};
    ItemWeights weights = {0};
    Reference the = {.n_items = models[0].n_items};
    int64_t n = the.n_items;
    the.dense = sparse_model_dense(&models[0], &the.n_users);
    the.weight = mem_new(n * n, sizeof *the.weight);
    for (int64_t cell = 0; cell < n * n; cell++)
        the.weight[cell] = (float)(cell * 7919 % 1009 - 504) + .5F;
    CU_ASSERT_EQUAL(sparse_model_users(comm, &models[0], &users, &error), STATUS_OK);
    CU_ASSERT_EQUAL(sparse_transpose(comm, &users, &items, &error), STATUS_OK);
    own.n_rows = sparse_own_rows(&items);
    own.starts = mem_new((int64_t)own.n_rows + 1, sizeof *own.starts);
    own.columns = mem_new(own.n_rows * n, sizeof *own.columns);
    own.values = mem_new(own.n_rows * n, sizeof *own.values);
    for (int64_t e = 0; e < own.n_rows * n; e++) {
        own.starts[e / n + 1] = e + 1;
        own.columns[e] = (int32_t)(e % n);
        own.values[e] = the.weight[sparse_own_first(&items) * n + e];
    }
    CU_ASSERT_EQUAL(item_weights_gather(comm, &items, &own, &weights, &error), STATUS_OK);
    Scorer scorer = item_weights_scorer("whole", &weights);
    expect_weights(&weights, &the);
    expect_scores(&users, &scorer, &the);
    CU_ASSERT_EQUAL(item_weights_transpose(&weights, &error), STATUS_OK);
    int64_t wrong = 0;
    for (int32_t i = 0; i < n; i++) {
        for (int32_t j = 0; j < n; j++)
            wrong += item_weights_of(&weights, i, j) != the.weight[j * n + i];
    }
    CU_ASSERT_EQUAL(wrong, 0);
    item_weights_free(&weights);
    sparse_rows_free(&own);
    sparse_side_free(&users);
    sparse_side_free(&items);
    mem_free(&the.dense);
    mem_free(&the.weight);
}

/* ---- pruning ---- */

static int compare_sizes(const void *left, const void *right)
{
    const ItemWeight *a = left, *b = right;
    if (fabsf(a->value) != fabsf(b->value))
        return fabsf(a->value) > fabsf(b->value) ? -1 : 1;
    return (a->column > b->column) - (a->column < b->column);
}

static int compare_columns(const void *left, const void *right)
{
    const ItemWeight *a = left, *b = right;
    return (a->column > b->column) - (a->column < b->column);
}

/* `kinds` different sizes: few of them, and most are equal. */
static void check_prune(int64_t n, int64_t keep, int64_t kinds)
{
    Random random = random_stream(9, (uint64_t)(n * 131 + keep * 17 + kinds));
    int64_t expected_n = n < keep ? n : keep;
    ItemWeight *weights = mem_new(n, sizeof *weights), *expected = mem_new(n, sizeof *expected);
    for (int64_t i = 0; i < n; i++) {
        int64_t value = random_below(&random, kinds) - kinds / 3;
        weights[i] = (ItemWeight){(int32_t)(3 * i), (float)value};
    }
    memcpy(expected, weights, (size_t)n * sizeof *weights);
    qsort(expected, (size_t)n, sizeof *expected, compare_sizes);
    qsort(expected, (size_t)expected_n, sizeof *expected, compare_columns);
    CU_ASSERT_EQUAL(item_weights_prune(weights, n, keep), expected_n);
    CU_ASSERT_EQUAL(memcmp(weights, expected, (size_t)expected_n * sizeof *weights), 0);
    mem_free(&weights);
    mem_free(&expected);
}

static void test_prune(void)
{
    static const int64_t sizes[] = {0, 1, 2, 40, 300, 5000};
    static const int64_t keeps[] = {0, 1, 2, 20, 299, 4000, 100000};
    static const int64_t kinds[] = {1, 2, 30, 1000000};
    for (int s = 0; s < 6; s++) {
        for (int k = 0; k < 7; k++) {
            for (int d = 0; d < 4; d++)
                check_prune(sizes[s], keeps[k], kinds[d]);
        }
    }
}

CU_TestInfo itemknn_tests[] = {{"neighbours and their scores", test_learning},
                               {"weights of all items for all", test_whole_matrix},
                               {"the greatest weights", test_prune},
                               CU_TEST_INFO_NULL};
