/* Closed days, holidays, and series without them (calendar.h). */
#include "forecast/calendar.h"

#include "base/memory.h"
#include "base/random.h"
#include "rank/suites.h"

#include <math.h>
#include <string.h>

enum { MONDAY = 4 /* 1970-01-05 */, MOST_DAYS = 1200 };

/* Orders of each day, as many lines. */
typedef struct Days {
    int64_t orders[MOST_DAYS], lines[MOST_DAYS];
    CalendarDays view;
    Table holidays;
} Days;

static Days days;

/* So many orders a day, on all days but those of the closed weekdays (a bit each, from Monday). */
static void make_days(int32_t first, int32_t n, int64_t orders, unsigned closed)
{
    static const ColumnSpec columns[] = {{"day", COLUMN_I32, UNIT_DAY},
                                         {"name", COLUMN_TEXT, UNIT_NONE}};
    table_free(&days.holidays);
    table_init(&days.holidays, columns, 2);
    days.view = (CalendarDays){first, n, days.lines, days.orders};
    for (int32_t i = 0; i < n; i++) {
        int64_t weekday = (((int64_t)first + i - MONDAY) % 7 + 7) % 7;
        days.orders[i] = days.lines[i] = closed >> weekday & 1 ? 0 : orders;
    }
}

static void sell(int32_t day, int64_t orders)
{
    days.orders[day - days.view.first] = days.lines[day - days.view.first] = orders;
}

static void add_holiday(int32_t day, const char *name)
{
    Error error = {0};
    CU_ASSERT_EQUAL(table_add_row(&days.holidays, &error), STATUS_OK);
    ((int32_t *)days.holidays.columns[0].data)[days.holidays.rows - 1] = day;
    CU_ASSERT_EQUAL(
        table_set_last_text(&days.holidays, &days.holidays.columns[1], bytes_of(name), &error),
        STATUS_OK);
}

static void end_days(void)
{
    table_free(&days.holidays);
}

static Calendar make(Frequency frequency, int32_t ahead)
{
    Calendar calendar = {.frequency = FREQUENCY_COUNT};
    Error error = {0};
    CU_ASSERT_EQUAL(calendar_make(frequency, &days.view, &days.holidays, ahead, &calendar, &error),
                    STATUS_OK);
    return calendar;
}

static int32_t count_closed(const Calendar *calendar, int32_t begin, int32_t end)
{
    int32_t n = 0;
    for (int32_t t = begin; t < end; t++)
        n += calendar->is_closed[t];
    return n;
}

/* ---- weekdays ---- */

