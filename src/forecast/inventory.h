/* Inventory: what to keep and to order of one product, from its forecast and intervals. Columns of
 * `inventory_plan`, with units: docs/methods/inventory.md. */
#ifndef VESPER_FORECAST_INVENTORY_H
#define VESPER_FORECAST_INVENTORY_H

#include "forecast/intervals.h"
#include "kernel/inventory_policy.h"

typedef struct InventoryPlan {
    double lead_demand;      /* pieces expected until an order of today would come */
    double protected_demand; /* pieces expected until the one after it would */
    double safety_stock;     /* pieces */
    double reorder_point;    /* pieces */
    double order_quantity;   /* pieces; NaN: stock not known */
    double days_of_cover;    /* days that the stock lasts; INFINITY: nothing is asked for; NaN */
    double stock_out;        /* probability that it does not last for the lead time; NaN */
} InventoryPlan;

/* Plan for series i of the model.
 *   mean [horizon of the model] pieces forecast for each period of period_days (1, 7, ...)
 * Local, safe in threads. */
void inventory_plan(const IntervalModel *model, int64_t i, const double *mean, double period_days,
                    const InventoryTerms *terms, InventoryPlan *plan);

#endif
