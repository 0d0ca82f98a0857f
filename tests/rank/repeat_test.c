/* What customers buy again: random shops against a plain reading of docs/methods/repeat.md. */
#include "recommend/repeat.h"

#include "base/memory.h"
#include "rank/history_model.h"
#include "rank/suites.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the naive account ---- */

enum { DAYS_MAX = 64 };

/* What a customer bought of a product. */
typedef struct Past {
    double share;
    int32_t n_days, days[DAYS_MAX]; /* ascending */
} Past;

/* All pairs, by customer, then item. */
typedef struct Naive {
    int32_t customers, items, until;
    Past *pasts; /* [customers x items] */
    int64_t *popularity;
    double *scores; /* [customers x items]; 0: none */
} Naive;

static Past *past_of(const Naive *naive, int32_t customer, int32_t item)
{
    return &naive->pasts[(int64_t)customer * naive->items + item];
}

/* A customer's orders, oldest first: by time, then batch, then number. Returns how many. */
static int32_t list_orders(const HistoryModel *model, int32_t customer, int32_t until,
                           const ModelLine **orders)
{
    int32_t n = 0;
    for (int64_t i = 0; i < model->orders.n; i++) {
        const ModelLine *line = &model->orders.lines[i];
        bool is_new = true;
        if (line->customer != customer || !history_counts(line, INT32_MIN, until))
            continue;
        for (int32_t k = 0; k < n; k++)
            is_new &= orders[k]->order != line->order;
        if (!is_new)
            continue;
        int32_t at = n++;
        for (; at > 0; at--) {
            const ModelLine *before = orders[at - 1];
            bool is_later = before->ts_us != line->ts_us   ? before->ts_us > line->ts_us
                            : before->batch != line->batch ? before->batch > line->batch
                                                           : before->order > line->order;
            if (!is_later)
                break;
            orders[at] = before;
        }
        orders[at] = line;
    }
    return n;
}

static void add_day(Past *past, int32_t day)
{
    int32_t at = past->n_days;
    for (int32_t i = 0; i < past->n_days; i++) {
        if (past->days[i] == day)
            return;
    }
    vesper_assert(past->n_days < DAYS_MAX);
    for (past->n_days++; at > 0 && past->days[at - 1] > day; at--)
        past->days[at] = past->days[at - 1];
    past->days[at] = day;
}

/* Whether what was bought of a product before `until` all came back. */
static bool came_back(const HistoryModel *model, int32_t customer, int32_t product, int32_t until)
{
    int64_t units = 0;
    for (int64_t i = 0; i < model->orders.n; i++) {
        const ModelLine *line = &model->orders.lines[i];
        bool is_return = line->quantity < 0 && line->in_force && line->day < until;
        if (line->customer == customer && line->product == product &&
            (is_return || history_counts(line, INT32_MIN, until)))
            units += line->quantity;
    }
    return units <= 0;
}

static void look_at_customer(const HistoryModel *model, const Shop *shop,
                             const RepeatOptions *options, int32_t customer, Naive *naive)
{
    const ModelLine **orders = mem_new(model->orders.n, sizeof *orders);
    int32_t n = list_orders(model, customer, naive->until, orders);
    double total = 0;
    for (int32_t k = 0; k < n; k++)
        total += pow(options->decay, k);
    for (int32_t item = 0; item < naive->items; item++) {
        int32_t product = shop->product.code[item];
        Past *past = past_of(naive, customer, item);
        for (int32_t k = 0; k < n; k++) {
            bool holds = false;
            for (int64_t i = 0; i < model->orders.n; i++) {
                const ModelLine *line = &model->orders.lines[i];
                if (line->order != orders[k]->order || line->product != product ||
                    !history_counts(line, INT32_MIN, naive->until))
                    continue;
                holds = true;
                add_day(past, line->day);
            }
            past->share += holds ? pow(options->decay, n - 1 - k) / total : 0;
        }
        if (options->returns_take_away && came_back(model, customer, product, naive->until))
            *past = (Past){.share = 0};
        naive->popularity[item] += past->share > 0;
    }
    mem_free(&orders);
}

static double cosine(const Naive *naive, int32_t a, int32_t b)
{
    double product = 0, left = 0, right = 0;
    for (int32_t i = 0; i < naive->items; i++) {
        double x = past_of(naive, a, i)->share, y = past_of(naive, b, i)->share;
        product += x * y;
        left += x * x;
        right += y * y;
    }
    return product > 0 ? product / sqrt(left * right) : 0;
}

