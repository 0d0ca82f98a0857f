/* A random shop in memory, the same on every rank, and what the sales tables must say about it,
 * computed by plain loops over all lines. */
#ifndef VESPER_TESTS_RANK_SALES_MODEL_H
#define VESPER_TESTS_RANK_SALES_MODEL_H

#include "base/bytes.h"

enum { MODEL_PARTITIONS = 8, MODEL_TEXT_SIZE = 32 };

typedef struct ShopShape {
    const char *name;
    int32_t customers; /* known ones; some never order */
    int32_t orders;
    int32_t products;
    int32_t countries;            /* 0: no such column */
    int32_t lines_min, lines_max; /* of an order */
    int32_t first_day, n_days;
    double anonymous, returns, cancelled; /* shares of orders, lines, orders */
    double replaced; /* share of the orders that come again in the second batch */
    int batches;
    int64_t min_orders;
    bool all_products; /* line i of an order has product i */
} ShopShape;

typedef struct ModelLine {
    int32_t order;    /* of the shop */
    int32_t customer; /* of the shop, -1 for none */
    int64_t ts_us;    /* of the order */
    int32_t day;
    int32_t product;
    int32_t quantity;
    int64_t price;
    int32_t country; /* -1 for none */
    int32_t batch;
    bool cancelled;
    bool in_force;
} ModelLine;

typedef struct ModelShop {
    ShopShape shape;
    ModelLine *lines; /* [n] */
    int64_t n;
} ModelShop;

void model_shop_make(const ShopShape *shape, uint64_t seed, ModelShop *shop);
void model_shop_free(ModelShop *shop);

void product_text(int32_t product, char text[MODEL_TEXT_SIZE]);
void customer_text(int32_t customer, char text[MODEL_TEXT_SIZE]);
void country_text(int32_t country, char text[MODEL_TEXT_SIZE]);

/* Where the store keeps a line: partition, and the customer's code in it. */
int32_t model_partition(const ModelLine *line);
int32_t model_customer_code(const ModelLine *line);

/* The seven tables as text, in the form that sales_test.c prints the results. */
void model_shop_expect(const ModelShop *shop, Buffer *text);

#endif
