/* Group-bys as the ini writes them; see aggregate_spec.h. */
#include "sales/aggregate_spec.h"

#include "base/decimal.h"
#include "base/memory.h"
#include "base/suggest.h"
#include "sales/tables.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char section_prefix[] = "aggregate.";
enum { WORD_SIZE = 64, PLACE_SIZE = AGGREGATE_NAME_SIZE + 32, ITEMS_MAX = 32 };

/* What may be named, and its column; kinds without a name are for built-in tables. */
static const struct {
    const char *name;
    const char *column;
} dimensions[DIMENSION_KINDS] = {
    [DIMENSION_DAY] = {"day", "day"},
    [DIMENSION_WEEK] = {"week", "week"},
    [DIMENSION_MONTH] = {"month", "month"},
    [DIMENSION_QUARTER] = {"quarter", "quarter"},
    [DIMENSION_YEAR] = {"year", "year"},
    [DIMENSION_WEEKDAY] = {"weekday", "weekday"},
    [DIMENSION_HOUR] = {"hour", "hour"},
    [DIMENSION_PRODUCT] = {"product", "product_id"},
    [DIMENSION_CATEGORY] = {"category", "category"},
    [DIMENSION_BRAND] = {"brand", "brand"},
    [DIMENSION_COUNTRY] = {"country", "country"},
    [DIMENSION_CHANNEL] = {"channel", "channel"},
    [DIMENSION_SEGMENT] = {"segment", "segment"},
    [DIMENSION_CURRENCY] = {"currency", "currency"},
    [DIMENSION_NEW_OR_RETURNING] = {"new_or_returning", "new_or_returning"},
    [DIMENSION_COHORT] = {"cohort", "cohort"},
    [DIMENSION_ORDER_MONTH] = {NULL, "month"},
    [DIMENSION_DAY_CLASS] = {NULL, "day_class"},
};

static const char *const measures[MEASURE_COUNT] = {
    [MEASURE_GROSS] = "gross",
    [MEASURE_RETURNED] = "returned",
    [MEASURE_NET] = "net",
    [MEASURE_DISCOUNT] = "discount",
    [MEASURE_UNITS] = "units",
    [MEASURE_UNITS_RETURNED] = "units_returned",
    [MEASURE_ORDERS] = "orders",
    [MEASURE_CUSTOMERS] = "customers",
    [MEASURE_LINES] = "lines",
    [MEASURE_AVERAGE_ORDER_VALUE] = "average_order_value",
    [MEASURE_ITEMS_PER_ORDER] = "items_per_order",
    [MEASURE_MARGIN] = "margin",
    [MEASURE_MIN_ORDER_VALUE] = "min_order_value",
    [MEASURE_MEDIAN_ORDER_VALUE] = "median_order_value",
    [MEASURE_P95_ORDER_VALUE] = "p95_order_value",
    [MEASURE_MAX_ORDER_VALUE] = "max_order_value",
    [MEASURE_FIRST_DAY] = "first_day",
    [MEASURE_LAST_DAY] = "last_day",
};

void dimension_column(const Dimension *dimension, char name[COLUMN_NAME_SIZE])
{
    const char *column = dimensions[dimension->kind].column;
    if (dimension->level > 0)
        (void)snprintf(name, COLUMN_NAME_SIZE, "%s_%d", column, dimension->level);
    else
        (void)snprintf(name, COLUMN_NAME_SIZE, "%s", column);
}

const char *measure_column(Measure measure)
{
    return measures[measure];
}

/* ---- words ---- */

/* Where a mistake is: "[aggregate.top] by". */
static void name_place(const char *section, const char *key, char place[PLACE_SIZE])
{
    (void)snprintf(place, PLACE_SIZE, "[%.*s] %s", AGGREGATE_NAME_SIZE + 10, section, key);
}

static Status refuse(const char *place, const char *what, const char *wrong,
                     const char *const *names, int n_names, Error *error)
{
    Buffer text = {0};
    buffer_printf(&text, "%s: %s '%.60s'", place, what, wrong);
    suggest_words(&text, wrong, names, n_names, "");
    Status status = error_set(error, STATUS_USAGE, __FILE__, __LINE__, "%s", buffer_string(&text));
    buffer_free(&text);
    return status;
}

/* The items of a list, commas between, each as one word or several with single blanks. */
typedef struct Items {
    int n;
    char text[ITEMS_MAX][WORD_SIZE];
} Items;

