/* One pass over the partitions; see pass.h. */
#include "sales/pass.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/stop.h"

#include <omp.h>

/* What the threads of a rank share; what stands below `lock` is under it. */
typedef struct Pass {
    Store *store;
    const Shop *shop;
    const PassPlan *plan;
    uint32_t needs;     /* LINES_... of all accumulators */
    int32_t begin, end; /* partitions of this rank */
    omp_lock_t lock;
    Progress progress;
    Status status;
    int32_t failed_at; /* lowest partition that failed */
    Error *error;
} Pass;

/* One thread's tools. */
typedef struct Worker {
    LineReader reader;
    LineBlock *block;
    Table events, reviews;
    PassFacts facts;
} Worker;

void pass_facts_free(PassFacts *facts, const PassPlan *plan)
{
    for (int i = 0; facts->aggregates && i < plan->n_specs; i++)
        aggregate_free(&facts->aggregates[i]);
    mem_free(&facts->aggregates);
    customer_facts_free(&facts->customers);
    baskets_free(&facts->baskets);
    funnel_free(&facts->funnel);
    ratings_free(&facts->ratings);
    *facts = (PassFacts){0};
}

static uint32_t plan_needs(const PassPlan *plan)
{
    uint32_t needs = 0;
    for (int i = 0; i < plan->n_specs; i++)
        needs |= aggregate_needs(plan->specs[i]);
    needs |= plan->customers ? customer_facts_needs() : 0;
    needs |= plan->baskets ? baskets_needs() : 0;
    needs |= plan->funnel ? funnel_needs() : 0;
    needs |= plan->ratings ? ratings_needs() : 0;
    return needs;
}

static Status facts_init(PassFacts *facts, const Pass *pass, Error *error)
{
    Status status = STATUS_OK;
    const PassPlan *plan = pass->plan;
    *facts = (PassFacts){.aggregates = mem_new(plan->n_specs, sizeof(Aggregate *))};
    for (int i = 0; i < plan->n_specs; i++)
        TRY(aggregate_new(plan->specs[i], pass->shop, &facts->aggregates[i], error));
    if (plan->baskets)
        TRY(baskets_init(&facts->baskets, pass->shop->product.count, error));
    if (plan->funnel)
        TRY(funnel_new(pass->shop, plan->cart_days, &facts->funnel, error));
    if (plan->ratings)
        TRY(ratings_new(pass->shop, &facts->ratings, error));
out:
    return status;
}

/* Empties *from. */
static Status facts_merge(PassFacts *into, PassFacts *from, const PassPlan *plan, Error *error)
{
    Status status = STATUS_OK;
    for (int i = 0; i < plan->n_specs; i++)
        TRY(aggregate_merge(into->aggregates[i], &from->aggregates[i], error));
    TRY(customer_facts_merge(&into->customers, &from->customers, error));
    if (plan->baskets)
        TRY(baskets_merge(&into->baskets, &from->baskets, error));
    if (plan->funnel)
        TRY(funnel_merge(into->funnel, &from->funnel, error));
    if (plan->ratings)
        TRY(ratings_merge(into->ratings, &from->ratings, error));
    into->magnitudes.minor += from->magnitudes.minor;
    into->magnitudes.units += from->magnitudes.units;
    into->magnitudes.discount += from->magnitudes.discount;
out:
    return status;
}

/* ---- one partition ---- */

static Status add_events(Worker *worker, const Pass *pass, const OrderLines *lines, Error *error)
{
    static const char *const columns[] = {"customer", "ts_us", "day", "kind", "product"};
    Status status = STATUS_OK;
    Table *rows = &worker->events;
    Events events = {0};
    if (store_has_column(pass->store, "events", "kind")) {
        int n = store_has_column(pass->store, "events", "product") ? 5 : 4;
        TRY(store_read_partition(pass->store, "events", lines->partition, columns, n, rows, error));
        events = (Events){.n = rows->rows,
                          .customer = table_column_const(rows, "customer")->data,
                          .ts_us = table_column_const(rows, "ts_us")->data,
                          .day = table_column_const(rows, "day")->data,
                          .kind = table_column_const(rows, "kind")->data};
        events.product = n == 5 ? table_column_const(rows, "product")->data : NULL;
    }
    TRY(funnel_add(worker->facts.funnel, &events, lines, error));
out:
    return status;
}

static Status add_reviews(Worker *worker, const Pass *pass, const OrderLines *lines, Error *error)
{
    static const char *const columns[] = {"product", "rating", "ts_us", "day", "customer"};
    Status status = STATUS_OK;
    Table *rows = &worker->reviews;
    Reviews reviews = {0};
    if (store_has_column(pass->store, "reviews", "rating")) {
        int n = store_has_column(pass->store, "reviews", "customer") ? 5 : 4;
        TRY(store_read_partition(pass->store, "reviews", lines->partition, columns, n, rows,
                                 error));
        reviews = (Reviews){.n = rows->rows,
                            .product = table_column_const(rows, "product")->data,
                            .rating = table_column_const(rows, "rating")->data,
                            .ts_us = table_column_const(rows, "ts_us")->data,
                            .day = table_column_const(rows, "day")->data};
        reviews.customer = n == 5 ? table_column_const(rows, "customer")->data : NULL;
    }
    TRY(ratings_add(worker->facts.ratings, &reviews, lines, error));
out:
    return status;
}

