/* CsvModel: what csv.h promises, byte by byte, as an oracle for the test and the fuzzer. */
#ifndef VESPER_TESTS_SUPPORT_CSV_MODEL_H
#define VESPER_TESTS_SUPPORT_CSV_MODEL_H

#include "ingest/csv.h"

enum { CSV_MODEL_BYTES = 8192 };

typedef struct CsvModelRecord {
    int64_t begin; /* first byte in the text */
    int64_t taken; /* with its line end; CSV_NEVER_CLOSED if the text ends in its quotes */
    int64_t raw_size;
    int64_t line;
    int64_t n_fields;
    int64_t first_field;
    bool is_broken;
    bool is_ascii;
} CsvModelRecord;

typedef struct CsvModel {
    Bytes text;
    char delimiter;
    int64_t n_records;
    CsvModelRecord records[CSV_MODEL_BYTES + 1];
    int64_t n_fields;
    Bytes fields[CSV_MODEL_BYTES + 2]; /* without quotes; in `values` */
    char values[CSV_MODEL_BYTES];
    int64_t n_values;
} CsvModel;

/* Read text of at most CSV_MODEL_BYTES bytes. */
void csv_model_read(CsvModel *model, Bytes text, char delimiter);

/* What is wrong with how csv.h reads the text, from its start or cut at borders [n] (ascending, in
 * [0, size]) with blocks of `block` bytes; NULL if nothing is. */
const char *csv_model_check_whole(const CsvModel *model, CsvRecord *record);
const char *csv_model_check_pieces(const CsvModel *model, const int64_t *borders, int64_t n,
                                   int64_t block, CsvRecord *record);

#endif
