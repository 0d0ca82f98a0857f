/* Daily series of a shop's products, in the M4 competition's wide layout, for bench/forecast.sh.
 *   series N DAYS FILE
 * Demand is Poisson (rounded normal above 30) around level * weekday * slow trend * season of the
 * year; levels are spread over three powers of ten, so that a third of the series is intermittent.
 */
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t state = 0x9E3779B97F4A7C15U;

/* In [0, 1); xorshift64*, Vigna 2016. */
static double uniform(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (double)((state * UINT64_C(0x2545F4914F6CDD1D)) >> 11) * 0x1p-53;
}

static double normal(void)
{
    return sqrt(-2.0 * log(1.0 - uniform())) * cos(6.283185307179586 * uniform());
}

static int64_t count_around(double mean)
{
    if (mean > 30.0) {
        double drawn = mean + sqrt(mean) * normal();
        return drawn > 0.0 ? (int64_t)(drawn + 0.5) : 0;
    }
    int64_t count = 0;
    for (double left = exp(-mean), product = uniform(); product > left; product *= uniform())
        count++;
    return count;
}

int main(int argc, char **argv)
{
    static const double week[] = {1.0, .9, .9, 1.0, 1.3, 1.6, .3};
    if (argc != 4) {
        fprintf(stderr, "usage: series N DAYS FILE\n");
        return 2;
    }
    int64_t n = strtoll(argv[1], NULL, 10), days = strtoll(argv[2], NULL, 10);
    FILE *file = fopen(argv[3], "w");
    if (file == NULL) {
        perror(argv[3]);
        return 4;
    }
    for (int64_t t = 0; t <= days; t++)
        fprintf(file, "%sV%" PRId64, t > 0 ? "," : "", t + 1);
    for (int64_t i = 0; i < n; i++) {
        double level = pow(10.0, -.7 + 3.0 * uniform()), growth = .4 * normal();
        fprintf(file, "\ns%07" PRId64, i);
        for (int64_t t = 0; t < days; t++) {
            double year = 1.0 + .3 * sin(6.283185307179586 * (double)t / 365.25);
            double trend = exp(growth * (double)t / (double)days);
            fprintf(file, ",%" PRId64, count_around(level * week[t % 7] * year * trend));
        }
    }
    fputc('\n', file);
    if (fclose(file) != 0) {
        perror(argv[3]);
        return 4;
    }
    return 0;
}
