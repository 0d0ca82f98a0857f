/* Blend: weights against trying all of them on the dense matrix, and scores and reasons against the
 * sums of its parts'. */
#include "recommend/blend.h"

#include "base/hash.h"
#include "base/memory.h"
#include "recommend/accuracy.h"
#include "sparse_model.h"
#include "suites.h"

#include <math.h>
#include <string.h>

/* ---- parts by hand ---- */

enum { USERS = 70, ITEMS = 60, LISTED = 20 };

/* Noise, in part knowledge of the truth. */
typedef struct Part {
    const float *truth; /* [USERS x ITEMS] */
    int64_t seed;
    double knows;  /* 0: nothing, 1: all */
    float unit;    /* of its scores */
    int silent;    /* of a hundred pairs it has nothing to say */
    int prepared;  /* times */
    int explained; /* times made ready for reasons */
    int fails_at;  /* the preparation that fails on the last rank; 0: none */
} Part;

/* Multiples of 2^-10 of the unit, so that sums of them are exact. */
static float score_of(const Part *part, int64_t user, int64_t item)
{
    int64_t key[3] = {user, item, part->seed};
    uint64_t noise = hash64(key, sizeof key);
    if ((int)(noise % 100) < part->silent)
        return SCORE_NONE;
    double right = part->truth[user * ITEMS + item] > 0;
    double mixed = part->knows * right + (1 - part->knows) * (double)(noise % 1009) / 1009;
    return (float)floor(mixed * 1024) / 1024 * part->unit;
}

static Status prepare_part(Comm *comm, void *model, int32_t first_item, int32_t n_items,
                           Error *error)
{
    Part *part = model;
    Status own = STATUS_OK;
    CU_ASSERT_EQUAL(first_item, 0);
    CU_ASSERT_EQUAL(n_items, ITEMS);
    if (++part->prepared == part->fails_at && comm_rank(comm) == comm_size(comm) - 1)
        own = error_set(error, STATUS_IO, __FILE__, __LINE__, "no more items");
    return comm_agree(comm, own, error);
}

static void score_part(const void *model, const ScoreTile *tile, float *scores)
{
    for (int32_t u = 0; u < tile->n_users; u++) {
        for (int32_t i = 0; i < tile->n_items; i++)
            scores[u * tile->n_items + i] =
                score_of(model, (int64_t)tile->users->first_row + tile->first_user + u,
                         (int64_t)tile->first_item + i);
    }
}

static Status prepare_reasons_part(Comm *comm, void *model, const int32_t *numbers, int64_t n,
                                   Error *error)
{
    Part *part = model;
    (void)comm, (void)numbers, (void)n, (void)error;
    part->explained++;
    return STATUS_OK;
}

static void add_reasons_part(const void *model, const ReasonQuery *query, float weight,
                             float *spare, float *reasons)
{
    const Part *part = model;
    int64_t begin = query->users->starts[query->row];
    int64_t n = query->users->starts[query->row + 1] - begin;
    CU_ASSERT_PTR_NOT_NULL(spare);
    for (int k = 0; k < query->n_items; k++) {
        for (int64_t e = 0; e < n; e++)
            reasons[k * n + e] +=
                weight * part->unit * (float)(query->users->columns[begin + e] + query->items[k]);
    }
}

static Scorer part_scorer(Part *part)
{
    return (Scorer){.name = "part",
                    .model = part,
                    .tiled = true,
                    .prepare = prepare_part,
                    .score = score_part,
                    .prepare_reasons = prepare_reasons_part,
                    .add_reasons = add_reasons_part,
                    .reason_floats = 8};
}

/* ---- the data ---- */

typedef struct Data {
    float train[USERS * ITEMS], truth[USERS * ITEMS];
    SparseSide users, truth_side;
} Data;

/* Every user has some; two in three took some more, or, if not `measured`, nobody. */
static void data_open(bool measured, Data *data)
{
    Comm *comm = rank_comm();
    Error error = {0};
    memset(data, 0, sizeof *data);
    for (int32_t u = 0; u < USERS; u++) {
        for (int32_t i = 0; i < ITEMS; i++) {
            int32_t key[2] = {u, i};
            uint64_t noise = hash64(key, sizeof key) % 97;
            data->train[u * ITEMS + i] = noise < 9;
            data->truth[u * ITEMS + i] = measured && noise >= 9 && noise < 14 && u % 3 > 0;
        }
    }
    CU_ASSERT_EQUAL(sparse_model_of_dense(comm, data->train, USERS, ITEMS, 8, &data->users, &error),
                    STATUS_OK);
    CU_ASSERT_EQUAL(
        sparse_model_of_dense(comm, data->truth, USERS, ITEMS, 8, &data->truth_side, &error),
        STATUS_OK);
}

