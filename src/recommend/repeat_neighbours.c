/* Customers with like baskets: every rank's rows pass by all others in blocks, rank by rank. A
 * similarity is one sum over the items of the row in their order, and equals go by number: who the
 * neighbours are depends on neither blocks nor ranks nor threads. */
#include "recommend/repeat_model.h"

#include "base/fault.h"
#include "base/memory.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_ENTRIES_MAX = 1 << 22 };

/* Rows of one rank, and the same by item. */
typedef struct Block {
    SparseRows rows;
    double *norm;        /* [rows.n_rows] */
    int64_t *item_start; /* [n_items + 1] */
    int32_t *row;        /* [entries] by item, rows ascending */
    float *share;        /* [entries] */
} Block;

/* One thread's. */
typedef struct Sums {
    double *product;  /* [rows of the block] */
    int32_t *touched; /* [rows of the block] */
    int64_t capacity;
} Sums;

void repeat_neighbours_free(Neighbours *neighbours)
{
    mem_free(&neighbours->n);
    mem_free(&neighbours->at);
    *neighbours = (Neighbours){0};
}

static void block_free(Block *block)
{
    sparse_rows_free(&block->rows);
    mem_free(&block->norm);
    mem_free(&block->item_start);
    mem_free(&block->row);
    mem_free(&block->share);
}

static double norm_of(const SparseRows *rows, int32_t row)
{
    double sum = 0.0;
    for (int64_t e = rows->starts[row]; e < rows->starts[row + 1]; e++)
        sum += (double)rows->values[e] * (double)rows->values[e];
    return sqrt(sum);
}

/* ---- blocks ---- */

/* Where a rank is in its own rows. */
typedef struct Place {
    int32_t partition; /* among its own */
    int32_t row;       /* of it */
} Place;

static Status resize_rows(SparseRows *rows, int64_t n_rows, int64_t entries, Error *error)
{
    static const char what[] = "a block of customers";
    Status status = STATUS_OK;
    TRY(mem_resize(&rows->starts, n_rows + 1, sizeof *rows->starts, what, error));
    TRY(mem_resize(&rows->columns, entries, sizeof *rows->columns, what, error));
    TRY(mem_resize(&rows->values, entries, sizeof *rows->values, what, error));
out:
    return status;
}

/* The size of the next block, of about `limit` entries: *end is where it stops. */
static void measure(const SparseSide *side, Place from, int64_t limit, int64_t size[2], Place *end)
{
    int32_t n_own = side->end - side->first;
    size[0] = size[1] = 0;
    *end = from;
    while (end->partition < n_own) {
        const SparseRows *rows = &side->own[end->partition];
        if (end->row == rows->n_rows) {
            *end = (Place){.partition = end->partition + 1};
            continue;
        }
        int64_t entries = rows->starts[end->row + 1] - rows->starts[end->row];
        if (size[0] > 0 && size[1] + entries > limit)
            break;
        size[0]++;
        size[1] += entries;
        end->row++;
    }
}

static void fill(const SparseSide *side, Place from, SparseRows *rows, int32_t n_rows)
{
    int64_t n = 0;
    rows->starts[0] = 0;
    for (int32_t r = 0; r < n_rows; r++, from.row++) {
        while (from.row == side->own[from.partition].n_rows)
            from = (Place){.partition = from.partition + 1};
        const SparseRows *own = &side->own[from.partition];
        for (int64_t e = own->starts[from.row]; e < own->starts[from.row + 1]; e++, n++) {
            rows->columns[n] = own->columns[e];
            rows->values[n] = own->values[e];
        }
        rows->starts[r + 1] = n;
    }
}

