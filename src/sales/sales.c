/* The sales job: what must be learned for the tables asked for, one pass to learn it, then the
 * tables one by one; see sales.h. */
#include "sales/sales.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/stop.h"
#include "sales/aggregate_rows.h"
#include "sales/cohorts.h"
#include "sales/compare.h"
#include "sales/customer_summary.h"
#include "sales/line_sums.h"
#include "sales/pass.h"
#include "sales/product_periods.h"

#include <inttypes.h>
#include <string.h>

enum {
    SPECS_MAX = SALES_TABLES + COMPARE_SCOPES + PRODUCT_SPECS + 2 + RESULT_TABLES_MAX,
    NOT_ASKED = -1
};

/* What the stages share. Group-bys of the pass are known by their place in `specs`. */
typedef struct SalesRun {
    Comm *comm;
    Store *store;
    ResultWriter *writer;
    const SalesOptions *options;
    Shop shop;
    PassFacts facts;
    PassPlan plan;
    const AggregateSpec *specs[SPECS_MAX];
    AggregateSpec built_in[SALES_TABLES];
    AggregateSpec compare[COMPARE_SCOPES];
    AggregateSpec cohort, total;
    AggregateSpec by_product[PRODUCT_SPECS];
    ProductPeriods *periods;
    int at_built_in[SALES_TABLES];
    int at_compare, at_cohort, at_total, at_product, at_aggregates;
    double stage_started;
} SalesRun;

void sales_options_free(SalesOptions *options)
{
    aggregate_specs_free(&options->aggregates, options->n_aggregates);
    options->n_aggregates = 0;
}

static void run_free(SalesRun *run)
{
    pass_facts_free(&run->facts, &run->plan);
    product_periods_free(&run->periods);
    shop_free(&run->shop);
}

/* ---- planning ---- */

static int add_spec(SalesRun *run, const AggregateSpec *spec)
{
    vesper_assert(run->plan.n_specs < SPECS_MAX);
    run->specs[run->plan.n_specs] = spec;
    return run->plan.n_specs++;
}

static int add_specs(SalesRun *run, const AggregateSpec *specs, int n)
{
    int first = run->plan.n_specs;
    for (int i = 0; i < n; i++)
        (void)add_spec(run, &specs[i]);
    return first;
}

static bool wants(const SalesRun *run, SalesTable table)
{
    return run->options->tables[table];
}

/* All lines as one group, for the summary. */
static AggregateSpec total_spec(void)
{
    return (AggregateSpec){.n_measures = 5,
                           .measures = {MEASURE_LINES, MEASURE_ORDERS, MEASURE_CUSTOMERS,
                                        MEASURE_GROSS, MEASURE_RETURNED}};
}

static void plan_group_bys(SalesRun *run)
{
    const SalesOptions *options = run->options;
    for (int t = 0; t < SALES_TABLES; t++) {
        run->built_in[t] = sales_table_spec((SalesTable)t);
        bool is_asked = options->tables[t] && run->built_in[t].name[0] != '\0';
        run->at_built_in[t] = is_asked ? add_spec(run, &run->built_in[t]) : NOT_ASKED;
    }
    if (wants(run, SALES_DAILY)) {
        run->total = total_spec();
        run->at_total = add_spec(run, &run->total);
    }
    if (wants(run, SALES_COMPARE)) {
        compare_specs(run->compare);
        run->at_compare = add_specs(run, run->compare, COMPARE_SCOPES);
    }
    if (wants(run, SALES_COHORT_MONTH)) {
        cohort_spec(&run->cohort);
        run->at_cohort = add_spec(run, &run->cohort);
    }
    run->at_aggregates = add_specs(run, options->aggregates, options->n_aggregates);
}

static bool wants_products(const SalesRun *run)
{
    return wants(run, SALES_MOVERS) || wants(run, SALES_ABC_XYZ) || wants(run, SALES_STOCK_RISK);
}

static bool wants_customers(const SalesRun *run)
{
    return wants(run, SALES_CUSTOMER_SUMMARY) || wants(run, SALES_CUSTOMER_MODEL);
}

/* The first of `days` days that end with the night's day; 0: all of time. */
static int32_t first_of_days(const Shop *shop, int64_t days)
{
    bool is_open = days == 0 || shop->as_of == DAY_NONE;
    return is_open || shop->as_of - days + 1 < INT32_MIN ? INT32_MIN
                                                         : (int32_t)(shop->as_of - days + 1);
}

