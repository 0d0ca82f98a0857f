/* Inputs that are refused: the same status on every rank, and a message that names the place and
 * what is possible. */
#include "rank/parse_fixture.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

#define HEADER "order_id,ordered_at,product_id,quantity,unit_price,customer_id\n"
#define ROW "o1,2024-05-01,p1,2,3.50,c1\n"

#define FAILS(fixture, table, name, status, ...)                                                   \
    parse_fixture_expect_failure(fixture, table, name, status,                                     \
                                 (const char *const[]){__VA_ARGS__, NULL})

static void test_files(void)
{
    ParseFixture fixture;
    parse_fixture_begin(&fixture, NULL);
    FAILS(&fixture, "orders", "missing.csv", STATUS_INPUT, "missing.csv", "No such file");
    parse_fixture_write_text(&fixture, "empty.csv", "");
    FAILS(&fixture, "orders", "empty.csv", STATUS_INPUT, "empty.csv is empty");
    parse_fixture_write_text(&fixture, "blank.csv", "\n\r\n");
    FAILS(&fixture, "orders", "blank.csv", STATUS_INPUT, "blank.csv has no header");
    parse_fixture_write_text(&fixture, "mark.csv", "\xef\xbb\xbf");
    FAILS(&fixture, "orders", "mark.csv", STATUS_INPUT, "mark.csv has no header");
    parse_fixture_write_text(&fixture, "folder/notes.txt", "x");
    FAILS(&fixture, "orders", "folder", STATUS_INPUT, "folder", "no file ending in .csv");
    parse_fixture_write_text(&fixture, "two/a.csv", HEADER ROW);
    parse_fixture_write_text(&fixture, "two/b.csv", "product_id,order_id\n");
    FAILS(&fixture, "orders", "two", STATUS_INPUT, "two/a.csv", "two/b.csv", "different headers");
    parse_fixture_write_text(&fixture, "three/a.csv", HEADER ROW);
    parse_fixture_write_text(&fixture, "three/b.csv", "");
    parse_fixture_write_text(&fixture, "three/c.csv", HEADER);
    FAILS(&fixture, "orders", "three", STATUS_INPUT, "three/b.csv is empty");
    parse_fixture_end(&fixture);
}

static void test_headers(void)
{
    ParseFixture fixture;
    parse_fixture_begin(&fixture, NULL);
    parse_fixture_write_text(&fixture, "rows.csv", ROW ROW);
    FAILS(&fixture, "orders", "rows.csv", STATUS_INPUT, "rows.csv:1", "\"order_id\"",
          "[orders.columns]", "\"2024-05-01\"");
    parse_fixture_write_text(&fixture, "twice.csv", "order_id,product_id,order_id\n");
    FAILS(&fixture, "orders", "twice.csv", STATUS_INPUT, "twice.csv:1", "more than one",
          "\"order_id\"");
    parse_fixture_write_text(&fixture, "latin.csv", "order_id,gr\xf6\xdf\x65\n");
    FAILS(&fixture, "orders", "latin.csv", STATUS_INPUT, "latin.csv:1", "not UTF-8");
    parse_fixture_write_text(&fixture, "quotes.csv", "\norder_id,a\"b\n");
    FAILS(&fixture, "orders", "quotes.csv", STATUS_INPUT, "quotes.csv:2", "misplaced quotes");
    parse_fixture_write_text(&fixture, "open.csv", "order_id,\"ab\nc\n");
    FAILS(&fixture, "orders", "open.csv", STATUS_INPUT, "open.csv:1", "never closed");
    parse_fixture_end(&fixture);
}

static void test_quotes(void)
{
    ParseFixture fixture;
    parse_fixture_begin(&fixture, NULL);
    parse_fixture_write_text(&fixture, "open.csv",
                             HEADER ROW "\n" ROW "o2,2024-05-01,\"p2,1,1,c1\n" ROW ROW ROW ROW ROW);
    FAILS(&fixture, "orders", "open.csv", STATUS_INPUT, "open.csv:5:", "never closed");
    parse_fixture_write_text(&fixture, "last.csv", HEADER ROW "o2,2024-05-01,p2,1,1,\"");
    FAILS(&fixture, "orders", "last.csv", STATUS_INPUT, "last.csv:3:", "never closed");
    parse_fixture_end(&fixture);
}

