/* The choice among models, and forecasts. */
#include "kernel/ets.h"

#include "kernel/ets_fit.h"

#include <math.h>
#include <stdio.h>

void ets_name(EtsModel model, char name[ETS_NAME_SIZE])
{
    static const char *const errors[ETS_ERRORS] = {"A", "M"};
    static const char *const trends[ETS_TRENDS] = {"N", "A", "Ad", "M", "Md"};
    static const char *const seasons[ETS_SEASONS] = {"N", "A", "M"};
    snprintf(name, ETS_NAME_SIZE, "%s,%s,%s", errors[model.error], trends[model.trend],
             seasons[model.season]);
}

/* Whether a search for the best model takes it into account: with an additive error and a
 * multiplicative season the variance of forecasts is infinite (Hyndman et al. 2008, section 6.5),
 * and a multiplicative trend runs away. */
static bool is_candidate(EtsModel model)
{
    return model.trend <= ETS_TREND_DAMPED &&
           (model.error == ETS_ERROR_MULTIPLICATIVE || model.season != ETS_SEASON_MULTIPLICATIVE);
}

/* A model is left out while its AICc was more than this above the least one, and for each value
 * since. */
static const double BEHIND_LEAST = 20.0;
static const double BEHIND_EACH = 4.0;

static bool is_hopeless(const EtsTried *tried, int n)
{
    return tried->n > 0 && tried->behind > BEHIND_LEAST + BEHIND_EACH * (n - tried->n);
}

static const EtsFit *fit_like(const EtsBefore *before, EtsError error, EtsSeason season,
                              EtsTrend trend)
{
    const EtsTried *tried = &before->tried[error][season][trend];
    return tried->n > 0 ? &tried->fit : NULL;
}

/* likes out: fits that came before of the same model but for its trend, and but for its error or
 * its kind of season; NULL where there is none. */
static void find_similar(const EtsBefore *before, EtsModel model, const EtsFit *likes[ETS_LIKES])
{
    likes[0] = likes[1] = NULL;
    if (model.trend != ETS_TREND_NONE)
        likes[0] = fit_like(before, model.error, model.season, (EtsTrend)(model.trend - 1));
    if (model.season == ETS_SEASON_MULTIPLICATIVE)
        likes[1] = fit_like(before, model.error, ETS_SEASON_ADDITIVE, model.trend);
    else if (model.error == ETS_ERROR_MULTIPLICATIVE)
        likes[1] = fit_like(before, ETS_ERROR_ADDITIVE, model.season, model.trend);
}

/* Minus twice the log-likelihood below which `pass` must come for its AICc to be below `aicc`. */
static double loss_for(const EtsPass *pass, double aicc)
{
    double k = ets_columns(pass->model, pass->season).n + 1;
    return aicc - 2.0 * k - 2.0 * k * (k + 1.0) / (pass->n - k - 1.0);
}

static void fit_candidate(SeriesView series, EtsModel model, double aicc, EtsBefore *before,
                          EtsFit *fit)
{
    EtsTried *tried = &before->tried[model.error][model.season][model.trend];
    EtsPass pass;
    *fit = (EtsFit){.model = model};
    fit->outcome = ets_prepare(model, series, &pass);
    if (fit->outcome == FIT_OK) {
        const EtsFit *likes[ETS_LIKES];
        bool is_known = tried->n > 0 && tried->fit.season == pass.season;
        find_similar(before, model, likes);
        ets_search(&pass, likes, is_known ? &tried->fit : NULL, loss_for(&pass, aicc), fit);
    }
    tried->fit = *fit;
    tried->n = fit->outcome == FIT_OK ? series.n : 0;
}

/* Of the models that were fitted to n values. */
static void note_behind(EtsBefore *before, int n, double least)
{
    for (int error = 0; error < ETS_ERRORS; error++)
        for (int season = 0; season < ETS_SEASONS; season++)
            for (int trend = 0; trend < ETS_TRENDS; trend++) {
                EtsTried *tried = &before->tried[error][season][trend];
                if (tried->n == n)
                    tried->behind = tried->fit.aicc - least;
            }
}

void ets_choose_again(SeriesView series, EtsBefore *before, EtsFit *fit)
{
    double least = INFINITY;
    int passes = 0;
    *fit = (EtsFit){.outcome = FIT_TOO_SHORT};
    for (EtsError error = 0; error < ETS_ERRORS; error++)
        for (EtsSeason season = 0; season < ETS_SEASONS; season++)
            for (EtsTrend trend = 0; trend < ETS_TRENDS; trend++) {
                EtsModel model = {.error = error, .trend = trend, .season = season};
                EtsFit tried;
                if (!is_candidate(model) ||
                    is_hopeless(&before->tried[error][season][trend], series.n))
                    continue;
                fit_candidate(series, model, least, before, &tried);
                passes += tried.passes;
                if (tried.outcome == FIT_OK && tried.aicc < least) {
                    least = tried.aicc;
                    *fit = tried;
                }
            }
    fit->passes = passes;
    note_behind(before, series.n, least);
}

void ets_choose(SeriesView series, EtsFit *fit)
{
    EtsBefore before = {0};
    ets_choose_again(series, &before, fit);
}

