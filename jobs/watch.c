#include "watch.h"

#include "base/log.h"
#include "lineage.h"
#include "metrics.h"

static Status begin_on_root(Run *run, Error *error)
{
    Status status;
    TRY(metrics_check(run, error));
    TRY(lineage_begin(run, error));
out:
    return status;
}

Status watch_begin(Run *run, Error *error)
{
    Status status;
    LogLevel level = LOG_INFO;
    LogFormat format = LOG_TEXT;
    TRY_ALL(run->comm, log_level_parse(config_text(run->config, "log-level"), &level, error),
            error);
    TRY_ALL(run->comm, log_format_parse(config_text(run->config, "log-format"), &format, error),
            error);
    log_init(comm_rank(run->comm), level);
    log_set_format(format, run->job);
    TRY_ALL(run->comm, comm_rank(run->comm) == 0 ? begin_on_root(run, error) : STATUS_OK, error);
    run->is_watched =
        config_text(run->config, "metrics") != NULL || config_text(run->config, "lineage") != NULL;
out:
    return status;
}

/* The results of the parts that the run made or found made; NULL: of none. */
static Status open_results(const Run *run, ResultReader **reader, Error *error)
{
    Status status = STATUS_OK;
    for (int k = PART_SALES; k < PART_COUNT; k++) {
        const NightPart *part = &run->parts[k];
        bool is_published = run->published.run[0] != '\0' && (k == PART_SALES || part->is_wanted);
        if (!(part->is_made || is_published) || !results_exist(run->store, part->name))
            continue;
        if (*reader == NULL)
            TRY(results_open(run->store, part->name, reader, error));
        else
            TRY(results_open_also(run->store, part->name, *reader, error));
    }
out:
    return status;
}

static Status end_on_root(const Run *run, const PeakMemory *peak, Status ended,
                          const Error *failure, Error *error)
{
    Status status = STATUS_OK;
    ResultReader *reader = NULL;
    if (ended == STATUS_OK)
        TRY(open_results(run, &reader, error));
    TRY(metrics_write(run, reader, peak, ended, error));
    TRY(lineage_end(run, reader, ended != STATUS_OK ? failure : NULL, error));
out:
    results_close(&reader);
    return status;
}

Status watch_end(Run *run, Status ended, Error *failure)
{
    Status status = STATUS_OK;
    Error error = {0};
    if (!run->is_watched)
        return ended;
    PeakMemory peak = run_record_peak_memory(run->comm);
    if (comm_rank(run->comm) == 0)
        status = end_on_root(run, &peak, ended, failure, &error);
    status = comm_agree(run->comm, status, &error);
    if (status == STATUS_OK)
        return ended;
    if (ended == STATUS_OK) {
        *failure = error;
        return status;
    }
    log_line(LOG_WARN, LOG_ROOT, "watch", "note=\"%s\"", error.message);
    return ended;
}
