/* The customers' models: drawn parameters come back, forecasts agree with the kernel's functions,
 * and neither depends on who has which partition. */
#include "rank/customer_model.h"

#include "base/hash.h"
#include "base/memory.h"
#include "rank/suites.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A tenth of a year of customers, seen for 39 weeks, as in the paper. */
static const Population paper = {.seed = 11,
                                 .partitions = 64,
                                 .customers = 196,
                                 .as_of = 273,
                                 .age_min = 27 * 7,
                                 .age_max = 39 * 7,
                                 .minor = 100};

/* Models and forecast of the population, dealt over the ranks; the same status on all. */
typedef struct Outcome {
    CustomerFacts facts;
    CustomerModels models;
    CustomerForecast forecast;
} Outcome;

static void outcome_free(Outcome *outcome)
{
    customer_facts_free(&outcome->facts);
    customer_forecast_free(&outcome->forecast);
    *outcome = (Outcome){.models = {.orders_customers = 0}};
}

static Status work_out(const Population *population, int deal, int threads, Outcome *outcome,
                       Error *error)
{
    Status status = STATUS_OK;
    Comm *comm = rank_comm();
    Shop shop = population_shop(population);
    TRY_ALL(comm, population_facts(population, deal, &outcome->facts, error), error);
    TRY(customer_models_fit(comm, &shop, &outcome->facts, threads, &outcome->models, error));
    TRY_ALL(comm,
            customer_forecast(&shop, &outcome->facts, &outcome->models, threads, &outcome->forecast,
                              error),
            error);
out:
    return status;
}

/* ---- the models ---- */

static void check_near(double got, double expected, double standard_error)
{
    CU_ASSERT(standard_error > 0.0 && standard_error < 0.5 * expected);
    CU_ASSERT(fabs(got - expected) < 3.0 * standard_error);
}

static void recovered(void)
{
    Error error = {0};
    Outcome outcome = {.models = {.orders_customers = 0}};
    CU_ASSERT_EQUAL(work_out(&paper, 0, 1, &outcome, &error), STATUS_OK);
    const CustomerModels *models = &outcome.models;
    CU_ASSERT_EQUAL(models->orders_customers, 51 * 196);
    CU_ASSERT(models->value_customers > 3000 && models->value_customers < 5000);
    CU_ASSERT(models->orders_fit.converged && models->value_fit.converged);
    const double *errors = models->orders_fit.standard_errors;
    check_near(models->orders.r, population_orders.r, errors[0]);
    check_near(models->orders.alpha, population_orders.alpha, errors[1]);
    check_near(models->orders.a, population_orders.a, errors[2]);
    check_near(models->orders.b, population_orders.b, errors[3]);
    errors = models->value_fit.standard_errors;
    check_near(models->value.p, population_value.p, errors[0]);
    check_near(models->value.q, population_value.q, errors[1]);
    check_near(models->value.v, population_value.v, errors[2]);
    outcome_free(&outcome);
}

/* Slopes of the likelihood of all customers at the models are nothing beside their standard errors:
 * also where the climb began with a sample. */
