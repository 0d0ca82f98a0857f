/* Orders: lines come home to the partition of their order's customer, sorted as histories. */
#include "base/fault.h"
#include "base/memory.h"
#include "ingest/outgoing.h"

#include <stdlib.h>
#include <string.h>

/* The distinct orders that came home to this rank. */
typedef struct Home {
    Table received;    /* columns ORDER_..., ordered by source */
    int64_t *start;    /* [size + 1] first received order of each source */
    int32_t *unified;  /* [received rows] distinct order */
    int32_t *first;    /* [n] received row that stands for the order */
    int32_t *customer; /* [n] code inside the partition; CUSTOMER_ANONYMOUS */
    int64_t *time_us;  /* [n] earliest line */
    int32_t *lines;    /* [n] */
    int32_t *rank;     /* [n] place in sorted order over this rank's partitions */
    int32_t *sorted;   /* [n] order at each place */
    int64_t n;
} Home;

static void home_free(Home *home)
{
    table_free(&home->received);
    mem_free(&home->start);
    mem_free(&home->unified);
    mem_free(&home->first);
    mem_free(&home->customer);
    mem_free(&home->time_us);
    mem_free(&home->lines);
    mem_free(&home->rank);
    mem_free(&home->sorted);
}

/* Orders parsed by several ranks become one; its customer is the one that any of them names. */
static Status unify_orders(Home *home, const Customers *customers, int size, Error *error)
{
    Status status = STATUS_OK;
    StringMap shared = {0};
    int32_t *order_of_shared = NULL;
    Table *received = &home->received;
    int64_t rows = received->rows;
    if (rows > INT32_MAX)
        FAIL(error, STATUS_INPUT,
             "%lld orders of one batch came to one rank, more than %d; take in smaller batches, or "
             "use more ranks",
             (long long)rows, INT32_MAX);
    TRY(mem_resize(&home->unified, rows, sizeof *home->unified, "orders", error));
    TRY(mem_resize(&home->first, rows, sizeof *home->first, "orders", error));
    TRY(mem_resize(&home->customer, rows, sizeof *home->customer, "orders", error));
    TRY(mem_resize(&order_of_shared, rows, sizeof *order_of_shared, "orders", error));
    const Column *id = &received->columns[ORDER_ID];
    for (int source = 0; source < size; source++) {
        for (int64_t row = home->start[source]; row < home->start[source + 1]; row++) {
            int32_t unified = (int32_t)home->n;
            if (order_ints(received, ORDER_SHARED)[row]) {
                int32_t code, before = shared.count;
                TRY(string_map_add(&shared, column_text(id, row), &code, error));
                if (code == before)
                    order_of_shared[code] = unified;
                unified = order_of_shared[code];
            }
            if (unified == home->n) {
                home->first[home->n] = (int32_t)row;
                home->customer[home->n++] = CUSTOMER_ANONYMOUS;
            }
            home->unified[row] = unified;
            int32_t reference = order_ints(received, ORDER_CUSTOMER)[row];
            if (reference >= 0)
                home->customer[unified] = customers->code[customers->start[source] + reference];
        }
    }
out:
    string_map_free(&shared);
    mem_free(&order_of_shared);
    return status;
}

/* `order` of each line becomes its distinct order here. */
static void unify_lines(const Home *home, Table *lines, const int64_t *line_counts, int size)
{
    int32_t *order = table_column(lines, "order")->data;
    int64_t row = 0;
    for (int source = 0; source < size; source++) {
        const int32_t *unified = home->unified + home->start[source];
        for (int64_t end = row + line_counts[source]; row < end; row++)
            order[row] = unified[order[row]];
    }
}

/* The lines of one order of an earlier batch as they were written, with the columns of `lines`.
 * They are rows [*begin, *end) of `earlier`. */
static Status read_earlier(Store *store, const Table *lines, int32_t batch, int32_t partition,
                           int32_t code, Table *earlier, int64_t *begin, int64_t *end, Error *error)
{
    Status status = STATUS_OK;
    ColumnSpec wanted[TABLE_COLUMNS_MAX];
    const char *known[TABLE_COLUMNS_MAX];
    int n_known = 0;
    for (int c = 0; c < lines->n_columns; c++) {
        const Column *column = &lines->columns[c];
        wanted[c] = (ColumnSpec){column->name, column->type, column->unit};
        if (store_has_column(store, "orders", column->name))
            known[n_known++] = column->name;
    }
    TRY(store_read_batch_partition(store, "orders", batch, partition, known, n_known, earlier,
                                   error));
    TRY(route_complete_columns(earlier, wanted, lines->n_columns, error));
    const int32_t *order = table_column(earlier, "order")->data;
    *begin = 0;
    while (*begin < earlier->rows && order[*begin] != code)
        (*begin)++;
    *end = *begin;
    while (*end < earlier->rows && order[*end] == code)
        (*end)++;
out:
    return status;
}

