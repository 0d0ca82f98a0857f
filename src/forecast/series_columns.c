/* Columns of a file of series; see series_columns.h. */
#include "forecast/series_columns.h"

#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

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

static void *data_of(const SeriesFile *file, int k)
{
    char name[COLUMN_NAME_SIZE];
    (void)snprintf(name, sizeof name, "x%d", k);
    return table_column_const(&file->lines.rows, name)->data;
}

Status series_columns_number(Comm *comm, SeriesFile *file, Error *error)
{
    Status status = STATUS_OK;
    Table texts = {0};
    int32_t *numbers = NULL;
    for (int k = 0; k < file->lines.n_extra; k++) {
        if (!file->lines.extra[k].is_text)
            continue;
        TRY(series_unite_texts(comm, &file->lines.extra[k].texts, &texts, &numbers, error));
        int32_t *code = data_of(file, k);
        for (int64_t i = 0; i < file->lines.rows.rows; i++)
            code[i] = code[i] < 0 ? -1 : numbers[code[i]];
        file->counts_of[k] = (int32_t)texts.rows;
    }
out:
    table_free(&texts);
    mem_free(&numbers);
    return status;
}

/* ---- what changes in time ---- */

static bool is_varying(const SeriesFile *file, int k, const SeriesSpan *spans, int64_t n)
{
    const double *values = data_of(file, k);
    for (int64_t i = 0; i < n; i++) {
        double known = NAN;
        for (int64_t row = spans[i].begin; row < spans[i].end; row++) {
            if (isnan(values[row]))
                continue;
            if (!isnan(known) && known != values[row])
                return true;
            known = values[row];
        }
    }
    return false;
}

/* NaN where the file has no row, or the row no number. */
static Status add_dynamic(const SeriesFile *file, int k, const SeriesSpan *spans, SeriesSet *set,
                          Error *error)
{
    Status status;
    const double *values = data_of(file, k);
    int64_t n = series_dynamic_begin(set, set->n);
    double *dynamic;
    TRY(series_add_dynamic(set, file->lines.extra[k].name, &dynamic, error));
    for (int64_t at = 0; at < n; at++)
        dynamic[at] = NAN;
    for (int64_t i = 0; i < set->n; i++) {
        int64_t most = (int64_t)series_length(set, i) + set->calendar.ahead;
        for (int64_t row = spans[i].begin; row < spans[i].end; row++) {
            int64_t t = (int64_t)series_file_period(file, row) - set->start[i];
            if (t >= 0 && t < most)
                dynamic[series_dynamic_begin(set, i) + t] = values[row];
        }
    }
out:
    return status;
}

/* ---- what a series is ---- */

/* Codes of numbers, by their texts. Collective. */
static Status code_numbers(Comm *comm, const double *values, const SeriesSpan *spans, int64_t n,
                           int32_t *codes, int32_t *count, Error *error)
{
    Status status, own = STATUS_OK;
    StringMap map = {0};
    Table texts = {0};
    int32_t *numbers = NULL;
    for (int64_t i = 0; i < n && own == STATUS_OK; i++) {
        char text[32];
        int64_t row = spans[i].begin;
        while (row < spans[i].end && isnan(values[row]))
            row++;
        codes[i] = -1;
        if (row == spans[i].end)
            continue;
        (void)snprintf(text, sizeof text, "%.17g", values[row]);
        own = string_map_add(&map, bytes_of(text), &codes[i], error);
    }
    TRY_ALL(comm, own, error);
    TRY(series_unite_texts(comm, &map, &texts, &numbers, error));
    vesper_assert(numbers != NULL);
    for (int64_t i = 0; i < n; i++)
        codes[i] = codes[i] < 0 ? -1 : numbers[codes[i]];
    *count = (int32_t)texts.rows;
out:
    string_map_free(&map);
    table_free(&texts);
    mem_free(&numbers);
    return status;
}

/* Collective. */
static Status add_static(Comm *comm, const SeriesFile *file, int k, const SeriesSpan *spans,
                         SeriesSet *set, Error *error)
{
    Status status;
    int32_t *codes;
    int place = set->n_static;
    const char *name = file->lines.extra[k].name;
    TRY_ALL(comm, series_add_static(set, name, file->counts_of[k], &codes, error), error);
    if (!file->lines.extra[k].is_text) {
        TRY(code_numbers(comm, data_of(file, k), spans, set->n, codes, &set->static_counts[place],
                         error));
        goto out;
    }
    const int32_t *of_rows = data_of(file, k);
    for (int64_t i = 0; i < set->n; i++) {
        int64_t row = spans[i].begin;
        while (row + 1 < spans[i].end && of_rows[row] < 0)
            row++;
        codes[i] = of_rows[row];
    }
out:
    return status;
}

Status series_columns_fill(Comm *comm, const SeriesFile *file, const SeriesSpan *spans,
                           SeriesSet *set, Error *error)
{
    Status status = STATUS_OK;
    int64_t varying[SERIES_EXTRA_MAX] = {0};
    for (int k = 0; k < file->lines.n_extra; k++)
        varying[k] = !file->lines.extra[k].is_text && is_varying(file, k, spans, set->n);
    comm_max_i64(comm, varying, SERIES_EXTRA_MAX);
    for (int k = 0; k < file->lines.n_extra; k++) {
        if (set->n_dynamic + (varying[k] != 0) > SERIES_DYNAMIC_MAX ||
            set->n_static + (varying[k] == 0) > SERIES_STATIC_MAX)
            FAIL(error, STATUS_INPUT,
                 "%s: column \"%s\": there can be at most %d columns that change in time, and %d "
                 "that do not",
                 file->path, file->lines.extra[k].name, SERIES_DYNAMIC_MAX, SERIES_STATIC_MAX);
        if (varying[k])
            TRY_ALL(comm, add_dynamic(file, k, spans, set, error), error);
        else
            TRY(add_static(comm, file, k, spans, set, error));
    }
out:
    return status;
}
