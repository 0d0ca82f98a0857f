/* A random shop and naive answers about it; see sales_model.h. */
#include "rank/sales_model.h"

#include "base/civil.h"
#include "base/memory.h"
#include "base/random.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t hour_us = 3600000000;

/* ---- the shop ---- */

static void add_line(ModelShop *shop, ModelLine line)
{
    if ((shop->n & (shop->n - 1)) == 0) /* a full power of two: double it */
        mem_grow(&shop->lines, shop->n > 0 ? shop->n * 2 : 1, sizeof *shop->lines);
    shop->lines[shop->n++] = line;
}

/* One version of an order. Days and countries of its lines differ now and then. */
static void add_version(ModelShop *shop, ModelLine line, Random *random)
{
    const ShopShape *shape = &shop->shape;
    int64_t n = shape->lines_min + random_below(random, shape->lines_max - shape->lines_min + 1);
    int32_t day = line.day, country = line.country;
    line.cancelled = random_unit(random) < shape->cancelled;
    for (int64_t i = 0; i < n; i++) {
        line.day = day + (random_below(random, 12) == 0);
        line.country = country;
        if (shape->countries > 0 && random_below(random, 12) == 0)
            line.country = (int32_t)random_below(random, shape->countries + 1) - 1;
        /* The smaller of two draws: low numbers are popular. */
        int64_t a = random_below(random, shape->products), b = random_below(random, a + 1);
        line.product = shape->all_products ? (int32_t)i : (int32_t)b;
        line.quantity = (int32_t)random_below(random, 5);
        line.quantity += line.quantity > 0 || random_below(random, 4) > 0;
        if (random_unit(random) < shape->returns)
            line.quantity = -line.quantity;
        line.price = random_below(random, 20) * 25;
        add_line(shop, line);
    }
}

void model_shop_make(const ShopShape *shape, uint64_t seed, ModelShop *shop)
{
    *shop = (ModelShop){.shape = *shape};
    for (int32_t order = 0; order < shape->orders; order++) {
        Random random = random_stream(seed, (uint64_t)order);
        ModelLine line = {.order = order, .customer = -1, .country = -1, .in_force = true};
        if (random_unit(&random) >= shape->anonymous)
            line.customer = (int32_t)random_below(&random, shape->customers);
        line.day = shape->first_day + (int32_t)random_below(&random, shape->n_days);
        line.ts_us = (line.day * (int64_t)24 + random_below(&random, 24)) * hour_us;
        if (shape->countries > 0)
            line.country = (int32_t)random_below(&random, shape->countries + 1) - 1;
        line.batch = (int32_t)random_below(&random, shape->batches);
        int64_t begin = shop->n;
        add_version(shop, line, &random);
        if (line.batch != 0 || random_unit(&random) >= shape->replaced)
            continue;
        for (int64_t i = begin; i < shop->n; i++)
            shop->lines[i].in_force = false;
        line.batch = 1;
        add_version(shop, line, &random);
    }
}

void model_shop_free(ModelShop *shop)
{
    mem_free(&shop->lines);
    *shop = (ModelShop){0};
}

/* Texts in another order than their numbers, with bytes above 127. */
void product_text(int32_t product, char text[MODEL_TEXT_SIZE])
{
    static const char *const starts[] = {"m", "\xc3\xa9", "B", "m1", "0"};
    (void)snprintf(text, MODEL_TEXT_SIZE, "%s%" PRId32, starts[(uint32_t)product % 5], product);
}

void customer_text(int32_t customer, char text[MODEL_TEXT_SIZE])
{
    (void)snprintf(text, MODEL_TEXT_SIZE, "%" PRId32 ".0", customer * 7 % 1000 + customer * 1000);
}

void country_text(int32_t country, char text[MODEL_TEXT_SIZE])
{
    (void)snprintf(text, MODEL_TEXT_SIZE, "%c\xc3\xb6land %" PRId32, 'Z' - country % 20, country);
}

int32_t model_partition(const ModelLine *line)
{
    return (line->customer >= 0 ? line->customer : line->order) % MODEL_PARTITIONS;
}

int32_t model_customer_code(const ModelLine *line)
{
    return line->customer >= 0 ? line->customer / MODEL_PARTITIONS : -1;
}

