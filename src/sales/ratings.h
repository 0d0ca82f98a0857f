/* Ratings: product_rating from the reviews. */
#ifndef VESPER_SALES_RATINGS_H
#define VESPER_SALES_RATINGS_H

#include "sales/order_lines.h"

/* Reviews of one partition, in any order. A review is in its customer's partition; one without a
 * customer can be in any, and is never verified. */
typedef struct Reviews {
    int64_t n;
    const int32_t *product;
    const int32_t *rating; /* hundredths of a star */
    const int64_t *ts_us;
    const int32_t *day;
    const int32_t *customer; /* code in the partition; -1: anonymous. NULL: all anonymous */
} Reviews;

/* Accumulators of one thread, dense by product; see ratings.c. */
typedef struct Ratings Ratings;

uint32_t ratings_needs(void); /* LINES_... of the orders, to see who bought what they reviewed */
Status ratings_new(const Shop *shop, Ratings **ratings, Error *error) VESPER_MUST_USE;
void ratings_free(Ratings **ratings);
/* Add the reviews of a partition, beside its orders (n may be 0 in either). STATUS_IO if a review
 * has a code that there is not. Local. */
Status ratings_add(Ratings *ratings, const Reviews *reviews, const OrderLines *lines,
                   Error *error) VESPER_MUST_USE;
/* Add what another thread of this rank has; frees *from. Local. */
Status ratings_merge(Ratings *into, Ratings **from, Error *error) VESPER_MUST_USE;
/* product_rating by product id: the products with a review, each rank the next run of rows.
 * Collective. */
Status ratings_rows(Comm *comm, const Shop *shop, Ratings *ratings, Table *rows,
                    Error *error) VESPER_MUST_USE;

#endif
