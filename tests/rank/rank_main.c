/* Runner of the tests that need ranks: every rank runs all tests; rank 0 prints the sum.
 *
 * Only failures are printed, each by the rank where it happened. The run fails if a check failed on
 * any rank, if ranks ran different numbers of tests, or if memory is left at the end. */
#include "base/log.h"
#include "base/memory.h"
#include "rank/suites.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TESTS_MAX = 1024 };

static Comm *the_comm;
static int64_t n_run;
static int64_t failed[TESTS_MAX]; /* per test, in order: checks that failed on this rank */

Comm *rank_comm(void)
{
    return the_comm;
}

static void count_test(const CU_pTest test, const CU_pSuite suite, const CU_pFailureRecord first)
{
    for (const CU_FailureRecord *record = first; record; record = record->pNext) {
        fprintf(stderr, "[rank %d/%d] %s.%s: %s:%u: %s\n", comm_rank(the_comm), comm_size(the_comm),
                suite->pName, test->pName, record->strFileName, record->uiLineNumber,
                record->strCondition);
        if (n_run < TESTS_MAX)
            failed[n_run]++;
    }
    n_run++;
}

/* Register the suites, or only the one that argv names. */
static bool register_suites(const char *only)
{
    RankSuite suites[] = RANK_SUITES;
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) {
        if (only && strcmp(only, suites[i].name) != 0)
            continue;
        CU_SuiteInfo info[] = {{.pName = suites[i].name, .pTests = suites[i].tests},
                               CU_SUITE_INFO_NULL};
        if (CU_register_suites(info) != CUE_SUCCESS) {
            fprintf(stderr, "cannot register suite %s: %s\n", suites[i].name, CU_get_error_msg());
            return false;
        }
    }
    return true;
}

/* Blocks that this rank's tests left behind, told where it happened. */
static int64_t left_blocks(int64_t before)
{
    int64_t left = mem_live_blocks() - before;
    if (left != 0)
        fprintf(stderr, "[rank %d/%d] %" PRId64 " blocks of memory are left\n", comm_rank(the_comm),
                comm_size(the_comm), left);
    return left != 0;
}

/* True on every rank if all is well on all ranks. */
static bool sum_up(int64_t blocks_before)
{
    int64_t least = n_run;
    int64_t most = n_run;
    comm_min_i64(the_comm, &least, 1);
    comm_max_i64(the_comm, &most, 1);
    int64_t leaks = left_blocks(blocks_before);
    comm_sum_i64(the_comm, &leaks, 1);
    comm_sum_i64(the_comm, failed, TESTS_MAX);
    int64_t n_failed = 0;
    for (int i = 0; i < TESTS_MAX; i++)
        n_failed += failed[i] > 0;
    if (comm_rank(the_comm) == 0) {
        if (least != most)
            fprintf(stderr, "ranks ran different numbers of tests: %" PRId64 " to %" PRId64 "\n",
                    least, most);
        printf("%" PRId64 " passed, %" PRId64 " failed\n", most - n_failed, n_failed);
        fflush(stdout);
    }
    return n_failed == 0 && leaks == 0 && least == most && most > 0 && most <= TESTS_MAX;
}

int main(int argc, char **argv)
{
    the_comm = comm_start(&argc, &argv);
    if (!the_comm)
        return EXIT_FAILURE;
    log_init(comm_rank(the_comm), LOG_WARN);
    int64_t blocks_before = mem_live_blocks();
    bool passed = false;
    if (CU_initialize_registry() == CUE_SUCCESS && register_suites(argc > 1 ? argv[1] : NULL)) {
        CU_set_test_complete_handler(count_test);
        CU_run_all_tests();
        passed = sum_up(blocks_before);
    }
    CU_cleanup_registry();
    comm_finish(&the_comm);
    if (mem_live_blocks() != 0) {
        fprintf(stderr, "blocks of memory are left after the end of MPI\n");
        passed = false;
    }
    return passed ? EXIT_SUCCESS : EXIT_FAILURE;
}
