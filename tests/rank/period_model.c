/* Shops with groups made the naive way; see period_model.h. */
#include "rank/period_model.h"

#include "base/memory.h"
#include "base/random.h"
#include "rank/suites.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- lines ---- */

static int32_t random_day(Random *random, const PeriodShape *shape)
{
    static const int32_t ages[] = {0,  1,  2,  6,  7,   13,  14,  27, 28,
                                   55, 56, 83, 84, 363, 364, 727, 728};
    int64_t n = sizeof ages / sizeof *ages;
    if (shape->on_bounds)
        return shape->last_day - ages[random_below(random, n)];
    return shape->last_day - (int32_t)random_below(random, shape->span);
}

/* Line i; what belongs to its order is drawn from the order's own stream. */
static PeriodLine random_line(const PeriodShape *shape, int64_t i)
{
    Random random = random_stream(11, (uint64_t)i);
    int32_t order = (int32_t)random_below(&random, shape->lines / 3 + 1);
    Random of_order = random_stream(12, (uint64_t)order);
    PeriodLine line = {
        .order = order,
        .day = random_day(&of_order, shape),
        .customer = (int32_t)random_below(&of_order, shape->customers + 1) - 1,
        .is_cancelled = random_below(&of_order, 100) < shape->cancelled,
        .product = (int32_t)random_below(&random, 1 + random_below(&random, shape->products)),
        .quantity = 1 + (int32_t)random_below(&random, 5),
        .price = random_below(&random, 4) * 25,
    };
    if (i == 0)
        line.day = shape->last_day;
    else if (random_below(&random, 4) == 0)
        line.day = random_day(&random, shape); /* an order of several days */
    if (random_below(&random, 100) < shape->returned)
        line.quantity = -line.quantity;
    return line;
}

static void random_product(Catalogue *catalogue, int32_t code)
{
    Random random = random_stream(13, (uint64_t)code);
    catalogue->is_listed[code] = random_below(&random, 4) > 0;
    catalogue->cost[code] = MONEY_NONE;
    catalogue->stock[code] = INT64_MIN;
    if (!catalogue->is_listed[code])
        return;
    if (random_below(&random, 4) > 0)
        catalogue->cost[code] = random_below(&random, 1000);
    if (random_below(&random, 5) > 0)
        catalogue->stock[code] = random_below(&random, 40) - 5;
}

static Status make_products(Shop *shop, int32_t n, Error *error)
{
    static const ColumnSpec column = {"text", COLUMN_TEXT, UNIT_NONE};
    Status status = STATUS_OK;
    Table texts = {0};
    Catalogue *catalogue = &shop->catalogue;
    table_init(&texts, &column, 1);
    for (int32_t code = 0; code < n; code++) {
        /* Neither the codes nor the numbers are in the order of the ids. */
        char id[32];
        (void)snprintf(id, sizeof id, "p%" PRId64, (int64_t)code * 7919 % 1009);
        TRY(table_add_row(&texts, error));
        TRY(table_set_last_text(&texts, &texts.columns[0], bytes_of(id), error));
    }
    TRY(names_make(&shop->product, &texts, error));
    TRY(mem_resize(&catalogue->is_listed, n, sizeof(bool), "products", error));
    TRY(mem_resize(&catalogue->cost, n, sizeof(int64_t), "products", error));
    TRY(mem_resize(&catalogue->stock, n, sizeof(int64_t), "products", error));
    for (int32_t code = 0; code < n; code++)
        random_product(catalogue, code);
out:
    table_free(&texts);
    return status;
}

Status period_model_make(const PeriodShape *shape, PeriodModel *model, Error *error)
{
    Status status = STATUS_OK;
    Shop *shop = &model->shop;
    *model = (PeriodModel){.n = shape->lines};
    shop->first_day = shop->last_day = shop->as_of = DAY_NONE;
    TRY(make_products(shop, shape->products, error));
    TRY(mem_resize(&model->lines, shape->lines, sizeof *model->lines, "lines", error));
    for (int64_t i = 0; i < shape->lines; i++) {
        model->lines[i] = random_line(shape, i);
        int32_t day = model->lines[i].day;
        shop->first_day = i == 0 || day < shop->first_day ? day : shop->first_day;
        shop->last_day = i == 0 || day > shop->last_day ? day : shop->last_day;
    }
    if (shape->lines > 0) {
        shop->first_day -= shape->days_ahead;
        shop->last_day += shape->days_after;
        shop->as_of = shop->last_day;
    }
out:
    return status;
}

