/* The recursions, written once for all models: the kind of model is a constant wherever they are
 * used, so that a loop over time holds what its own model needs and no branch. */
#include "kernel/ets_filter.h"

#include <math.h>
#include <string.h>

enum {
    FACTORS = 4, /* forecasts whose product cannot leave the range of double unless one is absurd */
    ROWS = 4     /* of slopes, that are multiplied out together */
};

/* Without this the compiler makes one function with branches of each. */
#define SPECIALISED static inline __attribute__((always_inline))

/* Call X(error, trend, season) for each model. */
#define WITH_SEASONS(X, error, trend) X(error, trend, 0) X(error, trend, 1) X(error, trend, 2)
#define WITH_TRENDS(X, error)                                                                      \
    WITH_SEASONS(X, error, 0)                                                                      \
    WITH_SEASONS(X, error, 1)                                                                      \
    WITH_SEASONS(X, error, 2)                                                                      \
    WITH_SEASONS(X, error, 3)                                                                      \
    WITH_SEASONS(X, error, 4)
#define WITH_ALL(X) WITH_TRENDS(X, 0) WITH_TRENDS(X, 1)
#define NUMBER(error, trend, season) (((error)*ETS_TRENDS + (trend)) * ETS_SEASONS + (season))

/* A kind of model, constant where it is used. */
typedef struct Kind {
    bool multiplies_error;
    bool has_trend;
    bool multiplies_trend;
    bool is_damped;
    bool has_season;
    bool multiplies_season;
} Kind;

SPECIALISED Kind kind_of(int error, int trend, int season)
{
    return (Kind){
        .multiplies_error = error == ETS_ERROR_MULTIPLICATIVE,
        .has_trend = trend != ETS_TREND_NONE,
        .multiplies_trend =
            trend == ETS_TREND_MULTIPLICATIVE || trend == ETS_TREND_MULTIPLICATIVE_DAMPED,
        .is_damped = trend == ETS_TREND_DAMPED || trend == ETS_TREND_MULTIPLICATIVE_DAMPED,
        .has_season = season != ETS_SEASON_NONE,
        .multiplies_season = season == ETS_SEASON_MULTIPLICATIVE,
    };
}

/* What is worked out of one value. */
typedef struct Step {
    double damped;    /* the slope, as far as it goes on */
    double base;      /* forecast without season */
    double forecast;  /* of y */
    double error;     /* y - forecast */
    double deviation; /* of y without season from the base */
} Step;

SPECIALISED Step look(Kind kind, double phi, double level, double slope, double season, double y)
{
    Step step = {.damped = slope, .base = level};
    if (kind.is_damped)
        step.damped = kind.multiplies_trend ? pow(slope, phi) : phi * slope;
    if (kind.has_trend)
        step.base = kind.multiplies_trend ? level * step.damped : level + step.damped;
    step.forecast = step.base;
    if (kind.has_season)
        step.forecast = kind.multiplies_season ? step.base * season : step.base + season;
    step.error = y - step.forecast;
    step.deviation = kind.multiplies_season ? step.error / season : step.error;
    return step;
}

/* Hyndman et al. 2008, tables 2.2 and 2.3: with e the error y - forecast, both kinds of error lead
 * to the same states. */
SPECIALISED void learn(Kind kind, const EtsParameters *parameters, const Step *step, double *level,
                       double *slope, double *season)
{
    if (kind.has_trend)
        *slope = step->damped + (kind.multiplies_trend ? parameters->beta * step->deviation / *level
                                                       : parameters->beta * step->deviation);
    *level = step->base + parameters->alpha * step->deviation;
    if (kind.has_season)
        *season += kind.multiplies_season ? parameters->gamma * step->error / step->base
                                          : parameters->gamma * step->error;
}

/* Sum of ln |x| without a logarithm for each x. */
typedef struct LogSum {
    double sum;
    double product;
    int factors;
} LogSum;

SPECIALISED void log_sum_add(LogSum *logs, double x)
{
    logs->product *= x;
    if (++logs->factors == FACTORS) {
        logs->sum += log(fabs(logs->product));
        logs->product = 1.0;
        logs->factors = 0;
    }
}

