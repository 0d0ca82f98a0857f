/* Quantiles of random values against sorting them: few and many groups, ties, groups of one value
 * and of most of them, groups and values anywhere. */
#include "sales/quantiles.h"

#include "base/memory.h"
#include "base/random.h"
#include "rank/suites.h"

#include <stdlib.h>
#include <string.h>

#define PIECE ((int64_t)1 << 30)

typedef struct QuantileShape {
    int64_t groups;
    int64_t empty_groups; /* more, without values, after them */
    int64_t values;
    int64_t width;     /* values are -width to width */
    uint64_t key_step; /* between keys */
    int64_t giant;     /* of a hundred values, so many are of group 0 */
    bool one_owner;    /* the last rank has all groups, else all ranks but the middle one */
    bool one_holder;   /* the first rank has all values */
    int64_t piece;     /* of messages; 0: as they are */
} QuantileShape;

static const int percents[] = {0, 1, 33, 50, 95, 100};
enum { PERCENTS = sizeof percents / sizeof *percents };

/* All values, by group as drawn: every rank knows all of them. */
typedef struct AllValues {
    int64_t *group; /* [values] */
    int64_t *value; /* [values] */
} AllValues;

static AllValues draw_values(const QuantileShape *shape)
{
    AllValues all = {mem_new(shape->values, sizeof *all.group),
                     mem_new(shape->values, sizeof *all.value)};
    Random random = random_stream(31, (uint64_t)shape->groups + (uint64_t)shape->width);
    for (int64_t i = 0; i < shape->values; i++) {
        bool is_giant = random_below(&random, 100) < shape->giant;
        all.group[i] = is_giant ? 0 : random_below(&random, shape->groups);
        int64_t sign = random_below(&random, 2) == 0 ? 1 : -1;
        all.value[i] = sign * random_below(&random, shape->width);
    }
    return all;
}

static uint64_t key_of(const QuantileShape *shape, int64_t group)
{
    return 5 + (uint64_t)group * shape->key_step;
}

static Status own_values(const QuantileShape *shape, const AllValues *all, KeyedValues *own,
                         Error *error)
{
    Status status = STATUS_OK;
    int rank = comm_rank(rank_comm()), size = comm_size(rank_comm());
    Random random = random_stream(32, 0);
    for (int64_t i = 0; i < shape->values; i++) {
        int64_t holder = shape->one_holder ? 0 : random_below(&random, size);
        if (holder != rank)
            continue;
        TRY(keyed_values_reserve(own, 1, error));
        own->keys[own->n] = key_of(shape, all->group[i]);
        own->values[own->n++] = all->value[i];
    }
out:
    return status;
}

/* First group of a rank, or of those after the last: the middle one of three or more has none. */
static int64_t first_group(const QuantileShape *shape, int rank)
{
    int size = comm_size(rank_comm());
    int64_t n = shape->groups + shape->empty_groups;
    if (shape->one_owner)
        return rank < size ? 0 : n;
    if (size <= 2)
        return n * rank / size;
    return n * (rank > size / 2 ? rank - 1 : rank) / (size - 1);
}

