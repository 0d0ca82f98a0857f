/* Tables that ranks exchange, sort and share out, against answers that each rank can compute alone;
 * and a failure of one rank, which is everybody's. */
#include "base/memory.h"
#include "rank/comm_model.h"
#include "rank/suites.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- exchange ---- */

static const ColumnSpec letter_columns[] = {
    {"from", COLUMN_I8, UNIT_NONE},     {"text", COLUMN_TEXT, UNIT_NONE},
    {"to", COLUMN_I16, UNIT_NONE},      {"number", COLUMN_I32, UNIT_COUNT},
    {"content", COLUMN_I64, UNIT_NONE}, {"share", COLUMN_F64, UNIT_NONE},
};
enum { N_LETTER_COLUMNS = 6 };

/* Text of a letter: of any length from 0 to 40, most of it derived from the content. */
static Bytes letter_text(const Letter *one, char text[64])
{
    int size = (int)(one->content % 41);
    for (int i = 0; i < size; i++)
        text[i] = (char)('A' + (one->content >> i % 32) % 26);
    return (Bytes){text, size};
}

static Status add_letter(Table *table, Letter one, Error *error)
{
    Status status;
    char text[64];
    TRY(table_add_row(table, error));
    int64_t row = table->rows - 1;
    ((int8_t *)table->columns[0].data)[row] = (int8_t)one.from;
    TRY(table_set_last_text(table, &table->columns[1], letter_text(&one, text), error));
    ((int16_t *)table->columns[2].data)[row] = (int16_t)one.to;
    ((int32_t *)table->columns[3].data)[row] = (int32_t)one.number;
    ((int64_t *)table->columns[4].data)[row] = (int64_t)one.content;
    ((double *)table->columns[5].data)[row] = (double)one.number / 3;
out:
    return status;
}

static bool is_letter(const Table *table, int64_t row, Letter one)
{
    char text[64];
    return ((const int8_t *)table->columns[0].data)[row] == one.from &&
           bytes_equal(column_text(&table->columns[1], row), letter_text(&one, text)) &&
           ((const int16_t *)table->columns[2].data)[row] == one.to &&
           ((const int32_t *)table->columns[3].data)[row] == one.number &&
           ((const int64_t *)table->columns[4].data)[row] == (int64_t)one.content &&
           ((const double *)table->columns[5].data)[row] == (double)one.number / 3;
}

