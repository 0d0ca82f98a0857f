#include "returns.h"

enum { LAG_MIN = 2, LAGS = 20 };

static const double RETURN_SHARE = 0.03;     /* of all lines */
static const double WHOLE_ORDER_SHARE = 0.3; /* of returns; the others send back one line */

int32_t returns_wanted(const Shop *shop, const Block *block)
{
    Random random = sampling_stream(shop->seed, STREAM_BLOCK, block->number);
    return (int32_t)(RETURN_SHARE * block->n_lines + random_unit(&random));
}

/* Which lines of an order come back, at most `most`; 0 if none can. */
static uint64_t choose_lines(const Shop *shop, const Return *back, int32_t most, Random *random)
{
    Order order;
    basket_fill(shop, back->day, back->ordinal, back->n_lines, &order);
    if (order.status == ORDER_CANCELLED)
        return 0;
    if (back->n_lines <= most && sampling_happens(random, WHOLE_ORDER_SHARE))
        return (UINT64_C(1) << back->n_lines) - 1;
    return UINT64_C(1) << random_below(random, back->n_lines);
}

/* Candidates of one earlier block, from a random one on, until *n_lines reaches `end`. */
static int32_t choose_from(const Shop *shop, const Block *source, int lag, int32_t end,
                           Random *random, Return *returns, int32_t *n_lines)
{
    uint8_t sizes[BLOCK_LINES_MAX];
    Random size_stream = sampling_stream(shop->seed, STREAM_SIZES, source->number);
    int32_t core = source->n_lines - returns_wanted(shop, source);
    int32_t n_orders = basket_sizes(shop, &size_stream, core, sizes);
    int32_t candidates = (n_orders - (lag - LAG_MIN) + LAGS - 1) / LAGS;
    if (candidates <= 0)
        return 0;
    int32_t skipped = (int32_t)random_below(random, candidates);
    int32_t n = 0;
    int64_t ordinal = source->first_line;
    for (int32_t k = 0; k < n_orders && *n_lines < end; ordinal += sizes[k++]) {
        if (k % LAGS != lag - LAG_MIN || skipped-- > 0)
            continue;
        Return back = {.ordinal = ordinal, .day = source->day, .n_lines = sizes[k]};
        back.kept = choose_lines(shop, &back, end - *n_lines, random);
        if (back.kept == 0)
            continue;
        returns[n++] = back;
        *n_lines += __builtin_popcountll(back.kept);
    }
    return n;
}

int32_t returns_choose(const Shop *shop, const Block *block, int32_t wanted, Return *returns,
                       int32_t *n_lines)
{
    Random random = sampling_stream(shop->seed, STREAM_RETURN, block->number);
    int32_t n = 0;
    int32_t share = wanted / LAGS + 1; /* of one lag */
    int32_t first = (int32_t)random_below(&random, LAGS);
    *n_lines = 0;
    for (int i = 0; i < LAGS && *n_lines < wanted; i++) {
        int lag = LAG_MIN + (first + i) % LAGS;
        int32_t day = block->day - lag;
        if (day < 0)
            continue;
        int64_t n_slots = shop->calendar.first_block[day + 1] - shop->calendar.first_block[day];
        if (block->slot >= n_slots)
            continue;
        Block source = calendar_slot(&shop->calendar, day, block->slot);
        int32_t end = *n_lines + share < wanted ? *n_lines + share : wanted;
        n += choose_from(shop, &source, lag, end, &random, returns + n, n_lines);
    }
    return n;
}

void return_fill(const Shop *shop, const Return *back, Order *order)
{
    basket_fill(shop, back->day, back->ordinal, back->n_lines, order);
    order->status = ORDER_RETURNED;
    int n = 0;
    for (int i = 0; i < back->n_lines; i++) {
        if ((back->kept >> i & 1) == 0)
            continue;
        OrderLine line = order->lines[i];
        line.quantity = -line.quantity;
        line.discount_minor = -line.discount_minor;
        order->lines[n++] = line;
    }
    order->n_lines = n;
}
