/* See blend.h. */
#include "recommend/blend.h"

#include "base/memory.h"
#include "recommend/accuracy.h"

#include <math.h>
#include <string.h>

#define LISTS_BYTES ((int64_t)256 << 20) /* of lists at a time while weights are tried */

/* ---- scores ---- */

static Status prepare(Comm *comm, void *of, int32_t first_item, int32_t n_items, Error *error)
{
    Status status = STATUS_OK;
    const Blend *blend = of;
    for (int k = 0; k < blend->n; k++) {
        const Scorer *part = &blend->parts[k];
        if (blend->weights[k] > 0 && part->prepare != NULL)
            TRY(part->prepare(comm, part->model, first_item, n_items, error));
    }
out:
    return status;
}

static int64_t tile_size(const ScoreTile *tile)
{
    return (int64_t)tile->n_users * tile->n_items;
}

static void clear(float *scores, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        scores[i] = SCORE_NONE;
}

/* Add factor times a part's scores where it has any. */
static void add_part(const float *part, float factor, int64_t n, float *scores)
{
    for (int64_t i = 0; i < n; i++) {
        float sum = (scores[i] == SCORE_NONE ? 0 : scores[i]) + factor * part[i];
        scores[i] = part[i] == SCORE_NONE ? scores[i] : sum;
    }
}

static void score(const void *of, const ScoreTile *tile, float *scores)
{
    const Blend *blend = of;
    clear(scores, tile_size(tile));
    for (int k = 0; k < blend->n; k++) {
        if (blend->weights[k] == 0)
            continue;
        blend->parts[k].score(blend->parts[k].model, tile, tile->spare);
        add_part(tile->spare, (float)(blend->weights[k] / blend->scales[k]), tile_size(tile),
                 scores);
    }
}

/* A part without reasons of its own adds to scores and to no reason. */
static bool has_reasons(const Blend *blend, int k)
{
    return blend->weights[k] > 0 && blend->parts[k].add_reasons != NULL;
}

static Status prepare_reasons(Comm *comm, void *of, const int32_t *numbers, int64_t n, Error *error)
{
    Status status = STATUS_OK;
    const Blend *blend = of;
    for (int k = 0; k < blend->n; k++) {
        const Scorer *part = &blend->parts[k];
        if (has_reasons(blend, k) && part->prepare_reasons != NULL)
            TRY(part->prepare_reasons(comm, part->model, numbers, n, error));
    }
out:
    return status;
}

static void add_reasons(const void *of, const ReasonQuery *query, float weight, float *spare,
                        float *reasons)
{
    const Blend *blend = of;
    for (int k = 0; k < blend->n; k++) {
        float factor = weight * (float)(blend->weights[k] / blend->scales[k]);
        if (has_reasons(blend, k))
            blend->parts[k].add_reasons(blend->parts[k].model, query, factor, spare, reasons);
    }
}

Scorer blend_scorer(Blend *blend)
{
    Scorer scorer = {.name = "blend",
                     .model = blend,
                     .tiled = true,
                     .prepare = prepare,
                     .score = score,
                     .prepare_reasons = prepare_reasons,
                     .add_reasons = add_reasons};
    for (int k = 0; k < blend->n; k++) {
        if (blend->weights[k] == 0)
            continue;
        int32_t suits = blend->parts[k].tile_items;
        scorer.tiled &= blend->parts[k].tiled;
        if (suits > 0 && (scorer.tile_items == 0 || suits < scorer.tile_items))
            scorer.tile_items = suits;
        if (has_reasons(blend, k) && blend->parts[k].reason_floats > scorer.reason_floats)
            scorer.reason_floats = blend->parts[k].reason_floats;
        scorer.reason_item_bytes += has_reasons(blend, k) ? blend->parts[k].reason_item_bytes : 0;
    }
    return scorer;
}

/* ---- weights ---- */

