/* The gate's rules at their edges, and finding nights in the record. */
#include "publish/gate.h"
#include "unit/suites.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* As the options are by default. */
static const GateLimits usual = {.rows_down = 0.5,
                                 .rows_up = 2,
                                 .rows_least = 50,
                                 .rival_margin = 0,
                                 .accuracy_fall = 0.3,
                                 .bias_rise = 0.2,
                                 .users_least = 200,
                                 .series_least = 100,
                                 .days_least = 60,
                                 .rejected = 0.05};
static const GateLimits off = {.rows_down = NAN,
                               .rows_up = NAN,
                               .rival_margin = NAN,
                               .accuracy_fall = NAN,
                               .bias_rise = NAN,
                               .users_least = 1,
                               .series_least = 1,
                               .rejected = NAN};

static Night night_of(const char *run)
{
    Night night = {.generation = 1, .days = 100, .n_parts = 3};
    (void)snprintf(night.run, sizeof night.run, "%s", run);
    static const char *const kinds[] = {"sales", "recommend", "forecast"};
    for (int i = 0; i < 3; i++) {
        (void)snprintf(night.parts[i].kind, sizeof night.parts[i].kind, "%s", kinds[i]);
        (void)snprintf(night.parts[i].run, sizeof night.parts[i].run, "%s-%s", run, kinds[i]);
    }
    return night;
}

static void leave_out(Night *night, int part)
{
    night->parts[part].is_left_out = true;
    night->parts[part].run[0] = '\0';
}

static void add_measure(Night *night, const char *name, int64_t n, double value, double rival)
{
    NightMeasure *measure = &night->measures[night->n_measures++];
    *measure = (NightMeasure){.n = n, .value = value, .rival = rival};
    (void)snprintf(measure->name, sizeof measure->name, "%s", name);
}

/* How many rules fail; the text of the last of them must have `part`, unless that is NULL. */
static int failures(const GateLimits *limits, const Night *now, const Night *before,
                    const char *part)
{
    GateVerdict verdict;
    int n = 0;
    gate_judge(limits, now, before, before, &verdict);
    for (int i = 0; i < verdict.n; i++) {
        const GateRule *rule = &verdict.rules[i];
        n += !rule->holds;
        CU_ASSERT_EQUAL(rule->holds, rule->text[0] == '\0');
        if (!rule->holds && part != NULL && strstr(rule->text, part) == NULL) {
            (void)fprintf(stderr, "'%s' is not in '%s'\n", part, rule->text);
            CU_FAIL("text of a rule");
        }
    }
    CU_ASSERT_EQUAL(n, verdict.n_failed);
    gate_verdict_free(&verdict);
    return n;
}

/* ---- rows ---- */

/* A table of recommendations had and has so many rows; has < 0: it is gone. */
static int rows_fail(const GateLimits *limits, int64_t had, int64_t has, const char *part)
{
    Night before = night_of("1"), now = night_of("2");
    night_add_table(&before, "rec_user", had, 1);
    if (has >= 0)
        night_add_table(&now, "rec_user", has, 1);
    int n = failures(limits, &now, &before, part);
    night_free(&before);
    night_free(&now);
    return n;
}

static void test_rows_stay_in_their_band(void)
{
    CU_ASSERT_EQUAL(rows_fail(&usual, 1000, 500, NULL), 0);
    CU_ASSERT_EQUAL(rows_fail(&usual, 1000, 499, "rec_user has 499 rows instead of 1,000"), 1);
    CU_ASSERT_EQUAL(rows_fail(&usual, 1000, 2000, NULL), 0);
    CU_ASSERT_EQUAL(rows_fail(&usual, 1000, 2001, "from 500 to 2,000 may be"), 1);
    CU_ASSERT_EQUAL(rows_fail(&usual, 1001, 501, NULL), 0);
    CU_ASSERT_EQUAL(rows_fail(&usual, 1001, 500, NULL), 1);
    CU_ASSERT_EQUAL(rows_fail(&usual, 1000, 0, "table rec_user is empty; it had 1,000 rows"), 1);
    CU_ASSERT_EQUAL(rows_fail(&usual, 1000, -1, "table rec_user is gone; it had 1,000 rows"), 1);
}