static void check_exchange_table(Shape shape)
{
    Comm *comm = rank_comm();
    int size = comm_size(comm);
    int self = comm_rank(comm);
    int64_t *counts = mem_new(size, sizeof *counts);
    int64_t *sources = mem_new(size, sizeof *sources);
    Table table;
    Error error = {0};
    Status made = STATUS_OK;
    table_init(&table, letter_columns, N_LETTER_COLUMNS);
    for (int to = 0; to < size; to++) {
        counts[to] = comm_model_sent(shape, self, to, size);
        for (int64_t k = 0; k < counts[to] && made == STATUS_OK; k++)
            made = add_letter(&table, comm_model_letter(self, to, k), &error);
    }
    CU_ASSERT_EQUAL(made, STATUS_OK);
    CU_ASSERT_EQUAL(comm_exchange_table(comm, &table, counts, sources, &error), STATUS_OK);
    int64_t row = 0;
    int64_t wrong = 0;
    for (int from = 0; from < size; from++) {
        wrong += sources[from] != comm_model_sent(shape, from, self, size);
        for (int64_t k = 0; k < sources[from] && row < table.rows; k++, row++)
            wrong += !is_letter(&table, row, comm_model_letter(from, self, k));
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(row, table.rows);
    /* The table goes on as any other. */
    CU_ASSERT_EQUAL(add_letter(&table, comm_model_letter(1, 2, 3), &error), STATUS_OK);
    CU_ASSERT_TRUE(is_letter(&table, table.rows - 1, comm_model_letter(1, 2, 3)));
    table_free(&table);
    mem_free(&counts);
    mem_free(&sources);
}

static void test_exchange_table(void)
{
    for (int p = 0; p < N_PIECES; p++) {
        comm_set_piece(rank_comm(), comm_model_pieces[p]);
        for (int shape = 0; shape < SHAPES; shape++)
            check_exchange_table((Shape)shape);
    }
}

static void test_exchange_table_without_columns(void)
{
    Comm *comm = rank_comm();
    int64_t *counts = mem_new(comm_size(comm), sizeof *counts);
    Table table = {0};
    Error error = {0};
    CU_ASSERT_EQUAL(comm_exchange_table(comm, &table, counts, NULL, &error), STATUS_OK);
    CU_ASSERT_EQUAL(table.rows, 0);
    mem_free(&counts);
}

/* ---- sort and rebalance ---- */

static const ColumnSpec row_columns[] = {{"id", COLUMN_I64, UNIT_NONE},
                                         {"group", COLUMN_I32, UNIT_NONE},
                                         {"name", COLUMN_TEXT, UNIT_NONE}};
enum { N_ROW_COLUMNS = 3 };

/* How row `id` looks when there are so many groups and names. */
typedef struct Kind {
    int64_t n;
    int32_t groups;
    int32_t names;
} Kind;

static int32_t row_group(const Kind *kind, int64_t id)
{
    return (int32_t)(model_noise(id, kind->n, 7) % (uint64_t)kind->groups) - kind->groups / 2;
}

static Bytes row_name(const Kind *kind, int64_t id, char text[32])
{
    int32_t name = (int32_t)(model_noise(id, kind->n, 8) % (uint64_t)kind->names);
    int size = snprintf(text, 32, "%.*s%" PRId32, name % 9, "nameless", name);
    return (Bytes){text, size};
}

static Status add_rows(Table *table, const Kind *kind, int64_t begin, int64_t end, Error *error)
{
    Status status = STATUS_OK;
    char text[32];
    for (int64_t id = begin; id < end; id++) {
        TRY(table_add_row(table, error));
        ((int64_t *)table->columns[0].data)[table->rows - 1] = id;
        ((int32_t *)table->columns[1].data)[table->rows - 1] = row_group(kind, id);
        TRY(table_set_last_text(table, &table->columns[2], row_name(kind, id, text), error));
    }
out:
    return status;
}

/* Group descending, name ascending, then id: what a stable sort must give. */
static int compare_ids(const void *left, const void *right, void *kind)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    int32_t x = row_group(kind, a);
    int32_t y = row_group(kind, b);
    if (x != y)
        return x > y ? -1 : 1;
    char text[2][32];
    int sign = bytes_compare(row_name(kind, a, text[0]), row_name(kind, b, text[1]));
    return sign != 0 ? sign : (a > b) - (a < b);
}

/* All ids in the order in which the ranks hold them; checks that a row's columns stayed together.
 */
static int64_t *gather_ids(const Table *table, const Kind *kind)
{
    char *all;
    int64_t bytes;
    Error error = {0};
    const int64_t *ids = table->columns[0].data;
    int64_t wrong = 0;
    char text[32];
    for (int64_t row = 0; row < table->rows; row++) {
        wrong += ((const int32_t *)table->columns[1].data)[row] != row_group(kind, ids[row]);
        wrong += !bytes_equal(column_text(&table->columns[2], row), row_name(kind, ids[row], text));
    }
    CU_ASSERT_EQUAL(wrong, 0);
    Status status = comm_gather_all(rank_comm(), ids, table->rows * (int64_t)sizeof *ids, &all,
                                    &bytes, NULL, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    CU_ASSERT_EQUAL(bytes, kind->n * (int64_t)sizeof *ids);
    return (int64_t *)(void *)all;
}

/* Rows [begin, end) of this rank. */
static void make_rows(Table *table, const Kind *kind, bool on_one_rank)
{
    Comm *comm = rank_comm();
    int rank = comm_rank(comm);
    int size = comm_size(comm);
    Error error = {0};
    table_init(table, row_columns, N_ROW_COLUMNS);
    int64_t begin = on_one_rank ? 0 : model_first(kind->n, rank, size);
    int64_t end = on_one_rank ? kind->n : model_first(kind->n, rank + 1, size);
    if (on_one_rank && rank != size - 1)
        end = begin;
    CU_ASSERT_EQUAL(add_rows(table, kind, begin, end, &error), STATUS_OK);
}

static void check_sort(Kind kind, bool on_one_rank)
{
    static const SortKey keys[] = {{"group", true}, {"name", false}};
    Comm *comm = rank_comm();
    Table table;
    Error error = {0};
    make_rows(&table, &kind, on_one_rank);
    CU_ASSERT_EQUAL(comm_sort_table(comm, &table, keys, 2, &error), STATUS_OK);
    int64_t most = table.rows;
    comm_max_i64(comm, &most, 1);
    CU_ASSERT_TRUE(kind.n < 1000 || most < 2 * kind.n / comm_size(comm) + 1);
    int64_t *expected = mem_new(kind.n, sizeof *expected);
    for (int64_t id = 0; id < kind.n; id++)
        expected[id] = id;
    qsort_r(expected, (size_t)kind.n, sizeof *expected, compare_ids, &kind);
    int64_t *ids = gather_ids(&table, &kind);
    CU_ASSERT_EQUAL(memcmp(ids, expected, (size_t)kind.n * sizeof *ids), 0);
    mem_free(&ids);
    mem_free(&expected);
    table_free(&table);
}

static void test_sort_table(void)
{
    static const Kind kinds[] = {
        {0, 1, 1},  {1, 1, 1},    {2, 1, 1},        {5, 3, 2},
        {60, 4, 5}, {2000, 1, 1}, {3000, 100, 300}, {3000, 2, 2},
    };
    for (int p = 0; p < N_PIECES; p++) {
        comm_set_piece(rank_comm(), comm_model_pieces[p]);
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
            check_sort(kinds[i], false);
            check_sort(kinds[i], true);
        }
    }
}

