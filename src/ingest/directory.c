/* Order directory: which customer an order belongs to, and which earlier version it replaces.
 *
 * An order's lines may be parsed by several ranks and may name a customer on some lines only, and
 * an earlier version may lie in another partition. So each order id has one entry on the rank that
 * its hash names; the batch's entries are kept in `order_index`, where later nights find them. */
#include "ingest/route.h"

#include "base/fault.h"
#include "base/memory.h"

#include <string.h>

typedef struct OrderQuery {
    Hash128 order;
    Hash128 customer;    /* of the order's first line here that names one */
    int64_t position;    /* of that line in the whole input; NO_POSITION without one */
    int64_t mended_only; /* every line here comes from a mended reject file */
} OrderQuery;

#define NO_POSITION INT64_MAX

/* A version of an order that the store holds. */
typedef struct EarlierOrder {
    int32_t partition;
    int32_t batch; /* -1: none */
    int32_t order;
    int32_t lines;
    int32_t joined; /* mended rows join it: its lines live on in the new version */
} EarlierOrder;

typedef struct DirectoryEntry {
    Hash128 order;
    Hash128 customer;
    int64_t position;
    bool shared;
    bool mended_only;
    EarlierOrder earlier;
    OrderPlace place;
} DirectoryEntry;

struct OrderDirectory {
    Placement placement;     /* of order ids */
    DirectoryEntry *entries; /* [n_entries] sorted by hash */
    int64_t n_entries;
};

int directory_owner(const OrderDirectory *directory, Hash128 order)
{
    const Placement *placement = &directory->placement;
    return placement->owner[hash_partition(order, placement->partitions)];
}

void directory_free(OrderDirectory **directory)
{
    if (*directory == NULL)
        return;
    placement_free(&(*directory)->placement);
    mem_free(&(*directory)->entries);
    mem_free(directory);
}

/* ---- asking ---- */

/* One query for each order of this rank's map that has lines. `order_of` [*n] is its map code. */
static Status make_queries(const ParsedBatch *parsed, const Customers *customers,
                           OrderQuery **queries, int32_t **order_of, int64_t *n, Error *error)
{
    Status status = STATUS_OK;
    const StringMap *map = &parsed->maps[DICTIONARY_ORDER];
    int32_t *query_of = NULL;
    *n = 0;
    TRY(mem_resize(queries, map->count, sizeof **queries, "order directory", error));
    TRY(mem_resize(order_of, map->count, sizeof **order_of, "order directory", error));
    TRY(mem_resize(&query_of, map->count, sizeof *query_of, "order directory", error));
    memset(query_of, -1, (size_t)map->count * sizeof *query_of);

    int64_t base = 0; /* inputs one after another make one run of positions */
    for (int i = 0; i < parsed->n_tables; i++) {
        const ParsedTable *table = &parsed->tables[i];
        if (table->table == INPUT_ORDERS) {
            const int32_t *order = table_column_const(&table->rows, "order")->data;
            const int32_t *customer = table_column_const(&table->rows, "customer")->data;
            const int64_t *row_at = table_column_const(&table->rows, "row")->data;
            for (int64_t row = 0; row < table->rows.rows; row++) {
                int32_t q = query_of[order[row]];
                if (q < 0) {
                    q = query_of[order[row]] = (int32_t)(*n)++;
                    (*order_of)[q] = order[row];
                    (*queries)[q] = (OrderQuery){
                        hash128(string_map_text(map, order[row])), {0, 0}, NO_POSITION, 1};
                }
                OrderQuery *query = &(*queries)[q];
                if (!table->mended)
                    query->mended_only = 0;
                if (customer[row] >= 0 && query->position == NO_POSITION) {
                    query->customer = customers->hash[customer[row]];
                    query->position = base + row_at[row];
                }
            }
        }
        for (int k = 0; k < table->n_inputs; k++)
            base += table->inputs[k].bytes;
    }
out:
    mem_free(&query_of);
    return status;
}

/* ---- answering ---- */

static bool hash_before(Hash128 a, Hash128 b)
{
    return hash128_compare(a, b) < 0;
}

