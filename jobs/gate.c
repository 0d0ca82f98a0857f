/* The gate between computing and publishing: worse tables never take the place of better ones.
 *
 * Question: may this night's tables replace those that the storefront shows?
 * In:  the night's results, and the record of the last night accepted for the same target
 * Out: published tables and a record in STORE/nights; or the record, exit code 6 and the tables of
 *      the night before. --force "REASON" publishes all the same. */
#include "gate.h"

#include "base/log.h"
#include "job.h"
#include "options.h"
#include "part.h"
#include "run_name.h"
#include "stage.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REASON_MAX = 500 };

void gate_run_free(GateRun *gate)
{
    night_free(&gate->night);
    gate_verdict_free(&gate->verdict);
}

/* ---- options ---- */

/* A number between `least` and `most`, or "off": NaN. */
static Status read_limit(const Config *config, const char *flag, double least, double most,
                         double *limit, Error *error)
{
    Status status = STATUS_OK;
    const char *text = config_text(config, flag);
    char *end = NULL;
    *limit = strtod(text, &end);
    bool is_number = end != text && *end == '\0' && isfinite(*limit);
    if (strcmp(text, "off") == 0)
        *limit = NAN;
    else if (!is_number || *limit < least || *limit > most)
        FAIL(error, STATUS_USAGE, "--%s '%.40s' must be a number from %g to %g, or off", flag, text,
             least, most);
out:
    return status;
}

static Status read_reason(const Config *config, const char **reason, Error *error)
{
    Status status = STATUS_OK;
    *reason = config_text(config, "force");
    if (*reason == NULL)
        goto out;
    if ((*reason)[strspn(*reason, " ")] == '\0')
        FAIL(error, STATUS_USAGE,
             "--force needs a reason, which the record of the night keeps: --force \"the catalogue "
             "was halved on purpose\"");
    for (const char *c = *reason; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            FAIL(error, STATUS_USAGE, "the reason of --force must be one line of text");
    }
    if (strlen(*reason) > REASON_MAX)
        FAIL(error, STATUS_USAGE, "the reason of --force has more than %d bytes", REASON_MAX);
out:
    return status;
}

static Status read_options(const Config *config, GateRun *gate, Error *error)
{
    Status status;
    GateLimits *limits = &gate->limits;
    TRY(read_limit(config, "gate-rows-down", 0, 1, &limits->rows_down, error));
    TRY(read_limit(config, "gate-rows-up", 1, 1e9, &limits->rows_up, error));
    TRY(read_limit(config, "gate-rival-margin", 0, 1e9, &limits->rival_margin, error));
    TRY(read_limit(config, "gate-accuracy-fall", 0, 1e9, &limits->accuracy_fall, error));
    TRY(read_limit(config, "gate-bias-rise", 0, 1e9, &limits->bias_rise, error));
    TRY(read_limit(config, "gate-rejected", 0, 1, &limits->rejected, error));
    limits->rows_least = config_int(config, "gate-rows-least");
    limits->users_least = config_int(config, "gate-users-least");
    limits->series_least = config_int(config, "gate-series-least");
    limits->days_least = config_int(config, "gate-days-least");
    TRY(read_reason(config, &gate->reason, error));
out:
    return status;
}

Status choose_gate(Run *run, Error *error)
{
    return comm_agree(run->comm, read_options(run->config, &run->gate, error), error);
}

/* ---- judging, on rank 0 ---- */

static void describe_parts(const Run *run, Night *night)
{
    for (int k = PART_SALES; k < PART_COUNT; k++) {
        const NightPart *part = &run->parts[k];
        NightResults *results = &night->parts[night->n_parts++];
        results->is_left_out = !part->is_wanted;
        (void)snprintf(results->kind, sizeof results->kind, "%s", run_part_name((ResultPart)k));
        if (part->is_wanted && !part->is_missing)
            (void)snprintf(results->run, sizeof results->run, "%s", part->name);
    }
}

