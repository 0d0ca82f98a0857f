/* Narrow: the type fits the range, and there and back changes nothing. */
#include "table/narrow.h"
#include "unit/suites.h"

#include <string.h>

static void test_type_fits_range(void)
{
    CU_ASSERT_EQUAL(narrow_type(INT64_MAX, INT64_MIN), COLUMN_I8);
    CU_ASSERT_EQUAL(narrow_type(-128, 127), COLUMN_I8);
    CU_ASSERT_EQUAL(narrow_type(-129, 0), COLUMN_I16);
    CU_ASSERT_EQUAL(narrow_type(0, 128), COLUMN_I16);
    CU_ASSERT_EQUAL(narrow_type(INT16_MIN, INT16_MAX), COLUMN_I16);
    CU_ASSERT_EQUAL(narrow_type(0, INT16_MAX + 1), COLUMN_I32);
    CU_ASSERT_EQUAL(narrow_type(INT32_MIN, INT32_MAX), COLUMN_I32);
    CU_ASSERT_EQUAL(narrow_type(0, (int64_t)INT32_MAX + 1), COLUMN_I64);
    CU_ASSERT_EQUAL(narrow_type(INT64_MIN, 0), COLUMN_I64);
}

static void check_round_trip(ColumnType narrow, ColumnType wide, int64_t n)
{
    static int64_t wide_values[1500], narrow_values[1500], back[1500];
    int shift = 64 - 8 * (int)column_width(narrow);
    for (int64_t i = 0; i < n; i++) {
        int64_t value = (int64_t)((uint64_t)i * 0x9E3779B97F4A7C15U) >> shift;
        narrow_convert(COLUMN_I64, &value, wide,
                       (char *)wide_values + i * (int64_t)column_width(wide), 1);
    }
    memset(back, 0x55, sizeof back);
    int64_t min = INT64_MAX, max = INT64_MIN;
    narrow_range(wide, wide_values, n, &min, &max);
    CU_ASSERT_TRUE(n == 0 ? min > max : narrow_type(min, max) <= narrow);
    narrow_convert(wide, wide_values, narrow, narrow_values, n);
    narrow_convert(narrow, narrow_values, wide, back, n);
    CU_ASSERT_EQUAL(memcmp(wide_values, back, (size_t)n * column_width(wide)), 0);
}

static void test_there_and_back(void)
{
    static const ColumnType types[] = {COLUMN_I8, COLUMN_I16, COLUMN_I32, COLUMN_I64};
    static const int64_t counts[] = {0, 1, 511, 512, 513, 1500};
    for (int narrow = 0; narrow < 4; narrow++)
        for (int wide = narrow; wide < 4; wide++)
            for (int i = 0; i < 6; i++)
                check_round_trip(types[narrow], types[wide], counts[i]);
}

CU_TestInfo narrow_tests[] = {{"type fits range", test_type_fits_range},
                              {"there and back", test_there_and_back},
                              CU_TEST_INFO_NULL};
