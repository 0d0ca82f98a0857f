/* DatabaseKind: what each kind of database does for source_database.c. All Local. */
#ifndef VESPER_INGEST_SOURCE_KIND_H
#define VESPER_INGEST_SOURCE_KIND_H

#include "ingest/query_file.h"
#include "ingest/source_query.h"

enum { DATABASE_VALUES_MAX = 4 };

/* An open database, in one transaction that only reads and sees nothing change; each kind has its
 * own. */
typedef struct Database Database;

typedef struct DatabaseKind {
    QueryDialect dialect;
    bool (*is_url)(const char *url);
    /* STATUS_USAGE for a URL that is not understood or may not be used; nothing is opened. */
    Status (*check)(const char *url, Error *error);
    /* `snapshot`: the one to see, as another rank's `share` told it; NULL for the present one. A
     * query may take timeout_s seconds; 0: as long as it likes. */
    Status (*open)(const char *url, const char *snapshot, int64_t timeout_s, Database **database,
                   Error *error);
    void (*close)(Database **database); /* accepts NULL in it */
    /* A name by which other connections see the same; NULL if there is no such thing, and only one
     * connection can read. */
    Status (*share)(Database *database, Buffer *snapshot, Error *error);
    /* Add the columns of the statement to the query. */
    Status (*describe)(Database *database, const char *sql, SourceQuery *query, Error *error);
    /* The first row's first n values; NULL becomes empty, as is everything without a row. */
    Status (*ask)(Database *database, const char *sql, Buffer *values, int n, Error *error);
    /* Write the rows of `sql` as CSV. */
    Status (*read)(Database *database, const char *sql, char delimiter, QueryFile *file,
                   Error *error);
    /* About how many rows and bytes `sql` has. */
    Status (*measure)(Database *database, const char *sql, int64_t *rows, int64_t *bytes,
                      Error *error);
} DatabaseKind;

extern const DatabaseKind source_postgres;
extern const DatabaseKind source_sqlite;

#endif
