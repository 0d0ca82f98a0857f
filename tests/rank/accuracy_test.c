/* Accuracy, against the definitions followed user by user, and by hand. */
#include "recommend/accuracy.h"

#include "base/hash.h"
#include "base/memory.h"
#include "sparse_model.h"
#include "suites.h"

#include <math.h>
#include <string.h>

/* ---- a truth and lists for the users of a model ---- */

typedef enum TruthKind { TRUTH_DRAWN, TRUTH_ALL, TRUTH_NOBODY, N_TRUTHS } TruthKind;

static uint64_t noise(int64_t a, int64_t b, int64_t c)
{
    int64_t key[3] = {a, b, c};
    return hash64(key, sizeof key);
}

/* A third of the users have none, the others from a few items to a third of all. */
static bool is_true(TruthKind kind, int32_t user, int32_t item)
{
    if (kind != TRUTH_DRAWN)
        return kind == TRUTH_ALL;
    return user % 3 != 0 && noise(user, item, 1) % (uint64_t)(3 + user % 40) == 0;
}

/* A side of the shape of `users` with what is_true. Collective. */
static void make_truth(const SparseSide *users, TruthKind kind, SparseSide *truth)
{
    Error error = {0};
    *truth = (SparseSide){.n_columns = users->n_columns,
                          .n_partitions = users->n_partitions,
                          .first = users->first,
                          .end = users->end};
    truth->own = mem_new(users->end - users->first, sizeof *truth->own);
    for (int32_t p = 0; p < users->end - users->first; p++) {
        SparseRows *rows = &truth->own[p];
        int64_t most = (int64_t)users->own[p].n_rows * users->n_columns, at = 0;
        rows->n_rows = users->own[p].n_rows;
        rows->starts = mem_new((int64_t)rows->n_rows + 1, sizeof *rows->starts);
        rows->columns = mem_new(most, sizeof *rows->columns);
        rows->values = mem_new(most, sizeof *rows->values);
        for (int32_t row = 0; row < rows->n_rows; row++) {
            for (int32_t i = 0; i < users->n_columns; i++) {
                if (!is_true(kind, users->own[p].first_row + row, i))
                    continue;
                rows->columns[at] = i;
                rows->values[at++] = 1;
            }
            rows->starts[row + 1] = at;
        }
    }
    CU_ASSERT_EQUAL(sparse_side_complete(rank_comm(), truth, &error), STATUS_OK);
}

/* Item at place k of a user's list, -1 past its end. n_items is 0 or a prime above 2, so that the
 * steps meet each item once. */
static int32_t listed(int32_t user, int k, int32_t n_items)
{
    int64_t length = user % 4 == 1 ? (int64_t)(noise(user, 0, 2) % 24) : n_items;
    if (k >= length || k >= n_items)
        return -1;
    int64_t step = 1 + (int64_t)(noise(user, 0, 3) % (uint64_t)(n_items - 1));
    return (int32_t)((user + step * k) % n_items);
}

static void make_lists(const SparseSide *users, int n, TopLists *lists)
{
    *lists = (TopLists){.n_users = sparse_own_rows(users), .n = n};
    lists->items = mem_new((int64_t)lists->n_users * n, sizeof *lists->items);
    lists->scores = mem_new((int64_t)lists->n_users * n, sizeof *lists->scores);
    for (int32_t row = 0; row < lists->n_users; row++) {
        for (int k = 0; k < n; k++)
            lists->items[(int64_t)row * n + k] =
                listed(sparse_own_first(users) + row, k, users->n_columns);
    }
}

/* ---- by definition ---- */

typedef struct Reference {
    const float *train; /* [users x n_items] */
    int32_t n_users, n_items;
    TruthKind kind;
    int cut;
    double sums[5]; /* recall, ndcg, map, hits, surprise */
    int64_t listed;
    bool *covered; /* [n_items] */
} Reference;

static double share_surprise(const Reference *the, int32_t item)
{
    int64_t owners = 0, users = 0;
    for (int32_t u = 0; u < the->n_users; u++) {
        const float *line = the->train + (int64_t)u * the->n_items;
        bool has_any = false;
        for (int32_t i = 0; i < the->n_items; i++)
            has_any = has_any || line[i] != 0;
        users += has_any;
        owners += line[item] != 0;
    }
    return users == 0 ? NAN : log2((double)users) - log2((double)(owners > 0 ? owners : 1));
}

/* surprise [n_items]; sums [5] += what the user adds. */
static void add_user(Reference *the, int32_t user, const double *surprise, double *sums)
{
    int truths = 0, hits = 0;
    double gain = 0, ideal = 0, precisions = 0, strange = 0;
    for (int32_t i = 0; i < the->n_items; i++)
        truths += is_true(the->kind, user, i);
    for (int k = 0; k < the->cut; k++) {
        int32_t item = listed(user, k, the->n_items);
        double discount = 1 / log2(2.0 + k);
        ideal += k < truths ? discount : 0;
        if (item < 0)
            continue;
        the->covered[item] = true;
        the->listed++;
        strange += surprise[item];
        if (is_true(the->kind, user, item)) {
            gain += discount;
            precisions += (double)++hits / (k + 1);
        }
    }
    sums[0] += (double)hits / truths;
    sums[1] += gain / ideal;
    sums[2] += precisions / (truths < the->cut ? truths : the->cut);
    sums[3] += hits > 0;
    sums[4] += strange;
}

