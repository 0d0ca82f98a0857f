/* The columns of a file of series beside id, date and value: what changes in time is dynamic, what
 * does not is static. Inside series_files. */
#ifndef VESPER_FORECAST_SERIES_COLUMNS_H
#define VESPER_FORECAST_SERIES_COLUMNS_H

#include "forecast/series_lines.h"
#include "forecast/series_place.h"

/* A file being read. Rows are sorted by key when each series is whole on one rank. */
typedef struct SeriesFile {
    const char *path;
    SeriesLines lines;
    Frequency frequency;
    int32_t first_period; /* of all lines */
    SeriesKeys keys;
    Table ids;                           /* `text`, in bytewise order, on every rank */
    int32_t counts_of[SERIES_EXTRA_MAX]; /* different texts of a text column */
} SeriesFile;

/* Rows [begin, end) of one series; `first` and `last` have its first and last value. */
typedef struct SeriesSpan {
    int64_t begin, end, first, last;
} SeriesSpan;

static inline int64_t series_file_number(const SeriesFile *file, int64_t row)
{
    return ((const int64_t *)file->lines.rows.columns[0].data)[row] / file->keys.n_periods;
}

static inline int32_t series_file_period(const SeriesFile *file, int64_t row)
{
    int64_t key = ((const int64_t *)file->lines.rows.columns[0].data)[row];
    return (int32_t)(key % file->keys.n_periods) + file->first_period;
}

/* texts := those of all ranks' maps, in bytewise order; numbers [map->count] := the place of each.
 * Collective. */
Status series_unite_texts(Comm *comm, const StringMap *map, Table *texts, int32_t **numbers,
                          Error *error) VESPER_MUST_USE;
/* Place of a text in such texts, or -1. */
int32_t series_find_text(const Table *texts, Bytes text);

/* Codes of text columns become the same on all ranks. Collective. */
Status series_columns_number(Comm *comm, SeriesFile *file, Error *error) VESPER_MUST_USE;

/* Dynamics and statics of the series, whose rows are spans [set->n]. Numbers that differ inside any
 * series are dynamic, all else is static and has its first value. Collective. */
Status series_columns_fill(Comm *comm, const SeriesFile *file, const SeriesSpan *spans,
                           SeriesSet *set, Error *error) VESPER_MUST_USE;

#endif
