/* See forecast_changes.h. */
#include "changes/forecast_changes.h"

#include "changes/result_join.h"
#include "changes/saturate.h"

#include <string.h>

#define DAY "day"
#define UNITS "units"

/* Pieces of one name, whose rows stand together. */
typedef struct Sums {
    Buffer name;
    bool has_rows, was_before;
    int64_t before, after;
} Sums;

static bool counts_day(const ForecastChanges *changes, int64_t day)
{
    return changes->n_common == 0 || (day >= changes->first_day && day <= changes->last_day);
}

static Status end_name(Sums *sums, ChangeList *const *lists, int n_lists, Error *error)
{
    Status status = STATUS_OK;
    Change change = {.amount = saturate_subtract(sums->after, sums->before),
                     .before = sums->before,
                     .after = sums->after,
                     .is_new = !sums->was_before};
    for (int i = 0; sums->has_rows && i < n_lists; i++)
        TRY(change_list_add(lists[i], buffer_view(&sums->name), change, error));
    sums->has_rows = sums->was_before = false;
    sums->before = sums->after = 0;
out:
    return status;
}

/* Add the row at hand, of `name`. */
static Status add_row(Sums *sums, const ResultJoin *join, Bytes name, int units,
                      ChangeList *const *lists, int n_lists, Error *error)
{
    Status status = STATUS_OK;
    if (sums->has_rows && !bytes_equal(buffer_view(&sums->name), name))
        TRY(end_name(sums, lists, n_lists, error));
    if (!sums->has_rows) {
        buffer_clear(&sums->name);
        buffer_append_bytes(&sums->name, name);
        sums->has_rows = true;
    }
    sums->was_before |= join->side <= 0;
    if (join->side <= 0)
        sums->before = saturate_add(sums->before, result_cursor_integer(&join->before, units));
    if (join->side >= 0)
        sums->after = saturate_add(sums->after, result_cursor_integer(&join->after, units));
out:
    return status;
}

/* ---- the days ---- */

/* The days that both nights forecast; without any, those of the later one. All names have all
 * days. */
static Status find_days(ResultReader *before, ResultReader *after, ForecastChanges *changes,
                        Error *error)
{
    Status status;
    ResultJoin join;
    int32_t last[2] = {INT32_MIN, INT32_MIN}, first[2] = {INT32_MAX, INT32_MAX}; /* common, later */
    TRY(result_join_open(&join, before, after, "forecast_total", error));
    int level = result_join_column(&join, "level"), at = result_join_column(&join, DAY);
    changes->is_there = level >= 0 && at >= 0 && result_join_column(&join, UNITS) >= 0 &&
                        result_join_column(&join, "name") >= 0;
    while (changes->is_there && result_join_has(&join)) {
        const ResultCursor *row = result_join_row(&join);
        int32_t day = (int32_t)result_cursor_integer(row, at);
        bool is_total = bytes_equal(result_cursor_text(row, level), bytes_of("total"));
        for (int k = join.side == 0 ? 0 : 1; is_total && join.side >= 0 && k < 2; k++) {
            first[k] = day < first[k] ? day : first[k];
            last[k] = day > last[k] ? day : last[k];
        }
        changes->n_common += is_total && join.side == 0;
        TRY(result_join_next(&join, error));
    }
    int k = changes->n_common > 0 ? 0 : 1;
    changes->first_day = first[k];
    changes->last_day = last[k];
out:
    result_join_close(&join);
    return status;
}

/* ---- shop and categories ---- */

static void add_total(const ResultJoin *join, int units, ForecastChanges *changes)
{
    if (join->side <= 0)
        changes->before =
            saturate_add(changes->before, result_cursor_integer(&join->before, units));
    if (join->side >= 0)
        changes->after = saturate_add(changes->after, result_cursor_integer(&join->after, units));
}

static Status find_totals(ResultReader *before, ResultReader *after, ForecastChanges *changes,
                          Error *error)
{
    Status status;
    ResultJoin join;
    Sums sums = {.has_rows = false};
    ChangeList *const lists[] = {&changes->categories};
    TRY(result_join_open(&join, before, after, "forecast_total", error));
    int level = result_join_column(&join, "level"), name = result_join_column(&join, "name");
    int day = result_join_column(&join, DAY), units = result_join_column(&join, UNITS);
    while (result_join_has(&join)) {
        const ResultCursor *row = result_join_row(&join);
        Bytes of_level = result_cursor_text(row, level);
        bool counts = counts_day(changes, result_cursor_integer(row, day));
        if (counts && bytes_equal(of_level, bytes_of("total")))
            add_total(&join, units, changes);
        else if (counts && bytes_equal(of_level, bytes_of("category_1")))
            TRY(add_row(&sums, &join, result_cursor_text(row, name), units, lists, 1, error));
        TRY(result_join_next(&join, error));
    }
    TRY(end_name(&sums, lists, 1, error));
    change_list_finish(&changes->categories);
out:
    result_join_close(&join);
    buffer_free(&sums.name);
    return status;
}

/* ---- products ---- */

static Status find_products(ResultReader *before, ResultReader *after, ForecastChanges *changes,
                            Error *error)
{
    Status status;
    ResultJoin join;
    Sums sums = {.has_rows = false};
    ChangeList *const lists[] = {&changes->up, &changes->down};
    TRY(result_join_open(&join, before, after, "forecast_daily", error));
    int product = result_join_column(&join, "product_id");
    int day = result_join_column(&join, DAY), units = result_join_column(&join, UNITS);
    changes->has_products = product >= 0 && day >= 0 && units >= 0;
    while (changes->has_products && result_join_has(&join)) {
        const ResultCursor *row = result_join_row(&join);
        if (counts_day(changes, result_cursor_integer(row, day)))
            TRY(add_row(&sums, &join, result_cursor_text(row, product), units, lists, 2, error));
        TRY(result_join_next(&join, error));
    }
    TRY(end_name(&sums, lists, 2, error));
    change_list_finish(&changes->up);
    change_list_finish(&changes->down);
out:
    result_join_close(&join);
    buffer_free(&sums.name);
    return status;
}

Status forecast_changes_find(ResultReader *before, ResultReader *after, int64_t limit,
                             ForecastChanges *changes, Error *error)
{
    Status status;
    changes->up = (ChangeList){.order = CHANGES_UP, .limit = limit};
    changes->down = (ChangeList){.order = CHANGES_DOWN, .limit = limit};
    changes->categories = (ChangeList){.order = CHANGES_LARGE, .limit = limit};
    TRY(find_days(before, after, changes, error));
    if (!changes->is_there)
        goto out;
    TRY(find_totals(before, after, changes, error));
    TRY(find_products(before, after, changes, error));
out:
    return status;
}
