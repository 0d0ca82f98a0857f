/* CsvText: quoting by RFC 4180, and what keeps spreadsheets from computing what customers wrote. */
#include "publish/csv_text.h"

#include <string.h>

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static int64_t skip_digits(Bytes text, int64_t at)
{
    while (at < text.size && text.data[at] >= '0' && text.data[at] <= '9')
        at++;
    return at;
}

/* A sign, digits, perhaps a point and digits: what +49 30 1234 is not. */
static bool is_signed_number(Bytes text)
{
    int64_t whole = skip_digits(text, 1);
    if (whole == 1 || whole == text.size)
        return whole > 1;
    int64_t end = skip_digits(text, whole + 1);
    return text.data[whole] == '.' && end > whole + 1 && end == text.size;
}

bool csv_text_is_formula(Bytes text)
{
    int64_t at = 0;
    while (at < text.size && text.data[at] == '\'')
        at++;
    if (at == text.size || !is_one_of(text.data[at], "=+-@\t\r\n"))
        return false;
    bool has_sign = text.data[at] == '+' || text.data[at] == '-';
    return !(at == 0 && has_sign && is_signed_number(text));
}

static bool needs_quotes(Bytes text)
{
    if (text.size == 0 || text.data[0] == ' ' || text.data[text.size - 1] == ' ')
        return true;
    for (int64_t i = 0; i < text.size; i++)
        if (is_one_of(text.data[i], "\",;\t\r\n"))
            return true;
    return false;
}

static void append_quoted(Buffer *line, Bytes text)
{
    int64_t done = 0;
    for (int64_t i = 0; i < text.size; i++) {
        if (text.data[i] != '"')
            continue;
        buffer_append(line, text.data + done, i + 1 - done);
        done = i; /* the quote once more */
    }
    buffer_append(line, text.data + done, text.size - done);
}

void csv_text_append(Buffer *line, const Cell *cell, CsvFormulas formulas)
{
    char number[CELL_NUMBER_SIZE];
    if (cell->kind == CELL_NULL)
        return;
    if (cell->kind != CELL_TEXT) {
        cell_print_number(cell, number);
        buffer_append_string(line, number);
        return;
    }
    const char *before =
        formulas == CSV_FORMULAS_ESCAPE && csv_text_is_formula(cell->text) ? "'" : "";
    if (!needs_quotes(cell->text)) {
        buffer_append_string(line, before);
        buffer_append_bytes(line, cell->text);
        return;
    }
    buffer_printf(line, "\"%s", before);
    append_quoted(line, cell->text);
    buffer_append_string(line, "\"");
}
