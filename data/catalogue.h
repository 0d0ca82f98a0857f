/* Catalogue: the products, what makes them sell, and when they cannot be sold.
 *
 * Popularity follows Zipf and Mandelbrot: weight 1 / (rank + q). Every product belongs to one
 * cluster of taste; clusters follow the category tree for the most part, so that both carry
 * information about what a customer likes. Each cluster has one evergreen, its most popular
 * product, which is always for sale. */
#ifndef VESPER_DATA_CATALOGUE_H
#define VESPER_DATA_CATALOGUE_H

#include "calendar.h"

typedef struct Product {
    int64_t price_minor; /* on its first day */
    int32_t cost_minor;
    int32_t launch; /* first and last day of sale; may lie outside the period */
    int32_t end;
    int32_t cluster;
    int32_t companion; /* often bought with it; -1 for none */
    int32_t brand;
    int32_t price_age;   /* days since its last price rise, on day 0 */
    float season;        /* size of its yearly wave, 0..1 */
    float quality;       /* standard normal; moves ratings */
    int16_t season_peak; /* day of the year */
    int16_t category;
    bool evergreen;
    bool intermittent; /* wanted on few days, then in larger quantities */
} Product;

typedef struct Span {
    int32_t from, to; /* days, inclusive */
} Span;

typedef struct Promotion {
    int32_t product;
    Span span; /* inside one week, counted from day 0 */
    int32_t depth_percent;
} Promotion;

/* A promotion in its week's list. */
typedef struct Offer {
    int32_t promotion;
    double extra; /* demand it adds, and all before it in the week; all products without: 1 */
} Offer;

typedef struct Catalogue {
    uint64_t seed;
    const Calendar *calendar;
    int32_t n_products;
    int32_t n_clusters;
    int32_t n_brands;
    Product *products;
    double *weights;          /* [n_products], sum 1 */
    int32_t *cluster_first;   /* [n_clusters + 1], into members */
    int32_t *members;         /* products by cluster */
    AliasCell *member_cells;  /* [n_products], a table a cluster */
    AliasCell *cluster_cells; /* [n_clusters] */
    int64_t *stock_out_first; /* [n_products + 1], into stock_outs */
    Span *stock_outs;
    int64_t *promotion_first; /* [n_products + 1], into promotions */
    Promotion *promotions;
    int64_t *week_first; /* [weeks + 1], into offers */
    Offer *offers;
    double season_wave[366];
} Catalogue;

Status catalogue_init(Catalogue *catalogue, uint64_t seed, const Calendar *calendar,
                      int32_t n_products, Error *error) VESPER_MUST_USE;
void catalogue_free(Catalogue *catalogue);

/* Alive, in stock and, if intermittent, wanted on this day. */
bool catalogue_is_sold(const Catalogue *catalogue, int32_t index, int32_t day);

int32_t catalogue_draw_cluster(const Catalogue *catalogue, Random *random);
/* A product of the cluster by popularity alone. */
int32_t catalogue_draw_member(const Catalogue *catalogue, int32_t cluster, Random *random);
/* A product of the cluster that is sold on the day, by popularity, season and age. */
int32_t catalogue_draw_sold(const Catalogue *catalogue, int32_t cluster, int32_t day,
                            Random *random);
/* A product bought for its promotion, or -1: the line is no such purchase. */
int32_t catalogue_draw_offer(const Catalogue *catalogue, int32_t day, Random *random);

int64_t catalogue_price(const Catalogue *catalogue, int32_t index, int32_t day);
/* Percent off on this day, 0 without a promotion. */
int32_t catalogue_discount(const Catalogue *catalogue, int32_t product, int32_t day);

/* Stages that write products.csv, promotions.csv and stockouts.csv; context is the catalogue. */
Stage catalogue_products_stage(Catalogue *catalogue);
Stage catalogue_promotions_stage(Catalogue *catalogue);
Stage catalogue_stock_outs_stage(Catalogue *catalogue);

#endif
