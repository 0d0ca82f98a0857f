/* A quasi-Newton climb (BFGS: Nocedal, Wright 2006, "Numerical optimization", algorithm 6.1) in the
 * logarithms of the parameters, then the curvature by differences of the slopes, which judges the
 * place and gives the standard errors. Why not a library: docs/decisions/0005. */
#include "kernel/maximum_likelihood.h"

#include <math.h>
#include <string.h>

enum {
    SIZE = LIKELIHOOD_PARAMETERS_MAX,
    EVALUATIONS_MAX = 250, /* a climb to a maximum needs 30 to 60 */
    ROUNDS_MAX = 5,
    TRIALS_MAX = 30
};

static const double RANGE = 13.815510557964274; /* ln 1e6 */
static const double STEP_MAX = 2.0;             /* of any logarithm: a factor of 7.4 */
static const double GAIN = 1e-4;                /* of the gain that the slope promises */
static const double NOISE = 1e-13;              /* relative, of a log-likelihood */
static const double DIFFERENCE = 1e-4;
/* The squared distance to the maximum, in standard errors, at which a climb ends and at which its
 * end is taken for the maximum. */
static const double CLIMBED = 1e-10;
static const double CONVERGED = 1e-8;

typedef struct Climb {
    LogLikelihood *likelihood;
    void *context;
    int n;
    int evaluations;
    double start[SIZE]; /* logarithms */
} Climb;

typedef struct Place {
    double logs[SIZE];
    double value;
    double slopes[SIZE];
} Place;

