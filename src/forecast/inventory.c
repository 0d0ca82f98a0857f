/* Plans of single products; see inventory.h. */
#include "forecast/inventory.h"

#include <math.h>

/* A window of days in periods, begun ones whole: at least one. */
static int periods_of(double days, double period_days)
{
    double periods = ceil(days / period_days);
    return periods > 1 ? periods < INT32_MAX ? (int)periods : INT32_MAX : 1;
}

void inventory_plan(const IntervalModel *model, int64_t i, const double *mean, double period_days,
                    const InventoryTerms *terms, InventoryPlan *plan)
{
    int n = model->horizon;
    double protected_days = terms->lead_days + terms->review_days;
    InventoryDemand demand = {
        .a_day = inventory_demand_over(n * period_days, mean, n, period_days) / (n * period_days),
        .lead = inventory_demand_over(terms->lead_days, mean, n, period_days),
        .protected = inventory_demand_over(protected_days, mean, n, period_days),
    };
    if (protected_days > 0)
        intervals_sum_quantiles(model, i, mean, periods_of(protected_days, period_days),
                                demand.protected, &terms->service_level, 1, &demand.sufficient);
    InventoryPolicy policy = inventory_policy(terms, &demand);

    *plan = (InventoryPlan){
        .lead_demand = demand.lead,
        .protected_demand = demand.protected,
        .safety_stock = policy.safety_stock,
        .reorder_point = policy.reorder_point,
        .order_quantity = policy.quantity,
        .days_of_cover = inventory_days_of_cover(terms->on_hand, mean, n, period_days),
    };
    if (terms->lead_days > 0 || isnan(terms->on_hand))
        plan->stock_out = intervals_sum_above(
            model, i, mean, periods_of(terms->lead_days, period_days), demand.lead, terms->on_hand);
}
