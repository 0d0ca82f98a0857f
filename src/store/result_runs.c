/* Results: finding runs by their names, and removing checkpoints. */
#include "base/fault.h"
#include "store/files.h"
#include "store/internal.h"
#include "store/results.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

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

static bool is_of_run(const char *name, const char *run)
{
    size_t length = strlen(run);
    return strncmp(name, run, length) == 0 && name[length] == '.';
}

static Status clear_others(const char *path, const char *run, int *removed, Error *error)
{
    Status status = STATUS_OK;
    Buffer entry = {0};
    DIR *folder = opendir(path);
    if (!folder)
        return files_error(error, "read the folder", path);
    struct dirent *next;
    while ((next = readdir(folder))) {
        if (next->d_name[0] == '.' || (run && is_of_run(next->d_name, run)))
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

Status results_clear_checkpoints(const Store *store, const char *run, int *removed, Error *error)
{
    Status status = STATUS_OK;
    Buffer path = {0};
    *removed = 0;
    store_file(store, CHECKPOINTS, &path);
    if (!files_exist(buffer_string(&path)))
        goto out;
    TRY(fault_point("store.checkpoints.clear", error));
    TRY(clear_others(buffer_string(&path), run, removed, error));
    if (!run)
        TRY(files_remove(buffer_string(&path), error));
out:
    buffer_free(&path);
    return status;
}
