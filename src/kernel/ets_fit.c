/* Maximum likelihood of one model: Fisher's scoring with Levenberg and Marquardt's damping
 * (Marquardt 1963, "An algorithm for least-squares estimation of nonlinear parameters", Journal of
 * SIAM 11(2)) in a box, from a few starts. Forecasts are linear or nearly so in the start states,
 * so that a search takes about ten steps, where one without slopes takes thousands. */
#include "kernel/ets_fit.h"

#include <math.h>
#include <string.h>

static const double LEAST = 1e-4; /* of alpha, beta, gamma */
static const double MOST = 1.0 - 1e-4;
static const double PHI_LEAST = 0.8;
static const double PHI_MOST = 0.98;

enum { STEPS_MAX = 100, HALVINGS = 45 };

static const double DAMPING = 1e-2; /* at first, of the curvature */
static const double DAMPING_STUCK = 1e3;
static const double DAMPING_MAX = 1e12;
static const double GAIN = 1e-3; /* of what was expected, to take a step */
static const double DONE = 1e-8; /* expected gain of the loss at which a search ends */
static const double SAME = 1e-4; /* losses that differ by less are of the same place */
static const double HOPE = 20.0; /* how many times the expected gain a search is trusted to gain */
static const double DIFFERENCE = 1e-7; /* of parameters, for slopes of the limit of beta */
static const double NOISE = 1e-13;     /* relative error of a forecast by rounding, and more */

/* The largest beta that the others leave: alpha, or what is admissible. */
static double beta_limit(EtsModel model, int season, double alpha, double gamma, double phi)
{
    EtsParameters parameters = {.alpha = alpha, .beta = alpha, .gamma = gamma, .phi = phi};
    if (ets_is_admissible(model, &parameters, season))
        return alpha;
    double inside = LEAST;
    double outside = alpha;
    for (int i = 0; i < HALVINGS; i++) {
        parameters.beta = 0.5 * (inside + outside);
        if (ets_is_admissible(model, &parameters, season))
            inside = parameters.beta;
        else
            outside = parameters.beta;
    }
    return inside;
}

/* ---- the variables of a search ---- */

/* As the parameters, but beta and gamma as shares of the room that the others leave: then all
 * bounds are a box. */
typedef struct Variables {
    double x[ETS_COLUMNS_MAX];
} Variables;

typedef struct Search {
    const EtsPass *pass;
    EtsColumns columns;
    double lower[ETS_COLUMNS_MAX];
    double upper[ETS_COLUMNS_MAX];
    Variables at;
    double enough; /* give up when the loss will not come below this */
    int passes;
    EtsSlopes slopes; /* at `at`, by the variables */
} Search;

static void begin_search(const EtsPass *pass, double enough, Search *search)
{
    search->pass = pass;
    search->columns = ets_columns(pass->model, pass->season);
    search->enough = enough;
    search->passes = 0;
    search->slopes.loss = INFINITY;
    for (int i = 0; i < search->columns.n; i++) {
        search->lower[i] = i < search->columns.level ? 0.0 : -INFINITY;
        search->upper[i] = i < search->columns.level ? 1.0 : INFINITY;
    }
    search->lower[search->columns.alpha] = LEAST;
    search->upper[search->columns.alpha] = MOST;
    if (search->columns.phi >= 0) {
        search->lower[search->columns.phi] = PHI_LEAST;
        search->upper[search->columns.phi] = PHI_MOST;
    }
}

/* The share of the room between LEAST and `most`; in the box, whatever x is. */
static double share_of(double x, double most)
{
    return most > LEAST ? fmin(fmax((x - LEAST) / (most - LEAST), 0.0), 1.0) : 0.0;
}

