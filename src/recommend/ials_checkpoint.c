/* See ials_checkpoint.h. */
#include "recommend/ials_checkpoint.h"

#include "base/fault.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "recommend/factor_tables.h"

#include <inttypes.h>
#include <string.h>

/* Grows with whatever else changes what an iteration gives. */
enum { CHECKPOINT_VERSION = 1 };

static const ColumnSpec iteration_columns[] = {{"iteration", COLUMN_I32, UNIT_COUNT},
                                               {"loss", COLUMN_F64, UNIT_NONE},
                                               {"unsolved", COLUMN_I64, UNIT_COUNT}};

/* ---- key ---- */

/* Of a partition's rows; partition p. */
static uint64_t hash_rows(const SparseRows *rows, uint64_t p)
{
    int64_t n = sparse_entries(rows);
    uint64_t parts[] = {
        p,
        hash64(rows->starts, (rows->n_rows + INT64_C(1)) * (int64_t)sizeof *rows->starts),
        hash64(rows->columns, n * (int64_t)sizeof *rows->columns),
        hash64(rows->values, n * (int64_t)sizeof *rows->values),
    };
    return hash64(parts, sizeof parts);
}

uint64_t ials_checkpoint_key(Comm *comm, const SparseSide *users, const IalsOptions *options)
{
    uint64_t sum = 0;
    for (int32_t p = users->first; p < users->end; p++)
        sum += hash_rows(&users->own[p - users->first], (uint64_t)p);
    comm_sum_u64(comm, &sum);
    Buffer text = {0};
    buffer_printf(&text, "%d %016" PRIx64 " %" PRId32 " %" PRId32 " %" PRId32, CHECKPOINT_VERSION,
                  sum, users->n_rows, users->n_columns, users->n_partitions);
    buffer_printf(&text, " %d %.17g %.17g %.17g %.17g %d %" PRIu64, options->factors,
                  options->unobserved, options->lambda, options->nu, options->deviation,
                  options->block, options->seed);
    if (options->start != NULL)
        buffer_printf(&text, " %s", options->start_name);
    uint64_t key = hash64(text.data, text.size);
    buffer_free(&text);
    return key;
}

/* ---- writing ---- */

/* A row an iteration. */
static Status fill_iterations(const Ials *model, int64_t unsolved, Table *rows, Error *error)
{
    Status status;
    table_init(rows, iteration_columns, 3);
    TRY(table_set_rows(rows, model->iterations, error));
    for (int i = 0; i < model->iterations; i++) {
        ((int32_t *)rows->columns[0].data)[i] = i + 1;
        ((double *)rows->columns[1].data)[i] = model->losses[i];
        ((int64_t *)rows->columns[2].data)[i] = i + 1 == model->iterations ? unsolved : 0;
    }
out:
    return status;
}

/* From rank 0; `unsolved` is the sum over ranks. Collective. */
static Status write_iterations(Comm *comm, ResultWriter *writer, const Ials *model,
                               int64_t unsolved, Error *error)
{
    Status status;
    Table rows = {0};
    Ials none = {0};
    TRY_ALL(comm, fill_iterations(comm_rank(comm) == 0 ? model : &none, unsolved, &rows, error),
            error);
    TRY(results_write(comm, writer, "iterations", "iteration", &rows, error));
out:
    table_free(&rows);
    return status;
}

Status ials_checkpoint_write(Comm *comm, uint64_t key, const IalsOptions *options,
                             const Ials *model, int64_t unsolved, Error *error)
{
    Status status;
    char name[STORE_NAME_SIZE];
    ResultWriter *writer = NULL;
    double began = clock_seconds();
    results_checkpoint_name(options->checkpoints->run, key, name);
    comm_sum_i64(comm, &unsolved, 1);
    TRY_ALL(comm, fault_point("recommend.checkpoint", error), error);
    TRY(results_begin_checkpoint(comm, options->checkpoints->store, name, &writer, error));
    TRY(write_iterations(comm, writer, model, unsolved, error));
    TRY(factor_table_write(comm, writer, "users", model->users, model->user_factors, model->d,
                           error));
    TRY(factor_table_write(comm, writer, "items", model->items, model->item_factors, model->d,
                           error));
    TRY(results_commit(comm, &writer, error));
    log_line(LOG_DEBUG, LOG_ROOT, "recommend.checkpoint", "iteration=%d seconds=%.3f",
             model->iterations, clock_seconds() - began);
out:
    results_discard(comm, &writer);
    return status;
}

