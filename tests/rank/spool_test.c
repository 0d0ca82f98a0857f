/* Spools: every block comes back as it was written, by whichever rank; what was not written whole
 * or was damaged is known. */
#include "store/spool.h"

#include "base/memory.h"
#include "rank/store_fixture.h"
#include "store/results.h"
#include "suites.h"

#include <stdio.h>
#include <string.h>

#define RUN "000001-forecast-0123abcd"

enum { BLOCKS = 13, BYTES = 5000, STRIDE = 8192, KEY = 77 };

static Spool *open_spool(const Store *store, const char *folder, uint64_t key)
{
    Error error = {0};
    Spool *spool = NULL;
    SpoolPlace place = {.store = store, .run = RUN, .folder = folder};
    CU_ASSERT_EQUAL(spool_open(rank_comm(), &place, key, BYTES, &spool, &error), STATUS_OK);
    return spool;
}

static void fill(int64_t block, char data[BYTES])
{
    for (int k = 0; k < BYTES; k++)
        data[k] = (char)(block * 31 + k % 127);
}

/* This rank's blocks of those that `is_there` names: every size-th, beginning with another one. */
static void write_blocks(Spool *spool, int shift, const bool is_there[BLOCKS])
{
    char data[BYTES];
    Error error = {0};
    const Comm *comm = rank_comm();
    for (int64_t block = 0; block < BLOCKS; block++) {
        if ((block + shift) % comm_size(comm) != comm_rank(comm) || !is_there[block])
            continue;
        fill(block, data);
        CU_ASSERT_EQUAL(spool_write(spool, block, data, &error), STATUS_OK);
    }
    comm_barrier(rank_comm());
}

/* Every rank looks at all blocks. */
static void expect(Spool *spool, const SpoolState expected[BLOCKS])
{
    char data[BYTES], meant[BYTES];
    for (int64_t block = 0; block < BLOCKS; block++) {
        Error error = {0};
        SpoolState state;
        CU_ASSERT_EQUAL(spool_look(spool, block, data, &state, &error), STATUS_OK);
        CU_ASSERT_EQUAL(state, expected[block]);
        fill(block, meant);
        CU_ASSERT(state != SPOOL_WHOLE || memcmp(data, meant, BYTES) == 0);
        Status read = spool_read(spool, block, data, &error);
        CU_ASSERT_EQUAL(read, state == SPOOL_WHOLE ? STATUS_OK : STATUS_IO);
    }
    comm_barrier(rank_comm());
}

/* Written in two runs, by other ranks the second time; then one block is damaged, the file is cut
 * off in another, and a third is what another place in the file should hold. */
static void test_checkpoint(void)
{
    bool some[BLOCKS], all[BLOCKS];
    SpoolState states[BLOCKS];
    char name[STORE_FIXTURE_PATH];
    Buffer contents = {0};
    Store *store = store_fixture_open();
    for (int b = 0; b < BLOCKS; b++) {
        some[b] = b % 3 == 1;
        all[b] = true;
        states[b] = some[b] ? SPOOL_WHOLE : SPOOL_ABSENT;
    }
    Spool *spool = open_spool(store, NULL, KEY);
    write_blocks(spool, 0, some);
    expect(spool, states);
    spool_close(&spool);
    spool = open_spool(store, NULL, KEY);
    expect(spool, states);
    write_blocks(spool, 1, all);
    spool_close(&spool);

    (void)snprintf(name, sizeof name, "checkpoints/" RUN ".%016x", KEY);
    store_fixture_get(name, &contents);
    CU_ASSERT(contents.size > (BLOCKS - 1) * STRIDE + BYTES);
    contents.data[4 * STRIDE + 1000] ^= 1;
    memcpy(contents.data + 5 * STRIDE, contents.data + 6 * STRIDE, STRIDE);
    store_fixture_put(name, contents.data, (BLOCKS - 1) * STRIDE + 100);
    for (int b = 0; b < BLOCKS; b++)
        states[b] = b == 4 || b == 5 || b == BLOCKS - 1 ? SPOOL_DAMAGED : SPOOL_WHOLE;
    spool = open_spool(store, NULL, KEY);
    expect(spool, states);
    spool_close(&spool);
    buffer_free(&contents);
    store_fixture_close(&store);
}

/* Another key is another spool, and what is in the one is nothing to the other. */
static void test_keys(void)
{
    bool all[BLOCKS];
    SpoolState states[BLOCKS];
    char name[STORE_FIXTURE_PATH];
    Buffer contents = {0};
    Store *store = store_fixture_open();
    for (int b = 0; b < BLOCKS; b++)
        all[b] = true;
    Spool *spool = open_spool(store, NULL, KEY);
    write_blocks(spool, 0, all);
    spool_close(&spool);
    spool = open_spool(store, NULL, KEY + 1);
    for (int b = 0; b < BLOCKS; b++)
        states[b] = SPOOL_ABSENT;
    expect(spool, states);
    spool_close(&spool);
    (void)snprintf(name, sizeof name, "checkpoints/" RUN ".%016x", KEY);
    store_fixture_get(name, &contents);
    (void)snprintf(name, sizeof name, "checkpoints/" RUN ".%016x", KEY + 1);
    store_fixture_put(name, contents.data, contents.size);
    spool = open_spool(store, NULL, KEY + 1);
    for (int b = 0; b < BLOCKS; b++)
        states[b] = SPOOL_DAMAGED;
    expect(spool, states);
    spool_close(&spool);
    buffer_free(&contents);
    store_fixture_close(&store);
}

/* Without a store each rank has blocks of its own, and no file stays. */
static void test_nameless(void)
{
    char data[BYTES], meant[BYTES];
    Error error = {0};
    int open_before = store_fixture_open_files();
    Spool *spool = open_spool(NULL, "/tmp", KEY);
    CU_ASSERT_EQUAL(store_fixture_open_files(), open_before + 1);
    for (int64_t block = 3; block < 9; block += 5) {
        SpoolState state;
        fill(block + comm_rank(rank_comm()), meant);
        CU_ASSERT_EQUAL(spool_look(spool, block, data, &state, &error), STATUS_OK);
        CU_ASSERT_EQUAL(state, SPOOL_ABSENT);
        CU_ASSERT_EQUAL(spool_write(spool, block, meant, &error), STATUS_OK);
        CU_ASSERT_EQUAL(spool_read(spool, block, data, &error), STATUS_OK);
        CU_ASSERT(memcmp(data, meant, BYTES) == 0);
    }
    FILE *file = fopen(spool_name(spool), "r");
    CU_ASSERT_PTR_NULL(file);
    spool_close(&spool);
    CU_ASSERT_EQUAL(store_fixture_open_files(), open_before);
    SpoolPlace nowhere = {.folder = "/nonexistent"};
    CU_ASSERT_EQUAL(spool_open(rank_comm(), &nowhere, KEY, BYTES, &spool, &error), STATUS_IO);
    CU_ASSERT_PTR_NULL(spool);
}

CU_TestInfo spool_tests[] = {{"checkpoint", test_checkpoint},
                             {"keys", test_keys},
                             {"nameless", test_nameless},
                             CU_TEST_INFO_NULL};
