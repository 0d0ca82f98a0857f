/* What the files of the store share: the open store, its segments, its lock. */
#ifndef VESPER_STORE_INTERNAL_H
#define VESPER_STORE_INTERNAL_H

#include "store/manifest.h"
#include "store/placement.h"
#include "store/segment.h"
#include "store/store.h"

#include <pthread.h>

/* Tables that the store itself understands. */
#define STORE_ORDERS "orders"
#define STORE_ORDER_REPLACED "order_replaced"

/* Folders of the store that hold runs (results.h). */
#define RESULTS "results"
#define CHECKPOINTS "checkpoints"

enum { SMALL_FILE_MAX = 1 << 28, OPEN_SEGMENTS_MAX = 256 };

/* One segment in force. A damaged one is no error until somebody reads it. */
typedef struct StoreSegment {
    int batch; /* place in the manifest */
    int table; /* place in the batch */
    int volume;
    char shown[2 * STORE_NAME_SIZE];
    SegmentLayout layout;
    Error damage; /* status OK if its layout was read */
    int fd;       /* -1: not open */
    int readers;  /* that use fd now */
} StoreSegment;

/* What is seen of a store as of a day (as_of.c). */
typedef struct StoreView StoreView;

struct Store {
    char *path;
    StoreMode mode;
    StoreSettings settings;
    Placement placement;
    SegmentTransfer transfer;
    Manifest manifest;
    StoreSegment *segments; /* by batch, table, volume */
    int n_segments;
    int n_open;            /* segments with fd >= 0 */
    pthread_mutex_t files; /* guards fd and readers of the segments, and n_open */
    int lock;              /* fd on rank 0 of a STORE_WRITE store, else -1 */
    StoreView *view;       /* NULL: everything is seen */
};

/* Take STORE/lock; STATUS_LOCKED names who has it. *was_left: a writer died holding it, `left`
 * says who. Local. */
Status lock_take(const char *path, int *lock, bool *was_left, Buffer *left,
                 Error *error) VESPER_MUST_USE;
void lock_release(int *lock);
/* Who holds STORE/lock, or died holding it (then *is_held is false); `owner` is empty if nobody.
 * Local. */
Status lock_look(const char *path, bool *is_held, Buffer *owner, Error *error) VESPER_MUST_USE;

/* PATH/NAME of the store; `path` is emptied first. Local. */
void store_file(const Store *store, const char *name, Buffer *path);

/* Write the manifest's file and put it in force. Local, rank 0. */
Status store_put_in_force(const Store *store, const Manifest *manifest,
                          Error *error) VESPER_MUST_USE;

/* Take the layouts of the manifest's batches from `first` on: from `layouts` if given (moved, in
 * the order of the tables of one batch), else from the files. Collective. */
Status store_load_segments(Comm *comm, Store *store, int first, SegmentLayout *layouts,
                           Error *error) VESPER_MUST_USE;

const ManifestTable *store_segment_table(const Store *store, const StoreSegment *segment);
int64_t store_segment_number(const Store *store, const StoreSegment *segment);

/* The segment ready to read, until it is given back; opens its file if that is not open yet. Any
 * thread. Local. */
Status store_segment_take(Store *store, StoreSegment *segment, SegmentFile *file,
                          Error *error) VESPER_MUST_USE;
void store_segment_give_back(Store *store, StoreSegment *segment);

/* Rows of `table` in a partition, over all batches, in force or not. Local. */
int64_t store_partition_rows(const Store *store, const char *table, int64_t partition);
/* The columns of these rows, batches one after another; `rows` is emptied first. Local. */
Status store_read_batches(Store *store, const char *table, int32_t partition,
                          const char *const *columns, int n_columns, Table *rows,
                          Error *error) VESPER_MUST_USE;

/* For those who read; with view NULL they change nothing. Local.
 * The column that must be read to know which rows of `table` are seen; NULL: there is none. */
const char *store_view_day(const StoreView *view, const char *table);
/* Leave the rows that are seen, with the codes that they are seen by. */
Status store_view_keep(const StoreView *view, const char *table, int32_t partition, Table *rows,
                       Error *error) VESPER_MUST_USE;
/* *rows := those in force that are seen; false, and *rows stays, if these are all. */
bool store_view_rows(const StoreView *view, const char *table, int64_t *rows);
/* Make the range of a column that of the rows that are seen. */
void store_view_range(const StoreView *view, const char *table, const char *column, int64_t *min,
                      int64_t *max);
void store_view_free(StoreView **view);

/* Make `rows` an empty table of these columns; one that has them already keeps its memory. Local.
 */
void store_prepare_rows(Table *rows, const ColumnSpec *specs, int n_specs);

#endif
