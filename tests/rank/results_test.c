/* Results: tables of a run written by all ranks and read by one. */
#include "base/memory.h"
#include "rank/store_fixture.h"
#include "rank/suites.h"
#include "store/files.h"
#include "store/results.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const ColumnSpec columns[] = {{"day", COLUMN_I32, UNIT_DAY},
                                     {"net_minor", COLUMN_I64, UNIT_MONEY_MINOR},
                                     {"label", COLUMN_TEXT, UNIT_NONE}};

static Status append_row(Table *rows, int64_t i, Error *error)
{
    char text[32];
    Status status = table_add_row(rows, error);
    if (status != STATUS_OK)
        return status;
    ((int32_t *)rows->columns[0].data)[rows->rows - 1] = (int32_t)(i / 100);
    ((int64_t *)rows->columns[1].data)[rows->rows - 1] = -i * i;
    int size = snprintf(text, sizeof text, "%ld", i % 1000 == 0 ? 1L << (i % 63) : (long)i);
    return table_set_last_text(rows, &rows->columns[2], (Bytes){text, i % 3 == 0 ? 0 : size},
                               error);
}

/* Rows [begin, end) of the table `n`, cut over the ranks as in the model. */
static Status make_rows(Table *rows, int64_t n, Error *error)
{
    Status status = STATUS_OK;
    int rank = comm_rank(rank_comm()), size = comm_size(rank_comm());
    table_init(rows, columns, 3);
    for (int64_t i = model_first(n, rank, size); i < model_first(n, rank + 1, size); i++)
        TRY(append_row(rows, i, error));
out:
    return status;
}

static Status write_table(ResultWriter *writer, const char *name, int64_t n, Error *error)
{
    Status status;
    Table rows;
    TRY_ALL(rank_comm(), make_rows(&rows, n, error), error);
    TRY(results_write(rank_comm(), writer, name, "day,label", &rows, error));
out:
    table_free(&rows);
    return status;
}

static const int64_t sizes[] = {
    0, 1, RESULT_BLOCK - 1, RESULT_BLOCK, RESULT_BLOCK + 1, 3 * RESULT_BLOCK + 17};
static const char *const names[] = {"none", "one", "less", "block", "more", "many"};
enum { N_TABLES = sizeof sizes / sizeof *sizes };

static Status write_run(Store *store, const char *run, Error *error)
{
    Status status;
    ResultWriter *writer = NULL;
    TRY(results_begin(rank_comm(), store, run, &writer, error));
    for (int i = 0; i < N_TABLES; i++)
        TRY(write_table(writer, names[i], sizes[i], error));
    TRY(results_commit(rank_comm(), &writer, error));
out:
    results_discard(rank_comm(), &writer);
    return status;
}

static void check_table(ResultReader *reader, int i)
{
    Error error = {0};
    Table rows = {0};
    const ResultTable *table = results_table(reader, i);
    CU_ASSERT_STRING_EQUAL(table->name, names[i]);
    CU_ASSERT_STRING_EQUAL(table->key, "day,label");
    CU_ASSERT_EQUAL(table->rows, sizes[i]);
    CU_ASSERT_EQUAL(table->n_columns, 3);
    for (int c = 0; c < 3; c++) {
        CU_ASSERT_STRING_EQUAL(table->columns[c].name, columns[c].name);
        CU_ASSERT_EQUAL(table->columns[c].type, columns[c].type);
        CU_ASSERT_EQUAL(table->columns[c].unit, columns[c].unit);
    }
    int64_t at = 0;
    for (int64_t block = 0; at < table->rows; block++) {
        CHECK_OK(results_read_block(reader, i, block, &rows, &error));
        int64_t left = table->rows - at;
        CU_ASSERT_EQUAL(rows.rows, left < RESULT_BLOCK ? left : RESULT_BLOCK);
        Table expected;
        bool same = rows.rows > 0;
        table_init(&expected, columns, 3);
        for (int64_t k = 0; k < rows.rows && same; k++)
            same = append_row(&expected, at + k, &error) == STATUS_OK;
        static const SortKey keys[] = {{"day", false}, {"net_minor", false}, {"label", false}};
        for (int64_t k = 0; k < rows.rows && same; k++)
            same = table_compare_rows(&rows, k, &expected, k, keys, 3) == 0;
        CU_ASSERT(same);
        at += rows.rows;
        table_free(&expected);
        if (rows.rows == 0)
            break;
    }
    table_free(&rows);
}

