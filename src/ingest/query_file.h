/* QueryFile: the rows of a query, written to a file of the store's tmp/ as they come. All Local. */
#ifndef VESPER_INGEST_QUERY_FILE_H
#define VESPER_INGEST_QUERY_FILE_H

#include "base/bytes.h"

/* All zero is not open. */
typedef struct QueryFile {
    const char *path; /* borrowed */
    int fd;
    bool is_open;
    char *block;
    int64_t filled;  /* of the block */
    int64_t written; /* before it */
} QueryFile;

/* Make the file; what was there is gone. */
Status query_file_open(QueryFile *file, const char *path, Error *error) VESPER_MUST_USE;
Status query_file_write(QueryFile *file, Bytes text, Error *error) VESPER_MUST_USE;
/* Write what is left, and close. */
Status query_file_finish(QueryFile *file, Error *error) VESPER_MUST_USE;
void query_file_free(QueryFile *file); /* the file stays */

/* Copy the file `from` into the file `to` at `offset`. */
Status query_file_copy(const char *from, const char *to, int64_t offset,
                       Error *error) VESPER_MUST_USE;

#endif
