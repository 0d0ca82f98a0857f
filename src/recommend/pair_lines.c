/* Pieces of a pair file: cut at line ends, ids to codes. */
#include "recommend/pair_lines.h"

#include "base/fault.h"
#include "base/memory.h"
#include "ingest/reader.h"
#include "ingest/unpack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    READ_BLOCK = 1 << 20,
    READ_PAST_END = 1 << 16 /* a block for finishing the last line of a piece */
};

static const char byte_order_mark[3] = "\xef\xbb\xbf";
static const char id_too_long[] = "an id has more than 1,000 bytes";

void pair_lines_free(PairLines *lines)
{
    string_map_free(&lines->users);
    table_free(&lines->lines);
    table_free(&lines->pairs);
}

/* ---- the file ---- */

/* A file that all ranks read; the same on every rank but for `fd`. */
typedef struct PairSource {
    const char *path; /* as given */
    Buffer copy;      /* path of the unpacked bytes, if there must be any, */
    Buffer folder;    /* and the folder made for it */
    int64_t bytes;    /* unpacked */
    int fd;
} PairSource;

/* Unpack into a folder of its own. Local, on rank 0. */
static Status unpack(PairSource *source, const char *folder, Error *error)
{
    Status status = STATUS_OK;
    buffer_printf(&source->folder, "%s/vesper-pairs-XXXXXX", folder);
    if (mkdtemp(source->folder.data) == NULL) {
        int reason = errno;
        buffer_free(&source->folder);
        FAIL(error, STATUS_IO, "cannot make a folder in %s to unpack %s: %s", folder, source->path,
             strerror(reason));
    }
    buffer_printf(&source->copy, "%s/plain", buffer_string(&source->folder));
    TRY(unpack_file(source->path, buffer_string(&source->copy), &source->bytes, error));
out:
    return status;
}

