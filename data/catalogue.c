#include "catalogue.h"

#include "base/memory.h"
#include "words.h"

#include <math.h>

enum {
    PRODUCTS_A_CLUSTER = 25,
    CLUSTERS_MAX = 48,
    PRODUCTS_A_BRAND = 25,
    YEAR = 366,
    WEEK = 7,
    RAMP_DAYS = 40, /* a new product sells fully after so many */
    PRICE_RISE_DAYS = 180,
    STOCK_OUT_EVERY = 240, /* days, on average */
    WEEKS_BETWEEN_PROMOTIONS = 40,
    DRAWS_MAX = 64
};

static const double FLAT_HEAD = 0.005;   /* Mandelbrot's q, as a share of the products */
static const double SAME_CLUSTER = 0.8;  /* products that follow their category */
static const double INTERMITTENT = 0.12; /* products wanted on few days ... */
static const double WANTED_DAYS = 0.12;  /* ... namely this share of them */
static const double COMPANION = 0.3;     /* products that bring another one along */
static const double LATE_LAUNCH = 0.3;   /* products launched within the period */
static const double EARLY_END = 0.2;     /* products that end within the period */
static const double EXTRA_A_DEPTH = 6.0; /* demand added by a promotion of depth 1 */
static const double SEASONAL_CATEGORY = 0.3;

/* What the products of a category have in common. */
typedef struct CategoryTraits {
    double log_price;
    float season;
    int16_t season_peak;
} CategoryTraits;

static CategoryTraits category_traits(uint64_t seed, int category)
{
    Random random = sampling_stream(seed, STREAM_CATEGORY, category);
    CategoryTraits traits;
    traits.log_price = 7.3 + 0.7 * random_normal(&random); /* about 15.00 */
    bool seasonal = sampling_happens(&random, SEASONAL_CATEGORY);
    traits.season = seasonal ? 0.8F : 0.15F;
    traits.season_peak = (int16_t)random_below(&random, YEAR);
    return traits;
}

static int64_t shelf_price(double minor)
{
    int64_t tens = (int64_t)(minor / 10.0);
    return (tens < 1 ? 1 : tens) * 10 + 9;
}

static void draw_life(const Calendar *calendar, Random *random, Product *product)
{
    int32_t days = calendar->days;
    product->launch = -(int32_t)random_below(random, 1000) - 1;
    product->end = days + (int32_t)random_below(random, 1000);
    if (sampling_happens(random, LATE_LAUNCH))
        product->launch = (int32_t)random_below(random, days);
    if (sampling_happens(random, EARLY_END)) {
        int32_t first = product->launch > 0 ? product->launch : 0;
        product->end = first + (int32_t)random_below(random, days - first);
    }
}

static Product draw_product(const Catalogue *catalogue, int32_t index)
{
    Random random = sampling_stream(catalogue->seed, STREAM_PRODUCT, index);
    Product product = {.companion = -1};
    product.category = (int16_t)random_below(&random, CATEGORY_COUNT);
    CategoryTraits traits = category_traits(catalogue->seed, product.category);
    product.cluster = sampling_happens(&random, SAME_CLUSTER)
                          ? product.category % catalogue->n_clusters
                          : (int32_t)random_below(&random, catalogue->n_clusters);
    product.price_minor = shelf_price(exp(traits.log_price + 0.5 * random_normal(&random)));
    product.cost_minor =
        (int32_t)((double)product.price_minor * (0.4 + 0.3 * random_unit(&random)));
    double brand = random_unit(&random);
    product.brand = (int32_t)(catalogue->n_brands * brand * brand);
    product.price_age = (int32_t)random_below(&random, PRICE_RISE_DAYS);
    product.season = traits.season;
    product.season_peak = traits.season_peak;
    product.quality = (float)random_normal(&random);
    product.intermittent = sampling_happens(&random, INTERMITTENT);
    draw_life(catalogue->calendar, &random, &product);
    return product;
}

static Status make_products(Catalogue *catalogue, Error *error)
{
    Status status = STATUS_OK;
    int32_t n = catalogue->n_products;
    TRY(mem_resize(&catalogue->products, n, sizeof(Product), "products", error));
    TRY(mem_resize(&catalogue->weights, n, sizeof(double), "products", error));
    double sum = 0.0;
    for (int32_t i = 0; i < n; i++) {
        catalogue->products[i] = draw_product(catalogue, i);
        int64_t rank = sampling_permute(i, n, catalogue->seed);
        catalogue->weights[i] = 1.0 / ((double)rank + 1.0 + FLAT_HEAD * n);
        sum += catalogue->weights[i];
    }
    for (int32_t i = 0; i < n; i++)
        catalogue->weights[i] /= sum;
out:
    return status;
}

