/* Where tuples lie: chunks of buckets, in zones. For the group_tuples*.c files alone. */
#ifndef VESPER_SALES_TUPLE_STORE_H
#define VESPER_SALES_TUPLE_STORE_H

#include "sales/group_tuples.h"

typedef struct TupleChunk {
    struct TupleChunk *next;
    int64_t used; /* words; of a bucket's last chunk see TupleBucket.next */
    uint64_t words[];
} TupleChunk;

struct TupleBucket {
    uint64_t *next, *end; /* free words of the last chunk */
    TupleChunk *first, *last;
    int64_t n_full; /* tuples before the last chunk */
};

/* Tuples side by side. */
typedef struct TuplePiece {
    const uint64_t *words;
    int64_t n;
} TuplePiece;
typedef struct TuplePieces {
    int64_t n, capacity;
    TuplePiece *pieces;
    int64_t tuples;
} TuplePieces;

void tuple_pieces_add(TuplePieces *pieces, const uint64_t *words, int64_t n);
/* The pieces of bucket `at`, added to those that are there. */
void tuple_pieces_add_bucket(TuplePieces *pieces, const GroupTuples *tuples, int64_t at);
int64_t tuple_bucket_count(const GroupTuples *tuples, int64_t at);
/* Buckets [begin, end) are done with: their memory goes when their whole zone is. */
void tuple_buckets_drop(GroupTuples *tuples, int64_t begin, int64_t end);

/* Adding up. Keys of the results ascend over the calls if those of the buckets do. */
typedef struct TupleReducer TupleReducer;
/* SUM_LINES is left out if it is not asked for. */
TupleReducer *tuple_reducer_new(const GroupTuples *tuples, bool with_lines);
void tuple_reducer_free(TupleReducer **reducer);
/* Results go to groups, or to rows if that is NULL; with neither they are only counted. */
Status tuple_reduce(TupleReducer *reducer, const TuplePieces *pieces, int64_t bucket,
                    Groups *groups, GroupRows *rows, int64_t *n_groups,
                    Error *error) VESPER_MUST_USE;
/* Groups are complete: give back what was too much. */
Status tuple_reducer_close(TupleReducer *reducer, Groups *groups, Error *error) VESPER_MUST_USE;

#endif
