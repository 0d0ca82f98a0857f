/* HeldOut: a share of plain pairs, and the last days and last orders of random shops, against plain
 * loops. */
#include "recommend/held_out.h"

#include "base/memory.h"
#include "rank/history_model.h"
#include "sparse_model.h"
#include "suites.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- what any HeldOut must hold to ---- */

/* Entries of a row of a side, as a dense line. */
static void spread(const SparseRows *rows, int32_t row, int32_t n, float *line)
{
    memset(line, 0, (size_t)n * sizeof *line);
    for (int64_t e = rows->starts[row]; e < rows->starts[row + 1]; e++)
        line[rows->columns[e]] = rows->values[e];
}

static void count_row(const SparseRows *rows, int32_t row, int64_t *users, int64_t *pairs)
{
    int64_t n = rows->starts[row + 1] - rows->starts[row];
    *users += n > 0;
    *pairs += n;
}

/* What it says of itself is so. */
static void check_counts(const HeldOut *held)
{
    Comm *comm = rank_comm();
    int32_t n = held->users.n_columns;
    int64_t sums[2 + 2 * PROTOCOLS] = {0}, wrong = 0, known = 0;
    int64_t *having = mem_new((int64_t)n + 1, sizeof *having);
    for (int32_t p = 0; p < held->users.end - held->users.first; p++) {
        const SparseRows *rows = &held->users.own[p];
        for (int32_t r = 0; r < rows->n_rows; r++) {
            count_row(rows, r, &sums[0], &sums[1]);
            for (int64_t e = rows->starts[r]; e < rows->starts[r + 1]; e++)
                having[rows->columns[e]]++;
            for (int t = 0; t < PROTOCOLS; t++) {
                if (held->truth[t].own != NULL)
                    count_row(&held->truth[t].own[p], r, &sums[2 + 2 * t], &sums[3 + 2 * t]);
            }
        }
    }
    comm_sum_i64(comm, sums, 2 + 2 * PROTOCOLS);
    comm_sum_i64(comm, having, n);
    for (int32_t i = 0; i < n; i++) {
        known += having[i] > 0;
        wrong += held->is_known[i] != (having[i] > 0);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(held->train_items, known);
    CU_ASSERT(held->train_users == sums[0] && held->train_pairs == sums[1]);
    for (int t = 0; t < PROTOCOLS; t++) {
        CU_ASSERT_EQUAL(held->test_users[t], sums[2 + 2 * t]);
        CU_ASSERT_EQUAL(held->test_pairs[t], sums[3 + 2 * t]);
    }
    CU_ASSERT(held->items.n_rows == n && held->items.n_columns == held->users.n_rows);
    int64_t entries = 0;
    for (int32_t p = 0; p < held->items.end - held->items.first; p++)
        entries += sparse_entries(&held->items.own[p]);
    comm_sum_i64(comm, &entries, 1);
    CU_ASSERT_EQUAL(entries, held->train_pairs);
    mem_free(&having);
}

/* ---- a share of plain pairs ---- */

/* Mark the pairs [users x items] that are held out, on every rank; each pair of `dense` is in one
 * of both with its value. Collective. */
static int64_t *marks_of(const HeldOut *held, const float *dense)
{
    const SparseSide *users = &held->users, *truth = &held->truth[PROTOCOL_DISCOVER];
    int64_t n = users->n_columns, wrong = 0;
    int64_t *marks = mem_new(users->n_rows * n + 1, sizeof *marks);
    float *train = mem_new(n, sizeof *train), *test = mem_new(n, sizeof *test);
    for (int32_t p = 0; p < users->end - users->first; p++) {
        const SparseRows *rows = &users->own[p];
        wrong += truth->own[p].n_rows != rows->n_rows;
        for (int32_t r = 0; r < rows->n_rows; r++) {
            int64_t user = rows->first_row + r;
            spread(rows, r, users->n_columns, train);
            spread(&truth->own[p], r, users->n_columns, test);
            for (int64_t i = 0; i < n; i++) {
                wrong +=
                    (train[i] != 0 && test[i] != 0) || train[i] + test[i] != dense[user * n + i];
                marks[user * n + i] = test[i] != 0;
            }
        }
    }
    comm_sum_i64(rank_comm(), marks, users->n_rows * n);
    CU_ASSERT_EQUAL(wrong, 0);
    mem_free(&train);
    mem_free(&test);
    return marks;
}

/* What is held out of a dense matrix, spread over so many partitions. Collective. */
static int64_t *hold_out(const float *dense, int32_t n_users, int32_t n_items, int32_t partitions,
                         double share, uint64_t seed)
{
    Comm *comm = rank_comm();
    Error error = {0};
    SparseSide users = {0};
    HeldOut held;
    int64_t *marks = NULL;
    CU_ASSERT_EQUAL(
        sparse_model_of_dense(comm, dense, n_users, n_items, partitions, &users, &error),
        STATUS_OK);
    Status status = held_out_share(comm, &users, share, seed, &held, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    if (status == STATUS_OK) {
        check_counts(&held);
        CU_ASSERT(held.truth[PROTOCOL_AGAIN].own == NULL && held.unknown_users == 0);
        marks = marks_of(&held, dense);
    }
    held_out_free(&held);
    sparse_side_free(&users);
    return marks;
}

static int64_t sum_of(const int64_t *marks, int64_t n)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += marks[i];
    return sum;
}

static void test_share(void)
{
    enum { USERS = 130, ITEMS = 60 };
    static float dense[USERS * ITEMS];
    int64_t n = 0;
    for (int32_t i = 0; i < USERS * ITEMS; i++) {
        dense[i] = i % 7 < 4 ? (float)(1 + i % 5) / 4 : 0;
        n += dense[i] != 0;
    }
    int64_t *marks = hold_out(dense, USERS, ITEMS, 16, .2, 5);
    double deviation = sqrt((double)n * .2 * .8);
    CU_ASSERT(fabs((double)sum_of(marks, USERS * ITEMS) - .2 * (double)n) < 4 * deviation);
    /* Of one partition, which one rank has: the same. */
    int64_t *whole = hold_out(dense, USERS, ITEMS, 1, .2, 5);
    CU_ASSERT_EQUAL(memcmp(marks, whole, sizeof *marks * USERS * ITEMS), 0);
    int64_t *other = hold_out(dense, USERS, ITEMS, 16, .2, 6);
    CU_ASSERT_NOT_EQUAL(memcmp(marks, other, sizeof *marks * USERS * ITEMS), 0);
    /* Another share with the same seed: what was held out still is. */
    int64_t *more = hold_out(dense, USERS, ITEMS, 16, .5, 5);
    int64_t lost = 0;
    for (int64_t i = 0; i < USERS * ITEMS; i++)
        lost += marks[i] > more[i];
    CU_ASSERT_EQUAL(lost, 0);
    int64_t *none = hold_out(dense, USERS, ITEMS, 16, 0, 5);
    int64_t *all = hold_out(dense, USERS, ITEMS, 16, 1, 5);
    CU_ASSERT_EQUAL(sum_of(none, USERS * ITEMS), 0);
    CU_ASSERT_EQUAL(sum_of(all, USERS * ITEMS), n);
    int64_t *lists[] = {marks, whole, other, more, none, all};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        mem_free(&lists[i]);
}

static void test_share_of_little(void)
{
    static const float one[] = {.5F};
    int64_t *marks = hold_out(one, 1, 1, 4, .2, 1);
    mem_free(&marks);
    marks = hold_out(one, 0, 1, 4, .2, 1);
    mem_free(&marks);
    marks = hold_out(one, 3, 0, 4, .2, 1);
    mem_free(&marks);
}

/* ---- shops ---- */

static const ShopShape mixed = {.name = "mixed",
                                .customers = 41,
                                .orders = 150,
                                .products = 23,
                                .lines_min = 1,
                                .lines_max = 5,
                                .first_day = -20,
                                .n_days = 60,
                                .anonymous = 0.1,
                                .returns = 0.2,
                                .cancelled = 0.1,
                                .replaced = 0.2,
                                .batches = 2};

typedef struct Case {
    HistoryModel model;
    HistoryStore store;
    int32_t customers, products;
    double *taken; /* [customers x products] by place: 1 for what is held out */
} Case;

static bool case_open(const ShopShape *shape, Case *the)
{
    Error error = {0};
    *the = (Case){.customers = shape->customers, .products = shape->products};
    history_model_make(shape, 300, 100, 11, &the->model);
    for (int64_t i = 0; i < the->model.orders.n; i++) /* no two orders at one time */
        the->model.orders.lines[i].ts_us += the->model.orders.lines[i].order;
    the->taken = mem_new((int64_t)the->customers * the->products + 1, sizeof *the->taken);
    Status status = history_store_make(rank_comm(), &the->model, &the->store, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    if (status != STATUS_OK)
        (void)fprintf(stderr, "%s: %s\n", shape->name, error.message);
    return status == STATUS_OK;
}

static void case_close(Case *the)
{
    history_store_remove(rank_comm(), &the->store);
    history_model_free(&the->model);
    mem_free(&the->taken);
}

static double *taken_at(const Case *the, const ModelLine *line)
{
    int32_t place = the->store.shop.product.place[line->product];
    return &the->taken[(int64_t)line->customer * the->products + place];
}

static void take_days(Case *the, int32_t from, int32_t until)
{
    memset(the->taken, 0, sizeof *the->taken * (size_t)the->customers * (size_t)the->products);
    for (int64_t i = 0; i < the->model.orders.n; i++) {
        const ModelLine *line = &the->model.orders.lines[i];
        if (line->customer >= 0 && history_counts(line, from, until))
            *taken_at(the, line) = 1;
    }
}

/* Entries that are not what was taken of known items by users with train pairs. */
static int64_t check_row(const Case *the, const HeldOut *held, int32_t p, int32_t row)
{
    int32_t n = the->products;
    int32_t customer = history_customer(held->users.first + p, row);
    int64_t wrong = 0;
    float *train = mem_new(3 * (int64_t)n + 1, sizeof *train), *again = train + n,
          *discover = again + n;
    spread(&held->users.own[p], row, n, train);
    spread(&held->truth[PROTOCOL_AGAIN].own[p], row, n, again);
    spread(&held->truth[PROTOCOL_DISCOVER].own[p], row, n, discover);
    bool has_train = held->users.own[p].starts[row + 1] > held->users.own[p].starts[row];
    for (int32_t i = 0; i < n; i++) {
        bool is_taken = has_train && held->is_known[i] && the->taken[(int64_t)customer * n + i] > 0;
        wrong += again[i] != (is_taken ? 1 : 0);
        wrong += discover[i] != (is_taken && train[i] == 0 ? 1 : 0);
    }
    mem_free(&train);
    return wrong;
}

/* Customers who took something known, but have no train pairs. Collective. */
static int64_t count_unknown(const Case *the, const HeldOut *held)
{
    int64_t n = 0;
    for (int32_t p = 0; p < held->users.end - held->users.first; p++) {
        const SparseRows *rows = &held->users.own[p];
        for (int32_t r = 0; r < rows->n_rows; r++) {
            int64_t customer = history_customer(held->users.first + p, r);
            bool took = false;
            for (int32_t i = 0; i < the->products; i++)
                took |= held->is_known[i] && the->taken[customer * the->products + i] > 0;
            n += took && rows->starts[r + 1] == rows->starts[r];
        }
    }
    comm_sum_i64(rank_comm(), &n, 1);
    return n;
}

static bool same_side(const SparseSide *a, const SparseSide *b)
{
    bool same = a->n_rows == b->n_rows && a->n_columns == b->n_columns && a->first == b->first &&
                a->end == b->end;
    for (int32_t p = 0; same && p < a->end - a->first; p++) {
        const SparseRows *x = &a->own[p], *y = &b->own[p];
        size_t n = (size_t)sparse_entries(x), starts = (size_t)x->n_rows + 1;
        same = x->n_rows == y->n_rows &&
               memcmp(x->starts, y->starts, starts * sizeof *x->starts) == 0 &&
               memcmp(x->columns, y->columns, n * sizeof *x->columns) == 0 &&
               memcmp(x->values, y->values, n * sizeof *x->values) == 0;
    }
    return same;
}

/* Train is as given; truths are what was taken. */
static void check_held(const Case *the, const HeldOut *held, const SparseSide *train)
{
    int64_t wrong = 0;
    CU_ASSERT(same_side(&held->users, train));
    check_counts(held);
    for (int32_t p = 0; p < held->users.end - held->users.first; p++) {
        for (int32_t r = 0; r < held->users.own[p].n_rows; r++)
            wrong += check_row(the, held, p, r);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(held->unknown_users, count_unknown(the, held));
}

static void check_between(Case *the, const InteractionOptions *options, int32_t cut, int32_t until)
{
    Comm *comm = rank_comm();
    Error error = {0};
    SparseSide train = {0};
    HeldOut held;
    InteractionCounts counts;
    const Shop *shop = &the->store.shop;
    take_days(the, cut, until);
    CU_ASSERT_EQUAL(interactions_read(comm, the->store.store, shop, options, shop->first_day, cut,
                                      &train, NULL, &counts, &error),
                    STATUS_OK);
    Status status =
        held_out_between(comm, the->store.store, shop, options, cut, until, &held, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    if (status == STATUS_OK) {
        check_held(the, &held, &train);
        CU_ASSERT_EQUAL(held.interactions.pairs, held.train_pairs);
    }
    held_out_free(&held);
    sparse_side_free(&train);
}

static void test_between(void)
{
    ShopShape few = mixed;
    few.name = "few orders";
    few.orders = 30;
    few.customers = 60;
    const ShopShape *shapes[] = {&mixed, &few};
    for (int s = 0; s < 2; s++) {
        Case the;
        InteractionOptions options = interactions_default(), orders_alone = options;
        orders_alone.weight_cart = orders_alone.weight_view = orders_alone.weight_review = 0;
        orders_alone.weight_pair = 0;
        if (case_open(shapes[s], &the)) {
            check_between(&the, &options, 10, 25);
            check_between(&the, &orders_alone, 10, 1000);
            check_between(&the, &orders_alone, -12, 41);
            check_between(&the, &options, 20, 20);   /* nothing to measure by */
            check_between(&the, &options, -20, 100); /* nothing to learn from */
        }
        case_close(&the);
    }
}

/* From a day on to the end; a day that leaves nothing on one side is told. */
static void test_from_day(void)
{
    Comm *comm = rank_comm();
    Case the;
    InteractionOptions options = interactions_default();
    if (case_open(&mixed, &the)) {
        const Shop *shop = &the.store.shop;
        const int32_t wrong[] = {shop->first_day, shop->last_day + 1, -1000, 1000};
        HeldOut held, between;
        Error error = {0};
        int32_t cut = held_out_last_days(shop, 20);
        CU_ASSERT_EQUAL(cut, shop->last_day - 19);
        CU_ASSERT_EQUAL(
            held_out_from_day(comm, the.store.store, shop, &options, cut, &held, &error),
            STATUS_OK);
        take_days(&the, cut, shop->last_day + 1);
        CU_ASSERT_EQUAL(held_out_between(comm, the.store.store, shop, &options, cut,
                                         shop->last_day + 1, &between, &error),
                        STATUS_OK);
        if (held.users.own != NULL && between.users.own != NULL)
            check_held(&the, &held, &between.users);
        held_out_free(&held);
        held_out_free(&between);
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
            CU_ASSERT_EQUAL(
                held_out_from_day(comm, the.store.store, shop, &options, wrong[i], &held, &error),
                STATUS_INPUT);
            CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "cannot be the first day held out"));
            CU_ASSERT_PTR_NULL(held.users.own);
        }
    }
    case_close(&the);
}

/* ---- last orders ---- */

/* Whether the order of a line is its customer's last with a kept sale. */
static bool is_last(const Case *the, const ModelLine *line)
{
    for (int64_t i = 0; i < the->model.orders.n; i++) {
        const ModelLine *other = &the->model.orders.lines[i];
        if (other->customer == line->customer && history_counts(other, -1000, 1000) &&
            other->ts_us > line->ts_us)
            return false;
    }
    return true;
}

/* What earlier orders held is train, what the last one held is taken. */
static void test_last_baskets(void)
{
    Comm *comm = rank_comm();
    Case the;
    if (case_open(&mixed, &the)) {
        HeldOut held;
        Error error = {0};
        float *before = mem_new((int64_t)the.customers * the.products, sizeof *before);
        int64_t wrong = 0;
        for (int64_t i = 0; i < the.model.orders.n; i++) {
            const ModelLine *line = &the.model.orders.lines[i];
            if (line->customer < 0 || !history_counts(line, -1000, 1000))
                continue;
            if (is_last(&the, line))
                *taken_at(&the, line) = 1;
            else
                before[taken_at(&the, line) - the.taken] = 1;
        }
        CU_ASSERT_EQUAL(
            held_out_last_baskets(comm, the.store.store, &the.store.shop, &held, &error),
            STATUS_OK);
        float *line = mem_new(the.products, sizeof *line);
        for (int32_t p = 0; p < held.users.end - held.users.first; p++) {
            for (int32_t r = 0; r < held.users.own[p].n_rows; r++) {
                int64_t customer = history_customer(held.users.first + p, r);
                spread(&held.users.own[p], r, the.products, line);
                wrong += memcmp(line, before + customer * the.products,
                                sizeof *line * (size_t)the.products) != 0;
            }
        }
        CU_ASSERT_EQUAL(wrong, 0);
        if (held.users.own != NULL)
            check_held(&the, &held, &held.users);
        mem_free(&line);
        mem_free(&before);
        held_out_free(&held);
    }
    case_close(&the);
}

/* A shop in which nobody came back has nothing to measure by. */
static void test_nothing_to_measure_by(void)
{
    Comm *comm = rank_comm();
    Error error = {0};
    ShopShape nobody = mixed;
    Case the;
    HeldOut held;
    InteractionOptions options = interactions_default();
    nobody.orders = 0;
    nobody.batches = 1;
    if (case_open(&nobody, &the)) {
        const Shop *shop = &the.store.shop;
        CU_ASSERT_EQUAL(held_out_last_days(shop, 20), DAY_NONE);
        CU_ASSERT_EQUAL(held_out_from_day(comm, the.store.store, shop, &options, 5, &held, &error),
                        STATUS_INPUT);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "no orders"));
        CU_ASSERT_EQUAL(held_out_last_baskets(comm, the.store.store, shop, &held, &error),
                        STATUS_INPUT);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "nothing to measure by"));
        CU_ASSERT_PTR_NULL(held.users.own);
    }
    case_close(&the);
}

CU_TestInfo held_out_tests[] = {{"a share of plain pairs", test_share},
                                {"a share of little", test_share_of_little},
                                {"between days", test_between},
                                {"from a day on", test_from_day},
                                {"last orders", test_last_baskets},
                                {"nothing to measure by", test_nothing_to_measure_by},
                                CU_TEST_INFO_NULL};
