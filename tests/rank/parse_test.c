/* Parse: what rows of small files become, and why they are rejected, at any number of ranks. */
#include "rank/parse_fixture.h"

#include <string.h>

#define HEADER "order_id,ordered_at,product_id,quantity,unit_price,customer_id\n"
#define REJECT_HEADER "vesper_file,vesper_line,vesper_field,vesper_reason,"

/* 2024-05-01 12:00 in London, which is 11:00 UTC. */
#define NOON "1714561200000000"

/* ---- what files look like ---- */

static void test_spellings(void)
{
    /* Quotes with line ends in them, CRLF, empty lines, spaces, a byte-order mark, no last LF. */
    static const char rows[] = "o1 " NOON " p1 2 350 c1 0 19844\n"
                               "o1 " NOON " p\n2 -1 1000 - 0 19844\n"
                               "o\"2 " NOON " p,3 3 0 c2 0 19844\n";
    ParseFixture fixture;
    parse_fixture_begin(&fixture, NULL);
    parse_fixture_write_text(&fixture, "plain.csv",
                             HEADER "o1,2024-05-01 12:00,p1,2,3.50,c1\n"
                                    "o1,2024-05-01 12:00,\"p\n2\",-1,10,\n"
                                    "\"o\"\"2\",2024-05-01 12:00,\"p,3\",3,0,c2\n");
    parse_fixture_write_text(&fixture, "other.csv",
                             "\xef\xbb\xbf\r\n\"order_id\", ordered_at,product_id,quantity,"
                             "unit_price,\"customer_id\"\r\n\r\n"
                             " o1 ,2024-05-01T12:00:00,p1,2.0, 3.5 ,c1\r\n\r\n\n"
                             "o1,\"2024-05-01 11:00:00Z\",\"p\n2\",-1,1e1,\"\"\r\n"
                             "\"o\"\"2\",2024-05-01 12:00,\"p,3\",+3,0.00,\"c2\"");
    parse_fixture_expect(&fixture, "orders", "plain.csv", rows, NULL, "3 3 0 0\n");
    parse_fixture_expect(&fixture, "orders", "other.csv", rows, NULL, "3 3 0 0\n");
    parse_fixture_end(&fixture);
}

static void test_no_rows(void)
{
    ParseFixture fixture;
    parse_fixture_begin(&fixture, NULL);
    parse_fixture_write_text(&fixture, "header.csv", HEADER);
    parse_fixture_write_text(&fixture, "unfinished.csv",
                             "order_id,ordered_at,product_id,quantity,unit_price\r");
    parse_fixture_write_text(&fixture, "blank.csv", "\n\r\n" HEADER "\r\n\n\n");
    parse_fixture_expect(&fixture, "orders", "header.csv", "", REJECT_HEADER HEADER, "0 0 0 0\n");
    parse_fixture_expect(&fixture, "orders", "unfinished.csv", "", NULL, "0 0 0 0\n");
    parse_fixture_expect(&fixture, "orders", "blank.csv", "", NULL, "0 0 0 0\n");
    parse_fixture_end(&fixture);
}

/* A shop with its own names and formats. */
static void test_mapping(void)
{
    ParseFixture fixture;
    parse_fixture_begin(&fixture, "[orders]\n"
                                  "delimiter = semicolon\n"
                                  "timestamp = %d.%m.%Y %H:%M\n"
                                  "decimal_point = ,\n"
                                  "thousands = .\n"
                                  "cancelled_prefix = C\n"
                                  "cancelled_status = void  Returned\n"
                                  "negative_price = allow\n"
                                  "zero_quantity = allow\n"
                                  "[orders.columns]\n"
                                  "order_id = Invoice No\n"
                                  "ordered_at = When\n"
                                  "country = Land\n"
                                  "channel = -\n");
    parse_fixture_write_text(
        &fixture, "shop.csv",
        "Invoice No;When;PRODUCT_ID;Quantity;unit_price;Unit_Price;discount;line_no;Land;status;"
        "channel;currency\n"
        "1;01.05.2024 12:00;a;1.000;1.234,50;x;;1;DE;ok;web;EUR\n"
        "C2;1.5.2024 12:00;b;0;-1;x;0,5;;;;web;\n"
        "3;01.05.2024 12:00;c;1;0;x;1;2;AT;VOID;web;EUR\n"
        "4;01.05.2024 12:00;c;1;0;x;-1;0;AT;returned;;CHF\n"
        "5;01.05.2024 12:00;c;1;0;x;1;2;AT;cancelled;web;EUR\n");
    parse_fixture_expect(&fixture, "orders", "shop.csv",
                         "1 " NOON " a 1000 123450 - 1 DE EUR 0 0 19844\n"
                         "C2 " NOON " b 0 -100 - -1 - - 50 1 19844\n"
                         "3 " NOON " c 1 0 - 2 AT EUR 100 1 19844\n"
                         "4 " NOON " c 1 0 - 0 AT CHF -100 1 19844\n"
                         "5 " NOON " c 1 0 - 2 AT EUR 100 0 19844\n",
                         NULL, "5 5 0 0\n");
    parse_fixture_end(&fixture);
}

