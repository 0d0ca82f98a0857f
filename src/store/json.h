/* JSON, read strictly and printed so that two files can be compared: keys sorted, one value a line.
 * A reader asks for what it needs; the first thing missing or out of place is remembered. */
#ifndef VESPER_STORE_JSON_H
#define VESPER_STORE_JSON_H

#include "base/bytes.h"

#include <jansson.h>

/* Appends the text, with a newline at the end, and frees the value. */
void json_print(json_t *value, Buffer *text);
Status json_read(Bytes text, const char *shown, json_t **value, Error *error) VESPER_MUST_USE;

/* Any bytes as a JSON string: what is not UTF-8 becomes '?'. */
json_t *json_text(const char *text);
json_t *json_hex(uint64_t value);
json_t *json_real_or_null(double value); /* null for what is no finite number */

/* What was wrong first; NULL when all is well. */
typedef struct JsonCheck {
    const char *missing;
} JsonCheck;

int64_t json_get_int(JsonCheck *check, const json_t *object, const char *key, int64_t min,
                     int64_t max);
/* "" if absent. */
const char *json_get_text(JsonCheck *check, const json_t *object, const char *key);
void json_get_name(JsonCheck *check, const json_t *object, const char *key, char *to, size_t size);
uint64_t json_get_hex(JsonCheck *check, const json_t *object, const char *key);
/* An array with at most `max` elements; NULL if absent. */
const json_t *json_get_array(JsonCheck *check, const json_t *object, const char *key, size_t max);
void json_require(JsonCheck *check, bool condition, const char *what);

/* STATUS_IO naming the file and what was wrong, or OK. */
Status json_checked(const JsonCheck *check, const char *shown, Error *error) VESPER_MUST_USE;
/* STATUS_IO if "format" is newer than `format`. */
Status json_check_format(const json_t *object, const char *shown, int format,
                         Error *error) VESPER_MUST_USE;

#endif