/* Rows of the sides are numbered by partition. */
static int32_t number_of(const Naive *naive, int32_t customer)
{
    int32_t number = 0;
    for (int32_t c = 0; c < naive->customers; c++) {
        int32_t p = c % MODEL_PARTITIONS, q = customer % MODEL_PARTITIONS;
        number += p < q || (p == q && c < customer);
    }
    return number;
}

/* How many customers are nearer to `a` than `b` is; those as near as it by a hair count by number.
 */
static int64_t count_nearer(const Naive *naive, int32_t a, int32_t b, const double *near)
{
    int64_t n = 0;
    for (int32_t c = 0; c < naive->customers; c++) {
        if (c == a || c == b)
            continue;
        bool is_tied = fabs(near[c] - near[b]) < 1e-7;
        n += is_tied ? number_of(naive, c) < number_of(naive, b) : near[c] > near[b];
    }
    return n;
}

static void score_customer(Naive *naive, const RepeatOptions *options, int32_t customer)
{
    double *near = mem_new(naive->customers, sizeof *near), total = 0;
    double *scores = naive->scores + (int64_t)customer * naive->items;
    double *mean = mem_new(naive->items, sizeof *mean);
    for (int32_t c = 0; c < naive->customers; c++)
        near[c] = c == customer ? 0 : cosine(naive, customer, c);
    for (int32_t c = 0; c < naive->customers; c++) {
        if (near[c] <= 0 || count_nearer(naive, customer, c, near) >= options->neighbours)
            continue;
        total += near[c];
        for (int32_t i = 0; i < naive->items; i++)
            mean[i] += near[c] * past_of(naive, c, i)->share;
    }
    double weight = total > 0 ? options->neighbour_weight : 0;
    for (int32_t i = 0; i < naive->items; i++) {
        scores[i] = (1 - weight) * past_of(naive, customer, i)->share;
        scores[i] += total > 0 ? weight * mean[i] / total : 0;
    }
    mem_free(&near);
    mem_free(&mean);
}

static void naive_make(const HistoryModel *model, const Shop *shop, const RepeatOptions *options,
                       int32_t until, Naive *naive)
{
    *naive = (Naive){.customers = model->orders.shape.customers,
                     .items = model->orders.shape.products,
                     .until = until};
    int64_t n = (int64_t)naive->customers * naive->items;
    naive->pasts = mem_new(n, sizeof *naive->pasts);
    naive->scores = mem_new(n, sizeof *naive->scores);
    naive->popularity = mem_new(naive->items, sizeof *naive->popularity);
    for (int32_t c = 0; c < naive->customers; c++)
        look_at_customer(model, shop, options, c, naive);
    for (int32_t c = 0; c < naive->customers; c++)
        score_customer(naive, options, c);
}

static void naive_free(Naive *naive)
{
    mem_free(&naive->pasts);
    mem_free(&naive->scores);
    mem_free(&naive->popularity);
}

/* ---- scores ---- */

/* All of this rank's scores, row by row; tiles of different sizes (mem_free). */
static float *all_scores(Repeat *model, const SparseSide *users)
{
    Scorer scorer = repeat_scorer(model);
    int32_t n = users->n_columns, row = 0;
    float *scores = mem_new((int64_t)sparse_own_rows(users) * n, sizeof *scores);
    float *part = mem_new((int64_t)TILE_USERS * n, sizeof *part);
    for (int32_t p = 0; p < users->end - users->first; p++) {
        for (int32_t u = 0, step; u < users->own[p].n_rows; u += step, row += step) {
            step = users->own[p].n_rows - u < 2 ? users->own[p].n_rows - u : 2;
            for (int32_t item = 0, wide; item < n; item += wide) {
                wide = n - item < 7 ? n - item : 7;
                ScoreTile tile = {.users = &users->own[p],
                                  .partition = p,
                                  .first_user = u,
                                  .n_users = step,
                                  .first_item = item,
                                  .n_items = wide};
                scorer.score(scorer.model, &tile, part);
                for (int32_t r = 0; r < step; r++)
                    memcpy(scores + (int64_t)(row + r) * n + item, part + (int64_t)r * wide,
                           (size_t)wide * sizeof *part);
            }
        }
    }
    mem_free(&part);
    return scores;
}

