/* Series from CSV files, as published benchmarks have them (docs/methods/series.md). */
#ifndef VESPER_FORECAST_SERIES_FILES_H
#define VESPER_FORECAST_SERIES_FILES_H

#include "forecast/series_place.h"

typedef struct SeriesFileOptions {
    Frequency frequency; /* FREQUENCY_COUNT: that of the dates; a file without dates needs one */
    int season;          /* periods of a season; 0: the frequency's */
    int32_t ahead;       /* periods to be forecast */
    SeriesCost cost;
    const char *folder; /* for rows, records and unpacked files */
} SeriesFileOptions;

/* Lines of the files, the same on every rank: read = used + left_out. */
typedef struct SeriesFileCounts {
    int64_t read;
    int64_t used;
    int64_t left_out; /* without a value before the series' first or after its last, unless they
                         tell of the `ahead` periods; of the second file: without a value, of an
                         unknown series or of another period */
} SeriesFileCounts;

/* Read the series of a file, or of all CSV files of a folder, sorted by id, bytewise (`series` in
 * set->keys). STATUS_INPUT names file, line and column of what is wrong: a header, date or number,
 * an id that comes twice for a date; or the file that has no values. STATUS_USAGE if the dates do
 * not fit the frequency, or there is none. Collective. */
Status series_files_read(Comm *comm, const char *path, const SeriesFileOptions *options,
                         SeriesSet *set, SeriesFileCounts *counts, Error *error) VESPER_MUST_USE;

/* What came after the series, from a second file of the same layout: *actual [n x ahead], NaN where
 * the file has nothing (mem_free). STATUS_INPUT also if nothing of it fits. Collective. */
Status series_files_read_actual(Comm *comm, const char *path, const SeriesFileOptions *options,
                                const SeriesSet *set, double **actual, SeriesFileCounts *counts,
                                Error *error) VESPER_MUST_USE;

#endif