static void test_few_rows_are_noise(void)
{
    CU_ASSERT_EQUAL(rows_fail(&usual, 49, 1, NULL), 0);
    CU_ASSERT_EQUAL(rows_fail(&usual, 50, 1, NULL), 1);
    CU_ASSERT_EQUAL(rows_fail(&usual, 3, 100, NULL), 0);
    CU_ASSERT_EQUAL(rows_fail(&usual, 3, 101, NULL), 1);
    CU_ASSERT_EQUAL(rows_fail(&usual, 0, 0, NULL), 0);
    CU_ASSERT_EQUAL(rows_fail(&usual, 9, 0, NULL), 0);
    CU_ASSERT_EQUAL(rows_fail(&usual, GATE_EMPTIED_LEAST, 0, "is empty"), 1);
    CU_ASSERT_EQUAL(rows_fail(&usual, 0, -1, "is gone"), 1);
}

static void test_rows_off(void)
{
    GateLimits one = usual;
    CU_ASSERT_EQUAL(rows_fail(&off, 1000, 0, NULL), 0);
    CU_ASSERT_EQUAL(rows_fail(&off, 1000, -1, NULL), 0);
    one.rows_down = NAN;
    CU_ASSERT_EQUAL(rows_fail(&one, 1000, 0, NULL), 0);
    CU_ASSERT_EQUAL(rows_fail(&one, 1000, 2001, "from 0 to 2,000"), 1);
    one = usual;
    one.rows_up = NAN;
    CU_ASSERT_EQUAL(rows_fail(&one, 1000, 1000000, NULL), 0);
    CU_ASSERT_EQUAL(rows_fail(&one, 1000, 499, "from 500 to any"), 1);
}

/* The tables of a part that the options leave out may go, others may not. */
static void test_left_out(void)
{
    Night before = night_of("1"), now = night_of("2");
    night_add_table(&before, "rec_user", 1000, 1);
    night_add_table(&before, "sales_daily", 300, 0);
    night_add_table(&now, "sales_daily", 301, 0);
    CU_ASSERT_EQUAL(failures(&usual, &now, &before, "rec_user is gone"), 1);
    leave_out(&now, 1);
    CU_ASSERT_EQUAL(failures(&usual, &now, &before, NULL), 0);
    night_free(&before);
    night_free(&now);
}

/* A part that is wanted and was not computed: one reason, not one for each of its tables. */
static void test_not_computed(void)
{
    Night before = night_of("1"), now = night_of("2");
    night_add_table(&before, "rec_user", 1000, 1);
    night_add_table(&before, "rec_item", 1000, 1);
    add_measure(&before, GATE_DISCOVER, 500, 0.1, 0.05);
    now.parts[1].run[0] = '\0';
    CU_ASSERT_EQUAL(failures(&off, &now, &before, "recommend is not computed with these options"),
                    1);
    CU_ASSERT_EQUAL(failures(&usual, &now, &before, "or leave it out with --recommend no"), 1);
    CU_ASSERT_EQUAL(failures(&usual, &now, NULL, NULL), 0);
    leave_out(&before, 1); /* the target does not show it */
    before.n_measures = 0;
    CU_ASSERT_EQUAL(failures(&usual, &now, &before, NULL), 0);
    night_free(&before);
}

/* A young history grows in its own time. */
static void test_young_shop_grows(void)
{
    Night before = night_of("1"), now = night_of("2");
    before.days = 1;
    now.days = 2;
    night_add_table(&before, "customer_summary", 300, 0);
    night_add_table(&now, "customer_summary", 650, 0);
    CU_ASSERT_EQUAL(failures(&usual, &now, &before, NULL), 0);
    now.days = 1;
    CU_ASSERT_EQUAL(failures(&usual, &now, &before, "instead of 300"), 1);
    now.days = 4000; /* at most twice the band */
    now.tables[0].rows = 1201;
    CU_ASSERT_EQUAL(failures(&usual, &now, &before, "from 150 to 1,200"), 1);
    night_free(&before);
    night_free(&now);
}

