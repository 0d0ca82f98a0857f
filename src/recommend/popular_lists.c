/* See popular_lists.h. Lines count in fixed point, so that sums are exact in any order. */
#include "recommend/popular_lists.h"

#include "base/fault.h"
#include "base/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A line of today counts so much: sums of 2^39 lines fit. */
enum { WHOLE = 1 << 24 };

/* A pair of country and item, in one number, with its lines. */
typedef struct CountryCount {
    int64_t key; /* country * n_items + item */
    int64_t weight;
} CountryCount;

typedef struct Counting {
    Store *store;
    const Shop *shop;
    const PopularOptions *options;
    int64_t n_items;
    int64_t *all;         /* [n_items] */
    int64_t *country;     /* [n_items] of the country at hand */
    CountryCount *counts; /* [n_counts] by key within a partition, several times over partitions */
    int64_t n_counts;
    int64_t capacity;
    Table rows;
} Counting;

static void counting_free(Counting *counting)
{
    mem_free(&counting->all);
    mem_free(&counting->country);
    mem_free(&counting->counts);
    table_free(&counting->rows);
}

static int64_t weight_of(const Counting *counting, int32_t day)
{
    double half_life = counting->options->half_life_days;
    double age = (double)counting->shop->as_of - day;
    if (half_life <= 0)
        return WHOLE;
    return (int64_t)(WHOLE * exp2(-(age > 0 ? age : 0) / half_life) + .5);
}

/* ---- counting ---- */

static int compare_counts(const void *left, const void *right)
{
    const CountryCount *a = left, *b = right;
    return (a->key > b->key) - (a->key < b->key);
}

/* Sort the counts from `begin` on by key, and add up those of one key. */
static void add_up(Counting *counting, int64_t begin)
{
    int64_t n = counting->n_counts - begin, kept = 0;
    CountryCount *counts = counting->counts + begin;
    if (n == 0)
        return;
    qsort(counts, (size_t)n, sizeof *counts, compare_counts);
    for (int64_t i = 1; i < n; i++) {
        if (counts[i].key == counts[kept].key)
            counts[kept].weight += counts[i].weight;
        else
            counts[++kept] = counts[i];
    }
    counting->n_counts = begin + kept + 1;
}

static Status check_line(const Counting *counting, int32_t partition, int64_t product,
                         int64_t country, Error *error)
{
    Status status = STATUS_OK;
    if (product < 0 || product >= counting->n_items || country >= counting->shop->country.count)
        FAIL(error, STATUS_IO,
             "store is damaged: orders of partition %" PRId32 " name product %" PRId64
             " or country %" PRId64 ", which there are not; run vesper verify",
             partition, product, country);
out:
    return status;
}

/* The lines of a partition; a shop may have no countries. */
static Status read_lines(Counting *counting, int32_t partition, Error *error)
{
    static const char *const columns[] = {"product", "day", "quantity", "cancelled", "country"};
    Status status;
    int n = store_has_column(counting->store, "orders", "country") ? 5 : 4;
    TRY(fault_point("recommend.popular_lists", error));
    TRY(store_read_partition(counting->store, "orders", partition, columns, n, &counting->rows,
                             error));
out:
    return status;
}

static Status count_partition(Counting *counting, int32_t partition, Error *error)
{
    Status status = STATUS_OK;
    Table *rows = &counting->rows;
    TRY(read_lines(counting, partition, error));
    int64_t begin = counting->n_counts;
    if (begin + rows->rows > counting->capacity) {
        counting->capacity = 2 * (begin + rows->rows);
        TRY(mem_resize(&counting->counts, counting->capacity, sizeof *counting->counts,
                       "lines by country", error));
    }
    const Column *product = table_column_const(rows, "product");
    const Column *day = table_column_const(rows, "day");
    const Column *quantity = table_column_const(rows, "quantity");
    const Column *cancelled = table_column_const(rows, "cancelled");
    const Column *country = table_find(rows, "country");
    for (int64_t i = 0; i < rows->rows; i++) {
        int64_t code = column_integer(product, i);
        int64_t where = country == NULL ? -1 : column_integer(country, i);
        if (!shop_is_kept_sale((int32_t)column_integer(quantity, i),
                               (int8_t)column_integer(cancelled, i)))
            continue;
        TRY(check_line(counting, partition, code, where, error));
        int32_t item = counting->shop->product.place[code];
        int64_t weight = weight_of(counting, (int32_t)column_integer(day, i));
        counting->all[item] += weight;
        if (where >= 0)
            counting->counts[counting->n_counts++] =
                (CountryCount){where * counting->n_items + item, weight};
    }
    add_up(counting, begin);
out:
    return status;
}