static int compare_i64(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* expected [PERCENTS] of one group. */
static void sort_and_pick(const AllValues *all, const int64_t *order, int64_t begin, int64_t end,
                          int64_t *expected)
{
    int64_t n = end - begin;
    int64_t *values = mem_new(n, sizeof *values);
    for (int64_t i = 0; i < n; i++)
        values[i] = all->value[order[begin + i]];
    qsort(values, (size_t)n, sizeof *values, compare_i64);
    for (int p = 0; p < PERCENTS; p++) {
        int64_t place = 1;
        while (place * 100 < percents[p] * n)
            place++;
        expected[p] = n == 0 ? MONEY_NONE : values[place - 1];
    }
    mem_free(&values);
}

/* Differences between the quantiles of groups [first, first + n) and those of sorting. */
static int64_t count_wrong(const QuantileShape *shape, const AllValues *all, int64_t first,
                           int64_t n, int64_t *const *quantiles)
{
    Error error = {0};
    int64_t wrong = 0, n_groups = shape->groups + shape->empty_groups;
    int32_t *group = mem_new(shape->values, sizeof *group);
    int64_t *order = mem_new(shape->values, sizeof *order);
    int64_t *starts = mem_new(n_groups + 1, sizeof *starts);
    for (int64_t i = 0; i < shape->values; i++)
        group[i] = (int32_t)all->group[i];
    Status status = sort_order_by_group(group, shape->values, n_groups, order, starts, &error);
    wrong += status != STATUS_OK;
    for (int64_t g = 0; g < n; g++) {
        int64_t expected[PERCENTS];
        sort_and_pick(all, order, starts[first + g], starts[first + g + 1], expected);
        for (int p = 0; p < PERCENTS; p++)
            wrong += quantiles[p][g] != expected[p];
    }
    mem_free(&group);
    mem_free(&order);
    mem_free(&starts);
    return wrong;
}

static void check_quantiles(const QuantileShape *shape)
{
    Comm *comm = rank_comm();
    Error error = {0};
    KeyedValues own = {0};
    int64_t *quantiles[PERCENTS];
    AllValues all = draw_values(shape);
    int rank = comm_rank(comm);
    int64_t first = first_group(shape, rank);
    int64_t n = first_group(shape, rank + 1) - first;
    uint64_t *keys = mem_new(n, sizeof *keys);
    for (int64_t g = 0; g < n; g++)
        keys[g] = key_of(shape, first + g);
    for (int p = 0; p < PERCENTS; p++)
        quantiles[p] = mem_new(n, sizeof *quantiles[p]);
    Status status = comm_agree(comm, own_values(shape, &all, &own, &error), &error);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    if (shape->piece > 0)
        comm_set_piece(comm, shape->piece);
    if (status == STATUS_OK)
        status = quantiles_by_key(comm, &own, keys, n, percents, PERCENTS, quantiles, &error);
    comm_set_piece(comm, PIECE);
    CU_ASSERT_EQUAL(status, STATUS_OK);
    CU_ASSERT_EQUAL(own.n, 0);
    CU_ASSERT_PTR_NULL(own.values);
    CU_ASSERT_EQUAL(count_wrong(shape, &all, first, n, quantiles), 0);
    for (int p = 0; p < PERCENTS; p++)
        mem_free(&quantiles[p]);
    keyed_values_free(&own);
    mem_free(&keys);
    mem_free(&all.group);
    mem_free(&all.value);
}

static void check_everywhere(QuantileShape shape)
{
    for (int i = 0; i < 4; i++) {
        shape.one_owner = i % 2 == 1;
        shape.one_holder = i / 2 == 1;
        check_quantiles(&shape);
    }
}

static void test_no_values(void)
{
    check_everywhere((QuantileShape){.groups = 0});
    check_everywhere((QuantileShape){.groups = 1, .key_step = 1});
    check_everywhere((QuantileShape){.groups = 9000, .key_step = 1});
}

static void test_few_groups(void)
{
    check_everywhere((QuantileShape){.groups = 1, .values = 1, .width = 9, .key_step = 1});
    check_everywhere((QuantileShape){.groups = 3, .values = 9, .width = 2, .key_step = 1});
    check_everywhere((QuantileShape){.groups = 25, .values = 9000, .width = 3, .key_step = 1});
    check_everywhere((QuantileShape){.groups = 25, .values = 9000, .width = 90000, .key_step = 77});
}

/* Too many to search for, and some without values. */
static void test_many_groups(void)
{
    check_everywhere((QuantileShape){.groups = 9000, .values = 9000, .width = 4, .key_step = 3});
    check_everywhere(
        (QuantileShape){.groups = 6000, .values = 30000, .width = 99999, .key_step = 1});
}

/* One has nearly all values: more than a rank's share, so it lies on several. */
static void test_one_giant_group(void)
{
    check_everywhere(
        (QuantileShape){.groups = 300, .values = 20000, .width = 500, .key_step = 1, .giant = 95});
    check_everywhere(
        (QuantileShape){.groups = 7000, .values = 20000, .width = 500, .key_step = 1, .giant = 95});
    check_everywhere((QuantileShape){.groups = 1,
                                     .empty_groups = 9000,
                                     .values = 5000,
                                     .width = 2,
                                     .key_step = 1,
                                     .giant = 100});
}

/* Key and value do not fit one word together. */
static void test_values_of_all_sizes(void)
{
    QuantileShape wide = {
        .groups = 30, .values = 3000, .width = INT64_MAX, .key_step = UINT64_C(1) << 57};
    check_everywhere(wide);
    wide.groups = 1;
    check_everywhere(wide);
    wide.groups = 9000;
    wide.values = 12000;
    wide.key_step = UINT64_C(1) << 49;
    check_everywhere(wide);
}

/* The same values, searched for and sorted. */
static void test_both_ways_agree(void)
{
    QuantileShape shape = {.groups = 40, .values = 8000, .width = 1000, .key_step = 9};
    check_everywhere(shape);
    shape.empty_groups = 9000;
    check_everywhere(shape);
}

static void test_small_messages(void)
{
    check_everywhere(
        (QuantileShape){.groups = 20, .values = 900, .width = 40, .key_step = 1, .piece = 7});
    check_everywhere(
        (QuantileShape){.groups = 5000, .values = 900, .width = 40, .key_step = 1, .piece = 999});
}

static void test_quantiles_of_all(void)
{
    static const int64_t sizes[] = {0, 1, 2, 40, 5000};
    Comm *comm = rank_comm();
    Error error = {0};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        QuantileShape shape = {.groups = 1, .values = sizes[s], .width = 60, .key_step = 1};
        KeyedValues own = {0};
        AllValues all = draw_values(&shape);
        int64_t quantiles[PERCENTS], expected[PERCENTS];
        int64_t *order = mem_new(shape.values, sizeof *order);
        for (int64_t i = 0; i < shape.values; i++)
            order[i] = i;
        sort_and_pick(&all, order, 0, shape.values, expected);
        Status status = comm_agree(comm, own_values(&shape, &all, &own, &error), &error);
        if (status == STATUS_OK)
            status =
                quantiles_of_all(comm, own.values, own.n, percents, PERCENTS, quantiles, &error);
        CU_ASSERT_EQUAL(status, STATUS_OK);
        if (status == STATUS_OK)
            CU_ASSERT_EQUAL(memcmp(quantiles, expected, sizeof expected), 0);
        keyed_values_free(&own);
        mem_free(&order);
        mem_free(&all.group);
        mem_free(&all.value);
    }
}

CU_TestInfo quantiles_tests[] = {
    {"no values", test_no_values},
    {"few groups", test_few_groups},
    {"many groups", test_many_groups},
    {"one giant group", test_one_giant_group},
    {"values of all sizes", test_values_of_all_sizes},
    {"both ways agree", test_both_ways_agree},
    {"small messages", test_small_messages},
    {"quantiles of all", test_quantiles_of_all},
    CU_TEST_INFO_NULL,
};
