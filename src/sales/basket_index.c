/* Labels by popularity and the inverted index of baskets; see basket_index.h. */
#include "sales/basket_index.h"

#include "base/memory.h"
#include "table/sort.h"

#include <stdlib.h>
#include <string.h>

enum {
    INSERTION_MAX = 24,  /* longer baskets are sorted by the C library */
    PREFETCH_AHEAD = 12, /* baskets of a row whose memory is asked for in advance */
};

Status basket_labels_make(const int64_t *orders, const int32_t *sorted, int64_t n_products,
                          int64_t min_orders, BasketLabels *labels, Error *error)
{
    Status status = STATUS_OK;
    uint64_t *keys = NULL;
    int64_t *order = NULL;
    TRY(mem_resize(&keys, n_products, sizeof *keys, "product labels", error));
    TRY(mem_resize(&order, n_products, sizeof *order, "product labels", error));
    TRY(mem_resize(&labels->of_product, n_products, sizeof *labels->of_product, "product labels",
                   error));
    TRY(mem_resize(&labels->places, n_products, sizeof *labels->places, "product labels", error));
    for (int64_t i = 0; i < n_products; i++)
        keys[i] = (uint64_t)INT64_MAX - (uint64_t)orders[sorted[i]];
    TRY(sort_order_u64(keys, n_products, order, error));
    for (int64_t i = 0; i < n_products; i++) {
        int64_t product = sorted[order[i]];
        labels->of_product[product] = -1;
        if (orders[product] < min_orders)
            continue;
        labels->places[labels->count] = (int32_t)order[i];
        labels->of_product[product] = labels->count++;
    }
out:
    mem_free(&keys);
    mem_free(&order);
    return status;
}

void basket_labels_free(BasketLabels *labels)
{
    mem_free(&labels->of_product);
    mem_free(&labels->places);
    *labels = (BasketLabels){0};
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void sort_basket(uint32_t *items, int64_t n)
{
    if (n > INSERTION_MAX) {
        qsort(items, (size_t)n, sizeof *items, compare_u32);
        return;
    }
    for (int64_t i = 1; i < n; i++) {
        uint32_t item = items[i];
        int64_t at = i;
        for (; at > 0 && items[at - 1] > item; at--)
            items[at] = items[at - 1];
        items[at] = item;
    }
}

/* Products to sorted labels, in place; products without a label and baskets with fewer than two
 * labels go. */
static void label_baskets(Baskets *baskets, const int32_t *of_product)
{
    uint32_t *items = baskets->items;
    int64_t n = 0;
    for (int64_t i = 0; i < baskets->n;) {
        uint32_t *basket = items + n;
        int64_t count = 0;
        do {
            int32_t label = of_product[items[i] & ~BASKET_FIRST];
            if (label >= 0)
                basket[count++] = (uint32_t)label;
            i++;
        } while (i < baskets->n && !(items[i] & BASKET_FIRST));
        if (count < 2)
            continue;
        sort_basket(basket, count);
        basket[0] |= BASKET_FIRST;
        n += count;
    }
    baskets->n = n;
}

/* instances and, one place too far, the number of positions of each label. */
static void measure_rows(const uint32_t *items, int64_t n, BasketIndex *index)
{
    int64_t *restrict lengths = index->starts + 1;
    int64_t *restrict instances = index->instances;
    int64_t before = 0;
    for (int64_t i = 0; i < n; i++) {
        if (items[i] & BASKET_FIRST) {
            before = 1;
            continue;
        }
        lengths[items[i]]++;
        instances[items[i]] += before++;
    }
}

static void fill_positions(const uint32_t *items, int64_t n, int64_t *restrict next,
                           uint32_t *restrict at)
{
    for (int64_t i = 0; i < n; i++) {
        if (!(items[i] & BASKET_FIRST))
            at[next[items[i]]++] = (uint32_t)i;
    }
}

Status basket_index_build(Baskets *baskets, const BasketLabels *labels, BasketIndex *index,
                          Error *error)
{
    Status status = STATUS_OK;
    int64_t *next = NULL;
    int64_t n_labels = labels->count;
    index->n_labels = labels->count;
    label_baskets(baskets, labels->of_product);
    if (baskets->n > UINT32_MAX)
        FAIL(error, STATUS_INPUT,
             "too many order lines on one rank to count pairs of products (2^32 different products "
             "of orders at most): run on more ranks");
    TRY(mem_resize(&index->starts, n_labels + 1, sizeof *next, "index of baskets", error));
    TRY(mem_resize(&index->instances, n_labels, sizeof *next, "index of baskets", error));
    TRY(mem_resize(&next, n_labels, sizeof *next, "index of baskets", error));
    memset(index->starts, 0, ((size_t)n_labels + 1) * sizeof *next);
    memset(index->instances, 0, (size_t)n_labels * sizeof *next);
    measure_rows(baskets->items, baskets->n, index);
    for (int64_t label = 0; label < n_labels; label++) {
        next[label] = index->starts[label];
        index->starts[label + 1] += index->starts[label];
    }
    TRY(mem_resize(&index->at, index->starts[n_labels], sizeof *index->at, "index of baskets",
                   error));
    fill_positions(baskets->items, baskets->n, next, index->at);
    index->items = baskets->items;
    baskets->items = NULL;
    baskets->n = baskets->capacity = 0;
out:
    mem_free(&next);
    return status;
}

void basket_index_free(BasketIndex *index)
{
    mem_free(&index->items);
    mem_free(&index->starts);
    mem_free(&index->at);
    mem_free(&index->instances);
    *index = (BasketIndex){0};
}

void basket_index_add(const BasketIndex *index, int32_t label, uint32_t *restrict counts)
{
    const uint32_t *items = index->items, *at = index->at;
    int64_t end = index->starts[label + 1];
    for (int64_t i = index->starts[label]; i < end; i++) {
        __builtin_prefetch(&items[at[i + PREFETCH_AHEAD < end ? i + PREFETCH_AHEAD : i]]);
        const uint32_t *item = &items[at[i]];
        do {
            item--;
            counts[*item & ~BASKET_FIRST]++;
        } while (!(*item & BASKET_FIRST));
    }
}

int64_t basket_index_add_listed(const BasketIndex *index, int32_t label, uint32_t *restrict counts,
                                uint32_t *restrict touched)
{
    const uint32_t *items = index->items, *at = index->at;
    int64_t n = 0, end = index->starts[label + 1];
    for (int64_t i = index->starts[label]; i < end; i++) {
        __builtin_prefetch(&items[at[i + PREFETCH_AHEAD < end ? i + PREFETCH_AHEAD : i]]);
        const uint32_t *item = &items[at[i]];
        do {
            item--;
            uint32_t other = *item & ~BASKET_FIRST;
            touched[n] = other;
            n += counts[other] == 0;
            counts[other]++;
        } while (!(*item & BASKET_FIRST));
    }
    return n;
}
