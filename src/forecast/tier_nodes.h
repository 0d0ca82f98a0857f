/* Nodes of the tiers: categories, countries, the shop, each with a history and a backtest of its
 * own. */
#ifndef VESPER_FORECAST_TIER_NODES_H
#define VESPER_FORECAST_TIER_NODES_H

#include "forecast/backtest.h"
#include "forecast/hierarchy.h"
#include "shop/shop.h"

/* All zero is empty. */
typedef struct TierNodes {
    Hierarchy hierarchy; /* over the series */
    double *history;     /* [n_nodes x periods] sums of the series'; on every rank */
    SeriesSet set;       /* an even share of the nodes, this rank's; on the series' calendar */
    Backtest backtest;   /* of these */
} TierNodes;

/* The shop's levels over its series, and what each node is forecast by itself from the same origins
 * as the series. Collective. */
Status tier_nodes_make(Comm *comm, const Shop *shop, const SeriesSet *set, const Backtest *backtest,
                       TierNodes *nodes, Error *error) VESPER_MUST_USE;
void tier_nodes_free(TierNodes *nodes);

/* What a node is called: "garden/tools"; empty for the total and for what is not known. Local. */
Bytes tier_node_name(const Hierarchy *hierarchy, const Shop *shop, int32_t node);

#endif
