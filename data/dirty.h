/* Dirty rows: order lines that are spoiled in known ways, so that tests know what must be
 * rejected. One line in each run of 1000 / per mille lines is spoiled. */
#ifndef VESPER_DATA_DIRTY_H
#define VESPER_DATA_DIRTY_H

#include "baskets.h"

typedef enum DirtyKind {
    DIRTY_NONE,
    DIRTY_BAD_DATE, /* a day that does not exist */
    DIRTY_NEGATIVE_PRICE,
    DIRTY_BAD_QUANTITY, /* letters in it */
    DIRTY_MISSING_PRODUCT,
    DIRTY_MISSING_FIELD, /* one field too few */
    DIRTY_EXTRA_FIELD,
    DIRTY_BAD_UTF8,
    DIRTY_BROKEN_QUOTE, /* a quote inside a field without quotes */
    DIRTY_KIND_COUNT
} DirtyKind;

const char *dirty_name(DirtyKind kind); /* "bad_date" */

/* How line `line` of the whole period is spoiled. */
DirtyKind dirty_kind(const Shop *shop, int64_t line);

#endif
