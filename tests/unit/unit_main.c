/* Runner of the tests without MPI: prints failures and a last line; `unit_tests SUITE` runs one
 * suite. The run fails if a check failed, if no test ran, or if a test left memory behind. */
#include "base/memory.h"
#include "unit/suites.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int n_run;
static int n_failed;
static int64_t blocks_before;

static void remember_blocks(const CU_pTest test, const CU_pSuite suite)
{
    (void)test;
    (void)suite;
    blocks_before = mem_live_blocks();
}

static void judge(const CU_pTest test, const CU_pSuite suite, const CU_pFailureRecord first)
{
    bool passed = !first;
    for (const CU_FailureRecord *record = first; record; record = record->pNext)
        fprintf(stderr, "%s.%s: %s:%u: %s\n", suite->pName, test->pName, record->strFileName,
                record->uiLineNumber, record->strCondition);
    int64_t left = mem_live_blocks() - blocks_before;
    if (left != 0) {
        fprintf(stderr, "%s.%s: %" PRId64 " blocks of memory are left\n", suite->pName, test->pName,
                left);
        passed = false;
    }
    n_run++;
    n_failed += !passed;
}

static bool register_suites(const char *only)
{
    UnitSuite suites[] = UNIT_SUITES;
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

int main(int argc, char **argv)
{
    bool passed = false;
    if (CU_initialize_registry() == CUE_SUCCESS && register_suites(argc > 1 ? argv[1] : NULL)) {
        CU_set_test_start_handler(remember_blocks);
        CU_set_test_complete_handler(judge);
        CU_run_all_tests();
        printf("%d passed, %d failed\n", n_run - n_failed, n_failed);
        passed = n_run > 0 && n_failed == 0;
    }
    CU_cleanup_registry();
    return passed ? EXIT_SUCCESS : EXIT_FAILURE;
}
