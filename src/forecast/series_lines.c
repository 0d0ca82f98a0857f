/* Pieces of a file of series; see series_lines.h. */
#include "forecast/series_lines.h"

#include "base/fault.h"
#include "base/memory.h"
#include "ingest/reader.h"
#include "ingest/source.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { ID, DATE, VALUE, N_NAMED };
enum { KEY, PLACE, OBSERVED, FIRST_EXTRA };

static const char layouts[] = "a file of series has the columns id, date and value (or unique_id, "
                              "ds and y), or an id and then V2, V3, ...";

void series_lines_free(SeriesLines *lines)
{
    string_map_free(&lines->ids);
    for (int k = 0; k < SERIES_EXTRA_MAX; k++)
        string_map_free(&lines->extra[k].texts);
    series_rows_free(&lines->rows);
    for (int64_t i = 0; i < lines->n_paths; i++)
        mem_free(&lines->paths[i]);
    mem_free(&lines->paths);
    *lines = (SeriesLines){.n_lines = 0};
}

/* A walk through this rank's pieces. */
typedef struct Walk {
    SeriesLines *lines;
    Source source;
    RecordReader reader;
    int64_t file;         /* of the record at hand */
    int columns[N_NAMED]; /* fields of id, date and value */
    char names[N_NAMED][COLUMN_NAME_SIZE];
    int64_t n_columns;
    bool from_first;
    bool has_seen; /* a record; the kind of its date, SERIES_DATE_KINDS for none, is */
    int64_t kind;
    double *values; /* of a wide line */
} Walk;

/* ---- the header ---- */

static bool is_named(Bytes name, const char *wanted)
{
    return (size_t)name.size == strlen(wanted) &&
           strncasecmp(name.data, wanted, (size_t)name.size) == 0;
}

static bool is_numbered(Bytes name)
{
    if (name.size < 2 || name.data[0] != 'V')
        return false;
    for (int64_t i = 1; i < name.size; i++) {
        if (name.data[i] < '0' || name.data[i] > '9')
            return false;
    }
    return true;
}

static bool is_id(Bytes name)
{
    return is_named(name, "id") || is_named(name, "unique_id");
}

static bool is_wide_header(Bytes header, char delimiter)
{
    Bytes name;
    int64_t n = 0;
    for (; series_next_field(&header, delimiter, &name); n++) {
        bool fits = n == 0 ? is_id(name) || is_named(name, "V1") : is_numbered(name);
        if (!fits)
            return false;
    }
    return n > 1;
}

/* Which of id, date and value it is; N_NAMED if none. */
static int find_named(Bytes name)
{
    static const char *const names[N_NAMED][2] = {
        {"id", "unique_id"}, {"date", "ds"}, {"value", "y"}};
    int k = 0;
    while (k < N_NAMED && !is_named(name, names[k][0]) && !is_named(name, names[k][1]))
        k++;
    return k;
}

static Status take_column(Walk *walk, const char *path, Bytes name, int at, Error *error)
{
    Status status = STATUS_OK;
    SeriesLines *lines = walk->lines;
    int named = find_named(name);
    if (name.size == 0 || name.size >= COLUMN_NAME_SIZE)
        FAIL(error, STATUS_INPUT, "%s:1: the name of column %d has %" PRId64 " bytes, not 1 to %d",
             path, at + 1, name.size, COLUMN_NAME_SIZE - 1);
    if (named < N_NAMED && walk->columns[named] >= 0)
        FAIL(error, STATUS_INPUT, "%s:1: the header has \"%s\" and \"%.*s\"; one must go", path,
             walk->names[named], (int)name.size, name.data);
    for (int k = 0; k < lines->n_extra && named == N_NAMED; k++) {
        if (bytes_equal(name, bytes_of(lines->extra[k].name)))
            FAIL(error, STATUS_INPUT, "%s:1: the header has more than one column \"%.*s\"", path,
                 (int)name.size, name.data);
    }
    if (named == N_NAMED && lines->n_extra == SERIES_EXTRA_MAX)
        FAIL(error, STATUS_INPUT,
             "%s:1: the header has more than %d columns beside id, date and value", path,
             SERIES_EXTRA_MAX);
    char *copy = named < N_NAMED ? walk->names[named] : lines->extra[lines->n_extra].name;
    memcpy(copy, name.data, (size_t)name.size);
    copy[name.size] = 0;
    if (named < N_NAMED)
        walk->columns[named] = at;
    else
        lines->extra[lines->n_extra++].from = at;
out:
    return status;
}

