/* CSV: where records and fields begin and end (RFC 4180, read leniently). Local, no I/O.
 *
 * One automaton decides everything, so that a file means the same read from its start or from the
 * middle. A field that begins with a quote runs to the next quote that is not doubled; then, and
 * in any other field, delimiters and line ends count. A quote inside an unquoted field, and text
 * after a closing quote, are taken as text and make the record broken. A line end is LF or CRLF.
 *
 *   state            quote             delimiter     LF              other
 *   field start      quoted            field start   (record) start  unquoted
 *   unquoted         unquoted, broken  field start   (record) start  unquoted
 *   quoted           quote in quoted   quoted        quoted          quoted
 *   quote in quoted  quoted            field start   (record) start  unquoted, broken
 *
 * After an LF only `field start` and `quoted` are possible: a reader that starts there needs to
 * know which, and CsvScan tells, for both, what it will be at the end of a piece. */
#ifndef VESPER_INGEST_CSV_H
#define VESPER_INGEST_CSV_H

#include "base/bytes.h"

enum {
    CSV_RECORD_MAX = 4 << 20, /* bytes of one record; more is taken for a quote never closed */
    CSV_FIELDS_MAX = 1024     /* fields of one record that are kept; all are counted */
};

typedef enum CsvState { CSV_FIELD_START, CSV_UNQUOTED, CSV_QUOTED, CSV_QUOTE_IN_QUOTED } CsvState;

/* State after `text`, which follows bytes that led to `state`. Local. */
CsvState csv_state_after(CsvState state, Bytes text, char delimiter);

/* What one piece of a file does to the reader's state, fed block by block. All zero is not valid:
 * begin with csv_scan_init. */
typedef struct CsvScan {
    char delimiter;
    CsvState after_start;  /* state now, if the piece began with a record */
    CsvState after_quoted; /* state now, if it began inside quotes */
    int64_t newlines;
} CsvScan;

void csv_scan_init(CsvScan *scan, char delimiter);
void csv_scan_feed(CsvScan *scan, Bytes block);

int64_t csv_count_newlines(Bytes text);

/* One record. Its parts are borrowed from the text given to csv_next, or from `scratch`, and live
 * until the next call. All zero is valid. */
typedef struct CsvRecord {
    Bytes raw; /* without its line end; empty for an empty line, which is no row */
    Bytes fields[CSV_FIELDS_MAX]; /* without their quotes; [min(n_fields, CSV_FIELDS_MAX)] */
    int64_t n_fields;
    int64_t newlines; /* LFs up to the end of the record */
    bool is_ascii;    /* no byte above 127 and no NUL */
    bool is_broken;   /* misplaced quotes: the fields mean nothing */
    Buffer scratch;   /* fields with doubled quotes undone */
} CsvRecord;

void csv_record_free(CsvRecord *record);

/* What csv_next returns instead of a number of bytes. */
enum { CSV_NOT_WHOLE = 0, CSV_NEVER_CLOSED = -1 };

/* Read the record at the start of `text` (an empty line counts as one): bytes that it takes with
 * its line end, CSV_NOT_WHOLE if it goes on after `text`, or, if `is_last` (nothing follows the
 * text), CSV_NEVER_CLOSED if the text ends inside quotes. Local. */
int64_t csv_next(Bytes text, char delimiter, bool is_last, CsvRecord *record);

/* As csv_next, for a text that starts inside the quotes of a record begun before: the way to the
 * first record that starts here. Only record->newlines is filled. */
int64_t csv_skip_rest(Bytes text, char delimiter, bool is_last, CsvRecord *record);

/* Bytes of the raw record before its field `n`; all of it if there are not so many. Local. */
int64_t csv_field_offset(Bytes raw, char delimiter, int64_t n);

/* Append `text` as one field, in quotes if it needs them. Local. */
void csv_append_field(Buffer *line, Bytes text, char delimiter);

#endif
