/* Run events of OpenLineage (openlineage.io/spec/2-0-2), one JSON object a line. A file, a table of
 * the store and a published table are datasets; their names stay from night to night, and what
 * changes (rows, checksums, the run that made them) are facets. */
#include "lineage.h"

#include "base/civil.h"
#include "base/fault.h"
#include "base/memory.h"
#include "ingest/source_database.h"
#include "store/files.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define SPEC "https://openlineage.io/spec/"
static const char producer[] = "urn:vesper:" VESPER_VERSION;

static void set_text(json_t *object, const char *key, const char *text)
{
    json_t *value = json_string(text); /* NULL for what is no UTF-8 */
    (void)json_object_set_new(object, key, value != NULL ? value : json_string("?"));
}

static void set_count(json_t *object, const char *key, int64_t value)
{
    (void)json_object_set_new(object, key, json_integer(value));
}

/* A facet `name` of `facets`, of the spec's `schema`. */
static json_t *add_facet(json_t *facets, const char *name, const char *schema)
{
    json_t *facet = json_object();
    Buffer url = {0};
    buffer_printf(&url, "%s%s", strncmp(schema, "urn:", 4) == 0 ? "" : SPEC "facets/", schema);
    set_text(facet, "_producer", producer);
    set_text(facet, "_schemaURL", buffer_string(&url));
    (void)json_object_set_new(facets, name, facet);
    buffer_free(&url);
    return facet;
}

/* UUID version 7 (RFC 9562): the time, then random bits. A night that is run again is another run.
 */
static void make_run_id(int64_t now_us, char text[RUN_ID_SIZE])
{
    uint8_t id[16];
    uint64_t ms = (uint64_t)(now_us / 1000);
    if (getrandom(id, sizeof id, 0) != (ssize_t)sizeof id)
        memset(id, 0, sizeof id); /* by the time alone, then */
    for (int i = 0; i < 6; i++)
        id[i] = (uint8_t)(ms >> (40 - 8 * i));
    id[6] = (uint8_t)(0x70 | (id[6] & 0x0f));
    id[8] = (uint8_t)(0x80 | (id[8] & 0x3f));
    int length = 0;
    for (int i = 0; i < 16; i++) {
        const char *dash = i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "";
        length += snprintf(text + length, RUN_ID_SIZE - (size_t)length, "%s%02x", dash, id[i]);
    }
}

/* Also of what is not there yet. */
static void append_absolute(const char *path, Buffer *text)
{
    char folder[PATH_MAX];
    char *real = realpath(path, NULL);
    if (real == NULL && path[0] != '/' && getcwd(folder, sizeof folder) != NULL)
        buffer_printf(text, "%s/", folder);
    buffer_append_string(text, real != NULL ? real : path);
    free(real);
}

/* Where data lie: namespace and name, with `table` behind if it is not NULL. Of an address its
 * user, password and parameters are left out. */
static json_t *dataset(const char *where, const char *table)
{
    json_t *json = json_object();
    Buffer space = {0}, name = {0};
    const char *address = strstr(where, "://");
    const char *colon = strchr(where, ':');
    if (address != NULL) {
        const char *host = address + 3;
        size_t length = strcspn(host, "/?");
        const char *path = host + length;
        for (const char *at = memchr(host, '@', length); at != NULL;
             at = memchr(host, '@', length)) {
            length -= (size_t)(at + 1 - host);
            host = at + 1;
        }
        bool is_postgres = strncmp(where, "postgres", 8) == 0;
        buffer_printf(&space, "%.*s://%.*s", is_postgres ? 8 : (int)(address - where), where,
                      (int)length, host);
        path += *path == '/';
        buffer_append(&name, path, (int64_t)strcspn(path, "?"));
        buffer_printf(&name, "%s%s", table != NULL && name.size > 0 ? "." : "",
                      table != NULL ? table : "");
    } else if (table != NULL && colon != NULL) {
        buffer_append(&space, where, colon + 1 - where);
        append_absolute(colon + 1, &space);
        buffer_append_string(&name, table);
    } else {
        buffer_append_string(&space, "file");
        append_absolute(where, &name);
        buffer_printf(&name, "%s%s", table != NULL ? "/" : "", table != NULL ? table : "");
    }
    set_text(json, "namespace", buffer_string(&space));
    set_text(json, "name", buffer_string(&name));
    buffer_free(&space);
    buffer_free(&name);
    return json;
}

