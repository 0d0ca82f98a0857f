#include "rank/reconcile_book.h"

#include "base/memory.h"

#include <math.h>

/* Rows that take part: distinct nodes, then series. */
typedef struct Book {
    int n_nodes, n, size; /* size: of both */
    int32_t *nodes;       /* [n_nodes] */
    double *s;            /* [size x n] */
    double *x;            /* [size x periods] residuals, 0 where not known, times sqrt(T / known) */
    double *variance;     /* [size] 0 where not known */
    bool *is_known;       /* [size] */
    double *w;            /* [size x size] */
} Book;

static void book_rows(Book *b, const BookInput *c)
{
    int64_t n = c->model->n, periods = c->periods;
    b->n = (int)n;
    b->nodes = mem_new(c->hierarchy->n_nodes, sizeof *b->nodes);
    for (int32_t node = 0; node < c->hierarchy->n_nodes; node++) {
        if (c->hierarchy->n_series[node] > 1 && c->hierarchy->same[node] == node)
            b->nodes[b->n_nodes++] = node;
    }
    b->size = b->n_nodes + b->n;
    b->s = mem_new((int64_t)b->size * n, sizeof(double));
    b->x = mem_new(b->size * periods, sizeof(double));
    b->variance = mem_new(b->size, sizeof(double));
    b->is_known = mem_new(b->size, sizeof(bool));
    b->w = mem_new((int64_t)b->size * b->size, sizeof(double));
    for (int j = 0; j < b->size; j++) {
        bool is_node = j < b->n_nodes;
        const double *residuals = is_node ? c->node_residuals + b->nodes[j] * periods
                                          : c->bottom_residuals + (j - b->n_nodes) * periods;
        double known = 0, sum = 0;
        for (int64_t i = 0; i < n; i++)
            b->s[j * n + i] = is_node
                                  ? hierarchy_model_is_in(c->model, c->hierarchy, b->nodes[j], i)
                                  : j - b->n_nodes == i;
        for (int64_t t = 0; t < periods; t++) {
            known += isfinite(residuals[t]) ? 1 : 0;
            sum += isfinite(residuals[t]) ? residuals[t] * residuals[t] : 0;
        }
        b->is_known[j] = known >= 2;
        for (int64_t t = 0; t < periods && known >= 2; t++)
            b->x[j * periods + t] =
                isfinite(residuals[t]) ? residuals[t] * sqrt((double)periods / known) : 0;
        b->variance[j] = known >= 2 ? sum / known : 0;
    }
}

static void book_free(Book *b)
{
    mem_free(&b->nodes);
    mem_free(&b->s);
    mem_free(&b->x);
    mem_free(&b->variance);
    mem_free(&b->is_known);
    mem_free(&b->w);
}

/* By pairs. */
static double book_lambda(const Book *b, int64_t periods)
{
    double variances = 0, squares = 0, T = (double)periods;
    for (int i = 0; i < b->size; i++)
        for (int j = 0; j < b->size; j++) {
            double sum = 0, sum2 = 0, scale = sqrt(b->variance[i] * b->variance[j]);
            if (i == j || !(scale > 0))
                continue;
            for (int64_t t = 0; t < periods; t++) {
                double product = b->x[i * periods + t] * b->x[j * periods + t] / scale;
                sum += product;
                sum2 += product * product;
            }
            variances += (sum2 - sum * sum / T) / (T * (T - 1));
            squares += sum * sum / (T * T);
        }
    double lambda = variances / squares;
    return squares > 0 && lambda < 1 ? fmax(lambda, 1e-4) : 1;
}

