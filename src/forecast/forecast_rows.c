/* See forecast_rows.h. */
#include "forecast/forecast_rows.h"

#include "base/memory.h"
#include "forecast/calendar.h"
#include "forecast/interval_around.h"

#include <math.h>

static const double INTERVAL_MASS = 0.8;

/* ---- keys ---- */

/* What series are of beside the product. */
static const struct {
    const char *column, *key;
} groupings[] = {[SERIES_OF_PRODUCTS] = {NULL, "product_id,day"},
                 [SERIES_BY_COUNTRY] = {"country", "product_id,country,day"},
                 [SERIES_BY_CHANNEL] = {"channel", "product_id,channel,day"}};

const char *forecast_rows_key(SeriesGrouping grouping)
{
    return groupings[grouping].key;
}

static Bytes product_of(const Forecasts *from, int64_t i)
{
    const int32_t *products = table_column_const(&from->set->keys, "product")->data;
    return names_text(&from->shop->product, products[i]);
}

static int32_t day_of(const Forecasts *from, int32_t period)
{
    return period_first_day(from->set->calendar.frequency, period);
}

/* Columns product_id, the group if there is one, and day, then `others`. */
static void init_rows(const Forecasts *from, const ColumnSpec *others, int n_others, Table *rows)
{
    ColumnSpec specs[TABLE_COLUMNS_MAX] = {{"product_id", COLUMN_TEXT, UNIT_NONE}};
    int n = 1;
    if (from->grouping != SERIES_OF_PRODUCTS)
        specs[n++] = (ColumnSpec){groupings[from->grouping].column, COLUMN_TEXT, UNIT_NONE};
    specs[n++] = (ColumnSpec){"day", COLUMN_I32, UNIT_DAY};
    for (int k = 0; k < n_others; k++)
        specs[n++] = others[k];
    table_free(rows);
    table_init(rows, specs, n);
}

/* Add a row with its key; *column: the first after that. */
static Status add_row(const Forecasts *from, int64_t i, int32_t period, Table *rows,
                      Column **column, Error *error)
{
    Status status;
    const Shop *shop = from->shop;
    *column = rows->columns;
    TRY(table_add_row(rows, error));
    TRY(table_set_last_text(rows, (*column)++, product_of(from, i), error));
    if (from->grouping != SERIES_OF_PRODUCTS) {
        const Names *names = from->grouping == SERIES_BY_COUNTRY ? &shop->country : &shop->channel;
        const Column *group =
            table_column_const(&from->set->keys, groupings[from->grouping].column);
        int32_t code = (int32_t)column_integer(group, i);
        TRY(table_set_last_text(rows, (*column)++, names_text(names, code), error));
    }
    ((int32_t *)(*column)++->data)[rows->rows - 1] = day_of(from, period);
out:
    return status;
}

static void set_real(Table *rows, Column **column, double value)
{
    ((double *)(*column)++->data)[rows->rows - 1] = value;
}

/* ---- forecast_daily ---- */

static const ColumnSpec daily_columns[] = {
    {"units", COLUMN_I64, UNIT_COUNT},  {"mean", COLUMN_F64, UNIT_NONE},
    {"p10", COLUMN_F64, UNIT_NONE},     {"p50", COLUMN_F64, UNIT_NONE},
    {"p90", COLUMN_F64, UNIT_NONE},     {"low_80", COLUMN_F64, UNIT_NONE},
    {"high_80", COLUMN_F64, UNIT_NONE}, {"demand", COLUMN_TEXT, UNIT_NONE},
    {"model", COLUMN_TEXT, UNIT_NONE},
};

/* What surrounds the means of one series. */
typedef struct Surround {
    double *quantiles;  /* [horizon x TIERS_QUANTILES] */
    double *low, *high; /* [horizon] */
} Surround;

