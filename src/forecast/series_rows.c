/* See series_rows.h. */
#include "forecast/series_rows.h"

#include "base/fault.h"
#include "base/memory.h"

#include <inttypes.h>
#include <string.h>

enum { ROUND_LEAST = 1 << 12 /* rows that a rank sends at once */ };

static int64_t usual_piece = SERIES_ROWS_PIECE;

void series_rows_set_piece(int64_t rows)
{
    usual_piece = rows;
}

Status series_keys_check(const SeriesKeys *keys, Error *error)
{
    int64_t all;
    if (__builtin_mul_overflow((int64_t)keys->n_units, keys->series_per_unit, &all) ||
        __builtin_mul_overflow(all, keys->n_periods, &all))
        return error_set(error, STATUS_INPUT, __FILE__, __LINE__,
                         "%" PRId32 " products or ids in %" PRId64 " groups over %" PRId64
                         " periods are too many; are all dates right?",
                         keys->n_units, keys->series_per_unit, keys->n_periods);
    return STATUS_OK;
}

Status series_rows_open(Comm *comm, const SpoolPlace *place, const ColumnSpec *columns,
                        int n_columns, SeriesRows *rows, Error *error)
{
    int64_t share = usual_piece / comm_size(comm);
    int64_t least = usual_piece < ROUND_LEAST ? usual_piece : ROUND_LEAST;
    *rows =
        (SeriesRows){.place = *place, .piece = usual_piece, .round = share > least ? share : least};
    table_init(&rows->table, columns, n_columns);
    return scratch_open(comm, place, &rows->added, error);
}

void series_rows_free(SeriesRows *rows)
{
    table_free(&rows->table);
    scratch_close(&rows->added);
    scratch_close(&rows->gathered);
    mem_free(&rows->pieces);
    mem_free(&rows->runs);
    *rows = (SeriesRows){.n_pieces = 0};
}

Status series_rows_sort(Table *table, Error *error)
{
    Status status = STATUS_OK;
    int64_t *order = NULL;
    const uint64_t *key = table->columns[0].data;
    int64_t i = 1;
    while (i < table->rows && key[i - 1] <= key[i])
        i++;
    if (i >= table->rows)
        goto out;
    TRY(mem_resize(&order, table->rows, sizeof *order, "rows of series", error));
    TRY(sort_order_u64(key, table->rows, order, error));
    TRY(table_gather(table, order, table->rows, error));
out:
    mem_free(&order);
    return status;
}

/* ---- pieces ---- */

static int64_t row_bytes(const Table *table)
{
    int64_t bytes = 0;
    for (int c = 0; c < table->n_columns; c++)
        bytes += (int64_t)column_width(table->columns[c].type);
    return bytes;
}

/* Rows [from, from + n) of the table to or from those of a piece from `to` on. */
static Status move_rows(Scratch *file, bool is_write, const SeriesPiece *piece, int64_t to,
                        const Table *table, int64_t from, int64_t n, Error *error)
{
    Status status = STATUS_OK;
    int64_t column = piece->at;
    for (int c = 0; n > 0 && c < table->n_columns; c++) {
        int64_t width = (int64_t)column_width(table->columns[c].type);
        char *data = (char *)table->columns[c].data + from * width;
        if (is_write)
            TRY(scratch_write(file, column + to * width, data, n * width, error));
        else
            TRY(scratch_read(file, column + to * width, data, n * width, error));
        column += piece->rows * width;
    }
out:
    return status;
}

static Status put_piece(SeriesRows *rows, int64_t from, int64_t n, Error *error)
{
    Status status = STATUS_OK;
    SeriesPiece piece = {rows->end, n};
    if ((rows->n_pieces & (rows->n_pieces - 1)) == 0)
        TRY(mem_resize(&rows->pieces, 2 * rows->n_pieces + 1, sizeof *rows->pieces,
                       "pieces of series", error));
    TRY(move_rows(rows->added, true, &piece, 0, &rows->table, from, n, error));
    rows->pieces[rows->n_pieces++] = piece;
    rows->end += n * row_bytes(&rows->table);
out:
    return status;
}

