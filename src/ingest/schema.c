/* The canonical input tables. What a missing value becomes stands in convert.c. */
#include "ingest/schema.h"

static const Field orders_fields[] = {
    {"order_id", "order", FIELD_CODE, DICTIONARY_ORDER, true},
    {"ordered_at", "ts_us", FIELD_TIMESTAMP, DICTIONARY_NONE, true},
    {"product_id", "product", FIELD_CODE, DICTIONARY_PRODUCT, true},
    {"quantity", "quantity", FIELD_INT32, DICTIONARY_NONE, true},
    {"unit_price", "unit_price", FIELD_MONEY, DICTIONARY_NONE, true},
    {"customer_id", "customer", FIELD_CODE, DICTIONARY_CUSTOMER, false},
    {"line_no", "line_no", FIELD_INT32, DICTIONARY_NONE, false},
    {"country", "country", FIELD_CODE, DICTIONARY_COUNTRY, false},
    {"channel", "channel", FIELD_CODE, DICTIONARY_CHANNEL, false},
    {"currency", "currency", FIELD_CODE, DICTIONARY_CURRENCY, false},
    {"discount", "discount", FIELD_MONEY, DICTIONARY_NONE, false},
    {"status", "cancelled", FIELD_STATUS, DICTIONARY_NONE, false},
};

static const Field products_fields[] = {
    {"product_id", "product", FIELD_CODE, DICTIONARY_PRODUCT, true},
    {"name", "name", FIELD_TEXT, DICTIONARY_NONE, false},
    {"category", "category", FIELD_CODE, DICTIONARY_CATEGORY, false},
    {"brand", "brand", FIELD_CODE, DICTIONARY_BRAND, false},
    {"price", "price", FIELD_MONEY, DICTIONARY_NONE, false},
    {"cost", "cost", FIELD_MONEY, DICTIONARY_NONE, false},
    {"stock", "stock", FIELD_INT64, DICTIONARY_NONE, false},
    {"lead_time_days", "lead_time_days", FIELD_INT32, DICTIONARY_NONE, false},
    {"on_order", "on_order", FIELD_INT64, DICTIONARY_NONE, false},
    {"pack_size", "pack_size", FIELD_INT32, DICTIONARY_NONE, false},
    {"least_order", "least_order", FIELD_INT64, DICTIONARY_NONE, false},
    {"order_cost", "order_cost", FIELD_MONEY, DICTIONARY_NONE, false},
    {"active", "active", FIELD_BOOL, DICTIONARY_NONE, false},
};

static const Field customers_fields[] = {
    {"customer_id", "customer", FIELD_CODE, DICTIONARY_CUSTOMER, true},
    {"joined_at", "joined_day", FIELD_DAY, DICTIONARY_NONE, false},
    {"country", "country", FIELD_CODE, DICTIONARY_COUNTRY, false},
    {"segment", "segment", FIELD_CODE, DICTIONARY_SEGMENT, false},
};

static const Field events_fields[] = {
    {"customer_id", "customer", FIELD_CODE, DICTIONARY_CUSTOMER, true},
    {"at", "ts_us", FIELD_TIMESTAMP, DICTIONARY_NONE, true},
    {"kind", "kind", FIELD_EVENT_KIND, DICTIONARY_NONE, true},
    {"product_id", "product", FIELD_CODE, DICTIONARY_PRODUCT, false},
    {"session_id", "session", FIELD_TEXT, DICTIONARY_NONE, false},
};

static const Field reviews_fields[] = {
    {"product_id", "product", FIELD_CODE, DICTIONARY_PRODUCT, true},
    {"rating", "rating", FIELD_HUNDREDTHS, DICTIONARY_NONE, true},
    {"at", "ts_us", FIELD_TIMESTAMP, DICTIONARY_NONE, true},
    {"customer_id", "customer", FIELD_CODE, DICTIONARY_CUSTOMER, false},
    {"order_id", "order_id", FIELD_TEXT, DICTIONARY_NONE, false},
};

static const Field pairs_fields[] = {
    {"customer_id", "customer", FIELD_CODE, DICTIONARY_CUSTOMER, true},
    {"product_id", "product", FIELD_CODE, DICTIONARY_PRODUCT, true},
    {"value", "value", FIELD_HUNDREDTHS, DICTIONARY_NONE, false},
    {"at", "ts_us", FIELD_TIMESTAMP, DICTIONARY_NONE, false},
};

static const Field promotions_fields[] = {
    {"product_id", "product", FIELD_CODE, DICTIONARY_PRODUCT, true},
    {"from", "first_day", FIELD_DAY, DICTIONARY_NONE, true},
    {"to", "last_day", FIELD_DAY, DICTIONARY_NONE, true},
    {"depth", "depth", FIELD_SHARE, DICTIONARY_NONE, true},
};

/* Without a last day the product is still out of stock. */
static const Field stockouts_fields[] = {
    {"product_id", "product", FIELD_CODE, DICTIONARY_PRODUCT, true},
    {"from", "first_day", FIELD_DAY, DICTIONARY_NONE, true},
    {"to", "last_day", FIELD_DAY, DICTIONARY_NONE, false},
};

static const Field holidays_fields[] = {
    {"day", "day", FIELD_DAY, DICTIONARY_NONE, true},
    {"country", "country", FIELD_CODE, DICTIONARY_COUNTRY, false},
    {"name", "name", FIELD_TEXT, DICTIONARY_NONE, true},
};

#define SCHEMA(name)                                                                               \
    {                                                                                              \
#name, name##_fields, (int)(sizeof name##_fields / sizeof name##_fields[0])                \
    }

static const InputSchema schemas[INPUT_COUNT] = {
    [INPUT_ORDERS] = SCHEMA(orders),       [INPUT_PRODUCTS] = SCHEMA(products),
    [INPUT_CUSTOMERS] = SCHEMA(customers), [INPUT_EVENTS] = SCHEMA(events),
    [INPUT_REVIEWS] = SCHEMA(reviews),     [INPUT_PROMOTIONS] = SCHEMA(promotions),
    [INPUT_HOLIDAYS] = SCHEMA(holidays),   [INPUT_PAIRS] = SCHEMA(pairs),
    [INPUT_STOCKOUTS] = SCHEMA(stockouts),
};

static const char *const dictionary_names[DICTIONARY_COUNT] = {
    [DICTIONARY_ORDER] = "order",     [DICTIONARY_CUSTOMER] = "customer",
    [DICTIONARY_PRODUCT] = "product", [DICTIONARY_CATEGORY] = "category",
    [DICTIONARY_BRAND] = "brand",     [DICTIONARY_COUNTRY] = "country",
    [DICTIONARY_CHANNEL] = "channel", [DICTIONARY_CURRENCY] = "currency",
    [DICTIONARY_SEGMENT] = "segment",
};

const InputSchema *input_schema(InputTable table)
{
    vesper_assert((int)table >= 0 && table < INPUT_COUNT);
    return &schemas[table];
}

InputTable input_table_by_name(Bytes name)
{
    int table = 0;
    while (table < INPUT_COUNT && !bytes_equal(name, bytes_of(schemas[table].name)))
        table++;
    return (InputTable)table;
}

const char *dictionary_name(Dictionary dictionary)
{
    vesper_assert(dictionary >= 0 && dictionary < DICTIONARY_COUNT);
    return dictionary_names[dictionary];
}