/* ---- the answers ---- */

typedef void TextOf(int32_t code, char text[MODEL_TEXT_SIZE]);

static int compare_codes(const void *a, const void *b, void *text_of)
{
    char left[MODEL_TEXT_SIZE], right[MODEL_TEXT_SIZE];
    TextOf *const *write = text_of;
    (*write)(*(const int32_t *)a, left);
    (*write)(*(const int32_t *)b, right);
    return strcmp(left, right);
}

/* 0..n-1 in the order of their texts (mem_free). */
static int32_t *codes_by_text(int32_t n, TextOf *text_of)
{
    int32_t *codes = mem_new(n, sizeof *codes);
    for (int32_t i = 0; i < n; i++)
        codes[i] = i;
    if (n > 0)
        qsort_r(codes, (size_t)n, sizeof *codes, compare_codes, &text_of);
    return codes;
}

static bool is_sale(const ModelLine *line)
{
    return line->quantity > 0 && !line->cancelled;
}

static int64_t value_of(const ModelLine *line)
{
    return line->quantity * line->price;
}

/* Which lines a sum is over; INT32_MIN leaves a condition out. */
typedef struct Filter {
    int32_t day, month, country, product, customer;
} Filter;
static const Filter no_filter = {INT32_MIN, INT32_MIN, INT32_MIN, INT32_MIN, INT32_MIN};

static bool passes(const ModelLine *line, const Filter *filter)
{
    return line->in_force && (filter->day == INT32_MIN || filter->day == line->day) &&
           (filter->month == INT32_MIN || filter->month == civil_month(line->day)) &&
           (filter->country == INT32_MIN || filter->country == line->country) &&
           (filter->product == INT32_MIN || filter->product == line->product) &&
           (filter->customer == INT32_MIN || filter->customer == line->customer);
}

typedef struct Sums {
    int64_t gross, returned, units, units_returned, lines, orders, customers;
} Sums;

static Sums sum_lines(const ModelShop *shop, Filter filter)
{
    Sums sums = {0};
    bool *orders = mem_new(shop->shape.orders, sizeof *orders);
    bool *customers = mem_new(shop->shape.customers, sizeof *customers);
    for (int64_t i = 0; i < shop->n; i++) {
        const ModelLine *line = &shop->lines[i];
        if (!passes(line, &filter))
            continue;
        sums.lines++;
        if (line->quantity > 0) {
            sums.gross += value_of(line);
            sums.units += line->quantity;
        }
        if (line->quantity < 0 || line->cancelled) {
            sums.returned += llabs(value_of(line));
            sums.units_returned += abs(line->quantity);
        }
        if (!is_sale(line))
            continue;
        sums.orders += !orders[line->order];
        orders[line->order] = true;
        if (line->customer >= 0) {
            sums.customers += !customers[line->customer];
            customers[line->customer] = true;
        }
    }
    mem_free(&orders);
    mem_free(&customers);
    return sums;
}

static int32_t last_day(const ModelShop *shop)
{
    return shop->shape.first_day + shop->shape.n_days; /* lines can be a day later */
}

static void expect_daily(const ModelShop *shop, Buffer *text)
{
    buffer_append_string(text, "sales_daily: day\nday,gross,returned,net,units,units_returned,"
                               "orders,customers,lines\n");
    for (int32_t day = shop->shape.first_day; day <= last_day(shop); day++) {
        Filter filter = no_filter;
        filter.day = day;
        Sums sums = sum_lines(shop, filter);
        if (sums.lines > 0)
            buffer_printf(text,
                          "%" PRId32 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64
                          ",%" PRId64 ",%" PRId64 ",%" PRId64 "\n",
                          day, sums.gross, sums.returned, sums.gross - sums.returned, sums.units,
                          sums.units_returned, sums.orders, sums.customers, sums.lines);
    }
}

static void append_totals(Buffer *text, Sums sums)
{
    buffer_printf(text, ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 "\n",
                  sums.gross, sums.returned, sums.units, sums.orders, sums.customers);
}

