/* AggregateSpec: a group-by as the ini names it, `[aggregate.NAME]`, or as a built-in table does.
 *
 *   by       = month, country            how lines are grouped; may be empty (one group)
 *   measures = net, orders, customers    what is told of each group
 *   where    = channel = 'web' and day >= 2024-01-01
 *   order    = net desc, country         default: by the group's columns
 *   limit    = 10 per country            or a plain number; default: all groups */
#ifndef VESPER_SALES_AGGREGATE_SPEC_H
#define VESPER_SALES_AGGREGATE_SPEC_H

#include "sales/where.h"

typedef enum DimensionKind {
    DIMENSION_DAY,
    DIMENSION_WEEK, /* ISO: begins on Monday */
    DIMENSION_MONTH,
    DIMENSION_QUARTER,
    DIMENSION_YEAR,
    DIMENSION_WEEKDAY, /* 1 Monday to 7 Sunday */
    DIMENSION_HOUR,
    DIMENSION_PRODUCT,
    DIMENSION_CATEGORY, /* at a level: category (whole path), category_1, category_2, ... */
    DIMENSION_BRAND,
    DIMENSION_COUNTRY,
    DIMENSION_CHANNEL,
    DIMENSION_SEGMENT,
    DIMENSION_CURRENCY,
    DIMENSION_NEW_OR_RETURNING,
    DIMENSION_COHORT, /* month of the customer's first kept sale */
    /* Only for built-in tables: */
    DIMENSION_ORDER_MONTH, /* month of the order's earliest kept sale; lines without are left out */
    DIMENSION_DAY_CLASS,   /* classes of days that the spec brings along */
    DIMENSION_KINDS
} DimensionKind;

typedef struct Dimension {
    DimensionKind kind;
    int level; /* of DIMENSION_CATEGORY: 0 whole path, or 1 to CATEGORY_LEVELS_MAX */
} Dimension;

typedef enum Measure {
    MEASURE_GROSS,    /* money: value of sales */
    MEASURE_RETURNED, /* money: value of returns, sign turned */
    MEASURE_NET,      /* money: gross - returned */
    MEASURE_DISCOUNT, /* money: of all lines of orders that are not cancelled, as given */
    MEASURE_UNITS,
    MEASURE_UNITS_RETURNED,
    MEASURE_ORDERS,              /* with a kept sale in the group */
    MEASURE_CUSTOMERS,           /* known ones, with a kept sale in the group */
    MEASURE_LINES,               /* returns included */
    MEASURE_AVERAGE_ORDER_VALUE, /* minor units, real: value of kept sales / orders; none: NaN */
    MEASURE_ITEMS_PER_ORDER,     /* real: units of kept sales / orders; none: NaN */
    MEASURE_MARGIN, /* money: net - discount - net units * cost, over lines whose cost is known */
    /* Order value: value of an order's kept sales in the group, over orders with one. Quantile p is
     * the value at place ceil(p * orders) from 1, ascending. MONEY_NONE without orders. */
    MEASURE_MIN_ORDER_VALUE,
    MEASURE_MEDIAN_ORDER_VALUE,
    MEASURE_P95_ORDER_VALUE,
    MEASURE_MAX_ORDER_VALUE,
    MEASURE_FIRST_DAY, /* of kept sales; DAY_NONE without */
    MEASURE_LAST_DAY,
    MEASURE_COUNT
} Measure;

enum { AGGREGATE_BY_MAX = 8, AGGREGATE_NAME_SIZE = 40 };

typedef struct AggregateOrder {
    bool is_measure;
    int index; /* in `by` or in `measures` */
    bool descending;
} AggregateOrder;

/* Classes of days, for DIMENSION_DAY_CLASS. */
typedef struct DayClasses {
    int32_t first_day;
    int64_t n_days;
    const int16_t *class_of; /* [n_days] class of day first_day + i; -1: left out, as is any day
                                outside. Borrowed. */
    int n_classes;
} DayClasses;

/* All zero is a spec without a name. */
typedef struct AggregateSpec {
    char name[AGGREGATE_NAME_SIZE]; /* of the table; lower case letters, digits, underscores */
    int n_by;
    Dimension by[AGGREGATE_BY_MAX];
    int n_measures;
    Measure measures[MEASURE_COUNT];
    Where *where; /* owned; NULL: all lines */
    int n_order;
    AggregateOrder order[AGGREGATE_BY_MAX + MEASURE_COUNT];
    int64_t limit; /* rows, or rows of each `per` group; 0: all */
    int n_per;
    int per[AGGREGATE_BY_MAX]; /* indices in `by` */
    DayClasses day_classes;    /* for DIMENSION_DAY_CLASS */
    bool known_customers_only; /* leave anonymous lines out; built-in tables only */
} AggregateSpec;

/* Column of a dimension or measure in the published table: "month", "product_id", "category_2". */
void dimension_column(const Dimension *dimension, char name[COLUMN_NAME_SIZE]);
const char *measure_column(Measure measure);

/* The [aggregate.NAME] sections of an ini, in its order; *specs [*n] (aggregate_specs_free).
 * STATUS_USAGE names section and key and says what is possible. Local; any rank, same outcome. */
Status aggregate_specs_parse(const Config *config, AggregateSpec **specs, int *n,
                             Error *error) VESPER_MUST_USE;
void aggregate_specs_free(AggregateSpec **specs, int n);

#endif
