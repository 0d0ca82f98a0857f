/* The tuples of all ranks, added up by the ranks that own their keys; see group_tuples.h. */
#include "base/memory.h"
#include "sales/tuple_store.h"

#include <string.h>

enum { SAMPLES = 16 };

static int64_t count_of(const GroupTuples *tuples, int64_t bucket)
{
    return tuples->buckets ? tuple_bucket_count(tuples, bucket) : 0;
}

/* ---- on one rank ---- */

Status group_tuples_would_shrink(const GroupTuples *tuples, bool *would, Error *error)
{
    Status status = STATUS_OK;
    TupleReducer *reducer = tuple_reducer_new(tuples, false);
    TuplePieces pieces = {.n = 0};
    int64_t tried = 0, groups = 0;
    for (int s = 0; tuples->buckets && s < SAMPLES; s++) {
        int64_t bucket = (2 * s + 1) * tuples->n_buckets / (2 * SAMPLES);
        pieces.n = pieces.tuples = 0;
        tuple_pieces_add_bucket(&pieces, tuples, bucket);
        TRY(tuple_reduce(reducer, &pieces, bucket, NULL, NULL, &groups, error));
        tried += pieces.tuples;
    }
    int64_t row = 1 + tuples->set->n_added + (tuples->set->has_days ? 2 : 0);
    *would = groups * row * 2 < tried * tuples->words;
out:
    mem_free(&pieces.pieces);
    tuple_reducer_free(&reducer);
    return status;
}

/* Buckets [0, n) into groups or rows. */
static Status reduce_all(GroupTuples *tuples, TupleReducer *reducer, Groups *groups,
                         GroupRows *rows, Error *error)
{
    Status status = STATUS_OK;
    TuplePieces pieces = {.n = 0};
    int64_t n = 0;
    for (int64_t b = 0; tuples->buckets && b < tuples->n_buckets; b++) {
        pieces.n = pieces.tuples = 0;
        tuple_pieces_add_bucket(&pieces, tuples, b);
        TRY(tuple_reduce(reducer, &pieces, b, groups, rows, &n, error));
        tuple_buckets_drop(tuples, b, b + 1);
    }
    group_tuples_free(tuples);
out:
    mem_free(&pieces.pieces);
    return status;
}

Status group_tuples_to_rows(GroupTuples *tuples, GroupRows *rows, Error *error)
{
    TupleReducer *reducer = tuple_reducer_new(tuples, true);
    Status status = reduce_all(tuples, reducer, NULL, rows, error);
    tuple_reducer_free(&reducer);
    return status;
}

/* ---- over the ranks ---- */

bool group_tuples_are_even(Comm *comm, const GroupTuples *tuples)
{
    int64_t n = tuples->n_buckets, most = 0, total = 0;
    int64_t *counts = mem_new(n, sizeof *counts);
    for (int64_t b = 0; b < n; b++)
        counts[b] = count_of(tuples, b);
    comm_sum_i64(comm, counts, n);
    for (int64_t b = 0; b < n; b++) {
        total += counts[b];
        most = counts[b] > most ? counts[b] : most;
    }
    mem_free(&counts);
    return comm_size(comm) == 1 || most <= group_tuple_limits.hot_tuples ||
           most <= total / comm_size(comm) / 2;
}

/* Who gets what when: slices of about as many tuples, `steps` for each rank, in key order. In
 * steps, so that little lies on both sides at once. */
typedef struct Slices {
    int64_t steps;
    int64_t *cuts; /* [ranks * steps + 1] buckets */
} Slices;

static void make_slices(Comm *comm, const GroupTuples *tuples, Slices *slices)
{
    int64_t n = tuples->n_buckets, total = 0, before = 0, bucket = 0;
    int64_t *counts = mem_new(n, sizeof *counts);
    for (int64_t b = 0; b < n; b++)
        counts[b] = count_of(tuples, b);
    comm_sum_i64(comm, counts, n);
    for (int64_t b = 0; b < n; b++)
        total += counts[b];
    int64_t size = comm_size(comm);
    int64_t step = group_tuple_limits.step_bytes / (tuples->words * (int64_t)sizeof(uint64_t));
    slices->steps = total / size / step + 1;
    int64_t n_slices = size * slices->steps;
    slices->cuts = mem_new(n_slices + 1, sizeof *slices->cuts);
    for (int64_t s = 1; s <= n_slices; s++) {
        int64_t until = total / n_slices * s + total % n_slices * s / n_slices;
        while (bucket < n && before < until)
            before += counts[bucket++];
        slices->cuts[s] = s == n_slices ? n : bucket;
    }
    mem_free(&counts);
}

/* One step's tuples of the others, and how many there are of each bucket. */
typedef struct Received {
    int64_t *counts;                      /* [ranks x buckets of the slice] */
    int64_t *tuple_counts, *count_counts; /* [ranks] */
    uint64_t *words;
} Received;

static void received_free(Received *received)
{
    mem_free(&received->counts);
    mem_free(&received->tuple_counts);
    mem_free(&received->count_counts);
    mem_free(&received->words);
}

/* What goes to the other ranks in a step: tuples bucket by bucket, and their counts. */
typedef struct Parcel {
    int64_t *counts;                      /* of buckets */
    int64_t *count_counts, *tuple_counts; /* [ranks] */
    uint64_t *words;
    int64_t n, n_counts;
} Parcel;

static void parcel_free(Parcel *parcel)
{
    mem_free(&parcel->counts);
    mem_free(&parcel->count_counts);
    mem_free(&parcel->tuple_counts);
    mem_free(&parcel->words);
}

