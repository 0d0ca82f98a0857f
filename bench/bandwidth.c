/* Memory bandwidth: how fast this machine reads a large array, and what a triad reaches.
 *
 *   cc -O3 -march=native -fopenmp bandwidth.c -o bandwidth && OMP_NUM_THREADS=2 ./bandwidth [MIB]
 *
 * Prints "THREADS READ TRIAD" in 10^9 bytes a second: the best of several passes over arrays of MIB
 * MiB each (default 512), which should be far more than any cache. Triad (McCalpin, STREAM):
 * a = b + s * c, 24 bytes an element; as in STREAM, the cache line of `a` that is fetched before it
 * is written does not count. */
#include <omp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { PASSES = 7 };
static int64_t elements = INT64_C(512) << 17;

static double best_rate(double seconds[PASSES], double bytes)
{
    double best = 0;
    for (int i = 1; i < PASSES; i++) /* the first pass only warms up */
        best = bytes / seconds[i] > best ? bytes / seconds[i] : best;
    return best / 1e9;
}

/* Several independent sums, so that the additions never wait for each other. */
static int64_t read_sum(const int64_t *array)
{
    int64_t sum = 0;
#pragma omp parallel for reduction(+ : sum) schedule(static)
    for (int64_t i = 0; i < elements; i += 8) {
        int64_t part = 0;
        for (int64_t k = 0; k < 8; k++)
            part += array[i + k];
        sum += part;
    }
    return sum;
}

static void triad(double *restrict a, const double *restrict b, const double *restrict c)
{
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < elements; i++)
        a[i] = b[i] + 3.0 * c[i];
}

static void *array_of_elements(void)
{
    void *array = malloc((size_t)elements * 8);
    if (array == NULL) {
        fputs("bandwidth: memory for three arrays is missing\n", stderr);
        exit(5);
    }
    return array;
}

/* Fresh pages come to the thread that will use them. */
static double measure_read(void)
{
    int64_t *array = array_of_elements();
    double seconds[PASSES];
    volatile int64_t keep = 0;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < elements; i++)
        array[i] = i;
    for (int pass = 0; pass < PASSES; pass++) {
        double begin = omp_get_wtime();
        keep += read_sum(array);
        seconds[pass] = omp_get_wtime() - begin;
    }
    free(array);
    return best_rate(seconds, (double)elements * 8);
}

static double measure_triad(void)
{
    double *a = array_of_elements(), *b = array_of_elements(), *c = array_of_elements();
    double seconds[PASSES];
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < elements; i++) {
        a[i] = 0;
        b[i] = (double)i;
        c[i] = 1;
    }
    for (int pass = 0; pass < PASSES; pass++) {
        double begin = omp_get_wtime();
        triad(a, b, c);
        seconds[pass] = omp_get_wtime() - begin;
    }
    free(a);
    free(b);
    free(c);
    return best_rate(seconds, (double)elements * 24);
}

int main(int argc, char **argv)
{
    int64_t mib = argc > 1 ? strtoll(argv[1], NULL, 10) : 0;
    if (mib > 0)
        elements = mib << 17;
    double read = measure_read();
    printf("%d %.2f %.2f\n", omp_get_max_threads(), read, measure_triad());
    return 0;
}
