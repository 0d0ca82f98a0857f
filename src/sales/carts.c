/* Carts that were left; see carts.h. */
#include "sales/carts.h"

#include "base/fault.h"
#include "base/memory.h"

#include <inttypes.h>
#include <string.h>

/* Product ids that a row names; more are shortened to " ...". */
enum { PRODUCT_IDS_MAX = 20 };

Status carts_init(Carts *carts, const Shop *shop, int64_t cart_days, Error *error)
{
    Status status = STATUS_OK;
    int32_t n = shop->product.count;
    *carts = (Carts){.shop = shop, .cart_days = cart_days, .last_day = DAY_NONE};
    TRY(mem_resize(&carts->place, n, sizeof *carts->place, "products of a cart", error));
    TRY(mem_resize(&carts->items, n, sizeof *carts->items, "products of a cart", error));
    memset(carts->place, 0xff, (size_t)n * sizeof *carts->place);
out:
    return status;
}

void carts_free(Carts *carts)
{
    mem_free(&carts->place);
    mem_free(&carts->items);
    mem_free(&carts->left);
    mem_free(&carts->products);
    *carts = (Carts){0};
}

/* ---- the cart at hand ---- */

void carts_add_product(Carts *carts, int32_t product, int32_t day)
{
    int32_t *place = &carts->place[product];
    if (*place < 0)
        *place = carts->n_items++;
    carts->items[*place] = (CartItem){.product = product, .day = day, .is_in = true};
    carts->last_day = day;
}

void carts_remove_product(Carts *carts, int32_t product, int32_t day)
{
    int32_t place = carts->place[product];
    if (place >= 0)
        carts->items[place].is_in = false;
    carts->last_day = day;
}

void carts_check_out(Carts *carts)
{
    for (int32_t i = 0; i < carts->n_items; i++)
        carts->place[carts->items[i].product] = -1;
    carts->n_items = 0;
}

/* Events after the night's day have age 0. */
static int64_t age_of(int32_t last_day, int32_t as_of)
{
    return last_day < as_of ? (int64_t)as_of - last_day : 0;
}

static bool is_recent(const Carts *carts, int32_t last_day, int32_t as_of)
{
    return age_of(last_day, as_of) < carts->cart_days;
}

static Status reserve(Carts *carts, int64_t more_carts, int64_t more_products, Error *error)
{
    Status status = STATUS_OK;
    int64_t n_left = carts->n_left + more_carts;
    int64_t n_products = carts->n_products + more_products;
    if (n_left > carts->left_capacity) {
        int64_t twice = carts->left_capacity * 2;
        int64_t capacity = n_left > twice ? n_left : twice;
        TRY(mem_resize(&carts->left, capacity, sizeof *carts->left, "abandoned carts", error));
        carts->left_capacity = capacity;
    }
    if (n_products > carts->products_capacity) {
        int64_t twice = carts->products_capacity * 2;
        int64_t capacity = n_products > twice ? n_products : twice;
        TRY(mem_resize(&carts->products, capacity, sizeof *carts->products, "abandoned carts",
                       error));
        carts->products_capacity = capacity;
    }
out:
    return status;
}

Status carts_close(Carts *carts, int32_t partition, int32_t customer, Error *error)
{
    Status status = STATUS_OK;
    int64_t begin = carts->n_products;
    int32_t as_of = carts->shop->as_of;
    if (carts->n_items == 0)
        return STATUS_OK;
    if (as_of == DAY_NONE || is_recent(carts, carts->last_day, as_of)) {
        TRY(reserve(carts, 1, carts->n_items, error));
        for (int32_t i = 0; i < carts->n_items; i++) {
            carts->products[carts->n_products] = carts->items[i].product;
            carts->n_products += carts->items[i].is_in;
        }
    }
    if (carts->n_products > begin)
        carts->left[carts->n_left++] =
            (LeftCart){.partition = partition,
                       .customer = customer,
                       .last_day = carts->last_day,
                       .n_products = (int32_t)(carts->n_products - begin),
                       .begin = begin};
    carts_check_out(carts);
out:
    return status;
}

Status carts_merge(Carts *into, Carts *from, Error *error)
{
    Status status = STATUS_OK;
    TRY(reserve(into, from->n_left, from->n_products, error));
    for (int64_t i = 0; i < from->n_left; i++) {
        LeftCart cart = from->left[i];
        cart.begin += into->n_products;
        into->left[into->n_left++] = cart;
    }
    for (int64_t i = 0; i < from->n_products; i++)
        into->products[into->n_products++] = from->products[i];
    carts_free(from);
out:
    return status;
}

/* ---- the table ---- */

/* What the rows are made with. */
typedef struct CartWriter {
    const Carts *carts;
    int32_t as_of;
    int64_t *places; /* [most products of a cart] */
    Buffer ids;
    Table *rows;
} CartWriter;

static Status write_products(CartWriter *writer, const LeftCart *cart, Error *error)
{
    Status status = STATUS_OK;
    const Names *names = &writer->carts->shop->product;
    for (int32_t i = 0; i < cart->n_products; i++)
        writer->places[i] = names->place[writer->carts->products[cart->begin + i]];
    TRY(sort_i64(writer->places, cart->n_products, error));
    buffer_clear(&writer->ids);
    for (int32_t i = 0; i < cart->n_products && i < PRODUCT_IDS_MAX; i++) {
        if (i > 0)
            buffer_append_string(&writer->ids, " ");
        buffer_append_bytes(&writer->ids, names_text(names, names->code[writer->places[i]]));
    }
    if (cart->n_products > PRODUCT_IDS_MAX)
        buffer_append_string(&writer->ids, " ...");
    TRY(table_set_last_text(writer->rows, table_column(writer->rows, "product_ids"),
                            buffer_view(&writer->ids), error));
out:
    return status;
}

