/* SeriesLines: one rank's piece of a file of series (series_files.h), in codes of its own. */
#ifndef VESPER_FORECAST_SERIES_LINES_H
#define VESPER_FORECAST_SERIES_LINES_H

#include "forecast/series_text.h"
#include "table/string_map.h"

enum { SERIES_ID_MAX = 1000, SERIES_EXTRA_MAX = SERIES_DYNAMIC_MAX + SERIES_STATIC_MAX };

/* A column beside id, date and value. */
typedef struct SeriesExtra {
    char name[COLUMN_NAME_SIZE];
    int from;        /* field of the record */
    bool is_text;    /* some value is no number; the same on every rank */
    StringMap texts; /* of a text column */
} SeriesExtra;

/* The lines that begin in this rank's share of the file's bytes. All zero is empty. */
typedef struct SeriesLines {
    bool is_wide;        /* a line has all values of a series, without dates */
    SeriesDateKind kind; /* of the dates otherwise */
    StringMap ids;
    int n_extra;
    SeriesExtra extra[SERIES_EXTRA_MAX];
    /* One row a line, of wide lines one a value: I64 `key`, code of the id; I64 `place` (below);
     * I32 `period`, number of the date (SeriesDate), of wide lines the place of the value counted
     * from the last one, which is -1, or, with `from_first`, from the first one, which is 0; F64
     * `value`; and the extra columns `x0`, ...: F64, or I32 codes of texts. */
    Table rows;
    int64_t n_lines; /* lines read */
    char **paths;    /* [n_paths] the files' */
    int64_t n_paths;
} SeriesLines;

/* Where a row stands: file, then line. */
enum { SERIES_PLACE_LINE_BITS = 40 };

/* All ranks read pieces of `path` at once; compressed files are unpacked into a new folder below
 * `folder` for as long as this takes. STATUS_INPUT names file, line and column of what is wrong:
 * the first mistake of the file, at any number of ranks. Collective. */
Status series_lines_read(Comm *comm, const char *path, const char *folder, bool from_first,
                         SeriesLines *lines, Error *error) VESPER_MUST_USE;
void series_lines_free(SeriesLines *lines);

#endif
