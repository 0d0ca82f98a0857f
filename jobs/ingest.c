/* vesper ingest: take in what happened since last night.
 *
 * Question: which orders, products, customers, events, reviews, pairs, promotions, stock-outs and
 *           holidays are new?
 * In:  --input TABLE=PATH (CSV, plain or compressed, a folder, or a database), mapped by the ini
 * file Out: one more generation of the store; bad rows in STORE/rejects/NNNNNN-TABLE.csv with file,
 *      line, field and reason. Rows read = stored + rejected + unchanged, always. */
#include "dry_run.h"
#include "predict.h"
#include "stage.h"
#include "summary.h"

RowCounts run_total_counts(const Run *run)
{
    RowCounts total = {0};
    for (int i = 0; i < INPUT_COUNT; i++) {
        const RowCounts *counts = &run->ingest.counts[i];
        total.read += counts->read;
        total.stored += counts->stored;
        total.rejected += counts->rejected;
        total.unchanged += counts->unchanged;
        total.replaced_orders += counts->replaced_orders;
        total.replaced_rows += counts->replaced_rows;
    }
    return total;
}

Status take_in(Run *run, Error *error)
{
    Status status;
    TRY(ingest_run(run->comm, run->store, run->config, &run->ingest, error));
    RowCounts rows = run_total_counts(run);
    run->is_idle = !run->ingest.changed;
    stage_note(run, "rows=%lld stored=%lld rejected=%lld unchanged=%lld generation=%lld",
               (long long)rows.read, (long long)rows.stored, (long long)rows.rejected,
               (long long)rows.unchanged, (long long)run->ingest.generation);
out:
    return status;
}

Status job_ingest(Run *run, Error *error)
{
    Status status;
    if (config_switch(run->config, "dry-run"))
        return dry_run(run, error);
    TRY(stage_run(run, "open", open_to_write, error));
    TRY(predict_check(run, (const PlanStage[]){PLAN_INGEST}, 1, error));
    TRY(stage_run(run, "ingest", take_in, error));
    TRY(stage_run(run, "record", run_record_write, error));
    summary_of_ingest(run);
    summary_of_store(run);
    summary_done(run);
out:
    return status;
}