/* Alias tables of the products of one cluster; its heaviest product becomes evergreen. */
static Status fill_cluster(Catalogue *catalogue, int32_t cluster, double *weights, Error *error)
{
    int32_t first = catalogue->cluster_first[cluster];
    int32_t n = catalogue->cluster_first[cluster + 1] - first;
    int32_t heaviest = 0;
    for (int32_t i = 0; i < n; i++) {
        weights[i] = catalogue->weights[catalogue->members[first + i]];
        if (weights[i] > weights[heaviest])
            heaviest = i;
    }
    if (n > 0) {
        /* First in its cluster, so that it is found when nothing else is for sale. */
        int32_t *members = catalogue->members + first;
        int32_t evergreen = members[heaviest];
        members[heaviest] = members[0];
        members[0] = evergreen;
        double weight = weights[heaviest];
        weights[heaviest] = weights[0];
        weights[0] = weight;
        Product *product = &catalogue->products[evergreen];
        product->evergreen = true;
        product->intermittent = false;
        product->launch = -1000;
        product->end = catalogue->calendar->days + 1000;
    }
    return alias_fill(weights, n, catalogue->member_cells + first, error);
}

static Status make_clusters(Catalogue *catalogue, Error *error)
{
    Status status = STATUS_OK;
    int32_t n = catalogue->n_products;
    int32_t n_clusters = catalogue->n_clusters;
    double *weights = NULL;
    double shares[CLUSTERS_MAX] = {0};
    catalogue->cluster_first = mem_new(n_clusters + 1, sizeof(int32_t));
    catalogue->cluster_cells = mem_new(n_clusters, sizeof(AliasCell));
    TRY(mem_resize(&catalogue->members, n, sizeof(int32_t), "products", error));
    TRY(mem_resize(&catalogue->member_cells, n, sizeof(AliasCell), "products", error));
    TRY(mem_resize(&weights, n, sizeof(double), "products", error));
    for (int32_t i = 0; i < n; i++) {
        int32_t cluster = catalogue->products[i].cluster;
        catalogue->cluster_first[cluster + 1]++;
        shares[cluster] += catalogue->weights[i];
    }
    for (int32_t c = 0; c < n_clusters; c++)
        catalogue->cluster_first[c + 1] += catalogue->cluster_first[c];
    int32_t next[CLUSTERS_MAX];
    for (int32_t c = 0; c < n_clusters; c++)
        next[c] = catalogue->cluster_first[c];
    for (int32_t i = 0; i < n; i++)
        catalogue->members[next[catalogue->products[i].cluster]++] = i;
    for (int32_t c = 0; c < n_clusters; c++)
        TRY(fill_cluster(catalogue, c, weights, error));
    TRY(alias_fill(shares, n_clusters, catalogue->cluster_cells, error));
    for (int32_t i = 0; i < n; i++) {
        Random random = sampling_stream(catalogue->seed, STREAM_PRODUCT, (int64_t)n + i);
        int32_t companion =
            catalogue_draw_member(catalogue, catalogue->products[i].cluster, &random);
        if (companion != i && sampling_happens(&random, COMPANION))
            catalogue->products[i].companion = companion;
    }
out:
    mem_free(&weights);
    return status;
}

static Status make_stock_outs(Catalogue *catalogue, Error *error)
{
    Status status = STATUS_OK;
    int32_t n = catalogue->n_products;
    int32_t days = catalogue->calendar->days;
    int64_t capacity = 0;
    int64_t count = 0;
    TRY(mem_resize(&catalogue->stock_out_first, (int64_t)n + 1, sizeof(int64_t), "stock-outs",
                   error));
    catalogue->stock_out_first[0] = 0;
    for (int32_t i = 0; i < n; i++) {
        Random random = sampling_stream(catalogue->seed, STREAM_STOCK_OUT, i);
        double day = random_exponential(&random, STOCK_OUT_EVERY);
        while (!catalogue->products[i].evergreen && day < days) {
            if (count == capacity) {
                capacity = capacity * 2 + 1024;
                TRY(mem_resize(&catalogue->stock_outs, capacity, sizeof(Span), "stock-outs",
                               error));
            }
            int32_t from = (int32_t)day;
            int32_t to = from + 1 + (int32_t)random_below(&random, 10);
            catalogue->stock_outs[count++] = (Span){from, to < days ? to : days - 1};
            day = to + 1 + random_exponential(&random, STOCK_OUT_EVERY);
        }
        catalogue->stock_out_first[i + 1] = count;
    }
out:
    return status;
}

