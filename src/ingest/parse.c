#include "ingest/parse.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/memory.h"
#include "ingest/convert.h"
#include "ingest/reader.h"
#include "ingest/rejects.h"
#include "ingest/source_database.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { ROWS_BEFORE_RESERVE = 1000 };

/* Where the rows of a ParsedTable come from; lives as long as it. */
struct ParsedOrigin {
    Source source;
    Rejects rejects; /* their text is moved to the table */
};

static void free_table(ParsedTable *table)
{
    table_free(&table->rows);
    buffer_free(&table->reject_header);
    buffer_free(&table->rejects);
    for (int i = 0; i < table->n_inputs; i++) {
        mem_free(&table->inputs[i].path);
        mem_free(&table->inputs[i].watermark_column);
        mem_free(&table->inputs[i].watermark);
    }
    mem_free(&table->inputs);
    mem_free(&table->is_known);
    mem_free(&table->late_rejects);
    if (table->origin != NULL) {
        source_free(&table->origin->source);
        rejects_free(&table->origin->rejects);
    }
    mem_free(&table->origin);
}

void parsed_batch_free(ParsedBatch *batch)
{
    for (int i = 0; i < DICTIONARY_COUNT; i++)
        string_map_free(&batch->maps[i]);
    for (int i = 0; i < batch->n_tables; i++)
        free_table(&batch->tables[i]);
    mem_free(&batch->tables);
    *batch = (ParsedBatch){0};
}

/* One parse_input at work. */
typedef struct Parser {
    ParsedTable table;
    const char *path;
    InputSettings settings;
    Mapping mapping;
    TimeZone *zone;
    Converter converter;
    RecordReader reader;
    Progress progress;
    int64_t *counts;    /* [2 * n_files]: rows read and rejected of each, on this rank */
    int64_t *same_as;   /* [n_files] earlier file of this input with the same content, or -1 */
    int64_t bytes_left; /* of this rank's pieces from the current one on */
} Parser;

/* ---- what to parse ---- */

static Status unknown_table(const char *shown, Error *error)
{
    Buffer possible = {0};
    for (int i = 0; i < INPUT_COUNT; i++)
        buffer_printf(&possible, "%s%s", i > 0 ? ", " : "", input_schema((InputTable)i)->name);
    Status status = error_set(error, STATUS_USAGE, __FILE__, __LINE__,
                              "--input %s: there is no table \"%.*s\"; possible are %s", shown,
                              (int)strcspn(shown, "="), shown, buffer_string(&possible));
    buffer_free(&possible);
    return status;
}

/* Table, path and settings from the command line and the ini. */
static Status read_request(Parser *parser, const StoreSettings *settings, const Config *config,
                           const char *input, Error *error)
{
    Status status = STATUS_OK;
    Buffer shown = {0};
    const char *equals = strchr(input, '=');
    source_append_shown(input, &shown);
    if (equals == NULL || equals[1] == 0)
        FAIL(error, STATUS_USAGE, "--input %s: write it as TABLE=PATH, like orders=orders.csv",
             buffer_string(&shown));
    parser->table.table = input_table_by_name((Bytes){input, equals - input});
    parser->path = equals + 1;
    if (parser->table.table == INPUT_COUNT) {
        status = unknown_table(buffer_string(&shown), error);
        goto out;
    }
    TRY(input_settings_read(config, parser->table.table, &parser->settings, error));
    TRY(timezone_new(settings->time_zone, &parser->zone, error));
out:
    buffer_free(&shown);
    return status;
}

/* ---- content that is there already ---- */

static bool is_same_content(const StoreInput *a, const StoreInput *b)
{
    return a->content_high == b->content_high && a->content_low == b->content_low &&
           a->bytes == b->bytes && strcmp(a->table, b->table) == 0;
}

/* An input of the store with the content of `input`. Of a database only the newest counts: a table
 * that was read whole may be again what it once was. */
static const StoreInput *find_in_store(const Store *store, const Source *source,
                                       const StoreInput *input)
{
    if (!source->is_database)
        return store_find_input(store, input->table, input->content_high, input->content_low,
                                input->bytes);
    const StoreInput *newest = store_newest_input(store, input->table, input->path);
    return newest != NULL && is_same_content(newest, input) ? newest : NULL;
}

