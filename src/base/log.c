/* Log and progress on stderr. A line is made whole and written at once, so that the lines of
 * several ranks do not mix. */
#include "base/log.h"

#include "base/bytes.h"
#include "base/civil.h"
#include "base/decimal.h"
#include "base/log_fields.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = {"error", "warn", "info", "debug"};
enum { N_LEVELS = sizeof level_names / sizeof level_names[0] };

#define WIPE_LINE "\r\033[K"
static const double draw_interval = 0.2; /* seconds */

static int log_rank;
static LogLevel log_level = LOG_INFO;
static LogFormat log_format = LOG_TEXT;
enum { NAME_BYTES = 64 };
static char log_job[NAME_BYTES];
static char log_stage[NAME_BYTES]; /* that a failure belongs to; "" before the first */
static bool bar_is_shown;
static int terminal = -1; /* where the bar is drawn; -1 for nowhere */

/* The terminal of this run: stderr, or, since a launcher takes the ranks' stderr through a pipe,
 * the stderr of the launcher that started this process. */
static int find_terminal(void)
{
    const char *kind = getenv("TERM");
    if (kind == NULL || strcmp(kind, "dumb") == 0)
        return -1;
    if (isatty(STDERR_FILENO))
        return STDERR_FILENO;
    if (getenv("PMIX_RANK") == NULL)
        return -1;
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)getppid(), STDERR_FILENO);
    int fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0 && !isatty(fd)) {
        close(fd);
        fd = -1;
    }
    if (fd >= 0) /* ranks are a background group, which `stty tostop` would stop */
        signal(SIGTTOU, SIG_IGN);
    return fd;
}

void log_init(int rank, LogLevel level)
{
    log_rank = rank;
    log_level = level;
    bug_set_rank(rank);
}

Status log_level_parse(const char *text, LogLevel *level, Error *error)
{
    for (int i = 0; i < N_LEVELS; i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *level = (LogLevel)i;
            return STATUS_OK;
        }
    }
    return error_set(error, STATUS_USAGE, __FILE__, __LINE__,
                     "no log level is called '%s'; there are error, warn, info and debug", text);
}

void log_set_format(LogFormat format, const char *job)
{
    log_format = format;
    snprintf(log_job, sizeof log_job, "%s", job);
}

Status log_format_parse(const char *text, LogFormat *format, Error *error)
{
    *format = strcmp(text, "json") == 0 ? LOG_JSON : LOG_TEXT;
    if (*format == LOG_JSON || strcmp(text, "text") == 0)
        return STATUS_OK;
    return error_set(error, STATUS_USAGE, __FILE__, __LINE__,
                     "no log format is called '%s'; there are text and json", text);
}

static void write_all(int fd, const Buffer *text)
{
    const char *data = text->data;
    int64_t left = text->size;
    while (left > 0) {
        ssize_t n = write(fd, data, (size_t)left);
        if (n <= 0)
            return; /* nobody listens; a log must not stop the night */
        data += n;
        left -= n;
    }
}

static void wipe_bar(void)
{
    Buffer wipe = {0};
    if (bar_is_shown) {
        buffer_append_string(&wipe, WIPE_LINE);
        write_all(terminal, &wipe);
    }
    buffer_free(&wipe);
    bar_is_shown = false;
}

/* {"time":...,"level":...,"job":...,"stage":..., and what the caller adds. */
static void begin_object(Buffer *line, LogLevel level, const char *stage)
{
    char now[CIVIL_TEXT_SIZE];
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    civil_format_utc((int64_t)time.tv_sec * 1000000, now);
    buffer_printf(line, "{\"time\":\"%.*s.%03dZ\",\"level\":\"%s\",\"job\":", (int)strlen(now) - 1,
                  now, (int)(time.tv_nsec / 1000000), level_names[level]);
    log_text_json(bytes_of(log_job), line);
    buffer_append_string(line, ",\"stage\":");
    log_text_json(bytes_of(stage), line);
}

static void begin_text(Buffer *line, LogLevel level, const char *stage)
{
    char now[CIVIL_TEXT_SIZE];
    civil_format_utc((int64_t)time(NULL) * 1000000, now);
    buffer_printf(line, "%s %s %s ", now, level_names[level], stage);
}

/* Collected, ended and written as one. */
static void end_line(Buffer *line)
{
    wipe_bar();
    buffer_append_string(line, log_format == LOG_JSON ? "}\n" : "\n");
    write_all(STDERR_FILENO, line);
    buffer_free(line);
}

void log_line(LogLevel level, LogScope scope, const char *stage, const char *format, ...)
{
    if (level > log_level || (scope == LOG_ROOT && log_rank != 0))
        return;
    Buffer line = {0}, fields = {0};
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (scope == LOG_RANK)
        buffer_printf(&fields, "rank=%d ", log_rank);
    buffer_append_string(&fields, text);
    if (log_format == LOG_JSON) {
        begin_object(&line, level, stage);
        log_fields_json(buffer_view(&fields), &line);
    } else {
        begin_text(&line, level, stage);
        buffer_append_bytes(&line, buffer_view(&fields));
    }
    end_line(&line);
    buffer_free(&fields);
}

