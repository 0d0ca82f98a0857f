/* Closed days, holidays, and series without them; see calendar.h. */
#include "forecast/calendar.h"

#include "base/memory.h"
#include "table/string_map.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum {
    WEEKDAYS = 7,
    MONDAY_OFFSET = 3, /* day -3 was a Monday */
    /* A weekday is closed if in at least so many weeks nothing was sold on it while the others had
     * so many orders each, */
    LEAST_WEEKS = 4,
    LEAST_ORDERS = 20,
    /* or if in at least so many weeks it had less than this part of their orders. */
    LEAST_WEEKS_OF_FEW = 8,
    FEW = 1000,
    /* One day is closed if nothing was sold on it, but on each of the nearest days that sold, so
     * many before and after it, so many orders on average: chance does so once in 160,000 days. */
    NEAR_DAYS = 14,
    LEAST_ORDERS_A_DAY = 12
};

void calendar_days_free(CalendarDays *days)
{
    mem_free(&days->lines);
    mem_free(&days->orders);
    *days = (CalendarDays){0};
}

/* ---- holidays ---- */

typedef struct Holiday {
    int32_t day;
    int32_t country; /* place; -1: all countries */
    int64_t row;     /* of the table: the later counts */
} Holiday;

static bool is_before(const Holiday *a, const Holiday *b, int32_t country)
{
    if (a->day != b->day)
        return a->day < b->day;
    if ((a->country == country) != (b->country == country))
        return a->country == country;
    if (a->country != b->country)
        return a->country < b->country;
    return a->row > b->row;
}

/* Those that count, at most one a day: the last row of the day's first country. `country` is a
 * place. */
static Status choose_holidays(const Shop *shop, const Table *rows, int32_t country, Table *holidays,
                              Error *error)
{
    Status status = STATUS_OK;
    StringMap days = {0};
    Holiday *best = NULL;
    const Column *name = table_column_const(rows, "name");
    const Column *code = table_column_const(rows, "country");
    const int32_t *day = table_column_const(rows, "day")->data;
    TRY(mem_resize(&best, rows->rows, sizeof *best, "holidays", error));
    for (int64_t row = 0; row < rows->rows; row++) {
        int32_t at, known = days.count;
        int64_t of = column_integer(code, row);
        if (of >= shop->country.count)
            FAIL(error, STATUS_IO,
                 "store is damaged: its holidays hold country code %" PRId64
                 ", which its dictionary does not have; run vesper verify",
                 of);
        Holiday holiday = {day[row], of < 0 ? -1 : shop->country.place[of], row};
        if (country >= 0 && holiday.country >= 0 && holiday.country != country)
            continue;
        TRY(string_map_add(&days, (Bytes){(const char *)&day[row], sizeof *day}, &at, error));
        if (at == known || is_before(&holiday, &best[at], country))
            best[at] = holiday;
    }
    for (int32_t i = 0; i < days.count; i++) {
        TRY(table_add_row(holidays, error));
        ((int32_t *)holidays->columns[0].data)[i] = best[i].day;
        TRY(table_set_last_text(holidays, &holidays->columns[1], column_text(name, best[i].row),
                                error));
    }
    const SortKey by_day = {"day", false};
    TRY(table_sort(holidays, &by_day, 1, error));
out:
    string_map_free(&days);
    mem_free(&best);
    return status;
}

Status calendar_read_holidays(Comm *comm, Store *store, const Shop *shop, int32_t country,
                              Table *holidays, Error *error)
{
    static const ColumnSpec columns[] = {{"day", COLUMN_I32, UNIT_DAY},
                                         {"name", COLUMN_TEXT, UNIT_NONE}};
    Status status = STATUS_OK;
    Table rows = {0};
    table_free(holidays);
    table_init(holidays, columns, 2);
    if (!store_has_column(store, "holidays", "day"))
        goto out;
    TRY(store_read_global(comm, store, "holidays", &rows, error));
    int32_t place = country < 0 ? -1 : shop->country.place[country];
    TRY_ALL(comm, choose_holidays(shop, &rows, place, holidays, error), error);
out:
    table_free(&rows);
    return status;
}

/* Code of each different name, in bytewise order, to the periods. */
static Status name_holidays(const Table *holidays, Calendar *calendar, Error *error)
{
    Status status = STATUS_OK;
    StringMap names = {0};
    int32_t *by_text = NULL, *code_of = NULL;
    int64_t n = (int64_t)calendar->n + calendar->ahead;
    const int32_t *day = table_column_const(holidays, "day")->data;
    const Column *name = table_column_const(holidays, "name");
    TRY(mem_resize(&calendar->holiday, n, sizeof *calendar->holiday, "holidays", error));
    for (int64_t t = 0; t < n; t++)
        calendar->holiday[t] = -1;
    for (int64_t i = 0; i < holidays->rows; i++) {
        int64_t t = (int64_t)period_of_day(calendar->frequency, day[i]) - calendar->first;
        if (t < 0 || t >= n || calendar->holiday[t] >= 0)
            continue;
        TRY(string_map_add(&names, column_text(name, i), &calendar->holiday[t], error));
    }
    TRY(string_map_sorted(&names, &by_text, error));
    TRY(mem_resize(&code_of, names.count, sizeof *code_of, "holidays", error));
    for (int32_t i = 0; i < names.count; i++)
        code_of[by_text[i]] = i;
    for (int64_t t = 0; t < n; t++)
        calendar->holiday[t] = calendar->holiday[t] < 0 ? -1 : code_of[calendar->holiday[t]];
    calendar->n_holidays = names.count;
    if (names.count == 0)
        mem_free(&calendar->holiday);
out:
    string_map_free(&names);
    mem_free(&by_text);
    mem_free(&code_of);
    return status;
}

