/* Exact quantiles of values spread over the ranks; see quantiles.h. */
#include "sales/quantiles.h"

#include "base/fault.h"
#include "base/memory.h"
#include "sales/keyed_values.h"

/* Groups times percents that are still searched by bisection: a round adds up as many numbers. */
enum { SEARCHES_MAX = 1 << 14 };

/* Place of a quantile among n values, from 1. */
static int64_t place_of(int64_t n, int percent)
{
    int64_t place = n / 100 * percent + (n % 100 * percent + 99) / 100;
    return place > 0 ? place : 1;
}

/* ---- few groups: bisection ---- */

/* This rank's values of all groups: ascending values[starts[g], starts[g + 1]). */
typedef struct LocalGroups {
    int64_t n;
    const int64_t *values;
    const int64_t *starts; /* [n + 1] */
} LocalGroups;

/* One quantile of one group: the answer is in [low, high]. */
typedef struct Search {
    int64_t low;
    int64_t high;
    int64_t place; /* from 1; 0 for a group without values */
} Search;

/* How many of values [n], ascending, are <= limit. */
static int64_t count_up_to(const int64_t *values, int64_t n, int64_t limit)
{
    int64_t low = 0, high = n;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (values[middle] <= limit)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int64_t middle_of(const Search *search)
{
    uint64_t width = (uint64_t)search->high - (uint64_t)search->low;
    return (int64_t)((uint64_t)search->low + width / 2);
}

/* Bounds and places from all ranks; `numbers` has room for three a group. Collective. */
static void begin_searches(Comm *comm, const LocalGroups *groups, const int *percents,
                           int n_percents, int64_t *numbers, Search *searches)
{
    int64_t n = groups->n;
    int64_t *counts = numbers, *least = numbers + n, *greatest = numbers + 2 * n;
    for (int64_t g = 0; g < n; g++) {
        int64_t begin = groups->starts[g], end = groups->starts[g + 1];
        counts[g] = end - begin;
        least[g] = begin < end ? groups->values[begin] : INT64_MAX;
        /* Bits turned, so that one minimum serves both ends. */
        greatest[g] = begin < end ? ~groups->values[end - 1] : INT64_MAX;
    }
    comm_sum_i64(comm, counts, n);
    comm_min_i64(comm, least, 2 * n);
    for (int64_t g = 0; g < n; g++) {
        for (int p = 0; p < n_percents; p++) {
            Search *search = &searches[g * n_percents + p];
            *search = (Search){0};
            if (counts[g] > 0)
                *search = (Search){least[g], ~greatest[g], place_of(counts[g], percents[p])};
        }
    }
}

/* Halve all open intervals until none is left: at most 64 rounds. Collective. */
static void finish_searches(Comm *comm, const LocalGroups *groups, int n_percents, int64_t *below,
                            Search *searches)
{
    int64_t n = groups->n * n_percents;
    for (;;) {
        bool is_open = false;
        for (int64_t s = 0; s < n; s++) {
            const Search *search = &searches[s];
            int64_t begin = groups->starts[s / n_percents];
            int64_t end = groups->starts[s / n_percents + 1];
            below[s] = 0;
            if (search->low == search->high)
                continue;
            is_open = true;
            below[s] = count_up_to(groups->values + begin, end - begin, middle_of(search));
        }
        if (!is_open)
            return;
        comm_sum_i64(comm, below, n);
        for (int64_t s = 0; s < n; s++) {
            Search *search = &searches[s];
            if (search->low == search->high)
                continue;
            int64_t middle = middle_of(search);
            if (below[s] >= search->place)
                search->high = middle;
            else
                search->low = middle + 1;
        }
    }
}

/* searches [groups x n_percents] out. Collective. */
static void search_all(Comm *comm, const LocalGroups *groups, const int *percents, int n_percents,
                       Search *searches)
{
    int64_t width = n_percents > 3 ? n_percents : 3;
    int64_t *numbers = mem_new(groups->n * width, sizeof *numbers);
    begin_searches(comm, groups, percents, n_percents, numbers, searches);
    finish_searches(comm, groups, n_percents, numbers, searches);
    mem_free(&numbers);
}

static int64_t answer(const Search *search)
{
    return search->place > 0 ? search->low : MONEY_NONE;
}

/* starts [n + 1] := first row of each group; rows are sorted by key, and have no other key. */
static void find_starts(const int64_t *row_keys, int64_t rows, const uint64_t *keys, int64_t n,
                        int64_t *starts)
{
    int64_t row = 0;
    for (int64_t g = 0; g < n; g++) {
        starts[g] = row;
        while (row < rows && (uint64_t)row_keys[row] == keys[g])
            row++;
    }
    starts[n] = row;
    vesper_assert(row == rows);
}

/* Every rank learns all keys, and searches with all others. Collective. */
static Status quantiles_of_few(Comm *comm, const Table *sorted, const uint64_t *keys, int64_t n,
                               const int *percents, int n_percents, int64_t *const *quantiles,
                               Error *error)
{
    Status status = STATUS_OK;
    char *gathered = NULL;
    int64_t bytes, *starts = NULL;
    Search *searches = NULL;
    int64_t first = comm_prefix_i64(comm, n);
    TRY(comm_gather_all(comm, keys, n * (int64_t)sizeof *keys, &gathered, &bytes, NULL, error));
    const uint64_t *all = (const uint64_t *)(const void *)gathered;
    int64_t n_all = bytes / (int64_t)sizeof *all;
    starts = mem_new(n_all + 1, sizeof *starts);
    searches = mem_new(n_all * n_percents, sizeof *searches);
    find_starts(sorted->columns[0].data, sorted->rows, all, n_all, starts);
    LocalGroups groups = {.n = n_all, .values = sorted->columns[1].data, .starts = starts};
    search_all(comm, &groups, percents, n_percents, searches);
    for (int64_t g = 0; g < n; g++) {
        for (int p = 0; p < n_percents; p++)
            quantiles[p][g] = answer(&searches[(first + g) * n_percents + p]);
    }
out:
    mem_free(&gathered);
    mem_free(&starts);
    mem_free(&searches);
    return status;
}

/* ---- many groups: sorted over the ranks ---- */

/* One quantile, found by the rank that has the value. */
typedef struct Pick {
    uint64_t key;
    int64_t value;
    int64_t percent; /* index */
} Pick;

typedef struct Picks {
    int64_t n;
    Pick *items;
} Picks;

static int64_t count_runs(const int64_t *keys, int64_t n)
{
    int64_t runs = n > 0;
    for (int64_t i = 1; i < n; i++)
        runs += keys[i - 1] != keys[i];
    return runs;
}

/* The quantiles whose place is on this rank, by key. */
static Status pick_values(const Table *sorted, const KeyEdges *edges, const int *percents,
                          int n_percents, Picks *picks, Error *error)
{
    Status status = STATUS_OK;
    const int64_t *keys = sorted->columns[0].data, *values = sorted->columns[1].data;
    int64_t n = sorted->rows;
    TRY(mem_resize(&picks->items, count_runs(keys, n) * n_percents, sizeof *picks->items,
                   "quantiles", error));
    for (int64_t begin = 0, end; begin < n; begin = end) {
        end = begin + 1;
        while (end < n && keys[end] == keys[begin])
            end++;
        int64_t before = begin == 0 ? edges->before : 0;
        int64_t all = before + (end - begin) + (end == n ? edges->after : 0);
        for (int p = 0; p < n_percents; p++) {
            int64_t at = begin + place_of(all, percents[p]) - 1 - before;
            if (at >= begin && at < end)
                picks->items[picks->n++] = (Pick){(uint64_t)keys[begin], values[at], p};
        }
    }
out:
    return status;
}

/* counts [size] := picks for each rank, by the first key of its groups. Collective. */
static Status count_for_owners(Comm *comm, const Picks *picks, const uint64_t *keys, int64_t n,
                               int64_t *counts, Error *error)
{
    Status status = STATUS_OK;
    char *gathered = NULL;
    int64_t bytes, at = 0;
    uint64_t first = n > 0 ? keys[0] : UINT64_MAX; /* no key: the rank owns nothing */
    TRY(comm_gather_all(comm, &first, sizeof first, &gathered, &bytes, NULL, error));
    const uint64_t *firsts = (const uint64_t *)(const void *)gathered;
    int owner = -1;
    for (int rank = 0; rank < comm_size(comm); rank++) {
        if (firsts[rank] == UINT64_MAX)
            continue;
        for (; at < picks->n && picks->items[at].key < firsts[rank]; at++) {
            vesper_assert(owner >= 0);
            counts[owner]++;
        }
        owner = rank;
    }
    vesper_assert(owner >= 0 || picks->n == 0);
    if (owner >= 0)
        counts[owner] += picks->n - at;
out:
    mem_free(&gathered);
    return status;
}

/* Send the picks to the ranks of their groups. Collective. */
static Status deliver(Comm *comm, const Picks *picks, const uint64_t *keys, int64_t n,
                      int n_percents, int64_t *const *quantiles, Error *error)
{
    Status status = STATUS_OK;
    Pick *received = NULL;
    int64_t *counts = mem_new(comm_size(comm), sizeof *counts);
    int64_t *from = mem_new(comm_size(comm), sizeof *from);
    TRY(count_for_owners(comm, picks, keys, n, counts, error));
    TRY(comm_exchange(comm, picks->items, counts, sizeof *picks->items, &received, from, error));
    int64_t n_received = 0, g = 0;
    for (int rank = 0; rank < comm_size(comm); rank++)
        n_received += from[rank];
    for (int p = 0; p < n_percents; p++) {
        for (int64_t i = 0; i < n; i++)
            quantiles[p][i] = MONEY_NONE;
    }
    for (int64_t i = 0; i < n_received; i++) {
        while (g < n && keys[g] < received[i].key)
            g++;
        vesper_assert(g < n && keys[g] == received[i].key);
        quantiles[received[i].percent][g] = received[i].value;
    }
out:
    mem_free(&received);
    mem_free(&counts);
    mem_free(&from);
    return status;
}

/* Collective. */
static Status quantiles_of_many(Comm *comm, Table *sorted, const uint64_t *keys, int64_t n,
                                const int *percents, int n_percents, int64_t *const *quantiles,
                                Error *error)
{
    Status status = STATUS_OK;
    Picks picks = {0};
    KeyEdges edges;
    if (comm_size(comm) > 1)
        TRY(comm_sort_table(comm, sorted, keyed_values_order, KEYED_ORDER, error));
    TRY(key_edges(comm, sorted->columns[0].data, sorted->rows, &edges, error));
    TRY_ALL(comm, pick_values(sorted, &edges, percents, n_percents, &picks, error), error);
    table_free(sorted);
    TRY(deliver(comm, &picks, keys, n, n_percents, quantiles, error));
out:
    mem_free(&picks.items);
    return status;
}

/* ---- the two ways in ---- */

static Status sort_own(Table *pairs, Error *error)
{
    Status status = STATUS_OK;
    TRY(fault_point("sales.quantiles", error));
    TRY(keyed_values_sort(pairs, error));
out:
    return status;
}

Status quantiles_by_key(Comm *comm, KeyedValues *values, const uint64_t *keys, int64_t n,
                        const int *percents, int n_percents, int64_t *const *quantiles,
                        Error *error)
{
    Status status = STATUS_OK;
    Table pairs = {0};
    int64_t n_groups = n;
    vesper_assert(n_percents > 0 && n_percents <= QUANTILES_MAX);
    comm_sum_i64(comm, &n_groups, 1);
    keyed_values_to_table(values, &pairs);
    TRY_ALL(comm, sort_own(&pairs, error), error);
    /* One rank alone has nothing to search for: it picks. */
    if (comm_size(comm) > 1 && n_groups <= SEARCHES_MAX / n_percents)
        TRY(quantiles_of_few(comm, &pairs, keys, n, percents, n_percents, quantiles, error));
    else
        TRY(quantiles_of_many(comm, &pairs, keys, n, percents, n_percents, quantiles, error));
out:
    table_free(&pairs);
    return status;
}

Status quantiles_of_all(Comm *comm, int64_t *values, int64_t n, const int *percents, int n_percents,
                        int64_t *quantiles, Error *error)
{
    Status status = STATUS_OK;
    Search searches[QUANTILES_MAX];
    int64_t starts[] = {0, n};
    LocalGroups group = {.n = 1, .values = values, .starts = starts};
    vesper_assert(n_percents > 0 && n_percents <= QUANTILES_MAX);
    TRY_ALL(comm, sort_i64(values, n, error), error);
    search_all(comm, &group, percents, n_percents, searches);
    for (int p = 0; p < n_percents; p++)
        quantiles[p] = answer(&searches[p]);
out:
    return status;
}
