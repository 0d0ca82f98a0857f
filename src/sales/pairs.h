/* Baskets and pairs: which products are bought together, counted exactly. */
#ifndef VESPER_SALES_PAIRS_H
#define VESPER_SALES_PAIRS_H

#include "comm/comm.h"
#include "sales/baskets.h"

typedef struct PairOptions {
    int64_t min_orders;    /* keep pairs that at least so many orders hold */
    double min_confidence; /* of the better direction */
    double min_lift;
    int64_t limit;         /* keep so many of the first rows; 0: all */
    int64_t message_words; /* most that a rank sends in one round, unless one row alone is longer */
} PairOptions;
enum { PAIR_MESSAGE_WORDS = 1 << 20 };

/* Orders that the figures of pairs are shares of. */
typedef struct PairTotals {
    int64_t orders; /* that hold any product, over all ranks */
    int64_t n_products;
    const int64_t *of_product; /* [n_products] orders of each product over all ranks */
    const int32_t *sorted;     /* [n_products] product codes in the order of their ids */
} PairTotals;

/* The pairs that reach the thresholds; with a limit, those that can be among the first so many.
 *   pairs out: a int32 < b int32 places in totals->sorted, orders int64; in no order, each pair on
 *              one rank
 * Products are labelled by falling number of orders, and a pair is counted in the row of its rarer
 * product: rows of popular products are short, those of rare ones few. Memory: the baskets, an
 * index of the same length, a counter a product, and a round's messages; time O(pairs of products
 * in an order, summed over orders). Destroys the baskets. Collective. */
Status pairs_count(Comm *comm, Baskets *baskets, const PairTotals *totals,
                   const PairOptions *options, Table *pairs, Error *error) VESPER_MUST_USE;

/* basket_pairs: the pairs that reach the thresholds, by falling orders, then ids; each rank the
 * next run of rows. Destroys the baskets. Collective. */
Status pairs_rows(Comm *comm, Baskets *baskets, const Names *products, const PairOptions *options,
                  Table *rows, Error *error) VESPER_MUST_USE;

#endif