typedef struct Choice {
    Comm *comm;
    const SparseSide *users, *truth;
    TopRules rules;
    bool *is_wanted; /* users with a truth */
    int threads;
    double best; /* NDCG so far; below 0 before the first */
} Choice;

static Status mark_wanted(Choice *choice, Error *error)
{
    Status status;
    const SparseSide *truth = choice->truth;
    int64_t at = 0;
    TRY(mem_resize(&choice->is_wanted, sparse_own_rows(truth), sizeof *choice->is_wanted,
                   "users who are looked at", error));
    for (int32_t p = 0; p < truth->end - truth->first; p++) {
        const SparseRows *rows = &truth->own[p];
        for (int32_t r = 0; r < rows->n_rows; r++)
            choice->is_wanted[at++] = rows->starts[r + 1] > rows->starts[r];
    }
    choice->rules =
        (TopRules){.is_wanted = choice->is_wanted, .leave_out_owned = true, .fill_unscored = true};
out:
    return status;
}

/* sums [own partitions x 2]: best scores of each partition's wanted users, and how many have one.
 */
static Status sum_best(const Choice *choice, const TopLists *lists, double **sums, Error *error)
{
    Status status;
    const SparseSide *users = choice->users;
    int32_t n = users->end - users->first;
    int64_t row = 0;
    TRY(mem_resize(sums, 2 * (int64_t)n, sizeof **sums, "sums of scores", error));
    for (int32_t p = 0; p < n; p++) {
        double *sum = *sums + 2 * (int64_t)p;
        sum[0] = sum[1] = 0;
        for (int32_t r = 0; r < users->own[p].n_rows; r++, row++) {
            float best = lists->scores[row * lists->n];
            if (!choice->is_wanted[row] || !isfinite(best))
                continue;
            sum[0] += (double)best;
            sum[1]++;
        }
    }
out:
    return status;
}

/* *scale := the mean of the best scores that `part` gives. Collective. */
static Status find_scale(Choice *choice, const Scorer *part, double *scale, Error *error)
{
    Status status;
    TopLists lists = {0};
    double *sums = NULL;
    double total[2] = {0};
    const SparseSide *users = choice->users;
    TRY(top_lists_make(choice->comm, users, part, &choice->rules, 1, choice->threads, &lists,
                       error));
    TRY_ALL(choice->comm, sum_best(choice, &lists, &sums, error), error);
    comm_sum_in_order_f64(choice->comm, sums, users->end - users->first, 2, total);
    *scale = total[1] > 0 && total[0] > 0 ? total[0] / total[1] : 1;
out:
    mem_free(&sums);
    top_lists_free(&lists);
    return status;
}

/* The next way to share BLEND_STEPS out among n parts, from all on the first to all on the last. */
static bool next_shares(int *shares, int n)
{
    int k = n - 2;
    while (k >= 0 && shares[k] == 0)
        k--;
    if (k < 0)
        return false;
    int rest = shares[n - 1];
    shares[n - 1] = 0;
    shares[k]--;
    shares[k + 1] = rest + 1;
    return true;
}

/* All ways, one after another: weights [n x blend->n] (mem_free). */
static int list_shares(const Blend *blend, double **weights)
{
    int shares[BLEND_PARTS_MAX] = {BLEND_STEPS}, n = 0;
    do {
        mem_grow(weights, (int64_t)(n + 1) * BLEND_PARTS_MAX, sizeof **weights);
        for (int k = 0; k < blend->n; k++)
            (*weights)[n * BLEND_PARTS_MAX + k] = (double)shares[k] / BLEND_STEPS;
        n++;
    } while (next_shares(shares, blend->n));
    return n;
}

/* Blends of the same parts, as variants of a scorer: what the parts say of a tile is asked once. */
typedef struct Variants {
    Blend *blend;          /* whose weights are all above 0 */
    const double *weights; /* [variants x BLEND_PARTS_MAX] */
} Variants;

static Status prepare_variants(Comm *comm, void *of, int32_t first_item, int32_t n_items,
                               Error *error)
{
    const Variants *variants = of;
    return prepare(comm, variants->blend, first_item, n_items, error);
}

