/* Rows of series, more than fit in memory: each rank adds what it read, all rows of a unit come to
 * one rank, and that rank takes them back run by run of units, sorted. In memory is a piece at
 * most.
 *
 * Rows have the column `key` (I64) first, and no texts. */
#ifndef VESPER_FORECAST_SERIES_ROWS_H
#define VESPER_FORECAST_SERIES_ROWS_H

#include "comm/comm.h"
#include "store/scratch.h"

/* How keys are made: (unit * series_per_unit + series of the unit) * n_periods + period, all from
 * 0. */
typedef struct SeriesKeys {
    int32_t n_units; /* products, or the ids of a file */
    int64_t series_per_unit;
    int64_t n_periods;
} SeriesKeys;

/* STATUS_INPUT if there can be more keys than an int64 has. Local. */
Status series_keys_check(const SeriesKeys *keys, Error *error) VESPER_MUST_USE;

/* Rows that lie in a file side by side, column after column. */
typedef struct SeriesPiece {
    int64_t at; /* byte */
    int64_t rows;
} SeriesPiece;

/* All zero is empty. */
typedef struct SeriesRows {
    Table table; /* at hand: rows that are being added, or those of a run */
    SpoolPlace place;
    int64_t piece; /* rows that are kept in memory */
    int64_t round; /* rows of a piece of `added`: what a rank sends at once */
    Scratch *added, *gathered;
    int64_t n_pieces, end; /* of `added` */
    SeriesPiece *pieces;
    int64_t n_runs;
    SeriesPiece *runs; /* [n_runs] of `gathered`, by keys */
} SeriesRows;

/* Rows that a rank has in memory if no test says otherwise. */
enum { SERIES_ROWS_PIECE = 1 << 18 };
/* Another number for the whole program: tests set it small. Local. */
void series_rows_set_piece(int64_t rows);

/* Collective. */
Status series_rows_open(Comm *comm, const SpoolPlace *place, const ColumnSpec *columns,
                        int n_columns, SeriesRows *rows, Error *error) VESPER_MUST_USE;
void series_rows_free(SeriesRows *rows);

/* Whether the rows in `table` are as many as should stay in memory. */
static inline bool series_rows_are_many(const SeriesRows *rows)
{
    return rows->table.rows >= rows->piece;
}
/* Those in `table` go to the file. Local. */
Status series_rows_put(SeriesRows *rows, Error *error) VESPER_MUST_USE;

/* Sort a table of rows by `key`, stable. Local. */
Status series_rows_sort(Table *table, Error *error) VESPER_MUST_USE;

/* What the added rows become before they leave: the table has a piece of them. It may drop rows,
 * not add any, and comes to the same each time. Local. */
typedef Status (*SeriesRowsChange)(void *context, Table *table, Error *error);

/* Bring all rows of a unit to one rank: units below ends[r] that are not below ends[r - 1] to rank
 * r; NULL: runs of units that are balanced by rows and periods. change may be NULL. Collective. */
Status series_rows_gather(Comm *comm, const SeriesKeys *keys, const int64_t *ends,
                          SeriesRowsChange change, void *context, SeriesRows *rows,
                          Error *error) VESPER_MUST_USE;
/* rows->table := those of a run, sorted by key. Runs are in key order and hold whole units. Local.
 */
Status series_rows_take(SeriesRows *rows, int64_t run, Error *error) VESPER_MUST_USE;

#endif
