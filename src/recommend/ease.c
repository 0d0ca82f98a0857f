/* See ease.h. Ranks have rows of X'X by their items; the inverse wants tiles. The rows go to the
 * tiles, and those of the inverse come back, some at a time. */
#include "recommend/ease.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/memory.h"
#include "recommend/cooccurrence.h"
#include "recommend/tiled_rows.h"

#include <inttypes.h>
#include <omp.h>
#include <string.h>

#define ROWS_BYTES ((int64_t)32 << 20)  /* rows handed over at a time, where ... */
#define USERS_BYTES ((int64_t)16 << 20) /* interactions at a time, at least */
enum {
    ROWS_SHARE = 8, /* ... that is more than this part of a rank's tiles */
    COPIES = 3      /* of those rows: as such, as sent, as received */
};

typedef struct Ease {
    const SparseSide *users, *items;
    const EaseOptions *options;
    int32_t n;
    TilePrecision precision;
    TiledMatrix *matrix;
    int32_t n_rows;         /* handed over at a time */
    int64_t rounds;         /* until all ranks are through */
    RowRun *runs;           /* [ranks] of the round */
    RowRun run;             /* this rank's */
    char *rows;             /* [n_rows x n] */
    double *inverse;        /* [n] diagonal of P */
    int64_t kept;           /* most weights of an item */
    ItemWeight *candidates; /* [threads x n] */
    SparseRows own;         /* room for `kept` weights a row until they are packed */
} Ease;

/* ---- sizes ---- */

int64_t ease_default_keep(int32_t n_items)
{
    return n_items <= EASE_SMALL ? 0 : EASE_KEEP;
}

static TilePrecision precision_for(int32_t n_items)
{
    return n_items <= EASE_SMALL ? TILE_DOUBLE : TILE_SINGLE;
}

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t kept_of(int32_t n_items, int64_t keep)
{
    int64_t most = n_items > 0 ? n_items - 1 : 0;
    return keep > 0 ? lesser(keep, most) : most;
}

static int64_t bytes_of_row(int32_t n_items)
{
    return n_items * (int64_t)tile_element_size(precision_for(n_items));
}

static int64_t tile_bytes(int32_t n_items, int ranks)
{
    return tiled_matrix_bytes(n_items, TILE_ROWS, precision_for(n_items), ranks);
}

/* Rows handed over at a time. */
static int64_t rows_for(int32_t n_items, int ranks)
{
    if (n_items == 0)
        return 0;
    int64_t bytes = greater(ROWS_BYTES, tile_bytes(n_items, ranks) / ROWS_SHARE);
    return greater(1, lesser(n_items, bytes / bytes_of_row(n_items)));
}

/* With the tiles there, before a byte of interactions. */
static int64_t bytes_of_matrix(int32_t n_items, int ranks)
{
    return tile_bytes(n_items, ranks) + COPIES * rows_for(n_items, ranks) * bytes_of_row(n_items);
}

int64_t ease_weights_bytes(int32_t n_items, int64_t keep)
{
    return n_items * kept_of(n_items, keep) * (int64_t)(sizeof(int32_t) + sizeof(float));
}

int64_t ease_memory(int32_t n_items, int64_t keep, int ranks)
{
    int64_t weights = ease_weights_bytes(n_items, keep);
    /* A rank may have nearly all items: those that few users have. */
    int64_t with_tiles = bytes_of_matrix(n_items, ranks) + greater(USERS_BYTES, weights);
    return greater(with_tiles, 2 * weights);
}

static Status check_memory(const Ease *ease, int ranks, Error *error)
{
    Status status = STATUS_OK;
    int64_t needed = ease_memory(ease->n, ease->options->keep, ranks);
    if (ease->options->memory > 0 && ease->options->memory < needed)
        FAIL(error, STATUS_MEMORY,
             "ease with %" PRId32 " items needs %" PRId64 " MiB a rank, and %" PRId64
             " MiB are allowed: allow more, keep fewer weights, take more ranks, or leave it out",
             ease->n, (needed >> 20) + 1, ease->options->memory >> 20);
out:
    return status;
}

/* What may be left to the interactions; 0: no limit. */
static int64_t users_memory(const Ease *ease, int ranks)
{
    if (ease->options->memory == 0)
        return 0;
    return greater(USERS_BYTES, ease->options->memory - bytes_of_matrix(ease->n, ranks));
}

/* ---- rounds ---- */

static Status allocate(Ease *ease, Error *error)
{
    Status status;
    TRY(fault_point("ease.learn", error));
    TRY(mem_resize(&ease->rows, (int64_t)ease->n_rows * ease->n, tile_element_size(ease->precision),
                   "rows of items", error));
    TRY(mem_resize(&ease->inverse, ease->n, sizeof *ease->inverse, "items", error));
out:
    return status;
}

