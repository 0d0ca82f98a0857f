/* KeyTables: what each value of a column adds to a line's group key. Dimensions that look at the
 * same column share one table; products have the shop's, which is everybody's: it stays in the near
 * caches. Local. */
#ifndef VESPER_SALES_KEY_TABLES_H
#define VESPER_SALES_KEY_TABLES_H

#include "sales/group_key.h"

/* A line with this key belongs to no group. */
#define KEY_NONE UINT64_MAX

typedef enum KeySource {
    KEY_DAY,
    KEY_PRODUCT,
    KEY_COUNTRY,
    KEY_CHANNEL,
    KEY_CURRENCY,
    KEY_SEGMENT,
    KEY_HOUR,
    KEY_RETURNING,
    KEY_ORDER_DAY,
    KEY_COHORT,
    KEY_SOURCES
} KeySource;

/* All zero is empty: every line has key 0. */
typedef struct KeyTables {
    uint64_t *table[KEY_SOURCES]; /* NULL: not looked at */
    int64_t least[KEY_SOURCES];   /* value of the column at table[0] */
    const int32_t *product_place; /* of each code, in the order of ids; NULL: not looked at */
    uint64_t product_stride;
    bool has_none; /* lines may have KEY_NONE */
    bool known_customers_only;
} KeyTables;

uint32_t key_tables_needs(const AggregateSpec *spec); /* LINES_... */
Status key_tables_make(const AggregateSpec *spec, const Shop *shop, const KeyLayout *layout,
                       KeyTables *tables, Error *error) VESPER_MUST_USE;
void key_tables_free(KeyTables *tables);

/* keys [n] := of lines [begin, begin + n). */
void key_tables_look_up(const KeyTables *tables, const OrderLines *lines, int64_t begin, int64_t n,
                        uint64_t *keys);

#endif
