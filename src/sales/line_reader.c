/* Order lines from the store; see line_reader.h. */
#include "sales/line_reader.h"

#include "base/memory.h"
#include "table/narrow.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What the absolute values of all lines may add up to: no sum over some of them can then wrap. */
#define SUM_MAX ((uint64_t)INT64_MAX)

/* What each derived column is derived from. */
static const struct {
    uint32_t derived, from;
} derivations[] = {
    {LINES_SEGMENT, LINES_CUSTOMER},
    {LINES_RETURNING, LINES_CUSTOMER | LINES_ORDER | LINES_DAY | LINES_QUANTITY | LINES_CANCELLED},
    {LINES_ORDER_DAY, LINES_ORDER | LINES_DAY | LINES_QUANTITY | LINES_CANCELLED},
    {LINES_COHORT, LINES_CUSTOMER | LINES_DAY | LINES_QUANTITY | LINES_CANCELLED},
};

/* Columns of the store, and the bit that asks for each. */
static const struct {
    uint32_t bit;
    const char *name;
} stored[] = {
    {LINES_CUSTOMER, "customer"}, {LINES_ORDER, "order"},       {LINES_HOUR, "ts_us"},
    {LINES_DAY, "day"},           {LINES_PRODUCT, "product"},   {LINES_QUANTITY, "quantity"},
    {LINES_PRICE, "unit_price"},  {LINES_DISCOUNT, "discount"}, {LINES_CANCELLED, "cancelled"},
    {LINES_COUNTRY, "country"},   {LINES_CHANNEL, "channel"},   {LINES_CURRENCY, "currency"},
};
enum { N_STORED = sizeof stored / sizeof *stored };

void line_reader_free(LineReader *reader)
{
    table_free(&reader->rows);
    table_free(&reader->customers);
    mem_free(&reader->country);
    mem_free(&reader->channel);
    mem_free(&reader->currency);
    mem_free(&reader->segment);
    mem_free(&reader->order_day);
    mem_free(&reader->cohort);
    mem_free(&reader->hour);
    mem_free(&reader->returning);
    mem_free(&reader->segment_of);
    mem_free(&reader->month_of);
    *reader = (LineReader){0};
}

static Status make_room(LineReader *reader, int64_t n, Error *error)
{
    static const char what[] = "columns of order lines";
    Status status = STATUS_OK;
    if (n <= reader->capacity)
        return STATUS_OK;
    int32_t **const wide[] = {&reader->country, &reader->channel,   &reader->currency,
                              &reader->segment, &reader->order_day, &reader->cohort};
    static const uint32_t bits[] = {LINES_COUNTRY, LINES_CHANNEL,   LINES_CURRENCY,
                                    LINES_SEGMENT, LINES_ORDER_DAY, LINES_COHORT};
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        if (reader->needs & bits[i])
            TRY(mem_resize(wide[i], n, sizeof(int32_t), what, error));
    }
    if (reader->needs & LINES_HOUR)
        TRY(mem_resize(&reader->hour, n, 1, what, error));
    if (reader->needs & LINES_RETURNING)
        TRY(mem_resize(&reader->returning, n, 1, what, error));
    reader->capacity = n;
out:
    return status;
}

/* ---- checks ---- */

/* The range of a column is part of the segments and as well guarded as their checksums, so codes
 * are checked once for all partitions. */
static Status check_range(const LineReader *reader, uint32_t bit, const char *column, int64_t least,
                          int64_t most, Error *error)
{
    int64_t min, max;
    if (!(reader->needs & bit))
        return STATUS_OK;
    store_column_range(reader->store, "orders", column, &min, &max);
    if (min > max || (min >= least && max <= most))
        return STATUS_OK;
    return error_set(error, STATUS_IO, __FILE__, __LINE__,
                     "store is damaged: orders hold %s code %" PRId64
                     ", which its dictionary does not have; run vesper verify",
                     column, min < least ? min : max);
}