/* Append the lines in force of the orders that mended rows join, and take over their customer. */
static Status append_joined(Store *store, Home *home, Table *lines, Error *error)
{
    static const char *const customer_column[] = {"customer"};
    Status status = STATUS_OK;
    Table earlier = {0}, customers = {0};
    const int32_t *partition = order_ints(&home->received, ORDER_PARTITION);
    const int32_t *join_batch = order_ints(&home->received, ORDER_JOIN_BATCH);
    const int32_t *join_order = order_ints(&home->received, ORDER_JOIN_ORDER);
    for (int64_t i = 0; i < home->n; i++) {
        int64_t row = home->first[i], begin, end, before = lines->rows;
        if (join_batch[row] < 0)
            continue;
        TRY(read_earlier(store, lines, join_batch[row], partition[row], join_order[row], &earlier,
                         &begin, &end, error));
        TRY(store_read_batch_partition(store, "orders", join_batch[row], partition[row],
                                       customer_column, 1, &customers, error));
        if (begin < end)
            home->customer[i] = ((int32_t *)customers.columns[0].data)[begin];
        TRY(table_append(lines, &earlier, begin, end, error));
        int32_t *order = table_column(lines, "order")->data;
        for (int64_t line = before; line < lines->rows; line++)
            order[line] = (int32_t)i;
    }
out:
    table_free(&earlier);
    table_free(&customers);
    return status;
}

static int compare_ids(const void *left, const void *right, void *context)
{
    const Home *home = context;
    const Column *id = &home->received.columns[ORDER_ID];
    return bytes_compare(column_text(id, home->first[*(const int32_t *)left]),
                         column_text(id, home->first[*(const int32_t *)right]));
}

/* Within runs of equal owner (partition and customer) and time, orders are sorted by id. */
static void sort_ties_by_id(Home *home, const uint64_t *owner)
{
    int64_t begin = 0;
    for (int64_t i = 1; i <= home->n; i++) {
        if (i < home->n && owner[home->sorted[i]] == owner[home->sorted[begin]] &&
            home->time_us[home->sorted[i]] == home->time_us[home->sorted[begin]])
            continue;
        if (i - begin > 1)
            qsort_r(home->sorted + begin, (size_t)(i - begin), sizeof *home->sorted, compare_ids,
                    home);
        begin = i;
    }
}

/* Sort the orders by (partition, customer with anonymous ones last, time, id). */
static Status sort_orders(Home *home, const Table *lines, Error *error)
{
    Status status = STATUS_OK;
    uint64_t *keys = NULL;
    int64_t *by_time = NULL, *by_owner = NULL;
    int64_t n = home->n;
    const int32_t *order = table_column_const(lines, "order")->data;
    const int64_t *ts_us = table_column_const(lines, "ts_us")->data;
    TRY(mem_resize(&home->time_us, n, sizeof *home->time_us, "orders", error));
    TRY(mem_resize(&home->lines, n, sizeof *home->lines, "orders", error));
    TRY(mem_resize(&home->rank, n, sizeof *home->rank, "orders", error));
    TRY(mem_resize(&home->sorted, n, sizeof *home->sorted, "orders", error));
    TRY(mem_resize(&keys, n, sizeof *keys, "orders", error));
    TRY(mem_resize(&by_time, n, sizeof *by_time, "orders", error));
    TRY(mem_resize(&by_owner, n, sizeof *by_owner, "orders", error));
    for (int64_t i = 0; i < n; i++) {
        home->time_us[i] = INT64_MAX;
        home->lines[i] = 0;
    }
    for (int64_t row = 0; row < lines->rows; row++) {
        if (ts_us[row] < home->time_us[order[row]])
            home->time_us[order[row]] = ts_us[row];
        home->lines[order[row]]++;
    }
    for (int64_t i = 0; i < n; i++)
        keys[i] = (uint64_t)home->time_us[i] ^ (uint64_t)1 << 63;
    TRY(sort_order_u64(keys, n, by_time, error));
    const int32_t *partition = home->received.columns[ORDER_PARTITION].data;
    for (int64_t i = 0; i < n; i++) {
        int64_t at = by_time[i];
        keys[i] = (uint64_t)partition[home->first[at]] << 32 | (uint32_t)home->customer[at];
    }
    TRY(sort_order_u64(keys, n, by_owner, error));
    for (int64_t i = 0; i < n; i++)
        home->sorted[i] = (int32_t)by_time[by_owner[i]];
    for (int64_t i = 0; i < n; i++)
        keys[i] = (uint64_t)partition[home->first[i]] << 32 | (uint32_t)home->customer[i];
    sort_ties_by_id(home, keys);
    for (int64_t i = 0; i < n; i++)
        home->rank[home->sorted[i]] = (int32_t)i;
out:
    mem_free(&keys);
    mem_free(&by_time);
    mem_free(&by_owner);
    return status;
}

