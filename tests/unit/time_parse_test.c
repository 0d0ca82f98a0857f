/* Timestamps from text, against the C library's timegm and strftime. */
#include "base/civil.h"
#include "unit/sample.h"
#include "unit/suites.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECOND_US INT64_C(1000000)
static const int64_t no_time = INT64_MIN;

static TimeZone *zone_of(const char *name)
{
    TimeZone *zone = NULL;
    Error error;
    CU_ASSERT_EQUAL_FATAL(timezone_new(name, &zone, &error), STATUS_OK);
    return zone;
}

/* The instant in us, or no_time. */
static int64_t parse(const char *pattern, const TimeZone *zone, const char *text)
{
    TimePattern compiled;
    Error error;
    CU_ASSERT_EQUAL_FATAL(time_pattern_init(&compiled, pattern, &error), STATUS_OK);
    int64_t ts_us;
    int32_t day;
    if (!time_parse(&compiled, zone, bytes_of(text), &ts_us, &day))
        return no_time;
    CU_ASSERT_EQUAL(day, timezone_day(zone, ts_us));
    return ts_us;
}

static void test_known(void)
{
    static const struct {
        const char *pattern;
        const char *text;
        int64_t expected;
    } cases[] = {
        {"auto", "2010-12-01 08:26:00", 1291191960 * SECOND_US},
        {"auto", "2010-12-01T08:26:00", 1291191960 * SECOND_US},
        {"auto", "2010-12-01", 1291161600 * SECOND_US},
        {"auto", "2010-12-01 08:26", 1291191960 * SECOND_US},
        {"auto", "2010-12-01T08:26Z", 1291191960 * SECOND_US},
        {"auto", "2010-12-01T08:26:00.5Z", 1291191960 * SECOND_US + 500000},
        {"auto", "2010-12-01T08:26:00.123456789+05:30", 1291172160 * SECOND_US + 123456},
        {"auto", "2010-12-01 08:26:00 -0800", 1291220760 * SECOND_US},
        {"auto", "2010-12-01 08:26:00+00", 1291191960 * SECOND_US},
        {"auto", "1969-12-31 23:59:59.75", -250000},
        {"auto", "0001-01-01", INT64_C(-62135596800) * SECOND_US},
        {"auto", "9999-12-31 23:59:59", INT64_C(253402300799) * SECOND_US},
        {"%Y-%m-%d %H:%M:%S", "2010-12-01 08:26:00", 1291191960 * SECOND_US},
        {"%Y-%m-%d %H:%M:%S", "2010-12-1 8:26:0", 1291191960 * SECOND_US},
        {"%m/%d/%Y %H:%M", "12/1/2010 8:26", 1291191960 * SECOND_US},
        {"%d.%m.%y", "01.12.10", 1291161600 * SECOND_US},
        {"%d.%m.%y", "01.01.70", 0},
        {"%Y%m%d%H%M%S", "20101201082600", 1291191960 * SECOND_US},
        {"%d %b %Y, %I:%M %p", "01 dec 2010, 08:26 am", 1291191960 * SECOND_US},
        {"%d %b %Y, %I:%M %p", "01 Dec 2010, 12:00 AM", 1291161600 * SECOND_US},
        {"%d %b %Y, %I:%M %p", "01 Dec 2010, 12:00 PM", 1291204800 * SECOND_US},
        {"%Y-%m-%dT%H:%M:%S.%f%z", "2010-12-01T08:26:00.25+01:00", 1291188360 * SECOND_US + 250000},
        {"%s", "1291191960", 1291191960 * SECOND_US},
        {"%s.%f", "-1.25", -1250000},
        {"100%% %Y %m %d", "100% 2010 12 01", 1291161600 * SECOND_US},
    };
    TimeZone *utc = zone_of("UTC");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t got = parse(cases[i].pattern, utc, cases[i].text);
        if (got != cases[i].expected)
            fprintf(stderr, "'%s' as '%s': ", cases[i].text, cases[i].pattern);
        CU_ASSERT_EQUAL(got, cases[i].expected);
    }
    timezone_free(&utc);
}

