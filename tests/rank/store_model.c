/* The model of the store tests; see store_model.h. */
#include "rank/store_model.h"

#include "base/hash.h"
#include "base/memory.h"
#include "store/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const ColumnSpec columns[MODEL_COLUMNS] = {
    {"flag", COLUMN_I8, UNIT_BOOL},   {"country", COLUMN_I16, UNIT_CODE},
    {"day", COLUMN_I32, UNIT_DAY},    {"amount", COLUMN_I64, UNIT_MONEY_MINOR},
    {"score", COLUMN_F64, UNIT_NONE}, {"name", COLUMN_TEXT, UNIT_NONE},
};

bool model_make_folder(Comm *comm, char path[MODEL_PATH_SIZE])
{
    const char *base = getenv("TMPDIR");
    int64_t made = 0;
    memset(path, 0, MODEL_PATH_SIZE);
    if (comm_rank(comm) == 0) {
        snprintf(path, MODEL_PATH_SIZE, "%s/vesper-store.XXXXXX", base ? base : "/tmp");
        made = mkdtemp(path) != NULL;
    }
    comm_broadcast(comm, 0, path, MODEL_PATH_SIZE);
    comm_sum_i64(comm, &made, 1);
    return made == 1;
}

bool model_remove_folder(Comm *comm, const char *path)
{
    Error error = {0};
    comm_barrier(comm);
    Status status = comm_rank(comm) == 0 ? files_remove(path, &error) : STATUS_OK;
    return comm_agree(comm, status, &error) == STATUS_OK;
}

Status model_store(Comm *comm, const char *path, StoreMode mode, Store **store, Error *error)
{
    static const StoreSettings settings = {.partitions = MODEL_PARTITIONS,
                                           .money_decimals = 2,
                                           .time_zone = "Europe/London",
                                           .currency = "GBP"};
    Status status;
    *store = NULL;
    TRY(store_create(comm, path, &settings, error));
    TRY(store_open(comm, path, mode, store, error));
out:
    return status;
}

int32_t model_first_partition(int rank, int size)
{
    return (int32_t)model_first(MODEL_PARTITIONS, rank, size);
}

/* ---- every type ---- */

void model_init(Table *table)
{
    table_init(table, columns, MODEL_COLUMNS);
}

int64_t model_rows(int batch, int32_t partition)
{
    return (partition + batch) % 3 == 0 ? 0 : (int64_t)(model_noise(batch, partition, -1) % 40);
}

/* The text of a row: empty, short, or long, with letters of more than one byte. */
static int64_t model_text(uint64_t noise, char text[256])
{
    int length = noise % 5 == 0 ? 0 : (int)(noise % 60);
    int64_t size = 0;
    for (int i = 0; i < length; i++) {
        const char *letter = (noise >> (i % 30)) % 4 == 0 ? "\xc3\xa9" : "x";
        memcpy(text + size, letter, strlen(letter));
        size += (int64_t)strlen(letter);
    }
    return size;
}

static void set_row(Table *table, int64_t row, uint64_t noise)
{
    int8_t *flag = table->columns[0].data;
    int16_t *country = table->columns[1].data;
    int32_t *day = table->columns[2].data;
    int64_t *amount = table->columns[3].data;
    double *score = table->columns[4].data;
    flag[row] = (int8_t)(noise & 1);
    country[row] = (int16_t)(noise % 200) - 1;
    day[row] = (int32_t)(noise >> 33);
    amount[row] = (int64_t)noise;
    score[row] = (double)(int64_t)noise / 3.0;
}

Status model_append(Table *table, int batch, int32_t partition, Error *error)
{
    Status status = STATUS_OK;
    char text[256];
    for (int64_t i = 0; i < model_rows(batch, partition); i++) {
        uint64_t noise = model_noise(batch, partition, i);
        TRY(table_add_row(table, error));
        set_row(table, table->rows - 1, noise);
        int64_t size = model_text(noise, text);
        TRY(table_set_last_text(table, &table->columns[5], (Bytes){text, size}, error));
    }
out:
    return status;
}

static bool same_value(const Column *found, int64_t at, const Column *made, int64_t i)
{
    size_t width = column_width(made->type);
    if (found->type != made->type || found->unit != made->unit)
        return false;
    if (made->type == COLUMN_TEXT)
        return bytes_equal(column_text(found, at), column_text(made, i));
    return memcmp((const char *)found->data + (size_t)at * width,
                  (const char *)made->data + (size_t)i * width, width) == 0;
}

bool model_matches(const Table *rows, int64_t at, int batch, int32_t partition)
{
    Table made;
    Error error;
    model_init(&made);
    bool matches =
        model_append(&made, batch, partition, &error) == STATUS_OK && rows->rows - at >= made.rows;
    for (int c = 0; c < MODEL_COLUMNS && matches; c++) {
        const Column *found = table_find_const(rows, columns[c].name);
        for (int64_t i = 0; found && i < made.rows && matches; i++)
            matches = same_value(found, at + i, &made.columns[c], i);
    }
    table_free(&made);
    return matches;
}

