#include "part.h"

#include "base/fault.h"
#include "base/log.h"
#include "options.h"
#include "run_name.h"
#include "stage.h"

#include <stdio.h>
#include <string.h>

/* The name of the results of all data becomes that of a day's. */
static void mark_day(char name[STORE_NAME_SIZE], int32_t as_of)
{
    RunName parts;
    if (!run_name_parse(name, &parts))
        bug_abort(__FILE__, __LINE__, "a part has a name that is none");
    parts.as_of = as_of;
    run_name_print(&parts, name);
}

void part_name(const Run *run, ResultPart part, int64_t generation, int32_t as_of,
               char name[STORE_NAME_SIZE])
{
    if (part == PART_RECOMMEND)
        recommend_options_name(run->config, &run->recommend_options, generation, name);
    else
        options_results_name(run->config, part, generation, bytes_of(""), name);
    mark_day(name, as_of);
}

void part_join_name(char published[STORE_NAME_SIZE], const char *name)
{
    size_t length = strlen(published);
    (void)snprintf(published + length, STORE_NAME_SIZE - length, "%s",
                   length == 0 ? name : strrchr(name, '-'));
}

void part_append_missing(const Run *run, Buffer *text)
{
    Buffer names = {0}, jobs = {0};
    for (int k = PART_SALES; k < PART_COUNT; k++) {
        const char *name = run_part_name((ResultPart)k);
        if (!run->parts[k].is_missing)
            continue;
        buffer_printf(&names, "%s%s", names.size > 0 ? ", " : "", name);
        buffer_printf(&jobs, "%s'vesper %s'", jobs.size > 0 ? " and " : "", name);
    }
    if (names.size > 0)
        buffer_printf(text,
                      "without %s: not computed with these options; run %s with the same options "
                      "and publish again",
                      buffer_string(&names), buffer_string(&jobs));
    buffer_free(&names);
    buffer_free(&jobs);
}

/* Remove checkpoints that nobody will go on from; those of the part itself while it is not done. */
static Status clear_checkpoints(Run *run, ResultPart part, bool is_done, Error *error)
{
    Status status = STATUS_OK;
    int removed = 0;
    if (comm_rank(run->comm) == 0)
        status =
            results_clear_checkpoints(run->store, run->parts[part].name, !is_done, &removed, error);
    TRY_ALL(run->comm, status, error);
    if (!is_done && removed > 0)
        log_line(LOG_INFO, LOG_ROOT, "checkpoints",
                 "checkpoints=%d note=\"of another generation or configuration: removed\"",
                 removed);
out:
    return status;
}

static void set_name(Run *run, ResultPart part, int32_t as_of)
{
    part_name(run, part, store_generation(run->store), as_of, run->parts[part].name);
}

static Status compute_and_keep(Run *run, ResultPart part, PartWork work, Error *error)
{
    Status status;
    ResultWriter *writer = NULL;
    TRY(results_begin(run->comm, run->store, run->parts[part].name, &writer, error));
    TRY(work(run, writer, error));
    TRY(results_commit(run->comm, &writer, error));
out:
    results_discard(run->comm, &writer);
    return status;
}

Status part_make(Run *run, ResultPart part, PartWork work, Error *error)
{
    Status status = STATUS_OK;
    NightPart *own = &run->parts[part];
    set_name(run, part, store_seen_until(run->store));
    own->was_there = stage_root_says(run->comm, results_exist(run->store, own->name));
    if (!own->was_there) {
        TRY(clear_checkpoints(run, part, false, error));
        TRY(compute_and_keep(run, part, work, error));
    }
    TRY(clear_checkpoints(run, part, true, error));
    own->is_made = true;
    run->is_idle = own->was_there;
    stage_note(run, "run=%s%s", own->name, own->was_there ? " already=computed" : "");
out:
    return status;
}

Status part_choose(Run *run, Error *error)
{
    Status status = STATUS_OK;
    run->parts[PART_SALES].is_wanted = true;
    TRY_ALL(run->comm,
            options_yes_no(run->config, "recommend", &run->parts[PART_RECOMMEND].is_wanted, error),
            error);
    TRY_ALL(run->comm,
            options_yes_no(run->config, "forecast", &run->parts[PART_FORECAST].is_wanted, error),
            error);
    if (run->store == NULL)
        goto out;
    for (int part = PART_SALES; part < PART_COUNT; part++)
        set_name(run, (ResultPart)part, store_seen_until(run->store));
out:
    return status;
}

static Status find_on_root(const Run *run, bool *is_there, Error *error)
{
    Status status;
    *is_there = true;
    TRY(fault_point("part.find", error));
    for (int part = PART_SALES; part < PART_COUNT; part++) {
        const NightPart *own = &run->parts[part];
        *is_there &= !own->is_wanted || results_exist(run->store, own->name);
    }
out:
    return status;
}

Status part_find(Run *run, int32_t as_of, bool *is_there, Error *error)
{
    Status status = STATUS_OK;
    *is_there = false;
    for (int part = PART_SALES; part < PART_COUNT; part++)
        set_name(run, (ResultPart)part, as_of);
    TRY_ALL(run->comm, comm_rank(run->comm) == 0 ? find_on_root(run, is_there, error) : STATUS_OK,
            error);
    *is_there = stage_root_says(run->comm, *is_there);
out:
    return status;
}
