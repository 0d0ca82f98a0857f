/* See ridge.h. What is row-major and lower here is column-major and upper to BLAS and LAPACK. */
#include "kernel/ridge.h"

#include "base/status.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>

/* Less than this share of a feature's mean square in its variance is rounding: it is constant. */
static const double constant_share = 1e-10;

static int count(int64_t n)
{
    vesper_assert(n >= 0 && n <= INT32_MAX);
    return (int)n;
}

void ridge_add_rows(const double *rows, int64_t n, int64_t width, double *gram)
{
    cblas_dsyrk(CblasColMajor, CblasUpper, CblasNoTrans, count(width), count(n), 1, rows,
                count(width), 1, gram, count(width));
}

int ridge_bits(int64_t rows, double bound)
{
    int exponent;
    (void)frexp((double)(rows > 0 ? rows : 1) * bound * bound, &exponent);
    return 62 - exponent;
}

void ridge_fix(const double *gram, int64_t width, int bits, int64_t *sums)
{
    for (int64_t i = 0; i < width; i++)
        for (int64_t j = 0; j <= i; j++)
            *sums++ += llrint(ldexp(gram[i * width + j], bits));
}

void ridge_unfix(const int64_t *sums, int64_t width, int bits, double *gram)
{
    for (int64_t i = 0; i < width; i++)
        for (int64_t j = 0; j <= i; j++)
            gram[i * width + j] = ldexp((double)*sums++, -bits);
}

int64_t ridge_work(int64_t width)
{
    return width * width + width;
}

/* Covariance of features (and target) i >= j. */
static double covariance(const double *gram, int64_t width, int64_t i, int64_t j)
{
    double weight = gram[0];
    return (gram[i * width + j] - gram[i * width] / weight * gram[j * width]) / weight;
}

bool ridge_solve(const double *gram, int64_t width, double lambda, double *coefficients,
                 double *work)
{
    int64_t n = width - 2, target = width - 1; /* features beside the constant */
    double weight = gram[0], *matrix = work, *deviation = work + n * n, *b = coefficients + 1;
    if (!(weight > 0))
        return false;
    for (int64_t i = 0; i < n; i++) {
        double variance = covariance(gram, width, i + 1, i + 1);
        double square = gram[(i + 1) * width + i + 1] / weight;
        deviation[i] = variance > constant_share * square ? sqrt(variance) : 0;
        for (int64_t j = 0; j <= i; j++) {
            double product = deviation[i] * deviation[j];
            matrix[i * n + j] =
                product > 0 ? covariance(gram, width, i + 1, j + 1) / product : (double)(i == j);
        }
        matrix[i * n + i] += lambda;
        b[i] = deviation[i] > 0 ? covariance(gram, width, target, i + 1) / deviation[i] : 0;
    }
    if (n > 0) {
        if (LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'U', count(n), matrix, count(n)) != 0)
            return false;
        (void)LAPACKE_dpotrs_work(LAPACK_COL_MAJOR, 'U', count(n), 1, matrix, count(n), b,
                                  count(n));
    }
    double constant = gram[target * width] / weight;
    for (int64_t i = 0; i < n; i++) {
        b[i] = deviation[i] > 0 ? b[i] / deviation[i] : 0;
        constant -= b[i] * (gram[(i + 1) * width] / weight);
    }
    coefficients[0] = constant;
    return true;
}

double ridge_loss(const double *gram, int64_t width, const double *coefficients)
{
    int64_t p = width - 1;
    double loss = gram[p * width + p];
    for (int64_t i = 0; i < p; i++) {
        loss -= 2 * coefficients[i] * gram[p * width + i];
        for (int64_t j = 0; j <= i; j++)
            loss += (i == j ? 1 : 2) * coefficients[i] * coefficients[j] * gram[i * width + j];
    }
    return loss > 0 ? loss : 0;
}
