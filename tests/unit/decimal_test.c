/* Decimal text, against arithmetic in 128 bits. */
#include "base/decimal.h"
#include "unit/sample.h"
#include "unit/suites.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

__extension__ typedef __int128 Wide; /* pedantic C has no such type */

static const DecimalStyle plain = {'.', 0};
static const DecimalStyle english = {'.', ','};
static const DecimalStyle german = {',', '.'};

static DecimalResult parse(const char *text, int decimals, DecimalStyle style, int64_t *value)
{
    return decimal_parse(bytes_of(text), decimals, style, INT64_MIN, INT64_MAX, value);
}

typedef struct Case {
    const char *text;
    int decimals;
    DecimalResult result;
    int64_t value;
} Case;

static void check_cases(const Case *cases, size_t n, DecimalStyle style)
{
    for (size_t i = 0; i < n; i++) {
        int64_t value = 0;
        DecimalResult result = parse(cases[i].text, cases[i].decimals, style, &value);
        if (result != cases[i].result || value != cases[i].value)
            fprintf(stderr, "'%s' with %d decimals gives %d, %" PRId64 ": ", cases[i].text,
                    cases[i].decimals, result, value);
        CU_ASSERT_EQUAL(result, cases[i].result);
        CU_ASSERT_EQUAL(value, cases[i].value);
    }
}

static void test_known(void)
{
    static const Case cases[] = {
        {"0", 0, DECIMAL_OK, 0},
        {"-0.00", 2, DECIMAL_OK, 0},
        {"2.55", 2, DECIMAL_OK, 255},
        {"2.55", 3, DECIMAL_OK, 2550},
        {" \t-12.5 ", 2, DECIMAL_OK, -1250},
        {"+7", 0, DECIMAL_OK, 7},
        {"17850.0", 0, DECIMAL_OK, 17850},
        {"17850.000000000000000000000000000", 0, DECIMAL_OK, 17850},
        {".5", 1, DECIMAL_OK, 5},
        {"5.", 1, DECIMAL_OK, 50},
        {"1e3", 0, DECIMAL_OK, 1000},
        {"1.5E+03", 0, DECIMAL_OK, 1500},
        {"1500e-3", 1, DECIMAL_OK, 15},
        {"1.25e1", 1, DECIMAL_OK, 125},
        {"0e999999999999", 2, DECIMAL_OK, 0},
        {"0e-999999999999", 2, DECIMAL_OK, 0},
        {"0.000000000000000000000000000001e30", 0, DECIMAL_OK, 1},
        {"9223372036854775807", 0, DECIMAL_OK, INT64_MAX},
        {"-9223372036854775808", 0, DECIMAL_OK, INT64_MIN},
        {"0000000000000000000000000000012", 0, DECIMAL_OK, 12},
        {"9223372036854775808", 0, DECIMAL_TOO_LARGE, 0},
        {"-9223372036854775809", 0, DECIMAL_TOO_LARGE, 0},
        {"92233720368547758.08", 2, DECIMAL_TOO_LARGE, 0},
        {"1e19", 0, DECIMAL_TOO_LARGE, 0},
        {"1e99999999999999999999", 0, DECIMAL_TOO_LARGE, 0},
        {"99999999999999999999999999999999999999", 0, DECIMAL_TOO_LARGE, 0},
        {"2.555", 2, DECIMAL_TOO_PRECISE, 0},
        {"1e-3", 2, DECIMAL_TOO_PRECISE, 0},
        {"1e-99999999999999999999", 2, DECIMAL_TOO_PRECISE, 0},
        {"", 0, DECIMAL_EMPTY, 0},
        {"  \t", 0, DECIMAL_EMPTY, 0},
        {"-", 0, DECIMAL_NOT_A_NUMBER, 0},
        {".", 0, DECIMAL_NOT_A_NUMBER, 0},
        {"-.", 0, DECIMAL_NOT_A_NUMBER, 0},
        {"e3", 0, DECIMAL_NOT_A_NUMBER, 0},
        {"1e", 0, DECIMAL_NOT_A_NUMBER, 0},
        {"1e+", 0, DECIMAL_NOT_A_NUMBER, 0},
        {"1e3.0", 0, DECIMAL_NOT_A_NUMBER, 0},
        {"1.2.3", 1, DECIMAL_NOT_A_NUMBER, 0},
        {"1,5", 1, DECIMAL_NOT_A_NUMBER, 0},
        {"--1", 0, DECIMAL_NOT_A_NUMBER, 0},
        {"1 2", 0, DECIMAL_NOT_A_NUMBER, 0},
        {"0x10", 0, DECIMAL_NOT_A_NUMBER, 0},
        {"nan", 0, DECIMAL_NOT_A_NUMBER, 0},
        {"12a", 0, DECIMAL_NOT_A_NUMBER, 0},
    };
    check_cases(cases, sizeof cases / sizeof *cases, plain);
}

