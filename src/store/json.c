/* JSON through jansson. */
#include "store/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int append_text(const char *text, size_t size, void *to)
{
    buffer_append(to, text, (int64_t)size);
    return 0;
}

void json_print(json_t *value, Buffer *text)
{
    vesper_assert(value != NULL);
    json_dump_callback(value, append_text, text, JSON_SORT_KEYS | JSON_INDENT(1));
    buffer_append_string(text, "\n");
    json_decref(value);
}

Status json_read(Bytes text, const char *shown, json_t **value, Error *error)
{
    json_error_t why;
    *value = json_loadb(text.data, (size_t)text.size, JSON_REJECT_DUPLICATES, &why);
    if (*value)
        return STATUS_OK;
    return error_set(error, STATUS_IO, __FILE__, __LINE__,
                     "%s is damaged: line %d, column %d: %s; restore it from a backup", shown,
                     why.line, why.column, why.text);
}

json_t *json_text(const char *text)
{
    if (bytes_are_utf8(bytes_of(text)))
        return json_string(text);
    Buffer plain = {0};
    buffer_append_string(&plain, text);
    for (int64_t i = 0; i < plain.size; i++) {
        if ((unsigned char)plain.data[i] >= 0x80)
            plain.data[i] = '?';
    }
    json_t *value = json_string(buffer_string(&plain));
    buffer_free(&plain);
    return value;
}

json_t *json_hex(uint64_t value)
{
    return json_sprintf("%016" PRIx64, value);
}

json_t *json_real_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

void json_require(JsonCheck *check, bool condition, const char *what)
{
    if (!condition && !check->missing)
        check->missing = what;
}

int64_t json_get_int(JsonCheck *check, const json_t *object, const char *key, int64_t min,
                     int64_t max)
{
    const json_t *value = json_object_get(object, key);
    int64_t number = json_integer_value(value);
    bool is_good = json_is_integer(value) && number >= min && number <= max;
    json_require(check, is_good, key);
    return is_good ? number : min;
}

const char *json_get_text(JsonCheck *check, const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    json_require(check, text != NULL, key);
    return text ? text : "";
}

void json_get_name(JsonCheck *check, const json_t *object, const char *key, char *to, size_t size)
{
    const char *text = json_get_text(check, object, key);
    size_t length = strlen(text);
    json_require(check, length < size, key);
    if (length < size)
        memcpy(to, text, length + 1);
}

uint64_t json_get_hex(JsonCheck *check, const json_t *object, const char *key)
{
    const char *text = json_get_text(check, object, key);
    json_require(check, strlen(text) == 16 && strspn(text, "0123456789abcdef") == 16, key);
    return strtoull(text, NULL, 16);
}

const json_t *json_get_array(JsonCheck *check, const json_t *object, const char *key, size_t max)
{
    const json_t *value = json_object_get(object, key);
    bool is_good = json_is_array(value) && json_array_size(value) <= max;
    json_require(check, is_good, key);
    return is_good ? value : NULL;
}

Status json_checked(const JsonCheck *check, const char *shown, Error *error)
{
    if (!check->missing)
        return STATUS_OK;
    return error_set(error, STATUS_IO, __FILE__, __LINE__,
                     "%s is damaged: '%s' is missing or makes no sense; restore it from a backup",
                     shown, check->missing);
}

Status json_check_format(const json_t *object, const char *shown, int format, Error *error)
{
    JsonCheck check = {0};
    int64_t found = json_get_int(&check, object, "format", 1, INT64_MAX);
    if (!check.missing && found > format)
        return error_set(error, STATUS_IO, __FILE__, __LINE__,
                         "%s was written by a newer Vesper (format %" PRId64
                         ", this one reads %d): upgrade Vesper",
                         shown, found, format);
    return json_checked(&check, shown, error);
}
