/* See demand_class.h. */
#include "forecast/demand_class.h"

#include "forecast/calendar.h"

#include <math.h>

static const struct {
    double interval;  /* mean periods between two with demand */
    double variation; /* squared, of quantities */
} class_bounds = {1.32, 0.49};

const char *demand_class_name(DemandClass demand)
{
    static const char *const names[DEMAND_CLASSES] = {"smooth", "erratic", "intermittent", "lumpy",
                                                      "new"};
    return names[demand];
}

DemandClass demand_class(const Backtest *backtest, const SeriesSet *set, int64_t i, int origin)
{
    const double *values = series_values(set, i);
    int32_t n = series_length(set, i) - origin * backtest->options.horizon;
    int64_t open = 0, asked = 0;
    double sum = 0.0, squares = 0.0;
    for (int32_t t = 0; t < n; t++) {
        if (calendar_is_closed(&set->calendar, set->start[i] + t) || isnan(values[t]))
            continue;
        open++;
        asked += values[t] > 0.0;
        sum += values[t] > 0.0 ? values[t] : 0.0;
        squares += values[t] > 0.0 ? values[t] * values[t] : 0.0;
    }
    int64_t age = (int64_t)DEMAND_SEASONS_LEAST * set->calendar.open_season;
    if (asked < DEMAND_PERIODS_LEAST && open < (age > DEMAND_AGE_LEAST ? age : DEMAND_AGE_LEAST))
        return DEMAND_NEW;
    if (asked == 0)
        return DEMAND_LUMPY;
    double mean = sum / (double)asked;
    double variation = (squares / (double)asked - mean * mean) / (mean * mean);
    bool is_rare = (double)open >= class_bounds.interval * (double)asked;
    bool is_uneven = variation >= class_bounds.variation;
    return is_rare ? (is_uneven ? DEMAND_LUMPY : DEMAND_INTERMITTENT)
                   : (is_uneven ? DEMAND_ERRATIC : DEMAND_SMOOTH);
}
