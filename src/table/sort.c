/* Sorting: radix passes over the bits that differ, for integers and tables. */
#include "table/sort.h"

#include "base/memory.h"

#include <string.h>

enum {
    INSERTION_MAX = 24, /* shorter ranges are sorted by insertion */
    STACK_VALUES = 512, /* shorter ranges need no heap */
    DIGIT_BITS = 11,    /* 2048 targets: what the first-level caches and the TLB can follow */
    SMALL_DIGIT_BITS = 8,
    SMALL_RANGE = 1 << 14
};

#define SIGN_BIT ((uint64_t)1 << 63)

/* Number of bits needed for values 0..value. */
static int bits_of(uint64_t value)
{
    return value == 0 ? 0 : 64 - __builtin_clzll(value);
}

static uint64_t low_bits(int bits)
{
    return bits >= 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
}

/* ---- integers ---- */

/* One stable pass by `bits` bits from `shift` on. False, and nothing done, if they are all equal.
 */
static bool radix_pass(const uint64_t *from, uint64_t *to, int64_t n, int shift, int bits)
{
    int64_t starts[1 << DIGIT_BITS];
    uint64_t mask = low_bits(bits);
    memset(starts, 0, ((size_t)1 << bits) * sizeof *starts);
    for (int64_t i = 0; i < n; i++)
        starts[from[i] >> shift & mask]++;
    if (starts[from[0] >> shift & mask] == n)
        return false;
    int64_t start = 0;
    for (uint64_t digit = 0; digit <= mask; digit++) {
        int64_t count = starts[digit];
        starts[digit] = start;
        start += count;
    }
    for (int64_t i = 0; i < n; i++)
        to[starts[from[i] >> shift & mask]++] = from[i];
    return true;
}

/* Sort n > 0 values by bits [low, high), stable. Returns where the result is: values or spare. */
static uint64_t *radix_sort(uint64_t *values, uint64_t *spare, int64_t n, int low, int high)
{
    int most = n < SMALL_RANGE ? SMALL_DIGIT_BITS : DIGIT_BITS;
    int passes = (high - low + most - 1) / most;
    int bits = passes > 0 ? (high - low + passes - 1) / passes : 0;
    for (int shift = low; shift < high; shift += bits) {
        int width = high - shift < bits ? high - shift : bits;
        if (radix_pass(values, spare, n, shift, width)) {
            uint64_t *sorted = spare;
            spare = values;
            values = sorted;
        }
    }
    return values;
}

static void insertion_order(const uint64_t *keys, int64_t n, int64_t *order)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t at = i;
        for (; at > 0 && keys[order[at - 1]] > keys[i]; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
}

/* Value and row share one word: as many bits of the keys as fit beside the row are sorted at a
 * time, the lowest first. */
static void packed_order(const uint64_t *keys, int64_t n, uint64_t min, int bits, int64_t *order,
                         uint64_t *spare)
{
    int row_bits = bits_of((uint64_t)n - 1);
    uint64_t row_mask = low_bits(row_bits);
    int room = 64 - row_bits;
    uint64_t *records = (uint64_t *)order;
    for (int low = 0; low < bits; low += room) {
        int width = bits - low < room ? bits - low : room;
        uint64_t mask = low_bits(width);
        for (int64_t i = 0; i < n; i++) {
            uint64_t row = low == 0 ? (uint64_t)i : (uint64_t)order[i];
            records[i] = ((keys[row] - min) >> low & mask) << row_bits | row;
        }
        const uint64_t *sorted = radix_sort(records, spare, n, row_bits, row_bits + width);
        for (int64_t i = 0; i < n; i++)
            order[i] = (int64_t)(sorted[i] & row_mask);
    }
}

Status sort_order_u64(const uint64_t *keys, int64_t n, int64_t *order, Error *error)
{
    Status status = STATUS_OK;
    uint64_t small[STACK_VALUES];
    uint64_t *heap = NULL;
    if (n <= INSERTION_MAX) {
        insertion_order(keys, n, order);
        return STATUS_OK;
    }
    uint64_t min = keys[0];
    uint64_t max = keys[0];
    bool is_sorted = true;
    for (int64_t i = 1; i < n; i++) {
        min = keys[i] < min ? keys[i] : min;
        max = keys[i] > max ? keys[i] : max;
        is_sorted &= keys[i - 1] <= keys[i];
    }
    if (is_sorted) {
        for (int64_t i = 0; i < n; i++)
            order[i] = i;
        return STATUS_OK;
    }
    if (n > STACK_VALUES)
        TRY(mem_resize(&heap, n, sizeof *heap, "room to sort", error));
    packed_order(keys, n, min, bits_of(max - min), order, heap ? heap : small);
out:
    mem_free(&heap);
    return status;
}

static void insertion_sort(int64_t *values, int64_t n)
{
    for (int64_t i = 1; i < n; i++) {
        int64_t value = values[i];
        int64_t at = i;
        for (; at > 0 && values[at - 1] > value; at--)
            values[at] = values[at - 1];
        values[at] = value;
    }
}

