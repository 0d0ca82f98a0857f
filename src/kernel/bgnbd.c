/* Likelihood and forecasts of BG/NBD. What depends on a count or on a day alone is worked out once
 * a call, so that a history costs one exponential. docs/methods/bg_nbd.md has the derivations. */
#include "kernel/bgnbd.h"

#include "kernel/special.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum {
    REPEATS_MAX = 1024, /* counts and days below these are looked up */
    DAYS_MAX = 8192,
    FACTORS = 8 /* numbers in [1e-16, 1e13] whose product cannot leave the range of double */
};
static const double DAYS_A_WEEK = 7.0;

/* Of the sum in expected_of_the_living. */
static const double TERMS_MAX = 1e7;
static const double RELATIVE_ERROR = 1e-13;
static const double LOG_SMALL = -700.0; /* below, masses are followed by their logarithm */

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
    double by_r = 0.0;
    double by_alpha = 0.0;
    double by_a = 0.0; /* sum of the chances to have left */
    double by_b = 0.0;
    double value = 0.0;
    double product = 1.0;
    int factors = 0;
    for (int64_t i = 0; i < histories->n; i++) {
        int32_t x = histories->repeats[i];
        double odds;
        if (x < lookup.n_repeats) {
            lookup.customers[x]++;
            odds = lookup.odds[x];
        } else {
            add_counts(model, x, 1, sums);
            odds = leaving_odds(model, x);
        }
        int32_t last = x == 0 ? histories->age_days[i] : histories->recency_days[i];
        double log_age;
        double inverse_age;
        double log_last;
        double inverse_last;
        shifted_time(&lookup, model, histories->age_days[i], &log_age, &inverse_age);
        shifted_time(&lookup, model, last, &log_last, &inverse_last);
        double shape = model->r + (double)x;
        double gap = log_age - log_last;
        double staying = exp(-shape * gap);
        double total = staying + odds;
        double left = odds / total;
        value -= shape * log_last;
        by_r -= log_last + (1.0 - left) * gap;
        by_alpha -= shape * (inverse_age + left * (inverse_last - inverse_age));
        by_a += left;
        by_b += left * odds;
        product *= total;
        if (++factors == FACTORS) {
            value += log(product);
            product = 1.0;
            factors = 0;
        }
    }
    for (int32_t x = 0; x < lookup.n_repeats; x++)
        if (lookup.customers[x] > 0)
            add_counts(model, x, lookup.customers[x], sums);
    sums[0] += value + log(product);
    sums[1] = model->r * (sums[1] + by_r);
    sums[2] = model->alpha * (sums[2] + by_alpha);
    sums[3] = model->a * sums[3] + by_a;
    sums[4] = model->b * (sums[4] - by_b / model->a);
}

double bgnbd_p_alive(const BgNbd *model, int32_t repeats, double recency, double age)
{
    if (repeats == 0)
        return 1.0;
    double gap = log1p((age - recency) / (model->alpha + recency));
    return 1.0 / (1.0 + leaving_odds(model, repeats) * exp((model->r + (double)repeats) * gap));
}

/* Of somebody alive, eq. 10 without its denominator. An immortal customer would make N purchases in
 * the horizon, N ~ negative binomial(r + x, z), z = t / (alpha + T + t); purchase j + 1 happens if
 * N > j and the customer stayed after each of the j before it:
 *   E = sum over j >= 0 of P(N > j) m_j,  m_j = (b + x)_j / (a + b + x)_j.
 * This is the paper's
 *   (a + b + x - 1) / (a - 1) (1 - (1 - z)^(r + x) 2F1(r + x, b + x; a + b + x - 1; z))
 * with both powers of 1 - z expanded; it has no difference of large numbers, and a may be 1. */
static double expected_of_the_living(const BgNbd *model, double repeats, double age, double horizon)
{
    double shape = model->r + repeats, stays = model->b + repeats, leaves = model->a;
    double growth = horizon / (model->alpha + age);
    double z = growth / (1.0 + growth);
    double log_none = -shape * log1p(growth); /* ln P(N = 0) */
    double more = -expm1(log_none);           /* P(N > j) */
    double log_mass = log_none, mass = exp(log_none);
    double sum = 0.0, stayed = 1.0;
    for (double j = 0.0; j < TERMS_MAX; j += 1.0) {
        sum += more * stayed;
        /* What follows is at most stayed * E(N - j)+, about more * stayed / (1 - z). */
        if (more * stayed * (1.0 + growth) < RELATIVE_ERROR * sum)
            break;
        double ratio = (shape + j) / (j + 1.0) * z;
        if (log_mass < LOG_SMALL) {
            log_mass += log(ratio);
            mass = exp(log_mass);
        } else {
            mass *= ratio;
        }
        more = more > mass ? more - mass : 0.0;
        stayed *= (stays + j) / (leaves + stays + j);
    }
    return sum;
}

double bgnbd_expected_orders(const BgNbd *model, int32_t repeats, double recency, double age,
                             double horizon)
{
    return bgnbd_p_alive(model, repeats, recency, age) *
           expected_of_the_living(model, (double)repeats, age, horizon);
}
