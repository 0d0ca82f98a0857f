/* Cells of published CSV: read back they are what they were, and no spreadsheet computes one. */
#include "base/memory.h"
#include "base/random.h"
#include "ingest/csv.h"
#include "publish/csv_text.h"
#include "rank/suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SEED = 7, TEXTS = 20000, PIECES_MOST = 6 };

static void make_text(uint64_t i, Buffer *text)
{
    static const char *const pieces[] = {"=", "+", "-", "@",  "'",  "\"", ",",  ";",
                                         " ", "a", "5", ".5", "\t", "\r", "\n", "\xc3\xa4"};
    Random random = random_stream(SEED, i);
    buffer_clear(text);
    for (int64_t k = random_below(&random, PIECES_MOST + 1); k > 0; k--)
        buffer_append_string(text, pieces[random_below(&random, sizeof pieces / sizeof *pieces)]);
}

/* The only field of the record that a cell makes. */
static Bytes read_back(Bytes text, CsvFormulas formulas, Buffer *line, CsvRecord *record)
{
    Cell cell = {.kind = CELL_TEXT, .text = text};
    buffer_clear(line);
    csv_text_append(line, &cell, formulas);
    buffer_append_string(line, ",\r\n"); /* a record of nothing would be no record */
    int64_t used = csv_next(buffer_view(line), ',', true, record);
    CU_ASSERT_EQUAL(used, line->size);
    CU_ASSERT_EQUAL(record->n_fields, 2);
    return record->n_fields > 0 ? record->fields[0] : (Bytes){NULL, 0};
}

static void test_texts(void)
{
    Buffer text = {0}, line = {0};
    CsvRecord record = {0};
    int formulas = 0;
    for (uint64_t i = 0; i < TEXTS; i++) {
        make_text(i, &text);
        Bytes kept = read_back(buffer_view(&text), CSV_FORMULAS_KEEP, &line, &record);
        CU_ASSERT(bytes_equal(kept, buffer_view(&text)));
        Bytes escaped = read_back(buffer_view(&text), CSV_FORMULAS_ESCAPE, &line, &record);
        formulas += csv_text_is_formula(escaped);
        if (csv_text_is_formula(escaped)) { /* so it has one apostrophe more */
            CU_ASSERT(escaped.data[0] == '\'');
            escaped = (Bytes){escaped.data + 1, escaped.size - 1};
        }
        CU_ASSERT(bytes_equal(escaped, buffer_view(&text)));
    }
    CU_ASSERT(formulas > TEXTS / 10 && formulas < TEXTS / 2);
    csv_record_free(&record);
    buffer_free(&text);
    buffer_free(&line);
}

static void check_formula(const char *text, bool is_formula)
{
    CU_ASSERT_EQUAL(csv_text_is_formula(bytes_of(text)), is_formula);
}

static void test_formulas(void)
{
    static const char *const formulas[] = {"=1",     "+x",  "-",    "+",   "@a",
                                           "'=1",    "''@", "\t=1", "\r",  "-1-1",
                                           "+49 30", "-1.", "-.5",  "'-5", "- 5"};
    static const char *const others[] = {"",  "a=1", "5",    "-5",  "+5", "-12.50",
                                         "'", "''",  "it's", "1-1", " =1"};
    for (size_t i = 0; i < sizeof formulas / sizeof *formulas; i++)
        check_formula(formulas[i], true);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        check_formula(others[i], false);
}

static void test_numbers(void)
{
    char text[CELL_NUMBER_SIZE];
    Random random = random_stream(SEED, TEXTS);
    for (int i = 0; i < TEXTS; i++) {
        uint64_t bits = random_u64(&random);
        Cell cell = {.kind = CELL_REAL};
        memcpy(&cell.real, &bits, sizeof cell.real);
        if (!isfinite(cell.real))
            continue;
        cell_print_number(&cell, text);
        CU_ASSERT(strtod(text, NULL) == cell.real);
    }
    Cell tenth = {.kind = CELL_REAL, .real = 0.1},
         least = {.kind = CELL_INTEGER, .integer = INT64_MIN};
    cell_print_number(&tenth, text);
    CU_ASSERT_STRING_EQUAL(text, "0.1");
    cell_print_number(&least, text);
    CU_ASSERT_STRING_EQUAL(text, "-9223372036854775808");
}

CU_TestInfo csv_text_tests[] = {{"texts come back", test_texts},
                                {"what is a formula", test_formulas},
                                {"numbers come back", test_numbers},
                                CU_TEST_INFO_NULL};
