/* Lists of the best items, against ranking all items of a user and going down. */
#include "recommend/top_lists.h"

#include "base/hash.h"
#include "base/memory.h"
#include "recommend/popular.h"
#include "sparse_model.h"
#include "suites.h"

#include <stdlib.h>

/* ---- a scorer made by hand ---- */

/* Few different scores, so that many are equal; some pairs have none. */
static float score_of(int64_t user, int64_t item)
{
    int64_t key[2] = {user, item};
    uint64_t noise = hash64(key, sizeof key);
    if (noise % 7 == 0 || user % 5 == 4)
        return noise % 14 == 0 ? NAN : SCORE_NONE;
    return (float)(noise % 1013) / 8 - 20;
}

typedef struct Hand {
    int32_t first_item, n_items; /* what it is ready for */
    int32_t prepared;
    int32_t fails_at; /* the preparation that fails on the last rank; 0: none */
    bool *wrong;      /* set if asked for items it was not made ready for */
} Hand;

static Status prepare_hand(Comm *comm, void *model, int32_t first_item, int32_t n_items,
                           Error *error)
{
    Hand *hand = model;
    Status own = STATUS_OK;
    if (n_items < 1 || first_item != hand->first_item + hand->n_items)
        *hand->wrong = true;
    hand->first_item = first_item;
    hand->n_items = n_items;
    if (++hand->prepared == hand->fails_at && comm_rank(comm) == comm_size(comm) - 1)
        own = error_set(error, STATUS_IO, __FILE__, __LINE__, "no more items");
    return comm_agree(comm, own, error);
}

static void score_hand(const void *model, const ScoreTile *tile, float *scores)
{
    const Hand *hand = model;
    if (tile->first_item != hand->first_item || tile->n_items != hand->n_items)
        *hand->wrong = true;
    for (int32_t u = 0; u < tile->n_users; u++) {
        for (int32_t i = 0; i < tile->n_items; i++)
            scores[(int64_t)u * tile->n_items + i] =
                score_of((int64_t)tile->users->first_row + tile->first_user + u,
                         (int64_t)tile->first_item + i);
    }
}

static Scorer hand_scorer(Hand *hand, bool tiled)
{
    return (Scorer){.name = "hand",
                    .model = hand,
                    .tiled = tiled,
                    .prepare = prepare_hand,
                    .score = score_hand};
}

/* ---- the lists by definition ---- */

typedef struct Ranked {
    float score;
    int32_t item;
} Ranked;

static int compare_ranked(const void *left, const void *right)
{
    const Ranked *a = left, *b = right;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return a->item < b->item ? -1 : 1;
}

/* line [n_items]: what the user has. ranked, members: workspaces [n_items + 1]. */
static int choose(int32_t user, const float *line, int32_t n_items, const TopRules *rules, int n,
                  Ranked *ranked, int *members)
{
    int length = 0;
    for (int32_t i = 0; i < n_items; i++) {
        float score = score_of(user, i);
        ranked[i] = (Ranked){isnan(score) ? SCORE_NONE : score, i};
        members[i] = 0;
    }
    qsort(ranked, (size_t)n_items, sizeof *ranked, compare_ranked);
    for (int32_t k = 0; k < n_items && length < n; k++) {
        int32_t item = ranked[k].item;
        int32_t category = rules->category ? rules->category[item] : -1;
        if (ranked[k].score == SCORE_NONE && !rules->fill_unscored)
            break;
        if ((rules->leave_out_owned && line[item] != 0) ||
            (rules->is_shown && !rules->is_shown[item]) ||
            (category >= 0 && members[category]++ >= rules->most_per_category))
            continue;
        ranked[length++] = ranked[k];
    }
    return length;
}

