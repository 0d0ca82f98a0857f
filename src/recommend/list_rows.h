/* Rows of rec_user: each customer's list with the reason of each place. */
#ifndef VESPER_RECOMMEND_LIST_ROWS_H
#define VESPER_RECOMMEND_LIST_ROWS_H

#include "recommend/popular_lists.h"
#include "recommend/top_lists.h"

typedef struct ListRows {
    Store *store;
    const Shop *shop;
    const SparseSide *users;     /* by the store's partitions */
    const TopLists *lists;       /* of `users` */
    const Scorer *scorer;        /* that made them */
    const PopularLists *popular; /* fill what is missing: by the customer's country, then of all */
    const bool *is_unnamed;      /* [n_items] items that are not named as a reason; NULL: none */
    bool leave_out_owned;        /* when filling too */
    int threads;
    int64_t memory; /* bytes for what reasons need at a time; 0: no limit */
} ListRows;

/* The rows: customer, rank, product_id, score, model, because_product, because_share, sorted by
 * customer and rank over the ranks. because_product is the item of the customer that adds most to
 * the score, of those that may be named, because_share its part of all that items add (NaN and
 * empty where the model has no reason). Collective. */
Status list_rows_make(Comm *comm, const ListRows *from, Table *rows, Error *error) VESPER_MUST_USE;

#endif