static void expect_monthly_country(const ModelShop *shop, Buffer *text)
{
    int32_t *codes = codes_by_text(shop->shape.countries, country_text);
    buffer_append_string(text, "sales_monthly_country: month,country\n"
                               "month,country,gross,returned,units,orders,customers\n");
    int32_t begin = civil_month(shop->shape.first_day), end = civil_month(last_day(shop));
    for (int32_t month = begin; month <= end; month++) {
        for (int32_t i = -1; i < shop->shape.countries; i++) {
            char country[MODEL_TEXT_SIZE] = "";
            Filter filter = no_filter;
            filter.month = month;
            filter.country = i < 0 ? -1 : codes[i];
            Sums sums = sum_lines(shop, filter);
            if (i >= 0)
                country_text(codes[i], country);
            if (sums.lines == 0)
                continue;
            buffer_printf(text, "%" PRId32 ",%s", month, country);
            append_totals(text, sums);
        }
    }
    mem_free(&codes);
}

static void expect_products(const ModelShop *shop, Buffer *text)
{
    int32_t *codes = codes_by_text(shop->shape.products, product_text);
    buffer_append_string(text, "product_total: product_id\n"
                               "product_id,gross,returned,units,orders,customers\n");
    for (int32_t i = 0; i < shop->shape.products; i++) {
        char product[MODEL_TEXT_SIZE];
        Filter filter = no_filter;
        filter.product = codes[i];
        Sums sums = sum_lines(shop, filter);
        product_text(codes[i], product);
        if (sums.lines == 0)
            continue;
        buffer_append_string(text, product);
        append_totals(text, sums);
    }
    mem_free(&codes);
}

static void expect_customers(const ModelShop *shop, Buffer *text)
{
    int32_t *codes = codes_by_text(shop->shape.customers, customer_text);
    buffer_append_string(text, "customer_summary: customer\n"
                               "customer,first_day,last_day,orders,net\n");
    for (int32_t i = 0; i < shop->shape.customers; i++) {
        Filter filter = no_filter;
        filter.customer = codes[i];
        Sums sums = sum_lines(shop, filter);
        if (sums.lines == 0)
            continue;
        char customer[MODEL_TEXT_SIZE];
        int32_t first = INT32_MAX, last = INT32_MIN;
        for (int64_t k = 0; k < shop->n; k++) {
            const ModelLine *line = &shop->lines[k];
            if (!passes(line, &filter) || !is_sale(line))
                continue;
            first = line->day < first ? line->day : first;
            last = line->day > last ? line->day : last;
        }
        customer_text(codes[i], customer);
        if (sums.orders > 0)
            buffer_printf(text, "%s,%" PRId32 ",%" PRId32, customer, first, last);
        else
            buffer_printf(text, "%s,,", customer);
        buffer_printf(text, ",%" PRId64 ",%" PRId64 "\n", sums.orders, sums.gross - sums.returned);
    }
    mem_free(&codes);
}

static void expect_cohorts(const ModelShop *shop, Buffer *text)
{
    int32_t begin = civil_month(shop->shape.first_day);
    int64_t n = civil_month(last_day(shop)) - begin + 1;
    bool *bought = mem_new(shop->shape.customers * n, sizeof *bought);
    int64_t *cohorts = mem_new(n * n, sizeof *cohorts);
    buffer_append_string(text, "cohort_month: cohort,months_since\n"
                               "cohort,months_since,customers\n");
    for (int64_t i = 0; i < shop->n; i++) {
        const ModelLine *line = &shop->lines[i];
        if (line->in_force && line->customer >= 0 && is_sale(line))
            bought[line->customer * n + civil_month(line->day) - begin] = true;
    }
    for (int32_t customer = 0; customer < shop->shape.customers; customer++) {
        int64_t first = 0;
        while (first < n && !bought[customer * n + first])
            first++;
        for (int64_t month = first; month < n; month++)
            cohorts[first * n + month - first] += bought[customer * n + month];
    }
    for (int64_t i = 0; i < n * n; i++) {
        if (cohorts[i] > 0)
            buffer_printf(text, "%" PRId64 ",%" PRId64 ",%" PRId64 "\n", begin + i / n, i % n,
                          cohorts[i]);
    }
    mem_free(&bought);
    mem_free(&cohorts);
}

typedef struct PairRow {
    int64_t orders;
    int32_t a, b; /* places in the order of texts */
} PairRow;

