/* What is known before the first line (shop.h), and the lines as the accumulators see them
 * (line_reader.h), from a small store that is written down here. */
#include "sales/line_reader.h"

#include "base/log.h"
#include "base/memory.h"
#include "rank/suites.h"

#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 512, PARTITIONS = 2 };

/* ---- a table written down as text ---- */

/* Rows of one partition: values with blanks between, one row a line; texts as they are, `-` for an
 * empty one. */
typedef struct Written {
    const char *table;
    TableKind kind;
    int n_columns;
    ColumnSpec columns[12];
    const char *rows[PARTITIONS]; /* of a global table the first */
} Written;

static Status add_value(Table *rows, Column *column, const char *word, Error *error)
{
    int64_t row = rows->rows - 1, number = strtoll(word, NULL, 10);
    switch (column->type) {
    case COLUMN_TEXT:
        return table_set_last_text(rows, column, bytes_of(strcmp(word, "-") == 0 ? "" : word),
                                   error);
    case COLUMN_I8:
        ((int8_t *)column->data)[row] = (int8_t)number;
        return STATUS_OK;
    case COLUMN_I16:
        ((int16_t *)column->data)[row] = (int16_t)number;
        return STATUS_OK;
    case COLUMN_I32:
        ((int32_t *)column->data)[row] = (int32_t)number;
        return STATUS_OK;
    default:
        ((int64_t *)column->data)[row] = number;
        return STATUS_OK;
    }
}

static Status add_rows(Table *rows, const char *text, int64_t *count, Error *error)
{
    Status status = STATUS_OK;
    char *copy = mem_copy_string(text), *place = NULL;
    for (char *line = strtok_r(copy, "\n", &place); line; line = strtok_r(NULL, "\n", &place)) {
        char *in_line = NULL;
        char *word = strtok_r(line, " ", &in_line);
        TRY(table_add_row(rows, error));
        for (int c = 0; c < rows->n_columns; c++, word = strtok_r(NULL, " ", &in_line))
            TRY(add_value(rows, &rows->columns[c], word, error));
        (*count)++;
    }
out:
    mem_free(&copy);
    return status;
}

/* All of it by rank 0. */
static Status write_table(Comm *comm, StoreBatch *batch, const Written *written, Error *error)
{
    Status status = STATUS_OK, own = STATUS_OK;
    Table rows = {0};
    int64_t counts[PARTITIONS] = {0};
    bool is_root = comm_rank(comm) == 0;
    int32_t n = !is_root ? 0 : written->kind == TABLE_GLOBAL ? 1 : PARTITIONS;
    table_init(&rows, written->columns, written->n_columns);
    for (int32_t p = 0; p < n && own == STATUS_OK; p++)
        own = add_rows(&rows, written->rows[p], &counts[p], error);
    TRY(comm_agree(comm, own, error));
    TRY(store_batch_write(comm, batch, written->table, written->kind, &rows, 0, n, counts, error));
out:
    table_free(&rows);
    return status;
}

#define TEXTS(name, all)                                                                           \
    {                                                                                              \
        "dictionary_" name, TABLE_GLOBAL, 1, {{"text", COLUMN_TEXT, UNIT_NONE}},                   \
        {                                                                                          \
            all, NULL                                                                              \
        }                                                                                          \
    }
#define CODE(name, type)                                                                           \
    {                                                                                              \
        name, COLUMN_##type, UNIT_CODE                                                             \
    }

static const ColumnSpec count_column = {"quantity", COLUMN_I32, UNIT_COUNT};

