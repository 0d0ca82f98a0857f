/* What customers think of each product; see ratings.h.
 *
 * Sums are integers, dense by product. A review is verified by the lines of its own customer alone,
 * which are in the same partition: they are found by a search, so that a pass without reviews costs
 * nothing. */
#include "sales/ratings.h"

#include "base/fault.h"
#include "base/memory.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum {
    HUNDREDTHS = 100,
    POSITIVE_FROM = 4 * HUNDREDTHS, /* a rating of 4 stars is positive */
    PRIOR_REVIEWS = 10              /* weight of the mean of all reviews in bayesian_mean */
};

/* The 0.975 quantile of the normal distribution: a bound at 95 %, two-sided. */
static const double WILSON_Z = 1.959963984540054;

typedef enum RatingSum {
    SUM_REVIEWS,
    SUM_RATING,
    SUM_POSITIVE,
    SUM_VERIFIED,
    RATING_SUMS
} RatingSum;

struct Ratings {
    int32_t n_products;
    int64_t *sums[RATING_SUMS]; /* [products] each */
    int32_t *last_day;          /* [products] DAY_NONE without a review */
    /* Days of the first kept sale to the customer at hand, INT32_MAX without any; of the products
     * that they reviewed, the others mean nothing. */
    int32_t *bought; /* [products] */
};

uint32_t ratings_needs(void)
{
    return LINES_CUSTOMER | LINES_DAY | LINES_PRODUCT | LINES_QUANTITY | LINES_CANCELLED;
}

void ratings_free(Ratings **ratings)
{
    if (*ratings) {
        for (int s = 0; s < RATING_SUMS; s++)
            mem_free(&(*ratings)->sums[s]);
        mem_free(&(*ratings)->last_day);
        mem_free(&(*ratings)->bought);
    }
    mem_free(ratings);
}

static Status make_room(Ratings *ratings, Error *error)
{
    static const char what[] = "ratings by product";
    Status status = STATUS_OK;
    int64_t n = ratings->n_products;
    for (int s = 0; s < RATING_SUMS; s++) {
        TRY(mem_resize(&ratings->sums[s], n, sizeof *ratings->sums[s], what, error));
        memset(ratings->sums[s], 0, (size_t)n * sizeof *ratings->sums[s]);
    }
    TRY(mem_resize(&ratings->last_day, n, sizeof *ratings->last_day, what, error));
    TRY(mem_resize(&ratings->bought, n, sizeof *ratings->bought, what, error));
    for (int64_t i = 0; i < n; i++)
        ratings->last_day[i] = ratings->bought[i] = DAY_NONE;
out:
    return status;
}

Status ratings_new(const Shop *shop, Ratings **ratings, Error *error)
{
    *ratings = mem_new(1, sizeof **ratings);
    (*ratings)->n_products = shop->product.count;
    Status status = make_room(*ratings, error);
    if (status != STATUS_OK)
        ratings_free(ratings);
    return status;
}

/* ---- one partition ---- */

static Status check_reviews(const Reviews *reviews, int32_t partition, int32_t n_products,
                            Error *error)
{
    for (int64_t i = 0; i < reviews->n; i++) {
        bool is_bad_product = reviews->product[i] < 0 || reviews->product[i] >= n_products;
        bool is_bad_customer = reviews->customer && reviews->customer[i] < -1;
        if (is_bad_product || is_bad_customer)
            return error_set(error, STATUS_IO, __FILE__, __LINE__,
                             "store is damaged: reviews of partition %" PRId32 " hold %s code "
                             "%" PRId32 ", which there is not; run vesper verify",
                             partition, is_bad_product ? "product" : "customer",
                             is_bad_product ? reviews->product[i] : reviews->customer[i]);
    }
    return STATUS_OK;
}

static void add_reviews(Ratings *ratings, const Reviews *reviews)
{
    for (int64_t i = 0; i < reviews->n; i++) {
        int32_t product = reviews->product[i];
        ratings->sums[SUM_REVIEWS][product]++;
        ratings->sums[SUM_RATING][product] += reviews->rating[i];
        ratings->sums[SUM_POSITIVE][product] += reviews->rating[i] >= POSITIVE_FROM;
        if (reviews->day[i] > ratings->last_day[product])
            ratings->last_day[product] = reviews->day[i];
    }
}

/* First line from `begin` on whose customer is not before this one; lines ascend by customer, and
 * those without one are last. */
