/* A random shop into a store, batch by batch, as ingest would leave it. */
#ifndef VESPER_TESTS_RANK_SALES_STORE_H
#define VESPER_TESTS_RANK_SALES_STORE_H

#include "rank/sales_model.h"
#include "store/store.h"

enum { SHOP_PATH_SIZE = 512 };

/* Make the store in `folder`, open for writing, also when an error is found later. Collective. */
Status model_shop_store(Comm *comm, const char *folder, const ModelShop *shop, Store **store,
                        Error *error) VESPER_MUST_USE;

#endif