static int64_t check_row(const Naive *naive, const RepeatOptions *options, int32_t customer,
                         const float *got)
{
    int64_t wrong = 0;
    const double *wanted = naive->scores + (int64_t)customer * naive->items;
    for (int32_t i = 0; i < naive->items; i++) {
        bool is_filled = options->fill_popular && naive->popularity[i] > 0;
        if (wanted[i] > 0)
            wrong += fabs((double)got[i] - wanted[i]) > 1e-5 || got[i] <= 0;
        else
            wrong += is_filled ? got[i] >= 0 || got[i] == SCORE_NONE : got[i] != SCORE_NONE;
        for (int32_t j = 0; j < naive->items; j++) {
            /* Means of neighbours round, so that equal ones may not be. */
            bool is_tied = fabs(wanted[i] - wanted[j]) < 1e-12 && options->neighbours == 0;
            bool is_first = naive->popularity[i] != naive->popularity[j]
                                ? naive->popularity[i] > naive->popularity[j]
                                : i < j;
            bool both = got[i] != SCORE_NONE && got[j] != SCORE_NONE && i != j;
            wrong += both && is_tied && (got[i] > got[j]) != is_first;
            wrong += both && wanted[i] > wanted[j] + 1e-6 && got[i] <= got[j];
        }
    }
    return wrong;
}

static int64_t check_scores(const Naive *naive, const RepeatOptions *options,
                            const SparseSide *users, const float *scores)
{
    int64_t wrong = 0, row = 0;
    for (int32_t p = users->first; p < users->end; p++) {
        for (int32_t r = 0; r < users->own[p - users->first].n_rows; r++, row++)
            wrong +=
                check_row(naive, options, history_customer(p, r), scores + row * users->n_columns);
    }
    return wrong;
}

/* ---- due days ---- */

/* Sums over all customers of an item; item -1: of all items. */
typedef struct Rhythm {
    double repeats, exposure, spans;
} Rhythm;

static Rhythm rhythm_of(const Naive *naive, int32_t item)
{
    Rhythm sum = {0};
    for (int32_t c = 0; c < naive->customers; c++) {
        for (int32_t i = 0; i < naive->items; i++) {
            const Past *past = past_of(naive, c, i);
            if (past->n_days == 0 || (item >= 0 && i != item))
                continue;
            sum.repeats += past->n_days - 1;
            sum.exposure += naive->until - past->days[0];
            sum.spans += past->days[past->n_days - 1] - past->days[0];
        }
    }
    return sum;
}

static double rate_of(const Naive *naive, int32_t item)
{
    Rhythm all = rhythm_of(naive, -1), one = rhythm_of(naive, item);
    return (1 + one.repeats) / (all.exposure / all.repeats + one.exposure);
}

static double shape_of(const Naive *naive)
{
    double squares = 0, off = 0;
    for (int32_t i = 0; i < naive->items; i++) {
        double rate = rate_of(naive, i);
        for (int32_t c = 0; c < naive->customers; c++) {
            const Past *past = past_of(naive, c, i);
            if (past->n_days == 0)
                continue;
            double expected = rate * (naive->until - past->days[0]);
            squares += expected * expected;
            off += pow(past->n_days - 1 - expected, 2) - expected;
        }
    }
    return off > 0 ? fmin(squares / off, 1e6) : 1e6;
}

static bool is_due_right(const Naive *naive, double shape, int32_t customer, int32_t item,
                         int32_t due_day, double probability)
{
    const Past *past = past_of(naive, customer, item);
    Rhythm all = rhythm_of(naive, -1), one = rhythm_of(naive, item);
    if (past->n_days == 0)
        return due_day == DAY_NONE && isnan(probability);
    double repeats = past->n_days - 1, exposure = naive->until - past->days[0];
    double b = all.repeats > 0 ? shape / rate_of(naive, item) : INFINITY;
    double expected =
        all.repeats > 0 ? 1 - pow((b + exposure) / (b + exposure + 30), shape + repeats) : 0;
    if (fabs(probability - expected) > 1e-9)
        return false;
    if (one.repeats <= 0)
        return due_day == DAY_NONE;
    double mean = (5 * all.spans / all.repeats + one.spans) / (5 + one.repeats);
    double interval = (4 * mean + past->days[past->n_days - 1] - past->days[0]) / (4 + repeats);
    return due_day == past->days[past->n_days - 1] + (int32_t)lround(interval);
}

static int64_t check_due(const Naive *naive, const Repeat *model, const SparseSide *users)
{
    int64_t wrong = 0;
    int32_t row = 0;
    double shape = shape_of(naive);
    for (int32_t p = users->first; p < users->end; p++) {
        for (int32_t r = 0; r < users->own[p - users->first].n_rows; r++, row++) {
            for (int32_t item = 0; item < naive->items; item++) {
                int32_t due_day;
                double probability;
                repeat_due(model, row, item, 30, &due_day, &probability);
                wrong +=
                    !is_due_right(naive, shape, history_customer(p, r), item, due_day, probability);
            }
        }
    }
    return wrong;
}

/* ---- random shops ---- */

static const ShopShape mixed = {.name = "mixed",
                                .customers = 37,
                                .orders = 190,
                                .products = 19,
                                .lines_min = 1,
                                .lines_max = 6,
                                .first_day = -20,
                                .n_days = 60,
                                .anonymous = 0.1,
                                .returns = 0.15,
                                .cancelled = 0.1,
                                .replaced = 0.2,
                                .batches = 2};

