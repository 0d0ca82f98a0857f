/* Items that the same customers bought, against counting all pairs in the dense matrix. */
#include "recommend/item_lists.h"

#include "base/hash.h"
#include "base/memory.h"
#include "rank/row_text.h"
#include "sparse_model.h"
#include "suites.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A shop whose products have ids of three digits, in order; codes run the other way. */
static void make_shop(int32_t n_items, Shop *shop)
{
    static const ColumnSpec column = {"text", COLUMN_TEXT, UNIT_NONE};
    Error error = {0};
    Table texts;
    memset(shop, 0, sizeof *shop);
    table_init(&texts, &column, 1);
    for (int32_t i = n_items - 1; i >= 0; i--) {
        char id[16];
        (void)snprintf(id, sizeof id, "%03d", (int)i);
        CU_ASSERT_EQUAL(table_add_row(&texts, &error), STATUS_OK);
        CU_ASSERT_EQUAL(table_set_last_text(&texts, &texts.columns[0], bytes_of(id), &error),
                        STATUS_OK);
    }
    CU_ASSERT_EQUAL(names_make(&shop->product, &texts, &error), STATUS_OK);
    table_free(&texts);
}

typedef struct Plain {
    const float *dense; /* [n_users x n_items] */
    int32_t n_users, n_items;
    const ItemListOptions *options;
} Plain;

static int64_t count_both(const Plain *plain, int32_t a, int32_t b)
{
    int64_t n = 0;
    for (int64_t u = 0; u < plain->n_users; u++)
        n += plain->dense[u * plain->n_items + a] != 0 && plain->dense[u * plain->n_items + b] != 0;
    return n;
}

static int64_t count_active(const Plain *plain)
{
    int64_t n = 0;
    for (int64_t u = 0; u < plain->n_users; u++) {
        bool is_active = false;
        for (int32_t i = 0; i < plain->n_items; i++)
            is_active |= plain->dense[u * plain->n_items + i] != 0;
        n += is_active;
    }
    return n;
}

/* The companion of `item` with the greatest score that is not taken yet, the first of equal ones;
 * -1: no more. */
static int32_t next_companion(const Plain *plain, int32_t item, const bool *is_taken, double *score)
{
    int32_t best = -1;
    *score = -1;
    for (int32_t other = 0; other < plain->n_items; other++) {
        int64_t both = count_both(plain, item, other);
        if (other == item || is_taken[other] || both < plain->options->least ||
            (plain->options->is_shown != NULL && !plain->options->is_shown[other]))
            continue;
        double cosine = (double)both / sqrt((double)count_both(plain, item, item) *
                                            (double)count_both(plain, other, other));
        if (cosine > *score) {
            *score = cosine;
            best = other;
        }
    }
    return best;
}

static void write_all(const Plain *plain, Buffer *text)
{
    for (int32_t item = 0; item < plain->n_items; item++) {
        bool *is_taken = mem_new(plain->n_items, sizeof *is_taken);
        double score;
        for (int k = 0; k < plain->options->length; k++) {
            int32_t other = next_companion(plain, item, is_taken, &score);
            if (other < 0)
                break;
            is_taken[other] = true;
            double both = (double)count_both(plain, item, other);
            double chance =
                (double)count_both(plain, item, item) * (double)count_both(plain, other, other);
            buffer_printf(text, "%03d %d %03d %.0f ", (int)item, k + 1, (int)other, both);
            row_text_number(text, both * (double)count_active(plain) / chance);
            buffer_append_string(text, " ");
            row_text_number(text, score);
            buffer_append_string(text, "\n");
        }
        mem_free(&is_taken);
    }
}

static void check(const SparseModel *model, const ItemListOptions *options, int64_t least_bytes)
{
    Comm *comm = rank_comm();
    Error error = {0};
    SparseSide users = {0}, items = {0};
    Table rows = {0};
    Buffer wanted = {0};
    Shop shop;
    Plain plain = {.n_items = model->n_items, .options = options};
    float *dense = sparse_model_dense(model, &plain.n_users);
    plain.dense = dense;
    make_shop(model->n_items, &shop);
    write_all(&plain, &wanted);
    CU_ASSERT(wanted.size >= least_bytes);
    CU_ASSERT_EQUAL(sparse_model_users(comm, model, &users, &error), STATUS_OK);
    CU_ASSERT_EQUAL(sparse_transpose(comm, &users, &items, &error), STATUS_OK);
    CU_ASSERT_EQUAL(item_lists_rows(comm, &shop, &users, &items, options, &rows, &error),
                    STATUS_OK);
    char *got = row_text_gather(&rows);
    CU_ASSERT_STRING_EQUAL(got, buffer_string(&wanted));
    mem_free(&got);
    mem_free(&dense);
    buffer_free(&wanted);
    table_free(&rows);
    sparse_side_free(&users);
    sparse_side_free(&items);
    names_free(&shop.product);
}

static const SparseModel model = {
    .n_partitions = 8, .users_most = 10, .n_items = 30, .items_most = 12, .seed = 4};

static void test_lists(void)
{
    bool is_shown[30];
    for (int i = 0; i < 30; i++)
        is_shown[i] = i % 3 != 1;
    ItemListOptions options = {.length = 5, .least = 2, .threads = 1};
    check(&model, &options, 100);
    options.threads = 3;
    options.is_shown = is_shown;
    check(&model, &options, 100);
    options.least = 1;
    options.length = 40; /* more than there are */
    options.memory = 1;
    check(&model, &options, 100);
    options.least = 1000;
    check(&model, &options, 0);
}

static void test_shapes(void)
{
    static const SparseModel models[] = {
        {.n_partitions = 4, .users_most = 0, .n_items = 5, .items_most = 2, .seed = 1},
        {.n_partitions = 4, .users_most = 3, .n_items = 0, .items_most = 0, .seed = 2},
        {.n_partitions = 1, .users_most = 1, .n_items = 1, .items_most = 1, .seed = 4},
        {.n_partitions = 2, .users_most = 1, .n_items = 9, .items_most = 40, .seed = 5},
    };
    ItemListOptions options = {.length = 3, .least = 1, .threads = 2};
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        check(&models[i], &options, 0);
}

CU_TestInfo item_lists_tests[] = {
    {"all pairs counted", test_lists}, {"edge shapes", test_shapes}, CU_TEST_INFO_NULL};
