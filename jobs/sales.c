/* vesper sales: what sold, to whom, where, when.
 *
 * Question: how did the shop do, by day, month and country, product and customer; do customers come
 *           back; what is bought together; how large are orders?
 * In:  the store's order lines in force
 * Out: results of this generation, the tables of docs/tables.md: what sold by day, month, country
 *      and product, and beside the periods before; customers with scores and what is expected of
 *      them; cohorts; classes of products; pairs; from view to order; ratings; stock at risk; and
 *      the ini's own group-bys. */
#include "as_of.h"
#include "part.h"
#include "predict.h"
#include "sales_options.h"
#include "stage.h"
#include "summary.h"

Status choose_tables(Run *run, Error *error)
{
    return comm_agree(run->comm, sales_options_read(run->config, &run->sales_options, error),
                      error);
}

static Status write_sales(Run *run, ResultWriter *writer, Error *error)
{
    Status status;
    TRY(sales_run(run->comm, run->store, &run->sales_options, writer, &run->sales, error));
    stage_note(run, "lines=%lld", (long long)run->sales.lines);
out:
    return status;
}

Status compute_sales(Run *run, Error *error)
{
    return part_make(run, PART_SALES, write_sales, error);
}

Status job_sales(Run *run, Error *error)
{
    Status status;
    TRY(choose_tables(run, error));
    TRY(as_of_read(run, true, error));
    TRY(stage_run(run, "open", open_to_write, error));
    TRY(as_of_look_back(run, error));
    TRY(predict_check(run, (const PlanStage[]){PLAN_SALES}, 1, error));
    TRY(stage_run(run, "sales", compute_sales, error));
    TRY(stage_run(run, "record", run_record_write, error));
    summary_of_store(run);
    summary_of_sales(run);
    summary_done(run);
out:
    return status;
}
