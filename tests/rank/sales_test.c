/* The sales tables of random shops, against the naive answers of sales_model.c, and what happens
 * when something is wrong. */
#include "sales/sales.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/memory.h"
#include "rank/sales_model.h"
#include "rank/sales_store.h"
#include "rank/suites.h"

#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- a folder for one store ---- */

static void make_folder(char folder[SHOP_PATH_SIZE])
{
    Comm *comm = rank_comm();
    log_init(comm_rank(comm), LOG_ERROR);
    (void)snprintf(folder, SHOP_PATH_SIZE, "%s/vesper-sales.XXXXXX",
                   getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (comm_rank(comm) == 0)
        CU_ASSERT_PTR_NOT_NULL(mkdtemp(folder));
    comm_broadcast(comm, 0, folder, SHOP_PATH_SIZE);
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info, (void)type, (void)where;
    return remove(path);
}

static void remove_folder(const char *folder)
{
    comm_barrier(rank_comm());
    if (comm_rank(rank_comm()) == 0)
        CU_ASSERT_EQUAL(nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* ---- results as text ---- */

static void append_value(Buffer *text, const Column *column, int64_t row)
{
    if (column->type == COLUMN_TEXT) {
        buffer_append_bytes(text, column_text(column, row));
    } else if (column->type == COLUMN_I64) {
        buffer_printf(text, "%" PRId64, ((const int64_t *)column->data)[row]);
    } else {
        int32_t value = ((const int32_t *)column->data)[row];
        if (value != DAY_NONE)
            buffer_printf(text, "%" PRId32, value);
    }
}

/* A table, and the columns of it that the model knows. */
typedef struct KnownTable {
    SalesTable table;
    int n;
    const char *columns[9];
} KnownTable;

static const KnownTable known[] = {
    {SALES_DAILY,
     9,
     {"day", "gross", "returned", "net", "units", "units_returned", "orders", "customers",
      "lines"}},
    {SALES_MONTHLY_COUNTRY,
     7,
     {"month", "country", "gross", "returned", "units", "orders", "customers"}},
    {SALES_PRODUCT_TOTAL, 6, {"product_id", "gross", "returned", "units", "orders", "customers"}},
    {SALES_CUSTOMER_SUMMARY, 5, {"customer", "first_day", "last_day", "orders", "net"}},
    {SALES_COHORT_MONTH, 3, {"cohort", "months_since", "customers"}},
    {SALES_ORDER_VALUE_MONTHLY, 4, {"month", "orders", "median_low", "p95_low"}},
    {SALES_BASKET_PAIRS, 3, {"product_a", "product_b", "orders"}},
};
enum { N_KNOWN = sizeof known / sizeof *known };

static Status append_table(ResultReader *reader, int i, const KnownTable *columns, Buffer *text,
                           Error *error)
{
    Status status = STATUS_OK;
    const ResultTable *table = results_table(reader, i);
    Table rows = {0};
    buffer_printf(text, "%s: %s\n", table->name, table->key);
    for (int c = 0; c < columns->n; c++)
        buffer_printf(text, "%s%s", columns->columns[c], c + 1 < columns->n ? "," : "\n");
    for (int64_t block = 0; block * RESULT_BLOCK < table->rows; block++) {
        TRY(results_read_block(reader, i, block, &rows, error));
        for (int64_t row = 0; row < rows.rows; row++) {
            for (int c = 0; c < columns->n; c++) {
                append_value(text, table_column(&rows, columns->columns[c]), row);
                buffer_append_string(text, c + 1 < columns->n ? "," : "\n");
            }
        }
    }
out:
    table_free(&rows);
    return status;
}

/* The result tables that the model knows, in its order. */
static Status print_results(const Store *store, const char *run, Buffer *text, Error *error)
{
    Status status = STATUS_OK;
    ResultReader *reader = NULL;
    buffer_clear(text);
    TRY(results_open(store, run, &reader, error));
    CU_ASSERT_EQUAL(results_count(reader), SALES_TABLES);
    for (int n = 0; n < N_KNOWN; n++) {
        for (int i = 0; i < results_count(reader); i++) {
            if (strcmp(results_table(reader, i)->name, sales_table_name(known[n].table)) == 0)
                TRY(append_table(reader, i, &known[n], text, error));
        }
    }
out:
    results_close(&reader);
    return status;
}

/* Where two texts part, for people. */
static void show_difference(const char *name, const char *got, const char *expected)
{
    int64_t at = 0, line = 0, number = 1;
    while (got[at] == expected[at]) {
        if (got[at++] == '\n') {
            line = at;
            number++;
        }
    }
    (void)fprintf(stderr, "%s, line %" PRId64 ": got '%.*s', expected '%.*s'\n", name, number,
                  (int)strcspn(got + line, "\n"), got + line, (int)strcspn(expected + line, "\n"),
                  expected + line);
}

static Status compute(Comm *comm, Store *store, const ShopShape *shape, const char *run,
                      SalesSummary *summary, Error *error)
{
    Status status = STATUS_OK;
    SalesOptions options = {.threads = 1 + (int)(shape->min_orders % 3),
                            .pair_min_orders = shape->min_orders,
                            .movers_limit = 50,
                            .cart_days = 30,
                            .customer_value = true};
    ResultWriter *writer = NULL;
    for (int t = 0; t < SALES_TABLES; t++)
        options.tables[t] = true;
    TRY(results_begin(comm, store, run, &writer, error));
    TRY(sales_run(comm, store, &options, writer, summary, error));
    TRY(results_commit(comm, &writer, error));
out:
    results_discard(comm, &writer);
    return status;
}

static void check_summary(const ModelShop *shop, const SalesSummary *summary)
{
    int64_t lines = 0;
    int32_t first = DAY_NONE, last = DAY_NONE;
    for (int64_t i = 0; i < shop->n; i++) {
        const ModelLine *line = &shop->lines[i];
        lines += line->in_force;
        first = first == DAY_NONE || line->day < first ? line->day : first;
        last = line->day > last ? line->day : last;
    }
    CU_ASSERT_EQUAL(summary->lines, lines);
    CU_ASSERT_EQUAL(summary->first_day, first);
    CU_ASSERT_EQUAL(summary->last_day, last);
    CU_ASSERT(summary->orders <= shop->shape.orders);
    CU_ASSERT(summary->customers <= summary->orders);
}

static void check_shop(const ShopShape *shape, uint64_t seed)
{
    Comm *comm = rank_comm();
    Error error = {0};
    ModelShop shop;
    Store *store = NULL;
    SalesSummary summary = {0};
    Buffer got = {0}, expected = {0};
    char folder[SHOP_PATH_SIZE];
    make_folder(folder);
    model_shop_make(shape, seed, &shop);
    Status status = model_shop_store(comm, folder, &shop, &store, &error);
    if (status == STATUS_OK)
        status = compute(comm, store, shape, "run", &summary, &error);
    if (status == STATUS_OK)
        status = comm_agree(comm, print_results(store, "run", &got, &error), &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    if (status != STATUS_OK) {
        (void)fprintf(stderr, "%s: %s\n", shape->name, error.message);
    } else {
        model_shop_expect(&shop, &expected);
        bool equal = strcmp(buffer_string(&got), buffer_string(&expected)) == 0;
        CU_ASSERT(equal);
        if (!equal)
            show_difference(shape->name, buffer_string(&got), buffer_string(&expected));
        check_summary(&shop, &summary);
    }
    store_close(comm, &store);
    remove_folder(folder);
    buffer_free(&got);
    buffer_free(&expected);
    model_shop_free(&shop);
}

/* ---- tests ---- */

static const ShopShape plain = {.name = "plain",
                                .customers = 60,
                                .orders = 300,
                                .products = 40,
                                .countries = 5,
                                .lines_min = 1,
                                .lines_max = 9,
                                .first_day = 14960,
                                .n_days = 70,
                                .anonymous = 0.2,
                                .returns = 0.1,
                                .cancelled = 0.05,
                                .batches = 1,
                                .min_orders = 3};

static void test_plain_shops(void)
{
    for (uint64_t seed = 1; seed <= 3; seed++)
        check_shop(&plain, seed);
}

static void test_several_batches_with_replaced_orders(void)
{
    ShopShape shape = plain;
    shape.name = "replaced orders";
    shape.batches = 2;
    shape.replaced = 0.4;
    for (uint64_t seed = 11; seed <= 13; seed++)
        check_shop(&shape, seed);
}

static void test_no_and_one_order(void)
{
    ShopShape shape = plain;
    shape.name = "no orders";
    shape.orders = 0;
    check_shop(&shape, 21);
    shape.name = "nothing at all";
    shape.batches = 0;
    check_shop(&shape, 21);
    shape.name = "one order";
    shape.batches = 1;
    shape.orders = 1;
    shape.min_orders = 1;
    check_shop(&shape, 22);
}

static void test_one_customer(void)
{
    ShopShape shape = plain;
    shape.name = "one customer";
    shape.customers = 1;
    shape.anonymous = 0;
    check_shop(&shape, 31);
}

/* More months than the first room for cohorts, and far from each other. */
static void test_many_months(void)
{
    ShopShape shape = plain;
    shape.name = "many months";
    shape.n_days = 3000;
    check_shop(&shape, 35);
}

static void test_one_large_order(void)
{
    ShopShape shape = plain;
    shape.name = "one order of 2,000 products";
    shape.orders = 2;
    shape.products = shape.lines_min = shape.lines_max = 2000;
    shape.all_products = true;
    shape.returns = 0.5;
    shape.min_orders = 1;
    check_shop(&shape, 41);
}

static void test_all_anonymous(void)
{
    ShopShape shape = plain;
    shape.name = "all anonymous";
    shape.customers = 0;
    shape.anonymous = 1;
    check_shop(&shape, 51);
}

static void test_returns_and_cancelled_only(void)
{
    ShopShape shape = plain;
    shape.name = "returns only";
    shape.returns = 1;
    check_shop(&shape, 61);
    shape.name = "cancelled only";
    shape.returns = 0.2;
    shape.cancelled = 1;
    check_shop(&shape, 62);
}

static void test_before_1970_and_without_countries(void)
{
    ShopShape shape = plain;
    shape.name = "before 1970";
    shape.first_day = -40;
    check_shop(&shape, 71);
    shape.name = "without countries";
    shape.countries = 0;
    check_shop(&shape, 72);
}

/* Every pair, and thresholds that few or none reach. */
static void test_pair_thresholds(void)
{
    ShopShape shape = plain;
    for (int64_t min_orders = 1; min_orders <= 81; min_orders = min_orders * 3) {
        shape.name = "thresholds";
        shape.min_orders = min_orders;
        check_shop(&shape, 81);
    }
}

static Status compute_changed(const ModelShop *shop, Error *error)
{
    Comm *comm = rank_comm();
    Status status = STATUS_OK;
    Store *store = NULL;
    SalesSummary summary;
    char folder[SHOP_PATH_SIZE];
    *error = (Error){0};
    make_folder(folder);
    TRY(model_shop_store(comm, folder, shop, &store, error));
    TRY(compute(comm, store, &shop->shape, "run", &summary, error));
out:
    store_close(comm, &store);
    remove_folder(folder);
    return status;
}

static void expect_refusal(const ModelShop *shop, Status expected, const char *words)
{
    Error error;
    CU_ASSERT_EQUAL(compute_changed(shop, &error), expected);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, words));
}

static ModelLine *line_of_partition(const ModelShop *shop, int32_t partition)
{
    int64_t i = 0;
    while (model_partition(&shop->lines[i]) != partition)
        i++;
    return &shop->lines[i];
}

static void test_sums_that_do_not_fit_are_refused(void)
{
    ModelShop shop;
    Error error;
    model_shop_make(&plain, 91, &shop);
    ModelLine *line = line_of_partition(&shop, 0);
    ModelLine *far_line = line_of_partition(&shop, MODEL_PARTITIONS - 1);
    line->quantity = INT32_MAX;
    line->price = INT64_MAX / 2;
    expect_refusal(&shop, STATUS_INPUT, "the values of the order lines add up to more than");
    /* Each line fits, and each partition, but not all together. */
    line->quantity = 1;
    line->price = INT64_MAX - INT64_C(1000000000000000);
    far_line->quantity = -1;
    far_line->price = INT64_MAX - INT64_C(1000000000000000);
    expect_refusal(&shop, STATUS_INPUT, "the values of the order lines add up to more than");
    far_line->price = 0;
    CU_ASSERT_EQUAL(compute_changed(&shop, &error), STATUS_OK);
    model_shop_free(&shop);
}

static void test_codes_outside_their_dictionary_are_refused(void)
{
    ModelShop shop;
    model_shop_make(&plain, 92, &shop);
    ModelLine *line = &shop.lines[shop.n / 2];
    ModelLine before = *line;
    line->product = shop.shape.products;
    expect_refusal(&shop, STATUS_IO, "product code 40");
    line->product = -1;
    expect_refusal(&shop, STATUS_IO, "product code -1");
    *line = before;
    line->country = 5;
    expect_refusal(&shop, STATUS_IO, "country code 5");
    *line = before;
    shop.shape.customers = 1; /* the ids of the others are missing */
    expect_refusal(&shop, STATUS_IO, "customer ids");
    model_shop_free(&shop);
}

/* A failure at any stage on any rank is the same clean error on all ranks; the next run is well. */
static void test_faults(void)
{
    static const char *const sites[] = {"sales.read", "sales.partition", "sales.pairs",
                                        "sales.write"};
    Comm *comm = rank_comm();
    Error error = {0};
    ModelShop shop;
    Store *store = NULL;
    SalesSummary summary;
    char folder[SHOP_PATH_SIZE], fault[64];
    make_folder(folder);
    model_shop_make(&plain, 93, &shop);
    CU_ASSERT_EQUAL(model_shop_store(comm, folder, &shop, &store, &error), STATUS_OK);
    for (size_t i = 0; store != NULL && i < sizeof sites / sizeof *sites; i++) {
        for (int rank = 0; rank < comm_size(comm); rank++) {
            int32_t begin, end;
            store_owned(store, rank, comm_size(comm), &begin, &end);
            if (strcmp(sites[i], "sales.partition") == 0 && begin == end)
                continue;
            (void)snprintf(fault, sizeof fault, "%s:%d:1", sites[i], rank);
            (void)setenv("VESPER_FAULT", fault, 1);
            CU_ASSERT_EQUAL(fault_init(comm_rank(comm), &error), STATUS_OK);
            error = (Error){0};
            CU_ASSERT_EQUAL(compute(comm, store, &plain, "run", &summary, &error), STATUS_IO);
            CU_ASSERT_PTR_NOT_NULL(strstr(error.message, sites[i]));
            CU_ASSERT_EQUAL(error.rank, rank);
        }
    }
    (void)unsetenv("VESPER_FAULT");
    CU_ASSERT_EQUAL(fault_init(comm_rank(comm), &error), STATUS_OK);
    if (store != NULL)
        CU_ASSERT_EQUAL(compute(comm, store, &plain, "run", &summary, &error), STATUS_OK);
    store_close(comm, &store);
    remove_folder(folder);
    model_shop_free(&shop);
}

CU_TestInfo sales_tests[] = {
    {"plain shops", test_plain_shops},
    {"several batches with replaced orders", test_several_batches_with_replaced_orders},
    {"no and one order", test_no_and_one_order},
    {"one customer", test_one_customer},
    {"many months", test_many_months},
    {"one large order", test_one_large_order},
    {"all anonymous", test_all_anonymous},
    {"returns and cancelled only", test_returns_and_cancelled_only},
    {"before 1970 and without countries", test_before_1970_and_without_countries},
    {"pair thresholds", test_pair_thresholds},
    {"sums that do not fit are refused", test_sums_that_do_not_fit_are_refused},
    {"codes outside their dictionary are refused", test_codes_outside_their_dictionary_are_refused},
    {"faults", test_faults},
    CU_TEST_INFO_NULL,
};
