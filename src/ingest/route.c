/* Route: the tables that are not order lines, each row on the rank that owns its partition. */
#include "ingest/route.h"

#include "base/fault.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* ---- columns ---- */

static int compare_columns(const void *left, const void *right)
{
    return strcmp(((const Column *)left)->name, ((const Column *)right)->name);
}

/* A column as an absent one reads: codes -1, all else zero. */
static Status add_absent_column(Table *rows, const ColumnSpec *spec, Error *error)
{
    Status status = STATUS_OK;
    TRY(table_add_column(rows, *spec, error));
    if (spec->type != COLUMN_TEXT)
        memset(table_column(rows, spec->name)->data, spec->unit == UNIT_CODE ? 0xFF : 0,
               (size_t)rows->rows * column_width(spec->type));
out:
    return status;
}

static Status add_missing(Table *rows, const ColumnSpec *specs, int n_specs, Error *error)
{
    Status status = STATUS_OK;
    for (int i = 0; i < n_specs; i++)
        if (table_find(rows, specs[i].name) == NULL)
            TRY(add_absent_column(rows, &specs[i], error));
out:
    return status;
}

Status route_complete_columns(Table *rows, const ColumnSpec *specs, int n_specs, Error *error)
{
    Status status = add_missing(rows, specs, n_specs, error);
    qsort(rows->columns, (size_t)rows->n_columns, sizeof *rows->columns, compare_columns);
    return status;
}

Status route_unite_columns(ParsedBatch *parsed, InputTable kind, const Store *store, Error *error)
{
    Status status = STATUS_OK;
    ColumnSpec of_store[TABLE_COLUMNS_MAX], of_other[TABLE_COLUMNS_MAX];
    int n_of_store = 0;
    for (int i = 0; i < parsed->n_tables; i++)
        if (parsed->tables[i].table == kind && parsed->tables[i].mended)
            n_of_store = store_columns(store, input_schema(kind)->name, of_store);
    for (int i = 0; i < parsed->n_tables; i++) {
        if (parsed->tables[i].table != kind)
            continue;
        Table *rows = &parsed->tables[i].rows;
        TRY(add_missing(rows, of_store, n_of_store, error));
        for (int k = 0; k < parsed->n_tables; k++) {
            const Table *other = &parsed->tables[k].rows;
            if (parsed->tables[k].table != kind)
                continue;
            for (int c = 0; c < other->n_columns; c++)
                of_other[c] = (ColumnSpec){other->columns[c].name, other->columns[c].type,
                                           other->columns[c].unit};
            TRY(add_missing(rows, of_other, other->n_columns, error));
        }
        qsort(rows->columns, (size_t)rows->n_columns, sizeof *rows->columns, compare_columns);
    }
out:
    return status;
}

/* ---- tables of one partition ---- */

/* How such a table is sorted; later rows with equal keys come later. */
typedef struct GlobalTable {
    InputTable table;
    int n_keys;
    SortKey keys[2];
} GlobalTable;

static const GlobalTable global_tables[] = {
    {INPUT_PRODUCTS, 1, {{"product", false}}},
    {INPUT_PROMOTIONS, 2, {{"product", false}, {"first_day", false}}},
    {INPUT_STOCKOUTS, 2, {{"product", false}, {"first_day", false}}},
    {INPUT_HOLIDAYS, 2, {{"day", false}, {"country", false}}},
};
enum { N_GLOBAL_TABLES = sizeof global_tables / sizeof *global_tables };

static const GlobalTable *find_global(InputTable table)
{
    for (int i = 0; i < N_GLOBAL_TABLES; i++)
        if (global_tables[i].table == table)
            return &global_tables[i];
    return NULL;
}

/* ---- rows by customer ---- */

/* Partition of a row without customer: by its session, order or product, so that such rows spread
 * over the partitions. */
static int32_t partition_without_customer(const Table *rows, int64_t row, int32_t partitions)
{
    static const char *const texts[] = {"session", "order_id"};
    for (int i = 0; i < 2; i++) {
        const Column *column = table_find_const(rows, texts[i]);
        if (column != NULL && column_text(column, row).size > 0)
            return hash_partition(hash128(column_text(column, row)), partitions);
    }
    const Column *product = table_find_const(rows, "product");
    if (product == NULL)
        return 0;
    return hash_partition(hash128_seeded((const int32_t *)product->data + row, sizeof(int32_t), 0),
                          partitions);
}

