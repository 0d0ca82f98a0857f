/* RunRecord: run.json, what a run did, for the people and programs that watch over the nights. */
#ifndef VESPER_JOBS_RUN_RECORD_H
#define VESPER_JOBS_RUN_RECORD_H

#include "base/process_io.h"
#include "comm/comm.h"
#include "plan/plan.h"

enum { RUN_STAGES_MAX = 16, RUN_ID_SIZE = 37 };

/* What a stage took over the ranks. */
typedef struct StageTime {
    char name[32];
    double min_s, mean_s, max_s;
    int64_t peak_bytes;                            /* resident, the most of all ranks */
    int64_t sent_bytes, read_bytes, written_bytes; /* of all ranks */
    bool is_predicted;
    PlanNeed predicted;
} StageTime;

/* Where a rank stood when a stage began. */
typedef struct StageStart {
    double seconds;
    int64_t sent_bytes;
    ProcessIo io;
} StageStart;

/* Peak resident bytes of a rank, over the ranks. */
typedef struct PeakMemory {
    int64_t min, mean, max;
} PeakMemory;

typedef struct RunRecord {
    char id[RUN_ID_SIZE]; /* UUID of this run in --lineage; "" without */
    int64_t started_us;   /* UTC */
    double started_s;     /* monotonic */
    StageTime stages[RUN_STAGES_MAX];
    int n_stages;
} RunRecord;

struct Run;

void run_record_begin(RunRecord *record);
int64_t run_record_now_us(void); /* UTC */

/* Collective. */
PeakMemory run_record_peak_memory(Comm *comm);

/* A stage begins, and it is done; one that runs again adds to its times. `predicted` NULL: the plan
 * has no such stage, or there was nothing to do. The second returns what this time took; its name
 * is left empty. Collective. */
StageStart run_record_begin_stage(const Comm *comm);
StageTime run_record_end_stage(RunRecord *record, Comm *comm, const char *name,
                               const StageStart *start, const PlanNeed *predicted);

/* Mean seconds of a stage; 0 if it did not run. Local. */
double run_record_seconds(const RunRecord *record, const char *stage);

/* Write STORE/run.json, and a copy to --run-record: under another name first, synced, renamed.
 * A stage (stage.h). Collective. */
Status run_record_write(struct Run *run, Error *error) VESPER_MUST_USE;

/* The copy alone, of a run that leaves the store as it is or has none. A stage. Collective. */
Status run_record_write_copy(struct Run *run, Error *error) VESPER_MUST_USE;

#endif
