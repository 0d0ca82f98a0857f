/* A random shop with its events and reviews; see visit_model.h. */
#include "rank/visit_model.h"

#include "base/memory.h"
#include "base/random.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t DAY_US = INT64_C(86400000000);

/* ---- names: orders of codes and of texts differ ---- */

void visit_product_text(int32_t product, char text[VISIT_TEXT_SIZE])
{
    (void)snprintf(text, VISIT_TEXT_SIZE, "p%" PRId32, (int32_t)((product * 7919LL + 5) % 100003));
}

void visit_customer_text(int32_t customer, char text[VISIT_TEXT_SIZE])
{
    (void)snprintf(text, VISIT_TEXT_SIZE, "c%" PRId32, (int32_t)(customer * 7919LL % 100003));
}

static int32_t partition_of(int32_t customer, int64_t otherwise)
{
    return (int32_t)((customer >= 0 ? customer : otherwise) % VISIT_PARTITIONS);
}

static int32_t code_of(int32_t customer)
{
    return customer < 0 ? -1 : customer / VISIT_PARTITIONS;
}

/* ---- making ---- */

static int32_t draw_customer(const VisitShape *shape, Random *random)
{
    if (random_unit(random) < shape->hot)
        return 0;
    return (int32_t)random_below(random, shape->customers);
}

/* Times of few different seconds, so that many are equal; the day is sometimes the next one, as
 * where the clock goes back at midnight. */
static void draw_time(const VisitShape *shape, Random *random, int64_t *ts_us, int32_t *day)
{
    *day = shape->first_day + (int32_t)random_below(random, shape->n_days);
    *ts_us = *day * DAY_US + random_below(random, 5) * 1000000;
    *day += random_unit(random) < 0.05;
}

static void draw_event(const VisitShape *shape, Random *random, VisitEvent *event)
{
    event->customer = draw_customer(shape, random);
    draw_time(shape, random, &event->ts_us, &event->day);
    event->kind = random_unit(random) < shape->carts ? 1 : (int8_t)random_below(random, 4);
    if (shape->has_no_checkout && event->kind == 3)
        event->kind = 0;
    bool has_product = event->kind != 3 && random_unit(random) >= shape->no_product;
    event->product = has_product ? (int32_t)random_below(random, shape->products) : -1;
    event->batch = (int)random_below(random, shape->batches);
}

static void make_events(VisitModel *model, Random *random)
{
    const VisitShape *shape = &model->shape;
    int64_t row = 0;
    model->events = mem_new(shape->events, sizeof *model->events);
    for (int64_t i = 0; i < shape->events; i++)
        draw_event(shape, random, &model->events[i]);
    for (int batch = 0; batch < shape->batches; batch++) {
        for (int64_t i = 0; i < shape->events; i++)
            if (model->events[i].batch == batch)
                model->events[i].row = row++;
    }
}

/* Orders of one to four lines; some lines a day later. */
static void make_lines(VisitModel *model, Random *random)
{
    const VisitShape *shape = &model->shape;
    VisitLine order = {.order = -1};
    int64_t left = 0;
    model->lines = mem_new(shape->lines, sizeof *model->lines);
    for (int64_t i = 0; i < shape->lines; i++) {
        if (left-- == 0) {
            left = random_below(random, 4);
            order.order++;
            order.customer = draw_customer(shape, random);
            if (random_unit(random) < shape->anonymous)
                order.customer = -1;
            order.day = shape->sales_first + (int32_t)random_below(random, shape->sales_days);
            order.cancelled = random_unit(random) < 0.1;
        }
        VisitLine *line = &model->lines[i];
        *line = order;
        line->day += random_unit(random) < 0.1;
        line->product = (int32_t)random_below(random, shape->products);
        line->quantity = random_unit(random) < 0.15 ? -1 : 1 + (int32_t)random_below(random, 3);
        line->is_kept = line->quantity > 0 && !line->cancelled;
        if (line->day > model->shop.as_of)
            model->shop.as_of = line->day;
    }
}

static void make_reviews(VisitModel *model, Random *random)
{
    const VisitShape *shape = &model->shape;
    model->reviews = mem_new(shape->reviews, sizeof *model->reviews);
    for (int64_t i = 0; i < shape->reviews; i++) {
        VisitReview *review = &model->reviews[i];
        review->customer = draw_customer(shape, random);
        if (random_unit(random) < shape->anonymous)
            review->customer = -1;
        draw_time(shape, random, &review->ts_us, &review->day);
        review->product = (int32_t)random_below(random, shape->products);
        review->rating = 100 + 50 * (int32_t)random_below(random, 9);
        review->batch = (int)random_below(random, shape->batches);
    }
}

