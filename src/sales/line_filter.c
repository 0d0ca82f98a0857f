/* A condition made ready for one shop: steps in postfix order over masks of a block of lines. A
 * comparison becomes a table of yes and no by code, day or hour, or, for amounts and quantities, a
 * search among numbers; tables over the same column that stand side by side become one. See
 * where.h. */
#include "sales/where_internal.h"

#include "base/decimal.h"
#include "base/memory.h"
#include "sales/group_key.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 2048 }; /* lines; a mask of them fits the nearest cache many times */

/* Where a comparison reads. */
typedef enum Source {
    SOURCE_DAY,
    SOURCE_PRODUCT, /* with category and brand */
    SOURCE_COUNTRY,
    SOURCE_CHANNEL,
    SOURCE_SEGMENT,
    SOURCE_CURRENCY,
    SOURCE_HOUR,
    SOURCE_RETURNING,
    SOURCE_CANCELLED,
    SOURCE_QUANTITY,
    SOURCE_PRICE,
    SOURCE_DISCOUNT
} Source;

static const Source sources[FIELD_KINDS] = {
    [FIELD_DAY] = SOURCE_DAY,
    [FIELD_WEEK] = SOURCE_DAY,
    [FIELD_MONTH] = SOURCE_DAY,
    [FIELD_QUARTER] = SOURCE_DAY,
    [FIELD_YEAR] = SOURCE_DAY,
    [FIELD_WEEKDAY] = SOURCE_DAY,
    [FIELD_HOUR] = SOURCE_HOUR,
    [FIELD_NEW_OR_RETURNING] = SOURCE_RETURNING,
    [FIELD_CANCELLED] = SOURCE_CANCELLED,
    [FIELD_QUANTITY] = SOURCE_QUANTITY,
    [FIELD_UNIT_PRICE] = SOURCE_PRICE,
    [FIELD_DISCOUNT] = SOURCE_DISCOUNT,
    [FIELD_PRODUCT] = SOURCE_PRODUCT,
    [FIELD_CATEGORY] = SOURCE_PRODUCT,
    [FIELD_BRAND] = SOURCE_PRODUCT,
    [FIELD_COUNTRY] = SOURCE_COUNTRY,
    [FIELD_CHANNEL] = SOURCE_CHANNEL,
    [FIELD_SEGMENT] = SOURCE_SEGMENT,
    [FIELD_CURRENCY] = SOURCE_CURRENCY,
};

/* Numbers that pass: one of a list, or those from `least` to `most`; or all others. */
typedef struct NumberSet {
    int64_t *listed; /* [n_listed] ascending; NULL: the range counts */
    int64_t n_listed;
    int64_t least, most; /* an empty range: 1, 0 */
    bool is_negated;
} NumberSet;

typedef struct Step {
    NodeKind kind;
    Source source;  /* of NODE_COMPARE, as all that follows */
    uint8_t *table; /* [size] answers for values first, first + 1, ...; NULL: `numbers` */
    int32_t first;  /* -1 where that is "unknown" */
    int64_t size;
    NumberSet numbers;
} Step;

struct LineFilter {
    Step *steps;
    int n_steps;
    uint8_t *masks; /* [depth - 1][BLOCK]; the lowest mask is the caller's */
};

/* ---- numbers ---- */

