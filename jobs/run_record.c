/* run.json: collected over the ranks, written by rank 0. */
#include "run_record.h"

#include "base/civil.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/memory.h"
#include "job.h"
#include "store/files.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Peak resident bytes of a rank, over the ranks. */
typedef struct PeakMemory {
    int64_t min, mean, max;
} PeakMemory;

static int64_t utc_now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void run_record_begin(RunRecord *record)
{
    *record = (RunRecord){.started_us = utc_now_us(), .started_s = clock_seconds()};
}

const StageTime *run_record_add_stage(RunRecord *record, Comm *comm, const char *name,
                                      double seconds)
{
    vesper_assert(record->n_stages < RUN_STAGES_MAX);
    int64_t sum_us = (int64_t)(seconds * 1e6);
    int64_t min_us = sum_us;
    int64_t max_us = sum_us;
    comm_sum_i64(comm, &sum_us, 1);
    comm_min_i64(comm, &min_us, 1);
    comm_max_i64(comm, &max_us, 1);
    StageTime *stage = &record->stages[record->n_stages++];
    (void)snprintf(stage->name, sizeof stage->name, "%s", name);
    stage->min_s = (double)min_us / 1e6;
    stage->mean_s = (double)sum_us / 1e6 / comm_size(comm);
    stage->max_s = (double)max_us / 1e6;
    return stage;
}

double run_record_seconds(const RunRecord *record, const char *stage)
{
    for (int i = 0; i < record->n_stages; i++) {
        if (strcmp(record->stages[i].name, stage) == 0)
            return record->stages[i].mean_s;
    }
    return 0;
}

static PeakMemory peak_memory(Comm *comm)
{
    int64_t own = mem_peak_resident_bytes();
    PeakMemory peak = {own, own, own};
    comm_min_i64(comm, &peak.min, 1);
    comm_sum_i64(comm, &peak.mean, 1);
    comm_max_i64(comm, &peak.max, 1);
    peak.mean /= comm_size(comm);
    return peak;
}

static void set_text(json_t *object, const char *key, const char *text)
{
    (void)json_object_set_new(object, key, json_string(text));
}

static void set_count(json_t *object, const char *key, int64_t value)
{
    (void)json_object_set_new(object, key, json_integer(value));
}

static void set_real(json_t *object, const char *key, double value)
{
    (void)json_object_set_new(object, key, json_real(value));
}

static void set_time(json_t *object, const char *key, int64_t ts_us)
{
    char text[CIVIL_TEXT_SIZE];
    civil_format_utc(ts_us, text);
    set_text(object, key, text);
}

static json_t *counts_json(const RowCounts *counts)
{
    json_t *json = json_object();
    set_count(json, "read", counts->read);
    set_count(json, "stored", counts->stored);
    set_count(json, "rejected", counts->rejected);
    set_count(json, "unchanged", counts->unchanged);
    set_count(json, "replaced_orders", counts->replaced_orders);
    set_count(json, "replaced_rows", counts->replaced_rows);
    return json;
}

/* The files that the newest batch took in. */
static json_t *inputs_json(const Store *store)
{
    json_t *inputs = json_array();
    int count = 0;
    const StoreInput *input = store_newest_inputs(store, &count);
    for (int i = 0; i < count; i++, input++) {
        char checksum[40];
        (void)snprintf(checksum, sizeof checksum, "%016llx%016llx",
                       (unsigned long long)input->content_high,
                       (unsigned long long)input->content_low);
        json_t *json = json_object();
        set_text(json, "table", input->table);
        set_text(json, "path", input->path);
        set_count(json, "bytes", input->bytes);
        set_text(json, "xxh3_128", checksum);
        (void)json_object_set_new(json, "rows", counts_json(&input->counts));
        (void)json_array_append_new(inputs, json);
    }
    return inputs;
}

static json_t *tables_json(const IngestSummary *ingest)
{
    json_t *tables = json_object();
    for (int i = 0; i < INPUT_COUNT; i++) {
        if (ingest->given[i]) {
            (void)json_object_set_new(tables, input_schema((InputTable)i)->name,
                                      counts_json(&ingest->counts[i]));
        }
    }
    return tables;
}