static Status pack_bucket(const GroupTuples *tuples, int64_t bucket, TuplePieces *pieces,
                          Parcel *parcel, uint64_t *to)
{
    pieces->n = pieces->tuples = 0;
    if (tuples->buckets)
        tuple_pieces_add_bucket(pieces, tuples, bucket);
    for (int64_t p = 0; p < pieces->n; p++) {
        size_t bytes = (size_t)(pieces->pieces[p].n * tuples->words) * sizeof *to;
        memcpy(to, pieces->pieces[p].words, bytes);
        to += pieces->pieces[p].n * tuples->words;
    }
    parcel->counts[parcel->n_counts++] = pieces->tuples;
    parcel->n += pieces->tuples;
    return STATUS_OK;
}

static Status pack(Comm *comm, GroupTuples *tuples, const Slices *slices, int64_t step,
                   Parcel *parcel, Error *error)
{
    Status status = STATUS_OK;
    TuplePieces pieces = {.n = 0};
    int64_t n = 0, n_buckets = 0;
    for (int r = 0; r < comm_size(comm); r++) {
        const int64_t *cut = slices->cuts + r * slices->steps + step;
        for (int64_t b = cut[0]; r != comm_rank(comm) && b < cut[1]; b++, n_buckets++)
            n += count_of(tuples, b);
    }
    TRY(mem_resize(&parcel->words, n * tuples->words, sizeof(uint64_t), "lines sent", error));
    TRY(mem_resize(&parcel->counts, n_buckets, sizeof(int64_t), "lines sent", error));
    for (int r = 0; r < comm_size(comm); r++) {
        const int64_t *cut = slices->cuts + r * slices->steps + step;
        int64_t before = parcel->n;
        if (r == comm_rank(comm))
            continue;
        for (int64_t b = cut[0]; b < cut[1]; b++)
            TRY(pack_bucket(tuples, b, &pieces, parcel, parcel->words + parcel->n * tuples->words));
        parcel->count_counts[r] = cut[1] - cut[0];
        parcel->tuple_counts[r] = parcel->n - before;
        tuple_buckets_drop(tuples, cut[0], cut[1]);
    }
out:
    mem_free(&pieces.pieces);
    return status;
}

static Status exchange(Comm *comm, GroupTuples *tuples, const Slices *slices, int64_t step,
                       Received *received, Error *error)
{
    Status status = STATUS_OK;
    int size = comm_size(comm);
    Parcel parcel = {.n = 0};
    parcel.count_counts = mem_new(size, sizeof(int64_t));
    parcel.tuple_counts = mem_new(size, sizeof(int64_t));
    received->count_counts = mem_new(size, sizeof(int64_t));
    received->tuple_counts = mem_new(size, sizeof(int64_t));
    TRY_ALL(comm, pack(comm, tuples, slices, step, &parcel, error), error);
    TRY(comm_exchange(comm, parcel.counts, parcel.count_counts, sizeof(int64_t), &received->counts,
                      received->count_counts, error));
    TRY(comm_exchange(comm, parcel.words, parcel.tuple_counts,
                      (size_t)tuples->words * sizeof(uint64_t), &received->words,
                      received->tuple_counts, error));
out:
    parcel_free(&parcel);
    return status;
}

/* Add up the buckets [begin, end) of this rank's slice. Local. */
static Status reduce_slice(Comm *comm, GroupTuples *tuples, TupleReducer *reducer, int64_t begin,
                           int64_t end, const Received *received, Groups *groups, Error *error)
{
    Status status = STATUS_OK;
    TuplePieces pieces = {.n = 0};
    int size = comm_size(comm);
    int64_t n = 0, at = 0;
    const uint64_t **next = mem_new(size, sizeof *next);
    for (int r = 0; r < size; r++) {
        next[r] = received->words + at * tuples->words;
        at += received->tuple_counts[r];
    }
    for (int64_t b = begin; b < end; b++) {
        const int64_t *counts = received->counts + (b - begin);
        pieces.n = pieces.tuples = 0;
        if (tuples->buckets)
            tuple_pieces_add_bucket(&pieces, tuples, b);
        for (int r = 0; r < size; r++) {
            if (received->count_counts[r] == 0)
                continue;
            tuple_pieces_add(&pieces, next[r], *counts);
            next[r] += *counts * tuples->words;
            counts += end - begin;
        }
        TRY(tuple_reduce(reducer, &pieces, b, groups, NULL, &n, error));
        tuple_buckets_drop(tuples, b, b + 1);
    }
out:
    mem_free(&pieces.pieces);
    mem_free(&next);
    return status;
}

static Status combine_ranks(Comm *comm, GroupTuples *tuples, TupleReducer *reducer, Groups *groups,
                            Error *error)
{
    Status status = STATUS_OK;
    Slices slices = {.steps = 0};
    Received received = {.counts = NULL};
    make_slices(comm, tuples, &slices);
    for (int64_t step = 0; step < slices.steps; step++) {
        const int64_t *cut = slices.cuts + comm_rank(comm) * slices.steps + step;
        TRY(exchange(comm, tuples, &slices, step, &received, error));
        TRY_ALL(comm, reduce_slice(comm, tuples, reducer, cut[0], cut[1], &received, groups, error),
                error);
        received_free(&received);
    }
out:
    received_free(&received);
    mem_free(&slices.cuts);
    return status;
}

Status group_tuples_combine(Comm *comm, GroupTuples *tuples, bool with_lines, Groups *groups,
                            Error *error)
{
    Status status = STATUS_OK;
    TupleReducer *reducer = tuple_reducer_new(tuples, with_lines);
    if (comm_size(comm) > 1)
        TRY(combine_ranks(comm, tuples, reducer, groups, error));
    else
        TRY(reduce_all(tuples, reducer, groups, NULL, error));
    TRY_ALL(comm, tuple_reducer_close(reducer, groups, error), error);
out:
    tuple_reducer_free(&reducer);
    return status;
}
