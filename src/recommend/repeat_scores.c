/* From shares and neighbours to what the scorer says; see repeat_model.h. */
#include "recommend/repeat_model.h"

#include "base/fault.h"
#include "base/memory.h"
#include "table/sort.h"

#include <float.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* Items of neighbours alone that a customer keeps, the best. */
enum { OTHERS_MAX = 256 };
static const double WEIGHT_MIN = 1e-100;             /* shares times it are still above 0 */
static const int64_t BLOCK_BYTES = INT64_C(1) << 26; /* fetched at a time where memory is 0 */

/* An item that a customer may be shown. */
typedef struct Candidate {
    double score;
    int64_t popularity;
    int32_t item;
} Candidate;

/* One thread's. */
typedef struct Workspace {
    double *sum;           /* [n_items] 0 between customers */
    Candidate *candidates; /* [n_items] */
} Workspace;

/* A run of own rows at a time: the rows of their neighbours, and what comes out. */
typedef struct ScoreBlock {
    int32_t begin, end; /* own rows */
    FetchedRows fetched;
    int64_t *slots; /* [rows + 1] room of each row */
    int32_t *n;     /* [rows] how much of it is taken */
    int32_t *columns;
    float *values;
} ScoreBlock;

typedef struct Scoring {
    Repeat *model;
    const Neighbours *neighbours;
    Workspace *workspaces; /* [threads] */
    ScoreBlock block;
    int64_t capacity; /* of the model's scores */
} Scoring;

static void block_free(ScoreBlock *block)
{
    fetched_rows_free(&block->fetched);
    mem_free(&block->slots);
    mem_free(&block->n);
    mem_free(&block->columns);
    mem_free(&block->values);
}

/* The partition of an own row, and its place there. */
static const SparseRows *locate(const SparseSide *side, int32_t own_row, int32_t *partition,
                                int32_t *row)
{
    int32_t number = sparse_own_first(side) + own_row;
    while (number >= side->bases[side->first + *partition + 1])
        (*partition)++;
    *row = number - side->bases[side->first + *partition];
    return &side->own[*partition];
}

/* ---- one customer ---- */

/* Best first. */
static int compare_candidates(const void *a, const void *b)
{
    const Candidate *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    if (x->popularity != y->popularity)
        return x->popularity > y->popularity ? -1 : 1;
    return x->item < y->item ? -1 : x->item > y->item;
}

static int by_item(const void *a, const void *b)
{
    const Candidate *x = a, *y = b;
    return x->item < y->item ? -1 : x->item > y->item;
}