/* ---- reading ---- */

static int find_table(const ResultReader *reader, const char *name)
{
    int i = 0;
    while (i < results_count(reader) && strcmp(results_table(reader, i)->name, name) != 0)
        i++;
    return i < results_count(reader) ? i : -1;
}

static Status read_iterations(ResultReader *reader, const IalsOptions *options, Ials *model,
                              int64_t *unsolved, Error *error)
{
    Status status = STATUS_OK;
    Table rows = {0};
    int place = find_table(reader, "iterations");
    int64_t n = place < 0 ? 0 : results_table(reader, place)->rows;
    if (n < 1 || n > options->iterations)
        FAIL(error, STATUS_IO, "it has %" PRId64 " iterations", n);
    TRY(results_read_block(reader, place, 0, &rows, error));
    const Column *loss = table_find_const(&rows, "loss");
    const Column *stayed = table_find_const(&rows, "unsolved");
    if (loss == NULL || loss->type != COLUMN_F64 || stayed == NULL || stayed->type != COLUMN_I64)
        FAIL(error, STATUS_IO, "it has other columns");
    memcpy(model->losses, loss->data, (size_t)n * sizeof *model->losses);
    *unsolved = ((const int64_t *)stayed->data)[n - 1];
    model->iterations = (int)n;
out:
    table_free(&rows);
    return status;
}

/* This rank's rows. */
static Status read_factors(ResultReader *reader, const char *table, const SparseSide *side,
                           int64_t d, float *own, Error *error)
{
    Status status = STATUS_OK;
    int place = factor_table_find(reader, table, side->n_rows * d);
    if (place < 0)
        FAIL(error, STATUS_IO, "it has no %s of this shape", table);
    TRY(factor_table_read(reader, place, sparse_own_first(side) * d, sparse_own_rows(side) * d, own,
                          error));
out:
    return status;
}

static Status read_all(const Store *store, const char *name, const IalsOptions *options,
                       Ials *model, int64_t *unsolved, Error *error)
{
    Status status;
    ResultReader *reader = NULL;
    TRY(results_open_checkpoint(store, name, &reader, error));
    TRY(read_iterations(reader, options, model, unsolved, error));
    TRY(read_factors(reader, "users", model->users, model->d, model->user_factors, error));
    TRY(read_factors(reader, "items", model->items, model->d, model->item_factors, error));
out:
    results_close(&reader);
    return status;
}

Status ials_checkpoint_read(Comm *comm, uint64_t key, const IalsOptions *options, Ials *model,
                            int64_t *unsolved, Error *error)
{
    char name[STORE_NAME_SIZE];
    Error damage = {0};
    const Store *store = options->checkpoints->store;
    results_checkpoint_name(options->checkpoints->run, key, name);
    int64_t exists = comm_rank(comm) == 0 && results_checkpoint_exists(store, name);
    comm_max_i64(comm, &exists, 1);
    if (exists == 0)
        return STATUS_OK;
    Status status =
        comm_agree(comm, read_all(store, name, options, model, unsolved, &damage), &damage);
    if (status == STATUS_OK && model->iterations < options->iterations) {
        log_line(LOG_INFO, LOG_ROOT, "recommend.ials", "note=\"goes on at iteration %d of %d\"",
                 model->iterations + 1, options->iterations);
    } else if (status == STATUS_OK) {
        log_line(LOG_INFO, LOG_ROOT, "recommend.ials", "note=\"has its %d iterations already\"",
                 model->iterations);
    } else if (status == STATUS_MEMORY) {
        *error = damage;
        return status;
    } else {
        model->iterations = 0;
        log_line(LOG_WARN, LOG_ROOT, "recommend.ials",
                 "note=\"begins anew: checkpoint %s cannot be read: %s\"", name, damage.message);
    }
    return STATUS_OK;
}
