#include "ingest/reader.h"

#include "base/fault.h"
#include "base/memory.h"
#include "base/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum {
    READ_BLOCK = 1 << 20,
    READ_PAST_END = 1 << 16 /* a block for finishing the last record of a piece */
};

Status reader_open_file(const char *data_path, const char *path, int *fd, Error *error)
{
    Status status = STATUS_OK;
    TRY(fault_point("ingest.open", error));
    *fd = open(data_path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0)
        FAIL(error, errno == ENOENT || errno == EACCES ? STATUS_INPUT : STATUS_IO,
             "cannot open %s: %s", path, strerror(errno));
out:
    return status;
}

Status reader_read_at(int fd, const char *path, char *data, int64_t size, int64_t offset,
                      Error *error)
{
    Status status = STATUS_OK;
    int64_t done = 0;
    TRY(fault_point("ingest.read", error));
    TRY(stop_point(error, "while %s was read", path));
    while (done < size) {
        ssize_t got = pread(fd, data + done, (size_t)(size - done), (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            FAIL(error, STATUS_IO, "cannot read %s: %s", path, strerror(errno));
        if (got == 0)
            FAIL(error, STATUS_INPUT, "%s became shorter while it was read; is it still written?",
                 path);
        done += got;
    }
out:
    return status;
}

Status reader_open(RecordReader *reader, const char *data_path, const char *path,
                   int64_t file_bytes, char delimiter, Error *error)
{
    reader_close(reader);
    reader->path = path;
    reader->file_bytes = file_bytes;
    reader->delimiter = delimiter;
    Status status = reader_open_file(data_path, path, &reader->fd, error);
    reader->is_open = status == STATUS_OK;
    return status;
}

void reader_close(RecordReader *reader)
{
    if (reader->is_open)
        (void)close(reader->fd);
    reader->is_open = false;
}

void reader_free(RecordReader *reader)
{
    reader_close(reader);
    mem_free(&reader->buffer);
    csv_record_free(&reader->record);
    reader->capacity = 0;
}

/* Read more: up to the end of the piece, or past it if it is all there. The more is unread the more
 * is added, so that a long record is not scanned over and over. */
static Status fill(RecordReader *reader, Error *error)
{
    Status status = STATUS_OK;
    int64_t unread = reader->filled - reader->at;
    int64_t from = reader->base + reader->filled;
    bool past_end = from >= reader->end;
    int64_t block = past_end ? READ_PAST_END : READ_BLOCK;
    int64_t limit = past_end ? reader->file_bytes : reader->end;
    int64_t size = unread > block ? unread : block;
    if (size > limit - from)
        size = limit - from;
    if (unread > 0)
        memmove(reader->buffer, reader->buffer + reader->at, (size_t)unread);
    reader->base += reader->at;
    reader->at = 0;
    reader->filled = unread;
    if (unread + size > reader->capacity) {
        int64_t capacity = unread + size > READ_BLOCK ? unread + size : READ_BLOCK;
        TRY(mem_resize(&reader->buffer, capacity, 1, "a block of a file", error));
        reader->capacity = capacity;
    }
    TRY(reader_read_at(reader->fd, reader->path, reader->buffer + unread, size, from, error));
    reader->filled += size;
out:
    return status;
}

/* Skip the rest of a record begun before. If it does not end in this piece, nothing starts here
 * (and if it is too long, the rank that reads its beginning refuses it). */
static Status skip_rest(RecordReader *reader, Error *error)
{
    Status status = STATUS_OK;
    int64_t taken = CSV_NOT_WHOLE;
    while (taken == CSV_NOT_WHOLE && reader->base + reader->filled < reader->end &&
           reader->filled <= CSV_RECORD_MAX) {
        TRY(fill(reader, error));
        bool is_last = reader->base + reader->filled == reader->file_bytes;
        taken = csv_skip_rest((Bytes){reader->buffer, reader->filled}, reader->delimiter, is_last,
                              &reader->record);
    }
    if (taken > 0) {
        reader->at = taken;
        reader->next_line += reader->record.newlines;
    } else {
        reader->end = reader->base;
    }
out:
    return status;
}

Status reader_seek(RecordReader *reader, int64_t begin, int64_t end, int64_t line,
                   bool inside_quotes, Error *error)
{
    reader->base = begin;
    reader->filled = 0;
    reader->at = 0;
    reader->end = end;
    reader->next_line = line;
    return inside_quotes ? skip_rest(reader, error) : STATUS_OK;
}

/* `text`: the record and what follows it in the buffer. What is said does not depend on how much
 * that is. */
static Status refuse(const RecordReader *reader, Bytes text, Error *error)
{
    bool is_quoted = true;
    if (text.size > CSV_RECORD_MAX) {
        CsvState state =
            csv_state_after(CSV_FIELD_START, (Bytes){text.data, CSV_RECORD_MAX}, reader->delimiter);
        is_quoted = state == CSV_QUOTED || state == CSV_QUOTE_IN_QUOTED;
    }
    return error_set(error, STATUS_INPUT, __FILE__, __LINE__,
                     is_quoted ? "%s:%lld: quote opened here is never closed; close it, or double "
                                 "the quotes that belong to the text"
                               : "%s:%lld: the record that begins here has more than 4 MiB; are "
                                 "its line ends and quotes right?",
                     reader->path, (long long)reader->next_line);
}

Status reader_next(RecordReader *reader, bool *found, Error *error)
{
    for (;;) {
        *found = reader->base + reader->at < reader->end;
        if (!*found)
            return STATUS_OK;
        Bytes text = {reader->buffer + reader->at, reader->filled - reader->at};
        bool is_last = reader->base + reader->filled == reader->file_bytes;
        int64_t taken = CSV_NOT_WHOLE;
        if (text.size > 0)
            taken = csv_next(text, reader->delimiter, is_last, &reader->record);
        bool is_too_long = (taken == CSV_NOT_WHOLE ? text.size : taken) > CSV_RECORD_MAX;
        if (is_too_long || taken == CSV_NEVER_CLOSED)
            return refuse(reader, text, error);
        if (taken > 0) {
            reader->offset = reader->base + reader->at;
            reader->line = reader->next_line;
            reader->next_line += reader->record.newlines;
            reader->at += taken;
            return STATUS_OK;
        }
        Status status = fill(reader, error);
        if (status != STATUS_OK)
            return status;
    }
}
