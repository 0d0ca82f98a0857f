#include "rank/parse_fixture.h"

#include "base/memory.h"
#include "store/files.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const Option options[] = {
    {"config", 'c', NULL, NULL, OPTION_TEXT, "FILE", NULL, 0, 0, "ini"},
};
static const char *const free_sections[] = {"orders", "orders.columns", "products", "customers",
                                            "events", "reviews",        NULL};

/* ---- setting up ---- */

static Status open_all(ParseFixture *fixture, const char *ini)
{
    Status status = STATUS_OK;
    Comm *comm = rank_comm();
    StoreSettings settings = {.partitions = 8, .money_decimals = 2};
    char path[128], flag[160];
    (void)snprintf(settings.time_zone, sizeof settings.time_zone, "Europe/London");
    (void)snprintf(settings.currency, sizeof settings.currency, "GBP");
    (void)snprintf(flag, sizeof flag, "--config=%s/shop.ini", fixture->folder);
    if (ini != NULL)
        parse_fixture_write_text(fixture, "shop.ini", ini);
    char *argv[] = {(char *)(uintptr_t) "test", flag, NULL};
    TRY_ALL(comm,
            config_parse(ini != NULL ? 2 : 1, argv, options, 1, NULL, free_sections,
                         &fixture->config, &fixture->error),
            &fixture->error);
    (void)snprintf(path, sizeof path, "%s/store", fixture->folder);
    TRY(store_create(comm, path, &settings, &fixture->error));
    TRY(store_open(comm, path, STORE_WRITE, &fixture->store, &fixture->error));
out:
    return status;
}

void parse_fixture_begin(ParseFixture *fixture, const char *ini)
{
    *fixture = (ParseFixture){0};
    (void)snprintf(fixture->folder, sizeof fixture->folder, "/tmp/vesper-parse-XXXXXX");
    if (comm_rank(rank_comm()) == 0 && mkdtemp(fixture->folder) == NULL)
        abort();
    comm_broadcast(rank_comm(), 0, fixture->folder, sizeof fixture->folder);
    Status status = open_all(fixture, ini);
    if (status != STATUS_OK)
        (void)fprintf(stderr, "fixture: %s\n", fixture->error.message);
    CU_ASSERT_EQUAL(status, STATUS_OK);
}

static int count_files(const char *path)
{
    int n = 0;
    DIR *folder = opendir(path);
    for (struct dirent *entry = folder != NULL ? readdir(folder) : NULL; entry != NULL;
         entry = readdir(folder))
        n += entry->d_name[0] != '.';
    if (folder != NULL)
        (void)closedir(folder);
    return n;
}

void parse_fixture_end(ParseFixture *fixture)
{
    char path[128];
    comm_barrier(rank_comm());
    parsed_batch_free(&fixture->batch);
    comm_barrier(rank_comm());
    (void)snprintf(path, sizeof path, "%s/store/tmp", fixture->folder);
    CU_ASSERT_EQUAL(count_files(path), 0);
    store_close(rank_comm(), &fixture->store);
    config_free(&fixture->config);
    comm_barrier(rank_comm());
    if (comm_rank(rank_comm()) == 0)
        CU_ASSERT_EQUAL(files_remove(fixture->folder, &fixture->error), STATUS_OK);
    comm_barrier(rank_comm());
}

void parse_fixture_write(const ParseFixture *fixture, const char *name, Bytes content)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", fixture->folder, name);
    if (comm_rank(rank_comm()) == 0) {
        char *slash = strrchr(path, '/');
        Error error = {0};
        *slash = 0;
        if (files_make_folder(path, &error) != STATUS_OK)
            abort();
        *slash = '/';
        FILE *file = fopen(path, "wb");
        if (file == NULL ||
            fwrite(content.data, 1, (size_t)content.size, file) != (size_t)content.size ||
            fclose(file) != 0)
            abort();
    }
    comm_barrier(rank_comm());
}

void parse_fixture_write_text(const ParseFixture *fixture, const char *name, const char *content)
{
    parse_fixture_write(fixture, name, bytes_of(content));
}

Status parse_fixture_parse(ParseFixture *fixture, const char *table, const char *name)
{
    char input[256];
    (void)snprintf(input, sizeof input, "%s=%s/%s", table, fixture->folder, name);
    fixture->error = (Error){0};
    return parse_input(rank_comm(), fixture->store, fixture->config, input, &fixture->batch,
                       &fixture->error);
}

/* ---- what came of it ---- */

static const ParsedTable *last_table(const ParseFixture *fixture)
{
    return &fixture->batch.tables[fixture->batch.n_tables - 1];
}

static const StringMap *map_of(const ParseFixture *fixture, const char *column)
{
    for (int i = 0; i < DICTIONARY_COUNT; i++) {
        if (strcmp(dictionary_name((Dictionary)i), column) == 0)
            return &fixture->batch.maps[i];
    }
    return NULL;
}

