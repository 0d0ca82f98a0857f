/* vesper sales: what sold, to whom, where, when.
 *
 * Question: how did the shop do, by day, month and country, product and customer; do customers come
 *           back; what is bought together; how large are orders?
 * In:  the store's order lines in force
 * Out: results of this generation, the tables of docs/tables.md: what sold by day, month, country
 *      and product, and beside the periods before; customers with scores and what is expected of
 *      them; cohorts; classes of products; pairs; from view to order; ratings; stock at risk; and
 *      the ini's own group-bys. */
#include "options.h"
#include "sales_options.h"
#include "stage.h"
#include "summary.h"

Status choose_tables(Run *run, Error *error)
{
    return comm_agree(run->comm, sales_options_read(run->config, &run->sales_options, error),
                      error);
}

static Status compute_and_keep(Run *run, Error *error)
{
    Status status;
    ResultWriter *writer = NULL;
    TRY(results_begin(run->comm, run->store, run->name, &writer, error));
    TRY(sales_run(run->comm, run->store, &run->sales_options, writer, &run->sales, error));
    TRY(results_commit(run->comm, &writer, error));
out:
    results_discard(run->comm, &writer);
    return status;
}

Status compute_sales(Run *run, Error *error)
{
    Status status = STATUS_OK;
    options_results_name(run->config, PART_SALES, store_generation(run->store), bytes_of(""),
                         run->name);
    run->sales_were_there = stage_root_says(run->comm, results_exist(run->store, run->name));
    if (run->sales_were_there) {
        stage_note(run, "run=%s already=computed", run->name);
        return STATUS_OK;
    }
    TRY(compute_and_keep(run, error));
    stage_note(run, "run=%s lines=%lld", run->name, (long long)run->sales.lines);
out:
    return status;
}

Status job_sales(Run *run, Error *error)
{
    Status status;
    TRY(choose_tables(run, error));
    TRY(stage_run(run, "open", open_to_write, error));
    TRY(stage_run(run, "sales", compute_sales, error));
    TRY(stage_run(run, "record", run_record_write, error));
    summary_of_store(run);
    summary_of_sales(run);
    summary_done(run);
out:
    return status;
}
