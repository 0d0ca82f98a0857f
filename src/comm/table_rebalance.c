/* Rows of a table moved between neighbours to whole blocks. What stays on its rank is not copied.
 */
#include "base/fault.h"
#include "base/memory.h"
#include "comm/internal.h"

#include <string.h>

/* Who has which rows, and shall have: rank r's are [begins[r], begins[r + 1]), then those of
 * `starts`. */
typedef struct Shares {
    int64_t *begins, *starts; /* [size + 1] */
} Shares;

/* Rows under way, and the same as bytes of the column at hand; what stays is in neither. */
typedef struct Move {
    int64_t *send_rows, *receive_rows, *send_bytes, *receive_bytes; /* [size] */
    int64_t sent, received;
    int64_t old_rows, rows;
    int64_t from; /* first row that stays, and how many do */
    int64_t stay;
    int64_t to; /* where they stand afterwards */
} Move;

/* ---- shares ---- */

/* First row of rank's share: `rows` in blocks, dealt out as evenly as whole blocks allow. */
static int64_t even_start(int64_t rows, int64_t block, int rank, int size)
{
    int64_t blocks = rows / block + (rows % block != 0);
    int64_t first = blocks / size * rank + blocks % size * rank / size;
    int64_t start = first * block;
    return start < rows ? start : rows;
}

/* Each rank gives the rows of the block that it has the end of to the rank that has its beginning;
 * if then one has a quarter more than its share, all shares are made even. */
static void choose_starts(const Comm *comm, int64_t block, Shares *shares)
{
    int size = comm->size;
    int64_t rows = shares->begins[size], most = 0;
    int64_t share = (rows / block + (rows % block != 0)) / size + 1;
    for (int r = 1; r <= size; r++) {
        int64_t begin = shares->begins[r];
        int64_t start = begin / block * block + (begin % block != 0 ? block : 0);
        shares->starts[r] = start < rows ? start : rows;
        int64_t own = shares->starts[r] - shares->starts[r - 1];
        most = own > most ? own : most;
    }
    if (most <= (share + share / 4) * block)
        return;
    for (int r = 1; r < size; r++)
        shares->starts[r] = even_start(rows, block, r, size);
    shares->starts[size] = rows;
}

static void make_shares(Comm *comm, int64_t rows, int64_t block, Shares *shares)
{
    int size = comm->size;
    shares->begins = mem_new(size + 1, sizeof *shares->begins);
    shares->starts = mem_new(size + 1, sizeof *shares->starts);
    shares->begins[comm->rank + 1] = rows;
    comm_sum_i64(comm, shares->begins, size + 1);
    for (int r = 0; r < size; r++)
        shares->begins[r + 1] += shares->begins[r];
    choose_starts(comm, block, shares);
}

static int64_t overlap(const int64_t *a, const int64_t *b)
{
    int64_t begin = a[0] > b[0] ? a[0] : b[0], end = a[1] < b[1] ? a[1] : b[1];
    return begin < end ? end - begin : 0;
}

static void plan_move(const Comm *comm, const Shares *shares, Move *move)
{
    int size = comm->size, self = comm->rank;
    int64_t *rows = mem_new(4 * (int64_t)size, sizeof *rows);
    *move = (Move){.send_rows = rows,
                   .receive_rows = rows + size,
                   .send_bytes = rows + 2 * (int64_t)size,
                   .receive_bytes = rows + 3 * (int64_t)size};
    for (int r = 0; r < size; r++) {
        int64_t send = overlap(shares->begins + self, shares->starts + r);
        int64_t receive = overlap(shares->starts + self, shares->begins + r);
        if (r == self) {
            move->stay = send;
            move->from = move->sent;
            move->to = move->received;
            continue;
        }
        move->send_rows[r] = send;
        move->receive_rows[r] = receive;
        move->sent += send;
        move->received += receive;
    }
    move->old_rows = move->sent + move->stay;
    move->rows = move->received + move->stay;
}

/* ---- columns ---- */

/* Take what is sent, elements before and behind those that stay, out of an array. */
static void take_sent(const Move *move, size_t width, const char *data, char *sent)
{
    size_t before = (size_t)move->from * width;
    size_t behind = (size_t)(move->sent - move->from) * width;
    if (before > 0)
        memcpy(sent, data, before);
    if (behind > 0)
        memcpy(sent + before, data + (size_t)(move->from + move->stay) * width, behind);
}

/* The elements that stay to their place, those received around them. `data` has room for both the
 * old and the new. */
static void put_received(const Move *move, size_t width, char *data, const char *received)
{
    size_t before = (size_t)move->to * width;
    size_t behind = (size_t)(move->received - move->to) * width;
    vesper_assert(received != NULL || move->received == 0);
    if (move->stay > 0 && move->from != move->to)
        memmove(data + before, data + (size_t)move->from * width, (size_t)move->stay * width);
    if (before > 0)
        memcpy(data, received, before);
    if (behind > 0)
        memcpy(data + (size_t)(move->to + move->stay) * width, received + before, behind);
}

