/* Selection, against sorting all and going down the ranking. */
#include "kernel/select.h"

#include "base/memory.h"
#include "base/random.h"
#include "unit/suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBERS = 700, LONGEST = 100 };

typedef enum Kind { DRAWN, TIES, RISING, FALLING, EQUAL, WITHOUT_SOME, NONE, N_KINDS } Kind;

static float draw_score(Random *random, Kind kind, int32_t number)
{
    switch (kind) {
    case DRAWN:
        return (float)random_normal(random);
    case TIES:
        return (float)random_below(random, 5) - 2;
    case RISING:
        return (float)(number / 3);
    case FALLING:
        return (float)(-number / 3);
    case EQUAL:
        return 0.25f;
    case WITHOUT_SOME: {
        static const float odd[] = {NAN, -INFINITY, INFINITY, -0.0f, 0.0f, 1, -1e30f};
        return odd[random_below(random, 7)];
    }
    default:
        return number % 2 ? NAN : -INFINITY;
    }
}

typedef struct Ranked {
    float score;
    int32_t number;
} Ranked;

static int compare_ranked(const void *left, const void *right)
{
    const Ranked *a = left, *b = right;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return a->number < b->number ? -1 : 1;
}

/* The list by definition. */
static void choose(const float *scores, int32_t n, const SelectRules *rules, const SelectList *list)
{
    Ranked ranked[NUMBERS];
    int members[NUMBERS] = {0};
    int32_t count = 0;
    for (int32_t i = 0; i < n; i++) {
        if (!isnan(scores[i]) && scores[i] != -INFINITY)
            ranked[count++] = (Ranked){scores[i], i};
    }
    qsort(ranked, (size_t)count, sizeof *ranked, compare_ranked);
    int length = 0;
    for (int32_t k = 0; k < count && length < list->n; k++) {
        int32_t number = ranked[k].number;
        int32_t group = rules->group ? rules->group[number] : -1;
        if (rules->is_allowed && !rules->is_allowed[number])
            continue;
        if (group >= 0 && members[group]++ >= rules->most_per_group)
            continue;
        list->numbers[length] = number;
        list->scores[length++] = ranked[k].score;
    }
    for (; length < list->n; length++) {
        list->numbers[length] = -1;
        list->scores[length] = -INFINITY;
    }
}

/* In runs of `run` numbers, each in a block of its own, so that reading past it would be seen. */
static void merge_in_runs(const float *scores, int32_t n, int32_t run, const SelectRules *rules,
                          SelectGroup *groups, const SelectList *list)
{
    select_clear(list);
    for (int32_t at = 0; at < n; at += run) {
        int32_t length = n - at < run ? n - at : run;
        float *copy = mem_new(length, sizeof *copy);
        memcpy(copy, scores + at, (size_t)length * sizeof *copy);
        select_merge(list, rules, copy, at, length, groups);
        mem_free(&copy);
    }
}

static void check(const float *scores, int32_t n, int length, const SelectRules *rules,
                  SelectGroup *groups)
{
    static const int32_t runs[] = {1, 31, 32, 97, NUMBERS};
    static const SelectGroup no_members[NUMBERS];
    int32_t numbers[LONGEST], expected_numbers[LONGEST];
    float values[LONGEST], expected_values[LONGEST];
    SelectList list = {length, numbers, values};
    SelectList expected = {length, expected_numbers, expected_values};
    choose(scores, n, rules, &expected);
    for (size_t r = 0; r < sizeof runs / sizeof *runs; r++) {
        merge_in_runs(scores, n, runs[r], rules, groups, &list);
        bool equal = true;
        for (int k = 0; k < length; k++)
            equal = equal && numbers[k] == expected_numbers[k] && values[k] == expected_values[k];
        CU_ASSERT(equal);
        CU_ASSERT_EQUAL(memcmp(groups, no_members, sizeof no_members), 0);
    }
}

static const int lengths[] = {1, 2, 20, 33, LONGEST};
static const int32_t counts[] = {0, 1, 31, 32, 33, NUMBERS};
enum { N_LENGTHS = 5, N_COUNTS = 6 };

static void check_shapes(const SelectRules *rules)
{
    Random random = random_stream(4, 1);
    float scores[NUMBERS];
    SelectGroup groups[NUMBERS] = {0};
    for (Kind kind = 0; kind < N_KINDS; kind++) {
        for (int32_t i = 0; i < NUMBERS; i++)
            scores[i] = draw_score(&random, kind, i);
        for (int l = 0; l < N_LENGTHS; l++) {
            for (int c = 0; c < N_COUNTS; c++)
                check(scores, counts[c], lengths[l], rules, groups);
        }
    }
}

static void test_all(void)
{
    check_shapes(&(SelectRules){0});
}

static void test_allowed(void)
{
    bool is_allowed[NUMBERS];
    for (int32_t i = 0; i < NUMBERS; i++)
        is_allowed[i] = i % 3 == 1;
    check_shapes(&(SelectRules){.is_allowed = is_allowed});
    memset(is_allowed, 0, sizeof is_allowed);
    check_shapes(&(SelectRules){.is_allowed = is_allowed});
}

/* Few groups leave places free, many do not; some numbers are in none. */
static void test_groups(void)
{
    Random random = random_stream(5, 1);
    bool is_allowed[NUMBERS];
    int32_t group[NUMBERS];
    static const int64_t n_groups[] = {1, 4, 60};
    static const int most[] = {1, 2, 7};
    for (int k = 0; k < 9; k++) {
        bool all_grouped = k % 2 == 0;
        for (int32_t i = 0; i < NUMBERS; i++) {
            group[i] = (int32_t)random_below(&random, n_groups[k / 3] + (all_grouped ? 0 : 1));
            group[i] = group[i] == n_groups[k / 3] ? -1 : group[i];
            is_allowed[i] = random_below(&random, 4) > 0;
        }
        check_shapes(&(SelectRules){.group = group, .most_per_group = most[k % 3]});
        check_shapes(&(SelectRules){
            .is_allowed = is_allowed, .group = group, .most_per_group = most[k % 3]});
    }
}

CU_TestInfo select_tests[] = {{"best of all", test_all},
                              {"best of the allowed", test_allowed},
                              {"best with a limit on groups", test_groups},
                              CU_TEST_INFO_NULL};
