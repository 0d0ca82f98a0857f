/* Distributions of errors: bins, the stretches of counts, and quantiles against searching for them.
 */
#include "kernel/spread.h"

#include "base/random.h"
#include "unit/suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void test_bins(void)
{
    for (int bin = 1; bin < SPREAD_BINS; bin++)
        CU_ASSERT(spread_edge(bin) > spread_edge(bin - 1));
    Random random = random_stream(7, 1);
    for (int k = 0; k < 2000; k++) {
        double error = random_normal(&random) * exp(8 * random_normal(&random) - 8);
        int bin = spread_bin(error);
        CU_ASSERT(bin == 0 || spread_edge(bin) <= error + 1e-9 * fabs(error));
        CU_ASSERT(bin == SPREAD_BINS - 1 || spread_edge(bin + 1) > error - 1e-9 * fabs(error));
    }
    CU_ASSERT_EQUAL(spread_bin(0), SPREAD_BINS / 2);
    CU_ASSERT_EQUAL(spread_bin(1e300), SPREAD_BINS - 1);
    CU_ASSERT_EQUAL(spread_bin(-1e300), 0);
    CU_ASSERT_EQUAL(spread_bin(INFINITY), SPREAD_BINS - 1);
    CU_ASSERT(spread_edge(SPREAD_BINS - 1) > 1e4);
}

static const double means[] = {0, 1e-6, .01, .3, 1, 7.5, 400, 1e6, 1e12};
enum { MEANS = sizeof means / sizeof *means };

static void test_counts_come_back(void)
{
    static const double counts[] = {0, 1, 2, 11, 12, 144, 99999, 1e9, 1e12};
    for (int m = 0; m < MEANS; m++) {
        for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
            double points[SPREAD_PIECES];
            spread_count_points(counts[k], means[m], points);
            for (int piece = 0; piece < SPREAD_PIECES; piece++) {
                CU_ASSERT_EQUAL(spread_count(points[piece], means[m]), counts[k]);
                CU_ASSERT(piece == 0 || points[piece] > points[piece - 1]);
            }
            CU_ASSERT(spread_count_end(counts[k], means[m]) > points[SPREAD_PIECES - 1]);
        }
    }
    double points[SPREAD_PIECES];
    spread_count_points(-5, 2, points);
    CU_ASSERT_EQUAL(spread_count(points[0], 2), 0);
    CU_ASSERT_EQUAL(spread_count(-1, 2), 0);
}

/* Without any error measured, counts are geometric: the least k with 1 - (m / (1 + m))^(k + 1) >=
 * p.
 */
static void test_base(void)
{
    Spread spread = {.base = SPREAD_GEOMETRIC};
    static const double probabilities[] = {.005, .1, .45, .9, .995};
    for (int m = 3; m < 7; m++) {
        for (int k = 0; k < 5; k++) {
            double p = probabilities[k], want = 0, more = means[m] / (1 + means[m]);
            while (1 - pow(more, want + 1) < p)
                want++;
            CU_ASSERT_EQUAL(spread_count(spread_quantile(&spread, p), means[m]), want);
            double end = spread_count_end(want, means[m]);
            CU_ASSERT_DOUBLE_EQUAL(spread_share(&spread, end), 1 - pow(more, want + 1), 1e-9);
        }
    }
    spread.base = SPREAD_LAPLACE;
    for (int k = 0; k < 5; k++) {
        double error = spread_quantile(&spread, probabilities[k]);
        CU_ASSERT_DOUBLE_EQUAL(spread_share(&spread, error), probabilities[k], 1e-12);
    }
    CU_ASSERT_EQUAL(spread_quantile(&spread, .5), 0);
}

static void test_condense(void)
{
    float own[SPREAD_OWN];
    double errors[1000];
    for (int k = 0; k < 1000; k++)
        errors[k] = k;
    spread_condense(errors, 1, own);
    CU_ASSERT(own[0] == 0 && own[SPREAD_OWN - 1] == 0);
    spread_condense(errors, 2, own);
    CU_ASSERT(own[SPREAD_OWN / 2 - 1] == 0 && own[SPREAD_OWN / 2] == 1);
    spread_condense(errors, 1000, own);
    CU_ASSERT(own[0] == 7 && own[31] == 492 && own[SPREAD_OWN - 1] == 992);
}

