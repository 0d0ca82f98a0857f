/* Log fields: what a log line says in words, as JSON, for --log-format json. All Local. */
#ifndef VESPER_BASE_LOG_FIELDS_H
#define VESPER_BASE_LOG_FIELDS_H

#include "base/bytes.h"

/* Append `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD. */
void log_text_json(Bytes text, Buffer *json);

/* Append `,"key":value` for each key=value of `text`, which blanks separate. A value in double
 * quotes (closed by one before a blank or the end) is a string; of others numbers are numbers, yes
 * and no are true and false, nan and inf are null. Words that are no key=value come last, together,
 * as "text". */
void log_fields_json(Bytes text, Buffer *json);

/* Append key=text, in quotes where it would not be read back as that one string. */
void log_fields_add_text(const char *key, const char *text, Buffer *fields);

#endif