/* A quote never closed, and lines never ended, far from the end of a large file. */
static void test_long_records(void)
{
    ParseFixture fixture;
    Buffer text = {0};
    parse_fixture_begin(&fixture, NULL);
    buffer_append_string(&text, HEADER ROW "o2,2024-05-01,\"p2,1,1,c1\n");
    while (text.size < 9000000)
        buffer_append_string(&text, ROW);
    parse_fixture_write(&fixture, "open.csv", buffer_view(&text));
    FAILS(&fixture, "orders", "open.csv", STATUS_INPUT, "open.csv:3:", "never closed");
    for (int64_t i = (int64_t)strlen(HEADER ROW); i < text.size; i++)
        text.data[i] = 'x';
    parse_fixture_write(&fixture, "endless.csv", buffer_view(&text));
    FAILS(&fixture, "orders", "endless.csv", STATUS_INPUT, "endless.csv:3:", "4 MiB");
    buffer_free(&text);
    parse_fixture_end(&fixture);
}

static void test_request(void)
{
    ParseFixture fixture;
    parse_fixture_begin(&fixture, NULL);
    FAILS(&fixture, "shoes", "a.csv", STATUS_USAGE, "shoes", "orders, products");
    Status status = parse_input(rank_comm(), fixture.store, fixture.config, "orders.csv",
                                &fixture.batch, &fixture.error);
    CU_ASSERT_EQUAL(status, STATUS_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(fixture.error.message, "TABLE=PATH"));
    parse_fixture_end(&fixture);
}

/* Each ini with what its refusal names. */
static void test_settings(void)
{
    static const struct {
        const char *ini;
        Status status;
        const char *words[4];
    } cases[] = {
        {"[orders]\ndelimeter = tab\n", STATUS_USAGE, {"[orders]", "\"delimeter\"", "delimiter, "}},
        {"[orders]\ndelimiter = x\n", STATUS_USAGE, {"shop.ini", "delimiter", "semicolon"}},
        {"[orders]\ndecimal_point = x\n", STATUS_USAGE, {"decimal_point"}},
        {"[orders]\ndecimal_point = ,\nthousands = ,\n", STATUS_USAGE, {"decimal_point", "both"}},
        {"[orders]\nthousands = xx\n", STATUS_USAGE, {"thousands", "none"}},
        {"[orders]\ntimestamp = %Q\n", STATUS_USAGE, {"timestamp", "%d/%m/%Y"}},
        {"[orders]\nnegative_price = maybe\n", STATUS_USAGE, {"negative_price", "allow"}},
        {"[orders]\nzero_quantity = 1\n", STATUS_USAGE, {"zero_quantity", "reject"}},
        {"[orders.columns]\nnumber = x\n", STATUS_USAGE, {"number", "order_id, ordered_at"}},
        {"[orders.columns]\norder_id = -\n", STATUS_USAGE, {"order_id", "required"}},
        {"[orders.columns]\ncountry = Land\n", STATUS_INPUT, {"a.csv", "\"Land\"", "customer_id"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ParseFixture fixture;
        parse_fixture_begin(&fixture, cases[i].ini);
        parse_fixture_write_text(&fixture, "a.csv", HEADER ROW);
        parse_fixture_expect_failure(&fixture, "orders", "a.csv", cases[i].status, cases[i].words);
        parse_fixture_end(&fixture);
    }
    ParseFixture fixture;
    parse_fixture_begin(&fixture, "[events]\ncancelled_prefix = C\n");
    parse_fixture_write_text(&fixture, "a.csv", "customer_id,at,kind\n");
    FAILS(&fixture, "events", "a.csv", STATUS_USAGE, "[events]", "cancelled_prefix");
    parse_fixture_end(&fixture);
}

/* More names than a column of int16 codes holds. */
static void test_too_many_codes(void)
{
    ParseFixture fixture;
    Buffer text = {0};
    parse_fixture_begin(&fixture, NULL);
    buffer_append_string(&text, "customer_id,country\n");
    for (int i = 0; i < 32768 * comm_size(rank_comm()) + 1; i++)
        buffer_printf(&text, "c,country%d\n", i);
    parse_fixture_write(&fixture, "a.csv", buffer_view(&text));
    FAILS(&fixture, "customers", "a.csv", STATUS_INPUT, "country", "32767");
    buffer_free(&text);
    parse_fixture_end(&fixture);
}

CU_TestInfo input_tests[] = {
    {"files", test_files},
    {"headers", test_headers},
    {"quotes", test_quotes},
    {"long records", test_long_records},
    {"request", test_request},
    {"settings", test_settings},
    {"too many codes", test_too_many_codes},
    CU_TEST_INFO_NULL,
};
