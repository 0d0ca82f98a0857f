/* From the ranks' pieces of a file to series; see series_files.h. */
#include "forecast/series_files.h"

#include "base/fault.h"
#include "base/memory.h"
#include "forecast/calendar.h"
#include "forecast/series_columns.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static void file_free(SeriesFile *file)
{
    series_lines_free(&file->lines);
    table_free(&file->ids);
}

/* ---- lines ---- */

/* The frequency that is asked for, or that of the dates. The same on every rank. */
static Status choose_frequency(SeriesFile *file, Frequency wanted, Error *error)
{
    static const Frequency of_dates[SERIES_DATE_KINDS] = {FREQUENCY_COUNT, FREQUENCY_MONTHLY,
                                                          FREQUENCY_DAILY, FREQUENCY_HOURLY};
    bool has_dates = !file->lines.is_wide && file->lines.kind != SERIES_DATE_NUMBER;
    file->frequency = wanted;
    if (wanted == FREQUENCY_COUNT && has_dates)
        file->frequency = of_dates[file->lines.kind];
    if (file->frequency == FREQUENCY_COUNT)
        return error_set(error, STATUS_USAGE, __FILE__, __LINE__,
                         "%s has no dates: say the frequency of its periods", file->path);
    if (has_dates && !series_date_fits(file->lines.kind, file->frequency))
        return error_set(error, STATUS_USAGE, __FILE__, __LINE__,
                         "%s cannot be %s: its first date is %s", file->path,
                         frequency_name(file->frequency), series_date_example(file->lines.kind));
    return STATUS_OK;
}

/* Dates become periods; first and number of all. Collective. */
static Status find_periods(Comm *comm, SeriesFile *file, Error *error)
{
    const Table *rows = &file->lines.rows;
    int32_t *period = table_column_const(rows, "period")->data;
    int64_t range[2] = {INT64_MAX, INT64_MAX}; /* least period, least of -period */
    for (int64_t i = 0; i < rows->rows; i++) {
        if (!file->lines.is_wide)
            period[i] =
                series_date_period((SeriesDate){file->lines.kind, period[i]}, file->frequency);
        range[0] = period[i] < range[0] ? period[i] : range[0];
        range[1] = -(int64_t)period[i] < range[1] ? -(int64_t)period[i] : range[1];
    }
    comm_min_i64(comm, range, 2);
    if (range[0] == INT64_MAX) /* no rows */
        range[0] = range[1] = 0;
    file->first_period = (int32_t)range[0];
    file->keys.n_periods = -range[1] - range[0] + 1;
    if (file->keys.n_periods > INT32_MAX / 2)
        return error_set(error, STATUS_INPUT, __FILE__, __LINE__,
                         "%s: from its first to its last date there are %" PRId64
                         " periods; are all dates right?",
                         file->path, file->keys.n_periods);
    return STATUS_OK;
}

/* Collective. */
static Status read_lines(Comm *comm, SeriesFile *file, const SeriesFileOptions *options,
                         Frequency frequency, bool from_first, Error *error)
{
    Status status;
    TRY(series_lines_read(comm, file->path, options->folder, from_first, &file->lines, error));
    TRY(choose_frequency(file, frequency, error));
    TRY(find_periods(comm, file, error));
out:
    return status;
}

/* Codes of ids become keys; rows of ids without number go to *unknown. Local. */
static Status make_keys(SeriesFile *file, const int32_t *numbers, int64_t *unknown, Error *error)
{
    Status status = STATUS_OK;
    Table *rows = &file->lines.rows;
    int64_t *order = NULL, n = 0;
    int64_t *key = table_column(rows, "key")->data;
    const int32_t *period = table_column_const(rows, "period")->data;
    TRY(series_keys_check(&file->keys, error));
    TRY(mem_resize(&order, rows->rows, sizeof *order, "rows of series", error));
    for (int64_t i = 0; i < rows->rows; i++) {
        int64_t number = numbers[key[i]];
        if (number < 0)
            continue;
        key[i] = number * file->keys.n_periods + (period[i] - file->first_period);
        order[n++] = i;
    }
    *unknown = rows->rows - n;
    if (*unknown > 0)
        TRY(table_gather(rows, order, n, error));
    table_drop(rows, "period");
out:
    mem_free(&order);
    return status;
}

