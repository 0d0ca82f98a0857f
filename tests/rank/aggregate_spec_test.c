/* Group-bys of the ini (aggregate_spec.h): what they mean, and which words refuse a wrong one.
 * Local: no communication. */
#include "sales/aggregate_spec.h"

#include "base/memory.h"
#include "rank/suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The specs of an ini with this text. */
static Status parse(const char *text, AggregateSpec **specs, int *n, Error *error)
{
    static const Option options[] = {
        {"config", 'c', NULL, NULL, OPTION_TEXT, "FILE", NULL, 0, 0, "the ini"}};
    static const char *const free_sections[] = {"aggregate.*", "orders", NULL};
    char path[] = "/tmp/vesper_aggregate_XXXXXX";
    char name[] = "vesper", flag[] = "-c";
    char *argv[] = {name, flag, path, NULL};
    Config *config = NULL;
    Status status = STATUS_OK;
    *specs = NULL;
    *n = 0;
    int file = mkstemp(path);
    bool is_written = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text);
    CU_ASSERT(is_written);
    TRY(config_parse(3, argv, options, 1, NULL, free_sections, &config, error));
    TRY(aggregate_specs_parse(config, specs, n, error));
out:
    config_free(&config);
    close(file);
    unlink(path);
    return status;
}

static const char *columns_of(const AggregateSpec *spec)
{
    static char shown[1024];
    char name[COLUMN_NAME_SIZE];
    shown[0] = '\0';
    for (int i = 0; i < spec->n_by; i++) {
        dimension_column(&spec->by[i], name);
        snprintf(shown + strlen(shown), sizeof shown - strlen(shown), "%s*,", name);
    }
    for (int i = 0; i < spec->n_measures; i++)
        snprintf(shown + strlen(shown), sizeof shown - strlen(shown), "%s,",
                 measure_column(spec->measures[i]));
    return shown;
}

static const char *order_of(const AggregateSpec *spec)
{
    static char shown[1024];
    shown[0] = '\0';
    for (int i = 0; i < spec->n_order; i++)
        snprintf(shown + strlen(shown), sizeof shown - strlen(shown), "%s%d%c ",
                 spec->order[i].is_measure ? "m" : "d", spec->order[i].index,
                 spec->order[i].descending ? '-' : '+');
    return shown;
}

static void test_whole(void)
{
    static const char text[] =
        "[aggregate.top_products]\n"
        "by = Country,  product\n"
        "measures = net, Orders ,customers\n"
        "where = channel = 'web' and \\ ; goes on\n"
        "        day >= 2024-01-01\n"
        "order = NET desc, product_id, country asc\n"
        "limit = 10 per country\n"
        "[orders]\nx = 1\n"
        "[aggregate.all]\n"
        "measures = gross, returned, net, discount, units, units_returned, orders, customers, \\\n"
        "  lines, average_order_value, items_per_order, margin, min_order_value, \\\n"
        "  median_order_value, p95_order_value, max_order_value, first_day, last_day\n"
        "[aggregate.days]\n"
        "measures = returns, aov, items_an_order\n"
        "by = day, week, month, quarter, year, weekday, hour, cohort\n"
        "limit = 3 per year,month , Day\n"
        "[aggregate.names]\n"
        "by = category, category_8, brand, channel, segment, currency, new_or_returning, "
        "product_id\n"
        "measures = net\nlimit = 9223372036854775807\n";
    AggregateSpec *specs = NULL;
    Error error = {0};
    int n = 0;
    CU_ASSERT_EQUAL(parse(text, &specs, &n, &error), STATUS_OK);
    CU_ASSERT_STRING_EQUAL(error.message, "");
    CU_ASSERT_EQUAL_FATAL(n, 4);
    CU_ASSERT_STRING_EQUAL(specs[0].name, "top_products");
    CU_ASSERT_STRING_EQUAL(columns_of(&specs[0]), "country*,product_id*,net,orders,customers,");
    CU_ASSERT_STRING_EQUAL(order_of(&specs[0]), "m0- d1+ d0+ ");
    CU_ASSERT_EQUAL(specs[0].limit, 10);
    CU_ASSERT_EQUAL(specs[0].n_per, 1);
    CU_ASSERT_EQUAL(specs[0].per[0], 0);
    CU_ASSERT_EQUAL(specs[0].where ? where_needs(specs[0].where) : 0, LINES_CHANNEL | LINES_DAY);
    CU_ASSERT_STRING_EQUAL(specs[1].name, "all");
    CU_ASSERT_STRING_EQUAL(
        columns_of(&specs[1]),
        "gross,returned,net,discount,units,units_returned,orders,customers,lines,"
        "average_order_value,items_per_order,margin,min_order_value,"
        "median_order_value,p95_order_value,max_order_value,first_day,last_day,");
    CU_ASSERT(!specs[1].where && specs[1].n_order == 0 && specs[1].limit == 0);
    CU_ASSERT_STRING_EQUAL(columns_of(&specs[2]),
                           "day*,week*,month*,quarter*,year*,weekday*,hour*,cohort*,returned,"
                           "average_order_value,items_per_order,");
    CU_ASSERT_EQUAL(specs[2].limit, 3);
    CU_ASSERT_EQUAL(specs[2].n_per, 3);
    CU_ASSERT(specs[2].per[0] == 4 && specs[2].per[1] == 2 && specs[2].per[2] == 0);
    CU_ASSERT_STRING_EQUAL(columns_of(&specs[3]),
                           "category*,category_8*,brand*,channel*,segment*,currency*,"
                           "new_or_returning*,product_id*,net,");
    CU_ASSERT_EQUAL(specs[3].limit, INT64_MAX);
    CU_ASSERT_EQUAL(specs[3].n_per, 0);
    aggregate_specs_free(&specs, n);
    aggregate_specs_free(&specs, 0);
}

