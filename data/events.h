/* Events: what customers did on the site before they bought, or instead of it.
 *
 * An order's session views and adds each product and ends with the checkout, at the moment of the
 * order. Beside it another customer may browse, with or without things left in the cart. */
#ifndef VESPER_DATA_EVENTS_H
#define VESPER_DATA_EVENTS_H

#include "baskets.h"

/* Append the events around the order with this id; `seconds` (since the start of day 0) is its
 * moment. Events of a session are in order of time, sessions in order of their ends. */
Status events_write(const Shop *shop, const Order *order, int64_t order_id, int64_t seconds,
                    Text *text, Error *error) VESPER_MUST_USE;

#endif
