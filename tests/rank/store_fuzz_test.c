/* The store when somebody means harm: segments, results and JSON changed at random, some with every
 * checksum made right again. Nothing may crash, hang, leave memory or files behind, or end in
 * anything but right rows or an error of one line. The changes are the same in every run. */
#include "base/hash.h"
#include "base/memory.h"
#include "base/random.h"
#include "rank/store_fixture.h"
#include "rank/suites.h"
#include "store/files.h"
#include "store/results.h"
#include "store/segment.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SEED = 20240501, GUARD_SECONDS = 60, NUMBER_BYTES = 8 };

static const char segment[] = "segments/000001/things.h5";

/* Numbers that a careless reader adds, multiplies or allocates. */
static int64_t hostile_number(Random *random)
{
    static const int64_t numbers[] = {
        0,         -1,        1,         INT64_MAX, INT64_MIN, INT32_MAX, INT32_MIN,
        1LL << 32, 1LL << 40, 1LL << 61, -8,        255,       65535,     MODEL_PARTITIONS + 1};
    int64_t n = sizeof numbers / sizeof *numbers, at = random_below(random, n + 4);
    return at < n ? numbers[at] : (int64_t)random_u64(random);
}

/* As store_fixture_put, but not to the disk: there are many. */
static void put(const char *name, const void *data, int64_t size)
{
    Error error = {0};
    char path[STORE_FIXTURE_PATH];
    store_fixture_path(name, path);
    comm_barrier(rank_comm());
    if (store_fixture_is_root())
        CHECK_OK(files_write_fresh(path, (Bytes){data, size}, &error));
    comm_barrier(rank_comm());
}

/* One change of any bytes; `file` may become shorter or longer. */
static void damage(Random *random, Buffer *file)
{
    int64_t at = random_below(random, file->size), size = 1 + random_below(random, 64);
    int64_t number = hostile_number(random);
    if (size > file->size - at)
        size = file->size - at;
    switch (random_below(random, 6)) {
    case 0:
        file->data[at] = (char)(file->data[at] ^ (1 << random_below(random, 8)));
        break;
    case 1:
        memset(file->data + at, random_below(random, 2) == 0 ? 0 : 0xff, (size_t)size);
        break;
    case 2:
        memmove(file->data + at, file->data + random_below(random, file->size - size + 1),
                (size_t)size);
        break;
    case 3:
        for (int64_t i = 0; i < size; i++)
            file->data[at + i] = (char)random_below(random, 256);
        break;
    case 4: /* fields of HDF5's headers lie at even bytes */
        at &= ~(int64_t)1;
        memcpy(file->data + at, &number, (size_t)(size < NUMBER_BYTES ? size : NUMBER_BYTES));
        break;
    default:
        if (random_below(random, 2) == 0)
            file->size = at;
        else
            buffer_append(file, &number, NUMBER_BYTES);
    }
}

/* Each change has so long; then SIGALRM ends the test, and with it the run fails. */
static void guard(void)
{
    (void)alarm(GUARD_SECONDS);
}

static void check_ending(Status status, const Error *error)
{
    CU_ASSERT(status == STATUS_OK || status == STATUS_IO);
    if (status != STATUS_OK)
        CU_ASSERT(error->message[0] != '\0' && strchr(error->message, '\n') == NULL);
}

/* Open, read every partition of every table, and verify; what is read may be anything. */
static Status read_anything(Error *error)
{
    Status status;
    Store *store = NULL;
    Table rows = {0};
    int64_t blocks;
    TRY(store_open(rank_comm(), store_fixture_folder, STORE_READ, &store, error));
    for (int32_t p = 0; p < store_settings(store)->partitions && status == STATUS_OK; p++)
        status = store_read_partition(store, "things", p, NULL, 0, &rows, error);
    TRY(comm_agree(rank_comm(), status, error));
    store_fixture_listen_begin(); /* what it finds it says, too */
    status = store_verify(rank_comm(), store, &blocks, error);
    store_fixture_listen_end("");
out:
    table_free(&rows);
    store_close(rank_comm(), &store);
    return status;
}

/* ---- any bytes of a segment ---- */