static Status count_own(Comm *comm, Counting *counting, Error *error)
{
    Status status = STATUS_OK;
    int32_t begin, end;
    TRY(mem_resize(&counting->all, counting->n_items, sizeof *counting->all, "lines of products",
                   error));
    TRY(mem_resize(&counting->country, counting->n_items, sizeof *counting->country,
                   "lines of products", error));
    memset(counting->all, 0, (size_t)counting->n_items * sizeof *counting->all);
    memset(counting->country, 0, (size_t)counting->n_items * sizeof *counting->country);
    if (!store_has_column(counting->store, "orders", "product")) /* nothing was ever sold */
        goto out;
    store_owned(counting->store, comm_rank(comm), comm_size(comm), &begin, &end);
    for (int32_t p = begin; p < end; p++)
        TRY(count_partition(counting, p, error));
    add_up(counting, 0);
out:
    return status;
}

/* ---- lists ---- */

/* One list of `lists`: places [length], best first. */
typedef struct PlaceList {
    int length;
    int32_t *items;
    double *scores;
} PlaceList;

static PlaceList list_at(const PopularLists *lists, int32_t *items, double *scores, int64_t k)
{
    return (PlaceList){lists->length, items + k * lists->length, scores + k * lists->length};
}

static void clear(const PlaceList *list)
{
    for (int k = 0; k < list->length; k++) {
        list->items[k] = -1;
        list->scores[k] = 0;
    }
}

/* Items come by number, so that an equal one stays behind. */
static void insert(const PlaceList *list, int32_t item, double score)
{
    int at = list->length;
    while (at > 0 && (list->items[at - 1] < 0 || list->scores[at - 1] < score)) {
        at--;
        if (at + 1 < list->length) {
            list->items[at + 1] = list->items[at];
            list->scores[at + 1] = list->scores[at];
        }
    }
    if (at < list->length) {
        list->items[at] = item;
        list->scores[at] = score;
    }
}

/* Whether the item may be listed, given its lines. */
static bool is_listed(const Counting *counting, const int64_t *weights, int64_t item)
{
    const bool *is_shown = counting->options->is_shown;
    return weights[item] > 0 && (is_shown == NULL || is_shown[item]);
}

static void list_all(const Counting *counting, const PopularLists *lists)
{
    const Shop *shop = counting->shop;
    PlaceList all = list_at(lists, lists->all, lists->all_scores, 0);
    for (int64_t item = 0; item < counting->n_items; item++) {
        if (!is_listed(counting, counting->all, item))
            continue;
        double score = (double)counting->all[item] / WHOLE;
        int32_t category = shop->catalogue.category[shop->product.code[item]];
        insert(&all, (int32_t)item, score);
        if (category < 0)
            continue;
        PlaceList list = list_at(lists, lists->by_category, lists->category_scores, category);
        insert(&list, (int32_t)item, score);
    }
}

/* Countries one after another, each added up over the ranks. Collective. */
static void list_countries(Comm *comm, Counting *counting, const PopularLists *lists)
{
    int64_t at = 0;
    for (int32_t c = 0; c < lists->n_countries; c++) {
        PlaceList list = list_at(lists, lists->by_country, lists->country_scores, c);
        memset(counting->country, 0, (size_t)counting->n_items * sizeof *counting->country);
        for (; at < counting->n_counts && counting->counts[at].key / counting->n_items == c; at++)
            counting->country[counting->counts[at].key % counting->n_items] =
                counting->counts[at].weight;
        comm_sum_i64(comm, counting->country, counting->n_items);
        for (int64_t item = 0; item < counting->n_items; item++) {
            if (is_listed(counting, counting->country, item))
                insert(&list, (int32_t)item, (double)counting->country[item] / WHOLE);
        }
    }
}

static Status make_group(int64_t n, int length, int32_t **items, double **scores, Error *error)
{
    Status status;
    TRY(mem_resize(items, n * length, sizeof **items, "popular products", error));
    TRY(mem_resize(scores, n * length, sizeof **scores, "popular products", error));
    for (int64_t k = 0; k < n; k++)
        clear(&(PlaceList){length, *items + k * length, *scores + k * length});
out:
    return status;
}

