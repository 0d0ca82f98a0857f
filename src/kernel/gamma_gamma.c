/* Likelihood and mean of Gamma-Gamma. What depends on the number of purchases alone is worked out
 * once a call. */
#include "kernel/gamma_gamma.h"

#include "kernel/special.h"

#include <math.h>
#include <string.h>

enum { PURCHASES_MAX = 1024 }; /* numbers below this are counted, to be worked out once */

/* What `customers` customers with so many purchases add, whatever they spent: -ln B(px, q) and its
 * derivatives by p and q. */
static void add_counts(const GammaGamma *model, int32_t purchases, int64_t customers,
                       double sums[1 + GAMMA_GAMMA_PARAMETERS])
{
    double n = (double)customers;
    double x = (double)purchases;
    double shape = model->p * x;
    sums[0] += n * (special_log_gamma_step(shape, model->q) - special_log_gamma(model->q));
    sums[1] += n * x * special_digamma_step(shape, model->q);
    sums[2] += n * special_digamma_step(model->q, shape);
}

/* Fader, Hardie 2013, eq. 1a. With s = x times the mean, what the customer spent:
 *   ln L = -ln B(px, q) - ln(mean) + q ln(v / (v + s)) + px ln(s / (v + s)). */
void gamma_gamma_log_likelihood(const GammaGamma *model, int64_t n, const int32_t *purchases,
                                const double *means, double sums[1 + GAMMA_GAMMA_PARAMETERS])
{
    memset(sums, 0, (1 + GAMMA_GAMMA_PARAMETERS) * sizeof *sums);
    int64_t customers[PURCHASES_MAX] = {0};
    double value = 0.0;
    double by_p = 0.0;
    double by_q = 0.0;
    double by_v = 0.0;
    for (int64_t i = 0; i < n; i++) {
        int32_t count = purchases[i];
        if (count < PURCHASES_MAX)
            customers[count]++;
        else
            add_counts(model, count, 1, sums);
        double x = (double)count;
        double spent = x * means[i];
        double log_rest = -log1p(spent / model->v);  /* ln(v / (v + s)) */
        double log_share = -log1p(model->v / spent); /* ln(s / (v + s)) */
        double total = model->v + spent;
        value += model->q * log_rest + model->p * x * log_share - log(means[i]);
        by_p += x * log_share;
        by_q += log_rest;
        by_v += model->q * (spent / total) - model->p * x * (model->v / total);
    }
    for (int32_t count = 1; count < PURCHASES_MAX; count++)
        if (customers[count] > 0)
            add_counts(model, count, customers[count], sums);
    sums[0] += value;
    sums[1] = model->p * (sums[1] + by_p);
    sums[2] = model->q * (sums[2] + by_q);
    sums[3] = by_v;
}

/* Fader, Hardie 2013, eq. 5: p (v + s) / (p x + q - 1). */
double gamma_gamma_expected_value(const GammaGamma *model, int32_t purchases, double mean)
{
    double x = (double)purchases;
    double rest = model->p * x + (model->q - 1.0);
    if (!(rest > 0.0))
        return NAN;
    double spent = purchases == 0 ? 0.0 : x * mean;
    return model->p * ((model->v + spent) / rest);
}
