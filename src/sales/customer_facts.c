/* What each known customer bought; see customer_facts.h. */
#include "sales/customer_facts.h"

#include "base/memory.h"
#include "table/sort.h"

#include <string.h>

uint32_t customer_facts_needs(void)
{
    return LINES_CUSTOMER | LINES_ORDER | LINES_DAY | LINES_QUANTITY | LINES_PRICE |
           LINES_CANCELLED;
}

void customer_facts_free(CustomerFacts *facts)
{
    mem_free(&facts->partition);
    mem_free(&facts->code);
    mem_free(&facts->first_day);
    mem_free(&facts->last_day);
    mem_free(&facts->purchases);
    mem_free(&facts->orders);
    mem_free(&facts->net);
    mem_free(&facts->kept_value);
    mem_free(&facts->first_value);
    *facts = (CustomerFacts){0};
}

static Status resize(CustomerFacts *facts, int64_t rows, Error *error)
{
    static const char what[] = "facts of customers";
    Status status = STATUS_OK;
    TRY(mem_resize(&facts->partition, rows, sizeof *facts->partition, what, error));
    TRY(mem_resize(&facts->code, rows, sizeof *facts->code, what, error));
    TRY(mem_resize(&facts->first_day, rows, sizeof *facts->first_day, what, error));
    TRY(mem_resize(&facts->last_day, rows, sizeof *facts->last_day, what, error));
    TRY(mem_resize(&facts->purchases, rows, sizeof *facts->purchases, what, error));
    TRY(mem_resize(&facts->orders, rows, sizeof *facts->orders, what, error));
    TRY(mem_resize(&facts->net, rows, sizeof *facts->net, what, error));
    TRY(mem_resize(&facts->kept_value, rows, sizeof *facts->kept_value, what, error));
    TRY(mem_resize(&facts->first_value, rows, sizeof *facts->first_value, what, error));
    facts->capacity = rows;
out:
    return status;
}

/* Room for `more` rows, growing by half. */
static Status reserve(CustomerFacts *facts, int64_t more, Error *error)
{
    int64_t wanted = facts->n + more;
    if (wanted <= facts->capacity)
        return STATUS_OK;
    int64_t half_more = facts->capacity + facts->capacity / 2;
    return resize(facts, wanted > half_more ? wanted : half_more, error);
}

/* ---- one partition ---- */

static int64_t count_customers(const OrderLines *lines)
{
    int64_t n = lines->n > 0 && lines->customer[0] >= 0;
    for (int64_t i = 1; i < lines->n; i++)
        n += lines->customer[i] != lines->customer[i - 1] && lines->customer[i] >= 0;
    return n;
}

static int64_t value_of(const OrderLines *lines, int64_t i)
{
    return (int64_t)lines->quantity[i] * lines->price[i];
}

/* The first day and its value, if days ascend: the lines up to the second day. */
static void set_first(CustomerFacts *facts, const OrderLines *lines, int64_t begin, int64_t end,
                      int64_t row)
{
    int32_t first_day = DAY_NONE;
    int64_t first_value = 0;
    for (int64_t i = begin; i < end; i++) {
        if (!order_line_is_kept(lines, i))
            continue;
        first_day = first_day == DAY_NONE ? lines->day[i] : first_day;
        if (lines->day[i] != first_day)
            break;
        first_value += value_of(lines, i);
    }
    facts->first_day[row] = first_day;
    facts->first_value[row] = first_value;
}

/* The facts of one customer, whose lines begin at `begin`, into the next row; returns where they
 * end. Lines of cancelled orders that are above zero are sold and returned at once. *in_order is
 * false if the days of the kept sales do not ascend: then what goes by day is to be mended. */
