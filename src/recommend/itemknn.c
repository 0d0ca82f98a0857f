/* See itemknn.h. */
#include "recommend/itemknn.h"

#include "base/memory.h"
#include "recommend/cooccurrence.h"

#include <math.h>
#include <string.h>

typedef struct Neighbours {
    const ItemknnOptions *options;
    int32_t n_items, first; /* of all; the first of this rank */
    double *norms;          /* [n_items] square roots of sums of squares; NULL: plain sums */
    ItemWeight *weights;    /* [own items x room] */
    int32_t *counts;        /* [own items] */
    int64_t keep, room;     /* neighbours of an item: k, and those as similar as the last */
    ItemWeight *spare;      /* [threads x (n_items + room)] */
} Neighbours;

static void neighbours_free(Neighbours *own)
{
    mem_free(&own->norms);
    mem_free(&own->weights);
    mem_free(&own->counts);
    mem_free(&own->spare);
}

static Status make_room(Neighbours *own, int32_t own_items, Error *error)
{
    Status status;
    TRY(mem_resize(&own->weights, own_items * own->room, sizeof *own->weights, "neighbours",
                   error));
    TRY(mem_resize(&own->counts, own_items, sizeof *own->counts, "neighbours", error));
    TRY(mem_resize(&own->spare, own->options->threads * (own->n_items + own->room),
                   sizeof *own->spare, "neighbours", error));
out:
    return status;
}

/* Of weights [n], n at most `room`, those not below the k-th greatest. spare [n]. */
static int64_t cut_below(const Neighbours *own, ItemWeight *weights, int64_t n, ItemWeight *spare)
{
    int64_t kept = 0;
    if (n <= own->keep)
        return n;
    memcpy(spare, weights, (size_t)n * sizeof *weights);
    (void)item_weights_prune(spare, n, own->keep);
    float least = spare[0].value;
    for (int64_t k = 1; k < own->keep; k++)
        least = spare[k].value < least ? spare[k].value : least;
    for (int64_t k = 0; k < n; k++) {
        weights[kept] = weights[k];
        kept += weights[k].value >= least;
    }
    return kept;
}

/* What leads to one item: the k most similar, and others that are as similar as the last of them
 * while there is room: a product's number does not say which of equal ones counts. */
static void choose_neighbours(void *context, int thread, int32_t item, const double *sums,
                              const int32_t *touched, int64_t n)
{
    Neighbours *own = context;
    ItemWeight *weights = own->spare + thread * (own->n_items + own->room);
    int64_t row = item - own->first, n_weights = 0;
    for (int64_t t = 0; t < n; t++) {
        int32_t other = touched[t];
        double similarity = sums[other];
        if (own->norms != NULL)
            similarity /= own->norms[item] * own->norms[other] + own->options->shrinkage;
        weights[n_weights] = (ItemWeight){other, (float)similarity};
        n_weights += other != item && weights[n_weights].value > 0;
    }
    n_weights = item_weights_prune(weights, n_weights, own->room);
    n_weights = cut_below(own, weights, n_weights, weights + n_weights);
    memcpy(own->weights + row * own->room, weights, (size_t)n_weights * sizeof *weights);
    own->counts[row] = (int32_t)n_weights;
}

/* norms [n_items]: each rank adds up its items' squares. Collective. */
static Status find_norms(Comm *comm, const SparseSide *items, double **norms, Error *error)
{
    Status status;
    double *own = NULL;
    char *all = NULL;
    int64_t bytes, at = 0;
    TRY_ALL(comm, mem_resize(&own, sparse_own_rows(items), sizeof *own, "norms of items", error),
            error);
    for (int32_t p = 0; p < items->end - items->first; p++) {
        const SparseRows *rows = &items->own[p];
        for (int32_t r = 0; r < rows->n_rows; r++) {
            double sum = 0;
            for (int64_t e = rows->starts[r]; e < rows->starts[r + 1]; e++)
                sum += (double)rows->values[e] * (double)rows->values[e];
            own[at++] = sqrt(sum);
        }
    }
    TRY(comm_gather_all(comm, own, at * (int64_t)sizeof *own, &all, &bytes, NULL, error));
    *norms = (double *)(void *)all;
out:
    mem_free(&own);
    return status;
}

