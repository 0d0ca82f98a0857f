#include "database/sql.h"

static void append_quoted(Buffer *sql, const char *text, char quote)
{
    buffer_append(sql, &quote, 1);
    for (; *text != '\0'; text++) {
        if (*text == quote)
            buffer_append(sql, &quote, 1);
        buffer_append(sql, text, 1);
    }
    buffer_append(sql, &quote, 1);
}

void sql_append_name(Buffer *sql, const char *name)
{
    append_quoted(sql, name, '"');
}

void sql_append_text(Buffer *sql, const char *text)
{
    append_quoted(sql, text, '\'');
}
