/* A condition made ready for one shop: each comparison is a table of yes and no by code, day or
 * hour, or, for numbers without bounds, a comparison. See where.h. */
#include "sales/where_internal.h"

#include "base/decimal.h"
#include "base/memory.h"
#include "sales/group_key.h"

#include <string.h>

enum { BLOCK = 1024 };

/* A comparison, ready: of a field with a table the answer for a column's value; else numbers. */
typedef struct Test {
    const WhereNode *node;
    uint8_t *table; /* by value - least; NULL: compare with `numbers` */
    int64_t least;
    int64_t *numbers; /* [node->n_values] */
} Test;

struct LineFilter {
    const Where *where;
    Test *tests;    /* [n_nodes] of the comparisons among the nodes */
    uint8_t *masks; /* [n_nodes x BLOCK] */
};

/* ---- making ---- */

static bool holds(Comparison comparison, int order)
{
    switch (comparison) {
    case COMPARE_EQUAL:
        return order == 0;
    case COMPARE_NOT_EQUAL:
        return order != 0;
    case COMPARE_LESS:
        return order < 0;
    case COMPARE_LESS_EQUAL:
        return order <= 0;
    case COMPARE_GREATER:
        return order > 0;
    default:
        return order >= 0;
    }
}

/* Whether a value for which orders [n] compare so with the values written down passes. */
static bool passes(Comparison comparison, bool equals_one, int first_order)
{
    if (comparison == COMPARE_EQUAL)
        return equals_one;
    if (comparison == COMPARE_NOT_EQUAL)
        return !equals_one;
    return holds(comparison, first_order);
}

static bool number_passes(const WhereNode *node, const int64_t *numbers, int64_t value)
{
    bool equals_one = false;
    for (int i = 0; i < node->n_values; i++)
        equals_one |= value == numbers[i];
    return passes(node->comparison, equals_one, (value > numbers[0]) - (value < numbers[0]));
}

static bool text_passes(const Where *where, const WhereNode *node, Bytes text)
{
    bool equals_one = false;
    const WhereValue *values = where->values + node->first_value;
    for (int i = 0; i < node->n_values; i++)
        equals_one |= bytes_equal(text, bytes_of(values[i].text));
    return passes(node->comparison, equals_one, bytes_compare(text, bytes_of(values[0].text)));
}

/* Names that a field of texts has. */
static const Names *names_of(const Shop *shop, const WhereNode *node)
{
    switch (node->field) {
    case FIELD_PRODUCT:
        return &shop->product;
    case FIELD_CATEGORY:
        return &shop->levels[node->level].names;
    case FIELD_BRAND:
        return &shop->brand;
    case FIELD_COUNTRY:
        return &shop->country;
    case FIELD_CHANNEL:
        return &shop->channel;
    case FIELD_SEGMENT:
        return &shop->segment;
    default:
        return &shop->currency;
    }
}

/* answers [count + 1] := by code + 1, the first for unknown. */
static Status answer_names(const Where *where, const WhereNode *node, const Names *names,
                           uint8_t **answers, Error *error)
{
    Status status = mem_resize(answers, (int64_t)names->count + 1, 1, "a condition", error);
    for (int32_t code = -1; status == STATUS_OK && code < names->count; code++)
        (*answers)[code + 1] = text_passes(where, node, names_text(names, code));
    return status;
}

/* By product code, through its category or brand. */
static Status make_product_table(const Where *where, const Shop *shop, Test *test, Error *error)
{
    Status status = STATUS_OK;
    const WhereNode *node = test->node;
    const Catalogue *catalogue = &shop->catalogue;
    uint8_t *answers = NULL;
    TRY(answer_names(where, node, names_of(shop, node), &answers, error));
    TRY(mem_resize(&test->table, shop->product.count, 1, "a condition", error));
    for (int32_t product = 0; product < shop->product.count; product++) {
        int32_t code = product;
        if (node->field == FIELD_BRAND)
            code = catalogue->brand[product];
        else if (node->field == FIELD_CATEGORY)
            code = catalogue->category[product] < 0
                       ? -1
                       : shop->levels[node->level].of_category[catalogue->category[product]];
        test->table[product] = answers[code + 1];
    }
out:
    mem_free(&answers);
    return status;
}

