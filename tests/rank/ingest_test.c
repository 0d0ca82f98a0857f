/* Ingest against a naive model: whatever was taken in, in however many batches, the store holds
 * each order's last version, whole, in one partition, with the right customer, sorted. */
#include "base/civil.h"
#include "base/memory.h"
#include "base/random.h"
#include "ingest/ingest.h"
#include "rank/suites.h"
#include "store/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MODEL_LINES_MAX = 4000, MODEL_ORDERS = 300, MODEL_PARTITIONS = 8 };

typedef struct ModelLine {
    int order;
    int batch;
    int customer; /* as the order has it in that batch; -1 anonymous */
    int product;
    int quantity;
    int price_minor; /* tells the line apart */
    int day;
    bool names_customer; /* false: the field is left empty */
} ModelLine;

typedef struct Model {
    ModelLine lines[MODEL_LINES_MAX];
    int n_lines;
} Model;

static const Option options[] = {
    {"input", 0, NULL, NULL, OPTION_LIST, "TABLE=PATH", NULL, 0, 0, "inputs"},
    {"max-rejected", 0, "ingest", "max_rejected", OPTION_REAL, "SHARE", "0.5", 0, 1, "share"},
};
static const char *const free_sections[] = {"orders", "orders.columns", NULL};

/* A folder of rank 0's making, known to all. */
static void make_folder(char path[64])
{
    snprintf(path, 64, "/tmp/vesper-ingest-XXXXXX");
    if (comm_rank(rank_comm()) == 0 && mkdtemp(path) == NULL)
        abort();
    comm_broadcast(rank_comm(), 0, path, 64);
}

static void remove_folder(const char *path)
{
    Error error = {0};
    comm_barrier(rank_comm());
    if (comm_rank(rank_comm()) == 0)
        CU_ASSERT_EQUAL(files_remove(path, &error), STATUS_OK);
    comm_barrier(rank_comm());
}

static void write_text(const char *path, const char *text)
{
    if (comm_rank(rank_comm()) == 0) {
        FILE *file = fopen(path, "w");
        if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
            abort();
    }
    comm_barrier(rank_comm());
}

/* Take in one orders file; the summary of it. */
static Status ingest_file(const char *store_path, const char *csv, IngestSummary *summary,
                          Error *error)
{
    Comm *comm = rank_comm();
    Store *store = NULL;
    Config *config = NULL;
    char input[128];
    Status status = STATUS_OK;
    snprintf(input, sizeof input, "--input=orders=%s", csv);
    char *argv[] = {(char *)(uintptr_t) "test", input, NULL};
    TRY_ALL(comm, config_parse(2, argv, options, 2, NULL, free_sections, &config, error), error);
    TRY(store_open(comm, store_path, STORE_WRITE, &store, error));
    TRY(ingest_run(comm, store, config, summary, error));
out:
    store_close(comm, &store);
    config_free(&config);
    return status;
}

static Status make_store(const char *path, Error *error)
{
    StoreSettings settings = {.partitions = MODEL_PARTITIONS, .money_decimals = 2};
    snprintf(settings.time_zone, sizeof settings.time_zone, "UTC");
    snprintf(settings.currency, sizeof settings.currency, "EUR");
    return store_create(rank_comm(), path, &settings, error);
}

/* ---- what the store holds, as sorted lines of text on rank 0 ---- */

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *sort_text_lines(const char *text)
{
    char *copy = mem_copy_string(text);
    int64_t n = 0;
    for (const char *at = text; *at; at++)
        n += *at == '\n';
    char **lines = mem_new(n + 1, sizeof *lines);
    int64_t i = 0;
    char *rest = NULL;
    for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        lines[i++] = line;
    qsort(lines, (size_t)i, sizeof *lines, compare_strings);
    Buffer sorted = {0};
    for (int64_t k = 0; k < i; k++)
        buffer_printf(&sorted, "%s\n", lines[k]);
    mem_free(&lines);
    mem_free(&copy);
    char *result = mem_copy_string(buffer_string(&sorted));
    buffer_free(&sorted);
    return result;
}

