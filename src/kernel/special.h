/* Functions around Gauss's gamma, for the kernels. Local, safe in threads. */
#ifndef VESPER_KERNEL_SPECIAL_H
#define VESPER_KERNEL_SPECIAL_H

/* ln Gamma(z + n) - ln Gamma(z) and psi(z + n) - psi(z) for z > 0, n >= 0: without the digits that
 * the difference of two large numbers would lose. */
double special_log_gamma_step(double z, double n);
double special_digamma_step(double z, double n);

double special_log_gamma(double z); /* z > 0 */
double special_digamma(double z);   /* z > 0 */

#endif
