/* StringMap, against a linear search and by its own promises. */
#include "table/string_map.h"

#include "base/memory.h"
#include "base/random.h"
#include "unit/suites.h"

#include <stdio.h>
#include <string.h>

static Bytes numbered(int64_t i, char text[32])
{
    return (Bytes){text, snprintf(text, 32, "%s%lld", i % 3 == 0 ? "customer-" : "", (long long)i)};
}

static void test_empty_map(void)
{
    StringMap map = {0};
    int32_t *order = NULL;
    Error error = {0};
    CU_ASSERT_EQUAL(string_map_find(&map, bytes_of("a")), -1);
    CU_ASSERT_EQUAL(string_map_sorted(&map, &order, &error), STATUS_OK);
    mem_free(&order);
    string_map_free(&map);
    string_map_free(&map);
}

static void test_codes_follow_first_appearance(void)
{
    StringMap map = {0};
    Error error = {0};
    int32_t code = -1;
    static const char *const words[] = {"b", "", "a", "b", "a\tc", "", "a", "B"};
    static const int32_t codes[] = {0, 1, 2, 0, 3, 1, 2, 4};
    for (int i = 0; i < 8; i++) {
        CU_ASSERT_EQUAL(string_map_add(&map, bytes_of(words[i]), &code, &error), STATUS_OK);
        CU_ASSERT_EQUAL(code, codes[i]);
    }
    CU_ASSERT_EQUAL(map.count, 5);
    CU_ASSERT_EQUAL(string_map_find(&map, bytes_of("a\tc")), 3);
    CU_ASSERT_EQUAL(string_map_find(&map, bytes_of("c")), -1);
    CU_ASSERT_TRUE(bytes_equal(string_map_text(&map, 3), bytes_of("a\tc")));
    CU_ASSERT_EQUAL(string_map_text(&map, 1).size, 0);
    string_map_free(&map);
}

/* The map grows through several sizes, and every string keeps its code. */
static void test_many_strings(void)
{
    enum { N = 30000 };
    StringMap map = {0};
    Error error = {0};
    char text[32];
    int64_t wrong = 0;
    for (int64_t i = 0; i < N; i++) {
        int32_t code = -1;
        wrong += string_map_add(&map, numbered(i, text), &code, &error) != STATUS_OK;
        wrong += code != i;
        wrong += string_map_add(&map, numbered(i / 2, text), &code, &error) != STATUS_OK;
        wrong += code != i / 2;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(map.count, N);
    for (int64_t i = 0; i < N; i++) {
        wrong += string_map_find(&map, numbered(i, text)) != i;
        wrong += !bytes_equal(string_map_text(&map, (int32_t)i), numbered(i, text));
        wrong += string_map_find(&map, numbered(N + i, text)) != -1;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    string_map_free(&map);
}

static void test_sorted_order(void)
{
    enum { N = 5000 };
    StringMap map = {0};
    Error error = {0};
    Random random = random_stream(6, 1);
    for (int i = 0; i < N; i++) {
        char text[32];
        int32_t code;
        CU_ASSERT_EQUAL(
            string_map_add(&map, numbered(random_below(&random, 3 * N), text), &code, &error),
            STATUS_OK);
    }
    int32_t *order = NULL;
    char *seen = mem_new(map.count, 1);
    CU_ASSERT_EQUAL(string_map_sorted(&map, &order, &error), STATUS_OK);
    int64_t wrong = 0;
    for (int32_t i = 0; i < map.count; i++) {
        wrong += order[i] < 0 || order[i] >= map.count || seen[order[i]]++;
        wrong += i > 0 && bytes_compare(string_map_text(&map, order[i - 1]),
                                        string_map_text(&map, order[i])) >= 0;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    mem_free(&seen);
    mem_free(&order);
    string_map_free(&map);
}

CU_TestInfo string_map_tests[] = {
    {"empty map", test_empty_map},
    {"codes follow first appearance", test_codes_follow_first_appearance},
    {"many strings", test_many_strings},
    {"sorted order", test_sorted_order},
    CU_TEST_INFO_NULL,
};
