/* Rows from wherever they live: numbers go to the owners, rows come back in the same order. */
#include "base/fault.h"
#include "base/memory.h"
#include "recommend/sparse_side.h"

#include <string.h>

/* What the other ranks want from this one. */
typedef struct Requests {
    int32_t *numbers;     /* rows of this rank, ordered by who asks */
    int64_t *asked;       /* [size] by this rank, of each */
    int64_t *asked_of_us; /* [size] */
    int64_t n;            /* sum of asked_of_us */
} Requests;

static void requests_free(Requests *requests)
{
    mem_free(&requests->numbers);
    mem_free(&requests->asked);
    mem_free(&requests->asked_of_us);
}

static int64_t sum_of(const int64_t *counts, int n)
{
    int64_t sum = 0;
    for (int i = 0; i < n; i++)
        sum += counts[i];
    return sum;
}

/* Collective. */
static Status ask(Comm *comm, const SparseSide *side, const int32_t *numbers, int64_t n,
                  Requests *requests, Error *error)
{
    Status status;
    int size = comm_size(comm);
    requests->asked = mem_new(size, sizeof *requests->asked);
    requests->asked_of_us = mem_new(size, sizeof *requests->asked_of_us);
    int64_t at = 0;
    for (int r = 0; r < size; r++) {
        int32_t end = side->bases[side->owners[r + 1]];
        int64_t begin = at;
        while (at < n && numbers[at] < end)
            at++;
        requests->asked[r] = at - begin;
    }
    vesper_assert(at == n);
    TRY_ALL(comm, fault_point("recommend.fetch", error), error);
    TRY(comm_exchange(comm, numbers, requests->asked, sizeof *numbers, &requests->numbers,
                      requests->asked_of_us, error));
    requests->n = sum_of(requests->asked_of_us, size);
out:
    return status;
}

/* Rows of this rank one after another, found faster where the next is close to the last. */
typedef struct RowFinder {
    const SparseSide *side;
    int32_t partition; /* among this rank's own */
} RowFinder;

static const SparseRows *find_row(RowFinder *finder, int32_t number, int32_t *row)
{
    const SparseSide *side = finder->side;
    if (number < side->own[finder->partition].first_row)
        finder->partition = 0;
    while (number >= side->bases[side->first + finder->partition + 1])
        finder->partition++;
    const SparseRows *rows = &side->own[finder->partition];
    *row = number - rows->first_row;
    return rows;
}

/* What goes back: lengths [n], columns and values one row after another, and how many entries go
 * to each rank. */
typedef struct Replies {
    int64_t *lengths;
    int32_t *columns;
    float *values;
    int64_t *entries; /* [size] */
} Replies;

static void replies_free(Replies *replies)
{
    mem_free(&replies->lengths);
    mem_free(&replies->columns);
    mem_free(&replies->values);
    mem_free(&replies->entries);
}

static Status pack_replies(const SparseSide *side, const Requests *requests, int size,
                           Replies *replies, Error *error)
{
    Status status;
    int32_t row;
    int64_t at = 0, filled = 0;
    RowFinder finder = {.side = side};
    replies->entries = mem_new(size, sizeof *replies->entries);
    TRY(mem_resize(&replies->lengths, requests->n, sizeof *replies->lengths, "rows to send",
                   error));
    for (int r = 0; r < size; r++) {
        for (int64_t i = 0; i < requests->asked_of_us[r]; i++, at++) {
            const SparseRows *rows = find_row(&finder, requests->numbers[at], &row);
            replies->lengths[at] = rows->starts[row + 1] - rows->starts[row];
            replies->entries[r] += replies->lengths[at];
        }
    }
    int64_t total = sum_of(replies->entries, size);
    TRY(mem_resize(&replies->columns, total, sizeof *replies->columns, "rows to send", error));
    TRY(mem_resize(&replies->values, total, sizeof *replies->values, "rows to send", error));
    for (int64_t i = 0; i < requests->n; i++) {
        const SparseRows *rows = find_row(&finder, requests->numbers[i], &row);
        size_t n = (size_t)replies->lengths[i];
        if (n == 0)
            continue;
        memcpy(replies->columns + filled, rows->columns + rows->starts[row],
               n * sizeof *rows->columns);
        memcpy(replies->values + filled, rows->values + rows->starts[row],
               n * sizeof *rows->values);
        filled += replies->lengths[i];
    }
out:
    return status;
}