static void describe_night(const Run *run, Night *night)
{
    int64_t first, last;
    const PublishedRun *published = &run->published;
    (void)snprintf(night->run, sizeof night->run, "%s", published->run);
    (void)snprintf(night->as_of, sizeof night->as_of, "%s", published->as_of);
    night_set_text(&night->target, config_text(run->config, "to"));
    night_set_text(&night->reason, run->gate.reason);
    night->generation = published->generation;
    night->ranks = comm_size(run->comm);
    store_column_range(run->store, "orders", "day", &first, &last);
    night->days = first <= last ? last - first + 1 : 0;
    describe_parts(run, night);
}

static void tell_failures(const GateVerdict *verdict)
{
    for (int i = 0; i < verdict->n; i++) {
        const GateRule *rule = &verdict->rules[i];
        if (!rule->holds)
            log_line(LOG_WARN, LOG_ROOT, "gate", "rule=%s note=\"%s\"", rule->name, rule->text);
    }
}

/* Apply the rules; the night knows then which did not hold. */
static void judge(GateRun *gate, const Night *before, const Night *in_force)
{
    Night *night = &gate->night;
    gate_judge(&gate->limits, night, before, in_force, &gate->verdict);
    for (int i = 0; i < gate->verdict.n; i++) {
        if (!gate->verdict.rules[i].holds)
            night_add_failed(night, gate->verdict.rules[i].text);
    }
    if (night->n_failed > 0)
        night->decision = gate->reason != NULL ? NIGHT_FORCED : NIGHT_REFUSED;
    tell_failures(&gate->verdict);
}

/* The newest record of the target says the same of the same run: a rerun, which needs no other. */
static bool is_recorded(const NightList *list, Night *night)
{
    const Night *newest = NULL;
    for (int i = 0; newest == NULL && i < list->n; i++) {
        if (strcmp(list->nights[i].target, night->target) == 0)
            newest = &list->nights[i];
    }
    bool is_same = newest != NULL && strcmp(newest->run, night->run) == 0 &&
                   newest->decision == night->decision && newest->n_failed == night->n_failed;
    for (int i = 0; is_same && i < night->n_failed; i++)
        is_same = strcmp(newest->failed[i].text, night->failed[i].text) == 0;
    if (is_same)
        night->number = newest->number;
    return is_same;
}

static Status record(const Run *run, Night *night, Error *error)
{
    night->seconds = clock_seconds() - run->record.started_s;
    return night_record(run->store, night, error);
}

static Status judge_with(Run *run, const NightList *list, ResultReader *reader, Error *error)
{
    Status status = STATUS_OK;
    GateRun *gate = &run->gate;
    Night *night = &gate->night;
    const Night *in_force = nights_in_force(list, night->target), *before = in_force;
    gate->was_published = in_force != NULL && strcmp(in_force->run, night->run) == 0;
    if (gate->was_published) {
        night->decision = in_force->decision;
        night->number = in_force->number;
        goto out;
    }
    night->rows = nights_rows_since(run->store, in_force != NULL ? in_force->generation : 0);
    /* A night that looks back has less than one of a later day, as it should. */
    if (store_seen_until(run->store) != DAY_NONE)
        before = nights_published_until(list, night->target, night->as_of);
    if (before != NULL)
        (void)snprintf(gate->beside, sizeof gate->beside, "%s", before->run);
    TRY(gate_read_figures(reader, night, error));
    judge(gate, before, in_force);
    if (night->decision == NIGHT_REFUSED && !is_recorded(list, night))
        TRY(record(run, night, error));
out:
    return status;
}

static Status judge_on_root(Run *run, Error *error)
{
    Status status;
    NightList list = {0};
    ResultReader *reader = NULL;
    TRY(publish_check_target(config_text(run->config, "to"), error));
    TRY(open_night(run, &reader, error));
    describe_night(run, &run->gate.night);
    TRY(nights_list(run->store, 0, &list, error));
    TRY(judge_with(run, &list, reader, error));
out:
    nights_free(&list);
    results_close(&reader);
    return status;
}