static double loss_of(const EtsPass *pass, double sum_of_squares, const LogSum *logs)
{
    double log_forecasts = logs->sum + log(fabs(logs->product));
    double loss = pass->n * log(fmax(sum_of_squares, pass->least_sum)) + 2.0 * log_forecasts;
    return isfinite(loss) && isfinite(sum_of_squares) ? loss : INFINITY;
}

/* The next period's season first. */
static void rotate(double *season, int n, int first)
{
    double turned[ETS_SEASON_MAX];
    for (int i = 0; i < n; i++)
        turned[i] = season[(first + i) % n];
    memcpy(season, turned, (size_t)n * sizeof *season);
}

SPECIALISED double pass_over(Kind kind, const EtsPass *pass, EtsParameters parameters,
                             EtsState *state, double *sum_of_squares)
{
    const double *y = pass->y;
    double level = state->level;
    double slope = state->slope;
    double sum = 0.0;
    LogSum logs = {.product = 1.0};
    int stride = kind.has_season ? pass->season : pass->n;
    for (int begin = 0; begin < pass->n; begin += stride) {
        int left = pass->n - begin;
        int periods = left < stride ? left : stride;
        for (int i = 0; i < periods; i++) {
            double *season = &state->season[kind.has_season ? i : 0];
            Step step =
                look(kind, parameters.phi, level, slope, kind.has_season ? *season : 0.0, *y++);
            learn(kind, &parameters, &step, &level, &slope, season);
            double error = kind.multiplies_error ? step.error / step.forecast : step.error;
            sum += error * error;
            if (kind.multiplies_error)
                log_sum_add(&logs, step.forecast);
        }
    }
    state->level = level;
    state->slope = slope;
    if (kind.has_season)
        rotate(state->season, pass->season, pass->n % pass->season);
    *sum_of_squares = sum;
    return loss_of(pass, sum, &logs);
}

double ets_loss(const EtsPass *pass, const EtsParameters *parameters, EtsState *state,
                double *sum_of_squares)
{
    double ignored;
    double *sum = sum_of_squares ? sum_of_squares : &ignored;
    switch (NUMBER((int)pass->model.error, (int)pass->model.trend, (int)pass->model.season)) {
#define CASE(error, trend, season)                                                                 \
    case NUMBER(error, trend, season):                                                             \
        return pass_over(kind_of(error, trend, season), pass, *parameters, state, sum);
        WITH_ALL(CASE)
#undef CASE
    default:
        return INFINITY;
    }
}

/* ---- slopes ---- */

SPECIALISED EtsColumns columns_of(Kind kind, int season)
{
    EtsColumns columns = {.beta = -1, .phi = -1, .gamma = -1, .slope = -1, .season = -1};
    int n = 1;
    if (kind.has_trend)
        columns.beta = n++;
    if (kind.is_damped)
        columns.phi = n++;
    if (kind.has_season)
        columns.gamma = n++;
    columns.level = n++;
    if (kind.has_trend)
        columns.slope = n++;
    if (kind.has_season) {
        columns.season = n;
        n += season - 1;
    }
    columns.n = n;
    return columns;
}

EtsColumns ets_columns(EtsModel model, int season)
{
    return columns_of(kind_of((int)model.error, (int)model.trend, (int)model.season), season);
}

/* How the states change with each variable: forward differentiation. */
typedef struct Changes {
    int n;     /* variables */
    int width; /* the same up to a whole vector; columns from n on hold 0 */
    double level[ETS_COLUMNS_MAX];
    double slope[ETS_COLUMNS_MAX];
    double season[ETS_SEASON_MAX][ETS_COLUMNS_MAX];
    double phi[ETS_COLUMNS_MAX]; /* 1 for the column of phi */
    double rows[ROWS]
               [ETS_COLUMNS_MAX];     /* forecasts, relative ones if the error is multiplicative */
    double weighted[ETS_COLUMNS_MAX]; /* sum of rows times errors */
    double sums[ETS_COLUMNS_MAX];     /* sum of rows */
} Changes;