/* Lines of one partition as text; checks order and density on the way. */
static void print_partition(Store *store, int32_t p, const Table *products, Buffer *text,
                            int64_t *n_orders)
{
    static const char *const columns[] = {"customer", "order",      "ts_us",   "day",
                                          "product",  "unit_price", "quantity"};
    static const char *const text_column[] = {"text"};
    Error error = {0};
    Table rows = {0}, ids = {0};
    CU_ASSERT_EQUAL(store_read_partition(store, "orders", p, columns, 7, &rows, &error), STATUS_OK);
    CU_ASSERT_EQUAL(store_read_partition(store, "customer_ids", p, text_column, 1, &ids, &error),
                    STATUS_OK);
    const int32_t *customer = table_column(&rows, "customer")->data;
    const int32_t *order = table_column(&rows, "order")->data;
    const int64_t *ts_us = table_column(&rows, "ts_us")->data;
    const int32_t *day = table_column(&rows, "day")->data;
    const int32_t *product = table_column(&rows, "product")->data;
    const int64_t *price = table_column(&rows, "unit_price")->data;
    const int32_t *quantity = table_column(&rows, "quantity")->data;
    for (int64_t row = 0; row < rows.rows; row++) {
        bool first = row == 0;
        bool same_order = !first && order[row] == order[row - 1];
        CU_ASSERT_TRUE(first ? order[row] == 0 : order[row] - order[row - 1] <= 1);
        CU_ASSERT_TRUE(first || order[row] >= order[row - 1]);
        CU_ASSERT_TRUE(first || (uint32_t)customer[row] >= (uint32_t)customer[row - 1]);
        CU_ASSERT_TRUE(!same_order || customer[row] == customer[row - 1]);
        CU_ASSERT_TRUE(first || same_order || customer[row] != customer[row - 1] ||
                       ts_us[row] >= ts_us[row - 1]);
        *n_orders += !same_order;
        Bytes who = customer[row] < 0 ? bytes_of("")
                                      : column_text(table_column(&ids, "text"), customer[row]);
        Bytes what = column_text(table_column_const(products, "text"), product[row]);
        buffer_printf(text, "%.*s|%.*s|%d|%lld|%d\n", (int)who.size, who.data, (int)what.size,
                      what.data, quantity[row], (long long)price[row], day[row]);
    }
    table_free(&rows);
    table_free(&ids);
}

static char *print_store(const char *path, int64_t *n_orders)
{
    Comm *comm = rank_comm();
    Error error = {0};
    Store *store = NULL;
    Table products = {0};
    Buffer text = {0};
    char *all = NULL;
    int64_t all_bytes = 0;
    int32_t begin = 0, end = 0;
    *n_orders = 0;
    CU_ASSERT_EQUAL(store_open(comm, path, STORE_READ, &store, &error), STATUS_OK);
    CU_ASSERT_EQUAL(store_read_global(comm, store, "dictionary_product", &products, &error),
                    STATUS_OK);
    store_owned(store, comm_rank(comm), comm_size(comm), &begin, &end);
    for (int32_t p = begin; p < end; p++)
        print_partition(store, p, &products, &text, n_orders);
    comm_sum_i64(comm, n_orders, 1);
    int64_t bytes = text.size;
    CU_ASSERT_EQUAL(comm_gather_all(comm, text.data, bytes, &all, &all_bytes, NULL, &error),
                    STATUS_OK);
    Buffer whole = {0};
    buffer_append(&whole, all, all_bytes);
    char *sorted = sort_text_lines(buffer_string(&whole));
    buffer_free(&whole);
    buffer_free(&text);
    mem_free(&all);
    table_free(&products);
    store_close(comm, &store);
    return sorted;
}

/* ---- the model ---- */

static void add_order(Model *model, Random *random, int order, int batch, int max_lines)
{
    int n = 1 + (int)random_below(random, max_lines);
    int customer = (int)random_below(random, 60) - 10;
    int day = 19000 + (int)random_below(random, 50);
    bool named = false;
    for (int i = 0; i < n && model->n_lines < MODEL_LINES_MAX; i++) {
        bool names = random_below(random, 3) > 0 || (i == n - 1 && !named);
        named = named || names;
        model->lines[model->n_lines] = (ModelLine){order,
                                                   batch,
                                                   customer < 0 ? -1 : customer,
                                                   (int)random_below(random, 40),
                                                   (int)random_below(random, 9) - 2,
                                                   model->n_lines + 1,
                                                   day,
                                                   names};
        if (model->lines[model->n_lines].quantity == 0)
            model->lines[model->n_lines].quantity = 1;
        model->n_lines++;
    }
}

static void write_batch(const Model *model, int batch, const char *path, uint64_t shuffle)
{
    Buffer csv = {0};
    Random random = random_stream(shuffle, 1);
    int *order = mem_new(MODEL_LINES_MAX, sizeof *order);
    int n = 0;
    for (int i = 0; i < model->n_lines; i++)
        if (model->lines[i].batch == batch)
            order[n++] = i;
    for (int i = n - 1; i > 0 && shuffle; i--) {
        int k = (int)random_below(&random, i + 1), swapped = order[i];
        order[i] = order[k];
        order[k] = swapped;
    }
    buffer_append_string(&csv, "order_id,ordered_at,product_id,quantity,unit_price,customer_id\n");
    for (int i = 0; i < n; i++) {
        const ModelLine *line = &model->lines[order[i]];
        char day[CIVIL_TEXT_SIZE], customer[16] = "";
        civil_format_day(line->day, day);
        if (line->customer >= 0 && line->names_customer)
            snprintf(customer, sizeof customer, "c%d", line->customer);
        buffer_printf(&csv, "o%d,%s 10:00:00,\"p%d\",%d,%d.%02d,%s\n", line->order, day,
                      line->product, line->quantity, line->price_minor / 100,
                      line->price_minor % 100, customer);
    }
    write_text(path, buffer_string(&csv));
    buffer_free(&csv);
    mem_free(&order);
}

