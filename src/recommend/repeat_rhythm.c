/* When items are bought again; docs/methods/repeat.md has the formulas. All sums are of whole
 * numbers of days but those of the shape, which are added partition by partition. */
#include "recommend/repeat_model.h"

#include "base/fault.h"
#include "base/memory.h"

#include <math.h>
#include <string.h>

/* Intervals that the mean over all items counts for beside those of one item, and the item's beside
 * a customer's own. */
static const double PRIOR_OF_ITEM = 5.0, PRIOR_OF_CUSTOMER = 4.0;
/* Repeated purchases at the rate of all items that an item's rate begins with. */
static const double PRIOR_REPEATS = 1.0;
static const double SHAPE_MAX = 1e6; /* from here on rates are all alike */

/* What is summed over the customers of an item. */
enum { SUM_REPEATS, SUM_EXPOSURE, SUM_SPANS, RHYTHM_SUMS };

static int64_t exposure(const Repeat *model, const RepeatDays *days)
{
    return (int64_t)model->until_day - days->first;
}

static void add_up_items(const Repeat *model, int64_t *sums)
{
    int64_t n = model->shares.n_columns;
    for (int32_t p = 0; p < model->shares.end - model->shares.first; p++) {
        const SparseRows *rows = &model->shares.own[p];
        for (int64_t e = 0; e < sparse_entries(rows); e++) {
            const RepeatDays *days = &model->past[p].days[e];
            int32_t item = rows->columns[e];
            sums[SUM_REPEATS * n + item] += days->n - 1;
            sums[SUM_EXPOSURE * n + item] += exposure(model, days);
            sums[SUM_SPANS * n + item] += (int64_t)days->last - days->first;
        }
    }
}

static void set_rhythm(Repeat *model, const int64_t *sums)
{
    int64_t n = model->shares.n_columns, all[RHYTHM_SUMS] = {0};
    for (int s = 0; s < RHYTHM_SUMS; s++)
        for (int64_t i = 0; i < n; i++)
            all[s] += sums[s * n + i];
    double rate_of_all =
        all[SUM_EXPOSURE] > 0 ? (double)all[SUM_REPEATS] / (double)all[SUM_EXPOSURE] : 0.0;
    double interval_of_all = (double)all[SUM_SPANS] / (double)all[SUM_REPEATS];
    for (int64_t i = 0; i < n; i++) {
        double repeats = (double)sums[SUM_REPEATS * n + i];
        RepeatRhythm *rhythm = &model->rhythm[i];
        rhythm->rate = rate_of_all > 0
                           ? (PRIOR_REPEATS + repeats) /
                                 (PRIOR_REPEATS / rate_of_all + (double)sums[SUM_EXPOSURE * n + i])
                           : 0.0;
        rhythm->interval =
            repeats > 0 ? (PRIOR_OF_ITEM * interval_of_all + (double)sums[SUM_SPANS * n + i]) /
                              (PRIOR_OF_ITEM + repeats)
                        : NAN;
    }
}

/* sums [2]: of (m T)^2, and of (x - m T)^2 - m T, over the pairs of a partition. */
static void add_up_shape(const Repeat *model, int32_t own, double sums[2])
{
    const SparseRows *rows = &model->shares.own[own];
    for (int64_t e = 0; e < sparse_entries(rows); e++) {
        const RepeatDays *days = &model->past[own].days[e];
        double expected = model->rhythm[rows->columns[e]].rate * (double)exposure(model, days);
        double off = (double)(days->n - 1) - expected;
        sums[0] += expected * expected;
        sums[1] += off * off - expected;
    }
}

Status repeat_learn_rhythm(Comm *comm, Repeat *model, Error *error)
{
    Status status = STATUS_OK;
    int64_t *sums = NULL, n = model->shares.n_columns;
    int32_t n_own = model->shares.end - model->shares.first;
    double *shapes = mem_new(2 * (int64_t)n_own, sizeof *shapes), total[2];
    Status own = mem_resize(&sums, RHYTHM_SUMS * n, sizeof *sums, "rhythm of items", error);
    if (own == STATUS_OK)
        own = mem_resize(&model->rhythm, n, sizeof *model->rhythm, "rhythm of items", error);
    if (own == STATUS_OK)
        own = fault_point("recommend.rhythm", error);
    TRY(comm_agree(comm, own, error));
    memset(sums, 0, (size_t)(RHYTHM_SUMS * n) * sizeof *sums);
    add_up_items(model, sums);
    comm_sum_i64(comm, sums, RHYTHM_SUMS * n);
    set_rhythm(model, sums);
    for (int32_t p = 0; p < n_own; p++)
        add_up_shape(model, p, shapes + 2 * (int64_t)p);
    comm_sum_in_order_f64(comm, shapes, n_own, 2, total);
    model->shape = total[1] * SHAPE_MAX > total[0] ? total[0] / total[1] : SHAPE_MAX;
out:
    mem_free(&sums);
    mem_free(&shapes);
    return status;
}

/* ---- answers ---- */

/* The purchases of an item by the customer at own row `row`; NULL: none. */
static const RepeatDays *find_days(const Repeat *model, int32_t row, int32_t item)
{
    const SparseSide *shares = &model->shares;
    int32_t number = sparse_own_first(shares) + row;
    int32_t low = shares->first, high = shares->end - 1;
    while (low < high) { /* the last partition that begins at or before it */
        int32_t middle = low + (high - low + 1) / 2;
        if (shares->bases[middle] <= number)
            low = middle;
        else
            high = middle - 1;
    }
    const SparseRows *rows = &shares->own[low - shares->first];
    int64_t begin = rows->starts[number - rows->first_row];
    int64_t end = rows->starts[number - rows->first_row + 1], limit = end;
    while (begin < end) {
        int64_t middle = begin + (end - begin) / 2;
        if (rows->columns[middle] < item)
            begin = middle + 1;
        else
            end = middle;
    }
    bool is_there = begin < limit && rows->columns[begin] == item;
    return is_there ? &model->past[low - shares->first].days[begin] : NULL;
}

/* 1 - ((b + T) / (b + T + t))^(a + x), where b = a / m. */
static double probability_within(const Repeat *model, const RepeatDays *days, double rate,
                                 int64_t within)
{
    if (rate <= 0.0)
        return 0.0;
    double seen = model->shape / rate + (double)exposure(model, days);
    double power = model->shape + (double)(days->n - 1);
    return -expm1(power * log1p(-(double)within / (seen + (double)within)));
}

void repeat_due(const Repeat *model, int32_t row, int32_t item, int64_t days, int32_t *due_day,
                double *probability)
{
    const RepeatDays *own = find_days(model, row, item);
    const RepeatRhythm *rhythm = &model->rhythm[item];
    *due_day = DAY_NONE;
    *probability = NAN;
    if (!own)
        return;
    *probability = probability_within(model, own, rhythm->rate, days);
    if (isnan(rhythm->interval))
        return;
    double interval = (PRIOR_OF_CUSTOMER * rhythm->interval + (double)(own->last - own->first)) /
                      (PRIOR_OF_CUSTOMER + (double)(own->n - 1));
    *due_day = own->last + (int32_t)lround(interval);
}
