/* Tables between ranks: exchange column by column, sample sort. */
#include "base/fault.h"
#include "base/memory.h"
#include "comm/internal.h"

#include <string.h>

/* ---- exchange ---- */

/* Row counts of one exchange, and the same as bytes of the column under way. */
typedef struct Route {
    const int64_t *send_rows;
    int64_t *receive_rows;
    int64_t *send_bytes;
    int64_t *receive_bytes;
    int64_t rows; /* received in total */
} Route;

/* Transfer fixed-width elements to memory that is there. */
static void transfer_elements(Comm *comm, Route *route, size_t width, const void *send,
                              void *receive)
{
    for (int i = 0; i < comm->size; i++) {
        route->send_bytes[i] = route->send_rows[i] * (int64_t)width;
        route->receive_bytes[i] = route->receive_rows[i] * (int64_t)width;
    }
    comm_transfer(comm, send, route->send_bytes, receive, route->receive_bytes);
}

static Status exchange_fixed(Comm *comm, Route *route, Column *column, Error *error)
{
    Status status;
    void *received = NULL;
    size_t width = column_width(column->type);
    TRY_ALL(comm, mem_resize(&received, route->rows, width, column->name, error), error);
    transfer_elements(comm, route, width, column->data, received);
    mem_free(&column->data);
    column->data = received;
    return STATUS_OK;
out:
    mem_free(&received);
    return status;
}

/* Lengths first; they tell how many bytes come from where. */
static Status exchange_text(Comm *comm, Route *route, Column *column, Error *error)
{
    Status status;
    int64_t *ends = NULL;
    char *bytes = NULL;
    vesper_assert(!column_is_coded(column));
    int64_t *send_text = mem_new(comm->size, sizeof *send_text);
    int64_t *receive_text = mem_new(comm->size, sizeof *receive_text);
    TRY_ALL(comm, mem_resize(&ends, route->rows, sizeof *ends, column->name, error), error);

    int64_t row = 0;
    int64_t end = 0;
    for (int to = 0; to < comm->size; to++) {
        for (int64_t stop = row + route->send_rows[to]; row < stop; row++) {
            int64_t length = column->ends[row] - end;
            end = column->ends[row];
            column->ends[row] = length;
            send_text[to] += length;
        }
    }
    transfer_elements(comm, route, sizeof *ends, column->ends, ends);
    mem_free(&column->ends);
    row = 0;
    end = 0;
    for (int from = 0; from < comm->size; from++) {
        for (int64_t stop = row + route->receive_rows[from]; row < stop; row++) {
            receive_text[from] += ends[row];
            end += ends[row];
            ends[row] = end;
        }
    }
    TRY_ALL(comm, mem_resize(&bytes, end, 1, column->name, error), error);
    comm_transfer(comm, column->bytes, send_text, bytes, receive_text);
    mem_free(&column->bytes);
    column->ends = ends;
    column->bytes = bytes;
    column->bytes_capacity = end;
    ends = NULL;
    bytes = NULL;
out:
    mem_free(&ends);
    mem_free(&bytes);
    mem_free(&send_text);
    mem_free(&receive_text);
    return status;
}

Status comm_exchange_table(Comm *comm, Table *table, const int64_t *row_counts,
                           int64_t *source_counts, Error *error)
{
    Status status;
    int64_t *counts = mem_new(3 * (int64_t)comm->size, sizeof *counts);
    Route route = {.send_rows = row_counts,
                   .receive_rows = counts,
                   .send_bytes = counts + comm->size,
                   .receive_bytes = counts + 2 * (int64_t)comm->size};
    vesper_assert(comm_total(comm, row_counts) == table->rows);
    comm_transpose_counts(comm, row_counts, route.receive_rows);
    route.rows = comm_total(comm, route.receive_rows);
    TRY_ALL(comm, fault_point("comm.exchange_table", error), error);
    for (int i = 0; i < table->n_columns; i++) {
        Column *column = &table->columns[i];
        status = column->type == COLUMN_TEXT ? exchange_text(comm, &route, column, error)
                                             : exchange_fixed(comm, &route, column, error);
        if (status != STATUS_OK)
            goto out;
    }
    table->rows = route.rows;
    table->capacity = route.rows;
    if (source_counts)
        memcpy(source_counts, route.receive_rows, (size_t)comm->size * sizeof *source_counts);
out:
    if (status != STATUS_OK)
        table_free(table);
    mem_free(&counts);
    return status;
}

/* ---- sort ---- */

/* Samples a rank on average; with s samples a rank and distinct places, no rank gets more than
 * about 1 + 1/s of its share (Shi and Schaeffer 1992, "Parallel sorting by regular sampling"). */
enum { SAMPLES_A_RANK = 32 };

#define SAMPLE_RANK "sample rank"
#define SAMPLE_ROW "sample row"

static void sample_init(Table *samples, const Table *table, const SortKey *keys, int n_keys)
{
    ColumnSpec specs[TABLE_COLUMNS_MAX];
    vesper_assert(n_keys + 2 <= TABLE_COLUMNS_MAX);
    for (int k = 0; k < n_keys; k++) {
        const Column *column = table_column_const(table, keys[k].column);
        specs[k] = (ColumnSpec){column->name, column->type, column->unit};
    }
    specs[n_keys] = (ColumnSpec){SAMPLE_RANK, COLUMN_I32, UNIT_NONE};
    specs[n_keys + 1] = (ColumnSpec){SAMPLE_ROW, COLUMN_I64, UNIT_NONE};
    table_init(samples, specs, n_keys + 2);
}

