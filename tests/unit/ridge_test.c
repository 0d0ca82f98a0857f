/* Ridge regression from Gram matrices against sums written out and elimination. */
#include "kernel/ridge.h"

#include "base/memory.h"
#include "base/random.h"
#include "kernel/dense.h"
#include "unit/suites.h"

#include <math.h>
#include <string.h>

enum { ROWS_MOST = 700, WIDTH_MOST = 70 };

/* Rows as ridge.h has them. */
typedef struct Rows {
    int64_t n, width;
    double *numbers; /* [n x width] */
} Rows;

/* Features of means and spreads of their own; y = 3 + sum of (j mod 5) x_j + noise. */
static Rows rows_make(int64_t n, int64_t width, double noise, uint64_t seed)
{
    Rows rows = {.n = n, .width = width, .numbers = mem_new(n * width, sizeof(double))};
    Random random = random_stream(seed, (uint64_t)(n * 1000 + width));
    for (int64_t i = 0; i < n; i++) {
        double *row = rows.numbers + i * width, root = .5 + random_unit(&random), y = 3;
        for (int64_t j = 1; j < width - 1; j++) {
            row[j] = (double)j + (1 + (double)j) * random_normal(&random);
            y += (double)(j % 5) * row[j];
        }
        row[0] = 1;
        row[width - 1] = y + noise * random_normal(&random);
        for (int64_t j = 0; j < width; j++)
            row[j] *= root;
    }
    return rows;
}

static double plain_product(const Rows *rows, int64_t i, int64_t j)
{
    double sum = 0;
    for (int64_t r = 0; r < rows->n; r++)
        sum += rows->numbers[r * rows->width + i] * rows->numbers[r * rows->width + j];
    return sum;
}

static double *gram_of(const Rows *rows)
{
    double *gram = mem_new(rows->width * rows->width, sizeof *gram);
    ridge_add_rows(rows->numbers, rows->n, rows->width, gram);
    return gram;
}

static void test_gram(void)
{
    static const int64_t ns[] = {0, 1, 2, 255, 256, ROWS_MOST}, widths[] = {2, 3, 17, WIDTH_MOST};
    dense_one_thread();
    for (size_t a = 0; a < sizeof ns / sizeof *ns; a++) {
        for (size_t b = 0; b < sizeof widths / sizeof *widths; b++) {
            Rows rows = rows_make(ns[a], widths[b], 1, 1);
            int64_t width = rows.width, half = rows.n / 2;
            double *gram = mem_new(width * width, sizeof *gram);
            ridge_add_rows(rows.numbers, half, width, gram);
            ridge_add_rows(rows.numbers + half * width, rows.n - half, width, gram);
            for (int64_t i = 0; i < width; i++) {
                for (int64_t j = 0; j <= i; j++) {
                    double size = sqrt(plain_product(&rows, i, i) * plain_product(&rows, j, j));
                    CU_ASSERT(fabs(gram[i * width + j] - plain_product(&rows, i, j)) <=
                              1e-13 * size);
                }
            }
            mem_free(&gram);
            mem_free(&rows.numbers);
        }
    }
}

