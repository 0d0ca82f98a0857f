/* From order lines to series; see series_read.h.
 *
 * Everything that is added up is whole numbers, so the sums are exact in any order of partitions,
 * batches and ranks. */
#include "forecast/series_read.h"

#include "base/fault.h"
#include "base/memory.h"
#include "forecast/calendar.h"
#include "forecast/series_known.h"
#include "forecast/series_rows.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* What a rank's lines say of a series and period. */
static const ColumnSpec row_columns[] = {
    {"key", COLUMN_I64, UNIT_NONE},           {"units", COLUMN_I64, UNIT_COUNT},
    {"priced_units", COLUMN_I64, UNIT_COUNT}, {"paid", COLUMN_I64, UNIT_MONEY_MINOR},
    {"returned", COLUMN_I64, UNIT_COUNT},
};
enum { KEY, UNITS, PRICED_UNITS, PAID, RETURNED, N_COLUMNS };

typedef struct Reader {
    Store *store;
    const Shop *shop;
    const SeriesReadOptions *options;
    const Names *groups;    /* countries or channels; NULL without grouping */
    const char *group_name; /* and their column */
    int32_t until;
    int32_t first_period; /* of the shop's first day */
    SeriesKeys keys;
    int32_t *period_of; /* [days.n] from first_period */
    CalendarDays days;
    int64_t *of_country; /* [countries] lines of kept sales */
    Table lines;         /* of the partition at hand */
    SeriesRows rows;
    ProductDays promotions, stockouts;
    PeriodDays period_days;
    Calendar daily; /* of the history, whatever the periods are */
    double *room;   /* [calendar.n] */
} Reader;

static void reader_free(Reader *reader)
{
    calendar_days_free(&reader->days);
    mem_free(&reader->period_of);
    mem_free(&reader->of_country);
    table_free(&reader->lines);
    series_rows_free(&reader->rows);
    product_days_free(&reader->promotions);
    product_days_free(&reader->stockouts);
    period_days_free(&reader->period_days);
    calendar_free(&reader->daily);
    mem_free(&reader->room);
}

static int64_t *column_of(const Table *rows, int column)
{
    return rows->columns[column].data;
}

/* ---- order lines ---- */

/* Add up rows of equal keys, which stand together. */
static Status add_up(Table *rows, Error *error)
{
    int64_t *key = column_of(rows, KEY), n = 0;
    bool wrapped = false;
    for (int64_t i = 0; i < rows->rows; i++) {
        bool is_new = n == 0 || key[i] != key[n - 1];
        int64_t to = is_new ? n++ : n - 1;
        key[to] = key[i];
        for (int c = UNITS; c < N_COLUMNS; c++) {
            int64_t *sums = column_of(rows, c);
            int64_t before = is_new ? 0 : sums[to];
            wrapped |= __builtin_add_overflow(before, sums[i], &sums[to]);
        }
    }
    if (wrapped)
        return error_set(error, STATUS_INPUT, __FILE__, __LINE__,
                         "the order lines of one product and period add up to more than %" PRId64
                         " minor units: look for wrong prices or quantities",
                         INT64_MAX);
    return table_set_rows(rows, n, error);
}

/* Add up the rows in memory; if they are still more than half of what may be, they leave. */
static Status reduce(Reader *reader, Error *error)
{
    Status status;
    Table *table = &reader->rows.table;
    TRY(series_rows_sort(table, error));
    TRY(add_up(table, error));
    if (table->rows > reader->rows.piece / 2)
        TRY(series_rows_put(&reader->rows, error));
out:
    return status;
}

static Status add_row(Reader *reader, int64_t key, int32_t quantity, int64_t price, bool is_kept,
                      Error *error)
{
    Status status = STATUS_OK;
    Table *rows = &reader->rows.table;
    if (series_rows_are_many(&reader->rows))
        TRY(reduce(reader, error));
    TRY(table_add_row(rows, error));
    int64_t at = rows->rows - 1, units = is_kept ? quantity : 0;
    int64_t priced = price > 0 ? units : 0, paid = 0;
    if (__builtin_mul_overflow(priced, price, &paid))
        FAIL(error, STATUS_INPUT,
             "an order line of %" PRId32 " pieces at %" PRId64 " minor units is too large",
             quantity, price);
    column_of(rows, KEY)[at] = key;
    column_of(rows, UNITS)[at] = units;
    column_of(rows, PRICED_UNITS)[at] = priced;
    column_of(rows, PAID)[at] = paid;
    column_of(rows, RETURNED)[at] = is_kept ? 0 : quantity < 0 ? -(int64_t)quantity : quantity;
out:
    return status;
}

