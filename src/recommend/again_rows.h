/* Rows of buy_again: what each customer is likely to buy again, and when. */
#ifndef VESPER_RECOMMEND_AGAIN_ROWS_H
#define VESPER_RECOMMEND_AGAIN_ROWS_H

#include "recommend/repeat.h"
#include "recommend/top_lists.h"

/* The rows: customer, rank, product_id, due_day, probability (that it is bought within `days`),
 * score, sorted by customer and rank over the ranks: of the places of `lists` (made by the model)
 * those that the customer bought before. Collective. */
Status again_rows_make(Comm *comm, Store *store, const Shop *shop, const SparseSide *users,
                       const TopLists *lists, const Repeat *model, int64_t days, Table *rows,
                       Error *error) VESPER_MUST_USE;

#endif
