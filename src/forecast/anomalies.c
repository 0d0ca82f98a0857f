/* Anomalies of all series of a rank; see anomalies.h. */
#include "forecast/anomalies.h"

#include "base/fault.h"
#include "base/memory.h"
#include "kernel/outliers.h"

/* Room for one series without its closed periods. */
typedef struct OpenSeries {
    int n;
    int32_t *period; /* [n] */
    double *y;       /* [n] */
    double *columns; /* of the band */
    double *work;
} OpenSeries;

void anomalies_free(Anomalies *anomalies)
{
    mem_free(&anomalies->items);
    *anomalies = (Anomalies){0};
}

static void open_series_free(OpenSeries *open)
{
    mem_free(&open->period);
    mem_free(&open->y);
    mem_free(&open->columns);
    mem_free(&open->work);
}

static int season_of(const SeriesSet *set)
{
    return set->calendar.open_season > 1 ? set->calendar.open_season : 1;
}

static Status make_room(const SeriesSet *set, OpenSeries *open, Error *error)
{
    Status status;
    int32_t longest = 0;
    for (int64_t i = 0; i < set->n; i++)
        longest = series_length(set, i) > longest ? series_length(set, i) : longest;
    static const char what[] = "anomalies";
    TRY(fault_point("forecast.anomalies", error));
    TRY(mem_resize(&open->period, longest, sizeof *open->period, what, error));
    TRY(mem_resize(&open->y, longest, sizeof *open->y, what, error));
    TRY(mem_resize(&open->columns, 4 * (int64_t)longest, sizeof *open->columns, what, error));
    TRY(mem_resize(&open->work, outliers_work(longest, season_of(set)), sizeof *open->work, what,
                   error));
out:
    return status;
}

static void take_open(const SeriesSet *set, int64_t i, OpenSeries *open)
{
    const Calendar *calendar = &set->calendar;
    const double *values = series_values(set, i);
    open->n = 0;
    for (int32_t t = 0; t < series_length(set, i); t++) {
        int32_t period = set->start[i] + t;
        if (calendar->is_closed && calendar->is_closed[period - calendar->first])
            continue;
        open->period[open->n] = period;
        open->y[open->n++] = values[t];
    }
}

static Status add_one(Anomalies *anomalies, const Anomaly *anomaly, Error *error)
{
    Status status = STATUS_OK;
    if (anomalies->n == anomalies->capacity) {
        int64_t capacity = 2 * anomalies->capacity + 64;
        TRY(mem_resize(&anomalies->items, capacity, sizeof *anomalies->items, "anomalies", error));
        anomalies->capacity = capacity;
    }
    anomalies->items[anomalies->n++] = *anomaly;
out:
    return status;
}

static Status judge(const SeriesSet *set, int64_t i, const OutlierRule *rule, int32_t since,
                    const OpenSeries *open, Anomalies *anomalies, Error *error)
{
    Status status = STATUS_OK;
    int n = open->n;
    OutlierBand band = {open->columns, open->columns + n, open->columns + 2 * n,
                        open->columns + 3 * n};
    SeriesView view = {.y = open->y, .n = n, .season = season_of(set)};
    if (outliers_find(view, rule, &band, open->work) == 0)
        goto out;
    for (int t = 0; t < n; t++) {
        if (open->period[t] < since || !outliers_is_one(&band, open->y, t))
            continue;
        Anomaly anomaly = {.series = i,
                           .period = open->period[t],
                           .actual = open->y[t],
                           .expected = band.expected[t],
                           .low = band.low[t],
                           .high = band.high[t],
                           .score = band.deviation[t]};
        TRY(add_one(anomalies, &anomaly, error));
    }
out:
    return status;
}

Status anomalies_find(const SeriesSet *set, double limit, int32_t recent, Anomalies *anomalies,
                      Error *error)
{
    Status status;
    OpenSeries open = {0};
    OutlierRule rule = {.limit = limit, .is_count = true};
    *anomalies = (Anomalies){0};
    int32_t since = set->calendar.first + set->calendar.n - recent;
    TRY(make_room(set, &open, error));
    for (int64_t i = 0; i < set->n; i++) {
        TRY(series_load(set, i, error));
        take_open(set, i, &open);
        TRY(judge(set, i, &rule, since, &open, anomalies, error));
    }
out:
    open_series_free(&open);
    if (status != STATUS_OK)
        anomalies_free(anomalies);
    return status;
}
