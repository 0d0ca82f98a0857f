/* customer_summary of random customers against rows made naively: every rank knows all customers,
 * and sorts and scores them by plain loops. */
#include "sales/customer_summary.h"

#include "base/memory.h"
#include "rank/customer_model.h"
#include "rank/store_model.h"
#include "rank/suites.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct SummaryShape {
    int32_t customers; /* with ids, of each partition; none in every fifth */
    int32_t orders_max;
    int64_t price_max;
    int returned; /* per cent of lines */
} SummaryShape;

enum { AS_OF = 120, ID_SIZE = 48, ROW_SIZE = 512 };

static bool has_lines(int32_t partition, int32_t code)
{
    return model_noise(partition, code, 1) % 8 != 0;
}

static int32_t ids_of(const SummaryShape *shape, int32_t partition)
{
    return partition % 5 == 3 ? 0 : shape->customers;
}

/* Different beginnings, common beginnings, and ids that begin others. */
static void id_text(int32_t partition, int32_t code, char text[ID_SIZE])
{
    int32_t number = partition * 1000 + code;
    if (number % 3 == 0)
        (void)snprintf(text, ID_SIZE, "%" PRId32, number);
    else if (number % 3 == 1)
        (void)snprintf(text, ID_SIZE, "customer-number-%" PRId32, number * 7919 % 50021);
    else
        (void)snprintf(text, ID_SIZE, "%c%" PRIu64 "-%" PRId32, 'A' + number % 26,
                       model_noise(number, 0, 2) % 1000, number);
}

/* ---- a store of ids, and facts ---- */

static Status make_ids(const SummaryShape *shape, int32_t begin, int32_t end, int64_t *counts,
                       Table *rows, Error *error)
{
    static const ColumnSpec text = {"text", COLUMN_TEXT, UNIT_NONE};
    Status status = STATUS_OK;
    table_init(rows, &text, 1);
    for (int32_t p = begin; p < end; p++) {
        counts[p - begin] = ids_of(shape, p);
        for (int32_t code = 0; code < ids_of(shape, p); code++) {
            char id[ID_SIZE];
            id_text(p, code, id);
            TRY(table_add_row(rows, error));
            TRY(table_set_last_text(rows, &rows->columns[0], bytes_of(id), error));
        }
    }
out:
    return status;
}

static Status make_store(const char *folder, const SummaryShape *shape, Store **store, Error *error)
{
    Status status = STATUS_OK;
    Comm *comm = rank_comm();
    StoreBatch *batch = NULL;
    Table ids = {0};
    int64_t counts[MODEL_PARTITIONS];
    int32_t begin = model_first_partition(comm_rank(comm), comm_size(comm));
    int32_t end = model_first_partition(comm_rank(comm) + 1, comm_size(comm));
    TRY(model_store(comm, folder, STORE_WRITE, store, error));
    TRY(store_batch_begin(comm, *store, &batch, error));
    TRY_ALL(comm, make_ids(shape, begin, end, counts, &ids, error), error);
    TRY(store_batch_write(comm, batch, "customer_ids", TABLE_APPEND, &ids, begin, end - begin,
                          counts, error));
    TRY(store_batch_commit(comm, *store, &batch, error));
out:
    store_batch_discard(comm, &batch);
    table_free(&ids);
    return status;
}

/* The facts of the customers of a partition, `more` of them beyond those with ids. */
static Status add_facts(const SummaryShape *shape, int32_t partition, int32_t more,
                        CustomerFacts *facts, Error *error)
{
    LineList list = {0};
    Random random = random_stream(21, (uint64_t)partition);
    int32_t order = 0;
    for (int32_t code = 0; code < ids_of(shape, partition) + more; code++) {
        int64_t orders = 1 + random_below(&random, shape->orders_max);
        for (int64_t k = 0; k < orders && has_lines(partition, code); k++) {
            int32_t sign = random_below(&random, 100) < shape->returned ? -1 : 1;
            line_list_add(&list, (ListedLine){.customer = code,
                                              .order = order++,
                                              .day = AS_OF - (int32_t)random_below(&random, 40),
                                              .quantity = sign * 2,
                                              .price = random_below(&random, shape->price_max)});
        }
    }
    OrderLines lines = line_list_view(&list, partition);
    Status status = customer_facts_add(facts, &lines, error);
    line_list_free(&list);
    return status;
}