static void test_refused(void)
{
    static const struct {
        const char *pattern;
        const char *text;
    } cases[] = {
        {"auto", ""},
        {"auto", "2010"},
        {"auto", "2010-12"},
        {"auto", "2010-12-1"},
        {"auto", "2010-13-01"},
        {"auto", "2010-02-29 10:00:00"},
        {"auto", "0000-01-01"},
        {"auto", "2010-12-01 "},
        {"auto", "2010-12-01 8:26"},
        {"auto", "2010-12-01 08:26:00 "},
        {"auto", "2010-12-01 08:26:60"},
        {"auto", "2010-12-01 24:00:00"},
        {"auto", "2010-12-01 08:60:00"},
        {"auto", "2010-12-01 08:26:0x"},
        {"auto", "2010-12-01x08:26:00"},
        {"auto", "2010-12-01 08:26:00."},
        {"auto", "2010-12-01 08:26:00.1234567890"},
        {"auto", "2010-12-01 08:26:00+1"},
        {"auto", "2010-12-01 08:26:00+19:00"},
        {"auto", "2010-12-01 08:26:00+01:60"},
        {"auto", "2010-12-01 08:26:00Zz"},
        {"auto", "-010-12-01 08:26:00"},
        {"auto", " 2010-12-01 08:26:0"},
        {"%Y-%m-%d %H:%M:%S", "2010-12-01T08:26:00"},
        {"%Y-%m-%d %H:%M:%S", "2010-12-01 08:26"},
        {"%Y-%m-%d %H:%M:%S", "2010-12-01 08:26:00x"},
        {"%d %b %Y", "01 Dek 2010"},
        {"%d %b %Y, %I:%M %p", "01 Dec 2010, 13:00 PM"},
        {"%d %b %Y, %I:%M %p", "01 Dec 2010, 00:00 AM"},
        {"%d %b %Y, %I:%M %p", "01 Dec 2010, 01:00 XM"},
        {"%s", "1e9"},
        {"%s", ""},
        {"%s", "999999999999"},
        {"%d.%m.%y", "01.12.2010"},
    };
    TimeZone *utc = zone_of("UTC");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t got = parse(cases[i].pattern, utc, cases[i].text);
        if (got != no_time)
            fprintf(stderr, "'%s' as '%s': ", cases[i].text, cases[i].pattern);
        CU_ASSERT_EQUAL(got, no_time);
    }
    timezone_free(&utc);
}

/* Any second of years 1 to 9999, written in several ways; and every one-character change of the
 * common shape is either refused or means what the slow way says. */
