/* Store: the history of a shop on disk, cut into partitions. The only part that sees HDF5.
 *
 *   STORE/store.json          what init fixed: format, partitions, time zone, currency, decimals
 *   STORE/CURRENT             name of the manifest in force; swapped by rename
 *   STORE/manifest/N.json     one a generation: batches, inputs, counts, segments
 *   STORE/segments/N/TABLE.h5 one a table and batch; never changed (docs/format.md)
 *   STORE/results/RUN/TABLE.h5  what a job computed from one generation
 *   STORE/checkpoints/          what an unfinished job has so far
 *   STORE/nights/N.json         what the gate said of a night, and of what (nights.h)
 *   STORE/rejects/, STORE/tmp/, STORE/lock
 *
 * A partition is hash(customer_id), or of order_id without one, modulo a power of two. Ranks own
 * runs of partitions. */
#ifndef VESPER_STORE_STORE_H
#define VESPER_STORE_STORE_H

#include "comm/comm.h"

enum { STORE_FORMAT = 1, STORE_PARTITIONS_DEFAULT = 256, STORE_NAME_SIZE = 64 };

typedef struct StoreSettings {
    int32_t partitions;
    int money_decimals;
    char time_zone[STORE_NAME_SIZE];
    char currency[STORE_NAME_SIZE];
} StoreSettings;

typedef struct Store Store;

/* How a table of the store grows. */
typedef enum TableKind {
    TABLE_ORDER_LINES, /* partitioned; a later batch may replace whole orders */
    TABLE_APPEND,      /* partitioned; batches follow each other */
    TABLE_GLOBAL       /* one partition; batches follow each other; read by every rank */
} TableKind;

typedef enum StoreMode { STORE_READ, STORE_WRITE } StoreMode;

/* Make an empty store at `path` (generation 0). An existing store is left as it is if its settings
 * are equal, refused otherwise. Collective. */
Status store_create(Comm *comm, const char *path, const StoreSettings *settings,
                    Error *error) VESPER_MUST_USE;

/* Open at the current generation. STORE_WRITE takes the lock (STATUS_LOCKED names who has it) and
 * clears what a dead writer left in tmp/. Collective. */
Status store_open(Comm *comm, const char *path, StoreMode mode, Store **store,
                  Error *error) VESPER_MUST_USE;
void store_close(Comm *comm, Store **store);
bool store_exists(const char *path); /* Local. */

const StoreSettings *store_settings(const Store *store);
const char *store_path(const Store *store);
int64_t store_generation(const Store *store);

/* What happened to one input, and to one table of a batch.
 * Always read = stored + rejected + unchanged. */
typedef struct RowCounts {
    int64_t read;
    int64_t stored;
    int64_t rejected;
    int64_t unchanged;       /* rows of a file that is already in the store */
    int64_t replaced_orders; /* orders that came again, */
    int64_t replaced_rows;   /* and the earlier rows that they put out of force */
} RowCounts;

/* One input of a batch, a file or the rows of a query, known by its content. */
typedef struct StoreInput {
    char table[STORE_NAME_SIZE];
    char *path;    /* as given */
    int64_t bytes; /* uncompressed */
    uint64_t content_high, content_low;
    RowCounts counts;
    char *watermark_column; /* of a database: the column whose highest value, as text, was taken */
    char *watermark;        /* in so far; both NULL without one */
} StoreInput;

/* Everything a new generation adds; the manifest keeps it. */
typedef struct StoreBatch StoreBatch;

/* Partitions of this rank: [*begin, *end), balanced by the live rows of `orders` (or evenly while
 * there are none). Collective handle, Local call: the manifest knows the weights. */
void store_owned(const Store *store, int rank, int size, int32_t *begin, int32_t *end);

/* Same rule for given weights [partitions]: rank's run. Local. */
void store_balance(const int64_t *weights, int32_t partitions, int rank, int size, int32_t *begin,
                   int32_t *end);

/* Inputs of all batches so far with this content, newest first; NULL if unknown. Local. */
const StoreInput *store_find_input(const Store *store, const char *table, uint64_t content_high,
                                   uint64_t content_low, int64_t bytes);
/* Of all batches the newest input of `table` with this path; NULL if there is none. Local. */
const StoreInput *store_newest_input(const Store *store, const char *table, const char *path);
/* The files that the newest batch took in, *count of them. Local. */
const StoreInput *store_newest_inputs(const Store *store, int *count);
/* Totals over all batches. Local. */
RowCounts store_total_counts(const Store *store, const char *table);
int store_batch_count(const Store *store);
/* Rows of `table` in force, over all batches. */
int64_t store_rows(const Store *store, const char *table);

/* ---- writing ---- */

/* Begin the next generation. Collective. */
Status store_batch_begin(Comm *comm, Store *store, StoreBatch **batch,
                         Error *error) VESPER_MUST_USE;
