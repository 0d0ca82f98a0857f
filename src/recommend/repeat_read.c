/* From a customer's orders to the share of them that held each item; see repeat_model.h. */
#include "recommend/repeat_model.h"

#include "base/fault.h"
#include "base/memory.h"
#include "recommend/history.h"
#include "table/sort.h"

#include <float.h>
#include <math.h>

/* A kept sale; or a return, whose units are below 0. */
typedef struct Purchase {
    uint64_t pair; /* customer, then item */
    int32_t order; /* of the customer's, from 0, oldest first */
    int32_t day;
    int32_t units;
} Purchase;

typedef struct PurchaseReader {
    const RepeatOptions *options;
    int32_t until_day;
    HistoryReader history;
    /* Of the partition at hand. */
    Purchase *purchases;
    int64_t n;
    int64_t *sequence;  /* [n] by pair, then as they came */
    int32_t *orders_of; /* [customers] how many orders each has */
    /* Weights of the order that is so many back from the last, and of the last n together. */
    int32_t n_weights;
    double *weight, *total;
} PurchaseReader;

static void reader_free(PurchaseReader *reader)
{
    history_close(&reader->history);
    mem_free(&reader->purchases);
    mem_free(&reader->sequence);
    mem_free(&reader->orders_of);
    mem_free(&reader->weight);
    mem_free(&reader->total);
}

/* Tables up to n orders. A weight that is no longer a normal number stays as small as it is. */
static Status extend_weights(PurchaseReader *reader, int32_t n, Error *error)
{
    Status status = STATUS_OK;
    if (n <= reader->n_weights && reader->weight)
        return STATUS_OK;
    TRY(mem_resize(&reader->weight, (int64_t)n + 1, sizeof *reader->weight, "weights", error));
    TRY(mem_resize(&reader->total, (int64_t)n + 1, sizeof *reader->total, "weights", error));
    double weight = 1.0, total = 0.0;
    for (int32_t back = 0; back <= n; back++) {
        reader->weight[back] = weight;
        reader->total[back] = total;
        total += weight;
        weight *= reader->options->decay;
    }
    reader->n_weights = n;
out:
    return status;
}

static void list_purchases(PurchaseReader *reader, const HistoryOrders *orders)
{
    const int32_t *place = reader->history.shop->product.place;
    bool with_returns = reader->options->returns_take_away;
    int32_t customer = -1, order = -1;
    reader->n = 0;
    for (int64_t i = 0; i < orders->n; i++) {
        bool is_kept = history_is_kept(orders, i);
        bool is_return = with_returns && orders->quantity[i] < 0;
        if (orders->day[i] >= reader->until_day || !(is_kept || is_return))
            continue;
        if (orders->customer[i] != customer)
            order = -1;
        customer = orders->customer[i];
        if (is_kept && orders->order[i] != order) {
            order = orders->order[i];
            reader->orders_of[customer]++;
        }
        reader->purchases[reader->n++] = (Purchase){.pair = (uint64_t)(uint32_t)customer << 32 |
                                                            (uint32_t)place[orders->product[i]],
                                                    .order = reader->orders_of[customer] - 1,
                                                    .day = orders->day[i],
                                                    .units = orders->quantity[i]};
    }
}

static Status sort_purchases(PurchaseReader *reader, Error *error)
{
    Status status = STATUS_OK;
    uint64_t *keys = NULL;
    TRY(mem_resize(&keys, reader->n, sizeof *keys, "purchases", error));
    TRY(mem_resize(&reader->sequence, reader->n, sizeof *reader->sequence, "purchases", error));
    for (int64_t i = 0; i < reader->n; i++)
        keys[i] = reader->purchases[i].pair;
    TRY(sort_order_u64(keys, reader->n, reader->sequence, error));
out:
    mem_free(&keys);
    return status;
}

static Status read_purchases(PurchaseReader *reader, int32_t partition, Error *error)
{
    Status status = STATUS_OK;
    HistoryOrders orders;
    int32_t most = 0;
    TRY(history_take(&reader->history, partition, error));
    TRY(history_orders(&reader->history, &orders, error));
    int64_t customers = reader->history.ids.rows;
    TRY(mem_resize(&reader->purchases, orders.n, sizeof *reader->purchases, "purchases", error));
    TRY(mem_resize(&reader->orders_of, customers, sizeof *reader->orders_of, "customers", error));
    for (int64_t c = 0; c < customers; c++)
        reader->orders_of[c] = 0;
    list_purchases(reader, &orders);
    TRY(sort_purchases(reader, error));
    for (int64_t c = 0; c < customers; c++)
        most = reader->orders_of[c] > most ? reader->orders_of[c] : most;
    TRY(extend_weights(reader, most, error));
out:
    return status;
}

