/* See convex_weights.h. */
#include "kernel/convex_weights.h"

#include <math.h>

enum { MOVES_MAX = 10000 };
static const double PRECISION = 1e-10;

/* slopes [n] := errors times weights: half of the derivatives. */
static double slopes_at(const double *errors, int n, const double *weights, double *slopes)
{
    double value = 0.0;
    for (int k = 0; k < n; k++) {
        slopes[k] = 0.0;
        for (int l = 0; l < n; l++)
            slopes[k] += errors[k * n + l] * weights[l];
        value += weights[k] * slopes[k];
    }
    return value;
}

/* Move weight from the steepest forecast that has some to the least steep; what the slopes promise
 * that this gains. */
static double move(const double *errors, int n, const double *slopes, double *weights)
{
    int to = 0, from = 0;
    for (int k = 0; k < n; k++) {
        if (slopes[k] < slopes[to])
            to = k;
        if (weights[k] > 0.0 && (weights[from] == 0.0 || slopes[k] > slopes[from]))
            from = k;
    }
    double slope = slopes[from] - slopes[to];
    double bend = errors[from * n + from] + errors[to * n + to] - 2.0 * errors[from * n + to];
    double step = bend > 0.0 ? fmin(weights[from], slope / bend) : weights[from];
    if (slope <= 0.0)
        return 0.0;
    weights[from] = step < weights[from] ? weights[from] - step : 0.0;
    weights[to] += step;
    return slope * step;
}

void convex_weights(const double *errors, int n, double *weights)
{
    double slopes[CONVEX_WEIGHTS_MAX] = {0.0};
    for (int k = 0; k < n; k++)
        weights[k] = 1.0 / n;
    for (int i = 0; i < MOVES_MAX; i++) {
        double value = slopes_at(errors, n, weights, slopes);
        if (!(move(errors, n, slopes, weights) > PRECISION * value))
            break;
    }
}
