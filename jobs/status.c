/* vesper status: how the store and its last nights are.
 *
 * Question: did last night come to an end, what do the storefront's pages rest on, and is anything
 *           left undone?
 * In:  --store DIR, read without its lock
 * Out: a screen of text, or --json: generation, rows, sizes, last input, lock, unfinished work, and
 *      the last nights with what the gate said of them. */
#include "status.h"

#include "base/civil.h"
#include "base/decimal.h"
#include "base/memory.h"
#include "options.h"
#include "run_name.h"
#include "stage.h"
#include "summary.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LISTED = 3 };

const char *const status_folders[STATUS_FOLDERS] = {"segments", "results",     "rejects",
                                                    "nights",   "checkpoints", "tmp"};

/* ---- looking, on rank 0 ---- */

static void find_days(StatusFacts *facts)
{
    int64_t first, last;
    store_column_range(facts->store, "orders", "day", &first, &last);
    if (first > last)
        return;
    civil_format_day((int32_t)first, facts->first_day);
    civil_format_day((int32_t)last, facts->last_day);
}

static int compare_past(const void *left, const void *right)
{
    const PastNight *a = left, *b = right;
    if (a->day != b->day)
        return a->day < b->day ? -1 : 1;
    return (a->generation < b->generation) - (a->generation > b->generation);
}

static void find_past_nights(StatusFacts *facts)
{
    int n = 0;
    facts->past = mem_new(facts->results.n, sizeof *facts->past);
    for (int i = 0; i < facts->results.n; i++) {
        RunName name;
        PastNight *night = &facts->past[n];
        if (!run_name_parse(facts->results.entries[i].name, &name) || name.as_of == DAY_NONE ||
            name.part != PART_SALES)
            continue;
        night->day = name.as_of;
        night->generation = name.generation;
        run_name_print(&name, night->run);
        n++;
    }
    if (n > 0)
        qsort(facts->past, (size_t)n, sizeof *facts->past, compare_past);
    for (int i = 0; i < n; i++) {
        if (i == 0 || facts->past[i].day != facts->past[i - 1].day)
            facts->past[facts->n_past++] = facts->past[i];
    }
}

static Status look(StatusFacts *facts, Error *error)
{
    Status status;
    const Store *store = facts->store;
    find_days(facts);
    facts->n_tables = survey_tables(store, facts->tables);
    TRY(survey_lock(store, &facts->lock, error));
    TRY(survey_size(store, "", &facts->all, error));
    for (int i = 0; i < STATUS_FOLDERS; i++)
        TRY(survey_size(store, status_folders[i], &facts->folders[i], error));
    TRY(survey_entries(store, "tmp", &facts->unfinished, error));
    TRY(survey_entries(store, "checkpoints", &facts->checkpoints, error));
    TRY(survey_entries(store, "results", &facts->results, error));
    find_past_nights(facts);
    TRY(nights_list(store, 0, &facts->nights, error));
out:
    return status;
}

bool status_is_unpublished(const StatusFacts *facts, const SurveyEntry *results)
{
    size_t name = strcspn(results->name, "."); /* factors belong to the lists learned with them */
    char run[STORE_NAME_SIZE];
    RunName parts;
    if (strtoll(results->name, NULL, 10) != store_generation(facts->store) || name >= sizeof run)
        return false;
    memcpy(run, results->name, name);
    run[name] = '\0';
    if (run_name_parse(run, &parts) && parts.as_of != DAY_NONE)
        return false;
    for (int i = 0; i < facts->nights.n; i++) {
        const Night *night = &facts->nights.nights[i];
        for (int k = 0; night->decision != NIGHT_REFUSED && k < night->n_parts; k++) {
            if (strcmp(night->parts[k].run, run) == 0)
                return false;
        }
    }
    return true;
}

/* ---- as text ---- */

typedef struct ShortText {
    char text[64];
} ShortText;

