/* Group keys by table; see key_tables.h. */
#include "sales/key_tables.h"

#include "base/memory.h"

#include <string.h>

static KeySource source_of(DimensionKind kind)
{
    switch (kind) {
    case DIMENSION_PRODUCT:
    case DIMENSION_CATEGORY:
    case DIMENSION_BRAND:
        return KEY_PRODUCT;
    case DIMENSION_COUNTRY:
        return KEY_COUNTRY;
    case DIMENSION_CHANNEL:
        return KEY_CHANNEL;
    case DIMENSION_CURRENCY:
        return KEY_CURRENCY;
    case DIMENSION_SEGMENT:
        return KEY_SEGMENT;
    case DIMENSION_HOUR:
        return KEY_HOUR;
    case DIMENSION_NEW_OR_RETURNING:
        return KEY_RETURNING;
    case DIMENSION_ORDER_MONTH:
        return KEY_ORDER_DAY;
    case DIMENSION_COHORT:
        return KEY_COHORT;
    default:
        return KEY_DAY;
    }
}

uint32_t key_tables_needs(const AggregateSpec *spec)
{
    static const uint32_t bits[KEY_SOURCES] = {
        LINES_DAY,     LINES_PRODUCT, LINES_COUNTRY,   LINES_CHANNEL,   LINES_CURRENCY,
        LINES_SEGMENT, LINES_HOUR,    LINES_RETURNING, LINES_ORDER_DAY, LINES_COHORT};
    uint32_t needs = spec->known_customers_only ? LINES_CUSTOMER : 0;
    for (int i = 0; i < spec->n_by; i++)
        needs |= bits[source_of(spec->by[i].kind)];
    return needs;
}

void key_tables_free(KeyTables *tables)
{
    for (int s = 0; s < KEY_SOURCES; s++)
        mem_free(&tables->table[s]);
    *tables = (KeyTables){0};
}

/* Values that a column can have: *n of them, from *least on. */
static void range_of(const Shop *shop, KeySource source, int64_t *least, int64_t *n)
{
    bool is_empty = shop->first_day == DAY_NONE;
    const Names *const names[KEY_SOURCES] = {[KEY_COUNTRY] = &shop->country,
                                             [KEY_CHANNEL] = &shop->channel,
                                             [KEY_CURRENCY] = &shop->currency,
                                             [KEY_SEGMENT] = &shop->segment};
    *least = -1;
    if (names[source]) {
        *n = (int64_t)names[source]->count + 1;
    } else if (source == KEY_PRODUCT) {
        *least = 0;
        *n = shop->product.count;
    } else if (source == KEY_HOUR) {
        *least = 0;
        *n = 24;
    } else if (source == KEY_RETURNING) {
        *n = 3;
    } else if (source == KEY_COHORT) { /* the first stands for none */
        *least = is_empty ? 0 : (int64_t)civil_month(shop->first_day) - 1;
        *n = is_empty ? 1 : civil_month(shop->last_day) - *least + 1;
    } else {
        *least = is_empty ? 0 : shop->first_day;
        *n = is_empty ? 1 : (int64_t)shop->last_day - *least + 1;
    }
}

static int32_t place_of(const Names *names, int32_t code)
{
    return code < 0 ? -1 : names->place[code];
}

/* Value of a dimension where its column has `value`; false for no group. */
static bool dimension_value(const AggregateSpec *spec, const Shop *shop, const Dimension *dimension,
                            int64_t value, int64_t *found)
{
    const DayClasses *classes = &spec->day_classes;
    const Names *names = dimension_names(dimension, shop);
    int64_t at;
    switch (dimension->kind) {
    case DIMENSION_HOUR:
    case DIMENSION_NEW_OR_RETURNING:
    case DIMENSION_COHORT:
        *found = value;
        return true;
    case DIMENSION_CATEGORY: {
        int32_t path = shop->catalogue.category[value];
        *found = path < 0 ? -1 : place_of(names, shop->levels[dimension->level].of_category[path]);
        return true;
    }
    case DIMENSION_BRAND:
        *found = place_of(names, shop->catalogue.brand[value]);
        return true;
    case DIMENSION_DAY_CLASS:
        at = value - classes->first_day;
        *found = at >= 0 && at < classes->n_days ? classes->class_of[at] : -1;
        return *found >= 0;
    default:
        *found = names ? place_of(names, (int32_t)value)
                       : group_day_value(dimension->kind, (int32_t)value);
        return true;
    }
}

static void add_dimension(const AggregateSpec *spec, const Shop *shop, const KeyPart *part,
                          int64_t n, KeyTables *tables)
{
    KeySource source = source_of(part->dimension.kind);
    uint64_t *table = tables->table[source];
    for (int64_t i = 0; i < n; i++) {
        int64_t value;
        if (!dimension_value(spec, shop, &part->dimension, tables->least[source] + i, &value))
            table[i] = KEY_NONE;
        else if (table[i] != KEY_NONE)
            table[i] += (uint64_t)(value - part->base) * part->stride;
    }
}

