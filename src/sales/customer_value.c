/* How likely customers are to come back, and what they will buy; see customer_value.h. */
#include "sales/customer_value.h"

#include "base/log.h"
#include "base/memory.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum {
    REPEATERS_MIN = 10,  /* fewer customers who came back tell nothing */
    SAMPLE_FROM = 65536, /* so many customers: the climb begins with a sample of them, */
    SAMPLE_STEP = 16     /* every 16th of each partition */
};

/* ---- histories ---- */

/* What a model learns from, partition by partition. */
typedef struct Histories {
    Comm *comm;
    int threads;
    int64_t n_partitions;
    int64_t *starts; /* [n_partitions + 1] */
    int32_t *repeats;
    int32_t *recency_days; /* BG/NBD alone */
    int32_t *age_days;     /* the same */
    double *means;         /* Gamma-Gamma alone: of the purchases after the first, major units */
    double *sums;          /* [n_partitions x (1 + parameters)] */
} Histories;

typedef enum ModelKind { MODEL_BG_NBD, MODEL_GAMMA_GAMMA } ModelKind;

static void histories_free(Histories *histories)
{
    mem_free(&histories->starts);
    mem_free(&histories->repeats);
    mem_free(&histories->recency_days);
    mem_free(&histories->age_days);
    mem_free(&histories->means);
    mem_free(&histories->sums);
}

static bool is_history(ModelKind kind, const CustomerFacts *facts, int64_t row)
{
    if (kind == MODEL_BG_NBD)
        return facts->purchases[row] >= 1;
    return facts->purchases[row] >= 2 && facts->kept_value[row] > facts->first_value[row];
}

static int64_t repeat_value(const CustomerFacts *facts, int64_t row)
{
    return facts->kept_value[row] - facts->first_value[row];
}

double customer_minor_units(const Shop *shop)
{
    double units = 1.0;
    for (int i = 0; i < shop->money_decimals; i++)
        units *= 10.0;
    return units;
}

double customer_repeat_mean(const Shop *shop, const CustomerFacts *facts, int64_t row)
{
    int32_t repeats = facts->purchases[row] - 1;
    if (repeats <= 0)
        return 0.0;
    return (double)repeat_value(facts, row) / customer_minor_units(shop) / repeats;
}

static Status histories_reserve(Histories *histories, ModelKind kind, int64_t rows, Error *error)
{
    static const char what[] = "histories of customers";
    Status status = STATUS_OK;
    int64_t n = histories->n_partitions;
    TRY(mem_resize(&histories->starts, n + 1, sizeof *histories->starts, what, error));
    TRY(mem_resize(&histories->sums, n * (1 + LIKELIHOOD_PARAMETERS_MAX), sizeof *histories->sums,
                   what, error));
    TRY(mem_resize(&histories->repeats, rows, sizeof *histories->repeats, what, error));
    if (kind == MODEL_BG_NBD) {
        TRY(mem_resize(&histories->recency_days, rows, sizeof *histories->recency_days, what,
                       error));
        TRY(mem_resize(&histories->age_days, rows, sizeof *histories->age_days, what, error));
    } else {
        TRY(mem_resize(&histories->means, rows, sizeof *histories->means, what, error));
    }
out:
    return status;
}

static void histories_set(Histories *histories, ModelKind kind, const CustomerFacts *facts,
                          const Shop *shop, int64_t row, int64_t at)
{
    histories->repeats[at] = facts->purchases[row] - 1;
    if (kind == MODEL_BG_NBD) {
        histories->recency_days[at] = facts->last_day[row] - facts->first_day[row];
        histories->age_days[at] = shop->as_of - facts->first_day[row];
    } else {
        histories->means[at] = customer_repeat_mean(shop, facts, row);
    }
}

