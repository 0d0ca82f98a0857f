/* Gamma and its logarithmic derivative: Stirling's series (DLMF 5.11.1, 5.11.2) from SERIES_FROM
 * on, to which the recurrences (DLMF 5.5.1, 5.5.2) lead. */
#include "kernel/special.h"

#include <math.h>

/* The first term left out of either series is below 1e-15 here. */
static const double SERIES_FROM = 10.0;

/* ln Gamma(z) - (z - 1/2) ln z + z - ln(2 pi) / 2 */
static double stirling(double z)
{
    double w = 1.0 / (z * z);
    double sum = -691.0 / 360360.0;
    sum = sum * w + 1.0 / 1188.0;
    sum = sum * w - 1.0 / 1680.0;
    sum = sum * w + 1.0 / 1260.0;
    sum = sum * w - 1.0 / 360.0;
    sum = sum * w + 1.0 / 12.0;
    return sum / z;
}

/* psi(z) - ln z */
static double digamma_tail(double z)
{
    double w = 1.0 / (z * z);
    double sum = 691.0 / 32760.0;
    sum = sum * w - 1.0 / 132.0;
    sum = sum * w + 1.0 / 240.0;
    sum = sum * w - 1.0 / 252.0;
    sum = sum * w + 1.0 / 120.0;
    sum = sum * w - 1.0 / 12.0;
    return sum * w - 0.5 / z;
}

double special_log_gamma_step(double z, double n)
{
    double ratio = 1.0; /* at most 10 factors, each above 1e-20 for any z and n in use */
    double low = z;
    while (low < SERIES_FROM) {
        ratio *= (low + n) / low;
        low += 1.0;
    }
    double sum = low == z ? 0.0 : -log(ratio);
    double high = low + n;
    return sum + (low - 0.5) * log1p(n / low) + n * (log(high) - 1.0) + stirling(high) -
           stirling(low);
}

double special_digamma_step(double z, double n)
{
    double sum = 0.0;
    double low = z;
    while (low < SERIES_FROM) {
        sum += n / (low * (low + n));
        low += 1.0;
    }
    return sum + log1p(n / low) + digamma_tail(low + n) - digamma_tail(low);
}

double special_log_gamma(double z)
{
    int sign = 0;
    return lgamma_r(z, &sign);
}

double special_digamma(double z)
{
    double sum = 0.0;
    double low = z;
    while (low < SERIES_FROM) {
        sum -= 1.0 / low;
        low += 1.0;
    }
    return sum + log(low) + digamma_tail(low);
}
