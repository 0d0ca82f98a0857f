/* CsvFile: rows become text in pieces, and each piece goes to the file or is compared with it. */
#include "publish/csv_file.h"

#include "base/memory.h"
#include "publish/target.h"
#include "store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE_BYTES = 1 << 20 };

typedef struct CsvStream {
    const char *path;
    int fd; /* -1: not open */
    bool compares;
    bool differs;
    int64_t at;  /* bytes of the file that are done */
    Buffer text; /* what comes next */
    char *found; /* compares: room for a piece of the file */
} CsvStream;

/* Readable by whom the user's umask lets: people open these files. */
static Status create(const char *path, int *fd, Error *error)
{
    *fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    return *fd >= 0 ? STATUS_OK : files_error(error, "create", path);
}

static Status open_stream(CsvStream *stream, const char *path, bool compares, Error *error)
{
    Status status = STATUS_OK;
    *stream = (CsvStream){.path = path, .fd = -1, .compares = compares};
    if (!compares)
        return create(path, &stream->fd, error);
    stream->fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    stream->differs = stream->fd < 0;
    if (stream->fd < 0 && errno != ENOENT && errno != ELOOP)
        status = files_error(error, "open", path);
    return status;
}

static int64_t file_bytes(const CsvStream *stream)
{
    struct stat about;
    return fstat(stream->fd, &about) == 0 && S_ISREG(about.st_mode) ? (int64_t)about.st_size : -1;
}

/* The text that has gathered goes to the file, or is compared with it. */
static Status flush(CsvStream *stream, Error *error)
{
    Status status = STATUS_OK;
    int64_t size = stream->text.size;
    if (stream->differs || size == 0)
        goto out;
    if (!stream->compares) {
        TRY(files_write_at(stream->fd, stream->path, stream->text.data, size, stream->at, error));
    } else if (file_bytes(stream) < stream->at + size) {
        stream->differs = true;
    } else {
        TRY(mem_resize(&stream->found, size, 1, "CSV to compare", error));
        TRY(files_read_at(stream->fd, stream->path, stream->found, size, stream->at, error));
        stream->differs = memcmp(stream->found, stream->text.data, (size_t)size) != 0;
    }
    stream->at += size;
out:
    buffer_clear(&stream->text);
    return status;
}

static Status finish(CsvStream *stream, Error *error)
{
    Status status;
    TRY(flush(stream, error));
    if (stream->compares)
        stream->differs = stream->differs || file_bytes(stream) != stream->at;
    else
        TRY(files_sync(stream->path, error));
out:
    return status;
}

static void close_stream(CsvStream *stream)
{
    if (stream->fd >= 0)
        (void)close(stream->fd);
    buffer_free(&stream->text);
    mem_free(&stream->found);
}

static void append_header(Buffer *text, const ResultTable *table)
{
    for (int c = 0; c < table->n_columns; c++)
        buffer_printf(text, "%s%s", c > 0 ? "," : "", table->columns[c].name);
    buffer_append_string(text, "\r\n");
}

static Status stream_rows(CsvStream *stream, const Table *rows, const ResultTable *table,
                          CsvFormulas formulas, Error *error)
{
    const Column *columns[TABLE_COLUMNS_MAX];
    Cell cell;
    Status status = STATUS_OK;
    for (int c = 0; c < table->n_columns; c++)
        columns[c] = table_column_const(rows, table->columns[c].name);
    for (int64_t row = 0; row < rows->rows && !stream->differs; row++) {
        for (int c = 0; c < table->n_columns; c++) {
            if (c > 0)
                buffer_append(&stream->text, ",", 1);
            cell_read(columns[c], row, &cell);
            csv_text_append(&stream->text, &cell, formulas);
        }
        buffer_append(&stream->text, "\r\n", 2);
        if (stream->text.size >= PIECE_BYTES)
            TRY(flush(stream, error));
    }
out:
    return status;
}

static Status stream_table(ResultReader *reader, int i, CsvFormulas formulas, CsvStream *stream,
                           Error *error)
{
    const ResultTable *table = results_table(reader, i);
    Table rows = {0};
    Status status = STATUS_OK;
    append_header(&stream->text, table);
    for (int64_t block = 0; block * RESULT_BLOCK < table->rows && !stream->differs; block++) {
        TRY(target_safe_point(table, stream->compares ? "read back" : "written", error));
        TRY(results_read_block(reader, i, block, &rows, error));
        TRY(stream_rows(stream, &rows, table, formulas, error));
    }
    TRY(finish(stream, error));
out:
    table_free(&rows);
    return status;
}

Status csv_file_write(ResultReader *reader, int i, CsvFormulas formulas, const char *path,
                      Error *error)
{
    CsvStream stream;
    Status status;
    TRY(open_stream(&stream, path, false, error));
    TRY(stream_table(reader, i, formulas, &stream, error));
out:
    close_stream(&stream);
    return status;
}

Status csv_file_compare(ResultReader *reader, int i, CsvFormulas formulas, const char *path,
                        bool *same, Error *error)
{
    CsvStream stream;
    Status status;
    TRY(open_stream(&stream, path, true, error));
    if (!stream.differs)
        TRY(stream_table(reader, i, formulas, &stream, error));
    *same = !stream.differs;
out:
    close_stream(&stream);
    return status;
}

static Status stream_text(const char *path, Bytes text, bool compares, bool *same, Error *error)
{
    CsvStream stream;
    Status status;
    TRY(open_stream(&stream, path, compares, error));
    buffer_append_bytes(&stream.text, text);
    if (!stream.differs)
        TRY(finish(&stream, error));
    *same = !stream.differs;
out:
    close_stream(&stream);
    return status;
}

Status csv_file_write_text(const char *path, Bytes text, Error *error)
{
    bool same;
    return stream_text(path, text, false, &same, error);
}

Status csv_file_compare_text(const char *path, Bytes text, bool *same, Error *error)
{
    return stream_text(path, text, true, same, error);
}
