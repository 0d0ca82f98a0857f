/* The store when all is well: what was written is read again, at any number of ranks. */
#include "base/memory.h"
#include "rank/store_model.h"
#include "rank/suites.h"
#include "store/files.h"
#include "store/results.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char folder[MODEL_PATH_SIZE];

static Store *open_store(StoreMode mode)
{
    Error error = {0};
    Store *store = NULL;
    CU_ASSERT(model_make_folder(rank_comm(), folder));
    CHECK_OK(model_store(rank_comm(), folder, mode, &store, &error));
    return store;
}

static Store *reopen(StoreMode mode)
{
    Error error = {0};
    Store *store = NULL;
    CHECK_OK(store_open(rank_comm(), folder, mode, &store, &error));
    return store;
}

static void close_store(Store **store)
{
    store_close(rank_comm(), store);
    CU_ASSERT(model_remove_folder(rank_comm(), folder));
}

/* ---- create and open ---- */

static void test_create(void)
{
    Comm *comm = rank_comm();
    Error error = {0};
    Store *store = open_store(STORE_READ);
    StoreSettings settings = *store_settings(store);
    CU_ASSERT_EQUAL(settings.partitions, MODEL_PARTITIONS);
    CU_ASSERT_EQUAL(settings.money_decimals, 2);
    CU_ASSERT_STRING_EQUAL(settings.time_zone, "Europe/London");
    CU_ASSERT_STRING_EQUAL(settings.currency, "GBP");
    CU_ASSERT_EQUAL(store_generation(store), 0);
    CU_ASSERT_EQUAL(store_batch_count(store), 0);
    CU_ASSERT_EQUAL(store_rows(store, "orders"), 0);
    CU_ASSERT_STRING_EQUAL(store_path(store), folder);
    CHECK_OK(store_create(comm, folder, &settings, &error));
    settings.partitions = 2 * MODEL_PARTITIONS;
    CU_ASSERT_EQUAL(store_create(comm, folder, &settings, &error), STATUS_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "16 partitions"));
    close_store(&store);
}

static void check_refused(const char *path, StoreSettings settings, const char *why)
{
    Error error = {0};
    CU_ASSERT_EQUAL(store_create(rank_comm(), path, &settings, &error), STATUS_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, why));
}

static void test_create_refuses(void)
{
    Comm *comm = rank_comm();
    Error error = {0};
    Store *store = NULL;
    char path[MODEL_PATH_SIZE + 32];
    StoreSettings settings = {.partitions = 4, .money_decimals = 2};
    CU_ASSERT(model_make_folder(comm, folder));
    CU_ASSERT_EQUAL(store_open(comm, folder, STORE_WRITE, &store, &error), STATUS_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "vesper init"));
    CU_ASSERT_FALSE(store_exists(folder));
    settings.partitions = 12;
    check_refused(folder, settings, "not 12");
    settings.partitions = 0;
    check_refused(folder, settings, "not 0");
    settings.partitions = 4;
    settings.money_decimals = 10;
    check_refused(folder, settings, "not 10");
    settings.money_decimals = 2;
    /* Somebody's home: its tmp/ would be cleared later. */
    snprintf(path, sizeof path, "%s/thesis.tex", folder);
    if (comm_rank(comm) == 0)
        CHECK_OK(files_create(path, &error));
    comm_barrier(comm);
    check_refused(folder, settings, "thesis.tex");
    snprintf(path, sizeof path, "%s/a/b/store", folder);
    CHECK_OK(store_create(comm, path, &settings, &error));
    CU_ASSERT(store_exists(path));
    CU_ASSERT(model_remove_folder(comm, folder));
}

static void test_modes(void)
{
    Error error = {0};
    Store *store = open_store(STORE_WRITE);
    struct stat about;
    char path[MODEL_PATH_SIZE + 64];
    CHECK_OK(model_commit(rank_comm(), store, "things", &error));
    const char *const files[] = {"store.json", "CURRENT", "manifest/000001.json",
                                 "segments/000001/things.h5", "lock"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        CU_ASSERT(stat(path, &about) == 0 && (about.st_mode & 07777) == 0600);
    }
    snprintf(path, sizeof path, "%s/segments/000001", folder);
    CU_ASSERT(stat(path, &about) == 0 && (about.st_mode & 07777) == 0700);
    close_store(&store);
}

