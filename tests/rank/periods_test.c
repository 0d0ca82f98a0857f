/* sales_compare and cohort_month of random shops, against answers that walk the calendar day by
 * day. */
#include "sales/compare.h"

#include "base/memory.h"
#include "rank/period_model.h"
#include "rank/suites.h"
#include "sales/cohorts.h"

#include <string.h>

/* ---- the calendar, day by day ---- */

/* First day of the period around `day`, from the words of the calendar: `scope` by its initial. */
static bool is_start(char scope, int32_t day)
{
    int year, month, of_month;
    civil_from_day(day, &year, &month, &of_month);
    int weekday = ((day + 3) % 7 + 7) % 7; /* 0: Monday; 1970-01-01 was a Thursday */
    switch (scope) {
    case 'd':
        return true;
    case 'w':
        return weekday == 0;
    case 'm':
        return of_month == 1;
    case 'q':
        return of_month == 1 && month % 3 == 1;
    default:
        return of_month == 1 && month == 1;
    }
}

static int32_t start_of(char scope, int32_t day)
{
    while (!is_start(scope, day))
        day--;
    return day;
}

static int32_t end_of(char scope, int32_t start)
{
    do
        start++;
    while (!is_start(scope, start));
    return start;
}

static int32_t year_before(char scope, int32_t start)
{
    int year, month, of_month;
    if (scope == 'd' || scope == 'w')
        return start - 364;
    civil_from_day(start, &year, &month, &of_month);
    return civil_day(year - 1, month, of_month);
}

/* ---- sales_compare ---- */

/* Number of the period in keys (group_key.h). */
static int64_t period_number(char scope, int32_t day)
{
    int year, month, of_month;
    int32_t start = start_of(scope, day);
    civil_from_day(start, &year, &month, &of_month);
    int64_t months = (int64_t)(year - 1970) * 12 + month - 1;
    switch (scope) {
    case 'd':
        return day;
    case 'w':
        return ((int64_t)start + 700000000) / 7 - 100000000;
    case 'm':
        return months;
    case 'q':
        return (months + 120000) / 3 - 40000;
    default:
        return year;
    }
}

static const char spec_scopes[COMPARE_SCOPES] = {'d', 'w', 'm', 'q', 'y'};

static KeyLayout one_part(const AggregateSpec *spec, int64_t base)
{
    return (KeyLayout){.n = 1,
                       .parts = {{.dimension = spec->by[0],
                                  .base = base,
                                  .radix = UINT64_C(1) << 40,
                                  .stride = 1}},
                       .space = UINT64_C(1) << 40};
}

static Status compare_groups(const PeriodModel *model, uint64_t seed, Groups *groups, Error *error)
{
    Status status = STATUS_OK;
    AggregateSpec specs[COMPARE_SCOPES];
    uint64_t *keys = mem_new(model->n, sizeof *keys);
    compare_specs(specs);
    for (int s = 0; s < COMPARE_SCOPES; s++) {
        KeyLayout layout = one_part(&specs[s], -1000000);
        for (int64_t i = 0; i < model->n; i++)
            keys[i] = (uint64_t)(period_number(spec_scopes[s], model->lines[i].day) + 1000000);
        TRY(period_groups(model, keys, &layout, seed * 10 + (uint64_t)s, &groups[s], error));
    }
out:
    mem_free(&keys);
    return status;
}

static void expect_earlier(const Shop *shop, int64_t now, int64_t earlier, int32_t end, int digits,
                           bool is_money, Buffer *text)
{
    bool is_known = end > shop->first_day;
    if (is_money)
        period_append_i64(text, is_known ? earlier : MONEY_NONE);
    else
        period_append_real(text, is_known ? (double)earlier : (double)NAN, digits);
    period_append_real(
        text, is_known && earlier > 0 ? (double)now / (double)earlier - 1 : (double)NAN, digits);
}

static void expect_scope(const PeriodModel *model, const char *name, int digits, Buffer *text)
{
    const Shop *shop = &model->shop;
    char scope = name[0];
    int32_t end;
    for (int32_t start = start_of(scope, shop->first_day); start <= shop->as_of; start = end) {
        end = end_of(scope, start);
        PeriodSums now = period_sums(model, -1, start, end);
        if (now.lines == 0)
            continue;
        int32_t before = start_of(scope, start - 1), year = year_before(scope, start);
        int32_t year_end = end_of(scope, year);
        PeriodSums previous = period_sums(model, -1, before, start);
        PeriodSums last_year = period_sums(model, -1, year, year_end);
        int64_t days = 0;
        for (int32_t day = start; day < end; day++)
            days += shop->first_day <= day && day <= shop->as_of;
        period_append_text(text, name);
        period_append_i64(text, start);
        period_append_i64(text, days);
        const int64_t figures[][3] = {{now.net, previous.net, last_year.net},
                                      {now.units, previous.units, last_year.units},
                                      {now.orders, previous.orders, last_year.orders},
                                      {now.customers, previous.customers, last_year.customers}};
        for (int f = 0; f < 4; f++) {
            const int64_t *x = figures[f];
            period_append_i64(text, x[0]);
            expect_earlier(shop, x[0], x[1], start, digits, f == 0, text);
            expect_earlier(shop, x[0], x[2], year_end, digits, f == 0, text);
        }
        buffer_append_string(text, "\n");
    }
}

