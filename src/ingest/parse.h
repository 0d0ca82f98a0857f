/* Parse: an input (a file or a folder of CSV files, or a database) to columns with codes local to
 * this rank.
 *
 * All ranks share one input: the files are taken as one run of bytes, cut into as many even pieces
 * as there are ranks; borders inside quotes are found exactly, so the rows, their order, the line
 * numbers and the rejects do not depend on the number of ranks. */
#ifndef VESPER_INGEST_PARSE_H
#define VESPER_INGEST_PARSE_H

#include "base/config.h"
#include "ingest/schema.h"
#include "store/store.h"
#include "table/string_map.h"

/* Rows of one canonical table parsed by this rank, in file order.
 * `rows` has a column for each stored name of the schema whose input column is present (or is made
 * by a rule: orders always have `cancelled`, and `customer` with -1 for none), and `row` int64:
 * byte offset of the record in the run of the input's files (files one after another), ascending
 * over the ranks. Codes index ParsedBatch.maps; -1 for empty. A mended reject file is recognised by
 * its first columns (vesper_file, ...): `mended` is true. */
typedef struct ParsedTable {
    InputTable table;
    Table rows;
    bool mended;
    Buffer reject_header;  /* on rank 0 */
    Buffer rejects;        /* this rank's rejected rows, ready for store_batch_write_rejects */
    int64_t rows_rejected; /* this rank's */
    StoreInput *inputs;    /* one a file; counts over all ranks, the same everywhere, without the
                              late rejects */
    bool *is_known;        /* [n_inputs] the store has it already */
    int64_t *late_rejects; /* [n_inputs] this rank's rows rejected after parsing */
    int n_inputs;
    struct ParsedOrigin *origin; /* the files, for late rejects; parse.c's own */
} ParsedTable;

/* Everything parsed for one batch. All zero is empty. */
typedef struct ParsedBatch {
    StringMap maps[DICTIONARY_COUNT];
    ParsedTable *tables;
    int n_tables;
} ParsedBatch;

void parsed_batch_free(ParsedBatch *batch);

/* Parse one `--input TABLE=PATH` (PATH a CSV file, .gz, .xz, .zst, or a folder of them, or a
 * database, source_database.h) and add it to the batch. Files whose content the store already has
 * are not parsed: their rows are counted as unchanged; of a database only what was read last counts
 * for that. Compressed files are first unpacked into the store's tmp/. Mapping and formats come
 * from the ini: [TABLE.columns] canonical = header; [TABLE] settings (docs/configuration.md).
 * STATUS_INPUT with file, line and what to do, if the file is missing, empty, without header or a
 * mapped column, cut off, or with a quote never closed. Collective. */
Status parse_input(Comm *comm, const Store *store, const Config *config, const char *input,
                   ParsedBatch *batch, Error *error) VESPER_MUST_USE;

/* Move rows of tables[i] (positions ascending [n] in this rank's rows) to its rejects, for a reason
 * found after parsing; line and text are read again from the file. `field` names the canonical
 * column. Counts in rows_rejected. Local. */
Status parse_reject_late(ParsedBatch *batch, int i, const int64_t *positions, int64_t n,
                         const char *field, const char *reason, Error *error) VESPER_MUST_USE;

/* Append the first of this rank's rejected rows in words: "REASON (FIELD), first at FILE:LINE".
 * Local. */
void parse_describe_reject(const ParsedTable *table, Buffer *text);

#endif