/* Local, the same on every rank. */
static Status read_header(Walk *walk, Error *error)
{
    Status status = STATUS_OK;
    Bytes header = buffer_view(&walk->source.header), rest = header, name;
    char delimiter = walk->source.delimiter;
    const char *path = walk->source.files[0].path;
    walk->lines->is_wide = is_wide_header(header, delimiter);
    (void)snprintf(walk->names[ID], sizeof walk->names[ID], "id");
    walk->columns[ID] = walk->lines->is_wide ? 0 : -1;
    walk->columns[DATE] = walk->columns[VALUE] = -1;
    for (; series_next_field(&rest, delimiter, &name); walk->n_columns++) {
        if (!walk->lines->is_wide && walk->n_columns < CSV_FIELDS_MAX)
            TRY(take_column(walk, path, name, (int)walk->n_columns, error));
    }
    for (int k = 0; k < N_NAMED && !walk->lines->is_wide; k++) {
        static const char *const names[] = {"id", "date", "value"};
        if (walk->columns[k] < 0)
            FAIL(error, STATUS_INPUT, "%s:1: the header has no column \"%s\"; %s", path, names[k],
                 layouts);
    }
out:
    return status;
}

/* ---- records ---- */

static Status refuse(const Walk *walk, const char *column, Bytes text, const char *what,
                     Error *error)
{
    enum { SHOWN = 40 };
    int shown = text.size < SHOWN ? (int)text.size : SHOWN;
    return error_set(error, STATUS_INPUT, __FILE__, __LINE__, "%s:%lld: %s: \"%.*s%s\" is %s",
                     walk->reader.path, (long long)walk->reader.line, column, shown, text.data,
                     text.size > SHOWN ? "..." : "", what);
}

static Status check_record(const Walk *walk, Error *error)
{
    Status status = STATUS_OK;
    const CsvRecord *record = &walk->reader.record;
    bool fits = walk->lines->is_wide ? record->n_fields <= walk->n_columns
                                     : record->n_fields == walk->n_columns;
    if (record->is_broken)
        FAIL(error, STATUS_INPUT, "%s:%lld: misplaced quotes", walk->reader.path,
             (long long)walk->reader.line);
    if (!fits)
        FAIL(error, STATUS_INPUT, "%s:%lld: %lld fields, the header has %lld", walk->reader.path,
             (long long)walk->reader.line, (long long)record->n_fields, (long long)walk->n_columns);
out:
    return status;
}

/* Code of a text in `map`; a new one is looked at. */
static Status encode(const Walk *walk, const char *column, StringMap *map, Bytes text,
                     int32_t *code, Error *error)
{
    Status status = STATUS_OK;
    int32_t known = map->count;
    TRY(string_map_add(map, text, code, error));
    if (map->count == known)
        goto out;
    if (text.size > SERIES_ID_MAX)
        status = refuse(walk, column, text, "longer than 1,000 bytes", error);
    else if (!bytes_are_utf8(text))
        status = refuse(walk, column, bytes_of("..."), "not UTF-8 text", error);
out:
    return status;
}

/* A new row; the caller fills in what is its own. */
static Status add_row(Walk *walk, int32_t code, int32_t date, double value, Error *error)
{
    Status status = STATUS_OK;
    SeriesLines *lines = walk->lines;
    Table *rows = &lines->rows.table;
    if (series_rows_are_many(&lines->rows))
        TRY(series_rows_put(&lines->rows, error));
    TRY(table_add_row(rows, error));
    int64_t at = rows->rows - 1;
    lines->least = date < lines->least ? date : lines->least;
    lines->most = date > lines->most ? date : lines->most;
    ((int64_t *)rows->columns[KEY].data)[at] = series_line_key(code, date);
    ((int64_t *)rows->columns[PLACE].data)[at] =
        walk->file << SERIES_PLACE_LINE_BITS | walk->reader.line;
    ((double *)rows->columns[OBSERVED].data)[at] = value;
out:
    return status;
}

static Status take_id(Walk *walk, int32_t *code, Error *error)
{
    Bytes id = bytes_trim(walk->reader.record.fields[walk->columns[ID]]);
    if (id.size == 0)
        return refuse(walk, walk->names[ID], id, "empty", error);
    return encode(walk, walk->names[ID], &walk->lines->ids, id, code, error);
}

static Status take_date(const Walk *walk, SeriesDate *date, Error *error)
{
    char what[96];
    SeriesDateKind kind = walk->lines->kind;
    Bytes text = bytes_trim(walk->reader.record.fields[walk->columns[DATE]]);
    bool is_date = series_date_parse(text, date);
    if (is_date && date->kind == kind)
        return STATUS_OK;
    if (is_date)
        (void)snprintf(what, sizeof what, "not %s, as the first date", series_date_example(kind));
    else
        (void)snprintf(what, sizeof what, "no date: neither a day, an hour, a month nor a number");
    return refuse(walk, walk->names[DATE], text, what, error);
}