static void check_rebalance(int64_t n, int64_t block, bool on_one_rank)
{
    Comm *comm = rank_comm();
    Kind kind = {n, 3, 10};
    Table table;
    Error error = {0};
    make_rows(&table, &kind, on_one_rank);
    CU_ASSERT_EQUAL(comm_rebalance_table(comm, &table, block, &error), STATUS_OK);
    int64_t *ids = gather_ids(&table, &kind);
    int64_t wrong = 0;
    for (int64_t i = 0; i < n; i++)
        wrong += ids[i] != i;
    CU_ASSERT_EQUAL(wrong, 0);
    int64_t end = comm_prefix_i64(comm, table.rows) + table.rows;
    CU_ASSERT_TRUE(end == n || table.rows % block == 0);
    int64_t blocks = (n + block - 1) / block;
    int64_t share = blocks / comm_size(comm);
    int64_t own = (table.rows + block - 1) / block;
    CU_ASSERT_TRUE(own <= share + 1 + (share + 1) / 4);
    mem_free(&ids);
    table_free(&table);
}

static void test_rebalance_table(void)
{
    static const int64_t rows[] = {0, 1, 2, 7, 100, 1001};
    static const int64_t blocks[] = {1, 3, 64, 5000};
    comm_set_piece(rank_comm(), comm_model_pieces[N_PIECES - 1]);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t k = 0; k < sizeof blocks / sizeof *blocks; k++) {
            check_rebalance(rows[i], blocks[k], false);
            check_rebalance(rows[i], blocks[k], true);
        }
    }
}

/* Text i of n: none is empty but the first. */
static Bytes text_of(int64_t i, char text[32])
{
    int size = i == 0 ? 0 : snprintf(text, 32, "%" PRIx64, model_noise(i, 1, 9) >> i % 60);
    return (Bytes){text, size};
}

static int compare_texts(const void *a, const void *b)
{
    char left[32], right[32];
    return bytes_compare(text_of(*(const int64_t *)a, left), text_of(*(const int64_t *)b, right));
}

