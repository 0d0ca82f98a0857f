/* Customers: each known to the owner of its partition, with a code that is dense there. */
#include "ingest/route.h"

#include "base/fault.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static const ColumnSpec id_spec[] = {{"text", COLUMN_TEXT, UNIT_NONE}};

Status customers_init(Customers *customers, const StringMap *map, int32_t partitions, Error *error)
{
    Status status = STATUS_OK;
    memset(customers, 0, sizeof *customers);
    TRY(mem_resize(&customers->hash, map->count, sizeof(Hash128), "customers", error));
    TRY(mem_resize(&customers->partition, map->count, sizeof(int32_t), "customers", error));
    for (int32_t i = 0; i < map->count; i++) {
        customers->hash[i] = hash128(string_map_text(map, i));
        customers->partition[i] = hash_partition(customers->hash[i], partitions);
    }
out:
    return status;
}

void customers_free(Customers *customers)
{
    mem_free(&customers->hash);
    mem_free(&customers->partition);
    mem_free(&customers->reference);
    mem_free(&customers->start);
    mem_free(&customers->code);
}

/* The local customers' ids as a table ordered by destination; fills reference and counts. */
static Status pack_ids(const StringMap *map, const Placement *placement, int size,
                       Customers *customers, Table *ids, int64_t *counts, Error *error)
{
    Status status = STATUS_OK;
    int32_t *owner = NULL;
    int64_t *order = NULL, *starts = NULL;
    TRY(mem_resize(&customers->reference, map->count, sizeof(int32_t), "customers", error));
    TRY(mem_resize(&owner, map->count, sizeof *owner, "customers", error));
    TRY(mem_resize(&order, map->count, sizeof *order, "customers", error));
    TRY(mem_resize(&starts, (int64_t)size + 1, sizeof *starts, "customers", error));
    for (int32_t i = 0; i < map->count; i++)
        owner[i] = placement->owner[customers->partition[i]];
    TRY(sort_order_by_group(owner, map->count, size, order, starts, error));

    table_init(ids, id_spec, 1);
    TRY(table_reserve(ids, map->count, error));
    for (int rank = 0; rank < size; rank++) {
        counts[rank] = starts[rank + 1] - starts[rank];
        for (int64_t at = starts[rank]; at < starts[rank + 1]; at++) {
            int32_t local = (int32_t)order[at];
            customers->reference[local] = (int32_t)(at - starts[rank]);
            TRY(table_add_row(ids, error));
            TRY(table_set_last_text(ids, &ids->columns[0], string_map_text(map, local), error));
        }
    }
out:
    mem_free(&owner);
    mem_free(&order);
    mem_free(&starts);
    return status;
}

/* First eight bytes as a number: orders as the bytes do. */
static uint64_t text_prefix(Bytes text)
{
    unsigned char bytes[8] = {0};
    memcpy(bytes, text.data, text.size < 8 ? (size_t)text.size : 8);
    uint64_t prefix = 0;
    for (int i = 0; i < 8; i++)
        prefix = prefix << 8 | bytes[i];
    return prefix;
}

/* A text of the map with its prefix, which decides most comparisons without touching the text. */
typedef struct PrefixedCode {
    uint64_t prefix;
    int32_t code;
} PrefixedCode;

static int compare_prefixed(const void *left, const void *right, void *map)
{
    const PrefixedCode *a = left, *b = right;
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix ? -1 : 1;
    return bytes_compare(string_map_text(map, a->code), string_map_text(map, b->code));
}

/* Sort map codes [n] by text; scratch [n]. */
static void sort_codes_by_text(StringMap *map, int32_t *codes, int64_t n, PrefixedCode *scratch)
{
    for (int64_t i = 0; i < n; i++)
        scratch[i] = (PrefixedCode){text_prefix(string_map_text(map, codes[i])), codes[i]};
    qsort_r(scratch, (size_t)n, sizeof *scratch, compare_prefixed, map);
    for (int64_t i = 0; i < n; i++)
        codes[i] = scratch[i].code;
}

/* The ids of this rank's partitions while they get their codes. */
typedef struct Registry {
    StringMap map;      /* all ids of the run of partitions: first those of the store */
    int32_t *code;      /* [map.count] inside the partition */
    int32_t *partition; /* [map.count] relative to the run */
    int64_t known;      /* ids that the store had */
    int32_t *used;      /* [n_partitions] codes given out */
} Registry;

static Status registry_load(Store *store, const Placement *placement, Registry *registry,
                            Error *error)
{
    Status status = STATUS_OK;
    Table ids = {0};
    const char *const columns[] = {"text"};
    int32_t n_partitions = placement->end - placement->begin;
    registry->used = mem_new(n_partitions, sizeof *registry->used);
    for (int32_t p = 0; p < n_partitions; p++) {
        TRY(store_read_partition(store, "customer_ids", placement->begin + p, columns, 1, &ids,
                                 error));
        registry->used[p] = (int32_t)ids.rows;
        int64_t total = registry->map.count + ids.rows;
        TRY(mem_resize(&registry->code, total, sizeof(int32_t), "customers", error));
        TRY(mem_resize(&registry->partition, total, sizeof(int32_t), "customers", error));
        for (int64_t row = 0; row < ids.rows; row++) {
            int32_t place;
            TRY(string_map_add(&registry->map, column_text(table_column(&ids, "text"), row), &place,
                               error));
            registry->code[place] = (int32_t)row;
            registry->partition[place] = p;
        }
    }
    registry->known = registry->map.count;
out:
    table_free(&ids);
    return status;
}

