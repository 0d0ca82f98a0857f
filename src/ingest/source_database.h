/* A database as the source of one input: postgresql://... and sqlite:FILE.
 *
 * The rows of one query become one CSV file in the store's tmp/, which then is read as any other
 * input file. Its bytes depend on the rows alone: not on the order in which the database keeps
 * them, nor on the number of ranks. What is asked for: source_query.h. */
#ifndef VESPER_INGEST_SOURCE_DATABASE_H
#define VESPER_INGEST_SOURCE_DATABASE_H

#include "ingest/mapping.h"
#include "ingest/source.h"
#include "store/store.h"

/* True for a path that names a database. Local. */
bool source_is_database(const char *path);

/* `input` as it may be shown: what stands in a URL that might hold a password is left out. Local.
 */
void source_append_shown(const char *input, Buffer *shown);

/* STATUS_USAGE for a URL that is not understood or holds a password; nothing is opened. Local. */
Status source_check_database(const char *url, Error *error) VESPER_MUST_USE;

typedef struct DatabaseRequest {
    const char *url;
    InputTable table;
    const InputSettings *settings;
    const Config *config; /* for the mapping of columns, and how long a query may take */
    const char *time_zone;
    const char *folder, *name; /* of the file, FOLDER/NAME-0.csv */
} DatabaseRequest;

/* Read the rows that `store` does not have yet, according to the watermark kept there, and open
 * them as a source of one file with its watermark set. In PostgreSQL with a range_key each rank
 * reads a range of its own, all from one snapshot. STATUS_USAGE for settings that do not fit,
 * STATUS_INPUT for a query that the database refuses, STATUS_IO for a connection that fails.
 * Collective. */
Status source_open_database(Comm *comm, Source *source, const Store *store,
                            const DatabaseRequest *request, Error *error) VESPER_MUST_USE;

/* About how many rows and bytes the query has, by the database's own estimate. Local. */
Status source_measure_database(const DatabaseRequest *request, int64_t *rows, int64_t *bytes,
                               Error *error) VESPER_MUST_USE;

#endif