static void test_segment_bytes(void)
{
    enum { CHANGES = 500 };
    Buffer good = {0};
    int64_t found = 0;
    store_fixture_make();
    store_fixture_get(segment, &good);
    int files = store_fixture_open_files();
    for (int i = 0; i < CHANGES; i++) {
        Error error = {0};
        Buffer changed = {0};
        Random random = random_stream(SEED, (uint64_t)i);
        buffer_append_bytes(&changed, buffer_view(&good));
        for (int64_t k = random_below(&random, 3); k >= 0 && changed.size > 0; k--)
            damage(&random, &changed);
        guard();
        put(segment, changed.data, changed.size);
        Status status = store_fixture_read_all(&error); /* rows that are read are right */
        check_ending(status, &error);
        found += status != STATUS_OK;
        buffer_free(&changed);
    }
    (void)alarm(0);
    CU_ASSERT(found > CHANGES / 2);
    CU_ASSERT_EQUAL(store_fixture_open_files(), files);
    buffer_free(&good);
    CU_ASSERT(model_remove_folder(rank_comm(), store_fixture_folder));
}

/* ---- a segment whose checksums are all right ---- */

/* Replace the bytes `old` [size], wherever they stand in the file, by `fresh`. */
static void replace(Buffer *file, const void *old, const void *fresh, int64_t size)
{
    char *at = memmem(file->data, (size_t)file->size, old, (size_t)size);
    while (at != NULL) {
        memcpy(at, fresh, (size_t)size);
        at += size;
        at = memmem(at, (size_t)(file->data + file->size - at), old, (size_t)size);
    }
}

/* Put an array of the index that was changed into the file, with its checksum. */
static void reseal_index(Buffer *file, const SegmentLayout *good, const int64_t *changed,
                         int64_t place, int64_t n)
{
    int64_t bytes = n * NUMBER_BYTES;
    uint64_t before = hash64(good->index + place, bytes), after = hash64(changed + place, bytes);
    if (before == after)
        return;
    replace(file, good->index + place, changed + place, bytes);
    replace(file, &before, &after, NUMBER_BYTES);
}

/* Change some bytes of a column's block of partition p, and its checksum in `index`. */
static void change_block(Random *random, Buffer *file, int64_t at, int64_t size, int64_t *checksum)
{
    if (size <= 0)
        return;
    for (int64_t i = random_below(random, 4); i >= 0; i--) {
        int64_t number = hostile_number(random), place = random_below(random, size);
        int64_t width = (int64_t)1 << random_below(random, 4);
        if (width > size - place)
            width = size - place;
        memcpy(file->data + at + place, &number, (size_t)width);
    }
    *checksum = (int64_t)hash64(file->data + at, size);
}

static void change_column(Random *random, Buffer *file, const SegmentLayout *good, int64_t *index)
{
    const SegmentColumn *column = &good->columns[random_below(random, good->n_columns)];
    int64_t p = random_below(random, good->partitions);
    const int64_t *rows = good->index;
    int64_t width = (int64_t)column_width(column->stored);
    if (column->type != COLUMN_TEXT) {
        change_block(random, file, column->data_at + rows[p] * width,
                     (rows[p + 1] - rows[p]) * width, &index[column->checksum + p]);
        return;
    }
    const int64_t *bytes = good->index + column->byte_offset;
    change_block(random, file, column->ends_at + rows[p] * width, (rows[p + 1] - rows[p]) * width,
                 &index[column->ends_checksum + p]);
    if (random_below(random, 2) == 0)
        change_block(random, file, column->data_at + bytes[p], bytes[p + 1] - bytes[p],
                     &index[column->checksum + p]);
    if (random_below(random, 3) == 0)
        index[column->byte_offset + random_below(random, good->partitions + 1)] =
            hostile_number(random);
}

static void reseal(Buffer *file, const SegmentLayout *good, const int64_t *index)
{
    int64_t n = good->partitions;
    reseal_index(file, good, index, 0, n + 1);
    for (int i = 0; i < good->n_columns; i++) {
        const SegmentColumn *column = &good->columns[i];
        reseal_index(file, good, index, column->checksum, n);
        if (column->type != COLUMN_TEXT)
            continue;
        reseal_index(file, good, index, column->ends_checksum, n);
        reseal_index(file, good, index, column->byte_offset, n + 1);
    }
}

