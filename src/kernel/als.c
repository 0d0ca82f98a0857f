/* See als.h. Entries are taken in chunks of fixed size, so that the last bits depend on the row
 * alone. */
#include "kernel/als.h"

#include "kernel/dense.h"

#include <math.h>
#include <string.h>

enum { CHUNK = 512 };

/* Parts of the workspace. */
typedef struct Workspace {
    float *rows;   /* [max(CHUNK, d) x d] entries, each times sqrt(c) */
    float *matrix; /* [d x d] */
    float *root;   /* [max(CHUNK, d)] sqrt(c) */
    float *aside;  /* [max(CHUNK, d)] */
    float *vector; /* [d] */
} Workspace;

static int64_t most_rows(int64_t d)
{
    return d > CHUNK ? d : CHUNK;
}

int64_t als_workspace(int64_t d)
{
    return most_rows(d) * (d + 2) + d * d + d;
}

static Workspace lay_out(int64_t d, float *memory)
{
    Workspace work;
    work.rows = memory;
    work.matrix = work.rows + most_rows(d) * d;
    work.root = work.matrix + d * d;
    work.aside = work.root + most_rows(d);
    work.vector = work.aside + most_rows(d);
    return work;
}

/* Entries [begin, begin + n) of the row into work->rows and work->root. */
static void gather(const AlsProblem *problem, const AlsRow *row, int64_t begin, int64_t n,
                   Workspace *work)
{
    int64_t d = problem->d;
    for (int64_t i = 0; i < n; i++) {
        const float *from = problem->others + (int64_t)row->places[begin + i] * d;
        float *to = work->rows + i * d;
        float c = row->values[begin + i];
        work->root[i] = c;
        if (c == 1) {
            memcpy(to, from, (size_t)d * sizeof *to);
            continue;
        }
        float root = sqrtf(c);
        work->root[i] = root;
        for (int64_t j = 0; j < d; j++)
            to[j] = root * from[j];
    }
}

static double dot(const float *a, const float *b, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)a[i] * b[i];
    return sum;
}

/* n < d: rows R = sqrt(C) Y D^-1/2, vector D^-1/2, matrix I + R R'. */
static void make_entries_system(const AlsProblem *problem, const AlsRow *row, Workspace *work)
{
    int64_t d = problem->d, n = row->n;
    float *scale = work->vector;
    gather(problem, row, 0, n, work);
    for (int64_t j = 0; j < d; j++)
        scale[j] = (float)(1 / sqrt((double)problem->gram[j] + problem->lambda));
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < d; j++)
            work->rows[i * d + j] *= scale[j];
    }
    dense_outer_gram(work->rows, n, d, work->matrix);
    for (int64_t i = 0; i < n; i++)
        work->matrix[i * n + i] += 1;
}

/* x = D^-1/2 R'(I + R R')^-1 sqrt(C) 1 */
static bool solve_by_entries(const AlsProblem *problem, const AlsRow *row, float *x,
                             Workspace *work, double *loss)
{
    int64_t d = problem->d, n = row->n;
    make_entries_system(problem, row, work);
    memcpy(work->aside, work->root, (size_t)n * sizeof *work->aside);
    if (!dense_solve(work->matrix, n, 1, work->aside))
        return false;
    /* z = (I + R R')^-1 sqrt(C) 1 is what is left of the entries, and R'z = D^1/2 x. */
    dense_transposed_times(work->rows, n, d, d, work->aside, 0, x);
    *loss = dot(work->aside, work->aside, n) + dot(x, x, d);
    for (int64_t j = 0; j < d; j++)
        x[j] *= work->vector[j];
    return true;
}

static double sum_of(const float *values, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)values[i];
    return sum;
}

/* n >= d: matrix D + Y'C Y, vector Y'C 1. */
static void make_factors_system(const AlsProblem *problem, const AlsRow *row, Workspace *work)
{
    int64_t d = problem->d;
    for (int64_t begin = 0; begin < row->n; begin += CHUNK) {
        int64_t n = row->n - begin < CHUNK ? row->n - begin : CHUNK;
        float beta = begin == 0 ? 0 : 1;
        gather(problem, row, begin, n, work);
        dense_gram(work->rows, n, d, d, beta, work->matrix);
        dense_transposed_times(work->rows, n, d, d, work->root, beta, work->vector);
    }
    for (int64_t j = 0; j < d; j++)
        work->matrix[j * d + j] += (float)((double)problem->gram[j] + problem->lambda);
}

/* n >= d, all factors at once. */
static bool solve_by_factors(const AlsProblem *problem, const AlsRow *row, float *x,
                             Workspace *work, double *loss)
{
    int64_t d = problem->d;
    make_factors_system(problem, row, work);
    memcpy(work->aside, work->vector, (size_t)d * sizeof *work->aside);
    if (!dense_solve(work->matrix, d, 1, work->vector))
        return false;
    memcpy(x, work->vector, (size_t)d * sizeof *x);
    *loss = sum_of(row->values, row->n) - dot(work->aside, x, d); /* at the minimum */
    return true;
}

/* Loss of the regularised part: x'D x. */
static double penalty(const AlsProblem *problem, const float *x)
{
    double sum = 0;
    for (int64_t j = 0; j < problem->d; j++)
        sum += ((double)problem->gram[j] + problem->lambda) * x[j] * x[j];
    return sum;
}

/* sum of c (y'x - 1)^2 over the n entries that are gathered. */
static double misfit(const AlsProblem *problem, int64_t n, const float *x, Workspace *work)
{
    double sum = 0;
    dense_times(work->rows, n, problem->d, x, work->aside);
    for (int64_t i = 0; i < n; i++) {
        double rest = (double)work->aside[i] - work->root[i];
        sum += rest * rest;
    }
    return sum;
}

