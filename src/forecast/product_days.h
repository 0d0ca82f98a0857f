/* Days of products from a first to a last, as the store's tables `promotions` and `stockouts` have
 * them. */
#ifndef VESPER_FORECAST_PRODUCT_DAYS_H
#define VESPER_FORECAST_PRODUCT_DAYS_H

#include "shop/shop.h"

typedef struct DayRange {
    int32_t first, last; /* days; INT32_MAX: no end is known */
    int32_t depth;       /* ten-thousandths; 1 in a table without depths */
} DayRange;

/* Of equal product and first day the latest row. All zero is empty. */
typedef struct ProductDays {
    bool is_known;   /* the store has the table */
    int64_t *starts; /* [products + 1] first of each product, by place */
    DayRange *list;  /* by product and first day */
} ProductDays;

/* From a table of the store. Collective. */
Status product_days_read(Comm *comm, Store *store, const Shop *shop, const char *table,
                         ProductDays *days, Error *error) VESPER_MUST_USE;
void product_days_free(ProductDays *days);

/* Whether there are any of a product, by its place. Local. */
bool product_days_has(const ProductDays *days, int32_t product);

/* depths [last - first + 1]: the greatest of each day, 0 outside of all ranges. Local. */
void product_days_depths(const ProductDays *days, int32_t product, int32_t first, int32_t last,
                         int32_t *depths);

#endif