/* order [n] := queries by hash. */
static Status sort_queries(const OrderQuery *queries, int64_t n, int64_t *order, Error *error)
{
    Status status = STATUS_OK;
    uint64_t *keys = NULL;
    TRY(mem_resize(&keys, n, sizeof *keys, "order directory", error));
    for (int64_t i = 0; i < n; i++)
        keys[i] = queries[i].order.high;
    TRY(sort_order_u64(keys, n, order, error));
    for (int64_t i = 1; i < n; i++) { /* equal upper halves are rare: insertion by the lower */
        int64_t moving = order[i], at = i;
        while (at > 0 && hash_before(queries[moving].order, queries[order[at - 1]].order)) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = moving;
    }
out:
    mem_free(&keys);
    return status;
}

/* Entries from queries [n]; entry_of [n] := entry of each query. */
static Status make_entries(OrderDirectory *directory, const OrderQuery *queries, int64_t n,
                           int32_t *entry_of, Error *error)
{
    Status status = STATUS_OK;
    int64_t *order = NULL;
    TRY(mem_resize(&order, n, sizeof *order, "order directory", error));
    TRY(sort_queries(queries, n, order, error));
    TRY(mem_resize(&directory->entries, n, sizeof *directory->entries, "order directory", error));
    int64_t n_entries = 0;
    for (int64_t i = 0; i < n; i++) {
        const OrderQuery *query = &queries[order[i]];
        DirectoryEntry *entry = n_entries > 0 ? &directory->entries[n_entries - 1] : NULL;
        if (entry == NULL || !hash128_equal(entry->order, query->order)) {
            entry = &directory->entries[n_entries++];
            *entry = (DirectoryEntry){.order = query->order,
                                      .position = NO_POSITION,
                                      .mended_only = true,
                                      .earlier = {.batch = -1}};
        } else {
            entry->shared = true;
        }
        if (query->position < entry->position) {
            entry->position = query->position;
            entry->customer = query->customer;
        }
        entry->mended_only = entry->mended_only && query->mended_only != 0;
        entry_of[order[i]] = (int32_t)(n_entries - 1);
    }
    directory->n_entries = n_entries;
out:
    mem_free(&order);
    return status;
}

static DirectoryEntry *find_entry(DirectoryEntry *entries, int64_t n, Hash128 order)
{
    int64_t low = 0, high = n;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (hash_before(entries[middle].order, order))
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && hash128_equal(entries[low].order, order) ? &entries[low] : NULL;
}

/* Look up in the index of all earlier batches. The last version wins: it is the one in force. */
static Status find_earlier(Store *store, OrderDirectory *directory, Error *error)
{
    Status status = STATUS_OK;
    Table index = {0};
    const char *const columns[] = {"hash_high", "hash_low", "batch", "partition", "order", "lines"};
    int32_t partitions = directory->placement.partitions;
    int64_t first = 0;
    for (int32_t p = directory->placement.begin; p < directory->placement.end; p++) {
        int64_t end = first;
        while (end < directory->n_entries &&
               hash_partition(directory->entries[end].order, partitions) == p)
            end++;
        if (end > first) {
            TRY(store_read_partition(store, "order_index", p, columns, 6, &index, error));
            const uint64_t *high = table_column(&index, "hash_high")->data;
            const uint64_t *low = table_column(&index, "hash_low")->data;
            const int32_t *batch = table_column(&index, "batch")->data;
            const int32_t *partition = table_column(&index, "partition")->data;
            const int32_t *order = table_column(&index, "order")->data;
            const int32_t *lines = table_column(&index, "lines")->data;
            for (int64_t row = 0; row < index.rows; row++) {
                DirectoryEntry *entry = find_entry(directory->entries + first, end - first,
                                                   (Hash128){high[row], low[row]});
                if (entry != NULL)
                    entry->earlier =
                        (EarlierOrder){partition[row], batch[row], order[row], lines[row], 0};
            }
        }
        first = end;
    }
out:
    table_free(&index);
    return status;
}