static void check_maximum(const Population *population, const CustomerModels *models)
{
    Error error = {0};
    Shop shop = population_shop(population);
    CustomerFacts facts = {0};
    for (int32_t p = 0; p < population->partitions; p++)
        CU_ASSERT_EQUAL(population_add(population, p, &facts, &error), STATUS_OK);
    int32_t *repeats = mem_new(3 * facts.n, sizeof *repeats);
    int32_t *recency = repeats + facts.n, *age = repeats + 2 * facts.n, *of_value = repeats;
    double *means = mem_new(facts.n, sizeof *means);
    double sums[1 + BGNBD_PARAMETERS];
    for (int64_t i = 0; i < facts.n; i++) {
        repeats[i] = facts.purchases[i] - 1;
        recency[i] = facts.last_day[i] - facts.first_day[i];
        age[i] = shop.as_of - facts.first_day[i];
    }
    RepeatHistories histories = {facts.n, repeats, recency, age};
    bgnbd_log_likelihood(&models->orders, &histories, sums);
    const double parameters[] = {models->orders.r, models->orders.alpha, models->orders.a,
                                 models->orders.b};
    CU_ASSERT_DOUBLE_EQUAL(sums[0], models->orders_fit.log_likelihood, 1e-9 * fabs(sums[0]));
    for (int i = 0; i < BGNBD_PARAMETERS; i++)
        CU_ASSERT(fabs(sums[1 + i]) * models->orders_fit.standard_errors[i] < 1e-4 * parameters[i]);
    int64_t n = 0;
    for (int64_t i = 0; i < facts.n; i++) {
        double value =
            (double)(facts.kept_value[i] - facts.first_value[i]) / (double)population->minor;
        if (facts.purchases[i] < 2 || value <= 0.0)
            continue;
        of_value[n] = facts.purchases[i] - 1;
        means[n++] = value / (facts.purchases[i] - 1);
    }
    CU_ASSERT_EQUAL(models->value_customers, n);
    gamma_gamma_log_likelihood(&models->value, n, of_value, means, sums);
    const double of_money[] = {models->value.p, models->value.q, models->value.v};
    for (int i = 0; i < GAMMA_GAMMA_PARAMETERS; i++)
        CU_ASSERT(fabs(sums[1 + i]) * models->value_fit.standard_errors[i] < 1e-4 * of_money[i]);
    mem_free(&repeats);
    mem_free(&means);
    customer_facts_free(&facts);
}

/* ---- who has what ---- */

/* Of the forecasts of all ranks, whoever has which row. */
static int64_t fingerprint(const Outcome *outcome)
{
    const CustomerFacts *facts = &outcome->facts;
    const CustomerForecast *forecast = &outcome->forecast;
    int64_t sum = 0;
    for (int64_t i = 0; i < facts->n; i++) {
        double row[3 + 2 * VALUE_HORIZONS] = {facts->partition[i], facts->code[i],
                                              forecast->p_alive[i]};
        memcpy(row + 3,
               (const double[]){forecast->orders[0][i], forecast->orders[1][i],
                                forecast->orders[2][i], forecast->value[0][i],
                                forecast->value[1][i], forecast->value[2][i]},
               2 * VALUE_HORIZONS * sizeof *row);
        sum += (int64_t)(hash64(row, sizeof row) >> 32);
    }
    comm_sum_i64(rank_comm(), &sum, 1);
    return sum;
}

static bool models_are_equal(const CustomerModels *a, const CustomerModels *b)
{
    return memcmp(&a->orders, &b->orders, sizeof a->orders) == 0 &&
           memcmp(&a->value, &b->value, sizeof a->value) == 0 &&
           memcmp(&a->orders_fit.log_likelihood, &b->orders_fit.log_likelihood, sizeof(double)) ==
               0 &&
           memcmp(&a->value_fit.log_likelihood, &b->value_fit.log_likelihood, sizeof(double)) ==
               0 &&
           memcmp(a->orders_fit.standard_errors, b->orders_fit.standard_errors,
                  BGNBD_PARAMETERS * sizeof(double)) == 0 &&
           memcmp(a->value_fit.standard_errors, b->value_fit.standard_errors,
                  GAMMA_GAMMA_PARAMETERS * sizeof(double)) == 0 &&
           a->orders_customers == b->orders_customers && a->value_customers == b->value_customers;
}