void log_begin_stage(const char *stage)
{
    snprintf(log_stage, sizeof log_stage, "%s", stage);
}

void log_end_stage(const char *stage, double min_s, double mean_s, double max_s, const char *fields)
{
    const char *prefix = log_format == LOG_JSON ? "seconds_" : "";
    log_line(LOG_INFO, LOG_ROOT, stage, "seconds=%.3f %smin=%.3f %smax=%.3f%s%s", mean_s, prefix,
             min_s, prefix, max_s, fields[0] != '\0' ? " " : "", fields);
}

static void log_failure_object(const Error *error)
{
    Buffer line = {0};
    begin_object(&line, LOG_ERROR, log_stage);
    buffer_printf(&line, ",\"status\":\"%s\",\"code\":%d,\"rank\":%d,\"file\":",
                  status_name(error->status), (int)error->status, error->rank);
    log_text_json(bytes_of(error->file), &line);
    buffer_printf(&line, ",\"line\":%d,\"message\":", error->line);
    log_text_json(bytes_of(error->message), &line);
    end_line(&line);
}

void log_failure(const Error *error)
{
    if (log_rank != 0)
        return;
    if (log_format == LOG_JSON) {
        log_failure_object(error);
        return;
    }
    Buffer line = {0};
    buffer_printf(&line, "vesper: %s", error->message);
    end_line(&line);
    log_line(LOG_DEBUG, LOG_ROOT, "failure", "status=%d rank=%d place=%s:%d", (int)error->status,
             error->rank, error->file, error->line);
}

double clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int terminal_columns(void)
{
    struct winsize size;
    if (ioctl(terminal, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

/* "12", "1,234" or, below 10, "3.4". */
static void format_amount(double amount, char text[DECIMAL_TEXT_SIZE])
{
    if (amount < 10 && amount > 0)
        snprintf(text, DECIMAL_TEXT_SIZE, "%.1f", amount);
    else
        count_format(llround(amount), text);
}

/* "0:07", "2:05:00". */
static void format_duration(double seconds, char *text, size_t size)
{
    long long s = llround(seconds);
    if (s >= 3600)
        snprintf(text, size, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(text, size, "%lld:%02lld", s / 60, s % 60);
}

/* "47 %  1,204 of 2,560 MB  310 MB/s  0:04 left" */
static void append_figures(Buffer *text, const Progress *progress, double share, double elapsed)
{
    char done[DECIMAL_TEXT_SIZE], total[DECIMAL_TEXT_SIZE], speed[DECIMAL_TEXT_SIZE];
    char left[32] = "-:--";
    double units = (double)progress->done / progress->scale;
    format_amount(units, done);
    format_amount((double)progress->total / progress->scale, total);
    format_amount(elapsed > 0 ? units / elapsed : 0, speed);
    if (share > 0)
        format_duration(elapsed * (1 - share) / share, left, sizeof left);
    buffer_printf(text, "%3.0f %%  %s of %s %s  %s %s/s  %s left", 100 * share, done, total,
                  progress->unit, speed, progress->unit, left);
}

/* ingest  [=========>          ]  47 %  1,204 of 2,560 MB  310 MB/s  0:04 left
 * The bar takes the room that the figures leave; a full line would wrap, and could not be wiped. */
static void draw(Progress *progress, double now)
{
    double share = (double)progress->done / (double)progress->total;
    share = share > 1 ? 1 : share;
    Buffer figures = {0}, line = {0}, text = {0};
    append_figures(&figures, progress, share, now - progress->started);

    int64_t room = terminal_columns() - 1;
    int64_t width = room - (int64_t)strlen(progress->stage) - figures.size - 5;
    width = width > 30 ? 30 : width;
    buffer_printf(&line, "%s  ", progress->stage);
    if (width >= 5) {
        int64_t filled = (int64_t)(share * (double)width);
        buffer_append_string(&line, "[");
        for (int64_t i = 0; i < width; i++)
            buffer_append_string(&line, i < filled ? "=" : i == filled ? ">" : " ");
        buffer_append_string(&line, "] ");
    }
    buffer_append_bytes(&line, buffer_view(&figures));
    if (line.size > room)
        line.size = room;
    buffer_append_string(&text, WIPE_LINE);
    buffer_append_bytes(&text, buffer_view(&line));
    write_all(terminal, &text);
    buffer_free(&figures);
    buffer_free(&line);
    buffer_free(&text);
    bar_is_shown = true;
    progress->drawn = now;
}

void progress_begin(Progress *progress, const char *stage, const char *unit, double scale,
                    int64_t total)
{
    double now = clock_seconds();
    if (log_rank == 0 && terminal < 0)
        terminal = find_terminal();
    *progress = (Progress){
        .stage = stage,
        .unit = unit,
        .scale = scale,
        .total = total,
        .started = now,
        .drawn = now,
        .visible = log_rank == 0 && total > 0 && terminal >= 0,
    };
}

void progress_add(Progress *progress, int64_t amount)
{
    progress->done += amount;
    if (!progress->visible)
        return;
    double now = clock_seconds();
    if (now - progress->drawn >= draw_interval)
        draw(progress, now);
}

void progress_end(Progress *progress)
{
    wipe_bar();
    progress->visible = false;
}
