/* Warm start: a night's item factors, kept for the next night, whose learning begins with them
 * (docs/methods/ials.md). They are results by themselves, RUN.factors, of which nothing is
 * published. */
#ifndef VESPER_RECOMMEND_WARM_START_H
#define VESPER_RECOMMEND_WARM_START_H

#include "recommend/ials.h"
#include "shop/shop.h"
#include "store/results.h"

/* What a learning begins with. All zero: nothing. */
typedef struct WarmStart {
    char source[STORE_NAME_SIZE]; /* the run whose factors they are; "" */
    float *items;                 /* [own items x d] zeros: a product that it did not have */
} WarmStart;

/* The factors of the newest generation before the store's whose run has the configuration of `run`.
 * STATUS_IO if they are there and cannot be read. Collective. */
Status warm_start_find(Comm *comm, const Store *store, const Shop *shop, const char *run,
                       const SparseSide *items, int64_t d, WarmStart *start,
                       Error *error) VESPER_MUST_USE;
void warm_start_free(WarmStart *start);

/* Keep the item factors of `model` as those of `run`, with what it began with. Collective. */
Status warm_start_keep(Comm *comm, Store *store, const Shop *shop, const char *run,
                       const char *source, const Ials *model, Error *error) VESPER_MUST_USE;

#endif
