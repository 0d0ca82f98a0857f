/* See tile_operations.h. */
#include "kernel/tile_operations.h"

#include "base/status.h"

#include <cblas.h>
#include <float.h>
#include <lapacke.h>
#include <math.h>

enum { TRANSPOSE_BLOCK = 16 }; /* rows and columns that stay in the nearest cache together */

static int count(int64_t n)
{
    vesper_assert(n > 0 && n <= INT32_MAX);
    return (int)n;
}

size_t tile_element_size(TilePrecision precision)
{
    return precision == TILE_SINGLE ? sizeof(float) : sizeof(double);
}

double tile_epsilon(TilePrecision precision)
{
    return precision == TILE_SINGLE ? (double)FLT_EPSILON : DBL_EPSILON;
}

double tile_get(TilePrecision precision, const void *a, int64_t stride, int64_t row, int64_t column)
{
    int64_t at = column * stride + row;
    return precision == TILE_SINGLE ? (double)((const float *)a)[at] : ((const double *)a)[at];
}

void tile_set(TilePrecision precision, void *a, int64_t stride, int64_t row, int64_t column,
              double value)
{
    int64_t at = column * stride + row;
    if (precision == TILE_SINGLE)
        ((float *)a)[at] = (float)value;
    else
        ((double *)a)[at] = value;
}

bool tile_factor(TilePrecision precision, int64_t n, int64_t stride, const double *least, void *a)
{
    int size = count(n), apart = count(stride);
    int failed = precision == TILE_SINGLE
                     ? LAPACKE_spotrf_work(LAPACK_COL_MAJOR, 'L', size, a, apart)
                     : LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', size, a, apart);
    if (failed != 0)
        return false;
    for (int64_t j = 0; j < n; j++) {
        double pivot = tile_get(precision, a, stride, j, j);
        if (!(pivot * pivot > least[j]) || !isfinite(pivot)) /* NaN too */
            return false;
    }
    return true;
}

void tile_solve(TilePrecision precision, int64_t m, int64_t n, int64_t stride, const void *l,
                void *a)
{
    int apart = count(stride);
    if (precision == TILE_SINGLE)
        cblas_strsm(CblasColMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, count(m),
                    count(n), 1, l, apart, a, apart);
    else
        cblas_dtrsm(CblasColMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, count(m),
                    count(n), 1, l, apart, a, apart);
}

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void tile_transpose(TilePrecision precision, int64_t m, int64_t n, int64_t stride, const void *from,
                    void *to)
{
    for (int64_t i = 0; i < m; i += TRANSPOSE_BLOCK)
        for (int64_t j = 0; j < n; j += TRANSPOSE_BLOCK)
            for (int64_t column = j; column < lesser(j + TRANSPOSE_BLOCK, n); column++)
                for (int64_t row = i; row < lesser(i + TRANSPOSE_BLOCK, m); row++) {
                    int64_t target = column * stride + row, source = row * stride + column;
                    if (precision == TILE_SINGLE)
                        ((float *)to)[target] = ((const float *)from)[source];
                    else
                        ((double *)to)[target] = ((const double *)from)[source];
                }
}

void tile_add_product(TilePrecision precision, int64_t m, int64_t n, int64_t k, int64_t stride,
                      double alpha, const void *a, const void *b, double beta, void *c)
{
    int apart = count(stride);
    if (precision == TILE_SINGLE)
        cblas_sgemm(CblasColMajor, CblasNoTrans, CblasTrans, count(m), count(n), count(k),
                    (float)alpha, a, apart, b, apart, (float)beta, c, apart);
    else
        cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, count(m), count(n), count(k), alpha, a,
                    apart, b, apart, beta, c, apart);
}

void tile_add_gram(TilePrecision precision, int64_t n, int64_t k, int64_t stride, double alpha,
                   const void *a, double beta, void *c)
{
    int apart = count(stride);
    if (precision == TILE_SINGLE)
        cblas_ssyrk(CblasColMajor, CblasLower, CblasNoTrans, count(n), count(k), (float)alpha, a,
                    apart, (float)beta, c, apart);
    else
        cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, count(n), count(k), alpha, a, apart,
                    beta, c, apart);
}
