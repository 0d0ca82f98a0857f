/* Theta models, fitted to the values less their mean: taking a constant off all values moves l(0)
 * and nothing else, and sums of squares keep their digits. */
#include "kernel/dynamic_theta.h"

#include "kernel/seasonality.h"

#include <math.h>
#include <stdbool.h>

enum { DYNAMIC_UNCOUNTED = 2, GRID = 20, NARROWINGS = 24 };
static const double GOLDEN = 0.6180339887498949;
/* Keeps powers of 1 - alpha, and their squares, out of the denormal numbers, which are slow. */
static const double POWER_FLOOR = 1e-140;
/* A line's part of the squares below this share is rounding. */
static const double COLLINEAR = 1e-12;

/* What a variant is fitted to, and where it may look. */
typedef struct Lines {
    int n;
    int uncounted;     /* errors at the begin that do not count */
    const double *y;   /* [n] less their mean */
    double *intercept; /* [n + 1] A(t) of the line that is known before value t */
    double *slope;     /* [n + 1] B(t) */
    double average;    /* of y */
    bool has_line;
    double most_weight; /* the least is 0 */
    double least_alpha, most_alpha;
} Lines;

/* Sums over the errors that count, of r = y - level begun at 0, p = (1 - alpha)^(t - 1), which is
 * what l(0) = 1 adds, and d, what w = 1 adds. */
typedef struct Sums {
    double rr, rp, rd, pp, pd, dd;
    double level, power; /* after the last value */
} Sums;

/* One value more for the line through all values so far (Fiorucci et al. 2016). */
static void learn_line(int count, double value, double *average, double *intercept, double *slope)
{
    if (count == 1) {
        *average = *intercept = value;
        *slope = 0.0;
        return;
    }
    double t = count;
    *slope = ((t - 2.0) * *slope + 6.0 * (value - *average) / t) / (t + 1.0);
    *average = ((t - 1.0) * *average + value) / t;
    *intercept = *average - 0.5 * (t + 1.0) * *slope;
}

static void fill_lines(Lines *lines)
{
    double average = 0.0, intercept = 0.0, slope = 0.0;
    lines->intercept[0] = lines->slope[0] = 0.0;
    for (int t = 0; t < lines->n; t++) {
        learn_line(t + 1, lines->y[t], &average, &intercept, &slope);
        lines->intercept[t + 1] = intercept;
        lines->slope[t + 1] = slope;
    }
    lines->average = average;
}

/* work [3 n + 2] is where the lines lie. */
static Lines lines_of(const double *y, int n, ThetaVariant variant, double *mean, double *work)
{
    double sum = 0.0;
    for (int t = 0; t < n; t++)
        sum += y[t];
    *mean = sum / n;
    for (int t = 0; t < n; t++)
        work[t] = y[t] - *mean;
    bool has_line = variant == THETA_DYNAMIC;
    Lines lines = {.n = n,
                   .uncounted = has_line ? DYNAMIC_UNCOUNTED : 0,
                   .y = work,
                   .intercept = work + n,
                   .slope = work + 2 * n + 1,
                   .has_line = has_line,
                   .most_weight = has_line ? 1.0 : 0.0,
                   .least_alpha = has_line ? 0.1 : 1e-4,
                   .most_alpha = has_line ? 0.99 : 0.9999};
    if (has_line)
        fill_lines(&lines);
    return lines;
}

static inline Sums add_errors(const Lines *lines, double alpha, bool has_line)
{
    double keep = 1.0 - alpha;
    double inverse = 1.0 / alpha;
    Sums sums = {.level = 0.0, .power = 1.0};
    for (int t = 0; t < lines->uncounted; t++) {
        sums.level = keep * sums.level + alpha * lines->y[t];
        sums.power *= keep;
    }
    for (int t = lines->uncounted; t < lines->n; t++) {
        double power = sums.power;
        double rest = lines->y[t] - sums.level;
        sums.rr += rest * rest;
        sums.rp += rest * power;
        sums.pp += power * power;
        if (has_line) {
            double rise = lines->slope[t] * inverse;
            double drawn = rise + power * (lines->intercept[t] - keep * rise);
            sums.rd += rest * drawn;
            sums.pd += power * drawn;
            sums.dd += drawn * drawn;
        }
        sums.level = keep * sums.level + alpha * lines->y[t];
        sums.power = keep * power + POWER_FLOOR;
    }
    return sums;
}

