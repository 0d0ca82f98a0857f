/* Reading partitions: rows in force over all batches, and the merge of order lines. */
#include "store/internal.h"

#include "base/fault.h"
#include "base/memory.h"

#include <inttypes.h>
#include <string.h>

/* ---- which columns ---- */

static bool find_spec(const Store *store, const char *table, const char *column, ColumnSpec *spec)
{
    for (int b = store->manifest.n_batches - 1; b >= 0; b--) {
        const ManifestTable *found = manifest_batch_table(&store->manifest.batches[b], table);
        for (int i = 0; found && i < found->n_columns; i++) {
            const ManifestColumn *known = &found->columns[i];
            if (strcmp(known->name, column) == 0) {
                *spec = (ColumnSpec){known->name, known->type, known->unit};
                return true;
            }
        }
    }
    return false;
}

static bool has_table(const Store *store, const char *table)
{
    for (int b = 0; b < store->manifest.n_batches; b++) {
        if (manifest_batch_table(&store->manifest.batches[b], table))
            return true;
    }
    return false;
}

/* Whether several batches must be brought into one order, or orders left out. */
static bool needs_merge(const Store *store, const char *table)
{
    int batches = 0;
    for (int b = 0; b < store->manifest.n_batches; b++)
        batches += manifest_batch_table(&store->manifest.batches[b], table) != NULL;
    return batches > 1 || store_rows(store, STORE_ORDER_REPLACED) > 0;
}

typedef struct Wanted {
    ColumnSpec specs[TABLE_COLUMNS_MAX];
    int n;
} Wanted;

static Status want(Wanted *wanted, ColumnSpec spec, Error *error)
{
    for (int i = 0; i < wanted->n; i++) {
        if (strcmp(wanted->specs[i].name, spec.name) == 0)
            return STATUS_OK;
    }
    if (wanted->n == TABLE_COLUMNS_MAX)
        return error_set(error, STATUS_BUG, __FILE__, __LINE__, "more than %d columns are read",
                         TABLE_COLUMNS_MAX);
    wanted->specs[wanted->n++] = spec;
    return STATUS_OK;
}

/* Of a table without any batch nothing is known; its columns have no rows either. */
static Status want_named(const Store *store, const char *table, const char *column, Wanted *wanted,
                         Error *error)
{
    ColumnSpec spec = {column, COLUMN_I32, UNIT_NONE};
    if (!find_spec(store, table, column, &spec) && has_table(store, table))
        return error_set(error, STATUS_BUG, __FILE__, __LINE__, "table %s has no column %s", table,
                         column);
    return want(wanted, spec, error);
}

static Status want_all(const Store *store, const char *table, Wanted *wanted, Error *error)
{
    Status status = STATUS_OK;
    for (int b = 0; b < store->manifest.n_batches; b++) {
        const ManifestTable *found = manifest_batch_table(&store->manifest.batches[b], table);
        for (int i = 0; found && i < found->n_columns; i++)
            TRY(want_named(store, table, found->columns[i].name, wanted, error));
    }
out:
    return status;
}

void store_prepare_rows(Table *rows, const ColumnSpec *specs, int n_specs)
{
    bool is_same = rows->n_columns == n_specs;
    for (int i = 0; i < n_specs && is_same; i++) {
        const Column *column = &rows->columns[i];
        is_same = strcmp(column->name, specs[i].name) == 0 && column->type == specs[i].type &&
                  column->unit == specs[i].unit;
    }
    if (is_same) {
        rows->rows = 0;
        return;
    }
    table_free(rows);
    table_init(rows, specs, n_specs);
}

static Status choose_columns(const Store *store, const char *table, bool is_order_lines,
                             const char *const *columns, int n_columns, Table *rows, Error *error)
{
    Status status = STATUS_OK;
    Wanted wanted = {.n = 0};
    for (int i = 0; i < n_columns; i++)
        TRY(want_named(store, table, columns[i], &wanted, error));
    if (n_columns == 0)
        TRY(want_all(store, table, &wanted, error));
    const char *day = store_view_day(store->view, table);
    if (day && store_has_column(store, table, day))
        TRY(want_named(store, table, day, &wanted, error));
    if (is_order_lines && needs_merge(store, table)) {
        TRY(want(&wanted, (ColumnSpec){"customer", COLUMN_I32, UNIT_CODE}, error));
        TRY(want(&wanted, (ColumnSpec){"order", COLUMN_I32, UNIT_NONE}, error));
        TRY(want(&wanted, (ColumnSpec){"ts_us", COLUMN_I64, UNIT_TIME_US}, error));
    }
    store_prepare_rows(rows, wanted.specs, wanted.n);
out:
    return status;
}

