/* Sets of series, and what a period is. */
#include "forecast/series.h"

#include "base/civil.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

#define DAYS_A_YEAR 365.2425 /* of the Gregorian calendar */

/* 1970-01-01 was a Thursday: day -3 was the Monday before. */
enum { DAYS_A_WEEK = 7, MONDAY_OFFSET = 3 };

static const struct {
    const char *name;
    int season;
} frequencies[FREQUENCY_COUNT] = {
    [FREQUENCY_HOURLY] = {"hourly", 24},      [FREQUENCY_DAILY] = {"daily", 7},
    [FREQUENCY_WEEKLY] = {"weekly", 1},       [FREQUENCY_MONTHLY] = {"monthly", 12},
    [FREQUENCY_QUARTERLY] = {"quarterly", 4}, [FREQUENCY_YEARLY] = {"yearly", 1},
};

void series_set_free(SeriesSet *set)
{
    mem_free(&set->calendar.is_closed);
    mem_free(&set->calendar.holiday);
    table_free(&set->keys);
    mem_free(&set->begin);
    mem_free(&set->start);
    mem_free(&set->values);
    mem_free(&set->returned);
    for (int k = 0; k < SERIES_DYNAMIC_MAX; k++)
        mem_free(&set->dynamic[k]);
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

Status series_add_dynamic(SeriesSet *set, const char *name, double **values, Error *error)
{
    int k = set->n_dynamic;
    vesper_assert(k < SERIES_DYNAMIC_MAX);
    Status status = mem_resize(&set->dynamic[k], series_dynamic_begin(set, set->n),
                               sizeof *set->dynamic[k], "what is known of series", error);
    if (status != STATUS_OK)
        return status;
    (void)snprintf(set->dynamic_names[k], COLUMN_NAME_SIZE, "%s", name);
    *values = set->dynamic[k];
    set->n_dynamic++;
    return STATUS_OK;
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

int frequency_season(Frequency frequency)
{
    return frequencies[frequency].season;
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
