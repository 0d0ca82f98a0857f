#include "sparse_model.h"

#include "base/memory.h"
#include "base/random.h"

#include <string.h>

static int32_t users_of(const SparseModel *model, int32_t partition)
{
    Random random = random_stream(model->seed, (uint64_t)partition);
    return (int32_t)random_below(&random, (int64_t)model->users_most + 1);
}

/* One user's values [n_items], 0 for none. */
static void draw_user(const SparseModel *model, int32_t partition, int32_t user, float *values)
{
    Random random = random_stream(model->seed + 1, (uint64_t)partition * 1000003 + (uint64_t)user);
    memset(values, 0, (size_t)model->n_items * sizeof *values);
    int64_t draws = random_below(&random, (int64_t)model->items_most + 1);
    for (int64_t i = 0; i < draws && model->n_items > 0; i++) {
        double unit = random_unit(&random);
        int32_t item = (int32_t)(unit * unit * model->n_items);
        values[item] = model->binary ? 1 : (float)(1 + random_below(&random, 32)) / 8;
    }
}

static void own_partitions(Comm *comm, const SparseModel *model, int32_t *first, int32_t *end)
{
    int size = comm_size(comm), rank = comm_rank(comm);
    int shares = size >= 3 ? size - 1 : size;
    int place = size >= 3 && rank > size / 2 ? rank - 1 : rank;
    *first = model->n_partitions * place / shares;
    *end = model->n_partitions * (place + 1) / shares;
    if (size >= 3 && rank == size / 2)
        *end = *first;
}

Status sparse_model_users(Comm *comm, const SparseModel *model, SparseSide *users, Error *error)
{
    float *values = mem_new(model->n_items, sizeof *values);
    *users = (SparseSide){.n_columns = model->n_items, .n_partitions = model->n_partitions};
    own_partitions(comm, model, &users->first, &users->end);
    users->own = mem_new(users->end - users->first, sizeof *users->own);
    for (int32_t p = users->first; p < users->end; p++) {
        SparseRows *rows = &users->own[p - users->first];
        int64_t most = (int64_t)model->users_most * model->items_most;
        rows->n_rows = users_of(model, p);
        rows->starts = mem_new((int64_t)rows->n_rows + 1, sizeof *rows->starts);
        rows->columns = mem_new(most, sizeof *rows->columns);
        rows->values = mem_new(most, sizeof *rows->values);
        for (int32_t u = 0; u < rows->n_rows; u++) {
            int64_t at = rows->starts[u];
            draw_user(model, p, u, values);
            for (int32_t i = 0; i < model->n_items; i++) {
                if (values[i] == 0)
                    continue;
                rows->columns[at] = i;
                rows->values[at++] = values[i];
            }
            rows->starts[u + 1] = at;
        }
    }
    mem_free(&values);
    return sparse_side_complete(comm, users, error);
}

float *sparse_model_dense(const SparseModel *model, int32_t *n_users)
{
    int32_t at = 0;
    *n_users = 0;
    for (int32_t p = 0; p < model->n_partitions; p++)
        *n_users += users_of(model, p);
    float *dense = mem_new((int64_t)*n_users * model->n_items, sizeof *dense);
    for (int32_t p = 0; p < model->n_partitions; p++) {
        for (int32_t u = 0; u < users_of(model, p); u++)
            draw_user(model, p, u, dense + (int64_t)at++ * model->n_items);
    }
    return dense;
}

Status sparse_model_of_dense(Comm *comm, const float *dense, int32_t n_users, int32_t n_items,
                             int32_t n_partitions, SparseSide *users, Error *error)
{
    const SparseModel shape = {.n_partitions = n_partitions};
    *users = (SparseSide){.n_columns = n_items, .n_partitions = n_partitions};
    own_partitions(comm, &shape, &users->first, &users->end);
    users->own = mem_new(users->end - users->first, sizeof *users->own);
    for (int32_t p = users->first; p < users->end; p++) {
        SparseRows *rows = &users->own[p - users->first];
        int32_t first = (int32_t)((int64_t)n_users * p / n_partitions);
        int64_t n = 0;
        rows->n_rows = (int32_t)((int64_t)n_users * (p + 1) / n_partitions) - first;
        rows->starts = mem_new((int64_t)rows->n_rows + 1, sizeof *rows->starts);
        rows->columns = mem_new((int64_t)rows->n_rows * n_items, sizeof *rows->columns);
        rows->values = mem_new((int64_t)rows->n_rows * n_items, sizeof *rows->values);
        for (int32_t u = 0; u < rows->n_rows; u++) {
            const float *values = dense + (int64_t)(first + u) * n_items;
            for (int32_t i = 0; i < n_items; i++) {
                if (values[i] == 0)
                    continue;
                rows->columns[n] = i;
                rows->values[n++] = values[i];
            }
            rows->starts[u + 1] = n;
        }
    }
    return sparse_side_complete(comm, users, error);
}
