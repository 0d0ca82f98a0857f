/* The store as of a day: what store_see_until leaves of it.
 *
 * Rows of dated tables are left out after the day. Products and customers that only those name are
 * left out too, and the codes of the others close up: whoever reads meets the dictionaries that the
 * store would have if it had never heard of them. */
#include "store/internal.h"

#include "base/civil.h"
#include "base/fault.h"
#include "base/memory.h"

#include <inttypes.h>
#include <string.h>

/* Tables whose rows have a day, and where it stands. Holidays and promotions are plans: they are
 * known before their days. */
static const struct {
    const char *table, *day;
    bool is_history; /* of what happened in the shop */
} dated[] = {{STORE_ORDERS, "day", true},
             {"events", "day", true},
             {"reviews", "day", true},
             {"pairs", "day", true},
             {"customers", "joined_day", false}};
enum { N_DATED = sizeof dated / sizeof *dated };

/* Tables without days that name products. */
static const char *const undated[] = {"products", "promotions", "stockouts"};

#define PRODUCT "product"
#define CUSTOMER "customer"
#define PRODUCTS "dictionary_product"
#define CUSTOMERS "customer_ids"

/* From codes of the store to codes among those that are seen. */
typedef struct Codes {
    int32_t n, n_seen;
    int32_t *seen_as; /* [n] -1: not seen */
} Codes;

/* All rows up to the day that ever came in. */
typedef struct Seen {
    int64_t rows;
    int64_t first, last; /* days; INT64_MAX and INT64_MIN without rows */
} Seen;

struct StoreView {
    int32_t until;
    int32_t begin, end; /* this rank's partitions */
    Codes products;
    Codes *customers; /* [end - begin] */
    Seen seen[N_DATED];
    int64_t orders_in_force; /* rows */
};

static int find_dated(const char *table)
{
    for (int t = 0; t < N_DATED; t++) {
        if (strcmp(dated[t].table, table) == 0)
            return t;
    }
    return -1;
}

bool store_days(const Store *store, int32_t *first, int32_t *last)
{
    int64_t least = INT64_MAX, most = INT64_MIN;
    for (int t = 0; t < N_DATED; t++) {
        int64_t min, max;
        store_column_range(store, dated[t].table, dated[t].day, &min, &max);
        if (dated[t].is_history && min != DAY_NONE && min < least)
            least = min;
        most = max > most ? max : most;
    }
    if (least > most)
        return false;
    *first = (int32_t)least;
    *last = (int32_t)most;
    return true;
}

int32_t store_last_day(const Store *store, int64_t generation)
{
    int64_t last = DAY_NONE;
    for (int i = 0; i < store->n_segments; i++) {
        const StoreSegment *segment = &store->segments[i];
        int at = segment_layout_find(&segment->layout, "day");
        if (at < 0 || store_segment_number(store, segment) > generation ||
            strcmp(store_segment_table(store, segment)->name, STORE_ORDERS) != 0)
            continue;
        int64_t max = segment->layout.columns[at].max;
        last = max > last ? max : last;
    }
    return (int32_t)last;
}

/* ---- which products and customers are seen ---- */

static Status codes_init(Codes *codes, int64_t n, const char *what, Error *error)
{
    Status status = STATUS_OK;
    TRY(mem_resize(&codes->seen_as, n, sizeof *codes->seen_as, what, error));
    codes->n = (int32_t)n;
    for (int32_t code = 0; code < codes->n; code++)
        codes->seen_as[code] = -1;
out:
    return status;
}

static bool codes_mark(Codes *codes, int32_t code)
{
    if (code < 0 || code >= codes->n)
        return code == -1;
    codes->seen_as[code] = 0;
    return true;
}

static void codes_number(Codes *codes)
{
    codes->n_seen = 0;
    for (int32_t code = 0; code < codes->n; code++) {
        if (codes->seen_as[code] >= 0)
            codes->seen_as[code] = codes->n_seen++;
    }
}

