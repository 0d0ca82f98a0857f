/* Sorting: radix passes over the bits that differ, for integers, texts and tables. */
#include "table/sort.h"

#include "base/memory.h"

#include <string.h>

enum {
    INSERTION_MAX = 24, /* shorter ranges are sorted by insertion */
    STACK_VALUES = 512, /* shorter ranges need no heap */
    DIGIT_BITS = 11,    /* 2048 targets: what the first-level caches and the TLB can follow */
    SMALL_DIGIT_BITS = 8,
    SMALL_RANGE = 1 << 14,
    TEXT_STEP = 8,    /* bytes of a text compared at once */
    TEXT_RUNS_MAX = 8 /* so many runs of texts in order are merged */
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

/* ---- texts ---- */

typedef struct TextSort {
    const char *bytes;
    const int64_t *ends;
    int64_t *order;
    uint64_t *keys;   /* [n] of the range being sorted, in the order of `order` */
    int64_t *places;  /* [n] */
    int64_t *scratch; /* [n] */
} TextSort;

/* Text i without its first `depth` bytes. */
static Bytes text_after(const TextSort *sort, int64_t i, int64_t depth)
{
    int64_t start = (i > 0 ? sort->ends[i - 1] : 0) + depth;
    return (Bytes){.data = sort->bytes + start, .size = sort->ends[i] - start};
}

/* The next bytes as a number, first byte highest; zeros after the end. */
static uint64_t text_key(Bytes text)
{
    unsigned char block[TEXT_STEP] = {0};
    uint64_t key = 0;
    memcpy(block, text.data, text.size < TEXT_STEP ? (size_t)text.size : TEXT_STEP);
    for (int i = 0; i < TEXT_STEP; i++)
        key = key << 8 | block[i];
    return key;
}

static void insertion_texts(TextSort *sort, int64_t begin, int64_t end, int64_t depth)
{
    for (int64_t i = begin + 1; i < end; i++) {
        int64_t row = sort->order[i];
        Bytes text = text_after(sort, row, depth);
        int64_t at = i;
        for (; at > begin; at--) {
            if (bytes_compare(text_after(sort, sort->order[at - 1], depth), text) <= 0)
                break;
            sort->order[at] = sort->order[at - 1];
        }
        sort->order[at] = row;
    }
}

/* Bytes that all texts of a range have in common after `depth`. */
static int64_t common_prefix(const TextSort *sort, int64_t begin, int64_t end, int64_t depth)
{
    Bytes first = text_after(sort, sort->order[begin], depth);
    int64_t common = first.size;
    for (int64_t i = begin + 1; i < end && common > 0; i++) {
        Bytes other = text_after(sort, sort->order[i], depth);
        if (other.size < common)
            common = other.size;
        if (memcmp(first.data, other.data, (size_t)common) == 0)
            continue;
        int64_t at = 0;
        while (first.data[at] == other.data[at])
            at++;
        common = at;
    }
    return common;
}

/* Bring order and keys of a range into the order of its keys. */
static Status sort_range_by_keys(TextSort *sort, int64_t begin, int64_t n, Error *error)
{
    int64_t *order = sort->order + begin;
    uint64_t *keys = sort->keys + begin;
    int64_t *places = sort->places;
    Status status = sort_order_u64(keys, n, places, error);
    if (status != STATUS_OK)
        return status;
    memcpy(sort->scratch, order, (size_t)n * sizeof *order);
    for (int64_t i = 0; i < n; i++)
        order[i] = sort->scratch[places[i]];
    memcpy(sort->scratch, keys, (size_t)n * sizeof *keys);
    for (int64_t i = 0; i < n; i++)
        keys[i] = (uint64_t)sort->scratch[places[i]];
    return STATUS_OK;
}

/* First i after begin whose key differs. */
static int64_t run_end(const uint64_t *keys, int64_t begin, int64_t end)
{
    int64_t i = begin + 1;
    while (i < end && keys[i] == keys[begin])
        i++;
    return i;
}

/* Sort texts order[begin, end), which are equal in their first `depth` bytes. */
static Status sort_texts(TextSort *sort, int64_t begin, int64_t end, int64_t depth, Error *error)
{
    Status status = STATUS_OK;
    if (end - begin <= INSERTION_MAX) {
        insertion_texts(sort, begin, end, depth);
        return STATUS_OK;
    }
    depth += common_prefix(sort, begin, end, depth);
    for (int64_t i = begin; i < end; i++)
        sort->keys[i] = text_key(text_after(sort, sort->order[i], depth));
    TRY(sort_range_by_keys(sort, begin, end - begin, error));
    for (int64_t i = begin, next; i < end; i = next) {
        next = run_end(sort->keys, i, end);
        if (next == i + 1)
            continue;
        /* The same up to padding: what ended stands first, shorter before longer. */
        for (int64_t k = i; k < next; k++) {
            int64_t left = text_after(sort, sort->order[k], depth).size;
            sort->keys[k] = left <= TEXT_STEP ? (uint64_t)left : TEXT_STEP + 1;
        }
        TRY(sort_range_by_keys(sort, i, next - i, error));
        int64_t longer = i;
        while (longer < next && sort->keys[longer] <= TEXT_STEP)
            longer++;
        if (next - longer > 1)
            TRY(sort_texts(sort, longer, next, depth + TEXT_STEP, error));
    }
out:
    return status;
}

/* Where texts begin that are in order up to the next: dictionaries are one run, what ranks sorted
 * and exchanged is one of each rank. Returns how many runs there are, or TEXT_RUNS_MAX + 1 if more;
 * starts [runs + 1]. */
static int find_runs(const TextSort *sort, int64_t n, int64_t starts[TEXT_RUNS_MAX + 1])
{
    int runs = 1;
    starts[0] = 0;
    for (int64_t i = 1; i < n; i++) {
        if (bytes_compare(text_after(sort, i - 1, 0), text_after(sort, i, 0)) <= 0)
            continue;
        if (runs == TEXT_RUNS_MAX)
            return TEXT_RUNS_MAX + 1;
        starts[runs++] = i;
    }
    starts[runs] = n;
    return runs;
}

/* to [end - begin] := the runs from[begin, middle) and from[middle, end) as one; equal texts of the
 * first stand first. */
static void merge_two(const TextSort *sort, const int64_t *from, int64_t begin, int64_t middle,
                      int64_t end, int64_t *to)
{
    int64_t a = begin, b = middle;
    while (a < middle && b < end) {
        bool is_first =
            bytes_compare(text_after(sort, from[a], 0), text_after(sort, from[b], 0)) <= 0;
        *to++ = is_first ? from[a++] : from[b++];
    }
    memcpy(to, from + a, (size_t)(middle - a) * sizeof *to);
    memcpy(to + (middle - a), from + b, (size_t)(end - b) * sizeof *to);
}

/* Neighbours become one run until one is left. */
static void merge_runs(TextSort *sort, int64_t *starts, int runs)
{
    for (; runs > 1; runs = (runs + 1) / 2) {
        int64_t n = starts[runs];
        memcpy(sort->scratch, sort->order, (size_t)n * sizeof *sort->order);
        for (int r = 0; r + 1 < runs; r += 2)
            merge_two(sort, sort->scratch, starts[r], starts[r + 1], starts[r + 2],
                      sort->order + starts[r]);
        for (int r = 0; r < runs; r += 2)
            starts[r / 2] = starts[r];
        starts[(runs + 1) / 2] = n;
    }
}

Status sort_order_text(const char *bytes, const int64_t *ends, int64_t n, int64_t *order,
                       Error *error)
{
    Status status = STATUS_OK;
    TextSort sort = {.bytes = bytes ? bytes : "", .ends = ends, .order = order};
    int64_t starts[TEXT_RUNS_MAX + 1];
    for (int64_t i = 0; i < n; i++)
        order[i] = i;
    if (n <= INSERTION_MAX) {
        insertion_texts(&sort, 0, n, 0);
        return STATUS_OK;
    }
    int runs = find_runs(&sort, n, starts);
    if (runs == 1)
        return STATUS_OK;
    TRY(mem_resize(&sort.scratch, n, sizeof *sort.scratch, "room to sort texts", error));
    if (runs <= TEXT_RUNS_MAX) {
        merge_runs(&sort, starts, runs);
        goto out;
    }
    TRY(mem_resize(&sort.keys, n, sizeof *sort.keys, "room to sort texts", error));
    TRY(mem_resize(&sort.places, n, sizeof *sort.places, "room to sort texts", error));
    TRY(sort_texts(&sort, 0, n, 0, error));
out:
    mem_free(&sort.keys);
    mem_free(&sort.places);
    mem_free(&sort.scratch);
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
