/* Cooccurrence against the dense product X'X, added user by user: the same bits. */
#include "recommend/cooccurrence.h"

#include "base/memory.h"
#include "sparse_model.h"
#include "suites.h"

#include <string.h>

/* Rows that were visited, and how often. */
typedef struct Seen {
    int32_t first, n_items;
    int threads;
    double *rows;   /* [own items x n_items] */
    int64_t *times; /* [own items] */
    int64_t *wrong; /* [threads] touched items that are not as the header says */
} Seen;

static void see(void *context, int thread, int32_t item, const double *sums, const int32_t *touched,
                int64_t n)
{
    Seen *seen = context;
    int64_t row = item - seen->first, at = 0;
    if (thread < 0 || thread >= seen->threads) {
        seen->wrong[0]++;
        return;
    }
    for (int32_t j = 0; j < seen->n_items; j++) {
        bool is_touched = at < n && touched[at] == j;
        seen->wrong[thread] += is_touched != (sums[j] != 0);
        at += is_touched;
    }
    seen->wrong[thread] += at != n;
    memcpy(seen->rows + row * seen->n_items, sums, (size_t)seen->n_items * sizeof *sums);
    seen->times[row]++;
}

/* Row `item` of X'X. */
static void dense_row(const float *dense, int32_t n_users, int32_t n_items, bool values,
                      int32_t item, double *row)
{
    memset(row, 0, (size_t)n_items * sizeof *row);
    for (int64_t u = 0; u < n_users; u++) {
        const float *line = dense + u * n_items;
        for (int32_t j = 0; line[item] != 0 && j < n_items; j++) {
            if (line[j] != 0)
                row[j] += values ? (double)line[item] * (double)line[j] : 1;
        }
    }
}

static void check_seen(const Seen *seen, int32_t own_items, const float *dense, int32_t n_users,
                       bool values)
{
    int64_t differ = 0, wrong = 0;
    double *row = mem_new(seen->n_items, sizeof *row);
    for (int32_t i = 0; i < own_items; i++) {
        dense_row(dense, n_users, seen->n_items, values, seen->first + i, row);
        differ += seen->times[i] != 1;
        for (int64_t j = 0; j < seen->n_items; j++)
            differ += row[j] != seen->rows[(int64_t)i * seen->n_items + j];
    }
    for (int t = 0; t < seen->threads; t++)
        wrong += seen->wrong[t];
    CU_ASSERT_EQUAL(differ, 0);
    CU_ASSERT_EQUAL(wrong, 0);
    mem_free(&row);
}

static void check(const SparseModel *model, bool values, int threads, int64_t memory)
{
    Comm *comm = rank_comm();
    Error error = {0};
    int32_t n_users;
    SparseSide users = {0}, items = {0};
    float *dense = sparse_model_dense(model, &n_users);
    CU_ASSERT_EQUAL(sparse_model_users(comm, model, &users, &error), STATUS_OK);
    CU_ASSERT_EQUAL(sparse_transpose(comm, &users, &items, &error), STATUS_OK);
    int32_t own_items = sparse_own_rows(&items);
    Seen seen = {.first = sparse_own_first(&items),
                 .n_items = model->n_items,
                 .threads = threads,
                 .rows = mem_new((int64_t)own_items * model->n_items, sizeof(double)),
                 .times = mem_new(own_items, sizeof(int64_t)),
                 .wrong = mem_new(threads, sizeof(int64_t))};
    CU_ASSERT_EQUAL(
        cooccurrence_visit(comm, &users, &items, values, threads, memory, see, &seen, &error),
        STATUS_OK);
    check_seen(&seen, own_items, dense, n_users, values);
    mem_free(&seen.rows);
    mem_free(&seen.times);
    mem_free(&seen.wrong);
    mem_free(&dense);
    sparse_side_free(&users);
    sparse_side_free(&items);
}

/* Rows that are long, rows that are short, and both. */
static const SparseModel models[] = {
    {.n_partitions = 16, .users_most = 12, .n_items = 50, .items_most = 30, .seed = 11},
    {.n_partitions = 8, .users_most = 9, .n_items = 700, .items_most = 5, .seed = 12},
    {.n_partitions = 8, .users_most = 30, .n_items = 300, .items_most = 12, .seed = 13},
};
enum { N_MODELS = sizeof models / sizeof models[0] };

static void test_sums(void)
{
    for (int m = 0; m < N_MODELS; m++) {
        SparseModel binary = models[m];
        binary.binary = true;
        check(&models[m], true, 1, 0);
        check(&models[m], false, 1, 0); /* values are not looked at */
        check(&binary, true, 1, 0);
        check(&binary, false, 1, 0);
    }
}

static void test_threads_and_memory(void)
{
    for (int m = 0; m < N_MODELS; m++) {
        for (int values = 0; values < 2; values++) {
            check(&models[m], values, 3, 0);
            check(&models[m], values, 1, 1);
            check(&models[m], values, 3, 3000);
        }
    }
}

static void test_shapes(void)
{
    static const SparseModel shapes[] = {
        {.n_partitions = 4, .users_most = 0, .n_items = 5, .items_most = 2, .seed = 1},
        {.n_partitions = 4, .users_most = 3, .n_items = 5, .items_most = 0, .seed = 2},
        {.n_partitions = 4, .users_most = 3, .n_items = 0, .items_most = 0, .seed = 3},
        {.n_partitions = 4, .users_most = 9, .n_items = 1, .items_most = 1, .seed = 4},
        {.n_partitions = 1, .users_most = 3, .n_items = 40, .items_most = 30, .seed = 6},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        check(&shapes[i], true, 1, 0);
        check(&shapes[i], false, 2, 1);
    }
}

CU_TestInfo cooccurrence_tests[] = {{"sums are X'X", test_sums},
                                    {"any threads and memory", test_threads_and_memory},
                                    {"edge shapes", test_shapes},
                                    CU_TEST_INFO_NULL};