static Status make_shop(const VisitShape *shape, Shop *shop, Error *error)
{
    static const ColumnSpec text_column = {"text", COLUMN_TEXT, UNIT_NONE};
    Status status = STATUS_OK;
    char text[VISIT_TEXT_SIZE];
    Table texts = {0};
    *shop = (Shop){.partitions = VISIT_PARTITIONS, .as_of = DAY_NONE};
    table_init(&texts, &text_column, 1);
    for (int32_t product = 0; product < shape->products; product++) {
        visit_product_text(product, text);
        TRY(table_add_row(&texts, error));
        TRY(table_set_last_text(&texts, &texts.columns[0], bytes_of(text), error));
    }
    TRY(names_make(&shop->product, &texts, error));
    shop->catalogue.price = mem_new(shape->products, sizeof *shop->catalogue.price);
    for (int32_t product = 0; product < shape->products; product++)
        shop->catalogue.price[product] =
            shape->has_no_price || product % 3 == 2 ? MONEY_NONE : 100 + product;
out:
    table_free(&texts);
    return status;
}

Status visit_model_make(const VisitShape *shape, uint64_t seed, VisitModel *model, Error *error)
{
    *model = (VisitModel){.shape = *shape};
    Random random = random_stream(seed, 0);
    Status status = make_shop(shape, &model->shop, error);
    make_events(model, &random);
    make_lines(model, &random);
    make_reviews(model, &random);
    return status;
}

void visit_model_free(VisitModel *model)
{
    mem_free(&model->events);
    mem_free(&model->lines);
    mem_free(&model->reviews);
    shop_free(&model->shop);
}

/* ---- partitions ---- */

static int compare_events(const void *a, const void *b)
{
    const VisitEvent *x = a, *y = b;
    if (x->batch != y->batch)
        return x->batch - y->batch;
    if (x->customer != y->customer)
        return x->customer - y->customer;
    if (x->ts_us != y->ts_us)
        return x->ts_us < y->ts_us ? -1 : 1;
    return x->row < y->row ? -1 : 1;
}

static int compare_lines(const void *a, const void *b)
{
    const VisitLine *x = a, *y = b;
    uint32_t left = (uint32_t)x->customer, right = (uint32_t)y->customer;
    if (left != right)
        return left < right ? -1 : 1;
    return x->order - y->order;
}

static int compare_reviews(const void *a, const void *b)
{
    const VisitReview *x = a, *y = b;
    uint32_t left = (uint32_t)x->customer, right = (uint32_t)y->customer;
    if (x->batch != y->batch)
        return x->batch - y->batch;
    return (left > right) - (left < right);
}

static Status partition_events(const VisitModel *model, int32_t partition, VisitPartition *made,
                               Error *error)
{
    static const ColumnSpec columns[] = {{"customer", COLUMN_I32, UNIT_CODE},
                                         {"ts_us", COLUMN_I64, UNIT_TIME_US},
                                         {"day", COLUMN_I32, UNIT_DAY},
                                         {"kind", COLUMN_I8, UNIT_NONE},
                                         {"product", COLUMN_I32, UNIT_CODE}};
    Status status = STATUS_OK;
    VisitEvent *events = mem_new(model->shape.events, sizeof *events);
    int64_t n = 0;
    for (int64_t i = 0; i < model->shape.events; i++)
        if (partition_of(model->events[i].customer, 0) == partition)
            events[n++] = model->events[i];
    qsort(events, (size_t)n, sizeof *events, compare_events);
    table_init(&made->event_rows, columns, 5);
    TRY(table_set_rows(&made->event_rows, n, error));
    Column *column = made->event_rows.columns;
    bool has_product = false;
    for (int64_t i = 0; i < n; i++) {
        ((int32_t *)column[0].data)[i] = code_of(events[i].customer);
        ((int64_t *)column[1].data)[i] = events[i].ts_us;
        ((int32_t *)column[2].data)[i] = events[i].day;
        ((int8_t *)column[3].data)[i] = events[i].kind;
        ((int32_t *)column[4].data)[i] = events[i].product;
        has_product |= events[i].product >= 0;
    }
    made->events = (Events){.n = n,
                            .customer = column[0].data,
                            .ts_us = column[1].data,
                            .day = column[2].data,
                            .kind = column[3].data,
                            .product = has_product ? column[4].data : NULL};
out:
    mem_free(&events);
    return status;
}

