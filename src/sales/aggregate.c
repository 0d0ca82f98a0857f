/* The accumulators of one group-by; see aggregate.h.
 *
 * Items (lines, or runs of them where products do not matter) go by in blocks: which count (the
 * filter), their group's key (key_tables.h), what each adds; then that is put to its group. Where
 * few keys are possible groups are cells of an array, else rows that are combined by and by
 * (group_rows.h). */
#include "sales/aggregate.h"

#include "base/fault.h"
#include "base/memory.h"
#include "sales/aggregate_internal.h"
#include "sales/group_rows.h"
#include "sales/group_tuples.h"
#include "sales/key_tables.h"

#include <stdlib.h>
#include <string.h>

enum { PREFETCH_AHEAD = 64, PREFETCH_BYTES = 1 << 18 };

int64_t aggregate_dense_bytes_max = (int64_t)96 << 20;

uint32_t aggregate_needs(const AggregateSpec *spec)
{
    SumSet set = sum_set_of(spec);
    uint32_t needs = key_tables_needs(spec) | sum_set_needs(&set);
    return spec->where ? needs | where_needs(spec->where) : needs;
}

bool aggregate_takes_runs(const AggregateSpec *spec)
{
    for (int m = 0; m < spec->n_measures; m++) {
        if (spec->measures[m] == MEASURE_MARGIN)
            return false;
    }
    return line_runs_serve(key_tables_needs(spec) | (spec->where ? where_needs(spec->where) : 0));
}

/* ---- making and freeing ---- */

static Status make_cells(Aggregate *aggregate, Error *error)
{
    Status status = STATUS_OK;
    const SumSet *set = &aggregate->set;
    int64_t space = (int64_t)aggregate->layout.space, n = space * set->n_added;
    TRY(mem_resize(&aggregate->cells, n, sizeof *aggregate->cells, "groups", error));
    memset(aggregate->cells, 0, (size_t)n * sizeof *aggregate->cells);
    if (set->orders || set->customers) {
        TRY(mem_resize(&aggregate->stamps, space, sizeof *aggregate->stamps, "groups", error));
        memset(aggregate->stamps, 0, (size_t)space * sizeof *aggregate->stamps);
    }
    if (set->has_days) {
        TRY(mem_resize(&aggregate->first_day, space, sizeof(int64_t), "groups", error));
        TRY(mem_resize(&aggregate->last_day, space, sizeof(int64_t), "groups", error));
        for (int64_t i = 0; i < space; i++) {
            aggregate->first_day[i] = INT64_MAX;
            aggregate->last_day[i] = INT64_MIN;
        }
    }
out:
    return status;
}

Status aggregate_new(const AggregateSpec *spec, const Shop *shop, Aggregate **aggregate,
                     Error *error)
{
    Status status = STATUS_OK;
    Aggregate *made = mem_new(1, sizeof *made);
    *aggregate = made;
    made->spec = spec;
    made->shop = shop;
    made->set = sum_set_of(spec);
    made->columns = mem_new((int64_t)AGGREGATE_BLOCK * made->set.n_added, sizeof *made->columns);
    made->takes_runs = aggregate_takes_runs(spec);
    made->has_margin = sum_set_word(&made->set, SUM_MARGIN) >= 0;
    TRY(key_layout_make(spec, shop, &made->layout, error));
    TRY(key_tables_make(spec, shop, &made->layout, &made->tables, error));
    if (spec->where)
        TRY(line_filter_new(spec->where, shop, &made->filter, error));
    int64_t cell_bytes = (made->set.n_added + 3) * (int64_t)sizeof(int64_t);
    made->is_dense = made->layout.space <= (uint64_t)(aggregate_dense_bytes_max / cell_bytes);
    made->rows = (GroupRows){
        .n_added = made->set.n_added, .has_days = made->set.has_days, .space = made->layout.space};
    made->keeps_tuples = !made->is_dense && !made->takes_runs;
    made->tuples_bytes_most = group_tuple_limits.set_aside_bytes;
    group_tuples_init(&made->tuples, &made->set, shop, made->layout.space);
    if (made->is_dense)
        TRY(make_cells(made, error));
out:
    return status;
}

