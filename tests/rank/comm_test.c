/* What ranks do together with numbers and bytes, against answers that each rank can compute alone.
 */
#include "base/memory.h"
#include "base/stop.h"
#include "rank/comm_model.h"
#include "rank/suites.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* ---- agree ---- */

static void check_agree(int first, int second)
{
    Comm *comm = rank_comm();
    int rank = comm_rank(comm);
    Error error = {0};
    Status own = STATUS_OK;
    if (rank == first)
        own = error_set(&error, STATUS_INPUT, "here.c", 7, "rank %d has no bread", rank);
    else if (rank == second)
        own = error_set(&error, STATUS_IO, "there.c", 8, "rank %d has no butter", rank);
    Status status = comm_agree(comm, own, &error);
    char message[64];
    snprintf(message, sizeof message, "rank %d has no bread", first);
    CU_ASSERT_EQUAL(status, STATUS_INPUT);
    CU_ASSERT_EQUAL(error.status, STATUS_INPUT);
    CU_ASSERT_EQUAL(error.rank, first);
    CU_ASSERT_EQUAL(error.line, 7);
    CU_ASSERT_STRING_EQUAL(error.message, message);
}

static void test_agree_names_the_lowest_rank(void)
{
    int size = comm_size(rank_comm());
    for (int first = 0; first < size; first++) {
        check_agree(first, -1);
        check_agree(first, size - 1);
    }
}

static void test_agree_passes_when_all_are_well(void)
{
    Error error = {0};
    CU_ASSERT_EQUAL(comm_agree(rank_comm(), STATUS_OK, &error), STATUS_OK);
    CU_ASSERT_EQUAL(error.status, STATUS_OK);
}

static void test_agree_without_a_message(void)
{
    Comm *comm = rank_comm();
    int last = comm_size(comm) - 1;
    Error error = {0};
    Status own = comm_rank(comm) == last ? STATUS_GATE : STATUS_OK;
    CU_ASSERT_EQUAL(comm_agree(comm, own, &error), STATUS_GATE);
    CU_ASSERT_EQUAL(error.status, STATUS_GATE);
    CU_ASSERT_EQUAL(error.rank, last);
    CU_ASSERT_NOT_EQUAL(error.message[0], '\0');
}

static void test_safe_point(void)
{
    Comm *comm = rank_comm();
    Error error = {0};
    for (int asked = -1; asked < comm_size(comm); asked++) {
        stop_catch_signals();
        if (comm_rank(comm) == asked)
            (void)raise(SIGUSR1);
        CU_ASSERT_EQUAL(comm_safe_point(comm, "before lunch", &error),
                        asked < 0 ? STATUS_OK : STATUS_RESUME);
    }
    CHECK_SAYS("stopped at a safe point, before lunch; run");
    stop_catch_signals();
}

/* ---- broadcast, sums, gather ---- */

static void test_broadcast_from_every_rank(void)
{
    Comm *comm = rank_comm();
    static const int64_t sizes[] = {0, 1, 6, 7, 8, 300};
    for (int p = 0; p < N_PIECES; p++) {
        comm_set_piece(comm, comm_model_pieces[p]);
        for (int root = 0; root < comm_size(comm); root++) {
            for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
                unsigned char data[301];
                memset(data, 0xee, sizeof data);
                for (int64_t i = 0; i < sizes[s]; i++)
                    data[i] =
                        (unsigned char)(comm_rank(comm) == root ? model_noise(root, i, 1) : 0);
                comm_broadcast(comm, root, data, sizes[s]);
                int64_t wrong = 0;
                for (int64_t i = 0; i < sizes[s]; i++)
                    wrong += data[i] != (unsigned char)model_noise(root, i, 1);
                CU_ASSERT_EQUAL(wrong, 0);
                CU_ASSERT_EQUAL(data[sizes[s]], 0xee);
            }
        }
    }
    comm_set_piece(comm, comm_model_pieces[N_PIECES - 1]);
}

static void test_broadcast_buffer(void)
{
    Comm *comm = rank_comm();
    static const int sizes[] = {0, 1, 1000, 65536, 150001};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        int root = comm_size(comm) - 1;
        Buffer buffer = {0};
        buffer_append_string(&buffer, "old");
        if (comm_rank(comm) == root) {
            buffer_clear(&buffer);
            for (int i = 0; i < sizes[s]; i++)
                buffer_append(&buffer, &(char){(char)('a' + i % 26)}, 1);
        }
        comm_broadcast_buffer(comm, root, &buffer);
        CU_ASSERT_EQUAL(buffer.size, sizes[s]);
        int wrong = 0;
        for (int i = 0; i < sizes[s] && i < buffer.size; i++)
            wrong += buffer.data[i] != 'a' + i % 26;
        CU_ASSERT_EQUAL(wrong, 0);
        buffer_free(&buffer);
    }
}

