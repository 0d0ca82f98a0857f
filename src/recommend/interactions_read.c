/* From a partition's history to its pairs; see interactions_read.h.
 *
 * Evidence is added up in whole numbers of 2^-40, so that a value is a function of what happened
 * and not of the order or the batches in which it came in. */
#include "recommend/interactions_read.h"

#include "base/memory.h"
#include "table/sort.h"

#include <math.h>
#include <string.h>

enum { FROM_CART = -1, FROM_VIEW = -2, FROM_REVIEW = -3, FROM_PAIR = -4, SOURCES = 5 };

static const int64_t ONE = INT64_C(1) << 40; /* the value 1 */
enum { A_RETURN = -1 };                      /* in place of an amount */

void interactions_reader_free(InteractionsReader *reader)
{
    history_close(&reader->history);
    mem_free(&reader->evidence);
    mem_free(&reader->sequence);
    mem_free(&reader->most_events);
}

/* ---- evidence ---- */

static Status reserve(InteractionsReader *reader, int64_t more, Error *error)
{
    Status status = STATUS_OK;
    int64_t n = reader->n + more;
    if (n > reader->capacity || reader->evidence == NULL) {
        TRY(mem_resize(&reader->evidence, n, sizeof *reader->evidence, "interactions", error));
        reader->capacity = n;
    }
out:
    return status;
}

static bool is_inside(const InteractionsReader *reader, int32_t day)
{
    return day >= reader->from_day && day < reader->until_day;
}

/* weight / 2^(age / half-life), at most 1. */
static int64_t amount_of(const InteractionsReader *reader, double weight, int32_t day)
{
    double half_life = reader->options->half_life_days;
    if (half_life > 0)
        weight *= exp2((double)((int64_t)day + 1 - reader->until_day) / half_life);
    return weight >= 1.0 ? ONE : (int64_t)llround(weight * (double)ONE);
}

/* Room is there. */
static void add(InteractionsReader *reader, int32_t customer, int32_t product, int64_t amount,
                int32_t source, int32_t units)
{
    int32_t item = reader->history.shop->product.place[product];
    if (reader->known && !reader->known[item])
        return;
    reader->evidence[reader->n++] =
        (Evidence){.pair = (uint64_t)(uint32_t)customer << 32 | (uint32_t)item,
                   .amount = amount,
                   .source = source,
                   .units = units};
}

/* A line of a cancelled order that is above zero is a sale and its return: nothing. */
static Status add_orders(InteractionsReader *reader, Error *error)
{
    Status status = STATUS_OK;
    HistoryOrders orders;
    bool with_returns = reader->options->returns_take_away;
    TRY(history_orders(&reader->history, &orders, error));
    TRY(reserve(reader, orders.n, error));
    for (int64_t i = 0; i < orders.n; i++) {
        int32_t day = orders.day[i], units = orders.quantity[i];
        if (!is_inside(reader, day))
            continue;
        if (history_is_kept(&orders, i))
            add(reader, orders.customer[i], orders.product[i],
                amount_of(reader, reader->options->weight_order, day), orders.order[i], units);
        else if (units < 0 && with_returns)
            add(reader, orders.customer[i], orders.product[i], A_RETURN, orders.order[i], units);
    }
out:
    return status;
}

/* most_events := of each customer. days [n]: customer, then day, of each event; sorted here. */
static Status count_events(InteractionsReader *reader, int64_t *days, int64_t n, Error *error)
{
    Status status = STATUS_OK;
    TRY(sort_i64(days, n, error));
    for (int64_t begin = 0, end; begin < n; begin = end) {
        for (end = begin; end < n && days[end] == days[begin];)
            end++;
        int64_t *most = &reader->most_events[days[begin] >> 32];
        *most = end - begin > *most ? end - begin : *most;
    }
out:
    return status;
}

static Status add_events(InteractionsReader *reader, Error *error)
{
    Status status = STATUS_OK;
    const InteractionOptions *options = reader->options;
    HistoryEvents events;
    int64_t *days = NULL, n_days = 0, customers = reader->history.ids.rows;
    TRY(mem_resize(&reader->most_events, customers, sizeof *reader->most_events, "customers",
                   error));
    memset(reader->most_events, 0, (size_t)customers * sizeof *reader->most_events);
    if (options->weight_cart <= 0 && options->weight_view <= 0 && options->most_events_a_day == 0)
        return STATUS_OK;
    TRY(history_events(&reader->history, &events, error));
    TRY(reserve(reader, events.n, error));
    TRY(mem_resize(&days, events.n, sizeof *days, "days of events", error));
    for (int64_t i = 0; i < events.n; i++) {
        int32_t customer = events.customer[i], day = events.day[i];
        if (!is_inside(reader, day) || customer < 0)
            continue;
        days[n_days++] = (int64_t)customer << 32 | ((uint32_t)day ^ (UINT32_C(1) << 31));
        int32_t product = events.product ? events.product[i] : -1;
        bool is_cart = events.kind[i] == EVENT_CART_ADD;
        double weight = is_cart                        ? options->weight_cart
                        : events.kind[i] == EVENT_VIEW ? options->weight_view
                                                       : 0;
        if (product >= 0 && weight > 0)
            add(reader, customer, product, amount_of(reader, weight, day),
                is_cart ? FROM_CART : FROM_VIEW, 0);
    }
    TRY(count_events(reader, days, n_days, error));
out:
    mem_free(&days);
    return status;
}

