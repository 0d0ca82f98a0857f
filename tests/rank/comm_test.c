/* Everything that ranks do together, against answers that each rank can compute alone. */
#include "base/fault.h"
#include "base/hash.h"
#include "base/memory.h"
#include "rank/suites.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Piece sizes that every transfer is tried with: cut often, and not at all. */
static const int64_t pieces[] = {7, 1 << 30};
enum { N_PIECES = 2 };

/* A number that depends on its arguments alone, the same on every rank. */
static uint64_t noise(int64_t a, int64_t b, int64_t c)
{
    int64_t key[3] = {a, b, c};
    return hash64(key, sizeof key);
}

/* The rank that has nothing, in the middle; -1 when there are too few ranks. */
static int empty_rank(int size)
{
    return size > 2 ? size / 2 : -1;
}

/* First of n rows that a rank owns: uneven runs, an empty rank in the middle. */
static int64_t own_start(int64_t n, int rank, int size)
{
    int empty = empty_rank(size);
    int64_t weight = 0;
    int64_t before = 0;
    for (int r = 0; r < size; r++) {
        if (r == rank)
            before = weight;
        weight += r == empty ? 0 : 1 + r % 3;
    }
    return rank >= size ? n : n * before / weight;
}

/* ---- agree ---- */

static void check_agree(int first, int second)
{
    Comm *comm = rank_comm();
    int rank = comm_rank(comm);
    Error error = {0};
    Status own = STATUS_OK;
    if (rank == first)
        own = error_set(&error, STATUS_INPUT, "here.c", 7, "rank %d has no bread", rank);
    else if (rank == second)
        own = error_set(&error, STATUS_IO, "there.c", 8, "rank %d has no butter", rank);
    Status status = comm_agree(comm, own, &error);
    char message[64];
    snprintf(message, sizeof message, "rank %d has no bread", first);
    CU_ASSERT_EQUAL(status, STATUS_INPUT);
    CU_ASSERT_EQUAL(error.status, STATUS_INPUT);
    CU_ASSERT_EQUAL(error.rank, first);
    CU_ASSERT_EQUAL(error.line, 7);
    CU_ASSERT_STRING_EQUAL(error.message, message);
}

static void test_agree_names_the_lowest_rank(void)
{
    int size = comm_size(rank_comm());
    for (int first = 0; first < size; first++) {
        check_agree(first, -1);
        check_agree(first, size - 1);
    }
}

static void test_agree_passes_when_all_are_well(void)
{
    Error error = {0};
    CU_ASSERT_EQUAL(comm_agree(rank_comm(), STATUS_OK, &error), STATUS_OK);
    CU_ASSERT_EQUAL(error.status, STATUS_OK);
}

static void test_agree_without_a_message(void)
{
    Comm *comm = rank_comm();
    int last = comm_size(comm) - 1;
    Error error = {0};
    Status own = comm_rank(comm) == last ? STATUS_GATE : STATUS_OK;
    CU_ASSERT_EQUAL(comm_agree(comm, own, &error), STATUS_GATE);
    CU_ASSERT_EQUAL(error.status, STATUS_GATE);
    CU_ASSERT_EQUAL(error.rank, last);
    CU_ASSERT_NOT_EQUAL(error.message[0], '\0');
}

/* ---- broadcast, sums, gather ---- */

static void test_broadcast_from_every_rank(void)
{
    Comm *comm = rank_comm();
    static const int64_t sizes[] = {0, 1, 6, 7, 8, 300};
    for (int p = 0; p < N_PIECES; p++) {
        comm_set_piece(comm, pieces[p]);
        for (int root = 0; root < comm_size(comm); root++) {
            for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
                unsigned char data[301];
                memset(data, 0xee, sizeof data);
                for (int64_t i = 0; i < sizes[s]; i++)
                    data[i] = (unsigned char)(comm_rank(comm) == root ? noise(root, i, 1) : 0);
                comm_broadcast(comm, root, data, sizes[s]);
                int64_t wrong = 0;
                for (int64_t i = 0; i < sizes[s]; i++)
                    wrong += data[i] != (unsigned char)noise(root, i, 1);
                CU_ASSERT_EQUAL(wrong, 0);
                CU_ASSERT_EQUAL(data[sizes[s]], 0xee);
            }
        }
    }
    comm_set_piece(comm, pieces[N_PIECES - 1]);
}

