/* Baskets and pairs: which products are bought together, counted exactly. */
#ifndef VESPER_SALES_PAIRS_H
#define VESPER_SALES_PAIRS_H

#include "comm/comm.h"

/* Marks the first product of a basket. */
#define BASKET_FIRST ((uint32_t)1 << 31)

/* The different products of each order with at least two, one basket after another. All zero is
 * empty. */
typedef struct Baskets {
    uint32_t *items; /* [n] product codes */
    int64_t n;
    int64_t capacity;
} Baskets;

void baskets_free(Baskets *baskets);
/* Room for `more` items. Local. */
Status baskets_reserve(Baskets *baskets, int64_t more, Error *error) VESPER_MUST_USE;

typedef struct PairOptions {
    int64_t min_orders;    /* keep pairs that at least so many orders hold */
    int64_t message_words; /* most that a rank sends in one round, unless one row alone is longer */
} PairOptions;
enum { PAIR_MESSAGE_WORDS = 1 << 20 };

/* All pairs of products that at least min_orders orders hold, as places in the order of ids.
 *   orders [n_products]  orders of each product over all ranks
 *   sorted [n_products]  product codes in the order of their ids
 *   pairs  out           a int32 < b int32 places in `sorted`, orders int64; in no order, each pair
 *                        on one rank
 * Products are labelled by falling number of orders, and a pair is counted in the row of its rarer
 * product: rows of popular products are short, those of rare ones few. Memory: the baskets, an
 * index of the same length, a counter a product, and a round's messages; time O(pairs of products
 * in an order, summed over orders). Destroys the baskets. Collective. */
Status pairs_count(Comm *comm, Baskets *baskets, const int64_t *orders, const int64_t *sorted,
                   int64_t n_products, const PairOptions *options, Table *pairs,
                   Error *error) VESPER_MUST_USE;

/* basket_pairs from sorted pairs, each rank its rows. `ids` is the product dictionary. Local. */
Status pairs_name(const Table *pairs, const Column *ids, const int64_t *sorted, Table *rows,
                  Error *error) VESPER_MUST_USE;

#endif
