/* A simplex, kept sorted by value, and fresh ones around the best corner: one simplex alone can
 * collapse onto a face of the box, or stop where its corners lie evenly around the minimum. */
#include "kernel/nelder_mead.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* By this factor the edges of each further simplex are shorter. */
static const double SHORTER = 0.25;
static const double TINY = 1e-300;

typedef struct Search {
    NelderMeadObjective *objective;
    void *context;
    int n;
    const double *lower; /* [n] */
    const double *upper; /* [n] */
    int evaluations;
    int most_evaluations;
    double tolerance;
    double *corners;  /* [n + 1][n] best first, except for the last while it moves */
    double *values;   /* [n + 1] */
    double *centroid; /* [n] of all but the last */
    double *trial;    /* [n] */
    double *further;  /* [n] */
} Search;

int64_t nelder_mead_work(int n)
{
    int64_t size = n > 0 ? n : 0;
    return (size + 1) * size + (size + 1) + 3 * size;
}

static double *corner(const Search *search, int i)
{
    return search->corners + (int64_t)i * search->n;
}

/* Move x into the box and try it. */
static double try_at(Search *search, double *x)
{
    for (int i = 0; i < search->n; i++)
        x[i] = fmin(fmax(x[i], search->lower[i]), search->upper[i]);
    search->evaluations++;
    double value = search->objective(x, search->context);
    return isnan(value) ? INFINITY : value;
}

/* Put the last corner in its place; of equal values, the one that was there first comes first. */
static void sort_last(Search *search, int last)
{
    double value = search->values[last];
    size_t size = (size_t)search->n * sizeof *search->corners;
    memcpy(search->trial, corner(search, last), size);
    int place = last;
    for (; place > 0 && search->values[place - 1] > value; place--) {
        search->values[place] = search->values[place - 1];
        memcpy(corner(search, place), corner(search, place - 1), size);
    }
    search->values[place] = value;
    memcpy(corner(search, place), search->trial, size);
}

static void replace_last(Search *search, const double *x, double value)
{
    memcpy(corner(search, search->n), x, (size_t)search->n * sizeof *x);
    search->values[search->n] = value;
    sort_last(search, search->n);
}

/* What an edge is a share of. */
static double width_of(const Search *search, int i, double x)
{
    double width = search->upper[i] - search->lower[i];
    if (isfinite(width))
        return width;
    return x == 0.0 ? 1.0 : fabs(x);
}

/* A simplex around the first corner, whose value is known. */
static void spread_out(Search *search, double edge)
{
    for (int i = 0; i < search->n; i++) {
        double *x = corner(search, i + 1);
        memcpy(x, corner(search, 0), (size_t)search->n * sizeof *x);
        double length = edge * width_of(search, i, x[i]);
        x[i] += x[i] + length > search->upper[i] ? -length : length;
    }
    /* All are made from the best so far before any is sorted. */
    for (int i = 1; i <= search->n; i++)
        search->values[i] = try_at(search, corner(search, i));
    for (int i = 1; i <= search->n; i++)
        sort_last(search, i);
}

/* x out: `factor` times as far from the centroid as the last corner, on the other side if < 0. */
static double try_along(Search *search, double factor, double *x)
{
    const double *last = corner(search, search->n);
    for (int i = 0; i < search->n; i++)
        x[i] = search->centroid[i] + factor * (last[i] - search->centroid[i]);
    return try_at(search, x);
}

static void find_centroid(Search *search)
{
    for (int i = 0; i < search->n; i++) {
        double sum = 0.0;
        for (int j = 0; j < search->n; j++)
            sum += corner(search, j)[i];
        search->centroid[i] = sum / search->n;
    }
}

static void shrink(Search *search, double factor)
{
    const double *best = corner(search, 0);
    for (int j = 1; j <= search->n; j++) {
        double *x = corner(search, j);
        for (int i = 0; i < search->n; i++)
            x[i] = best[i] + factor * (x[i] - best[i]);
        search->values[j] = try_at(search, x);
    }
    for (int j = 1; j <= search->n; j++)
        sort_last(search, j);
}

/* Gao, Han 2012, eq. 4.1; with one variable, the coefficients of two. */
static void move_last(Search *search)
{
    double size = search->n > 2 ? search->n : 2.0;
    double contraction = 0.75 - 0.5 / size;
    double worst = search->values[search->n];
    find_centroid(search);
    double reflected = try_along(search, -1.0, search->trial);
    if (reflected < search->values[0]) {
        double expanded = try_along(search, -(1.0 + 2.0 / size), search->further);
        if (expanded < reflected)
            replace_last(search, search->further, expanded);
        else
            replace_last(search, search->trial, reflected);
    } else if (reflected < search->values[search->n - 1]) {
        replace_last(search, search->trial, reflected);
    } else {
        bool outside = reflected < worst;
        double contracted =
            try_along(search, outside ? -contraction : contraction, search->further);
        if (contracted <= reflected && contracted < worst)
            replace_last(search, search->further, contracted);
        else
            shrink(search, 1.0 - 1.0 / size);
    }
}

static bool is_same(const Search *search, double better, double worse)
{
    return !(worse - better > search->tolerance * fabs(better) + TINY);
}

double nelder_mead_minimise(NelderMeadObjective *objective, void *context, int n, double *x,
                            const double *lower, const double *upper, double edge, double tolerance,
                            int most_evaluations, double *work)
{
    Search search = {.objective = objective,
                     .context = context,
                     .n = n > 0 ? n : 0,
                     .lower = lower,
                     .upper = upper,
                     .most_evaluations = most_evaluations,
                     .tolerance = tolerance,
                     .corners = work};
    search.values = work + (int64_t)(search.n + 1) * search.n;
    search.centroid = search.values + search.n + 1;
    search.trial = search.centroid + search.n;
    search.further = search.trial + search.n;
    if (search.n == 0)
        return try_at(&search, x);
    memcpy(corner(&search, 0), x, (size_t)search.n * sizeof *x);
    search.values[0] = try_at(&search, corner(&search, 0));
    double before;
    do {
        before = search.values[0];
        spread_out(&search, edge);
        while (search.evaluations < most_evaluations &&
               !is_same(&search, search.values[0], search.values[search.n]))
            move_last(&search);
        edge *= SHORTER;
    } while (search.evaluations < most_evaluations && !is_same(&search, search.values[0], before));
    memcpy(x, corner(&search, 0), (size_t)search.n * sizeof *x);
    return search.values[0];
}
