/* Interactions of random shops against plain loops over everything that happened. */
#include "recommend/interactions.h"

#include "base/memory.h"
#include "rank/history_model.h"
#include "rank/suites.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is asked of a shop. */
typedef struct Question {
    InteractionOptions options;
    int32_t from, until;
} Question;

/* ---- the naive account ---- */

static bool is_inside(const Question *question, int32_t day)
{
    return day >= question->from && day < question->until;
}

static double aged(const Question *question, double weight, int32_t day)
{
    double half_life = question->options.half_life_days;
    return half_life > 0 ? weight * pow(0.5, (question->until - 1 - day) / half_life) : weight;
}

/* Whether the order of line i has an earlier line that says the same. */
static bool is_repeated(const HistoryModel *model, const Question *question, int64_t i)
{
    const ModelLine *lines = model->orders.lines;
    for (int64_t j = 0; j < i; j++) {
        if (lines[j].order == lines[i].order && lines[j].product == lines[i].product &&
            history_counts(&lines[j], question->from, question->until))
            return true;
    }
    return false;
}

typedef struct Pair {
    double value; /* not capped */
    int64_t orders, carts, views, reviews, given, units;
    bool is_returned;
} Pair;

static void add_lines(const HistoryModel *model, const Question *question, int32_t customer,
                      int32_t product, Pair *pair)
{
    for (int64_t i = 0; i < model->orders.n; i++) {
        const ModelLine *line = &model->orders.lines[i];
        if (line->customer != customer || line->product != product || !line->in_force ||
            !is_inside(question, line->day))
            continue;
        if (line->quantity < 0) {
            pair->units += line->quantity;
            pair->is_returned = true;
        } else if (history_counts(line, question->from, question->until)) {
            pair->units += line->quantity;
            if (is_repeated(model, question, i))
                continue;
            pair->orders++;
            pair->value += aged(question, question->options.weight_order, line->day);
        }
    }
}

static Pair pair_of(const HistoryModel *model, const Question *question, int32_t customer,
                    int32_t product)
{
    const InteractionOptions *options = &question->options;
    Pair pair = {.value = 0};
    add_lines(model, question, customer, product, &pair);
    for (int64_t i = 0; i < model->n_events; i++) {
        const HistoryEvent *event = &model->events[i];
        double weight = event->kind == 0   ? options->weight_view
                        : event->kind == 1 ? options->weight_cart
                                           : 0;
        if (event->customer != customer || event->product != product || weight <= 0 ||
            !is_inside(question, event->day))
            continue;
        pair.value += aged(question, weight, event->day);
        pair.views += event->kind == 0;
        pair.carts += event->kind == 1;
    }
    for (int64_t i = 0; i < model->n_reviews && options->weight_review > 0; i++) {
        const HistoryReview *review = &model->reviews[i];
        if (review->customer != customer || review->product != product ||
            !is_inside(question, review->day) || review->rating < options->least_rating)
            continue;
        pair.value += aged(question, options->weight_review, review->day);
        pair.reviews++;
    }
    for (int64_t i = 0; i < model->n_pairs; i++) {
        const HistoryPair *given = &model->pairs[i];
        double weight = options->weight_pair * given->value / 100;
        int32_t day = given->day == DAY_NONE ? question->until - 1 : given->day;
        if (given->customer != customer || given->product != product || weight <= 0 ||
            !is_inside(question, day))
            continue;
        pair.value += aged(question, weight, day);
        pair.given++;
    }
    return pair;
}

static int64_t most_events(const HistoryModel *model, const Question *question, int32_t customer)
{
    int64_t most = 0;
    for (int32_t day = question->from; day < question->until; day++) {
        int64_t n = 0;
        for (int64_t i = 0; i < model->n_events; i++)
            n += model->events[i].customer == customer && model->events[i].day == day;
        most = n > most ? n : most;
    }
    return most;
}

/* What is expected of a whole shop: the value of each customer and product code, 0 for no pair. */
typedef struct Expected {
    double *values; /* [customers x products] */
    InteractionCounts counts;
    Buffer left_out; /* lines, in the order of customer numbers */
} Expected;

