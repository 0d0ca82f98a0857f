/* See factors.h. */
#include "recommend/factors.h"

#include "base/fault.h"
#include "base/memory.h"
#include "base/random.h"
#include "kernel/dense.h"

#include <omp.h>
#include <string.h>

/* Rows that one BLAS call takes: partitions are cut into pieces of so many. */
enum { PIECE = 512 };

/* sum [d (d + 1) / 2] += lower triangle of F'F over the rows of one partition; piece [d x d]. */
static void add_partition(const float *rows, int64_t n, int64_t d, float *piece, double *sum)
{
    for (int64_t begin = 0; begin < n; begin += PIECE) {
        int64_t size = n - begin < PIECE ? n - begin : PIECE;
        dense_gram(rows + begin * d, size, d, d, 0, piece);
        int64_t at = 0;
        for (int64_t i = 0; i < d; i++) {
            for (int64_t j = 0; j <= i; j++)
                sum[at++] += (double)piece[i * d + j];
        }
    }
}

/* sums [own partitions x width] */
static Status sum_partitions(const SparseSide *side, const float *own, int64_t d, int threads,
                             double **sums, Error *error)
{
    Status status;
    int64_t width = d * (d + 1) / 2;
    int32_t n = side->end - side->first;
    float *pieces = NULL;
    TRY(fault_point("recommend.gram", error));
    TRY(mem_resize(sums, n * width, sizeof **sums, "Gram matrices", error));
    TRY(mem_resize(&pieces, threads * d * d, sizeof *pieces, "Gram matrices", error));
    if (n > 0)
        memset(*sums, 0, (size_t)(n * width) * sizeof **sums);
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int32_t p = 0; p < n; p++) {
        const float *rows = own + (int64_t)(side->own[p].first_row - sparse_own_first(side)) * d;
        add_partition(rows, side->own[p].n_rows, d, pieces + omp_get_thread_num() * d * d,
                      *sums + p * width);
    }
out:
    mem_free(&pieces);
    return status;
}

Status factors_gram(Comm *comm, const SparseSide *side, const float *own, int64_t d, int threads,
                    double *gram, Error *error)
{
    Status status;
    int64_t width = d * (d + 1) / 2;
    double *sums = NULL, *total = NULL;
    TRY_ALL(comm, sum_partitions(side, own, d, threads, &sums, error), error);
    total = mem_new(width, sizeof *total);
    comm_sum_in_order_f64(comm, sums, side->end - side->first, width, total);
    for (int64_t i = 0; i < d; i++) {
        for (int64_t j = 0; j <= i; j++) {
            gram[i * d + j] = total[i * (i + 1) / 2 + j];
            gram[j * d + i] = gram[i * d + j];
        }
    }
out:
    mem_free(&sums);
    mem_free(&total);
    return status;
}

static Status decompose(double *gram, int64_t d, double *values, Error *error)
{
    Status status = STATUS_OK;
    int32_t *integers = mem_new(3 + 5 * d, sizeof *integers);
    double *workspace = NULL;
    TRY(mem_resize(&workspace, dense_eigen_workspace(d), sizeof *workspace, "eigenvalues", error));
    if (!dense_eigen(gram, d, values, workspace, integers))
        FAIL(error, STATUS_BUG, "the eigenvalues of a %lld x %lld Gram matrix were not found",
             (long long)d, (long long)d);
out:
    mem_free(&workspace);
    mem_free(&integers);
    return status;
}

Status rotation_make(Comm *comm, double *gram, int64_t d, Rotation *rotation, Error *error)
{
    Status status;
    rotation_free(rotation);
    rotation->vectors = mem_new(d * d, sizeof *rotation->vectors);
    rotation->values = mem_new(d, sizeof *rotation->values);
    TRY_ALL(comm, comm_rank(comm) == 0 ? decompose(gram, d, rotation->values, error) : STATUS_OK,
            error);
    comm_broadcast(comm, 0, gram, d * d * (int64_t)sizeof *gram);
    comm_broadcast(comm, 0, rotation->values, d * (int64_t)sizeof *rotation->values);
    for (int64_t i = 0; i < d * d; i++)
        rotation->vectors[i] = (float)gram[i];
    for (int64_t j = 0; j < d; j++)
        rotation->values[j] = rotation->values[j] > 0 ? rotation->values[j] : 0;
out:
    return status;
}

void rotation_free(Rotation *rotation)
{
    mem_free(&rotation->vectors);
    mem_free(&rotation->values);
}

Status factors_rotate(const SparseSide *side, const Rotation *rotation, int64_t d, int threads,
                      float *own, Error *error)
{
    Status status;
    float *pieces = NULL;
    TRY(mem_resize(&pieces, threads * PIECE * d, sizeof *pieces, "rotated factors", error));
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (int32_t p = 0; p < side->end - side->first; p++) {
        float *rows = own + (int64_t)(side->own[p].first_row - sparse_own_first(side)) * d;
        float *piece = pieces + (int64_t)omp_get_thread_num() * PIECE * d;
        for (int64_t begin = 0; begin < side->own[p].n_rows; begin += PIECE) {
            int64_t n = side->own[p].n_rows - begin < PIECE ? side->own[p].n_rows - begin : PIECE;
            dense_product(rows + begin * d, rotation->vectors, n, d, d, piece);
            memcpy(rows + begin * d, piece, (size_t)(n * d) * sizeof *piece);
        }
    }
out:
    mem_free(&pieces);
    return status;
}

void factors_draw(const SparseSide *side, int64_t d, double deviation, uint64_t seed, float *own)
{
    for (int32_t p = 0; p < side->end - side->first; p++) {
        const SparseRows *rows = &side->own[p];
        for (int32_t r = 0; r < rows->n_rows; r++, own += d) {
            Random random = random_stream(seed, (uint64_t)rows->first_row + (uint64_t)r);
            bool is_empty = rows->starts[r] == rows->starts[r + 1];
            for (int64_t j = 0; j < d; j++)
                own[j] = is_empty ? 0 : (float)(deviation * random_normal(&random));
        }
    }
}