static void variables_of(const Search *search, const EtsParameters *parameters,
                         const EtsState *state, Variables *variables)
{
    const EtsColumns *columns = &search->columns;
    double alpha = parameters->alpha;
    variables->x[columns->alpha] = alpha;
    if (columns->beta >= 0)
        variables->x[columns->beta] =
            share_of(parameters->beta, beta_limit(search->pass->model, search->pass->season, alpha,
                                                  parameters->gamma, parameters->phi));
    if (columns->phi >= 0)
        variables->x[columns->phi] = parameters->phi;
    if (columns->gamma >= 0)
        variables->x[columns->gamma] = share_of(parameters->gamma, 1.0 - alpha);
    variables->x[columns->level] = state->level;
    if (columns->slope >= 0)
        variables->x[columns->slope] = state->slope;
    for (int i = 0; columns->season >= 0 && i < search->pass->season - 1; i++)
        variables->x[columns->season + i] = state->season[i];
}

static void parameters_of(const Search *search, const Variables *variables,
                          EtsParameters *parameters, EtsState *state)
{
    const EtsPass *pass = search->pass;
    const EtsColumns *columns = &search->columns;
    const double *x = variables->x;
    double alpha = x[columns->alpha];
    *parameters = (EtsParameters){.alpha = alpha, .phi = 1.0};
    *state = (EtsState){.level = x[columns->level]};
    if (columns->phi >= 0)
        parameters->phi = x[columns->phi];
    if (columns->gamma >= 0)
        parameters->gamma = LEAST + x[columns->gamma] * (MOST - alpha);
    if (columns->beta >= 0) {
        double limit =
            beta_limit(pass->model, pass->season, alpha, parameters->gamma, parameters->phi);
        parameters->beta = LEAST + x[columns->beta] * (limit - LEAST);
    }
    if (columns->slope >= 0)
        state->slope = x[columns->slope];
    if (columns->season < 0)
        return;
    int last = pass->season - 1;
    double rest = pass->model.season == ETS_SEASON_MULTIPLICATIVE ? pass->season : 0.0;
    for (int i = 0; i < last; i++) {
        state->season[i] = x[columns->season + i];
        rest -= state->season[i];
    }
    state->season[last] = rest;
}

/* Whether parameters and start are ones that a search may try. */
static bool is_allowed(const Search *search, const EtsParameters *parameters, const EtsState *state)
{
    if (search->pass->model.season == ETS_SEASON_MULTIPLICATIVE)
        for (int i = 0; i < search->pass->season; i++)
            if (!(state->season[i] > 0.0))
                return false;
    return ets_is_admissible(search->pass->model, parameters, search->pass->season);
}

/* The limit of beta and how it changes with the parameters. */
typedef struct BetaLimit {
    double limit;
    double by_alpha, by_gamma, by_phi;
} BetaLimit;

static BetaLimit describe_limit(const Search *search, const EtsParameters *parameters)
{
    EtsModel model = search->pass->model;
    int season = search->pass->season;
    double alpha = parameters->alpha;
    double gamma = parameters->gamma;
    double phi = parameters->phi;
    BetaLimit limit = {.limit = alpha, .by_alpha = 1.0};
    if (search->columns.beta < 0)
        return limit;
    limit.limit = beta_limit(model, season, alpha, gamma, phi);
    if (limit.limit == alpha)
        return limit;
    limit.by_alpha =
        (limit.limit - beta_limit(model, season, alpha - DIFFERENCE, gamma, phi)) / DIFFERENCE;
    limit.by_gamma =
        (limit.limit - beta_limit(model, season, alpha, gamma - DIFFERENCE, phi)) / DIFFERENCE;
    limit.by_phi =
        (limit.limit - beta_limit(model, season, alpha, gamma, phi - DIFFERENCE)) / DIFFERENCE;
    return limit;
}

/* One side of the chain rule: the derivatives by alpha, phi and the share of gamma take beta along,
 * whose room they change, that by alpha also gamma. entries [n], `stride` apart: a row or a column.
 */
