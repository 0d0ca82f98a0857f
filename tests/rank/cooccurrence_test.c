/* Rows of X'X, against sums over the dense matrix user by user: the same bits. */
#include "recommend/cooccurrence.h"

#include "base/memory.h"
#include "sparse_model.h"
#include "suites.h"

#include <string.h>

/* Rows that are counted in lanes, rows of few users, a catalogue that few look at, more users of an
 * item than a lane counts; nothing at all. */
static const SparseModel models[] = {
    {.n_partitions = 16, .users_most = 40, .n_items = 90, .items_most = 60, .seed = 1},
    {.n_partitions = 8, .users_most = 3, .n_items = 700, .items_most = 20, .seed = 2},
    {.n_partitions = 2, .users_most = 1, .n_items = 1500, .items_most = 900, .seed = 3},
    {.n_partitions = 8, .users_most = 40000, .n_items = 2, .items_most = 4, .seed = 4},
    {.n_partitions = 4, .users_most = 5, .n_items = 1, .items_most = 1, .seed = 5},
    {.n_partitions = 4, .users_most = 5, .n_items = 0, .items_most = 0, .seed = 6},
    {.n_partitions = 4, .users_most = 0, .n_items = 7, .items_most = 3, .seed = 7},
};
enum { N_MODELS = sizeof models / sizeof models[0], THREADS_MOST = 3 };

typedef struct Seen {
    int32_t n_items;
    double *rows;    /* [n_items x n_items] */
    int64_t *visits; /* [n_items] */
    int64_t wrong[THREADS_MOST];
} Seen;

static void see(void *context, int thread, int32_t item, const double *sums, const int32_t *touched,
                int64_t n)
{
    Seen *seen = context;
    int64_t at = 0;
    for (int32_t j = 0; j < seen->n_items; j++) {
        bool is_touched = at < n && touched[at] == j;
        seen->wrong[thread] += is_touched != (sums[j] != 0);
        at += is_touched;
    }
    seen->wrong[thread] += at != n;
    memcpy(seen->rows + (int64_t)item * seen->n_items, sums, (size_t)seen->n_items * sizeof *sums);
    seen->visits[item]++;
}

static double sum_of(const float *dense, int32_t n_users, int32_t n_items, bool values, int32_t i,
                     int32_t j)
{
    double sum = 0;
    for (int64_t u = 0; u < n_users; u++) {
        double product = (double)dense[u * n_items + i] * (double)dense[u * n_items + j];
        sum += values ? product : product != 0;
    }
    return sum;
}

static void expect_rows(const SparseSide *items, const Seen *seen, const double *expected)
{
    int32_t first = sparse_own_first(items), end = first + sparse_own_rows(items);
    int64_t wrong = seen->wrong[0] + seen->wrong[1] + seen->wrong[2];
    for (int32_t i = 0; i < items->n_rows; i++) {
        size_t bytes = (size_t)items->n_rows * sizeof *expected;
        int64_t at = (int64_t)i * items->n_rows;
        bool is_own = i >= first && i < end;
        wrong += seen->visits[i] != is_own;
        wrong += is_own && memcmp(seen->rows + at, expected + at, bytes) != 0;
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

static void check_model(const SparseModel *model, bool values)
{
    static const int64_t memories[] = {1, 0, 3000}; /* 1: each row is a block */
    Comm *comm = rank_comm();
    Error error = {0};
    SparseSide users = {0}, items = {0};
    int32_t n_users, n = model->n_items;
    int64_t cells = (int64_t)n * n;
    float *dense = sparse_model_dense(model, &n_users);
    double *expected = mem_new(cells, sizeof *expected);
    for (int64_t cell = 0; cell < cells; cell++)
        expected[cell] =
            sum_of(dense, n_users, n, values, (int32_t)(cell / n), (int32_t)(cell % n));
    CU_ASSERT_EQUAL(sparse_model_users(comm, model, &users, &error), STATUS_OK);
    CU_ASSERT_EQUAL(sparse_transpose(comm, &users, &items, &error), STATUS_OK);
    for (int m = 0; m < 3; m++) {
        Seen seen = {.n_items = n,
                     .rows = mem_new(cells, sizeof *seen.rows),
                     .visits = mem_new(n, sizeof *seen.visits)};
        CU_ASSERT_EQUAL(cooccurrence_visit(comm, &users, &items, values, 1 + m, memories[m], see,
                                           &seen, &error),
                        STATUS_OK);
        expect_rows(&items, &seen, expected);
        mem_free(&seen.rows);
        mem_free(&seen.visits);
    }
    sparse_side_free(&users);
    sparse_side_free(&items);
    mem_free(&expected);
    mem_free(&dense);
}

static void test_values(void)
{
    for (int m = 0; m < N_MODELS; m++)
        check_model(&models[m], true);
}

static void test_binary(void)
{
    for (int m = 0; m < N_MODELS; m++)
        check_model(&models[m], false);
}

CU_TestInfo cooccurrence_tests[] = {
    {"sums of products", test_values}, {"counts of users", test_binary}, CU_TEST_INFO_NULL};