/* "12.3 MB". */
static ShortText size_text(int64_t bytes)
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
    ShortText result;
    double value = (double)bytes;
    int unit = 0;
    while (value >= 1000.0 && unit < 4) {
        value /= 1000.0;
        unit++;
    }
    (void)snprintf(result.text, sizeof result.text, "%.*f %s", unit > 0 && value < 99.95, value,
                   units[unit]);
    return result;
}

static void tell_store(const StatusFacts *facts)
{
    const StoreSettings *settings = store_settings(facts->store);
    summary_line("store", "%s, %d partitions, %s, %s with %d decimals", store_path(facts->store),
                 (int)settings->partitions, settings->time_zone, settings->currency,
                 settings->money_decimals);
    summary_line("generation", "%lld, of %d %s; %s order lines%s%s%s%s",
                 (long long)store_generation(facts->store), store_batch_count(facts->store),
                 store_batch_count(facts->store) == 1 ? "batch" : "batches",
                 count_text(store_rows(facts->store, "orders")).text,
                 facts->first_day[0] != '\0' ? ", " : "", facts->first_day,
                 facts->first_day[0] != '\0' ? " to " : "", facts->last_day);
}

static void tell_input(const StatusFacts *facts)
{
    int n = 0;
    const StoreInput *inputs = store_newest_inputs(facts->store, &n);
    for (int i = 0; i < n && i < LISTED; i++) {
        const StoreInput *input = &inputs[i];
        summary_line(i == 0 ? "last input" : "", "%s=%s: %s rows, %s stored, %s rejected",
                     input->table, input->path, count_text(input->counts.read).text,
                     count_text(input->counts.stored).text,
                     count_text(input->counts.rejected).text);
    }
    if (n > LISTED)
        summary_line("", "and %d more", n - LISTED);
}

/* Of what comes in; the store has more tables, its own. */
static void tell_tables(const StatusFacts *facts)
{
    Buffer line = {0};
    for (int i = 0; i < INPUT_COUNT; i++) {
        const char *table = input_schema((InputTable)i)->name;
        int64_t rows = store_rows(facts->store, table);
        if (rows > 0)
            buffer_printf(&line, "%s%s %s", line.size > 0 ? ", " : "", table,
                          count_text(rows).text);
    }
    summary_line("rows", "%s", line.size > 0 ? buffer_string(&line) : "none yet");
    buffer_clear(&line);
    for (int i = 0; i < STATUS_FOLDERS; i++) {
        if (facts->folders[i].files > 0)
            buffer_printf(&line, "%s%s %s", line.size > 0 ? ", " : "", status_folders[i],
                          size_text(facts->folders[i].bytes).text);
    }
    summary_line("on disk", "%s in %s files%s%s", size_text(facts->all.bytes).text,
                 count_text(facts->all.files).text, line.size > 0 ? ": " : "",
                 buffer_string(&line));
    buffer_free(&line);
}

static void tell_lock(const StatusFacts *facts)
{
    const SurveyLock *lock = &facts->lock;
    if (lock->is_held)
        summary_line("lock", "held: a run is at work (%s)", lock->owner);
    else if (lock->owner[0] != '\0')
        summary_line("lock", "free, but its last holder died (%s): the next run clears up after it",
                     lock->owner);
    else
        summary_line("lock", "free");
}

/* "unfinished" or nothing in the first column. */
static const char *label_once(bool *is_told)
{
    const char *label = *is_told ? "" : "unfinished";
    *is_told = true;
    return label;
}

static void tell_entries(const SurveyEntries *entries, const char *what, bool *is_told)
{
    int64_t bytes = 0;
    for (int i = 0; i < entries->n; i++)
        bytes += entries->entries[i].size.bytes;
    if (entries->n > 0)
        summary_line(label_once(is_told), "%s %s, %s: %s%s", count_text(entries->n).text, what,
                     size_text(bytes).text, entries->entries[0].name,
                     entries->n > 1 ? " and others" : "");
}