static int compare_numbers(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* STATUS_USAGE if an amount is not one in this shop. */
static Status read_number(const Where *where, const Shop *shop, const WhereNode *node, int i,
                          int64_t *number, Error *error)
{
    const WhereValue *value = &where->values[node->first_value + i];
    bool is_money = node->field == FIELD_UNIT_PRICE || node->field == FIELD_DISCOUNT;
    *number = value->number;
    if (!is_money ||
        decimal_parse(bytes_of(value->text), shop->money_decimals, (DecimalStyle){.point = '.'},
                      INT64_MIN + 1, INT64_MAX, number) == DECIMAL_OK)
        return STATUS_OK;
    return error_set(error, STATUS_USAGE, __FILE__, __LINE__,
                     "%s: %s: '%.60s' is no amount with at most %d decimals, which is what this "
                     "store's money has",
                     where->place, where_field_name(node->field), value->text,
                     shop->money_decimals);
}

static void set_range(NumberSet *set, Comparison comparison, int64_t number)
{
    set->least = INT64_MIN;
    set->most = INT64_MAX;
    switch (comparison) {
    case COMPARE_LESS:
        set->most = number - 1; /* no number written is INT64_MIN */
        break;
    case COMPARE_LESS_EQUAL:
        set->most = number;
        break;
    case COMPARE_GREATER: /* more than the greatest: nothing */
        set->least = number == INT64_MAX ? 1 : number + 1;
        set->most = number == INT64_MAX ? 0 : INT64_MAX;
        break;
    case COMPARE_GREATER_EQUAL:
        set->least = number;
        break;
    default: /* COMPARE_EQUAL, COMPARE_NOT_EQUAL */
        set->least = set->most = number;
    }
}

static Status number_set_make(const Where *where, const Shop *shop, const WhereNode *node,
                              NumberSet *set, Error *error)
{
    Status status = STATUS_OK;
    int64_t number = 0;
    set->is_negated = node->comparison == COMPARE_NOT_EQUAL;
    if (node->n_values == 1) {
        TRY(read_number(where, shop, node, 0, &number, error));
        set_range(set, node->comparison, number);
        goto out;
    }
    TRY(mem_resize(&set->listed, node->n_values, sizeof *set->listed, "a condition", error));
    set->n_listed = node->n_values;
    for (int i = 0; i < node->n_values; i++)
        TRY(read_number(where, shop, node, i, &set->listed[i], error));
    qsort(set->listed, (size_t)set->n_listed, sizeof *set->listed, compare_numbers);
out:
    return status;
}

/* Whether `number` is listed: the last that is not greater is found by halving. */
static bool is_listed(const NumberSet *set, int64_t number)
{
    const int64_t *begin = set->listed;
    for (int64_t n = set->n_listed; n > 1; n -= n / 2)
        begin += begin[n / 2] <= number ? n / 2 : 0;
    return *begin == number;
}

static bool number_set_holds(const NumberSet *set, int64_t number)
{
    bool is_in = set->listed ? is_listed(set, number) : number >= set->least && number <= set->most;
    return is_in != set->is_negated;
}

/* ---- tables ---- */

static Status new_table(Step *step, int32_t first, int64_t size, Error *error)
{
    step->first = first;
    step->size = size;
    return mem_resize(&step->table, size, sizeof *step->table, "a condition", error);
}

/* By number, from `first` on; days are counted as the field counts them. */
static Status make_number_table(const Where *where, const Shop *shop, const WhereNode *node,
                                int32_t first, int64_t size, Step *step, Error *error)
{
    static const DimensionKind kinds[FIELD_KINDS] = {
        [FIELD_WEEK] = DIMENSION_WEEK,       [FIELD_MONTH] = DIMENSION_MONTH,
        [FIELD_QUARTER] = DIMENSION_QUARTER, [FIELD_YEAR] = DIMENSION_YEAR,
        [FIELD_WEEKDAY] = DIMENSION_WEEKDAY, /* all others: DIMENSION_DAY, the number itself */
    };
    Status status = STATUS_OK;
    TRY(number_set_make(where, shop, node, &step->numbers, error));
    TRY(new_table(step, first, size, error));
    for (int64_t i = 0; i < size; i++) {
        int64_t number = group_day_value(kinds[node->field], (int32_t)(first + i));
        if (node->field == FIELD_WEEK)
            number = 7 * number + 4; /* its Monday */
        step->table[i] = number_set_holds(&step->numbers, number);
    }
    mem_free(&step->numbers.listed);
out:
    return status;
}

static bool order_holds(Comparison comparison, int order)
{
    switch (comparison) {
    case COMPARE_LESS:
        return order < 0;
    case COMPARE_LESS_EQUAL:
        return order <= 0;
    case COMPARE_GREATER:
        return order > 0;
    default:
        return order >= 0; /* COMPARE_GREATER_EQUAL */
    }
}

/* answers [1 + count] := by code, from -1 on. */
static void answer_names(const Where *where, const WhereNode *node, const Names *names,
                         uint8_t *answers)
{
    const WhereValue *values = where->values + node->first_value;
    if (node->comparison >= COMPARE_LESS) {
        for (int32_t code = -1; code < names->count; code++)
            answers[code + 1] = order_holds(
                node->comparison, bytes_compare(names_text(names, code), bytes_of(values[0].text)));
        return;
    }
    bool is_negated = node->comparison == COMPARE_NOT_EQUAL;
    memset(answers, is_negated, (size_t)names->count + 1);
    for (int i = 0; i < node->n_values; i++) {
        int32_t code = names_find(names, bytes_of(values[i].text));
        if (code >= 0)
            answers[code + 1] = !is_negated;
        if (*values[i].text == '\0')
            answers[0] = !is_negated;
    }
}

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
        return &shop->currency; /* FIELD_CURRENCY */
    }
}

