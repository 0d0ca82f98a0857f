/* The different products of each order; see baskets.h. */
#include "sales/baskets.h"

#include "base/memory.h"

#include <string.h>

enum { BLOCK = 4096 };

/* One version for processors with AVX2, one for all; of a static function (table/narrow.c). */
#define FOR_ALL_PROCESSORS __attribute__((target_clones("avx2", "default")))

uint32_t baskets_needs(void)
{
    return LINES_ORDER | LINES_DAY | LINES_PRODUCT | LINES_QUANTITY | LINES_CANCELLED;
}

Status baskets_init(Baskets *baskets, int32_t n_products, Error *error)
{
    Status status = STATUS_OK;
    *baskets = (Baskets){.n_products = n_products};
    TRY(mem_resize(&baskets->product_orders, n_products, sizeof *baskets->product_orders,
                   "orders by product", error));
    TRY(mem_resize(&baskets->stamps, n_products, sizeof *baskets->stamps, "orders by product",
                   error));
    memset(baskets->product_orders, 0, (size_t)n_products * sizeof *baskets->product_orders);
    memset(baskets->stamps, 0, (size_t)n_products * sizeof *baskets->stamps);
out:
    return status;
}

void baskets_free(Baskets *baskets)
{
    mem_free(&baskets->items);
    mem_free(&baskets->product_orders);
    mem_free(&baskets->stamps);
    *baskets = (Baskets){0};
}

static Status reserve(Baskets *baskets, int64_t more, Error *error)
{
    int64_t wanted = baskets->n + more;
    if (wanted <= baskets->capacity)
        return STATUS_OK;
    int64_t capacity = wanted + wanted / 8; /* a mapped block grows without being copied */
    Status status = mem_resize(&baskets->items, capacity, sizeof *baskets->items, "baskets", error);
    if (status == STATUS_OK)
        baskets->capacity = capacity;
    return status;
}

/* recent [n] := 1 for lines [begin, begin + n) that are kept sales of `first_day` or later. */
FOR_ALL_PROCESSORS
static void mark_recent(const OrderLines *lines, int64_t begin, int64_t n, int32_t first_day,
                        uint8_t *restrict recent)
{
    for (int64_t i = 0; i < n; i++)
        recent[i] = order_line_is_kept(lines, begin + i) & (lines->day[begin + i] >= first_day);
}

/* The first line from `from` on that is marked; `end` if none is. */
static int64_t next_recent(const uint8_t *recent, int64_t from, int64_t end)
{
    const uint8_t *found = from < end ? memchr(recent + from, 1, (size_t)(end - from)) : NULL;
    return found ? found - recent : end;
}

/* The lines of the order of a line; its earliest kept sale, INT32_MAX for none. */
static int32_t look_at_order(const OrderLines *lines, int64_t line, int64_t *begin, int64_t *end)
{
    int32_t first_day = INT32_MAX, order = lines->order[line];
    for (*begin = line; *begin > 0 && lines->order[*begin - 1] == order;)
        --*begin;
    for (*end = *begin; *end < lines->n && lines->order[*end] == order; ++*end)
        order_line_day(lines, *end, &first_day);
    return first_day;
}

/* There is room for all lines of the order. */
static void add_order(Baskets *baskets, const OrderLines *lines, int64_t begin, int64_t end)
{
    int64_t first = baskets->n;
    uint32_t *items = baskets->items;
    uint32_t stamp = ++baskets->stamp;
    for (int64_t i = begin; i < end; i++) {
        int32_t product = lines->product[i];
        if (!order_line_is_kept(lines, i) || baskets->stamps[product] == stamp)
            continue;
        baskets->stamps[product] = stamp;
        baskets->product_orders[product]++;
        items[baskets->n++] = (uint32_t)product;
    }
    baskets->orders++;
    int64_t size = baskets->n - first;
    if (size >= 2 && size <= BASKET_PRODUCTS_MAX) {
        items[first] |= BASKET_FIRST;
        return;
    }
    baskets->too_large += size > BASKET_PRODUCTS_MAX;
    baskets->n = first;
}

Status baskets_add(Baskets *baskets, const OrderLines *lines, int32_t first_day, Error *error)
{
    Status status = STATUS_OK;
    TRY(reserve(baskets, lines->n, error));
    if (lines->n > (int64_t)(UINT32_MAX - baskets->stamp)) {
        memset(baskets->stamps, 0, (size_t)baskets->n_products * sizeof *baskets->stamps);
        baskets->stamp = 0;
    }
    /* Lines before `end` are done with. An order whose first kept sale is recent has no other. */
    uint8_t recent[BLOCK];
    int64_t begin, end = 0;
    for (int64_t at = 0; at < lines->n; at += BLOCK) {
        int64_t n = lines->n - at < BLOCK ? lines->n - at : BLOCK;
        mark_recent(lines, at, n, first_day, recent);
        for (int64_t i = 0; (i = next_recent(recent, end > at ? end - at : 0, n)) < n;)
            if (look_at_order(lines, at + i, &begin, &end) >= first_day)
                add_order(baskets, lines, begin, end);
    }
out:
    return status;
}

Status baskets_merge(Baskets *into, Baskets *from, Error *error)
{
    Status status = STATUS_OK;
    if (from->n > 0) {
        TRY(reserve(into, from->n, error));
        memcpy(into->items + into->n, from->items, (size_t)from->n * sizeof *from->items);
        into->n += from->n;
    }
    for (int32_t i = 0; i < from->n_products; i++)
        into->product_orders[i] += from->product_orders[i];
    into->orders += from->orders;
    into->too_large += from->too_large;
    baskets_free(from);
out:
    return status;
}
