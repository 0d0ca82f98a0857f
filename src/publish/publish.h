/* Publish: a run's tables into the storefront's database, so that a reader sees one whole night.
 *
 * Target `sqlite:FILE`. Tables are loaded beside those in force, read back and compared by row
 * count and checksum, then switched in one transaction together with `vesper_run`. */
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

/* STATUS_USAGE for a target that is not understood; nothing is opened. Local. */
Status publish_check_target(const char *target, Error *error) VESPER_MUST_USE;

/* On one rank (root). STATUS_USAGE for a target that is not understood, STATUS_IO for one that
 * cannot be written; the target then still shows the night before. */
Status publish_run(ResultReader *reader, const PublishedRun *run, const char *target,
                   PublishSummary *summary, Error *error) VESPER_MUST_USE;

#endif