static bool has_truth(const Reference *the, int32_t user)
{
    for (int32_t i = 0; i < the->n_items; i++) {
        if (is_true(the->kind, user, i))
            return true;
    }
    return false;
}

/* Sums by partition, added up in their order; returns the number of users measured. */
static int64_t follow(Reference *the, const SparseSide *users)
{
    int64_t measured = 0;
    double *surprise = mem_new(the->n_items, sizeof *surprise);
    for (int32_t i = 0; i < the->n_items; i++)
        surprise[i] = share_surprise(the, i);
    for (int32_t p = 0; p < users->n_partitions; p++) {
        double sums[5] = {0};
        for (int32_t user = users->bases[p]; user < users->bases[p + 1]; user++) {
            if (!has_truth(the, user))
                continue;
            measured++;
            add_user(the, user, surprise, sums);
        }
        for (int s = 0; s < 5; s++)
            the->sums[s] += sums[s];
    }
    mem_free(&surprise);
    return measured;
}

/* The same bits, or both no number. */
static bool is_same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

static void expect_accuracy(const SparseSide *users, const float *dense, TruthKind kind,
                            const Accuracy *accuracy)
{
    for (int c = 0; c < ACCURACY_CUTS; c++) {
        Reference the = {.train = dense,
                         .n_users = users->n_rows,
                         .n_items = users->n_columns,
                         .kind = kind,
                         .cut = c == 0 ? 10 : 20};
        the.covered = mem_new(the.n_items, sizeof *the.covered);
        int64_t covered = 0;
        int64_t n = follow(&the, users);
        for (int32_t i = 0; i < the.n_items; i++)
            covered += the.covered[i];
        CU_ASSERT_EQUAL(accuracy->users, n);
        CU_ASSERT(is_same(accuracy->recall[c], the.sums[0] / (double)n));
        CU_ASSERT(is_same(accuracy->ndcg[c], the.sums[1] / (double)n));
        CU_ASSERT(is_same(accuracy->map[c], the.sums[2] / (double)n));
        CU_ASSERT(is_same(accuracy->hit_rate[c], the.sums[3] / (double)n));
        CU_ASSERT(is_same(accuracy->novelty[c], the.sums[4] / (double)the.listed));
        CU_ASSERT(is_same(accuracy->coverage[c], (double)covered / the.n_items));
        mem_free(&the.covered);
    }
}

static const SparseModel models[] = {
    {.n_partitions = 16, .users_most = 9, .n_items = 211, .items_most = 30, .seed = 1},
    {.n_partitions = 5, .users_most = 30, .n_items = 13, .items_most = 12, .seed = 2},
    {.n_partitions = 4, .users_most = 8, .n_items = 23, .items_most = 0, .seed = 3},
    {.n_partitions = 4, .users_most = 5, .n_items = 0, .items_most = 0, .seed = 4},
    {.n_partitions = 4, .users_most = 0, .n_items = 7, .items_most = 3, .seed = 5},
};
enum { N_MODELS = sizeof models / sizeof models[0] };

static void test_by_definition(void)
{
    Comm *comm = rank_comm();
    for (int m = 0; m < N_MODELS; m++) {
        Error error = {0};
        SparseSide users = {0};
        int32_t n_users;
        float *dense = sparse_model_dense(&models[m], &n_users);
        CU_ASSERT_EQUAL(sparse_model_users(comm, &models[m], &users, &error), STATUS_OK);
        for (TruthKind kind = 0; kind < N_TRUTHS; kind++) {
            SparseSide truth = {0};
            TopLists lists = {0};
            Accuracy accuracy = {0};
            make_truth(&users, kind, &truth);
            make_lists(&users, kind == TRUTH_ALL ? 20 : 25, &lists);
            CU_ASSERT_EQUAL(accuracy_measure(comm, &users, &truth, &lists, &accuracy, &error),
                            STATUS_OK);
            expect_accuracy(&users, dense, kind, &accuracy);
            top_lists_free(&lists);
            sparse_side_free(&truth);
        }
        sparse_side_free(&users);
        mem_free(&dense);
    }
}

/* ---- by hand ---- */

enum { HAND_ITEMS = 40, HAND_USERS = 4 };