/* Every `step`th history of each partition that this rank has customers of. Local. */
static Status histories_take(Histories *histories, ModelKind kind, const CustomerFacts *facts,
                             const Shop *shop, int64_t step, Error *error)
{
    Status status = STATUS_OK;
    for (int64_t i = 0; i < facts->n; i++)
        histories->n_partitions += i == 0 || facts->partition[i] != facts->partition[i - 1];
    TRY(histories_reserve(histories, kind, facts->n / step + histories->n_partitions, error));
    int64_t partition = -1, n = 0, seen = 0;
    for (int64_t i = 0; i < facts->n; i++) {
        if (i == 0 || facts->partition[i] != facts->partition[i - 1]) {
            histories->starts[++partition] = n;
            seen = 0;
        }
        if (is_history(kind, facts, i) && seen++ % step == 0)
            histories_set(histories, kind, facts, shop, i, n++);
    }
    histories->starts[histories->n_partitions] = n;
out:
    return status;
}

/* ---- fitting ---- */

static void sum_histories(Histories *histories, int n_parameters, double *sums)
{
    comm_sum_in_order_f64(histories->comm, histories->sums, histories->n_partitions,
                          1 + n_parameters, sums);
}

/* LogLikelihood of BG/NBD. Collective. */
static void orders_likelihood(const double *parameters, double *sums, void *context)
{
    Histories *histories = context;
    const BgNbd model = {parameters[0], parameters[1], parameters[2], parameters[3]};
#pragma omp parallel for schedule(dynamic) num_threads(histories->threads)
    for (int64_t p = 0; p < histories->n_partitions; p++) {
        int64_t start = histories->starts[p];
        const RepeatHistories own = {.n = histories->starts[p + 1] - start,
                                     .repeats = histories->repeats + start,
                                     .recency_days = histories->recency_days + start,
                                     .age_days = histories->age_days + start};
        bgnbd_log_likelihood(&model, &own, histories->sums + p * (1 + BGNBD_PARAMETERS));
    }
    sum_histories(histories, BGNBD_PARAMETERS, sums);
}

/* LogLikelihood of Gamma-Gamma. Collective. */
static void value_likelihood(const double *parameters, double *sums, void *context)
{
    Histories *histories = context;
    const GammaGamma model = {parameters[0], parameters[1], parameters[2]};
#pragma omp parallel for schedule(dynamic) num_threads(histories->threads)
    for (int64_t p = 0; p < histories->n_partitions; p++) {
        int64_t start = histories->starts[p];
        gamma_gamma_log_likelihood(&model, histories->starts[p + 1] - start,
                                   histories->repeats + start, histories->means + start,
                                   histories->sums + p * (1 + GAMMA_GAMMA_PARAMETERS));
    }
    sum_histories(histories, GAMMA_GAMMA_PARAMETERS, sums);
}

/* Sums over the customers of all ranks that a model can learn from. */
typedef struct Totals {
    int64_t customers;
    int64_t repeaters;
    int64_t repeats;
    int64_t age_days;
    int64_t repeat_value; /* minor units */
} Totals;
enum { N_TOTALS = sizeof(Totals) / sizeof(int64_t) };

/* Collective. */
static Totals find_totals(Comm *comm, ModelKind kind, const CustomerFacts *facts, const Shop *shop)
{
    Totals totals = {0};
    for (int64_t i = 0; i < facts->n; i++) {
        if (!is_history(kind, facts, i))
            continue;
        totals.customers++;
        totals.repeaters += facts->purchases[i] > 1;
        totals.repeats += facts->purchases[i] - 1;
        totals.age_days += shop->as_of - facts->first_day[i];
        totals.repeat_value += repeat_value(facts, i);
    }
    comm_sum_i64(comm, &totals.customers, N_TOTALS);
    return totals;
}

/* What a fit needs besides the customers. */
typedef struct FitPlan {
    ModelKind kind;
    LogLikelihood *likelihood;
    int n_parameters;
    int threads;
} FitPlan;

