/* Tiers: the night's forecasts on every level, from product over category to shop, adding up.
 *
 * Each node above the products has a forecast of its own, from its own history; reconciling takes
 * from each level what it knows best, and rounding makes whole pieces of it. */
#ifndef VESPER_FORECAST_TIERS_H
#define VESPER_FORECAST_TIERS_H

#include "forecast/combination.h"
#include "forecast/reconcile.h"
#include "forecast/tier_nodes.h"

enum { TIERS_QUANTILES = 3 };
extern const double tiers_probabilities[TIERS_QUANTILES]; /* .1, .5, .9 */

/* All zero is empty. `horizon` is that of the backtest. */
typedef struct Tiers {
    double *mean;           /* [n x horizon] of this rank's series, pieces */
    int64_t *units;         /* [n x horizon] the same, whole */
    uint8_t *source;        /* [n] ForecastSource */
    double *node_mean;      /* [n_nodes x horizon] on every rank */
    int64_t *node_units;    /* [n_nodes x horizon] */
    double *node_quantiles; /* [n_nodes x horizon x TIERS_QUANTILES] around node_mean */
    ReconcileOutcome outcome;
} Tiers;

/* By the mix from one origin of the backtest, 0 is the end of the history; what was missed from the
 * n_before origins before it says whom to believe. Collective. */
Status tiers_forecast(Comm *comm, const SeriesSet *set, const Backtest *backtest,
                      const Combination *combination, const TierNodes *nodes,
                      ReconcileMethod method, int origin, int n_before, Tiers *tiers,
                      Error *error) VESPER_MUST_USE;
void tiers_free(Tiers *tiers);

#endif