static void expect_weekdays(int32_t first, int32_t n, int64_t orders, unsigned closed,
                            unsigned expected)
{
    make_days(first, n, orders, closed);
    Calendar calendar = make(FREQUENCY_DAILY, 21);
    int open = 7;
    for (int w = 0; w < 7; w++)
        open -= (expected >> w & 1) != 0;
    CU_ASSERT_EQUAL(calendar.open_season, open);
    int64_t wrong = 0;
    for (int32_t t = calendar.n; t < calendar.n + 21; t++) {
        int64_t weekday = (((int64_t)calendar.first + t - MONDAY) % 7 + 7) % 7;
        wrong += calendar.is_closed[t] != (expected >> weekday & 1);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    calendar_free(&calendar);
    end_days();
}

static void test_weekdays(void)
{
    expect_weekdays(MONDAY, 365, 10, 0, 0);
    expect_weekdays(MONDAY + 2, 365, 10, 1u << 5, 1u << 5);
    expect_weekdays(MONDAY, 365, 10, 3u << 5, 3u << 5);
    expect_weekdays(-1000, 365, 10, 3u << 5, 3u << 5);
    expect_weekdays(MONDAY, 365, 10, 31, 31);     /* sells on two weekdays */
    expect_weekdays(MONDAY, 27, 100, 1u << 6, 0); /* three Sundays */
    expect_weekdays(MONDAY, 28, 100, 1u << 6, 1u << 6);
    expect_weekdays(MONDAY, 28, 4, 1u << 6, 0); /* chance could do that */
    expect_weekdays(MONDAY, 1, 100, 0, 0);
}

/* A weekday with less than a thousandth of the others' orders. */
static void test_few_orders(void)
{
    for (int weeks = 7; weeks <= 8; weeks++) {
        for (int64_t orders = 1; orders <= 3; orders++) {
            make_days(MONDAY, 7 * weeks, 300, 1u << 6);
            sell(MONDAY + 6, orders); /* a thousandth of the others is 2.4 of eight weeks */
            Calendar calendar = make(FREQUENCY_DAILY, 7);
            CU_ASSERT_EQUAL(calendar.open_season, weeks == 8 && orders < 2 ? 6 : 7);
            CU_ASSERT_EQUAL(calendar.is_closed[6], weeks == 8 && orders < 2);
            calendar_free(&calendar);
            end_days();
        }
    }
}

/* ---- single days ---- */

static void test_single_days(void)
{
    /* three days in a row, and the last one, of a shop that sells every day */
    make_days(-400, 500, 12, 0);
    for (int32_t day = -3; day <= -1; day++)
        sell(day, 0);
    sell(99, 0);
    Calendar calendar = make(FREQUENCY_DAILY, 30);
    CU_ASSERT_EQUAL(calendar.first, -400);
    CU_ASSERT_EQUAL(count_closed(&calendar, 0, 397), 0);
    CU_ASSERT_EQUAL(count_closed(&calendar, 397, 400), 3);
    CU_ASSERT_EQUAL(count_closed(&calendar, 400, 530), 1);
    CU_ASSERT(calendar.is_closed[499] && calendar.open_season == 7);
    calendar_free(&calendar);
    end_days();
    /* a month without anything */
    make_days(0, 200, 20, 0);
    for (int32_t day = 100; day < 131; day++)
        sell(day, 0);
    calendar = make(FREQUENCY_DAILY, 30);
    CU_ASSERT_EQUAL(count_closed(&calendar, 0, 230), 31);
    calendar_free(&calendar);
    end_days();
    /* with few orders a day without any is a day like others */
    make_days(0, 200, 11, 0);
    sell(100, 0);
    calendar = make(FREQUENCY_DAILY, 30);
    CU_ASSERT_EQUAL(count_closed(&calendar, 0, 230), 0);
    calendar_free(&calendar);
    end_days();
}

/* ---- holidays ---- */

static void test_holidays(void)
{
    make_days(0, 800, 20, 1u << 6);
    sell(100, 0); /* a Saturday */
    add_holiday(-5, "before");
    add_holiday(100, "Rest");
    add_holiday(143, "Rest");   /* a Sunday */
    add_holiday(200, "Market"); /* sold as ever */
    add_holiday(300, "Always");
    sell(300, 0);
    add_holiday(600, "Always"); /* not this time */
    add_holiday(406, "Rarely");
    add_holiday(700, "Rarely");
    sell(700, 0);
    add_holiday(802, "Rest");
    add_holiday(803, "Market");
    add_holiday(804, "Always");
    add_holiday(805, "New");
    add_holiday(806, "Rarely");
    add_holiday(900, "beyond");
    Calendar calendar = make(FREQUENCY_DAILY, 28);
    CU_ASSERT(calendar.holiday != NULL && calendar.n_holidays == 5);
    for (int32_t t = 0; calendar.holiday != NULL && t < 828; t++) {
        int32_t expected = t == 300 || t == 600 || t == 804   ? 0
                           : t == 200 || t == 803             ? 1
                           : t == 805                         ? 2
                           : t == 406 || t == 700 || t == 806 ? 3
                           : t == 100 || t == 143 || t == 802 ? 4
                                                              : -1;
        CU_ASSERT_EQUAL(calendar.holiday[t], expected);
    }
    CU_ASSERT(calendar.is_closed[100] && calendar.is_closed[143] && calendar.is_closed[300]);
    CU_ASSERT(!calendar.is_closed[200] && !calendar.is_closed[600]);
    CU_ASSERT(calendar.is_closed[802] && !calendar.is_closed[803]);
    CU_ASSERT(!calendar.is_closed[804] && !calendar.is_closed[805] && !calendar.is_closed[806]);
    CU_ASSERT(calendar.is_closed[700] && !calendar.is_closed[406]);
    calendar_free(&calendar);
    calendar = make(FREQUENCY_WEEKLY, 10); /* the first of a week: New is never one */
    CU_ASSERT_EQUAL(calendar.n_holidays, 4);
    CU_ASSERT_EQUAL(calendar.holiday[period_of_day(FREQUENCY_WEEKLY, 802) - calendar.first], 3);
    CU_ASSERT_EQUAL(count_closed(&calendar, 0, calendar.n + 10), 0);
    calendar_free(&calendar);
    calendar = make(FREQUENCY_MONTHLY, 10);
    CU_ASSERT(calendar.holiday == NULL && calendar.n_holidays == 0);
    calendar_free(&calendar);
    end_days();
}

/* ---- periods ---- */

/* Periods of the days begin with the first sale and end with the last whole one. */
static void expect_periods(Frequency frequency, int32_t first, int32_t first_sale, int32_t last,
                           int32_t expected_first, int32_t expected_n)
{
    make_days(first, last - first + 1, 0, 0);
    for (int32_t day = first_sale; day <= last; day++)
        sell(day, 1);
    Calendar calendar = make(frequency, 2);
    CU_ASSERT_EQUAL(calendar.n, expected_n);
    CU_ASSERT_EQUAL(calendar.first, expected_first);
    CU_ASSERT_EQUAL(calendar.ahead, 2);
    CU_ASSERT_EQUAL(calendar.open_season, frequency_season(frequency));
    CU_ASSERT_EQUAL(count_closed(&calendar, 0, calendar.n + 2), 0);
    calendar_free(&calendar);
    end_days();
}

static void test_longer_seasons(void)
{
    CU_ASSERT_EQUAL(frequency_longer_season(FREQUENCY_HOURLY, 24), 168);
    CU_ASSERT_EQUAL(frequency_longer_season(FREQUENCY_HOURLY, 12), 0);
    CU_ASSERT_EQUAL(frequency_longer_season(FREQUENCY_DAILY, 7), 365);
    CU_ASSERT_EQUAL(frequency_longer_season(FREQUENCY_DAILY, 5), 261);
    CU_ASSERT_EQUAL(frequency_longer_season(FREQUENCY_DAILY, 4), 0);
    CU_ASSERT_EQUAL(frequency_longer_season(FREQUENCY_WEEKLY, 1), 52);
    CU_ASSERT_EQUAL(frequency_longer_season(FREQUENCY_WEEKLY, 52), 0);
    CU_ASSERT_EQUAL(frequency_longer_season(FREQUENCY_MONTHLY, 12), 0);
    CU_ASSERT_EQUAL(frequency_longer_season(FREQUENCY_YEARLY, 1), 0);
}

static void test_periods(void)
{
    int32_t leap = civil_day(2024, 2, 29), january = civil_month(civil_day(2024, 1, 1));
    expect_periods(FREQUENCY_DAILY, leap - 10, leap - 1, leap + 1, leap - 1, 3);
    expect_periods(FREQUENCY_DAILY, -20, -3, 3, -3, 7);
    /* February is whole on the 29th */
    expect_periods(FREQUENCY_MONTHLY, leap - 40, leap - 40, leap - 1, january, 1);
    expect_periods(FREQUENCY_MONTHLY, leap - 40, leap - 40, leap, january, 2);
    expect_periods(FREQUENCY_MONTHLY, leap - 1, leap - 1, leap - 1, january + 1, 0);
    expect_periods(FREQUENCY_QUARTERLY, leap, leap, civil_day(2024, 9, 30), january / 3, 3);
    expect_periods(FREQUENCY_YEARLY, leap, leap, civil_day(2025, 12, 30), 54, 1);
    /* 2020 has 53 weeks: the last one ends on 2021-01-03 */
    int32_t monday = civil_day(2019, 12, 30);
    int32_t week = period_of_day(FREQUENCY_WEEKLY, monday);
    expect_periods(FREQUENCY_WEEKLY, monday, monday, civil_day(2021, 1, 2), week, 52);
    expect_periods(FREQUENCY_WEEKLY, monday, monday, civil_day(2021, 1, 3), week, 53);
    expect_periods(FREQUENCY_WEEKLY, -30, -10, 3, period_of_day(FREQUENCY_WEEKLY, -10), 2);
    /* nothing sold, or no days */
    expect_periods(FREQUENCY_DAILY, 5, 10, 9, 10, 0);
    expect_periods(FREQUENCY_WEEKLY, 0, 0, -1, period_of_day(FREQUENCY_WEEKLY, -1), 0);
}

/* ---- series without closed periods ---- */

/* A set of one series over the calendar of `days`. */
static void make_set(int32_t start, int32_t length, const double *values, int32_t ahead,
                     SeriesSet *set)
{
    *set = (SeriesSet){.calendar = make(FREQUENCY_DAILY, ahead), .n = 1, .total = 1};
    set->begin = mem_new(2, sizeof *set->begin);
    set->start = mem_new(1, sizeof *set->start);
    set->records = mem_new(length, sizeof *set->records);
    set->begin[1] = length;
    set->start[0] = start;
    memcpy(set->records, values, (size_t)length * sizeof *values);
}

static double known_at(const SeriesSet *set, int32_t t)
{
    bool is_there = t >= 0 && t < series_length(set, 0) &&
                    !calendar_is_closed(&set->calendar, set->start[0] + t);
    return is_there ? set->records[t] : NAN;
}

/* The rule of calendar.h, from the middle outwards. */
static double naive_fill(const SeriesSet *set, int32_t t)
{
    static const int32_t steps[] = {7, 1};
    for (int s = 0; s < 2; s++) {
        double before = NAN, after = NAN;
        for (int32_t k = steps[s]; k < series_length(set, 0); k += steps[s]) {
            before = isnan(before) ? known_at(set, t - k) : before;
            after = isnan(after) ? known_at(set, t + k) : after;
        }
        if (!isnan(before) || !isnan(after))
            return isnan(before) ? after : isnan(after) ? before : before + (after - before) / 2;
    }
    return NAN;
}

static void expect_open(const SeriesSet *set)
{
    enum { MOST = 200 };
    double y[MOST];
    int32_t where[MOST], n = 0;
    int32_t found = series_open(set, 0, y, where);
    CU_ASSERT_EQUAL(series_open(set, 0, y, NULL), found);
    int64_t wrong = 0, unknown = 0;
    for (int32_t t = 0; t < series_length(set, 0); t++) {
        if (calendar_is_closed(&set->calendar, set->start[0] + t))
            continue;
        double expected = isnan(set->records[t]) ? naive_fill(set, t) : set->records[t];
        unknown += isnan(expected);
        wrong += n < found && (where[n] != t || y[n] != expected);
        n++;
    }
    CU_ASSERT_EQUAL(found, unknown > 0 ? 0 : n);
    CU_ASSERT_EQUAL(wrong, 0);
}

static void test_open(void)
{
    double values[90];
    Random random = random_stream(17, 0);
    for (int trial = 0; trial < 200; trial++) {
        int32_t length = (int32_t)random_below(&random, 90) + 1;
        double known = random_unit(&random);
        known = trial % 10 == 0 ? 0 : trial % 10 == 1 ? 1 : known;
        for (int32_t t = 0; t < length; t++)
            values[t] = random_unit(&random) < known ? random_unit(&random) : NAN;
        make_days(-100, 190, 20, trial % 3 == 0 ? 0 : 1u << 6);
        sell(-20 + trial % 60, 0);
        SeriesSet set;
        make_set(90 - length, length, values, 10, &set);
        expect_open(&set);
        series_set_free(&set);
        end_days();
    }
}

static void test_spread(void)
{
    make_days(0, 70, 20, 1u << 6); /* the last day is a Wednesday: day 73 is a Sunday */
    const double value = 1, open[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    static const double expected[] = {1, 2, 3, 0, 4, 5, 6, 7, 8, 9, 0};
    double all[11];
    SeriesSet set;
    make_set(69, 1, &value, 11, &set);
    CU_ASSERT_EQUAL(series_open_ahead(&set, 0), 9);
    series_spread(&set, 0, open, all);
    CU_ASSERT_EQUAL(memcmp(all, expected, sizeof all), 0);
    series_set_free(&set);
    end_days();
    /* a series of a file that ended before the calendar does */
    Error error = {0};
    make_days(0, 1, 1, 0);
    make_set(3, 1, &value, 2, &set);
    mem_free(&set.calendar.is_closed);
    CU_ASSERT_EQUAL(calendar_make_open(FREQUENCY_HOURLY, 0, 10, 2, 24, &set.calendar, &error),
                    STATUS_OK);
    CU_ASSERT(set.calendar.open_season == 24 && series_open_ahead(&set, 0) == 2);
    series_spread(&set, 0, open, all);
    CU_ASSERT(all[0] == 1 && all[1] == 2);
    series_set_free(&set);
    CU_ASSERT_EQUAL(
        calendar_make_open(FREQUENCY_HOURLY, 1, INT32_MAX - 1, 2, 24, &set.calendar, &error),
        STATUS_INPUT);
    end_days();
}

CU_TestInfo calendar_tests[] = {
    {"weekdays", test_weekdays},
    {"few orders", test_few_orders},
    {"single days", test_single_days},
    {"holidays", test_holidays},
    {"periods", test_periods},
    {"longer seasons", test_longer_seasons},
    {"open", test_open},
    {"spread", test_spread},
    CU_TEST_INFO_NULL,
};