static void test_first_night(void)
{
    Night now = night_of("1");
    night_add_table(&now, "sales_daily", 0, 0);
    add_measure(&now, GATE_DISCOVER, 1000, 0.2, 0.1);
    now.rows = (RowCounts){.read = 1000, .rejected = 1};
    CU_ASSERT_EQUAL(failures(&usual, &now, NULL, NULL), 0);
    night_free(&now);
}

/* ---- models ---- */

static int rival_fails(const GateLimits *limits, const char *name, int64_t n, double value,
                       double rival, const char *part)
{
    Night now = night_of("1");
    add_measure(&now, name, n, value, rival);
    return failures(limits, &now, NULL, part);
}

static void test_rivals(void)
{
    GateLimits lenient = usual;
    lenient.rival_margin = 0.1;
    CU_ASSERT_EQUAL(rival_fails(&usual, GATE_DISCOVER, 200, 0.10, 0.10, NULL), 0);
    CU_ASSERT_EQUAL(rival_fails(&usual, GATE_DISCOVER, 200, 0.0999, 0.10,
                                "NDCG@20 of recommendations is 0.0999, and that of what is merely "
                                "popular 0.1000 (on 200 customers)"),
                    1);
    CU_ASSERT_EQUAL(rival_fails(&usual, GATE_DISCOVER, 199, 0.01, 0.10, NULL), 0);
    CU_ASSERT_EQUAL(rival_fails(&usual, GATE_BUY_AGAIN, 500, 0.01, 0.10, "buy_again"), 1);
    CU_ASSERT_EQUAL(rival_fails(&lenient, GATE_DISCOVER, 200, 0.0901, 0.10, NULL), 0);
    CU_ASSERT_EQUAL(rival_fails(&lenient, GATE_DISCOVER, 200, 0.0899, 0.10, NULL), 1);
    CU_ASSERT_EQUAL(rival_fails(&usual, GATE_DISCOVER, 200, 0, 0, NULL), 0);
    CU_ASSERT_EQUAL(rival_fails(&usual, GATE_DISCOVER, 200, 0.1, NAN, NULL), 0);
    CU_ASSERT_EQUAL(rival_fails(&off, GATE_DISCOVER, 1000, 0.01, 0.10, NULL), 0);
    /* An error: less is better. */
    CU_ASSERT_EQUAL(rival_fails(&usual, GATE_FORECAST, 100, 0.9, 0.9, NULL), 0);
    CU_ASSERT_EQUAL(rival_fails(&usual, GATE_FORECAST, 100, 0.91, 0.9, "naive forecast 0.9000"), 1);
    CU_ASSERT_EQUAL(rival_fails(&usual, GATE_FORECAST, 99, 5.0, 0.9, NULL), 0);
    CU_ASSERT_EQUAL(rival_fails(&lenient, GATE_FORECAST, 100, 0.98, 0.9, NULL), 0);
}

static int change_fails(const GateLimits *limits, const char *name, int64_t n, double was,
                        double is, const char *part)
{
    Night before = night_of("1"), now = night_of("2");
    add_measure(&before, name, n, was, NAN);
    add_measure(&now, name, n, is, NAN);
    return failures(limits, &now, &before, part);
}

static void test_accuracy_falls(void)
{
    CU_ASSERT_EQUAL(change_fails(&usual, GATE_DISCOVER, 200, 0.10, 0.0701, NULL), 0);
    CU_ASSERT_EQUAL(change_fails(&usual, GATE_DISCOVER, 200, 0.10, 0.0699,
                                 "went from 0.1000 to 0.0699, more than 30 % worse"),
                    1);
    CU_ASSERT_EQUAL(change_fails(&usual, GATE_DISCOVER, 199, 0.10, 0.01, NULL), 0);
    CU_ASSERT_EQUAL(change_fails(&usual, GATE_DISCOVER, 200, 0.10, 0.9, NULL), 0);
    CU_ASSERT_EQUAL(change_fails(&usual, GATE_FORECAST, 100, 1.0, 1.29, NULL), 0);
    CU_ASSERT_EQUAL(change_fails(&usual, GATE_FORECAST, 100, 1.0, 1.31, "RMSSE"), 1);
    CU_ASSERT_EQUAL(change_fails(&off, GATE_DISCOVER, 200, 0.10, 0.01, NULL), 0);
}