static Status check_codes(const LineReader *reader, Error *error)
{
    Status status = STATUS_OK;
    const Shop *shop = reader->shop;
    TRY(check_range(reader, LINES_CUSTOMER, "customer", -1, INT32_MAX - 1, error));
    TRY(check_range(reader, LINES_PRODUCT, "product", 0, shop->product.count - 1, error));
    TRY(check_range(reader, LINES_COUNTRY, "country", -1, shop->country.count - 1, error));
    TRY(check_range(reader, LINES_CHANNEL, "channel", -1, shop->channel.count - 1, error));
    TRY(check_range(reader, LINES_CURRENCY, "currency", -1, shop->currency.count - 1, error));
out:
    return status;
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

/* Most that |value| can be in a column of the store. */
static uint64_t largest(const LineReader *reader, const char *column)
{
    int64_t min, max;
    store_column_range(reader->store, "orders", column, &min, &max);
    if (min > max)
        return 0;
    return magnitude(min) > magnitude(max) ? magnitude(min) : magnitude(max);
}

/* Bounds of what one line can add, from the ranges of the columns; UINT64_MAX for more than that.
 */
static void bound_magnitudes(LineReader *reader)
{
    uint64_t quantity = largest(reader, "quantity"), price = largest(reader, "unit_price");
    if (__builtin_mul_overflow(quantity, price, &reader->line_most.minor))
        reader->line_most.minor = UINT64_MAX;
    reader->line_most.units = quantity;
    reader->line_most.discount = largest(reader, "discount");
}

/* *sum += |quantity * price| (of one of them where the other is NULL) over the lines; or, where
 * that is small beside what there may be in all partitions, lines times `most`. */
static bool add_magnitudes(const LineReader *reader, const OrderLines *lines,
                           const int32_t *quantity, const int64_t *price, uint64_t most,
                           uint64_t *sum)
{
    uint64_t bound;
    bool is_large = __builtin_mul_overflow((uint64_t)lines->n, most, &bound);
    if (!is_large && bound <= SUM_MAX / 16 / (uint64_t)reader->shop->partitions)
        return !__builtin_add_overflow(*sum, bound, sum) && *sum <= SUM_MAX;
    bool wrapped = false;
    for (int64_t i = 0; i < lines->n; i++) {
        int64_t value = quantity ? quantity[i] : 1;
        if (price)
            wrapped |= __builtin_mul_overflow(value, price[i], &value);
        wrapped |= __builtin_add_overflow(*sum, magnitude(value), sum);
    }
    return !wrapped && *sum <= SUM_MAX;
}

static Status too_large(const char *what, const char *where, bool is_money, Error *error)
{
    return error_set(error, STATUS_INPUT, __FILE__, __LINE__,
                     "the %s of the order lines add up to more than %" PRId64
                     "%s%s: look for wrong "
                     "prices or quantities%s",
                     what, INT64_MAX, is_money ? " minor units" : "", where,
                     is_money ? ", or use fewer money decimals" : "");
}

static Status check_sums(LineReader *reader, const OrderLines *lines, Error *error)
{
    char where[64];
    LineMagnitudes *sums = &reader->magnitudes;
    const LineMagnitudes *most = &reader->line_most;
    const int32_t *quantity = lines->quantity;
    (void)snprintf(where, sizeof where, " (partition %" PRId32 ")", lines->partition);
    if (quantity && lines->price &&
        !add_magnitudes(reader, lines, quantity, lines->price, most->minor, &sums->minor))
        return too_large("values", where, true, error);
    if (quantity && !add_magnitudes(reader, lines, quantity, NULL, most->units, &sums->units))
        return too_large("quantities", where, false, error);
    if (lines->discount &&
        !add_magnitudes(reader, lines, NULL, lines->discount, most->discount, &sums->discount))
        return too_large("discounts", where, true, error);
    return STATUS_OK;
}

/* Halves of 32 bits are added, so that the check cannot wrap. */
Status line_magnitudes_check(Comm *comm, const LineMagnitudes *magnitudes, Error *error)
{
    static const char *const names[] = {"values", "quantities", "discounts"};
    const uint64_t sums[3] = {magnitudes->minor, magnitudes->units, magnitudes->discount};
    int64_t halves[6];
    for (int i = 0; i < 3; i++) {
        halves[2 * i] = (int64_t)(sums[i] >> 32);
        halves[2 * i + 1] = (int64_t)(sums[i] & UINT32_MAX);
    }
    comm_sum_i64(comm, halves, 6);
    for (int i = 0; i < 3; i++) {
        if (halves[2 * i] + (halves[2 * i + 1] >> 32) > INT32_MAX)
            return too_large(names[i], "", i != 1, error);
    }
    return STATUS_OK;
}

/* ---- setting up ---- */

static Status make_months(LineReader *reader, Error *error)
{
    Status status = STATUS_OK;
    const Shop *shop = reader->shop;
    if (shop->first_day == DAY_NONE)
        return STATUS_OK;
    int64_t n = (int64_t)shop->last_day - shop->first_day + 1;
    TRY(mem_resize(&reader->month_of, n, sizeof *reader->month_of, "months of days", error));
    for (int64_t i = 0; i < n; i++)
        reader->month_of[i] = civil_month((int32_t)(shop->first_day + i));
out:
    return status;
}

Status line_reader_init(LineReader *reader, Store *store, const Shop *shop, uint32_t needs,
                        Error *error)
{
    Status status = STATUS_OK;
    *reader = (LineReader){.store = store, .shop = shop, .needs = needs};
    for (size_t i = 0; i < sizeof derivations / sizeof *derivations; i++) {
        if (needs & derivations[i].derived)
            reader->needs |= derivations[i].from;
    }
    bound_magnitudes(reader);
    if (needs & LINES_COHORT)
        TRY(make_months(reader, error));
    TRY(check_codes(reader, error));
out:
    return status;
}

/* ---- derived columns ---- */

static const int64_t us_per_hour = INT64_C(3600) * 1000000;

static void derive_hours(const LineReader *reader, const int64_t *ts_us, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t local = timezone_to_local(reader->shop->zone, ts_us[i]);
        int64_t of_day = local % (24 * us_per_hour);
        reader->hour[i] = (int8_t)((of_day < 0 ? of_day + 24 * us_per_hour : of_day) / us_per_hour);
    }
}