static Status make_own(Table *table, int number, int32_t first, int32_t n, int64_t *counts,
                       Error *error)
{
    Status status = STATUS_OK;
    for (int32_t p = 0; p < n; p++) {
        counts[p] = model_rows(number, first + p);
        TRY(model_append(table, number, first + p, error));
    }
out:
    return status;
}

Status model_write(Comm *comm, StoreBatch *batch, const char *name, int number, Error *error)
{
    Status status;
    Table table;
    int64_t counts[MODEL_PARTITIONS];
    int32_t first = model_first_partition(comm_rank(comm), comm_size(comm));
    int32_t n = model_first_partition(comm_rank(comm) + 1, comm_size(comm)) - first;
    model_init(&table);
    TRY_ALL(comm, make_own(&table, number, first, n, counts, error), error);
    TRY(store_batch_write(comm, batch, name, TABLE_APPEND, &table, first, n, counts, error));
out:
    table_free(&table);
    return status;
}

Status model_commit(Comm *comm, Store *store, const char *name, Error *error)
{
    Status status;
    StoreBatch *batch = NULL;
    TRY(store_batch_begin(comm, store, &batch, error));
    TRY(model_write(comm, batch, name, (int)store_batch_number(batch), error));
    TRY(store_batch_commit(comm, store, &batch, error));
out:
    store_batch_discard(comm, &batch);
    return status;
}

/* ---- orders ---- */

static void make_order(ModelOrder *order, int64_t seed, int b, int id)
{
    uint64_t who = model_noise(seed, id, -7);
    uint64_t what = model_noise(seed, id, b);
    order->is_there = what % 3 != 0;
    order->partition = (int32_t)(who % MODEL_PARTITIONS);
    order->customer = (int32_t)(who / MODEL_PARTITIONS % 4) - 1;
    order->n_lines = 1 + (int)(what / 3 % MODEL_LINES_MAX);
    order->earliest = INT64_MAX;
    for (int i = 0; i < order->n_lines; i++) {
        /* Few different times, some before 1970: ties are frequent. */
        order->ts_us[i] = (int64_t)(model_noise(what != 0, id % 5, b * 10 + i) % 7) - 3;
        if (order->ts_us[i] < order->earliest)
            order->earliest = order->ts_us[i];
    }
}

/* By customer with -1 last, then time. */
static int compare_orders(const ModelOrder *a, const ModelOrder *b)
{
    uint32_t left = (uint32_t)a->customer, right = (uint32_t)b->customer;
    if (left != right)
        return left < right ? -1 : 1;
    return (a->earliest > b->earliest) - (a->earliest < b->earliest);
}

void model_history(ModelHistory *history, int64_t seed)
{
    memset(history, 0, sizeof *history);
    for (int b = 0; b < MODEL_BATCHES; b++) {
        ModelOrder *orders = history->orders[b];
        for (int id = 0; id < MODEL_ORDERS; id++)
            make_order(&orders[id], seed, b, id);
        /* The code counts the orders of the partition that come before. */
        for (int id = 0; id < MODEL_ORDERS; id++) {
            for (int other = 0; other < MODEL_ORDERS; other++) {
                int order = compare_orders(&orders[other], &orders[id]);
                orders[id].code += orders[other].is_there && other != id &&
                                   orders[other].partition == orders[id].partition &&
                                   (order < 0 || (order == 0 && other < id));
            }
        }
    }
}

static int id_with_code(const ModelHistory *history, int b, int32_t partition, int32_t code)
{
    for (int id = 0; id < MODEL_ORDERS; id++) {
        const ModelOrder *order = &history->orders[b][id];
        if (order->is_there && order->partition == partition && order->code == code)
            return id;
    }
    return -1;
}

static const ColumnSpec line_columns[] = {
    {"customer", COLUMN_I32, UNIT_CODE}, {"order", COLUMN_I32, UNIT_NONE},
    {"ts_us", COLUMN_I64, UNIT_TIME_US}, {"id", COLUMN_I32, UNIT_NONE},
    {"batch", COLUMN_I32, UNIT_NONE},    {"note", COLUMN_TEXT, UNIT_NONE}};

static Status append_lines(Table *table, const ModelOrder *order, int id, int b, Error *error)
{
    Status status = STATUS_OK;
    char note[64];
    for (int i = 0; i < order->n_lines; i++) {
        TRY(table_add_row(table, error));
        int64_t row = table->rows - 1;
        ((int32_t *)table->columns[0].data)[row] = order->customer;
        ((int32_t *)table->columns[1].data)[row] = order->code;
        ((int64_t *)table->columns[2].data)[row] = order->ts_us[i];
        ((int32_t *)table->columns[3].data)[row] = id;
        ((int32_t *)table->columns[4].data)[row] = b;
        int size = snprintf(note, sizeof note, "order %d, line %d", id, i);
        TRY(table_set_last_text(table, &table->columns[5], (Bytes){note, size}, error));
    }
out:
    return status;
}