/* Lines in the order of their orders, then of arrival. */
static Status sort_lines(const Home *home, Table *lines, Error *error)
{
    Status status = STATUS_OK;
    int64_t *order = NULL, *starts = NULL;
    int32_t *order_code = table_column(lines, "order")->data;
    for (int64_t row = 0; row < lines->rows; row++)
        order_code[row] = home->rank[order_code[row]];
    TRY(mem_resize(&order, lines->rows, sizeof *order, "order lines", error));
    TRY(mem_resize(&starts, home->n + 1, sizeof *starts, "order lines", error));
    TRY(sort_order_by_group(order_code, lines->rows, home->n, order, starts, error));
    mem_free(&starts);
    table_drop(lines, "order"); /* filled anew below: the sorted orders say it */
    TRY(table_gather(lines, order, lines->rows, error));
out:
    mem_free(&order);
    mem_free(&starts);
    return status;
}

/* Codes inside the partitions: `order` and `customer` of the sorted lines, `order_ids`, the places
 * for the directory, and how many rows each partition got. */
static Status number_orders(const Home *home, const Placement *placement, Table *lines, Table *ids,
                            OrderPlace *places, int64_t *line_rows, int64_t *id_rows, Error *error)
{
    static const ColumnSpec id_spec[] = {{"text", COLUMN_TEXT, UNIT_NONE}};
    Status status = STATUS_OK;
    TRY(table_add_column(lines, (ColumnSpec){"order", COLUMN_I32, UNIT_CODE}, error));
    TRY(table_add_column(lines, (ColumnSpec){"customer", COLUMN_I32, UNIT_CODE}, error));
    int32_t *order = table_column(lines, "order")->data;
    int32_t *customer = table_column(lines, "customer")->data;
    const int32_t *partition = home->received.columns[ORDER_PARTITION].data;
    const int32_t *index = home->received.columns[ORDER_INDEX].data;
    const Column *id = &home->received.columns[ORDER_ID];
    table_init(ids, id_spec, 1);
    TRY(table_reserve(ids, home->n, error));
    int64_t line = 0;
    for (int64_t i = 0; i < home->n; i++) {
        int32_t at = home->sorted[i];
        int32_t row = home->first[at];
        int32_t p = partition[row] - placement->begin;
        int32_t code = (int32_t)id_rows[p]++;
        for (int32_t k = 0; k < home->lines[at]; k++, line++) {
            order[line] = code;
            customer[line] = home->customer[at];
        }
        line_rows[p] += home->lines[at];
        TRY(table_add_row(ids, error));
        TRY(table_set_last_text(ids, &ids->columns[0], column_text(id, row), error));
        places[at] = (OrderPlace){index[row], partition[row], code, home->lines[at]};
    }
out:
    return status;
}

/* Places ordered by the rank of their directory entry. */
static Status order_places(const OrderDirectory *directory, const Home *home, int size,
                           OrderPlace **places, int64_t *counts, Error *error)
{
    Status status = STATUS_OK;
    OrderPlace *sorted = NULL;
    int32_t *owner = NULL;
    int64_t *order = NULL, *starts = NULL, n = home->n;
    const Column *id = &home->received.columns[ORDER_ID];
    TRY(mem_resize(&owner, n, sizeof *owner, "orders", error));
    TRY(mem_resize(&order, n, sizeof *order, "orders", error));
    TRY(mem_resize(&starts, (int64_t)size + 1, sizeof *starts, "orders", error));
    TRY(mem_resize(&sorted, n, sizeof *sorted, "orders", error));
    for (int64_t i = 0; i < n; i++)
        owner[i] = directory_owner(directory, hash128(column_text(id, home->first[i])));
    TRY(sort_order_by_group(owner, n, size, order, starts, error));
    for (int64_t i = 0; i < n; i++)
        sorted[i] = (*places)[order[i]];
    for (int rank = 0; rank < size; rank++)
        counts[rank] = starts[rank + 1] - starts[rank];
    OrderPlace *unsorted = *places;
    *places = sorted;
    sorted = unsorted;
out:
    mem_free(&sorted);
    mem_free(&owner);
    mem_free(&order);
    mem_free(&starts);
    return status;
}

