/* Stage: one step of a job. Each is logged, timed over the ranks, a fault point, and preceded by a
 * safe point where SIGTERM, SIGINT or SIGUSR1 stop the run with "run me again". */
#ifndef VESPER_JOBS_STAGE_H
#define VESPER_JOBS_STAGE_H

#include "job.h"

typedef Status (*StageWork)(Run *run, Error *error);

/* Run one stage; `name` is one word. STATUS_RESUME if a signal came on any rank. Collective. */
Status stage_run(Run *run, const char *name, StageWork work, Error *error) VESPER_MUST_USE;

/* Adds key=value to the log line of the stage at work. Local. */
void stage_note(Run *run, const char *format, ...) VESPER_PRINTF(2, 3);
/* The same of a text that may have blanks or quotes in it, such as a path. Local. */
void stage_note_text(Run *run, const char *key, const char *text);

/* Rank 0's answer everywhere: for questions to the file system, whose answer may differ between
 * machines for a moment. Collective. */
bool stage_root_says(Comm *comm, bool answer);

#endif
