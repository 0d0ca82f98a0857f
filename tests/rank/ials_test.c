/* iALS over the ranks: the loss is what it says and never rises, the factors solve their equations,
 * and all of it is the same bits with any number of threads and within any memory. (At any number
 * of ranks: tests/job/recommend.sh.) */
#include "base/hash.h"
#include "base/memory.h"
#include "recommend/ials.h"
#include "sparse_model.h"
#include "suites.h"

#include <math.h>
#include <string.h>

static const SparseModel shop = {
    .n_partitions = 16, .users_most = 12, .n_items = 50, .items_most = 30, .seed = 11};

static const IalsOptions usual = {.factors = 8,
                                  .iterations = 4,
                                  .unobserved = .3,
                                  .lambda = .01,
                                  .nu = 1,
                                  .deviation = .1,
                                  .seed = 5,
                                  .threads = 1};

/* A fitted model with its data, and both sides' factors whole on every rank. */
typedef struct Fitted {
    SparseSide users, items;
    Ials model;
    float *user_factors, *item_factors;
} Fitted;

static float *all_rows(Comm *comm, const SparseSide *side, const float *own, int64_t d)
{
    Error error;
    float *rows = NULL;
    int32_t *numbers = mem_new(side->n_rows, sizeof *numbers);
    for (int32_t i = 0; i < side->n_rows; i++)
        numbers[i] = i;
    CU_ASSERT_EQUAL(sparse_fetch_dense(comm, side, own, d, numbers, side->n_rows, &rows, &error),
                    STATUS_OK);
    mem_free(&numbers);
    return rows;
}

static void fit(Fitted *fitted, const SparseModel *data, const IalsOptions *options)
{
    Comm *comm = rank_comm();
    Error error = {0};
    *fitted = (Fitted){0};
    CU_ASSERT_EQUAL(sparse_model_users(comm, data, &fitted->users, &error), STATUS_OK);
    CU_ASSERT_EQUAL(sparse_transpose(comm, &fitted->users, &fitted->items, &error), STATUS_OK);
    CU_ASSERT_EQUAL(
        ials_learn(comm, &fitted->users, &fitted->items, options, &fitted->model, &error),
        STATUS_OK);
    fitted->user_factors =
        all_rows(comm, &fitted->users, fitted->model.user_factors, options->factors);
    fitted->item_factors =
        all_rows(comm, &fitted->items, fitted->model.item_factors, options->factors);
}

static void fitted_free(Fitted *fitted)
{
    ials_free(&fitted->model);
    sparse_side_free(&fitted->users);
    sparse_side_free(&fitted->items);
    mem_free(&fitted->user_factors);
    mem_free(&fitted->item_factors);
}

/* Entries of a row or column of the dense matrix. */
static int64_t count_entries(const float *values, int64_t n, int64_t stride)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++)
        count += values[i * stride] != 0;
    return count;
}

/* The loss of Rendle et al. 2021, written out. */
static double plain_loss(const Fitted *fitted, const float *dense, const IalsOptions *options)
{
    int64_t n_users = fitted->users.n_rows, n_items = fitted->items.n_rows, d = options->factors;
    int64_t active_users = 0, active_items = 0;
    double loss = 0;
    for (int64_t u = 0; u < n_users; u++)
        active_users += count_entries(dense + u * n_items, n_items, 1) > 0;
    for (int64_t i = 0; i < n_items; i++)
        active_items += count_entries(dense + i, n_users, n_items) > 0;
    for (int64_t u = 0; u < n_users; u++) {
        for (int64_t i = 0; i < n_items; i++) {
            double y = 0, c = dense[u * n_items + i];
            for (int64_t j = 0; j < d; j++)
                y += (double)fitted->user_factors[u * d + j] * fitted->item_factors[i * d + j];
            loss += options->unobserved * y * y + c * (y - 1) * (y - 1);
        }
    }
    for (int64_t u = 0; u < n_users; u++) {
        int64_t n = count_entries(dense + u * n_items, n_items, 1);
        for (int64_t j = 0; j < d; j++)
            loss += options->lambda *
                    pow((double)n + options->unobserved * (double)active_items, options->nu) *
                    fitted->user_factors[u * d + j] * fitted->user_factors[u * d + j];
    }
    for (int64_t i = 0; i < n_items; i++) {
        int64_t n = count_entries(dense + i, n_users, n_items);
        for (int64_t j = 0; j < d; j++)
            loss += options->lambda *
                    pow((double)n + options->unobserved * (double)active_users, options->nu) *
                    fitted->item_factors[i * d + j] * fitted->item_factors[i * d + j];
    }
    return loss;
}