static void tell_unfinished(const StatusFacts *facts)
{
    bool is_told = false;
    int unpublished = 0;
    tell_entries(&facts->unfinished,
                 facts->lock.is_held ? "being written in tmp/"
                                     : "left in tmp/, cleared by the next run",
                 &is_told);
    tell_entries(&facts->checkpoints, "in checkpoints/, from which a rerun goes on", &is_told);
    for (int i = 0; i < facts->results.n; i++) {
        if (!status_is_unpublished(facts, &facts->results.entries[i]) || ++unpublished > LISTED)
            continue;
        summary_line(label_once(&is_told), "results %s are not published",
                     facts->results.entries[i].name);
    }
    if (unpublished > LISTED)
        summary_line("", "nor are %d more", unpublished - LISTED);
    if (!is_told)
        summary_line("unfinished", "nothing");
}

static void tell_past(const StatusFacts *facts)
{
    char first[CIVIL_TEXT_SIZE], last[CIVIL_TEXT_SIZE];
    if (facts->n_past == 0)
        return;
    civil_format_day(facts->past[0].day, first);
    civil_format_day(facts->past[facts->n_past - 1].day, last);
    summary_line("past", "%d nights as of days from %s to %s", facts->n_past, first, last);
}

static void tell_night(const Night *night, int width)
{
    ShortText took = {"-"};
    if (isfinite(night->seconds))
        (void)snprintf(took.text, sizeof took.text, "%.1f s", night->seconds);
    summary_line("", "%.10s %.5s  %-10s  %-11s  %8s  %-*s  %s", night->recorded,
                 strlen(night->recorded) > 11 ? night->recorded + 11 : "",
                 night->as_of[0] != '\0' ? night->as_of : "-", night_decision_name(night->decision),
                 took.text, width, night->run, night->target);
    if (night->n_failed > 0)
        summary_line("", "    %s%s", night->failed[0].text, night->n_failed > 1 ? ";" : "");
    if (night->n_failed > 1)
        summary_line("", "    and %d more", night->n_failed - 1);
    if (night->decision == NIGHT_FORCED && night->reason != NULL)
        summary_line("", "    published because: %s", night->reason);
    if (night->decision == NIGHT_ROLLED_BACK && night->reason != NULL)
        summary_line("", "    %s", night->reason);
}

static void tell_nights(const StatusFacts *facts)
{
    const NightList *list = &facts->nights;
    int told = list->n < facts->told ? list->n : facts->told;
    int width = 3;
    if (told == 0) {
        summary_line("nights", "none recorded yet");
        return;
    }
    for (int i = 0; i < told; i++) {
        int length = (int)strlen(list->nights[i].run);
        width = length > width ? length : width;
    }
    summary_line("nights", "%-16s  %-10s  %-11s  %8s  %-*s  %s", "recorded (UTC)", "data until",
                 "decision", "took", width, "run", "target");
    for (int i = 0; i < told; i++)
        tell_night(&list->nights[i], width);
}

void status_print(const StatusFacts *facts)
{
    tell_store(facts);
    tell_input(facts);
    tell_tables(facts);
    tell_lock(facts);
    tell_unfinished(facts);
    tell_past(facts);
    tell_nights(facts);
}

/* ---- the job ---- */

static Status tell_on_root(const Run *run, Error *error)
{
    Status status;
    StatusFacts facts = {.store = run->store, .told = (int)config_int(run->config, "nights")};
    TRY(look(&facts, error));
    if (config_switch(run->config, "json"))
        status_print_json(&facts);
    else
        status_print(&facts);
out:
    survey_entries_free(&facts.unfinished);
    survey_entries_free(&facts.checkpoints);
    survey_entries_free(&facts.results);
    mem_free(&facts.past);
    nights_free(&facts.nights);
    return status;
}

Status job_status(Run *run, Error *error)
{
    Status status;
    const char *path = NULL;
    TRY(options_store(run->config, &path, error));
    TRY(store_open(run->comm, path, STORE_READ, &run->store, error));
    TRY_ALL(run->comm, comm_rank(run->comm) == 0 ? tell_on_root(run, error) : STATUS_OK, error);
out:
    return status;
}
