/* The store when the world fails: damaged files, crashes, locks, full disks, faults at every site.
 * Whatever happens, a rank never reads a wrong value, never hangs, and the old generation stays. */
#include "base/fault.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "rank/store_model.h"
#include "rank/suites.h"
#include "store/files.h"
#include "store/results.h"
#include "store/segment.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_SIZE = MODEL_PATH_SIZE + 64 };

#define CHECK_OK(call)                                                                             \
    do {                                                                                           \
        Status got = (call);                                                                       \
        CU_ASSERT_EQUAL(got, STATUS_OK);                                                           \
        if (got != STATUS_OK)                                                                      \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, error.message);                     \
    } while (0)

#define CHECK_SAYS(text)                                                                           \
    do {                                                                                           \
        CU_ASSERT_PTR_NOT_NULL(strstr(error.message, text));                                       \
        if (!strstr(error.message, text))                                                          \
            fprintf(stderr, "%s:%d: no '%s' in: %s\n", __FILE__, __LINE__, text, error.message);   \
    } while (0)

static char folder[MODEL_PATH_SIZE];

static bool is_root(void)
{
    return comm_rank(rank_comm()) == 0;
}

/* A store with one batch of `things`, closed again. */
static void make_store(void)
{
    Error error = {0};
    Store *store = NULL;
    CU_ASSERT(model_make_folder(rank_comm(), folder));
    CHECK_OK(model_store(rank_comm(), folder, STORE_WRITE, &store, &error));
    CHECK_OK(model_commit(rank_comm(), store, "things", &error));
    store_close(rank_comm(), &store);
}

static void file_of(const char *name, char path[PATH_SIZE])
{
    snprintf(path, PATH_SIZE, "%s/%s", folder, name);
}

/* Files that this process has open: a handle of HDF5 that stays open keeps one. */
static int open_files(void)
{
    int n = 0;
    DIR *folder_of_fds = opendir("/proc/self/fd");
    CU_ASSERT_PTR_NOT_NULL(folder_of_fds);
    while (folder_of_fds && readdir(folder_of_fds))
        n++;
    if (folder_of_fds)
        closedir(folder_of_fds);
    return n;
}

/* Rank 0 replaces a file by `data`; the others wait. */
static void put(const char *name, const void *data, int64_t size)
{
    Error error = {0};
    char path[PATH_SIZE];
    file_of(name, path);
    comm_barrier(rank_comm());
    if (is_root())
        CHECK_OK(files_write_small(path, (Bytes){data, size}, &error));
    comm_barrier(rank_comm());
}

static void get(const char *name, Buffer *contents)
{
    Error error = {0};
    char path[PATH_SIZE];
    file_of(name, path);
    buffer_clear(contents);
    CHECK_OK(files_read_small(path, 1 << 24, contents, &error));
    comm_barrier(rank_comm());
}

/* What rank 0 says on stderr in between, as text. */
static int real_stderr = -1;

static void listen_begin(void)
{
    char path[PATH_SIZE];
    file_of("said", path);
    log_init(comm_rank(rank_comm()), LOG_WARN);
    fflush(stderr);
    if (!is_root())
        return;
    int said = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    real_stderr = dup(STDERR_FILENO);
    CU_ASSERT(said >= 0 && dup2(said, STDERR_FILENO) >= 0);
    close(said);
}

static void listen_end(const char *expected)
{
    Buffer said = {0};
    fflush(stderr);
    if (is_root()) {
        CU_ASSERT(dup2(real_stderr, STDERR_FILENO) >= 0);
        close(real_stderr);
    }
    comm_barrier(rank_comm());
    get("said", &said);
    CU_ASSERT_PTR_NOT_NULL(strstr(buffer_string(&said), expected));
    buffer_free(&said);
}

