/* See gate.h. */
#include "publish/gate.h"

#include "base/decimal.h"
#include "base/memory.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What is said of a measure, and which way is better. */
typedef struct MeasureKind {
    const char *name;
    const char *kind;  /* of the part that has it */
    const char *shown; /* "X of Y fell from" */
    const char *rival;
    bool is_error; /* less is better */
} MeasureKind;

static const MeasureKind kinds[] = {
    {GATE_DISCOVER, "recommend", "NDCG@20 of recommendations", "what is merely popular", false},
    {GATE_BUY_AGAIN, "recommend", "recall@10 of buy_again", "what is merely popular", false},
    {GATE_FORECAST, "forecast", "RMSSE of forecasts", "the naive forecast", true},
};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

static GateRule *add_rule(GateVerdict *verdict, const char *name, const char *of)
{
    mem_grow(&verdict->rules, verdict->n + 1, sizeof *verdict->rules);
    GateRule *rule = &verdict->rules[verdict->n++];
    *rule = (GateRule){
        .name = name, .now = NAN, .beside = NAN, .least = NAN, .most = NAN, .holds = true};
    (void)snprintf(rule->of, sizeof rule->of, "%s", of);
    return rule;
}

static void fail_rule(GateVerdict *verdict, GateRule *rule, const char *format, ...)
    VESPER_PRINTF(3, 4);

static void fail_rule(GateVerdict *verdict, GateRule *rule, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(rule->text, sizeof rule->text, format, args);
    va_end(args);
    rule->holds = false;
    verdict->n_failed++;
}

static bool is_within(const GateRule *rule)
{
    return !(rule->now < rule->least) && !(rule->now > rule->most);
}

static const NightResults *find_part(const Night *night, const char *kind)
{
    for (int i = 0; i < night->n_parts; i++) {
        if (strcmp(night->parts[i].kind, kind) == 0)
            return &night->parts[i];
    }
    return NULL;
}

/* The night has no results of this kind: its options do not ask for them, or they are not there. */
static bool goes_without(const Night *night, const char *kind)
{
    const NightResults *part = find_part(night, kind);
    return part != NULL && part->run[0] == '\0';
}

/* ---- parts ---- */

/* What the target shows goes when the options say so, not because nobody computed it. */
static void judge_parts(const Night *now, const Night *in_force, GateVerdict *verdict)
{
    for (int i = 0; i < now->n_parts; i++) {
        const char *kind = now->parts[i].kind;
        const NightResults *had = find_part(in_force, kind);
        if (had == NULL || had->run[0] == '\0' || now->parts[i].is_left_out)
            continue;
        GateRule *rule = add_rule(verdict, "part", kind);
        rule->beside = rule->least = 1.0;
        rule->now = goes_without(now, kind) ? 0.0 : 1.0;
        if (!is_within(rule))
            fail_rule(verdict, rule,
                      "%s is not computed with these options, and the tables in force have it; run "
                      "'vesper %s' with the same options first, or leave it out with --%s no",
                      kind, kind, kind);
    }
}

/* ---- rows ---- */

/* Tables grow with the history: a shop's second day has twice the rows of its first. */
static double history_growth(const Night *now, const Night *before)
{
    if (now->days <= before->days || before->days < 1)
        return 1.0;
    return fmin(2.0, (double)now->days / (double)before->days);
}

static void judge_table(const GateLimits *limits, const Night *now, const NightTable *had,
                        double growth, GateVerdict *verdict)
{
    const NightTable *has = night_table(now, had->name);
    int64_t emptied =
        limits->rows_least < GATE_EMPTIED_LEAST ? limits->rows_least : GATE_EMPTIED_LEAST;
    bool is_large = had->rows >= limits->rows_least;
    GateRule *rule = add_rule(verdict, "rows", had->name);
    rule->now = has != NULL ? (double)has->rows : 0.0;
    rule->beside = (double)had->rows;
    if (!isnan(limits->rows_down))
        rule->least = is_large               ? ceil(limits->rows_down * (double)had->rows)
                      : had->rows >= emptied ? 1.0
                                             : 0.0;
    if (!isnan(limits->rows_up))
        rule->most =
            floor(limits->rows_up * growth * (double)(is_large ? had->rows : limits->rows_least));
    if (has == NULL && !isnan(limits->rows_down))
        fail_rule(verdict, rule, "table %s is gone; it had %s rows", had->name,
                  count_text(had->rows).text);
    else if (!is_within(rule) && has != NULL && has->rows == 0)
        fail_rule(verdict, rule, "table %s is empty; it had %s rows", had->name,
                  count_text(had->rows).text);
    else if (!is_within(rule))
        fail_rule(verdict, rule, "table %s has %s rows instead of %s; from %s to %s may be",
                  had->name, count_text((int64_t)rule->now).text, count_text(had->rows).text,
                  isnan(rule->least) ? "0" : count_text((int64_t)rule->least).text,
                  isnan(rule->most) ? "any" : count_text((int64_t)rule->most).text);
}

static void judge_tables(const GateLimits *limits, const Night *now, const Night *before,
                         GateVerdict *verdict)
{
    double growth = history_growth(now, before);
    if (isnan(limits->rows_down) && isnan(limits->rows_up))
        return;
    for (int i = 0; i < before->n_tables; i++) {
        const NightTable *had = &before->tables[i];
        bool is_gone = night_table(now, had->name) == NULL;
        if (!is_gone || !goes_without(now, before->parts[had->part].kind))
            judge_table(limits, now, had, growth, verdict);
    }
}