/* The order in which pieces are added does not show; what is lost is as small as the bits say. */
static void test_fixed_point(void)
{
    enum { PIECES = 7, WIDTH = 9, PACKED = WIDTH * (WIDTH + 1) / 2 };
    double bound = 0, *grams[PIECES], back[WIDTH * WIDTH];
    int64_t forth[PACKED] = {0}, reverse[PACKED] = {0};
    CU_ASSERT_EQUAL(ridge_packed(WIDTH), PACKED);
    for (int k = 0; k < PIECES; k++) {
        Rows rows = rows_make(50, WIDTH, 1, (uint64_t)k);
        for (int64_t i = 0; i < rows.n * WIDTH; i++)
            bound = fmax(bound, fabs(rows.numbers[i]));
        grams[k] = gram_of(&rows);
        mem_free(&rows.numbers);
    }
    int bits = ridge_bits((int64_t)50 * PIECES, bound);
    for (int k = 0; k < PIECES; k++) {
        ridge_fix(grams[k], WIDTH, bits, forth);
        ridge_fix(grams[PIECES - 1 - k], WIDTH, bits, reverse);
    }
    CU_ASSERT(memcmp(forth, reverse, sizeof forth) == 0);
    ridge_unfix(forth, WIDTH, bits, back);
    for (int64_t i = 0; i < WIDTH; i++) {
        for (int64_t j = 0; j <= i; j++) {
            double sum = 0;
            for (int k = 0; k < PIECES; k++)
                sum += grams[k][i * WIDTH + j];
            CU_ASSERT(fabs(sum - back[i * WIDTH + j]) <= PIECES * ldexp(1, -bits) + 1e-12 * sum);
        }
    }
    for (int k = 0; k < PIECES; k++)
        mem_free(&grams[k]);
}

static void test_bits(void)
{
    for (int64_t rows = 0; rows < (int64_t)1 << 40; rows = rows * 7 + 1) {
        for (double bound = .25; bound < 1e4; bound *= 3) {
            double most = (double)rows * bound * bound;
            CU_ASSERT(ldexp(most, ridge_bits(rows, bound)) <= ldexp(1, 62));
            CU_ASSERT(rows == 0 || ldexp(most, ridge_bits(rows, bound)) >= ldexp(1, 61));
        }
    }
}

/* The coefficients by standardised features and elimination. */
static void solve_plainly(const Rows *rows, double lambda, double *b)
{
    int64_t n = rows->width - 2, target = rows->width - 1;
    double mean[WIDTH_MOST], deviation[WIDTH_MOST], *a = mem_new(n * (n + 1), sizeof *a);
    double weight = plain_product(rows, 0, 0);
    for (int64_t j = 0; j <= target; j++) {
        mean[j] = plain_product(rows, 0, j) / weight;
        deviation[j] = 0;
        for (int64_t r = 0; r < rows->n; r++) {
            double away =
                rows->numbers[r * rows->width + j] - mean[j] * rows->numbers[r * rows->width];
            deviation[j] += away * away / weight;
        }
        deviation[j] = sqrt(deviation[j]);
    }
    for (int64_t r = 0; r < rows->n; r++) {
        const double *row = rows->numbers + r * rows->width;
        for (int64_t i = 0; i < n; i++) {
            double x = (row[i + 1] - mean[i + 1] * row[0]) / deviation[i + 1];
            for (int64_t j = 0; j < n; j++)
                a[i * (n + 1) + j] +=
                    x * (row[j + 1] - mean[j + 1] * row[0]) / deviation[j + 1] / weight;
            a[i * (n + 1) + n] += x * (row[target] - mean[target] * row[0]) / weight;
        }
    }
    for (int64_t i = 0; i < n; i++)
        a[i * (n + 1) + i] += lambda;
    for (int64_t p = 0; p < n; p++) {
        for (int64_t i = 0; i < n; i++) {
            double factor = i == p ? 0 : a[i * (n + 1) + p] / a[p * (n + 1) + p];
            for (int64_t j = p; j <= n; j++)
                a[i * (n + 1) + j] -= factor * a[p * (n + 1) + j];
        }
    }
    b[0] = mean[target];
    for (int64_t i = 0; i < n; i++) {
        b[i + 1] = a[i * (n + 1) + n] / a[i * (n + 1) + i] / deviation[i + 1];
        b[0] -= b[i + 1] * mean[i + 1];
    }
    mem_free(&a);
}

static bool solve(const Rows *rows, double lambda, double *b)
{
    double *gram = gram_of(rows), *work = mem_new(ridge_work(rows->width), sizeof *work);
    bool is_solved = ridge_solve(gram, rows->width, lambda, b, work);
    mem_free(&gram);
    mem_free(&work);
    return is_solved;
}

