/* Checkpoints of iALS: a learning that goes on from one ends with the bits of one that was never
 * interrupted; one that is damaged, or another learning's, changes nothing. (From one number of
 * ranks to another: tests/job/recommend_resume.sh.) */
#include "recommend/ials_checkpoint.h"

#include "base/fault.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/stop.h"
#include "rank/store_fixture.h"
#include "sparse_model.h"
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUN "000001-recommend-0123abcd"

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

/* *sum := of the factors of this rank, added up over the ranks, and the losses; 0 if nothing was
 * learned. */
static Status try_to_learn(const SparseModel *data, const IalsOptions *options, uint64_t *sum,
                           Error *error)
{
    Comm *comm = rank_comm();
    SparseSide users = {0}, items = {0};
    Ials model = {0};
    CU_ASSERT_EQUAL(sparse_model_users(comm, data, &users, error), STATUS_OK);
    CU_ASSERT_EQUAL(sparse_transpose(comm, &users, &items, error), STATUS_OK);
    Status status = ials_learn(comm, &users, &items, options, &model, error);
    int64_t hash = 0;
    if (status == STATUS_OK) {
        int64_t d = options->factors, bytes = (int64_t)sizeof(float);
        hash = (int64_t)(hash64(model.user_factors, sparse_own_rows(&users) * d * bytes) >> 8);
        hash += (int64_t)(hash64(model.item_factors, sparse_own_rows(&items) * d * bytes) >> 8);
        hash += (int64_t)(hash64(model.losses, model.iterations * (int64_t)sizeof(double)) >> 8);
        CU_ASSERT_EQUAL(model.iterations, options->iterations);
    }
    comm_sum_i64(comm, &hash, 1);
    ials_free(&model);
    sparse_side_free(&users);
    sparse_side_free(&items);
    *sum = (uint64_t)hash;
    return status;
}

static uint64_t learn(const SparseModel *data, const IalsOptions *options)
{
    Error error = {0};
    uint64_t sum = 0;
    CHECK_OK(try_to_learn(data, options, &sum, &error));
    return sum;
}

/* So many checkpoints go, as results_clear_checkpoints has it. */
static void expect_cleared(const Store *store, const char *run, bool keeps_own, int expected)
{
    Error error = {0};
    int removed = 0;
    if (store_fixture_is_root()) {
        CU_ASSERT_EQUAL(results_clear_checkpoints(store, run, keeps_own, &removed, &error),
                        STATUS_OK);
        CU_ASSERT_EQUAL(removed, expected);
    }
    comm_barrier(rank_comm());
}

/* Interrupted after `done` iterations: the last checkpoint is what such a run leaves. */
static void check_resumed(IalsOptions options, int done)
{
    uint64_t undisturbed = learn(&shop, &options);
    Store *store = store_fixture_open();
    Checkpoints checkpoints = {store, RUN, 0};
    int iterations = options.iterations;
    options.checkpoints = &checkpoints;
    options.iterations = done;
    (void)learn(&shop, &options);
    options.iterations = iterations;
    CU_ASSERT_EQUAL(learn(&shop, &options), undisturbed);
    CU_ASSERT_EQUAL(learn(&shop, &options), undisturbed); /* all iterations are there */
    expect_cleared(store, RUN, true, 0);
    expect_cleared(store, RUN, false, 1);
    store_fixture_close(&store);
}

static void test_resumed(void)
{
    IalsOptions options = usual;
    check_resumed(options, 1);
    check_resumed(options, 3);
    options.threads = 2;
    options.memory = 10 * 8 * (int64_t)sizeof(float);
    check_resumed(options, 2);
    options.block = 3; /* rows begin where they were */
    check_resumed(options, 2);
}

/* Asked on any one rank, in the second iteration, all end after it; nothing else was due. */
static void test_asked_to_stop(void)
{
    Comm *comm = rank_comm();
    uint64_t undisturbed = learn(&shop, &usual), sum;
    Store *store = store_fixture_open();
    Checkpoints checkpoints = {store, RUN, 1e6};
    IalsOptions options = usual;
    options.checkpoints = &checkpoints;
    for (int asked = 0; asked < comm_size(comm); asked++) {
        char fault[64];
        Error error = {0};
        (void)snprintf(fault, sizeof fault, "recommend.ials.iteration:%d:2:stop", asked);
        setenv("VESPER_FAULT", fault, 1);
        stop_catch_signals();
        CHECK_OK(fault_init(comm_rank(comm), &error));
        CU_ASSERT_EQUAL(try_to_learn(&shop, &options, &sum, &error), STATUS_RESUME);
        CHECK_SAYS("after iteration 2 of 4 of ials");
        CU_ASSERT(model_arm(comm, NULL, 0));
        stop_catch_signals();
        CU_ASSERT_EQUAL(learn(&shop, &options), undisturbed);
        expect_cleared(store, RUN, false, 1);
    }
    store_fixture_close(&store);
}