/* Replace `from` by `to` in a small text file. */
static void change_text(const char *name, const char *from, const char *to)
{
    Buffer old = {0}, changed = {0};
    get(name, &old);
    const char *at = strstr(buffer_string(&old), from);
    CU_ASSERT_PTR_NOT_NULL(at);
    if (at) {
        buffer_append(&changed, old.data, at - old.data);
        buffer_append_string(&changed, to);
        buffer_append_string(&changed, at + strlen(from));
    }
    put(name, changed.data, changed.size);
    buffer_free(&old);
    buffer_free(&changed);
}

/* Open and read everything; the first error. Rows that are read must be right. */
static Status read_all(Error *error)
{
    Status status;
    Store *store = NULL;
    Table rows = {0};
    TRY(store_open(rank_comm(), folder, STORE_READ, &store, error));
    for (int32_t p = 0; p < MODEL_PARTITIONS && status == STATUS_OK; p++) {
        status = store_read_partition(store, "things", p, NULL, 0, &rows, error);
        if (status == STATUS_OK)
            CU_ASSERT(rows.rows == model_rows(1, p) && model_matches(&rows, 0, 1, p));
    }
out:
    table_free(&rows);
    store_close(rank_comm(), &store);
    return status;
}

/* ---- damaged segments ---- */

static const char segment[] = "segments/000001/things.h5";

static void check_damage(const Buffer *good, int64_t at, const char *column, int32_t partition)
{
    Error error = {0};
    Store *store = NULL;
    int64_t blocks;
    char text[128];
    snprintf(text, sizeof text, "%s: column %s of partition %" PRId32 " is damaged", segment,
             column, partition);
    good->data[at] ^= 1;
    put(segment, good->data, good->size);
    CU_ASSERT_EQUAL(read_all(&error), STATUS_IO);
    CHECK_SAYS(text);
    CHECK_SAYS("backup");
    CHECK_OK(store_open(rank_comm(), folder, STORE_READ, &store, &error));
    listen_begin();
    CU_ASSERT_EQUAL(store_verify(rank_comm(), store, &blocks, &error), STATUS_IO);
    listen_end(text);
    CHECK_SAYS(text);
    CHECK_SAYS(" 1 damaged among ");
    store_close(rank_comm(), &store);
    good->data[at] ^= 1;
}

/* A flipped bit in the data of every column, in the middle of some partition. */
static void test_damaged_column(void)
{
    Error error = {0};
    Buffer good = {0};
    SegmentLayout layout = {0};
    char path[PATH_SIZE];
    make_store();
    file_of(segment, path);
    get(segment, &good);
    CHECK_OK(segment_layout_read(path, segment, &layout, &error));
    CU_ASSERT_EQUAL(layout.n_columns, MODEL_COLUMNS);
    for (int i = 0; i < layout.n_columns; i++) {
        const SegmentColumn *column = &layout.columns[i];
        bool is_text = column->type == COLUMN_TEXT;
        int32_t p = 4 + i;
        while (model_rows(1, p) < 4)
            p++;
        const int64_t *offset = layout.index + (is_text ? column->byte_offset : 0);
        int64_t width = is_text ? 1 : (int64_t)column_width(column->stored);
        int64_t middle = (offset[p] + offset[p + 1]) / 2;
        check_damage(&good, column->data_at + middle * width, column->name, p);
        middle = (layout.index[p] + layout.index[p + 1]) / 2;
        if (is_text)
            check_damage(&good, column->ends_at + middle * (int64_t)column_width(column->stored),
                         column->name, p);
    }
    segment_layout_free(&layout);
    buffer_free(&good);
    CU_ASSERT(model_remove_folder(rank_comm(), folder));
}

