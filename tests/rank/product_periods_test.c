/* sales_movers, abc_xyz and stock_risk of random shops, against sums over all lines, and what
 * stands exactly on a bound. */
#include "sales/product_periods.h"

#include "base/memory.h"
#include "rank/period_model.h"
#include "rank/suites.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { DIGITS = 9, ALL_DIGITS = 17, BLOCKS = 13, YEAR = 364 };

/* ---- groups as the specs say ---- */

static Status make_groups(const PeriodModel *model, const AggregateSpec specs[PRODUCT_SPECS],
                          uint64_t seed, Groups groups[PRODUCT_SPECS], Error *error)
{
    Status status = STATUS_OK;
    const DayClasses *classes = &specs[0].day_classes;
    uint64_t products = (uint64_t)model->shop.product.count + 1;
    uint64_t n_classes = (uint64_t)classes->n_classes;
    uint64_t *keys = mem_new(model->n, sizeof *keys);
    KeyPart product = {.dimension = specs[0].by[0], .base = -1, .radix = products};
    KeyPart of_class = {.dimension = specs[0].by[1], .radix = n_classes, .stride = 1};
    KeyLayout layout = {.n = 2, .parts = {product, of_class}, .space = products * n_classes};
    layout.parts[0].stride = n_classes;
    for (int64_t i = 0; i < model->n; i++) {
        const PeriodLine *line = &model->lines[i];
        int64_t at = (int64_t)line->day - classes->first_day;
        uint64_t place = (uint64_t)(model->shop.product.place[line->product] + 1);
        int16_t day_class = at < 0 || at >= classes->n_days ? -1 : classes->class_of[at];
        keys[i] = day_class < 0 ? PERIOD_NO_KEY : place * n_classes + (uint64_t)day_class;
    }
    TRY(period_groups(model, keys, &layout, seed * 2, &groups[0], error));
    layout = (KeyLayout){.n = 1, .parts = {product}, .space = products};
    layout.parts[0].stride = 1;
    for (int64_t i = 0; i < model->n; i++)
        keys[i] = (uint64_t)(model->shop.product.place[model->lines[i].product] + 1);
    TRY(period_groups(model, keys, &layout, seed * 2 + 1, &groups[1], error));
out:
    mem_free(&keys);
    return status;
}

static Status take(const PeriodModel *model, uint64_t seed, ProductPeriods **periods, Error *error)
{
    Comm *comm = rank_comm();
    Status status = STATUS_OK;
    AggregateSpec specs[PRODUCT_SPECS];
    Groups groups[PRODUCT_SPECS] = {0};
    TRY_ALL(comm, product_periods_new(&model->shop, periods, specs, error), error);
    TRY_ALL(comm, make_groups(model, specs, seed, groups, error), error);
    TRY(product_periods_take(comm, &model->shop, *periods, groups, error));
out:
    for (int i = 0; i < PRODUCT_SPECS; i++)
        groups_free(&groups[i]);
    return status;
}

/* The three tables, one after another, as text. Collective. */
typedef struct Printed {
    Buffer movers, abc_xyz, stock_risk;
} Printed;

static void printed_free(Printed *printed)
{
    buffer_free(&printed->movers);
    buffer_free(&printed->abc_xyz);
    buffer_free(&printed->stock_risk);
}

static Status print_tables(const PeriodModel *model, uint64_t seed, int64_t limit, int digits,
                           Printed *printed, Error *error)
{
    Comm *comm = rank_comm();
    Status status = STATUS_OK;
    ProductPeriods *periods = NULL;
    Table rows = {0};
    TRY(take(model, seed, &periods, error));
    TRY(movers_rows(comm, &model->shop, periods, limit, &rows, error));
    TRY(period_print(comm, &rows, digits, &printed->movers, error));
    table_free(&rows);
    TRY(abc_xyz_rows(comm, &model->shop, periods, &rows, error));
    TRY(period_print(comm, &rows, digits, &printed->abc_xyz, error));
    table_free(&rows);
    TRY(stock_risk_rows(comm, &model->shop, periods, &rows, error));
    TRY(period_print(comm, &rows, digits, &printed->stock_risk, error));
out:
    table_free(&rows);
    product_periods_free(&periods);
    return status;
}

