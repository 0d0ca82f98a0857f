/* See tiled_rows.h. A row travels as segments, one a tile; both ends go through the segments of a
 * pair of ranks by row, then tile, so that nothing but elements is sent. */
#include "recommend/tiled_rows.h"

#include "base/fault.h"
#include "base/memory.h"

#include <string.h>

/* One row's elements in one tile. */
typedef struct Segment {
    const TiledMatrix *matrix;
    int32_t row;
    int32_t i, j;  /* the tile that has them, j <= i */
    bool across;   /* they are a column there, by symmetry */
    int32_t first; /* column of the row where they begin */
    int32_t n;
} Segment;

/* Bytes that are packed or unpacked segment by segment. */
typedef struct Cursors {
    char *bytes;
    int64_t *at;      /* [ranks] where the next segment of each rank's tiles stands */
    const char *from; /* rows of the run, to pack */
    char *rows;       /* and to fill */
    int32_t first_row;
} Cursors;

typedef void SegmentVisit(const Segment *segment, Cursors *cursors);

static int owner_of(const Segment *segment)
{
    return tiled_matrix_owner(segment->matrix, segment->i, segment->j);
}

static int64_t width_of(const TiledMatrix *matrix)
{
    return (int64_t)tile_element_size(tiled_matrix_precision(matrix));
}

/* The segments of a run's rows, up to the diagonal tile or all, that `owner` has (-1: anyone). */
static void walk(const TiledMatrix *matrix, RowRun run, bool whole, int owner, SegmentVisit *visit,
                 Cursors *cursors)
{
    int32_t tile = tiled_matrix_tile(matrix), n = tiled_matrix_rows(matrix);
    for (int32_t row = run.first; row < run.end; row++) {
        int32_t tile_row = row / tile;
        int32_t end = whole ? tiled_matrix_tiles(matrix) : tile_row + 1;
        for (int32_t t = 0; t < end; t++) {
            bool across = t > tile_row;
            Segment segment = {.matrix = matrix,
                               .row = row,
                               .i = across ? t : tile_row,
                               .j = across ? tile_row : t,
                               .across = across,
                               .first = t * tile,
                               .n = n - t * tile < tile ? n - t * tile : tile};
            if (owner < 0 || owner_of(&segment) == owner)
                visit(&segment, cursors);
        }
    }
}

/* Elements of 4 or 8 bytes, `stride` elements apart in the tile, next to each other outside. */
static void copy_out(const char *tile, int64_t stride, int64_t n, int64_t width, char *to)
{
    for (int64_t c = 0; c < n; c++) {
        if (width == 4)
            memcpy(to + c * 4, tile + c * stride * 4, 4);
        else
            memcpy(to + c * 8, tile + c * stride * 8, 8);
    }
}

static void copy_in(const char *from, int64_t n, int64_t width, char *tile, int64_t stride)
{
    for (int64_t c = 0; c < n; c++) {
        if (width == 4)
            memcpy(tile + c * stride * 4, from + c * 4, 4);
        else
            memcpy(tile + c * stride * 8, from + c * 8, 8);
    }
}

/* ---- visits ---- */

static void count_segment(const Segment *segment, Cursors *cursors)
{
    cursors->at[owner_of(segment)] += segment->n;
}

/* Byte of the run's rows where the segment begins. */
static int64_t place_in_rows(const Segment *segment, const Cursors *cursors)
{
    int64_t row = segment->row - cursors->first_row;
    return (row * tiled_matrix_rows(segment->matrix) + segment->first) * width_of(segment->matrix);
}

static void pack_from_rows(const Segment *segment, Cursors *cursors)
{
    int64_t bytes = segment->n * width_of(segment->matrix), *at = &cursors->at[owner_of(segment)];
    memcpy(cursors->bytes + *at, cursors->from + place_in_rows(segment, cursors), (size_t)bytes);
    *at += bytes;
}

static void unpack_to_rows(const Segment *segment, Cursors *cursors)
{
    int64_t bytes = segment->n * width_of(segment->matrix), *at = &cursors->at[owner_of(segment)];
    memcpy(cursors->rows + place_in_rows(segment, cursors), cursors->bytes + *at, (size_t)bytes);
    *at += bytes;
}

static void unpack_to_tile(const Segment *segment, Cursors *cursors)
{
    int64_t tile = tiled_matrix_tile(segment->matrix), width = width_of(segment->matrix);
    char *elements = tiled_matrix_elements(segment->matrix, segment->i, segment->j);
    int64_t *at = &cursors->at[owner_of(segment)];
    copy_in(cursors->bytes + *at, segment->n, width, elements + segment->row % tile * width, tile);
    *at += segment->n * width;
}

static void pack_from_tile(const Segment *segment, Cursors *cursors)
{
    int64_t tile = tiled_matrix_tile(segment->matrix), width = width_of(segment->matrix);
    int64_t row = segment->row % tile, n = segment->n;
    const char *elements = tiled_matrix_elements(segment->matrix, segment->i, segment->j);
    int64_t *at = &cursors->at[owner_of(segment)];
    /* Elements that stand as a row of the tile; those behind them are a column of it. */
    int64_t in_row = segment->across ? 0 : segment->i == segment->j ? row + 1 : n;
    copy_out(elements + row * width, tile, in_row, width, cursors->bytes + *at);
    copy_out(elements + (row * tile + in_row) * width, 1, n - in_row, width,
             cursors->bytes + *at + in_row * width);
    *at += n * width;
}