/* Collective. */
static Status plan_rounds(Comm *comm, Ease *ease, Error *error)
{
    Status status = STATUS_OK;
    int64_t rows = rows_for(ease->n, comm_size(comm)), own = sparse_own_rows(ease->items);
    if (ease->options->rows > 0)
        rows = ease->options->rows;
    ease->n_rows = (int32_t)rows;
    ease->rounds = rows == 0 ? 0 : (own + rows - 1) / rows;
    comm_max_i64(comm, &ease->rounds, 1);
    ease->runs = mem_new(comm_size(comm), sizeof *ease->runs);
    TRY_ALL(comm, allocate(ease, error), error);
out:
    return status;
}

static void set_runs(const Comm *comm, Ease *ease, int64_t round)
{
    const SparseSide *items = ease->items;
    for (int r = 0; r < comm_size(comm); r++) {
        int64_t end = items->bases[items->owners[r + 1]];
        int64_t first = lesser(items->bases[items->owners[r]] + round * ease->n_rows, end);
        ease->runs[r] = (RowRun){(int32_t)first, (int32_t)lesser(first + ease->n_rows, end)};
    }
    ease->run = ease->runs[comm_rank(comm)];
}

/* ---- X'X + lambda I ---- */

/* This rank's items with the rows of the run alone, the others empty; entries are borrowed. */
static SparseSide part_of_items(const Ease *ease)
{
    SparseSide part = *ease->items;
    part.own = mem_new(part.end - part.first, sizeof *part.own);
    for (int32_t p = 0; p < part.end - part.first; p++) {
        const SparseRows *all = &ease->items->own[p];
        if (all->n_rows == 0)
            continue;
        int64_t first = lesser(greater(ease->run.first - all->first_row, 0), all->n_rows);
        int64_t end = lesser(greater(ease->run.end - all->first_row, first), all->n_rows);
        int64_t begin = all->starts[first];
        SparseRows *rows = &part.own[p];
        *rows = *all;
        rows->starts = mem_new((int64_t)all->n_rows + 1, sizeof *rows->starts);
        rows->columns = all->columns + begin;
        rows->values = all->values + begin;
        for (int32_t i = 0; i <= all->n_rows; i++)
            rows->starts[i] = lesser(greater(all->starts[i], begin), all->starts[end]) - begin;
    }
    return part;
}

static void part_free(SparseSide *part)
{
    for (int32_t p = 0; p < part->end - part->first; p++)
        mem_free(&part->own[p].starts);
    mem_free(&part->own);
}

static void set_element(const Ease *ease, int32_t row, int32_t column, double value)
{
    tile_set(ease->precision, ease->rows, ease->n, column, row - ease->run.first, value);
}

/* Rows of items that no user has: lambda I. */
static void clear_rows(const Ease *ease)
{
    size_t row_bytes = (size_t)ease->n * tile_element_size(ease->precision);
    for (int32_t row = ease->run.first; row < ease->run.end; row++) {
        memset(ease->rows + (size_t)(row - ease->run.first) * row_bytes, 0, row_bytes);
        set_element(ease, row, row, ease->options->lambda);
    }
}

/* A CooccurrenceVisit. */
static void take_row(void *context, int thread, int32_t item, const double *sums,
                     const int32_t *touched, int64_t n)
{
    const Ease *ease = context;
    (void)thread;
    if (item < ease->run.first || item >= ease->run.end)
        return;
    for (int64_t i = 0; i < n; i++)
        set_element(ease, item, touched[i], sums[touched[i]]);
    set_element(ease, item, item, sums[item] + ease->options->lambda);
}

/* Collective. */
static Status make_gram(Comm *comm, Ease *ease, Error *error)
{
    Status status = STATUS_OK;
    SparseSide part = {0};
    int64_t memory = users_memory(ease, comm_size(comm));
    for (int64_t round = 0; round < ease->rounds; round++) {
        set_runs(comm, ease, round);
        clear_rows(ease);
        part = part_of_items(ease);
        TRY(cooccurrence_visit(comm, ease->users, &part, true, ease->options->threads, memory,
                               take_row, ease, error));
        part_free(&part);
        part = (SparseSide){0};
        TRY(tiled_rows_put(comm, ease->matrix, ease->runs, ease->rows, error));
    }
out:
    part_free(&part);
    return status;
}

/* ---- B ---- */

static Status allocate_weights(Ease *ease, Error *error)
{
    Status status;
    int64_t own = sparse_own_rows(ease->items), room = own * ease->kept;
    TRY(fault_point("ease.weights", error));
    TRY(mem_resize(&ease->candidates, ease->options->threads * (int64_t)ease->n,
                   sizeof *ease->candidates, "weights of items", error));
    TRY(mem_resize(&ease->own.starts, own + 1, sizeof(int64_t), "weights of items", error));
    TRY(mem_resize(&ease->own.columns, room, sizeof(int32_t), "weights of items", error));
    TRY(mem_resize(&ease->own.values, room, sizeof(float), "weights of items", error));
    ease->own.first_row = sparse_own_first(ease->items);
    ease->own.n_rows = (int32_t)own;
    ease->own.starts[0] = 0;
out:
    return status;
}