void store_column_range(const Store *store, const char *table, const char *column, int64_t *min,
                        int64_t *max)
{
    *min = INT64_MAX;
    *max = INT64_MIN;
    for (int i = 0; i < store->n_segments; i++) {
        const StoreSegment *segment = &store->segments[i];
        int at = segment_layout_find(&segment->layout, column);
        if (at < 0 || strcmp(store_segment_table(store, segment)->name, table) != 0)
            continue;
        const SegmentColumn *found = &segment->layout.columns[at];
        *min = found->min < *min ? found->min : *min;
        *max = found->max > *max ? found->max : *max;
    }
    store_view_range(store->view, table, column, min, max);
}

/* ---- all batches, one after another ---- */

static bool is_segment_of(const Store *store, const StoreSegment *segment, const char *table,
                          int64_t partition)
{
    return strcmp(store_segment_table(store, segment)->name, table) == 0 &&
           segment->volume == placement_volume(&store->placement, partition);
}

int64_t store_partition_rows(const Store *store, const char *table, int64_t partition)
{
    int64_t total = 0;
    for (int i = 0; i < store->n_segments; i++) {
        const StoreSegment *segment = &store->segments[i];
        if (is_segment_of(store, segment, table, partition) && segment->layout.index)
            total += segment_partition_rows(&segment->layout, partition);
    }
    return total;
}

/* Append the partition's rows of every batch. starts [n_segments + 1]: where those of each segment
 * begin; NULL if nobody asks. */
static Status append_batches(Store *store, const char *table, int64_t partition, Table *rows,
                             int64_t *starts, Error *error)
{
    Status status = STATUS_OK;
    TRY(table_reserve(rows, store_partition_rows(store, table, partition), error));
    for (int i = 0; i < store->n_segments; i++) {
        StoreSegment *segment = &store->segments[i];
        if (starts)
            starts[i] = rows->rows;
        if (!is_segment_of(store, segment, table, partition))
            continue;
        SegmentFile file;
        TRY(store_segment_take(store, segment, &file, error));
        status = segment_append(&file, partition, rows, error);
        store_segment_give_back(store, segment);
        TRY(status);
    }
    if (starts)
        starts[store->n_segments] = rows->rows;
out:
    return status;
}

/* ---- order lines ---- */

/* An order of the partition, as a run of lines of one batch. */
typedef struct Order {
    int32_t customer;
    int64_t ts_us; /* of its earliest line */
    int64_t begin, end;
} Order;

typedef struct Merge {
    Store *store;
    int32_t partition;
    Table *rows;     /* lines of all batches, one after another */
    int64_t *starts; /* [n_segments + 1] */
    Table replaced;  /* order_replaced of the partition, sorted; and its two columns: */
    const int32_t *replaced_batch;
    const int32_t *replaced_order;
    Order *orders; /* in force: by batch, then code */
    int64_t n_orders;
} Merge;

static bool is_before(const Merge *merge, int64_t row, int64_t batch, int64_t order)
{
    if (merge->replaced_batch[row] != batch)
        return merge->replaced_batch[row] < batch;
    return merge->replaced_order[row] < order;
}

static bool is_replaced(const Merge *merge, int64_t batch, int64_t order)
{
    int64_t low = 0, high = merge->replaced.rows;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (is_before(merge, middle, batch, order))
            low = middle + 1;
        else
            high = middle;
    }
    return low < merge->replaced.rows && merge->replaced_batch[low] == batch &&
           merge->replaced_order[low] == order;
}

static Status read_replaced(Merge *merge, Error *error)
{
    static const ColumnSpec specs[] = {{"batch", COLUMN_I32, UNIT_NONE},
                                       {"order", COLUMN_I32, UNIT_NONE}};
    static const SortKey keys[] = {{"batch", false}, {"order", false}};
    Status status;
    table_init(&merge->replaced, specs, 2);
    TRY(append_batches(merge->store, STORE_ORDER_REPLACED, merge->partition, &merge->replaced, NULL,
                       error));
    TRY(table_sort(&merge->replaced, keys, 2, error));
    merge->replaced_batch = table_column_const(&merge->replaced, "batch")->data;
    merge->replaced_order = table_column_const(&merge->replaced, "order")->data;
out:
    return status;
}

/* Cut the lines of one segment into orders, and keep those in force. */
static Status list_orders(Merge *merge, int segment, Error *error)
{
    Status status = STATUS_OK;
    const int32_t *customer = table_column(merge->rows, "customer")->data;
    const int32_t *order = table_column(merge->rows, "order")->data;
    const int64_t *ts_us = table_column(merge->rows, "ts_us")->data;
    const StoreSegment *source = &merge->store->segments[segment];
    int64_t number = store_segment_number(merge->store, source);
    int64_t limit = merge->starts[segment + 1];
    for (int64_t begin = merge->starts[segment], end; begin < limit; begin = end) {
        Order next = {.customer = customer[begin], .ts_us = ts_us[begin], .begin = begin};
        for (end = begin + 1; end < limit && order[end] == order[begin]; end++) {
            if (ts_us[end] < next.ts_us)
                next.ts_us = ts_us[end];
        }
        next.end = end;
        if (end < limit && order[end] < order[begin])
            FAIL(error, STATUS_IO,
                 "%s: orders of partition %" PRId32 " are out of order; restore the file from a "
                 "backup",
                 source->shown, merge->partition);
        if (!is_replaced(merge, number, order[begin]))
            merge->orders[merge->n_orders++] = next;
    }
out:
    return status;
}

