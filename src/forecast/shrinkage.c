/* See shrinkage.h. K is made block by block of rows, and its blocks are added in fixed point. */
#include "forecast/shrinkage.h"

#include "base/fault.h"
#include "base/memory.h"
#include "forecast/series.h"
#include "kernel/dense.h"
#include "kernel/tile_operations.h"

#include <math.h>
#include <string.h>

enum { SUM_BITS = 61, FRACTION_BITS_MAX = 40 };

/* Squares of correlations that are rounding errors, for each row. */
static const double no_correlation = 1e-9;

typedef struct Shrinkage {
    int64_t periods;
    double scale;  /* a power of two */
    double *block; /* [SERIES_BLOCK x periods] standardised rows */
    double *gram;  /* [periods x periods] of the block, column-major, lower triangle */
    int64_t *sums; /* [periods^2 + 2] K, the sum of x^4 / periods, and the number of rows, all but
                      the last times scale */
} Shrinkage;

static void shrinkage_free(Shrinkage *s)
{
    mem_free(&s->block);
    mem_free(&s->gram);
    mem_free(&s->sums);
}

static Status shrinkage_start(Shrinkage *s, Error *error)
{
    Status status;
    int64_t n_pairs = s->periods * s->periods;
    TRY(fault_point("forecast.shrinkage", error));
    TRY(mem_resize(&s->block, SERIES_BLOCK * s->periods, sizeof *s->block, "residuals", error));
    TRY(mem_resize(&s->gram, n_pairs, sizeof *s->gram, "residuals", error));
    TRY(mem_resize(&s->sums, n_pairs + 2, sizeof *s->sums, "residuals", error));
    memset(s->sums, 0, (size_t)(n_pairs + 2) * sizeof *s->sums);
out:
    return status;
}

/* x_it of n rows, and the sum of x^4. */
static void standardise(Shrinkage *s, const ResidualRows *rows, int64_t first, int64_t n)
{
    int64_t periods = s->periods, *fourth = s->sums + periods * periods;
    vesper_assert(s->block != NULL);
    for (int64_t i = 0; i < n; i++) {
        const double *values = rows->values + (first + i) * periods;
        double factor = rows->factor[first + i], sum = 0;
        for (int64_t t = 0; t < periods; t++) {
            double x = factor > 0 && isfinite(values[t]) ? factor * values[t] : 0;
            s->block[i * periods + t] = x;
            sum += x * x * x * x;
        }
        fourth[0] += llrint(sum / (double)periods * s->scale);
        fourth[1] += factor > 0;
    }
}

static void add_rows(Shrinkage *s, const ResidualRows *rows)
{
    int64_t periods = s->periods;
    for (int64_t first = 0; first < rows->n; first += SERIES_BLOCK) {
        int64_t n = rows->n - first < SERIES_BLOCK ? rows->n - first : SERIES_BLOCK;
        standardise(s, rows, first, n);
        tile_add_gram(TILE_DOUBLE, periods, n, periods, 1, s->block, 0, s->gram);
        for (int64_t j = 0; j < periods; j++)
            for (int64_t i = j; i < periods; i++)
                s->sums[j * periods + i] += llrint(s->gram[j * periods + i] * s->scale);
    }
}

static double intensity_of(const Shrinkage *s)
{
    int64_t n = s->periods;
    double periods = (double)n, diagonal = 0, all = 0;
    double fourth = (double)s->sums[n * n] / s->scale * periods;
    double rows = (double)s->sums[n * n + 1], own = rows * periods * periods; /* with themselves */
    for (int64_t j = 0; j < n; j++)
        for (int64_t i = j; i < n; i++) {
            double k = (double)s->sums[j * n + i] / s->scale;
            diagonal += i == j ? k * k : 0;
            all += i == j ? k * k : 2 * k * k;
        }
    double variances = (diagonal - fourth - (all - own) / periods) / (periods * (periods - 1));
    double squares = (all - own) / (periods * periods);
    if (!(squares > no_correlation * rows) || variances >= squares)
        return 1;
    return variances > 0 ? variances / squares : 0;
}

Status shrinkage_intensity(Comm *comm, const ResidualRows *own, const ResidualRows *shared,
                           int64_t total, int64_t periods, double *lambda, Error *error)
{
    Status status = STATUS_OK;
    Shrinkage s = {.periods = periods};
    int bits = 0; /* an element of K is at most rows x periods */
    *lambda = 1;
    if (periods < 2)
        goto out;
    TRY_ALL(comm, shrinkage_start(&s, error), error);
    while (((int64_t)1 << bits) < (total + shared->n) * periods)
        bits++;
    s.scale = ldexp(1, SUM_BITS - bits < FRACTION_BITS_MAX ? SUM_BITS - bits : FRACTION_BITS_MAX);
    dense_one_thread();
    add_rows(&s, own);
    if (comm_rank(comm) == 0)
        add_rows(&s, shared);
    comm_sum_i64(comm, s.sums, periods * periods + 2);
    *lambda = intensity_of(&s);
out:
    shrinkage_free(&s);
    return status;
}