/* The order at hand, whose lines stand together, and its first day with a kept sale. */
typedef struct OrderDay {
    int32_t order; /* -1: none yet */
    int32_t at;
} OrderDay;

static void end_order(Reader *reader, OrderDay *last)
{
    if (last->order >= 0)
        reader->days.orders[last->at]++;
    last->order = -1;
}

static void count_sale(Reader *reader, OrderDay *last, int32_t order, int32_t at, int64_t country)
{
    if (order != last->order) {
        end_order(reader, last);
        *last = (OrderDay){order, at};
    }
    last->at = at < last->at ? at : last->at;
    reader->days.lines[at]++;
    if (country >= 0)
        reader->of_country[country]++;
}

static Status read_partition(Reader *reader, int32_t partition, Error *error)
{
    Status status = STATUS_OK;
    const Shop *shop = reader->shop;
    const char *columns[8] = {"order", "day", "product", "quantity", "unit_price", "cancelled"};
    int n_columns = 6;
    bool has_country = store_has_column(reader->store, "orders", "country");
    if (has_country)
        columns[n_columns++] = "country";
    if (reader->groups == &shop->channel && store_has_column(reader->store, "orders", "channel"))
        columns[n_columns++] = "channel";
    TRY(store_read_partition(reader->store, "orders", partition, columns, n_columns, &reader->lines,
                             error));
    const Table *lines = &reader->lines;
    const int32_t *order = table_column_const(lines, "order")->data;
    const int32_t *day = table_column_const(lines, "day")->data;
    const int32_t *product = table_column_const(lines, "product")->data;
    const int32_t *quantity = table_column_const(lines, "quantity")->data;
    const int64_t *price = table_column_const(lines, "unit_price")->data;
    const int8_t *cancelled = table_column_const(lines, "cancelled")->data;
    const Column *country = has_country ? table_column_const(lines, "country") : NULL;
    const Column *group = reader->groups ? table_find_const(lines, reader->group_name) : NULL;
    OrderDay last = {.order = -1};
    for (int64_t i = 0; i < lines->rows; i++) {
        if (day[i] > reader->until)
            continue;
        bool is_kept = shop_is_kept_sale(quantity[i], cancelled[i]);
        int32_t at = day[i] - reader->days.first;
        int64_t where = country ? column_integer(country, i) : -1;
        if (is_kept)
            count_sale(reader, &last, order[i], at, where);
        int64_t code = group ? column_integer(group, i) : -1;
        int64_t series = shop->product.place[product[i]] * reader->keys.series_per_unit;
        series += code < 0 ? 0 : reader->groups->place[code] + 1;
        TRY(add_row(reader, series * reader->keys.n_periods + reader->period_of[at], quantity[i],
                    price[i], is_kept, error));
    }
    end_order(reader, &last);
out:
    return status;
}

/* The range of a column is as well guarded as the segments' checksums. */
static Status check_codes(const Reader *reader, const char *column, int32_t least, int32_t count,
                          Error *error)
{
    int64_t min, max;
    store_column_range(reader->store, "orders", column, &min, &max);
    if (min > max || (min >= least && max < count))
        return STATUS_OK;
    return error_set(error, STATUS_IO, __FILE__, __LINE__,
                     "store is damaged: orders hold %s code %" PRId64
                     ", which its dictionary does not have; run vesper verify",
                     column, min < least ? min : max);
}