Status sort_i64(int64_t *values, int64_t n, Error *error)
{
    Status status = STATUS_OK;
    uint64_t small[STACK_VALUES];
    uint64_t *heap = NULL;
    if (n <= INSERTION_MAX) {
        insertion_sort(values, n);
        return STATUS_OK;
    }
    int64_t min = values[0];
    int64_t max = values[0];
    bool is_sorted = true;
    for (int64_t i = 1; i < n; i++) {
        min = values[i] < min ? values[i] : min;
        max = values[i] > max ? values[i] : max;
        is_sorted &= values[i - 1] <= values[i];
    }
    if (is_sorted)
        return STATUS_OK;
    if (n > STACK_VALUES)
        TRY(mem_resize(&heap, n, sizeof *heap, "room to sort", error));
    uint64_t *unsigned_values = (uint64_t *)values;
    for (int64_t i = 0; i < n; i++)
        unsigned_values[i] -= (uint64_t)min;
    const uint64_t *sorted = radix_sort(unsigned_values, heap ? heap : small, n, 0,
                                        bits_of((uint64_t)max - (uint64_t)min));
    for (int64_t i = 0; i < n; i++)
        unsigned_values[i] = sorted[i] + (uint64_t)min;
out:
    mem_free(&heap);
    return status;
}

Status sort_order_by_group(const int32_t *group, int64_t n, int64_t n_groups, int64_t *order,
                           int64_t *starts, Error *error)
{
    Status status;
    int64_t *next = NULL;
    TRY(mem_resize(&next, n_groups, sizeof *next, "room to group", error));
    memset(starts, 0, ((size_t)n_groups + 1) * sizeof *starts);
    for (int64_t i = 0; i < n; i++) {
        vesper_assert(group[i] >= 0 && group[i] < n_groups);
        starts[group[i] + 1]++;
    }
    for (int64_t g = 0; g < n_groups; g++) {
        next[g] = starts[g];
        starts[g + 1] += starts[g];
    }
    for (int64_t i = 0; i < n; i++)
        order[next[group[i]]++] = i;
out:
    mem_free(&next);
    return status;
}

/* ---- tables ---- */

/* One key of a table sort as numbers 0..range that ascend in the order wanted. */
typedef struct KeyColumn {
    const Column *column;
    int64_t *ranks; /* of texts: place among the different texts */
    bool descending;
    uint64_t min;
    uint64_t max;
    int bits;
} KeyColumn;

/* Doubles as unsigned numbers in the same order: -0 equals 0, NaN is last. */
static uint64_t ordered_f64(double value)
{
    if (value != value)
        return UINT64_MAX;
    uint64_t bits;
    value += 0.0; /* -0 becomes 0 */
    memcpy(&bits, &value, sizeof bits);
    return bits & SIGN_BIT ? ~bits : bits | SIGN_BIT;
}

static uint64_t ordered_i64(int64_t value)
{
    return (uint64_t)value ^ SIGN_BIT;
}

static uint64_t ordered_value(const Column *column, int64_t row)
{
    switch (column->type) {
    case COLUMN_I8:
        return ordered_i64(((const int8_t *)column->data)[row]);
    case COLUMN_I16:
        return ordered_i64(((const int16_t *)column->data)[row]);
    case COLUMN_I32:
        return ordered_i64(((const int32_t *)column->data)[row]);
    case COLUMN_I64:
        return ordered_i64(((const int64_t *)column->data)[row]);
    case COLUMN_F64:
        return ordered_f64(((const double *)column->data)[row]);
    case COLUMN_TEXT:
        break;
    }
    bug_abort(__FILE__, __LINE__, "text has no ordered value");
}

int table_compare_rows(const Table *left, int64_t a, const Table *right, int64_t b,
                       const SortKey *keys, int n_keys)
{
    for (int k = 0; k < n_keys; k++) {
        const Column *x = table_column_const(left, keys[k].column);
        const Column *y = table_column_const(right, keys[k].column);
        int sign;
        if (x->type == COLUMN_TEXT) {
            sign = bytes_compare(column_text(x, a), column_text(y, b));
        } else {
            uint64_t u = ordered_value(x, a);
            uint64_t v = ordered_value(y, b);
            sign = (u > v) - (u < v);
        }
        if (sign != 0)
            return keys[k].descending ? -sign : sign;
    }
    return 0;
}

static Status rank_texts(const Column *column, int64_t n, int64_t **ranks, Error *error)
{
    Status status;
    int64_t *order = NULL;
    TRY(mem_resize(&order, n, sizeof *order, column->name, error));
    TRY(mem_resize(ranks, n, sizeof **ranks, column->name, error));
    TRY(sort_order_text(column->bytes, column->ends, n, order, error));
    int64_t rank = 0;
    for (int64_t i = 0; i < n; i++) {
        if (i > 0 && !bytes_equal(column_text(column, order[i - 1]), column_text(column, order[i])))
            rank++;
        (*ranks)[order[i]] = rank;
    }
out:
    mem_free(&order);
    return status;
}

static uint64_t key_value(const KeyColumn *key, int64_t row)
{
    return key->ranks ? (uint64_t)key->ranks[row] : ordered_value(key->column, row);
}

