/* Exponential smoothing: the passes against the equations of the book and against differences, the
 * fits against other places, and series that tell little. */
#include "kernel/ets.h"

#include "base/memory.h"
#include "base/random.h"
#include "kernel/ets_filter.h"
#include "unit/suites.h"

#include <complex.h>
#include <math.h>
#include <string.h>

enum { LONGEST = 400, MODELS = ETS_ERRORS * ETS_TRENDS * ETS_SEASONS };

static EtsModel model_of(int number)
{
    return (EtsModel){.error = (EtsError)(number / (ETS_TRENDS * ETS_SEASONS)),
                      .trend = (EtsTrend)(number / ETS_SEASONS % ETS_TRENDS),
                      .season = (EtsSeason)(number % ETS_SEASONS)};
}

static bool has_damping(EtsModel model)
{
    return model.trend == ETS_TREND_DAMPED || model.trend == ETS_TREND_MULTIPLICATIVE_DAMPED;
}

static double draw_between(Random *random, double low, double high)
{
    return low + (high - low) * random_unit(random);
}

/* A level, trend and season with errors around them, all above 0. */
static void draw_series(Random *random, int n, int season, double noise, double *y)
{
    for (int t = 0; t < n; t++)
        y[t] = (50.0 + 0.05 * t) *
               (1.0 + 0.3 * sin(6.283185307179586 * t / (season > 1 ? season : 9))) *
               fmax(0.2, 1.0 + noise * random_normal(random));
}

static EtsParameters draw_parameters(Random *random, EtsModel model)
{
    EtsParameters parameters = {.alpha = draw_between(random, 1e-4, 0.9999), .phi = 1.0};
    if (model.trend != ETS_TREND_NONE)
        parameters.beta = draw_between(random, 1e-4, parameters.alpha);
    if (model.season != ETS_SEASON_NONE)
        parameters.gamma = draw_between(random, 1e-4, 1.0 - parameters.alpha);
    if (has_damping(model))
        parameters.phi = draw_between(random, 0.8, 0.98);
    return parameters;
}

static EtsState draw_state(Random *random, EtsModel model, int season)
{
    EtsState state = {.level = draw_between(random, 40, 60)};
    if (model.trend == ETS_TREND_MULTIPLICATIVE || model.trend == ETS_TREND_MULTIPLICATIVE_DAMPED)
        state.slope = draw_between(random, 0.98, 1.02);
    else if (model.trend != ETS_TREND_NONE)
        state.slope = draw_between(random, -0.5, 0.5);
    bool multiplies = model.season == ETS_SEASON_MULTIPLICATIVE;
    double rest = multiplies ? season : 0.0;
    for (int i = 0; i < season && model.season != ETS_SEASON_NONE; i++) {
        state.season[i] = multiplies ? draw_between(random, 0.7, 1.3) : draw_between(random, -9, 9);
        if (i == season - 1)
            state.season[i] = rest;
        rest -= state.season[i];
    }
    return state;
}

static EtsPass pass_of(EtsModel model, const double *y, int n, int season)
{
    return (EtsPass){.model = model,
                     .y = y,
                     .n = n,
                     .season = model.season == ETS_SEASON_NONE ? 1 : season,
                     .least_sum = 1e-20};
}

/* ---- passes ---- */

