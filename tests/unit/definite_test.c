/* Equations with a definite matrix, against their own right side. */
#include "kernel/definite.h"

#include "base/memory.h"
#include "base/random.h"
#include "kernel/dense.h"
#include "unit/suites.h"

#include <math.h>
#include <string.h>

/* a [n x n] (whole) := diag(1) + alpha e e', and the same by definite_add_gram in lower [n x n]. */
static void make(int n, int t, double *a, double *lower)
{
    Random random = random_stream(8, (uint64_t)(n * 1000 + t));
    double *e = mem_new((int64_t)n * t, sizeof *e);
    for (int k = 0; k < n * t; k++)
        e[k] = random_normal(&random);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            a[i * n + j] = i == j;
            lower[i * n + j] = j > i ? (double)NAN : a[i * n + j];
            for (int k = 0; k < t; k++)
                a[i * n + j] += .5 * e[i * t + k] * e[j * t + k];
        }
    definite_add_gram(.5, e, n, t, lower);
    mem_free(&e);
}

static void check_solve(int n, int t, int m)
{
    double *a = mem_new((int64_t)n * n, sizeof *a), *lower = mem_new((int64_t)n * n, sizeof *a);
    double *x = mem_new((int64_t)m * n, sizeof *x), *right = mem_new((int64_t)m * n, sizeof *x);
    double *least = mem_new(n, sizeof *least);
    Random random = random_stream(9, (uint64_t)n);
    make(n, t, a, lower);
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++)
            CU_ASSERT_DOUBLE_EQUAL(lower[i * n + j], a[i * n + j], 1e-12 * (1 + t));
    for (int k = 0; k < m * n; k++)
        right[k] = x[k] = random_normal(&random);
    CU_ASSERT(definite_solve(lower, n, m, x, least));
    for (int k = 0; k < m; k++)
        for (int i = 0; i < n; i++) {
            double sum = 0;
            for (int j = 0; j < n; j++)
                sum += a[i * n + j] * x[k * n + j];
            CU_ASSERT_DOUBLE_EQUAL(sum, right[k * n + i], 1e-9);
        }
    mem_free(&a);
    mem_free(&lower);
    mem_free(&x);
    mem_free(&right);
    mem_free(&least);
}

static void test_solve(void)
{
    dense_one_thread();
    check_solve(1, 1, 1);
    check_solve(1, 0, 3);
    check_solve(5, 2, 1);
    check_solve(40, 60, 7);
    check_solve(130, 12, 28);
    check_solve(9, 4, 0);
    CU_ASSERT(definite_solve(NULL, 0, 3, NULL, NULL));
}

/* Equal rows, a negative diagonal, what is no number. */
static void test_singular(void)
{
    double x[3] = {1, 2, 3}, least[3];
    double equal[] = {2, 0, 0, 2, 2, 0, 1, 1, 5};
    double thirds[] = {1 / 3., 0, 0, 1 / 9., 1 / 27., 0, 0, 0, 1};
    double negative[] = {1, 0, 0, 0, -1, 0, 0, 0, 1};
    double none[] = {1, 0, 0, 0, (double)NAN, 0, 0, 0, 1};
    double great[] = {1, 0, 0, 0, (double)INFINITY, 0, 0, 0, 1};
    CU_ASSERT(!definite_solve(equal, 3, 1, x, least));
    CU_ASSERT(!definite_solve(thirds, 3, 1, x, least));
    CU_ASSERT(!definite_solve(negative, 3, 1, x, least));
    CU_ASSERT(!definite_solve(none, 3, 1, x, least));
    CU_ASSERT(!definite_solve(great, 3, 1, x, least));
}

CU_TestInfo definite_tests[] = {
    {"solve", test_solve}, {"singular", test_singular}, CU_TEST_INFO_NULL};