static Status make_plan(SalesRun *run, Error *error)
{
    Status status = STATUS_OK;
    const SalesOptions *options = run->options;
    run->plan = (PassPlan){
        .specs = run->specs,
        .customers = wants_customers(run),
        .baskets = wants(run, SALES_BASKET_PAIRS),
        .basket_first_day = first_of_days(&run->shop, options->pair_days),
        .funnel = wants(run, SALES_FUNNEL_DAILY) || wants(run, SALES_CART_ABANDONED),
        .cart_days = options->cart_days,
        .ratings = wants(run, SALES_PRODUCT_RATING),
        .threads = options->threads,
    };
    plan_group_bys(run);
    if (wants_products(run)) {
        TRY(product_periods_new(&run->shop, &run->periods, run->by_product, error));
        run->at_product = add_specs(run, run->by_product, PRODUCT_SPECS);
    }
out:
    return status;
}

static void log_stage(SalesRun *run, const char *stage, int64_t rows)
{
    double now = clock_seconds();
    log_line(LOG_INFO, LOG_ROOT, stage, "rows=%" PRId64 " seconds=%.3f", rows,
             now - run->stage_started);
    run->stage_started = now;
}

static Status learn(SalesRun *run, Error *error)
{
    Status status = STATUS_OK;
    TRY(shop_open(run->comm, run->store, &run->shop, error));
    TRY_ALL(run->comm, make_plan(run, error), error);
    log_stage(run, "sales.open", run->shop.product.count);
    TRY(pass_run(run->comm, run->store, &run->shop, &run->plan, &run->facts, error));
    log_stage(run, "sales.read", store_rows(run->store, "orders"));
out:
    return status;
}

/* ---- tables ---- */

/* A safe point, too. Frees `rows`. */
static Status write_rows(SalesRun *run, const char *table, const char *key, Table *rows,
                         Error *error)
{
    Status status = STATUS_OK;
    enum { ROWS, STOP, SUMS };
    TRY_ALL(run->comm, fault_point("sales.write", error), error);
    int64_t sums[SUMS] = {[ROWS] = rows->rows, [STOP] = stop_asked()};
    comm_sum_i64(run->comm, sums, SUMS);
    if (sums[STOP] > 0)
        TRY(stop_here(error, "before table %s was written", table));
    TRY(results_write(run->comm, run->writer, table, key, rows, error));
    log_stage(run, table, sums[ROWS]);
out:
    table_free(rows);
    return status;
}

static Status combine(SalesRun *run, int at, Groups *groups, Error *error)
{
    return aggregate_combine(run->comm, &run->facts.aggregates[at], groups, error);
}

static void rename_column(Table *rows, const char *from, const char *to)
{
    Column *column = table_find(rows, from);
    vesper_assert(column && strlen(to) < COLUMN_NAME_SIZE);
    memcpy(column->name, to, strlen(to) + 1);
}

static Status write_group_by(SalesRun *run, int at, Error *error)
{
    Status status = STATUS_OK;
    const AggregateSpec *spec = run->specs[at];
    Groups groups = {0};
    Table rows = {0};
    char key[STORE_NAME_SIZE * 2];
    TRY(combine(run, at, &groups, error));
    TRY(aggregate_rows(run->comm, spec, &run->shop, &groups, &rows, error));
    aggregate_key_columns(spec, key);
    if (at == run->at_built_in[SALES_ORDER_VALUE_MONTHLY]) {
        rename_column(&rows, measure_column(MEASURE_MEDIAN_ORDER_VALUE), "median_low");
        rename_column(&rows, measure_column(MEASURE_P95_ORDER_VALUE), "p95_low");
    }
    TRY(write_rows(run, spec->name, key, &rows, error));
out:
    groups_free(&groups);
    table_free(&rows);
    return status;
}

/* Group-bys that keep each order's value shrink to little once they are combined, and make room for
 * those that grow: they go first. */
static Status write_group_bys_that_keep(SalesRun *run, bool order_values, Error *error)
{
    Status status = STATUS_OK;
    for (int t = 0; t < SALES_TABLES; t++) {
        int at = run->at_built_in[t];
        if (at != NOT_ASKED && sum_set_of(run->specs[at]).order_values == order_values)
            TRY(write_group_by(run, at, error));
    }
    for (int i = 0; i < run->options->n_aggregates; i++) {
        int at = run->at_aggregates + i;
        if (sum_set_of(run->specs[at]).order_values == order_values)
            TRY(write_group_by(run, at, error));
    }
out:
    return status;
}