/* Hyndman et al. 2008, tables 2.2 and 2.3, column by column, with all states kept. */
static double book_loss(const EtsPass *pass, const EtsParameters *parameters, EtsState *state)
{
    static double seasons[LONGEST + ETS_SEASON_MAX];
    EtsModel model = pass->model;
    double l = state->level;
    double b = state->slope;
    double phi = parameters->phi;
    double squares = 0.0;
    double logs = 0.0;
    memcpy(seasons, state->season, sizeof state->season);
    for (int t = 0; t < pass->n; t++) {
        double s = seasons[t];
        double mu = l;
        double next_b = b;
        if (model.trend == ETS_TREND_ADDITIVE || model.trend == ETS_TREND_DAMPED) {
            mu = l + phi * b;
            next_b = phi * b;
        } else if (model.trend != ETS_TREND_NONE) {
            mu = l * pow(b, phi);
            next_b = pow(b, phi);
        }
        double f = mu;
        double share_s = 0.0; /* by which e is divided */
        if (model.season == ETS_SEASON_ADDITIVE)
            f = mu + s;
        else if (model.season == ETS_SEASON_MULTIPLICATIVE)
            f = mu * s;
        share_s = model.season == ETS_SEASON_MULTIPLICATIVE ? s : 1.0;
        double e = model.error == ETS_ERROR_ADDITIVE ? pass->y[t] - f : (pass->y[t] - f) / f;
        double moved = model.error == ETS_ERROR_ADDITIVE ? e : e * f;
        double next_l = mu + parameters->alpha * moved / share_s;
        double by = model.trend == ETS_TREND_MULTIPLICATIVE ||
                            model.trend == ETS_TREND_MULTIPLICATIVE_DAMPED
                        ? l
                        : 1.0;
        seasons[t + pass->season] =
            s + parameters->gamma * moved / (model.season == ETS_SEASON_MULTIPLICATIVE ? mu : 1.0);
        b = next_b + parameters->beta * moved / (share_s * by);
        l = next_l;
        squares += e * e;
        logs += log(fabs(f));
    }
    state->level = l;
    state->slope = b;
    memcpy(state->season, seasons + pass->n, sizeof state->season);
    return pass->n * log(squares) + (model.error == ETS_ERROR_MULTIPLICATIVE ? 2.0 * logs : 0.0);
}

static void test_filter(void)
{
    static const int lengths[] = {1, 2, 5, 6, 7, 8, 33, 100};
    static const int periods[] = {2, 7, 12, 24};
    Random random = random_stream(1, 1);
    double y[LONGEST];
    for (int number = 0; number < MODELS; number++)
        for (int i = 0; i < 8; i++)
            for (int j = 0; j < 4; j++) {
                EtsModel model = model_of(number);
                draw_series(&random, lengths[i], periods[j], 0.1, y);
                EtsPass pass = pass_of(model, y, lengths[i], periods[j]);
                EtsParameters parameters = draw_parameters(&random, model);
                parameters.beta *= 0.02;
                EtsState state = draw_state(&random, model, pass.season);
                EtsState by_book = state;
                double loss = ets_loss(&pass, &parameters, &state, NULL);
                double want = book_loss(&pass, &parameters, &by_book);
                if (!isfinite(want) || fabs(by_book.level) > 1e6 || fabs(by_book.level) < 1e-3)
                    continue;
                CU_ASSERT_DOUBLE_EQUAL(loss, want, 1e-8 * (1.0 + fabs(want)));
                CU_ASSERT_DOUBLE_EQUAL(state.level, by_book.level, 1e-8 * fabs(by_book.level));
                CU_ASSERT_DOUBLE_EQUAL(state.slope, by_book.slope, 1e-8);
                for (int k = 0; k < pass.season && model.season != ETS_SEASON_NONE; k++)
                    CU_ASSERT_DOUBLE_EQUAL(state.season[k], by_book.season[k], 1e-8);
            }
}

/* Move the variable of column c by `step`. */
static void move(EtsModel model, int season, int c, double step, EtsParameters *parameters,
                 EtsState *state)
{
    EtsColumns columns = ets_columns(model, season);
    if (c == columns.alpha)
        parameters->alpha += step;
    else if (c == columns.beta)
        parameters->beta += step;
    else if (c == columns.phi)
        parameters->phi += step;
    else if (c == columns.gamma)
        parameters->gamma += step;
    else if (c == columns.level)
        state->level += step;
    else if (c == columns.slope)
        state->slope += step;
    else {
        state->season[c - columns.season] += step;
        state->season[season - 1] -= step;
    }
}

static double loss_moved(const EtsPass *pass, const EtsParameters *parameters,
                         const EtsState *start, int c, double step)
{
    EtsParameters moved = *parameters;
    EtsState state = *start;
    move(pass->model, pass->season, c, step, &moved, &state);
    return ets_loss(pass, &moved, &state, NULL);
}

