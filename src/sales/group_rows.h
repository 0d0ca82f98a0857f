/* GroupRows: groups as rows of a key and its sums, of which the same key may come several times
 * until they are combined. For group-bys with too many possible keys for an array. Local. */
#ifndef VESPER_SALES_GROUP_ROWS_H
#define VESPER_SALES_GROUP_ROWS_H

#include "base/status.h"

/* A row is a key, n_added sums, and, if has_days, the least and the greatest day. All zero, with
 * the shape set, is empty. */
typedef struct GroupRows {
    int n_added;
    bool has_days;
    uint64_t space; /* keys are below */
    int64_t n;      /* rows */
    int64_t **chunks;
    int64_t n_chunks;
    int64_t last;     /* rows in the last chunk */
    int64_t combined; /* rows after they were combined last */
} GroupRows;

enum { GROUP_ROWS_CHUNK = 1 << 15 };

int group_rows_width(const GroupRows *rows); /* int64 a row */
void group_rows_free(GroupRows *rows);

/* Add *room rows, at most `wanted`, side by side from *row on; their contents are not set. */
Status group_rows_room(GroupRows *rows, int64_t wanted, int64_t **row, int64_t *room,
                       Error *error) VESPER_MUST_USE;
/* Take the rows of `from`, which is empty afterwards. */
Status group_rows_take(GroupRows *rows, GroupRows *from, Error *error) VESPER_MUST_USE;
/* Add n rows that stand side by side. */
Status group_rows_append(GroupRows *rows, const int64_t *from, int64_t n,
                         Error *error) VESPER_MUST_USE;
/* Each key once, ascending. */
Status group_rows_combine(GroupRows *rows, Error *error) VESPER_MUST_USE;
/* Combine if many rows came since the last time, so that memory follows the groups, not the lines.
 */
Status group_rows_compact(GroupRows *rows, Error *error) VESPER_MUST_USE;
/* Rows [*n] of chunk `chunk`, and its memory back when they are used. */
const int64_t *group_rows_chunk(const GroupRows *rows, int64_t chunk, int64_t *n);
void group_rows_drop_chunk(GroupRows *rows, int64_t chunk);

/* Rows by the top bits of their keys: those of bucket b are [starts[b], starts[b + 1]). All zero is
 * empty. */
typedef struct GroupBuckets {
    int shift;       /* a key >> shift is its bucket */
    int64_t n;       /* buckets, the same for the same space */
    int64_t *starts; /* [n + 1] */
    int64_t *rows;   /* [starts[n] x width] */
} GroupBuckets;
void group_buckets_free(GroupBuckets *buckets);
/* Takes the rows, of which none are left. */
Status group_buckets_make(GroupRows *rows, GroupBuckets *buckets, Error *error) VESPER_MUST_USE;

#endif
