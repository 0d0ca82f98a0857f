/* Gamma-Gamma: what a customer's purchases are worth. Local.
 *
 * Fader, Hardie, Lee 2005, "RFM and CLV: using iso-value curves for customer base analysis",
 * Journal of Marketing Research 42(4); Fader, Hardie 2013, "The Gamma-Gamma model of monetary
 * value". The value of a purchase ~ Gamma(p, rate nu), nu ~ Gamma(q, rate v) over customers. */
#ifndef VESPER_KERNEL_GAMMA_GAMMA_H
#define VESPER_KERNEL_GAMMA_GAMMA_H

#include <stdint.h>

typedef struct GammaGamma {
    double p, q, v; /* all > 0; v in units of money */
} GammaGamma;
enum { GAMMA_GAMMA_PARAMETERS = 3 };

/* sums [1 + 3] out: log-likelihood of n customers with purchases[i] >= 1 of mean value means[i] >
 * 0, and its derivatives by ln p, ln q, ln v, added in a fixed order. */
void gamma_gamma_log_likelihood(const GammaGamma *model, int64_t n, const int32_t *purchases,
                                const double *means, double sums[1 + GAMMA_GAMMA_PARAMETERS]);

/* Expected value of a purchase of a customer with that history; of a new one with 0 purchases.
 * Infinite or negative where the model has no mean (p x + q <= 1): then NaN. */
double gamma_gamma_expected_value(const GammaGamma *model, int32_t purchases, double mean);

#endif
