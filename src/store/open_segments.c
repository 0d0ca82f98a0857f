/* The segments in force: their layouts, and their files while somebody reads. */
#include "store/internal.h"

#include "base/memory.h"
#include "store/files.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

const ManifestTable *store_segment_table(const Store *store, const StoreSegment *segment)
{
    return &store->manifest.batches[segment->batch].tables[segment->table];
}

int64_t store_segment_number(const Store *store, const StoreSegment *segment)
{
    return store->manifest.batches[segment->batch].number;
}

static int64_t kind_partitions(const Store *store, TableKind kind)
{
    return kind == TABLE_GLOBAL ? 1 : store->settings.partitions;
}

/* The file must be the one that the manifest means. */
static bool is_meant(const Store *store, const StoreSegment *segment)
{
    const ManifestTable *table = store_segment_table(store, segment);
    const SegmentLayout *layout = &segment->layout;
    return manifest_table_fits(table, layout) &&
           strcmp(layout->kind, manifest_kind_name(table->kind)) == 0 &&
           layout->batch == store_segment_number(store, segment) &&
           layout->partitions == kind_partitions(store, table->kind);
}

static void load_segment(const Store *store, StoreSegment *segment)
{
    Buffer path = {0};
    placement_segment(&store->placement, segment->volume, store_segment_number(store, segment),
                      store_segment_table(store, segment)->name, &path);
    Status status = segment_layout_read(buffer_string(&path), segment->shown, &segment->layout,
                                        &segment->damage);
    if (status == STATUS_OK && !is_meant(store, segment)) {
        status = error_set(&segment->damage, STATUS_IO, __FILE__, __LINE__,
                           "%s is not the file that the manifest means: other size, rows or "
                           "columns; restore it from a backup",
                           segment->shown);
        segment_layout_free(&segment->layout);
    }
    segment->damage.status = status;
    buffer_free(&path);
}

static void add_segment(Store *store, int batch, int table, int volume)
{
    StoreSegment *segment = &store->segments[store->n_segments++];
    memset(segment, 0, sizeof *segment);
    segment->batch = batch;
    segment->table = table;
    segment->volume = volume;
    segment->fd = -1;
    Buffer shown = {0};
    placement_segment_shown(store_segment_number(store, segment),
                            store_segment_table(store, segment)->name, &shown);
    segment_copy_name(segment->shown, sizeof segment->shown, buffer_string(&shown));
    buffer_free(&shown);
}

Status store_load_segments(Comm *comm, Store *store, int first, SegmentLayout *layouts,
                           Error *error)
{
    Status status = STATUS_OK;
    int volumes = placement_volumes(&store->placement);
    int added = store->n_segments;
    int64_t total = store->n_segments;
    for (int b = first; b < store->manifest.n_batches; b++)
        total += (int64_t)store->manifest.batches[b].n_tables * volumes;
    mem_grow(&store->segments, total, sizeof *store->segments);
    for (int b = first; b < store->manifest.n_batches; b++) {
        for (int t = 0; t < store->manifest.batches[b].n_tables; t++) {
            for (int v = 0; v < volumes; v++)
                add_segment(store, b, t, v);
        }
    }
    for (int i = added; i < store->n_segments; i++) {
        StoreSegment *segment = &store->segments[i];
        if (layouts) {
            segment->layout = layouts[i - added];
            memset(&layouts[i - added], 0, sizeof *layouts);
            continue;
        }
        if (comm_rank(comm) == 0)
            load_segment(store, segment);
        comm_broadcast(comm, 0, &segment->damage, sizeof segment->damage);
        if (segment->damage.status == STATUS_OK)
            TRY(segment_layout_share(comm, 0, &segment->layout, error));
    }
out:
    return status;
}

/* Those that nobody reads now. */
static void close_idle_segments(Store *store)
{
    for (int i = 0; i < store->n_segments; i++) {
        StoreSegment *segment = &store->segments[i];
        if (segment->fd < 0 || segment->readers > 0)
            continue;
        close(segment->fd);
        segment->fd = -1;
        store->n_open--;
    }
}

static Status open_segment(Store *store, StoreSegment *segment, Error *error)
{
    Status status = STATUS_OK;
    Buffer path = {0};
    if (segment->fd >= 0)
        return STATUS_OK;
    if (store->n_open >= OPEN_SEGMENTS_MAX)
        close_idle_segments(store);
    placement_segment(&store->placement, segment->volume, store_segment_number(store, segment),
                      store_segment_table(store, segment)->name, &path);
    TRY(files_open(buffer_string(&path), false, &segment->fd, error));
    store->n_open++;
out:
    buffer_free(&path);
    return status;
}

Status store_segment_take(Store *store, StoreSegment *segment, SegmentFile *file, Error *error)
{
    if (segment->damage.status != STATUS_OK) {
        *error = segment->damage;
        return error->status;
    }
    pthread_mutex_lock(&store->files);
    Status status = open_segment(store, segment, error);
    if (status == STATUS_OK) {
        segment->readers++;
        *file =
            (SegmentFile){.fd = segment->fd, .shown = segment->shown, .layout = &segment->layout};
    }
    pthread_mutex_unlock(&store->files);
    return status;
}

void store_segment_give_back(Store *store, StoreSegment *segment)
{
    pthread_mutex_lock(&store->files);
    segment->readers--;
    pthread_mutex_unlock(&store->files);
}
