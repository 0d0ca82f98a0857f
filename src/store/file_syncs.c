/* Threads that wait for the disk; see file_syncs.h. */
#include "store/file_syncs.h"

#include "base/fault.h"
#include "base/memory.h"
#include "store/files.h"

#include <pthread.h>

struct FileSync {
    char *path;
    bool has_thread;
    pthread_t thread;
    Status status; /* and the error, of the thread */
    Error error;
};

static void *sync_file(void *from)
{
    FileSync *sync = from;
    sync->status = files_sync(sync->path, &sync->error);
    return NULL;
}

void file_syncs_start(FileSyncs *syncs, const char *path)
{
    FileSync *sync = mem_new(1, sizeof *sync);
    sync->path = mem_copy_string(path);
    sync->has_thread = pthread_create(&sync->thread, NULL, sync_file, sync) == 0;
    mem_grow(&syncs->started, syncs->n + 1, sizeof(FileSync *));
    syncs->started[syncs->n++] = sync;
}

/* Without a thread the work is done here. */
static void wait_for(FileSync *sync)
{
    if (!sync->has_thread || pthread_join(sync->thread, NULL) != 0)
        (void)sync_file(sync);
}

Status file_syncs_finish(FileSyncs *syncs, Error *error)
{
    Status status = syncs->n > 0 ? fault_point("store.segment.sync", error) : STATUS_OK;
    for (int64_t i = 0; i < syncs->n; i++) {
        FileSync *sync = syncs->started[i];
        wait_for(sync);
        if (status == STATUS_OK && sync->status != STATUS_OK) {
            status = sync->status;
            *error = sync->error;
        }
        mem_free(&sync->path);
        mem_free(&sync);
    }
    mem_free(&syncs->started);
    syncs->n = 0;
    return status;
}