/* The misfit of all entries, gathered again if there were several chunks. */
static double whole_misfit(const AlsProblem *problem, const AlsRow *row, const float *x,
                           Workspace *work)
{
    double sum = 0;
    for (int64_t begin = 0; begin < row->n; begin += CHUNK) {
        int64_t n = row->n - begin < CHUNK ? row->n - begin : CHUNK;
        if (row->n > CHUNK)
            gather(problem, row, begin, n, work);
        sum += misfit(problem, n, x, work);
    }
    return sum;
}

/* n >= d, the factors [first, first + width) alone; `is_gathered`: all entries are in work->rows.
 */
static bool solve_block(const AlsProblem *problem, const AlsRow *row, int64_t first, int64_t width,
                        bool is_gathered, float *x, Workspace *work)
{
    int64_t d = problem->d;
    for (int64_t begin = 0; begin < row->n; begin += CHUNK) {
        int64_t n = row->n - begin < CHUNK ? row->n - begin : CHUNK;
        float beta = begin == 0 ? 0 : 1;
        if (!is_gathered)
            gather(problem, row, begin, n, work);
        dense_times(work->rows, n, d, x, work->aside);
        for (int64_t i = 0; i < n; i++)
            work->aside[i] -= work->root[i];
        dense_gram(work->rows + first, n, width, d, beta, work->matrix);
        dense_transposed_times(work->rows + first, n, width, d, work->aside, beta, work->vector);
    }
    for (int64_t j = 0; j < width; j++) {
        double diagonal = (double)problem->gram[first + j] + problem->lambda;
        work->matrix[j * width + j] += (float)diagonal;
        work->vector[j] += (float)(diagonal * x[first + j]);
    }
    if (!dense_solve(work->matrix, width, 1, work->vector))
        return false;
    for (int64_t j = 0; j < width; j++)
        x[first + j] -= work->vector[j];
    return true;
}

/* n >= d, block after block. */
static bool solve_by_blocks(const AlsProblem *problem, const AlsRow *row, float *x, Workspace *work,
                            double *loss)
{
    bool is_gathered = row->n <= CHUNK;
    if (is_gathered)
        gather(problem, row, 0, row->n, work);
    for (int64_t first = 0; first < problem->d; first += problem->block) {
        int64_t left = problem->d - first;
        int64_t width = left < problem->block ? left : problem->block;
        if (!solve_block(problem, row, first, width, is_gathered, x, work))
            return false;
    }
    *loss = whole_misfit(problem, row, x, work) + penalty(problem, x);
    return true;
}

bool als_solve_row(const AlsProblem *problem, const AlsRow *row, float *x, float *workspace,
                   double *loss)
{
    Workspace work = lay_out(problem->d, workspace);
    *loss = 0;
    if (row->n == 0) {
        memset(x, 0, (size_t)problem->d * sizeof *x);
        return true;
    }
    if (row->n < problem->d)
        return solve_by_entries(problem, row, x, &work, loss);
    if (problem->block < problem->d)
        return solve_by_blocks(problem, row, x, &work, loss);
    return solve_by_factors(problem, row, x, &work, loss);
}

/* What explaining a row takes beside its workspace. */
typedef struct Listed {
    int64_t n;
    float *factors; /* [n x d] */
    float *spare;   /* [n x d] */
    float weight;
    float *shares; /* [n x entries] */
} Listed;

/* n < d: sqrt(C) (I + R R')^-1 R D^-1/2 y for each listed y. */
static bool explain_by_entries(const AlsProblem *problem, const AlsRow *row, Listed *listed,
                               Workspace *work)
{
    int64_t d = problem->d, n = row->n;
    make_entries_system(problem, row, work);
    for (int64_t k = 0; k < listed->n; k++) {
        for (int64_t j = 0; j < d; j++)
            listed->factors[k * d + j] *= work->vector[j];
    }
    dense_product_transposed(listed->factors, work->rows, listed->n, d, n, listed->spare);
    if (!dense_solve(work->matrix, n, listed->n, listed->spare))
        return false;
    for (int64_t k = 0; k < listed->n; k++) {
        for (int64_t i = 0; i < n; i++)
            listed->shares[k * n + i] += listed->weight * work->root[i] * listed->spare[k * n + i];
    }
    return true;
}

/* n >= d: c y_i'(D + Y'C Y)^-1 y for each listed y. */
static bool explain_by_factors(const AlsProblem *problem, const AlsRow *row, Listed *listed,
                               Workspace *work)
{
    int64_t d = problem->d;
    make_factors_system(problem, row, work);
    if (!dense_solve(work->matrix, d, listed->n, listed->factors))
        return false;
    for (int64_t begin = 0; begin < row->n; begin += CHUNK) {
        int64_t n = row->n - begin < CHUNK ? row->n - begin : CHUNK;
        gather(problem, row, begin, n, work);
        for (int64_t k = 0; k < listed->n; k++) {
            float *share = listed->shares + k * row->n + begin;
            dense_times(work->rows, n, d, listed->factors + k * d, work->aside);
            for (int64_t i = 0; i < n; i++)
                share[i] += listed->weight * work->root[i] * work->aside[i];
        }
    }
    return true;
}

bool als_explain_row(const AlsProblem *problem, const AlsRow *row, float *factors, int64_t n_listed,
                     float weight, float *shares, float *workspace)
{
    Workspace work = lay_out(problem->d, workspace);
    Listed listed = {.n = n_listed, .weight = weight};
    listed.factors = factors;
    listed.spare = factors + n_listed * problem->d;
    listed.shares = shares;
    if (row->n < problem->d)
        return explain_by_entries(problem, row, &listed, &work);
    return explain_by_factors(problem, row, &listed, &work);
}
