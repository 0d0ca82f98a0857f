/* Sorting texts: eight bytes at a time as numbers, or by merging what is in order already. */
#include "table/sort.h"

#include "base/memory.h"

#include <string.h>

enum {
    INSERTION_MAX = 24, /* shorter ranges are sorted by insertion */
    TEXT_STEP = 8,      /* bytes of a text compared at once */
    TEXT_RUNS_MAX = 8   /* so many runs in order are merged */
};

typedef struct TextSort {
    const char *bytes;
    const int64_t *ends;
    int64_t *order;
    uint64_t *keys;   /* [n] of the range being sorted, in the order of `order` */
    int64_t *places;  /* [n] */
    int64_t *scratch; /* [n] */
} TextSort;

/* Text i without its first `depth` bytes. */
static Bytes text_after(const TextSort *sort, int64_t i, int64_t depth)
{
    int64_t start = (i > 0 ? sort->ends[i - 1] : 0) + depth;
    return (Bytes){.data = sort->bytes + start, .size = sort->ends[i] - start};
}

/* The next bytes as a number, first byte highest; zeros after the end. */
static uint64_t text_key(Bytes text)
{
    unsigned char block[TEXT_STEP] = {0};
    uint64_t key = 0;
    memcpy(block, text.data, text.size < TEXT_STEP ? (size_t)text.size : TEXT_STEP);
    for (int i = 0; i < TEXT_STEP; i++)
        key = key << 8 | block[i];
    return key;
}

static void insertion_texts(TextSort *sort, int64_t begin, int64_t end, int64_t depth)
{
    for (int64_t i = begin + 1; i < end; i++) {
        int64_t row = sort->order[i];
        Bytes text = text_after(sort, row, depth);
        int64_t at = i;
        for (; at > begin; at--) {
            if (bytes_compare(text_after(sort, sort->order[at - 1], depth), text) <= 0)
                break;
            sort->order[at] = sort->order[at - 1];
        }
        sort->order[at] = row;
    }
}

/* Bytes that all texts of a range have in common after `depth`. */
static int64_t common_prefix(const TextSort *sort, int64_t begin, int64_t end, int64_t depth)
{
    Bytes first = text_after(sort, sort->order[begin], depth);
    int64_t common = first.size;
    for (int64_t i = begin + 1; i < end && common > 0; i++) {
        Bytes other = text_after(sort, sort->order[i], depth);
        if (other.size < common)
            common = other.size;
        if (memcmp(first.data, other.data, (size_t)common) == 0)
            continue;
        int64_t at = 0;
        while (first.data[at] == other.data[at])
            at++;
        common = at;
    }
    return common;
}

/* Bring order and keys of a range into the order of its keys. */
static Status sort_range_by_keys(TextSort *sort, int64_t begin, int64_t n, Error *error)
{
    int64_t *order = sort->order + begin;
    uint64_t *keys = sort->keys + begin;
    int64_t *places = sort->places;
    Status status = sort_order_u64(keys, n, places, error);
    if (status != STATUS_OK)
        return status;
    memcpy(sort->scratch, order, (size_t)n * sizeof *order);
    for (int64_t i = 0; i < n; i++)
        order[i] = sort->scratch[places[i]];
    memcpy(sort->scratch, keys, (size_t)n * sizeof *keys);
    for (int64_t i = 0; i < n; i++)
        keys[i] = (uint64_t)sort->scratch[places[i]];
    return STATUS_OK;
}

/* First i after begin whose key differs. */
static int64_t run_end(const uint64_t *keys, int64_t begin, int64_t end)
{
    int64_t i = begin + 1;
    while (i < end && keys[i] == keys[begin])
        i++;
    return i;
}

