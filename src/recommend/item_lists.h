/* ItemLists: for each item those that the same customers bought, the rows of rec_item. */
#ifndef VESPER_RECOMMEND_ITEM_LISTS_H
#define VESPER_RECOMMEND_ITEM_LISTS_H

#include "recommend/sparse_side.h"
#include "shop/shop.h"

typedef struct ItemListOptions {
    int length;           /* of a list */
    int64_t least;        /* customers who have both, at least */
    const bool *is_shown; /* [n_items] NULL: all */
    int threads;
    int64_t memory; /* bytes; 0: no limit */
} ItemListOptions;

/* The rows: product_id, rank, other_product, customers (who have both), lift, score (cosine),
 * sorted by product_id and rank over the ranks (docs/methods/itemknn.md). Collective. */
Status item_lists_rows(Comm *comm, const Shop *shop, const SparseSide *users,
                       const SparseSide *items, const ItemListOptions *options, Table *rows,
                       Error *error) VESPER_MUST_USE;

#endif