/* ---- naive answers ---- */

/* Product at a place in the order of ids. */
static int32_t product_at(const PeriodModel *model, int32_t place)
{
    return model->shop.product.code[place];
}

static void expect_id(const PeriodModel *model, int32_t place, Buffer *text)
{
    buffer_append_bytes(text, names_text(&model->shop.product, product_at(model, place)));
    buffer_append_string(text, ",");
}

/* Days `from` (the older, counted back) to `to` before the night's day; all days before it are
 * `from` INT32_MAX. */
static PeriodSums recent(const PeriodModel *model, int32_t place, int32_t from, int32_t to)
{
    int32_t as_of = model->shop.as_of;
    if (as_of == DAY_NONE)
        return (PeriodSums){0};
    return period_sums(model, product_at(model, place), as_of - from, as_of - to + 1);
}

static int64_t net_of_units(PeriodSums sums)
{
    return sums.units - sums.units_returned;
}

/* The products of one scope and direction, the largest change first, by selection. */
static void expect_direction(const PeriodModel *model, const char *scope, int32_t days, int sign,
                             int64_t limit, Buffer *text)
{
    int32_t n = model->shop.product.count;
    bool *taken = mem_new(n, sizeof *taken);
    PeriodSums *now = mem_new(n, sizeof *now), *before = mem_new(n, sizeof *before);
    for (int32_t p = 0; p < n; p++) {
        now[p] = recent(model, p, days - 1, 0);
        before[p] = recent(model, p, 2 * days - 1, days);
    }
    for (int64_t place = 1; place <= limit; place++) {
        int32_t best = -1;
        for (int32_t p = 0; p < n; p++) {
            int64_t change = (now[p].net - before[p].net) * sign;
            if (!taken[p] && change > 0 &&
                (best < 0 || change > (now[best].net - before[best].net) * sign))
                best = p;
        }
        if (best < 0)
            break;
        taken[best] = true;
        int64_t x = now[best].net, y = before[best].net;
        period_append_text(text, scope);
        period_append_text(text, sign > 0 ? "up" : "down");
        period_append_i64(text, place);
        expect_id(model, best, text);
        period_append_i64(text, x);
        period_append_i64(text, y);
        period_append_i64(text, x - y);
        period_append_real(text, y <= 0 ? (double)NAN : (double)x / (double)y - 1, DIGITS);
        period_append_i64(text, net_of_units(now[best]));
        period_append_i64(text, net_of_units(before[best]));
        buffer_append_string(text, "\n");
    }
    mem_free(&taken);
    mem_free(&now);
    mem_free(&before);
}

static void expect_movers(const PeriodModel *model, int64_t limit, Buffer *text)
{
    static const struct {
        const char *name;
        int32_t days;
    } scopes[] = {{"day", 1}, {"four_weeks", 28}, {"week", 7}, {"year", YEAR}};
    for (int s = 0; s < 4; s++) {
        expect_direction(model, scopes[s].name, scopes[s].days, -1, limit, text);
        expect_direction(model, scopes[s].name, scopes[s].days, 1, limit, text);
    }
}

/* What abc_xyz says of one product in the year that began `from` days ago. */
typedef struct Classes {
    double share, cumulative, mean, cv;
    char abc[2], xyz[2];
} Classes;

static Classes no_classes(void)
{
    return (Classes){
        .share = (double)NAN, .cumulative = (double)NAN, .mean = (double)NAN, .cv = (double)NAN};
}

/* Mean, deviation and class of units; the class is decided in whole numbers: cv <= 1/2 where
 * 52 sum(u^2) <= 5 sum(u)^2, cv <= 1 where 13 sum(u^2) <= 2 sum(u)^2. */
