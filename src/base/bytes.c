/* Bytes and Buffer: borrowed text, and text that grows. */
#include "base/bytes.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

Bytes bytes_of(const char *text)
{
    return (Bytes){text, (int64_t)strlen(text)};
}

bool bytes_equal(Bytes a, Bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, (size_t)a.size) == 0);
}

int bytes_compare(Bytes a, Bytes b)
{
    int64_t shared = a.size < b.size ? a.size : b.size;
    int order = shared > 0 ? memcmp(a.data, b.data, (size_t)shared) : 0;
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

bool bytes_start_with(Bytes text, Bytes prefix)
{
    return text.size >= prefix.size && bytes_equal((Bytes){text.data, prefix.size}, prefix);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

Bytes bytes_trim(Bytes text)
{
    while (text.size > 0 && is_blank(text.data[text.size - 1]))
        text.size--;
    while (text.size > 0 && is_blank(text.data[0])) {
        text.data++;
        text.size--;
    }
    return text;
}

/* Length of the well-formed UTF-8 sequence at `p` with `left` bytes to go, or 0 (RFC 3629: no
 * overlong forms, no surrogates, nothing past U+10FFFF). */
static int sequence_length(const unsigned char *p, int64_t left)
{
    if (p[0] < 0x80)
        return p[0] != 0;
    int length;
    unsigned char low = 0x80, high = 0xbf; /* what the second byte may be */
    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        length = 2;
    } else if (p[0] >= 0xe0 && p[0] <= 0xef) {
        length = 3;
        if (p[0] == 0xe0)
            low = 0xa0;
        if (p[0] == 0xed)
            high = 0x9f;
    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        length = 4;
        if (p[0] == 0xf0)
            low = 0x90;
        if (p[0] == 0xf4)
            high = 0x8f;
    } else {
        return 0;
    }
    if (left < length || p[1] < low || p[1] > high)
        return 0;
    for (int i = 2; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    return length;
}

bool bytes_are_utf8(Bytes text)
{
    const unsigned char *p = (const unsigned char *)text.data;
    const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
    int64_t i = 0;
    while (i < text.size) {
        uint64_t word;
        if (text.size - i >= (int64_t)sizeof word) {
            memcpy(&word, p + i, sizeof word);
            /* no byte has its top bit set, and none is zero */
            if (((word | (word - ones)) & tops) == 0) {
                i += (int64_t)sizeof word;
                continue;
            }
        }
        int length = sequence_length(p + i, text.size - i);
        if (length == 0)
            return false;
        i += length;
    }
    return true;
}

void buffer_free(Buffer *buffer)
{
    mem_free(&buffer->data);
    *buffer = (Buffer){0};
}

void buffer_clear(Buffer *buffer)
{
    buffer->size = 0;
    if (buffer->data)
        buffer->data[0] = '\0';
}

/* Room for `size` more bytes and the NUL. */
static void reserve(Buffer *buffer, int64_t size)
{
    int64_t needed;
    vesper_assert(size >= 0 && !__builtin_add_overflow(buffer->size, size + 1, &needed));
    if (needed <= buffer->capacity)
        return;
    int64_t capacity = buffer->capacity > 0 ? buffer->capacity : 64;
    while (capacity < needed)
        capacity = capacity > needed / 2 ? needed + needed / 2 : capacity * 2;
    mem_grow(&buffer->data, capacity, 1);
    buffer->capacity = capacity;
}

void buffer_append(Buffer *buffer, const void *data, int64_t size)
{
    reserve(buffer, size);
    if (size > 0)
        memcpy(buffer->data + buffer->size, data, (size_t)size);
    buffer->size += size;
    buffer->data[buffer->size] = '\0';
}

void buffer_append_bytes(Buffer *buffer, Bytes text)
{
    buffer_append(buffer, text.data, text.size);
}

void buffer_append_string(Buffer *buffer, const char *text)
{
    buffer_append_bytes(buffer, bytes_of(text));
}

void buffer_vprintf(Buffer *buffer, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    vesper_assert(length >= 0);
    reserve(buffer, length);
    vsnprintf(buffer->data + buffer->size, (size_t)length + 1, format, again);
    va_end(again);
    buffer->size += length;
}

void buffer_printf(Buffer *buffer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buffer_vprintf(buffer, format, args);
    va_end(args);
}

Bytes buffer_view(const Buffer *buffer)
{
    return (Bytes){buffer->data, buffer->size};
}

const char *buffer_string(const Buffer *buffer)
{
    return buffer->data ? buffer->data : "";
}