/* ---- moves ---- */

/* at [ranks] := bytes of the ranks before; returns the bytes of all. */
static int64_t starts_of(Comm *comm, const int64_t *counts, int64_t width, int64_t *at)
{
    int64_t before = 0;
    for (int r = 0; r < comm_size(comm); r++) {
        at[r] = before;
        before += counts[r] * width;
    }
    return before;
}

/* The run's rows for the owners of their tiles, each from at [ranks] on. */
static Status pack_rows(const TiledMatrix *matrix, RowRun run, const void *rows, int64_t bytes,
                        int64_t *at, char **send, Error *error)
{
    Status status;
    TRY(fault_point("tiled_rows.put", error));
    TRY(mem_resize(send, bytes, 1, "rows of a matrix of items", error));
    walk(matrix, run, false, -1, pack_from_rows,
         &(Cursors){.bytes = *send, .at = at, .from = rows, .first_row = run.first});
out:
    return status;
}

/* What `rank` has of the rows of all runs, one run after another, from at[rank] = 0 on. */
static Status pack_tiles(const TiledMatrix *matrix, const RowRun *runs, int size, int rank,
                         int64_t bytes, int64_t *at, char **send, Error *error)
{
    Status status;
    TRY(fault_point("tiled_rows.get", error));
    TRY(mem_resize(send, bytes, 1, "rows of a matrix of items", error));
    at[rank] = 0;
    for (int r = 0; r < size; r++)
        walk(matrix, runs[r], true, rank, pack_from_tile, &(Cursors){.bytes = *send, .at = at});
out:
    return status;
}

Status tiled_rows_put(Comm *comm, TiledMatrix *matrix, const RowRun *runs, const void *rows,
                      Error *error)
{
    Status status = STATUS_OK;
    int size = comm_size(comm), rank = comm_rank(comm);
    int64_t width = width_of(matrix);
    char *send = NULL, *received = NULL;
    int64_t *counts = mem_new(size, sizeof *counts), *at = mem_new(size, sizeof *at);
    int64_t *received_counts = mem_new(size, sizeof *received_counts);
    walk(matrix, runs[rank], false, -1, count_segment, &(Cursors){.at = counts});
    int64_t bytes = starts_of(comm, counts, width, at);
    TRY_ALL(comm, pack_rows(matrix, runs[rank], rows, bytes, at, &send, error), error);
    TRY(comm_exchange(comm, send, counts, (size_t)width, &received, received_counts, error));
    Cursors cursors = {.bytes = received, .at = at};
    at[rank] = 0; /* the segments of all ranks, one after another, are of this rank's tiles */
    for (int r = 0; r < size; r++)
        walk(matrix, runs[r], false, rank, unpack_to_tile, &cursors);
out:
    mem_free(&send);
    mem_free(&received);
    mem_free(&counts);
    mem_free(&at);
    mem_free(&received_counts);
    return status;
}

Status tiled_rows_get(Comm *comm, const TiledMatrix *matrix, const RowRun *runs, void *rows,
                      Error *error)
{
    Status status = STATUS_OK;
    int size = comm_size(comm), rank = comm_rank(comm);
    int64_t width = width_of(matrix), total = 0;
    char *send = NULL, *received = NULL;
    int64_t *counts = mem_new(size, sizeof *counts), *at = mem_new(size, sizeof *at);
    int64_t *received_counts = mem_new(size, sizeof *received_counts);
    for (int r = 0; r < size; r++) {
        at[rank] = 0;
        walk(matrix, runs[r], true, rank, count_segment, &(Cursors){.at = at});
        counts[r] = at[rank];
        total += counts[r];
    }
    TRY_ALL(comm, pack_tiles(matrix, runs, size, rank, total * width, at, &send, error), error);
    TRY(comm_exchange(comm, send, counts, (size_t)width, &received, received_counts, error));
    starts_of(comm, received_counts, width, at);
    walk(matrix, runs[rank], true, -1, unpack_to_rows,
         &(Cursors){.bytes = received, .at = at, .rows = rows, .first_row = runs[rank].first});
out:
    mem_free(&send);
    mem_free(&received);
    mem_free(&counts);
    mem_free(&at);
    mem_free(&received_counts);
    return status;
}

/* Each element's bits come from one rank and are 0 on the others. */
void tiled_rows_diagonal(Comm *comm, const TiledMatrix *matrix, double *diagonal)
{
    int32_t n = tiled_matrix_rows(matrix), tile = tiled_matrix_tile(matrix);
    int64_t *bits = mem_new(n, sizeof *bits);
    for (int32_t i = 0; i < n; i++) {
        const void *elements = tiled_matrix_elements(matrix, i / tile, i / tile);
        if (elements == NULL)
            continue;
        double value = tile_get(tiled_matrix_precision(matrix), elements, tile, i % tile, i % tile);
        memcpy(&bits[i], &value, sizeof value);
    }
    comm_sum_i64(comm, bits, n);
    memcpy(diagonal, bits, (size_t)n * sizeof *diagonal);
    mem_free(&bits);
}