static Status make_name_table(const Where *where, const Shop *shop, const WhereNode *node,
                              Step *step, Error *error)
{
    const Names *names = names_of(shop, node);
    Status status = new_table(step, -1, (int64_t)names->count + 1, error);
    if (status == STATUS_OK)
        answer_names(where, node, names, step->table);
    return status;
}

/* By product code, through its category or brand. */
static Status make_product_table(const Where *where, const Shop *shop, const WhereNode *node,
                                 Step *step, Error *error)
{
    Status status = STATUS_OK;
    const Catalogue *catalogue = &shop->catalogue;
    const int32_t *of_category = shop->levels[node->level].of_category;
    Step names = {0};
    TRY(make_name_table(where, shop, node, &names, error));
    TRY(new_table(step, -1, (int64_t)shop->product.count + 1, error));
    step->table[0] = names.table[0];
    for (int32_t product = 0; product < shop->product.count; product++) {
        int32_t category = catalogue->category[product];
        int32_t code = node->field == FIELD_BRAND ? catalogue->brand[product]
                       : category < 0             ? -1
                                                  : of_category[category];
        step->table[1 + product] = names.table[1 + code];
    }
out:
    mem_free(&names.table);
    return status;
}

static Status make_comparison(const Where *where, const Shop *shop, const WhereNode *node,
                              Step *step, Error *error)
{
    bool has_days = shop->first_day != DAY_NONE;
    step->source = sources[node->field];
    switch (step->source) {
    case SOURCE_DAY:
        return make_number_table(where, shop, node, has_days ? shop->first_day : 0,
                                 has_days ? (int64_t)shop->last_day - shop->first_day + 1 : 1, step,
                                 error);
    case SOURCE_HOUR:
        return make_number_table(where, shop, node, 0, 24, step, error);
    case SOURCE_RETURNING:
        return make_number_table(where, shop, node, -1, 3, step, error);
    case SOURCE_CANCELLED:
        return make_number_table(where, shop, node, 0, 2, step, error);
    case SOURCE_PRODUCT:
        if (node->field == FIELD_PRODUCT)
            return make_name_table(where, shop, node, step, error);
        return make_product_table(where, shop, node, step, error);
    case SOURCE_QUANTITY:
    case SOURCE_PRICE:
    case SOURCE_DISCOUNT:
        return number_set_make(where, shop, node, &step->numbers, error);
    default:
        return make_name_table(where, shop, node, step, error);
    }
}

/* ---- steps ---- */

static void step_free(Step *step)
{
    mem_free(&step->table);
    mem_free(&step->numbers.listed);
}