/* An input of this batch so far with the content of `input`. */
static const StoreInput *find_in_batch(const ParsedBatch *batch, const StoreInput *input)
{
    const StoreInput *found = NULL;
    for (int i = 0; i < batch->n_tables && found == NULL; i++) {
        const ParsedTable *table = &batch->tables[i];
        for (int k = 0; k < table->n_inputs && found == NULL; k++)
            found = is_same_content(&table->inputs[k], input) ? &table->inputs[k] : NULL;
    }
    return found;
}

/* Order of the files by content, for finding equal ones. */
static Status order_by_content(const Source *source, int64_t **order, Error *error)
{
    Status status = STATUS_OK;
    uint64_t *keys = NULL;
    TRY(mem_resize(&keys, source->n_files, sizeof *keys, "hashes of files", error));
    TRY(mem_resize(order, source->n_files, sizeof **order, "hashes of files", error));
    for (int64_t i = 0; i < source->n_files; i++)
        keys[i] = source->files[i].content.low;
    TRY(sort_order_u64(keys, source->n_files, *order, error));
out:
    mem_free(&keys);
    return status;
}

static void take_watermark(const Source *source, StoreInput *input)
{
    if (source->watermark == NULL)
        return;
    input->watermark_column = mem_copy_string(source->watermark_column);
    input->watermark = mem_copy_string(source->watermark);
}

/* Make the table's inputs, and mark the files that need no parsing. The same on every rank. Local.
 */
static Status find_known(Parser *parser, const Store *store, const ParsedBatch *batch,
                         bool *any_known, Error *error)
{
    Status status = STATUS_OK;
    ParsedTable *table = &parser->table;
    Source *source = &table->origin->source;
    int64_t *order = NULL;
    *any_known = false;
    if (source->n_files > INT_MAX)
        FAIL(error, STATUS_INPUT, "%s has too many files", parser->path);
    table->n_inputs = (int)source->n_files;
    table->late_rejects = mem_new(table->n_inputs, sizeof *table->late_rejects);
    table->inputs = mem_new(source->n_files, sizeof *table->inputs);
    table->is_known = mem_new(source->n_files, sizeof *table->is_known);
    TRY(order_by_content(source, &order, error));
    for (int i = 0; i < table->n_inputs; i++) {
        SourceFile *file = &source->files[i];
        StoreInput *input = &table->inputs[i];
        (void)strncpy(input->table, input_schema(table->table)->name, sizeof input->table - 1);
        input->path = mem_copy_string(file->path);
        input->bytes = file->bytes;
        input->content_high = file->content.high;
        input->content_low = file->content.low;
        take_watermark(source, input);
        parser->same_as[i] = -1;
        const StoreInput *earlier = find_in_store(store, source, input);
        bool has_no_rows = source->is_database && file->rows_begin == file->bytes;
        table->is_known[i] = earlier != NULL || has_no_rows;
        file->is_known = table->is_known[i];
        if (earlier == NULL)
            earlier = find_in_batch(batch, input);
        if (earlier != NULL) {
            file->is_known = true;
            input->counts.read = earlier->counts.read;
            input->counts.unchanged = earlier->counts.read;
        }
    }
    /* The order is stable: of equal files the first in the input comes first. */
    for (int64_t k = 1; k < source->n_files; k++) {
        int64_t a = order[k - 1], b = order[k];
        if (!is_same_content(&table->inputs[a], &table->inputs[b]) || source->files[b].is_known)
            continue;
        source->files[b].is_known = true;
        parser->same_as[b] = a;
    }
    for (int64_t i = 0; i < source->n_files; i++)
        *any_known |= source->files[i].is_known;
out:
    mem_free(&order);
    return status;
}

/* ---- parsing ---- */

static Status reject_record(Parser *parser, const SourceFile *file, Error *error)
{
    const RecordReader *reader = &parser->reader;
    parser->table.rows_rejected++;
    return rejects_add(&parser->table.origin->rejects,
                       &(Reject){file->offset + reader->offset, file->path, reader->line,
                                 parser->converter.reject_field, parser->converter.reject_reason,
                                 &reader->record},
                       error);
}