static Status partition_lines(const VisitModel *model, int32_t partition, VisitPartition *made,
                              Error *error)
{
    static const ColumnSpec columns[] = {
        {"customer", COLUMN_I32, UNIT_CODE},  {"order", COLUMN_I32, UNIT_CODE},
        {"day", COLUMN_I32, UNIT_DAY},        {"product", COLUMN_I32, UNIT_CODE},
        {"quantity", COLUMN_I32, UNIT_COUNT}, {"cancelled", COLUMN_I8, UNIT_BOOL}};
    Status status = STATUS_OK;
    VisitLine *lines = mem_new(model->shape.lines, sizeof *lines);
    int64_t n = 0;
    for (int64_t i = 0; i < model->shape.lines; i++)
        if (partition_of(model->lines[i].customer, model->lines[i].order) == partition)
            lines[n++] = model->lines[i];
    qsort(lines, (size_t)n, sizeof *lines, compare_lines);
    table_init(&made->line_rows, columns, 6);
    TRY(table_set_rows(&made->line_rows, n, error));
    Column *column = made->line_rows.columns;
    int32_t order = -1;
    for (int64_t i = 0; i < n; i++) {
        order += i == 0 || lines[i].order != lines[i - 1].order;
        ((int32_t *)column[0].data)[i] = code_of(lines[i].customer);
        ((int32_t *)column[1].data)[i] = order;
        ((int32_t *)column[2].data)[i] = lines[i].day;
        ((int32_t *)column[3].data)[i] = lines[i].product;
        ((int32_t *)column[4].data)[i] = lines[i].quantity;
        ((int8_t *)column[5].data)[i] = lines[i].cancelled;
    }
    made->lines = (OrderLines){.partition = partition,
                               .n = n,
                               .customer = column[0].data,
                               .order = column[1].data,
                               .day = column[2].data,
                               .product = column[3].data,
                               .quantity = column[4].data,
                               .cancelled = column[5].data};
out:
    mem_free(&lines);
    return status;
}

static Status partition_reviews(const VisitModel *model, int32_t partition, VisitPartition *made,
                                Error *error)
{
    static const ColumnSpec columns[] = {
        {"product", COLUMN_I32, UNIT_CODE},  {"rating", COLUMN_I32, UNIT_NONE},
        {"ts_us", COLUMN_I64, UNIT_TIME_US}, {"day", COLUMN_I32, UNIT_DAY},
        {"customer", COLUMN_I32, UNIT_CODE},
    };
    Status status = STATUS_OK;
    VisitReview *reviews = mem_new(model->shape.reviews, sizeof *reviews);
    int64_t n = 0;
    for (int64_t i = 0; i < model->shape.reviews; i++)
        if (partition_of(model->reviews[i].customer, i) == partition)
            reviews[n++] = model->reviews[i];
    qsort(reviews, (size_t)n, sizeof *reviews, compare_reviews);
    table_init(&made->review_rows, columns, 5);
    TRY(table_set_rows(&made->review_rows, n, error));
    Column *column = made->review_rows.columns;
    bool has_customer = false;
    for (int64_t i = 0; i < n; i++) {
        ((int32_t *)column[0].data)[i] = reviews[i].product;
        ((int32_t *)column[1].data)[i] = reviews[i].rating;
        ((int64_t *)column[2].data)[i] = reviews[i].ts_us;
        ((int32_t *)column[3].data)[i] = reviews[i].day;
        ((int32_t *)column[4].data)[i] = code_of(reviews[i].customer);
        has_customer |= reviews[i].customer >= 0;
    }
    made->reviews = (Reviews){.n = n,
                              .product = column[0].data,
                              .rating = column[1].data,
                              .ts_us = column[2].data,
                              .day = column[3].data,
                              .customer = has_customer ? column[4].data : NULL};
out:
    mem_free(&reviews);
    return status;
}

Status visit_partition_make(const VisitModel *model, int32_t partition, VisitPartition *made,
                            Error *error)
{
    Status status = STATUS_OK;
    *made = (VisitPartition){.lines = {.partition = partition}};
    TRY(partition_events(model, partition, made, error));
    TRY(partition_lines(model, partition, made, error));
    TRY(partition_reviews(model, partition, made, error));
out:
    return status;
}

void visit_partition_free(VisitPartition *partition)
{
    table_free(&partition->event_rows);
    table_free(&partition->line_rows);
    table_free(&partition->review_rows);
}

