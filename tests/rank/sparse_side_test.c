/* Sides of a matrix over the ranks: transposed and fetched, against the dense matrix. */
#include "base/memory.h"
#include "sparse_model.h"
#include "suites.h"

#include <string.h>

static const SparseModel models[] = {
    {.n_partitions = 16, .users_most = 9, .n_items = 40, .items_most = 12, .seed = 1},
    {.n_partitions = 4, .users_most = 3, .n_items = 300, .items_most = 50, .seed = 2},
    {.n_partitions = 8, .users_most = 40, .n_items = 3, .items_most = 4, .seed = 3},
    {.n_partitions = 2, .users_most = 1, .n_items = 1, .items_most = 1, .seed = 4},
    {.n_partitions = 4, .users_most = 5, .n_items = 0, .items_most = 0, .seed = 5},
    {.n_partitions = 4, .users_most = 0, .n_items = 7, .items_most = 3, .seed = 6},
};
enum { N_MODELS = sizeof models / sizeof models[0] };

/* Whether row `row` of `rows` has what the dense line does; stride between its elements. */
static bool row_equals(const SparseRows *rows, int32_t row, const float *dense, int64_t stride,
                       int32_t n)
{
    int64_t at = rows->starts[row];
    for (int32_t c = 0; c < n; c++) {
        if (dense[c * stride] == 0)
            continue;
        if (at == rows->starts[row + 1] || rows->columns[at] != c ||
            rows->values[at] != dense[c * stride])
            return false;
        at++;
    }
    return at == rows->starts[row + 1];
}

static void expect_side(const SparseSide *side, const float *dense, int64_t row_stride,
                        int64_t column_stride, int32_t n_rows, int32_t n_columns)
{
    bool equal = side->n_rows == n_rows && side->n_columns == n_columns;
    int32_t at = equal ? sparse_own_first(side) : 0;
    for (int32_t p = 0; equal && p < side->end - side->first; p++) {
        const SparseRows *rows = &side->own[p];
        equal = equal && rows->first_row == at;
        for (int32_t r = 0; equal && r < rows->n_rows; r++, at++)
            equal = row_equals(rows, r, dense + at * row_stride, column_stride, n_columns);
    }
    CU_ASSERT(equal);
    if (equal)
        CU_ASSERT_EQUAL(at - sparse_own_first(side), sparse_own_rows(side));
}

static void expect_counts(Comm *comm, const SparseSide *users, const float *dense)
{
    int64_t *columns = mem_new(users->n_columns, sizeof *columns);
    sparse_column_counts(comm, users, columns);
    for (int32_t i = 0; i < users->n_columns; i++) {
        int64_t n = 0;
        for (int64_t u = 0; u < users->n_rows; u++)
            n += dense[u * users->n_columns + i] != 0;
        CU_ASSERT_EQUAL(columns[i], n);
    }
    mem_free(&columns);
}

static void test_transpose(void)
{
    Comm *comm = rank_comm();
    for (int m = 0; m < N_MODELS; m++) {
        Error error = {0};
        SparseSide users = {0}, items = {0}, back = {0};
        int32_t n_users;
        float *dense = sparse_model_dense(&models[m], &n_users);
        int32_t n_items = models[m].n_items;
        CU_ASSERT_EQUAL(sparse_model_users(comm, &models[m], &users, &error), STATUS_OK);
        expect_side(&users, dense, n_items, 1, n_users, n_items);
        CU_ASSERT_EQUAL(sparse_transpose(comm, &users, &items, &error), STATUS_OK);
        expect_side(&items, dense, 1, n_items, n_items, n_users);
        for (int32_t p = 0; p < items.n_partitions; p++)
            CU_ASSERT(items.bases[p] < items.bases[p + 1]);
        expect_counts(comm, &users, dense);
        CU_ASSERT_EQUAL(sparse_transpose(comm, &items, &back, &error), STATUS_OK);
        expect_side(&back, dense, n_items, 1, n_users, n_items);
        sparse_side_free(&users);
        sparse_side_free(&items);
        sparse_side_free(&back);
        mem_free(&dense);
    }
}

/* Each rank asks for every step-th row, from its own number on; a rank past the rows for none. */
static void test_fetch(void)
{
    Comm *comm = rank_comm();
    for (int m = 0; m < N_MODELS; m++) {
        Error error = {0};
        SparseSide users = {0};
        FetchedRows fetched = {0};
        int32_t n_users, n_items = models[m].n_items;
        int64_t n = 0;
        float *dense = sparse_model_dense(&models[m], &n_users);
        int32_t *numbers = mem_new(n_users, sizeof *numbers);
        float *factors = NULL;
        for (int32_t u = comm_rank(comm); u < n_users; u += 1 + comm_rank(comm) % 3)
            numbers[n++] = u;
        CU_ASSERT_EQUAL(sparse_model_users(comm, &models[m], &users, &error), STATUS_OK);
        CU_ASSERT_EQUAL(sparse_fetch(comm, &users, numbers, n, &fetched, &error), STATUS_OK);
        bool equal = fetched.n == n;
        for (int64_t i = 0; equal && i < n; i++)
            equal = fetched.numbers[i] == numbers[i] &&
                    row_equals(&fetched.rows, (int32_t)i, dense + (int64_t)numbers[i] * n_items, 1,
                               n_items);
        CU_ASSERT(equal);
        if (n_items > 0) {
            const float *own = dense + (int64_t)sparse_own_first(&users) * n_items;
            CU_ASSERT_EQUAL(
                sparse_fetch_dense(comm, &users, own, n_items, numbers, n, &factors, &error),
                STATUS_OK);
            for (int64_t i = 0; i < n; i++)
                CU_ASSERT_EQUAL(memcmp(factors + i * n_items, dense + (int64_t)numbers[i] * n_items,
                                       (size_t)n_items * sizeof *dense),
                                0);
        }
        fetched_rows_free(&fetched);
        sparse_side_free(&users);
        mem_free(&factors);
        mem_free(&numbers);
        mem_free(&dense);
    }
}

CU_TestInfo sparse_side_tests[] = {{"a side transposed, and back", test_transpose},
                                   {"rows fetched from their owners", test_fetch},
                                   CU_TEST_INFO_NULL};
