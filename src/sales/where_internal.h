/* A condition as it was parsed, for where.c and line_filter.c alone. */
#ifndef VESPER_SALES_WHERE_INTERNAL_H
#define VESPER_SALES_WHERE_INTERNAL_H

#include "sales/where.h"

typedef enum FieldKind {
    FIELD_DAY,
    FIELD_WEEK,
    FIELD_MONTH,
    FIELD_QUARTER,
    FIELD_YEAR,
    FIELD_WEEKDAY,
    FIELD_HOUR,
    FIELD_NEW_OR_RETURNING,
    FIELD_CANCELLED,
    FIELD_QUANTITY,
    FIELD_UNIT_PRICE,
    FIELD_DISCOUNT,
    FIELD_PRODUCT, /* from here on texts */
    FIELD_CATEGORY,
    FIELD_BRAND,
    FIELD_COUNTRY,
    FIELD_CHANNEL,
    FIELD_SEGMENT,
    FIELD_CURRENCY,
    FIELD_KINDS
} FieldKind;

typedef enum Comparison {
    COMPARE_EQUAL,     /* to one of the values */
    COMPARE_NOT_EQUAL, /* to none of them */
    COMPARE_LESS,
    COMPARE_LESS_EQUAL,
    COMPARE_GREATER,
    COMPARE_GREATER_EQUAL
} Comparison;

typedef enum NodeKind { NODE_OR, NODE_AND, NODE_NOT, NODE_COMPARE } NodeKind;

typedef struct WhereNode {
    NodeKind kind;
    FieldKind field; /* of NODE_COMPARE, as all that follows */
    int level;       /* of FIELD_CATEGORY */
    Comparison comparison;
    int first_value, n_values; /* in Where.values */
} WhereNode;

typedef struct WhereValue {
    char *text;     /* as written */
    int64_t number; /* of fields of time and such, parsed; money is parsed for a shop */
} WhereValue;

struct Where {
    char *place;      /* "[aggregate.top] where" */
    WhereNode *nodes; /* [n_nodes] in postfix order: operands, then the node that joins them */
    int n_nodes;
    WhereValue *values;
    int n_values;
};

const char *where_field_name(FieldKind field);

#endif
