/* Backtest: every model at several origins, each of which sees only what came before it (rolling
 * origin: Tashman 2000).
 *
 * Series are forecast batch by batch, and what comes of it lies in a spool (store/spool.h): memory
 * is that of one batch, and a run that was stopped goes on after the last that was finished. */
#ifndef VESPER_FORECAST_BACKTEST_H
#define VESPER_FORECAST_BACKTEST_H

#include "forecast/models.h"
#include "forecast/pooled.h"
#include "forecast/series.h"
#include "store/spool.h"

/* BACKTEST_BATCH: series at a time, four blocks. */
enum { BACKTEST_ORIGINS_MAX = 16, BACKTEST_BATCH = 4 * SERIES_BLOCK };

typedef struct BacktestOptions {
    SeriesModels models;
    int horizon;          /* periods ahead, closed ones too */
    int n_origins;        /* origin j lies j horizons before the end of a series; 0 is the end */
    int season;           /* of the calendar's periods; of open ones where that is another number */
    double outlier_limit; /* usual deviations past which no model sees a value as it is; 0: none */
    PooledOptions pooled;
    int threads;
    SpoolPlace place;
    bool is_scattered; /* ranks hold any runs of series, not whole blocks of SERIES_BLOCK */
} BacktestOptions;

/* A batch at hand: series [first, first + n) of this rank. */
typedef struct BacktestBatch {
    int64_t first, n;
    int64_t width; /* of a row */
    float *rows; /* [n x n_origins x width] forecasts of the models [SERIES_MODELS x horizon], NaN:
                    none; then how many values were replaced */
} BacktestBatch;

/* All zero is empty. Forecasts and what came are in units, on the calendar: 0 is forecast for a
 * closed period. */
typedef struct Backtest {
    BacktestOptions options;
    const SeriesSet *set; /* borrowed */
    int64_t n;            /* series of this rank */
    int64_t first_block;
    Spool *spool;
    BacktestBatch *batch;
    int64_t outliers[BACKTEST_ORIGINS_MAX]; /* values replaced, of this rank, from each origin */
    double seconds[SERIES_MODELS];          /* of this rank's threads, added up */
    int64_t outcomes[SERIES_MODELS][FIT_OUTCOMES]; /* of what this run tried on this rank */
    const double *after; /* [n x horizon] what came after the end of the series; NULL: not known;
                            borrowed */
} Backtest;

/* What came in the horizon after an origin, and what errors are measured by, from values before it.
 */
typedef struct Outlook {
    int known;             /* periods whose value is known: 0 at the end of a series */
    double absolute_scale; /* mean |y_t - y_(t - season)| before the origin; 0: constant */
    double squared_scale;  /* mean (y_t - y_(t-1))^2 before it */
} Outlook;

/* STATUS_RESUME if a stop is asked for. Collective: the pooled model is learned once an origin. */
Status backtest_run(Comm *comm, const SeriesSet *set, const BacktestOptions *options,
                    Backtest *backtest, Error *error) VESPER_MUST_USE;
void backtest_free(Backtest *backtest);

/* Have the batch of series i at hand, and its record, which costs nothing if they are. Local; one
 * thread. */
Status backtest_load(const Backtest *backtest, int64_t i, Error *error) VESPER_MUST_USE;
/* [horizon] of one model; series i is at hand. Local. */
static inline const float *backtest_forecast(const Backtest *backtest, int64_t i, int origin,
                                             SeriesModel model)
{
    const BacktestBatch *batch = backtest->batch;
    int64_t row = (i - batch->first) * backtest->options.n_origins + origin;
    vesper_assert(i >= batch->first && i < batch->first + batch->n);
    return batch->rows + row * batch->width + (int64_t)model * backtest->options.horizon;
}

/* actual [horizon] out: what came after an origin; NaN where closed, not known or not yet, and all
 * of it if the series had not begun. Its record is at hand. Local. */
Outlook backtest_outlook(const Backtest *backtest, const SeriesSet *set, int64_t i, int origin,
                         double *actual);
/* The same without scales: how many periods are known. */
int backtest_came(const Backtest *backtest, const SeriesSet *set, int64_t i, int origin,
                  double *actual);

#endif
