/* See item_weights.h. */
#include "recommend/item_weights.h"

#include "base/fault.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- pruning ---- */

static int by_size(const void *left, const void *right)
{
    const ItemWeight *a = left, *b = right;
    float first = fabsf(a->value), second = fabsf(b->value);
    if (first != second)
        return first > second ? -1 : 1;
    return (a->column > b->column) - (a->column < b->column);
}

static int by_column(const void *left, const void *right)
{
    const ItemWeight *a = left, *b = right;
    return (a->column > b->column) - (a->column < b->column);
}

static void swap(ItemWeight *weights, int64_t i, int64_t j)
{
    ItemWeight moved = weights[i];
    weights[i] = weights[j];
    weights[j] = moved;
}

/* Put the `keep` first by size in front, in any order: quickselect. */
static void select_front(ItemWeight *weights, int64_t n, int64_t keep)
{
    int64_t low = 0, high = n - 1;
    while (low < high) {
        int64_t at = low;
        swap(weights, low + (high - low) / 2, high);
        for (int64_t i = low; i < high; i++) {
            if (by_size(&weights[i], &weights[high]) < 0)
                swap(weights, i, at++);
        }
        swap(weights, at, high);
        if (at == keep)
            return;
        if (at < keep)
            low = at + 1;
        else
            high = at - 1;
    }
}

/* The last by size of weights [n], n above 0. */
static ItemWeight last_by_size(const ItemWeight *weights, int64_t n)
{
    ItemWeight last = weights[0];
    for (int64_t i = 1; i < n; i++) {
        if (by_size(&weights[i], &last) > 0)
            last = weights[i];
    }
    return last;
}

/* Weights that may still be kept gather in front; whenever there are twice as many as needed, the
 * others go, and the last that stays is what the next have to beat. */
int64_t item_weights_prune(ItemWeight *weights, int64_t n, int64_t keep)
{
    enum { SPARE = 64 };
    int64_t kept = 0, room = 2 * keep + SPARE;
    ItemWeight last = {INT32_MAX, 0};
    for (int64_t i = 0; i < n; i++) {
        if (fabsf(weights[i].value) < fabsf(last.value) || by_size(&weights[i], &last) > 0)
            continue;
        weights[kept++] = weights[i];
        if (kept < room)
            continue;
        select_front(weights, kept, keep);
        kept = keep;
        if (keep > 0)
            last = last_by_size(weights, keep);
    }
    if (kept > keep) {
        select_front(weights, kept, keep);
        kept = keep;
    }
    qsort(weights, (size_t)kept, sizeof *weights, by_column);
    return kept;
}

/* ---- gathering ---- */

static Status gather_column(Comm *comm, const void *own, int64_t bytes, void *all, Error *error)
{
    int64_t all_bytes;
    return comm_gather_all(comm, own, bytes, all, &all_bytes, NULL, error);
}

Status item_weights_gather(Comm *comm, const SparseSide *items, const SparseRows *own,
                           ItemWeights *weights, Error *error)
{
    Status status;
    int64_t n = own->n_rows, entries = own->n_rows > 0 ? sparse_entries(own) : 0;
    int64_t *lengths = NULL;
    char *all_lengths = NULL, *columns = NULL, *values = NULL;
    *weights = (ItemWeights){.n_items = items->n_rows};
    TRY_ALL(comm, fault_point("recommend.weights", error), error);
    TRY_ALL(comm, mem_resize(&lengths, n, sizeof *lengths, "weights of items", error), error);
    for (int64_t i = 0; i < n; i++)
        lengths[i] = own->starts[i + 1] - own->starts[i];
    TRY(gather_column(comm, lengths, n * (int64_t)sizeof *lengths, &all_lengths, error));
    TRY(gather_column(comm, own->columns, entries * (int64_t)sizeof *own->columns, &columns,
                      error));
    weights->columns = (int32_t *)(void *)columns;
    TRY(gather_column(comm, own->values, entries * (int64_t)sizeof *own->values, &values, error));
    weights->values = (float *)(void *)values;
    TRY_ALL(comm,
            mem_resize(&weights->starts, (int64_t)items->n_rows + 1, sizeof *weights->starts,
                       "weights of items", error),
            error);
    weights->starts[0] = 0;
    for (int64_t i = 0; i < items->n_rows; i++)
        weights->starts[i + 1] = weights->starts[i] + ((int64_t *)(void *)all_lengths)[i];
out:
    mem_free(&lengths);
    mem_free(&all_lengths);
    if (status != STATUS_OK)
        item_weights_free(weights);
    return status;
}