int64_t store_batch_number(const StoreBatch *batch);

/* Write one table of the batch. `rows` holds this rank's partitions [first, first + n_partitions),
 * sorted by partition; partition_rows [n_partitions] counts them. For TABLE_GLOBAL: the rows on
 * rank 0, first = 0, n_partitions = 1 (0 on the other ranks). The file is complete and synced, but
 * not in force. Begins with a safe point (comm_safe_point). Collective. */
Status store_batch_write(Comm *comm, StoreBatch *batch, const char *table, TableKind kind,
                         const Table *rows, int32_t first, int32_t n_partitions,
                         const int64_t *partition_rows, Error *error) VESPER_MUST_USE;

void store_batch_add_input(StoreBatch *batch, const StoreInput *input); /* copies; same on all */

/* This rank found that the batch puts `rows` earlier order lines of `partition` out of force (those
 * that its table order_replaced names). Summed over ranks and calls at commit. Local. */
void store_batch_replaced(StoreBatch *batch, int32_t partition, int64_t rows);

/* Rejected rows as CSV text, rank by rank: STORE/rejects/NNNNNN-TABLE.csv. `header` from rank 0.
 * Nothing is written if no rank has any. Collective. */
Status store_batch_write_rejects(Comm *comm, StoreBatch *batch, const char *table, Bytes header,
                                 Bytes own, Error *error) VESPER_MUST_USE;

/* Put the batch in force: rename the segments, write the manifest, swap CURRENT. After this the
 * store is at the new generation. Frees the batch. Collective. */
Status store_batch_commit(Comm *comm, Store *store, StoreBatch **batch,
                          Error *error) VESPER_MUST_USE;
/* Throw the batch's files away; accepts NULL in *batch. Collective. */
void store_batch_discard(Comm *comm, StoreBatch **batch);

/* ---- reading ---- */

/* Days of everything that happened, and of customers who joined, over all rows that ever came in;
 * false without any. Local. */
bool store_days(const Store *store, int32_t *first, int32_t *last);

/* Last day of the order lines that came in up to a generation; DAY_NONE without any. Local. */
int32_t store_last_day(const Store *store, int64_t generation);

/* See the store from here on as if it had taken in nothing after `day`: rows of orders, events,
 * reviews and pairs, and customers who joined, of later days are not there for any function below
 * or for store_rows, nor are products and customers that nothing else names. An order that came
 * again is seen as it stands now; catalogue, promotions, stock-outs and holidays are seen whole.
 * DAY_NONE, or a day not before the last of all: everything is seen. STATUS_USAGE before the first.
 * Partitions are then read by the ranks that own them. Collective. */
Status store_see_until(Comm *comm, Store *store, int32_t day, Error *error) VESPER_MUST_USE;
/* The day, DAY_NONE while everything is seen. Local. */
int32_t store_seen_until(const Store *store);

/* Columns that `table` has in any batch; absent in a batch reads as zero (codes as -1, empty text).
 */
bool store_has_column(const Store *store, const char *table, const char *column);

/* Least and greatest value of a column of whole numbers over all rows that ever came in, in force
 * or not; INT64_MAX and INT64_MIN without rows, or where the segment is damaged. Local. */
void store_column_range(const Store *store, const char *table, const char *column, int64_t *min,
                        int64_t *max);

/* Rows of one partition in force, over all batches, checksums verified. Threads may read at once.
 * Order lines: where several batches must be merged, `customer`, `order` and `ts_us` are read too,
 * behind the columns asked for; orders replaced by a later batch are left out, lines are in
 * (customer, order time) order with anonymous ones last, and `order` counts the orders of the
 * partition from 0. Other tables: batches one after another. `rows` is emptied first and keeps its
 * memory. Local. */
Status store_read_partition(Store *store, const char *table, int32_t partition,
                            const char *const *columns, int n_columns, Table *rows,
                            Error *error) VESPER_MUST_USE;

/* Rows of one partition as one batch wrote them, in force or not; `rows` has no rows if the batch
 * does not have the table. Local. */
Status store_read_batch_partition(Store *store, const char *table, int64_t batch, int32_t partition,
                                  const char *const *columns, int n_columns, Table *rows,
                                  Error *error) VESPER_MUST_USE;

/* Name, type and unit of each column that `table` has in any batch; returns how many. Local. */
int store_columns(const Store *store, const char *table, ColumnSpec columns[TABLE_COLUMNS_MAX]);

/* All rows of a global table, on every rank. Collective. */
Status store_read_global(Comm *comm, Store *store, const char *table, Table *rows,
                         Error *error) VESPER_MUST_USE;

/* Check every checksum of every segment in force; bad ones are listed by file, column, partition.
 * Collective. */
Status store_verify(Comm *comm, Store *store, int64_t *blocks_checked,
                    Error *error) VESPER_MUST_USE;

#endif
