/* Which values of a product that was out of stock are not known (series_known.h), one rule after
 * the other. Local. */
#include "forecast/series_known.h"

#include "forecast/calendar.h"
#include "rank/suites.h"

#include <math.h>

enum { DAYS = 28, MONDAY = 18708 /* 2021-03-22 */, SUNDAY = 6 };

/* The shop is closed on Sundays; the last of the n periods has a sale. */
static void expect_masked(Frequency frequency, DayRange *ranges, const double *expected, int32_t n)
{
    Error error;
    int64_t starts[] = {0, 0, 3}; /* the first product is always there */
    ProductDays stockouts = {.is_known = true, .starts = starts, .list = ranges};
    double values[DAYS] = {0};
    Calendar periods, daily;
    PeriodDays days = {0};
    CU_ASSERT_EQUAL(
        calendar_make_open(frequency, period_of_day(frequency, MONDAY), n, 2, 1, &periods, &error),
        STATUS_OK);
    CU_ASSERT_EQUAL(calendar_make_open(FREQUENCY_DAILY, MONDAY, DAYS, 0, 6, &daily, &error),
                    STATUS_OK);
    for (int32_t day = SUNDAY; day < DAYS; day += 7)
        daily.is_closed[day] = true;
    CU_ASSERT_EQUAL(period_days_make(&periods, &days, &error), STATUS_OK);
    values[n - 1] = 4; /* sold all the same */
    int32_t masked = 0, start = periods.first;
    CU_ASSERT_EQUAL(series_mask_stockouts(&stockouts, 0, &daily, start, n, &days, values), 0);
    for (int32_t t = 0; t < n; t++) {
        CU_ASSERT_EQUAL(values[t], t == n - 1 ? 4 : 0);
        masked += isnan(expected[t]);
    }
    CU_ASSERT_EQUAL(series_mask_stockouts(&stockouts, 1, &daily, start, n, &days, values), masked);
    for (int32_t t = 0; t < n; t++)
        CU_ASSERT(values[t] == expected[t] || (isnan(values[t]) && isnan(expected[t])));
    period_days_free(&days);
    calendar_free(&periods);
    calendar_free(&daily);
}

static void test_masks(void)
{
    /* Monday to Tuesday; Wednesday to Saturday, so that nothing is left of the first week but the
     * closed Sunday; from the Tuesday of the second week on. */
    DayRange ranges[] = {
        {MONDAY, MONDAY + 1, 1}, {MONDAY + 2, MONDAY + 5, 1}, {MONDAY + 8, INT32_MAX, 1}};
    const double of_days[] = {NAN, NAN, NAN, NAN, NAN, NAN, 0, 0, NAN, NAN, NAN, NAN, NAN, 0, 4};
    const double of_weeks[] = {NAN, 0, NAN, 4};
    expect_masked(FREQUENCY_DAILY, ranges, of_days, 15);
    expect_masked(FREQUENCY_WEEKLY, ranges, of_weeks, 4);
}

CU_TestInfo series_known_tests[] = {
    {"masks", test_masks},
    CU_TEST_INFO_NULL,
};
