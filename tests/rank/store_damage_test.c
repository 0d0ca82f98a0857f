/* The store when files of it are damaged, cut off, gone or newer: no rank reads a wrong value, and
 * the error names the file. */
#include "base/hash.h"
#include "rank/store_fixture.h"
#include "rank/suites.h"
#include "store/segment.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Replace `from` by `to` in a small text file. */
static void change_text(const char *name, const char *from, const char *to)
{
    Buffer old = {0}, changed = {0};
    store_fixture_get(name, &old);
    const char *at = strstr(buffer_string(&old), from);
    CU_ASSERT_PTR_NOT_NULL(at);
    if (at) {
        buffer_append(&changed, old.data, at - old.data);
        buffer_append_string(&changed, to);
        buffer_append_string(&changed, at + strlen(from));
    }
    store_fixture_put(name, changed.data, changed.size);
    buffer_free(&old);
    buffer_free(&changed);
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
    store_fixture_put(segment, good->data, good->size);
    CU_ASSERT_EQUAL(store_fixture_read_all(&error), STATUS_IO);
    CHECK_SAYS(text);
    CHECK_SAYS("backup");
    CHECK_OK(store_open(rank_comm(), store_fixture_folder, STORE_READ, &store, &error));
    store_fixture_listen_begin();
    CU_ASSERT_EQUAL(store_verify(rank_comm(), store, &blocks, &error), STATUS_IO);
    store_fixture_listen_end(text);
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
    char path[STORE_FIXTURE_PATH];
    store_fixture_make();
    store_fixture_path(segment, path);
    store_fixture_get(segment, &good);
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
    CU_ASSERT(model_remove_folder(rank_comm(), store_fixture_folder));
}

/* A flipped bit anywhere: the right rows, or an error that names the file. */
static void test_damaged_anywhere(void)
{
    Buffer good = {0};
    int64_t found = 0, step = 5 + 12 * comm_size(rank_comm());
    store_fixture_make();
    store_fixture_get(segment, &good);
    int files = store_fixture_open_files();
    for (int64_t at = 0; at < good.size; at += step) {
        Error error = {0};
        good.data[at] ^= (char)(1 << (at % 8));
        store_fixture_put(segment, good.data, good.size);
        Status status = store_fixture_read_all(&error);
        CU_ASSERT(status == STATUS_OK || status == STATUS_IO);
        if (status != STATUS_OK)
            CHECK_SAYS(segment);
        found += status != STATUS_OK;
        good.data[at] ^= (char)(1 << (at % 8));
    }
    CU_ASSERT(found > good.size / step / 2);
    CU_ASSERT_EQUAL(store_fixture_open_files(), files);
    buffer_free(&good);
    CU_ASSERT(model_remove_folder(rank_comm(), store_fixture_folder));
}

static void test_truncated(void)
{
    Buffer good = {0};
    Error error = {0};
    store_fixture_make();
    store_fixture_get(segment, &good);
    const int64_t sizes[] = {0, 1, 100, good.size / 2, good.size - 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        store_fixture_put(segment, good.data, sizes[i]);
        CU_ASSERT_EQUAL(store_fixture_read_all(&error), STATUS_IO);
        CHECK_SAYS(segment);
    }
    /* Whole, but of another batch. */
    store_fixture_put(segment, good.data, good.size);
    CHECK_OK(store_fixture_read_all(&error));
    change_text("manifest/000001.json", "\"rows\": ", "\"rows\": 1");
    CU_ASSERT_EQUAL(store_fixture_read_all(&error), STATUS_IO);
    CHECK_SAYS("CURRENT");
    buffer_free(&good);
    CU_ASSERT(model_remove_folder(rank_comm(), store_fixture_folder));
}

static void test_missing(void)
{
    Error error = {0};
    Store *store = NULL;
    int64_t blocks;
    char path[STORE_FIXTURE_PATH];
    store_fixture_make();
    store_fixture_path(segment, path);
    comm_barrier(rank_comm());
    if (store_fixture_is_root())
        CU_ASSERT(unlink(path) == 0);
    CU_ASSERT_EQUAL(store_fixture_read_all(&error), STATUS_IO);
    CHECK_SAYS(segment);
    /* Others of the store are still good; verify lists this one. */
    CHECK_OK(store_open(rank_comm(), store_fixture_folder, STORE_WRITE, &store, &error));
    CHECK_OK(model_commit(rank_comm(), store, "more", &error));
    store_fixture_listen_begin();
    CU_ASSERT_EQUAL(store_verify(rank_comm(), store, &blocks, &error), STATUS_IO);
    store_fixture_listen_end(segment);
    CHECK_SAYS(segment);
    store_close(rank_comm(), &store);
    CU_ASSERT(model_remove_folder(rank_comm(), store_fixture_folder));
}

/* ---- damaged or newer JSON ---- */

static void check_json(const char *name, const char *from, const char *to, const char *says)
{
    Error error = {0};
    Buffer good = {0};
    store_fixture_get(name, &good);
    change_text(name, from, to);
    CU_ASSERT_EQUAL(store_fixture_read_all(&error), STATUS_IO);
    CHECK_SAYS(name);
    CHECK_SAYS(says);
    store_fixture_put(name, good.data, good.size);
    buffer_free(&good);
}

static void test_json(void)
{
    Error error = {0};
    store_fixture_make();
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
    CHECK_OK(store_fixture_read_all(&error));
    CU_ASSERT(model_remove_folder(rank_comm(), store_fixture_folder));
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
    store_fixture_make();
    Store *store = NULL;
    CHECK_OK(store_open(rank_comm(), store_fixture_folder, STORE_READ, &store, &error));
    CU_ASSERT_EQUAL(store_rows(store, "orders"), 0);
    store_close(rank_comm(), &store);
    store_fixture_get("manifest/000001.json", &good);
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
        store_fixture_put("manifest/000001.json", changed.data, changed.size);
        int size = snprintf(line, sizeof line, "000001.json\n%016" PRIx64 "\n",
                            hash64(changed.data, changed.size));
        store_fixture_put("CURRENT", line, size);
        CU_ASSERT_EQUAL(store_fixture_read_all(&error), STATUS_IO);
        CHECK_SAYS("000001.json is damaged");
        buffer_free(&changed);
    }
    buffer_free(&good);
    CU_ASSERT(model_remove_folder(rank_comm(), store_fixture_folder));
}

CU_TestInfo store_damage_tests[] = {{"damaged_column", test_damaged_column},
                                    {"damaged_anywhere", test_damaged_anywhere},
                                    {"truncated", test_truncated},
                                    {"missing", test_missing},
                                    {"json", test_json},
                                    {"manifest_parse", test_manifest_parse},
                                    CU_TEST_INFO_NULL};
