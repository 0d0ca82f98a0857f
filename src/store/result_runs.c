/* Results: which runs there are, and removing checkpoints. */
#include "base/fault.h"
#include "store/files.h"
#include "store/internal.h"
#include "store/results.h"

#include <dirent.h>
#include <string.h>

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
