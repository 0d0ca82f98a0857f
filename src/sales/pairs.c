/* Pairs of products in one order; see pairs.h.
 *
 * Each rank counts the rows of its own orders, a row at a time with one counter a product. Rows
 * that other ranks also have are added up: long ones whole, as dense sums; the others sparse, in
 * rounds whose messages have a bounded size, each row at the one rank that owns it in that round.
 *
 * Rows go by falling orders of their product, which no pair of the row can have more of: with a
 * limit, once so many pairs are known, most rows have nothing to add and are not counted. */

#include "base/fault.h"
#include "base/memory.h"
#include "base/stop.h"
#include "sales/basket_index.h"
#include "sales/pair_sieve.h"

#include <string.h>

/* A row goes as a dense sum when its sparse parts could be so many times longer than it. */
enum { DENSE_AT = 4 };

/* Says that a message's next word is the count; without it the count is 1. */
#define WORD_COUNTED ((uint32_t)1 << 31)

/* What all ranks know of the rows: who has them, how long they can be. */
typedef struct RowPlan {
    int64_t *holders;   /* [labels] ranks that have any of the row */
    int64_t *instances; /* [labels] sum of the row's counts over all ranks */
    int64_t *total;     /* [labels] most entries over all ranks */
    int64_t *longest;   /* [labels] most entries on one rank */
} RowPlan;

typedef struct PairCount {
    BasketIndex index;
    RowPlan plan;
    uint32_t *counts;  /* [labels] all 0 between rows */
    uint32_t *touched; /* [labels + 1] labels counted in the row at hand */
    PairSieve sieve;
    int64_t least; /* what all ranks know of sieve.least: what they do together depends on it */
    const int32_t *places; /* [labels] place of each product in the order of ids */
    Table *pairs;
} PairCount;

static void plan_free(RowPlan *plan)
{
    mem_free(&plan->holders);
    mem_free(&plan->instances);
    mem_free(&plan->total);
    mem_free(&plan->longest);
}

/* Entries that this rank's row can have. */
static int64_t row_bound(const BasketIndex *index, int32_t row)
{
    return index->instances[row] < row ? index->instances[row] : row;
}

static Status plan_rows(const BasketIndex *index, RowPlan *plan, Error *error)
{
    Status status = STATUS_OK;
    int64_t n = index->n_labels;
    TRY(mem_resize(&plan->holders, n, sizeof *plan->holders, "plan of pairs", error));
    TRY(mem_resize(&plan->instances, n, sizeof *plan->instances, "plan of pairs", error));
    TRY(mem_resize(&plan->total, n, sizeof *plan->total, "plan of pairs", error));
    TRY(mem_resize(&plan->longest, n, sizeof *plan->longest, "plan of pairs", error));
    for (int32_t row = 0; row < n; row++) {
        int64_t bound = row_bound(index, row);
        plan->holders[row] = bound > 0;
        plan->instances[row] = index->instances[row];
        plan->total[row] = bound;
        plan->longest[row] = bound;
    }
out:
    return status;
}

/* A pair that enough orders hold. */
static Status add_pair(PairCount *count, int32_t row, uint32_t other, int64_t orders, Error *error)
{
    Status status = STATUS_OK;
    Table *pairs = count->pairs;
    int32_t p = count->places[row], q = count->places[other];
    int32_t a = p < q ? p : q, b = p < q ? q : p;
    bool keeps;
    TRY(pair_sieve_keeps(&count->sieve, a, b, orders, &keeps, error));
    if (!keeps)
        goto out;
    TRY(table_add_row(pairs, error));
    int64_t last = pairs->rows - 1;
    ((int32_t *)pairs->columns[0].data)[last] = a;
    ((int32_t *)pairs->columns[1].data)[last] = b;
    ((int64_t *)pairs->columns[2].data)[last] = orders;
out:
    return status;
}

/* Count one row of this rank's orders; touched [result] := its labels. Counters stay set. */
static int64_t count_row(PairCount *count, int32_t row)
{
    uint32_t *restrict counts = count->counts;
    uint32_t *restrict touched = count->touched;
    int64_t n = 0;
    if (count->index.instances[row] >= row) {
        basket_index_add(&count->index, row, counts);
        for (uint32_t other = 0; other < (uint32_t)row; other++) {
            touched[n] = other;
            n += counts[other] != 0;
        }
        return n;
    }
    return basket_index_add_listed(&count->index, row, counts, touched);
}

