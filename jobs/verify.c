/* vesper verify: is every byte of the store still what was written?
 *
 * Question: can tonight's figures be trusted to rest on undamaged data?
 * In:  all segments of the generation in force
 * Out: the number of blocks whose checksum holds; a damaged one is named by file, column and
 *      partition, with exit code 4. */
#include "stage.h"
#include "summary.h"

static Status check_all(Run *run, Error *error)
{
    Status status;
    TRY(store_verify(run->comm, run->store, &run->blocks_verified, error));
    stage_note(run, "blocks=%lld", (long long)run->blocks_verified);
out:
    return status;
}

Status job_verify(Run *run, Error *error)
{
    Status status;
    TRY(stage_run(run, "open", open_to_read, error));
    TRY(stage_run(run, "verify", check_all, error));
    summary_of_store(run);
    summary_of_verify(run);
    summary_done(run);
out:
    return status;
}
