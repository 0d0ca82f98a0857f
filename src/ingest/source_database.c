#include "ingest/source_database.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/memory.h"
#include "ingest/source_kind.h"
#include "store/files.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const DatabaseKind *const kinds[] = {&source_postgres, &source_sqlite};

static const DatabaseKind *find_kind(const char *url)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i]->is_url(url))
            return kinds[i];
    }
    return NULL;
}

bool source_is_database(const char *path)
{
    return find_kind(path) != NULL;
}

void source_append_shown(const char *input, Buffer *shown)
{
    const char *place = strstr(input, "://");
    size_t size = place != NULL ? (size_t)(place - input) + strlen("://") : strlen(input);
    buffer_append(shown, input, (int64_t)size);
    if (place != NULL)
        buffer_append_string(shown, "...");
}

Status source_check_database(const char *url, Error *error)
{
    Status status = STATUS_OK;
    if (!bytes_are_utf8(bytes_of(url)))
        FAIL(error, STATUS_USAGE, "the name of a database to read is not UTF-8 text");
    TRY(find_kind(url)->check(url, error));
out:
    return status;
}

/* What all ranks know of the read. Rank 0 makes it. */
typedef struct ReadPlan {
    Buffer header;
    Buffer rows, order; /* the statement, before and behind a share's condition */
    Buffer watermark;   /* highest value with these rows; empty without one */
    Buffer snapshot;    /* empty: rank 0 reads alone */
    int64_t low, high;  /* of the range key */
} ReadPlan;

static void plan_free(ReadPlan *plan)
{
    buffer_free(&plan->header);
    buffer_free(&plan->rows);
    buffer_free(&plan->order);
    buffer_free(&plan->watermark);
    buffer_free(&plan->snapshot);
}

static void share_plan(Comm *comm, ReadPlan *plan)
{
    int64_t range[2] = {plan->low, plan->high};
    comm_broadcast_buffer(comm, 0, &plan->header);
    comm_broadcast_buffer(comm, 0, &plan->rows);
    comm_broadcast_buffer(comm, 0, &plan->order);
    comm_broadcast_buffer(comm, 0, &plan->watermark);
    comm_broadcast_buffer(comm, 0, &plan->snapshot);
    comm_broadcast(comm, 0, range, sizeof range);
    plan->low = range[0];
    plan->high = range[1];
}

/* ---- what to read ---- */

/* Rows of these tables add up: what is read twice would count twice. */
static Status check_settings(const DatabaseRequest *request, Error *error)
{
    Status status = STATUS_OK;
    bool adds_up = request->table == INPUT_EVENTS || request->table == INPUT_REVIEWS ||
                   request->table == INPUT_PAIRS;
    const char *name = input_schema(request->table)->name;
    if (adds_up && request->settings->watermark == NULL)
        FAIL(error, STATUS_USAGE,
             "--input %s=%s: %s of a database need a watermark, or each night would take all of "
             "them in again; put watermark = COLUMN under [%s] in the ini",
             name, request->url, name, name);
out:
    return status;
}

static bool is_yes(const Buffer *value)
{
    return strcmp(buffer_string(value), "1") == 0;
}

/* Up to where to read, from where, and the highest value of the watermark in between. */
static Status find_window(const DatabaseKind *kind, Database *database, SourceQuery *query,
                          const Store *store, const DatabaseRequest *request, Buffer *watermark,
                          Error *error)
{
    enum { HIGHEST, WITHOUT, MIXED, PAST, VALUES };
    Status status = STATUS_OK;
    Buffer sql = {0}, values[VALUES] = {{0}};
    const char *table = input_schema(request->table)->name;
    const char *column = request->settings->watermark;
    const StoreInput *earlier = store_newest_input(store, table, request->url);
    if (earlier != NULL && earlier->watermark != NULL &&
        strcmp(earlier->watermark_column, column) == 0)
        buffer_append_string(&query->after, earlier->watermark);
    if (query_append_until(query, request->time_zone, &sql))
        TRY(kind->ask(database, buffer_string(&sql), &query->until, 1, error));
    buffer_clear(&sql);
    query_append_highest(query, &sql);
    TRY(kind->ask(database, buffer_string(&sql), values, VALUES, error));
    if (is_yes(&values[WITHOUT]))
        FAIL(error, STATUS_INPUT,
             "%s: rows for %s have no %s (NULL), so it cannot tell which ones are new; fill it in, "
             "or leave them out in the query",
             request->url, table, column);
    if (is_yes(&values[MIXED]))
        FAIL(error, STATUS_INPUT,
             "%s: %s has numbers in some rows for %s and texts in others, so it cannot tell which "
             "ones are new",
             request->url, column, table);
    if (!is_yes(&values[PAST]))
        buffer_clear(&query->until); /* all is settled: nothing has to be held back */
    if (values[HIGHEST].size > 0 && strcmp(buffer_string(&values[HIGHEST]), "NULL") != 0)
        buffer_append_bytes(watermark, buffer_view(&values[HIGHEST]));
    else
        buffer_append_bytes(watermark, buffer_view(&query->after));
out:
    for (int i = 0; i < VALUES; i++)
        buffer_free(&values[i]);
    buffer_free(&sql);
    return status;
}