static json_t *add_object(json_t *parent, const char *key)
{
    json_t *object = json_object();
    (void)json_object_set_new(parent, key, object);
    return object;
}

static void add_version(json_t *facets, const char *version)
{
    json_t *facet = add_facet(facets, "version", "1-0-1/DatasetVersionDatasetFacet.json");
    set_text(facet, "datasetVersion", version);
}

static void add_schema(json_t *facets, const ColumnSpec *columns, int n)
{
    static const char *const types[] = {
        [COLUMN_I8] = "int8",   [COLUMN_I16] = "int16",   [COLUMN_I32] = "int32",
        [COLUMN_I64] = "int64", [COLUMN_F64] = "float64", [COLUMN_TEXT] = "string"};
    json_t *fields = json_array();
    for (int i = 0; i < n; i++) {
        json_t *field = json_object();
        set_text(field, "name", columns[i].name);
        set_text(field, "type", types[columns[i].type]);
        (void)json_array_append_new(fields, field);
    }
    json_t *facet = add_facet(facets, "schema", "1-1-1/SchemaDatasetFacet.json");
    (void)json_object_set_new(facet, "fields", fields);
}

static void add_generation(json_t *facets, int64_t generation)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%lld", (long long)generation);
    add_version(facets, text);
}

/* A table of the store, read or written. */
static json_t *store_dataset(const Store *store, const char *table, bool is_output)
{
    ColumnSpec columns[TABLE_COLUMNS_MAX];
    json_t *json = dataset(store_path(store), table);
    json_t *facets = add_object(json, "facets");
    add_schema(facets, columns, store_columns(store, table, columns));
    add_generation(facets, store_generation(store));
    json_t *own = add_object(json, is_output ? "outputFacets" : "inputFacets");
    json_t *counts = add_facet(own, is_output ? "outputStatistics" : "inputStatistics",
                               is_output ? "1-0-2/OutputStatisticsOutputDatasetFacet.json"
                                         : "1-0-0/InputStatisticsInputDatasetFacet.json");
    set_count(counts, "rowCount", store_rows(store, table));
    return json;
}

/* One --input TABLE=PATH. Its content is known once it was taken in. */
static json_t *input_dataset(const Run *run, const char *table, const char *path)
{
    json_t *json = dataset(path, source_is_database(path) ? table : NULL);
    int count = 0;
    const StoreInput *input = run->ingest.changed ? store_newest_inputs(run->store, &count) : NULL;
    while (count > 0 && (strcmp(input->path, path) != 0 || strcmp(input->table, table) != 0)) {
        input++;
        count--;
    }
    if (count == 0)
        return json;
    char checksum[40];
    (void)snprintf(checksum, sizeof checksum, "%016llx%016llx",
                   (unsigned long long)input->content_high, (unsigned long long)input->content_low);
    json_t *facet =
        add_facet(add_object(json, "facets"), "vesper_content", "urn:vesper:facet:content:1");
    set_text(facet, "xxh3_128", checksum);
    json_t *counts = add_facet(add_object(json, "inputFacets"), "inputStatistics",
                               "1-0-0/InputStatisticsInputDatasetFacet.json");
    set_count(counts, "rowCount", input->counts.read);
    set_count(counts, "size", input->bytes);
    return json;
}

/* Files and databases, where the run takes in any; else the store's tables. */
static json_t *inputs_of(const Run *run)
{
    json_t *inputs = json_array();
    int n = config_list_count(run->config, "input");
    for (int i = 0; i < n; i++) {
        const char *input = config_list_item(run->config, "input", i);
        const char *path = strchr(input, '=');
        char table[STORE_NAME_SIZE];
        if (path == NULL)
            continue;
        (void)snprintf(table, sizeof table, "%.*s", (int)(path - input), input);
        (void)json_array_append_new(inputs, input_dataset(run, table, path + 1));
    }
    for (int i = 0; n == 0 && run->store != NULL && i < INPUT_COUNT; i++) {
        const char *table = input_schema((InputTable)i)->name;
        if (store_rows(run->store, table) > 0)
            (void)json_array_append_new(inputs, store_dataset(run->store, table, false));
    }
    return inputs;
}