/* Add the ids received; customers->code holds their places in the map for now. */
static Status registry_add(Registry *registry, const Table *ids, const Placement *placement,
                           Customers *customers, Error *error)
{
    Status status = STATUS_OK;
    const Column *text = &ids->columns[0];
    TRY(mem_resize(&customers->code, ids->rows, sizeof(int32_t), "customers", error));
    for (int64_t row = 0; row < ids->rows; row++)
        TRY(string_map_add(&registry->map, column_text(text, row), &customers->code[row], error));
    TRY(mem_resize(&registry->code, registry->map.count, sizeof(int32_t), "customers", error));
    TRY(mem_resize(&registry->partition, registry->map.count, sizeof(int32_t), "customers", error));
    for (int64_t i = registry->known; i < registry->map.count; i++)
        registry->partition[i] =
            hash_partition(hash128(string_map_text(&registry->map, (int32_t)i)),
                           placement->partitions) -
            placement->begin;
out:
    return status;
}

/* New ids get the next codes of their partition in bytewise order, and become `fresh`. */
static Status registry_number(Registry *registry, int32_t n_partitions, Table *fresh,
                              int64_t *fresh_rows, Error *error)
{
    Status status = STATUS_OK;
    int64_t n = registry->map.count - registry->known;
    int64_t *order = NULL, *starts = NULL;
    int32_t *places = NULL;
    PrefixedCode *scratch = NULL;
    table_init(fresh, id_spec, 1);
    TRY(mem_resize(&order, n, sizeof *order, "customers", error));
    TRY(mem_resize(&starts, (int64_t)n_partitions + 1, sizeof *starts, "customers", error));
    TRY(mem_resize(&places, n, sizeof *places, "customers", error));
    TRY(mem_resize(&scratch, n, sizeof *scratch, "customers", error));
    TRY(sort_order_by_group(registry->partition + registry->known, n, n_partitions, order, starts,
                            error));
    for (int64_t i = 0; i < n; i++)
        places[i] = (int32_t)(registry->known + order[i]);
    TRY(table_reserve(fresh, n, error));
    for (int32_t p = 0; p < n_partitions; p++) {
        fresh_rows[p] = starts[p + 1] - starts[p];
        int32_t *first = places + starts[p];
        sort_codes_by_text(&registry->map, first, fresh_rows[p], scratch);
        for (int64_t i = 0; i < fresh_rows[p]; i++) {
            registry->code[first[i]] = registry->used[p]++;
            TRY(table_add_row(fresh, error));
            TRY(table_set_last_text(fresh, &fresh->columns[0],
                                    string_map_text(&registry->map, first[i]), error));
        }
    }
out:
    mem_free(&order);
    mem_free(&starts);
    mem_free(&places);
    mem_free(&scratch);
    return status;
}

static void registry_free(Registry *registry)
{
    string_map_free(&registry->map);
    mem_free(&registry->code);
    mem_free(&registry->partition);
    mem_free(&registry->used);
}

static Status give_codes(Store *store, const Placement *placement, const Table *ids,
                         Customers *customers, Table *fresh, int64_t *fresh_rows, Error *error)
{
    Status status = STATUS_OK;
    Registry registry = {0};
    TRY(fault_point("ingest.customers", error));
    TRY(registry_load(store, placement, &registry, error));
    TRY(registry_add(&registry, ids, placement, customers, error));
    TRY(registry_number(&registry, placement->end - placement->begin, fresh, fresh_rows, error));
    for (int64_t row = 0; row < ids->rows; row++)
        customers->code[row] = registry.code[customers->code[row]];
out:
    registry_free(&registry);
    return status;
}

Status customers_register(Comm *comm, Store *store, StoreBatch *batch, const StringMap *map,
                          const Placement *placement, Customers *customers, Error *error)
{
    Status status = STATUS_OK;
    int size = comm_size(comm);
    int32_t n_partitions = placement->end - placement->begin;
    Table ids = {0}, fresh = {0};
    int64_t *counts = mem_new(size, sizeof *counts);
    int64_t *fresh_rows = mem_new(n_partitions, sizeof *fresh_rows);
    customers->start = mem_new((int64_t)size + 1, sizeof *customers->start);

    TRY_ALL(comm, pack_ids(map, placement, size, customers, &ids, counts, error), error);
    TRY(comm_exchange_table(comm, &ids, counts, customers->start + 1, error));
    for (int rank = 0; rank < size; rank++)
        customers->start[rank + 1] += customers->start[rank];
    TRY_ALL(comm, give_codes(store, placement, &ids, customers, &fresh, fresh_rows, error), error);

    int64_t total = fresh.rows;
    comm_sum_i64(comm, &total, 1);
    if (total > 0)
        TRY(store_batch_write(comm, batch, "customer_ids", TABLE_APPEND, &fresh, placement->begin,
                              n_partitions, fresh_rows, error));
out:
    table_free(&ids);
    table_free(&fresh);
    mem_free(&counts);
    mem_free(&fresh_rows);
    return status;
}