static Status write_group_bys(SalesRun *run, Error *error)
{
    Status status;
    TRY(write_group_bys_that_keep(run, true, error));
    TRY(write_group_bys_that_keep(run, false, error));
out:
    return status;
}

static Status write_compare(SalesRun *run, Error *error)
{
    Status status = STATUS_OK;
    Groups groups[COMPARE_SCOPES] = {{.n = 0}};
    Table rows = {0};
    for (int i = 0; i < COMPARE_SCOPES; i++)
        TRY(combine(run, run->at_compare + i, &groups[i], error));
    TRY(compare_rows(run->comm, &run->shop, groups, &rows, error));
    TRY(write_rows(run, sales_table_name(SALES_COMPARE), "scope,start", &rows, error));
out:
    for (int i = 0; i < COMPARE_SCOPES; i++)
        groups_free(&groups[i]);
    table_free(&rows);
    return status;
}

static Status write_cohorts(SalesRun *run, Error *error)
{
    Status status = STATUS_OK;
    Groups groups = {0};
    Table rows = {0};
    TRY(combine(run, run->at_cohort, &groups, error));
    TRY(cohort_rows(run->comm, &groups, &rows, error));
    TRY(write_rows(run, sales_table_name(SALES_COHORT_MONTH), "cohort,months_since", &rows, error));
out:
    groups_free(&groups);
    table_free(&rows);
    return status;
}

static Status write_products(SalesRun *run, Error *error)
{
    Status status = STATUS_OK;
    Groups groups[PRODUCT_SPECS] = {{.n = 0}};
    Table rows = {0};
    for (int i = 0; i < PRODUCT_SPECS; i++)
        TRY(combine(run, run->at_product + i, &groups[i], error));
    TRY(product_periods_take(run->comm, &run->shop, run->periods, groups, error));
    if (wants(run, SALES_MOVERS)) {
        TRY(movers_rows(run->comm, &run->shop, run->periods, run->options->movers_limit, &rows,
                        error));
        TRY(write_rows(run, sales_table_name(SALES_MOVERS), "scope,direction,place", &rows, error));
    }
    if (wants(run, SALES_ABC_XYZ)) {
        TRY(abc_xyz_rows(run->comm, &run->shop, run->periods, &rows, error));
        TRY(write_rows(run, sales_table_name(SALES_ABC_XYZ), "product_id", &rows, error));
    }
    if (wants(run, SALES_STOCK_RISK)) {
        TRY(stock_risk_rows(run->comm, &run->shop, run->periods, &rows, error));
        TRY(write_rows(run, sales_table_name(SALES_STOCK_RISK), "product_id", &rows, error));
    }
out:
    for (int i = 0; i < PRODUCT_SPECS; i++)
        groups_free(&groups[i]);
    table_free(&rows);
    return status;
}

static Status write_customers(SalesRun *run, Error *error)
{
    Status status = STATUS_OK;
    const SalesOptions *options = run->options;
    CustomerFacts *facts = &run->facts.customers;
    CustomerModels models;
    CustomerForecast forecast = {0};
    Table rows = {0};
    if (options->customer_value)
        TRY(customer_models_fit(run->comm, &run->shop, facts, options->threads, &models, error));
    if (wants(run, SALES_CUSTOMER_MODEL) && options->customer_value) {
        TRY_ALL(run->comm, customer_models_rows(&models, comm_rank(run->comm) == 0, &rows, error),
                error);
        TRY(write_rows(run, sales_table_name(SALES_CUSTOMER_MODEL), "model,parameter", &rows,
                       error));
    }
    if (!wants(run, SALES_CUSTOMER_SUMMARY))
        goto out;
    if (options->customer_value)
        TRY_ALL(run->comm,
                customer_forecast(&run->shop, facts, &models, options->threads, &forecast, error),
                error);
    TRY(customer_summary_rows(run->comm, run->store, &run->shop, facts,
                              options->customer_value ? &forecast : NULL, &rows, error));
    TRY(write_rows(run, sales_table_name(SALES_CUSTOMER_SUMMARY), "customer", &rows, error));
out:
    customer_forecast_free(&forecast);
    table_free(&rows);
    return status;
}

