/* Sorting, against a comparison sort with the row number as the last key. */
#include "table/sort.h"

#include "base/memory.h"
#include "base/random.h"
#include "unit/suites.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Around every change of method: insertion, stack or heap, small or large digits. */
static const int64_t lengths[] = {0, 1, 2, 3, 24, 25, 100, 512, 513, 3000, 20000};
enum { N_LENGTHS = 11 };

/* Kinds of keys: their bits and where they start. */
static const struct {
    int bits;
    int shift;
    uint64_t base;
} key_kinds[] = {{0, 0, 5},  {1, 0, 0},  {3, 61, 0},          {12, 0, 1000},
                 {33, 7, 9}, {60, 3, 1}, {64, 0, UINT64_MAX}, {20, 0, UINT64_MAX - (1 << 20)}};
enum { N_KEY_KINDS = 8 };

static uint64_t draw_key(Random *random, int kind)
{
    uint64_t value =
        key_kinds[kind].bits == 0 ? 0 : random_u64(random) >> (64 - key_kinds[kind].bits);
    return key_kinds[kind].base + (value << key_kinds[kind].shift);
}

static int compare_u64_rows(const void *left, const void *right, void *keys)
{
    const uint64_t *key = keys;
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    if (key[a] != key[b])
        return key[a] < key[b] ? -1 : 1;
    return (a > b) - (a < b);
}

static void check_order(uint64_t *keys, int64_t n)
{
    int64_t *order = mem_new(n, sizeof *order);
    int64_t *expected = mem_new(n, sizeof *expected);
    Error error = {0};
    for (int64_t i = 0; i < n; i++)
        expected[i] = i;
    qsort_r(expected, (size_t)n, sizeof *expected, compare_u64_rows, keys);
    CU_ASSERT_EQUAL(sort_order_u64(keys, n, order, &error), STATUS_OK);
    CU_ASSERT_EQUAL(memcmp(order, expected, (size_t)n * sizeof *order), 0);
    mem_free(&order);
    mem_free(&expected);
}

static void test_order_u64(void)
{
    Random random = random_stream(1, 1);
    for (int l = 0; l < N_LENGTHS; l++) {
        int64_t n = lengths[l];
        uint64_t *keys = mem_new(n, sizeof *keys);
        for (int kind = 0; kind < N_KEY_KINDS; kind++) {
            for (int64_t i = 0; i < n; i++)
                keys[i] = draw_key(&random, kind);
            check_order(keys, n);
        }
        for (int64_t i = 0; i < n; i++)
            keys[i] = (uint64_t)(i / 3);
        check_order(keys, n);
        for (int64_t i = 0; i < n; i++)
            keys[i] = (uint64_t)(n - i);
        check_order(keys, n);
        mem_free(&keys);
    }
}

