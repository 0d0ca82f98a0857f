/* See factor_tables.h. */
#include "recommend/factor_tables.h"

#include <string.h>

_Static_assert(sizeof(float) == sizeof(int32_t), "a float's bits are an int32");

static const ColumnSpec columns[] = {{"bits", COLUMN_I32, UNIT_NONE}};

static Status fill(Table *rows, const float *own, int64_t n, Error *error)
{
    Status status;
    table_init(rows, columns, 1);
    TRY(table_set_rows(rows, n, error));
    if (n > 0)
        memcpy(rows->columns[0].data, own, (size_t)n * sizeof *own);
out:
    return status;
}

Status factor_table_write(Comm *comm, ResultWriter *writer, const char *table,
                          const SparseSide *side, const float *own, int64_t d, Error *error)
{
    Status status;
    Table rows = {0};
    TRY_ALL(comm, fill(&rows, own, sparse_own_rows(side) * d, error), error);
    TRY(results_write(comm, writer, table, "", &rows, error));
out:
    table_free(&rows);
    return status;
}

int factor_table_find(const ResultReader *reader, const char *table, int64_t rows)
{
    for (int i = 0; i < results_count(reader); i++) {
        const ResultTable *found = results_table(reader, i);
        if (strcmp(found->name, table) == 0)
            return found->rows == rows && found->n_columns == 1 &&
                           found->columns[0].type == COLUMN_I32
                       ? i
                       : -1;
    }
    return -1;
}

Status factor_table_read(ResultReader *reader, int place, int64_t first, int64_t n, float *numbers,
                         Error *error)
{
    Status status = STATUS_OK;
    Table rows = {0};
    for (int64_t at = first; at < first + n;) {
        int64_t skipped = at % RESULT_BLOCK;
        TRY(results_read_block(reader, place, at / RESULT_BLOCK, &rows, error));
        int64_t taken = rows.rows - skipped;
        taken = taken < first + n - at ? taken : first + n - at;
        vesper_assert(taken > 0);
        memcpy(numbers + (at - first), (const int32_t *)rows.columns[0].data + skipped,
               (size_t)taken * sizeof *numbers);
        at += taken;
    }
out:
    table_free(&rows);
    return status;
}
