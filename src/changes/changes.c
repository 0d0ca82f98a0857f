/* See changes.h. */
#include "changes/changes.h"

#include "base/memory.h"
#include "changes/forecast_changes.h"
#include "changes/result_join.h"
#include "changes/saturate.h"

#include <stdlib.h>
#include <string.h>

static int64_t before_of(const ResultJoin *join, int column)
{
    return join->side <= 0 ? result_cursor_integer(&join->before, column) : 0;
}

static int64_t after_of(const ResultJoin *join, int column)
{
    return join->side >= 0 ? result_cursor_integer(&join->after, column) : 0;
}

/* Of the row at hand. */
static int64_t change_of(const ResultJoin *join, int column)
{
    return saturate_subtract(after_of(join, column), before_of(join, column));
}

/* ---- products ---- */

static Status find_products(ResultReader *before, ResultReader *after, int64_t limit,
                            ProductChanges *changes, Error *error)
{
    Status status;
    ResultJoin join;
    changes->up = (ChangeList){.order = CHANGES_UP, .limit = limit};
    changes->down = (ChangeList){.order = CHANGES_DOWN, .limit = limit};
    TRY(result_join_open(&join, before, after, "product_total", error));
    int product = result_join_column(&join, "product_id"), net = result_join_column(&join, "net");
    int sold = result_join_column(&join, "units");
    int returned = result_join_column(&join, "units_returned");
    changes->is_there = product >= 0 && net >= 0 && sold >= 0 && returned >= 0;
    while (changes->is_there && result_join_has(&join)) {
        Change change = {.amount = change_of(&join, net),
                         .after =
                             saturate_subtract(change_of(&join, sold), change_of(&join, returned)),
                         .is_new = join.side > 0};
        Bytes name = result_cursor_text(result_join_row(&join), product);
        changes->net_minor = saturate_add(changes->net_minor, change.amount);
        changes->units = saturate_add(changes->units, change.after);
        changes->changed += change.amount != 0 || change.after != 0;
        changes->added += change.is_new;
        TRY(change_list_add(&changes->up, name, change, error));
        TRY(change_list_add(&changes->down, name, change, error));
        TRY(result_join_next(&join, error));
    }
    change_list_finish(&changes->up);
    change_list_finish(&changes->down);
out:
    result_join_close(&join);
    return status;
}

/* ---- customers ---- */

/* The number of a segment, which is added if it is new. */
static Status segment_number(CustomerChanges *changes, Bytes text, int *number, Error *error)
{
    Status status = STATUS_OK;
    for (*number = 0; *number < changes->n_segments; ++*number) {
        if (bytes_equal(bytes_of(changes->segments[*number]), text))
            return STATUS_OK;
    }
    if (*number == CHANGE_SEGMENTS_MAX || text.size >= CHANGE_SEGMENT_SIZE)
        FAIL(error, STATUS_IO,
             "customer_summary has more than %d segments, or one of more than %d letters: remove "
             "its run from the store's results and compute it again",
             CHANGE_SEGMENTS_MAX, CHANGE_SEGMENT_SIZE - 1);
    if (text.size > 0)
        memcpy(changes->segments[*number], text.data, (size_t)text.size);
    changes->n_segments++;
out:
    return status;
}

static Status add_customer(CustomerChanges *changes, const ResultJoin *join, int customer,
                           int segment, int net, Error *error)
{
    Status status = STATUS_OK;
    Change change = {.amount = after_of(join, net)};
    changes->before += join->side <= 0;
    changes->after += join->side >= 0;
    changes->added += join->side > 0;
    changes->gone += join->side < 0;
    if (join->side != 0)
        goto out;
    Bytes from = result_cursor_text(&join->before, segment);
    Bytes to = result_cursor_text(&join->after, segment);
    if (bytes_equal(from, to))
        goto out;
    TRY(segment_number(changes, from, &change.from, error));
    TRY(segment_number(changes, to, &change.to, error));
    changes->moved++;
    changes->counts[change.from][change.to]++;
    TRY(change_list_add(&changes->customers, result_cursor_text(&join->after, customer), change,
                        error));
out:
    return status;
}

