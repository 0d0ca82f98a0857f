/* customer_summary; see customer_summary.h.
 *
 * Rows travel to their places with as few columns as the others can be worked out from. */
#include "sales/customer_summary.h"

#include "base/fault.h"
#include "base/memory.h"
#include "sales/quantiles.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

enum { SCORES = 5, SEGMENT_BYTES = 256 };

/* By recency score, then by the mean of frequency and monetary score, halves rounded up;
 * docs/methods/rfm.md says why. */
static const char *const segments[SCORES][SCORES] = {
    {"lost", "hibernating", "at_risk", "at_risk", "cannot_lose"},
    {"hibernating", "hibernating", "at_risk", "at_risk", "cannot_lose"},
    {"about_to_sleep", "about_to_sleep", "need_attention", "loyal", "loyal"},
    {"promising", "potential_loyalists", "potential_loyalists", "loyal", "loyal"},
    {"new", "potential_loyalists", "potential_loyalists", "champions", "champions"},
};
static const char no_purchase[] = "no_purchase";

static const ColumnSpec summary_columns[] = {
    {"customer", COLUMN_TEXT, UNIT_NONE},
    {"first_day", COLUMN_I32, UNIT_DAY},
    {"last_day", COLUMN_I32, UNIT_DAY},
    {"orders", COLUMN_I64, UNIT_COUNT},
    {"net", COLUMN_I64, UNIT_MONEY_MINOR},
    {"purchases", COLUMN_I32, UNIT_COUNT},
    {"recency_days", COLUMN_F64, UNIT_NONE},
    {"gap_days", COLUMN_F64, UNIT_NONE},
    {"average_order_value", COLUMN_F64, UNIT_NONE},
    {"recency_score", COLUMN_I8, UNIT_NONE},
    {"frequency_score", COLUMN_I8, UNIT_NONE},
    {"monetary_score", COLUMN_I8, UNIT_NONE},
    {"segment", COLUMN_TEXT, UNIT_NONE},
    {"p_alive", COLUMN_F64, UNIT_NONE},
    {"expected_orders_30", COLUMN_F64, UNIT_NONE},
    {"expected_orders_90", COLUMN_F64, UNIT_NONE},
    {"expected_orders_365", COLUMN_F64, UNIT_NONE},
    {"expected_value_30", COLUMN_F64, UNIT_NONE},
    {"expected_value_90", COLUMN_F64, UNIT_NONE},
    {"expected_value_365", COLUMN_F64, UNIT_NONE},
};
enum { N_COLUMNS = sizeof summary_columns / sizeof *summary_columns };

/* What a forecast fills. */
enum { N_FORECASTS = 1 + 2 * VALUE_HORIZONS, FIRST_FORECAST = N_COLUMNS - N_FORECASTS };

/* ---- before the rows are sorted ---- */

/* A column that the rows take with them, and where it comes from. */
typedef struct TravelColumn {
    ColumnSpec spec;
    const void *values; /* [facts->n] */
} TravelColumn;
enum { N_FACTS = 6, N_TRAVEL_MAX = N_FACTS + N_FORECASTS };

static int travel_columns(const CustomerFacts *facts, const CustomerForecast *forecast,
                          TravelColumn columns[N_TRAVEL_MAX])
{
    const TravelColumn of_facts[N_FACTS] = {
        {{"first_day", COLUMN_I32, UNIT_DAY}, facts->first_day},
        {{"last_day", COLUMN_I32, UNIT_DAY}, facts->last_day},
        {{"orders", COLUMN_I64, UNIT_COUNT}, facts->orders},
        {{"net", COLUMN_I64, UNIT_MONEY_MINOR}, facts->net},
        {{"purchases", COLUMN_I32, UNIT_COUNT}, facts->purchases},
        {{"kept_value", COLUMN_I64, UNIT_MONEY_MINOR}, facts->kept_value},
    };
    memcpy(columns, of_facts, sizeof of_facts);
    if (!forecast)
        return N_FACTS;
    TravelColumn *next = columns + N_FACTS;
    next->spec = summary_columns[FIRST_FORECAST];
    next->values = forecast->p_alive;
    for (int h = 0; h < VALUE_HORIZONS; h++) {
        next[1 + h].spec = summary_columns[FIRST_FORECAST + 1 + h];
        next[1 + h].values = forecast->orders[h];
        next[1 + VALUE_HORIZONS + h].spec =
            summary_columns[FIRST_FORECAST + 1 + VALUE_HORIZONS + h];
        next[1 + VALUE_HORIZONS + h].values = forecast->value[h];
    }
    return N_TRAVEL_MAX;
}