Status key_tables_make(const AggregateSpec *spec, const Shop *shop, const KeyLayout *layout,
                       KeyTables *tables, Error *error)
{
    Status status = STATUS_OK;
    *tables = (KeyTables){.known_customers_only = spec->known_customers_only,
                          .has_none = spec->known_customers_only};
    for (int i = 0; i < layout->n; i++) {
        const KeyPart *part = &layout->parts[i];
        KeySource source = source_of(part->dimension.kind);
        int64_t n;
        if (part->dimension.kind == DIMENSION_PRODUCT) {
            tables->product_place = shop->product.place;
            tables->product_stride += part->stride;
            continue;
        }
        range_of(shop, source, &tables->least[source], &n);
        if (!tables->table[source]) {
            TRY(mem_resize(&tables->table[source], n, sizeof(uint64_t), "group keys", error));
            memset(tables->table[source], 0, (size_t)n * sizeof(uint64_t));
        }
        if (shop->first_day != DAY_NONE)
            add_dimension(spec, shop, part, n, tables);
        tables->has_none |= part->dimension.kind == DIMENSION_DAY_CLASS ||
                            part->dimension.kind == DIMENSION_ORDER_MONTH;
    }
out:
    return status;
}

static void add_codes(const KeyTables *tables, KeySource source, const int32_t *values, int64_t n,
                      uint64_t *keys)
{
    const uint64_t *table = tables->table[source];
    int64_t least = tables->least[source];
    if (!table)
        return;
    if (!values) { /* the store has no such column: all unknown */
        for (int64_t i = 0; i < n; i++)
            keys[i] += table[0];
        return;
    }
    for (int64_t i = 0; i < n; i++)
        keys[i] += table[values[i] - least];
}

/* keys := what products add, or 0. The value of the dimension is the place, counted from its base
 * of -1. */
static void begin_keys(const KeyTables *tables, const int32_t *product, int64_t n, uint64_t *keys)
{
    const int32_t *place = tables->product_place;
    uint64_t stride = tables->product_stride;
    if (!place)
        memset(keys, 0, (size_t)n * sizeof *keys);
    vesper_assert(!place || n == 0 || product);
    for (int64_t i = 0; place && i < n; i++)
        keys[i] = (uint64_t)(place[product[i]] + 1) * stride;
}

static void add_bytes(const KeyTables *tables, KeySource source, const int8_t *values, int64_t n,
                      uint64_t *keys)
{
    const uint64_t *table = tables->table[source];
    for (int64_t i = 0; table && values && i < n; i++)
        keys[i] += table[values[i] - tables->least[source]];
}

/* Columns that leave lines out. */
static void add_days(const KeyTables *tables, KeySource source, const int32_t *days, int64_t n,
                     uint64_t *keys)
{
    const uint64_t *table = tables->table[source];
    for (int64_t i = 0; table && i < n; i++) {
        uint64_t key = days[i] == DAY_NONE ? KEY_NONE : table[days[i] - tables->least[source]];
        keys[i] = key == KEY_NONE || keys[i] == KEY_NONE ? KEY_NONE : keys[i] + key;
    }
}

static void add_cohorts(const KeyTables *tables, const int32_t *cohort, int64_t n, uint64_t *keys)
{
    const uint64_t *table = tables->table[KEY_COHORT];
    for (int64_t i = 0; table && i < n; i++)
        keys[i] += table[cohort[i] == DAY_NONE ? 0 : cohort[i] - tables->least[KEY_COHORT]];
}

void key_tables_look_up(const KeyTables *tables, const OrderLines *lines, int64_t begin, int64_t n,
                        uint64_t *keys)
{
#define FROM(column) ((column) ? (column) + begin : NULL)
    begin_keys(tables, FROM(lines->product), n, keys);
    add_codes(tables, KEY_PRODUCT, FROM(lines->product), n, keys);
    add_codes(tables, KEY_COUNTRY, FROM(lines->country), n, keys);
    add_codes(tables, KEY_CHANNEL, FROM(lines->channel), n, keys);
    add_codes(tables, KEY_CURRENCY, FROM(lines->currency), n, keys);
    add_codes(tables, KEY_SEGMENT, FROM(lines->segment), n, keys);
    add_bytes(tables, KEY_HOUR, FROM(lines->hour), n, keys);
    add_bytes(tables, KEY_RETURNING, FROM(lines->returning), n, keys);
    add_cohorts(tables, FROM(lines->cohort), n, keys);
    if (!tables->has_none) {
        add_codes(tables, KEY_DAY, FROM(lines->day), n, keys);
        return;
    }
    for (int64_t i = 0; tables->known_customers_only && i < n; i++)
        keys[i] = lines->customer[begin + i] < 0 ? KEY_NONE : keys[i];
    add_days(tables, KEY_DAY, FROM(lines->day), n, keys);
    add_days(tables, KEY_ORDER_DAY, FROM(lines->order_day), n, keys);
#undef FROM
}
