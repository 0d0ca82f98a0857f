#include "orders.h"

#include "dirty.h"
#include "events.h"
#include "reviews.h"

enum { ORDER_ROW_MAX = 256, DIRTY_ROW_MAX = 64, HEADER_LINES = 1 };

/* What all lines of an order share. */
typedef struct Head {
    const Shop *shop;
    const Order *order;
    int64_t id;
    int32_t day;
    int64_t second;
} Head;

static char *put_tail(const Order *order, const OrderLine *line, DirtyKind kind, char *at)
{
    static const char *const CHANNELS[] = {"web", "app", "marketplace", "store"};
    static const char *const STATUSES[] = {"completed", "returned", "cancelled"};
    at = put_bytes(at, country_code(order->country), 2);
    *at++ = ',';
    at = put_string(at, CHANNELS[order->channel]);
    if (kind == DIRTY_BAD_UTF8)
        at = put_string(at, "\xC3(");
    if (kind == DIRTY_BROKEN_QUOTE)
        at = put_string(at, " ab\"c");
    at = put_string(at, ",EUR,");
    at = put_money(at, line->discount_minor);
    if (kind != DIRTY_MISSING_FIELD) {
        *at++ = ',';
        at = put_string(at, STATUSES[order->status]);
    }
    if (kind == DIRTY_EXTRA_FIELD)
        at = put_string(at, ",extra");
    *at++ = '\n';
    return at;
}

static char *put_line(const Head *head, int line_no, DirtyKind kind, char *at)
{
    const OrderLine *line = &head->order->lines[line_no - 1];
    at = put_int(at, head->id);
    *at++ = ',';
    if (kind == DIRTY_BAD_DATE)
        at = put_string(at, "2023-02-30");
    else
        at = put_day(&head->shop->calendar, at, head->day);
    *at++ = ' ';
    at = put_seconds(at, head->second);
    *at++ = ',';
    if (kind != DIRTY_MISSING_PRODUCT)
        at = put_int(at, (int64_t)line->product + 1);
    *at++ = ',';
    at = put_int(at, line->quantity);
    if (kind == DIRTY_BAD_QUANTITY)
        at = put_string(at, "pcs");
    *at++ = ',';
    at = put_money(at, kind == DIRTY_NEGATIVE_PRICE ? -line->price_minor : line->price_minor);
    *at++ = ',';
    if (head->order->is_known)
        at = put_int(at, head->order->customer.index + 1);
    *at++ = ',';
    at = put_int(at, line_no);
    *at++ = ',';
    return put_tail(head->order, line, kind, at);
}

static Status write_lines(const OrderWork *work, const Head *head, Text texts[OUTPUT_COUNT],
                          Error *error)
{
    Status status = STATUS_OK;
    const Order *order = head->order;
    Text *text = &texts[OUTPUT_ORDERS];
    TRY(text_reserve(text, (int64_t)order->n_lines * ORDER_ROW_MAX, error));
    for (int line_no = 1; line_no <= order->n_lines; line_no++) {
        int64_t line =
            head->id + line_no - 2; /* from 0; an order's id is its first line's, from 1 */
        DirtyKind kind = dirty_kind(head->shop, line);
        if (work->wants[OUTPUT_ORDERS])
            text_row(text, put_line(head, line_no, kind, text_end(text)));
        if (kind == DIRTY_NONE || !work->wants[OUTPUT_DIRTY])
            continue;
        Text *dirty = &texts[OUTPUT_DIRTY];
        TRY(text_reserve(dirty, DIRTY_ROW_MAX, error));
        char *at = put_string(text_end(dirty), "orders.csv,");
        at = put_int(at, line + 1 + HEADER_LINES);
        *at++ = ',';
        at = put_string(at, dirty_name(kind));
        *at++ = '\n';
        text_row(dirty, at);
    }
out:
    return status;
}

static Status write_order(OrderWork *work, const Head *head, Text texts[OUTPUT_COUNT], Error *error)
{
    Status status = STATUS_OK;
    const Order *order = head->order;
    work->counts.orders++;
    work->counts.returned += order->status == ORDER_RETURNED;
    work->counts.cancelled += order->status == ORDER_CANCELLED;
    work->counts.anonymous += !order->is_known;
    if (work->wants[OUTPUT_ORDERS] || work->wants[OUTPUT_DIRTY])
        TRY(write_lines(work, head, texts, error));
    int64_t seconds = (int64_t)head->day * SECONDS_A_DAY + head->second;
    if (work->wants[OUTPUT_EVENTS])
        TRY(events_write(head->shop, order, head->id, seconds, &texts[OUTPUT_EVENTS], error));
    if (work->wants[OUTPUT_REVIEWS])
        TRY(reviews_write(head->shop, order, head->id, head->day, &texts[OUTPUT_REVIEWS], error));
out:
    return status;
}

/* Purchases and returns take turns at random; moments are spread evenly over the block's slot of
 * the day, one in each share of it, so orders come sorted by time. */
static Status make_block(void *context, int64_t number, Text texts[OUTPUT_COUNT], Error *error)
{
    Status status = STATUS_OK;
    OrderWork *work = context;
    const Shop *shop = work->shop;
    Block block = calendar_block(&shop->calendar, number);
    int32_t wanted = returns_wanted(shop, &block);
    int32_t lines_returned;
    int32_t n_returns = returns_choose(shop, &block, wanted, work->returns, &lines_returned);
    int32_t core = block.n_lines - wanted;
    Random size_stream = sampling_stream(shop->seed, STREAM_SIZES, number);
    int32_t n_purchases = basket_sizes(shop, &size_stream, core, work->sizes);
    n_purchases +=
        basket_sizes(shop, &size_stream, wanted - lines_returned, work->sizes + n_purchases);

    Random random = sampling_stream(shop->seed, STREAM_BLOCK, number);
    random.counter = 1; /* the first draws are returns_wanted's */
    int32_t n_orders = n_purchases + n_returns;
    int32_t purchase = 0;
    int32_t back = 0;
    int64_t ordinal = block.first_line;
    int64_t line = block.first_line;
    Order order;
    Head head = {.shop = shop, .order = &order, .day = block.day};
    for (int32_t i = 0; i < n_orders; i++) {
        if (random_below(&random, n_orders - i) < n_returns - back) {
            return_fill(shop, &work->returns[back++], &order);
        } else {
            basket_fill(shop, block.day, ordinal, work->sizes[purchase], &order);
            ordinal += work->sizes[purchase++];
        }
        double share = (i + random_unit(&random)) / n_orders;
        head.second =
            calendar_second(&shop->calendar, ((double)block.slot + share) / (double)block.n_slots);
        head.id = line + 1;
        TRY(write_order(work, &head, texts, error));
        line += order.n_lines;
    }
    vesper_assert(line == block.first_line + block.n_lines);
out:
    return status;
}

Stage orders_stage(OrderWork *work)
{
    return (Stage){.name = output_name(OUTPUT_ORDERS),
                   .n_blocks = calendar_block_count(&work->shop->calendar),
                   .n_rows = work->shop->lines,
                   .progress = work->wants[OUTPUT_ORDERS] ? OUTPUT_ORDERS : OUTPUT_EVENTS,
                   .make_block = make_block,
                   .context = work};
}