void visit_deal(int deal, int32_t partition, int size, int *rank, int *thread)
{
    Random random = random_stream((uint64_t)deal, (uint64_t)partition);
    *rank = deal == 0 ? 0 : (int)random_below(&random, size);
    *thread = deal == 0 ? 0 : (int)random_below(&random, VISIT_THREADS);
    if (size > 2 && *rank == size / 2)
        *rank = 0;
}

/* ---- the store ---- */

static Status list_ids(const VisitModel *model, int32_t begin, int32_t end, Table *rows,
                       int64_t *counts, Error *error)
{
    static const ColumnSpec text_column = {"text", COLUMN_TEXT, UNIT_NONE};
    Status status = STATUS_OK;
    char text[VISIT_TEXT_SIZE];
    table_init(rows, &text_column, 1);
    for (int32_t p = begin; p < end; p++) {
        for (int32_t c = p; c < model->shape.customers; c += VISIT_PARTITIONS) {
            visit_customer_text(c, text);
            TRY(table_add_row(rows, error));
            TRY(table_set_last_text(rows, &rows->columns[0], bytes_of(text), error));
            counts[p - begin]++;
        }
    }
out:
    return status;
}

Status visit_store(Comm *comm, const char *folder, const VisitModel *model, Store **store,
                   Error *error)
{
    static const StoreSettings settings = {
        .partitions = VISIT_PARTITIONS, .time_zone = "UTC", .currency = "EUR"};
    Status status = STATUS_OK;
    StoreBatch *batch = NULL;
    Table rows = {0};
    int64_t counts[VISIT_PARTITIONS] = {0};
    int32_t begin, end;
    TRY(store_create(comm, folder, &settings, error));
    TRY(store_open(comm, folder, STORE_WRITE, store, error));
    store_owned(*store, comm_rank(comm), comm_size(comm), &begin, &end);
    TRY(store_batch_begin(comm, *store, &batch, error));
    TRY_ALL(comm, list_ids(model, begin, end, &rows, counts, error), error);
    TRY(store_batch_write(comm, batch, "customer_ids", TABLE_APPEND, &rows, begin, end - begin,
                          counts, error));
    TRY(store_batch_commit(comm, *store, &batch, error));
out:
    store_batch_discard(comm, &batch);
    table_free(&rows);
    return status;
}

/* ---- texts ---- */

static void print_value(const Column *column, int64_t row, bool is_exact, Buffer *text)
{
    double real;
    switch (column->type) {
    case COLUMN_TEXT:
        buffer_append_bytes(text, column_text(column, row));
        break;
    case COLUMN_F64:
        real = ((const double *)column->data)[row];
        if (isnan(real))
            buffer_append_string(text, "-");
        else if (is_exact)
            buffer_printf(text, "%a", real);
        else
            buffer_printf(text, "%.9f", real);
        break;
    case COLUMN_I32:
        buffer_printf(text, "%" PRId32, ((const int32_t *)column->data)[row]);
        break;
    default:
        buffer_printf(text, "%" PRId64, ((const int64_t *)column->data)[row]);
        break;
    }
}

Status visit_print(Comm *comm, const Table *rows, bool is_exact, Buffer *text, Error *error)
{
    Status status = STATUS_OK;
    Buffer own = {0};
    char *all = NULL;
    int64_t n_all = 0;
    buffer_clear(text);
    for (int64_t row = 0; row < rows->rows; row++) {
        for (int c = 0; c < rows->n_columns; c++) {
            buffer_append_string(&own, c == 0 ? "" : "|");
            print_value(&rows->columns[c], row, is_exact, &own);
        }
        buffer_append_string(&own, "\n");
    }
    TRY(comm_gather_all(comm, own.data, own.size, &all, &n_all, NULL, error));
    buffer_append(text, all, n_all);
out:
    mem_free(&all);
    buffer_free(&own);
    return status;
}

bool visit_same_text(const char *what, const Buffer *got, const Buffer *expected)
{
    const char *g = buffer_string(got), *e = buffer_string(expected);
    const char *g_line = g, *e_line = e;
    while (*g && *g == *e) {
        if (*g == '\n') {
            g_line = g + 1;
            e_line = e + 1;
        }
        g++;
        e++;
    }
    if (*g == *e)
        return true;
    fprintf(stderr, "%s: got %.*s, expected %.*s\n", what, (int)strcspn(g_line, "\n"), g_line,
            (int)strcspn(e_line, "\n"), e_line);
    return false;
}