static Status key_prepare(KeyColumn *key, const Table *table, const SortKey *by, Error *error)
{
    Status status = STATUS_OK;
    key->column = table_column_const(table, by->column);
    key->descending = by->descending;
    if (key->column->type == COLUMN_TEXT)
        TRY(rank_texts(key->column, table->rows, &key->ranks, error));
    key->min = UINT64_MAX;
    for (int64_t i = 0; i < table->rows; i++) {
        uint64_t value = key_value(key, i);
        key->min = value < key->min ? value : key->min;
        key->max = value > key->max ? value : key->max;
    }
    key->bits = bits_of(key->max - key->min);
out:
    return status;
}

/* Put one more key, as the lowest, into the combined keys of all rows. */
static void key_combine(const KeyColumn *key, int64_t n, uint64_t *combined)
{
    for (int64_t i = 0; i < n; i++) {
        uint64_t value = key_value(key, i);
        value = key->descending ? key->max - value : value - key->min;
        combined[i] = (key->bits < 64 ? combined[i] << key->bits : 0) | value;
    }
}

/* order := sorted by combined, stable with respect to the order so far. */
static Status refine_order(const uint64_t *combined, int64_t n, int64_t *order, uint64_t *permuted,
                           int64_t *next, Error *error)
{
    for (int64_t i = 0; i < n; i++)
        permuted[i] = combined[order[i]];
    Status status = sort_order_u64(permuted, n, next, error);
    if (status != STATUS_OK)
        return status;
    for (int64_t i = 0; i < n; i++)
        next[i] = order[next[i]];
    memcpy(order, next, (size_t)n * sizeof *order);
    return STATUS_OK;
}

/* order := sorted by all keys. Keys are combined to 64 bits as far as they fit; the least
 * significant ones are sorted first. */
static Status order_by_keys(const Table *table, const SortKey *by, int n_keys, int64_t *order,
                            Error *error)
{
    Status status = STATUS_OK;
    KeyColumn keys[TABLE_COLUMNS_MAX] = {{0}};
    uint64_t *combined = NULL;
    uint64_t *permuted = NULL;
    int64_t *next = NULL;
    int64_t n = table->rows;
    bool is_first = true;
    for (int k = 0; k < n_keys; k++)
        TRY(key_prepare(&keys[k], table, &by[k], error));
    TRY(mem_resize(&combined, n, sizeof *combined, "sort keys", error));
    for (int end = n_keys, begin; end > 0; end = begin) {
        int bits = 0;
        for (begin = end; begin > 0 && bits + keys[begin - 1].bits <= 64; begin--)
            bits += keys[begin - 1].bits;
        memset(combined, 0, (size_t)n * sizeof *combined);
        for (int k = begin; k < end; k++)
            key_combine(&keys[k], n, combined);
        if (is_first) {
            TRY(sort_order_u64(combined, n, order, error));
            is_first = false;
            continue;
        }
        TRY(mem_resize(&permuted, n, sizeof *permuted, "sort keys", error));
        TRY(mem_resize(&next, n, sizeof *next, "sort order", error));
        TRY(refine_order(combined, n, order, permuted, next, error));
    }
out:
    for (int k = 0; k < n_keys; k++)
        mem_free(&keys[k].ranks);
    mem_free(&combined);
    mem_free(&permuted);
    mem_free(&next);
    return status;
}

Status table_sort(Table *table, const SortKey *keys, int n_keys, Error *error)
{
    Status status = STATUS_OK;
    int64_t *order = NULL;
    vesper_assert(n_keys >= 0 && n_keys <= TABLE_COLUMNS_MAX);
    if (table->rows < 2 || n_keys == 0)
        return STATUS_OK;
    TRY(mem_resize(&order, table->rows, sizeof *order, "sort order", error));
    const Column *first = table_column_const(table, keys[0].column);
    if (n_keys == 1 && first->type == COLUMN_TEXT && !keys[0].descending)
        TRY(sort_order_text(first->bytes, first->ends, table->rows, order, error));
    else
        TRY(order_by_keys(table, keys, n_keys, order, error));
    int64_t in_place = 0;
    while (in_place < table->rows && order[in_place] == in_place)
        in_place++;
    if (in_place < table->rows)
        TRY(table_gather(table, order, table->rows, error));
out:
    mem_free(&order);
    return status;
}

Status table_sort_by_group(Table *table, int32_t **group, int64_t n_groups, int64_t *counts,
                           Error *error)
{
    Status status = STATUS_OK;
    int64_t *order = NULL, *starts = NULL;
    TRY(mem_resize(&order, table->rows, sizeof *order, "sort order", error));
    TRY(mem_resize(&starts, n_groups + 1, sizeof *starts, "sort order", error));
    TRY(sort_order_by_group(*group, table->rows, n_groups, order, starts, error));
    mem_free(group);
    for (int64_t g = 0; g < n_groups; g++)
        counts[g] = starts[g + 1] - starts[g];
    if (n_groups > 1)
        TRY(table_gather(table, order, table->rows, error));
out:
    mem_free(group);
    mem_free(&order);
    mem_free(&starts);
    return status;
}
