/* Nights for the publish tests: see publish_nights.h. */
#include "rank/publish_nights.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { NIGHT_ROWS = 1000 };

static const ColumnSpec item_columns[] = {
    {"product", COLUMN_TEXT, UNIT_NONE}, {"day", COLUMN_I32, UNIT_DAY},
    {"month", COLUMN_I32, UNIT_MONTH},   {"net", COLUMN_I64, UNIT_MONEY_MINOR},
    {"share", COLUMN_F64, UNIT_NONE},    {"night", COLUMN_I8, UNIT_COUNT},
};
static const ColumnSpec total_columns[] = {{"night", COLUMN_I8, UNIT_COUNT},
                                           {"items", COLUMN_I32, UNIT_COUNT}};

/* What a night says about item i. */
int64_t nights_rows(int night)
{
    return night == NIGHTS_LAST ? RESULT_BLOCK + NIGHT_ROWS : NIGHT_ROWS + 10 * night;
}

int64_t nights_net(int night, int64_t i)
{
    return i % 5 == 1 ? MONEY_NONE : i * night - 1000;
}

int32_t nights_day(int64_t i)
{
    return i % 7 == 3 ? DAY_NONE : NIGHTS_FIRST_DAY + (int32_t)(i % 100);
}

static Status fill_items(Table *rows, int night, int64_t begin, int64_t end, Error *error)
{
    Status status = STATUS_OK;
    for (int64_t i = begin; i < end; i++) {
        char product[32];
        TRY(table_add_row(rows, error));
        (void)snprintf(product, sizeof product, "it'em %06lld \xc3\xa4", (long long)i);
        TRY(table_set_last_text(rows, table_column(rows, "product"), bytes_of(product), error));
        int64_t at = rows->rows - 1;
        ((int32_t *)table_column(rows, "day")->data)[at] = nights_day(i);
        ((int32_t *)table_column(rows, "month")->data)[at] = NIGHTS_FIRST_MONTH + (int32_t)(i % 30);
        ((int64_t *)table_column(rows, "net")->data)[at] = nights_net(night, i);
        ((double *)table_column(rows, "share")->data)[at] = (double)i / 3;
        ((int8_t *)table_column(rows, "night")->data)[at] = (int8_t)night;
    }
out:
    return status;
}

static Status write_items(Comm *comm, ResultWriter *writer, int night, Error *error)
{
    Status status;
    Table rows = {0};
    int64_t n = nights_rows(night), rank = comm_rank(comm), size = comm_size(comm);
    table_init(&rows, item_columns, 6);
    TRY_ALL(comm, fill_items(&rows, night, n * rank / size, n * (rank + 1) / size, error), error);
    TRY(results_write(comm, writer, "items", "product,night", &rows, error));
out:
    table_free(&rows);
    return status;
}

/* One row on rank 0. Even nights have no such table. */
static Status write_totals(Comm *comm, ResultWriter *writer, const char *name, int night,
                           Error *error)
{
    Status status = STATUS_OK;
    Table rows = {0};
    table_init(&rows, total_columns, 2);
    if (comm_rank(comm) == 0) {
        status = table_set_rows(&rows, 1, error);
        if (status == STATUS_OK) {
            ((int8_t *)table_column(&rows, "night")->data)[0] = (int8_t)night;
            ((int32_t *)table_column(&rows, "items")->data)[0] = (int32_t)nights_rows(night);
        }
    }
    TRY(comm_agree(comm, status, error));
    TRY(results_write(comm, writer, name, "night", &rows, error));
out:
    table_free(&rows);
    return status;
}

void nights_run_name(int night, char name[STORE_NAME_SIZE])
{
    (void)snprintf(name, STORE_NAME_SIZE, "night-%d", night);
}

static Status write_night(Comm *comm, Store *store, int night, Error *error)
{
    Status status;
    ResultWriter *writer = NULL;
    char name[STORE_NAME_SIZE];
    nights_run_name(night, name);
    TRY(results_begin(comm, store, name, &writer, error));
    TRY(write_items(comm, writer, night, error));
    TRY(write_totals(comm, writer, "totals", night, error));
    if (night % 2 == 1)
        TRY(write_totals(comm, writer, "odd_totals", night, error));
    TRY(results_commit(comm, &writer, error));
out:
    if (writer != NULL)
        results_discard(comm, &writer);
    return status;
}

static Status make_store(Comm *comm, Nights *nights, Error *error)
{
    static const StoreSettings settings = {
        .partitions = 4, .money_decimals = 2, .time_zone = "UTC", .currency = "EUR"};
    char path[NIGHTS_PATH_SIZE + 8];
    Status status;
    (void)snprintf(path, sizeof path, "%s/store", nights->folder);
    TRY(store_create(comm, path, &settings, error));
    TRY(store_open(comm, path, STORE_WRITE, &nights->store, error));
    for (int night = 1; night <= NIGHTS_LAST; night++)
        TRY(write_night(comm, nights->store, night, error));
out:
    return status;
}

Status nights_make(Comm *comm, Nights *nights, Error *error)
{
    const char *temporary = getenv("TMPDIR");
    (void)snprintf(nights->folder, sizeof nights->folder, "%s/vesper-publish.XXXXXX",
                   temporary != NULL ? temporary : "/tmp");
    if (comm_rank(comm) == 0 && mkdtemp(nights->folder) != NULL)
        (void)chmod(nights->folder, 0755);
    comm_broadcast(comm, 0, nights->folder, NIGHTS_PATH_SIZE);
    return make_store(comm, nights, error);
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info;
    (void)type;
    (void)where;
    return remove(path);
}

bool nights_remove(Comm *comm, Nights *nights)
{
    store_close(comm, &nights->store);
    comm_barrier(comm);
    return comm_rank(comm) != 0 || nftw(nights->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0;
}