static void test_groups(void)
{
    static const Case cases[] = {
        {"1,234.50", 2, DECIMAL_OK, 123450},    {"1,234,567", 0, DECIMAL_OK, 1234567},
        {"12,34,567", 0, DECIMAL_OK, 1234567},  {"1234567", 0, DECIMAL_OK, 1234567},
        {"-1,000e2", 0, DECIMAL_OK, -100000},   {"1,5", 1, DECIMAL_NOT_A_NUMBER, 0},
        {"1,23", 0, DECIMAL_NOT_A_NUMBER, 0},   {",123", 0, DECIMAL_NOT_A_NUMBER, 0},
        {"1,,234", 0, DECIMAL_NOT_A_NUMBER, 0}, {"1234,567", 0, DECIMAL_NOT_A_NUMBER, 0},
        {"1,234,", 0, DECIMAL_NOT_A_NUMBER, 0}, {"1.234,567", 3, DECIMAL_NOT_A_NUMBER, 0},
    };
    check_cases(cases, sizeof cases / sizeof *cases, english);
    static const Case german_cases[] = {
        {"1.234,50", 2, DECIMAL_OK, 123450},
        {"2,55", 2, DECIMAL_OK, 255},
        {"2.55", 2, DECIMAL_NOT_A_NUMBER, 0},
    };
    check_cases(german_cases, sizeof german_cases / sizeof *german_cases, german);
}

static void test_bounds(void)
{
    int64_t value;
    CU_ASSERT_EQUAL(decimal_parse(bytes_of("101"), 0, plain, -5, 100, &value), DECIMAL_TOO_LARGE);
    CU_ASSERT_EQUAL(decimal_parse(bytes_of("-6"), 0, plain, -5, 100, &value), DECIMAL_TOO_LARGE);
    CU_ASSERT_EQUAL(decimal_parse(bytes_of("100"), 0, plain, -5, 100, &value), DECIMAL_OK);
    CU_ASSERT_EQUAL(value, 100);
    CU_ASSERT_EQUAL(decimal_parse(bytes_of("-5"), 0, plain, -5, 100, &value), DECIMAL_OK);
    CU_ASSERT_EQUAL(value, -5);
}

/* mantissa * 10^power, where |mantissa| < 10^20 and power in -25..18. */
static DecimalResult scale_slowly(Wide mantissa, int power, int64_t *value)
{
    for (; power < 0; power++) {
        if (mantissa % 10 != 0)
            return DECIMAL_TOO_PRECISE;
        mantissa /= 10;
    }
    for (; power > 0; power--)
        mantissa *= 10;
    if (mantissa < INT64_MIN || mantissa > INT64_MAX)
        return DECIMAL_TOO_LARGE;
    *value = (int64_t)mantissa;
    return DECIMAL_OK;
}

