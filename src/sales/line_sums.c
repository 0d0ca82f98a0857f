/* What each line adds; see line_sums.h. */
#include "sales/line_sums.h"

#include <inttypes.h>

static const uint32_t sale = LINES_QUANTITY | LINES_CANCELLED;

/* What each measure is made of, as bits of GroupSum. */
static uint32_t sums_of(Measure measure)
{
    switch (measure) {
    case MEASURE_GROSS:
        return 1U << SUM_GROSS;
    case MEASURE_RETURNED:
        return 1U << SUM_RETURNED;
    case MEASURE_NET:
        return 1U << SUM_NET;
    case MEASURE_DISCOUNT:
        return 1U << SUM_DISCOUNT;
    case MEASURE_UNITS:
        return 1U << SUM_UNITS;
    case MEASURE_UNITS_RETURNED:
        return 1U << SUM_UNITS_RETURNED;
    case MEASURE_ORDERS:
        return 1U << SUM_ORDERS;
    case MEASURE_CUSTOMERS:
        return 1U << SUM_CUSTOMERS;
    case MEASURE_AVERAGE_ORDER_VALUE:
        return 1U << SUM_KEPT_VALUE | 1U << SUM_ORDERS;
    case MEASURE_ITEMS_PER_ORDER:
        return 1U << SUM_KEPT_UNITS | 1U << SUM_ORDERS;
    case MEASURE_MARGIN:
        return 1U << SUM_MARGIN;
    case MEASURE_FIRST_DAY:
    case MEASURE_LAST_DAY:
        return 1U << SUM_FIRST_DAY | 1U << SUM_LAST_DAY;
    default:
        return 0;
    }
}

static bool is_order_value(Measure measure)
{
    return measure == MEASURE_MIN_ORDER_VALUE || measure == MEASURE_MEDIAN_ORDER_VALUE ||
           measure == MEASURE_P95_ORDER_VALUE || measure == MEASURE_MAX_ORDER_VALUE;
}

SumSet sum_set_of(const AggregateSpec *spec)
{
    SumSet set = {.n_added = 0};
    uint32_t sums = 1U << SUM_LINES; /* which groups there are */
    for (int i = 0; i < spec->n_measures; i++) {
        sums |= sums_of(spec->measures[i]);
        set.order_values |= is_order_value(spec->measures[i]);
    }
    for (int s = 0; s < SUM_FIRST_DAY; s++) {
        if (sums & 1U << s)
            set.added[set.n_added++] = (GroupSum)s;
    }
    set.orders = (sums & 1U << SUM_ORDERS) != 0;
    set.customers = (sums & 1U << SUM_CUSTOMERS) != 0;
    set.has_days = (sums & 1U << SUM_FIRST_DAY) != 0;
    return set;
}

int sum_set_word(const SumSet *set, GroupSum sum)
{
    for (int w = 0; w < set->n_added; w++) {
        if (set->added[w] == sum)
            return w;
    }
    return -1;
}

uint32_t sum_set_needs(const SumSet *set)
{
    static const uint32_t needs[SUM_COUNT] = {
        [SUM_GROSS] = LINES_QUANTITY | LINES_PRICE,
        [SUM_RETURNED] = LINES_QUANTITY | LINES_PRICE | LINES_CANCELLED,
        [SUM_NET] = LINES_QUANTITY | LINES_PRICE | LINES_CANCELLED,
        [SUM_DISCOUNT] = LINES_DISCOUNT | LINES_CANCELLED,
        [SUM_UNITS] = LINES_QUANTITY,
        [SUM_UNITS_RETURNED] = LINES_QUANTITY | LINES_CANCELLED,
        [SUM_KEPT_VALUE] = LINES_QUANTITY | LINES_PRICE | LINES_CANCELLED,
        [SUM_KEPT_UNITS] = LINES_QUANTITY | LINES_CANCELLED,
        [SUM_MARGIN] =
            LINES_PRODUCT | LINES_QUANTITY | LINES_PRICE | LINES_CANCELLED | LINES_DISCOUNT,
        [SUM_ORDERS] = LINES_ORDER | LINES_QUANTITY | LINES_CANCELLED,
        [SUM_CUSTOMERS] = LINES_CUSTOMER | LINES_QUANTITY | LINES_CANCELLED,
    };
    uint32_t all = 0;
    for (int i = 0; i < set->n_added; i++)
        all |= needs[set->added[i]];
    all |= set->has_days ? LINES_DAY | sale : 0;
    all |= set->order_values ? LINES_ORDER | LINES_PRICE | sale : 0;
    return all;
}