/* ---- tables of every type ---- */

static void check_partition(Store *store, int32_t p, int n_batches, Table *rows)
{
    Error error = {0};
    int64_t at = 0;
    CHECK_OK(store_read_partition(store, "things", p, NULL, 0, rows, &error));
    CU_ASSERT_EQUAL(rows->n_columns, MODEL_COLUMNS);
    for (int b = 1; b <= n_batches; b++) {
        CU_ASSERT(model_matches(rows, at, b, p));
        at += model_rows(b, p);
    }
    CU_ASSERT_EQUAL(rows->rows, at);
}

static void check_all(Store *store, int n_batches)
{
    static const char *const some[] = {"name", "amount"};
    Error error = {0};
    Table rows = {0};
    int64_t total = 0;
    for (int32_t p = MODEL_PARTITIONS - 1; p >= 0; p--) {
        check_partition(store, p, n_batches, &rows);
        total += rows.rows;
    }
    CU_ASSERT_EQUAL(store_rows(store, "things"), total);
    for (int32_t p = 0; p < MODEL_PARTITIONS; p++) {
        CHECK_OK(store_read_partition(store, "things", p, some, 2, &rows, &error));
        CU_ASSERT_EQUAL(rows.n_columns, 2);
        CU_ASSERT_STRING_EQUAL(rows.columns[0].name, "name");
        CU_ASSERT(model_matches(&rows, 0, 1, p));
    }
    table_free(&rows);
}

static void round_trip(void)
{
    Comm *comm = rank_comm();
    Error error = {0};
    int64_t blocks = 0;
    Store *store = open_store(STORE_WRITE);
    for (int b = 1; b <= 3; b++) {
        CHECK_OK(model_commit(comm, store, "things", &error));
        CU_ASSERT_EQUAL(store_generation(store), b);
        check_all(store, b);
    }
    store_close(comm, &store);
    store = reopen(STORE_READ);
    CU_ASSERT_EQUAL(store_batch_count(store), 3);
    check_all(store, 3);
    CHECK_OK(store_verify(comm, store, &blocks, &error));
    CU_ASSERT_EQUAL(blocks, 3 * MODEL_PARTITIONS * (MODEL_COLUMNS + 1));
    close_store(&store);
}

static void test_round_trip(void)
{
    round_trip();
}

/* The other way to write, and writes in small pieces. */
static void test_transfers(void)
{
    Error error = {0};
    setenv("VESPER_HDF5_PIECE", "64", 1);
    round_trip();
    setenv("VESPER_HDF5_TRANSFER", "collective", 1);
    round_trip();
    unsetenv("VESPER_HDF5_PIECE");
    round_trip();
    setenv("VESPER_HDF5_TRANSFER", "by pigeon", 1);
    Store *store = NULL;
    CU_ASSERT(model_make_folder(rank_comm(), folder));
    CU_ASSERT_EQUAL(model_store(rank_comm(), folder, STORE_WRITE, &store, &error), STATUS_USAGE);
    CU_ASSERT_PTR_NULL(store);
    CU_ASSERT(model_remove_folder(rank_comm(), folder));
    unsetenv("VESPER_HDF5_TRANSFER");
}

/* ---- columns that come later, tables without rows, tables for all ---- */

static Status write_numbers(Store *store, const char *table, TableKind kind, int64_t rows,
                            const ColumnSpec *specs, int n_specs, Error *error)
{
    Comm *comm = rank_comm();
    Status status;
    Table numbers;
    StoreBatch *batch = NULL;
    int64_t counts[MODEL_PARTITIONS] = {0};
    bool is_root = comm_rank(comm) == 0;
    int32_t n = !is_root ? 0 : kind == TABLE_GLOBAL ? 1 : MODEL_PARTITIONS;
    /* Everything is on rank 0, in the last partition. */
    counts[n > 0 ? n - 1 : 0] = rows;
    table_init(&numbers, specs, n_specs);
    TRY_ALL(comm, table_set_rows(&numbers, is_root ? rows : 0, error), error);
    for (int64_t i = 0; i < numbers.rows; i++) {
        ((int32_t *)numbers.columns[0].data)[i] = (int32_t)i;
        if (n_specs > 1)
            ((int16_t *)numbers.columns[1].data)[i] = (int16_t)(i % 7);
    }
    TRY(store_batch_begin(comm, store, &batch, error));
    TRY(store_batch_write(comm, batch, table, kind, &numbers, 0, n, counts, error));
    TRY(store_batch_commit(comm, store, &batch, error));
out:
    store_batch_discard(comm, &batch);
    table_free(&numbers);
    return status;
}

