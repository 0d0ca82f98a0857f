/* Convex weights, against all ways to share out a grid, and where the answer is known. */
#include "kernel/convex_weights.h"

#include "base/random.h"
#include "unit/suites.h"

#include <math.h>

enum { STEPS = 40 };

static double error_of(const double *errors, int n, const double *weights)
{
    double sum = 0.0;
    for (int k = 0; k < n; k++) {
        for (int l = 0; l < n; l++)
            sum += weights[k] * errors[k * n + l] * weights[l];
    }
    return sum;
}

/* Products of n error series of `length`, of which one is added to all. */
static void draw(Random *random, int n, int length, double *errors)
{
    for (int k = 0; k < n * n; k++)
        errors[k] = 0.0;
    for (int t = 0; t < length; t++) {
        double e[CONVEX_WEIGHTS_MAX], common = random_normal(random);
        for (int k = 0; k < n; k++)
            e[k] = common + (1.0 + k) * random_normal(random);
        for (int k = 0; k < n; k++) {
            for (int l = 0; l < n; l++)
                errors[k * n + l] += e[k] * e[l];
        }
    }
}

static void test_best_of_grid(void)
{
    Random random = random_stream(1, 7);
    for (int trial = 0; trial < 50; trial++) {
        double errors[9], weights[3];
        draw(&random, 3, 4 + trial, errors);
        convex_weights(errors, 3, weights);
        double least = error_of(errors, 3, weights);
        CU_ASSERT_DOUBLE_EQUAL(weights[0] + weights[1] + weights[2], 1.0, 1e-12);
        for (int a = 0; a <= STEPS; a++) {
            for (int b = 0; a + b <= STEPS; b++) {
                double grid[] = {(double)a / STEPS, (double)b / STEPS,
                                 (double)(STEPS - a - b) / STEPS};
                CU_ASSERT(least <= error_of(errors, 3, grid) * (1.0 + 1e-9));
            }
        }
    }
}

/* Independent errors: weights go as one over the variance. */
static void test_known_answer(void)
{
    double errors[16] = {0.0}, weights[4];
    for (int k = 0; k < 4; k++)
        errors[k * 5] = 1.0 + k;
    convex_weights(errors, 4, weights);
    for (int k = 0; k < 4; k++)
        CU_ASSERT_DOUBLE_EQUAL(weights[k], 12.0 / 25.0 / (1.0 + k), 1e-6);
}

/* One forecast is always better, all are alike, all are perfect, there is one. */
static void test_edges(void)
{
    double weights[3];
    const double better[] = {1, 2, 3, 2, 4, 6, 3, 6, 9};
    convex_weights(better, 3, weights);
    CU_ASSERT_DOUBLE_EQUAL(weights[0], 1.0, 1e-12);
    const double alike[] = {2, 2, 2, 2, 2, 2, 2, 2, 2};
    convex_weights(alike, 3, weights);
    const double perfect[9] = {0};
    for (int k = 0; k < 3; k++)
        CU_ASSERT_DOUBLE_EQUAL(weights[k], 1.0 / 3, 1e-12);
    convex_weights(perfect, 3, weights);
    for (int k = 0; k < 3; k++)
        CU_ASSERT_DOUBLE_EQUAL(weights[k], 1.0 / 3, 1e-12);
    const double alone[] = {5};
    convex_weights(alone, 1, weights);
    CU_ASSERT_DOUBLE_EQUAL(weights[0], 1.0, 0.0);
}

CU_TestInfo convex_weights_tests[] = {{"best_of_grid", test_best_of_grid},
                                      {"known_answer", test_known_answer},
                                      {"edges", test_edges},
                                      CU_TEST_INFO_NULL};
