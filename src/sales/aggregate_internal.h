/* What the files of the group-by engine share. */
#ifndef VESPER_SALES_AGGREGATE_INTERNAL_H
#define VESPER_SALES_AGGREGATE_INTERNAL_H

#include "sales/aggregate.h"
#include "sales/group_rows.h"
#include "sales/group_tuples.h"
#include "sales/key_tables.h"
#include "sales/line_block.h"

/* An array of cells may take so many bytes; tests set it small. */
extern int64_t aggregate_dense_bytes_max;

enum { AGGREGATE_BLOCK = LINE_BLOCK_PADDED }; /* room for the items that go by at a time */

/* The order and the customer that a group saw last. As the lines of each stand together, another
 * one is a new one. */
typedef struct Stamps {
    uint32_t order;
    uint32_t customer;
} Stamps;

/* Stamps by key, where groups are rows: of the partition at hand, marked by its number. */
typedef struct SeenGroup {
    uint64_t key;
    uint32_t partition; /* counted from 1 */
    Stamps stamps;
} SeenGroup;

struct Aggregate {
    const AggregateSpec *spec;
    const Shop *shop;
    KeyLayout layout;
    KeyTables tables;
    LineFilter *filter; /* NULL: all lines */
    SumSet set;
    bool is_dense;
    int64_t *cells;                /* dense: [space x n_added] */
    Stamps *stamps;                /* dense: [space] */
    int64_t *first_day, *last_day; /* dense: [space] */
    GroupRows rows;
    bool keeps_tuples;         /* not dense, and of lines: */
    GroupTuples tuples;        /* those that are no rows yet */
    int64_t tuples_bytes_most; /* then they may become rows */
    SeenGroup *seen;           /* [n_seen], a power of two */
    int64_t n_seen;
    uint32_t partitions;                /* read so far */
    uint32_t order_base, customer_base; /* stamps of the partition at hand begin behind these */
    uint32_t n_orders, n_customers;     /* codes that it has, if they are counted */
    KeyedValues values;
    int64_t open_order; /* whose values begin at open_values; -1: none */
    int64_t open_values;
    bool takes_runs, has_margin;
    /* Of the block at hand. */
    int64_t n; /* items that count, and of them: */
    uint64_t keys[AGGREGATE_BLOCK];
    int32_t at[AGGREGATE_BLOCK];       /* place in the block */
    const uint8_t *kept;               /* 1: has a kept sale; if that is needed */
    uint8_t gathered[AGGREGATE_BLOCK]; /* what that points to, unless it is there already */
    uint8_t keep[AGGREGATE_BLOCK];     /* scratch of the filter */
    int32_t codes[2][AGGREGATE_BLOCK]; /* scratch: columns of the lines that count */
    int64_t money[3][AGGREGATE_BLOCK];
    int8_t cancelled[AGGREGATE_BLOCK];
    int64_t *columns; /* [n_added x AGGREGATE_BLOCK] scratch: what they add, unless it is there
                         already */
    const int64_t *added[SUM_COUNT]; /* [n_added] columns */
};

/* Groups that are not cells: add the block's items at hand, which are [begin, begin + n) of the
 * columns if it is whole; then, after a partition, see to the memory. Local. */
Status aggregate_set_aside(Aggregate *aggregate, const OrderLines *columns, int64_t begin,
                           bool is_whole, Error *error) VESPER_MUST_USE;
Status aggregate_limit_tuples(Aggregate *aggregate, Error *error) VESPER_MUST_USE;
/* Keys and sums of `groups` from those of all ranks. Collective. */
Status aggregate_combine_sparse(Comm *comm, Aggregate *own, Groups *groups,
                                Error *error) VESPER_MUST_USE;

/* Groups of one rank as cells by key. */
typedef struct AggregateCells {
    const SumSet *set;
    int64_t space;
    int64_t *cells;                /* [space x n_added] */
    int64_t *first_day, *last_day; /* [space]; NULL if not asked for */
} AggregateCells;

/* Keys and sums of `groups` from those of all ranks. Collective. */
Status aggregate_combine_cells(Comm *comm, const AggregateCells *cells, Groups *groups,
                               Error *error) VESPER_MUST_USE;
Status aggregate_combine_rows(Comm *comm, const SumSet *set, GroupRows *rows, Groups *groups,
                              Error *error) VESPER_MUST_USE;

#endif
