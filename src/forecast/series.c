/* Sets of series, and what a period is. */
#include "forecast/series.h"

#include "base/civil.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

#define DAYS_A_YEAR 365.2425 /* of the Gregorian calendar */

/* 1970-01-01 was a Thursday: day -3 was the Monday before. */
enum { HOURS_A_DAY = 24, DAYS_A_WEEK = 7, MONDAY_OFFSET = 3 };

static const struct {
    const char *name;
    int season;
} frequencies[FREQUENCY_COUNT] = {
    [FREQUENCY_HOURLY] = {"hourly", 24},      [FREQUENCY_DAILY] = {"daily", 7},
    [FREQUENCY_WEEKLY] = {"weekly", 1},       [FREQUENCY_MONTHLY] = {"monthly", 12},
    [FREQUENCY_QUARTERLY] = {"quarterly", 4}, [FREQUENCY_YEARLY] = {"yearly", 1},
};

void calendar_free(Calendar *calendar)
{
    mem_free(&calendar->is_closed);
    mem_free(&calendar->holiday);
    *calendar = (Calendar){0};
}

void series_set_free(SeriesSet *set)
{
    calendar_free(&set->calendar);
    table_free(&set->keys);
    mem_free(&set->begin);
    mem_free(&set->start);
    mem_free(&set->records);
    series_spool_close(&set->spool);
    for (int k = 0; k < SERIES_STATIC_MAX; k++)
        mem_free(&set->statics[k]);
    *set = (SeriesSet){0};
}

void series_set_number(Comm *comm, SeriesSet *set)
{
    set->first = comm_prefix_i64(comm, set->n);
    set->total = set->n;
    comm_sum_i64(comm, &set->total, 1);
}

void series_add_dynamic(SeriesSet *set, const char *name)
{
    vesper_assert(set->n_dynamic < SERIES_DYNAMIC_MAX);
    (void)snprintf(set->dynamic_names[set->n_dynamic++], COLUMN_NAME_SIZE, "%s", name);
}

Status series_add_static(SeriesSet *set, const char *name, int32_t different, int32_t **codes,
                         Error *error)
{
    int k = set->n_static;
    vesper_assert(k < SERIES_STATIC_MAX);
    Status status = mem_resize(&set->statics[k], set->n, sizeof *set->statics[k],
                               "what is known of series", error);
    if (status != STATUS_OK)
        return status;
    (void)snprintf(set->static_names[k], COLUMN_NAME_SIZE, "%s", name);
    set->static_counts[k] = different;
    *codes = set->statics[k];
    set->n_static++;
    return STATUS_OK;
}

/* ---- records ---- */

Status series_spool_open(Comm *comm, const SpoolPlace *place, SeriesSpool **spool, Error *error)
{
    *spool = mem_new(1, sizeof **spool);
    (*spool)->place = *place;
    Status status = scratch_open(comm, place, &(*spool)->file, error);
    if (status != STATUS_OK)
        series_spool_close(spool);
    return status;
}

void series_spool_close(SeriesSpool **spool)
{
    if (*spool == NULL)
        return;
    scratch_close(&(*spool)->file);
    mem_free(&(*spool)->records);
    mem_free(spool);
}

/* Room for `needed` doubles in an array that only grows. */
static Status make_room(double **records, int64_t *capacity, int64_t needed, Error *error)
{
    Status status = STATUS_OK;
    if (needed <= *capacity)
        return STATUS_OK;
    TRY(mem_resize(records, needed, sizeof **records, "series", error));
    *capacity = needed;
out:
    return status;
}

Status series_load(const SeriesSet *set, int64_t i, Error *error)
{
    Status status = STATUS_OK;
    SeriesSpool *spool = set->spool;
    if (spool == NULL || (i >= spool->first && i < spool->first + spool->n))
        return STATUS_OK;
    int64_t first = i - i % SERIES_BATCH;
    int64_t end = first + SERIES_BATCH < set->n ? first + SERIES_BATCH : set->n;
    int64_t at = series_record_begin(set, first), n = series_record_begin(set, end) - at;
    spool->n = 0;
    TRY(make_room(&spool->records, &spool->capacity, n, error));
    TRY(scratch_read(spool->file, at * (int64_t)sizeof(double), spool->records,
                     n * (int64_t)sizeof(double), error));
    spool->first = first;
    spool->n = end - first;
out:
    return status;
}

