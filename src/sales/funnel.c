/* The funnel by day; see funnel.h. Carts are in carts.c.
 *
 * A customer is in one partition alone, so what is counted once for each customer and day is
 * counted here, exactly, and the ranks only add up. The customer's steps of a day are bits in that
 * day's cell, valid if the cell bears the customer's stamp: neither events nor lines need to be
 * sorted by day, which a clock change can turn back. Cells are found by a hash of the day, so that
 * an odd date far away costs one cell. */
#include "sales/funnel.h"

#include "base/fault.h"
#include "base/memory.h"
#include "sales/carts.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { EVENT_VIEW, EVENT_CART_ADD, EVENT_CART_REMOVE, EVENT_CHECKOUT, EVENT_KINDS };

/* What a customer did on a day: 1 << the event's kind, and: */
enum {
    STEP_VIEW = 1 << EVENT_VIEW,
    STEP_ADD = 1 << EVENT_CART_ADD,
    STEP_CHECKOUT = 1 << EVENT_CHECKOUT,
    STEP_ORDER = 1 << EVENT_KINDS
};

/* Counts of a day: the table's columns, then the customers who did both. */
typedef enum FunnelCount {
    COUNT_EVENTS, /* a count for each kind */
    COUNT_VIEWING = COUNT_EVENTS + EVENT_KINDS,
    COUNT_ADDING,
    COUNT_CHECKOUT,
    COUNT_BUYING,
    COUNT_ORDERS,
    COUNT_COLUMNS,
    COUNT_VIEWED_AND_ADDED = COUNT_COLUMNS,
    COUNT_ADDED_AND_CHECKED_OUT,
    COUNT_VIEWED_AND_ORDERED,
    FUNNEL_COUNTS
} FunnelCount;

typedef struct DayCounts {
    int64_t day;
    int64_t counts[FUNNEL_COUNTS];
} DayCounts;

/* The customer and the order that came last to a day. */
typedef struct DayStamps {
    uint64_t customer;
    uint64_t order;
    uint32_t steps; /* of that customer */
} DayStamps;

struct Funnel {
    Carts carts;
    int32_t n_days, capacity;
    DayCounts *days;    /* [n_days] in order of appearance */
    DayStamps *stamps;  /* [n_days] */
    int32_t *touched;   /* [n_days] days of the customer at hand, */
    int32_t n_touched;  /* so many */
    int32_t *table;     /* [table_size] number of a day by its hash, -1; open addressing */
    int64_t table_size; /* a power of two, at least twice n_days */
    int32_t last;       /* number of the day looked up last */
    int32_t last_event_day;
    uint64_t customer_stamp; /* customers so far */
    uint64_t order_stamp;    /* orders so far */
};

uint32_t funnel_needs(void)
{
    return LINES_CUSTOMER | LINES_ORDER | LINES_DAY | LINES_PRODUCT | LINES_QUANTITY |
           LINES_CANCELLED;
}

void funnel_free(Funnel **funnel)
{
    if (*funnel) {
        carts_free(&(*funnel)->carts);
        mem_free(&(*funnel)->days);
        mem_free(&(*funnel)->stamps);
        mem_free(&(*funnel)->touched);
        mem_free(&(*funnel)->table);
    }
    mem_free(funnel);
}

Status funnel_new(const Shop *shop, int64_t cart_days, Funnel **funnel, Error *error)
{
    *funnel = mem_new(1, sizeof **funnel);
    (*funnel)->last_event_day = DAY_NONE;
    Status status = carts_init(&(*funnel)->carts, shop, cart_days, error);
    if (status != STATUS_OK)
        funnel_free(funnel);
    return status;
}

/* ---- days ---- */

enum { DAYS_AT_FIRST = 64 };

/* Multiplicative hashing by the golden ratio (Knuth, TAOCP 3, 6.4). */
static uint64_t hash_day(int64_t day)
{
    return (uint64_t)day * UINT64_C(0x9E3779B97F4A7C15) >> 32;
}

static int64_t find_place(const Funnel *funnel, int64_t day)
{
    uint64_t mask = (uint64_t)funnel->table_size - 1;
    uint64_t place = hash_day(day) & mask;
    while (funnel->table[place] >= 0 && funnel->days[funnel->table[place]].day != day)
        place = (place + 1) & mask;
    return (int64_t)place;
}

