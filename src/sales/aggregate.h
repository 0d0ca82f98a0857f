/* Aggregate: the accumulators of one group-by.
 *
 * Exact at any number of ranks and threads: sums are integers; an order and a customer are counted
 * once in each group, which is possible partition by partition (order_lines.h); order values are
 * kept one by one where a quantile is asked. */
#ifndef VESPER_SALES_AGGREGATE_H
#define VESPER_SALES_AGGREGATE_H

#include "sales/group_key.h"
#include "sales/quantiles.h"

/* What is added up in a group; an aggregate holds those that its measures need. */
typedef enum GroupSum {
    SUM_GROSS,
    SUM_RETURNED,
    SUM_NET, /* gross - returned, in one: most group-bys ask for nothing else of money */
    SUM_DISCOUNT,
    SUM_UNITS,
    SUM_UNITS_RETURNED,
    SUM_KEPT_VALUE, /* of kept sales */
    SUM_KEPT_UNITS,
    SUM_MARGIN,
    SUM_LINES,
    SUM_ORDERS,
    SUM_CUSTOMERS,
    SUM_FIRST_DAY, /* no sum: the least; INT64_MAX for none */
    SUM_LAST_DAY,  /* no sum: the greatest; INT64_MIN for none */
    SUM_COUNT
} GroupSum;

/* The groups that have a line, of all ranks, by key; each rank the next run of them. */
typedef struct Groups {
    KeyLayout layout;
    int64_t n;
    uint64_t *keys;           /* [n] ascending */
    int64_t *sums[SUM_COUNT]; /* [n] each; NULL if not needed */
    KeyedValues order_values; /* (key, value) of each order in each group: those of this rank's
                                 lines, wherever the group is; empty if not needed */
} Groups;
void groups_free(Groups *groups);

typedef struct Aggregate Aggregate;

/* LINES_... bits of the columns that it needs. */
uint32_t aggregate_needs(const AggregateSpec *spec);

/* Whether it takes runs for lines (line_block.h). */
bool aggregate_takes_runs(const AggregateSpec *spec);

/* Empty accumulators for one thread. Spec and shop must outlive it. Local. */
Status aggregate_new(const AggregateSpec *spec, const Shop *shop, Aggregate **aggregate,
                     Error *error) VESPER_MUST_USE;
void aggregate_free(Aggregate **aggregate);

/* Room for the lines of a thread's aggregates [n] as they go by, for aggregates_add; free with
 * mem_free. Local. */
typedef struct LineBlock LineBlock;
LineBlock *aggregates_block(Aggregate *const *aggregates, int n) VESPER_MUST_USE;

/* Add one partition to each; each partition comes once, to one thread. Local. */
Status aggregates_add(Aggregate *const *aggregates, int n, LineBlock *block,
                      const OrderLines *lines, Error *error) VESPER_MUST_USE;

/* Add what another thread of this rank has; empties and frees *from. Local. */
Status aggregate_merge(Aggregate *into, Aggregate **from, Error *error) VESPER_MUST_USE;

/* The groups of all ranks; frees *aggregate. Collective. */
Status aggregate_combine(Comm *comm, Aggregate **aggregate, Groups *groups,
                         Error *error) VESPER_MUST_USE;

#endif
