/* The record of nights as files, what a store's folders hold, and old results that go. Rank 0 alone
 * writes and looks; opening and closing are of all ranks. */
#include "store/nights.h"

#include "base/memory.h"
#include "rank/store_fixture.h"
#include "rank/suites.h"
#include "store/files.h"
#include "store/results.h"
#include "store/survey.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static Status record(const Store *store, int64_t generation, NightDecision decision,
                     const char *target, Error *error)
{
    Night night = {.decision = decision, .generation = generation};
    (void)snprintf(night.run, sizeof night.run, "%06d-run", (int)generation);
    night_set_text(&night.target, target);
    Status status = night_record(store, &night, error);
    night_free(&night);
    return status;
}

/* ---- what is written is read ---- */

static void fill_night(Night *night)
{
    *night = (Night){.decision = NIGHT_FORCED,
                     .run = "000007-1a2b-3c4d",
                     .generation = 7,
                     .as_of = "2024-02-29",
                     .days = 366,
                     .seconds = 12.5,
                     .ranks = 4,
                     .rows = {.read = 1000, .rejected = 3},
                     .n_parts = 2,
                     .parts = {{"sales", "000007-1a2b", false}, {"recommend", "", true}},
                     .n_measures = 2,
                     .measures = {{"a", 10, 0.25, NAN}, {"b", 0, NAN, 0.5}}};
    night_set_text(&night->target, "sqlite:\"odd\\name\".db");
    night_set_text(&night->reason, "caf\xc3\xa9 \xff");
    night_add_table(night, "sales_daily", INT64_C(5000000000), 0);
    night_add_table(night, "rec_user", 0, 1);
    night_add_failed(night, "table rec_user is empty");
}

static void check_night(const Night *read, const Night *written)
{
    CU_ASSERT_EQUAL(read->number, 1);
    CU_ASSERT_EQUAL(read->decision, NIGHT_FORCED);
    CU_ASSERT_STRING_EQUAL(read->run, written->run);
    CU_ASSERT_STRING_EQUAL(read->as_of, written->as_of);
    CU_ASSERT_EQUAL(read->days, 366);
    CU_ASSERT_STRING_EQUAL(read->target, written->target);
    CU_ASSERT_STRING_EQUAL(read->reason, "caf?? ?"); /* not UTF-8, so none of it is taken as such */
    CU_ASSERT_EQUAL(read->rows.rejected, 3);
    CU_ASSERT_EQUAL(read->n_parts, 2);
    CU_ASSERT(read->parts[1].is_left_out && !read->parts[0].is_left_out);
    CU_ASSERT_EQUAL(night_table(read, "sales_daily")->rows, INT64_C(5000000000));
    CU_ASSERT_EQUAL(night_table(read, "rec_user")->part, 1);
    CU_ASSERT(night_measure(read, "a")->value == 0.25 && isnan(night_measure(read, "a")->rival));
    CU_ASSERT(isnan(night_measure(read, "b")->value));
    CU_ASSERT_PTR_NULL(night_measure(read, "c"));
    CU_ASSERT_EQUAL(read->n_failed, 1);
    CU_ASSERT_STRING_EQUAL(read->failed[0].text, "table rec_user is empty");
}

static void test_round_trip(void)
{
    Error error = {0};
    NightList list = {0};
    Night night;
    Store *store = store_fixture_open_empty();
    fill_night(&night);
    if (store_fixture_is_root()) {
        CHECK_OK(nights_list(store, 0, &list, &error));
        CU_ASSERT_EQUAL(list.n, 0);
        CHECK_OK(night_record(store, &night, &error));
        CHECK_OK(nights_list(store, 0, &list, &error));
        CU_ASSERT_EQUAL(list.n, 1);
        if (list.n == 1)
            check_night(&list.nights[0], &night);
    }
    nights_free(&list);
    night_free(&night);
    store_fixture_close(&store);
}

