/* ParseFixture: files of rank 0's making, parsed by all ranks, and what came of it as text. */
#ifndef VESPER_TESTS_RANK_PARSE_FIXTURE_H
#define VESPER_TESTS_RANK_PARSE_FIXTURE_H

#include "ingest/parse.h"
#include "rank/suites.h"

typedef struct ParseFixture {
    char folder[64]; /* holds the test's files, and the store */
    Store *store;
    Config *config;
    ParsedBatch batch;
    Error error;
} ParseFixture;

/* A new folder with a store of two money decimals in the time zone of London; `ini` may be NULL.
 * Collective, as all here. */
void parse_fixture_begin(ParseFixture *fixture, const char *ini);
/* Also checks that nothing is left in the store's tmp/. */
void parse_fixture_end(ParseFixture *fixture);

/* Write FOLDER/name. */
void parse_fixture_write(const ParseFixture *fixture, const char *name, Bytes content);
void parse_fixture_write_text(const ParseFixture *fixture, const char *name, const char *content);

/* Parse TABLE=FOLDER/name into fixture->batch. */
Status parse_fixture_parse(ParseFixture *fixture, const char *table, const char *name);

/* All ranks' rows of the last parsed table, one a line: values with spaces between, a code by its
 * text, "-" for none. FOLDER is written as it stands. The caller frees with buffer_free. */
void parse_fixture_rows(const ParseFixture *fixture, Buffer *text);
/* Header and all ranks' rejects; FOLDER/ is left out. */
void parse_fixture_rejects(const ParseFixture *fixture, Buffer *text);
/* "read stored rejected unchanged" of the inputs of the last parsed table, one a line. */
void parse_fixture_counts(const ParseFixture *fixture, Buffer *text);

/* Parse TABLE=FOLDER/name, and check one of these against `expected`; NULL: not checked. */
void parse_fixture_expect(ParseFixture *fixture, const char *table, const char *name,
                          const char *rows, const char *rejects, const char *counts);

/* Parsing fails on every rank with this status and a message that has all of `words` (NULL-ended).
 */
void parse_fixture_expect_failure(ParseFixture *fixture, const char *table, const char *name,
                                  Status status, const char *const *words);

#endif