static void book_w(Book *b, int64_t periods, double lambda)
{
    double mean = 0, count = 0;
    for (int j = b->n_nodes; j < b->size; j++) {
        count += b->is_known[j];
        mean += b->variance[j];
    }
    mean = mean > 0 ? mean / count : 1;
    for (int j = b->size - 1; j >= 0; j--) {
        for (int i = 0; i < b->size; i++) {
            double sum = 0;
            for (int64_t t = 0; t < periods; t++)
                sum += b->x[i * periods + t] * b->x[j * periods + t];
            b->w[j * b->size + i] = periods > 0 ? (1 - lambda) * sum / (double)periods : 0;
        }
        double diagonal = b->is_known[j] ? fmax(b->variance[j], 1e-9 * mean) : mean;
        if (!b->is_known[j] && j < b->n_nodes) {
            diagonal = 0; /* of its series, which come first here */
            for (int i = 0; i < b->n; i++) {
                int64_t at = b->n_nodes + i;
                diagonal += b->s[j * b->n + i] * b->w[at * b->size + at];
            }
        }
        b->w[j * b->size + j] = diagonal;
    }
}

/* x [n x m] := a^-1 x by Gauss and Jordan with pivoting; a [n x n] is lost. Least variances weigh
 * 10^9 times the mean: more digits than double has make up for that. */
static void eliminate(long double *a, int n, long double *x, int m)
{
    for (int k = 0; k < n; k++) {
        int pivot = k;
        for (int i = k; i < n; i++)
            pivot = fabsl(a[i * n + k]) > fabsl(a[pivot * n + k]) ? i : pivot;
        for (int j = 0; j < n + m; j++) {
            long double *row = j < n ? a + k * n + j : x + k * m + j - n;
            long double *other = j < n ? a + pivot * n + j : x + pivot * m + j - n;
            long double kept = *row;
            *row = *other;
            *other = kept;
        }
        for (int i = 0; i < n; i++) {
            long double factor = i == k ? 0 : a[i * n + k] / a[k * n + k];
            for (int j = k; j < n && i != k; j++)
                a[i * n + j] -= factor * a[k * n + j];
            for (int j = 0; j < m && i != k; j++)
                x[i * m + j] -= factor * x[k * m + j];
        }
    }
    for (int k = 0; k < n; k++)
        for (int j = 0; j < m; j++)
            x[k * m + j] /= a[k * n + k];
}

/* (S' W^-1 S)^-1 S' W^-1 y. */
static double *book_series(const Book *b, const BookInput *c)
{
    int n = b->n, size = b->size, horizon = c->horizon, m = n + horizon;
    long double *w = mem_new((int64_t)size * size, sizeof *w);
    long double *right = mem_new((int64_t)size * m, sizeof *right); /* S, y; then W^-1 times them */
    long double *normal = mem_new((int64_t)n * n, sizeof *normal);
    long double *exact = mem_new((int64_t)n * horizon, sizeof *exact);
    double *series = mem_new((int64_t)n * horizon, sizeof *series);
    for (int k = 0; k < size * size; k++)
        w[k] = b->w[k];
    for (int j = 0; j < size; j++) {
        const double *y = j < b->n_nodes ? c->nodes + b->nodes[j] * horizon
                                         : c->bottom + (j - b->n_nodes) * horizon;
        for (int k = 0; k < m; k++)
            right[j * m + k] = k < n ? b->s[j * n + k] : y[k - n];
    }
    eliminate(w, size, right, m);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < size; j++) {
            double member = b->s[j * n + i];
            for (int k = 0; k < n && member != 0; k++)
                normal[i * n + k] += right[j * m + k];
            for (int t = 0; t < horizon && member != 0; t++)
                exact[i * horizon + t] += right[j * m + n + t];
        }
    eliminate(normal, n, exact, horizon);
    for (int k = 0; k < n * horizon; k++)
        series[k] = (double)exact[k];
    mem_free(&exact);
    mem_free(&w);
    mem_free(&right);
    mem_free(&normal);
    return series;
}

double *reconcile_book(const BookInput *input, bool shrinks, double *lambda, int *n_nodes)
{
    Book b = {0};
    book_rows(&b, input);
    *n_nodes = b.n_nodes;
    *lambda = shrinks && input->periods > 1 ? book_lambda(&b, input->periods) : 1;
    book_w(&b, input->periods, *lambda);
    double *series = book_series(&b, input);
    book_free(&b);
    return series;
}
