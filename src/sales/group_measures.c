/* Measures from sums and order values; see group_measures.h. */
#include "sales/group_measures.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

/* How a measure comes about. */
typedef enum MeasureSource {
    FROM_SUM,     /* the sum itself */
    FROM_RATIO,   /* sum / other; F64, NaN where other is 0 */
    FROM_DAY,     /* the sum, a day; I32 */
    FROM_QUANTILE /* of order values; I64 */
} MeasureSource;

typedef struct MeasureRule {
    MeasureSource source;
    ColumnUnit unit;
    GroupSum sum;
    GroupSum other;
    int percent;
} MeasureRule;

static const MeasureRule rules[MEASURE_COUNT] = {
    [MEASURE_GROSS] = {FROM_SUM, UNIT_MONEY_MINOR, .sum = SUM_GROSS},
    [MEASURE_RETURNED] = {FROM_SUM, UNIT_MONEY_MINOR, .sum = SUM_RETURNED},
    [MEASURE_NET] = {FROM_SUM, UNIT_MONEY_MINOR, .sum = SUM_NET},
    [MEASURE_DISCOUNT] = {FROM_SUM, UNIT_MONEY_MINOR, .sum = SUM_DISCOUNT},
    [MEASURE_UNITS] = {FROM_SUM, UNIT_COUNT, .sum = SUM_UNITS},
    [MEASURE_UNITS_RETURNED] = {FROM_SUM, UNIT_COUNT, .sum = SUM_UNITS_RETURNED},
    [MEASURE_ORDERS] = {FROM_SUM, UNIT_COUNT, .sum = SUM_ORDERS},
    [MEASURE_CUSTOMERS] = {FROM_SUM, UNIT_COUNT, .sum = SUM_CUSTOMERS},
    [MEASURE_LINES] = {FROM_SUM, UNIT_COUNT, .sum = SUM_LINES},
    [MEASURE_AVERAGE_ORDER_VALUE] = {FROM_RATIO, UNIT_NONE, .sum = SUM_KEPT_VALUE,
                                     .other = SUM_ORDERS},
    [MEASURE_ITEMS_PER_ORDER] = {FROM_RATIO, UNIT_NONE, .sum = SUM_KEPT_UNITS, .other = SUM_ORDERS},
    [MEASURE_MARGIN] = {FROM_SUM, UNIT_MONEY_MINOR, .sum = SUM_MARGIN},
    [MEASURE_MIN_ORDER_VALUE] = {FROM_QUANTILE, UNIT_MONEY_MINOR, .percent = 0},
    [MEASURE_MEDIAN_ORDER_VALUE] = {FROM_QUANTILE, UNIT_MONEY_MINOR, .percent = 50},
    [MEASURE_P95_ORDER_VALUE] = {FROM_QUANTILE, UNIT_MONEY_MINOR, .percent = 95},
    [MEASURE_MAX_ORDER_VALUE] = {FROM_QUANTILE, UNIT_MONEY_MINOR, .percent = 100},
    [MEASURE_FIRST_DAY] = {FROM_DAY, UNIT_DAY, .sum = SUM_FIRST_DAY},
    [MEASURE_LAST_DAY] = {FROM_DAY, UNIT_DAY, .sum = SUM_LAST_DAY},
};

static ColumnType measure_type(const MeasureRule *rule)
{
    return rule->source == FROM_RATIO ? COLUMN_F64
           : rule->source == FROM_DAY ? COLUMN_I32
                                      : COLUMN_I64;
}

static void init_numbers(const AggregateSpec *spec, int64_t n, Table *numbers)
{
    ColumnSpec columns[1 + MEASURE_COUNT] = {{GROUP_KEY, COLUMN_I64, UNIT_NONE}};
    for (int m = 0; m < spec->n_measures; m++) {
        const MeasureRule *rule = &rules[spec->measures[m]];
        columns[1 + m] =
            (ColumnSpec){measure_column(spec->measures[m]), measure_type(rule), rule->unit};
    }
    table_init(numbers, columns, 1 + spec->n_measures);
    numbers->rows = n;
    numbers->capacity = n;
}

/* ---- a group of no lines ---- */

static Status set_sum(Groups *groups, GroupSum sum, Error *error)
{
    Status status = STATUS_OK;
    TRY(mem_resize(&groups->sums[sum], 1, sizeof *groups->sums[sum], "sums of groups", error));
    *groups->sums[sum] = sum == SUM_FIRST_DAY ? INT64_MAX : sum == SUM_LAST_DAY ? INT64_MIN : 0;
out:
    return status;
}

