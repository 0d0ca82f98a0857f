/* See definite.h. What is row-major here is the transpose in column-major order. */
#include "kernel/definite.h"

#include "base/status.h"

#include <cblas.h>
#include <float.h>
#include <lapacke.h>
#include <math.h>

static int count(int64_t n)
{
    vesper_assert(n > 0 && n <= INT32_MAX);
    return (int)n;
}

void definite_add_gram(double alpha, const double *e, int64_t n, int64_t t, double *a)
{
    if (n == 0 || t == 0)
        return;
    cblas_dsyrk(CblasColMajor, CblasUpper, CblasTrans, count(n), count(t), alpha, e, count(t), 1, a,
                count(n));
}

/* Whether all pivots of the factor are above what rounding could have left. */
static bool has_pivots(const double *factor, int64_t n, const double *least)
{
    for (int64_t j = 0; j < n; j++) {
        double pivot = factor[j * n + j];
        if (!(pivot * pivot > least[j]) || !isfinite(pivot)) /* NaN too */
            return false;
    }
    return true;
}

bool definite_solve(double *a, int64_t n, int64_t m, double *x, double *least)
{
    if (n == 0)
        return true;
    for (int64_t j = 0; j < n; j++)
        least[j] = sqrt((double)n) * DBL_EPSILON * a[j * n + j];
    if (LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'U', count(n), a, count(n)) != 0)
        return false;
    if (!has_pivots(a, n, least))
        return false;
    if (m > 0)
        (void)LAPACKE_dpotrs_work(LAPACK_COL_MAJOR, 'U', count(n), count(m), a, count(n), x,
                                  count(n));
    return true;
}
