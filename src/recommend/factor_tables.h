/* Factor tables: a dense matrix that is spread as a side is, kept bit by bit among results. */
#ifndef VESPER_RECOMMEND_FACTOR_TABLES_H
#define VESPER_RECOMMEND_FACTOR_TABLES_H

#include "recommend/sparse_side.h"
#include "store/results.h"

/* Write own [own rows x d] as `table`: a row a number, `bits` those of the float. Collective. */
Status factor_table_write(Comm *comm, ResultWriter *writer, const char *table,
                          const SparseSide *side, const float *own, int64_t d,
                          Error *error) VESPER_MUST_USE;

/* Place of the table among those of `reader`, whose rows must be `rows`; -1 without one. Local. */
int factor_table_find(const ResultReader *reader, const char *table, int64_t rows);

/* numbers [n] := those from `first` on of table `place`. Local. */
Status factor_table_read(ResultReader *reader, int place, int64_t first, int64_t n, float *numbers,
                         Error *error) VESPER_MUST_USE;

#endif