static Status pack(const Neighbours *own, int32_t own_items, SparseRows *rows, Error *error)
{
    Status status;
    rows->n_rows = own_items;
    TRY(mem_resize(&rows->starts, (int64_t)own_items + 1, sizeof *rows->starts, "neighbours",
                   error));
    rows->starts[0] = 0;
    for (int32_t i = 0; i < own_items; i++)
        rows->starts[i + 1] = rows->starts[i] + own->counts[i];
    TRY(mem_resize(&rows->columns, sparse_entries(rows), sizeof *rows->columns, "neighbours",
                   error));
    TRY(mem_resize(&rows->values, sparse_entries(rows), sizeof *rows->values, "neighbours", error));
    for (int32_t i = 0; i < own_items; i++) {
        for (int32_t k = 0; k < own->counts[i]; k++) {
            ItemWeight weight = own->weights[i * own->room + k];
            rows->columns[rows->starts[i] + k] = weight.column;
            rows->values[rows->starts[i] + k] = weight.value;
        }
    }
out:
    return status;
}

/* Whether all values are 1. Collective. */
static bool is_binary(Comm *comm, const SparseSide *users)
{
    int64_t others = 0;
    for (int32_t p = 0; p < users->end - users->first; p++) {
        for (int64_t e = 0; e < sparse_entries(&users->own[p]); e++)
            others += users->own[p].values[e] != 1;
    }
    comm_sum_i64(comm, &others, 1);
    return others == 0;
}

/* Of values as they are. Collective. */
static Status learn(Comm *comm, const SparseSide *users, const SparseSide *items,
                    const ItemknnOptions *options, ItemWeights *weights, Error *error)
{
    Status status;
    SparseRows rows = {0};
    int32_t own_items = sparse_own_rows(items);
    int64_t most = items->n_rows > 0 ? items->n_rows : 1;
    Neighbours own = {.options = options,
                      .n_items = items->n_rows,
                      .first = sparse_own_first(items),
                      .keep = options->neighbours < most ? options->neighbours : most};
    own.room = own.keep < most / 2 ? 2 * own.keep : most;
    TRY_ALL(comm, make_room(&own, own_items, error), error);
    if (options->similarity == SIMILARITY_COSINE)
        TRY(find_norms(comm, items, &own.norms, error));
    TRY(cooccurrence_visit(comm, users, items, !is_binary(comm, users), options->threads,
                           options->memory, choose_neighbours, &own, error));
    TRY_ALL(comm, pack(&own, own_items, &rows, error), error);
    TRY(item_weights_gather(comm, items, &rows, weights, error));
    TRY_ALL(comm, item_weights_transpose(weights, error), error);
out:
    sparse_rows_free(&rows);
    neighbours_free(&own);
    if (status != STATUS_OK)
        item_weights_free(weights);
    return status;
}

/* ---- BM25 ---- */

/* Inverse frequency of each item among the users with any: log(users / users who have it). */
static void set_rarity(const int64_t *counts, int64_t active, int32_t n, double *rarity)
{
    for (int32_t i = 0; i < n; i++)
        rarity[i] = counts[i] > 0 ? log((double)active / (double)counts[i]) : 0;
}

static double length_of(const SparseRows *rows, int32_t row)
{
    double sum = 0;
    for (int64_t e = rows->starts[row]; e < rows->starts[row + 1]; e++)
        sum += (double)rows->values[e];
    return sum;
}

