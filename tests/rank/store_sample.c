/* A store whose every byte is known, for tests that read it with other tools.
 *
 *   store_sample make DIR   make it: three batches and the results of a run "night"
 *   store_sample read DIR   read all of it; 0 if that goes well, else the status and its message */
#include "base/log.h"
#include "base/memory.h"
#include "rank/store_model.h"
#include "store/results.h"

#include <stdio.h>
#include <string.h>

static Status write_batch(Comm *comm, Store *store, const ModelHistory *history, int b,
                          Error *error)
{
    Status status;
    StoreBatch *batch = NULL;
    Table words;
    int64_t count = model_rows(b + 1, 1);
    bool is_root = comm_rank(comm) == 0;
    model_init(&words);
    TRY(store_batch_begin(comm, store, &batch, error));
    TRY(model_write(comm, batch, "things", b + 1, error));
    TRY_ALL(comm, is_root ? model_append(&words, b + 1, 1, error) : STATUS_OK, error);
    TRY(store_batch_write(comm, batch, "words", TABLE_GLOBAL, &words, 0, is_root, &count, error));
    TRY(model_write_orders(comm, batch, history, b, error));
    TRY(store_batch_commit(comm, store, &batch, error));
out:
    store_batch_discard(comm, &batch);
    table_free(&words);
    return status;
}

/* Texts by codes, and a number that is the same in all rows. */
static Status append_labels(Table *rows, int64_t begin, int64_t end, Error *error)
{
    static const int64_t ends[] = {3, 3, 8, 9};
    Status status = STATUS_OK;
    static const ColumnSpec specs[] = {{"place", COLUMN_I32, UNIT_COUNT},
                                       {"label", COLUMN_TEXT, UNIT_NONE},
                                       {"share", COLUMN_F64, UNIT_NONE}};
    int32_t *codes = NULL;
    table_init(rows, specs, 3);
    TRY(table_reserve(rows, end - begin, error));
    TRY(mem_resize(&codes, end - begin, sizeof *codes, "codes", error));
    for (int64_t i = begin; i < end; i++) {
        ((int32_t *)rows->columns[0].data)[i - begin] = (int32_t)i;
        codes[i - begin] = (int32_t)(i * i % 5) - 1;
        ((double *)rows->columns[2].data)[i - begin] = 0.25;
    }
    column_set_codes(&rows->columns[1],
                     (TextList){.n = 4, .ends = ends, .bytes = "one\xc3\xa9t\xc3\xa9!"}, codes);
    rows->rows = end - begin;
out:
    return status;
}

/* All partitions of batch 9, one after another, cut over the ranks as in the model. */
static Status write_results(Comm *comm, Store *store, Error *error)
{
    Status status, own = STATUS_OK;
    ResultWriter *writer = NULL;
    Table rows, labels = {0};
    int32_t end = model_first_partition(comm_rank(comm) + 1, comm_size(comm));
    model_init(&rows);
    TRY(results_begin(comm, store, "night", &writer, error));
    for (int32_t p = model_first_partition(comm_rank(comm), comm_size(comm)); p < end; p++)
        own = own == STATUS_OK ? model_append(&rows, 9, p, error) : own;
    TRY_ALL(comm, own, error);
    TRY(results_write(comm, writer, "things", "amount,name", &rows, error));
    TRY_ALL(comm,
            append_labels(&labels, model_first(200, comm_rank(comm), comm_size(comm)),
                          model_first(200, comm_rank(comm) + 1, comm_size(comm)), error),
            error);
    TRY(results_write(comm, writer, "labels", "place", &labels, error));
    TRY(results_commit(comm, &writer, error));
out:
    results_discard(comm, &writer);
    table_free(&labels);
    table_free(&rows);
    return status;
}

static Status make(Comm *comm, const char *path, Error *error)
{
    Status status;
    Store *store = NULL;
    ModelHistory history;
    model_history(&history, 1);
    TRY(model_store(comm, path, STORE_WRITE, &store, error));
    for (int b = 0; b < 3; b++)
        TRY(write_batch(comm, store, &history, b, error));
    TRY(write_results(comm, store, error));
out:
    store_close(comm, &store);
    return status;
}

static Status read_partitions(Store *store, Table *rows, Error *error)
{
    Status status = STATUS_OK;
    for (int32_t p = 0; p < MODEL_PARTITIONS; p++) {
        TRY(store_read_partition(store, "things", p, NULL, 0, rows, error));
        TRY(store_read_partition(store, "orders", p, NULL, 0, rows, error));
    }
out:
    return status;
}

static Status read_results(const Store *store, Table *rows, Error *error)
{
    Status status;
    ResultReader *reader = NULL;
    TRY(results_open(store, "night", &reader, error));
    TRY(results_read_block(reader, 0, 0, rows, error));
    TRY(results_read_block(reader, 1, 0, rows, error));
out:
    results_close(&reader);
    return status;
}

static Status read_all(Comm *comm, const char *path, Error *error)
{
    Status status;
    Store *store = NULL;
    Table rows = {0};
    TRY(store_open(comm, path, STORE_READ, &store, error));
    TRY_ALL(comm, read_partitions(store, &rows, error), error);
    TRY(store_read_global(comm, store, "words", &rows, error));
    TRY_ALL(comm, read_results(store, &rows, error), error);
out:
    table_free(&rows);
    store_close(comm, &store);
    return status;
}

int main(int argc, char **argv)
{
    Comm *comm = comm_start(&argc, &argv);
    if (!comm)
        return STATUS_BUG;
    Error error = {0};
    Status status = STATUS_USAGE;
    log_init(comm_rank(comm), LOG_WARN);
    if (argc == 3 && strcmp(argv[1], "make") == 0)
        status = make(comm, argv[2], &error);
    else if (argc == 3 && strcmp(argv[1], "read") == 0)
        status = read_all(comm, argv[2], &error);
    if (comm_rank(comm) == 0 && status != STATUS_OK)
        log_failure(&error);
    comm_finish(&comm);
    return (int)status;
}