static Status answer(Store *store, OrderDirectory *directory, const OrderQuery *queries, int64_t n,
                     OrderTicket **answers, Error *error)
{
    Status status = STATUS_OK;
    int32_t *entry_of = NULL;
    TRY(fault_point("ingest.directory", error));
    if (n > INT32_MAX)
        FAIL(error, STATUS_INPUT,
             "%lld order ids of one batch came to one rank, more than %d; take in smaller batches, "
             "or use more ranks",
             (long long)n, INT32_MAX);
    TRY(mem_resize(&entry_of, n, sizeof *entry_of, "order directory", error));
    TRY(make_entries(directory, queries, n, entry_of, error));
    TRY(find_earlier(store, directory, error));
    TRY(mem_resize(answers, n, sizeof **answers, "order directory", error));
    for (int64_t i = 0; i < n; i++) {
        DirectoryEntry *entry = &directory->entries[entry_of[i]];
        OrderTicket *ticket = &(*answers)[i];
        *ticket = (OrderTicket){.customer_high = entry->customer.high,
                                .customer_low = entry->customer.low,
                                .index = entry_of[i],
                                .shared = entry->shared ? 1 : 0,
                                .join_batch = -1};
        if (entry->mended_only && entry->earlier.batch >= 0) {
            entry->earlier.joined = 1;
            ticket->join_batch = entry->earlier.batch;
            ticket->join_partition = entry->earlier.partition;
            ticket->join_order = entry->earlier.order;
        }
    }
out:
    mem_free(&entry_of);
    return status;
}

static void spread_evenly(OrderDirectory *directory, int32_t partitions, const Comm *comm)
{
    int64_t *even = mem_new(partitions, sizeof *even);
    for (int32_t p = 0; p < partitions; p++)
        even[p] = 1;
    placement_init(&directory->placement, even, partitions, comm_rank(comm), comm_size(comm));
    mem_free(&even);
}

/* Queries ordered by directory rank. */
static Status order_queries(const OrderDirectory *directory, const OrderQuery *queries, int64_t n,
                            int size, OrderQuery **sorted, int64_t **order, int64_t *counts,
                            Error *error)
{
    Status status = STATUS_OK;
    int32_t *owner = NULL;
    int64_t *starts = NULL;
    TRY(mem_resize(&owner, n, sizeof *owner, "order directory", error));
    TRY(mem_resize(order, n, sizeof **order, "order directory", error));
    TRY(mem_resize(&starts, (int64_t)size + 1, sizeof *starts, "order directory", error));
    for (int64_t i = 0; i < n; i++)
        owner[i] = directory_owner(directory, queries[i].order);
    TRY(sort_order_by_group(owner, n, size, *order, starts, error));
    TRY(mem_resize(sorted, n, sizeof **sorted, "order directory", error));
    for (int64_t i = 0; i < n; i++)
        (*sorted)[i] = queries[(*order)[i]];
    for (int rank = 0; rank < size; rank++)
        counts[rank] = starts[rank + 1] - starts[rank];
out:
    mem_free(&owner);
    mem_free(&starts);
    return status;
}

Status directory_new(Comm *comm, Store *store, const ParsedBatch *parsed,
                     const Customers *customers, OrderDirectory **directory, OrderTicket **tickets,
                     Error *error)
{
    Status status = STATUS_OK;
    int size = comm_size(comm);
    OrderQuery *queries = NULL, *sorted = NULL, *received = NULL;
    OrderTicket *answers = NULL, *returned = NULL;
    int32_t *order_of = NULL;
    int64_t *order = NULL, n = 0, n_received = 0;
    int64_t *sent = mem_new(size, sizeof *sent), *got = mem_new(size, sizeof *got);
    *directory = mem_new(1, sizeof **directory);
    spread_evenly(*directory, store_settings(store)->partitions, comm);

    TRY_ALL(comm, make_queries(parsed, customers, &queries, &order_of, &n, error), error);
    TRY_ALL(comm, order_queries(*directory, queries, n, size, &sorted, &order, sent, error), error);
    mem_free(&queries);
    TRY(comm_exchange(comm, sorted, sent, sizeof *sorted, &received, got, error));
    mem_free(&sorted);
    for (int rank = 0; rank < size; rank++)
        n_received += got[rank];
    TRY_ALL(comm, answer(store, *directory, received, n_received, &answers, error), error);
    mem_free(&received);
    TRY(comm_exchange(comm, answers, got, sizeof *answers, &returned, sent, error));
    mem_free(&answers);

    TRY_ALL(comm,
            mem_resize(tickets, parsed->maps[DICTIONARY_ORDER].count, sizeof **tickets,
                       "order directory", error),
            error);
    for (int64_t i = 0; i < n; i++)
        (*tickets)[order_of[order[i]]] = returned[i];
out:
    mem_free(&queries);
    mem_free(&sorted);
    mem_free(&received);
    mem_free(&answers);
    mem_free(&returned);
    mem_free(&order_of);
    mem_free(&order);
    mem_free(&sent);
    mem_free(&got);
    return status;
}