static void test_none(void)
{
    AggregateSpec *specs = NULL;
    Error error;
    int n = 1;
    CU_ASSERT_EQUAL(parse("[orders]\nx = 1\n", &specs, &n, &error), STATUS_OK);
    CU_ASSERT_EQUAL(n, 0);
    aggregate_specs_free(&specs, n);
}

static void check_refusal(const char *ini, const char *message)
{
    AggregateSpec *specs = NULL;
    Error error = {0};
    int n = 0;
    CU_ASSERT_EQUAL(parse(ini, &specs, &n, &error), STATUS_USAGE);
    bool is_said = strcmp(error.message, message) == 0 ||
                   (message[strlen(message) - 1] == '~' &&
                    strncmp(error.message, message, strlen(message) - 1) == 0);
    if (!is_said)
        fprintf(stderr, "%s: %s: ", ini, error.message);
    CU_ASSERT(is_said);
    aggregate_specs_free(&specs, n);
}

/* A ~ at the end stands for any more. */
static void test_refusals(void)
{
    static const struct {
        const char *lines, *message; /* of [aggregate.x] */
    } cases[] = {
        {"by = day", "[aggregate.x] has no measures: say what is to be told of each group, as in "
                     "measures = net, orders"},
        {"measure = net", "[aggregate.x]: there is no key 'measure'; did you mean measures? "
                          "possible: by, measures, where, order, limit"},
        {"by = contry\nmeasures = net",
         "[aggregate.x] by: there is no dimension 'contry'; did you mean country? possible: day, "
         "week, month, quarter, year, weekday, hour, product, category, brand, country, channel, "
         "segment, currency, new_or_returning, cohort, category_1"},
        {"by = category_9\nmeasures = net",
         "[aggregate.x] by: there is no dimension 'category_9'; did you mean category_1? ~"},
        {"by = day, order_month\nmeasures = net",
         "[aggregate.x] by: there is no dimension 'order_month'~"},
        {"by = day, month, Day\nmeasures = net", "[aggregate.x] by: 'Day' stands there twice"},
        {"by = product, product_id\nmeasures = net",
         "[aggregate.x] by: 'product_id' stands there twice"},
        {"by = day week\nmeasures = net", "[aggregate.x] by: there is no dimension 'day week'~"},
        {"by = day,,week\nmeasures = net",
         "[aggregate.x] by: name 2 of 'day,,week' is empty or longer than 63 bytes"},
        {"by = day,\nmeasures = net",
         "[aggregate.x] by: name 2 of 'day,' is empty or longer than 63 bytes"},
        {"by = day,week,month,quarter,year,weekday,hour,brand,country\nmeasures = net",
         "[aggregate.x] by: more than 8 dimensions"},
        {"measures = net, marginn",
         "[aggregate.x] measures: there is no measure 'marginn'; did you mean margin? possible: "
         "gross, returned, net, discount, units, units_returned, orders, customers, lines, "
         "average_order_value, items_per_order, margin, min_order_value, median_order_value, "
         "p95_order_value, max_order_value, first_day, last_day"},
        {"measures = returned, returns", "[aggregate.x] measures: 'returns' stands there twice"},
        {"measures = ,", "[aggregate.x] measures: name 1 of ',' is empty or longer than 63 bytes"},
        {"by = day\nmeasures = net\norder = nett",
         "[aggregate.x] order: this table has no column 'nett'; did you mean net? possible: day, "
         "net"},
        {"by = day\nmeasures = net\norder = orders",
         "[aggregate.x] order: this table has no column 'orders'; possible: day, net"},
        {"by = day\nmeasures = net\norder = net down",
         "[aggregate.x] order: 'net down': after the name stands asc or desc"},
        {"by = day\nmeasures = net\norder = net desc asc",
         "[aggregate.x] order: 'net desc asc': after the name stands asc or desc"},
        {"by = day\nmeasures = net\norder = net, net desc",
         "[aggregate.x] order: 'net' stands there twice"},
        {"measures = net\nlimit = 0",
         "[aggregate.x] limit: '0' does not begin with a whole number above 0, as 100 or 10 per "
         "country does"},
        {"measures = net\nlimit = -3", "[aggregate.x] limit: '-3' does not begin with a whole~"},
        {"measures = net\nlimit = 2.5", "[aggregate.x] limit: '2.5' does not begin with a whole~"},
        {"measures = net\nlimit = ten", "[aggregate.x] limit: 'ten' does not begin with a whole~"},
        {"measures = net\nlimit = 9223372036854775808",
         "[aggregate.x] limit: '9223372036854775808'~"},
        {"by = day\nmeasures = net\nlimit = 3 each day",
         "[aggregate.x] limit: '3 each day': after the number stands 'per' and dimensions, or "
         "nothing"},
        {"by = day\nmeasures = net\nlimit = 3 per",
         "[aggregate.x] limit: which dimensions stand after 'per'?"},
        {"by = day\nmeasures = net\nlimit = 3 per month",
         "[aggregate.x] limit: after 'per' stand dimensions of by, not 'month'; possible: day"},
        {"by = day, brand\nmeasures = net\nlimit = 3 per net",
         "[aggregate.x] limit: after 'per' stand dimensions of by, not 'net'; possible: day, "
         "brand"},
        {"by = day\nmeasures = net\nlimit = 3 per day, day",
         "[aggregate.x] limit: 'day' stands there twice"},
        {"measures = net\nwhere = country == 'x'",
         "[aggregate.x] where: at character 10, near '=': expected a country in single quotes, for "
         "country"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        snprintf(text, sizeof text, "[aggregate.x]\n%s\n", cases[i].lines);
        check_refusal(text, cases[i].message);
    }
}

static void test_names(void)
{
    static const char *const bad[] = {"", "1x", "_x", "Sales", "a b", "a-b", "x__next", "a__b"};
    static const char *const taken[] = {"sales_daily",
                                        "sales_monthly",
                                        "sales_monthly_country",
                                        "product_total",
                                        "sales_compare",
                                        "sales_movers",
                                        "order_value_monthly",
                                        "customer_summary",
                                        "customer_model",
                                        "cohort_month",
                                        "abc_xyz",
                                        "basket_pairs",
                                        "funnel_daily",
                                        "cart_abandoned",
                                        "product_rating",
                                        "stock_risk",
                                        "vesper_run",
                                        "vesper_x",
                                        "sqlite_x",
                                        "vesper_run_table"};
    char text[256], message[256];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, "[aggregate.%s]\nmeasures = net\n", bad[i]);
        snprintf(message, sizeof message, "[aggregate.%s]: the table's name must begin with a ~",
                 bad[i]);
        check_refusal(text, message);
    }
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        snprintf(text, sizeof text, "[aggregate.%s]\nmeasures = net\n", taken[i]);
        snprintf(message, sizeof message,
                 "[aggregate.%s]: there is a table %s already; take another name", taken[i],
                 taken[i]);
        check_refusal(text, message);
    }
}

CU_TestInfo aggregate_spec_tests[] = {
    {"whole", test_whole}, {"none", test_none}, {"refusals", test_refusals},
    {"names", test_names}, CU_TEST_INFO_NULL,
};