static void derive_order_days(const OrderLines *lines, int32_t *order_day)
{
    for (int64_t begin = 0, end; begin < lines->n; begin = end) {
        int32_t day = INT32_MAX;
        for (end = begin; end < lines->n && lines->order[end] == lines->order[begin]; end++)
            order_line_day(lines, end, &day);
        for (int64_t i = begin; i < end; i++)
            order_day[i] = day == INT32_MAX ? DAY_NONE : day;
    }
}

/* An order is a later one if one before it has a kept sale. */
static void derive_returning(const OrderLines *lines, int8_t *returning)
{
    bool has_bought = false, buys = false;
    for (int64_t i = 0; i < lines->n; i++) {
        bool same_customer = i > 0 && lines->customer[i] == lines->customer[i - 1];
        if (!same_customer)
            has_bought = buys = false;
        else if (lines->order[i] != lines->order[i - 1])
            has_bought = buys;
        buys |= order_line_is_kept(lines, i);
        returning[i] = lines->customer[i] < 0 ? -1 : has_bought;
    }
}

static void derive_cohorts(const LineReader *reader, const OrderLines *lines, int32_t *cohort)
{
    for (int64_t begin = 0, end; begin < lines->n; begin = end) {
        int32_t day = INT32_MAX, customer = lines->customer[begin];
        for (end = begin; end < lines->n && lines->customer[end] == customer; end++)
            order_line_day(lines, end, &day);
        bool has_none = customer < 0 || day == INT32_MAX;
        int32_t month = has_none ? DAY_NONE : reader->month_of[day - reader->shop->first_day];
        for (int64_t i = begin; i < end; i++)
            cohort[i] = month;
    }
}

/* segment_of [n] := of the customers of the partition; of each the last row counts. */
static Status read_segments(LineReader *reader, int32_t partition, int64_t n, Error *error)
{
    static const char *const columns[] = {"customer", "segment"};
    Status status = STATUS_OK;
    if (n > reader->segment_capacity) {
        TRY(mem_resize(&reader->segment_of, n, sizeof *reader->segment_of, "segments", error));
        reader->segment_capacity = n;
    }
    memset(reader->segment_of, 0xff, (size_t)n * sizeof *reader->segment_of);
    if (!store_has_column(reader->store, "customers", "segment"))
        goto out;
    TRY(store_read_partition(reader->store, "customers", partition, columns, 2, &reader->customers,
                             error));
    const int32_t *customer = table_column_const(&reader->customers, "customer")->data;
    const int16_t *segment = table_column_const(&reader->customers, "segment")->data;
    for (int64_t i = 0; i < reader->customers.rows; i++) {
        if (segment[i] >= reader->shop->segment.count)
            FAIL(error, STATUS_IO,
                 "store is damaged: customers of partition %" PRId32 " hold segment code %d, which "
                 "its dictionary does not have; run vesper verify",
                 partition, segment[i]);
        if (customer[i] >= 0 && customer[i] < n)
            reader->segment_of[customer[i]] = segment[i];
    }
out:
    return status;
}