/* sequence [n_orders]: by customer with -1 last, time, batch, code; the last two are how they are
 * listed, and the sorts are stable. */
static Status sort_orders(const Merge *merge, int64_t *sequence, Error *error)
{
    Status status;
    int64_t n = merge->n_orders;
    uint64_t *keys = NULL;
    int64_t *by_time = NULL;
    TRY(mem_resize(&keys, n, sizeof *keys, "order keys", error));
    TRY(mem_resize(&by_time, n, sizeof *by_time, "order sequence", error));
    for (int64_t i = 0; i < n; i++)
        keys[i] = (uint64_t)merge->orders[i].ts_us ^ ((uint64_t)1 << 63);
    TRY(sort_order_u64(keys, n, by_time, error));
    for (int64_t i = 0; i < n; i++)
        keys[i] = (uint32_t)merge->orders[by_time[i]].customer;
    TRY(sort_order_u64(keys, n, sequence, error));
    for (int64_t i = 0; i < n; i++)
        sequence[i] = by_time[sequence[i]];
out:
    mem_free(&keys);
    mem_free(&by_time);
    return status;
}

/* Bring the lines into the sequence of their orders, and number these from 0. */
static Status arrange_lines(Merge *merge, const int64_t *sequence, Error *error)
{
    Status status;
    int64_t *lines = NULL;
    int64_t n = 0;
    TRY(mem_resize(&lines, merge->rows->rows, sizeof *lines, "order lines", error));
    for (int64_t i = 0; i < merge->n_orders; i++) {
        const Order *order = &merge->orders[sequence[i]];
        for (int64_t line = order->begin; line < order->end; line++)
            lines[n++] = line;
    }
    TRY(table_gather(merge->rows, lines, n, error));
    int32_t *code = table_column(merge->rows, "order")->data;
    n = 0;
    for (int64_t i = 0; i < merge->n_orders; i++) {
        const Order *order = &merge->orders[sequence[i]];
        for (int64_t line = order->begin; line < order->end; line++)
            code[n++] = (int32_t)i;
    }
out:
    mem_free(&lines);
    return status;
}

static int count_sources(const Merge *merge)
{
    int sources = 0;
    for (int i = 0; i < merge->store->n_segments; i++)
        sources += merge->starts[i + 1] > merge->starts[i];
    return sources;
}

static Status merge_orders(Merge *merge, Error *error)
{
    Status status;
    int64_t *sequence = NULL;
    int64_t n_lines = merge->rows->rows;
    if (count_sources(merge) <= 1 && merge->replaced.rows == 0)
        return STATUS_OK;
    TRY(mem_resize(&merge->orders, n_lines, sizeof *merge->orders, "orders", error));
    for (int i = 0; i < merge->store->n_segments; i++)
        TRY(list_orders(merge, i, error));
    TRY(mem_resize(&sequence, merge->n_orders, sizeof *sequence, "order sequence", error));
    TRY(sort_orders(merge, sequence, error));
    TRY(arrange_lines(merge, sequence, error));
out:
    mem_free(&sequence);
    return status;
}

static Status read_order_lines(Store *store, const char *table, int32_t partition, Table *rows,
                               Error *error)
{
    Status status;
    Merge merge = {.store = store, .partition = partition, .rows = rows};
    merge.starts = mem_new(store->n_segments + 1, sizeof *merge.starts);
    TRY(append_batches(store, table, partition, rows, merge.starts, error));
    TRY(read_replaced(&merge, error));
    TRY(merge_orders(&merge, error));
out:
    mem_free(&merge.starts);
    mem_free(&merge.orders);
    table_free(&merge.replaced);
    return status;
}

static bool is_order_lines(const Store *store, const char *table)
{
    for (int b = 0; b < store->manifest.n_batches; b++) {
        const ManifestTable *found = manifest_batch_table(&store->manifest.batches[b], table);
        if (found)
            return found->kind == TABLE_ORDER_LINES;
    }
    return strcmp(table, STORE_ORDERS) == 0;
}