static void test_later_columns(void)
{
    static const ColumnSpec specs[] = {{"number", COLUMN_I32, UNIT_COUNT},
                                       {"country", COLUMN_I16, UNIT_CODE}};
    static const char *const names[] = {"country", "number", "country"};
    Error error = {0};
    Table rows = {0};
    Store *store = open_store(STORE_WRITE);
    CHECK_OK(write_numbers(store, "numbers", TABLE_APPEND, 10, specs, 1, &error));
    CU_ASSERT_FALSE(store_has_column(store, "numbers", "country"));
    CU_ASSERT_EQUAL(store_read_partition(store, "numbers", 0, names, 1, &rows, &error), STATUS_BUG);
    CHECK_OK(write_numbers(store, "numbers", TABLE_APPEND, 0, specs, 2, &error));
    CHECK_OK(write_numbers(store, "numbers", TABLE_APPEND, 5, specs, 2, &error));
    CU_ASSERT(store_has_column(store, "numbers", "country"));
    CU_ASSERT_FALSE(store_has_column(store, "numbers", "county"));
    int64_t min, max;
    store_column_range(store, "numbers", "number", &min, &max);
    CU_ASSERT(min == 0 && max == 9);
    store_column_range(store, "numbers", "country", &min, &max);
    CU_ASSERT(min == 0 && max == 4);
    store_column_range(store, "numbers", "county", &min, &max);
    CU_ASSERT(min == INT64_MAX && max == INT64_MIN);
    CHECK_OK(store_read_partition(store, "numbers", MODEL_PARTITIONS - 1, names, 3, &rows, &error));
    CU_ASSERT_EQUAL(rows.n_columns, 2);
    CU_ASSERT_EQUAL(rows.rows, 15);
    for (int64_t i = 0; i < rows.rows && rows.n_columns == 2; i++) {
        CU_ASSERT_EQUAL(((int16_t *)rows.columns[0].data)[i], i < 10 ? -1 : (i - 10) % 7);
        CU_ASSERT_EQUAL(((int32_t *)rows.columns[1].data)[i], i < 10 ? i : i - 10);
    }
    CHECK_OK(store_read_partition(store, "numbers", 0, names, 2, &rows, &error));
    CU_ASSERT_EQUAL(rows.rows, 0);
    CHECK_OK(store_read_partition(store, "unheard_of", 0, names, 2, &rows, &error));
    CU_ASSERT_EQUAL(rows.rows, 0);
    CU_ASSERT_EQUAL(rows.n_columns, 2);
    CHECK_OK(store_read_partition(store, "orders", 3, names, 2, &rows, &error));
    CU_ASSERT_EQUAL(rows.n_columns, 2);
    table_free(&rows);
    close_store(&store);
}

static void test_type_is_kept(void)
{
    static const ColumnSpec first[] = {{"number", COLUMN_I32, UNIT_COUNT}};
    static const ColumnSpec then[] = {{"number", COLUMN_I64, UNIT_COUNT}};
    Error error = {0};
    Store *store = open_store(STORE_WRITE);
    CHECK_OK(write_numbers(store, "numbers", TABLE_APPEND, 1, first, 1, &error));
    CU_ASSERT_EQUAL(write_numbers(store, "numbers", TABLE_APPEND, 0, then, 1, &error), STATUS_BUG);
    CU_ASSERT_EQUAL(store_generation(store), 1);
    close_store(&store);
}

