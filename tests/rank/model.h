/* What the tests share: noise, an uneven split with an empty rank in the middle, armed faults, and
 * checks that say what went wrong. */
#ifndef VESPER_TESTS_RANK_MODEL_H
#define VESPER_TESTS_RANK_MODEL_H

#include "comm/comm.h"

/* A number that depends on its arguments alone. */
uint64_t model_noise(int64_t a, int64_t b, int64_t c);

/* The rank that has nothing, in the middle; -1 when there are too few ranks. */
int model_empty_rank(int size);
/* First of n that a rank has: uneven runs, nothing for the rank in the middle. */
int64_t model_first(int64_t n, int rank, int size);

/* The next visit of `site` on the rank fails; NULL: of none. Local, for all ranks to call. */
bool model_arm(const Comm *comm, const char *site, int rank);

/* With `Error error` at hand. */
#define CHECK_OK(call)                                                                             \
    do {                                                                                           \
        Status got = (call);                                                                       \
        CU_ASSERT_EQUAL(got, STATUS_OK);                                                           \
        if (got != STATUS_OK)                                                                      \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, error.message);                     \
    } while (0)

#define CHECK_SAYS(text)                                                                           \
    do {                                                                                           \
        CU_ASSERT_PTR_NOT_NULL(strstr(error.message, text));                                       \
        if (!strstr(error.message, text))                                                          \
            fprintf(stderr, "%s:%d: no '%s' in: %s\n", __FILE__, __LINE__, text, error.message);   \
    } while (0)

#endif
