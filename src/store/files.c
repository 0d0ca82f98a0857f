/* Files: POSIX calls with messages for people; durable renames. */
#include "store/files.h"

#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { COMPARE_BYTES = 1 << 16, OPEN_FOLDERS = 16, CALL_BYTES = 1 << 30 };

static const char *advice_for(int code)
{
    switch (code) {
    case ENOSPC:
    case EDQUOT:
        return "; free space there, or move the store to a larger disk, and run again";
    case EACCES:
    case EPERM:
        return "; check who owns it and its permissions";
    case EROFS:
        return "; mount it for writing, or choose another folder";
    case ENOENT:
        return "; check the path";
    case EMFILE:
    case ENFILE:
        return "; raise the limit of open files (ulimit -n)";
    case EIO:
        return "; check the disk";
    default:
        return "";
    }
}

Status files_error(Error *error, const char *action, const char *path)
{
    int code = errno;
    return error_set(error, STATUS_IO, __FILE__, __LINE__, "cannot %s %s: %s%s", action, path,
                     strerror(code), advice_for(code));
}

bool files_exist(const char *path)
{
    struct stat about;
    return lstat(path, &about) == 0;
}

static Status make_one(const char *path, Error *error)
{
    struct stat about;
    if (mkdir(path, 0700) == 0)
        return STATUS_OK;
    if (errno == EEXIST) {
        if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
            return STATUS_OK;
        errno = ENOTDIR;
    }
    return files_error(error, "make the folder", path);
}

Status files_make_folder(const char *path, Error *error)
{
    Status status = STATUS_OK;
    char *part = mem_copy_string(path);
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        TRY(make_one(part, error));
        *slash = '/';
    }
    TRY(make_one(path, error));
out:
    mem_free(&part);
    return status;
}

