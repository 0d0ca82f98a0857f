/* Series: how much was asked for, period by period, of each product; spread over the ranks.
 *
 * A period is an hour, day, week, month, quarter or year, numbered on one axis (period_of_day); a
 * file without dates may number its periods as it likes. All series of a set are sorted by their
 * keys; each rank holds a run of whole blocks of SERIES_BLOCK series, in rank order, so that sums
 * over blocks in block order do not depend on the number of ranks.
 *
 * What is known of a series period by period is its record. Records may be more than fit in memory:
 * then they are in a file, and a batch of them at a time is at hand (series_load). */
#ifndef VESPER_FORECAST_SERIES_H
#define VESPER_FORECAST_SERIES_H

#include "comm/comm.h"
#include "store/scratch.h"

/* SERIES_BATCH: series at hand at a time, whole blocks. */
enum {
    SERIES_BLOCK = 64,
    SERIES_BATCH = 16 * SERIES_BLOCK,
    SERIES_DYNAMIC_MAX = 8,
    SERIES_STATIC_MAX = 8
};

typedef enum Frequency {
    FREQUENCY_HOURLY,
    FREQUENCY_DAILY,
    FREQUENCY_WEEKLY, /* weeks begin on Monday */
    FREQUENCY_MONTHLY,
    FREQUENCY_QUARTERLY,
    FREQUENCY_YEARLY,
    FREQUENCY_COUNT
} Frequency;

/* Periods of the store that every series shares. All zero is empty. The same on every rank. */
typedef struct Calendar {
    Frequency frequency;
    int32_t first;      /* period of the first entry */
    int32_t n;          /* periods of history */
    int32_t ahead;      /* periods after them that are to be forecast */
    bool *is_closed;    /* [n + ahead] nothing can be sold: no model sees such a period, and 0 is
                           forecast */
    int32_t *holiday;   /* [n + ahead] code of the holiday, -1: none; NULL: no holidays known */
    int32_t n_holidays; /* different codes */
    int open_season; /* open periods of a season: 6 for days of a shop that is closed on Saturdays
                      */
} Calendar;

/* Records in a file, and those at hand. */
typedef struct SeriesSpool {
    SpoolPlace place;
    Scratch *file;
    int64_t first, n; /* series at hand */
    double *records;
    int64_t capacity;
} SeriesSpool;

/* All zero is empty. */
typedef struct SeriesSet {
    Calendar calendar;
    int64_t n;      /* series of this rank */
    int64_t first;  /* how many lower ranks hold: the global number of the first */
    int64_t total;  /* of all ranks */
    Table keys;     /* [n] what names a series: `series`, text, of a file; of a store `product` and,
                       if asked for, `country` or `channel`, codes of the shop */
    int64_t *begin; /* [n + 1] periods of the series before each */
    int32_t *start; /* [n] period of its first value: the first sale */
    /* What records hold beside the values. */
    bool has_returned;
    int n_dynamic;
    char dynamic_names[SERIES_DYNAMIC_MAX]
                      [COLUMN_NAME_SIZE]; /* `price`, `promotion`, or the file's */
    double *records;                      /* of all series; NULL: in the spool */
    SeriesSpool *spool;
    /* What a series is, as codes from 0; -1: not known. */
    int n_static;
    char static_names[SERIES_STATIC_MAX][COLUMN_NAME_SIZE]; /* `category`, `brand`, or the file's */
    int32_t static_counts[SERIES_STATIC_MAX];               /* different codes, over all ranks */
    int32_t *statics[SERIES_STATIC_MAX];                    /* [n] */
} SeriesSet;

void calendar_free(Calendar *calendar);
void series_set_free(SeriesSet *set);

/* Set first and total by n of all ranks. Collective. */
void series_set_number(Comm *comm, SeriesSet *set);

/* One more thing that records hold, before there are any. Local. */
void series_add_dynamic(SeriesSet *set, const char *name);
/* One more code of each series, for the caller to fill. Local. */
Status series_add_static(SeriesSet *set, const char *name, int32_t different, int32_t **codes,
                         Error *error) VESPER_MUST_USE;

static inline int32_t series_length(const SeriesSet *set, int64_t i)
{
    return (int32_t)(set->begin[i + 1] - set->begin[i]);
}

/* ---- records ---- */

/* How many doubles the records of the series before i have. */
static inline int64_t series_record_begin(const SeriesSet *set, int64_t i)
{
    return set->begin[i] * (1 + set->has_returned + set->n_dynamic) +
           i * set->calendar.ahead * set->n_dynamic;
}

/* Have the record of series i at hand, which costs nothing if it is. Local; one thread. */
Status series_load(const SeriesSet *set, int64_t i, Error *error) VESPER_MUST_USE;

/* [length] of series i, whose record is at hand: units asked for; NaN where that is not known: out
 * of stock, or missing from the file. */
static inline double *series_values(const SeriesSet *set, int64_t i)
{
    const SeriesSpool *spool = set->spool;
    if (spool == NULL)
        return set->records + series_record_begin(set, i);
    vesper_assert(i >= spool->first && i < spool->first + spool->n);
    return spool->records + (series_record_begin(set, i) - series_record_begin(set, spool->first));
}

/* [length] units that came back, where the set has them. */
static inline double *series_returned(const SeriesSet *set, int64_t i)
{
    return series_values(set, i) + series_length(set, i);
}

/* [length + ahead] what else is known of its periods, also of those ahead; NaN: not known. */
static inline double *series_dynamic(const SeriesSet *set, int64_t i, int k)
{
    int64_t length = series_length(set, i);
    return series_values(set, i) + (1 + set->has_returned) * length +
           k * (length + set->calendar.ahead);
}

/* A new spool for the set's records. Collective. */
Status series_spool_open(Comm *comm, const SpoolPlace *place, SeriesSpool **spool,
                         Error *error) VESPER_MUST_USE;
void series_spool_close(SeriesSpool **spool);

/* Records on their way into the spool of a set, series after series. All zero is empty. */
typedef struct SeriesWriter {
    double *records;
    int64_t capacity, at, n; /* doubles: `n` are kept, those of the file from `at` on */
} SeriesWriter;

/* Room for the record of series i, the next one. Local. */
Status series_writer_next(SeriesWriter *writer, const SeriesSet *set, int64_t i, double **record,
                          Error *error) VESPER_MUST_USE;
/* All that came is in the file. Local. */
Status series_writer_flush(SeriesWriter *writer, const SeriesSet *set,
                           Error *error) VESPER_MUST_USE;
void series_writer_free(SeriesWriter *writer);

/* Seasonal periods of a frequency by themselves: 24, 7, 1 (52 is too long for a season), 12, 4, 1.
 */
int frequency_season(Frequency frequency);
/* Periods of the season above one of `season`: of hours the week, of open days and weeks the year;
 * 0: none that is of use. */
int frequency_longer_season(Frequency frequency, int season);
/* By its name, "daily"; FREQUENCY_COUNT if there is none. */
Frequency frequency_by_name(Bytes name);
const char *frequency_name(Frequency frequency);
/* Number of the period that holds a day: hours are not asked for here. */
int32_t period_of_day(Frequency frequency, int32_t day);
/* Days of a period, in the mean over years. */
double frequency_days(Frequency frequency);
/* First day of a period. */
int32_t period_first_day(Frequency frequency, int32_t period);

#endif