/* A flipped bit anywhere: the right rows, or an error that names the file. */
static void test_damaged_anywhere(void)
{
    Buffer good = {0};
    int64_t found = 0, step = 5 + 12 * comm_size(rank_comm());
    make_store();
    get(segment, &good);
    int files = open_files();
    for (int64_t at = 0; at < good.size; at += step) {
        Error error = {0};
        good.data[at] ^= (char)(1 << (at % 8));
        put(segment, good.data, good.size);
        Status status = read_all(&error);
        CU_ASSERT(status == STATUS_OK || status == STATUS_IO);
        if (status != STATUS_OK)
            CHECK_SAYS(segment);
        found += status != STATUS_OK;
        good.data[at] ^= (char)(1 << (at % 8));
    }
    CU_ASSERT(found > good.size / step / 2);
    CU_ASSERT_EQUAL(open_files(), files);
    buffer_free(&good);
    CU_ASSERT(model_remove_folder(rank_comm(), folder));
}

static void test_truncated(void)
{
    Buffer good = {0};
    Error error = {0};
    make_store();
    get(segment, &good);
    const int64_t sizes[] = {0, 1, 100, good.size / 2, good.size - 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        put(segment, good.data, sizes[i]);
        CU_ASSERT_EQUAL(read_all(&error), STATUS_IO);
        CHECK_SAYS(segment);
    }
    /* Whole, but of another batch. */
    put(segment, good.data, good.size);
    CHECK_OK(read_all(&error));
    change_text("manifest/000001.json", "\"rows\": ", "\"rows\": 1");
    CU_ASSERT_EQUAL(read_all(&error), STATUS_IO);
    CHECK_SAYS("CURRENT");
    buffer_free(&good);
    CU_ASSERT(model_remove_folder(rank_comm(), folder));
}

static void test_missing(void)
{
    Error error = {0};
    Store *store = NULL;
    int64_t blocks;
    char path[PATH_SIZE];
    make_store();
    file_of(segment, path);
    comm_barrier(rank_comm());
    if (is_root())
        CU_ASSERT(unlink(path) == 0);
    CU_ASSERT_EQUAL(read_all(&error), STATUS_IO);
    CHECK_SAYS(segment);
    /* Others of the store are still good; verify lists this one. */
    CHECK_OK(store_open(rank_comm(), folder, STORE_WRITE, &store, &error));
    CHECK_OK(model_commit(rank_comm(), store, "more", &error));
    listen_begin();
    CU_ASSERT_EQUAL(store_verify(rank_comm(), store, &blocks, &error), STATUS_IO);
    listen_end(segment);
    CHECK_SAYS(segment);
    store_close(rank_comm(), &store);
    CU_ASSERT(model_remove_folder(rank_comm(), folder));
}

/* ---- damaged or newer JSON ---- */

static void check_json(const char *name, const char *from, const char *to, const char *says)
{
    Error error = {0};
    Buffer good = {0};
    get(name, &good);
    change_text(name, from, to);
    CU_ASSERT_EQUAL(read_all(&error), STATUS_IO);
    CHECK_SAYS(name);
    CHECK_SAYS(says);
    put(name, good.data, good.size);
    buffer_free(&good);
}

static void test_json(void)
{
    Error error = {0};
    make_store();
    const char newer[] =
        "was written by a newer Vesper (format 2, this one reads 1): upgrade Vesper";
    check_json("store.json", "\"format\": 1", "\"format\": 2", newer);
    check_json("store.json", "\"partitions\": 16", "\"partitions\": 17", "'partitions'");
    check_json("store.json", "\"partitions\": 16", "\"partitions\": 1e9", "'partitions'");
    check_json("store.json", "\"partitions\"", "\"party\"", "'partitions'");
    check_json("store.json", "Europe", "Eu\xff", "line");
    check_json("store.json", "{", "", "line 2");
    check_json("manifest/000001.json", "things", "thongs", "checksum");
    check_json("CURRENT", "00000", "00000x", "CURRENT");
    check_json("CURRENT", "000001", "../../../etc/passwd", "CURRENT");
    CHECK_OK(read_all(&error));
    CU_ASSERT(model_remove_folder(rank_comm(), folder));
}