static void check_run(const Store *store, const char *run)
{
    Error error = {0};
    ResultReader *reader = NULL;
    if (comm_rank(rank_comm()) == comm_size(rank_comm()) - 1) {
        CHECK_OK(results_open(store, run, &reader, &error));
        CU_ASSERT_EQUAL(reader ? results_count(reader) : 0, N_TABLES);
        for (int i = 0; reader && i < N_TABLES; i++)
            check_table(reader, i);
    }
    results_close(&reader);
    comm_barrier(rank_comm());
}

static void test_round_trip(void)
{
    Error error = {0};
    Store *store = store_fixture_open_empty();
    CU_ASSERT_FALSE(results_exist(store, "000000-abc"));
    CHECK_OK(write_run(store, "000000-abc", &error));
    CU_ASSERT(results_exist(store, "000000-abc"));
    check_run(store, "000000-abc");
    /* The same night again takes the first one's place. */
    CHECK_OK(write_run(store, "000000-abc", &error));
    check_run(store, "000000-abc");
    CHECK_OK(write_run(store, "other.run_2", &error));
    check_run(store, "000000-abc");
    check_run(store, "other.run_2");
    store_fixture_close(&store);
}

static void test_discard(void)
{
    Error error = {0};
    ResultWriter *writer = NULL;
    ResultReader *reader = NULL;
    char path[MODEL_PATH_SIZE + 64];
    Store *store = store_fixture_open_empty();
    CHECK_OK(results_begin(rank_comm(), store, "night", &writer, &error));
    CHECK_OK(write_table(writer, "one", 100, &error));
    CU_ASSERT_FALSE(results_exist(store, "night"));
    results_discard(rank_comm(), &writer);
    CU_ASSERT_PTR_NULL(writer);
    CU_ASSERT_FALSE(results_exist(store, "night"));
    snprintf(path, sizeof path, "%s/tmp/results-night", store_fixture_folder);
    CU_ASSERT_FALSE(files_exist(path));
    CU_ASSERT_EQUAL(results_open(store, "night", &reader, &error), STATUS_IO);
    CU_ASSERT_PTR_NULL(reader);
    store_fixture_close(&store);
}

static void test_refused(void)
{
    Error error = {0};
    Table rows;
    ResultWriter *writer = NULL;
    Store *store = store_fixture_open_empty();
    static const char *const bad[] = {"", ".hidden", "../up", "a/b", "caf\xc3\xa9", "a b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CU_ASSERT_EQUAL(results_begin(rank_comm(), store, bad[i], &writer, &error), STATUS_USAGE);
        CU_ASSERT_PTR_NULL(writer);
        CU_ASSERT_FALSE(results_exist(store, bad[i]));
    }
    CHECK_OK(results_begin(rank_comm(), store, "night", &writer, &error));
    CHECK_OK(make_rows(&rows, 10, &error));
    CU_ASSERT_EQUAL(results_write(rank_comm(), writer, "t", "day,lab", &rows, &error), STATUS_BUG);
    results_discard(rank_comm(), &writer);
    table_free(&rows);
    store_fixture_close(&store);
}