/* Row i of B, b_ij = -p_ij / p_jj, pruned; starts[local + 1] := how many. */
static void take_weights(Ease *ease, int32_t item)
{
    ItemWeight *candidates = ease->candidates + omp_get_thread_num() * (int64_t)ease->n;
    int64_t local = item - ease->own.first_row, n = 0;
    for (int32_t j = 0; j < ease->n; j++) {
        double p = tile_get(ease->precision, ease->rows, ease->n, j, item - ease->run.first);
        float value = (float)(-p / ease->inverse[j]);
        if (j != item && value != 0)
            candidates[n++] = (ItemWeight){.column = j, .value = value};
    }
    n = item_weights_prune(candidates, n, ease->kept);
    for (int64_t k = 0; k < n; k++) {
        ease->own.columns[local * ease->kept + k] = candidates[k].column;
        ease->own.values[local * ease->kept + k] = candidates[k].value;
    }
    ease->own.starts[local + 1] = n;
}

/* The rows next to each other. */
static void pack_weights(Ease *ease)
{
    SparseRows *own = &ease->own;
    for (int64_t row = 0; row < own->n_rows; row++) {
        int64_t n = own->starts[row + 1], to = own->starts[row], from = row * ease->kept;
        own->starts[row + 1] = to + n;
        if (n == 0 || from == to)
            continue;
        memmove(own->columns + to, own->columns + from, (size_t)n * sizeof *own->columns);
        memmove(own->values + to, own->values + from, (size_t)n * sizeof *own->values);
    }
}

/* Collective. */
static Status make_weights(Comm *comm, Ease *ease, Error *error)
{
    Status status = STATUS_OK;
    ease->kept = kept_of(ease->n, ease->options->keep);
    TRY_ALL(comm, allocate_weights(ease, error), error);
    tiled_rows_diagonal(comm, ease->matrix, ease->inverse);
    for (int64_t round = 0; round < ease->rounds; round++) {
        set_runs(comm, ease, round);
        TRY(tiled_rows_get(comm, ease->matrix, ease->runs, ease->rows, error));
#pragma omp parallel for schedule(dynamic, 16) num_threads(ease->options->threads)
        for (int32_t item = ease->run.first; item < ease->run.end; item++)
            take_weights(ease, item);
    }
    pack_weights(ease);
out:
    return status;
}

static bool is_nearly_whole(const ItemWeights *weights)
{
    int64_t n = weights->n_items;
    return n > 0 && 2 * weights->starts[n] >= n * n;
}

Status ease_learn(Comm *comm, const SparseSide *users, const SparseSide *items,
                  const EaseOptions *options, ItemWeights *weights, bool *singular, Error *error)
{
    Status status = STATUS_OK;
    Ease ease = {.users = users, .items = items, .options = options, .n = items->n_rows};
    int32_t tile = options->tile > 0 ? options->tile : TILE_ROWS;
    ease.precision = options->single ? TILE_SINGLE : precision_for(ease.n);
    *singular = false;
    *weights = (ItemWeights){0};
    TRY_ALL(comm, check_memory(&ease, comm_size(comm), error), error);
    TRY(plan_rounds(comm, &ease, error));
    TRY(tiled_matrix_new(comm, ease.n, tile, ease.precision, &ease.matrix, error));
    double began = clock_seconds();
    TRY(make_gram(comm, &ease, error));
    double made = clock_seconds();
    TRY(tiled_cholesky_invert(comm, ease.matrix, options->threads, singular, error));
    log_line(LOG_INFO, LOG_ROOT, "recommend.ease", "items=%d gram=%.3f inverse=%.3f", (int)ease.n,
             made - began, clock_seconds() - made);
    if (*singular)
        goto out;
    TRY(make_weights(comm, &ease, error));
    tiled_matrix_free(&ease.matrix);
    mem_free(&ease.rows);
    mem_free(&ease.candidates);
    TRY(item_weights_gather(comm, items, &ease.own, weights, error));
    if (is_nearly_whole(weights))
        TRY_ALL(comm, item_weights_spread(weights, error), error);
out:
    tiled_matrix_free(&ease.matrix);
    mem_free(&ease.runs);
    mem_free(&ease.rows);
    mem_free(&ease.inverse);
    mem_free(&ease.candidates);
    sparse_rows_free(&ease.own);
    if (status != STATUS_OK)
        item_weights_free(weights);
    return status;
}
