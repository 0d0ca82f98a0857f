/* Tables: growing, texts, gather, append, added and dropped columns. */
#include "table/table.h"

#include "base/memory.h"
#include "base/random.h"
#include "unit/suites.h"

#include <stdio.h>
#include <string.h>

static const ColumnSpec specs[] = {
    {"id", COLUMN_I64, UNIT_NONE},    {"tiny", COLUMN_I8, UNIT_BOOL},
    {"name", COLUMN_TEXT, UNIT_NONE}, {"day", COLUMN_I32, UNIT_DAY},
    {"small", COLUMN_I16, UNIT_CODE}, {"real", COLUMN_F64, UNIT_NONE},
    {"note", COLUMN_TEXT, UNIT_NONE},
};
enum { N_SPECS = 7 };

static Bytes name_of(int64_t id, char text[32])
{
    return (Bytes){text, id % 5 == 0 ? 0
                                     : snprintf(text, 32, "%.*s#%lld", (int)(id % 11),
                                                "someone or other", (long long)id)};
}

/* Row `id` is made of its id alone; the text `note` is left as table_add_row made it. */
static Status add_row(Table *table, int64_t id, Error *error)
{
    Status status;
    char text[32];
    TRY(table_add_row(table, error));
    int64_t row = table->rows - 1;
    ((int64_t *)table_column(table, "id")->data)[row] = id;
    ((int8_t *)table_column(table, "tiny")->data)[row] = (int8_t)id;
    TRY(table_set_last_text(table, table_column(table, "name"), bytes_of("to be replaced"), error));
    TRY(table_set_last_text(table, table_column(table, "name"), name_of(id, text), error));
    ((int32_t *)table_column(table, "day")->data)[row] = (int32_t)-id;
    ((int16_t *)table_column(table, "small")->data)[row] = (int16_t)(id * 3);
    ((double *)table_column(table, "real")->data)[row] = (double)id / 7;
out:
    return status;
}

static bool is_row(const Table *table, int64_t row, int64_t id)
{
    char text[32];
    return ((const int64_t *)table_column_const(table, "id")->data)[row] == id &&
           ((const int8_t *)table_column_const(table, "tiny")->data)[row] == (int8_t)id &&
           bytes_equal(column_text(table_column_const(table, "name"), row), name_of(id, text)) &&
           ((const int32_t *)table_column_const(table, "day")->data)[row] == -id &&
           ((const int16_t *)table_column_const(table, "small")->data)[row] == (int16_t)(id * 3) &&
           ((const double *)table_column_const(table, "real")->data)[row] == (double)id / 7 &&
           column_text(table_column_const(table, "note"), row).size == 0;
}

static void fill(Table *table, int64_t n)
{
    Error error = {0};
    int64_t wrong = 0;
    table_init(table, specs, N_SPECS);
    for (int64_t id = 0; id < n; id++)
        wrong += add_row(table, id, &error) != STATUS_OK;
    CU_ASSERT_EQUAL(wrong, 0);
}

/* Rows that are not as `ids` say (NULL: 0, 1, 2, ...). */
static int64_t count_wrong(const Table *table, const int64_t *ids)
{
    int64_t wrong = 0;
    for (int64_t row = 0; row < table->rows; row++)
        wrong += !is_row(table, row, ids ? ids[row] : row);
    return wrong;
}

static void test_rows_are_added(void)
{
    static const int64_t sizes[] = {0, 1, 63, 64, 65, 1000};
    for (int i = 0; i < 6; i++) {
        Table table;
        fill(&table, sizes[i]);
        CU_ASSERT_EQUAL(table.rows, sizes[i]);
        CU_ASSERT_EQUAL(count_wrong(&table, NULL), 0);
        table_free(&table);
        CU_ASSERT_EQUAL(table.n_columns, 0);
        table_free(&table);
    }
}

static void test_columns_are_found(void)
{
    Table table;
    table_init(&table, specs, N_SPECS);
    CU_ASSERT_PTR_NULL(table_find(&table, "absent"));
    CU_ASSERT_PTR_NULL(table_find_const(&table, "nam"));
    CU_ASSERT_PTR_EQUAL(table_find(&table, "name"), &table.columns[2]);
    CU_ASSERT_EQUAL(table_column(&table, "day")->unit, UNIT_DAY);
    table_free(&table);
}

