/* Stop: this process was asked to end early, at a point from which the same command goes on.
 *
 * Collective code agrees on it: comm_safe_point (comm/comm.h), stop_asked() in a reduction that is
 * there anyway, or stop_point in local work whose status is agreed on when it ends. */
#ifndef VESPER_BASE_STOP_H
#define VESPER_BASE_STOP_H

#include "base/status.h"

/* From now on the first SIGTERM, SIGINT or SIGUSR1 asks; a second one of the same kind ends the
 * process at once. What was asked before is forgotten. Local. */
void stop_catch_signals(void);

/* Was it asked? Ranks may differ. Local. */
bool stop_asked(void);

/* STATUS_RESUME: "stopped at a safe point, WHERE; run the same command again to go on". Local. */
Status stop_here(Error *error, const char *where, ...) VESPER_PRINTF(2, 3);

/* The same, but only if this process was asked: a safe point inside local work. Local. */
Status stop_point(Error *error, const char *where, ...) VESPER_PRINTF(2, 3) VESPER_MUST_USE;

#endif