static int64_t add_customer(CustomerFacts *facts, const OrderLines *lines, int64_t begin,
                            bool *in_order)
{
    int32_t customer = lines->customer[begin];
    int32_t last_day = DAY_NONE, purchases = 0, order = -1;
    int64_t orders = 0, net = 0, kept_value = 0;
    bool descends = false;
    int64_t i = begin;
    for (; i < lines->n && lines->customer[i] == customer; i++) {
        int64_t value = value_of(lines, i);
        bool sold = lines->quantity[i] > 0, cancelled = lines->cancelled[i] != 0;
        bool kept = sold & !cancelled;
        int32_t day = kept ? lines->day[i] : last_day;
        int32_t its_order = kept ? lines->order[i] : order;
        net += (sold & cancelled) ? 0 : value;
        kept_value += kept ? value : 0;
        orders += its_order != order;
        order = its_order;
        if (day < last_day) /* rare: cheaper as a jump */
            descends = true;
        purchases += day != last_day;
        last_day = day;
    }
    int64_t row = facts->n++;
    facts->partition[row] = lines->partition;
    facts->code[row] = customer;
    facts->last_day[row] = last_day;
    facts->purchases[row] = purchases;
    facts->orders[row] = orders;
    facts->net[row] = net;
    facts->kept_value[row] = kept_value;
    set_first(facts, lines, begin, i, row);
    *in_order = !descends;
    return i;
}

/* Room to sort the days of one customer. */
typedef struct DayList {
    int64_t *days;
    int64_t capacity;
} DayList;

/* What goes by day of the last row, whose lines [begin, end) are not in the order of days: an
 * order's lines may be of several days. */
static Status mend_days(CustomerFacts *facts, const OrderLines *lines, int64_t begin, int64_t end,
                        DayList *list, Error *error)
{
    Status status = STATUS_OK;
    if (end - begin > list->capacity) {
        TRY(mem_resize(&list->days, end - begin, sizeof *list->days, "days of a customer", error));
        list->capacity = end - begin;
    }
    int64_t *days = list->days;
    int64_t n = 0;
    for (int64_t i = begin; i < end; i++)
        if (order_line_is_kept(lines, i))
            days[n++] = lines->day[i];
    TRY(sort_i64(days, n, error));
    vesper_assert(days && n > 0);
    int32_t purchases = 1;
    for (int64_t i = 1; i < n; i++)
        purchases += days[i] != days[i - 1];
    int64_t first_value = 0;
    for (int64_t i = begin; i < end; i++)
        if (order_line_is_kept(lines, i) && lines->day[i] == days[0])
            first_value += value_of(lines, i);
    int64_t row = facts->n - 1;
    facts->first_day[row] = (int32_t)days[0];
    facts->last_day[row] = (int32_t)days[n - 1];
    facts->purchases[row] = purchases;
    facts->first_value[row] = first_value;
out:
    return status;
}

Status customer_facts_add(CustomerFacts *facts, const OrderLines *lines, Error *error)
{
    Status status = STATUS_OK;
    DayList list = {0};
    TRY(reserve(facts, count_customers(lines), error));
    for (int64_t begin = 0, end; begin < lines->n && lines->customer[begin] >= 0; begin = end) {
        bool in_order;
        end = add_customer(facts, lines, begin, &in_order);
        if (!in_order)
            TRY(mend_days(facts, lines, begin, end, &list, error));
    }
out:
    mem_free(&list.days);
    return status;
}

/* ---- all of a rank ---- */

/* `from` [n] behind the first n_into elements of `into`. */
static void append(void *into, int64_t n_into, void *from, int64_t n, size_t width)
{
    memcpy((char *)into + (size_t)n_into * width, from, (size_t)n * width);
}

