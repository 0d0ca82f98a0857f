/* Conditions that are none: each is refused with one line that says where and what is possible. */
#include "sales/where.h"

#include "base/bytes.h"
#include "rank/suites.h"

#include <stdio.h>
#include <string.h>

static void check_refusal(const char *text, const char *message)
{
    char whole[ERROR_MESSAGE_SIZE];
    Error error = {0};
    Where *where = NULL;
    snprintf(whole, sizeof whole, "[aggregate.x] where: %s", message);
    CU_ASSERT_EQUAL(where_parse(text, "[aggregate.x] where", &where, &error), STATUS_USAGE);
    CU_ASSERT_PTR_NULL(where);
    if (strncmp(error.message, whole, strlen(whole)) != 0)
        fprintf(stderr, "%.200s: %s: ", text, error.message);
    CU_ASSERT_EQUAL(strncmp(error.message, whole, strlen(whole)), 0);
    where_free(&where);
}

typedef struct Refusal {
    const char *text, *message;
} Refusal;

static void check_refusals(const Refusal *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check_refusal(cases[i].text, cases[i].message);
}

/* Fields, operators and the values that a field takes. */
static void test_comparisons(void)
{
    static const Refusal cases[] = {
        {"", "at character 1, where it ends: expected a field, 'not' or '('"},
        {"contry = x",
         "at character 1: there is no field 'contry'; did you mean country? "
         "possible: day, week, month, quarter, year, weekday, hour, new_or_returning, "
         "cancelled, quantity, unit_price, discount, product, category, brand, "
         "country, channel, segment, currency, category_1"},
        {"category_9 = x",
         "at character 1: there is no field 'category_9'; did you mean category_1"},
        {"category_0 = x", "at character 1: there is no field 'category_0'"},
        {"category_ = x", "at character 1: there is no field 'category_'"},
        {"day", "at character 4, where it ends: expected =, !=, <, <=, >, >=, in or not in"},
        {"country like 'x'",
         "at character 9, near 'like': expected =, !=, <, <=, >, >=, in or not"},
        {"country not = x",
         "at character 13, near '=': expected =, !=, <, <=, >, >=, in or not in"},
        {"day = 2024-02-30", "at character 7, near '2024-02-30': expected a day, as in 2024-05-01, "
                             "for day"},
        {"day = 2023-02-29", "at character 7, near '2023-02-29': expected a day"},
        {"day = '2024- 5-01'", "at character 7, near '2024- 5-01': expected a day"},
        {"day = 24-05-01", "at character 7, near '24-05-01': expected a day"},
        {"day = 01.05.2024", "at character 7, near '01.05.2024': expected a day"},
        {"day = 0000-01-01", "at character 7, near '0000-01-01': expected a day"},
        {"week = 2024-05-01",
         "at character 8, near '2024-05-01': expected the Monday of a week, as "
         "in 2024-04-29, for week"},
        {"month = 2024-13", "at character 9, near '2024-13': expected a month, as in 2024-05"},
        {"month = 2024-00", "at character 9, near '2024-00': expected a month"},
        {"month = 2024-+5", "at character 9, near '2024-+5': expected a month"},
        {"month = 2024-5", "at character 9, near '2024-5': expected a month"},
        {"quarter = 2024-Q5", "at character 11, near '2024-Q5': expected a quarter, as in 2024-Q2"},
        {"quarter = 2024-2", "at character 11, near '2024-2': expected a quarter"},
        {"year = 0", "at character 8, near '0': expected a year, as in 2024"},
        {"weekday = 8", "at character 11, near '8': expected monday to sunday, or 1 (Monday) to 7"},
        {"weekday = mon", "at character 11, near 'mon': expected monday to sunday"},
        {"hour = 24", "at character 8, near '24': expected an hour, 0 to 23, for hour"},
        {"hour >= -1", "at character 9, near '-1': expected an hour"},
        {"quantity = 1.5", "at character 12, near '1.5': expected a whole number, for quantity"},
        {"quantity > 2147483648", "at character 12, near '2147483648': expected a whole number"},
        {"unit_price = cheap", "at character 14, near 'cheap': expected an amount, as in 12.50"},
        {"unit_price = 1,50", "at character 15, near ',': expected 'and', 'or' or the end"},
        {"discount = ''", "at character 12, near '': expected an amount"},
        {"cancelled = true", "at character 13, near 'true': expected yes or no, for cancelled"},
        {"cancelled > no",
         "at character 11, near '>': expected =, !=, in or not in: the values have "
         "no order"},
        {"new_or_returning <= new", "at character 18, near '<=': expected =, !=, in or not in"},
        {"new_or_returning = old",
         "at character 20, near 'old': expected new, returning, or '' for "
         "anonymous"},
    };
    check_refusals(cases, sizeof cases / sizeof *cases);
}

