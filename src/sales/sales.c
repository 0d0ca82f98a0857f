/* The sales job: one pass over the order lines, then seven tables; see sales.h. */
#include "sales/sales.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/memory.h"
#include "sales/lines.h"

#include <inttypes.h>

/* What the stages share. */
typedef struct SalesRun {
    Comm *comm;
    Store *store;
    ResultWriter *writer;
    const SalesOptions *options;
    SalesFacts facts;
    Table products;  /* dictionary: `text`, row = code */
    Table countries; /* the same */
    KeyUnion days;
    KeyUnion months;
    int64_t *product_order; /* [products] codes by id */
    double stage_started;
} SalesRun;

static void run_free(SalesRun *run)
{
    sales_facts_free(&run->facts);
    table_free(&run->products);
    table_free(&run->countries);
    key_union_free(&run->days);
    key_union_free(&run->months);
    mem_free(&run->product_order);
}

/* ---- reading ---- */

static Status begin_run(SalesRun *run, Error *error)
{
    Status status = STATUS_OK;
    TRY(fault_point("sales.read", error));
    sales_customers_init(&run->facts.customers);
    TRY(sales_cube_init(&run->facts.cube, run->products.rows, run->countries.rows, error));
    TRY(sales_sort_texts(table_column_const(&run->products, "text"), run->products.rows,
                         &run->product_order, error));
out:
    return status;
}

static OrderLines lines_of(const Table *rows, int32_t partition)
{
    const Column *country = table_find_const(rows, "country");
    return (OrderLines){.partition = partition,
                        .n = rows->rows,
                        .customer = table_column_const(rows, "customer")->data,
                        .order = table_column_const(rows, "order")->data,
                        .day = table_column_const(rows, "day")->data,
                        .product = table_column_const(rows, "product")->data,
                        .quantity = table_column_const(rows, "quantity")->data,
                        .price = table_column_const(rows, "unit_price")->data,
                        .country = country ? country->data : NULL,
                        .cancelled = table_column_const(rows, "cancelled")->data};
}

/* This rank's partitions into the facts. Local. */
static Status read_partitions(SalesRun *run, Error *error)
{
    static const char *const columns[] = {"customer", "order",      "day",       "product",
                                          "quantity", "unit_price", "cancelled", "country"};
    static const char *const id_columns[] = {"text"};
    Status status = STATUS_OK;
    Table rows = {0}, ids = {0};
    int n_columns = sizeof columns / sizeof *columns;
    if (!store_has_column(run->store, "orders", "country"))
        n_columns--;
    int32_t begin, end;
    store_owned(run->store, comm_rank(run->comm), comm_size(run->comm), &begin, &end);
    for (int32_t p = begin; p < end; p++) {
        TRY(fault_point("sales.partition", error));
        TRY(store_read_partition(run->store, "orders", p, columns, n_columns, &rows, error));
        if (rows.rows == 0)
            continue;
        OrderLines lines = lines_of(&rows, p);
        TRY(sales_add_lines(&lines, &run->facts, error));
        if (run->facts.customers.n_current == 0)
            continue;
        TRY(store_read_partition(run->store, "customer_ids", p, id_columns, 1, &ids, error));
        TRY(sales_customers_name(&run->facts.customers, table_find_const(&ids, "text"), ids.rows, p,
                                 error));
    }
out:
    table_free(&rows);
    table_free(&ids);
    return status;
}

/* The sums of all ranks stay in int64 too; halves of 32 bits are added, so that the check cannot
 * wrap. Collective. */
static Status check_all_sums(const SalesRun *run, Error *error)
{
    Status status = STATUS_OK;
    uint64_t minor = run->facts.absolute_minor, units = run->facts.absolute_units;
    int64_t halves[4] = {(int64_t)(minor >> 32), (int64_t)(minor & UINT32_MAX),
                         (int64_t)(units >> 32), (int64_t)(units & UINT32_MAX)};
    comm_sum_i64(run->comm, halves, 4);
    for (int i = 0; i < 4; i += 2) {
        if (halves[i] + (halves[i + 1] >> 32) > INT32_MAX)
            FAIL(error, STATUS_INPUT,
                 "the %s of all order lines add up to more than %" PRId64
                 ": look for wrong prices or quantities%s",
                 i == 0 ? "values (in minor units)" : "quantities", INT64_MAX,
                 i == 0 ? ", or use fewer money decimals" : "");
    }
out:
    return status;
}

static void log_stage(SalesRun *run, const char *stage, int64_t rows)
{
    double now = clock_seconds();
    log_line(LOG_INFO, LOG_ROOT, stage, "rows=%" PRId64 " seconds=%.3f", rows,
             now - run->stage_started);
    run->stage_started = now;
}

static Status read_dictionary(SalesRun *run, const char *name, Table *texts, Error *error)
{
    static const ColumnSpec column = {"text", COLUMN_TEXT, UNIT_NONE};
    if (!store_has_column(run->store, name, column.name)) {
        table_init(texts, &column, 1);
        return STATUS_OK;
    }
    return store_read_global(run->comm, run->store, name, texts, error);
}

static Status read_all(SalesRun *run, Error *error)
{
    Status status = STATUS_OK;
    TRY(read_dictionary(run, "dictionary_product", &run->products, error));
    TRY(read_dictionary(run, "dictionary_country", &run->countries, error));
    TRY_ALL(run->comm, begin_run(run, error), error);
    TRY_ALL(run->comm, read_partitions(run, error), error);
    TRY(check_all_sums(run, error));
    TRY(key_slots_unite(run->comm, &run->facts.cube.days, &run->days, error));
    TRY(key_slots_unite(run->comm, &run->facts.cube.months, &run->months, error));
    log_stage(run, "sales.read", store_rows(run->store, "orders"));
out:
    return status;
}

