/* Whether a model forgets: a question about the roots of a polynomial, answered without them. */
#include "kernel/ets.h"

#include <math.h>

/* Whether all roots of sum(p[i] z^i), degree n, p[n] > 0, lie inside the unit circle: Schur and
 * Cohn's reduction. p is overwritten. */
static bool has_small_roots(double *p, int n)
{
    for (; n > 0; n--) {
        double ratio = p[0] / p[n];
        if (!(fabs(ratio) < 1.0))
            return false;
        for (int i = 0, j = n; i <= j; i++, j--) {
            double low = p[i];
            double high = p[j];
            p[i] = low - ratio * high;
            p[j] = high - ratio * low;
        }
        for (int i = 0; i < n; i++)
            p[i] = p[i + 1];
    }
    return true;
}

bool ets_is_admissible(EtsModel model, const EtsParameters *parameters, int season)
{
    if (model.season == ETS_SEASON_NONE)
        return true; /* the whole box is */
    double alpha = parameters->alpha;
    double beta = parameters->beta;
    double gamma = parameters->gamma;
    double phi = parameters->phi;
    double p[ETS_SEASON_MAX + 2];
    if (model.trend == ETS_TREND_NONE) { /* what follows, divided by z - 1 */
        p[0] = alpha + gamma - 1.0;
        for (int i = 1; i < season; i++)
            p[i] = alpha;
        p[season] = 1.0;
        return has_small_roots(p, season);
    }
    for (int i = 2; i < season; i++)
        p[i] = alpha + beta - alpha * phi;
    p[0] = phi * (1.0 - alpha - gamma);
    p[1] = alpha + beta - alpha * phi + gamma - 1.0;
    p[season] = alpha + beta - phi;
    p[season + 1] = 1.0;
    return has_small_roots(p, season + 1);
}
