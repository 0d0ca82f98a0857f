#include "database/sql.h"

#include <string.h>

static void append_quoted(Buffer *sql, Bytes text, char quote)
{
    buffer_append(sql, &quote, 1);
    while (text.size > 0) {
        const char *at = memchr(text.data, quote, (size_t)text.size);
        int64_t size = at != NULL ? at + 1 - text.data : text.size;
        buffer_append(sql, text.data, size);
        if (at != NULL)
            buffer_append(sql, &quote, 1);
        text = (Bytes){text.data + size, text.size - size};
    }
    buffer_append(sql, &quote, 1);
}

void sql_append_name(Buffer *sql, const char *name)
{
    append_quoted(sql, bytes_of(name), '"');
}

void sql_append_text(Buffer *sql, const char *text)
{
    append_quoted(sql, bytes_of(text), '\'');
}

void sql_append_bytes(Buffer *sql, Bytes text)
{
    append_quoted(sql, text, '\'');
}