/* The best l(0) and w for one alpha, less the mean. */
static ThetaFit solve(const Lines *lines, double alpha)
{
    Sums sums = lines->has_line ? add_errors(lines, alpha, true) : add_errors(lines, alpha, false);
    double weight = 0.0;
    double own = sums.dd - sums.pd * sums.pd / sums.pp;
    if (own > COLLINEAR * sums.dd)
        weight = fmin(fmax((sums.rd - sums.rp * sums.pd / sums.pp) / own, 0.0), lines->most_weight);
    double initial = (sums.rp - weight * sums.pd) / sums.pp;
    double explained = initial * sums.rp + weight * sums.rd;
    double squares = initial * initial * sums.pp + weight * weight * sums.dd;
    return (ThetaFit){.alpha = alpha,
                      .weight = weight,
                      .initial = initial,
                      .level = sums.level + initial * sums.power,
                      .squared_errors =
                          sums.rr - 2.0 * explained + squares + 2.0 * initial * weight * sums.pd};
}

/* Points of the grid are closer together near the least alpha. */
static double grid_alpha(const Lines *lines, int point)
{
    double share = (double)point / (GRID - 1);
    return lines->least_alpha + (lines->most_alpha - lines->least_alpha) * share * share;
}

/* The best alpha of a grid, then a golden section between its neighbours. */
static ThetaFit search(const Lines *lines)
{
    ThetaFit best = solve(lines, grid_alpha(lines, 0));
    int at = 0;
    for (int point = 1; point < GRID; point++) {
        ThetaFit fit = solve(lines, grid_alpha(lines, point));
        if (fit.squared_errors < best.squared_errors) {
            best = fit;
            at = point;
        }
    }
    double low = grid_alpha(lines, at > 0 ? at - 1 : 0);
    double high = grid_alpha(lines, at < GRID - 1 ? at + 1 : GRID - 1);
    ThetaFit left = solve(lines, high - GOLDEN * (high - low));
    ThetaFit right = solve(lines, low + GOLDEN * (high - low));
    for (int narrowing = 0; narrowing < NARROWINGS; narrowing++) {
        if (left.squared_errors <= right.squared_errors) {
            high = right.alpha;
            right = left;
            left = solve(lines, high - GOLDEN * (high - low));
        } else {
            low = left.alpha;
            left = right;
            right = solve(lines, low + GOLDEN * (high - low));
        }
    }
    if (left.squared_errors < best.squared_errors)
        best = left;
    if (right.squared_errors < best.squared_errors)
        best = right;
    return best;
}

ThetaFit theta_fit(const double *y, int n, ThetaVariant variant, double *work)
{
    double mean;
    Lines lines = lines_of(y, n, variant, &mean, work);
    ThetaFit fit = search(&lines);
    /* The line rises by the mean too, which takes w of it from the level while that is fresh. */
    fit.initial += mean - fit.weight * mean;
    fit.level += mean - fit.weight * mean * pow(1.0 - fit.alpha, n);
    return fit;
}

/* mean [horizon] out: of the values less `shift`, with which fit and lines were made. */
static void step_ahead(const Lines *lines, const ThetaFit *fit, double shift, int horizon,
                       double *mean)
{
    double keep = 1.0 - fit->alpha;
    double level = fit->level;
    double average = lines->average;
    double intercept = lines->intercept[lines->n];
    double slope = lines->slope[lines->n];
    for (int step = 0; step < horizon; step++) {
        double power = pow(keep, lines->n + step);
        double drawn = slope / fit->alpha + power * (intercept - keep * slope / fit->alpha);
        double value = level + fit->weight * drawn;
        level = fit->alpha * value + keep * level;
        learn_line(lines->n + step + 1, value, &average, &intercept, &slope);
        mean[step] = value + shift;
    }
}

FitOutcome dynamic_theta_forecast(SeriesView series, int horizon, double *mean, double *work)
{
    if (series.n < THETA_VALUES_LEAST)
        return FIT_TOO_SHORT;
    SeasonAdjustment adjustment = season_adjust(series, SEASON_RULE_THETA, work);
    double *rest = work + season_adjust_work(series.n, series.season);
    double shift;
    Lines lines = lines_of(adjustment.series.y, series.n, THETA_DYNAMIC, &shift, rest);
    ThetaFit fit = search(&lines);
    step_ahead(&lines, &fit, shift, horizon, mean);
    return season_restore(&adjustment, horizon, mean);
}

int64_t dynamic_theta_work(int n, int season, int horizon)
{
    (void)horizon;
    return season_adjust_work(n, season) + 3 * (int64_t)n + 2;
}
