/* Outgoing: which orders go where, which lines contradict their order, and the packing of both. */
#include "ingest/outgoing.h"

#include "base/memory.h"

#include <string.h>

static bool ticket_is_anonymous(const OrderTicket *ticket)
{
    return ticket->customer_high == 0 && ticket->customer_low == 0;
}

int32_t order_partition(const OrderTicket *ticket, Bytes order_id, int32_t partitions)
{
    if (ticket->join_batch >= 0)
        return ticket->join_partition;
    Hash128 home = ticket_is_anonymous(ticket)
                       ? hash128(order_id)
                       : (Hash128){ticket->customer_high, ticket->customer_low};
    return hash_partition(home, partitions);
}

/* ---- contradictions ---- */

/* Positions of lines that name another customer than their order's. */
static Status find_contradictions(const ParsedTable *table, const Customers *customers,
                                  const OrderTicket *tickets, int64_t **positions, int64_t *n,
                                  Error *error)
{
    Status status = STATUS_OK;
    const int32_t *order = table_column_const(&table->rows, "order")->data;
    const int32_t *customer = table_column_const(&table->rows, "customer")->data;
    *n = 0;
    for (int64_t row = 0; row < table->rows.rows; row++) {
        const OrderTicket *ticket = &tickets[order[row]];
        if (customer[row] < 0 || ticket->join_batch >= 0)
            continue;
        Hash128 of_order = {ticket->customer_high, ticket->customer_low};
        if (hash128_equal(customers->hash[customer[row]], of_order))
            continue;
        if ((*n & (*n - 1)) == 0) /* room for a power of two */
            TRY(mem_resize(positions, *n == 0 ? 1 : 2 * *n, sizeof **positions, "rejects", error));
        (*positions)[(*n)++] = row;
    }
out:
    return status;
}

static Status reject_contradictions(ParsedBatch *parsed, const Customers *customers,
                                    const OrderTicket *tickets, Error *error)
{
    Status status = STATUS_OK;
    int64_t *positions = NULL, n;
    for (int i = 0; i < parsed->n_tables; i++) {
        if (parsed->tables[i].table != INPUT_ORDERS)
            continue;
        TRY(find_contradictions(&parsed->tables[i], customers, tickets, &positions, &n, error));
        if (n > 0)
            TRY(parse_reject_late(parsed, i, positions, n, "customer_id",
                                  "the order's first line names another customer", error));
    }
out:
    mem_free(&positions);
    return status;
}

Status orders_reject_contradictions(Comm *comm, ParsedBatch *parsed, const Customers *customers,
                                    const OrderTicket *tickets, Error *error)
{
    return comm_agree(comm, reject_contradictions(parsed, customers, tickets, error), error);
}

/* ---- packing ---- */

static const ColumnSpec order_specs[] = {
    {"partition", COLUMN_I32, UNIT_NONE},  {"customer", COLUMN_I32, UNIT_CODE},
    {"index", COLUMN_I32, UNIT_NONE},      {"shared", COLUMN_I32, UNIT_BOOL},
    {"join_batch", COLUMN_I32, UNIT_NONE}, {"join_order", COLUMN_I32, UNIT_NONE},
    {"id", COLUMN_TEXT, UNIT_NONE}};

int32_t *order_ints(Table *orders, int column)
{
    return orders->columns[column].data;
}

void outgoing_free(Outgoing *outgoing)
{
    mem_free(&outgoing->owner);
    mem_free(&outgoing->reference);
    mem_free(&outgoing->counts);
    table_free(&outgoing->orders);
}

/* Anonymous, or the customer is that of the version that it joins. */
static bool has_no_customer(const OrderTicket *ticket)
{
    return ticket_is_anonymous(ticket) || ticket->join_batch >= 0;
}

/* For each local order the local code of the order's customer, if some line here names it. */
static void find_local_customers(const ParsedBatch *parsed, const Customers *customers,
                                 const OrderTicket *tickets, int32_t *customer_of, int *owner)
{
    for (int i = 0; i < parsed->n_tables; i++) {
        const ParsedTable *table = &parsed->tables[i];
        if (table->table != INPUT_ORDERS)
            continue;
        const int32_t *order = table_column_const(&table->rows, "order")->data;
        const int32_t *customer = table_column_const(&table->rows, "customer")->data;
        for (int64_t row = 0; row < table->rows.rows; row++) {
            const OrderTicket *ticket = &tickets[order[row]];
            owner[order[row]] = 0;
            if (customer[row] >= 0 &&
                customers->hash[customer[row]].high == ticket->customer_high &&
                customers->hash[customer[row]].low == ticket->customer_low)
                customer_of[order[row]] = customer[row];
        }
    }
}

