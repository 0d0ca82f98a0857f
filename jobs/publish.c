/* vesper publish: put the night's tables into the storefront's database.
 *
 * Question: what shall the shop's pages show from now on?
 * In:  the results of the store's generation, computed by 'vesper sales' and 'vesper recommend', or
 * by 'vesper nightly' Out: the tables of those results in --to TARGET, and vesper_run, which says
 * which night is in force. A reader sees all of one night or all of the other. The gate (gate.c)
 * comes first. */
#include "as_of.h"
#include "base/civil.h"
#include "base/log.h"
#include "options.h"
#include "part.h"
#include "stage.h"
#include "summary.h"

#include <stdio.h>

void publish_options_read(const Config *config, PublishOptions *options)
{
    *options = (PublishOptions){.to = config_text(config, "to"),
                                .schema = config_text(config, "schema"),
                                .lock_seconds = config_real(config, "lock-timeout"),
                                .lock_tries = (int)config_int(config, "lock-tries"),
                                .statement_seconds = config_real(config, "statement-timeout")};
}

Status reach_target(Run *run, Error *error)
{
    PublishOptions options;
    publish_options_read(run->config, &options);
    return comm_agree(
        run->comm, comm_rank(run->comm) == 0 ? publish_reach(&options, error) : STATUS_OK, error);
}

/* The night's day: the last one of which there are order lines. */
static void find_last_day(const Store *store, char text[CIVIL_TEXT_SIZE])
{
    int64_t first, last;
    store_column_range(store, "orders", "day", &first, &last);
    text[0] = '\0';
    if (first <= last)
        civil_format_day((int32_t)last, text);
}

/* All that vesper_run says comes from the store and the results, so that a night that was stopped
 * and run again publishes the same. */
static void describe_run(const Run *run, PublishedRun *published)
{
    const StoreSettings *settings = store_settings(run->store);
    published->generation = store_generation(run->store);
    published->money_decimals = settings->money_decimals;
    published->orders = store_total_counts(run->store, "orders");
    published->rows_in_force = store_rows(run->store, "orders");
    (void)snprintf(published->currency, STORE_NAME_SIZE, "%s", settings->currency);
    (void)snprintf(published->time_zone, STORE_NAME_SIZE, "%s", settings->time_zone);
}

/* The parts of the night that have results: sales, and of the others those that are wanted. */
static Status open_parts(Run *run, ResultReader **reader, Error *error)
{
    Status status = STATUS_OK;
    const char *sales = run->parts[PART_SALES].name;
    if (!results_exist(run->store, sales)) {
        FAIL(error, STATUS_USAGE,
             "store %s has no results of generation %lld with these options (run %s); run 'vesper "
             "sales' first",
             store_path(run->store), (long long)store_generation(run->store), sales);
    }
    TRY(results_open(run->store, sales, reader, error));
    run->published.run[0] = '\0';
    part_join_name(run->published.run, sales);
    for (int k = PART_SALES + 1; k < PART_COUNT; k++) {
        NightPart *part = &run->parts[k];
        part->is_missing = part->is_wanted && !results_exist(run->store, part->name);
        if (!part->is_wanted || part->is_missing)
            continue;
        TRY(results_open_also(run->store, part->name, *reader, error));
        part_join_name(run->published.run, part->name);
    }
out:
    return status;
}

Status open_night(Run *run, ResultReader **reader, Error *error)
{
    describe_run(run, &run->published);
    find_last_day(run->store, run->published.as_of);
    return open_parts(run, reader, error);
}

static void warn_of_missing(const Run *run)
{
    Buffer text = {0};
    part_append_missing(run, &text);
    if (text.size > 0)
        log_line(LOG_WARN, LOG_ROOT, "publish", "note=\"%s\"", buffer_string(&text));
    buffer_free(&text);
}

static Status publish_on_root(Run *run, Error *error)
{
    Status status;
    ResultReader *reader = NULL;
    PublishOptions options;
    TRY(open_night(run, &reader, error));
    warn_of_missing(run);
    publish_options_read(run->config, &options);
    TRY(publish_run(reader, &run->published, &options, &run->publish, error));
out:
    results_close(&reader);
    return status;
}

Status publish_tables(Run *run, Error *error)
{
    Status status = STATUS_OK;
    if (comm_rank(run->comm) == 0)
        status = publish_on_root(run, error);
    TRY(comm_agree(run->comm, status, error));
    run->is_idle = !run->publish.changed;
    stage_note(run, "run=%s tables=%d rows=%lld changed=%s", run->published.run,
               run->publish.tables, (long long)run->publish.rows,
               run->publish.changed ? "yes" : "no");
    stage_note_text(run, "to", config_text(run->config, "to"));
out:
    return status;
}

Status job_publish(Run *run, Error *error)
{
    Status status;
    TRY(reach_target(run, error));
    TRY(recommend_options_read_lists(run->comm, run->config, &run->recommend_options, error));
    TRY(choose_gate(run, error));
    TRY(as_of_read(run, true, error));
    TRY(stage_run(run, "open", open_to_write, error));
    TRY(as_of_look_back(run, error));
    TRY(publish_through_gate(run, error));
    TRY(stage_run(run, "record", run_record_write, error));
    summary_of_store(run);
    summary_of_gate(run);
    summary_of_publish(run);
    summary_done(run);
    TRY(end_of_gate(run, error));
out:
    return status;
}
