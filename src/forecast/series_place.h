/* Placing series on ranks: whole blocks of series to ranks by what they will cost. Where a series
 * is depends on the number of ranks; its number, its block and its values do not. */
#ifndef VESPER_FORECAST_SERIES_PLACE_H
#define VESPER_FORECAST_SERIES_PLACE_H

#include "forecast/series.h"

/* What a series of length n costs: terms[0] + terms[1] n + terms[2] n^2 + terms[3] n^3, in a unit
 * so small that fractions do not matter (nanoseconds, say). All zero: each series the same. */
typedef struct SeriesCost {
    double terms[4];
} SeriesCost;

/* Move whole series between ranks, keeping their order, so that each rank holds whole blocks of
 * about equal cost; their records are in its spool, and in that of a new one if any moved. Sets
 * first and total. Collective. */
Status series_place(Comm *comm, SeriesSet *set, const SeriesCost *cost,
                    Error *error) VESPER_MUST_USE;

#endif
