/* Job: one command of the program, and what its stages share while it runs. */
#ifndef VESPER_JOBS_JOB_H
#define VESPER_JOBS_JOB_H

#include "forecast/series_files.h"
#include "forecast_options.h"
#include "gate.h"
#include "ingest/ingest.h"
#include "options.h"
#include "publish/publish.h"
#include "recommend_options.h"
#include "run_record.h"
#include "sales/sales.h"

/* A part of the night, computed and kept for itself. */
typedef struct NightPart {
    bool is_wanted;
    bool was_there;             /* an earlier run had computed it */
    bool is_made;               /* by this run or an earlier one: this run came past it */
    bool is_missing;            /* wanted, but there is none to publish; known on rank 0 alone */
    char name[STORE_NAME_SIZE]; /* of its results: generation and configuration; "" until known */
} NightPart;

/* One run of a job. Every rank has one; what publishing returned is known on rank 0 alone. */
typedef struct Run {
    Comm *comm;
    const Config *config;
    const char *job;
    Store *store;   /* NULL until a stage opened it */
    bool is_idle;   /* the stage at work found its work done already */
    char note[256]; /* what the stage at work says of itself in the log */
    int32_t as_of;  /* last day that is seen; DAY_NONE: all. Of jobs that take --as-of */
    NightPart parts[PART_COUNT];
    IngestSummary ingest;
    SalesOptions sales_options; /* of jobs that compute sales */
    SalesSummary sales;
    PublishedRun published;
    PublishSummary publish;
    GateRun gate; /* of jobs that publish */
    RollbackSummary rollback;
    RecommendOptions recommend_options; /* of jobs that recommend, as what follows */
    Shop shop;
    int32_t cut_day; /* of a store: the first day held out */
    HeldOut held_out;
    Evaluation *evaluations; /* [n_evaluations] */
    int n_evaluations;
    RecommendSummary recommend;
    ForecastOptions forecast_options; /* of jobs that forecast, as what follows */
    SeriesSet series;
    SeriesReadCounts series_pieces;                    /* of a store */
    SeriesFileCounts series_lines, series_after_lines; /* of files */
    double *series_after; /* [series.n x horizon] what came after them; NULL: not known */
    ForecastAccuracies forecast_accuracies;
    ForecastSummary forecast;
    int64_t blocks_verified;
    bool is_watched;   /* something is written at its end (watch.h) */
    struct Diff *diff; /* of the job of that name (diff.h) */
    RunRecord record;
} Run;

/* Counts of this run over all input tables. Local. */
RowCounts run_total_counts(const Run *run);

typedef Status (*JobMain)(Run *run, Error *error);

typedef struct Job {
    const char *name;
    const char *purpose; /* one line: the shop's question */
    const char *story;   /* for --help: what comes in, what comes out; one paragraph */
    const char *examples;
    JobMain main;
} Job;

/* The jobs, each in the file of its name. Collective. */
Status job_init(Run *run, Error *error) VESPER_MUST_USE;
Status job_ingest(Run *run, Error *error) VESPER_MUST_USE;
Status job_sales(Run *run, Error *error) VESPER_MUST_USE;
Status job_recommend(Run *run, Error *error) VESPER_MUST_USE;
Status job_forecast(Run *run, Error *error) VESPER_MUST_USE;
Status job_publish(Run *run, Error *error) VESPER_MUST_USE;
Status job_nightly(Run *run, Error *error) VESPER_MUST_USE;
Status job_status(Run *run, Error *error) VESPER_MUST_USE;
Status job_rollback(Run *run, Error *error) VESPER_MUST_USE;
Status job_plan(Run *run, Error *error) VESPER_MUST_USE;
Status job_verify(Run *run, Error *error) VESPER_MUST_USE;
Status job_backfill(Run *run, Error *error) VESPER_MUST_USE;
Status job_diff(Run *run, Error *error) VESPER_MUST_USE;

/* Stages that several jobs share (StageWork, stage.h). Collective. */
Status create_store(Run *run, Error *error) VESPER_MUST_USE;  /* init.c */
Status open_to_write(Run *run, Error *error) VESPER_MUST_USE; /* init.c; takes the lock */
Status open_to_read(Run *run, Error *error) VESPER_MUST_USE;  /* init.c */
Status take_in(Run *run, Error *error) VESPER_MUST_USE;       /* ingest.c */
Status compute_sales(Run *run, Error *error) VESPER_MUST_USE; /* sales.c */
Status choose_tables(Run *run, Error *error) VESPER_MUST_USE; /* sales.c; fills sales_options */
Status choose_models(Run *run, Error *error) VESPER_MUST_USE; /* recommend.c; recommend_options */
Status make_lists(Run *run, Error *error) VESPER_MUST_USE;    /* recommend.c */
Status choose_forecasts(Run *run, Error *error) VESPER_MUST_USE; /* forecast.c; forecast_options */
Status make_forecasts(Run *run, Error *error) VESPER_MUST_USE;   /* forecast.c */
Status publish_tables(Run *run, Error *error) VESPER_MUST_USE;   /* publish.c */
Status choose_gate(Run *run, Error *error) VESPER_MUST_USE;      /* gate.c; reads its options */

/* The stages gate, publish and night; without the last two if the gate refuses. Collective. */
Status publish_through_gate(Run *run, Error *error) VESPER_MUST_USE; /* gate.c */
/* STATUS_GATE, with the reason, if it did: the last word of a job that published otherwise.
 * Collective. */
Status end_of_gate(const Run *run, Error *error) VESPER_MUST_USE; /* gate.c */
/* A stage: run->rollback, in the store's record of nights. Collective. gate.c */
Status record_roll_back(Run *run, Error *error) VESPER_MUST_USE;

/* The results that are published together, and run->published, which says of what. On rank 0. */
Status open_night(Run *run, ResultReader **reader, Error *error) VESPER_MUST_USE; /* publish.c */

/* Before a night's work: can --to be published into? Collective. publish.c */
Status reach_target(Run *run, Error *error) VESPER_MUST_USE;
/* What the options say of publishing; texts point into `config`. Local. publish.c */
void publish_options_read(const Config *config, PublishOptions *options);

#endif
