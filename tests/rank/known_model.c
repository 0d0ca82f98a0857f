/* A catalogue, promotions, stock-outs and holidays made of noise; see known_model.h. */
#include "rank/known_model.h"

#include "rank/model.h"

#include <stdio.h>

enum { CATEGORIES = 5, BRANDS = 3, PROMOTIONS = 60, STOCKOUTS = 80 };

static const char *const categories[CATEGORIES] = {"b/x", "a/x", "b/y", "c", "a"};
static const int32_t tops[CATEGORIES] = {0, 1, 0, 2, 1}; /* in the order of first appearance */

static int32_t category_of(int32_t product)
{
    return (int32_t)(model_noise(product, 1, 0) % (CATEGORIES + 1)) - 1;
}

int32_t known_brand(int32_t product)
{
    return (int32_t)(model_noise(product, 2, 0) % (BRANDS + 1)) - 1;
}

int32_t known_top_category(int32_t product)
{
    int32_t category = category_of(product);
    return category < 0 ? -1 : tops[category];
}

typedef struct Offer {
    int32_t product, first_day, last_day, depth;
} Offer;

/* Promotion i of a batch; some come again with another depth. */
static Offer offer_at(const ShopShape *shape, int batch, int i)
{
    int what = batch == 1 && i % 3 == 0 ? i : i + batch * PROMOTIONS; /* i: as in batch 0 */
    uint64_t noise = model_noise(what, 3, 0);
    Offer offer = {.product = (int32_t)(noise % (uint64_t)shape->products),
                   .first_day = shape->first_day - 5 +
                                (int32_t)(noise / 1000 % (uint64_t)(shape->n_days + 30)),
                   .depth = (int32_t)(model_noise(i, 4, batch) % 10001)};
    offer.last_day = offer.first_day + (int32_t)(noise / 1000000 % 40);
    return offer;
}

/* Days out of stock, row i of a batch: an offer without depth. Some come again with another end,
 * some have none. */
static Offer stockout_at(const ShopShape *shape, int batch, int i)
{
    int what = batch == 1 && i % 3 == 0 ? i : i + batch * STOCKOUTS;
    uint64_t noise = model_noise(what, 7, 0);
    Offer out = {.product = (int32_t)(noise % (uint64_t)shape->products),
                 .first_day = shape->first_day - 5 +
                              (int32_t)(noise / 1000 % (uint64_t)(shape->n_days + 30))};
    uint64_t length = model_noise(i, 8, batch);
    out.last_day = length % 10 == 0 ? DAY_NONE : out.first_day + (int32_t)(length / 10 % 50);
    return out;
}

static void holiday_at(const ShopShape *shape, int batch, int i, int32_t *day, int32_t *country,
                       char name[KNOWN_NAME_SIZE])
{
    int what = batch == 1 && i % 4 == 0 ? i : i + batch * KNOWN_HOLIDAYS;
    uint64_t noise = model_noise(what, 5, 0);
    *day = shape->first_day - 5 + (int32_t)(noise % (uint64_t)(shape->n_days + 30));
    *country = (int32_t)(noise / 1000 % (uint64_t)(shape->countries + 1)) - 1;
    (void)snprintf(name, KNOWN_NAME_SIZE, "day %d", (int)(model_noise(i, 6, batch) % 7));
}

/* The greatest depth of a day, of promotions as they stand at the end. */
int32_t known_depth(const ShopShape *shape, int32_t product, int32_t day)
{
    int32_t most = 0;
    for (int k = 0; k < 2 * PROMOTIONS; k++) {
        Offer offer = offer_at(shape, k / PROMOTIONS, k % PROMOTIONS);
        bool counts = offer.product == product;
        for (int later = k + 1; later < 2 * PROMOTIONS && counts; later++) {
            Offer other = offer_at(shape, later / PROMOTIONS, later % PROMOTIONS);
            counts = other.product != product || other.first_day != offer.first_day;
        }
        if (counts && day >= offer.first_day && day <= offer.last_day && offer.depth > most)
            most = offer.depth;
    }
    return most;
}