Status outgoing_pack_orders(const ParsedBatch *parsed, const Customers *customers,
                            const OrderTicket *tickets, const Placement *placement, int size,
                            Outgoing *outgoing, Error *error)
{
    Status status = STATUS_OK;
    const StringMap *map = &parsed->maps[DICTIONARY_ORDER];
    int32_t *customer_of = NULL;
    int64_t *starts = mem_new((int64_t)size + 1, sizeof *starts);
    int64_t *order = NULL;
    outgoing->counts = mem_new(size, sizeof *outgoing->counts);
    TRY(mem_resize(&customer_of, map->count, sizeof *customer_of, "orders", error));
    TRY(mem_resize(&outgoing->owner, map->count, sizeof *outgoing->owner, "orders", error));
    TRY(mem_resize(&outgoing->reference, map->count, sizeof *outgoing->reference, "orders", error));
    memset(customer_of, -1, (size_t)map->count * sizeof *customer_of);
    memset(outgoing->owner, -1, (size_t)map->count * sizeof *outgoing->owner);
    find_local_customers(parsed, customers, tickets, customer_of, outgoing->owner);

    for (int32_t i = 0; i < map->count; i++) {
        if (outgoing->owner[i] < 0)
            continue;
        int32_t home = order_partition(&tickets[i], string_map_text(map, i), placement->partitions);
        outgoing->owner[i] = placement->owner[home];
        outgoing->reference[i] = (int32_t)outgoing->counts[outgoing->owner[i]]++;
    }
    for (int rank = 0; rank < size; rank++)
        starts[rank + 1] = starts[rank] + outgoing->counts[rank];
    TRY(mem_resize(&order, starts[size], sizeof *order, "orders", error));
    for (int32_t i = 0; i < map->count; i++)
        if (outgoing->owner[i] >= 0)
            order[starts[outgoing->owner[i]] + outgoing->reference[i]] = i;

    Table *orders = &outgoing->orders;
    table_init(orders, order_specs, ORDER_COLUMNS);
    TRY(table_reserve(orders, starts[size], error));
    for (int64_t at = 0; at < starts[size]; at++) {
        int32_t local = (int32_t)order[at];
        const OrderTicket *ticket = &tickets[local];
        int32_t customer = customer_of[local];
        TRY(table_add_row(orders, error));
        TRY(table_set_last_text(orders, &orders->columns[ORDER_ID], string_map_text(map, local),
                                error));
        order_ints(orders, ORDER_PARTITION)[at] =
            order_partition(ticket, string_map_text(map, local), placement->partitions);
        order_ints(orders, ORDER_CUSTOMER)[at] = has_no_customer(ticket) ? CUSTOMER_ANONYMOUS
                                                 : customer < 0          ? CUSTOMER_ELSEWHERE
                                                                : customers->reference[customer];
        order_ints(orders, ORDER_INDEX)[at] = ticket->index;
        order_ints(orders, ORDER_SHARED)[at] = ticket->shared;
        order_ints(orders, ORDER_JOIN_BATCH)[at] = ticket->join_batch;
        order_ints(orders, ORDER_JOIN_ORDER)[at] = ticket->join_order;
    }
out:
    mem_free(&customer_of);
    mem_free(&starts);
    mem_free(&order);
    return status;
}

Status outgoing_pack_lines(Table *lines, const Outgoing *outgoing, int size, int64_t *counts,
                           Error *error)
{
    Status status = STATUS_OK;
    int32_t *owner = NULL;
    table_drop(lines, "customer");
    table_drop(lines, "row");
    int32_t *order_code = table_column(lines, "order")->data;
    TRY(mem_resize(&owner, lines->rows, sizeof *owner, "order lines", error));
    for (int64_t row = 0; row < lines->rows; row++) {
        owner[row] = outgoing->owner[order_code[row]];
        order_code[row] = outgoing->reference[order_code[row]];
    }
    TRY(table_sort_by_group(lines, &owner, size, counts, error));
out:
    return status;
}
