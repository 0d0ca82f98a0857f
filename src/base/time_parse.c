/* Timestamps from text: patterns, ISO 8601 in its usual spellings, and a short way for the
 * commonest shape, since a night may read hundreds of millions of them. */
#include "base/civil.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char common_pattern[] = "%Y-%m-%d %H:%M:%S";
static const char pattern_letters[] = "YymbdHIMSfpzs";

/* What a text says; what it does not say is zero. */
typedef struct Moment {
    int year, month, day, hour, minute, second;
    int micros;
    bool is_pm, is_am;
    bool is_unix, is_negative; /* `unix_s` and micros since 1970, to be negated */
    int64_t unix_s;
    bool has_offset;
    int offset_s; /* local minus UTC */
} Moment;

typedef struct Cursor {
    const char *at;
    const char *end;
} Cursor;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool take_char(Cursor *cursor, char c)
{
    if (cursor->at == cursor->end || *cursor->at != c)
        return false;
    cursor->at++;
    return true;
}

/* Between `least` and `most` digits, as many as there are. */
static bool take_digits(Cursor *cursor, int least, int most, int *value)
{
    int n = 0, number = 0;
    while (n < most && cursor->at < cursor->end && is_digit(*cursor->at)) {
        number = number * 10 + (*cursor->at++ - '0');
        n++;
    }
    *value = number;
    return n >= least;
}

static bool take_month_name(Cursor *cursor, int *month)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (cursor->end - cursor->at < 3)
        return false;
    for (int i = 0; i < 12; i++) {
        if (strncasecmp(cursor->at, names + (size_t)3 * (size_t)i, 3) == 0) {
            cursor->at += 3;
            *month = i + 1;
            return true;
        }
    }
    return false;
}

static bool take_half_day(Cursor *cursor, Moment *moment)
{
    if (cursor->end - cursor->at < 2)
        return false;
    moment->is_am = strncasecmp(cursor->at, "AM", 2) == 0;
    moment->is_pm = strncasecmp(cursor->at, "PM", 2) == 0;
    cursor->at += 2;
    return moment->is_am || moment->is_pm;
}

/* One to nine decimals of a second; those past the microsecond are cut off. */
static bool take_fraction(Cursor *cursor, int *micros)
{
    int n = 0, number = 0;
    for (; n < 9 && cursor->at < cursor->end && is_digit(*cursor->at); cursor->at++, n++) {
        if (n < 6)
            number = number * 10 + (*cursor->at - '0');
    }
    for (int i = n; i < 6; i++)
        number *= 10;
    *micros = number;
    return n > 0;
}