static void test_random(void)
{
    Sample sample = {4};
    int64_t n_wrong = 0, n_by_result[5] = {0};
    for (int i = 0; i < 400000; i++) {
        int n_digits = (int)sample_between(&sample, 1, 20);
        int zeros = (int)sample_between(&sample, 0, 8);
        int point = (int)sample_between(&sample, 0, n_digits);
        int decimals = (int)sample_between(&sample, 0, 4);
        int exponent = i % 3 == 0 ? (int)sample_between(&sample, -6, 6) : 0;
        bool is_negative = sample_between(&sample, 0, 1);
        bool has_group = i % 4 == 1;
        char text[64];
        size_t n = 0;
        Wide mantissa = 0;
        if (is_negative)
            text[n++] = '-';
        for (int k = 0; k < n_digits; k++) {
            if (k == point)
                text[n++] = '.';
            else if (has_group && k > 0 && k < point && (point - k) % 3 == 0)
                text[n++] = ',';
            int digit = k >= n_digits - zeros ? 0 : (int)sample_between(&sample, 0, 9);
            mantissa = mantissa * 10 + digit;
            text[n++] = (char)('0' + digit);
        }
        text[n] = '\0';
        if (i % 3 == 0)
            snprintf(text + n, sizeof text - n, "e%d", exponent);
        int64_t value = 0, expected = 0;
        DecimalResult result = parse(text, decimals, has_group ? english : plain, &value);
        DecimalResult wanted = scale_slowly(is_negative ? -mantissa : mantissa,
                                            decimals + exponent - (n_digits - point), &expected);
        n_wrong += result != wanted || value != expected;
        n_by_result[wanted]++;
    }
    CU_ASSERT_EQUAL(n_wrong, 0);
    CU_ASSERT(n_by_result[DECIMAL_OK] > 50000 && n_by_result[DECIMAL_TOO_PRECISE] > 50000 &&
              n_by_result[DECIMAL_TOO_LARGE] > 5000);
}

static void test_formats(void)
{
    char text[DECIMAL_TEXT_SIZE];
    decimal_format(-1250, 2, text);
    CU_ASSERT_STRING_EQUAL(text, "-12.50");
    decimal_format(-5, 2, text);
    CU_ASSERT_STRING_EQUAL(text, "-0.05");
    decimal_format(7, 0, text);
    CU_ASSERT_STRING_EQUAL(text, "7");
    decimal_format(INT64_MIN, 18, text);
    CU_ASSERT_STRING_EQUAL(text, "-9.223372036854775808");
    count_format(0, text);
    CU_ASSERT_STRING_EQUAL(text, "0");
    count_format(999, text);
    CU_ASSERT_STRING_EQUAL(text, "999");
    count_format(-1234, text);
    CU_ASSERT_STRING_EQUAL(text, "-1,234");
    count_format(1234567, text);
    CU_ASSERT_STRING_EQUAL(text, "1,234,567");
    count_format_decimals(-123456789, 2, text);
    CU_ASSERT_STRING_EQUAL(text, "-1,234,567.89");
    count_format_decimals(12, 3, text);
    CU_ASSERT_STRING_EQUAL(text, "0.012");
    count_format(INT64_MIN, text);
    CU_ASSERT_STRING_EQUAL(text, "-9,223,372,036,854,775,808");
    Sample sample = {5};
    int64_t n_wrong = 0;
    for (int i = 0; i < 100000; i++) {
        int64_t value = (int64_t)sample_u64(&sample) >> sample_between(&sample, 0, 62), back = 0;
        int decimals = (int)sample_between(&sample, 0, 18);
        decimal_format(value, decimals, text);
        n_wrong += parse(text, decimals, plain, &back) != DECIMAL_OK || back != value;
        count_format(value, text);
        n_wrong += parse(text, 0, english, &back) != DECIMAL_OK || back != value;
    }
    CU_ASSERT_EQUAL(n_wrong, 0);
}

CU_TestInfo decimal_tests[] = {
    {"known", test_known},   {"groups", test_groups},   {"bounds", test_bounds},
    {"random", test_random}, {"formats", test_formats}, CU_TEST_INFO_NULL,
};
