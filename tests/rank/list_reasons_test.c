/* Reasons of ials within any memory: the same bits as with all factors there; each the strongest of
 * what als_explain_row tells, and none that may not be named. */
#include "recommend/list_reasons.h"

#include "base/memory.h"
#include "recommend/ials.h"
#include "sparse_model.h"
#include "suites.h"

#include <math.h>
#include <string.h>

enum { LISTED = 6 };

static const SparseModel shop = {
    .n_partitions = 16, .users_most = 12, .n_items = 50, .items_most = 20, .seed = 11};

typedef struct Case {
    SparseSide users, items;
    Ials model;
    Scorer scorer;
    TopLists lists;
} Case;

static void case_open(const SparseModel *data, Case *the)
{
    Comm *comm = rank_comm();
    Error error = {0};
    IalsOptions options = {.factors = 8,
                           .iterations = 3,
                           .unobserved = .3,
                           .lambda = .01,
                           .nu = 1,
                           .deviation = .1,
                           .seed = 5,
                           .threads = 1};
    TopRules rules = {.leave_out_owned = true};
    memset(the, 0, sizeof *the);
    CU_ASSERT_EQUAL(sparse_model_users(comm, data, &the->users, &error), STATUS_OK);
    CU_ASSERT_EQUAL(sparse_transpose(comm, &the->users, &the->items, &error), STATUS_OK);
    CU_ASSERT_EQUAL(ials_learn(comm, &the->users, &the->items, &options, &the->model, &error),
                    STATUS_OK);
    the->scorer = ials_scorer(&the->model);
    CU_ASSERT_EQUAL(
        top_lists_make(comm, &the->users, &the->scorer, &rules, LISTED, 1, &the->lists, &error),
        STATUS_OK);
}

static void case_close(Case *the)
{
    top_lists_free(&the->lists);
    ials_free(&the->model);
    sparse_side_free(&the->users);
    sparse_side_free(&the->items);
}

static Reason *reasons_of(const Case *the, const bool *is_unnamed, int threads, int64_t memory)
{
    Error error = {0};
    Reason *reasons = NULL;
    ReasonOptions options = {.users = &the->users,
                             .lists = &the->lists,
                             .scorer = &the->scorer,
                             .is_unnamed = is_unnamed,
                             .threads = threads,
                             .memory = memory};
    CU_ASSERT_EQUAL(list_reasons_make(rank_comm(), &options, &reasons, &error), STATUS_OK);
    return reasons;
}

/* Places that differ. */
static int64_t count_differences(const Case *the, const Reason *a, const Reason *b)
{
    int64_t wrong = 0;
    for (int64_t i = 0; i < (int64_t)the->lists.n_users * LISTED; i++)
        wrong += a[i].item != b[i].item ||
                 !(a[i].share == b[i].share || (isnan(a[i].share) && isnan(b[i].share)));
    return wrong;
}

static void check_memory(const Case *the, const Reason *wanted)
{
    static const int64_t rows[] = {0, 1, 30, 49, 1000}; /* that fit */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int threads = 1; threads <= 3; threads += 2) {
            Reason *reasons = reasons_of(the, NULL, threads, rows[i] * 32 + 1);
            CU_ASSERT_EQUAL(count_differences(the, reasons, wanted), 0);
            mem_free(&reasons);
        }
    }
}

static void test_memory(void)
{
    static const SparseModel models[] = {
        {.n_partitions = 16, .users_most = 12, .n_items = 50, .items_most = 20, .seed = 11},
        {.n_partitions = 4, .users_most = 0, .n_items = 5, .items_most = 2, .seed = 1},
        {.n_partitions = 4, .users_most = 3, .n_items = 0, .items_most = 0, .seed = 2},
        {.n_partitions = 1, .users_most = 1, .n_items = 1, .items_most = 1, .seed = 4},
    };
    for (size_t m = 0; m < sizeof models / sizeof *models; m++) {
        Case the;
        case_open(&models[m], &the);
        Reason *wanted = reasons_of(&the, NULL, 1, 0);
        check_memory(&the, wanted);
        mem_free(&wanted);
        case_close(&the);
    }
}

/* What each item of a user adds, asked of the scorer alone. */
static int64_t check_user(const Case *the, int32_t p, int32_t row, const bool *is_unnamed,
                          const Reason *reasons)
{
    const SparseRows *rows = &the->users.own[p];
    int64_t begin = rows->starts[row], n = rows->starts[row + 1] - begin, wrong = 0;
    int64_t at = (int64_t)(rows->first_row + row - sparse_own_first(&the->users)) * LISTED;
    for (int k = 0; k < LISTED; k++) {
        double most = 0, sum = 0;
        int32_t best = -1;
        float *values = mem_new(n, sizeof *values);
        float *spare = mem_new(the->scorer.reason_floats, sizeof *spare);
        ReasonQuery query = {.users = rows,
                             .partition = p,
                             .row = row,
                             .n_items = 1,
                             .items = the->lists.items + at + k};
        if (n > 0 && query.items[0] >= 0)
            the->scorer.add_reasons(the->scorer.model, &query, 1, spare, values);
        for (int64_t e = 0; e < n; e++) {
            sum += values[e] > 0 ? (double)values[e] : 0;
            if ((double)values[e] > most && !is_unnamed[rows->columns[begin + e]]) {
                most = (double)values[e];
                best = rows->columns[begin + e];
            }
        }
        wrong += reasons[at + k].item != best;
        wrong += best >= 0 && fabs(reasons[at + k].share - most / sum) > 1e-6;
        wrong += best < 0 && !isnan(reasons[at + k].share);
        mem_free(&values);
        mem_free(&spare);
    }
    return wrong;
}

static void test_strongest(void)
{
    Case the;
    Error error = {0};
    bool is_unnamed[50];
    int64_t wrong = 0, named = 0;
    for (int i = 0; i < 50; i++)
        is_unnamed[i] = i % 4 == 0;
    case_open(&shop, &the);
    Reason *reasons = reasons_of(&the, is_unnamed, 1, 500);
    CU_ASSERT_EQUAL(the.scorer.prepare_reasons(rank_comm(), the.scorer.model, NULL, 0, &error),
                    STATUS_OK);
    for (int32_t p = 0; p < the.users.end - the.users.first; p++) {
        for (int32_t r = 0; r < the.users.own[p].n_rows; r++)
            wrong += check_user(&the, p, r, is_unnamed, reasons);
    }
    for (int64_t i = 0; i < (int64_t)the.lists.n_users * LISTED; i++)
        named += reasons[i].item >= 0;
    comm_sum_i64(rank_comm(), &named, 1);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(named > 100);
    mem_free(&reasons);
    case_close(&the);
}

CU_TestInfo list_reasons_tests[] = {
    {"any memory", test_memory}, {"the strongest", test_strongest}, CU_TEST_INFO_NULL};
