/* funnel_daily and cart_abandoned of random shops against plain loops over all events and lines;
 * partitions dealt over ranks and accumulators in several ways. */
#include "sales/funnel.h"

#include "base/memory.h"
#include "rank/store_model.h"
#include "rank/suites.h"
#include "rank/visit_model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the naive account ---- */

static void print_share(Buffer *text, int64_t both, int64_t first)
{
    if (first == 0)
        buffer_append_string(text, "|-");
    else
        buffer_printf(text, "|%.9f", (double)both / (double)first);
}

/* The row of a day, if it has an event. did, seen: scratch, all zero; [customers], [lines]. */
static void expect_day(const VisitModel *model, int32_t day, uint8_t *did, bool *seen, Buffer *text)
{
    int64_t events[4] = {0}, orders = 0, n[32] = {0};
    const VisitShape *shape = &model->shape;
    for (int64_t i = 0; i < shape->events; i++) {
        const VisitEvent *event = &model->events[i];
        if (event->day != day)
            continue;
        events[event->kind]++;
        did[event->customer] |= (uint8_t)(1 << event->kind);
    }
    for (int64_t i = 0; i < shape->lines; i++) {
        const VisitLine *line = &model->lines[i];
        if (line->day != day || line->customer < 0 || !line->is_kept)
            continue;
        did[line->customer] |= 16;
        orders += !seen[line->order];
        seen[line->order] = true;
    }
    for (int32_t c = 0; c < shape->customers; c++)
        n[did[c]]++;
    int64_t view = 0, add = 0, checkout = 0, buy = 0, view_add = 0, add_checkout = 0, view_buy = 0;
    for (int bits = 0; bits < 32; bits++) {
        view += bits & 1 ? n[bits] : 0;
        add += bits & 2 ? n[bits] : 0;
        checkout += bits & 8 ? n[bits] : 0;
        buy += bits & 16 ? n[bits] : 0;
        view_add += (bits & 3) == 3 ? n[bits] : 0;
        add_checkout += (bits & 10) == 10 ? n[bits] : 0;
        view_buy += (bits & 17) == 17 ? n[bits] : 0;
    }
    if (events[0] + events[1] + events[2] + events[3] > 0) {
        buffer_printf(text, "%" PRId32 "|%" PRId64 "|%" PRId64 "|%" PRId64 "|%" PRId64, day,
                      events[0], events[1], events[2], events[3]);
        buffer_printf(text, "|%" PRId64 "|%" PRId64 "|%" PRId64 "|%" PRId64 "|%" PRId64, view, add,
                      checkout, buy, orders);
        print_share(text, view_add, view);
        print_share(text, add_checkout, add);
        print_share(text, view_buy, view);
        buffer_append_string(text, "\n");
    }
    memset(did, 0, (size_t)shape->customers * sizeof *did);
    memset(seen, 0, (size_t)shape->lines * sizeof *seen);
}

static void expect_daily(const VisitModel *model, Buffer *text)
{
    const VisitShape *shape = &model->shape;
    uint8_t *did = mem_new(shape->customers, sizeof *did);
    bool *seen = mem_new(shape->lines, sizeof *seen);
    for (int32_t day = shape->first_day; day <= shape->first_day + shape->n_days; day++)
        expect_day(model, day, did, seen, text);
    mem_free(&did);
    mem_free(&seen);
}

static bool is_later(const VisitEvent *a, const VisitEvent *b)
{
    return a->ts_us != b->ts_us ? a->ts_us > b->ts_us : a->row > b->row;
}

/* Whether the product is left in the customer's cart. */
static bool is_in_cart(const VisitModel *model, int32_t customer, int32_t product)
{
    const VisitEvent *add = NULL;
    for (int64_t i = 0; i < model->shape.events; i++) {
        const VisitEvent *event = &model->events[i];
        bool is_add = event->customer == customer && event->product == product && event->kind == 1;
        if (is_add && (!add || is_later(event, add)))
            add = event;
    }
    for (int64_t i = 0; add && i < model->shape.events; i++) {
        const VisitEvent *event = &model->events[i];
        if (event->customer == customer && is_later(event, add) &&
            (event->kind == 3 || (event->kind == 2 && event->product == product)))
            return false;
    }
    for (int64_t i = 0; add && i < model->shape.lines; i++) {
        const VisitLine *line = &model->lines[i];
        if (line->customer == customer && line->is_kept && line->product == product &&
            line->day >= add->day)
            return false;
    }
    return add != NULL;
}

