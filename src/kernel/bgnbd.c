/* Likelihood and forecasts of BG/NBD. What depends on a count or on a day alone is worked out once
 * a call, so that a history costs one exponential. docs/methods/bg_nbd.md has the derivations. */
#include "kernel/bgnbd.h"

#include "kernel/special.h"

#include <math.h>
#include <string.h>

enum {
    REPEATS_MAX = 1024, /* counts and days below these are looked up */
    DAYS_MAX = 8192,
    FACTORS = 8 /* numbers in [1e-16, 1e13] whose product cannot leave the range of double */
};
static const double DAYS_A_WEEK = 7.0;

typedef struct Lookup {
    int32_t n_repeats; /* entries in use */
    int32_t n_days;
    int64_t customers[REPEATS_MAX]; /* with so many repeats */
    double odds[REPEATS_MAX];       /* a / (b + x - 1); 0 for x = 0 */
    double log_time[DAYS_MAX];      /* ln(alpha + t) */
    double inverse_time[DAYS_MAX];  /* 1 / (alpha + t) */
} Lookup;

static double weeks_shifted(const BgNbd *model, int32_t days)
{
    return model->alpha + (double)days / DAYS_A_WEEK;
}

/* a / (b + x - 1): how many times likelier it is to leave at the last purchase than to stay. */
static double leaving_odds(const BgNbd *model, int32_t repeats)
{
    return repeats == 0 ? 0.0 : model->a / (model->b + ((double)repeats - 1.0));
}

/* A table costs no more entries than there are histories to use it. */
static int32_t entries(int32_t largest, int32_t bound, int64_t n)
{
    int64_t wanted = (int64_t)largest + 1;
    if (wanted > bound)
        wanted = bound;
    return (int32_t)(wanted < n ? wanted : n);
}

static void lookup_fill(Lookup *lookup, const BgNbd *model, const RepeatHistories *histories)
{
    int32_t most = 0;
    int32_t oldest = 0;
    for (int64_t i = 0; i < histories->n; i++) {
        most = histories->repeats[i] > most ? histories->repeats[i] : most;
        oldest = histories->age_days[i] > oldest ? histories->age_days[i] : oldest;
    }
    lookup->n_repeats = entries(most, REPEATS_MAX, histories->n);
    lookup->n_days = entries(oldest, DAYS_MAX, histories->n);
    for (int32_t x = 0; x < lookup->n_repeats; x++) {
        lookup->customers[x] = 0;
        lookup->odds[x] = leaving_odds(model, x);
    }
    for (int32_t day = 0; day < lookup->n_days; day++) {
        double time = weeks_shifted(model, day);
        lookup->log_time[day] = log(time);
        lookup->inverse_time[day] = 1.0 / time;
    }
}

static inline void shifted_time(const Lookup *lookup, const BgNbd *model, int32_t days,
                                double *log_time, double *inverse_time)
{
    if (days < lookup->n_days) {
        *log_time = lookup->log_time[days];
        *inverse_time = lookup->inverse_time[days];
        return;
    }
    double time = weeks_shifted(model, days);
    *log_time = log(time);
    *inverse_time = 1.0 / time;
}

/* What `customers` customers with so many repeats add, whenever they bought. */
static void add_counts(const BgNbd *model, int32_t repeats, int64_t customers,
                       double sums[1 + BGNBD_PARAMETERS])
{
    double n = (double)customers;
    double x = (double)repeats;
    double both = model->a + model->b;
    double log_alpha = log(model->alpha);
    double digamma_both = special_digamma_step(both, x);
    sums[0] += n * (special_log_gamma_step(model->r, x) + model->r * log_alpha +
                    special_log_gamma_step(model->b, x) - special_log_gamma_step(both, x));
    sums[1] += n * (special_digamma_step(model->r, x) + log_alpha);
    sums[2] += n * model->r / model->alpha;
    sums[3] -= n * digamma_both;
    sums[4] += n * (special_digamma_step(model->b, x) - digamma_both);
}

/* Sums over histories; what counts alone add is not in them. */
typedef struct Sums {
    double value;
    double by_r;
    double by_alpha;
    double left;      /* the chances to have left at the last purchase */
    double left_odds; /* the same, times a / (b + x - 1) */
    double product;   /* whose logarithm is not yet in `value` */
    int factors;
} Sums;

static inline void add_history(const BgNbd *model, const Lookup *lookup, double odds,
                               int32_t repeats, int32_t recency_days, int32_t age_days, Sums *sums)
{
    double log_age;
    double inverse_age;
    double log_last;
    double inverse_last;
    shifted_time(lookup, model, age_days, &log_age, &inverse_age);
    shifted_time(lookup, model, recency_days, &log_last, &inverse_last);
    double shape = model->r + (double)repeats;
    double gap = log_age - log_last;
    double total = exp(-shape * gap) + odds;
    double left = odds / total;
    sums->value -= shape * log_last;
    sums->by_r -= log_last + (1.0 - left) * gap;
    sums->by_alpha -= shape * (inverse_age + left * (inverse_last - inverse_age));
    sums->left += left;
    sums->left_odds += left * odds;
    sums->product *= total;
    if (++sums->factors == FACTORS) {
        sums->value += log(sums->product);
        sums->product = 1.0;
        sums->factors = 0;
    }
}

/* Fader, Hardie, Lee 2005, eq. 6, in the form
 *   ln L = ln(r)_x + r ln alpha + ln(b)_x - ln(a + b)_x - (r + x) ln(alpha + t_x) + ln(e + c),
 *   e = ((alpha + t_x) / (alpha + T))^(r + x) <= 1,  c = a / (b + x - 1), 0 for x = 0,
 * which overflows nowhere. With t_x = T for x = 0 all histories go the same way. */
void bgnbd_log_likelihood(const BgNbd *model, const RepeatHistories *histories,
                          double sums[1 + BGNBD_PARAMETERS])
{
    memset(sums, 0, (1 + BGNBD_PARAMETERS) * sizeof *sums);
    Lookup lookup;
    lookup_fill(&lookup, model, histories);
    Sums all = {.product = 1.0};
    for (int64_t i = 0; i < histories->n; i++) {
        int32_t x = histories->repeats[i];
        int32_t age_days = histories->age_days[i];
        double odds;
        if (x < lookup.n_repeats) {
            lookup.customers[x]++;
            odds = lookup.odds[x];
        } else {
            add_counts(model, x, 1, sums);
            odds = leaving_odds(model, x);
        }
        int32_t recency_days = x == 0 ? age_days : histories->recency_days[i];
        add_history(model, &lookup, odds, x, recency_days, age_days, &all);
    }
    for (int32_t x = 0; x < lookup.n_repeats; x++)
        if (lookup.customers[x] > 0)
            add_counts(model, x, lookup.customers[x], sums);
    sums[0] += all.value + log(all.product);
    sums[1] = model->r * (sums[1] + all.by_r);
    sums[2] = model->alpha * (sums[2] + all.by_alpha);
    sums[3] = model->a * sums[3] + all.left;
    sums[4] = model->b * (sums[4] - all.left_odds / model->a);
}

double bgnbd_p_alive(const BgNbd *model, int32_t repeats, double recency, double age)
{
    if (repeats == 0)
        return 1.0;
    double gap = log1p((age - recency) / (model->alpha + recency));
    return 1.0 / (1.0 + leaving_odds(model, repeats) * exp((model->r + (double)repeats) * gap));
}