/* ---- writing ---- */

/* Frees `rows`. */
static Status write_table(SalesRun *run, const char *table, const char *key, Table *rows,
                          Error *error)
{
    Status status = STATUS_OK;
    int64_t n_rows = rows->rows;
    comm_sum_i64(run->comm, &n_rows, 1);
    TRY_ALL(run->comm, fault_point("sales.write", error), error);
    TRY(results_write(run->comm, run->writer, table, key, rows, error));
    log_stage(run, table, n_rows);
out:
    table_free(rows);
    return status;
}

static Status write_daily(SalesRun *run, SalesCell *total, Error *error)
{
    Status status = STATUS_OK;
    Table rows = {0};
    TRY(sales_cube_daily(run->comm, &run->facts.cube, &run->days, total, &rows, error));
    TRY(write_table(run, "sales_daily", "day", &rows, error));
out:
    table_free(&rows);
    return status;
}

static Status write_monthly_country(SalesRun *run, Error *error)
{
    Status status = STATUS_OK;
    Table rows = {0};
    TRY(sales_cube_monthly_country(run->comm, &run->facts.cube, &run->months,
                                   table_column_const(&run->countries, "text"), &rows, error));
    TRY(write_table(run, "sales_monthly_country", "month,country", &rows, error));
out:
    table_free(&rows);
    return status;
}

static Status write_product_total(SalesRun *run, Error *error)
{
    Status status = STATUS_OK;
    Table rows = {0};
    TRY(sales_cube_product_total(run->comm, &run->facts.cube,
                                 table_column_const(&run->products, "text"), run->product_order,
                                 &rows, error));
    TRY(write_table(run, "product_total", "product_id", &rows, error));
out:
    table_free(&rows);
    return status;
}

static Status write_customers(SalesRun *run, Error *error)
{
    static const SortKey by_customer = {.column = "customer"};
    Status status = STATUS_OK;
    Table rows = {0};
    SalesFacts *facts = &run->facts;
    TRY(comm_sort_table(run->comm, &facts->customers.summary, &by_customer, 1, error));
    TRY(write_table(run, "customer_summary", "customer", &facts->customers.summary, error));
    TRY(sales_customers_cohorts(run->comm, &facts->customers, &facts->cube.months, &run->months,
                                &rows, error));
    TRY(write_table(run, "cohort_month", "cohort,months_since", &rows, error));
out:
    table_free(&rows);
    return status;
}

static Status write_order_values(SalesRun *run, Error *error)
{
    Status status = STATUS_OK;
    Table rows = {0};
    TRY(order_values_monthly(run->comm, &run->facts.values, &run->months, &rows, error));
    TRY(write_table(run, "order_value_monthly", "month", &rows, error));
out:
    table_free(&rows);
    return status;
}

static Status write_pairs(SalesRun *run, Error *error)
{
    static const SortKey by_orders[] = {
        {.column = "orders", .descending = true}, {.column = "a"}, {.column = "b"}};
    Status status = STATUS_OK;
    Table pairs = {0}, rows = {0};
    int64_t *orders = NULL;
    PairOptions options = {.min_orders = run->options->pair_min_orders,
                           .message_words = PAIR_MESSAGE_WORDS};
    TRY_ALL(run->comm,
            mem_resize(&orders, run->products.rows, sizeof *orders, "orders by product", error),
            error);
    sales_cube_product_orders(run->comm, &run->facts.cube, orders);
    TRY(pairs_count(run->comm, &run->facts.baskets, orders, run->product_order, run->products.rows,
                    &options, &pairs, error));
    TRY(comm_sort_table(run->comm, &pairs, by_orders, 3, error));
    TRY_ALL(run->comm,
            pairs_name(&pairs, table_column_const(&run->products, "text"), run->product_order,
                       &rows, error),
            error);
    TRY(write_table(run, "basket_pairs", "product_a,product_b", &rows, error));
out:
    table_free(&pairs);
    table_free(&rows);
    mem_free(&orders);
    return status;
}

/* Collective. */
static void summarise(const SalesRun *run, const SalesCell *total, SalesSummary *summary)
{
    int64_t counts[2] = {run->facts.orders, run->facts.customers.buyers};
    comm_sum_i64(run->comm, counts, 2);
    int64_t n_days = run->days.count;
    *summary = (SalesSummary){.lines = total->lines,
                              .orders = counts[0],
                              .customers = counts[1],
                              .gross_minor = total->gross,
                              .returned_minor = total->returned,
                              .first_day = n_days > 0 ? run->days.keys[0] : DAY_NONE,
                              .last_day = n_days > 0 ? run->days.keys[n_days - 1] : DAY_NONE};
}

Status sales_run(Comm *comm, Store *store, const SalesOptions *options, ResultWriter *writer,
                 SalesSummary *summary, Error *error)
{
    Status status = STATUS_OK;
    SalesCell total;
    SalesRun run = {.comm = comm,
                    .store = store,
                    .writer = writer,
                    .options = options,
                    .stage_started = clock_seconds()};
    TRY(read_all(&run, error));
    TRY(write_daily(&run, &total, error));
    TRY(write_monthly_country(&run, error));
    TRY(write_product_total(&run, error));
    TRY(write_customers(&run, error));
    TRY(write_order_values(&run, error));
    TRY(write_pairs(&run, error));
    summarise(&run, &total, summary);
out:
    run_free(&run);
    return status;
}