static void test_what_cannot_be_measured_any_more(void)
{
    Night before = night_of("1"), now = night_of("2");
    add_measure(&before, GATE_DISCOVER, 500, 0.1, 0.05);
    CU_ASSERT_EQUAL(failures(&usual, &now, &before, "could not be measured; it was 0.1000"), 1);
    leave_out(&now, 1);
    CU_ASSERT_EQUAL(failures(&usual, &now, &before, NULL), 0);
    Night again = night_of("3");
    before.measures[0].n = 20;
    CU_ASSERT_EQUAL(failures(&usual, &again, &before, NULL), 0);
}

/* Models of a young shop are not judged. */
static void test_few_days_are_noise(void)
{
    Night before = night_of("1"), now = night_of("2");
    add_measure(&before, GATE_FORECAST, 100, 0.5, 1.0);
    add_measure(&before, GATE_FORECAST_BIAS, 100, 0.0, NAN);
    add_measure(&now, GATE_FORECAST, 100, 1.5, 1.0);
    add_measure(&now, GATE_FORECAST_BIAS, 100, 0.5, NAN);
    CU_ASSERT_EQUAL(failures(&usual, &now, &before, NULL), 3);
    before.days = 59;
    now.days = 60;
    CU_ASSERT_EQUAL(failures(&usual, &now, &before, "naive forecast"), 1);
    now.days = 59;
    CU_ASSERT_EQUAL(failures(&usual, &now, &before, NULL), 0);
}

static void test_bias(void)
{
    const char *name = GATE_FORECAST_BIAS;
    CU_ASSERT_EQUAL(change_fails(&usual, name, 100, 0.02, 0.219, NULL), 0);
    CU_ASSERT_EQUAL(change_fails(&usual, name, 100, 0.02, -0.219, NULL), 0);
    CU_ASSERT_EQUAL(change_fails(&usual, name, 100, 0.02, -0.221,
                                 "from +2.0 % to -22.1 %, more than 20 points further from 0"),
                    1);
    CU_ASSERT_EQUAL(change_fails(&usual, name, 100, -0.30, 0.49, NULL), 0);
    CU_ASSERT_EQUAL(change_fails(&usual, name, 100, -0.30, -0.01, NULL), 0);
    CU_ASSERT_EQUAL(change_fails(&usual, name, 99, 0.0, 5.0, NULL), 0);
    CU_ASSERT_EQUAL(change_fails(&usual, name, 100, NAN, 5.0, NULL), 0);
    CU_ASSERT_EQUAL(change_fails(&off, name, 100, 0.0, 5.0, NULL), 0);
}

/* ---- rejected rows ---- */

static int rejected_fails(const GateLimits *limits, int64_t read, int64_t rejected,
                          const char *part)
{
    Night now = night_of("1");
    now.rows = (RowCounts){.read = read, .rejected = rejected};
    return failures(limits, &now, NULL, part);
}

static void test_rejected(void)
{
    CU_ASSERT_EQUAL(rejected_fails(&usual, 0, 0, NULL), 0);
    CU_ASSERT_EQUAL(rejected_fails(&usual, 1000, 50, NULL), 0);
    CU_ASSERT_EQUAL(
        rejected_fails(&usual, 1000, 51, "5.10 % of the rows taken in were rejected (51 of 1,000)"),
        1);
    CU_ASSERT_EQUAL(rejected_fails(&usual, 20, GATE_REJECTED_LEAST - 1, NULL), 0);
    CU_ASSERT_EQUAL(rejected_fails(&usual, 20, GATE_REJECTED_LEAST, NULL), 1);
    CU_ASSERT_EQUAL(rejected_fails(&off, 1000, 999, NULL), 0);
}

static void test_every_failing_rule_is_listed(void)
{
    Night before = night_of("1"), now = night_of("2");
    night_add_table(&before, "rec_user", 1000, 1);
    night_add_table(&before, "sales_daily", 1000, 0);
    night_add_table(&before, "product_total", 1000, 0);
    night_add_table(&now, "product_total", 1000, 0);
    add_measure(&before, GATE_DISCOVER, 500, 0.2, 0.1);
    add_measure(&now, GATE_DISCOVER, 500, 0.1, 0.11);
    now.rows = (RowCounts){.read = 100, .rejected = 50};
    CU_ASSERT_EQUAL(failures(&usual, &now, &before, NULL), 5);
    night_free(&before);
    night_free(&now);
}