static void test_resealed_segment(void)
{
    enum { CHANGES = 400 };
    Buffer good = {0};
    SegmentLayout layout = {0};
    Error error = {0};
    char path[STORE_FIXTURE_PATH];
    int64_t read_well = 0, refused = 0;
    store_fixture_make();
    store_fixture_path(segment, path);
    store_fixture_get(segment, &good);
    CHECK_OK(segment_layout_read(path, segment, &layout, &error));
    for (int i = 0; i < CHANGES && layout.n_columns > 0; i++) {
        Buffer changed = {0};
        Random random = random_stream(SEED + 1, (uint64_t)i);
        int64_t *index = mem_new(layout.n_index, sizeof *index);
        memcpy(index, layout.index, (size_t)layout.n_index * sizeof *index);
        buffer_append_bytes(&changed, buffer_view(&good));
        change_column(&random, &changed, &layout, index);
        if (i % 4 == 0)
            index[random_below(&random, layout.partitions + 1)] = hostile_number(&random);
        reseal(&changed, &layout, index);
        guard();
        put(segment, changed.data, changed.size);
        Status status = read_anything(&error);
        check_ending(status, &error);
        read_well += status == STATUS_OK;
        refused += status != STATUS_OK;
        mem_free(&index);
        buffer_free(&changed);
    }
    (void)alarm(0);
    CU_ASSERT(read_well > CHANGES / 10); /* else the checksums were not made right */
    CU_ASSERT(refused > CHANGES / 10);
    segment_layout_free(&layout);
    buffer_free(&good);
    CU_ASSERT(model_remove_folder(rank_comm(), store_fixture_folder));
}

/* ---- JSON ---- */

static const char *const hostile_words[] = {
    "-1",
    "0",
    "99999999999999999999",
    "1e99",
    "null",
    "true",
    "[]",
    "{}",
    "\"x\"",
    "9223372036854775807",
    "2147483648",
    "\"../..\"",
    "1048577",
    "[[[[[[[[",
    "\"\"",
    "\"\\u0000\"",
    "-9223372036854775808",
    "0.5",
    "\"/etc/passwd\"",
    "\"a\\n\"",
};

static bool is_word(char c)
{
    return c != '\0' && strchr(" \n\t,:[]{}", c) == NULL;
}

/* Change one value or name of a JSON text for a hostile one; or any bytes. */
static void change_json(Random *random, const Buffer *good, Buffer *changed)
{
    int64_t n = sizeof hostile_words / sizeof *hostile_words;
    int64_t begin = random_below(random, good->size), end;
    buffer_clear(changed);
    if (random_below(random, 4) == 0) {
        buffer_append_bytes(changed, buffer_view(good));
        damage(random, changed);
        return;
    }
    while (begin < good->size - 1 && !is_word(good->data[begin]))
        begin++;
    while (begin > 0 && is_word(good->data[begin - 1]))
        begin--;
    for (end = begin; end < good->size && is_word(good->data[end]); end++)
        continue;
    buffer_append(changed, good->data, begin);
    buffer_append_string(changed, hostile_words[random_below(random, n)]);
    buffer_append(changed, good->data + end, good->size - end);
}

/* CURRENT says what it would if this were the manifest that Vesper wrote. */
static void put_current(const Buffer *manifest)
{
    char line[64];
    int size = snprintf(line, sizeof line, "000001.json\n%016" PRIx64 "\n",
                        hash64(manifest->data, manifest->size));
    put("CURRENT", line, size);
}

static void check_json_file(const char *name, int changes, uint64_t seed)
{
    Buffer good = {0}, current = {0};
    bool is_manifest = strncmp(name, "manifest", 8) == 0;
    int64_t refused = 0;
    store_fixture_make();
    store_fixture_get(name, &good);
    store_fixture_get("CURRENT", &current);
    for (int i = 0; i < changes; i++) {
        Error error = {0};
        Buffer changed = {0};
        Random random = random_stream(seed, (uint64_t)i);
        change_json(&random, &good, &changed);
        guard();
        put(name, changed.data, changed.size);
        if (is_manifest)
            put_current(&changed);
        Status status = read_anything(&error);
        check_ending(status, &error);
        refused += status != STATUS_OK;
        buffer_free(&changed);
    }
    (void)alarm(0);
    CU_ASSERT(refused > changes / 3);
    buffer_free(&good);
    buffer_free(&current);
    CU_ASSERT(model_remove_folder(rank_comm(), store_fixture_folder));
}

