/* The columns of a file of series beside id, date and value: what changes in time is dynamic, what
 * does not is static. Inside series_files. */
#ifndef VESPER_FORECAST_SERIES_COLUMNS_H
#define VESPER_FORECAST_SERIES_COLUMNS_H

#include "forecast/series_lines.h"
#include "forecast/series_place.h"

/* A file being read. Rows of a run that is taken back are sorted by key. */
typedef struct SeriesFile {
    const char *path;
    SeriesLines lines;
    Frequency frequency;
    int32_t first_period; /* of all lines */
    SeriesKeys keys;
    Table ids;                             /* `text`, in bytewise order, on every rank */
    int32_t *numbers;                      /* [lines.ids.count] places in `ids`, -1: none */
    int32_t counts_of[SERIES_EXTRA_MAX];   /* different texts of a text column */
    int32_t *texts_of[SERIES_EXTRA_MAX];   /* and the place of each code's */
    bool is_varying[SERIES_EXTRA_MAX];     /* a number that changes inside a series */
    int dynamic_of[SERIES_EXTRA_MAX];      /* place among the dynamics, -1: static */
    int32_t *statics_of[SERIES_EXTRA_MAX]; /* codes of all series; borrowed */
} SeriesFile;

/* Rows [begin, end) of one series; `first` and `last` have its first and last value. */
typedef struct SeriesSpan {
    int64_t begin, end, first, last;
} SeriesSpan;

static inline int64_t series_file_number(const SeriesFile *file, int64_t row)
{
    return ((const int64_t *)file->lines.rows.table.columns[0].data)[row] / file->keys.n_periods;
}

static inline int32_t series_file_period(const SeriesFile *file, int64_t row)
{
    int64_t key = ((const int64_t *)file->lines.rows.table.columns[0].data)[row];
    return (int32_t)(key % file->keys.n_periods) + file->first_period;
}

/* texts := those of all ranks' maps, in bytewise order; numbers [map->count] := the place of each.
 * Collective. */
Status series_unite_texts(Comm *comm, const StringMap *map, Table *texts, int32_t **numbers,
                          Error *error) VESPER_MUST_USE;
/* Place of a text in such texts, or -1. */
int32_t series_find_text(const Table *texts, Bytes text);

/* Texts of the text columns get numbers that are the same on all ranks. Collective. */
Status series_columns_number(Comm *comm, SeriesFile *file, Error *error) VESPER_MUST_USE;
/* Codes of texts in rows become these numbers, if there are any. Local. */
void series_columns_recode(const SeriesFile *file, Table *rows);

/* Which numbers change inside a series, of the spans [n] at hand and those before. Local. */
void series_columns_look(SeriesFile *file, const SeriesSpan *spans, int64_t n);
/* Numbers that differ inside any series are dynamic, all else is static and has its first value:
 * dynamics and room for statics of the set. Collective. */
Status series_columns_choose(Comm *comm, SeriesFile *file, SeriesSet *set,
                             Error *error) VESPER_MUST_USE;
/* Dynamics in the record, and statics, of series i, which is this span. Local. */
Status series_columns_fill(SeriesFile *file, const SeriesSpan *span, const SeriesSet *set,
                           int64_t i, double *record, Error *error) VESPER_MUST_USE;
/* Statics that are numbers get codes that are the same on all ranks. Collective. */
Status series_columns_finish(Comm *comm, SeriesFile *file, SeriesSet *set,
                             Error *error) VESPER_MUST_USE;

#endif
