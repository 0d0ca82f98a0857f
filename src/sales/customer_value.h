/* Customer value: how likely each customer is to come back, and what they will buy. */
#ifndef VESPER_SALES_CUSTOMER_VALUE_H
#define VESPER_SALES_CUSTOMER_VALUE_H

#include "kernel/bgnbd.h"
#include "kernel/gamma_gamma.h"
#include "kernel/maximum_likelihood.h"
#include "sales/customer_facts.h"

enum { VALUE_HORIZONS = 3 };
extern const int value_horizon_days[VALUE_HORIZONS]; /* 30, 90, 365 */

/* Minor units of one major unit of money. */
double customer_minor_units(const Shop *shop);
/* What a customer's purchases after the first are worth, in major units; 0 without any. */
double customer_repeat_mean(const Shop *shop, const CustomerFacts *facts, int64_t row);

typedef struct CustomerModels {
    BgNbd orders;
    LikelihoodFit orders_fit; /* converged is false where there are too few histories, too */
    int64_t orders_customers; /* histories that it was fitted to */
    GammaGamma value;
    LikelihoodFit value_fit;
    int64_t value_customers;
} CustomerModels;

/* Fit both models to the customers of all ranks (sorted facts). Likelihoods are added partition by
 * partition, so that the models are the same bits at any number of ranks and threads. Collective.
 */
Status customer_models_fit(Comm *comm, const Shop *shop, const CustomerFacts *facts, int threads,
                           CustomerModels *models, Error *error) VESPER_MUST_USE;

/* Of each row of facts: NaN where there is no purchase or no model. All [facts->n]. Local. */
typedef struct CustomerForecast {
    double *p_alive;
    double *orders[VALUE_HORIZONS];
    double *value[VALUE_HORIZONS]; /* minor units */
} CustomerForecast;
Status customer_forecast(const Shop *shop, const CustomerFacts *facts, const CustomerModels *models,
                         int threads, CustomerForecast *forecast, Error *error) VESPER_MUST_USE;
void customer_forecast_free(CustomerForecast *forecast);

/* Table customer_model on rank 0: model, parameter, value, standard_error, customers,
 * log_likelihood, converged. Local. */
Status customer_models_rows(const CustomerModels *models, bool is_root, Table *rows,
                            Error *error) VESPER_MUST_USE;

#endif