static Status add_period(const Forecasts *from, int64_t i, int h, const char *demand,
                         const Surround *around, Table *rows, Error *error)
{
    Status status;
    const Tiers *tiers = from->tiers;
    int64_t at = i * from->backtest->options.horizon + h;
    int32_t period = from->set->start[i] + series_length(from->set, i) + h;
    double share = calendar_is_closed(&from->set->calendar, period) ? 0.0 : 1.0;
    Column *column;
    TRY(add_row(from, i, period, rows, &column, error));
    ((int64_t *)column++->data)[rows->rows - 1] = tiers->units[at];
    set_real(rows, &column, tiers->mean[at]);
    for (int k = 0; k < TIERS_QUANTILES; k++)
        set_real(rows, &column, share * around->quantiles[h * TIERS_QUANTILES + k]);
    set_real(rows, &column, share * around->low[h]);
    set_real(rows, &column, share * around->high[h]);
    TRY(table_set_last_text(rows, column++, bytes_of(demand), error));
    TRY(table_set_last_text(
        rows, column, bytes_of(forecast_source_name((ForecastSource)tiers->source[i])), error));
out:
    return status;
}

Status forecast_daily_rows(const Forecasts *from, Table *rows, Error *error)
{
    Status status = STATUS_OK;
    const IntervalModel *model = &from->intervals->model;
    int horizon = from->backtest->options.horizon;
    Surround around = {.quantiles = mem_new((int64_t)horizon * TIERS_QUANTILES, sizeof(double)),
                       .low = mem_new(horizon, sizeof(double)),
                       .high = mem_new(horizon, sizeof(double))};
    init_rows(from, daily_columns, sizeof daily_columns / sizeof daily_columns[0], rows);
    for (int64_t i = 0; i < from->set->n; i++) {
        const double *mean = from->tiers->mean + i * horizon;
        TRY(model_intervals_load(from->intervals, i, error));
        const char *demand = demand_class_name(demand_class(from->backtest, from->set, i, 0));
        intervals_quantiles(model, i, mean, tiers_probabilities, TIERS_QUANTILES, around.quantiles);
        interval_around(model, i, mean, INTERVAL_MASS, around.low, around.high);
        for (int h = 0; h < horizon; h++)
            TRY(add_period(from, i, h, demand, &around, rows, error));
    }
out:
    mem_free(&around.quantiles);
    mem_free(&around.low);
    mem_free(&around.high);
    return status;
}

/* ---- demand_anomaly ---- */

static const ColumnSpec anomaly_columns[] = {
    {"units", COLUMN_F64, UNIT_NONE}, {"expected", COLUMN_F64, UNIT_NONE},
    {"low", COLUMN_F64, UNIT_NONE},   {"high", COLUMN_F64, UNIT_NONE},
    {"score", COLUMN_F64, UNIT_NONE},
};

Status anomaly_rows(const Forecasts *from, const Anomalies *anomalies, Table *rows, Error *error)
{
    Status status = STATUS_OK;
    init_rows(from, anomaly_columns, sizeof anomaly_columns / sizeof anomaly_columns[0], rows);
    for (int64_t k = 0; k < anomalies->n; k++) {
        const Anomaly *anomaly = &anomalies->items[k];
        Column *column;
        TRY(add_row(from, anomaly->series, anomaly->period, rows, &column, error));
        set_real(rows, &column, anomaly->actual);
        set_real(rows, &column, anomaly->expected);
        set_real(rows, &column, anomaly->low);
        set_real(rows, &column, anomaly->high);
        set_real(rows, &column, anomaly->score);
    }
out:
    return status;
}

/* ---- inventory_plan ---- */

static const ColumnSpec inventory_columns[] = {
    {"product_id", COLUMN_TEXT, UNIT_NONE},     {"stock", COLUMN_F64, UNIT_NONE},
    {"lead_time_days", COLUMN_I32, UNIT_COUNT}, {"service_level", COLUMN_F64, UNIT_NONE},
    {"lead_demand", COLUMN_F64, UNIT_NONE},     {"protected_demand", COLUMN_F64, UNIT_NONE},
    {"safety_stock", COLUMN_F64, UNIT_NONE},    {"reorder_point", COLUMN_F64, UNIT_NONE},
    {"order_quantity", COLUMN_F64, UNIT_NONE},  {"days_of_cover", COLUMN_F64, UNIT_NONE},
    {"stock_out", COLUMN_F64, UNIT_NONE},
};

