/* Manifests and settings as JSON. */
#include "store/manifest.h"

#include "base/memory.h"
#include "store/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { BATCHES_MAX = 1 << 20, INPUTS_MAX = 1 << 20, TABLES_MAX = 256, PARTITIONS_MAX = 1 << 20 };

static const char *const kind_names[] = {"order_lines", "append", "global"};
enum { N_KINDS = sizeof kind_names / sizeof *kind_names };

const char *manifest_kind_name(TableKind kind)
{
    return kind_names[kind];
}

/* ---- memory ---- */

static void free_input(StoreInput *input)
{
    mem_free(&input->path);
    mem_free(&input->watermark_column);
    mem_free(&input->watermark);
}

void manifest_batch_free(ManifestBatch *batch)
{
    for (int i = 0; i < batch->n_inputs; i++)
        free_input(&batch->inputs[i]);
    mem_free(&batch->inputs);
    mem_free(&batch->tables);
    memset(batch, 0, sizeof *batch);
}

void manifest_free(Manifest *manifest)
{
    for (int i = 0; i < manifest->n_batches; i++)
        manifest_batch_free(&manifest->batches[i]);
    mem_free(&manifest->batches);
    mem_free(&manifest->weights);
    memset(manifest, 0, sizeof *manifest);
}

void manifest_init(Manifest *manifest, int32_t partitions)
{
    memset(manifest, 0, sizeof *manifest);
    manifest->partitions = partitions;
    manifest->weights = mem_new(partitions, sizeof *manifest->weights);
}

/* Room for one more than `count` elements; the room doubles whenever the count is a power of two.
 */
static void grow(void *array, int count, size_t size)
{
    if ((count & (count - 1)) == 0)
        mem_grow(array, count > 0 ? 2 * (int64_t)count : 1, size);
}

void manifest_add_batch(Manifest *manifest, ManifestBatch *batch)
{
    grow(&manifest->batches, manifest->n_batches, sizeof *manifest->batches);
    manifest->batches[manifest->n_batches++] = *batch;
    memset(batch, 0, sizeof *batch);
}

void manifest_batch_add_input(ManifestBatch *batch, const StoreInput *input)
{
    grow(&batch->inputs, batch->n_inputs, sizeof *batch->inputs);
    StoreInput *added = &batch->inputs[batch->n_inputs++];
    *added = *input;
    added->path = mem_copy_string(input->path ? input->path : "");
    added->watermark_column =
        input->watermark_column ? mem_copy_string(input->watermark_column) : NULL;
    added->watermark = input->watermark ? mem_copy_string(input->watermark) : NULL;
}

void manifest_batch_add_table(ManifestBatch *batch, const ManifestTable *table)
{
    grow(&batch->tables, batch->n_tables, sizeof *batch->tables);
    batch->tables[batch->n_tables++] = *table;
}

const ManifestTable *manifest_batch_table(const ManifestBatch *batch, const char *name)
{
    for (int i = 0; i < batch->n_tables; i++) {
        if (strcmp(batch->tables[i].name, name) == 0)
            return &batch->tables[i];
    }
    return NULL;
}

ManifestTable manifest_table_of(const SegmentLayout *layout, TableKind kind)
{
    ManifestTable table = {.kind = kind,
                           .rows = layout->rows,
                           .bytes = layout->file_bytes,
                           .n_columns = layout->n_columns};
    memcpy(table.name, layout->table, sizeof table.name);
    for (int i = 0; i < layout->n_columns; i++) {
        memcpy(table.columns[i].name, layout->columns[i].name, COLUMN_NAME_SIZE);
        table.columns[i].type = layout->columns[i].type;
        table.columns[i].unit = layout->columns[i].unit;
    }
    return table;
}

bool manifest_table_fits(const ManifestTable *table, const SegmentLayout *layout)
{
    if (strcmp(layout->table, table->name) != 0 || layout->rows != table->rows ||
        layout->file_bytes != table->bytes || layout->n_columns != table->n_columns)
        return false;
    for (int i = 0; i < table->n_columns; i++) {
        if (strcmp(layout->columns[i].name, table->columns[i].name) != 0 ||
            layout->columns[i].type != table->columns[i].type ||
            layout->columns[i].unit != table->columns[i].unit)
            return false;
    }
    return true;
}

