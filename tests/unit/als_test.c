/* Rows of ALS against the same problem solved plainly, in double precision. */
#include "base/memory.h"
#include "base/random.h"
#include "kernel/als.h"
#include "kernel/dense.h"
#include "unit/suites.h"

#include <math.h>
#include <string.h>

enum { OTHERS = 2000 };

/* A row's problem with the other side drawn at random; e is not the others' own Gram matrix, which
 * a row does not know. */
typedef struct Sample {
    AlsProblem problem;
    AlsRow row;
    float *others, *gram, *values;
    int32_t *places;
} Sample;

static Sample sample_make(int64_t d, int64_t n, bool binary, int64_t block, uint64_t seed)
{
    Random random = random_stream(seed, (uint64_t)(d * 100000 + n));
    Sample sample = {.others = mem_new(OTHERS * d, sizeof(float)),
                     .gram = mem_new(d, sizeof(float)),
                     .values = mem_new(n, sizeof(float)),
                     .places = mem_new(n, sizeof(int32_t))};
    for (int64_t i = 0; i < OTHERS * d; i++)
        sample.others[i] = (float)(.1 * random_normal(&random));
    for (int64_t j = 0; j < d; j++)
        sample.gram[j] = (float)(5 * random_unit(&random));
    for (int64_t i = 0; i < n; i++) {
        sample.values[i] = binary ? 1 : (float)(.1 + random_unit(&random));
        sample.places[i] = (int32_t)random_below(&random, OTHERS);
    }
    sample.problem = (AlsProblem){
        .d = d, .others = sample.others, .gram = sample.gram, .lambda = .7, .block = block};
    sample.row = (AlsRow){.n = n, .places = sample.places, .values = sample.values};
    return sample;
}

static void sample_free(Sample *sample)
{
    mem_free(&sample->others);
    mem_free(&sample->gram);
    mem_free(&sample->values);
    mem_free(&sample->places);
}

static double loss_of(const Sample *sample, const double *x)
{
    const AlsProblem *problem = &sample->problem;
    double loss = 0;
    for (int64_t i = 0; i < sample->row.n; i++) {
        double y = 0;
        for (int64_t j = 0; j < problem->d; j++)
            y += (double)problem->others[sample->row.places[i] * problem->d + j] * x[j];
        loss += (double)sample->row.values[i] * (y - 1) * (y - 1);
    }
    for (int64_t j = 0; j < problem->d; j++)
        loss += ((double)problem->gram[j] + problem->lambda) * x[j] * x[j];
    return loss;
}

/* The normal equations by Gaussian elimination. */
static void solve_plainly(const Sample *sample, double *x)
{
    int64_t d = sample->problem.d;
    double *a = mem_new(d * d, sizeof *a);
    for (int64_t j = 0; j < d; j++) {
        a[j * d + j] = (double)sample->problem.gram[j] + sample->problem.lambda;
        x[j] = 0;
    }
    for (int64_t i = 0; i < sample->row.n; i++) {
        const float *y = sample->problem.others + sample->row.places[i] * d;
        double c = sample->row.values[i];
        for (int64_t j = 0; j < d; j++) {
            x[j] += c * y[j];
            for (int64_t k = 0; k < d; k++)
                a[j * d + k] += c * y[j] * y[k];
        }
    }
    for (int64_t p = 0; p < d; p++) {
        for (int64_t j = p + 1; j < d; j++) {
            double factor = a[j * d + p] / a[p * d + p];
            for (int64_t k = p; k < d; k++)
                a[j * d + k] -= factor * a[p * d + k];
            x[j] -= factor * x[p];
        }
    }
    for (int64_t p = d - 1; p >= 0; p--) {
        for (int64_t k = p + 1; k < d; k++)
            x[p] -= a[p * d + k] * x[k];
        x[p] /= a[p * d + p];
    }
    mem_free(&a);
}

static void solve(const Sample *sample, float *x, double *loss)
{
    float *workspace = mem_new(als_workspace(sample->problem.d), sizeof *workspace);
    CU_ASSERT(als_solve_row(&sample->problem, &sample->row, x, workspace, loss));
    mem_free(&workspace);
}

static void check_exact(int64_t d, int64_t n, bool binary)
{
    double *expected = mem_new(d, sizeof *expected);
    float *x = mem_new(d, sizeof *x);
    double loss, scale = 1e-30, worst = 0;
    Sample sample = sample_make(d, n, binary, d, 1);
    memset(x, 0xFF, (size_t)d * sizeof *x);
    solve_plainly(&sample, expected);
    solve(&sample, x, &loss);
    for (int64_t j = 0; j < d; j++) {
        scale = fmax(scale, fabs(expected[j]));
        worst = fmax(worst, fabs(expected[j] - x[j]));
    }
    CU_ASSERT(worst < 1e-4 * scale || n == 0);
    CU_ASSERT(worst == 0 || n > 0);
    CU_ASSERT_DOUBLE_EQUAL(loss, loss_of(&sample, expected), 1e-5 * (1 + loss));
    sample_free(&sample);
    mem_free(&expected);
    mem_free(&x);
}

