/* See survey.h. */
#include "store/survey.h"

#include "base/fault.h"
#include "base/memory.h"
#include "store/files.h"
#include "store/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- sizes ---- */

static Status add_sizes(const char *path, SurveySize *size, Error *error)
{
    Status status = STATUS_OK;
    char *copy = mem_copy_string(path);
    char *const roots[] = {copy, NULL};
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (tree == NULL) {
        status = files_error(error, "read the folder", path);
        goto out;
    }
    const FTSENT *next;
    while ((next = fts_read(tree)) != NULL) {
        if (next->fts_info == FTS_F) {
            size->files++;
            size->bytes += next->fts_statp->st_size;
        }
    }
    (void)fts_close(tree);
out:
    mem_free(&copy);
    return status;
}

static void folder_path(const Store *store, const char *name, Buffer *path)
{
    buffer_clear(path);
    buffer_printf(path, "%s%s%s", store->path, name[0] != '\0' ? "/" : "", name);
}

Status survey_size(const Store *store, const char *name, SurveySize *size, Error *error)
{
    Status status;
    Buffer path = {0};
    *size = (SurveySize){0};
    folder_path(store, name, &path);
    TRY(fault_point("survey.size", error));
    if (files_exist(buffer_string(&path)))
        TRY(add_sizes(buffer_string(&path), size, error));
out:
    buffer_free(&path);
    return status;
}

static int compare_names(const void *left, const void *right)
{
    const SurveyEntry *a = left, *b = right;
    return strcmp(a->name, b->name);
}

static Status add_entry(const char *folder, const char *name, SurveyEntries *entries, Error *error)
{
    Buffer path = {0};
    buffer_printf(&path, "%s/%s", folder, name);
    mem_grow(&entries->entries, entries->n + 1, sizeof *entries->entries);
    SurveyEntry *entry = &entries->entries[entries->n++];
    *entry = (SurveyEntry){0};
    (void)snprintf(entry->name, sizeof entry->name, "%s", name);
    Status status = add_sizes(buffer_string(&path), &entry->size, error);
    buffer_free(&path);
    return status;
}

Status survey_entries(const Store *store, const char *name, SurveyEntries *entries, Error *error)
{
    Status status = STATUS_OK;
    Buffer path = {0};
    DIR *folder = NULL;
    *entries = (SurveyEntries){0};
    folder_path(store, name, &path);
    if (!files_exist(buffer_string(&path)))
        goto out;
    folder = opendir(buffer_string(&path));
    if (folder == NULL) {
        status = files_error(error, "read the folder", buffer_string(&path));
        goto out;
    }
    const struct dirent *next;
    while ((next = readdir(folder)) != NULL) {
        if (strcmp(next->d_name, ".") != 0 && strcmp(next->d_name, "..") != 0)
            TRY(add_entry(buffer_string(&path), next->d_name, entries, error));
    }
    if (entries->n > 0)
        qsort(entries->entries, (size_t)entries->n, sizeof *entries->entries, compare_names);
out:
    if (folder != NULL)
        closedir(folder);
    if (status != STATUS_OK)
        survey_entries_free(entries);
    buffer_free(&path);
    return status;
}

void survey_entries_free(SurveyEntries *entries)
{
    mem_free(&entries->entries);
    *entries = (SurveyEntries){0};
}

/* ---- tables ---- */

static int compare_texts(const void *left, const void *right)
{
    const char *const *a = left, *const *b = right;
    return strcmp(*a, *b);
}

int survey_tables(const Store *store, const char *names[SURVEY_TABLES_MAX])
{
    int n = 0;
    for (int b = 0; b < store->manifest.n_batches; b++) {
        const ManifestBatch *batch = &store->manifest.batches[b];
        for (int i = 0; i < batch->n_tables; i++) {
            bool is_new = n < SURVEY_TABLES_MAX && store_rows(store, batch->tables[i].name) > 0;
            for (int k = 0; k < n; k++)
                is_new = is_new && strcmp(names[k], batch->tables[i].name) != 0;
            if (is_new)
                names[n++] = batch->tables[i].name;
        }
    }
    if (n > 0)
        qsort(names, (size_t)n, sizeof *names, compare_texts);
    return n;
}

/* ---- lock ---- */

Status survey_lock(const Store *store, SurveyLock *lock, Error *error)
{
    Status status;
    Buffer owner = {0};
    *lock = (SurveyLock){0};
    TRY(lock_look(store->path, &lock->is_held, &owner, error));
    (void)snprintf(lock->owner, sizeof lock->owner, "%s", buffer_string(&owner));
out:
    buffer_free(&owner);
    return status;
}