/* ---- closed days ---- */

static int weekday_of(int32_t day)
{
    return (int)((((int64_t)day + MONDAY_OFFSET) % WEEKDAYS + WEEKDAYS) % WEEKDAYS);
}

/* Twice the median of the orders of the other weekdays. */
static int64_t middle_of_others(const int64_t orders[WEEKDAYS], int weekday)
{
    int64_t others[WEEKDAYS - 1];
    int n = 0;
    for (int w = 0; w < WEEKDAYS; w++) {
        if (w == weekday)
            continue;
        int at = n++;
        for (; at > 0 && others[at - 1] > orders[w]; at--)
            others[at] = others[at - 1];
        others[at] = orders[w];
    }
    return others[2] + others[3];
}

/* From day `from` of `days` on. */
static void find_closed_weekdays(const CalendarDays *days, int32_t from, bool closed[WEEKDAYS])
{
    int64_t lines[WEEKDAYS] = {0}, orders[WEEKDAYS] = {0}, weeks[WEEKDAYS] = {0}, all = 0;
    for (int32_t i = from; i < days->n; i++) {
        int w = weekday_of(days->first + i);
        weeks[w]++;
        lines[w] += days->lines[i];
        orders[w] += days->orders[i];
        all += days->orders[i];
    }
    for (int w = 0; w < WEEKDAYS; w++) {
        bool sold_nothing = lines[w] == 0 && weeks[w] >= LEAST_WEEKS &&
                            all >= (int64_t)LEAST_ORDERS * (WEEKDAYS - 1);
        bool sold_little =
            weeks[w] >= LEAST_WEEKS_OF_FEW && orders[w] < middle_of_others(orders, w) / (2 * FEW);
        closed[w] = sold_nothing || sold_little;
    }
}

/* Days of the past on which nothing was sold although the days around them sold enough. */
static Status close_single_days(const CalendarDays *days, int32_t from, Calendar *calendar,
                                Error *error)
{
    Status status = STATUS_OK;
    int64_t *sums = NULL; /* orders of the days that sold before the k-th such day */
    int32_t n = 0, k = 0;
    TRY(mem_resize(&sums, (int64_t)days->n - from + 1, sizeof *sums, "days of the shop", error));
    sums[0] = 0;
    for (int32_t i = from; i < days->n; i++) {
        if (days->lines[i] > 0) {
            sums[n + 1] = sums[n] + days->orders[i];
            n++;
        }
    }
    for (int32_t i = from; i < days->n; i++) {
        if (days->lines[i] > 0) {
            k++;
            continue;
        }
        int32_t begin = k > NEAR_DAYS ? k - NEAR_DAYS : 0;
        int32_t end = n - k > NEAR_DAYS ? k + NEAR_DAYS : n;
        if (sums[end] - sums[begin] >= (int64_t)LEAST_ORDERS_A_DAY * (end - begin))
            calendar->is_closed[i - from] = true;
    }
out:
    mem_free(&sums);
    return status;
}

/* A holiday on which the shop was closed whenever it fell on a weekday that is open. */
static Status close_holidays(const bool closed[WEEKDAYS], Calendar *calendar, Error *error)
{
    Status status = STATUS_OK;
    int8_t *seen = NULL; /* 1: closed each time so far; -1: not so */
    TRY(mem_resize(&seen, calendar->n_holidays, sizeof *seen, "holidays", error));
    memset(seen, 0, (size_t)calendar->n_holidays);
    for (int32_t t = 0; t < calendar->n; t++) {
        int32_t code = calendar->holiday[t];
        if (code < 0 || closed[weekday_of(calendar->first + t)])
            continue;
        if (!calendar->is_closed[t])
            seen[code] = -1;
        else if (seen[code] == 0)
            seen[code] = 1;
    }
    for (int32_t t = calendar->n; t < calendar->n + calendar->ahead; t++) {
        if (calendar->holiday[t] >= 0 && seen[calendar->holiday[t]] == 1)
            calendar->is_closed[t] = true;
    }
out:
    mem_free(&seen);
    return status;
}

