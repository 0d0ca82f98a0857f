/* Adding up tuples, a range of keys at a time.
 *
 * A range whose cells fit the near caches is added up in them. A wider one with few tuples is
 * sorted, so that the keys that occur can be numbered; one with many is split by the next bits of
 * its keys, as often as needed: one odd day far away from all others costs a pass, no more. */
#include "base/memory.h"
#include "sales/tuple_layout.h"
#include "sales/tuple_store.h"
#include "table/sort.h"

#include <string.h>

enum { BLOCK = 512, PREFETCH_AHEAD = 8 };
enum { SPLIT_BITS = 10 };
/* Going through cells costs less than sorting if one in so many is used. */
enum { CELLS_A_TUPLE = 32 };

struct TupleReducer {
    const GroupTuples *tuples;
    const SumSet *set;
    TupleWords with;
    int width; /* int64 a cell: sums, then days */
    int lines; /* word of a cell that is never 0 in a group */
    int64_t n_cells;
    int64_t *cells;   /* [n_cells x width], all 0 between calls */
    int64_t capacity; /* of groups */
    int32_t *used;    /* [n_cells] cells that are groups */
    uint64_t *keys;   /* sorting: keys of tuples, then the different ones */
    int64_t *order;
    int32_t *numbers;
    int64_t sort_capacity;
    /* A block of tuples, column by column. */
    int32_t ids[BLOCK], quantity[BLOCK], day[BLOCK];
    int64_t price[BLOCK], discount[BLOCK], margin[BLOCK];
    int8_t cancelled[BLOCK];
    int64_t columns[SUM_COUNT][BLOCK];
};

TupleReducer *tuple_reducer_new(const GroupTuples *tuples)
{
    TupleReducer *reducer = mem_new(1, sizeof *reducer);
    reducer->tuples = tuples;
    reducer->set = tuples->set;
    reducer->with = tuple_words(tuples);
    reducer->width = tuples->set->n_added + (tuples->set->has_days ? 2 : 0);
    reducer->lines = sum_set_word(tuples->set, SUM_LINES);
    return reducer;
}

void tuple_reducer_free(TupleReducer **reducer)
{
    if (!*reducer)
        return;
    mem_free(&(*reducer)->cells);
    mem_free(&(*reducer)->used);
    mem_free(&(*reducer)->keys);
    mem_free(&(*reducer)->order);
    mem_free(&(*reducer)->numbers);
    mem_free(reducer);
}

static Status make_cells(TupleReducer *reducer, int64_t n, Error *error)
{
    Status status = STATUS_OK;
    if (n <= reducer->n_cells)
        return STATUS_OK;
    TRY(mem_resize(&reducer->cells, n * reducer->width, sizeof(int64_t), "groups", error));
    TRY(mem_resize(&reducer->used, n, sizeof(int32_t), "groups", error));
    memset(reducer->cells, 0, (size_t)(n * reducer->width) * sizeof(int64_t));
    reducer->n_cells = n;
out:
    return status;
}

/* ---- tuples into cells ---- */

/* Columns of n <= BLOCK tuples. `numbers` are their cells; NULL: by key, `first` is the key of the
 * first cell. */
static inline void unpack(TupleReducer *reducer, const uint64_t *words, int64_t n, uint64_t first,
                          const int32_t *numbers, TupleWords with)
{
    int width = reducer->tuples->words;
    for (int64_t i = 0; i < n; i++, words += width) {
        const uint64_t *word = words + 1 + with.wide;
        reducer->quantity[i] = (int32_t)(words[0] >> 32);
        reducer->cancelled[i] = words[0] >> TUPLE_CANCELLED & 1;
        reducer->ids[i] = numbers ? numbers[i] : (int32_t)(tuple_key(words, with.wide) - first);
        if (with.price)
            reducer->price[i] = (int64_t)*word++;
        if (with.discount)
            reducer->discount[i] = (int64_t)*word++;
        if (with.margin)
            reducer->margin[i] = (int64_t)*word++;
        if (with.day)
            reducer->day[i] = (int32_t)*word++;
    }
}

