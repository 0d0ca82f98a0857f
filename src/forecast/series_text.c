/* Dates and numbers in files of series; see series_text.h. */
#include "forecast/series_text.h"

#include "base/civil.h"
#include "base/decimal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HOURS_A_DAY = 24 };

/* ---- dates ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Take `n` digits off the beginning of *text. */
static bool take_digits(Bytes *text, int n, int *number)
{
    *number = 0;
    if (text->size < n)
        return false;
    for (int i = 0; i < n; i++) {
        if (!is_digit(text->data[i]))
            return false;
        *number = *number * 10 + (text->data[i] - '0');
    }
    *text = (Bytes){text->data + n, text->size - n};
    return true;
}

static bool take_char(Bytes *text, const char *possible)
{
    if (text->size == 0 || text->data[0] == 0 || strchr(possible, text->data[0]) == NULL)
        return false;
    *text = (Bytes){text->data + 1, text->size - 1};
    return true;
}

/* An hour, and nothing but zeros after it. */
static bool take_hour(Bytes *text, int *hour)
{
    int zero = 0;
    if (!take_digits(text, 2, hour) || *hour >= HOURS_A_DAY)
        return false;
    for (int i = 0; i < 2 && text->size > 0; i++) {
        if (!take_char(text, ":") || !take_digits(text, 2, &zero) || zero != 0)
            return false;
    }
    return text->size == 0;
}

static bool parse_number(Bytes text, SeriesDate *date)
{
    int64_t number;
    for (int64_t i = text.data[0] == '-'; i < text.size; i++) {
        if (!is_digit(text.data[i]))
            return false;
    }
    /* one less than can be, so that a period after it can be named */
    if (decimal_parse(text, 0, (DecimalStyle){'.', 0}, INT32_MIN + 1, INT32_MAX - 1, &number) !=
        DECIMAL_OK)
        return false;
    *date = (SeriesDate){SERIES_DATE_NUMBER, (int32_t)number};
    return true;
}

bool series_date_parse(Bytes text, SeriesDate *date)
{
    Bytes rest = text;
    int year, month, day, hour;
    if (text.size == 0)
        return false;
    if (!take_digits(&rest, 4, &year) || !take_char(&rest, "-"))
        return parse_number(text, date);
    if (!take_digits(&rest, 2, &month) || !civil_is_valid(year, month, 1))
        return false;
    *date = (SeriesDate){SERIES_DATE_MONTH, civil_month(civil_day(year, month, 1))};
    if (rest.size == 0)
        return true;
    if (!take_char(&rest, "-") || !take_digits(&rest, 2, &day) || !civil_is_valid(year, month, day))
        return false;
    *date = (SeriesDate){SERIES_DATE_DAY, civil_day(year, month, day)};
    if (rest.size == 0)
        return true;
    if (!take_char(&rest, "T ") || !take_hour(&rest, &hour))
        return false;
    *date = (SeriesDate){SERIES_DATE_HOUR, date->number * HOURS_A_DAY + hour};
    return true;
}

const char *series_date_example(SeriesDateKind kind)
{
    static const char *const examples[SERIES_DATE_KINDS] = {
        "a whole number", "a month like 2024-05", "a day like 2024-05-01",
        "an hour like 2024-05-01T13:00"};
    return examples[kind];
}

bool series_date_fits(SeriesDateKind kind, Frequency frequency)
{
    switch (kind) {
    case SERIES_DATE_MONTH:
        return frequency == FREQUENCY_MONTHLY || frequency == FREQUENCY_QUARTERLY ||
               frequency == FREQUENCY_YEARLY;
    case SERIES_DATE_DAY:
        return frequency != FREQUENCY_HOURLY;
    default:
        return true;
    }
}

static int32_t floor_divide(int32_t a, int32_t b)
{
    return a / b - (a % b < 0);
}

int32_t series_date_period(SeriesDate date, Frequency frequency)
{
    switch (date.kind) {
    case SERIES_DATE_MONTH:
        return period_of_day(frequency, period_first_day(FREQUENCY_MONTHLY, date.number));
    case SERIES_DATE_DAY:
        return period_of_day(frequency, date.number);
    case SERIES_DATE_HOUR:
        return frequency == FREQUENCY_HOURLY
                   ? date.number
                   : period_of_day(frequency, floor_divide(date.number, HOURS_A_DAY));
    default:
        return date.number;
    }
}

/* ---- numbers ---- */

/* Digits, at most 15, with a point somewhere: both parts of the quotient are exact, so that it is
 * rounded once. */
static bool parse_short(Bytes text, double *value)
{
    static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    int64_t number = 0, i = text.data[0] == '-', digits = 0, decimals = -1;
    bool is_negative = i > 0;
    for (; i < text.size; i++) {
        char c = text.data[i];
        if (c == '.' && decimals < 0) {
            decimals = 0;
            continue;
        }
        if (!is_digit(c) || ++digits > 15)
            return false;
        number = number * 10 + (c - '0');
        decimals += decimals >= 0;
    }
    if (digits == 0)
        return false;
    *value = (double)number / powers[decimals > 0 ? decimals : 0];
    if (is_negative)
        *value = -*value;
    return true;
}

static bool is_word(Bytes text, const char *word)
{
    return (size_t)text.size == strlen(word) &&
           strncasecmp(text.data, word, (size_t)text.size) == 0;
}

SeriesNumber series_number_parse(Bytes text, double *value)
{
    char copy[64], *end;
    *value = NAN;
    if (text.size == 0 || is_word(text, "NA") || is_word(text, "NaN"))
        return SERIES_MISSING;
    if (parse_short(text, value))
        return SERIES_NUMBER;
    if ((size_t)text.size >= sizeof copy)
        return SERIES_NO_NUMBER;
    memcpy(copy, text.data, (size_t)text.size);
    copy[text.size] = 0;
    /* strtod knows words, hexadecimal numbers and leading blanks too */
    if (strspn(copy, "0123456789.+-eE") != (size_t)text.size)
        return SERIES_NO_NUMBER;
    double number = strtod(copy, &end);
    if (end != copy + text.size || !isfinite(number))
        return SERIES_NO_NUMBER;
    *value = number;
    return SERIES_NUMBER;
}

/* ---- fields ---- */

bool series_next_field(Bytes *rest, char delimiter, Bytes *field)
{
    const char *data = rest->data;
    int64_t size = rest->size, begin = 0, end = 0, at;
    if (data == NULL)
        return false;
    if (size > 0 && data[0] == '"') {
        begin = end = 1;
        while (end < size && (data[end] != '"' || (end + 1 < size && data[end + 1] == '"')))
            end += data[end] == '"' ? 2 : 1;
        end = end < size ? end : size;
        at = end < size ? end + 1 : size;
    } else {
        const char *found = size > 0 ? memchr(data, delimiter, (size_t)size) : NULL;
        at = end = found != NULL ? found - data : size;
    }
    *field = bytes_trim((Bytes){data + begin, end - begin});
    *rest = at < size ? (Bytes){data + at + 1, size - at - 1} : (Bytes){NULL, 0};
    return true;
}
