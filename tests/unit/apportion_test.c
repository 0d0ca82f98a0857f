/* Whole numbers for rows, against sorting all claims; every value rounded down or up, every column
 * as it must add up. */
#include "kernel/apportion.h"

#include "base/memory.h"
#include "base/random.h"
#include "unit/suites.h"

#include <stdlib.h>
#include <string.h>

enum { WIDTH = 9, SHIFT = 20, UNIT = 1 << SHIFT };

typedef enum Kind { DRAWN, SMALL, EQUAL, WHOLE, HALVES, KINDS } Kind;

static int64_t draw(Random *random, Kind kind)
{
    switch (kind) {
    case DRAWN:
        return random_below(random, 5 * UNIT);
    case SMALL:
        return random_below(random, UNIT / 20);
    case EQUAL:
        return UNIT / 7;
    case WHOLE:
        return random_below(random, 4) * UNIT;
    default:
        return random_below(random, 3) * (UNIT / 2);
    }
}

/* The row with a fraction to which most is owed, that has not got its unit yet. */
static int64_t first_claim(const int64_t *values, const int64_t *owed, const bool *has_got,
                           int64_t n)
{
    int64_t best = -1;
    for (int64_t i = 0; i < n; i++) {
        if (values[i * WIDTH] % UNIT == 0 || has_got[i])
            continue;
        if (best < 0 || owed[i] > owed[best])
            best = i;
    }
    return best;
}

static void check(int64_t n, Kind kind, bool round_up)
{
    Random random = random_stream((uint64_t)kind, (uint64_t)n);
    int64_t *values = mem_new(n * WIDTH, sizeof *values);
    int64_t *units = mem_new(n * WIDTH, sizeof *units);
    int64_t *owed = mem_new(n, sizeof *owed), *places = mem_new(n, sizeof *places);
    int64_t totals[WIDTH] = {0};
    ApportionRow *rows = mem_new(n, sizeof *rows);
    for (int64_t k = 0; k < n * WIDTH; k++) {
        values[k] = units[k] = draw(&random, kind);
        totals[k % WIDTH] += values[k];
    }
    for (int t = 0; t < WIDTH; t++)
        totals[t] = (totals[t] + (round_up ? UNIT - 1 : 0)) >> SHIFT;
    for (int64_t i = 0; i < n; i++)
        rows[i].values = units + i * WIDTH;
    apportion(rows, n, WIDTH, SHIFT, totals, places);
    for (int t = 0; t < WIDTH; t++) {
        bool *has_got = mem_new(n, sizeof *has_got);
        int64_t left = totals[t];
        for (int64_t i = 0; i < n; i++) {
            owed[i] += values[i * WIDTH + t] % UNIT;
            left -= values[i * WIDTH + t] / UNIT;
        }
        for (; left > 0; left--) {
            int64_t row = first_claim(values + t, owed, has_got, n);
            has_got[row] = true;
            owed[row] -= UNIT;
        }
        for (int64_t i = 0; i < n; i++)
            CU_ASSERT_EQUAL(units[i * WIDTH + t], values[i * WIDTH + t] / UNIT + has_got[i]);
        mem_free(&has_got);
    }
    for (int64_t i = 0; i < n; i++)
        CU_ASSERT_EQUAL(rows[i].owed, owed[i]);
    mem_free(&values);
    mem_free(&units);
    mem_free(&owed);
    mem_free(&places);
    mem_free(&rows);
}

static void test_apportion(void)
{
    static const int64_t sizes[] = {0, 1, 2, 3, 4, 7, 64, 300};
    for (int s = 0; s < 8; s++)
        for (int kind = 0; kind < KINDS; kind++) {
            check(sizes[s], (Kind)kind, false);
            check(sizes[s], (Kind)kind, true);
        }
}

/* Without binary places everything is whole already. */
static void test_no_fractions(void)
{
    int64_t values[2][2] = {{3, 0}, {1, 7}}, totals[2] = {4, 7}, places[2];
    ApportionRow rows[2] = {{values[0], 0}, {values[1], 0}};
    apportion(rows, 2, 2, 0, totals, places);
    CU_ASSERT(values[0][0] == 3 && values[0][1] == 0 && values[1][0] == 1 && values[1][1] == 7);
}

CU_TestInfo apportion_tests[] = {
    {"against all claims", test_apportion}, {"no fractions", test_no_fractions}, CU_TEST_INFO_NULL};
