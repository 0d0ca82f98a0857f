/* Forecasts of series from stdin, for comparison with other programs (tests/job/forecast_r.sh).
 *
 * A line of input: NAME SEASON HORIZON VALUE..., separated by spaces. For each series one line of
 * output a model: NAME MODEL MILLISECONDS LOG_LIKELIHOOD AICC FORECAST... and then, for models of
 * exponential smoothing, ALPHA BETA GAMMA PHI LEVEL SLOPE SEASON..., the start as of the first
 * period. MODEL is one of the 15 that ets_choose takes into account (as A,Ad,N), its choice
 * (ets=A,Ad,N), or a forecast without a likelihood (nan). A model that cannot be fitted has no
 * line. */
#include "base/memory.h"
#include "kernel/ets.h"
#include "kernel/theta.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct Method {
    const char *name;
    FitOutcome (*forecast)(SeriesView series, int horizon, double *mean, double *work);
    int64_t (*work)(int n, int season, int horizon);
} Method;

/* A method that has a rival: its line here, and its call in forecast_r.R. */
static const Method METHODS[] = {{"ses", ses_forecast, ses_work},
                                 {"holt", holt_forecast, holt_work},
                                 {"damped", damped_forecast, damped_work},
                                 {"theta", theta_drift_forecast, theta_drift_work}};

static double milliseconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

static void print_numbers(double since, double log_likelihood, double aicc, const double *mean,
                          int horizon)
{
    printf(" %.3f %.17g %.17g", milliseconds_now() - since, log_likelihood, aicc);
    for (int h = 0; h < horizon; h++)
        printf(" %.17g", mean[h]);
}

static void print_fit(const char *name, const char *prefix, double since, const EtsFit *fit,
                      int horizon, double *mean)
{
    char label[ETS_NAME_SIZE];
    if (fit->outcome != FIT_OK || ets_mean(fit, horizon, mean) != FIT_OK)
        return;
    ets_name(fit->model, label);
    printf("%s %s%s", name, prefix, label);
    print_numbers(since, fit->log_likelihood, fit->aicc, mean, horizon);
    const EtsParameters *found = &fit->parameters;
    printf(" %.17g %.17g %.17g %.17g %.17g %.17g", found->alpha, found->beta, found->gamma,
           found->phi, fit->start.level, fit->start.slope);
    for (int i = 0; i < fit->season; i++)
        printf(" %.17g", fit->start.season[i]);
    printf("\n");
}

static void forecast_all(const char *name, SeriesView series, int horizon)
{
    double *mean = mem_new(horizon, sizeof *mean);
    for (EtsError error = 0; error < ETS_ERRORS; error++)
        for (EtsTrend trend = 0; trend <= ETS_TREND_DAMPED; trend++)
            for (EtsSeason season = 0; season < ETS_SEASONS; season++) {
                EtsFit fit;
                double since = milliseconds_now();
                if (error == ETS_ERROR_ADDITIVE && season == ETS_SEASON_MULTIPLICATIVE)
                    continue;
                ets_fit((EtsModel){.error = error, .trend = trend, .season = season}, series, &fit);
                print_fit(name, "", since, &fit, horizon, mean);
            }
    EtsFit chosen;
    double since = milliseconds_now();
    ets_choose(series, &chosen);
    print_fit(name, "ets=", since, &chosen, horizon, mean);
    for (size_t i = 0; i < sizeof METHODS / sizeof *METHODS; i++) {
        const Method *method = &METHODS[i];
        double *work = mem_new(method->work(series.n, series.season, horizon), sizeof *work);
        since = milliseconds_now();
        if (method->forecast(series, horizon, mean, work) == FIT_OK) {
            printf("%s %s", name, method->name);
            print_numbers(since, (double)NAN, (double)NAN, mean, horizon);
            printf("\n");
        }
        mem_free(&work);
    }
    mem_free(&mean);
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0) {
        char *rest = NULL;
        const char *name = strtok_r(line, " \n", &rest);
        const char *season = strtok_r(NULL, " \n", &rest);
        const char *horizon = strtok_r(NULL, " \n", &rest);
        if (!horizon)
            continue;
        double *values = NULL;
        int n = 0;
        for (const char *value; (value = strtok_r(NULL, " \n", &rest)) != NULL;) {
            if ((n & (n - 1)) == 0)
                mem_grow(&values, n == 0 ? 1 : 2 * n, sizeof *values);
            values[n++] = strtod(value, NULL);
        }
        forecast_all(name, (SeriesView){.y = values, .n = n, .season = atoi(season)},
                     atoi(horizon));
        mem_free(&values);
    }
    free(line);
    return EXIT_SUCCESS;
}
