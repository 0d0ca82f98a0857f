/* ItemWeights: pruning, gathering, turning, and scores by them, against plain loops. */
#include "recommend/item_weights.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/random.h"
#include "sparse_model.h"
#include "suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- pruning ---- */

/* Whether a stands before b: greater by absolute value, or equal with a smaller column. */
static bool stands_before(ItemWeight a, ItemWeight b)
{
    float first = fabsf(a.value), second = fabsf(b.value);
    return first > second || (first == second && a.column < b.column);
}

/* Weights of few different sizes, both signs, columns in no order. */
static void draw_weights(uint64_t seed, int64_t n, ItemWeight *weights)
{
    Random random = random_stream(seed, (uint64_t)n);
    for (int64_t i = 0; i < n; i++)
        weights[i] = (ItemWeight){(int32_t)(3 * i), (float)(random_below(&random, 13) - 6) / 4};
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t k = random_below(&random, i + 1);
        ItemWeight moved = weights[i];
        weights[i] = weights[k];
        weights[k] = moved;
    }
}

/* Those that fewer than `keep` stand before are kept, by column, each once. */
static void check_prune(uint64_t seed, int64_t n, int64_t keep)
{
    ItemWeight *weights = mem_new(n, sizeof *weights), *before = mem_new(n, sizeof *before);
    draw_weights(seed, n, weights);
    memcpy(before, weights, (size_t)n * sizeof *weights);
    int64_t kept = item_weights_prune(weights, n, keep), wrong = 0, found = 0;
    CU_ASSERT_EQUAL(kept, n < keep ? n : keep);
    for (int64_t i = 0; i < n; i++) {
        int64_t ahead = 0, times = 0;
        for (int64_t k = 0; k < n; k++)
            ahead += stands_before(before[k], before[i]);
        for (int64_t k = 0; k < kept; k++)
            times += weights[k].column == before[i].column && weights[k].value == before[i].value;
        wrong += times != (ahead < keep);
        found += times;
    }
    for (int64_t k = 1; k < kept; k++)
        wrong += weights[k].column <= weights[k - 1].column;
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(found, kept);
    mem_free(&weights);
    mem_free(&before);
}

static void test_prune(void)
{
    static const int64_t sizes[] = {0, 1, 2, 3, 17, 100, 257};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (uint64_t seed = 1; seed < 6; seed++) {
            int64_t n = sizes[s];
            check_prune(seed, n, 0);
            check_prune(seed, n, 1);
            check_prune(seed, n, n / 3);
            check_prune(seed, n, n - (n > 0));
            check_prune(seed, n, n);
            check_prune(seed, n, n + 7);
        }
    }
}

/* ---- gathering ---- */

/* A matrix by hand, of any sign; `whole`: every weight is there, a 0 too. */
static bool weight_of(int32_t i, int32_t j, bool whole, float *value)
{
    int32_t key[2] = {i, j};
    uint64_t noise = hash64(key, sizeof key);
    *value = (float)(int64_t)(noise % 17) / 4 - 2;
    if (noise % 5 < 3 && !whole)
        *value = 0;
    return whole || *value != 0;
}

/* A matrix of the model's items on every rank, from each rank's rows. */
static void gather(const SparseSide *items, bool whole, ItemWeights *weights)
{
    Error error = {0};
    int32_t own = sparse_own_rows(items), first = sparse_own_first(items), n = items->n_rows;
    SparseRows rows = {.n_rows = own, .starts = mem_new((int64_t)own + 1, sizeof *rows.starts)};
    rows.columns = mem_new((int64_t)own * n, sizeof *rows.columns);
    rows.values = mem_new((int64_t)own * n, sizeof *rows.values);
    for (int32_t i = 0; i < own; i++) {
        int64_t at = rows.starts[i];
        for (int32_t j = 0; j < n; j++) {
            float value;
            if (!weight_of(first + i, j, whole, &value))
                continue;
            rows.columns[at] = j;
            rows.values[at++] = value;
        }
        rows.starts[i + 1] = at;
    }
    CU_ASSERT_EQUAL(item_weights_gather(rank_comm(), items, &rows, weights, &error), STATUS_OK);
    sparse_rows_free(&rows);
}

