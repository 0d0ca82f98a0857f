/* Scan: cut the files of an input into pieces, and learn what a rank must know to start reading in
 * the middle of one. Every byte is read once; what was learned of each piece is small and shared.
 */
#include "base/fault.h"
#include "base/memory.h"
#include "ingest/reader.h"
#include "ingest/source.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 1 << 20, LINE_BLOCK = 1 << 16 };

/* One piece, as bytes for the other ranks. */
typedef struct PieceScan {
    int64_t file;
    int64_t begin; /* cut exactly; after the scan, at the border of a line */
    int64_t end;
    int64_t newlines;
    uint64_t content_high; /* sum over the chunks that start in the cut */
    uint64_t content_low;
    int32_t after_start;  /* CsvState at the end, if it begins with a record, */
    int32_t after_quoted; /* or inside quotes */
} PieceScan;

static void add_hash(uint64_t *high, uint64_t *low, uint64_t more_high, uint64_t more_low)
{
    *low += more_low;
    *high += more_high + (*low < more_low);
}

/* total * rank / size without overflow. */
static int64_t share_begin(int64_t total, int rank, int size)
{
    return total / size * rank + total % size * rank / size;
}

/* The files' parts in this rank's share of the bytes. */
static int64_t cut(const Source *source, int rank, int size, PieceScan *pieces)
{
    int64_t total = 0, at = 0, n = 0;
    for (int64_t i = 0; i < source->n_files; i++)
        total += source->files[i].is_known ? 0 : source->files[i].bytes;
    int64_t begin = share_begin(total, rank, size), end = share_begin(total, rank + 1, size);
    for (int64_t i = 0; i < source->n_files; i++) {
        int64_t bytes = source->files[i].is_known ? 0 : source->files[i].bytes;
        int64_t from = begin > at ? begin - at : 0;
        int64_t to = end - at < bytes ? end - at : bytes;
        if (from < to)
            pieces[n++] = (PieceScan){.file = i, .begin = from, .end = to};
        at += bytes;
    }
    return n;
}

/* A piece being scanned. */
typedef struct Scanner {
    const SourceFile *file;
    int fd;
    char *chunk;
    int64_t begin; /* first line of the piece; -1 while not found */
    char last;     /* last byte fed */
    CsvScan scan;
} Scanner;

static void feed(Scanner *scanner, Bytes block, int64_t offset)
{
    if (block.size == 0)
        return;
    scanner->last = block.data[block.size - 1];
    if (scanner->begin < 0) {
        const char *found = memchr(block.data, '\n', (size_t)block.size);
        if (found == NULL)
            return;
        scanner->begin = offset + (found - block.data) + 1;
    }
    int64_t before = scanner->begin > offset ? scanner->begin - offset : 0;
    if (before < block.size)
        csv_scan_feed(&scanner->scan, (Bytes){block.data + before, block.size - before});
}

/* Feed the cut piece chunk by chunk; with `with_content`, hash the chunks that start in it. */
static Status scan_chunks(Scanner *scanner, PieceScan *piece, bool with_content, Error *error)
{
    Status status = STATUS_OK;
    const SourceFile *file = scanner->file;
    for (int64_t at = piece->begin / CHUNK * CHUNK; at < piece->end; at += CHUNK) {
        bool is_hashed = with_content && at >= piece->begin;
        int64_t from = at > piece->begin ? at : piece->begin;
        int64_t limit = is_hashed ? file->bytes : piece->end;
        int64_t size = (at + CHUNK < limit ? at + CHUNK : limit) - from;
        TRY(reader_read_at(scanner->fd, file->path, scanner->chunk, size, from, error));
        if (is_hashed) {
            Hash128 hash = hash128_seeded(scanner->chunk, size, (uint64_t)(at / CHUNK));
            add_hash(&piece->content_high, &piece->content_low, hash.high, hash.low);
        }
        int64_t inside = piece->end - from < size ? piece->end - from : size;
        feed(scanner, (Bytes){scanner->chunk, inside}, from);
    }
out:
    return status;
}

/* Go on past the cut to the end of its last line. */
static Status finish_line(Scanner *scanner, PieceScan *piece, Error *error)
{
    Status status = STATUS_OK;
    while (scanner->last != '\n' && piece->end < scanner->file->bytes) {
        int64_t size = scanner->file->bytes - piece->end;
        if (size > LINE_BLOCK)
            size = LINE_BLOCK;
        TRY(reader_read_at(scanner->fd, scanner->file->path, scanner->chunk, size, piece->end,
                           error));
        const char *found = memchr(scanner->chunk, '\n', (size_t)size);
        if (found != NULL)
            size = found - scanner->chunk + 1;
        feed(scanner, (Bytes){scanner->chunk, size}, piece->end);
        piece->end += size;
    }
out:
    return status;
}

