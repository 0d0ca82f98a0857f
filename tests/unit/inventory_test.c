/* Reorder points and orders, by hand. */
#include "kernel/inventory_policy.h"

#include "unit/suites.h"

#include <math.h>

static const InventoryTerms plain = {.on_hand = 10,
                                     .lead_days = 5,
                                     .review_days = 1,
                                     .service_level = .95,
                                     .pack = NAN,
                                     .least_order = NAN,
                                     .order_cost = NAN,
                                     .unit_cost = NAN,
                                     .holding_rate = NAN};
static const InventoryDemand usual = {.a_day = 4, .lead = 20, .protected = 24, .sufficient = 33};

static double quantity(InventoryTerms terms)
{
    return inventory_policy(&terms, &usual).quantity;
}

static void test_policy(void)
{
    InventoryPolicy policy = inventory_policy(&plain, &usual);
    CU_ASSERT_EQUAL(policy.safety_stock, 9);
    CU_ASSERT_EQUAL(policy.reorder_point, 33);
    CU_ASSERT(isnan(policy.economic));
    CU_ASSERT_EQUAL(policy.quantity, 23);
    InventoryTerms terms = plain;
    terms.on_order = 22.5;
    CU_ASSERT_EQUAL(quantity(terms), 1); /* half a piece is a piece */
    terms.on_order = 23;
    CU_ASSERT_EQUAL(quantity(terms), 0);
    terms.on_order = 0;
    terms.on_hand = -4; /* owed to customers */
    CU_ASSERT_EQUAL(quantity(terms), 37);
    terms.on_hand = NAN;
    CU_ASSERT(isnan(quantity(terms)));
}

static void test_lots(void)
{
    InventoryTerms terms = plain;
    terms.pack = 12;
    CU_ASSERT_EQUAL(quantity(terms), 24);
    terms.least_order = 25;
    CU_ASSERT_EQUAL(quantity(terms), 36);
    terms.pack = NAN;
    CU_ASSERT_EQUAL(quantity(terms), 25);
    terms.on_hand = 33;
    CU_ASSERT_EQUAL(quantity(terms), 0);
}

/* Harris: sqrt(2 * 4 * 365 * 73 / (.25 * 8.4)) = 318.6. */
static void test_economic(void)
{
    InventoryTerms terms = plain;
    terms.order_cost = 73;
    terms.unit_cost = 8.4;
    terms.holding_rate = .25;
    double want = sqrt(2 * 4. * 365 * 73 / 2.1);
    CU_ASSERT_DOUBLE_EQUAL(inventory_policy(&terms, &usual).economic, want, 1e-9);
    CU_ASSERT_EQUAL(quantity(terms), ceil(want));
    terms.order_cost = 0;
    CU_ASSERT_EQUAL(quantity(terms), 23);
    terms.unit_cost = 0; /* costs nothing to keep: no limit, so none by cost */
    CU_ASSERT_EQUAL(quantity(terms), 23);
}

/* What is hardly ever asked for needs no stock, and never a negative one. */
static void test_rare(void)
{
    const InventoryDemand rare = {.a_day = .01, .lead = .05, .protected = .06, .sufficient = 0};
    InventoryTerms terms = plain;
    terms.on_hand = 0;
    InventoryPolicy policy = inventory_policy(&terms, &rare);
    CU_ASSERT_EQUAL(policy.safety_stock, 0);
    CU_ASSERT_EQUAL(policy.reorder_point, 0);
    CU_ASSERT_EQUAL(policy.quantity, 0);
}

static void test_cover(void)
{
    const double mean[] = {4, 0, 8, -1, 12};
    CU_ASSERT_EQUAL(inventory_days_of_cover(0, mean, 5, 1), 0);
    CU_ASSERT_EQUAL(inventory_days_of_cover(-3, mean, 5, 1), 0);
    CU_ASSERT_EQUAL(inventory_days_of_cover(2, mean, 5, 1), .5);
    CU_ASSERT_EQUAL(inventory_days_of_cover(4, mean, 5, 1), 1);
    CU_ASSERT_EQUAL(inventory_days_of_cover(6, mean, 5, 1), 2.25);
    CU_ASSERT_EQUAL(inventory_days_of_cover(18, mean, 5, 1), 4.5);
    CU_ASSERT_EQUAL(inventory_days_of_cover(6, mean, 5, 7), 7 * 2.25);
    /* After the 24 of five periods, 24 / 5 a period. */
    CU_ASSERT_DOUBLE_EQUAL(inventory_days_of_cover(48, mean, 5, 1), 10, 1e-12);
    CU_ASSERT(isnan(inventory_days_of_cover(NAN, mean, 5, 1)));
    const double nothing[] = {0, 0};
    CU_ASSERT(isinf(inventory_days_of_cover(1, nothing, 2, 1)));
    CU_ASSERT_EQUAL(inventory_days_of_cover(0, nothing, 2, 1), 0);
}

static void test_demand_over(void)
{
    const double mean[] = {4, 0, 8, -1, 12};
    CU_ASSERT_EQUAL(inventory_demand_over(0, mean, 5, 1), 0);
    CU_ASSERT_EQUAL(inventory_demand_over(.5, mean, 5, 1), 2);
    CU_ASSERT_EQUAL(inventory_demand_over(2.5, mean, 5, 1), 8);
    CU_ASSERT_EQUAL(inventory_demand_over(5, mean, 5, 1), 24);
    CU_ASSERT_DOUBLE_EQUAL(inventory_demand_over(10, mean, 5, 1), 48, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(inventory_demand_over(3, mean, 5, 7), 4 * 3 / 7., 1e-12);
    /* The one undoes the other. */
    for (double days = .25; days < 40; days += 1.5) {
        double stock = inventory_demand_over(days, mean, 5, 1);
        double cover = inventory_days_of_cover(stock, mean, 5, 1);
        CU_ASSERT_DOUBLE_EQUAL(inventory_demand_over(cover, mean, 5, 1), stock, 1e-9);
    }
}

CU_TestInfo inventory_tests[] = {
    {"policy", test_policy},
    {"packs and least orders", test_lots},
    {"economic order", test_economic},
    {"rare demand", test_rare},
    {"days of cover", test_cover},
    {"demand over days", test_demand_over},
    CU_TEST_INFO_NULL,
};