static void test_not_due(void)
{
    Store *store = store_fixture_open();
    Checkpoints checkpoints = {store, RUN, 1e6};
    IalsOptions options = usual;
    options.checkpoints = &checkpoints;
    CU_ASSERT_EQUAL(learn(&shop, &options), learn(&shop, &usual));
    expect_cleared(store, RUN, false, 0);
    store_fixture_close(&store);
}

/* Other data and other options have checkpoints of their own; those of another run go. */
static void test_others(void)
{
    SparseModel other_shop = shop;
    IalsOptions other = usual, options = usual;
    other_shop.seed++;
    other.seed++;
    Store *store = store_fixture_open();
    Checkpoints checkpoints = {store, RUN, 0};
    Checkpoints of_other_run = {store, RUN "9", 0};
    options.checkpoints = &of_other_run;
    CU_ASSERT_EQUAL(learn(&shop, &options), learn(&shop, &usual));
    options.checkpoints = other.checkpoints = &checkpoints;
    CU_ASSERT_EQUAL(learn(&shop, &options), learn(&shop, &usual));
    CU_ASSERT_EQUAL(learn(&other_shop, &options), learn(&other_shop, &usual));
    uint64_t hash = learn(&shop, &other);
    other.checkpoints = NULL;
    CU_ASSERT_EQUAL(hash, learn(&shop, &other));
    CU_ASSERT_NOT_EQUAL(hash, learn(&shop, &usual));
    expect_cleared(store, "000001-0123abcd", false, 0); /* other kinds of results */
    expect_cleared(store, "000001-forecast-0123abcd", false, 0);
    expect_cleared(store, RUN, true, 1);
    expect_cleared(store, RUN, false, 3);
    store_fixture_close(&store);
}

/* The second half of the item factors' file has other bits. */
static void damage(const IalsOptions *options)
{
    Comm *comm = rank_comm();
    Error error = {0};
    SparseSide users = {0};
    char name[STORE_FIXTURE_PATH];
    Buffer contents = {0};
    CU_ASSERT_EQUAL(sparse_model_users(comm, &shop, &users, &error), STATUS_OK);
    (void)snprintf(name, sizeof name, "checkpoints/" RUN ".%016llx/items.h5",
                   (unsigned long long)ials_checkpoint_key(comm, &users, options));
    store_fixture_get(name, &contents);
    CU_ASSERT(contents.size > 1000);
    for (int64_t i = contents.size / 2; i < contents.size; i += 64)
        contents.data[i] = (char)(contents.data[i] ^ 1);
    store_fixture_put(name, contents.data, contents.size);
    buffer_free(&contents);
    sparse_side_free(&users);
}

static void test_damaged(void)
{
    Store *store = store_fixture_open();
    Checkpoints checkpoints = {store, RUN, 0};
    IalsOptions options = usual;
    options.checkpoints = &checkpoints;
    options.iterations = 2;
    (void)learn(&shop, &options);
    damage(&options);
    options.iterations = usual.iterations;
    store_fixture_listen_begin();
    uint64_t hash = learn(&shop, &options);
    store_fixture_listen_end("begins anew: checkpoint " RUN);
    CU_ASSERT_EQUAL(hash, learn(&shop, &usual));
    store_fixture_close(&store);
}

static void test_shapes(void)
{
    static const SparseModel data[] = {
        {.n_partitions = 4, .users_most = 0, .n_items = 5, .items_most = 2, .seed = 1},
        {.n_partitions = 4, .users_most = 3, .n_items = 0, .items_most = 0, .seed = 2},
        {.n_partitions = 1, .users_most = 1, .n_items = 1, .items_most = 1, .seed = 4},
        {.n_partitions = 2, .users_most = 3, .n_items = 9000, .items_most = 900, .seed = 5},
    };
    Store *store = store_fixture_open();
    Checkpoints checkpoints = {store, RUN, 0};
    for (size_t i = 0; i < sizeof data / sizeof *data; i++) {
        IalsOptions options = usual;
        options.checkpoints = &checkpoints;
        options.iterations = 2;
        (void)learn(&data[i], &options);
        options.iterations = usual.iterations;
        CU_ASSERT_EQUAL(learn(&data[i], &options), learn(&data[i], &usual));
    }
    store_fixture_close(&store);
}

CU_TestInfo ials_checkpoint_tests[] = {{"goes on", test_resumed},
                                       {"asked to stop", test_asked_to_stop},
                                       {"none before it is time", test_not_due},
                                       {"others' are left alone", test_others},
                                       {"a damaged one", test_damaged},
                                       {"edge shapes", test_shapes},
                                       CU_TEST_INFO_NULL};
