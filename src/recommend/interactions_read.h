/* The interactions of one partition after another; inside interactions. Local. */
#ifndef VESPER_RECOMMEND_INTERACTIONS_READ_H
#define VESPER_RECOMMEND_INTERACTIONS_READ_H

#include "recommend/history.h"
#include "recommend/interactions.h"

/* Something that speaks for a pair, or a return. */
typedef struct Evidence {
    uint64_t pair;  /* customer, then item */
    int64_t amount; /* in fixed point; -1: a return */
    int32_t source; /* order; or below 0 what else (interactions_read.c) */
    int32_t units;  /* of an order line */
} Evidence;

typedef struct InteractionsReader {
    const InteractionOptions *options;
    int32_t from_day, until_day;
    const bool *known; /* [n_items] or NULL */
    HistoryReader history;
    InteractionCounts *counts;
    Table *left_out; /* rows are added; NULL: not wanted */
    /* Of the partition at hand. */
    Evidence *evidence;
    int64_t n, capacity;
    int64_t *sequence;    /* [n] evidence by pair */
    int64_t *most_events; /* [customers] on one day */
} InteractionsReader;

Status interactions_read_partition(InteractionsReader *reader, int32_t partition, SparseRows *rows,
                                   Error *error) VESPER_MUST_USE;
void interactions_reader_free(InteractionsReader *reader);

#endif
