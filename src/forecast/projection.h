/* Projection: WLS and MinT, as one step from forecasts to the nearest ones that add up.
 *
 * With y all N forecasts, nodes first, and C = [I, -S] the constraints (C y = 0 if they add up; S
 * says which series are in which node), the forecasts
 *
 *     y - W C' (C W C')^-1 C y
 *
 * are those that add up and are nearest to y as W measures it; they are the same as S G y with the
 * MinT matrix G (Wickramasuriya, Athanasopoulos, Hyndman 2019, "Optimal forecast reconciliation for
 * hierarchical and grouped time series through trace minimization", theorem 1), and need
 * the inverse of a matrix of nodes x nodes alone. W is a diagonal and a product of residuals
 *
 *     W = diag(g) + (1 - lambda) / T R R'         R [N x T]
 *     C W C' = diag(g_nodes) + S diag(g_series) S' + (1 - lambda) / T E E',   E = C R [nodes x T]
 *
 * so nothing of series x series is made. */
#ifndef VESPER_FORECAST_PROJECTION_H
#define VESPER_FORECAST_PROJECTION_H

#include "forecast/reconcile.h"

/* By MinT, or else by WLS. bottom [n x horizon] out; unset unless outcome->reason is
 * RECONCILE_AS_ASKED; not the input's array. Collective. */
Status projection_reconcile(Comm *comm, const Hierarchy *hierarchy, bool is_mint,
                            const ReconcileInput *input, double *bottom, ReconcileOutcome *outcome,
                            Error *error) VESPER_MUST_USE;

#endif