static void show_value(const ParseFixture *fixture, const Column *column, int64_t row, Buffer *text)
{
    if (column->type == COLUMN_TEXT) {
        buffer_printf(text, "'");
        buffer_append_bytes(text, column_text(column, row));
        buffer_printf(text, "'");
        return;
    }
    int64_t number = column_integer(column, row);
    if (number == INT64_MIN || (number == INT32_MIN && column->type == COLUMN_I32) ||
        (number == -1 && column->unit == UNIT_CODE))
        buffer_printf(text, "-");
    else if (column->unit == UNIT_CODE)
        buffer_append_bytes(text, string_map_text(map_of(fixture, column->name), (int32_t)number));
    else
        buffer_printf(text, "%" PRId64, number);
}

/* Every rank's text in rank order, on every rank. */
static void gather(Buffer *own, Buffer *all)
{
    char *bytes = NULL;
    int64_t size = 0;
    Error error = {0};
    if (comm_gather_all(rank_comm(), own->data, own->size, &bytes, &size, NULL, &error) !=
        STATUS_OK)
        abort();
    buffer_append(all, bytes, size);
    mem_free(&bytes);
    buffer_free(own);
}

void parse_fixture_rows(const ParseFixture *fixture, Buffer *text)
{
    const Table *rows = &last_table(fixture)->rows;
    Buffer own = {0};
    for (int64_t row = 0; row < rows->rows; row++) {
        for (int i = 0; i < rows->n_columns; i++) {
            if (strcmp(rows->columns[i].name, "row") == 0)
                continue;
            if (i > 0)
                buffer_append(&own, " ", 1);
            show_value(fixture, &rows->columns[i], row, &own);
        }
        buffer_append(&own, "\n", 1);
    }
    gather(&own, text);
}

void parse_fixture_rejects(const ParseFixture *fixture, Buffer *text)
{
    Buffer own = {0}, all = {0};
    const ParsedTable *table = last_table(fixture);
    buffer_append_bytes(&own, buffer_view(&table->reject_header));
    buffer_append_bytes(&own, buffer_view(&table->rejects));
    gather(&own, &all);
    /* Without the name of the folder, which differs from run to run. */
    size_t length = strlen(fixture->folder);
    for (int64_t i = 0; i < all.size;) {
        if (strncmp(all.data + i, fixture->folder, length) == 0)
            i += (int64_t)length + 1;
        else
            buffer_append(text, all.data + i++, 1);
    }
    buffer_free(&all);
}

void parse_fixture_counts(const ParseFixture *fixture, Buffer *text)
{
    const ParsedTable *table = last_table(fixture);
    for (int i = 0; i < table->n_inputs; i++) {
        const RowCounts *counts = &table->inputs[i].counts;
        buffer_printf(text, "%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n", counts->read,
                      counts->stored, counts->rejected, counts->unchanged);
    }
}

static void expect_text(Buffer *got, const char *expected, const char *what)
{
    const char *text = buffer_string(got);
    bool same = expected == NULL || strcmp(text, expected) == 0;
    if (!same && comm_rank(rank_comm()) == 0) {
        size_t at = 0;
        while (text[at] == expected[at])
            at++;
        size_t before = at < 60 ? at : 60;
        (void)fprintf(stderr, "%s: at byte %zu:\n%.200s\ninstead of\n%.200s\n", what, at,
                      text + at - before, expected + at - before);
    }
    CU_ASSERT_TRUE(same);
    buffer_free(got);
}

void parse_fixture_expect(ParseFixture *fixture, const char *table, const char *name,
                          const char *rows, const char *rejects, const char *counts)
{
    Buffer text = {0};
    Status status = parse_fixture_parse(fixture, table, name);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    if (status != STATUS_OK) {
        (void)fprintf(stderr, "%s: %s\n", name, fixture->error.message);
        return;
    }
    parse_fixture_rows(fixture, &text);
    expect_text(&text, rows, name);
    parse_fixture_rejects(fixture, &text);
    expect_text(&text, rejects, name);
    parse_fixture_counts(fixture, &text);
    expect_text(&text, counts, name);
}

void parse_fixture_expect_failure(ParseFixture *fixture, const char *table, const char *name,
                                  Status expected, const char *const *words)
{
    Status status = parse_fixture_parse(fixture, table, name);
    CU_ASSERT_EQUAL(status, expected);
    CU_ASSERT_EQUAL(fixture->error.status, expected);
    for (; *words != NULL; words++) {
        bool found = strstr(fixture->error.message, *words) != NULL;
        if (!found)
            (void)fprintf(stderr, "%s: no \"%s\" in \"%s\"\n", name, *words,
                          fixture->error.message);
        CU_ASSERT_TRUE(found);
    }
}