static void test_global(void)
{
    static const ColumnSpec specs[] = {{"number", COLUMN_I32, UNIT_COUNT},
                                       {"country", COLUMN_I16, UNIT_CODE}};
    Comm *comm = rank_comm();
    Error error = {0};
    Table rows = {0};
    Store *store = open_store(STORE_WRITE);
    CHECK_OK(store_read_global(comm, store, "countries", &rows, &error));
    CU_ASSERT_EQUAL(rows.rows, 0);
    CHECK_OK(write_numbers(store, "countries", TABLE_GLOBAL, 3, specs, 1, &error));
    CHECK_OK(write_numbers(store, "countries", TABLE_GLOBAL, 4, specs, 2, &error));
    CHECK_OK(store_read_global(comm, store, "countries", &rows, &error));
    CU_ASSERT_EQUAL(rows.rows, 7);
    for (int64_t i = 0; i < rows.rows && rows.n_columns == 2; i++)
        CU_ASSERT_EQUAL(((int32_t *)rows.columns[0].data)[i], i < 3 ? i : i - 3);
    CU_ASSERT_EQUAL(store_rows(store, "countries"), 7);
    table_free(&rows);
    close_store(&store);
}

/* A dictionary: texts, read on every rank. */
static void test_global_text(void)
{
    Comm *comm = rank_comm();
    Error error = {0};
    Table rows = {0};
    StoreBatch *batch = NULL;
    Store *store = open_store(STORE_WRITE);
    bool is_root = comm_rank(comm) == 0;
    int64_t count = model_rows(1, 1);
    model_init(&rows);
    CHECK_OK(is_root ? model_append(&rows, 1, 1, &error) : STATUS_OK);
    CHECK_OK(store_batch_begin(comm, store, &batch, &error));
    CHECK_OK(
        store_batch_write(comm, batch, "words", TABLE_GLOBAL, &rows, 0, is_root, &count, &error));
    CHECK_OK(store_batch_commit(comm, store, &batch, &error));
    table_free(&rows);
    CHECK_OK(store_read_global(comm, store, "words", &rows, &error));
    CU_ASSERT_EQUAL(rows.rows, count);
    CU_ASSERT(model_matches(&rows, 0, 1, 1));
    table_free(&rows);
    close_store(&store);
}

/* ---- orders ---- */

static void check_orders(Store *store, const ModelHistory *history, int last)
{
    static const char *const names[] = {"id", "note", "batch", "customer", "order"};
    Error error = {0};
    Table rows = {0};
    for (int32_t p = 0; p < MODEL_PARTITIONS; p++) {
        CHECK_OK(store_read_partition(store, "orders", p, NULL, 0, &rows, &error));
        CU_ASSERT(model_orders_match(history, last, p, &rows));
    }
    for (int32_t p = 0; p < MODEL_PARTITIONS; p++) {
        CHECK_OK(store_read_partition(store, "orders", p, names, 5, &rows, &error));
        /* Times are read only to merge batches. */
        CU_ASSERT_EQUAL(rows.n_columns, store_batch_count(store) > 1 ? 6 : 5);
        CU_ASSERT(model_orders_match(history, last, p, &rows));
        CHECK_OK(store_read_partition(store, "orders", p, names, 1, &rows, &error));
        CU_ASSERT_EQUAL(rows.n_columns, store_batch_count(store) > 1 ? 4 : 1);
    }
    CU_ASSERT_EQUAL(store_rows(store, "orders"), model_lines_in_force(history, last));
    table_free(&rows);
}

static void check_history(int64_t seed)
{
    Comm *comm = rank_comm();
    Error error = {0};
    ModelHistory history;
    Store *store = open_store(STORE_WRITE);
    model_history(&history, seed);
    for (int b = 0; b < MODEL_BATCHES; b++) {
        StoreBatch *batch = NULL;
        CHECK_OK(store_batch_begin(comm, store, &batch, &error));
        CHECK_OK(model_write_orders(comm, batch, &history, b, &error));
        CHECK_OK(store_batch_commit(comm, store, &batch, &error));
        check_orders(store, &history, b);
    }
    store_close(comm, &store);
    store = reopen(STORE_READ);
    check_orders(store, &history, MODEL_BATCHES - 1);
    close_store(&store);
}

static void test_orders_come_again(void)
{
    for (int64_t seed = 1; seed <= 3; seed++)
        check_history(seed);
}

