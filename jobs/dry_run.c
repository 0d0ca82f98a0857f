/* The plan of a run, printed by rank 0. */
#include "dry_run.h"

#include "ingest/source_database.h"
#include "options.h"
#include "part.h"
#include "predict.h"
#include "stage.h"
#include "summary.h"

#include <math.h>
#include <string.h>

static void tell_input(const char *input, const InputSize *size)
{
    Buffer shown = {0};
    source_append_shown(input, &shown);
    if (size->is_database)
        summary_line("input", "%s: about %lld rows, %.1f MB%s", buffer_string(&shown),
                     (long long)size->rows, (double)size->bytes / 1e6,
                     size->has_watermark ? ", of which those past the watermark are read" : "");
    else
        summary_line("input", "%s: %lld %s, %.1f MB", buffer_string(&shown), (long long)size->files,
                     size->files == 1 ? "file" : "files", (double)size->bytes / 1e6);
    buffer_free(&shown);
}

static Status tell_inputs(const Run *run, Error *error)
{
    Status status = STATUS_OK;
    for (int i = 0; i < config_list_count(run->config, "input"); i++) {
        InputSize size;
        const char *input = config_list_item(run->config, "input", i);
        TRY(predict_input(run->config, input, &size, error));
        tell_input(input, &size);
    }
out:
    return status;
}

/* By the stage of the run that takes the most; 'vesper plan' tells of each. Collective. */
static Status tell_memory(Run *run, Error *error)
{
    Status status;
    PlanSizes sizes;
    PlanShape shape;
    int ranks = comm_size(run->comm);
    TRY(predict_sizes(run, true, &sizes, error));
    TRY(predict_shape(run, &sizes, ranks, &shape, error));
    bool is_night = strcmp(run->job, "nightly") == 0;
    const bool is_run[PLAN_STAGES] = {[PLAN_INGEST] = sizes.new_bytes > 0,
                                      [PLAN_SALES] = is_night,
                                      [PLAN_RECOMMEND] = is_night && shape.has_recommend,
                                      [PLAN_FORECAST] = is_night && shape.has_forecast,
                                      [PLAN_PUBLISH] = is_night};
    double most = plan_base_memory();
    for (int k = 0; k < PLAN_STAGES; k++) {
        if (is_run[k])
            most = fmax(most, plan_need((PlanStage)k, &sizes, &shape).memory);
    }
    if (comm_rank(run->comm) == 0)
        summary_line("memory", "about %.0f MB on each of %d %s", most / 1e6, ranks,
                     ranks == 1 ? "rank" : "ranks");
out:
    return status;
}

/* The store as it is, or as it would be made. */
static Status look_at_store(Run *run, int64_t *generation, Error *error)
{
    Status status;
    const char *path = NULL;
    *generation = 0;
    TRY(options_store(run->config, &path, error));
    if (stage_root_says(run->comm, store_exists(path))) {
        TRY(open_to_read(run, error));
        *generation = store_generation(run->store);
        summary_of_store(run);
    } else if (strcmp(run->job, "nightly") == 0) {
        StoreSettings settings;
        TRY(options_settings(run->config, &settings, error));
        if (comm_rank(run->comm) == 0) {
            summary_line("store", "%s would be made: %d partitions, %s, %s with %d decimals", path,
                         (int)settings.partitions, settings.time_zone, settings.currency,
                         settings.money_decimals);
        }
    } else {
        FAIL(error, STATUS_USAGE, "there is no store at %s; make it with 'vesper init'", path);
    }
out:
    return status;
}

/* The day in the names of a night's results: DAY_NONE if it sees all that the store has. Of input
 * that is not taken in yet nobody knows the last day. */
static int32_t day_in_name(const Run *run, bool takes_in)
{
    int32_t first, last;
    bool sees_all = run->store != NULL && store_days(run->store, &first, &last) &&
                    run->as_of >= last && !takes_in;
    return sees_all ? DAY_NONE : run->as_of;
}

/* The name that the night is published under. */
static void name_night(const Run *run, int64_t generation, int32_t as_of,
                       char published[STORE_NAME_SIZE])
{
    published[0] = '\0';
    for (int k = PART_SALES; k < PART_COUNT; k++) {
        char name[STORE_NAME_SIZE];
        if (!run->parts[k].is_wanted)
            continue;
        part_name(run, (ResultPart)k, generation, as_of, name);
        part_join_name(published, name);
    }
}

static void tell_outcome(const Run *run, int64_t generation)
{
    bool takes_in = config_list_count(run->config, "input") > 0;
    if (takes_in) {
        generation++;
        summary_line("generation", "%lld, if the input is new", (long long)generation);
    }
    if (strcmp(run->job, "nightly") == 0) {
        char name[STORE_NAME_SIZE];
        name_night(run, generation, day_in_name(run, takes_in), name);
        summary_line("publish", "run %s to %s", name, config_text(run->config, "to"));
    }
    summary_line("dry run", "nothing was changed");
}

/* What the results of a night depend on beside its input. */
static Status choose_parts(Run *run, Error *error)
{
    Status status = STATUS_OK;
    if (strcmp(run->job, "nightly") != 0)
        goto out;
    TRY(recommend_options_read_lists(run->comm, run->config, &run->recommend_options, error));
    TRY(part_choose(run, error));
out:
    return status;
}

static Status check_target(const Run *run, Error *error)
{
    bool publishes = strcmp(run->job, "nightly") == 0 && comm_rank(run->comm) == 0;
    return publishes ? publish_check_target(config_text(run->config, "to"), error) : STATUS_OK;
}

Status dry_run(Run *run, Error *error)
{
    Status status;
    int64_t generation = 0;
    TRY_ALL(run->comm, check_target(run, error), error);
    TRY(choose_parts(run, error));
    TRY(look_at_store(run, &generation, error));
    TRY_ALL(run->comm, comm_rank(run->comm) == 0 ? tell_inputs(run, error) : STATUS_OK, error);
    TRY(tell_memory(run, error));
    if (comm_rank(run->comm) == 0)
        tell_outcome(run, generation);
out:
    return status;
}
