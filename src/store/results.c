/* Results: a run's tables as segments in one folder, with tables.json that names them. */
#include "store/results.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/memory.h"
#include "store/file_syncs.h"
#include "store/files.h"
#include "store/internal.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define RESULT_INDEX "tables.json"

struct ResultWriter {
    Store *store;
    const char *place; /* folder of the store: RESULTS or CHECKPOINTS */
    FileSyncs syncs;
    char run[STORE_NAME_SIZE];
    ManifestTable tables[RESULT_TABLES_MAX];
    char keys[RESULT_TABLES_MAX][2 * STORE_NAME_SIZE];
    uint64_t checksums[RESULT_TABLES_MAX];
    int n_tables;
};

/* A run that is read. */
typedef struct ReadRun {
    const char *place;
    char *folder;
    char name[STORE_NAME_SIZE];
    int64_t generation;
} ReadRun;

struct ResultReader {
    ReadRun runs[RESULT_RUNS_MAX];
    int n_runs;
    int run_of[RESULT_READ_MAX];
    ManifestTable meant[RESULT_READ_MAX];
    ResultTable tables[RESULT_READ_MAX];
    SegmentLayout layouts[RESULT_READ_MAX];
    int fds[RESULT_READ_MAX];
    char shown[RESULT_READ_MAX][3 * STORE_NAME_SIZE];
    int n_tables;
};

static void run_folder(const Store *store, const char *place, const char *run, Buffer *path)
{
    buffer_clear(path);
    buffer_printf(path, "%s/%s/%s", store->path, place, run);
}

static void unfinished_folder(const ResultWriter *writer, Buffer *path)
{
    buffer_clear(path);
    buffer_printf(path, "%s/tmp/%s-%s", writer->store->path, writer->place, writer->run);
}

static int64_t blocks_of(int64_t rows)
{
    return (rows + RESULT_BLOCK - 1) / RESULT_BLOCK;
}

static bool run_exists(const Store *store, const char *place, const char *run)
{
    Buffer path = {0};
    run_folder(store, place, run, &path);
    buffer_printf(&path, "/%s", RESULT_INDEX);
    bool exist = manifest_is_file_name(run) && files_exist(buffer_string(&path));
    buffer_free(&path);
    return exist;
}

bool results_exist(const Store *store, const char *run)
{
    return run_exists(store, RESULTS, run);
}

bool results_checkpoint_exists(const Store *store, const char *name)
{
    return run_exists(store, CHECKPOINTS, name);
}

/* ---- writing ---- */

static Status make_folder(const ResultWriter *writer, Error *error)
{
    Status status;
    Buffer path = {0};
    unfinished_folder(writer, &path);
    TRY(fault_point("store.results.begin", error));
    TRY(files_remove(buffer_string(&path), error));
    TRY(files_make_folder(buffer_string(&path), error));
    store_file(writer->store, writer->place, &path);
    TRY(files_make_folder(buffer_string(&path), error));
out:
    buffer_free(&path);
    return status;
}

static Status begin_run(Comm *comm, Store *store, const char *place, const char *run,
                        ResultWriter **writer, Error *error)
{
    Status status;
    vesper_assert(store->mode == STORE_WRITE);
    ResultWriter *begun = mem_new(1, sizeof *begun);
    begun->store = store;
    begun->place = place;
    if (!manifest_is_file_name(run))
        FAIL(error, STATUS_USAGE,
             "'%s' cannot name a run: letters, digits and . _ - only, at most %d", run,
             STORE_NAME_SIZE - 1);
    segment_copy_name(begun->run, sizeof begun->run, run);
    TRY_ALL(comm, comm_rank(comm) == 0 ? make_folder(begun, error) : STATUS_OK, error);
out:
    if (status != STATUS_OK)
        mem_free(&begun);
    *writer = begun;
    return status;
}

