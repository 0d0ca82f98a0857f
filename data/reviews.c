#include "reviews.h"

#include <math.h>

enum { REVIEW_ROW_MAX = 128, LAG_MIN = 3, LAG_SPREAD = 28, FIRST_SECOND = 7 * 3600 };

static const double VERIFIED_SHARE = 0.04;    /* of lines of known customers */
static const double UNVERIFIED_SHARE = 0.008; /* an order */
static const double MEAN_RATING = 4.0;
static const double QUALITY_WEIGHT = 0.7;
static const double RATING_NOISE = 0.9;

static int64_t draw_rating(const Product *product, Random *random)
{
    double rating = MEAN_RATING + QUALITY_WEIGHT * (double)product->quality +
                    RATING_NOISE * random_normal(random);
    return rating < 1.0 ? 1 : rating > 5.0 ? 5 : (int64_t)round(rating);
}

/* One review; order_id 0 for none. */
static Status write_review(const Shop *shop, int32_t product, int64_t customer, int64_t order_id,
                           int32_t day, Random *random, Text *text, Error *error)
{
    Status status = STATUS_OK;
    int32_t written = day + LAG_MIN + (int32_t)random_below(random, LAG_SPREAD);
    if (written >= shop->calendar.days)
        goto out;
    TRY(text_reserve(text, REVIEW_ROW_MAX, error));
    char *at = put_int(text_end(text), (int64_t)product + 1);
    *at++ = ',';
    at = put_int(at, draw_rating(&shop->catalogue.products[product], random));
    *at++ = ',';
    int64_t second = FIRST_SECOND + random_below(random, SECONDS_A_DAY - FIRST_SECOND);
    at = put_time(&shop->calendar, at, (int64_t)written * SECONDS_A_DAY + second);
    *at++ = ',';
    at = put_int(at, customer + 1);
    *at++ = ',';
    if (order_id > 0)
        at = put_int(at, order_id);
    *at++ = '\n';
    text_row(text, at);
out:
    return status;
}

Status reviews_write(const Shop *shop, const Order *order, int64_t order_id, int32_t day,
                     Text *text, Error *error)
{
    Status status = STATUS_OK;
    Random random = sampling_stream(shop->seed, STREAM_REVIEW, order_id);
    for (int i = 0; order->is_known && order->status == ORDER_COMPLETED && i < order->n_lines; i++)
        if (sampling_happens(&random, VERIFIED_SHARE))
            TRY(write_review(shop, order->lines[i].product, order->customer.index, order_id, day,
                             &random, text, error));
    if (sampling_happens(&random, UNVERIFIED_SHARE)) {
        int32_t product = (int32_t)random_below(&random, shop->catalogue.n_products);
        Visit visit;
        customers_draw(&shop->customers, day, &random, &visit);
        TRY(write_review(shop, product, visit.customer.index, 0, day, &random, text, error));
    }
out:
    return status;
}
