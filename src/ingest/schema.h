/* Schema: the canonical input tables, their columns, and what each becomes in the store. */
#ifndef VESPER_INGEST_SCHEMA_H
#define VESPER_INGEST_SCHEMA_H

#include "table/table.h"

/* Strings that the store keeps as codes. */
typedef enum Dictionary {
    DICTIONARY_ORDER,    /* not kept: an order's code is its place in its partition */
    DICTIONARY_CUSTOMER, /* dense inside a partition */
    DICTIONARY_PRODUCT,  /* the others are global, int32 */
    DICTIONARY_CATEGORY,
    DICTIONARY_BRAND,
    DICTIONARY_COUNTRY, /* from here on int16 */
    DICTIONARY_CHANNEL,
    DICTIONARY_CURRENCY,
    DICTIONARY_SEGMENT,
    DICTIONARY_COUNT,
    DICTIONARY_NONE = -1
} Dictionary;

typedef enum FieldKind {
    FIELD_CODE,      /* string -> code in `dictionary` (int32, or int16) */
    FIELD_TEXT,      /* kept as text */
    FIELD_TIMESTAMP, /* -> ts_us int64 and day int32 */
    FIELD_DAY,       /* -> day int32 */
    FIELD_MONEY,     /* -> minor units int64 */
    FIELD_INT32,
    FIELD_INT64,
    FIELD_HUNDREDTHS, /* decimal with up to two decimals -> int32 hundredths */
    FIELD_SHARE,      /* decimal from 0 to 1, up to four decimals -> int32 ten-thousandths */
    FIELD_BOOL,       /* yes/no, true/false, 1/0 -> int8 */
    FIELD_EVENT_KIND, /* view, cart_add, cart_remove, checkout -> int8 0..3 */
    FIELD_STATUS      /* orders: matched against the cancel rules -> int8 `cancelled` */
} FieldKind;

typedef struct Field {
    const char *name;   /* canonical column in the input */
    const char *stored; /* column of the parsed table (FIELD_TIMESTAMP also makes `day`) */
    FieldKind kind;
    Dictionary dictionary;
    bool required; /* the column must be there and no value may be empty */
} Field;

typedef enum InputTable {
    INPUT_ORDERS,
    INPUT_PRODUCTS,
    INPUT_CUSTOMERS,
    INPUT_EVENTS,
    INPUT_REVIEWS,
    INPUT_PAIRS,
    INPUT_PROMOTIONS,
    INPUT_HOLIDAYS,
    INPUT_STOCKOUTS,
    INPUT_COUNT
} InputTable;

typedef struct InputSchema {
    const char *name; /* "orders" */
    const Field *fields;
    int n_fields;
} InputSchema;

const InputSchema *input_schema(InputTable table);
/* INPUT_COUNT if there is no such table. */
InputTable input_table_by_name(Bytes name);
const char *dictionary_name(Dictionary dictionary); /* "product" */

#endif