/* More replaced than there is: our bug, found before anything is in force. */
static void test_replaced_too_much(void)
{
    Comm *comm = rank_comm();
    Error error = {0};
    StoreBatch *batch = NULL;
    Store *store = open_store(STORE_WRITE);
    CHECK_OK(store_batch_begin(comm, store, &batch, &error));
    store_batch_replaced(batch, 3, 1);
    CU_ASSERT_EQUAL(store_batch_commit(comm, store, &batch, &error), STATUS_BUG);
    CU_ASSERT_PTR_NULL(batch);
    CU_ASSERT_EQUAL(store_generation(store), 0);
    close_store(&store);
}

/* ---- balance ---- */

static void check_balance(const int64_t *weights, int32_t partitions, int size)
{
    int64_t total = 0, largest = 0;
    int32_t next = 0;
    for (int32_t p = 0; p < partitions; p++) {
        total += weights[p];
        largest = weights[p] > largest ? weights[p] : largest;
    }
    for (int rank = 0; rank < size; rank++) {
        int32_t begin, end;
        int64_t own = 0;
        store_balance(weights, partitions, rank, size, &begin, &end);
        CU_ASSERT_EQUAL(begin, next);
        CU_ASSERT(end >= begin);
        for (int32_t p = begin; p < end; p++)
            own += weights[p];
        CU_ASSERT(own <= total / size + 1 + largest);
        if (total == 0)
            CU_ASSERT(end - begin <= partitions / size + 1);
        next = end;
    }
    CU_ASSERT_EQUAL(next, partitions);
}

static void test_balance(void)
{
    int64_t weights[64];
    for (int32_t partitions = 1; partitions <= 64; partitions *= 2) {
        for (int kind = 0; kind < 5; kind++) {
            for (int32_t p = 0; p < partitions; p++) {
                int64_t noise = (int64_t)(model_noise(kind, p, partitions) % 1000);
                int64_t hot = p == partitions / 2 ? 1000000 : 0;
                const int64_t choices[] = {0, 1, noise, hot, noise < 700 ? 0 : noise << 40};
                weights[p] = choices[kind];
            }
            for (int size = 1; size <= 100; size += 1 + size / 3)
                check_balance(weights, partitions, size);
        }
    }
}

/* ---- the account of inputs ---- */

static void test_inputs(void)
{
    Comm *comm = rank_comm();
    Error error = {0};
    char path[] = "caf\xe9/a \"b\".csv";
    char database[] = "postgresql://shop@db/shop", column[] = "updated at", highest[] = "10";
    StoreBatch *batch = NULL;
    Store *store = open_store(STORE_WRITE);
    StoreInput input = {.table = "orders",
                        .path = path,
                        .bytes = 123,
                        .content_high = UINT64_MAX - 1,
                        .content_low = 5,
                        .counts = {10, 7, 3, 0, 1, 2}};
    for (int b = 0; b < 2; b++) {
        CHECK_OK(store_batch_begin(comm, store, &batch, &error));
        store_batch_add_input(batch, &input);
        input.content_low++;
        store_batch_add_input(batch, &input);
        highest[1] = (char)('0' + b);
        StoreInput rows = {
            .table = "events", .path = database, .watermark_column = column, .watermark = highest};
        store_batch_add_input(batch, &rows);
        CHECK_OK(store_batch_commit(comm, store, &batch, &error));
    }
    store_close(comm, &store);
    store = reopen(STORE_READ);
    RowCounts total = store_total_counts(store, "orders");
    CU_ASSERT_EQUAL(total.read, 40);
    CU_ASSERT_EQUAL(total.stored, 28);
    CU_ASSERT_EQUAL(total.rejected, 12);
    CU_ASSERT_EQUAL(total.unchanged, 0);
    CU_ASSERT_EQUAL(total.replaced_orders, 4);
    CU_ASSERT_EQUAL(total.replaced_rows, 8);
    CU_ASSERT_EQUAL(store_total_counts(store, "products").read, 0);
    const StoreInput *found = store_find_input(store, "orders", UINT64_MAX - 1, 7, 123);
    CU_ASSERT_PTR_NOT_NULL(found);
    if (found)
        CU_ASSERT_STRING_EQUAL(found->path, "caf?/a \"b\".csv");
    CU_ASSERT_PTR_NULL(store_find_input(store, "events", UINT64_MAX - 1, 7, 123));
    CU_ASSERT_PTR_NULL(store_find_input(store, "orders", UINT64_MAX - 1, 7, 124));
    CU_ASSERT_PTR_NULL(store_find_input(store, "orders", UINT64_MAX - 1, 9, 123));
    found = store_newest_input(store, "events", database);
    CU_ASSERT_PTR_NOT_NULL(found);
    if (found) {
        CU_ASSERT_STRING_EQUAL(found->watermark_column, "updated at");
        CU_ASSERT_STRING_EQUAL(found->watermark, "11");
    }
    CU_ASSERT_PTR_NULL(store_newest_input(store, "orders", database));
    found = store_newest_input(store, "orders", "caf?/a \"b\".csv");
    CU_ASSERT_PTR_NOT_NULL(found);
    if (found)
        CU_ASSERT_PTR_NULL(found->watermark);
    close_store(&store);
}

