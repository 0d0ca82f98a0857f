/* Rows of keys and sums, brought together bucket by bucket; see group_rows.h.
 *
 * Rows go into buckets by the top bits of their keys. A bucket whose keys fit a small array is
 * added up there, in the near caches; one with a wide range of keys, or few rows, is sorted. */
#include "sales/group_rows.h"

#include "base/memory.h"
#include "table/sort.h"

#include <string.h>

enum { BUCKETS_MAX = 4096, ARRAY_BYTES_MAX = 1 << 19, COMPACT_ROWS = 1 << 22 };

int group_rows_width(const GroupRows *rows)
{
    return 1 + rows->n_added + (rows->has_days ? 2 : 0);
}

void group_rows_free(GroupRows *rows)
{
    for (int64_t i = 0; i < rows->n_chunks; i++)
        mem_free(&rows->chunks[i]);
    mem_free(&rows->chunks);
    rows->n = rows->n_chunks = rows->last = rows->combined = 0;
}

Status group_rows_add(GroupRows *rows, int64_t **row, Error *error)
{
    Status status = STATUS_OK;
    int width = group_rows_width(rows);
    if (rows->n_chunks == 0 || rows->last == GROUP_ROWS_CHUNK) {
        if ((rows->n_chunks & (rows->n_chunks - 1)) == 0) /* a full power of two: double it */
            mem_grow(&rows->chunks, rows->n_chunks > 0 ? rows->n_chunks * 2 : 1,
                     sizeof *rows->chunks);
        rows->chunks[rows->n_chunks] = NULL;
        TRY(mem_resize(&rows->chunks[rows->n_chunks], (int64_t)GROUP_ROWS_CHUNK * width,
                       sizeof(int64_t), "groups", error));
        rows->n_chunks++;
        rows->last = 0;
    }
    *row = rows->chunks[rows->n_chunks - 1] + rows->last++ * width;
    rows->n++;
out:
    return status;
}

static int64_t rows_of_chunk(const GroupRows *rows, int64_t chunk)
{
    return chunk + 1 < rows->n_chunks ? GROUP_ROWS_CHUNK : rows->last;
}

Status group_rows_append(GroupRows *rows, const int64_t *from, int64_t n, Error *error)
{
    Status status = STATUS_OK;
    int width = group_rows_width(rows);
    for (int64_t i = 0; i < n; i++) {
        int64_t *row;
        TRY(group_rows_add(rows, &row, error));
        memcpy(row, from + i * width, (size_t)width * sizeof *from);
    }
out:
    return status;
}

Status group_rows_take(GroupRows *rows, GroupRows *from, Error *error)
{
    Status status = STATUS_OK;
    for (int64_t c = 0; c < from->n_chunks; c++) {
        TRY(group_rows_append(rows, from->chunks[c], rows_of_chunk(from, c), error));
        mem_free(&from->chunks[c]);
    }
out:
    group_rows_free(from);
    return status;
}

/* Rows by bucket: rows [n x width], those of bucket b from starts[b] on. */
typedef struct Buckets {
    int shift;
    int64_t n;       /* buckets */
    int64_t *starts; /* [n + 1] */
    int64_t *rows;
} Buckets;

static void buckets_free(Buckets *buckets)
{
    mem_free(&buckets->starts);
    mem_free(&buckets->rows);
}

/* Frees the chunks on its way. */
static Status make_buckets(GroupRows *rows, Buckets *buckets, Error *error)
{
    Status status = STATUS_OK;
    int width = group_rows_width(rows);
    int64_t *next = NULL;
    while ((rows->space - 1) >> buckets->shift >= BUCKETS_MAX)
        buckets->shift++;
    buckets->n = (int64_t)((rows->space - 1) >> buckets->shift) + 1;
    TRY(mem_resize(&buckets->starts, buckets->n + 1, sizeof *next, "buckets of groups", error));
    TRY(mem_resize(&next, buckets->n + 1, sizeof *next, "buckets of groups", error));
    TRY(mem_resize(&buckets->rows, rows->n * width, sizeof *next, "groups", error));
    memset(next, 0, (size_t)(buckets->n + 1) * sizeof *next);
    for (int64_t c = 0; c < rows->n_chunks; c++) {
        for (int64_t i = 0; i < rows_of_chunk(rows, c); i++)
            next[((uint64_t)rows->chunks[c][i * width] >> buckets->shift) + 1]++;
    }
    for (int64_t b = 0; b < buckets->n; b++)
        next[b + 1] += next[b];
    memcpy(buckets->starts, next, (size_t)(buckets->n + 1) * sizeof *next);
    for (int64_t c = 0; c < rows->n_chunks; c++) {
        const int64_t *from = rows->chunks[c];
        for (int64_t i = 0; i < rows_of_chunk(rows, c); i++, from += width)
            memcpy(buckets->rows + next[(uint64_t)from[0] >> buckets->shift]++ * width, from,
                   (size_t)width * sizeof *from);
        mem_free(&rows->chunks[c]);
    }
out:
    mem_free(&next);
    return status;
}