static void check_loss(const SparseModel *data, IalsOptions options)
{
    Fitted fitted;
    int32_t n_users;
    float *dense = sparse_model_dense(data, &n_users);
    fit(&fitted, data, &options);
    CU_ASSERT_EQUAL(fitted.model.iterations, options.iterations);
    CU_ASSERT_EQUAL(fitted.model.unsolved, 0);
    for (int i = 1; i < fitted.model.iterations; i++)
        CU_ASSERT(fitted.model.losses[i] <= fitted.model.losses[i - 1] * (1 + 1e-6));
    /* The last user half-step comes after the last loss: it is lower, by little. */
    double last = fitted.model.losses[options.iterations - 1];
    double loss = plain_loss(&fitted, dense, &options);
    CU_ASSERT(loss <= last * (1 + 1e-5));
    CU_ASSERT(loss >= last * .9);
    fitted_free(&fitted);
    mem_free(&dense);
}

static void test_loss(void)
{
    IalsOptions options = usual;
    check_loss(&shop, options);
    options.nu = 0;
    options.iterations = 12;
    check_loss(&shop, options);
    options = usual;
    options.block = 3;
    check_loss(&shop, options);
}

/* At the minimum, a run of no more iterations changes nothing: the plain loss equals the one that
 * is reported. */
static void test_reported_loss(void)
{
    IalsOptions options = usual;
    Fitted fitted;
    int32_t n_users;
    float *dense = sparse_model_dense(&shop, &n_users);
    options.iterations = 300;
    options.lambda = .2;
    fit(&fitted, &shop, &options);
    CU_ASSERT_DOUBLE_EQUAL(plain_loss(&fitted, dense, &options), fitted.model.losses[299],
                           1e-5 * fitted.model.losses[299]);
    fitted_free(&fitted);
    mem_free(&dense);
}

static uint64_t fit_hash(const SparseModel *data, const IalsOptions *options)
{
    Fitted fitted;
    fit(&fitted, data, options);
    int64_t d = options->factors;
    uint64_t hash = hash64(fitted.user_factors, fitted.users.n_rows * d * (int64_t)sizeof(float));
    hash ^= 3 * hash64(fitted.item_factors, fitted.items.n_rows * d * (int64_t)sizeof(float));
    hash ^= 5 * hash64(fitted.model.losses, options->iterations * (int64_t)sizeof(double));
    fitted_free(&fitted);
    return hash;
}

static void test_same_bits(void)
{
    IalsOptions options = usual;
    uint64_t hash = fit_hash(&shop, &options);
    options.threads = 2;
    CU_ASSERT_EQUAL(fit_hash(&shop, &options), hash);
    options.memory = 10 * 8 * (int64_t)sizeof(float); /* ten rows at a time */
    CU_ASSERT_EQUAL(fit_hash(&shop, &options), hash);
    options.memory = 1;
    CU_ASSERT_EQUAL(fit_hash(&shop, &options), hash);
}

static void test_shapes(void)
{
    static const SparseModel data[] = {
        {.n_partitions = 4, .users_most = 0, .n_items = 5, .items_most = 2, .seed = 1},
        {.n_partitions = 4, .users_most = 3, .n_items = 0, .items_most = 0, .seed = 2},
        {.n_partitions = 1, .users_most = 1, .n_items = 1, .items_most = 1, .seed = 4},
        {.n_partitions = 2, .users_most = 2, .n_items = 2000, .items_most = 900, .seed = 5},
        {.n_partitions = 4, .users_most = 60, .n_items = 2, .items_most = 9, .seed = 6},
    };
    for (size_t i = 0; i < sizeof data / sizeof data[0]; i++) {
        IalsOptions options = usual;
        Fitted fitted;
        options.factors = 16; /* more than there are items, or users */
        fit(&fitted, &data[i], &options);
        for (int64_t k = 0; k < fitted.users.n_rows * 16; k++)
            CU_ASSERT(isfinite(fitted.user_factors[k]));
        for (int64_t k = 0; k < fitted.items.n_rows * 16; k++)
            CU_ASSERT(isfinite(fitted.item_factors[k]));
        for (int k = 0; k < fitted.model.iterations; k++)
            CU_ASSERT(isfinite(fitted.model.losses[k]));
        fitted_free(&fitted);
    }
}