static const Written first_batch[] = {
    TEXTS("product", "pear\napple\nfig"),
    TEXTS("category", "fruit/stone/sweet\nfruit/core\nfruit/stone\nfruit"),
    TEXTS("country", "Peru\nChad"),
    TEXTS("segment", "trade\nhome"),
    {"products",
     TABLE_GLOBAL,
     8,
     {CODE("product", I32),
      CODE("category", I32),
      CODE("brand", I32),
      {"price", COLUMN_I64, UNIT_MONEY_MINOR},
      {"cost", COLUMN_I64, UNIT_MONEY_MINOR},
      {"stock", COLUMN_I64, UNIT_COUNT},
      {"active", COLUMN_I8, UNIT_BOOL},
      {"lead_time_days", COLUMN_I32, UNIT_COUNT}},
     {"0 1 -1 300 200 7 1 3\n1 1 -1 150 90 0 1 4", NULL}},
    {"customers",
     TABLE_APPEND,
     2,
     {CODE("customer", I32), CODE("segment", I16)},
     {"0 0\n2 1\n0 1", ""}},
    /* 1711846800 is 2024-03-31 01:00 UTC, when Europe/London goes from 01:00 to 02:00. */
    {"orders",
     TABLE_ORDER_LINES,
     9,
     {CODE("customer", I32),
      {"order", COLUMN_I32, UNIT_NONE},
      {"ts_us", COLUMN_I64, UNIT_TIME_US},
      {"day", COLUMN_I32, UNIT_DAY},
      CODE("product", I32),
      {"quantity", COLUMN_I32, UNIT_COUNT},
      {"unit_price", COLUMN_I64, UNIT_MONEY_MINOR},
      {"cancelled", COLUMN_I8, UNIT_BOOL},
      CODE("country", I16)},
     {"0 0 1711846799000000 19813 0 -1 300 0 0\n"
      "0 1 1711846800000000 19813 1 2 150 0 1\n"
      "0 1 1711846800000000 19812 1 2 150 0 -1\n"
      "0 2 1711933200000000 19814 0 1 300 0 0\n"
      "1 3 1711933200000000 19814 0 1 300 1 0\n"
      "2 4 -3600000001 -1 2 5 10 0 1\n"
      "-1 5 1711933200000000 19814 0 1 300 0 0",
      ""}},
};

/* The first batch has no terms of orders: it is of an older store. */
static const Written second_batch[] = {
    TEXTS("brand", "Acme"),
    {"products",
     TABLE_GLOBAL,
     12,
     {CODE("product", I32),
      CODE("category", I32),
      CODE("brand", I32),
      {"price", COLUMN_I64, UNIT_MONEY_MINOR},
      {"cost", COLUMN_I64, UNIT_MONEY_MINOR},
      {"stock", COLUMN_I64, UNIT_COUNT},
      {"active", COLUMN_I8, UNIT_BOOL},
      {"lead_time_days", COLUMN_I32, UNIT_COUNT},
      {"on_order", COLUMN_I64, UNIT_COUNT},
      {"pack_size", COLUMN_I32, UNIT_COUNT},
      {"least_order", COLUMN_I64, UNIT_COUNT},
      {"order_cost", COLUMN_I64, UNIT_MONEY_MINOR}},
     {"1 0 0 160 -9223372036854775808 12 0 -1 -9223372036854775808 6 24 900", NULL}},
};

static Status write_batch(Comm *comm, Store *store, const Written *tables, size_t n, Error *error)
{
    Status status = STATUS_OK;
    StoreBatch *batch = NULL;
    TRY(store_batch_begin(comm, store, &batch, error));
    for (size_t i = 0; i < n; i++)
        TRY(write_table(comm, batch, &tables[i], error));
    TRY(store_batch_commit(comm, store, &batch, error));
out:
    store_batch_discard(comm, &batch);
    return status;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info, (void)type, (void)where;
    return remove(path);
}

typedef void Look(const Shop *shop, Store *store);

