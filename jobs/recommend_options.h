/* RecommendOptions of a run, from its configuration. */
#ifndef VESPER_JOBS_RECOMMEND_OPTIONS_H
#define VESPER_JOBS_RECOMMEND_OPTIONS_H

#include "base/config.h"
#include "recommend/recommend.h"

typedef struct RecommendOptions {
    const char *train, *test; /* pair files, or both NULL: the store; borrowed */
    ModelKind models[MODEL_KINDS];
    int n_models;
    bool has_all_models; /* nobody named them */
    RecommendPlan plan;
    bool leave_last_basket; /* hold out each customer's last order, */
    bool has_split_date;
    int32_t split_date;    /* or what follows from this day on, or the last plan.held_out_days */
    Buffer exclude, allow; /* contents of the product lists, which the plan looks at */
} RecommendOptions;

/* STATUS_USAGE says which setting, and what is possible. Local; the same on every rank. */
Status recommend_options_read(const Config *config, RecommendOptions *options,
                              Error *error) VESPER_MUST_USE;
/* The files of products that the configuration names, on every rank. STATUS_USAGE if one is not
 * there. Collective. */
Status recommend_options_read_lists(Comm *comm, const Config *config, RecommendOptions *options,
                                    Error *error) VESPER_MUST_USE;
/* Name of the results of `generation`: by the configuration, and by what the product lists hold.
 * Local. */
void recommend_options_name(const Config *config, const RecommendOptions *options,
                            int64_t generation, char name[STORE_NAME_SIZE]);
void recommend_options_free(RecommendOptions *options);

#endif
