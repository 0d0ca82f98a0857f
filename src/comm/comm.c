/* Start and end of MPI, agreement, broadcasts, sums and gathers. */
#include "comm/comm.h"

#include "base/memory.h"
#include "base/stop.h"
#include "comm/internal.h"
#include "comm/native.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BROADCAST_BYTES = 65536, /* a buffer is broadcast in blocks of so many bytes */
    SUM_BLOCK = 8192,        /* elements of a running sum in flight between two ranks */
    SCATTER_BLOCK = 1 << 20  /* elements of one reduction to their owner */
};
#define PIECE_DEFAULT ((int64_t)1 << 30)

_Static_assert(sizeof(long long) == sizeof(int64_t), "strtoll must give an int64");

/* Piece size from the environment; 0 if it is no positive number that fits an int. */
static int64_t piece_from_environment(void)
{
    const char *text = getenv("VESPER_COMM_PIECE");
    if (!text)
        return PIECE_DEFAULT;
    char *end;
    int64_t piece = strtoll(text, &end, 10);
    return end != text && *end == '\0' && piece > 0 && piece <= INT_MAX ? piece : 0;
}

Comm *comm_start(int *argc, char ***argv)
{
    int provided;
    if (MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS) {
        fprintf(stderr, "vesper: cannot start MPI; start with mpirun or srun\n");
        return NULL;
    }
    Comm *comm = mem_new(1, sizeof *comm);
    MPI_Comm_dup(MPI_COMM_WORLD, &comm->world);
    MPI_Comm_rank(comm->world, &comm->rank);
    MPI_Comm_size(comm->world, &comm->size);
    comm->piece = PIECE_DEFAULT;
    int64_t piece = piece_from_environment();
    comm_broadcast(comm, 0, &piece, sizeof piece);
    comm->piece = piece;
    if (provided >= MPI_THREAD_FUNNELED && piece > 0)
        return comm;
    if (comm->rank == 0 && piece == 0)
        fprintf(stderr, "vesper: VESPER_COMM_PIECE must be a number from 1 to %d\n", INT_MAX);
    else if (comm->rank == 0)
        fprintf(stderr, "vesper: this MPI does not allow threads beside the main one\n");
    comm_finish(&comm);
    return NULL;
}

void comm_finish(Comm **comm)
{
    if (!*comm)
        return;
    MPI_Comm_free(&(*comm)->world);
    MPI_Finalize();
    mem_free(comm);
}

int comm_rank(const Comm *comm)
{
    return comm->rank;
}

int comm_size(const Comm *comm)
{
    return comm->size;
}

int64_t comm_sent_bytes(const Comm *comm)
{
    return comm->sent;
}

MPI_Comm comm_native(const Comm *comm)
{
    return comm->world;
}

void comm_set_piece(Comm *comm, int64_t elements)
{
    vesper_assert(elements > 0 && elements <= INT_MAX);
    comm->piece = elements;
}

Status comm_agree(Comm *comm, Status status, Error *error)
{
    int failed = status == STATUS_OK ? comm->size : comm->rank;
    MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MIN, comm->world);
    if (failed == comm->size)
        return STATUS_OK;
    if (failed == comm->rank) {
        if (error->status != status || error->message[0] == '\0')
            error_set(error, status, __FILE__, __LINE__,
                      "a step failed without saying why (status %d)", (int)status);
        error->rank = comm->rank;
    }
    MPI_Bcast(error, (int)sizeof *error, MPI_BYTE, failed, comm->world);
    return error->status;
}

Status comm_safe_point(Comm *comm, const char *where, Error *error)
{
    int64_t asked = stop_asked();
    comm_max_i64(comm, &asked, 1);
    return asked != 0 ? stop_here(error, "%s", where) : STATUS_OK;
}

void comm_barrier(Comm *comm)
{
    MPI_Barrier(comm->world);
}

void comm_broadcast(Comm *comm, int root, void *data, int64_t bytes)
{
    char *at = data;
    while (bytes > 0) {
        int piece = comm_piece(comm, bytes);
        MPI_Bcast(at, piece, MPI_BYTE, root, comm->world);
        comm->sent += comm->rank == root && comm->size > 1 ? piece : 0;
        at += piece;
        bytes -= piece;
    }
}

void comm_broadcast_buffer(Comm *comm, int root, Buffer *buffer)
{
    char block[BROADCAST_BYTES];
    int64_t size = buffer->size;
    comm_broadcast(comm, root, &size, sizeof size);
    if (comm->rank == root) {
        for (int64_t at = 0; at < size; at += BROADCAST_BYTES) {
            int64_t left = size - at;
            comm_broadcast(comm, root, buffer->data + at,
                           left < BROADCAST_BYTES ? left : BROADCAST_BYTES);
        }
        return;
    }
    buffer_clear(buffer);
    while (buffer->size < size) {
        int64_t left = size - buffer->size;
        int64_t bytes = left < BROADCAST_BYTES ? left : BROADCAST_BYTES;
        comm_broadcast(comm, root, block, bytes);
        buffer_append(buffer, block, bytes);
    }
}

Status comm_broadcast_config(Comm *comm, int root, Config **config, Error *error)
{
    Buffer packed = {0};
    bool is_root = comm_rank(comm) == root;
    if (is_root)
        config_pack(*config, &packed);
    comm_broadcast_buffer(comm, root, &packed);
    Status status = is_root ? STATUS_OK : config_unpack(buffer_view(&packed), config, error);
    buffer_free(&packed);
    return comm_agree(comm, status, error);
}

/* ---- reductions ---- */

