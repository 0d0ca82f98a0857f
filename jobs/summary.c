/* What a job tells its people at the end. */
#include "summary.h"

#include "base/civil.h"
#include "base/decimal.h"
#include "base/log.h"
#include "part.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static CountText count(int64_t value)
{
    return count_text(value);
}

/* Minor units as "9,769,872.054". */
static CountText money(int64_t minor, int decimals)
{
    CountText result;
    count_format_decimals(minor, decimals, result.text);
    return result;
}

static bool speaks(const Run *run)
{
    return comm_rank(run->comm) == 0;
}

void summary_line(const char *label, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)printf("%-10s ", label);
    (void)vprintf(format, args);
    (void)putchar('\n');
    va_end(args);
}

static void tell_rejects(const Run *run, int64_t rejected)
{
    summary_line("rejected", "%s %s: %s", count(rejected).text, rejected == 1 ? "row" : "rows",
                 run->ingest.example);
    summary_line("", "mend them in %s/rejects/%06lld-*.csv and give that file to --input",
                 store_path(run->store), (long long)run->ingest.generation);
}

void summary_of_ingest(const Run *run)
{
    if (!speaks(run) || config_list_count(run->config, "input") == 0)
        return;
    RowCounts rows = run_total_counts(run);
    summary_line("read", "%s rows = %s stored + %s rejected + %s unchanged", count(rows.read).text,
                 count(rows.stored).text, count(rows.rejected).text, count(rows.unchanged).text);
    if (!run->ingest.changed)
        summary_line("", "nothing new: the store has all of this input already");
    if (rows.rejected > 0)
        tell_rejects(run, rows.rejected);
    if (rows.replaced_orders > 0) {
        summary_line("replaced", "%s orders came again; %s earlier rows are out of force",
                     count(rows.replaced_orders).text, count(rows.replaced_rows).text);
    }
}

void summary_of_store(const Run *run)
{
    if (!speaks(run))
        return;
    char until[CIVIL_TEXT_SIZE] = "in force";
    if (store_seen_until(run->store) != DAY_NONE)
        civil_format_day(store_seen_until(run->store), until);
    summary_line("store", "%s, generation %lld, %s order lines %s%s", store_path(run->store),
                 (long long)store_generation(run->store),
                 count(store_rows(run->store, "orders")).text,
                 store_seen_until(run->store) != DAY_NONE ? "up to " : "", until);
}

void summary_of_sales(const Run *run)
{
    if (!speaks(run))
        return;
    if (run->parts[PART_SALES].was_there) {
        summary_line("sales", "run %s was computed before; its tables are kept",
                     run->parts[PART_SALES].name);
        return;
    }
    const SalesSummary *sales = &run->sales;
    const StoreSettings *settings = store_settings(run->store);
    if (!sales->has_figures) {
        summary_line("sales", "run %s from %s order lines", run->parts[PART_SALES].name,
                     count(sales->lines).text);
        return;
    }
    int64_t net_minor = sales->gross_minor - sales->returned_minor;
    char first[CIVIL_TEXT_SIZE] = "no day";
    char last[CIVIL_TEXT_SIZE] = "no day";
    if (sales->first_day != DAY_NONE) {
        civil_format_day(sales->first_day, first);
        civil_format_day(sales->last_day, last);
    }
    summary_line("sales", "%s orders of %s customers, %s to %s, net %s %s",
                 count(sales->orders).text, count(sales->customers).text, first, last,
                 money(net_minor, settings->money_decimals).text, settings->currency);
}

void summary_of_recommend(const Run *run)
{
    const RecommendSummary *summary = &run->recommend;
    Buffer mix = {0};
    if (!speaks(run))
        return;
    if (run->parts[PART_RECOMMEND].was_there) {
        summary_line("recommend", "run %s was computed before; its lists are kept",
                     run->parts[PART_RECOMMEND].name);
        return;
    }
    summary_line("recommend", "lists for %s customers from %s pairs with %s products",
                 count(summary->users).text, count(summary->pairs).text,
                 count(summary->items).text);
    if (!summary->is_measured) {
        summary_line("", "not measured: the history is too short to hold its last days out");
        return;
    }
    for (int k = 0; k < summary->mix.n; k++) {
        if (summary->mix.weights[k] > 0)
            buffer_printf(&mix, "%s%.0f %% %s", mix.size > 0 ? " + " : "",
                          100 * summary->mix.weights[k], model_name(summary->mix.kinds[k]));
    }
    summary_line("",
                 "on the last %d days: NDCG@20 %.4f (%s), popular %.4f; bought again: recall@10 "
                 "%.4f, popular %.4f",
                 (int)run->recommend_options.plan.held_out_days, summary->mix_ndcg,
                 buffer_string(&mix), summary->rival_ndcg, summary->again_recall,
                 summary->again_rival);
    buffer_free(&mix);
}

void summary_of_pieces(const char *label, const SeriesReadCounts *pieces)
{
    int64_t in_series = pieces->kept - pieces->unfinished - pieces->left_out;
    summary_line(label,
                 "%s pieces sold = %s in series + %s in the period that goes on + %s left out (%s "
                 "short series); %s came back",
                 count(pieces->kept).text, count(in_series).text, count(pieces->unfinished).text,
                 count(pieces->left_out).text, count(pieces->short_series).text,
                 count(pieces->returned).text);
    if (pieces->out_of_stock > 0)
        summary_line("", "out of stock: %s values of the history are not known",
                     count(pieces->out_of_stock).text);
}