static void check_compare(const PeriodShape *shape)
{
    enum { DIGITS = 17 };
    static const char *const names[] = {"day", "month", "quarter", "week", "year"};
    Comm *comm = rank_comm();
    Error error = {0};
    PeriodModel model = {0};
    Groups groups[COMPARE_SCOPES] = {0};
    Table rows = {0};
    Buffer got = {0}, expected = {0};
    Status status = STATUS_OK;
    TRY_ALL(comm, period_model_make(shape, &model, &error), &error);
    for (int i = 0; i < COMPARE_SCOPES && shape->lines > 0; i++)
        expect_scope(&model, names[i], DIGITS, &expected);
    for (uint64_t seed = 1; seed <= 3; seed++) {
        table_free(&rows);
        TRY_ALL(comm, compare_groups(&model, seed, groups, &error), &error);
        TRY(compare_rows(comm, &model.shop, groups, &rows, &error));
        CU_ASSERT(comm_rank(comm) == 0 || rows.rows == 0);
        TRY(period_print(comm, &rows, DIGITS, &got, &error));
        CU_ASSERT(period_texts_agree("sales_compare", &got, &expected));
    }
out:
    CU_ASSERT_EQUAL(status, STATUS_OK);
    for (int s = 0; s < COMPARE_SCOPES; s++)
        groups_free(&groups[s]);
    table_free(&rows);
    buffer_free(&got);
    buffer_free(&expected);
    period_model_free(&model);
}

/* ---- cohort_month ---- */

/* Month of the customer's first kept sale, DAY_NONE without. */
static int32_t cohort_of(const PeriodModel *model, int32_t customer)
{
    int32_t first = DAY_NONE;
    for (int64_t i = 0; i < model->n; i++) {
        const PeriodLine *line = &model->lines[i];
        bool counts = line->customer == customer && period_line_is_kept(line);
        if (counts && (first == DAY_NONE || line->day < first))
            first = line->day;
    }
    return first == DAY_NONE ? DAY_NONE : civil_month(first);
}

/* As the engine makes them: cohort from one below the first month on, known customers alone. */
static Status cohort_groups(const PeriodModel *model, uint64_t seed, Groups *groups, Error *error)
{
    enum { MONTHS = 40000, FIRST = -20000 };
    Status status = STATUS_OK;
    AggregateSpec spec;
    uint64_t *keys = mem_new(model->n, sizeof *keys);
    cohort_spec(&spec);
    CU_ASSERT(spec.known_customers_only);
    KeyLayout layout = {
        .n = 2,
        .parts =
            {{.dimension = spec.by[0], .base = FIRST - 1, .radix = MONTHS + 1, .stride = MONTHS},
             {.dimension = spec.by[1], .base = FIRST, .radix = MONTHS, .stride = 1}},
        .space = (uint64_t)MONTHS * (MONTHS + 1)};
    for (int64_t i = 0; i < model->n; i++) {
        const PeriodLine *line = &model->lines[i];
        int32_t cohort = line->customer < 0 ? DAY_NONE : cohort_of(model, line->customer);
        int64_t place = cohort == DAY_NONE ? 0 : (int64_t)cohort - FIRST + 1;
        keys[i] = line->customer < 0 ? PERIOD_NO_KEY
                                     : (uint64_t)(place * MONTHS + civil_month(line->day) - FIRST);
    }
    TRY(period_groups(model, keys, &layout, seed, groups, error));
out:
    mem_free(&keys);
    return status;
}

/* The lines of one cohort in one month: figures [3] := customers, orders, net. */
static void cohort_figures(const PeriodModel *model, const int32_t *cohorts, int32_t cohort,
                           int32_t month, int64_t figures[3])
{
    memset(figures, 0, 3 * sizeof *figures);
    for (int64_t i = 0; i < model->n; i++) {
        const PeriodLine *line = &model->lines[i];
        if (line->customer < 0 || cohorts[line->customer] != cohort ||
            civil_month(line->day) != month)
            continue;
        int64_t value = line->quantity * line->price;
        figures[2] += line->is_cancelled ? (value > 0 ? 0 : value) : value;
        bool new_customer = period_line_is_kept(line), new_order = new_customer;
        for (int64_t k = 0; k < i; k++) {
            const PeriodLine *other = &model->lines[k];
            if (!period_line_is_kept(other) || civil_month(other->day) != month)
                continue;
            new_customer = new_customer && other->customer != line->customer;
            new_order = new_order && other->order != line->order;
        }
        figures[0] += new_customer;
        figures[1] += new_order;
    }
}

