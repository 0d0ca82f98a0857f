/* GroupKey: the values of a group's dimensions as one number, whose order is the order of the
 * table's rows: the first dimension is the most significant. Local. */
#ifndef VESPER_SALES_GROUP_KEY_H
#define VESPER_SALES_GROUP_KEY_H

#include "sales/aggregate_spec.h"

/* One dimension in the key: its value is base + (key / stride) % radix.
 *   day, week (day of its Monday / 7, floor), month, quarter (month / 3, floor), year, cohort,
 *   order month: the number itself; weekday 1 to 7, hour 0 to 23; day class 0, 1, ...
 *   names: place in bytewise order, -1 for unknown; new_or_returning: -1, 0, 1 as in OrderLines
 *   cohort: base is one below the first month, and stands for none. */
typedef struct KeyPart {
    Dimension dimension;
    int64_t base;
    uint64_t radix;
    uint64_t stride;
} KeyPart;

typedef struct KeyLayout {
    int n;
    KeyPart parts[AGGREGATE_BY_MAX];
    uint64_t space; /* keys are below; 1 without dimensions */
} KeyLayout;

/* STATUS_USAGE if there could be more than 2^62 groups. */
Status key_layout_make(const AggregateSpec *spec, const Shop *shop, KeyLayout *layout,
                       Error *error) VESPER_MUST_USE;

static inline int64_t key_part_value(const KeyPart *part, uint64_t key)
{
    return part->base + (int64_t)(key / part->stride % part->radix);
}

/* Value of a dimension of time on a day, as above. */
int64_t group_day_value(DimensionKind kind, int32_t day);

/* The names behind a dimension of names; NULL for the others. */
const Names *dimension_names(const Dimension *dimension, const Shop *shop);

#endif
