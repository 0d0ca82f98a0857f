/* Groups and their table, the naive way; see aggregate_model.h. */
#include "rank/aggregate_model.h"

#include "base/memory.h"
#include "rank/suites.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 24, NAMES = 37 };

/* ---- names ---- */

/* Name of code i: of different lengths, the first one empty. */
static void name_of(const char *kind, int i, char name[NAME_SIZE])
{
    static const char tail[] = "-of-the-shop";
    (void)snprintf(name, NAME_SIZE, "%.*s%d%.*s", (int)strlen(kind), kind, i * 7 % NAMES, i % 12,
                   tail);
    if (i == 0)
        name[0] = '\0';
}

static Status make_names(const char *kind, int count, Names *names, Error *error)
{
    static const ColumnSpec column = {"text", COLUMN_TEXT, UNIT_NONE};
    Status status = STATUS_OK;
    Table texts;
    table_init(&texts, &column, 1);
    for (int i = 0; i < count; i++) {
        char name[NAME_SIZE];
        name_of(kind, i, name);
        TRY(table_add_row(&texts, error));
        TRY(table_set_last_text(&texts, &texts.columns[0], bytes_of(name), error));
    }
    TRY(names_make(names, &texts, error));
out:
    table_free(&texts);
    return status;
}

Status model_shop(Shop *shop, Error *error)
{
    Status status = STATUS_OK;
    TRY(make_names("p", NAMES, &shop->product, error));
    TRY(make_names("b", 5, &shop->brand, error));
    TRY(make_names("land ", 12, &shop->country, error));
    TRY(make_names("c\xc3\xa9", 3, &shop->channel, error));
    TRY(make_names("", 2, &shop->currency, error));
    TRY(make_names("s", 4, &shop->segment, error));
    TRY(make_names("g", 9, &shop->levels[0].names, error));
    TRY(make_names("top", 3, &shop->levels[1].names, error));
out:
    return status;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The text at a place among all names, for a dimension of names; false for others. */
static bool name_at(const Dimension *dimension, const Shop *shop, int64_t place,
                    char text[NAME_SIZE])
{
    const Names *names = dimension_names(dimension, shop);
    char(*all)[NAME_SIZE];
    if (!names)
        return false;
    all = mem_new(names->count, sizeof *all);
    for (int32_t i = 0; i < names->count; i++) {
        Bytes name = names_text(names, i);
        memcpy(all[i], name.data, (size_t)name.size);
    }
    qsort(all, (size_t)names->count, sizeof *all, compare_names);
    (void)snprintf(text, NAME_SIZE, "%s", place < 0 ? "" : all[place]);
    mem_free(&all);
    return true;
}

/* ---- keys ---- */

static KeyPart part_of(const Dimension *dimension, const Shop *shop)
{
    static const struct {
        int64_t base;
        uint64_t radix;
    } ranges[DIMENSION_KINDS] = {
        [DIMENSION_DAY] = {-20, 60},
        [DIMENSION_WEEK] = {-9, 20},
        [DIMENSION_MONTH] = {-5, 30},
        [DIMENSION_QUARTER] = {-7881, 40}, /* from the year -1 on */
        [DIMENSION_YEAR] = {1968, 9},
        [DIMENSION_WEEKDAY] = {1, 7},
        [DIMENSION_HOUR] = {0, 24},
        [DIMENSION_NEW_OR_RETURNING] = {-1, 3},
        [DIMENSION_COHORT] = {-14, 25},
        [DIMENSION_ORDER_MONTH] = {600, 11},
        [DIMENSION_DAY_CLASS] = {0, 30},
    };
    const Names *names = dimension_names(dimension, shop);
    KeyPart part = {.dimension = *dimension,
                    .base = ranges[dimension->kind].base,
                    .radix = ranges[dimension->kind].radix};
    if (names) {
        part.base = -1;
        part.radix = (uint64_t)names->count + 1;
    }
    return part;
}

void model_layout(const AggregateSpec *spec, const Shop *shop, KeyLayout *layout)
{
    *layout = (KeyLayout){.n = spec->n_by, .space = 1};
    for (int i = spec->n_by - 1; i >= 0; i--) {
        layout->parts[i] = part_of(&spec->by[i], shop);
        layout->parts[i].stride = layout->space;
        layout->space *= layout->parts[i].radix;
    }
}

static int64_t digit_of(const KeyPart *part, uint64_t key)
{
    return (int64_t)(key / part->stride % part->radix);
}

/* ---- groups ---- */

static int compare_keys(const void *a, const void *b)
{
    uint64_t x = ((const ModelGroup *)a)->key, y = ((const ModelGroup *)b)->key;
    return (x > y) - (x < y);
}

/* Small sums, so that many are equal. */
static void draw_group(Random *random, ModelGroup *group)
{
    for (int s = 0; s < SUM_COUNT; s++)
        group->sums[s] = random_below(random, 5) - (s == SUM_MARGIN || s == SUM_NET ? 2 : 0);
    group->sums[SUM_ORDERS] = random_below(random, MODEL_ORDERS_MAX + 1);
    group->sums[SUM_FIRST_DAY] = random_below(random, 9) - 4;
    group->sums[SUM_LAST_DAY] = group->sums[SUM_FIRST_DAY] + 2;
    if (group->sums[SUM_ORDERS] == 0) {
        group->sums[SUM_FIRST_DAY] = INT64_MAX;
        group->sums[SUM_LAST_DAY] = INT64_MIN;
    }
    for (int64_t i = 0; i < group->sums[SUM_ORDERS]; i++)
        group->order_values[i] = random_below(random, 4);
}

int64_t model_groups(Random *random, const KeyLayout *layout, ModelGroup *groups, int64_t n)
{
    int64_t different = 0;
    for (int64_t i = 0; i < n; i++) {
        groups[i] = (ModelGroup){.key = random_u64(random) % layout->space};
        draw_group(random, &groups[i]);
    }
    qsort(groups, (size_t)n, sizeof *groups, compare_keys);
    for (int64_t i = 0; i < n; i++) {
        if (different == 0 || groups[different - 1].key != groups[i].key)
            groups[different++] = groups[i];
    }
    return different;
}

static bool needs_orders(const AggregateSpec *spec)
{
    bool needs = false;
    for (int m = 0; m < spec->n_measures; m++)
        needs |= spec->measures[m] >= MEASURE_MIN_ORDER_VALUE &&
                 spec->measures[m] <= MEASURE_MAX_ORDER_VALUE;
    return needs;
}

/* First group of a rank: even shares; all on the last rank; more on later ones, and none on the
 * first and the middle one. */
static int64_t share_start(int64_t n, int spread, int rank, int size)
{
    if (rank == size)
        return n;
    if (spread == 0)
        return n * rank / size;
    if (spread == 1 || rank <= 1)
        return 0;
    int64_t step = rank == size / 2 ? rank + 1 : rank;
    return n * step * step / (2 * (int64_t)size * size);
}

Status model_share(const AggregateSpec *spec, const KeyLayout *layout, const ModelGroup *all,
                   int64_t n, int spread, Groups *groups, Error *error)
{
    Status status = STATUS_OK;
    int rank = comm_rank(rank_comm()), size = comm_size(rank_comm());
    int64_t begin = share_start(n, spread, rank, size),
            end = share_start(n, spread, rank + 1, size);
    if (spread == 1)
        begin = rank == size - 1 ? 0 : end;
    *groups = (Groups){.layout = *layout, .n = end - begin};
    TRY(mem_resize(&groups->keys, groups->n, sizeof *groups->keys, "keys", error));
    for (int s = 0; s < SUM_COUNT; s++)
        TRY(mem_resize(&groups->sums[s], groups->n, sizeof *groups->sums[s], "sums", error));
    for (int64_t i = begin; i < end; i++) {
        groups->keys[i - begin] = all[i].key;
        for (int s = 0; s < SUM_COUNT; s++)
            groups->sums[s][i - begin] = all[i].sums[s];
    }
    for (int64_t i = 0; i < n && needs_orders(spec); i++) {
        for (int64_t k = 0; k < all[i].sums[SUM_ORDERS]; k++) {
            if ((i + 3 * k) % size != rank)
                continue;
            KeyedValues *values = &groups->order_values;
            TRY(keyed_values_reserve(values, 1, error));
            values->keys[values->n] = all[i].key;
            values->values[values->n++] = all[i].order_values[k];
        }
    }
out:
    return status;
}

/* ---- the expected table ---- */

static int compare_i64(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int64_t order_value(const ModelGroup *group, int percent)
{
    int64_t values[MODEL_ORDERS_MAX], n = group->sums[SUM_ORDERS], place = 1;
    memcpy(values, group->order_values, sizeof values);
    qsort(values, (size_t)n, sizeof *values, compare_i64);
    while (place * 100 < percent * n)
        place++;
    return n == 0 ? MONEY_NONE : values[place - 1];
}

/* A measure as it is published: a whole number, or a real one. */
typedef struct ModelValue {
    bool is_real;
    int64_t whole;
    double real;
} ModelValue;

static ModelValue model_value(const ModelGroup *group, Measure measure)
{
    const int64_t *sums = group->sums;
    double orders = (double)sums[SUM_ORDERS];
    switch (measure) {
    case MEASURE_AVERAGE_ORDER_VALUE:
        return (ModelValue){true, 0, orders > 0 ? (double)sums[SUM_KEPT_VALUE] / orders : NAN};
    case MEASURE_ITEMS_PER_ORDER:
        return (ModelValue){true, 0, orders > 0 ? (double)sums[SUM_KEPT_UNITS] / orders : NAN};
    case MEASURE_MIN_ORDER_VALUE:
        return (ModelValue){.whole = order_value(group, 0)};
    case MEASURE_MEDIAN_ORDER_VALUE:
        return (ModelValue){.whole = order_value(group, 50)};
    case MEASURE_P95_ORDER_VALUE:
        return (ModelValue){.whole = order_value(group, 95)};
    case MEASURE_MAX_ORDER_VALUE:
        return (ModelValue){.whole = order_value(group, 100)};
    case MEASURE_FIRST_DAY:
        return (ModelValue){.whole = orders > 0 ? sums[SUM_FIRST_DAY] : DAY_NONE};
    case MEASURE_LAST_DAY:
        return (ModelValue){.whole = orders > 0 ? sums[SUM_LAST_DAY] : DAY_NONE};
    default:
        break;
    }
    static const GroupSum own[MEASURE_COUNT] = {
        [MEASURE_GROSS] = SUM_GROSS,         [MEASURE_RETURNED] = SUM_RETURNED,
        [MEASURE_DISCOUNT] = SUM_DISCOUNT,   [MEASURE_UNITS] = SUM_UNITS,
        [MEASURE_ORDERS] = SUM_ORDERS,       [MEASURE_UNITS_RETURNED] = SUM_UNITS_RETURNED,
        [MEASURE_CUSTOMERS] = SUM_CUSTOMERS, [MEASURE_LINES] = SUM_LINES,
        [MEASURE_MARGIN] = SUM_MARGIN,       [MEASURE_NET] = SUM_NET,
    };
    return (ModelValue){.whole = sums[own[measure]]};
}

static int compare_values(ModelValue a, ModelValue b, bool descending)
{
    if (a.is_real && (isnan(a.real) || isnan(b.real)))
        return (isnan(a.real) ? 1 : 0) - (isnan(b.real) ? 1 : 0);
    int sign = a.is_real ? (a.real > b.real) - (a.real < b.real)
                         : (a.whole > b.whole) - (a.whole < b.whole);
    return descending ? -sign : sign;
}

/* qsort gives its callback no context. */
static const AggregateSpec *sorted_spec;
static const KeyLayout *sorted_layout;

static int compare_per(const ModelGroup *a, const ModelGroup *b)
{
    for (int i = 0; i < sorted_spec->n_per; i++) {
        const KeyPart *part = &sorted_layout->parts[sorted_spec->per[i]];
        int64_t x = digit_of(part, a->key), y = digit_of(part, b->key);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}

static int compare_groups(const void *left, const void *right)
{
    const ModelGroup *a = left, *b = right;
    int sign = sorted_spec->limit > 0 ? compare_per(a, b) : 0;
    for (int i = 0; sign == 0 && i < sorted_spec->n_order; i++) {
        const AggregateOrder *order = &sorted_spec->order[i];
        if (order->is_measure) {
            Measure measure = sorted_spec->measures[order->index];
            sign =
                compare_values(model_value(a, measure), model_value(b, measure), order->descending);
            continue;
        }
        const KeyPart *part = &sorted_layout->parts[order->index];
        int64_t x = digit_of(part, a->key), y = digit_of(part, b->key);
        sign = order->descending ? (x < y) - (x > y) : (x > y) - (x < y);
    }
    return sign != 0 ? sign : compare_keys(a, b);
}

static void write_value(ModelValue value, Buffer *text)
{
    if (value.is_real && isnan(value.real))
        buffer_append_string(text, "nan;");
    else if (value.is_real)
        buffer_printf(text, "%a;", value.real);
    else
        buffer_printf(text, "%" PRId64 ";", value.whole);
}

/* Day of the Monday in days [7 week, 7 week + 7); 1970-01-01 was a Thursday. */
static int64_t monday_of(int64_t week)
{
    int64_t day = week * 7;
    while (((day + 3) % 7 + 7) % 7 != 0)
        day++;
    return day;
}

static void write_dimension(const KeyPart *part, const Shop *shop, uint64_t key, Buffer *text)
{
    static const char *const returning[] = {"", "new", "returning"};
    char name[CIVIL_TEXT_SIZE];
    int64_t digit = digit_of(part, key), value = part->base + digit;
    if (name_at(&part->dimension, shop, value, name)) {
        buffer_printf(text, "%s;", name);
        return;
    }
    switch (part->dimension.kind) {
    case DIMENSION_WEEK:
        value = monday_of(value);
        break;
    case DIMENSION_QUARTER:
        /* "2024-04": the month after the last dash becomes a quarter. */
        civil_format_month((int32_t)(value * 3), name);
        char *dash = strrchr(name, '-');
        int month = atoi(dash + 1);
        *dash = '\0';
        buffer_printf(text, "%s-Q%d;", name, (month + 2) / 3);
        return;
    case DIMENSION_NEW_OR_RETURNING:
        buffer_printf(text, "%s;", returning[digit]);
        return;
    case DIMENSION_COHORT:
        if (digit > 0)
            buffer_printf(text, "%04d-%02d", 1970 + (int)(value + 1200) / 12 - 100,
                          (int)(value + 1200) % 12 + 1);
        buffer_append_string(text, ";");
        return;
    default:
        break;
    }
    buffer_printf(text, "%" PRId64 ";", value);
}

void model_table(const AggregateSpec *spec, const Shop *shop, const KeyLayout *layout,
                 ModelGroup *all, int64_t n, Buffer *text)
{
    sorted_spec = spec;
    sorted_layout = layout;
    qsort(all, (size_t)n, sizeof *all, compare_groups);
    int64_t place = 0;
    for (int64_t i = 0; i < n; i++) {
        bool is_next = i > 0 && compare_per(&all[i - 1], &all[i]) != 0;
        place = is_next ? 1 : place + 1;
        if (spec->limit > 0 && place > spec->limit)
            continue;
        for (int k = 0; k < spec->n_by; k++)
            write_dimension(&layout->parts[k], shop, all[i].key, text);
        for (int m = 0; m < spec->n_measures; m++)
            write_value(model_value(&all[i], spec->measures[m]), text);
        buffer_append_string(text, "\n");
    }
}

/* ---- a table as text ---- */

static void write_cell(const Column *column, int64_t row, Buffer *text)
{
    switch (column->type) {
    case COLUMN_TEXT:
        buffer_append_bytes(text, column_text(column, row));
        buffer_append_string(text, ";");
        return;
    case COLUMN_F64:
        write_value((ModelValue){true, 0, ((const double *)column->data)[row]}, text);
        return;
    case COLUMN_I32:
        write_value((ModelValue){.whole = ((const int32_t *)column->data)[row]}, text);
        return;
    default:
        write_value((ModelValue){.whole = ((const int64_t *)column->data)[row]}, text);
    }
}

void model_write_rows(const Table *rows, Buffer *text)
{
    for (int64_t row = 0; row < rows->rows; row++) {
        for (int c = 0; c < rows->n_columns; c++)
            write_cell(&rows->columns[c], row, text);
        buffer_append_string(text, "\n");
    }
}
