#include "baskets.h"

#include <math.h>

enum { DUPLICATE_DRAWS_MAX = 4 };

static const double KNOWN_SHARE = 0.85;
static const double CANCELLED_SHARE = 0.015;
static const double COMPANION_CHANCE = 0.35;
static const double FAVOURITE_SHARE = 0.12; /* of lines beyond the favourites that are due */
static const double TASTE_SHARE = 0.78;     /* lines from clusters that the customer likes */
static const double BULK_CHANCE = 0.5;
static const double SIZE_SIGMA = 0.85; /* of the logarithm */
static const double SIZE_MEAN = 3.0;

/* Sizes are rounded log-normal values, at least 1. */
static void fill_sizes(uint8_t sizes[BASKET_SIZES])
{
    double mu = log(SIZE_MEAN) - 0.5 * SIZE_SIGMA * SIZE_SIGMA;
    int size = 1;
    for (int i = 0; i < BASKET_SIZES; i++) {
        double share = (i + 0.5) / BASKET_SIZES;
        while (size < BASKET_MAX &&
               sampling_normal_cdf((log(size + 0.5) - mu) / SIZE_SIGMA) < share)
            size++;
        sizes[i] = (uint8_t)size;
    }
}

Status shop_init(Shop *shop, const Options *options, Error *error)
{
    Status status = STATUS_OK;
    shop->seed = options->seed;
    shop->lines = options->lines;
    shop->dirty_per_mille = options->dirty_per_mille;
    fill_sizes(shop->sizes);
    TRY(calendar_init(&shop->calendar, options->seed, options->start, options->days, options->lines,
                      error));
    TRY(catalogue_init(&shop->catalogue, options->seed, &shop->calendar, options->products, error));
    double orders = (double)options->lines / SIZE_MEAN * KNOWN_SHARE;
    customers_init(&shop->customers, options->seed, &shop->catalogue, options->customers,
                   orders / options->days);
out:
    return status;
}

void shop_free(Shop *shop)
{
    calendar_free(&shop->calendar);
    catalogue_free(&shop->catalogue);
}

int32_t basket_sizes(const Shop *shop, Random *random, int32_t n_lines, uint8_t *sizes)
{
    int32_t n = 0;
    uint64_t word = 0;
    for (int32_t left = n_lines; left > 0; n++) {
        word = n % 4 == 0 ? random_u64(random) : word >> 16;
        int32_t size = shop->sizes[word & (BASKET_SIZES - 1)];
        sizes[n] = (uint8_t)(size < left ? size : left);
        left -= sizes[n];
    }
    return n;
}

static Channel draw_channel(Random *random)
{
    double unit = random_unit(random);
    return unit < 0.5    ? CHANNEL_WEB
           : unit < 0.8  ? CHANNEL_APP
           : unit < 0.92 ? CHANNEL_MARKETPLACE
                         : CHANNEL_STORE;
}

static bool is_in_basket(const Order *order, int n_lines, int32_t product)
{
    for (int i = 0; i < n_lines; i++)
        if (order->lines[i].product == product)
            return true;
    return false;
}

/* One of the customer's favourites if it is sold on the day and still missing, else -1. */
static int32_t missing_favourite(const Shop *shop, const Order *order, int n_lines, int32_t day,
                                 int favourite, const int64_t *cycle)
{
    int64_t every, offset;
    int32_t product =
        customers_favourite(&shop->customers, &order->customer, favourite, &every, &offset);
    bool is_due = cycle == NULL || (*cycle + offset) % every == 0;
    return is_due && catalogue_is_sold(&shop->catalogue, product, day) &&
                   !is_in_basket(order, n_lines, product)
               ? product
               : -1;
}

static int32_t draw_browsed(const Shop *shop, const Order *order, int n_lines, int32_t day,
                            int32_t whim, Random *random)
{
    if (order->is_known && sampling_happens(random, FAVOURITE_SHARE)) {
        int favourite = (int)random_below(random, order->customer.n_favourites);
        int32_t product = missing_favourite(shop, order, n_lines, day, favourite, NULL);
        if (product >= 0)
            return product;
    }
    int32_t product = catalogue_draw_offer(&shop->catalogue, day, random);
    if (product >= 0)
        return product;
    int32_t cluster = whim; /* a stranger has one taste for the day */
    if (!sampling_happens(random, TASTE_SHARE))
        cluster = catalogue_draw_cluster(&shop->catalogue, random);
    else if (order->is_known)
        cluster = customers_draw_taste(&order->customer, random);
    return catalogue_draw_sold(&shop->catalogue, cluster, day, random);
}

static int32_t draw_quantity(const Order *order, const Product *product, Random *random)
{
    double unit = random_unit(random);
    int32_t quantity = unit < 0.70   ? 1
                       : unit < 0.88 ? 2
                       : unit < 0.95 ? 3
                                     : 4 + (int32_t)random_below(random, 3);
    if (product->intermittent)
        quantity += (int32_t)random_below(random, 8);
    if (order->is_known && order->customer.segment != SEGMENT_CONSUMER &&
        sampling_happens(random, BULK_CHANCE))
        quantity *= order->customer.segment == SEGMENT_WHOLESALE ? 12 : 4;
    return quantity;
}

static OrderLine make_line(const Shop *shop, const Order *order, int32_t day, int32_t product,
                           Random *random)
{
    OrderLine line = {.product = product};
    line.quantity = draw_quantity(order, &shop->catalogue.products[product], random);
    line.price_minor = catalogue_price(&shop->catalogue, product, day);
    int32_t percent = catalogue_discount(&shop->catalogue, product, day);
    line.discount_minor = (line.price_minor * line.quantity * percent + 50) / 100;
    return line;
}

void basket_fill(const Shop *shop, int32_t day, int64_t ordinal, int n_lines, Order *order)
{
    Random random = sampling_stream(shop->seed, STREAM_ORDER, ordinal);
    Visit visit = {0};
    order->is_known = sampling_happens(&random, KNOWN_SHARE);
    if (order->is_known)
        customers_draw(&shop->customers, day, &random, &visit);
    order->customer = visit.customer;
    order->country = order->is_known ? visit.customer.country : country_draw(&random);
    order->channel = draw_channel(&random);
    order->status = sampling_happens(&random, CANCELLED_SHARE) ? ORDER_CANCELLED : ORDER_COMPLETED;
    order->n_lines = n_lines;
    int32_t whim = order->is_known ? -1 : catalogue_draw_cluster(&shop->catalogue, &random);
    int next_favourite = visit.repeats ? 0 : order->customer.n_favourites;
    int32_t companion = -1;
    for (int i = 0; i < n_lines; i++) {
        int32_t product = -1;
        while (product < 0 && next_favourite < order->customer.n_favourites)
            product = missing_favourite(shop, order, i, day, next_favourite++, &visit.cycle);
        if (product < 0 && companion >= 0 && sampling_happens(&random, COMPANION_CHANCE) &&
            catalogue_is_sold(&shop->catalogue, companion, day) &&
            !is_in_basket(order, i, companion))
            product = companion;
        /* In a tiny catalogue a product may come twice. */
        for (int draw = 0; product < 0; draw++) {
            product = draw_browsed(shop, order, i, day, whim, &random);
            if (draw < DUPLICATE_DRAWS_MAX && is_in_basket(order, i, product))
                product = -1;
        }
        order->lines[i] = make_line(shop, order, day, product, &random);
        companion = shop->catalogue.products[product].companion;
    }
}