static void test_coefficients(void)
{
    static const int64_t widths[] = {2, 3, 8, WIDTH_MOST};
    static const double lambdas[] = {1e-6, .01, 3};
    for (size_t k = 0; k < sizeof widths / sizeof *widths; k++) {
        Rows rows = rows_make(300, widths[k], 5, 4);
        for (size_t l = 0; l < sizeof lambdas / sizeof *lambdas; l++) {
            double b[WIDTH_MOST], want[WIDTH_MOST];
            CU_ASSERT(solve(&rows, lambdas[l], b));
            solve_plainly(&rows, lambdas[l], want);
            for (int64_t j = 0; j < rows.width - 1; j++)
                CU_ASSERT_DOUBLE_EQUAL(b[j], want[j], 1e-9 * (1 + fabs(want[j])));
        }
        mem_free(&rows.numbers);
    }
}

/* Without noise the law comes back; the loss is what the rows leave. */
static void test_law(void)
{
    double b[WIDTH_MOST];
    Rows rows = rows_make(500, 20, 0, 5);
    CU_ASSERT(solve(&rows, 1e-9, b));
    CU_ASSERT_DOUBLE_EQUAL(b[0], 3, 1e-5);
    for (int64_t j = 1; j < 19; j++)
        CU_ASSERT_DOUBLE_EQUAL(b[j], (double)(j % 5), 1e-6);
    double *gram = gram_of(&rows), loss = 0;
    for (int64_t j = 0; j < 19; j++)
        b[j] += .1 * (double)(j % 3);
    for (int64_t r = 0; r < rows.n; r++) {
        double rest = rows.numbers[r * 20 + 19];
        for (int64_t j = 0; j < 19; j++)
            rest -= b[j] * rows.numbers[r * 20 + j];
        loss += rest * rest;
    }
    CU_ASSERT_DOUBLE_EQUAL(ridge_loss(gram, 20, b), loss, 1e-9 * loss);
    mem_free(&gram);
    mem_free(&rows.numbers);
}

/* Nothing to learn from, features that do not vary or are all the same, fewer rows than features.
 */
static void test_singular(void)
{
    double b[WIDTH_MOST];
    Rows rows = rows_make(0, 5, 0, 6);
    CU_ASSERT_FALSE(solve(&rows, .1, b));
    mem_free(&rows.numbers);
    rows = rows_make(1, 5, 0, 6); /* nothing varies */
    CU_ASSERT(solve(&rows, .1, b));
    CU_ASSERT_DOUBLE_EQUAL(b[0], rows.numbers[4] / rows.numbers[0], 1e-12 * fabs(b[0]));
    for (int j = 1; j < 4; j++)
        CU_ASSERT_EQUAL(b[j], 0);
    mem_free(&rows.numbers);
    rows = rows_make(200, 5, 0, 6);
    for (int64_t r = 0; r < rows.n; r++) {
        double *row = rows.numbers + r * 5;
        row[2] = row[1];
        row[3] = 7 * row[0];
        row[4] = 2 * row[0] + 6 * row[1];
    }
    CU_ASSERT(solve(&rows, 1e-9, b));
    CU_ASSERT_DOUBLE_EQUAL(b[1], 3, 1e-5);
    CU_ASSERT_DOUBLE_EQUAL(b[2], 3, 1e-5);
    CU_ASSERT_EQUAL(b[3], 0);
    CU_ASSERT_DOUBLE_EQUAL(b[0], 2, 1e-4);
    mem_free(&rows.numbers);
    rows = rows_make(10, WIDTH_MOST, 1, 6);
    CU_ASSERT(solve(&rows, 1e-9, b));
    for (int64_t j = 0; j < WIDTH_MOST - 1; j++)
        CU_ASSERT(isfinite(b[j]));
    mem_free(&rows.numbers);
}

CU_TestInfo ridge_tests[] = {
    {"gram", test_gram}, {"fixed point", test_fixed_point},
    {"bits", test_bits}, {"coefficients", test_coefficients},
    {"law", test_law},   {"singular", test_singular},
    CU_TEST_INFO_NULL,
};