static Status make_promotions(Catalogue *catalogue, Error *error)
{
    static const int32_t DEPTHS[] = {10, 15, 20, 20, 25, 30, 40, 50};
    Status status = STATUS_OK;
    int32_t n = catalogue->n_products;
    int32_t days = catalogue->calendar->days;
    int64_t capacity = 0;
    int64_t count = 0;
    TRY(mem_resize(&catalogue->promotion_first, (int64_t)n + 1, sizeof(int64_t), "promotions",
                   error));
    catalogue->promotion_first[0] = 0;
    for (int32_t i = 0; i < n; i++) {
        Random random = sampling_stream(catalogue->seed, STREAM_PROMOTION, i);
        int32_t week = (int32_t)random_below(&random, 2 * WEEKS_BETWEEN_PROMOTIONS);
        while (week * WEEK < days) {
            if (count == capacity) {
                capacity = capacity * 2 + 1024;
                TRY(mem_resize(&catalogue->promotions, capacity, sizeof(Promotion), "promotions",
                               error));
            }
            int32_t from = week * WEEK + (int32_t)random_below(&random, WEEK - 2);
            int32_t last = (week + 1) * WEEK - 1 < days ? (week + 1) * WEEK - 1 : days - 1;
            int32_t depth = DEPTHS[random_below(&random, 8)];
            if (from <= last)
                catalogue->promotions[count++] =
                    (Promotion){.product = i, .span = {from, last}, .depth_percent = depth};
            week += 1 + (int32_t)random_below(&random, 2 * WEEKS_BETWEEN_PROMOTIONS);
        }
        catalogue->promotion_first[i + 1] = count;
    }
out:
    return status;
}

/* The promotions of each week, with the demand that they add. */
static Status make_offers(Catalogue *catalogue, Error *error)
{
    Status status = STATUS_OK;
    int64_t count = catalogue->promotion_first[catalogue->n_products];
    int32_t weeks = (catalogue->calendar->days + WEEK - 1) / WEEK;
    int64_t *next = NULL;
    TRY(mem_resize(&catalogue->week_first, (int64_t)weeks + 1, sizeof(int64_t), "offers", error));
    TRY(mem_resize(&catalogue->offers, count, sizeof(Offer), "offers", error));
    TRY(mem_resize(&next, weeks, sizeof(int64_t), "offers", error));
    for (int32_t week = 0; week <= weeks; week++)
        catalogue->week_first[week] = 0;
    for (int64_t i = 0; i < count; i++)
        catalogue->week_first[catalogue->promotions[i].span.from / WEEK + 1]++;
    for (int32_t week = 0; week < weeks; week++) {
        next[week] = catalogue->week_first[week];
        catalogue->week_first[week + 1] += catalogue->week_first[week];
    }
    for (int64_t i = 0; i < count; i++) {
        const Promotion *promotion = &catalogue->promotions[i];
        int32_t week = promotion->span.from / WEEK;
        int64_t at = next[week]++;
        double before = at > catalogue->week_first[week] ? catalogue->offers[at - 1].extra : 0.0;
        double extra = catalogue->weights[promotion->product] * EXTRA_A_DEPTH *
                       promotion->depth_percent / 100.0;
        catalogue->offers[at] = (Offer){.promotion = (int32_t)i, .extra = before + extra};
    }
out:
    mem_free(&next);
    return status;
}

Status catalogue_init(Catalogue *catalogue, uint64_t seed, const Calendar *calendar,
                      int32_t n_products, Error *error)
{
    Status status = STATUS_OK;
    int32_t clusters = n_products / PRODUCTS_A_CLUSTER;
    int32_t brands = n_products / PRODUCTS_A_BRAND;
    *catalogue = (Catalogue){
        .seed = seed,
        .calendar = calendar,
        .n_products = n_products,
        .n_clusters = clusters < 1              ? 1
                      : clusters > CLUSTERS_MAX ? CLUSTERS_MAX
                                                : clusters,
        .n_brands = brands < 5           ? 5
                    : brands > BRAND_MAX ? BRAND_MAX
                                         : brands,
    };
    for (int day = 0; day < YEAR; day++)
        catalogue->season_wave[day] = cos(2.0 * M_PI * day / YEAR);
    TRY(make_products(catalogue, error));
    TRY(make_clusters(catalogue, error));
    TRY(make_stock_outs(catalogue, error));
    TRY(make_promotions(catalogue, error));
    TRY(make_offers(catalogue, error));
out:
    return status;
}