/* Periods of the days, and room for what is counted by day and country. */
static Status prepare(Reader *reader, Error *error)
{
    Status status = STATUS_OK;
    const Shop *shop = reader->shop;
    const SeriesReadOptions *options = reader->options;
    CalendarDays *days = &reader->days;
    reader->until = options->until == DAY_NONE ? shop->as_of : options->until;
    if (shop->first_day != DAY_NONE && reader->until >= shop->first_day)
        *days = (CalendarDays){.first = shop->first_day, .n = reader->until - shop->first_day + 1};
    if (options->grouping != SERIES_OF_PRODUCTS) {
        bool by_country = options->grouping == SERIES_BY_COUNTRY;
        reader->groups = by_country ? &shop->country : &shop->channel;
        reader->group_name = by_country ? "country" : "channel";
    }
    TRY(check_codes(reader, "product", 0, shop->product.count, error));
    TRY(check_codes(reader, "country", -1, shop->country.count, error));
    TRY(check_codes(reader, "channel", -1, shop->channel.count, error));
    TRY(mem_resize(&days->lines, days->n, sizeof *days->lines, "days", error));
    TRY(mem_resize(&days->orders, days->n, sizeof *days->orders, "days", error));
    TRY(mem_resize(&reader->period_of, days->n, sizeof *reader->period_of, "days", error));
    reader->of_country = mem_new(shop->country.count, sizeof *reader->of_country);
    reader->first_period = period_of_day(options->frequency, days->first);
    reader->keys =
        (SeriesKeys){.n_units = shop->product.count,
                     .series_per_unit = reader->groups ? (int64_t)reader->groups->count + 1 : 1,
                     .n_periods = 1};
    for (int32_t i = 0; i < days->n; i++) {
        days->lines[i] = days->orders[i] = 0;
        reader->period_of[i] =
            period_of_day(options->frequency, days->first + i) - reader->first_period;
        reader->keys.n_periods = (int64_t)reader->period_of[i] + 1;
    }
    TRY(series_keys_check(&reader->keys, error));
out:
    return status;
}

static Status read_own(Reader *reader, int rank, int size, Error *error)
{
    Status status = STATUS_OK;
    int32_t begin, end;
    TRY(fault_point("forecast.read", error));
    store_owned(reader->store, rank, size, &begin, &end);
    for (int32_t p = begin; reader->days.n > 0 && p < end; p++)
        TRY(read_partition(reader, p, error));
    table_free(&reader->lines);
out:
    return status;
}

/* ---- the calendar ---- */

/* The country whose holidays count: the one asked for, or with the most lines; -1: every. */
static Status choose_country(const Reader *reader, int32_t *country, Error *error)
{
    const Names *countries = &reader->shop->country;
    const char *wanted = reader->options->country;
    *country = -1;
    if (wanted != NULL) {
        *country = names_find(countries, bytes_of(wanted));
        if (*country < 0)
            return error_set(error, STATUS_USAGE, __FILE__, __LINE__,
                             "holidays of %s: neither orders nor holidays have such a country",
                             wanted);
        return STATUS_OK;
    }
    int64_t most = 0;
    for (int32_t place = 0; place < countries->count; place++) {
        int32_t code = countries->code[place];
        if (reader->of_country[code] > most) {
            most = reader->of_country[code];
            *country = code;
        }
    }
    return STATUS_OK;
}

/* Collective. */
static Status make_calendar(Comm *comm, Reader *reader, Calendar *calendar, Error *error)
{
    Status status;
    Table holidays = {0};
    int32_t country = -1;
    comm_sum_i64(comm, reader->days.lines, reader->days.n);
    comm_sum_i64(comm, reader->days.orders, reader->days.n);
    comm_sum_i64(comm, reader->of_country, reader->shop->country.count);
    TRY_ALL(comm, choose_country(reader, &country, error), error);
    TRY(calendar_read_holidays(comm, reader->store, reader->shop, country, &holidays, error));
    TRY_ALL(comm,
            calendar_make(reader->options->frequency, &reader->days, &holidays,
                          reader->options->ahead, calendar, error),
            error);
    TRY_ALL(comm,
            calendar_make(FREQUENCY_DAILY, &reader->days, &holidays, 0, &reader->daily, error),
            error);
out:
    table_free(&holidays);
    return status;
}

/* ---- series ---- */

/* Rows [begin, end) are of one series; those before `first` are returns of things sold before, and
 * those from `late` on lie in the unfinished period. */
typedef struct Span {
    int64_t begin, end, first, late;
    int32_t n_periods; /* with sales, without the unfinished */
} Span;