static void expect_cohorts(const PeriodModel *model, int digits, Buffer *text)
{
    const Shop *shop = &model->shop;
    int32_t customers = 0;
    for (int64_t i = 0; i < model->n; i++)
        customers =
            model->lines[i].customer >= customers ? model->lines[i].customer + 1 : customers;
    int32_t *cohorts = mem_new(customers, sizeof *cohorts);
    for (int32_t c = 0; c < customers; c++)
        cohorts[c] = cohort_of(model, c);
    int32_t first = civil_month(shop->first_day), last = civil_month(shop->as_of);
    for (int32_t cohort = first; cohort <= last; cohort++) {
        int64_t cumulative = 0, size = 0;
        for (int32_t month = first; month <= last; month++) {
            int64_t figures[3];
            cohort_figures(model, cohorts, cohort, month, figures);
            cumulative += figures[2];
            size = month == cohort ? figures[0] : size;
            if (figures[0] == 0)
                continue;
            period_append_i64(text, cohort);
            period_append_i64(text, month - cohort);
            for (int f = 0; f < 3; f++)
                period_append_i64(text, figures[f]);
            period_append_i64(text, cumulative);
            period_append_real(text, (double)figures[0] / (double)size, digits);
            period_append_real(text, (double)cumulative / (double)size, digits);
            buffer_append_string(text, "\n");
        }
    }
    mem_free(&cohorts);
}

static void check_cohorts(const PeriodShape *shape)
{
    enum { DIGITS = 17 };
    Comm *comm = rank_comm();
    Error error = {0};
    PeriodModel model = {0};
    Groups groups = {0};
    Table rows = {0};
    Buffer got = {0}, expected = {0};
    Status status = STATUS_OK;
    TRY_ALL(comm, period_model_make(shape, &model, &error), &error);
    if (shape->lines > 0)
        expect_cohorts(&model, DIGITS, &expected);
    for (uint64_t seed = 1; seed <= 3; seed++) {
        table_free(&rows);
        TRY_ALL(comm, cohort_groups(&model, seed, &groups, &error), &error);
        TRY(cohort_rows(comm, &groups, &rows, &error));
        CU_ASSERT(comm_rank(comm) == 0 || rows.rows == 0);
        TRY(period_print(comm, &rows, DIGITS, &got, &error));
        CU_ASSERT(period_texts_agree("cohort_month", &got, &expected));
    }
out:
    CU_ASSERT_EQUAL(status, STATUS_OK);
    groups_free(&groups);
    table_free(&rows);
    buffer_free(&got);
    buffer_free(&expected);
    period_model_free(&model);
}

/* ---- shapes ---- */

/* 2024-02-29 is day 19782, a Thursday. */
static const PeriodShape shapes[] = {
    {.lines = 0, .products = 1},
    {.lines = 1, .products = 1, .customers = 1, .last_day = 19782, .span = 1},
    {.lines = 40, .products = 3, .customers = 9, .last_day = 0, .span = 1, .returned = 10},
    {.lines = 250,
     .products = 9,
     .customers = 20,
     .last_day = 19782 + 366,
     .span = 800,
     .returned = 15,
     .cancelled = 10},
    {.lines = 120,
     .products = 9,
     .customers = 12,
     .last_day = 19782,
     .span = 500,
     .returned = 30,
     .cancelled = 10,
     .days_after = 12,
     .days_ahead = 40},
    {.lines = 150,
     .products = 9,
     .customers = 12,
     .last_day = 100,
     .span = 600,
     .returned = 15,
     .cancelled = 10},
    {.lines = 60, .products = 9, .customers = 12, .last_day = -400, .span = 90, .days_after = 3},
    {.lines = 60, .products = 4, .customers = 5, .last_day = 19000, .span = 90, .returned = 100},
    {.lines = 60, .products = 4, .customers = 5, .last_day = 19000, .span = 90, .cancelled = 100},
    {.lines = 60, .products = 4, .customers = 0, .last_day = 19000, .span = 90, .returned = 10},
};

static void test_periods_beside_earlier_ones(void)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_compare(&shapes[i]);
}

static void test_cohorts(void)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_cohorts(&shapes[i]);
}

CU_TestInfo periods_tests[] = {
    {"periods_beside_earlier_ones", test_periods_beside_earlier_ones},
    {"cohorts", test_cohorts},
    CU_TEST_INFO_NULL,
};