/* The block's rows by item, and their norms. */
static Status index_block(Block *block, int32_t n_items, Error *error)
{
    static const char what[] = "a block of customers";
    Status status = STATUS_OK;
    const SparseRows *rows = &block->rows;
    int64_t n = sparse_entries(rows);
    TRY(fault_point("recommend.neighbours", error));
    TRY(mem_resize(&block->norm, rows->n_rows, sizeof *block->norm, what, error));
    TRY(mem_resize(&block->item_start, (int64_t)n_items + 1, sizeof *block->item_start, what,
                   error));
    TRY(mem_resize(&block->row, n, sizeof *block->row, what, error));
    TRY(mem_resize(&block->share, n, sizeof *block->share, what, error));
    memset(block->item_start, 0, ((size_t)n_items + 1) * sizeof *block->item_start);
    for (int64_t e = 0; e < n; e++)
        block->item_start[rows->columns[e]]++;
    int64_t begin = 0;
    for (int32_t i = 0; i <= n_items; i++) {
        int64_t count = block->item_start[i];
        block->item_start[i] = begin;
        begin += count;
    }
    for (int32_t r = 0; r < rows->n_rows; r++) {
        block->norm[r] = norm_of(rows, r);
        for (int64_t e = rows->starts[r]; e < rows->starts[r + 1]; e++) {
            int64_t at = block->item_start[rows->columns[e]]++;
            block->row[at] = r;
            block->share[at] = rows->values[e];
        }
    }
    for (int32_t i = n_items; i > 0; i--) /* each start has become the next one's */
        block->item_start[i] = block->item_start[i - 1];
    block->item_start[0] = 0;
out:
    return status;
}

/* ---- neighbours ---- */

static bool is_worse(Neighbour a, Neighbour b)
{
    return a.similarity < b.similarity || (a.similarity == b.similarity && a.number > b.number);
}