static char *print_model(const Model *model, int64_t *n_orders, int64_t *replaced_orders)
{
    int last[MODEL_ORDERS];
    bool seen[MODEL_ORDERS][8] = {{false}};
    Buffer text = {0};
    *n_orders = *replaced_orders = 0;
    for (int o = 0; o < MODEL_ORDERS; o++)
        last[o] = -1;
    for (int i = 0; i < model->n_lines; i++) {
        last[model->lines[i].order] = model->lines[i].batch;
        seen[model->lines[i].order][model->lines[i].batch] = true;
    }
    for (int o = 0; o < MODEL_ORDERS; o++) {
        int versions = 0;
        for (int b = 0; b < 8; b++)
            versions += seen[o][b];
        *n_orders += versions > 0;
        *replaced_orders += versions > 1 ? versions - 1 : 0;
    }
    for (int i = 0; i < model->n_lines; i++) {
        const ModelLine *line = &model->lines[i];
        if (line->batch != last[line->order])
            continue;
        char customer[16] = "";
        if (line->customer >= 0)
            snprintf(customer, sizeof customer, "c%d", line->customer);
        buffer_printf(&text, "%s|p%d|%d|%d|%d\n", customer, line->product, line->quantity,
                      line->price_minor, line->day);
    }
    char *sorted = sort_text_lines(buffer_string(&text));
    buffer_free(&text);
    return sorted;
}

static void check_against_model(const char *store_path, const Model *model, int64_t replaced)
{
    int64_t n_orders, of_store, replaced_orders;
    char *expected = print_model(model, &n_orders, &replaced_orders);
    char *found = print_store(store_path, &of_store);
    CU_ASSERT_STRING_EQUAL(found, expected);
    CU_ASSERT_EQUAL(of_store, n_orders);
    CU_ASSERT_EQUAL(replaced, replaced_orders);
    mem_free(&expected);
    mem_free(&found);
}

/* ---- tests ---- */

static void run_model(const Model *model, int batches, uint64_t shuffle)
{
    char folder[64], csv[96], store[96];
    Error error = {0};
    int64_t replaced = 0;
    make_folder(folder);
    snprintf(store, sizeof store, "%s/store", folder);
    CU_ASSERT_EQUAL(make_store(store, &error), STATUS_OK);
    for (int b = 0; b < batches; b++) {
        IngestSummary summary;
        snprintf(csv, sizeof csv, "%s/orders-%d.csv", folder, b);
        write_batch(model, b, csv, shuffle);
        CU_ASSERT_EQUAL(ingest_file(store, csv, &summary, &error), STATUS_OK);
        CU_ASSERT_STRING_EQUAL(error.message, "");
        const RowCounts *counts = &summary.counts[INPUT_ORDERS];
        CU_ASSERT_EQUAL(counts->read, counts->stored + counts->rejected + counts->unchanged);
        CU_ASSERT_EQUAL(counts->rejected, 0);
        replaced += counts->replaced_orders;

        IngestSummary again;
        CU_ASSERT_EQUAL(ingest_file(store, csv, &again, &error), STATUS_OK);
        CU_ASSERT_FALSE(again.changed);
        CU_ASSERT_EQUAL(again.counts[INPUT_ORDERS].unchanged, counts->read);
    }
    check_against_model(store, model, replaced);
    remove_folder(folder);
}

static void test_one_batch(void)
{
    for (uint64_t seed = 1; seed <= 2; seed++) {
        Model *model = mem_new(1, sizeof *model);
        Random random = random_stream(seed, 0);
        for (int order = 0; order < MODEL_ORDERS; order++)
            add_order(model, &random, order, 0, 6);
        run_model(model, 1, seed - 1);
        mem_free(&model);
    }
}

static void test_orders_come_again(void)
{
    Model *model = mem_new(1, sizeof *model);
    Random random = random_stream(7, 0);
    for (int batch = 0; batch < 4; batch++)
        for (int order = 0; order < MODEL_ORDERS; order++)
            if (random_below(&random, 3) == 0)
                add_order(model, &random, order, batch, 5);
    run_model(model, 4, 3);
    mem_free(&model);
}

static void test_one_order(void)
{
    Model *model = mem_new(1, sizeof *model);
    Random random = random_stream(9, 0);
    while (model->n_lines < 500)
        add_order(model, &random, 5, 0, 500);
    for (int i = 0; i < model->n_lines; i++) /* one customer, one day */
        model->lines[i].customer = 3;
    run_model(model, 1, 0);
    mem_free(&model);
}