static void chain(const Search *search, const Variables *at, const BetaLimit *limit,
                  double *entries, int stride)
{
    const EtsColumns *columns = &search->columns;
    const double *x = at->x;
    double alpha = x[columns->alpha];
    double *of_alpha = &entries[columns->alpha * stride];
    if (columns->beta >= 0) {
        double *of_beta = &entries[columns->beta * stride];
        double moved = x[columns->beta] * *of_beta;
        *of_alpha += limit->by_alpha * moved;
        if (columns->phi >= 0)
            entries[columns->phi * stride] += limit->by_phi * moved;
        if (columns->gamma >= 0)
            entries[columns->gamma * stride] += limit->by_gamma * moved;
        *of_beta *= limit->limit - LEAST;
    }
    if (columns->gamma >= 0) {
        double *of_gamma = &entries[columns->gamma * stride];
        *of_alpha -= x[columns->gamma] * *of_gamma;
        *of_gamma *= MOST - alpha;
    }
}

/* slopes out: at `at`, by the variables. */
static void take_slopes(Search *search, const Variables *at, EtsSlopes *slopes)
{
    EtsParameters parameters;
    EtsState state;
    parameters_of(search, at, &parameters, &state);
    slopes->loss = INFINITY;
    if (!is_allowed(search, &parameters, &state))
        return;
    search->passes++;
    ets_slopes(search->pass, &parameters, &state, slopes);
    BetaLimit limit = describe_limit(search, &parameters);
    chain(search, at, &limit, slopes->gradient, 1);
    for (int i = 0; i < search->columns.n; i++)
        chain(search, at, &limit, slopes->curvature[i], 1);
    for (int i = 0; i < search->columns.n; i++)
        chain(search, at, &limit, &slopes->curvature[0][i], ETS_COLUMNS_MAX);
}

/* ---- steps ---- */

/* Solve matrix x = right, symmetric, by Cholesky's factors; x in place of right; false unless it is
 * positive beyond rounding. */
static bool solve(int n, double matrix[][ETS_COLUMNS_MAX], double *right)
{
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < i; j++) {
            double rest = matrix[i][j];
            for (int k = 0; k < j; k++)
                rest -= matrix[i][k] * matrix[j][k];
            matrix[i][j] = rest / matrix[j][j];
        }
        double rest = matrix[i][i];
        for (int k = 0; k < i; k++)
            rest -= matrix[i][k] * matrix[i][k];
        if (!(rest > 1e-13 * matrix[i][i]))
            return false;
        matrix[i][i] = sqrt(rest);
        for (int k = 0; k < i; k++)
            right[i] -= matrix[i][k] * right[k];
        right[i] /= matrix[i][i];
    }
    for (int i = n - 1; i >= 0; i--) {
        for (int k = i + 1; k < n; k++)
            right[i] -= matrix[k][i] * right[k];
        right[i] /= matrix[i][i];
    }
    return true;
}

/* The step of the variables that are not held, given those of the held ones, which stay. */
static bool solve_free(const Search *search, double damping, const bool *is_held, double *step)
{
    const EtsSlopes *slopes = &search->slopes;
    int n = search->columns.n;
    int columns[ETS_COLUMNS_MAX];
    double matrix[ETS_COLUMNS_MAX][ETS_COLUMNS_MAX];
    double right[ETS_COLUMNS_MAX];
    int free = 0;
    for (int i = 0; i < n; i++) {
        if (is_held[i])
            continue;
        right[free] = -slopes->gradient[i];
        for (int j = 0; j < n; j++)
            if (is_held[j])
                right[free] -= slopes->curvature[i][j] * step[j];
        columns[free++] = i;
        for (int j = 0; j < free; j++)
            matrix[free - 1][j] = slopes->curvature[i][columns[j]];
        matrix[free - 1][free - 1] *= 1.0 + damping;
    }
    if (!solve(free, matrix, right))
        return false;
    for (int i = 0; i < free; i++)
        step[columns[i]] = right[i];
    return true;
}

/* Step [n] out, of the start states alone if `states_only`: to the least of the parabola of
 * gradient and curvature, inside the box. expected out: what it should gain. False if the curvature
 * has no least, or if the box cuts off all that the step would gain: with more damping it goes more
 * along the gradient, which the box cannot turn around. */