static Status grow_days(Funnel *funnel, Error *error)
{
    static const char what[] = "days of the funnel";
    Status status = STATUS_OK;
    int32_t capacity = funnel->capacity == 0 ? DAYS_AT_FIRST : funnel->capacity * 2;
    int64_t size = (int64_t)capacity * 2;
    TRY(mem_resize(&funnel->days, capacity, sizeof *funnel->days, what, error));
    TRY(mem_resize(&funnel->stamps, capacity, sizeof *funnel->stamps, what, error));
    TRY(mem_resize(&funnel->touched, capacity, sizeof *funnel->touched, what, error));
    TRY(mem_resize(&funnel->table, size, sizeof *funnel->table, what, error));
    funnel->capacity = capacity;
    funnel->table_size = size;
    memset(funnel->table, 0xff, (size_t)size * sizeof *funnel->table);
    for (int32_t i = 0; i < funnel->n_days; i++)
        funnel->table[find_place(funnel, funnel->days[i].day)] = i;
out:
    return status;
}

/* *number := that of the day, which is new if it did not occur. */
static Status find_day(Funnel *funnel, int64_t day, int32_t *number, Error *error)
{
    Status status = STATUS_OK;
    *number = funnel->last;
    if (funnel->n_days > 0 && funnel->days[funnel->last].day == day)
        return STATUS_OK;
    if (funnel->n_days == funnel->capacity)
        TRY(grow_days(funnel, error));
    int32_t *place = &funnel->table[find_place(funnel, day)];
    if (*place < 0) {
        *place = funnel->n_days++;
        funnel->days[*place] = (DayCounts){.day = day};
        funnel->stamps[*place] = (DayStamps){0};
    }
    *number = funnel->last = *place;
out:
    return status;
}

/* ---- one partition ---- */

static Status bad_event(int32_t partition, const char *what, int64_t value, Error *error)
{
    return error_set(error, STATUS_IO, __FILE__, __LINE__,
                     "store is damaged: events of partition %" PRId32 " hold %s %" PRId64
                     ", which there is not; run vesper verify",
                     partition, what, value);
}

static Status check_events(const Events *events, int32_t partition, int32_t n_products,
                           Error *error)
{
    for (int64_t i = 0; i < events->n; i++) {
        if (events->customer[i] < 0)
            return bad_event(partition, "customer code", events->customer[i], error);
        if (events->kind[i] < 0 || events->kind[i] >= EVENT_KINDS)
            return bad_event(partition, "kind", events->kind[i], error);
        if (events->product && (events->product[i] < -1 || events->product[i] >= n_products))
            return bad_event(partition, "product code", events->product[i], error);
    }
    return STATUS_OK;
}

static bool are_sorted(const Events *events)
{
    for (int64_t i = 1; i < events->n; i++) {
        if (events->customer[i - 1] > events->customer[i] ||
            (events->customer[i - 1] == events->customer[i] &&
             events->ts_us[i - 1] > events->ts_us[i]))
            return false;
    }
    return true;
}

/* *order (mem_free) := rows by customer, time, row; NULL if they are so already, as those of one
 * batch are. */
static Status sort_events(const Events *events, int64_t **order, Error *error)
{
    Status status = STATUS_OK;
    int64_t n = events->n;
    uint64_t *keys = NULL;
    int64_t *by_time = NULL;
    if (are_sorted(events))
        return STATUS_OK;
    TRY(mem_resize(&keys, n, sizeof *keys, "events of a partition", error));
    TRY(mem_resize(&by_time, n, sizeof *by_time, "events of a partition", error));
    TRY(mem_resize(order, n, sizeof **order, "events of a partition", error));
    for (int64_t i = 0; i < n; i++)
        keys[i] = (uint64_t)events->ts_us[i] ^ (uint64_t)1 << 63;
    TRY(sort_order_u64(keys, n, by_time, error));
    for (int64_t i = 0; i < n; i++)
        keys[i] = (uint64_t)events->customer[by_time[i]];
    TRY(sort_order_u64(keys, n, *order, error));
    for (int64_t i = 0; i < n; i++)
        (*order)[i] = by_time[(*order)[i]];
out:
    mem_free(&keys);
    mem_free(&by_time);
    return status;
}

/* The customer at hand did `step` on a day. */
static inline void mark_step(Funnel *funnel, int32_t day, uint32_t step)
{
    DayStamps *stamps = &funnel->stamps[day];
    if (stamps->customer != funnel->customer_stamp) {
        stamps->customer = funnel->customer_stamp;
        stamps->steps = 0;
        funnel->touched[funnel->n_touched++] = day;
    }
    stamps->steps |= step;
}

