/* Route: from columns with codes local to a rank to the tables of a batch, each row on the rank
 * that owns its partition, with codes that do not depend on the number of ranks. */
#ifndef VESPER_INGEST_ROUTE_H
#define VESPER_INGEST_ROUTE_H

#include "base/hash.h"
#include "ingest/parse.h"

/* Which rank owns which partition while one batch is taken in. */
typedef struct Placement {
    int32_t partitions;
    int *owner;         /* [partitions] */
    int32_t begin, end; /* this rank's run */
} Placement;

/* Runs balanced by weights [partitions], which are the same on every rank. Local. */
void placement_init(Placement *placement, const int64_t *weights, int32_t partitions, int rank,
                    int size);
void placement_free(Placement *placement);

/* dictionaries.c: global dictionaries. Replaces the local codes in the columns of every parsed
 * table by the store's, and writes the new texts as `dictionary_NAME`. New texts get the next codes
 * in bytewise order. Every rank holds the dictionaries: they grow with the catalogue, not with the
 * history. Collective. */
Status dictionaries_resolve(Comm *comm, Store *store, StoreBatch *batch, ParsedBatch *parsed,
                            Error *error) VESPER_MUST_USE;

/* customers.c: every customer of the batch, known to the owner of its partition.
 * A row that travels to that owner carries the customer's `reference`; there
 * code[start[source] + reference] is its code inside the partition. */
typedef struct Customers {
    Hash128 *hash;      /* [n_local] of the customers of this rank's ParsedBatch map */
    int32_t *partition; /* [n_local] */
    int32_t *reference; /* [n_local] place in the list sent to the partition's owner */
    int64_t *start;     /* [size + 1] first place of each source in code */
    int32_t *code;      /* [received] */
} Customers;

/* Hash and partition of the local customers. Local. */
Status customers_init(Customers *customers, const StringMap *map, int32_t partitions,
                      Error *error) VESPER_MUST_USE;
void customers_free(Customers *customers);

/* Send the customers to their owners, give the new ones codes in bytewise order, write
 * `customer_ids`. Collective. */
Status customers_register(Comm *comm, Store *store, StoreBatch *batch, const StringMap *map,
                          const Placement *placement, Customers *customers,
                          Error *error) VESPER_MUST_USE;

/* directory.c: who an order belongs to, and whether the store has it already. Orders are spread
 * over ranks by the hash of their id, apart from the partition that their lines go to. */

/* What the directory answers about one local order. */
typedef struct OrderTicket {
    uint64_t customer_high; /* hash of the order's customer, both 0 if anonymous */
    uint64_t customer_low;
    int32_t index;      /* place in its directory rank's list */
    int32_t shared;     /* lines of this order were parsed by more than one rank */
    int32_t join_batch; /* mended rows: the version in force that they join; -1 for none */
    int32_t join_partition;
    int32_t join_order;
} OrderTicket;

/* The place of one order of this batch in the store, reported by the owner of its lines. */
typedef struct OrderPlace {
    int32_t index; /* as in the ticket */
    int32_t partition;
    int32_t order; /* code inside the partition */
    int32_t lines;
} OrderPlace;

typedef struct OrderDirectory OrderDirectory;

/* Ask about every local order: its customer is that of its first line that names one. `tickets`
 * [count of the order map] is allocated. Collective. */
Status directory_new(Comm *comm, Store *store, const ParsedBatch *parsed,
                     const Customers *customers, OrderDirectory **directory, OrderTicket **tickets,
                     Error *error) VESPER_MUST_USE;
void directory_free(OrderDirectory **directory);

/* Rank that keeps the directory entry of an order id. Local. */
int directory_owner(const OrderDirectory *directory, Hash128 order);

/* Take the places (ordered by directory rank, counts [size]) and write `order_index` and
 * `order_replaced`; `placement` is that of the order lines. Adds up what was replaced, the same on
 * every rank. Collective. */
Status directory_write(Comm *comm, StoreBatch *batch, OrderDirectory *directory,
                       const OrderPlace *places, const int64_t *counts, const Placement *placement,
                       int64_t *replaced_orders, int64_t *replaced_rows,
                       Error *error) VESPER_MUST_USE;

/* outgoing.c: lines whose customer contradicts the order's are rejected. Collective. */
Status orders_reject_contradictions(Comm *comm, ParsedBatch *parsed, const Customers *customers,
                                    const OrderTicket *tickets, Error *error) VESPER_MUST_USE;

/* Home partition of a local order. Local. */
int32_t order_partition(const OrderTicket *ticket, Bytes order_id, int32_t partitions);

/* orders.c: bring the lines of all parsed order tables home, sort them, write `orders` and
 * `order_ids`, and finish the directory. Empties the parsed order tables. Collective. */
Status orders_store(Comm *comm, Store *store, StoreBatch *batch, ParsedBatch *parsed,
                    const Customers *customers, const OrderTicket *tickets,
                    OrderDirectory *directory, const Placement *placement, RowCounts *counts,
                    Error *error) VESPER_MUST_USE;

/* Add the columns that `rows` lacks, filled with what an absent column reads as, and sort all
 * columns by name. Local. */
Status route_complete_columns(Table *rows, const ColumnSpec *specs, int n_specs,
                              Error *error) VESPER_MUST_USE;

/* Give all parsed tables of one kind the same columns, sorted by name: those that any of them has,
 * and, if mended rows are among them, those of the store. New columns are filled with what an
 * absent column reads as. Local, with the same outcome everywhere. */
Status route_unite_columns(ParsedBatch *parsed, InputTable kind, const Store *store,
                           Error *error) VESPER_MUST_USE;

/* route.c: the other tables. `products`, `promotions`, `stockouts` and `holidays` (global), and
 * `customers`, `events`, `reviews`, `pairs` by the partition of their customer (else of their
 * session, order or product), sorted by customer and time. Empties those parsed tables. Collective.
 */
Status route_store_rows(Comm *comm, Store *store, StoreBatch *batch, ParsedBatch *parsed,
                        const Customers *customers, const Placement *placement,
                        Error *error) VESPER_MUST_USE;

/* Rows of this rank by home partition, added to weights [partitions]. Local. */
void route_add_weights(const ParsedBatch *parsed, const Customers *customers, int64_t *weights,
                       int32_t partitions);

#endif