static Span span_at(const Reader *reader, int64_t begin, int32_t end_period)
{
    const Table *rows = &reader->rows.table;
    const int64_t *key = column_of(rows, KEY), *units = column_of(rows, UNITS);
    int64_t n_periods = reader->keys.n_periods, series = key[begin] / n_periods;
    Span span = {.begin = begin, .end = begin, .first = -1, .late = -1};
    for (; span.end < rows->rows && key[span.end] / n_periods == series; span.end++) {
        bool is_late = key[span.end] % n_periods >= end_period;
        if (is_late && span.late < 0)
            span.late = span.end;
        if (is_late || units[span.end] == 0)
            continue;
        span.n_periods++;
        if (span.first < 0)
            span.first = span.end;
    }
    if (span.late < 0)
        span.late = span.end;
    return span;
}

/* Whether there is a series; counts what is not in one. */
static bool judge(const Reader *reader, const Span *span, SeriesReadCounts *counts)
{
    const Table *rows = &reader->rows.table;
    const int64_t *units = column_of(rows, UNITS);
    const int64_t *returned = column_of(rows, RETURNED);
    bool is_kept = span->first >= 0 && span->n_periods >= reader->options->least_periods;
    counts->short_series += span->first >= 0 && !is_kept;
    for (int64_t i = span->begin; i < span->end; i++) {
        counts->kept += units[i];
        counts->returned += returned[i];
        counts->unfinished += i >= span->late ? units[i] : 0;
        counts->left_out += i < span->late && !is_kept ? units[i] : 0;
    }
    return is_kept;
}

/* A set without series: what will be known of them. Collective. */
static Status begin_set(Comm *comm, Reader *reader, SeriesSet *set, Error *error)
{
    Status status;
    const ColumnSpec columns[] = {
        {"product", COLUMN_I32, UNIT_CODE},
        {reader->groups ? reader->group_name : "none", COLUMN_I32, UNIT_CODE}};
    TRY_ALL(comm, fault_point("forecast.series", error), error);
    table_init(&set->keys, columns, reader->groups ? 2 : 1);
    set->has_returned = true;
    series_add_dynamic(set, "price");
    if (reader->promotions.is_known)
        series_add_dynamic(set, "promotion");
    TRY(series_spool_open(comm, &reader->options->place, &set->spool, error));
out:
    return status;
}

/* Its key, begin and start; there is room for them. */
static Status list_series(const Reader *reader, const Span *span, SeriesSet *set, Error *error)
{
    Status status;
    const int64_t *key = column_of(&reader->rows.table, KEY);
    int32_t end_period = set->calendar.first + set->calendar.n - reader->first_period;
    int64_t series = key[span->begin] / reader->keys.n_periods;
    int64_t group = series % reader->keys.series_per_unit;
    int32_t period = (int32_t)(key[span->first] % reader->keys.n_periods);
    TRY(table_add_row(&set->keys, error));
    ((int32_t *)set->keys.columns[0].data)[set->n] =
        reader->shop->product.code[series / reader->keys.series_per_unit];
    if (reader->groups)
        ((int32_t *)set->keys.columns[1].data)[set->n] =
            group == 0 ? -1 : reader->groups->code[group - 1];
    set->start[set->n] = reader->first_period + period;
    set->begin[set->n + 1] = set->begin[set->n] + end_period - period;
    set->n++;
out:
    return status;
}

/* Rows [first, late) of series i, into its record. */
static void fill_series(Reader *reader, const Span *span, const SeriesSet *set, int64_t i,
                        double *record, SeriesReadCounts *counts)
{
    const Table *rows = &reader->rows.table;
    const Calendar *calendar = &set->calendar;
    int32_t length = series_length(set, i);
    double *values = record, *returned = values + length, *prices = returned + length;
    double *promotions = prices + length + calendar->ahead;
    for (int32_t t = 0; t < length; t++) {
        values[t] = returned[t] = 0;
        prices[t] = NAN;
    }
    for (int64_t k = span->first; k < span->late; k++) {
        int64_t period = column_of(rows, KEY)[k] % reader->keys.n_periods + reader->first_period;
        int64_t t = period - set->start[i], priced = column_of(rows, PRICED_UNITS)[k];
        values[t] = (double)column_of(rows, UNITS)[k];
        returned[t] = (double)column_of(rows, RETURNED)[k];
        if (priced > 0)
            prices[t] = (double)column_of(rows, PAID)[k] / (double)priced;
    }
    series_finish_prices(prices, length, calendar->ahead, reader->room);
    int32_t product = reader->shop->product.place[((const int32_t *)set->keys.columns[0].data)[i]];
    if (reader->promotions.is_known)
        series_promotion_shares(&reader->promotions, product, set->start[i],
                                length + calendar->ahead, &reader->period_days, promotions);
    counts->out_of_stock +=
        series_mask_stockouts(&reader->stockouts, product, &reader->daily, set->start[i], length,
                              &reader->period_days, values);
}

