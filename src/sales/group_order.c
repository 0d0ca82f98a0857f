/* Order and limit; see group_order.h.
 *
 * A row's place is decided by columns of whole numbers: measures as they are, reals and dimensions
 * as codes that ascend in the order wanted; last the key, so that no two rows are equal. With a
 * limit each rank first keeps the rows that could stay, in a time that grows with the rows alone;
 * only those are sorted over the ranks. */
#include "sales/group_order.h"

#include "base/memory.h"
#include "sales/keyed_values.h"

#include <stdio.h>
#include <string.h>

#define PER_KEY "per key"
#define ORDER_CODE "order code %d"

/* Per key, order, group key. */
enum { ORDER_KEYS_MAX = AGGREGATE_BY_MAX + MEASURE_COUNT + 2 };

typedef struct OrderPlan {
    int n_keys;
    SortKey keys[ORDER_KEYS_MAX];
    char names[ORDER_KEYS_MAX][COLUMN_NAME_SIZE]; /* that `keys` point to */
    bool is_key_order; /* the rows are in this order already, by their key */
    bool has_per;
} OrderPlan;

/* ---- codes ---- */

/* codes := codes * radix + value of a dimension, or what is left to the greatest one. */
static void append_dimension(const KeyPart *part, bool descending, const int64_t *keys, int64_t n,
                             int64_t *codes)
{
    int64_t radix = (int64_t)part->radix;
    for (int64_t i = 0; i < n; i++) {
        int64_t value = (int64_t)((uint64_t)keys[i] / part->stride % part->radix);
        codes[i] = codes[i] * radix + (descending ? radix - 1 - value : value);
    }
}

/* Reals as whole numbers in the same order: -0 equals 0, NaN is last either way. */
static int64_t code_of_real(double value, bool descending)
{
    int64_t bits;
    if (value != value)
        return INT64_MAX;
    value += 0.0;
    memcpy(&bits, &value, sizeof bits);
    int64_t code = bits < 0 ? bits ^ INT64_MAX : bits;
    return descending ? ~code : code;
}

static void name_order_key(OrderPlan *plan, const char *column, bool descending)
{
    vesper_assert(plan->n_keys < ORDER_KEYS_MAX && strlen(column) < COLUMN_NAME_SIZE);
    char *name = plan->names[plan->n_keys];
    memcpy(name, column, strlen(column) + 1);
    plan->keys[plan->n_keys++] = (SortKey){name, descending};
}

/* A column of codes, zero so far, as the next key. */
static Status add_codes(OrderPlan *plan, Table *numbers, const char *name, int64_t **codes,
                        Error *error)
{
    Status status = STATUS_OK;
    TRY(table_add_column(numbers, (ColumnSpec){name, COLUMN_I64, UNIT_NONE}, error));
    *codes = table_column(numbers, name)->data;
    if (numbers->rows > 0)
        memset(*codes, 0, (size_t)numbers->rows * sizeof **codes);
    name_order_key(plan, name, false);
out:
    return status;
}

static Status add_per(OrderPlan *plan, const AggregateSpec *spec, const KeyLayout *layout,
                      Table *numbers, Error *error)
{
    Status status = STATUS_OK;
    const int64_t *keys = table_column(numbers, GROUP_KEY)->data;
    int64_t *codes;
    bool seen[AGGREGATE_BY_MAX] = {false};
    TRY(add_codes(plan, numbers, PER_KEY, &codes, error));
    for (int i = 0; i < spec->n_per; i++) {
        int dimension = spec->per[i];
        if (!seen[dimension])
            append_dimension(&layout->parts[dimension], false, keys, numbers->rows, codes);
        seen[dimension] = true;
    }
out:
    return status;
}

static Status add_measure(OrderPlan *plan, const AggregateOrder *order, Table *numbers,
                          Error *error)
{
    Status status = STATUS_OK;
    Column *column = &numbers->columns[1 + order->index];
    char name[COLUMN_NAME_SIZE];
    int64_t *codes;
    if (column->type != COLUMN_F64) {
        name_order_key(plan, column->name, order->descending);
        return STATUS_OK;
    }
    (void)snprintf(name, sizeof name, ORDER_CODE, plan->n_keys);
    TRY(add_codes(plan, numbers, name, &codes, error));
    for (int64_t i = 0; i < numbers->rows; i++)
        codes[i] = code_of_real(((const double *)column->data)[i], order->descending);
out:
    return status;
}