static void test_slopes(void)
{
    Random random = random_stream(2, 2);
    double y[LONGEST];
    EtsSlopes slopes;
    for (int number = 0; number < MODELS; number++)
        for (int season = 2; season <= 24; season += 11) {
            EtsModel model = model_of(number);
            draw_series(&random, 61, season, 0.1, y);
            EtsPass pass = pass_of(model, y, 61, season);
            EtsParameters parameters = {.alpha = draw_between(&random, 0.05, 0.3),
                                        .phi = has_damping(model) ? 0.9 : 1.0,
                                        .beta = model.trend == ETS_TREND_NONE ? 0.0 : 0.02,
                                        .gamma = model.season == ETS_SEASON_NONE ? 0.0 : 0.1};
            EtsState start = draw_state(&random, model, pass.season);
            EtsState end = start;
            ets_slopes(&pass, &parameters, &start, &slopes);
            double loss = ets_loss(&pass, &parameters, &end, NULL);
            CU_ASSERT_DOUBLE_EQUAL(slopes.loss, loss, 1e-9 * fabs(loss));
            EtsColumns columns = ets_columns(model, pass.season);
            for (int c = 0; c < columns.n; c++) {
                double step = c < columns.level ? 1e-6 : 1e-5;
                double difference = (loss_moved(&pass, &parameters, &start, c, step) -
                                     loss_moved(&pass, &parameters, &start, c, -step)) /
                                    (2.0 * step);
                CU_ASSERT_DOUBLE_EQUAL(slopes.gradient[c], difference,
                                       1e-4 * (1.0 + fabs(difference)));
                CU_ASSERT(slopes.curvature[c][c] >= 0.0);
                for (int d = 0; d < c; d++)
                    CU_ASSERT_EQUAL(slopes.curvature[c][d], slopes.curvature[d][c]);
            }
        }
}

/* ---- admissibility ---- */

/* The largest root of sum(p[i] z^i), p[n] = 1, by Weierstrass' iteration; without the one at 1 that
 * is always there if there is no trend. */
static double largest_root(const double *p, int n, bool has_trend)
{
    double complex roots[ETS_SEASON_MAX + 1];
    for (int i = 0; i < n; i++)
        roots[i] = cpow(0.4 + 0.9 * I, i);
    for (int round = 0; round < 500; round++)
        for (int i = 0; i < n; i++) {
            double complex value = 1.0;
            double complex others = 1.0;
            for (int j = n - 1; j >= 0; j--)
                value = value * roots[i] + p[j];
            for (int j = 0; j < n; j++)
                if (j != i)
                    others *= roots[i] - roots[j];
            roots[i] -= value / others;
        }
    double largest = 0.0;
    for (int i = 0; i < n; i++)
        if (has_trend || cabs(roots[i] - 1.0) > 1e-9)
            largest = fmax(largest, cabs(roots[i]));
    return largest;
}

static void test_admissible(void)
{
    Random random = random_stream(3, 3);
    int inside = 0;
    int outside = 0;
    for (int i = 0; i < 600; i++) {
        int season = 2 + i % 12;
        EtsModel model = {.trend = (EtsTrend)(i % 3), .season = ETS_SEASON_ADDITIVE};
        EtsParameters q = draw_parameters(&random, model);
        double p[ETS_SEASON_MAX + 2];
        for (int j = 0; j <= season; j++)
            p[j] = q.alpha + q.beta - q.alpha * q.phi;
        p[0] = q.phi * (1.0 - q.alpha - q.gamma);
        p[1] += q.gamma - 1.0;
        p[season] += q.alpha * q.phi - q.phi;
        p[season + 1] = 1.0;
        double largest = largest_root(p, season + 1, model.trend != ETS_TREND_NONE);
        if (fabs(largest - 1.0) < 1e-6)
            continue;
        CU_ASSERT_EQUAL(ets_is_admissible(model, &q, season), largest < 1.0);
        *(largest < 1.0 ? &inside : &outside) += 1;
    }
    CU_ASSERT(inside > 100);
    CU_ASSERT(outside > 10);
    /* Slow learning, where all roots are close to the circle. */
    for (int season = 2; season <= ETS_SEASON_MAX; season++) {
        EtsParameters slow = {.alpha = 1e-4, .beta = 1e-4, .gamma = 1e-4, .phi = 1.0};
        EtsModel model = {.trend = ETS_TREND_ADDITIVE, .season = ETS_SEASON_ADDITIVE};
        CU_ASSERT(ets_is_admissible(model, &slow, season));
        slow.phi = 0.98;
        CU_ASSERT(ets_is_admissible(model, &slow, season));
        slow = (EtsParameters){.alpha = 1e-4, .gamma = 1e-4, .phi = 1.0};
        model.trend = ETS_TREND_NONE;
        CU_ASSERT(ets_is_admissible(model, &slow, season));
    }
}

