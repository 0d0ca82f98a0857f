/* Rows of customers' lists against writing each customer's list down by the rules. */
#include "recommend/list_rows.h"

#include "base/hash.h"
#include "base/memory.h"
#include "rank/history_model.h"
#include "rank/suites.h"
#include "recommend/interactions.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const ShopShape mixed = {.name = "mixed",
                                .customers = 53,
                                .orders = 160,
                                .products = 31,
                                .countries = 14,
                                .lines_min = 1,
                                .lines_max = 4,
                                .first_day = -20,
                                .n_days = 60,
                                .anonymous = 0.1,
                                .returns = 0.1,
                                .cancelled = 0.1,
                                .replaced = 0.2,
                                .batches = 2};

/* ---- a scorer by hand ---- */

/* What item i adds to the score of item j, of either sign, often 0. */
static float adds(int32_t i, int32_t j)
{
    int32_t key[2] = {i, j};
    uint64_t noise = hash64(key, sizeof key);
    return noise % 3 == 0 ? 0 : (float)((int64_t)(noise % 13) - 4) / 8;
}

/* Sums of what the user's items add; nothing to say of two thirds of the pairs. */
static void score_hand(const void *model, const ScoreTile *tile, float *scores)
{
    const SparseRows *users = tile->users;
    (void)model;
    for (int32_t u = 0; u < tile->n_users; u++) {
        for (int32_t k = 0; k < tile->n_items; k++) {
            int32_t row = tile->first_user + u, item = tile->first_item + k;
            float sum = 0;
            for (int64_t e = users->starts[row]; e < users->starts[row + 1]; e++)
                sum += adds(users->columns[e], item);
            scores[u * tile->n_items + k] =
                (users->first_row + row + item) % 3 == 0 && sum != 0 ? sum : SCORE_NONE;
        }
    }
}

static void add_reasons_hand(const void *model, const ReasonQuery *query, float weight,
                             float *spare, float *reasons)
{
    int64_t begin = query->users->starts[query->row];
    int64_t n = query->users->starts[query->row + 1] - begin;
    (void)model;
    spare[4] = 1; /* it may */
    for (int k = 0; k < query->n_items; k++) {
        for (int64_t e = 0; e < n; e++)
            reasons[k * n + e] += weight * adds(query->users->columns[begin + e], query->items[k]);
    }
}

static Scorer hand_scorer(bool has_reasons)
{
    return (Scorer){.name = "by hand",
                    .tiled = true,
                    .score = score_hand,
                    .add_reasons = has_reasons ? add_reasons_hand : NULL,
                    .reason_floats = 5};
}

/* ---- the shop ---- */

typedef struct Case {
    HistoryModel model;
    HistoryStore store;
    SparseSide users;
    PopularLists popular;
    TopLists lists;
    Scorer scorer;
} Case;

/* All lines of a customer's order say one country, and no two orders have one time. */
static void make_model(const ShopShape *shape, HistoryModel *model)
{
    history_model_make(shape, 0, 0, 13, model);
    for (int64_t i = 0; i < model->orders.n; i++) {
        ModelLine *line = &model->orders.lines[i];
        line->ts_us += line->order;
        if (shape->countries > 0)
            line->country = (int32_t)(hash64(&line->order, sizeof line->order) %
                                      (uint64_t)(shape->countries + 1)) -
                            1;
    }
}

/* The country that a customer gave, for every other one; -1 none. */
static int32_t given_country(int32_t customer, int32_t countries)
{
    return customer % 2 == 0 ? -1 : customer % countries;
}

static Status add_customer(Table *rows, int32_t customer, int32_t country, Error *error)
{
    Status status;
    TRY(table_add_row(rows, error));
    ((int32_t *)rows->columns[0].data)[rows->rows - 1] = customer / MODEL_PARTITIONS;
    ((int16_t *)rows->columns[1].data)[rows->rows - 1] = (int16_t)country;
out:
    return status;
}