/* The spec's order from term *at on, as far as there are dimensions, as one key. */
static Status add_dimensions(OrderPlan *plan, const AggregateSpec *spec, const KeyLayout *layout,
                             int *at, bool *seen, Table *numbers, Error *error)
{
    Status status = STATUS_OK;
    const int64_t *keys = table_column(numbers, GROUP_KEY)->data;
    char name[COLUMN_NAME_SIZE];
    int64_t *codes;
    (void)snprintf(name, sizeof name, ORDER_CODE, plan->n_keys);
    TRY(add_codes(plan, numbers, name, &codes, error));
    for (; *at < spec->n_order && !spec->order[*at].is_measure; (*at)++) {
        const AggregateOrder *order = &spec->order[*at];
        if (!seen[order->index])
            append_dimension(&layout->parts[order->index], order->descending, keys, numbers->rows,
                             codes);
        seen[order->index] = true;
    }
out:
    return status;
}

/* ---- plan ---- */

/* True if the next dimension of the key's order, or one that is settled, comes next. */
static bool follows_key(int dimension, int *next)
{
    if (dimension == *next)
        (*next)++;
    return dimension < *next;
}

static bool is_key_order(const AggregateSpec *spec, bool has_per)
{
    int next = 0;
    for (int i = 0; has_per && i < spec->n_per; i++) {
        if (!follows_key(spec->per[i], &next))
            return false;
    }
    for (int i = 0; i < spec->n_order && next < spec->n_by; i++) {
        const AggregateOrder *order = &spec->order[i];
        bool is_settled = !order->is_measure && order->index < next;
        if (is_settled)
            continue;
        if (order->is_measure || order->descending || !follows_key(order->index, &next))
            return false;
    }
    return true;
}

static Status make_plan(OrderPlan *plan, const AggregateSpec *spec, const KeyLayout *layout,
                        Table *numbers, Error *error)
{
    Status status = STATUS_OK;
    bool seen[AGGREGATE_BY_MAX] = {false}, measure_seen[MEASURE_COUNT] = {false};
    plan->has_per = spec->limit > 0 && spec->n_per > 0;
    plan->is_key_order = is_key_order(spec, plan->has_per);
    if (plan->has_per)
        TRY(add_per(plan, spec, layout, numbers, error));
    for (int i = 0; !plan->is_key_order && i < spec->n_order;) {
        const AggregateOrder *order = &spec->order[i];
        if (!order->is_measure) {
            TRY(add_dimensions(plan, spec, layout, &i, seen, numbers, error));
            continue;
        }
        if (!measure_seen[order->index])
            TRY(add_measure(plan, order, numbers, error));
        measure_seen[order->index] = true;
        i++;
    }
    name_order_key(plan, GROUP_KEY, false);
out:
    return status;
}

/* ---- the best rows of a rank ---- */

/* Rows, compared by keys that are found once. */
typedef struct RowOrder {
    int n;
    const Column *columns[ORDER_KEYS_MAX];
    bool descending[ORDER_KEYS_MAX];
} RowOrder;

static void row_order_init(RowOrder *order, const OrderPlan *plan, const Table *numbers)
{
    order->n = plan->n_keys;
    for (int k = 0; k < plan->n_keys; k++) {
        order->columns[k] = table_column_const(numbers, plan->keys[k].column);
        order->descending[k] = plan->keys[k].descending;
    }
}

static int64_t row_value(const Column *column, int64_t row)
{
    return column->type == COLUMN_I32 ? ((const int32_t *)column->data)[row]
                                      : ((const int64_t *)column->data)[row];
}

static bool row_before(const RowOrder *order, int64_t a, int64_t b)
{
    for (int k = 0; k < order->n; k++) {
        int64_t x = row_value(order->columns[k], a), y = row_value(order->columns[k], b);
        if (x != y)
            return order->descending[k] ? x > y : x < y;
    }
    return false;
}

static void swap_rows(int64_t *rows, int64_t a, int64_t b)
{
    int64_t row = rows[a];
    rows[a] = rows[b];
    rows[b] = row;
}

/* Bring the first `n_best` of rows [n] to the front, in no order: Hoare's selection (1961, CACM
 * algorithm 65). Drawn pivots make it O(n) whatever the rows; the drawing shows in no result, as no
 * two rows are equal. */
static void select_best(const RowOrder *order, int64_t *rows, int64_t n, int64_t n_best)
{
    uint64_t state = (uint64_t)n;
    int64_t low = 0, high = n;
    while (low < n_best && n_best < high) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        swap_rows(rows, low, low + (int64_t)((state >> 33) % (uint64_t)(high - low)));
        int64_t pivot = rows[low], place = low;
        for (int64_t i = low + 1; i < high; i++) {
            if (row_before(order, rows[i], pivot))
                swap_rows(rows, i, ++place);
        }
        swap_rows(rows, low, place);
        if (place < n_best)
            low = place + 1;
        else
            high = place;
    }
}

static int64_t last_of(const RowOrder *order, const int64_t *rows, int64_t n)
{
    int64_t last = rows[0];
    for (int64_t i = 1; i < n; i++)
        last = row_before(order, last, rows[i]) ? rows[i] : last;
    return last;
}

