/* Funnel: from views over carts to orders, by day, and the carts that were left. */
#ifndef VESPER_SALES_FUNNEL_H
#define VESPER_SALES_FUNNEL_H

#include "sales/order_lines.h"

/* Events of one partition as the store has them: batches one after another, by customer and time
 * in each. Equal times count in the order of the rows. */
typedef struct Events {
    int64_t n;
    const int32_t *customer; /* code in the partition; an event always has one */
    const int64_t *ts_us;
    const int32_t *day;
    const int8_t *kind;     /* 0 view, 1 cart_add, 2 cart_remove, 3 checkout */
    const int32_t *product; /* code; -1 none. NULL: all none */
} Events;

/* Accumulators of one thread; see funnel.c. */
typedef struct Funnel Funnel;

uint32_t funnel_needs(void); /* LINES_... of the orders */
/* cart_days: cart_abandoned has the carts last touched in so many days up to and with the night's
 * day. The shop must outlive the funnel. Local. */
Status funnel_new(const Shop *shop, int64_t cart_days, Funnel **funnel,
                  Error *error) VESPER_MUST_USE;
void funnel_free(Funnel **funnel);
/* Add the events of a partition, and its orders (n may be 0 in either; lines->partition always
 * counts). Both come together: a partition comes once. STATUS_IO if an event has a kind or a code
 * that there is not. Local. */
Status funnel_add(Funnel *funnel, const Events *events, const OrderLines *lines,
                  Error *error) VESPER_MUST_USE;
/* Add what another thread of this rank has; frees *from. Local. */
Status funnel_merge(Funnel *into, Funnel **from, Error *error) VESPER_MUST_USE;

/* funnel_daily on rank 0, by day: the days with an event. Collective. */
Status funnel_daily_rows(Comm *comm, const Funnel *funnel, Table *rows,
                         Error *error) VESPER_MUST_USE;
/* cart_abandoned by customer id, each rank the next run of rows. Without any order the night's day
 * is that of the last event. Reads the ids of the customers. Collective. */
Status funnel_carts_rows(Comm *comm, Store *store, const Shop *shop, Funnel *funnel, Table *rows,
                         Error *error) VESPER_MUST_USE;

#endif
