/* run.json: collected over the ranks, written by rank 0. */
#include "run_record.h"

#include "base/civil.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/memory.h"
#include "job.h"
#include "store/files.h"
#include "store/json.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t run_record_now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void run_record_begin(RunRecord *record)
{
    *record = (RunRecord){.started_us = run_record_now_us(), .started_s = clock_seconds()};
}

/* Added if it is not there. */
static StageTime *find_stage(RunRecord *record, const char *name)
{
    for (int i = 0; i < record->n_stages; i++) {
        if (strcmp(record->stages[i].name, name) == 0)
            return &record->stages[i];
    }
    vesper_assert(record->n_stages < RUN_STAGES_MAX);
    StageTime *stage = &record->stages[record->n_stages++];
    (void)snprintf(stage->name, sizeof stage->name, "%s", name);
    return stage;
}

static void add_predicted(PlanNeed *sum, const PlanNeed *need)
{
    sum->seconds += need->seconds;
    sum->memory = fmax(sum->memory, need->memory);
    sum->sent += need->sent;
    sum->read += need->read;
    sum->written += need->written;
}

static void add_time(StageTime *stage, const StageTime *time)
{
    stage->is_predicted = stage->is_predicted || time->is_predicted;
    add_predicted(&stage->predicted, &time->predicted);
    stage->min_s += time->min_s;
    stage->mean_s += time->mean_s;
    stage->max_s += time->max_s;
    if (time->peak_bytes > stage->peak_bytes)
        stage->peak_bytes = time->peak_bytes;
    stage->sent_bytes += time->sent_bytes;
    stage->read_bytes += time->read_bytes;
    stage->written_bytes += time->written_bytes;
}

StageStart run_record_begin_stage(const Comm *comm)
{
    mem_mark_peak();
    return (StageStart){
        .seconds = clock_seconds(), .sent_bytes = comm_sent_bytes(comm), .io = process_io()};
}

StageTime run_record_end_stage(RunRecord *record, Comm *comm, const char *name,
                               const StageStart *start, const PlanNeed *predicted)
{
    ProcessIo io = process_io();
    int64_t own_us = (int64_t)((clock_seconds() - start->seconds) * 1e6);
    int64_t sums[] = {own_us, comm_sent_bytes(comm) - start->sent_bytes, io.read - start->io.read,
                      io.written - start->io.written};
    int64_t most[] = {own_us, mem_peak_since_mark()};
    int64_t min_us = own_us;
    comm_sum_i64(comm, sums, sizeof sums / sizeof sums[0]);
    comm_max_i64(comm, most, sizeof most / sizeof most[0]);
    comm_min_i64(comm, &min_us, 1);
    StageTime time = {.min_s = (double)min_us / 1e6,
                      .mean_s = (double)sums[0] / 1e6 / comm_size(comm),
                      .max_s = (double)most[0] / 1e6,
                      .peak_bytes = most[1],
                      .sent_bytes = sums[1],
                      .read_bytes = sums[2],
                      .written_bytes = sums[3],
                      .is_predicted = predicted != NULL};
    if (predicted != NULL)
        time.predicted = *predicted;
    add_time(find_stage(record, name), &time);
    return time;
}

double run_record_seconds(const RunRecord *record, const char *stage)
{
    for (int i = 0; i < record->n_stages; i++) {
        if (strcmp(record->stages[i].name, stage) == 0)
            return record->stages[i].mean_s;
    }
    return 0;
}

PeakMemory run_record_peak_memory(Comm *comm)
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

/* A number that is none becomes null. */
static void set_real(json_t *object, const char *key, double value)
{
    (void)json_object_set_new(object, key, isfinite(value) ? json_real(value) : json_null());
}

static void set_time(json_t *object, const char *key, int64_t ts_us)
{
    char text[CIVIL_TEXT_SIZE];
    civil_format_utc(ts_us, text);
    set_text(object, key, text);
}