/* Copy a text without the blanks around, and with one where there are several. */
static bool tidy(const char *from, size_t size, char to[WORD_SIZE])
{
    size_t n = 0;
    for (size_t i = 0; i < size; i++) {
        bool is_blank = from[i] == ' ' || from[i] == '\t';
        if (is_blank && (n == 0 || to[n - 1] == ' '))
            continue;
        if (n == WORD_SIZE - 1)
            return false;
        to[n++] = is_blank ? ' ' : from[i];
    }
    n -= n > 0 && to[n - 1] == ' ';
    to[n] = '\0';
    return n > 0;
}

static Status split(const char *place, const char *value, Items *items, Error *error)
{
    Status status = STATUS_OK;
    items->n = 0;
    for (const char *at = value; *value != '\0';) {
        size_t size = strcspn(at, ",");
        if (items->n == ITEMS_MAX)
            FAIL(error, STATUS_USAGE, "%s: more than %d names", place, ITEMS_MAX);
        if (!tidy(at, size, items->text[items->n++]))
            FAIL(error, STATUS_USAGE, "%s: name %d of '%.80s' is empty or longer than %d bytes",
                 place, items->n, value, WORD_SIZE - 1);
        if (at[size] == '\0')
            break;
        at += size + 1;
    }
out:
    return status;
}

/* ---- dimensions and measures ---- */

/* "category_2" has a level; false if it is none that there is. */
static bool find_dimension(const char *name, Dimension *dimension)
{
    static const char level_prefix[] = "category_";
    size_t length = sizeof level_prefix - 1;
    *dimension = (Dimension){.kind = DIMENSION_CATEGORY};
    if (strncasecmp(name, level_prefix, length) == 0) {
        int64_t level;
        bool is_level = decimal_parse(bytes_of(name + length), 0, (DecimalStyle){.point = '.'}, 1,
                                      CATEGORY_LEVELS_MAX, &level) == DECIMAL_OK;
        dimension->level = is_level ? (int)level : 0;
        return is_level;
    }
    for (int k = 0; k < DIMENSION_KINDS; k++) {
        dimension->kind = (DimensionKind)k;
        if (dimensions[k].name && strcasecmp(name, dimensions[k].name) == 0)
            return true;
    }
    return strcasecmp(name, "product_id") == 0 && (dimension->kind = DIMENSION_PRODUCT, true);
}

static bool find_measure(const char *name, Measure *measure)
{
    static const struct {
        const char *name;
        Measure measure;
    } others[] = {{"returns", MEASURE_RETURNED},
                  {"aov", MEASURE_AVERAGE_ORDER_VALUE},
                  {"items_an_order", MEASURE_ITEMS_PER_ORDER}};
    for (int m = 0; m < MEASURE_COUNT; m++) {
        *measure = (Measure)m;
        if (strcasecmp(name, measures[m]) == 0)
            return true;
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        *measure = others[i].measure;
        if (strcasecmp(name, others[i].name) == 0)
            return true;
    }
    return false;
}

/* Names of all dimensions; returns how many. */
static int dimension_names_all(const char *names[DIMENSION_KINDS + 1])
{
    int n = 0;
    for (int k = 0; k < DIMENSION_KINDS; k++) {
        if (dimensions[k].name)
            names[n++] = dimensions[k].name;
    }
    names[n++] = "category_1";
    return n;
}

static int find_in_by(const AggregateSpec *spec, const char *name)
{
    Dimension dimension;
    if (!find_dimension(name, &dimension))
        return -1;
    for (int i = 0; i < spec->n_by; i++) {
        if (spec->by[i].kind == dimension.kind && spec->by[i].level == dimension.level)
            return i;
    }
    return -1;
}

static int find_in_measures(const AggregateSpec *spec, const char *name)
{
    Measure measure;
    if (!find_measure(name, &measure))
        return -1;
    for (int i = 0; i < spec->n_measures; i++) {
        if (spec->measures[i] == measure)
            return i;
    }
    return -1;
}

static Status parse_by(const char *place, const char *value, AggregateSpec *spec, Error *error)
{
    Status status = STATUS_OK;
    Items items;
    TRY(split(place, value, &items, error));
    for (int i = 0; i < items.n; i++) {
        Dimension dimension;
        if (!find_dimension(items.text[i], &dimension)) {
            const char *names[DIMENSION_KINDS + 1];
            int n = dimension_names_all(names);
            TRY(refuse(place, "there is no dimension", items.text[i], names, n, error));
        }
        if (find_in_by(spec, items.text[i]) >= 0)
            FAIL(error, STATUS_USAGE, "%s: '%s' stands there twice", place, items.text[i]);
        if (spec->n_by == AGGREGATE_BY_MAX)
            FAIL(error, STATUS_USAGE, "%s: more than %d dimensions", place, AGGREGATE_BY_MAX);
        spec->by[spec->n_by++] = dimension;
    }
out:
    return status;
}

