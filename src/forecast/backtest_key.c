/* See backtest_key.h. */
#include "forecast/backtest_key.h"

#include "base/hash.h"

#include <inttypes.h>

/* Grows with whatever else changes what a model forecasts. */
enum { KEY_VERSION = 3 };

/* Of series i, the set's first + i-th, with all that is known of it. */
static uint64_t hash_series(const SeriesSet *set, int64_t i)
{
    int64_t length = series_length(set, i), known = length + set->calendar.ahead;
    uint64_t hash = hash64_seeded(series_values(set, i), length * (int64_t)sizeof(double),
                                  (uint64_t)(set->first + i));
    for (int k = 0; k < set->n_dynamic; k++)
        hash = hash64_seeded(series_dynamic(set, i, k), known * (int64_t)sizeof(double), hash);
    for (int k = 0; k < set->n_static; k++)
        hash = hash64_seeded(&set->statics[k][i], sizeof(int32_t), hash);
    return hash64_seeded(&set->start[i], sizeof set->start[i], hash);
}

static uint64_t hash_calendar(const Calendar *calendar)
{
    int64_t periods = (int64_t)calendar->n + calendar->ahead;
    int32_t shape[] = {(int32_t)calendar->frequency, calendar->first, calendar->n, calendar->ahead,
                       calendar->open_season};
    uint64_t hash = hash64(shape, sizeof shape);
    if (calendar->is_closed != NULL)
        hash = hash64_seeded(calendar->is_closed, periods * (int64_t)sizeof(bool), hash);
    if (calendar->holiday != NULL)
        hash = hash64_seeded(calendar->holiday, periods * (int64_t)sizeof(int32_t), hash);
    return hash;
}

static Status sum_series(const SeriesSet *set, uint64_t *sum, Error *error)
{
    Status status = STATUS_OK;
    *sum = 0;
    for (int64_t i = 0; i < set->n; i++) {
        TRY(series_load(set, i, error));
        *sum += hash_series(set, i);
    }
out:
    return status;
}

Status backtest_key(Comm *comm, const SeriesSet *set, const BacktestOptions *options, uint64_t *key,
                    Error *error)
{
    Status status;
    uint64_t sum;
    TRY_ALL(comm, sum_series(set, &sum, error), error);
    comm_sum_u64(comm, &sum);
    Buffer text = {0};
    buffer_printf(&text, "%d %016" PRIx64 " %016" PRIx64, KEY_VERSION, sum,
                  hash_calendar(&set->calendar));
    buffer_printf(&text, " %08" PRIx32 " %d %d %d %.17g %d", options->models, options->horizon,
                  options->n_origins, options->season, options->outlier_limit,
                  (int)options->is_scattered);
    buffer_printf(&text, " %d %.17g %" PRId64 " %.17g", options->pooled.horizon,
                  options->pooled.lambda, options->pooled.rows, options->pooled.half_life);
    *key = hash64(text.data, text.size);
    buffer_free(&text);
out:
    return status;
}