static void data_close(Data *data)
{
    sparse_side_free(&data->users);
    sparse_side_free(&data->truth_side);
}

/* ---- all weights, tried on the dense matrix ---- */

static bool has_truth(const Data *data, int32_t user)
{
    float sum = 0;
    for (int32_t i = 0; i < ITEMS; i++)
        sum += data->truth[user * ITEMS + i];
    return sum > 0;
}

static double plain_scale(const Data *data, const Part *part)
{
    double sum = 0, n = 0;
    for (int32_t u = 0; u < USERS; u++) {
        float best = SCORE_NONE;
        for (int32_t i = 0; i < ITEMS && has_truth(data, u); i++) {
            if (data->train[u * ITEMS + i] == 0)
                best = fmaxf(best, score_of(part, u, i));
        }
        if (best == SCORE_NONE)
            continue;
        sum += (double)best;
        n++;
    }
    return n > 0 && sum > 0 ? sum / n : 1;
}

/* The blend's score by its definition. */
static float plain_score(const Part *parts, const Blend *blend, int64_t user, int64_t item)
{
    float sum = SCORE_NONE;
    for (int k = 0; k < blend->n; k++) {
        float score = score_of(&parts[k], user, item);
        if (blend->weights[k] == 0 || score == SCORE_NONE)
            continue;
        sum = (sum == SCORE_NONE ? 0 : sum) + (float)(blend->weights[k] / blend->scales[k]) * score;
    }
    return sum;
}

/* NDCG at LISTED of one user; an item's place is the number of those that stand before it. */
static double ndcg_of(const Data *data, const Part *parts, const Blend *blend, int32_t user)
{
    float scores[ITEMS];
    double gain = 0, ideal = 0;
    int n_truth = 0;
    for (int32_t i = 0; i < ITEMS; i++)
        scores[i] = plain_score(parts, blend, user, i);
    for (int32_t i = 0; i < ITEMS; i++) {
        int place = 1;
        if (data->truth[user * ITEMS + i] == 0)
            continue;
        for (int32_t j = 0; j < ITEMS; j++)
            place += data->train[user * ITEMS + j] == 0 &&
                     (scores[j] > scores[i] || (scores[j] == scores[i] && j < i));
        if (place <= LISTED)
            gain += 1 / log2(1 + place);
        if (++n_truth <= LISTED)
            ideal += 1 / log2(1 + n_truth);
    }
    return gain / ideal;
}

static double plain_ndcg(const Data *data, const Part *parts, const Blend *blend)
{
    double sum = 0, n = 0;
    for (int32_t u = 0; u < USERS; u++) {
        if (!has_truth(data, u))
            continue;
        sum += ndcg_of(data, parts, blend, u);
        n++;
    }
    return sum / n;
}

/* Try all ways to share BLEND_STEPS out, with more on earlier parts first; `rest` is left for part
 * k and those behind it. Returns how many there were. */
static int try_all(const Data *data, const Part *parts, Blend *blend, int k, int rest, double *best,
                   double *weights)
{
    int n = 0;
    for (int share = rest; share >= 0; share--) {
        if (k == blend->n - 1 && share < rest)
            break;
        blend->weights[k] = (double)share / BLEND_STEPS;
        if (k < blend->n - 1) {
            n += try_all(data, parts, blend, k + 1, rest - share, best, weights);
            continue;
        }
        double ndcg = plain_ndcg(data, parts, blend);
        n++;
        if (ndcg > *best + 1e-12) {
            *best = ndcg;
            memcpy(weights, blend->weights, sizeof blend->weights);
        }
    }
    return n;
}

static Blend blend_of(Part *parts, int n)
{
    Blend blend = {.n = n};
    for (int k = 0; k < n; k++)
        blend.parts[k] = part_scorer(&parts[k]);
    return blend;
}

/* The weights that are chosen are the best of all, which are all tried. */
static void check_choice(const Part *like, int n, double *weights)
{
    static const int ways[BLEND_PARTS_MAX + 1] = {0, 1, 5, 15, 35};
    Data data;
    Part parts[BLEND_PARTS_MAX];
    Error error = {0};
    double best = -1, ndcg = 0, wanted[BLEND_PARTS_MAX] = {0};
    data_open(true, &data);
    for (int k = 0; k < n; k++) {
        parts[k] = like[k];
        parts[k].truth = data.truth;
    }
    Blend blend = blend_of(parts, n), plain = blend;
    for (int k = 0; k < n; k++)
        plain.scales[k] = plain_scale(&data, &parts[k]);
    CU_ASSERT_EQUAL(try_all(&data, parts, &plain, 0, BLEND_STEPS, &best, wanted), ways[n]);
    CU_ASSERT_EQUAL(
        blend_choose(rank_comm(), &data.users, &data.truth_side, 2, &blend, &ndcg, &error),
        STATUS_OK);
    CU_ASSERT_DOUBLE_EQUAL(ndcg, best, 1e-12);
    for (int k = 0; k < n; k++) {
        CU_ASSERT_EQUAL(blend.weights[k], wanted[k]);
        CU_ASSERT_DOUBLE_EQUAL(blend.scales[k], plain.scales[k], 1e-12 * plain.scales[k]);
        CU_ASSERT_EQUAL(parts[k].prepared, 2); /* for its scale, and for all ways at once */
        weights[k] = blend.weights[k];
    }
    data_close(&data);
}

