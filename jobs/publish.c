/* vesper publish: put the night's tables into the storefront's database.
 *
 * Question: what shall the shop's pages show from now on?
 * In:  the results of the store's generation, computed by 'vesper sales' and 'vesper recommend', or
 * by 'vesper nightly' Out: the tables of those results in --to TARGET, and vesper_run, which says
 * which night is in force. A reader sees all of one night or all of the other. */
#include "base/civil.h"
#include "options.h"
#include "stage.h"
#include "summary.h"

#include <stdio.h>
#include <string.h>

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

/* What is published together has one name: that of the sales, and with recommendations one of both.
 */
static void name_publication(Run *run)
{
    const char *hash = strrchr(run->recommend_name, '-');
    bool has_both = run->wants_recommend && results_exist(run->store, run->recommend_name);
    (void)snprintf(run->published.run, STORE_NAME_SIZE, "%s%s", run->name, has_both ? hash : "");
}

/* The parts of the night that have results: sales, and recommendations if they are wanted. */
static Status open_parts(Run *run, ResultReader **reader, Error *error)
{
    Status status = STATUS_OK;
    if (!results_exist(run->store, run->name)) {
        FAIL(error, STATUS_USAGE,
             "store %s has no results of generation %lld with these options (run %s); run 'vesper "
             "sales' first",
             store_path(run->store), (long long)store_generation(run->store), run->name);
    }
    TRY(results_open(run->store, run->name, reader, error));
    if (run->wants_recommend && results_exist(run->store, run->recommend_name))
        TRY(results_open_also(run->store, run->recommend_name, *reader, error));
    name_publication(run);
out:
    return status;
}

static Status publish_on_root(Run *run, Error *error)
{
    Status status;
    ResultReader *reader = NULL;
    TRY(open_parts(run, &reader, error));
    find_last_day(run->store, run->published.as_of);
    TRY(publish_run(reader, &run->published, config_text(run->config, "to"), &run->publish, error));
out:
    results_close(&reader);
    return status;
}

Status publish_tables(Run *run, Error *error)
{
    Status status = STATUS_OK;
    int64_t generation = store_generation(run->store);
    TRY_ALL(run->comm, options_yes_no(run->config, "recommend", &run->wants_recommend, error),
            error);
    options_results_name(run->config, PART_SALES, generation, bytes_of(""), run->name);
    recommend_options_name(run->config, &run->recommend_options, generation, run->recommend_name);
    describe_run(run, &run->published);
    if (comm_rank(run->comm) == 0)
        status = publish_on_root(run, error);
    TRY(comm_agree(run->comm, status, error));
    stage_note(run, "run=%s tables=%d rows=%lld changed=%s to=%s", run->published.run,
               run->publish.tables, (long long)run->publish.rows,
               run->publish.changed ? "yes" : "no", config_text(run->config, "to"));
out:
    return status;
}

Status job_publish(Run *run, Error *error)
{
    Status status;
    TRY(recommend_options_read_lists(run->comm, run->config, &run->recommend_options, error));
    TRY(stage_run(run, "open", open_to_read, error));
    TRY(stage_run(run, "publish", publish_tables, error));
    TRY(stage_run(run, "record", run_record_write, error));
    summary_of_store(run);
    summary_of_publish(run);
    summary_done(run);
out:
    return status;
}
