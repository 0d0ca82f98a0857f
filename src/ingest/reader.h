/* RecordReader: the records of one piece of a plain CSV file, read block by block. */
#ifndef VESPER_INGEST_READER_H
#define VESPER_INGEST_READER_H

#include "ingest/csv.h"

/* All zero is not open. */
typedef struct RecordReader {
    const char *path; /* for messages; borrowed */
    int fd;
    bool is_open;
    char delimiter;
    int64_t file_bytes;
    int64_t end; /* records that start before this byte of the file are read */
    char *buffer;
    int64_t capacity;
    int64_t base;      /* place of the buffer in the file */
    int64_t filled;    /* bytes in the buffer */
    int64_t at;        /* of them already read as records */
    int64_t next_line; /* line number at `at`, from 1 */

    CsvRecord record; /* the current record, */
    int64_t offset;   /* its first byte in the file, */
    int64_t line;     /* and its first line */
} RecordReader;

/* Open `data_path`; `path` names it in messages. Buffers of an earlier file are used again. */
Status reader_open(RecordReader *reader, const char *data_path, const char *path,
                   int64_t file_bytes, char delimiter, Error *error) VESPER_MUST_USE;
void reader_close(RecordReader *reader); /* the file; keeps the buffers */
void reader_free(RecordReader *reader);

/* Go to byte `begin`, where line `line` begins, to read the records that start before `end`. With
 * `inside_quotes`, `begin` lies inside a record begun before, which is skipped. */
Status reader_seek(RecordReader *reader, int64_t begin, int64_t end, int64_t line,
                   bool inside_quotes, Error *error) VESPER_MUST_USE;

/* The next record in reader->record; *found is false after the last. Empty lines are records with
 * an empty `raw`. A record beyond CSV_RECORD_MAX, or a quote never closed, is STATUS_INPUT. */
Status reader_next(RecordReader *reader, bool *found, Error *error) VESPER_MUST_USE;

/* `size` bytes of an open file from `offset`; fewer is an error. `path` is for messages. */
Status reader_read_at(int fd, const char *path, char *data, int64_t size, int64_t offset,
                      Error *error) VESPER_MUST_USE;
Status reader_open_file(const char *data_path, const char *path, int *fd,
                        Error *error) VESPER_MUST_USE;

#endif