static const Part right = {.seed = 3, .knows = 1, .unit = 1};
static const Part noise = {.seed = 5, .knows = 0, .unit = 64};

static void test_right_and_noise(void)
{
    double weights[BLEND_PARTS_MAX];
    Part parts[BLEND_PARTS_MAX] = {right, noise, right, noise};
    check_choice(parts, 2, weights);
    CU_ASSERT(weights[0] == 1 && weights[1] == 0);
    check_choice(parts, 4, weights); /* the first of the equal ones */
    CU_ASSERT(weights[0] == 1 && weights[2] == 0);
    parts[0] = noise;
    parts[1] = noise;
    check_choice(parts, 3, weights);
    CU_ASSERT(weights[2] >= .5);
    check_choice(parts, 1, weights);
    CU_ASSERT_EQUAL(weights[0], 1);
}

/* Parts that each know a little: no part alone is best. */
static void test_all_ways_are_tried(void)
{
    double weights[BLEND_PARTS_MAX];
    const Part parts[] = {{.seed = 7, .knows = .3, .unit = .25F},
                          {.seed = 11, .knows = .3, .unit = 8, .silent = 5},
                          {.seed = 13, .knows = .15, .unit = 1},
                          {.seed = 17, .knows = .18, .unit = 512, .silent = 60}};
    check_choice(parts, 2, weights);
    CU_ASSERT(weights[0] < 1 && weights[1] < 1);
    check_choice(parts + 1, 3, weights);
    check_choice(parts, 4, weights);
}

static void test_silent_parts(void)
{
    double weights[BLEND_PARTS_MAX];
    Part parts[] = {right, right};
    parts[0].silent = 100; /* has nothing to say of anything: its scale is 1 */
    check_choice(parts, 2, weights);
    CU_ASSERT(weights[1] > 0);
}

static void test_no_truth(void)
{
    Data data;
    Error error = {0};
    double ndcg = 0;
    data_open(false, &data);
    Part parts[] = {noise, right, noise};
    for (int k = 0; k < 3; k++)
        parts[k].truth = data.truth;
    Blend blend = blend_of(parts, 3);
    CU_ASSERT_EQUAL(
        blend_choose(rank_comm(), &data.users, &data.truth_side, 1, &blend, &ndcg, &error),
        STATUS_OK);
    CU_ASSERT(isnan(ndcg));
    CU_ASSERT(blend.weights[0] == 1 && blend.weights[1] == 0 && blend.weights[2] == 0);
    for (int k = 0; k < 3; k++)
        CU_ASSERT_EQUAL(blend.scales[k], 1);
    data_close(&data);
}

/* A part that cannot be made ready ends it on all ranks, while scales are found and later. */
static void test_failing_part(void)
{
    Data data;
    data_open(true, &data);
    for (int fails_at = 1; fails_at <= 2; fails_at++) {
        Error error = {0};
        double ndcg = 0;
        Part parts[] = {right, noise};
        parts[0].truth = parts[1].truth = data.truth;
        parts[1].fails_at = fails_at;
        Blend blend = blend_of(parts, 2);
        CU_ASSERT_EQUAL(
            blend_choose(rank_comm(), &data.users, &data.truth_side, 1, &blend, &ndcg, &error),
            STATUS_IO);
        CU_ASSERT_EQUAL(error.rank, comm_size(rank_comm()) - 1);
    }
    data_close(&data);
}

/* ---- scores and reasons ---- */

static const Part three[] = {{.seed = 7, .knows = .3, .unit = 2, .silent = 30},
                             {.seed = 11, .knows = .2, .unit = 8, .silent = 40},
                             {.seed = 13, .knows = 0, .unit = 1, .silent = 0}};

/* The third has no weight: it must not be asked at all. */
static Blend blend_by_hand(Part *parts)
{
    Blend blend = blend_of(parts, 3);
    blend.parts[2] = (Scorer){.name = "not to be asked", .reason_floats = 1000};
    blend.weights[0] = .75;
    blend.weights[1] = .25;
    for (int k = 0; k < 3; k++)
        blend.scales[k] = 1.5 + k;
    return blend;
}