/* ---- writing ---- */

/* Rows by partition of the order's id, then by hash. */
static Status index_table(const OrderDirectory *directory, int64_t batch, Table *index,
                          int64_t *partition_rows, Error *error)
{
    static const ColumnSpec specs[] = {
        {"hash_high", COLUMN_I64, UNIT_NONE}, {"hash_low", COLUMN_I64, UNIT_NONE},
        {"batch", COLUMN_I32, UNIT_NONE},     {"partition", COLUMN_I32, UNIT_NONE},
        {"order", COLUMN_I32, UNIT_CODE},     {"lines", COLUMN_I32, UNIT_COUNT}};
    Status status = STATUS_OK;
    const Placement *placement = &directory->placement;
    table_init(index, specs, 6);
    TRY(table_set_rows(index, directory->n_entries, error));
    uint64_t *high = index->columns[0].data, *low = index->columns[1].data;
    int32_t *batches = index->columns[2].data, *partition = index->columns[3].data;
    int32_t *order = index->columns[4].data, *lines = index->columns[5].data;
    for (int64_t row = 0; row < directory->n_entries; row++) { /* by hash, so by partition too */
        const DirectoryEntry *entry = &directory->entries[row];
        high[row] = entry->order.high;
        low[row] = entry->order.low;
        batches[row] = (int32_t)batch;
        partition[row] = entry->place.partition;
        order[row] = entry->place.order;
        lines[row] = entry->place.lines;
        partition_rows[hash_partition(entry->order, placement->partitions) - placement->begin]++;
    }
out:
    return status;
}

/* Earlier versions of this directory's orders, ordered by the rank that owns their lines. */
static Status pack_replaced(const OrderDirectory *directory, const Placement *lines_placement,
                            int size, EarlierOrder **packed, int64_t *counts, Error *error)
{
    Status status = STATUS_OK;
    int32_t *owner = NULL;
    int64_t *order = NULL, *starts = NULL, *entries = NULL, n = 0;
    for (int64_t i = 0; i < directory->n_entries; i++)
        n += directory->entries[i].earlier.batch >= 0;
    TRY(mem_resize(&owner, n, sizeof *owner, "replaced orders", error));
    TRY(mem_resize(&entries, n, sizeof *entries, "replaced orders", error));
    TRY(mem_resize(&order, n, sizeof *order, "replaced orders", error));
    TRY(mem_resize(&starts, (int64_t)size + 1, sizeof *starts, "replaced orders", error));
    TRY(mem_resize(packed, n, sizeof **packed, "replaced orders", error));
    n = 0;
    for (int64_t i = 0; i < directory->n_entries; i++) {
        if (directory->entries[i].earlier.batch < 0)
            continue;
        owner[n] = lines_placement->owner[directory->entries[i].earlier.partition];
        entries[n++] = i;
    }
    TRY(sort_order_by_group(owner, n, size, order, starts, error));
    for (int64_t i = 0; i < n; i++)
        (*packed)[i] = directory->entries[entries[order[i]]].earlier;
    for (int rank = 0; rank < size; rank++)
        counts[rank] = starts[rank + 1] - starts[rank];
out:
    mem_free(&owner);
    mem_free(&entries);
    mem_free(&order);
    mem_free(&starts);
    return status;
}