static Status scan_piece(const Source *source, PieceScan *piece, bool with_content, char *chunk,
                         Error *error)
{
    Status status = STATUS_OK;
    Scanner scanner = {.file = &source->files[piece->file], .fd = -1, .begin = -1};
    scanner.chunk = chunk;
    const SourceFile *file = scanner.file;
    char before = '\n';
    csv_scan_init(&scanner.scan, source->delimiter);
    TRY(reader_open_file(file->data_path, file->path, &scanner.fd, error));
    if (piece->begin > file->data_begin)
        TRY(reader_read_at(scanner.fd, file->path, &before, 1, piece->begin - 1, error));
    if (before == '\n')
        scanner.begin = piece->begin > file->data_begin ? piece->begin : file->data_begin;
    TRY(scan_chunks(&scanner, piece, with_content, error));
    if (scanner.begin >= 0 && scanner.begin < piece->end)
        TRY(finish_line(&scanner, piece, error));
    else
        scanner.begin = piece->end; /* no line begins here */
    piece->begin = scanner.begin;
    piece->newlines = scanner.scan.newlines;
    piece->after_start = (int32_t)scanner.scan.after_start;
    piece->after_quoted = (int32_t)scanner.scan.after_quoted;
out:
    if (scanner.fd >= 0)
        (void)close(scanner.fd);
    return status;
}

static Status scan_own(const Source *source, PieceScan *pieces, int64_t n, bool with_content,
                       Error *error)
{
    Status status = STATUS_OK;
    char *chunk = NULL;
    TRY(fault_point("ingest.scan", error));
    TRY(mem_resize(&chunk, CHUNK, 1, "a block of a file", error));
    for (int64_t i = 0; i < n; i++)
        TRY(scan_piece(source, &pieces[i], with_content, chunk, error));
out:
    mem_free(&chunk);
    return status;
}

static void keep_piece(Source *source, const PieceScan *piece, CsvState state, int64_t line)
{
    const SourceFile *file = &source->files[piece->file];
    SourcePiece own = {piece->file, piece->begin, piece->end, line, state == CSV_QUOTED};
    if (own.begin < file->rows_begin) {
        own.begin = file->rows_begin;
        own.line = file->rows_line;
        own.inside_quotes = false;
    }
    if (own.begin < own.end)
        source->pieces[source->n_pieces++] = own;
}

/* Follow state and line number through all pieces; keep those of this rank, [first, first + n). */
static void follow_pieces(Source *source, const PieceScan *all, int64_t n_all, int64_t first,
                          int64_t n, bool with_content)
{
    CsvState state = CSV_FIELD_START;
    int64_t line = 0;
    source->n_pieces = 0;
    for (int64_t i = 0; i < n_all; i++) {
        const PieceScan *piece = &all[i];
        if (i == 0 || piece->file != all[i - 1].file) {
            state = CSV_FIELD_START;
            line = source->files[piece->file].first_line;
        }
        if (with_content) {
            Hash128 *content = &source->files[piece->file].content;
            add_hash(&content->high, &content->low, piece->content_high, piece->content_low);
        }
        if (piece->begin >= piece->end)
            continue;
        if (i >= first && i < first + n)
            keep_piece(source, piece, state, line);
        state = (CsvState)(state == CSV_QUOTED ? piece->after_quoted : piece->after_start);
        line += piece->newlines;
    }
}

Status source_scan(Comm *comm, Source *source, bool with_content, Error *error)
{
    Status status = STATUS_OK;
    int rank = comm_rank(comm), size = comm_size(comm);
    char *all = NULL;
    int64_t all_bytes = 0, first = 0;
    int64_t *sizes = mem_new(size, sizeof *sizes);
    PieceScan *own = mem_new(source->n_files, sizeof *own);
    int64_t n = cut(source, rank, size, own);
    TRY_ALL(comm, scan_own(source, own, n, with_content, error), error);
    TRY(comm_gather_all(comm, own, n * (int64_t)sizeof *own, &all, &all_bytes, sizes, error));
    for (int i = 0; i < rank; i++)
        first += sizes[i] / (int64_t)sizeof *own;
    mem_free(&source->pieces);
    source->pieces = mem_new(n, sizeof *source->pieces);
    follow_pieces(source, (const PieceScan *)(const void *)all, all_bytes / (int64_t)sizeof *own,
                  first, n, with_content);
out:
    mem_free(&all);
    mem_free(&own);
    mem_free(&sizes);
    return status;
}