/* Room for all rows of this rank, as the first ones are. */
static Status reserve_rows(Parser *parser, int64_t bytes_read, int64_t rows, Error *error)
{
    double expected = (double)parser->bytes_left / (double)bytes_read * (double)rows;
    return table_reserve(&parser->table.rows, (int64_t)(expected * 1.03) + ROWS_BEFORE_RESERVE,
                         error);
}

static Status parse_piece(Parser *parser, const SourcePiece *piece, Error *error)
{
    Status status = STATUS_OK;
    RecordReader *reader = &parser->reader;
    const SourceFile *file = &parser->table.origin->source.files[piece->file];
    int64_t *counts = parser->counts + 2 * piece->file;
    int64_t rows = 0, told = piece->begin, block = -1;
    bool found = false;
    TRY(reader_open(reader, file->data_path, file->path, file->bytes, parser->settings.delimiter,
                    error));
    TRY(reader_seek(reader, piece->begin, piece->end, piece->line, piece->inside_quotes, error));
    for (;;) {
        TRY(reader_next(reader, &found, error));
        if (!found)
            break;
        if (reader->base != block) {
            progress_add(&parser->progress, reader->offset - told);
            told = reader->offset;
            block = reader->base;
        }
        if (reader->record.raw.size == 0)
            continue;
        bool rejected;
        TRY(converter_take(&parser->converter, &reader->record, file->offset + reader->offset,
                           &rejected, error));
        rows++;
        if (rejected) {
            counts[1]++;
            TRY(reject_record(parser, file, error));
        }
        if (rows == ROWS_BEFORE_RESERVE && parser->table.rows.rows <= ROWS_BEFORE_RESERVE)
            TRY(reserve_rows(parser, reader->offset - piece->begin, rows, error));
    }
    counts[0] += rows;
    parser->bytes_left -= piece->end - piece->begin;
    progress_add(&parser->progress, piece->end - told);
out:
    return status;
}

/* Parse this rank's pieces. The bar speaks for all `ranks`, whose shares are even. */
static Status parse_own(Parser *parser, int ranks, Error *error)
{
    Status status = STATUS_OK;
    const Source *source = &parser->table.origin->source;
    char stage[STORE_NAME_SIZE];
    (void)snprintf(stage, sizeof stage, "ingest %s", input_schema(parser->table.table)->name);
    for (int64_t i = 0; i < source->n_pieces; i++)
        parser->bytes_left += source->pieces[i].end - source->pieces[i].begin;
    progress_begin(&parser->progress, stage, "MB", 1e6 / ranks, parser->bytes_left);
    TRY(fault_point("ingest.convert", error));
    for (int64_t i = 0; i < source->n_pieces; i++)
        TRY(parse_piece(parser, &source->pieces[i], error));
    TRY(converter_finish(&parser->converter, error));
out:
    progress_end(&parser->progress);
    reader_close(&parser->reader);
    return status;
}

/* Counts of each file over all ranks. Collective. */
static void sum_counts(Comm *comm, Parser *parser)
{
    ParsedTable *table = &parser->table;
    comm_sum_i64(comm, parser->counts, 2 * (int64_t)table->n_inputs);
    for (int i = 0; i < table->n_inputs; i++) {
        RowCounts *counts = &table->inputs[i].counts;
        int64_t same_as = parser->same_as[i];
        if (same_as >= 0) {
            counts->read = table->inputs[same_as].counts.read;
            counts->unchanged = counts->read;
        } else if (!table->origin->source.files[i].is_known) {
            counts->read = parser->counts[2 * (int64_t)i];
            counts->rejected = parser->counts[2 * (int64_t)i + 1];
            counts->stored = counts->read - counts->rejected;
        }
    }
}