static int remove_entry(const char *path, const struct stat *about, int kind, struct FTW *place)
{
    (void)about;
    (void)kind;
    (void)place;
    return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

Status files_remove(const char *path, Error *error)
{
    if (!files_exist(path))
        return STATUS_OK;
    if (nftw(path, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
        return STATUS_OK;
    return files_error(error, "remove", path);
}

Status files_clear_folder(const char *path, Error *error)
{
    Status status = STATUS_OK;
    Buffer entry = {0};
    DIR *folder = opendir(path);
    if (!folder)
        return files_error(error, "read the folder", path);
    struct dirent *next;
    while ((next = readdir(folder))) {
        if (strcmp(next->d_name, ".") == 0 || strcmp(next->d_name, "..") == 0)
            continue;
        buffer_clear(&entry);
        buffer_printf(&entry, "%s/%s", path, next->d_name);
        TRY(files_remove(buffer_string(&entry), error));
    }
out:
    closedir(folder);
    buffer_free(&entry);
    return status;
}

Status files_sync(const char *path, Error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return files_error(error, "open", path);
    Status status = STATUS_OK;
    /* Some file systems have nothing to do for a folder and say EINVAL. */
    if (fsync(fd) != 0 && errno != EINVAL)
        status = files_error(error, "write to disk", path);
    close(fd);
    return status;
}

static Status sync_parent(const char *path, Error *error)
{
    char *parent = mem_copy_string(path);
    char *slash = strrchr(parent, '/');
    if (slash && slash != parent)
        *slash = '\0';
    Status status = files_sync(slash ? parent : ".", error);
    mem_free(&parent);
    return status;
}

Status files_rename(const char *from, const char *to, Error *error)
{
    if (rename(from, to) != 0)
        return files_error(error, "rename into place", to);
    return sync_parent(to, error);
}

Status files_replace_folder(const char *from, const char *to, Error *error)
{
    if (!files_exist(to))
        return files_rename(from, to, error);
    Status status;
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE) == 0) {
        TRY(sync_parent(to, error));
        TRY(files_remove(from, error));
    } else {
        TRY(files_remove(to, error));
        TRY(files_rename(from, to, error));
    }
out:
    return status;
}

Status files_open(const char *path, bool for_writing, int *fd, Error *error)
{
    *fd = open(path, (for_writing ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    return *fd >= 0 ? STATUS_OK : files_error(error, "open", path);
}

Status files_create(const char *path, Error *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return files_error(error, "create", path);
    close(fd);
    return STATUS_OK;
}

Status files_write_at(int fd, const char *path, const void *data, int64_t size, int64_t offset,
                      Error *error)
{
    const char *from = data;
    while (size > 0) {
        ssize_t done = pwrite(fd, from, (size_t)(size < CALL_BYTES ? size : CALL_BYTES), offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return files_error(error, "write", path);
        from += done;
        offset += done;
        size -= done;
    }
    return STATUS_OK;
}

Status files_read_at(int fd, const char *path, void *data, int64_t size, int64_t offset,
                     Error *error)
{
    char *to = data;
    while (size > 0) {
        ssize_t done = pread(fd, to, (size_t)(size < CALL_BYTES ? size : CALL_BYTES), offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return files_error(error, "read", path);
        if (done == 0)
            return error_set(error, STATUS_IO, __FILE__, __LINE__,
                             "%s is cut short: it ends before byte %" PRId64
                             "; restore it from a backup",
                             path, offset + size);
        to += done;
        offset += done;
        size -= done;
    }
    return STATUS_OK;
}

Status files_write_fresh(const char *path, Bytes contents, Error *error)
{
    Status status;
    int fd = -1;
    TRY(files_create(path, error));
    TRY(files_open(path, true, &fd, error));
    TRY(files_write_at(fd, path, contents.data, contents.size, 0, error));
out:
    if (fd >= 0)
        close(fd);
    return status;
}

static Status write_small(const char *path, Bytes contents, mode_t mode, Error *error)
{
    Status status;
    Buffer fresh = {0};
    buffer_printf(&fresh, "%s.new", path);
    const char *name = buffer_string(&fresh);
    TRY(files_write_fresh(name, contents, error));
    if (chmod(name, mode) != 0) {
        status = files_error(error, "set the mode of", name);
        goto out;
    }
    TRY(files_sync(name, error));
    TRY(files_rename(name, path, error));
out:
    buffer_free(&fresh);
    return status;
}

Status files_write_small(const char *path, Bytes contents, Error *error)
{
    return write_small(path, contents, 0600, error);
}

Status files_write_public(const char *path, Bytes contents, Error *error)
{
    return write_small(path, contents, 0644, error);
}

Status files_append_public(const char *path, Bytes contents, Error *error)
{
    Status status = STATUS_OK;
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0)
        return files_error(error, "open", path);
    ssize_t done = write(fd, contents.data, (size_t)contents.size);
    if (done >= 0 && done < contents.size)
        errno = ENOSPC; /* a disk that is full takes a part */
    if (done < contents.size || fsync(fd) != 0)
        status = files_error(error, "write", path);
    (void)close(fd);
    return status;
}

Status files_check_writable(const char *path, Error *error)
{
    Status status = STATUS_OK;
    struct stat about;
    char *folder = mem_copy_string(path);
    char *slash = strrchr(folder, '/');
    if (slash == folder)
        slash++; /* in the root */
    if (slash != NULL)
        *slash = '\0';
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode)) {
        errno = EISDIR;
        status = files_error(error, "write", path);
    } else if (access(slash != NULL ? folder : ".", W_OK | X_OK) != 0) {
        status = files_error(error, "write", path);
    }
    mem_free(&folder);
    return status;
}

Status files_read_small(const char *path, int64_t limit, Buffer *contents, Error *error)
{
    Status status;
    int fd = -1;
    char *data = NULL;
    struct stat about;
    TRY(files_open(path, false, &fd, error));
    if (fstat(fd, &about) != 0) {
        status = files_error(error, "read", path);
        goto out;
    }
    if (about.st_size > limit)
        FAIL(error, STATUS_IO, "%s is larger than the %" PRId64 " bytes that such a file may have",
             path, limit);
    TRY(mem_resize(&data, about.st_size, 1, path, error));
    TRY(files_read_at(fd, path, data, about.st_size, 0, error));
    buffer_append(contents, data, about.st_size);
out:
    mem_free(&data);
    if (fd >= 0)
        close(fd);
    return status;
}

Status files_check_room(const char *path, int64_t bytes, Error *error)
{
    struct statvfs about;
    if (statvfs(path, &about) != 0)
        return files_error(error, "measure the disk of", path);
    uint64_t room = (uint64_t)about.f_bavail * about.f_frsize;
    if (room < (uint64_t)bytes)
        return error_set(error, STATUS_IO, __FILE__, __LINE__,
                         "cannot write %s: the disk is full: %" PRId64 " bytes are needed and "
                         "%" PRIu64 " are free; free space there, or move the store to a larger "
                         "disk, and run again",
                         path, bytes, room);
    return STATUS_OK;
}

Status files_reserve(const char *path, int64_t bytes, Error *error)
{
    int fd;
    Status status = files_open(path, true, &fd, error);
    if (status != STATUS_OK)
        return status;
    /* Not every file system can; then a full disk shows when the data is written. The size stays:
     * whoever has the file open counts on it. */
    if (bytes > 0 && fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, bytes) != 0 &&
        (errno == ENOSPC || errno == EDQUOT))
        status = files_error(error, "write", path);
    close(fd);
    return status;
}

Status files_release(const char *path, Error *error)
{
    int fd;
    struct stat about;
    Status status = files_open(path, true, &fd, error);
    if (status != STATUS_OK)
        return status;
    if (fstat(fd, &about) != 0 || ftruncate(fd, about.st_size) != 0)
        status = files_error(error, "write", path);
    close(fd);
    return status;
}

bool files_equal(const char *a, const char *b)
{
    bool equal = false;
    char *block = mem_new(2 * COMPARE_BYTES, 1);
    int left = open(a, O_RDONLY | O_CLOEXEC);
    int right = open(b, O_RDONLY | O_CLOEXEC);
    struct stat about_left, about_right;
    if (left < 0 || right < 0 || fstat(left, &about_left) != 0 || fstat(right, &about_right) != 0 ||
        about_left.st_size != about_right.st_size)
        goto out;
    Error unread;
    for (int64_t at = 0; at < about_left.st_size; at += COMPARE_BYTES) {
        int64_t size = about_left.st_size - at;
        if (size > COMPARE_BYTES)
            size = COMPARE_BYTES;
        if (files_read_at(left, a, block, size, at, &unread) != STATUS_OK ||
            files_read_at(right, b, block + COMPARE_BYTES, size, at, &unread) != STATUS_OK ||
            memcmp(block, block + COMPARE_BYTES, (size_t)size) != 0)
            goto out;
    }
    equal = true;
out:
    if (left >= 0)
        close(left);
    if (right >= 0)
        close(right);
    mem_free(&block);
    return equal;
}
