/* PopularLists: what sells now, in the whole shop, by country and by category: the table
 * rec_popular, and what is shown to a customer of whom nothing is known (docs/methods/popular.md).
 */
#ifndef VESPER_RECOMMEND_POPULAR_LISTS_H
#define VESPER_RECOMMEND_POPULAR_LISTS_H

#include "shop/shop.h"

typedef struct PopularOptions {
    double half_life_days; /* an order counts half after so many days; 0: all count the same */
    int length;            /* of a list */
    const bool *is_shown;  /* [n_items] NULL: all items */
} PopularOptions;

/* Lists of items (numbered by the order of their ids) with the most order lines, best first, equals
 * by number; places without item are -1. Whole on every rank. */
typedef struct PopularLists {
    int length;
    int32_t n_countries, n_categories;
    int32_t *all;         /* [length] */
    int32_t *by_country;  /* [n_countries x length] */
    int32_t *by_category; /* [n_categories x length] whole category paths */
    double *all_scores, *country_scores, *category_scores; /* lines, those long ago counted less */
} PopularLists;

/* Collective. */
Status popular_lists_learn(Comm *comm, Store *store, const Shop *shop,
                           const PopularOptions *options, PopularLists *lists,
                           Error *error) VESPER_MUST_USE;
void popular_lists_free(PopularLists *lists);

/* The rows of rec_popular, sorted: the first `most` places of each list. Local. */
Status popular_lists_rows(const PopularLists *lists, const Shop *shop, int most, Table *rows,
                          Error *error) VESPER_MUST_USE;

#endif
