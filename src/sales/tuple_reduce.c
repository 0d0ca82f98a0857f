/* Adding up tuples, a range of keys at a time.
 *
 * The different keys of a range are numbered in their order: through a bit and a number for each
 * possible key if those fit the near caches, else by sorting. Then the sums of the range's groups
 * are added up where they stay. A wide range with many tuples is split by the next bits of its keys
 * first, as often as needed: one odd day far away from all others costs a pass, no more. */
#include "base/memory.h"
#include "sales/tuple_layout.h"
#include "sales/tuple_store.h"
#include "table/sort.h"

#include <string.h>

enum { BLOCK = 512 };
enum { SPLIT_BITS = 10 };
/* Looking for the bits that are set costs less than sorting if one in so many is. */
enum { KEYS_A_TUPLE = 128 };
enum { WORD_BITS = 64 };

struct TupleReducer {
    const GroupTuples *tuples;
    const SumSet *set;
    TupleWords with;
    int n_sums;
    GroupSum sums[SUM_COUNT]; /* that are added up */
    int64_t capacity;         /* of groups */
    Groups scratch;           /* of one range, for rows */
    uint64_t *bits;  /* [n_places / 64]: keys of a range that occur; all 0 between ranges */
    int32_t *places; /* [n_places] number of each such key */
    int64_t n_places;
    uint64_t *keys; /* sorting: keys of tuples, then the different ones */
    int64_t *order;
    int32_t *numbers;
    int64_t sort_capacity;
    /* A block of tuples, column by column. */
    int32_t ids[BLOCK], quantity[BLOCK], day[BLOCK];
    int64_t price[BLOCK], discount[BLOCK], margin[BLOCK];
    int8_t cancelled[BLOCK];
    int64_t column[BLOCK];
};

TupleReducer *tuple_reducer_new(const GroupTuples *tuples, bool with_lines)
{
    TupleReducer *reducer = mem_new(1, sizeof *reducer);
    reducer->tuples = tuples;
    reducer->set = tuples->set;
    reducer->with = tuple_words(tuples);
    for (int w = 0; w < tuples->set->n_added; w++)
        if (with_lines || tuples->set->added[w] != SUM_LINES)
            reducer->sums[reducer->n_sums++] = tuples->set->added[w];
    return reducer;
}

void tuple_reducer_free(TupleReducer **reducer)
{
    if (!*reducer)
        return;
    groups_free(&(*reducer)->scratch);
    mem_free(&(*reducer)->bits);
    mem_free(&(*reducer)->places);
    mem_free(&(*reducer)->keys);
    mem_free(&(*reducer)->order);
    mem_free(&(*reducer)->numbers);
    mem_free(reducer);
}

/* ---- room ---- */

static Status resize(const TupleReducer *reducer, int64_t n, Groups *groups, Error *error)
{
    Status status = STATUS_OK;
    TRY(mem_resize(&groups->keys, n, sizeof *groups->keys, "groups", error));
    for (int w = 0; w < reducer->n_sums; w++)
        TRY(mem_resize(&groups->sums[reducer->sums[w]], n, sizeof(int64_t), "groups", error));
    for (int s = SUM_FIRST_DAY; reducer->set->has_days && s <= SUM_LAST_DAY; s++)
        TRY(mem_resize(&groups->sums[s], n, sizeof(int64_t), "groups", error));
out:
    return status;
}

/* Room for `more` groups, growing by an eighth: a mapped block grows without being copied. */
static Status reserve(TupleReducer *reducer, int64_t more, Groups *groups, Error *error)
{
    int64_t n = groups->n + more;
    if (n <= reducer->capacity)
        return STATUS_OK;
    int64_t capacity = n + n / 8 + 1024;
    Status status = resize(reducer, capacity, groups, error);
    if (status == STATUS_OK)
        reducer->capacity = capacity;
    return status;
}