/* Prices of a cart's products, those that are known; MONEY_NONE if none is. */
static Status add_prices(const Carts *carts, const LeftCart *cart, int64_t *value, Error *error)
{
    bool is_known = false, wrapped = false;
    *value = 0;
    for (int32_t i = 0; i < cart->n_products; i++) {
        int64_t price = carts->shop->catalogue.price[carts->products[cart->begin + i]];
        if (price == MONEY_NONE)
            continue;
        wrapped |= __builtin_add_overflow(*value, price, value);
        is_known = true;
    }
    if (wrapped)
        return error_set(error, STATUS_INPUT, __FILE__, __LINE__,
                         "the catalogue's prices of the products in one cart add up to more than "
                         "%" PRId64 " minor units: look for wrong prices",
                         INT64_MAX);
    if (!is_known)
        *value = MONEY_NONE;
    return STATUS_OK;
}

static Status write_cart(CartWriter *writer, const LeftCart *cart, Bytes customer, Error *error)
{
    Status status = STATUS_OK;
    Table *rows = writer->rows;
    int64_t value;
    TRY(add_prices(writer->carts, cart, &value, error));
    TRY(table_add_row(rows, error));
    int64_t row = rows->rows - 1;
    ((int32_t *)table_column(rows, "last_event_day")->data)[row] = cart->last_day;
    ((int64_t *)table_column(rows, "age_days")->data)[row] = age_of(cart->last_day, writer->as_of);
    ((int64_t *)table_column(rows, "products")->data)[row] = cart->n_products;
    ((int64_t *)table_column(rows, "value")->data)[row] = value;
    TRY(table_set_last_text(rows, table_column(rows, "customer"), customer, error));
    TRY(write_products(writer, cart, error));
out:
    return status;
}

/* The carts order[0 .. n) of one partition. */
static Status write_partition(CartWriter *writer, Store *store, int32_t partition,
                              const int64_t *order, int64_t n, Table *ids, Error *error)
{
    static const char *const columns[] = {"text"};
    Status status = STATUS_OK;
    TRY(store_read_partition(store, "customer_ids", partition, columns, 1, ids, error));
    const Column *text = table_column_const(ids, "text");
    for (int64_t i = 0; i < n; i++) {
        const LeftCart *cart = &writer->carts->left[order[i]];
        if (cart->customer >= ids->rows)
            FAIL(error, STATUS_IO,
                 "store is damaged: partition %" PRId32 " has events of customer %" PRId32
                 ", but only %" PRId64 " customer ids; run vesper verify",
                 partition, cart->customer, ids->rows);
        if (is_recent(writer->carts, cart->last_day, writer->as_of))
            TRY(write_cart(writer, cart, column_text(text, cart->customer), error));
    }
out:
    return status;
}

/* This rank's carts, with the names of their customers. Local. */
static Status write_carts(CartWriter *writer, Store *store, Error *error)
{
    Status status = STATUS_OK;
    const Carts *carts = writer->carts;
    int32_t partitions = carts->shop->partitions, *partition = NULL;
    int64_t *order = NULL, *starts = NULL, most = 0;
    Table ids = {0};
    TRY(fault_point("sales.carts", error));
    TRY(mem_resize(&partition, carts->n_left, sizeof *partition, "abandoned carts", error));
    TRY(mem_resize(&order, carts->n_left, sizeof *order, "abandoned carts", error));
    TRY(mem_resize(&starts, (int64_t)partitions + 1, sizeof *starts, "abandoned carts", error));
    for (int64_t i = 0; i < carts->n_left; i++) {
        partition[i] = carts->left[i].partition;
        most = carts->left[i].n_products > most ? carts->left[i].n_products : most;
    }
    TRY(mem_resize(&writer->places, most, sizeof *writer->places, "products of a cart", error));
    TRY(sort_order_by_group(partition, carts->n_left, partitions, order, starts, error));
    for (int32_t p = 0; p < partitions; p++) {
        if (starts[p + 1] > starts[p])
            TRY(write_partition(writer, store, p, order + starts[p], starts[p + 1] - starts[p],
                                &ids, error));
    }
out:
    mem_free(&partition);
    mem_free(&order);
    mem_free(&starts);
    table_free(&ids);
    return status;
}

Status carts_rows(Comm *comm, Store *store, const Carts *carts, int32_t as_of, Table *rows,
                  Error *error)
{
    static const ColumnSpec columns[] = {
        {"customer", COLUMN_TEXT, UNIT_NONE},    {"last_event_day", COLUMN_I32, UNIT_DAY},
        {"age_days", COLUMN_I64, UNIT_COUNT},    {"products", COLUMN_I64, UNIT_COUNT},
        {"value", COLUMN_I64, UNIT_MONEY_MINOR}, {"product_ids", COLUMN_TEXT, UNIT_NONE}};
    static const SortKey by_customer = {.column = "customer"};
    Status status = STATUS_OK;
    CartWriter writer = {.carts = carts, .as_of = as_of, .rows = rows};
    table_init(rows, columns, sizeof columns / sizeof *columns);
    TRY_ALL(comm, write_carts(&writer, store, error), error);
    TRY(comm_sort_table(comm, rows, &by_customer, 1, error));
out:
    mem_free(&writer.places);
    buffer_free(&writer.ids);
    return status;
}