static void test_broadcast_buffer(void)
{
    Comm *comm = rank_comm();
    static const int sizes[] = {0, 1, 1000, 65536, 150001};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        int root = comm_size(comm) - 1;
        Buffer buffer = {0};
        buffer_append_string(&buffer, "old");
        if (comm_rank(comm) == root) {
            buffer_clear(&buffer);
            for (int i = 0; i < sizes[s]; i++)
                buffer_append(&buffer, &(char){(char)('a' + i % 26)}, 1);
        }
        comm_broadcast_buffer(comm, root, &buffer);
        CU_ASSERT_EQUAL(buffer.size, sizes[s]);
        int wrong = 0;
        for (int i = 0; i < sizes[s] && i < buffer.size; i++)
            wrong += buffer.data[i] != 'a' + i % 26;
        CU_ASSERT_EQUAL(wrong, 0);
        buffer_free(&buffer);
    }
}

static void test_reductions(void)
{
    Comm *comm = rank_comm();
    int size = comm_size(comm);
    enum { N = 23 };
    for (int p = 0; p < N_PIECES; p++) {
        comm_set_piece(comm, pieces[p]);
        int64_t sums[N], least[N], most[N];
        for (int64_t i = 0; i < N; i++)
            sums[i] = least[i] = most[i] = (int64_t)(noise(comm_rank(comm), i, 2) >> 8);
        comm_sum_i64(comm, sums, N);
        comm_min_i64(comm, least, N);
        comm_max_i64(comm, most, N);
        comm_sum_i64(comm, NULL, 0);
        for (int64_t i = 0; i < N; i++) {
            int64_t sum = 0;
            int64_t min = INT64_MAX;
            int64_t max = INT64_MIN;
            for (int rank = 0; rank < size; rank++) {
                int64_t value = (int64_t)(noise(rank, i, 2) >> 8);
                sum += value;
                min = value < min ? value : min;
                max = value > max ? value : max;
            }
            CU_ASSERT_EQUAL(sums[i], sum);
            CU_ASSERT_EQUAL(least[i], min);
            CU_ASSERT_EQUAL(most[i], max);
        }
    }
    CU_ASSERT_EQUAL(comm_prefix_i64(comm, comm_rank(comm) + 10),
                    10 * comm_rank(comm) + comm_rank(comm) * (comm_rank(comm) - 1) / 2);
}

static void test_sum_scatter(void)
{
    Comm *comm = rank_comm();
    int size = comm_size(comm);
    enum { N = 97 };
    for (int p = 0; p < N_PIECES; p++) {
        comm_set_piece(comm, pieces[p]);
        int64_t values[N];
        int64_t own[N];
        int64_t *counts = mem_new(size, sizeof *counts);
        for (int rank = 0; rank < size; rank++)
            counts[rank] = own_start(N, rank + 1, size) - own_start(N, rank, size);
        for (int64_t i = 0; i < N; i++)
            values[i] = (int64_t)(noise(comm_rank(comm), i, 3) >> 8);
        comm_sum_scatter_i64(comm, values, counts, own);
        int64_t wrong = 0;
        for (int64_t i = 0; i < counts[comm_rank(comm)]; i++) {
            int64_t sum = 0;
            for (int rank = 0; rank < size; rank++)
                sum += (int64_t)(noise(rank, own_start(N, comm_rank(comm), size) + i, 3) >> 8);
            wrong += own[i] != sum;
        }
        CU_ASSERT_EQUAL(wrong, 0);
        mem_free(&counts);
    }
}

static double partition_value(int64_t partition, int64_t i)
{
    double unit = (double)(noise(partition, i, 4) >> 11) / 9007199254740992.0;
    return (unit - 0.5) * (partition % 3 == 0 ? 1e12 : 1e-3);
}

static void check_sum_in_order(int64_t n_partitions, int64_t width)
{
    Comm *comm = rank_comm();
    int64_t first = own_start(n_partitions, comm_rank(comm), comm_size(comm));
    int64_t n_own = own_start(n_partitions, comm_rank(comm) + 1, comm_size(comm)) - first;
    double *own = mem_new(n_own * width, sizeof *own);
    double *total = mem_new(width, sizeof *total);
    double *expected = mem_new(width, sizeof *expected);
    memset(total, 0xff, (size_t)width * sizeof *total); /* NaN: every element must be written */
    for (int64_t p = 0; p < n_own; p++)
        for (int64_t i = 0; i < width; i++)
            own[p * width + i] = partition_value(first + p, i);
    for (int64_t p = 0; p < n_partitions; p++)
        for (int64_t i = 0; i < width; i++)
            expected[i] += partition_value(p, i);
    comm_sum_in_order_f64(comm, own, n_own, width, total);
    CU_ASSERT_EQUAL(memcmp(total, expected, (size_t)width * sizeof *total), 0);
    mem_free(&own);
    mem_free(&total);
    mem_free(&expected);
}

static void test_sum_in_order_has_the_serial_bits(void)
{
    comm_set_piece(rank_comm(), 7);
    check_sum_in_order(16, 1);
    check_sum_in_order(16, 50);
    comm_set_piece(rank_comm(), 1 << 30);
    check_sum_in_order(0, 10);
    check_sum_in_order(1, 10);
    check_sum_in_order(16, 0);
    check_sum_in_order(16, 8192);
    check_sum_in_order(16, 20001);
}

