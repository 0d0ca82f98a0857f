/* Exact sums: in any order, cut anywhere, and with values that a plain sum would swallow. */
#include "kernel/exact_sum.h"

#include "base/random.h"
#include "unit/suites.h"

#include <float.h>
#include <math.h>

enum { N = 1000 };

/* In pieces of `piece` values, the last first. */
static double sum_in_pieces(const double *values, int64_t n, int64_t piece, int64_t count)
{
    ExactScale scale = exact_sum_scale(exact_sum_exponent(values, n), count);
    int64_t coarse[N], fine[N], known[N], coarse_sum = 0, fine_sum = 0;
    for (int64_t end = n; end > 0; end -= piece) {
        int64_t begin = end > piece ? end - piece : 0;
        exact_sum_split(&scale, values + begin, end - begin, coarse, fine, known);
        for (int64_t i = end - begin - 1; i >= 0; i--) {
            coarse_sum += coarse[i];
            fine_sum += fine[i];
        }
    }
    return exact_sum_join(&scale, coarse_sum, fine_sum);
}

static void test_order(void)
{
    double values[N], reversed[N];
    for (int round = 0; round < 20; round++) {
        Random random = random_stream(3, (uint64_t)round);
        long double sum = 0, size = 0;
        for (int i = 0; i < N; i++) {
            values[i] = random_normal(&random) * exp2((double)random_below(&random, 60) - 30);
            reversed[N - 1 - i] = values[i];
            sum += values[i];
            size += fabs(values[i]);
        }
        double got = sum_in_pieces(values, N, N, N);
        CU_ASSERT_EQUAL(got, sum_in_pieces(values, N, 7, N));
        CU_ASSERT_EQUAL(got, sum_in_pieces(reversed, N, 64, N));
        CU_ASSERT(fabsl(got - sum) <= 1e-16L * size + 3e-16L * fabsl(sum));
    }
}

/* What is left when great values cancel; whole numbers. */
static void test_exact(void)
{
    double cancelling[] = {1e12, .125, -1e12, 3, 1e12, -1e12};
    CU_ASSERT_EQUAL(sum_in_pieces(cancelling, 6, 2, 6), 3.125);
    CU_ASSERT_EQUAL(sum_in_pieces(cancelling, 6, 6, 1 << 20), 3.125);
    double whole[N];
    for (int i = 0; i < N; i++)
        whole[i] = (double)(i * 7919 % 1000);
    CU_ASSERT_EQUAL(sum_in_pieces(whole, N, 10, (int64_t)1 << 40), 499500);
}

static void test_extremes(void)
{
    double great[] = {1e308, 5e307, -1e308, DBL_MAX / 4};
    CU_ASSERT(fabs(sum_in_pieces(great, 4, 1, 4) / (5e307 + DBL_MAX / 4) - 1) < 1e-15);
    double small[] = {5e-324, 1e-300, 0};
    CU_ASSERT_DOUBLE_EQUAL(sum_in_pieces(small, 3, 1, 3), 0, 1e-250);
    CU_ASSERT_EQUAL(sum_in_pieces(small + 2, 1, 1, 1), 0);
    CU_ASSERT_EQUAL(exact_sum_exponent(NULL, 0), EXACT_EXPONENT_LEAST);
    double one[] = {-1, 1};
    CU_ASSERT_EQUAL(exact_sum_exponent(one, 2), 1);
    CU_ASSERT_EQUAL(sum_in_pieces(one, 1, 1, 1), -1);
}

static void test_unknown(void)
{
    double values[] = {1, (double)NAN, (double)INFINITY, -2};
    int64_t coarse[4], fine[4], known[4];
    ExactScale scale = exact_sum_scale(exact_sum_exponent(values, 4), 4);
    exact_sum_split(&scale, values, 4, coarse, fine, known);
    CU_ASSERT(known[0] == 1 && known[1] == 0 && known[2] == 0 && known[3] == 1);
    CU_ASSERT_EQUAL(sum_in_pieces(values, 4, 4, 4), -1);
}

CU_TestInfo exact_sum_tests[] = {{"any order", test_order},
                                 {"exact", test_exact},
                                 {"extremes", test_extremes},
                                 {"not known", test_unknown},
                                 CU_TEST_INFO_NULL};
