/* Anomalies: periods in which much more or much less was asked for than the periods around them and
 * the season let expect. Method and limits: docs/methods/demand_anomaly.md. */
#ifndef VESPER_FORECAST_ANOMALIES_H
#define VESPER_FORECAST_ANOMALIES_H

#include "forecast/series.h"

typedef struct Anomaly {
    int64_t series; /* of this rank */
    int32_t period;
    double actual, expected, low, high; /* units */
    double score; /* usual deviations from expected: above 0 too much, below 0 too little */
} Anomaly;

/* By series, then period. All zero is empty. */
typedef struct Anomalies {
    int64_t n, capacity;
    Anomaly *items; /* [n] */
} Anomalies;

void anomalies_free(Anomalies *anomalies);

/* Anomalies of the last `recent` periods of the history, judged by whole series without closed
 * periods; what is not known is none.
 *   set    of pieces
 *   limit  usual deviations: OUTLIERS_LIMIT_99 for what lies outside of 99 %
 * Local. */
Status anomalies_find(const SeriesSet *set, double limit, int32_t recent, Anomalies *anomalies,
                      Error *error) VESPER_MUST_USE;

#endif