void period_model_free(PeriodModel *model)
{
    mem_free(&model->lines);
    shop_free(&model->shop);
    *model = (PeriodModel){0};
}

bool period_line_is_kept(const PeriodLine *line)
{
    return line->quantity > 0 && !line->is_cancelled;
}

/* Lines that are in a group or a range, as the naive sums want them. */
typedef bool LineTest(const PeriodModel *model, int64_t i, const void *what);

/* True if line i is the first kept one of its order (or customer) among those that `in` takes. */
static bool is_first(const PeriodModel *model, int64_t i, bool by_order, LineTest *in,
                     const void *what)
{
    const PeriodLine *line = &model->lines[i];
    if (!period_line_is_kept(line) || (!by_order && line->customer < 0))
        return false;
    for (int64_t k = 0; k < i; k++) {
        const PeriodLine *other = &model->lines[k];
        bool same = by_order ? other->order == line->order : other->customer == line->customer;
        if (same && period_line_is_kept(other) && in(model, k, what))
            return false;
    }
    return true;
}

static void add_line(const PeriodModel *model, int64_t i, LineTest *in, const void *what,
                     int64_t sums[SUM_COUNT])
{
    const PeriodLine *line = &model->lines[i];
    int64_t units = labs(line->quantity), value = units * line->price;
    bool is_kept = period_line_is_kept(line), is_sale = line->quantity > 0;
    bool is_return = line->quantity < 0 || line->is_cancelled;
    sums[SUM_GROSS] += is_sale ? value : 0;
    sums[SUM_UNITS] += is_sale ? units : 0;
    sums[SUM_RETURNED] += is_return ? value : 0;
    sums[SUM_UNITS_RETURNED] += is_return ? units : 0;
    sums[SUM_NET] += (is_sale ? value : 0) - (is_return ? value : 0);
    sums[SUM_LINES]++;
    sums[SUM_ORDERS] += is_first(model, i, true, in, what);
    sums[SUM_CUSTOMERS] += is_first(model, i, false, in, what);
    if (is_kept && line->day < sums[SUM_FIRST_DAY])
        sums[SUM_FIRST_DAY] = line->day;
    if (is_kept && line->day > sums[SUM_LAST_DAY])
        sums[SUM_LAST_DAY] = line->day;
}

static void add_lines(const PeriodModel *model, LineTest *in, const void *what,
                      int64_t sums[SUM_COUNT])
{
    memset(sums, 0, SUM_COUNT * sizeof *sums);
    sums[SUM_FIRST_DAY] = INT64_MAX;
    sums[SUM_LAST_DAY] = INT64_MIN;
    for (int64_t i = 0; i < model->n; i++) {
        if (in(model, i, what))
            add_line(model, i, in, what, sums);
    }
}

typedef struct Range {
    int32_t product, begin, end;
} Range;

static bool is_in_range(const PeriodModel *model, int64_t i, const void *what)
{
    const Range *range = what;
    const PeriodLine *line = &model->lines[i];
    return (range->product < 0 || line->product == range->product) && range->begin <= line->day &&
           line->day < range->end;
}

PeriodSums period_sums(const PeriodModel *model, int32_t product, int32_t begin, int32_t end)
{
    int64_t sums[SUM_COUNT];
    Range range = {product, begin, end};
    add_lines(model, is_in_range, &range, sums);
    return (PeriodSums){.lines = sums[SUM_LINES],
                        .net = sums[SUM_NET],
                        .units = sums[SUM_UNITS],
                        .units_returned = sums[SUM_UNITS_RETURNED],
                        .orders = sums[SUM_ORDERS],
                        .customers = sums[SUM_CUSTOMERS]};
}

/* ---- groups ---- */

typedef struct KeyedLines {
    const uint64_t *keys;
    uint64_t key;
} KeyedLines;

static bool has_key(const PeriodModel *model, int64_t i, const void *what)
{
    const KeyedLines *keyed = what;
    (void)model;
    return keyed->keys[i] == keyed->key;
}

