/* Rows of a TiledMatrix, to and from ranks that each have a run of them. What moves at a time is
 * those rows and no more, so that a caller bounds the memory by short runs. */
#ifndef VESPER_RECOMMEND_TILED_ROWS_H
#define VESPER_RECOMMEND_TILED_ROWS_H

#include "recommend/tiled_cholesky.h"

/* Rows [first, end) of a rank; runs of different ranks do not overlap. */
typedef struct RowRun {
    int32_t first, end;
} RowRun;

/* The elements that the tiles hold of the runs' rows become those of `rows` [own run x n] row-major
 * in the matrix's precision; runs [ranks]. Of a row only what stands up to the end of its diagonal
 * tile is read. Collective. */
Status tiled_rows_put(Comm *comm, TiledMatrix *matrix, const RowRun *runs, const void *rows,
                      Error *error) VESPER_MUST_USE;

/* rows [own run x n] row-major := the runs' rows, whole, by symmetry. Collective. */
Status tiled_rows_get(Comm *comm, const TiledMatrix *matrix, const RowRun *runs, void *rows,
                      Error *error) VESPER_MUST_USE;

/* diagonal [n] on every rank. Collective. */
void tiled_rows_diagonal(Comm *comm, const TiledMatrix *matrix, double *diagonal);

#endif