static Status make_lines(Table *table, const ModelHistory *history, int b, int32_t first, int32_t n,
                         int64_t *counts, Error *error)
{
    Status status = STATUS_OK;
    for (int32_t p = 0; p < n; p++) {
        int64_t before = table->rows;
        for (int32_t code = 0;; code++) {
            int id = id_with_code(history, b, first + p, code);
            if (id < 0)
                break;
            TRY(append_lines(table, &history->orders[b][id], id, b, error));
        }
        counts[p] = table->rows - before;
    }
out:
    return status;
}

/* The batch, below b, whose version of an order batch b replaces; -1 for none. */
static int earlier_batch(const ModelHistory *history, int b, int id)
{
    int earlier = b - 1;
    while (earlier >= 0 && !history->orders[earlier][id].is_there)
        earlier--;
    return earlier;
}

static Status make_replaced(Table *table, StoreBatch *batch, const ModelHistory *history, int b,
                            int32_t first, int32_t n, int64_t *counts, Error *error)
{
    Status status = STATUS_OK;
    for (int32_t p = 0; p < n; p++) {
        int64_t before = table->rows;
        for (int id = 0; id < MODEL_ORDERS; id++) {
            int earlier = earlier_batch(history, b, id);
            if (!history->orders[b][id].is_there || earlier < 0 ||
                history->orders[b][id].partition != first + p)
                continue;
            const ModelOrder *old = &history->orders[earlier][id];
            TRY(table_add_row(table, error));
            ((int32_t *)table->columns[0].data)[table->rows - 1] = earlier + 1;
            ((int32_t *)table->columns[1].data)[table->rows - 1] = old->code;
            store_batch_replaced(batch, first + p, old->n_lines);
        }
        counts[p] = table->rows - before;
    }
out:
    return status;
}

Status model_write_orders(Comm *comm, StoreBatch *batch, const ModelHistory *history, int b,
                          Error *error)
{
    static const ColumnSpec replaced_columns[] = {{"batch", COLUMN_I32, UNIT_NONE},
                                                  {"order", COLUMN_I32, UNIT_NONE}};
    Status status;
    Table lines, replaced;
    int64_t counts[MODEL_PARTITIONS];
    int32_t first = model_first_partition(comm_rank(comm), comm_size(comm));
    int32_t n = model_first_partition(comm_rank(comm) + 1, comm_size(comm)) - first;
    table_init(&lines, line_columns, sizeof line_columns / sizeof *line_columns);
    table_init(&replaced, replaced_columns, 2);
    TRY_ALL(comm, make_lines(&lines, history, b, first, n, counts, error), error);
    TRY(store_batch_write(comm, batch, "orders", TABLE_ORDER_LINES, &lines, first, n, counts,
                          error));
    TRY_ALL(comm, make_replaced(&replaced, batch, history, b, first, n, counts, error), error);
    TRY(store_batch_write(comm, batch, "order_replaced", TABLE_APPEND, &replaced, first, n, counts,
                          error));
out:
    table_free(&lines);
    table_free(&replaced);
    return status;
}

/* An order in force, as the account lists it. */
typedef struct InForce {
    int id, b;
} InForce;

static bool comes_before(const ModelHistory *history, InForce a, InForce b)
{
    const ModelOrder *left = &history->orders[a.b][a.id], *right = &history->orders[b.b][b.id];
    int order = compare_orders(left, right);
    if (order != 0)
        return order < 0;
    if (a.b != b.b)
        return a.b < b.b;
    return left->code < right->code;
}

static int list_in_force(const ModelHistory *history, int last, int32_t partition,
                         InForce list[MODEL_ORDERS])
{
    int n = 0;
    for (int id = 0; id < MODEL_ORDERS; id++) {
        InForce next = {.id = id, .b = earlier_batch(history, last + 1, id)};
        if (next.b < 0 || history->orders[next.b][id].partition != partition)
            continue;
        int at = n++;
        for (; at > 0 && comes_before(history, next, list[at - 1]); at--)
            list[at] = list[at - 1];
        list[at] = next;
    }
    return n;
}

bool model_orders_match(const ModelHistory *history, int last, int32_t partition, const Table *rows)
{
    InForce list[MODEL_ORDERS];
    Table expected;
    Error error;
    int n = list_in_force(history, last, partition, list);
    table_init(&expected, line_columns, sizeof line_columns / sizeof *line_columns);
    bool matches = true;
    for (int i = 0; i < n && matches; i++) {
        ModelOrder order = history->orders[list[i].b][list[i].id];
        order.code = i;
        matches = append_lines(&expected, &order, list[i].id, list[i].b, &error) == STATUS_OK;
    }
    matches = matches && rows->rows == expected.rows;
    for (int c = 0; c < expected.n_columns && matches; c++) {
        const Column *found = table_find_const(rows, expected.columns[c].name);
        for (int64_t i = 0; found && i < expected.rows && matches; i++)
            matches = same_value(found, i, &expected.columns[c], i);
    }
    table_free(&expected);
    return matches;
}

int64_t model_lines_in_force(const ModelHistory *history, int last)
{
    int64_t lines = 0;
    for (int id = 0; id < MODEL_ORDERS; id++) {
        int b = earlier_batch(history, last + 1, id);
        lines += b >= 0 ? history->orders[b][id].n_lines : 0;
    }
    return lines;
}
