/* RecommendOptions of a run, from its configuration. */
#ifndef VESPER_JOBS_RECOMMEND_OPTIONS_H
#define VESPER_JOBS_RECOMMEND_OPTIONS_H

#include "base/config.h"
#include "recommend/recommend.h"

typedef struct RecommendOptions {
    const char *train, *test; /* pair files, or both NULL: the store; borrowed */
    ModelKind models[MODEL_KINDS];
    int n_models;
    RecommendPlan plan;
    bool leave_last_basket; /* hold out each customer's last order, */
    bool has_split_date;
    int32_t split_date; /* or what follows from this day on, or the last plan.held_out_days */
} RecommendOptions;

/* STATUS_USAGE says which setting, and what is possible. Local; the same on every rank. */
Status recommend_options_read(const Config *config, RecommendOptions *options,
                              Error *error) VESPER_MUST_USE;

#endif
