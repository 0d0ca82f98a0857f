/* A long season taken off a series: a known one is found, chance is not believed, and what was
 * taken comes back. */
#include "kernel/long_season.h"

#include "kernel/mstl.h"
#include "unit/series_shapes.h"
#include "unit/suites.h"

#include <math.h>

enum { YEAR = 52, LONGEST = 12 * YEAR };

static double season_of(int t)
{
    double place = 2.0 * M_PI * t / YEAR;
    return 20.0 * cos(place) + 8.0 * sin(3.0 * place);
}

/* A trend, `size` times the season, and noise. */
static void draw_year(uint64_t entity, double *y, int n, double size, double noise)
{
    Random random = random_stream(47, entity);
    for (int t = 0; t < n; t++)
        y[t] = 200.0 + 0.1 * t + size * season_of(t) + noise * random_normal(&random);
}

static double *work_of(int n)
{
    return mem_new(long_season_work(n, YEAR), sizeof(double));
}

static void test_known_season(void)
{
    double y[LONGEST], ahead[2 * YEAR] = {0.0}, *work = work_of(LONGEST);
    draw_year(1, y, LONGEST, 1.0, 1.0);
    LongSeason season = long_season_take((SeriesView){y, LONGEST, 1}, YEAR, work);
    CU_ASSERT_EQUAL_FATAL(season.period, YEAR);
    CU_ASSERT(season.share > 0.99 && season.share <= 1.0);
    CU_ASSERT_EQUAL(season.series.n, LONGEST);
    for (int t = 0; t < LONGEST; t++)
        CU_ASSERT(fabs(season.series.y[t] - 200.0 - 0.1 * t) < 6.0);
    long_season_restore(&season, 2 * YEAR, ahead);
    for (int h = 0; h < 2 * YEAR; h++)
        CU_ASSERT(fabs(ahead[h] - season_of(LONGEST + h)) < 3.0);
    mem_free(&work);
}

/* The share by its formula, at most 1/7 of what is left being chance. */
static void test_share(void)
{
    for (int years = LONG_SEASONS_LEAST; years <= 12; years += 3) {
        int n = years * YEAR + 5, k = years < 7 ? years : 7;
        double y[LONGEST + YEAR], seasonal[LONGEST + YEAR], trend[LONGEST + YEAR];
        double *work = work_of(n), *own = mem_new(stl_work(n, YEAR), sizeof *own);
        double found = 0.0, rest = 0.0;
        draw_year((uint64_t)years, y, n, 0.5, 10.0);
        stl_decompose(y, n, YEAR, 11, seasonal, trend, own);
        for (int t = 0; t < n; t++) {
            found += pow(seasonal[t], 2.0);
            rest += pow(y[t] - seasonal[t] - trend[t], 2.0);
        }
        LongSeason season = long_season_take((SeriesView){y, n, 1}, YEAR, work);
        CU_ASSERT(season.share > 0.0 && season.share < 1.0);
        CU_ASSERT_DOUBLE_EQUAL(season.share, 1.0 - rest / (k - 1) / found, 1e-9);
        for (int t = 0; t < n; t++)
            CU_ASSERT(fabs(season.series.y[t] + season.share * seasonal[t] - y[t]) < 1e-9);
        mem_free(&work);
        mem_free(&own);
    }
}

/* Of noise next to nothing is believed, of what has no season at all nothing. */
static void test_chance(void)
{
    double mean = 0.0, y[LONGEST], *work = work_of(LONGEST);
    for (int k = 0; k < 50; k++) {
        draw_year((uint64_t)k, y, LONGEST, 0.0, 10.0);
        mean += long_season_take((SeriesView){y, LONGEST, 1}, YEAR, work).share / 50.0;
    }
    CU_ASSERT(mean < 0.1);
    for (int t = 0; t < LONGEST; t++)
        y[t] = 7.0;
    LongSeason none = long_season_take((SeriesView){y, LONGEST, 1}, YEAR, work);
    CU_ASSERT(none.period == 0 && none.series.y == y);
    double ahead = 3.0;
    long_season_restore(&none, 1, &ahead);
    CU_ASSERT_EQUAL(ahead, 3.0);
    mem_free(&work);
}

static void test_shapes(void)
{
    double y[LONGEST];
    for (int shape = 0; shape < SHAPES; shape++) {
        for (int n = 0; n < LONGEST; n += 1 + n / 3) {
            int64_t size = long_season_work(n, YEAR);
            double *work = mem_new(size + 1, sizeof *work);
            work[size] = 4711.25;
            shape_fill((SeriesShape)shape, y, n);
            LongSeason season = long_season_take((SeriesView){y, n, 1}, YEAR, work);
            CU_ASSERT(season.period == 0 || n >= LONG_SEASONS_LEAST * YEAR);
            for (int t = 0; t < n; t++)
                CU_ASSERT(isfinite(season.series.y[t]));
            CU_ASSERT_EQUAL(work[size], 4711.25);
            CU_ASSERT_EQUAL(long_season_take((SeriesView){y, n, 1}, 0, work).period, 0);
            mem_free(&work);
        }
    }
}

CU_TestInfo long_season_tests[] = {
    {"known season", test_known_season},
    {"share", test_share},
    {"chance", test_chance},
    {"shapes", test_shapes},
    CU_TEST_INFO_NULL,
};