static void reduce_i64(Comm *comm, int64_t *values, int64_t count, MPI_Op op)
{
    while (count > 0) {
        int piece = comm_piece(comm, count);
        MPI_Allreduce(MPI_IN_PLACE, values, piece, MPI_INT64_T, op, comm->world);
        comm->sent += comm->size > 1 ? piece * (int64_t)sizeof *values : 0;
        values += piece;
        count -= piece;
    }
}

void comm_sum_i64(Comm *comm, int64_t *values, int64_t count)
{
    reduce_i64(comm, values, count, MPI_SUM);
}

/* In halves, whose sums over ranks do not overflow. */
void comm_sum_u64(Comm *comm, uint64_t *value)
{
    int64_t halves[] = {(int64_t)(*value >> 32), (int64_t)(*value & UINT32_MAX)};
    comm_sum_i64(comm, halves, 2);
    *value = ((uint64_t)halves[0] << 32) + (uint64_t)halves[1];
}

void comm_min_i64(Comm *comm, int64_t *values, int64_t count)
{
    reduce_i64(comm, values, count, MPI_MIN);
}

void comm_max_i64(Comm *comm, int64_t *values, int64_t count)
{
    reduce_i64(comm, values, count, MPI_MAX);
}

/* Block by block to its owner: MPI_Reduce_scatter would take a temporary as large as all values. */
void comm_sum_scatter_i64(Comm *comm, const int64_t *values, const int64_t *counts, int64_t *own)
{
    for (int owner = 0; owner < comm->size; owner++) {
        for (int64_t at = 0; at < counts[owner];) {
            int64_t left = counts[owner] - at;
            int piece = comm_piece(comm, left < SCATTER_BLOCK ? left : SCATTER_BLOCK);
            int64_t *target = owner == comm->rank ? own + at : NULL;
            MPI_Reduce(values, target, piece, MPI_INT64_T, MPI_SUM, owner, comm->world);
            comm->sent += owner != comm->rank ? piece * (int64_t)sizeof *values : 0;
            values += piece;
            at += piece;
        }
    }
}

int64_t comm_prefix_i64(Comm *comm, int64_t value)
{
    int64_t before = 0;
    MPI_Exscan(&value, &before, 1, MPI_INT64_T, MPI_SUM, comm->world);
    return comm->rank == 0 ? 0 : before;
}

/* The running sum of a block goes from rank to rank, while the block before it is one rank ahead.
 */
void comm_sum_in_order_f64(Comm *comm, const double *own, int64_t n_own, int64_t width,
                           double *total)
{
    for (int64_t at = 0; at < width;) {
        int64_t left = width - at;
        int block = comm_piece(comm, left < SUM_BLOCK ? left : SUM_BLOCK);
        double *sum = total + at;
        if (comm->rank > 0)
            MPI_Recv(sum, block, MPI_DOUBLE, comm->rank - 1, 0, comm->world, MPI_STATUS_IGNORE);
        else
            memset(sum, 0, (size_t)block * sizeof *sum);
        for (int64_t p = 0; p < n_own; p++) {
            const double *part = own + p * width + at;
            for (int i = 0; i < block; i++)
                sum[i] += part[i];
        }
        if (comm->rank + 1 < comm->size)
            MPI_Send(sum, block, MPI_DOUBLE, comm->rank + 1, 0, comm->world);
        comm->sent += block * (int64_t)sizeof *sum;
        at += block;
    }
    int64_t bytes;
    vesper_assert(!__builtin_mul_overflow(width, (int64_t)sizeof *total, &bytes));
    comm_broadcast(comm, comm->size - 1, total, bytes);
}

/* ---- gather ---- */

/* One call if all sizes and places fit an int; otherwise each rank broadcasts its part. */
void comm_gather_in_place(Comm *comm, void *all, const int64_t *bytes)
{
    char *parts = all;
    if (comm_total(comm, bytes) > comm->piece) {
        for (int rank = 0; rank < comm->size; rank++) {
            comm_broadcast(comm, rank, parts, bytes[rank]);
            parts += bytes[rank];
        }
        return;
    }
    int *counts = mem_new(comm->size, sizeof *counts);
    int *places = mem_new(comm->size, sizeof *places);
    int place = 0;
    for (int rank = 0; rank < comm->size; rank++) {
        counts[rank] = comm_count(bytes[rank]);
        places[rank] = place;
        place += counts[rank];
    }
    MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, parts, counts, places, MPI_BYTE,
                   comm->world);
    comm->sent += comm->size > 1 ? counts[comm->rank] : 0;
    mem_free(&counts);
    mem_free(&places);
}

Status comm_gather_all(Comm *comm, const void *own, int64_t bytes, char **all, int64_t *all_bytes,
                       int64_t *sizes, Error *error)
{
    Status status;
    int64_t *parts = mem_new(comm->size, sizeof *parts);
    *all = NULL;
    *all_bytes = 0;
    MPI_Allgather(&bytes, 1, MPI_INT64_T, parts, 1, MPI_INT64_T, comm->world);
    int64_t total = comm_total(comm, parts);
    TRY_ALL(comm, mem_resize(all, total, 1, "gathered bytes", error), error);
    int64_t before = 0;
    for (int rank = 0; rank < comm->rank; rank++)
        before += parts[rank];
    if (bytes > 0)
        memcpy(*all + before, own, (size_t)bytes);
    comm_gather_in_place(comm, *all, parts);
    *all_bytes = total;
    if (sizes)
        memcpy(sizes, parts, (size_t)comm->size * sizeof *sizes);
out:
    if (status != STATUS_OK)
        mem_free(all);
    mem_free(&parts);
    return status;
}