/* Beyond NIGHTS_KEPT the oldest go, but for the last accepted one of a target. */
static void test_old_records_go(void)
{
    Error error = {0};
    NightList list = {0};
    Store *store = store_fixture_open_empty();
    if (store_fixture_is_root()) {
        CHECK_OK(record(store, 1, NIGHT_ACCEPTED, "a", &error));
        CHECK_OK(record(store, 2, NIGHT_ACCEPTED, "b", &error));
        CHECK_OK(record(store, 3, NIGHT_ACCEPTED, "b", &error));
        for (int i = 4; i <= NIGHTS_KEPT + 10; i++)
            CHECK_OK(record(store, i, NIGHT_REFUSED, "a", &error));
        CHECK_OK(nights_list(store, 0, &list, &error));
        CU_ASSERT_EQUAL(list.n, NIGHTS_KEPT + 2);
        CU_ASSERT_EQUAL(list.nights[0].number, NIGHTS_KEPT + 10);
        CU_ASSERT_EQUAL(nights_in_force(&list, "a")->generation, 1);
        CU_ASSERT_EQUAL(nights_in_force(&list, "b")->generation, 3);
        nights_free(&list);
        CHECK_OK(nights_list(store, 5, &list, &error));
        CU_ASSERT_EQUAL(list.n, 5);
    }
    nights_free(&list);
    store_fixture_close(&store);
}

/* A record that is no JSON, or of which something is missing, is named. */
static void test_damaged_records(void)
{
    static const char *const contents[] = {"", "[]", "{\"format\": 1}", "{\"format\": 2}"};
    NightList list = {0};
    Store *store = store_fixture_open_empty();
    Buffer path = {0};
    buffer_printf(&path, "%s/nights/000001.json", store_fixture_folder);
    for (int i = 0; store_fixture_is_root() && i < 4; i++) {
        Error error = {0};
        CHECK_OK(record(store, 1, NIGHT_ACCEPTED, "a", &error));
        CHECK_OK(files_write_small(buffer_string(&path), bytes_of(contents[i]), &error));
        CU_ASSERT_EQUAL(nights_list(store, 0, &list, &error), STATUS_IO);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.message, "nights/000001.json"));
        CU_ASSERT_EQUAL(list.n, 0);
    }
    buffer_free(&path);
    store_fixture_close(&store);
}

/* ---- old results ---- */

/* An empty run; its name is all that counts here. */
static void make_run(Store *store, const char *run)
{
    Error error = {0};
    ResultWriter *writer = NULL;
    CHECK_OK(results_begin(rank_comm(), store, run, &writer, &error));
    CHECK_OK(results_commit(rank_comm(), &writer, &error));
}

static void test_results_retire(void)
{
    static const char *const runs[] = {"000001-aa", "000002-forecast-bb", "000002-bb.factors",
                                       "000010-cc", "special"};
    Error error = {0};
    int removed = 0;
    SurveyEntries left = {0};
    Store *store = store_fixture_open_empty();
    for (int i = 0; i < 5; i++)
        make_run(store, runs[i]);
    if (store_fixture_is_root()) {
        CHECK_OK(results_retire(store, -1, &removed, &error));
        CU_ASSERT_EQUAL(removed, 0);
        CHECK_OK(results_retire(store, 10, &removed, &error));
        CU_ASSERT_EQUAL(removed, 3);
        CHECK_OK(survey_entries(store, "results", &left, &error));
        CU_ASSERT_EQUAL(left.n, 2);
        if (left.n == 2) {
            CU_ASSERT_STRING_EQUAL(left.entries[0].name, "000010-cc");
            CU_ASSERT_STRING_EQUAL(left.entries[1].name, "special");
            CU_ASSERT(left.entries[0].size.files == 1 && left.entries[0].size.bytes > 0);
        }
        survey_entries_free(&left);
        CHECK_OK(survey_entries(store, "tmp", &left, &error));
        CU_ASSERT_EQUAL(left.n, 0);
        survey_entries_free(&left);
        CHECK_OK(survey_entries(store, "nowhere", &left, &error));
        CU_ASSERT_EQUAL(left.n, 0);
    }
    survey_entries_free(&left);
    store_fixture_close(&store);
}

static void test_lock(void)
{
    Error error = {0};
    SurveyLock lock;
    Store *store = store_fixture_open_empty();
    if (store_fixture_is_root()) {
        CHECK_OK(survey_lock(store, &lock, &error));
        CU_ASSERT(lock.is_held);
        CU_ASSERT_PTR_NOT_NULL(strstr(lock.owner, "process "));
    }
    store_close(rank_comm(), &store);
    CHECK_OK(store_open(rank_comm(), store_fixture_folder, STORE_READ, &store, &error));
    if (store_fixture_is_root()) {
        CHECK_OK(survey_lock(store, &lock, &error));
        CU_ASSERT(!lock.is_held && lock.owner[0] == '\0');
    }
    store_fixture_close(&store);
}

CU_TestInfo nights_tests[] = {
    {"what is written is read", test_round_trip}, {"old records go", test_old_records_go},
    {"damaged records", test_damaged_records},    {"old results go", test_results_retire},
    {"the lock, looked at", test_lock},           CU_TEST_INFO_NULL};