/* The same bits with other threads, and with what comes at a time as small as it goes. */
static Status check_same_bits(HistoryStore *store, const SparseSide *users, int32_t until,
                              const RepeatOptions *options, const float *scores, Error *error)
{
    Status status = STATUS_OK;
    Repeat *model = NULL;
    float *again = NULL;
    RepeatOptions other = *options;
    other.threads = 3;
    other.memory = 1;
    TRY(repeat_learn(rank_comm(), store->store, &store->shop, users, until, &other, &model, error));
    again = all_scores(model, users);
    CU_ASSERT_EQUAL(
        memcmp(scores, again,
               (size_t)sparse_own_rows(users) * (size_t)users->n_columns * sizeof *scores),
        0);
out:
    mem_free(&again);
    repeat_free(&model);
    return status;
}

static Status check_options(const HistoryModel *made, HistoryStore *store, const SparseSide *users,
                            int32_t until, const RepeatOptions *options, Error *error)
{
    Status status = STATUS_OK;
    Repeat *model = NULL;
    float *scores = NULL;
    Naive naive;
    naive_make(made, &store->shop, options, until, &naive);
    TRY(repeat_learn(rank_comm(), store->store, &store->shop, users, until, options, &model,
                     error));
    scores = all_scores(model, users);
    int64_t wrong = check_scores(&naive, options, users, scores);
    int64_t not_due = check_due(&naive, model, users);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(not_due, 0);
    if (wrong + not_due > 0)
        (void)fprintf(stderr,
                      "%s, decay %g, %" PRId64 " neighbours: %" PRId64 " scores, %" PRId64
                      " due days\n",
                      made->orders.shape.name, options->decay, options->neighbours, wrong, not_due);
    TRY(check_same_bits(store, users, until, options, scores, error));
out:
    naive_free(&naive);
    mem_free(&scores);
    repeat_free(&model);
    return status;
}

static Status check_all_options(const HistoryModel *made, HistoryStore *store, int32_t until,
                                Error *error)
{
    Status status = STATUS_OK;
    SparseSide users = {0};
    RepeatOptions plain = {.decay = 1, .threads = 1}, filled = plain, decayed = plain;
    RepeatOptions near = repeat_default(), mostly_neighbours = near, everybody = near;
    filled.fill_popular = true;
    decayed.decay = 0.7;
    decayed.returns_take_away = true;
    near.neighbours = 3;
    mostly_neighbours.neighbour_weight = 0.95;
    mostly_neighbours.neighbours = 1;
    everybody.neighbours = 1000;
    everybody.fill_popular = false;
    const RepeatOptions options[] = {plain, filled, decayed, near, mostly_neighbours, everybody};
    TRY(interactions_bought(rank_comm(), store->store, &store->shop, INT32_MIN, until, NULL, &users,
                            error));
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        TRY(check_options(made, store, &users, until, &options[i], error));
out:
    sparse_side_free(&users);
    return status;
}

static void check_shape(const ShopShape *shape, int32_t until)
{
    Comm *comm = rank_comm();
    Error error = {0};
    HistoryModel model;
    HistoryStore store;
    history_model_make(shape, 0, 0, 5, &model);
    Status status = history_store_make(comm, &model, &store, &error);
    if (status == STATUS_OK)
        status = check_all_options(&model, &store, until, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    if (status != STATUS_OK)
        (void)fprintf(stderr, "%s: %s\n", shape->name, error.message);
    history_store_remove(comm, &store);
    history_model_free(&model);
}

static void test_many_shapes(void)
{
    ShopShape one = mixed, nobody = mixed, nothing = mixed, once = mixed, one_item = mixed;
    one.name = "one customer";
    one.customers = one.batches = 1;
    one.replaced = 0;
    one.orders = 40;
    nobody.name = "nobody orders";
    nobody.orders = 0;
    nobody.batches = 1;
    nothing = nobody;
    nothing.name = "nothing";
    nothing.customers = nothing.products = 0;
    once.name = "few orders";
    once.orders = 4;
    once.customers = 60;
    one_item.name = "one product";
    one_item.products = 1;
    check_shape(&mixed, 30);
    check_shape(&mixed, -5);
    check_shape(&one, 100);
    check_shape(&nobody, 0);
    check_shape(&nothing, 0);
    check_shape(&once, 100);
    check_shape(&one_item, 30);
}

CU_TestInfo repeat_tests[] = {
    {"many shapes", test_many_shapes},
    CU_TEST_INFO_NULL,
};