SPECIALISED void begin_changes(Kind kind, const EtsColumns *columns, int season, Changes *changes)
{
    memset(changes, 0, sizeof *changes);
    changes->n = columns->n;
    changes->width = (columns->n + ROWS - 1) / ROWS * ROWS;
    changes->level[columns->level] = 1.0;
    if (kind.has_trend)
        changes->slope[columns->slope] = 1.0;
    if (kind.is_damped)
        changes->phi[columns->phi] = 1.0;
    if (kind.has_season)
        for (int i = 0; i < season - 1; i++) {
            changes->season[i][columns->season + i] = 1.0;
            changes->season[season - 1][columns->season + i] = -1.0;
        }
}

/* The derivatives of look() and learn() by each variable, through the states before the step; then
 * what the parameters do themselves. row out: derivative of the forecast. */
SPECIALISED void change(Kind kind, const EtsColumns *columns, const EtsParameters *parameters,
                        const Step *step, double level, double slope, double season, double weight,
                        Changes *restrict changes, double *restrict of_season, double *restrict row)
{
    double by_slope = 1.0; /* of step->damped */
    double by_phi = 0.0;
    if (kind.is_damped) {
        by_slope = kind.multiplies_trend ? parameters->phi * step->damped / slope : parameters->phi;
        by_phi = kind.multiplies_trend ? step->damped * log(slope) : slope;
    }
    double per_level = kind.multiplies_trend ? 1.0 / level : 1.0;
    double per_season = kind.multiplies_season ? 1.0 / season : 1.0;
    double per_base = kind.multiplies_season ? 1.0 / step->base : 1.0;
    double per_forecast = kind.multiplies_error ? 1.0 / step->forecast : 1.0;
    double alpha = parameters->alpha;
    double beta = parameters->beta * per_level;
    double gamma = parameters->gamma * per_base;
    double slope_by_level = beta * step->deviation * per_level;
    double season_by_base = gamma * step->error * per_base;
    for (int c = 0; c < changes->width; c++) {
        double d_level = changes->level[c];
        double d_damped = 0.0;
        if (kind.has_trend)
            d_damped = by_slope * changes->slope[c];
        if (kind.is_damped)
            d_damped += by_phi * changes->phi[c];
        double d_base = d_level;
        if (kind.has_trend)
            d_base = kind.multiplies_trend ? step->damped * d_level + level * d_damped
                                           : d_level + d_damped;
        double d_season = kind.has_season ? of_season[c] : 0.0;
        double d_forecast = d_base;
        if (kind.has_season)
            d_forecast = kind.multiplies_season ? season * d_base + step->base * d_season
                                                : d_base + d_season;
        double d_deviation = -d_forecast;
        if (kind.multiplies_season)
            d_deviation = (d_deviation - step->deviation * d_season) * per_season;
        changes->level[c] = d_base + alpha * d_deviation;
        if (kind.has_trend)
            changes->slope[c] = d_damped + beta * d_deviation;
        if (kind.multiplies_trend)
            changes->slope[c] -= slope_by_level * d_level;
        if (kind.has_season)
            of_season[c] = d_season - gamma * d_forecast;
        if (kind.multiplies_season)
            of_season[c] -= season_by_base * d_base;
        row[c] = kind.multiplies_error ? d_forecast * per_forecast : d_forecast;
        changes->weighted[c] += weight * row[c];
        if (kind.multiplies_error)
            changes->sums[c] += row[c];
    }
    changes->level[columns->alpha] += step->deviation;
    if (kind.has_trend)
        changes->slope[columns->beta] += step->deviation * per_level;
    if (kind.has_season)
        of_season[columns->gamma] += step->error * per_base;
}

