/* Random numbers: the published answers of Philox, and the distributions' moments. */
#include "base/random.h"
#include "unit/suites.h"

#include <math.h>

enum { DRAWS = 200000 };

/* Draw one block for a counter and a key, as the words of Random123's kat_vectors file. */
static void check_block(uint64_t seed, uint64_t counter, uint64_t entity, const uint32_t want[4])
{
    Random random = random_stream(seed, entity);
    random.counter = counter;
    for (int i = 0; i < 4; i += 2) {
        uint64_t value = random_u64(&random);
        CU_ASSERT_EQUAL((uint32_t)value, want[i]);
        CU_ASSERT_EQUAL((uint32_t)(value >> 32), want[i + 1]);
    }
}

static void test_known_answers(void)
{
    const uint32_t zero[4] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
    const uint32_t ones[4] = {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd};
    const uint32_t pi[4] = {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1};
    check_block(0, 0, 0, zero);
    check_block(UINT64_MAX, UINT64_MAX, UINT64_MAX, ones);
    check_block(0x299f31d0a4093822, 0x85a308d3243f6a88, 0x0370734413198a2e, pi);
}

static void test_streams_are_apart_and_repeat(void)
{
    Random one = random_stream(7, 1);
    Random other = random_stream(7, 2);
    Random seeded = random_stream(8, 1);
    Random again = random_stream(7, 1);
    int same = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t value = random_u64(&one);
        same += value == random_u64(&other);
        same += value == random_u64(&seeded);
        CU_ASSERT_EQUAL(value, random_u64(&again));
    }
    CU_ASSERT_EQUAL(same, 0);
}

static void test_unit(void)
{
    enum { CELLS = 100 };
    int64_t cells[CELLS] = {0};
    Random random = random_stream(1, 1);
    double low = 1.0;
    double high = 0.0;
    for (int i = 0; i < DRAWS; i++) {
        double unit = random_unit(&random);
        low = fmin(low, unit);
        high = fmax(high, unit);
        cells[(int)(unit * CELLS)]++;
    }
    CU_ASSERT(low >= 0.0 && low < 1e-4);
    CU_ASSERT(high < 1.0 && high > 1.0 - 1e-4);
    double chi_square = 0.0;
    double even = (double)DRAWS / CELLS;
    for (int cell = 0; cell < CELLS; cell++)
        chi_square += ((double)cells[cell] - even) * ((double)cells[cell] - even) / even;
    /* 99 degrees of freedom: mean 99, standard deviation 14 */
    CU_ASSERT(chi_square > 50.0 && chi_square < 160.0);
}

static void test_below(void)
{
    Random random = random_stream(2, 1);
    int64_t counts[7] = {0};
    for (int i = 0; i < DRAWS; i++) {
        int64_t value = random_below(&random, 7);
        CU_ASSERT_FATAL(value >= 0 && value < 7);
        counts[value]++;
    }
    for (int i = 0; i < 7; i++)
        CU_ASSERT(fabs((double)counts[i] - DRAWS / 7.0) < 5.0 * sqrt(DRAWS / 7.0));
    for (int i = 0; i < 100; i++)
        CU_ASSERT_EQUAL(random_below(&random, 1), 0);
    /* Two thirds of 2^64 / 2: without rejection the lower half would come twice as often. */
    int64_t bound = INT64_MAX / 3 * 2;
    int64_t lower = 0;
    for (int i = 0; i < DRAWS; i++) {
        int64_t value = random_below(&random, bound);
        CU_ASSERT_FATAL(value >= 0 && value < bound);
        lower += value < bound / 2;
    }
    CU_ASSERT(fabs((double)lower - DRAWS / 2.0) < 5.0 * sqrt(DRAWS / 4.0));
}

typedef struct Moments {
    double mean, variance, skew;
} Moments;

