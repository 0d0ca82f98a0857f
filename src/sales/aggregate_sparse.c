/* Group-bys with too many possible keys for an array: lines are set aside (group_tuples.h); runs of
 * lines, and the groups of lines where many share one, are rows (group_rows.h). */
#include "sales/aggregate_internal.h"

/* ---- groups as rows ---- */

static Status add_block_to_rows(Aggregate *aggregate, const OrderLines *columns, Error *error)
{
    Status status = STATUS_OK;
    int n_added = aggregate->set.n_added, width = group_rows_width(&aggregate->rows);
    for (int64_t i = 0; i < aggregate->n;) {
        int64_t *row, room;
        TRY(group_rows_room(&aggregate->rows, aggregate->n - i, &row, &room, error));
        for (int64_t end = i + room; i < end; i++, row += width) {
            row[0] = (int64_t)aggregate->keys[i];
            for (int w = 0; w < n_added; w++)
                row[1 + w] = aggregate->added[w][i];
            if (!aggregate->set.has_days)
                continue;
            int64_t day = columns->day[aggregate->at[i]];
            row[1 + n_added] = aggregate->kept[i] ? day : INT64_MAX;
            row[2 + n_added] = aggregate->kept[i] ? day : INT64_MIN;
        }
    }
out:
    return status;
}

/* ---- lines set aside ---- */

/* A column of the lines that count: as it stands, or gathered. */
static const int32_t *codes_of(const Aggregate *aggregate, const int32_t *column, int64_t begin,
                               bool is_whole, int32_t *gathered)
{
    if (!column || is_whole)
        return column ? column + begin : NULL;
    for (int64_t i = 0; i < aggregate->n; i++)
        gathered[i] = column[aggregate->at[i]];
    return gathered;
}

static const int64_t *prices_of(Aggregate *aggregate, const int64_t *column, int64_t begin,
                                bool is_whole)
{
    for (int64_t i = 0; !is_whole && i < aggregate->n; i++)
        aggregate->money[0][i] = column[aggregate->at[i]];
    return is_whole ? column + begin : aggregate->money[0];
}

static const int8_t *cancelled_of(Aggregate *aggregate, const int8_t *column, int64_t begin,
                                  bool is_whole)
{
    if (!column || is_whole)
        return column ? column + begin : NULL;
    for (int64_t i = 0; i < aggregate->n; i++)
        aggregate->cancelled[i] = column[aggregate->at[i]];
    return aggregate->cancelled;
}

static Status add_block_to_tuples(Aggregate *aggregate, const OrderLines *lines, int64_t begin,
                                  bool is_whole, Error *error)
{
    const SumSet *set = &aggregate->set;
    const int32_t *at = is_whole ? NULL : aggregate->at;
    int64_t n = aggregate->n;
    TupleBlock block = {.n = n, .keys = aggregate->keys};
    block.quantity = codes_of(aggregate, lines->quantity, begin, is_whole, aggregate->codes[0]);
    block.cancelled = cancelled_of(aggregate, lines->cancelled, begin, is_whole);
    if (set->has_days)
        block.day = codes_of(aggregate, lines->day, begin, is_whole, aggregate->codes[1]);
    if (aggregate->tuples.has_price)
        block.price = prices_of(aggregate, lines->price, begin, is_whole);
    if (aggregate->tuples.has_discount) {
        line_sum_compute(SUM_DISCOUNT, lines, aggregate->shop, begin, at, n, aggregate->money[1]);
        block.discount = aggregate->money[1];
    }
    if (aggregate->tuples.has_margin) {
        line_sum_compute(SUM_MARGIN, lines, aggregate->shop, begin, at, n, aggregate->money[2]);
        block.margin = aggregate->money[2];
    }
    if (set->orders)
        block.orders =
            aggregate->columns + (int64_t)sum_set_word(set, SUM_ORDERS) * AGGREGATE_BLOCK;
    if (set->customers)
        block.customers =
            aggregate->columns + (int64_t)sum_set_word(set, SUM_CUSTOMERS) * AGGREGATE_BLOCK;
    return group_tuples_add(&aggregate->tuples, &block, error);
}

Status aggregate_set_aside(Aggregate *aggregate, const OrderLines *columns, int64_t begin,
                           bool is_whole, Error *error)
{
    return aggregate->keeps_tuples ? add_block_to_tuples(aggregate, columns, begin, is_whole, error)
                                   : add_block_to_rows(aggregate, columns, error);
}

/* Where many tuples are of few groups memory follows the groups: now, or after twice as many. */
Status aggregate_limit_tuples(Aggregate *aggregate, Error *error)
{
    Status status = STATUS_OK;
    bool would_shrink;
    if (group_tuples_bytes(&aggregate->tuples) < aggregate->tuples_bytes_most)
        return STATUS_OK;
    TRY(group_tuples_would_shrink(&aggregate->tuples, &would_shrink, error));
    if (would_shrink)
        TRY(group_tuples_to_rows(&aggregate->tuples, &aggregate->rows, error));
    else
        aggregate->tuples_bytes_most *= 2;
out:
    return status;
}

/* ---- over the ranks ---- */

/* Tuples while they can be shared out; rows, each key once on a rank, if a rank has some already or
 * one bucket has too much of everything. */
Status aggregate_combine_sparse(Comm *comm, Aggregate *own, Groups *groups, Error *error)
{
    Status status = STATUS_OK;
    int64_t rows = own->rows.n;
    bool with_lines = false;
    for (int i = 0; i < own->spec->n_measures; i++)
        with_lines |= own->spec->measures[i] == MEASURE_LINES;
    comm_sum_i64(comm, &rows, 1);
    if (own->keeps_tuples && rows == 0 && group_tuples_are_even(comm, &own->tuples))
        return group_tuples_combine(comm, &own->tuples, with_lines, groups, error);
    TRY_ALL(comm, group_tuples_to_rows(&own->tuples, &own->rows, error), error);
    TRY(aggregate_combine_rows(comm, &own->set, &own->rows, groups, error));
out:
    return status;
}
