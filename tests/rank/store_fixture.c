/* The store that tests harm; see store_fixture.h. */
#include "rank/store_fixture.h"

#include "base/log.h"
#include "rank/suites.h"
#include "store/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

char store_fixture_folder[MODEL_PATH_SIZE];

bool store_fixture_is_root(void)
{
    return comm_rank(rank_comm()) == 0;
}

void store_fixture_make(void)
{
    Error error = {0};
    Store *store = NULL;
    CU_ASSERT(model_make_folder(rank_comm(), store_fixture_folder));
    CHECK_OK(model_store(rank_comm(), store_fixture_folder, STORE_WRITE, &store, &error));
    CHECK_OK(model_commit(rank_comm(), store, "things", &error));
    store_close(rank_comm(), &store);
}

void store_fixture_path(const char *name, char path[STORE_FIXTURE_PATH])
{
    snprintf(path, STORE_FIXTURE_PATH, "%s/%s", store_fixture_folder, name);
}

int store_fixture_open_files(void)
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

void store_fixture_put(const char *name, const void *data, int64_t size)
{
    Error error = {0};
    char path[STORE_FIXTURE_PATH];
    store_fixture_path(name, path);
    comm_barrier(rank_comm());
    if (store_fixture_is_root())
        CHECK_OK(files_write_small(path, (Bytes){data, size}, &error));
    comm_barrier(rank_comm());
}

void store_fixture_get(const char *name, Buffer *contents)
{
    Error error = {0};
    char path[STORE_FIXTURE_PATH];
    store_fixture_path(name, path);
    buffer_clear(contents);
    CHECK_OK(files_read_small(path, 1 << 24, contents, &error));
    comm_barrier(rank_comm());
}

/* Where stderr went before somebody listened. */
static int real_stderr = -1;

void store_fixture_listen_begin(void)
{
    char path[STORE_FIXTURE_PATH];
    store_fixture_path("said", path);
    log_init(comm_rank(rank_comm()), LOG_WARN);
    fflush(stderr);
    if (!store_fixture_is_root())
        return;
    int said = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    real_stderr = dup(STDERR_FILENO);
    CU_ASSERT(said >= 0 && dup2(said, STDERR_FILENO) >= 0);
    close(said);
}

void store_fixture_listen_end(const char *expected)
{
    Buffer said = {0};
    fflush(stderr);
    if (store_fixture_is_root()) {
        CU_ASSERT(dup2(real_stderr, STDERR_FILENO) >= 0);
        close(real_stderr);
    }
    comm_barrier(rank_comm());
    store_fixture_get("said", &said);
    CU_ASSERT_PTR_NOT_NULL(strstr(buffer_string(&said), expected));
    buffer_free(&said);
}

Status store_fixture_read_all(Error *error)
{
    Status status;
    Store *store = NULL;
    Table rows = {0};
    TRY(store_open(rank_comm(), store_fixture_folder, STORE_READ, &store, error));
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

Store *store_fixture_open(void)
{
    Error error = {0};
    Store *store = NULL;
    store_fixture_make();
    CU_ASSERT_EQUAL(store_open(rank_comm(), store_fixture_folder, STORE_WRITE, &store, &error),
                    STATUS_OK);
    return store;
}

Store *store_fixture_open_empty(void)
{
    Error error = {0};
    Store *store = NULL;
    CU_ASSERT(model_make_folder(rank_comm(), store_fixture_folder));
    CHECK_OK(model_store(rank_comm(), store_fixture_folder, STORE_WRITE, &store, &error));
    return store;
}

void store_fixture_close(Store **store)
{
    store_close(rank_comm(), store);
    CU_ASSERT(model_remove_folder(rank_comm(), store_fixture_folder));
}
