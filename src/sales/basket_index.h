/* BasketIndex: for each product, the baskets that hold it. Products carry labels 0, 1, ... by
 * falling number of orders; only those that a frequent pair can hold have one. Local. */
#ifndef VESPER_SALES_BASKET_INDEX_H
#define VESPER_SALES_BASKET_INDEX_H

#include "sales/pairs.h"

typedef struct BasketLabels {
    int32_t count;
    int32_t *of_product; /* [products] label, -1 for none */
    int32_t *places;     /* [count] place of the product in the order of ids */
} BasketLabels;

/* Labels for the products with at least min_orders orders; equal numbers by id. */
Status basket_labels_make(const int64_t *orders, const int32_t *sorted, int64_t n_products,
                          int64_t min_orders, BasketLabels *labels, Error *error) VESPER_MUST_USE;
void basket_labels_free(BasketLabels *labels);

/* The row of label x: the labels below x in the baskets that hold x. */
typedef struct BasketIndex {
    int32_t n_labels;
    uint32_t *items;    /* labels, ascending in each basket, the first marked BASKET_FIRST */
    int64_t *starts;    /* [n_labels + 1] into `at` */
    uint32_t *at;       /* positions in `items` of each label, where others stand before it */
    int64_t *instances; /* [n_labels] labels that stand before it in its baskets, with repeats */
} BasketIndex;

/* Takes the baskets' items, of which none are left afterwards. */
Status basket_index_build(Baskets *baskets, const BasketLabels *labels, BasketIndex *index,
                          Error *error) VESPER_MUST_USE;
void basket_index_free(BasketIndex *index);

/* counts [n_labels] += the row of `label`. */
void basket_index_add(const BasketIndex *index, int32_t label, uint32_t *restrict counts);
/* The same, where counts are all 0 before: touched [result + 1] := labels with a count. */
int64_t basket_index_add_listed(const BasketIndex *index, int32_t label, uint32_t *restrict counts,
                                uint32_t *restrict touched);

#endif