static Status make_lists(const Shop *shop, int length, PopularLists *lists, Error *error)
{
    Status status;
    *lists = (PopularLists){
        .length = length, .n_countries = shop->country.count, .n_categories = shop->category.count};
    TRY(make_group(1, length, &lists->all, &lists->all_scores, error));
    TRY(make_group(lists->n_countries, length, &lists->by_country, &lists->country_scores, error));
    TRY(make_group(lists->n_categories, length, &lists->by_category, &lists->category_scores,
                   error));
out:
    return status;
}

Status popular_lists_learn(Comm *comm, Store *store, const Shop *shop,
                           const PopularOptions *options, PopularLists *lists, Error *error)
{
    Status status;
    Counting counting = {
        .store = store, .shop = shop, .options = options, .n_items = shop->product.count};
    TRY_ALL(comm, make_lists(shop, options->length, lists, error), error);
    TRY_ALL(comm, count_own(comm, &counting, error), error);
    comm_sum_i64(comm, counting.all, counting.n_items);
    list_all(&counting, lists);
    if (counting.n_items > 0)
        list_countries(comm, &counting, lists);
out:
    counting_free(&counting);
    if (status != STATUS_OK)
        popular_lists_free(lists);
    return status;
}

void popular_lists_free(PopularLists *lists)
{
    mem_free(&lists->all);
    mem_free(&lists->by_country);
    mem_free(&lists->by_category);
    mem_free(&lists->all_scores);
    mem_free(&lists->country_scores);
    mem_free(&lists->category_scores);
    *lists = (PopularLists){0};
}

/* ---- rows ---- */

static const ColumnSpec popular_columns[] = {
    {"scope", COLUMN_TEXT, UNIT_NONE}, {"name", COLUMN_TEXT, UNIT_NONE},
    {"rank", COLUMN_I32, UNIT_COUNT},  {"product_id", COLUMN_TEXT, UNIT_NONE},
    {"score", COLUMN_F64, UNIT_NONE},
};
enum { N_COLUMNS = sizeof popular_columns / sizeof popular_columns[0] };

static Status add_list(const Shop *shop, const char *scope, Bytes name, const PlaceList *list,
                       int most, Table *rows, Error *error)
{
    Status status = STATUS_OK;
    for (int k = 0; k < list->length && k < most && list->items[k] >= 0; k++) {
        Bytes product = names_text(&shop->product, shop->product.code[list->items[k]]);
        TRY(table_add_row(rows, error));
        TRY(table_set_last_text(rows, &rows->columns[0], bytes_of(scope), error));
        TRY(table_set_last_text(rows, &rows->columns[1], name, error));
        ((int32_t *)rows->columns[2].data)[rows->rows - 1] = k + 1;
        TRY(table_set_last_text(rows, &rows->columns[3], product, error));
        ((double *)rows->columns[4].data)[rows->rows - 1] = list->scores[k];
    }
out:
    return status;
}

/* The lists of a scope by name. */
static Status add_scope(const PopularLists *lists, const Shop *shop, const char *scope,
                        const Names *names, int32_t *items, double *scores, int most, Table *rows,
                        Error *error)
{
    Status status = STATUS_OK;
    for (int32_t place = 0; place < names->count; place++) {
        int32_t code = names->code[place];
        PlaceList list = list_at(lists, items, scores, code);
        TRY(add_list(shop, scope, names_text(names, code), &list, most, rows, error));
    }
out:
    return status;
}

Status popular_lists_rows(const PopularLists *lists, const Shop *shop, int most, Table *rows,
                          Error *error)
{
    Status status;
    PlaceList all = list_at(lists, lists->all, lists->all_scores, 0);
    table_free(rows);
    table_init(rows, popular_columns, N_COLUMNS);
    TRY(add_list(shop, "all", bytes_of(""), &all, most, rows, error));
    TRY(add_scope(lists, shop, "category", &shop->category, lists->by_category,
                  lists->category_scores, most, rows, error));
    TRY(add_scope(lists, shop, "country", &shop->country, lists->by_country, lists->country_scores,
                  most, rows, error));
out:
    return status;
}