static Status add_reviews(InteractionsReader *reader, Error *error)
{
    Status status = STATUS_OK;
    const InteractionOptions *options = reader->options;
    HistoryReviews reviews;
    if (options->weight_review <= 0)
        return STATUS_OK;
    TRY(history_reviews(&reader->history, &reviews, error));
    TRY(reserve(reader, reviews.n, error));
    for (int64_t i = 0; i < reviews.n; i++) {
        if (reviews.customer[i] >= 0 && is_inside(reader, reviews.day[i]) &&
            reviews.rating[i] >= options->least_rating)
            add(reader, reviews.customer[i], reviews.product[i],
                amount_of(reader, options->weight_review, reviews.day[i]), FROM_REVIEW, 0);
    }
out:
    return status;
}

/* Pairs without a time are always inside, and have no age. */
static Status add_given(InteractionsReader *reader, Error *error)
{
    Status status = STATUS_OK;
    const InteractionOptions *options = reader->options;
    HistoryPairs pairs;
    if (options->weight_pair <= 0)
        return STATUS_OK;
    TRY(history_pairs(&reader->history, &pairs, error));
    TRY(reserve(reader, pairs.n, error));
    for (int64_t i = 0; i < pairs.n; i++) {
        int32_t day = pairs.day[i] == DAY_NONE ? reader->until_day - 1 : pairs.day[i];
        double weight = options->weight_pair * pairs.value[i] / 100;
        if (is_inside(reader, day) && weight > 0)
            add(reader, pairs.customer[i], pairs.product[i], amount_of(reader, weight, day),
                FROM_PAIR, 0);
    }
out:
    return status;
}

static Status sort_evidence(InteractionsReader *reader, Error *error)
{
    Status status = STATUS_OK;
    uint64_t *keys = NULL;
    TRY(mem_resize(&keys, reader->n, sizeof *keys, "interactions", error));
    TRY(mem_resize(&reader->sequence, reader->n, sizeof *reader->sequence, "interactions", error));
    for (int64_t i = 0; i < reader->n; i++)
        keys[i] = reader->evidence[i].pair;
    TRY(sort_order_u64(keys, reader->n, reader->sequence, error));
out:
    mem_free(&keys);
    return status;
}

/* ---- pairs ---- */

static const Evidence *evidence_at(const InteractionsReader *reader, int64_t place)
{
    return &reader->evidence[reader->sequence[place]];
}

static int32_t customer_at(const InteractionsReader *reader, int64_t place)
{
    return (int32_t)(evidence_at(reader, place)->pair >> 32);
}

/* What places [begin, end) say of one pair. Lines of an order stand together. */
typedef struct PairSum {
    int64_t end;
    int64_t amount; /* at most ONE */
    int64_t units;  /* bought less returned */
    bool is_bought, is_returned;
    int64_t counts[SOURCES]; /* orders, carts, views, reviews, plain pairs */
} PairSum;

static PairSum add_up(const InteractionsReader *reader, int64_t begin)
{
    PairSum sum = {.end = begin};
    uint64_t pair = evidence_at(reader, begin)->pair;
    int32_t last_order = -1;
    for (; sum.end < reader->n && evidence_at(reader, sum.end)->pair == pair; sum.end++) {
        const Evidence *evidence = evidence_at(reader, sum.end);
        sum.units += evidence->units;
        sum.is_returned |= evidence->amount == A_RETURN;
        if (evidence->amount == A_RETURN ||
            (evidence->source >= 0 && evidence->source == last_order))
            continue;
        sum.is_bought |= evidence->source >= 0;
        last_order = evidence->source;
        sum.counts[evidence->source >= 0 ? 0 : -evidence->source]++;
        sum.amount += evidence->amount;
        sum.amount = sum.amount < ONE ? sum.amount : ONE;
    }
    return sum;
}

static Status leave_out(InteractionsReader *reader, int32_t customer, const char *reason,
                        int64_t count, Error *error)
{
    Status status = STATUS_OK;
    Table *rows = reader->left_out;
    if (!rows)
        return STATUS_OK;
    TRY(table_add_row(rows, error));
    TRY(table_set_last_text(rows, table_column(rows, "customer"),
                            column_text(table_column_const(&reader->history.ids, "text"), customer),
                            error));
    TRY(table_set_last_text(rows, table_column(rows, "reason"), bytes_of(reason), error));
    ((int64_t *)table_column(rows, "count")->data)[rows->rows - 1] = count;
out:
    return status;
}