static int64_t find_customer(const OrderLines *lines, int64_t begin, int32_t customer)
{
    int64_t low = begin, high = lines->n;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if ((uint32_t)lines->customer[middle] < (uint32_t)customer)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Count the verified ones among the reviews order[begin .. end) of one customer, whose lines begin
 * at `line`. */
static void verify_customer(Ratings *ratings, const Reviews *reviews, const int64_t *order,
                            int64_t begin, int64_t end, const OrderLines *lines, int64_t line)
{
    int32_t *bought = ratings->bought;
    int32_t customer = reviews->customer[order[begin]];
    for (int64_t i = begin; i < end; i++)
        bought[reviews->product[order[i]]] = INT32_MAX;
    for (; line < lines->n && lines->customer[line] == customer; line++) {
        bool is_kept = order_line_is_kept(lines, line);
        int32_t *first = &bought[lines->product[line]];
        if (is_kept && lines->day[line] < *first)
            *first = lines->day[line];
    }
    for (int64_t i = begin; i < end; i++) {
        int32_t product = reviews->product[order[i]];
        ratings->sums[SUM_VERIFIED][product] += bought[product] <= reviews->day[order[i]];
    }
}

static Status verify_reviews(Ratings *ratings, const Reviews *reviews, const OrderLines *lines,
                             Error *error)
{
    Status status = STATUS_OK;
    uint64_t *keys = NULL;
    int64_t *order = NULL, line = 0, n = reviews->n;
    TRY(mem_resize(&keys, n, sizeof *keys, "reviews of a partition", error));
    TRY(mem_resize(&order, n, sizeof *order, "reviews of a partition", error));
    for (int64_t i = 0; i < n; i++)
        keys[i] = (uint32_t)reviews->customer[i];
    TRY(sort_order_u64(keys, n, order, error));
    for (int64_t begin = 0, end; begin < n; begin = end) {
        int32_t customer = reviews->customer[order[begin]];
        if (customer < 0)
            break;
        for (end = begin; end < n && reviews->customer[order[end]] == customer;)
            end++;
        line = find_customer(lines, line, customer);
        verify_customer(ratings, reviews, order, begin, end, lines, line);
    }
out:
    mem_free(&keys);
    mem_free(&order);
    return status;
}

Status ratings_add(Ratings *ratings, const Reviews *reviews, const OrderLines *lines, Error *error)
{
    Status status = STATUS_OK;
    TRY(check_reviews(reviews, lines->partition, ratings->n_products, error));
    add_reviews(ratings, reviews);
    if (reviews->customer && lines->n > 0)
        TRY(verify_reviews(ratings, reviews, lines, error));
out:
    return status;
}

Status ratings_merge(Ratings *into, Ratings **from, Error *error)
{
    (void)error;
    for (int32_t i = 0; i < into->n_products; i++) {
        for (int s = 0; s < RATING_SUMS; s++)
            into->sums[s][i] += (*from)->sums[s][i];
        if ((*from)->last_day[i] > into->last_day[i])
            into->last_day[i] = (*from)->last_day[i];
    }
    ratings_free(from);
    return STATUS_OK;
}

/* ---- the table ---- */

/* A rank's run of products, in the order of their ids, with the sums of all ranks. */
typedef struct RatingRun {
    int64_t begin, n;
    int64_t *sums[RATING_SUMS]; /* [n] */
    int64_t *last_day;          /* [products] of all, by place */
    int64_t *by_place;          /* [products] to send from */
    int64_t *runs;              /* [size] */
} RatingRun;

static Status plan_run(int rank, int size, int64_t n_products, RatingRun *run, Error *error)
{
    Status status = STATUS_OK;
    run->runs = mem_new(size, sizeof *run->runs);
    for (int r = 0; r < size; r++)
        run->runs[r] = n_products * (r + 1) / size - n_products * r / size;
    run->begin = n_products * rank / size;
    run->n = run->runs[rank];
    TRY(fault_point("sales.ratings", error));
    for (int s = 0; s < RATING_SUMS; s++)
        TRY(mem_resize(&run->sums[s], run->n, sizeof *run->sums[s], "ratings by product", error));
    TRY(mem_resize(&run->last_day, n_products, sizeof *run->last_day, "ratings by product", error));
    TRY(mem_resize(&run->by_place, n_products, sizeof *run->by_place, "ratings by product", error));
out:
    return status;
}

/* Collective. */
static void add_up_run(Comm *comm, const Names *products, const Ratings *ratings, RatingRun *run)
{
    for (int s = 0; s < RATING_SUMS; s++) {
        vesper_assert(run->by_place || products->count == 0);
        for (int32_t place = 0; place < products->count; place++)
            run->by_place[place] = ratings->sums[s][products->code[place]];
        comm_sum_scatter_i64(comm, run->by_place, run->runs, run->sums[s]);
    }
    for (int32_t place = 0; place < products->count; place++)
        run->last_day[place] = ratings->last_day[products->code[place]];
    comm_max_i64(comm, run->last_day, products->count);
}

/* Reviews and sum of ratings of all products. Collective. */
static void add_up_all(Comm *comm, const RatingRun *run, int64_t all[2])
{
    all[0] = all[1] = 0;
    for (int64_t i = 0; i < run->n; i++) {
        all[0] += run->sums[SUM_REVIEWS][i];
        all[1] += run->sums[SUM_RATING][i];
    }
    comm_sum_i64(comm, all, 2);
}

static double mean_stars(int64_t sum, int64_t reviews)
{
    return (double)sum / ((double)reviews * HUNDREDTHS);
}

/* The mean if PRIOR_REVIEWS reviews more had said what all reviews say on average. */
static double bayesian_mean(int64_t sum, int64_t reviews, double mean_of_all)
{
    return (PRIOR_REVIEWS * mean_of_all + (double)sum / HUNDREDTHS) /
           (PRIOR_REVIEWS + (double)reviews);
}

/* Lower bound of the score interval for a share (Wilson 1927), multiplied out by n:
 *   (k + z^2 / 2 - z sqrt(k (n - k) / n + z^2 / 4)) / (n + z^2)
 * With k = 0 it is 0, which rounding would miss. */
static double wilson_low(int64_t positive, int64_t reviews)
{
    double k = (double)positive, n = (double)reviews, z2 = WILSON_Z * WILSON_Z;
    if (positive == 0)
        return 0.0;
    return (k + z2 / 2 - WILSON_Z * sqrt(k * (n - k) / n + z2 / 4)) / (n + z2);
}

static Status write_run(const RatingRun *run, const Names *products, double mean_of_all,
                        Table *rows, Error *error)
{
    Status status = STATUS_OK;
    for (int64_t i = 0; i < run->n; i++) {
        int64_t reviews = run->sums[SUM_REVIEWS][i], sum = run->sums[SUM_RATING][i];
        int64_t place = run->begin + i;
        if (reviews == 0)
            continue;
        TRY(table_add_row(rows, error));
        int64_t row = rows->rows - 1;
        TRY(table_set_last_text(rows, table_column(rows, "product_id"),
                                names_text(products, products->code[place]), error));
        ((int64_t *)table_column(rows, "reviews")->data)[row] = reviews;
        ((double *)table_column(rows, "mean")->data)[row] = mean_stars(sum, reviews);
        ((double *)table_column(rows, "bayesian_mean")->data)[row] =
            bayesian_mean(sum, reviews, mean_of_all);
        ((double *)table_column(rows, "wilson_low")->data)[row] =
            wilson_low(run->sums[SUM_POSITIVE][i], reviews);
        ((double *)table_column(rows, "verified_share")->data)[row] =
            (double)run->sums[SUM_VERIFIED][i] / (double)reviews;
        ((int32_t *)table_column(rows, "last_day")->data)[row] = (int32_t)run->last_day[place];
    }
out:
    return status;
}

Status ratings_rows(Comm *comm, const Shop *shop, Ratings *ratings, Table *rows, Error *error)
{
    static const ColumnSpec columns[] = {
        {"product_id", COLUMN_TEXT, UNIT_NONE}, {"reviews", COLUMN_I64, UNIT_COUNT},
        {"mean", COLUMN_F64, UNIT_NONE},        {"bayesian_mean", COLUMN_F64, UNIT_NONE},
        {"wilson_low", COLUMN_F64, UNIT_NONE},  {"verified_share", COLUMN_F64, UNIT_NONE},
        {"last_day", COLUMN_I32, UNIT_DAY}};
    Status status = STATUS_OK;
    RatingRun run = {.n = 0};
    int64_t all[2];
    table_init(rows, columns, sizeof columns / sizeof *columns);
    TRY_ALL(comm, plan_run(comm_rank(comm), comm_size(comm), shop->product.count, &run, error),
            error);
    add_up_run(comm, &shop->product, ratings, &run);
    add_up_all(comm, &run, all);
    double mean_of_all = all[0] > 0 ? mean_stars(all[1], all[0]) : NAN;
    TRY_ALL(comm, write_run(&run, &shop->product, mean_of_all, rows, error), error);
out:
    for (int s = 0; s < RATING_SUMS; s++)
        mem_free(&run.sums[s]);
    mem_free(&run.last_day);
    mem_free(&run.by_place);
    mem_free(&run.runs);
    return status;
}
