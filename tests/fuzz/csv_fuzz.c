/* Fuzz: any bytes are read without a fault, as the automaton of csv.h says, and as the same records
 * however they are cut. The first bytes of the input choose delimiter, block size and borders. */
#include "support/csv_model.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHOICES = 5, BORDERS = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int compare_i64(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static void stop_at(const char *problem)
{
    if (problem == NULL)
        return;
    (void)fprintf(stderr, "csv_fuzz: %s\n", problem);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static CsvModel model;
    static CsvRecord record;
    static const char delimiters[4] = {',', ';', '\t', '|'};
    uint8_t choices[CHOICES] = {0};
    if (size > CSV_MODEL_BYTES)
        return 0;
    if (size > 0)
        memcpy(choices, data, size < CHOICES ? size : CHOICES);
    /* A copy of just the text, so that reading past it is seen. */
    int64_t text_size = size < CHOICES ? 0 : (int64_t)size - CHOICES;
    char *copy = malloc((size_t)text_size + 1);
    if (copy == NULL)
        abort();
    char *text = copy + 1; /* not aligned */
    if (text_size > 0)
        memcpy(text, data + CHOICES, (size_t)text_size);
    int64_t borders[BORDERS];
    for (int i = 0; i < BORDERS; i++)
        borders[i] = text_size * choices[i] / 255;
    qsort(borders, BORDERS, sizeof *borders, compare_i64);
    csv_model_read(&model, (Bytes){text, text_size}, delimiters[choices[3] % 4]);
    stop_at(csv_model_check_whole(&model, &record));
    stop_at(csv_model_check_pieces(&model, borders, BORDERS, 1 + choices[4] % 200, &record));
    free(copy);
    return 0;
}
