/* Every figure below is docs/plan.md's, by name. */
#include "plan/plan.h"

#include <math.h>
#include <string.h>

static const char *const stage_names[PLAN_STAGES] = {[PLAN_INGEST] = "ingest",
                                                     [PLAN_SALES] = "sales",
                                                     [PLAN_RECOMMEND] = "recommend",
                                                     [PLAN_FORECAST] = "forecast",
                                                     [PLAN_PUBLISH] = "publish"};

const char *plan_stage_name(PlanStage stage)
{
    return stage_names[stage];
}

PlanStage plan_stage_by_name(const char *name)
{
    int stage = 0;
    while (stage < PLAN_STAGES && strcmp(stage_names[stage], name) != 0)
        stage++;
    return (PlanStage)stage;
}

/* The program with MPI and HDF5. */
static const double BASE = 30e6;

double plan_base_memory(void)
{
    return BASE;
}

/* Bytes of a row as plain CSV. */
static const struct {
    const char *table;
    double bytes;
} text_rows[] = {{"orders", 76},     {"products", 70},  {"customers", 40},
                 {"events", 60},     {"reviews", 50},   {"pairs", 24},
                 {"promotions", 40}, {"stockouts", 36}, {"holidays", 30}};

double plan_text_bytes(const char *table, double rows)
{
    for (size_t i = 0; i < sizeof text_rows / sizeof text_rows[0]; i++) {
        if (strcmp(text_rows[i].table, table) == 0)
            return rows * text_rows[i].bytes;
    }
    return 0;
}

/* A usual shop: lines of an order, orders of a customer, days of history. */
static const double LINES_OF_ORDER = 2.9, ORDERS_OF_CUSTOMER = 4.6, USUAL_DAYS = 730;
static const double LINES_OF_PRODUCT = 20, USUAL_PRODUCTS = 50000;

void plan_fill_sizes(PlanSizes *sizes)
{
    if (sizes->orders <= 0)
        sizes->orders = sizes->lines / LINES_OF_ORDER;
    if (sizes->customers <= 0)
        sizes->customers = sizes->orders / ORDERS_OF_CUSTOMER;
    if (sizes->products <= 0)
        sizes->products = fmin(sizes->lines / LINES_OF_PRODUCT, USUAL_PRODUCTS);
    if (sizes->days <= 0)
        sizes->days = USUAL_DAYS;
}

/* Of what all ranks send to each other, the share that does not stay where it is. */
static double share_sent(const PlanShape *shape)
{
    return (double)(shape->ranks - 1) / shape->ranks;
}

static double cores(const PlanShape *shape)
{
    return (double)shape->ranks * shape->threads;
}

/* ---- ingest ---- */

static PlanNeed ingest_need(const PlanSizes *sizes, const PlanShape *shape)
{
    double bytes = sizes->new_bytes;
    return (PlanNeed){
        .memory = BASE + 10e6 + 2.16 * bytes / shape->ranks + 64 * sizes->customers / shape->ranks +
                  60 * sizes->products,
        .sent = 1.34 * bytes * share_sent(shape),
        .read = 2 * bytes,
        .written = 0.59 * bytes,
        .seconds = 0.05 + 1.1e-8 * bytes / shape->ranks,
    };
}

/* ---- sales ---- */

/* Pairs of products that enough orders hold. Were all products bought alike, `mean` orders would
 * hold a pair, with sizes of orders as a geometric distribution has them; as they are not, the
 * share of pairs with m orders or more falls as (mean / m)^1.2. */
static double basket_pairs(const PlanSizes *sizes, const PlanShape *shape)
{
    double possible = sizes->products * (sizes->products - 1) / 2;
    if (possible <= 0 || sizes->orders <= 0)
        return 0;
    double mean = sizes->lines * fmax(0, sizes->lines / sizes->orders - 1) / possible;
    double pairs = possible * fmin(1, 0.9 * pow(mean / fmax(1, shape->pair_min_orders), 1.2));
    return shape->pair_limit > 0 ? fmin(pairs, shape->pair_limit) : pairs;
}

/* Bytes of a pair: in memory, handed over, and in files. */
static const double PAIR_MEMORY = 60, PAIR_SENT = 160, PAIR_BYTES = 55;

