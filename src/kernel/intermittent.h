/* Intermittent demand: series in which many periods ask for nothing. Local, safe in threads.
 *
 * A period has demand where its value is above 0; a value below 0 counts as none. Every model here
 * forecasts one rate, the demand a period, for all periods ahead. How they are called, and what the
 * outcomes mean: fit.h. FIT_TOO_SHORT without a period, FIT_NO_DEMAND without demand.
 *
 * "Smoothing" is simple exponential smoothing that starts with its first value, by .1 a step unless
 * said otherwise: the conventions of the statsforecast library, so that figures can be compared. */
#ifndef VESPER_KERNEL_INTERMITTENT_H
#define VESPER_KERNEL_INTERMITTENT_H

#include "kernel/fit.h"

/* Smoothed size of a demand, divided by the smoothed periods from one demand to the next (the first
 * counted from the beginning): Croston 1972, "Forecasting and stock control for intermittent
 * demands", Operational Research Quarterly 23(3). Too high by about alpha / 2: see sba_forecast. */
FitOutcome croston_forecast(SeriesView series, int horizon, double *mean, double *work);
int64_t croston_work(int n, int season, int horizon); /* 0 */

/* Croston times 1 - alpha / 2: Syntetos, Boylan 2005, "The accuracy of intermittent demand
 * estimates", International Journal of Forecasting 21(2). */
FitOutcome sba_forecast(SeriesView series, int horizon, double *mean, double *work);
int64_t sba_work(int n, int season, int horizon); /* 0 */

/* Smoothed share of periods with demand, times the smoothed size: unlike Croston it falls while
 * nothing is asked for. Teunter, Syntetos, Babai 2011, "Intermittent demand: linking forecasting to
 * inventory obsolescence", European Journal of Operational Research 214(3). */
FitOutcome tsb_forecast(SeriesView series, int horizon, double *mean, double *work);
int64_t tsb_work(int n, int season, int horizon); /* 0 */

/* The series in buckets of the mean interval between demands (rounded, halves to even), what is
 * left over dropped at the old end; buckets smoothed by the alpha of [.1, .3] with the least
 * squared error, and spread evenly. Nikolopoulos et al. 2011, "An aggregate-disaggregate
 * intermittent demand approach (ADIDA) to forecasting", Journal of the Operational Research Society
 * 62(3). */
FitOutcome adida_forecast(SeriesView series, int horizon, double *mean, double *work);
int64_t adida_work(int n, int season, int horizon); /* n */

/* The mean of such forecasts with buckets of 1, 2, ... up to the mean interval: Petropoulos,
 * Kourentzes 2015, "Forecast combinations for intermittent demand", Journal of the Operational
 * Research Society 66(6). */
FitOutcome imapa_forecast(SeriesView series, int horizon, double *mean, double *work);
int64_t imapa_work(int n, int season, int horizon); /* n */

#endif