/* One partition of four users, on the last rank; columns [starts[4]]. Collective. */
static void hand_side(const int64_t *starts, const int32_t *columns, SparseSide *side)
{
    Comm *comm = rank_comm();
    Error error = {0};
    bool is_last = comm_rank(comm) == comm_size(comm) - 1;
    *side = (SparseSide){
        .n_columns = HAND_ITEMS, .n_partitions = 1, .first = 0, .end = is_last ? 1 : 0};
    side->own = mem_new(1, sizeof *side->own);
    if (is_last) {
        SparseRows *rows = &side->own[0];
        rows->n_rows = HAND_USERS;
        rows->starts = mem_new(HAND_USERS + 1, sizeof *rows->starts);
        rows->columns = mem_new(starts[HAND_USERS], sizeof *rows->columns);
        rows->values = mem_new(starts[HAND_USERS], sizeof *rows->values);
        memcpy(rows->starts, starts, (HAND_USERS + 1) * sizeof *starts);
        memcpy(rows->columns, columns, (size_t)starts[HAND_USERS] * sizeof *columns);
        for (int64_t e = 0; e < starts[HAND_USERS]; e++)
            rows->values[e] = 1;
    }
    CU_ASSERT_EQUAL(sparse_side_complete(comm, side, &error), STATUS_OK);
}

/* Everyone is shown items 0 to 19 in order. The first user took items 0, 2, 15 and 30, the second
 * item 35, the third nothing; the fourth all but what is shown to them last. */
static void test_by_hand(void)
{
    Comm *comm = rank_comm();
    Error error = {0};
    SparseSide users = {0}, truth = {0};
    Accuracy accuracy = {0};
    /* All four have item 0, two item 1, one item 2; nobody the others. */
    static const int64_t train_starts[] = {0, 3, 5, 6, 7};
    static const int32_t train_columns[] = {0, 1, 2, 0, 1, 0, 0};
    static const int64_t truth_starts[] = {0, 4, 5, 5, 5 + 39};
    int32_t truth_columns[5 + 39] = {0, 2, 15, 30, 35};
    for (int32_t i = 0; i < 39; i++)
        truth_columns[5 + i] = i < 19 ? i : i + 1;
    hand_side(train_starts, train_columns, &users);
    hand_side(truth_starts, truth_columns, &truth);
    TopLists lists = {.n_users = sparse_own_rows(&users), .n = 20};
    lists.items = mem_new((int64_t)lists.n_users * 20, sizeof *lists.items);
    lists.scores = mem_new((int64_t)lists.n_users * 20, sizeof *lists.scores);
    for (int32_t at = 0; at < lists.n_users * 20; at++)
        lists.items[at] = at % 20;
    CU_ASSERT_EQUAL(accuracy_measure(comm, &users, &truth, &lists, &accuracy, &error), STATUS_OK);
    double ideal_four = 1 + 1 / log2(3) + 1. / 2 + 1 / log2(5), ideal_twenty = 0;
    for (int place = 1; place <= 20; place++)
        ideal_twenty += 1 / log2(1 + place);
    CU_ASSERT_EQUAL(accuracy.users, 3);
    CU_ASSERT_DOUBLE_EQUAL(accuracy.recall[0], (2. / 4 + 0 + 10. / 39) / 3, 1e-14);
    CU_ASSERT_DOUBLE_EQUAL(accuracy.recall[1], (3. / 4 + 0 + 19. / 39) / 3, 1e-14);
    CU_ASSERT_DOUBLE_EQUAL(accuracy.ndcg[0], (1.5 / ideal_four + 0 + 1) / 3, 1e-14);
    CU_ASSERT_DOUBLE_EQUAL(
        accuracy.ndcg[1],
        ((1.5 + 1 / log2(17)) / ideal_four + 0 + (ideal_twenty - 1 / log2(21)) / ideal_twenty) / 3,
        1e-14);
    CU_ASSERT_DOUBLE_EQUAL(accuracy.map[0], ((1 + 2. / 3) / 4 + 0 + 1) / 3, 1e-14);
    CU_ASSERT_DOUBLE_EQUAL(accuracy.map[1], ((1 + 2. / 3 + 3. / 16) / 4 + 0 + 19. / 20) / 3, 1e-14);
    CU_ASSERT_DOUBLE_EQUAL(accuracy.hit_rate[0], 2. / 3, 1e-14);
    CU_ASSERT_DOUBLE_EQUAL(accuracy.hit_rate[1], 2. / 3, 1e-14);
    CU_ASSERT_DOUBLE_EQUAL(accuracy.coverage[0], 10. / 40, 1e-14);
    CU_ASSERT_DOUBLE_EQUAL(accuracy.coverage[1], 20. / 40, 1e-14);
    /* Bits of 4, 2 and 1 of 4 users: 0, 1 and 2; items that nobody has count 2. */
    CU_ASSERT_DOUBLE_EQUAL(accuracy.novelty[0], (0 + 1 + 2 + 7 * 2) / 10., 1e-14);
    CU_ASSERT_DOUBLE_EQUAL(accuracy.novelty[1], (0 + 1 + 2 + 17 * 2) / 20., 1e-14);
    top_lists_free(&lists);
    sparse_side_free(&users);
    sparse_side_free(&truth);
}

CU_TestInfo accuracy_tests[] = {{"by definition, to the last bit", test_by_definition},
                                {"by hand", test_by_hand},
                                CU_TEST_INFO_NULL};