/* The checks behind the checksum, which a careless hand at both files would meet. */
static void test_manifest_parse(void)
{
    static const char *const changes[][2] = {{"\"format\": 1", "\"format\": 0"},
                                             {"\"generation\": 1", "\"generation\": 0"},
                                             {"\"number\": 1", "\"number\": 2"},
                                             {"\"kind\": \"append\"", "\"kind\": \"apple\""},
                                             {"\"name\": \"", "\"name\": \"../"},
                                             {"int8", "int9"},
                                             {"\"rows\": ", "\"rows\": -"},
                                             {"money_minor", "gold"},
                                             {"\"name\": \"things\"", "\"name\": 7"},
                                             {"day int32", "day  int32"},
                                             {"[\n  0,", "[\n  -1,"},
                                             {"[\n  0,", "[\n"}};
    Error error = {0};
    Buffer good = {0};
    make_store();
    Store *store = NULL;
    CHECK_OK(store_open(rank_comm(), folder, STORE_READ, &store, &error));
    CU_ASSERT_EQUAL(store_rows(store, "orders"), 0);
    store_close(rank_comm(), &store);
    get("manifest/000001.json", &good);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        Buffer changed = {0};
        char line[64];
        const char *at = strstr(buffer_string(&good), changes[i][0]);
        CU_ASSERT_PTR_NOT_NULL(at);
        if (!at)
            continue;
        buffer_append(&changed, good.data, at - good.data);
        buffer_append_string(&changed, changes[i][1]);
        buffer_append_string(&changed, at + strlen(changes[i][0]));
        put("manifest/000001.json", changed.data, changed.size);
        int size = snprintf(line, sizeof line, "000001.json\n%016" PRIx64 "\n",
                            hash64(changed.data, changed.size));
        put("CURRENT", line, size);
        CU_ASSERT_EQUAL(read_all(&error), STATUS_IO);
        CHECK_SAYS("000001.json is damaged");
        buffer_free(&changed);
    }
    buffer_free(&good);
    CU_ASSERT(model_remove_folder(rank_comm(), folder));
}

/* ---- the lock ---- */

/* A process that holds the lock until it is killed. */
static pid_t hold_lock(void)
{
    char path[PATH_SIZE];
    int ready[2];
    file_of("lock", path);
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
    make_store();
    if (is_root())
        child = hold_lock();
    comm_barrier(rank_comm());
    CU_ASSERT_EQUAL(store_open(rank_comm(), folder, STORE_WRITE, &store, &error), STATUS_LOCKED);
    CU_ASSERT_PTR_NULL(store);
    CHECK_SAYS("host lighthouse, process 4711, since 2024-02-29T23:59:59Z");
    CHECK_OK(read_all(&error)); /* a reader does not mind */
    if (child > 0) {
        kill(child, SIGKILL);
        CU_ASSERT_EQUAL(waitpid(child, NULL, 0), child);
    }
    /* The dead writer's lock is free, and said to be left. */
    listen_begin();
    CHECK_OK(store_open(rank_comm(), folder, STORE_WRITE, &store, &error));
    listen_end("did not end in good order (host lighthouse, process 4711");
    CU_ASSERT_EQUAL(store_generation(store), 1);
    store_close(rank_comm(), &store);
    Buffer left = {0};
    comm_barrier(rank_comm()); /* rank 0 gives the lock back */
    get("lock", &left);
    CU_ASSERT_EQUAL(left.size, 0);
    buffer_free(&left);
    CU_ASSERT(model_remove_folder(rank_comm(), folder));
}

/* ---- crashes ---- */

