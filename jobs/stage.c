/* Stages: safe point, fault point, work, times, log line. */
#include "stage.h"

#include "base/fault.h"
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void stage_note(Run *run, const char *format, ...)
{
    va_list args;
    size_t used = strlen(run->note);
    if (used > 0 && used + 1 < sizeof run->note) {
        run->note[used++] = ' ';
        run->note[used] = '\0';
    }
    va_start(args, format);
    (void)vsnprintf(run->note + used, sizeof run->note - used, format, args);
    va_end(args);
}

bool stage_root_says(Comm *comm, bool answer)
{
    int64_t value = comm_rank(comm) == 0 && answer;
    comm_max_i64(comm, &value, 1);
    return value != 0;
}

Status stage_run(Run *run, const char *name, StageWork work, Error *error)
{
    Status status;
    char site[64], before[64];
    (void)snprintf(site, sizeof site, "stage.%s", name);
    (void)snprintf(before, sizeof before, "before stage '%s'", name);
    TRY(comm_safe_point(run->comm, before, error));
    double began = clock_seconds();
    run->note[0] = '\0';
    TRY_ALL(run->comm, fault_point(site, error), error);
    TRY(work(run, error));
    const StageTime *time =
        run_record_add_stage(&run->record, run->comm, name, clock_seconds() - began);
    log_line(LOG_INFO, LOG_ROOT, name, "seconds=%.3f min=%.3f max=%.3f%s%s", time->mean_s,
             time->min_s, time->max_s, run->note[0] != '\0' ? " " : "", run->note);
out:
    return status;
}
