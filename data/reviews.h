/* Reviews: a few per cent of purchases are rated, some days after; ratings follow the product's
 * quality. Some reviews are not verified: anybody, any product, no order. */
#ifndef VESPER_DATA_REVIEWS_H
#define VESPER_DATA_REVIEWS_H

#include "baskets.h"

/* Append the reviews that follow from an order bought on `day`; none after the period. */
Status reviews_write(const Shop *shop, const Order *order, int64_t order_id, int32_t day,
                     Text *text, Error *error) VESPER_MUST_USE;

#endif
