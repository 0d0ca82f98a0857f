/* Order lines made by hand, and customers who behave as BG/NBD and Gamma-Gamma say: what the tests
 * of customers begin with. */
#ifndef VESPER_TESTS_RANK_CUSTOMER_MODEL_H
#define VESPER_TESTS_RANK_CUSTOMER_MODEL_H

#include "base/random.h"
#include "sales/customer_value.h"

/* The lines of one partition; all zero is empty. */
typedef struct LineList {
    int64_t n, capacity;
    int32_t *customer, *order, *day, *quantity;
    int64_t *price;
    int8_t *cancelled;
} LineList;

typedef struct ListedLine {
    int32_t customer, order, day, quantity;
    int64_t price;
    bool is_cancelled;
} ListedLine;

void line_list_free(LineList *list);
void line_list_add(LineList *list, ListedLine line);
OrderLines line_list_view(const LineList *list, int32_t partition);

/* How the customers of a shop are drawn. */
typedef struct Population {
    uint64_t seed;
    int32_t partitions;
    int32_t customers; /* of each partition, but none in every fifth */
    int32_t as_of;
    int32_t age_min, age_max; /* days since the first purchase */
    bool buys_once;
    int64_t price;     /* of all purchases; 0: as Gamma-Gamma draws it */
    int64_t minor;     /* units of money of one major unit, where it does */
    int32_t free_each; /* the repeat purchases of every so-maniest customer cost nothing; 0: none */
} Population;

/* As published for the CDNOW sample. */
extern const BgNbd population_orders;
extern const GammaGamma population_value;

/* Facts of partition p, learned from its lines. */
Status population_add(const Population *population, int32_t partition, CustomerFacts *facts,
                      Error *error) VESPER_MUST_USE;

/* Ways to give runs of partitions to ranks: evenly; all to rank 0; all to the last; none to the
 * rank in the middle. */
enum { POPULATION_DEALS = 4 };
int population_owner(int deal, int32_t partition, int32_t partitions, int size);

/* This rank's facts, sorted. */
Status population_facts(const Population *population, int deal, CustomerFacts *facts,
                        Error *error) VESPER_MUST_USE;
Shop population_shop(const Population *population);

#endif