/* The series of the run at hand, behind those that are there. */
static Status take_series(Reader *reader, SeriesSet *set, SeriesWriter *writer,
                          SeriesReadCounts *counts, Error *error)
{
    Status status;
    const Table *rows = &reader->rows.table;
    int32_t end_period = set->calendar.first + set->calendar.n - reader->first_period;
    int64_t most = set->n + rows->rows;
    TRY(mem_resize(&set->begin, most + 1, sizeof *set->begin, "series", error));
    TRY(mem_resize(&set->start, most, sizeof *set->start, "series", error));
    for (int64_t at = 0; at < rows->rows;) {
        Span span = span_at(reader, at, end_period);
        double *record;
        at = span.end;
        if (!judge(reader, &span, counts))
            continue;
        TRY(list_series(reader, &span, set, error));
        TRY(series_writer_next(writer, set, set->n - 1, &record, error));
        fill_series(reader, &span, set, set->n - 1, record, counts);
    }
out:
    return status;
}

/* Run by run. */
static Status make_series(Reader *reader, SeriesSet *set, SeriesReadCounts *counts, Error *error)
{
    Status status;
    SeriesWriter writer = {0};
    TRY(mem_resize(&reader->room, set->calendar.n, sizeof *reader->room, "prices of a series",
                   error));
    TRY(period_days_make(&set->calendar, &reader->period_days, error));
    TRY(mem_resize(&set->begin, 1, sizeof *set->begin, "series", error));
    set->begin[0] = 0;
    for (int64_t run = 0; run < reader->rows.n_runs; run++) {
        TRY(series_rows_take(&reader->rows, run, error));
        TRY(add_up(&reader->rows.table, error));
        TRY(take_series(reader, set, &writer, counts, error));
    }
    TRY(mem_resize(&set->begin, set->n + 1, sizeof *set->begin, "series", error));
    TRY(mem_resize(&set->start, set->n, sizeof *set->start, "series", error));
    TRY(series_writer_flush(&writer, set, error));
    TRY(series_add_catalogue(reader->shop, set, error));
out:
    series_writer_free(&writer);
    return status;
}

static void sum_counts(Comm *comm, SeriesReadCounts *counts)
{
    int64_t sums[] = {counts->kept,         counts->unfinished, counts->left_out,
                      counts->short_series, counts->returned,   counts->out_of_stock};
    comm_sum_i64(comm, sums, sizeof sums / sizeof *sums);
    *counts = (SeriesReadCounts){sums[0], sums[1], sums[2], sums[3], sums[4], sums[5]};
}

Status series_read(Comm *comm, Store *store, const Shop *shop, const SeriesReadOptions *options,
                   SeriesSet *set, SeriesReadCounts *counts, Error *error)
{
    Status status;
    Reader reader = {.store = store, .shop = shop, .options = options};
    series_set_free(set);
    *counts = (SeriesReadCounts){0};
    TRY_ALL(comm, prepare(&reader, error), error);
    TRY(series_rows_open(comm, &options->place, row_columns, N_COLUMNS, &reader.rows, error));
    TRY_ALL(comm, read_own(&reader, comm_rank(comm), comm_size(comm), error), error);
    TRY(make_calendar(comm, &reader, &set->calendar, error));
    TRY(series_rows_gather(comm, &reader.keys, NULL, NULL, NULL, &reader.rows, error));
    TRY(product_days_read(comm, store, shop, "promotions", &reader.promotions, error));
    TRY(product_days_read(comm, store, shop, "stockouts", &reader.stockouts, error));
    TRY(begin_set(comm, &reader, set, error));
    TRY_ALL(comm, make_series(&reader, set, counts, error), error);
    sum_counts(comm, counts);
    reader_free(&reader);
    TRY(series_place(comm, set, &options->cost, error));
out:
    reader_free(&reader);
    if (status != STATUS_OK)
        series_set_free(set);
    return status;
}