/* One customer; returns whether they were left out. */
static bool judge(const HistoryModel *model, const Question *question, int32_t customer,
                  const Pair *pairs, Expected *expected)
{
    const InteractionOptions *options = &question->options;
    char name[MODEL_TEXT_SIZE];
    int64_t bought = 0, events = 0;
    customer_text(customer, name);
    for (int32_t p = 0; p < model->orders.shape.products; p++)
        bought += pairs[p].orders > 0;
    if (options->most_events_a_day > 0)
        events = most_events(model, question, customer);
    if (events > options->most_events_a_day) {
        expected->counts.bots++;
        buffer_printf(&expected->left_out, "%s bot %" PRId64 "\n", name, events);
        return true;
    }
    if (options->most_items > 0 && bought > options->most_items) {
        expected->counts.bulk_buyers++;
        buffer_printf(&expected->left_out, "%s bulk_buyer %" PRId64 "\n", name, bought);
        return true;
    }
    return false;
}

static void expect(const HistoryModel *model, const Question *question, Expected *expected)
{
    int32_t customers = model->orders.shape.customers, products = model->orders.shape.products;
    InteractionCounts *counts = &expected->counts;
    Pair *pairs = mem_new(products, sizeof *pairs);
    bool *has_item = mem_new(products, sizeof *has_item);
    *expected = (Expected){.values = mem_new((int64_t)customers * products, sizeof(double))};
    for (int32_t c = 0; c < customers; c++) {
        int64_t before = counts->pairs;
        for (int32_t p = 0; p < products; p++)
            pairs[p] = pair_of(model, question, c, p);
        bool is_out = judge(model, question, c, pairs, expected);
        for (int32_t p = 0; p < products && !is_out; p++) {
            bool is_gone = question->options.returns_take_away && pairs[p].units <= 0 &&
                           (pairs[p].orders > 0 || pairs[p].is_returned);
            counts->returned_pairs += is_gone && pairs[p].orders > 0;
            if (is_gone || pairs[p].value <= 0)
                continue;
            expected->values[(int64_t)c * products + p] = fmin(pairs[p].value, 1.0);
            counts->pairs++;
            counts->orders += pairs[p].orders;
            counts->carts += pairs[p].carts;
            counts->views += pairs[p].views;
            counts->reviews += pairs[p].reviews;
            counts->given += pairs[p].given;
            has_item[p] = true;
        }
        counts->users += counts->pairs > before;
    }
    for (int32_t p = 0; p < products; p++)
        counts->items += has_item[p];
    mem_free(&pairs);
    mem_free(&has_item);
}

static void expected_free(Expected *expected)
{
    mem_free(&expected->values);
    buffer_free(&expected->left_out);
}

/* ---- comparing ---- */

/* Entries of this rank that are not as `values` has them, and shapes that are not right. */
static int64_t count_differences(const HistoryModel *model, const Shop *shop,
                                 const SparseSide *side, const double *values)
{
    int32_t products = model->orders.shape.products, customers = model->orders.shape.customers;
    int64_t wrong = side->n_columns != products || side->n_rows != customers ||
                    side->n_partitions != MODEL_PARTITIONS;
    for (int32_t p = side->first; p < side->end; p++) {
        const SparseRows *rows = &side->own[p - side->first];
        wrong += rows->first_row != side->bases[p];
        for (int32_t r = 0; r < rows->n_rows; r++) {
            int64_t e = rows->starts[r];
            for (int32_t item = 0; item < products; item++) {
                int32_t product = shop->product.code[item];
                double value = values[(int64_t)history_customer(p, r) * products + product];
                bool is_there = e < rows->starts[r + 1] && rows->columns[e] == item;
                wrong += is_there != (value > 0);
                wrong += is_there && fabs((double)rows->values[e] - value) > 1e-7;
                e += is_there;
            }
            wrong += e != rows->starts[r + 1];
        }
    }
    return wrong;
}

