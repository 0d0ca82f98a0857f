/* Ingest: what happened since last night becomes a new generation of the store. */
#ifndef VESPER_INGEST_INGEST_H
#define VESPER_INGEST_INGEST_H

#include "base/config.h"
#include "ingest/schema.h"
#include "store/store.h"

typedef struct IngestSummary {
    RowCounts counts[INPUT_COUNT]; /* of this run, by table; all zero if not given */
    bool given[INPUT_COUNT];
    bool changed; /* a new generation was committed */
    int64_t generation;
    char example[ERROR_MESSAGE_SIZE]; /* first rejected row: "negative price, first at FILE:88" */
} IngestSummary;

/* Take in all inputs (`TABLE=PATH`) as one batch: parse, code, route, write, commit. Content that
 * the store already has changes nothing. A batch with more rejected rows than max-rejected allows
 * is refused whole (STATUS_INPUT); the rejects file is still written. Collective. */
Status ingest_run(Comm *comm, Store *store, const Config *config, IngestSummary *summary,
                  Error *error) VESPER_MUST_USE;

#endif