Status results_begin(Comm *comm, Store *store, const char *run, ResultWriter **writer, Error *error)
{
    return begin_run(comm, store, RESULTS, run, writer, error);
}

Status results_begin_checkpoint(Comm *comm, Store *store, const char *name, ResultWriter **writer,
                                Error *error)
{
    return begin_run(comm, store, CHECKPOINTS, name, writer, error);
}

/* Every name of the key, a list with commas, is a column. */
static bool key_is_good(const ManifestTable *table, const char *key)
{
    const char *name = key;
    while (*name) {
        size_t length = strcspn(name, ",");
        bool is_column = false;
        for (int i = 0; i < table->n_columns; i++)
            is_column |= strlen(table->columns[i].name) == length &&
                         strncmp(table->columns[i].name, name, length) == 0;
        if (!is_column)
            return false;
        name += length;
        name += *name == ',';
    }
    return true;
}

static Status check_key(const ManifestTable *table, const char *key, Error *error)
{
    Status status = STATUS_OK;
    if (strlen(key) >= 2 * STORE_NAME_SIZE || !key_is_good(table, key))
        FAIL(error, STATUS_BUG, "table %s: its key %s is too long or not made of its columns",
             table->name, key);
out:
    return status;
}

/* This rank's blocks: their first, how many, and their rows. */
static Status cut_blocks(Comm *comm, const Table *rows, int64_t *first, int64_t *n, int64_t *all,
                         int64_t **block_rows, Error *error)
{
    Status status;
    int64_t before = comm_prefix_i64(comm, rows->rows);
    vesper_assert(rows->rows == 0 || before % RESULT_BLOCK == 0);
    *first = before / RESULT_BLOCK;
    *n = blocks_of(rows->rows);
    *all = *n;
    comm_sum_i64(comm, all, 1);
    TRY_ALL(comm, mem_resize(block_rows, *n, sizeof **block_rows, "result blocks", error), error);
    for (int64_t i = 0; i < *n; i++) {
        int64_t left = rows->rows - i * RESULT_BLOCK;
        (*block_rows)[i] = left < RESULT_BLOCK ? left : RESULT_BLOCK;
    }
out:
    return status;
}

static void note_table(ResultWriter *writer, const SegmentLayout *layout,
                       const ManifestTable *entry, const char *key)
{
    int i = writer->n_tables++;
    writer->tables[i] = *entry;
    segment_copy_name(writer->keys[i], sizeof writer->keys[i], key);
    writer->checksums[i] = segment_layout_checksum(layout);
}

Status results_write(Comm *comm, ResultWriter *writer, const char *table, const char *key,
                     Table *rows, Error *error)
{
    Status status;
    Buffer path = {0};
    SegmentLayout layout = {0};
    int64_t first, n, all;
    int64_t *block_rows = NULL;
    vesper_assert(writer->n_tables < RESULT_TABLES_MAX && manifest_is_file_name(table));
    unfinished_folder(writer, &path);
    buffer_printf(&path, "/%s.h5", table);
    TRY_ALL(comm, fault_point("store.results.write", error), error);
    TRY(comm_rebalance_table(comm, rows, RESULT_BLOCK, error));
    TRY(cut_blocks(comm, rows, &first, &n, &all, &block_rows, error));
    SegmentSpec spec = {.path = buffer_string(&path),
                        .table = table,
                        .kind = SEGMENT_RESULT,
                        .batch = writer->store->manifest.generation,
                        .partitions = all,
                        .stores_constants = true,
                        .transfer = writer->store->transfer};
    TRY(segment_write(comm, &spec, rows, first, n, block_rows, &layout, error));
    file_syncs_start(&writer->syncs, spec.path);
    ManifestTable entry = manifest_table_of(&layout, TABLE_GLOBAL);
    TRY(check_key(&entry, key, error));
    note_table(writer, &layout, &entry, key);
out:
    table_free(rows);
    mem_free(&block_rows);
    segment_layout_free(&layout);
    buffer_free(&path);
    return status;
}