static void test_reductions(void)
{
    Comm *comm = rank_comm();
    int size = comm_size(comm);
    enum { N = 23 };
    for (int p = 0; p < N_PIECES; p++) {
        comm_set_piece(comm, comm_model_pieces[p]);
        int64_t sums[N], least[N], most[N];
        for (int64_t i = 0; i < N; i++)
            sums[i] = least[i] = most[i] = (int64_t)(model_noise(comm_rank(comm), i, 2) >> 8);
        comm_sum_i64(comm, sums, N);
        comm_min_i64(comm, least, N);
        comm_max_i64(comm, most, N);
        comm_sum_i64(comm, NULL, 0);
        for (int64_t i = 0; i < N; i++) {
            int64_t sum = 0;
            int64_t min = INT64_MAX;
            int64_t max = INT64_MIN;
            for (int rank = 0; rank < size; rank++) {
                int64_t value = (int64_t)(model_noise(rank, i, 2) >> 8);
                sum += value;
                min = value < min ? value : min;
                max = value > max ? value : max;
            }
            CU_ASSERT_EQUAL(sums[i], sum);
            CU_ASSERT_EQUAL(least[i], min);
            CU_ASSERT_EQUAL(most[i], max);
        }
    }
    CU_ASSERT_EQUAL(comm_prefix_i64(comm, comm_rank(comm) + 10),
                    10 * comm_rank(comm) + comm_rank(comm) * (comm_rank(comm) - 1) / 2);
}

static void test_sum_scatter(void)
{
    Comm *comm = rank_comm();
    int size = comm_size(comm);
    enum { N = 97 };
    for (int p = 0; p < N_PIECES; p++) {
        comm_set_piece(comm, comm_model_pieces[p]);
        int64_t values[N];
        int64_t own[N];
        int64_t *counts = mem_new(size, sizeof *counts);
        for (int rank = 0; rank < size; rank++)
            counts[rank] = model_first(N, rank + 1, size) - model_first(N, rank, size);
        for (int64_t i = 0; i < N; i++)
            values[i] = (int64_t)(model_noise(comm_rank(comm), i, 3) >> 8);
        comm_sum_scatter_i64(comm, values, counts, own);
        int64_t wrong = 0;
        for (int64_t i = 0; i < counts[comm_rank(comm)]; i++) {
            int64_t sum = 0;
            for (int rank = 0; rank < size; rank++)
                sum +=
                    (int64_t)(model_noise(rank, model_first(N, comm_rank(comm), size) + i, 3) >> 8);
            wrong += own[i] != sum;
        }
        CU_ASSERT_EQUAL(wrong, 0);
        mem_free(&counts);
    }
}

static double partition_value(int64_t partition, int64_t i)
{
    double unit = (double)(model_noise(partition, i, 4) >> 11) / 9007199254740992.0;
    return (unit - 0.5) * (partition % 3 == 0 ? 1e12 : 1e-3);
}

static void check_sum_in_order(int64_t n_partitions, int64_t width)
{
    Comm *comm = rank_comm();
    int64_t first = model_first(n_partitions, comm_rank(comm), comm_size(comm));
    int64_t n_own = model_first(n_partitions, comm_rank(comm) + 1, comm_size(comm)) - first;
    double *own = mem_new(n_own * width, sizeof *own);
    double *total = mem_new(width, sizeof *total);
    double *expected = mem_new(width, sizeof *expected);
    memset(total, 0xff, (size_t)width * sizeof *total); /* NaN: every element must be written */
    for (int64_t p = 0; p < n_own; p++)
        for (int64_t i = 0; i < width; i++)
            own[p * width + i] = partition_value(first + p, i);
    for (int64_t p = 0; p < n_partitions; p++)
        for (int64_t i = 0; i < width; i++)
            expected[i] += partition_value(p, i);
    comm_sum_in_order_f64(comm, own, n_own, width, total);
    CU_ASSERT_EQUAL(memcmp(total, expected, (size_t)width * sizeof *total), 0);
    mem_free(&own);
    mem_free(&total);
    mem_free(&expected);
}

static void test_sum_in_order_has_the_serial_bits(void)
{
    comm_set_piece(rank_comm(), 7);
    check_sum_in_order(16, 1);
    check_sum_in_order(16, 50);
    comm_set_piece(rank_comm(), 1 << 30);
    check_sum_in_order(0, 10);
    check_sum_in_order(1, 10);
    check_sum_in_order(16, 0);
    check_sum_in_order(16, 8192);
    check_sum_in_order(16, 20001);
}