/* One row a series and period. Rows are sorted, equal ones as they stand in the file. */
static Status check_repeated(const SeriesFile *file, Error *error)
{
    const Table *rows = &file->lines.rows;
    const int64_t *key = table_column_const(rows, "key")->data;
    const int64_t *place = table_column_const(rows, "place")->data;
    const int64_t line = ((int64_t)1 << SERIES_PLACE_LINE_BITS) - 1;
    for (int64_t i = 1; i < rows->rows; i++) {
        if (key[i] != key[i - 1])
            continue;
        Bytes id = column_text(&file->ids.columns[0], series_file_number(file, i));
        return error_set(error, STATUS_INPUT, __FILE__, __LINE__,
                         "%s:%" PRId64 ": series \"%.*s\" has this period already, at %s:%" PRId64
                         "; the id must have all columns that tell series apart",
                         file->lines.paths[place[i] >> SERIES_PLACE_LINE_BITS], place[i] & line,
                         id.size < 100 ? (int)id.size : 100, id.data,
                         file->lines.paths[place[i - 1] >> SERIES_PLACE_LINE_BITS],
                         place[i - 1] & line);
    }
    return STATUS_OK;
}

/* ---- series ---- */

/* The rows from `begin` on that are of one series. */
static SeriesSpan span_at(const SeriesFile *file, int64_t begin)
{
    const double *value = table_column_const(&file->lines.rows, "value")->data;
    int64_t series = series_file_number(file, begin);
    SeriesSpan span = {begin, begin, -1, -1};
    for (; span.end < file->lines.rows.rows && series_file_number(file, span.end) == series;
         span.end++) {
        if (isnan(value[span.end]))
            continue;
        span.last = span.end;
        span.first = span.first < 0 ? span.end : span.first;
    }
    return span;
}

/* Keys, begins and starts of this rank's series: those with a value. */
static Status list_series(const SeriesFile *file, SeriesSet *set, SeriesSpan **spans, Error *error)
{
    static const ColumnSpec column = {"series", COLUMN_TEXT, UNIT_NONE};
    Status status;
    int64_t n = 0;
    TRY(fault_point("forecast.series", error));
    TRY(check_repeated(file, error));
    table_init(&set->keys, &column, 1);
    for (int64_t at = 0; at < file->lines.rows.rows; n++)
        at = span_at(file, at).end;
    TRY(mem_resize(spans, n, sizeof **spans, "series", error));
    TRY(mem_resize(&set->begin, n + 1, sizeof *set->begin, "series", error));
    TRY(mem_resize(&set->start, n, sizeof *set->start, "series", error));
    set->begin[0] = 0;
    for (int64_t at = 0; at < file->lines.rows.rows;) {
        SeriesSpan span = span_at(file, at);
        at = span.end;
        if (span.first < 0)
            continue;
        TRY(table_add_row(&set->keys, error));
        TRY(table_set_last_text(
            &set->keys, &set->keys.columns[0],
            column_text(&file->ids.columns[0], series_file_number(file, span.begin)), error));
        (*spans)[set->n] = span;
        set->start[set->n] = series_file_period(file, span.first);
        int32_t last = series_file_period(file, span.last);
        set->begin[set->n + 1] = set->begin[set->n] + (last - set->start[set->n] + 1);
        set->n++;
    }
out:
    return status;
}

static Status fill_values(const SeriesFile *file, const SeriesSpan *spans, SeriesSet *set,
                          Error *error)
{
    Status status = STATUS_OK;
    const double *value = table_column_const(&file->lines.rows, "value")->data;
    int64_t n = set->begin[set->n];
    TRY(mem_resize(&set->values, n, sizeof *set->values, "series", error));
    for (int64_t at = 0; at < n; at++)
        set->values[at] = NAN;
    for (int64_t i = 0; i < set->n; i++) {
        for (int64_t row = spans[i].first; row <= spans[i].last; row++) {
            int32_t t = series_file_period(file, row) - set->start[i];
            set->values[set->begin[i] + t] = value[row];
        }
    }
out:
    return status;
}

