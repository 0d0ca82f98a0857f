/* Accuracy; see accuracy.h and docs/methods/accuracy.md. */
#include "recommend/accuracy.h"

#include "base/fault.h"
#include "base/memory.h"

#include <math.h>

enum { LIST_PLACES = 20 };
const int accuracy_cuts[ACCURACY_CUTS] = {10, LIST_PLACES};

/* Sums over users, in their order, of one partition. Doubles only: added up as a vector. */
typedef struct Sums {
    double recall[ACCURACY_CUTS];
    double ndcg[ACCURACY_CUTS];
    double map[ACCURACY_CUTS];
    double hit[ACCURACY_CUTS];
    double surprise[ACCURACY_CUTS]; /* -log2(share) of the items listed */
} Sums;
enum { N_SUMS = sizeof(Sums) / sizeof(double) };

typedef struct Counts {
    int64_t measured;              /* users with a truth */
    int64_t with_items;            /* users in the train data */
    int64_t listed[ACCURACY_CUTS]; /* places taken, of measured users */
} Counts;

typedef struct Measuring {
    const SparseSide *users, *truth;
    const TopLists *lists;
    double discount[LIST_PLACES]; /* 1 / log2(1 + place) */
    double ideal[LIST_PLACES];    /* sum of the discounts up to a place */
    Counts counts;
    Sums *sums;      /* [own partitions] */
    int64_t *owners; /* [n_items] users who have the item; in the end, best places of all ranks */
    uint8_t *best_place; /* [n_items] in any measured list, from 0; LIST_PLACES: in none */
} Measuring;

static Status measuring_start(Measuring *measuring, Error *error)
{
    Status status = STATUS_OK;
    int64_t n_items = measuring->users->n_columns;
    int64_t n_own = measuring->users->end - measuring->users->first;
    TRY(mem_resize(&measuring->owners, n_items, sizeof *measuring->owners, "counts of the items",
                   error));
    TRY(mem_resize(&measuring->best_place, n_items, sizeof *measuring->best_place,
                   "places of the items", error));
    for (int64_t i = 0; i < n_items; i++)
        measuring->best_place[i] = LIST_PLACES;
    measuring->sums = mem_new(n_own, sizeof *measuring->sums);
    double sum = 0.0;
    for (int k = 0; k < LIST_PLACES; k++) {
        measuring->discount[k] = 1.0 / log2(2.0 + k);
        sum += measuring->discount[k];
        measuring->ideal[k] = sum;
    }
out:
    return status;
}

static void measuring_free(Measuring *measuring)
{
    mem_free(&measuring->owners);
    mem_free(&measuring->best_place);
    mem_free(&measuring->sums);
}

static void count_users(Measuring *measuring)
{
    const SparseSide *users = measuring->users, *truth = measuring->truth;
    for (int32_t p = 0; p < users->end - users->first; p++) {
        for (int32_t row = 0; row < users->own[p].n_rows; row++) {
            const int64_t *starts = users->own[p].starts + row;
            const int64_t *truths = truth->own[p].starts + row;
            measuring->counts.with_items += starts[1] > starts[0];
            measuring->counts.measured += truths[1] > truths[0];
        }
    }
}

/* ---- one user ---- */

static bool is_in(const int32_t *columns, int64_t n, int32_t column)
{
    int64_t low = 0, high = n;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (columns[middle] < column)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && columns[low] == column;
}

/* -log2 of the share of users who have the item; one that nobody has counts as if one user had. */
static double surprise_of(const Measuring *measuring, int32_t item)
{
    int64_t owners = measuring->owners[item];
    int64_t users = measuring->counts.with_items;
    return users == 0 ? NAN : log2((double)users) - log2(owners > 0 ? (double)owners : 1.0);
}

/* Sums up to a cut of one user's list. */
typedef struct ListSums {
    int hits;
    double gain;       /* discounts of the hits */
    double precisions; /* at the hits */
    double surprise;
    int listed;
} ListSums;

static void add_list(const ListSums *list, int c, int64_t truth_size, const Measuring *measuring,
                     Sums *sums)
{
    int cut = accuracy_cuts[c];
    int most_hits = truth_size < cut ? (int)truth_size : cut;
    sums->recall[c] += (double)list->hits / (double)truth_size;
    sums->ndcg[c] += list->gain / measuring->ideal[most_hits - 1];
    sums->map[c] += list->precisions / most_hits;
    sums->hit[c] += list->hits > 0;
    sums->surprise[c] += list->surprise;
}