static void expect_xyz(const PeriodModel *model, int32_t place, int32_t to, Classes *classes)
{
    int64_t units[BLOCKS], sum = 0, squares = 0;
    for (int b = 0; b < BLOCKS; b++) {
        units[b] = net_of_units(recent(model, place, to + 28 * b + 27, to + 28 * b));
        sum += units[b];
        squares += units[b] * units[b];
    }
    bool has_cv = sum > 0;
    const char *name = has_cv && 52 * squares <= 5 * sum * sum   ? "X"
                       : has_cv && 13 * squares <= 2 * sum * sum ? "Y"
                                                                 : "Z";
    memcpy(classes->xyz, name, 2);
    classes->mean = (double)sum / BLOCKS;
    double variance = 0;
    for (int b = 0; b < BLOCKS; b++)
        variance += ((double)units[b] - classes->mean) * ((double)units[b] - classes->mean);
    classes->cv = has_cv ? sqrt(variance / BLOCKS) / classes->mean : (double)NAN;
}

/* Of all products, for the year whose last day is `to` days before the night's. */
static void expect_classes(const PeriodModel *model, int32_t to, Classes *classes)
{
    int32_t n = model->shop.product.count;
    int64_t *net = mem_new(n, sizeof *net), total = 0;
    for (int32_t p = 0; p < n; p++) {
        net[p] = recent(model, p, to + YEAR - 1, to).net;
        total += net[p] > 0 ? net[p] : 0;
    }
    for (int32_t p = 0; p < n; p++) {
        classes[p] = no_classes();
        if (net[p] <= 0)
            continue;
        int64_t ahead = 0;
        for (int32_t q = 0; q < n; q++)
            ahead += net[q] > net[p] || (net[q] == net[p] && q < p) ? net[q] : 0;
        classes[p].share = (double)net[p] / (double)total;
        classes[p].cumulative = (double)(ahead + net[p]) / (double)total;
        const char *abc = ahead * 100 < total * 80 ? "A" : ahead * 100 < total * 95 ? "B" : "C";
        memcpy(classes[p].abc, abc, 2);
        expect_xyz(model, p, to, &classes[p]);
    }
    mem_free(&net);
}

static void expect_abc_xyz(const PeriodModel *model, Buffer *text)
{
    int32_t n = model->shop.product.count;
    Classes *now = mem_new(n, sizeof *now), *before = mem_new(n, sizeof *before);
    expect_classes(model, 0, now);
    expect_classes(model, YEAR, before);
    for (int32_t p = 0; p < n; p++) {
        PeriodSums sums = recent(model, p, YEAR - 1, 0);
        if (now[p].abc[0] == '\0' && before[p].abc[0] == '\0')
            continue;
        expect_id(model, p, text);
        period_append_i64(text, sums.net);
        period_append_i64(text, net_of_units(sums));
        period_append_real(text, now[p].share, DIGITS);
        period_append_real(text, now[p].cumulative, DIGITS);
        period_append_text(text, now[p].abc);
        period_append_real(text, now[p].mean, DIGITS);
        period_append_real(text, now[p].cv, DIGITS);
        period_append_text(text, now[p].xyz);
        period_append_text(text, before[p].abc);
        period_append_text(text, before[p].xyz);
        buffer_append_string(text, "\n");
    }
    mem_free(&now);
    mem_free(&before);
}

static void expect_stock(const PeriodModel *model, Buffer *text)
{
    const Shop *shop = &model->shop;
    for (int32_t p = 0; p < shop->product.count; p++) {
        int32_t code = product_at(model, p), first = DAY_NONE, last = DAY_NONE;
        int64_t stock = shop->catalogue.stock[code], cost = shop->catalogue.cost[code];
        if (!shop->catalogue.is_listed[code] || stock <= 0)
            continue;
        for (int64_t i = 0; i < model->n; i++) {
            const PeriodLine *line = &model->lines[i];
            if (line->product != code || !period_line_is_kept(line))
                continue;
            first = first == DAY_NONE || line->day < first ? line->day : first;
            last = last == DAY_NONE || line->day > last ? line->day : last;
        }
        int64_t units[3] = {net_of_units(recent(model, p, 27, 0)),
                            net_of_units(recent(model, p, 83, 0)),
                            net_of_units(recent(model, p, 363, 0))};
        int32_t since = last == DAY_NONE ? INT32_MAX : shop->as_of - last;
        expect_id(model, p, text);
        period_append_i64(text, stock);
        period_append_i64(text, cost == MONEY_NONE ? MONEY_NONE : stock * cost);
        period_append_i64(text, first == DAY_NONE ? INT64_MIN : first);
        period_append_i64(text, last == DAY_NONE ? INT64_MIN : last);
        period_append_real(text, last == DAY_NONE ? (double)NAN : since, DIGITS);
        for (int k = 0; k < 3; k++)
            period_append_i64(text, units[k]);
        period_append_real(
            text, units[1] > 0 ? (double)stock / ((double)units[1] / 84) : (double)NAN, DIGITS);
        period_append_text(text, since < 28    ? "selling"
                                 : since < 84  ? "slow"
                                 : since < 364 ? "stale"
                                               : "dead");
        buffer_append_string(text, "\n");
    }
}