void aggregate_free(Aggregate **aggregate)
{
    Aggregate *freed = *aggregate;
    if (!freed)
        return;
    key_tables_free(&freed->tables);
    line_filter_free(&freed->filter);
    mem_free(&freed->cells);
    mem_free(&freed->stamps);
    mem_free(&freed->first_day);
    mem_free(&freed->last_day);
    group_rows_free(&freed->rows);
    group_tuples_free(&freed->tuples);
    mem_free(&freed->seen);
    keyed_values_free(&freed->values);
    mem_free(&freed->columns);
    mem_free(aggregate);
}

/* ---- one block ---- */

/* Keys and places of the items that count. */
static void select_items(Aggregate *aggregate, const OrderLines *columns)
{
    uint64_t *keys = aggregate->keys;
    int64_t n = columns->n, kept = 0;
    key_tables_look_up(&aggregate->tables, columns, 0, n, keys);
    aggregate->n = n;
    if (!aggregate->filter && !aggregate->tables.has_none) {
        for (int64_t i = 0; i < n; i++)
            aggregate->at[i] = (int32_t)i;
        return;
    }
    if (aggregate->filter)
        line_filter_mark(aggregate->filter, columns, 0, n, aggregate->keep);
    else
        memset(aggregate->keep, 1, (size_t)n);
    for (int64_t i = 0; i < n; i++) {
        uint64_t key = keys[i];
        keys[kept] = key;
        aggregate->at[kept] = (int32_t)i;
        kept += aggregate->keep[i] && key != KEY_NONE;
    }
    aggregate->n = kept;
}

static bool needs_kept(const SumSet *set)
{
    return set->orders || set->customers || set->has_days || set->order_values;
}

/* Bits of what it takes from a block (line_block.h). */
static uint32_t sums_taken(const Aggregate *aggregate)
{
    const SumSet *set = &aggregate->set;
    uint32_t taken = needs_kept(set) ? ITEMS_KEPT : 0;
    for (int w = 0; w < set->n_added && !aggregate->keeps_tuples; w++) {
        if (set->added[w] != SUM_ORDERS && set->added[w] != SUM_CUSTOMERS)
            taken |= 1U << set->added[w];
    }
    return set->order_values ? taken | 1U << SUM_KEPT_VALUE : taken;
}

/* What the block's items add, beside orders and customers. */
static void find_sums(Aggregate *aggregate, const LineItems *items)
{
    const SumSet *set = &aggregate->set;
    const int32_t *at = aggregate->at;
    int64_t n = aggregate->n;
    bool is_whole = n == items->columns.n;
    for (int w = 0; w < set->n_added; w++) {
        GroupSum sum = set->added[w];
        int64_t *column = aggregate->columns + (int64_t)w * AGGREGATE_BLOCK;
        aggregate->added[w] = column;
        if (sum == SUM_ORDERS || sum == SUM_CUSTOMERS || aggregate->keeps_tuples)
            continue;
        if (is_whole)
            aggregate->added[w] = items->sums[sum];
        else
            for (int64_t i = 0; i < n; i++)
                column[i] = items->sums[sum][at[i]];
    }
    aggregate->kept = is_whole ? items->kept : aggregate->gathered;
    for (int64_t i = 0; needs_kept(set) && !is_whole && i < n; i++)
        aggregate->gathered[i] = items->kept[at[i]];
}

/* No branch depends on the keys: where neighbours share one, guessing so wrong costs more than it
 * saves. `n_added` is constant where it is called. */
static inline void add_to_cells(int64_t *restrict cells, const uint64_t *restrict keys,
                                const int64_t *const *added, int64_t n, int n_added,
                                bool prefetches)
{
    for (int64_t i = 0; i < n; i++) {
        if (prefetches && i + PREFETCH_AHEAD < n)
            __builtin_prefetch(cells + keys[i + PREFETCH_AHEAD] * (uint64_t)n_added, 1);
        int64_t *cell = cells + keys[i] * (uint64_t)n_added;
        for (int w = 0; w < n_added; w++)
            cell[w] += added[w][i];
    }
}

static void add_block_to_cells(Aggregate *aggregate)
{
    const SumSet *set = &aggregate->set;
    int64_t bytes = (int64_t)aggregate->layout.space * set->n_added * (int64_t)sizeof(int64_t);
    bool prefetches = bytes > PREFETCH_BYTES;
#define WIDTH(w)                                                                                   \
    case w:                                                                                        \
        add_to_cells(aggregate->cells, aggregate->keys, aggregate->added, aggregate->n, w,         \
                     prefetches);                                                                  \
        break
    switch (set->n_added) {
        WIDTH(1);
        WIDTH(2);
        WIDTH(3);
        WIDTH(4);
        WIDTH(5);
        WIDTH(6);
        WIDTH(7);
        WIDTH(8);
    default:
        add_to_cells(aggregate->cells, aggregate->keys, aggregate->added, aggregate->n,
                     set->n_added, prefetches);
    }
#undef WIDTH
}