static void test_other_tables(void)
{
    ParseFixture fixture;
    parse_fixture_begin(&fixture, NULL);
    parse_fixture_write_text(&fixture, "products.csv",
                             "product_id,name,category,brand,price,cost,stock,lead_time_days,"
                             "active,order_cost,pack_size,"
                             "on_order,least_order\n"
                             "p1,One thing,a/b,B,1.5,0.75,-4,7,no,12.5,6,30,24\n"
                             "p2,,,,,,,,,,,,\n"
                             "p3,\"Caf\xc3\xa9 \"\"x\"\"\",a,B,0,,12345678901,0,TRUE,,,,\n");
    parse_fixture_write_text(&fixture, "customers.csv",
                             "customer_id,joined_at,country,segment\n"
                             "c1,2024-02-29,CL,gold\nc2,,,\n");
    parse_fixture_write_text(&fixture, "events.csv",
                             "customer_id,at,kind,product_id,session_id\n"
                             "c1,2024-05-01 12:00,view,p1,s1\n"
                             "c1,2024-05-01 12:00,Cart_Add,p1,s1\n"
                             "c1,2024-05-01 12:00,cart_remove,,\n"
                             "c1,2024-05-01 12:00,checkout,,s2\n");
    parse_fixture_write_text(&fixture, "reviews.csv",
                             "product_id,rating,at\np1,4.5,2024-05-01 12:00\n"
                             "p1,5,2024-05-01 12:00\n");
    parse_fixture_expect(&fixture, "products", "products.csv",
                         "p1 'One thing' a/b B 150 75 -4 7 30 6 24 1250 0\n"
                         "p2 '' - - - - - -1 - -1 - - 1\n"
                         "p3 'Caf\xc3\xa9 \"x\"' a B 0 - 12345678901 0 - -1 - - 1\n",
                         NULL, "3 3 0 0\n");
    parse_fixture_expect(&fixture, "customers", "customers.csv", "c1 19782 CL gold\nc2 - - -\n",
                         NULL, "2 2 0 0\n");
    parse_fixture_expect(&fixture, "events", "events.csv",
                         "c1 " NOON " 0 p1 's1' 19844\nc1 " NOON " 1 p1 's1' 19844\n"
                         "c1 " NOON " 2 - '' 19844\nc1 " NOON " 3 - 's2' 19844\n",
                         NULL, "4 4 0 0\n");
    parse_fixture_expect(&fixture, "reviews", "reviews.csv",
                         "p1 450 " NOON " 19844\np1 500 " NOON " 19844\n", NULL, "2 2 0 0\n");
    parse_fixture_end(&fixture);
}