static int32_t last_cart_day(const VisitModel *model, int32_t customer)
{
    const VisitEvent *last = NULL;
    for (int64_t i = 0; i < model->shape.events; i++) {
        const VisitEvent *event = &model->events[i];
        if (event->customer == customer && event->product >= 0 &&
            (event->kind == 1 || event->kind == 2) && (!last || is_later(event, last)))
            last = event;
    }
    return last ? last->day : DAY_NONE;
}

typedef char Text[VISIT_TEXT_SIZE];

static int compare_texts(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void expect_cart(const VisitModel *model, int32_t customer, int32_t as_of, Buffer *text)
{
    Text name, *ids = mem_new(model->shape.products, sizeof *ids);
    int64_t n = 0, value = 0, priced = 0, age = 0;
    int32_t last = last_cart_day(model, customer);
    for (int32_t product = 0; product < model->shape.products; product++) {
        if (!is_in_cart(model, customer, product))
            continue;
        visit_product_text(product, ids[n++]);
        int64_t price = model->shop.catalogue.price[product];
        value += price == MONEY_NONE ? 0 : price;
        priced += price != MONEY_NONE;
    }
    if (n > 0 && last < as_of)
        age = (int64_t)as_of - last;
    if (n > 0 && age < model->shape.cart_days) {
        qsort(ids, (size_t)n, sizeof *ids, compare_texts);
        visit_customer_text(customer, name);
        buffer_printf(text, "%s|%" PRId32 "|%" PRId64 "|%" PRId64 "|%" PRId64 "|", name, last, age,
                      n, priced > 0 ? value : MONEY_NONE);
        for (int64_t i = 0; i < n && i < 20; i++)
            buffer_printf(text, "%s%s", i > 0 ? " " : "", ids[i]);
        buffer_append_string(text, n > 20 ? " ...\n" : "\n");
    }
    mem_free(&ids);
}

static void expect_carts(const VisitModel *model, Buffer *text)
{
    int32_t as_of = model->shop.as_of, n = model->shape.customers;
    Text *names = mem_new(n, sizeof *names), name;
    if (model->shop.as_of == DAY_NONE) {
        for (int64_t i = 0; i < model->shape.events; i++)
            as_of = model->events[i].day > as_of ? model->events[i].day : as_of;
    }
    for (int32_t c = 0; c < n; c++)
        visit_customer_text(c, names[c]);
    qsort(names, (size_t)n, sizeof *names, compare_texts);
    for (int32_t i = 0; i < n; i++) {
        for (int32_t c = 0; c < n; c++) {
            visit_customer_text(c, name);
            if (strcmp(name, names[i]) == 0)
                expect_cart(model, c, as_of, text);
        }
    }
    mem_free(&names);
}

/* ---- what the funnel says ---- */

/* This rank's partitions into its accumulators, then all of them into *funnel. */
static Status fill(const VisitModel *model, int deal, Funnel **funnel, Error *error)
{
    Status status = STATUS_OK;
    Funnel *threads[VISIT_THREADS] = {NULL};
    VisitPartition partition = {.events = {.n = 0}};
    int size = comm_size(rank_comm());
    for (int t = 0; t < VISIT_THREADS; t++)
        TRY(funnel_new(&model->shop, model->shape.cart_days, &threads[t], error));
    for (int32_t i = 0; i < VISIT_PARTITIONS; i++) {
        int rank, thread;
        int32_t p = deal == 1 ? VISIT_PARTITIONS - 1 - i : i;
        visit_deal(deal, p, size, &rank, &thread);
        if (rank != comm_rank(rank_comm()))
            continue;
        TRY(visit_partition_make(model, p, &partition, error));
        TRY(funnel_add(threads[thread], &partition.events, &partition.lines, error));
        visit_partition_free(&partition);
    }
    TRY(funnel_merge(threads[2], &threads[0], error));
    TRY(funnel_merge(threads[2], &threads[1], error));
    CU_ASSERT_PTR_NULL(threads[0]);
    *funnel = threads[2];
    threads[2] = NULL;
out:
    visit_partition_free(&partition);
    for (int t = 0; t < VISIT_THREADS; t++)
        funnel_free(&threads[t]);
    return status;
}

typedef struct Printed {
    Buffer daily, carts;
} Printed;

static void printed_free(Printed *printed)
{
    buffer_free(&printed->daily);
    buffer_free(&printed->carts);
}

static Status run_funnel(const VisitModel *model, Store *store, int deal, Printed *rounded,
                         Printed *exact, Error *error)
{
    Comm *comm = rank_comm();
    Status status = STATUS_OK;
    Funnel *funnel = NULL;
    Table daily = {0}, carts = {0};
    TRY_ALL(comm, fill(model, deal, &funnel, error), error);
    TRY(funnel_daily_rows(comm, funnel, &daily, error));
    CU_ASSERT(daily.rows == 0 || comm_rank(comm) == 0);
    TRY(funnel_carts_rows(comm, store, &model->shop, funnel, &carts, error));
    TRY(visit_print(comm, &daily, false, &rounded->daily, error));
    TRY(visit_print(comm, &carts, false, &rounded->carts, error));
    TRY(visit_print(comm, &daily, true, &exact->daily, error));
    TRY(visit_print(comm, &carts, true, &exact->carts, error));
out:
    funnel_free(&funnel);
    table_free(&daily);
    table_free(&carts);
    return status;
}

static void check_shape(const VisitShape *shape)
{
    Comm *comm = rank_comm();
    Error error = {0};
    VisitModel model;
    Store *store = NULL;
    char folder[MODEL_PATH_SIZE];
    Printed expected = {{0}, {0}}, first = {{0}, {0}}, rounded = {{0}, {0}}, exact = {{0}, {0}};
    Status status = comm_agree(comm, visit_model_make(shape, 5, &model, &error), &error);
    bool has_folder = status == STATUS_OK && model_make_folder(comm, folder);
    CU_ASSERT(has_folder);
    if (has_folder)
        status = visit_store(comm, folder, &model, &store, &error);
    expect_daily(&model, &expected.daily);
    expect_carts(&model, &expected.carts);
    for (int deal = 0; deal < VISIT_DEALS && store && status == STATUS_OK; deal++) {
        status = run_funnel(&model, store, deal, &rounded, &exact, &error);
        CU_ASSERT(visit_same_text(shape->name, &rounded.daily, &expected.daily));
        CU_ASSERT(visit_same_text(shape->name, &rounded.carts, &expected.carts));
        if (deal == 0)
            (void)run_funnel(&model, store, deal, &rounded, &first, &error);
        CU_ASSERT(visit_same_text(shape->name, &exact.daily, &first.daily));
        CU_ASSERT(visit_same_text(shape->name, &exact.carts, &first.carts));
    }
    CU_ASSERT_EQUAL(status, STATUS_OK);
    if (status != STATUS_OK)
        fprintf(stderr, "%s: %s\n", shape->name, error.message);
    store_close(comm, &store);
    if (has_folder)
        CU_ASSERT(model_remove_folder(comm, folder));
    printed_free(&expected);
    printed_free(&first);
    printed_free(&rounded);
    printed_free(&exact);
    visit_model_free(&model);
}

static const VisitShape nothing = {.name = "nothing",
                                   .customers = 3,
                                   .products = 2,
                                   .n_days = 1,
                                   .sales_days = 1,
                                   .batches = 1,
                                   .cart_days = 30};

static void test_funnel_of_many_shapes(void)
{
    VisitShape mixed = {.name = "mixed",
                        .customers = 60,
                        .products = 25,
                        .events = 1500,
                        .lines = 700,
                        .first_day = 19000,
                        .n_days = 60,
                        .sales_first = 19005,
                        .sales_days = 50,
                        .batches = 3,
                        .cart_days = 30,
                        .anonymous = 0.2,
                        .no_product = 0.05,
                        .carts = 0.3};
    VisitShape events_only = mixed, orders_only = mixed, one = mixed, hot = mixed, early = mixed;
    VisitShape full_carts = mixed, short_window = mixed, anonymous = mixed, no_products = mixed;
    VisitShape few_days = mixed;
    events_only.name = "events only";
    events_only.lines = 0;
    orders_only.name = "orders only";
    orders_only.events = 0;
    one.name = "one event";
    one.events = one.customers = 1;
    one.lines = 0;
    one.carts = 1;
    hot.name = "one customer has almost all";
    hot.hot = 0.97;
    hot.carts = 0.6;
    early.name = "events far from the orders, before 1970";
    early.first_day = -40000;
    early.sales_first = -1;
    early.cart_days = 100000;
    early.batches = 1;
    full_carts.name = "full carts without a price";
    full_carts.customers = 4;
    full_carts.products = 90;
    full_carts.lines = 60;
    full_carts.carts = 0.5;
    full_carts.has_no_checkout = full_carts.has_no_price = true;
    short_window.name = "short window";
    short_window.cart_days = 1;
    short_window.sales_days = 20;
    few_days.name = "few days";
    few_days.n_days = few_days.sales_days = 3;
    few_days.sales_first = few_days.first_day;
    anonymous.name = "anonymous orders";
    anonymous.anonymous = 1;
    no_products.name = "no products";
    no_products.no_product = 1;
    const VisitShape shapes[] = {nothing,      mixed,     events_only, orders_only,
                                 one,          hot,       early,       full_carts,
                                 short_window, anonymous, few_days,    no_products};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_shape(&shapes[i]);
}

/* ---- one partition by hand ---- */

enum { LONG_PRODUCTS = 20000, LONG_EVENTS = 200000, LONG_LINES = 400000 };

/* One customer adds a product and checks out, again and again, and buys as often: any cost that
 * grows with what is in the history times what comes next would not end. */
static void test_a_long_history(void)
{
    Error error = {0};
    VisitShape shape = nothing;
    VisitModel model;
    Funnel *funnel = NULL;
    VisitPartition partition = {.events = {.n = 0}};
    Table daily = {0};
    shape.products = LONG_PRODUCTS;
    shape.customers = 1;
    shape.events = LONG_EVENTS;
    shape.lines = LONG_LINES;
    Status status = visit_model_make(&shape, 1, &model, &error);
    for (int64_t i = 0; i < LONG_EVENTS; i++) {
        VisitEvent *event = &model.events[i];
        event->ts_us = i;
        event->kind = i % 2 == 0 && i < LONG_EVENTS / 2 ? 3 : 1;
        event->product = (int32_t)(i * 7 % LONG_PRODUCTS);
        event->day = (int32_t)(i % 300);
    }
    for (int64_t i = 0; i < LONG_LINES; i++) {
        model.lines[i].product = (int32_t)(i % LONG_PRODUCTS);
        model.lines[i].day = (int32_t)(i % 700);
    }
    if (status == STATUS_OK)
        status = funnel_new(&model.shop, 30, &funnel, &error);
    if (status == STATUS_OK)
        status = visit_partition_make(&model, 0, &partition, &error);
    if (status == STATUS_OK && comm_rank(rank_comm()) == 0)
        status = funnel_add(funnel, &partition.events, &partition.lines, &error);
    if (comm_agree(rank_comm(), status, &error) == STATUS_OK)
        status = funnel_daily_rows(rank_comm(), funnel, &daily, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    CU_ASSERT_EQUAL(daily.rows, comm_rank(rank_comm()) == 0 ? 300 : 0);
    funnel_free(&funnel);
    visit_partition_free(&partition);
    table_free(&daily);
    visit_model_free(&model);
}

/* Events on the first and last day that there can be. */
static void test_odd_days_cost_little(void)
{
    static const int32_t days[] = {INT32_MIN + 1, 0, INT32_MAX}, none[] = {0, 0, 0};
    static const int64_t times[] = {1, 2, 3};
    static const int8_t kinds[] = {0, 1, 3};
    Comm *comm = rank_comm();
    Error error = {0};
    VisitModel model;
    Funnel *funnel = NULL;
    Table rows = {0};
    Events events = {
        .n = 3, .customer = none, .ts_us = times, .day = days, .kind = kinds, .product = none};
    OrderLines lines = {.n = 0};
    Status status = visit_model_make(&nothing, 1, &model, &error);
    int64_t before = mem_live_bytes();
    if (status == STATUS_OK)
        status = funnel_new(&model.shop, 30, &funnel, &error);
    if (status == STATUS_OK)
        status = funnel_add(funnel, &events, &lines, &error);
    CU_ASSERT(mem_live_bytes() - before < 1 << 20);
    if (comm_agree(comm, status, &error) == STATUS_OK)
        status = funnel_daily_rows(comm, funnel, &rows, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    CU_ASSERT_EQUAL(rows.rows, comm_rank(comm) == 0 ? 3 : 0);
    for (int64_t i = 0; i < rows.rows; i++)
        CU_ASSERT_EQUAL(((int32_t *)rows.columns[0].data)[i], days[i]);
    funnel_free(&funnel);
    table_free(&rows);
    visit_model_free(&model);
}

/* ---- damage ---- */

static void test_codes_that_there_are_not(void)
{
    static const int64_t times[] = {1};
    Error error = {0};
    VisitModel model;
    Funnel *funnel = NULL;
    OrderLines lines = {.partition = 3};
    Status status = visit_model_make(&nothing, 1, &model, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    CU_ASSERT_EQUAL(funnel_new(&model.shop, 30, &funnel, &error), STATUS_OK);
    for (int wrong = 0; funnel && wrong < 5; wrong++) {
        int32_t day = 1, customer = wrong == 0 ? -1 : 0;
        int32_t product = wrong == 1 ? 2 : wrong == 2 ? -2 : -1;
        int8_t kind = wrong == 3 ? 4 : wrong == 4 ? -1 : 0;
        Events events = {.n = 1,
                         .customer = &customer,
                         .ts_us = times,
                         .day = &day,
                         .kind = &kind,
                         .product = &product};
        CU_ASSERT_EQUAL(funnel_add(funnel, &events, &lines, &error), STATUS_IO);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "partition 3"));
    }
    funnel_free(&funnel);
    visit_model_free(&model);
}

/* Events of a customer whose id is nowhere, on the last rank: an error on every rank. */
static void test_a_customer_without_an_id(void)
{
    static const int64_t times[] = {1};
    static const int32_t product[] = {0}, day[] = {1}, customer[] = {77};
    static const int8_t kind[] = {1};
    Comm *comm = rank_comm();
    Error error = {0};
    VisitModel model;
    Funnel *funnel = NULL;
    Store *store = NULL;
    Table rows = {0};
    char folder[MODEL_PATH_SIZE];
    Events events = {.n = comm_rank(comm) == comm_size(comm) - 1,
                     .customer = customer,
                     .ts_us = times,
                     .day = day,
                     .kind = kind,
                     .product = product};
    OrderLines lines = {.partition = 3};
    Status status = visit_model_make(&nothing, 1, &model, &error);
    if (status == STATUS_OK)
        status = funnel_new(&model.shop, 30, &funnel, &error);
    if (status == STATUS_OK)
        status = funnel_add(funnel, &events, &lines, &error);
    status = comm_agree(comm, status, &error);
    bool has_folder = status == STATUS_OK && model_make_folder(comm, folder);
    CU_ASSERT(has_folder);
    if (has_folder)
        status = visit_store(comm, folder, &model, &store, &error);
    if (has_folder && status == STATUS_OK) {
        status = funnel_carts_rows(comm, store, &model.shop, funnel, &rows, &error);
        CU_ASSERT_EQUAL(status, STATUS_IO);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "customer 77"));
    }
    store_close(comm, &store);
    if (has_folder)
        CU_ASSERT(model_remove_folder(comm, folder));
    funnel_free(&funnel);
    table_free(&rows);
    visit_model_free(&model);
}

CU_TestInfo funnel_tests[] = {
    {"funnel of many shapes", test_funnel_of_many_shapes},
    {"a long history", test_a_long_history},
    {"odd days cost little", test_odd_days_cost_little},
    {"codes that there are not", test_codes_that_there_are_not},
    {"a customer without an id", test_a_customer_without_an_id},
    CU_TEST_INFO_NULL,
};
