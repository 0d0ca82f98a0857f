/* Decimal text to integers and back, exactly. */
#include "base/decimal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PLAIN_DIGITS = 18, DECIMALS_MAX = 18, EXPONENT_MAX = 1000000 };

static const uint64_t powers_of_10[] = {
    1,
    10,
    100,
    1000,
    10000,
    100000,
    1000000,
    10000000,
    100000000,
    1000000000,
    10000000000,
    100000000000,
    1000000000000,
    10000000000000,
    100000000000000,
    1000000000000000,
    10000000000000000,
    100000000000000000,
    1000000000000000000,
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static DecimalResult put(uint64_t magnitude, bool is_negative, int64_t min, int64_t max,
                         int64_t *value)
{
    uint64_t limit = (uint64_t)INT64_MAX + is_negative;
    if (magnitude > limit)
        return DECIMAL_TOO_LARGE;
    int64_t number = (int64_t)(is_negative ? 0 - magnitude : magnitude);
    if (number < min || number > max)
        return DECIMAL_TOO_LARGE;
    *value = number;
    return DECIMAL_OK;
}

/* The parts of a number's text. Digits of whole and fraction follow one another as one mantissa;
 * `whole` may hold separators. */
typedef struct Parts {
    bool is_negative;
    Bytes whole;
    Bytes fraction;
    int64_t whole_digits;
    int64_t exponent; /* not beyond +-EXPONENT_MAX */
} Parts;

/* Separators stand between groups of digits: one to three first, two or three between (South Asian
 * lakh), three last. So "1,5" meant as one and a half is not read as fifteen. */
static bool are_groups_sound(Bytes whole, char group)
{
    int64_t run = 0;
    bool is_first = true;
    for (int64_t i = 0; i < whole.size; i++) {
        if (whole.data[i] != group) {
            run++;
            continue;
        }
        if (run > 3 || run < (is_first ? 1 : 2))
            return false;
        is_first = false;
        run = 0;
    }
    return is_first || run == 3;
}

/* e+3 */
static bool split_exponent(Bytes text, Parts *parts)
{
    int64_t at = 1, number = 0;
    bool is_negative = false;
    if (at < text.size && (text.data[at] == '+' || text.data[at] == '-'))
        is_negative = text.data[at++] == '-';
    if (at == text.size)
        return false;
    for (; at < text.size; at++) {
        if (!is_digit(text.data[at]))
            return false;
        number = number * 10 + (text.data[at] - '0');
        if (number > EXPONENT_MAX)
            number = EXPONENT_MAX;
    }
    parts->exponent = is_negative ? -number : number;
    return true;
}

static bool split(Bytes text, DecimalStyle style, Parts *parts)
{
    int64_t at = 0;
    *parts = (Parts){0};
    if (text.data[at] == '-' || text.data[at] == '+')
        parts->is_negative = text.data[at++] == '-';

    int64_t begin = at;
    while (at < text.size &&
           (is_digit(text.data[at]) || (style.group && text.data[at] == style.group))) {
        parts->whole_digits += is_digit(text.data[at]);
        at++;
    }
    parts->whole = (Bytes){text.data + begin, at - begin};
    if (at < text.size && text.data[at] == style.point) {
        begin = ++at;
        while (at < text.size && is_digit(text.data[at]))
            at++;
        parts->fraction = (Bytes){text.data + begin, at - begin};
    }
    if (parts->whole_digits + parts->fraction.size == 0)
        return false;
    if (parts->whole.size > parts->whole_digits && !are_groups_sound(parts->whole, style.group))
        return false;
    if (at < text.size && (text.data[at] == 'e' || text.data[at] == 'E'))
        return split_exponent((Bytes){text.data + at, text.size - at}, parts);
    return at == text.size;
}

/* Mantissa digits before place `kept` make the number; those after it must be zeros. */
typedef struct Mantissa {
    int64_t kept;
    int64_t seen;
    uint64_t magnitude;
    bool is_too_large;
    bool is_too_precise;
} Mantissa;

static void add_digit(Mantissa *mantissa, unsigned digit)
{
    if (mantissa->seen++ >= mantissa->kept) {
        mantissa->is_too_precise |= digit != 0;
        return;
    }
    uint64_t *magnitude = &mantissa->magnitude;
    if (__builtin_mul_overflow(*magnitude, (uint64_t)10, magnitude) ||
        __builtin_add_overflow(*magnitude, (uint64_t)digit, magnitude))
        mantissa->is_too_large = true;
}

static void add_digits(Mantissa *mantissa, Bytes digits)
{
    for (int64_t i = 0; i < digits.size; i++) {
        if (is_digit(digits.data[i]))
            add_digit(mantissa, (unsigned)(digits.data[i] - '0'));
    }
}

static DecimalResult parse_any(Bytes text, int decimals, DecimalStyle style, int64_t min,
                               int64_t max, int64_t *value)
{
    Parts parts;
    if (!split(text, style, &parts))
        return DECIMAL_NOT_A_NUMBER;
    Mantissa mantissa = {.kept = parts.whole_digits + parts.exponent + decimals};
    add_digits(&mantissa, parts.whole);
    add_digits(&mantissa, parts.fraction);
    if (mantissa.is_too_precise)
        return DECIMAL_TOO_PRECISE;
    while (mantissa.seen < mantissa.kept && mantissa.magnitude != 0 && !mantissa.is_too_large)
        add_digit(&mantissa, 0);
    if (mantissa.is_too_large)
        return DECIMAL_TOO_LARGE;
    return put(mantissa.magnitude, parts.is_negative, min, max, value);
}

DecimalResult decimal_parse(Bytes text, int decimals, DecimalStyle style, int64_t min, int64_t max,
                            int64_t *value)
{
    vesper_assert(decimals >= 0 && decimals <= DECIMALS_MAX);
    text = bytes_trim(text);
    if (text.size == 0)
        return DECIMAL_EMPTY;

    /* Plain short numbers, nearly all there are, in one pass without overflow checks. */
    bool is_negative = text.data[0] == '-';
    uint64_t magnitude = 0;
    int64_t point = -1, at = is_negative;
    if (text.size > PLAIN_DIGITS)
        return parse_any(text, decimals, style, min, max, value);
    for (; at < text.size; at++) {
        char c = text.data[at];
        if (is_digit(c))
            magnitude = magnitude * 10 + (uint64_t)(c - '0');
        else if (c == style.point && point < 0)
            point = at;
        else
            break;
    }
    int64_t fraction = point < 0 ? 0 : text.size - point - 1;
    int64_t digits = text.size - is_negative - (point >= 0);
    int64_t missing = decimals - fraction;
    if (at < text.size || digits == 0 || missing < 0 || digits + missing > PLAIN_DIGITS)
        return parse_any(text, decimals, style, min, max, value);
    return put(magnitude * powers_of_10[missing], is_negative, min, max, value);
}

void decimal_format(int64_t value, int decimals, char text[DECIMAL_TEXT_SIZE])
{
    vesper_assert(decimals >= 0 && decimals <= DECIMALS_MAX);
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    uint64_t unit = powers_of_10[decimals];
    int length =
        snprintf(text, DECIMAL_TEXT_SIZE, "%s%" PRIu64, value < 0 ? "-" : "", magnitude / unit);
    if (decimals > 0)
        snprintf(text + length, DECIMAL_TEXT_SIZE - (size_t)length, ".%0*" PRIu64, decimals,
                 magnitude % unit);
}

void count_format(int64_t value, char text[DECIMAL_TEXT_SIZE])
{
    count_format_decimals(value, 0, text);
}

void count_format_decimals(int64_t value, int decimals, char text[DECIMAL_TEXT_SIZE])
{
    char digits[DECIMAL_TEXT_SIZE];
    decimal_format(value, decimals, digits);
    size_t whole = strcspn(digits, "."), first = digits[0] == '-', to = 0;
    for (size_t i = 0; digits[i] != '\0'; i++) {
        if (i > first && i < whole && (whole - i) % 3 == 0)
            text[to++] = ',';
        text[to++] = digits[i];
    }
    text[to] = '\0';
}

CountText count_text(int64_t value)
{
    CountText result;
    count_format(value, result.text);
    return result;
}