/* What the range key is good for: as an order, and for sharing the rows with other ranks, which
 * then must see what this one sees. */
static Status use_range_key(const DatabaseKind *kind, Database *database, SourceQuery *query,
                            int size, ReadPlan *plan, Error *error)
{
    enum { LOW, HIGH, UNIQUE, VALUES };
    Status status;
    Buffer sql = {0}, values[VALUES] = {{0}};
    query_append_range(query, &sql);
    TRY(kind->ask(database, buffer_string(&sql), values, VALUES, error));
    query->is_key_unique = is_yes(&values[UNIQUE]);
    if (values[LOW].size == 0 || size == 1 || kind->share == NULL)
        goto out; /* no row has a key, or one rank reads alone */
    plan->low = strtoll(buffer_string(&values[LOW]), NULL, 10);
    plan->high = strtoll(buffer_string(&values[HIGH]), NULL, 10);
    TRY(kind->share(database, &plan->snapshot, error));
out:
    for (int i = 0; i < VALUES; i++)
        buffer_free(&values[i]);
    buffer_free(&sql);
    return status;
}

/* Learn the query's columns, and which of them are wanted. */
static Status describe(const DatabaseKind *kind, Database *database, const DatabaseRequest *request,
                       SourceQuery *query, Error *error)
{
    Status status;
    Buffer sql = {0};
    query_init(query, kind->dialect, request->table, request->settings);
    query_append_all(query, &sql);
    TRY(kind->describe(database, buffer_string(&sql), query, error));
    TRY(query_find_columns(query, request->url, error));
    TRY(query_choose_columns(query, request->config, request->url, error));
out:
    buffer_free(&sql);
    return status;
}

static int64_t timeout_of(const DatabaseRequest *request)
{
    return config_int(request->config, "query-timeout");
}

/* Local, on rank 0. The database stays open: its snapshot lives as long. */
static Status make_plan(const DatabaseKind *kind, const Store *store,
                        const DatabaseRequest *request, int size, Database **database,
                        ReadPlan *plan, Error *error)
{
    Status status;
    SourceQuery query = {0};
    TRY(fault_point("ingest.database", error));
    TRY(source_check_database(request->url, error));
    TRY(check_settings(request, error));
    TRY(kind->open(request->url, NULL, timeout_of(request), database, error));
    TRY(describe(kind, *database, request, &query, error));
    if (query.watermark >= 0)
        TRY(find_window(kind, *database, &query, store, request, &plan->watermark, error));
    if (query.range_key >= 0)
        TRY(use_range_key(kind, *database, &query, size, plan, error));
    query_append_header(&query, &plan->header);
    query_append_rows(&query, &plan->rows);
    query_append_order(&query, &plan->order);
out:
    query_free(&query);
    return status;
}

/* ---- reading ---- */

static void name_file(Source *source, const DatabaseRequest *request, const ReadPlan *plan,
                      int rank)
{
    Buffer path = {0};
    buffer_printf(&path, "%s/%s-0.csv", request->folder, request->name);
    *source = (Source){.delimiter = request->settings->delimiter, .is_database = true};
    source->n_files = 1;
    source->files = mem_new(1, sizeof *source->files);
    source->files[0] = (SourceFile){.path = mem_copy_string(request->url),
                                    .data_path = mem_copy_string(buffer_string(&path)),
                                    .is_own_copy = rank == 0};
    if (plan->watermark.size > 0) {
        source->watermark_column = mem_copy_string(request->settings->watermark);
        source->watermark = mem_copy_string(buffer_string(&plan->watermark));
    }
    buffer_free(&path);
}