static bool plan_step(const Search *search, double damping, bool states_only, double *step,
                      double *expected)
{
    const EtsSlopes *slopes = &search->slopes;
    const double *x = search->at.x;
    int n = search->columns.n;
    bool is_held[ETS_COLUMNS_MAX];
    for (int i = 0; i < n; i++) {
        step[i] = 0.0;
        is_held[i] = (states_only && i < search->columns.level) ||
                     !(slopes->curvature[i][i] > 0.0) ||
                     (x[i] <= search->lower[i] && slopes->gradient[i] >= 0.0) ||
                     (x[i] >= search->upper[i] && slopes->gradient[i] <= 0.0);
    }
    bool is_inside = false;
    bool is_cut = false;
    while (!is_inside) {
        if (!solve_free(search, damping, is_held, step))
            return false;
        is_inside = true;
        for (int i = 0; i < n; i++) {
            double there = fmin(fmax(x[i] + step[i], search->lower[i]), search->upper[i]);
            if (is_held[i] || there == x[i] + step[i])
                continue;
            step[i] = there - x[i];
            is_held[i] = true;
            is_inside = false;
            is_cut = true;
        }
    }
    *expected = 0.0;
    for (int i = 0; i < n; i++) {
        double curved = 0.0;
        for (int j = 0; j < n; j++)
            curved += slopes->curvature[i][j] * step[j];
        *expected -= step[i] * (slopes->gradient[i] + 0.5 * curved);
    }
    return isfinite(*expected) && (*expected > DONE || !is_cut);
}

/* Whether the steps of a search are over, as the next would gain nothing that matters. */
static bool is_over(const Search *search, int steps, double expected)
{
    return !(expected > DONE) ||
           (steps > 1 && search->slopes.loss - HOPE * expected > search->enough);
}

/* Go down from search->at, at most `most_steps`, until the loss will gain no more, or has no hope
 * to come low enough. Where the limit of beta bends, the slopes of one side can lead nowhere: then
 * the parameters stay, and only the start states go on. */
static void descend(Search *search, int most_steps)
{
    double damping = DAMPING;
    double growth = 2.0;
    bool states_only = false;
    int steps = 0;
    take_slopes(search, &search->at, &search->slopes);
    if (!isfinite(search->slopes.loss))
        return;
    while (steps < most_steps && damping < DAMPING_MAX) {
        double step[ETS_COLUMNS_MAX];
        double expected = 0.0;
        double gain = -INFINITY;
        Variables next;
        EtsSlopes there;
        there.loss = INFINITY;
        if (plan_step(search, damping, states_only, step, &expected)) {
            if (is_over(search, steps, expected))
                return;
            for (int i = 0; i < search->columns.n; i++)
                next.x[i] =
                    fmin(fmax(search->at.x[i] + step[i], search->lower[i]), search->upper[i]);
            take_slopes(search, &next, &there);
            gain = search->slopes.loss - there.loss;
        }
        if (gain > GAIN * expected) {
            double kept = 2.0 * gain / expected - 1.0;
            damping *= fmax(0.1, 1.0 - kept * kept * kept);
            growth = 2.0;
            search->at = next;
            search->slopes = there;
            steps++;
        } else {
            damping *= growth;
            growth *= 2.0;
        }
        if (damping > DAMPING_STUCK && !states_only) {
            states_only = true;
            damping = DAMPING;
            growth = 2.0;
        }
    }
}

/* ---- starts ---- */

/* All values have to be above 0. */
static bool is_positive_only(EtsModel model)
{
    return model.error == ETS_ERROR_MULTIPLICATIVE || model.trend == ETS_TREND_MULTIPLICATIVE ||
           model.trend == ETS_TREND_MULTIPLICATIVE_DAMPED ||
           model.season == ETS_SEASON_MULTIPLICATIVE;
}