/* The table `customers`: each has a row that says otherwise, then the one that counts. */
static Status write_customers(Comm *comm, const ShopShape *shape, Store *store, Error *error)
{
    static const ColumnSpec columns[] = {{"customer", COLUMN_I32, UNIT_CODE},
                                         {"country", COLUMN_I16, UNIT_CODE}};
    Status status = STATUS_OK, own = STATUS_OK;
    StoreBatch *batch = NULL;
    Table rows = {0};
    int64_t counts[MODEL_PARTITIONS] = {0};
    int32_t begin = MODEL_PARTITIONS * comm_rank(comm) / comm_size(comm);
    int32_t end = MODEL_PARTITIONS * (comm_rank(comm) + 1) / comm_size(comm);
    table_init(&rows, columns, 2);
    for (int32_t p = begin; p < end; p++) {
        for (int32_t c = p; c < shape->customers && own == STATUS_OK; c += MODEL_PARTITIONS) {
            int32_t given = given_country(c, shape->countries);
            if (given >= 0) /* they have moved */
                own = add_customer(&rows, c, (given + 1) % shape->countries, error);
            if (own == STATUS_OK)
                own = add_customer(&rows, c, given, error);
            counts[p - begin] += 1 + (given >= 0);
        }
    }
    TRY(comm_agree(comm, own, error));
    TRY(store_batch_begin(comm, store, &batch, error));
    TRY(store_batch_write(comm, batch, "customers", TABLE_APPEND, &rows, begin, end - begin, counts,
                          error));
    TRY(store_batch_commit(comm, store, &batch, error));
out:
    store_batch_discard(comm, &batch);
    table_free(&rows);
    return status;
}

static Status case_open(const ShopShape *shape, bool has_reasons, bool leave_out_owned,
                        int popular_length, Case *the, Error *error)
{
    Comm *comm = rank_comm();
    Status status = STATUS_OK;
    TopRules rules = {.leave_out_owned = leave_out_owned};
    PopularOptions options = {.length = popular_length};
    *the = (Case){.scorer = hand_scorer(has_reasons)};
    make_model(shape, &the->model);
    TRY(history_store_make(comm, &the->model, &the->store, error));
    if (shape->countries > 0 && shape->customers > 0)
        TRY(write_customers(comm, shape, the->store.store, error));
    TRY(interactions_bought(comm, the->store.store, &the->store.shop, INT32_MIN, INT32_MAX, NULL,
                            &the->users, error));
    TRY(popular_lists_learn(comm, the->store.store, &the->store.shop, &options, &the->popular,
                            error));
    TRY(top_lists_make(comm, &the->users, &the->scorer, &rules, 12, 1, &the->lists, error));
out:
    return status;
}

static void case_close(Case *the)
{
    top_lists_free(&the->lists);
    popular_lists_free(&the->popular);
    sparse_side_free(&the->users);
    history_store_remove(rank_comm(), &the->store);
    history_model_free(&the->model);
}

/* ---- the rows by the rules ---- */

/* The country of the last order that says one, else the one given; -1 unknown. */
static int32_t country_of(const Case *the, int32_t customer)
{
    const ModelShop *orders = &the->model.orders;
    int32_t country =
        orders->shape.countries > 0 ? given_country(customer, orders->shape.countries) : -1;
    int64_t latest = INT64_MIN;
    for (int64_t i = 0; i < orders->n; i++) {
        const ModelLine *line = &orders->lines[i];
        if (line->customer != customer || !line->in_force || line->country < 0 ||
            line->ts_us < latest)
            continue;
        latest = line->ts_us;
        country = line->country;
    }
    return country;
}

/* One customer's list as it is written: which items it has, and how many places are taken. */
typedef struct Writing {
    const Case *the;
    const SparseRows *rows;
    int32_t row;
    char customer[MODEL_TEXT_SIZE];
    bool *has; /* [n_items] listed, or not to be listed */
    int rank;
    Buffer *text;
} Writing;

static void write_place(Writing *writing, int32_t item, double score, const char *model,
                        int32_t because, double share)
{
    const Names *products = &writing->the->store.shop.product;
    writing->has[item] = true;
    buffer_printf(writing->text, "%s %03d ", writing->customer, ++writing->rank);
    buffer_append_bytes(writing->text, names_text(products, products->code[item]));
    buffer_printf(writing->text, " %.9g %s ", score, model);
    if (because >= 0)
        buffer_append_bytes(writing->text, names_text(products, products->code[because]));
    buffer_printf(writing->text, " %.6f\n", isnan(share) ? -1 : share);
}

