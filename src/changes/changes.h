/* Changes: what differs between two nights, from the results that the store keeps of them.
 *
 * Local: one rank reads, block by block; what it keeps are the lists of the largest changes. */
#ifndef VESPER_CHANGES_CHANGES_H
#define VESPER_CHANGES_CHANGES_H

#include "changes/change_list.h"
#include "store/results.h"

enum { CHANGE_SEGMENTS_MAX = 32, CHANGE_SEGMENT_SIZE = 32 };

/* product_total: what was booked in between. amount: net, minor units; after: pieces, sold less
 * returned. */
typedef struct ProductChanges {
    bool is_there; /* both nights have the table; the same below */
    int64_t net_minor, units;
    int64_t changed, added; /* products with another net or units; products that are new */
    ChangeList up, down;
} ProductChanges;

/* customer_summary. moves: amount: customers, from and to. customers: the largest by value among
 * those who moved; amount: their net, minor units. */
typedef struct CustomerChanges {
    bool is_there;
    int64_t before, after; /* customers */
    int64_t added, gone, moved;
    int n_segments;
    char segments[CHANGE_SEGMENTS_MAX][CHANGE_SEGMENT_SIZE];
    int64_t counts[CHANGE_SEGMENTS_MAX][CHANGE_SEGMENTS_MAX]; /* who moved, from, to */
    ChangeList moves, customers;
} CustomerChanges;

/* forecast_daily and forecast_total: pieces over the days that both nights forecast, or, where
 * there is none, over all days of each. before, after; amount: their difference. */
typedef struct ForecastChanges {
    bool is_there;               /* of the totals */
    bool has_products;           /* series are by the same keys */
    int32_t n_common;            /* days; 0: none */
    int32_t first_day, last_day; /* of them, or of all */
    int64_t before, after;       /* of the shop */
    ChangeList up, down;         /* products */
    ChangeList categories;       /* of the first level */
} ForecastChanges;

typedef struct TableChange {
    char name[STORE_NAME_SIZE];
    int64_t before, after; /* rows; -1: the night has no such table */
} TableChange;

/* All zero is empty. */
typedef struct Changes {
    ProductChanges products;
    CustomerChanges customers;
    ForecastChanges forecast;
    TableChange *tables; /* [n_tables] of other numbers of rows, by name */
    int n_tables, n_same;
} Changes;

/* Lists of at most `limit`. */
Status changes_find(ResultReader *before, ResultReader *after, int64_t limit, Changes *changes,
                    Error *error) VESPER_MUST_USE;
void changes_free(Changes *changes);

#endif