static Status take_extra(Walk *walk, int64_t at, Error *error)
{
    Status status = STATUS_OK;
    SeriesLines *lines = walk->lines;
    for (int k = 0; k < lines->n_extra; k++) {
        SeriesExtra *extra = &lines->extra[k];
        void *data = lines->rows.table.columns[FIRST_EXTRA + k].data;
        Bytes text = bytes_trim(walk->reader.record.fields[extra->from]);
        if (!extra->is_text) /* that all are numbers is known */
            (void)series_number_parse(text, (double *)data + at);
        else if (text.size == 0)
            ((int32_t *)data)[at] = -1;
        else
            TRY(encode(walk, extra->name, &extra->texts, text, (int32_t *)data + at, error));
    }
out:
    return status;
}

static Status take_long(Walk *walk, Error *error)
{
    Status status;
    int32_t code = 0;
    double value;
    SeriesDate date = {SERIES_DATE_NUMBER, 0};
    TRY(check_record(walk, error));
    TRY(take_id(walk, &code, error));
    TRY(take_date(walk, &date, error));
    Bytes text = bytes_trim(walk->reader.record.fields[walk->columns[VALUE]]);
    if (series_number_parse(text, &value) == SERIES_NO_NUMBER) {
        status = refuse(walk, walk->names[VALUE], text, "no number", error);
        goto out;
    }
    TRY(add_row(walk, code, date.number, value, error));
    TRY(take_extra(walk, walk->lines->rows.table.rows - 1, error));
out:
    return status;
}

static Status take_wide(Walk *walk, Error *error)
{
    Status status;
    Bytes rest = walk->reader.record.raw, text;
    int32_t code = 0, n = 0, filled = 0;
    TRY(check_record(walk, error));
    TRY(take_id(walk, &code, error));
    (void)series_next_field(&rest, walk->source.delimiter, &text);
    for (; series_next_field(&rest, walk->source.delimiter, &text); n++) {
        SeriesNumber found = series_number_parse(text, &walk->values[n]);
        if (found == SERIES_NO_NUMBER) {
            char column[24];
            (void)snprintf(column, sizeof column, "field %" PRId32, n + 2);
            status = refuse(walk, column, text, "no number", error);
            goto out;
        }
        filled = found == SERIES_NUMBER ? n + 1 : filled;
    }
    for (int32_t k = 0; k < filled; k++) {
        if (!isnan(walk->values[k]))
            TRY(add_row(walk, code, walk->from_first ? k : k - filled, walk->values[k], error));
    }
out:
    return status;
}

/* Learn the kind of the first date, and which extra columns have texts. */
static Status look(Walk *walk, Error *error)
{
    SeriesLines *lines = walk->lines;
    const CsvRecord *record = &walk->reader.record;
    SeriesDate date;
    double unused;
    (void)error;
    if (record->is_broken || record->n_fields != walk->n_columns)
        return STATUS_OK; /* found again when it is taken */
    if (!walk->has_seen) {
        bool is_date = series_date_parse(bytes_trim(record->fields[walk->columns[DATE]]), &date);
        walk->kind = is_date ? (int64_t)date.kind : SERIES_DATE_KINDS;
        walk->has_seen = true;
    }
    for (int k = 0; k < lines->n_extra; k++) {
        SeriesExtra *extra = &lines->extra[k];
        extra->is_text |= series_number_parse(bytes_trim(record->fields[extra->from]), &unused) ==
                          SERIES_NO_NUMBER;
    }
    return STATUS_OK;
}

/* All records of this rank, or only the first. */
static Status walk_pieces(Walk *walk, bool only_first, Status (*take)(Walk *walk, Error *error),
                          int64_t *n, Error *error)
{
    Status status = STATUS_OK;
    RecordReader *reader = &walk->reader;
    *n = 0;
    for (int64_t i = 0; i < walk->source.n_pieces; i++) {
        const SourcePiece *piece = &walk->source.pieces[i];
        const SourceFile *file = &walk->source.files[piece->file];
        bool found = true;
        walk->file = piece->file;
        TRY(reader_open(reader, file->data_path, file->path, file->bytes, walk->source.delimiter,
                        error));
        TRY(reader_seek(reader, piece->begin, piece->end, piece->line, piece->inside_quotes,
                        error));
        while (!(only_first && *n > 0)) {
            TRY(reader_next(reader, &found, error));
            if (!found)
                break;
            if (reader->record.raw.size == 0)
                continue;
            ++*n;
            TRY(take(walk, error));
        }
    }
out:
    reader_close(reader);
    return status;
}

/* ---- all together ---- */