static int compare_i64(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static void test_sort_i64(void)
{
    Random random = random_stream(2, 1);
    for (int l = 0; l < N_LENGTHS; l++) {
        int64_t n = lengths[l];
        int64_t *values = mem_new(n, sizeof *values);
        int64_t *expected = mem_new(n, sizeof *expected);
        for (int kind = 0; kind < N_KEY_KINDS; kind++) {
            Error error = {0};
            for (int64_t i = 0; i < n; i++)
                values[i] = (int64_t)draw_key(&random, kind);
            if (n > 2) {
                values[n / 2] = kind % 2 == 0 ? INT64_MIN : values[n / 2];
                values[n / 3] = kind % 2 == 0 ? INT64_MAX : values[n / 3];
            }
            memcpy(expected, values, (size_t)n * sizeof *values);
            qsort(expected, (size_t)n, sizeof *expected, compare_i64);
            CU_ASSERT_EQUAL(sort_i64(values, n, &error), STATUS_OK);
            CU_ASSERT_EQUAL(memcmp(values, expected, (size_t)n * sizeof *values), 0);
        }
        mem_free(&values);
        mem_free(&expected);
    }
}

static void check_groups(int64_t n, int64_t n_groups)
{
    Random random = random_stream(3, (uint64_t)n);
    int32_t *group = mem_new(n, sizeof *group);
    int64_t *order = mem_new(n, sizeof *order);
    int64_t *starts = mem_new(n_groups + 1, sizeof *starts);
    Error error = {0};
    for (int64_t i = 0; i < n; i++)
        group[i] = (int32_t)random_below(&random, n_groups);
    CU_ASSERT_EQUAL(sort_order_by_group(group, n, n_groups, order, starts, &error), STATUS_OK);
    int64_t at = 0;
    int64_t wrong = 0;
    for (int64_t g = 0; g < n_groups; g++) {
        wrong += starts[g] != at;
        for (int64_t i = 0; i < n; i++) {
            if (group[i] == g)
                wrong += order[at++] != i;
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(starts[n_groups], n);
    mem_free(&group);
    mem_free(&order);
    mem_free(&starts);
}

static void test_order_by_group(void)
{
    check_groups(0, 0);
    check_groups(0, 3);
    check_groups(1, 1);
    check_groups(500, 7);
    check_groups(20, 100);
}

/* ---- texts ---- */

typedef struct Texts {
    char *bytes;
    int64_t *ends;
    int64_t n;
} Texts;

static Bytes text_at(const Texts *texts, int64_t i)
{
    int64_t start = i > 0 ? texts->ends[i - 1] : 0;
    return (Bytes){texts->bytes + start, texts->ends[i] - start};
}

static int compare_text_rows(const void *left, const void *right, void *texts)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    int sign = bytes_compare(text_at(texts, a), text_at(texts, b));
    return sign != 0 ? sign : (a > b) - (a < b);
}

/* order [n] := of the texts, as it must be and as it is. */
static void check_text_order(Texts *texts, int64_t *order)
{
    Error error = {0};
    int64_t *found = mem_new(texts->n, sizeof *found);
    for (int64_t i = 0; i < texts->n; i++)
        order[i] = i;
    qsort_r(order, (size_t)texts->n, sizeof *order, compare_text_rows, texts);
    CU_ASSERT_EQUAL(sort_order_text(texts->bytes, texts->ends, texts->n, found, &error), STATUS_OK);
    CU_ASSERT_EQUAL(memcmp(found, order, (size_t)texts->n * sizeof *order), 0);
    mem_free(&found);
}

/* The same texts as `runs` runs that are in order each. */
static void check_text_runs(const Texts *texts, const int64_t *order, int64_t runs)
{
    int64_t n = texts->n, row = 0, end = 0;
    Texts mixed = {.bytes = mem_new(n > 0 ? texts->ends[n - 1] : 0, 1),
                   .ends = mem_new(n, sizeof *mixed.ends),
                   .n = n};
    int64_t *unused = mem_new(n, sizeof *unused);
    for (int64_t run = 0; run < runs; run++) {
        for (int64_t i = run; i < n; i += runs) {
            Bytes text = text_at(texts, order[i]);
            memcpy(mixed.bytes + end, text.data, (size_t)text.size);
            end += text.size;
            mixed.ends[row++] = end;
        }
    }
    check_text_order(&mixed, unused);
    mem_free(&mixed.bytes);
    mem_free(&mixed.ends);
    mem_free(&unused);
}

/* Texts of up to `longest` bytes of an alphabet of `letters`, which begin with `prefix` bytes in
 * common; letter 0 is NUL, so that padding is put to the test. */
static void check_texts(int64_t n, int64_t longest, int letters, int64_t prefix)
{
    Random random = random_stream(4, (uint64_t)(n + longest));
    Texts texts = {.bytes = mem_new(n * (longest + prefix), 1),
                   .ends = mem_new(n, sizeof *texts.ends),
                   .n = n};
    int64_t *order = mem_new(n, sizeof *order);
    int64_t end = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t size = random_below(&random, longest + 1);
        memset(texts.bytes + end, 'p', (size_t)prefix);
        end += prefix;
        for (int64_t k = 0; k < size; k++) {
            int64_t letter = random_below(&random, letters);
            texts.bytes[end++] = (char)(letter == 0 ? 0 : 0xff - letter);
        }
        texts.ends[i] = end;
    }
    check_text_order(&texts, order);
    for (int64_t runs = 1; runs < 10; runs++)
        check_text_runs(&texts, order, runs);
    mem_free(&texts.bytes);
    mem_free(&texts.ends);
    mem_free(&order);
}

static void test_order_text(void)
{
    for (int l = 0; l < N_LENGTHS; l++) {
        check_texts(lengths[l], 0, 1, 0);
        check_texts(lengths[l], 3, 2, 0);
        check_texts(lengths[l], 12, 2, 0);
        check_texts(lengths[l], 40, 1, 0);
        check_texts(lengths[l], 40, 2, 30);
        check_texts(lengths[l], 20, 200, 5);
    }
}

/* ---- tables ---- */

static const ColumnSpec specs[] = {
    {"id", COLUMN_I64, UNIT_NONE},    {"tiny", COLUMN_I8, UNIT_NONE},
    {"small", COLUMN_I16, UNIT_NONE}, {"day", COLUMN_I32, UNIT_DAY},
    {"ts", COLUMN_I64, UNIT_NONE},    {"real", COLUMN_F64, UNIT_NONE},
    {"text", COLUMN_TEXT, UNIT_NONE},
};
enum { N_SPECS = 7 };

static const double reals[] = {-1.5, -0.0, 0.0, 1e-300, 2.5, INFINITY, -INFINITY, NAN};
static const char *const words[] = {"", "a", "ab", "abcdefghi", "abcdefgh", "b"};

static Status fill(Table *table, int64_t n, Error *error)
{
    Status status = STATUS_OK;
    Random random = random_stream(5, (uint64_t)n);
    table_init(table, specs, N_SPECS);
    for (int64_t i = 0; i < n; i++) {
        TRY(table_add_row(table, error));
        ((int64_t *)table->columns[0].data)[i] = i;
        ((int8_t *)table->columns[1].data)[i] = (int8_t)(random_below(&random, 4) - 2);
        ((int16_t *)table->columns[2].data)[i] = (int16_t)(random_below(&random, 65536) - 32768);
        ((int32_t *)table->columns[3].data)[i] =
            random_below(&random, 3) == 0 ? DAY_NONE : (int32_t)random_below(&random, 5);
        ((int64_t *)table->columns[4].data)[i] =
            random_below(&random, 3) == 0 ? INT64_MIN : (int64_t)random_u64(&random) >> 1;
        ((double *)table->columns[5].data)[i] = reals[random_below(&random, 8)];
        TRY(table_set_last_text(table, &table->columns[6],
                                bytes_of(words[random_below(&random, 6)]), error));
    }
out:
    return status;
}

static int compare_reals(double a, double b)
{
    if (isnan(a) || isnan(b))
        return (isnan(a) != 0) - (isnan(b) != 0);
    return (a > b) - (a < b);
}

/* The order of two rows in one column, spelled out. */
static int compare_naively(const Table *table, int64_t a, int64_t b, const char *name)
{
    const Column *column = table_column_const(table, name);
    int64_t x = 0;
    int64_t y = 0;
    switch (column->type) {
    case COLUMN_I8:
        x = ((const int8_t *)column->data)[a];
        y = ((const int8_t *)column->data)[b];
        break;
    case COLUMN_I16:
        x = ((const int16_t *)column->data)[a];
        y = ((const int16_t *)column->data)[b];
        break;
    case COLUMN_I32:
        x = ((const int32_t *)column->data)[a];
        y = ((const int32_t *)column->data)[b];
        break;
    case COLUMN_I64:
        x = ((const int64_t *)column->data)[a];
        y = ((const int64_t *)column->data)[b];
        break;
    case COLUMN_F64:
        return compare_reals(((const double *)column->data)[a], ((const double *)column->data)[b]);
    case COLUMN_TEXT:
        return bytes_compare(column_text(column, a), column_text(column, b));
    }
    return (x > y) - (x < y);
}

/* Values that are not those which the row of that id had. */
static int64_t count_torn(const Table *table, const Table *original)
{
    int64_t wrong = 0;
    const int64_t *ids = table->columns[0].data;
    for (int64_t row = 0; row < table->rows; row++) {
        for (int c = 0; c < N_SPECS; c++) {
            SortKey key = {specs[c].name, false};
            wrong += table_compare_rows(table, row, original, ids[row], &key, 1) != 0;
        }
    }
    return wrong;
}

/* Every row is at its place, and still one row. */
static void check_sorted(int64_t n, const SortKey *keys, int n_keys)
{
    Table table;
    Table original;
    Error error = {0};
    CU_ASSERT_EQUAL(fill(&table, n, &error), STATUS_OK);
    CU_ASSERT_EQUAL(fill(&original, n, &error), STATUS_OK);
    CU_ASSERT_EQUAL(table_sort(&table, keys, n_keys, &error), STATUS_OK);
    CU_ASSERT_EQUAL(table.rows, n);
    int64_t wrong = 0;
    const int64_t *ids = table.columns[0].data;
    for (int64_t row = 1; row < n; row++) {
        int sign = 0;
        for (int k = 0; k < n_keys && sign == 0; k++) {
            sign = compare_naively(&table, row - 1, row, keys[k].column);
            sign = keys[k].descending ? -sign : sign;
        }
        wrong += sign > 0 || (sign == 0 && ids[row - 1] >= ids[row]);
        int found = table_compare_rows(&table, row - 1, &table, row, keys, n_keys);
        wrong += (found > 0) != (sign > 0) || (found < 0) != (sign < 0);
    }
    wrong += count_torn(&table, &original);
    CU_ASSERT_EQUAL(wrong, 0);
    table_free(&table);
    table_free(&original);
}

static void test_table_sort(void)
{
    static const SortKey by[][4] = {
        {{"tiny", false}},
        {{"text", false}},
        {{"text", true}},
        {{"text", true}, {"tiny", false}},
        {{"real", false}, {"day", true}},
        {{"real", true}, {"small", false}, {"text", false}},
        {{"day", true}, {"ts", false}, {"real", false}, {"text", true}},
        {{"ts", true}, {"tiny", true}, {"small", true}, {"id", true}},
    };
    static const int n_keys[] = {1, 1, 1, 2, 2, 3, 4, 4};
    for (int l = 0; l < N_LENGTHS - 1; l++) {
        for (size_t i = 0; i < sizeof n_keys / sizeof *n_keys; i++)
            check_sorted(lengths[l], by[i], n_keys[i]);
        check_sorted(lengths[l], NULL, 0);
    }
}

static void check_table_groups(int64_t n, int64_t n_groups)
{
    Table table, original;
    Error error = {0};
    Random random = random_stream(6, (uint64_t)n);
    int32_t *group = mem_new(n, sizeof *group), *kept = mem_new(n, sizeof *kept);
    int64_t *counts = mem_new(n_groups, sizeof *counts);
    CU_ASSERT_EQUAL(fill(&table, n, &error), STATUS_OK);
    CU_ASSERT_EQUAL(fill(&original, n, &error), STATUS_OK);
    for (int64_t i = 0; i < n; i++)
        group[i] = kept[i] = (int32_t)random_below(&random, n_groups);
    CU_ASSERT_EQUAL(table_sort_by_group(&table, &group, n_groups, counts, &error), STATUS_OK);
    CU_ASSERT_PTR_NULL(group);
    CU_ASSERT_EQUAL(table.rows, n);
    const int64_t *ids = table.columns[0].data;
    int64_t at = 0, wrong = 0;
    for (int64_t g = 0; g < n_groups; g++) {
        int64_t begin = at;
        for (int64_t i = 0; i < n; i++)
            wrong += kept[i] == g && ids[at++] != i;
        wrong += counts[g] != at - begin;
    }
    wrong += count_torn(&table, &original);
    CU_ASSERT_EQUAL(at, n);
    CU_ASSERT_EQUAL(wrong, 0);
    table_free(&table);
    table_free(&original);
    mem_free(&kept);
    mem_free(&counts);
}

static void test_table_sort_by_group(void)
{
    check_table_groups(0, 3);
    check_table_groups(9, 1);
    check_table_groups(500, 7);
    check_table_groups(20, 100);
}

CU_TestInfo sort_tests[] = {
    {"order of unsigned keys", test_order_u64},
    {"integers in place", test_sort_i64},
    {"order by group", test_order_by_group},
    {"order of texts", test_order_text},
    {"tables by several keys", test_table_sort},
    {"tables by group", test_table_sort_by_group},
    CU_TEST_INFO_NULL,
};