/* Map the header, and make the empty table. Local, the same on every rank. */
static Status prepare(Parser *parser, const StoreSettings *settings, const Config *config,
                      ParsedBatch *batch, bool is_root, Error *error)
{
    Status status = STATUS_OK;
    ParsedTable *table = &parser->table;
    Source *source = &table->origin->source;
    Bytes header = buffer_view(&source->header);
    char delimiter = parser->settings.delimiter;
    Buffer place = {0};
    buffer_printf(&place, "%s:1: the header", source->files[0].path);
    TRY(mapping_make(config, table->table, header, delimiter, buffer_string(&place),
                     &parser->mapping, error));
    table->mended = parser->mapping.mended;
    table->origin->rejects.delimiter = delimiter;
    table->origin->rejects.mended = table->mended;
    if (is_root)
        rejects_write_header(header, delimiter, table->mended, &table->reject_header);
    converter_init(&parser->converter, table->table, &parser->settings, &parser->mapping,
                   parser->zone, settings->money_decimals, batch->maps, &table->rows);
    parser->counts = mem_new(2 * source->n_files, sizeof *parser->counts);
    parser->same_as = mem_new(source->n_files, sizeof *parser->same_as);
out:
    buffer_free(&place);
    return status;
}

static void parser_free(Parser *parser)
{
    free_table(&parser->table);
    converter_free(&parser->converter);
    mapping_free(&parser->mapping);
    timezone_free(&parser->zone);
    reader_free(&parser->reader);
    mem_free(&parser->counts);
    mem_free(&parser->same_as);
}

static Status keep_table(ParsedBatch *batch, ParsedTable *table, Error *error)
{
    Status status = mem_resize(&batch->tables, batch->n_tables + 1, sizeof *batch->tables,
                               "the list of inputs", error);
    if (status != STATUS_OK)
        return status;
    table->rejects = table->origin->rejects.text;
    table->origin->rejects.text = (Buffer){0};
    batch->tables[batch->n_tables++] = *table;
    *table = (ParsedTable){0};
    return STATUS_OK;
}

Status parse_input(Comm *comm, const Store *store, const Config *config, const char *input,
                   ParsedBatch *batch, Error *error)
{
    Status status = STATUS_OK;
    const StoreSettings *settings = store_settings(store);
    Parser *parser = mem_new(1, sizeof *parser);
    Buffer folder = {0}, name = {0};
    bool any_known = false;
    parser->table.origin = mem_new(1, sizeof *parser->table.origin);
    Source *source = &parser->table.origin->source;
    TRY_ALL(comm, read_request(parser, settings, config, input, error), error);
    buffer_printf(&folder, "%s/tmp", store_path(store));
    buffer_printf(&name, "input-%d", batch->n_tables);
    if (source_is_database(parser->path))
        TRY(source_open_database(comm, source, store,
                                 &(DatabaseRequest){.url = parser->path,
                                                    .table = parser->table.table,
                                                    .settings = &parser->settings,
                                                    .config = config,
                                                    .time_zone = settings->time_zone,
                                                    .folder = buffer_string(&folder),
                                                    .name = buffer_string(&name)},
                                 error));
    else
        TRY(source_open(comm, source, parser->path, parser->settings.delimiter,
                        buffer_string(&folder), buffer_string(&name), error));
    TRY_ALL(comm, prepare(parser, settings, config, batch, comm_rank(comm) == 0, error), error);
    TRY(source_scan(comm, source, true, error));
    TRY_ALL(comm, find_known(parser, store, batch, &any_known, error), error);
    if (any_known) /* cut the others evenly */
        TRY(source_scan(comm, source, false, error));
    TRY_ALL(comm, parse_own(parser, comm_size(comm), error), error);
    sum_counts(comm, parser);
    TRY_ALL(comm, keep_table(batch, &parser->table, error), error);
out:
    buffer_free(&folder);
    buffer_free(&name);
    parser_free(parser);
    mem_free(&parser);
    return status;
}

/* ---- late rejects ---- */

/* Finds again the records of rows, which come in ascending order. */
typedef struct Finder {
    const Source *source;
    const SourcePiece *piece;
    RecordReader reader;
    int64_t at; /* place in the file whose line is known */
    int64_t line;
} Finder;

/* Number of the line at `to`: those between are counted. */
static Status count_lines(Finder *finder, const SourceFile *file, int64_t to, Error *error)
{
    enum { BLOCK = 1 << 16 };
    Status status = STATUS_OK;
    char *block = mem_new(BLOCK, 1);
    while (finder->at < to) {
        int64_t size = to - finder->at < BLOCK ? to - finder->at : BLOCK;
        TRY(reader_read_at(finder->reader.fd, file->path, block, size, finder->at, error));
        finder->line += csv_count_newlines((Bytes){block, size});
        finder->at += size;
    }
out:
    mem_free(&block);
    return status;
}

