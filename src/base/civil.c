/* Civil days and months, by integer arithmetic on a year that begins in March, so that the leap day
 * is its last (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
#include "base/civil.h"

#include <stdio.h>
#include <string.h>

enum {
    EPOCH_FROM_MARCH_0 = 719468, /* days from 0000-03-01 to 1970-01-01 */
    DAYS_IN_400_YEARS = 146097,
    MONTHS_AT_EPOCH = 1970 * 12,
};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int32_t civil_day(int year, int month, int day)
{
    int64_t y = (int64_t)year - (month < 3);
    int64_t m = month < 3 ? month + 9 : month - 3; /* 0 is March */
    int64_t leap_days = floor_div(y, 4) - floor_div(y, 100) + floor_div(y, 400);
    return (int32_t)(365 * y + leap_days + (153 * m + 2) / 5 + day - 1 - EPOCH_FROM_MARCH_0);
}

void civil_from_day(int32_t day, int *year, int *month, int *day_of_month)
{
    int64_t since = (int64_t)day + EPOCH_FROM_MARCH_0;
    int64_t era = floor_div(since, DAYS_IN_400_YEARS);
    int64_t of_era = since - era * DAYS_IN_400_YEARS;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * of_year + 2) / 153;
    *day_of_month = (int)(of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = (int)(era * 400 + y + (*month < 3));
}

bool civil_is_valid(int year, int month, int day)
{
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1)
        return false;
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return day <= days[month - 1] + (month == 2 && is_leap);
}

int32_t civil_month(int32_t day)
{
    int year, month, day_of_month;
    civil_from_day(day, &year, &month, &day_of_month);
    return (int32_t)(year * 12 + month - 1 - MONTHS_AT_EPOCH);
}

void civil_format_day(int32_t day, char text[CIVIL_TEXT_SIZE])
{
    int year, month, day_of_month;
    civil_from_day(day, &year, &month, &day_of_month);
    snprintf(text, CIVIL_TEXT_SIZE, "%04d-%02d-%02d", year, month, day_of_month);
}

void civil_format_month(int32_t month, char text[CIVIL_TEXT_SIZE])
{
    int64_t since_0 = (int64_t)month + MONTHS_AT_EPOCH;
    int64_t year = floor_div(since_0, 12);
    snprintf(text, CIVIL_TEXT_SIZE, "%04d-%02d", (int)year, (int)(since_0 - year * 12 + 1));
}

void civil_format_utc(int64_t ts_us, char text[CIVIL_TEXT_SIZE])
{
    int64_t seconds = floor_div(ts_us, 1000000);
    int64_t day = floor_div(seconds, 86400);
    unsigned of_day = (unsigned)(seconds - day * 86400);
    char clock[] = "T00:00:00Z";
    snprintf(clock, sizeof clock, "T%02u:%02u:%02uZ", of_day / 3600 % 24, of_day / 60 % 60,
             of_day % 60);
    civil_format_day((int32_t)day, text);
    memcpy(text + strlen(text), clock, sizeof clock);
}
