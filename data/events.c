#include "events.h"

/* Views: two a line and some more; one cart_add a line; checkout. */
enum { SESSION_MAX = 4 * BASKET_MAX + 16, BROWSED_MAX = 30, EVENT_ROW_MAX = 128 };

static const double SECOND_VIEW = 0.25;  /* of a product before it is put into the cart */
static const double OTHER_VIEW = 0.15;   /* of something else on the way */
static const double BROWSE_SHARE = 0.9;  /* browsing sessions an order */
static const double MEAN_BROWSED = 2.2;  /* products after the first */
static const double CART_SESSION = 0.35; /* of browsing sessions put something into the cart */
static const double CART_CHANCE = 0.5;   /* of a product in such a session */
static const double REMOVE_CHANCE = 0.3; /* of taking it out again */
static const double STORE_SESSION = 0.1; /* buyers in the store who looked online first */
static const double MEAN_GAP = 45.0;     /* seconds between two events */

typedef enum EventKind { EVENT_VIEW, EVENT_CART_ADD, EVENT_CART_REMOVE, EVENT_CHECKOUT } EventKind;

typedef struct Event {
    EventKind kind;
    int32_t product; /* -1 for none */
    int64_t gap;     /* seconds to the next one */
} Event;

typedef struct Session {
    int64_t customer;
    char letter; /* of its id */
    int n;
    Event events[SESSION_MAX];
} Session;

static void add_event(Session *session, EventKind kind, int32_t product, Random *random)
{
    int64_t gap = 1 + (int64_t)random_exponential(random, MEAN_GAP);
    session->events[session->n++] = (Event){.kind = kind, .product = product, .gap = gap};
}

static void make_purchase(const Shop *shop, const Order *order, int32_t day, Random *random,
                          Session *session)
{
    session->customer = order->customer.index;
    session->letter = 's';
    session->n = 0;
    for (int i = 0; i < order->n_lines; i++) {
        int32_t product = order->lines[i].product;
        if (sampling_happens(random, OTHER_VIEW)) {
            int32_t cluster = shop->catalogue.products[product].cluster;
            add_event(session, EVENT_VIEW,
                      catalogue_draw_sold(&shop->catalogue, cluster, day, random), random);
        }
        add_event(session, EVENT_VIEW, product, random);
        if (sampling_happens(random, SECOND_VIEW))
            add_event(session, EVENT_VIEW, product, random);
        add_event(session, EVENT_CART_ADD, product, random);
    }
    add_event(session, EVENT_CHECKOUT, -1, random);
}

static void make_browsing(const Shop *shop, int32_t day, Random *random, Session *session)
{
    Visit visit;
    customers_draw(&shop->customers, day, random, &visit);
    session->customer = visit.customer.index;
    session->letter = 'b';
    session->n = 0;
    bool uses_cart = sampling_happens(random, CART_SESSION);
    int64_t n_browsed = 1 + random_poisson(random, MEAN_BROWSED);
    for (int64_t i = 0; i < n_browsed && i < BROWSED_MAX; i++) {
        int32_t cluster = customers_draw_taste(&visit.customer, random);
        int32_t product = catalogue_draw_sold(&shop->catalogue, cluster, day, random);
        add_event(session, EVENT_VIEW, product, random);
        if (!uses_cart || !sampling_happens(random, CART_CHANCE))
            continue;
        add_event(session, EVENT_CART_ADD, product, random);
        if (sampling_happens(random, REMOVE_CHANCE))
            add_event(session, EVENT_CART_REMOVE, product, random);
    }
}

static Status write_session(const Shop *shop, const Session *session, int64_t order_id, int64_t end,
                            Text *text, Error *error)
{
    static const char *const KINDS[] = {"view", "cart_add", "cart_remove", "checkout"};
    Status status = STATUS_OK;
    TRY(text_reserve(text, (int64_t)session->n * EVENT_ROW_MAX, error));
    int64_t seconds = end;
    for (int i = 0; i < session->n - 1; i++)
        seconds -= session->events[i].gap;
    for (int i = 0; i < session->n; i++) {
        const Event *event = &session->events[i];
        char *at = put_int(text_end(text), session->customer + 1);
        *at++ = ',';
        at = put_time(&shop->calendar, at, seconds);
        *at++ = ',';
        at = put_string(at, KINDS[event->kind]);
        *at++ = ',';
        if (event->product >= 0)
            at = put_int(at, (int64_t)event->product + 1);
        *at++ = ',';
        *at++ = session->letter;
        at = put_int(at, order_id);
        *at++ = '\n';
        text_row(text, at);
        seconds += event->gap;
    }
out:
    return status;
}

Status events_write(const Shop *shop, const Order *order, int64_t order_id, int64_t seconds,
                    Text *text, Error *error)
{
    Status status = STATUS_OK;
    Random random = sampling_stream(shop->seed, STREAM_SESSION, order_id);
    int32_t day = (int32_t)(seconds / SECONDS_A_DAY);
    Session session;
    bool online = order->channel != CHANNEL_STORE || sampling_happens(&random, STORE_SESSION);
    if (order->is_known && order->status != ORDER_RETURNED && online) {
        make_purchase(shop, order, day, &random, &session);
        TRY(write_session(shop, &session, order_id, seconds, text, error));
    }
    if (sampling_happens(&random, BROWSE_SHARE)) {
        make_browsing(shop, day, &random, &session);
        TRY(write_session(shop, &session, order_id, seconds, text, error));
    }
out:
    return status;
}