void item_weights_free(ItemWeights *weights)
{
    mem_free(&weights->starts);
    mem_free(&weights->columns);
    mem_free(&weights->values);
    *weights = (ItemWeights){0};
}

Status item_weights_transpose(ItemWeights *weights, Error *error)
{
    Status status;
    int64_t n = weights->n_items, entries = weights->starts[n];
    ItemWeights turned = {.n_items = weights->n_items};
    int64_t *at = NULL;
    TRY(mem_resize(&turned.starts, n + 1, sizeof *turned.starts, "weights of items", error));
    TRY(mem_resize(&turned.columns, entries, sizeof *turned.columns, "weights of items", error));
    TRY(mem_resize(&turned.values, entries, sizeof *turned.values, "weights of items", error));
    TRY(mem_resize(&at, n + 1, sizeof *at, "weights of items", error));
    memset(at, 0, (size_t)(n + 1) * sizeof *at);
    for (int64_t e = 0; e < entries; e++)
        at[weights->columns[e] + 1]++;
    for (int64_t i = 0; i < n; i++)
        at[i + 1] += at[i];
    memcpy(turned.starts, at, (size_t)(n + 1) * sizeof *at);
    for (int32_t i = 0; i < n; i++) {
        for (int64_t e = weights->starts[i]; e < weights->starts[i + 1]; e++) {
            int64_t place = at[weights->columns[e]]++;
            turned.columns[place] = i;
            turned.values[place] = weights->values[e];
        }
    }
    item_weights_free(weights);
    *weights = turned;
    turned = (ItemWeights){0};
out:
    item_weights_free(&turned);
    mem_free(&at);
    return status;
}

Status item_weights_spread(ItemWeights *weights, Error *error)
{
    Status status;
    int64_t n = weights->n_items;
    ItemWeights whole = {.n_items = weights->n_items};
    TRY(mem_resize(&whole.starts, n + 1, sizeof *whole.starts, "weights of items", error));
    TRY(mem_resize(&whole.columns, n * n, sizeof *whole.columns, "weights of items", error));
    TRY(mem_resize(&whole.values, n * n, sizeof *whole.values, "weights of items", error));
    for (int64_t i = 0; i <= n; i++)
        whole.starts[i] = i * n;
    for (int64_t i = 0; i < n; i++) {
        int32_t *columns = whole.columns + i * n;
        float *values = whole.values + i * n;
        for (int32_t j = 0; j < n; j++) {
            columns[j] = j;
            values[j] = -0.0F;
        }
        for (int64_t e = weights->starts[i]; e < weights->starts[i + 1]; e++)
            values[weights->columns[e]] = weights->values[e];
    }
    item_weights_free(weights);
    *weights = whole;
    whole = (ItemWeights){0};
out:
    item_weights_free(&whole);
    return status;
}

/* ---- scores ---- */

/* One version for processors with AVX2, one for all. */
#define FOR_ALL_PROCESSORS __attribute__((target_clones("avx2", "default")))

enum {
    AHEAD = 2,       /* rows that are asked for before they are added */
    WHOLE_TILE = 256 /* items of a tile */
};