/* columns := what each tuple of the block adds. */
static void find_sums(TupleReducer *reducer, const uint64_t *words, int64_t n)
{
    int width = reducer->tuples->words;
    OrderLines lines = {.n = n,
                        .quantity = reducer->quantity,
                        .price = reducer->price,
                        .discount = reducer->discount,
                        .cancelled = reducer->cancelled};
    for (int w = 0; w < reducer->set->n_added; w++) {
        GroupSum sum = reducer->set->added[w];
        int64_t *column = reducer->columns[w];
        int flag = sum == SUM_ORDERS ? TUPLE_FIRST_OF_ORDER : TUPLE_FIRST_OF_CUSTOMER;
        if (sum == SUM_ORDERS || sum == SUM_CUSTOMERS)
            for (int64_t i = 0; i < n; i++)
                column[i] = (int64_t)(words[i * width] >> flag & 1);
        else if (sum == SUM_MARGIN)
            memcpy(column, reducer->margin, (size_t)n * sizeof *column);
        else
            line_sum_compute(sum, &lines, NULL, 0, NULL, n, column);
    }
}

static inline void add_columns(TupleReducer *reducer, int64_t n, int n_added, int width)
{
    int64_t *cells = reducer->cells;
    for (int64_t i = 0; i < n; i++) {
        int64_t *cell = cells + (int64_t)reducer->ids[i] * width;
        int64_t ahead = i + PREFETCH_AHEAD < n ? i + PREFETCH_AHEAD : i;
        __builtin_prefetch(cells + (int64_t)reducer->ids[ahead] * width, 1);
        for (int w = 0; w < n_added; w++)
            cell[w] += reducer->columns[w][i];
    }
}

/* Days as numbers above 0 of which the greatest counts, so that 0 is none. */
static inline int64_t first_as_greatest(int32_t day)
{
    return (int64_t)INT32_MAX - day + 1;
}

static inline int64_t last_as_greatest(int32_t day)
{
    return (int64_t)day - INT32_MIN + 1;
}

static void add_days(TupleReducer *reducer, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        if (reducer->quantity[i] <= 0 || reducer->cancelled[i])
            continue;
        int64_t *days =
            reducer->cells + (int64_t)reducer->ids[i] * reducer->width + reducer->set->n_added;
        int64_t first = first_as_greatest(reducer->day[i]),
                last = last_as_greatest(reducer->day[i]);
        days[0] = first > days[0] ? first : days[0];
        days[1] = last > days[1] ? last : days[1];
    }
}

static void add_piece(TupleReducer *reducer, TuplePiece piece, uint64_t first,
                      const int32_t *numbers)
{
    TupleWords with = reducer->with;
    int n_added = reducer->set->n_added, words = reducer->tuples->words;
    bool is_plain = with.price && words == 2;
    for (int64_t begin = 0; begin < piece.n; begin += BLOCK) {
        int64_t n = piece.n - begin < BLOCK ? piece.n - begin : BLOCK;
        const uint64_t *block = piece.words + begin * words;
        if (is_plain && !numbers)
            unpack(reducer, block, n, first, NULL, (TupleWords){.price = true});
        else
            unpack(reducer, block, n, first, numbers ? numbers + begin : NULL, with);
        find_sums(reducer, block, n);
        if (reducer->width == 4 && n_added == 4)
            add_columns(reducer, n, 4, 4);
        else if (reducer->width == 3 && n_added == 3)
            add_columns(reducer, n, 3, 3);
        else
            add_columns(reducer, n, n_added, reducer->width);
        if (with.day)
            add_days(reducer, n);
    }
}

/* ---- cells into groups ---- */

/* Room for more groups, by an eighth: a mapped block grows without being copied. */
static Status reserve(TupleReducer *reducer, int64_t n, Groups *groups, Error *error)
{
    Status status = STATUS_OK;
    if (n <= reducer->capacity)
        return STATUS_OK;
    int64_t capacity = n + n / 8 + 1024;
    TRY(mem_resize(&groups->keys, capacity, sizeof *groups->keys, "groups", error));
    for (int w = 0; w < reducer->set->n_added; w++)
        TRY(mem_resize(&groups->sums[reducer->set->added[w]], capacity, sizeof(int64_t), "groups",
                       error));
    for (int s = SUM_FIRST_DAY; reducer->set->has_days && s <= SUM_LAST_DAY; s++)
        TRY(mem_resize(&groups->sums[s], capacity, sizeof(int64_t), "groups", error));
    reducer->capacity = capacity;
out:
    return status;
}