/* items [n] of the user's list; truth [truth_size], at least one. */
static void measure_user(Measuring *measuring, const int32_t *items, const int32_t *truth,
                         int64_t truth_size, Sums *sums)
{
    ListSums list = {0};
    for (int c = 0, k = 0; c < ACCURACY_CUTS; c++) {
        for (; k < accuracy_cuts[c]; k++) {
            int32_t item = items[k];
            if (item < 0)
                continue; /* so are all that follow */
            list.listed++;
            list.surprise += surprise_of(measuring, item);
            if (measuring->best_place[item] > k)
                measuring->best_place[item] = (uint8_t)k;
            if (is_in(truth, truth_size, item)) {
                list.hits++;
                list.gain += measuring->discount[k];
                list.precisions += (double)list.hits / (k + 1);
            }
        }
        measuring->counts.listed[c] += list.listed;
        add_list(&list, c, truth_size, measuring, sums);
    }
}

static void measure_partition(Measuring *measuring, int32_t p)
{
    const SparseRows *truth = &measuring->truth->own[p];
    const TopLists *lists = measuring->lists;
    int64_t first = truth->first_row - sparse_own_first(measuring->truth);
    for (int32_t row = 0; row < truth->n_rows; row++) {
        int64_t size = truth->starts[row + 1] - truth->starts[row];
        if (size > 0)
            measure_user(measuring, lists->items + (first + row) * lists->n,
                         truth->columns + truth->starts[row], size, &measuring->sums[p]);
    }
}

/* ---- all users ---- */

/* Items that some list of any rank has up to each cut. Collective. */
static void count_covered(Comm *comm, Measuring *measuring, int64_t covered[ACCURACY_CUTS])
{
    int64_t n_items = measuring->users->n_columns;
    int64_t *places = measuring->owners;
    for (int64_t i = 0; i < n_items; i++)
        places[i] = measuring->best_place[i];
    comm_min_i64(comm, places, n_items);
    for (int64_t i = 0; i < n_items; i++) {
        for (int c = 0; c < ACCURACY_CUTS; c++)
            covered[c] += places[i] < accuracy_cuts[c];
    }
}

static void set_means(const Measuring *measuring, const Sums *total,
                      const int64_t covered[ACCURACY_CUTS], Accuracy *accuracy)
{
    double users = (double)measuring->counts.measured;
    accuracy->users = measuring->counts.measured;
    for (int c = 0; c < ACCURACY_CUTS; c++) {
        /* 0 / 0: NaN */
        accuracy->recall[c] = total->recall[c] / users;
        accuracy->ndcg[c] = total->ndcg[c] / users;
        accuracy->map[c] = total->map[c] / users;
        accuracy->hit_rate[c] = total->hit[c] / users;
        accuracy->coverage[c] = (double)covered[c] / (double)measuring->users->n_columns;
        accuracy->novelty[c] = total->surprise[c] / (double)measuring->counts.listed[c];
    }
}

Status accuracy_measure(Comm *comm, const SparseSide *users, const SparseSide *truth,
                        const TopLists *lists, Accuracy *accuracy, Error *error)
{
    Status status = STATUS_OK;
    Measuring measuring = {.users = users, .truth = truth, .lists = lists};
    *accuracy = (Accuracy){0};
    vesper_assert(lists->n >= LIST_PLACES && truth->n_rows == users->n_rows);
    TRY_ALL(comm, fault_point("recommend.accuracy", error), error);
    TRY_ALL(comm, measuring_start(&measuring, error), error);
    sparse_column_counts(comm, users, measuring.owners);
    count_users(&measuring);
    comm_sum_i64(comm, &measuring.counts.with_items, 1);
    for (int32_t p = 0; p < users->end - users->first; p++)
        measure_partition(&measuring, p);
    comm_sum_i64(comm, &measuring.counts.measured, 1);
    comm_sum_i64(comm, measuring.counts.listed, ACCURACY_CUTS);
    Sums total = {0};
    comm_sum_in_order_f64(comm, (const double *)measuring.sums, users->end - users->first, N_SUMS,
                          (double *)&total);
    int64_t covered[ACCURACY_CUTS] = {0};
    count_covered(comm, &measuring, covered);
    set_means(&measuring, &total, covered, accuracy);
out:
    measuring_free(&measuring);
    return status;
}