/* Row `from` into row `to` of the same key. */
static inline void add_row(const GroupRows *rows, int64_t *to, const int64_t *from)
{
    int n = rows->n_added;
    for (int w = 1; w <= n; w++)
        to[w] += from[w];
    if (rows->has_days) {
        to[n + 1] = from[n + 1] < to[n + 1] ? from[n + 1] : to[n + 1];
        to[n + 2] = from[n + 2] > to[n + 2] ? from[n + 2] : to[n + 2];
    }
}

/* array [range x width]: rows by key; a row that is there has its key + 1 in front. */
static Status combine_in_array(GroupRows *rows, const int64_t *from, int64_t n, uint64_t first,
                               int64_t range, int64_t *array, Error *error)
{
    Status status = STATUS_OK;
    int width = group_rows_width(rows);
    size_t bytes = (size_t)width * sizeof *from;
    for (int64_t i = 0; i < range; i++)
        array[i * width] = 0;
    for (int64_t i = 0; i < n; i++, from += width) {
        int64_t *to = array + (int64_t)((uint64_t)from[0] - first) * width;
        if (to[0] == 0) {
            memcpy(to, from, bytes);
            to[0]++;
        } else {
            add_row(rows, to, from);
        }
    }
    for (int64_t i = 0; i < range; i++) {
        const int64_t *found = array + i * width;
        int64_t *row;
        if (found[0] == 0)
            continue;
        TRY(group_rows_add(rows, &row, error));
        memcpy(row, found, bytes);
        row[0]--;
    }
out:
    return status;
}

static Status combine_by_sorting(GroupRows *rows, const int64_t *from, int64_t n, Error *error)
{
    Status status = STATUS_OK;
    int width = group_rows_width(rows);
    uint64_t *keys = NULL;
    int64_t *order = NULL, *row = NULL;
    TRY(mem_resize(&keys, n, sizeof *keys, "group keys", error));
    TRY(mem_resize(&order, n, sizeof *order, "group keys", error));
    for (int64_t i = 0; i < n; i++)
        keys[i] = (uint64_t)from[i * width];
    TRY(sort_order_u64(keys, n, order, error));
    for (int64_t i = 0; i < n; i++) {
        const int64_t *next = from + order[i] * width;
        if (row && row[0] == next[0]) {
            add_row(rows, row, next);
            continue;
        }
        TRY(group_rows_add(rows, &row, error));
        memcpy(row, next, (size_t)width * sizeof *next);
    }
out:
    mem_free(&keys);
    mem_free(&order);
    return status;
}

Status group_rows_combine(GroupRows *rows, Error *error)
{
    Status status = STATUS_OK;
    Buckets buckets = {0};
    int64_t *array = NULL;
    int width = group_rows_width(rows);
    TRY(make_buckets(rows, &buckets, error));
    group_rows_free(rows);
    int64_t range = (int64_t)1 << buckets.shift;
    bool fits = range <= ARRAY_BYTES_MAX / ((int64_t)sizeof *array * width);
    if (fits)
        TRY(mem_resize(&array, range * width, sizeof *array, "groups of a bucket", error));
    for (int64_t b = 0; b < buckets.n; b++) {
        const int64_t *from = buckets.rows + buckets.starts[b] * width;
        int64_t n = buckets.starts[b + 1] - buckets.starts[b];
        if (n == 0)
            continue;
        if (fits && n > range / 16)
            TRY(combine_in_array(rows, from, n, (uint64_t)b << buckets.shift, range, array, error));
        else
            TRY(combine_by_sorting(rows, from, n, error));
    }
    rows->combined = rows->n;
out:
    buckets_free(&buckets);
    mem_free(&array);
    return status;
}

Status group_rows_compact(GroupRows *rows, Error *error)
{
    bool has_many = rows->n > COMPACT_ROWS && rows->n / 2 > rows->combined;
    return has_many ? group_rows_combine(rows, error) : STATUS_OK;
}

Status group_rows_flatten(GroupRows *rows, int64_t **all, int64_t *n, Error *error)
{
    Status status = STATUS_OK;
    int width = group_rows_width(rows);
    int64_t *to;
    *n = rows->n;
    TRY(mem_resize(all, rows->n * width, sizeof **all, "groups", error));
    to = *all;
    for (int64_t c = 0; c < rows->n_chunks; c++) {
        int64_t words = rows_of_chunk(rows, c) * width;
        memcpy(to, rows->chunks[c], (size_t)words * sizeof *to);
        to += words;
        mem_free(&rows->chunks[c]);
    }
    group_rows_free(rows);
out:
    return status;
}