/* Each of n texts stands on several ranks, and twice on one. */
static void check_union(int64_t n, bool on_one_rank)
{
    static const ColumnSpec column[] = {{"word", COLUMN_TEXT, UNIT_NONE}};
    Comm *comm = rank_comm();
    Error error = {0};
    Table texts;
    int64_t *expected = mem_new(n, sizeof *expected);
    int64_t wrong = 0;
    table_init(&texts, column, 1);
    for (int64_t i = 0; i < 2 * n; i++) {
        char text[32];
        int64_t rank = comm_rank(comm);
        bool is_here = on_one_rank ? rank == comm_size(comm) - 1
                                   : i % comm_size(comm) == rank || i % 3 == rank;
        if (!is_here)
            continue;
        wrong += table_add_row(&texts, &error) != STATUS_OK ||
                 table_set_last_text(&texts, &texts.columns[0], text_of(i % n, text), &error) !=
                     STATUS_OK;
    }
    CU_ASSERT_EQUAL(comm_union_texts(comm, &texts, &error), STATUS_OK);
    for (int64_t i = 0; i < n; i++)
        expected[i] = i;
    qsort(expected, (size_t)n, sizeof *expected, compare_texts);
    int64_t n_expected = 0;
    for (int64_t i = 0; i < n; i++) {
        if (i == 0 || compare_texts(&expected[i - 1], &expected[i]) != 0)
            expected[n_expected++] = expected[i];
    }
    CU_ASSERT_EQUAL(texts.rows, n_expected);
    for (int64_t i = 0; i < texts.rows && i < n_expected; i++) {
        char text[32];
        wrong += !bytes_equal(column_text(&texts.columns[0], i), text_of(expected[i], text));
    }
    CU_ASSERT_EQUAL(wrong, 0);
    mem_free(&expected);
    table_free(&texts);
}

static void test_union_texts(void)
{
    static const int64_t counts[] = {0, 1, 2, 50, 3000};
    for (int p = 0; p < N_PIECES; p++) {
        comm_set_piece(rank_comm(), comm_model_pieces[p]);
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            check_union(counts[i], false);
            check_union(counts[i], true);
        }
    }
}

/* ---- failures ---- */

static void test_a_failure_on_one_rank_is_everybodys(void)
{
    Comm *comm = rank_comm();
    static const SortKey keys[] = {{"group", true}};
    int size = comm_size(comm);
    Kind kind = {100, 3, 10};
    for (int rank = 0; rank < size; rank++) {
        int64_t *counts = mem_new(size, sizeof *counts);
        char *received = NULL;
        Table table;
        Error error = {0};
        CU_ASSERT(model_arm(comm, "comm.exchange", rank));
        CU_ASSERT_EQUAL(comm_exchange(comm, NULL, counts, 8, &received, counts, &error), STATUS_IO);
        CU_ASSERT_EQUAL(error.rank, rank);
        CU_ASSERT(model_arm(comm, "comm.exchange_table", rank));
        make_rows(&table, &kind, false);
        counts[rank] = table.rows;
        CU_ASSERT_EQUAL(comm_exchange_table(comm, &table, counts, NULL, &error), STATUS_IO);
        CU_ASSERT_EQUAL(error.rank, rank);
        CU_ASSERT_EQUAL(table.rows, 0);
        table_free(&table);
        CU_ASSERT(model_arm(comm, "comm.rebalance", rank));
        make_rows(&table, &kind, false);
        CU_ASSERT_EQUAL(comm_rebalance_table(comm, &table, 10, &error), STATUS_IO);
        CU_ASSERT_EQUAL(error.rank, rank);
        CU_ASSERT_EQUAL(table.rows, 0);
        table_free(&table);
        if (size > 1) {
            CU_ASSERT(model_arm(comm, "comm.sort", rank));
            make_rows(&table, &kind, false);
            CU_ASSERT_EQUAL(comm_sort_table(comm, &table, keys, 1, &error), STATUS_IO);
            CU_ASSERT_EQUAL(error.rank, rank);
            table_free(&table);
        }
        CU_ASSERT(model_arm(comm, "comm.union_texts", rank));
        table_init(&table, (const ColumnSpec[]){{"word", COLUMN_TEXT, UNIT_NONE}}, 1);
        CU_ASSERT_EQUAL(comm_union_texts(comm, &table, &error), STATUS_IO);
        CU_ASSERT_EQUAL(error.rank, rank);
        table_free(&table);
        mem_free(&received);
        mem_free(&counts);
    }
    CU_ASSERT(model_arm(comm, NULL, 0));
}

CU_TestInfo comm_tables_tests[] = {
    {"exchange table", test_exchange_table},
    {"exchange table without columns", test_exchange_table_without_columns},
    {"sort table", test_sort_table},
    {"rebalance table", test_rebalance_table},
    {"texts of all ranks, each once", test_union_texts},
    {"a failure on one rank is everybody's", test_a_failure_on_one_rank_is_everybodys},
    CU_TEST_INFO_NULL,
};
