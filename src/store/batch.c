/* Batches: a new generation is written beside the old one and put in force by one rename. */
#include "store/internal.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/memory.h"
#include "store/file_syncs.h"
#include "store/files.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct StoreBatch {
    Store *store;
    int64_t number;
    ManifestBatch added;
    SegmentLayout *layouts; /* of added.tables */
    FileSyncs syncs;        /* of their files */
    int64_t *written;       /* [partitions] order lines of this batch, the same on every rank */
    int64_t *replaced;      /* [partitions] earlier lines put out of force, found by this rank */
};

static void batch_folder(const StoreBatch *batch, Buffer *path)
{
    buffer_clear(path);
    buffer_printf(path, "%s/tmp/batch-%06" PRId64, batch->store->path, batch->number);
}

static void segments_folder(const StoreBatch *batch, Buffer *path)
{
    buffer_clear(path);
    buffer_printf(path, "%s/segments/%06" PRId64, batch->store->path, batch->number);
}

static void batch_free(StoreBatch **batch)
{
    StoreBatch *freed = *batch;
    if (!freed)
        return;
    for (int i = 0; freed->layouts && i < freed->added.n_tables; i++)
        segment_layout_free(&freed->layouts[i]);
    mem_free(&freed->layouts);
    manifest_batch_free(&freed->added);
    mem_free(&freed->written);
    mem_free(&freed->replaced);
    mem_free(batch);
}

/* An empty folder for the batch. Segments of that number can only be left by a crash before their
 * manifest came into force. */
static Status make_folder(const StoreBatch *batch, Error *error)
{
    Status status;
    Buffer path = {0};
    TRY(fault_point("store.batch.begin", error));
    segments_folder(batch, &path);
    TRY(files_remove(buffer_string(&path), error));
    batch_folder(batch, &path);
    TRY(files_remove(buffer_string(&path), error));
    TRY(files_make_folder(buffer_string(&path), error));
out:
    buffer_free(&path);
    return status;
}

Status store_batch_begin(Comm *comm, Store *store, StoreBatch **batch, Error *error)
{
    Status status;
    vesper_assert(store->mode == STORE_WRITE && !store->view);
    StoreBatch *begun = mem_new(1, sizeof *begun);
    begun->store = store;
    begun->number = store->manifest.generation + 1;
    begun->added.number = begun->number;
    begun->written = mem_new(store->settings.partitions, sizeof *begun->written);
    begun->replaced = mem_new(store->settings.partitions, sizeof *begun->replaced);
    TRY_ALL(comm, comm_rank(comm) == 0 ? make_folder(begun, error) : STATUS_OK, error);
out:
    if (status != STATUS_OK)
        batch_free(&begun);
    *batch = begun;
    return status;
}

int64_t store_batch_number(const StoreBatch *batch)
{
    return batch->number;
}

void store_batch_add_input(StoreBatch *batch, const StoreInput *input)
{
    manifest_batch_add_input(&batch->added, input);
}

void store_batch_replaced(StoreBatch *batch, int32_t partition, int64_t rows)
{
    vesper_assert(partition >= 0 && partition < batch->store->settings.partitions && rows >= 0);
    batch->replaced[partition] += rows;
}

/* ---- writing a table ---- */

/* A column keeps its type and unit over all batches. The same answer on every rank. */
static Status check_columns(const Store *store, const ManifestTable *table, Error *error)
{
    Status status = STATUS_OK;
    for (int b = 0; b < store->manifest.n_batches; b++) {
        const ManifestTable *earlier =
            manifest_batch_table(&store->manifest.batches[b], table->name);
        if (earlier && earlier->kind != table->kind)
            FAIL(error, STATUS_BUG, "table %s changes its kind", table->name);
        for (int i = 0; earlier && i < earlier->n_columns; i++) {
            for (int k = 0; k < table->n_columns; k++) {
                if (strcmp(earlier->columns[i].name, table->columns[k].name) == 0 &&
                    earlier->columns[i].type != table->columns[k].type)
                    FAIL(error, STATUS_BUG, "column %s of table %s changes its type",
                         table->columns[k].name, table->name);
            }
        }
    }
out:
    return status;
}

