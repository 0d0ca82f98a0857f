/* Names, catalogue and range of days from the store; see shop.h. */
#include "shop/shop.h"

#include "base/memory.h"
#include "table/string_map.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- names ---- */

static const ColumnSpec text_column = {"text", COLUMN_TEXT, UNIT_NONE};

void names_free(Names *names)
{
    table_free(&names->texts);
    mem_free(&names->place);
    mem_free(&names->code);
    *names = (Names){0};
}

Status names_make(Names *names, Table *texts, Error *error)
{
    Status status = STATUS_OK;
    int64_t *order = NULL;
    int64_t n = texts->rows;
    const Column *text = table_column_const(texts, "text");
    names_free(names);
    TRY(mem_resize(&order, n, sizeof *order, "order of names", error));
    TRY(mem_resize(&names->place, n, sizeof *names->place, "order of names", error));
    TRY(mem_resize(&names->code, n, sizeof *names->code, "order of names", error));
    TRY(sort_order_text(text->bytes, text->ends, n, order, error));
    for (int64_t place = 0; place < n; place++) {
        names->code[place] = (int32_t)order[place];
        names->place[order[place]] = (int32_t)place;
    }
    names->count = (int32_t)n;
    table_move(&names->texts, texts);
out:
    mem_free(&order);
    return status;
}

Bytes names_text(const Names *names, int32_t code)
{
    return code < 0 ? bytes_of("") : column_text(&names->texts.columns[0], code);
}

