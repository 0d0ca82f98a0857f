#include "ingest/source.h"

#include "base/fault.h"
#include "base/memory.h"
#include "ingest/reader.h"
#include "ingest/unpack.h"
#include "store/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- which files ---- */

static bool is_csv_name(const char *name)
{
    static const char *const endings[] = {".csv", ".csv.gz", ".csv.xz", ".csv.zst"};
    size_t length = strlen(name);
    if (name[0] == '.')
        return false;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t wanted = strlen(endings[i]);
        if (length > wanted && strcmp(name + length - wanted, endings[i]) == 0)
            return true;
    }
    return false;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Append the folder's CSV files to `paths`, each followed by a NUL, sorted by name. */
static Status list_folder(const char *path, Buffer *paths, Error *error)
{
    Status status = STATUS_OK;
    char **names = NULL;
    int64_t n_names = 0, capacity = 0;
    DIR *folder = opendir(path);
    if (folder == NULL)
        FAIL(error, STATUS_INPUT, "cannot read the folder %s: %s", path, strerror(errno));
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        struct stat info;
        if (!is_csv_name(entry->d_name) || fstatat(dirfd(folder), entry->d_name, &info, 0) != 0 ||
            !S_ISREG(info.st_mode))
            continue;
        if (n_names == capacity) {
            capacity = capacity > 0 ? 2 * capacity : 64;
            TRY(mem_resize(&names, capacity, sizeof *names, "the names of a folder", error));
        }
        names[n_names++] = mem_copy_string(entry->d_name);
    }
    if (n_names == 0)
        FAIL(error, STATUS_INPUT,
             "the folder %s has no file ending in .csv, .csv.gz, .csv.xz or .csv.zst", path);
    qsort(names, (size_t)n_names, sizeof *names, compare_names);
    for (int64_t i = 0; i < n_names; i++) {
        buffer_printf(paths, "%s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/", names[i]);
        buffer_append(paths, "", 1);
    }
out:
    if (folder != NULL)
        (void)closedir(folder);
    for (int64_t i = 0; i < n_names; i++)
        mem_free(&names[i]);
    mem_free(&names);
    return status;
}

/* The input's files, each path followed by a NUL. Local, on rank 0. */
static Status find_files(const char *path, Buffer *paths, Error *error)
{
    Status status = STATUS_OK;
    struct stat info;
    TRY(fault_point("ingest.find", error));
    if (stat(path, &info) != 0)
        FAIL(error, STATUS_INPUT, "cannot find %s: %s", path, strerror(errno));
    if (S_ISDIR(info.st_mode))
        return list_folder(path, paths, error);
    if (!S_ISREG(info.st_mode))
        FAIL(error, STATUS_INPUT, "%s is neither a file nor a folder", path);
    buffer_append(paths, path, (int64_t)strlen(path) + 1);
out:
    return status;
}

static void name_files(Source *source, Bytes paths, const char *folder, const char *name)
{
    for (int64_t i = 0; i < paths.size; i++)
        source->n_files += paths.data[i] == 0;
    source->files = mem_new(source->n_files, sizeof *source->files);
    const char *path = paths.data;
    for (int64_t i = 0; i < source->n_files; i++, path += strlen(path) + 1) {
        SourceFile *file = &source->files[i];
        file->path = mem_copy_string(path);
        file->first_line = 1;
        file->is_packed = unpack_is_needed(path);
        Buffer data_path = {0};
        if (file->is_packed)
            buffer_printf(&data_path, "%s/%s-%lld.csv", folder, name, (long long)i);
        else
            buffer_append_string(&data_path, path);
        file->data_path = mem_copy_string(buffer_string(&data_path));
        buffer_free(&data_path);
    }
}

/* ---- sizes and headers, each file on one rank ---- */

/* The first record of a file, written plainly: fields trimmed, quotes only where needed; unless it
 * has more than CSV_FIELDS_MAX. */
static Status read_header(SourceFile *file, char delimiter, RecordReader *reader, Buffer *header,
                          Error *error)
{
    Status status = STATUS_OK;
    bool found = true;
    TRY(reader_seek(reader, file->data_begin, file->bytes, file->first_line, false, error));
    do
        TRY(reader_next(reader, &found, error));
    while (found && reader->record.raw.size == 0);
    if (!found)
        FAIL(error, STATUS_INPUT, "%s has no header: only empty lines", file->path);
    const CsvRecord *record = &reader->record;
    long long line = (long long)reader->line;
    if (record->is_broken)
        FAIL(error, STATUS_INPUT, "%s:%lld: misplaced quotes in the header", file->path, line);
    if (!bytes_are_utf8(record->raw))
        FAIL(error, STATUS_INPUT, "%s:%lld: the header is not UTF-8 text; convert the file first",
             file->path, line);
    if (record->n_fields > CSV_FIELDS_MAX) /* as it is */
        buffer_append_bytes(header, record->raw);
    for (int64_t i = 0; i < record->n_fields && record->n_fields <= CSV_FIELDS_MAX; i++) {
        if (i > 0)
            buffer_append(header, &delimiter, 1);
        csv_append_field(header, bytes_trim(record->fields[i]), delimiter);
    }
    file->rows_begin = reader->base + reader->at;
    file->rows_line = reader->next_line;
out:
    return status;
}

