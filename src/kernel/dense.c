/* See dense.h. What is row-major here is the transpose in column-major order, which BLAS and LAPACK
 * work in. */
#include "kernel/dense.h"

#include "base/status.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>

static int count(int64_t n)
{
    vesper_assert(n >= 0 && n <= INT32_MAX);
    return (int)n;
}

/* BLAS refuses a leading dimension of 0 even where there is nothing to do. */
static int leading(int64_t n)
{
    return n > 0 ? count(n) : 1;
}

void dense_one_thread(void)
{
    openblas_set_num_threads(1);
}

void dense_gram(const float *a, int64_t n, int64_t d, int64_t stride, float beta, float *c)
{
    cblas_ssyrk(CblasColMajor, CblasUpper, CblasNoTrans, count(d), count(n), 1, a, leading(stride),
                beta, c, leading(d));
}

void dense_outer_gram(const float *a, int64_t n, int64_t d, float *c)
{
    cblas_ssyrk(CblasColMajor, CblasUpper, CblasTrans, count(n), count(d), 1, a, leading(d), 0, c,
                leading(n));
}

void dense_times(const float *a, int64_t n, int64_t d, const float *x, float *y)
{
    cblas_sgemv(CblasRowMajor, CblasNoTrans, count(n), count(d), 1, a, leading(d), x, 1, 0, y, 1);
}

void dense_transposed_times(const float *a, int64_t n, int64_t d, int64_t stride, const float *y,
                            float beta, float *x)
{
    cblas_sgemv(CblasRowMajor, CblasTrans, count(n), count(d), 1, a, leading(stride), y, 1, beta, x,
                1);
}

void dense_product(const float *a, const float *b, int64_t n, int64_t d, int64_t m, float *c)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, count(n), count(m), count(d), 1, a,
                leading(d), b, leading(m), 0, c, leading(m));
}

void dense_product_transposed(const float *a, const float *b, int64_t n, int64_t d, int64_t m,
                              float *c)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, count(n), count(m), count(d), 1, a,
                leading(d), b, leading(d), 0, c, leading(m));
}

bool dense_solve(float *a, int64_t n, int64_t m, float *x)
{
    if (n == 0)
        return true;
    if (LAPACKE_spotrf_work(LAPACK_COL_MAJOR, 'U', count(n), a, count(n)) != 0)
        return false;
    (void)LAPACKE_spotrs_work(LAPACK_COL_MAJOR, 'U', count(n), count(m), a, count(n), x, count(n));
    return true;
}

int64_t dense_eigen_workspace(int64_t n)
{
    return 1 + 6 * n + 2 * n * n; /* dsyevd with vectors; it takes 3 + 5 n integers */
}

/* a column-major: make the largest element (the first of equals) of each column positive. */
static void fix_signs(double *a, int64_t n)
{
    for (int64_t j = 0; j < n; j++) {
        int64_t largest = 0;
        for (int64_t i = 1; i < n; i++) {
            if (fabs(a[j * n + i]) > fabs(a[j * n + largest]))
                largest = i;
        }
        if (a[j * n + largest] >= 0)
            continue;
        for (int64_t i = 0; i < n; i++)
            a[j * n + i] = -a[j * n + i];
    }
}

/* a column-major := its transpose. */
static void transpose(double *a, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < i; j++) {
            double swapped = a[i * n + j];
            a[i * n + j] = a[j * n + i];
            a[j * n + i] = swapped;
        }
    }
}

bool dense_eigen(double *a, int64_t n, double *values, double *workspace, int32_t *integers)
{
    if (n == 0)
        return true;
    if (LAPACKE_dsyevd_work(LAPACK_COL_MAJOR, 'V', 'U', count(n), a, count(n), values, workspace,
                            count(dense_eigen_workspace(n)), integers, count(3 + 5 * n)) != 0)
        return false;
    fix_signs(a, n);
    transpose(a, n);
    return true;
}