/* Add row `row` of the sorted table to the samples. */
static Status sample_row(Table *samples, const Table *table, int rank, int64_t row, Error *error)
{
    Status status;
    TRY(table_add_row(samples, error));
    int64_t last = samples->rows - 1;
    int n_keys = samples->n_columns - 2;
    for (int k = 0; k < n_keys; k++) {
        Column *to = &samples->columns[k];
        const Column *from = table_column_const(table, to->name);
        size_t width = column_width(to->type);
        if (to->type == COLUMN_TEXT)
            TRY(table_set_last_text(samples, to, column_text(from, row), error));
        else
            memcpy((char *)to->data + (size_t)last * width,
                   (const char *)from->data + (size_t)row * width, width);
    }
    ((int32_t *)samples->columns[n_keys].data)[last] = rank;
    ((int64_t *)samples->columns[n_keys + 1].data)[last] = row;
out:
    return status;
}

/* Evenly spaced rows of this rank, as many as its share of all rows asks for. */
static Status sample_local(const Comm *comm, Table *samples, const Table *table, int64_t all_rows,
                           Error *error)
{
    Status status;
    TRY(fault_point("comm.sort", error));
    double share = (double)table->rows / (double)all_rows;
    int64_t wanted = (int64_t)(share * SAMPLES_A_RANK * comm->size) + 1;
    int64_t n = wanted < table->rows ? wanted : table->rows;
    for (int64_t i = 0; i < n; i++) {
        int64_t row = table->rows / n * i + table->rows % n * i / n;
        TRY(sample_row(samples, table, comm->rank, row, error));
    }
out:
    return status;
}

Status comm_gather_table(Comm *comm, Table *table, Error *error)
{
    Status status = STATUS_OK;
    char *all = NULL;
    int64_t bytes = 0;
    int64_t rows = table->rows;
    comm_sum_i64(comm, &rows, 1);
    for (int i = 0; i < table->n_columns; i++) {
        Column *column = &table->columns[i];
        if (column->type != COLUMN_TEXT) {
            int64_t own = table->rows * (int64_t)column_width(column->type);
            TRY(comm_gather_all(comm, column->data, own, &all, &bytes, NULL, error));
            mem_free(&column->data);
            column->data = all;
            all = NULL;
            continue;
        }
        int64_t own = column_text_bytes(column, table->rows);
        int64_t before = comm_prefix_i64(comm, own);
        for (int64_t row = 0; row < table->rows; row++)
            column->ends[row] += before;
        TRY(comm_gather_all(comm, column->bytes, own, &all, &bytes, NULL, error));
        mem_free(&column->bytes);
        column->bytes = all;
        column->bytes_capacity = bytes;
        all = NULL;
        own = table->rows * (int64_t)sizeof *column->ends;
        TRY(comm_gather_all(comm, column->ends, own, &all, &bytes, NULL, error));
        mem_free(&column->ends);
        column->ends = (int64_t *)(void *)all;
        all = NULL;
    }
    table->rows = rows;
    table->capacity = rows;
out:
    return status;
}

/* First row of the sorted table that is not before row `at` of `bounds`. With `after_equals`, also
 * past the rows that are equal to it. */
static int64_t lower_bound(const Table *table, const Table *bounds, int64_t at, const SortKey *keys,
                           int n_keys, bool after_equals)
{
    int64_t low = 0;
    int64_t high = table->rows;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        int sign = table_compare_rows(table, middle, bounds, at, keys, n_keys);
        if (sign < 0 || (sign == 0 && after_equals))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Rows before sample `at`, where (rank, row) of a row stand behind the keys as one more key: equal
 * rows may be cut anywhere without losing their order. */
static int64_t rows_before(const Comm *comm, const Table *table, const Table *samples, int64_t at,
                           const SortKey *keys, int n_keys)
{
    int32_t rank = ((const int32_t *)samples->columns[n_keys].data)[at];
    if (rank == comm->rank)
        return ((const int64_t *)samples->columns[n_keys + 1].data)[at];
    return lower_bound(table, samples, at, keys, n_keys, comm->rank < rank);
}

static void split_rows(const Comm *comm, const Table *table, const Table *samples,
                       const SortKey *keys, int n_keys, int64_t *counts)
{
    int64_t begin = 0;
    for (int to = 0; to < comm->size; to++) {
        int64_t end = table->rows;
        if (to + 1 < comm->size) {
            int64_t at = samples->rows * (to + 1) / comm->size;
            end = rows_before(comm, table, samples, at, keys, n_keys);
        }
        counts[to] = end - begin;
        begin = end;
    }
}

Status comm_sort_table(Comm *comm, Table *table, const SortKey *keys, int n_keys, Error *error)
{
    Status status;
    Table samples = {0};
    int64_t *counts = mem_new(comm->size, sizeof *counts);
    int64_t rows = table->rows;
    TRY_ALL(comm, table_sort(table, keys, n_keys, error), error);
    comm_sum_i64(comm, &rows, 1);
    if (comm->size == 1 || rows == 0)
        goto out;
    sample_init(&samples, table, keys, n_keys);
    TRY_ALL(comm, sample_local(comm, &samples, table, rows, error), error);
    TRY(comm_gather_table(comm, &samples, error));
    /* Stable: equal samples stay in (rank, row) order. */
    TRY_ALL(comm, table_sort(&samples, keys, n_keys, error), error);
    split_rows(comm, table, &samples, keys, n_keys, counts);
    table_free(&samples);
    TRY(comm_exchange_table(comm, table, counts, NULL, error));
    TRY_ALL(comm, table_sort(table, keys, n_keys, error), error);
out:
    table_free(&samples);
    mem_free(&counts);
    return status;
}
