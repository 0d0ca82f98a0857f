/* What is asked of a database, as SQL. Local: the same on every rank. */
#include "ingest/source_query.h"
#include "rank/suites.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A query of hostile names: orders by "o;""1", with watermark and range key. */
static void make(SourceQuery *query, QueryDialect dialect, InputSettings *settings, ValueKind kind)
{
    *settings = (InputSettings){.delimiter = ',', .watermark = "w'", .range_key = "k"};
    query_init(query, dialect, INPUT_ORDERS, settings);
    query_add_column(query, "o;\"1", VALUE_OTHER);
    query_add_column(query, "w'", kind);
    query_add_column(query, "k", VALUE_INTEGER);
    query_add_column(query, "paid", VALUE_BOOL);
    query->order_id = 0;
    query->watermark = 1;
    query->range_key = 2;
    for (int i = 0; i < query->n_columns; i++)
        query->columns[i].is_wanted = i != 2;
}

static void expect(const SourceQuery *query, void (*append)(const SourceQuery *, Buffer *),
                   const char *expected)
{
    Buffer sql = {0};
    append(query, &sql);
    CU_ASSERT_STRING_EQUAL(buffer_string(&sql), expected);
    if (strcmp(buffer_string(&sql), expected) != 0)
        (void)fprintf(stderr, "  %s\n  instead of\n  %s\n", buffer_string(&sql), expected);
    buffer_free(&sql);
}

static void test_from(void)
{
    SourceQuery query;
    InputSettings settings;
    make(&query, QUERY_POSTGRES, &settings, VALUE_INSTANT);
    expect(&query, query_append_all, "SELECT * FROM \"orders\" AS q");
    settings.source_table = "the shop.order \"lines\"";
    expect(&query, query_append_all, "SELECT * FROM \"the shop\".\"order \"\"lines\"\"\" AS q");
    settings.source_table = NULL;
    settings.query = " SELECT 1 -- all; ; ";
    expect(&query, query_append_all, "SELECT * FROM (\nSELECT 1 -- all\n) AS q");
    expect(&query, query_append_header, "\"o;\"\"1\",w',paid");
    query_free(&query);
}

static void test_rows(void)
{
    SourceQuery query;
    InputSettings settings;
    make(&query, QUERY_POSTGRES, &settings, VALUE_INSTANT);
    expect(&query, query_append_rows,
           "SELECT r.\"o;\"\"1\", r.\"w'\", r.\"paid\"::text FROM \"orders\" AS r");
    expect(&query, query_append_order,
           " ORDER BY r.\"k\" NULLS LAST, CAST(ROW(r.\"o;\"\"1\", r.\"w'\", r.\"paid\"::text) AS "
           "text) COLLATE \"C\"");
    query.is_key_unique = true;
    expect(&query, query_append_order, " ORDER BY r.\"k\" NULLS LAST");
    query_free(&query);
    make(&query, QUERY_SQLITE, &settings, VALUE_OTHER);
    expect(&query, query_append_order,
           " ORDER BY r.\"k\" NULLS LAST, CAST(r.\"o;\"\"1\" AS BLOB), CAST(r.\"w'\" AS BLOB), "
           "CAST(r.\"paid\" AS BLOB)");
    query_free(&query);
}

/* Whole orders, and rows of no order. */
static void test_window(void)
{
    SourceQuery query;
    InputSettings settings;
    make(&query, QUERY_POSTGRES, &settings, VALUE_DAY);
    for (int i = 1; i < query.n_columns; i++)
        query.columns[i].is_wanted = false;
    buffer_append_string(&query.after, "it's 5");
    buffer_append_string(&query.until, "2024-05-01");
    const char *window = "\"w'\" > 'it''s 5'";
    Buffer expected = {0};
    buffer_printf(&expected,
                  "SELECT coalesce(CAST(r.\"o;\"\"1\" AS text), '') FROM (SELECT * FROM \"orders\" "
                  "AS q WHERE q.\"o;\"\"1\" IN (SELECT w.\"o;\"\"1\" FROM \"orders\" AS w WHERE "
                  "w.%s AND w.\"w'\" < '2024-05-01') UNION ALL SELECT * FROM \"orders\" AS q WHERE "
                  "q.\"o;\"\"1\" IS NULL AND q.%s AND q.\"w'\" < '2024-05-01') AS r",
                  window, window);
    expect(&query, query_append_rows, buffer_string(&expected));
    buffer_free(&expected);
    query_free(&query);
}

/* What was kept as SQLite's literal goes back as one; anything else can be no more than a text. */
static void test_literals(void)
{
    static const char *const literals[][2] = {{"5", "5"},
                                              {"-1.5e+09", "-1.5e+09"},
                                              {"'a''b'", "'a''b'"},
                                              {"''", "''"},
                                              {"5 OR 1=1", "'5 OR 1=1'"},
                                              {"'a' OR 'b'", "'''a'' OR ''b'''"},
                                              {"'", "''''"},
                                              {"'a''", "'''a'''''"},
                                              {"inf", "'inf'"},
                                              {"x'00'", "'x''00'''"}};
    for (size_t i = 0; i < sizeof literals / sizeof literals[0]; i++) {
        SourceQuery query;
        InputSettings settings;
        Buffer expected = {0};
        make(&query, QUERY_SQLITE, &settings, VALUE_OTHER);
        query.order_id = -1;
        query.columns[0].is_wanted = query.columns[3].is_wanted = false;
        buffer_append_string(&query.after, literals[i][0]);
        buffer_printf(&expected,
                      "SELECT r.\"w'\" FROM (SELECT * FROM \"orders\" AS q WHERE q.\"w'\" > %s) AS "
                      "r",
                      literals[i][1]);
        expect(&query, query_append_rows, buffer_string(&expected));
        buffer_free(&expected);
        query_free(&query);
    }
}

/* The bounds that the shares name, in their order; each upper one must be the next one's lower. */
static void check_shares(int64_t low, int64_t high, int size)
{
    int64_t last = low;
    for (int rank = 0; rank < size; rank++) {
        Buffer sql = {0};
        query_append_share("k", low, high, rank, size, &sql);
        const char *from = strstr(buffer_string(&sql), ">= ");
        const char *to = strstr(buffer_string(&sql), "< ");
        bool has_nulls = strstr(buffer_string(&sql), "IS NULL") != NULL;
        CU_ASSERT((from != NULL) == (rank > 0));
        CU_ASSERT((to != NULL) == (rank + 1 < size));
        CU_ASSERT(has_nulls == (size > 1 && rank + 1 == size));
        if (from != NULL)
            CU_ASSERT_EQUAL(strtoll(from + 3, NULL, 10), last);
        if (to != NULL) {
            int64_t bound = strtoll(to + 2, NULL, 10);
            CU_ASSERT(bound >= last && bound <= high);
            last = bound;
        }
        buffer_free(&sql);
    }
}

static void test_shares(void)
{
    static const int64_t ranges[][2] = {
        {1, 1000},     {5, 5}, {-3, 3}, {INT64_MIN, INT64_MAX}, {INT64_MAX - 1, INT64_MAX},
        {0, INT64_MAX}};
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        for (int size = 1; size < 9; size++)
            check_shares(ranges[i][0], ranges[i][1], size);
}

CU_TestInfo source_query_tests[] = {
    {"where rows come from", test_from}, {"rows and their order", test_rows},
    {"rows that are new", test_window},  {"watermarks of SQLite", test_literals},
    {"shares of a range", test_shares},  CU_TEST_INFO_NULL,
};