/* ---- mixtures ---- */

enum { GROUP = 5000, OWN = 90 };

typedef struct Drawn {
    double group[GROUP]; /* ascending */
    int64_t histogram[SPREAD_BINS];
    double own_errors[OWN];
    float own[SPREAD_OWN];
} Drawn;

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void draw(Drawn *drawn, uint64_t entity)
{
    Random random = random_stream(8, entity);
    memset(drawn, 0, sizeof *drawn);
    for (int k = 0; k < GROUP; k++) {
        drawn->group[k] = random_normal(&random) * random_exponential(&random, 2);
        drawn->histogram[spread_bin(drawn->group[k])]++;
    }
    for (int bin = 1; bin < SPREAD_BINS; bin++)
        drawn->histogram[bin] += drawn->histogram[bin - 1];
    qsort(drawn->group, GROUP, sizeof *drawn->group, compare_doubles);
    /* Own errors are of few values, as with counts. */
    for (int k = 0; k < OWN; k++)
        drawn->own_errors[k] = .7 * (double)random_below(&random, 5) - 1;
    qsort(drawn->own_errors, OWN, sizeof *drawn->own_errors, compare_doubles);
    spread_condense(drawn->own_errors, OWN, drawn->own);
}

/* To a bin's width the same as sorting. */
static void test_group(void)
{
    Drawn drawn;
    draw(&drawn, 1);
    Spread spread = {.base = SPREAD_LAPLACE, .histogram = drawn.histogram};
    for (int k = 1; k < 200; k++) {
        double want = drawn.group[(int)(k / 200. * GROUP)];
        double got = spread_quantile(&spread, k / 200.);
        CU_ASSERT(fabs(got - want) < .002 + .035 * fabs(want));
    }
}

static void test_mixture(void)
{
    static const double weights[] = {0, .1, .5, .97};
    for (uint64_t entity = 2; entity < 6; entity++) {
        Drawn drawn;
        draw(&drawn, entity);
        for (int w = 0; w < 4; w++) {
            Spread spread = {.base = SPREAD_LAPLACE,
                             .own_weight = weights[w],
                             .own = drawn.own,
                             .histogram = entity % 2 ? drawn.histogram : NULL};
            double before = -INFINITY;
            for (int k = 1; k < 1000; k++) {
                double p = k / 1000., error = spread_quantile(&spread, p);
                CU_ASSERT(error >= before);
                CU_ASSERT(spread_share(&spread, error) >= p - 1e-9);
                CU_ASSERT(spread_share(&spread, error - 1e-9 - 1e-9 * fabs(error)) <= p + 1e-7);
                before = error;
            }
        }
    }
}

/* All errors alike, all in the last bin, and only one. */
static void test_odd_groups(void)
{
    static const int bins[] = {0, SPREAD_BINS / 2, SPREAD_BINS - 1};
    for (int b = 0; b < 3; b++) {
        int64_t histogram[SPREAD_BINS] = {0};
        for (int bin = bins[b]; bin < SPREAD_BINS; bin++)
            histogram[bin] = b == 1 ? 1 : 1000;
        Spread spread = {.histogram = histogram};
        for (int k = 1; k < 100; k++) {
            double error = spread_quantile(&spread, k / 100.);
            CU_ASSERT(error >= spread_edge(bins[b]) && error <= spread_edge(bins[b] + 1));
        }
        CU_ASSERT_EQUAL(spread_share(&spread, INFINITY), 1);
        CU_ASSERT_EQUAL(spread_share(&spread, -INFINITY), 0);
    }
}

CU_TestInfo spread_tests[] = {
    {"bins", test_bins},
    {"counts come back", test_counts_come_back},
    {"nothing measured", test_base},
    {"own points", test_condense},
    {"a group", test_group},
    {"mixture", test_mixture},
    {"odd groups", test_odd_groups},
    CU_TEST_INFO_NULL,
};