static int compare_keys(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* different [*n] := the keys, ascending, each once. */
static Status different_keys(const uint64_t *keys, int64_t n_keys, uint64_t **different, int64_t *n,
                             Error *error)
{
    Status status = STATUS_OK;
    TRY(mem_resize(different, n_keys, sizeof **different, "keys", error));
    memcpy(*different, keys, (size_t)n_keys * sizeof *keys);
    qsort(*different, (size_t)n_keys, sizeof **different, compare_keys);
    *n = 0;
    for (int64_t i = 0; i < n_keys; i++) {
        uint64_t key = (*different)[i];
        if (key != PERIOD_NO_KEY && (*n == 0 || key != (*different)[*n - 1]))
            (*different)[(*n)++] = key;
    }
out:
    return status;
}

/* This rank's part [begin, end) of n groups. */
static void random_run(uint64_t seed, int64_t n, int64_t *begin, int64_t *end)
{
    int size = comm_size(rank_comm()), rank = comm_rank(rank_comm());
    Random random = random_stream(14, seed);
    uint64_t *cuts = mem_new(size + 1, sizeof *cuts);
    for (int r = 1; r < size; r++)
        cuts[r] = (uint64_t)random_below(&random, n + 1);
    cuts[size] = (uint64_t)n;
    qsort(cuts, (size_t)size + 1, sizeof *cuts, compare_keys);
    if (size > 2)
        cuts[size / 2] = cuts[size / 2 + 1];
    *begin = (int64_t)cuts[rank];
    *end = (int64_t)cuts[rank + 1];
    mem_free(&cuts);
}

Status period_groups(const PeriodModel *model, const uint64_t *keys, const KeyLayout *layout,
                     uint64_t seed, Groups *groups, Error *error)
{
    Status status = STATUS_OK;
    uint64_t *different = NULL;
    int64_t n = 0, begin = 0, end = 0;
    *groups = (Groups){.layout = *layout};
    TRY(different_keys(keys, model->n, &different, &n, error));
    random_run(seed, n, &begin, &end);
    TRY(mem_resize(&groups->keys, end - begin, sizeof *groups->keys, "keys", error));
    for (int s = 0; s < SUM_COUNT; s++)
        TRY(mem_resize(&groups->sums[s], end - begin, sizeof **groups->sums, "sums", error));
    groups->n = end - begin;
    for (int64_t i = 0; i < groups->n; i++) {
        int64_t sums[SUM_COUNT];
        KeyedLines keyed = {.keys = keys, .key = different[begin + i]};
        add_lines(model, has_key, &keyed, sums);
        groups->keys[i] = keyed.key;
        for (int s = 0; s < SUM_COUNT; s++)
            groups->sums[s][i] = sums[s];
    }
out:
    mem_free(&different);
    return status;
}

/* ---- text ---- */

void period_append_i64(Buffer *text, int64_t value)
{
    if (value == INT64_MIN)
        buffer_append_string(text, "NULL,");
    else
        buffer_printf(text, "%" PRId64 ",", value);
}

void period_append_real(Buffer *text, double value, int digits)
{
    if (isnan(value))
        buffer_append_string(text, "NULL,");
    else
        buffer_printf(text, "%.*g,", digits, value == 0 ? 0.0 : value);
}

void period_append_text(Buffer *text, const char *value)
{
    buffer_printf(text, "%s,", value);
}

static void append_value(const Column *column, int64_t row, int digits, Buffer *text)
{
    if (column->type == COLUMN_TEXT) {
        buffer_append_bytes(text, column_text(column, row));
        buffer_append_string(text, ",");
    } else if (column->type == COLUMN_F64) {
        period_append_real(text, ((const double *)column->data)[row], digits);
    } else if (column->type == COLUMN_I64) {
        period_append_i64(text, ((const int64_t *)column->data)[row]);
    } else {
        int32_t value = ((const int32_t *)column->data)[row];
        period_append_i64(text, value == DAY_NONE ? INT64_MIN : value);
    }
}

Status period_print(Comm *comm, const Table *rows, int digits, Buffer *text, Error *error)
{
    Buffer own = {0};
    char *all = NULL;
    int64_t bytes = 0;
    for (int64_t row = 0; row < rows->rows; row++) {
        for (int c = 0; c < rows->n_columns; c++)
            append_value(&rows->columns[c], row, digits, &own);
        buffer_append_string(&own, "\n");
    }
    Status status = comm_gather_all(comm, own.data, own.size, &all, &bytes, NULL, error);
    buffer_clear(text);
    if (status == STATUS_OK)
        buffer_append(text, all, bytes);
    buffer_free(&own);
    mem_free(&all);
    return status;
}

bool period_texts_agree(const char *what, const Buffer *got, const Buffer *expected)
{
    const char *a = buffer_string(got), *b = buffer_string(expected);
    int64_t line = 0, at = 0;
    if (strcmp(a, b) == 0)
        return true;
    for (; a[at] == b[at]; at++)
        line = a[at] == '\n' ? at + 1 : line;
    (void)fprintf(stderr, "%s: got '%.*s', expected '%.*s'\n", what, (int)strcspn(a + line, "\n"),
                  a + line, (int)strcspn(b + line, "\n"), b + line);
    return false;
}
