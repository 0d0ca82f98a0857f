/* What the gate looks at, read from a night's results: also of a part that an earlier run had
 * computed. */
#include "publish/gate.h"

#include "base/fault.h"

#include <math.h>
#include <string.h>

/* A row of a table of results, found by its texts. */
typedef struct RowKey {
    const char *list; /* NULL: the table has no such column */
    const char *model;
} RowKey;

static int part_of(const Night *night, const char *run)
{
    int part = 0;
    for (int i = 0; i < night->n_parts; i++) {
        if (strcmp(night->parts[i].run, run) == 0)
            part = i;
    }
    return part;
}

static int find_table(const ResultReader *reader, const char *name)
{
    for (int i = 0; i < results_count(reader); i++) {
        if (strcmp(results_table(reader, i)->name, name) == 0)
            return i;
    }
    return -1;
}

static bool has_text(const Table *rows, const char *name, int64_t row, const char *text)
{
    const Column *column = table_find_const(rows, name);
    return text == NULL || (column != NULL && column->type == COLUMN_TEXT &&
                            bytes_equal(column_text(column, row), bytes_of(text)));
}

static int64_t find_row(const Table *rows, RowKey key)
{
    for (int64_t row = 0; row < rows->rows; row++) {
        if (has_text(rows, "model", row, key.model) && has_text(rows, "list", row, key.list))
            return row;
    }
    return -1;
}

/* NaN without such a row or column. */
static double real_at(const Table *rows, const char *name, int64_t row)
{
    const Column *column = table_find_const(rows, name);
    bool is_there = row >= 0 && column != NULL && column->type == COLUMN_F64;
    return is_there ? ((const double *)column->data)[row] : NAN;
}

/* A measure is there if the row of what is published is. */
static void add_measure(Night *night, const char *name, const Table *rows, const char *counted,
                        const char *figure, RowKey own, RowKey rival)
{
    int64_t row = find_row(rows, own);
    const Column *n = table_find_const(rows, counted);
    if (row < 0 || n == NULL || n->type != COLUMN_I64)
        return;
    vesper_assert(night->n_measures < NIGHT_MEASURES_MAX);
    NightMeasure *measure = &night->measures[night->n_measures++];
    *measure = (NightMeasure){
        .n = ((const int64_t *)n->data)[row], .value = real_at(rows, figure, row), .rival = NAN};
    memcpy(measure->name, name, strlen(name) + 1);
    if (rival.model != NULL)
        measure->rival = real_at(rows, figure, find_row(rows, rival));
}

static void add_recommend(Night *night, const Table *rows)
{
    add_measure(night, GATE_DISCOVER, rows, "users", "ndcg_20", (RowKey){"discover", "blend"},
                (RowKey){"discover", "popular"});
    add_measure(night, GATE_BUY_AGAIN, rows, "users", "recall_10", (RowKey){"buy again", "repeat"},
                (RowKey){"buy again", "popular"});
}

static void add_forecast(Night *night, const Table *rows)
{
    RowKey published = {NULL, "published"}, seasonal = {NULL, "seasonal"}, last = {NULL, "naive2"};
    bool has_season = find_row(rows, seasonal) >= 0;
    add_measure(night, GATE_FORECAST, rows, "series", "rmsse", published,
                has_season ? seasonal : last);
    add_measure(night, GATE_FORECAST_BIAS, rows, "series", "bias", published, (RowKey){NULL, NULL});
}

/* Both tables have a row a model: one block. */
static Status read_measures(ResultReader *reader, const char *table, Night *night,
                            void (*add)(Night *night, const Table *rows), Error *error)
{
    Status status = STATUS_OK;
    Table rows = {0};
    int i = find_table(reader, table);
    if (i < 0 || results_table(reader, i)->rows == 0)
        goto out;
    TRY(results_read_block(reader, i, 0, &rows, error));
    add(night, &rows);
out:
    table_free(&rows);
    return status;
}

Status gate_read_figures(ResultReader *reader, Night *night, Error *error)
{
    Status status;
    TRY(fault_point("gate.figures", error));
    for (int i = 0; i < results_count(reader); i++) {
        const ResultTable *table = results_table(reader, i);
        night_add_table(night, table->name, table->rows, part_of(night, results_run(reader, i)));
    }
    TRY(read_measures(reader, "rec_accuracy", night, add_recommend, error));
    TRY(read_measures(reader, "forecast_accuracy", night, add_forecast, error));
out:
    return status;
}