static const SparseRows *find_fetched(const FetchedRows *fetched, int32_t number, int32_t *row)
{
    int64_t low = 0, high = fetched->n - 1;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (fetched->numbers[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    *row = (int32_t)low;
    return &fetched->rows;
}

/* Add weight * row; items seen for the first time become candidates. What is added is above 0. */
static int64_t add_row(const Repeat *model, const SparseRows *rows, int32_t row, double weight,
                       Workspace *work, int64_t n)
{
    weight = weight > WEIGHT_MIN ? weight : WEIGHT_MIN;
    for (int64_t e = rows->starts[row]; e < rows->starts[row + 1]; e++) {
        int32_t item = rows->columns[e];
        if (work->sum[item] == 0.0)
            work->candidates[n++] =
                (Candidate){.item = item, .popularity = model->popularity[item]};
        work->sum[item] += weight * (double)rows->values[e];
    }
    return n;
}

/* Own shares and the neighbours' mean, weighted by similarity:
 *   (1 - w) s_u + w sum(sim_v s_v) / sum(sim_v)
 * A customer without neighbours has own shares alone. */
static int64_t gather(const Scoring *scoring, int32_t own_row, const SparseRows *rows, int32_t row,
                      Workspace *work)
{
    const Neighbours *neighbours = scoring->neighbours;
    double share = scoring->model->options.neighbour_weight, total = 0.0;
    int64_t n_neighbours = neighbours->k > 0 ? neighbours->n[own_row] : 0;
    const Neighbour *at = n_neighbours > 0 ? neighbours->at + own_row * neighbours->k : NULL;
    for (int64_t i = 0; i < n_neighbours; i++)
        total += (double)at[i].similarity;
    double own_weight = n_neighbours > 0 ? 1.0 - share : 1.0;
    int64_t n = add_row(scoring->model, rows, row, own_weight, work, 0);
    for (int64_t i = 0; i < n_neighbours; i++) {
        int32_t place;
        const SparseRows *fetched = find_fetched(&scoring->block.fetched, at[i].number, &place);
        n = add_row(scoring->model, fetched, place, share * (double)at[i].similarity / total, work,
                    n);
    }
    for (int64_t i = 0; i < n; i++) {
        work->candidates[i].score = work->sum[work->candidates[i].item];
        work->sum[work->candidates[i].item] = 0.0;
    }
    return n;
}

/* The best OTHERS_MAX of candidates [n] at the front; returns how many stay. When twice as many
 * have come together they are cut, and what is worse than the last that stayed is passed over. */
static int64_t keep_best(Candidate *candidates, int64_t n)
{
    int64_t kept = 0;
    bool is_cut = false;
    if (n <= OTHERS_MAX)
        return n;
    for (int64_t i = 0; i < n; i++) {
        if (is_cut && compare_candidates(&candidates[i], &candidates[OTHERS_MAX - 1]) > 0)
            continue;
        candidates[kept++] = candidates[i];
        if (kept == 2 * OTHERS_MAX) {
            qsort(candidates, (size_t)kept, sizeof *candidates, compare_candidates);
            kept = OTHERS_MAX;
            is_cut = true;
        }
    }
    qsort(candidates, (size_t)kept, sizeof *candidates, compare_candidates);
    return OTHERS_MAX;
}

/* Scores as floats, each below the one before, so that their order is the whole order; of items
 * that are not own, which stand behind the n_own that are, the best. Returns how many stay. */
static int64_t rank_candidates(Candidate *candidates, int64_t n, int64_t n_own)
{
    float last = INFINITY;
    n = n_own + keep_best(candidates + n_own, n - n_own);
    qsort(candidates, (size_t)n, sizeof *candidates, compare_candidates);
    for (int64_t i = 0; i < n; i++) {
        float score = (float)fmax(candidates[i].score, (double)FLT_MIN);
        if (score >= last)
            score = nextafterf(last, 0.0F);
        last = score;
        candidates[i].score = (double)score;
    }
    qsort(candidates, (size_t)n, sizeof *candidates, by_item);
    return n;
}

static void score_row(const Scoring *scoring, int32_t own_row, const SparseRows *rows, int32_t row,
                      Workspace *work)
{
    const ScoreBlock *block = &scoring->block;
    int64_t n = gather(scoring, own_row, rows, row, work);
    n = rank_candidates(work->candidates, n, rows->starts[row + 1] - rows->starts[row]);
    int32_t place = own_row - block->begin;
    block->n[place] = (int32_t)n;
    for (int64_t i = 0; i < n; i++) {
        block->columns[block->slots[place] + i] = work->candidates[i].item;
        block->values[block->slots[place] + i] = (float)work->candidates[i].score;
    }
}

/* ---- a block of customers ---- */

/* numbers, ascending, each once: the neighbours of the block's rows. */
static Status list_neighbours(const Scoring *scoring, int32_t **numbers, int64_t *n, Error *error)
{
    Status status = STATUS_OK;
    const Neighbours *neighbours = scoring->neighbours;
    int64_t *all = NULL, n_all = 0;
    *n = 0;
    for (int32_t r = scoring->block.begin; neighbours->k > 0 && r < scoring->block.end; r++)
        n_all += neighbours->n[r];
    TRY(mem_resize(&all, n_all, sizeof *all, "neighbours", error));
    TRY(mem_resize(numbers, n_all, sizeof **numbers, "neighbours", error));
    n_all = 0;
    for (int32_t r = scoring->block.begin; neighbours->k > 0 && r < scoring->block.end; r++) {
        for (int64_t i = 0; i < neighbours->n[r]; i++)
            all[n_all++] = neighbours->at[r * neighbours->k + i].number;
    }
    TRY(sort_i64(all, n_all, error));
    for (int64_t i = 0; i < n_all; i++) {
        if (i == 0 || all[i] != all[i - 1])
            (*numbers)[(*n)++] = (int32_t)all[i];
    }
out:
    mem_free(&all);
    return status;
}

static Status make_slots(Scoring *scoring, Error *error)
{
    static const char what[] = "scores of customers";
    Status status = STATUS_OK;
    ScoreBlock *block = &scoring->block;
    const SparseSide *shares = &scoring->model->shares;
    int64_t n = block->end - block->begin, entries = 0;
    int32_t partition = 0, row;
    TRY(mem_resize(&block->slots, n + 1, sizeof *block->slots, what, error));
    TRY(mem_resize(&block->n, n, sizeof *block->n, what, error));
    for (int32_t r = block->begin; r < block->end; r++) {
        const SparseRows *rows = locate(shares, r, &partition, &row);
        block->slots[r - block->begin] = entries;
        entries += rows->starts[row + 1] - rows->starts[row];
        entries += scoring->neighbours->k > 0 ? OTHERS_MAX : 0;
    }
    block->slots[n] = entries;
    TRY(mem_resize(&block->columns, entries, sizeof *block->columns, what, error));
    TRY(mem_resize(&block->values, entries, sizeof *block->values, what, error));
out:
    return status;
}

static void score_rows(const Scoring *scoring)
{
    const SparseSide *shares = &scoring->model->shares;
#pragma omp parallel num_threads(scoring->model->options.threads)
    {
        int32_t partition = 0, row;
#pragma omp for schedule(dynamic, 16)
        for (int32_t r = scoring->block.begin; r < scoring->block.end; r++) {
            const SparseRows *rows = locate(shares, r, &partition, &row);
            score_row(scoring, r, rows, row, &scoring->workspaces[omp_get_thread_num()]);
        }
    }
}

/* The block's rows behind those that the model has. */
static Status append_rows(Scoring *scoring, Error *error)
{
    static const char what[] = "scores of customers";
    Status status = STATUS_OK;
    const ScoreBlock *block = &scoring->block;
    SparseRows *scores = &scoring->model->scores;
    int64_t at = scores->starts[block->begin], n = at;
    for (int32_t r = block->begin; r < block->end; r++)
        n += block->n[r - block->begin];
    if (n > scoring->capacity) {
        int64_t half_more = scoring->capacity + scoring->capacity / 2;
        int64_t capacity = n > half_more ? n : half_more;
        TRY(mem_resize(&scores->columns, capacity, sizeof *scores->columns, what, error));
        TRY(mem_resize(&scores->values, capacity, sizeof *scores->values, what, error));
        scoring->capacity = capacity;
    }
    for (int32_t r = block->begin; r < block->end; r++) {
        int64_t from = block->slots[r - block->begin], n_row = block->n[r - block->begin];
        for (int64_t i = 0; i < n_row; i++) {
            scores->columns[at + i] = block->columns[from + i];
            scores->values[at + i] = block->values[from + i];
        }
        at += n_row;
        scores->starts[r + 1] = at;
    }
out:
    return status;
}

/* Collective. */
static Status score_block(Comm *comm, Scoring *scoring, Error *error)
{
    Status status = STATUS_OK;
    int32_t *numbers = NULL;
    int64_t n = 0;
    TRY_ALL(comm, list_neighbours(scoring, &numbers, &n, error), error);
    if (scoring->neighbours->k > 0)
        TRY(sparse_fetch(comm, &scoring->model->shares, numbers, n, &scoring->block.fetched,
                         error));
    TRY_ALL(comm, make_slots(scoring, error), error);
    score_rows(scoring);
    TRY_ALL(comm, append_rows(scoring, error), error);
out:
    mem_free(&numbers);
    fetched_rows_free(&scoring->block.fetched);
    return status;
}

/* ---- all of them ---- */

/* fill := -1, -2, ... by popularity, equals by number; SCORE_NONE for items that nobody bought, and
 * for all of them where popular ones are not wanted. */
static Status make_fill(Repeat *model, Error *error)
{
    Status status = STATUS_OK;
    int64_t n = model->shares.n_columns, *order = NULL;
    uint64_t *keys = NULL;
    TRY(mem_resize(&model->fill, n, sizeof *model->fill, "popularity", error));
    TRY(mem_resize(&order, n, sizeof *order, "popularity", error));
    TRY(mem_resize(&keys, n, sizeof *keys, "popularity", error));
    for (int64_t i = 0; i < n; i++)
        keys[i] = UINT64_MAX - (uint64_t)model->popularity[i];
    TRY(sort_order_u64(keys, n, order, error));
    for (int64_t place = 0; place < n; place++) {
        int64_t item = order[place];
        bool is_filled = model->options.fill_popular && model->popularity[item] > 0;
        model->fill[item] = is_filled ? (float)-(place + 1) : SCORE_NONE;
    }
out:
    mem_free(&order);
    mem_free(&keys);
    return status;
}

static Status start(Scoring *scoring, Error *error)
{
    Status status = STATUS_OK;
    Repeat *model = scoring->model;
    SparseRows *scores = &model->scores;
    int64_t n = model->shares.n_columns;
    TRY(fault_point("recommend.repeat_scores", error));
    scores->first_row = sparse_own_first(&model->shares);
    scores->n_rows = sparse_own_rows(&model->shares);
    TRY(mem_resize(&scores->starts, (int64_t)scores->n_rows + 1, sizeof *scores->starts,
                   "scores of customers", error));
    scores->starts[0] = 0;
    for (int t = 0; t < model->options.threads; t++) {
        Workspace *work = &scoring->workspaces[t];
        TRY(mem_resize(&work->sum, n, sizeof *work->sum, "scores of items", error));
        TRY(mem_resize(&work->candidates, n, sizeof *work->candidates, "scores of items", error));
        memset(work->sum, 0, (size_t)n * sizeof *work->sum);
    }
out:
    return status;
}

/* How many rows a block has, so that their neighbours fit. Collective. */
static int64_t choose_block(Comm *comm, const Scoring *scoring)
{
    const SparseSide *shares = &scoring->model->shares;
    int64_t memory = scoring->model->options.memory, entries = 0;
    for (int32_t p = 0; p < shares->end - shares->first; p++)
        entries += sparse_entries(&shares->own[p]);
    comm_sum_i64(comm, &entries, 1);
    int64_t mean = shares->n_rows > 0 ? entries / shares->n_rows + 1 : 1;
    int64_t bytes = mean * (int64_t)(sizeof(int32_t) + sizeof(float)) + (int64_t)sizeof(int64_t);
    int64_t rows = (memory > 0 ? memory : BLOCK_BYTES) / (bytes * (scoring->neighbours->k + 1));
    return rows > 0 ? rows : 1;
}

Status repeat_make_scores(Comm *comm, Repeat *model, const Neighbours *neighbours, Error *error)
{
    Status status = STATUS_OK;
    Scoring scoring = {.model = model,
                       .neighbours = neighbours,
                       .workspaces = mem_new(model->options.threads, sizeof(Workspace))};
    TRY_ALL(comm, make_fill(model, error), error);
    TRY_ALL(comm, start(&scoring, error), error);
    int64_t n = sparse_own_rows(&model->shares), rows = choose_block(comm, &scoring);
    int64_t blocks = (n + rows - 1) / rows;
    comm_max_i64(comm, &blocks, 1);
    for (int64_t b = 0; b < blocks; b++) {
        int64_t begin = b * rows, end = begin + rows;
        scoring.block.begin = (int32_t)(begin < n ? begin : n);
        scoring.block.end = (int32_t)(end < n ? end : n);
        TRY(score_block(comm, &scoring, error));
    }
out:
    block_free(&scoring.block);
    for (int t = 0; t < model->options.threads; t++) {
        mem_free(&scoring.workspaces[t].sum);
        mem_free(&scoring.workspaces[t].candidates);
    }
    mem_free(&scoring.workspaces);
    return status;
}
