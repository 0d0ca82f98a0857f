/* CsvText: cells as text that spreadsheets and programs read (RFC 4180). */
#ifndef VESPER_PUBLISH_CSV_TEXT_H
#define VESPER_PUBLISH_CSV_TEXT_H

#include "publish/cell.h"

typedef enum CsvFormulas {
    CSV_FORMULAS_ESCAPE, /* a spreadsheet shows every text and computes none */
    CSV_FORMULAS_KEEP    /* texts as they are, for programs */
} CsvFormulas;

/* True for a text that a spreadsheet may take for a formula: behind apostrophes, if it has any, it
 * begins with = + - @, a tab, a carriage return or a line feed, and it is no plain number. Local.
 */
bool csv_text_is_formula(Bytes text);

/* Append one cell, quoted where need be. NULL is nothing, the empty text is "". A formula that is
 * to be escaped gets one apostrophe more in front; who takes one apostrophe off every text that
 * csv_text_is_formula, has the texts back. Local. */
void csv_text_append(Buffer *line, const Cell *cell, CsvFormulas formulas);

#endif