/* ---- fits ---- */

/* Is there a better place among random ones, near and far? */
static void check_optimum(Random *random, const EtsFit *fit, const double *y, int n)
{
    EtsPass pass = pass_of(fit->model, y, n, fit->season);
    EtsState rough;
    ets_start(&pass, &rough);
    int better = 0;
    for (int i = 0; i < 200; i++) {
        EtsParameters parameters = draw_parameters(random, fit->model);
        EtsState state = i % 2 ? rough : fit->start;
        if (!ets_is_admissible(fit->model, &parameters, fit->season))
            continue;
        if (i % 4 > 1)
            parameters = fit->parameters;
        double size = i % 4 == 0 ? 0.0 : draw_between(random, -0.1, 0.1);
        state.level += size * (fabs(state.level) + 1.0);
        better += ets_loss(&pass, &parameters, &state, NULL) < -2.0 * fit->log_likelihood - 1e-6;
    }
    CU_ASSERT_EQUAL(better, 0);
}

static void test_optimum(void)
{
    Random random = random_stream(4, 4);
    double y[LONGEST];
    for (int number = 0; number < MODELS; number++)
        for (int season = 4; season <= 12; season += 8)
            for (int n = 60; n <= LONGEST; n += 340) {
                EtsFit fit;
                draw_series(&random, n, season, 0.15, y);
                ets_fit(model_of(number), (SeriesView){.y = y, .n = n, .season = season}, &fit);
                CU_ASSERT_EQUAL(fit.outcome, FIT_OK);
                if (fit.outcome == FIT_OK)
                    check_optimum(&random, &fit, y, n);
            }
}

/* Parameters that a series was drawn with come back. */
static void test_recovery(void)
{
    static double y[4000];
    Random random = random_stream(5, 5);
    double level = 100.0;
    for (int t = 0; t < 4000; t++) {
        double error = random_normal(&random);
        y[t] = level + error;
        level += 0.3 * error;
    }
    EtsFit fit;
    SeriesView series = {.y = y, .n = 4000, .season = 7};
    ets_fit((EtsModel){.trend = ETS_TREND_NONE}, series, &fit);
    CU_ASSERT_EQUAL(fit.outcome, FIT_OK);
    CU_ASSERT_EQUAL(fit.n_parameters, 3);
    CU_ASSERT_DOUBLE_EQUAL(fit.parameters.alpha, 0.3, 0.04);
    CU_ASSERT_DOUBLE_EQUAL(fit.sigma2, 1.0, 0.08);
    CU_ASSERT_DOUBLE_EQUAL(fit.start.level, 100.0, 4.0);
    CU_ASSERT_DOUBLE_EQUAL(fit.end.level, level, 1.0);
    CU_ASSERT_DOUBLE_EQUAL(fit.aic, 6.0 - 2.0 * fit.log_likelihood, 1e-9 * fit.aic);
    CU_ASSERT_DOUBLE_EQUAL(fit.bic, 3.0 * log(4000.0) - 2.0 * fit.log_likelihood, 1e-9 * fit.bic);
    CU_ASSERT_DOUBLE_EQUAL(fit.aicc, fit.aic + 24.0 / 3996.0, 1e-9 * fit.aicc);
}

/* The choice is no worse than fitting each candidate to its end; it can be a little better, as each
 * starts where others ended. */
