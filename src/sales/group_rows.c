/* Rows of keys and sums, brought together bucket by bucket; see group_rows.h.
 *
 * Rows go into buckets by the top bits of their keys. A bucket whose keys fit a small array is
 * added up there, in the near caches; one with a wide range of keys, or few rows, is sorted. */
#include "sales/group_rows.h"

#include "base/memory.h"
#include "table/sort.h"

#include <string.h>

enum { BUCKETS_MAX = 4096, ARRAY_BYTES_MAX = 1 << 19, COMPACT_BYTES = 1 << 28 };

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

Status group_rows_room(GroupRows *rows, int64_t wanted, int64_t **row, int64_t *room, Error *error)
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
    *row = rows->chunks[rows->n_chunks - 1] + rows->last * width;
    *room = GROUP_ROWS_CHUNK - rows->last < wanted ? GROUP_ROWS_CHUNK - rows->last : wanted;
    rows->last += *room;
    rows->n += *room;
out:
    return status;
}

/* One row more. */
static inline Status add_row(GroupRows *rows, int64_t **row, Error *error)
{
    int64_t room;
    return group_rows_room(rows, 1, row, &room, error);
}

static int64_t rows_of_chunk(const GroupRows *rows, int64_t chunk)
{
    return chunk + 1 < rows->n_chunks ? GROUP_ROWS_CHUNK : rows->last;
}

Status group_rows_append(GroupRows *rows, const int64_t *from, int64_t n, Error *error)
{
    Status status = STATUS_OK;
    int width = group_rows_width(rows);
    while (n > 0) {
        int64_t *row, room;
        TRY(group_rows_room(rows, n, &row, &room, error));
        memcpy(row, from, (size_t)(room * width) * sizeof *from);
        from += room * width;
        n -= room;
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

void group_buckets_free(GroupBuckets *buckets)
{
    mem_free(&buckets->starts);
    mem_free(&buckets->rows);
    *buckets = (GroupBuckets){.n = 0};
}

Status group_buckets_make(GroupRows *rows, GroupBuckets *buckets, Error *error)
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
    group_rows_free(rows);
out:
    mem_free(&next);
    return status;
}

/* Row `from` into row `to` of the same key. */
static inline void add_sums(const GroupRows *rows, int64_t *to, const int64_t *from)
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
            add_sums(rows, to, from);
        }
    }
    for (int64_t i = 0; i < range; i++) {
        const int64_t *found = array + i * width;
        int64_t *row;
        if (found[0] == 0)
            continue;
        TRY(add_row(rows, &row, error));
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
            add_sums(rows, row, next);
            continue;
        }
        TRY(add_row(rows, &row, error));
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
    GroupBuckets buckets = {0};
    int64_t *array = NULL;
    int width = group_rows_width(rows);
    TRY(group_buckets_make(rows, &buckets, error));
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
    group_buckets_free(&buckets);
    mem_free(&array);
    return status;
}

Status group_rows_compact(GroupRows *rows, Error *error)
{
    int64_t bytes = rows->n * group_rows_width(rows) * (int64_t)sizeof(int64_t);
    bool has_many = bytes > COMPACT_BYTES && rows->n / 2 > rows->combined;
    return has_many ? group_rows_combine(rows, error) : STATUS_OK;
}

const int64_t *group_rows_chunk(const GroupRows *rows, int64_t chunk, int64_t *n)
{
    *n = rows_of_chunk(rows, chunk);
    return rows->chunks[chunk];
}

void group_rows_drop_chunk(GroupRows *rows, int64_t chunk)
{
    mem_free(&rows->chunks[chunk]);
}