static inline Status add_event(Funnel *funnel, const Events *events, int64_t row, Error *error)
{
    Status status = STATUS_OK;
    int32_t day = events->day[row], product = events->product ? events->product[row] : -1, number;
    int8_t kind = events->kind[row];
    TRY(find_day(funnel, day, &number, error));
    funnel->days[number].counts[COUNT_EVENTS + kind]++;
    mark_step(funnel, number, (uint32_t)1 << kind);
    if (kind == EVENT_CHECKOUT)
        carts_check_out(&funnel->carts);
    else if (kind == EVENT_CART_ADD && product >= 0)
        carts_add_product(&funnel->carts, product, day);
    else if (kind == EVENT_CART_REMOVE && product >= 0)
        carts_remove_product(&funnel->carts, product, day);
    if (day > funnel->last_event_day)
        funnel->last_event_day = day;
out:
    return status;
}

static inline Status add_line(Funnel *funnel, const OrderLines *lines, int64_t line, Error *error)
{
    Status status = STATUS_OK;
    int32_t number;
    bool is_kept = order_line_is_kept(lines, line);
    if (!is_kept)
        return STATUS_OK;
    TRY(find_day(funnel, lines->day[line], &number, error));
    mark_step(funnel, number, STEP_ORDER);
    if (funnel->stamps[number].order != funnel->order_stamp) {
        funnel->stamps[number].order = funnel->order_stamp;
        funnel->days[number].counts[COUNT_ORDERS]++;
    }
    carts_sell(&funnel->carts, lines->product[line], lines->day[line]);
out:
    return status;
}

static void count_steps(Funnel *funnel)
{
    static const struct {
        FunnelCount count;
        uint32_t steps;
    } counted[] = {
        {COUNT_VIEWING, STEP_VIEW},
        {COUNT_ADDING, STEP_ADD},
        {COUNT_CHECKOUT, STEP_CHECKOUT},
        {COUNT_BUYING, STEP_ORDER},
        {COUNT_VIEWED_AND_ADDED, STEP_VIEW | STEP_ADD},
        {COUNT_ADDED_AND_CHECKED_OUT, STEP_ADD | STEP_CHECKOUT},
        {COUNT_VIEWED_AND_ORDERED, STEP_VIEW | STEP_ORDER},
    };
    for (int32_t i = 0; i < funnel->n_touched; i++) {
        uint32_t steps = funnel->stamps[funnel->touched[i]].steps;
        int64_t *counts = funnel->days[funnel->touched[i]].counts;
        for (size_t c = 0; c < sizeof counted / sizeof *counted; c++)
            counts[counted[c].count] += (steps & counted[c].steps) == counted[c].steps;
    }
    funnel->n_touched = 0;
}

/* Both ascend by customer; lines without one are last and left alone. */
static Status add_customers(Funnel *funnel, const Events *events, const int64_t *order,
                            const OrderLines *lines, Error *error)
{
    Status status = STATUS_OK;
    int64_t event = 0, line = 0;
    for (;;) {
        int64_t row = event < events->n ? (order ? order[event] : event) : -1;
        uint32_t of_event = row >= 0 ? (uint32_t)events->customer[row] : UINT32_MAX;
        uint32_t of_line = line < lines->n ? (uint32_t)lines->customer[line] : UINT32_MAX;
        uint32_t customer = of_event < of_line ? of_event : of_line;
        if (customer == UINT32_MAX)
            break;
        funnel->customer_stamp++;
        for (; event < events->n; event++) {
            row = order ? order[event] : event;
            if ((uint32_t)events->customer[row] != customer)
                break;
            TRY(add_event(funnel, events, row, error));
        }
        for (; line < lines->n; line++) {
            if ((uint32_t)lines->customer[line] != customer)
                break;
            funnel->order_stamp += line == 0 || lines->order[line] != lines->order[line - 1];
            TRY(add_line(funnel, lines, line, error));
        }
        count_steps(funnel);
        TRY(carts_close(&funnel->carts, lines->partition, (int32_t)customer, error));
    }
out:
    return status;
}

Status funnel_add(Funnel *funnel, const Events *events, const OrderLines *lines, Error *error)
{
    Status status = STATUS_OK;
    int64_t *order = NULL;
    TRY(check_events(events, lines->partition, funnel->carts.shop->product.count, error));
    TRY(sort_events(events, &order, error));
    TRY(add_customers(funnel, events, order, lines, error));
out:
    mem_free(&order);
    return status;
}