static Status close_days(const CalendarDays *days, int32_t from, Calendar *calendar, Error *error)
{
    Status status = STATUS_OK;
    bool closed[WEEKDAYS];
    find_closed_weekdays(days, from, closed);
    TRY(close_single_days(days, from, calendar, error));
    if (calendar->holiday != NULL)
        TRY(close_holidays(closed, calendar, error));
    for (int32_t t = 0; t < calendar->n + calendar->ahead; t++)
        calendar->is_closed[t] |= closed[weekday_of(calendar->first + t)];
    for (int w = 0; w < WEEKDAYS; w++)
        calendar->open_season -= closed[w];
out:
    return status;
}

/* ---- making ---- */

Status calendar_make_open(Frequency frequency, int32_t first, int32_t n, int32_t ahead, int season,
                          Calendar *calendar, Error *error)
{
    Status status = STATUS_OK;
    int64_t all = (int64_t)n + ahead;
    *calendar = (Calendar){
        .frequency = frequency, .first = first, .n = n, .ahead = ahead, .open_season = season};
    if (all > INT32_MAX - 1 || first + all > INT32_MAX)
        FAIL(error, STATUS_INPUT,
             "the series have more than %" PRId32 " periods; are all dates right?", INT32_MAX - 1);
    TRY(mem_resize(&calendar->is_closed, all, sizeof *calendar->is_closed, "calendar", error));
    memset(calendar->is_closed, 0, (size_t)all);
out:
    return status;
}

/* The last period that has ended by the evening of `day`. */
static int32_t last_whole_period(Frequency frequency, int32_t day)
{
    int32_t period = period_of_day(frequency, day);
    return period_first_day(frequency, period + 1) - 1 > day ? period - 1 : period;
}

Status calendar_make(Frequency frequency, const CalendarDays *days, const Table *holidays,
                     int32_t ahead, Calendar *calendar, Error *error)
{
    Status status = STATUS_OK;
    int32_t from = 0;
    vesper_assert(frequency != FREQUENCY_HOURLY);
    while (from < days->n && days->lines[from] == 0)
        from++;
    int32_t last = last_whole_period(frequency, days->first + days->n - 1);
    int32_t first = from < days->n ? period_of_day(frequency, days->first + from) : last + 1;
    if (first > last) /* nothing was sold in any whole period */
        first = last + 1;
    TRY(calendar_make_open(frequency, first, last - first + 1, ahead, frequency_season(frequency),
                           calendar, error));
    if (holidays->rows > 0 && (frequency == FREQUENCY_DAILY || frequency == FREQUENCY_WEEKLY))
        TRY(name_holidays(holidays, calendar, error));
    if (frequency == FREQUENCY_DAILY && calendar->n > 0)
        TRY(close_days(days, from, calendar, error));
out:
    return status;
}

/* ---- series without closed periods ---- */

/* The nearest known value at a distance of a multiple of `step` from place `at`; NaN: none. */
static double nearest_known(const SeriesSet *set, int64_t i, int32_t at, int32_t step)
{
    const Calendar *calendar = &set->calendar;
    const double *values = series_values(set, i);
    int32_t length = series_length(set, i), start = set->start[i];
    for (int64_t k = (int64_t)at + step; k >= 0 && k < length; k += step) {
        if (!isnan(values[k]) && !calendar_is_closed(calendar, start + (int32_t)k))
            return values[k];
    }
    return NAN;
}

static double mean_of_known(double before, double after)
{
    return isnan(before) ? after : isnan(after) ? before : before + (after - before) / 2;
}

static double fill(const SeriesSet *set, int64_t i, int32_t at)
{
    const Calendar *calendar = &set->calendar;
    int32_t step = calendar->frequency == FREQUENCY_DAILY ? WEEKDAYS : calendar->open_season;
    double value = mean_of_known(nearest_known(set, i, at, -step), nearest_known(set, i, at, step));
    if (isnan(value) && step != 1)
        value = mean_of_known(nearest_known(set, i, at, -1), nearest_known(set, i, at, 1));
    return value;
}

int32_t series_open(const SeriesSet *set, int64_t i, double *y, int32_t *where)
{
    const double *values = series_values(set, i);
    int32_t n = 0, length = series_length(set, i);
    for (int32_t t = 0; t < length; t++) {
        if (calendar_is_closed(&set->calendar, set->start[i] + t))
            continue;
        double value = isnan(values[t]) ? fill(set, i, t) : values[t];
        if (isnan(value)) /* then none is known */
            return 0;
        if (where != NULL)
            where[n] = t;
        y[n++] = value;
    }
    return n;
}

int32_t series_open_ahead(const SeriesSet *set, int64_t i)
{
    int32_t n = 0, end = set->start[i] + series_length(set, i);
    for (int32_t h = 0; h < set->calendar.ahead; h++)
        n += !calendar_is_closed(&set->calendar, end + h);
    return n;
}

void series_spread(const SeriesSet *set, int64_t i, const double *open, double *all)
{
    int32_t n = 0, end = set->start[i] + series_length(set, i);
    for (int32_t h = 0; h < set->calendar.ahead; h++)
        all[h] = calendar_is_closed(&set->calendar, end + h) ? 0 : open[n++];
}