static int64_t day_of_cell(const TupleReducer *reducer, const int64_t *cell, GroupSum sum)
{
    int64_t day = cell[reducer->set->n_added + (sum == SUM_LAST_DAY)];
    if (sum == SUM_FIRST_DAY)
        return day == 0 ? INT64_MAX : (int64_t)INT32_MAX - day + 1;
    return day == 0 ? INT64_MIN : day + INT32_MIN - 1;
}

/* The cells used [n] as groups; keys NULL: their numbers from `first` on. */
static Status to_groups(TupleReducer *reducer, uint64_t first, const uint64_t *keys, int64_t n,
                        Groups *groups, Error *error)
{
    Status status = STATUS_OK;
    const int32_t *used = reducer->used;
    int width = reducer->width;
    TRY(reserve(reducer, groups->n + n, groups, error));
    for (int64_t i = 0; i < n; i++)
        groups->keys[groups->n + i] = first + (keys ? keys[used[i]] : (uint64_t)used[i]);
    for (int w = 0; w < reducer->set->n_added; w++) {
        int64_t *to = groups->sums[reducer->set->added[w]] + groups->n;
        const int64_t *from = reducer->cells + w;
        for (int64_t i = 0; i < n; i++)
            to[i] = from[(int64_t)used[i] * width];
    }
    for (int s = SUM_FIRST_DAY; reducer->set->has_days && s <= SUM_LAST_DAY; s++) {
        for (int64_t i = 0; i < n; i++)
            groups->sums[s][groups->n + i] =
                day_of_cell(reducer, reducer->cells + (int64_t)used[i] * width, (GroupSum)s);
    }
    groups->n += n;
out:
    return status;
}

static Status to_rows(TupleReducer *reducer, uint64_t first, const uint64_t *keys, int64_t n,
                      GroupRows *rows, Error *error)
{
    Status status = STATUS_OK;
    int n_added = reducer->set->n_added, width = group_rows_width(rows);
    for (int64_t i = 0; i < n;) {
        int64_t *row, room;
        TRY(group_rows_room(rows, n - i, &row, &room, error));
        for (int64_t end = i + room; i < end; i++, row += width) {
            int32_t at = reducer->used[i];
            const int64_t *cell = reducer->cells + (int64_t)at * reducer->width;
            row[0] = (int64_t)(first + (keys ? keys[at] : (uint64_t)at));
            memcpy(row + 1, cell, (size_t)n_added * sizeof *row);
            if (reducer->set->has_days) {
                row[n_added + 1] = day_of_cell(reducer, cell, SUM_FIRST_DAY);
                row[n_added + 2] = day_of_cell(reducer, cell, SUM_LAST_DAY);
            }
        }
    }
out:
    return status;
}

typedef struct Target {
    Groups *groups;
    GroupRows *rows;
    int64_t n;
} Target;

/* Groups from cells [n_cells], which are 0 afterwards. */
static Status emit(TupleReducer *reducer, uint64_t first, const uint64_t *keys, int64_t n_cells,
                   Target *target, Error *error)
{
    Status status = STATUS_OK;
    int width = reducer->width;
    const int64_t *lines = reducer->cells + reducer->lines;
    int64_t n = 0;
    for (int64_t i = 0; i < n_cells; i++) {
        reducer->used[n] = (int32_t)i;
        n += lines[i * width] != 0;
    }
    if (target->groups)
        TRY(to_groups(reducer, first, keys, n, target->groups, error));
    else if (target->rows)
        TRY(to_rows(reducer, first, keys, n, target->rows, error));
    target->n += n;
    for (int64_t i = 0; i < n; i++)
        memset(reducer->cells + (int64_t)reducer->used[i] * width, 0,
               (size_t)width * sizeof(int64_t));
out:
    return status;
}

/* ---- ranges ---- */

/* Keys of a bucket: `from` of it on, 2^shift of them. */
typedef struct Range {
    uint64_t bucket_key; /* of its first key */
    uint64_t from;
    int shift;
} Range;