/* Quotes, lists, parentheses, and words where none may stand. */
static void test_structure(void)
{
    static const Refusal cases[] = {
        {"country = United Kingdom", "at character 18, near 'Kingdom': expected 'and', 'or' or the "
                                     "end (several words are one value in quotes)"},
        {"(country = United Kingdom)",
         "at character 19, near 'Kingdom': expected 'and', 'or' or ')'"},
        {"country = and", "at character 11, near 'and': expected a country in single quotes, for "
                          "country"},
        {"country = \"x\"", "at character 11, near '\"': expected a country in single quotes"},
        {"country = 'x", "the quote at character 11 is never closed"},
        {"country = 'x''", "the quote at character 11 is never closed"},
        {"country in 'x'", "at character 12, near 'x': expected '(' and the values"},
        {"country in ()", "at character 13, near ')': expected a country"},
        {"country in (x,)", "at character 15, near ')': expected a country"},
        {"country in (x y)", "at character 15, near 'y': expected ',' or ')'"},
        {"country in (x", "at character 14, where it ends: expected ',' or ')'"},
        {"(day = 2024-05-01", "at character 18, where it ends: expected 'and', 'or' or ')'"},
        {"day = 2024-05-01)", "at character 17, near ')': expected 'and', 'or' or the end"},
        {"day = 2024-05-01 and", "at character 21, where it ends: expected a field, 'not' or '('"},
        {"or day = 2024-05-01", "at character 1: there is no field 'or'"},
        {"= 3", "at character 1, near '=': expected a field, 'not' or '('"},
        {"day == 2024-05-01", "at character 6, near '=': expected a day"},
        {"day <> 2024-05-01", "at character 6, near '>': expected a day"},
        {"day ! 2024-05-01", "at character 5, near '!': expected =, !="},
        {"brand = '\xc3\xa9\xc3\xa9' x", "at character 14, near 'x': expected 'and', 'or'"},
        {"not", "at character 4, where it ends: expected a field"},
    };
    check_refusals(cases, sizeof cases / sizeof *cases);
}

static void test_bounds(void)
{
    Error error;
    Where *where = NULL;
    Buffer text = {0};
    for (int depth = 63; depth <= 64; depth++) { /* and the comparison itself */
        buffer_clear(&text);
        for (int i = 0; i < depth; i++)
            buffer_append_string(&text, i % 2 ? "not " : "(");
        buffer_append_string(&text, "hour = 1");
        for (int i = 0; i < depth; i += 2)
            buffer_append_string(&text, ")");
        if (depth == 63)
            CU_ASSERT_EQUAL(where_parse(buffer_string(&text), "where", &where, &error), STATUS_OK);
        where_free(&where);
    }
    check_refusal(buffer_string(&text), "at character 161: it is nested more than 64 deep");
    buffer_clear(&text);
    for (int i = 0; i < 100000; i++)
        buffer_append_string(&text, "(");
    check_refusal(buffer_string(&text), "at character 65: it is nested more than 64 deep");

    buffer_clear(&text);
    buffer_append_string(&text, "brand = '");
    for (int i = 0; i < 1024; i++)
        buffer_append_string(&text, "x");
    buffer_append_string(&text, "' or brand = ");
    CU_ASSERT_EQUAL(where_parse(buffer_string(&text), "where", &where, &error), STATUS_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "at character 1047, where it ends"));
    for (int i = 0; i < 1025; i++)
        buffer_append_string(&text, "y");
    check_refusal(buffer_string(&text), "at character 1047: a value has more than 1024 bytes");

    buffer_clear(&text); /* a long word is cut in the message, between characters */
    buffer_append_string(&text, "x");
    for (int i = 0; i < 40; i++)
        buffer_append_string(&text, "\xc3\xa9");
    CU_ASSERT_EQUAL(where_parse(buffer_string(&text), "where", &where, &error), STATUS_USAGE);
    CU_ASSERT(bytes_are_utf8(bytes_of(error.message)));

    buffer_clear(&text); /* many values and many terms need no depth */
    buffer_append_string(&text, "product in (a");
    for (int i = 0; i < 3000; i++)
        buffer_printf(&text, ",p%d", i);
    buffer_append_string(&text, ")");
    for (int i = 0; i < 3000; i++)
        buffer_printf(&text, " %s hour = %d", i % 2 ? "or" : "and", i % 24);
    CU_ASSERT_EQUAL(where_parse(buffer_string(&text), "where", &where, &error), STATUS_OK);
    where_free(&where);
    buffer_free(&text);
}

CU_TestInfo where_refusals_tests[] = {
    {"comparisons", test_comparisons},
    {"structure", test_structure},
    {"bounds", test_bounds},
    CU_TEST_INFO_NULL,
};