Status customer_facts_merge(CustomerFacts *into, CustomerFacts *from, Error *error)
{
    Status status = STATUS_OK;
    int64_t at = into->n, n = from->n;
    if (into->n == 0) {
        customer_facts_free(into);
        *into = *from;
        *from = (CustomerFacts){0};
        return STATUS_OK;
    }
    if (n > 0) {
        TRY(reserve(into, n, error));
        append(into->partition, at, from->partition, n, sizeof *into->partition);
        append(into->code, at, from->code, n, sizeof *into->code);
        append(into->first_day, at, from->first_day, n, sizeof *into->first_day);
        append(into->last_day, at, from->last_day, n, sizeof *into->last_day);
        append(into->purchases, at, from->purchases, n, sizeof *into->purchases);
        append(into->orders, at, from->orders, n, sizeof *into->orders);
        append(into->net, at, from->net, n, sizeof *into->net);
        append(into->kept_value, at, from->kept_value, n, sizeof *into->kept_value);
        append(into->first_value, at, from->first_value, n, sizeof *into->first_value);
        into->n += n;
    }
    customer_facts_free(from);
out:
    return status;
}

/* The partitions of the facts as they stand, in the order in which they shall stand. */
typedef struct Runs {
    int64_t n;
    int64_t *begins;     /* [n + 1] first row of each, as they stand */
    uint64_t *partition; /* [n] */
    int64_t *order;      /* [n] */
    char *room;          /* for one column */
} Runs;

static void runs_free(Runs *runs)
{
    mem_free(&runs->begins);
    mem_free(&runs->partition);
    mem_free(&runs->order);
    mem_free(&runs->room);
}

static Status find_runs(const CustomerFacts *facts, Runs *runs, Error *error)
{
    static const char what[] = "the order of the partitions";
    Status status = STATUS_OK;
    int64_t n = 0;
    for (int64_t i = 0; i < facts->n; i++)
        n += i == 0 || facts->partition[i] != facts->partition[i - 1];
    TRY(mem_resize(&runs->begins, n + 1, sizeof *runs->begins, what, error));
    TRY(mem_resize(&runs->partition, n, sizeof *runs->partition, what, error));
    TRY(mem_resize(&runs->order, n, sizeof *runs->order, what, error));
    for (int64_t i = 0; i < facts->n; i++) {
        if (i > 0 && facts->partition[i] == facts->partition[i - 1])
            continue;
        runs->begins[runs->n] = i;
        runs->partition[runs->n++] = (uint64_t)facts->partition[i];
    }
    runs->begins[n] = facts->n;
    TRY(sort_order_u64(runs->partition, n, runs->order, error));
out:
    return status;
}

static void sort_column(const Runs *runs, void *column, size_t width)
{
    char *to = runs->room;
    for (int64_t k = 0; k < runs->n; k++) {
        int64_t run = runs->order[k];
        size_t bytes = (size_t)(runs->begins[run + 1] - runs->begins[run]) * width;
        memcpy(to, (const char *)column + (size_t)runs->begins[run] * width, bytes);
        to += bytes;
    }
    memcpy(column, runs->room, (size_t)(to - runs->room));
}

static bool are_sorted(const Runs *runs)
{
    for (int64_t k = 0; k < runs->n; k++)
        if (runs->order[k] != k)
            return false;
    return true;
}

Status customer_facts_sort(CustomerFacts *facts, Error *error)
{
    Status status = STATUS_OK;
    Runs runs = {0};
    TRY(find_runs(facts, &runs, error));
    if (are_sorted(&runs))
        goto out;
    TRY(mem_resize(&runs.room, facts->n, sizeof(int64_t), "room to sort customers", error));
    sort_column(&runs, facts->partition, sizeof *facts->partition);
    sort_column(&runs, facts->code, sizeof *facts->code);
    sort_column(&runs, facts->first_day, sizeof *facts->first_day);
    sort_column(&runs, facts->last_day, sizeof *facts->last_day);
    sort_column(&runs, facts->purchases, sizeof *facts->purchases);
    sort_column(&runs, facts->orders, sizeof *facts->orders);
    sort_column(&runs, facts->net, sizeof *facts->net);
    sort_column(&runs, facts->kept_value, sizeof *facts->kept_value);
    sort_column(&runs, facts->first_value, sizeof *facts->first_value);
out:
    runs_free(&runs);
    return status;
}