/* A place by the model: the item that adds most, and its part of all that is added. */
static void write_scored(Writing *writing, int32_t item, float score, bool has_reasons)
{
    int32_t because = -1;
    double most = 0, sum = 0;
    for (int64_t e = writing->rows->starts[writing->row];
         has_reasons && e < writing->rows->starts[writing->row + 1]; e++) {
        double part = (double)adds(writing->rows->columns[e], item);
        sum += part > 0 ? part : 0;
        if (part > most) {
            most = part;
            because = writing->rows->columns[e];
        }
    }
    write_place(writing, item, (double)score, "by hand", because,
                because >= 0 ? most / sum : (double)NAN);
}

static void write_popular(Writing *writing, const int32_t *items, const double *scores,
                          const char *model)
{
    for (int k = 0; k < writing->the->popular.length; k++) {
        if (items[k] >= 0 && !writing->has[items[k]] && writing->rank < writing->the->lists.n)
            write_place(writing, items[k], scores[k], model, -1, (double)NAN);
    }
}

static void write_user(const Case *the, int32_t p, int32_t row, bool leave_out_owned, Buffer *text)
{
    const SparseRows *rows = &the->users.own[p];
    const PopularLists *popular = &the->popular;
    Writing writing = {.the = the,
                       .rows = rows,
                       .row = row,
                       .has = mem_new((int64_t)the->users.n_columns + 1, sizeof(bool)),
                       .text = text};
    int32_t customer = history_customer(the->users.first + p, row);
    int64_t at = (int64_t)(rows->first_row + row - sparse_own_first(&the->users)) * the->lists.n;
    int64_t country = country_of(the, customer);
    customer_text(customer, writing.customer);
    for (int k = 0; k < the->lists.n && the->lists.items[at + k] >= 0; k++)
        write_scored(&writing, the->lists.items[at + k], the->lists.scores[at + k],
                     the->scorer.add_reasons != NULL);
    for (int64_t e = rows->starts[row]; leave_out_owned && e < rows->starts[row + 1]; e++)
        writing.has[rows->columns[e]] = true;
    if (country >= 0)
        write_popular(&writing, popular->by_country + country * popular->length,
                      popular->country_scores + country * popular->length, "popular_country");
    write_popular(&writing, popular->all, popular->all_scores, "popular");
    mem_free(&writing.has);
}

/* ---- comparing ---- */

static void print_rows(const Table *rows, Buffer *text)
{
    for (int64_t i = 0; i < rows->rows; i++) {
        double share = ((const double *)table_column_const(rows, "because_share")->data)[i];
        buffer_append_bytes(text, column_text(table_column_const(rows, "customer"), i));
        buffer_printf(text, " %03" PRId64 " ", column_integer(table_column_const(rows, "rank"), i));
        buffer_append_bytes(text, column_text(table_column_const(rows, "product_id"), i));
        buffer_printf(text, " %.9g ", ((const double *)table_column_const(rows, "score")->data)[i]);
        buffer_append_bytes(text, column_text(table_column_const(rows, "model"), i));
        buffer_append_string(text, " ");
        buffer_append_bytes(text, column_text(table_column_const(rows, "because_product"), i));
        buffer_printf(text, " %.6f\n", isnan(share) ? -1 : share);
    }
}

/* The ranks' texts one after another (mem_free). Collective. */
static char *gather_text(const Buffer *own)
{
    Error error = {0};
    Buffer all = {0};
    char *bytes = NULL;
    int64_t n = 0;
    CU_ASSERT_EQUAL(comm_gather_all(rank_comm(), own->data, own->size, &bytes, &n, NULL, &error),
                    STATUS_OK);
    buffer_append(&all, bytes, n);
    char *text = mem_copy_string(buffer_string(&all));
    buffer_free(&all);
    mem_free(&bytes);
    return text;
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The lines of a text, sorted: by customer and rank. */
static void sort_lines(char *text, Buffer *sorted)
{
    char *place = NULL, **lines = mem_new((int64_t)strlen(text) + 1, sizeof *lines);
    size_t n = 0;
    for (char *line = strtok_r(text, "\n", &place); line; line = strtok_r(NULL, "\n", &place))
        lines[n++] = line;
    qsort(lines, n, sizeof *lines, compare_lines);
    for (size_t i = 0; i < n; i++)
        buffer_printf(sorted, "%s\n", lines[i]);
    mem_free(&lines);
}

/* How often a word stands in a text. */
static int64_t count_word(const char *text, const char *word)
{
    int64_t n = 0;
    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word))
        n++;
    return n;
}