static void test_single_line(void)
{
    Model *model = mem_new(1, sizeof *model);
    Random random = random_stream(10, 0);
    add_order(model, &random, 0, 0, 1);
    run_model(model, 1, 0);
    mem_free(&model);
}

static const char *const header =
    "order_id,ordered_at,product_id,quantity,unit_price,customer_id\n";

/* Lines that name another customer than the order's first are rejected, wherever they are. */
static void test_contradiction(void)
{
    char folder[64], csv[96], store[96];
    Error error = {0};
    IngestSummary summary;
    Buffer text = {0};
    make_folder(folder);
    snprintf(store, sizeof store, "%s/store", folder);
    snprintf(csv, sizeof csv, "%s/orders.csv", folder);
    buffer_append_string(&text, header);
    buffer_append_string(&text, "1,2024-01-01,a,1,1.00,\n1,2024-01-01,b,1,2.00,ann\n");
    for (int i = 0; i < 20; i++)
        buffer_printf(&text, "%d,2024-01-02,a,1,3.%02d,x\n", 100 + i, i);
    buffer_append_string(&text, "1,2024-01-01,c,1,4.00,bob\n1,2024-01-01,d,1,5.00,ann\n");
    write_text(csv, buffer_string(&text));
    CU_ASSERT_EQUAL(make_store(store, &error), STATUS_OK);
    CU_ASSERT_EQUAL(ingest_file(store, csv, &summary, &error), STATUS_OK);
    CU_ASSERT_EQUAL(summary.counts[INPUT_ORDERS].read, 24);
    CU_ASSERT_EQUAL(summary.counts[INPUT_ORDERS].rejected, 1);
    CU_ASSERT_EQUAL(summary.counts[INPUT_ORDERS].stored, 23);
    CU_ASSERT_PTR_NOT_NULL(strstr(summary.example, ":24"));
    int64_t n_orders;
    char *found = print_store(store, &n_orders);
    CU_ASSERT_EQUAL(n_orders, 21);
    CU_ASSERT_PTR_NOT_NULL(strstr(found, "ann|a|1|100|"));
    CU_ASSERT_PTR_NOT_NULL(strstr(found, "ann|d|1|500|"));
    CU_ASSERT_PTR_NULL(strstr(found, "bob"));
    mem_free(&found);
    buffer_free(&text);
    remove_folder(folder);
}

/* A mended row joins the order whose other lines are stored already. */
static void test_mended_row_joins(void)
{
    char folder[64], csv[96], store[96], mended[96];
    Error error = {0};
    IngestSummary summary;
    make_folder(folder);
    snprintf(store, sizeof store, "%s/store", folder);
    snprintf(csv, sizeof csv, "%s/orders.csv", folder);
    snprintf(mended, sizeof mended, "%s/mended.csv", folder);
    CU_ASSERT_EQUAL(make_store(store, &error), STATUS_OK);
    write_text(csv, "order_id,ordered_at,product_id,quantity,unit_price,customer_id\n"
                    "1,2024-01-01,a,1,1.00,ann\n1,2024-01-01,b,x,2.00,ann\n"
                    "2,2024-01-01,b,1,7.00,\n");
    CU_ASSERT_EQUAL(ingest_file(store, csv, &summary, &error), STATUS_OK);
    CU_ASSERT_EQUAL(summary.counts[INPUT_ORDERS].rejected, 1);
    write_text(mended, "vesper_file,vesper_line,vesper_field,vesper_reason,"
                       "order_id,ordered_at,product_id,quantity,unit_price,customer_id,discount\n"
                       "orders.csv,3,quantity,not a number,1,2024-01-01,b,5,2.00,ann,0.10\n");
    CU_ASSERT_EQUAL(ingest_file(store, mended, &summary, &error), STATUS_OK);
    CU_ASSERT_EQUAL(summary.counts[INPUT_ORDERS].stored, 1);
    CU_ASSERT_EQUAL(summary.counts[INPUT_ORDERS].replaced_orders, 0);
    int64_t n_orders;
    char *found = print_store(store, &n_orders);
    CU_ASSERT_STRING_EQUAL(found, "ann|a|1|100|19723\nann|b|5|200|19723\n|b|1|700|19723\n");
    CU_ASSERT_EQUAL(n_orders, 2);
    mem_free(&found);
    remove_folder(folder);
}

CU_TestInfo ingest_tests[] = {{"one batch", test_one_batch},
                              {"orders come again", test_orders_come_again},
                              {"one order over all ranks", test_one_order},
                              {"single line", test_single_line},
                              {"contradicting customer", test_contradiction},
                              {"mended row joins its order", test_mended_row_joins},
                              CU_TEST_INFO_NULL};
