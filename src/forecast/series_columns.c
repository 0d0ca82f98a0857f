/* Columns of a file of series; see series_columns.h. */
#include "forecast/series_columns.h"

#include "base/memory.h"

#include <math.h>
#include <stdio.h>

/* ---- texts to numbers that all ranks know ---- */

static Status list_texts(const StringMap *map, Table *texts, Error *error)
{
    static const ColumnSpec column = {"text", COLUMN_TEXT, UNIT_NONE};
    Status status = STATUS_OK;
    table_init(texts, &column, 1);
    for (int32_t code = 0; code < map->count; code++) {
        TRY(table_add_row(texts, error));
        TRY(table_set_last_text(texts, &texts->columns[0], string_map_text(map, code), error));
    }
out:
    return status;
}

int32_t series_find_text(const Table *texts, Bytes text)
{
    int64_t low = 0, high = texts->rows;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (bytes_compare(column_text(&texts->columns[0], middle), text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_there = low < texts->rows && bytes_equal(column_text(&texts->columns[0], low), text);
    return is_there ? (int32_t)low : -1;
}

static Status number_texts(const StringMap *map, const Table *texts, int32_t **numbers,
                           Error *error)
{
    Status status = STATUS_OK;
    if (texts->rows > INT32_MAX - 1)
        FAIL(error, STATUS_INPUT, "a column has more than %d different texts", INT32_MAX - 1);
    TRY(mem_resize(numbers, map->count, sizeof **numbers, "numbers of texts", error));
    for (int32_t code = 0; code < map->count; code++)
        (*numbers)[code] = series_find_text(texts, string_map_text(map, code));
out:
    return status;
}

Status series_unite_texts(Comm *comm, const StringMap *map, Table *texts, int32_t **numbers,
                          Error *error)
{
    Status status;
    table_free(texts);
    TRY_ALL(comm, list_texts(map, texts, error), error);
    TRY(comm_union_texts(comm, texts, error));
    TRY_ALL(comm, number_texts(map, texts, numbers, error), error);
out:
    return status;
}

Status series_columns_number(Comm *comm, SeriesFile *file, Error *error)
{
    Status status = STATUS_OK;
    Table texts = {0};
    for (int k = 0; k < file->lines.n_extra; k++) {
        if (!file->lines.extra[k].is_text)
            continue;
        TRY(series_unite_texts(comm, &file->lines.extra[k].texts, &texts, &file->texts_of[k],
                               error));
        file->counts_of[k] = (int32_t)texts.rows;
    }
out:
    table_free(&texts);
    return status;
}

static void *data_of(const Table *rows, int k)
{
    char name[COLUMN_NAME_SIZE];
    (void)snprintf(name, sizeof name, "x%d", k);
    return table_column_const(rows, name)->data;
}

void series_columns_recode(const SeriesFile *file, Table *rows)
{
    for (int k = 0; k < file->lines.n_extra; k++) {
        if (file->texts_of[k] == NULL)
            continue;
        int32_t *code = data_of(rows, k);
        for (int64_t i = 0; i < rows->rows; i++)
            code[i] = code[i] < 0 ? -1 : file->texts_of[k][code[i]];
    }
}

/* ---- what changes in time ---- */

static bool is_varying(const double *values, const SeriesSpan *span)
{
    double known = NAN;
    for (int64_t row = span->begin; row < span->end; row++) {
        if (isnan(values[row]))
            continue;
        if (!isnan(known) && known != values[row])
            return true;
        known = values[row];
    }
    return false;
}

void series_columns_look(SeriesFile *file, const SeriesSpan *spans, int64_t n)
{
    for (int k = 0; k < file->lines.n_extra; k++) {
        const double *values = data_of(&file->lines.rows.table, k);
        for (int64_t i = 0; !file->lines.extra[k].is_text && i < n && !file->is_varying[k]; i++)
            file->is_varying[k] = is_varying(values, &spans[i]);
    }
}

Status series_columns_choose(Comm *comm, SeriesFile *file, SeriesSet *set, Error *error)
{
    Status status = STATUS_OK;
    int64_t varying[SERIES_EXTRA_MAX];
    for (int k = 0; k < SERIES_EXTRA_MAX; k++)
        varying[k] = file->is_varying[k];
    comm_max_i64(comm, varying, SERIES_EXTRA_MAX);
    for (int k = 0; k < file->lines.n_extra; k++) {
        const char *name = file->lines.extra[k].name;
        if (set->n_dynamic + (varying[k] != 0) > SERIES_DYNAMIC_MAX ||
            set->n_static + (varying[k] == 0) > SERIES_STATIC_MAX)
            FAIL(error, STATUS_INPUT,
                 "%s: column \"%s\": there can be at most %d columns that change in time, and %d "
                 "that do not",
                 file->path, name, SERIES_DYNAMIC_MAX, SERIES_STATIC_MAX);
        file->dynamic_of[k] = varying[k] ? set->n_dynamic : -1;
        if (varying[k])
            series_add_dynamic(set, name);
        else
            TRY_ALL(comm,
                    series_add_static(set, name, file->counts_of[k], &file->statics_of[k], error),
                    error);
    }
out:
    return status;
}

/* NaN where the file has no row, or the row no number. */
static void fill_dynamic(const SeriesFile *file, int k, const SeriesSpan *span,
                         const SeriesSet *set, int64_t i, double *dynamic)
{
    const double *values = data_of(&file->lines.rows.table, k);
    int64_t most = (int64_t)series_length(set, i) + set->calendar.ahead;
    for (int64_t t = 0; t < most; t++)
        dynamic[t] = NAN;
    for (int64_t row = span->begin; row < span->end; row++) {
        int64_t t = (int64_t)series_file_period(file, row) - set->start[i];
        if (t >= 0 && t < most)
            dynamic[t] = values[row];
    }
}

/* ---- what a series is ---- */

/* A code of the number's text, of this rank alone. */
static Status code_number(StringMap *map, const double *values, const SeriesSpan *span,
                          int32_t *code, Error *error)
{
    char text[32];
    int64_t row = span->begin;
    while (row < span->end && isnan(values[row]))
        row++;
    *code = -1;
    if (row == span->end)
        return STATUS_OK;
    (void)snprintf(text, sizeof text, "%.17g", values[row]);
    return string_map_add(map, bytes_of(text), code, error);
}

static int32_t first_code(const int32_t *codes, const SeriesSpan *span)
{
    int64_t row = span->begin;
    while (row + 1 < span->end && codes[row] < 0)
        row++;
    return codes[row];
}

Status series_columns_fill(SeriesFile *file, const SeriesSpan *span, const SeriesSet *set,
                           int64_t i, double *record, Error *error)
{
    Status status = STATUS_OK;
    int64_t length = series_length(set, i);
    for (int k = 0; k < file->lines.n_extra; k++) {
        SeriesExtra *extra = &file->lines.extra[k];
        const void *data = data_of(&file->lines.rows.table, k);
        if (file->dynamic_of[k] >= 0)
            fill_dynamic(file, k, span, set, i,
                         record + length + file->dynamic_of[k] * (length + set->calendar.ahead));
        else if (extra->is_text)
            file->statics_of[k][i] = first_code(data, span);
        else
            TRY(code_number(&extra->texts, data, span, &file->statics_of[k][i], error));
    }
out:
    return status;
}

Status series_columns_finish(Comm *comm, SeriesFile *file, SeriesSet *set, Error *error)
{
    Status status = STATUS_OK;
    Table texts = {0};
    int32_t *numbers = NULL;
    int place = 0;
    for (int k = 0; k < file->lines.n_extra; k++) {
        int32_t *codes = file->statics_of[k];
        if (codes == NULL)
            continue;
        if (!file->lines.extra[k].is_text) {
            TRY(series_unite_texts(comm, &file->lines.extra[k].texts, &texts, &numbers, error));
            vesper_assert(numbers != NULL);
            for (int64_t i = 0; i < set->n; i++)
                codes[i] = codes[i] < 0 ? -1 : numbers[codes[i]];
            set->static_counts[place] = (int32_t)texts.rows;
        }
        place++;
    }
out:
    table_free(&texts);
    mem_free(&numbers);
    return status;
}
