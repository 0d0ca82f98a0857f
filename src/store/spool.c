/* See spool.h. Block b lies at b times a whole number of pages: a header, then its data. */
#include "store/spool.h"

#include "base/fault.h"
#include "base/hash.h"
#include "base/memory.h"
#include "store/files.h"
#include "store/internal.h"
#include "store/results.h"

#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096 };

/* Written after its data. */
typedef struct Header {
    uint64_t key;
    uint64_t block;    /* plus 1: a hole reads as 0 */
    uint64_t checksum; /* of the data */
} Header;

struct Spool {
    char *path;
    int fd;
    uint64_t key;
    int64_t block_bytes, stride;
};

static Header header_of(const Spool *spool, int64_t block, const void *data)
{
    return (Header){spool->key, (uint64_t)block + 1, hash64(data, spool->block_bytes)};
}

/* ---- opening ---- */

static void name_checkpoint(Spool *spool, const SpoolPlace *place)
{
    char name[STORE_NAME_SIZE];
    Buffer path = {0};
    results_checkpoint_name(place->run, spool->key, name);
    buffer_printf(&path, "%s/%s/%s", place->store->path, CHECKPOINTS, name);
    spool->path = mem_copy_string(buffer_string(&path));
    buffer_free(&path);
}

/* A file that is there already is what an earlier run left. */
static Status make_checkpoint(const Spool *spool, const SpoolPlace *place, Error *error)
{
    Status status;
    Buffer folder = {0};
    TRY(scratch_make_folder(place->store, &folder, error));
    if (!files_exist(spool->path))
        TRY(files_create(spool->path, error));
out:
    buffer_free(&folder);
    return status;
}

Status spool_open(Comm *comm, const SpoolPlace *place, uint64_t key, int64_t block_bytes,
                  Spool **spool, Error *error)
{
    Status status;
    Spool *opened = mem_new(1, sizeof *opened);
    int64_t bytes = (int64_t)sizeof(Header) + block_bytes;
    *opened = (Spool){.fd = -1,
                      .key = key,
                      .block_bytes = block_bytes,
                      .stride = (bytes + PAGE - 1) / PAGE * PAGE};
    TRY_ALL(comm, fault_point("store.spool.open", error), error);
    if (place->store == NULL) {
        TRY_ALL(comm, scratch_open_nameless(place->folder, &opened->path, &opened->fd, error),
                error);
    } else {
        vesper_assert(place->store->mode == STORE_WRITE);
        name_checkpoint(opened, place);
        TRY_ALL(comm, comm_rank(comm) == 0 ? make_checkpoint(opened, place, error) : STATUS_OK,
                error);
        TRY_ALL(comm, files_open(opened->path, true, &opened->fd, error), error);
    }
out:
    if (status != STATUS_OK)
        spool_close(&opened);
    *spool = opened;
    return status;
}

void spool_close(Spool **spool)
{
    if (*spool == NULL)
        return;
    if ((*spool)->fd >= 0)
        close((*spool)->fd);
    mem_free(&(*spool)->path);
    mem_free(spool);
}

const char *spool_name(const Spool *spool)
{
    return spool->path;
}

/* ---- blocks ---- */

Status spool_write(Spool *spool, int64_t block, const void *data, Error *error)
{
    Status status;
    Header header = header_of(spool, block, data);
    int64_t at = block * spool->stride;
    TRY(fault_point("store.spool.write", error));
    TRY(files_write_at(spool->fd, spool->path, data, spool->block_bytes,
                       at + (int64_t)sizeof header, error));
    TRY(files_write_at(spool->fd, spool->path, &header, sizeof header, at, error));
out:
    return status;
}

Status spool_look(Spool *spool, int64_t block, void *data, SpoolState *state, Error *error)
{
    Status status;
    Header header;
    struct stat about;
    int64_t at = block * spool->stride;
    *state = SPOOL_ABSENT;
    TRY(fault_point("store.spool.look", error));
    if (fstat(spool->fd, &about) != 0) {
        status = files_error(error, "read", spool->path);
        goto out;
    }
    if (about.st_size < at + (int64_t)sizeof header)
        goto out;
    TRY(files_read_at(spool->fd, spool->path, &header, sizeof header, at, error));
    if (header.block == 0)
        goto out;
    *state = SPOOL_DAMAGED;
    if (about.st_size < at + (int64_t)sizeof header + spool->block_bytes)
        goto out;
    TRY(files_read_at(spool->fd, spool->path, data, spool->block_bytes, at + (int64_t)sizeof header,
                      error));
    Header meant = header_of(spool, block, data);
    if (header.key == meant.key && header.block == meant.block && header.checksum == meant.checksum)
        *state = SPOOL_WHOLE;
out:
    return status;
}

Status spool_read(Spool *spool, int64_t block, void *data, Error *error)
{
    Status status;
    SpoolState state;
    TRY(spool_look(spool, block, data, &state, error));
    if (state != SPOOL_WHOLE)
        FAIL(error, STATUS_IO,
             "%s lost block %" PRId64 " while it was in use; look after the disk, and run again",
             spool->path, block);
out:
    return status;
}
