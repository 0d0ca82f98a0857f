/* Outgoing: the orders and lines that one rank parsed, made ready to travel to the ranks that own
 * their partitions. All Local. */
#ifndef VESPER_INGEST_OUTGOING_H
#define VESPER_INGEST_OUTGOING_H

#include "ingest/route.h"

enum { CUSTOMER_ANONYMOUS = -1, CUSTOMER_ELSEWHERE = -2 /* another rank's lines name it */ };

/* Columns of what travels with an order, once from each rank that parsed lines of it. */
enum {
    ORDER_PARTITION,
    ORDER_CUSTOMER,
    ORDER_INDEX,
    ORDER_SHARED,
    ORDER_JOIN_BATCH,
    ORDER_JOIN_ORDER,
    ORDER_ID,
    ORDER_COLUMNS
};

/* Orders of this rank with where their lines go. */
typedef struct Outgoing {
    int *owner;         /* [n_local orders] destination; -1 without lines */
    int32_t *reference; /* [n_local orders] place in the list sent there */
    Table orders;       /* ordered by destination */
    int64_t *counts;    /* [size] orders for each destination */
} Outgoing;

void outgoing_free(Outgoing *outgoing);

/* Where each local order goes, and the orders ordered by destination. */
Status outgoing_pack_orders(const ParsedBatch *parsed, const Customers *customers,
                            const OrderTicket *tickets, const Placement *placement, int size,
                            Outgoing *outgoing, Error *error) VESPER_MUST_USE;

/* Lines ordered by destination, `order` made the place in the list of orders sent there; counts
 * [size] of lines for each. */
Status outgoing_pack_lines(Table *lines, const Outgoing *outgoing, int size, int64_t *counts,
                           Error *error) VESPER_MUST_USE;

/* A column of int32 of a table of orders. */
int32_t *order_ints(Table *orders, int column);

#endif
