/* The text exposition format of Prometheus, as the textfile collector of its node_exporter reads
 * it: gauges of the last run, by job and store. */
#include "metrics.h"

#include "base/civil.h"
#include "base/fault.h"
#include "store/files.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { OLD_FILE_BYTES = 1 << 20 };
static const char last_success[] = "vesper_last_success_timestamp_seconds";

/* One file in the making. */
typedef struct MetricsText {
    const Run *run;
    Buffer text;
} MetricsText;

/* Backslash, line feed and quote are escaped in a label's value. */
static void add_label(Buffer *text, const char *name, const char *value)
{
    buffer_printf(text, "%s=\"", name);
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '\n')
            buffer_append_string(text, "\\n");
        else if (*c == '\\' || *c == '"')
            buffer_printf(text, "\\%c", *c);
        else
            buffer_append(text, c, 1);
    }
    buffer_append_string(text, "\"");
}

static void begin_metric(MetricsText *metrics, const char *name, const char *help)
{
    buffer_printf(&metrics->text, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

/* name{job,store, and another label if `label` is not NULL} */
static void begin_sample(MetricsText *metrics, const char *name, const char *label,
                         const char *value)
{
    const char *store = config_text(metrics->run->config, "store");
    buffer_printf(&metrics->text, "%s{", name);
    add_label(&metrics->text, "job", metrics->run->job);
    buffer_append_string(&metrics->text, ",");
    add_label(&metrics->text, "store", store != NULL ? store : "");
    if (label != NULL) {
        buffer_append_string(&metrics->text, ",");
        add_label(&metrics->text, label, value);
    }
    buffer_append_string(&metrics->text, "} ");
}

static void add_count(MetricsText *metrics, const char *name, const char *help, int64_t value)
{
    begin_metric(metrics, name, help);
    begin_sample(metrics, name, NULL, NULL);
    buffer_printf(&metrics->text, "%" PRId64 "\n", value);
}

static void add_real(MetricsText *metrics, const char *name, const char *help, double value)
{
    begin_metric(metrics, name, help);
    begin_sample(metrics, name, NULL, NULL);
    buffer_printf(&metrics->text, "%.9g\n", value);
}

static void add_seconds(MetricsText *metrics, const char *name, const char *help, int64_t ts_us)
{
    begin_metric(metrics, name, help);
    begin_sample(metrics, name, NULL, NULL);
    buffer_printf(&metrics->text, "%.3f\n", (double)ts_us / 1e6);
}

static void add_stages(MetricsText *metrics)
{
    static const char seconds[] = "vesper_last_run_stage_duration_seconds";
    static const char bytes[] = "vesper_last_run_stage_peak_memory_bytes";
    const RunRecord *record = &metrics->run->record;
    if (record->n_stages == 0)
        return;
    begin_metric(metrics, seconds, "Duration of a finished stage on its slowest rank.");
    for (int i = 0; i < record->n_stages; i++) {
        begin_sample(metrics, seconds, "stage", record->stages[i].name);
        buffer_printf(&metrics->text, "%.6f\n", record->stages[i].max_s);
    }
    begin_metric(metrics, bytes, "Most memory that a rank held during a finished stage.");
    for (int i = 0; i < record->n_stages; i++) {
        begin_sample(metrics, bytes, "stage", record->stages[i].name);
        buffer_printf(&metrics->text, "%" PRId64 "\n", record->stages[i].peak_bytes);
    }
}

static void add_rows_of(MetricsText *metrics, const char *name, const char *help, size_t offset)
{
    begin_metric(metrics, name, help);
    for (int i = 0; i < INPUT_COUNT; i++) {
        if (!metrics->run->ingest.given[i])
            continue;
        int64_t rows;
        memcpy(&rows, (const char *)&metrics->run->ingest.counts[i] + offset, sizeof rows);
        begin_sample(metrics, name, "table", input_schema((InputTable)i)->name);
        buffer_printf(&metrics->text, "%" PRId64 "\n", rows);
    }
}

/* Rows by table, of a run that took input in. */
static void add_rows(MetricsText *metrics)
{
    bool has_input = false;
    for (int i = 0; i < INPUT_COUNT; i++)
        has_input = has_input || metrics->run->ingest.given[i];
    if (!has_input)
        return;
    add_rows_of(metrics, "vesper_last_run_read_rows", "Rows read from the input.",
                offsetof(RowCounts, read));
    add_rows_of(metrics, "vesper_last_run_stored_rows", "Rows of the input that were stored.",
                offsetof(RowCounts, stored));
    add_rows_of(metrics, "vesper_last_run_rejected_rows", "Rows of the input that were rejected.",
                offsetof(RowCounts, rejected));
    add_rows_of(metrics, "vesper_last_run_unchanged_rows", "Rows that the store had already.",
                offsetof(RowCounts, unchanged));
    add_rows_of(metrics, "vesper_last_run_replaced_rows",
                "Earlier rows that orders which came again put out of force.",
                offsetof(RowCounts, replaced_rows));
}

static void add_tables(MetricsText *metrics, const ResultReader *reader)
{
    bool is_published = metrics->run->published.run[0] != '\0';
    const char *name = is_published ? "vesper_published_rows" : "vesper_computed_rows";
    if (reader == NULL || results_count(reader) == 0)
        return;
    begin_metric(metrics, name,
                 is_published ? "Rows of a table that the storefront has since the last run."
                              : "Rows of a table that the last run computed.");
    for (int i = 0; i < results_count(reader); i++) {
        const ResultTable *table = results_table(reader, i);
        begin_sample(metrics, name, "table", table->name);
        buffer_printf(&metrics->text, "%" PRId64 "\n", table->rows);
    }
}

static void add_accuracy(MetricsText *metrics)
{
    const RecommendSummary *lists = &metrics->run->recommend;
    const ForecastSummary *forecast = &metrics->run->forecast;
    if (lists->is_measured) {
        add_real(metrics, "vesper_recommend_ndcg_ratio",
                 "NDCG@20 of the mix on the days held out, 0 to 1.", lists->mix_ndcg);
        add_real(metrics, "vesper_recommend_rival_ndcg_ratio",
                 "NDCG@20 of what is merely popular on the same days.", lists->rival_ndcg);
    }
    if (forecast->is_measured) {
        add_real(
            metrics, "vesper_forecast_rmsse_ratio",
            "RMSSE of what is published from the last origin; 1 is the naive forecast's error.",
            forecast->published.rmsse);
        add_real(metrics, "vesper_forecast_bias_ratio",
                 "Bias of what is published from the last origin, as a share of what came.",
                 forecast->published.bias);
    }
}

/* When this job last succeeded: now, or what the file says that is about to be replaced. */
static void add_last_success(MetricsText *metrics, const char *path, Status ended, int64_t now_us)
{
    int64_t success_us = ended == STATUS_OK ? now_us : 0;
    Buffer old = {0}, sample = {0};
    Error unreadable;
    MetricsText wanted = {.run = metrics->run};
    begin_sample(&wanted, last_success, NULL, NULL);
    buffer_printf(&sample, "\n%s", buffer_string(&wanted.text));
    if (ended != STATUS_OK && files_exist(path) &&
        files_read_small(path, OLD_FILE_BYTES, &old, &unreadable) == STATUS_OK) {
        const char *found = strstr(buffer_string(&old), buffer_string(&sample));
        if (found != NULL)
            success_us = (int64_t)(strtod(found + sample.size, NULL) * 1e6);
    }
    if (success_us > 0)
        add_seconds(metrics, last_success, "When this job last ended well, in unix time.",
                    success_us);
    buffer_free(&wanted.text);
    buffer_free(&sample);
    buffer_free(&old);
}

static void compose(MetricsText *metrics, const ResultReader *reader, const PeakMemory *peak,
                    Status ended, const char *path)
{
    const Run *run = metrics->run;
    int64_t now_us = run_record_now_us();
    add_count(metrics, "vesper_last_run_success", "Whether the last run ended well: 1 or 0.",
              ended == STATUS_OK);
    add_count(metrics, "vesper_last_run_exit_code", "Exit code of the last run.", (int64_t)ended);
    add_seconds(metrics, "vesper_last_run_start_timestamp_seconds",
                "When the last run began, in unix time.", run->record.started_us);
    add_seconds(metrics, "vesper_last_run_end_timestamp_seconds",
                "When the last run ended, in unix time.", now_us);
    add_last_success(metrics, path, ended, now_us);
    add_real(metrics, "vesper_last_run_duration_seconds", "How long the last run took.",
             (double)(now_us - run->record.started_us) / 1e6);
    add_stages(metrics);
    add_count(metrics, "vesper_last_run_ranks", "Ranks of the last run.", comm_size(run->comm));
    add_count(metrics, "vesper_last_run_peak_memory_bytes",
              "Most memory that a rank of the last run held.", peak->max);
    if (run->store != NULL)
        add_count(metrics, "vesper_store_generation", "Generation of the store that is in force.",
                  store_generation(run->store));
    add_rows(metrics);
    add_tables(metrics, reader);
    add_accuracy(metrics);
    begin_metric(metrics, "vesper_build_info", "Version of the program; the value is always 1.");
    begin_sample(metrics, "vesper_build_info", "version", VESPER_VERSION);
    buffer_append_string(&metrics->text, "1\n");
}

Status metrics_check(const Run *run, Error *error)
{
    const char *path = config_text(run->config, "metrics");
    return path != NULL ? files_check_writable(path, error) : STATUS_OK;
}

Status metrics_write(const Run *run, const ResultReader *reader, const PeakMemory *peak,
                     Status ended, Error *error)
{
    Status status = STATUS_OK;
    MetricsText metrics = {.run = run};
    const char *path = config_text(run->config, "metrics");
    if (path == NULL)
        return STATUS_OK;
    compose(&metrics, reader, peak, ended, path);
    TRY(fault_point("metrics.write", error));
    TRY(files_write_public(path, buffer_view(&metrics.text), error));
out:
    buffer_free(&metrics.text);
    return status;
}
