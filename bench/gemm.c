/* Arithmetic of this machine: what its BLAS and LAPACK reach in single precision.
 *
 *   cc -O3 -fopenmp gemm.c -llapacke -lopenblas -o gemm
 *   OMP_NUM_THREADS=2 ./gemm [GEMM_N [SYRK_N]]
 *
 * Prints "THREADS SGEMM SSYRK SPOTRF" in 10^9 floating-point operations a second, each the best of
 * several passes: C = A B of GEMM_N rows and columns (default 2048), 2 n^3; the lower half of
 * C = A A' with SYRK_N rows (default 8192) and a quarter as many columns k, n (n + 1) k; the
 * Cholesky factor of a matrix of SYRK_N rows, n^3 / 3. */
#include <cblas.h>
#include <lapacke.h>
#include <omp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PASSES = 5 };

static float *floats(int64_t n)
{
    float *array = aligned_alloc(64, ((size_t)n * sizeof *array + 63) / 64 * 64);
    if (array == NULL) {
        (void)fputs("gemm: memory for the matrices is missing\n", stderr);
        exit(5);
    }
    uint32_t state = 1;
    for (int64_t i = 0; i < n; i++) { /* Numerical Recipes' generator: any numbers will do */
        state = state * UINT32_C(1664525) + UINT32_C(1013904223);
        array[i] = (float)(state >> 8) * 0x1p-24F - 0.5F;
    }
    return array;
}

static double best_gemm(int n)
{
    float *a = floats((int64_t)n * n), *b = floats((int64_t)n * n), *c = floats((int64_t)n * n);
    double best = 0, flops = 2.0 * n * n * n;
    for (int pass = 0; pass < PASSES; pass++) {
        double begin = omp_get_wtime();
        cblas_sgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, a, n, b, n, 0, c, n);
        double rate = flops / (omp_get_wtime() - begin);
        best = rate > best ? rate : best;
    }
    free(a);
    free(b);
    free(c);
    return best / 1e9;
}

static double best_syrk(int n, int k)
{
    float *a = floats((int64_t)n * k), *c = floats((int64_t)n * n);
    double best = 0, flops = (double)n * (n + 1) * k;
    for (int pass = 0; pass < PASSES; pass++) {
        double begin = omp_get_wtime();
        cblas_ssyrk(CblasColMajor, CblasLower, CblasNoTrans, n, k, 1, a, n, 0, c, n);
        double rate = flops / (omp_get_wtime() - begin);
        best = rate > best ? rate : best;
    }
    free(a);
    free(c);
    return best / 1e9;
}

/* A diagonal that outweighs its row makes the matrix positive definite. */
static double best_potrf(int n)
{
    float *matrix = floats((int64_t)n * n), *factor = floats((int64_t)n * n);
    double best = 0, flops = (double)n * n * n / 3;
    for (int64_t i = 0; i < n; i++)
        matrix[i * n + i] = (float)n;
    for (int pass = 0; pass < PASSES; pass++) {
        memcpy(factor, matrix, (size_t)n * (size_t)n * sizeof *factor);
        double begin = omp_get_wtime();
        int info = LAPACKE_spotrf_work(LAPACK_COL_MAJOR, 'L', n, factor, n);
        double rate = flops / (omp_get_wtime() - begin);
        best = info == 0 && rate > best ? rate : best;
    }
    free(matrix);
    free(factor);
    return best / 1e9;
}

static int size_of(int argc, char **argv, int at, int otherwise)
{
    long size = argc > at ? strtol(argv[at], NULL, 10) : 0;
    return size > 0 && size <= 32768 ? (int)size : otherwise;
}

int main(int argc, char **argv)
{
    int n = size_of(argc, argv, 1, 2048), large = size_of(argc, argv, 2, 8192);
    double gemm = best_gemm(n), syrk = best_syrk(large, (large + 3) / 4);
    printf("%d %.2f %.2f %.2f\n", omp_get_max_threads(), gemm, syrk, best_potrf(large));
    return 0;
}
