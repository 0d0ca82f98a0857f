/* See stop.h. */
#include "base/stop.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static volatile sig_atomic_t is_asked;

static void ask(int signal_number)
{
    (void)signal_number;
    is_asked = 1;
}

void stop_catch_signals(void)
{
    const int signals[] = {SIGTERM, SIGINT, SIGUSR1};
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = ask;
    action.sa_flags = SA_RESTART | (int)SA_RESETHAND;
    (void)sigemptyset(&action.sa_mask);
    is_asked = 0;
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        (void)sigaction(signals[i], &action, NULL);
}

bool stop_asked(void)
{
    return is_asked != 0;
}

Status stop_here(Error *error, const char *where, ...)
{
    char text[ERROR_MESSAGE_SIZE];
    va_list args;
    va_start(args, where);
    (void)vsnprintf(text, sizeof text, where, args);
    va_end(args);
    return error_set(error, STATUS_RESUME, __FILE__, __LINE__,
                     "stopped at a safe point, %s; run the same command again to go on", text);
}

Status stop_point(Error *error, const char *where, ...)
{
    char text[ERROR_MESSAGE_SIZE];
    va_list args;
    if (!stop_asked())
        return STATUS_OK;
    va_start(args, where);
    (void)vsnprintf(text, sizeof text, where, args);
    va_end(args);
    return stop_here(error, "%s", text);
}