static double dot(int n, const double *a, const double *b)
{
    double sum = 0.0;
    for (int i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static void multiply(int n, double matrix[SIZE][SIZE], const double *vector, double *product)
{
    for (int i = 0; i < n; i++)
        product[i] = dot(n, matrix[i], vector);
}

/* Work out the likelihood at place->logs. */
static void visit(Climb *climb, Place *place)
{
    double parameters[SIZE] = {0.0};
    double sums[1 + SIZE];
    for (int i = 0; i < climb->n; i++)
        parameters[i] = exp(place->logs[i]);
    climb->likelihood(parameters, sums, climb->context);
    climb->evaluations++;
    place->value = isfinite(sums[0]) ? sums[0] : -INFINITY;
    memcpy(place->slopes, sums + 1, (size_t)climb->n * sizeof *sums);
}

static bool is_at_edge(const Climb *climb, const Place *place)
{
    for (int i = 0; i < climb->n; i++)
        if (!(fabs(place->logs[i] - climb->start[i]) < RANGE))
            return true;
    return false;
}

/* Go from *place along `direction`, in which the likelihood rises at first by `slope`; false if no
 * step is found that gains. */
static bool step_along(Climb *climb, Place *place, const double *direction, double slope)
{
    double longest = 0.0;
    for (int i = 0; i < climb->n; i++)
        longest = fmax(longest, fabs(direction[i]));
    double length = fmin(1.0, STEP_MAX / longest);
    double noise = NOISE * fabs(place->value);
    for (int trial = 0; trial < TRIALS_MAX; trial++) {
        Place next;
        for (int i = 0; i < climb->n; i++)
            next.logs[i] =
                fmin(fmax(place->logs[i] + length * direction[i], climb->start[i] - RANGE),
                     climb->start[i] + RANGE);
        visit(climb, &next);
        double short_of = place->value + length * slope - next.value;
        if (short_of <= (1.0 - GAIN) * length * slope + noise) {
            *place = next;
            return true;
        }
        /* The top of the parabola through both values and the slope. */
        double top = 0.5 * length * length * slope / short_of;
        length = fmin(fmax(top, 0.1 * length), 0.5 * length);
    }
    return false;
}

/* Nocedal, Wright 2006, eq. 6.17 and, for the first step, 6.20. inverse: of the negative curvature;
 * left alone where the slopes do not fall along the step. */
static void learn_curvature(int n, const Place *from, const Place *to, bool is_first,
                            double inverse[SIZE][SIZE])
{
    double step[SIZE];
    double fall[SIZE];
    for (int i = 0; i < n; i++) {
        step[i] = to->logs[i] - from->logs[i];
        fall[i] = from->slopes[i] - to->slopes[i];
    }
    double along = dot(n, step, fall);
    if (!(along > 0.0))
        return;
    for (int i = 0; is_first && i < n; i++)
        inverse[i][i] = along / dot(n, fall, fall);
    double image[SIZE];
    multiply(n, inverse, fall, image);
    double weight = (1.0 + dot(n, fall, image) / along) / along;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            inverse[i][j] +=
                weight * step[i] * step[j] - (image[i] * step[j] + step[i] * image[j]) / along;
}

/* Climb from *place until it is nearly as high as `inverse` lets expect. */
static void climb_up(Climb *climb, Place *place, bool is_first, double inverse[SIZE][SIZE])
{
    while (climb->evaluations < EVALUATIONS_MAX && !is_at_edge(climb, place)) {
        double direction[SIZE];
        multiply(climb->n, inverse, place->slopes, direction);
        double slope = dot(climb->n, direction, place->slopes);
        Place from = *place;
        if (!(slope > CLIMBED) || !step_along(climb, place, direction, slope))
            return;
        learn_curvature(climb->n, &from, place, is_first, inverse);
        is_first = false;
    }
}

/* Invert a symmetric matrix by Cholesky's factors, in place; false unless it is positive beyond
 * rounding. */
static bool invert(int n, double matrix[SIZE][SIZE])
{
    double factor[SIZE][SIZE] = {{0.0}};
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++) {
            double rest = matrix[i][j] - dot(j, factor[i], factor[j]);
            if (i == j && !(rest > 1e-10 * matrix[i][i]))
                return false;
            factor[i][j] = i == j ? sqrt(rest) : rest / factor[j][j];
        }
    for (int column = 0; column < n; column++) {
        double unit[SIZE] = {0.0};
        unit[column] = 1.0;
        for (int i = 0; i < n; i++)
            unit[i] = (unit[i] - dot(i, factor[i], unit)) / factor[i][i];
        for (int i = n - 1; i >= 0; i--) {
            for (int j = i + 1; j < n; j++)
                unit[i] -= factor[j][i] * unit[j];
            unit[i] /= factor[i][i];
        }
        for (int i = 0; i < n; i++)
            matrix[i][column] = unit[i];
    }
    return true;
}

/* inverse out: of the negative curvature at `place`, the covariance of the logarithms if this is
 * the maximum; false if the likelihood is not curved downwards in all directions. */
static bool find_covariance(Climb *climb, const Place *place, double inverse[SIZE][SIZE])
{
    double by_row[SIZE][SIZE];
    for (int i = 0; i < climb->n; i++) {
        Place low = *place;
        Place high = *place;
        low.logs[i] -= DIFFERENCE;
        high.logs[i] += DIFFERENCE;
        visit(climb, &low);
        visit(climb, &high);
        for (int j = 0; j < climb->n; j++)
            by_row[i][j] = (low.slopes[j] - high.slopes[j]) / (2.0 * DIFFERENCE);
    }
    for (int i = 0; i < climb->n; i++)
        for (int j = 0; j < climb->n; j++)
            inverse[i][j] = 0.5 * (by_row[i][j] + by_row[j][i]);
    return invert(climb->n, inverse);
}

LikelihoodFit maximise_likelihood(LogLikelihood *likelihood, void *context, int n,
                                  double *parameters)
{
    Climb climb = {.likelihood = likelihood, .context = context, .n = n};
    LikelihoodFit fit = {.converged = false};
    Place place;
    double inverse[SIZE][SIZE] = {{0.0}};
    for (int i = 0; i < n; i++)
        climb.start[i] = place.logs[i] = log(parameters[i]);
    visit(&climb, &place);
    double steepest = 0.0;
    for (int i = 0; i < n; i++)
        steepest = fmax(steepest, fabs(place.slopes[i]));
    for (int i = 0; i < n; i++)
        inverse[i][i] = 1.0 / fmax(steepest, 1.0);
    bool is_curved = true;
    for (int round = 0; round < ROUNDS_MAX && is_curved && !fit.converged; round++) {
        climb_up(&climb, &place, round == 0, inverse);
        is_curved = !is_at_edge(&climb, &place) && find_covariance(&climb, &place, inverse);
        double step[SIZE];
        multiply(n, inverse, place.slopes, step);
        fit.converged = is_curved && dot(n, step, place.slopes) < CONVERGED;
        for (int i = 0; fit.converged && i < n; i++)
            place.logs[i] += step[i]; /* the last one costs no evaluation */
    }
    for (int i = 0; i < n; i++) {
        parameters[i] = exp(place.logs[i]);
        fit.standard_errors[i] = fit.converged ? parameters[i] * sqrt(inverse[i][i]) : NAN;
    }
    fit.log_likelihood = place.value;
    fit.evaluations = climb.evaluations;
    return fit;
}
