/* Exact sums: sums of doubles that do not depend on their order, in two integers each.
 *
 * Each value is cut at two fixed places, chosen by the largest value and the number of values
 * alone, into a whole number of coarse units and the rest in whole fine units (pre-rounding:
 * Demmel, Nguyen 2013, "Fast reproducible floating-point summation"). Integers add exactly in any
 * order. With 2^c values below 2^e the coarse unit is 2^(e + c - 62), the fine one 2^(e + 2 c -
 * 124): whole numbers, and all multiples of the fine unit, add up without any error; other sums of
 * 2^c values are off by less than 2^(e + 3 c - 125), plus the rounding of the result. Local. */
#ifndef VESPER_KERNEL_EXACT_SUM_H
#define VESPER_KERNEL_EXACT_SUM_H

#include <stdint.h>

typedef struct ExactScale {
    double coarse, per_coarse; /* unit, and 1 / unit: powers of two */
    double fine, per_fine;
} ExactScale;

/* The least e such that every finite value of [n] is below 2^e in size; at least
 * EXACT_EXPONENT_LEAST. Of several arrays take the greatest. */
enum { EXACT_EXPONENT_LEAST = -700 };
int exact_sum_exponent(const double *values, int64_t n);

/* For sums of at most `count` values below 2^exponent in size; count up to 2^40. */
ExactScale exact_sum_scale(int exponent, int64_t count);

/* coarse [n], fine [n] := the parts of values [n]; known [n] := 1, or 0 with parts of 0 for a value
 * that is not finite. */
void exact_sum_split(const ExactScale *scale, const double *values, int64_t n, int64_t *coarse,
                     int64_t *fine, int64_t *known);

/* The sum that the added parts stand for. */
double exact_sum_join(const ExactScale *scale, int64_t coarse, int64_t fine);

#endif