/* Make the store with so many batches, and let `look` see its shop. */
static void with_shop(int batches, Look *look)
{
    static const StoreSettings settings = {.partitions = PARTITIONS,
                                           .money_decimals = 2,
                                           .time_zone = "Europe/London",
                                           .currency = "GBP"};
    Comm *comm = rank_comm();
    Error error = {0};
    Status status = STATUS_OK;
    Store *store = NULL;
    Shop shop = {0};
    char folder[PATH_SIZE], path[PATH_SIZE + 8];
    log_init(comm_rank(comm), LOG_ERROR);
    (void)snprintf(folder, sizeof folder, "%s/vesper-shop.XXXXXX",
                   getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (comm_rank(comm) == 0)
        CU_ASSERT_PTR_NOT_NULL(mkdtemp(folder));
    comm_broadcast(comm, 0, folder, sizeof folder);
    (void)snprintf(path, sizeof path, "%s/store", folder);
    TRY(store_create(comm, path, &settings, &error));
    TRY(store_open(comm, path, STORE_WRITE, &store, &error));
    if (batches > 0)
        TRY(write_batch(comm, store, first_batch, sizeof first_batch / sizeof *first_batch,
                        &error));
    if (batches > 1)
        TRY(write_batch(comm, store, second_batch, sizeof second_batch / sizeof *second_batch,
                        &error));
    TRY(shop_open(comm, store, &shop, &error));
    look(&shop, store);
out:
    CU_ASSERT_EQUAL(status, STATUS_OK);
    if (status != STATUS_OK)
        (void)fprintf(stderr, "%s\n", error.message);
    shop_free(&shop);
    store_close(comm, &store);
    comm_barrier(comm);
    if (comm_rank(comm) == 0)
        CU_ASSERT_EQUAL(nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* ---- tests ---- */

static void look_at_nothing(const Shop *shop, Store *store)
{
    LineReader reader;
    OrderLines lines;
    Error error = {0};
    CU_ASSERT(shop->product.count == 0 && shop->first_day == DAY_NONE && shop->as_of == DAY_NONE);
    CU_ASSERT_EQUAL(line_reader_init(&reader, store, shop, LINES_RETURNING | LINES_HOUR, &error),
                    STATUS_OK);
    CU_ASSERT_EQUAL(line_reader_read(&reader, 0, &lines, &error), STATUS_OK);
    CU_ASSERT_EQUAL(lines.n, 0);
    line_reader_free(&reader);
}

static void look_at_names(const Shop *shop, Store *store)
{
    (void)store;
    CU_ASSERT(shop->product.count == 3 && shop->channel.count == 0);
    CU_ASSERT(shop->product.place[0] == 2 && shop->product.place[1] == 0 &&
              shop->product.place[2] == 1);
    CU_ASSERT(shop->product.code[0] == 1 && shop->product.code[1] == 2);
    CU_ASSERT_EQUAL(names_find(&shop->product, bytes_of("fig")), 2);
    CU_ASSERT_EQUAL(names_find(&shop->product, bytes_of("figs")), -1);
    CU_ASSERT_EQUAL(names_find(&shop->product, bytes_of("")), -1);
    CU_ASSERT_EQUAL(names_find(&shop->channel, bytes_of("web")), -1);
    CU_ASSERT(bytes_equal(names_text(&shop->country, 1), bytes_of("Chad")));
    CU_ASSERT_EQUAL(names_text(&shop->country, -1).size, 0);
    CU_ASSERT(shop->first_day == -1 && shop->last_day == 19814 && shop->as_of == 19814);
    CU_ASSERT(shop->catalogue.is_listed[0] && !shop->catalogue.is_listed[2]);
    CU_ASSERT(shop->catalogue.cost[0] == 200 && shop->catalogue.cost[2] == MONEY_NONE);
    CU_ASSERT(shop->catalogue.stock[2] == INT64_MIN && shop->catalogue.category[2] == -1);
    CU_ASSERT(shop->catalogue.lead_time_days[1] == 4 && shop->catalogue.lead_time_days[2] == -1);
    CU_ASSERT(shop->catalogue.pack_size[1] == 1 && shop->catalogue.order_cost[1] == MONEY_NONE);
}

static void look_at_levels(const Shop *shop, Store *store)
{
    (void)store;
    const CategoryLevel *one = &shop->levels[1], *two = &shop->levels[2];
    CU_ASSERT(one->names.count == 1 && bytes_equal(names_text(&one->names, 0), bytes_of("fruit")));
    CU_ASSERT_EQUAL(two->names.count, 3);
    CU_ASSERT_EQUAL(two->of_category[0], two->of_category[2]);
    CU_ASSERT(bytes_equal(names_text(&two->names, two->of_category[3]), bytes_of("fruit")));
    CU_ASSERT_EQUAL(shop->levels[0].names.count, 4);
    CU_ASSERT_EQUAL(shop->levels[CATEGORY_LEVELS_MAX].names.count, 4);
}

/* The later row of a product counts, in all of its columns. */
static void look_at_later_catalogue(const Shop *shop, Store *store)
{
    (void)store;
    const Catalogue *catalogue = &shop->catalogue;
    CU_ASSERT(catalogue->price[1] == 160 && catalogue->cost[1] == MONEY_NONE);
    CU_ASSERT(catalogue->stock[1] == 12 && !catalogue->is_active[1] && catalogue->is_active[0]);
    CU_ASSERT(catalogue->category[1] == 0 && catalogue->brand[1] == 0 && catalogue->brand[0] == -1);
    CU_ASSERT_EQUAL(catalogue->price[0], 300);
    CU_ASSERT(catalogue->lead_time_days[0] == 3 && catalogue->lead_time_days[1] == -1);
    CU_ASSERT(catalogue->on_order[1] == 0 && catalogue->pack_size[1] == 6);
    CU_ASSERT(catalogue->least_order[1] == 24 && catalogue->order_cost[1] == 900);
    CU_ASSERT(catalogue->pack_size[0] == 1 && catalogue->least_order[0] == 0);
}

static void look_at_lines(const Shop *shop, Store *store)
{
    static const int8_t hours[] = {0, 2, 2, 2, 2, 23, 2}, returning[] = {0, 0, 0, 1, 0, 0, -1};
    static const int32_t order_days[] = {DAY_NONE, 19812, 19812, 19814, DAY_NONE, -1, 19814};
    static const int32_t cohorts[] = {650, 650, 650, 650, DAY_NONE, -1, DAY_NONE};
    static const int32_t segments[] = {1, 1, 1, 1, -1, 1, -1}, countries[] = {0, 1, -1, 0, 0, 1, 0};
    LineReader reader;
    OrderLines lines;
    Error error = {0};
    const uint32_t needs = LINES_HOUR | LINES_SEGMENT | LINES_RETURNING | LINES_ORDER_DAY |
                           LINES_COHORT | LINES_COUNTRY | LINES_CHANNEL | LINES_DISCOUNT;
    CU_ASSERT_EQUAL(line_reader_init(&reader, store, shop, needs, &error), STATUS_OK);
    Status status = line_reader_read(&reader, 0, &lines, &error);
    CU_ASSERT(status == STATUS_OK && lines.n == 7);
    CU_ASSERT(lines.channel == NULL && lines.discount == NULL);
    for (int64_t i = 0; status == STATUS_OK && i < lines.n; i++) {
        CU_ASSERT_EQUAL(lines.hour[i], hours[i]);
        CU_ASSERT_EQUAL(lines.returning[i], returning[i]);
        CU_ASSERT_EQUAL(lines.order_day[i], order_days[i]);
        CU_ASSERT_EQUAL(lines.cohort[i], cohorts[i]);
        CU_ASSERT_EQUAL(lines.segment[i], segments[i]);
        CU_ASSERT_EQUAL(lines.country[i], countries[i]);
    }
    CU_ASSERT_EQUAL(line_reader_read(&reader, 1, &lines, &error), STATUS_OK);
    CU_ASSERT_EQUAL(lines.n, 0);
    line_reader_free(&reader);
}

/* How many lines there are is always known, and nothing more is read than is needed. */
static void look_at_few_columns(const Shop *shop, Store *store)
{
    LineReader reader;
    OrderLines lines;
    Error error = {0};
    CU_ASSERT_EQUAL(line_reader_init(&reader, store, shop, 0, &error), STATUS_OK);
    CU_ASSERT_EQUAL(line_reader_read(&reader, 0, &lines, &error), STATUS_OK);
    CU_ASSERT(lines.n == 7 && lines.customer == NULL && lines.day == NULL);
    CU_ASSERT_EQUAL(reader.rows.n_columns, 1);
    line_reader_free(&reader);
    CU_ASSERT_EQUAL(line_reader_init(&reader, store, shop, LINES_QUANTITY, &error), STATUS_OK);
    CU_ASSERT_EQUAL(line_reader_read(&reader, 0, &lines, &error), STATUS_OK);
    CU_ASSERT(lines.n == 7 && reader.rows.n_columns == 1);
    CU_ASSERT_STRING_EQUAL(reader.rows.columns[0].name, count_column.name);
    line_reader_free(&reader);
}

static void test_empty_store(void)
{
    with_shop(0, look_at_nothing);
}

static void test_names(void)
{
    with_shop(1, look_at_names);
    with_shop(1, look_at_levels);
}

static void test_later_catalogue(void)
{
    with_shop(2, look_at_later_catalogue);
}

static void test_lines(void)
{
    with_shop(1, look_at_lines);
    with_shop(2, look_at_lines);
    with_shop(1, look_at_few_columns);
}

CU_TestInfo shop_tests[] = {
    {"an empty store", test_empty_store},
    {"names and category levels", test_names},
    {"the later catalogue row counts", test_later_catalogue},
    {"lines and what is derived from them", test_lines},
    CU_TEST_INFO_NULL,
};