void summary_of_lines(const char *label, const SeriesFileCounts *lines)
{
    summary_line(label, "%s lines = %s used + %s left out", count(lines->read).text,
                 count(lines->used).text, count(lines->left_out).text);
}

/* Of the plan for products: what to order needs a stock. */
static void tell_orders(const InventoryCounts *inventory)
{
    if (inventory->planned == 0)
        return;
    if (inventory->stocked == 0)
        summary_line("", "what to order is not known: no product has a stock; give it by a column "
                         "stock of --input products=FILE");
    else if (inventory->stocked < inventory->planned)
        summary_line("", "%s to order now, of %s whose stock is known",
                     count(inventory->to_order).text, count(inventory->stocked).text);
    else
        summary_line("", "%s to order now", count(inventory->to_order).text);
}

static void tell_adding_up(const Run *run, const ReconcileOutcome *outcome)
{
    const char *used = reconcile_name(outcome->used);
    CountText negative = count(outcome->n_negative);
    if (outcome->reason != RECONCILE_AS_ASKED)
        summary_line("", "added up by %s, not %s: %s", used, config_text(run->config, "reconcile"),
                     reconcile_reason(outcome->reason));
    else if (outcome->n_nodes > 0)
        summary_line(
            "", "added up by %s, with %s %s above the series; %s forecasts below 0 became 0", used,
            count(outcome->n_nodes).text, outcome->n_nodes == 1 ? "sum" : "sums", negative.text);
    else
        summary_line("", "added up by %s; %s forecasts below 0 became 0", used, negative.text);
}

static void tell_accuracy(const ForecastSummary *summary)
{
    char rmsse[80] = "no RMSSE, since no series had varied";
    if (!summary->is_measured) {
        summary_line("", "not measured: the history is too short");
        return;
    }
    if (isfinite(summary->published.rmsse))
        (void)snprintf(rmsse, sizeof rmsse, "RMSSE %.4f, %s %.4f", summary->published.rmsse,
                       summary->has_season ? "seasonal naive" : "last value", summary->rival.rmsse);
    summary_line("",
                 "from the last origin: %s; %.1f %% came within the intervals of 80 %%; bias %+.1f "
                 "%%",
                 rmsse, 100.0 * summary->published.coverage, 100.0 * summary->published.bias);
}

void summary_of_forecast(const Run *run)
{
    const ForecastSummary *summary = &run->forecast;
    if (!speaks(run))
        return;
    if (run->parts[PART_FORECAST].was_there) {
        summary_line("forecast", "run %s was computed before; its tables are kept",
                     run->parts[PART_FORECAST].name);
        return;
    }
    summary_line("forecast",
                 "%s pieces in the next %d periods, of %s series, %s of them not by the mix",
                 count(summary->units).text, run->forecast_options.plan.backtest.horizon,
                 count(summary->series).text, count(summary->fallbacks).text);
    tell_orders(&summary->inventory);
    summary_of_pieces("", &summary->pieces);
    if (summary->without_series > 0)
        summary_line("",
                     "%s of the catalogue's %s products have no series: they sold in too few "
                     "periods, or never",
                     count(summary->without_series).text, count(summary->listed).text);
    summary_line("", "%s periods stand out; %s values replaced as outliers before models learned",
                 count(summary->anomalies).text, count(summary->outliers).text);
    tell_adding_up(run, &summary->reconciled);
    tell_accuracy(summary);
}

void summary_of_gate(const Run *run)
{
    const GateRun *gate = &run->gate;
    const Night *night = &gate->night;
    const char *decision = night_decision_name(night->decision);
    if (!speaks(run))
        return;
    if (gate->was_published) {
        summary_line("gate", "run %s was %s before", night->run, decision);
        return;
    }
    bool is_first = gate->beside[0] == '\0';
    summary_line("gate", "%s: %d of %d rules hold%s%s", decision, gate->verdict.n - night->n_failed,
                 gate->verdict.n, is_first ? "; there is no earlier night" : ", beside run ",
                 gate->beside);
    for (int i = 0; i < night->n_failed; i++)
        summary_line("", "%s", night->failed[i].text);
    if (night->decision == NIGHT_FORCED)
        summary_line("", "published because: %s", night->reason);
}

void summary_of_publish(const Run *run)
{
    if (!speaks(run) || run->gate.is_refused)
        return;
    const char *target = config_text(run->config, "to");
    if (run->publish.changed) {
        summary_line("published", "%d tables, %s rows, as run %s to %s", run->publish.tables,
                     count(run->publish.rows).text, run->published.run, target);
    } else {
        summary_line("published", "nothing to do: run %s is in force in %s already",
                     run->published.run, target);
    }
    Buffer missing = {0};
    part_append_missing(run, &missing);
    if (missing.size > 0)
        summary_line("", "%s", buffer_string(&missing));
    buffer_free(&missing);
}

void summary_of_rollback(const Run *run)
{
    if (speaks(run))
        summary_line("in force", "run %s again in %s, %d tables; run %s is withdrawn",
                     run->rollback.restored, config_text(run->config, "to"), run->rollback.tables,
                     run->rollback.withdrawn);
}

void summary_of_verify(const Run *run)
{
    if (speaks(run))
        summary_line("verified", "%s blocks, all undamaged", count(run->blocks_verified).text);
}

void summary_done(const Run *run)
{
    if (!speaks(run))
        return;
    int ranks = comm_size(run->comm);
    summary_line("done", "in %.2f s on %d %s", clock_seconds() - run->record.started_s, ranks,
                 ranks == 1 ? "rank" : "ranks");
}
