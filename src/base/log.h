/* Log and progress, both on stderr; results never go there.
 *
 * A log line is `time level stage key=value ...`, or with LOG_JSON one object a line with the same
 * as members (log_fields.h). Scope (who speaks) is apart from level (how loud): LOG_ROOT lines come
 * from rank 0 alone, LOG_RANK lines carry rank=r. */
#ifndef VESPER_BASE_LOG_H
#define VESPER_BASE_LOG_H

#include "base/status.h"

typedef enum LogLevel { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG } LogLevel;
typedef enum LogScope { LOG_ROOT, LOG_RANK } LogScope;
typedef enum LogFormat { LOG_TEXT, LOG_JSON } LogFormat;

void log_init(int rank, LogLevel level);
/* "error", "warn", "info", "debug"; STATUS_USAGE otherwise. */
Status log_level_parse(const char *text, LogLevel *level, Error *error) VESPER_MUST_USE;

/* From here on lines have this form, and as JSON name the job. Text before the first call. */
void log_set_format(LogFormat format, const char *job);
/* "text", "json"; STATUS_USAGE otherwise. */
Status log_format_parse(const char *text, LogFormat *format, Error *error) VESPER_MUST_USE;

/* One line: `format...` is the rest of it, already in key=value form. */
void log_line(LogLevel level, LogScope scope, const char *stage, const char *format, ...)
    VESPER_PRINTF(4, 5);

/* A stage begins: a failure from here on is its own. */
void log_begin_stage(const char *stage);
/* It is done: its line, of seconds over the ranks and `fields`, "" for none. */
void log_end_stage(const char *stage, double min_s, double mean_s, double max_s,
                   const char *fields);

/* The one line that a failed run prints: `vesper: MESSAGE`, or an object with status, code, rank,
 * file, line and message. Root only. */
void log_failure(const Error *error);

/* A bar with rate and time left, redrawn at most five times a second, on rank 0 and only when
 * stderr, or that of the launcher, is a terminal; in a batch log nothing. */
typedef struct Progress {
    const char *stage;
    const char *unit; /* "MB", "rows" */
    double scale;     /* raw units per printed unit */
    int64_t total;    /* raw units over this rank's share */
    int64_t done;
    double started; /* seconds, monotonic */
    double drawn;
    bool visible;
} Progress;
void progress_begin(Progress *progress, const char *stage, const char *unit, double scale,
                    int64_t total);
void progress_add(Progress *progress, int64_t amount);
void progress_end(Progress *progress); /* wipes the bar */

/* Monotonic seconds. */
double clock_seconds(void);

#endif