/* A heap whose root is the worst. */
static void offer(Neighbour *heap, int64_t *n, int64_t k, Neighbour next)
{
    int64_t at;
    if (*n < k) {
        for (at = (*n)++; at > 0 && is_worse(next, heap[(at - 1) / 2]); at = (at - 1) / 2)
            heap[at] = heap[(at - 1) / 2];
        heap[at] = next;
        return;
    }
    if (!is_worse(heap[0], next))
        return;
    at = 0;
    for (int64_t child = 1; child < k; child = 2 * at + 1) {
        child += child + 1 < k && is_worse(heap[child + 1], heap[child]);
        if (!is_worse(heap[child], next))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = next;
}

/* The neighbours of row `row` of `rows` among those of the block. */
static void compare_row(const SparseRows *rows, int32_t row, const Block *block, Sums *sums,
                        Neighbour *heap, int64_t *n, int64_t k)
{
    int64_t n_touched = 0;
    double norm = norm_of(rows, row);
    for (int64_t e = rows->starts[row]; e < rows->starts[row + 1]; e++) {
        int32_t item = rows->columns[e];
        double share = rows->values[e];
        for (int64_t at = block->item_start[item]; at < block->item_start[item + 1]; at++) {
            int32_t other = block->row[at];
            if (sums->product[other] == 0.0)
                sums->touched[n_touched++] = other;
            sums->product[other] += share * (double)block->share[at];
        }
    }
    for (int64_t t = 0; t < n_touched; t++) {
        int32_t other = sums->touched[t], number = block->rows.first_row + other;
        float similarity = (float)(sums->product[other] / (norm * block->norm[other]));
        sums->product[other] = 0.0;
        if (number != rows->first_row + row && similarity > 0.0F)
            offer(heap, n, k, (Neighbour){.number = number, .similarity = similarity});
    }
}

static void compare_block(const Repeat *model, const Block *block, Sums *sums,
                          Neighbours *neighbours)
{
    const SparseSide *side = &model->shares;
    int32_t own_first = sparse_own_first(side);
#pragma omp parallel for schedule(dynamic) num_threads(model->options.threads)
    for (int32_t p = 0; p < side->end - side->first; p++) {
        const SparseRows *rows = &side->own[p];
        for (int32_t r = 0; r < rows->n_rows; r++) {
            int64_t own = rows->first_row + r - own_first;
            compare_row(rows, r, block, &sums[omp_get_thread_num()],
                        neighbours->at + own * neighbours->k, &neighbours->n[own], neighbours->k);
        }
    }
}

static Status size_sums(Sums *sums, int threads, int64_t n, Error *error)
{
    Status status = STATUS_OK;
    for (int t = 0; t < threads; t++) {
        if (n <= sums[t].capacity)
            continue;
        TRY(mem_resize(&sums[t].product, n, sizeof *sums[t].product, "similarities", error));
        TRY(mem_resize(&sums[t].touched, n, sizeof *sums[t].touched, "similarities", error));
        memset(sums[t].product, 0, (size_t)n * sizeof *sums[t].product);
        sums[t].capacity = n;
    }
out:
    return status;
}

/* The root's next block on every rank; *place moves on there. size[0] 0: there is none. Collective.
 */
static Status pass_block(Comm *comm, int root, const Repeat *model, Place *place, Block *block,
                         int64_t size[2], Error *error)
{
    Status status = STATUS_OK;
    const SparseSide *side = &model->shares;
    bool is_root = comm_rank(comm) == root;
    Place end = *place;
    int64_t limit = model->options.memory / (int64_t)(4 * sizeof(int64_t));
    limit = model->options.memory > 0 && limit < BLOCK_ENTRIES_MAX ? limit : BLOCK_ENTRIES_MAX;
    if (is_root)
        measure(side, *place, limit, size, &end);
    comm_broadcast(comm, root, size, 2 * (int64_t)sizeof *size);
    if (size[0] == 0)
        return STATUS_OK;
    TRY_ALL(comm, resize_rows(&block->rows, size[0], size[1], error), error);
    block->rows.n_rows = (int32_t)size[0];
    if (is_root) {
        fill(side, *place, &block->rows, block->rows.n_rows);
        *place = end;
    }
    comm_broadcast(comm, root, block->rows.starts,
                   (size[0] + 1) * (int64_t)sizeof *block->rows.starts);
    comm_broadcast(comm, root, block->rows.columns, size[1] * (int64_t)sizeof *block->rows.columns);
    comm_broadcast(comm, root, block->rows.values, size[1] * (int64_t)sizeof *block->rows.values);
    TRY_ALL(comm, index_block(block, side->n_columns, error), error);
out:
    return status;
}

static int by_number(const void *a, const void *b)
{
    const Neighbour *x = a, *y = b;
    return x->number < y->number ? -1 : x->number > y->number;
}

static Status start(const Repeat *model, Neighbours *neighbours, Error *error)
{
    Status status = STATUS_OK;
    int64_t n = sparse_own_rows(&model->shares), k = model->options.neighbours;
    *neighbours = (Neighbours){.k = k};
    TRY(mem_resize(&neighbours->n, n, sizeof *neighbours->n, "neighbours", error));
    memset(neighbours->n, 0, (size_t)n * sizeof *neighbours->n);
    TRY(mem_resize(&neighbours->at, n * k, sizeof *neighbours->at, "neighbours", error));
out:
    return status;
}

Status repeat_find_neighbours(Comm *comm, const Repeat *model, Neighbours *neighbours, Error *error)
{
    Status status = STATUS_OK;
    int threads = model->options.threads;
    Block block = {.norm = NULL};
    Sums *sums = mem_new(threads, sizeof *sums);
    TRY_ALL(comm, start(model, neighbours, error), error);
    for (int root = 0; root < comm_size(comm); root++) {
        Place place = {.partition = 0};
        int64_t size[2];
        block.rows.first_row = model->shares.bases[model->shares.owners[root]];
        for (;;) {
            TRY(pass_block(comm, root, model, &place, &block, size, error));
            if (size[0] == 0)
                break;
            TRY_ALL(comm, size_sums(sums, threads, size[0], error), error);
            compare_block(model, &block, sums, neighbours);
            block.rows.first_row += block.rows.n_rows;
        }
    }
    for (int64_t r = 0; r < sparse_own_rows(&model->shares); r++)
        qsort(neighbours->at + r * neighbours->k, (size_t)neighbours->n[r], sizeof *neighbours->at,
              by_number);
out:
    block_free(&block);
    for (int t = 0; t < threads; t++) {
        mem_free(&sums[t].product);
        mem_free(&sums[t].touched);
    }
    mem_free(&sums);
    if (status != STATUS_OK)
        repeat_neighbours_free(neighbours);
    return status;
}