/* What is known of days, past and ahead. */
static void test_days(void)
{
    ParseFixture fixture;
    parse_fixture_begin(&fixture, NULL);
    parse_fixture_write_text(&fixture, "promotions.csv",
                             "product_id,from,to,depth\n"
                             "p1,2024-05-01,2024-05-01,0.25\n"
                             "p2,2024-05-02,2024-05-01,0.1\n"
                             "p2,2024-05-02,2024-05-03,25\n"
                             "p2,2024-05-02,2024-05-03,-0.1\n"
                             "p2,2024-05-02,2024-05-03,0.12345\n"
                             "p2,2024-05-02,,0.1\n"
                             "p2,1969-12-31,2024-05-03,1\n"
                             "p1,2024-05-01,2024-05-01,0\n");
    parse_fixture_write_text(&fixture, "stockouts.csv",
                             "to,product_id,from\n"
                             "2024-05-03,p1,2024-05-01\n"
                             ",p2,2024-05-01\n"
                             "2024-04-30,p2,2024-05-01\n"
                             "2024-05-01,p2,2024-05-01\n"
                             "2024-05-01,p2,\n"
                             "2024-05-01,,2024-05-01\n"
                             "soon,p2,2024-05-01\n");
    parse_fixture_write_text(&fixture, "open.csv", "product_id,from\np1,2024-05-01\n");
    parse_fixture_write_text(&fixture, "holidays.csv",
                             "name,day\nNew Year,2024-01-01\n,2024-01-02\nLeap,2024-02-30\n");
    parse_fixture_expect(&fixture, "promotions", "promotions.csv",
                         "p1 19844 19844 2500\np2 -1 19846 10000\np1 19844 19844 0\n",
                         REJECT_HEADER
                         "product_id,from,to,depth\n"
                         "promotions.csv,3,to,before the first day,p2,2024-05-02,2024-05-01,0.1\n"
                         "promotions.csv,4,depth,not from 0 to 1,p2,2024-05-02,2024-05-03,25\n"
                         "promotions.csv,5,depth,not from 0 to 1,p2,2024-05-02,2024-05-03,-0.1\n"
                         "promotions.csv,6,depth,more than 4 decimals,"
                         "p2,2024-05-02,2024-05-03,0.12345\n"
                         "promotions.csv,7,to,empty,p2,2024-05-02,,0.1\n",
                         "8 3 5 0\n");
    parse_fixture_expect(
        &fixture, "stockouts", "stockouts.csv", "p1 19844 19846\np2 19844 -\np2 19844 19844\n",
        REJECT_HEADER "to,product_id,from\n"
                      "stockouts.csv,4,to,before the first day,2024-04-30,p2,2024-05-01\n"
                      "stockouts.csv,6,from,empty,2024-05-01,p2,\n"
                      "stockouts.csv,7,product_id,empty,2024-05-01,,2024-05-01\n"
                      "stockouts.csv,8,to,not a date like YYYY-MM-DD,soon,p2,2024-05-01\n",
        "7 3 4 0\n");
    parse_fixture_expect(&fixture, "stockouts", "open.csv", "p1 19844 -\n", NULL, "1 1 0 0\n");
    parse_fixture_expect(&fixture, "holidays", "holidays.csv", "19723 - 'New Year'\n",
                         REJECT_HEADER
                         "name,day\n"
                         "holidays.csv,3,name,empty,,2024-01-02\n"
                         "holidays.csv,4,day,not a date like YYYY-MM-DD,Leap,2024-02-30\n",
                         "3 1 2 0\n");
    parse_fixture_end(&fixture);
}

/* ---- rejects ---- */

static const char spoiled[] = HEADER "o1,2024-05-01 12:00,p1,2,3.50,c1\n"         /* 2 */
                                     "o2,yesterday,p1,2,3.50,c1\n"                /* 3 */
                                     "o3,2024-02-30,p1,2,3.50,c1\n"               /* 4 */
                                     "o4,2024-05-01,p1,many,3.50,c1\n"            /* 5 */
                                     "o5,2024-05-01,p1,1.5,3.50,c1\n"             /* 6 */
                                     "o6,2024-05-01,p1,2147483648,3.50,c1\n"      /* 7 */
                                     "o7,2024-05-01,p1,2,3.505,c1\n"              /* 8 */
                                     "o8,2024-05-01,p1,2,-3.50,c1\n"              /* 9 */
                                     "o9,2024-05-01,p1,0,3.50,c1\n"               /* 10 */
                                     "o10,2024-05-01,p1,1000000,10000000.01,c1\n" /* 11 */
                                     " ,2024-05-01,p1,2,3.50,c1\n"                /* 12 */
                                     "o12,2024-05-01,\"p\n1\",2,,c1\n"            /* 13, 14 */
                                     "o13,2024-05-01,p1,2,3.50\r\n"               /* 15 */
                                     "o14,2024-05-01,p\"1\",2,3.50,c1\n"          /* 16 */
                                     "o15,2024-05-01,p\xff,2,3.50,c1\n"           /* 17 */
                                     "o16,2024-05-01 12:00,p1,2,3.50,";           /* 18 */

