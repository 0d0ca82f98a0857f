/* The store: creating, opening, what is in force, and who owns which partition. */
#include "store/internal.h"

#include "base/fault.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "store/files.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const folders[] = {"manifest", "segments", "results", "rejects", "tmp"};
enum { N_FOLDERS = sizeof folders / sizeof *folders, PARTITIONS_MAX = 1 << 16, KEPT_MANIFESTS = 2 };

void store_file(const Store *store, const char *name, Buffer *path)
{
    buffer_clear(path);
    buffer_printf(path, "%s/%s", store->path, name);
}

bool store_exists(const char *path)
{
    Buffer name = {0};
    buffer_printf(&name, "%s/store.json", path);
    bool exists = files_exist(buffer_string(&name));
    buffer_free(&name);
    return exists;
}

/* ---- CURRENT: the manifest in force ---- */

static void manifest_name(int64_t generation, Buffer *name)
{
    buffer_clear(name);
    buffer_printf(name, "%06" PRId64 ".json", generation);
}

/* Line 1 the manifest's name, line 2 the checksum of its bytes. */
static void print_current(int64_t generation, Bytes json, Buffer *text)
{
    Buffer name = {0};
    manifest_name(generation, &name);
    buffer_printf(text, "%s\n%016" PRIx64 "\n", buffer_string(&name), hash64(json.data, json.size));
    buffer_free(&name);
}

static Status parse_current(const Store *store, int64_t *generation, uint64_t *checksum,
                            Error *error)
{
    Status status;
    Buffer path = {0}, text = {0}, again = {0};
    store_file(store, "CURRENT", &path);
    TRY(files_read_small(buffer_string(&path), SMALL_FILE_MAX, &text, error));
    char *end = NULL;
    *generation = strtoll(buffer_string(&text), &end, 10);
    const char *line = end ? strchr(end, '\n') : NULL;
    *checksum = line ? strtoull(line + 1, NULL, 16) : 0;
    manifest_name(*generation, &again);
    buffer_printf(&again, "\n%016" PRIx64 "\n", *checksum);
    if (*generation < 0 || !bytes_equal(buffer_view(&again), buffer_view(&text)))
        FAIL(error, STATUS_IO,
             "%s is damaged: it must hold the name of a manifest and its checksum; restore it "
             "from a backup",
             buffer_string(&path));
out:
    buffer_free(&path);
    buffer_free(&text);
    buffer_free(&again);
    return status;
}

static void forget_manifest(const Store *store, int64_t generation)
{
    Buffer name = {0}, path = {0};
    Error unused;
    manifest_name(generation, &name);
    buffer_printf(&path, "%s/manifest/%s", store->path, buffer_string(&name));
    /* A manifest that stays is only untidy. */
    Status removed = files_remove(buffer_string(&path), &unused);
    (void)removed;
    buffer_free(&name);
    buffer_free(&path);
}

Status store_put_in_force(const Store *store, const Manifest *manifest, Error *error)
{
    Status status;
    Buffer json = {0}, name = {0}, path = {0}, current = {0};
    manifest_print(manifest, &json);
    manifest_name(manifest->generation, &name);
    buffer_printf(&path, "%s/manifest/%s", store->path, buffer_string(&name));
    TRY(fault_point("store.commit.manifest", error));
    TRY(files_write_small(buffer_string(&path), buffer_view(&json), error));
    TRY(fault_point("store.commit.current", error));
    store_file(store, "CURRENT", &path);
    print_current(manifest->generation, buffer_view(&json), &current);
    TRY(files_write_small(buffer_string(&path), buffer_view(&current), error));
    if (manifest->generation >= KEPT_MANIFESTS)
        forget_manifest(store, manifest->generation - KEPT_MANIFESTS);
out:
    buffer_free(&json);
    buffer_free(&name);
    buffer_free(&path);
    buffer_free(&current);
    return status;
}

/* ---- create ---- */

static Status check_settings(const StoreSettings *settings, Error *error)
{
    Status status = STATUS_OK;
    int32_t partitions = settings->partitions;
    if (partitions < 1 || partitions > PARTITIONS_MAX || (partitions & (partitions - 1)) != 0)
        FAIL(error, STATUS_USAGE, "a store can have 1, 2, 4, ... %d partitions, not %" PRId32,
             PARTITIONS_MAX, partitions);
    if (settings->money_decimals < 0 || settings->money_decimals > 9)
        FAIL(error, STATUS_USAGE, "money can have 0 to 9 decimals, not %d",
             settings->money_decimals);
out:
    return status;
}