/* Of DRAWS values of a distribution with up to two parameters. */
static Moments moments_of(double (*draw)(Random *, double, double), double a, double b)
{
    Random random = random_stream(3, (uint64_t)(a * 1000) + (uint64_t)(b * 10));
    double sum = 0.0;
    double squares = 0.0;
    double cubes = 0.0;
    for (int i = 0; i < DRAWS; i++) {
        double value = draw(&random, a, b);
        sum += value;
        squares += value * value;
        cubes += value * value * value;
    }
    Moments m;
    m.mean = sum / DRAWS;
    m.variance = squares / DRAWS - m.mean * m.mean;
    m.skew =
        (cubes / DRAWS - 3 * m.mean * m.variance - m.mean * m.mean * m.mean) / pow(m.variance, 1.5);
    return m;
}

static double draw_normal(Random *random, double a, double b)
{
    return a + b * random_normal(random);
}

static double draw_exponential(Random *random, double a, double b)
{
    (void)b;
    return random_exponential(random, a);
}

static double draw_poisson(Random *random, double a, double b)
{
    (void)b;
    return (double)random_poisson(random, a);
}

static double draw_gamma(Random *random, double a, double b)
{
    return random_gamma(random, a, b);
}

/* Mean within five standard errors; variance and skew within bounds that hold for these shapes. */
static void check_moments(Moments m, double mean, double variance, double skew)
{
    CU_ASSERT(fabs(m.mean - mean) < 5.0 * sqrt(variance / DRAWS) + 1e-12);
    CU_ASSERT(fabs(m.variance - variance) < 0.05 * variance + 1e-12);
    CU_ASSERT(fabs(m.skew - skew) < 0.05 + 0.1 * skew);
}

static void test_normal(void)
{
    check_moments(moments_of(draw_normal, 0.0, 1.0), 0.0, 1.0, 0.0);
    check_moments(moments_of(draw_normal, 5.0, 2.0), 5.0, 4.0, 0.0);
    Random random = random_stream(4, 1);
    int64_t beyond = 0; /* two standard deviations: 4.55 % */
    for (int i = 0; i < DRAWS; i++)
        beyond += fabs(random_normal(&random)) > 2.0;
    CU_ASSERT(fabs((double)beyond / DRAWS - 0.0455) < 0.0025);
}

static void test_exponential(void)
{
    check_moments(moments_of(draw_exponential, 3.0, 0.0), 3.0, 9.0, 2.0);
}

static void test_poisson(void)
{
    /* 9.9 and 10 stand on both sides of the change of method. */
    const double means[] = {0.01, 0.5, 3.0, 9.9, 10.0, 11.5, 40.0, 1000.0, 1e6};
    for (size_t i = 0; i < sizeof means / sizeof means[0]; i++) {
        double mean = means[i];
        check_moments(moments_of(draw_poisson, mean, 0.0), mean, mean, 1.0 / sqrt(mean));
    }
    Random random = random_stream(5, 1);
    CU_ASSERT_EQUAL(random_poisson(&random, 0.0), 0);
}

/* The frequencies of single counts, for the rejection method: P(k) = e^-m m^k / k! */
static void test_poisson_frequencies(void)
{
    const double mean = 12.0;
    int64_t counts[64] = {0};
    Random random = random_stream(6, 1);
    for (int i = 0; i < DRAWS; i++) {
        int64_t count = random_poisson(&random, mean);
        CU_ASSERT_FATAL(count >= 0 && count < 64);
        counts[count]++;
    }
    for (int k = 4; k <= 22; k++) {
        double chance = exp(k * log(mean) - mean - lgamma(k + 1.0));
        double error = sqrt(chance * (1.0 - chance) / DRAWS);
        CU_ASSERT(fabs((double)counts[k] / DRAWS - chance) < 5.0 * error);
    }
}

static void test_gamma(void)
{
    const double shapes[] = {0.3, 1.0, 2.5, 50.0};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        double shape = shapes[i];
        check_moments(moments_of(draw_gamma, shape, 2.0), 2.0 * shape, 4.0 * shape,
                      2.0 / sqrt(shape));
    }
}

CU_TestInfo random_tests[] = {
    {"known answers", test_known_answers},
    {"streams are apart and repeat", test_streams_are_apart_and_repeat},
    {"unit", test_unit},
    {"below", test_below},
    {"normal", test_normal},
    {"exponential", test_exponential},
    {"poisson", test_poisson},
    {"poisson frequencies", test_poisson_frequencies},
    {"gamma", test_gamma},
    CU_TEST_INFO_NULL,
};
