/* vesper plan: what would a night take?
 *
 * Question: how many ranks and how much memory, disk and time do we ask for?
 * In:  --rows, or the store, with --input what comes in; --ranks and --threads (the ranks it runs
 * on) Out: for each stage memory of a rank, bytes that travel and go through files, seconds; which
 *      solvers fit; with --slurm one line of arguments for sbatch. docs/plan.md has the formulae.
 */
#include "base/decimal.h"
#include "options.h"
#include "predict.h"
#include "stage.h"
#include "summary.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

/* Asked of Slurm beyond the prediction: a quarter of memory; twice the time and a start. */
static const double MEMORY_MARGIN = 1.25, TIME_MARGIN = 2, START_SECONDS = 600;
enum { EXACT_FACTORS_MAX = 128 };

typedef struct NightPlan {
    PlanSizes sizes;
    PlanShape shape;
    PlanNeed needs[PLAN_STAGES];
    bool is_run[PLAN_STAGES];
    double most_memory, seconds;
    PlanStage largest; /* that takes most_memory */
} NightPlan;

static Status open_if_there(Run *run, Error *error)
{
    Status status = STATUS_OK;
    const char *path = config_text(run->config, "store");
    if (config_text(run->config, "rows") != NULL)
        return STATUS_OK;
    if (path == NULL)
        FAIL(error, STATUS_USAGE,
             "plan for what? Give --store DIR, or the rows of a shop: --rows orders=50000000");
    if (stage_root_says(run->comm, store_exists(path)))
        TRY(open_to_read(run, error));
    else if (config_list_count(run->config, "input") == 0)
        FAIL(error, STATUS_USAGE,
             "there is no store at %s; give --input for the night that makes it, or --rows", path);
out:
    return status;
}

/* Collective. */
static Status make_plan(Run *run, NightPlan *plan, Error *error)
{
    Status status;
    int ranks = config_is_set(run->config, "ranks") ? (int)config_int(run->config, "ranks")
                                                    : comm_size(run->comm);
    TRY(open_if_there(run, error));
    TRY(predict_sizes(run, true, &plan->sizes, error));
    TRY(predict_shape(run, &plan->sizes, ranks, &plan->shape, error));
    plan->is_run[PLAN_INGEST] = plan->sizes.new_bytes > 0;
    plan->is_run[PLAN_SALES] = plan->is_run[PLAN_PUBLISH] = true;
    plan->is_run[PLAN_RECOMMEND] = plan->shape.has_recommend;
    plan->is_run[PLAN_FORECAST] = plan->shape.has_forecast;
    for (int k = 0; k < PLAN_STAGES; k++) {
        if (!plan->is_run[k])
            continue;
        plan->needs[k] = plan_need((PlanStage)k, &plan->sizes, &plan->shape);
        plan->seconds += plan->needs[k].seconds;
        if (plan->needs[k].memory > plan->most_memory) {
            plan->most_memory = plan->needs[k].memory;
            plan->largest = (PlanStage)k;
        }
    }
out:
    return status;
}

static void tell_sizes(const NightPlan *plan)
{
    char lines[DECIMAL_TEXT_SIZE], customers[DECIMAL_TEXT_SIZE], products[DECIMAL_TEXT_SIZE];
    count_format(llround(plan->sizes.lines), lines);
    count_format(llround(plan->sizes.customers), customers);
    count_format(llround(plan->sizes.products), products);
    summary_line("plan", "%s order lines, %s customers, %s products; %d %s of %d %s", lines,
                 customers, products, plan->shape.ranks, plan->shape.ranks == 1 ? "rank" : "ranks",
                 plan->shape.threads, plan->shape.threads == 1 ? "thread" : "threads");
}

static void tell_stages(const NightPlan *plan)
{
    (void)printf("\n%-10s %14s %14s %12s %12s %12s\n", "stage", "MB a rank", "MB sent", "MB read",
                 "MB written", "seconds");
    for (int k = 0; k < PLAN_STAGES; k++) {
        const PlanNeed *need = &plan->needs[k];
        if (plan->is_run[k])
            (void)printf("%-10s %14.0f %14.0f %12.0f %12.0f %12.0f\n",
                         plan_stage_name((PlanStage)k), need->memory / 1e6, need->sent / 1e6,
                         need->read / 1e6, need->written / 1e6, ceil(need->seconds));
    }
    (void)putchar('\n');
}

static void tell_solvers(const NightPlan *plan)
{
    const PlanShape *shape = &plan->shape;
    double ease = plan_ease_memory(shape);
    if (!plan->is_run[PLAN_RECOMMEND])
        return;
    summary_line("ials", "%d factors by %s", shape->factors,
                 shape->factors <= EXACT_FACTORS_MAX ? "Cholesky, exact" : "blocks");
    if (ease <= 0)
        summary_line("ease", "left out: more products than --ease-most-items");
    else if (shape->learning_memory > 0 && ease > shape->learning_memory)
        summary_line("ease",
                     "has no room: %.0f MB of a rank, and --memory allows %.0f MB; the night "
                     "would end with code 5",
                     ease / 1e6, shape->learning_memory / 1e6);
    else
        summary_line("ease", "exact, %.0f MB of a rank", ease / 1e6);
}

/* Where a budget is given: whether the night keeps it. */
static void tell_budget(const NightPlan *plan)
{
    double allowed = plan->shape.learning_memory;
    if (allowed <= 0)
        return;
    double limit = allowed + plan_base_memory();
    if (plan->most_memory <= limit) {
        summary_line("memory", "--memory is enough");
        return;
    }
    int ranks = plan_least_ranks(plan->largest, &plan->sizes, &plan->shape, limit);
    if (ranks > 0)
        summary_line("memory", "--memory is too little for %s; with %d ranks it would do",
                     plan_stage_name(plan->largest), ranks);
    else
        summary_line("memory", "--memory is too little for %s with any number of ranks",
                     plan_stage_name(plan->largest));
}

/* Whole MB for each core, and the time in minutes. */
static void print_slurm(const Run *run, const NightPlan *plan)
{
    const PlanShape *shape = &plan->shape;
    int per_node = (int)config_int(run->config, "ranks-per-node");
    if (per_node == 0) {
        long fit = sysconf(_SC_NPROCESSORS_ONLN) / shape->threads;
        per_node = fit > 1 ? (int)fit : 1;
    }
    int nodes = (shape->ranks + per_node - 1) / per_node;
    long long minutes = llround(ceil((TIME_MARGIN * plan->seconds + START_SECONDS) / 60));
    (void)printf("--nodes=%d --ntasks=%d --cpus-per-task=%d --mem-per-cpu=%.0fM "
                 "--time=%lld-%02lld:%02lld:00\n",
                 nodes, shape->ranks, shape->threads,
                 ceil(MEMORY_MARGIN * plan->most_memory / shape->threads / (1 << 20)),
                 minutes / 1440, minutes / 60 % 24, minutes % 60);
}

Status job_plan(Run *run, Error *error)
{
    Status status;
    NightPlan plan = {0};
    TRY(make_plan(run, &plan, error));
    if (comm_rank(run->comm) != 0)
        goto out;
    if (config_switch(run->config, "slurm")) {
        print_slurm(run, &plan);
        goto out;
    }
    tell_sizes(&plan);
    tell_stages(&plan);
    summary_line("most", "%.0f MB a rank, in %s; %.0f seconds in all", plan.most_memory / 1e6,
                 plan_stage_name(plan.largest), ceil(plan.seconds));
    tell_solvers(&plan);
    tell_budget(&plan);
out:
    return status;
}