Status results_write_root(Comm *comm, ResultWriter *writer, const char *table, const char *key,
                          Table *rows, Error *error)
{
    Status status = STATUS_OK;
    if (comm_rank(comm) != 0)
        status = table_set_rows(rows, 0, error);
    TRY_ALL(comm, status, error);
    TRY(results_write(comm, writer, table, key, rows, error));
out:
    return status;
}

static json_t *table_json(const ResultWriter *writer, int i)
{
    const ManifestTable *table = &writer->tables[i];
    return json_pack("{ss ss sI sI so so so}", "name", table->name, "key", writer->keys[i], "rows",
                     (json_int_t)table->rows, "bytes", (json_int_t)table->bytes, "columns",
                     manifest_columns_json(table), "checksum", json_hex(writer->checksums[i]),
                     "file", json_sprintf("%s.h5", table->name));
}

static void print_index(const ResultWriter *writer, Buffer *json)
{
    json_t *tables = json_array();
    for (int i = 0; i < writer->n_tables; i++)
        json_array_append_new(tables, table_json(writer, i));
    json_print(json_pack("{si ss sI so}", "format", STORE_FORMAT, "run", writer->run, "generation",
                         (json_int_t)writer->store->manifest.generation, "tables", tables),
               json);
}

/* The index beside the tables; it and the folder's list of names follow them to the disk. */
static Status write_index(ResultWriter *writer, Error *error)
{
    Status status;
    Buffer folder = {0}, index = {0}, json = {0};
    unfinished_folder(writer, &folder);
    buffer_printf(&index, "%s/%s", buffer_string(&folder), RESULT_INDEX);
    print_index(writer, &json);
    TRY(fault_point("store.results.index", error));
    TRY(files_write_fresh(buffer_string(&index), buffer_view(&json), error));
    file_syncs_start(&writer->syncs, buffer_string(&index));
    file_syncs_start(&writer->syncs, buffer_string(&folder));
out:
    buffer_free(&folder);
    buffer_free(&index);
    buffer_free(&json);
    return status;
}

static Status put_in_place(const ResultWriter *writer, Error *error)
{
    Status status;
    Buffer from = {0}, to = {0};
    unfinished_folder(writer, &from);
    run_folder(writer->store, writer->place, writer->run, &to);
    TRY(fault_point("store.results.commit", error));
    TRY(files_replace_folder(buffer_string(&from), buffer_string(&to), error));
    TRY(fault_point("store.results.done", error));
out:
    buffer_free(&from);
    buffer_free(&to);
    return status;
}

Status results_commit(Comm *comm, ResultWriter **writer, Error *error)
{
    Status status;
    bool is_root = comm_rank(comm) == 0;
    TRY_ALL(comm, is_root ? write_index(*writer, error) : STATUS_OK, error);
    TRY_ALL(comm, file_syncs_finish(&(*writer)->syncs, error), error);
    TRY_ALL(comm, is_root ? put_in_place(*writer, error) : STATUS_OK, error);
    mem_free(writer);
out:
    results_discard(comm, writer);
    return status;
}

static Status remove_folder(const ResultWriter *writer, Error *error)
{
    Buffer path = {0};
    unfinished_folder(writer, &path);
    Status status = files_remove(buffer_string(&path), error);
    buffer_free(&path);
    return status;
}

void results_discard(Comm *comm, ResultWriter **writer)
{
    if (!*writer)
        return;
    Error error = {0};
    Status synced = file_syncs_finish(&(*writer)->syncs, &error);
    (void)synced; /* of what goes */
    /* Failing is no harm: the next run clears the folder. */
    if (comm_rank(comm) == 0 && remove_folder(*writer, &error) != STATUS_OK)
        log_line(LOG_WARN, LOG_ROOT, "results", "note=\"%s\"", error.message);
    comm_barrier(comm);
    mem_free(writer);
}