static void keep_layout(StoreBatch *batch, SegmentLayout *layout)
{
    mem_grow(&batch->layouts, batch->added.n_tables, sizeof *batch->layouts);
    batch->layouts[batch->added.n_tables - 1] = *layout;
    memset(layout, 0, sizeof *layout);
}

Status store_batch_write(Comm *comm, StoreBatch *batch, const char *table, TableKind kind,
                         const Table *rows, int32_t first, int32_t n_partitions,
                         const int64_t *partition_rows, Error *error)
{
    Status status;
    Buffer path = {0};
    SegmentLayout layout = {0};
    const Store *store = batch->store;
    char before[STORE_NAME_SIZE + 32];
    vesper_assert(!manifest_batch_table(&batch->added, table));
    (void)snprintf(before, sizeof before, "before table %s was stored", table);
    TRY(comm_safe_point(comm, before, error));
    batch_folder(batch, &path);
    buffer_printf(&path, "/%s.h5", table);
    SegmentSpec spec = {.path = buffer_string(&path),
                        .table = table,
                        .kind = manifest_kind_name(kind),
                        .batch = batch->number,
                        .partitions = kind == TABLE_GLOBAL ? 1 : store->settings.partitions,
                        .transfer = store->transfer};
    TRY(segment_write(comm, &spec, rows, first, n_partitions, partition_rows, &layout, error));
    file_syncs_start(&batch->syncs, spec.path);
    ManifestTable entry = manifest_table_of(&layout, kind);
    TRY(check_columns(store, &entry, error));
    manifest_batch_add_table(&batch->added, &entry);
    for (int32_t p = 0; kind == TABLE_ORDER_LINES && p < store->settings.partitions; p++)
        batch->written[p] += segment_partition_rows(&layout, p);
    keep_layout(batch, &layout);
out:
    segment_layout_free(&layout);
    buffer_free(&path);
    return status;
}

/* ---- rejects ---- */

static Status write_own_rejects(const char *path, bool is_root, Bytes header, Bytes own,
                                int64_t offset, Error *error)
{
    Status status;
    int fd = -1;
    TRY(fault_point("store.rejects.write", error));
    TRY(files_open(path, true, &fd, error));
    if (is_root)
        TRY(files_write_at(fd, path, header.data, header.size, 0, error));
    TRY(files_write_at(fd, path, own.data, own.size, offset, error));
    if (fsync(fd) != 0)
        status = files_error(error, "write to disk", path);
out:
    if (fd >= 0)
        close(fd);
    return status;
}

/* The file under its name. One that is there with other contents may have been mended by hand and
 * be an input of this very batch: it is kept as NAME.old until the next one. */
static Status place_rejects(const char *from, const char *to, Error *error)
{
    Status status;
    Buffer old = {0};
    buffer_printf(&old, "%s.old", to);
    TRY(fault_point("store.rejects.rename", error));
    if (files_exist(to) && !files_equal(from, to))
        TRY(files_rename(to, buffer_string(&old), error));
    TRY(files_rename(from, to, error));
out:
    buffer_free(&old);
    return status;
}

static Status make_rejects(const char *path, int64_t bytes, Error *error)
{
    Status status;
    TRY(files_create(path, error));
    TRY(files_check_room(path, bytes, error));
out:
    return status;
}

Status store_batch_write_rejects(Comm *comm, StoreBatch *batch, const char *table, Bytes header,
                                 Bytes own, Error *error)
{
    Status status = STATUS_OK;
    bool is_root = comm_rank(comm) == 0;
    int64_t total = own.size;
    int64_t header_size = header.size;
    Buffer from = {0}, to = {0};
    comm_sum_i64(comm, &total, 1);
    if (total == 0)
        return STATUS_OK;
    comm_broadcast(comm, 0, &header_size, sizeof header_size);
    int64_t offset = header_size + comm_prefix_i64(comm, own.size);
    const char *root = batch->store->path;
    buffer_printf(&from, "%s/tmp/rejects-%s.csv", root, table);
    buffer_printf(&to, "%s/rejects/%06" PRId64 "-%s.csv", root, batch->number, table);
    TRY_ALL(comm,
            is_root ? make_rejects(buffer_string(&from), header_size + total, error) : STATUS_OK,
            error);
    TRY_ALL(comm, write_own_rejects(buffer_string(&from), is_root, header, own, offset, error),
            error);
    TRY_ALL(comm,
            is_root ? place_rejects(buffer_string(&from), buffer_string(&to), error) : STATUS_OK,
            error);
out:
    buffer_free(&from);
    buffer_free(&to);
    return status;
}

