/* See apportion.h. Rounding up a row takes a unit from what it is owed; only rows with a fraction
 * may be. As many units are left over, once all are rounded down, as there are rows with a fraction
 * at most, because the total is the sum rounded down or up. */
#include "kernel/apportion.h"

#include "base/status.h"

#include <stdbool.h>

/* Whether row a comes before row b. */
static bool claims_more(const ApportionRow *rows, int64_t a, int64_t b)
{
    return rows[a].owed != rows[b].owed ? rows[a].owed > rows[b].owed : a < b;
}

static void swap(int64_t *places, int64_t i, int64_t j)
{
    int64_t place = places[i];
    places[i] = places[j];
    places[j] = place;
}

/* The middle one of the first, middle and last place of [begin, end). */
static int64_t middle_claim(const ApportionRow *rows, const int64_t *places, int64_t begin,
                            int64_t end)
{
    int64_t a = places[begin], b = places[begin + (end - begin) / 2], c = places[end - 1];
    if (claims_more(rows, b, a)) {
        int64_t first = b;
        b = a;
        a = first;
    }
    if (claims_more(rows, c, b))
        b = claims_more(rows, c, a) ? a : c;
    return b;
}

/* Bring the `most` first claims to the front of places [n], in any order (Hoare 1961, "Find"). */
static void select_claims(const ApportionRow *rows, int64_t *places, int64_t n, int64_t most)
{
    int64_t begin = 0, end = n;
    while (end - begin > 1) {
        int64_t pivot = middle_claim(rows, places, begin, end), i = begin, j = end - 1;
        while (i <= j) {
            while (claims_more(rows, places[i], pivot))
                i++;
            while (claims_more(rows, pivot, places[j]))
                j--;
            if (i <= j)
                swap(places, i++, j--);
        }
        if (most <= j)
            end = j + 1;
        else if (most >= i)
            begin = i;
        else
            return;
    }
}

void apportion(ApportionRow *rows, int64_t n, int64_t width, int shift, const int64_t *totals,
               int64_t *places)
{
    int64_t unit = (int64_t)1 << shift;
    for (int64_t t = 0; t < width; t++) {
        int64_t left = totals[t], n_fractions = 0;
        for (int64_t i = 0; i < n; i++) {
            int64_t fraction = rows[i].values[t] & (unit - 1);
            rows[i].values[t] >>= shift;
            rows[i].owed += fraction;
            left -= rows[i].values[t];
            if (fraction > 0)
                places[n_fractions++] = i;
        }
        vesper_assert(left >= 0 && left <= n_fractions);
        if (left < n_fractions)
            select_claims(rows, places, n_fractions, left);
        for (int64_t k = 0; k < left; k++) {
            rows[places[k]].values[t]++;
            rows[places[k]].owed -= unit;
        }
    }
}
