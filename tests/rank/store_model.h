/* What the store tests write and expect: values that depend on batch, partition and row alone, and
 * a small history of orders that come again, with a naive account of what is in force. */
#ifndef VESPER_TESTS_RANK_STORE_MODEL_H
#define VESPER_TESTS_RANK_STORE_MODEL_H

#include "rank/model.h"
#include "store/store.h"

enum { MODEL_PARTITIONS = 16, MODEL_PATH_SIZE = 512, MODEL_COLUMNS = 6 };

/* A fresh folder, the same on every rank; removed again. Collective. */
bool model_make_folder(Comm *comm, char path[MODEL_PATH_SIZE]);
bool model_remove_folder(Comm *comm, const char *path);

/* A store with MODEL_PARTITIONS at `path`, opened. Collective. */
Status model_store(Comm *comm, const char *path, StoreMode mode, Store **store,
                   Error *error) VESPER_MUST_USE;

/* First partition of a rank, as model_first. */
int32_t model_first_partition(int rank, int size);

/* A table of every type: flag int8, country int16, day int32, amount int64, score float64, name. */
void model_init(Table *table);
int64_t model_rows(int batch, int32_t partition); /* none in every third partition */
Status model_append(Table *table, int batch, int32_t partition, Error *error) VESPER_MUST_USE;
/* True if rows [at, ...) are those of the batch and partition. Columns that `rows` lacks are not
 * looked at. */
bool model_matches(const Table *rows, int64_t at, int batch, int32_t partition);
/* Write it as table `name` of the batch, each rank its run of partitions. Collective. */
Status model_write(Comm *comm, StoreBatch *batch, const char *name, int number,
                   Error *error) VESPER_MUST_USE;
/* One committed batch holding just that. Collective. */
Status model_commit(Comm *comm, Store *store, const char *name, Error *error) VESPER_MUST_USE;

/* ---- orders ---- */

enum { MODEL_ORDERS = 80, MODEL_BATCHES = 4, MODEL_LINES_MAX = 4 };

/* One version of an order. */
typedef struct ModelOrder {
    bool is_there;
    int32_t partition, customer, code;
    int n_lines;
    int64_t ts_us[MODEL_LINES_MAX];
    int64_t earliest;
} ModelOrder;

typedef struct ModelHistory {
    ModelOrder orders[MODEL_BATCHES][MODEL_ORDERS];
} ModelHistory;

void model_history(ModelHistory *history, int64_t seed);
/* Write batch `b` (from 0): orders and order_replaced. Collective. */
Status model_write_orders(Comm *comm, StoreBatch *batch, const ModelHistory *history, int b,
                          Error *error) VESPER_MUST_USE;
/* True if `rows` are the lines in force of the partition after batch `last`. */
bool model_orders_match(const ModelHistory *history, int last, int32_t partition,
                        const Table *rows);
int64_t model_lines_in_force(const ModelHistory *history, int last);

#endif
