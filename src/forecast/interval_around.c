/* See interval_around.h. */
#include "forecast/interval_around.h"

#include <math.h>

/* Quantiles further out are not known. */
static const double SHARE_MOST = 0.9995;

/* The interval of one period's count. */
typedef struct Question {
    const IntervalModel *model;
    int64_t i;
    const double *mean; /* [horizon of the model] */
    int h;
} Question;

/* Probability that the count is at most k. */
static double share_of(const Question *question, double k)
{
    if (k < 0.0)
        return 0.0;
    return 1.0 - intervals_sum_above(question->model, question->i, question->mean, 1,
                                     question->mean[question->h], k);
}

/* The end of the interval that begins at `low`. */
static double high_of(const Question *question, double mass, double low)
{
    double share = fmin(share_of(question, low - 1.0) + mass, SHARE_MOST);
    double high;
    intervals_sum_quantiles(question->model, question->i, question->mean, 1,
                            question->mean[question->h], &share, 1, &high);
    if (high <= low)
        return low;
    double above = share_of(question, high) - share;
    double below = share - share_of(question, high - 1.0);
    return below < above ? high - 1.0 : high;
}

void interval_around(const IntervalModel *model, int64_t i, const double *mean, double mass,
                     double *low, double *high)
{
    const double low_share = 0.5 - mass / 2.0, high_share = 0.5 + mass / 2.0;
    intervals_quantiles(model, i, mean, &low_share, 1, low);
    intervals_quantiles(model, i, mean, &high_share, 1, high);
    bool is_count = model->is_count[intervals_place(model, i)];
    for (int h = 0; is_count && h < model->horizon; h++) {
        Question question = {model, i, mean, h};
        if (isfinite(mean[h]))
            high[h] = high_of(&question, mass, low[h]);
    }
}
