/* What the tests share; see model.h. */
#include "rank/model.h"

#include "base/fault.h"
#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>

uint64_t model_noise(int64_t a, int64_t b, int64_t c)
{
    int64_t key[3] = {a, b, c};
    return hash64(key, sizeof key);
}

int model_empty_rank(int size)
{
    return size > 2 ? size / 2 : -1;
}

int64_t model_first(int64_t n, int rank, int size)
{
    int empty = model_empty_rank(size);
    int64_t before = 0, all = 0;
    for (int r = 0; r < size; r++) {
        before += r < rank && r != empty ? 1 + r % 3 : 0;
        all += r != empty ? 1 + r % 3 : 0;
    }
    return n * before / all;
}

bool model_arm(const Comm *comm, const char *site, int rank)
{
    char fault[128];
    Error error = {0};
    if (site != NULL) {
        snprintf(fault, sizeof fault, "%s:%d:1", site, rank);
        setenv("VESPER_FAULT", fault, 1);
    } else {
        unsetenv("VESPER_FAULT");
    }
    return fault_init(comm_rank(comm), &error) == STATUS_OK;
}
