/* Publish: a run's tables into the storefront's database, so that a reader sees one whole night.
 *
 * Targets `sqlite:FILE`, `postgresql://USER@HOST/DATABASE`, `mysql://USER@HOST/DATABASE`,
 * `csv:FOLDER`, and for recommendation lists `redis://HOST:PORT/DB`. Tables are loaded beside those
 * in force, read back and compared, then switched at once together with what says which night is in
 * force. */
#ifndef VESPER_PUBLISH_PUBLISH_H
#define VESPER_PUBLISH_PUBLISH_H

#include "store/results.h"

/* The row of vesper_run: which night is in force. */
typedef struct PublishedRun {
    char run[STORE_NAME_SIZE];
    int64_t generation;
    char as_of[32]; /* last day of the data, YYYY-MM-DD; empty in an empty store */
    char currency[STORE_NAME_SIZE];
    int money_decimals;
    char time_zone[STORE_NAME_SIZE];
    RowCounts orders;      /* over all batches of the store */
    int64_t rows_in_force; /* order lines */
} PublishedRun;

typedef struct PublishSummary {
    bool changed; /* false if this run was in force already */
    int tables;
    int64_t rows;
} PublishSummary;

/* Where to, and how. The fields after `to` are of PostgreSQL and, without `schema`, of MariaDB. */
typedef struct PublishOptions {
    const char *to;
    const char *schema;       /* that the tables stand in */
    double lock_seconds;      /* so long may one try to switch keep readers waiting */
    int lock_tries;           /* so many are made */
    double statement_seconds; /* that any other statement may take; 0: any time */
} PublishOptions;

typedef struct RollbackSummary {
    char restored[STORE_NAME_SIZE];  /* run that is in force again */
    char withdrawn[STORE_NAME_SIZE]; /* run whose tables are gone */
    int tables;                      /* of the restored one */
} RollbackSummary;

/* STATUS_USAGE for a target that is not understood; nothing is opened. Local. */
Status publish_check_target(const char *target, Error *error) VESPER_MUST_USE;

/* On one rank (root), before a night's work: the target is understood, and as far as can be seen
 * without changing it, a publication will reach it. */
Status publish_reach(const PublishOptions *options, Error *error) VESPER_MUST_USE;

/* On one rank (root). STATUS_USAGE for a target that is not understood, STATUS_IO for one that
 * cannot be written; the target then still shows the night before. */
Status publish_run(ResultReader *reader, const PublishedRun *run, const PublishOptions *options,
                   PublishSummary *summary, Error *error) VESPER_MUST_USE;

/* Put the night before in force again, in one transaction. On one rank (root). STATUS_USAGE if
 * there is none; after a failure the target is as it was. */
Status publish_roll_back(const PublishOptions *options, RollbackSummary *summary,
                         Error *error) VESPER_MUST_USE;

#endif