static void score_variant(const void *of, const ScoreTile *tile, float *scores)
{
    const Variants *variants = of;
    const Blend *blend = variants->blend;
    const double *weights = variants->weights + (int64_t)tile->variant * BLEND_PARTS_MAX;
    int64_t n = tile_size(tile);
    for (int k = 0; tile->variant == 0 && k < blend->n; k++)
        blend->parts[k].score(blend->parts[k].model, tile, tile->kept + k * n);
    clear(scores, n);
    for (int k = 0; k < blend->n; k++) {
        if (weights[k] > 0)
            add_part(tile->kept + k * n, (float)(weights[k] / blend->scales[k]), n, scores);
    }
}

/* Variants whose lists fit LISTS_BYTES on the rank with the most users, at least one. Collective.
 */
static int variants_at_once(const Choice *choice)
{
    int64_t users = sparse_own_rows(choice->users);
    comm_max_i64(choice->comm, &users, 1);
    int64_t bytes =
        users * accuracy_cuts[ACCURACY_CUTS - 1] * (int64_t)(sizeof(int32_t) + sizeof(float));
    int64_t n = bytes == 0 ? INT32_MAX : LISTS_BYTES / bytes;
    return n < 1 ? 1 : n > INT32_MAX ? INT32_MAX : (int)n;
}

/* Keep the best of weights [n x BLEND_PARTS_MAX] in `best` if it does better than what was before.
 * Collective. */
static Status try_weights(Choice *choice, Blend *blend, const double *weights, int n, double *best,
                          Error *error)
{
    Status status;
    int last = ACCURACY_CUTS - 1;
    Variants variants = {blend, weights};
    Scorer scorer = blend_scorer(blend);
    TopLists *lists = mem_new(n, sizeof *lists);
    scorer.model = &variants;
    scorer.n_variants = n;
    scorer.n_kept = blend->n;
    scorer.prepare = prepare_variants;
    scorer.score = score_variant;
    TRY(top_lists_make_all(choice->comm, choice->users, &scorer, &choice->rules,
                           accuracy_cuts[last], choice->threads, lists, error));
    for (int v = 0; v < n; v++) {
        Accuracy accuracy;
        TRY(accuracy_measure(choice->comm, choice->users, choice->truth, &lists[v], &accuracy,
                             error));
        if (accuracy.ndcg[last] > choice->best) {
            choice->best = accuracy.ndcg[last];
            memcpy(best, weights + (int64_t)v * BLEND_PARTS_MAX, BLEND_PARTS_MAX * sizeof *best);
        }
    }
out:
    for (int v = 0; v < n; v++)
        top_lists_free(&lists[v]);
    mem_free(&lists);
    return status;
}

Status blend_choose(Comm *comm, const SparseSide *users, const SparseSide *truth, int threads,
                    Blend *blend, double *ndcg, Error *error)
{
    Status status;
    Choice choice = {.comm = comm, .users = users, .truth = truth, .threads = threads, .best = -1};
    double best[BLEND_PARTS_MAX] = {1}, *weights = NULL;
    TRY_ALL(comm, mark_wanted(&choice, error), error);
    for (int k = 0; k < blend->n; k++) {
        TRY(find_scale(&choice, &blend->parts[k], &blend->scales[k], error));
        blend->weights[k] = 1; /* each part is asked */
    }
    int n = list_shares(blend, &weights), at_once = variants_at_once(&choice);
    for (int v = 0; v < n; v += at_once)
        TRY(try_weights(&choice, blend, weights + (int64_t)v * BLEND_PARTS_MAX,
                        n - v < at_once ? n - v : at_once, best, error));
    for (int k = 0; k < blend->n; k++)
        blend->weights[k] = best[k];
    *ndcg = choice.best < 0 ? NAN : choice.best;
out:
    mem_free(&weights);
    mem_free(&choice.is_wanted);
    return status;
}