static void test_choice(void)
{
    Random random = random_stream(6, 6);
    double y[LONGEST];
    for (int i = 0; i < 12; i++) {
        int season = i % 3 == 0 ? 1 : 7;
        int n = 40 + 30 * i;
        draw_series(&random, n, season, i % 2 ? 0.3 : 0.05, y);
        if (i % 4 == 3)
            y[n / 2] = 0.0;
        SeriesView series = {.y = y, .n = n, .season = season};
        EtsFit chosen;
        ets_choose(series, &chosen);
        CU_ASSERT_EQUAL(chosen.outcome, FIT_OK);
        double least = INFINITY;
        for (int number = 0; number < MODELS; number++) {
            EtsModel model = model_of(number);
            EtsFit fit;
            if (model.trend > ETS_TREND_DAMPED ||
                (model.error == ETS_ERROR_ADDITIVE && model.season == ETS_SEASON_MULTIPLICATIVE))
                continue;
            ets_fit(model, series, &fit);
            if (fit.outcome == FIT_OK && fit.aicc < least)
                least = fit.aicc;
            CU_ASSERT(fit.outcome != FIT_NOT_POSITIVE ||
                      (i % 4 == 3 && model.error == ETS_ERROR_MULTIPLICATIVE));
        }
        CU_ASSERT(chosen.aicc < least + 1e-3 && chosen.aicc > least - 1.0);
        double mean[20];
        double again[20];
        CU_ASSERT_EQUAL(ets_mean(&chosen, 20, mean), FIT_OK);
        CU_ASSERT_EQUAL(ets_forecast(series, 20, again, NULL), FIT_OK);
        CU_ASSERT(memcmp(mean, again, sizeof mean) == 0);
    }
}

/* From fits of the shorter series the choice is hardly ever worse, in far fewer passes. */
static void test_choice_again(void)
{
    enum { SERIES = 24, FIRST = 180, LATER = 28, ORIGINS = 4 };
    Random random = random_stream(31, 6);
    double y[LONGEST];
    int passes = 0, passes_again = 0, n_worse = 0;
    for (int i = 0; i < SERIES; i++) {
        int season = i % 3 == 0 ? 1 : 7;
        EtsBefore before = {0};
        draw_series(&random, FIRST + ORIGINS * LATER, season, i % 2 ? 0.3 : 0.05, y);
        for (int o = 0; o < ORIGINS; o++) {
            SeriesView series = {.y = y, .n = FIRST + o * LATER, .season = season};
            EtsFit alone, again;
            ets_choose(series, &alone);
            ets_choose_again(series, &before, &again);
            CU_ASSERT_EQUAL(again.outcome, FIT_OK);
            CU_ASSERT(o > 0 || memcmp(&alone, &again, sizeof alone) == 0);
            n_worse += again.aicc > alone.aicc + 0.5;
            passes += o > 0 ? alone.passes : 0;
            passes_again += o > 0 ? again.passes : 0;
        }
    }
    CU_ASSERT(n_worse <= SERIES * ORIGINS / 20);
    CU_ASSERT(passes_again < passes / 2);
}

