/* Sorting and grouping of local arrays. Stable where it says so. */
#ifndef VESPER_TABLE_SORT_H
#define VESPER_TABLE_SORT_H

#include "table/table.h"

/* order [n] := permutation that sorts keys [n] ascending, stable; radix, O(n) passes over the
 * bytes that differ. */
Status sort_order_u64(const uint64_t *keys, int64_t n, int64_t *order,
                      Error *error) VESPER_MUST_USE;

/* Sort values [n] ascending in place, radix. */
Status sort_i64(int64_t *values, int64_t n, Error *error) VESPER_MUST_USE;

/* Counting sort: order [n] := stable permutation by group [n] in [0, n_groups); starts
 * [n_groups + 1] := first position of each group. */
Status sort_order_by_group(const int32_t *group, int64_t n, int64_t n_groups, int64_t *order,
                           int64_t *starts, Error *error) VESPER_MUST_USE;

/* order [n] := permutation that sorts texts bytewise, stable. Text i is bytes[ends[i - 1] (or 0),
 * ends[i]), as in a text column or a StringMap. */
Status sort_order_text(const char *bytes, const int64_t *ends, int64_t n, int64_t *order,
                       Error *error) VESPER_MUST_USE;

/* How a table is sorted: columns by name; text is compared bytewise. -0 equals 0, NaN is last. */
typedef struct SortKey {
    const char *column;
    bool descending;
} SortKey;

/* Compare row a of `left` with row b of `right` (same columns) by `keys`: <0, 0, >0. */
int table_compare_rows(const Table *left, int64_t a, const Table *right, int64_t b,
                       const SortKey *keys, int n_keys);

/* Reorder rows by their group in [0, n_groups), stable; counts [n_groups] := rows of each. Frees
 * *group [rows], whatever comes of it, and before rows are moved. */
Status table_sort_by_group(Table *table, int32_t **group, int64_t n_groups, int64_t *counts,
                           Error *error) VESPER_MUST_USE;

/* Sort the table by keys; stable. */
Status table_sort(Table *table, const SortKey *keys, int n_keys, Error *error) VESPER_MUST_USE;

#endif