/* ---- orders and customers, each once in a group ---- */

/* Stamps of a key in the partition at hand. */
static Stamps *find_seen(Aggregate *aggregate, uint64_t key)
{
    uint64_t mask = (uint64_t)aggregate->n_seen - 1;
    uint64_t at = (key * UINT64_C(0x9E3779B97F4A7C15) >> 20) & mask; /* Fibonacci hashing, Knuth */
    SeenGroup *seen = &aggregate->seen[at];
    while (seen->partition == aggregate->partitions && seen->key != key) {
        at = (at + 1) & mask;
        seen = &aggregate->seen[at];
    }
    if (seen->partition != aggregate->partitions)
        *seen = (SeenGroup){.key = key, .partition = aggregate->partitions};
    return &seen->stamps;
}

/* Numbers of orders, or customers, as stamps; -1 (anonymous) has none. */
static inline int64_t count_first(bool is_kept, int32_t code, uint32_t base, uint32_t *last)
{
    uint32_t stamp = base + (uint32_t)code + 1;
    bool counts = is_kept & (code >= 0), is_first = *last != stamp;
    *last = counts ? stamp : *last;
    return counts & is_first;
}

/* Count 1 where an item is the first of its order, of its customer, in its group. */
static inline void count_firsts(Aggregate *aggregate, const OrderLines *columns, bool is_dense,
                                bool with_orders, bool with_customers)
{
    const SumSet *set = &aggregate->set;
    int64_t *orders = aggregate->columns + (int64_t)sum_set_word(set, SUM_ORDERS) * AGGREGATE_BLOCK;
    int64_t *customers =
        aggregate->columns + (int64_t)sum_set_word(set, SUM_CUSTOMERS) * AGGREGATE_BLOCK;
    uint32_t order_base = aggregate->order_base, customer_base = aggregate->customer_base;
    for (int64_t i = 0; i < aggregate->n; i++) {
        int64_t at = aggregate->at[i];
        uint64_t key = aggregate->keys[i];
        bool is_kept = aggregate->kept[i];
        Stamps *stamps = is_dense ? &aggregate->stamps[key] : find_seen(aggregate, key);
        if (with_orders)
            orders[i] = count_first(is_kept, columns->order[at], order_base, &stamps->order);
        if (with_customers)
            customers[i] =
                count_first(is_kept, columns->customer[at], customer_base, &stamps->customer);
    }
}

static void count_orders_and_customers(Aggregate *aggregate, const OrderLines *columns)
{
    bool orders = aggregate->set.orders, customers = aggregate->set.customers;
    if (!aggregate->is_dense)
        count_firsts(aggregate, columns, false, orders, customers);
    else if (orders && customers)
        count_firsts(aggregate, columns, true, true, true);
    else
        count_firsts(aggregate, columns, true, orders, customers);
}

static void add_days(Aggregate *aggregate, const OrderLines *columns)
{
    for (int64_t i = 0; i < aggregate->n; i++) {
        if (!aggregate->kept[i])
            continue;
        int64_t day = columns->day[aggregate->at[i]];
        int64_t *first = &aggregate->first_day[aggregate->keys[i]];
        int64_t *last = &aggregate->last_day[aggregate->keys[i]];
        *first = day < *first ? day : *first;
        *last = day > *last ? day : *last;
    }
}

/* ---- order values ---- */