/* ---- the record ---- */

enum { LISTED = 6 };

/* Newest first. */
static void fill_list(Night *nights)
{
    static const struct {
        const char *run, *target;
        NightDecision decision;
        int64_t generation;
    } all[LISTED] = {{"5", "a", NIGHT_REFUSED, 5},  {"3", "a", NIGHT_ROLLED_BACK, 5},
                     {"4", "a", NIGHT_ACCEPTED, 4}, {"3", "b", NIGHT_FORCED, 3},
                     {"3", "a", NIGHT_FORCED, 3},   {"1", "a", NIGHT_ACCEPTED, 1}};
    for (int i = 0; i < LISTED; i++) {
        nights[i] = night_of(all[i].run);
        nights[i].number = LISTED - i;
        nights[i].decision = all[i].decision;
        nights[i].generation = all[i].generation;
        night_set_text(&nights[i].target, all[i].target);
    }
    for (int i = 0; i < LISTED; i++)
        (void)snprintf(nights[i].as_of, sizeof nights[i].as_of, "2024-01-0%d", LISTED - i);
    (void)snprintf(nights[2].parts[1].run, STORE_NAME_SIZE, "4-recommend-x");
}

static void test_nights(void)
{
    Night nights[LISTED];
    NightList list = {nights, LISTED};
    fill_list(nights);
    CU_ASSERT_PTR_EQUAL(nights_in_force(&list, "a"), &nights[4]);
    CU_ASSERT_PTR_EQUAL(nights_in_force(&list, "b"), &nights[3]);
    CU_ASSERT_PTR_NULL(nights_in_force(&list, "c"));
    CU_ASSERT_PTR_EQUAL(nights_published_until(&list, "a", "2024-01-06"), &nights[2]);
    CU_ASSERT_PTR_EQUAL(nights_published_until(&list, "a", "2024-01-03"), &nights[4]);
    CU_ASSERT_PTR_EQUAL(nights_published_until(&list, "b", "2024-01-03"), &nights[3]);
    CU_ASSERT_PTR_NULL(nights_published_until(&list, "b", "2024-01-02"));
    nights[1].decision = NIGHT_REFUSED;
    CU_ASSERT_PTR_EQUAL(nights_in_force(&list, "a"), &nights[2]);
    CU_ASSERT_PTR_EQUAL(nights_find(&list, "4-recommend-x"), &nights[2]);
    CU_ASSERT_PTR_EQUAL(nights_find(&list, "1"), &nights[5]);
    CU_ASSERT_PTR_NULL(nights_find(&list, ""));
    CU_ASSERT_EQUAL(nights_oldest_generation(&list, 1), 4);
    CU_ASSERT_EQUAL(nights_oldest_generation(&list, 2), 3);
    CU_ASSERT_EQUAL(nights_oldest_generation(&list, 3), 1);
    CU_ASSERT_EQUAL(nights_oldest_generation(&list, 4), -1);
    for (int i = 0; i < LISTED; i++)
        night_free(&nights[i]);
}

CU_TestInfo gate_tests[] = {
    {"rows stay in their band", test_rows_stay_in_their_band},
    {"few rows are noise", test_few_rows_are_noise},
    {"rows, off", test_rows_off},
    {"parts that are left out", test_left_out},
    {"parts that nobody computed", test_not_computed},
    {"a young shop grows", test_young_shop_grows},
    {"the first night", test_first_night},
    {"rivals", test_rivals},
    {"accuracy falls", test_accuracy_falls},
    {"what cannot be measured any more", test_what_cannot_be_measured_any_more},
    {"few days are noise", test_few_days_are_noise},
    {"bias", test_bias},
    {"rejected rows", test_rejected},
    {"every failing rule is listed", test_every_failing_rule_is_listed},
    {"nights of the record", test_nights},
    CU_TEST_INFO_NULL};