/* Tiles of scores are products of the factors. */
static void test_scores(void)
{
    Comm *comm = rank_comm();
    Error error = {0};
    Fitted fitted;
    enum { FIRST = 7, ITEMS = 20 };
    float scores[TILE_USERS * ITEMS];
    fit(&fitted, &shop, &usual);
    Scorer scorer = ials_scorer(&fitted.model);
    CU_ASSERT(scorer.tiled);
    CU_ASSERT_EQUAL(scorer.prepare(comm, scorer.model, FIRST, ITEMS, &error), STATUS_OK);
    for (int32_t p = 0; p < fitted.users.end - fitted.users.first; p++) {
        const SparseRows *rows = &fitted.users.own[p];
        if (rows->n_rows < 2)
            continue;
        ScoreTile tile = {.users = rows,
                          .partition = p,
                          .first_user = 1,
                          .n_users = rows->n_rows - 1,
                          .first_item = FIRST,
                          .n_items = ITEMS};
        scorer.score(scorer.model, &tile, scores);
        for (int32_t u = 0; u < tile.n_users; u++) {
            for (int32_t i = 0; i < ITEMS; i++) {
                double expected = 0;
                for (int j = 0; j < 8; j++)
                    expected += (double)fitted.user_factors[(rows->first_row + 1 + u) * 8 + j] *
                                fitted.item_factors[(FIRST + i) * 8 + j];
                CU_ASSERT_DOUBLE_EQUAL(scores[u * ITEMS + i], expected, 1e-5);
            }
        }
    }
    fitted_free(&fitted);
}

/* Reasons of all that a user has add up to the score; they are added to what is there. */
static void check_reasons(const Fitted *fitted, const Scorer *scorer, int32_t partition,
                          int32_t row)
{
    static const int32_t asked[] = {3, 49, 7};
    const SparseRows *rows = &fitted->users.own[partition];
    int64_t n = rows->starts[row + 1] - rows->starts[row];
    float *reasons = mem_new(3 * n, sizeof *reasons);
    float *spare = mem_new(scorer->reason_floats, sizeof *spare);
    ReasonQuery query = {
        .users = rows, .partition = partition, .row = row, .n_items = 3, .items = asked};
    scorer->add_reasons(scorer->model, &query, 1, spare, reasons);
    scorer->add_reasons(scorer->model, &query, .5F, spare, reasons);
    for (int k = 0; k < 3; k++) {
        double sum = 0, score = 0;
        for (int64_t i = 0; i < n; i++)
            sum += (double)reasons[k * n + i];
        for (int j = 0; j < 8; j++)
            score += (double)fitted->user_factors[(rows->first_row + row) * 8 + j] *
                     fitted->item_factors[asked[k] * 8 + j];
        CU_ASSERT_DOUBLE_EQUAL(sum, 1.5 * score, 1e-5);
    }
    mem_free(&reasons);
    mem_free(&spare);
}

static void test_reasons(void)
{
    Error error = {0};
    Fitted fitted;
    fit(&fitted, &shop, &usual);
    Scorer scorer = ials_scorer(&fitted.model);
    CU_ASSERT_EQUAL(scorer.prepare_reasons(rank_comm(), scorer.model, NULL, 0, &error), STATUS_OK);
    for (int32_t p = 0; p < fitted.users.end - fitted.users.first; p++) {
        for (int32_t r = 0; r < fitted.users.own[p].n_rows; r++)
            check_reasons(&fitted, &scorer, p, r);
    }
    fitted_free(&fitted);
}

/* Begun with what was learned before, the loss after one iteration is below that of a cold start;
 * rows of zeros begin cold, so that with nothing else nothing changes. */
static void test_start(void)
{
    Comm *comm = rank_comm();
    Error error = {0};
    IalsOptions options = usual;
    Fitted cold, warm;
    Ials again = {0};
    options.start_name = "a night";
    fit(&cold, &shop, &usual);
    options.start = cold.model.item_factors;
    fit(&warm, &shop, &options);
    CU_ASSERT(warm.model.losses[0] <= cold.model.losses[3] * (1 + 1e-6));
    CU_ASSERT(warm.model.losses[0] < .999 * cold.model.losses[0]);
    fitted_free(&warm);

    float *zeros = mem_new(sparse_own_rows(&cold.items) * options.factors, sizeof *zeros);
    options.start = zeros;
    Status status = ials_learn(comm, &cold.users, &cold.items, &options, &again, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    for (int i = 0; status == STATUS_OK && i < usual.iterations; i++)
        CU_ASSERT_EQUAL(again.losses[i], cold.model.losses[i]);
    ials_free(&again);
    mem_free(&zeros);
    fitted_free(&cold);
}

CU_TestInfo ials_tests[] = {{"the loss never rises", test_loss},
                            {"the loss reported is the loss", test_reported_loss},
                            {"same bits", test_same_bits},
                            {"edge shapes", test_shapes},
                            {"scores", test_scores},
                            {"reasons add up to scores", test_reasons},
                            {"a warm start", test_start},
                            CU_TEST_INFO_NULL};
