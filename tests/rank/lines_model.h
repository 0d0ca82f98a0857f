/* Random order lines of a shop, and the groups that they should make: sums, sets and lists, worked
 * out line by line. */
#ifndef VESPER_TESTS_RANK_LINES_MODEL_H
#define VESPER_TESTS_RANK_LINES_MODEL_H

#include "sales/aggregate.h"

enum { PARTITIONS = 6, LINES_MOST = 1500 };

typedef struct Lines {
    OrderLines view;
    int32_t codes[LINES_MOST * 12]; /* columns one after another */
    int64_t money[LINES_MOST * 2];
    int8_t flags[LINES_MOST * 3];
} Lines;

typedef struct Shape {
    int32_t first_day, n_days;
    int32_t customers; /* of a partition; 0: all anonymous */
    double returns, cancelled;
    int32_t lines_most; /* of an order */
    bool lacks_columns; /* no channel, currency and discount in the store */
} Shape;

/* The shop that the lines are of. */
Status lines_model_shop(const Shape *shape, Shop *shop, Error *error) VESPER_MUST_USE;

/* Lines of a partition as the store has them: customers ascending, anonymous last, orders
 * ascending. Partition 2 has none. */
void lines_model_make(const Shape *shape, const Shop *shop, int32_t partition, Lines *lines);

/* The conditions that specs are tried with; the first is none. */
enum { N_CONDITIONS = 4 };
extern const char *const lines_model_conditions[N_CONDITIONS];

/* A line on its way into a group; then a group, of which key and sums count. */
typedef struct Entry {
    uint64_t key;
    int64_t partition, order, customer, value; /* customer, partition unique only together */
    int64_t sums[SUM_COUNT];
    bool kept;
} Entry;

/* entries := the groups by key of all lines [PARTITIONS] that hold to the condition; returns how
 * many. entries has room for all lines. *values := a sum of lines_model_hash over all order values.
 */
int64_t lines_model_groups(const AggregateSpec *spec, int condition, const KeyLayout *layout,
                           const Shop *shop, const Lines *lines, Entry *entries, uint64_t *values);

/* Of one order's value in a group. */
uint64_t lines_model_hash(uint64_t key, int64_t value);

#endif