/* Keep what reaches the threshold in the row counted, and clear its counters. */
static Status keep_row(PairCount *count, int32_t row, int64_t n_touched, Error *error)
{
    Status status = STATUS_OK;
    for (int64_t i = 0; i < n_touched; i++) {
        uint32_t other = count->touched[i];
        if (count->counts[other] >= count->sieve.least && status == STATUS_OK)
            status = add_pair(count, row, other, count->counts[other], error);
        count->counts[other] = 0;
    }
    return status;
}

/* Whether any pair of the row can have so many orders. */
static bool can_reach(const PairCount *count, int32_t row, int64_t least)
{
    const PairTotals *totals = count->sieve.totals;
    return count->plan.instances[row] >= least &&
           totals->of_product[totals->sorted[count->places[row]]] >= least;
}

static bool is_promising(const PairCount *count, int32_t row)
{
    return can_reach(count, row, count->least);
}

/* Pairs that one rank has are enough for all to leave others out. A safe point, too. Collective. */
static Status share_least(Comm *comm, PairCount *count, Error *error)
{
    enum { LEAST, STOP, SHARED };
    int64_t shared[SHARED] = {[LEAST] = count->sieve.least, [STOP] = stop_asked()};
    comm_max_i64(comm, shared, SHARED);
    count->sieve.least = count->least = shared[LEAST];
    return shared[STOP] > 0 ? stop_here(error, "while pairs were counted") : STATUS_OK;
}

/* ---- rows that one rank has alone ---- */

static Status keep_own_rows(PairCount *count, Error *error)
{
    Status status = STATUS_OK;
    for (int32_t row = 0; row < count->index.n_labels; row++) {
        if (count->plan.holders[row] == 1 && can_reach(count, row, count->sieve.least))
            TRY(keep_row(count, row, count_row(count, row), error));
    }
out:
    return status;
}

/* ---- long rows, as dense sums ---- */

/* Also the rows whose counts could leave 32 bits. */
static bool is_dense(const PairCount *count, int32_t row)
{
    const RowPlan *plan = &count->plan;
    return plan->holders[row] > 1 && is_promising(count, row) &&
           (plan->total[row] > (int64_t)DENSE_AT * row || plan->instances[row] > UINT32_MAX);
}

/* Add one row over the ranks, each of which gets and filters one slice. Collective. */
static Status sum_dense_row(Comm *comm, PairCount *count, int32_t row, int64_t *sums, int64_t *own,
                            int64_t *slices, Error *error)
{
    int size = comm_size(comm), rank = comm_rank(comm);
    memset(sums, 0, (size_t)row * sizeof *sums);
    int64_t n = count_row(count, row);
    for (int64_t i = 0; i < n; i++) {
        uint32_t other = count->touched[i];
        sums[other] = count->counts[other];
        count->counts[other] = 0;
    }
    for (int r = 0; r < size; r++)
        slices[r] = (int64_t)row * (r + 1) / size - (int64_t)row * r / size;
    comm_sum_scatter_i64(comm, sums, slices, own);
    int64_t begin = (int64_t)row * rank / size;
    Status status = STATUS_OK;
    for (int64_t i = 0; i < slices[rank] && status == STATUS_OK; i++) {
        if (own[i] >= count->sieve.least)
            status = add_pair(count, row, (uint32_t)(begin + i), own[i], error);
    }
    return comm_agree(comm, status, error);
}

static Status sum_dense_rows(Comm *comm, PairCount *count, Error *error)
{
    Status status = STATUS_OK;
    int64_t *sums = NULL, *own = NULL;
    int64_t n = count->index.n_labels, n_slice = n / comm_size(comm) + 1;
    int64_t *slices = mem_new(comm_size(comm), sizeof *slices);
    TRY_ALL(comm, mem_resize(&sums, n, sizeof *sums, "sums of pairs", error), error);
    TRY_ALL(comm, mem_resize(&own, n_slice, sizeof *own, "sums of pairs", error), error);
    for (int32_t row = 0; row < n; row++) {
        if (is_dense(count, row))
            TRY(sum_dense_row(comm, count, row, sums, own, slices, error));
    }
out:
    mem_free(&sums);
    mem_free(&own);
    mem_free(&slices);
    return status;
}

/* ---- the other rows, sparse, in rounds ---- */

