/* Bytes: a borrowed piece of text; Buffer: text that grows. Neither needs a terminating NUL. */
#ifndef VESPER_BASE_BYTES_H
#define VESPER_BASE_BYTES_H

#include "base/status.h"

#include <stdarg.h>
#include <stddef.h>

typedef struct Bytes {
    const char *data;
    int64_t size;
} Bytes;

Bytes bytes_of(const char *text); /* view of a C string */
bool bytes_equal(Bytes a, Bytes b);
int bytes_compare(Bytes a, Bytes b); /* bytewise (UTF-8 order), shorter first */
bool bytes_start_with(Bytes text, Bytes prefix);
Bytes bytes_trim(Bytes text); /* without spaces and tabs at both ends */

/* True if `text` is well-formed UTF-8 without NUL (RFC 3629). */
bool bytes_are_utf8(Bytes text);

/* All zero is an empty buffer. Appending aborts if there is no memory: buffers hold small text
 * (messages, one CSV record, a manifest), never data that grows with the input. */
typedef struct Buffer {
    char *data; /* always followed by a NUL once something was appended */
    int64_t size;
    int64_t capacity;
} Buffer;

void buffer_free(Buffer *buffer);
void buffer_clear(Buffer *buffer);
void buffer_append(Buffer *buffer, const void *data, int64_t size);
void buffer_append_bytes(Buffer *buffer, Bytes text);
void buffer_append_string(Buffer *buffer, const char *text);
void buffer_printf(Buffer *buffer, const char *format, ...) VESPER_PRINTF(2, 3);
void buffer_vprintf(Buffer *buffer, const char *format, va_list args) VESPER_PRINTF(2, 0);
Bytes buffer_view(const Buffer *buffer);
const char *buffer_string(const Buffer *buffer); /* "" when empty */

#endif
