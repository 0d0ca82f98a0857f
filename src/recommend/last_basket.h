/* Last basket: each customer's last order apart from what came before. */
#ifndef VESPER_RECOMMEND_LAST_BASKET_H
#define VESPER_RECOMMEND_LAST_BASKET_H

#include "recommend/sparse_side.h"
#include "shop/shop.h"

/* Items of kept sales, value 1: `last` those of each customer's last order with any, `before` those
 * of the earlier ones. Users and items as in interactions.h. Collective. */
Status last_basket_read(Comm *comm, Store *store, const Shop *shop, SparseSide *before,
                        SparseSide *last, Error *error) VESPER_MUST_USE;

#endif