/* Climb from `parameters` on every `step`th history. Collective. */
static Status climb(Comm *comm, const FitPlan *plan, const CustomerFacts *facts, const Shop *shop,
                    int64_t step, double *parameters, LikelihoodFit *fit, Error *error)
{
    Status status = STATUS_OK;
    Histories histories = {.comm = comm, .threads = plan->threads};
    TRY(comm_safe_point(comm, "before a model of customers was fitted", error));
    TRY_ALL(comm, histories_take(&histories, plan->kind, facts, shop, step, error), error);
    *fit = maximise_likelihood(plan->likelihood, &histories, plan->n_parameters, parameters);
out:
    histories_free(&histories);
    return status;
}

/* A model that is none. */
static void forget(int n_parameters, double *parameters, LikelihoodFit *fit)
{
    fit->converged = false;
    fit->log_likelihood = NAN;
    for (int i = 0; i < n_parameters; i++)
        parameters[i] = fit->standard_errors[i] = NAN;
}

/* parameters: where to begin, then the maximum, or NaN. Collective. */
static Status fit_model(Comm *comm, const FitPlan *plan, const CustomerFacts *facts,
                        const Shop *shop, const Totals *totals, double *parameters,
                        LikelihoodFit *fit, Error *error)
{
    Status status = STATUS_OK;
    *fit = (LikelihoodFit){.converged = false};
    if (totals->repeaters >= REPEATERS_MIN) {
        if (totals->customers >= SAMPLE_FROM) {
            double near[LIKELIHOOD_PARAMETERS_MAX];
            size_t bytes = (size_t)plan->n_parameters * sizeof *near;
            memcpy(near, parameters, bytes);
            TRY(climb(comm, plan, facts, shop, SAMPLE_STEP, near, fit, error));
            if (fit->converged)
                memcpy(parameters, near, bytes);
        }
        TRY(climb(comm, plan, facts, shop, 1, parameters, fit, error));
    }
    if (!fit->converged)
        forget(plan->n_parameters, parameters, fit);
out:
    return status;
}

/* Begins at the rate at which customers came back, as if none had left. Collective. */
static Status fit_orders(Comm *comm, const Shop *shop, const CustomerFacts *facts, int threads,
                         CustomerModels *models, Error *error)
{
    Status status = STATUS_OK;
    const FitPlan plan = {MODEL_BG_NBD, orders_likelihood, BGNBD_PARAMETERS, threads};
    Totals totals = find_totals(comm, plan.kind, facts, shop);
    double weeks = (double)totals.age_days / 7.0;
    double parameters[BGNBD_PARAMETERS] = {1.0, weeks / (double)totals.repeats, 1.0, 2.0};
    TRY(fit_model(comm, &plan, facts, shop, &totals, parameters, &models->orders_fit, error));
    models->orders = (BgNbd){parameters[0], parameters[1], parameters[2], parameters[3]};
    models->orders_customers = totals.customers;
    if (models->orders_fit.converged)
        log_line(LOG_INFO, LOG_ROOT, "sales.bg_nbd",
                 "customers=%" PRId64 " repeaters=%" PRId64
                 " converged=yes r=%.4f alpha=%.4f a=%.4f b=%.4f",
                 totals.customers, totals.repeaters, parameters[0], parameters[1], parameters[2],
                 parameters[3]);
    else
        log_line(LOG_INFO, LOG_ROOT, "sales.bg_nbd",
                 "customers=%" PRId64 " repeaters=%" PRId64 " converged=no", totals.customers,
                 totals.repeaters);
out:
    return status;
}

