/* PopularLists of random shops against counting line by line. */
#include "recommend/popular_lists.h"

#include "base/memory.h"
#include "rank/history_model.h"
#include "rank/suites.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const ShopShape mixed = {.name = "mixed",
                                .customers = 37,
                                .orders = 160,
                                .products = 29,
                                .countries = 5,
                                .lines_min = 1,
                                .lines_max = 6,
                                .first_day = -20,
                                .n_days = 60,
                                .anonymous = 0.2,
                                .returns = 0.2,
                                .cancelled = 0.1,
                                .replaced = 0.2,
                                .batches = 2};

enum { CATEGORIES = 4 };
static const char *const category_texts[CATEGORIES] = {"tools", "garden/beds", "garden", "empty"};

/* Give the shop categories as a catalogue would: the last has no product, every fifth product has
 * none. */
static Status add_categories(Shop *shop, Error *error)
{
    static const ColumnSpec column = {"text", COLUMN_TEXT, UNIT_NONE};
    Status status = STATUS_OK;
    Table texts = {0};
    table_init(&texts, &column, 1);
    for (int c = 0; c < CATEGORIES; c++) {
        TRY(table_add_row(&texts, error));
        TRY(table_set_last_text(&texts, &texts.columns[0], bytes_of(category_texts[c]), error));
    }
    names_free(&shop->category);
    TRY(names_make(&shop->category, &texts, error));
    for (int32_t code = 0; code < shop->product.count; code++)
        shop->catalogue.category[code] = code % 5 == 4 ? -1 : code % 5 % (CATEGORIES - 1);
out:
    table_free(&texts);
    return status;
}

/* ---- counting line by line ---- */

typedef enum Scope { SCOPE_ALL, SCOPE_COUNTRY, SCOPE_CATEGORY } Scope;

/* What an item's lines count, in 2^24ths of one of today. */
static int64_t count_lines(const HistoryModel *model, const Shop *shop,
                           const PopularOptions *options, Scope scope, int32_t code, int32_t item)
{
    int64_t sum = 0;
    int32_t product = shop->product.code[item];
    if ((options->is_shown != NULL && !options->is_shown[item]) ||
        (scope == SCOPE_CATEGORY && shop->catalogue.category[product] != code))
        return 0;
    for (int64_t i = 0; i < model->orders.n; i++) {
        const ModelLine *line = &model->orders.lines[i];
        if (line->product != product || !history_counts(line, INT32_MIN, INT32_MAX) ||
            (scope == SCOPE_COUNTRY && line->country != code))
            continue;
        double age = line->day < shop->as_of ? shop->as_of - line->day : 0;
        double part = options->half_life_days > 0 ? pow(.5, age / options->half_life_days) : 1;
        sum += llround(part * (1 << 24));
    }
    return sum;
}

/* The item at a place is the one that so many stand before. */
static int64_t check_list(const HistoryModel *model, const Shop *shop,
                          const PopularOptions *options, Scope scope, int32_t code,
                          const int32_t *items, const double *scores)
{
    int32_t n = shop->product.count;
    int64_t wrong = 0, listed = 0, counted = 0;
    int64_t *counts = mem_new((int64_t)n + 1, sizeof *counts);
    for (int32_t i = 0; i < n; i++) {
        counts[i] = count_lines(model, shop, options, scope, code, i);
        counted += counts[i] > 0;
    }
    for (int32_t i = 0; i < n; i++) {
        int64_t before = 0;
        for (int32_t j = 0; j < n; j++)
            before += counts[j] > counts[i] || (counts[j] == counts[i] && j < i);
        if (counts[i] == 0 || before >= options->length)
            continue;
        wrong += items[before] != i;
        wrong += scores[before] != (double)counts[i] / (1 << 24);
        listed++;
    }
    wrong += listed != (counted < options->length ? counted : options->length);
    for (int64_t k = listed; k < options->length; k++)
        wrong += items[k] != -1;
    mem_free(&counts);
    return wrong;
}

