/* Stages: safe point, fault point, work, times, log line. */
#include "stage.h"

#include "base/fault.h"
#include "base/log.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static volatile sig_atomic_t stop_asked;

static void ask_to_stop(int signal_number)
{
    (void)signal_number;
    stop_asked = 1;
}

void stage_catch_signals(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = ask_to_stop;
    action.sa_flags = SA_RESTART | (int)SA_RESETHAND;
    (void)sigemptyset(&action.sa_mask);
    const int signals[] = {SIGTERM, SIGINT, SIGUSR1};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        (void)sigaction(signals[i], &action, NULL);
    }
}

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

static Status stop_if_asked(Run *run, const char *next, Error *error)
{
    Status status = STATUS_OK;
    int64_t asked = stop_asked;
    comm_max_i64(run->comm, &asked, 1);
    if (asked != 0) {
        FAIL(error, STATUS_RESUME,
             "stopped at a safe point, before stage '%s'; run the same command again to go on",
             next);
    }
out:
    return status;
}

Status stage_run(Run *run, const char *name, StageWork work, Error *error)
{
    Status status;
    char site[64];
    (void)snprintf(site, sizeof site, "stage.%s", name);
    TRY(stop_if_asked(run, name, error));
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
