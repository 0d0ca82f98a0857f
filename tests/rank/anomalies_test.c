/* Anomalies of a set of series: those planted are found in their period, closed periods and values
 * that are not known are none. */
#include "forecast/anomalies.h"

#include "base/memory.h"
#include "base/random.h"
#include "kernel/outliers.h"
#include "rank/suites.h"

#include <math.h>

enum { PERIODS = 140, SERIES = 3, FIRST = 15000, RECENT = 28 };

/* Series i begins i * 10 periods after the first; every 7th period is closed. */
static void make_set(SeriesSet *set)
{
    *set = (SeriesSet){.n = SERIES, .total = SERIES};
    set->calendar = (Calendar){.frequency = FREQUENCY_DAILY,
                               .first = FIRST,
                               .n = PERIODS,
                               .is_closed = mem_new(PERIODS, sizeof(bool)),
                               .open_season = 6};
    set->begin = mem_new(SERIES + 1, sizeof *set->begin);
    set->start = mem_new(SERIES, sizeof *set->start);
    set->records = mem_new((int64_t)SERIES * PERIODS, sizeof *set->records);
    for (int t = 0; t < PERIODS; t++)
        set->calendar.is_closed[t] = t % 7 == 6;
    for (int i = 0; i < SERIES; i++) {
        Random random = random_stream(30, (uint64_t)i);
        set->start[i] = FIRST + 10 * i;
        set->begin[i + 1] = set->begin[i] + PERIODS - 10 * i;
        for (int t = 10 * i; t < PERIODS; t++)
            series_values(set, i)[t - 10 * i] =
                t % 7 == 6 ? 0 : 40 + (double)random_below(&random, 5);
    }
}

static double *value_at(SeriesSet *set, int i, int t)
{
    return &series_values(set, i)[t - 10 * i];
}

static void test_planted(void)
{
    SeriesSet set;
    Anomalies anomalies;
    Error error = {0};
    make_set(&set);
    *value_at(&set, 0, 120) = 400;
    *value_at(&set, 1, 50) = 400; /* too long ago */
    *value_at(&set, 1, 137) = 0;
    *value_at(&set, 2, 118) = NAN;
    CU_ASSERT_EQUAL(anomalies_find(&set, OUTLIERS_LIMIT_99, RECENT, &anomalies, &error), STATUS_OK);
    CU_ASSERT_EQUAL(anomalies.n, 2);
    for (int64_t k = 0; k < anomalies.n; k++) {
        const Anomaly *anomaly = &anomalies.items[k];
        CU_ASSERT_EQUAL(anomaly->series, k);
        CU_ASSERT_EQUAL(anomaly->period, FIRST + (k == 0 ? 120 : 137));
        CU_ASSERT_EQUAL(anomaly->actual, k == 0 ? 400 : 0);
        CU_ASSERT(anomaly->expected > 38 && anomaly->expected < 46);
        CU_ASSERT(anomaly->low < anomaly->expected && anomaly->high > anomaly->expected);
        CU_ASSERT(k == 0 ? anomaly->score > 5 : anomaly->score < -5);
    }
    anomalies_free(&anomalies);
    series_set_free(&set);
}

static void test_nothing(void)
{
    SeriesSet set = {0};
    Anomalies anomalies;
    Error error = {0};
    CU_ASSERT_EQUAL(anomalies_find(&set, OUTLIERS_LIMIT_99, RECENT, &anomalies, &error), STATUS_OK);
    CU_ASSERT_EQUAL(anomalies.n, 0);
    anomalies_free(&anomalies);
    make_set(&set);
    CU_ASSERT_EQUAL(anomalies_find(&set, 1e9, RECENT, &anomalies, &error), STATUS_OK);
    CU_ASSERT_EQUAL(anomalies.n, 0);
    anomalies_free(&anomalies);
    series_set_free(&set);
}

/* More than the first room holds. */
static void test_many(void)
{
    SeriesSet set;
    Anomalies anomalies;
    Error error = {0};
    make_set(&set);
    CU_ASSERT_EQUAL(anomalies_find(&set, .01, PERIODS, &anomalies, &error), STATUS_OK);
    CU_ASSERT(anomalies.n > 100);
    for (int64_t k = 1; k < anomalies.n; k++) {
        const Anomaly *a = &anomalies.items[k - 1], *b = &anomalies.items[k];
        CU_ASSERT(a->series < b->series || (a->series == b->series && a->period < b->period));
        CU_ASSERT((b->period - FIRST) % 7 != 6);
    }
    anomalies_free(&anomalies);
    series_set_free(&set);
}

CU_TestInfo anomalies_tests[] = {
    {"planted", test_planted},
    {"nothing", test_nothing},
    {"many", test_many},
    CU_TEST_INFO_NULL,
};