static Status add_partition(Worker *worker, const Pass *pass, int32_t partition, int64_t *n_lines,
                            Error *error)
{
    Status status = STATUS_OK;
    const PassPlan *plan = pass->plan;
    PassFacts *facts = &worker->facts;
    OrderLines lines;
    TRY(fault_point("sales.partition", error));
    TRY(stop_point(error, "while order lines were read"));
    TRY(line_reader_read(&worker->reader, partition, &lines, error));
    *n_lines = lines.n;
    if (lines.n > 0) {
        TRY(aggregates_add(facts->aggregates, plan->n_specs, worker->block, &lines, error));
        if (plan->customers)
            TRY(customer_facts_add(&facts->customers, &lines, error));
        if (plan->baskets)
            TRY(baskets_add(&facts->baskets, &lines, plan->basket_first_day, error));
    }
    if (plan->funnel)
        TRY(add_events(worker, pass, &lines, error));
    if (plan->ratings)
        TRY(add_reviews(worker, pass, &lines, error));
out:
    return status;
}

/* ---- all of a rank ---- */

/* Remember the failure of the lowest partition; lines [n] were read. */
static void report(Pass *pass, int32_t partition, int64_t n, Status status, const Error *error)
{
    omp_set_lock(&pass->lock);
    progress_add(&pass->progress, n);
    if (status != STATUS_OK && (pass->status == STATUS_OK || partition < pass->failed_at)) {
        pass->status = status;
        pass->failed_at = partition;
        *pass->error = *error;
    }
    omp_unset_lock(&pass->lock);
}

static void walk(Pass *pass, Worker *worker)
{
    Error error = {0};
    Status status = line_reader_init(&worker->reader, pass->store, pass->shop, pass->needs, &error);
    if (status == STATUS_OK)
        status = facts_init(&worker->facts, pass, &error);
    if (status == STATUS_OK)
        worker->block = aggregates_block(worker->facts.aggregates, pass->plan->n_specs);
    else
        report(pass, pass->begin, 0, status, &error);
#pragma omp for schedule(dynamic, 1)
    for (int32_t p = pass->begin; p < pass->end; p++) {
        int64_t n = 0;
        if (status == STATUS_OK)
            status = add_partition(worker, pass, p, &n, &error);
        report(pass, p, n, status, &error);
    }
    worker->facts.magnitudes = worker->reader.magnitudes;
}

static void workers_free(Worker *workers, int n, const PassPlan *plan)
{
    for (int i = 0; i < n; i++) {
        line_reader_free(&workers[i].reader);
        mem_free(&workers[i].block);
        table_free(&workers[i].events);
        table_free(&workers[i].reviews);
        pass_facts_free(&workers[i].facts, plan);
    }
}

/* Local. */
static Status walk_all(Pass *pass, PassFacts *facts, Error *error)
{
    Status status = STATUS_OK;
    int threads = pass->plan->threads;
    Worker *workers = mem_new(threads, sizeof *workers);
    TRY(fault_point("sales.read", error));
#pragma omp parallel num_threads(threads)
    walk(pass, &workers[omp_get_thread_num()]);
    TRY(pass->status);
    for (int i = 1; i < threads; i++) {
        bool has_run = workers[i].facts.aggregates != NULL; /* OpenMP may start fewer */
        if (has_run)
            TRY(facts_merge(&workers[0].facts, &workers[i].facts, pass->plan, error));
    }
    TRY(customer_facts_sort(&workers[0].facts.customers, error));
    *facts = workers[0].facts;
    workers[0].facts = (PassFacts){0};
out:
    workers_free(workers, threads, pass->plan);
    mem_free(&workers);
    return status;
}

Status pass_run(Comm *comm, Store *store, const Shop *shop, const PassPlan *plan, PassFacts *facts,
                Error *error)
{
    Status status = STATUS_OK;
    Pass pass = {
        .store = store, .shop = shop, .plan = plan, .needs = plan_needs(plan), .error = error};
    store_owned(store, comm_rank(comm), comm_size(comm), &pass.begin, &pass.end);
    progress_begin(&pass.progress, "sales", "lines", 1.0,
                   store_rows(store, "orders") / comm_size(comm));
    omp_init_lock(&pass.lock);
    Status own = walk_all(&pass, facts, error);
    omp_destroy_lock(&pass.lock);
    progress_end(&pass.progress);
    TRY(comm_agree(comm, own, error));
    TRY(line_magnitudes_check(comm, &facts->magnitudes, error));
out:
    return status;
}
