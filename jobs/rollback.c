/* vesper rollback: put the tables of the night before back into the storefront's database.
 *
 * Question: the night that is in force is wrong; how do the shop's pages show the last good one?
 * In:  --to TARGET, which keeps the night before
 * Out: its tables in force again, and vesper_run, which says so, in one transaction. The tables of
 *      the night that was in force are gone from the target; the store still has their results. If
 *      --store names one, its record of nights says what happened, and the gate compares the next
 *      night with the one that is in force again. */
#include "stage.h"
#include "summary.h"

static Status put_back(Run *run, Error *error)
{
    Status status = STATUS_OK;
    PublishOptions options;
    publish_options_read(run->config, &options);
    if (comm_rank(run->comm) == 0)
        status = publish_roll_back(&options, &run->rollback, error);
    TRY(comm_agree(run->comm, status, error));
    stage_note(run, "run=%s withdrawn=%s tables=%d to=%s", run->rollback.restored,
               run->rollback.withdrawn, run->rollback.tables, options.to);
out:
    return status;
}

/* A target can be rolled back from where there is no store. */
static bool has_store(const Run *run)
{
    const char *path = config_text(run->config, "store");
    return stage_root_says(run->comm, path != NULL && store_exists(path));
}

Status job_rollback(Run *run, Error *error)
{
    Status status;
    bool is_recorded = has_store(run);
    if (is_recorded)
        TRY(stage_run(run, "open", open_to_write, error));
    TRY(stage_run(run, "rollback", put_back, error));
    if (is_recorded)
        TRY(stage_run(run, "night", record_roll_back, error));
    TRY(stage_run(run, "record", run_record_write_copy, error));
    summary_of_rollback(run);
    summary_done(run);
out:
    return status;
}
