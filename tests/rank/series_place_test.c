/* Whole blocks of series on ranks by what they cost (series_place.h): nothing is lost on the way.
 */
#include "forecast/series_place.h"

#include "base/memory.h"
#include "rank/model.h"
#include "rank/suites.h"

#include <stdio.h>

enum { PLACED = 64 * 30 + 17, PLACED_AHEAD = 3 };

static int32_t length_of(int64_t number)
{
    return number % 7 == 3 ? 0 : (int32_t)(number / 20) + 1;
}

/* Series [first, end) of PLACED, all arrays filled with numbers of their own. */
static Status make_placed(int64_t first, int64_t end, SeriesSet *set, Error *error)
{
    SeriesWriter writer = {0};
    static const ColumnSpec column = {"product", COLUMN_I32, UNIT_CODE};
    Status status;
    int32_t *codes;
    *set = (SeriesSet){.calendar = {.ahead = PLACED_AHEAD}, .n = end - first, .has_returned = true};
    table_init(&set->keys, &column, 1);
    TRY(table_set_rows(&set->keys, set->n, error));
    set->begin = mem_new(set->n + 1, sizeof *set->begin);
    set->start = mem_new(set->n, sizeof *set->start);
    for (int64_t i = 0; i < set->n; i++) {
        ((int32_t *)set->keys.columns[0].data)[i] = (int32_t)(first + i) * 3;
        set->start[i] = (int32_t)(first + i) - 500;
        set->begin[i + 1] = set->begin[i] + length_of(first + i);
    }
    series_add_dynamic(set, "known");
    TRY(series_spool_open(rank_comm(), &(SpoolPlace){.folder = "/tmp"}, &set->spool, error));
    TRY(series_add_static(set, "kind", 5, &codes, error));
    for (int64_t i = 0; i < set->n; i++) {
        int32_t length = length_of(first + i);
        double *record;
        codes[i] = (int32_t)((first + i) % 5);
        TRY(series_writer_next(&writer, set, i, &record, error));
        for (int32_t t = 0; t < length + PLACED_AHEAD; t++) {
            record[2 * length + t] = (double)((first + i) * 2000 + t);
            if (t < length) {
                record[t] = (double)((first + i) * 1000 + t);
                record[length + t] = -(double)((first + i) * 1000 + t);
            }
        }
    }
    TRY(series_writer_flush(&writer, set, error));
out:
    series_writer_free(&writer);
    return status;
}

/* Mistakes in series i of the set. */
static int64_t check_placed(const SeriesSet *set, int64_t i)
{
    int64_t number = set->first + i, wrong = 0;
    Error error;
    if (series_load(set, i, &error) != STATUS_OK)
        return 1;
    wrong += ((int32_t *)set->keys.columns[0].data)[i] != number * 3;
    wrong += set->start[i] != number - 500 || series_length(set, i) != length_of(number);
    wrong += set->statics[0][i] != number % 5;
    for (int32_t t = 0; t < length_of(number) + PLACED_AHEAD && wrong == 0; t++) {
        wrong += series_dynamic(set, i, 0)[t] != (double)(number * 2000 + t);
        if (t < length_of(number)) {
            wrong += series_values(set, i)[t] != (double)(number * 1000 + t);
            wrong += series_returned(set, i)[t] != -(double)(number * 1000 + t);
        }
    }
    return wrong;
}

static int64_t cost_of_series(int64_t number)
{
    int64_t n = length_of(number);
    return 5 + 2 * n * n;
}

/* Place [first, end) of this rank; twice, which changes nothing more. */
static void expect_placed(int64_t first, int64_t end)
{
    static const SeriesCost cost = {{5, 0, 2, 0}};
    Comm *comm = rank_comm();
    Error error = {0};
    SeriesSet set;
    CHECK_OK(make_placed(first, end, &set, &error));
    for (int round = 0; round < 2; round++) {
        int64_t wrong = 0, own = 0, all = 0, most = 0, before = set.n;
        CHECK_OK(series_place(comm, &set, &cost, &error));
        for (int64_t i = 0; i < set.n; i++) {
            wrong += check_placed(&set, i);
            own += cost_of_series(set.first + i);
        }
        for (int64_t b = 0; b < PLACED; b += SERIES_BLOCK) {
            int64_t block = 0;
            for (int64_t i = b; i < PLACED && i < b + SERIES_BLOCK; i++)
                block += cost_of_series(i);
            all += block;
            most = block > most ? block : most;
        }
        CU_ASSERT_EQUAL(wrong, 0);
        CU_ASSERT_EQUAL(set.total, PLACED);
        CU_ASSERT(set.n == 0 || set.first % SERIES_BLOCK == 0);
        CU_ASSERT(own <= all / comm_size(comm) + most);
        CU_ASSERT(own + most >= all / comm_size(comm));
        CU_ASSERT(round == 0 || set.n == before);
    }
    series_set_free(&set);
}

static void test_placing(void)
{
    int rank = comm_rank(rank_comm()), size = comm_size(rank_comm());
    expect_placed(model_first(PLACED, rank, size), model_first(PLACED, rank + 1, size));
    expect_placed(0, rank == 0 ? PLACED : 0); /* all on one rank */
    expect_placed(rank == size - 1 ? 0 : PLACED, PLACED);
}

CU_TestInfo series_place_tests[] = {
    {"placing", test_placing},
    CU_TEST_INFO_NULL,
};