static json_t *result_dataset(const Run *run, const ResultTable *table)
{
    bool is_published = run->published.run[0] != '\0';
    Buffer folder = {0};
    buffer_printf(&folder, "%s/results", store_path(run->store));
    json_t *json = dataset(is_published ? config_text(run->config, "to") : buffer_string(&folder),
                           table->name);
    json_t *facets = add_object(json, "facets");
    add_schema(facets, table->columns, table->n_columns);
    if (is_published)
        add_version(facets, run->published.run);
    else
        add_generation(facets, store_generation(run->store));
    json_t *counts = add_facet(add_object(json, "outputFacets"), "outputStatistics",
                               "1-0-2/OutputStatisticsOutputDatasetFacet.json");
    set_count(counts, "rowCount", table->rows);
    buffer_free(&folder);
    return json;
}

/* The tables that were published or computed; else those of the store that got rows. */
static json_t *outputs_of(const Run *run, const ResultReader *reader)
{
    json_t *outputs = json_array();
    for (int i = 0; reader != NULL && i < results_count(reader); i++)
        (void)json_array_append_new(outputs, result_dataset(run, results_table(reader, i)));
    for (int i = 0; reader == NULL && i < INPUT_COUNT; i++) {
        const char *table = input_schema((InputTable)i)->name;
        if (run->ingest.given[i] && run->store != NULL && store_rows(run->store, table) > 0)
            (void)json_array_append_new(outputs, store_dataset(run->store, table, true));
    }
    return outputs;
}

static json_t *run_json(const Run *run, const Error *failure)
{
    json_t *json = json_object();
    json_t *facets = add_object(json, "facets");
    json_t *engine = add_facet(facets, "processing_engine", "1-1-1/ProcessingEngineRunFacet.json");
    set_text(engine, "name", "vesper");
    set_text(engine, "version", VESPER_VERSION);
    if (failure != NULL) {
        json_t *facet = add_facet(facets, "errorMessage", "1-0-1/ErrorMessageRunFacet.json");
        set_text(facet, "message", failure->message);
        set_text(facet, "programmingLanguage", "C");
    }
    set_text(json, "runId", run->record.id);
    return json;
}

/* The job's namespace is its store: jobs of the same name work on different ones. */
static json_t *job_json(const Run *run)
{
    json_t *json = json_object();
    Buffer space = {0};
    const char *store = config_text(run->config, "store");
    buffer_append_string(&space, "vesper");
    if (store != NULL) {
        buffer_append_string(&space, ":");
        append_absolute(store, &space);
    }
    set_text(json, "namespace", buffer_string(&space));
    set_text(json, "name", run->job);
    json_t *type = add_facet(add_object(json, "facets"), "jobType", "2-0-3/JobTypeJobFacet.json");
    set_text(type, "processingType", "BATCH");
    set_text(type, "integration", "VESPER");
    set_text(type, "jobType", "JOB");
    buffer_free(&space);
    return json;
}

/* Append one event. `outputs` is taken over. */
static Status append_event(const Run *run, const char *type, json_t *outputs, const Error *failure,
                           Error *error)
{
    Status status;
    Buffer line = {0};
    char now[CIVIL_TEXT_SIZE];
    json_t *event = json_object();
    civil_format_utc(run_record_now_us(), now);
    set_text(event, "eventType", type);
    set_text(event, "eventTime", now);
    (void)json_object_set_new(event, "run", run_json(run, failure));
    (void)json_object_set_new(event, "job", job_json(run));
    (void)json_object_set_new(event, "inputs", inputs_of(run));
    (void)json_object_set_new(event, "outputs", outputs);
    set_text(event, "producer", producer);
    set_text(event, "schemaURL", SPEC "2-0-2/OpenLineage.json#/$defs/RunEvent");
    char *text = json_dumps(event, JSON_COMPACT);
    json_decref(event);
    vesper_assert(text != NULL);
    buffer_printf(&line, "%s\n", text);
    free(text);
    TRY(fault_point("lineage.write", error));
    TRY(files_append_public(config_text(run->config, "lineage"), buffer_view(&line), error));
out:
    buffer_free(&line);
    return status;
}

Status lineage_begin(Run *run, Error *error)
{
    if (config_text(run->config, "lineage") == NULL)
        return STATUS_OK;
    make_run_id(run->record.started_us, run->record.id);
    return append_event(run, "START", json_array(), NULL, error);
}

Status lineage_end(const Run *run, const ResultReader *reader, const Error *failure, Error *error)
{
    if (config_text(run->config, "lineage") == NULL)
        return STATUS_OK;
    return append_event(run, failure != NULL ? "FAIL" : "COMPLETE",
                        failure != NULL ? json_array() : outputs_of(run, reader), failure, error);
}
