/* SeriesLines: one rank's piece of a file of series (series_files.h), in codes of its own. */
#ifndef VESPER_FORECAST_SERIES_LINES_H
#define VESPER_FORECAST_SERIES_LINES_H

#include "forecast/series_rows.h"
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
    /* One row a line, of wide lines one a value: I64 `key`, code of the id and number of the date
     * (series_line_key), of wide lines the place of the value counted from the last one, which is
     * -1, or, with `from_first`, from the first one, which is 0; I64 `place` (below); F64 `value`;
     * and the extra columns `x0`, ...: F64, or I32 codes of texts. */
    SeriesRows rows;
    int32_t least, most; /* numbers of dates of this rank; least > most: none */
    int64_t n_lines;     /* lines read */
    char **paths;        /* [n_paths] the files' */
    int64_t n_paths;
} SeriesLines;

/* Where a row stands: file, then line. */
enum { SERIES_PLACE_LINE_BITS = 40 };

static inline int64_t series_line_key(int32_t code, int32_t date)
{
    return (int64_t)((uint64_t)code << 32 | (uint32_t)date);
}

static inline int32_t series_line_code(int64_t key)
{
    return (int32_t)(key >> 32);
}

static inline int32_t series_line_date(int64_t key)
{
    return (int32_t)(uint32_t)key;
}

/* All ranks read pieces of `path` at once; rows and, for as long as this takes, unpacked files are
 * in `folder`. STATUS_INPUT names file, line and column of what is wrong:
 * the first mistake of the file, at any number of ranks. Collective. */
Status series_lines_read(Comm *comm, const char *path, const char *folder, bool from_first,
                         SeriesLines *lines, Error *error) VESPER_MUST_USE;
void series_lines_free(SeriesLines *lines);

#endif
