/* Complex exponential smoothing. The loops over time are written for each kind of season, so that
 * nothing is decided inside them; what the next level waits for is one product and two sums. */
#include "kernel/ces.h"

#include "kernel/nelder_mead.h"
#include "kernel/seasonality.h"

#include <math.h>
#include <string.h>

enum { FIRST_VALUES = 10, EVALUATIONS_MOST = 400, SPARE_VALUES = 3 };
static const double LEVEL_BY_POTENTIAL = 1.1; /* as the authors' implementation begins */
static const double MOST = 2.0;               /* of a parameter */
static const double TOLERANCE = 1e-7;
static const double EDGE_NEAR = 0.01; /* of the first simplex around an earlier fit */
/* Keeps states out of the denormal numbers, which are slow, where a series ends in zeros. */
static const double VALUE_FLOOR = 1e-150;

static const double STARTS[CES_SEASONS][CES_PARAMETERS_MAX] = {
    {1.3, 1.0, 0.0, 0.0}, {1.3, 1.0, 0.0, 0.0}, {1.3, 0.95, 0.1, 0.0}, {1.3, 0.95, 1.3, 0.95}};

/* A pair's step x' = F x + g e, as the paper writes it. */
typedef struct Step {
    double pull, keep;      /* 1 - a1, 1 - a0 */
    double gain, potential; /* a0 - a1, a0 + a1 */
} Step;

typedef struct Pair {
    double level, potential;
} Pair;

typedef struct Ces {
    CesSeason season;
    int n, lag;
    const double *y; /* [n] */
    Pair start;      /* of the part without season */
    Pair *ring;      /* [lag] of the seasonal part, by time modulo lag; CES_PARTIAL: levels alone */
    Pair *ring_start;
    double *search; /* for nelder_mead_minimise and the polynomial */
} Ces;

int ces_parameter_count(CesSeason season)
{
    return season == CES_FULL ? 4 : season == CES_PARTIAL ? 3 : 2;
}

int64_t ces_work(int n, int season, int horizon)
{
    (void)horizon;
    int64_t lag = season;
    return n + lag + 4 * lag + nelder_mead_work(CES_PARAMETERS_MAX) + 2 * (2 * lag + 3);
}

static Step step_of(const double *parameters)
{
    double real = parameters[0];
    double imaginary = parameters[1];
    return (Step){1.0 - imaginary, 1.0 - real, real - imaginary, real + imaginary};
}

static inline Pair advance(const Step *step, Pair pair, double error)
{
    return (Pair){pair.level - step->pull * pair.potential + step->gain * error,
                  pair.level + step->keep * pair.potential + step->potential * error};
}

/* As advance() with the error value - pair.level, which is then not waited for. */
static inline Pair smooth(const Step *step, Pair pair, double value)
{
    return (Pair){((1.0 - step->gain) * pair.level - step->pull * pair.potential) +
                      step->gain * value,
                  ((1.0 - step->potential) * pair.level + step->keep * pair.potential) +
                      step->potential * value};
}

/* Through the values in one direction; the states are those behind the last one when it returns
 * the sum of squared errors. season and forward are constants where this is called. */
static inline double pass(const Ces *ces, CesSeason season, const double *parameters, bool forward,
                          Pair *state)
{
    const Step step = step_of(parameters);
    const double seasonal_gain = season == CES_PARTIAL ? parameters[2] : 0.0;
    const Step seasonal = season == CES_FULL ? step_of(parameters + 2) : step;
    const int last = ces->lag - 1;
    Pair pair = *state;
    double sum = 0.0;
    int place = forward ? 0 : (ces->n - 1) % ces->lag;
    for (int i = 0; i < ces->n; i++) {
        double value = ces->y[forward ? i : ces->n - 1 - i];
        if (season == CES_SIMPLE) {
            double error = value - ces->ring[place].level;
            ces->ring[place] = smooth(&step, ces->ring[place], value);
            sum += error * error;
        } else {
            double rest = season == CES_NONE ? value : value - ces->ring[place].level;
            double error = rest - pair.level;
            pair = smooth(&step, pair, rest);
            sum += error * error;
            if (season == CES_PARTIAL)
                ces->ring[place].level += seasonal_gain * error;
            if (season == CES_FULL)
                ces->ring[place] = advance(&seasonal, ces->ring[place], error);
        }
        if (season != CES_NONE)
            place = forward ? (place == last ? 0 : place + 1) : (place == 0 ? last : place - 1);
    }
    *state = pair;
    return sum;
}

/* What lies beyond an end is forecast, and is where the way back begins. */
static inline void turn(const Ces *ces, CesSeason season, const double *parameters, Pair *state)
{
    const Step step = step_of(parameters);
    const Step seasonal = season == CES_FULL ? step_of(parameters + 2) : step;
    *state = advance(&step, *state, 0.0);
    if (season == CES_SIMPLE || season == CES_FULL)
        for (int place = 0; place < ces->lag; place++)
            ces->ring[place] = advance(&seasonal, ces->ring[place], 0.0);
}