static Status parse_measures(const char *place, const char *value, AggregateSpec *spec,
                             Error *error)
{
    Status status = STATUS_OK;
    Items items;
    TRY(split(place, value, &items, error));
    for (int i = 0; i < items.n; i++) {
        Measure measure;
        if (!find_measure(items.text[i], &measure))
            TRY(refuse(place, "there is no measure", items.text[i], measures, MEASURE_COUNT,
                       error));
        if (find_in_measures(spec, items.text[i]) >= 0)
            FAIL(error, STATUS_USAGE, "%s: '%s' stands there twice", place, items.text[i]);
        spec->measures[spec->n_measures++] = measure;
    }
    if (items.n == 0)
        FAIL(error, STATUS_USAGE, "%s: no measure is named; net, orders and customers, say", place);
out:
    return status;
}

/* ---- order and limit ---- */

/* Names of the columns that the spec has; returns how many. */
static int column_names(const AggregateSpec *spec, char store[][COLUMN_NAME_SIZE],
                        const char **names)
{
    int n = 0;
    for (int i = 0; i < spec->n_by; i++, n++) {
        dimension_column(&spec->by[i], store[n]);
        names[n] = store[n];
    }
    for (int i = 0; i < spec->n_measures; i++)
        names[n++] = measures[spec->measures[i]];
    return n;
}

static Status parse_order_item(const char *place, char *item, AggregateSpec *spec, Error *error)
{
    Status status = STATUS_OK;
    AggregateOrder order = {.descending = false};
    char *direction = strchr(item, ' ');
    if (direction) {
        *direction++ = '\0';
        order.descending = strcasecmp(direction, "desc") == 0;
        if (!order.descending && strcasecmp(direction, "asc") != 0)
            FAIL(error, STATUS_USAGE, "%s: '%s %s': after the name stands asc or desc", place, item,
                 direction);
    }
    order.index = find_in_by(spec, item);
    if (order.index < 0) {
        order.is_measure = true;
        order.index = find_in_measures(spec, item);
    }
    if (order.index < 0) {
        char store[AGGREGATE_BY_MAX][COLUMN_NAME_SIZE];
        const char *names[AGGREGATE_BY_MAX + MEASURE_COUNT];
        int n = column_names(spec, store, names);
        TRY(refuse(place, "this table has no column", item, names, n, error));
    }
    for (int i = 0; i < spec->n_order; i++) {
        if (spec->order[i].is_measure == order.is_measure && spec->order[i].index == order.index)
            FAIL(error, STATUS_USAGE, "%s: '%s' stands there twice", place, item);
    }
    spec->order[spec->n_order++] = order;
out:
    return status;
}

static Status parse_order(const char *place, const char *value, AggregateSpec *spec, Error *error)
{
    Status status = STATUS_OK;
    Items items;
    TRY(split(place, value, &items, error));
    for (int i = 0; i < items.n; i++)
        TRY(parse_order_item(place, items.text[i], spec, error));
out:
    return status;
}

static Status parse_per(const char *place, const char *value, AggregateSpec *spec, Error *error)
{
    Status status = STATUS_OK;
    Items items;
    TRY(split(place, value, &items, error));
    for (int i = 0; i < items.n; i++) {
        int index = find_in_by(spec, items.text[i]);
        if (index < 0) {
            char store[AGGREGATE_BY_MAX][COLUMN_NAME_SIZE];
            const char *names[AGGREGATE_BY_MAX + MEASURE_COUNT];
            int n = column_names(spec, store, names) - spec->n_measures;
            TRY(refuse(place, "after 'per' stand dimensions of by, not", items.text[i], names, n,
                       error));
        }
        for (int k = 0; k < spec->n_per; k++) {
            if (spec->per[k] == index)
                FAIL(error, STATUS_USAGE, "%s: '%s' stands there twice", place, items.text[i]);
        }
        spec->per[spec->n_per++] = index;
    }
    if (items.n == 0)
        FAIL(error, STATUS_USAGE, "%s: which dimensions stand after 'per'?", place);
out:
    return status;
}