static int64_t check_lists(const HistoryModel *model, const Shop *shop,
                           const PopularOptions *options, const PopularLists *lists)
{
    int64_t length = lists->length, wrong = lists->length != options->length;
    wrong += lists->n_countries != shop->country.count;
    wrong += lists->n_categories != shop->category.count;
    wrong += check_list(model, shop, options, SCOPE_ALL, -1, lists->all, lists->all_scores);
    for (int32_t c = 0; c < lists->n_countries; c++)
        wrong += check_list(model, shop, options, SCOPE_COUNTRY, c, lists->by_country + c * length,
                            lists->country_scores + c * length);
    for (int32_t c = 0; c < lists->n_categories; c++)
        wrong += check_list(model, shop, options, SCOPE_CATEGORY, c,
                            lists->by_category + c * length, lists->category_scores + c * length);
    return wrong;
}

/* ---- rows ---- */

static void print_list(const Shop *shop, const char *scope, Bytes name, int length,
                       const int32_t *items, const double *scores, Buffer *text)
{
    for (int k = 0; k < length && items[k] >= 0; k++) {
        buffer_printf(text, "%s|", scope);
        buffer_append_bytes(text, name);
        buffer_printf(text, "|%d|", k + 1);
        buffer_append_bytes(text, names_text(&shop->product, shop->product.code[items[k]]));
        buffer_printf(text, "|%.17g\n", scores[k]);
    }
}

/* The rows of the lists, sorted by scope, name and rank. */
static void expect_rows(const PopularLists *lists, const Shop *shop, Buffer *text)
{
    int64_t length = lists->length;
    print_list(shop, "all", bytes_of(""), lists->length, lists->all, lists->all_scores, text);
    for (int32_t place = 0; place < lists->n_categories; place++) {
        int32_t c = shop->category.code[place];
        print_list(shop, "category", names_text(&shop->category, c), lists->length,
                   lists->by_category + c * length, lists->category_scores + c * length, text);
    }
    for (int32_t place = 0; place < lists->n_countries; place++) {
        int32_t c = shop->country.code[place];
        print_list(shop, "country", names_text(&shop->country, c), lists->length,
                   lists->by_country + c * length, lists->country_scores + c * length, text);
    }
}

static void print_rows(const Table *rows, Buffer *text)
{
    for (int64_t i = 0; i < rows->rows; i++) {
        buffer_append_bytes(text, column_text(table_column_const(rows, "scope"), i));
        buffer_append_string(text, "|");
        buffer_append_bytes(text, column_text(table_column_const(rows, "name"), i));
        buffer_printf(text, "|%" PRId64 "|", column_integer(table_column_const(rows, "rank"), i));
        buffer_append_bytes(text, column_text(table_column_const(rows, "product_id"), i));
        buffer_printf(text, "|%.17g\n",
                      ((const double *)table_column_const(rows, "score")->data)[i]);
    }
}

static void check_rows(const PopularLists *lists, const Shop *shop)
{
    Error error = {0};
    Table rows = {0};
    Buffer wanted = {0}, got = {0};
    CU_ASSERT_EQUAL(popular_lists_rows(lists, shop, lists->length, &rows, &error), STATUS_OK);
    expect_rows(lists, shop, &wanted);
    print_rows(&rows, &got);
    CU_ASSERT_STRING_EQUAL(buffer_string(&got), buffer_string(&wanted));
    table_free(&rows);
    buffer_free(&wanted);
    buffer_free(&got);
}

/* ---- shops ---- */