static void test_manifest(void)
{
    check_json_file("manifest/000001.json", 300, SEED + 2);
}

static void test_settings(void)
{
    check_json_file("store.json", 100, SEED + 3);
}

static void test_current(void)
{
    check_json_file("CURRENT", 100, SEED + 4);
}

/* ---- results and checkpoints ---- */

static Status make_results(Error *error)
{
    Status status;
    Store *store = NULL;
    ResultWriter *writer = NULL;
    Table rows = {0};
    model_init(&rows);
    TRY(store_open(rank_comm(), store_fixture_folder, STORE_WRITE, &store, error));
    TRY(results_begin(rank_comm(), store, "night", &writer, error));
    for (int32_t p = 0; p < MODEL_PARTITIONS && status == STATUS_OK; p++)
        if (store_fixture_is_root())
            status = model_append(&rows, 1, p, error);
    TRY(comm_agree(rank_comm(), status, error));
    TRY(results_write(rank_comm(), writer, "things", "name", &rows, error));
    TRY(results_commit(rank_comm(), &writer, error));
out:
    results_discard(rank_comm(), &writer);
    table_free(&rows);
    store_close(rank_comm(), &store);
    return status;
}

/* As publishing reads them; every rank does. */
static Status read_results(Error *error)
{
    Status status;
    Store *store = NULL;
    ResultReader *reader = NULL;
    Table rows = {0};
    TRY(store_open(rank_comm(), store_fixture_folder, STORE_READ, &store, error));
    status = results_open(store, "night", &reader, error);
    for (int i = 0; status == STATUS_OK && i < results_count(reader); i++)
        for (int64_t b = 0;
             status == STATUS_OK && b * RESULT_BLOCK < results_table(reader, i)->rows; b++)
            status = results_read_block(reader, i, b, &rows, error);
    status = comm_agree(rank_comm(), status, error);
out:
    results_close(&reader);
    table_free(&rows);
    store_close(rank_comm(), &store);
    return status;
}

static void check_results_file(const char *name, int changes, uint64_t seed)
{
    Error error = {0};
    Buffer good = {0};
    bool is_json = strstr(name, ".json") != NULL;
    int64_t refused = 0;
    store_fixture_make();
    CHECK_OK(make_results(&error));
    CHECK_OK(read_results(&error));
    store_fixture_get(name, &good);
    int files = store_fixture_open_files();
    for (int i = 0; i < changes; i++) {
        Buffer changed = {0};
        Random random = random_stream(seed, (uint64_t)i);
        buffer_append_bytes(&changed, buffer_view(&good));
        if (is_json)
            change_json(&random, &good, &changed);
        else
            damage(&random, &changed);
        guard();
        put(name, changed.data, changed.size);
        Status status = read_results(&error);
        check_ending(status, &error);
        refused += status != STATUS_OK;
        buffer_free(&changed);
    }
    (void)alarm(0);
    CU_ASSERT(refused > changes / 3);
    CU_ASSERT_EQUAL(store_fixture_open_files(), files);
    buffer_free(&good);
    CU_ASSERT(model_remove_folder(rank_comm(), store_fixture_folder));
}

static void test_results_index(void)
{
    check_results_file("results/night/tables.json", 200, SEED + 5);
}

static void test_results_table(void)
{
    check_results_file("results/night/things.h5", 200, SEED + 6);
}

CU_TestInfo store_fuzz_tests[] = {{"any bytes of a segment", test_segment_bytes},
                                  {"a segment with right checksums", test_resealed_segment},
                                  {"manifest", test_manifest},
                                  {"settings", test_settings},
                                  {"current", test_current},
                                  {"index of results", test_results_index},
                                  {"table of results", test_results_table},
                                  CU_TEST_INFO_NULL};