/* The dimension that a field of time is. */
static DimensionKind dimension_of(FieldKind field)
{
    static const DimensionKind kinds[] = {
        [FIELD_DAY] = DIMENSION_DAY,     [FIELD_WEEK] = DIMENSION_WEEK,
        [FIELD_MONTH] = DIMENSION_MONTH, [FIELD_QUARTER] = DIMENSION_QUARTER,
        [FIELD_YEAR] = DIMENSION_YEAR,   [FIELD_WEEKDAY] = DIMENSION_WEEKDAY};
    return kinds[field];
}

static Status make_day_table(const Shop *shop, Test *test, Error *error)
{
    Status status = STATUS_OK;
    if (shop->first_day == DAY_NONE)
        return STATUS_OK;
    DimensionKind kind = dimension_of(test->node->field);
    int64_t n = (int64_t)shop->last_day - shop->first_day + 1;
    for (int i = 0; kind == DIMENSION_WEEK && i < test->node->n_values; i++)
        test->numbers[i] = group_day_value(kind, (int32_t)test->numbers[i]);
    TRY(mem_resize(&test->table, n, 1, "a condition", error));
    test->least = shop->first_day;
    for (int64_t i = 0; i < n; i++)
        test->table[i] = number_passes(test->node, test->numbers,
                                       group_day_value(kind, (int32_t)(shop->first_day + i)));
out:
    return status;
}

/* Values from `least` to `most`. */
static Status make_small_table(Test *test, int64_t least, int64_t most, Error *error)
{
    Status status = mem_resize(&test->table, most - least + 1, 1, "a condition", error);
    test->least = least;
    for (int64_t value = least; status == STATUS_OK && value <= most; value++)
        test->table[value - least] = number_passes(test->node, test->numbers, value);
    return status;
}

static Status read_numbers(const Where *where, const Shop *shop, Test *test, Error *error)
{
    Status status = STATUS_OK;
    const WhereNode *node = test->node;
    bool is_money = node->field == FIELD_UNIT_PRICE || node->field == FIELD_DISCOUNT;
    test->numbers = mem_new(node->n_values, sizeof *test->numbers);
    for (int i = 0; i < node->n_values; i++) {
        const WhereValue *value = &where->values[node->first_value + i];
        test->numbers[i] = value->number;
        if (is_money &&
            decimal_parse(bytes_of(value->text), shop->money_decimals, (DecimalStyle){.point = '.'},
                          INT64_MIN + 1, INT64_MAX, &test->numbers[i]) != DECIMAL_OK)
            FAIL(error, STATUS_USAGE,
                 "%s: %s %s is no amount with at most %d decimals, which is "
                 "what this store's money has",
                 where->place, where_field_name(node->field), value->text, shop->money_decimals);
    }
out:
    return status;
}

static Status make_test(const Where *where, const Shop *shop, Test *test, Error *error)
{
    Status status = STATUS_OK;
    TRY(read_numbers(where, shop, test, error));
    switch (test->node->field) {
    case FIELD_PRODUCT:
    case FIELD_CATEGORY:
    case FIELD_BRAND:
        return make_product_table(where, shop, test, error);
    case FIELD_COUNTRY:
    case FIELD_CHANNEL:
    case FIELD_SEGMENT:
    case FIELD_CURRENCY:
        test->least = -1;
        return answer_names(where, test->node, names_of(shop, test->node), &test->table, error);
    case FIELD_HOUR:
        return make_small_table(test, 0, 23, error);
    case FIELD_NEW_OR_RETURNING:
        return make_small_table(test, -1, 1, error);
    case FIELD_CANCELLED:
        return make_small_table(test, 0, 1, error);
    case FIELD_QUANTITY:
    case FIELD_UNIT_PRICE:
    case FIELD_DISCOUNT:
        return STATUS_OK;
    default:
        return make_day_table(shop, test, error);
    }
out:
    return status;
}

Status line_filter_new(const Where *where, const Shop *shop, LineFilter **filter, Error *error)
{
    Status status = STATUS_OK;
    LineFilter *made = mem_new(1, sizeof *made);
    *filter = made;
    made->where = where;
    made->tests = mem_new(where->n_nodes, sizeof *made->tests);
    made->masks = mem_new((int64_t)where->n_nodes * BLOCK, 1);
    for (int i = 0; i < where->n_nodes; i++) {
        made->tests[i].node = &where->nodes[i];
        if (where->nodes[i].kind == NODE_COMPARE)
            TRY(make_test(where, shop, &made->tests[i], error));
    }
out:
    return status;
}