static Status find_record(Finder *finder, int64_t row, Error *error)
{
    Status status = STATUS_OK;
    bool found = false;
    const Source *source = finder->source;
    const SourcePiece *piece = source_piece_at(source, row);
    vesper_assert(piece != NULL);
    const SourceFile *file = &source->files[piece->file];
    int64_t at = row - file->offset;
    if (piece != finder->piece) {
        TRY(reader_open(&finder->reader, file->data_path, file->path, file->bytes,
                        source->delimiter, error));
        finder->piece = piece;
        finder->at = piece->begin;
        finder->line = piece->line;
    }
    TRY(count_lines(finder, file, at, error));
    TRY(reader_seek(&finder->reader, at, at + 1, finder->line, false, error));
    TRY(reader_next(&finder->reader, &found, error));
    vesper_assert(found);
out:
    return status;
}

/* Take the rows at positions [n] out of the table. */
static Status drop_rows(Table *rows, const int64_t *positions, int64_t n, Error *error)
{
    Status status = STATUS_OK;
    int64_t *kept = NULL;
    int64_t n_kept = 0, next = 0;
    TRY(mem_resize(&kept, rows->rows - n, sizeof *kept, "order of rows", error));
    for (int64_t i = 0; i < rows->rows; i++) {
        if (next < n && positions[next] == i)
            next++;
        else
            kept[n_kept++] = i;
    }
    TRY(table_gather(rows, kept, n_kept, error));
out:
    mem_free(&kept);
    return status;
}

/* The file that holds a row: files are one run of bytes. */
static int input_of_row(const ParsedTable *table, int64_t row)
{
    int input = 0;
    for (int64_t end = table->inputs[0].bytes; row >= end && input + 1 < table->n_inputs;)
        end += table->inputs[++input].bytes;
    return input;
}

Status parse_reject_late(ParsedBatch *batch, int i, const int64_t *positions, int64_t n,
                         const char *field, const char *reason, Error *error)
{
    Status status = STATUS_OK;
    if (n == 0)
        return STATUS_OK;
    ParsedTable *table = &batch->tables[i];
    Rejects *rejects = &table->origin->rejects;
    Rejects late = {.delimiter = rejects->delimiter, .mended = rejects->mended};
    Finder *finder = mem_new(1, sizeof *finder);
    finder->source = &table->origin->source;
    const int64_t *row = table_column_const(&table->rows, "row")->data;
    TRY(fault_point("ingest.reject_late", error));
    for (int64_t k = 0; k < n; k++) {
        TRY(find_record(finder, row[positions[k]], error));
        Reject reject = {row[positions[k]],     finder->reader.path, finder->line, field, reason,
                         &finder->reader.record};
        TRY(rejects_add(&late, &reject, error));
    }
    rejects->text = table->rejects;
    table->rejects = (Buffer){0};
    TRY(rejects_merge(rejects, &late, error));
    table->rejects = rejects->text;
    rejects->text = (Buffer){0};
    table->rows_rejected += n;
    for (int64_t k = 0; k < n; k++)
        table->late_rejects[input_of_row(table, row[positions[k]])]++;
    TRY(drop_rows(&table->rows, positions, n, error));
out:
    rejects_free(&late);
    reader_free(&finder->reader);
    mem_free(&finder);
    return status;
}

void parse_describe_reject(const ParsedTable *table, Buffer *text)
{
    enum { PATH, LINE, FIELD, REASON };
    CsvRecord *first = mem_new(1, sizeof *first);
    char delimiter = table->origin->rejects.delimiter;
    if (csv_next(buffer_view(&table->rejects), delimiter, true, first) > 0) {
        const Bytes *field = first->fields;
        buffer_append_bytes(text, field[REASON]);
        if (field[FIELD].size > 0)
            buffer_printf(text, " (%.*s)", (int)field[FIELD].size, field[FIELD].data);
        buffer_append_string(text, ", first at ");
        buffer_append_bytes(text, field[PATH]);
        buffer_append_string(text, ":");
        buffer_append_bytes(text, field[LINE]);
    }
    csv_record_free(first);
    mem_free(&first);
}