/* All periods of all series. Collective. */
static Status make_calendar(Comm *comm, const SeriesFile *file, const SeriesFileOptions *options,
                            SeriesSet *set, Error *error)
{
    Status status = STATUS_OK;
    int64_t range[2] = {INT64_MAX, INT64_MAX}; /* least start, least of -end */
    for (int64_t i = 0; i < set->n; i++) {
        int64_t end = (int64_t)set->start[i] + series_length(set, i);
        range[0] = set->start[i] < range[0] ? set->start[i] : range[0];
        range[1] = -end < range[1] ? -end : range[1];
    }
    comm_min_i64(comm, range, 2);
    if (range[0] == INT64_MAX)
        FAIL(error, STATUS_INPUT, "%s has no values", file->path);
    int season = options->season > 0 ? options->season : frequency_season(file->frequency);
    TRY_ALL(comm,
            calendar_make_open(file->frequency, (int32_t)range[0], (int32_t)(-range[1] - range[0]),
                               options->ahead, season, &set->calendar, error),
            error);
out:
    return status;
}

/* Lines of which something is used. */
static int64_t count_used(const SeriesFile *file, const SeriesSpan *spans, const SeriesSet *set)
{
    int64_t n = 0;
    for (int64_t i = 0; i < set->n; i++) {
        n += file->lines.is_wide ? 1 : spans[i].last - spans[i].first + 1;
        int64_t end = (int64_t)set->start[i] + series_length(set, i) + set->calendar.ahead;
        for (int64_t row = spans[i].last + 1; set->n_dynamic > 0 && row < spans[i].end; row++)
            n += series_file_period(file, row) < end;
    }
    return n;
}

static void set_counts(Comm *comm, int64_t read, int64_t used, SeriesFileCounts *counts)
{
    int64_t sums[] = {read, used};
    comm_sum_i64(comm, sums, 2);
    *counts = (SeriesFileCounts){sums[0], sums[1], sums[0] - sums[1]};
}

/* Collective. */
static Status make_set(Comm *comm, const SeriesFile *file, const SeriesFileOptions *options,
                       SeriesSet *set, SeriesFileCounts *counts, Error *error)
{
    Status status;
    SeriesSpan *spans = NULL;
    TRY_ALL(comm, list_series(file, set, &spans, error), error);
    vesper_assert(spans != NULL);
    TRY(make_calendar(comm, file, options, set, error));
    TRY_ALL(comm, fill_values(file, spans, set, error), error);
    TRY(series_columns_fill(comm, file, spans, set, error));
    set_counts(comm, file->lines.n_lines, count_used(file, spans, set), counts);
out:
    mem_free(&spans);
    return status;
}

Status series_files_read(Comm *comm, const char *path, const SeriesFileOptions *options,
                         SeriesSet *set, SeriesFileCounts *counts, Error *error)
{
    Status status;
    SeriesFile file = {.path = path};
    int32_t *numbers = NULL;
    int64_t unknown;
    series_set_free(set);
    TRY(read_lines(comm, &file, options, options->frequency, false, error));
    TRY(series_unite_texts(comm, &file.lines.ids, &file.ids, &numbers, error));
    file.keys.n_units = (int32_t)file.ids.rows;
    file.keys.series_per_unit = 1;
    TRY(series_columns_number(comm, &file, error));
    TRY_ALL(comm, make_keys(&file, numbers, &unknown, error), error);
    TRY(series_gather_rows(comm, &file.keys, &file.lines.rows, error));
    TRY(make_set(comm, &file, options, set, counts, error));
    file_free(&file);
    TRY(series_place(comm, set, &options->cost, error));
out:
    file_free(&file);
    mem_free(&numbers);
    if (status != STATUS_OK)
        series_set_free(set);
    return status;
}

/* ---- what came afterwards ---- */

/* ids := those of all ranks' series, in their order. Collective. */
static Status list_ids(Comm *comm, const SeriesSet *set, Table *ids, Error *error)
{
    static const ColumnSpec column = {"text", COLUMN_TEXT, UNIT_NONE};
    Status status = STATUS_OK, own = STATUS_OK;
    const Column *series = table_column_const(&set->keys, "series");
    table_init(ids, &column, 1);
    for (int64_t i = 0; i < set->n && own == STATUS_OK; i++) {
        own = table_add_row(ids, error);
        if (own == STATUS_OK)
            own = table_set_last_text(ids, &ids->columns[0], column_text(series, i), error);
    }
    TRY_ALL(comm, own, error);
    TRY(comm_union_texts(comm, ids, error));
    vesper_assert(ids->rows == set->total);
out:
    return status;
}

