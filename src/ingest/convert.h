/* Convert: the fields of a record to one row of typed columns, or the reason why not. */
#ifndef VESPER_INGEST_CONVERT_H
#define VESPER_INGEST_CONVERT_H

#include "ingest/lookup.h"
#include "ingest/mapping.h"

enum { RECENT_TIME_BYTES = 64 /* longest timestamp text that is remembered */ };
#define MONEY_MAX ((int64_t)1000000000000000) /* minor units of one price, or of one line */

/* Where one field comes from and goes to, and its value in the current row. */
typedef struct FieldPlan {
    const Field *field;
    int from; /* column of the file; -1: not there, `missing` stands in */
    Column *to;
    CodeColumn *codes; /* FIELD_CODE */
    int64_t missing;
    int64_t number;
    Bytes text;
} FieldPlan;

typedef struct Converter {
    InputTable table;
    const InputSettings *settings;
    const TimeZone *zone;
    int money_decimals;
    int n_columns; /* fields that a record must have */
    Table *rows;
    FieldPlan plans[INPUT_FIELDS_MAX];
    int n_plans;
    FieldPlan *order_id, *quantity, *unit_price, *cancelled; /* of orders */
    FieldPlan *first_day, *last_day;                         /* of promotions and stockouts */
    FieldPlan *time;
    Column *day; /* beside that timestamp; NULL if the table has none */
    Column *row;
    char **names; /* of the file's columns */
    CodeColumn *code_columns;

    /* The last timestamp read: the next one is often the same. */
    char recent_time[RECENT_TIME_BYTES];
    int64_t recent_size;
    int64_t recent_ts_us;
    int32_t recent_day;

    const char *reject_field; /* canonical name if it has one; "" for the whole record */
    const char *reject_reason;
    char reason_text[160];
} Converter;

/* Make `rows` an empty table with the columns of the mapping, filled by converter_take. What is
 * pointed to is borrowed; maps [DICTIONARY_COUNT]. Local. */
void converter_init(Converter *converter, InputTable table, const InputSettings *settings,
                    const Mapping *mapping, const TimeZone *zone, int money_decimals,
                    StringMap *maps, Table *rows);
void converter_free(Converter *converter);

/* Append the record as a row; or set *rejected, and reject_field and reject_reason. `row` is the
 * record's place in the run of files. Local. */
Status converter_take(Converter *converter, const CsvRecord *record, int64_t row, bool *rejected,
                      Error *error) VESPER_MUST_USE;

/* After the last record: fill in the codes that still wait. Local. */
Status converter_finish(Converter *converter, Error *error) VESPER_MUST_USE;

#endif
