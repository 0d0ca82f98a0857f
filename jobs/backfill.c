/* vesper backfill FROM TO: the nights of the past that nobody computed.
 *
 * Question: what would each of these nights have said? The answers are the history that `vesper
 * diff` and people compare a night with, of a shop that began with Vesper yesterday or changed its
 * options.
 * In:  the store, and the first and the last day; --every day, week or month
 * Out: for each night the results that the parts of 'vesper nightly --as-of DAY' leave in
 *      STORE/results. Nothing is published: readers never go back in time. One night that they
 *      shall see all the same is published with 'vesper publish --as-of DAY'.
 *
 * Each part of each night is committed for itself, and what is there is not computed again, so a
 * backfill that was stopped or killed goes on where it was, on any number of ranks. */
#include "base/civil.h"
#include "base/log.h"
#include "base/suggest.h"
#include "options.h"
#include "part.h"
#include "predict.h"
#include "stage.h"
#include "summary.h"

#include <string.h>

typedef enum Step { STEP_DAY, STEP_WEEK, STEP_MONTH, STEPS } Step;
static const char *const step_names[STEPS] = {"day", "week", "month"};

typedef struct Plan {
    int32_t from, to;
    Step step;
    int32_t last; /* of the data: from this day on there is one night */
    int nights, computed;
} Plan;

/* ---- which nights ---- */

static Status read_step(const Config *config, Step *step, Error *error)
{
    const char *text = config_text(config, "every");
    for (int i = 0; i < STEPS; i++) {
        *step = (Step)i;
        if (strcmp(text, step_names[i]) == 0)
            return STATUS_OK;
    }
    Buffer message = {0};
    buffer_printf(&message, "--every '%.40s' is no step", text);
    suggest_words(&message, text, step_names, STEPS, "");
    Status status =
        error_set(error, STATUS_USAGE, __FILE__, __LINE__, "%s", buffer_string(&message));
    buffer_free(&message);
    return status;
}

static Status read_plan(const Config *config, Plan *plan, Error *error)
{
    Status status;
    const char *from = config_argument(config, 0), *to = config_argument(config, 1);
    *plan = (Plan){.nights = 0};
    TRY(options_day("FROM", from, &plan->from, error));
    TRY(options_day("TO", to, &plan->to, error));
    TRY(read_step(config, &plan->step, error));
    if (plan->from > plan->to)
        FAIL(error, STATUS_USAGE, "backfill from %s to %s: the first day comes after the last",
             from, to);
out:
    return status;
}

/* The n-th night's day, from 0: months keep the day of the month where they have it. */
static int32_t day_of_night(const Plan *plan, int n)
{
    int year, month, day;
    if (plan->step != STEP_MONTH)
        return plan->from + n * (plan->step == STEP_WEEK ? 7 : 1);
    civil_from_day(plan->from, &year, &month, &day);
    month += 12 * year - 1 + n;
    while (!civil_is_valid(month / 12, month % 12 + 1, day))
        day--;
    return civil_day(month / 12, month % 12 + 1, day);
}

/* Days after the last one of the data have its night. */
static Status fit_to_store(const Run *run, Plan *plan, Error *error)
{
    Status status = STATUS_OK;
    int32_t first;
    char from[CIVIL_TEXT_SIZE], last[CIVIL_TEXT_SIZE];
    if (!store_days(run->store, &first, &plan->last))
        FAIL(error, STATUS_USAGE, "store %s has no data yet: run 'vesper ingest' first",
             store_path(run->store));
    civil_format_day(plan->from, from);
    civil_format_day(plan->last, last);
    if (plan->from > plan->last)
        FAIL(error, STATUS_USAGE, "backfill from %s: the store's last day is %s", from, last);
    plan->to = plan->to < plan->last ? plan->to : plan->last;
    while (day_of_night(plan, plan->nights) <= plan->to)
        plan->nights++;
out:
    return status;
}

/* ---- one night ---- */

/* A backfill says one thing a night: the stages inside speak up only if something is wrong, or with
 * --log-level debug. */
static Status hush(const Run *run, bool is_hushed, Error *error)
{
    Status status;
    LogLevel level = LOG_INFO;
    TRY(log_level_parse(config_text(run->config, "log-level"), &level, error));
    log_init(comm_rank(run->comm), is_hushed && level == LOG_INFO ? LOG_WARN : level);
out:
    return status;
}

static Status see_day(Run *run, Error *error)
{
    return store_see_until(run->comm, run->store, run->as_of, error);
}

static Status compute_parts(Run *run, Error *error)
{
    Status status;
    TRY(stage_run(run, "as-of", see_day, error));
    TRY(stage_run(run, "sales", compute_sales, error));
    if (run->parts[PART_RECOMMEND].is_wanted)
        TRY(stage_run(run, "recommend", make_lists, error));
    if (run->parts[PART_FORECAST].is_wanted)
        TRY(stage_run(run, "forecast", make_forecasts, error));
out:
    return status;
}

static Status compute_night(Run *run, Plan *plan, int n, Error *error)
{
    Status status;
    double began = clock_seconds();
    bool is_there = false;
    char day[CIVIL_TEXT_SIZE];
    run->as_of = day_of_night(plan, n);
    civil_format_day(run->as_of, day);
    if (run->as_of >= plan->last)
        run->as_of = DAY_NONE;
    TRY(part_find(run, run->as_of, &is_there, error));
    TRY(hush(run, true, error));
    if (!is_there)
        TRY(compute_parts(run, error));
    TRY(hush(run, false, error));
    plan->computed += !is_there;
    log_line(LOG_INFO, LOG_ROOT, "night", "day=%s number=%d/%d seconds=%.3f run=%s%s", day, n + 1,
             plan->nights, clock_seconds() - began, run->parts[PART_SALES].name,
             is_there ? " already=computed" : "");
out:
    return status;
}

static void tell_nights(const Run *run, const Plan *plan)
{
    char from[CIVIL_TEXT_SIZE], to[CIVIL_TEXT_SIZE];
    civil_format_day(plan->from, from);
    civil_format_day(day_of_night(plan, plan->nights - 1), to);
    if (comm_rank(run->comm) == 0)
        summary_line("nights", "%d, from %s to %s: %d computed, %d were there", plan->nights, from,
                     to, plan->computed, plan->nights - plan->computed);
}

Status job_backfill(Run *run, Error *error)
{
    Status status;
    Plan plan;
    TRY(comm_agree(run->comm, read_plan(run->config, &plan, error), error));
    TRY(choose_tables(run, error));
    TRY(choose_models(run, error));
    TRY(choose_forecasts(run, error));
    TRY(stage_run(run, "open", open_to_write, error));
    TRY(part_choose(run, error));
    TRY(predict_check_night(run, false, error));
    TRY(comm_agree(run->comm, fit_to_store(run, &plan, error), error));
    for (int n = 0; n < plan.nights; n++)
        TRY(compute_night(run, &plan, n, error));
    TRY(stage_run(run, "record", run_record_write, error));
    summary_of_store(run);
    tell_nights(run, &plan);
    summary_done(run);
out:
    return status;
}