static void test_damaged(void)
{
    Error error = {0};
    Buffer file = {0};
    Table rows = {0};
    ResultReader *reader = NULL;
    char path[MODEL_PATH_SIZE + 64];
    Store *store = store_fixture_open_empty();
    CHECK_OK(write_run(store, "night", &error));
    snprintf(path, sizeof path, "%s/results/night/many.h5", store_fixture_folder);
    if (comm_rank(rank_comm()) == 0) {
        CHECK_OK(files_read_small(path, 1 << 28, &file, &error));
        CHECK_OK(results_open(store, "night", &reader, &error));
        CHECK_OK(results_read_block(reader, 5, 1, &rows, &error));
        results_close(&reader);
        file.data[file.size - 3] ^= 16;
        CHECK_OK(files_write_small(path, buffer_view(&file), &error));
        CHECK_OK(results_open(store, "night", &reader, &error));
        CHECK_OK(results_read_block(reader, 5, 0, &rows, &error));
        CU_ASSERT_EQUAL(results_read_block(reader, 5, 3, &rows, &error), STATUS_IO);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "results/night/many.h5: column label of "));
        results_close(&reader);
        CHECK_OK(files_write_small(path, (Bytes){file.data, file.size / 2}, &error));
        CHECK_OK(results_open(store, "night", &reader, &error));
        CU_ASSERT_EQUAL(results_read_block(reader, 5, 0, &rows, &error), STATUS_IO);
        results_close(&reader);
    }
    table_free(&rows);
    buffer_free(&file);
    store_fixture_close(&store);
}

/* ---- coded texts, and numbers that are the same in all rows ---- */

static const ColumnSpec coded_columns[] = {{"place", COLUMN_I32, UNIT_COUNT},
                                           {"word", COLUMN_TEXT, UNIT_NONE},
                                           {"same", COLUMN_F64, UNIT_NONE},
                                           {"share", COLUMN_F64, UNIT_NONE}};
enum { WORDS = 70000 /* more than rows of a block */ };

static const int64_t coded_sizes[] = {0, 1, 2, RESULT_BLOCK + 1, 3 * RESULT_BLOCK + 17};
enum { N_CODED = sizeof coded_sizes / sizeof *coded_sizes };

/* -1 and few words in the first block, different ones all along the second. */
static int32_t code_of(int64_t i)
{
    return i < RESULT_BLOCK ? (int32_t)(i * i % 5) - 1 : (int32_t)(i % WORDS);
}

static int word_of(int32_t code, char text[16])
{
    return code < 0 || code % 7 == 3 ? 0 : snprintf(text, 16, "w%d", (int)code % 40000);
}

static Status make_words(Table *words, Error *error)
{
    static const ColumnSpec text = {"text", COLUMN_TEXT, UNIT_NONE};
    Status status = STATUS_OK;
    char word[16] = "";
    table_init(words, &text, 1);
    for (int32_t i = 0; i < WORDS; i++) {
        TRY(table_add_row(words, error));
        TRY(table_set_last_text(words, &words->columns[0],
                                (Bytes){.data = word, .size = word_of(i, word)}, error));
    }
out:
    return status;
}

/* All rows but the first few on the last rank. */
static Status make_coded(Table *rows, const Table *words, int64_t n, Error *error)
{
    Status status = STATUS_OK;
    int rank = comm_rank(rank_comm()), last = comm_size(rank_comm()) - 1;
    int64_t cut = n < 9 * last ? n : 9 * last, begin = rank * (cut / (last > 0 ? last : 1));
    int64_t end = rank < last ? begin + cut / last : n;
    int32_t *codes = NULL;
    table_init(rows, coded_columns, 4);
    TRY(table_reserve(rows, end - begin, error));
    TRY(mem_resize(&codes, end - begin, sizeof *codes, "codes", error));
    for (int64_t i = begin; i < end; i++) {
        ((int32_t *)rows->columns[0].data)[i - begin] = (int32_t)i;
        codes[i - begin] = code_of(i);
        ((double *)rows->columns[2].data)[i - begin] = (double)NAN;
        ((double *)rows->columns[3].data)[i - begin] = i == n - 1 ? 1.0 : 0.5;
    }
    const Column *text = &words->columns[0];
    column_set_codes(&rows->columns[1],
                     (TextList){.n = WORDS, .ends = text->ends, .bytes = text->bytes}, codes);
    rows->rows = end - begin;
out:
    return status;
}

