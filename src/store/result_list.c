/* Results: the names of all runs. */
#include "base/fault.h"
#include "base/memory.h"
#include "store/files.h"
#include "store/internal.h"
#include "store/results.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

static int compare_names(const void *left, const void *right)
{
    return strcmp(left, right);
}

Status results_list(const Store *store, char (**names)[STORE_NAME_SIZE], int *n, Error *error)
{
    Status status = STATUS_OK;
    Buffer path = {0};
    *names = NULL;
    *n = 0;
    store_file(store, RESULTS, &path);
    TRY(fault_point("store.results.list", error));
    DIR *folder = opendir(buffer_string(&path));
    if (!folder) {
        status = files_error(error, "read the folder", buffer_string(&path));
        goto out;
    }
    const struct dirent *next;
    while ((next = readdir(folder))) {
        if (!results_exist(store, next->d_name))
            continue;
        mem_grow(names, *n + 1, sizeof **names);
        segment_copy_name((*names)[(*n)++], STORE_NAME_SIZE, next->d_name);
    }
    closedir(folder);
    if (*n > 0)
        qsort(*names, (size_t)*n, sizeof **names, compare_names);
out:
    buffer_free(&path);
    return status;
}