static Status number_ids(const SeriesFile *file, int32_t **numbers, Error *error)
{
    Status status = STATUS_OK;
    const StringMap *map = &file->lines.ids;
    TRY(mem_resize(numbers, map->count, sizeof **numbers, "numbers of series", error));
    for (int32_t code = 0; code < map->count; code++)
        (*numbers)[code] = series_find_text(&file->ids, string_map_text(map, code));
out:
    return status;
}

/* Rows to the ranks that have the series. Collective. */
static Status send_rows(Comm *comm, SeriesFile *file, const SeriesSet *set, Error *error)
{
    Status status;
    int size = comm_size(comm), rank = comm_rank(comm);
    int64_t *ends = mem_new(2 * (int64_t)size, sizeof *ends), *counts = ends + size, at = 0;
    Table *rows = &file->lines.rows;
    ends[rank] = set->first + set->n;
    comm_sum_i64(comm, ends, size);
    TRY_ALL(comm, series_sort_rows(rows, error), error);
    for (int r = 0; r < size; r++) {
        int64_t from = at;
        while (at < rows->rows && series_file_number(file, at) < ends[r])
            at++;
        counts[r] = at - from;
    }
    TRY(comm_exchange_table(comm, rows, counts, NULL, error));
    TRY_ALL(comm, series_sort_rows(rows, error), error);
out:
    mem_free(&ends);
    return status;
}

/* actual [n x ahead] from the rows; *used lines of them. */
static Status fill_actual(const SeriesFile *file, const SeriesSet *set, double **actual,
                          int64_t *used, Error *error)
{
    Status status;
    int64_t last_number = -1, ahead = set->calendar.ahead;
    const double *value = table_column_const(&file->lines.rows, "value")->data;
    *used = 0;
    TRY(fault_point("forecast.actual", error));
    TRY(check_repeated(file, error));
    TRY(mem_resize(actual, set->n * ahead, sizeof **actual, "values that came afterwards", error));
    for (int64_t at = 0; at < set->n * ahead; at++)
        (*actual)[at] = NAN;
    for (int64_t row = 0; row < file->lines.rows.rows; row++) {
        int64_t number = series_file_number(file, row), i = number - set->first;
        int64_t h = series_file_period(file, row);
        if (!file->lines.is_wide)
            h -= (int64_t)set->start[i] + series_length(set, i);
        if (h < 0 || h >= ahead || isnan(value[row]))
            continue;
        (*actual)[i * ahead + h] = value[row];
        *used += !file->lines.is_wide || number != last_number;
        last_number = number;
    }
out:
    return status;
}

Status series_files_read_actual(Comm *comm, const char *path, const SeriesFileOptions *options,
                                const SeriesSet *set, double **actual, SeriesFileCounts *counts,
                                Error *error)
{
    Status status;
    SeriesFile file = {.path = path};
    int32_t *numbers = NULL;
    int64_t unknown, used = 0;
    *actual = NULL;
    TRY(read_lines(comm, &file, options, set->calendar.frequency, true, error));
    TRY(list_ids(comm, set, &file.ids, error));
    file.keys.n_units = (int32_t)file.ids.rows;
    file.keys.series_per_unit = 1;
    TRY_ALL(comm, number_ids(&file, &numbers, error), error);
    TRY_ALL(comm, make_keys(&file, numbers, &unknown, error), error);
    TRY(send_rows(comm, &file, set, error));
    TRY_ALL(comm, fill_actual(&file, set, actual, &used, error), error);
    set_counts(comm, file.lines.n_lines, used, counts);
    if (counts->used == 0)
        FAIL(error, STATUS_INPUT, "%s has no values of the %" PRId32 " periods after the series",
             path, set->calendar.ahead);
out:
    file_free(&file);
    mem_free(&numbers);
    if (status != STATUS_OK)
        mem_free(actual);
    return status;
}
