/* Placing series on ranks: rows of series first to one rank for each series, then whole blocks of
 * series to ranks by what they will cost. Where a series is depends on the number of ranks; its
 * number, its block and its values do not. */
#ifndef VESPER_FORECAST_SERIES_PLACE_H
#define VESPER_FORECAST_SERIES_PLACE_H

#include "forecast/series.h"

/* What a series of length n costs: terms[0] + terms[1] n + terms[2] n^2 + terms[3] n^3, in a unit
 * so small that fractions do not matter (nanoseconds, say). All zero: each series the same. */
typedef struct SeriesCost {
    double terms[4];
} SeriesCost;

/* How the column `key` (I64) of rows is made: (unit * series_per_unit + series of the unit) *
 * n_periods + period, all from 0. */
typedef struct SeriesKeys {
    int32_t n_units; /* products, or the ids of a file */
    int64_t series_per_unit;
    int64_t n_periods;
} SeriesKeys;

/* STATUS_INPUT if there can be more keys than an int64 has. Local. */
Status series_keys_check(const SeriesKeys *keys, Error *error) VESPER_MUST_USE;

/* Sort rows (without texts) by `key`, stable. Local. */
Status series_sort_rows(Table *rows, Error *error) VESPER_MUST_USE;

/* Bring all rows of a unit to one rank: runs of units in rank order, balanced by rows and periods;
 * rows sorted by key, equal ones by rank, then as they stood. Collective. */
Status series_gather_rows(Comm *comm, const SeriesKeys *keys, Table *rows,
                          Error *error) VESPER_MUST_USE;

/* Move whole series between ranks, keeping their order, so that each rank holds whole blocks of
 * about equal cost. Sets first and total. Collective. */
Status series_place(Comm *comm, SeriesSet *set, const SeriesCost *cost,
                    Error *error) VESPER_MUST_USE;

#endif