static Status derive_segments(LineReader *reader, OrderLines *lines, Error *error)
{
    Status status = STATUS_OK;
    int64_t last = -1, least = 0;
    narrow_range(COLUMN_I32, lines->customer, lines->n, &least, &last);
    TRY(read_segments(reader, lines->partition, last + 1, error));
    for (int64_t i = 0; i < lines->n; i++)
        reader->segment[i] = lines->customer[i] < 0 ? -1 : reader->segment_of[lines->customer[i]];
    lines->segment = reader->segment;
out:
    return status;
}

static Status derive(LineReader *reader, OrderLines *lines, Error *error)
{
    Status status = STATUS_OK;
    if (reader->needs & LINES_HOUR) {
        derive_hours(reader, table_column_const(&reader->rows, "ts_us")->data, lines->n);
        lines->hour = reader->hour;
    }
    if (reader->needs & LINES_ORDER_DAY) {
        derive_order_days(lines, reader->order_day);
        lines->order_day = reader->order_day;
    }
    if (reader->needs & LINES_RETURNING) {
        derive_returning(lines, reader->returning);
        lines->returning = reader->returning;
    }
    if (reader->needs & LINES_COHORT) {
        derive_cohorts(reader, lines, reader->cohort);
        lines->cohort = reader->cohort;
    }
    if (reader->needs & LINES_SEGMENT)
        TRY(derive_segments(reader, lines, error));
out:
    return status;
}

/* ---- reading ---- */

static const void *data_of(const LineReader *reader, uint32_t bit, const char *name)
{
    const Column *column = reader->needs & bit ? table_find_const(&reader->rows, name) : NULL;
    return column ? column->data : NULL;
}

/* Codes that the store has in 16 bits. */
static const int32_t *widened(const LineReader *reader, uint32_t bit, const char *name,
                              int32_t *wide)
{
    const int16_t *codes = data_of(reader, bit, name);
    if (!codes)
        return NULL;
    narrow_convert(COLUMN_I16, codes, COLUMN_I32, wide, reader->rows.rows);
    return wide;
}

Status line_reader_read(LineReader *reader, int32_t partition, OrderLines *lines, Error *error)
{
    Status status = STATUS_OK;
    const char *columns[N_STORED];
    int n_columns = 0;
    for (int i = 0; i < N_STORED; i++) {
        if ((reader->needs & stored[i].bit) &&
            store_has_column(reader->store, "orders", stored[i].name))
            columns[n_columns++] = stored[i].name;
    }
    *lines = (OrderLines){.partition = partition};
    if (!store_has_column(reader->store, "orders", "day"))
        return STATUS_OK;
    if (n_columns == 0)
        columns[n_columns++] = "day"; /* how many lines there are is asked at least */
    TRY(store_read_partition(reader->store, "orders", partition, columns, n_columns, &reader->rows,
                             error));
    TRY(make_room(reader, reader->rows.rows, error));
    *lines = (OrderLines){
        .partition = partition,
        .n = reader->rows.rows,
        .customer = data_of(reader, LINES_CUSTOMER, "customer"),
        .order = data_of(reader, LINES_ORDER, "order"),
        .day = data_of(reader, LINES_DAY, "day"),
        .product = data_of(reader, LINES_PRODUCT, "product"),
        .quantity = data_of(reader, LINES_QUANTITY, "quantity"),
        .price = data_of(reader, LINES_PRICE, "unit_price"),
        .discount = data_of(reader, LINES_DISCOUNT, "discount"),
        .cancelled = data_of(reader, LINES_CANCELLED, "cancelled"),
        .country = widened(reader, LINES_COUNTRY, "country", reader->country),
        .channel = widened(reader, LINES_CHANNEL, "channel", reader->channel),
        .currency = widened(reader, LINES_CURRENCY, "currency", reader->currency),
    };
    TRY(check_sums(reader, lines, error));
    TRY(derive(reader, lines, error));
out:
    return status;
}
