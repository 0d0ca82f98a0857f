#include "forecast_table.h"

#include "base/decimal.h"
#include "summary.h"

#include <math.h>
#include <stdio.h>

static void print_series(const Run *run)
{
    const ForecastOptions *options = &run->forecast_options;
    const Calendar *calendar = &run->series.calendar;
    char series[DECIMAL_TEXT_SIZE];
    int64_t closed = 0;
    count_format(run->series.total, series);
    for (int32_t t = 0; calendar->is_closed != NULL && t < calendar->n; t++)
        closed += calendar->is_closed[t];
    summary_line("series", "%s, %s, %d periods", series, frequency_name(calendar->frequency),
                 (int)calendar->n);
    if (closed > 0)
        summary_line("", "closed in %lld of them", (long long)closed);
    if (options->series == NULL)
        summary_of_pieces("", &run->series_pieces);
    else
        summary_of_lines("", &run->series_lines);
    if (options->test != NULL)
        summary_of_lines("test", &run->series_after_lines);
    if (options->test != NULL)
        summary_line("measured", "by %s, %d periods ahead", options->test,
                     options->plan.backtest.horizon);
    else
        summary_line("measured", "from %d %s, %d periods ahead%s", options->measured,
                     options->measured == 1 ? "origin" : "origins", options->plan.backtest.horizon,
                     options->measured == 1 ? "" : " each");
}

static void print_figure(double figure, int width, int decimals)
{
    if (isnan(figure))
        (void)printf(" %*s", width, "-");
    else
        (void)printf(" %*.*f", width, decimals, figure);
}

/* Why a model has no series that could be measured. */
static const char *why_none(FitOutcome why, bool has_season)
{
    switch (why) {
    case FIT_OK:
        return "nothing came to measure it by";
    case FIT_NO_SEASON:
        return has_season ? "too few seasons" : "the series have no season (--season N)";
    case FIT_TOO_SPARSE:
        return "most periods are 0, which it says nothing of";
    case FIT_NO_DEMAND:
        return "nothing was asked for";
    case FIT_NOT_POSITIVE:
        return "not all values are above 0";
    case FIT_NOT_FINITE:
        return "its arithmetic left the numbers";
    case FIT_NOT_TRIED:
        return "it learns across series, which do not end together";
    default:
        return "the series are too short";
    }
}

static void print_row(SeriesModel model, const ForecastAccuracy *accuracy, bool has_levels,
                      bool has_season)
{
    (void)printf("%-9s", series_model_name(model));
    if (accuracy->series == 0) {
        (void)printf(" no figures: %s\n", why_none(accuracy->why, has_season));
        return;
    }
    print_figure(accuracy->smape, 8, 3);
    print_figure(accuracy->mase, 8, 4);
    print_figure(accuracy->rmsse, 8, 4);
    print_figure(accuracy->owa, 8, 4);
    if (has_levels)
        print_figure(accuracy->wrmsse, 8, 4);
    print_figure(accuracy->bias, 8, 4);
    print_figure(accuracy->pinball, 8, 4);
    print_figure(100.0 * accuracy->coverage, 11, 1);
    print_figure(accuracy->seconds, 9, 2);
    (void)printf(" %9lld\n", (long long)accuracy->series);
}

void forecast_table_print(const Run *run)
{
    const ForecastAccuracies *accuracies = &run->forecast_accuracies;
    if (comm_rank(run->comm) != 0)
        return;
    print_series(run);
    bool has_season = run->forecast_options.plan.backtest.season > 1;
    bool has_levels = config_text(run->config, "levels") != NULL;
    (void)printf("\n%-9s %8s %8s %8s %8s", "model", "sMAPE", "MASE", "RMSSE", "OWA");
    if (has_levels)
        (void)printf(" %8s", "WRMSSE");
    (void)printf(" %8s %8s %11s %9s %9s\n", "bias", "pinball", "in 80 %", "seconds", "series");
    for (int m = 0; m < SERIES_MEASURED; m++) {
        bool is_asked = m < SERIES_MODELS ? series_models_have(accuracies->models, (SeriesModel)m)
                                          : m == SERIES_COMBINED || accuracies->of[m].series > 0;
        if (is_asked)
            print_row((SeriesModel)m, &accuracies->of[m], has_levels, has_season);
    }
    (void)printf("\n");
}