/* N, or N per DIMENSION, ... */
static Status parse_limit(const char *place, const char *value, AggregateSpec *spec, Error *error)
{
    Status status = STATUS_OK;
    char number[WORD_SIZE];
    size_t size = strcspn(value, " \t");
    const char *rest = value + size + strspn(value + size, " \t");
    if (!tidy(value, size, number) ||
        decimal_parse(bytes_of(number), 0, (DecimalStyle){.point = '.'}, 1, INT64_MAX,
                      &spec->limit) != DECIMAL_OK)
        FAIL(
            error, STATUS_USAGE,
            "%s: '%.60s' does not begin with a whole number above 0, as 100 or 10 per country does",
            place, value);
    if (*rest == '\0')
        goto out;
    size = strcspn(rest, " \t");
    if (size != 3 || strncasecmp(rest, "per", size) != 0)
        FAIL(error, STATUS_USAGE,
             "%s: '%.60s': after the number stands 'per' and dimensions, or nothing", place, value);
    TRY(parse_per(place, rest + size, spec, error));
out:
    return status;
}

/* ---- sections ---- */

static Status parse_name(const char *section, char name[AGGREGATE_NAME_SIZE], Error *error)
{
    Status status = STATUS_OK;
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    const char *text = section + sizeof section_prefix - 1;
    size_t length = strlen(text);
    if (length == 0 || length >= AGGREGATE_NAME_SIZE || strspn(text, letters) != length ||
        text[0] < 'a' || strstr(text, "__"))
        FAIL(error, STATUS_USAGE,
             "[%s]: the table's name must begin with a letter and have at most %d lower case "
             "letters, digits and single underscores",
             section, AGGREGATE_NAME_SIZE - 1);
    if (sales_table_by_name(bytes_of(text)) < SALES_TABLES || strncmp(text, "vesper_", 7) == 0 ||
        strncmp(text, "sqlite_", 7) == 0)
        FAIL(error, STATUS_USAGE, "[%s]: there is a table %s already; take another name", section,
             text);
    memcpy(name, text, length + 1);
out:
    return status;
}

static Status refuse_keys(const Config *config, const char *section, Error *error)
{
    static const char *const keys[] = {"by", "measures", "where", "order", "limit"};
    enum { N_KEYS = sizeof keys / sizeof *keys };
    for (int i = 0; i < config_ini_count(config, section); i++) {
        const char *key, *value;
        bool is_known = false;
        char place[PLACE_SIZE];
        config_ini_entry(config, section, i, &key, &value);
        for (int k = 0; k < N_KEYS; k++)
            is_known |= strcmp(key, keys[k]) == 0;
        (void)snprintf(place, sizeof place, "[%s]", section);
        if (!is_known)
            return refuse(place, "there is no key", key, keys, N_KEYS, error);
    }
    return STATUS_OK;
}

static Status parse_section(const Config *config, const char *section, AggregateSpec *spec,
                            Error *error)
{
    typedef Status Parse(const char *place, const char *value, AggregateSpec *spec, Error *error);
    static const struct {
        const char *key;
        Parse *parse;
    } parts[] = {{"by", parse_by},
                 {"measures", parse_measures},
                 {"order", parse_order},
                 {"limit", parse_limit}};
    Status status = STATUS_OK;
    char place[PLACE_SIZE];
    TRY(parse_name(section, spec->name, error));
    TRY(refuse_keys(config, section, error));
    if (!config_ini(config, section, "measures"))
        FAIL(error, STATUS_USAGE,
             "[%s] has no measures: say what is to be told of each group, as in "
             "measures = net, orders",
             section);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const char *value = config_ini(config, section, parts[i].key);
        name_place(section, parts[i].key, place);
        if (value)
            TRY(parts[i].parse(place, value, spec, error));
    }
    const char *where = config_ini(config, section, "where");
    name_place(section, "where", place);
    if (where && where[strspn(where, " \t")] != '\0')
        TRY(where_parse(where, place, &spec->where, error));
out:
    return status;
}

Status aggregate_specs_parse(const Config *config, AggregateSpec **specs, int *n, Error *error)
{
    Status status = STATUS_OK;
    int n_sections = config_ini_section_count(config, section_prefix);
    *specs = mem_new(n_sections, sizeof **specs);
    *n = n_sections;
    for (int i = 0; i < n_sections; i++)
        TRY(parse_section(config, config_ini_section(config, section_prefix, i), &(*specs)[i],
                          error));
out:
    return status;
}

void aggregate_specs_free(AggregateSpec **specs, int n)
{
    for (int i = 0; *specs && i < n; i++)
        where_free(&(*specs)[i].where);
    mem_free(specs);
}