static void test_gather_all(void)
{
    Comm *comm = rank_comm();
    int size = comm_size(comm);
    int64_t *sizes = mem_new(size, sizeof *sizes);
    for (int p = 0; p < N_PIECES; p++) {
        comm_set_piece(comm, comm_model_pieces[p]);
        int64_t begin = model_first(500, comm_rank(comm), size);
        int64_t end = model_first(500, comm_rank(comm) + 1, size);
        char own[500];
        for (int64_t i = begin; i < end; i++)
            own[i - begin] = (char)model_noise(i, 0, 5);
        char *all;
        int64_t bytes;
        Error error = {0};
        Status status = comm_gather_all(comm, own, end - begin, &all, &bytes, sizes, &error);
        CU_ASSERT_EQUAL(status, STATUS_OK);
        CU_ASSERT_EQUAL(bytes, 500);
        int64_t wrong = 0;
        for (int64_t i = 0; i < bytes; i++)
            wrong += all[i] != (char)model_noise(i, 0, 5);
        CU_ASSERT_EQUAL(wrong, 0);
        for (int rank = 0; rank < size; rank++)
            CU_ASSERT_EQUAL(sizes[rank],
                            model_first(500, rank + 1, size) - model_first(500, rank, size));
        /* and with each part in its place already */
        memset(all, 0, 500);
        if (end > begin)
            memcpy(all + begin, own, (size_t)(end - begin));
        comm_gather_in_place(comm, all, sizes);
        wrong = 0;
        for (int64_t i = 0; i < 500; i++)
            wrong += all[i] != (char)model_noise(i, 0, 5);
        CU_ASSERT_EQUAL(wrong, 0);
        mem_free(&all);
        status = comm_gather_all(comm, NULL, 0, &all, &bytes, NULL, &error);
        CU_ASSERT_EQUAL(status, STATUS_OK);
        CU_ASSERT_EQUAL(bytes, 0);
        mem_free(&all);
    }
    mem_free(&sizes);
}

/* ---- exchange ---- */

static int64_t count_all(const int64_t *counts, int size)
{
    int64_t total = 0;
    for (int i = 0; i < size; i++)
        total += counts[i];
    return total;
}

static void check_exchange(Shape shape, size_t width)
{
    Comm *comm = rank_comm();
    int size = comm_size(comm);
    int self = comm_rank(comm);
    int64_t *counts = mem_new(size, sizeof *counts);
    int64_t *received_counts = mem_new(size, sizeof *received_counts);
    for (int to = 0; to < size; to++)
        counts[to] = comm_model_sent(shape, self, to, size);
    char *send = mem_new(count_all(counts, size), width);
    char *at = send;
    for (int to = 0; to < size; to++) {
        for (int64_t k = 0; k < counts[to]; k++, at += width) {
            Letter one = comm_model_letter(self, to, k);
            memcpy(at, (char *)&one + (sizeof one - width), width);
        }
    }
    char *received = NULL;
    Error error = {0};
    Status status = comm_exchange(comm, send, counts, width, &received, received_counts, &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    int64_t wrong = 0;
    at = received;
    for (int from = 0; from < size; from++) {
        wrong += received_counts[from] != comm_model_sent(shape, from, self, size);
        for (int64_t k = 0; k < received_counts[from]; k++, at += width) {
            Letter one = comm_model_letter(from, self, k);
            wrong += memcmp(at, (char *)&one + (sizeof one - width), width) != 0;
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
    mem_free(&counts);
    mem_free(&received_counts);
    mem_free(&send);
    mem_free(&received);
}

static void test_exchange(void)
{
    for (int p = 0; p < N_PIECES; p++) {
        comm_set_piece(rank_comm(), comm_model_pieces[p]);
        for (int shape = 0; shape < SHAPES; shape++) {
            check_exchange((Shape)shape, 1);
            check_exchange((Shape)shape, 8);
            check_exchange((Shape)shape, sizeof(Letter));
        }
    }
}

CU_TestInfo comm_tests[] = {
    {"agree names the lowest rank", test_agree_names_the_lowest_rank},
    {"agree passes when all are well", test_agree_passes_when_all_are_well},
    {"agree without a message", test_agree_without_a_message},
    {"safe point", test_safe_point},
    {"broadcast from every rank", test_broadcast_from_every_rank},
    {"broadcast buffer", test_broadcast_buffer},
    {"reductions", test_reductions},
    {"sum scatter", test_sum_scatter},
    {"sum in order has the serial bits", test_sum_in_order_has_the_serial_bits},
    {"gather all", test_gather_all},
    {"exchange", test_exchange},
    CU_TEST_INFO_NULL,
};
