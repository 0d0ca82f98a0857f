/* CodeColumn: texts to codes, for one column that grows row by row.
 *
 * In a large StringMap every lookup waits for memory three times. So texts are kept until there are
 * many: then what all of them need is asked for at once, and they wait together. Rows with the text
 * of the row before, as lines of one order have, need no lookup at all. */
#ifndef VESPER_INGEST_LOOKUP_H
#define VESPER_INGEST_LOOKUP_H

#include "table/string_map.h"
#include "table/table.h"

enum {
    LOOKUP_RUNS = 64,          /* runs of equal texts that wait together */
    LOOKUP_TEXT_MAX = 1024,    /* bytes of one text */
    LOOKUP_TEXTS_BYTES = 16384 /* of all that wait */
};

/* Run i: rows [first_row[i], first_row[i + 1]) have the text that ends at ends[i]. */
typedef struct CodeColumn {
    const char *name; /* for messages */
    Column *to;       /* int32 or int16 codes; -1 for an empty text */
    StringMap *map;
    int n_runs;
    int64_t first_row[LOOKUP_RUNS];
    int32_t ends[LOOKUP_RUNS];
    char texts[LOOKUP_TEXTS_BYTES];
} CodeColumn;

/* Row `row`, the next one, has this text of at most LOOKUP_TEXT_MAX bytes. Local. */
Status code_column_add(CodeColumn *column, int64_t row, Bytes text, Error *error) VESPER_MUST_USE;

/* Write the codes of all rows before `rows`. STATUS_INPUT if an int16 column has too many. Local.
 */
Status code_column_finish(CodeColumn *column, int64_t rows, Error *error) VESPER_MUST_USE;

#endif