/* ---- random shops ---- */

static void check_printed(const Printed *got, const Printed *expected)
{
    CU_ASSERT(period_texts_agree("sales_movers", &got->movers, &expected->movers));
    CU_ASSERT(period_texts_agree("abc_xyz", &got->abc_xyz, &expected->abc_xyz));
    CU_ASSERT(period_texts_agree("stock_risk", &got->stock_risk, &expected->stock_risk));
}

/* Against the naive answers, and all bits the same however the groups lie on the ranks. */
static void check_shape(const PeriodShape *shape, int64_t limit)
{
    Comm *comm = rank_comm();
    Error error = {0};
    PeriodModel model = {0};
    Printed expected = {0}, got = {0}, exact = {0}, again = {0};
    Status status = STATUS_OK;
    TRY_ALL(comm, period_model_make(shape, &model, &error), &error);
    expect_movers(&model, limit, &expected.movers);
    expect_abc_xyz(&model, &expected.abc_xyz);
    expect_stock(&model, &expected.stock_risk);
    TRY(print_tables(&model, 1, limit, DIGITS, &got, &error));
    check_printed(&got, &expected);
    TRY(print_tables(&model, 2, limit, ALL_DIGITS, &exact, &error));
    TRY(print_tables(&model, 3, limit, ALL_DIGITS, &again, &error));
    check_printed(&again, &exact);
out:
    CU_ASSERT_EQUAL(status, STATUS_OK);
    printed_free(&expected);
    printed_free(&got);
    printed_free(&exact);
    printed_free(&again);
    period_model_free(&model);
}

/* Day 19782 is 2024-02-29. */
static const PeriodShape shapes[] = {
    {.lines = 0, .products = 0},
    {.lines = 0, .products = 12},
    {.lines = 1, .products = 1, .customers = 1, .last_day = 19782, .span = 1},
    {.lines = 30, .products = 20, .customers = 5, .last_day = 19782, .span = 1, .returned = 20},
    {.lines = 300,
     .products = 40,
     .customers = 9,
     .last_day = 19782 + 366,
     .span = 900,
     .returned = 15,
     .cancelled = 10},
    {.lines = 400,
     .products = 25,
     .customers = 9,
     .last_day = 19782,
     .on_bounds = true,
     .returned = 15,
     .cancelled = 10},
    {.lines = 200,
     .products = 30,
     .customers = 9,
     .last_day = 400,
     .span = 700,
     .returned = 10,
     .days_after = 5},
    {.lines = 100, .products = 9, .customers = 3, .last_day = -300, .on_bounds = true},
    {.lines = 80, .products = 9, .customers = 5, .last_day = 19000, .span = 500, .returned = 100},
    {.lines = 80, .products = 9, .customers = 0, .last_day = 19000, .span = 500, .cancelled = 100},
    {.lines = 60, .products = 9, .customers = 5, .last_day = 19000, .span = 90, .days_after = 800},
};

static void test_random_shops(void)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_shape(&shapes[i], 50);
}

static void test_few_movers(void)
{
    for (int64_t limit = 0; limit <= 3; limit++)
        check_shape(&shapes[5], limit);
}

/* ---- on the bounds ---- */

/* A shop of `lines` [n] alone, all products in stock. */
static Status hand_made(const PeriodLine *lines, int64_t n, int32_t products, PeriodModel *model,
                        Error *error)
{
    Status status = STATUS_OK;
    PeriodShape shape = {.lines = n, .products = products, .last_day = 1000, .span = 1};
    TRY(period_model_make(&shape, model, error));
    memcpy(model->lines, lines, (size_t)n * sizeof *lines);
    for (int32_t code = 0; code < products; code++) {
        model->shop.catalogue.is_listed[code] = true;
        model->shop.catalogue.stock[code] = 10;
        model->shop.catalogue.cost[code] = INT64_MAX / 10 + code;
    }
out:
    return status;
}

