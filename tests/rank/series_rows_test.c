/* Rows of series through files (series_rows.h): all of them come to the rank of their unit,
 * whatever is kept in memory, and whichever rank read them. */
#include "forecast/series_rows.h"

#include "base/memory.h"
#include "rank/model.h"
#include "rank/suites.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 5000, UNITS = 90, PER_UNIT = 3, PERIODS = 40 };

static const ColumnSpec columns[] = {{"key", COLUMN_I64, UNIT_NONE},
                                     {"code", COLUMN_I32, UNIT_NONE},
                                     {"value", COLUMN_F64, UNIT_NONE}};
static const SeriesKeys keys = {UNITS, PER_UNIT, PERIODS};

/* Every ninth unit has nothing, one has a third of all. */
static int64_t key_of(int64_t row)
{
    int64_t unit = (int64_t)(model_noise(row, 1, 0) % UNITS);
    unit = model_noise(row, 2, 0) % 3 == 0 ? 40 : unit - (unit % 9 == 4);
    return (unit * PER_UNIT + (int64_t)(model_noise(row, 3, 0) % PER_UNIT)) * PERIODS +
           (int64_t)(model_noise(row, 4, 0) % PERIODS);
}

static bool is_kept(int64_t row)
{
    return row % 5 != 2;
}

/* Rows [first, end) of all, each by its number alone: `key` and `value` come of it later. */
static Status add_rows(int64_t first, int64_t end, SeriesRows *rows, Error *error)
{
    Status status = STATUS_OK;
    for (int64_t row = first; row < end; row++) {
        if (series_rows_are_many(rows))
            TRY(series_rows_put(rows, error));
        TRY(table_add_row(&rows->table, error));
        ((int64_t *)rows->table.columns[0].data)[rows->table.rows - 1] = -row;
        ((int32_t *)rows->table.columns[1].data)[rows->table.rows - 1] = (int32_t)row;
    }
out:
    return status;
}

static Status change(void *context, Table *table, Error *error)
{
    int64_t *order = mem_new(table->rows, sizeof *order), n = 0;
    int64_t *key = table->columns[0].data;
    double *value = table->columns[2].data;
    for (int64_t i = 0; i < table->rows; i++) {
        int64_t row = -key[i];
        ++*(int64_t *)context;
        if (is_kept(row))
            order[n++] = i;
        key[i] = key_of(row);
        value[i] = (double)(2 * row + 1);
    }
    Status status = table_gather(table, order, n, error);
    mem_free(&order);
    return status;
}

/* Mistakes in the runs of this rank; seen [ROWS] counts their rows. */
static int64_t look_at_runs(SeriesRows *rows, int64_t piece, int64_t bounds[2], int64_t *seen)
{
    Error error;
    int64_t wrong = 0, last = -1;
    for (int64_t run = 0; run < rows->n_runs; run++) {
        if (series_rows_take(rows, run, &error) != STATUS_OK)
            return 1;
        const Table *table = &rows->table;
        const int64_t *key = table->columns[0].data;
        const int32_t *row = table->columns[1].data;
        const double *value = table->columns[2].data;
        int64_t unit_keys = PER_UNIT * PERIODS;
        wrong += table->rows == 0 || (last >= 0 && key[0] / unit_keys <= last / unit_keys);
        wrong += table->rows > piece &&
                 key[0] / unit_keys != key[table->rows - 1] / unit_keys; /* one unit alone may */
        for (int64_t i = 0; i < table->rows; i++) {
            wrong += key[i] < last || key[i] != key_of(row[i]) || value[i] != 2.0 * row[i] + 1;
            wrong += key[i] / unit_keys < bounds[0] || key[i] / unit_keys >= bounds[1];
            last = key[i];
            seen[row[i]]++;
        }
    }
    return wrong;
}

static void expect_gathered(int64_t first, int64_t end, int64_t piece, bool has_ends)
{
    Comm *comm = rank_comm();
    Error error = {0};
    SeriesRows rows;
    int rank = comm_rank(comm), size = comm_size(comm);
    int64_t changed = 0, wrong = 0, bounds[2] = {0, UNITS};
    int64_t *ends = mem_new(size, sizeof *ends), *seen = mem_new(ROWS, sizeof *seen);
    for (int r = 0; r < size; r++)
        ends[r] = r == size - 1 ? UNITS : UNITS / 2 - 3 + r / 2;
    if (has_ends)
        bounds[0] = rank == 0 ? 0 : ends[rank - 1], bounds[1] = ends[rank];
    series_rows_set_piece(piece);
    CHECK_OK(series_rows_open(comm, &(SpoolPlace){.folder = "/tmp"}, columns, 3, &rows, &error));
    CHECK_OK(add_rows(first, end, &rows, &error));
    CHECK_OK(
        series_rows_gather(comm, &keys, has_ends ? ends : NULL, change, &changed, &rows, &error));
    CU_ASSERT_EQUAL(changed, 2 * (end - first)); /* to count, and to send */
    CU_ASSERT_EQUAL(look_at_runs(&rows, piece, bounds, seen), 0);
    comm_sum_i64(comm, seen, ROWS);
    for (int64_t row = 0; row < ROWS; row++)
        wrong += seen[row] != is_kept(row);
    CU_ASSERT_EQUAL(wrong, 0);
    series_rows_free(&rows);
    series_rows_set_piece(SERIES_ROWS_PIECE);
    mem_free(&ends);
    mem_free(&seen);
}

static void test_gathering(void)
{
    static const int64_t pieces[] = {SERIES_ROWS_PIECE, 999, 64, 1};
    int rank = comm_rank(rank_comm()), size = comm_size(rank_comm());
    for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++) {
        for (int has_ends = 0; has_ends < 2; has_ends++) {
            expect_gathered(model_first(ROWS, rank, size), model_first(ROWS, rank + 1, size),
                            pieces[k], has_ends);
            expect_gathered(rank == size - 1 ? 0 : ROWS, ROWS, pieces[k], has_ends);
        }
    }
}

CU_TestInfo series_rows_tests[] = {
    {"gathering", test_gathering},
    CU_TEST_INFO_NULL,
};
