/* Rejects: rows that were not taken in, as CSV that can be mended and ingested again. */
#ifndef VESPER_INGEST_REJECTS_H
#define VESPER_INGEST_REJECTS_H

#include "ingest/mapping.h"

enum { REJECTS_BYTES_MAX = 1 << 28 /* of one rank */ };

/* One rejected record. */
typedef struct Reject {
    int64_t row; /* its place in the run of files: rejects are sorted by it */
    const char *path;
    int64_t line;
    const char *field;
    const char *reason;
    const CsvRecord *record;
} Reject;

/* Rejected rows of one rank. All zero is empty. */
typedef struct Rejects {
    char delimiter;
    bool mended; /* the rows come from a reject file: its own columns are replaced */
    Buffer text;
    int64_t *rows; /* [count] place of each, ascending */
    int64_t *ends; /* [count] where each ends in `text` */
    int64_t count;
    int64_t capacity;
} Rejects;

void rejects_free(Rejects *rejects);

/* The header of a reject file whose rows come from files with `header`. */
void rejects_write_header(Bytes header, char delimiter, bool mended, Buffer *text);

/* Append one; STATUS_INPUT when there are more than anybody would mend. Local. */
Status rejects_add(Rejects *rejects, const Reject *reject, Error *error) VESPER_MUST_USE;

/* Put `more` among the others, in the order of their rows; `more` becomes empty. Local. */
Status rejects_merge(Rejects *rejects, Rejects *more, Error *error) VESPER_MUST_USE;

#endif