/* Entries that are not as weight_of has them. */
static int64_t count_differences(const ItemWeights *weights, bool whole, bool turned)
{
    int64_t wrong = 0, n = weights->n_items;
    for (int32_t i = 0; i < n; i++) {
        int64_t at = weights->starts[i];
        for (int32_t j = 0; j < n; j++) {
            float value;
            bool is_there =
                turned ? weight_of(j, i, whole, &value) : weight_of(i, j, whole, &value);
            wrong += item_weights_of(weights, i, j) != value;
            if (!is_there)
                continue;
            wrong += at >= weights->starts[i + 1] || weights->columns[at] != j ||
                     weights->values[at] != value;
            at++;
        }
        wrong += at != weights->starts[i + 1];
    }
    return wrong;
}

static const SparseModel models[] = {
    {.n_partitions = 16, .users_most = 12, .n_items = 43, .items_most = 20, .seed = 11},
    {.n_partitions = 2, .users_most = 4, .n_items = 2, .items_most = 2, .seed = 3},
    {.n_partitions = 4, .users_most = 3, .n_items = 0, .items_most = 0, .seed = 3},
    {.n_partitions = 4, .users_most = 0, .n_items = 9, .items_most = 5, .seed = 3},
};
enum { N_MODELS = sizeof models / sizeof models[0] };

typedef struct Case {
    SparseSide users, items;
    ItemWeights weights;
} Case;

static void case_open(const SparseModel *model, bool whole, Case *the)
{
    Comm *comm = rank_comm();
    Error error = {0};
    *the = (Case){0};
    CU_ASSERT_EQUAL(sparse_model_users(comm, model, &the->users, &error), STATUS_OK);
    CU_ASSERT_EQUAL(sparse_transpose(comm, &the->users, &the->items, &error), STATUS_OK);
    gather(&the->items, whole, &the->weights);
}

static void case_close(Case *the)
{
    item_weights_free(&the->weights);
    sparse_side_free(&the->users);
    sparse_side_free(&the->items);
}

static void test_gather_and_transpose(void)
{
    for (int m = 0; m < N_MODELS; m++) {
        for (int whole = 0; whole < 2; whole++) {
            Case the;
            Error error = {0};
            case_open(&models[m], whole, &the);
            CU_ASSERT_EQUAL(the.weights.n_items, models[m].n_items);
            CU_ASSERT_EQUAL(count_differences(&the.weights, whole, false), 0);
            CU_ASSERT_EQUAL(item_weights_transpose(&the.weights, &error), STATUS_OK);
            CU_ASSERT_EQUAL(count_differences(&the.weights, whole, true), 0);
            CU_ASSERT_EQUAL(item_weights_transpose(&the.weights, &error), STATUS_OK);
            CU_ASSERT_EQUAL(count_differences(&the.weights, whole, false), 0);
            case_close(&the);
        }
    }
}

/* ---- scores and reasons ---- */

/* The score of item j by the items of a row, in their order; SCORE_NONE if none leads to it. */
static float plain_score(const SparseRows *rows, int32_t row, int32_t j, bool whole)
{
    float score = SCORE_NONE;
    for (int64_t e = rows->starts[row]; e < rows->starts[row + 1]; e++) {
        float value;
        if (weight_of(rows->columns[e], j, whole, &value))
            score = (score == SCORE_NONE ? 0 : score) + rows->values[e] * value;
    }
    return score;
}

/* Users from `first` on, items from `item` on. */
static int64_t check_tile(const Scorer *scorer, const SparseRows *rows, int32_t partition,
                          int32_t first, int32_t item, int32_t n_items, bool whole)
{
    int64_t wrong = 0, n = rows->n_rows - first;
    float *scores = mem_new(n * n_items, sizeof *scores);
    ScoreTile tile = {.users = rows,
                      .partition = partition,
                      .first_user = first,
                      .n_users = (int32_t)n,
                      .first_item = item,
                      .n_items = n_items};
    scorer->score(scorer->model, &tile, scores);
    for (int32_t u = 0; u < n; u++) {
        for (int32_t j = 0; j < n_items; j++)
            wrong +=
                scores[(int64_t)u * n_items + j] != plain_score(rows, first + u, item + j, whole);
    }
    mem_free(&scores);
    return wrong;
}