/* Write this rank's share to `path`; the first one begins with the header. Local. */
static Status write_share(const DatabaseKind *kind, Database *database,
                          const DatabaseRequest *request, const ReadPlan *plan, int rank, int size,
                          const char *path, int64_t *bytes, Error *error)
{
    Status status;
    Buffer sql = {0};
    QueryFile file = {0};
    buffer_append_bytes(&sql, buffer_view(&plan->rows));
    if (plan->snapshot.size > 0)
        query_append_share(request->settings->range_key, plan->low, plan->high, rank, size, &sql);
    buffer_append_bytes(&sql, buffer_view(&plan->order));
    TRY(files_make_folder(request->folder, error));
    TRY(query_file_open(&file, path, error));
    if (rank == 0) {
        TRY(query_file_write(&file, buffer_view(&plan->header), error));
        TRY(query_file_write(&file, bytes_of("\n"), error));
    }
    TRY(kind->read(database, buffer_string(&sql), request->settings->delimiter, &file, error));
    TRY(query_file_finish(&file, error));
    *bytes = file.written;
out:
    query_file_free(&file);
    buffer_free(&sql);
    return status;
}

/* Each rank that reads writes a file of its own; then all of them are put behind that of rank 0.
 * Collective. */
static Status write_all(Comm *comm, const DatabaseKind *kind, Database *database,
                        const DatabaseRequest *request, const ReadPlan *plan, const char *whole,
                        Error *error)
{
    Status status = STATUS_OK;
    int rank = comm_rank(comm), size = comm_size(comm);
    int64_t bytes = 0;
    Buffer own = {0};
    if (rank == 0)
        buffer_append_string(&own, whole);
    else
        buffer_printf(&own, "%s/%s-rank-%d.csv", request->folder, request->name, rank);
    if (database != NULL)
        status = write_share(kind, database, request, plan, rank, size, buffer_string(&own), &bytes,
                             error);
    TRY_ALL(comm, status, error);
    int64_t offset = comm_prefix_i64(comm, bytes);
    if (rank > 0 && bytes > 0)
        status = query_file_copy(buffer_string(&own), whole, offset, error);
    TRY_ALL(comm, status, error);
out:
    if (rank > 0 && database != NULL)
        (void)unlink(buffer_string(&own));
    buffer_free(&own);
    return status;
}

static void log_read(const DatabaseRequest *request, const ReadPlan *plan, int64_t bytes,
                     double seconds)
{
    log_line(LOG_INFO, LOG_ROOT, "ingest.database",
             "table=%s mb=%.1f watermark=\"%s\" seconds=%.3f from=\"%s\"",
             input_schema(request->table)->name, (double)bytes / 1e6,
             buffer_string(&plan->watermark), seconds, request->url);
}

Status source_open_database(Comm *comm, Source *source, const Store *store,
                            const DatabaseRequest *request, Error *error)
{
    Status status = STATUS_OK;
    int rank = comm_rank(comm);
    const DatabaseKind *kind = find_kind(request->url);
    double began = clock_seconds();
    ReadPlan plan = {0};
    Database *database = NULL;
    *source = (Source){0};
    if (rank == 0)
        status = make_plan(kind, store, request, comm_size(comm), &database, &plan, error);
    TRY_ALL(comm, status, error);
    share_plan(comm, &plan);
    name_file(source, request, &plan, rank);
    if (rank > 0 && plan.snapshot.size > 0)
        status = kind->open(request->url, buffer_string(&plan.snapshot), timeout_of(request),
                            &database, error);
    TRY_ALL(comm, status, error);
    TRY(write_all(comm, kind, database, request, &plan, source->files[0].data_path, error));
    TRY(source_examine(comm, source, request->folder, error));
    log_read(request, &plan, source->files[0].bytes, clock_seconds() - began);
out:
    kind->close(&database);
    plan_free(&plan);
    return status;
}

Status source_measure_database(const DatabaseRequest *request, int64_t *rows, int64_t *bytes,
                               Error *error)
{
    Status status;
    const DatabaseKind *kind = find_kind(request->url);
    Database *database = NULL;
    SourceQuery query = {0};
    Buffer sql = {0};
    TRY(source_check_database(request->url, error));
    TRY(check_settings(request, error));
    TRY(kind->open(request->url, NULL, timeout_of(request), &database, error));
    TRY(describe(kind, database, request, &query, error));
    query_append_rows(&query, &sql);
    TRY(kind->measure(database, buffer_string(&sql), rows, bytes, error));
out:
    kind->close(&database);
    query_free(&query);
    buffer_free(&sql);
    return status;
}
