/* vesper nightly: one consistent night, from what happened to what the shop's pages show.
 *
 * Question: what did the shop sell, and what shall its pages and people see tomorrow?
 * In:  --input TABLE=PATH as for 'ingest' (none: the history as it is)
 * Out: a new generation of the store, its results as for 'sales', 'recommend' and 'forecast', and
 * their tables in
 *      --to TARGET.
 *
 * Each stage commits what it did, and the store stays locked from the first to the last. A night
 * that was stopped or killed goes on after the last stage that finished, on any number of ranks,
 * and ends with what an undisturbed night gives. */
#include "as_of.h"
#include "dry_run.h"
#include "options.h"
#include "part.h"
#include "predict.h"
#include "stage.h"
#include "summary.h"

static Status open_or_create(Run *run, Error *error)
{
    Status status;
    const char *path = NULL;
    TRY(options_store(run->config, &path, error));
    if (!stage_root_says(run->comm, store_exists(path)))
        TRY(create_store(run, error));
    TRY(open_to_write(run, error));
out:
    return status;
}

Status job_nightly(Run *run, Error *error)
{
    Status status;
    TRY(as_of_read(run, true, error));
    if (config_switch(run->config, "dry-run"))
        return dry_run(run, error);
    TRY(reach_target(run, error));
    TRY(choose_tables(run, error));
    TRY(choose_models(run, error));
    TRY(choose_forecasts(run, error));
    TRY(choose_gate(run, error));
    TRY(part_choose(run, error));
    TRY(stage_run(run, "open", open_or_create, error));
    TRY(predict_check_night(run, true, error));
    if (config_list_count(run->config, "input") > 0)
        TRY(stage_run(run, "ingest", take_in, error));
    TRY(as_of_look_back(run, error));
    TRY(stage_run(run, "sales", compute_sales, error));
    if (run->parts[PART_RECOMMEND].is_wanted)
        TRY(stage_run(run, "recommend", make_lists, error));
    if (run->parts[PART_FORECAST].is_wanted)
        TRY(stage_run(run, "forecast", make_forecasts, error));
    TRY(publish_through_gate(run, error));
    TRY(stage_run(run, "record", run_record_write, error));
    summary_of_ingest(run);
    summary_of_store(run);
    summary_of_sales(run);
    if (run->parts[PART_RECOMMEND].is_wanted)
        summary_of_recommend(run);
    if (run->parts[PART_FORECAST].is_wanted)
        summary_of_forecast(run);
    summary_of_gate(run);
    summary_of_publish(run);
    summary_done(run);
    TRY(end_of_gate(run, error));
out:
    return status;
}