void catalogue_free(Catalogue *catalogue)
{
    mem_free(&catalogue->products);
    mem_free(&catalogue->weights);
    mem_free(&catalogue->cluster_first);
    mem_free(&catalogue->members);
    mem_free(&catalogue->member_cells);
    mem_free(&catalogue->cluster_cells);
    mem_free(&catalogue->stock_out_first);
    mem_free(&catalogue->stock_outs);
    mem_free(&catalogue->promotion_first);
    mem_free(&catalogue->promotions);
    mem_free(&catalogue->week_first);
    mem_free(&catalogue->offers);
}

bool catalogue_is_sold(const Catalogue *catalogue, int32_t index, int32_t day)
{
    const Product *product = &catalogue->products[index];
    if (product->evergreen)
        return true;
    if (day < product->launch || day > product->end)
        return false;
    for (int64_t i = catalogue->stock_out_first[index]; i < catalogue->stock_out_first[index + 1];
         i++)
        if (day >= catalogue->stock_outs[i].from && day <= catalogue->stock_outs[i].to)
            return false;
    if (!product->intermittent)
        return true;
    Random random = sampling_stream(catalogue->seed, STREAM_INTERMITTENT, index);
    random.counter = (uint64_t)day;
    return sampling_happens(&random, WANTED_DAYS);
}

/* How much of its full weight a product has on a day, in (0, 1]: its season, and its age. */
static double appeal(const Catalogue *catalogue, int32_t index, int32_t day)
{
    const Product *product = &catalogue->products[index];
    int in_year = (catalogue->calendar->start_in_year + day + YEAR - product->season_peak) % YEAR;
    double season =
        (1.0 + product->season * catalogue->season_wave[in_year]) / (1.0 + (double)product->season);
    int32_t age = day - product->launch;
    return age < RAMP_DAYS ? season * (age + 5) / (RAMP_DAYS + 5) : season;
}

int32_t catalogue_draw_cluster(const Catalogue *catalogue, Random *random)
{
    return alias_draw(catalogue->cluster_cells, catalogue->n_clusters, random);
}

int32_t catalogue_draw_member(const Catalogue *catalogue, int32_t cluster, Random *random)
{
    int32_t first = catalogue->cluster_first[cluster];
    int32_t n = catalogue->cluster_first[cluster + 1] - first;
    return catalogue->members[first + alias_draw(catalogue->member_cells + first, n, random)];
}

int32_t catalogue_draw_sold(const Catalogue *catalogue, int32_t cluster, int32_t day,
                            Random *random)
{
    for (int draw = 0; draw < DRAWS_MAX; draw++) {
        int32_t product = catalogue_draw_member(catalogue, cluster, random);
        if (catalogue_is_sold(catalogue, product, day) &&
            sampling_happens(random, appeal(catalogue, product, day)))
            return product;
    }
    return catalogue->members[catalogue->cluster_first[cluster]];
}

int32_t catalogue_draw_offer(const Catalogue *catalogue, int32_t day, Random *random)
{
    int64_t low = catalogue->week_first[day / WEEK];
    int64_t end = catalogue->week_first[day / WEEK + 1];
    if (low == end)
        return -1;
    double extra = catalogue->offers[end - 1].extra;
    double place = random_unit(random) * (1.0 + extra);
    if (place >= extra)
        return -1;
    int64_t high = end - 1; /* the first offer with more than `place` at or before it */
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (catalogue->offers[middle].extra > place)
            high = middle;
        else
            low = middle + 1;
    }
    const Promotion *promotion = &catalogue->promotions[catalogue->offers[low].promotion];
    bool bought = day >= promotion->span.from && day <= promotion->span.to &&
                  catalogue_is_sold(catalogue, promotion->product, day) &&
                  sampling_happens(random, appeal(catalogue, promotion->product, day));
    return bought ? promotion->product : -1;
}

int64_t catalogue_price(const Catalogue *catalogue, int32_t index, int32_t day)
{
    const Product *product = &catalogue->products[index];
    int32_t rises = (day + product->price_age) / PRICE_RISE_DAYS;
    return rises == 0 ? product->price_minor
                      : shelf_price((double)product->price_minor * (1.0 + 0.015 * rises));
}

int32_t catalogue_discount(const Catalogue *catalogue, int32_t product, int32_t day)
{
    for (int64_t i = catalogue->promotion_first[product];
         i < catalogue->promotion_first[product + 1]; i++) {
        const Promotion *promotion = &catalogue->promotions[i];
        if (day >= promotion->span.from && day <= promotion->span.to)
            return promotion->depth_percent;
    }
    return 0;
}