/* A forecast like no other. */
static double forecast_number(const CustomerFacts *facts, int64_t row, int column)
{
    return facts->purchases[row] == 0
               ? NAN
               : (double)(model_noise(facts->partition[row], facts->code[row], column) % 10007) /
                     3.0;
}

static Status make_forecast(const CustomerFacts *facts, CustomerForecast *forecast, Error *error)
{
    Status status = STATUS_OK;
    double **const columns[] = {&forecast->p_alive,   &forecast->orders[0], &forecast->orders[1],
                                &forecast->orders[2], &forecast->value[0],  &forecast->value[1],
                                &forecast->value[2]};
    for (int c = 0; c < 1 + 2 * VALUE_HORIZONS; c++) {
        TRY(mem_resize(columns[c], facts->n, sizeof(double), "forecast", error));
        for (int64_t i = 0; i < facts->n; i++)
            (*columns[c])[i] = forecast_number(facts, i, c);
    }
out:
    return status;
}

/* ---- the expected rows ---- */

static int64_t count_below(const int64_t *values, int64_t n, int64_t limit, bool or_equal)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++)
        count += values[i] < limit || (or_equal && values[i] == limit);
    return count;
}

/* 1 + how many of the places ceil(n / 5), ceil(2n / 5), ... of the ascending values hold something
 * smaller: those at places up to the number of smaller values. */
static int score(const int64_t *values, int64_t n, int64_t value)
{
    int64_t below = count_below(values, n, value, false);
    int result = 1;
    for (int64_t k = 1; k <= 4; k++)
        result += (k * n + 4) / 5 <= below;
    return result;
}

static const char *segment(int r, int f, int m)
{
    int value = (f + m + 1) / 2;
    if (r == 0)
        return "no_purchase";
    if (r <= 2 && value == 5)
        return "cannot_lose";
    if (r <= 2 && value >= 3)
        return "at_risk";
    if (r <= 2)
        return r == 1 && value == 1 ? "lost" : "hibernating";
    if (r == 5 && value >= 4)
        return "champions";
    if (value >= 4)
        return "loyal";
    if (r == 3)
        return value == 3 ? "need_attention" : "about_to_sleep";
    if (value >= 2)
        return "potential_loyalists";
    return r == 5 ? "new" : "promising";
}

static void append_real(Buffer *text, double value)
{
    if (isnan(value))
        buffer_append_string(text, ",");
    else
        buffer_printf(text, ",%.17g", value);
}

/* What is scored, of all customers with a purchase. */
typedef struct Scored {
    int64_t n;
    int64_t *last_day, *orders, *net;
} Scored;

static void expected_row(const CustomerFacts *facts, const Scored *scored, int64_t row,
                         bool has_forecast, Buffer *text)
{
    char id[ID_SIZE];
    id_text(facts->partition[row], facts->code[row], id);
    bool bought = facts->purchases[row] > 0;
    int r = bought ? score(scored->last_day, scored->n, facts->last_day[row]) : 0;
    int f = bought ? score(scored->orders, scored->n, facts->orders[row]) : 0;
    int m = bought ? score(scored->net, scored->n, facts->net[row]) : 0;
    buffer_printf(text, "%s,%" PRId32 ",%" PRId32 ",%" PRId64 ",%" PRId64 ",%" PRId32, id,
                  facts->first_day[row], facts->last_day[row], facts->orders[row], facts->net[row],
                  facts->purchases[row]);
    append_real(text, bought ? (double)(AS_OF - facts->last_day[row]) : NAN);
    append_real(text, facts->purchases[row] > 1
                          ? (double)(facts->last_day[row] - facts->first_day[row]) /
                                (facts->purchases[row] - 1)
                          : NAN);
    append_real(text, bought ? (double)facts->kept_value[row] / (double)facts->orders[row] : NAN);
    buffer_printf(text, ",%d,%d,%d,%s", r, f, m, segment(r, f, m));
    for (int c = 0; c < 1 + 2 * VALUE_HORIZONS; c++)
        append_real(text, has_forecast ? forecast_number(facts, row, c) : NAN);
    buffer_append_string(text, "\n");
}

