/* A disk that breaks, preloaded (LD_PRELOAD) into a program under test: writes to files whose names
 * end in .h5 fail with EIO.
 *
 *   BROKEN_DISK=RANK:N[:once]   on that rank all of them from the N-th on (from 1), or that one
 * alone BROKEN_DISK_COUNT=PATH      at its end each rank appends "RANK WRITES", all it made */
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

typedef ssize_t Pwrite(int, const void *, size_t, off_t);
typedef ssize_t Write(int, const void *, size_t);
typedef ssize_t Pwritev(int, const struct iovec *, int, off_t);
typedef int Truncate(int, off_t);

static atomic_long writes;

static int own_rank(void)
{
    const char *rank = getenv("OMPI_COMM_WORLD_RANK");
    return rank != NULL ? atoi(rank) : 0;
}

static int is_segment(int fd)
{
    char link[64], path[4096];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path);
    return size > 3 && memcmp(path + size - 3, ".h5", 3) == 0;
}

/* Counts a write; true if it shall fail. */
static int fails(int fd)
{
    const char *when = getenv("BROKEN_DISK");
    int rank = 0, place = 0;
    long from = 0;
    if (!is_segment(fd))
        return 0;
    long nth = atomic_fetch_add(&writes, 1) + 1;
    if (when == NULL || sscanf(when, "%d:%ld%n", &rank, &from, &place) != 2 || rank != own_rank())
        return 0;
    return when[place] == '\0' ? nth >= from : nth == from;
}

static int fail(void)
{
    errno = EIO;
    return -1;
}

__attribute__((destructor)) static void tell(void)
{
    const char *path = getenv("BROKEN_DISK_COUNT");
    FILE *file = path != NULL && writes > 0 ? fopen(path, "ae") : NULL;
    if (file == NULL)
        return;
    (void)fprintf(file, "%d %ld\n", own_rank(), (long)writes);
    (void)fclose(file);
}

/* The C library's own function of a name; as an object, since ISO C keeps the two apart. */
#define REAL(type, name)                                                                           \
    static type *real;                                                                             \
    if (real == NULL)                                                                              \
        *(void **)&real = dlsym(RTLD_NEXT, name);

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    REAL(Pwrite, "pwrite")
    return fails(fd) ? fail() : real(fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off_t offset)
{
    return pwrite(fd, data, size, offset);
}

ssize_t write(int fd, const void *data, size_t size)
{
    REAL(Write, "write")
    return fails(fd) ? fail() : real(fd, data, size);
}

ssize_t pwritev(int fd, const struct iovec *parts, int n, off_t offset)
{
    REAL(Pwritev, "pwritev")
    return fails(fd) ? fail() : real(fd, parts, n, offset);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int n, off_t offset)
{
    return pwritev(fd, parts, n, offset);
}

int ftruncate(int fd, off_t size)
{
    REAL(Truncate, "ftruncate")
    return fails(fd) ? fail() : real(fd, size);
}

int ftruncate64(int fd, off_t size)
{
    return ftruncate(fd, size);
}