static void expect_lists(const SparseSide *users, const float *dense, const TopRules *rules,
                         const TopLists *lists)
{
    int32_t n_items = users->n_columns;
    Ranked *ranked = mem_new((int64_t)n_items + 1, sizeof *ranked);
    int *members = mem_new((int64_t)n_items + 1, sizeof *members);
    int64_t wrong = 0;
    CU_ASSERT_EQUAL(lists->n_users, sparse_own_rows(users));
    for (int32_t row = 0; row < lists->n_users; row++) {
        int32_t user = sparse_own_first(users) + row;
        int length = choose(user, dense + (int64_t)user * n_items, n_items, rules, lists->n, ranked,
                            members);
        for (int k = 0; k < lists->n; k++) {
            int64_t at = (int64_t)row * lists->n + k;
            bool has_item = k < length;
            wrong += lists->items[at] != (has_item ? ranked[k].item : -1);
            wrong += lists->scores[at] != (has_item ? ranked[k].score : SCORE_NONE);
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
    mem_free(&ranked);
    mem_free(&members);
}

/* ---- all rules on all shapes ---- */

static const SparseModel models[] = {
    {.n_partitions = 8, .users_most = 9, .n_items = 90, .items_most = 40, .seed = 1},
    {.n_partitions = 3, .users_most = 200, .n_items = 33, .items_most = 12, .seed = 2},
    {.n_partitions = 2,
     .users_most = 90,
     .n_items = 2 * TILE_ITEMS + 5,
     .items_most = 60,
     .seed = 3},
    {.n_partitions = 4, .users_most = 5, .n_items = 1, .items_most = 1, .seed = 4},
    {.n_partitions = 4, .users_most = 5, .n_items = 0, .items_most = 0, .seed = 5},
    {.n_partitions = 4, .users_most = 0, .n_items = 7, .items_most = 3, .seed = 6},
    {.n_partitions = 4, .users_most = 2, .n_items = 300, .items_most = 3, .seed = 7},
};
enum { N_MODELS = sizeof models / sizeof models[0], N_RULES = 16 };

typedef struct Case {
    SparseSide users;
    float *dense;
    bool *is_shown;
    int32_t *category;
} Case;

static void case_open(const SparseModel *model, Case *the)
{
    Error error = {0};
    int32_t n_users;
    the->dense = sparse_model_dense(model, &n_users);
    CU_ASSERT_EQUAL(sparse_model_users(rank_comm(), model, &the->users, &error), STATUS_OK);
    the->is_shown = mem_new(model->n_items, sizeof *the->is_shown);
    the->category = mem_new(model->n_items, sizeof *the->category);
    for (int32_t i = 0; i < model->n_items; i++) {
        the->is_shown[i] = i % 4 != 1;
        the->category[i] = (int32_t)((int64_t)i * i % 11 % 6) - (model->n_items == 33 ? 0 : 1);
    }
}

static void case_close(Case *the)
{
    sparse_side_free(&the->users);
    mem_free(&the->dense);
    mem_free(&the->is_shown);
    mem_free(&the->category);
}

/* Rule set `r`: one bit for each rule. */
static TopRules rules_of(const Case *the, int r)
{
    return (TopRules){.leave_out_owned = r & 1,
                      .is_shown = r & 2 ? the->is_shown : NULL,
                      .category = r & 4 ? the->category : NULL,
                      .most_per_category = 3,
                      .fill_unscored = r & 8};
}

static void check_lists(const Case *the, const TopRules *rules, bool tiled, int n, int threads)
{
    Error error = {0};
    TopLists lists = {0};
    bool wrong = false;
    Hand hand = {.wrong = &wrong};
    Scorer scorer = hand_scorer(&hand, tiled);
    int32_t n_items = the->users.n_columns;
    int32_t tiles = tiled ? (n_items + TILE_ITEMS - 1) / TILE_ITEMS : n_items > 0;
    CU_ASSERT_EQUAL(
        top_lists_make(rank_comm(), &the->users, &scorer, rules, n, threads, &lists, &error),
        STATUS_OK);
    CU_ASSERT_EQUAL(hand.prepared, tiles);
    CU_ASSERT_FALSE(wrong);
    CU_ASSERT_EQUAL(lists.n, n);
    expect_lists(&the->users, the->dense, rules, &lists);
    top_lists_free(&lists);
}

static void test_rules_and_shapes(void)
{
    for (int m = 0; m < N_MODELS; m++) {
        Case the = {0};
        case_open(&models[m], &the);
        for (int r = 0; r < N_RULES; r++) {
            TopRules rules = rules_of(&the, r);
            bool is_large = models[m].n_items > TILE_ITEMS;
            if (is_large && r % 8 != 7)
                continue;
            check_lists(&the, &rules, true, 20, 1);
            check_lists(&the, &rules, false, 20, 3);
            check_lists(&the, &rules, true, 1, 2);
            if (!is_large)
                check_lists(&the, &rules, false, 120, 1);
        }
        case_close(&the);
    }
}

static void test_failing_preparation(void)
{
    Comm *comm = rank_comm();
    Case the = {0};
    case_open(&models[2], &the);
    for (int32_t fails_at = 1; fails_at <= 3; fails_at++) {
        Error error = {0};
        TopLists lists = {0};
        bool wrong = false;
        Hand hand = {.fails_at = fails_at, .wrong = &wrong};
        Scorer scorer = hand_scorer(&hand, true);
        TopRules rules = rules_of(&the, 1);
        CU_ASSERT_EQUAL(top_lists_make(comm, &the.users, &scorer, &rules, 5, 1, &lists, &error),
                        STATUS_IO);
        CU_ASSERT_EQUAL(error.rank, comm_size(comm) - 1);
        CU_ASSERT_EQUAL(hand.prepared, fails_at);
        CU_ASSERT_PTR_NULL(lists.items);
    }
    case_close(&the);
}

/* ---- popular ---- */

static void test_popular(void)
{
    Comm *comm = rank_comm();
    for (int m = 0; m < N_MODELS; m++) {
        Case the = {0};
        Error error = {0};
        Popular model = {0};
        TopLists lists = {0};
        TopRules rules = {0};
        case_open(&models[m], &the);
        int32_t n_items = the.users.n_columns;
        CU_ASSERT_EQUAL(popular_learn(comm, &the.users, &model, &error), STATUS_OK);
        CU_ASSERT_EQUAL(model.n_items, n_items);
        Ranked *ranked = mem_new((int64_t)n_items + 20, sizeof *ranked);
        for (int32_t i = 0; i < n_items; i++) {
            ranked[i] = (Ranked){0, i};
            for (int64_t u = 0; u < the.users.n_rows; u++)
                ranked[i].score += the.dense[u * n_items + i] != 0;
            CU_ASSERT_EQUAL(model.score[i], ranked[i].score);
        }
        qsort(ranked, (size_t)n_items, sizeof *ranked, compare_ranked);
        Scorer scorer = popular_scorer(&model);
        CU_ASSERT_EQUAL(top_lists_make(comm, &the.users, &scorer, &rules, 20, 1, &lists, &error),
                        STATUS_OK);
        int64_t wrong = 0;
        for (int64_t at = 0; at < (int64_t)lists.n_users * 20; at++) {
            Ranked expected = ranked[at % 20]; /* past the items: zero */
            bool has_item = expected.score > 0;
            wrong += lists.items[at] != (has_item ? expected.item : -1);
            wrong += lists.scores[at] != (has_item ? expected.score : SCORE_NONE);
        }
        CU_ASSERT_EQUAL(wrong, 0);
        mem_free(&ranked);
        top_lists_free(&lists);
        popular_free(&model);
        case_close(&the);
    }
}

CU_TestInfo top_lists_tests[] = {{"every rule on every shape", test_rules_and_shapes},
                                 {"a model that cannot be made ready", test_failing_preparation},
                                 {"popular items", test_popular},
                                 CU_TEST_INFO_NULL};