static void test_exact(void)
{
    static const int64_t sizes[] = {0, 1, 2, 15, 16, 17, 40, 511, 512, 513, 1700};
    static const int64_t factors[] = {1, 3, 16, 64, 130};
    for (size_t i = 0; i < sizeof factors / sizeof factors[0]; i++) {
        for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
            check_exact(factors[i], sizes[k], true);
            check_exact(factors[i], sizes[k], false);
        }
    }
}

/* Blocks never raise the loss, and after many rounds reach the minimum. */
static void check_blocks(int64_t d, int64_t n, int64_t block)
{
    double *expected = mem_new(d, sizeof *expected);
    float *x = mem_new(d, sizeof *x);
    double loss = INFINITY;
    Sample sample = sample_make(d, n, false, block, 2);
    solve_plainly(&sample, expected);
    double least = loss_of(&sample, expected);
    for (int round = 0; round < 200; round++) {
        double before = loss;
        solve(&sample, x, &loss);
        CU_ASSERT(loss <= before * (1 + 1e-6));
    }
    CU_ASSERT_DOUBLE_EQUAL(loss, least, 1e-4 * least);
    sample_free(&sample);
    mem_free(&expected);
    mem_free(&x);
}

static void test_blocks(void)
{
    check_blocks(16, 40, 4);
    check_blocks(20, 600, 8);
    check_blocks(33, 1200, 32);
    check_blocks(8, 8, 1);
}

/* The shares of all entries add up to the score. */
static void check_shares(int64_t d, int64_t n)
{
    enum { LISTED = 3 };
    Sample sample = sample_make(d, n, false, d, 4);
    float *x = mem_new(d, sizeof *x), *listed = mem_new(2 * LISTED * d, sizeof *listed);
    float *shares = mem_new(LISTED * n, sizeof *shares);
    float *workspace = mem_new(als_workspace(d), sizeof *workspace);
    double loss;
    solve(&sample, x, &loss);
    memcpy(listed, sample.others + 5 * d, (size_t)(LISTED * d) * sizeof *listed);
    CU_ASSERT(als_explain_row(&sample.problem, &sample.row, listed, LISTED, 1, shares, workspace));
    for (int k = 0; k < LISTED; k++) {
        double score = 0, sum = 0;
        for (int64_t j = 0; j < d; j++)
            score += (double)sample.others[(5 + k) * d + j] * x[j];
        for (int64_t i = 0; i < n; i++)
            sum += (double)shares[k * n + i];
        CU_ASSERT_DOUBLE_EQUAL(sum, score, 1e-5);
    }
    /* An entry whose item is the listed one gives it more than another entry of the same value. */
    sample.places[0] = 5;
    sample.values[0] = sample.values[1];
    memcpy(listed, sample.others + 5 * d, (size_t)d * sizeof *listed);
    memset(shares, 0, (size_t)n * sizeof *shares);
    CU_ASSERT(als_explain_row(&sample.problem, &sample.row, listed, 1, 2, shares, workspace));
    CU_ASSERT(n < 2 || shares[0] > shares[1]);
    sample_free(&sample);
    mem_free(&x);
    mem_free(&listed);
    mem_free(&shares);
    mem_free(&workspace);
}

static void test_shares(void)
{
    check_shares(8, 5);
    check_shares(8, 8);
    check_shares(64, 30);
    check_shares(16, 513);
    check_shares(3, 1300);
}

static void test_eigen(void)
{
    enum { N = 40 };
    Random random = random_stream(3, 3);
    double a[N * N], vectors[N * N], values[N];
    double *workspace = mem_new(dense_eigen_workspace(N), sizeof *workspace);
    int32_t integers[3 + 5 * N];
    for (int i = 0; i < N; i++) {
        for (int j = 0; j <= i; j++) {
            a[i * N + j] = random_normal(&random);
            a[j * N + i] = a[i * N + j];
        }
    }
    memcpy(vectors, a, sizeof a);
    CU_ASSERT(dense_eigen(vectors, N, values, workspace, integers));
    for (int j = 0; j < N; j++) {
        double largest = 0;
        for (int i = 0; i < N; i++) {
            double image = 0;
            for (int k = 0; k < N; k++)
                image += a[i * N + k] * vectors[k * N + j];
            CU_ASSERT_DOUBLE_EQUAL(image, values[j] * vectors[i * N + j], 1e-11);
            if (fabs(vectors[i * N + j]) > fabs(largest))
                largest = vectors[i * N + j];
        }
        CU_ASSERT(largest > 0);
        CU_ASSERT(j == 0 || values[j] >= values[j - 1]);
    }
    mem_free(&workspace);
}

static void test_not_definite(void)
{
    float a[4] = {1, 0, 2, 1}, x[2] = {3, 4};
    CU_ASSERT_FALSE(dense_solve(a, 2, 1, x));
    CU_ASSERT_EQUAL(x[0], 3);
    CU_ASSERT_EQUAL(x[1], 4);
}

CU_TestInfo als_tests[] = {{"rows solved exactly", test_exact},
                           {"rows solved block by block", test_blocks},
                           {"what each entry adds to a score", test_shares},
                           {"eigenvectors", test_eigen},
                           {"a matrix that is not positive definite", test_not_definite},
                           CU_TEST_INFO_NULL};
