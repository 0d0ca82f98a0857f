#include "ingest/query_file.h"

#include "base/fault.h"
#include "base/memory.h"
#include "base/stop.h"
#include "store/files.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { QUERY_FILE_BLOCK = 1 << 20 };

Status query_file_open(QueryFile *file, const char *path, Error *error)
{
    Status status;
    *file = (QueryFile){.path = path};
    file->block = mem_new(QUERY_FILE_BLOCK, 1);
    TRY(files_create(path, error));
    TRY(files_open(path, true, &file->fd, error));
    file->is_open = true;
out:
    return status;
}

static Status flush(QueryFile *file, Error *error)
{
    Status status;
    TRY(fault_point("ingest.query_file", error));
    TRY(stop_point(error, "while a database was read"));
    TRY(files_write_at(file->fd, file->path, file->block, file->filled, file->written, error));
    file->written += file->filled;
    file->filled = 0;
out:
    return status;
}

Status query_file_write(QueryFile *file, Bytes text, Error *error)
{
    Status status = STATUS_OK;
    while (text.size > 0) {
        int64_t room = QUERY_FILE_BLOCK - file->filled;
        int64_t size = text.size < room ? text.size : room;
        memcpy(file->block + file->filled, text.data, (size_t)size);
        file->filled += size;
        text = (Bytes){text.data + size, text.size - size};
        if (file->filled == QUERY_FILE_BLOCK)
            TRY(flush(file, error));
    }
out:
    return status;
}

Status query_file_finish(QueryFile *file, Error *error)
{
    Status status = flush(file, error);
    if (close(file->fd) != 0 && status == STATUS_OK)
        status = files_error(error, "write", file->path);
    file->is_open = false;
    return status;
}

void query_file_free(QueryFile *file)
{
    if (file->is_open)
        (void)close(file->fd);
    file->is_open = false;
    mem_free(&file->block);
}

Status query_file_copy(const char *from, const char *to, int64_t offset, Error *error)
{
    Status status;
    int from_fd = -1, to_fd = -1;
    struct stat about;
    char *block = mem_new(QUERY_FILE_BLOCK, 1);
    TRY(files_open(from, false, &from_fd, error));
    TRY(files_open(to, true, &to_fd, error));
    if (fstat(from_fd, &about) != 0) {
        status = files_error(error, "read", from);
        goto out;
    }
    for (int64_t at = 0; at < about.st_size; at += QUERY_FILE_BLOCK) {
        int64_t left = about.st_size - at;
        int64_t size = left < QUERY_FILE_BLOCK ? left : QUERY_FILE_BLOCK;
        TRY(stop_point(error, "while a database was read"));
        TRY(files_read_at(from_fd, from, block, size, at, error));
        TRY(files_write_at(to_fd, to, block, size, offset + at, error));
    }
out:
    if (from_fd >= 0)
        (void)close(from_fd);
    if (to_fd >= 0 && close(to_fd) != 0 && status == STATUS_OK)
        status = files_error(error, "write", to);
    mem_free(&block);
    return status;
}
