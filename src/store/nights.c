/* Nights as files; see nights.h. */
#include "store/nights.h"

#include "base/civil.h"
#include "base/fault.h"
#include "base/memory.h"
#include "store/files.h"
#include "store/internal.h"

#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FOLDER "nights"
enum { NIGHT_FORMAT = 1, RECORD_MAX = 1 << 24, TABLES_MAX = 1000, LINES_MAX = 1000 };

/* ---- as JSON ---- */

static json_t *parts_json(const Night *night)
{
    json_t *parts = json_array();
    for (int i = 0; i < night->n_parts; i++) {
        const NightResults *part = &night->parts[i];
        json_array_append_new(parts, json_pack("{ss ss sb}", "kind", part->kind, "run", part->run,
                                               "left_out", part->is_left_out));
    }
    return parts;
}

static json_t *tables_json(const Night *night)
{
    json_t *tables = json_array();
    for (int i = 0; i < night->n_tables; i++) {
        const NightTable *table = &night->tables[i];
        json_array_append_new(tables, json_pack("{ss sI si}", "name", table->name, "rows",
                                                (json_int_t)table->rows, "part", table->part));
    }
    return tables;
}

static json_t *measures_json(const Night *night)
{
    json_t *measures = json_array();
    for (int i = 0; i < night->n_measures; i++) {
        const NightMeasure *measure = &night->measures[i];
        json_array_append_new(measures, json_pack("{ss sI so so}", "name", measure->name, "n",
                                                  (json_int_t)measure->n, "value",
                                                  json_real_or_null(measure->value), "rival",
                                                  json_real_or_null(measure->rival)));
    }
    return measures;
}

static json_t *failed_json(const Night *night)
{
    json_t *failed = json_array();
    for (int i = 0; i < night->n_failed; i++)
        json_array_append_new(failed, json_text(night->failed[i].text));
    return failed;
}

static void print_night(const Night *night, Buffer *json)
{
    json_t *root = json_pack(
        "{si sI ss ss sI ss sI so so ss so si sI sI so so so so}", "format", NIGHT_FORMAT, "night",
        (json_int_t)night->number, "decision", night_decision_name(night->decision), "run",
        night->run, "generation", (json_int_t)night->generation, "as_of", night->as_of, "days",
        (json_int_t)night->days, "target", json_text(night->target ? night->target : ""), "reason",
        night->reason ? json_text(night->reason) : json_null(), "recorded", night->recorded,
        "seconds", json_real_or_null(night->seconds), "ranks", night->ranks, "rows_read",
        (json_int_t)night->rows.read, "rows_rejected", (json_int_t)night->rows.rejected, "parts",
        parts_json(night), "tables", tables_json(night), "measures", measures_json(night), "failed",
        failed_json(night));
    json_print(root, json);
}

static NightDecision parse_decision(JsonCheck *check, const json_t *root)
{
    const char *name = json_get_text(check, root, "decision");
    for (int k = 0; k < NIGHT_DECISIONS; k++) {
        if (strcmp(name, night_decision_name((NightDecision)k)) == 0)
            return (NightDecision)k;
    }
    json_require(check, false, "decision");
    return NIGHT_REFUSED;
}

