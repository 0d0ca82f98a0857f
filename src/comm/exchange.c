/* Personal exchange between all ranks: counts first, then messages between the pairs that have
 * something to say, in pieces, with few of them under way at a time. */
#include "base/fault.h"
#include "base/memory.h"
#include "comm/internal.h"

#include <string.h>

/* Pairs of ranks served at once: enough to keep a network busy, and 1,000 ranks do not flood it. */
enum { WINDOW = 32 };

void comm_transpose_counts(Comm *comm, const int64_t *counts, int64_t *from)
{
    MPI_Alltoall(counts, 1, MPI_INT64_T, from, 1, MPI_INT64_T, comm->world);
}

/* What this rank sends to and receives from the peers at one distance. */
typedef struct Pair {
    int to, from;
    const char *send;
    char *receive;
    int64_t send_left, receive_left;
} Pair;

/* Move all bytes of a window's pairs, a piece a pair and round. Both ends cut the same pieces and
 * go through windows and rounds in the same order, so every round ends. */
static void transfer_window(Comm *comm, Pair *pairs, int n_pairs)
{
    MPI_Request requests[2 * WINDOW];
    for (;;) {
        int n_requests = 0;
        for (int i = 0; i < n_pairs; i++) {
            Pair *pair = &pairs[i];
            int piece = comm_piece(comm, pair->receive_left);
            if (piece == 0)
                continue;
            MPI_Irecv(pair->receive, piece, MPI_BYTE, pair->from, 0, comm->world,
                      &requests[n_requests++]);
            pair->receive += piece;
            pair->receive_left -= piece;
        }
        for (int i = 0; i < n_pairs; i++) {
            Pair *pair = &pairs[i];
            int piece = comm_piece(comm, pair->send_left);
            if (piece == 0)
                continue;
            MPI_Isend(pair->send, piece, MPI_BYTE, pair->to, 0, comm->world,
                      &requests[n_requests++]);
            comm->sent += pair->to != comm->rank ? piece : 0;
            pair->send += piece;
            pair->send_left -= piece;
        }
        if (n_requests == 0)
            return;
        MPI_Waitall(n_requests, requests, MPI_STATUSES_IGNORE);
    }
}

/* starts [size] := sums of the counts before */
static void starts_of(const Comm *comm, const int64_t *counts, int64_t *starts)
{
    int64_t start = 0;
    for (int i = 0; i < comm->size; i++) {
        starts[i] = start;
        start += counts[i];
    }
}

void comm_transfer(Comm *comm, const char *send, const int64_t *send_bytes, char *receive,
                   const int64_t *receive_bytes)
{
    Pair pairs[WINDOW];
    int64_t *send_starts = mem_new(comm->size, sizeof *send_starts);
    int64_t *receive_starts = mem_new(comm->size, sizeof *receive_starts);
    starts_of(comm, send_bytes, send_starts);
    starts_of(comm, receive_bytes, receive_starts);
    int self = comm->rank;
    vesper_assert(send_bytes[self] == receive_bytes[self]);
    if (send_bytes[self] > 0)
        memcpy(receive + receive_starts[self], send + send_starts[self], (size_t)send_bytes[self]);
    for (int first = 1; first < comm->size; first += WINDOW) {
        int n_pairs = comm->size - first < WINDOW ? comm->size - first : WINDOW;
        for (int i = 0; i < n_pairs; i++) {
            int to = (self + first + i) % comm->size;
            int from = (self - first - i + comm->size) % comm->size;
            pairs[i] =
                (Pair){.to = to,
                       .from = from,
                       .send = send_bytes[to] > 0 ? send + send_starts[to] : NULL,
                       .receive = receive_bytes[from] > 0 ? receive + receive_starts[from] : NULL,
                       .send_left = send_bytes[to],
                       .receive_left = receive_bytes[from]};
        }
        transfer_window(comm, pairs, n_pairs);
    }
    mem_free(&send_starts);
    mem_free(&receive_starts);
}

static Status reserve_received(void *receive, int64_t count, size_t width, Error *error)
{
    Status status;
    TRY(fault_point("comm.exchange", error));
    TRY(mem_resize(receive, count, width, "exchanged elements", error));
out:
    return status;
}

Status comm_exchange(Comm *comm, const void *send, const int64_t *send_counts, size_t width,
                     void *receive, int64_t *receive_counts, Error *error)
{
    Status status;
    int64_t *send_bytes = mem_new(comm->size, sizeof *send_bytes);
    int64_t *receive_bytes = mem_new(comm->size, sizeof *receive_bytes);
    comm_transpose_counts(comm, send_counts, receive_counts);
    TRY_ALL(comm, reserve_received(receive, comm_total(comm, receive_counts), width, error), error);
    for (int i = 0; i < comm->size; i++) {
        send_bytes[i] = send_counts[i] * (int64_t)width;
        receive_bytes[i] = receive_counts[i] * (int64_t)width;
    }
    char *received;
    memcpy(&received, receive, sizeof received); /* `receive` is a T ** of any T */
    comm_transfer(comm, send, send_bytes, received, receive_bytes);
out:
    mem_free(&send_bytes);
    mem_free(&receive_bytes);
    return status;
}
