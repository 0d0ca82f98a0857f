/* When to reorder, and how much; see inventory_policy.h. */
#include "kernel/inventory_policy.h"

#include <math.h>

static const double DAYS_A_YEAR = 365;

static double average(const double *mean, int n)
{
    double sum = 0;
    for (int h = 0; h < n; h++)
        sum += fmax(mean[h], 0);
    return sum / n;
}

double inventory_days_of_cover(double stock, const double *mean, int n, double period_days)
{
    if (isnan(stock))
        return NAN;
    if (!(stock > 0))
        return 0;
    for (int h = 0; h < n; h++) {
        double asked = fmax(mean[h], 0);
        if (asked >= stock)
            return (h + stock / asked) * period_days;
        stock -= asked;
    }
    double later = average(mean, n);
    return later > 0 ? (n + stock / later) * period_days : INFINITY;
}

double inventory_demand_over(double days, const double *mean, int n, double period_days)
{
    double periods = days / period_days, sum = 0;
    for (int h = 0; h < n && h < periods; h++)
        sum += fmax(mean[h], 0) * fmin(periods - h, 1);
    return periods > n ? sum + (periods - n) * average(mean, n) : sum;
}

/* Harris 1913, "How many parts to make at once". */
static double economic_quantity(const InventoryTerms *terms, double a_day)
{
    double holding = terms->holding_rate * terms->unit_cost;
    return holding > 0 ? sqrt(2 * a_day * DAYS_A_YEAR * terms->order_cost / holding) : NAN;
}

static double round_up(double pieces, double pack)
{
    double whole = ceil(pieces);
    return pack > 1 ? ceil(whole / pack) * pack : whole;
}

InventoryPolicy inventory_policy(const InventoryTerms *terms, const InventoryDemand *demand)
{
    InventoryPolicy policy = {
        .safety_stock = fmax(demand->sufficient - demand->protected, 0),
        .reorder_point = demand->sufficient,
        .economic = economic_quantity(terms, demand->a_day),
    };
    double missing = policy.reorder_point - (terms->on_hand + terms->on_order);
    if (isnan(missing)) {
        policy.quantity = NAN;
    } else if (missing > 0) { /* fmax passes over what is not known */
        double wanted = fmax(fmax(missing, policy.economic), terms->least_order);
        policy.quantity = round_up(wanted, terms->pack);
    }
    return policy;
}