static Status list_moves(CustomerChanges *changes, Error *error)
{
    Status status = STATUS_OK;
    for (int from = 0; from < changes->n_segments; from++) {
        for (int to = 0; to < changes->n_segments; to++) {
            Change change = {.amount = changes->counts[from][to], .from = from, .to = to};
            Buffer name = {0}; /* of both, so that ties break by it */
            buffer_printf(&name, "%s %s", changes->segments[from], changes->segments[to]);
            status = change_list_add(&changes->moves, buffer_view(&name), change, error);
            buffer_free(&name);
            TRY(status);
        }
    }
    change_list_finish(&changes->moves);
out:
    return status;
}

static Status find_customers(ResultReader *before, ResultReader *after, int64_t limit,
                             CustomerChanges *changes, Error *error)
{
    Status status;
    ResultJoin join;
    changes->moves = (ChangeList){.order = CHANGES_UP, .limit = limit};
    changes->customers = (ChangeList){.order = CHANGES_UP, .limit = limit};
    TRY(result_join_open(&join, before, after, "customer_summary", error));
    int customer = result_join_column(&join, "customer"), net = result_join_column(&join, "net");
    int segment = result_join_column(&join, "segment");
    changes->is_there = customer >= 0 && net >= 0 && segment >= 0;
    while (changes->is_there && result_join_has(&join)) {
        TRY(add_customer(changes, &join, customer, segment, net, error));
        TRY(result_join_next(&join, error));
    }
    TRY(list_moves(changes, error));
    change_list_finish(&changes->customers);
out:
    result_join_close(&join);
    return status;
}

/* ---- tables ---- */

static int64_t rows_of(const ResultReader *reader, const char *table)
{
    int i = result_table_find(reader, table);
    return i < 0 ? -1 : results_table(reader, i)->rows;
}

static int compare_tables(const void *left, const void *right)
{
    const TableChange *a = left, *b = right;
    return strcmp(a->name, b->name);
}

static void add_table(const char *name, int64_t before, int64_t after, Changes *changes)
{
    if (before == after) {
        changes->n_same++;
        return;
    }
    TableChange *change = &changes->tables[changes->n_tables++];
    *change = (TableChange){.before = before, .after = after};
    memcpy(change->name, name, strlen(name) + 1); /* of a table: as long as its name may be */
}

static void find_tables(const ResultReader *before, const ResultReader *after, Changes *changes)
{
    int n = results_count(before) + results_count(after);
    changes->tables = mem_new(n, sizeof *changes->tables);
    for (int i = 0; i < results_count(before); i++) {
        const ResultTable *table = results_table(before, i);
        add_table(table->name, table->rows, rows_of(after, table->name), changes);
    }
    for (int i = 0; i < results_count(after); i++) {
        const ResultTable *table = results_table(after, i);
        if (result_table_find(before, table->name) < 0)
            add_table(table->name, -1, table->rows, changes);
    }
    if (changes->n_tables > 0)
        qsort(changes->tables, (size_t)changes->n_tables, sizeof *changes->tables, compare_tables);
}

/* ---- all together ---- */

Status changes_find(ResultReader *before, ResultReader *after, int64_t limit, Changes *changes,
                    Error *error)
{
    Status status;
    *changes = (Changes){.n_tables = 0};
    TRY(find_products(before, after, limit, &changes->products, error));
    TRY(find_customers(before, after, limit, &changes->customers, error));
    TRY(forecast_changes_find(before, after, limit, &changes->forecast, error));
    find_tables(before, after, changes);
out:
    return status;
}

void changes_free(Changes *changes)
{
    enum { N_LISTS = 7 };
    ChangeList *const lists[N_LISTS] = {&changes->products.up,        &changes->products.down,
                                        &changes->customers.moves,    &changes->customers.customers,
                                        &changes->forecast.up,        &changes->forecast.down,
                                        &changes->forecast.categories};
    for (int i = 0; i < N_LISTS; i++)
        change_list_free(lists[i]);
    mem_free(&changes->tables);
    *changes = (Changes){.n_tables = 0};
}