static double money_or_nan(int64_t minor)
{
    return minor == MONEY_NONE ? NAN : (double)minor;
}

/* Of one product: what the catalogue knows, else what is usual. */
static InventoryTerms terms_of(const Forecasts *from, int32_t product, const InventoryTerms *usual)
{
    const Catalogue *catalogue = &from->shop->catalogue;
    InventoryTerms terms = *usual;
    if (catalogue->stock[product] != INT64_MIN)
        terms.on_hand = (double)catalogue->stock[product];
    if (catalogue->lead_time_days[product] >= 0)
        terms.lead_days = (double)catalogue->lead_time_days[product];
    terms.on_order = (double)catalogue->on_order[product];
    terms.pack = (double)catalogue->pack_size[product];
    terms.least_order = (double)catalogue->least_order[product];
    terms.order_cost = money_or_nan(catalogue->order_cost[product]);
    terms.unit_cost = money_or_nan(catalogue->cost[product]);
    return terms;
}

static double finite_or_nan(double value)
{
    return isfinite(value) ? value : NAN;
}

static Status add_product(const Forecasts *from, int64_t i, const InventoryTerms *usual,
                          Table *rows, InventoryCounts *counts, Error *error)
{
    Status status;
    const int32_t *products = table_column_const(&from->set->keys, "product")->data;
    Frequency frequency = from->set->calendar.frequency;
    InventoryTerms terms = terms_of(from, products[i], usual);
    InventoryPlan plan;
    TRY(model_intervals_load(from->intervals, i, error));
    inventory_plan(&from->intervals->model, i,
                   from->tiers->mean + i * from->backtest->options.horizon,
                   frequency_days(frequency), &terms, &plan);
    counts->planned++;
    counts->stocked += !isnan(terms.on_hand);
    counts->to_order += plan.order_quantity > 0.0;
    Column *column = rows->columns;
    TRY(table_add_row(rows, error));
    TRY(table_set_last_text(rows, column++, product_of(from, i), error));
    set_real(rows, &column, terms.on_hand);
    ((int32_t *)column++->data)[rows->rows - 1] = (int32_t)terms.lead_days;
    set_real(rows, &column, terms.service_level);
    set_real(rows, &column, plan.lead_demand);
    set_real(rows, &column, plan.protected_demand);
    set_real(rows, &column, plan.safety_stock);
    set_real(rows, &column, plan.reorder_point);
    set_real(rows, &column, plan.order_quantity);
    set_real(rows, &column, finite_or_nan(plan.days_of_cover));
    set_real(rows, &column, plan.stock_out);
out:
    return status;
}

Status inventory_rows(const Forecasts *from, const InventoryTerms *usual, Table *rows,
                      InventoryCounts *counts, Error *error)
{
    Status status = STATUS_OK;
    *counts = (InventoryCounts){0};
    table_free(rows);
    table_init(rows, inventory_columns, sizeof inventory_columns / sizeof inventory_columns[0]);
    for (int64_t i = 0; from->grouping == SERIES_OF_PRODUCTS && i < from->set->n; i++)
        TRY(add_product(from, i, usual, rows, counts, error));
out:
    return status;
}

/* ---- forecast_total ---- */

static const ColumnSpec total_columns[] = {
    {"level", COLUMN_TEXT, UNIT_NONE}, {"name", COLUMN_TEXT, UNIT_NONE},
    {"day", COLUMN_I32, UNIT_DAY},     {"units", COLUMN_I64, UNIT_COUNT},
    {"mean", COLUMN_F64, UNIT_NONE},   {"p10", COLUMN_F64, UNIT_NONE},
    {"p50", COLUMN_F64, UNIT_NONE},    {"p90", COLUMN_F64, UNIT_NONE},
};