static void test_random(void)
{
    TimeZone *utc = zone_of("UTC");
    TimePattern common, automatic, apart;
    Error error;
    CU_ASSERT_EQUAL(time_pattern_init(&common, "%Y-%m-%d %H:%M:%S", &error), STATUS_OK);
    CU_ASSERT_EQUAL(time_pattern_init(&automatic, "auto", &error), STATUS_OK);
    /* the same shape by a pattern that has no short way */
    CU_ASSERT_EQUAL(time_pattern_init(&apart, "%Y-%m-%d %H:%M:%S%%", &error), STATUS_OK);
    Sample sample = {3};
    int64_t n_wrong = 0;
    for (int i = 0; i < 20000; i++) {
        int64_t seconds = sample_between(&sample, INT64_C(-62135596800), INT64_C(253402300799));
        time_t instant = (time_t)seconds;
        struct tm date;
        char text[64], year[8];
        gmtime_r(&instant, &date);
        if (date.tm_year + 1900 >= 1000) { /* glibc does not pad %Y */
            strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &date);
            n_wrong += parse("%Y-%m-%d %H:%M:%S", utc, text) != seconds * SECOND_US;
            strftime(text, sizeof text, "%d/%m/%Y %H.%M.%S", &date);
            n_wrong += parse("%d/%m/%Y %H.%M.%S", utc, text) != seconds * SECOND_US;
            strftime(text, sizeof text, "%b %d %Y %I:%M:%S %p", &date);
            n_wrong += parse("%b %d %Y %I:%M:%S %p", utc, text) != seconds * SECOND_US;
        }
        strftime(text, sizeof text, "0000-%m-%d %H:%M:%S", &date);
        snprintf(year, sizeof year, "%04d", (date.tm_year + 1900) % 10000);
        memcpy(text, year, 4);
        n_wrong += parse("auto", utc, text) != seconds * SECOND_US;

        text[sample_between(&sample, 0, 18)] = (char)sample_between(&sample, 1, 127);
        memcpy(text + 19, "%", 2);
        int64_t a = no_time, b = no_time, c = no_time;
        int32_t day;
        bool fits_a = time_parse(&common, utc, (Bytes){text, 19}, &a, &day);
        bool fits_b = time_parse(&apart, utc, (Bytes){text, 20}, &b, &day);
        bool fits_c = time_parse(&automatic, utc, (Bytes){text, 19}, &c, &day);
        n_wrong += fits_a != fits_b || (fits_a && a != b);
        n_wrong += fits_a && (!fits_c || a != c);
    }
    CU_ASSERT_EQUAL(n_wrong, 0);
    timezone_free(&utc);
}

static void test_local(void)
{
    TimeZone *london = zone_of("Europe/London"), *apia = zone_of("Pacific/Apia");
    CU_ASSERT_EQUAL(parse("auto", london, "2011-07-01 12:00:00"), 1309518000 * SECOND_US);
    CU_ASSERT_EQUAL(parse("auto", london, "2011-07-01 12:00:00Z"), 1309521600 * SECOND_US);
    CU_ASSERT_EQUAL(parse("auto", london, "2011-01-01 12:00:00"), 1293883200 * SECOND_US);
    /* a day that Samoa never had: read with the offset before, it lies on the next (checked by
     * parse) */
    CU_ASSERT(parse("auto", apia, "2011-12-30 12:00:00") != no_time);
    TimePattern pattern;
    Error error;
    int64_t ts_us;
    int32_t day;
    CU_ASSERT_EQUAL(time_pattern_init(&pattern, "auto", &error), STATUS_OK);
    CU_ASSERT(time_parse(&pattern, london, bytes_of("2011-06-30T23:30:00Z"), &ts_us, &day));
    CU_ASSERT_EQUAL(day, civil_day(2011, 7, 1)); /* already July there */
    timezone_free(&london);
    timezone_free(&apia);
}

static void test_pattern_refusals(void)
{
    static const char *const wrong[] = {"",
                                        "%Y-%m",
                                        "%Y-%m-%d %q",
                                        "%Y-%m-%d %",
                                        "%H:%M",
                                        "%Y-%m-%d %Y",
                                        "%Y-%y-%m-%d",
                                        "%Y %m %b %d",
                                        "%s %H",
                                        "%Y-%m-%d %I",
                                        "%Y-%m-%d %p",
                                        "automatic",
                                        "%Y-%m-%d %H %I %p"};
    TimePattern pattern;
    Error error;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CU_ASSERT_EQUAL(time_pattern_init(&pattern, wrong[i], &error), STATUS_USAGE);
    char text[128];
    memset(text, 'x', sizeof text);
    memcpy(text, "%Y-%m-%d", 8);
    text[64] = '\0';
    CU_ASSERT_EQUAL(time_pattern_init(&pattern, text, &error), STATUS_USAGE);
    text[63] = '\0';
    CU_ASSERT_EQUAL(time_pattern_init(&pattern, text, &error), STATUS_OK);
}

CU_TestInfo time_parse_tests[] = {
    {"known", test_known},
    {"refused", test_refused},
    {"random", test_random},
    {"local", test_local},
    {"pattern_refusals", test_pattern_refusals},
    CU_TEST_INFO_NULL,
};