/* ---- measures ---- */

static bool is_known(const NightMeasure *measure, int64_t least)
{
    return measure != NULL && measure->n >= least && isfinite(measure->value);
}

/* More than there can be where the history is too short to judge by. */
static int64_t least_of(const GateLimits *limits, const char *kind, const Night *night)
{
    if (night->days < limits->days_least)
        return INT64_MAX;
    return strcmp(kind, "forecast") == 0 ? limits->series_least : limits->users_least;
}

/* Worse than `beside` by more than `share` of it is too bad. */
static void set_band(GateRule *rule, const MeasureKind *kind, double now, double beside,
                     double share)
{
    rule->now = now;
    rule->beside = beside;
    if (kind->is_error)
        rule->most = beside * (1.0 + share);
    else
        rule->least = beside * (1.0 - share);
}

static void judge_rival(const GateLimits *limits, const MeasureKind *kind, const Night *now,
                        GateVerdict *verdict)
{
    const NightMeasure *measure = night_measure(now, kind->name);
    if (isnan(limits->rival_margin) || !is_known(measure, least_of(limits, kind->kind, now)) ||
        !isfinite(measure->rival))
        return;
    GateRule *rule = add_rule(verdict, "rival", kind->name);
    set_band(rule, kind, measure->value, measure->rival, limits->rival_margin);
    if (!is_within(rule))
        fail_rule(verdict, rule, "%s is %.4f, and that of %s %.4f (on %s %s)", kind->shown,
                  measure->value, kind->rival, measure->rival, count_text(measure->n).text,
                  kind->is_error ? "series" : "customers");
}

static void judge_fall(const GateLimits *limits, const MeasureKind *kind, const Night *now,
                       const Night *before, GateVerdict *verdict)
{
    const NightMeasure *measure = night_measure(now, kind->name);
    const NightMeasure *was = night_measure(before, kind->name);
    int64_t least = least_of(limits, kind->kind, before);
    if (isnan(limits->accuracy_fall) || !is_known(was, least) || goes_without(now, kind->kind))
        return;
    bool is_measured = is_known(measure, 0);
    if (is_measured && measure->n < least_of(limits, kind->kind, now))
        return;
    GateRule *rule = add_rule(verdict, "accuracy", kind->name);
    set_band(rule, kind, is_measured ? measure->value : NAN, was->value, limits->accuracy_fall);
    if (!is_measured)
        fail_rule(verdict, rule, "%s could not be measured; it was %.4f (on %s %s)", kind->shown,
                  was->value, count_text(was->n).text, kind->is_error ? "series" : "customers");
    else if (!is_within(rule))
        fail_rule(verdict, rule, "%s went from %.4f to %.4f, more than %g %% worse", kind->shown,
                  was->value, measure->value, 100.0 * limits->accuracy_fall);
}

static void judge_bias(const GateLimits *limits, const Night *now, const Night *before,
                       GateVerdict *verdict)
{
    const NightMeasure *measure = night_measure(now, GATE_FORECAST_BIAS);
    const NightMeasure *was = night_measure(before, GATE_FORECAST_BIAS);
    if (isnan(limits->bias_rise) || !is_known(measure, least_of(limits, "forecast", now)) ||
        !is_known(was, least_of(limits, "forecast", before)))
        return;
    GateRule *rule = add_rule(verdict, "bias", GATE_FORECAST_BIAS);
    rule->now = measure->value;
    rule->beside = was->value;
    rule->most = fabs(was->value) + limits->bias_rise;
    rule->least = -rule->most;
    if (!is_within(rule))
        fail_rule(verdict, rule,
                  "bias of forecasts went from %+.1f %% to %+.1f %%, more than %g points further "
                  "from 0",
                  100.0 * was->value, 100.0 * measure->value, 100.0 * limits->bias_rise);
}

/* ---- rejected rows ---- */

static void judge_rejected(const GateLimits *limits, const Night *now, GateVerdict *verdict)
{
    const RowCounts *rows = &now->rows;
    if (isnan(limits->rejected) || rows->read < 1)
        return;
    GateRule *rule = add_rule(verdict, "rejected", "");
    rule->now = (double)rows->rejected / (double)rows->read;
    rule->most = limits->rejected;
    if (!is_within(rule) && rows->rejected >= GATE_REJECTED_LEAST)
        fail_rule(verdict, rule,
                  "%.2f %% of the rows taken in were rejected (%s of %s), more than %g %%",
                  100.0 * rule->now, count_text(rows->rejected).text, count_text(rows->read).text,
                  100.0 * limits->rejected);
}

void gate_judge(const GateLimits *limits, const Night *now, const Night *before,
                const Night *in_force, GateVerdict *verdict)
{
    *verdict = (GateVerdict){0};
    if (in_force != NULL)
        judge_parts(now, in_force, verdict);
    judge_rejected(limits, now, verdict);
    for (int k = 0; k < N_KINDS; k++)
        judge_rival(limits, &kinds[k], now, verdict);
    if (before == NULL)
        return;
    for (int k = 0; k < N_KINDS; k++)
        judge_fall(limits, &kinds[k], now, before, verdict);
    judge_bias(limits, now, before, verdict);
    judge_tables(limits, now, before, verdict);
}

void gate_verdict_free(GateVerdict *verdict)
{
    mem_free(&verdict->rules);
    *verdict = (GateVerdict){0};
}