static Status reserve_places(TupleReducer *reducer, int64_t n, Error *error)
{
    Status status = STATUS_OK;
    int64_t words = (n + WORD_BITS - 1) / WORD_BITS;
    if (n <= reducer->n_places)
        return STATUS_OK;
    TRY(mem_resize(&reducer->places, n, sizeof *reducer->places, "keys of groups", error));
    TRY(mem_resize(&reducer->bits, words, sizeof *reducer->bits, "keys of groups", error));
    memset(reducer->bits, 0, (size_t)words * sizeof *reducer->bits);
    reducer->n_places = n;
out:
    return status;
}

/* ---- tuples into sums ---- */

/* Columns of n <= BLOCK tuples. `numbers` are those of their groups; NULL: by key, `first` is the
 * first key of the range. */
static inline void unpack(TupleReducer *reducer, const uint64_t *words, int64_t n, uint64_t first,
                          const int32_t *numbers, TupleWords with)
{
    GroupTuples tuples = *reducer->tuples; /* a copy, which no store below can change */
    for (int64_t i = 0; i < n; i++, words += tuples.words) {
        const uint64_t *word = words + 1 + with.wide;
        reducer->quantity[i] = tuple_quantity(&tuples, words[0]);
        reducer->cancelled[i] = tuple_flag(&tuples, words[0], TUPLE_CANCELLED);
        reducer->ids[i] = numbers ? numbers[i] : reducer->places[tuple_key(&tuples, words) - first];
        if (with.price_inside)
            reducer->price[i] = tuple_price(&tuples, words[0]);
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

/* What each tuple of the block adds to a sum. */
static const int64_t *find_column(TupleReducer *reducer, GroupSum sum, const uint64_t *words,
                                  int64_t n)
{
    int width = reducer->tuples->words;
    TupleFlag flag = sum == SUM_ORDERS ? TUPLE_FIRST_OF_ORDER : TUPLE_FIRST_OF_CUSTOMER;
    OrderLines lines = {.n = n,
                        .quantity = reducer->quantity,
                        .price = reducer->price,
                        .discount = reducer->discount,
                        .cancelled = reducer->cancelled};
    if (sum == SUM_MARGIN)
        return reducer->margin;
    if (sum == SUM_ORDERS || sum == SUM_CUSTOMERS)
        for (int64_t i = 0; i < n; i++)
            reducer->column[i] = tuple_flag(reducer->tuples, words[i * width], flag);
    else
        line_sum_compute(sum, &lines, NULL, 0, NULL, n, reducer->column);
    return reducer->column;
}

static void add_days(const TupleReducer *reducer, int64_t n, int64_t *first, int64_t *last)
{
    for (int64_t i = 0; i < n; i++) {
        int32_t at = reducer->ids[i], day = reducer->day[i];
        if (reducer->quantity[i] <= 0 || reducer->cancelled[i])
            continue;
        first[at] = day < first[at] ? day : first[at];
        last[at] = day > last[at] ? day : last[at];
    }
}

/* Add to groups from groups->n on. */
static void add_piece(TupleReducer *reducer, TuplePiece piece, uint64_t first,
                      const int32_t *numbers, Groups *groups)
{
    TupleWords with = reducer->with;
    int words = reducer->tuples->words;
    bool is_plain = with.price_inside && words == 1;
    for (int64_t begin = 0; begin < piece.n; begin += BLOCK) {
        int64_t n = piece.n - begin < BLOCK ? piece.n - begin : BLOCK;
        const uint64_t *block = piece.words + begin * words;
        if (is_plain && !numbers)
            unpack(reducer, block, n, first, NULL, (TupleWords){.price_inside = true});
        else
            unpack(reducer, block, n, first, numbers ? numbers + begin : NULL, with);
        for (int w = 0; w < reducer->n_sums; w++) {
            const int64_t *column = find_column(reducer, reducer->sums[w], block, n);
            int64_t *sums = groups->sums[reducer->sums[w]] + groups->n;
            for (int64_t i = 0; i < n; i++)
                sums[reducer->ids[i]] += column[i];
        }
        if (with.day)
            add_days(reducer, n, groups->sums[SUM_FIRST_DAY] + groups->n,
                     groups->sums[SUM_LAST_DAY] + groups->n);
    }
}

/* Sums of `n` groups from groups->n on, before anything is added. */
static void clear_sums(const TupleReducer *reducer, int64_t n, Groups *groups)
{
    for (int w = 0; w < reducer->n_sums; w++)
        memset(groups->sums[reducer->sums[w]] + groups->n, 0, (size_t)n * sizeof(int64_t));
    for (int64_t i = groups->n; reducer->set->has_days && i < groups->n + n; i++) {
        groups->sums[SUM_FIRST_DAY][i] = INT64_MAX;
        groups->sums[SUM_LAST_DAY][i] = INT64_MIN;
    }
}

/* ---- where groups go ---- */

typedef struct Target {
    Groups *groups; /* where they are added up */
    GroupRows *rows;
    bool keeps; /* the groups stay there; else they go on as rows, or are only counted */
    int64_t n;
} Target;

static Status to_rows(const TupleReducer *reducer, const Groups *groups, GroupRows *rows,
                      Error *error)
{
    Status status = STATUS_OK;
    int n_sums = reducer->n_sums, width = group_rows_width(rows);
    for (int64_t i = 0; i < groups->n;) {
        int64_t *row, room;
        TRY(group_rows_room(rows, groups->n - i, &row, &room, error));
        for (int64_t end = i + room; i < end; i++, row += width) {
            row[0] = (int64_t)groups->keys[i];
            for (int w = 0; w < n_sums; w++)
                row[1 + w] = groups->sums[reducer->sums[w]][i];
            if (reducer->set->has_days) {
                row[n_sums + 1] = groups->sums[SUM_FIRST_DAY][i];
                row[n_sums + 2] = groups->sums[SUM_LAST_DAY][i];
            }
        }
    }
out:
    return status;
}

/* `n` groups are complete. */
static Status finish_range(const TupleReducer *reducer, int64_t n, Target *target, Error *error)
{
    Status status = STATUS_OK;
    target->n += n;
    target->groups->n += n;
    if (target->keeps)
        return STATUS_OK;
    if (target->rows)
        TRY(to_rows(reducer, target->groups, target->rows, error));
    target->groups->n = 0;
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
                tuple_key(reducer->tuples, pieces->pieces[p].words + i * words);
    }
    TRY(sort_order_u64(reducer->keys, count, reducer->order, error));
    int64_t found = 0;
    uint64_t last = 0;
    for (int64_t i = 0; i < count; i++) {
        int64_t at = reducer->order[i];
        uint64_t key = reducer->keys[at];
        /* The order's front is done with: it holds the different keys. */
        if (i == 0 || key != last)
            reducer->order[found++] = (int64_t)key;
        last = key;
        reducer->numbers[at] = (int32_t)(found - 1);
    }
    memcpy(reducer->keys, reducer->order, (size_t)found * sizeof *reducer->keys);
    *n = found;
out:
    return status;
}

static Status reduce_sorted(TupleReducer *reducer, const TuplePieces *pieces, Range range,
                            Target *target, Error *error)
{
    Status status = STATUS_OK;
    Groups *groups = target->groups;
    int64_t n = 0, at = 0;
    TRY(number_keys(reducer, pieces, &n, error));
    TRY(reserve(reducer, n, groups, error));
    for (int64_t i = 0; i < n; i++)
        groups->keys[groups->n + i] = range.bucket_key + reducer->keys[i];
    clear_sums(reducer, n, groups);
    for (int64_t p = 0; p < pieces->n; p++) {
        add_piece(reducer, pieces->pieces[p], 0, reducer->numbers + at, groups);
        at += pieces->pieces[p].n;
    }
    TRY(finish_range(reducer, n, target, error));
out:
    return status;
}

static void mark_keys(TupleReducer *reducer, const TuplePieces *pieces, uint64_t from)
{
    GroupTuples tuples = *reducer->tuples; /* a copy, which no store below can change */
    uint64_t *bits = reducer->bits;
    for (int64_t p = 0; p < pieces->n; p++) {
        const uint64_t *tuple = pieces->pieces[p].words;
        for (int64_t i = 0; i < pieces->pieces[p].n; i++, tuple += tuples.words) {
            uint64_t place = tuple_key(&tuples, tuple) - from;
            bits[place / WORD_BITS] |= (uint64_t)1 << place % WORD_BITS;
        }
    }
}

/* Number the marked keys and write them to keys, from `first` on; returns how many there are. */
static int64_t number_marks(TupleReducer *reducer, int64_t n_places, uint64_t first, uint64_t *keys)
{
    int64_t n = 0;
    for (int64_t w = 0; w * WORD_BITS < n_places; w++) {
        uint64_t word = reducer->bits[w];
        reducer->bits[w] = 0;
        for (; word != 0; word &= word - 1) {
            int64_t place = w * WORD_BITS + __builtin_ctzll(word);
            reducer->places[place] = (int32_t)n;
            keys[n++] = first + (uint64_t)place;
        }
    }
    return n;
}

static Status reduce_marked(TupleReducer *reducer, const TuplePieces *pieces, Range range,
                            Target *target, Error *error)
{
    Status status = STATUS_OK;
    Groups *groups = target->groups;
    int64_t n_places = (int64_t)1 << range.shift;
    TRY(reserve_places(reducer, n_places, error));
    TRY(reserve(reducer, n_places < pieces->tuples ? n_places : pieces->tuples, groups, error));
    mark_keys(reducer, pieces, range.from);
    int64_t n =
        number_marks(reducer, n_places, range.bucket_key + range.from, groups->keys + groups->n);
    clear_sums(reducer, n, groups);
    for (int64_t p = 0; p < pieces->n; p++)
        add_piece(reducer, pieces->pieces[p], range.from, NULL, groups);
    TRY(finish_range(reducer, n, target, error));
out:
    return status;
}

/* What a range is split by: child = (key - from) >> shift. */
static inline int64_t child_of(const TupleReducer *reducer, const uint64_t *tuple, Range range,
                               int shift)
{
    return (int64_t)((tuple_key(reducer->tuples, tuple) - range.from) >> shift);
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

static bool fits_places(int shift)
{
    return shift < 31 && (int64_t)sizeof(int32_t) << shift <= group_tuple_limits.place_bytes;
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
    if (fits_places(range.shift) &&
        (n > group_tuple_limits.sorted_tuples || n * KEYS_A_TUPLE >= (int64_t)1 << range.shift))
        return reduce_marked(reducer, pieces, range, target, error);
    if (n <= group_tuple_limits.sorted_tuples)
        return reduce_sorted(reducer, pieces, range, target, error);
    return reduce_split(reducer, pieces, range, target, error);
}

Status tuple_reduce(TupleReducer *reducer, const TuplePieces *pieces, int64_t bucket,
                    Groups *groups, GroupRows *rows, int64_t *n_groups, Error *error)
{
    Target target = {
        .groups = groups ? groups : &reducer->scratch, .rows = rows, .keeps = groups != NULL};
    Range range = {.bucket_key = (uint64_t)bucket << reducer->tuples->shift,
                   .shift = reducer->tuples->shift};
    Status status = reduce_range(reducer, pieces, range, &target, error);
    *n_groups += target.n;
    return status;
}

Status tuple_reducer_close(TupleReducer *reducer, Groups *groups, Error *error)
{
    return resize(reducer, groups->n, groups, error);
}