/* The classes of products 0, 1, ... by code: abc, xyz, abc_before, xyz_before of each, "-" for
 * none; where all of them have a row. */
static Status print_classes(const PeriodModel *model, Buffer *text, Error *error)
{
    static const char *const columns[] = {"abc", "xyz", "abc_before", "xyz_before"};
    Comm *comm = rank_comm();
    Status status = STATUS_OK;
    ProductPeriods *periods = NULL;
    Table rows = {0};
    int64_t letters[4 * 32] = {0};
    int32_t n = model->shop.product.count;
    TRY(take(model, 5, &periods, error));
    TRY(abc_xyz_rows(comm, &model->shop, periods, &rows, error));
    for (int64_t row = 0; row < rows.rows; row++) {
        int32_t code = names_find(&model->shop.product, column_text(&rows.columns[0], row));
        for (int c = 0; c < 4; c++) {
            Bytes name = column_text(table_column(&rows, columns[c]), row);
            letters[code * 4 + c] = name.size > 0 ? name.data[0] : '-';
        }
    }
    comm_sum_i64(comm, letters, 4 * (int64_t)n);
    for (int64_t i = 0; i < 4 * (int64_t)n; i++)
        buffer_printf(text, "%s%c", i > 0 && i % 4 == 0 ? " " : "", (char)letters[i]);
out:
    table_free(&rows);
    product_periods_free(&periods);
    return status;
}

static void check_classes(const PeriodLine *lines, int64_t n, int32_t products,
                          const char *expected)
{
    Comm *comm = rank_comm();
    Error error = {0};
    PeriodModel model = {0};
    Buffer text = {0};
    Status status = STATUS_OK;
    TRY_ALL(comm, hand_made(lines, n, products, &model, &error), &error);
    TRY(print_classes(&model, &text, &error));
    CU_ASSERT_STRING_EQUAL(buffer_string(&text), expected);
out:
    CU_ASSERT_EQUAL(status, STATUS_OK);
    buffer_free(&text);
    period_model_free(&model);
}

/* A product whose share begins exactly at 80 % is no A, at 95 % no B. */
static void test_shares_on_a_bound(void)
{
    static const PeriodLine bounds[] = {
        {.day = 1000, .product = 2, .order = 0, .quantity = 1, .price = 80},
        {.day = 1000, .product = 0, .order = 1, .quantity = 1, .price = 15},
        {.day = 1000, .product = 1, .order = 2, .quantity = 1, .price = 5},
    };
    static const PeriodLine below[] = {
        {.day = 1000, .product = 2, .order = 0, .quantity = 1, .price = 79},
        {.day = 1000, .product = 0, .order = 1, .quantity = 1, .price = 15},
        {.day = 1000, .product = 1, .order = 2, .quantity = 1, .price = 6},
    };
    /* Equal ones by id: codes 0 to 3 are p0, p856, p703, p550. */
    static const PeriodLine equal[] = {
        {.day = 1000, .product = 0, .order = 0, .quantity = 1, .price = 40},
        {.day = 1000, .product = 1, .order = 1, .quantity = 1, .price = 20},
        {.day = 1000, .product = 2, .order = 2, .quantity = 1, .price = 20},
        {.day = 1000, .product = 3, .order = 3, .quantity = 1, .price = 20},
    };
    /* 80 % and 95 % of sums that nothing may be multiplied with. */
    static const PeriodLine large[] = {
        {.day = 1000, .product = 2, .order = 0, .quantity = 4, .price = INT64_MAX / 5},
        {.day = 1000, .product = 0, .order = 1, .quantity = 3, .price = INT64_MAX / 20},
        {.day = 1000, .product = 1, .order = 2, .quantity = 1, .price = INT64_MAX / 20},
    };
    check_classes(bounds, 3, 3, "BZ-- CZ-- AZ--");
    check_classes(below, 3, 3, "AZ-- BZ-- AZ--");
    check_classes(equal, 4, 4, "AZ-- BZ-- AZ-- AZ--");
    /* The large sums are below INT64_MAX by 5 + 15 at most: the second begins at or just above
     * 80 %, the third at or just above 95 %. */
    check_classes(large, 3, 3, "BZ-- CZ-- AZ--");
}