void line_filter_free(LineFilter **filter)
{
    LineFilter *freed = *filter;
    if (!freed)
        return;
    for (int i = 0; freed->tests && i < freed->where->n_nodes; i++) {
        mem_free(&freed->tests[i].table);
        mem_free(&freed->tests[i].numbers);
    }
    mem_free(&freed->tests);
    mem_free(&freed->masks);
    mem_free(filter);
}

/* ---- marking ---- */

static void mark_codes(const Test *test, const int32_t *codes, int64_t n, uint8_t *keep)
{
    if (!codes) { /* the store has no such column: all unknown */
        memset(keep, test->table[0], (size_t)n);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        keep[i] = test->table[codes[i] - test->least];
}

static void mark_bytes(const Test *test, const int8_t *values, int64_t n, uint8_t *keep)
{
    for (int64_t i = 0; i < n; i++)
        keep[i] = test->table[values[i] - test->least];
}

static void mark_numbers(const Test *test, const int32_t *narrow, const int64_t *wide, int64_t n,
                         uint8_t *keep)
{
    for (int64_t i = 0; i < n; i++)
        keep[i] = number_passes(test->node, test->numbers, narrow ? narrow[i] : wide ? wide[i] : 0);
}

static void mark_test(const Test *test, const OrderLines *lines, int64_t begin, int64_t n,
                      uint8_t *keep)
{
#define FROM(column) ((column) ? (column) + begin : NULL)
    switch (test->node->field) {
    case FIELD_PRODUCT:
    case FIELD_CATEGORY:
    case FIELD_BRAND:
        mark_codes(test, lines->product + begin, n, keep);
        break;
    case FIELD_COUNTRY:
        mark_codes(test, FROM(lines->country), n, keep);
        break;
    case FIELD_CHANNEL:
        mark_codes(test, FROM(lines->channel), n, keep);
        break;
    case FIELD_SEGMENT:
        mark_codes(test, FROM(lines->segment), n, keep);
        break;
    case FIELD_CURRENCY:
        mark_codes(test, FROM(lines->currency), n, keep);
        break;
    case FIELD_HOUR:
        mark_bytes(test, lines->hour + begin, n, keep);
        break;
    case FIELD_NEW_OR_RETURNING:
        mark_bytes(test, lines->returning + begin, n, keep);
        break;
    case FIELD_CANCELLED:
        mark_bytes(test, lines->cancelled + begin, n, keep);
        break;
    case FIELD_QUANTITY:
        mark_numbers(test, lines->quantity + begin, NULL, n, keep);
        break;
    case FIELD_UNIT_PRICE:
        mark_numbers(test, NULL, lines->price + begin, n, keep);
        break;
    case FIELD_DISCOUNT:
        mark_numbers(test, NULL, FROM(lines->discount), n, keep);
        break;
    default:
        mark_codes(test, lines->day + begin, n, keep);
    }
#undef FROM
}

static void mark_block(LineFilter *filter, const OrderLines *lines, int64_t begin, int64_t n,
                       uint8_t *keep)
{
    int n_nodes = filter->where->n_nodes;
    for (int k = 0; k < n_nodes; k++) {
        const WhereNode *node = &filter->where->nodes[k];
        uint8_t *mask = k == n_nodes - 1 ? keep : filter->masks + (int64_t)k * BLOCK;
        const uint8_t *left = filter->masks + (int64_t)node->left * BLOCK;
        const uint8_t *right = filter->masks + (int64_t)node->right * BLOCK;
        if (node->kind == NODE_COMPARE)
            mark_test(&filter->tests[k], lines, begin, n, mask);
        for (int64_t i = 0; node->kind == NODE_NOT && i < n; i++)
            mask[i] = !left[i];
        for (int64_t i = 0; node->kind == NODE_AND && i < n; i++)
            mask[i] = left[i] & right[i];
        for (int64_t i = 0; node->kind == NODE_OR && i < n; i++)
            mask[i] = left[i] | right[i];
    }
}

void line_filter_mark(LineFilter *filter, const OrderLines *lines, int64_t begin, int64_t n,
                      uint8_t *keep)
{
    for (int64_t at = 0; at < n; at += BLOCK)
        mark_block(filter, lines, begin + at, n - at < BLOCK ? n - at : BLOCK, keep + at);
}