static PlanNeed sales_need(const PlanSizes *sizes, const PlanShape *shape)
{
    double n = shape->ranks;
    double customers = sizes->customers, products = sizes->products;
    double pairs = basket_pairs(sizes, shape);
    return (PlanNeed){
        .memory = BASE + 21e6 + products * (1220 * shape->threads + 750 / n) +
                  (6 * sizes->lines + 132 * customers + PAIR_MEMORY * pairs) / n,
        .sent = (n - 1) * 1090 * products +
                share_sent(shape) * (580 * products + 265 * customers + PAIR_SENT * pairs),
        .read = 23 * sizes->lines,
        .written = 115 * customers + 106 * products + PAIR_BYTES * pairs,
        .seconds = 0.05 + 2.7e-6 * products + 2.8e-7 * sizes->lines / cores(shape),
    };
}

/* ---- recommend ---- */

/* Different pairs of customer and product. */
static double pairs_of(const PlanSizes *sizes)
{
    double said = 0.7 * sizes->lines + sizes->events + sizes->reviews + sizes->pairs;
    return fmin(said, sizes->customers * sizes->products);
}

/* Customers whose factors a rank fetches for its share of the products: those that have one of
 * them. */
static double users_named(const PlanSizes *sizes, const PlanShape *shape)
{
    double each = sizes->customers > 0 ? pairs_of(sizes) / sizes->customers : 0;
    return sizes->customers * (1 - pow(share_sent(shape), each));
}

double plan_ease_memory(const PlanShape *shape)
{
    return shape->ease_fixed + shape->ease_shared / shape->ranks;
}

/* A night learns three times: to measure, to choose the mix, and for the lists; ials goes on from
 * the second to the third in a few iterations. */
static const double LEARNINGS = 3, IALS_LEARNINGS = 2;
/* Floating-point operations a second of a core, as ials reaches them. */
static const double LEARN_RATE = 5e10;
/* Seconds of a core for one customer and product: their place in the list, and in those measured;
 * and for the cube of the products in the inverse of ease. */
static const double CELL_SECONDS = 8.2e-8, INVERSE_SECONDS = 2.6e-11;

static double learn_operations(const PlanSizes *sizes, const PlanShape *shape)
{
    double d = shape->factors;
    double rows = sizes->customers + sizes->products;
    double step = 2 * pairs_of(sizes) * d * d + rows * d * d * d / 3;
    return IALS_LEARNINGS * shape->iterations * step;
}

static double rec_user_rows(const PlanSizes *sizes, const PlanShape *shape)
{
    return sizes->customers * shape->list_length;
}

/* While models learn: both sides of the pairs of two splits, factors of both, what is fetched, and
 * ease with the weights of one that has learned. */
static double learning_memory(const PlanSizes *sizes, const PlanShape *shape)
{
    double row = 4.0 * shape->factors;
    double fetched = users_named(sizes, shape) * row;
    if (shape->learning_memory > 0)
        fetched = fmin(fetched, shape->learning_memory);
    return fetched + sizes->products * (700 + 2 * row) +
           (80 * pairs_of(sizes) + 2 * row * sizes->customers) / shape->ranks +
           plan_ease_memory(shape) + shape->ease_weights;
}

/* While lists become rows. */
static double lists_memory(const PlanSizes *sizes, const PlanShape *shape)
{
    double row = 4.0 * shape->factors;
    return sizes->products * (700 + row) + shape->ease_weights +
           (16 * pairs_of(sizes) + row * sizes->customers + 175 * rec_user_rows(sizes, shape)) /
               shape->ranks;
}

static PlanNeed recommend_need(const PlanSizes *sizes, const PlanShape *shape)
{
    double n = shape->ranks;
    double customers = sizes->customers, products = sizes->products;
    double steps = IALS_LEARNINGS * shape->iterations;
    double rows = rec_user_rows(sizes, shape);
    double factors = n * (users_named(sizes, shape) + products) * 4 * shape->factors;
    double work = learn_operations(sizes, shape) / LEARN_RATE + customers * products * CELL_SECONDS;
    if (plan_ease_memory(shape) > 0)
        work += LEARNINGS * INVERSE_SECONDS * pow(products, 3);
    return (PlanNeed){
        .memory = BASE + 15e6 + fmax(learning_memory(sizes, shape), lists_memory(sizes, shape)),
        .sent = share_sent(shape) * (steps * factors + 157 * pairs_of(sizes) + 63 * rows +
                                     LEARNINGS * 2.9 * n * shape->ease_weights),
        .read = 93 * sizes->lines,
        .written = 60 * rows + 200 * products,
        .seconds = 0.45 + work / cores(shape),
    };
}

/* ---- forecast ---- */

/* Seconds of a core to try the models on one series from one origin, and for each day with a sale.
 */