/* What a killed writer may leave: things in tmp/, and segments that no manifest names. */
static void test_leftovers(void)
{
    static const char *const left[] = {"tmp/batch-000002", "tmp/results-night/deep",
                                       "segments/000002"};
    Error error = {0};
    Store *store = NULL;
    char path[PATH_SIZE];
    make_store();
    for (size_t i = 0; i < sizeof left / sizeof *left && is_root(); i++) {
        file_of(left[i], path);
        CHECK_OK(files_make_folder(path, &error));
        char name[PATH_SIZE + 16];
        snprintf(name, sizeof name, "%s/things.h5", path);
        CHECK_OK(files_create(name, &error));
    }
    comm_barrier(rank_comm());
    CHECK_OK(store_open(rank_comm(), folder, STORE_WRITE, &store, &error));
    file_of("tmp", path);
    if (is_root())
        CU_ASSERT(rmdir(path) == 0 && mkdir(path, 0700) == 0);
    CHECK_OK(model_commit(rank_comm(), store, "others", &error));
    CU_ASSERT_EQUAL(store_generation(store), 2);
    file_of("segments/000002/others.h5", path);
    CU_ASSERT(files_exist(path));
    file_of("segments/000002/things.h5", path);
    CU_ASSERT_FALSE(files_exist(path));
    file_of("manifest/000000.json", path);
    CU_ASSERT_FALSE(files_exist(path));
    file_of("manifest/000001.json", path);
    CU_ASSERT(files_exist(path));
    store_close(rank_comm(), &store);
    CHECK_OK(read_all(&error));
    CU_ASSERT(model_remove_folder(rank_comm(), folder));
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
    int32_t first = model_first(MODEL_PARTITIONS, comm_rank(comm), comm_size(comm));
    int32_t n = model_first(MODEL_PARTITIONS, comm_rank(comm) + 1, comm_size(comm)) - first;
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
    CU_ASSERT(model_make_folder(comm, folder));
    if (is_root())
        mounted = mount("tmpfs", folder, "tmpfs", 0, "size=2m") == 0;
    comm_sum_i64(comm, &mounted, 1);
    if (!mounted) {
        if (is_root())
            fprintf(stderr, "SKIPPED: a full disk: mounting a small tmpfs needs root\n");
        CU_ASSERT(model_remove_folder(comm, folder));
        return;
    }
    CHECK_OK(model_store(comm, folder, STORE_WRITE, &store, &error));
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
    CHECK_OK(read_all(&error));
    CHECK_OK(store_open(comm, folder, STORE_READ, &store, &error));
    CU_ASSERT_EQUAL(store_generation(store), generation);
    store_close(comm, &store);
    comm_barrier(comm);
    if (is_root())
        CU_ASSERT(umount(folder) == 0);
    CU_ASSERT(model_remove_folder(comm, folder));
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
    TRY(model_store(comm, folder, STORE_WRITE, &store, error));
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

static void arm(const char *site, int rank)
{
    Error error = {0};
    char text[128];
    snprintf(text, sizeof text, "%s:%d:1", site, rank);
    if (site)
        setenv("VESPER_FAULT", text, 1);
    else
        unsetenv("VESPER_FAULT");
    CHECK_OK(fault_init(comm_rank(rank_comm()), &error));
}

static void check_fault(const char *site, int rank, bool on_every_rank)
{
    Error error = {0};
    int64_t blocks = mem_live_blocks();
    int files = open_files();
    CU_ASSERT(model_make_folder(rank_comm(), folder));
    arm(site, rank);
    Status status = whole_story(&error);
    arm(NULL, 0);
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
    CU_ASSERT_EQUAL(open_files(), files);
    CU_ASSERT(model_remove_folder(rank_comm(), folder));
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
                 {"store.segment.sync", false},
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

CU_TestInfo store_damage_tests[] = {{"damaged_column", test_damaged_column},
                                    {"damaged_anywhere", test_damaged_anywhere},
                                    {"truncated", test_truncated},
                                    {"missing", test_missing},
                                    {"json", test_json},
                                    {"manifest_parse", test_manifest_parse},
                                    {"lock", test_lock},
                                    {"leftovers", test_leftovers},
                                    {"full_disk", test_full_disk},
                                    {"faults", test_faults},
                                    CU_TEST_INFO_NULL};
