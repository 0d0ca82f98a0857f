/* Customers: who orders, how often, and what they like.
 *
 * Ids follow the order of joining. Activity is log-normal; a customer's place in the order of
 * activity is a permutation of the ids, so a buyer is drawn by activity without a table: if z is
 * standard normal, N Phi(z + sigma) is the place of a draw weighted by exp(sigma x) over N
 * quantiles x. Runs of neighbouring places share an interval of re-purchase; inside a run the
 * customer due on a day is found by arithmetic. */
#ifndef VESPER_DATA_CUSTOMERS_H
#define VESPER_DATA_CUSTOMERS_H

#include "catalogue.h"

enum { TASTE_COUNT = 3, INTERVAL_BINS = 1024 };

typedef enum Segment { SEGMENT_CONSUMER, SEGMENT_SMALL_BUSINESS, SEGMENT_WHOLESALE } Segment;

typedef struct Customers {
    uint64_t seed;
    const Calendar *calendar;
    const Catalogue *catalogue;
    int64_t count;
    int64_t before;                   /* customers who joined before day 0 */
    double orders_a_day;              /* of customers who are known by name */
    int32_t intervals[INTERVAL_BINS]; /* days between re-purchases, by activity */
} Customers;

typedef struct Customer {
    int64_t index;
    int32_t joined;
    int32_t left; /* last day of interest */
    int country;
    Segment segment;
    int n_favourites;
    int32_t tastes[TASTE_COUNT]; /* clusters, best liked first */
} Customer;

/* A customer on a day. */
typedef struct Visit {
    Customer customer;
    bool repeats;  /* here to buy favourites again */
    int64_t cycle; /* number of the re-purchase */
} Visit;

void customers_init(Customers *customers, uint64_t seed, const Catalogue *catalogue, int64_t count,
                    double orders_a_day);

/* Who comes on this day. */
void customers_draw(const Customers *customers, int32_t day, Random *random, Visit *visit);

/* The i-th favourite product of a customer; *every is how many cycles it lasts, *offset where in
 * them it is due. */
int32_t customers_favourite(const Customers *customers, const Customer *customer, int i,
                            int64_t *every, int64_t *offset);

/* A cluster that the customer likes. */
int32_t customers_draw_taste(const Customer *customer, Random *random);

/* Stage that writes customers.csv; context is the customers. */
Stage customers_stage(Customers *customers);

#endif
