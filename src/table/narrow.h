/* Narrow: integers in as few bytes as their range needs, for columns on disk. Local. */
#ifndef VESPER_TABLE_NARROW_H
#define VESPER_TABLE_NARROW_H

#include "table/table.h"

bool narrow_applies(ColumnType type); /* an integer type */

/* Widen [*min, *max] by the values [n] of an integer type. */
void narrow_range(ColumnType type, const void *values, int64_t n, int64_t *min, int64_t *max);

/* The narrowest integer type that holds [min, max]; COLUMN_I8 for an empty range. */
ColumnType narrow_type(int64_t min, int64_t max);

/* `from` [n] of one integer type as another; every value must fit. The arrays do not overlap. */
void narrow_convert(ColumnType from_type, const void *from, ColumnType to_type, void *to,
                    int64_t n);

#endif