/* Level and season that are multiplied learn from the same errors, so that the mean of their
 * product is not the product of their means (Hyndman et al. 2008, section 6.4.2). With a
 * multiplicative error it has a recursion: for each position of the season, level and slope times
 * its factor. */
static FitOutcome mean_of_products(const EtsFit *fit, int horizon, double *mean)
{
    const EtsParameters *parameters = &fit->parameters;
    double level[ETS_SEASON_MAX] = {0.0};
    double slope[ETS_SEASON_MAX] = {0.0};
    double shared = parameters->gamma * fit->sigma2;
    for (int i = 0; i < fit->season; i++) {
        level[i] = fit->end.level * fit->end.season[i];
        slope[i] = fit->end.slope * fit->end.season[i];
    }
    for (int h = 0; h < horizon; h++) {
        for (int i = 0; i < fit->season; i++) {
            slope[i] *= parameters->phi;
            level[i] += slope[i];
        }
        int now = h % fit->season;
        mean[h] = level[now];
        slope[now] += parameters->beta * shared * level[now];
        level[now] += parameters->alpha * shared * level[now];
        if (!isfinite(mean[h]))
            return FIT_NOT_FINITE;
    }
    return FIT_OK;
}

FitOutcome ets_mean(const EtsFit *fit, int horizon, double *mean)
{
    if (fit->model.error == ETS_ERROR_MULTIPLICATIVE && fit->model.trend <= ETS_TREND_DAMPED &&
        fit->model.season == ETS_SEASON_MULTIPLICATIVE)
        return mean_of_products(fit, horizon, mean);
    bool multiplies_trend = fit->model.trend == ETS_TREND_MULTIPLICATIVE ||
                            fit->model.trend == ETS_TREND_MULTIPLICATIVE_DAMPED;
    double steps = 0.0; /* phi + phi^2 + ... */
    double weight = 1.0;
    for (int h = 0; h < horizon; h++) {
        weight *= fit->parameters.phi;
        steps += weight;
        double base = fit->end.level;
        if (multiplies_trend)
            base *= pow(fit->end.slope, steps);
        else if (fit->model.trend != ETS_TREND_NONE)
            base += steps * fit->end.slope;
        double season = fit->end.season[h % fit->season];
        mean[h] = base;
        if (fit->model.season == ETS_SEASON_ADDITIVE)
            mean[h] = base + season;
        else if (fit->model.season == ETS_SEASON_MULTIPLICATIVE)
            mean[h] = base * season;
        if (!isfinite(mean[h]))
            return FIT_NOT_FINITE;
    }
    return FIT_OK;
}

/* ---- models by the conventions of kernel/fit.h ---- */

/* NOLINTBEGIN(readability-non-const-parameter): one type for all models */

static bool is_constant(SeriesView series)
{
    for (int i = 1; i < series.n; i++)
        if (series.y[i] != series.y[0])
            return false;
    return series.n > 0;
}

/* Whether there is nothing to fit: mean [horizon] out. */
static bool is_forecast_constant(SeriesView series, int horizon, double *mean)
{
    if (!is_constant(series))
        return false;
    for (int h = 0; h < horizon; h++)
        mean[h] = series.y[0];
    return true;
}

FitOutcome ets_forecast_again(SeriesView series, int horizon, EtsBefore *before, double *mean)
{
    EtsFit fit;
    if (is_forecast_constant(series, horizon, mean))
        return FIT_OK;
    ets_choose_again(series, before, &fit);
    return fit.outcome == FIT_OK ? ets_mean(&fit, horizon, mean) : fit.outcome;
}

static FitOutcome forecast_trend(EtsTrend trend, SeriesView series, int horizon, double *mean)
{
    EtsFit fit;
    if (is_forecast_constant(series, horizon, mean))
        return FIT_OK;
    ets_fit((EtsModel){.trend = trend}, series, &fit);
    return fit.outcome == FIT_OK ? ets_mean(&fit, horizon, mean) : fit.outcome;
}

int64_t ets_work(int n, int season, int horizon)
{
    (void)n, (void)season, (void)horizon;
    return 0;
}

FitOutcome ets_forecast(SeriesView series, int horizon, double *mean, double *work)
{
    (void)work;
    EtsBefore before = {0};
    return ets_forecast_again(series, horizon, &before, mean);
}

int64_t ses_work(int n, int season, int horizon)
{
    return ets_work(n, season, horizon);
}

FitOutcome ses_forecast(SeriesView series, int horizon, double *mean, double *work)
{
    (void)work;
    return forecast_trend(ETS_TREND_NONE, series, horizon, mean);
}

int64_t holt_work(int n, int season, int horizon)
{
    return ets_work(n, season, horizon);
}

FitOutcome holt_forecast(SeriesView series, int horizon, double *mean, double *work)
{
    (void)work;
    return forecast_trend(ETS_TREND_ADDITIVE, series, horizon, mean);
}

int64_t damped_work(int n, int season, int horizon)
{
    return ets_work(n, season, horizon);
}

FitOutcome damped_forecast(SeriesView series, int horizon, double *mean, double *work)
{
    (void)work;
    return forecast_trend(ETS_TREND_DAMPED, series, horizon, mean);
}
/* NOLINTEND(readability-non-const-parameter) */
