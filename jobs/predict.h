/* Predict: what the stages of this run would take, by the plan's formulae (plan/plan.h) and what is
 * known before them: the store, the size of the input, and the options. */
#ifndef VESPER_JOBS_PREDICT_H
#define VESPER_JOBS_PREDICT_H

#include "job.h"
#include "plan/plan.h"

/* Of one --input. */
typedef struct InputSize {
    int64_t files;
    int64_t bytes;     /* on disk, or as a database guesses */
    double text_bytes; /* unpacked; of compressed files an estimate */
    bool is_database;
    int64_t rows;       /* of a database, as it guesses */
    bool has_watermark; /* of them only those past it are read */
} InputSize;

/* STATUS_INPUT if it is not there. On rank 0. Local. */
Status predict_input(const Config *config, const char *input, InputSize *size,
                     Error *error) VESPER_MUST_USE;

/* Sizes by --rows, or else by the store, if it is open, and the input that is not in it yet; of
 * databases only if they may be asked. Collective. */
Status predict_sizes(Run *run, bool asks_databases, PlanSizes *sizes, Error *error) VESPER_MUST_USE;

/* The shape of a run by its options, with so many ranks. Collective. */
Status predict_shape(Run *run, const PlanSizes *sizes, int ranks, PlanShape *shape,
                     Error *error) VESPER_MUST_USE;

/* *need of a stage of this run that is about to begin; false: the plan has no such stage, or cannot
 * say, as of databases that are read. The same everywhere. Collective. */
bool predict_stage(Run *run, const char *name, PlanNeed *need);

/* STATUS_MEMORY, saying how many ranks would do, if one of the `n` stages that this run is about to
 * go through would take more of a rank than --memory allows. Collective. */
Status predict_check(Run *run, const PlanStage *stages, int n, Error *error) VESPER_MUST_USE;

/* The same of all stages that a night is to go through: those of its parts, and if it is whole also
 * ingest and publish. Collective. */
Status predict_check_night(Run *run, bool is_whole, Error *error) VESPER_MUST_USE;

#endif