void store_view_free(StoreView **view)
{
    StoreView *freed = *view;
    if (!freed)
        return;
    for (int32_t p = 0; freed->customers && p < freed->end - freed->begin; p++)
        mem_free(&freed->customers[p].seen_as);
    mem_free(&freed->customers);
    mem_free(&freed->products.seen_as);
    mem_free(view);
}

static Status view_init(StoreView *view, const Store *store, Error *error)
{
    Status status;
    int32_t n = view->end - view->begin;
    for (int t = 0; t < N_DATED; t++)
        view->seen[t] = (Seen){.first = INT64_MAX, .last = INT64_MIN};
    view->customers = mem_new(n, sizeof *view->customers);
    TRY(codes_init(&view->products, store_partition_rows(store, PRODUCTS, 0), "products", error));
    for (int32_t p = 0; p < n; p++)
        TRY(codes_init(&view->customers[p], store_partition_rows(store, CUSTOMERS, view->begin + p),
                       "customers", error));
out:
    return status;
}

static const int32_t *codes_of(const Table *rows, const char *name)
{
    const Column *column = table_find_const(rows, name);
    vesper_assert(!column || column->type == COLUMN_I32);
    return column ? column->data : NULL;
}

static Status bad_code(const char *table, int32_t partition, Error *error)
{
    return error_set(error, STATUS_IO, __FILE__, __LINE__,
                     "store is damaged: %s of partition %" PRId32
                     " name a product or customer that its dictionary does not have; run vesper "
                     "verify",
                     table, partition);
}

static Status mark_rows(StoreView *view, int t, int32_t partition, const Table *rows, Error *error)
{
    const int32_t *day = codes_of(rows, dated[t].day);
    const int32_t *product = codes_of(rows, PRODUCT), *customer = codes_of(rows, CUSTOMER);
    Seen *seen = &view->seen[t];
    Codes *customers = &view->customers[partition - view->begin];
    bool is_good = true;
    for (int64_t i = 0; i < rows->rows; i++) {
        int64_t at = day ? day[i] : DAY_NONE;
        if (at > view->until)
            continue;
        seen->rows++;
        seen->first = at < seen->first ? at : seen->first;
        seen->last = at > seen->last ? at : seen->last;
        is_good &= !product || codes_mark(&view->products, product[i]);
        is_good &= !customer || codes_mark(customers, customer[i]);
    }
    return is_good ? STATUS_OK : bad_code(dated[t].table, partition, error);
}

/* Of a table's day, product and customer, those that it has. */
static int wanted_columns(const Store *store, const char *table, const char *day,
                          const char *columns[3])
{
    const char *const names[] = {PRODUCT, CUSTOMER, day};
    int n = 0;
    for (int i = 0; i < 3; i++) {
        if (names[i] && store_has_column(store, table, names[i]))
            columns[n++] = names[i];
    }
    return n;
}

static Status mark_dated(StoreView *view, Store *store, int t, Table *rows, Error *error)
{
    Status status = STATUS_OK;
    const char *columns[3];
    int n = wanted_columns(store, dated[t].table, dated[t].day, columns);
    for (int32_t p = view->begin; n > 0 && p < view->end; p++) {
        TRY(store_read_batches(store, dated[t].table, p, columns, n, rows, error));
        TRY(mark_rows(view, t, p, rows, error));
    }
out:
    return status;
}

static Status mark_undated(StoreView *view, Store *store, const char *table, Table *rows,
                           Error *error)
{
    Status status = STATUS_OK;
    const char *columns[] = {PRODUCT};
    if (!store_has_column(store, table, PRODUCT))
        return STATUS_OK;
    TRY(store_read_batches(store, table, 0, columns, 1, rows, error));
    const int32_t *product = codes_of(rows, PRODUCT);
    for (int64_t i = 0; i < rows->rows; i++) {
        if (!codes_mark(&view->products, product[i]))
            TRY(bad_code(table, 0, error));
    }
out:
    return status;
}