static void test_rejects(void)
{
    ParseFixture fixture;
    parse_fixture_begin(&fixture, NULL);
    parse_fixture_write_text(&fixture, "bad.csv", spoiled);
    parse_fixture_expect(
        &fixture, "orders", "bad.csv",
        "o1 " NOON " p1 2 350 c1 0 19844\no16 " NOON " p1 2 350 - 0 19844\n",
        REJECT_HEADER HEADER
        "bad.csv,3,ordered_at,not a date and time like YYYY-MM-DD HH:MM:SS,"
        "o2,yesterday,p1,2,3.50,c1\n"
        "bad.csv,4,ordered_at,not a date and time like YYYY-MM-DD HH:MM:SS,"
        "o3,2024-02-30,p1,2,3.50,c1\n"
        "bad.csv,5,quantity,not a number,o4,2024-05-01,p1,many,3.50,c1\n"
        "bad.csv,6,quantity,not a whole number,o5,2024-05-01,p1,1.5,3.50,c1\n"
        "bad.csv,7,quantity,too large for its column,o6,2024-05-01,p1,2147483648,3.50,c1\n"
        "bad.csv,8,unit_price,more than 2 decimals,o7,2024-05-01,p1,2,3.505,c1\n"
        "bad.csv,9,unit_price,negative price,o8,2024-05-01,p1,2,-3.50,c1\n"
        "bad.csv,10,quantity,quantity is zero,o9,2024-05-01,p1,0,3.50,c1\n"
        "bad.csv,11,unit_price,quantity times price is too large for its column,"
        "o10,2024-05-01,p1,1000000,10000000.01,c1\n"
        "bad.csv,12,order_id,empty, ,2024-05-01,p1,2,3.50,c1\n"
        "bad.csv,13,unit_price,empty,o12,2024-05-01,\"p\n1\",2,,c1\n"
        "bad.csv,15,,\"5 fields, header has 6\",o13,2024-05-01,p1,2,3.50\n"
        "bad.csv,16,,broken quotes,o14,2024-05-01,p\"1\",2,3.50,c1\n"
        "bad.csv,17,product_id,not valid UTF-8 text,o15,2024-05-01,p\xff,2,3.50,c1\n",
        "16 2 14 0\n");
    /* Rejected rows leave nothing in the dictionaries. */
    CU_ASSERT_EQUAL(string_map_find(&fixture.batch.maps[DICTIONARY_ORDER], bytes_of("o9")), -1);
    parse_fixture_end(&fixture);
}

/* More bytes of ids than wait together for their codes. */
static void test_long_ids(void)
{
    ParseFixture fixture;
    Buffer csv = {0}, rows = {0};
    parse_fixture_begin(&fixture, NULL);
    buffer_append_string(&csv, HEADER);
    for (int i = 0; i < 200; i++) {
        buffer_printf(&csv, "o%d,2024-05-01 12:00,%01000d,1,1,\n", i, i % 150 * 7);
        buffer_printf(&rows, "o%d " NOON " %01000d 1 100 - 0 19844\n", i, i % 150 * 7);
    }
    parse_fixture_write(&fixture, "long.csv", buffer_view(&csv));
    parse_fixture_expect(&fixture, "orders", "long.csv", buffer_string(&rows), NULL, NULL);
    buffer_free(&csv);
    buffer_free(&rows);
    parse_fixture_end(&fixture);
}

static void test_long_id_and_nul(void)
{
    ParseFixture fixture;
    Buffer text = {0};
    parse_fixture_begin(&fixture, NULL);
    buffer_append_string(&text, HEADER "o1,2024-05-01 12:00,");
    for (int i = 0; i < 1024; i++)
        buffer_append_string(&text, "x");
    buffer_append_string(&text, ",1,1,\no2,2024-05-01 12:00,y");
    for (int i = 0; i < 1024; i++)
        buffer_append_string(&text, "x");
    buffer_append_string(&text, ",1,1,\no3,2024-05-01 12:00,p");
    buffer_append(&text, "\0", 1);
    buffer_append_string(&text, ",1,1,\n");
    parse_fixture_write(&fixture, "long.csv", buffer_view(&text));
    parse_fixture_expect(&fixture, "orders", "long.csv", NULL, NULL, "3 1 2 0\n");
    buffer_free(&text);
    parse_fixture_end(&fixture);
}