FitOutcome ets_prepare(EtsModel model, SeriesView series, EtsPass *pass)
{
    bool has_season = model.season != ETS_SEASON_NONE;
    if (has_season &&
        (series.season <= 1 || series.season > ETS_SEASON_MAX || series.n < 2 * series.season))
        return FIT_NO_SEASON;
    *pass = (EtsPass){
        .model = model, .y = series.y, .n = series.n, .season = has_season ? series.season : 1};
    if (series.n < ets_columns(model, pass->season).n + 3)
        return FIT_TOO_SHORT;
    double least = INFINITY;
    double largest = 0.0;
    for (int i = 0; i < series.n; i++) {
        least = fmin(least, series.y[i]);
        largest = fmax(largest, fabs(series.y[i]));
    }
    if (is_positive_only(model) && !(least > 0.0))
        return FIT_NOT_POSITIVE;
    double error = model.error == ETS_ERROR_MULTIPLICATIVE || largest == 0.0 ? 1.0 : largest;
    pass->least_sum = series.n * (NOISE * error) * (NOISE * error);
    return FIT_OK;
}

/* Where searches begin; beta and gamma as shares. The first is R's. */
typedef struct Start {
    double alpha, beta, phi, gamma;
    bool needs_trend;
} Start;

static const Start STARTS[] = {
    {0.2, 0.1, 0.97, 0.05, false}, {0.002, 0.02, 0.9, 0.02, false}, {0.9, 0.05, 0.9, 0.05, false},
    {0.9, 0.9, 0.9, 0.05, true},   {0.3, 0.05, 0.9, 0.3, false},    {0.02, 0.9, 0.97, 0.05, true},
    {0.2, 0.5, 0.85, 0.02, true},
};
enum {
    N_STARTS = sizeof STARTS / sizeof *STARTS,
    N_STARTS_LIKE = 4,  /* of these, beside fits of similar models, */
    N_STARTS_AGAIN = 1, /* and beside one of the shorter series */
    FIRST_STEPS = 5,    /* from each, before the best go on */
    N_GO_ON = 3
};

static void set_start(const Search *search, const Start *start, Variables *variables)
{
    const EtsColumns *columns = &search->columns;
    variables->x[columns->alpha] = start->alpha;
    if (columns->beta >= 0)
        variables->x[columns->beta] = start->beta;
    if (columns->phi >= 0)
        variables->x[columns->phi] = start->phi;
    if (columns->gamma >= 0)
        variables->x[columns->gamma] = start->gamma;
}

/* Variables in: a usual start. Out: where `like` has the same, what it found. */
static void start_like(const Search *search, const EtsFit *like, Variables *variables)
{
    EtsParameters parameters;
    EtsState state;
    EtsModel model = search->pass->model;
    parameters_of(search, variables, &parameters, &state);
    parameters.alpha = like->parameters.alpha;
    parameters.beta = parameters.alpha * 0.1;
    if (like->model.trend != ETS_TREND_NONE)
        parameters.beta = like->parameters.beta;
    if (like->model.trend == model.trend) {
        parameters.phi = like->parameters.phi;
        state.slope = like->start.slope;
    }
    if (like->model.season != ETS_SEASON_NONE)
        parameters.gamma = like->parameters.gamma;
    if (like->model.season == model.season) {
        memcpy(state.season, like->start.season, sizeof state.season);
        if (like->model.trend == model.trend)
            state.level = like->start.level;
    }
    variables_of(search, &parameters, &state, variables);
}

static void describe(const Search *search, EtsFit *fit)
{
    const EtsPass *pass = search->pass;
    double sum = 0.0;
    fit->model = pass->model;
    fit->season = pass->season;
    fit->n_parameters = search->columns.n + 1;
    fit->passes = search->passes + 1;
    parameters_of(search, &search->at, &fit->parameters, &fit->start);
    fit->end = fit->start;
    double loss = ets_loss(pass, &fit->parameters, &fit->end, &sum);
    double k = fit->n_parameters;
    fit->log_likelihood = -0.5 * loss;
    fit->aic = loss + 2.0 * k;
    fit->aicc = fit->aic + 2.0 * k * (k + 1.0) / (pass->n - k - 1.0);
    fit->bic = loss + k * log(pass->n);
    fit->sigma2 = sum / (pass->n - search->columns.n);
    fit->outcome = isfinite(loss) ? FIT_OK : FIT_NOT_FINITE;
}