/* ---- reading ---- */

static void fill_table(ResultReader *reader, int i)
{
    const ManifestTable *meant = &reader->meant[i];
    ResultTable *table = &reader->tables[i];
    memcpy(table->name, meant->name, sizeof table->name);
    table->rows = meant->rows;
    table->n_columns = meant->n_columns;
    for (int k = 0; k < meant->n_columns; k++) {
        memcpy(table->names[k], meant->columns[k].name, COLUMN_NAME_SIZE);
        table->columns[k] =
            (ColumnSpec){table->names[k], meant->columns[k].type, meant->columns[k].unit};
    }
}

static void parse_table(JsonCheck *check, const json_t *from, ResultReader *reader)
{
    int i = reader->n_tables++;
    ManifestTable *meant = &reader->meant[i];
    ResultTable *table = &reader->tables[i];
    reader->fds[i] = -1;
    reader->run_of[i] = reader->n_runs;
    json_get_name(check, from, "name", meant->name, sizeof meant->name);
    json_require(check, manifest_is_file_name(meant->name), "name");
    json_get_name(check, from, "key", table->key, sizeof table->key);
    meant->rows = json_get_int(check, from, "rows", 0, (int64_t)INT32_MAX * RESULT_BLOCK);
    meant->bytes = json_get_int(check, from, "bytes", 0, INT64_MAX);
    manifest_parse_columns(check, from, meant);
    json_require(check, key_is_good(meant, table->key), "key");
    table->checksum = json_get_hex(check, from, "checksum");
    fill_table(reader, i);
}

/* The tables of the run that is being opened, the n_runs-th. */
static Status parse_index(ResultReader *reader, Bytes json, const char *shown, Error *error)
{
    Status status;
    json_t *root = NULL;
    JsonCheck check = {0};
    TRY(json_read(json, shown, &root, error));
    TRY(json_check_format(root, shown, STORE_FORMAT, error));
    reader->runs[reader->n_runs].generation =
        json_get_int(&check, root, "generation", 0, INT64_MAX);
    const json_t *tables = json_get_array(&check, root, "tables", RESULT_TABLES_MAX);
    for (size_t i = 0; i < json_array_size(tables); i++)
        parse_table(&check, json_array_get(tables, i), reader);
    TRY(json_checked(&check, shown, error));
out:
    json_decref(root);
    return status;
}

/* No two tables of the runs share a name. */
static Status check_names(const ResultReader *reader, Error *error)
{
    Status status = STATUS_OK;
    for (int i = 0; i < reader->n_tables; i++) {
        for (int k = 0; k < i; k++) {
            if (strcmp(reader->tables[i].name, reader->tables[k].name) == 0)
                FAIL(error, STATUS_USAGE,
                     "runs %s and %s both have a table %s; give that of the ini another name",
                     reader->runs[reader->run_of[k]].name, reader->runs[reader->run_of[i]].name,
                     reader->tables[i].name);
        }
    }
out:
    return status;
}

static Status open_run(const Store *store, const char *place, const char *run, ResultReader *reader,
                       Error *error)
{
    Status status;
    Buffer path = {0}, json = {0};
    vesper_assert(reader->n_runs < RESULT_RUNS_MAX);
    ReadRun *opened = &reader->runs[reader->n_runs];
    if (!run_exists(store, place, run))
        FAIL(error, STATUS_IO, "the store %s has no results of run %s: compute them first",
             store->path, run);
    segment_copy_name(opened->name, sizeof opened->name, run);
    opened->place = place;
    run_folder(store, place, run, &path);
    opened->folder = mem_copy_string(buffer_string(&path));
    buffer_printf(&path, "/%s", RESULT_INDEX);
    TRY(fault_point("store.results.open", error));
    TRY(files_read_small(buffer_string(&path), SMALL_FILE_MAX, &json, error));
    TRY(parse_index(reader, buffer_view(&json), buffer_string(&path), error));
    reader->n_runs++;
    TRY(check_names(reader, error));
out:
    buffer_free(&path);
    buffer_free(&json);
    return status;
}