void manifest_count(const ManifestBatch *batch, const char *table, RowCounts *counts)
{
    for (int i = 0; i < batch->n_inputs; i++) {
        const StoreInput *input = &batch->inputs[i];
        if (table != NULL && strcmp(input->table, table) != 0)
            continue;
        counts->read += input->counts.read;
        counts->stored += input->counts.stored;
        counts->rejected += input->counts.rejected;
        counts->unchanged += input->counts.unchanged;
        counts->replaced_orders += input->counts.replaced_orders;
        counts->replaced_rows += input->counts.replaced_rows;
    }
}

/* ---- printing ---- */

static json_t *counts_json(const RowCounts *counts)
{
    return json_pack("{sI sI sI sI sI sI}", "read", (json_int_t)counts->read, "stored",
                     (json_int_t)counts->stored, "rejected", (json_int_t)counts->rejected,
                     "unchanged", (json_int_t)counts->unchanged, "replaced_orders",
                     (json_int_t)counts->replaced_orders, "replaced_rows",
                     (json_int_t)counts->replaced_rows);
}

static json_t *input_json(const StoreInput *input)
{
    json_t *json = json_pack("{ss so sI so so so}", "table", input->table, "path",
                             json_text(input->path), "bytes", (json_int_t)input->bytes,
                             "content_high", json_hex(input->content_high), "content_low",
                             json_hex(input->content_low), "counts", counts_json(&input->counts));
    if (input->watermark != NULL) {
        json_object_set_new(json, "watermark_column", json_text(input->watermark_column));
        json_object_set_new(json, "watermark", json_text(input->watermark));
    }
    return json;
}

json_t *manifest_columns_json(const ManifestTable *table)
{
    json_t *columns = json_array();
    for (int i = 0; i < table->n_columns; i++) {
        const ManifestColumn *column = &table->columns[i];
        json_array_append_new(columns, json_sprintf("%s %s %s", column->name,
                                                    segment_type_name(column->type),
                                                    segment_unit_name(column->unit)));
    }
    return columns;
}

static json_t *table_json(const ManifestTable *table, int64_t number)
{
    return json_pack("{ss ss sI sI so so}", "name", table->name, "kind", kind_names[table->kind],
                     "rows", (json_int_t)table->rows, "bytes", (json_int_t)table->bytes, "columns",
                     manifest_columns_json(table), "file",
                     json_sprintf("segments/%06" PRId64 "/%s.h5", number, table->name));
}

/* Counts of each table that has inputs in batches [begin, end), by name. */
static json_t *sums_json(const Manifest *manifest, int begin, int end)
{
    json_t *sums = json_object();
    for (int b = begin; b < end; b++) {
        for (int i = 0; i < manifest->batches[b].n_inputs; i++) {
            const char *table = manifest->batches[b].inputs[i].table;
            if (json_object_get(sums, table))
                continue;
            RowCounts counts = {0};
            for (int k = begin; k < end; k++)
                manifest_count(&manifest->batches[k], table, &counts);
            json_object_set_new(sums, table, counts_json(&counts));
        }
    }
    return sums;
}

static json_t *batch_json(const Manifest *manifest, int b)
{
    const ManifestBatch *batch = &manifest->batches[b];
    json_t *inputs = json_array();
    json_t *tables = json_array();
    for (int i = 0; i < batch->n_inputs; i++)
        json_array_append_new(inputs, input_json(&batch->inputs[i]));
    for (int i = 0; i < batch->n_tables; i++)
        json_array_append_new(tables, table_json(&batch->tables[i], batch->number));
    return json_pack("{sI so so so}", "number", (json_int_t)batch->number, "inputs", inputs,
                     "tables", tables, "counts", sums_json(manifest, b, b + 1));
}

