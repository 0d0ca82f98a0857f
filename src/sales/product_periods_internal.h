/* What a ProductPeriods holds; for the tables made of it. */
#ifndef VESPER_SALES_PRODUCT_PERIODS_INTERNAL_H
#define VESPER_SALES_PRODUCT_PERIODS_INTERNAL_H

#include "sales/product_periods.h"

/* Classes of days, the latest first. */
enum {
    CLASS_DAY,         /* as_of itself */
    CLASS_DAY_BEFORE,  /* 1 day ago */
    CLASS_WEEK,        /* 2 to 6 days ago */
    CLASS_WEEK_BEFORE, /* 7 to 13 */
    CLASS_FOUR_WEEKS,  /* 14 to 27 */
    CLASS_BLOCKS,      /* the first of the blocks after them: 28 to 55 */
    BLOCK_DAYS = 28,
    YEAR_BLOCKS = 13, /* 364 days */
    CLASSES = CLASS_BLOCKS + 2 * YEAR_BLOCKS - 1,
    CLASSES_DAYS = 2 * YEAR_BLOCKS * BLOCK_DAYS
};

/* First class of the days that are `blocks` blocks or more ago. */
static inline int block_class(int blocks)
{
    return blocks == 0 ? CLASS_DAY : CLASS_BLOCKS + blocks - 1;
}

/* What one product sold in one class of days. */
typedef struct ClassSales {
    int32_t product; /* place in the order of ids */
    int32_t day_class;
    int64_t net; /* minor units */
    int64_t units;
    int64_t units_returned;
} ClassSales;

/* When a product sold; it has a line, of whatever day. */
typedef struct ProductDays {
    int32_t product;   /* place */
    int32_t first_day; /* of kept sales; DAY_NONE without any */
    int32_t last_day;
} ProductDays;

struct ProductPeriods {
    int16_t *class_of; /* [CLASSES_DAYS], the oldest day first */
    /* This rank's run of products, as places. */
    int32_t first_product;
    int32_t end_product;
    int64_t n_sales;
    ClassSales *sales; /* [n_sales] by product, class */
    int64_t n_days;
    ProductDays *days; /* [n_days] by product */
};

/* The recent sales of one product. */
typedef struct ProductSales {
    int32_t product; /* place */
    int64_t net[CLASSES];
    int64_t units[CLASSES];
    int64_t units_returned[CLASSES];
} ProductSales;

/* The next product of this rank that has a line within the classes; false after the last. *at is 0
 * before the first. Local. */
bool product_sales_next(const ProductPeriods *periods, int64_t *at, ProductSales *sales);

/* Sum over classes [begin, end). */
static inline int64_t sum_classes(const int64_t by_class[CLASSES], int begin, int end)
{
    int64_t sum = 0;
    for (int c = begin; c < end; c++)
        sum += by_class[c];
    return sum;
}

/* Pieces sold less pieces returned, in classes [begin, end). */
static inline int64_t net_units(const ProductSales *sales, int begin, int end)
{
    return sum_classes(sales->units, begin, end) - sum_classes(sales->units_returned, begin, end);
}

/* Id of the product at a place. */
static inline Bytes product_id(const Shop *shop, int32_t product)
{
    return names_text(&shop->product, shop->product.code[product]);
}

#endif
