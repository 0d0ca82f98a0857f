/* Comm: the ranks of a run and everything they do together. The only part that sees MPI.
 *
 * A function is collective if and only if it takes a Comm. Collective functions return the same
 * Status, and fill the same Error, on every rank; `comm_agree` is the one bridge from a local
 * failure to that. Between a local failure and the next collective no rank may return: remember
 * the status, agree, leave together. */
#ifndef VESPER_COMM_COMM_H
#define VESPER_COMM_COMM_H

#include "base/bytes.h"
#include "base/config.h"
#include "table/sort.h"
#include "table/table.h"

typedef struct Comm Comm;

/* Start MPI. Collective. Failing, prints why and returns NULL. */
Comm *comm_start(int *argc, char ***argv);
/* End MPI; sets *comm to NULL. Collective. */
void comm_finish(Comm **comm);

int comm_rank(const Comm *comm);
int comm_size(const Comm *comm);
/* Bytes that this rank has handed to other ranks so far: what it sent to each, and once its part of
 * every sum, gather and broadcast. Local. */
int64_t comm_sent_bytes(const Comm *comm);

/* Largest number of elements (bytes, where bytes are moved) one MPI call carries; larger transfers
 * are cut into pieces. The same on every rank. Tests set it small (VESPER_COMM_PIECE in rank 0's
 * environment does too). */
void comm_set_piece(Comm *comm, int64_t elements);

/* If any rank's status is not OK: the lowest such rank's Error and Status everywhere. Collective.
 */
Status comm_agree(Comm *comm, Status status, Error *error) VESPER_MUST_USE;

/* Collective try: a local call's status becomes everybody's. */
#define TRY_ALL(comm, call, error)                                                                 \
    do {                                                                                           \
        status = comm_agree(comm, (call), error);                                                  \
        if (status != STATUS_OK)                                                                   \
            goto out;                                                                              \
    } while (0)

/* A safe point: STATUS_RESUME everywhere (stop_here, `where`) if any rank was asked to stop.
 * Collective. */
Status comm_safe_point(Comm *comm, const char *where, Error *error) VESPER_MUST_USE;

void comm_barrier(Comm *comm);

/* Root's bytes everywhere. `data` is allocated on the others by the caller. Collective. */
void comm_broadcast(Comm *comm, int root, void *data, int64_t bytes);
/* Root's buffer everywhere (size included). Collective. */
void comm_broadcast_buffer(Comm *comm, int root, Buffer *buffer);
/* Root's configuration everywhere; the others' *config is made here. Collective. */
Status comm_broadcast_config(Comm *comm, int root, Config **config, Error *error) VESPER_MUST_USE;

/* Element-wise over ranks, in place, exact. Sums that leave int64 are found by the caller's checks
 * on magnitudes, not here. Collective. */
void comm_sum_i64(Comm *comm, int64_t *values, int64_t count);
void comm_min_i64(Comm *comm, int64_t *values, int64_t count);
void comm_max_i64(Comm *comm, int64_t *values, int64_t count);
/* Modulo 2^64: for hashes. Collective. */
void comm_sum_u64(Comm *comm, uint64_t *value);
/* Each rank gets the element-wise sum of its own slice: values [sum of counts] on every rank,
 * counts [size]; own [counts[rank]]. Collective. */
void comm_sum_scatter_i64(Comm *comm, const int64_t *values, const int64_t *counts, int64_t *own);
/* Sum over lower ranks; 0 on rank 0. Collective. */
int64_t comm_prefix_i64(Comm *comm, int64_t value);

/* The vectors of all partitions added in partition order: the same bits at any rank count.
 *   own    [n_own x width]  vectors of this rank's partitions [first, first + n_own)
 *   total  [width] out      on every rank
 * Ranks own runs of partitions in rank order; one may own none. The running sum is passed along the
 * ranks block by block: O(width + ranks) time, no temporary. Collective. */
void comm_sum_in_order_f64(Comm *comm, const double *own, int64_t n_own, int64_t width,
                           double *total);

/* Every rank's bytes, in rank order, on every rank. For small things only. `sizes` [size] out may
 * be NULL. *all is allocated (mem_free). Collective. */
Status comm_gather_all(Comm *comm, const void *own, int64_t bytes, char **all, int64_t *all_bytes,
                       int64_t *sizes, Error *error) VESPER_MUST_USE;

/* The ranks' parts of one array, each in its place on its own rank, everywhere: bytes [size] of
 * each part, in rank order, known to all; all [sum of bytes]. Collective. */
void comm_gather_in_place(Comm *comm, void *all, const int64_t *bytes);

/* Personal exchange of fixed-width elements: send [sum of send_counts], ordered by destination;
 * send_counts [size]; *receive allocated (mem_free), ordered by source, then sender's order;
 * receive_counts [size] out. Only pairs of ranks with something to say exchange messages.
 * Collective. */
Status comm_exchange(Comm *comm, const void *send, const int64_t *send_counts, size_t width,
                     void *receive, int64_t *receive_counts, Error *error) VESPER_MUST_USE;

/* Exchange of a table's rows: rows ordered by destination, row_counts [size] for each. `table` is
 * replaced by the rows received, ordered by source, then sender's order; columns are exchanged
 * and freed one at a time. source_counts [size] out, may be NULL. After a failure the table is
 * empty. Collective. */
Status comm_exchange_table(Comm *comm, Table *table, const int64_t *row_counts,
                           int64_t *source_counts, Error *error) VESPER_MUST_USE;

/* Sort over all ranks (sample sort): afterwards rank r's rows come before rank r+1's and are
 * sorted; equal keys keep rank order, then local order. How many rows a rank gets depends on the
 * number of ranks, the whole sequence does not. At most 30 keys. Collective. */
Status comm_sort_table(Comm *comm, Table *table, const SortKey *keys, int n_keys,
                       Error *error) VESPER_MUST_USE;

/* Move rows between neighbours, keeping the order, so that every rank but the last non-empty one
 * holds a multiple of `block` rows. As few rows as that takes, unless a rank then had a quarter
 * more than its share: then shares are as even as whole blocks allow. After a failure the table is
 * empty. Collective. */
Status comm_rebalance_table(Comm *comm, Table *table, int64_t block, Error *error) VESPER_MUST_USE;

/* `texts` (one text column) becomes the different texts of all ranks, in bytewise order, on every
 * rank: a dictionary, which must fit each of them. Collective. */
Status comm_union_texts(Comm *comm, Table *texts, Error *error) VESPER_MUST_USE;

/* Root-only work with one clean outcome: the other ranks wait for root's status. Use as
 *   status = comm_agree(comm, comm_rank(comm) == 0 ? work(..., error) : STATUS_OK, error). */

#endif