/* A reject file is itself an input: its own columns go, and what is still wrong is told anew. */
static void test_mended(void)
{
    ParseFixture fixture;
    parse_fixture_begin(&fixture, NULL);
    parse_fixture_write_text(
        &fixture, "mended.csv",
        REJECT_HEADER HEADER
        "bad.csv,3,ordered_at,\"not, a date\",o2,2024-05-01 12:00,p1,2,3.50,c1\n"
        "bad.csv,5,quantity,not a number,o4,2024-05-01,p1,much,3.50,\"c,1\"\n"
        "bad.csv,15,,\"5 fields, header has 6\",o13,2024-05-01,p1,2,3.50\n"
        "short\n");
    parse_fixture_expect(&fixture, "orders", "mended.csv", "o2 " NOON " p1 2 350 c1 0 19844\n",
                         REJECT_HEADER HEADER
                         "mended.csv,3,quantity,not a number,o4,2024-05-01,p1,much,3.50,\"c,1\"\n"
                         "mended.csv,4,,\"9 fields, header has 10\",o13,2024-05-01,p1,2,3.50\n"
                         "mended.csv,5,,\"1 fields, header has 10\",short\n",
                         "4 1 3 0\n");
    CU_ASSERT_TRUE(fixture.batch.tables[0].mended);
    parse_fixture_end(&fixture);
}

/* Reasons found later take their place among the others. */
static void test_late_rejects(void)
{
    ParseFixture fixture;
    Buffer text = {0};
    parse_fixture_begin(&fixture, NULL);
    parse_fixture_write_text(&fixture, "late.csv",
                             HEADER "o1,2024-05-01 12:00,p1,1,1,c1\n"
                                    "o2,2024-05-01 12:00,\"p\n1\",2,1,c1\n"
                                    "o3,bad,p1,2,3.50,c1\n"
                                    "o4,2024-05-01 12:00,p1,4,1,c1\r\n"
                                    "o5,2024-05-01 12:00,p1,5,1,c1\n"
                                    "o6,2024-05-01 12:00,p1,4,1,c1");
    CU_ASSERT_EQUAL(parse_fixture_parse(&fixture, "orders", "late.csv"), STATUS_OK);
    ParsedTable *table = &fixture.batch.tables[0];
    const Column *quantity = table_column_const(&table->rows, "quantity");
    int64_t positions[8];
    int64_t n = 0, before = table->rows_rejected;
    for (int64_t row = 0; row < table->rows.rows; row++) {
        if (((const int32_t *)quantity->data)[row] % 2 == 0)
            positions[n++] = row;
    }
    Status status = parse_reject_late(&fixture.batch, 0, positions, n, "customer_id", "odd, no",
                                      &fixture.error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    CU_ASSERT_EQUAL(table->rows_rejected, before + n);
    parse_fixture_rows(&fixture, &text);
    CU_ASSERT_STRING_EQUAL(buffer_string(&text), "o1 " NOON " p1 1 100 c1 0 19844\n"
                                                 "o5 " NOON " p1 5 100 c1 0 19844\n");
    buffer_clear(&text);
    parse_fixture_rejects(&fixture, &text);
    CU_ASSERT_STRING_EQUAL(
        buffer_string(&text), REJECT_HEADER HEADER
        "late.csv,3,customer_id,\"odd, no\",o2,2024-05-01 12:00,\"p\n1\",2,1,c1\n"
        "late.csv,5,ordered_at,not a date and time like YYYY-MM-DD HH:MM:SS,o3,bad,p1,2,3.50,c1\n"
        "late.csv,6,customer_id,\"odd, no\",o4,2024-05-01 12:00,p1,4,1,c1\n"
        "late.csv,8,customer_id,\"odd, no\",o6,2024-05-01 12:00,p1,4,1,c1\n");
    buffer_clear(&text);
    if (table->rejects.size > 0)
        parse_describe_reject(table, &text);
    CU_ASSERT_TRUE(table->rejects.size == 0 || strstr(buffer_string(&text), "late.csv:") != NULL);
    buffer_free(&text);
    parse_fixture_end(&fixture);
}

CU_TestInfo parse_tests[] = {
    {"spellings", test_spellings},
    {"no rows", test_no_rows},
    {"mapping", test_mapping},
    {"other tables", test_other_tables},
    {"days", test_days},
    {"rejects", test_rejects},
    {"long ids", test_long_ids},
    {"too long id and NUL", test_long_id_and_nul},
    {"mended", test_mended},
    {"late rejects", test_late_rejects},
    CU_TEST_INFO_NULL,
};