static Status reserve_sort(TupleReducer *reducer, int64_t n, Error *error)
{
    Status status = STATUS_OK;
    if (n <= reducer->sort_capacity)
        return STATUS_OK;
    TRY(mem_resize(&reducer->keys, n, sizeof *reducer->keys, "keys of groups", error));
    TRY(mem_resize(&reducer->order, n, sizeof *reducer->order, "keys of groups", error));
    TRY(mem_resize(&reducer->numbers, n, sizeof *reducer->numbers, "keys of groups", error));
    reducer->sort_capacity = n;
out:
    return status;
}

/* numbers [tuples] := of their keys among the different ones, which are keys [*n] afterwards. */
static Status number_keys(TupleReducer *reducer, const TuplePieces *pieces, int64_t *n,
                          Error *error)
{
    Status status = STATUS_OK;
    int words = reducer->tuples->words;
    int64_t count = 0;
    TRY(reserve_sort(reducer, pieces->tuples, error));
    for (int64_t p = 0; p < pieces->n; p++) {
        for (int64_t i = 0; i < pieces->pieces[p].n; i++)
            reducer->keys[count++] =
                tuple_key(pieces->pieces[p].words + i * words, reducer->with.wide);
    }
    TRY(sort_order_u64(reducer->keys, count, reducer->order, error));
    int32_t number = -1;
    uint64_t last = 0;
    for (int64_t i = 0; i < count; i++) {
        uint64_t key = reducer->keys[reducer->order[i]];
        number += number < 0 || key != last;
        last = key;
        reducer->numbers[reducer->order[i]] = number;
    }
    *n = number + 1;
    TRY(make_cells(reducer, *n, error));
    /* The order is done with: it holds the different keys until none of the old is looked at. */
    uint64_t *different = (uint64_t *)reducer->order;
    int64_t found = 0;
    for (int64_t i = 0; i < count; i++) {
        uint64_t key = reducer->keys[reducer->order[i]];
        if (i == 0 || key != last)
            different[found++] = key;
        last = key;
    }
    memcpy(reducer->keys, different, (size_t)found * sizeof *different);
out:
    return status;
}

static Status reduce_sorted(TupleReducer *reducer, const TuplePieces *pieces, Range range,
                            Target *target, Error *error)
{
    Status status = STATUS_OK;
    int64_t n = 0, at = 0;
    TRY(number_keys(reducer, pieces, &n, error));
    for (int64_t p = 0; p < pieces->n; p++) {
        add_piece(reducer, pieces->pieces[p], 0, reducer->numbers + at);
        at += pieces->pieces[p].n;
    }
    TRY(emit(reducer, range.bucket_key, reducer->keys, n, target, error));
out:
    return status;
}

static Status reduce_in_cells(TupleReducer *reducer, const TuplePieces *pieces, Range range,
                              Target *target, Error *error)
{
    Status status = STATUS_OK;
    int64_t n_cells = (int64_t)1 << range.shift;
    TRY(make_cells(reducer, n_cells, error));
    for (int64_t p = 0; p < pieces->n; p++)
        add_piece(reducer, pieces->pieces[p], range.from, NULL);
    TRY(emit(reducer, range.bucket_key + range.from, NULL, n_cells, target, error));
out:
    return status;
}

/* What a range is split by: child = (key - from) >> shift. */
static inline int64_t child_of(const TupleReducer *reducer, const uint64_t *tuple, Range range,
                               int shift)
{
    return (int64_t)((tuple_key(tuple, reducer->with.wide) - range.from) >> shift);
}

/* starts [children + 1] := first tuple of each child. */
static void count_children(const TupleReducer *reducer, const TuplePieces *pieces, Range range,
                           int bits, int64_t *starts)
{
    int words = reducer->tuples->words;
    for (int64_t p = 0; p < pieces->n; p++) {
        const uint64_t *tuple = pieces->pieces[p].words;
        for (int64_t i = 0; i < pieces->pieces[p].n; i++, tuple += words)
            starts[child_of(reducer, tuple, range, range.shift - bits) + 1]++;
    }
    for (int64_t c = 0; c < (int64_t)1 << bits; c++)
        starts[c + 1] += starts[c];
}

/* copy := the tuples child by child; starts move on by one child. Stable. */
static void copy_children(const TupleReducer *reducer, const TuplePieces *pieces, Range range,
                          int bits, int64_t *starts, uint64_t *copy)
{
    int words = reducer->tuples->words;
    for (int64_t p = 0; p < pieces->n; p++) {
        const uint64_t *tuple = pieces->pieces[p].words;
        for (int64_t i = 0; i < pieces->pieces[p].n; i++, tuple += words) {
            int64_t to = starts[child_of(reducer, tuple, range, range.shift - bits)]++;
            memcpy(copy + to * words, tuple, (size_t)words * sizeof *tuple);
        }
    }
}