/* Local; rank 0 reads the tables that have no partitions. */
static Status mark_own(StoreView *view, Store *store, bool is_root, Error *error)
{
    Status status;
    Table rows = {0};
    TRY(fault_point("store.as_of", error));
    TRY(view_init(view, store, error));
    for (int t = 0; t < N_DATED; t++)
        TRY(mark_dated(view, store, t, &rows, error));
    for (size_t t = 0; is_root && t < sizeof undated / sizeof *undated; t++)
        TRY(mark_undated(view, store, undated[t], &rows, error));
    for (int32_t p = 0; p < view->end - view->begin; p++)
        codes_number(&view->customers[p]);
out:
    table_free(&rows);
    return status;
}

/* A product is seen where any rank saw it. Collective. */
static Status share_products(Comm *comm, Codes *products, Error *error)
{
    Status status;
    int64_t *marks = NULL;
    TRY_ALL(comm, mem_resize(&marks, products->n, sizeof *marks, "products", error), error);
    for (int32_t code = 0; code < products->n; code++)
        marks[code] = products->seen_as[code];
    comm_max_i64(comm, marks, products->n);
    for (int32_t code = 0; code < products->n; code++)
        products->seen_as[code] = (int32_t)marks[code];
    codes_number(products);
out:
    mem_free(&marks);
    return status;
}

static void share_counts(Comm *comm, Seen *seen)
{
    int64_t rows[N_DATED], first[N_DATED], last[N_DATED];
    for (int t = 0; t < N_DATED; t++) {
        rows[t] = seen[t].rows;
        first[t] = seen[t].first;
        last[t] = seen[t].last;
    }
    comm_sum_i64(comm, rows, N_DATED);
    comm_min_i64(comm, first, N_DATED);
    comm_max_i64(comm, last, N_DATED);
    for (int t = 0; t < N_DATED; t++)
        seen[t] = (Seen){rows[t], first[t], last[t]};
}

/* Local. */
static Status count_in_force(const StoreView *view, Store *store, int64_t *n, Error *error)
{
    static const char *const columns[] = {"day"};
    Status status = STATUS_OK;
    Table rows = {0};
    *n = 0;
    for (int32_t p = view->begin; p < view->end; p++) {
        TRY(store_read_partition(store, STORE_ORDERS, p, columns, 1, &rows, error));
        *n += rows.rows;
    }
out:
    table_free(&rows);
    return status;
}

static Status make_view(Comm *comm, Store *store, StoreView *view, Error *error)
{
    Status status;
    bool has_replaced = store_rows(store, STORE_ORDER_REPLACED) > 0;
    store_owned(store, comm_rank(comm), comm_size(comm), &view->begin, &view->end);
    TRY_ALL(comm, mark_own(view, store, comm_rank(comm) == 0, error), error);
    TRY(share_products(comm, &view->products, error));
    share_counts(comm, view->seen);
    view->orders_in_force = view->seen[find_dated(STORE_ORDERS)].rows;
    store->view = view;
    if (has_replaced) {
        TRY_ALL(comm, count_in_force(view, store, &view->orders_in_force, error), error);
        comm_sum_i64(comm, &view->orders_in_force, 1);
    }
out:
    return status;
}

static Status refuse_day(int32_t day, int32_t first, Error *error)
{
    char asked[CIVIL_TEXT_SIZE], earliest[CIVIL_TEXT_SIZE];
    civil_format_day(day, asked);
    civil_format_day(first, earliest);
    return error_set(error, STATUS_USAGE, __FILE__, __LINE__,
                     "as of %s there is nothing to compute from: the store's first day is %s",
                     asked, earliest);
}

Status store_see_until(Comm *comm, Store *store, int32_t day, Error *error)
{
    Status status = STATUS_OK;
    int32_t first, last;
    StoreView *view = NULL;
    store_view_free(&store->view);
    if (day == DAY_NONE || !store_days(store, &first, &last) || day >= last)
        return STATUS_OK;
    if (day < first)
        return refuse_day(day, first, error);
    view = mem_new(1, sizeof *view);
    view->until = day;
    TRY(make_view(comm, store, view, error));
    view = NULL;
out:
    if (view)
        store->view = NULL;
    store_view_free(&view);
    return status;
}