/* null is NaN. */
static double parse_real(JsonCheck *check, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    json_require(check, json_is_number(value) || json_is_null(value), key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static void parse_parts(JsonCheck *check, const json_t *root, Night *night)
{
    const json_t *parts = json_get_array(check, root, "parts", NIGHT_PARTS_MAX);
    for (size_t i = 0; i < json_array_size(parts); i++) {
        const json_t *from = json_array_get(parts, i);
        NightResults *part = &night->parts[night->n_parts++];
        json_get_name(check, from, "kind", part->kind, sizeof part->kind);
        json_get_name(check, from, "run", part->run, sizeof part->run);
        part->is_left_out = json_is_true(json_object_get(from, "left_out"));
    }
}

static void parse_tables(JsonCheck *check, const json_t *root, Night *night)
{
    const json_t *tables = json_get_array(check, root, "tables", TABLES_MAX);
    for (size_t i = 0; i < json_array_size(tables); i++) {
        const json_t *from = json_array_get(tables, i);
        char name[STORE_NAME_SIZE] = "";
        json_get_name(check, from, "name", name, sizeof name);
        int64_t rows = json_get_int(check, from, "rows", 0, INT64_MAX);
        int64_t part = json_get_int(check, from, "part", 0, NIGHT_PARTS_MAX - 1);
        night_add_table(night, name, rows, (int)part);
    }
}

static void parse_measures(JsonCheck *check, const json_t *root, Night *night)
{
    const json_t *measures = json_get_array(check, root, "measures", NIGHT_MEASURES_MAX);
    for (size_t i = 0; i < json_array_size(measures); i++) {
        const json_t *from = json_array_get(measures, i);
        NightMeasure *measure = &night->measures[night->n_measures++];
        json_get_name(check, from, "name", measure->name, sizeof measure->name);
        measure->n = json_get_int(check, from, "n", 0, INT64_MAX);
        measure->value = parse_real(check, from, "value");
        measure->rival = parse_real(check, from, "rival");
    }
}

static Status parse_night(Bytes json, const char *shown, Night *night, Error *error)
{
    Status status;
    json_t *root = NULL;
    JsonCheck check = {0};
    TRY(json_read(json, shown, &root, error));
    TRY(json_check_format(root, shown, NIGHT_FORMAT, error));
    night->number = json_get_int(&check, root, "night", 1, INT64_MAX);
    night->decision = parse_decision(&check, root);
    json_get_name(&check, root, "run", night->run, sizeof night->run);
    night->generation = json_get_int(&check, root, "generation", 0, INT64_MAX);
    json_get_name(&check, root, "as_of", night->as_of, sizeof night->as_of);
    night->days = json_get_int(&check, root, "days", 0, INT64_MAX);
    night_set_text(&night->target, json_get_text(&check, root, "target"));
    night_set_text(&night->reason, json_string_value(json_object_get(root, "reason")));
    json_get_name(&check, root, "recorded", night->recorded, sizeof night->recorded);
    night->seconds = parse_real(&check, root, "seconds");
    night->ranks = (int)json_get_int(&check, root, "ranks", 0, INT32_MAX);
    night->rows.read = json_get_int(&check, root, "rows_read", 0, INT64_MAX);
    night->rows.rejected = json_get_int(&check, root, "rows_rejected", 0, INT64_MAX);
    parse_parts(&check, root, night);
    parse_tables(&check, root, night);
    parse_measures(&check, root, night);
    const json_t *failed = json_get_array(&check, root, "failed", LINES_MAX);
    for (size_t i = 0; i < json_array_size(failed); i++) {
        const char *text = json_string_value(json_array_get(failed, i));
        night_add_failed(night, text ? text : "");
    }
    TRY(json_checked(&check, shown, error));
out:
    json_decref(root);
    return status;
}

/* ---- files ---- */

static void record_path(const Store *store, int64_t number, Buffer *path)
{
    buffer_clear(path);
    buffer_printf(path, "%s/" FOLDER "/%06" PRId64 ".json", store->path, number);
}

/* The number of a record's file; 0: it is none. */
static int64_t number_of(const char *name)
{
    char *end = NULL;
    long long number = name[0] >= '0' && name[0] <= '9' ? strtoll(name, &end, 10) : 0;
    return number > 0 && strcmp(end, ".json") == 0 ? number : 0;
}

static int compare_newest_first(const void *left, const void *right)
{
    const int64_t *a = left, *b = right;
    return (*a < *b) - (*a > *b);
}

/* Numbers of all records, newest first (mem_free). */
static Status list_numbers(const Store *store, int64_t **numbers, int *n, Error *error)
{
    Status status = STATUS_OK;
    Buffer path = {0};
    *numbers = NULL;
    *n = 0;
    store_file(store, FOLDER, &path);
    TRY(fault_point("nights.list", error));
    if (!files_exist(buffer_string(&path)))
        goto out;
    DIR *folder = opendir(buffer_string(&path));
    if (!folder) {
        status = files_error(error, "read the folder", buffer_string(&path));
        goto out;
    }
    const struct dirent *next;
    while ((next = readdir(folder))) {
        int64_t number = number_of(next->d_name);
        if (number == 0)
            continue;
        mem_grow(numbers, *n + 1, sizeof **numbers);
        (*numbers)[(*n)++] = number;
    }
    closedir(folder);
    if (*n > 0)
        qsort(*numbers, (size_t)*n, sizeof **numbers, compare_newest_first);
out:
    buffer_free(&path);
    return status;
}

static Status read_record(const Store *store, int64_t number, Night *night, Error *error)
{
    Status status;
    Buffer path = {0}, json = {0};
    record_path(store, number, &path);
    TRY(files_read_small(buffer_string(&path), RECORD_MAX, &json, error));
    TRY(parse_night(buffer_view(&json), buffer_string(&path), night, error));
    night->number = number; /* the file's name decides */
out:
    buffer_free(&path);
    buffer_free(&json);
    return status;
}

Status nights_list(const Store *store, int most, NightList *list, Error *error)
{
    Status status;
    int64_t *numbers = NULL;
    int n = 0;
    *list = (NightList){0};
    TRY(list_numbers(store, &numbers, &n, error));
    n = most > 0 && most < n ? most : n;
    if (n > 0)
        list->nights = mem_new(n, sizeof *list->nights);
    for (int i = 0; i < n; i++) {
        list->n++;
        TRY(read_record(store, numbers[i], &list->nights[i], error));
    }
out:
    mem_free(&numbers);
    if (status != STATUS_OK)
        nights_free(list);
    return status;
}

RowCounts nights_rows_since(const Store *store, int64_t generation)
{
    RowCounts sum = {0};
    for (int b = 0; b < store->manifest.n_batches; b++) {
        if (store->manifest.batches[b].number > generation)
            manifest_count(&store->manifest.batches[b], NULL, &sum);
    }
    return sum;
}

/* ---- recording ---- */

static Status remove_old(const Store *store, Error *error)
{
    Status status;
    NightList list = {0};
    Buffer path = {0};
    TRY(nights_list(store, 0, &list, error));
    for (int i = NIGHTS_KEPT; i < list.n; i++) {
        const Night *night = &list.nights[i];
        if (nights_in_force(&list, night->target) == night)
            continue;
        record_path(store, night->number, &path);
        TRY(files_remove(buffer_string(&path), error));
    }
out:
    nights_free(&list);
    buffer_free(&path);
    return status;
}

Status night_record(const Store *store, Night *night, Error *error)
{
    Status status;
    Buffer path = {0}, json = {0};
    int64_t *numbers = NULL;
    int n = 0;
    vesper_assert(store->mode == STORE_WRITE);
    TRY(list_numbers(store, &numbers, &n, error));
    store_file(store, FOLDER, &path);
    TRY(files_make_folder(buffer_string(&path), error));
    night->number = n > 0 ? numbers[0] + 1 : 1;
    civil_format_utc((int64_t)time(NULL) * 1000000, night->recorded);
    print_night(night, &json);
    record_path(store, night->number, &path);
    TRY(fault_point("nights.record", error));
    TRY(files_write_small(buffer_string(&path), buffer_view(&json), error));
    if (n >= NIGHTS_KEPT)
        TRY(remove_old(store, error));
    TRY(fault_point("nights.recorded", error));
out:
    mem_free(&numbers);
    buffer_free(&path);
    buffer_free(&json);
    return status;
}
