/* Random groups, and the table that aggregate_rows should make of them, made naively: every rank
 * knows all groups, sorts them with qsort and writes each row as text. */
#ifndef VESPER_TESTS_RANK_AGGREGATE_MODEL_H
#define VESPER_TESTS_RANK_AGGREGATE_MODEL_H

#include "base/random.h"
#include "sales/aggregate_rows.h"

/* Names of every kind of dimension; texts in no order. */
Status model_shop(Shop *shop, Error *error) VESPER_MUST_USE;

/* The layout of spec->by, over ranges that this file chooses. */
void model_layout(const AggregateSpec *spec, const Shop *shop, KeyLayout *layout);

/* A group and its orders' values. */
enum { MODEL_ORDERS_MAX = 6 };
typedef struct ModelGroup {
    uint64_t key;
    int64_t sums[SUM_COUNT];
    int64_t order_values[MODEL_ORDERS_MAX]; /* [sums[SUM_ORDERS]] */
} ModelGroup;

/* At most n different groups, by key; returns how many there are. */
int64_t model_groups(Random *random, const KeyLayout *layout, ModelGroup *groups, int64_t n);

/* This rank's share of all groups: one of the ways to spread them over the ranks. */
enum { MODEL_SPREADS = 3 };
Status model_share(const AggregateSpec *spec, const KeyLayout *layout, const ModelGroup *all,
                   int64_t n, int spread, Groups *groups, Error *error) VESPER_MUST_USE;

/* The expected table as text; reorders `all`. */
void model_table(const AggregateSpec *spec, const Shop *shop, const KeyLayout *layout,
                 ModelGroup *all, int64_t n, Buffer *text);

/* Rows of a table in the same spelling. */
void model_write_rows(const Table *rows, Buffer *text);

#endif
