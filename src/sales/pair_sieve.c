/* Thresholds of pairs, and the heap of the most orders; see pair_sieve.h. */
#include "sales/pair_sieve.h"

#include "base/memory.h"

/* Agrawal, Imielinski, Swami 1993 (support, confidence); Brin, Motwani, Ullman, Tsur 1997 (lift,
 * which they call interest). */
PairShares pair_shares(const PairTotals *totals, int32_t a, int32_t b, int64_t orders)
{
    double both = (double)orders, all = (double)totals->orders;
    double of_a = (double)totals->of_product[totals->sorted[a]];
    double of_b = (double)totals->of_product[totals->sorted[b]];
    return (PairShares){.support = both / all,
                        .confidence_ab = both / of_a,
                        .confidence_ba = both / of_b,
                        .lift = both * all / (of_a * of_b)};
}

PairSieve pair_sieve_of(const PairOptions *options, const PairTotals *totals)
{
    return (PairSieve){.options = options,
                       .totals = totals,
                       .least = options->min_orders > 1 ? options->min_orders : 1};
}

void pair_sieve_free(PairSieve *sieve)
{
    mem_free(&sieve->best);
}

static bool reaches_thresholds(const PairSieve *sieve, int32_t a, int32_t b, int64_t orders)
{
    PairShares shares = pair_shares(sieve->totals, a, b, orders);
    double confidence =
        shares.confidence_ab > shares.confidence_ba ? shares.confidence_ab : shares.confidence_ba;
    return !(confidence < sieve->options->min_confidence) &&
           !(shares.lift < sieve->options->min_lift);
}

static Status grow(PairSieve *sieve, Error *error)
{
    Status status = STATUS_OK;
    if (sieve->n_best < sieve->capacity)
        return STATUS_OK;
    int64_t doubled = sieve->capacity * 2 + 64, limit = sieve->options->limit;
    sieve->capacity = doubled < limit ? doubled : limit;
    TRY(mem_resize(&sieve->best, sieve->capacity, sizeof *sieve->best, "orders of pairs", error));
out:
    return status;
}

static void push(PairSieve *sieve, int64_t orders)
{
    int64_t at = sieve->n_best++;
    for (; at > 0 && sieve->best[(at - 1) / 2] > orders; at = (at - 1) / 2)
        sieve->best[at] = sieve->best[(at - 1) / 2];
    sieve->best[at] = orders;
}

static void replace_least(PairSieve *sieve, int64_t orders)
{
    int64_t at = 0, n = sieve->n_best;
    for (int64_t child = 1; child < n; child = 2 * at + 1) {
        if (child + 1 < n && sieve->best[child + 1] < sieve->best[child])
            child++;
        if (sieve->best[child] >= orders)
            break;
        sieve->best[at] = sieve->best[child];
        at = child;
    }
    sieve->best[at] = orders;
}

Status pair_sieve_keeps(PairSieve *sieve, int32_t a, int32_t b, int64_t orders, bool *keeps,
                        Error *error)
{
    Status status = STATUS_OK;
    int64_t limit = sieve->options->limit;
    *keeps = reaches_thresholds(sieve, a, b, orders);
    if (!*keeps || limit == 0)
        return STATUS_OK;
    if (sieve->n_best < limit) {
        TRY(grow(sieve, error));
        push(sieve, orders);
    } else if (orders > sieve->best[0]) {
        replace_least(sieve, orders);
    }
    if (sieve->n_best == limit && sieve->best[0] > sieve->least)
        sieve->least = sieve->best[0];
out:
    return status;
}