static json_t *stages_json(const RunRecord *record)
{
    json_t *stages = json_array();
    for (int i = 0; i < record->n_stages; i++) {
        const StageTime *stage = &record->stages[i];
        json_t *json = json_object();
        set_text(json, "name", stage->name);
        set_real(json, "seconds_min", stage->min_s);
        set_real(json, "seconds_mean", stage->mean_s);
        set_real(json, "seconds_max", stage->max_s);
        (void)json_array_append_new(stages, json);
    }
    return stages;
}

static json_t *memory_json(const PeakMemory *peak)
{
    json_t *json = json_object();
    set_count(json, "min", peak->min);
    set_count(json, "mean", peak->mean);
    set_count(json, "max", peak->max);
    return json;
}

static void add_published(json_t *root, const Run *run)
{
    if (run->published.run[0] == '\0')
        return;
    json_t *json = json_object();
    set_text(json, "target", config_text(run->config, "to"));
    set_text(json, "run", run->published.run);
    set_text(json, "as_of", run->published.as_of);
    set_count(json, "tables", run->publish.tables);
    set_count(json, "rows", run->publish.rows);
    (void)json_object_set_new(json, "changed", json_boolean(run->publish.changed));
    (void)json_object_set_new(root, "published", json);
}

static void add_throughput(json_t *root, const Run *run)
{
    RowCounts all = run_total_counts(run);
    double seconds = run_record_seconds(&run->record, "ingest");
    if (all.read > 0 && seconds > 0)
        set_real(root, "ingest_rows_per_second", (double)all.read / seconds);
}

static char *record_text(const Run *run, const PeakMemory *peak)
{
    json_t *root = json_object();
    char hash[24];
    const char *const none[] = {NULL};
    (void)snprintf(hash, sizeof hash, "%016llx",
                   (unsigned long long)config_hash(run->config, none));
    RowCounts total = run_total_counts(run);
    set_text(root, "vesper", VESPER_VERSION);
    set_text(root, "job", run->job);
    set_text(root, "config_hash", hash);
    if (run->store != NULL) {
        set_text(root, "store", store_path(run->store));
        set_count(root, "generation", store_generation(run->store));
        set_text(root, "run", run->parts[PART_SALES].name);
        (void)json_object_set_new(root, "inputs", inputs_json(run->store));
        (void)json_object_set_new(root, "tables", tables_json(&run->ingest));
        (void)json_object_set_new(root, "rows", counts_json(&total));
    }
    set_count(root, "ranks", comm_size(run->comm));
    set_time(root, "started", run->record.started_us);
    set_time(root, "ended", utc_now_us());
    set_real(root, "seconds", clock_seconds() - run->record.started_s);
    add_published(root, run);
    (void)json_object_set_new(root, "stages", stages_json(&run->record));
    (void)json_object_set_new(root, "peak_bytes_per_rank", memory_json(peak));
    add_throughput(root, run);
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    json_decref(root);
    vesper_assert(text != NULL);
    return text;
}

/* To the store's folder, unless `copy_only`, and to --run-record. On rank 0. */
static Status write_record(const Run *run, const PeakMemory *peak, bool copy_only, Error *error)
{
    Status status;
    Buffer in_store = {0};
    char *text = record_text(run, peak);
    const char *copy = config_text(run->config, "run-record");
    TRY(fault_point("run_record.write", error));
    if (!copy_only) {
        buffer_printf(&in_store, "%s/run.json", store_path(run->store));
        TRY(files_write_small(buffer_string(&in_store), bytes_of(text), error));
    }
    if (copy != NULL)
        TRY(files_write_small(copy, bytes_of(text), error));
out:
    free(text);
    buffer_free(&in_store);
    return status;
}

static Status write_on_root(const Run *run, bool copy_only, Error *error)
{
    Status status = STATUS_OK;
    PeakMemory peak = peak_memory(run->comm);
    if (comm_rank(run->comm) == 0)
        status = write_record(run, &peak, copy_only, error);
    return comm_agree(run->comm, status, error);
}

Status run_record_write(Run *run, Error *error)
{
    return write_on_root(run, false, error);
}

Status run_record_write_copy(Run *run, Error *error)
{
    return write_on_root(run, true, error);
}