static bool fits_cells(const TupleReducer *reducer, int shift)
{
    return shift < 31 && (int64_t)reducer->width * (int64_t)sizeof(int64_t) << shift <=
                             group_tuple_limits.cell_bytes;
}

static Status reduce_range(TupleReducer *reducer, const TuplePieces *pieces, Range range,
                           Target *target, Error *error);

/* Children that all tuples are of need no copy. */
static Status reduce_split(TupleReducer *reducer, const TuplePieces *pieces, Range range,
                           Target *target, Error *error)
{
    Status status = STATUS_OK;
    uint64_t *copy = NULL;
    int64_t n = pieces->tuples, begin = 0;
    int bits = range.shift < SPLIT_BITS ? range.shift : SPLIT_BITS, words = reducer->tuples->words;
    int64_t children = (int64_t)1 << bits, *starts = mem_new(children + 1, sizeof *starts);
    count_children(reducer, pieces, range, bits, starts);
    for (int64_t c = 0; c < children; c++) {
        Range child = {range.bucket_key, range.from + ((uint64_t)c << (range.shift - bits)),
                       range.shift - bits};
        if (starts[c + 1] - starts[c] != n)
            continue;
        TRY(reduce_range(reducer, pieces, child, target, error));
        goto out;
    }
    TRY(mem_resize(&copy, n * words, sizeof *copy, "lines of groups", error));
    copy_children(reducer, pieces, range, bits, starts, copy);
    for (int64_t c = 0; c < children; c++) {
        Range child = {range.bucket_key, range.from + ((uint64_t)c << (range.shift - bits)),
                       range.shift - bits};
        TuplePiece piece = {.words = copy + begin * words, .n = starts[c] - begin};
        TuplePieces part = {.n = 1, .pieces = &piece, .tuples = piece.n};
        begin = starts[c];
        TRY(reduce_range(reducer, &part, child, target, error));
    }
out:
    mem_free(&copy);
    mem_free(&starts);
    return status;
}

static Status reduce_range(TupleReducer *reducer, const TuplePieces *pieces, Range range,
                           Target *target, Error *error)
{
    int64_t n = pieces->tuples;
    if (n == 0)
        return STATUS_OK;
    if (fits_cells(reducer, range.shift) &&
        (n > group_tuple_limits.sorted_tuples || n * CELLS_A_TUPLE >= (int64_t)1 << range.shift))
        return reduce_in_cells(reducer, pieces, range, target, error);
    if (n <= group_tuple_limits.sorted_tuples)
        return reduce_sorted(reducer, pieces, range, target, error);
    return reduce_split(reducer, pieces, range, target, error);
}

Status tuple_reduce(TupleReducer *reducer, const TuplePieces *pieces, int64_t bucket,
                    Groups *groups, GroupRows *rows, int64_t *n_groups, Error *error)
{
    Target target = {.groups = groups, .rows = rows};
    Range range = {.bucket_key = (uint64_t)bucket << reducer->tuples->shift,
                   .shift = reducer->tuples->shift};
    Status status = reduce_range(reducer, pieces, range, &target, error);
    *n_groups += target.n;
    return status;
}

Status tuple_reducer_close(TupleReducer *reducer, Groups *groups, bool with_lines, Error *error)
{
    Status status = STATUS_OK;
    TRY(mem_resize(&groups->keys, groups->n, sizeof *groups->keys, "groups", error));
    for (int s = 0; s < SUM_COUNT; s++) {
        bool is_held = s == SUM_FIRST_DAY || s == SUM_LAST_DAY ? reducer->set->has_days : false;
        for (int w = 0; w < reducer->set->n_added; w++)
            is_held |= reducer->set->added[w] == (GroupSum)s;
        if (s == SUM_LINES && !with_lines)
            mem_free(&groups->sums[s]);
        else if (is_held)
            TRY(mem_resize(&groups->sums[s], groups->n, sizeof(int64_t), "groups", error));
    }
out:
    return status;
}
