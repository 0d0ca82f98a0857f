/* vesper init: make a store for a shop.
 *
 * Question: where shall the shop's history be kept, and by which clock and money is it counted?
 * In:  --store DIR, --time-zone, --currency, --money-decimals, --partitions
 * Out: an empty store at DIR. Nothing changes if it is there already with the same settings. */
#include "base/civil.h"
#include "base/log.h"
#include "options.h"
#include "stage.h"
#include "summary.h"

/* A store keeps its time zone for ever, so a mistyped one must not get into it. */
static Status check_time_zone(const char *name, Error *error)
{
    TimeZone *zone = NULL;
    Status status = timezone_new(name, &zone, error);
    timezone_free(&zone);
    return status;
}

Status create_store(Run *run, Error *error)
{
    Status status;
    const char *path = NULL;
    StoreSettings settings;
    TRY(options_store(run->config, &path, error));
    TRY(options_settings(run->config, &settings, error));
    TRY_ALL(run->comm, check_time_zone(settings.time_zone, error), error);
    TRY(store_create(run->comm, path, &settings, error));
    stage_note(run, "partitions=%d", (int)settings.partitions);
    stage_note_text(run, "time_zone", settings.time_zone);
    stage_note_text(run, "currency", settings.currency);
    stage_note(run, "money_decimals=%d", settings.money_decimals);
out:
    return status;
}

static Status open_store(Run *run, StoreMode mode, Error *error)
{
    Status status;
    const char *path = NULL;
    TRY(options_store(run->config, &path, error));
    TRY(store_open(run->comm, path, mode, &run->store, error));
    TRY(options_match_store(run->config, store_settings(run->store), path, error));
    stage_note_text(run, "store", path);
    stage_note(run, "generation=%lld", (long long)store_generation(run->store));
out:
    return status;
}

Status open_to_write(Run *run, Error *error)
{
    return open_store(run, STORE_WRITE, error);
}

Status open_to_read(Run *run, Error *error)
{
    return open_store(run, STORE_READ, error);
}

Status job_init(Run *run, Error *error)
{
    Status status;
    TRY(stage_run(run, "create", create_store, error));
    TRY(stage_run(run, "open", open_to_read, error));
    summary_of_store(run);
    summary_done(run);
out:
    return status;
}