static int32_t row_partition(const Table *rows, const int32_t *customer, int64_t row,
                             const Customers *customers, int32_t partitions)
{
    if (customer != NULL && customer[row] >= 0)
        return customers->partition[customer[row]];
    return partition_without_customer(rows, row, partitions);
}

static const int32_t *customer_codes(const Table *rows)
{
    const Column *column = table_find_const(rows, "customer");
    return column == NULL ? NULL : column->data;
}

void route_add_weights(const ParsedBatch *parsed, const Customers *customers, int64_t *weights,
                       int32_t partitions)
{
    for (int i = 0; i < parsed->n_tables; i++) {
        const ParsedTable *table = &parsed->tables[i];
        if (table->table == INPUT_ORDERS || find_global(table->table) != NULL)
            continue;
        const int32_t *customer = customer_codes(&table->rows);
        for (int64_t row = 0; row < table->rows.rows; row++)
            weights[row_partition(&table->rows, customer, row, customers, partitions)]++;
    }
}

/* Rows ordered by destination, with `partition`, and `customer` made a reference. */
static Status pack_rows(Table *rows, const Customers *customers, const Placement *placement,
                        int size, int64_t *counts, Error *error)
{
    Status status = STATUS_OK;
    int32_t *owner = NULL;
    table_drop(rows, "row");
    TRY(table_add_column(rows, (ColumnSpec){"partition", COLUMN_I32, UNIT_NONE}, error));
    int32_t *partition = table_column(rows, "partition")->data;
    Column *customer_column = table_find(rows, "customer");
    int32_t *customer = customer_column == NULL ? NULL : customer_column->data;
    TRY(mem_resize(&owner, rows->rows, sizeof *owner, "rows", error));
    for (int64_t row = 0; row < rows->rows; row++) {
        partition[row] = row_partition(rows, customer, row, customers, placement->partitions);
        owner[row] = placement->owner[partition[row]];
        if (customer != NULL && customer[row] >= 0)
            customer[row] = customers->reference[customer[row]];
    }
    TRY(table_sort_by_group(rows, &owner, size, counts, error));
out:
    return status;
}

/* References received from each source become codes inside the partition. */
static void resolve_references(Table *rows, const int64_t *source_counts,
                               const Customers *customers, int size)
{
    Column *column = table_find(rows, "customer");
    if (column == NULL)
        return;
    int32_t *customer = column->data;
    int64_t row = 0;
    for (int source = 0; source < size; source++) {
        const int32_t *code = customers->code + customers->start[source];
        for (int64_t end = row + source_counts[source]; row < end; row++)
            if (customer[row] >= 0)
                customer[row] = code[customer[row]];
    }
}

/* Sort by (partition, customer with anonymous ones last, time), stable; count the partitions. */
static Status sort_rows(Table *rows, const Placement *placement, int64_t *partition_rows,
                        Error *error)
{
    Status status = STATUS_OK;
    uint64_t *keys = NULL;
    int64_t *by_time = NULL, *by_owner = NULL, n = rows->rows;
    const Column *ts_us = table_find_const(rows, "ts_us");
    const int32_t *customer = customer_codes(rows);
    const int32_t *partition = table_column_const(rows, "partition")->data;
    TRY(mem_resize(&keys, n, sizeof *keys, "rows", error));
    TRY(mem_resize(&by_time, n, sizeof *by_time, "rows", error));
    TRY(mem_resize(&by_owner, n, sizeof *by_owner, "rows", error));
    for (int64_t i = 0; i < n; i++)
        keys[i] =
            ts_us == NULL ? 0 : (uint64_t)((const int64_t *)ts_us->data)[i] ^ (uint64_t)1 << 63;
    TRY(sort_order_u64(keys, n, by_time, error));
    for (int64_t i = 0; i < n; i++) {
        int64_t row = by_time[i];
        uint32_t code = customer == NULL ? 0 : (uint32_t)customer[row];
        keys[i] = (uint64_t)partition[row] << 32 | code;
        partition_rows[partition[row] - placement->begin]++;
    }
    TRY(sort_order_u64(keys, n, by_owner, error));
    mem_free(&keys);
    for (int64_t i = 0; i < n; i++)
        by_owner[i] = by_time[by_owner[i]];
    mem_free(&by_time);
    table_drop(rows, "partition");
    TRY(table_gather(rows, by_owner, n, error));
out:
    mem_free(&keys);
    mem_free(&by_time);
    mem_free(&by_owner);
    return status;
}