/* Reasons of all items add up to the scores, on top of what was there. */
static int64_t check_reasons(const Scorer *scorer, const SparseRows *rows, int32_t row,
                             int32_t n_items, bool whole)
{
    enum { ASKED = 7 };
    int32_t asked[ASKED];
    int64_t wrong = 0, n = rows->starts[row + 1] - rows->starts[row];
    float *reasons = mem_new(ASKED * n, sizeof *reasons);
    ReasonQuery query = {.users = rows, .row = row, .n_items = ASKED, .items = asked};
    for (int k = 0; k < ASKED; k++)
        asked[k] = (n_items - 1) * k / (ASKED - 1);
    scorer->add_reasons(scorer->model, &query, 1, NULL, reasons);
    scorer->add_reasons(scorer->model, &query, -3, NULL, reasons);
    for (int k = 0; k < ASKED; k++) {
        double sum = 0, score = (double)plain_score(rows, row, asked[k], whole);
        for (int64_t i = 0; i < n; i++) {
            float value;
            int64_t e = rows->starts[row] + i;
            (void)weight_of(rows->columns[e], asked[k], whole, &value);
            wrong += reasons[k * n + i] != -2 * rows->values[e] * value;
            sum += (double)reasons[k * n + i];
        }
        wrong += isfinite(score) ? fabs(sum + 2 * score) > 1e-4 : sum != 0;
    }
    mem_free(&reasons);
    return wrong;
}

/* Of all items at once, and cut in three. */
static int64_t check_tiles(const Scorer *scorer, const SparseRows *rows, int32_t partition,
                           int32_t first, int32_t n_items, bool whole)
{
    int64_t wrong = check_tile(scorer, rows, partition, first, 0, n_items, whole);
    for (int32_t cut = 0; cut < 3; cut++) {
        int32_t begin = n_items * cut / 3, end = n_items * (cut + 1) / 3;
        wrong += check_tile(scorer, rows, partition, first, begin, end - begin, whole);
    }
    return wrong;
}

/* `kind` 0: sparse weights, 1: all of them, 2: sparse ones that are spread. */
static void test_scores_and_reasons(void)
{
    for (int m = 0; m < N_MODELS; m++) {
        for (int kind = 0; kind < 3; kind++) {
            Case the;
            Error error = {0};
            int64_t wrong = 0;
            int32_t n_items = models[m].n_items;
            bool whole = kind == 1;
            case_open(&models[m], whole, &the);
            if (kind == 2)
                CU_ASSERT_EQUAL(item_weights_spread(&the.weights, &error), STATUS_OK);
            Scorer scorer = item_weights_scorer("by hand", &the.weights);
            CU_ASSERT_STRING_EQUAL(scorer.name, "by hand");
            CU_ASSERT(scorer.tiled);
            CU_ASSERT_EQUAL(scorer.tile_items > 0, kind > 0 && n_items > 0);
            CU_ASSERT(scorer.prepare == NULL && scorer.prepare_reasons == NULL);
            for (int32_t p = 0; p < the.users.end - the.users.first; p++) {
                const SparseRows *rows = &the.users.own[p];
                for (int32_t r = 0; r < rows->n_rows; r++) {
                    wrong += check_tiles(&scorer, rows, p, r, n_items, whole);
                    if (n_items > 0)
                        wrong += check_reasons(&scorer, rows, r, n_items, whole);
                }
            }
            CU_ASSERT_EQUAL(wrong, 0);
            case_close(&the);
        }
    }
}

CU_TestInfo item_weights_tests[] = {{"the greatest are kept", test_prune},
                                    {"gather and transpose", test_gather_and_transpose},
                                    {"scores and reasons", test_scores_and_reasons},
                                    CU_TEST_INFO_NULL};