/* Rows [begin, end) of the facts, all of one partition, by the names of its customers. There is
 * room for the rows. */
static Status add_names(const CustomerFacts *facts, int64_t begin, int64_t end, const Table *ids,
                        Table *rows, Error *error)
{
    Status status = STATUS_OK;
    const Column *text = table_find_const(ids, "text");
    Column *customer = table_column(rows, "customer");
    int64_t last = column_text_bytes(customer, rows->rows), needed = last;
    for (int64_t i = begin; i < end; i++) {
        if (facts->code[i] >= ids->rows)
            FAIL(error, STATUS_IO,
                 "store is damaged: partition %" PRId32 " has orders of customer %" PRId32
                 ", but only %" PRId64 " customer ids; run vesper verify",
                 facts->partition[i], facts->code[i], ids->rows);
        needed += column_text(text, facts->code[i]).size;
    }
    if (needed > customer->bytes_capacity) {
        int64_t capacity = needed + needed / 2;
        TRY(mem_resize(&customer->bytes, capacity, 1, customer->name, error));
        customer->bytes_capacity = capacity;
    }
    for (int64_t i = begin; i < end; i++) {
        Bytes name = column_text(text, facts->code[i]);
        if (name.size > 0)
            memcpy(customer->bytes + last, name.data, (size_t)name.size);
        last += name.size;
        customer->ends[rows->rows++] = last;
    }
out:
    return status;
}

static Status read_names(Store *store, const CustomerFacts *facts, Table *rows, Error *error)
{
    static const char *const columns[] = {"text"};
    Status status = STATUS_OK;
    Table ids = {0};
    TRY(fault_point("sales.customer_ids", error));
    for (int64_t begin = 0, end; begin < facts->n; begin = end) {
        int32_t partition = facts->partition[begin];
        for (end = begin; end < facts->n && facts->partition[end] == partition;)
            end++;
        TRY(store_read_partition(store, "customer_ids", partition, columns, 1, &ids, error));
        TRY(add_names(facts, begin, end, &ids, rows, error));
    }
out:
    table_free(&ids);
    return status;
}

/* The rows as they travel; empties the facts. Local. */
static Status make_rows(Store *store, CustomerFacts *facts, const CustomerForecast *forecast,
                        Table *rows, Error *error)
{
    Status status = STATUS_OK;
    TravelColumn columns[N_TRAVEL_MAX];
    ColumnSpec specs[1 + N_TRAVEL_MAX] = {summary_columns[0]};
    int n_columns = travel_columns(facts, forecast, columns);
    for (int c = 0; c < n_columns; c++)
        specs[1 + c] = columns[c].spec;
    table_init(rows, specs, 1 + n_columns);
    TRY(table_reserve(rows, facts->n, error));
    TRY(read_names(store, facts, rows, error));
    for (int c = 0; c < n_columns && facts->n > 0; c++)
        memcpy(rows->columns[1 + c].data, columns[c].values,
               (size_t)facts->n * column_width(columns[c].spec.type));
    customer_facts_free(facts);
out:
    return status;
}

/* ---- scores ---- */

/* The greatest value of each of the four lower fifths. */
typedef struct Fifths {
    int64_t bounds[SCORES - 1];
} Fifths;

static int8_t score_of(const Fifths *fifths, int64_t value)
{
    int8_t score = 1;
    for (int k = 0; k < SCORES - 1; k++)
        score = (int8_t)(score + (value > fifths->bounds[k]));
    return score;
}

