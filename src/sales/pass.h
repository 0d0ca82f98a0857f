/* The pass: this rank's partitions, each read once, into every accumulator that is asked for. */
#ifndef VESPER_SALES_PASS_H
#define VESPER_SALES_PASS_H

#include "sales/aggregate.h"
#include "sales/baskets.h"
#include "sales/customer_facts.h"
#include "sales/funnel.h"
#include "sales/line_reader.h"
#include "sales/ratings.h"

/* What to learn. Borrowed from the caller. */
typedef struct PassPlan {
    const AggregateSpec *const *specs; /* [n_specs] */
    int n_specs;
    bool customers;
    bool baskets;
    int32_t basket_first_day; /* of the orders whose baskets count */
    bool funnel;
    int64_t cart_days;
    bool ratings;
    int threads;
} PassPlan;

/* What was learned: of one thread during the pass, of the rank after it. All zero is empty. */
typedef struct PassFacts {
    Aggregate **aggregates; /* [n_specs] of the plan */
    CustomerFacts customers;
    Baskets baskets;
    Funnel *funnel;
    Ratings *ratings;
    LineMagnitudes magnitudes;
} PassFacts;

void pass_facts_free(PassFacts *facts, const PassPlan *plan);

/* Partitions go to the threads one by one, and each thread has accumulators of its own, so that
 * while one waits for the disk another computes; afterwards they are added up. No result depends on
 * who had which partition. Collective. */
Status pass_run(Comm *comm, Store *store, const Shop *shop, const PassPlan *plan, PassFacts *facts,
                Error *error) VESPER_MUST_USE;

#endif