void manifest_print(const Manifest *manifest, Buffer *json)
{
    json_t *batches = json_array();
    json_t *weights = json_array();
    for (int i = 0; i < manifest->n_batches; i++)
        json_array_append_new(batches, batch_json(manifest, i));
    for (int32_t i = 0; i < manifest->partitions; i++)
        json_array_append_new(weights, json_integer(manifest->weights[i]));
    json_print(json_pack("{si sI so so so}", "format", STORE_FORMAT, "generation",
                         (json_int_t)manifest->generation, "batches", batches, "totals",
                         sums_json(manifest, 0, manifest->n_batches), "order_lines_in_force",
                         weights),
               json);
}

void manifest_print_settings(const StoreSettings *settings, Buffer *json)
{
    json_print(json_pack("{si si si so so}", "format", STORE_FORMAT, "partitions",
                         (int)settings->partitions, "money_decimals", settings->money_decimals,
                         "time_zone", json_text(settings->time_zone), "currency",
                         json_text(settings->currency)),
               json);
}

/* ---- parsing ---- */

static void parse_counts(JsonCheck *check, const json_t *from, RowCounts *counts)
{
    counts->read = json_get_int(check, from, "read", 0, INT64_MAX);
    counts->stored = json_get_int(check, from, "stored", 0, INT64_MAX);
    counts->rejected = json_get_int(check, from, "rejected", 0, INT64_MAX);
    counts->unchanged = json_get_int(check, from, "unchanged", 0, INT64_MAX);
    counts->replaced_orders = json_get_int(check, from, "replaced_orders", 0, INT64_MAX);
    counts->replaced_rows = json_get_int(check, from, "replaced_rows", 0, INT64_MAX);
}

static void parse_input(JsonCheck *check, const json_t *from, ManifestBatch *batch)
{
    StoreInput input = {0};
    json_get_name(check, from, "table", input.table, sizeof input.table);
    input.path = mem_copy_string(json_get_text(check, from, "path"));
    input.bytes = json_get_int(check, from, "bytes", 0, INT64_MAX);
    input.content_high = json_get_hex(check, from, "content_high");
    input.content_low = json_get_hex(check, from, "content_low");
    parse_counts(check, json_object_get(from, "counts"), &input.counts);
    if (json_object_get(from, "watermark") != NULL) {
        input.watermark_column = mem_copy_string(json_get_text(check, from, "watermark_column"));
        input.watermark = mem_copy_string(json_get_text(check, from, "watermark"));
    }
    manifest_batch_add_input(batch, &input);
    free_input(&input);
}

/* "NAME TYPE UNIT". */
static bool parse_column(const char *text, ManifestColumn *column)
{
    const char *type = text ? strchr(text, ' ') : NULL;
    const char *unit = type ? strchr(type + 1, ' ') : NULL;
    if (!unit)
        return false;
    Bytes name = {.data = text, .size = type - text};
    if (!segment_column_name_is_valid(name) ||
        !segment_type_parse((Bytes){.data = type + 1, .size = unit - type - 1}, &column->type) ||
        !segment_unit_parse(bytes_of(unit + 1), &column->unit))
        return false;
    memcpy(column->name, name.data, (size_t)name.size);
    column->name[name.size] = '\0';
    return true;
}

void manifest_parse_columns(JsonCheck *check, const json_t *from, ManifestTable *table)
{
    const json_t *columns = json_get_array(check, from, "columns", TABLE_COLUMNS_MAX);
    for (size_t i = 0; i < json_array_size(columns); i++) {
        bool is_good = parse_column(json_string_value(json_array_get(columns, i)),
                                    &table->columns[table->n_columns]);
        json_require(check, is_good, "columns");
        table->n_columns += is_good;
    }
}

bool manifest_is_file_name(const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t length = strlen(name);
    return length > 0 && length < STORE_NAME_SIZE && name[0] != '.' &&
           strspn(name, allowed) == length;
}