static inline double run_kind(const Ces *ces, CesSeason season, const double *parameters,
                              Pair *state)
{
    *state = ces->start;
    memcpy(ces->ring, ces->ring_start, (size_t)ces->lag * sizeof *ces->ring);
    pass(ces, season, parameters, true, state);
    turn(ces, season, parameters, state);
    pass(ces, season, parameters, false, state);
    turn(ces, season, parameters, state);
    return pass(ces, season, parameters, true, state);
}

/* Sum of squared errors of the last pass; *state and the ring: after the last value. */
static double run(const Ces *ces, const double *parameters, Pair *state)
{
    switch (ces->season) {
    case CES_SIMPLE:
        return run_kind(ces, CES_SIMPLE, parameters, state);
    case CES_PARTIAL:
        return run_kind(ces, CES_PARTIAL, parameters, state);
    case CES_FULL:
        return run_kind(ces, CES_FULL, parameters, state);
    default:
        return run_kind(ces, CES_NONE, parameters, state);
    }
}

/* ---- stability ---- */

/* det(I - F z) and det(I - (F - g w') z) of a pair, coefficients of 1, z, z^2. */
static void pair_polynomials(const double *parameters, double *model, double *discount)
{
    double real = parameters[0];
    double imaginary = parameters[1];
    double keep = 1.0 - real;
    model[0] = discount[0] = 1.0;
    model[1] = -(1.0 + keep);
    model[2] = 1.0 + keep - imaginary;
    discount[1] = -(2.0 * keep + imaginary);
    discount[2] = keep * (1.0 + keep) + imaginary * (imaginary - 1.0);
}

/* Schur and Cohn: whether all roots of 1 + q[1] z + ... + q[degree] z^degree lie outside the unit
 * circle. Overwrites q and copy [degree + 1]. */
static bool roots_are_outside(double *q, int degree, double *copy)
{
    for (; degree > 0; degree--) {
        double k = q[degree];
        if (!(fabs(k) < 1.0))
            return false;
        memcpy(copy, q, (size_t)(degree + 1) * sizeof *q);
        for (int i = 0; i < degree; i++)
            q[i] = (copy[i] - k * copy[degree - i]) / (1.0 - k * k);
    }
    return true;
}

bool ces_is_stable(CesSeason season, int lag, const double *parameters, double *work)
{
    double model[3], discount[3];
    pair_polynomials(parameters, model, discount);
    if (season == CES_NONE || season == CES_SIMPLE)
        return roots_are_outside(discount, 2, model);
    /* With the seasonal pair's polynomials P and R in z^lag: discount P + model (R - P). */
    double seasonal[3] = {1.0, -1.0, 0.0};
    double difference[3] = {0.0, parameters[2], 0.0};
    int degree = 2 + lag;
    if (season == CES_FULL) {
        pair_polynomials(parameters + 2, seasonal, difference);
        for (int i = 0; i < 3; i++)
            difference[i] -= seasonal[i];
        degree += lag;
    }
    memset(work, 0, (size_t)(degree + 1) * sizeof *work);
    for (int i = 0; i * lag + 2 <= degree; i++)
        for (int j = 0; j < 3; j++)
            work[i * lag + j] += discount[j] * seasonal[i] + model[j] * difference[i];
    return roots_are_outside(work, degree, work + degree + 1);
}

/* ---- fit ---- */

static Ces ces_begin(SeriesView series, CesSeason season, double *work)
{
    int n = series.n;
    int lag = series.season;
    double *y = work;
    double *indices = y + n;
    double *rings = indices + lag;
    Ces ces = {.season = season,
               .n = n,
               .lag = lag,
               .y = y,
               .ring = (Pair *)(void *)rings,
               .ring_start = (Pair *)(void *)(rings + 2 * lag),
               .search = rings + 4 * lag};
    for (int t = 0; t < n; t++)
        y[t] = series.y[t] + VALUE_FLOOR;
    int averaged = season == CES_NONE ? FIRST_VALUES : lag;
    averaged = averaged < n ? averaged : n;
    double sum = 0.0;
    for (int t = 0; t < averaged; t++)
        sum += y[t];
    ces.start = (Pair){sum / averaged, sum / averaged / LEVEL_BY_POTENTIAL};
    bool has_indices = (season == CES_PARTIAL || season == CES_FULL) &&
                       season_indices(series, SEASON_ADDITIVE, indices);
    for (int place = 0; place < lag; place++) {
        double level = season == CES_SIMPLE && place < n ? y[place]
                       : has_indices                     ? indices[place]
                                                         : 0.0;
        ces.ring_start[place] = (Pair){level, level / LEVEL_BY_POTENTIAL};
    }
    return ces;
}

static double objective(const double *parameters, void *context)
{
    const Ces *ces = context;
    double *work = ces->search + nelder_mead_work(CES_PARAMETERS_MAX);
    if (!ces_is_stable(ces->season, ces->lag, parameters, work))
        return INFINITY;
    Pair state;
    return run(ces, parameters, &state);
}