static bool settings_are_equal(const StoreSettings *a, const StoreSettings *b)
{
    return a->partitions == b->partitions && a->money_decimals == b->money_decimals &&
           strcmp(a->time_zone, b->time_zone) == 0 && strcmp(a->currency, b->currency) == 0;
}

static Status read_settings(const Store *store, StoreSettings *settings, Error *error)
{
    Status status;
    Buffer path = {0}, json = {0};
    store_file(store, "store.json", &path);
    TRY(files_read_small(buffer_string(&path), SMALL_FILE_MAX, &json, error));
    TRY(manifest_parse_settings(buffer_view(&json), buffer_string(&path), settings, error));
out:
    buffer_free(&path);
    buffer_free(&json);
    return status;
}

static Status compare_settings(const Store *store, const StoreSettings *settings, Error *error)
{
    Status status;
    StoreSettings found;
    TRY(read_settings(store, &found, error));
    if (!settings_are_equal(&found, settings))
        FAIL(error, STATUS_USAGE,
             "the store %s has %" PRId32 " partitions, time zone %s, currency %s and %d money "
             "decimals, and these cannot change: give the same, or make another store",
             store->path, found.partitions, found.time_zone, found.currency, found.money_decimals);
out:
    return status;
}

/* What a crash in the middle of creating may have left. */
static bool is_own_name(const char *name)
{
    static const char *const names[] = {
        ".", "..", "lock", "CURRENT", "CURRENT.new", "store.json.new", "lost+found"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    for (int i = 0; i < N_FOLDERS; i++) {
        if (strcmp(name, folders[i]) == 0)
            return true;
    }
    return false;
}

/* Only an empty folder becomes a store: its tmp/ will be cleared at every run. */
static Status check_empty(const Store *store, Error *error)
{
    Status status = STATUS_OK;
    Buffer path = {0};
    DIR *folder = opendir(store->path);
    if (!folder)
        return files_error(error, "read the folder", store->path);
    struct dirent *entry;
    while ((entry = readdir(folder))) {
        if (!is_own_name(entry->d_name))
            FAIL(error, STATUS_USAGE,
                 "%s is no store and has other things in it (%s): give an empty or a new folder",
                 store->path, entry->d_name);
    }
    store_file(store, "CURRENT", &path);
    if (files_exist(buffer_string(&path))) {
        int64_t generation;
        uint64_t checksum;
        TRY(parse_current(store, &generation, &checksum, error));
        if (generation > 0)
            FAIL(error, STATUS_IO,
                 "%s/store.json is missing but there are %" PRId64
                 " generations; restore it from a backup",
                 store->path, generation);
    }
    store_file(store, "tmp", &path);
    if (files_exist(buffer_string(&path)) && rmdir(buffer_string(&path)) != 0 && errno == ENOTEMPTY)
        FAIL(error, STATUS_USAGE, "%s is not empty and is no store: give an empty or a new folder",
             buffer_string(&path));
out:
    closedir(folder);
    buffer_free(&path);
    return status;
}

static Status make_folders(const Store *store, Error *error)
{
    Status status = STATUS_OK;
    Buffer path = {0};
    for (int i = 0; i < N_FOLDERS; i++) {
        store_file(store, folders[i], &path);
        TRY(files_make_folder(buffer_string(&path), error));
    }
out:
    buffer_free(&path);
    return status;
}

/* store.json comes last: with it the store exists. */
static Status make_store(const Store *store, const StoreSettings *settings, Error *error)
{
    Status status;
    Manifest manifest;
    Buffer path = {0}, json = {0};
    manifest_init(&manifest, settings->partitions);
    TRY(check_empty(store, error));
    TRY(make_folders(store, error));
    TRY(store_put_in_force(store, &manifest, error));
    manifest_print_settings(settings, &json);
    store_file(store, "store.json", &path);
    TRY(files_write_small(buffer_string(&path), buffer_view(&json), error));
out:
    manifest_free(&manifest);
    buffer_free(&path);
    buffer_free(&json);
    return status;
}

static Status create_locally(const Store *store, const StoreSettings *settings, Error *error)
{
    Status status;
    int lock = -1;
    bool was_left;
    Buffer left = {0};
    TRY(fault_point("store.create", error));
    TRY(check_settings(settings, error));
    if (!store_exists(store->path)) {
        TRY(files_make_folder(store->path, error));
        TRY(lock_take(store->path, &lock, &was_left, &left, error));
        if (!store_exists(store->path))
            TRY(make_store(store, settings, error));
    }
    TRY(compare_settings(store, settings, error));
out:
    lock_release(&lock);
    buffer_free(&left);
    return status;
}

Status store_create(Comm *comm, const char *path, const StoreSettings *settings, Error *error)
{
    Store store = {.path = mem_copy_string(path), .lock = -1};
    Status status = comm_rank(comm) == 0 ? create_locally(&store, settings, error) : STATUS_OK;
    mem_free(&store.path);
    return comm_agree(comm, status, error);
}

/* ---- open ---- */

static void warn_left(const Store *store, const Buffer *left)
{
    log_line(LOG_WARN, LOG_ROOT, "store",
             "store=%s note=\"the last run that wrote here did not end in good order (%s); what it "
             "left unfinished is cleared\"",
             store->path, buffer_string(left));
}

/* Rank 0's part: lock, settings and the text of the manifest. */
static Status open_files(Store *store, Buffer *json, Buffer *shown, Error *error)
{
    Status status;
    bool was_left = false;
    Buffer left = {0}, name = {0};
    int64_t generation = 0;
    uint64_t checksum = 0;
    TRY(fault_point("store.open", error));
    if (!store_exists(store->path))
        FAIL(error, STATUS_USAGE, "there is no store in %s: make one with `vesper init`",
             store->path);
    TRY(read_settings(store, &store->settings, error));
    if (store->mode == STORE_WRITE) {
        TRY(lock_take(store->path, &store->lock, &was_left, &left, error));
        if (was_left)
            warn_left(store, &left);
        TRY(make_folders(store, error)); /* somebody may have removed results/ to make room */
        store_file(store, "tmp", &name);
        TRY(files_clear_folder(buffer_string(&name), error));
    }
    TRY(parse_current(store, &generation, &checksum, error));
    manifest_name(generation, &name);
    buffer_printf(shown, "%s/manifest/%s", store->path, buffer_string(&name));
    TRY(files_read_small(buffer_string(shown), SMALL_FILE_MAX, json, error));
    if (hash64(json->data, json->size) != checksum)
        FAIL(error, STATUS_IO,
             "%s is damaged: it does not have the checksum that CURRENT gives; restore it from a "
             "backup",
             buffer_string(shown));
out:
    buffer_free(&left);
    buffer_free(&name);
    return status;
}

static Status open_all(Comm *comm, Store *store, Error *error)
{
    Status status;
    Buffer json = {0}, shown = {0};
    bool is_root = comm_rank(comm) == 0;
    TRY_ALL(comm, is_root ? open_files(store, &json, &shown, error) : STATUS_OK, error);
    TRY(segment_transfer_choose(comm, &store->transfer, error));
    comm_broadcast(comm, 0, &store->settings, sizeof store->settings);
    comm_broadcast_buffer(comm, 0, &shown);
    comm_broadcast_buffer(comm, 0, &json);
    TRY_ALL(comm,
            manifest_parse(buffer_view(&json), buffer_string(&shown), store->settings.partitions,
                           &store->manifest, error),
            error);
    TRY(store_load_segments(comm, store, 0, NULL, error));
out:
    buffer_free(&json);
    buffer_free(&shown);
    return status;
}

Status store_open(Comm *comm, const char *path, StoreMode mode, Store **store, Error *error)
{
    Store *opened = mem_new(1, sizeof *opened);
    pthread_mutex_init(&opened->files, NULL);
    opened->path = mem_copy_string(path);
    opened->mode = mode;
    opened->placement.root = opened->path;
    opened->lock = -1;
    *store = NULL;
    Status status = open_all(comm, opened, error);
    if (status == STATUS_OK)
        *store = opened;
    else
        store_close(comm, &opened);
    return status;
}

void store_close(Comm *comm, Store **store)
{
    Store *closed = *store;
    if (!closed)
        return;
    /* The lock goes when no rank writes any more. */
    comm_barrier(comm);
    lock_release(&closed->lock);
    for (int i = 0; i < closed->n_segments; i++) {
        if (closed->segments[i].fd >= 0)
            close(closed->segments[i].fd);
        segment_layout_free(&closed->segments[i].layout);
    }
    mem_free(&closed->segments);
    store_view_free(&closed->view);
    manifest_free(&closed->manifest);
    mem_free(&closed->path);
    pthread_mutex_destroy(&closed->files);
    mem_free(store);
}

/* ---- what is in force ---- */

const StoreSettings *store_settings(const Store *store)
{
    return &store->settings;
}

const char *store_path(const Store *store)
{
    return store->path;
}

int64_t store_generation(const Store *store)
{
    return store->manifest.generation;
}

int store_batch_count(const Store *store)
{
    return store->manifest.n_batches;
}

int64_t store_rows(const Store *store, const char *table)
{
    int64_t rows = 0;
    bool has_weights = strcmp(table, STORE_ORDERS) == 0;
    if (store_view_rows(store->view, table, &rows))
        return rows;
    for (int32_t p = 0; has_weights && p < store->manifest.partitions; p++)
        rows += store->manifest.weights[p];
    for (int b = 0; !has_weights && b < store->manifest.n_batches; b++) {
        const ManifestTable *found = manifest_batch_table(&store->manifest.batches[b], table);
        rows += found ? found->rows : 0;
    }
    return rows;
}

RowCounts store_total_counts(const Store *store, const char *table)
{
    RowCounts counts = {0};
    for (int b = 0; b < store->manifest.n_batches; b++)
        manifest_count(&store->manifest.batches[b], table, &counts);
    return counts;
}

const StoreInput *store_find_input(const Store *store, const char *table, uint64_t content_high,
                                   uint64_t content_low, int64_t bytes)
{
    for (int b = store->manifest.n_batches - 1; b >= 0; b--) {
        const ManifestBatch *batch = &store->manifest.batches[b];
        for (int i = batch->n_inputs - 1; i >= 0; i--) {
            const StoreInput *input = &batch->inputs[i];
            if (input->content_high == content_high && input->content_low == content_low &&
                input->bytes == bytes && strcmp(input->table, table) == 0)
                return input;
        }
    }
    return NULL;
}

const StoreInput *store_newest_input(const Store *store, const char *table, const char *path)
{
    for (int b = store->manifest.n_batches - 1; b >= 0; b--) {
        const ManifestBatch *batch = &store->manifest.batches[b];
        for (int i = batch->n_inputs - 1; i >= 0; i--) {
            const StoreInput *input = &batch->inputs[i];
            if (strcmp(input->table, table) == 0 && strcmp(input->path, path) == 0)
                return input;
        }
    }
    return NULL;
}

const StoreInput *store_newest_inputs(const Store *store, int *count)
{
    const Manifest *manifest = &store->manifest;
    *count = 0;
    if (manifest->n_batches == 0)
        return NULL;
    const ManifestBatch *newest = &manifest->batches[manifest->n_batches - 1];
    *count = newest->n_inputs;
    return newest->inputs;
}

bool store_has_column(const Store *store, const char *table, const char *column)
{
    for (int b = 0; b < store->manifest.n_batches; b++) {
        const ManifestTable *found = manifest_batch_table(&store->manifest.batches[b], table);
        for (int i = 0; found && i < found->n_columns; i++) {
            if (strcmp(found->columns[i].name, column) == 0)
                return true;
        }
    }
    return false;
}

/* ---- who owns which partition ---- */

/* First partition of the rank: where the weight before is nearest to its fair start. */
static int32_t run_begin(const int64_t *weights, int32_t partitions, int64_t total, int rank,
                         int size)
{
    if (rank >= size)
        return partitions;
    if (total == 0)
        return (int32_t)((int64_t)partitions * rank / size);
    /* total / size * rank without overflow, rounded down. */
    int64_t start = total / size * rank + total % size * rank / size;
    int64_t before = 0;
    int32_t p = 0;
    while (p < partitions && start - before >= (weights[p] + 1) / 2 && before < start) {
        before += weights[p];
        p++;
    }
    return p;
}

void store_balance(const int64_t *weights, int32_t partitions, int rank, int size, int32_t *begin,
                   int32_t *end)
{
    int64_t total = 0;
    for (int32_t p = 0; p < partitions; p++)
        total += weights[p];
    *begin = run_begin(weights, partitions, total, rank, size);
    *end = run_begin(weights, partitions, total, rank + 1, size);
}

void store_owned(const Store *store, int rank, int size, int32_t *begin, int32_t *end)
{
    store_balance(store->manifest.weights, store->manifest.partitions, rank, size, begin, end);
}