Status series_writer_next(SeriesWriter *writer, const SeriesSet *set, int64_t i, double **record,
                          Error *error)
{
    enum { KEPT = 1 << 17 /* doubles, about */ };
    Status status = STATUS_OK;
    int64_t at = series_record_begin(set, i), n = series_record_begin(set, i + 1) - at;
    if (writer->n > 0 && writer->n + n > KEPT)
        TRY(series_writer_flush(writer, set, error));
    if (writer->n == 0)
        writer->at = at;
    vesper_assert(writer->at + writer->n == at);
    TRY(make_room(&writer->records, &writer->capacity, n > KEPT ? n : KEPT, error));
    *record = writer->records + writer->n;
    writer->n += n;
out:
    return status;
}

Status series_writer_flush(SeriesWriter *writer, const SeriesSet *set, Error *error)
{
    int64_t width = sizeof(double), n = writer->n;
    writer->n = 0;
    return scratch_write(set->spool->file, writer->at * width, writer->records, n * width, error);
}

void series_writer_free(SeriesWriter *writer)
{
    mem_free(&writer->records);
    *writer = (SeriesWriter){0};
}

/* ---- periods ---- */

int frequency_season(Frequency frequency)
{
    return frequencies[frequency].season;
}

int frequency_longer_season(Frequency frequency, int season)
{
    enum { OPEN_DAYS_LEAST = 5 };
    static const double weeks_a_year = DAYS_A_YEAR / DAYS_A_WEEK;
    if (frequency == FREQUENCY_HOURLY && season == HOURS_A_DAY)
        return HOURS_A_DAY * DAYS_A_WEEK;
    if (frequency == FREQUENCY_DAILY && season >= OPEN_DAYS_LEAST && season <= DAYS_A_WEEK)
        return (int)(season * weeks_a_year + 0.5);
    return frequency == FREQUENCY_WEEKLY && season <= 1 ? (int)weeks_a_year : 0;
}

const char *frequency_name(Frequency frequency)
{
    return frequencies[frequency].name;
}

Frequency frequency_by_name(Bytes name)
{
    for (int f = 0; f < FREQUENCY_COUNT; f++) {
        const char *known = frequencies[f].name;
        if ((int64_t)strlen(known) == name.size && memcmp(known, name.data, strlen(known)) == 0)
            return (Frequency)f;
    }
    return FREQUENCY_COUNT;
}

double frequency_days(Frequency frequency)
{
    static const double days[FREQUENCY_COUNT] = {
        [FREQUENCY_HOURLY] = 1.0 / 24.0,
        [FREQUENCY_DAILY] = 1.0,
        [FREQUENCY_WEEKLY] = 7.0,
        [FREQUENCY_MONTHLY] = DAYS_A_YEAR / 12.0,
        [FREQUENCY_QUARTERLY] = DAYS_A_YEAR / 4.0,
        [FREQUENCY_YEARLY] = DAYS_A_YEAR,
    };
    return days[frequency];
}

static int32_t floor_divide(int32_t a, int32_t b)
{
    return a / b - (a % b < 0);
}

int32_t period_of_day(Frequency frequency, int32_t day)
{
    switch (frequency) {
    case FREQUENCY_WEEKLY:
        return floor_divide(day + MONDAY_OFFSET, DAYS_A_WEEK);
    case FREQUENCY_MONTHLY:
        return civil_month(day);
    case FREQUENCY_QUARTERLY:
        return floor_divide(civil_month(day), 3);
    case FREQUENCY_YEARLY:
        return floor_divide(civil_month(day), 12);
    default:
        return day;
    }
}

int32_t period_first_day(Frequency frequency, int32_t period)
{
    int32_t months = 1;
    switch (frequency) {
    case FREQUENCY_WEEKLY:
        return period * DAYS_A_WEEK - MONDAY_OFFSET;
    case FREQUENCY_MONTHLY:
        break;
    case FREQUENCY_QUARTERLY:
        months = 3;
        break;
    case FREQUENCY_YEARLY:
        months = 12;
        break;
    default:
        return period;
    }
    int32_t month = period * months;
    int32_t year = floor_divide(month, 12);
    return civil_day(1970 + year, month - year * 12 + 1, 1);
}