/* Z, +hh:mm, +hhmm or +hh. */
static bool take_offset(Cursor *cursor, Moment *moment)
{
    moment->has_offset = true;
    if (take_char(cursor, 'Z') || take_char(cursor, 'z'))
        return true;
    bool is_west = take_char(cursor, '-');
    if (!is_west && !take_char(cursor, '+'))
        return false;
    int hours, minutes = 0;
    if (!take_digits(cursor, 2, 2, &hours))
        return false;
    bool has_minutes =
        take_char(cursor, ':') || (cursor->at < cursor->end && is_digit(*cursor->at));
    if (has_minutes && !take_digits(cursor, 2, 2, &minutes))
        return false;
    if (hours > 18 || minutes > 59)
        return false;
    moment->offset_s = (is_west ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}

static bool take_unix_seconds(Cursor *cursor, Moment *moment)
{
    int n = 0;
    moment->is_unix = true;
    moment->is_negative = take_char(cursor, '-');
    for (; n < 12 && cursor->at < cursor->end && is_digit(*cursor->at); n++)
        moment->unix_s = moment->unix_s * 10 + (*cursor->at++ - '0');
    return n > 0;
}

static bool take_short_year(Cursor *cursor, int *year)
{
    if (!take_digits(cursor, 2, 2, year))
        return false;
    *year += *year < 69 ? 2000 : 1900; /* as POSIX strptime */
    return true;
}

static bool take_hour_of_half_day(Cursor *cursor, int *hour)
{
    return take_digits(cursor, 1, 2, hour) && *hour >= 1 && *hour <= 12;
}

static bool take_letter(Cursor *cursor, char letter, Moment *moment)
{
    switch (letter) {
    case 'Y':
        return take_digits(cursor, 4, 4, &moment->year);
    case 'y':
        return take_short_year(cursor, &moment->year);
    case 'm':
        return take_digits(cursor, 1, 2, &moment->month);
    case 'b':
        return take_month_name(cursor, &moment->month);
    case 'd':
        return take_digits(cursor, 1, 2, &moment->day);
    case 'H':
        return take_digits(cursor, 1, 2, &moment->hour);
    case 'I':
        return take_hour_of_half_day(cursor, &moment->hour);
    case 'M':
        return take_digits(cursor, 1, 2, &moment->minute);
    case 'S':
        return take_digits(cursor, 1, 2, &moment->second);
    case 'f':
        return take_fraction(cursor, &moment->micros);
    case 'p':
        return take_half_day(cursor, moment);
    case 'z':
        return take_offset(cursor, moment);
    case 's':
        return take_unix_seconds(cursor, moment);
    default:
        return take_char(cursor, letter); /* %% */
    }
}

static bool take_pattern(Cursor *cursor, const char *pattern, Moment *moment)
{
    for (; *pattern; pattern++) {
        bool fits =
            *pattern == '%' ? take_letter(cursor, *++pattern, moment) : take_char(cursor, *pattern);
        if (!fits)
            return false;
    }
    return true;
}

/* YYYY-MM-DD[(T| )HH:MM[:SS[(.|,)ffffff]][[ ]zone]] */
static bool take_iso(Cursor *cursor, Moment *moment)
{
    if (!take_digits(cursor, 4, 4, &moment->year) || !take_char(cursor, '-') ||
        !take_digits(cursor, 2, 2, &moment->month) || !take_char(cursor, '-') ||
        !take_digits(cursor, 2, 2, &moment->day))
        return false;
    if (cursor->at == cursor->end)
        return true;
    if (!take_char(cursor, 'T') && !take_char(cursor, ' ') && !take_char(cursor, 't'))
        return false;
    if (!take_digits(cursor, 2, 2, &moment->hour) || !take_char(cursor, ':') ||
        !take_digits(cursor, 2, 2, &moment->minute))
        return false;
    if (take_char(cursor, ':')) {
        if (!take_digits(cursor, 2, 2, &moment->second))
            return false;
        bool has_fraction = take_char(cursor, '.') || take_char(cursor, ',');
        if (has_fraction && !take_fraction(cursor, &moment->micros))
            return false;
    }
    if (cursor->at == cursor->end)
        return true;
    take_char(cursor, ' ');
    return take_offset(cursor, moment);
}

/* The value of the digit at p[i], or more than 9. */
static unsigned digit(const char *p, int i)
{
    return (unsigned)(unsigned char)p[i] - '0';
}

/* Exactly `YYYY-MM-DD HH:MM:SS`, 19 characters. */
static bool read_common(const char *p, Moment *moment)
{
    static const int8_t places[] = {0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18};
    unsigned not_digit = 0;
    for (size_t i = 0; i < sizeof places; i++)
        not_digit |= digit(p, places[i]) > 9;
    if (not_digit || p[4] != '-' || p[7] != '-' || p[10] != ' ' || p[13] != ':' || p[16] != ':')
        return false;
    moment->year = (int)(digit(p, 0) * 1000 + digit(p, 1) * 100 + digit(p, 2) * 10 + digit(p, 3));
    moment->month = (int)(digit(p, 5) * 10 + digit(p, 6));
    moment->day = (int)(digit(p, 8) * 10 + digit(p, 9));
    moment->hour = (int)(digit(p, 11) * 10 + digit(p, 12));
    moment->minute = (int)(digit(p, 14) * 10 + digit(p, 15));
    moment->second = (int)(digit(p, 17) * 10 + digit(p, 18));
    return true;
}

/* The instant that a moment means; false if it is no real date or time. */
static bool instant_of(const Moment *moment, const TimeZone *zone, int64_t *ts_us)
{
    static const int64_t first_s = INT64_C(-62135596800); /* 0001-01-01 */
    static const int64_t last_s = INT64_C(253402300799);  /* the end of 9999 */
    if (moment->is_unix) {
        int64_t us = moment->unix_s * 1000000 + moment->micros;
        *ts_us = moment->is_negative ? -us : us;
        return *ts_us >= first_s * 1000000 && *ts_us < (last_s + 1) * 1000000;
    }
    int hour = moment->hour;
    if (moment->is_am || moment->is_pm)
        hour = hour % 12 + (moment->is_pm ? 12 : 0);
    if (!civil_is_valid(moment->year, moment->month, moment->day) || hour > 23 ||
        moment->minute > 59 || moment->second > 59)
        return false;
    int64_t day = civil_day(moment->year, moment->month, moment->day);
    int64_t seconds = ((day * 24 + hour) * 60 + moment->minute) * 60 + moment->second;
    if (moment->has_offset)
        *ts_us = (seconds - moment->offset_s) * 1000000 + moment->micros;
    else
        *ts_us = timezone_to_utc(zone, seconds * 1000000 + moment->micros);
    return true;
}

bool time_parse(const TimePattern *pattern, const TimeZone *zone, Bytes text, int64_t *ts_us,
                int32_t *day)
{
    Moment moment = {0};
    bool is_common =
        text.size == 19 &&
        (pattern->is_auto || memcmp(pattern->text, common_pattern, sizeof common_pattern) == 0) &&
        read_common(text.data, &moment);
    if (!is_common) {
        if (text.size == 0)
            return false;
        Cursor cursor = {text.data, text.data + text.size};
        bool fits = pattern->is_auto ? take_iso(&cursor, &moment)
                                     : take_pattern(&cursor, pattern->text, &moment);
        if (!fits || cursor.at != cursor.end)
            return false;
    }
    if (!instant_of(&moment, zone, ts_us))
        return false;
    *day = timezone_day(zone, *ts_us); /* of the instant: a skipped time may lie on the next day */
    return true;
}

/* How often each letter occurs in the pattern; an unknown one is an error. */
static Status count_letters(const char *text, int counts[128], Error *error)
{
    for (const char *at = text; *at; at++) {
        if (*at != '%')
            continue;
        at++;
        if (*at == '\0' || (*at != '%' && !strchr(pattern_letters, *at)))
            return error_set(error, STATUS_USAGE, __FILE__, __LINE__,
                             "time pattern '%s': '%%%.1s' is not known; there are %%Y %%y %%m %%b "
                             "%%d %%H %%I %%p %%M %%S %%f %%z %%s %%%%, or the word auto",
                             text, at);
        counts[(unsigned char)*at]++;
    }
    return STATUS_OK;
}

Status time_pattern_init(TimePattern *pattern, const char *text, Error *error)
{
    Status status = STATUS_OK;
    *pattern = (TimePattern){0};
    if (strlen(text) >= sizeof pattern->text)
        FAIL(error, STATUS_USAGE, "time pattern '%.80s...' is longer than %zu characters", text,
             sizeof pattern->text - 1);
    int counts[128] = {0};
    TRY(count_letters(text, counts, error));
    memcpy(pattern->text, text, strlen(text) + 1);
    pattern->is_auto = strcmp(text, "auto") == 0;
    if (pattern->is_auto)
        goto out;

    for (const char *letter = pattern_letters; *letter; letter++) {
        if (counts[(unsigned char)*letter] > 1)
            FAIL(error, STATUS_USAGE, "time pattern '%s' has %%%c twice", text, *letter);
    }
    int years = counts['Y'] + counts['y'], months = counts['m'] + counts['b'];
    int hours = counts['H'] + counts['I'];
    if (counts['s']) {
        if (years + months + counts['d'] + hours + counts['M'] + counts['S'] + counts['p'] +
                counts['z'] >
            0)
            FAIL(error, STATUS_USAGE,
                 "time pattern '%s': %%s is the whole time, only %%f can stand beside it", text);
        goto out;
    }
    if (years != 1 || months != 1 || counts['d'] != 1)
        FAIL(error, STATUS_USAGE,
             "time pattern '%s' must have one year (%%Y or %%y), one month (%%m or %%b) and one "
             "day (%%d), or %%s",
             text);
    if (hours > 1 || counts['I'] != counts['p'])
        FAIL(error, STATUS_USAGE, "time pattern '%s' must have the hour as %%H, or as %%I with %%p",
             text);
out:
    return status;
}
