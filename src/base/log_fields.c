/* Fields of a log line. The text form is what people read; JSON is made from it, so that the
 * layers say everything once. */
#include "base/log_fields.h"

#include <string.h>

static int64_t utf8_length(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead < 0xe0)
        return 2;
    return lead < 0xf0 ? 3 : 4;
}

void log_text_json(Bytes text, Buffer *json)
{
    buffer_append_string(json, "\"");
    for (int64_t i = 0; i < text.size;) {
        unsigned char byte = (unsigned char)text.data[i];
        int64_t length = utf8_length(byte);
        if (byte == '"' || byte == '\\') {
            buffer_printf(json, "\\%c", byte);
        } else if (byte < 0x20) {
            buffer_printf(json, "\\u%04x", byte);
        } else if (i + length <= text.size && bytes_are_utf8((Bytes){text.data + i, length})) {
            buffer_append(json, text.data + i, length);
        } else {
            buffer_append_string(json, "\\ufffd");
            length = 1;
        }
        i += length;
    }
    buffer_append_string(json, "\"");
}

static int64_t count_digits(Bytes text, int64_t from)
{
    int64_t n = 0;
    while (from + n < text.size && text.data[from + n] >= '0' && text.data[from + n] <= '9')
        n++;
    return n;
}

static bool has_char(Bytes text, int64_t at, const char *any)
{
    return at < text.size && text.data[at] != '\0' && strchr(any, text.data[at]) != NULL;
}

/* By the grammar of RFC 8259: no leading zeros, so names such as 000012 stay text. */
static bool is_number(Bytes text)
{
    int64_t at = has_char(text, 0, "-") ? 1 : 0;
    int64_t digits = count_digits(text, at);
    if (digits == 0 || (digits > 1 && text.data[at] == '0'))
        return false;
    at += digits;
    if (has_char(text, at, ".")) {
        digits = count_digits(text, at + 1);
        if (digits == 0)
            return false;
        at += 1 + digits;
    }
    if (has_char(text, at, "eE")) {
        at += has_char(text, at + 1, "+-") ? 2 : 1;
        digits = count_digits(text, at);
        if (digits == 0)
            return false;
        at += digits;
    }
    return at == text.size;
}

/* JSON of a word that stands for something else than itself; NULL: it is text. */
static const char *meaning_of(Bytes word)
{
    static const char *const words[][2] = {{"yes", "true"}, {"no", "false"},  {"nan", "null"},
                                           {"inf", "null"}, {"-nan", "null"}, {"-inf", "null"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (bytes_equal(word, bytes_of(words[i][0])))
            return words[i][1];
    }
    return NULL;
}

static bool is_key_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* Length of the key that begins at `at` and is followed by '='; 0: there is none. */
static int64_t key_length(Bytes text, int64_t at)
{
    int64_t n = 0;
    while (at + n < text.size && is_key_char(text.data[at + n]))
        n++;
    return n > 0 && has_char(text, at + n, "=") ? n : 0;
}

/* End of a word: before the next blank, or at the end. */
static int64_t word_end(Bytes text, int64_t at)
{
    while (at < text.size && text.data[at] != ' ')
        at++;
    return at;
}

/* The quote that closes a value, which may have others inside; text.size if none does. */
static int64_t closing_quote(Bytes text, int64_t at)
{
    for (; at < text.size; at++) {
        if (text.data[at] == '"' && (at + 1 == text.size || text.data[at + 1] == ' '))
            break;
    }
    return at;
}

static void append_word(Bytes word, Buffer *json)
{
    const char *meaning = meaning_of(word);
    if (meaning != NULL)
        buffer_append_string(json, meaning);
    else if (is_number(word))
        buffer_append_bytes(json, word);
    else
        log_text_json(word, json);
}

void log_fields_json(Bytes text, Buffer *json)
{
    Buffer rest = {0};
    int64_t at = 0;
    while (at < text.size) {
        int64_t key = key_length(text, at);
        int64_t end = word_end(text, at);
        if (text.data[at] == ' ') {
            end = at + 1;
        } else if (key == 0) {
            buffer_append_string(&rest, rest.size > 0 ? " " : "");
            buffer_append(&rest, text.data + at, end - at);
        } else {
            int64_t value = at + key + 1;
            buffer_printf(json, ",\"%.*s\":", (int)key, text.data + at);
            if (has_char(text, value, "\"")) {
                end = closing_quote(text, value + 1);
                log_text_json((Bytes){text.data + value + 1, end - value - 1}, json);
                end++;
            } else {
                append_word((Bytes){text.data + value, end - value}, json);
            }
        }
        at = end;
    }
    if (rest.size > 0) {
        buffer_append_string(json, ",\"text\":");
        log_text_json(buffer_view(&rest), json);
    }
    buffer_free(&rest);
}

void log_fields_add_text(const char *key, const char *text, Buffer *fields)
{
    Bytes word = bytes_of(text);
    bool is_plain = word.size > 0 && !has_char(word, 0, "\"") && word_end(word, 0) == word.size &&
                    meaning_of(word) == NULL && !is_number(word);
    buffer_printf(fields, is_plain ? "%s=" : "%s=\"", key);
    for (const char *c = text; *c != '\0'; c++) {
        char safe = (unsigned char)*c < 0x20 ? ' ' : *c;
        if (safe == '"' && !is_plain)
            safe = '\'';
        buffer_append(fields, &safe, 1);
    }
    buffer_append_string(fields, is_plain ? "" : "\"");
}