typedef enum ScoreKind { SCORE_RECENCY, SCORE_FREQUENCY, SCORE_MONETARY, SCORE_KINDS } ScoreKind;

static int64_t scored_value(const CustomerFacts *facts, ScoreKind kind, int64_t row)
{
    switch (kind) {
    case SCORE_RECENCY:
        return facts->last_day[row];
    case SCORE_FREQUENCY:
        return facts->orders[row];
    default:
        return facts->net[row];
    }
}

/* Of all customers of all ranks who bought. Collective. */
static Status find_fifths(Comm *comm, const CustomerFacts *facts, Fifths fifths[SCORE_KINDS],
                          Error *error)
{
    static const int percents[SCORES - 1] = {20, 40, 60, 80};
    Status status = STATUS_OK;
    int64_t *values = NULL;
    TRY_ALL(comm, mem_resize(&values, facts->n, sizeof *values, "scores of customers", error),
            error);
    for (ScoreKind kind = SCORE_RECENCY; kind < SCORE_KINDS; kind++) {
        int64_t n = 0;
        for (int64_t i = 0; i < facts->n; i++)
            if (facts->purchases[i] > 0)
                values[n++] = scored_value(facts, kind, i);
        TRY(quantiles_of_all(comm, values, n, percents, SCORES - 1, fifths[kind].bounds, error));
    }
out:
    mem_free(&values);
    return status;
}

/* ---- after the rows are sorted ---- */

static const void *values_of(const Table *rows, const char *column)
{
    return table_column_const(rows, column)->data;
}

/* Columns that follow from those that travelled. */
static Status add_missing_columns(Table *rows, Error *error)
{
    Status status = STATUS_OK;
    for (int c = 0; c < N_COLUMNS; c++)
        if (!table_find(rows, summary_columns[c].name))
            TRY(table_add_column(rows, summary_columns[c], error));
out:
    return status;
}

static void set_scores(Table *rows, const Fifths fifths[SCORE_KINDS])
{
    const int32_t *purchases = values_of(rows, "purchases");
    const int32_t *last_day = values_of(rows, "last_day");
    const int64_t *orders = values_of(rows, "orders");
    const int64_t *net = values_of(rows, "net");
    int8_t *recency = table_column(rows, "recency_score")->data;
    int8_t *frequency = table_column(rows, "frequency_score")->data;
    int8_t *monetary = table_column(rows, "monetary_score")->data;
    for (int64_t i = 0; i < rows->rows; i++) {
        bool bought = purchases[i] > 0;
        recency[i] = bought ? score_of(&fifths[SCORE_RECENCY], last_day[i]) : 0;
        frequency[i] = bought ? score_of(&fifths[SCORE_FREQUENCY], orders[i]) : 0;
        monetary[i] = bought ? score_of(&fifths[SCORE_MONETARY], net[i]) : 0;
    }
}

static void set_gaps(Table *rows, int32_t as_of)
{
    const int32_t *purchases = values_of(rows, "purchases");
    const int32_t *first_day = values_of(rows, "first_day");
    const int32_t *last_day = values_of(rows, "last_day");
    const int64_t *orders = values_of(rows, "orders");
    const int64_t *kept_value = values_of(rows, "kept_value");
    double *recency = table_column(rows, "recency_days")->data;
    double *gap = table_column(rows, "gap_days")->data;
    double *average = table_column(rows, "average_order_value")->data;
    for (int64_t i = 0; i < rows->rows; i++) {
        recency[i] = gap[i] = average[i] = NAN;
        if (purchases[i] == 0)
            continue;
        recency[i] = (double)(as_of - last_day[i]);
        average[i] = (double)kept_value[i] / (double)orders[i];
        if (purchases[i] > 1)
            gap[i] = (double)(last_day[i] - first_day[i]) / (double)(purchases[i] - 1);
    }
}