Status series_rows_put(SeriesRows *rows, Error *error)
{
    Status status = STATUS_OK;
    for (int64_t at = 0; at < rows->table.rows; at += rows->round) {
        int64_t left = rows->table.rows - at;
        TRY(put_piece(rows, at, left < rows->round ? left : rows->round, error));
    }
    TRY(table_set_rows(&rows->table, 0, error));
out:
    return status;
}

/* A file's piece into the table. */
static Status load_piece(SeriesRows *rows, Scratch *file, const SeriesPiece *piece, Error *error)
{
    Status status;
    TRY(table_set_rows(&rows->table, piece->rows, error));
    TRY(move_rows(file, false, piece, 0, &rows->table, 0, piece->rows, error));
out:
    return status;
}

/* ---- where units go ---- */

typedef struct Gathering {
    Comm *comm;
    const SeriesKeys *keys;
    SeriesRows *rows;
    SeriesRowsChange change;
    void *context;
    int64_t unit_keys;
    int64_t *counts;  /* [n_units] rows of all ranks */
    int64_t *weights; /* [n_units] rows, and periods from the first to the last of all */
    int64_t *ends;    /* [size] units of each rank */
    int64_t *until;   /* [n_runs] the keys of a run are below it */
    int64_t *filled;  /* [n_runs] rows that are there */
    int64_t *sent;    /* [size] */
    int64_t *got;     /* [size] */
} Gathering;

static void gathering_free(Gathering *g)
{
    mem_free(&g->counts);
    mem_free(&g->weights);
    mem_free(&g->ends);
    mem_free(&g->until);
    mem_free(&g->filled);
}

/* A piece as it leaves; none after the last. */
static Status take_piece(const Gathering *g, int64_t p, Error *error)
{
    Status status;
    SeriesRows *rows = g->rows;
    if (p >= rows->n_pieces)
        return table_set_rows(&rows->table, 0, error);
    TRY(load_piece(rows, rows->added, &rows->pieces[p], error));
    if (g->change != NULL)
        TRY(g->change(g->context, &rows->table, error));
out:
    return status;
}

/* counts, and in weights the first period of each unit, of this rank's rows. */
static Status count_units(Gathering *g, Error *error)
{
    Status status;
    SeriesRows *rows = g->rows;
    int64_t n = g->keys->n_units;
    TRY(series_rows_put(rows, error));
    TRY(mem_resize(&g->counts, n, sizeof *g->counts, "rows of products", error));
    TRY(mem_resize(&g->weights, n, sizeof *g->weights, "rows of products", error));
    for (int64_t i = 0; i < n; i++) {
        g->counts[i] = 0;
        g->weights[i] = g->keys->n_periods;
    }
    for (int64_t p = 0; p < rows->n_pieces; p++) {
        TRY(take_piece(g, p, error));
        const int64_t *key = rows->table.columns[0].data;
        for (int64_t i = 0; i < rows->table.rows; i++) {
            int64_t unit = key[i] / g->unit_keys, period = key[i] % g->keys->n_periods;
            g->counts[unit]++;
            if (period < g->weights[unit])
                g->weights[unit] = period;
        }
    }
out:
    return status;
}

/* Collective. */
static void set_ends(Gathering *g, const int64_t *ends)
{
    int size = comm_size(g->comm);
    int64_t n = g->keys->n_units;
    vesper_assert(n == 0 || (g->counts != NULL && g->weights != NULL));
    comm_sum_i64(g->comm, g->counts, n);
    comm_min_i64(g->comm, g->weights, n);
    for (int64_t i = 0; i < n; i++)
        g->weights[i] = g->counts[i] + g->keys->n_periods - g->weights[i];
    for (int rank = 0; rank < size; rank++) {
        int32_t begin, end;
        if (ends == NULL)
            store_balance(g->weights, g->keys->n_units, rank, size, &begin, &end);
        g->ends[rank] = ends == NULL ? end : ends[rank];
    }
}

