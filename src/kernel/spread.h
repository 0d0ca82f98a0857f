/* Spread: how what came lay around what was forecast, learned from the series itself and from
 * others like it. Local, safe in threads. Method and sources: docs/methods/intervals.md.
 *
 * Errors are made comparable first. Of a number: (actual - forecast) / the series' scale. Of a
 * count: where it falls in the geometric distribution with the forecast as its mean, in units of
 * -ln P(more): t = k ln(1 + 1 / mean). So counts of fast sellers compare by the ratio to their
 * forecast, and those of slow ones by how rare they were. */
#ifndef VESPER_KERNEL_SPREAD_H
#define VESPER_KERNEL_SPREAD_H

#include <stdint.h>

enum {
    SPREAD_BINS = 2048, /* of a histogram: width 1.7 % of the value, .0017 around 0; up to 1e4 */
    SPREAD_OWN = 64,    /* points that a series' own errors are kept as */
    SPREAD_PIECES = 4   /* points that stand for one count: a count is a stretch of t */
};

/* Bin of an error, and the lower edge of a bin; an error past the ends is in the outermost. */
int spread_bin(double error);
double spread_edge(int bin);

/* The mean by which counts are compared where `mean` is forecast: what is forecast a period now
 * (`rate`) is believed half of its way, in logarithms, from the level of the backtest, as a high
 * forecast is in part an error upwards; it is moved by a factor of 4 at most. `mean` itself if one
 * of the two is not above 0. */
double spread_mean(double mean, double rate, double level);

/* The stretch of t of a count, as equally likely points [SPREAD_PIECES], ascending. A mean below
 * .001 is taken for that, a count below 0 for 0. */
void spread_count_points(double count, double mean, double *points);
/* The count, a whole number, whose stretch holds t. */
double spread_count(double t, double mean);
/* Where the stretch of a count ends: what is at most that count is at most this t. */
double spread_count_end(double count, double mean);

/* own [SPREAD_OWN] out: points of equal weight for errors [n > 0], which are ascending. */
void spread_condense(const double *errors, int64_t n, float *own);

/* What there is if nothing was ever measured: the geometric distribution itself; for numbers
 * Laplace's, whose mean absolute error is the scale. */
typedef enum SpreadBase { SPREAD_GEOMETRIC, SPREAD_LAPLACE } SpreadBase;

/* own_weight parts of the series' own errors, and for the rest those of its group. */
typedef struct Spread {
    SpreadBase base;
    double own_weight;        /* in [0, 1) */
    const float *own;         /* [SPREAD_OWN] ascending; not read if own_weight is 0 */
    const int64_t *histogram; /* [SPREAD_BINS] how many of the group are in this bin and those
                                 below; NULL: the base */
} Spread;

/* Share of errors that are at most `error`, in [0, 1]. */
double spread_share(const Spread *spread, double error);
/* The least error that a share p in (0, 1) does not pass; rises with p. */
double spread_quantile(const Spread *spread, double p);

#endif