int32_t names_find(const Names *names, Bytes text)
{
    int32_t low = 0, high = names->count;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (bytes_compare(names_text(names, names->code[middle]), text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == names->count || !bytes_equal(names_text(names, names->code[low]), text))
        return -1;
    return names->code[low];
}

static Status read_names(Comm *comm, Store *store, const char *dictionary, Names *names,
                         Error *error)
{
    Status status = STATUS_OK;
    Table texts = {0};
    char table[STORE_NAME_SIZE];
    (void)snprintf(table, sizeof table, "dictionary_%s", dictionary);
    if (store_has_column(store, table, text_column.name))
        TRY(store_read_global(comm, store, table, &texts, error));
    else
        table_init(&texts, &text_column, 1);
    TRY_ALL(comm, names_make(names, &texts, error), error);
out:
    table_free(&texts);
    return status;
}

/* ---- categories ---- */

/* The first `level` components of a path. */
static Bytes cut_path(Bytes path, int level)
{
    int64_t size = 0;
    for (int components = 0; size < path.size; size++) {
        if (path.data[size] == '/' && ++components == level)
            break;
    }
    return (Bytes){.data = path.data, .size = size};
}

static Status make_level(const Names *category, int level, CategoryLevel *made, Error *error)
{
    Status status = STATUS_OK;
    StringMap paths = {0};
    Table texts = {0};
    table_init(&texts, &text_column, 1);
    TRY(mem_resize(&made->of_category, category->count, sizeof *made->of_category,
                   "levels of categories", error));
    for (int32_t code = 0; code < category->count; code++) {
        Bytes path = cut_path(names_text(category, code), level);
        int32_t known = paths.count;
        TRY(string_map_add(&paths, path, &made->of_category[code], error));
        if (paths.count == known)
            continue;
        TRY(table_add_row(&texts, error));
        TRY(table_set_last_text(&texts, &texts.columns[0], path, error));
    }
    TRY(names_make(&made->names, &texts, error));
out:
    string_map_free(&paths);
    table_free(&texts);
    return status;
}

/* Level 0 is the whole path: as if it had no end. */
static Status make_levels(Shop *shop, Error *error)
{
    Status status = STATUS_OK;
    for (int level = 0; level <= CATEGORY_LEVELS_MAX; level++)
        TRY(make_level(&shop->category, level == 0 ? INT32_MAX : level, &shop->levels[level],
                       error));
out:
    return status;
}

/* ---- catalogue ---- */

static void catalogue_free(Catalogue *catalogue)
{
    mem_free(&catalogue->is_listed);
    mem_free(&catalogue->is_active);
    mem_free(&catalogue->category);
    mem_free(&catalogue->brand);
    mem_free(&catalogue->price);
    mem_free(&catalogue->cost);
    mem_free(&catalogue->stock);
    mem_free(&catalogue->lead_time_days);
    mem_free(&catalogue->on_order);
    mem_free(&catalogue->pack_size);
    mem_free(&catalogue->least_order);
    mem_free(&catalogue->order_cost);
    *catalogue = (Catalogue){0};
}

static Status catalogue_init(Catalogue *catalogue, int32_t n, Error *error)
{
    static const char what[] = "the catalogue";
    Status status = STATUS_OK;
    TRY(mem_resize(&catalogue->is_listed, n, sizeof *catalogue->is_listed, what, error));
    TRY(mem_resize(&catalogue->is_active, n, sizeof *catalogue->is_active, what, error));
    TRY(mem_resize(&catalogue->category, n, sizeof *catalogue->category, what, error));
    TRY(mem_resize(&catalogue->brand, n, sizeof *catalogue->brand, what, error));
    TRY(mem_resize(&catalogue->price, n, sizeof *catalogue->price, what, error));
    TRY(mem_resize(&catalogue->cost, n, sizeof *catalogue->cost, what, error));
    TRY(mem_resize(&catalogue->stock, n, sizeof *catalogue->stock, what, error));
    TRY(mem_resize(&catalogue->lead_time_days, n, sizeof *catalogue->lead_time_days, what, error));
    TRY(mem_resize(&catalogue->on_order, n, sizeof *catalogue->on_order, what, error));
    TRY(mem_resize(&catalogue->pack_size, n, sizeof *catalogue->pack_size, what, error));
    TRY(mem_resize(&catalogue->least_order, n, sizeof *catalogue->least_order, what, error));
    TRY(mem_resize(&catalogue->order_cost, n, sizeof *catalogue->order_cost, what, error));
    for (int32_t i = 0; i < n; i++) {
        catalogue->is_listed[i] = catalogue->is_active[i] = false;
        catalogue->category[i] = catalogue->brand[i] = -1;
        catalogue->price[i] = catalogue->cost[i] = catalogue->order_cost[i] = MONEY_NONE;
        catalogue->stock[i] = INT64_MIN;
        catalogue->lead_time_days[i] = -1;
        catalogue->on_order[i] = catalogue->least_order[i] = 0;
        catalogue->pack_size[i] = 1;
    }
out:
    return status;
}

static Status bad_catalogue(const char *what, int64_t code, Error *error)
{
    return error_set(error, STATUS_IO, __FILE__, __LINE__,
                     "store is damaged: its catalogue holds %s code %" PRId64
                     ", which its dictionary does not have; run vesper verify",
                     what, code);
}

/* Of stores that are older than these columns there are none. */
static void take_order_terms(const Table *rows, int64_t row, int64_t code, Catalogue *catalogue)
{
    const Column *on_order = table_find_const(rows, "on_order");
    const Column *pack = table_find_const(rows, "pack_size");
    const Column *least = table_find_const(rows, "least_order");
    const Column *cost = table_find_const(rows, "order_cost");
    if (on_order == NULL || pack == NULL || least == NULL || cost == NULL)
        return;
    int64_t coming = column_integer(on_order, row), together = column_integer(pack, row);
    int64_t pieces = column_integer(least, row);
    catalogue->on_order[code] = coming > 0 ? coming : 0;
    catalogue->pack_size[code] = together > 1 ? (int32_t)together : 1;
    catalogue->least_order[code] = pieces > 0 ? pieces : 0;
    catalogue->order_cost[code] = column_integer(cost, row);
}

/* The rows in their order: the last of a product counts. */
static Status fill_catalogue(Shop *shop, const Table *rows, Error *error)
{
    Catalogue *catalogue = &shop->catalogue;
    const Column *product = table_column_const(rows, "product");
    const Column *category = table_column_const(rows, "category");
    const Column *brand = table_column_const(rows, "brand");
    const Column *price = table_column_const(rows, "price");
    const Column *cost = table_column_const(rows, "cost");
    const Column *stock = table_column_const(rows, "stock");
    const Column *lead_time = table_column_const(rows, "lead_time_days");
    const Column *active = table_column_const(rows, "active");
    for (int64_t row = 0; row < rows->rows; row++) {
        int64_t code = column_integer(product, row);
        if (code < 0 || code >= shop->product.count)
            return bad_catalogue("product", code, error);
        if (column_integer(category, row) >= shop->category.count)
            return bad_catalogue("category", column_integer(category, row), error);
        if (column_integer(brand, row) >= shop->brand.count)
            return bad_catalogue("brand", column_integer(brand, row), error);
        catalogue->is_listed[code] = true;
        catalogue->is_active[code] = column_integer(active, row) != 0;
        catalogue->category[code] = (int32_t)column_integer(category, row);
        catalogue->brand[code] = (int32_t)column_integer(brand, row);
        catalogue->price[code] = column_integer(price, row);
        catalogue->cost[code] = column_integer(cost, row);
        catalogue->stock[code] = column_integer(stock, row);
        catalogue->lead_time_days[code] = (int32_t)column_integer(lead_time, row);
        take_order_terms(rows, row, code, catalogue);
    }
    return STATUS_OK;
}

static Status read_catalogue(Comm *comm, Store *store, Shop *shop, Error *error)
{
    Status status = STATUS_OK;
    Table rows = {0};
    TRY_ALL(comm, catalogue_init(&shop->catalogue, shop->product.count, error), error);
    if (!store_has_column(store, "products", "product"))
        goto out;
    TRY(store_read_global(comm, store, "products", &rows, error));
    TRY_ALL(comm, fill_catalogue(shop, &rows, error), error);
out:
    table_free(&rows);
    return status;
}

/* ---- all together ---- */

/* Of each value of a column; 0 if there is none. */
static int signed_bits(const Store *store, const char *column)
{
    int64_t min, max;
    store_column_range(store, "orders", column, &min, &max);
    if (min > max)
        return 0;
    uint64_t most = (uint64_t)(min < 0 ? ~min : min) | (uint64_t)(max < 0 ? ~max : max);
    return most == 0 ? 1 : 65 - __builtin_clzll(most);
}

static void find_days(const Store *store, Shop *shop)
{
    int64_t first, last;
    store_column_range(store, "orders", "day", &first, &last);
    shop->first_day = first <= last ? (int32_t)first : DAY_NONE;
    shop->last_day = first <= last ? (int32_t)last : DAY_NONE;
    shop->as_of = shop->last_day;
}

static Status read_all_names(Comm *comm, Store *store, Shop *shop, Error *error)
{
    Status status = STATUS_OK;
    TRY(read_names(comm, store, "product", &shop->product, error));
    TRY(read_names(comm, store, "category", &shop->category, error));
    TRY(read_names(comm, store, "brand", &shop->brand, error));
    TRY(read_names(comm, store, "country", &shop->country, error));
    TRY(read_names(comm, store, "channel", &shop->channel, error));
    TRY(read_names(comm, store, "currency", &shop->currency, error));
    TRY(read_names(comm, store, "segment", &shop->segment, error));
out:
    return status;
}

Status shop_open(Comm *comm, Store *store, Shop *shop, Error *error)
{
    Status status = STATUS_OK;
    const StoreSettings *settings = store_settings(store);
    *shop = (Shop){.partitions = settings->partitions, .money_decimals = settings->money_decimals};
    find_days(store, shop);
    shop->quantity_bits = signed_bits(store, "quantity");
    shop->price_bits = signed_bits(store, "unit_price");
    TRY_ALL(comm, timezone_new(settings->time_zone, &shop->zone, error), error);
    TRY(read_all_names(comm, store, shop, error));
    TRY_ALL(comm, make_levels(shop, error), error);
    TRY(read_catalogue(comm, store, shop, error));
out:
    return status;
}

void shop_free(Shop *shop)
{
    timezone_free(&shop->zone);
    names_free(&shop->product);
    names_free(&shop->category);
    names_free(&shop->brand);
    names_free(&shop->country);
    names_free(&shop->channel);
    names_free(&shop->currency);
    names_free(&shop->segment);
    for (int level = 0; level <= CATEGORY_LEVELS_MAX; level++) {
        names_free(&shop->levels[level].names);
        mem_free(&shop->levels[level].of_category);
    }
    catalogue_free(&shop->catalogue);
    *shop = (Shop){0};
}