Status store_read_partition(Store *store, const char *table, int32_t partition,
                            const char *const *columns, int n_columns, Table *rows, Error *error)
{
    Status status;
    vesper_assert(partition >= 0 && partition < store->settings.partitions);
    bool has_orders = is_order_lines(store, table);
    TRY(fault_point("store.read", error));
    TRY(choose_columns(store, table, has_orders, columns, columns ? n_columns : 0, rows, error));
    if (has_orders)
        TRY(read_order_lines(store, table, partition, rows, error));
    else
        TRY(append_batches(store, table, partition, rows, NULL, error));
    TRY(store_view_keep(store->view, table, partition, rows, error));
out:
    return status;
}

Status store_read_batches(Store *store, const char *table, int32_t partition,
                          const char *const *columns, int n_columns, Table *rows, Error *error)
{
    Status status;
    vesper_assert(!store->view);
    TRY(choose_columns(store, table, false, columns, n_columns, rows, error));
    TRY(append_batches(store, table, partition, rows, NULL, error));
out:
    return status;
}

/* ---- one batch as it was written ---- */

Status store_read_batch_partition(Store *store, const char *table, int64_t batch, int32_t partition,
                                  const char *const *columns, int n_columns, Table *rows,
                                  Error *error)
{
    Status status;
    vesper_assert(partition >= 0 && partition < store->settings.partitions && !store->view);
    TRY(fault_point("store.read", error));
    TRY(choose_columns(store, table, false, columns, columns ? n_columns : 0, rows, error));
    for (int i = 0; i < store->n_segments; i++) {
        StoreSegment *segment = &store->segments[i];
        SegmentFile file;
        if (!is_segment_of(store, segment, table, partition) ||
            store_segment_number(store, segment) != batch)
            continue;
        TRY(store_segment_take(store, segment, &file, error));
        status = segment_append(&file, partition, rows, error);
        store_segment_give_back(store, segment);
        TRY(status);
    }
out:
    return status;
}

int store_columns(const Store *store, const char *table, ColumnSpec columns[TABLE_COLUMNS_MAX])
{
    Wanted wanted = {.n = 0};
    Error none = {0};
    if (want_all(store, table, &wanted, &none) != STATUS_OK)
        bug_abort(__FILE__, __LINE__, "a table has more columns than a table can have");
    memcpy(columns, wanted.specs, (size_t)wanted.n * sizeof *columns);
    return wanted.n;
}

/* ---- global tables ---- */

static Status read_all_of_global(Store *store, const char *table, Table *rows, Error *error)
{
    Status status;
    TRY(fault_point("store.read", error));
    TRY(choose_columns(store, table, false, NULL, 0, rows, error));
    TRY(append_batches(store, table, 0, rows, NULL, error));
    TRY(store_view_keep(store->view, table, 0, rows, error));
out:
    return status;
}

/* Room for root's table on the other ranks. bytes [n_columns]: of the texts. */
static Status make_room(const Store *store, const char *table, int64_t n_rows, const int64_t *bytes,
                        Table *rows, Error *error)
{
    Status status;
    TRY(choose_columns(store, table, false, NULL, 0, rows, error));
    TRY(table_reserve(rows, n_rows, error));
    for (int i = 0; i < rows->n_columns; i++) {
        Column *column = &rows->columns[i];
        if (bytes[i] > column->bytes_capacity) {
            TRY(mem_resize(&column->bytes, bytes[i], 1, column->name, error));
            column->bytes_capacity = bytes[i];
        }
    }
    rows->rows = n_rows;
out:
    return status;
}

Status store_read_global(Comm *comm, Store *store, const char *table, Table *rows, Error *error)
{
    Status status;
    bool is_root = comm_rank(comm) == 0;
    int64_t sizes[TABLE_COLUMNS_MAX + 1] = {0};
    TRY_ALL(comm, is_root ? read_all_of_global(store, table, rows, error) : STATUS_OK, error);
    if (is_root) {
        sizes[TABLE_COLUMNS_MAX] = rows->rows;
        for (int i = 0; i < rows->n_columns; i++) {
            if (rows->columns[i].type == COLUMN_TEXT)
                sizes[i] = column_text_bytes(&rows->columns[i], rows->rows);
        }
    }
    comm_broadcast(comm, 0, sizes, sizeof sizes);
    int64_t n_rows = sizes[TABLE_COLUMNS_MAX];
    TRY_ALL(comm, is_root ? STATUS_OK : make_room(store, table, n_rows, sizes, rows, error), error);
    for (int i = 0; i < rows->n_columns && n_rows > 0; i++) {
        Column *column = &rows->columns[i];
        if (column->type == COLUMN_TEXT) {
            comm_broadcast(comm, 0, column->ends, n_rows * (int64_t)sizeof *column->ends);
            comm_broadcast(comm, 0, column->bytes, sizes[i]);
        } else {
            comm_broadcast(comm, 0, column->data, n_rows * (int64_t)column_width(column->type));
        }
    }
out:
    return status;
}