/* active and mean length of the users with any item. Collective. */
static Status measure_users(Comm *comm, const SparseSide *users, int64_t *active, double *mean,
                            Error *error)
{
    Status status;
    double *sums = NULL;
    double total[2] = {0};
    int32_t n = users->end - users->first;
    TRY_ALL(comm, mem_resize(&sums, 2 * (int64_t)n, sizeof *sums, "lengths of users", error),
            error);
    for (int32_t p = 0; p < n; p++) {
        sums[2 * p] = sums[2 * p + 1] = 0;
        for (int32_t r = 0; r < users->own[p].n_rows; r++) {
            double length = length_of(&users->own[p], r);
            sums[2 * p] += length;
            sums[2 * p + 1] += length > 0;
        }
    }
    comm_sum_in_order_f64(comm, sums, n, 2, total);
    *active = (int64_t)total[1];
    *mean = total[1] > 0 ? total[0] / total[1] : 1;
out:
    mem_free(&sums);
    return status;
}

/* weighted := users with values by BM25; items that everybody has drop out. */
static Status weigh(const SparseSide *users, const ItemknnOptions *options, const double *rarity,
                    double mean, SparseSide *weighted, Error *error)
{
    Status status = STATUS_OK;
    for (int32_t p = 0; p < users->end - users->first; p++) {
        const SparseRows *from = &users->own[p];
        SparseRows *to = &weighted->own[p];
        int64_t n = 0;
        to->n_rows = from->n_rows;
        TRY(mem_resize(&to->starts, (int64_t)from->n_rows + 1, sizeof *to->starts, "weights",
                       error));
        TRY(mem_resize(&to->columns, sparse_entries(from), sizeof *to->columns, "weights", error));
        TRY(mem_resize(&to->values, sparse_entries(from), sizeof *to->values, "weights", error));
        to->starts[0] = 0;
        for (int32_t r = 0; r < from->n_rows; r++) {
            double norm = 1 - options->bm25_b + options->bm25_b * length_of(from, r) / mean;
            for (int64_t e = from->starts[r]; e < from->starts[r + 1]; e++) {
                double x = (double)from->values[e];
                double value = rarity[from->columns[e]] * x * (options->bm25_k1 + 1) /
                               (options->bm25_k1 * norm + x);
                to->columns[n] = from->columns[e];
                to->values[n] = (float)value;
                n += value > 0;
            }
            to->starts[r + 1] = n;
        }
    }
out:
    return status;
}

static Status learn_bm25(Comm *comm, const SparseSide *users, const ItemknnOptions *options,
                         ItemWeights *weights, Error *error)
{
    Status status;
    int64_t active;
    double mean;
    int64_t *counts = NULL;
    double *rarity = NULL;
    SparseSide items = {0};
    SparseSide weighted = {.n_columns = users->n_columns,
                           .n_partitions = users->n_partitions,
                           .first = users->first,
                           .end = users->end};
    weighted.own = mem_new(users->end - users->first, sizeof *weighted.own);
    TRY_ALL(comm, mem_resize(&counts, users->n_columns, sizeof *counts, "counts of items", error),
            error);
    TRY_ALL(comm, mem_resize(&rarity, users->n_columns, sizeof *rarity, "counts of items", error),
            error);
    sparse_column_counts(comm, users, counts);
    TRY(measure_users(comm, users, &active, &mean, error));
    set_rarity(counts, active, users->n_columns, rarity);
    TRY_ALL(comm, weigh(users, options, rarity, mean, &weighted, error), error);
    TRY(sparse_side_complete(comm, &weighted, error));
    TRY(sparse_transpose(comm, &weighted, &items, error));
    TRY(learn(comm, &weighted, &items, options, weights, error));
out:
    mem_free(&counts);
    mem_free(&rarity);
    sparse_side_free(&weighted);
    sparse_side_free(&items);
    return status;
}

Status itemknn_learn(Comm *comm, const SparseSide *users, const SparseSide *items,
                     const ItemknnOptions *options, ItemWeights *weights, Error *error)
{
    if (options->similarity == SIMILARITY_BM25)
        return learn_bm25(comm, users, options, weights, error);
    return learn(comm, users, items, options, weights, error);
}
