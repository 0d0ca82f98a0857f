/* See list_reasons.h. Users are taken in blocks whose items, owned and listed, fit the memory. */
#include "recommend/list_reasons.h"

#include "base/fault.h"
#include "base/memory.h"

#include <math.h>
#include <omp.h>
#include <string.h>

typedef struct Explaining {
    const ReasonOptions *options;
    Reason *reasons;
    int64_t most; /* entries of a user */
    /* What the scorer is made ready for, if it needs that: */
    bool is_cut;         /* items are asked for block by block; else all at once */
    int64_t capacity;    /* items of a block */
    int32_t *numbers;    /* [n] ascending */
    int64_t n;           /* of the block at hand */
    int32_t *place_of;   /* [n_items] in numbers; -1: not there */
    int64_t spare, room; /* floats of a thread: the scorer's, and with the reasons */
    float *memory;       /* [threads x room] */
    int32_t *places;     /* [threads x (most + list length)] */
} Explaining;

/* ---- one user ---- */

static int listed(const TopLists *lists, int64_t row)
{
    int n = 0;
    while (n < lists->n && lists->items[row * lists->n + n] >= 0)
        n++;
    return n;
}

/* values [n]: what each of the user's items adds. */
static Reason strongest(const bool *is_unnamed, const int32_t *items, const float *values,
                        int64_t n)
{
    Reason reason = {.item = -1, .share = NAN};
    double sum = 0;
    float most = 0;
    for (int64_t i = 0; i < n; i++) {
        if (values[i] <= 0)
            continue;
        sum += (double)values[i];
        if (values[i] > most && (is_unnamed == NULL || !is_unnamed[items[i]])) {
            most = values[i];
            reason.item = items[i];
        }
    }
    if (reason.item >= 0)
        reason.share = (double)most / sum;
    return reason;
}

static int64_t own_row(const Explaining *the, const SparseRows *users, int32_t row)
{
    return (int64_t)users->first_row + row - sparse_own_first(the->options->users);
}

/* The places of items [n] in the block's numbers. */
static const int32_t *find_places(const Explaining *the, const int32_t *items, int64_t n,
                                  int32_t *places)
{
    if (!the->is_cut)
        return NULL;
    for (int64_t i = 0; i < n; i++)
        places[i] = the->place_of[items[i]];
    return places;
}

static void explain_user(const Explaining *the, int32_t partition, int32_t row)
{
    const ReasonOptions *options = the->options;
    const SparseRows *users = &options->users->own[partition];
    int64_t begin = users->starts[row], n = users->starts[row + 1] - begin, thread;
    int64_t length = options->lists->n, at = own_row(the, users, row) * length;
    int n_items = listed(options->lists, at / length);
    thread = omp_get_thread_num();
    float *spare = the->memory + thread * the->room, *values = spare + the->spare;
    int32_t *places = the->places + thread * (the->most + length);
    ReasonQuery query = {.users = users,
                         .partition = partition,
                         .row = row,
                         .n_items = n_items,
                         .items = options->lists->items + at};
    if (n == 0 || n_items == 0)
        return;
    query.places = find_places(the, users->columns + begin, n, places);
    query.item_places = find_places(the, query.items, n_items, places + n);
    memset(values, 0, (size_t)(n_items * n) * sizeof *values);
    options->scorer->add_reasons(options->scorer->model, &query, 1, spare, values);
    for (int64_t k = 0; k < n_items; k++)
        the->reasons[at + k] =
            strongest(options->is_unnamed, users->columns + begin, values + k * n, n);
}

/* ---- blocks ---- */

/* Add those of items [n] that the block does not have. */
static void add_items(Explaining *the, const int32_t *items, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        if (the->place_of[items[i]] >= 0)
            continue;
        the->place_of[items[i]] = 0;
        the->numbers[the->n++] = items[i];
    }
}

static void clear_block(Explaining *the)
{
    while (the->n > 0)
        the->place_of[the->numbers[--the->n]] = -1;
}

/* Take the user's items into the block; false, and nothing is taken, if there is no room. */
static bool take_user(Explaining *the, const SparseRows *users, int32_t row)
{
    const TopLists *lists = the->options->lists;
    int64_t begin = users->starts[row], own = own_row(the, users, row), before = the->n;
    int n_items = listed(lists, own);
    if (users->starts[row + 1] == begin || n_items == 0)
        return true;
    add_items(the, users->columns + begin, users->starts[row + 1] - begin);
    add_items(the, lists->items + own * lists->n, n_items);
    if (the->n <= the->capacity || before == 0)
        return true;
    while (the->n > before)
        the->place_of[the->numbers[--the->n]] = -1;
    return false;
}

