/* Manifest: what a generation of the store consists of, as JSON (docs/format.md). The same on every
 * rank; without times or anything else that would differ between two runs of the same night. */
#ifndef VESPER_STORE_MANIFEST_H
#define VESPER_STORE_MANIFEST_H

#include "store/json.h"
#include "store/segment.h"
#include "store/store.h"

typedef struct ManifestColumn {
    char name[COLUMN_NAME_SIZE];
    ColumnType type;
    ColumnUnit unit;
} ManifestColumn;

/* A table's segment in one batch. */
typedef struct ManifestTable {
    char name[STORE_NAME_SIZE];
    TableKind kind;
    int64_t rows;
    int64_t bytes;
    int n_columns;
    ManifestColumn columns[TABLE_COLUMNS_MAX];
} ManifestTable;

typedef struct ManifestBatch {
    int64_t number; /* the generation that it made */
    StoreInput *inputs;
    int n_inputs;
    ManifestTable *tables;
    int n_tables;
} ManifestBatch;

/* All zero is empty. */
typedef struct Manifest {
    int64_t generation;
    ManifestBatch *batches; /* ascending by number */
    int n_batches;
    int64_t *weights; /* [partitions] order lines in force */
    int32_t partitions;
} Manifest;

void manifest_free(Manifest *manifest);
/* Generation 0 of a store. */
void manifest_init(Manifest *manifest, int32_t partitions);
/* Takes over what `batch` holds; `batch` becomes empty. */
void manifest_add_batch(Manifest *manifest, ManifestBatch *batch);
void manifest_batch_free(ManifestBatch *batch);
void manifest_batch_add_input(ManifestBatch *batch, const StoreInput *input);
void manifest_batch_add_table(ManifestBatch *batch, const ManifestTable *table);
const ManifestTable *manifest_batch_table(const ManifestBatch *batch, const char *name);
/* Name, rows, size and columns from a layout. */
ManifestTable manifest_table_of(const SegmentLayout *layout, TableKind kind);
const char *manifest_kind_name(TableKind kind);
/* True if the layout has this table's rows, size and columns. */
bool manifest_table_fits(const ManifestTable *table, const SegmentLayout *layout);
/* Columns as an array of "NAME TYPE UNIT". */
json_t *manifest_columns_json(const ManifestTable *table);
void manifest_parse_columns(JsonCheck *check, const json_t *from, ManifestTable *table);
/* Names become file names: letters, digits and . _ - only, and not hidden. */
bool manifest_is_file_name(const char *name);

/* Sum over inputs of `table`; NULL: over all. */
void manifest_count(const ManifestBatch *batch, const char *table, RowCounts *counts);

void manifest_print(const Manifest *manifest, Buffer *json);
/* `shown` names the file in messages. Everything is checked. */
Status manifest_parse(Bytes json, const char *shown, int32_t partitions, Manifest *manifest,
                      Error *error) VESPER_MUST_USE;

void manifest_print_settings(const StoreSettings *settings, Buffer *json);
Status manifest_parse_settings(Bytes json, const char *shown, StoreSettings *settings,
                               Error *error) VESPER_MUST_USE;

#endif