/* One round: rows [begin, end), of which rank r owns [cuts[r], cuts[r + 1]). */
typedef struct Round {
    int32_t begin, end;
    int32_t *cuts;  /* [size + 1] */
    uint32_t *send; /* messages to all ranks, one after another */
    int64_t send_capacity;
    int64_t *send_counts; /* [size] words */
    int64_t *receive_counts;
    uint32_t **heads; /* [size] where each source's next row begins */
} Round;

static bool is_sparse(const PairCount *count, int32_t row)
{
    return count->plan.holders[row] > 1 && is_promising(count, row) && !is_dense(count, row);
}

/* A row in a message: the number of words that follow, then labels, counted or not. */
static int64_t row_words(int64_t bound)
{
    return 1 + 2 * bound;
}

/* The rows of the next round and their owners; the same on all ranks. */
static void plan_round(const PairCount *count, int size, int64_t message_words, Round *round)
{
    int64_t words = 0, total = 0, n = count->index.n_labels;
    round->begin = round->end;
    while (round->end < n) {
        if (is_sparse(count, round->end)) {
            words += row_words(count->plan.longest[round->end]);
            if (words > message_words && total > 0)
                break;
            total += row_words(count->plan.total[round->end]);
        }
        round->end++;
    }
    /* Owners get equal shares of the words, as far as whole rows allow. */
    int64_t before = 0;
    int owner = 0;
    round->cuts[0] = round->begin;
    for (int32_t row = round->begin; row < round->end; row++) {
        if (is_sparse(count, row))
            before += row_words(count->plan.total[row]);
        while (owner + 1 < size && before * size >= total * (owner + 1))
            round->cuts[++owner] = row + 1;
    }
    while (owner < size)
        round->cuts[++owner] = round->end;
}

/* Write the row counted as a message; clears its counters. The word after the last label may be
 * written too: row_words has room for it. */
static uint32_t *write_row(PairCount *count, int64_t n_touched, uint32_t *to)
{
    uint32_t *head = to++;
    for (int64_t i = 0; i < n_touched; i++) {
        uint32_t other = count->touched[i], orders = count->counts[other];
        bool is_counted = orders > 1;
        count->counts[other] = 0;
        to[0] = other | (is_counted ? WORD_COUNTED : 0);
        to[1] = orders;
        to += 1 + is_counted;
    }
    *head = (uint32_t)(to - head - 1);
    return to;
}

static Status write_messages(PairCount *count, int size, Round *round, Error *error)
{
    Status status = STATUS_OK;
    int64_t words = 0;
    for (int32_t row = round->begin; row < round->end; row++)
        words += is_sparse(count, row) ? row_words(row_bound(&count->index, row)) : 0;
    if (words > round->send_capacity) {
        TRY(mem_resize(&round->send, words, sizeof *round->send, "messages of pairs", error));
        round->send_capacity = words;
    }
    uint32_t *to = round->send;
    for (int r = 0; r < size; r++) {
        const uint32_t *begin = to;
        for (int32_t row = round->cuts[r]; row < round->cuts[r + 1]; row++) {
            if (is_sparse(count, row))
                to = write_row(count, count_row(count, row), to);
        }
        round->send_counts[r] = to - begin;
    }
out:
    return status;
}

/* Add the parts of one row from all sources; touched [result] := its labels. */
static int64_t read_row(PairCount *count, int size, Round *round)
{
    uint32_t *restrict counts = count->counts;
    uint32_t *restrict touched = count->touched;
    int64_t n = 0;
    for (int r = 0; r < size; r++) {
        const uint32_t *from = round->heads[r];
        const uint32_t *end = from + 1 + *from;
        from++;
        while (from < end) {
            uint32_t word = *from++;
            uint32_t other = word & ~WORD_COUNTED;
            touched[n] = other;
            n += counts[other] == 0;
            counts[other] += word & WORD_COUNTED ? *from++ : 1;
        }
        round->heads[r] += 1 + *round->heads[r];
    }
    return n;
}

static Status read_messages(PairCount *count, int size, int rank, uint32_t *received, Round *round,
                            Error *error)
{
    Status status = STATUS_OK;
    for (int r = 0; r < size; r++) {
        round->heads[r] = received;
        received += round->receive_counts[r];
    }
    for (int32_t row = round->cuts[rank]; row < round->cuts[rank + 1]; row++) {
        if (is_sparse(count, row))
            TRY(keep_row(count, row, read_row(count, size, round), error));
    }
out:
    return status;
}