Status forecast_total_rows(const Forecasts *from, Table *rows, Error *error)
{
    static const SortKey keys[] = {{.column = "level"}, {.column = "name"}, {.column = "day"}};
    Status status = STATUS_OK;
    const Tiers *tiers = from->tiers;
    const Hierarchy *hierarchy = &from->nodes->hierarchy;
    const Calendar *calendar = &from->set->calendar;
    int horizon = from->backtest->options.horizon;
    table_free(rows);
    table_init(rows, total_columns, sizeof total_columns / sizeof total_columns[0]);
    for (int32_t node = 0; from->set->total > 0 && node < hierarchy->n_nodes; node++) {
        const char *level = hierarchy->names[hierarchy_level_of(hierarchy, node)];
        Bytes name = tier_node_name(hierarchy, from->shop, node);
        for (int h = 0; h < horizon; h++) {
            int64_t at = (int64_t)node * horizon + h;
            bool is_closed = calendar_is_closed(calendar, calendar->first + calendar->n + h);
            TRY(table_add_row(rows, error));
            TRY(table_set_last_text(rows, &rows->columns[0], bytes_of(level), error));
            TRY(table_set_last_text(rows, &rows->columns[1], name, error));
            int64_t row = rows->rows - 1;
            ((int32_t *)rows->columns[2].data)[row] =
                day_of(from, calendar->first + calendar->n + h);
            ((int64_t *)rows->columns[3].data)[row] = tiers->node_units[at];
            ((double *)rows->columns[4].data)[row] = tiers->node_mean[at];
            for (int k = 0; k < TIERS_QUANTILES; k++)
                ((double *)rows->columns[5 + k].data)[row] =
                    is_closed ? 0.0 : tiers->node_quantiles[at * TIERS_QUANTILES + k];
        }
    }
    TRY(table_sort(rows, keys, 3, error));
out:
    return status;
}

/* ---- forecast_accuracy ---- */

static const ColumnSpec accuracy_columns[] = {
    {"model", COLUMN_TEXT, UNIT_NONE},         {"series", COLUMN_I64, UNIT_COUNT},
    {"smape", COLUMN_F64, UNIT_NONE},          {"mase", COLUMN_F64, UNIT_NONE},
    {"rmsse", COLUMN_F64, UNIT_NONE},          {"owa", COLUMN_F64, UNIT_NONE},
    {"bias", COLUMN_F64, UNIT_NONE},           {"pinball", COLUMN_F64, UNIT_NONE},
    {"coverage_80", COLUMN_F64, UNIT_NONE},    {"weight_smooth", COLUMN_F64, UNIT_NONE},
    {"weight_erratic", COLUMN_F64, UNIT_NONE}, {"weight_intermittent", COLUMN_F64, UNIT_NONE},
    {"weight_lumpy", COLUMN_F64, UNIT_NONE},
};

static Status add_model(SeriesModel model, const ForecastAccuracy *accuracy,
                        const Combination *combination, Table *rows, Error *error)
{
    Status status;
    Column *column = rows->columns;
    TRY(table_add_row(rows, error));
    TRY(table_set_last_text(rows, column++, bytes_of(series_model_name(model)), error));
    ((int64_t *)column++->data)[rows->rows - 1] = accuracy->series;
    set_real(rows, &column, accuracy->smape);
    set_real(rows, &column, accuracy->mase);
    set_real(rows, &column, accuracy->rmsse);
    set_real(rows, &column, accuracy->owa);
    set_real(rows, &column, accuracy->bias);
    set_real(rows, &column, accuracy->pinball);
    set_real(rows, &column, accuracy->coverage);
    for (int c = 0; c < DEMAND_NEW; c++)
        set_real(rows, &column, model >= SERIES_COMBINED ? NAN : combination->weights[c][model]);
out:
    return status;
}

Status forecast_accuracy_rows(const ForecastAccuracies *accuracies, const Combination *combination,
                              Table *rows, Error *error)
{
    static const SortKey keys[] = {{.column = "model"}};
    Status status = STATUS_OK;
    table_free(rows);
    table_init(rows, accuracy_columns, sizeof accuracy_columns / sizeof accuracy_columns[0]);
    for (int m = 0; m < SERIES_MEASURED; m++) {
        if (accuracies->of[m].series > 0)
            TRY(add_model((SeriesModel)m, &accuracies->of[m], combination, rows, error));
    }
    TRY(table_sort(rows, keys, 1, error));
out:
    return status;
}