static int compare_pairs(const void *left, const void *right)
{
    const PairRow *x = left, *y = right;
    if (x->orders != y->orders)
        return x->orders > y->orders ? -1 : 1;
    if (x->a != y->a)
        return x->a < y->a ? -1 : 1;
    return x->b < y->b ? -1 : x->b > y->b;
}

static void expect_pairs(const ModelShop *shop, Buffer *text)
{
    int64_t n = shop->shape.products, n_rows = 0;
    int32_t *codes = codes_by_text(shop->shape.products, product_text);
    PairRow *rows = NULL;
    bool *sold = mem_new(shop->shape.orders * n, sizeof *sold); /* [products x orders] */
    buffer_append_string(text, "basket_pairs: product_a,product_b\nproduct_a,product_b,orders\n");
    for (int64_t i = 0; i < shop->n; i++) {
        const ModelLine *line = &shop->lines[i];
        if (line->in_force && is_sale(line))
            sold[line->product * (int64_t)shop->shape.orders + line->order] = true;
    }
    for (int32_t a = 0; a < n; a++) {
        for (int32_t b = a + 1; b < n; b++) {
            const bool *x = sold + codes[a] * (int64_t)shop->shape.orders;
            const bool *y = sold + codes[b] * (int64_t)shop->shape.orders;
            int64_t orders = 0;
            for (int32_t order = 0; order < shop->shape.orders; order++)
                orders += x[order] && y[order];
            if (orders < shop->shape.min_orders)
                continue;
            if ((n_rows & (n_rows - 1)) == 0) /* a full power of two: double it */
                mem_grow(&rows, n_rows > 0 ? n_rows * 2 : 1, sizeof *rows);
            rows[n_rows++] = (PairRow){orders, a, b};
        }
    }
    if (n_rows > 0)
        qsort(rows, (size_t)n_rows, sizeof *rows, compare_pairs);
    for (int64_t i = 0; i < n_rows; i++) {
        char a[MODEL_TEXT_SIZE], b[MODEL_TEXT_SIZE];
        product_text(codes[rows[i].a], a);
        product_text(codes[rows[i].b], b);
        buffer_printf(text, "%s,%s,%" PRId64 "\n", a, b, rows[i].orders);
    }
    mem_free(&rows);
    mem_free(&sold);
    mem_free(&codes);
}

static int compare_values(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void expect_order_values(const ModelShop *shop, Buffer *text)
{
    int64_t n = shop->shape.orders;
    int64_t *values = mem_new(n, sizeof *values);
    int64_t *of_month = mem_new(n, sizeof *of_month);
    int32_t *days = mem_new(n, sizeof *days);
    buffer_append_string(text, "order_value_monthly: month\nmonth,orders,median_low,p95_low\n");
    for (int64_t order = 0; order < n; order++)
        days[order] = INT32_MAX;
    for (int64_t i = 0; i < shop->n; i++) {
        const ModelLine *line = &shop->lines[i];
        if (!line->in_force || !is_sale(line))
            continue;
        values[line->order] += value_of(line);
        days[line->order] = line->day < days[line->order] ? line->day : days[line->order];
    }
    int32_t begin = civil_month(shop->shape.first_day), end = civil_month(last_day(shop));
    for (int32_t month = begin; month <= end; month++) {
        int64_t count = 0;
        for (int64_t order = 0; order < n; order++) {
            if (days[order] != INT32_MAX && civil_month(days[order]) == month)
                of_month[count++] = values[order];
        }
        if (count == 0)
            continue;
        qsort(of_month, (size_t)count, sizeof *of_month, compare_values);
        buffer_printf(text, "%" PRId32 ",%" PRId64 ",%" PRId64 ",%" PRId64 "\n", month, count,
                      of_month[(count - 1) / 2], of_month[(95 * count + 99) / 100 - 1]);
    }
    mem_free(&values);
    mem_free(&of_month);
    mem_free(&days);
}

void model_shop_expect(const ModelShop *shop, Buffer *text)
{
    buffer_clear(text);
    expect_daily(shop, text);
    expect_monthly_country(shop, text);
    expect_products(shop, text);
    expect_customers(shop, text);
    expect_cohorts(shop, text);
    expect_order_values(shop, text);
    expect_pairs(shop, text);
}
