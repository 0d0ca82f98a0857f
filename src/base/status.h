/* Status and Error: how every part of Vesper says that something went wrong.
 *
 * A function that can fail returns a Status and takes an Error that its caller owns as the last
 * argument. The Status values are the program's exit codes.
 * Our own bugs abort (vesper_assert); a numeric outcome is a field of a result, never a Status. */
#ifndef VESPER_BASE_STATUS_H
#define VESPER_BASE_STATUS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum Status {
    STATUS_OK = 0,
    STATUS_BUG = 1,    /* our own mistake */
    STATUS_USAGE = 2,  /* command line or configuration */
    STATUS_INPUT = 3,  /* input refused */
    STATUS_IO = 4,     /* file system, database, damaged store */
    STATUS_MEMORY = 5, /* a large allocation was refused */
    STATUS_GATE = 6,   /* publish gate refused the night */
    STATUS_RESUME = 7, /* stopped at a safe point: run again to go on */
    STATUS_LOCKED = 8  /* another run holds the store's lock */
} Status;

const char *status_name(Status status); /* one word: "ok", "usage", "gate" ... */

enum { ERROR_MESSAGE_SIZE = 1024, ERROR_FILE_SIZE = 64 };

/* One failure. Plain bytes, so that it can be broadcast. All zero is "no error". */
typedef struct Error {
    Status status;
    int rank;                         /* set by comm_agree */
    int line;                         /* place in our source, for the log at debug level */
    char file[ERROR_FILE_SIZE];       /* base name of our source file */
    char message[ERROR_MESSAGE_SIZE]; /* what, where, what to do; one line */
} Error;

#define VESPER_MUST_USE __attribute__((warn_unused_result))
#define VESPER_PRINTF(format_at, args_at) __attribute__((format(printf, format_at, args_at)))

/* Fill `error` and return `status`. Control characters in the message become spaces, so that the
 * message stays one line. Local. */
Status error_set(Error *error, Status status, const char *file, int line, const char *format, ...)
    VESPER_PRINTF(5, 6);

/* Put `format...` and ": " before the message that `error` already holds. Local. */
void error_prefix(Error *error, const char *format, ...) VESPER_PRINTF(2, 3);

/* Local try: needs `Status status` and a label `out:` in the function. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        status = (call);                                                                           \
        if (status != STATUS_OK)                                                                   \
            goto out;                                                                              \
    } while (0)

/* Fail here with a message. (The collective try, TRY_ALL, is in comm/comm.h.) */
#define FAIL(error, code, ...)                                                                     \
    do {                                                                                           \
        status = error_set(error, code, __FILE__, __LINE__, __VA_ARGS__);                          \
        goto out;                                                                                  \
    } while (0)

/* Abort with the place and the rank if a condition that only our own bug can break is broken. */
#define vesper_assert(condition)                                                                   \
    ((condition) ? (void)0 : bug_abort(__FILE__, __LINE__, "assertion failed: " #condition))
_Noreturn void bug_abort(const char *file, int line, const char *what);
void bug_set_rank(int rank); /* the rank that bug_abort names; log_init sets it */

#endif