static void test_gather_all(void)
{
    Comm *comm = rank_comm();
    int size = comm_size(comm);
    int64_t *sizes = mem_new(size, sizeof *sizes);
    for (int p = 0; p < N_PIECES; p++) {
        comm_set_piece(comm, pieces[p]);
        int64_t begin = own_start(500, comm_rank(comm), size);
        int64_t end = own_start(500, comm_rank(comm) + 1, size);
        char own[500];
        for (int64_t i = begin; i < end; i++)
            own[i - begin] = (char)noise(i, 0, 5);
        char *all;
        int64_t bytes;
        Error error = {0};
        Status status = comm_gather_all(comm, own, end - begin, &all, &bytes, sizes, &error);
        CU_ASSERT_EQUAL(status, STATUS_OK);
        CU_ASSERT_EQUAL(bytes, 500);
        int64_t wrong = 0;
        for (int64_t i = 0; i < bytes; i++)
            wrong += all[i] != (char)noise(i, 0, 5);
        CU_ASSERT_EQUAL(wrong, 0);
        for (int rank = 0; rank < size; rank++)
            CU_ASSERT_EQUAL(sizes[rank],
                            own_start(500, rank + 1, size) - own_start(500, rank, size));
        mem_free(&all);
        status = comm_gather_all(comm, NULL, 0, &all, &bytes, NULL, &error);
        CU_ASSERT_EQUAL(status, STATUS_OK);
        CU_ASSERT_EQUAL(bytes, 0);
        mem_free(&all);
    }
    mem_free(&sizes);
}

/* ---- exchange ---- */

typedef enum Shape {
    SHAPE_RANDOM,
    SHAPE_NOTHING,
    SHAPE_ALL_TO_ONE,
    SHAPE_ONE_TO_ALL,
    SHAPES
} Shape;

/* Elements that `from` sends to `to`. */
static int64_t sent(Shape shape, int from, int to, int size)
{
    int empty = empty_rank(size);
    switch (shape) {
    case SHAPE_RANDOM:
        return from == empty || to == empty ? 0 : (int64_t)(noise(from, to, 6) % 20);
    case SHAPE_ALL_TO_ONE:
        return to == size - 1 ? 13 : 0;
    case SHAPE_ONE_TO_ALL:
        return from == size / 2 ? 9 : 0;
    case SHAPE_NOTHING:
    case SHAPES:
        break;
    }
    return 0;
}

/* A row as it is sent: who, to whom, which. */
typedef struct Letter {
    int32_t from, to;
    int64_t number;
    uint64_t content;
} Letter;

static Letter letter(int from, int to, int64_t number)
{
    return (Letter){from, to, number, noise(from, to, number)};
}

static int64_t count_all(const int64_t *counts, int size)
{
    int64_t total = 0;
    for (int i = 0; i < size; i++)
        total += counts[i];
    return total;
}

