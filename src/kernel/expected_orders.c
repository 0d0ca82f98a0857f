/* Purchases expected of a customer in the time to come. docs/methods/bg_nbd.md has the derivation.
 *
 * Of a customer who is still there, with R = r + x, A = alpha + T, B = b + x and y = horizon / A:
 *   E = mean over p ~ Beta(a, B) of  (1 - (1 + p y)^-R) / p
 * which is Fader, Hardie, Lee 2005, eq. 10, without its difference: that loses all digits where the
 * horizon is short or a is near 1, and has poles at a = 1 and at a + b + x = 1. */
#include "kernel/bgnbd.h"

#include <math.h>
#include <stdbool.h>

/* Where the power series would need more terms, or its factors leave the range of double, the mean
 * is a numerical integral. */
static const double SERIES_TERMS = 2000.0;
static const double SERIES_LOG_MAX = 600.0;
static const double TOLERANCE = 1e-16;
static const double LOG_NOTHING = 39.0; /* exp(-39) = 1e-17 */

typedef struct Stay {
    double shape;  /* R */
    double a;      /* of p ~ Beta(a, B) */
    double b;      /* B */
    double length; /* y */
} Stay;

/* With z = y / (1 + y) and S(z) = 2F1(R + 1, B; a + B; z), the derivative of E by z is
 * R (1 - z)^(R - 1) S(z) (DLMF 15.8.1). So E = (1 - z)^R H(z), (1 - z) H' = R (H + S), and the
 * coefficients of H follow from those of S:  (k + 1) h_(k+1) = (k + R) h_k + R s_k.  All of them
 * are positive, so that no digit is lost. */
static double by_series(const Stay *stay)
{
    double z = stay->length / (1.0 + stay->length);
    double both = stay->a + stay->b;
    double s = 1.0; /* s_k z^k */
    double h = 0.0; /* h_k z^k */
    double sum = 0.0;
    double k = 0.0;
    do {
        double step = z / (k + 1.0);
        h = step * ((k + stay->shape) * h + stay->shape * s);
        s *= step * ((stay->shape + 1.0 + k) * (stay->b + k) / (both + k));
        sum += h;
        k += 1.0;
    } while (h > TOLERANCE * (1.0 - z) * sum || s > TOLERANCE * sum);
    return sum * exp(-stay->shape * log1p(stay->length));
}

/* One point of the integral over w = ln(p / (1 - p)): the density of w, without its constant factor
 * but 1 at `mode`, and what it weighs. */
typedef struct Point {
    double density;
    double orders;
} Point;

typedef struct LogBeta {
    double log_p;    /* ln p */
    double log_rest; /* ln(1 - p) */
} LogBeta;

static LogBeta log_beta(double w)
{
    double t = log1p(exp(-fabs(w)));
    return w < 0.0 ? (LogBeta){.log_p = w - t, .log_rest = -t}
                   : (LogBeta){.log_p = -t, .log_rest = -w - t};
}

static Point point_at(const Stay *stay, double w, LogBeta mode)
{
    LogBeta at = log_beta(w);
    double p = exp(at.log_p);
    double density =
        exp(stay->a * (at.log_p - mode.log_p) + stay->b * (at.log_rest - mode.log_rest));
    /* Below the smallest p that counts, (1 - (1 + p y)^-R) / p is R y. */
    double bought = p > 0.0 ? -expm1(-stay->shape * log1p(p * stay->length)) / p : 0.0;
    return (Point){.density = density, .orders = density * bought};
}

/* Add to *sum the points at centre + i step, i = 1, 2, ..., until they are too small to be seen.
 * Beyond the distance `far` the density falls as exp(-rate |w|), and what it weighs is `orders`:
 * the rest is a geometric sum. */
static void add_side(const Stay *stay, double centre, LogBeta mode, double step, double far,
                     double rate, double orders, Point *sum)
{
    for (int64_t i = 1;; i++) {
        double w = centre + (double)i * step;
        Point point = point_at(stay, w, mode);
        sum->density += point.density;
        sum->orders += point.orders;
        if (point.density <= TOLERANCE * sum->density && point.orders <= TOLERANCE * sum->orders)
            return;
        if (fabs(w) > far && (w > 0.0) == (step > 0.0)) {
            double rest = point.density / expm1(rate * fabs(step));
            sum->density += rest;
            sum->orders += rest * orders;
            return;
        }
    }
}

/* The trapezoidal rule over w: the integrands are analytic in a strip of at least pi / 2 to both
 * sides of the real line (or bells of width sigma), so that a step of 1/4 (or 0.6 sigma) leaves an
 * error of 1e-17 (Trefethen, Weideman 2014, theorem 5.1). */
static double by_integral(const Stay *stay)
{
    double sigma = sqrt(1.0 / stay->a + 1.0 / stay->b);
    double step = fmin(0.25, 0.6 * sigma);
    double centre = log(stay->a / stay->b);
    LogBeta mode = log_beta(centre);
    Point sum = point_at(stay, centre, mode);
    /* p B and p (R + 1) y below, (1 - p) a and (1 - p) (R + 1) above are nothing beside 1. */
    double far_below = LOG_NOTHING + log1p(stay->b + (stay->shape + 1.0) * stay->length);
    double far_above = LOG_NOTHING + log1p(stay->a + stay->shape);
    add_side(stay, centre, mode, -step, far_below, stay->a, stay->shape * stay->length, &sum);
    add_side(stay, centre, mode, step, far_above, stay->b,
             -expm1(-stay->shape * log1p(stay->length)), &sum);
    return sum.orders / sum.density;
}

double bgnbd_expected_orders(const BgNbd *model, int32_t repeats, double recency, double age,
                             double horizon)
{
    if (!(horizon > 0.0))
        return 0.0;
    double x = (double)repeats;
    double length = horizon / (model->alpha + age);
    Stay stay = {.shape = model->r + x, .a = model->a, .b = model->b + x, .length = length};
    double mean_terms = stay.shape * length;
    double terms = mean_terms + 9.0 * sqrt(mean_terms * (1.0 + length)) + 37.0 * (1.0 + length);
    bool is_short = terms < SERIES_TERMS && stay.shape * log1p(length) < SERIES_LOG_MAX;
    double orders = is_short ? by_series(&stay) : by_integral(&stay);
    return orders * bgnbd_p_alive(model, repeats, recency, age);
}