/* Numbers in ascending order, and where each is. */
static void settle_block(Explaining *the)
{
    int32_t n_items = the->options->users->n_columns, n = 0;
    for (int32_t i = 0; i < n_items; i++) {
        if (the->place_of[i] < 0)
            continue;
        the->place_of[i] = n;
        the->numbers[n++] = i;
    }
}

/* The partition of the next user and their row there. */
typedef struct Position {
    int32_t partition, row;
} Position;

/* Explain the users of a block, from *from on, which moves behind it. Collective. */
static Status explain_block(Comm *comm, Explaining *the, Position *from, Error *error)
{
    Status status = STATUS_OK;
    const ReasonOptions *options = the->options;
    const SparseSide *users = options->users;
    Position end = *from;
    bool has_room = true;
    if (the->is_cut)
        clear_block(the);
    while (has_room && end.partition < users->end - users->first) {
        const SparseRows *rows = &users->own[end.partition];
        while (end.row < rows->n_rows && (!the->is_cut || take_user(the, rows, end.row)))
            end.row++;
        has_room = end.row == rows->n_rows;
        end = has_room ? (Position){end.partition + 1, 0} : end;
    }
    if (the->is_cut)
        settle_block(the);
    if (options->scorer->prepare_reasons != NULL)
        TRY(options->scorer->prepare_reasons(comm, options->scorer->model, the->numbers, the->n,
                                             error));
    for (int32_t p = from->partition; p <= end.partition && p < users->end - users->first; p++) {
        int32_t first = p == from->partition ? from->row : 0;
        int32_t last = p == end.partition ? end.row : users->own[p].n_rows;
#pragma omp parallel for schedule(dynamic, 16) num_threads(options->threads)
        for (int32_t r = first; r < last; r++)
            explain_user(the, p, r);
    }
    *from = end;
out:
    return status;
}

/* ---- all users ---- */

static int64_t most_entries(const SparseSide *users)
{
    int64_t most = 0;
    for (int32_t p = 0; p < users->end - users->first; p++) {
        const SparseRows *rows = &users->own[p];
        for (int32_t r = 0; r < rows->n_rows; r++)
            if (rows->starts[r + 1] - rows->starts[r] > most)
                most = rows->starts[r + 1] - rows->starts[r];
    }
    return most;
}

static Status make_room(Explaining *the, Error *error)
{
    Status status;
    const ReasonOptions *options = the->options;
    int64_t length = options->lists->n, places = options->lists->n_users * length;
    int32_t n_items = options->users->n_columns;
    TRY(fault_point("recommend.reasons", error));
    TRY(mem_resize(&the->reasons, places, sizeof *the->reasons, "reasons", error));
    for (int64_t i = 0; i < places; i++)
        the->reasons[i] = (Reason){-1, NAN};
    the->most = most_entries(options->users);
    /* of a thread, in whole cache lines */
    the->spare = (options->scorer->reason_floats + 15) / 16 * 16;
    the->room = the->spare + (the->most * length + 15) / 16 * 16;
    TRY(mem_resize(&the->memory, options->threads * the->room, sizeof *the->memory, "reasons",
                   error));
    TRY(mem_resize(&the->places, options->threads * (the->most + length), sizeof *the->places,
                   "reasons", error));
    if (!the->is_cut)
        goto out;
    TRY(mem_resize(&the->numbers, n_items, sizeof *the->numbers, "items of reasons", error));
    TRY(mem_resize(&the->place_of, n_items, sizeof *the->place_of, "items of reasons", error));
    for (int32_t i = 0; i < n_items; i++)
        the->place_of[i] = -1;
out:
    return status;
}

/* Whether a rank has users left. Collective. */
static bool has_more(Comm *comm, const Explaining *the, Position at)
{
    const SparseSide *users = the->options->users;
    int64_t more = at.partition < users->end - users->first;
    comm_max_i64(comm, &more, 1);
    return more != 0;
}

Status list_reasons_make(Comm *comm, const ReasonOptions *options, Reason **reasons, Error *error)
{
    Status status;
    const Scorer *scorer = options->scorer;
    Position at = {0, 0};
    Explaining the = {.options = options,
                      .is_cut = options->memory > 0 && scorer->reason_item_bytes > 0};
    if (the.is_cut)
        the.capacity = options->memory / scorer->reason_item_bytes;
    TRY_ALL(comm, make_room(&the, error), error);
    while (scorer->add_reasons != NULL && has_more(comm, &the, at))
        TRY(explain_block(comm, &the, &at, error));
    *reasons = the.reasons;
    the.reasons = NULL;
out:
    mem_free(&the.reasons);
    mem_free(&the.numbers);
    mem_free(&the.place_of);
    mem_free(&the.memory);
    mem_free(&the.places);
    return status;
}
