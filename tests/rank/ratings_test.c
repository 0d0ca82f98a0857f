/* product_rating of random shops against plain loops over all reviews and lines; partitions dealt
 * over ranks and accumulators in several ways. */
#include "sales/ratings.h"

#include "base/memory.h"
#include "rank/suites.h"
#include "rank/visit_model.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the naive account ---- */

static bool is_verified(const VisitModel *model, const VisitReview *review)
{
    for (int64_t i = 0; i < model->shape.lines; i++) {
        const VisitLine *line = &model->lines[i];
        if (review->customer >= 0 && line->customer == review->customer &&
            line->product == review->product && line->is_kept && line->day <= review->day)
            return true;
    }
    return false;
}

/* The smaller root of (share - p)^2 = z^2 p (1 - p) / n, found by halving. */
static double wilson_by_halving(int64_t positive, int64_t n)
{
    double z = 1.959963984540054, share = (double)positive / (double)n, low = 0, high = share;
    for (int i = 0; i < 200; i++) {
        double p = (low + high) / 2;
        bool is_too_low = share - p > z * sqrt(p * (1 - p) / (double)n);
        low = is_too_low ? p : low;
        high = is_too_low ? high : p;
    }
    return low;
}

static void expect_product(const VisitModel *model, int32_t product, Buffer *text)
{
    char name[VISIT_TEXT_SIZE];
    double all = 0, stars = 0;
    int64_t n = 0, positive = 0, verified = 0;
    int32_t last = DAY_NONE;
    for (int64_t i = 0; i < model->shape.reviews; i++) {
        const VisitReview *review = &model->reviews[i];
        all += review->rating / 100.0;
        if (review->product != product)
            continue;
        n++;
        stars += review->rating / 100.0;
        positive += review->rating >= 400;
        verified += is_verified(model, review);
        last = review->day > last ? review->day : last;
    }
    if (n == 0)
        return;
    double mean = all / (double)model->shape.reviews, count = (double)n;
    visit_product_text(product, name);
    buffer_printf(text, "%s|%" PRId64 "|%.9f|%.9f|%.9f|%.9f|%" PRId32 "\n", name, n, stars / count,
                  (10 * mean + stars) / (10 + count), wilson_by_halving(positive, n),
                  (double)verified / count, last);
}

static void expect_ratings(const VisitModel *model, Buffer *text)
{
    for (int32_t place = 0; place < model->shape.products; place++)
        expect_product(model, model->shop.product.code[place], text);
}

/* ---- what the ratings say ---- */

static Status fill(const VisitModel *model, int deal, Ratings **ratings, Error *error)
{
    Status status = STATUS_OK;
    Ratings *threads[VISIT_THREADS] = {NULL};
    VisitPartition partition = {.events = {.n = 0}};
    int size = comm_size(rank_comm());
    for (int t = 0; t < VISIT_THREADS; t++)
        TRY(ratings_new(&model->shop, &threads[t], error));
    for (int32_t p = 0; p < VISIT_PARTITIONS; p++) {
        int rank, thread;
        visit_deal(deal, p, size, &rank, &thread);
        if (rank != comm_rank(rank_comm()))
            continue;
        TRY(visit_partition_make(model, p, &partition, error));
        TRY(ratings_add(threads[thread], &partition.reviews, &partition.lines, error));
        visit_partition_free(&partition);
    }
    TRY(ratings_merge(threads[1], &threads[2], error));
    TRY(ratings_merge(threads[1], &threads[0], error));
    CU_ASSERT_PTR_NULL(threads[0]);
    *ratings = threads[1];
    threads[1] = NULL;
out:
    visit_partition_free(&partition);
    for (int t = 0; t < VISIT_THREADS; t++)
        ratings_free(&threads[t]);
    return status;
}

static Status run_ratings(const VisitModel *model, int deal, Buffer *rounded, Buffer *exact,
                          Error *error)
{
    Comm *comm = rank_comm();
    Status status = STATUS_OK;
    Ratings *ratings = NULL;
    Table rows = {0};
    TRY_ALL(comm, fill(model, deal, &ratings, error), error);
    TRY(ratings_rows(comm, &model->shop, ratings, &rows, error));
    TRY(visit_print(comm, &rows, false, rounded, error));
    TRY(visit_print(comm, &rows, true, exact, error));
out:
    ratings_free(&ratings);
    table_free(&rows);
    return status;
}

static void check_shape(const VisitShape *shape)
{
    Comm *comm = rank_comm();
    Error error = {0};
    VisitModel model;
    Buffer expected = {0}, rounded = {0}, exact = {0}, first = {0};
    Status status = comm_agree(comm, visit_model_make(shape, 9, &model, &error), &error);
    expect_ratings(&model, &expected);
    if (status == STATUS_OK)
        status = run_ratings(&model, 0, &rounded, &first, &error);
    for (int deal = 0; deal < VISIT_DEALS && status == STATUS_OK; deal++) {
        status = run_ratings(&model, deal, &rounded, &exact, &error);
        CU_ASSERT(visit_same_text(shape->name, &rounded, &expected));
        CU_ASSERT(visit_same_text(shape->name, &exact, &first));
    }
    CU_ASSERT_EQUAL(status, STATUS_OK);
    if (status != STATUS_OK)
        fprintf(stderr, "%s: %s\n", shape->name, error.message);
    buffer_free(&expected);
    buffer_free(&rounded);
    buffer_free(&exact);
    buffer_free(&first);
    visit_model_free(&model);
}