/* Units in 13 blocks with a coefficient of variation of exactly 1/2 and 1, and just above, in the
 * latest year or in that before. */
static void test_evenness_on_a_bound(void)
{
    enum { PRODUCTS = 4 };
    static const int32_t units[PRODUCTS][BLOCKS] = {
        {7, 1, 8, 0, 5, 3, 4, 4, 4, 4, 4, 4, 4}, /* 1/2 */
        {7, 1, 8, 0, 6, 2, 4, 4, 4, 4, 4, 4, 4},
        {6, 6, 4, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0}, /* 1 */
        {6, 6, 5, 1, 2, 2, 1, 1, 1, 1, 0, 0, 0},
    };
    PeriodLine lines[2 * PRODUCTS * BLOCKS];
    int64_t n = 0;
    for (int32_t p = 0; p < PRODUCTS; p++) {
        for (int32_t b = 0; b < BLOCKS; b++) {
            /* The last day of a block, and the first of one a year before, of other units. */
            PeriodLine line = {.day = 1000 - 28 * b, .product = p, .price = 100};
            line.order = (int32_t)n;
            line.quantity = units[p][b];
            if (line.quantity > 0)
                lines[n++] = line;
            line.day -= YEAR + 27;
            line.order = (int32_t)n;
            line.quantity = units[(p + 1) % PRODUCTS][b];
            if (line.quantity > 0)
                lines[n++] = line;
        }
    }
    check_classes(lines, n, PRODUCTS, "AXAY AYBY BYAZ AZAX");
}

/* Pieces came back for more than they were sold for, or more came back than was sold. */
static void test_years_without_net(void)
{
    static const PeriodLine lines[] = {
        {.day = 1000, .product = 0, .order = 0, .quantity = 3, .price = 10},
        {.day = 1000, .product = 0, .order = 0, .quantity = -2, .price = 20},
        {.day = 500, .product = 0, .order = 1, .quantity = 1, .price = 10},
        {.day = 1000, .product = 1, .order = 0, .quantity = 1, .price = 30},
        {.day = 1000, .product = 1, .order = 0, .quantity = -3, .price = 5},
        {.day = 500, .product = 1, .order = 1, .quantity = -1, .price = 10},
    };
    check_classes(lines, 6, 2, "--AZ AZ--");
}

/* Stock whose value no money column can hold has none; it is told where it just fits. */
static void test_stock_of_great_value(void)
{
    static const PeriodLine line = {.day = 1000, .product = 1, .quantity = 2, .price = 5};
    Comm *comm = rank_comm();
    Error error = {0};
    PeriodModel model = {0};
    Printed got = {0};
    Buffer expected = {0};
    Status status = STATUS_OK;
    TRY_ALL(comm, hand_made(&line, 1, 2, &model, &error), &error);
    TRY(print_tables(&model, 1, 1, DIGITS, &got, &error));
    buffer_printf(&expected, "p0,10,%" PRId64 ",NULL,NULL,NULL,0,0,0,NULL,dead,\n",
                  INT64_MAX / 10 * 10);
    buffer_append_string(&expected, "p856,10,NULL,1000,1000,0,2,2,2,420,selling,\n");
    CU_ASSERT(period_texts_agree("stock_risk", &got.stock_risk, &expected));
out:
    CU_ASSERT_EQUAL(status, STATUS_OK);
    printed_free(&got);
    buffer_free(&expected);
    period_model_free(&model);
}

CU_TestInfo product_periods_tests[] = {
    {"random_shops", test_random_shops},
    {"few_movers", test_few_movers},
    {"shares_on_a_bound", test_shares_on_a_bound},
    {"evenness_on_a_bound", test_evenness_on_a_bound},
    {"years_without_net", test_years_without_net},
    {"stock_of_great_value", test_stock_of_great_value},
    CU_TEST_INFO_NULL,
};