/* However partitions are dealt, and with any number of threads: the same bits, of the maximum. */
static void check_deals(const Population *population, int deals)
{
    Error error = {0};
    Outcome first = {.models = {.orders_customers = 0}};
    CU_ASSERT_EQUAL(work_out(population, 1, 1, &first, &error), STATUS_OK);
    CU_ASSERT(first.models.orders_fit.converged && first.models.value_fit.converged);
    check_maximum(population, &first.models);
    int64_t expected = fingerprint(&first);
    for (int deal = 0; deal < deals; deal++) {
        Outcome outcome = {.models = {.orders_customers = 0}};
        CU_ASSERT_EQUAL(work_out(population, deal, 1 + deal % 3, &outcome, &error), STATUS_OK);
        CU_ASSERT(models_are_equal(&first.models, &outcome.models));
        CU_ASSERT_EQUAL(fingerprint(&outcome), expected);
        outcome_free(&outcome);
    }
    outcome_free(&first);
}

static void any_deal(void)
{
    static const Population populations[] = {
        {.seed = 14, .partitions = 16, .customers = 90, .as_of = 300, .age_max = 300, .minor = 100},
        /* Fewer partitions than most numbers of ranks. */
        {.seed = 15, .partitions = 2, .customers = 400, .as_of = -300, .age_max = 700, .minor = 1},
    };
    for (size_t i = 0; i < sizeof populations / sizeof *populations; i++)
        check_deals(&populations[i], POPULATION_DEALS);
    /* So many that the climb begins with a sample. */
    static const Population large = {.seed = 16,
                                     .partitions = 20,
                                     .customers = 4200,
                                     .as_of = 400,
                                     .age_max = 200,
                                     .minor = 1000,
                                     .free_each = 7};
    check_deals(&large, 1);
}

/* ---- forecasts ---- */

static bool is_near(double got, double expected)
{
    return fabs(got - expected) <= 1e-12 * fabs(expected);
}

/* Row by row from the kernel. */
static bool forecast_is_right(const Outcome *outcome, const Population *population, int64_t row)
{
    const CustomerFacts *facts = &outcome->facts;
    const CustomerForecast *forecast = &outcome->forecast;
    const CustomerModels *models = &outcome->models;
    int32_t x = facts->purchases[row] - 1;
    double recency = (facts->last_day[row] - facts->first_day[row]) / 7.0;
    double age = (population->as_of - facts->first_day[row]) / 7.0;
    double mean = 0.0;
    if (x > 0)
        mean = (double)(facts->kept_value[row] - facts->first_value[row]) /
               (double)population->minor / x;
    double value = gamma_gamma_expected_value(&models->value, x, mean) * (double)population->minor;
    bool right = forecast->p_alive[row] == bgnbd_p_alive(&models->orders, x, recency, age);
    for (int h = 0; h < VALUE_HORIZONS; h++) {
        double orders =
            bgnbd_expected_orders(&models->orders, x, recency, age, value_horizon_days[h] / 7.0);
        right = right && is_near(forecast->orders[h][row], orders) &&
                is_near(forecast->value[h][row], orders * value);
    }
    return right;
}

static void forecasts(void)
{
    Error error = {0};
    Population population = {.seed = 17,
                             .partitions = 16,
                             .customers = 120,
                             .as_of = 400,
                             .age_max = 300,
                             .minor = 100,
                             .free_each = 5};
    Outcome outcome = {.models = {.orders_customers = 0}};
    CU_ASSERT_EQUAL(work_out(&population, 3, 2, &outcome, &error), STATUS_OK);
    CU_ASSERT(outcome.models.orders_fit.converged && outcome.models.value_fit.converged);
    CU_ASSERT_EQUAL(value_horizon_days[0], 30);
    CU_ASSERT_EQUAL(value_horizon_days[1], 90);
    CU_ASSERT_EQUAL(value_horizon_days[2], 365);
    int64_t wrong = 0;
    for (int64_t row = 0; row < outcome.facts.n; row++)
        wrong += !forecast_is_right(&outcome, &population, row);
    CU_ASSERT_EQUAL(wrong, 0);
    outcome_free(&outcome);
}

