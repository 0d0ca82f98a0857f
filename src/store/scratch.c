/* See scratch.h. */
#include "store/scratch.h"

#include "base/fault.h"
#include "base/memory.h"
#include "store/files.h"
#include "store/internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct Scratch {
    char *path;
    int fd;
};

Status scratch_make_folder(const Store *store, Buffer *folder, Error *error)
{
    store_file(store, CHECKPOINTS, folder);
    return files_make_folder(buffer_string(folder), error);
}

Status scratch_open_nameless(const char *folder, char **path, int *fd, Error *error)
{
    Buffer name = {0};
    Status status = STATUS_OK;
    buffer_printf(&name, "%s/vesper-spool-XXXXXX", folder);
    *path = mem_copy_string(buffer_string(&name));
    *fd = mkostemp(*path, O_CLOEXEC);
    if (*fd < 0)
        status = files_error(error, "create", *path);
    else
        (void)unlink(*path); /* failing leaves an empty name behind */
    buffer_free(&name);
    return status;
}

Status scratch_open(Comm *comm, const SpoolPlace *place, Scratch **scratch, Error *error)
{
    Status status, own = STATUS_OK;
    Buffer folder = {0};
    Scratch *opened = mem_new(1, sizeof *opened);
    opened->fd = -1;
    if (place->store == NULL)
        buffer_printf(&folder, "%s", place->folder);
    else
        own = scratch_make_folder(place->store, &folder, error);
    TRY_ALL(comm, own, error);
    TRY_ALL(comm, fault_point("store.scratch.open", error), error);
    TRY_ALL(comm, scratch_open_nameless(buffer_string(&folder), &opened->path, &opened->fd, error),
            error);
out:
    buffer_free(&folder);
    if (status != STATUS_OK)
        scratch_close(&opened);
    *scratch = opened;
    return status;
}

void scratch_close(Scratch **scratch)
{
    if (*scratch == NULL)
        return;
    if ((*scratch)->fd >= 0)
        close((*scratch)->fd);
    mem_free(&(*scratch)->path);
    mem_free(scratch);
}

Status scratch_write(Scratch *scratch, int64_t at, const void *data, int64_t bytes, Error *error)
{
    Status status = fault_point("store.scratch.write", error);
    if (status == STATUS_OK && bytes > 0)
        status = files_write_at(scratch->fd, scratch->path, data, bytes, at, error);
    return status;
}

Status scratch_read(Scratch *scratch, int64_t at, void *data, int64_t bytes, Error *error)
{
    Status status = fault_point("store.scratch.read", error);
    if (status == STATUS_OK && bytes > 0)
        status = files_read_at(scratch->fd, scratch->path, data, bytes, at, error);
    return status;
}