static Status write_coded(Store *store, Error *error)
{
    Status status;
    ResultWriter *writer = NULL;
    Table words = {0}, rows = {0};
    char name[16];
    TRY_ALL(rank_comm(), make_words(&words, error), error);
    TRY(results_begin(rank_comm(), store, "night", &writer, error));
    for (int i = 0; i < N_CODED; i++) {
        TRY_ALL(rank_comm(), make_coded(&rows, &words, coded_sizes[i], error), error);
        snprintf(name, sizeof name, "t%d", i);
        TRY(results_write(rank_comm(), writer, name, "place", &rows, error));
        table_free(&rows);
    }
    TRY(results_commit(rank_comm(), &writer, error));
out:
    results_discard(rank_comm(), &writer);
    table_free(&rows);
    table_free(&words);
    return status;
}

static int64_t wrong_rows(const Table *rows, int64_t at, int64_t n)
{
    int64_t wrong = 0;
    char word[16] = "";
    for (int64_t k = 0; k < rows->rows; k++) {
        double same = ((const double *)rows->columns[2].data)[k];
        double share = ((const double *)rows->columns[3].data)[k];
        Bytes expected = {.data = word, .size = word_of(code_of(at + k), word)};
        wrong += column_integer(&rows->columns[0], k) != at + k || same == same ||
                 share != (at + k == n - 1 ? 1.0 : 0.5) ||
                 !bytes_equal(column_text(&rows->columns[1], k), expected);
    }
    return wrong;
}

/* A flipped bit in the last bytes of the file is found; they are numbers or codes. */
static void check_flipped(const Store *store)
{
    Error error = {0};
    Buffer file = {0};
    Table rows = {0};
    ResultReader *reader = NULL;
    char path[MODEL_PATH_SIZE + 64];
    int64_t refused = 0;
    snprintf(path, sizeof path, "%s/results/night/t4.h5", store_fixture_folder);
    CHECK_OK(files_read_small(path, 1 << 28, &file, &error));
    for (int64_t at = file.size - 1; at > file.size / 2; at -= file.size / 40) {
        file.data[at] ^= 16;
        CHECK_OK(files_write_small(path, buffer_view(&file), &error));
        CHECK_OK(results_open(store, "night", &reader, &error));
        for (int64_t block = 0; block < 4; block++)
            refused += results_read_block(reader, 4, block, &rows, &error) == STATUS_IO;
        results_close(&reader);
        file.data[at] ^= 16;
        CU_ASSERT(refused > 0);
        refused = 0;
    }
    table_free(&rows);
    buffer_free(&file);
}

static void test_coded(void)
{
    Error error = {0};
    Table rows = {0};
    ResultReader *reader = NULL;
    Store *store = store_fixture_open_empty();
    CHECK_OK(write_coded(store, &error));
    if (comm_rank(rank_comm()) == 0) {
        CHECK_OK(results_open(store, "night", &reader, &error));
        for (int i = 0; reader && i < N_CODED; i++) {
            int64_t at = 0, wrong = 0;
            CU_ASSERT_EQUAL(results_table(reader, i)->rows, coded_sizes[i]);
            for (int64_t block = 0; at < coded_sizes[i]; block++, at += RESULT_BLOCK) {
                CHECK_OK(results_read_block(reader, i, block, &rows, &error));
                wrong += wrong_rows(&rows, at, coded_sizes[i]);
            }
            CU_ASSERT_EQUAL(wrong, 0);
        }
        results_close(&reader);
        check_flipped(store);
    }
    table_free(&rows);
    store_fixture_close(&store);
}

CU_TestInfo results_tests[] = {{"round_trip", test_round_trip}, {"coded", test_coded},
                               {"discard", test_discard},       {"refused", test_refused},
                               {"damaged", test_damaged},       CU_TEST_INFO_NULL};