/* Forecasts go where the last states lead: by hand. */
static void test_mean(void)
{
    EtsFit fit = {.season = 2, .parameters = {.phi = 0.5}, .end = {.level = 8, .slope = 4}};
    double mean[5];
    fit.end.season[0] = 0.5;
    fit.end.season[1] = 2.0;
    fit.model = (EtsModel){.trend = ETS_TREND_DAMPED, .season = ETS_SEASON_ADDITIVE};
    CU_ASSERT_EQUAL(ets_mean(&fit, 3, mean), FIT_OK);
    CU_ASSERT(mean[0] == 10.5 && mean[1] == 13.0 && mean[2] == 12.0);
    fit.model =
        (EtsModel){.trend = ETS_TREND_MULTIPLICATIVE_DAMPED, .season = ETS_SEASON_MULTIPLICATIVE};
    CU_ASSERT_EQUAL(ets_mean(&fit, 3, mean), FIT_OK);
    CU_ASSERT_DOUBLE_EQUAL(mean[0], 8.0, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(mean[1], 2.0 * 8.0 * pow(4.0, 0.75), 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(mean[2], 0.5 * 8.0 * pow(4.0, 0.875), 1e-12);
    fit.parameters.phi = 1.0;
    fit.model = (EtsModel){.trend = ETS_TREND_ADDITIVE};
    CU_ASSERT_EQUAL(ets_mean(&fit, 3, mean), FIT_OK);
    CU_ASSERT(mean[0] == 12.0 && mean[2] == 20.0);
    fit.model = (EtsModel){.error = ETS_ERROR_MULTIPLICATIVE};
    CU_ASSERT_EQUAL(ets_mean(&fit, 3, mean), FIT_OK);
    CU_ASSERT(mean[0] == 8.0 && mean[2] == 8.0);
    CU_ASSERT_EQUAL(ets_mean(&fit, 0, NULL), FIT_OK);
    fit.end.level = INFINITY;
    CU_ASSERT_EQUAL(ets_mean(&fit, 1, mean), FIT_NOT_FINITE);
    char name[ETS_NAME_SIZE];
    ets_name((EtsModel){.trend = ETS_TREND_MULTIPLICATIVE_DAMPED}, name);
    CU_ASSERT_STRING_EQUAL(name, "A,Md,N");
}

/* The mean of many futures that are drawn from the model, whose season learns from the same errors
 * as its level. */
static void test_mean_of_futures(void)
{
    enum { FUTURES = 200000, PERIODS = 6 };
    EtsFit fit = {.season = 2,
                  .sigma2 = 0.04,
                  .parameters = {.alpha = 0.5, .beta = 0.2, .gamma = 0.4, .phi = 0.9},
                  .model = {.error = ETS_ERROR_MULTIPLICATIVE,
                            .trend = ETS_TREND_DAMPED,
                            .season = ETS_SEASON_MULTIPLICATIVE},
                  .end = {.level = 10.0, .slope = 1.0, .season = {0.8, 1.2}}};
    double sums[PERIODS] = {0.0};
    double mean[PERIODS];
    Random random = random_stream(9, 9);
    for (int i = 0; i < FUTURES; i++) {
        EtsState state = fit.end;
        for (int h = 0; h < PERIODS; h++) {
            double *season = &state.season[h % 2];
            double base = state.level + 0.9 * state.slope;
            double error = 0.2 * random_normal(&random);
            sums[h] += base * *season * (1.0 + error);
            state.slope = 0.9 * state.slope + 0.2 * base * error;
            state.level = base * (1.0 + 0.5 * error);
            *season *= 1.0 + 0.4 * error;
        }
    }
    CU_ASSERT_EQUAL(ets_mean(&fit, PERIODS, mean), FIT_OK);
    for (int h = 0; h < PERIODS; h++)
        CU_ASSERT_DOUBLE_EQUAL(mean[h], sums[h] / FUTURES, 0.004 * mean[h]);
}

/* ---- series that tell little ---- */

typedef FitOutcome Forecast(SeriesView series, int horizon, double *mean, double *work);

static Forecast *const FORECASTS[] = {ses_forecast, holt_forecast, damped_forecast, ets_forecast};
enum { FORECAST_KINDS = 4, HORIZON = 15 };

static void test_constant(void)
{
    static const double constants[] = {0.0, 0.1, -7.3, 1e12, 1e-12};
    double y[LONGEST];
    double mean[HORIZON];
    for (int c = 0; c < 5; c++) {
        for (int t = 0; t < LONGEST; t++)
            y[t] = constants[c];
        for (int n = 1; n <= LONGEST; n += n < 20 ? 1 : 95)
            for (int k = 0; k < FORECAST_KINDS; k++) {
                SeriesView series = {.y = y, .n = n, .season = 7};
                CU_ASSERT_EQUAL(FORECASTS[k](series, HORIZON, mean, NULL), FIT_OK);
                for (int h = 0; h < HORIZON; h++)
                    CU_ASSERT_EQUAL(mean[h], constants[c]);
            }
        for (int number = 0; number < MODELS; number++) {
            EtsFit fit;
            ets_fit(model_of(number), (SeriesView){.y = y, .n = 60, .season = 7}, &fit);
            if (fit.outcome == FIT_NOT_POSITIVE)
                continue;
            CU_ASSERT_EQUAL(fit.outcome, FIT_OK);
            CU_ASSERT_EQUAL(ets_mean(&fit, HORIZON, mean), FIT_OK);
            for (int h = 0; h < HORIZON; h++)
                CU_ASSERT_DOUBLE_EQUAL(mean[h], constants[c], 1e-9 * fabs(constants[c]));
        }
    }
}

static void test_edges(void)
{
    double y[LONGEST];
    double mean[HORIZON];
    Random random = random_stream(7, 7);
    for (int shape = 0; shape < 6; shape++)
        for (int n = 0; n <= 120; n += n < 40 ? 1 : 20)
            for (int k = 0; k < FORECAST_KINDS; k++) {
                for (int t = 0; t < n; t++) {
                    double noise = random_normal(&random);
                    const double values[] = {t == n / 2 ? 3.0 : 0.0,
                                             -50.0 + noise,
                                             1e12 * (1.0 + 0.01 * noise),
                                             t,
                                             t % 7,
                                             1e-9 * noise};
                    y[t] = values[shape];
                }
                SeriesView series = {.y = y, .n = n, .season = n % 3 ? 7 : 12};
                FitOutcome outcome = FORECASTS[k](series, HORIZON, mean, NULL);
                CU_ASSERT(outcome == FIT_OK || (outcome == FIT_TOO_SHORT && n < 8));
                if (n == 0)
                    CU_ASSERT_EQUAL(outcome, FIT_TOO_SHORT);
                for (int h = 0; h < HORIZON && outcome == FIT_OK; h++)
                    CU_ASSERT(isfinite(mean[h]) && fabs(mean[h]) < 1e14);
                if (shape == 3 && n > 10 && k != 0 && k != 2) /* a straight line goes on */
                    CU_ASSERT_DOUBLE_EQUAL(mean[HORIZON - 1], n + HORIZON - 1, 1e-3 * n);
            }
    EtsFit fit;
    EtsModel seasonal = {.season = ETS_SEASON_ADDITIVE};
    ets_fit(seasonal, (SeriesView){.y = y, .n = 13, .season = 7}, &fit);
    CU_ASSERT_EQUAL(fit.outcome, FIT_NO_SEASON);
    ets_fit(seasonal, (SeriesView){.y = y, .n = 90, .season = 1}, &fit);
    CU_ASSERT_EQUAL(fit.outcome, FIT_NO_SEASON);
    ets_fit(seasonal, (SeriesView){.y = y, .n = 90, .season = 25}, &fit);
    CU_ASSERT_EQUAL(fit.outcome, FIT_NO_SEASON);
    CU_ASSERT_EQUAL(
        ses_work(1, 2, 3) + holt_work(1, 2, 3) + damped_work(1, 2, 3) + ets_work(1, 2, 3), 0);
}

/* What is asked for in dozens is forecast in dozens. */
static void test_units(void)
{
    double y[LONGEST];
    double scaled[LONGEST];
    double mean[HORIZON];
    double of_scaled[HORIZON];
    Random random = random_stream(8, 8);
    for (int k = 0; k < FORECAST_KINDS; k++) {
        draw_series(&random, 200, 7, 0.2, y);
        for (int t = 0; t < 200; t++)
            scaled[t] = 4096.0 * y[t];
        FORECASTS[k]((SeriesView){.y = y, .n = 200, .season = 7}, HORIZON, mean, NULL);
        FORECASTS[k]((SeriesView){.y = scaled, .n = 200, .season = 7}, HORIZON, of_scaled, NULL);
        for (int h = 0; h < HORIZON; h++)
            CU_ASSERT_DOUBLE_EQUAL(of_scaled[h], 4096.0 * mean[h], 1e-5 * of_scaled[h]);
    }
}

CU_TestInfo ets_tests[] = {{"a pass, by the book", test_filter},
                           {"slopes, by differences", test_slopes},
                           {"admissibility, by roots", test_admissible},
                           {"no better place", test_optimum},
                           {"parameters that were drawn with", test_recovery},
                           {"choice", test_choice},
                           {"choice, from a shorter series", test_choice_again},
                           {"point forecasts", test_mean},
                           {"mean of many futures", test_mean_of_futures},
                           {"constants", test_constant},
                           {"edges", test_edges},
                           {"units", test_units},
                           CU_TEST_INFO_NULL};