/* `order_replaced` rows from what arrived, sorted by partition, batch and order. */
static Status replaced_table(StoreBatch *batch, const EarlierOrder *replaced, int64_t n,
                             const Placement *placement, Table *rows, int64_t *partition_rows,
                             Error *error)
{
    static const ColumnSpec specs[] = {{"partition", COLUMN_I32, UNIT_NONE},
                                       {"batch", COLUMN_I32, UNIT_NONE},
                                       {"order", COLUMN_I32, UNIT_CODE}};
    static const SortKey keys[] = {{"partition", false}, {"batch", false}, {"order", false}};
    Status status = STATUS_OK;
    table_init(rows, specs, 3);
    TRY(table_set_rows(rows, n, error));
    for (int64_t i = 0; i < n; i++) {
        ((int32_t *)rows->columns[0].data)[i] = replaced[i].partition;
        ((int32_t *)rows->columns[1].data)[i] = replaced[i].batch;
        ((int32_t *)rows->columns[2].data)[i] = replaced[i].order;
        partition_rows[replaced[i].partition - placement->begin]++;
        store_batch_replaced(batch, replaced[i].partition, replaced[i].lines);
    }
    TRY(table_sort(rows, keys, 3, error));
    table_drop(rows, "partition");
out:
    return status;
}

static Status write_index(Comm *comm, StoreBatch *batch, OrderDirectory *directory,
                          const OrderPlace *places, const int64_t *counts, Error *error)
{
    Status status = STATUS_OK;
    const Placement *placement = &directory->placement;
    int32_t n_partitions = placement->end - placement->begin;
    OrderPlace *received = NULL;
    Table index = {0};
    int64_t n_received = 0, *got = mem_new(comm_size(comm), sizeof *got);
    int64_t *partition_rows = mem_new(n_partitions, sizeof *partition_rows);
    TRY(comm_exchange(comm, places, counts, sizeof *places, &received, got, error));
    for (int rank = 0; rank < comm_size(comm); rank++)
        n_received += got[rank];
    vesper_assert(n_received == directory->n_entries);
    for (int64_t i = 0; i < n_received; i++)
        directory->entries[received[i].index].place = received[i];
    TRY_ALL(comm, index_table(directory, store_batch_number(batch), &index, partition_rows, error),
            error);
    TRY(store_batch_write(comm, batch, "order_index", TABLE_APPEND, &index, placement->begin,
                          n_partitions, partition_rows, error));
out:
    mem_free(&received);
    table_free(&index);
    mem_free(&got);
    mem_free(&partition_rows);
    return status;
}

static Status write_replaced(Comm *comm, StoreBatch *batch, const OrderDirectory *directory,
                             const Placement *placement, int64_t totals[2], Error *error)
{
    Status status = STATUS_OK;
    int size = comm_size(comm);
    int32_t n_partitions = placement->end - placement->begin;
    EarlierOrder *packed = NULL, *received = NULL;
    Table replaced = {0};
    int64_t n = 0, *sent = mem_new(size, sizeof *sent), *got = mem_new(size, sizeof *got);
    int64_t *partition_rows = mem_new(n_partitions, sizeof *partition_rows);
    TRY_ALL(comm, pack_replaced(directory, placement, size, &packed, sent, error), error);
    TRY(comm_exchange(comm, packed, sent, sizeof *packed, &received, got, error));
    for (int rank = 0; rank < size; rank++)
        n += got[rank];
    int64_t any = n;
    for (int64_t i = 0; i < n; i++) {
        totals[0] += !received[i].joined;
        totals[1] += received[i].joined ? 0 : received[i].lines;
    }
    comm_sum_i64(comm, totals, 2);
    comm_sum_i64(comm, &any, 1);
    if (any == 0)
        goto out;
    TRY_ALL(comm, replaced_table(batch, received, n, placement, &replaced, partition_rows, error),
            error);
    TRY(store_batch_write(comm, batch, "order_replaced", TABLE_APPEND, &replaced, placement->begin,
                          n_partitions, partition_rows, error));
out:
    mem_free(&packed);
    mem_free(&received);
    table_free(&replaced);
    mem_free(&sent);
    mem_free(&got);
    mem_free(&partition_rows);
    return status;
}

Status directory_write(Comm *comm, StoreBatch *batch, OrderDirectory *directory,
                       const OrderPlace *places, const int64_t *counts, const Placement *placement,
                       int64_t *replaced_orders, int64_t *replaced_rows, Error *error)
{
    Status status = STATUS_OK;
    int64_t totals[2] = {0, 0};
    TRY(write_index(comm, batch, directory, places, counts, error));
    TRY(write_replaced(comm, batch, directory, placement, totals, error));
    *replaced_orders = totals[0];
    *replaced_rows = totals[1];
out:
    return status;
}