static Status make_group(Groups *groups, Error *error)
{
    Status status = STATUS_OK;
    TRY(mem_resize(&groups->keys, 1, sizeof *groups->keys, "keys of groups", error));
    groups->keys[0] = 0;
    for (int sum = 0; sum < SUM_COUNT; sum++)
        TRY(set_sum(groups, (GroupSum)sum, error));
    groups->n = 1;
out:
    return status;
}

/* ---- order values ---- */

/* The quantile columns of `numbers`, all in one search. Collective. */
static Status add_quantiles(Comm *comm, const AggregateSpec *spec, Groups *groups, Table *numbers,
                            Error *error)
{
    Status status = STATUS_OK, first_failure = STATUS_OK;
    int percents[MEASURE_COUNT], n = 0;
    int64_t *quantiles[MEASURE_COUNT];
    for (int m = 0; m < spec->n_measures; m++) {
        const MeasureRule *rule = &rules[spec->measures[m]];
        Column *column = &numbers->columns[1 + m];
        if (rule->source != FROM_QUANTILE)
            continue;
        if (first_failure == STATUS_OK)
            first_failure =
                mem_resize(&column->data, groups->n, sizeof(int64_t), column->name, error);
        percents[n] = rule->percent;
        quantiles[n++] = column->data;
    }
    if (n == 0)
        return STATUS_OK;
    TRY_ALL(comm, first_failure, error);
    TRY(quantiles_by_key(comm, &groups->order_values, groups->keys, groups->n, percents, n,
                         quantiles, error));
out:
    return status;
}

/* ---- from sums ---- */

static void fill_ratios(const int64_t *above, const int64_t *below, int64_t n, double *ratios)
{
    for (int64_t i = 0; i < n; i++)
        ratios[i] = below[i] == 0 ? (double)NAN : (double)above[i] / (double)below[i];
}

static void fill_days(const int64_t *sums, int64_t n, int32_t *days)
{
    for (int64_t i = 0; i < n; i++)
        days[i] = sums[i] == INT64_MAX || sums[i] == INT64_MIN ? DAY_NONE : (int32_t)sums[i];
}

static Status fill_derived(const Groups *groups, const MeasureRule *rule, Column *column,
                           Error *error)
{
    Status status = STATUS_OK;
    int64_t n = groups->n;
    const int64_t *sum = groups->sums[rule->sum], *other = groups->sums[rule->other];
    TRY(mem_resize(&column->data, n, column_width(column->type), column->name, error));
    if (rule->source == FROM_RATIO) {
        fill_ratios(sum, other, n, column->data);
    } else {
        fill_days(sum, n, column->data);
    }
out:
    return status;
}

/* What is made of sums first; then the sums that are measures themselves become columns. */
static Status add_measures(const AggregateSpec *spec, Groups *groups, Table *numbers, Error *error)
{
    Status status = STATUS_OK;
    for (int m = 0; m < spec->n_measures; m++) {
        const MeasureRule *rule = &rules[spec->measures[m]];
        if (rule->source != FROM_SUM && rule->source != FROM_QUANTILE)
            TRY(fill_derived(groups, rule, &numbers->columns[1 + m], error));
    }
    for (int m = 0; m < spec->n_measures; m++) {
        const MeasureRule *rule = &rules[spec->measures[m]];
        if (rule->source != FROM_SUM)
            continue;
        vesper_assert(groups->sums[rule->sum] != NULL || groups->n == 0);
        numbers->columns[1 + m].data = groups->sums[rule->sum];
        groups->sums[rule->sum] = NULL;
    }
    numbers->columns[0].data = groups->keys;
    groups->keys = NULL;
    groups_free(groups);
out:
    return status;
}

Status group_measures(Comm *comm, const AggregateSpec *spec, Groups *groups, Table *numbers,
                      Error *error)
{
    Status status = STATUS_OK;
    int64_t n_groups = groups->n;
    comm_sum_i64(comm, &n_groups, 1);
    bool makes_group = n_groups == 0 && spec->n_by == 0 && comm_rank(comm) == 0;
    TRY_ALL(comm, makes_group ? make_group(groups, error) : STATUS_OK, error);
    init_numbers(spec, groups->n, numbers);
    TRY(add_quantiles(comm, spec, groups, numbers, error));
    TRY_ALL(comm, add_measures(spec, groups, numbers, error), error);
out:
    return status;
}
