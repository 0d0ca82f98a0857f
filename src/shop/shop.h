/* Shop: what is known before the first row is read: names of codes, the catalogue, the range of
 * days. The same on every rank. */
#ifndef VESPER_SHOP_SHOP_H
#define VESPER_SHOP_SHOP_H

#include "base/civil.h"
#include "store/store.h"

/* A dictionary, and where each of its texts stands in bytewise order. */
typedef struct Names {
    Table texts; /* column `text`; row = code */
    int32_t count;
    int32_t *place; /* [count] place of each code */
    int32_t *code;  /* [count] the code at each place */
} Names;

enum { CATEGORY_LEVELS_MAX = 8 };

/* Category paths cut after their first components. */
typedef struct CategoryLevel {
    Names names;          /* the different paths, "garden/tools" at level 2 */
    int32_t *of_category; /* [categories] code in `names` of each whole path */
} CategoryLevel;

/* Attributes of products, by product code; a product that no catalogue named has is_listed false
 * and the values for "unknown". */
typedef struct Catalogue {
    bool *is_listed;
    bool *is_active;
    int32_t *category;       /* code of the whole path, -1 unknown */
    int32_t *brand;          /* -1 unknown */
    int64_t *price;          /* minor units, MONEY_NONE unknown */
    int64_t *cost;           /* the same */
    int64_t *stock;          /* pieces; INT64_MIN unknown */
    int32_t *lead_time_days; /* from ordering to having it; -1 unknown */
    int64_t *on_order;       /* pieces that are to come; 0 also if unknown */
    int32_t *pack_size;      /* pieces that are ordered together; 1 also if unknown */
    int64_t *least_order;    /* pieces; 0: none */
    int64_t *order_cost;     /* of one order, minor units, MONEY_NONE unknown */
} Catalogue;

/* All zero is empty. */
typedef struct Shop {
    int32_t partitions;
    int money_decimals;
    TimeZone *zone;
    Names product, category, brand, country, channel, currency, segment;
    CategoryLevel levels[CATEGORY_LEVELS_MAX + 1]; /* [0]: whole paths; [k]: k components */
    Catalogue catalogue;                           /* [product.count] */
    /* Days of all order lines that ever came in; DAY_NONE without any. Lines in force are inside.
     */
    int32_t first_day, last_day;
    int32_t as_of; /* the night's day: ages and recent periods are counted from here */
    /* Bits that hold each quantity and each unit price of those lines, sign included; 0: not known.
     */
    int quantity_bits, price_bits;
} Shop;

/* Collective. */
Status shop_open(Comm *comm, Store *store, Shop *shop, Error *error) VESPER_MUST_USE;
void shop_free(Shop *shop);

/* Whether an order line is a kept sale: above zero, of an order that was not cancelled. No branch:
 * it stands in innermost loops. */
static inline bool shop_is_kept_sale(int32_t quantity, int8_t cancelled)
{
    return (quantity > 0) & (cancelled == 0);
}

/* Names of `texts` (column `text`), which is moved into it. Local. */
Status names_make(Names *names, Table *texts, Error *error) VESPER_MUST_USE;
void names_free(Names *names);
/* Text of a code; empty for -1. */
Bytes names_text(const Names *names, int32_t code);
/* Code of a text, -1 if there is none. O(log n). */
int32_t names_find(const Names *names, Bytes text);

#endif