static bool is_given(const ParsedBatch *parsed, InputTable kind)
{
    for (int i = 0; i < parsed->n_tables; i++)
        if (parsed->tables[i].table == kind)
            return true;
    return false;
}

static Status store_by_customer(Comm *comm, Store *store, StoreBatch *batch, ParsedBatch *parsed,
                                InputTable kind, const Customers *customers,
                                const Placement *placement, Error *error)
{
    Status status = STATUS_OK;
    int size = comm_size(comm);
    int32_t n_partitions = placement->end - placement->begin;
    Table rows = {0}, arrived = {0};
    int64_t *counts = mem_new(size, sizeof *counts), *got = mem_new(size, sizeof *got);
    int64_t *partition_rows = mem_new(n_partitions, sizeof *partition_rows);
    if (!is_given(parsed, kind))
        goto out;
    TRY_ALL(comm, fault_point("ingest.rows", error), error);
    TRY_ALL(comm, route_unite_columns(parsed, kind, store, error), error);
    for (int i = 0; i < parsed->n_tables; i++) {
        if (parsed->tables[i].table != kind)
            continue;
        table_move(&arrived, &parsed->tables[i].rows);
        TRY_ALL(comm, pack_rows(&arrived, customers, placement, size, counts, error), error);
        TRY(comm_exchange_table(comm, &arrived, counts, got, error));
        resolve_references(&arrived, got, customers, size);
        if (rows.n_columns == 0)
            table_move(&rows, &arrived);
        else
            TRY_ALL(comm, table_append(&rows, &arrived, 0, arrived.rows, error), error);
    }
    TRY_ALL(comm, sort_rows(&rows, placement, partition_rows, error), error);
    TRY(store_batch_write(comm, batch, input_schema(kind)->name, TABLE_APPEND, &rows,
                          placement->begin, n_partitions, partition_rows, error));
out:
    table_free(&rows);
    table_free(&arrived);
    mem_free(&counts);
    mem_free(&got);
    mem_free(&partition_rows);
    return status;
}

/* ---- rows of one partition ---- */

/* They go to rank 0, which writes them as one global table. */
static Status store_global(Comm *comm, Store *store, StoreBatch *batch, ParsedBatch *parsed,
                           const GlobalTable *global, Error *error)
{
    Status status = STATUS_OK;
    Table rows = {0}, arrived = {0};
    int64_t *counts = mem_new(comm_size(comm), sizeof *counts);
    if (!is_given(parsed, global->table))
        goto out;
    TRY_ALL(comm, route_unite_columns(parsed, global->table, store, error), error);
    for (int i = 0; i < parsed->n_tables; i++) {
        if (parsed->tables[i].table != global->table)
            continue;
        table_move(&arrived, &parsed->tables[i].rows);
        counts[0] = arrived.rows;
        TRY(comm_exchange_table(comm, &arrived, counts, NULL, error));
        if (rows.n_columns == 0)
            table_move(&rows, &arrived);
        else
            TRY_ALL(comm, table_append(&rows, &arrived, 0, arrived.rows, error), error);
    }
    table_drop(&rows, "row");
    TRY_ALL(comm, table_sort(&rows, global->keys, global->n_keys, error), error);
    TRY(store_batch_write(comm, batch, input_schema(global->table)->name, TABLE_GLOBAL, &rows, 0,
                          comm_rank(comm) == 0 ? 1 : 0, &rows.rows, error));
out:
    table_free(&rows);
    table_free(&arrived);
    mem_free(&counts);
    return status;
}

Status route_store_rows(Comm *comm, Store *store, StoreBatch *batch, ParsedBatch *parsed,
                        const Customers *customers, const Placement *placement, Error *error)
{
    static const InputTable by_customer[] = {INPUT_CUSTOMERS, INPUT_EVENTS, INPUT_REVIEWS,
                                             INPUT_PAIRS};
    Status status = STATUS_OK;
    for (int i = 0; i < N_GLOBAL_TABLES; i++)
        TRY(store_global(comm, store, batch, parsed, &global_tables[i], error));
    for (size_t i = 0; i < sizeof by_customer / sizeof *by_customer; i++)
        TRY(store_by_customer(comm, store, batch, parsed, by_customer[i], customers, placement,
                              error));
out:
    return status;
}
