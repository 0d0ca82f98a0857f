/* What a random shop's store knows beside orders: a catalogue, and promotions, stock-outs and
 * holidays in two batches, of which later rows replace earlier ones. */
#ifndef VESPER_TESTS_RANK_KNOWN_MODEL_H
#define VESPER_TESTS_RANK_KNOWN_MODEL_H

#include "rank/sales_model.h"
#include "store/store.h"

enum { KNOWN_HOLIDAYS = 40 /* rows of a batch */, KNOWN_NAME_SIZE = 16 };

/* Write batch 0 or 1, as one more of the store. Collective. */
Status known_write(Comm *comm, Store *store, const ShopShape *shape, int number,
                   Error *error) VESPER_MUST_USE;

/* Of a product, as codes of the shop; -1: none. */
int32_t known_top_category(int32_t product);
int32_t known_brand(int32_t product);

/* The greatest depth of a day, of promotions as they stand at the end. */
int32_t known_depth(const ShopShape *shape, int32_t product, int32_t day);

/* Whether a product is out of stock on a day, as it stands at the end. */
bool known_out_of_stock(const ShopShape *shape, int32_t product, int32_t day);

/* Row k of the 2 x KNOWN_HOLIDAYS. */
void known_holiday(const ShopShape *shape, int k, int32_t *day, int32_t *country,
                   char name[KNOWN_NAME_SIZE]);

#endif
