/* vesper sales: what sold, to whom, where, when.
 *
 * Question: how did the shop do, by day, month and country, product and customer; do customers come
 *           back; what is bought together; how large are orders?
 * In:  the store's order lines in force
 * Out: results of this generation, money in minor units:
 *      sales_daily(day, gross, returned, net, units, units_returned, orders, customers, lines)
 *      sales_monthly_country(month, country, gross, returned, units, orders, customers)
 *      product_total(product_id, gross, returned, units, orders, customers)
 *      customer_summary(customer, first_day, last_day, orders, net)
 *      cohort_month(cohort, months_since, customers)
 *      basket_pairs(product_a, product_b, orders)
 *      order_value_monthly(month, orders, median_low, p95_low) */
#include "options.h"
#include "stage.h"
#include "summary.h"

static Status compute_and_keep(Run *run, Error *error)
{
    Status status;
    ResultWriter *writer = NULL;
    SalesOptions options = {.pair_min_orders = config_int(run->config, "pair-min-orders")};
    TRY(results_begin(run->comm, run->store, run->name, &writer, error));
    TRY(sales_run(run->comm, run->store, &options, writer, &run->sales, error));
    TRY(results_commit(run->comm, &writer, error));
out:
    results_discard(run->comm, &writer);
    return status;
}

Status compute_sales(Run *run, Error *error)
{
    Status status = STATUS_OK;
    options_run_name(run->config, store_generation(run->store), run->name);
    run->sales_were_there = stage_root_says(run->comm, results_exist(run->store, run->name));
    if (run->sales_were_there) {
        stage_note(run, "run=%s already=computed", run->name);
        return STATUS_OK;
    }
    TRY(compute_and_keep(run, error));
    stage_note(run, "run=%s lines=%lld orders=%lld customers=%lld", run->name,
               (long long)run->sales.lines, (long long)run->sales.orders,
               (long long)run->sales.customers);
out:
    return status;
}

Status job_sales(Run *run, Error *error)
{
    Status status;
    TRY(stage_run(run, "open", open_to_write, error));
    TRY(stage_run(run, "sales", compute_sales, error));
    TRY(stage_run(run, "record", run_record_write, error));
    summary_of_store(run);
    summary_of_sales(run);
    summary_done(run);
out:
    return status;
}