/* Sort texts order[begin, end), which are equal in their first `depth` bytes. */
static Status sort_texts(TextSort *sort, int64_t begin, int64_t end, int64_t depth, Error *error)
{
    Status status = STATUS_OK;
    if (end - begin <= INSERTION_MAX) {
        insertion_texts(sort, begin, end, depth);
        return STATUS_OK;
    }
    depth += common_prefix(sort, begin, end, depth);
    for (int64_t i = begin; i < end; i++)
        sort->keys[i] = text_key(text_after(sort, sort->order[i], depth));
    TRY(sort_range_by_keys(sort, begin, end - begin, error));
    for (int64_t i = begin, next; i < end; i = next) {
        next = run_end(sort->keys, i, end);
        if (next == i + 1)
            continue;
        /* The same up to padding: what ended stands first, shorter before longer. */
        for (int64_t k = i; k < next; k++) {
            int64_t left = text_after(sort, sort->order[k], depth).size;
            sort->keys[k] = left <= TEXT_STEP ? (uint64_t)left : TEXT_STEP + 1;
        }
        TRY(sort_range_by_keys(sort, i, next - i, error));
        int64_t longer = i;
        while (longer < next && sort->keys[longer] <= TEXT_STEP)
            longer++;
        if (next - longer > 1)
            TRY(sort_texts(sort, longer, next, depth + TEXT_STEP, error));
    }
out:
    return status;
}

/* Where texts begin that are in order up to the next: dictionaries are one run, what ranks sorted
 * and exchanged is one of each rank. Returns how many runs there are, or TEXT_RUNS_MAX + 1 if more;
 * starts [runs + 1]. */
static int find_runs(const TextSort *sort, int64_t n, int64_t starts[TEXT_RUNS_MAX + 1])
{
    int runs = 1;
    starts[0] = 0;
    for (int64_t i = 1; i < n; i++) {
        if (bytes_compare(text_after(sort, i - 1, 0), text_after(sort, i, 0)) <= 0)
            continue;
        if (runs == TEXT_RUNS_MAX)
            return TEXT_RUNS_MAX + 1;
        starts[runs++] = i;
    }
    starts[runs] = n;
    return runs;
}

/* to [end - begin] := the runs from[begin, middle) and from[middle, end) as one; equal texts of the
 * first stand first. */
static void merge_two(const TextSort *sort, const int64_t *from, int64_t begin, int64_t middle,
                      int64_t end, int64_t *to)
{
    int64_t a = begin, b = middle;
    while (a < middle && b < end) {
        bool is_first =
            bytes_compare(text_after(sort, from[a], 0), text_after(sort, from[b], 0)) <= 0;
        *to++ = is_first ? from[a++] : from[b++];
    }
    memcpy(to, from + a, (size_t)(middle - a) * sizeof *to);
    memcpy(to + (middle - a), from + b, (size_t)(end - b) * sizeof *to);
}

/* Neighbours become one run until one is left. */
static void merge_runs(TextSort *sort, int64_t *starts, int runs)
{
    for (; runs > 1; runs = (runs + 1) / 2) {
        int64_t n = starts[runs];
        memcpy(sort->scratch, sort->order, (size_t)n * sizeof *sort->order);
        for (int r = 0; r + 1 < runs; r += 2)
            merge_two(sort, sort->scratch, starts[r], starts[r + 1], starts[r + 2],
                      sort->order + starts[r]);
        for (int r = 0; r < runs; r += 2)
            starts[r / 2] = starts[r];
        starts[(runs + 1) / 2] = n;
    }
}

Status sort_order_text(const char *bytes, const int64_t *ends, int64_t n, int64_t *order,
                       Error *error)
{
    Status status = STATUS_OK;
    TextSort sort = {.bytes = bytes ? bytes : "", .ends = ends, .order = order};
    int64_t starts[TEXT_RUNS_MAX + 1];
    for (int64_t i = 0; i < n; i++)
        order[i] = i;
    if (n <= INSERTION_MAX) {
        insertion_texts(&sort, 0, n, 0);
        return STATUS_OK;
    }
    int runs = find_runs(&sort, n, starts);
    if (runs == 1)
        return STATUS_OK;
    TRY(mem_resize(&sort.scratch, n, sizeof *sort.scratch, "room to sort texts", error));
    if (runs <= TEXT_RUNS_MAX) {
        merge_runs(&sort, starts, runs);
        goto out;
    }
    TRY(mem_resize(&sort.keys, n, sizeof *sort.keys, "room to sort texts", error));
    TRY(mem_resize(&sort.places, n, sizeof *sort.places, "room to sort texts", error));
    TRY(sort_texts(&sort, 0, n, 0, error));
out:
    mem_free(&sort.keys);
    mem_free(&sort.places);
    mem_free(&sort.scratch);
    return status;
}
