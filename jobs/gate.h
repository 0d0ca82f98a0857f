/* The gate of a night's run: what was asked of it, what it said. */
#ifndef VESPER_JOBS_GATE_H
#define VESPER_JOBS_GATE_H

#include "publish/gate.h"

/* What it said is known on rank 0 alone, but for is_refused. */
typedef struct GateRun {
    GateLimits limits;
    const char *reason; /* of --force; NULL: not given */
    bool is_refused;
    bool was_published; /* the target has this very run, by the record: nothing to judge */
    Night night;
    char beside[STORE_NAME_SIZE]; /* the run that it was compared with; "" */
    GateVerdict verdict;
} GateRun;

void gate_run_free(GateRun *gate);

#endif