static inline int64_t line_margin(const OrderLines *lines, const Shop *shop, int64_t line)
{
    int64_t quantity = lines->quantity[line], cost = shop->catalogue.cost[lines->product[line]];
    if (cost == MONEY_NONE || (quantity > 0 && lines->cancelled[line]))
        return 0;
    int64_t discount = lines->discount && !lines->cancelled[line] ? lines->discount[line] : 0;
    return quantity * (lines->price[line] - cost) - discount;
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

Status line_margins_check(const OrderLines *lines, const Shop *shop, Error *error)
{
    uint64_t sum = 0, most = (uint64_t)INT64_MAX / (uint64_t)shop->partitions;
    bool wrapped = false;
    for (int64_t i = 0; i < lines->n; i++) {
        int64_t cost = shop->catalogue.cost[lines->product[i]];
        uint64_t line = magnitude(lines->price[i]);
        if (cost == MONEY_NONE)
            continue;
        wrapped |= __builtin_add_overflow(line, magnitude(cost), &line);
        wrapped |= __builtin_mul_overflow(line, magnitude(lines->quantity[i]), &line);
        if (lines->discount)
            wrapped |= __builtin_add_overflow(line, magnitude(lines->discount[i]), &line);
        wrapped |= __builtin_add_overflow(sum, line, &sum);
    }
    if (!wrapped && sum <= most)
        return STATUS_OK;
    return error_set(error, STATUS_INPUT, __FILE__, __LINE__,
                     "the margins of the order lines of partition %" PRId32
                     " add up to more than %" PRIu64
                     " minor units: look for wrong prices, costs or quantities",
                     lines->partition, most);
}

/* `value` where `holds`, else 0; no branch, so that it vectorises. */
static inline int64_t where(bool holds, int64_t value)
{
    return value & -(int64_t)holds;
}

/* One sum of one line. With `sum` constant it is a few instructions, the same for every line. */
static inline int64_t add_of(GroupSum sum, const OrderLines *lines, const Shop *shop, int64_t line)
{
    bool has_price =
        sum == SUM_GROSS || sum == SUM_RETURNED || sum == SUM_NET || sum == SUM_KEPT_VALUE;
    bool has_quantity =
        has_price || sum == SUM_UNITS || sum == SUM_UNITS_RETURNED || sum == SUM_KEPT_UNITS;
    bool may_be_cancelled = sum != SUM_LINES && sum != SUM_GROSS && sum != SUM_UNITS;
    int64_t quantity = has_quantity ? lines->quantity[line] : 0;
    int64_t value = has_price ? quantity * lines->price[line] : 0;
    bool sold = quantity > 0, cancelled = may_be_cancelled ? lines->cancelled[line] != 0 : false;
    switch (sum) {
    case SUM_GROSS:
        return where(sold, value);
    case SUM_RETURNED:
        return where(!sold, -value) + where(sold & cancelled, value);
    case SUM_NET:
        return where(!sold | !cancelled, value);
    case SUM_DISCOUNT:
        return lines->discount ? where(!cancelled, lines->discount[line]) : 0;
    case SUM_UNITS:
        return where(sold, quantity);
    case SUM_UNITS_RETURNED:
        return where(!sold, -quantity) + where(sold & cancelled, quantity);
    case SUM_KEPT_VALUE:
        return where(sold & !cancelled, value);
    case SUM_KEPT_UNITS:
        return where(sold & !cancelled, quantity);
    case SUM_MARGIN:
        return line_margin(lines, shop, line);
    default:
        return 1; /* lines */
    }
}

/* One version for processors with AVX2, one for all; of a static function (table/narrow.c). */
#define FOR_ALL_PROCESSORS __attribute__((target_clones("avx2", "default")))

static inline void add_column(GroupSum sum, const OrderLines *lines, const Shop *shop,
                              int64_t begin, const int32_t *at, int64_t n, int64_t *added)
{
    if (at) {
        for (int64_t i = 0; i < n; i++)
            added[i] = add_of(sum, lines, shop, at[i]);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        added[i] = add_of(sum, lines, shop, begin + i);
}

FOR_ALL_PROCESSORS
static void compute(GroupSum sum, const OrderLines *lines, const Shop *shop, int64_t begin,
                    const int32_t *at, int64_t n, int64_t *added)
{
#define COLUMN(constant)                                                                           \
    case constant:                                                                                 \
        add_column(constant, lines, shop, begin, at, n, added);                                    \
        break
    switch (sum) {
        COLUMN(SUM_GROSS);
        COLUMN(SUM_RETURNED);
        COLUMN(SUM_NET);
        COLUMN(SUM_DISCOUNT);
        COLUMN(SUM_UNITS);
        COLUMN(SUM_UNITS_RETURNED);
        COLUMN(SUM_KEPT_VALUE);
        COLUMN(SUM_KEPT_UNITS);
        COLUMN(SUM_MARGIN);
    default:
        add_column(SUM_LINES, lines, shop, begin, at, n, added);
    }
#undef COLUMN
}

void line_sum_compute(GroupSum sum, const OrderLines *lines, const Shop *shop, int64_t begin,
                      const int32_t *at, int64_t n, int64_t *added)
{
    compute(sum, lines, shop, begin, at, n, added);
}