/* The first of entries [begin, end) of a row whose column is not below `column`. */
static int64_t find_column(const ItemWeights *weights, int64_t begin, int64_t end, int32_t column)
{
    while (begin < end) {
        int64_t middle = begin + (end - begin) / 2;
        if (weights->columns[middle] < column)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

/* Add x times row i's items [first, first + n_items) to a user's scores of them. */
static void add_row(const ItemWeights *weights, int32_t i, float x, const ScoreTile *tile,
                    float *scores)
{
    int64_t begin = weights->starts[i], end = weights->starts[i + 1];
    if (tile->n_items < weights->n_items) {
        begin = find_column(weights, begin, end, tile->first_item);
        end = find_column(weights, begin, end, tile->first_item + tile->n_items);
    }
    for (int64_t e = begin; e < end; e++)
        scores[weights->columns[e] - tile->first_item] += x * weights->values[e];
}

/* Ask the memory for row i, which comes soon. */
static void prefetch_row(const ItemWeights *weights, int32_t i)
{
    enum { LINE = 16 };
    for (int64_t e = weights->starts[i]; e < weights->starts[i + 1]; e += LINE) {
        __builtin_prefetch(weights->columns + e);
        __builtin_prefetch(weights->values + e);
    }
}

/* What add_row does for a row that has every item. */
FOR_ALL_PROCESSORS
static void add_whole_row(const ItemWeights *weights, int32_t i, float x, const ScoreTile *tile,
                          float *scores)
{
    const float *values = weights->values + weights->starts[i] + tile->first_item;
    for (int32_t j = 0; j < tile->n_items; j++)
        scores[j] += x * values[j];
}

/* Scores that nothing was added to, and so are -0 still, become SCORE_NONE: no sum that begins with
 * -0 is -0 again unless all it adds is. */
FOR_ALL_PROCESSORS
static void mark_none(float *scores, int32_t n)
{
    for (int32_t j = 0; j < n; j++) {
        uint32_t bits;
        memcpy(&bits, &scores[j], sizeof bits);
        scores[j] = bits == UINT32_C(0x80000000) ? SCORE_NONE : scores[j];
    }
}

static bool is_whole(const ItemWeights *weights)
{
    int64_t n = weights->n_items;
    return n > 0 && weights->starts[n] == n * n;
}

static void score_user(const ItemWeights *weights, const ScoreTile *tile, int32_t row,
                       float *scores)
{
    const SparseRows *users = tile->users;
    bool has_all = is_whole(weights);
    for (int32_t j = 0; j < tile->n_items; j++)
        scores[j] = -0.0F;
    int64_t end = users->starts[row + 1];
    for (int64_t e = users->starts[row]; e < end; e++) {
        if (has_all) {
            add_whole_row(weights, users->columns[e], users->values[e], tile, scores);
            continue;
        }
        if (e + AHEAD < end)
            prefetch_row(weights, users->columns[e + AHEAD]);
        add_row(weights, users->columns[e], users->values[e], tile, scores);
    }
    mark_none(scores, tile->n_items);
}

static void score(const void *model, const ScoreTile *tile, float *scores)
{
    for (int32_t u = 0; u < tile->n_users; u++)
        score_user(model, tile, tile->first_user + u, scores + (int64_t)u * tile->n_items);
}

float item_weights_of(const ItemWeights *weights, int32_t i, int32_t j)
{
    int64_t end = weights->starts[i + 1];
    int64_t at = find_column(weights, weights->starts[i], end, j);
    return at < end && weights->columns[at] == j ? weights->values[at] : 0;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): one type for all models */
static void add_reasons(const void *model, const ReasonQuery *query, float weight, float *spare,
                        float *reasons)
{
    const ItemWeights *weights = model;
    const SparseRows *users = query->users;
    int64_t begin = users->starts[query->row], n = users->starts[query->row + 1] - begin;
    (void)spare;
    for (int k = 0; k < query->n_items; k++) {
        for (int64_t e = 0; e < n; e++)
            reasons[k * n + e] +=
                weight * users->values[begin + e] *
                item_weights_of(weights, users->columns[begin + e], query->items[k]);
    }
}

/* A whole matrix is read tile by tile, each as wide as the cache holds of all its rows. In a sparse
 * one the tile's part of a row must be looked for, which is worth it where others ask for tiles. */
Scorer item_weights_scorer(const char *name, ItemWeights *weights)
{
    return (Scorer){.name = name,
                    .model = weights,
                    .tiled = weights->n_items <= TILE_ITEMS,
                    .tile_items = is_whole(weights) ? WHOLE_TILE : 0,
                    .score = score,
                    .add_reasons = add_reasons};
}
