/* The store when the world fails: locks, killed writers, full disks, faults at every site. No rank
 * hangs, and the old generation stays. */
#include "base/memory.h"
#include "rank/store_fixture.h"
#include "rank/suites.h"
#include "store/files.h"
#include "store/results.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the lock ---- */

/* A process that holds the lock until it is killed. */
static pid_t hold_lock(void)
{
    char path[STORE_FIXTURE_PATH];
    int ready[2];
    store_fixture_path("lock", path);
    if (pipe(ready) != 0)
        return -1;
    pid_t child = fork();
    if (child == 0) {
        static const char owner[] = "host lighthouse, process 4711, since 2024-02-29T23:59:59Z\n";
        int fd = open(path, O_RDWR | O_CREAT, 0600);
        bool held = fd >= 0 && flock(fd, LOCK_EX) == 0 &&
                    write(fd, owner, sizeof owner - 1) == (ssize_t)(sizeof owner - 1);
        if (write(ready[1], held ? "y" : "n", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    char answer = 'n';
    CU_ASSERT(read(ready[0], &answer, 1) == 1 && answer == 'y');
    close(ready[0]);
    close(ready[1]);
    return child;
}

static void test_lock(void)
{
    Error error = {0};
    Store *store = NULL;
    pid_t child = -1;
    store_fixture_make();
    if (store_fixture_is_root())
        child = hold_lock();
    comm_barrier(rank_comm());
    CU_ASSERT_EQUAL(store_open(rank_comm(), store_fixture_folder, STORE_WRITE, &store, &error),
                    STATUS_LOCKED);
    CU_ASSERT_PTR_NULL(store);
    CHECK_SAYS("host lighthouse, process 4711, since 2024-02-29T23:59:59Z");
    CHECK_OK(store_fixture_read_all(&error)); /* a reader does not mind */
    if (child > 0) {
        kill(child, SIGKILL);
        CU_ASSERT_EQUAL(waitpid(child, NULL, 0), child);
    }
    /* The dead writer's lock is free, and said to be left. */
    store_fixture_listen_begin();
    CHECK_OK(store_open(rank_comm(), store_fixture_folder, STORE_WRITE, &store, &error));
    store_fixture_listen_end("did not end in good order (host lighthouse, process 4711");
    CU_ASSERT_EQUAL(store_generation(store), 1);
    store_close(rank_comm(), &store);
    Buffer left = {0};
    comm_barrier(rank_comm()); /* rank 0 gives the lock back */
    store_fixture_get("lock", &left);
    CU_ASSERT_EQUAL(left.size, 0);
    buffer_free(&left);
    CU_ASSERT(model_remove_folder(rank_comm(), store_fixture_folder));
}

/* ---- crashes ---- */

/* What a killed writer may leave: things in tmp/, and segments that no manifest names. */
static void test_leftovers(void)
{
    static const char *const left[] = {"tmp/batch-000002", "tmp/results-night/deep",
                                       "segments/000002"};
    Error error = {0};
    Store *store = NULL;
    char path[STORE_FIXTURE_PATH];
    store_fixture_make();
    for (size_t i = 0; i < sizeof left / sizeof *left && store_fixture_is_root(); i++) {
        store_fixture_path(left[i], path);
        CHECK_OK(files_make_folder(path, &error));
        char name[STORE_FIXTURE_PATH + 16];
        snprintf(name, sizeof name, "%s/things.h5", path);
        CHECK_OK(files_create(name, &error));
    }
    comm_barrier(rank_comm());
    CHECK_OK(store_open(rank_comm(), store_fixture_folder, STORE_WRITE, &store, &error));
    store_fixture_path("tmp", path);
    if (store_fixture_is_root())
        CU_ASSERT(rmdir(path) == 0 && mkdir(path, 0700) == 0);
    CHECK_OK(model_commit(rank_comm(), store, "others", &error));
    CU_ASSERT_EQUAL(store_generation(store), 2);
    store_fixture_path("segments/000002/others.h5", path);
    CU_ASSERT(files_exist(path));
    store_fixture_path("segments/000002/things.h5", path);
    CU_ASSERT_FALSE(files_exist(path));
    store_fixture_path("manifest/000000.json", path);
    CU_ASSERT_FALSE(files_exist(path));
    store_fixture_path("manifest/000001.json", path);
    CU_ASSERT(files_exist(path));
    store_close(rank_comm(), &store);
    CHECK_OK(store_fixture_read_all(&error));
    CU_ASSERT(model_remove_folder(rank_comm(), store_fixture_folder));
}

/* ---- a full disk ---- */

static Status write_much(Store *store, int64_t rows, Error *error)
{
    static const ColumnSpec specs[] = {{"number", COLUMN_I64, UNIT_NONE}};
    Comm *comm = rank_comm();
    Status status;
    Table table;
    StoreBatch *batch = NULL;
    int64_t counts[MODEL_PARTITIONS] = {0};
    int32_t first = model_first_partition(comm_rank(comm), comm_size(comm));
    int32_t n = model_first_partition(comm_rank(comm) + 1, comm_size(comm)) - first;
    for (int32_t p = 0; p < n; p++)
        counts[p] = rows / MODEL_PARTITIONS;
    table_init(&table, specs, 1);
    TRY_ALL(comm, table_set_rows(&table, n * (rows / MODEL_PARTITIONS), error), error);
    if (table.rows > 0)
        memset(table.columns[0].data, 7, (size_t)table.rows * sizeof(int64_t));
    TRY(store_batch_begin(comm, store, &batch, error));
    TRY(store_batch_write(comm, batch, "much", TABLE_APPEND, &table, first, n, counts, error));
    TRY(store_batch_commit(comm, store, &batch, error));
out:
    store_batch_discard(comm, &batch);
    table_free(&table);
    return status;
}

static void test_full_disk(void)
{
    Comm *comm = rank_comm();
    Error error = {0};
    Store *store = NULL;
    int64_t mounted = 0;
    CU_ASSERT(model_make_folder(comm, store_fixture_folder));
    if (store_fixture_is_root())
        mounted = mount("tmpfs", store_fixture_folder, "tmpfs", 0, "size=2m") == 0;
    comm_sum_i64(comm, &mounted, 1);
    if (!mounted) {
        if (store_fixture_is_root())
            fprintf(stderr, "SKIPPED: a full disk: mounting a small tmpfs needs root\n");
        CU_ASSERT(model_remove_folder(comm, store_fixture_folder));
        return;
    }
    CHECK_OK(model_store(comm, store_fixture_folder, STORE_WRITE, &store, &error));
    CHECK_OK(model_commit(comm, store, "things", &error));
    CU_ASSERT_EQUAL(write_much(store, 1 << 20, &error), STATUS_IO);
    CHECK_SAYS("much.h5");
    CHECK_SAYS("the disk is full");
    CHECK_SAYS("free space");
    CHECK_OK(write_much(store, 1 << 16, &error));
    /* Smaller and smaller until also the small files of a commit have met the end. */
    for (int64_t rows = 1 << 17; rows >= MODEL_PARTITIONS; rows /= 2) {
        while (write_much(store, rows, &error) == STATUS_OK)
            ;
        CU_ASSERT_EQUAL(error.status, STATUS_IO);
    }
    int64_t generation = store_generation(store);
    store_close(comm, &store);
    CHECK_OK(store_fixture_read_all(&error));
    CHECK_OK(store_open(comm, store_fixture_folder, STORE_READ, &store, &error));
    CU_ASSERT_EQUAL(store_generation(store), generation);
    store_close(comm, &store);
    comm_barrier(comm);
    if (store_fixture_is_root())
        CU_ASSERT(umount(store_fixture_folder) == 0);
    CU_ASSERT(model_remove_folder(comm, store_fixture_folder));
}

/* ---- faults ---- */

static Status write_results(Store *store, Error *error)
{
    Comm *comm = rank_comm();
    Status status;
    Table rows;
    ResultWriter *writer = NULL;
    model_init(&rows);
    TRY(results_begin(comm, store, "night", &writer, error));
    TRY_ALL(comm, model_append(&rows, 1, comm_rank(comm), error), error);
    TRY(results_write(comm, writer, "sums", "day,name", &rows, error));
    TRY(results_commit(comm, &writer, error));
out:
    results_discard(comm, &writer);
    table_free(&rows);
    return status;
}

static Status read_results(const Store *store, Error *error)
{
    Status status;
    Table rows = {0};
    ResultReader *reader = NULL;
    TRY(results_open(store, "night", &reader, error));
    if (results_table(reader, 0)->rows > 0)
        TRY(results_read_block(reader, 0, 0, &rows, error));
out:
    results_close(&reader);
    table_free(&rows);
    return status;
}

/* Everything the store does. */
static Status whole_story(Error *error)
{
    Comm *comm = rank_comm();
    Status status;
    Store *store = NULL;
    StoreBatch *batch = NULL;
    Table rows = {0};
    int64_t blocks;
    TRY(model_store(comm, store_fixture_folder, STORE_WRITE, &store, error));
    TRY(store_batch_begin(comm, store, &batch, error));
    TRY(store_batch_write_rejects(comm, batch, "things", bytes_of("why\n"), bytes_of("so\n"),
                                  error));
    TRY(model_write(comm, batch, "things", (int)store_batch_number(batch), error));
    TRY(store_batch_commit(comm, store, &batch, error));
    /* Every rank reads a partition with rows, so that each visits the site. */
    TRY_ALL(comm, store_read_partition(store, "things", 1, NULL, 0, &rows, error), error);
    TRY(store_read_global(comm, store, "words", &rows, error));
    TRY(store_verify(comm, store, &blocks, error));
    TRY(write_results(store, error));
    TRY_ALL(comm, comm_rank(comm) == 0 ? read_results(store, error) : STATUS_OK, error);
out:
    store_batch_discard(comm, &batch);
    store_close(comm, &store);
    table_free(&rows);
    return status;
}

static void check_fault(const char *site, int rank, bool on_every_rank)
{
    Error error = {0};
    int64_t blocks = mem_live_blocks();
    int files = store_fixture_open_files();
    CU_ASSERT(model_make_folder(rank_comm(), store_fixture_folder));
    CU_ASSERT(model_arm(rank_comm(), site, rank));
    Status status = whole_story(&error);
    CU_ASSERT(model_arm(rank_comm(), NULL, 0));
    if (on_every_rank || rank == 0) {
        CU_ASSERT_EQUAL(status, STATUS_IO);
        CHECK_SAYS("injected fault at");
        CHECK_SAYS(site);
    } else {
        CU_ASSERT_EQUAL(status, STATUS_OK);
    }
    /* Then again, on what it left. */
    CHECK_OK(whole_story(&error));
    CU_ASSERT_EQUAL(mem_live_blocks(), blocks);
    CU_ASSERT_EQUAL(store_fixture_open_files(), files);
    CU_ASSERT(model_remove_folder(rank_comm(), store_fixture_folder));
}

static void test_faults(void)
{
    static const struct {
        const char *name;
        bool on_every_rank;
    } sites[] = {{"store.create", false},
                 {"store.open", false},
                 {"store.lock", false},
                 {"store.batch.begin", false},
                 {"store.rejects.write", true},
                 {"store.rejects.rename", false},
                 {"store.segment.create", true},
                 {"store.segment.write", true},
                 {"store.segment.sync", true},
                 {"store.commit.rename", false},
                 {"store.commit.manifest", false},
                 {"store.commit.current", false},
                 {"store.commit.done", false},
                 {"store.read", true},
                 {"store.verify", true},
                 {"store.results.begin", false},
                 {"store.results.write", true},
                 {"store.results.index", false},
                 {"store.results.commit", false},
                 {"store.results.done", false},
                 {"store.results.open", false}};
    for (size_t i = 0; i < sizeof sites / sizeof *sites; i++) {
        for (int rank = 0; rank < comm_size(rank_comm()); rank += sites[i].on_every_rank ? 1 : 3)
            check_fault(sites[i].name, rank, sites[i].on_every_rank);
    }
}

CU_TestInfo store_crash_tests[] = {{"lock", test_lock},
                                   {"leftovers", test_leftovers},
                                   {"full_disk", test_full_disk},
                                   {"faults", test_faults},
                                   CU_TEST_INFO_NULL};
