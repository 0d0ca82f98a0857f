/* Fault points: see fault.h. */
#include "base/fault.h"

#include "base/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SITE_SIZE = 64 };

typedef enum Action { ACTION_FAIL, ACTION_KILL, ACTION_STOP, ACTION_WAIT, ACTION_COUNT } Action;

static const char *const action_names[ACTION_COUNT] = {"", ":kill", ":stop", ":wait"};

static bool is_active;
static char armed_site[SITE_SIZE]; /* empty: none on this rank */
static int64_t armed_visit;
static Action armed_action;
static _Atomic int64_t visits;
static int trace_file = -1;

/* A whole number at *text, which is moved to what follows it; -1 if there is none. */
static int64_t take_number(const char **text)
{
    if (**text < '0' || **text > '9')
        return -1;
    char *end;
    errno = 0;
    long long value = strtoll(*text, &end, 10);
    *text = end;
    return errno ? -1 : value;
}

static Status arm(const char *spec, int rank, Error *error)
{
    const char *colon = strchr(spec, ':');
    size_t length = colon ? (size_t)(colon - spec) : 0;
    const char *rest = colon ? colon + 1 : "";
    int64_t on_rank = take_number(&rest);
    int64_t nth = *rest == ':' ? (rest++, take_number(&rest)) : -1;
    int action = 0;
    while (action < ACTION_COUNT && strcmp(rest, action_names[action]) != 0)
        action++;
    if (length == 0 || length >= SITE_SIZE || on_rank < 0 || nth < 1 || action == ACTION_COUNT)
        return error_set(
            error, STATUS_USAGE, __FILE__, __LINE__,
            "VESPER_FAULT=%s is not site:rank:nth, alone or with :kill, :stop or :wait", spec);
    if (on_rank == rank) {
        memcpy(armed_site, spec, length);
        armed_site[length] = '\0';
        armed_visit = nth;
        armed_action = (Action)action;
    }
    return STATUS_OK;
}

static Status open_trace(const char *path, int rank, Error *error)
{
    char name[4096];
    snprintf(name, sizeof name, "%s.%d", path, rank);
    trace_file = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (trace_file < 0)
        return error_set(error, STATUS_USAGE, __FILE__, __LINE__,
                         "cannot write the fault trace %s: %s", name, strerror(errno));
    return STATUS_OK;
}

Status fault_init(int rank, Error *error)
{
    Status status = STATUS_OK;
    armed_site[0] = '\0';
    visits = 0;
    if (trace_file >= 0)
        close(trace_file);
    trace_file = -1;

    const char *spec = getenv("VESPER_FAULT");
    const char *trace = getenv("VESPER_FAULT_TRACE");
    if (spec && *spec)
        TRY(arm(spec, rank, error));
    if (trace && *trace)
        TRY(open_trace(trace, rank, error));
out:
    is_active = armed_site[0] || trace_file >= 0;
    return status;
}

static void wait_until_asked(void)
{
    const struct timespec moment = {.tv_nsec = 10000000};
    while (!stop_asked())
        (void)nanosleep(&moment, NULL);
}

static Status visit(const char *site, Error *error)
{
    if (trace_file >= 0) {
        char line[SITE_SIZE + 2];
        int length = snprintf(line, sizeof line, "%s\n", site);
        if (write(trace_file, line, (size_t)length) != length)
            return error_set(error, STATUS_IO, __FILE__, __LINE__,
                             "cannot write the fault trace: %s", strerror(errno));
    }
    if (strcmp(site, armed_site) != 0 || atomic_fetch_add(&visits, 1) + 1 != armed_visit)
        return STATUS_OK;
    if (armed_action == ACTION_KILL)
        (void)raise(SIGKILL);
    if (armed_action == ACTION_STOP)
        (void)raise(SIGUSR1);
    if (armed_action == ACTION_WAIT)
        wait_until_asked();
    if (armed_action != ACTION_FAIL)
        return STATUS_OK;
    return error_set(error, STATUS_IO, __FILE__, __LINE__, "injected fault at %s", site);
}

Status fault_point(const char *site, Error *error)
{
    return is_active ? visit(site, error) : STATUS_OK;
}
