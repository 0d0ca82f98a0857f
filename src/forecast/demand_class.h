/* Classes of demand: how often something is asked for, and in how like quantities (Syntetos,
 * Boylan, Croston 2005, "On the categorization of demand patterns", Journal of the Operational
 * Research Society 56(5)). */
#ifndef VESPER_FORECAST_DEMAND_CLASS_H
#define VESPER_FORECAST_DEMAND_CLASS_H

#include "forecast/backtest.h"

typedef enum DemandClass {
    DEMAND_SMOOTH,       /* asked for often, in like quantities */
    DEMAND_ERRATIC,      /* often, in changing quantities */
    DEMAND_INTERMITTENT, /* now and then, in like quantities */
    DEMAND_LUMPY,        /* now and then, in changing quantities */
    DEMAND_NEW, /* began a short while ago, and was asked for in too few periods to learn from */
    DEMAND_CLASSES
} DemandClass;

/* A series is new while it is younger than so many seasons and had demand in fewer periods. */
enum { DEMAND_SEASONS_LEAST = 4, DEMAND_PERIODS_LEAST = 3, DEMAND_AGE_LEAST = 8 };

const char *demand_class_name(DemandClass demand);
/* Of the values before an origin; closed and unknown periods do not count. Local. */
DemandClass demand_class(const Backtest *backtest, const SeriesSet *set, int64_t i, int origin);

#endif
