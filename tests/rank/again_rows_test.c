/* Rows of buy_again: of lists made by hand, each customer's places that were bought before. */
#include "recommend/again_rows.h"

#include "base/hash.h"
#include "base/memory.h"
#include "rank/history_model.h"
#include "rank/row_text.h"
#include "rank/suites.h"

#include <inttypes.h>
#include <math.h>

static const ShopShape mixed = {.name = "mixed",
                                .customers = 41,
                                .orders = 200,
                                .products = 23,
                                .countries = 3,
                                .lines_min = 1,
                                .lines_max = 5,
                                .first_day = 100,
                                .n_days = 90,
                                .anonymous = 0.1,
                                .returns = 0.1,
                                .cancelled = 0.1,
                                .replaced = 0.2,
                                .batches = 2};
enum { PLACES = 7, DAYS = 20, UNTIL = 190 };

typedef struct Case {
    HistoryModel model;
    HistoryStore store;
    SparseSide users;
    TopLists lists;
    Repeat *repeat;
} Case;

/* Any items, each once, the first lists short: bought or not. */
static void make_lists(const SparseSide *users, TopLists *lists)
{
    *lists = (TopLists){.n_users = sparse_own_rows(users), .n = PLACES};
    lists->items = mem_new((int64_t)lists->n_users * PLACES, sizeof *lists->items);
    lists->scores = mem_new((int64_t)lists->n_users * PLACES, sizeof *lists->scores);
    for (int32_t row = 0; row < lists->n_users; row++) {
        int64_t user = sparse_own_first(users) + row;
        uint64_t noise = hash64(&user, sizeof user);
        int length = (int)(user < PLACES ? user : PLACES);
        for (int k = 0; k < PLACES; k++) {
            bool is_there = k < length && k < users->n_columns;
            int64_t at = (int64_t)row * PLACES + k;
            lists->items[at] =
                is_there ? (int32_t)((noise + (uint64_t)k * 5) % (uint64_t)users->n_columns) : -1;
            lists->scores[at] = is_there ? (float)(PLACES - k) / 4 : SCORE_NONE;
        }
    }
}

static Status case_open(const ShopShape *shape, Case *the, Error *error)
{
    Comm *comm = rank_comm();
    Status status;
    RepeatOptions options = repeat_default();
    *the = (Case){.repeat = NULL};
    history_model_make(shape, 0, 0, 5, &the->model);
    TRY(history_store_make(comm, &the->model, &the->store, error));
    TRY(interactions_bought(comm, the->store.store, &the->store.shop, INT32_MIN, UNTIL, NULL,
                            &the->users, error));
    TRY(repeat_learn(comm, the->store.store, &the->store.shop, &the->users, UNTIL, &options,
                     &the->repeat, error));
    make_lists(&the->users, &the->lists);
out:
    return status;
}

static void case_close(Case *the)
{
    top_lists_free(&the->lists);
    repeat_free(&the->repeat);
    sparse_side_free(&the->users);
    history_store_remove(rank_comm(), &the->store);
    history_model_free(&the->model);
}

/* Whether the customer bought the product before UNTIL, and not all of it came back. */
static bool has_bought(const Case *the, int32_t customer, int32_t product)
{
    int64_t units = 0;
    bool is_bought = false;
    for (int64_t i = 0; i < the->model.orders.n; i++) {
        const ModelLine *line = &the->model.orders.lines[i];
        if (line->customer != customer || line->product != product || !line->in_force ||
            line->day >= UNTIL)
            continue;
        bool is_kept = history_counts(line, INT32_MIN, UNTIL);
        is_bought |= is_kept;
        units += is_kept || line->quantity < 0 ? line->quantity : 0;
    }
    return is_bought && units > 0;
}

static void write_user(const Case *the, int32_t p, int32_t row, Buffer *text)
{
    const SparseRows *rows = &the->users.own[p];
    const Names *products = &the->store.shop.product;
    int32_t own = rows->first_row + row - sparse_own_first(&the->users);
    int32_t customer = history_customer(the->users.first + p, row);
    char name[MODEL_TEXT_SIZE];
    int rank = 0;
    customer_text(customer, name);
    for (int k = 0; k < PLACES; k++) {
        int64_t at = (int64_t)own * PLACES + k;
        int32_t item = the->lists.items[at], due_day;
        double probability;
        if (item < 0 || !has_bought(the, customer, products->code[item]))
            continue;
        repeat_due(the->repeat, own, item, DAYS, &due_day, &probability);
        buffer_printf(text, "%s %d ", name, ++rank);
        buffer_append_bytes(text, names_text(products, products->code[item]));
        buffer_printf(text, " %" PRId32 " ", due_day);
        row_text_number(text, probability);
        buffer_append_string(text, " ");
        row_text_number(text, (double)the->lists.scores[at]);
        buffer_append_string(text, "\n");
    }
}

static void check(const ShopShape *shape, int64_t least_bytes)
{
    Case the;
    Error error = {0};
    Buffer own = {0};
    Table rows = {0};
    Status status = case_open(shape, &the, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    if (status == STATUS_OK) {
        for (int32_t p = 0; p < the.users.end - the.users.first; p++) {
            for (int32_t r = 0; r < the.users.own[p].n_rows; r++)
                write_user(&the, p, r, &own);
        }
        char *wanted = row_text_sort(&own);
        CU_ASSERT_EQUAL(again_rows_make(rank_comm(), the.store.store, &the.store.shop, &the.users,
                                        &the.lists, the.repeat, DAYS, &rows, &error),
                        STATUS_OK);
        char *got = row_text_gather(&rows);
        CU_ASSERT_STRING_EQUAL(got, wanted);
        int64_t bytes = own.size;
        comm_sum_i64(rank_comm(), &bytes, 1);
        CU_ASSERT(bytes >= least_bytes);
        mem_free(&wanted);
        mem_free(&got);
    }
    table_free(&rows);
    buffer_free(&own);
    case_close(&the);
}

static void test_rows(void)
{
    check(&mixed, 200);
}

static void test_shapes(void)
{
    ShopShape nobody = mixed, one = mixed;
    nobody.name = "nobody orders";
    nobody.orders = 0;
    nobody.batches = 1;
    one.name = "one customer";
    one.customers = one.batches = 1;
    one.replaced = 0;
    check(&nobody, 0);
    check(&one, 0);
}

CU_TestInfo again_rows_tests[] = {
    {"rows", test_rows}, {"edge shapes", test_shapes}, CU_TEST_INFO_NULL};
