/* What changed, for people: one screen. */
#include "base/civil.h"
#include "base/decimal.h"
#include "changes/saturate.h"
#include "diff.h"
#include "run_name.h"
#include "summary.h"

#include <stdio.h>

typedef struct Number {
    char text[DECIMAL_TEXT_SIZE];
} Number;

static Number count(int64_t value)
{
    Number number;
    count_format(value, number.text);
    return number;
}

static Number money(int64_t minor, const StoreSettings *settings)
{
    Number number;
    count_format_decimals(minor, settings->money_decimals, number.text);
    return number;
}

static const char *sign(int64_t value)
{
    return value > 0 ? "+" : "";
}

static Number signed_count(int64_t value)
{
    Number number;
    (void)snprintf(number.text, sizeof number.text, "%s%.40s", sign(value), count(value).text);
    return number;
}

static Number signed_money(int64_t minor, const StoreSettings *settings)
{
    Number number;
    (void)snprintf(number.text, sizeof number.text, "%s%.40s", sign(minor),
                   money(minor, settings).text);
    return number;
}

/* A name of the shop's own, without what a terminal would take for a command; ends the line. */
static void print_name(const char *name, bool is_new)
{
    if (*name == '\0')
        (void)fputs("(unknown)", stdout);
    for (; *name != '\0'; name++)
        (void)putchar((unsigned char)*name < 0x20 || *name == 0x7f ? '?' : *name);
    (void)puts(is_new ? "  (new)" : "");
}

static void print_night(const char *label, const KeptNight *night)
{
    char day[CIVIL_TEXT_SIZE] = "no day";
    if (night->day != DAY_NONE)
        civil_format_day(night->day, day);
    summary_line(label, "%s, generation %lld", day, (long long)night->generation);
    for (int part = PART_SALES; part < PART_COUNT; part++) {
        if (night->runs[part][0] != '\0')
            (void)printf("%11s%-10s %s\n", "", run_part_name((ResultPart)part), night->runs[part]);
    }
}

static void print_products(const ProductChanges *products, const StoreSettings *settings)
{
    if (!products->is_there) {
        summary_line("products", "not compared: product_total is not in both nights");
        return;
    }
    summary_line("products", "net %s %s, %s pieces, of %s products, %s of them new",
                 signed_money(products->net_minor, settings).text, settings->currency,
                 signed_count(products->units).text, count(products->changed).text,
                 count(products->added).text);
    const ChangeList *lists[] = {&products->up, &products->down};
    for (int l = 0; l < 2; l++) {
        for (int64_t i = 0; i < lists[l]->n; i++) {
            const Change *change = &lists[l]->items[i];
            (void)printf("%16s %10s  ", signed_money(change->amount, settings).text,
                         signed_count(change->after).text);
            print_name(change->name, change->is_new);
        }
    }
}

static void print_customers(const CustomerChanges *customers, const StoreSettings *settings)
{
    if (!customers->is_there) {
        summary_line("customers", "not compared: customer_summary is not in both nights");
        return;
    }
    summary_line("customers", "%s -> %s: %s new, %s gone; %s moved to another segment",
                 count(customers->before).text, count(customers->after).text,
                 count(customers->added).text, count(customers->gone).text,
                 count(customers->moved).text);
    for (int64_t i = 0; i < customers->moves.n; i++) {
        const Change *move = &customers->moves.items[i];
        (void)printf("%16s %10s  %s -> %s\n", count(move->amount).text, "",
                     customers->segments[move->from], customers->segments[move->to]);
    }
    if (customers->customers.n > 0)
        summary_line("", "those of the most net:");
    for (int64_t i = 0; i < customers->customers.n; i++) {
        const Change *move = &customers->customers.items[i];
        (void)printf("%16s %10s  %s -> %s  ", money(move->amount, settings).text, "",
                     customers->segments[move->from], customers->segments[move->to]);
        print_name(move->name, false);
    }
}

static void print_revisions(const ChangeList *list)
{
    for (int64_t i = 0; i < list->n; i++) {
        const Change *change = &list->items[i];
        (void)printf("%16s %10s  %s -> %s  ", signed_count(change->amount).text, "",
                     count(change->before).text, count(change->after).text);
        print_name(change->name, change->is_new);
    }
}

static void print_forecast(const ForecastChanges *forecast)
{
    char first[CIVIL_TEXT_SIZE], last[CIVIL_TEXT_SIZE], days[128] = "each night's own days";
    if (!forecast->is_there) {
        summary_line("forecast", "not compared: forecast_total is not in both nights");
        return;
    }
    if (forecast->n_common > 0) {
        civil_format_day(forecast->first_day, first);
        civil_format_day(forecast->last_day, last);
        (void)snprintf(days, sizeof days, "%s to %s, which both have", first, last);
    }
    summary_line("forecast", "%s -> %s pieces (%s), %s", count(forecast->before).text,
                 count(forecast->after).text,
                 signed_count(saturate_subtract(forecast->after, forecast->before)).text, days);
    print_revisions(&forecast->up);
    print_revisions(&forecast->down);
    if (!forecast->has_products)
        summary_line("", "products are not compared: their series have other keys");
    if (forecast->categories.n > 0)
        summary_line("", "by category:");
    print_revisions(&forecast->categories);
}

static void print_rows(int64_t rows)
{
    (void)printf("%s", rows < 0 ? "none" : count(rows).text);
}

static void print_tables(const Changes *changes, int64_t limit)
{
    summary_line("tables", "%d have other numbers of rows, %d the same", changes->n_tables,
                 changes->n_same);
    for (int i = 0; i < changes->n_tables && i < limit; i++) {
        const TableChange *table = &changes->tables[i];
        bool is_in_both = table->before >= 0 && table->after >= 0;
        (void)printf("%16s %10s  ",
                     is_in_both ? signed_count(table->after - table->before).text : "", "");
        print_rows(table->before);
        (void)printf(" -> ");
        print_rows(table->after);
        (void)printf("  %s\n", table->name);
    }
    if (changes->n_tables > limit)
        summary_line("", "and %lld more: see --limit", (long long)(changes->n_tables - limit));
}

void diff_print_text(const Diff *diff, const StoreSettings *settings)
{
    print_night("from", &diff->before);
    print_night("to", &diff->after);
    print_products(&diff->changes.products, settings);
    print_customers(&diff->changes.customers, settings);
    print_forecast(&diff->changes.forecast);
    print_tables(&diff->changes, diff->changes.products.up.limit);
}