bool known_out_of_stock(const ShopShape *shape, int32_t product, int32_t day)
{
    for (int k = 0; k < 2 * STOCKOUTS; k++) {
        Offer out = stockout_at(shape, k / STOCKOUTS, k % STOCKOUTS);
        bool counts = out.product == product && day >= out.first_day &&
                      (out.last_day == DAY_NONE || day <= out.last_day);
        for (int later = k + 1; later < 2 * STOCKOUTS && counts; later++) {
            Offer other = stockout_at(shape, later / STOCKOUTS, later % STOCKOUTS);
            counts = other.product != product || other.first_day != out.first_day;
        }
        if (counts)
            return true;
    }
    return false;
}

void known_holiday(const ShopShape *shape, int k, int32_t *day, int32_t *country,
                   char name[KNOWN_NAME_SIZE])
{
    holiday_at(shape, k / KNOWN_HOLIDAYS, k % KNOWN_HOLIDAYS, day, country, name);
}

static Status write_texts(Comm *comm, StoreBatch *batch, const char *table,
                          const char *const *texts, int n, Error *error)
{
    static const ColumnSpec column = {"text", COLUMN_TEXT, UNIT_NONE};
    Status status = STATUS_OK, own = STATUS_OK;
    Table rows = {0};
    int32_t is_root = comm_rank(comm) == 0;
    table_init(&rows, &column, 1);
    for (int i = 0; is_root && i < n && own == STATUS_OK; i++) {
        own = table_add_row(&rows, error);
        if (own == STATUS_OK)
            own = table_set_last_text(&rows, &rows.columns[0], bytes_of(texts[i]), error);
    }
    TRY(comm_agree(comm, own, error));
    TRY(store_batch_write(comm, batch, table, TABLE_GLOBAL, &rows, 0, is_root, &rows.rows, error));
out:
    table_free(&rows);
    return status;
}

static Status add_product(Table *rows, int32_t product, Error *error)
{
    Status status = table_add_row(rows, error);
    if (status != STATUS_OK)
        return status;
    int64_t row = rows->rows - 1;
    ((int32_t *)rows->columns[0].data)[row] = product;
    ((int32_t *)rows->columns[1].data)[row] = category_of(product);
    ((int32_t *)rows->columns[2].data)[row] = known_brand(product);
    for (int c = 3; c < 6; c++)
        ((int64_t *)rows->columns[c].data)[row] = 1;
    ((int32_t *)rows->columns[6].data)[row] = 1;
    ((int8_t *)rows->columns[7].data)[row] = 1;
    return STATUS_OK;
}

static Status add_offer(Table *rows, Offer offer, Error *error)
{
    Status status = table_add_row(rows, error);
    if (status != STATUS_OK)
        return status;
    int64_t row = rows->rows - 1;
    ((int32_t *)rows->columns[0].data)[row] = offer.product;
    ((int32_t *)rows->columns[1].data)[row] = offer.first_day;
    ((int32_t *)rows->columns[2].data)[row] = offer.last_day;
    if (rows->n_columns > 3)
        ((int32_t *)rows->columns[3].data)[row] = offer.depth;
    return STATUS_OK;
}

static Status add_holiday(Table *rows, int32_t day, int32_t country, const char *name, Error *error)
{
    Status status = table_add_row(rows, error);
    if (status != STATUS_OK)
        return status;
    ((int32_t *)rows->columns[0].data)[rows->rows - 1] = day;
    ((int16_t *)rows->columns[1].data)[rows->rows - 1] = (int16_t)country;
    return table_set_last_text(rows, &rows->columns[2], bytes_of(name), error);
}

/* Which table add_all fills. */
enum { PRODUCT_ROWS, PROMOTION_ROWS, STOCKOUT_ROWS, HOLIDAY_ROWS };