static void check_exchange(Shape shape, size_t width)
{
    Comm *comm = rank_comm();
    int size = comm_size(comm);
    int self = comm_rank(comm);
    int64_t *counts = mem_new(size, sizeof *counts);
    int64_t *received_counts = mem_new(size, sizeof *received_counts);
    for (int to = 0; to < size; to++)
        counts[to] = sent(shape, self, to, size);
    char *send = mem_new(count_all(counts, size), width);
    char *at = send;
    for (int to = 0; to < size; to++) {
        for (int64_t k = 0; k < counts[to]; k++, at += width) {
            Letter one = letter(self, to, k);
            memcpy(at, (char *)&one + (sizeof one - width), width);
        }
    }
    char *received = NULL;
    Error error = {0};
    Status status = comm_exchange(comm, send, counts, width, &received, received_counts, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    int64_t wrong = 0;
    at = received;
    for (int from = 0; from < size; from++) {
        wrong += received_counts[from] != sent(shape, from, self, size);
        for (int64_t k = 0; k < received_counts[from]; k++, at += width) {
            Letter one = letter(from, self, k);
            wrong += memcmp(at, (char *)&one + (sizeof one - width), width) != 0;
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
    mem_free(&counts);
    mem_free(&received_counts);
    mem_free(&send);
    mem_free(&received);
}

static void test_exchange(void)
{
    for (int p = 0; p < N_PIECES; p++) {
        comm_set_piece(rank_comm(), pieces[p]);
        for (int shape = 0; shape < SHAPES; shape++) {
            check_exchange((Shape)shape, 1);
            check_exchange((Shape)shape, 8);
            check_exchange((Shape)shape, sizeof(Letter));
        }
    }
}

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
        counts[to] = sent(shape, self, to, size);
        for (int64_t k = 0; k < counts[to] && made == STATUS_OK; k++)
            made = add_letter(&table, letter(self, to, k), &error);
    }
    CU_ASSERT_EQUAL(made, STATUS_OK);
    CU_ASSERT_EQUAL(comm_exchange_table(comm, &table, counts, sources, &error), STATUS_OK);
    int64_t row = 0;
    int64_t wrong = 0;
    for (int from = 0; from < size; from++) {
        wrong += sources[from] != sent(shape, from, self, size);
        for (int64_t k = 0; k < sources[from] && row < table.rows; k++, row++)
            wrong += !is_letter(&table, row, letter(from, self, k));
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(row, table.rows);
    /* The table goes on as any other. */
    CU_ASSERT_EQUAL(add_letter(&table, letter(1, 2, 3), &error), STATUS_OK);
    CU_ASSERT_TRUE(is_letter(&table, table.rows - 1, letter(1, 2, 3)));
    table_free(&table);
    mem_free(&counts);
    mem_free(&sources);
}

static void test_exchange_table(void)
{
    for (int p = 0; p < N_PIECES; p++) {
        comm_set_piece(rank_comm(), pieces[p]);
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
    return (int32_t)(noise(id, kind->n, 7) % (uint64_t)kind->groups) - kind->groups / 2;
}

static Bytes row_name(const Kind *kind, int64_t id, char text[32])
{
    int32_t name = (int32_t)(noise(id, kind->n, 8) % (uint64_t)kind->names);
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
    int64_t begin = on_one_rank ? 0 : own_start(kind->n, rank, size);
    int64_t end = on_one_rank ? kind->n : own_start(kind->n, rank + 1, size);
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
        comm_set_piece(rank_comm(), pieces[p]);
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
    CU_ASSERT_TRUE(own == share || own == share + 1);
    mem_free(&ids);
    table_free(&table);
}

static void test_rebalance_table(void)
{
    static const int64_t rows[] = {0, 1, 2, 7, 100, 1001};
    static const int64_t blocks[] = {1, 3, 64, 5000};
    comm_set_piece(rank_comm(), pieces[N_PIECES - 1]);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t k = 0; k < sizeof blocks / sizeof *blocks; k++) {
            check_rebalance(rows[i], blocks[k], false);
            check_rebalance(rows[i], blocks[k], true);
        }
    }
}

/* ---- failures ---- */

/* Arm a fault on one rank; `site` NULL disarms. */
static void arm(const char *site, int rank)
{
    char fault[64];
    Error error = {0};
    snprintf(fault, sizeof fault, "%s:%d:1", site ? site : "", rank);
    if (site)
        setenv("VESPER_FAULT", fault, 1);
    else
        unsetenv("VESPER_FAULT");
    CU_ASSERT_EQUAL(fault_init(comm_rank(rank_comm()), &error), STATUS_OK);
}

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
        arm("comm.exchange", rank);
        CU_ASSERT_EQUAL(comm_exchange(comm, NULL, counts, 8, &received, counts, &error), STATUS_IO);
        CU_ASSERT_EQUAL(error.rank, rank);
        arm("comm.exchange_table", rank);
        make_rows(&table, &kind, false);
        CU_ASSERT_EQUAL(comm_rebalance_table(comm, &table, 10, &error), STATUS_IO);
        CU_ASSERT_EQUAL(error.rank, rank);
        CU_ASSERT_EQUAL(table.rows, 0);
        table_free(&table);
        if (size > 1) {
            arm("comm.sort", rank);
            make_rows(&table, &kind, false);
            CU_ASSERT_EQUAL(comm_sort_table(comm, &table, keys, 1, &error), STATUS_IO);
            CU_ASSERT_EQUAL(error.rank, rank);
            table_free(&table);
        }
        mem_free(&received);
        mem_free(&counts);
    }
    arm(NULL, 0);
}

CU_TestInfo comm_tests[] = {
    {"agree names the lowest rank", test_agree_names_the_lowest_rank},
    {"agree passes when all are well", test_agree_passes_when_all_are_well},
    {"agree without a message", test_agree_without_a_message},
    {"broadcast from every rank", test_broadcast_from_every_rank},
    {"broadcast buffer", test_broadcast_buffer},
    {"reductions", test_reductions},
    {"sum scatter", test_sum_scatter},
    {"sum in order has the serial bits", test_sum_in_order_has_the_serial_bits},
    {"gather all", test_gather_all},
    {"exchange", test_exchange},
    {"exchange table", test_exchange_table},
    {"exchange table without columns", test_exchange_table_without_columns},
    {"sort table", test_sort_table},
    {"rebalance table", test_rebalance_table},
    {"a failure on one rank is everybody's", test_a_failure_on_one_rank_is_everybodys},
    CU_TEST_INFO_NULL,
};