/* Send orders and lines of every parsed order table home, one table after another. */
static Status bring_home(Comm *comm, const Store *store, ParsedBatch *parsed,
                         const Customers *customers, const OrderTicket *tickets,
                         const Placement *placement, Home *home, Table *lines, Error *error)
{
    Status status = STATUS_OK;
    int size = comm_size(comm);
    Outgoing outgoing = {0};
    Table arrived = {0};
    int64_t *counts = mem_new(size, sizeof *counts), *got = mem_new(size, sizeof *got);
    home->start = mem_new((int64_t)size + 1, sizeof *home->start);
    TRY_ALL(comm, route_unite_columns(parsed, INPUT_ORDERS, store, error), error);
    TRY_ALL(comm,
            outgoing_pack_orders(parsed, customers, tickets, placement, size, &outgoing, error),
            error);
    table_move(&home->received, &outgoing.orders);
    TRY(comm_exchange_table(comm, &home->received, outgoing.counts, home->start + 1, error));
    for (int rank = 0; rank < size; rank++)
        home->start[rank + 1] += home->start[rank];
    TRY_ALL(comm, unify_orders(home, customers, size, error), error);

    for (int i = 0; i < parsed->n_tables; i++) {
        if (parsed->tables[i].table != INPUT_ORDERS)
            continue;
        table_move(&arrived, &parsed->tables[i].rows);
        TRY_ALL(comm, outgoing_pack_lines(&arrived, &outgoing, size, counts, error), error);
        TRY(comm_exchange_table(comm, &arrived, counts, got, error));
        unify_lines(home, &arrived, got, size);
        if (lines->n_columns == 0)
            table_move(lines, &arrived);
        else
            TRY_ALL(comm, table_append(lines, &arrived, 0, arrived.rows, error), error);
    }
out:
    outgoing_free(&outgoing);
    table_free(&arrived);
    mem_free(&counts);
    mem_free(&got);
    return status;
}

Status orders_store(Comm *comm, Store *store, StoreBatch *batch, ParsedBatch *parsed,
                    const Customers *customers, const OrderTicket *tickets,
                    OrderDirectory *directory, const Placement *placement, RowCounts *counts,
                    Error *error)
{
    Status status = STATUS_OK;
    int size = comm_size(comm);
    int32_t n_partitions = placement->end - placement->begin;
    Home home = {0};
    Table lines = {0}, ids = {0};
    OrderPlace *places = NULL;
    int64_t *line_rows = mem_new(n_partitions, sizeof *line_rows);
    int64_t *id_rows = mem_new(n_partitions, sizeof *id_rows);
    int64_t *place_counts = mem_new(size, sizeof *place_counts);

    TRY(bring_home(comm, store, parsed, customers, tickets, placement, &home, &lines, error));
    TRY_ALL(comm, fault_point("ingest.orders", error), error);
    TRY(comm_safe_point(comm, "before orders were sorted", error));
    TRY_ALL(comm, append_joined(store, &home, &lines, error), error);
    TRY_ALL(comm, sort_orders(&home, &lines, error), error);
    TRY_ALL(comm, sort_lines(&home, &lines, error), error);
    TRY_ALL(comm, mem_resize(&places, home.n, sizeof *places, "orders", error), error);
    TRY_ALL(comm, number_orders(&home, placement, &lines, &ids, places, line_rows, id_rows, error),
            error);
    TRY_ALL(comm, order_places(directory, &home, size, &places, place_counts, error), error);
    home_free(&home);

    TRY(store_batch_write(comm, batch, "orders", TABLE_ORDER_LINES, &lines, placement->begin,
                          n_partitions, line_rows, error));
    table_free(&lines);
    TRY(store_batch_write(comm, batch, "order_ids", TABLE_APPEND, &ids, placement->begin,
                          n_partitions, id_rows, error));
    TRY(directory_write(comm, batch, directory, places, place_counts, placement,
                        &counts->replaced_orders, &counts->replaced_rows, error));
out:
    home_free(&home);
    table_free(&lines);
    table_free(&ids);
    mem_free(&places);
    mem_free(&line_rows);
    mem_free(&id_rows);
    mem_free(&place_counts);
    return status;
}