/* Begins where an average customer's purchases are worth the average. Collective. */
static Status fit_value(Comm *comm, const Shop *shop, const CustomerFacts *facts, int threads,
                        CustomerModels *models, Error *error)
{
    Status status = STATUS_OK;
    const FitPlan plan = {MODEL_GAMMA_GAMMA, value_likelihood, GAMMA_GAMMA_PARAMETERS, threads};
    Totals totals = find_totals(comm, plan.kind, facts, shop);
    double mean = (double)totals.repeat_value / customer_minor_units(shop) / (double)totals.repeats;
    double parameters[GAMMA_GAMMA_PARAMETERS] = {2.0, 3.0, mean};
    TRY(fit_model(comm, &plan, facts, shop, &totals, parameters, &models->value_fit, error));
    models->value = (GammaGamma){parameters[0], parameters[1], parameters[2]};
    models->value_customers = totals.customers;
    if (models->value_fit.converged)
        log_line(LOG_INFO, LOG_ROOT, "sales.gamma_gamma",
                 "customers=%" PRId64 " converged=yes p=%.4f q=%.4f v=%.4f", totals.customers,
                 parameters[0], parameters[1], parameters[2]);
    else
        log_line(LOG_INFO, LOG_ROOT, "sales.gamma_gamma", "customers=%" PRId64 " converged=no",
                 totals.customers);
out:
    return status;
}

Status customer_models_fit(Comm *comm, const Shop *shop, const CustomerFacts *facts, int threads,
                           CustomerModels *models, Error *error)
{
    Status status = STATUS_OK;
    TRY(fit_orders(comm, shop, facts, threads, models, error));
    TRY(fit_value(comm, shop, facts, threads, models, error));
out:
    return status;
}

/* ---- customer_model ---- */

static Status add_parameter(Table *rows, const char *model, const char *parameter, double value,
                            double standard_error, int64_t customers, const LikelihoodFit *fit,
                            Error *error)
{
    Status status = STATUS_OK;
    TRY(table_add_row(rows, error));
    TRY(table_set_last_text(rows, table_column(rows, "model"), bytes_of(model), error));
    TRY(table_set_last_text(rows, table_column(rows, "parameter"), bytes_of(parameter), error));
    int64_t row = rows->rows - 1;
    ((double *)table_column(rows, "value")->data)[row] = value;
    ((double *)table_column(rows, "standard_error")->data)[row] = standard_error;
    ((int64_t *)table_column(rows, "customers")->data)[row] = customers;
    ((double *)table_column(rows, "log_likelihood")->data)[row] = fit->log_likelihood;
    ((int8_t *)table_column(rows, "converged")->data)[row] = fit->converged;
out:
    return status;
}

Status customer_models_rows(const CustomerModels *models, bool is_root, Table *rows, Error *error)
{
    static const ColumnSpec columns[] = {
        {"model", COLUMN_TEXT, UNIT_NONE},     {"parameter", COLUMN_TEXT, UNIT_NONE},
        {"value", COLUMN_F64, UNIT_NONE},      {"standard_error", COLUMN_F64, UNIT_NONE},
        {"customers", COLUMN_I64, UNIT_COUNT}, {"log_likelihood", COLUMN_F64, UNIT_NONE},
        {"converged", COLUMN_I8, UNIT_BOOL},
    };
    Status status = STATUS_OK;
    const BgNbd *orders = &models->orders;
    const GammaGamma *value = &models->value;
    /* Sorted by name; `at` is the place among the model's parameters. */
    const struct {
        const char *name;
        double value;
        int at;
    } of_orders[] = {{"a", orders->a, 2},
                     {"alpha", orders->alpha, 1},
                     {"b", orders->b, 3},
                     {"r", orders->r, 0}},
      of_value[] = {{"p", value->p, 0}, {"q", value->q, 1}, {"v", value->v, 2}};
    table_init(rows, columns, sizeof columns / sizeof *columns);
    for (int i = 0; is_root && i < BGNBD_PARAMETERS; i++)
        TRY(add_parameter(rows, "bg_nbd", of_orders[i].name, of_orders[i].value,
                          models->orders_fit.standard_errors[of_orders[i].at],
                          models->orders_customers, &models->orders_fit, error));
    for (int i = 0; is_root && i < GAMMA_GAMMA_PARAMETERS; i++)
        TRY(add_parameter(rows, "gamma_gamma", of_value[i].name, of_value[i].value,
                          models->value_fit.standard_errors[of_value[i].at],
                          models->value_customers, &models->value_fit, error));
out:
    return status;
}
