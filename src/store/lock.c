/* The lock of a store: one writer at a time. The kernel drops it when its holder dies, also by
 * kill -9, so what counts is the lock on the file; its contents only say who. Whoever looks holds
 * it for a moment, shared with others who look; a writer waits for that. */
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

enum { OWNER_MAX = 400, LOOK_TRIES = 5, LOOK_WAIT_NS = 20 * 1000 * 1000 };

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

/* As flock, but for those who only look. */
static int lock_exclusively(int fd)
{
    const struct timespec moment = {.tv_nsec = LOOK_WAIT_NS};
    int taken = flock(fd, LOCK_EX | LOCK_NB);
    for (int i = 0; i < LOOK_TRIES && taken != 0 && errno == EWOULDBLOCK; i++) {
        (void)nanosleep(&moment, NULL);
        taken = flock(fd, LOCK_EX | LOCK_NB);
    }
    return taken;
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
    int taken = lock_exclusively(*lock);
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

Status lock_look(const char *path, bool *is_held, Buffer *owner, Error *error)
{
    Status status;
    Buffer name = {0};
    *is_held = false;
    buffer_printf(&name, "%s/lock", path);
    TRY(fault_point("store.lock.look", error));
    int fd = open(buffer_string(&name), O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno != ENOENT)
        status = files_error(error, "open", buffer_string(&name));
    if (fd < 0)
        goto out;
    read_owner(fd, owner);
    /* An empty file is nobody's, or of somebody who has only just begun. */
    *is_held = owner->size > 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (!*is_held) { /* who ended in good order meanwhile is no dead holder */
        buffer_clear(owner);
        read_owner(fd, owner);
    }
    close(fd); /* gives the lock back */
out:
    buffer_free(&name);
    return status;
}
