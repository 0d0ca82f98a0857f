/* Inventory policy: when to reorder, and how much. Local, safe in threads. Formulas, sources and
 * limits: docs/methods/inventory.md. */
#ifndef VESPER_KERNEL_INVENTORY_POLICY_H
#define VESPER_KERNEL_INVENTORY_POLICY_H

#include <stdint.h>

/* What is known of one product's supply. NaN: not known, where that is said. */
typedef struct InventoryTerms {
    double on_hand;       /* pieces; NaN */
    double on_order;      /* pieces ordered that have not come, within lead_days at the latest */
    double lead_days;     /* from order to delivery, >= 0 */
    double review_days;   /* from one chance to order to the next, >= 0 */
    double service_level; /* probability to have enough until the delivery after next, in (0, 1) */
    double pack;          /* pieces that are ordered together; NaN: 1 */
    double least_order;   /* pieces; NaN: none */
    double order_cost;    /* of one order, money; NaN */
    double unit_cost;     /* of one piece, money; NaN */
    double holding_rate;  /* of a piece's cost, a year; NaN */
} InventoryTerms;

/* What is expected to be asked for. */
typedef struct InventoryDemand {
    double a_day;      /* pieces a day, over the days that are forecast */
    double lead;       /* pieces over lead_days */
    double protected;  /* pieces over lead_days + review_days */
    double sufficient; /* pieces that demand over lead_days + review_days does not pass with the
                          service level's probability */
} InventoryDemand;

typedef struct InventoryPolicy {
    double safety_stock;  /* pieces: what is kept against more demand than expected */
    double reorder_point; /* pieces: order when stock and what is on order are less */
    double economic;      /* pieces an order should have by its costs; NaN: costs not known */
    double quantity;      /* pieces to order now; NaN: stock not known */
} InventoryPolicy;

InventoryPolicy inventory_policy(const InventoryTerms *terms, const InventoryDemand *demand);

/* Days that `stock` lasts: demand comes evenly within a period of period_days.
 *   mean [n] pieces expected in each period ahead, n >= 1; after them their average goes on.
 * INFINITY if nothing is asked for, 0 without stock, NaN if it is not known. */
double inventory_days_of_cover(double stock, const double *mean, int n, double period_days);

/* Pieces expected in the next `days`, in the same way. */
double inventory_demand_over(double days, const double *mean, int n, double period_days);

#endif
