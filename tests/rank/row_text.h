/* Rows as text, for comparing them with what a test writes down. */
#ifndef VESPER_TESTS_RANK_ROW_TEXT_H
#define VESPER_TESTS_RANK_ROW_TEXT_H

#include "table/table.h"

/* A line a row of the ranks in rank order, on every rank: its columns with blanks between, numbers
 * with nine digits, NaN as "nan" (mem_free). Collective. */
char *row_text_gather(const Table *rows);

/* The lines of `text` in bytewise order, on every rank, of all ranks' texts (mem_free). Collective.
 */
char *row_text_sort(const Buffer *own);

/* How a number of a row is written. */
void row_text_number(Buffer *text, double value);

#endif
