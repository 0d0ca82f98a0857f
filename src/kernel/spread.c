/* Distributions of errors; see spread.h. */
#include "kernel/spread.h"

#include <math.h>

/* Bins are even steps of asinh(error / UNIT): of the error itself near 0, of its logarithm far out.
 */
static const double UNIT = 1e-3, BINS_A_STEP = 60;
enum { MIDDLE = SPREAD_BINS / 2 };
static const double MEAN_LEAST = 1e-3;
static const double MOST = 4; /* by which a mean is moved */

int spread_bin(double error)
{
    double bin = floor(asinh(error / UNIT) * BINS_A_STEP) + MIDDLE;
    return bin < 0 ? 0 : bin > SPREAD_BINS - 1 ? SPREAD_BINS - 1 : (int)bin;
}

double spread_edge(int bin)
{
    return UNIT * sinh((bin - MIDDLE) / BINS_A_STEP);
}

/* ---- counts ---- */

double spread_mean(double mean, double rate, double level)
{
    if (!(rate > 0 && level > 0))
        return mean;
    return mean * fmin(fmax(sqrt(level / rate), 1 / MOST), MOST);
}

/* Length of a count's stretch. */
static double stretch(double mean)
{
    return log1p(1 / fmax(mean, MEAN_LEAST));
}

void spread_count_points(double count, double mean, double *points)
{
    double length = stretch(mean);
    double begin = fmax(count, 0) * length;
    double mass = -expm1(-length); /* of the stretch, by that of all from its beginning on */
    for (int k = 0; k < SPREAD_PIECES; k++)
        points[k] = begin - log1p(-mass * (k + .5) / SPREAD_PIECES);
}

double spread_count(double t, double mean)
{
    return fmax(floor(t / stretch(mean)), 0);
}

double spread_count_end(double count, double mean)
{
    return (floor(count) + 1) * stretch(mean);
}

/* ---- distributions ---- */

void spread_condense(const double *errors, int64_t n, float *own)
{
    for (int k = 0; k < SPREAD_OWN; k++)
        own[k] = (float)errors[(int64_t)((k + .5) / SPREAD_OWN * (double)n)];
}

static double base_share(SpreadBase base, double error)
{
    if (base == SPREAD_GEOMETRIC)
        return error > 0 ? -expm1(-error) : 0;
    return error < 0 ? .5 * exp(error) : 1 - .5 * exp(-error);
}

static double base_quantile(SpreadBase base, double p)
{
    if (base == SPREAD_GEOMETRIC)
        return -log1p(-p);
    return p < .5 ? log(2 * p) : -log(2 * (1 - p));
}

/* Within a bin errors are taken to lie evenly. */
static double group_share(const Spread *spread, double error)
{
    const int64_t *histogram = spread->histogram;
    if (!histogram)
        return base_share(spread->base, error);
    int bin = spread_bin(error);
    double below = bin > 0 ? (double)histogram[bin - 1] : 0;
    double low = spread_edge(bin), high = spread_edge(bin + 1);
    double part = fmin(fmax((error - low) / (high - low), 0), 1);
    double count = below + part * ((double)histogram[bin] - below);
    return count / (double)histogram[SPREAD_BINS - 1];
}

static double group_quantile(const Spread *spread, double p)
{
    const int64_t *histogram = spread->histogram;
    if (!histogram)
        return base_quantile(spread->base, p);
    double count = p * (double)histogram[SPREAD_BINS - 1];
    int low = 0, high = SPREAD_BINS - 1; /* the first bin that reaches the count */
    while (low < high) {
        int middle = (low + high) / 2;
        if ((double)histogram[middle] >= count && histogram[middle] > 0)
            high = middle;
        else
            low = middle + 1;
    }
    double below = low > 0 ? (double)histogram[low - 1] : 0;
    double part = (count - below) / ((double)histogram[low] - below);
    double begin = spread_edge(low);
    return begin + fmin(fmax(part, 0), 1) * (spread_edge(low + 1) - begin);
}

/* How many of the own points are at most `error`. */
static int own_up_to(const Spread *spread, double error)
{
    int low = 0, high = SPREAD_OWN;
    while (low < high) {
        int middle = (low + high) / 2;
        if (spread->own[middle] <= error)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

double spread_share(const Spread *spread, double error)
{
    double weight = spread->own_weight;
    double share = (1 - weight) * group_share(spread, error);
    if (weight > 0)
        share += weight * own_up_to(spread, error) / SPREAD_OWN;
    return share;
}

double spread_quantile(const Spread *spread, double p)
{
    double weight = spread->own_weight;
    if (!(weight > 0))
        return group_quantile(spread, p);
    int low = 0, high = SPREAD_OWN; /* the first own point at which the share reaches p */
    while (low < high) {
        int middle = (low + high) / 2;
        double own = (double)(middle + 1) / SPREAD_OWN;
        double share = weight * own + (1 - weight) * group_share(spread, spread->own[middle]);
        if (share >= p)
            high = middle;
        else
            low = middle + 1;
    }
    /* Between that point and the one before only the group's share rises. */
    double rest = (p - weight * low / SPREAD_OWN) / (1 - weight);
    double error = NAN;
    if (rest > 0 && rest < 1)
        error = group_quantile(spread, rest);
    else
        error = rest > 0 ? INFINITY : -INFINITY;
    if (low > 0)
        error = fmax(error, spread->own[low - 1]);
    return low < SPREAD_OWN ? fmin(error, spread->own[low]) : error;
}
