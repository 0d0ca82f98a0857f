/* See exact_sum.h. */
#include "kernel/exact_sum.h"

#include "base/status.h"

#include <math.h>

/* Sums stay below 2^62. */
enum { SUM_BITS = 62, COUNT_BITS_MAX = 40 };

int exact_sum_exponent(const double *values, int64_t n)
{
    double largest = 0;
    int exponent;
    for (int64_t i = 0; i < n; i++) {
        double size = fabs(values[i]);
        if (size > largest && isfinite(size))
            largest = size;
    }
    (void)frexp(largest, &exponent);
    return largest > 0 && exponent > EXACT_EXPONENT_LEAST ? exponent : EXACT_EXPONENT_LEAST;
}

ExactScale exact_sum_scale(int exponent, int64_t count)
{
    int bits = 0;
    while (((int64_t)1 << bits) < count)
        bits++;
    vesper_assert(bits <= COUNT_BITS_MAX && exponent >= EXACT_EXPONENT_LEAST);
    int step = SUM_BITS - bits;
    return (ExactScale){.coarse = ldexp(1, exponent - step),
                        .per_coarse = ldexp(1, step - exponent),
                        .fine = ldexp(1, exponent - 2 * step),
                        .per_fine = ldexp(1, 2 * step - exponent)};
}

void exact_sum_split(const ExactScale *scale, const double *values, int64_t n, int64_t *coarse,
                     int64_t *fine, int64_t *known)
{
    for (int64_t i = 0; i < n; i++) {
        known[i] = isfinite(values[i]);
        double value = known[i] ? values[i] : 0;
        coarse[i] = llrint(value * scale->per_coarse);
        fine[i] = llrint((value - (double)coarse[i] * scale->coarse) * scale->per_fine);
    }
}

double exact_sum_join(const ExactScale *scale, int64_t coarse, int64_t fine)
{
    return (double)coarse * scale->coarse + (double)fine * scale->fine;
}