static const double TRY_SECONDS = 1.25e-3, SALE_SECONDS = 1.8e-5;

/* Sums of a product and day that a rank makes of its lines. */
static double day_sums(const PlanSizes *sizes, const PlanShape *shape)
{
    double cells = sizes->products * sizes->days;
    return cells > 0 ? cells * (1 - exp(-sizes->lines / shape->ranks / cells)) : 0;
}

/* Forecasts of all models from all origins, which lie in a file and are read batch by batch. */
static double spool_bytes(const PlanSizes *sizes, const PlanShape *shape)
{
    return 4.0 * sizes->products * shape->origins * shape->models * shape->horizon;
}

/* How often all of them are read. */
static const double SPOOL_READS = 83;

/* Series at a time of which each day is known; the others lie in a file. */
static const double SERIES_BATCH = 1024;

/* Of each series what is forecast, which becomes rows; of a batch what is known of each day. */
static double series_memory(const PlanSizes *sizes, const PlanShape *shape)
{
    double own = sizes->products / shape->ranks;
    return 600 * sizes->products + 100.0 * shape->horizon * own +
           24 * sizes->days * fmin(own, SERIES_BATCH);
}

/* What the regression across series adds up, of each rank. */
static const double POOLED_SENT = 23e6;

/* What is known of a day of a series, which lies in a file: written where its lines are read, and
 * again where the series goes. */
static const double RECORD_BYTES = 38;

static PlanNeed forecast_need(const PlanSizes *sizes, const PlanShape *shape)
{
    double n = shape->ranks;
    double tried = sizes->products * shape->origins;
    double cells = sizes->products * sizes->days;
    double selling = cells > 0 ? 1 - exp(-sizes->lines / cells) : 0;
    double sums = day_sums(sizes, shape);
    return (PlanNeed){
        .memory = BASE + 22e6 + series_memory(sizes, shape),
        .sent = share_sent(shape) * (27 * n * sums + 3400 * sizes->products) +
                (n > 1 ? n * POOLED_SENT : 0),
        .read = 16 * sizes->lines + SPOOL_READS * spool_bytes(sizes, shape),
        .written = 75 * sizes->products * shape->horizon + spool_bytes(sizes, shape) +
                   RECORD_BYTES * cells * (n > 1 ? 2 : 1),
        .seconds =
            0.1 + tried * (TRY_SECONDS + SALE_SECONDS * selling * sizes->days) / cores(shape),
    };
}

/* ---- publish ---- */

/* SQLite's cache, and a block of rows. */
static const double CACHE = 68e6, BLOCK = 15e6;

static PlanNeed publish_need(const PlanSizes *sizes, const PlanShape *shape)
{
    double bytes =
        130 * sizes->customers + 120 * sizes->products + PAIR_BYTES * basket_pairs(sizes, shape);
    if (shape->has_recommend)
        bytes += 60 * sizes->customers * shape->list_length;
    if (shape->has_forecast)
        bytes += 80 * sizes->products * shape->horizon;
    return (PlanNeed){
        .memory = BASE + BLOCK + fmin(CACHE, bytes),
        .read = 3 * bytes,
        .written = 2.4 * bytes,
        .seconds = 0.2 + 2.8e-8 * bytes,
    };
}

PlanNeed plan_need(PlanStage stage, const PlanSizes *sizes, const PlanShape *shape)
{
    switch (stage) {
    case PLAN_INGEST:
        return ingest_need(sizes, shape);
    case PLAN_SALES:
        return sales_need(sizes, shape);
    case PLAN_RECOMMEND:
        return recommend_need(sizes, shape);
    case PLAN_FORECAST:
        return forecast_need(sizes, shape);
    default:
        return publish_need(sizes, shape);
    }
}

static bool fits(PlanStage stage, const PlanSizes *sizes, const PlanShape *shape, int ranks,
                 double memory)
{
    PlanShape other = *shape;
    other.ranks = ranks;
    return plan_need(stage, sizes, &other).memory <= memory;
}

/* Memory never grows with ranks, so halving the interval finds the border. */
int plan_least_ranks(PlanStage stage, const PlanSizes *sizes, const PlanShape *shape, double memory)
{
    int too_few = 0, enough = PLAN_RANKS_MAX;
    if (!fits(stage, sizes, shape, enough, memory))
        return 0;
    while (enough - too_few > 1) {
        int middle = too_few + (enough - too_few) / 2;
        if (fits(stage, sizes, shape, middle, memory))
            enough = middle;
        else
            too_few = middle;
    }
    return enough;
}
