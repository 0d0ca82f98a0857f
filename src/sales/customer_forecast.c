/* Forecasts of customers by the fitted models; see customer_value.h.
 *
 * The number of orders that BG/NBD expects is the chance to be alive times a factor that depends on
 * the repeats x and the age T alone (Fader, Hardie, Lee 2005, eq. 10, where the denominator is the
 * inverse of that chance). So the hypergeometric function is worked out once for all customers of
 * the same x and T. */
#include "sales/customer_value.h"

#include "base/memory.h"
#include "table/sort.h"

#include <math.h>

const int value_horizon_days[VALUE_HORIZONS] = {30, 90, 365};

static const double DAYS_A_WEEK = 7.0;

void customer_forecast_free(CustomerForecast *forecast)
{
    mem_free(&forecast->p_alive);
    for (int h = 0; h < VALUE_HORIZONS; h++) {
        mem_free(&forecast->orders[h]);
        mem_free(&forecast->value[h]);
    }
}

static Status forecast_reserve(CustomerForecast *forecast, int64_t n, Error *error)
{
    static const char what[] = "forecasts of customers";
    Status status = STATUS_OK;
    TRY(mem_resize(&forecast->p_alive, n, sizeof(double), what, error));
    for (int h = 0; h < VALUE_HORIZONS; h++) {
        TRY(mem_resize(&forecast->orders[h], n, sizeof(double), what, error));
        TRY(mem_resize(&forecast->value[h], n, sizeof(double), what, error));
    }
out:
    return status;
}

/* ---- classes: customers of the same purchases and age ---- */

typedef struct Classes {
    int64_t n;
    int64_t *of_row;  /* [facts->n] */
    int64_t *example; /* [n] a row of each */
    double *living;   /* [n x VALUE_HORIZONS] orders expected of one who is alive */
} Classes;

static void classes_free(Classes *classes)
{
    mem_free(&classes->of_row);
    mem_free(&classes->example);
    mem_free(&classes->living);
}

/* Keys [facts->n]: purchases, then age; 0 without purchases. In as few bits as the ages need. */
static void make_keys(const Shop *shop, const CustomerFacts *facts, uint64_t *keys)
{
    int32_t oldest = 0;
    int bits = 0;
    for (int64_t i = 0; i < facts->n; i++) {
        int32_t age = facts->purchases[i] > 0 ? shop->as_of - facts->first_day[i] : 0;
        oldest = age > oldest ? age : oldest;
    }
    while (oldest >> bits > 0)
        bits++;
    for (int64_t i = 0; i < facts->n; i++) {
        int32_t age = facts->purchases[i] > 0 ? shop->as_of - facts->first_day[i] : 0;
        keys[i] = (uint64_t)facts->purchases[i] << bits | (uint64_t)age;
    }
}

static Status find_classes(const Shop *shop, const CustomerFacts *facts, Classes *classes,
                           Error *error)
{
    static const char what[] = "customers by age";
    Status status = STATUS_OK;
    uint64_t *keys = NULL;
    int64_t *order = NULL;
    TRY(mem_resize(&keys, facts->n, sizeof *keys, what, error));
    TRY(mem_resize(&order, facts->n, sizeof *order, what, error));
    TRY(mem_resize(&classes->of_row, facts->n, sizeof *classes->of_row, what, error));
    make_keys(shop, facts, keys);
    TRY(sort_order_u64(keys, facts->n, order, error));
    for (int64_t k = 0; k < facts->n; k++) {
        classes->n += k == 0 || keys[order[k]] != keys[order[k - 1]];
        classes->of_row[order[k]] = classes->n - 1;
    }
    TRY(mem_resize(&classes->example, classes->n, sizeof *classes->example, what, error));
    TRY(mem_resize(&classes->living, classes->n * VALUE_HORIZONS, sizeof *classes->living, what,
                   error));
    for (int64_t k = 0; k < facts->n; k++)
        classes->example[classes->of_row[order[k]]] = order[k];
out:
    mem_free(&keys);
    mem_free(&order);
    return status;
}

/* One who bought on the last day, the chance to be alive taken out again. */
static void expect_living(const Shop *shop, const CustomerFacts *facts, const BgNbd *model,
                          int threads, Classes *classes)
{
#pragma omp parallel for schedule(dynamic, 64) num_threads(threads)
    for (int64_t c = 0; c < classes->n; c++) {
        int64_t row = classes->example[c];
        if (facts->purchases[row] == 0)
            continue;
        int32_t repeats = facts->purchases[row] - 1;
        double age = (double)(shop->as_of - facts->first_day[row]) / DAYS_A_WEEK;
        double recency = repeats > 0 ? age : 0.0;
        double alive = bgnbd_p_alive(model, repeats, recency, age);
        for (int h = 0; h < VALUE_HORIZONS; h++) {
            double horizon = (double)value_horizon_days[h] / DAYS_A_WEEK;
            classes->living[c * VALUE_HORIZONS + h] =
                bgnbd_expected_orders(model, repeats, recency, age, horizon) / alive;
        }
    }
}

/* ---- customers ---- */

static void set_unknown(CustomerForecast *forecast, int64_t row)
{
    forecast->p_alive[row] = NAN;
    for (int h = 0; h < VALUE_HORIZONS; h++)
        forecast->orders[h][row] = forecast->value[h][row] = NAN;
}

/* living [VALUE_HORIZONS]: of the row's class. */
static void set_row(const Shop *shop, const CustomerFacts *facts, const CustomerModels *models,
                    const double *living, int64_t row, CustomerForecast *forecast)
{
    int32_t repeats = facts->purchases[row] - 1;
    double recency = (double)(facts->last_day[row] - facts->first_day[row]) / DAYS_A_WEEK;
    double age = (double)(shop->as_of - facts->first_day[row]) / DAYS_A_WEEK;
    double alive = bgnbd_p_alive(&models->orders, repeats, recency, age);
    double value = NAN; /* of a purchase */
    if (models->value_fit.converged)
        value = gamma_gamma_expected_value(&models->value, repeats,
                                           customer_repeat_mean(shop, facts, row)) *
                customer_minor_units(shop);
    forecast->p_alive[row] = alive;
    for (int h = 0; h < VALUE_HORIZONS; h++) {
        forecast->orders[h][row] = alive * living[h];
        forecast->value[h][row] = alive * living[h] * value;
    }
}

Status customer_forecast(const Shop *shop, const CustomerFacts *facts, const CustomerModels *models,
                         int threads, CustomerForecast *forecast, Error *error)
{
    Status status = STATUS_OK;
    Classes classes = {0};
    bool has_model = models->orders_fit.converged;
    TRY(forecast_reserve(forecast, facts->n, error));
    if (has_model) {
        TRY(find_classes(shop, facts, &classes, error));
        expect_living(shop, facts, &models->orders, threads, &classes);
    }
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t row = 0; row < facts->n; row++) {
        if (!has_model || facts->purchases[row] == 0)
            set_unknown(forecast, row);
        else
            set_row(shop, facts, models, classes.living + classes.of_row[row] * VALUE_HORIZONS, row,
                    forecast);
    }
out:
    classes_free(&classes);
    return status;
}