static int compare_lines(const void *a, const void *b)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    size_t x_size = strcspn(x, ","), y_size = strcspn(y, ",");
    int sign = memcmp(x, y, x_size < y_size ? x_size : y_size);
    return sign != 0 ? sign : (x_size > y_size) - (x_size < y_size);
}

/* Rows by customer id, one a line. */
static void expected_rows(const CustomerFacts *facts, bool has_forecast, Buffer *text)
{
    int64_t *values = mem_new(3 * facts->n, sizeof *values);
    Scored scored = {0, values, values + facts->n, values + 2 * facts->n};
    for (int64_t i = 0; i < facts->n; i++) {
        if (facts->purchases[i] == 0)
            continue;
        scored.last_day[scored.n] = facts->last_day[i];
        scored.orders[scored.n] = facts->orders[i];
        scored.net[scored.n++] = facts->net[i];
    }
    char **lines = mem_new(facts->n, sizeof *lines);
    for (int64_t i = 0; i < facts->n; i++) {
        Buffer line = {0};
        expected_row(facts, &scored, i, has_forecast, &line);
        lines[i] = mem_copy_string(buffer_string(&line));
        buffer_free(&line);
    }
    qsort(lines, (size_t)facts->n, sizeof *lines, compare_lines);
    for (int64_t i = 0; i < facts->n; i++) {
        buffer_append_string(text, lines[i]);
        mem_free(&lines[i]);
    }
    mem_free(&lines);
    mem_free(&values);
}

/* ---- the rows as they came ---- */

static void append_cell(const Column *column, int64_t row, Buffer *text)
{
    switch (column->type) {
    case COLUMN_TEXT:
        buffer_append_bytes(text, column_text(column, row));
        break;
    case COLUMN_I8:
        buffer_printf(text, "%d", ((const int8_t *)column->data)[row]);
        break;
    case COLUMN_I32:
        buffer_printf(text, "%" PRId32, ((const int32_t *)column->data)[row]);
        break;
    case COLUMN_I64:
        buffer_printf(text, "%" PRId64, ((const int64_t *)column->data)[row]);
        break;
    default:
        if (!isnan(((const double *)column->data)[row]))
            buffer_printf(text, "%.17g", ((const double *)column->data)[row]);
    }
}

/* Collective. */
static Status all_rows(const Table *rows, Buffer *text, Error *error)
{
    Buffer own = {0};
    char *all = NULL;
    int64_t bytes = 0;
    for (int64_t row = 0; row < rows->rows; row++)
        for (int c = 0; c < rows->n_columns; c++) {
            append_cell(&rows->columns[c], row, &own);
            buffer_append_string(&own, c + 1 < rows->n_columns ? "," : "\n");
        }
    Status status = comm_gather_all(rank_comm(), own.data, own.size, &all, &bytes, NULL, error);
    buffer_append(text, all, bytes);
    buffer_free(&own);
    mem_free(&all);
    return status;
}

static void check_equal(const Buffer *got, const Buffer *expected)
{
    const char *a = buffer_string(got), *b = buffer_string(expected);
    CU_ASSERT_STRING_EQUAL(a, b);
    while (*a != '\0' || *b != '\0') {
        size_t a_size = strcspn(a, "\n"), b_size = strcspn(b, "\n");
        if (a_size != b_size || memcmp(a, b, a_size) != 0) {
            fprintf(stderr, "got      %.*s\nexpected %.*s\n", (int)a_size, a, (int)b_size, b);
            return;
        }
        a += a_size + (a[a_size] == '\n');
        b += b_size + (b[b_size] == '\n');
    }
}

/* ---- tests ---- */

/* This rank's facts, or all of them. */
static Status deal_facts(const SummaryShape *shape, int deal, CustomerFacts *facts, Error *error)
{
    Status status = STATUS_OK;
    int rank = comm_rank(rank_comm()), size = comm_size(rank_comm());
    for (int32_t p = 0; p < MODEL_PARTITIONS; p++)
        if (deal < 0 || population_owner(deal, p, MODEL_PARTITIONS, size) == rank)
            TRY(add_facts(shape, p, 0, facts, error));
out:
    return status;
}