/* ---- rejects ---- */

static void check_file(const char *name, const char *expected)
{
    Error error = {0};
    Buffer text = {0};
    char path[MODEL_PATH_SIZE + 64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (!expected) {
        CU_ASSERT_FALSE(files_exist(path));
        return;
    }
    CHECK_OK(files_read_small(path, 1 << 20, &text, &error));
    CU_ASSERT_STRING_EQUAL(buffer_string(&text), expected);
    buffer_free(&text);
}

static void write_rejects(Store *store, const char *header, bool has_own, const char *what)
{
    Comm *comm = rank_comm();
    Error error = {0};
    Buffer own = {0};
    StoreBatch *batch = NULL;
    if (has_own)
        buffer_printf(&own, "%d,%s\n", comm_rank(comm), what);
    CHECK_OK(store_batch_begin(comm, store, &batch, &error));
    CHECK_OK(store_batch_write_rejects(comm, batch, "orders",
                                       bytes_of(comm_rank(comm) == 0 ? header : ""),
                                       buffer_view(&own), &error));
    store_batch_discard(comm, &batch);
    CU_ASSERT_PTR_NULL(batch);
    buffer_free(&own);
}

static void test_rejects(void)
{
    Comm *comm = rank_comm();
    int size = comm_size(comm);
    Store *store = open_store(STORE_WRITE);
    Buffer first = {0}, second = {0};
    buffer_append_string(&first, "rank,why\n");
    buffer_append_string(&second, "rank,why\n");
    for (int r = 0; r < size; r++) {
        if (r % 2 == 0)
            buffer_printf(&first, "%d,caf\xc3\xa9\n", r);
        buffer_printf(&second, "%d,b\n", r);
    }
    write_rejects(store, "rank,why\n", false, "");
    check_file("rejects/000001-orders.csv", NULL);
    for (int i = 0; i < 2; i++) {
        write_rejects(store, "rank,why\n", comm_rank(comm) % 2 == 0, "caf\xc3\xa9");
        check_file("rejects/000001-orders.csv", buffer_string(&first));
        check_file("rejects/000001-orders.csv.old", NULL);
        comm_barrier(comm);
    }
    write_rejects(store, "rank,why\n", true, "b");
    check_file("rejects/000001-orders.csv", buffer_string(&second));
    check_file("rejects/000001-orders.csv.old", buffer_string(&first));
    buffer_free(&first);
    buffer_free(&second);
    close_store(&store);
}

CU_TestInfo store_tests[] = {{"create", test_create},
                             {"create_refuses", test_create_refuses},
                             {"modes", test_modes},
                             {"round_trip", test_round_trip},
                             {"transfers", test_transfers},
                             {"later_columns", test_later_columns},
                             {"type_is_kept", test_type_is_kept},
                             {"global", test_global},
                             {"global_text", test_global_text},
                             {"orders_come_again", test_orders_come_again},
                             {"replaced_too_much", test_replaced_too_much},
                             {"balance", test_balance},
                             {"inputs", test_inputs},
                             {"rejects", test_rejects},
                             CU_TEST_INFO_NULL};