static void check_options(const HistoryModel *model, HistoryStore *store,
                          const PopularOptions *options)
{
    Error error = {0};
    PopularLists lists = {0};
    Status status =
        popular_lists_learn(rank_comm(), store->store, &store->shop, options, &lists, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    if (status == STATUS_OK) {
        int64_t wrong = check_lists(model, &store->shop, options, &lists);
        CU_ASSERT_EQUAL(wrong, 0);
        if (wrong > 0)
            (void)fprintf(stderr, "%s, half-life %g, %d places: %" PRId64 " differ\n",
                          model->orders.shape.name, options->half_life_days, options->length,
                          wrong);
        check_rows(&lists, &store->shop);
    } else {
        (void)fprintf(stderr, "%s: %s\n", model->orders.shape.name, error.message);
    }
    popular_lists_free(&lists);
}

static void check_shape(const ShopShape *shape, bool has_categories)
{
    Comm *comm = rank_comm();
    Error error = {0};
    HistoryModel model;
    HistoryStore store;
    bool *is_shown = mem_new((int64_t)shape->products + 1, sizeof *is_shown);
    for (int32_t i = 0; i < shape->products; i++)
        is_shown[i] = i % 3 != 1;
    history_model_make(shape, 0, 0, 7, &model);
    Status status = history_store_make(comm, &model, &store, &error);
    if (status == STATUS_OK && has_categories)
        status = add_categories(&store.shop, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    if (status == STATUS_OK) {
        const PopularOptions options[] = {
            {.length = 5},
            {.length = 1, .half_life_days = 9.5},
            {.length = 40, .half_life_days = 30},
            {.length = 10, .half_life_days = 3, .is_shown = is_shown},
        };
        for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
            check_options(&model, &store, &options[i]);
        if (store.shop.as_of != DAY_NONE)
            store.shop.as_of -= 30; /* days after the night's count as its own */
        check_options(&model, &store, &options[2]);
    }
    history_store_remove(comm, &store);
    history_model_free(&model);
    mem_free(&is_shown);
}

static void test_many_shapes(void)
{
    static const ShopShape new = {.name = "new", .n_days = 1};
    ShopShape nowhere = mixed, nobody = mixed, nothing = mixed, few = mixed, anonymous = mixed;
    nowhere.name = "no countries";
    nowhere.countries = 0;
    nobody.name = "nobody orders";
    nobody.orders = 0;
    nobody.batches = 1;
    nothing = nobody;
    nothing.name = "nothing";
    nothing.customers = nothing.products = nothing.countries = 0;
    few.name = "three orders";
    few.orders = 3;
    anonymous.name = "anonymous";
    anonymous.anonymous = 1;
    check_shape(&mixed, true);
    check_shape(&mixed, false);
    check_shape(&nowhere, true);
    check_shape(&nobody, true);
    check_shape(&nothing, false);
    check_shape(&new, false); /* nothing ever came in */
    check_shape(&few, true);
    check_shape(&anonymous, true);
}

/* Three items as often as each other stand in the order of their ids; one that sold a half-life
 * before counts half. */
static void test_by_hand(void)
{
    Comm *comm = rank_comm();
    Error error = {0};
    HistoryModel model = {
        .orders.shape = {.name = "by hand", .customers = 2, .products = 4, .batches = 1}};
    HistoryStore store;
    PopularLists lists = {0};
    PopularOptions options = {.length = 4, .half_life_days = 10};
    for (int32_t product = 0; product < 3; product++)
        history_model_add(&model, product, product % 2, product, 100);
    history_model_add(&model, 3, 1, 3, 90);
    Status status = history_store_make(comm, &model, &store, &error);
    if (status == STATUS_OK)
        status = popular_lists_learn(comm, store.store, &store.shop, &options, &lists, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    if (status == STATUS_OK) {
        for (int k = 0; k < 4; k++)
            CU_ASSERT_EQUAL(lists.all_scores[k], k < 3 ? 1 : .5);
        CU_ASSERT(lists.all[0] < lists.all[1] && lists.all[1] < lists.all[2]);
        CU_ASSERT_EQUAL(store.shop.product.code[lists.all[3]], 3);
    }
    popular_lists_free(&lists);
    history_store_remove(comm, &store);
    history_model_free(&model);
}

/* A line of a country that there is not is damage, told on every rank. */
static void test_damage(void)
{
    Comm *comm = rank_comm();
    Error error = {0};
    HistoryModel model;
    HistoryStore store;
    PopularLists lists = {0};
    PopularOptions options = {.length = 3};
    history_model_make(&mixed, 0, 0, 7, &model);
    int64_t at = 0;
    while (at < model.orders.n && !history_counts(&model.orders.lines[at], INT32_MIN, INT32_MAX))
        at++;
    model.orders.lines[at].country = mixed.countries;
    CU_ASSERT_EQUAL(history_store_make(comm, &model, &store, &error), STATUS_OK);
    CU_ASSERT_EQUAL(popular_lists_learn(comm, store.store, &store.shop, &options, &lists, &error),
                    STATUS_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "country 5"));
    CU_ASSERT_PTR_NULL(lists.all);
    history_store_remove(comm, &store);
    history_model_free(&model);
}

CU_TestInfo popular_lists_tests[] = {{"many shapes", test_many_shapes},
                                     {"equal and old ones by hand", test_by_hand},
                                     {"damage", test_damage},
                                     CU_TEST_INFO_NULL};