static void set_day(json_t *object, const char *key, int32_t day)
{
    char text[CIVIL_TEXT_SIZE];
    civil_format_day(day, text);
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

static json_t *predicted_json(const PlanNeed *need)
{
    json_t *json = json_object();
    set_real(json, "seconds", need->seconds);
    set_real(json, "peak_bytes", need->memory);
    set_real(json, "sent_bytes", need->sent);
    set_real(json, "read_bytes", need->read);
    set_real(json, "written_bytes", need->written);
    return json;
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
        set_count(json, "peak_bytes", stage->peak_bytes);
        set_count(json, "sent_bytes", stage->sent_bytes);
        set_count(json, "read_bytes", stage->read_bytes);
        set_count(json, "written_bytes", stage->written_bytes);
        if (stage->is_predicted)
            (void)json_object_set_new(json, "predicted", predicted_json(&stage->predicted));
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
    if (run->published.run[0] == '\0' || run->gate.is_refused)
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

static void add_rate(json_t *root, const Run *run, const char *key, const char *stage, int64_t rows)
{
    double seconds = run_record_seconds(&run->record, stage);
    if (rows > 0 && seconds > 0)
        set_real(root, key, (double)rows / seconds);
}

/* Figures that a rule does not have stay out: JSON has no NaN. */
static json_t *rules_json(const GateVerdict *verdict)
{
    json_t *rules = json_array();
    for (int i = 0; i < verdict->n; i++) {
        const GateRule *rule = &verdict->rules[i];
        json_t *json = json_object();
        set_text(json, "rule", rule->name);
        set_text(json, "of", rule->of);
        (void)json_object_set_new(json, "holds", json_boolean(rule->holds));
        set_real(json, "now", rule->now);
        set_real(json, "beside", rule->beside);
        set_real(json, "least", rule->least);
        set_real(json, "most", rule->most);
        if (!rule->holds)
            set_text(json, "why", rule->text);
        (void)json_array_append_new(rules, json);
    }
    return rules;
}

static void add_gate(json_t *root, const Run *run)
{
    const GateRun *gate = &run->gate;
    if (gate->night.run[0] == '\0')
        return;
    json_t *json = json_object();
    set_text(json, "decision", night_decision_name(gate->night.decision));
    set_text(json, "run", gate->night.run);
    set_text(json, "target", gate->night.target);
    set_count(json, "night", gate->night.number);
    (void)json_object_set_new(json, "published_before", json_boolean(gate->was_published));
    if (gate->beside[0] != '\0')
        set_text(json, "beside", gate->beside);
    if (gate->reason != NULL)
        (void)json_object_set_new(json, "reason", json_text(gate->reason));
    (void)json_object_set_new(json, "rules", rules_json(&gate->verdict));
    (void)json_object_set_new(root, "gate", json);
}

static void add_throughput(json_t *root, const Run *run)
{
    add_rate(root, run, "ingest_rows_per_second", "ingest", run_total_counts(run).read);
    add_rate(root, run, "sales_lines_per_second", "sales", run->sales.lines);
    add_rate(root, run, "recommend_pairs_per_second", "recommend", run->recommend.pairs);
    add_rate(root, run, "forecast_series_per_second", "forecast", run->forecast.series);
    add_rate(root, run, "publish_rows_per_second", "publish",
             run->publish.changed ? run->publish.rows : 0);
}

static json_t *recommend_json(const RecommendSummary *summary)
{
    json_t *json = json_object();
    json_t *mix = json_object();
    set_count(json, "customers", summary->test_users);
    set_real(json, "ndcg_20", summary->mix_ndcg);
    set_real(json, "popular_ndcg_20", summary->rival_ndcg);
    set_real(json, "again_recall_10", summary->again_recall);
    set_real(json, "popular_again_recall_10", summary->again_rival);
    for (int k = 0; k < summary->mix.n; k++)
        set_real(mix, model_name(summary->mix.kinds[k]), summary->mix.weights[k]);
    (void)json_object_set_new(json, "mix", mix);
    return json;
}

static json_t *pieces_json(const SeriesReadCounts *pieces)
{
    json_t *json = json_object();
    set_count(json, "sold", pieces->kept);
    set_count(json, "in_series", pieces->kept - pieces->unfinished - pieces->left_out);
    set_count(json, "unfinished", pieces->unfinished);
    set_count(json, "left_out", pieces->left_out);
    set_count(json, "returned", pieces->returned);
    return json;
}

static json_t *lines_json(const SeriesFileCounts *lines)
{
    json_t *json = json_object();
    set_count(json, "read", lines->read);
    set_count(json, "used", lines->used);
    set_count(json, "left_out", lines->left_out);
    return json;
}

static json_t *reconciled_json(const ReconcileOutcome *outcome)
{
    json_t *json = json_object();
    set_text(json, "by", reconcile_name(outcome->used));
    set_text(json, "why", reconcile_reason(outcome->reason));
    set_count(json, "sums", outcome->n_nodes);
    set_count(json, "below_0", outcome->n_negative);
    set_real(json, "lambda", outcome->n_nodes > 0 ? outcome->lambda : NAN);
    return json;
}

/* Of a night's forecasts. */
static json_t *night_forecast_json(const ForecastSummary *summary)
{
    json_t *json = json_object();
    const InventoryCounts *inventory = &summary->inventory;
    set_count(json, "series", summary->series);
    set_count(json, "short_series", summary->pieces.short_series);
    set_count(json, "out_of_stock", summary->pieces.out_of_stock);
    set_count(json, "without_series", summary->without_series);
    set_count(json, "fallbacks", summary->fallbacks);
    set_count(json, "units", summary->units);
    set_count(json, "anomalies", summary->anomalies);
    set_count(json, "outliers", summary->outliers);
    set_count(json, "planned", inventory->planned);
    set_count(json, "stock_known", inventory->stocked);
    set_count(json, "to_order", inventory->to_order);
    (void)json_object_set_new(json, "pieces", pieces_json(&summary->pieces));
    (void)json_object_set_new(json, "reconciled", reconciled_json(&summary->reconciled));
    return json;
}

/* Of a measurement by --evaluate. */
static json_t *measured_json(const Run *run)
{
    json_t *json = json_object();
    set_count(json, "series", run->series.total);
    if (run->forecast_options.series == NULL)
        (void)json_object_set_new(json, "pieces", pieces_json(&run->series_pieces));
    else
        (void)json_object_set_new(json, "lines", lines_json(&run->series_lines));
    if (run->forecast_options.test != NULL)
        (void)json_object_set_new(json, "test_lines", lines_json(&run->series_after_lines));
    return json;
}

static void add_forecast(json_t *root, const Run *run)
{
    if (run->forecast.series > 0)
        (void)json_object_set_new(root, "forecast", night_forecast_json(&run->forecast));
    else if (run->series.total > 0)
        (void)json_object_set_new(root, "forecast", measured_json(run));
}

static json_t *forecast_json(const ForecastSummary *summary)
{
    json_t *json = json_object();
    set_count(json, "series", summary->published.series);
    set_real(json, "rmsse", summary->published.rmsse);
    set_real(json, "naive_rmsse", summary->rival.rmsse);
    set_real(json, "mase", summary->published.mase);
    set_real(json, "bias", summary->published.bias);
    set_real(json, "pinball", summary->published.pinball);
    set_real(json, "coverage_80", summary->published.coverage);
    return json;
}

/* How well the models that this run learned foretold what was held out. */
static void add_accuracy(json_t *root, const Run *run)
{
    json_t *json = json_object();
    if (run->recommend.is_measured)
        (void)json_object_set_new(json, "recommend", recommend_json(&run->recommend));
    if (run->forecast.is_measured)
        (void)json_object_set_new(json, "forecast", forecast_json(&run->forecast));
    if (json_object_size(json) > 0)
        (void)json_object_set_new(root, "accuracy", json);
    else
        json_decref(json);
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
    if (run->record.id[0] != '\0')
        set_text(root, "lineage_run", run->record.id);
    set_text(root, "config_hash", hash);
    if (run->store != NULL) {
        set_text(root, "store", store_path(run->store));
        set_count(root, "generation", store_generation(run->store));
        set_text(root, "run", run->parts[PART_SALES].name);
        if (store_seen_until(run->store) != DAY_NONE)
            set_day(root, "seen_until", store_seen_until(run->store));
        (void)json_object_set_new(root, "inputs", inputs_json(run->store));
        (void)json_object_set_new(root, "tables", tables_json(&run->ingest));
        (void)json_object_set_new(root, "rows", counts_json(&total));
    }
    set_count(root, "ranks", comm_size(run->comm));
    set_time(root, "started", run->record.started_us);
    set_time(root, "ended", run_record_now_us());
    set_real(root, "seconds", clock_seconds() - run->record.started_s);
    add_gate(root, run);
    add_published(root, run);
    (void)json_object_set_new(root, "stages", stages_json(&run->record));
    (void)json_object_set_new(root, "peak_bytes_per_rank", memory_json(peak));
    add_throughput(root, run);
    add_forecast(root, run);
    add_accuracy(root, run);
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
    PeakMemory peak = run_record_peak_memory(run->comm);
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
