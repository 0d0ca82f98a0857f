/* The lock of a store: one writer at a time. The kernel drops it when its holder dies, also by
 * kill -9, so what counts is the lock on the file; its contents only say who. */
#include "store/internal.h"

#include "base/civil.h"
#include "base/fault.h"
#include "store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { OWNER_MAX = 400 };

/* What the file says: "host HOST, process PID, since TIME". */
static void read_owner(int fd, Buffer *owner)
{
    char text[OWNER_MAX];
    ssize_t size = pread(fd, text, sizeof text, 0);
    Bytes line = {.data = text, .size = size > 0 ? size : 0};
    const char *end = line.size > 0 ? memchr(text, '\n', (size_t)line.size) : NULL;
    if (end)
        line.size = end - text;
    if (bytes_are_utf8(line))
        buffer_append_bytes(owner, line);
}

static Status write_owner(int fd, const char *path, Error *error)
{
    char host[256] = "unknown";
    char since[CIVIL_TEXT_SIZE];
    Buffer owner = {0};
    if (gethostname(host, sizeof host - 1) != 0)
        memcpy(host, "unknown", sizeof "unknown");
    civil_format_utc((int64_t)time(NULL) * 1000000, since);
    buffer_printf(&owner, "host %s, process %ld, since %s\n", host, (long)getpid(), since);
    Status status = ftruncate(fd, 0) == 0
                        ? files_write_at(fd, path, owner.data, owner.size, 0, error)
                        : files_error(error, "write", path);
    buffer_free(&owner);
    return status;
}

static Status take(const char *name, int *lock, bool *was_left, Buffer *left, Error *error)
{
    Status status;
    Buffer owner = {0};
    TRY(fault_point("store.lock", error));
    *lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*lock < 0) {
        status = files_error(error, "open", name);
        goto out;
    }
    int taken = flock(*lock, LOCK_EX | LOCK_NB);
    int code = errno;
    read_owner(*lock, &owner);
    if (taken != 0 && code == EWOULDBLOCK)
        FAIL(error, STATUS_LOCKED,
             "another run holds the lock %s (%s): wait until it has ended, then run again", name,
             owner.size > 0 ? buffer_string(&owner) : "it has only just begun");
    errno = code;
    if (taken != 0) {
        status = files_error(error, "lock", name);
        goto out;
    }
    *was_left = owner.size > 0;
    buffer_append_bytes(left, buffer_view(&owner));
    TRY(write_owner(*lock, name, error));
out:
    if (status != STATUS_OK && *lock >= 0) {
        close(*lock);
        *lock = -1;
    }
    buffer_free(&owner);
    return status;
}

Status lock_take(const char *path, int *lock, bool *was_left, Buffer *left, Error *error)
{
    Buffer name = {0};
    *lock = -1;
    *was_left = false;
    buffer_printf(&name, "%s/lock", path);
    Status status = take(buffer_string(&name), lock, was_left, left, error);
    buffer_free(&name);
    return status;
}

void lock_release(int *lock)
{
    if (*lock < 0)
        return;
    /* Empty means: its holder ended in good order. If this fails, the next one is told otherwise.
     */
    int emptied = ftruncate(*lock, 0);
    (void)emptied;
    close(*lock);
    *lock = -1;
}