static void test_scores(void)
{
    Data data;
    Part parts[3];
    Error error = {0};
    int64_t wrong = 0, silent = 0;
    float scores[TILE_USERS * ITEMS], spare[TILE_USERS * ITEMS];
    data_open(true, &data);
    for (int k = 0; k < 3; k++) {
        parts[k] = three[k];
        parts[k].truth = data.truth;
    }
    Blend blend = blend_by_hand(parts);
    Scorer scorer = blend_scorer(&blend);
    CU_ASSERT_STRING_EQUAL(scorer.name, "blend");
    CU_ASSERT(scorer.tiled);
    CU_ASSERT_EQUAL(scorer.prepare(rank_comm(), scorer.model, 0, ITEMS, &error), STATUS_OK);
    CU_ASSERT(parts[0].prepared == 1 && parts[1].prepared == 1);
    for (int32_t p = 0; p < data.users.end - data.users.first; p++) {
        const SparseRows *rows = &data.users.own[p];
        ScoreTile tile = {.users = rows,
                          .partition = p,
                          .n_users = rows->n_rows,
                          .n_items = ITEMS,
                          .spare = spare};
        scorer.score(scorer.model, &tile, scores);
        for (int32_t at = 0; at < rows->n_rows * ITEMS; at++) {
            float wanted = plain_score(parts, &blend, rows->first_row + at / ITEMS, at % ITEMS);
            wrong += scores[at] != wanted;
            silent += wanted == SCORE_NONE;
        }
    }
    comm_sum_i64(rank_comm(), &silent, 1);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(silent > 0);
    blend.parts[0].tiled = false;
    CU_ASSERT_FALSE(blend_scorer(&blend).tiled);
    data_close(&data);
}

/* What the parts with reasons of their own add, weighted as the scores are. */
static int64_t check_reasons(const Scorer *scorer, const SparseRows *rows, int32_t row,
                             double of_first)
{
    static const int32_t asked[] = {4, 0, 59};
    float spare[8];
    int64_t wrong = 0, begin = rows->starts[row], n = rows->starts[row + 1] - begin;
    float *reasons = mem_new(3 * n, sizeof *reasons);
    ReasonQuery query = {.users = rows, .row = row, .n_items = 3, .items = asked};
    scorer->add_reasons(scorer->model, &query, 2, spare, reasons);
    for (int k = 0; k < 3; k++) {
        for (int64_t e = 0; e < n; e++) {
            double pair = rows->columns[begin + e] + asked[k];
            double wanted = 2 * pair * (of_first + .25 / 2.5 * 8);
            wrong += fabs((double)reasons[k * n + e] - wanted) > 1e-4;
        }
    }
    mem_free(&reasons);
    return wrong;
}

static void test_reasons(void)
{
    Data data;
    Part parts[3] = {three[0], three[1], three[2]};
    Error error = {0};
    data_open(true, &data);
    for (int has_reasons = 0; has_reasons < 2; has_reasons++) {
        int64_t wrong = 0;
        Blend blend = blend_by_hand(parts);
        if (!has_reasons)
            blend.parts[0].add_reasons = NULL;
        blend.parts[0].reason_floats = 100;
        Scorer scorer = blend_scorer(&blend);
        CU_ASSERT_EQUAL(scorer.reason_floats, has_reasons ? 100 : 8);
        CU_ASSERT_EQUAL(scorer.prepare_reasons(rank_comm(), scorer.model, NULL, 0, &error),
                        STATUS_OK);
        CU_ASSERT_EQUAL(parts[0].explained, has_reasons);
        CU_ASSERT_EQUAL(parts[1].explained, 1 + has_reasons);
        for (int32_t p = 0; p < data.users.end - data.users.first; p++) {
            for (int32_t r = 0; r < data.users.own[p].n_rows; r++)
                wrong +=
                    check_reasons(&scorer, &data.users.own[p], r, has_reasons ? .75 / 1.5 * 2 : 0);
        }
        CU_ASSERT_EQUAL(wrong, 0);
    }
    data_close(&data);
}

CU_TestInfo blend_tests[] = {{"one is right, one noise", test_right_and_noise},
                             {"all ways are tried", test_all_ways_are_tried},
                             {"nothing to say", test_silent_parts},
                             {"no truth", test_no_truth},
                             {"a part that fails", test_failing_part},
                             {"scores are the weighted sum", test_scores},
                             {"reasons are the weighted sum", test_reasons},
                             CU_TEST_INFO_NULL};
