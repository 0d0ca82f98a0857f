/* Status and Error: filling in one-line messages, and aborting on our own bugs. */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int bug_rank;

const char *status_name(Status status)
{
    static const char *const names[] = {
        [STATUS_OK] = "ok",       [STATUS_BUG] = "bug",       [STATUS_USAGE] = "usage",
        [STATUS_INPUT] = "input", [STATUS_IO] = "io",         [STATUS_MEMORY] = "memory",
        [STATUS_GATE] = "gate",   [STATUS_RESUME] = "resume", [STATUS_LOCKED] = "locked"};
    return names[status];
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Control characters to spaces: the message stays one line and cannot steer a terminal. */
static void make_one_line(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = ' ';
    }
}

/* Copy what fits, cutting between UTF-8 characters. */
static void copy_text(char *to, size_t size, const char *from)
{
    size_t length = strnlen(from, size - 1);
    if (from[length]) {
        while (length > 0 && ((unsigned char)from[length] & 0xc0) == 0x80)
            length--;
    }
    memcpy(to, from, length);
    to[length] = '\0';
}

Status error_set(Error *error, Status status, const char *file, int line, const char *format, ...)
{
    char message[ERROR_MESSAGE_SIZE + 1]; /* the arguments may point into *error */
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    make_one_line(message);

    *error = (Error){.status = status, .line = line};
    copy_text(error->file, sizeof error->file, base_name(file));
    copy_text(error->message, sizeof error->message, message);
    return status;
}

void error_prefix(Error *error, const char *format, ...)
{
    char prefix[ERROR_MESSAGE_SIZE], message[2 * ERROR_MESSAGE_SIZE + 2];
    va_list args;
    va_start(args, format);
    vsnprintf(prefix, sizeof prefix, format, args);
    va_end(args);
    snprintf(message, sizeof message, "%s: %s", prefix, error->message);
    make_one_line(message);
    copy_text(error->message, sizeof error->message, message);
}

void bug_set_rank(int rank)
{
    bug_rank = rank;
}

_Noreturn void bug_abort(const char *file, int line, const char *what)
{
    fprintf(stderr, "vesper: bug on rank %d at %s:%d: %s\n", bug_rank, base_name(file), line, what);
    fflush(stderr);
    abort();
}