Status funnel_merge(Funnel *into, Funnel **from, Error *error)
{
    Status status = STATUS_OK;
    for (int32_t i = 0; i < (*from)->n_days; i++) {
        int32_t number;
        const DayCounts *day = &(*from)->days[i];
        TRY(find_day(into, day->day, &number, error));
        for (int c = 0; c < FUNNEL_COUNTS; c++)
            into->days[number].counts[c] += day->counts[c];
    }
    if ((*from)->last_event_day > into->last_event_day)
        into->last_event_day = (*from)->last_event_day;
    TRY(carts_merge(&into->carts, &(*from)->carts, error));
    funnel_free(from);
out:
    return status;
}

/* ---- funnel_daily ---- */

static bool has_event(const DayCounts *day)
{
    int64_t events = 0;
    for (int kind = 0; kind < EVENT_KINDS; kind++)
        events += day->counts[COUNT_EVENTS + kind];
    return events > 0;
}

/* days [n] := by day, the counts of equal days added up; *n of them are left. */
static Status add_up_days(DayCounts **days, int64_t *n, Error *error)
{
    Status status = STATUS_OK;
    uint64_t *keys = NULL;
    int64_t *order = NULL, n_sums = 0;
    DayCounts *sums = NULL;
    TRY(mem_resize(&keys, *n, sizeof *keys, "days of the funnel", error));
    TRY(mem_resize(&order, *n, sizeof *order, "days of the funnel", error));
    TRY(mem_resize(&sums, *n, sizeof *sums, "days of the funnel", error));
    for (int64_t i = 0; i < *n; i++)
        keys[i] = (uint64_t)((*days)[i].day - INT32_MIN);
    TRY(sort_order_u64(keys, *n, order, error));
    for (int64_t i = 0; i < *n; i++) {
        const DayCounts *day = &(*days)[order[i]];
        if (n_sums == 0 || sums[n_sums - 1].day != day->day)
            sums[n_sums++] = (DayCounts){.day = day->day};
        for (int c = 0; c < FUNNEL_COUNTS; c++)
            sums[n_sums - 1].counts[c] += day->counts[c];
    }
    mem_free(days);
    *days = sums;
    *n = n_sums;
    sums = NULL;
out:
    mem_free(&keys);
    mem_free(&order);
    mem_free(&sums);
    return status;
}

/* *days [*n] := this rank's days, ordered by the rank that adds them up: counts [size] for each. */
static Status deal_days(const Funnel *funnel, int size, DayCounts **days, int64_t *counts,
                        Error *error)
{
    Status status = STATUS_OK;
    int64_t n = funnel->n_days;
    int32_t *owner = NULL;
    int64_t *order = NULL, *starts = NULL;
    TRY(fault_point("sales.funnel", error));
    TRY(mem_resize(&owner, n, sizeof *owner, "days of the funnel", error));
    TRY(mem_resize(&order, n, sizeof *order, "days of the funnel", error));
    TRY(mem_resize(&starts, (int64_t)size + 1, sizeof *starts, "days of the funnel", error));
    TRY(mem_resize(days, n, sizeof **days, "days of the funnel", error));
    for (int64_t i = 0; i < n; i++)
        owner[i] = (int32_t)(hash_day(funnel->days[i].day) % (uint64_t)size);
    TRY(sort_order_by_group(owner, n, size, order, starts, error));
    for (int64_t i = 0; i < n; i++)
        (*days)[i] = funnel->days[order[i]];
    for (int rank = 0; rank < size; rank++)
        counts[rank] = starts[rank + 1] - starts[rank];
out:
    mem_free(&owner);
    mem_free(&order);
    mem_free(&starts);
    return status;
}

/* *received (mem_free) := what the ranks send; *n of them. Frees *days. Collective. */
static Status exchange_days(Comm *comm, DayCounts **days, const int64_t *counts,
                            DayCounts **received, int64_t *n, Error *error)
{
    int64_t *got = mem_new(comm_size(comm), sizeof *got);
    Status status = comm_exchange(comm, *days, counts, sizeof **days, (void *)received, got, error);
    *n = 0;
    for (int rank = 0; status == STATUS_OK && rank < comm_size(comm); rank++)
        *n += got[rank];
    mem_free(days);
    mem_free(&got);
    return status;
}