static void transfer(Comm *comm, const Move *move, size_t width, const void *sent, void *received)
{
    for (int r = 0; r < comm->size; r++) {
        move->send_bytes[r] = move->send_rows[r] * (int64_t)width;
        move->receive_bytes[r] = move->receive_rows[r] * (int64_t)width;
    }
    comm_transfer(comm, sent, move->send_bytes, received, move->receive_bytes);
}

/* Move the elements of *data (a T **). */
static Status move_elements(Comm *comm, const Move *move, size_t width, void *data,
                            const char *what, Error *error)
{
    Status status;
    char *sent = NULL, *received = NULL, *elements;
    int64_t room = move->rows > move->old_rows ? move->rows : move->old_rows;
    Status first = mem_resize(data, room, width, what, error);
    if (first == STATUS_OK)
        first = mem_resize(&sent, move->sent, width, what, error);
    if (first == STATUS_OK)
        first = mem_resize(&received, move->received, width, what, error);
    TRY_ALL(comm, first, error);
    memcpy(&elements, data, sizeof elements);
    take_sent(move, width, elements, sent);
    transfer(comm, move, width, sent, received);
    put_received(move, width, elements, received);
out:
    mem_free(&sent);
    mem_free(&received);
    return status;
}

/* The bytes of texts are moved as rows of one byte each. What is sent follows from the lengths
 * [rows->old_rows] before, */
static void plan_bytes_sent(const Comm *comm, const Move *rows, const int64_t *lengths, Move *bytes)
{
    for (int r = 0; r < comm->size; r++) {
        int64_t n = r == comm->rank ? rows->stay : rows->send_rows[r], sum = 0;
        for (int64_t i = 0; i < n; i++)
            sum += *lengths++;
        if (r == comm->rank) {
            bytes->stay = sum;
            bytes->from = bytes->sent;
            continue;
        }
        bytes->send_rows[r] = sum;
        bytes->sent += sum;
    }
    bytes->old_rows = bytes->sent + bytes->stay;
}

/* and what is received from the lengths [rows->rows] after the move. */
static void plan_bytes_received(const Comm *comm, const Move *rows, const int64_t *lengths,
                                Move *bytes)
{
    for (int r = 0; r < comm->size; r++) {
        int64_t n = r == comm->rank ? rows->stay : rows->receive_rows[r], sum = 0;
        for (int64_t i = 0; i < n; i++)
            sum += *lengths++;
        if (r == comm->rank) {
            bytes->to = bytes->received;
            continue;
        }
        bytes->receive_rows[r] = sum;
        bytes->received += sum;
    }
    bytes->rows = bytes->received + bytes->stay;
}

static Status move_text(Comm *comm, const Move *rows, Column *column, Error *error)
{
    Status status;
    int64_t *counts = mem_new(4 * (int64_t)comm->size, sizeof *counts);
    Move bytes = {.send_rows = counts,
                  .receive_rows = counts + comm->size,
                  .send_bytes = counts + 2 * (int64_t)comm->size,
                  .receive_bytes = counts + 3 * (int64_t)comm->size};
    for (int64_t i = rows->old_rows - 1; i > 0; i--)
        column->ends[i] -= column->ends[i - 1];
    plan_bytes_sent(comm, rows, column->ends, &bytes);
    TRY(move_elements(comm, rows, sizeof *column->ends, &column->ends, column->name, error));
    plan_bytes_received(comm, rows, column->ends, &bytes);
    for (int64_t i = 1; i < rows->rows; i++)
        column->ends[i] += column->ends[i - 1];
    TRY(move_elements(comm, &bytes, 1, &column->bytes, column->name, error));
    column->bytes_capacity = bytes.rows > bytes.old_rows ? bytes.rows : bytes.old_rows;
out:
    mem_free(&counts);
    return status;
}

Status comm_rebalance_table(Comm *comm, Table *table, int64_t block, Error *error)
{
    Status status = STATUS_OK;
    Shares shares = {0};
    Move move = {0};
    vesper_assert(block > 0);
    make_shares(comm, table->rows, block, &shares);
    plan_move(comm, &shares, &move);
    TRY_ALL(comm, fault_point("comm.rebalance", error), error);
    int64_t moved = move.sent;
    comm_sum_i64(comm, &moved, 1);
    for (int i = 0; moved > 0 && i < table->n_columns; i++) {
        Column *column = &table->columns[i];
        if (column_is_coded(column))
            TRY(move_elements(comm, &move, sizeof(int32_t), &column->data, column->name, error));
        else if (column->type == COLUMN_TEXT)
            TRY(move_text(comm, &move, column, error));
        else
            TRY(move_elements(comm, &move, column_width(column->type), &column->data, column->name,
                              error));
    }
    table->rows = move.rows;
    if (moved > 0) /* all columns have room for as many */
        table->capacity = move.rows > move.old_rows ? move.rows : move.old_rows;
out:
    if (status != STATUS_OK)
        table_free(table);
    mem_free(&move.send_rows);
    mem_free(&shares.begins);
    mem_free(&shares.starts);
    return status;
}
