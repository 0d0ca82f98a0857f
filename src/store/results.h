/* Results: the tables that a job computed from one generation, kept in STORE/results/RUN/.
 *
 * RUN is named by the generation and a hash of the configuration, so the same night computed twice
 * is the same run. A run appears whole by a rename; result files are segments whose partitions are
 * blocks of RESULT_BLOCK rows, and the same bytes at any rank count. */
#ifndef VESPER_STORE_RESULTS_H
#define VESPER_STORE_RESULTS_H

#include "store/store.h"

enum {
    RESULT_BLOCK = 65536,
    RESULT_TABLES_MAX = 64, /* of a run */
    RESULT_RUNS_MAX = 3,    /* read, and published, as one */
    RESULT_READ_MAX = RESULT_RUNS_MAX * RESULT_TABLES_MAX
};

typedef struct ResultTable {
    char name[STORE_NAME_SIZE];
    char key[STORE_NAME_SIZE * 2]; /* columns of the primary key, comma between; a table of one row
                                      may have none */
    int64_t rows;
    int n_columns;
    ColumnSpec columns[TABLE_COLUMNS_MAX]; /* names point into `names` */
    char names[TABLE_COLUMNS_MAX][COLUMN_NAME_SIZE];
    uint64_t checksum; /* over all blocks */
} ResultTable;

typedef struct ResultWriter ResultWriter;
typedef struct ResultReader ResultReader;

/* Names of the complete runs, in their order: *names [*n] (mem_free). One rank. Local. */
Status results_list(const Store *store, char (**names)[STORE_NAME_SIZE], int *n,
                    Error *error) VESPER_MUST_USE;

/* True if the run is complete on disk. Local. */
bool results_exist(const Store *store, const char *run);
/* The complete run whose name is a generation, then `tail`: that of the newest generation before
 * the store's; "" if there is none. One rank. Local. */
Status results_find_before(const Store *store, const char *tail, char run[STORE_NAME_SIZE],
                           Error *error) VESPER_MUST_USE;

/* Remove the runs of generations before `generation`, and checkpoints of those before the store's,
 * *removed of them. Each leaves by a rename, so
 * that nobody finds half of it; what a crash leaves in tmp/ the next writer clears. One rank, with
 * the lock. Local. */
Status results_retire(const Store *store, int64_t generation, int *removed,
                      Error *error) VESPER_MUST_USE;

Status results_begin(Comm *comm, Store *store, const char *run, ResultWriter **writer,
                     Error *error) VESPER_MUST_USE;
/* `rows`: sorted, distributed over ranks in rank order; freed. `key`: the columns that identify a
 * row. Collective. */
Status results_write(Comm *comm, ResultWriter *writer, const char *table, const char *key,
                     Table *rows, Error *error) VESPER_MUST_USE;
/* The same of a table that every rank has whole: rank 0's rows are written. Collective. */
Status results_write_root(Comm *comm, ResultWriter *writer, const char *table, const char *key,
                          Table *rows, Error *error) VESPER_MUST_USE;
Status results_commit(Comm *comm, ResultWriter **writer, Error *error) VESPER_MUST_USE;
void results_discard(Comm *comm, ResultWriter **writer);

/* ---- checkpoints ----
 *
 * What a learning that takes long has so far, kept like results but in STORE/checkpoints/, so that
 * a run that was killed goes on from there. Names begin with that of the run and a dot. */
Status results_begin_checkpoint(Comm *comm, Store *store, const char *name, ResultWriter **writer,
                                Error *error) VESPER_MUST_USE;
bool results_checkpoint_exists(const Store *store, const char *name); /* Local. */
Status results_open_checkpoint(const Store *store, const char *name, ResultReader **reader,
                               Error *error) VESPER_MUST_USE;
/* Remove checkpoints of runs of the same kind as `run`, by their names GENERATION-KIND-HASH: those
 * of others, and unless `keeps_own` its own; *removed of them. One rank. Local. */
Status results_clear_checkpoints(const Store *store, const char *run, bool keeps_own, int *removed,
                                 Error *error) VESPER_MUST_USE;
/* What a checkpoint of a run is called: `key` is a hash of what it was made from. */
void results_checkpoint_name(const char *run, uint64_t key, char name[STORE_NAME_SIZE]);

/* ---- reading, on one rank ---- */
Status results_open(const Store *store, const char *run, ResultReader **reader,
                    Error *error) VESPER_MUST_USE;
/* Add the tables of another run to those that `reader` has, RESULT_RUNS_MAX runs at most. */
Status results_open_also(const Store *store, const char *run, ResultReader *reader,
                         Error *error) VESPER_MUST_USE;
void results_close(ResultReader **reader);
int results_count(const ResultReader *reader);
const ResultTable *results_table(const ResultReader *reader, int i);
const char *results_run(const ResultReader *reader, int i); /* that table i is of */
/* Rows of block `block` of table i, verified; `rows` is emptied first. */
Status results_read_block(ResultReader *reader, int i, int64_t block, Table *rows,
                          Error *error) VESPER_MUST_USE;

#endif
