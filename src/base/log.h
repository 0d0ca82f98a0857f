/* Log and progress, both on stderr; results never go there.
 *
 * A log line is `time level stage key=value ...`. Scope (who speaks) is apart from level (how
 * loud): LOG_ROOT lines come from rank 0 alone, LOG_RANK lines carry rank=r. */
#ifndef VESPER_BASE_LOG_H
#define VESPER_BASE_LOG_H

#include "base/status.h"

typedef enum LogLevel { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG } LogLevel;
typedef enum LogScope { LOG_ROOT, LOG_RANK } LogScope;

void log_init(int rank, LogLevel level);
/* "error", "warn", "info", "debug"; STATUS_USAGE otherwise. */
Status log_level_parse(const char *text, LogLevel *level, Error *error) VESPER_MUST_USE;

/* One line: `format...` is the rest of it, already in key=value form. */
void log_line(LogLevel level, LogScope scope, const char *stage, const char *format, ...)
    VESPER_PRINTF(4, 5);

/* The one line that a failed run prints: `vesper: MESSAGE`. Root only. */
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
