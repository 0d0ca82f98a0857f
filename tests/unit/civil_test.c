/* Days, months and time zones, against the C library's. */
#include "base/civil.h"
#include "unit/sample.h"
#include "unit/suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND_US INT64_C(1000000)

static void test_days(void)
{
    struct tm date = {.tm_year = 1 - 1900, .tm_mday = 1};
    int32_t first = (int32_t)(timegm(&date) / 86400);
    date = (struct tm){.tm_year = 9999 - 1900, .tm_mon = 11, .tm_mday = 31};
    int32_t last = (int32_t)(timegm(&date) / 86400);
    int64_t n_wrong = 0;
    for (int32_t day = first; day <= last; day++) {
        time_t seconds = (time_t)day * 86400;
        struct tm utc;
        gmtime_r(&seconds, &utc);
        int year, month, day_of_month;
        civil_from_day(day, &year, &month, &day_of_month);
        n_wrong +=
            year != utc.tm_year + 1900 || month != utc.tm_mon + 1 || day_of_month != utc.tm_mday;
        n_wrong += civil_day(year, month, day_of_month) != day;
        n_wrong += !civil_is_valid(year, month, day_of_month);
        n_wrong += civil_month(day) != (utc.tm_year - 70) * 12 + utc.tm_mon;
    }
    CU_ASSERT_EQUAL(n_wrong, 0);
    CU_ASSERT_EQUAL(civil_day(1970, 1, 1), 0);
    CU_ASSERT_EQUAL(civil_day(2010, 12, 1), 14944);
}

static void test_validity(void)
{
    CU_ASSERT(civil_is_valid(2000, 2, 29));
    CU_ASSERT(!civil_is_valid(1900, 2, 29));
    CU_ASSERT(civil_is_valid(2024, 2, 29));
    CU_ASSERT(!civil_is_valid(2023, 2, 29));
    CU_ASSERT(!civil_is_valid(2023, 4, 31));
    CU_ASSERT(!civil_is_valid(2023, 13, 1));
    CU_ASSERT(!civil_is_valid(2023, 0, 1));
    CU_ASSERT(!civil_is_valid(2023, 1, 0));
    CU_ASSERT(!civil_is_valid(0, 1, 1));
    CU_ASSERT(!civil_is_valid(10000, 1, 1));
}

static void test_formats(void)
{
    char text[CIVIL_TEXT_SIZE];
    civil_format_day(14944, text);
    CU_ASSERT_STRING_EQUAL(text, "2010-12-01");
    civil_format_day(-1, text);
    CU_ASSERT_STRING_EQUAL(text, "1969-12-31");
    civil_format_month(civil_month(14944), text);
    CU_ASSERT_STRING_EQUAL(text, "2010-12");
    civil_format_month(-1, text);
    CU_ASSERT_STRING_EQUAL(text, "1969-12");
    civil_format_utc(0, text);
    CU_ASSERT_STRING_EQUAL(text, "1970-01-01T00:00:00Z");
    civil_format_utc(-1, text);
    CU_ASSERT_STRING_EQUAL(text, "1969-12-31T23:59:59Z");
    civil_format_utc(INT64_C(1291191960999999), text);
    CU_ASSERT_STRING_EQUAL(text, "2010-12-01T08:26:00Z");
    civil_format_day(INT32_MIN, text);
    CU_ASSERT(strlen(text) < CIVIL_TEXT_SIZE);
    civil_format_utc(INT64_MIN, text);
    CU_ASSERT(strlen(text) < CIVIL_TEXT_SIZE);
}

/* Offset that the C library has for an instant while TZ names the zone. */
static int64_t libc_offset_us(int64_t utc_s)
{
    time_t instant = (time_t)utc_s;
    struct tm local;
    localtime_r(&instant, &local);
    return local.tm_gmtoff * SECOND_US;
}

/* What a local time means, by trying every offset the zone has near it: with one solution that;
 * with two the earlier; with none the offset in force a day before, that is, before the gap. */
static int64_t to_utc_slowly(int64_t local_us)
{
    int64_t found = INT64_MAX;
    int64_t local_s = local_us / SECOND_US - (local_us % SECOND_US < 0);
    for (int64_t near = -36; near <= 36; near++) {
        int64_t utc = local_us - libc_offset_us(local_s + near * 3600);
        int64_t utc_s = utc / SECOND_US - (utc % SECOND_US < 0);
        if (utc + libc_offset_us(utc_s) == local_us && utc < found)
            found = utc;
    }
    return found != INT64_MAX ? found : local_us - libc_offset_us(local_s - 30 * 3600);
}

