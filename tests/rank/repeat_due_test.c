/* When something is due again: a rhythm that is known, and whether probabilities are kept. */
#include "recommend/repeat.h"

#include "base/memory.h"
#include "base/random.h"
#include "rank/history_model.h"
#include "rank/suites.h"

#include <math.h>

/* ---- a rhythm that is known ---- */

/* Customer 0 buys product 0 every ten days, customer 1 buys it once and product 1 once. */
static void test_due_by_hand(void)
{
    Comm *comm = rank_comm();
    Error error = {0};
    HistoryModel model = {
        .orders.shape = {.name = "by hand", .customers = 2, .products = 2, .batches = 1}};
    HistoryStore store;
    SparseSide users = {0};
    Repeat *repeat = NULL;
    RepeatOptions options = repeat_default();
    for (int32_t k = 0; k < 4; k++)
        history_model_add(&model, k, 0, 0, 100 + 10 * k);
    history_model_add(&model, 4, 1, 0, 120);
    history_model_add(&model, 5, 1, 1, 125);
    Status status = history_store_make(comm, &model, &store, &error);
    int32_t item = status == STATUS_OK ? store.shop.product.place[0] : 0;
    if (status == STATUS_OK)
        status = interactions_bought(comm, store.store, &store.shop, INT32_MIN, 140, NULL, &users,
                                     &error);
    if (status == STATUS_OK)
        status =
            repeat_learn(comm, store.store, &store.shop, &users, 140, &options, &repeat, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    for (int32_t p = users.first; p < users.end && status == STATUS_OK; p++) {
        int32_t row = users.bases[p] - sparse_own_first(&users), due_day, never_again;
        double soon, later, once;
        if (p > 1)
            break;
        repeat_due(repeat, row, item, 10, &due_day, &soon);
        repeat_due(repeat, row, item, 40, &due_day, &later);
        CU_ASSERT_EQUAL(due_day, p == 0 ? 140 : 130);
        CU_ASSERT(soon > 0 && later > soon && later < 1);
        repeat_due(repeat, row, 1 - item, 10, &never_again, &once);
        CU_ASSERT_EQUAL(never_again, DAY_NONE);
        CU_ASSERT(p == 0 ? isnan(once) : once > 0 && once < soon);
    }
    repeat_free(&repeat);
    sparse_side_free(&users);
    history_store_remove(comm, &store);
    history_model_free(&model);
}

/* ---- probabilities that are kept ---- */

enum { SIM_CUSTOMERS = 500, SIM_ITEMS = 12, SIM_UNTIL = 300, SIM_WITHIN = 30, SIM_BINS = 5 };

/* Each customer buys each item first at any day, then at a rate of their own around the item's. */
static void simulate(HistoryModel *model, bool *bought_after)
{
    int32_t order = 0;
    *model = (HistoryModel){
        .orders.shape = {
            .name = "simulated", .customers = SIM_CUSTOMERS, .products = SIM_ITEMS, .batches = 1}};
    for (int32_t c = 0; c < SIM_CUSTOMERS; c++) {
        Random random = random_stream(77, (uint64_t)c);
        for (int32_t i = 0; i < SIM_ITEMS; i++) {
            double mean_days = 40.0 + 15.0 * i;
            double rate = random_gamma(&random, 0.8, 1 / (0.8 * mean_days));
            double day = SIM_UNTIL * random_unit(&random);
            for (; day < SIM_UNTIL; day += random_exponential(&random, 1 / rate))
                history_model_add(model, order++, c, i, (int32_t)day);
            bought_after[c * SIM_ITEMS + i] = day < SIM_UNTIL + SIM_WITHIN;
        }
    }
}

/* Predicted and seen, summed by bins of the prediction. */
typedef struct Bins {
    double n[SIM_BINS], predicted[SIM_BINS], seen[SIM_BINS];
} Bins;

static void fill_bins(const Repeat *model, const SparseSide *users, const Shop *shop,
                      const bool *bought_after, Bins *bins)
{
    static const double ends[SIM_BINS] = {0.1, 0.2, 0.35, 0.5, 1};
    int32_t row = 0;
    for (int32_t p = users->first; p < users->end; p++) {
        for (int32_t r = 0; r < users->own[p - users->first].n_rows; r++, row++) {
            for (int32_t item = 0; item < SIM_ITEMS; item++) {
                int32_t due_day, bin = 0;
                int32_t product = shop->product.code[item];
                double probability;
                repeat_due(model, row, item, SIM_WITHIN, &due_day, &probability);
                while (probability > ends[bin])
                    bin++;
                bins->n[bin]++;
                bins->predicted[bin] += probability;
                bins->seen[bin] += bought_after[history_customer(p, r) * SIM_ITEMS + product];
            }
        }
    }
}

static void test_probabilities_are_kept(void)
{
    Comm *comm = rank_comm();
    Error error = {0};
    HistoryModel model;
    HistoryStore store;
    SparseSide users = {0};
    Repeat *repeat = NULL;
    RepeatOptions options = {.decay = 1, .threads = 1};
    Bins own = {.n = {0}}, all;
    bool *bought_after = mem_new((int64_t)SIM_CUSTOMERS * SIM_ITEMS, sizeof *bought_after);
    simulate(&model, bought_after);
    Status status = history_store_make(comm, &model, &store, &error);
    if (status == STATUS_OK)
        status = interactions_bought(comm, store.store, &store.shop, INT32_MIN, SIM_UNTIL, NULL,
                                     &users, &error);
    if (status == STATUS_OK)
        status = repeat_learn(comm, store.store, &store.shop, &users, SIM_UNTIL, &options, &repeat,
                              &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    if (status == STATUS_OK) {
        fill_bins(repeat, &users, &store.shop, bought_after, &own);
        comm_sum_in_order_f64(comm, (const double *)&own, 1, sizeof own / sizeof(double),
                              (double *)&all);
        for (int b = 0; b < SIM_BINS; b++) {
            double predicted = all.predicted[b] / all.n[b], seen = all.seen[b] / all.n[b];
            CU_ASSERT(all.n[b] > 150);
            CU_ASSERT_DOUBLE_EQUAL(predicted, seen,
                                   4 * sqrt(predicted * (1 - predicted) / all.n[b]) + 0.005);
        }
    }
    repeat_free(&repeat);
    sparse_side_free(&users);
    history_store_remove(comm, &store);
    history_model_free(&model);
    mem_free(&bought_after);
}

CU_TestInfo repeat_due_tests[] = {
    {"due by hand", test_due_by_hand},
    {"probabilities are kept", test_probabilities_are_kept},
    CU_TEST_INFO_NULL,
};
