/* Fit: what every model of one series takes and gives.
 *
 * A model NAME has a function
 *
 *     FitOutcome NAME_forecast(SeriesView series, int horizon, double *mean, double *work);
 *
 * that learns from the series and writes its forecast of the next `horizon` periods into mean
 * [horizon], and beside it `int64_t NAME_work(int n, int season, int horizon)`, how many doubles of
 * `work` that takes. Local, safe in threads, the same bits on every call. With any outcome but
 * FIT_OK the contents of `mean` are unset: a numeric outcome is no error. */
#ifndef VESPER_KERNEL_FIT_H
#define VESPER_KERNEL_FIT_H

#include <stdbool.h>
#include <stdint.h>

typedef enum FitOutcome {
    FIT_OK,
    FIT_TOO_SHORT,    /* fewer values than the model needs */
    FIT_NO_SEASON,    /* a seasonal model, but there is no season or fewer than it needs */
    FIT_NOT_POSITIVE, /* a multiplicative model, but a value is not above 0 */
    FIT_NO_DEMAND,    /* nothing but zeros */
    FIT_TOO_SPARSE, /* zeros in most periods, which a model of levels and trends says nothing of */
    FIT_NOT_FINITE, /* the arithmetic left the numbers */
    FIT_NOT_TRIED,  /* a model across series, which do not end together */
    FIT_OUTCOMES
} FitOutcome;

/* Values of one series, oldest first, one a period without gaps, all finite. */
typedef struct SeriesView {
    const double *y; /* [n] */
    int n;
    int season; /* periods of a season; 1: none */
} SeriesView;

#endif
