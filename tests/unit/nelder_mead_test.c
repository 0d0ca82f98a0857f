/* Nelder and Mead's search: known minima, on bounds and between walls, and functions that tell
 * nothing. */
#include "kernel/nelder_mead.h"

#include "base/memory.h"
#include "unit/suites.h"

#include <math.h>
#include <string.h>

enum { MOST_VARIABLES = 30 };

static double lowest[MOST_VARIABLES];
static double highest[MOST_VARIABLES];
static double work[2000];
static int calls;

static void set_box(double lower, double upper)
{
    for (int i = 0; i < MOST_VARIABLES; i++) {
        lowest[i] = lower;
        highest[i] = upper;
    }
    calls = 0;
}

static bool is_in_box(const double *x, int n)
{
    for (int i = 0; i < n; i++)
        if (!(x[i] >= lowest[i] && x[i] <= highest[i]))
            return false;
    return true;
}

/* sum of i (x_i - i)^2 plus 1, with i from 1; context: n. */
static double bowl(const double *x, void *context)
{
    int n = *(int *)context;
    double sum = 1.0;
    calls++;
    CU_ASSERT(is_in_box(x, n));
    for (int i = 0; i < n; i++)
        sum += (i + 1) * (x[i] - (i + 1)) * (x[i] - (i + 1));
    return sum;
}

static void test_bowl(void)
{
    static const int sizes[] = {1, 2, 3, 5, 10};
    for (int k = 0; k < 5; k++) {
        int n = sizes[k];
        double x[MOST_VARIABLES] = {0.0};
        CU_ASSERT(nelder_mead_work(n) <= 2000);
        set_box(-INFINITY, INFINITY);
        double value = nelder_mead_minimise(bowl, &n, n, x, lowest, highest, NELDER_MEAD_EDGE,
                                            1e-12, 100000, work);
        CU_ASSERT_DOUBLE_EQUAL(value, 1.0, 1e-9);
        CU_ASSERT(calls < 5000);
        for (int i = 0; i < n; i++)
            CU_ASSERT_DOUBLE_EQUAL(x[i], i + 1.0, 1e-4);
    }
}

/* The minimum is at the corner of the box. */
static void test_bounds(void)
{
    for (int n = 1; n <= 5; n++) {
        double x[MOST_VARIABLES];
        set_box(-2.0, 0.5);
        for (int i = 0; i < n; i++)
            x[i] = -1.0 - 0.1 * i;
        double value = nelder_mead_minimise(bowl, &n, n, x, lowest, highest, NELDER_MEAD_EDGE,
                                            1e-10, 20000, work);
        double want = 1.0;
        for (int i = 0; i < n; i++) {
            CU_ASSERT_DOUBLE_EQUAL(x[i], 0.5, 1e-7);
            want += (i + 1) * (i + 0.5) * (i + 0.5);
        }
        CU_ASSERT_DOUBLE_EQUAL(value, want, 1e-8 * want);
    }
    int n = 2;
    double x[2] = {1.0, 7.0};
    set_box(1.0, 1.0);
    CU_ASSERT_EQUAL(
        nelder_mead_minimise(bowl, &n, n, x, lowest, highest, NELDER_MEAD_EDGE, 1e-8, 100, work),
        3.0);
    CU_ASSERT_EQUAL(x[1], 1.0);
}

/* Rosenbrock 1960; context: NULL, or a wall at x_0 + x_1 = 1 beyond which nothing is allowed. */
static double valley(const double *x, void *context)
{
    double across = x[1] - x[0] * x[0];
    calls++;
    if (context && x[0] + x[1] > 1.0)
        return *(double *)context;
    return 100.0 * across * across + (1.0 - x[0]) * (1.0 - x[0]);
}

static void test_valley(void)
{
    double x[2] = {-1.2, 1.0};
    set_box(-10.0, 10.0);
    CU_ASSERT(nelder_mead_minimise(valley, NULL, 2, x, lowest, highest, NELDER_MEAD_EDGE, 1e-10,
                                   20000, work) < 1e-8);
    CU_ASSERT_DOUBLE_EQUAL(x[0], 1.0, 1e-4);
    double again[2] = {-1.2, 1.0};
    nelder_mead_minimise(valley, NULL, 2, again, lowest, highest, NELDER_MEAD_EDGE, 1e-10, 20000,
                         work);
    CU_ASSERT(memcmp(x, again, sizeof x) == 0);

    static double walls[] = {INFINITY, NAN};
    for (int i = 0; i < 2; i++) {
        double by_wall[2] = {-1.2, 1.0};
        double value = nelder_mead_minimise(valley, &walls[i], 2, by_wall, lowest, highest,
                                            NELDER_MEAD_EDGE, 1e-12, 20000, work);
        /* On the wall the least is at x_0 = 0.61803: x_1 = x_0^2 there. */
        CU_ASSERT_DOUBLE_EQUAL(value, 0.1459, 1e-3);
        CU_ASSERT(by_wall[0] + by_wall[1] <= 1.0);
    }
}

static double nothing(const double *x, void *context)
{
    calls++;
    (void)x;
    return *(double *)context;
}

static void test_edges(void)
{
    double values[] = {0.0, 3.0, INFINITY, NAN};
    for (int i = 0; i < 4; i++) {
        double x[3] = {1.0, 2.0, 3.0};
        set_box(-5.0, INFINITY);
        double value = nelder_mead_minimise(nothing, &values[i], 3, x, lowest, highest,
                                            NELDER_MEAD_EDGE, 1e-8, 1000, work);
        CU_ASSERT(value == values[i] || (i == 3 && isinf(value)));
        CU_ASSERT(calls <= 10);
    }
    int n = 0;
    CU_ASSERT_EQUAL(
        nelder_mead_minimise(bowl, &n, 0, NULL, NULL, NULL, NELDER_MEAD_EDGE, 1e-8, 1, work), 1.0);
    n = 4;
    double x[4] = {0.0};
    set_box(-10.0, 10.0);
    CU_ASSERT(nelder_mead_minimise(bowl, &n, n, x, lowest, highest, NELDER_MEAD_EDGE, 1e-8, 1,
                                   work) <= 1.0 + 1 + 8 + 27 + 64);
    CU_ASSERT_EQUAL(calls, n + 1);
}

CU_TestInfo nelder_mead_tests[] = {{"a bowl of n variables", test_bowl},
                                   {"minimum on the bounds", test_bounds},
                                   {"a bent valley, a wall", test_valley},
                                   {"edges", test_edges},
                                   CU_TEST_INFO_NULL};