/* The rows are `wanted`; made twice, and with other threads, they are the same. */
static void check_rows(const Case *the, bool leave_out_owned, const char *wanted)
{
    for (int threads = 1; threads <= 3; threads++) {
        Error error = {0};
        Table rows = {0};
        Buffer own = {0};
        ListRows from = {.store = the->store.store,
                         .shop = &the->store.shop,
                         .users = &the->users,
                         .lists = &the->lists,
                         .scorer = &the->scorer,
                         .popular = &the->popular,
                         .leave_out_owned = leave_out_owned,
                         .threads = threads};
        CU_ASSERT_EQUAL(list_rows_make(rank_comm(), &from, &rows, &error), STATUS_OK);
        print_rows(&rows, &own);
        char *got = gather_text(&own);
        CU_ASSERT_STRING_EQUAL(got, wanted);
        mem_free(&got);
        buffer_free(&own);
        table_free(&rows);
    }
}

/* The three kinds of places are there as often as expected: at least so many lines of each. */
typedef struct Least {
    int64_t scored, country, all;
} Least;

static void check_shape(const ShopShape *shape, bool has_reasons, bool leave_out_owned,
                        int popular_length, Least least)
{
    Case the;
    Error error = {0};
    Buffer own = {0}, sorted = {0};
    Status status = case_open(shape, has_reasons, leave_out_owned, popular_length, &the, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    if (status != STATUS_OK) {
        (void)fprintf(stderr, "%s: %s\n", shape->name, error.message);
    } else {
        for (int32_t p = 0; p < the.users.end - the.users.first; p++) {
            for (int32_t r = 0; r < the.users.own[p].n_rows; r++)
                write_user(&the, p, r, leave_out_owned, &own);
        }
        char *text = gather_text(&own);
        sort_lines(text, &sorted);
        const char *wanted = buffer_string(&sorted);
        CU_ASSERT(count_word(wanted, " by hand ") >= least.scored);
        CU_ASSERT(count_word(wanted, " popular_country ") >= least.country);
        CU_ASSERT(count_word(wanted, " popular ") >= least.all);
        check_rows(&the, leave_out_owned, wanted);
        mem_free(&text);
    }
    buffer_free(&own);
    buffer_free(&sorted);
    case_close(&the);
}

static void test_rows(void)
{
    check_shape(&mixed, true, true, 20, (Least){100, 50, 4});
    check_shape(&mixed, false, true, 31, (Least){100, 50, 4});
    check_shape(&mixed, true, false, 20, (Least){100, 50, 4});
    check_shape(&mixed, true, true, 2, (Least){100, 20, 5}); /* not enough to fill the lists */
}

static void test_shapes(void)
{
    ShopShape nowhere = mixed, nobody = mixed, one = mixed, nothing = mixed;
    nowhere.name = "no countries";
    nowhere.countries = 0;
    nobody.name = "nobody orders";
    nobody.orders = 0;
    nobody.batches = 1;
    nothing = nobody;
    nothing.name = "nothing";
    nothing.customers = nothing.products = nothing.countries = 0;
    one.name = "one customer";
    one.customers = one.batches = 1;
    one.replaced = 0;
    one.orders = 3;
    check_shape(&nowhere, true, true, 20, (Least){100, 0, 50});
    check_shape(&nobody, true, true, 20, (Least){0, 0, 0});
    check_shape(&one, true, true, 20, (Least){1, 0, 0});
    check_shape(&nothing, true, true, 20, (Least){0, 0, 0});
}

CU_TestInfo list_rows_tests[] = {
    {"rows by the rules", test_rows}, {"edge shapes", test_shapes}, CU_TEST_INFO_NULL};
