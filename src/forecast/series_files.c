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
    mem_free(&file->numbers);
    for (int k = 0; k < SERIES_EXTRA_MAX; k++)
        mem_free(&file->texts_of[k]);
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

static int32_t period_of(const SeriesFile *file, int32_t date)
{
    if (file->lines.is_wide)
        return date;
    return series_date_period((SeriesDate){file->lines.kind, date}, file->frequency);
}

/* First and number of all periods. Collective. */
static Status find_periods(Comm *comm, SeriesFile *file, Error *error)
{
    int64_t range[2] = {INT64_MAX, INT64_MAX}; /* least period, least of -period */
    if (file->lines.least <= file->lines.most) {
        range[0] = period_of(file, file->lines.least);
        range[1] = -(int64_t)period_of(file, file->lines.most);
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

/* Codes and dates become keys; rows of ids without number go. Local. */
static Status make_keys(void *context, Table *rows, Error *error)
{
    Status status = STATUS_OK;
    const SeriesFile *file = context;
    int64_t *order = NULL, n = 0, *key = rows->columns[0].data;
    TRY(mem_resize(&order, rows->rows, sizeof *order, "rows of series", error));
    for (int64_t i = 0; i < rows->rows; i++) {
        int64_t number = file->numbers[series_line_code(key[i])];
        int64_t period = period_of(file, series_line_date(key[i]));
        if (number < 0)
            continue;
        key[i] = number * file->keys.n_periods + (period - file->first_period);
        order[n++] = i;
    }
    if (n < rows->rows)
        TRY(table_gather(rows, order, n, error));
    series_columns_recode(file, rows);
out:
    mem_free(&order);
    return status;
}

/* All rows to the ranks of their series. Collective. */
static Status gather_rows(Comm *comm, SeriesFile *file, const int64_t *ends, Error *error)
{
    Status status;
    file->keys.n_units = (int32_t)file->ids.rows;
    file->keys.series_per_unit = 1;
    TRY_ALL(comm, series_keys_check(&file->keys, error), error);
    TRY(series_rows_gather(comm, &file->keys, ends, make_keys, file, &file->lines.rows, error));
out:
    return status;
}

/* One row a series and period. Rows are sorted; the first two places in the file of an equal key
 * are named. */
static Status check_repeated(const SeriesFile *file, Error *error)
{
    const Table *rows = &file->lines.rows.table;
    const int64_t *key = rows->columns[0].data;
    const int64_t *place = table_column_const(rows, "place")->data;
    const int64_t line = ((int64_t)1 << SERIES_PLACE_LINE_BITS) - 1;
    int64_t i = 1;
    while (i < rows->rows && key[i] != key[i - 1])
        i++;
    if (i >= rows->rows)
        return STATUS_OK;
    int64_t one = place[i - 1], two = INT64_MAX;
    for (int64_t k = i; k < rows->rows && key[k] == key[i]; k++) {
        two = place[k] < two ? place[k] : two;
        if (two < one) {
            two = one;
            one = place[k];
        }
    }
    Bytes id = column_text(&file->ids.columns[0], series_file_number(file, i));
    return error_set(error, STATUS_INPUT, __FILE__, __LINE__,
                     "%s:%" PRId64 ": series \"%.*s\" has this period already, at %s:%" PRId64
                     "; the id must have all columns that tell series apart",
                     file->lines.paths[two >> SERIES_PLACE_LINE_BITS], two & line,
                     id.size < 100 ? (int)id.size : 100, id.data,
                     file->lines.paths[one >> SERIES_PLACE_LINE_BITS], one & line);
}

/* ---- series ---- */

/* The rows from `begin` on that are of one series. */
static SeriesSpan span_at(const SeriesFile *file, int64_t begin)
{
    const Table *rows = &file->lines.rows.table;
    const double *value = table_column_const(rows, "value")->data;
    const int64_t *key = rows->columns[0].data;
    int64_t until = (series_file_number(file, begin) + 1) * file->keys.n_periods;
    SeriesSpan span = {begin, begin, -1, -1};
    for (; span.end < rows->rows && key[span.end] < until; span.end++) {
        if (isnan(value[span.end]))
            continue;
        span.last = span.end;
        span.first = span.first < 0 ? span.end : span.first;
    }
    return span;
}

/* The series of a run that have a value. */
typedef struct Spans {
    SeriesSpan *list; /* [n] */
    int64_t n, capacity;
} Spans;

static Status take_run(SeriesFile *file, int64_t run, Spans *spans, Error *error)
{
    Status status;
    spans->n = 0;
    TRY(series_rows_take(&file->lines.rows, run, error));
    for (int64_t at = 0; at < file->lines.rows.table.rows;) {
        SeriesSpan span = span_at(file, at);
        at = span.end;
        if (span.first < 0)
            continue;
        if (spans->n == spans->capacity) {
            spans->capacity = 2 * spans->capacity + 64;
            TRY(mem_resize(&spans->list, spans->capacity, sizeof *spans->list, "series", error));
        }
        spans->list[spans->n++] = span;
    }
out:
    return status;
}

/* Keys, begins and starts of the series at hand, behind those that are there. */
static Status list_series(const SeriesFile *file, const Spans *spans, SeriesSet *set, Error *error)
{
    Status status;
    int64_t n = set->n + spans->n;
    TRY(mem_resize(&set->begin, n + 1, sizeof *set->begin, "series", error));
    TRY(mem_resize(&set->start, n, sizeof *set->start, "series", error));
    for (int64_t k = 0; k < spans->n; k++) {
        const SeriesSpan *span = &spans->list[k];
        TRY(table_add_row(&set->keys, error));
        TRY(table_set_last_text(
            &set->keys, &set->keys.columns[0],
            column_text(&file->ids.columns[0], series_file_number(file, span->begin)), error));
        set->start[set->n] = series_file_period(file, span->first);
        int32_t last = series_file_period(file, span->last);
        set->begin[set->n + 1] = set->begin[set->n] + (last - set->start[set->n] + 1);
        set->n++;
    }
out:
    return status;
}

static void fill_values(const SeriesFile *file, const SeriesSpan *span, const SeriesSet *set,
                        int64_t i, double *values)
{
    const double *value = table_column_const(&file->lines.rows.table, "value")->data;
    for (int32_t t = 0; t < series_length(set, i); t++)
        values[t] = NAN;
    for (int64_t row = span->first; row <= span->last; row++)
        values[series_file_period(file, row) - set->start[i]] = value[row];
}

/* Lines of a series of which something is used. */
static int64_t count_used(const SeriesFile *file, const SeriesSpan *span, const SeriesSet *set,
                          int64_t i)
{
    int64_t n = file->lines.is_wide ? 1 : span->last - span->first + 1;
    int64_t end = (int64_t)set->start[i] + series_length(set, i) + set->calendar.ahead;
    for (int64_t row = span->last + 1; set->n_dynamic > 0 && row < span->end; row++)
        n += series_file_period(file, row) < end;
    return n;
}

/* From runs of rows to a set. */
typedef struct Making {
    SeriesFile *file;
    SeriesSet *set;
    Spans spans; /* of the run at hand */
    SeriesWriter writer;
    int64_t n;    /* records that are there */
    int64_t used; /* lines of these series */
} Making;

/* Records of the run at hand. */
static Status fill_run(Making *making, Error *error)
{
    Status status = STATUS_OK;
    SeriesFile *file = making->file;
    const SeriesSet *set = making->set;
    for (int64_t k = 0; k < making->spans.n; k++) {
        const SeriesSpan *span = &making->spans.list[k];
        int64_t i = making->n++;
        double *record;
        TRY(series_writer_next(&making->writer, set, i, &record, error));
        fill_values(file, span, set, i, record);
        TRY(series_columns_fill(file, span, set, i, record, error));
        making->used += count_used(file, span, set, i);
    }
out:
    return status;
}

/* What there is, run by run; where nothing else is known of a series than its values, the records
 * too. */
static Status list_all(Making *making, Error *error)
{
    static const ColumnSpec column = {"series", COLUMN_TEXT, UNIT_NONE};
    Status status;
    SeriesFile *file = making->file;
    SeriesSet *set = making->set;
    TRY(fault_point("forecast.series", error));
    table_init(&set->keys, &column, 1);
    TRY(mem_resize(&set->begin, 1, sizeof *set->begin, "series", error));
    set->begin[0] = 0;
    for (int64_t run = 0; run < file->lines.rows.n_runs; run++) {
        TRY(take_run(file, run, &making->spans, error));
        TRY(check_repeated(file, error));
        TRY(list_series(file, &making->spans, set, error));
        series_columns_look(file, making->spans.list, making->spans.n);
        if (file->lines.n_extra == 0)
            TRY(fill_run(making, error));
    }
out:
    return status;
}

/* The records that are not there yet. */
static Status fill_all(Making *making, Error *error)
{
    Status status = STATUS_OK;
    for (int64_t run = 0; making->n < making->set->n; run++) {
        TRY(take_run(making->file, run, &making->spans, error));
        TRY(fill_run(making, error));
    }
    TRY(series_writer_flush(&making->writer, making->set, error));
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

static void set_counts(Comm *comm, int64_t read, int64_t used, SeriesFileCounts *counts)
{
    int64_t sums[] = {read, used};
    comm_sum_i64(comm, sums, 2);
    *counts = (SeriesFileCounts){sums[0], sums[1], sums[0] - sums[1]};
}

/* Collective. */
static Status make_set(Comm *comm, SeriesFile *file, const SeriesFileOptions *options,
                       SeriesSet *set, SeriesFileCounts *counts, Error *error)
{
    Status status;
    Making making = {.file = file, .set = set};
    TRY(series_spool_open(comm, &file->lines.rows.place, &set->spool, error));
    TRY_ALL(comm, list_all(&making, error), error);
    TRY(make_calendar(comm, file, options, set, error));
    TRY(series_columns_choose(comm, file, set, error));
    TRY_ALL(comm, fill_all(&making, error), error);
    TRY(series_columns_finish(comm, file, set, error));
    set_counts(comm, file->lines.n_lines, making.used, counts);
out:
    mem_free(&making.spans.list);
    series_writer_free(&making.writer);
    return status;
}

Status series_files_read(Comm *comm, const char *path, const SeriesFileOptions *options,
                         SeriesSet *set, SeriesFileCounts *counts, Error *error)
{
    Status status;
    SeriesFile file = {.path = path};
    series_set_free(set);
    TRY(read_lines(comm, &file, options, options->frequency, false, error));
    TRY(series_unite_texts(comm, &file.lines.ids, &file.ids, &file.numbers, error));
    TRY(series_columns_number(comm, &file, error));
    TRY(gather_rows(comm, &file, NULL, error));
    TRY(make_set(comm, &file, options, set, counts, error));
    file_free(&file);
    TRY(series_place(comm, set, &options->cost, error));
out:
    file_free(&file);
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

static Status number_ids(SeriesFile *file, Error *error)
{
    Status status = STATUS_OK;
    const StringMap *map = &file->lines.ids;
    TRY(mem_resize(&file->numbers, map->count, sizeof *file->numbers, "numbers of series", error));
    for (int32_t code = 0; code < map->count; code++)
        file->numbers[code] = series_find_text(&file->ids, string_map_text(map, code));
out:
    return status;
}

/* Rows to the ranks that have the series. Collective. */
static Status send_rows(Comm *comm, SeriesFile *file, const SeriesSet *set, Error *error)
{
    int size = comm_size(comm);
    int64_t *ends = mem_new(size, sizeof *ends);
    ends[comm_rank(comm)] = set->first + set->n;
    comm_sum_i64(comm, ends, size);
    Status status = gather_rows(comm, file, ends, error);
    mem_free(&ends);
    return status;
}

/* actual [n x ahead] from the rows at hand; *used lines of them. */
static void take_actual(const SeriesFile *file, const SeriesSet *set, double *actual, int64_t *used)
{
    int64_t last_number = -1, ahead = set->calendar.ahead;
    const Table *rows = &file->lines.rows.table;
    const double *value = table_column_const(rows, "value")->data;
    for (int64_t row = 0; row < rows->rows; row++) {
        int64_t number = series_file_number(file, row), i = number - set->first;
        int64_t h = series_file_period(file, row);
        if (!file->lines.is_wide)
            h -= (int64_t)set->start[i] + series_length(set, i);
        if (h < 0 || h >= ahead || isnan(value[row]))
            continue;
        actual[i * ahead + h] = value[row];
        *used += !file->lines.is_wide || number != last_number;
        last_number = number;
    }
}

static Status fill_actual(SeriesFile *file, const SeriesSet *set, double **actual, int64_t *used,
                          Error *error)
{
    Status status;
    int64_t n = set->n * set->calendar.ahead;
    TRY(fault_point("forecast.actual", error));
    TRY(mem_resize(actual, n, sizeof **actual, "values that came afterwards", error));
    for (int64_t at = 0; at < n; at++)
        (*actual)[at] = NAN;
    for (int64_t run = 0; run < file->lines.rows.n_runs; run++) {
        TRY(series_rows_take(&file->lines.rows, run, error));
        TRY(check_repeated(file, error));
        take_actual(file, set, *actual, used);
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
    int64_t used = 0;
    *actual = NULL;
    TRY(read_lines(comm, &file, options, set->calendar.frequency, true, error));
    TRY(list_ids(comm, set, &file.ids, error));
    TRY_ALL(comm, number_ids(&file, error), error);
    TRY(send_rows(comm, &file, set, error));
    TRY_ALL(comm, fill_actual(&file, set, actual, &used, error), error);
    set_counts(comm, file.lines.n_lines, used, counts);
    if (counts->used == 0)
        FAIL(error, STATUS_INPUT, "%s has no values of the %" PRId32 " periods after the series",
             path, set->calendar.ahead);
out:
    file_free(&file);
    if (status != STATUS_OK)
        mem_free(actual);
    return status;
}
