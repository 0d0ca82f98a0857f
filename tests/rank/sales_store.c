/* A random shop into a store, batch by batch, as ingest would leave it; see sales_store.h. */
#include "rank/sales_store.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>

/* Orders the lines of one partition and batch as the store wants them. */
static int compare_lines(const void *a, const void *b)
{
    const ModelLine *x = a, *y = b;
    /* Anonymous ones last. */
    uint32_t left = (uint32_t)model_customer_code(x), right = (uint32_t)model_customer_code(y);
    if (left != right)
        return left < right ? -1 : 1;
    if (x->ts_us != y->ts_us)
        return x->ts_us < y->ts_us ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Copies of the lines of one partition and batch, in their order in the store (mem_free). */
static ModelLine *stored_lines(const ModelShop *shop, int32_t batch, int32_t partition, int64_t *n)
{
    ModelLine *lines = mem_new(shop->n, sizeof *lines);
    *n = 0;
    for (int64_t i = 0; i < shop->n; i++) {
        const ModelLine *line = &shop->lines[i];
        if (line->batch == batch && model_partition(line) == partition)
            lines[(*n)++] = *line;
    }
    qsort(lines, (size_t)*n, sizeof *lines, compare_lines);
    return lines;
}

static const ColumnSpec order_columns[] = {
    {"customer", COLUMN_I32, UNIT_CODE}, {"order", COLUMN_I32, UNIT_CODE},
    {"ts_us", COLUMN_I64, UNIT_TIME_US}, {"day", COLUMN_I32, UNIT_DAY},
    {"product", COLUMN_I32, UNIT_CODE},  {"quantity", COLUMN_I32, UNIT_COUNT},
    {"cancelled", COLUMN_I8, UNIT_BOOL}, {"unit_price", COLUMN_I64, UNIT_MONEY_MINOR},
    {"country", COLUMN_I16, UNIT_CODE},
};
enum { N_ORDER_COLUMNS = sizeof order_columns / sizeof *order_columns };

static Status add_order_line(Table *rows, const ModelLine *line, int32_t order, Error *error)
{
    Status status = table_add_row(rows, error);
    if (status != STATUS_OK)
        return status;
    int64_t row = rows->rows - 1;
    ((int32_t *)table_column(rows, "customer")->data)[row] = model_customer_code(line);
    ((int32_t *)table_column(rows, "order")->data)[row] = order;
    ((int64_t *)table_column(rows, "ts_us")->data)[row] = line->ts_us;
    ((int32_t *)table_column(rows, "day")->data)[row] = line->day;
    ((int32_t *)table_column(rows, "product")->data)[row] = line->product;
    ((int32_t *)table_column(rows, "quantity")->data)[row] = line->quantity;
    ((int8_t *)table_column(rows, "cancelled")->data)[row] = line->cancelled;
    ((int64_t *)table_column(rows, "unit_price")->data)[row] = line->price;
    Column *country = table_find(rows, "country");
    if (country)
        ((int16_t *)country->data)[row] = (int16_t)line->country;
    return STATUS_OK;
}

/* One partition's lines, and in `replaced` its orders that batch 1 puts out of force. */
static Status add_partition(const ModelShop *shop, int32_t batch, int32_t partition,
                            StoreBatch *into, Table *rows, Table *replaced, int64_t *n_replaced,
                            Error *error)
{
    Status status = STATUS_OK;
    int64_t n, rows_replaced = 0;
    int32_t order = -1;
    ModelLine *lines = stored_lines(shop, batch, partition, &n);
    for (int64_t i = 0; i < n; i++) {
        bool is_new = i == 0 || lines[i].order != lines[i - 1].order;
        order += is_new;
        if (rows)
            TRY(add_order_line(rows, &lines[i], order, error));
        if (!replaced || lines[i].in_force)
            continue;
        rows_replaced++;
        if (!is_new)
            continue;
        TRY(table_add_row(replaced, error));
        ((int32_t *)replaced->columns[0].data)[replaced->rows - 1] =
            (int32_t)store_batch_number(into) - 1;
        ((int32_t *)replaced->columns[1].data)[replaced->rows - 1] = order;
        (*n_replaced)++;
    }
    if (rows_replaced > 0)
        store_batch_replaced(into, partition, rows_replaced);
out:
    mem_free(&lines);
    return status;
}

typedef void TextOf(int32_t code, char text[MODEL_TEXT_SIZE]);

static const ColumnSpec text_column = {"text", COLUMN_TEXT, UNIT_NONE};

static Status add_text(Table *rows, int32_t code, TextOf *text_of, Error *error)
{
    char text[MODEL_TEXT_SIZE];
    Status status = table_add_row(rows, error);
    if (status != STATUS_OK)
        return status;
    text_of(code, text);
    return table_set_last_text(rows, &rows->columns[0], bytes_of(text), error);
}

/* This batch's share of a dictionary: [0, n / 2), then the rest. */
static Status write_dictionary(Comm *comm, const ModelShop *shop, StoreBatch *batch, int32_t number,
                               const char *name, int32_t n, TextOf *text_of, Error *error)
{
    Status status = STATUS_OK;
    Table rows = {0};
    table_init(&rows, &text_column, 1);
    bool root = comm_rank(comm) == 0;
    int32_t middle = shop->shape.batches > 1 ? n / 2 : n;
    int32_t begin = number == 0 ? 0 : middle, end = number == 0 ? middle : n;
    Status own = STATUS_OK;
    for (int32_t code = begin; root && code < end && own == STATUS_OK; code++)
        own = add_text(&rows, code, text_of, error);
    TRY(comm_agree(comm, own, error));
    int64_t count = rows.rows;
    TRY(store_batch_write(comm, batch, name, TABLE_GLOBAL, &rows, 0, root, &count, error));
out:
    table_free(&rows);
    return status;
}

/* All customers are known from the first batch on. */
static Status write_customers(Comm *comm, const ModelShop *shop, StoreBatch *batch, int32_t begin,
                              int32_t end, Error *error)
{
    Status status = STATUS_OK, own = STATUS_OK;
    Table rows = {0};
    int64_t counts[MODEL_PARTITIONS] = {0};
    table_init(&rows, &text_column, 1);
    for (int32_t p = begin; p < end; p++) {
        for (int32_t c = p; c < shop->shape.customers && own == STATUS_OK; c += MODEL_PARTITIONS) {
            own = add_text(&rows, c, customer_text, error);
            counts[p - begin]++;
        }
    }
    TRY(comm_agree(comm, own, error));
    TRY(store_batch_write(comm, batch, "customer_ids", TABLE_APPEND, &rows, begin, end - begin,
                          counts, error));
out:
    table_free(&rows);
    return status;
}

static Status write_orders(Comm *comm, const ModelShop *shop, StoreBatch *batch, int32_t number,
                           int32_t begin, int32_t end, Error *error)
{
    static const ColumnSpec replaced_columns[] = {{"batch", COLUMN_I32, UNIT_NONE},
                                                  {"order", COLUMN_I32, UNIT_CODE}};
    Status status = STATUS_OK, own = STATUS_OK;
    Table rows = {0}, replaced = {0};
    int64_t counts[MODEL_PARTITIONS] = {0}, replaced_counts[MODEL_PARTITIONS] = {0};
    table_init(&rows, order_columns, N_ORDER_COLUMNS - (shop->shape.countries == 0));
    table_init(&replaced, replaced_columns, 2);
    for (int32_t p = begin; p < end && own == STATUS_OK; p++) {
        int64_t before = rows.rows;
        own = add_partition(shop, number, p, batch, &rows, NULL, NULL, error);
        counts[p - begin] = rows.rows - before;
        if (own == STATUS_OK && number == 1)
            own = add_partition(shop, 0, p, batch, NULL, &replaced, &replaced_counts[p - begin],
                                error);
    }
    TRY(comm_agree(comm, own, error));
    TRY(store_batch_write(comm, batch, "orders", TABLE_ORDER_LINES, &rows, begin, end - begin,
                          counts, error));
    if (number == 1)
        TRY(store_batch_write(comm, batch, "order_replaced", TABLE_APPEND, &replaced, begin,
                              end - begin, replaced_counts, error));
out:
    table_free(&rows);
    table_free(&replaced);
    return status;
}

static Status write_shop(Comm *comm, const ModelShop *shop, Store *store, Error *error)
{
    Status status = STATUS_OK;
    StoreBatch *batch = NULL;
    int32_t begin = MODEL_PARTITIONS * comm_rank(comm) / comm_size(comm);
    int32_t end = MODEL_PARTITIONS * (comm_rank(comm) + 1) / comm_size(comm);
    for (int32_t number = 0; number < shop->shape.batches; number++) {
        TRY(store_batch_begin(comm, store, &batch, error));
        TRY(write_dictionary(comm, shop, batch, number, "dictionary_product", shop->shape.products,
                             product_text, error));
        if (shop->shape.countries > 0)
            TRY(write_dictionary(comm, shop, batch, number, "dictionary_country",
                                 shop->shape.countries, country_text, error));
        if (number == 0 && shop->shape.customers > 0)
            TRY(write_customers(comm, shop, batch, begin, end, error));
        TRY(write_orders(comm, shop, batch, number, begin, end, error));
        TRY(store_batch_commit(comm, store, &batch, error));
    }
out:
    store_batch_discard(comm, &batch);
    return status;
}

Status model_shop_store(Comm *comm, const char *folder, const ModelShop *shop, Store **store,
                        Error *error)
{
    static const StoreSettings settings = {
        .partitions = MODEL_PARTITIONS, .money_decimals = 2, .time_zone = "UTC", .currency = "EUR"};
    Status status = STATUS_OK;
    char path[SHOP_PATH_SIZE + 8];
    (void)snprintf(path, sizeof path, "%s/store", folder);
    TRY(store_create(comm, path, &settings, error));
    TRY(store_open(comm, path, STORE_WRITE, store, error));
    TRY(write_shop(comm, shop, *store, error));
out:
    return status;
}
