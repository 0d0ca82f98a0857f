/* What the parts of comm share. */
#ifndef VESPER_COMM_INTERNAL_H
#define VESPER_COMM_INTERNAL_H

#include "comm/comm.h"

#include <limits.h>
#include <mpi.h>

struct Comm {
    MPI_Comm world;
    int rank;
    int size;
    int64_t piece; /* most elements one MPI call carries; the same on every rank */
    int64_t sent;  /* bytes: comm_sent_bytes */
};

/* The one way from our counts to MPI's. */
static inline int comm_count(int64_t count)
{
    vesper_assert(count >= 0 && count <= INT_MAX);
    return (int)count;
}

/* Elements of the next piece when `left` are left. */
static inline int comm_piece(const Comm *comm, int64_t left)
{
    return comm_count(left < comm->piece ? left : comm->piece);
}

/* sum of counts [size] */
static inline int64_t comm_total(const Comm *comm, const int64_t *counts)
{
    int64_t total = 0;
    for (int i = 0; i < comm->size; i++)
        total += counts[i];
    return total;
}

/* counts [size] that every other rank has for this one. Collective. */
void comm_transpose_counts(Comm *comm, const int64_t *counts, int64_t *from);

/* Move bytes between all pairs that have some: send and receive are ordered by rank. The receiving
 * memory is there already. Collective. */
void comm_transfer(Comm *comm, const char *send, const int64_t *send_bytes, char *receive,
                   const int64_t *receive_bytes);

/* `table` becomes all ranks' rows, in rank order, on every rank. Collective. */
Status comm_gather_table(Comm *comm, Table *table, Error *error) VESPER_MUST_USE;

#endif
