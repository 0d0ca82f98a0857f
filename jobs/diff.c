/* vesper diff RUN RUN: what changed between two nights.
 *
 * Question: what happened since that night, and what do we now believe otherwise? Which products
 * sold and which came back, which customers moved to another segment, which forecasts were revised,
 * and which tables grew or shrank? In:  the results that the store keeps of both nights: last,
 * previous, a day, or the name of a run Out: stdout, one screen of text (--limit lines a list), or
 * --json. Money is in minor units in JSON, forecasts in pieces, over the days that both nights
 * forecast.
 *
 * Nothing is written, and no lock is needed. One rank reads both nights, block by block. */
#include "diff.h"

#include "options.h"
#include "stage.h"

static Status find_nights_on_root(Run *run, Error *error)
{
    Status status;
    Diff *diff = run->diff;
    TRY(kept_night_find(run, config_argument(run->config, 0), &diff->before, error));
    TRY(kept_night_find(run, config_argument(run->config, 1), &diff->after, error));
out:
    return status;
}

static Status find_nights(Run *run, Error *error)
{
    bool is_root = comm_rank(run->comm) == 0;
    return comm_agree(run->comm, is_root ? find_nights_on_root(run, error) : STATUS_OK, error);
}

static Status compare_on_root(Run *run, Error *error)
{
    Status status;
    ResultReader *before = NULL, *after = NULL;
    TRY(kept_night_open(run, &run->diff->before, &before, error));
    TRY(kept_night_open(run, &run->diff->after, &after, error));
    TRY(changes_find(before, after, config_int(run->config, "limit"), &run->diff->changes, error));
out:
    results_close(&before);
    results_close(&after);
    return status;
}

static Status compare(Run *run, Error *error)
{
    bool is_root = comm_rank(run->comm) == 0;
    return comm_agree(run->comm, is_root ? compare_on_root(run, error) : STATUS_OK, error);
}

Status job_diff(Run *run, Error *error)
{
    Status status;
    Diff diff = {.before = {.generation = 0}};
    run->diff = &diff;
    TRY(recommend_options_read_lists(run->comm, run->config, &run->recommend_options, error));
    TRY(stage_run(run, "open", open_to_read, error));
    TRY(stage_run(run, "find", find_nights, error));
    TRY(stage_run(run, "compare", compare, error));
    if (comm_rank(run->comm) == 0) {
        if (config_switch(run->config, "json"))
            diff_print_json(&diff, store_settings(run->store));
        else
            diff_print_text(&diff, store_settings(run->store));
    }
out:
    changes_free(&diff.changes);
    run->diff = NULL;
    return status;
}