/* Whether an operator found its operands in tables and has worked on them: the steps end in `n`
 * tables, over the same column. */
static bool fold_tables(LineFilter *filter, NodeKind kind)
{
    Step *last = &filter->steps[filter->n_steps - 1];
    if (!last->table)
        return false;
    if (kind == NODE_NOT) {
        for (int64_t i = 0; i < last->size; i++)
            last->table[i] ^= 1;
        return true;
    }
    Step *before = last - 1; /* a binary operator has two steps before it, at least */
    if (!before->table || before->source != last->source)
        return false;
    for (int64_t i = 0; i < last->size; i++) {
        if (kind == NODE_AND)
            before->table[i] &= last->table[i];
        else
            before->table[i] |= last->table[i];
    }
    step_free(last);
    filter->n_steps--;
    return true;
}

/* How many masks are held at once. */
static int depth_of(const LineFilter *filter)
{
    int depth = 0, deepest = 0;
    for (int k = 0; k < filter->n_steps; k++) {
        if (filter->steps[k].kind == NODE_COMPARE)
            depth++;
        else if (filter->steps[k].kind != NODE_NOT)
            depth--;
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest;
}

Status line_filter_new(const Where *where, const Shop *shop, LineFilter **filter, Error *error)
{
    Status status = STATUS_OK;
    LineFilter *made = mem_new(1, sizeof *made);
    made->steps = mem_new(where->n_nodes, sizeof *made->steps);
    *filter = NULL;
    for (int i = 0; i < where->n_nodes; i++) {
        const WhereNode *node = &where->nodes[i];
        if (node->kind != NODE_COMPARE && fold_tables(made, node->kind))
            continue;
        Step *step = &made->steps[made->n_steps++];
        *step = (Step){.kind = node->kind};
        if (node->kind == NODE_COMPARE)
            TRY(make_comparison(where, shop, node, step, error));
    }
    made->masks = mem_new((int64_t)(depth_of(made) - 1) * BLOCK, sizeof *made->masks);
    *filter = made;
    made = NULL;
out:
    line_filter_free(&made);
    return status;
}

void line_filter_free(LineFilter **filter)
{
    LineFilter *freed = *filter;
    if (!freed)
        return;
    for (int k = 0; k < freed->n_steps; k++)
        step_free(&freed->steps[k]);
    mem_free(&freed->steps);
    mem_free(&freed->masks);
    mem_free(filter);
}

/* ---- marking ---- */

static void mark_codes(const Step *step, const int32_t *restrict codes, int64_t n,
                       uint8_t *restrict keep)
{
    const uint8_t *restrict table = step->table;
    int32_t first = step->first;
    for (int64_t i = 0; i < n; i++)
        keep[i] = table[codes[i] - first];
}

static void mark_small(const Step *step, const int8_t *restrict values, int64_t n,
                       uint8_t *restrict keep)
{
    const uint8_t *restrict table = step->table;
    int32_t first = step->first;
    for (int64_t i = 0; i < n; i++)
        keep[i] = table[values[i] - first];
}

static void mark_narrow(const NumberSet *set, const int32_t *restrict numbers, int64_t n,
                        uint8_t *restrict keep)
{
    if (set->listed) {
        for (int64_t i = 0; i < n; i++)
            keep[i] = number_set_holds(set, numbers[i]);
        return;
    }
    bool is_empty = set->least > INT32_MAX || set->most < INT32_MIN;
    int32_t least = is_empty ? 1 : set->least < INT32_MIN ? INT32_MIN : (int32_t)set->least;
    int32_t most = is_empty ? 0 : set->most > INT32_MAX ? INT32_MAX : (int32_t)set->most;
    uint8_t flip = set->is_negated;
    for (int64_t i = 0; i < n; i++)
        keep[i] = (uint8_t)((numbers[i] >= least) & (numbers[i] <= most)) ^ flip;
}

static void mark_wide(const NumberSet *set, const int64_t *restrict numbers, int64_t n,
                      uint8_t *restrict keep)
{
    if (set->listed) {
        for (int64_t i = 0; i < n; i++)
            keep[i] = number_set_holds(set, numbers[i]);
        return;
    }
    int64_t least = set->least, most = set->most;
    uint8_t flip = set->is_negated;
    for (int64_t i = 0; i < n; i++)
        keep[i] = (uint8_t)((numbers[i] >= least) & (numbers[i] <= most)) ^ flip;
}

/* A column that the store does not have. */
static void mark_missing(const Step *step, int64_t n, uint8_t *keep)
{
    bool is_kept = step->table ? step->table[0] : number_set_holds(&step->numbers, 0);
    memset(keep, is_kept, (size_t)n);
}

static void mark_comparison(const Step *step, const OrderLines *lines, int64_t begin, int64_t n,
                            uint8_t *keep)
{
    const int32_t *const codes[] = {
        [SOURCE_DAY] = lines->day,          [SOURCE_PRODUCT] = lines->product,
        [SOURCE_COUNTRY] = lines->country,  [SOURCE_CHANNEL] = lines->channel,
        [SOURCE_SEGMENT] = lines->segment,  [SOURCE_CURRENCY] = lines->currency,
        [SOURCE_QUANTITY] = lines->quantity};
    const int8_t *const small[] = {[SOURCE_HOUR] = lines->hour,
                                   [SOURCE_RETURNING] = lines->returning,
                                   [SOURCE_CANCELLED] = lines->cancelled};
    const int64_t *const wide[] = {
        [SOURCE_PRICE] = lines->price, [SOURCE_DISCOUNT] = lines->discount};
    Source source = step->source;
    if (source >= SOURCE_PRICE && wide[source])
        mark_wide(&step->numbers, wide[source] + begin, n, keep);
    else if (source == SOURCE_QUANTITY && codes[source])
        mark_narrow(&step->numbers, codes[source] + begin, n, keep);
    else if (source >= SOURCE_HOUR && source <= SOURCE_CANCELLED && small[source])
        mark_small(step, small[source] + begin, n, keep);
    else if (source < SOURCE_HOUR && codes[source])
        mark_codes(step, codes[source] + begin, n, keep);
    else
        mark_missing(step, n, keep);
}

static void join_masks(NodeKind kind, uint8_t *restrict into, const uint8_t *restrict mask,
                       int64_t n)
{
    if (kind == NODE_AND) {
        for (int64_t i = 0; i < n; i++)
            into[i] &= mask[i];
    } else {
        for (int64_t i = 0; i < n; i++)
            into[i] |= mask[i];
    }
}

static void mark_block(const LineFilter *filter, const OrderLines *lines, int64_t begin, int64_t n,
                       uint8_t *keep)
{
    uint8_t *top = keep; /* the last mask made */
    int depth = 0;
    for (int k = 0; k < filter->n_steps; k++) {
        const Step *step = &filter->steps[k];
        depth += step->kind == NODE_COMPARE ? 1 : step->kind == NODE_NOT ? 0 : -1;
        uint8_t *mask = depth == 1 ? keep : filter->masks + (int64_t)(depth - 2) * BLOCK;
        vesper_assert(mask);
        if (step->kind == NODE_COMPARE)
            mark_comparison(step, lines, begin, n, mask);
        else if (step->kind == NODE_NOT)
            for (int64_t i = 0; i < n; i++)
                mask[i] ^= 1;
        else
            join_masks(step->kind, mask, top, n);
        top = mask;
    }
}

void line_filter_mark(LineFilter *filter, const OrderLines *lines, int64_t begin, int64_t n,
                      uint8_t *keep)
{
    for (int64_t at = 0; at < n; at += BLOCK)
        mark_block(filter, lines, begin + at, n - at < BLOCK ? n - at : BLOCK, keep + at);
}