static Status start_fetched(const int32_t *numbers, int64_t n, FetchedRows *fetched, Error *error)
{
    Status status;
    *fetched = (FetchedRows){.n = n};
    fetched->rows.n_rows = (int32_t)n;
    TRY(mem_resize(&fetched->numbers, n, sizeof *numbers, "rows fetched", error));
    TRY(mem_resize(&fetched->rows.starts, n + 1, sizeof *fetched->rows.starts, "rows fetched",
                   error));
    if (n > 0)
        memcpy(fetched->numbers, numbers, (size_t)n * sizeof *numbers);
out:
    return status;
}

void fetched_rows_free(FetchedRows *fetched)
{
    mem_free(&fetched->numbers);
    sparse_rows_free(&fetched->rows);
    *fetched = (FetchedRows){0};
}

Status sparse_fetch(Comm *comm, const SparseSide *side, const int32_t *numbers, int64_t n,
                    FetchedRows *fetched, Error *error)
{
    Status status;
    int size = comm_size(comm);
    Requests requests = {0};
    Replies replies = {0};
    int64_t *lengths = NULL;
    int64_t *receive_counts = mem_new(size, sizeof *receive_counts);
    TRY_ALL(comm, start_fetched(numbers, n, fetched, error), error);
    TRY(ask(comm, side, numbers, n, &requests, error));
    TRY_ALL(comm, pack_replies(side, &requests, size, &replies, error), error);
    TRY(comm_exchange(comm, replies.lengths, requests.asked_of_us, sizeof *lengths, &lengths,
                      receive_counts, error));
    fetched->rows.starts[0] = 0;
    for (int64_t i = 0; i < n; i++)
        fetched->rows.starts[i + 1] = fetched->rows.starts[i] + lengths[i];
    TRY(comm_exchange(comm, replies.columns, replies.entries, sizeof *replies.columns,
                      &fetched->rows.columns, receive_counts, error));
    TRY(comm_exchange(comm, replies.values, replies.entries, sizeof *replies.values,
                      &fetched->rows.values, receive_counts, error));
out:
    if (status != STATUS_OK)
        fetched_rows_free(fetched);
    requests_free(&requests);
    replies_free(&replies);
    mem_free(&lengths);
    mem_free(&receive_counts);
    return status;
}

static Status pack_dense(const SparseSide *side, const Requests *requests, const float *own,
                         int64_t width, float **packed, Error *error)
{
    Status status;
    TRY(mem_resize(packed, requests->n * width, sizeof **packed, "factors to send", error));
    for (int64_t i = 0; i < requests->n; i++) {
        int64_t row = requests->numbers[i] - sparse_own_first(side);
        memcpy(*packed + i * width, own + row * width, (size_t)width * sizeof *own);
    }
out:
    return status;
}

Status sparse_fetch_dense(Comm *comm, const SparseSide *side, const float *own, int64_t width,
                          const int32_t *numbers, int64_t n, float **fetched, Error *error)
{
    Status status;
    Requests requests = {0};
    float *packed = NULL;
    int64_t *receive_counts = mem_new(comm_size(comm), sizeof *receive_counts);
    TRY(ask(comm, side, numbers, n, &requests, error));
    TRY_ALL(comm, pack_dense(side, &requests, own, width, &packed, error), error);
    TRY(comm_exchange(comm, packed, requests.asked_of_us, (size_t)width * sizeof *packed, fetched,
                      receive_counts, error));
out:
    requests_free(&requests);
    mem_free(&packed);
    mem_free(&receive_counts);
    return status;
}