static bool is_unknown(const CustomerForecast *forecast, int64_t row, bool orders_too)
{
    bool unknown = !orders_too || isnan(forecast->p_alive[row]);
    for (int h = 0; h < VALUE_HORIZONS; h++)
        unknown = unknown && isnan(forecast->value[h][row]) &&
                  isnan(forecast->orders[h][row]) == orders_too;
    return unknown;
}

/* Those who only sent things back have no forecast, whatever the others have. */
static void no_purchase(void)
{
    Error error = {0};
    Population population = {
        .seed = 18, .partitions = 1, .customers = 900, .as_of = 400, .age_max = 300, .minor = 100};
    Shop shop = population_shop(&population);
    Outcome outcome = {.models = {.orders_customers = 0}};
    LineList list = {0};
    line_list_add(&list, (ListedLine){.customer = 0, .day = 200, .quantity = -1, .price = 10});
    line_list_add(&list, (ListedLine){.customer = 3, .order = 1, .day = 300, .quantity = 1});
    OrderLines lines = line_list_view(&list, 1);
    if (comm_rank(rank_comm()) == 0) {
        CU_ASSERT_EQUAL(population_add(&population, 0, &outcome.facts, &error), STATUS_OK);
        CU_ASSERT_EQUAL(customer_facts_add(&outcome.facts, &lines, &error), STATUS_OK);
    }
    CU_ASSERT_EQUAL(
        customer_models_fit(rank_comm(), &shop, &outcome.facts, 1, &outcome.models, &error),
        STATUS_OK);
    CU_ASSERT_EQUAL(outcome.models.orders_customers, 901);
    CU_ASSERT(outcome.models.orders_fit.converged);
    CU_ASSERT_EQUAL(
        customer_forecast(&shop, &outcome.facts, &outcome.models, 1, &outcome.forecast, &error),
        STATUS_OK);
    if (comm_rank(rank_comm()) == 0) {
        CU_ASSERT_EQUAL(outcome.facts.n, 902);
        CU_ASSERT(is_unknown(&outcome.forecast, 900, true));
        CU_ASSERT(forecast_is_right(&outcome, &population, 901));
    }
    line_list_free(&list);
    outcome_free(&outcome);
}

/* ---- no model ---- */

static bool rows_say_nothing(const Table *rows, const char *model)
{
    const double *value = table_column_const(rows, "value")->data;
    const double *error = table_column_const(rows, "standard_error")->data;
    const double *likelihood = table_column_const(rows, "log_likelihood")->data;
    const int8_t *converged = table_column_const(rows, "converged")->data;
    const Column *names = table_column_const(rows, "model");
    bool nothing = true;
    for (int64_t i = 0; i < rows->rows; i++)
        if (bytes_equal(column_text(names, i), bytes_of(model)))
            nothing = nothing && isnan(value[i]) && isnan(error[i]) && isnan(likelihood[i]) &&
                      !converged[i];
    return nothing;
}

static void check_no_model(const Population *population, bool has_orders)
{
    Error error = {0};
    Table rows = {0};
    Outcome outcome = {.models = {.orders_customers = 0}};
    CU_ASSERT_EQUAL(work_out(population, 3, 1, &outcome, &error), STATUS_OK);
    CU_ASSERT_EQUAL(outcome.models.orders_fit.converged, has_orders);
    CU_ASSERT(!outcome.models.value_fit.converged);
    int64_t wrong = 0;
    for (int64_t row = 0; row < outcome.facts.n; row++)
        wrong += !is_unknown(&outcome.forecast, row, !has_orders);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(customer_models_rows(&outcome.models, true, &rows, &error), STATUS_OK);
    CU_ASSERT_EQUAL(rows.rows, 7);
    CU_ASSERT_EQUAL(rows_say_nothing(&rows, "bg_nbd"), !has_orders);
    CU_ASSERT(rows_say_nothing(&rows, "gamma_gamma"));
    table_free(&rows);
    outcome_free(&outcome);
}

