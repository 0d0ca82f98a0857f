/* The interval that holds a given share of what may come. docs/methods/intervals.md. */
#ifndef VESPER_FORECAST_INTERVAL_AROUND_H
#define VESPER_FORECAST_INTERVAL_AROUND_H

#include "forecast/intervals.h"

/* Ends of the interval with probability `mass` around each mean [horizon of the model]: low
 * [horizon] and high [horizon] out. Of numbers it leaves as much below as above. Counts cannot be
 * cut that finely: the interval begins at the quantile (1 - mass) / 2, what that and its equals
 * hold belongs to it, and it ends at the count with which it comes nearest to `mass`. So where 0
 * has more than its share the interval is [0, high]. NaN where the mean is. Local, safe in threads.
 */
void interval_around(const IntervalModel *model, int64_t i, const double *mean, double mass,
                     double *low, double *high);

#endif