/* The days with an event on rank 0, in any order. Each day is added up on one rank first, so that
 * rank 0 gets it once, however many ranks there are. Collective. */
static Status collect_days(Comm *comm, const Funnel *funnel, DayCounts **days, int64_t *n,
                           Error *error)
{
    Status status = STATUS_OK;
    DayCounts *own = NULL, *dealt = NULL;
    int64_t n_dealt, n_kept = 0;
    int64_t *counts = mem_new(comm_size(comm), sizeof *counts);
    TRY_ALL(comm, deal_days(funnel, comm_size(comm), &own, counts, error), error);
    TRY(exchange_days(comm, &own, counts, &dealt, &n_dealt, error));
    TRY_ALL(comm, add_up_days(&dealt, &n_dealt, error), error);
    for (int64_t i = 0; i < n_dealt; i++) {
        if (has_event(&dealt[i]))
            dealt[n_kept++] = dealt[i];
    }
    memset(counts, 0, (size_t)comm_size(comm) * sizeof *counts);
    counts[0] = n_kept;
    TRY(exchange_days(comm, &dealt, counts, days, n, error));
    TRY_ALL(comm, add_up_days(days, n, error), error);
out:
    mem_free(&own);
    mem_free(&dealt);
    mem_free(&counts);
    return status;
}

static double share(int64_t both, int64_t first)
{
    return first > 0 ? (double)both / (double)first : NAN;
}

static Status write_days(const DayCounts *days, int64_t n, Table *rows, Error *error)
{
    Status status = STATUS_OK;
    TRY(table_set_rows(rows, n, error));
    for (int64_t row = 0; row < n; row++) {
        const int64_t *counts = days[row].counts;
        Column *column = rows->columns;
        ((int32_t *)column++->data)[row] = (int32_t)days[row].day;
        for (int c = 0; c < COUNT_COLUMNS; c++)
            ((int64_t *)column++->data)[row] = counts[c];
        ((double *)column++->data)[row] =
            share(counts[COUNT_VIEWED_AND_ADDED], counts[COUNT_VIEWING]);
        ((double *)column++->data)[row] =
            share(counts[COUNT_ADDED_AND_CHECKED_OUT], counts[COUNT_ADDING]);
        ((double *)column->data)[row] =
            share(counts[COUNT_VIEWED_AND_ORDERED], counts[COUNT_VIEWING]);
    }
out:
    return status;
}

Status funnel_daily_rows(Comm *comm, const Funnel *funnel, Table *rows, Error *error)
{
    static const ColumnSpec columns[] = {{"day", COLUMN_I32, UNIT_DAY},
                                         {"views", COLUMN_I64, UNIT_COUNT},
                                         {"cart_adds", COLUMN_I64, UNIT_COUNT},
                                         {"cart_removes", COLUMN_I64, UNIT_COUNT},
                                         {"checkouts", COLUMN_I64, UNIT_COUNT},
                                         {"viewing_customers", COLUMN_I64, UNIT_COUNT},
                                         {"adding_customers", COLUMN_I64, UNIT_COUNT},
                                         {"checkout_customers", COLUMN_I64, UNIT_COUNT},
                                         {"buying_customers", COLUMN_I64, UNIT_COUNT},
                                         {"orders", COLUMN_I64, UNIT_COUNT},
                                         {"view_to_cart", COLUMN_F64, UNIT_NONE},
                                         {"cart_to_checkout", COLUMN_F64, UNIT_NONE},
                                         {"view_to_order", COLUMN_F64, UNIT_NONE}};
    Status status = STATUS_OK;
    DayCounts *days = NULL;
    int64_t n = 0;
    table_init(rows, columns, sizeof columns / sizeof *columns);
    TRY(collect_days(comm, funnel, &days, &n, error));
    TRY_ALL(comm, write_days(days, n, rows, error), error);
out:
    mem_free(&days);
    return status;
}

/* ---- cart_abandoned ---- */

Status funnel_carts_rows(Comm *comm, Store *store, const Shop *shop, Funnel *funnel, Table *rows,
                         Error *error)
{
    int64_t as_of = shop->as_of;
    if (as_of == DAY_NONE) {
        as_of = funnel->last_event_day;
        comm_max_i64(comm, &as_of, 1);
    }
    return carts_rows(comm, store, &funnel->carts, (int32_t)as_of, rows, error);
}