/* The different segments as one list. */
typedef struct SegmentList {
    int64_t n;
    int64_t ends[SCORES * SCORES + 1];
    char bytes[SEGMENT_BYTES];
    int32_t code[SCORES][SCORES]; /* of `segments` */
    int32_t no_purchase;
} SegmentList;

static int32_t add_segment(SegmentList *list, const char *name)
{
    Bytes text = bytes_of(name);
    int64_t start = 0;
    for (int32_t i = 0; i < list->n; start = list->ends[i++])
        if (bytes_equal(text, (Bytes){.data = list->bytes + start, .size = list->ends[i] - start}))
            return i;
    vesper_assert(start + text.size <= SEGMENT_BYTES);
    memcpy(list->bytes + start, text.data, (size_t)text.size);
    list->ends[list->n] = start + text.size;
    return (int32_t)list->n++;
}

static SegmentList segment_list;
static pthread_once_t segment_list_once = PTHREAD_ONCE_INIT;

static void make_segment_list(void)
{
    for (int r = 0; r < SCORES; r++)
        for (int fm = 0; fm < SCORES; fm++)
            segment_list.code[r][fm] = add_segment(&segment_list, segments[r][fm]);
    segment_list.no_purchase = add_segment(&segment_list, no_purchase);
}

static Status set_segments(Table *rows, Error *error)
{
    Status status = STATUS_OK;
    const int8_t *recency = values_of(rows, "recency_score");
    const int8_t *frequency = values_of(rows, "frequency_score");
    const int8_t *monetary = values_of(rows, "monetary_score");
    int32_t *codes = NULL;
    pthread_once(&segment_list_once, make_segment_list);
    const SegmentList *list = &segment_list;
    TRY(mem_resize(&codes, rows->rows, sizeof *codes, "segments", error));
    for (int64_t i = 0; i < rows->rows; i++) {
        int mean = (frequency[i] + monetary[i] + 1) / 2;
        codes[i] = recency[i] == 0 ? list->no_purchase : list->code[recency[i] - 1][mean - 1];
    }
    column_set_codes(table_column(rows, "segment"),
                     (TextList){.n = list->n, .ends = list->ends, .bytes = list->bytes}, codes);
out:
    return status;
}

static void set_no_forecast(Table *rows)
{
    for (int c = FIRST_FORECAST; c < N_COLUMNS; c++) {
        double *values = table_column(rows, summary_columns[c].name)->data;
        for (int64_t i = 0; i < rows->rows; i++)
            values[i] = NAN;
    }
}

/* The columns in the order of the specification. */
static void order_columns(Table *rows)
{
    Table ordered = *rows;
    for (int c = 0; c < N_COLUMNS; c++)
        ordered.columns[c] = *table_column_const(rows, summary_columns[c].name);
    *rows = ordered;
}

/* From the rows as they travelled to those of the table. Local. */
static Status complete_rows(const Shop *shop, const Fifths fifths[SCORE_KINDS], bool has_forecast,
                            Table *rows, Error *error)
{
    Status status = STATUS_OK;
    TRY(add_missing_columns(rows, error));
    set_gaps(rows, shop->as_of);
    table_drop(rows, "kept_value");
    set_scores(rows, fifths);
    TRY(set_segments(rows, error));
    if (!has_forecast)
        set_no_forecast(rows);
    order_columns(rows);
out:
    return status;
}

Status customer_summary_rows(Comm *comm, Store *store, const Shop *shop, CustomerFacts *facts,
                             const CustomerForecast *forecast, Table *rows, Error *error)
{
    static const SortKey by_customer = {.column = "customer"};
    Status status = STATUS_OK;
    Fifths fifths[SCORE_KINDS];
    TRY(find_fifths(comm, facts, fifths, error));
    TRY_ALL(comm, make_rows(store, facts, forecast, rows, error), error);
    TRY(comm_sort_table(comm, rows, &by_customer, 1, error));
    TRY_ALL(comm, complete_rows(shop, fifths, forecast != NULL, rows, error), error);
out:
    return status;
}