/* Too few customers, nobody who came back, or values that are all alike: an outcome, no error. */
static void no_model(void)
{
    static const Population populations[] = {
        {.seed = 19, .partitions = 8, .customers = 0, .as_of = 400, .age_max = 300, .minor = 100},
        {.seed = 19, .partitions = 1, .customers = 1, .as_of = 400, .age_max = 300, .minor = 100},
        {.seed = 19, .partitions = 2, .customers = 6, .as_of = 400, .age_max = 300, .minor = 100},
        {.seed = 19,
         .partitions = 8,
         .customers = 900,
         .as_of = 400,
         .age_max = 300,
         .buys_once = true,
         .minor = 100},
    };
    for (size_t i = 0; i < sizeof populations / sizeof *populations; i++)
        check_no_model(&populations[i], false);
    Population alike = {.seed = 20,
                        .partitions = 8,
                        .customers = 300,
                        .as_of = 400,
                        .age_max = 300,
                        .price = 250,
                        .minor = 100};
    check_no_model(&alike, true);
}

/* ---- customer_model ---- */

static void model_rows(void)
{
    static const char *const expected[][2] = {
        {"bg_nbd", "a"},      {"bg_nbd", "alpha"},  {"bg_nbd", "b"},     {"bg_nbd", "r"},
        {"gamma_gamma", "p"}, {"gamma_gamma", "q"}, {"gamma_gamma", "v"}};
    static const double values[] = {3, 2, 4, 1, 5, 6, 7};
    CustomerModels models = {
        .orders = {.r = 1, .alpha = 2, .a = 3, .b = 4},
        .orders_fit = {.converged = true,
                       .log_likelihood = -9,
                       .standard_errors = {10, 20, 30, 40}},
        .orders_customers = 77,
        .value = {.p = 5, .q = 6, .v = 7},
        .value_fit = {.converged = true, .log_likelihood = -8, .standard_errors = {50, 60, 70}},
        .value_customers = 66};
    Error error = {0};
    Table rows = {0};
    CU_ASSERT_EQUAL(customer_models_rows(&models, true, &rows, &error), STATUS_OK);
    CU_ASSERT_EQUAL(rows.rows, 7);
    for (int64_t i = 0; i < rows.rows; i++) {
        bool of_orders = i < BGNBD_PARAMETERS;
        CU_ASSERT(
            bytes_equal(column_text(table_column(&rows, "model"), i), bytes_of(expected[i][0])));
        CU_ASSERT(bytes_equal(column_text(table_column(&rows, "parameter"), i),
                              bytes_of(expected[i][1])));
        CU_ASSERT_EQUAL(((double *)table_column(&rows, "value")->data)[i], values[i]);
        CU_ASSERT_EQUAL(((double *)table_column(&rows, "standard_error")->data)[i], 10 * values[i]);
        CU_ASSERT_EQUAL(((int64_t *)table_column(&rows, "customers")->data)[i],
                        of_orders ? 77 : 66);
        CU_ASSERT_EQUAL(((double *)table_column(&rows, "log_likelihood")->data)[i],
                        of_orders ? -9 : -8);
        CU_ASSERT_EQUAL(((int8_t *)table_column(&rows, "converged")->data)[i], 1);
    }
    table_free(&rows);
    CU_ASSERT_EQUAL(customer_models_rows(&models, false, &rows, &error), STATUS_OK);
    CU_ASSERT_EQUAL(rows.rows, 0);
    CU_ASSERT_EQUAL(rows.n_columns, 7);
    table_free(&rows);
}

CU_TestInfo customer_value_tests[] = {
    {"published parameters come back", recovered},
    {"the maximum, however partitions are dealt", any_deal},
    {"forecasts as the kernel's", forecasts},
    {"no forecast without a purchase", no_purchase},
    {"no model", no_model},
    {"rows of customer_model", model_rows},
    CU_TEST_INFO_NULL,
};
