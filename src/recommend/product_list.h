/* ProductList: products that a shop names in a file, one id a line; empty lines and those that
 * begin with # are comments. Blanks around an id do not belong to it. */
#ifndef VESPER_RECOMMEND_PRODUCT_LIST_H
#define VESPER_RECOMMEND_PRODUCT_LIST_H

#include "shop/shop.h"

typedef struct ProductListCounts {
    int64_t ids;
    int64_t unknown;     /* that the store has never seen */
    Bytes first_unknown; /* borrowed from the list */
} ProductListCounts;

/* is_listed [n_items], by number of item, becomes true for each product of `text`; what is true
 * stays so. Local. */
ProductListCounts product_list_mark(Bytes text, const Shop *shop, bool *is_listed);

/* Whether any product is named. Local. */
bool product_list_is_empty(Bytes text);

#endif