static void check_zone(const char *name, Sample *sample)
{
    TimeZone *zone = NULL;
    Error error;
    CU_ASSERT_EQUAL_FATAL(timezone_new(name, &zone, &error), STATUS_OK);
    setenv("TZ", name, 1);
    tzset();
    int64_t n_wrong = 0;
    int64_t change = 0; /* the last change of offset seen */
    int64_t offset = libc_offset_us(0);
    for (int64_t utc_s = 0; utc_s < INT64_C(5000000000); utc_s += 6 * 3600) {
        if (libc_offset_us(utc_s) == offset)
            continue;
        offset = libc_offset_us(utc_s);
        change = utc_s;
        for (int i = 0; i < 12; i++) { /* a day around the change, in and out of the gap */
            int64_t us = (change + sample_between(sample, -86400, 86400)) * SECOND_US +
                         sample_between(sample, 0, 999999);
            n_wrong += timezone_to_utc(zone, us) != to_utc_slowly(us);
        }
    }
    for (int i = 0; i < 20000; i++) {
        int64_t utc_s = sample_between(sample, INT64_C(-2200000000), INT64_C(7200000000));
        int64_t utc = utc_s * SECOND_US + sample_between(sample, 0, 999999);
        int64_t local = utc + libc_offset_us(utc_s);
        n_wrong += timezone_to_local(zone, utc) != local;
        n_wrong += timezone_day(zone, utc) !=
                   local / (86400 * SECOND_US) - (local % (86400 * SECOND_US) < 0);
        int64_t back = timezone_to_utc(zone, local);
        n_wrong += back > utc || timezone_to_local(zone, back) != local;
    }
    if (n_wrong)
        fprintf(stderr, "%s: ", name);
    CU_ASSERT_EQUAL(n_wrong, 0);
    unsetenv("TZ");
    tzset();
    timezone_free(&zone);
    CU_ASSERT_PTR_NULL(zone);
}

static void test_zones(void)
{
    static const char *const names[] = {"UTC",
                                        "Europe/London",
                                        "America/New_York",
                                        "Asia/Kolkata",
                                        "Australia/Lord_Howe",
                                        "America/Sao_Paulo",
                                        "Africa/Casablanca",
                                        "Pacific/Apia"};
    Sample sample = {2};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        check_zone(names[i], &sample);
}

/* Skipped and doubled hours of one known night each. */
static void test_clock_changes(void)
{
    TimeZone *zone = NULL;
    Error error;
    CU_ASSERT_EQUAL_FATAL(timezone_new("Europe/London", &zone, &error), STATUS_OK);
    int64_t spring = (int64_t)civil_day(2021, 3, 28) * 86400;  /* 01:00 -> 02:00 */
    int64_t autumn = (int64_t)civil_day(2021, 10, 31) * 86400; /* 02:00 -> 01:00 */
    CU_ASSERT_EQUAL(timezone_to_utc(zone, (spring + 5400) * SECOND_US),
                    (spring + 5400) * SECOND_US);
    CU_ASSERT_EQUAL(timezone_to_utc(zone, (spring + 9000) * SECOND_US),
                    (spring + 5400) * SECOND_US);
    CU_ASSERT_EQUAL(timezone_to_utc(zone, (autumn + 5400) * SECOND_US),
                    (autumn + 1800) * SECOND_US);
    CU_ASSERT_EQUAL(timezone_to_utc(zone, (autumn + 7200) * SECOND_US),
                    (autumn + 7200) * SECOND_US);
    timezone_free(&zone);
}

static void test_zone_refusals(void)
{
    static const char *const wrong[] = {"",  "Europe/Londn", "/etc/localtime", "../zoneinfo/UTC",
                                        ".", "Europe",       "zone.tab",       "EST5EDT4,M3",
                                        "+", "utc "};
    setenv("TZ", "Asia/Kolkata", 1);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        TimeZone *zone = NULL;
        Error error;
        CU_ASSERT_EQUAL(timezone_new(wrong[i], &zone, &error), STATUS_USAGE);
        CU_ASSERT_PTR_NULL(zone);
        timezone_free(&zone);
    }
    setenv("TZDIR", "/nowhere", 1);
    TimeZone *zone = NULL;
    Error error;
    CU_ASSERT_EQUAL(timezone_new("Europe/London", &zone, &error), STATUS_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "tzdata"));
    CU_ASSERT_EQUAL(timezone_new("UTC", &zone, &error), STATUS_OK);
    timezone_free(&zone);
    unsetenv("TZDIR");
    CU_ASSERT_EQUAL(timezone_new("Europe/Paris", &zone, &error), STATUS_OK);
    timezone_free(&zone);
    CU_ASSERT_STRING_EQUAL(getenv("TZ"), "Asia/Kolkata"); /* put back */
    unsetenv("TZ");
}

CU_TestInfo civil_tests[] = {
    {"days", test_days},
    {"validity", test_validity},
    {"formats", test_formats},
    {"zones", test_zones},
    {"clock_changes", test_clock_changes},
    {"zone_refusals", test_zone_refusals},
    CU_TEST_INFO_NULL,
};