static Status exchange_sparse_rows(Comm *comm, PairCount *count, int64_t message_words,
                                   Error *error)
{
    Status status = STATUS_OK;
    int size = comm_size(comm);
    uint32_t *received = NULL;
    Round round = {.cuts = mem_new(size + 1, sizeof *round.cuts),
                   .send_counts = mem_new(size, sizeof *round.send_counts),
                   .receive_counts = mem_new(size, sizeof *round.receive_counts),
                   .heads = mem_new(size, sizeof *round.heads)};
    while (round.end < count->index.n_labels) {
        TRY(share_least(comm, count, error));
        plan_round(count, size, message_words, &round);
        TRY_ALL(comm, write_messages(count, size, &round, error), error);
        TRY(comm_exchange(comm, round.send, round.send_counts, sizeof *round.send, &received,
                          round.receive_counts, error));
        TRY_ALL(comm, read_messages(count, size, comm_rank(comm), received, &round, error), error);
        mem_free(&received);
    }
out:
    mem_free(&received);
    mem_free(&round.cuts);
    mem_free(&round.send);
    mem_free(&round.send_counts);
    mem_free(&round.receive_counts);
    mem_free(&round.heads);
    return status;
}

/* ---- all together ---- */

static Status prepare(PairCount *count, Baskets *baskets, const BasketLabels *labels, Error *error)
{
    Status status = STATUS_OK;
    TRY(fault_point("sales.pairs", error));
    TRY(basket_index_build(baskets, labels, &count->index, error));
    TRY(mem_resize(&count->counts, labels->count, sizeof *count->counts, "counters", error));
    TRY(mem_resize(&count->touched, labels->count + 1, sizeof *count->touched, "counters", error));
    memset(count->counts, 0, (size_t)labels->count * sizeof *count->counts);
    TRY(plan_rows(&count->index, &count->plan, error));
out:
    return status;
}

/* Pairs that were added before others made them hopeless. */
static Status drop_hopeless(const PairCount *count, Error *error)
{
    Table *pairs = count->pairs;
    int32_t *a = table_column(pairs, "a")->data, *b = table_column(pairs, "b")->data;
    int64_t *orders = table_column(pairs, "orders")->data, n = 0;
    for (int64_t i = 0; i < pairs->rows; i++) {
        a[n] = a[i];
        b[n] = b[i];
        orders[n] = orders[i];
        n += orders[i] >= count->sieve.least;
    }
    return table_set_rows(pairs, n, error);
}

Status pairs_count(Comm *comm, Baskets *baskets, const PairTotals *totals,
                   const PairOptions *options, Table *pairs, Error *error)
{
    static const ColumnSpec columns[] = {{"a", COLUMN_I32, UNIT_NONE},
                                         {"b", COLUMN_I32, UNIT_NONE},
                                         {"orders", COLUMN_I64, UNIT_COUNT}};
    Status status = STATUS_OK;
    BasketLabels labels = {0};
    PairCount count = {.sieve = pair_sieve_of(options, totals), .pairs = pairs};
    table_init(pairs, columns, sizeof columns / sizeof *columns);
    TRY_ALL(comm,
            basket_labels_make(totals->of_product, totals->sorted, totals->n_products,
                               count.sieve.least, &labels, error),
            error);
    count.places = labels.places;
    TRY_ALL(comm, prepare(&count, baskets, &labels, error), error);
    comm_sum_i64(comm, count.plan.holders, labels.count);
    comm_sum_i64(comm, count.plan.instances, labels.count);
    comm_sum_i64(comm, count.plan.total, labels.count);
    comm_max_i64(comm, count.plan.longest, labels.count);
    TRY_ALL(comm, keep_own_rows(&count, error), error);
    TRY(share_least(comm, &count, error));
    TRY(sum_dense_rows(comm, &count, error));
    TRY(exchange_sparse_rows(comm, &count, options->message_words, error));
    TRY(share_least(comm, &count, error));
    TRY_ALL(comm, drop_hopeless(&count, error), error);
out:
    pair_sieve_free(&count.sieve);
    plan_free(&count.plan);
    mem_free(&count.counts);
    mem_free(&count.touched);
    basket_index_free(&count.index);
    basket_labels_free(&labels);
    return status;
}
