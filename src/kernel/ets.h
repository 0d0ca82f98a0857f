/* Exponential smoothing in state space form: 30 models, by maximum likelihood. Local.
 *
 * Hyndman, Koehler, Snyder, Grose 2002, "A state space framework for automatic forecasting using
 * exponential smoothing methods", International Journal of Forecasting 18(3); Hyndman, Koehler,
 * Ord, Snyder 2008, "Forecasting with exponential smoothing: the state space approach", tables 2.2
 * and 2.3. Smoothing parameters and start states are estimated together. docs/methods/ets.md. */
#ifndef VESPER_KERNEL_ETS_H
#define VESPER_KERNEL_ETS_H

#include "kernel/fit.h"

enum { ETS_SEASON_MAX = 24 }; /* a series with a longer season is taken as one without */

typedef enum EtsError { ETS_ERROR_ADDITIVE, ETS_ERROR_MULTIPLICATIVE, ETS_ERRORS } EtsError;

typedef enum EtsTrend {
    ETS_TREND_NONE,
    ETS_TREND_ADDITIVE,
    ETS_TREND_DAMPED,
    ETS_TREND_MULTIPLICATIVE,
    ETS_TREND_MULTIPLICATIVE_DAMPED,
    ETS_TRENDS
} EtsTrend;

typedef enum EtsSeason {
    ETS_SEASON_NONE,
    ETS_SEASON_ADDITIVE,
    ETS_SEASON_MULTIPLICATIVE,
    ETS_SEASONS
} EtsSeason;

typedef struct EtsModel {
    EtsError error;
    EtsTrend trend;
    EtsSeason season;
} EtsModel;

enum { ETS_NAME_SIZE = 10 };

/* beta, gamma are 0 and phi is 1 where the model has none. */
typedef struct EtsParameters {
    double alpha, beta, gamma, phi;
} EtsParameters;

typedef struct EtsState {
    double level;
    double slope;                  /* 0 without a trend; a factor if that is multiplicative */
    double season[ETS_SEASON_MAX]; /* of the coming periods, the next one first */
} EtsState;

typedef struct EtsFit {
    FitOutcome outcome;
    EtsModel model;
    int season;       /* periods of a season; 1 without */
    int n_parameters; /* alpha to phi, start states that are free, and the variance */
    EtsParameters parameters;
    EtsState start;        /* before the first value */
    EtsState end;          /* after the last */
    double log_likelihood; /* without the constants n (ln 2 pi + 1 - ln n) / 2, as R has it */
    double aic, aicc, bic;
    double sigma2; /* of one-step errors, relative ones if the error is multiplicative */
    int passes;    /* over the series */
} EtsFit;

/* name out: error, trend, season, as A,Ad,N. */
void ets_name(EtsModel model, char name[ETS_NAME_SIZE]);

/* Fit one model: the likelihood's maximum where alpha, beta, gamma are in [0.0001, 0.9999], beta <=
 * alpha, gamma <= 1 - alpha, phi in [0.8, 0.98], and the model forgets its start
 * (ets_is_admissible). FIT_NO_SEASON: the model has a season, the series fewer than two;
 * FIT_TOO_SHORT: fewer values than n_parameters + 2; FIT_NOT_POSITIVE: a multiplicative part and a
 * value that is not above 0. With another outcome than FIT_OK only `outcome` and `model` are set.
 * Uses 60 kB of stack, as ets_choose does. */
void ets_fit(EtsModel model, SeriesView series, EtsFit *fit);

/* The fit with the least AICc among those models whose forecasts have a finite variance and whose
 * trend, if any, is additive: errors A with N, A, Ad and season N, A; and, where all values are
 * above 0, errors M with N, A, Ad and season N, A, M. */
void ets_choose(SeriesView series, EtsFit *fit);

/* What was found of a series when it was shorter, so that a search of the longer one begins there
 * and takes half the time. All zero is nothing. */
typedef struct EtsTried {
    EtsFit fit;
    int n;         /* values of the series; 0: never fitted */
    double behind; /* how far its AICc was above the least */
} EtsTried;
typedef struct EtsBefore {
    EtsTried tried[ETS_ERRORS][ETS_SEASONS][ETS_TRENDS];
} EtsBefore;

/* As above, from `before`, which is then of this series. A model that was so far behind that the
 * values since cannot have made up for it is not tried. */
void ets_choose_again(SeriesView series, EtsBefore *before, EtsFit *fit);

/* Forecasts of the `horizon` periods after the series, mean [horizon]: the mean of what the model
 * says will come; the point forecast where that has no closed form (a multiplicative trend, or an
 * additive error with a multiplicative season). */
FitOutcome ets_mean(const EtsFit *fit, int horizon, double *mean);

/* Whether the weights of old values die away (Hyndman, Akram, Archibald 2008, "The admissible
 * parameter space for exponential smoothing models", Annals of the Institute of Statistical
 * Mathematics 60(2)), for parameters in the box of ets_fit. */
bool ets_is_admissible(EtsModel model, const EtsParameters *parameters, int season);

/* Models by the conventions of kernel/fit.h: (A,N,N), (A,A,N), (A,Ad,N), and the choice. None takes
 * work space. A constant series is forecast as its constant, whatever its length. */
int64_t ses_work(int n, int season, int horizon);
FitOutcome ses_forecast(SeriesView series, int horizon, double *mean, double *work);
int64_t holt_work(int n, int season, int horizon);
FitOutcome holt_forecast(SeriesView series, int horizon, double *mean, double *work);
int64_t damped_work(int n, int season, int horizon);
FitOutcome damped_forecast(SeriesView series, int horizon, double *mean, double *work);
int64_t ets_work(int n, int season, int horizon);
FitOutcome ets_forecast(SeriesView series, int horizon, double *mean, double *work);
/* The choice, from what was found before. */
FitOutcome ets_forecast_again(SeriesView series, int horizon, EtsBefore *before, double *mean);

#endif
