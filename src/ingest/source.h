/* Source: the files of one input as one run of bytes, cut into pieces for the ranks. The rows of a
 * database (source_database.h) are a file like any other. */
#ifndef VESPER_INGEST_SOURCE_H
#define VESPER_INGEST_SOURCE_H

#include "base/hash.h"
#include "comm/comm.h"
#include "ingest/csv.h"

typedef struct SourceFile {
    char *path;         /* as given, for messages */
    char *data_path;    /* where its plain bytes are: the same, or a copy in tmp/ */
    bool is_packed;     /* the copy is yet to be made, by unpacking */
    bool is_own_copy;   /* made by this rank, which removes it at the end */
    bool is_known;      /* its content is not to be parsed */
    int64_t bytes;      /* unpacked */
    int64_t offset;     /* of its first byte in the run of files */
    int64_t data_begin; /* 3 after a byte-order mark, otherwise 0 */
    int64_t first_line; /* number of the first line: 1, or 0 where rows are counted, not lines */
    int64_t rows_begin; /* after the header */
    int64_t rows_line;  /* line number there */
    Hash128 content;    /* of the unpacked bytes (source_scan) */
} SourceFile;

/* Whole lines of one file that this rank reads: the records that start in [begin, end). */
typedef struct SourcePiece {
    int64_t file;
    int64_t begin;
    int64_t end;
    int64_t line; /* number of the line at `begin` */
    bool inside_quotes;
} SourcePiece;

/* All zero is empty. The files are the same on all ranks, the pieces each rank's own. */
typedef struct Source {
    char delimiter;
    SourceFile *files;
    int64_t n_files;
    Buffer header; /* first record of the files, without line end; written plainly if it has at most
                      CSV_FIELDS_MAX fields */
    SourcePiece *pieces;
    int64_t n_pieces;
    bool is_database;
    char *watermark_column, *watermark; /* of a database: its highest value so far; or NULL */
} Source;

/* Find the files of `path` (a file, or a folder of .csv, .csv.gz, .csv.xz and .csv.zst, by name),
 * unpack the compressed ones into `folder` as NAME-i.csv, each on one rank, and read their headers,
 * which must be equal. STATUS_INPUT for a file that is missing, empty, cut off, or without header,
 * and for a folder without files. Collective. */
Status source_open(Comm *comm, Source *source, const char *path, char delimiter, const char *folder,
                   const char *name, Error *error) VESPER_MUST_USE;
void source_free(Source *source); /* removes this rank's copies */

/* The last steps of source_open, for files that are named: unpack, sizes, headers. Collective. */
Status source_examine(Comm *comm, Source *source, const char *folder, Error *error) VESPER_MUST_USE;

/* Cut the files that are not known into pieces of even size, and read them once, to learn which
 * pieces begin inside quotes, their line numbers, and, if asked, the files' `content`: the sum
 * modulo 2^128 of the hash128 of each MiB, seeded with its number. Collective. */
Status source_scan(Comm *comm, Source *source, bool with_content, Error *error) VESPER_MUST_USE;

/* The piece of this rank that holds byte `at` of the run of files; NULL if none. Local. */
const SourcePiece *source_piece_at(const Source *source, int64_t at);

#endif
