/* Mapping: what the ini says about the files of one table, and where its columns are in them. */
#ifndef VESPER_INGEST_MAPPING_H
#define VESPER_INGEST_MAPPING_H

#include "base/civil.h"
#include "base/config.h"
#include "base/decimal.h"
#include "ingest/csv.h"
#include "ingest/schema.h"

enum {
    INPUT_FIELDS_MAX = 16,
    REJECT_COLUMNS = 4,
    CANCELLED_WORDS_MAX = 32,
    WATERMARK_SETTLE_DEFAULT = 60
};

/* Names of the columns that stand before a rejected row. */
extern const char *const reject_columns[REJECT_COLUMNS];

/* Section [TABLE] of the ini: formats, rules, and what to read from a database. Texts are borrowed
 * from the Config, NULL if not given. */
typedef struct InputSettings {
    char delimiter;
    TimePattern timestamp;
    TimePattern day;
    DecimalStyle decimals;
    const char *cancelled_prefix;               /* "" for none */
    Bytes cancelled_words[CANCELLED_WORDS_MAX]; /* values of status, in any case */
    int n_cancelled_words;
    bool is_negative_price_allowed;
    bool is_zero_quantity_allowed;
    const char *query; /* SQL; or else */
    const char *source_table;
    const char *watermark;    /* column */
    int64_t watermark_settle; /* seconds */
    const char *range_key;    /* column */
} InputSettings;

/* STATUS_USAGE naming ini, section and key for what it does not know. Local. */
Status input_settings_read(const Config *config, InputTable table, InputSettings *settings,
                           Error *error) VESPER_MUST_USE;

/* Where the schema's fields are in a record. */
typedef struct Mapping {
    int column[INPUT_FIELDS_MAX]; /* -1: not in the file */
    int n_columns;                /* of the file */
    bool mended;  /* a reject file: the first REJECT_COLUMNS columns are not the table's */
    char **names; /* [n_columns] of the file's columns */
} Mapping;

/* Find the table's columns in `header` (a CSV record): those named in [TABLE.columns], the others
 * by their own name. STATUS_USAGE for a name that the table does not have, STATUS_INPUT for a
 * column that the header does not have; `place` says in messages what that is: "FILE:1: the
 * header". Local.
 */
Status mapping_make(const Config *config, InputTable table, Bytes header, char delimiter,
                    const char *place, Mapping *mapping, Error *error) VESPER_MUST_USE;
void mapping_free(Mapping *mapping);

#endif