/* Kind of the file's first date, and of the extra columns. Collective. */
static Status look_at_all(Comm *comm, Walk *walk, Error *error)
{
    Status status;
    SeriesLines *lines = walk->lines;
    int64_t n, is_text[SERIES_EXTRA_MAX] = {0};
    int64_t first = (int64_t)comm_size(comm) * (SERIES_DATE_KINDS + 1);
    walk->kind = SERIES_DATE_KINDS;
    TRY_ALL(comm, walk_pieces(walk, lines->n_extra == 0, look, &n, error), error);
    if (walk->kind < SERIES_DATE_KINDS)
        first = (int64_t)comm_rank(comm) * (SERIES_DATE_KINDS + 1) + walk->kind;
    comm_min_i64(comm, &first, 1);
    lines->kind = (SeriesDateKind)(first % (SERIES_DATE_KINDS + 1));
    for (int k = 0; k < lines->n_extra; k++)
        is_text[k] = lines->extra[k].is_text;
    comm_max_i64(comm, is_text, SERIES_EXTRA_MAX);
    for (int k = 0; k < lines->n_extra; k++)
        lines->extra[k].is_text = is_text[k] != 0;
out:
    return status;
}

/* Collective. */
static Status open_rows(Comm *comm, const char *folder, SeriesLines *lines, Error *error)
{
    char names[SERIES_EXTRA_MAX][COLUMN_NAME_SIZE];
    ColumnSpec columns[FIRST_EXTRA + SERIES_EXTRA_MAX] = {{"key", COLUMN_I64, UNIT_NONE},
                                                          {"place", COLUMN_I64, UNIT_NONE},
                                                          {"value", COLUMN_F64, UNIT_NONE}};
    for (int k = 0; k < lines->n_extra; k++) {
        bool is_text = lines->extra[k].is_text;
        (void)snprintf(names[k], sizeof names[k], "x%d", k);
        columns[FIRST_EXTRA + k] =
            (ColumnSpec){names[k], is_text ? COLUMN_I32 : COLUMN_F64, UNIT_NONE};
    }
    lines->least = INT32_MAX;
    lines->most = INT32_MIN;
    return series_rows_open(comm, &(SpoolPlace){.folder = folder}, columns,
                            FIRST_EXTRA + lines->n_extra, &lines->rows, error);
}

static Status take_own(Walk *walk, Error *error)
{
    Status status;
    SeriesLines *lines = walk->lines;
    TRY(fault_point("forecast.lines", error));
    TRY(mem_resize(&walk->values, walk->n_columns, sizeof *walk->values, "values of a line",
                   error));
    TRY(walk_pieces(walk, false, lines->is_wide ? take_wide : take_long, &lines->n_lines, error));
    lines->n_paths = walk->source.n_files;
    lines->paths = mem_new(lines->n_paths, sizeof *lines->paths);
    for (int64_t i = 0; i < lines->n_paths; i++)
        lines->paths[i] = mem_copy_string(walk->source.files[i].path);
out:
    return status;
}

/* A new folder for unpacked files, made by rank 0. Collective. */
static Status make_folder(Comm *comm, const char *below, Buffer *folder, Error *error)
{
    Status own = STATUS_OK;
    if (comm_rank(comm) == 0) {
        buffer_printf(folder, "%s/vesper-series-XXXXXX", below);
        if (mkdtemp(folder->data) == NULL) {
            own = error_set(error, STATUS_IO, __FILE__, __LINE__, "cannot make a folder in %s: %s",
                            below, strerror(errno));
            buffer_clear(folder);
        }
    }
    Status status = comm_agree(comm, own, error);
    if (status == STATUS_OK)
        comm_broadcast_buffer(comm, 0, folder);
    return status;
}

Status series_lines_read(Comm *comm, const char *path, const char *folder, bool from_first,
                         SeriesLines *lines, Error *error)
{
    Status status;
    Walk *walk = mem_new(1, sizeof *walk);
    Buffer own_folder = {0};
    walk->lines = lines;
    walk->from_first = from_first;
    series_lines_free(lines);
    TRY(make_folder(comm, folder, &own_folder, error));
    TRY(source_open(comm, &walk->source, path, ',', buffer_string(&own_folder), "series", error));
    TRY_ALL(comm, read_header(walk, error), error);
    TRY(source_scan(comm, &walk->source, false, error));
    if (!lines->is_wide)
        TRY(look_at_all(comm, walk, error));
    TRY(open_rows(comm, folder, lines, error));
    TRY_ALL(comm, take_own(walk, error), error);
out:
    reader_free(&walk->reader);
    source_free(&walk->source);
    mem_free(&walk->values);
    mem_free(&walk);
    comm_barrier(comm);
    if (comm_rank(comm) == 0 && own_folder.size > 0)
        (void)rmdir(buffer_string(&own_folder));
    buffer_free(&own_folder);
    return status;
}
