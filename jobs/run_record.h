/* RunRecord: run.json, what a run did, for the people and programs that watch over the nights. */
#ifndef VESPER_JOBS_RUN_RECORD_H
#define VESPER_JOBS_RUN_RECORD_H

#include "comm/comm.h"

enum { RUN_STAGES_MAX = 16 };

/* Seconds over the ranks. */
typedef struct StageTime {
    char name[32];
    double min_s, mean_s, max_s;
} StageTime;

typedef struct RunRecord {
    int64_t started_us; /* UTC */
    double started_s;   /* monotonic */
    StageTime stages[RUN_STAGES_MAX];
    int n_stages;
} RunRecord;

struct Run;

void run_record_begin(RunRecord *record);

/* Add a stage that took `seconds` on this rank. Collective. */
const StageTime *run_record_add_stage(RunRecord *record, Comm *comm, const char *name,
                                      double seconds);

/* Mean seconds of a stage; 0 if it did not run. Local. */
double run_record_seconds(const RunRecord *record, const char *stage);

/* Write STORE/run.json, and a copy to --run-record: under another name first, synced, renamed.
 * A stage (stage.h). Collective. */
Status run_record_write(struct Run *run, Error *error) VESPER_MUST_USE;

/* The copy alone, of a run that leaves the store as it is or has none. A stage. Collective. */
Status run_record_write_copy(struct Run *run, Error *error) VESPER_MUST_USE;

#endif