int32_t store_seen_until(const Store *store)
{
    return store->view ? store->view->until : DAY_NONE;
}

/* ---- for those who read ---- */

const char *store_view_day(const StoreView *view, const char *table)
{
    int t = view ? find_dated(table) : -1;
    return t < 0 ? NULL : dated[t].day;
}

bool store_view_rows(const StoreView *view, const char *table, int64_t *rows)
{
    int t = view ? find_dated(table) : -1;
    if (t >= 0)
        *rows = strcmp(table, STORE_ORDERS) == 0 ? view->orders_in_force : view->seen[t].rows;
    return t >= 0;
}

void store_view_range(const StoreView *view, const char *table, const char *column, int64_t *min,
                      int64_t *max)
{
    int t = view ? find_dated(table) : -1;
    if (!view)
        return;
    if (t >= 0 && (view->seen[t].rows == 0 || strcmp(column, dated[t].day) == 0)) {
        *min = view->seen[t].first;
        *max = view->seen[t].last;
    } else if (strcmp(column, PRODUCT) == 0 && *max >= view->products.n_seen) {
        *max = view->products.n_seen - 1;
    }
}

static const Codes *customers_of(const StoreView *view, int32_t partition)
{
    vesper_assert(partition >= view->begin && partition < view->end);
    return &view->customers[partition - view->begin];
}

/* kept := the rows that are seen: of a dictionary by `codes`, else up to the day. */
static int64_t list_kept(const Table *rows, const Codes *codes, const int32_t *day, int32_t until,
                         int64_t *kept)
{
    int64_t n = 0;
    for (int64_t i = 0; i < rows->rows; i++) {
        kept[n] = i;
        n += codes ? codes->seen_as[i] >= 0 : day[i] <= until;
    }
    return n;
}

static Status keep_rows(Table *rows, const Codes *codes, const int32_t *day, int32_t until,
                        Error *error)
{
    Status status = STATUS_OK;
    int64_t *kept = NULL;
    TRY(mem_resize(&kept, rows->rows, sizeof *kept, "rows up to a day", error));
    int64_t n = list_kept(rows, codes, day, until, kept);
    if (n < rows->rows)
        TRY(table_gather(rows, kept, n, error));
out:
    mem_free(&kept);
    return status;
}

static void rename_codes(Table *rows, const char *name, const Codes *codes)
{
    Column *column = table_find(rows, name);
    int32_t *code = column ? column->data : NULL;
    for (int64_t i = 0; code && i < rows->rows; i++) {
        vesper_assert(code[i] < codes->n);
        code[i] = code[i] < 0 ? code[i] : codes->seen_as[code[i]];
    }
}

/* Orders that are left out leave gaps. */
static void number_orders(Table *rows)
{
    Column *column = table_find(rows, "order");
    int32_t *order = column ? column->data : NULL;
    int32_t last = -1, n = -1;
    for (int64_t i = 0; order && i < rows->rows; i++) {
        n += i == 0 || order[i] != last;
        last = order[i];
        order[i] = n;
    }
}

Status store_view_keep(const StoreView *view, const char *table, int32_t partition, Table *rows,
                       Error *error)
{
    Status status = STATUS_OK;
    const char *day = store_view_day(view, table);
    const Codes *dictionary = NULL;
    if (!view || rows->rows == 0)
        return STATUS_OK;
    if (strcmp(table, PRODUCTS) == 0)
        dictionary = &view->products;
    else if (strcmp(table, CUSTOMERS) == 0)
        dictionary = customers_of(view, partition);
    if (dictionary || (day && table_find(rows, day)))
        TRY(keep_rows(rows, dictionary, dictionary ? NULL : codes_of(rows, day), view->until,
                      error));
    rename_codes(rows, PRODUCT, &view->products);
    if (table_find(rows, CUSTOMER))
        rename_codes(rows, CUSTOMER, customers_of(view, partition));
    if (strcmp(table, STORE_ORDERS) == 0)
        number_orders(rows);
out:
    return status;
}