static void check_deal(Store *store, const SummaryShape *shape, int deal, bool has_forecast,
                       const Buffer *expected)
{
    Comm *comm = rank_comm();
    Error error = {0};
    Shop shop = {.partitions = MODEL_PARTITIONS, .money_decimals = 2, .as_of = AS_OF};
    CustomerFacts facts = {0};
    CustomerForecast forecast = {0};
    Table rows = {0};
    Buffer text = {0};
    CU_ASSERT_EQUAL(comm_agree(comm, deal_facts(shape, deal, &facts, &error), &error), STATUS_OK);
    CU_ASSERT_EQUAL(comm_agree(comm, make_forecast(&facts, &forecast, &error), &error), STATUS_OK);
    Status status = customer_summary_rows(comm, store, &shop, &facts,
                                          has_forecast ? &forecast : NULL, &rows, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    if (status == STATUS_OK) {
        CU_ASSERT_EQUAL(facts.n, 0);
        CU_ASSERT_EQUAL(rows.n_columns, 20);
        CU_ASSERT_EQUAL(all_rows(&rows, &text, &error), STATUS_OK);
        check_equal(&text, expected);
    }
    buffer_free(&text);
    table_free(&rows);
    customer_facts_free(&facts);
    customer_forecast_free(&forecast);
}

static void check_shape(const SummaryShape *shape)
{
    Comm *comm = rank_comm();
    Error error = {0};
    char folder[MODEL_PATH_SIZE];
    Store *store = NULL;
    CustomerFacts all = {0};
    Buffer expected[2] = {{0}};
    CU_ASSERT(model_make_folder(comm, folder));
    Status status = make_store(folder, shape, &store, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    CU_ASSERT_EQUAL(deal_facts(shape, -1, &all, &error), STATUS_OK);
    for (int with = 0; with < 2; with++)
        expected_rows(&all, with == 1, &expected[with]);
    for (int deal = 0; deal < POPULATION_DEALS && status == STATUS_OK; deal++)
        check_deal(store, shape, deal, deal != 2, &expected[deal != 2]);
    buffer_free(&expected[0]);
    buffer_free(&expected[1]);
    customer_facts_free(&all);
    store_close(comm, &store);
    CU_ASSERT(model_remove_folder(comm, folder));
}

static void any_shape(void)
{
    static const SummaryShape shapes[] = {
        {.customers = 0, .orders_max = 1, .price_max = 1},
        {.customers = 1, .orders_max = 3, .price_max = 50},
        {.customers = 40, .orders_max = 6, .price_max = 4000, .returned = 15},
        {.customers = 40, .orders_max = 2, .price_max = 3, .returned = 40}, /* ties */
        {.customers = 30, .orders_max = 1, .price_max = 1},                 /* all alike */
        {.customers = 20, .orders_max = 3, .price_max = 90, .returned = 100},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_shape(&shapes[i]);
}

/* Orders of a customer that the store has no id of: the same error everywhere. */
static void no_id(void)
{
    Comm *comm = rank_comm();
    Error error = {0};
    char folder[MODEL_PATH_SIZE];
    Store *store = NULL;
    SummaryShape shape = {.customers = 5, .orders_max = 2, .price_max = 100};
    Shop shop = {.partitions = MODEL_PARTITIONS, .as_of = AS_OF};
    CustomerFacts facts = {0};
    Table rows = {0};
    CU_ASSERT(model_make_folder(comm, folder));
    Status status = make_store(folder, &shape, &store, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    if (comm_rank(comm) == comm_size(comm) - 1)
        CU_ASSERT_EQUAL(add_facts(&shape, 6, 6, &facts, &error), STATUS_OK);
    if (status == STATUS_OK) {
        CU_ASSERT_EQUAL(customer_summary_rows(comm, store, &shop, &facts, NULL, &rows, &error),
                        STATUS_IO);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "partition 6 has orders of customer 5, but "
                                                     "only 5 customer ids; run vesper verify"));
    }
    table_free(&rows);
    customer_facts_free(&facts);
    store_close(comm, &store);
    CU_ASSERT(model_remove_folder(comm, folder));
}

CU_TestInfo customer_summary_tests[] = {
    {"customers of any shape", any_shape},
    {"a customer without an id", no_id},
    CU_TEST_INFO_NULL,
};