/* Add the products of all pairs in ROWS rows to the lower triangle (and some beyond it). */
static void add_products(const Changes *changes, double curvature[][ETS_COLUMNS_MAX])
{
    const double *a = changes->rows[0];
    const double *b = changes->rows[1];
    const double *c = changes->rows[2];
    const double *d = changes->rows[3];
    for (int i = 0; i < changes->n; i++) {
        double *restrict sums = curvature[i];
        int width = i / ROWS * ROWS + ROWS;
        for (int j = 0; j < width; j++)
            sums[j] += (a[i] * a[j] + b[i] * b[j]) + (c[i] * c[j] + d[i] * d[j]);
    }
}

/* From sums to gradient and curvature of the loss. With s = n / sum(e^2): the derivative of a
 * multiplicative error is -(1 + e) d ln f, so that d loss = sum((2 - 2 s e (1 + e)) d ln f), whose
 * expected square is 4 s + 8 for normal errors; the variance, which is estimated too, takes away
 * what it can explain. */
static void finish(bool multiplies_error, const EtsPass *pass, const Changes *changes,
                   double sum_of_squares, EtsSlopes *slopes)
{
    double precision = pass->n / fmax(sum_of_squares, pass->least_sum);
    for (int i = 0; i < changes->n; i++) {
        slopes->gradient[i] = -2.0 * precision * changes->weighted[i];
        if (multiplies_error)
            slopes->gradient[i] += 2.0 * changes->sums[i];
        for (int j = 0; j <= i; j++) {
            double *entry = &slopes->curvature[i][j];
            *entry *= multiplies_error ? 2.0 * precision + 4.0 : 2.0 * precision;
            if (multiplies_error)
                *entry -= 4.0 / pass->n * changes->sums[i] * changes->sums[j];
            slopes->curvature[j][i] = *entry;
        }
    }
}

SPECIALISED void slopes_over(Kind kind, const EtsPass *pass, EtsParameters parameters,
                             const EtsState *start, Changes *restrict changes,
                             EtsSlopes *restrict slopes)
{
    const EtsColumns columns = columns_of(kind, pass->season);
    EtsState state = *start;
    double sum = 0.0;
    LogSum logs = {.product = 1.0};
    begin_changes(kind, &columns, pass->season, changes);
    memset(slopes->curvature, 0, sizeof slopes->curvature);
    int i = 0; /* position in the season */
    for (int t = 0; t < pass->n; t++) {
        double *season = &state.season[i];
        Step step = look(kind, parameters.phi, state.level, state.slope,
                         kind.has_season ? *season : 0.0, pass->y[t]);
        double error = kind.multiplies_error ? step.error / step.forecast : step.error;
        double weight = kind.multiplies_error ? error * (1.0 + error) : error;
        change(kind, &columns, &parameters, &step, state.level, state.slope,
               kind.has_season ? *season : 1.0, weight, changes, changes->season[i],
               changes->rows[t % ROWS]);
        learn(kind, &parameters, &step, &state.level, &state.slope, season);
        sum += error * error;
        if (kind.multiplies_error)
            log_sum_add(&logs, step.forecast);
        if (t % ROWS == ROWS - 1)
            add_products(changes, slopes->curvature);
        i = i + 1 < pass->season ? i + 1 : 0;
    }
    for (int row = pass->n % ROWS; row > 0 && row < ROWS; row++)
        memset(changes->rows[row], 0, sizeof changes->rows[row]);
    if (pass->n % ROWS != 0)
        add_products(changes, slopes->curvature);
    finish(kind.multiplies_error, pass, changes, sum, slopes);
    slopes->loss = loss_of(pass, sum, &logs);
}

void ets_slopes(const EtsPass *pass, const EtsParameters *parameters, const EtsState *start,
                EtsSlopes *slopes)
{
    Changes changes;
    switch (NUMBER((int)pass->model.error, (int)pass->model.trend, (int)pass->model.season)) {
#define CASE(error, trend, season)                                                                 \
    case NUMBER(error, trend, season):                                                             \
        slopes_over(kind_of(error, trend, season), pass, *parameters, start, &changes, slopes);    \
        break;
        WITH_ALL(CASE)
#undef CASE
    default:
        slopes->loss = INFINITY;
    }
}