static Status write_pairs(SalesRun *run, Error *error)
{
    Status status = STATUS_OK;
    const SalesOptions *options = run->options;
    Table rows = {0};
    PairOptions pairs = {.min_orders = options->pair_min_orders,
                         .min_confidence = options->pair_min_confidence,
                         .min_lift = options->pair_min_lift,
                         .limit = options->pair_limit,
                         .message_words = PAIR_MESSAGE_WORDS};
    int64_t too_large = run->facts.baskets.too_large;
    comm_sum_i64(run->comm, &too_large, 1);
    if (too_large > 0)
        log_line(LOG_INFO, LOG_ROOT, "sales.pairs",
                 "baskets_left_out=%" PRId64 " each has more than %d products", too_large,
                 BASKET_PRODUCTS_MAX);
    TRY(pairs_rows(run->comm, &run->facts.baskets, &run->shop.product, &pairs, &rows, error));
    TRY(write_rows(run, sales_table_name(SALES_BASKET_PAIRS), "product_a,product_b", &rows, error));
out:
    table_free(&rows);
    return status;
}

static Status write_events(SalesRun *run, Error *error)
{
    Status status = STATUS_OK;
    Table rows = {0};
    if (wants(run, SALES_FUNNEL_DAILY)) {
        TRY(funnel_daily_rows(run->comm, run->facts.funnel, &rows, error));
        TRY(write_rows(run, sales_table_name(SALES_FUNNEL_DAILY), "day", &rows, error));
    }
    if (wants(run, SALES_CART_ABANDONED)) {
        TRY(funnel_carts_rows(run->comm, run->store, &run->shop, run->facts.funnel, &rows, error));
        TRY(write_rows(run, sales_table_name(SALES_CART_ABANDONED), "customer", &rows, error));
    }
    if (wants(run, SALES_PRODUCT_RATING)) {
        TRY(ratings_rows(run->comm, &run->shop, run->facts.ratings, &rows, error));
        TRY(write_rows(run, sales_table_name(SALES_PRODUCT_RATING), "product_id", &rows, error));
    }
out:
    table_free(&rows);
    return status;
}

/* Collective. */
static Status summarise(SalesRun *run, SalesSummary *summary, Error *error)
{
    Status status = STATUS_OK;
    Groups groups = {0};
    *summary = (SalesSummary){.lines = store_rows(run->store, "orders"),
                              .first_day = run->shop.first_day,
                              .last_day = run->shop.last_day};
    if (!wants(run, SALES_DAILY))
        return STATUS_OK;
    TRY(combine(run, run->at_total, &groups, error));
    int64_t figures[4] = {0};
    if (groups.n > 0) {
        figures[0] = groups.sums[SUM_ORDERS][0];
        figures[1] = groups.sums[SUM_CUSTOMERS][0];
        figures[2] = groups.sums[SUM_GROSS][0];
        figures[3] = groups.sums[SUM_RETURNED][0];
    }
    comm_sum_i64(run->comm, figures, 4);
    summary->has_figures = true;
    summary->orders = figures[0];
    summary->customers = figures[1];
    summary->gross_minor = figures[2];
    summary->returned_minor = figures[3];
out:
    groups_free(&groups);
    return status;
}

static Status write_tables(SalesRun *run, Error *error)
{
    Status status = STATUS_OK;
    TRY(write_group_bys(run, error));
    if (wants(run, SALES_COMPARE))
        TRY(write_compare(run, error));
    if (wants(run, SALES_COHORT_MONTH))
        TRY(write_cohorts(run, error));
    if (wants_products(run))
        TRY(write_products(run, error));
    if (wants_customers(run))
        TRY(write_customers(run, error));
    if (wants(run, SALES_BASKET_PAIRS))
        TRY(write_pairs(run, error));
    TRY(write_events(run, error));
out:
    return status;
}

Status sales_run(Comm *comm, Store *store, const SalesOptions *options, ResultWriter *writer,
                 SalesSummary *summary, Error *error)
{
    Status status = STATUS_OK;
    SalesRun run = {.comm = comm,
                    .store = store,
                    .writer = writer,
                    .options = options,
                    .stage_started = clock_seconds()};
    TRY(learn(&run, error));
    TRY(write_tables(&run, error));
    TRY(summarise(&run, summary, error));
out:
    run_free(&run);
    return status;
}