/* Unpack the file if needed; learn its size, where its rows begin, and its header. */
static Status examine_file(SourceFile *file, char delimiter, const char *folder,
                           RecordReader *reader, Buffer *header, Error *error)
{
    static const char byte_order_mark[3] = "\xef\xbb\xbf";
    Status status = STATUS_OK;
    char first[sizeof byte_order_mark] = {0};
    struct stat info;
    if (file->is_packed) {
        TRY(files_make_folder(folder, error));
        TRY(unpack_file(file->path, file->data_path, &file->bytes, error));
        file->is_own_copy = true;
    }
    if (stat(file->data_path, &info) != 0)
        FAIL(error, STATUS_INPUT, "cannot read %s: %s", file->path, strerror(errno));
    file->bytes = (int64_t)info.st_size;
    if (file->bytes == 0)
        FAIL(error, STATUS_INPUT, "%s is empty; it needs a header line at least", file->path);
    TRY(reader_open(reader, file->data_path, file->path, file->bytes, delimiter, error));
    if (file->bytes >= (int64_t)sizeof first)
        TRY(reader_read_at(reader->fd, file->path, first, sizeof first, 0, error));
    if (memcmp(first, byte_order_mark, sizeof first) == 0)
        file->data_begin = sizeof first;
    TRY(read_header(file, delimiter, reader, header, error));
out:
    return status;
}

/* What the examining rank learned of each file, on all ranks. Collective. */
static void share_facts(Comm *comm, Source *source)
{
    enum { FACTS = 4 };
    int64_t *facts = mem_new(source->n_files, FACTS * sizeof *facts);
    for (int64_t i = 0; i < source->n_files; i++) {
        const SourceFile *file = &source->files[i];
        int64_t own[FACTS] = {file->bytes, file->data_begin, file->rows_begin, file->rows_line};
        memcpy(facts + FACTS * i, own, sizeof own);
    }
    comm_sum_i64(comm, facts, FACTS * source->n_files);
    int64_t offset = 0;
    for (int64_t i = 0; i < source->n_files; i++) {
        SourceFile *file = &source->files[i];
        const int64_t *all = facts + FACTS * i;
        file->bytes = all[0];
        file->data_begin = all[1];
        file->rows_begin = all[2];
        file->rows_line = all[3];
        file->offset = offset;
        offset += file->bytes;
    }
    mem_free(&facts);
}

static Status compare_headers(const Source *source, const Buffer *headers, int rank, int size,
                              Error *error)
{
    Status status = STATUS_OK;
    for (int64_t i = rank; i < source->n_files; i += size) {
        if (!bytes_equal(buffer_view(&headers[i / size]), buffer_view(&source->header)))
            FAIL(error, STATUS_INPUT,
                 "%s and %s have different headers (\"%.200s\" and \"%.200s\"); ingest them apart",
                 source->files[0].path, source->files[i].path, buffer_string(&source->header),
                 buffer_string(&headers[i / size]));
    }
out:
    return status;
}

static Status examine_own(Source *source, int rank, int size, const char *folder, Buffer *headers,
                          Error *error)
{
    Status status = STATUS_OK;
    RecordReader *reader = mem_new(1, sizeof *reader);
    for (int64_t i = rank; i < source->n_files; i += size)
        TRY(examine_file(&source->files[i], source->delimiter, folder, reader, &headers[i / size],
                         error));
out:
    reader_free(reader);
    mem_free(&reader);
    return status;
}

Status source_open(Comm *comm, Source *source, const char *path, char delimiter, const char *folder,
                   const char *name, Error *error)
{
    Status status = STATUS_OK;
    Buffer paths = {0};
    *source = (Source){.delimiter = delimiter};
    TRY_ALL(comm, comm_rank(comm) == 0 ? find_files(path, &paths, error) : STATUS_OK, error);
    comm_broadcast_buffer(comm, 0, &paths);
    name_files(source, buffer_view(&paths), folder, name);
    TRY(source_examine(comm, source, folder, error));
out:
    buffer_free(&paths);
    return status;
}

Status source_examine(Comm *comm, Source *source, const char *folder, Error *error)
{
    Status status = STATUS_OK;
    int rank = comm_rank(comm), size = comm_size(comm);
    int64_t n_headers = source->n_files / size + 1;
    Buffer *headers = mem_new(n_headers, sizeof *headers);
    TRY_ALL(comm, examine_own(source, rank, size, folder, headers, error), error);
    share_facts(comm, source);
    if (rank == 0)
        buffer_append_bytes(&source->header, buffer_view(&headers[0]));
    comm_broadcast_buffer(comm, 0, &source->header);
    TRY_ALL(comm, compare_headers(source, headers, rank, size, error), error);
out:
    for (int64_t i = 0; i < n_headers; i++)
        buffer_free(&headers[i]);
    mem_free(&headers);
    return status;
}

void source_free(Source *source)
{
    for (int64_t i = 0; i < source->n_files; i++) {
        if (source->files[i].is_own_copy)
            (void)unlink(source->files[i].data_path);
        mem_free(&source->files[i].path);
        mem_free(&source->files[i].data_path);
    }
    mem_free(&source->files);
    mem_free(&source->pieces);
    mem_free(&source->watermark_column);
    mem_free(&source->watermark);
    buffer_free(&source->header);
    *source = (Source){0};
}

const SourcePiece *source_piece_at(const Source *source, int64_t at)
{
    for (int64_t i = 0; i < source->n_pieces; i++) {
        const SourcePiece *piece = &source->pieces[i];
        int64_t offset = source->files[piece->file].offset;
        if (at >= offset + piece->begin && at < offset + piece->end)
            return piece;
    }
    return NULL;
}