static Status judge_night(Run *run, Error *error)
{
    Status status = STATUS_OK;
    GateRun *gate = &run->gate;
    TRY(part_choose(run, error));
    if (comm_rank(run->comm) == 0)
        status = judge_on_root(run, error);
    TRY(comm_agree(run->comm, status, error));
    gate->is_refused = stage_root_says(run->comm, gate->night.decision == NIGHT_REFUSED);
    stage_note(run, "decision=%s rules=%d failed=%d beside=%s",
               night_decision_name(gate->night.decision), gate->verdict.n, gate->verdict.n_failed,
               gate->beside[0] != '\0' ? gate->beside : "none");
out:
    return status;
}

/* ---- after publishing ---- */

/* The night's record, unless a rerun finds it; and older results go. */
static Status keep_on_root(Run *run, int *retired, Error *error)
{
    Status status = STATUS_OK;
    NightList list = {0};
    int kept = (int)config_int(run->config, "keep-nights");
    if (!run->gate.was_published)
        TRY(record(run, &run->gate.night, error));
    TRY(nights_list(run->store, 0, &list, error));
    int64_t oldest = kept > 0 ? nights_oldest_generation(&list, kept) : -1;
    TRY(results_retire(run->store, oldest, retired, error));
out:
    nights_free(&list);
    return status;
}

static Status keep_night(Run *run, Error *error)
{
    Status status = STATUS_OK;
    int retired = 0;
    if (comm_rank(run->comm) == 0)
        status = keep_on_root(run, &retired, error);
    TRY(comm_agree(run->comm, status, error));
    stage_note(run, "record=%06lld retired=%d", (long long)run->gate.night.number, retired);
out:
    return status;
}

Status publish_through_gate(Run *run, Error *error)
{
    Status status;
    TRY(stage_run(run, "gate", judge_night, error));
    if (run->gate.is_refused)
        goto out;
    TRY(stage_run(run, "publish", publish_tables, error));
    TRY(stage_run(run, "night", keep_night, error));
out:
    return status;
}

/* On rank 0, which knows the reasons. */
static Status refuse(const Run *run, Error *error)
{
    Status status;
    char more[80] = "";
    const Night *night = &run->gate.night;
    if (night->n_failed > 1)
        (void)snprintf(more, sizeof more, " (the first of %d reasons)", night->n_failed);
    FAIL(error, STATUS_GATE,
         "the publish gate refused run %s: %s%s; %s shows what it showed before: mend the cause "
         "and run again, or publish all the same with --force \"REASON\"",
         night->run, night->failed[0].text, more, night->target);
out:
    return status;
}

Status end_of_gate(const Run *run, Error *error)
{
    Status status = STATUS_OK;
    if (!run->gate.is_refused)
        return STATUS_OK;
    if (comm_rank(run->comm) == 0)
        status = refuse(run, error);
    return comm_agree(run->comm, status, error);
}

/* ---- after a roll-back ---- */

static Status record_on_root(Run *run, Error *error)
{
    Status status;
    NightList list = {0};
    Buffer reason = {0};
    Night *night = &run->gate.night;
    TRY(nights_list(run->store, 0, &list, error));
    const Night *restored = nights_find(&list, run->rollback.restored);
    *night = (Night){.decision = NIGHT_ROLLED_BACK,
                     .generation = restored != NULL ? restored->generation : 0,
                     .ranks = comm_size(run->comm)};
    if (restored != NULL)
        (void)snprintf(night->as_of, sizeof night->as_of, "%s", restored->as_of);
    (void)snprintf(night->run, sizeof night->run, "%s", run->rollback.restored);
    buffer_printf(&reason, "run %s was withdrawn", run->rollback.withdrawn);
    night_set_text(&night->reason, buffer_string(&reason));
    night_set_text(&night->target, config_text(run->config, "to"));
    TRY(record(run, night, error));
out:
    nights_free(&list);
    buffer_free(&reason);
    return status;
}

Status record_roll_back(Run *run, Error *error)
{
    return comm_agree(run->comm, comm_rank(run->comm) == 0 ? record_on_root(run, error) : STATUS_OK,
                      error);
}
