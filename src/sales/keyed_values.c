/* Values with keys: room for them, and their order; see quantiles.h. */
#include "sales/keyed_values.h"

#include "base/memory.h"

enum { WORD_BITS = 63 }; /* of a packed pair: what stays positive as int64 */

void keyed_values_free(KeyedValues *values)
{
    mem_free(&values->keys);
    mem_free(&values->values);
    *values = (KeyedValues){0};
}

Status keyed_values_reserve(KeyedValues *values, int64_t more, Error *error)
{
    Status status = STATUS_OK;
    int64_t needed = values->n + more;
    if (needed <= values->capacity)
        return STATUS_OK;
    int64_t capacity = needed + needed / 8; /* a mapped block grows without being copied */
    TRY(mem_resize(&values->keys, capacity, sizeof *values->keys, "order values", error));
    TRY(mem_resize(&values->values, capacity, sizeof *values->values, "order values", error));
    values->capacity = capacity;
out:
    return status;
}

void keyed_values_to_table(KeyedValues *values, Table *table)
{
    static const ColumnSpec columns[] = {
        {KEYED_KEY, COLUMN_I64, UNIT_NONE},
        {KEYED_VALUE, COLUMN_I64, UNIT_NONE},
    };
    table_init(table, columns, sizeof columns / sizeof *columns);
    table->columns[0].data = values->keys;
    table->columns[1].data = values->values;
    table->rows = values->n;
    table->capacity = values->capacity;
    *values = (KeyedValues){0};
}

/* ---- order ---- */

typedef struct Range {
    int64_t min;
    int64_t max;
} Range;

static Range range_of(const int64_t *values, int64_t n)
{
    Range range = {INT64_MAX, INT64_MIN};
    for (int64_t i = 0; i < n; i++) {
        range.min = values[i] < range.min ? values[i] : range.min;
        range.max = values[i] > range.max ? values[i] : range.max;
    }
    return range;
}

static int bits_of(Range range)
{
    uint64_t width = (uint64_t)range.max - (uint64_t)range.min;
    return width == 0 ? 0 : 64 - __builtin_clzll(width);
}

/* Key and value side by side in one word sort faster than rows do: nothing else has to move. */
static Status sort_packed(int64_t *keys, int64_t *values, int64_t n, Range key, Range value,
                          Error *error)
{
    Status status = STATUS_OK;
    int shift = bits_of(value);
    uint64_t mask = ((uint64_t)1 << shift) - 1;
    for (int64_t i = 0; i < n; i++) {
        uint64_t high = (uint64_t)(keys[i] - key.min) << shift;
        values[i] = (int64_t)(high | ((uint64_t)values[i] - (uint64_t)value.min));
    }
    TRY(sort_i64(values, n, error));
    for (int64_t i = 0; i < n; i++) {
        uint64_t word = (uint64_t)values[i];
        keys[i] = key.min + (int64_t)(word >> shift);
        values[i] = (int64_t)((word & mask) + (uint64_t)value.min);
    }
out:
    return status;
}

Status keyed_values_sort(Table *table, Error *error)
{
    int64_t *keys = table->columns[0].data, *values = table->columns[1].data;
    int64_t n = table->rows;
    if (n < 2)
        return STATUS_OK;
    Range key = range_of(keys, n), value = range_of(values, n);
    if (bits_of(key) + bits_of(value) <= WORD_BITS)
        return sort_packed(keys, values, n, key, value, error);
    return table_sort(table, keyed_values_order, KEYED_ORDER, error);
}

const SortKey keyed_values_order[KEYED_ORDER] = {{KEYED_KEY, false}, {KEYED_VALUE, false}};

Status key_edges(Comm *comm, const int64_t *keys, int64_t n, KeyEdges *edges, Error *error)
{
    enum { ROWS, FIRST, FIRST_ROWS, LAST, LAST_ROWS, WORDS };
    Status status = STATUS_OK;
    int64_t own[WORDS] = {n};
    char *gathered = NULL;
    int64_t bytes;
    *edges = (KeyEdges){0};
    if (n > 0) {
        own[FIRST] = keys[0];
        own[LAST] = keys[n - 1];
        while (own[FIRST_ROWS] < n && keys[own[FIRST_ROWS]] == own[FIRST])
            own[FIRST_ROWS]++;
        while (own[LAST_ROWS] < n && keys[n - 1 - own[LAST_ROWS]] == own[LAST])
            own[LAST_ROWS]++;
    }
    TRY(comm_gather_all(comm, own, sizeof own, &gathered, &bytes, NULL, error));
    const int64_t(*ranks)[WORDS] = (const int64_t(*)[WORDS])(const void *)gathered;
    for (int rank = 0; rank < comm_size(comm); rank++) {
        if (n == 0 || ranks[rank][ROWS] == 0)
            continue;
        if (rank < comm_rank(comm) && ranks[rank][LAST] == own[FIRST])
            edges->before += ranks[rank][LAST_ROWS];
        if (rank > comm_rank(comm) && ranks[rank][FIRST] == own[LAST])
            edges->after += ranks[rank][FIRST_ROWS];
    }
out:
    mem_free(&gathered);
    return status;
}