static void parse_table(JsonCheck *check, const json_t *from, ManifestBatch *batch)
{
    ManifestTable table = {0};
    json_get_name(check, from, "name", table.name, sizeof table.name);
    json_require(check, manifest_is_file_name(table.name), "name");
    const char *kind = json_get_text(check, from, "kind");
    int k = 0;
    while (k < N_KINDS && strcmp(kind_names[k], kind) != 0)
        k++;
    json_require(check, k < N_KINDS, "kind");
    table.kind = k < N_KINDS ? (TableKind)k : TABLE_APPEND;
    table.rows = json_get_int(check, from, "rows", 0, INT64_MAX);
    table.bytes = json_get_int(check, from, "bytes", 0, INT64_MAX);
    manifest_parse_columns(check, from, &table);
    json_require(check, !manifest_batch_table(batch, table.name), "name");
    manifest_batch_add_table(batch, &table);
}

static void parse_batch(JsonCheck *check, const json_t *from, Manifest *manifest)
{
    ManifestBatch batch = {0};
    int64_t last = manifest->n_batches > 0 ? manifest->batches[manifest->n_batches - 1].number : 0;
    batch.number = json_get_int(check, from, "number", last + 1, manifest->generation);
    const json_t *inputs = json_get_array(check, from, "inputs", INPUTS_MAX);
    const json_t *tables = json_get_array(check, from, "tables", TABLES_MAX);
    for (size_t i = 0; i < json_array_size(inputs); i++)
        parse_input(check, json_array_get(inputs, i), &batch);
    for (size_t i = 0; i < json_array_size(tables); i++)
        parse_table(check, json_array_get(tables, i), &batch);
    manifest_add_batch(manifest, &batch);
}

static void parse_weights(JsonCheck *check, const json_t *from, Manifest *manifest)
{
    const json_t *weights = json_get_array(check, from, "order_lines_in_force", PARTITIONS_MAX);
    json_require(check, json_array_size(weights) == (size_t)manifest->partitions,
                 "order_lines_in_force");
    int64_t most = INT64_MAX / manifest->partitions;
    for (int32_t i = 0; i < manifest->partitions && !check->missing; i++) {
        const json_t *weight = json_array_get(weights, (size_t)i);
        int64_t value = json_integer_value(weight);
        json_require(check, json_is_integer(weight) && value >= 0 && value <= most,
                     "order_lines_in_force");
        manifest->weights[i] = value;
    }
}

Status manifest_parse(Bytes json, const char *shown, int32_t partitions, Manifest *manifest,
                      Error *error)
{
    Status status;
    json_t *root = NULL;
    JsonCheck check = {0};
    manifest_init(manifest, partitions);
    TRY(json_read(json, shown, &root, error));
    TRY(json_check_format(root, shown, STORE_FORMAT, error));
    manifest->generation = json_get_int(&check, root, "generation", 0, INT64_MAX - 1);
    const json_t *batches = json_get_array(&check, root, "batches", BATCHES_MAX);
    for (size_t i = 0; i < json_array_size(batches); i++)
        parse_batch(&check, json_array_get(batches, i), manifest);
    parse_weights(&check, root, manifest);
    TRY(json_checked(&check, shown, error));
out:
    json_decref(root);
    if (status != STATUS_OK)
        manifest_free(manifest);
    return status;
}

Status manifest_parse_settings(Bytes json, const char *shown, StoreSettings *settings, Error *error)
{
    Status status;
    json_t *root = NULL;
    JsonCheck check = {0};
    memset(settings, 0, sizeof *settings);
    TRY(json_read(json, shown, &root, error));
    TRY(json_check_format(root, shown, STORE_FORMAT, error));
    settings->partitions = (int32_t)json_get_int(&check, root, "partitions", 1, PARTITIONS_MAX);
    settings->money_decimals = (int)json_get_int(&check, root, "money_decimals", 0, 9);
    json_get_name(&check, root, "time_zone", settings->time_zone, sizeof settings->time_zone);
    json_get_name(&check, root, "currency", settings->currency, sizeof settings->currency);
    json_require(&check, (settings->partitions & (settings->partitions - 1)) == 0, "partitions");
    TRY(json_checked(&check, shown, error));
out:
    json_decref(root);
    return status;
}