static int compare_pairs(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Entries [begin, n) are of one order: make each key one. */
static Status close_order(KeyedValues *values, int64_t begin, Error *error)
{
    Status status = STATUS_OK;
    int64_t n = values->n - begin;
    struct {
        uint64_t key;
        int64_t value;
    } *pairs = NULL;
    uint64_t *keys = values->keys + begin;
    int64_t *sums = values->values + begin;
    bool is_single = true;
    for (int64_t i = 1; i < n && is_single; i++)
        is_single = keys[i] == keys[0];
    if (is_single) {
        for (int64_t i = 1; i < n; i++)
            sums[0] += sums[i];
        values->n = begin + (n > 0);
        return STATUS_OK;
    }
    TRY(mem_resize(&pairs, n, sizeof *pairs, "groups of an order", error));
    for (int64_t i = 0; i < n; i++) {
        pairs[i].key = keys[i];
        pairs[i].value = sums[i];
    }
    qsort(pairs, (size_t)n, sizeof *pairs, compare_pairs);
    int64_t last = 0;
    for (int64_t i = 0; i < n; i++) {
        if (i > 0 && pairs[i].key == keys[last]) {
            sums[last] += pairs[i].value;
            continue;
        }
        last = i == 0 ? 0 : last + 1;
        keys[last] = pairs[i].key;
        sums[last] = pairs[i].value;
    }
    values->n = begin + last + 1;
out:
    mem_free(&pairs);
    return status;
}

static Status add_order_values(Aggregate *aggregate, const LineItems *items, Error *error)
{
    Status status = STATUS_OK;
    KeyedValues *values = &aggregate->values;
    for (int64_t i = 0; i < aggregate->n; i++) {
        int64_t at = aggregate->at[i];
        if (!aggregate->kept[i])
            continue;
        int64_t value = items->sums[SUM_KEPT_VALUE][at];
        if (items->columns.order[at] != aggregate->open_order) {
            TRY(close_order(values, aggregate->open_values, error));
            aggregate->open_order = items->columns.order[at];
            aggregate->open_values = values->n;
        } else if (values->keys[values->n - 1] == aggregate->keys[i]) {
            values->values[values->n - 1] += value;
            continue;
        }
        values->keys[values->n] = aggregate->keys[i];
        values->values[values->n++] = value;
    }
out:
    return status;
}

/* ---- one partition ---- */

/* Stamps of partitions must differ; after 2^32 orders or customers they begin again, and none that
 * is left could be taken for a new one. */
static void advance_stamps(Aggregate *aggregate, uint32_t *base, uint32_t n)
{
    if (n < UINT32_MAX - *base)
        return;
    *base = 0;
    aggregate->order_base = aggregate->customer_base = 0;
    if (aggregate->stamps)
        memset(aggregate->stamps, 0, (size_t)aggregate->layout.space * sizeof *aggregate->stamps);
}

static Status make_seen(Aggregate *aggregate, int64_t n, Error *error)
{
    int64_t wanted = 64;
    while (wanted < 2 * n)
        wanted *= 2;
    if (wanted <= aggregate->n_seen)
        return STATUS_OK;
    Status status = mem_resize(&aggregate->seen, wanted, sizeof *aggregate->seen, "groups", error);
    if (status == STATUS_OK) {
        memset(aggregate->seen, 0, (size_t)wanted * sizeof *aggregate->seen);
        aggregate->n_seen = wanted;
    }
    return status;
}

/* Greatest code + 1 of the partition: codes of orders and customers ascend, -1 at the end. */
static uint32_t count_codes(const int32_t *codes, int64_t n)
{
    while (n > 0 && codes[n - 1] < 0)
        n--;
    return n == 0 ? 0 : (uint32_t)codes[n - 1] + 1;
}

static Status begin_partition(Aggregate *aggregate, const OrderLines *lines, Error *error)
{
    Status status = STATUS_OK;
    const SumSet *set = &aggregate->set;
    aggregate->partitions++;
    if (aggregate->has_margin)
        TRY(line_margins_check(lines, aggregate->shop, error));
    if (set->orders)
        aggregate->n_orders = count_codes(lines->order, lines->n);
    if (set->customers)
        aggregate->n_customers = count_codes(lines->customer, lines->n);
    advance_stamps(aggregate, &aggregate->order_base, aggregate->n_orders);
    advance_stamps(aggregate, &aggregate->customer_base, aggregate->n_customers);
    if (!aggregate->is_dense && (set->orders || set->customers))
        TRY(make_seen(aggregate, lines->n, error));
    if (set->order_values)
        TRY(keyed_values_reserve(&aggregate->values, lines->n, error));
    aggregate->open_order = -1;
    aggregate->open_values = aggregate->values.n;
out:
    return status;
}

static Status end_partition(Aggregate *aggregate, Error *error)
{
    Status status = STATUS_OK;
    aggregate->order_base += aggregate->n_orders;
    aggregate->customer_base += aggregate->n_customers;
    if (aggregate->set.order_values)
        TRY(close_order(&aggregate->values, aggregate->open_values, error));
    TRY(aggregate_limit_tuples(aggregate, error));
    TRY(group_rows_compact(&aggregate->rows, error));
out:
    return status;
}

static Status add_block(Aggregate *aggregate, const LineItems *items, Error *error)
{
    Status status = STATUS_OK;
    const SumSet *set = &aggregate->set;
    const OrderLines *columns = &items->columns;
    select_items(aggregate, columns);
    find_sums(aggregate, items);
    if (set->orders || set->customers)
        count_orders_and_customers(aggregate, columns);
    if (aggregate->is_dense)
        add_block_to_cells(aggregate);
    else
        TRY(aggregate_set_aside(aggregate, columns, 0, aggregate->n == columns->n, error));
    if (aggregate->is_dense && set->has_days)
        add_days(aggregate, columns);
    if (set->order_values)
        TRY(add_order_values(aggregate, items, error));
out:
    return status;
}

LineBlock *aggregates_block(Aggregate *const *aggregates, int n)
{
    uint32_t line_sums = 0, run_sums = 0;
    for (int a = 0; a < n; a++) {
        if (aggregates[a]->takes_runs)
            run_sums |= sums_taken(aggregates[a]);
        else
            line_sums |= sums_taken(aggregates[a]);
    }
    return line_block_new(n > 0 ? aggregates[0]->shop : NULL, line_sums, run_sums);
}

Status aggregates_add(Aggregate *const *aggregates, int n, LineBlock *block,
                      const OrderLines *lines, Error *error)
{
    Status status = STATUS_OK;
    for (int a = 0; a < n; a++)
        TRY(begin_partition(aggregates[a], lines, error));
    for (int64_t begin = 0; n > 0 && begin < lines->n; begin += block->lines.columns.n) {
        line_block_make(block, lines, begin);
        for (int a = 0; a < n; a++)
            TRY(add_block(aggregates[a], aggregates[a]->takes_runs ? &block->runs : &block->lines,
                          error));
    }
    for (int a = 0; a < n; a++)
        TRY(end_partition(aggregates[a], error));
out:
    return status;
}

/* ---- together ---- */

static void merge_cells(Aggregate *into, const Aggregate *from)
{
    int64_t space = (int64_t)into->layout.space, n = space * into->set.n_added;
    for (int64_t i = 0; i < n; i++)
        into->cells[i] += from->cells[i];
    for (int64_t i = 0; into->set.has_days && i < space; i++) {
        if (from->first_day[i] < into->first_day[i])
            into->first_day[i] = from->first_day[i];
        if (from->last_day[i] > into->last_day[i])
            into->last_day[i] = from->last_day[i];
    }
}

Status aggregate_merge(Aggregate *into, Aggregate **from, Error *error)
{
    Status status = STATUS_OK;
    KeyedValues *values = &(*from)->values;
    if (into->is_dense)
        merge_cells(into, *from);
    group_tuples_take(&into->tuples, &(*from)->tuples);
    TRY(group_rows_take(&into->rows, &(*from)->rows, error));
    TRY(keyed_values_reserve(&into->values, values->n, error));
    if (values->n > 0) {
        memcpy(into->values.keys + into->values.n, values->keys,
               (size_t)values->n * sizeof *values->keys);
        memcpy(into->values.values + into->values.n, values->values,
               (size_t)values->n * sizeof *values->values);
        into->values.n += values->n;
    }
    aggregate_free(from);
out:
    return status;
}

Status aggregate_combine(Comm *comm, Aggregate **aggregate, Groups *groups, Error *error)
{
    Status status = STATUS_OK;
    Aggregate *own = *aggregate;
    AggregateCells cells = {.set = &own->set,
                            .space = (int64_t)own->layout.space,
                            .cells = own->cells,
                            .first_day = own->first_day,
                            .last_day = own->last_day};
    *groups = (Groups){.layout = own->layout, .order_values = own->values};
    own->values = (KeyedValues){0};
    TRY_ALL(comm, fault_point("sales.combine", error), error);
    if (own->is_dense)
        TRY(aggregate_combine_cells(comm, &cells, groups, error));
    else
        TRY(aggregate_combine_sparse(comm, own, groups, error));
out:
    aggregate_free(aggregate);
    return status;
}