/* An end of a search. */
typedef struct Place {
    double loss;
    Variables at;
} Place;

/* Put a place among the N_GO_ON best, in order, unless it is one of them already. */
static void keep_best(Place *best, const Search *search)
{
    double loss = search->slopes.loss;
    int i = 0;
    while (i < N_GO_ON && loss >= best[i].loss + SAME)
        i++;
    if (i == N_GO_ON || !isfinite(loss))
        return;
    bool is_new = !(fabs(loss - best[i].loss) < SAME);
    for (int j = N_GO_ON - 1; is_new && j > i; j--)
        best[j] = best[j - 1];
    if (is_new || loss < best[i].loss)
        best[i] = (Place){.loss = loss, .at = search->at};
}

void ets_search(const EtsPass *pass, const EtsFit *const likes[ETS_LIKES], const EtsFit *before,
                double enough, EtsFit *fit)
{
    const EtsFit *alone[ETS_LIKES] = {before};
    const EtsFit *const *from = before ? alone : likes;
    int n_starts = before ? N_STARTS_AGAIN : likes[0] || likes[1] ? N_STARTS_LIKE : N_STARTS;
    Search search;
    EtsState start;
    Variables usual = {{0.0}};
    Place best[N_GO_ON];
    begin_search(pass, INFINITY, &search);
    ets_start(pass, &start);
    variables_of(&search, &(EtsParameters){.alpha = 0.5, .phi = 1.0}, &start, &usual);
    set_start(&search, &STARTS[0], &usual);
    for (int i = 0; i < N_GO_ON; i++)
        best[i] = (Place){.loss = INFINITY, .at = usual};
    for (int i = 0; i < ETS_LIKES + n_starts; i++) {
        search.at = usual;
        if (i < ETS_LIKES) {
            if (!from[i])
                continue;
            start_like(&search, from[i], &search.at);
        } else {
            if (STARTS[i - ETS_LIKES].needs_trend && search.columns.beta < 0)
                continue;
            set_start(&search, &STARTS[i - ETS_LIKES], &search.at);
        }
        descend(&search, FIRST_STEPS);
        keep_best(best, &search);
    }
    Place least = best[0];
    search.enough = enough;
    for (int i = 0; i < N_GO_ON && isfinite(best[i].loss); i++) {
        search.at = best[i].at;
        descend(&search, STEPS_MAX);
        search.enough = fmin(search.enough, search.slopes.loss);
        if (search.slopes.loss < least.loss)
            least = (Place){.loss = search.slopes.loss, .at = search.at};
    }
    search.at = least.at;
    describe(&search, fit);
}

void ets_fit(EtsModel model, SeriesView series, EtsFit *fit)
{
    EtsPass pass;
    EtsFit similar = {.passes = 0};
    const EtsFit *likes[ETS_LIKES] = {NULL};
    *fit = (EtsFit){.model = model};
    fit->outcome = ets_prepare(model, series, &pass);
    if (fit->outcome != FIT_OK)
        return;
    EtsModel simpler = model;
    if (model.trend == ETS_TREND_DAMPED || model.trend == ETS_TREND_MULTIPLICATIVE_DAMPED)
        simpler.trend = (EtsTrend)(model.trend - 1);
    else
        simpler.error = ETS_ERROR_ADDITIVE;
    if (simpler.trend != model.trend || simpler.error != model.error) {
        ets_fit(simpler, series, &similar);
        likes[0] = similar.outcome == FIT_OK ? &similar : NULL;
    }
    ets_search(&pass, likes, NULL, INFINITY, fit);
    fit->passes += similar.passes;
}