static void test_ratings_of_many_shapes(void)
{
    VisitShape mixed = {.name = "mixed",
                        .customers = 40,
                        .products = 23,
                        .lines = 600,
                        .reviews = 400,
                        .first_day = -30,
                        .n_days = 60,
                        .sales_first = -20,
                        .sales_days = 50,
                        .batches = 3,
                        .anonymous = 0.2};
    VisitShape nothing = mixed, anonymous = mixed, hot = mixed, no_orders = mixed, one = mixed;
    VisitShape no_products = mixed, sparse = mixed;
    nothing.name = "nothing";
    nothing.lines = nothing.reviews = 0;
    anonymous.name = "anonymous";
    anonymous.anonymous = 1;
    hot.name = "one customer";
    hot.hot = 1;
    hot.lines = 3000;
    no_orders.name = "no orders";
    no_orders.lines = 0;
    one.name = "one review";
    one.reviews = 1;
    no_products.name = "no products";
    no_products.products = 0;
    no_products.lines = no_products.reviews = 0;
    sparse.name = "few reviews of many products";
    sparse.products = 500;
    sparse.reviews = 40;
    const VisitShape shapes[] = {nothing,   mixed, anonymous,   hot,
                                 no_orders, one,   no_products, sparse};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_shape(&shapes[i]);
}

/* Known values, to six places: 8 positive of 10, all 10 (10 / (10 + z^2)), none. */
static void test_wilson_bounds(void)
{
    static const int32_t ratings_of[3][2] = {{500, 8}, {500, 10}, {500, 0}};
    static const double bounds[] = {0.490162, 0.722467, 0};
    Error error = {0};
    VisitShape shape = {.name = "wilson", .customers = 1, .products = 3, .n_days = 1, .batches = 1};
    VisitModel model;
    Ratings *ratings = NULL;
    Table rows = {0};
    OrderLines lines = {.n = 0};
    shape.sales_days = 1;
    Status status = visit_model_make(&shape, 1, &model, &error);
    if (status == STATUS_OK)
        status = ratings_new(&model.shop, &ratings, &error);
    for (int32_t i = 0; i < 30 && comm_rank(rank_comm()) == 0 && status == STATUS_OK; i++) {
        int32_t product = i / 10, day = i;
        int32_t rating = i % 10 < ratings_of[product][1] ? ratings_of[product][0] : 399;
        int64_t ts_us = i;
        Reviews review = {
            .n = 1, .product = &product, .rating = &rating, .ts_us = &ts_us, .day = &day};
        status = ratings_add(ratings, &review, &lines, &error);
    }
    if (comm_agree(rank_comm(), status, &error) == STATUS_OK)
        status = ratings_rows(rank_comm(), &model.shop, ratings, &rows, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    for (int64_t row = 0; row < rows.rows; row++) {
        char name[VISIT_TEXT_SIZE];
        for (int32_t product = 0; product < 3; product++) {
            visit_product_text(product, name);
            if (bytes_equal(column_text(&rows.columns[0], row), bytes_of(name)))
                CU_ASSERT_DOUBLE_EQUAL(((double *)rows.columns[4].data)[row], bounds[product],
                                       5e-7);
        }
    }
    ratings_free(&ratings);
    table_free(&rows);
    visit_model_free(&model);
}

static void test_codes_that_there_are_not(void)
{
    Error error = {0};
    VisitShape shape = {.name = "codes", .customers = 1, .products = 3, .n_days = 1, .batches = 1};
    VisitModel model;
    Ratings *ratings = NULL;
    OrderLines lines = {.partition = 4};
    shape.sales_days = 1;
    CU_ASSERT_EQUAL(visit_model_make(&shape, 1, &model, &error), STATUS_OK);
    CU_ASSERT_EQUAL(ratings_new(&model.shop, &ratings, &error), STATUS_OK);
    for (int wrong = 0; ratings && wrong < 3; wrong++) {
        int32_t product = wrong == 0 ? 3 : wrong == 1 ? -1 : 0, customer = wrong == 2 ? -2 : -1;
        int32_t rating = 100, day = 1;
        int64_t ts_us = 1;
        Reviews review = {.n = 1,
                          .product = &product,
                          .rating = &rating,
                          .ts_us = &ts_us,
                          .day = &day,
                          .customer = &customer};
        CU_ASSERT_EQUAL(ratings_add(ratings, &review, &lines, &error), STATUS_IO);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "partition 4"));
    }
    ratings_free(&ratings);
    visit_model_free(&model);
}

CU_TestInfo ratings_tests[] = {
    {"ratings of many shapes", test_ratings_of_many_shapes},
    {"wilson bounds", test_wilson_bounds},
    {"codes that there are not", test_codes_that_there_are_not},
    CU_TEST_INFO_NULL,
};