static bool same_counts(const InteractionCounts *a, const InteractionCounts *b)
{
    return a->orders == b->orders && a->carts == b->carts && a->views == b->views &&
           a->reviews == b->reviews && a->given == b->given &&
           a->returned_pairs == b->returned_pairs && a->bulk_buyers == b->bulk_buyers &&
           a->bots == b->bots && a->users == b->users && a->items == b->items &&
           a->pairs == b->pairs;
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The lines of a text, sorted; customer ids in the shops here are digits, then '.'. */
static void sort_lines(const Buffer *text, Buffer *sorted)
{
    char *copy = mem_copy_string(buffer_string(text)), *place = NULL, *lines[512];
    size_t n = 0;
    for (char *line = strtok_r(copy, "\n", &place); line && n < 512;
         line = strtok_r(NULL, "\n", &place))
        lines[n++] = line;
    qsort(lines, n, sizeof *lines, compare_lines);
    for (size_t i = 0; i < n; i++)
        buffer_printf(sorted, "%s\n", lines[i]);
    mem_free(&copy);
}

/* The rows of all ranks in rank order are the expected ones by customer id. */
static Status check_left_out(const Table *rows, const Buffer *expected, Error *error)
{
    Status status = STATUS_OK;
    Buffer own = {0}, sorted = {0}, got = {0};
    char *all = NULL;
    int64_t n = 0;
    for (int64_t i = 0; i < rows->rows; i++) {
        buffer_append_bytes(&own, column_text(table_column_const(rows, "customer"), i));
        buffer_append_string(&own, " ");
        buffer_append_bytes(&own, column_text(table_column_const(rows, "reason"), i));
        buffer_printf(&own, " %" PRId64 "\n",
                      ((const int64_t *)table_column_const(rows, "count")->data)[i]);
    }
    TRY(comm_gather_all(rank_comm(), own.data, own.size, &all, &n, NULL, error));
    buffer_append(&got, all, n);
    sort_lines(expected, &sorted);
    CU_ASSERT_STRING_EQUAL(buffer_string(&got), buffer_string(&sorted));
out:
    mem_free(&all);
    buffer_free(&own);
    buffer_free(&sorted);
    buffer_free(&got);
    return status;
}

static Status check_question(const HistoryModel *model, HistoryStore *store,
                             const Question *question, const char *name, Error *error)
{
    Status status = STATUS_OK;
    SparseSide users = {0};
    Table left_out = {0};
    InteractionCounts counts;
    Expected expected;
    expect(model, question, &expected);
    TRY(interactions_read(rank_comm(), store->store, &store->shop, &question->options,
                          question->from, question->until, &users, &left_out, &counts, error));
    int64_t wrong = count_differences(model, &store->shop, &users, expected.values);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(same_counts(&counts, &expected.counts));
    if (wrong > 0 || !same_counts(&counts, &expected.counts))
        (void)fprintf(stderr, "%s: %" PRId64 " entries differ\n", name, wrong);
    TRY(check_left_out(&left_out, &expected.left_out, error));
    sparse_side_free(&users);
    TRY(interactions_read(rank_comm(), store->store, &store->shop, &question->options,
                          question->from, question->until, &users, NULL, &counts, error));
    CU_ASSERT(same_counts(&counts, &expected.counts));
out:
    sparse_side_free(&users);
    table_free(&left_out);
    expected_free(&expected);
    return status;
}

/* ---- shapes ---- */

static const ShopShape mixed = {.name = "mixed",
                                .customers = 37,
                                .orders = 160,
                                .products = 17,
                                .lines_min = 1,
                                .lines_max = 6,
                                .first_day = -20,
                                .n_days = 60,
                                .anonymous = 0.1,
                                .returns = 0.2,
                                .cancelled = 0.1,
                                .replaced = 0.2,
                                .batches = 2};

typedef Status Check(const HistoryModel *model, HistoryStore *store, const char *name,
                     Error *error);

static void with_store(const ShopShape *shape, int64_t events, int64_t reviews, Check *check)
{
    Comm *comm = rank_comm();
    Error error = {0};
    HistoryModel model;
    HistoryStore store;
    history_model_make(shape, events, reviews, 11, &model);
    Status status = history_store_make(comm, &model, &store, &error);
    if (status == STATUS_OK)
        status = check(&model, &store, shape->name, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    if (status != STATUS_OK)
        (void)fprintf(stderr, "%s: %s\n", shape->name, error.message);
    history_store_remove(comm, &store);
    history_model_free(&model);
}

static Status ask_all(const HistoryModel *model, HistoryStore *store, const char *name,
                      Error *error)
{
    Status status = STATUS_OK;
    Question all = {.options = interactions_default(), .from = -1000, .until = 1000};
    Question window = all, no_returns = all, aged_ones = all, views_alone = all, left_out = all;
    Question nothing = all;
    window.from = -5;
    window.until = 21;
    Question given_alone = window;
    no_returns.options.returns_take_away = false;
    aged_ones.options.half_life_days = 9.5;
    aged_ones.from = -20;
    aged_ones.until = 41;
    aged_ones.options.weight_order = 0.4;
    views_alone.options = (InteractionOptions){.weight_view = 0.25, .returns_take_away = true};
    given_alone.options = (InteractionOptions){.weight_pair = 0.5, .half_life_days = 7};
    left_out.options.most_items = 6;
    left_out.options.most_events_a_day = 3;
    nothing.until = nothing.from;
    const Question questions[] = {all,         window,   no_returns, aged_ones,
                                  views_alone, left_out, nothing,    given_alone};
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
        TRY(check_question(model, store, &questions[i], name, error));
out:
    return status;
}

static void test_many_shapes(void)
{
    ShopShape one = mixed, empty = mixed, anonymous = mixed, few = mixed;
    one.name = "one customer";
    one.customers = one.batches = 1;
    one.replaced = 0;
    empty.name = "nobody orders";
    empty.orders = 0;
    empty.batches = 1;
    anonymous.name = "anonymous";
    anonymous.anonymous = 1;
    few.name = "three orders";
    few.orders = 3;
    with_store(&mixed, 400, 150, ask_all);
    with_store(&mixed, 0, 0, ask_all);
    with_store(&one, 60, 20, ask_all);
    with_store(&empty, 90, 30, ask_all);
    with_store(&anonymous, 0, 30, ask_all);
    with_store(&few, 5, 0, ask_all);
}

static Status ask_nothing(const HistoryModel *model, HistoryStore *store, const char *name,
                          Error *error)
{
    Status status = STATUS_OK;
    SparseSide users = {0};
    InteractionCounts counts;
    InteractionOptions options = interactions_default();
    (void)model, (void)name;
    TRY(interactions_read(rank_comm(), store->store, &store->shop, &options, INT32_MIN, INT32_MAX,
                          &users, NULL, &counts, error));
    CU_ASSERT(users.n_rows == 0 && users.n_columns == 0 && counts.pairs == 0);
out:
    sparse_side_free(&users);
    return status;
}

static void test_empty_shop(void)
{
    static const ShopShape nothing = {.name = "nothing", .batches = 1, .n_days = 1};
    with_store(&nothing, 0, 0, ask_nothing);
}

/* ---- what was bought, and differences ---- */

/* values := 1 for each customer and product with a kept sale in the window. */
static void expect_bought(const HistoryModel *model, int32_t from, int32_t until, double *values)
{
    int32_t products = model->orders.shape.products;
    memset(values, 0, (size_t)model->orders.shape.customers * (size_t)products * sizeof *values);
    for (int64_t i = 0; i < model->orders.n; i++) {
        const ModelLine *line = &model->orders.lines[i];
        if (line->customer >= 0 && history_counts(line, from, until))
            values[(int64_t)line->customer * products + line->product] = 1;
    }
}

static Status check_differences(const HistoryModel *model, HistoryStore *store, const char *name,
                                Error *error)
{
    Status status = STATUS_OK;
    Comm *comm = rank_comm();
    int32_t products = model->orders.shape.products, customers = model->orders.shape.customers;
    int64_t n = (int64_t)products * customers;
    double *before = mem_new(n, sizeof *before), *after = mem_new(n, sizeof *after);
    double *wanted = mem_new(n, sizeof *wanted);
    bool *known = mem_new(products, sizeof *known);
    SparseSide train = {0}, truth = {0}, rest = {0}, of_users = {0};
    (void)name;
    expect_bought(model, -1000, 15, before);
    expect_bought(model, 15, 1000, after);
    for (int32_t item = 0; item < products; item++)
        known[item] = item % 5 != 2;
    TRY(interactions_bought(comm, store->store, &store->shop, INT32_MIN, 15, NULL, &train, error));
    CU_ASSERT_EQUAL(count_differences(model, &store->shop, &train, before), 0);
    TRY(interactions_bought(comm, store->store, &store->shop, 15, INT32_MAX, known, &truth, error));
    for (int64_t i = 0; i < n; i++)
        after[i] = known[store->shop.product.place[i % products]] ? after[i] : 0;
    CU_ASSERT_EQUAL(count_differences(model, &store->shop, &truth, after), 0);
    TRY(interactions_except(comm, &truth, &train, &rest, error));
    for (int64_t i = 0; i < n; i++)
        wanted[i] = before[i] > 0 ? 0 : after[i];
    CU_ASSERT_EQUAL(count_differences(model, &store->shop, &rest, wanted), 0);
    TRY(interactions_of_users(comm, &truth, &train, &of_users, error));
    for (int64_t i = 0; i < n; i++) {
        double any = 0;
        for (int32_t p = 0; p < products; p++)
            any += before[i / products * products + p];
        wanted[i] = any > 0 ? after[i] : 0;
    }
    CU_ASSERT_EQUAL(count_differences(model, &store->shop, &of_users, wanted), 0);
out:
    sparse_side_free(&train);
    sparse_side_free(&truth);
    sparse_side_free(&rest);
    sparse_side_free(&of_users);
    mem_free(&before);
    mem_free(&after);
    mem_free(&wanted);
    mem_free(&known);
    return status;
}

static void test_differences(void)
{
    ShopShape sparse = mixed;
    sparse.orders = 25;
    with_store(&mixed, 0, 0, check_differences);
    with_store(&sparse, 0, 0, check_differences);
}

/* ---- damage ---- */

/* Each rank says the same where one partition holds what there is not. */
static void check_damage(HistoryModel *model, const char *says)
{
    Comm *comm = rank_comm();
    Error error = {0};
    HistoryStore store;
    SparseSide users = {0};
    InteractionCounts counts;
    InteractionOptions options = interactions_default();
    CU_ASSERT_EQUAL(history_store_make(comm, model, &store, &error), STATUS_OK);
    CU_ASSERT_EQUAL(interactions_read(comm, store.store, &store.shop, &options, INT32_MIN,
                                      INT32_MAX, &users, NULL, &counts, &error),
                    STATUS_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.message, says));
    CU_ASSERT_PTR_NULL(users.own);
    history_store_remove(comm, &store);
}

static void test_damage(void)
{
    for (int wrong = 0; wrong < 6; wrong++) {
        static const char *const says[] = {
            "event of kind 4",      "events of customer 5",       "events hold product code 17",
            "reviews hold product", "pairs hold product code 17", "pairs of customer 5"};
        HistoryModel model;
        history_model_make(&mixed, 100, 100, 3, &model);
        if (wrong == 0)
            model.events[50].kind = 4;
        else if (wrong == 1)
            model.events[50].customer = 5 * MODEL_PARTITIONS + 3;
        else if (wrong == 2)
            model.events[50].product = 17;
        else if (wrong == 3)
            model.reviews[50].product = -1;
        else if (wrong == 4)
            model.pairs[50].product = 17;
        else
            model.pairs[50].customer = 5 * MODEL_PARTITIONS + 3;
        check_damage(&model, says[wrong]);
        history_model_free(&model);
    }
}

CU_TestInfo interactions_tests[] = {
    {"many shapes", test_many_shapes},
    {"empty shop", test_empty_shop},
    {"differences", test_differences},
    {"damage", test_damage},
    CU_TEST_INFO_NULL,
};