double ces_squared_errors(SeriesView series, CesSeason season, const double *parameters,
                          double *work)
{
    Ces ces = ces_begin(series, season, work);
    Pair state;
    return run(&ces, parameters, &state);
}

static bool has_season(SeriesView series)
{
    return series.season > 1 && series.season <= CES_SEASON_MAX;
}

static bool is_long_enough(SeriesView series, CesSeason season)
{
    bool has_seasons = season == CES_NONE || (has_season(series) && series.n / 2 >= series.season);
    return has_seasons && series.n > ces_parameter_count(season) + SPARE_VALUES;
}

/* From `start` [CES_PARAMETERS_MAX], looking so far around at first. */
static CesFit fit_from(SeriesView series, CesSeason season, const double *start, double edge,
                       double *work)
{
    CesFit fit = {.season = season, .aicc = INFINITY};
    if (!is_long_enough(series, season))
        return fit;
    Ces ces = ces_begin(series, season, work);
    int count = ces_parameter_count(season);
    const double lower[CES_PARAMETERS_MAX] = {0.0};
    const double upper[CES_PARAMETERS_MAX] = {MOST, MOST, MOST, MOST};
    memcpy(fit.parameters, start, sizeof fit.parameters);
    fit.squared_errors = nelder_mead_minimise(objective, &ces, count, fit.parameters, lower, upper,
                                              edge, TOLERANCE, EVALUATIONS_MOST, ces.search);
    if (!isfinite(fit.squared_errors))
        return fit;
    double n = series.n;
    double k = count + 1.0;
    fit.aicc = n * log(fmax(fit.squared_errors, VALUE_FLOOR)) + 2.0 * k +
               2.0 * k * (k + 1.0) / (n - k - 1.0);
    return fit;
}

CesFit ces_fit(SeriesView series, CesSeason season, double *work)
{
    return fit_from(series, season, STARTS[season], NELDER_MEAD_EDGE, work);
}

/* mean [horizon] out. */
static FitOutcome go_on(SeriesView series, const CesFit *fit, int horizon, double *mean,
                        double *work)
{
    Ces ces = ces_begin(series, fit->season, work);
    Pair pair;
    run(&ces, fit->parameters, &pair);
    const Step step = step_of(fit->parameters);
    const Step seasonal = fit->season == CES_FULL ? step_of(fit->parameters + 2) : step;
    bool moves = fit->season == CES_FULL || fit->season == CES_SIMPLE;
    bool is_finite = true;
    for (int ahead = 0; ahead < horizon; ahead++) {
        Pair *place = &ces.ring[((int64_t)ces.n + ahead) % ces.lag];
        mean[ahead] = (fit->season != CES_SIMPLE ? pair.level : 0.0) +
                      (fit->season != CES_NONE ? place->level : 0.0);
        pair = advance(&step, pair, 0.0);
        if (moves)
            *place = advance(&seasonal, *place, 0.0);
        is_finite = is_finite && isfinite(mean[ahead]);
    }
    return is_finite ? FIT_OK : FIT_NOT_FINITE;
}

FitOutcome ces_season_forecast(SeriesView series, CesSeason season, int horizon, double *mean,
                               double *work)
{
    if (season != CES_NONE && !has_season(series))
        return FIT_NO_SEASON;
    if (!is_long_enough(series, season))
        return FIT_TOO_SHORT;
    CesFit fit = ces_fit(series, season, work);
    return fit.aicc < INFINITY ? go_on(series, &fit, horizon, mean, work) : FIT_NOT_FINITE;
}

/* A kind is left out while its aicc was more than this above the least one, and for each value
 * since. */
static const double BEHIND_LEAST = 20.0;
static const double BEHIND_EACH = 4.0;

FitOutcome ces_forecast_again(SeriesView series, int horizon, CesBefore *before, double *mean,
                              double *work)
{
    CesFit best = {.aicc = INFINITY};
    if (!is_long_enough(series, CES_NONE))
        return FIT_TOO_SHORT;
    for (int season = CES_NONE; season < CES_SEASONS; season++) {
        CesTried *tried = &before->tried[season];
        bool is_known = tried->n > 0;
        if (is_known && tried->behind > BEHIND_LEAST + BEHIND_EACH * (series.n - tried->n))
            continue;
        if (is_known)
            tried->fit =
                fit_from(series, (CesSeason)season, tried->fit.parameters, EDGE_NEAR, work);
        else
            tried->fit = ces_fit(series, (CesSeason)season, work);
        tried->n = tried->fit.aicc < INFINITY ? series.n : 0;
        if (tried->fit.aicc < best.aicc)
            best = tried->fit;
    }
    for (int season = CES_NONE; season < CES_SEASONS; season++) {
        CesTried *tried = &before->tried[season];
        if (tried->n == series.n)
            tried->behind = tried->fit.aicc - best.aicc;
    }
    return best.aicc < INFINITY ? go_on(series, &best, horizon, mean, work) : FIT_NOT_FINITE;
}

FitOutcome ces_forecast(SeriesView series, int horizon, double *mean, double *work)
{
    CesBefore before = {0};
    return ces_forecast_again(series, horizon, &before, mean, work);
}