static void test_gather(void)
{
    static const int64_t sizes[] = {0, 1, 2, 100, 1000};
    Random random = random_stream(7, 1);
    for (int i = 0; i < 5; i++) {
        int64_t n = sizes[i];
        int64_t *order = mem_new(n, sizeof *order);
        Error error = {0};
        for (int64_t k = 0; k < n; k++)
            order[k] = random_below(&random, n);
        for (int64_t kept = n; kept >= 0; kept = kept > 2 ? kept / 3 : kept - 1) {
            Table table;
            fill(&table, n);
            CU_ASSERT_EQUAL(table_gather(&table, order, kept, &error), STATUS_OK);
            CU_ASSERT_EQUAL(table.rows, kept);
            CU_ASSERT_EQUAL(count_wrong(&table, order), 0);
            CU_ASSERT_EQUAL(add_row(&table, 77, &error), STATUS_OK);
            CU_ASSERT_TRUE(is_row(&table, kept, 77));
            table_free(&table);
        }
        mem_free(&order);
    }
}

static void test_append(void)
{
    Table from;
    Table table;
    Error error = {0};
    fill(&from, 300);
    table_init(&table, specs, N_SPECS);
    int64_t ids[600];
    static const int64_t ranges[][2] = {{0, 0},     {5, 6},     {0, 300},
                                        {300, 300}, {100, 250}, {299, 300}};
    for (int i = 0; i < 6; i++) {
        for (int64_t id = ranges[i][0]; id < ranges[i][1]; id++)
            ids[table.rows + id - ranges[i][0]] = id;
        CU_ASSERT_EQUAL(table_append(&table, &from, ranges[i][0], ranges[i][1], &error), STATUS_OK);
    }
    CU_ASSERT_EQUAL(table.rows, 1 + 300 + 150 + 1);
    CU_ASSERT_EQUAL(count_wrong(&table, ids), 0);
    table_free(&table);
    table_free(&from);
}

static void test_columns_come_and_go(void)
{
    Table table;
    Error error = {0};
    fill(&table, 100);
    ColumnSpec added = {"extra", COLUMN_I32, UNIT_COUNT};
    ColumnSpec words = {"words", COLUMN_TEXT, UNIT_NONE};
    CU_ASSERT_EQUAL(table_add_column(&table, added, &error), STATUS_OK);
    CU_ASSERT_EQUAL(table_add_column(&table, words, &error), STATUS_OK);
    for (int32_t row = 0; row < 100; row++) {
        ((int32_t *)table_column(&table, "extra")->data)[row] = row;
        CU_ASSERT_EQUAL(column_text(table_column(&table, "words"), row).size, 0);
    }
    CU_ASSERT_EQUAL(add_row(&table, 100, &error), STATUS_OK);
    CU_ASSERT_EQUAL(
        table_set_last_text(&table, table_column(&table, "words"), bytes_of("last"), &error),
        STATUS_OK);
    CU_ASSERT_EQUAL(count_wrong(&table, NULL), 0);
    CU_ASSERT_EQUAL(((int32_t *)table_column(&table, "extra")->data)[99], 99);
    CU_ASSERT_TRUE(bytes_equal(column_text(table_column(&table, "words"), 100), bytes_of("last")));
    table_drop(&table, "words");
    table_drop(&table, "name");
    table_drop(&table, "note");
    CU_ASSERT_EQUAL(table.n_columns, 6);
    CU_ASSERT_EQUAL(((int32_t *)table_column(&table, "extra")->data)[99], 99);
    CU_ASSERT_EQUAL(table_set_rows(&table, 5000, &error), STATUS_OK);
    CU_ASSERT_EQUAL(((int32_t *)table_column(&table, "day")->data)[99], -99);
    table_free(&table);
}

static void test_emptied_tables_keep_their_memory(void)
{
    Table table;
    Error error = {0};
    fill(&table, 100);
    const void *data = table.columns[0].data;
    CU_ASSERT_EQUAL(table_set_rows(&table, 0, &error), STATUS_OK);
    CU_ASSERT_EQUAL(add_row(&table, 9, &error), STATUS_OK);
    CU_ASSERT_PTR_EQUAL(table.columns[0].data, data);
    CU_ASSERT_TRUE(is_row(&table, 0, 9));
    table_free(&table);
}

static void test_move(void)
{
    Table from;
    Table to;
    fill(&from, 10);
    fill(&to, 20);
    table_move(&to, &from);
    CU_ASSERT_EQUAL(to.rows, 10);
    CU_ASSERT_EQUAL(count_wrong(&to, NULL), 0);
    CU_ASSERT_EQUAL(from.rows, 0);
    CU_ASSERT_EQUAL(from.n_columns, 0);
    table_move(&to, &to);
    CU_ASSERT_EQUAL(to.rows, 10);
    table_free(&from);
    table_free(&to);
}

CU_TestInfo table_tests[] = {
    {"rows are added", test_rows_are_added},
    {"columns are found", test_columns_are_found},
    {"gather", test_gather},
    {"append", test_append},
    {"columns come and go", test_columns_come_and_go},
    {"emptied tables keep their memory", test_emptied_tables_keep_their_memory},
    {"move", test_move},
    CU_TEST_INFO_NULL,
};