/* best := the best `limit` rows of rows [n] (NULL: 0, 1, ...); returns how many they are. `best`
 * has room for min(n, 2 limit), and may be where `rows` begin or before. Most rows are seen once:
 * they are behind the `limit`-th of those before. */
static int64_t keep_best(const RowOrder *order, const int64_t *rows, int64_t n, int64_t limit,
                         int64_t *best)
{
    int64_t n_best = 0, border = -1;
    vesper_assert(best != NULL);
    for (int64_t i = 0; i < n; i++) {
        int64_t row = rows ? rows[i] : i;
        if (border >= 0 && !row_before(order, row, border))
            continue;
        best[n_best++] = row;
        if (n_best - limit < limit)
            continue;
        select_best(order, best, n_best, limit);
        n_best = limit;
        border = last_of(order, best, limit);
    }
    if (n_best <= limit)
        return n_best;
    select_best(order, best, n_best, limit);
    return limit;
}

/* rows := the best `limit` rows of each per group; returns how many they are. */
static Status keep_best_per(const RowOrder *order, const Table *numbers, int64_t limit,
                            int64_t *rows, int64_t *n_kept, Error *error)
{
    Status status = STATUS_OK;
    const uint64_t *per = table_column_const(numbers, PER_KEY)->data; /* codes, >= 0 */
    int64_t n = numbers->rows;
    TRY(sort_order_u64(per, n, rows, error));
    for (int64_t begin = 0, end; begin < n; begin = end) {
        end = begin + 1;
        while (end < n && per[rows[end]] == per[rows[begin]])
            end++;
        *n_kept += keep_best(order, rows + begin, end - begin, limit, rows + *n_kept);
    }
out:
    return status;
}

/* Drop the rows that could not stay even if this rank had all rows. */
static Status keep_candidates(const OrderPlan *plan, int64_t limit, Table *numbers, Error *error)
{
    Status status = STATUS_OK;
    RowOrder order;
    int64_t *kept = NULL, n = numbers->rows, n_kept = 0;
    int64_t room = plan->has_per || limit > n / 2 ? n : 2 * limit;
    row_order_init(&order, plan, numbers);
    TRY(mem_resize(&kept, room, sizeof *kept, "best rows", error));
    if (plan->has_per)
        TRY(keep_best_per(&order, numbers, limit, kept, &n_kept, error));
    else
        n_kept = keep_best(&order, NULL, n, limit, kept);
    if (n_kept < n)
        TRY(table_gather(numbers, kept, n_kept, error));
out:
    mem_free(&kept);
    return status;
}

/* ---- the final cut ---- */

/* Rows stand in their final order; `before` rows of lower ranks have this rank's first per key, or
 * without per groups, stand before all of this rank's. */
static Status cut_rows(const OrderPlan *plan, int64_t limit, int64_t before, Table *numbers,
                       Error *error)
{
    Status status = STATUS_OK;
    const int64_t *per = plan->has_per ? table_column(numbers, PER_KEY)->data : NULL;
    int64_t *kept = NULL, n = numbers->rows, n_kept = 0, place = before;
    TRY(mem_resize(&kept, n, sizeof *kept, "rows within the limit", error));
    for (int64_t i = 0; i < n; i++) {
        if (per && i > 0 && per[i] != per[i - 1])
            place = 0;
        if (place++ < limit)
            kept[n_kept++] = i;
    }
    if (n_kept < n)
        TRY(table_gather(numbers, kept, n_kept, error));
out:
    mem_free(&kept);
    return status;
}

/* Collective. */
static Status apply_limit(Comm *comm, const OrderPlan *plan, int64_t limit, Table *numbers,
                          Error *error)
{
    Status status = STATUS_OK;
    int64_t before = comm_prefix_i64(comm, numbers->rows);
    if (plan->has_per) {
        KeyEdges edges;
        TRY(key_edges(comm, table_column(numbers, PER_KEY)->data, numbers->rows, &edges, error));
        before = edges.before;
    }
    TRY_ALL(comm, cut_rows(plan, limit, before, numbers, error), error);
out:
    return status;
}

Status group_order(Comm *comm, const AggregateSpec *spec, const KeyLayout *layout, Table *numbers,
                   Error *error)
{
    Status status = STATUS_OK;
    OrderPlan plan = {0};
    TRY_ALL(comm, make_plan(&plan, spec, layout, numbers, error), error);
    if (!plan.is_key_order) {
        if (spec->limit > 0)
            TRY_ALL(comm, keep_candidates(&plan, spec->limit, numbers, error), error);
        TRY(comm_sort_table(comm, numbers, plan.keys, plan.n_keys, error));
    }
    if (spec->limit > 0)
        TRY(apply_limit(comm, &plan, spec->limit, numbers, error));
out:
    return status;
}