/* Local, on rank 0. */
static Status find(PairSource *source, const char *folder, Error *error)
{
    Status status = STATUS_OK;
    struct stat info;
    TRY(fault_point("recommend.pairs.find", error));
    if (stat(source->path, &info) != 0)
        FAIL(error, STATUS_INPUT, "cannot find %s: %s", source->path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        FAIL(error, STATUS_INPUT, "%s is not a file", source->path);
    source->bytes = (int64_t)info.st_size;
    if (unpack_is_needed(source->path))
        TRY(unpack(source, folder, error));
out:
    return status;
}

static Status open_own(PairSource *source, Error *error)
{
    if (source->copy.size == 0)
        return reader_open_file(source->path, source->path, &source->fd, error);
    const char *copy = buffer_string(&source->copy);
    Status status = reader_open_file(copy, copy, &source->fd, error);
    if (status != STATUS_OK)
        error_prefix(error, "%s was unpacked into a folder that every rank must see (TMPDIR)",
                     source->path);
    return status;
}

/* Collective. */
static Status source_begin(Comm *comm, PairSource *source, const char *folder, Error *error)
{
    Status status = STATUS_OK;
    TRY_ALL(comm, comm_rank(comm) == 0 ? find(source, folder, error) : STATUS_OK, error);
    comm_broadcast(comm, 0, &source->bytes, sizeof source->bytes);
    comm_broadcast_buffer(comm, 0, &source->copy);
    TRY_ALL(comm, open_own(source, error), error);
out:
    return status;
}

/* No rank reads any more: the folder, which rank 0 alone knows, goes away. Local. */
static void source_end(PairSource *source)
{
    if (source->fd >= 0)
        (void)close(source->fd);
    if (source->folder.size > 0) {
        (void)unlink(buffer_string(&source->copy));
        (void)rmdir(buffer_string(&source->folder));
    }
    buffer_free(&source->copy);
    buffer_free(&source->folder);
}

/* ---- from bytes to ids ---- */

typedef struct PieceReader {
    const PairSource *source;
    int64_t end; /* lines that begin before this byte of the file are read */
    char *buffer;
    int64_t capacity;
    int64_t base;    /* place of the buffer in the file */
    int64_t filled;  /* bytes in the buffer */
    int64_t at;      /* of them already read */
    int64_t n_lines; /* begun so far */
    bool is_refused; /* the last of them is what an error is about */
} PieceReader;

/* Read more behind what is unread. */
static Status fill(PieceReader *reader, Error *error)
{
    Status status = STATUS_OK;
    const PairSource *source = reader->source;
    int64_t from = reader->base + reader->filled;
    int64_t size = from < reader->end ? READ_BLOCK : READ_PAST_END;
    int64_t left = (from < reader->end ? reader->end : source->bytes) - from;
    int64_t unread = reader->filled - reader->at;
    if (size > left)
        size = left;
    if (unread > 0)
        memmove(reader->buffer, reader->buffer + reader->at, (size_t)unread);
    reader->base += reader->at;
    reader->at = 0;
    reader->filled = unread;
    if (unread + size > reader->capacity) {
        TRY(mem_resize(&reader->buffer, unread + READ_BLOCK, 1, "a block of a file", error));
        reader->capacity = unread + READ_BLOCK;
    }
    TRY(reader_read_at(source->fd, source->path, reader->buffer + unread, size, from, error));
    reader->filled += size;
out:
    return status;
}

/* Go to the first line that begins at `begin` or later, or to the end of the piece. */
static Status seek_line(PieceReader *reader, int64_t begin, Error *error)
{
    Status status = STATUS_OK;
    reader->base = begin > 0 ? begin - 1 : 0;
    while (begin > 0 && reader->base + reader->at < reader->end) {
        TRY(fill(reader, error));
        vesper_assert(reader->buffer != NULL);
        const char *found = memchr(reader->buffer, '\n', (size_t)reader->filled);
        reader->at = found != NULL ? found - reader->buffer + 1 : reader->filled;
        if (found != NULL)
            break;
    }
out:
    return status;
}

static inline bool is_between(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

static Status refuse(PieceReader *reader, const char *what, Error *error)
{
    reader->is_refused = true;
    return error_set(error, STATUS_INPUT, __FILE__, __LINE__,
                     "%s; a line has the id of a user and the ids of items, with blanks or tabs "
                     "between",
                     what);
}

/* The next id of the line, borrowed until the next call; empty where blanks follow each other or
 * the line ends. */
static Status next_id(PieceReader *reader, Bytes *id, bool *ends_line, Error *error)
{
    int64_t size = 0;
    bool at_end = false;
    for (;;) {
        while (reader->at + size < reader->filled && !is_between(reader->buffer[reader->at + size]))
            size++;
        at_end = reader->base + reader->at + size == reader->source->bytes;
        if (reader->at + size < reader->filled || at_end)
            break;
        if (size > PAIR_ID_MAX + 1) /* and a carriage return */
            return refuse(reader, id_too_long, error);
        Status status = fill(reader, error);
        if (status != STATUS_OK)
            return status;
    }
    *id = (Bytes){reader->buffer + reader->at, size};
    *ends_line = at_end || reader->buffer[reader->at + size] == '\n';
    if (*ends_line && size > 0 && id->data[size - 1] == '\r')
        id->size--;
    if (id->size > PAIR_ID_MAX)
        return refuse(reader, id_too_long, error);
    reader->at += size + (at_end ? 0 : 1);
    return STATUS_OK;
}

/* Code of an id; a new one is looked at. */
static Status encode(PieceReader *reader, StringMap *map, Bytes id, int32_t *code, Error *error)
{
    Status status = STATUS_OK;
    int32_t before = map->count;
    TRY(string_map_add(map, id, code, error));
    if (map->count == before)
        goto out;
    if (!bytes_are_utf8(id))
        status = refuse(reader, "an id is not UTF-8 text, or has a NUL inside", error);
    else if (memchr(id.data, '\r', (size_t)id.size) != NULL)
        status = refuse(reader, "a carriage return stands inside the line", error);
out:
    return status;
}

/* The line's first id is the user's. Nothing is added for an empty line. */
static Status read_line(PieceReader *reader, StringMap *items, PairLines *lines, Error *error)
{
    Status status = STATUS_OK;
    bool ends_line = false, has_user = false;
    int32_t code;
    while (!ends_line) {
        Bytes id;
        TRY(next_id(reader, &id, &ends_line, error));
        if (id.size == 0)
            continue;
        TRY(encode(reader, has_user ? items : &lines->users, id, &code, error));
        Table *table = has_user ? &lines->pairs : &lines->lines;
        TRY(table_add_row(table, error));
        ((int32_t *)table->columns[0].data)[table->rows - 1] = code;
        has_user = true;
    }
    if (has_user)
        ((int64_t *)lines->lines.columns[1].data)[lines->lines.rows - 1] = lines->pairs.rows;
out:
    return status;
}

/* At the beginning of the file. */
static Status skip_mark(PieceReader *reader, Error *error)
{
    Status status = STATUS_OK;
    const int64_t size = sizeof byte_order_mark;
    while (reader->filled < size && reader->filled < reader->source->bytes)
        TRY(fill(reader, error));
    if (reader->filled >= size &&
        memcmp(reader->buffer, byte_order_mark, sizeof byte_order_mark) == 0)
        reader->at = size;
out:
    return status;
}

static Status read_piece(PieceReader *reader, int64_t begin, StringMap *items, PairLines *lines,
                         Error *error)
{
    Status status = STATUS_OK;
    TRY(fault_point("recommend.pairs.read", error));
    TRY(seek_line(reader, begin, error));
    while (reader->base + reader->at < reader->end) {
        reader->n_lines++;
        if (reader->base + reader->at == 0)
            TRY(skip_mark(reader, error));
        TRY(read_line(reader, items, lines, error));
    }
out:
    return status;
}

Status pair_lines_read(Comm *comm, const char *path, const char *folder, StringMap *items,
                       PairLines *lines, Error *error)
{
    static const ColumnSpec line_columns[] = {{"user", COLUMN_I32, UNIT_CODE},
                                              {"end", COLUMN_I64, UNIT_COUNT}};
    static const ColumnSpec pair_columns[] = {{"item", COLUMN_I32, UNIT_CODE}};
    Status status = STATUS_OK;
    PairSource source = {.path = path, .fd = -1};
    PieceReader reader = {.source = &source};
    int64_t rank = comm_rank(comm), size = comm_size(comm);
    pair_lines_free(lines);
    table_init(&lines->lines, line_columns, 2);
    table_init(&lines->pairs, pair_columns, 1);
    TRY(source_begin(comm, &source, folder, error));
    int64_t even = source.bytes / size, rest = source.bytes % size;
    reader.end = even * (rank + 1) + rest * (rank + 1) / size;
    Status own = read_piece(&reader, even * rank + rest * rank / size, items, lines, error);
    int64_t line = comm_prefix_i64(comm, reader.n_lines) + reader.n_lines;
    if (reader.is_refused)
        error_prefix(error, "%s:%lld", path, (long long)line);
    TRY_ALL(comm, own, error);
out:
    source_end(&source);
    mem_free(&reader.buffer);
    return status;
}
