/* Results: finding runs by their names; removing old ones, and checkpoints. */
#include "base/fault.h"
#include "store/files.h"
#include "store/internal.h"
#include "store/results.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The number at the front of a name that then has `tail`; -1: it has not. */
static int64_t generation_of(const char *name, const char *tail)
{
    char *end = NULL;
    long long number = name[0] >= '0' && name[0] <= '9' ? strtoll(name, &end, 10) : -1;
    return number >= 0 && strcmp(end, tail) == 0 ? number : -1;
}

Status results_find_before(const Store *store, const char *tail, char run[STORE_NAME_SIZE],
                           Error *error)
{
    Status status = STATUS_OK;
    Buffer path = {0};
    int64_t newest = -1;
    run[0] = '\0';
    store_file(store, RESULTS, &path);
    TRY(fault_point("store.results.find", error));
    DIR *folder = opendir(buffer_string(&path));
    if (!folder) {
        status = files_error(error, "read the folder", buffer_string(&path));
        goto out;
    }
    struct dirent *next;
    while ((next = readdir(folder))) {
        int64_t number = generation_of(next->d_name, tail);
        if (number <= newest || number >= store->manifest.generation ||
            !results_exist(store, next->d_name))
            continue;
        newest = number;
        segment_copy_name(run, STORE_NAME_SIZE, next->d_name);
    }
    closedir(folder);
out:
    buffer_free(&path);
    return status;
}

/* ---- old runs ---- */

static Status retire_run(const Store *store, const char *place, const char *run, Error *error)
{
    Status status;
    Buffer from = {0}, to = {0};
    store_file(store, place, &from);
    buffer_printf(&from, "/%s", run);
    buffer_printf(&to, "%s/tmp/retired-%s", store->path, run);
    TRY(fault_point("store.results.retire", error));
    TRY(files_remove(buffer_string(&to), error));
    TRY(files_rename(buffer_string(&from), buffer_string(&to), error));
    TRY(fault_point("store.results.retired", error));
    TRY(files_remove(buffer_string(&to), error));
out:
    buffer_free(&from);
    buffer_free(&to);
    return status;
}

/* True for a run of a generation before `generation`: its name begins with its number and '-'. */
static bool is_before(const char *name, int64_t generation)
{
    char *end = NULL;
    long long number = name[0] >= '0' && name[0] <= '9' ? strtoll(name, &end, 10) : -1;
    return number >= 0 && *end == '-' && number < generation;
}

static Status retire_before(const Store *store, const char *place, int64_t generation, int *removed,
                            Error *error)
{
    Status status = STATUS_OK;
    Buffer path = {0};
    store_file(store, place, &path);
    if (!files_exist(buffer_string(&path)))
        goto out;
    DIR *folder = opendir(buffer_string(&path));
    if (!folder) {
        status = files_error(error, "read the folder", buffer_string(&path));
        goto out;
    }
    const struct dirent *next;
    while (status == STATUS_OK && (next = readdir(folder))) {
        if (!is_before(next->d_name, generation))
            continue;
        status = retire_run(store, place, next->d_name, error);
        *removed += status == STATUS_OK;
    }
    closedir(folder);
out:
    buffer_free(&path);
    return status;
}

Status results_retire(const Store *store, int64_t generation, int *removed, Error *error)
{
    Status status;
    *removed = 0;
    vesper_assert(store->mode == STORE_WRITE);
    TRY(retire_before(store, RESULTS, generation, removed, error));
    TRY(retire_before(store, CHECKPOINTS, store->manifest.generation, removed, error));
out:
    return status;
}

/* ---- checkpoints ---- */

void results_checkpoint_name(const char *run, uint64_t key, char name[STORE_NAME_SIZE])
{
    (void)snprintf(name, STORE_NAME_SIZE, "%.40s.%016" PRIx64, run, key);
}

static bool is_of_run(const char *name, const char *run)
{
    size_t length = strlen(run);
    return strncmp(name, run, length) == 0 && name[length] == '.';
}

/* Whether what stands between generation and hash, "-KIND-", is the same; a run without a kind has
 * no checkpoints. */
static bool is_of_kind(const char *name, const char *run)
{
    const char *own = strchr(name, '-'), *kind = strchr(run, '-'), *hash = strrchr(run, '-');
    return own != NULL && kind != hash && strncmp(own, kind, (size_t)(hash - kind) + 1) == 0;
}

static Status clear_kind(const char *path, const char *run, bool keeps_own, int *removed,
                         Error *error)
{
    Status status = STATUS_OK;
    Buffer entry = {0};
    DIR *folder = opendir(path);
    if (!folder)
        return files_error(error, "read the folder", path);
    struct dirent *next;
    while ((next = readdir(folder))) {
        if (!is_of_kind(next->d_name, run) || (keeps_own && is_of_run(next->d_name, run)))
            continue;
        buffer_clear(&entry);
        buffer_printf(&entry, "%s/%s", path, next->d_name);
        TRY(files_remove(buffer_string(&entry), error));
        ++*removed;
    }
out:
    closedir(folder);
    buffer_free(&entry);
    return status;
}

Status results_clear_checkpoints(const Store *store, const char *run, bool keeps_own, int *removed,
                                 Error *error)
{
    Status status = STATUS_OK;
    Buffer path = {0};
    *removed = 0;
    store_file(store, CHECKPOINTS, &path);
    if (!files_exist(buffer_string(&path)))
        goto out;
    TRY(fault_point("store.checkpoints.clear", error));
    TRY(clear_kind(buffer_string(&path), run, keeps_own, removed, error));
    (void)rmdir(buffer_string(&path)); /* stays while there are any */
out:
    buffer_free(&path);
    return status;
}