/* Runs of this rank's units: as many as have no more rows than a piece, but at least one. */
static Status set_runs(Gathering *g, Error *error)
{
    Status status = STATUS_OK;
    SeriesRows *rows = g->rows;
    int rank = comm_rank(g->comm);
    int64_t at = 0, bytes = row_bytes(&rows->table);
    int64_t begin = rank == 0 ? 0 : g->ends[rank - 1];
    for (int64_t unit = begin; unit < g->ends[rank]; unit++) {
        int64_t n = rows->n_runs;
        if (g->counts[unit] == 0)
            continue;
        if (n == 0 || rows->runs[n - 1].rows + g->counts[unit] > rows->piece) {
            TRY(mem_resize(&rows->runs, n + 1, sizeof *rows->runs, "runs of series", error));
            TRY(mem_resize(&g->until, n + 1, sizeof *g->until, "runs of series", error));
            TRY(mem_resize(&g->filled, n + 1, sizeof *g->filled, "runs of series", error));
            rows->runs[n] = (SeriesPiece){.at = at};
            g->filled[n] = 0;
            rows->n_runs = ++n;
        }
        rows->runs[n - 1].rows += g->counts[unit];
        at += g->counts[unit] * bytes;
        g->until[n - 1] = (unit + 1) * g->unit_keys;
    }
out:
    return status;
}

/* ---- sending ---- */

/* The rows of a piece, none after the last, and how many go to each. */
static Status sort_round(const Gathering *g, int64_t round, Error *error)
{
    Status status;
    Table *table = &g->rows->table;
    int64_t at = 0;
    TRY(take_piece(g, round, error));
    TRY(series_rows_sort(table, error));
    const int64_t *key = table->columns[0].data;
    for (int rank = 0; rank < comm_size(g->comm); rank++) {
        int64_t from = at, until = g->ends[rank] * g->unit_keys;
        while (at < table->rows && key[at] < until)
            at++;
        g->sent[rank] = at - from;
    }
    vesper_assert(at == table->rows);
out:
    return status;
}

/* What came, from each rank sorted, into the runs. */
static Status keep_round(Gathering *g, Error *error)
{
    Status status = STATUS_OK;
    SeriesRows *rows = g->rows;
    const int64_t *key = rows->table.columns[0].data;
    int64_t at = 0;
    for (int rank = 0; rank < comm_size(g->comm); rank++) {
        int64_t end = at + g->got[rank];
        for (int64_t run = 0; at < end; run++) {
            int64_t from = at;
            while (at < end && key[at] < g->until[run])
                at++;
            if (at > from)
                TRY(move_rows(rows->gathered, true, &rows->runs[run], g->filled[run], &rows->table,
                              from, at - from, error));
            g->filled[run] += at - from;
        }
    }
out:
    return status;
}

/* Collective. */
static Status send_rounds(Gathering *g, Error *error)
{
    Status status = STATUS_OK;
    int64_t rounds = g->rows->n_pieces;
    comm_max_i64(g->comm, &rounds, 1);
    for (int64_t round = 0; round < rounds; round++) {
        TRY_ALL(g->comm, sort_round(g, round, error), error);
        TRY(comm_exchange_table(g->comm, &g->rows->table, g->sent, g->got, error));
        TRY_ALL(g->comm, keep_round(g, error), error);
    }
out:
    return status;
}

Status series_rows_gather(Comm *comm, const SeriesKeys *keys, const int64_t *ends,
                          SeriesRowsChange change, void *context, SeriesRows *rows, Error *error)
{
    Status status;
    int64_t size = comm_size(comm);
    Gathering g = {.comm = comm,
                   .keys = keys,
                   .rows = rows,
                   .change = change,
                   .context = context,
                   .unit_keys = keys->series_per_unit * keys->n_periods,
                   .ends = mem_new(3 * size, sizeof *g.ends)};
    g.sent = g.ends + size;
    g.got = g.ends + 2 * size;
    TRY_ALL(comm, fault_point("forecast.gather", error), error);
    TRY(scratch_open(comm, &rows->place, &rows->gathered, error));
    TRY_ALL(comm, count_units(&g, error), error);
    set_ends(&g, ends);
    TRY_ALL(comm, set_runs(&g, error), error);
    TRY(send_rounds(&g, error));
    scratch_close(&rows->added);
out:
    gathering_free(&g);
    return status;
}

Status series_rows_take(SeriesRows *rows, int64_t run, Error *error)
{
    Status status;
    TRY(load_piece(rows, rows->gathered, &rows->runs[run], error));
    TRY(series_rows_sort(&rows->table, error));
out:
    return status;
}