static const Purchase *purchase_at(const PurchaseReader *reader, int64_t place)
{
    return &reader->purchases[reader->sequence[place]];
}

/* Different days of the kept sales at places [begin, end). */
static Status count_days(const PurchaseReader *reader, int64_t begin, int64_t end, RepeatDays *days,
                         Error *error)
{
    Status status = STATUS_OK;
    int64_t *sorted = NULL, n = 0;
    TRY(mem_resize(&sorted, end - begin, sizeof *sorted, "days of purchases", error));
    for (int64_t i = begin; i < end; i++) {
        if (purchase_at(reader, i)->units > 0)
            sorted[n++] = purchase_at(reader, i)->day;
    }
    TRY(sort_i64(sorted, n, error));
    *days = (RepeatDays){.first = (int32_t)sorted[0], .last = (int32_t)sorted[n - 1]};
    for (int64_t i = 0; i < n; i++)
        days->n += i == 0 || sorted[i] != sorted[i - 1];
out:
    mem_free(&sorted);
    return status;
}

/* The purchases of one pair, which begin at `begin`, oldest first; *end is where they end. *share
 * 0: there is nothing that the customer kept. */
static Status add_up(const PurchaseReader *reader, int64_t begin, int64_t *end, double *share,
                     RepeatDays *days, Error *error)
{
    Status status = STATUS_OK;
    uint64_t pair = purchase_at(reader, begin)->pair;
    int32_t orders = reader->orders_of[pair >> 32], last_order = -1;
    int64_t units = 0;
    double weight = 0.0;
    bool descends = false;
    *days = (RepeatDays){.last = DAY_NONE};
    for (*end = begin; *end < reader->n && purchase_at(reader, *end)->pair == pair; (*end)++) {
        const Purchase *purchase = purchase_at(reader, *end);
        units += purchase->units;
        if (purchase->units < 0)
            continue;
        if (purchase->order != last_order)
            weight += reader->weight[orders - 1 - purchase->order];
        last_order = purchase->order;
        days->first = days->n == 0 ? purchase->day : days->first;
        descends |= purchase->day < days->last;
        days->n += purchase->day != days->last;
        days->last = purchase->day;
    }
    bool is_kept = days->n > 0 && (units > 0 || !reader->options->returns_take_away);
    *share = is_kept ? fmax(weight / reader->total[orders], (double)FLT_MIN) : 0.0;
    if (descends) /* lines of an order may be of several days: rare */
        TRY(count_days(reader, begin, *end, days, error));
out:
    return status;
}

static int64_t count_pairs(const PurchaseReader *reader)
{
    int64_t n = 0;
    for (int64_t i = 0; i < reader->n; i++)
        n += i == 0 || purchase_at(reader, i)->pair != purchase_at(reader, i - 1)->pair;
    return n;
}

static Status make_rows(const PurchaseReader *reader, SparseRows *rows, RepeatDays **days,
                        Error *error)
{
    static const char what[] = "purchases";
    Status status = STATUS_OK;
    int64_t n = 0, most = count_pairs(reader);
    int32_t row = 0;
    rows->n_rows = (int32_t)reader->history.ids.rows;
    TRY(mem_resize(&rows->starts, (int64_t)rows->n_rows + 1, sizeof *rows->starts, what, error));
    TRY(mem_resize(&rows->columns, most, sizeof *rows->columns, what, error));
    TRY(mem_resize(&rows->values, most, sizeof *rows->values, what, error));
    TRY(mem_resize(days, most, sizeof **days, what, error));
    for (int64_t begin = 0, end; begin < reader->n; begin = end) {
        uint64_t pair = purchase_at(reader, begin)->pair;
        double share;
        while (row <= (int32_t)(pair >> 32))
            rows->starts[row++] = n;
        TRY(add_up(reader, begin, &end, &share, *days + n, error));
        rows->columns[n] = (int32_t)(uint32_t)pair;
        rows->values[n] = (float)share;
        n += share > 0.0;
    }
    while (row <= rows->n_rows)
        rows->starts[row++] = n;
out:
    return status;
}

Status repeat_read(Repeat *model, Store *store, const Shop *shop, Error *error)
{
    Status status = STATUS_OK;
    SparseSide *shares = &model->shares;
    PurchaseReader reader = {.options = &model->options, .until_day = model->until_day};
    TRY(fault_point("recommend.repeat", error));
    TRY(history_open(&reader.history, store, shop, error));
    for (int32_t p = shares->first; p < shares->end; p++) {
        int32_t own = p - shares->first;
        TRY(read_purchases(&reader, p, error));
        TRY(make_rows(&reader, &shares->own[own], &model->past[own].days, error));
    }
out:
    reader_free(&reader);
    return status;
}
