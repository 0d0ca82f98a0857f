#include "recommend/sparse_rows.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static int compare_items(const void *a, const void *b)
{
    int32_t left = *(const int32_t *)a, right = *(const int32_t *)b;
    return (left > right) - (left < right);
}

/* Sort [n] ascending, drop repetitions; how many are left. */
static int64_t sort_items(int32_t *items, int64_t n)
{
    int64_t kept = 0;
    qsort(items, (size_t)n, sizeof *items, compare_items);
    for (int64_t i = 0; i < n; i++) {
        if (i == 0 || items[i] != items[i - 1])
            items[kept++] = items[i];
    }
    return kept;
}

Status sparse_rows_fill(SparseRows *rows, int32_t n_rows, const int64_t *starts, int32_t *items,
                        Error *error)
{
    Status status;
    rows->n_rows = n_rows;
    TRY(mem_resize(&rows->starts, (int64_t)n_rows + 1, sizeof *rows->starts, "users' pairs",
                   error));
    rows->starts[0] = 0;
    for (int32_t r = 0; r < n_rows; r++)
        rows->starts[r + 1] =
            rows->starts[r] + sort_items(items + starts[r], starts[r + 1] - starts[r]);
    int64_t n = sparse_entries(rows);
    TRY(mem_resize(&rows->columns, n, sizeof *rows->columns, "users' pairs", error));
    TRY(mem_resize(&rows->values, n, sizeof *rows->values, "users' pairs", error));
    for (int32_t r = 0; r < n_rows; r++) {
        int64_t count = rows->starts[r + 1] - rows->starts[r];
        if (count > 0)
            memcpy(rows->columns + rows->starts[r], items + starts[r],
                   (size_t)count * sizeof *items);
    }
    for (int64_t i = 0; i < n; i++)
        rows->values[i] = 1;
out:
    return status;
}