/* ---- commit ---- */

/* The weights after the batch; the same answer on every rank. */
static Status apply_weights(Comm *comm, StoreBatch *batch, Error *error)
{
    Manifest *manifest = &batch->store->manifest;
    comm_sum_i64(comm, batch->replaced, manifest->partitions);
    for (int32_t p = 0; p < manifest->partitions; p++) {
        if (batch->replaced[p] > manifest->weights[p])
            return error_set(error, STATUS_BUG, __FILE__, __LINE__,
                             "partition %" PRId32 ": more order lines are replaced than there are",
                             p);
    }
    for (int32_t p = 0; p < manifest->partitions; p++)
        manifest->weights[p] += batch->written[p] - batch->replaced[p];
    return STATUS_OK;
}

static void take_back_weights(StoreBatch *batch)
{
    Manifest *manifest = &batch->store->manifest;
    for (int32_t p = 0; p < manifest->partitions; p++)
        manifest->weights[p] -= batch->written[p] - batch->replaced[p];
}

static Status put_in_force(const StoreBatch *batch, Error *error)
{
    Status status;
    Buffer from = {0}, to = {0};
    batch_folder(batch, &from);
    segments_folder(batch, &to);
    TRY(files_sync(buffer_string(&from), error));
    TRY(fault_point("store.commit.rename", error));
    TRY(files_rename(buffer_string(&from), buffer_string(&to), error));
    TRY(store_put_in_force(batch->store, &batch->store->manifest, error));
    TRY(fault_point("store.commit.done", error));
out:
    buffer_free(&from);
    buffer_free(&to);
    return status;
}

Status store_batch_commit(Comm *comm, Store *store, StoreBatch **batch, Error *error)
{
    Status status;
    StoreBatch *committed = *batch;
    Manifest *manifest = &store->manifest;
    vesper_assert(committed->store == store);
    TRY_ALL(comm, file_syncs_finish(&committed->syncs, error), error);
    TRY(apply_weights(comm, committed, error));
    manifest->generation = committed->number;
    manifest_add_batch(manifest, &committed->added);
    TRY_ALL(comm, comm_rank(comm) == 0 ? put_in_force(committed, error) : STATUS_OK, error);
    TRY(store_load_segments(comm, store, manifest->n_batches - 1, committed->layouts, error));
    batch_free(batch);
    return STATUS_OK;
out:
    /* The store in memory goes back to the generation before; the one on disk is whole either way.
     */
    if (manifest->generation == committed->number) {
        committed->added = manifest->batches[--manifest->n_batches];
        manifest->generation = committed->number - 1;
        take_back_weights(committed);
    }
    store_batch_discard(comm, batch);
    return status;
}

static Status remove_folder(const StoreBatch *batch, Error *error)
{
    Buffer path = {0};
    batch_folder(batch, &path);
    Status status = files_remove(buffer_string(&path), error);
    buffer_free(&path);
    return status;
}

void store_batch_discard(Comm *comm, StoreBatch **batch)
{
    if (!*batch)
        return;
    Error error = {0};
    Status synced = file_syncs_finish(&(*batch)->syncs, &error);
    (void)synced; /* of what goes */
    /* Failing is no harm: the next run clears the folder. */
    if (comm_rank(comm) == 0 && remove_folder(*batch, &error) != STATUS_OK)
        log_line(LOG_WARN, LOG_ROOT, "store", "note=\"%s\"", error.message);
    comm_barrier(comm);
    batch_free(batch);
}
