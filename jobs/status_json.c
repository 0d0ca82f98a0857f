/* `vesper status --json`: what status.c tells people, for programs. */
#include "status.h"

#include "base/civil.h"
#include "store/json.h"

#include <stdio.h>

static json_t *sizes_json(const SurveySize *size)
{
    return json_pack("{sI sI}", "files", (json_int_t)size->files, "bytes", (json_int_t)size->bytes);
}

static json_t *entries_json(const SurveyEntries *entries)
{
    json_t *list = json_array();
    for (int i = 0; i < entries->n; i++) {
        const SurveyEntry *entry = &entries->entries[i];
        (void)json_array_append_new(list, json_pack("{so sI}", "name", json_text(entry->name),
                                                    "bytes", (json_int_t)entry->size.bytes));
    }
    return list;
}

static json_t *unpublished_json(const StatusFacts *facts)
{
    json_t *list = json_array();
    for (int i = 0; i < facts->results.n; i++) {
        if (status_is_unpublished(facts, &facts->results.entries[i]))
            (void)json_array_append_new(list, json_text(facts->results.entries[i].name));
    }
    return list;
}

static json_t *inputs_json(const Store *store)
{
    int n = 0;
    json_t *list = json_array();
    const StoreInput *inputs = store_newest_inputs(store, &n);
    for (int i = 0; i < n; i++) {
        const StoreInput *input = &inputs[i];
        (void)json_array_append_new(list, json_pack("{ss so sI sI sI}", "table", input->table,
                                                    "path", json_text(input->path), "read",
                                                    (json_int_t)input->counts.read, "stored",
                                                    (json_int_t)input->counts.stored, "rejected",
                                                    (json_int_t)input->counts.rejected));
    }
    return list;
}

static json_t *lock_json(const SurveyLock *lock)
{
    const char *state = lock->is_held ? "held" : lock->owner[0] != '\0' ? "left" : "free";
    return json_pack("{ss so}", "state", state, "owner", json_text(lock->owner));
}

static json_t *measures_json(const Night *night)
{
    json_t *measures = json_object();
    for (int i = 0; i < night->n_measures; i++) {
        const NightMeasure *measure = &night->measures[i];
        (void)json_object_set_new(measures, measure->name,
                                  json_pack("{sI so so}", "n", (json_int_t)measure->n, "value",
                                            json_real_or_null(measure->value), "rival",
                                            json_real_or_null(measure->rival)));
    }
    return measures;
}

static json_t *night_json(const Night *night)
{
    json_t *failed = json_array(), *parts = json_object(), *tables = json_object();
    for (int i = 0; i < night->n_failed; i++)
        (void)json_array_append_new(failed, json_text(night->failed[i].text));
    for (int i = 0; i < night->n_parts; i++)
        (void)json_object_set_new(parts, night->parts[i].kind, json_text(night->parts[i].run));
    for (int i = 0; i < night->n_tables; i++)
        (void)json_object_set_new(tables, night->tables[i].name,
                                  json_integer(night->tables[i].rows));
    return json_pack("{sI ss ss sI ss so so so so si so so so so}", "night",
                     (json_int_t)night->number, "decision", night_decision_name(night->decision),
                     "run", night->run, "generation", (json_int_t)night->generation, "as_of",
                     night->as_of, "target", json_text(night->target), "reason",
                     night->reason != NULL ? json_text(night->reason) : json_null(), "recorded",
                     json_text(night->recorded), "seconds", json_real_or_null(night->seconds),
                     "ranks", night->ranks, "failed", failed, "results", parts, "rows", tables,
                     "measures", measures_json(night));
}

static json_t *nights_json(const StatusFacts *facts)
{
    json_t *list = json_array();
    for (int i = 0; i < facts->nights.n && i < facts->told; i++)
        (void)json_array_append_new(list, night_json(&facts->nights.nights[i]));
    return list;
}

static json_t *past_json(const StatusFacts *facts)
{
    json_t *list = json_array();
    for (int i = 0; i < facts->n_past; i++) {
        const PastNight *night = &facts->past[i];
        char day[CIVIL_TEXT_SIZE];
        civil_format_day(night->day, day);
        (void)json_array_append_new(list,
                                    json_pack("{ss sI ss}", "day", day, "generation",
                                              (json_int_t)night->generation, "run", night->run));
    }
    return list;
}

static json_t *store_json(const StatusFacts *facts)
{
    const StoreSettings *settings = store_settings(facts->store);
    return json_pack("{so sI si si ss ss si ss ss}", "path", json_text(store_path(facts->store)),
                     "generation", (json_int_t)store_generation(facts->store), "batches",
                     store_batch_count(facts->store), "partitions", (int)settings->partitions,
                     "time_zone", settings->time_zone, "currency", settings->currency,
                     "money_decimals", settings->money_decimals, "first_day", facts->first_day,
                     "last_day", facts->last_day);
}

void status_print_json(const StatusFacts *facts)
{
    Buffer text = {0};
    json_t *rows = json_object(), *disk = json_object();
    for (int i = 0; i < facts->n_tables; i++)
        (void)json_object_set_new(rows, facts->tables[i],
                                  json_integer(store_rows(facts->store, facts->tables[i])));
    (void)json_object_set_new(disk, "all", sizes_json(&facts->all));
    for (int i = 0; i < STATUS_FOLDERS; i++)
        (void)json_object_set_new(disk, status_folders[i], sizes_json(&facts->folders[i]));
    json_t *unfinished =
        json_pack("{so so so}", "tmp", entries_json(&facts->unfinished), "checkpoints",
                  entries_json(&facts->checkpoints), "unpublished", unpublished_json(facts));
    json_print(json_pack("{so so so so so so si so so}", "store", store_json(facts), "rows", rows,
                         "disk", disk, "last_input", inputs_json(facts->store), "lock",
                         lock_json(&facts->lock), "unfinished", unfinished, "past_nights",
                         facts->n_past, "past", past_json(facts), "nights", nights_json(facts)),
               &text);
    (void)fputs(buffer_string(&text), stdout);
    buffer_free(&text);
}