static Status open_first(const Store *store, const char *place, const char *run,
                         ResultReader **reader, Error *error)
{
    ResultReader *opened = mem_new(1, sizeof *opened);
    Status status = open_run(store, place, run, opened, error);
    if (status != STATUS_OK)
        results_close(&opened);
    *reader = opened;
    return status;
}

Status results_open(const Store *store, const char *run, ResultReader **reader, Error *error)
{
    return open_first(store, RESULTS, run, reader, error);
}

Status results_open_also(const Store *store, const char *run, ResultReader *reader, Error *error)
{
    return open_run(store, RESULTS, run, reader, error);
}

Status results_open_checkpoint(const Store *store, const char *name, ResultReader **reader,
                               Error *error)
{
    return open_first(store, CHECKPOINTS, name, reader, error);
}

void results_close(ResultReader **reader)
{
    ResultReader *closed = *reader;
    if (!closed)
        return;
    for (int i = 0; i < closed->n_tables; i++) {
        if (closed->fds[i] >= 0)
            close(closed->fds[i]);
        segment_layout_free(&closed->layouts[i]);
    }
    for (int r = 0; r < RESULT_RUNS_MAX; r++)
        mem_free(&closed->runs[r].folder);
    mem_free(reader);
}

int results_count(const ResultReader *reader)
{
    return reader->n_tables;
}

const ResultTable *results_table(const ResultReader *reader, int i)
{
    vesper_assert(i >= 0 && i < reader->n_tables);
    return &reader->tables[i];
}

const char *results_run(const ResultReader *reader, int i)
{
    vesper_assert(i >= 0 && i < reader->n_tables);
    return reader->runs[reader->run_of[i]].name;
}

/* The layout and the file of table i, at its first use. */
static Status open_table(ResultReader *reader, int i, Error *error)
{
    Status status = STATUS_OK;
    SegmentLayout *layout = &reader->layouts[i];
    const ManifestTable *meant = &reader->meant[i];
    const ReadRun *run = &reader->runs[reader->run_of[i]];
    Buffer path = {0}, shown = {0};
    if (reader->fds[i] >= 0)
        return STATUS_OK;
    buffer_printf(&path, "%s/%s.h5", run->folder, meant->name);
    buffer_printf(&shown, "%s/%s/%s.h5", run->place, run->name, meant->name);
    segment_copy_name(reader->shown[i], sizeof reader->shown[i], buffer_string(&shown));
    TRY(segment_layout_read(buffer_string(&path), reader->shown[i], layout, error));
    if (!manifest_table_fits(meant, layout) || strcmp(layout->kind, SEGMENT_RESULT) != 0 ||
        layout->batch != run->generation || layout->partitions != blocks_of(meant->rows) ||
        segment_layout_checksum(layout) != reader->tables[i].checksum)
        FAIL(error, STATUS_IO,
             "%s is not the file that tables.json means: remove %s/%s and run again",
             reader->shown[i], run->place, run->name);
    TRY(files_open(buffer_string(&path), false, &reader->fds[i], error));
out:
    buffer_free(&path);
    buffer_free(&shown);
    return status;
}

Status results_read_block(ResultReader *reader, int i, int64_t block, Table *rows, Error *error)
{
    Status status;
    const ResultTable *table = results_table(reader, i);
    vesper_assert(block >= 0 && block < blocks_of(table->rows));
    store_prepare_rows(rows, table->columns, table->n_columns);
    TRY(open_table(reader, i, error));
    SegmentFile file = {
        .fd = reader->fds[i], .shown = reader->shown[i], .layout = &reader->layouts[i]};
    TRY(segment_append(&file, block, rows, error));
out:
    return status;
}