static Status add_all(const ShopShape *shape, int number, int what, Table *rows, Error *error)
{
    Status status = STATUS_OK;
    int32_t day, country;
    char name[KNOWN_NAME_SIZE];
    for (int32_t i = 0; what == PRODUCT_ROWS && i < shape->products; i++)
        TRY(add_product(rows, i, error));
    for (int i = 0; what == PROMOTION_ROWS && i < PROMOTIONS; i++)
        TRY(add_offer(rows, offer_at(shape, number, i), error));
    for (int i = 0; what == STOCKOUT_ROWS && i < STOCKOUTS; i++)
        TRY(add_offer(rows, stockout_at(shape, number, i), error));
    for (int i = 0; what == HOLIDAY_ROWS && i < KNOWN_HOLIDAYS; i++) {
        holiday_at(shape, number, i, &day, &country, name);
        TRY(add_holiday(rows, day, country, name, error));
    }
out:
    return status;
}

static Status write_rows(Comm *comm, StoreBatch *batch, const ShopShape *shape, int number,
                         int what, const char *table, const ColumnSpec *columns, int n_columns,
                         Error *error)
{
    Status status = STATUS_OK;
    Table rows = {0};
    int32_t is_root = comm_rank(comm) == 0;
    table_init(&rows, columns, n_columns);
    TRY(comm_agree(comm, is_root ? add_all(shape, number, what, &rows, error) : STATUS_OK, error));
    TRY(store_batch_write(comm, batch, table, TABLE_GLOBAL, &rows, 0, is_root, &rows.rows, error));
out:
    table_free(&rows);
    return status;
}

Status known_write(Comm *comm, Store *store, const ShopShape *shape, int number, Error *error)
{
    static const ColumnSpec products[] = {
        {"product", COLUMN_I32, UNIT_CODE},         {"category", COLUMN_I32, UNIT_CODE},
        {"brand", COLUMN_I32, UNIT_CODE},           {"price", COLUMN_I64, UNIT_MONEY_MINOR},
        {"cost", COLUMN_I64, UNIT_MONEY_MINOR},     {"stock", COLUMN_I64, UNIT_COUNT},
        {"lead_time_days", COLUMN_I32, UNIT_COUNT}, {"active", COLUMN_I8, UNIT_BOOL}};
    static const ColumnSpec promotions[] = {{"product", COLUMN_I32, UNIT_CODE},
                                            {"first_day", COLUMN_I32, UNIT_DAY},
                                            {"last_day", COLUMN_I32, UNIT_DAY},
                                            {"depth", COLUMN_I32, UNIT_NONE}};
    static const ColumnSpec holidays[] = {{"day", COLUMN_I32, UNIT_DAY},
                                          {"country", COLUMN_I16, UNIT_CODE},
                                          {"name", COLUMN_TEXT, UNIT_NONE}};
    static const char *const brands[BRANDS] = {"Z", "Y", "X"};
    Status status = STATUS_OK;
    StoreBatch *batch = NULL;
    TRY(store_batch_begin(comm, store, &batch, error));
    if (number == 0) {
        TRY(write_texts(comm, batch, "dictionary_category", categories, CATEGORIES, error));
        TRY(write_texts(comm, batch, "dictionary_brand", brands, BRANDS, error));
        TRY(write_rows(comm, batch, shape, number, PRODUCT_ROWS, "products", products, 8, error));
    }
    TRY(write_rows(comm, batch, shape, number, PROMOTION_ROWS, "promotions", promotions, 4, error));
    TRY(write_rows(comm, batch, shape, number, STOCKOUT_ROWS, "stockouts", promotions, 3, error));
    TRY(write_rows(comm, batch, shape, number, HOLIDAY_ROWS, "holidays", holidays, 3, error));
    TRY(store_batch_commit(comm, store, &batch, error));
out:
    store_batch_discard(comm, &batch);
    return status;
}