/* Whether the customer of places [begin, end) is left out. Bots are known by their events alone. */
static Status judge(InteractionsReader *reader, int64_t begin, int64_t end, bool *is_out,
                    Error *error)
{
    Status status = STATUS_OK;
    int64_t bought = 0, most = reader->options->most_items;
    int32_t customer = customer_at(reader, begin);
    *is_out = reader->options->most_events_a_day > 0 &&
              reader->most_events[customer] > reader->options->most_events_a_day;
    if (*is_out || most == 0)
        return STATUS_OK;
    for (int64_t i = begin; i < end;) {
        PairSum sum = add_up(reader, i);
        bought += sum.is_bought;
        i = sum.end;
    }
    if (bought > most) {
        *is_out = true;
        reader->counts->bulk_buyers++;
        TRY(leave_out(reader, customer, "bulk_buyer", bought, error));
    }
out:
    return status;
}

static Status leave_out_bots(InteractionsReader *reader, Error *error)
{
    Status status = STATUS_OK;
    int64_t most = reader->options->most_events_a_day;
    for (int32_t c = 0; most > 0 && c < reader->history.ids.rows; c++) {
        if (reader->most_events[c] <= most)
            continue;
        reader->counts->bots++;
        TRY(leave_out(reader, c, "bot", reader->most_events[c], error));
    }
out:
    return status;
}

/* The pairs of places [begin, end), of one customer, behind the others; *n counts all. */
static void add_pairs(InteractionsReader *reader, int64_t begin, int64_t end, SparseRows *rows,
                      int64_t *n)
{
    InteractionCounts *counts = reader->counts;
    for (int64_t i = begin; i < end;) {
        PairSum sum = add_up(reader, i);
        bool is_gone = (sum.is_bought || sum.is_returned) && sum.units <= 0;
        counts->returned_pairs += is_gone && reader->options->returns_take_away && sum.is_bought;
        if (!is_gone && sum.amount > 0) {
            rows->columns[*n] = (int32_t)(uint32_t)evidence_at(reader, i)->pair;
            rows->values[(*n)++] = (float)((double)sum.amount / (double)ONE);
            counts->orders += sum.counts[0];
            counts->carts += sum.counts[-FROM_CART];
            counts->views += sum.counts[-FROM_VIEW];
            counts->reviews += sum.counts[-FROM_REVIEW];
            counts->given += sum.counts[-FROM_PAIR];
        }
        i = sum.end;
    }
}

static int64_t count_pairs(const InteractionsReader *reader)
{
    int64_t n = 0;
    for (int64_t i = 0; i < reader->n; i++)
        n += i == 0 || evidence_at(reader, i)->pair != evidence_at(reader, i - 1)->pair;
    return n;
}

static Status make_rows(InteractionsReader *reader, SparseRows *rows, Error *error)
{
    Status status = STATUS_OK;
    int64_t n = 0, most = count_pairs(reader);
    int32_t row = 0;
    rows->n_rows = (int32_t)reader->history.ids.rows;
    TRY(mem_resize(&rows->starts, (int64_t)rows->n_rows + 1, sizeof *rows->starts, "users", error));
    TRY(mem_resize(&rows->columns, most, sizeof *rows->columns, "pairs", error));
    TRY(mem_resize(&rows->values, most, sizeof *rows->values, "pairs", error));
    for (int64_t begin = 0, end; begin < reader->n; begin = end) {
        bool is_out;
        int32_t customer = customer_at(reader, begin);
        for (end = begin; end < reader->n && customer_at(reader, end) == customer;)
            end++;
        while (row <= customer)
            rows->starts[row++] = n;
        TRY(judge(reader, begin, end, &is_out, error));
        if (!is_out)
            add_pairs(reader, begin, end, rows, &n);
    }
    while (row <= rows->n_rows)
        rows->starts[row++] = n;
    TRY(mem_resize(&rows->columns, n, sizeof *rows->columns, "pairs", error));
    TRY(mem_resize(&rows->values, n, sizeof *rows->values, "pairs", error));
out:
    return status;
}

Status interactions_read_partition(InteractionsReader *reader, int32_t partition, SparseRows *rows,
                                   Error *error)
{
    Status status = STATUS_OK;
    reader->n = 0;
    TRY(history_take(&reader->history, partition, error));
    TRY(add_orders(reader, error));
    TRY(add_events(reader, error));
    TRY(add_reviews(reader, error));
    TRY(add_given(reader, error));
    TRY(sort_evidence(reader, error));
    TRY(leave_out_bots(reader, error));
    TRY(make_rows(reader, rows, error));
out:
    return status;
}
