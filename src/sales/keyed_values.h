/* What quantiles and ordered rows share: values sorted by key, over the ranks. */
#ifndef VESPER_SALES_KEYED_VALUES_H
#define VESPER_SALES_KEYED_VALUES_H

#include "sales/quantiles.h"

/* KeyedValues as a table of two I64 columns. */
#define KEYED_KEY "key"
#define KEYED_VALUE "value"
enum { KEYED_ORDER = 2 };
extern const SortKey keyed_values_order[KEYED_ORDER]; /* by key, then value */

/* *table takes over the values' memory, which become empty. Local. */
void keyed_values_to_table(KeyedValues *values, Table *table);

/* As table_sort by keyed_values_order, mostly several times faster. Local. */
Status keyed_values_sort(Table *table, Error *error) VESPER_MUST_USE;

/* Where a run of equal keys goes on over the end of a rank. */
typedef struct KeyEdges {
    int64_t before; /* rows of lower ranks with this rank's first key */
    int64_t after;  /* rows of higher ranks with this rank's last key */
} KeyEdges;

/* keys [n] ascend over the ranks; a rank without any has no edges. Collective. */
Status key_edges(Comm *comm, const int64_t *keys, int64_t n, KeyEdges *edges,
                 Error *error) VESPER_MUST_USE;

#endif
